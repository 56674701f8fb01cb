"""What a row says of the services: each rule with its edge."""

from datetime import date

import pytest

from adapter.reporting.records import evidence, parts

from .planted import BENEFICIARY, ENROLLMENT, SERVICE, enrollment, person, reviewed, service

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")


def day(text):
    return date(2023, int(text[:2]), int(text[2:]))


@pytest.fixture
def row(rows):
    def of(*services, enrollments=None, **keys):
        [found] = rows(enrollments or [enrollment()], services=list(services), **keys)
        return found

    return of


CMR = ("cmr_received", "cmr_on", "cmr_summary_sent_on", "cmr_method", "cmr_provider", "cmr_recipient")


def test_a_cmr_with_its_summary(row):
    found = row(*reviewed())
    assert [found[name] for name in CMR] == [
        "Y", day("0301"), day("0305"), "telephone", "plan_sponsor_pharmacist", "beneficiary",
    ]  # fmt: skip
    assert (found["cognitively_impaired"], found["ltc_facility"]) == ("N", "N")


def test_a_cmr_is_also_an_offer(row):
    found = row(*reviewed(recipient="caregiver"))
    assert (found["cmr_offered"], found["cmr_offered_on"], found["cmr_offer_recipient"]) == (
        "Y",
        day("0301"),
        "caregiver",
    )


def test_a_cmr_without_summary_is_offered_and_not_received(row):
    found = row(reviewed()[0])
    assert [found[name] for name in CMR] == ["N", None, None, None, None, None]
    assert (found["cmr_offered"], found["cmr_offered_on"]) == ("Y", day("0301"))
    assert (found["cognitively_impaired"], found["ltc_facility"]) == ("N", "U")  # asked at the offer too; U when no CMR


def test_the_initial_cmr_with_a_summary_is_described(row):
    bare = service("cmr", "0215", method="telehealth", provider="physician", recipient="prescriber")
    later = reviewed("0601", "0601", "cmr-2", method="face_to_face", provider="registered_nurse")
    found = row(*later, bare, *reviewed())
    assert (found["cmr_on"], found["cmr_method"], found["cmr_provider"]) == (
        day("0301"),
        "telephone",
        "plan_sponsor_pharmacist",
    )
    assert (found["cmr_offered_on"], found["cmr_offer_recipient"]) == (day("0215"), "prescriber")


def test_of_two_summaries_the_first_counts_and_one_without_a_day_still_is_one(row):
    again = service("summary_sent", "0401", about="Procedure/cmr-1")
    assert row(again, *reviewed())["cmr_summary_sent_on"] == day("0305")
    undated = service("summary_sent", None, about="Procedure/cmr-1")
    assert row(undated, *reviewed())["cmr_summary_sent_on"] == day("0305")
    found = row(undated, reviewed()[0])
    assert (found["cmr_received"], found["cmr_summary_sent_on"]) == ("Y", None)


def test_the_summary_may_follow_after_the_end(row):
    ended = [enrollment(ends_on=day("0301"), opted_out_on=day("0301"), opt_out_reason="02", status="revoked")]
    found = row(*reviewed(), enrollments=ended)
    assert (found["cmr_received"], found["cmr_summary_sent_on"]) == ("Y", day("0305"))


@pytest.mark.parametrize(
    ("answer", "offered"),
    [("accepted", "Y"), ("declined", "Y"), ("no_answer", "Y"), (None, "Y"), ("undeliverable", "N")],
)
def test_an_offer_that_came_back_is_none(row, answer, offered):
    found = row(service("cmr_offer", "0210", answer=answer, recipient="beneficiary", method="mail"))
    assert found["cmr_offered"] == offered
    assert (found["cmr_offered_on"] is None) == (offered == "N")


def test_the_first_offer_counts(row):
    offers = [
        service("cmr_offer", "0205", answer="undeliverable", recipient="prescriber"),
        service("cmr_offer", "0301", recipient="beneficiary"),
        service("cmr_offer", "0210", recipient="caregiver"),
    ]
    found = row(*offers, *reviewed("0301"))
    assert (found["cmr_offered_on"], found["cmr_offer_recipient"]) == (day("0210"), "caregiver")


def test_of_one_day_the_offer_stands_before_the_cmr(row):
    found = row(*reviewed("0301", recipient="caregiver"), service("cmr_offer", "0301", recipient="beneficiary"))
    assert found["cmr_offer_recipient"] == "beneficiary"


def test_impaired_at_the_offer_counts_when_the_cmr_tells_nothing(row):
    offer = service("cmr_offer", "0210", cognitively_impaired="Y")
    assert row(offer)["cognitively_impaired"] == "Y"
    assert row(offer, *reviewed())["cognitively_impaired"] == "N"
    assert row(offer, *reviewed(cognitively_impaired=None, ltc_facility=None))["cognitively_impaired"] == "Y"
    assert row(offer, *reviewed(cognitively_impaired="U"))["cognitively_impaired"] == "U"
    assert row(*reviewed(cognitively_impaired=None))["cognitively_impaired"] == "U"


def test_tmrs_are_counted_by_distinct_dates(row):
    found = row(service("tmr", "0501"), service("tmr", "0401"), service("tmr", "0401"))
    assert (found["tmr_count"], found["tmr_first_on"]) == (2, day("0401"))


def test_recommendations_and_the_changes_that_followed(row):
    made = [service("recommendation", "0302", f"r{n}", recipient="prescriber") for n in range(3)]
    followed = [
        service("resolution", "0401", about="Communication/r0", changed=True),
        service("resolution", "0402", about="Communication/r0", changed=True),  # one change
        service("resolution", "0403", about="Communication/r1", changed=False),
        service("resolution", "0404", about="Communication/r2", changed=None),
        service("resolution", "0404", about="Communication/unknown", changed=True),
    ]
    found = row(*made, *followed)
    assert (found["recommendations"], found["therapy_changes"]) == (3, 1)


