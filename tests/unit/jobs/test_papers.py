"""The job of the papers over FHIR: one person, a batch, what is refused, and going on where a run stopped."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from adapter.config import Config
from adapter.documents.from_fhir import PRESCRIBER_EXTENSION, Chart
from adapter.errors import ConfigError, SourceError
from adapter.jobs import papers
from adapter.jobs.papers import Printing
from adapter.outputs.press import Press
from adapter.resources.ids import tag
from adapter.resources.service_events import Service, service_event
from tests.unit.documents.conftest import EXAMPLES, text_of

ON = date(2026, 3, 11)


def own(kind, resource_type, own_id, **elements):
    return {"resourceType": resource_type, "id": own_id, "meta": {"tag": [tag(kind)]}, **elements}


def person(key, name, language="en", zip_code="62711"):
    return {
        "resourceType": "Patient",
        "id": key,
        "name": [{"use": "official", "family": name, "given": ["Ann"]}],
        "birthDate": "1950-03-14",
        "address": [{"line": ["1 Street"], "city": "Town", "state": "IL", "postalCode": zip_code}],
        "communication": [{"language": {"coding": [{"code": language}]}, "preferred": True}],
    }


def enrolled(key):
    subject = {"reference": f"Patient/{key}"}
    return own(
        "enrollment",
        "CarePlan",
        f"e-{key}",
        status="active",
        intent="plan",
        subject=subject,
        period={"start": "2026-02-01"},
    )


def reviewed(key):
    """All that the review of one person leaves behind."""
    subject = {"reference": f"Patient/{key}"}
    cmr = Service("cmr", key, "H1234", 2026, f"CarePlan/e-{key}", date(2026, 3, 2), performer="Practitioner/d1")
    return [
        service_event(cmr),
        own(
            "reviewed-list", "List", f"l-{key}", status="current", mode="snapshot", subject=subject, date="2026-03-02",
            entry=[{"item": {"reference": f"MedicationStatement/s-{key}"}}],
        ),
        own(
            "reviewed-statement", "MedicationStatement", f"s-{key}", status="active", subject=subject,
            medicationCodeableConcept={"text": f"warfarin of {key}"}, dosage=[{"text": "Take 1 tablet"}],
            extension=[{"url": PRESCRIBER_EXTENSION, "valueString": "Dr. Ruiz"}],
        ),
        own(
            "action-plan", "CarePlan", f"a-{key}", status="active", intent="plan", subject=subject, created="2026-03-02",
            activity=[{"detail": {"code": {"text": "Bleeding"}, "description": "Call us.", "status": "not-started"}}],
        ),
        {"resourceType": "AllergyIntolerance", "id": f"g-{key}", "patient": subject, "code": {"text": "Penicillin"}},
    ]  # fmt: skip


def write(folder, *resources):
    for resource in resources:
        with (folder / f"{resource['resourceType']}.ndjson").open("a", encoding="utf-8") as file:
            file.write(json.dumps(resource) + "\n")


@pytest.fixture
def source(tmp_path):
    """p1 (English) and p2 (Spanish) were reviewed, p3 is enrolled only, p4 is not enrolled."""
    folder = tmp_path / "source"
    folder.mkdir()
    doctor = {"resourceType": "Practitioner", "id": "d1", "name": [{"family": "Lee", "given": ["Sue"]}]}
    write(
        folder, doctor, person("p1", "Alpha"), person("p2", "Beta", "es"), person("p3", "Gamma"), person("p4", "Delta")
    )
    write(folder, *(enrolled(key) for key in ("p1", "p2", "p3")), *reviewed("p1"), *reviewed("p2"))
    stray = {
        "resourceType": "MedicationStatement",
        "id": "z",
        "status": "active",
        "subject": {"reference": "Patient/p1"},
    }
    write(folder, stray | {"medicationCodeableConcept": {"text": "not reviewed"}})
    return folder


@pytest.fixture
def printing(tmp_path):
    return Printing("summary", EXAMPLES / "plan.toml", tmp_path / "out", ON, sites=EXAMPLES / "sites.csv", workers=2)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_summary_of_one_person(source, printing):
    printed = papers.from_source(replace(printing, html=True), str(source), Config(), "p2")
    assert names(printing.out) == ["manifest.ndjson", "summary-es-p2.html", "summary-es-p2.pdf"]
    assert [path.name for path in printed.made] == ["summary-es-p2.pdf", "summary-es-p2.html"]
    text = text_of(printed.made[0].read_bytes())
    page = printed.made[1].read_text(encoding="utf-8")
    for word in (
        "Ann Beta",
        "Sue Lee",
        "warfarin of p2",
        "Dr. Ruiz",
        "Bleeding",
        "Call us.",
        "Penicillin",
        "Main Street Pharmacy",
    ):
        assert word in text
        assert word in page.replace("\u00a0", " ")
    assert "not reviewed" not in text
    assert set(printed.unofficial) == {"es"}


def test_a_batch_is_all_who_are_enrolled(source, printing):
    told = []
    printed = papers.batch(printing, str(source), Config(), told=lambda done, whole: told.append((done, whole)))
    assert [path.name for path in sorted(printed.made)] == ["summary-en-p1.pdf", "summary-es-p2.pdf"]
    assert told == [(1, 3), (2, 3), (3, 3)]
    with (printing.out / "refused-summary.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.DictReader(file)) == [
            {"beneficiary": "p3", "reason": "there is no Comprehensive Medication Review; record or review one first"}
        ]
    assert "warfarin of p1" in text_of((printing.out / "summary-en-p1.pdf").read_bytes())
    assert "warfarin of p2" not in text_of((printing.out / "summary-en-p1.pdf").read_bytes())


def test_no_name_of_a_person_is_in_a_name_of_a_file_or_in_the_manifest(source, printing):
    papers.batch(printing, str(source), Config())
    told = " ".join(names(printing.out)) + (printing.out / "manifest.ndjson").read_text(encoding="utf-8")
    assert [name for name in ("Alpha", "Beta", "Gamma", "1950", "Street") if name in told] == []


def test_a_second_run_makes_nothing_and_what_changed_is_made_again(source, printing):
    papers.batch(printing, str(source), Config())
    again = papers.batch(printing, str(source), Config())
    assert (again.made, len(again.kept)) == ([], 2)
    write(source, {**person("p1", "Renamed"), "meta": {"lastUpdated": "2026-03-10T00:00:00Z"}})
    third = papers.batch(printing, str(source), Config())
    assert [path.name for path in third.made] == ["summary-en-p1.pdf"]
    assert "Ann Renamed" in text_of(third.made[0].read_bytes())
    fourth = papers.batch(replace(printing, on=date(2026, 3, 12)), str(source), Config())
    assert len(fourth.made) == 2  # the day stands on the paper


def test_a_run_that_was_stopped_goes_on(source, printing, monkeypatch):
    class Stopped(Exception):
        pass

    whole, calls = Press.pdf, []

    def once(self, data, on):
        calls.append(data)
        if len(calls) > 1:
            raise Stopped
        return whole(self, data, on)

    monkeypatch.setattr(Press, "pdf", once)
    with pytest.raises(Stopped):
        papers.batch(replace(printing, workers=1), str(source), Config())
    monkeypatch.setattr(Press, "pdf", whole)
    assert [name for name in names(printing.out) if name.endswith(".pdf")] == ["summary-en-p1.pdf"]
    again = papers.batch(printing, str(source), Config())
    assert ([path.name for path in again.kept], [path.name for path in again.made]) == (
        ["summary-en-p1.pdf"],
        ["summary-es-p2.pdf"],
    )


def test_a_batch_of_named_persons(source, printing, tmp_path):
    (tmp_path / "ids.txt").write_text("p4\n\nPatient/p1\np1\nnobody\n", encoding="utf-8")
    wanted = papers.read_beneficiaries(tmp_path / "ids.txt")
    assert wanted == ["p4", "p1", "nobody"]
    printed = papers.batch(replace(printing, kind="invitation"), str(source), Config(), wanted)
    assert [path.name for path in printed.made] == ["invitation-en-p1.pdf"]
    with (printing.out / "refused-invitation.csv").open(encoding="utf-8", newline="") as file:
        refused = {row["beneficiary"]: row["reason"] for row in csv.DictReader(file)}
    assert refused["nobody"] == "the source does not hold such a Patient"
    assert refused["p4"].startswith("there is no enrollment")
    assert len(refused) == len(printed.refused) == 2


def test_many_papers_are_set_in_processes_of_their_own_and_are_the_same(source, printing, monkeypatch):
    papers.batch(printing, str(source), Config())
    here = {path.name: path.read_bytes() for path in printing.out.glob("*.pdf")}
    monkeypatch.setattr(papers, "MANY", 1)
    apart = replace(printing, out=printing.out.with_name("apart"))
    assert len(papers.batch(apart, str(source), Config()).made) == 2
    assert {path.name: path.read_bytes() for path in apart.out.glob("*.pdf")} == here


def test_characters_that_are_squares_are_listed_with_the_person(source, printing):
    write(source, {**person("p1", "张"), "meta": {"lastUpdated": "2026-03-01T00:00:00Z"}})
    printed = papers.batch(printing, str(source), Config())
    assert printed.scripts == ["CJK"]
    with (printing.out / "not-shown-summary.csv").open(encoding="utf-8", newline="") as file:
        [row] = csv.DictReader(file)
    assert row | {"times": ""} == {
        "beneficiary": "p1", "file": "summary-en-p1.pdf", "times": "", "characters": "张", "code_points": "U+5F20"
    }  # fmt: skip
    assert int(row["times"]) >= 3  # address, salutation, inner pages
    assert papers.batch(printing, str(source), Config()).scripts == ["CJK"]  # also of what was whole already
    write(source, {**person("p1", "Zhang"), "meta": {"lastUpdated": "2026-03-02T00:00:00Z"}})
    papers.batch(printing, str(source), Config())
    assert not (printing.out / "not-shown-summary.csv").exists()


def test_files_of_ids_that_cannot_be_used(tmp_path):
    (tmp_path / "empty.txt").write_text("\n \n", encoding="utf-8")
    with pytest.raises(ConfigError, match="holds no Patient id"):
        papers.read_beneficiaries(tmp_path / "empty.txt")
    with pytest.raises(ConfigError, match="cannot be read"):
        papers.read_beneficiaries(tmp_path / "none.txt")


def test_a_person_who_is_not_there_or_lacks_something(source, printing):
    with pytest.raises(SourceError, match="The source holds no such Patient"):
        papers.from_source(printing, str(source), Config(), "nobody")
    with pytest.raises(SourceError, match=r"^The paper summary cannot be made: there is no Comprehensive"):
        papers.from_source(printing, str(source), Config(), "p3")
    no_sites = replace(printing, kind="safe-disposal", sites=None)
    with pytest.raises(SourceError, match="0 take-back sites are known"):
        papers.from_source(no_sites, str(source), Config(), "p1")
    assert not list(printing.out.glob("*.pdf"))


def test_who_has_no_name_gets_no_paper(source, printing):
    nameless = {
        **person("p1", "Alpha"),
        "name": [{"use": "old", "family": "Before"}],
        "meta": {"lastUpdated": "2026-03-01T00:00:00Z"},
    }
    write(source, nameless)
    with pytest.raises(SourceError, match="the Patient has no name that is in use"):
        papers.from_source(printing, str(source), Config(), "p1")


def test_persons_who_prefer_a_language_without_papers_are_counted(source, printing):
    write(source, {**person("p1", "Alpha", "vi-VN"), "meta": {"lastUpdated": "2026-03-01T00:00:00Z"}})
    invitation = replace(printing, kind="invitation")
    told = "1 papers are for persons who prefer another language (vi) than there are papers in"
    assert told in papers.batch(invitation, str(source), Config()).notices
    assert told in papers.from_source(invitation, str(source), Config(), "p1").notices
    assert not [one for one in papers.from_source(invitation, str(source), Config(), "p2").notices if "language" in one]


@pytest.mark.parametrize("died", [{"deceasedBoolean": True}, {"deceasedDateTime": "2026-03"}])
def test_nobody_writes_to_the_dead(source, printing, died):
    write(source, {**person("p1", "Alpha"), **died, "meta": {"lastUpdated": "2026-03-01T00:00:00Z"}})
    write(
        source,
        {**person("p2", "Beta", "es"), "deceasedBoolean": False, "meta": {"lastUpdated": "2026-03-01T00:00:00Z"}},
    )
    printed = papers.batch(replace(printing, kind="invitation"), str(source), Config())
    assert sorted(path.name for path in printed.made) == ["invitation-en-p3.pdf", "invitation-es-p2.pdf"]
    assert [(one.beneficiary, one.reason) for one in printed.refused] == [
        ("p1", "the Patient is recorded as deceased; record the opt-out (reason 01)")
    ]


def test_lines_that_are_no_resources_are_told(source, printing):
    with (source / "CarePlan.ndjson").open("ab") as file:
        file.write(b'{"resourceType": "CarePlan", \n[]\n{"resourceType": "List"}\n')
    printed = papers.batch(printing, str(source), Config())
    assert len(printed.made) == 2
    assert [(one.file, one.line) for one in printed.rejected] == [
        ("CarePlan.ndjson", 6),
        ("CarePlan.ndjson", 7),
        ("CarePlan.ndjson", 8),
    ]


def test_a_logo_and_a_plan_are_checked_before_anything_is_read(printing, tmp_path):
    with pytest.raises(ConfigError, match="There is no plan file"):
        papers.batch(replace(printing, plan=tmp_path / "none.toml"), "no/such/source", Config())


def test_the_pdf_of_a_chart_at_hand(printing):
    held = {}
    for one in (enrolled("p1"), *reviewed("p1")):
        held.setdefault(one["resourceType"], []).append(one)
    content, printed = papers.pdf_of(printing, Chart(person("p1", "Alpha"), held))
    text = text_of(content)
    assert printed.unofficial["en"] > 0
    assert "Ann Alpha" in text
    assert "warfarin of p1" in text
    with pytest.raises(SourceError, match="The paper summary cannot be made: there is no Comprehensive"):
        papers.pdf_of(printing, Chart(person("p1", "Alpha")))
    assert not printing.out.exists()


def test_the_blank_list_needs_no_plan(tmp_path):
    pdf = papers.blank("es", tmp_path / "new" / "pml.pdf")
    assert "Lista Personal de Medicamentos" in text_of(pdf.read_bytes())
    page = papers.blank("en", tmp_path / "pml.html", EXAMPLES / "plan.toml", large_print=True)
    text = page.read_text(encoding="utf-8")
    assert "Personal Medication List" in text
    assert "H1234_MTM2026_M" in text


def test_the_folder_of_texts_is_that_of_the_mappings(monkeypatch, tmp_path, printing):
    """A plan that holds the CMS instructions corrects the text, not code."""
    folder = tmp_path / "mappings" / "documents"
    folder.mkdir(parents=True)
    for path in (Path(__file__).parents[3] / "mappings" / "documents").glob("*.toml"):
        text = path.read_text(encoding="utf-8").replace('"Recommended To-Do List"', '"My Own Title"')
        (folder / path.name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("MTM_MAPPINGS", str(folder.parent))
    printed = papers.from_form(replace(printing, kind="to-do"), EXAMPLES / "member.json")
    assert "My Own Title" in text_of(printed.made[0].read_bytes())
