"""What was done in each enrollment, as one row of days: the first of each kind, the answer to the offers, the second outreach."""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from adapter.services.lives import NO_OFFER
from adapter.targeting.service_rules import SecondOutreach


def events(lives: ir.Table, services: ir.Table, as_of: date) -> ir.Table:
    """The services that count for an enrollment, with its reference: dated, not later than ``as_of``, between first and last day.

    Services count only between enrollment and end and inside the year (reference/cms-rules.md 5, P). Columns: enrollment, kind,
    source, on_day, method, answer, about.
    """
    keys = ["beneficiary", "contract", "plan_year"]
    own = lives.select(*keys, own_enrollment=lives.enrollment, first=lives.enrolled_on, last=lives.ended_on)
    both = services.join(own, keys)
    counted = both.filter(
        (both.on_day <= ibis.literal(as_of, "date")) & (both.on_day >= both.first) & (both.on_day <= both["last"])
    )
    return counted.select("kind", "source", "on_day", "method", "answer", "about", enrollment=counted.own_enrollment)


def facts(counted: ir.Table, second: SecondOutreach) -> ir.Table:
    """One row per enrollment with a service among ``counted`` (see ``events``).

    Columns: invited_on, offered_on (first offer that reached somebody), answer and answered_on (the last answer to any offer:
    accepted or declined), again_on (first other offer that is a second outreach), cmr_on, disposed_on: days, NULL for never.
    """
    offers = _offers(counted)
    first = offers.group_by("enrollment").agg(
        offered_on=offers.on_day.min(),
        told=offers.key.max(where=offers.answer.isin(["accepted", "declined"])),
        again_on=offers.on_day.min(where=_is_second(offers, second)),
    )
    done = counted.group_by("enrollment").agg(
        invited_on=_first(counted, "invitation"),
        cmr_on=_first(counted, "cmr"),
        disposed_on=_first(counted, "safe_disposal"),
    )
    both = done.left_join(first, "enrollment").drop("enrollment_right")
    return both.mutate(answered_on=both.told.left(10).cast("date"), answer=both.told.substr(11)).drop("told")


def _first(counted: ir.Table, kind: str) -> ir.DateScalar:
    return counted.on_day.min(where=counted.kind == kind)


def _offers(counted: ir.Table) -> ir.Table:
    """The offers that reached somebody, with a key that sorts them by day, and the way of the first in ``opening``."""
    rows = counted.filter((counted.kind == "cmr_offer") & ~counted.answer.isin(NO_OFFER).fill_null(False))
    way = rows.method.fill_null("")
    rows = rows.mutate(
        way=way,
        key=rows.on_day.cast("string").concat("|", rows.answer.fill_null("")),
        place=rows.on_day.cast("string").concat("|", way),
    )
    return rows.mutate(opening=rows.place.min().over(group_by="enrollment"))


def _is_second(offers: ir.Table, second: SecondOutreach) -> ir.BooleanValue:
    """Whether an offer is another outreach than the first: another one, and by another way if the program asks for that."""
    if second.way == "any":
        return offers.place != offers.opening
    return offers.way != offers.opening.substr(11)
