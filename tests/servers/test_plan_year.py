"""Two beneficiaries through a whole plan year on real FHIR servers, by the command line: one as it should be, one by mistakes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapter.fhir.client import FhirClient
from adapter.resources.definitions import definitions
from tests.servers.demo_copy import DemoCopy, copy_of_demo
from tests.servers.plain import Plain, Resource, key, kind_of, versions
from tests.servers.test_hapi_accepts import faults
from tests.unit.cli.running import run

GOOD, BAD = "18", "41"  # at-risk beneficiaries, targeted since 1 February and since the year before
ENROLLED = "2023-02-10"
TODAY = ("--today", "2023-12-20")
CMR = ("--method", "telephone", "--provider", "mtm_vendor_in_house_pharmacist", "--recipient", "beneficiary")
KINDS = ("CarePlan", "Procedure", "Communication")


class Year:
    """The command line for one person of a copy on a server."""

    def __init__(self, base_url: str, demo: DemoCopy, number: str) -> None:
        self.server, self.demo, self.person = Plain(base_url), demo, demo.person(number)

    def record(self, kind: str, day: str, *more: str) -> dict[str, Any]:
        """What became of a record that must succeed."""
        ran = run("record", kind, self.server.base_url, self.person, "--on", day, *TODAY, *more, "--json")
        assert ran.code == 0, ran.err
        told: dict[str, Any] = json.loads(ran.out)
        return told

    def refused(self, kind: str, day: str, *more: str) -> str:
        """Why a record was refused; nothing may have been written."""
        before = versions(self.own())
        ran = run("record", kind, self.server.base_url, self.person, "--on", day, *TODAY, *more)
        assert (ran.code, ran.out) == (2, ""), ran.out
        assert versions(self.own()) == before
        return ran.err

    def own(self) -> dict[str, Resource]:
        """The adapter's own resources of the plan year about the person."""
        found = (one for kind in KINDS for one in self.server.about(kind, [self.person]))
        return {key(one): one for one in found if kind_of(one)}

    def due(self, day: str) -> dict[str, str]:
        """The status of each duty on a day."""
        ran = run(
            "worklist", self.server.base_url, "--patients", f"_id={self.person}", "--as-of", day, "--json", "--all"
        )
        assert (ran.code, ran.err) == (0, "")
        numbered = ("tmr", "summary")
        return {
            row["duty"] + (f"/{row['number']}" if row["duty"] in numbered else ""): row["status"]
            for row in json.loads(ran.out)["duties"]
        }

    def screen(self, day: str) -> None:
        more = ("--as-of", day, "--at-risk", self.demo.roster, "--write")
        assert run("screen", self.server.base_url, "--patients", self.demo.patients, *more).code == 0


@pytest.fixture
def demo(tmp_path: Path) -> DemoCopy:
    return copy_of_demo(tmp_path / "demo", (GOOD, BAD))


def test_a_whole_year_of_one_beneficiary(fhir_server: str, demo: DemoCopy) -> None:
    demo.load(fhir_server)
    year = Year(fhir_server, demo, GOOD)
    year.screen(ENROLLED)
    (plan,) = year.own().values()
    assert (plan["status"], plan["period"]) == ("active", {"start": ENROLLED, "end": "2023-12-31"})
    assert year.due("2023-02-10") == {
        "invitation": "due", "cmr_offer": "due", "second_outreach": "not_required", "cmr": "upcoming", "summary/1": "not_required",
        "safe_disposal": "due", "tmr/1": "due", "tmr/2": "upcoming", "tmr/3": "upcoming", "tmr/4": "upcoming",
    }  # fmt: skip

    year.record("invitation", "2023-02-15", "--method", "mail")
    year.record("cmr-offer", "2023-02-15", "--method", "mail")
    assert year.due("2023-03-05")["second_outreach"] == "due"
    year.record("cmr-offer", "2023-03-10", "--method", "telephone", "--answer", "accepted")
    assert {name: year.due("2023-03-12")[name] for name in ("second_outreach", "cmr", "cmr_offer")} == {
        "second_outreach": "done", "cmr": "due", "cmr_offer": "done",
    }  # fmt: skip
    cmr = year.record(
        "cmr", "2023-03-20", *CMR, "--cognitively-impaired", "N", "--ltc-facility", "N", "--minutes", "40"
    )
    assert year.due("2023-03-28")["summary/1"] == "due"
    summary = year.record("summary-sent", "2023-03-29", "--method", "mail")  # nine days
    assert year.due("2023-04-20")["summary/1"] == "done"

    assert year.due("2023-05-10")["tmr/1"] == "overdue"
    for day in ("2023-05-08", "2023-07-20", "2023-10-12"):
        assert (
            year.record("tmr", day, "--method", "other", "--provider", "mtm_vendor_in_house_pharmacist")["what"]
            == "created"
        )
    told = year.record("recommendation", "2023-07-20", "--text", "Stop one of the two statins.", "--method", "fax")
    resolved = year.record("resolution", "2023-08-02", "--changed", "--method", "fax")
    year.record("safe-disposal", "2023-03-29", "--method", "mail")

    # The criteria are no longer met: once enrolled stays enrolled.
    year.screen("2023-09-30")
    assert year.own()[f"CarePlan/{plan['id']}"]["period"] == plan["period"]

    opted_out = year.record("opt-out", "2023-11-15", "--reason", "03")
    assert opted_out["reference"] == f"CarePlan/{plan['id']}"
    year.screen("2023-11-30")
    after = year.own()
    assert after[opted_out["reference"]]["status"] == "revoked"  # a screening never undoes an opt-out
    assert year.due("2023-12-20") == {
        "invitation": "done", "cmr_offer": "done", "second_outreach": "done", "cmr": "done", "summary/1": "done",
        "safe_disposal": "done", "tmr/1": "done", "tmr/2": "done", "tmr/3": "done", "tmr/4": "not_required",
    }  # fmt: skip

    # Everything again, as by somebody who is not sure: nothing is written.
    year.record("cmr", "2023-03-20", *CMR)
    year.record("summary-sent", "2023-03-29", "--method", "mail")
    year.record("opt-out", "2023-11-15", "--reason", "03")
    assert versions(year.own()) == versions(after)

    assert after[summary["reference"]]["about"] == [{"reference": cmr["reference"]}]
    assert after[resolved["reference"]]["inResponseTo"] == [{"reference": told["reference"]}]
    assert_based_on_the_enrollment(after, opted_out["reference"])
    assert_told_by_provenance(year, after)


