"""What is recorded of one beneficiary: once, in a folder and at a server, never over what somebody else wrote in between."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import date

import pytest

from adapter.config import Config
from adapter.errors import RefusedRecord, SinkError, UnknownBeneficiary
from adapter.jobs.recording import Place, record_opt_out, record_re_enrollment, record_service, withdraw
from adapter.resources.enrollment_life import opted_out
from adapter.resources.service_events import Service, reference_of, service_event, withdrawn
from tests.unit.fhir.scripted import FhirStore, outcome, serving

OWN = "https://w3id.org/mtm-adapter/fhir/"
TODAY, ON = date(2023, 12, 20), date(2023, 6, 1)
RECORDED = "2023-12-20T10:00:00+00:00"


def care_plan(**more):
    parts = [
        {"url": "contract", "valueString": "H1234"},
        {"url": "planYear", "valueInteger": 2023},
        {"url": "program", "valueString": "health-partners-2023"},
    ]
    return {
        "resourceType": "CarePlan",
        "id": "mtm-e",
        "status": "active",
        "intent": "plan",
        "subject": {"reference": "Patient/b1"},
        "period": {"start": "2023-02-10", "end": "2023-12-31"},
        "extension": [{"url": OWN + "StructureDefinition/mtm-enrollment", "extension": parts}],
    } | more


PATIENT = {"resourceType": "Patient", "id": "b1"}
TELEPHONE = {"method": "telephone", "provider": "pbm_pharmacist", "recipient": "beneficiary"}


def asked(kind="tmr", on=ON, **facts):
    return Service(kind, "", "", on.year, "", on, **facts)


# A folder ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    for one in (PATIENT, care_plan()):
        (tmp_path / f"{one['resourceType']}.ndjson").write_text(json.dumps(one) + "\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def record(folder, pool):
    def of(service, correct=False, today=TODAY, beneficiary="b1"):
        place = Place(str(folder), beneficiary, today, RECORDED)
        return record_service(place, service, Config(), correct=correct, pool=pool)

    return of


def held(folder, kind):
    path = folder / f"{kind}.ndjson"
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def test_a_service_is_written_with_its_provenance(folder, record):
    made = record(asked("cmr", minutes=35, **TELEPHONE))
    assert (made.what, made.day, made.contract, made.notices) == ("created", ON, "H1234", ())
    [cmr], [told] = held(folder, "Procedure"), held(folder, "Provenance")
    assert made.reference == f"Procedure/{cmr['id']}"
    assert cmr["basedOn"] == [{"reference": "CarePlan/mtm-e"}]
    assert told["target"] == [{"reference": made.reference}]
    assert (told["recorded"], told["entity"][0]["what"]) == (RECORDED, {"reference": "CarePlan/mtm-e"})
    codes = {p["url"]: p.get("valueCode") for p in cmr["extension"][0]["extension"]}
    assert (codes["cognitivelyImpaired"], codes["ltcFacility"]) == ("U", "U")  # CMS asks for Y, N or U


@pytest.mark.parametrize(
    "service",
    [
        asked("invitation", method="mail", note="with the brochure"),
        asked("cmr_offer", method="telephone", answer="accepted", performer="Practitioner/p1"),
        asked("cmr", minutes=35, performer="Practitioner/p1", **TELEPHONE),
        asked("tmr"),
        asked("safe_disposal"),
        asked("recommendation", text="Stop it", provider="pbm_pharmacist"),
    ],
    ids=lambda service: service.kind,
)
def test_the_same_record_again_writes_nothing(folder, record, service):
    assert record(service).what == "created"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert record(service).what == "unchanged"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_told_again_with_less_nothing_is_lost(folder, record):
    record(asked("cmr", minutes=35, performer="Practitioner/p1", note="n", **TELEPHONE))
    assert record(asked("cmr", **TELEPHONE)).what == "unchanged"
    record(asked("recommendation", text="Stop it", provider="physician"))
    assert record(asked("recommendation", on=date(2023, 7, 1), text="STOP  it")).what == "unchanged"


def test_an_answer_is_added_to_its_offer(folder, record):
    record(asked("cmr_offer", method="mail"))
    assert record(asked("cmr_offer", method="mail", answer="accepted")).what == "changed"
    [offer] = held(folder, "Communication")
    assert {"url": "answer", "valueCode": "accepted"} in offer["extension"][0]["extension"]


def test_a_correction_replaces_what_stood(folder, record):
    record(asked("cmr", **TELEPHONE))
    other = asked("cmr", **(TELEPHONE | {"method": "telehealth"}))
    with pytest.raises(RefusedRecord, match="add --correct"):
        record(other)
    assert record(other, correct=True).what == "changed"
    [cmr] = held(folder, "Procedure")
    assert {"url": "method", "valueCode": "telehealth"} in cmr["extension"][0]["extension"]


@pytest.mark.parametrize(
    ("first", "other"),
    [
        (asked("tmr", performer="Practitioner/p1"), asked("tmr", performer="Practitioner/p2")),
        (asked("resolution", changed=True, text="agreed"), asked("resolution", changed=True, text="by Dr. Roe")),
    ],
    ids=["performer", "words"],
)
def test_another_performer_or_other_words_need_to_be_a_correction(folder, record, first, other):
    record(asked("recommendation", text="Stop it"))
    record(first)
    with pytest.raises(RefusedRecord, match="add --correct") as refused:
        record(other)
    assert "Roe" not in str(refused.value)
    assert record(other, correct=True).what == "changed"


def test_what_others_added_stays(folder, record):
    record(asked("cmr_offer", method="mail"))
    [offer] = held(folder, "Communication")
    offer["note"] = [{"text": "by a human"}]
    (folder / "Communication.ndjson").write_text(json.dumps(offer) + "\n", encoding="utf-8")
    record(asked("cmr_offer", method="mail", answer="declined", note="by telephone"))
    assert held(folder, "Communication")[0]["note"] == [{"text": "by a human"}, {"text": "by telephone"}]


def test_a_refusal_writes_nothing(folder, record):
    before = sorted(folder.iterdir())
    with pytest.raises(RefusedRecord, match="before the enrollment on 2023-02-10"):
        record(asked("tmr", on=date(2023, 2, 9)))
    with pytest.raises(RefusedRecord, match="No CMR is recorded"):
        record(asked("summary_sent", method="mail"))
    with pytest.raises(UnknownBeneficiary):
        record(asked("tmr"), beneficiary="b2")
    assert sorted(folder.iterdir()) == before


def test_an_enrollment_that_cannot_be_read_is_told(folder, record):
    broken = care_plan(period={"start": "2023-02-30"})
    (folder / "CarePlan.ndjson").write_text(json.dumps(broken) + "\n", encoding="utf-8")
    with pytest.raises(RefusedRecord, match=r"1 resources of the source were refused.*period.start is no date"):
        record(asked("tmr"))


def test_opt_out_and_return(folder, record, pool):
    place = Place(str(folder), "b1", TODAY, RECORDED)
    record(asked("tmr", on=date(2023, 7, 1)))
    made = record_opt_out(place, ON, "03", Config(), pool=pool)
    assert (made.what, made.reference, made.notices) == (
        "changed", "CarePlan/mtm-e", ("1 recorded services after 2023-06-01 no longer count",),
    )  # fmt: skip
    assert record_opt_out(place, ON, "03", Config(), pool=pool).what == "unchanged"
    with pytest.raises(RefusedRecord, match="opted out already"):
        record_opt_out(place, date(2023, 6, 2), "03", Config(), pool=pool)
    with pytest.raises(RefusedRecord, match="opted out on 2023-06-01"):
        record(asked("tmr", on=date(2023, 6, 2)))
    assert record_re_enrollment(place, date(2023, 8, 1), Config(), pool=pool).what == "changed"
    assert record_re_enrollment(place, date(2023, 8, 1), Config(), pool=pool).what == "unchanged"
    assert record(asked("tmr", on=date(2023, 8, 2))).what == "created"
    [plan] = held(folder, "CarePlan")
    assert (plan["status"], plan["period"]) == ("active", {"start": "2023-02-10", "end": "2023-12-31"})
    assert [one["activity"]["coding"][0]["code"] for one in held(folder, "Provenance")].count("UPDATE") == 2


def test_a_mistake_is_withdrawn_and_may_be_recorded_again(folder, record, pool):
    place = Place(str(folder), "b1", TODAY, RECORDED)
    cmr = record(asked("cmr", **TELEPHONE)).reference
    sent = record(asked("summary_sent", method="mail")).reference
    with pytest.raises(RefusedRecord, match=f"{sent} is about {cmr}; withdraw that first"):
        withdraw(place, cmr, Config(), pool=pool)
    assert withdraw(place, sent, Config(), pool=pool).what == "changed"
    assert withdraw(place, cmr, Config(), pool=pool).what == "changed"
    assert [one["status"] for one in held(folder, "Procedure")] == ["entered-in-error"]
    with pytest.raises(RefusedRecord, match="is no record of the beneficiary"):
        withdraw(place, cmr, Config(), pool=pool)
    assert record(asked("cmr", **TELEPHONE)).what == "changed"
    assert [one["status"] for one in held(folder, "Procedure")] == ["completed"]


def test_an_opt_out_by_mistake_is_withdrawn(folder, pool):
    place = Place(str(folder), "b1", TODAY, RECORDED)
    with pytest.raises(RefusedRecord, match="has no opt-out"):
        withdraw(place, "CarePlan/mtm-e", Config(), pool=pool)
    record_opt_out(place, ON, "02", Config(), pool=pool)
    assert withdraw(place, "CarePlan/mtm-e", Config(), pool=pool).what == "changed"
    assert held(folder, "CarePlan")[0]["extension"] == care_plan()["extension"]


def test_an_enrollment_that_stands_in_no_plain_file_cannot_be_changed(folder, pool):
    (folder / "CarePlan.ndjson").rename(folder / "all.ndjson")
    with pytest.raises(RefusedRecord, match="does not stand in a plain file"):
        record_opt_out(Place(str(folder), "b1", TODAY, RECORDED), ON, "03", Config(), pool=pool)


# A server ----------------------------------------------------------------------------------------------------------------


@contextmanager
def server(store, pool):
    with serving(store) as serves:
        yield Place(serves.base, "b1", TODAY, RECORDED), pool


def test_a_server_is_written_in_one_transaction(pool):
    store = FhirStore(PATIENT, care_plan())
    with server(store, pool) as (place, pool):
        made = record_service(place, asked("cmr", **TELEPHONE), Config(), pool=pool)
        assert record_service(place, asked("cmr", **TELEPHONE), Config(), pool=pool).what == "unchanged"
    assert made.what == "created"
    [bundle] = store.bundles
    asked_of = [entry["request"]["url"].partition("/")[0] for entry in bundle["entry"]]
    assert asked_of == ["Procedure", "Provenance", "CarePlan"]
    assert [entry["request"].get("ifMatch") for entry in bundle["entry"]] == ['W/"0"', None, 'W/"1"']
    assert store.held["CarePlan/mtm-e"]["meta"]["versionId"] == "1"


def meanwhile(store, *acts):
    """Each act is done once, just before a transaction that comes."""
    left = iter(acts)
    store.before_transaction = lambda: next(left, lambda: None)()


def whole(service):
    return Service(
        **(
            vars(service)
            | {"beneficiary": "b1", "contract": "H1234", "plan_year": 2023, "enrollment": "CarePlan/mtm-e"}
        )
    )


SERVERS = pytest.mark.parametrize("like_hapi", [True, False], ids=["hapi", "sekmet"])


def as_both_record(store, resource):
    """Another recorder's write as this adapter makes it: the resource, and the enrollment unchanged."""

    def act():
        store.store(resource)
        store.store(store.held["CarePlan/mtm-e"])

    return act


