"""Procedures and Communications of the adapter as rows: which count, which are faulty, and what a row holds."""

from __future__ import annotations

from copy import deepcopy
from datetime import date

import pytest

from adapter.resources.service_codes import (
    CONTACT_METHODS,
    OFFER_ANSWERS,
    PROVIDER_TYPES,
    RECIPIENTS,
    REVIEW_METHODS,
    SERVICE_KINDS,
)
from adapter.resources.service_events import Service, service_event, withdrawn
from adapter.tables import mtm_services

DAY = date(2023, 4, 5)
READERS = {"Procedure": mtm_services.procedures, "Communication": mtm_services.communications}


def event(kind="cmr", **more):
    given = {
        "beneficiary": "b.1",
        "contract": "H1234",
        "plan_year": 2023,
        "enrollment": "CarePlan/mtm-e",
        "on_day": DAY,
    }
    return service_event(Service(kind, **(given | more)))


@pytest.fixture(scope="module")
def rows(engine, read):
    """The services among resources, by id."""

    def tidy(*resources):
        of = {name: [one for one in resources if one["resourceType"] == name] for name in READERS}
        tables = [engine.keep(READERS[name](read(name, of[name]))) for name in READERS]
        found = engine.records(mtm_services.standing(*tables))
        return {row["service"]: row for row in found}

    return tidy


@pytest.fixture(scope="module")
def faults(engine, read):
    """The fault of each resource, one list for all of one type."""

    def told(*resources):
        name = resources[0]["resourceType"]
        given = [one | {"id": f"x{number}"} for number, one in enumerate(resources)]
        found = engine.records(engine.keep(READERS[name](read(name, given))).select("id", "fault"))
        by_id = {row["id"]: row["fault"] for row in found}
        return [by_id.get(one["id"], "passed over") for one in given]

    return told


def facts(row, *names):
    return tuple(row[name] for name in names)


def test_a_row_of_a_cmr_holds_what_the_procedure_says(rows):
    made = event(
        method="telephone", provider="pbm_pharmacist", recipient="caregiver", cognitively_impaired="Y", ltc_facility="U", minutes=35
    )  # fmt: skip
    made["meta"]["versionId"] = "3"
    assert rows(made)[made["id"]] == {
        "service": made["id"],
        "source": f"Procedure/{made['id']}",
        "version": "3",
        "beneficiary": "b.1",
        "contract": "H1234",
        "plan_year": 2023,
        "enrollment": "CarePlan/mtm-e",
        "kind": "cmr",
        "on_day": DAY,
        "method": "telephone",
        "provider": "pbm_pharmacist",
        "recipient": "caregiver",
        "cognitively_impaired": "Y",
        "ltc_facility": "U",
        "minutes": 35,
        "answer": None,
        "changed": None,
        "about": None,
        "words": None,
    }


def test_a_row_of_a_resolution_holds_what_the_communication_says(rows):
    made = event(
        "resolution",
        method="fax",
        provider="physician",
        recipient="prescriber",
        changed=False,
        about="Communication/r1",
    )
    [row] = rows(made).values()
    assert facts(row, "source", "kind", "method", "provider", "recipient", "changed", "about") == (
        f"Communication/{made['id']}", "resolution", "fax", "physician", "prescriber", False, "Communication/r1",
    )  # fmt: skip


def test_the_words_are_in_one_form(rows):
    made = event("recommendation", text="Stop  the DRUG.")
    made["payload"][0]["contentString"] = " Stop  the\n DRUG. "
    assert rows(made)[made["id"]]["words"] == "stop the drug."


def test_facts_that_are_not_told_are_null_and_every_kind_comes_back(rows):
    found = rows(*(event(kind) for kind in SERVICE_KINDS))
    assert sorted(row["kind"] for row in found.values()) == sorted(SERVICE_KINDS)
    untold = (
        "method",
        "provider",
        "recipient",
        "cognitively_impaired",
        "ltc_facility",
        "minutes",
        "answer",
        "changed",
        "about",
    )
    assert all(row[name] is None for row in found.values() for name in untold)