def assert_based_on_the_enrollment(own: dict[str, Resource], plan: str) -> None:
    services = [one for one in own.values() if one["resourceType"] != "CarePlan"]
    assert len(services) == 11
    assert {json.dumps(one["basedOn"]) for one in services} == {json.dumps([{"reference": plan}])}


def assert_told_by_provenance(year: Year, own: dict[str, Resource]) -> None:
    found = list(year.server.search_chunks("Provenance", "target", sorted(own)))
    targets = {target["reference"] for one in found for target in one["target"]}
    assert targets == set(own)


def test_a_year_of_mistakes_each_refused(fhir_server: str, demo: DemoCopy) -> None:
    demo.load(fhir_server)
    year = Year(fhir_server, demo, BAD)
    assert "is not enrolled in the MTM program" in year.refused("tmr", "2023-03-01")
    year.screen(ENROLLED)

    assert "2023-02-09 is before the enrollment on 2023-02-10" in year.refused("cmr", "2023-02-09", *CMR)
    assert "2023-12-21 is in the future" in year.refused("cmr", "2023-12-21", *CMR)
    assert "not enrolled in plan year 2022" in year.refused("tmr", "2022-12-31")
    assert "does not match the format" in year.refused("tmr", "2023-02-30")
    assert "not enrolled in contract H9999, but in H1234" in year.refused("tmr", "2023-03-01", "--contract", "H9999")
    assert "'dentist' is not one of" in year.refused(
        "cmr", "2023-03-01", "--method", "telephone", "--provider", "dentist"
    )
    assert "'letter' is not one of" in year.refused("cmr", "2023-03-01", "--method", "letter")
    assert "provider is missing" in year.refused("cmr", "2023-03-01", "--method", "telephone")
    assert "minutes are not possible" in year.refused("cmr", "2023-03-01", *CMR, "--minutes", "0")
    assert "No CMR is recorded" in year.refused("summary-sent", "2023-03-05", "--method", "mail")
    assert "No recommendation is recorded" in year.refused("resolution", "2023-03-05", "--changed")
    assert "did not opt out" in year.refused("re-enroll", "2023-03-05")

    cmr = year.record("cmr", "2023-03-20", *CMR)
    other = ("--method", "telehealth", *CMR[2:])
    assert "add --correct to replace it" in year.refused("cmr", "2023-03-20", *other)
    assert "2023-03-19 is before the CMR on 2023-03-20" in year.refused(
        "summary-sent", "2023-03-19", "--method", "mail"
    )
    year.record("summary-sent", "2023-03-21", "--method", "mail")
    ran = run("record", "withdraw", fhir_server, year.person, cmr["reference"], *TODAY)
    assert (ran.code, "withdraw that first" in ran.err) == (2, True)

    year.record("recommendation", "2023-04-10", "--text", "Stop the sedative.")
    assert "before the recommendation on 2023-04-10" in year.refused("resolution", "2023-04-09", "--changed")

    year.record("opt-out", "2023-05-20", "--reason", "03")
    assert "opted out already, on 2023-05-20" in year.refused("opt-out", "2023-05-21", "--reason", "03")
    assert "opted out already, on 2023-05-20" in year.refused("opt-out", "2023-05-20", "--reason", "01")
    assert "opted out on 2023-05-20" in year.refused("tmr", "2023-05-21")
    assert "opted out on 2023-05-20" in year.refused("cmr-offer", "2023-06-01", "--method", "mail")
    assert "before the opt-out on 2023-05-20" in year.refused("re-enroll", "2023-05-19")
    year.record("re-enroll", "2023-08-15")
    year.record("tmr", "2023-08-20")
    assert "31 December is no opt-out" in year_end(year)