@SERVERS
def test_another_account_of_a_new_event_in_between_is_not_overwritten(pool, like_hapi):
    store = FhirStore(PATIENT, care_plan(), like_hapi=like_hapi)
    other = service_event(whole(asked("cmr", **(TELEPHONE | {"method": "telehealth"}))))
    meanwhile(store, as_both_record(store, other))
    with server(store, pool) as (place, pool), pytest.raises(RefusedRecord, match="add --correct"):
        record_service(place, asked("cmr", **TELEPHONE), Config(), pool=pool)
    assert store.held[f"Procedure/{other['id']}"]["meta"]["versionId"] == "1"


@SERVERS
def test_the_same_new_event_in_between_is_written_once(pool, like_hapi):
    store = FhirStore(PATIENT, care_plan(), like_hapi=like_hapi)
    there = service_event(whole(asked("tmr", method="telephone")))
    meanwhile(store, as_both_record(store, there))
    with server(store, pool) as (place, pool):
        assert record_service(place, asked("tmr"), Config(), pool=pool).what == "unchanged"
    assert store.held[f"Procedure/{there['id']}"]["meta"]["versionId"] == "1"


@SERVERS
def test_an_opt_out_in_between_refuses_a_new_service(pool, like_hapi):
    store = FhirStore(PATIENT, care_plan(), like_hapi=like_hapi)
    meanwhile(store, lambda: store.store(opted_out(care_plan(), date(2023, 5, 1), "03")))
    with server(store, pool) as (place, pool), pytest.raises(RefusedRecord, match="opted out on 2023-05-01"):
        record_service(place, asked("tmr"), Config(), pool=pool)
    assert not [key for key in store.held if key.startswith("Procedure/")]


