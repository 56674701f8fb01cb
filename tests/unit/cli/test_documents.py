"""documents by the command line: the files, what is told, and how the persons are named."""

from __future__ import annotations

import pytest

from tests.unit.cli.running import run
from tests.unit.documents.conftest import EXAMPLES
from tests.unit.jobs.test_papers import source  # noqa: F401  # a fixture: three persons in a folder

FORM, PLAN, SITES = EXAMPLES / "member.json", EXAMPLES / "plan.toml", EXAMPLES / "sites.csv"


@pytest.fixture
def documents(tmp_path):
    def of(kind, *more):
        return run("documents", kind, "--plan", PLAN, "--out", tmp_path / "out", "--date", "2026-03-11", *more)

    return of


@pytest.mark.parametrize("kind", ["invitation", "summary", "to-do", "pml", "safe-disposal", "prescriber-fax"])
def test_each_paper_of_a_form(documents, tmp_path, kind):
    ran = documents(kind, "--form", FORM, "--language", "es", "--html")
    made = tmp_path / "out" / f"{kind}-es-example-1"
    assert (ran.code, ran.out) == (0, f"{made}.pdf\n{made}.html\n")
    assert ran.err.startswith("warning: the wording of ")
    assert "mappings/documents/es.toml says which" in ran.err


def test_a_batch(documents, source, tmp_path):  # noqa: F811
    ran = documents("summary", source, "--batch", "--sites", SITES)
    assert ran.code == 0
    assert ran.out == f"{tmp_path / 'out'}: 2 files made, 0 were whole already, 1 persons without this paper\n"
    assert "refused: 1: there is no Comprehensive Medication Review" in ran.err
    assert "safe disposal" not in ran.err
    assert "Alpha" not in ran.err + ran.out
    again = documents("summary", source, "--batch", "--sites", SITES)
    assert "0 files made, 2 were whole already" in again.out


def test_summaries_without_information_on_safe_disposal_are_counted(documents, source):  # noqa: F811
    ran = documents("summary", source, "--batch")
    assert (
        "warning: 2 summaries hold no information on safe disposal, as no take-back sites are known (--sites)"
        in ran.err
    )
    assert "safe disposal" not in documents("pml", source, "--batch").err


def test_named_persons(documents, source, tmp_path):  # noqa: F811
    (tmp_path / "ids.txt").write_text("p1\nnobody\n", encoding="utf-8")
    ran = documents("invitation", source, "--beneficiaries", tmp_path / "ids.txt", "--language", "en", "--large-print")
    assert ran.code == 4  # one of those who were asked for has no paper
    assert (tmp_path / "out" / "invitation-en-large-p1.pdf").is_file()
    assert "refused: 1: the source does not hold such a Patient" in ran.err


def test_one_person(documents, source, tmp_path):  # noqa: F811
    ran = documents("pml", source, "p2")
    assert (ran.code, ran.out) == (0, f"{tmp_path / 'out' / 'pml-es-p2.pdf'}\n")
    ran = documents("summary", source, "p3")
    assert ran.code == 4
    assert ran.sentence.startswith("The paper summary cannot be made: there is no Comprehensive Medication Review")


@pytest.mark.parametrize(
    "who", [(), ("source",), ("source", "p1", "--batch"), ("source", "p1", "--form", FORM), ("--batch",)]
)
def test_for_whom_is_said_in_one_way(documents, who):
    ran = documents("pml", *who)
    assert ran.code == 2
    assert ran.sentence.startswith("Say for whom in one way")


def test_characters_without_a_glyph_are_told(documents, tmp_path):
    text = FORM.read_text(encoding="utf-8").replace("Maria Elena", "张伟")
    (tmp_path / "form.json").write_text(text, encoding="utf-8")
    ran = documents("to-do", "--form", tmp_path / "form.json")
    assert ran.code == 0
    assert "warning: 1 papers hold characters that the fonts cannot show (CJK), printed as squares" in ran.err
    manifest = (tmp_path / "out" / "manifest.ndjson").read_text(encoding="utf-8")
    assert '"not_shown": ["U+4F1F", "U+5F20"]' in manifest
    assert "张" not in ran.err


def test_a_batch_tells_where_the_characters_without_a_glyph_are_listed(documents, source):  # noqa: F811
    line = '{"resourceType": "Patient", "id": "p2", "name": [{"text": "张"}], "meta": {"lastUpdated": "2026-03-01T00:00:00Z"}}'
    with (source / "Patient.ndjson").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    ran = documents("pml", source, "--batch")
    assert (
        "warning: 1 papers hold characters that the fonts cannot show (CJK), printed as squares: not-shown-pml.csv"
        in ran.err
    )


def test_the_blank_list_is_pdf_or_html(tmp_path):
    ran = run("documents", "blank-pml", "--out", tmp_path / "pml.docx")
    assert ran.code == 2
    assert ran.sentence == "pml.docx is no name for an empty list; let --out end in .pdf, .html, .htm"
    assert not (tmp_path / "pml.docx").exists()


@pytest.mark.parametrize("ending", ["pdf", "html"])
def test_the_blank_list(tmp_path, ending):
    ran = run("documents", "blank-pml", "--language", "es", "--out", tmp_path / f"pml.{ending}")
    assert (ran.code, ran.out, ran.err) == (0, f"{tmp_path / f'pml.{ending}'}\n", "")