def year_end(year: Year) -> str:
    ran = run(
        "record",
        "opt-out",
        year.server.base_url,
        year.person,
        "--on",
        "2023-12-31",
        "--reason",
        "02",
        "--today",
        "2024-01-05",
    )
    assert (ran.code, ran.out) == (2, "")
    return ran.err


@pytest.mark.parametrize(
    ("meanwhile", "words"),
    [
        (
            ("cmr", "2023-03-20", "--method", "telehealth", *CMR[2:]),
            "is recorded with another method (telehealth, not telephone)",
        ),
        (("opt-out", "2023-03-01", "--reason", "03"), "opted out on 2023-03-01"),
    ],
    ids=["the same CMR otherwise", "an opt-out"],
)
def test_what_somebody_records_at_the_same_moment_is_noticed(
    fhir_server: str, demo: DemoCopy, monkeypatch: pytest.MonkeyPatch, meanwhile: tuple[str, ...], words: str
) -> None:
    demo.load(fhir_server)
    year = Year(fhir_server, demo, GOOD)
    year.screen(ENROLLED)
    send = FhirClient.transaction

    def after_somebody_else(client: FhirClient, bundle: Resource) -> Resource:
        monkeypatch.undo()
        year.record(*meanwhile)  # between the reading and the writing of the other
        return send(client, bundle)

    monkeypatch.setattr(FhirClient, "transaction", after_somebody_else)
    ran = run("record", "cmr", fhir_server, year.person, "--on", "2023-03-20", *TODAY, *CMR)
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err
    cmrs = [one for one in year.own().values() if one["resourceType"] == "Procedure"]
    assert [json.dumps(one).count('"telehealth"') > 0 for one in cmrs] == [True] * (meanwhile[0] == "cmr")


def test_the_next_plan_year_ends_this_one(fhir_server: str, demo: DemoCopy, tmp_path: Path) -> None:
    demo.load(fhir_server)
    year = Year(fhir_server, demo, GOOD)
    year.screen(ENROLLED)
    year.record("cmr-offer", "2023-10-20", "--method", "mail", "--answer", "declined")
    (before,) = (one for one in year.own().values() if one["resourceType"] == "CarePlan")
    program = tmp_path / "next.toml"
    program.write_text(
        'extends = "health-partners-2023"\ntitle = "Next"\nversion = "1"\nplan_year = 2024\nsource = "test"\nstanding = "U"\n',
        encoding="utf-8",
    )
    asked = ("--patients", f"_id={year.person}", "--as-of", "2024-01-20", "--program", program)
    for _ in range(2):
        assert run("screen", fhir_server, *asked, "--at-risk", demo.roster, "--write").code == 0
    plans = {one["period"]["end"][:4]: one for one in year.own().values() if one["resourceType"] == "CarePlan"}
    assert {end: one["status"] for end, one in plans.items()} == {"2023": "completed", "2024": "active"}
    assert plans["2024"]["replaces"] == [{"reference": f"CarePlan/{before['id']}"}]
    assert plans["2024"]["meta"]["versionId"] == "1"
    ran = run("worklist", fhir_server, *asked, "--json", "--all")
    (offer,) = (row for row in json.loads(ran.out)["duties"] if row["duty"] == "cmr_offer")
    assert offer["deadline"] == "2024-10-20"  # a year after the last offer


def test_hapi_finds_no_error_in_the_services(hapi_server: str, demo: DemoCopy) -> None:
    demo.load(hapi_server)
    year = Year(hapi_server, demo, GOOD)
    for definition in definitions():
        answer = year.server.http.put(f"{hapi_server}/{key(definition)}", json=definition)
        assert answer.status_code in (200, 201), answer.text
    year.screen(ENROLLED)
    year.record("invitation", "2023-02-15", "--method", "other", "--recipient", "caregiver")
    year.record("cmr-offer", "2023-02-15", "--method", "mail", "--answer", "accepted", "--cognitively-impaired", "Y")
    year.record("cmr", "2023-03-20", *CMR, "--ltc-facility", "Y", "--minutes", "40", "--note", "with the daughter")
    year.record("summary-sent", "2023-03-29", "--method", "in_person")
    year.record("safe-disposal", "2023-03-29", "--method", "electronic")
    year.record("tmr", "2023-05-08", "--provider", "physician")
    year.record(
        "recommendation",
        "2023-05-08",
        "--text",
        'Stop <one> & "two".',
        "--method",
        "fax",
        "--provider",
        "pbm_pharmacist",
    )
    year.record("resolution", "2023-05-20", "--not-changed", "--method", "telephone")
    year.record("opt-out", "2023-06-01", "--reason", "99")
    year.record("re-enroll", "2023-07-01")
    year.record("opt-out", "2023-08-01", "--reason", "01")
    written = year.own()
    assert len({kind_of(one) for one in written.values()}) == 9
    assert faults(year.server, [(one, "") for one in written.values()]) == []