def test_an_opt_out_tells_of_services_that_were_recorded_in_between(pool):
    store = FhirStore(PATIENT, care_plan(), like_hapi=False)
    meanwhile(store, as_both_record(store, service_event(whole(asked("tmr", on=date(2023, 7, 1))))))
    with server(store, pool) as (place, pool):
        made = record_opt_out(place, ON, "03", Config(), pool=pool)
    assert made.notices == ("1 recorded services after 2023-06-01 no longer count",)


@SERVERS
def test_a_cmr_withdrawn_in_between_refuses_its_summary(pool, like_hapi):
    cmr = service_event(whole(asked("cmr", **TELEPHONE)))
    store = FhirStore(PATIENT, care_plan(), cmr, like_hapi=like_hapi)
    meanwhile(store, lambda: store.store(withdrawn(cmr)))
    with server(store, pool) as (place, pool), pytest.raises(RefusedRecord, match="No CMR is recorded"):
        record_service(place, asked("summary_sent", method="mail"), Config(), pool=pool)
    assert not [key for key in store.held if key.startswith("Communication/")]


def test_a_server_that_takes_no_version_of_what_is_new_is_written_all_the_same(pool):
    store = FhirStore(PATIENT, care_plan(), stale=412, like_hapi=False)
    with server(store, pool) as (place, pool):
        assert record_service(place, asked("tmr"), Config(), pool=pool).what == "created"
    assert [bundle["entry"][0]["request"].get("ifMatch") for bundle in store.bundles] == ['W/"0"', None]
    assert store.held["CarePlan/mtm-e"]["status"] == "active"


