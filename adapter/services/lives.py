"""The life of an enrollment: begun, opted out, ended with the plan year, carried over from the year before, enrolled again.

Nothing of this is stored beside the CarePlan: an enrollment that ended with its year, or that continues one of the year before,
is so by its dates. All is told as of a day: what was recorded with a later date has not happened yet.
"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

DEATH = "01"
NO_OFFER = ("undeliverable",)  # an offer that came back is none (reference/cms-rules.md 5, P)


def lives(enrollments: ir.Table, services: ir.Table, as_of: date) -> ir.Table:
    """One row per enrollment that had begun by ``as_of``; one without a full first day or a plan year has none.

    Columns: enrollment (``CarePlan/mtm-...``), beneficiary, contract, plan_year, enrolled_on, clock (the day that deadlines run
    from: the enrollment, or the re-enrollment), ends_on (the last day as planned), opted_out_on and opt_out_reason (NULL unless
    opted out by then), ended_on (the last day, as known by then), state (enrolled, opted_out or ended), carried_over (whether it
    continues an enrollment of the year before in the same contract), earlier_enrolled_on and last_offer (of that one).
    """
    begun = _begun(enrollments, as_of)
    earlier = _earlier(begun, services)
    keys = ["beneficiary", "contract", "plan_year"]
    rows = begun.left_join(earlier, keys).drop([f"{key}_right" for key in keys])
    return rows.mutate(carried_over=rows.earlier_enrolled_on.notnull())


def _begun(enrollments: ir.Table, as_of: date) -> ir.Table:
    """The enrollments that had begun, with their end and state."""
    day = ibis.literal(as_of, "date")
    rows = enrollments.filter(
        enrollments.enrolled_on.notnull() & (enrollments.enrolled_on <= day) & enrollments.plan_year.notnull()
    )
    year_end = ibis.date(rows.plan_year, 12, 31)
    out = (rows.opted_out_on <= day).fill_null(False)
    back = ibis.ifelse((rows.re_enrolled_on <= day).fill_null(False), rows.re_enrolled_on, ibis.null("date"))
    # The opt-out closes the period: before it the year's end was planned.
    planned = ibis.ifelse(rows.opted_out_on.notnull(), year_end, ibis.least(rows.ends_on, year_end))
    told = rows.select(
        enrollment=rows.source,
        beneficiary=rows.beneficiary,
        contract=rows.contract,
        plan_year=rows.plan_year,
        enrolled_on=rows.enrolled_on,
        clock=ibis.greatest(rows.enrolled_on, back),
        ends_on=ibis.coalesce(planned, year_end),
        undated=(rows.status == "revoked").fill_null(False) & rows.opted_out_on.isnull(),
        opted_out_on=ibis.ifelse(out, rows.opted_out_on, ibis.null("date")),
        opt_out_reason=ibis.ifelse(out, rows.opt_out_reason, ibis.null("string")),
    )
    told = told.mutate(ended_on=ibis.least(told.ends_on, told.opted_out_on))
    # Revoked by another system without our parts: over, whatever the day was.
    state = ibis.cases(
        (told.opted_out_on.notnull() | told.undated, "opted_out"), (told.ended_on < day, "ended"), else_="enrolled"
    )
    return told.mutate(state=state).drop("undated")


def _earlier(begun: ir.Table, services: ir.Table) -> ir.Table:
    """What an enrollment of the next year continues: one that lasted to the end of its year in the same contract."""
    keys = ["beneficiary", "contract", "plan_year"]
    lasted = begun.filter((begun.state != "opted_out") & (begun.ends_on == ibis.date(begun.plan_year, 12, 31)))
    offered = services.filter(_is_offer(services)).group_by(keys).agg(last_offer=lambda t: t.on_day.max())
    both = lasted.left_join(offered, keys)
    rows = both.mutate(plan_year=both.plan_year + 1)
    return rows.group_by(keys).agg(earlier_enrolled_on=rows.enrolled_on.min(), last_offer=rows.last_offer.max())


def _is_offer(services: ir.Table) -> ir.BooleanValue:
    """An offer that reached somebody; a CMR that was held is also an offer (reference/cms-rules.md 5, P)."""
    offered = (services.kind == "cmr_offer") & ~services.answer.isin(NO_OFFER).fill_null(False)
    return (offered | (services.kind == "cmr")) & services.on_day.notnull()
