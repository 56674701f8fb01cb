"""What the edits look at: the texts of a file, the days and numbers that they mean, and the list of findings in the making."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc

from adapter.reporting.edits import Edits
from adapter.reporting.finding import Finding, Severity
from adapter.reporting.form import Condition, Field, Layout
from adapter.reporting.reading import day_of, each, number_of

IDENTIFYING = (
    "mbi",
    "mbi_history",
    "first_name",
    "middle_initial",
    "last_name",
    "birth_date",
)  # never the value of a finding


@dataclass(frozen=True)
class Sheet:
    """The cells of a file (``texts``) and, when the adapter made it, the facts that they were made of (``rows``)."""

    texts: Any
    layout: Layout
    year: int
    edits: Edits
    rows: Any = None
    _parsed: dict[str, Any] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many records there are."""
        return int(self.texts.num_rows)

    def has(self, *names: str) -> bool:
        """Whether the layout has all of these fields."""
        return all(self.layout.field(name) is not None and name in self.texts.column_names for name in names)

    def day(self, name: str) -> Any:
        """The days of a date field, NULL where there is none or no day of the calendar."""
        if name not in self._parsed:
            self._parsed[name] = each(self.texts[name], day_of, pa.date32())
        return self._parsed[name]

    def number(self, name: str) -> Any:
        """The numbers of a count, NULL where there is none."""
        if name not in self._parsed:
            self._parsed[name] = each(self.texts[name], number_of, pa.int64())
        return self._parsed[name]

    def is_one_of(self, name: str, *own: str) -> Any:
        """For each row whether the field has one of these codes of the adapter, as the layout writes them; NULL when empty."""
        field = self.layout.field(name)
        written = [(field.write if field else {}).get(code, code) for code in own]
        cells = self.texts[name]
        return pc.if_else(pc.is_valid(cells), pc.is_in(cells, value_set=pa.array(written)), None)

    def holds(self, condition: Condition | None) -> Any:
        """For each row whether the condition of a layout holds; ``None`` never does."""
        if condition is None or condition.when == "always":
            return pa.array([condition is not None] * self.count, pa.bool_())
        other = self.texts[condition.field]
        if condition.when == "equal":
            return pc.is_in(other, value_set=pa.array(condition.values))
        if condition.when == "above":
            return pc.fill_null(pc.greater(self.number(condition.field), condition.least), False)
        return pc.is_valid(other) if condition.when == "given" else pc.is_null(other)

    def found(self, edit: str, bad: Any, at: Field | None, rule: str, remedy: str = "") -> Iterator[Finding]:
        """A finding for each row where the mask ``bad`` is true; none when the edit is off."""
        if not self.is_on(edit):
            return
        places = pc.indices_nonzero(pc.fill_null(bad, False))
        if len(places):
            each = zip(places.to_pylist(), self._whose(places), self._values(places, at), strict=True)
            for index, whose, value in each:
                yield self.finding(edit, rule, at, index + 1, remedy, whose, value)

    def finding(
        self,
        edit: str,
        rule: str,
        at: Field | None = None,
        row: int | None = None,
        remedy: str = "",
        whose: str | None = None,
        value: str | None = None,
    ) -> Finding:
        """One finding at a row (from 1) and field, or at the file as a whole; ``value`` identifies nobody."""
        told = self.edits[edit]
        return Finding(
            severity=cast(Severity, told.severity),  # nobody asks for the finding of an edit that is off
            edit=edit,
            element=at.element if at else "",
            row=row,
            rule=rule,
            remedy=remedy or told.remedy,
            beneficiary=whose,
            value=value,
            citation=told.citation,
            standing=told.standing,
        )

    def is_on(self, edit: str) -> bool:
        """Whether the edit is not switched off."""
        return self.edits[edit].severity != "off"

    def _whose(self, places: Any) -> list[str | None]:
        """The beneficiaries in these places; None in a file that others made."""
        if self.rows is None or "beneficiary" not in self.rows.column_names:
            return [None] * len(places)
        whose: list[str | None] = self.rows["beneficiary"].take(places).to_pylist()
        return whose

    def _values(self, places: Any, at: Field | None) -> list[str | None]:
        """The cells in these places; None for what identifies a person."""
        if at is None or at.name in IDENTIFYING or at.type in ("text", "mbi") or at.name not in self.texts.column_names:
            return [None] * len(places)
        values: list[str | None] = self.texts[at.name].take(places).to_pylist()
        return values


def in_order(findings: list[Finding], layout: Layout) -> tuple[Finding, ...]:
    """The findings by row, the file as a whole first, then by the place of the element."""
    order = {one.element: number for number, one in enumerate(layout.fields)}
    return tuple(sorted(findings, key=lambda one: (one.row or 0, order.get(one.element, -1), one.edit, one.rule)))