def test_a_change_names_the_version_that_it_was_made_from(pool):
    store = FhirStore(PATIENT, care_plan())
    with server(store, pool) as (place, pool):
        record_opt_out(place, ON, "03", Config(), pool=pool)
    assert store.bundles[0]["entry"][0]["request"]["ifMatch"] == 'W/"1"'
    assert store.held["CarePlan/mtm-e"]["status"] == "revoked"


@pytest.mark.parametrize("stale", [409, 412])
def test_what_somebody_wrote_in_between_is_kept(pool, stale):
    store = FhirStore(PATIENT, care_plan(), stale=stale)
    human = iter([lambda: store.store(care_plan(description="by a human"))])
    store.before_transaction = lambda: next(human, lambda: None)()
    with server(store, pool) as (place, pool):
        assert record_opt_out(place, ON, "03", Config(), pool=pool).what == "changed"
    plan = store.held["CarePlan/mtm-e"]
    assert (plan["status"], plan["description"]) == ("revoked", "by a human")
    assert len(store.bundles) == 2


def test_what_became_impossible_in_between_is_told_and_not_written(pool):
    store = FhirStore(PATIENT, care_plan())
    human = iter([lambda: store.store(opted_out(care_plan(), date(2023, 5, 1), "03"))])
    store.before_transaction = lambda: next(human, lambda: None)()
    with server(store, pool) as (place, pool), pytest.raises(RefusedRecord, match="opted out already, on 2023-05-01"):
        record_opt_out(place, ON, "03", Config(), pool=pool)
    assert len(store.bundles) == 1


def test_the_same_record_by_somebody_else_in_between_is_enough(pool):
    wanted = asked("cmr_offer", method="mail", answer="accepted")
    there = asked("cmr_offer", method="mail", recipient="beneficiary")
    store = FhirStore(PATIENT, care_plan(), service_event(whole(there)))
    answered = service_event(Service(**(vars(whole(there)) | {"answer": "accepted"})))
    meanwhile(store, lambda: store.store(answered))
    with server(store, pool) as (place, pool):
        made = record_service(place, wanted, Config(), pool=pool)
    assert (made.reference, made.what) == (reference_of(whole(there)), "unchanged")
    assert len(store.bundles) == 1


def test_what_cannot_be_written_is_told(pool):
    store = FhirStore(PATIENT, care_plan())
    store.refused = lambda bundle: outcome(422, "no")
    with server(store, pool) as (place, pool), pytest.raises(SinkError, match="Nothing was recorded"):
        record_service(place, asked("tmr"), Config(), pool=pool)


def test_a_server_without_the_patient(pool):
    with server(FhirStore(care_plan()), pool) as (place, pool), pytest.raises(UnknownBeneficiary):
        record_service(place, asked("tmr"), Config(), pool=pool)
