"""Expressions as the SQL of Spark, with the same meaning as on DuckDB: where Ibis or Spark differ, the difference is settled here.

Needs Ibis and no Spark. Each method says what would be wrong without it; tests/spark holds a case of each, answered by both engines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import ibis.common.exceptions as com
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
import sqlglot as sg
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.base import NULL
from ibis.backends.sql.compilers.pyspark import PySparkCompiler

from adapter.tables.shapes import Shape

# What DuckDB reads as a date, an instant or a number; Spark would take 2023 for the first of January and ٣ for 3.
_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\z"
_INSTANT = r"^\s*[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([T ][0-9]{1,2}:[0-9]{2}.*\s*)?\z"
_NUMBER = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*\z"
_TRUE, _FALSE = ("true", "t", "yes"), ("false", "f", "no")


def spark_sql(expression: ir.Expr) -> str:
    """The SQL text of an Ibis expression for Spark."""
    return str(COMPILER.to_sqlglot(expression).sql(dialect=COMPILER.dialect))


class _Compiler(PySparkCompiler):
    """Ibis's own compiler for Spark with another text for what would not mean the same."""

    __slots__ = ()
    SIMPLE_OPS = {op: name for op, name in PySparkCompiler.SIMPLE_OPS.items() if op is not ops.ArraySort}  # noqa: RUF012

    def visit_Strip(self, op: ops.Strip, *, arg: sge.Expression) -> sge.Expression:
        """Spark's trim takes blanks only, no tabs and line ends."""
        blanks = self.f.concat(
            sge.convert(" \t\n\r"), self.f.anon.char(11), self.f.anon.char(12)
        )  # Spark knows no \v, \f
        return sge.Trim(this=arg, position="BOTH", expression=blanks)

    def visit_StringSplit(self, op: ops.StringSplit, *, arg: sge.Expression, delimiter: Any) -> sge.Expression:
        """Spark splits at a pattern; the text is meant."""
        return self.f.anon.split(arg, self.f.concat(sge.convert(r"\Q"), delimiter, sge.convert(r"\E")))

    def visit_ArrayIndex(self, op: ops.ArrayIndex, *, arg: sge.Expression, index: Any) -> sge.Expression:
        """Spark's element_at stops at an index beyond the list; it is NULL here."""
        if isinstance(op.index, ops.Literal) and op.index.value >= 0:
            return self.f.anon.get(arg, op.index.value)
        return self.f.anon.get(arg, self.if_(index < 0, self.f.array_size(arg) + index, index))

    def visit_IntegerRange(self, op: ops.IntegerRange, *, start: Any, stop: Any, step: Any) -> sge.Expression:
        """Spark's sequence holds its last number, and goes down where the end lies before the start."""
        if op.step.value != 1:
            raise com.UnsupportedOperationError("on Spark a range goes up by one")
        return self.if_(stop > start, self.f.anon.sequence(start, stop - 1), self.f.array())

    def visit_ArrayStringJoin(self, op: ops.ArrayStringJoin, *, arg: sge.Expression, sep: Any) -> sge.Expression:
        """NULL of a list that holds nothing but NULL, the empty text of an empty one."""
        x = sg.to_identifier("x")
        told = self.f.filter(arg, sge.Lambda(this=x.is_(sg.not_(NULL)), expressions=[x]))
        nothing = sg.and_(self.f.array_size(arg) > 0, self.f.array_size(told).eq(0))
        return self.if_(nothing, NULL, self.f.anon.array_join(arg, sep))

    def visit_ArraySort(self, op: ops.ArraySort, *, arg: sge.Expression) -> sge.Expression:
        """In Spark NULL within a struct goes before any value, on DuckDB after it."""
        kind = op.arg.dtype.value_type
        if kind.is_primitive():
            return self.f.array_sort(arg)
        x, y = sg.to_identifier("x"), sg.to_identifier("y")
        pair = self.f.anon.named_struct(sge.convert("by"), self._order_of(x, kind), sge.convert("of"), x)
        keyed = self.f.anon.array_sort(self.f.anon.transform(arg, sge.Lambda(this=pair, expressions=[x])))
        return self.f.anon.transform(keyed, sge.Lambda(this=_part(y, "of"), expressions=[y]))

    def visit_SortKey(self, op: ops.SortKey, *, arg: Any, ascending: bool, nulls_first: bool) -> sge.Expression:
        """The same for a list or struct that rows are sorted by; NULL itself lies where the expression says."""
        kind = op.arg.dtype
        if kind.is_nested():
            arg = self.if_(arg.is_(NULL), NULL, self._order_of(arg, kind))
        return super().visit_SortKey(op, arg=arg, ascending=ascending, nulls_first=nulls_first)

    def _order_of(self, value: Any, kind: dt.DataType, depth: int = 0) -> sge.Expression:
        """What sorts as ``value`` does on DuckDB: each part behind whether it is NULL."""
        if kind.is_array():
            x = sg.to_identifier(f"e{depth}")
            each = sge.Lambda(this=self._order_of(x, kind.value_type, depth + 1), expressions=[x])
            value, missing = self.f.anon.transform(value, each), value.is_(NULL)
        elif kind.is_struct():
            missing = value.is_(NULL)
            parts = [self._order_of(_part(value, name), of, depth) for name, of in kind.items()]
            named = [one for n, part in enumerate(parts) for one in (sge.convert(f"p{n}"), part)]
            value = self.f.anon.named_struct(*named)
        else:
            missing = value.is_(NULL)
        return self.f.anon.named_struct(sge.convert("none"), missing, sge.convert("value"), value)

    def visit_ArrayCollect(
        self, op: ops.ArrayCollect, *, arg: Any, where: Any, order_by: Any, include_null: bool, distinct: bool
    ) -> sge.Expression:
        """Spark has no order within an aggregate: a list in the order of its own values is sorted afterwards."""
        if include_null:
            raise com.UnsupportedOperationError("a list that holds NULL is not collected on Spark")
        if where is not None:
            arg = self.if_(where, arg, NULL)
        found = self.f.anon.collect_set(arg) if distinct else self.f.anon.collect_list(arg)
        return self.f.anon.array_sort(found) if self._by_itself(op) else found

    def visit_GroupConcat(
        self, op: ops.GroupConcat, *, arg: Any, sep: Any, where: Any, order_by: Any
    ) -> sge.Expression:
        """As ``visit_ArrayCollect``; NULL when there is nothing to put together."""
        if where is not None:
            arg = self.if_(where, arg, NULL)
        found = self.f.anon.collect_list(arg)
        found = self.f.anon.array_sort(found) if self._by_itself(op) else found
        return self.if_(self.f.array_size(found).eq(0), NULL, self.f.anon.array_join(found, sep))

    def _by_itself(self, op: ops.ArrayCollect | ops.GroupConcat) -> bool:
        """Whether an aggregate is ordered by its own values; another order is refused rather than forgotten."""
        if not op.order_by:
            return False
        [key, *more] = op.order_by
        if more or key.descending or key.arg != op.arg:
            raise com.UnsupportedOperationError("on Spark a list is collected in the order of its own values only")
        return True

    def visit_WindowFunction(self, op: ops.WindowFunction, *, func: Any, **more: Any) -> sge.Expression:
        """Spark counts no distinct values over a window: it collects them there."""
        if isinstance(op.func, ops.CountDistinct):
            [counted] = func.this.expressions
            values = super().visit_WindowFunction(op, func=self.f.anon.collect_set(counted), **more)
            return self.cast(self.f.array_size(values), dt.int64)
        return super().visit_WindowFunction(op, func=func, **more)

    def visit_TryCast(self, op: ops.TryCast, *, arg: Any, to: dt.DataType) -> sge.Expression:
        """A text is a date, an instant or a number only where DuckDB takes it for one; 5.7 is the whole number 6."""
        if not op.arg.dtype.is_string():
            return super().visit_TryCast(op, arg=arg, to=to)
        wanted = _DAY if to.is_date() else _INSTANT if to.is_timestamp() else _NUMBER
        told = arg
        if to.is_integer():
            number = sge.TryCast(this=arg, to=sge.DataType.build("decimal(38, 18)", dialect="spark"), safe=True)
            told = self.f.round(number, 0)
        value = super().visit_TryCast(op, arg=told, to=to)
        return self.if_(sge.RegexpLike(this=arg, expression=sge.convert(wanted)), value, NULL)

    def visit_RegexSearch(self, op: ops.RegexSearch, *, arg: Any, pattern: Any) -> sge.Expression:
        """See ``_java``."""
        return sge.RegexpLike(this=arg, expression=_java(pattern))

    def visit_RegexExtract(self, op: ops.RegexExtract, *, arg: Any, pattern: Any, index: Any) -> sge.Expression:
        """See ``_java``."""
        return self.f.anon.regexp_extract(arg, _java(pattern), index)

    def visit_RegexReplace(self, op: ops.RegexReplace, *, arg: Any, pattern: Any, replacement: Any) -> sge.Expression:
        """See ``_java``."""
        return self.f.anon.regexp_replace(arg, _java(pattern), replacement)


