"""Opt-out and re-enrollment on the enrollment CarePlan, and that a screening undoes neither."""

from __future__ import annotations

from copy import deepcopy
from datetime import date

import pytest

from adapter.fhir.conformance import validate
from adapter.resources.care_plan import ENROLLMENT_EXTENSION, enrollment
from adapter.resources.enrollment_life import opt_out_withdrawn, opted_out, re_enrolled
from adapter.resources.ids import resource_id
from adapter.targeting.program import load_program
from tests.conftest import PROGRAMS

OUT, BACK = date(2023, 5, 1), date(2023, 8, 15)


@pytest.fixture
def plan(decide, program):
    held = enrollment(decide(), program, None)
    (extension,) = held["extension"]
    extension["extension"].append({"url": "theirs", "valueString": "x"})
    return held


def parts(plan):
    (extension,) = [e for e in plan["extension"] if e["url"] == ENROLLMENT_EXTENSION]
    return {p["url"]: next(v for k, v in p.items() if k != "url") for p in extension["extension"]}


def said(plan):
    return plan["text"]["div"]


def test_an_opt_out_revokes_the_plan_closes_its_period_and_keeps_all_else(plan):
    made = opted_out(plan, OUT, "03")
    validate(made)
    assert (made["status"], made["period"]) == ("revoked", {"start": "2023-03-05", "end": "2023-05-01"})
    assert parts(made) == parts(plan) | {"optOutOn": "2023-05-01", "optOutReason": "03"}
    assert "Opted out of the program on 2023-05-01. Reason: Request of the beneficiary (03)." in said(made)
    rest = {"status", "period", "extension", "text"}
    assert {k: v for k, v in made.items() if k not in rest} == {k: v for k, v in plan.items() if k not in rest}


@pytest.mark.parametrize("reason", ["01", "02", "03", "99"])
def test_the_same_opt_out_again_is_equal(plan, reason):
    made = opted_out(plan, OUT, reason)
    assert opted_out(made, OUT, reason) == made


def test_a_re_enrollment_keeps_the_first_day_and_forgets_the_opt_out(plan):
    made = re_enrolled(opted_out(plan, OUT, "03"), BACK, date(2023, 12, 31))
    validate(made)
    assert (made["status"], made["period"]) == ("active", {"start": "2023-03-05", "end": "2023-12-31"})
    assert parts(made) == parts(plan) | {"reEnrolledOn": "2023-08-15"}
    assert "Enrolled again on request on 2023-08-15" in said(made)
    assert re_enrolled(made, BACK, date(2023, 12, 31)) == made


def test_a_withdrawn_opt_out_leaves_the_parts_as_they_were(plan):
    made = opt_out_withdrawn(opted_out(plan, OUT, "03"), date(2023, 12, 31))
    assert (made["status"], made["period"], parts(made)) == ("active", plan["period"], parts(plan))


def test_a_text_that_no_adapter_wrote_is_left_alone(plan):
    plan["text"] = {"status": "additional", "div": "<div/>"}
    assert opted_out(plan, OUT, "03")["text"] == plan["text"]
    del plan["text"]
    assert "text" not in opted_out(plan, OUT, "03")


# A screening ---------------------------------------------------------------------------------------------------------


def test_a_screening_never_undoes_an_opt_out(decide, program, plan):
    out = opted_out(plan, OUT, "03")
    assert enrollment(decide(as_of=date(2023, 9, 30)), program, deepcopy(out)) == out


def test_nor_one_that_another_system_left_active(decide, program, plan):
    out = opted_out(plan, OUT, "03") | {"status": "active"}
    assert enrollment(decide(as_of=date(2023, 9, 30)), program, deepcopy(out)) == out


@pytest.mark.parametrize("status", ["revoked", "completed", "on-hold", "entered-in-error"])
def test_nor_does_it_change_a_plan_that_is_not_active(decide, program, plan, status):
    held = plan | {"status": status}
    assert enrollment(decide(as_of=date(2023, 9, 30)), program, deepcopy(held)) == held


def test_after_a_re_enrollment_a_screening_keeps_its_day(decide, program, plan):
    back = re_enrolled(opted_out(plan, OUT, "03"), BACK, date(2023, 12, 31))
    made = enrollment(decide(as_of=date(2023, 9, 30)), program, back)
    assert (made["status"], parts(made)["reEnrolledOn"], parts(made)["theirs"]) == ("active", "2023-08-15", "x")
    assert made["period"] == back["period"]


def test_the_next_plan_year_is_a_plan_of_its_own_also_after_an_opt_out(decide, plan):
    next_year = load_program("cms-2024", PROGRAMS)
    made = enrollment(decide(as_of=date(2024, 1, 10)), next_year, None)
    assert made["id"] == resource_id("enrollment", "H1234", "b1", 2024) != plan["id"]
    assert (made["status"], made["period"]["start"]) == ("active", "2024-01-10")
