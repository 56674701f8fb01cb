"""The duties toward an enrolled beneficiary, one function each: when it opens, its deadline, when it was done, what waives it.

Each gives rows of ``lives`` with the columns duty, number, opens_on, deadline, done_on, about, rule (what must be done, a sentence),
citation, waived (why it is not required, NULL if it is), waiting (what an upcoming one waits for) and outlasts (whether it stays due
after the enrollment is over). The figures are those of the program.
"""

from __future__ import annotations

from datetime import date
from functools import reduce

import ibis
import ibis.expr.types as ir

from adapter.services.facts import events, facts
from adapter.services.lives import DEATH
from adapter.targeting.program import Program
from adapter.targeting.service_rules import Services
from adapter.targeting.service_words import citation

DAY, TEXT = "date", "string"
LIFE = (
    "enrollment", "beneficiary", "contract", "plan_year", "enrolled_on", "clock", "ends_on", "opted_out_on", "opt_out_reason",
    "ended_on", "state", "carried_over", "earlier_enrolled_on", "last_offer",
)  # fmt: skip
FACTS = ("invited_on", "offered_on", "answer", "answered_on", "again_on", "cmr_on", "disposed_on")


def duties(lives: ir.Table, services: ir.Table, program: Program, as_of: date) -> ir.Table:
    """Every duty of every enrollment among ``lives``; see the head of this module for the columns."""
    counted = events(lives, services, as_of)
    done = facts(counted, program.services.second_outreach)
    rows = lives.left_join(done, "enrollment").select(*LIFE, *FACTS)
    rule = program.services
    every = [
        _invitation(rows, rule),
        _cmr_offer(rows, rule),
        _second_outreach(rows, rule),
        _cmr(rows, rule),
        _safe_disposal(rows, rule),
        *_tmrs(rows, counted, rule),
        _summaries(rows, counted, services, rule, as_of),
        _no_summary(rows, rule),
    ]
    return reduce(lambda one, other: one.union(other), every)


def _duty(rows: ir.Table, name: str, rule: str | ir.StringValue, cited: str, **columns: ir.Value) -> ir.Table:
    """The rows of one duty; a column that is not given is that of a duty which is simply required."""
    given: dict[str, ir.Value] = {
        "number": ibis.literal(1, "int64"),
        "opens_on": ibis.null(DAY),
        "deadline": ibis.null(DAY),
        "done_on": ibis.null(DAY),
        "about": ibis.null(TEXT),
        "waived": ibis.null(TEXT),
        "outlasts": ibis.literal(False),
    } | columns
    opens = given["opens_on"]
    given.setdefault("waiting", ibis.coalesce(ibis.literal("It can be done from ").concat(text_of(opens), " on."), ""))
    own = ("enrollment", "beneficiary", "contract", "plan_year", "state", "ended_on")
    return rows.select(
        *own, duty=ibis.literal(name), rule=ibis.literal(rule) if isinstance(rule, str) else rule, citation=ibis.literal(cited),
        **given,
    )  # fmt: skip


def _invitation(rows: ir.Table, rule: Services) -> ir.Table:
    days = rule.invitation.within_days
    once = rule.invitation.repeated == "first_plan_year"
    carried = ibis.ifelse(
        rows.carried_over & once,
        "The enrollment continues that of the year before, which had its letter.",
        ibis.null(TEXT),
    )
    told = ibis.literal(f"The invitation letter goes out within {days} days of the enrollment on ").concat(
        text_of(rows.clock), "."
    )
    return _duty(
        rows, "invitation", told, citation(rule.invitation), opens_on=rows.clock, deadline=_after(rows.clock, days=days),
        done_on=rows.invited_on, waived=carried,
    )  # fmt: skip