def test_what_was_recommended_to_the_beneficiary_does_not_count(row):
    found = row(service("recommendation", "0302", recipient="beneficiary"), service("recommendation", "0302"))
    assert found["recommendations"] == 1


def test_one_problem_in_the_same_words_is_one_recommendation(row):
    told = {"recipient": "prescriber", "about": "DetectedIssue/d1"}
    found = row(
        service("recommendation", "0302", "r1", words="stop it", **told),
        service("recommendation", "0502", "r2", words="stop it", **told),
        service("recommendation", "0602", "r3", words="lower the dose", **told),
        service("recommendation", "0602", "r4", words="stop it", recipient="prescriber", about="DetectedIssue/d2"),
        service("recommendation", "0602", "r5", words="stop it", recipient="prescriber"),
        service("recommendation", "0603", "r6", words="stop it", recipient="prescriber"),
        service("resolution", "0303", about="Communication/r1", changed=True),
        service("resolution", "0503", about="Communication/r2", changed=True),
        service("resolution", "0604", about="Communication/r6", changed=True),
    )
    assert (found["recommendations"], found["therapy_changes"]) == (5, 2)


def test_safe_disposal(row):
    assert row(service("safe_disposal", "0302"))["safe_disposal"] == "Y"
    assert row(service("safe_disposal", "0115"))["safe_disposal"] == "N"  # before the enrollment


@pytest.mark.parametrize(
    ("on_day", "counts"),
    [("0131", False), ("0201", True), ("0601", True), ("0602", False), (None, False)],
)
def test_services_count_between_enrollment_and_end_only(row, on_day, counts):
    ended = [enrollment(ends_on=day("0601"), opted_out_on=day("0601"), opt_out_reason="03", status="revoked")]
    assert row(service("tmr", on_day), enrollments=ended)["tmr_count"] == counts


def test_services_of_other_years_do_not_count(row):
    long = [enrollment(enrolled_on=date(2022, 5, 1), plan_year=2023, ends_on=date(2024, 3, 1))]
    outside = [service("tmr", date(2022, 12, 31)), service("tmr", date(2024, 1, 1))]
    assert row(*outside, service("tmr", "0101"), service("tmr", "1231"), enrollments=long)["tmr_count"] == 2


def test_the_end_before_the_opt_out_and_the_opt_out_before_the_end(row):
    for keys in ({"ends_on": day("0601")}, {"opted_out_on": day("0601"), "opt_out_reason": "03"}):
        found = row(service("tmr", "0601"), service("tmr", "0602"), enrollments=[enrollment(**keys)])
        assert found["tmr_count"] == 1


def test_a_service_between_two_enrollments_counts(row):
    """One row from the earliest enrollment to the last end: the gap between them is not told in the file."""
    two = [enrollment(1, ends_on=day("0301")), enrollment(2, enrolled_on=day("0601"))]
    assert row(service("tmr", "0415"), enrollments=two)["tmr_count"] == 1


def test_who_changed_contract_has_in_each_file_the_services_of_that_contract(row):
    moved = [
        enrollment(1, ends_on=day("0630"), opted_out_on=day("0630"), opt_out_reason="02", status="revoked"),
        enrollment(2, contract="H5678", enrolled_on=day("0701")),
    ]
    done = [*reviewed(), service("tmr", "0801", contract="H5678"), service("tmr", "0401")]
    old, new = row(*done, enrollments=moved), row(*done, enrollments=moved, contract="H5678")
    assert (old["cmr_received"], old["tmr_first_on"], old["opt_out_reason"]) == ("Y", day("0401"), "02")
    assert (new["cmr_received"], new["tmr_first_on"], new["opt_out_reason"]) == ("N", day("0801"), None)


def test_the_evidence_of_a_beneficiary(engine):
    people = [person("b", mbi="2EG4TE5MK74", version_id="7"), person("a")]
    enrolled = [enrollment(1, beneficiary="b"), enrollment(2)]
    services = [
        *reviewed(beneficiary="b"),
        service("cmr_offer", "0210", "o", beneficiary="b", version=None),
        service("tmr", "0401", "t2", beneficiary="b"),
        service("tmr", "0401", "t1", beneficiary="b", version="3"),
        service("recommendation", "0401", "r", beneficiary="b"),
        service("resolution", "0402", "s", beneficiary="b", about="Communication/r", changed=True),
        service("safe_disposal", "0402", "d", beneficiary="b"),
    ]
    of = parts(
        engine.table(enrolled, ENROLLMENT),
        engine.table(people, BENEFICIARY),
        engine.table(services, SERVICE),
        "H1234",
        2023,
    )
    found = [row for part in evidence(of) for row in engine.records(part)]
    assert {row["patient"] for row in found if "patient" in row} == {"Patient/a", "Patient/b/_history/7"}
    told = {name: value for row in found if row["beneficiary"] == "b" for name, value in row.items()}
    assert told == {
        "beneficiary": "b",
        "patient": "Patient/b/_history/7",
        "enrollments": "CarePlan/mtm-1/_history/2",
        "last": "CarePlan/mtm-1/_history/2",
        "offer": "Communication/o",
        "cmr": "Procedure/cmr-1/_history/1",
        "summary": "Communication/sent-cmr-1/_history/1",
        "impaired": "Procedure/cmr-1/_history/1",
        "tmrs": "Procedure/t1/_history/3;Procedure/t2/_history/1",
        "recommended": "Communication/r/_history/1",
        "resolved": "Communication/s/_history/1",
        "disposals": "Communication/d/_history/1",
    }