def _java(pattern: sge.Expression) -> sge.Expr:
    """The pattern as Java's: its ``$`` also stands before a line end at the end, its ``(?i)`` knows ASCII letters only, and its ``\\s``
    is also a vertical tab."""
    text = _BLANK.sub(lambda found: found[1] or (found[2] or r"[\s]").replace(r"\s", _BLANKS), str(pattern.this))
    text = text[:-1] + r"\z" if text.endswith("$") and not text.endswith(r"\$") else text
    return sge.convert(text.replace("(?i)", "(?iu)"))


_BLANKS = r"\t\n\f\r "
_BLANK = re.compile(
    r"(\\[^s])|(\[(?:\\.|[^\]\\])*\])|\\s", re.DOTALL
)  # what is escaped, a class, a blank outside of one


def _part(value: Any, name: str) -> sge.Expression:
    return sge.Dot(this=value, expression=sg.to_identifier(name, quoted=True))


COMPILER = _Compiler()


def read_type(shape: Shape) -> str:
    """The type in which Spark reads a shape: every scalar as its text, since a number must not pass through a float."""
    return _type(shape, "STRING")


def column_type(shape: Shape) -> str:
    """The Spark type of a shape."""
    return _type(shape, "BOOLEAN")


def _type(shape: Shape, boolean: str) -> str:
    if isinstance(shape, str):
        return boolean if shape == "boolean" else "STRING"
    if isinstance(shape, list):
        return f"ARRAY<{_type(shape[0], boolean)}>"
    return "STRUCT<" + ", ".join(f"`{name}`: {_type(of, boolean)}" for name, of in shape.items()) + ">"