def test_every_code_that_is_written_is_read_again(rows):
    written = [
        *(("cmr", {"method": code, "on_day": date(2023, 5, n)}) for n, code in enumerate(REVIEW_METHODS, 1)),
        *(("invitation", {"method": code}) for code in CONTACT_METHODS),
        *(("tmr", {"provider": code, "on_day": date(2023, 5, n)}) for n, code in enumerate(PROVIDER_TYPES, 1)),
        *(
            ("safe_disposal", {"provider": code, "on_day": date(2023, 5, n)})
            for n, code in enumerate(PROVIDER_TYPES, 1)
        ),
        *(("cmr", {"recipient": code, "on_day": date(2023, 6, n)}) for n, code in enumerate(RECIPIENTS, 1)),
        *(("cmr_offer", {"answer": code, "on_day": date(2023, 6, n)}) for n, code in enumerate(OFFER_ANSWERS, 1)),
    ]
    made = [(event(kind, **told), told) for kind, told in written]
    found = rows(*(one for one, _ in made))
    assert len(found) == len(made)
    assert all(found[one["id"]][name] == value for one, told in made for name, value in told.items())


def test_a_service_is_known_by_code_tag_or_extension(rows):
    untagged = event("tmr")
    untagged["meta"] = {}
    recoded = event("cmr")
    recoded["code"] = {"coding": [{"system": "http://snomed.info/sct", "code": "428911000124108"}]}
    foreign = {"resourceType": "Procedure", "id": "x", "status": "completed", "subject": {"reference": "Patient/a"}}
    foreign |= {"code": {"coding": [{"system": "http://snomed.info/sct", "code": "428911000124108"}]}}
    bare = {"resourceType": "Communication", "id": "y", "status": "completed"}
    found = rows(untagged, recoded, foreign, bare)
    assert {row["kind"] for row in found.values()} == {"tmr", "cmr"}


def test_the_published_way_of_a_contact_counts_where_no_own_code_stands(rows):
    made = event("invitation", method="mail")
    made["medium"][0]["coding"] = [made["medium"][0]["coding"][1]]
    other = event("invitation", on_day=date(2023, 4, 6))
    other["medium"] = [{"coding": [{"system": made["medium"][0]["coding"][0]["system"], "code": "DICTATE"}]}]
    found = rows(made, other)
    assert (found[made["id"]]["method"], found[other["id"]]["method"]) == ("mail", None)


@pytest.mark.parametrize("status", ["in-progress", "not-done", "preparation", "stopped", "unknown"])
def test_only_what_was_completed_took_place(rows, status):
    assert rows(event("tmr") | {"status": status}) == {}


def test_a_withdrawn_service_is_gone_with_all_its_versions(rows):
    old = event() | {"meta": {"versionId": "1", "lastUpdated": "2023-04-06T00:00:00Z"}}
    new = withdrawn(event()) | {"meta": {"versionId": "2", "lastUpdated": "2023-04-07T00:00:00Z"}}
    assert rows(new, old) == {}


def test_of_several_versions_the_newest_counts(rows):
    old = event(minutes=10) | {"meta": {"versionId": "9", "lastUpdated": "2023-04-06T00:00:00Z"}}
    new = event(minutes=20) | {"meta": {"versionId": "10", "lastUpdated": "2023-04-07T00:00:00Z"}}
    [row] = rows(new, old).values()
    assert facts(row, "minutes", "version") == (20, "10")


def test_a_period_gives_the_day_that_it_begins_and_a_partial_date_none(rows):
    lasting = event()
    lasting["performedPeriod"] = {"start": lasting.pop("performedDateTime") + "T09:00:00-05:00"}
    partial = event("tmr") | {"performedDateTime": "2023-04"}
    undated = event("safe_disposal")
    del undated["sent"]
    found = rows(lasting, partial, undated)
    assert [found[one["id"]]["on_day"] for one in (lasting, partial, undated)] == [DAY, None, None]


