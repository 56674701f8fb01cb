"""What is due to each enrolled beneficiary on a day: the worklist of an MTM program, one row per duty, each with its reason.

The deadlines are data of the program (``adapter/targeting/service_rules.py``); the duties stand in ``duties.py``. An enrollment
that is over has nothing due any more, except the written summary of a CMR that was held.
"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from adapter.services.duties import duties, text_of
from adapter.services.lives import lives
from adapter.targeting.program import Program
from adapter.targeting.service_words import DUTY_TITLES

COLUMNS = (
    "beneficiary", "contract", "plan_year", "enrollment", "duty", "number", "status", "opens_on", "deadline", "done_on", "about",
    "why",
)  # fmt: skip
STATUSES = ("overdue", "due", "upcoming", "done", "not_required")


def due(enrollments: ir.Table, services: ir.Table, program: Program, as_of: date) -> ir.Table:
    """One row per enrollment of the program's year and duty, as of the end of ``as_of``.

    Columns: beneficiary, contract, plan_year, enrollment (reference), duty (invitation, cmr_offer, second_outreach, cmr, summary,
    tmr, safe_disposal), number (1 to 4 of the TMRs, 1, 2, ... of the summaries, else 1), status (overdue, due, upcoming, done,
    not_required), opens_on (first day on which it can be done), deadline (last day in time; NULL when there is none yet), done_on,
    about (the CMR of a summary), why (a sentence with its citation). ``enrollments`` and ``services`` are the tables of
    ``tables/mtm_events.py`` and ``tables/mtm_services.py``. Of the year before only summaries that are still open have a row.
    """
    rows = told(duties(lives(enrollments, services, as_of), services, program, as_of), as_of)
    own = rows.plan_year == program.plan_year
    left = (rows.plan_year == program.plan_year - 1) & (rows.duty == "summary") & rows.status.isin(["due", "overdue"])
    return rows.filter(own | left).select(*COLUMNS)


def in_order(rows: ir.Table) -> ir.Table:
    """The rows by deadline, those without one last, then by beneficiary and duty."""
    place = ibis.cases(*((rows.duty == duty, place) for place, duty in enumerate(DUTY_TITLES)), else_=len(DUTY_TITLES))
    return rows.order_by(
        rows.deadline.asc(nulls_first=False), "beneficiary", "contract", "plan_year", place, "number", "about"
    )


def told(rows: ir.Table, as_of: date) -> ir.Table:
    """The rows of ``duties`` with status and why."""
    day = ibis.literal(as_of, "date")
    over = (rows.state != "enrolled") & ~rows.outlasts
    status = ibis.cases(
        (rows.done_on.notnull(), "done"),
        (rows.waived.notnull(), "not_required"),
        (over, "not_required"),
        ((rows.deadline < day).fill_null(False), "overdue"),
        ((rows.opens_on <= day).fill_null(False), "due"),
        else_="upcoming",
    )
    rows = rows.mutate(status=status)
    return rows.mutate(why=rows.rule.concat(" ", _tail(rows, day), " Source: ", rows.citation, "."))


def _tail(rows: ir.Table, day: ir.DateScalar) -> ir.StringValue:
    """What became of the duty, as a sentence."""
    late = rows.done_on.delta(rows.deadline, unit="day")
    done = ibis.literal("Done on ").concat(
        text_of(rows.done_on), ibis.ifelse((late > 0).fill_null(False), _days(late).concat(" late."), ".")
    )
    days_over = _days(day.delta(rows.deadline, unit="day"))
    ended = ibis.ifelse(
        rows.state == "opted_out", "The beneficiary opted out of the program", "The enrollment ended with the plan year"
    ).concat(
        ibis.coalesce(ibis.literal(" on ").concat(text_of(rows.ended_on)), ""),
        ibis.ifelse((rows.deadline <= rows.ended_on).fill_null(False), "; it was missed.", "."),
    )
    return ibis.cases(
        (rows.status == "done", done),
        ((rows.status == "not_required") & rows.waived.notnull(), rows.waived),
        (rows.status == "not_required", ended),
        (rows.status == "overdue", ibis.literal("Overdue since ").concat(text_of(rows.deadline), days_over, ".")),
        (rows.status == "due", ibis.literal("Due by ").concat(text_of(rows.deadline), ".")),
        else_=rows.waiting,
    )


def _days(count: ir.IntegerValue) -> ir.StringValue:
    return ibis.literal(", ").concat(count.cast("string"), ibis.ifelse(count == 1, " day", " days"))