def _cmr_offer(rows: ir.Table, rule: Services) -> ir.Table:
    days, months = rule.cmr_offer.within_days, rule.cmr_offer.again_within_months
    first = _after(rows.clock, days=days)
    again = _after(rows.last_offer, months=months)
    # Carried over without any offer: the clock of the first enrollment runs on into the new year, if it had not run out.
    running = _after(rows.earlier_enrolled_on, days=days)
    running = ibis.ifelse((running >= rows.clock).fill_null(False), running, first)
    deadline = ibis.cases(
        (rows.carried_over & again.notnull(), ibis.greatest(again, rows.clock)),
        (rows.carried_over, running),
        else_=first,
    )
    lead = (deadline - ibis.interval(days=days)).cast(DAY)
    told = ibis.ifelse(
        rows.carried_over & again.notnull(),
        ibis.literal(f"The CMR is offered within {months} months of the last offer on ").concat(
            text_of(rows.last_offer), ", since the enrollment is carried over."
        ),
        ibis.literal(f"The CMR is offered within {days} days of the enrollment on ").concat(
            text_of(ibis.ifelse(rows.carried_over & (running < first), rows.earlier_enrolled_on, rows.clock)), "."
        ),
    )
    return _duty(
        rows, "cmr_offer", told, citation(rule.cmr_offer), opens_on=ibis.greatest(rows.clock, lead), deadline=deadline,
        done_on=ibis.least(rows.offered_on, rows.cmr_on),
    )  # fmt: skip


def _second_outreach(rows: ir.Table, rule: Services) -> ir.Table:
    second = rule.second_outreach
    way = " by another way" if second.way == "other" else ""
    waived = ibis.cases(
        (rows.cmr_on.notnull(), ibis.literal("The CMR was held on ").concat(text_of(rows.cmr_on), ".")),
        (rows.offered_on.isnull(), "No offer waits for an answer."),
        (
            rows.answered_on.notnull(),
            ibis.literal("The offer was ").concat(rows.answer, " on ", text_of(rows.answered_on), "."),
        ),
        else_=ibis.null(TEXT),
    )
    told = (
        f"An offer without an answer after {second.after_days} days is repeated{way} within {second.within_days} days."
    )
    return _duty(
        rows, "second_outreach", told, citation(second), opens_on=_after(rows.offered_on, days=second.after_days),
        deadline=_after(rows.offered_on, days=second.within_days), done_on=rows.again_on, waived=waived,
    )  # fmt: skip


def _cmr(rows: ir.Table, rule: Services) -> ir.Table:
    accepted = (rows.answer == "accepted").fill_null(False)
    declined = ibis.literal("The CMR was declined on ").concat(text_of(rows.answered_on), "; targeted reviews go on.")
    return _duty(
        rows, "cmr", "A CMR is held once in the plan year.", citation(rule.cmr),
        opens_on=ibis.ifelse(accepted, rows.answered_on, ibis.null(DAY)),
        deadline=_before(rows.ends_on, rule.cmr.days_before_year_end),
        done_on=rows.cmr_on,
        waived=ibis.ifelse((rows.answer == "declined").fill_null(False), declined, ibis.null(TEXT)),
        waiting=ibis.literal("It waits for an offer that is accepted."),
    )  # fmt: skip


def _safe_disposal(rows: ir.Table, rule: Services) -> ir.Table:
    return _duty(
        rows, "safe_disposal", "Information on the safe disposal of drugs is given once in the plan year.",
        citation(rule.safe_disposal), opens_on=rows.clock,
        deadline=_before(rows.ends_on, rule.safe_disposal.days_before_year_end), done_on=rows.disposed_on,
    )  # fmt: skip


def _tmrs(rows: ir.Table, counted: ir.Table, rule: Services) -> list[ir.Table]:
    """One table for each of the four quarters; a quarter that lies outside the enrollment gives no row."""
    held = counted.filter(counted.kind == "tmr").select("enrollment", "on_day")
    return [_tmr(rows, held, rule, number) for number in range(4)]