def test_without_a_plan_year_the_year_of_the_day_counts(rows):
    made = event()
    made["extension"][0]["extension"] = [p for p in made["extension"][0]["extension"] if p["url"] != "planYear"]
    assert rows(made)[made["id"]]["plan_year"] == 2023


def test_the_enrollment_is_the_care_plan_among_what_it_is_based_on(rows):
    made = event()
    made["basedOn"] = [
        {"reference": "ServiceRequest/1"},
        {"reference": "https://x.example/fhir/CarePlan/mtm-e/_history/2"},
    ]
    free = event("tmr")
    del free["basedOn"]
    found = rows(made, free)
    assert (found[made["id"]]["enrollment"], found[free["id"]]["enrollment"]) == ("CarePlan/mtm-e", None)


def test_what_it_is_about_has_one_form(rows):
    made = event("summary_sent", about="https://x.example/fhir/Procedure/mtm-1/_history/4")
    assert rows(made)[made["id"]]["about"] == "Procedure/mtm-1"


def test_no_resource_gives_no_row_but_the_columns(engine, read):
    empty = mtm_services.services(read("Procedure", []), read("Communication", []))
    assert engine.records(empty) == []
    assert tuple(empty.columns) == mtm_services.COLUMNS
    assert empty.schema()["on_day"].is_date()
    assert str(empty.schema()["minutes"]) == str(empty.schema()["plan_year"]) == "int64"
    assert empty.schema()["changed"].is_boolean()


def changed(made, url, key=None, value=None):
    """The resource with another value of one part of its extension, or without it."""
    made = deepcopy(made)
    parts = [part for part in made["extension"][0]["extension"] if part["url"] != url]
    made["extension"][0]["extension"] = [*parts, {"url": url, key: value}] if key else parts
    return made


def provided(code):
    made = event(provider="physician")
    made["performer"][0]["function"]["coding"][0]["code"] = code
    return made


def test_a_faulty_procedure_is_told_and_not_counted(rows, faults):
    cases = [
        (changed(event(), "contract"), "names no CMS contract"),
        (changed(event(), "contract", "valueString", "12345"), "names no CMS contract"),
        (event() | {"subject": {"display": "x"}}, "names no Patient"),
        (event() | {"subject": {"reference": "Group/1"}}, "names no Patient"),
        (event() | {"performedDateTime": "2023-02-30"}, "performedDateTime is no date"),
        (changed(event(), "method", "valueCode", "phone"), "names a method that is not known"),
        (provided("nobody"), "names a type of provider that is not known"),
        (changed(event(), "recipient", "valueCode", "self"), "names a recipient that is not known"),
        (changed(event(), "cognitivelyImpaired", "valueCode", "yes"), "cognitivelyImpaired that is not known"),
        (changed(event(), "ltcFacility", "valueCode", "maybe"), "ltcFacility that is not known"),
        (changed(event(), "answer", "valueCode", "later"), "answer to the offer that is not known"),
        (event() | {"code": {"text": "x"}, "meta": {}}, "is of no kind of MTM service"),
    ]
    told = faults(*(case for case, _ in cases))
    assert [text for (_, fault), text in zip(cases, told, strict=True) if fault not in (text or "")] == []
    assert rows(*(case | {"id": f"y{n}"} for n, (case, _) in enumerate(cases))) == {}


def test_a_faulty_communication_is_told_and_not_counted(faults):
    faxed = event("invitation", method="fax")
    faxed["medium"][0]["coding"][0]["code"] = "pigeon"
    mixed = event("invitation")
    mixed["category"][0]["coding"][0]["code"] = "cmr"
    told = faults(faxed, event("invitation") | {"sent": "2023-13-01"}, mixed, event("invitation"))
    assert "names a method that is not known" in told[0]
    assert "sent is no date" in told[1]
    assert "is of no kind of MTM service" in told[2]
    assert told[3] is None
