"""What may be recorded: every refusal with its reason and its edge, the enrollment that a day lies in, what a service is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from adapter.errors import RefusedRecord
from adapter.resources.service_codes import CONTACT_METHODS, PROVIDER_TYPES, RECIPIENTS, REVIEW_METHODS
from adapter.resources.service_events import Service, reference_of, service_id
from adapter.services.records import (
    Standing,
    check_facts,
    dependents,
    later_services,
    opted_out_of,
    re_enrolled_of,
    running,
    same_event,
    settled,
    with_known,
)

TODAY = date(2023, 12, 20)


def day(text):
    return date.fromisoformat(text)


def enrollment(**more):
    given = {
        "source": "CarePlan/e1", "contract": "H1234", "plan_year": 2023, "program": "p", "status": "active",
        "enrolled_on": day("2023-02-10"), "ends_on": day("2023-12-31"), "opted_out_on": None, "opt_out_reason": None,
        "re_enrolled_on": None,
    }  # fmt: skip
    return given | more


def out(on="2023-05-20", reason="03", **more):
    return enrollment(status="revoked", opted_out_on=day(on), opt_out_reason=reason, ends_on=day(on), **more)


def asked(kind="tmr", on="2023-06-01", **more):
    given = {"beneficiary": "b", "contract": "", "plan_year": 0, "enrollment": "", "on_day": day(on)}
    facts = {
        "invitation": {"method": "mail"}, "cmr_offer": {"method": "mail"}, "summary_sent": {"method": "mail"},
        "cmr": {"method": "telephone", "provider": "pbm_pharmacist", "recipient": "beneficiary"},
        "recommendation": {"text": "Stop it"}, "resolution": {"changed": True},
    }  # fmt: skip
    return Service(kind, **(given | facts.get(kind, {}) | more))


def row(kind, on="2023-03-05", **more):
    made = asked(kind, on, contract="H1234", plan_year=2023, **{k: v for k, v in more.items() if k == "about"})
    facts = (
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
    given = {name: getattr(made, name) or None for name in facts} | {
        "service": service_id(made),
        "source": reference_of(made),
    }
    return given | {"kind": kind, "on_day": day(on), "contract": "H1234", "plan_year": 2023} | more


def standing(*services, enrollments=None, today=TODAY):
    return Standing([enrollment()] if enrollments is None else enrollments, services, today)


def refused(call, words):
    with pytest.raises(RefusedRecord) as raised:
        call()
    assert words in str(raised.value)
    assert ": " in str(raised.value) or ";" in str(raised.value)  # what to do instead


# The enrollment -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("on", ["2023-02-10", "2023-06-01", "2023-12-31"])
def test_a_day_between_first_and_last_lies_in_the_enrollment(on):
    assert running([enrollment()], day(on))["source"] == "CarePlan/e1"


@pytest.mark.parametrize(
    ("enrollments", "on", "words"),
    [
        ([], "2023-06-01", "is not enrolled in the MTM program; screen with --write first"),
        ([enrollment()], "2023-02-09", "2023-02-09 is before the enrollment on 2023-02-10"),
        ([enrollment()], "2024-01-01", "is not enrolled in plan year 2024, but in 2023"),
        ([enrollment(ends_on=day("2023-10-31"))], "2023-11-01", "The enrollment ended on 2023-10-31"),
        ([out("2023-05-20")], "2023-05-21", "The beneficiary opted out on 2023-05-20; nothing of 2023-05-21 can be recorded"),
        ([enrollment(status="revoked")], "2023-06-01", "revoked without a day of opt-out"),
        ([enrollment(enrolled_on=None)], "2023-06-01", "has no full first day"),
        ([enrollment(), enrollment(contract="H9999")], "2023-06-01", "several contracts on 2023-06-01 (H1234, H9999)"),
    ],
)  # fmt: skip
def test_a_day_outside_is_refused(enrollments, on, words):
    refused(lambda: running(enrollments, day(on)), words)


def test_the_day_of_the_opt_out_is_the_last():
    assert running([out("2023-05-20")], day("2023-05-20"))["source"] == "CarePlan/e1"


@pytest.mark.parametrize(
    ("contract", "words"),
    [("H9999", "is not enrolled in contract H9999, but in H1234"), ("1234", "1234 is no CMS contract number")],
)
def test_another_contract_is_refused(contract, words):
    refused(lambda: running([enrollment()], day("2023-06-01"), contract), words)


def test_the_contract_chooses_and_so_does_the_day():
    both = [out("2023-05-20"), enrollment(source="CarePlan/e2", contract="H9999", enrolled_on=day("2023-06-01"))]
    assert running(both, day("2023-04-01"))["source"] == "CarePlan/e1"
    assert running(both, day("2023-06-01"))["source"] == "CarePlan/e2"
    both = [enrollment(), enrollment(source="CarePlan/e2", contract="H9999")]
    assert running(both, day("2023-06-01"), "H9999")["source"] == "CarePlan/e2"


# Facts ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "words"),
    [
        (asked("invitation", method=""), "method is missing"),
        (asked("cmr_offer", method=""), "method is missing"),
        (asked("cmr", method=""), "method is missing"),
        (asked("cmr", provider=""), "provider is missing"),
        (asked("cmr", recipient=""), "recipient is missing"),
        (asked("summary_sent", method=""), "method is missing"),
        (asked("recommendation", text=" \n"), "text is missing"),
        (asked("resolution", changed=None), "changed is missing"),
        (asked("cmr", method="mail"), "'mail' is no method; known are: face_to_face"),
        (asked("invitation", method="telehealth"), "'telehealth' is no method; known are: mail"),
        (asked("cmr", provider="dentist"), "'dentist' is no type of provider; known are: physician"),
        (asked("cmr", recipient="self"), "'self' is no recipient"),
        (asked("cmr", cognitively_impaired="yes"), "'yes' is no answer to cognitively impaired; known are: Y, N, U"),
        (asked("cmr", ltc_facility="X"), "'X' is no answer to long-term care facility"),
        (asked("cmr_offer", answer="later"), "'later' is no answer to an offer"),
        (asked("cmr", answer="accepted"), "it has no answer; leave it out"),
        (asked("tmr", changed=False), "it has no changed; leave it out"),
        (asked("invitation", about="Procedure/1"), "it has no about"),
        (asked("tmr", minutes=0), "0 minutes are not possible; give 1 to 600"),
        (asked("tmr", minutes=601), "601 minutes are not possible"),
        (asked("tmr", performer="Dr. Roe"), "performer is no reference of the form Practitioner/[id]"),
        (
            asked("tmr", performer="Patient/1"),
            "performer is no reference of the form Practitioner/[id] or PractitionerRole/[id]",
        ),
        (
            asked("tmr", performer="Practitioner/a b"),
            "performer is no reference of the form Practitioner/[id] or PractitionerRole/[id]",
        ),
        (asked("recommendation", about="foo"), "about is no reference of the form DetectedIssue/[id]"),
        (asked("summary_sent", about="Communication/1"), "about is no reference of the form Procedure/[id]"),
        (asked("safe_disposal", about="x"), "Procedure/[id] or Communication/[id]"),
    ],
)
def test_facts_that_cannot_be_are_refused(service, words):
    refused(lambda: check_facts(service), words)


def test_every_known_fact_can_be_recorded():
    for method in REVIEW_METHODS:
        check_facts(asked("cmr", method=method))
    for method in CONTACT_METHODS:
        check_facts(asked("invitation", method=method))
    for provider in PROVIDER_TYPES:
        check_facts(asked("tmr", provider=provider, minutes=1))
    for recipient in RECIPIENTS:
        check_facts(asked("cmr", recipient=recipient, cognitively_impaired="Y", ltc_facility="U", minutes=600))


# A service -----------------------------------------------------------------------------------------------------------


def test_a_service_gets_contract_year_and_enrollment_of_its_day():
    made, found = settled(asked("tmr"), standing())
    assert (made.contract, made.plan_year, made.enrollment) == ("H1234", 2023, "CarePlan/e1")
    assert found["source"] == "CarePlan/e1"


def test_today_is_not_the_future_and_tomorrow_is():
    settled(asked("tmr", "2023-12-20"), standing())
    refused(
        lambda: settled(asked("tmr", "2023-12-21"), standing()), "2023-12-21 is in the future (today is 2023-12-20)"
    )


def test_a_tmr_after_an_opt_out_is_refused():
    refused(lambda: settled(asked("tmr", "2023-05-21"), standing(enrollments=[out()])), "opted out on 2023-05-20")


def test_a_summary_is_of_the_cmr_that_has_none():
    first, second = row("cmr", "2023-03-05"), row("cmr", "2023-06-01")
    made, _ = settled(asked("summary_sent", "2023-03-14"), standing(first))
    assert made.about == first["source"]
    sent = row("summary_sent", "2023-03-14", about=first["source"])
    made, _ = settled(asked("summary_sent", "2023-06-10"), standing(first, second, sent))
    assert made.about == second["source"]


def test_a_summary_recorded_again_is_of_the_same_cmr():
    first, second = row("cmr", "2023-03-05"), row("cmr", "2023-06-01")
    sent = row("summary_sent", "2023-06-10", about=second["source"])
    made, _ = settled(asked("summary_sent", "2023-06-10"), standing(first, second, sent))
    assert made.about == second["source"]


def test_a_second_summary_of_the_only_cmr_is_of_that():
    cmr = row("cmr", "2023-03-05")
    made, _ = settled(asked("summary_sent", "2023-04-01"), standing(cmr, row("summary_sent", about=cmr["source"])))
    assert made.about == cmr["source"]


def test_a_summary_may_follow_an_opt_out_and_the_end_of_the_year():
    cmr = row("cmr", "2023-05-18")
    made, found = settled(asked("summary_sent", "2023-05-25"), standing(cmr, enrollments=[out("2023-05-20")]))
    assert (made.enrollment, found["source"]) == ("CarePlan/e1", "CarePlan/e1")
    late = row("cmr", "2023-12-28")
    made, _ = settled(asked("summary_sent", "2024-01-05"), standing(late, today=day("2024-01-05")))
    assert (made.plan_year, made.about) == (2023, late["source"])


@pytest.mark.parametrize(
    ("services", "on", "about", "words"),
    [
        ([], "2023-03-14", "", "No CMR is recorded, so no summary can be sent"),
        ([row("tmr")], "2023-03-14", "", "No CMR is recorded"),
        ([row("cmr")], "2023-03-04", "", "2023-03-04 is before the CMR on 2023-03-05"),
        ([row("cmr")], "2023-03-04", row("cmr")["source"], "2023-03-04 is before the CMR on 2023-03-05"),
        ([row("cmr")], "2023-03-14", "Procedure/x", "Procedure/x is no CMR of the beneficiary"),
        ([row("cmr"), row("tmr")], "2023-03-14", row("tmr")["source"], "is no CMR of the beneficiary"),
        ([row("cmr"), row("cmr", "2023-03-10")], "2023-03-14", "", "Several CMRs have no summary yet"),
        ([row("cmr") | {"on_day": None}], "2023-03-14", "", "an unknown day"),
    ],
)
def test_a_summary_without_its_cmr_is_refused(services, on, about, words):
    refused(lambda: settled(asked("summary_sent", on, about=about), standing(*services)), words)


def test_a_summary_of_somebody_who_is_not_enrolled_is_refused():
    refused(
        lambda: settled(asked("summary_sent", contract="H9999"), standing(row("cmr"))), "not enrolled in contract H9999"
    )


def test_a_resolution_is_of_the_open_recommendation():
    one = row("recommendation")
    made, _ = settled(asked("resolution"), standing(one))
    assert made.about == one["source"]
    other = one | {"source": "Communication/other", "service": "other"}
    made, _ = settled(asked("resolution"), standing(one, other, row("resolution", about=one["source"])))
    assert made.about == "Communication/other"
    made, _ = settled(asked("resolution", about=one["source"]), standing(one, other))
    assert made.about == one["source"]


@pytest.mark.parametrize(
    ("services", "about", "words"),
    [
        ([], "", "No recommendation is recorded, so none can be resolved"),
        ([row("recommendation")], "Communication/x", "Communication/x is no recommendation of the beneficiary"),
        ([row("recommendation", "2023-06-02")], "", "2023-06-01 is before the recommendation on 2023-06-02"),
        (
            [row("recommendation"), row("recommendation") | {"source": "Communication/o"}],
            "",
            "Several recommendations are recorded",
        ),
    ],
)
def test_a_resolution_without_its_recommendation_is_refused(services, about, words):
    refused(lambda: settled(asked("resolution", about=about), standing(*services)), words)


# The same event again ----------------------------------------------------------------------------------------------------


def settle(service, *services):
    return settled(service, standing(*services))[0]


def test_the_same_event_is_found_by_its_identity():
    known = row("tmr", "2023-06-01", minutes=20)
    assert same_event([row("cmr"), known], settle(asked("tmr"))) == known
    assert same_event([row("cmr")], settle(asked("tmr"))) is None


def test_what_is_not_told_again_stays_and_what_was_unknown_is_filled_in():
    known = row("cmr", "2023-06-01", minutes=20, cognitively_impaired="U")
    made = with_known(settle(asked("cmr", ltc_facility="N", cognitively_impaired="Y")), known, correct=False)
    assert (made.minutes, made.ltc_facility, made.cognitively_impaired) == (20, "N", "Y")
    assert with_known(asked("cmr"), None, correct=False) == asked("cmr")


@pytest.mark.parametrize("before", [None, "no_answer"])
def test_an_offer_gets_its_answer_later(before):
    known = row("cmr_offer", "2023-06-01", answer=before)
    assert with_known(settle(asked("cmr_offer", answer="accepted")), known, correct=False).answer == "accepted"


@pytest.mark.parametrize(
    ("service", "known"),
    [
        (asked("cmr", method="telehealth"), row("cmr", "2023-06-01")),
        (asked("cmr", minutes=30), row("cmr", "2023-06-01", minutes=20)),
        (asked("cmr_offer", answer="accepted"), row("cmr_offer", "2023-06-01", answer="declined")),
        (asked("cmr", cognitively_impaired="N"), row("cmr", "2023-06-01", cognitively_impaired="Y")),
    ],
)
def test_another_fact_than_the_known_one_needs_to_be_a_correction(service, known):
    refused(lambda: with_known(settle(service), known, correct=False), "add --correct to replace it")
    made = settle(service)
    assert with_known(made, known, correct=True) == replace(made, **{
        fact: known[fact] for fact in ("minutes", "cognitively_impaired") if getattr(made, fact) in ("", None) and known[fact]
    })  # fmt: skip


def test_a_recommendation_told_again_on_another_day_keeps_its_day():
    known = row("recommendation", "2023-05-01")
    made = settle(asked("recommendation", "2023-06-01"))
    assert with_known(made, known, correct=False).on_day == day("2023-05-01")
    assert with_known(made, known, correct=True).on_day == day("2023-06-01")


# Opt-out and return ------------------------------------------------------------------------------------------------------


def test_an_opt_out_ends_the_enrollment_of_its_day():
    assert opted_out_of(standing(), day("2023-06-01"), "03")["source"] == "CarePlan/e1"


def test_the_same_opt_out_again_is_no_second_one():
    assert opted_out_of(standing(enrollments=[out()]), day("2023-05-20"), "03")["source"] == "CarePlan/e1"


@pytest.mark.parametrize(
    ("enrollments", "on", "reason", "words"),
    [
        ([out()], "2023-05-21", "03", "opted out already, on 2023-05-20 with reason 03"),
        ([out()], "2023-05-20", "01", "opted out already, on 2023-05-20 with reason 03"),
        (
            [enrollment(status="revoked")],
            "2023-05-20",
            "01",
            "opted out already, on an unknown day with reason unknown",
        ),
        ([enrollment()], "2023-02-09", "03", "is before the enrollment"),
        ([enrollment()], "2023-12-21", "03", "is in the future"),
        ([enrollment()], "2023-06-01", "04", "04 is no reason of an opt-out; known are: 01, 02, 03, 99"),
        ([], "2023-06-01", "03", "is not enrolled in the MTM program"),
    ],
)
def test_an_impossible_opt_out_is_refused(enrollments, on, reason, words):
    refused(lambda: opted_out_of(standing(enrollments=enrollments), day(on), reason), words)


def test_a_disenrollment_on_31_december_is_no_opt_out_and_a_death_is():
    later = standing(today=day("2024-01-10"))
    refused(lambda: opted_out_of(later, day("2023-12-31"), "02"), "31 December is no opt-out")
    assert opted_out_of(later, day("2023-12-31"), "01")["source"] == "CarePlan/e1"
    assert opted_out_of(later, day("2023-12-30"), "02")["source"] == "CarePlan/e1"


def test_of_two_contracts_the_other_one_may_still_be_left():
    both = [out(), enrollment(source="CarePlan/e2", contract="H9999")]
    assert opted_out_of(standing(enrollments=both), day("2023-06-01"), "03")["source"] == "CarePlan/e2"


def test_services_behind_an_opt_out_are_told_summaries_aside():
    services = [
        row("tmr", "2023-05-20"),
        row("tmr", "2023-05-21"),
        row("summary_sent", "2023-05-25"),
        row("tmr") | {"on_day": None},
    ]
    assert later_services(services, enrollment(), day("2023-05-20")) == [services[1]]
    assert later_services(services, enrollment(contract="H9999"), day("2023-05-20")) == []


@pytest.mark.parametrize("on", ["2023-05-20", "2023-08-15"])
def test_who_opted_out_may_come_back(on):
    assert re_enrolled_of(standing(enrollments=[out()]), day(on))["source"] == "CarePlan/e1"


def test_the_same_return_again_is_no_second_one():
    back = enrollment(re_enrolled_on=day("2023-08-15"))
    assert re_enrolled_of(standing(enrollments=[back]), day("2023-08-15")) == back


@pytest.mark.parametrize(
    ("enrollments", "on", "words"),
    [
        ([enrollment()], "2023-08-15", "did not opt out"),
        ([enrollment(re_enrolled_on=day("2023-08-15"))], "2023-08-16", "did not opt out"),
        ([out(reason="01")], "2023-08-15", "says that the beneficiary died"),
        ([out()], "2023-05-19", "2023-05-19 is before the opt-out on 2023-05-20"),
        ([out()], "2023-12-21", "is in the future"),
        ([out()], "2022-08-15", "is not enrolled in plan year 2022"),
        ([out(), out(contract="H9999")], "2023-08-15", "opted out of several contracts"),
        ([], "2023-08-15", "is not enrolled in the MTM program"),
    ],
)
def test_an_impossible_return_is_refused(enrollments, on, words):
    refused(lambda: re_enrolled_of(standing(enrollments=enrollments), day(on)), words)


def test_what_depends_on_a_record_is_found():
    cmr = row("cmr")
    sent = row("summary_sent", "2023-03-14", about=cmr["source"])
    assert dependents([cmr, sent, row("tmr")], cmr) == [sent]