def _tmr(rows: ir.Table, held: ir.Table, rule: Services, number: int) -> ir.Table:
    if rule.tmr.quarters == "of_enrollment":
        begins = _after(rows.clock, months=3 * number)
        ends = (_after(rows.clock, months=3 * number + 3) - ibis.interval(days=1)).cast(DAY)
    else:
        quarter = ibis.date(rows.plan_year, 3 * number + 1, 1)
        begins, ends = ibis.greatest(quarter, rows.clock), (_after(quarter, months=3) - ibis.interval(days=1)).cast(DAY)
    rows = rows.mutate(begins=begins, ends=ibis.least(ends, rows.ends_on))
    rows = rows.filter(rows.begins <= rows.ends)
    both = rows.select("enrollment", "begins", "ends").join(held, "enrollment")
    within = both.filter((both.on_day >= both.begins) & (both.on_day <= both.ends))
    first = within.group_by("enrollment").agg(tmr_on=within.on_day.min())
    rows = rows.left_join(first, "enrollment").drop("enrollment_right")
    told = ibis.literal("A TMR is held in each quarter, also when the CMR was declined: this one runs from ").concat(
        text_of(rows.begins), " to ", text_of(rows.ends), "."
    )
    return _duty(
        rows, "tmr", told, citation(rule.tmr), number=ibis.literal(number + 1, "int64"), opens_on=rows.begins, deadline=rows.ends,
        done_on=rows.tmr_on,
    )  # fmt: skip


def _summaries(rows: ir.Table, counted: ir.Table, services: ir.Table, rule: Services, as_of: date) -> ir.Table:
    """One row for each CMR. The summary may be sent after the enrollment is over, unless the beneficiary died."""
    days = rule.summary.within_days
    cmrs = counted.filter(counted.kind == "cmr").select("enrollment", cmr=counted.source, held_on=counted.on_day)
    sent = services.filter((services.kind == "summary_sent") & (services.on_day <= ibis.literal(as_of, DAY)))
    both = cmrs.join(sent.select("about", "on_day"), cmrs.cmr == sent.about)
    in_time = both.filter(both.on_day >= both.held_on).group_by("cmr").agg(sent_on=lambda t: t.on_day.min())
    cmrs = cmrs.left_join(in_time, "cmr").drop("cmr_right")
    cmrs = cmrs.mutate(place=ibis.row_number().over(group_by="enrollment", order_by=["held_on", "cmr"]) + 1)
    own = rows.join(cmrs, "enrollment")
    died = ((own.state == "opted_out") & (own.opt_out_reason == DEATH)).fill_null(False)
    told = ibis.literal(f"The written summary is sent within {days} calendar days of the CMR on ").concat(
        text_of(own.held_on), "."
    )
    return _duty(
        own, "summary", told, citation(rule.summary), number=own.place, opens_on=own.held_on,
        deadline=_after(own.held_on, days=days), done_on=own.sent_on, about=own.cmr,
        waived=ibis.ifelse(died, "The beneficiary died.", ibis.null(TEXT)), outlasts=ibis.literal(True),
    )  # fmt: skip


def _no_summary(rows: ir.Table, rule: Services) -> ir.Table:
    return _duty(
        rows.filter(rows.cmr_on.isnull()), "summary", "A written summary follows a CMR.", citation(rule.summary),
        waived=ibis.literal("No CMR was held."),
    )  # fmt: skip


def _after(day: ir.DateValue, days: int = 0, months: int = 0) -> ir.DateValue:
    span = ibis.interval(months=months) if months else ibis.interval(days=days)
    return (day + span).cast(DAY)


def _before(day: ir.DateValue, days: int) -> ir.DateValue:
    return (day - ibis.interval(days=days)).cast(DAY)


def text_of(day: ir.DateValue) -> ir.StringValue:
    """The day as FHIR writes it; a day with an interval added is a timestamp to DuckDB, whose cast would show hours."""
    return day.strftime("%Y-%m-%d")
