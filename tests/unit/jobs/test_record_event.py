"""Anything of the plan year by one function with plain values, as the form of a page gives them."""

from __future__ import annotations

import json
from datetime import date

import pytest

from adapter.config import Config
from adapter.errors import RefusedRecord
from adapter.jobs.record_event import KINDS, facts_of, needed_of, record
from adapter.jobs.recording import Place
from tests.unit.jobs.test_recording import PATIENT, RECORDED, TODAY, care_plan

CMR = {"method": "telephone", "provider": "pbm_pharmacist", "recipient": "beneficiary", "minutes": "40"}


@pytest.fixture
def told(tmp_path, pool):
    for one in (PATIENT, care_plan()):
        (tmp_path / f"{one['resourceType']}.ndjson").write_text(json.dumps(one) + "\n", encoding="utf-8")
    place = Place(str(tmp_path), "b1", TODAY, RECORDED)
    return lambda kind, **values: record(place, kind, values, Config(), pool=pool)


def test_a_year_by_the_forms_of_a_page(told):
    assert told("invitation", on="2023-02-15", method="mail", note="").what == "created"
    assert told("cmr-offer", on="2023-02-15", method="mail", answer="accepted").what == "created"
    cmr = told("cmr", on=" 2023-03-20 ", **CMR)
    assert (cmr.what, cmr.day) == ("created", date(2023, 3, 20))
    assert told("summary-sent", on=date(2023, 3, 29), method="mail").what == "created"
    assert told("tmr", on="2023-05-01").what == "created"
    assert told("recommendation", on="2023-05-01", text="Stop it.").what == "created"
    assert told("resolution", on="2023-05-20", changed="yes").what == "created"
    assert told("safe-disposal").day == TODAY
    assert told("cmr", on="2023-03-20", **CMR | {"method": "telehealth"}, correct="true").what == "changed"
    assert told("opt-out", on="2023-11-15", reason="03").what == "changed"
    assert told("re-enroll", on="2023-12-01").what == "changed"
    summary = told("summary-sent", on="2023-03-29", method="mail")
    assert told("withdraw", reference=summary.reference).what == "changed"


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        ("letter", {}, "'letter' cannot be recorded; known are: invitation, cmr-offer"),
        ("tmr", {"on": "20.3.2023"}, "on: '20.3.2023' is not a day; write it as YYYY-MM-DD"),
        ("cmr", CMR | {"minutes": "forty"}, "minutes: 'forty' is not a whole number"),
        ("tmr", {"dose": "1"}, "tmr: it has no dose; known are: on, contract"),
        ("opt-out", {"on": "2023-05-01"}, "opt-out: reason is missing"),
        ("withdraw", {}, "withdraw: reference is missing"),
        ("cmr", {"on": "2023-05-01"}, "method is missing"),
        ("resolution", {"changed": "perhaps"}, "changed: 'perhaps' is neither yes nor no"),
    ],
)
def test_what_cannot_be_read_is_refused(told, kind, values, words):
    with pytest.raises(RefusedRecord, match=words):
        told(kind, **values)


def test_every_kind_tells_what_it_can_have_and_needs():
    for kind in KINDS:
        assert set(needed_of(kind)) <= set(facts_of(kind))
    assert needed_of("cmr") == ("method", "provider", "recipient")
    assert "cognitively_impaired" in facts_of("cmr")
    assert needed_of("withdraw") == ("reference",)
