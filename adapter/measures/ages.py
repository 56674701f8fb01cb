"""How old a person is on a day, when the birth date may be partial or not known."""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from adapter.tables.columns import earliest, latest


def is_aged(birth_date: ir.StringValue, on: date, youngest: int = 0, oldest: int | None = None) -> ir.BooleanValue:
    """Whether a person of that ``birth_date`` (as FHIR gave it) is ``youngest`` to ``oldest`` years old, both counted, on ``on``.

    NULL when the birth date is not known, or when a partial one leaves it open. Who was born on 29 February is a year
    older on 1 March of other years.
    """
    born_first, born_last = earliest(birth_date), latest(birth_date)
    old_enough = _before(born_first, born_last, _years_before(on, youngest))
    if oldest is None:
        return old_enough
    return old_enough & ~_before(born_first, born_last, _years_before(on, oldest + 1))


def _before(first: ir.DateValue, last: ir.DateValue, day: date) -> ir.BooleanValue:
    """Whether a birth within ``first`` to ``last`` lies on ``day`` or before it."""
    return ibis.cases((last <= day, True), (first > day, False), else_=ibis.null("boolean"))


def _years_before(day: date, years: int) -> date:
    """The last birth date that is ``years`` years old on ``day``; on 29 February that is the 28th in other years."""
    year = day.year - years
    leap = day.month == 2 and day.day == 29 and not (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0))
    return date(year, day.month, 28 if leap else day.day)