def as_shaped(value: str, shape: Shape, refused: str) -> str:
    """SQL that turns ``value``, read by ``read_type``, into the type of the shape: texts into booleans as DuckDB does.

    Another text than one for true or false is answered by the SQL ``refused``.
    """
    if not _holds_boolean(shape):
        return value
    if isinstance(shape, list):
        name = f"x{value.count('x')}"
        return f"transform({value}, {name} -> {as_shaped(name, shape[0], refused)})"
    if isinstance(shape, Mapping):
        parts = ", ".join(f"'{name}', {as_shaped(f'{value}.`{name}`', of, refused)}" for name, of in shape.items())
        return f"IF({value} IS NULL, NULL, named_struct({parts}))"
    return _boolean(value, refused)


def _holds_boolean(shape: Shape) -> bool:
    if isinstance(shape, str):
        return shape == "boolean"
    return any(map(_holds_boolean, shape if isinstance(shape, list) else shape.values()))


def _boolean(value: str, refused: str) -> str:
    number = f"try_cast({value} AS DOUBLE)"
    cases = (
        (f"{value} IS NULL", "NULL"),
        (_among(value, _TRUE), "TRUE"),
        (_among(value, _FALSE), "FALSE"),
        (f"{number} IS NOT NULL", f"{number} <> 0"),
    )
    return "CASE " + " ".join(f"WHEN {when} THEN {then}" for when, then in cases) + f" ELSE {refused} END"


def _among(value: str, words: tuple[str, ...]) -> str:
    return f"lower({value}) IN (" + ", ".join(f"'{word}'" for word in words) + ")"
