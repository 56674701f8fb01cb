"""Opt-outs that the data suggest: an enrolled beneficiary died, or left the contract. Somebody records them; nothing is ended unseen."""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from adapter.services.duties import text_of

COLUMNS = ("beneficiary", "contract", "plan_year", "enrollment", "reason", "on_day", "source", "why")
DEATH, DISENROLLMENT = "01", "02"


def proposals(lives: ir.Table, beneficiaries: ir.Table, coverages: ir.Table, as_of: date) -> ir.Table:
    """One row per enrollment of ``lives`` that should end: for death (01) before disenrollment (02).

    Columns: beneficiary, contract, plan_year, enrollment, reason, on_day (NULL when the day of death is not told in full), source
    (the Patient or Coverage that tells it), why. A disenrollment is dated with the last day in the contract; one on 31 December is
    none, a death on that day is an opt-out (reference/cms-rules.md 3, P). A beneficiary whose Coverage in the contract the source
    does not hold at all is not proposed: that is unknown. What became known after the end of the plan year is still proposed: CMS's
    file of the year asks for it.
    """
    open_lives = lives.filter(lives.state != "opted_out")
    died = _died(open_lives, beneficiaries, as_of)
    left = _left(open_lives, coverages, as_of).anti_join(died, "enrollment")
    return died.union(left)


def _died(lives: ir.Table, beneficiaries: ir.Table, as_of: date) -> ir.Table:
    persons = beneficiaries.select("beneficiary", "deceased", "deceased_on", "died_by", person=beneficiaries.source)
    rows = lives.join(persons, "beneficiary")
    day = ibis.literal(as_of, "date")
    enrolled = (rows.state == "enrolled") & (rows.died_by.isnull() | (rows.died_by <= day))
    # Once the enrollment is over, only a day tells whether it was before or after its end.
    over = ((rows.state == "ended") & (rows.died_by <= rows.ends_on)).fill_null(False)
    rows = rows.filter(rows.deceased & (enrolled | over))
    full = (rows.deceased_on.length() >= 10).fill_null(False)
    on_day = ibis.ifelse(full, rows.died_by, ibis.null("date"))
    early = ibis.literal("The Patient died on ").concat(
        text_of(on_day),
        ", before the enrollment on ",
        text_of(rows.enrolled_on),
        ", which is a mistake; correct its CarePlan.",
    )
    why = ibis.cases(
        ((on_day < rows.enrolled_on).fill_null(False), early),
        (on_day.notnull(), ibis.literal("The Patient died on ").concat(text_of(on_day), ".")),
        (
            rows.deceased_on.notnull(),
            ibis.literal("The Patient died in ").concat(rows.deceased_on, "; find out the day."),
        ),
        else_="The Patient is deceased, the day is not told; find it out.",
    )
    return _proposed(rows, DEATH, on_day, rows.person, why)


def _left(lives: ir.Table, coverages: ir.Table, as_of: date) -> ir.Table:
    day = ibis.literal(as_of, "date")
    own = coverages.filter(coverages.contract.notnull() & coverages.part_d.fill_null(True)).select(
        "beneficiary", "contract", "starts", "ends", cover=coverages.source
    )
    rows = lives.join(own, ["beneficiary", "contract"])
    rows = rows.filter((rows.starts <= day).fill_null(True))  # what begins later is no membership yet
    last = rows.mutate(until=rows.ends.fill_null(ibis.date(9999, 12, 31)))
    last = last.mutate(
        _place=ibis.row_number().over(group_by="enrollment", order_by=[last.until.desc(), last.cover.asc()])
    )
    last = last.filter((last._place == 0) & (last.until < day) & (last.until < last.ends_on))
    # Membership that ended before the enrollment began says nothing of when that ended.
    last = last.filter(last.until >= last.enrolled_on)
    why = ibis.literal("The last Coverage in contract ").concat(
        last.contract, " ended on ", text_of(last.until), "; record it if nothing followed."
    )
    return _proposed(last, DISENROLLMENT, last.until, last.cover, why)


def _proposed(
    rows: ir.Table, reason: str, on_day: ir.DateValue, source: ir.StringValue, why: ir.StringValue
) -> ir.Table:
    return rows.select(
        "beneficiary",
        "contract",
        "plan_year",
        "enrollment",
        reason=ibis.literal(reason),
        on_day=on_day,
        source=source,
        why=why,
    )
