"""Small expressions that several tables share: references, FHIR dates with their precision, codings, newest versions."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

OWN_BASE = "https://w3id.org/mtm-adapter/fhir/"
KIND_SYSTEM = OWN_BASE + "CodeSystem/resource-kind"  # meta.tag of every resource that the adapter wrote

_DATE = r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T.*)?)?)?$"


def reference_id(reference: ir.StringValue, resource_type: str) -> ir.StringValue:
    """The id in a reference to ``resource_type`` (relative, absolute or versioned), or NULL. Ids may hold '-' and '.'."""
    pattern = rf"(^|/){resource_type}/([A-Za-z0-9\-.]+)(/_history/[A-Za-z0-9\-.]+)?$"
    return reference.re_extract(pattern, 2).nullif("")


def text_date(text: ir.StringValue) -> ir.DateValue:
    """The day that a full FHIR date or dateTime names, as it is written; NULL for a partial date or none."""
    return ibis.ifelse(text.length() >= 10, text.left(10).try_cast("date"), ibis.null("date"))


def earliest(text: ir.StringValue) -> ir.DateValue:
    """The first day that a FHIR date of any precision can mean: 2023-03 may be as early as 2023-03-01."""
    padded = ibis.cases(
        (text.length() == 4, text.concat("-01-01")), (text.length() == 7, text.concat("-01")), else_=text.left(10)
    )
    return padded.try_cast("date")


def latest(text: ir.StringValue) -> ir.DateValue:
    """The last day that a FHIR date of any precision can mean: 2023-03 may be as late as 2023-03-31."""
    first = earliest(text)
    return ibis.cases(
        (text.length() == 4, first + ibis.interval(years=1) - ibis.interval(days=1)),
        (text.length() == 7, first + ibis.interval(months=1) - ibis.interval(days=1)),
        else_=first,
    ).cast("date")


def is_bad_date(text: ir.StringValue) -> ir.BooleanValue:
    """Whether ``text`` is given and names no day of the calendar, for example 2023-02-30."""
    return text.notnull() & ~(text.re_search(_DATE) & earliest(text).notnull()).fill_null(False)


def fault_of(*rules: tuple[ir.BooleanValue, str]) -> ir.StringValue:
    """The sentence of the first rule that holds, or NULL when the resource is good."""
    return ibis.cases(*rules, else_=ibis.null("string"))


def wrong_type(resource: ir.Table, resource_type: str) -> tuple[ir.BooleanValue, str]:
    """The rule that a resource is what its file says; files that hold several types are sorted before they are read."""
    return (resource.resourceType != resource_type).fill_null(
        True
    ), f"this is no {resource_type} (see its resourceType)"


def bad_dates(resource: ir.Table, **named: ir.StringValue) -> list[tuple[ir.BooleanValue, str]]:
    """One rule per element: its date must exist."""
    return [
        (is_bad_date(text), f"{name.replace('__', '.')} is no date of the calendar") for name, text in named.items()
    ]


def codes(concepts: ir.ArrayValue) -> ir.ArrayValue:
    """The codes of a list of codings."""
    return concepts.map(lambda coding: coding["code"])


def has_code(codings: ir.ArrayValue, wanted: Sequence[str]) -> ir.BooleanValue:
    """Whether one of ``codings`` has a code of ``wanted``; False when there are none."""
    return (codings.filter(lambda coding: coding["code"].isin(list(wanted))).length() > 0).fill_null(False)


def is_own(resource: ir.Table) -> ir.BooleanValue:
    """Whether the adapter itself wrote the resource: its own output is never evidence."""
    return (resource.meta.tag.filter(lambda tag: tag["system"] == KIND_SYSTEM).length() > 0).fill_null(False)


def has_tag(resource: ir.Table, kind: str) -> ir.BooleanValue:
    """Whether the adapter tagged the resource as of this kind."""
    tags = resource.meta.tag.filter(lambda tag: (tag["system"] == KIND_SYSTEM) & (tag["code"] == kind))
    return (tags.length() > 0).fill_null(False)


def newest(rows: ir.Table) -> ir.Table:
    """One row per id, the newest by meta.lastUpdated, then meta.versionId: servers and exports repeat and reorder versions.

    Needs the columns ``id``, ``updated`` and ``version`` (see ``versioned``); all other columns break ties, so the choice
    does not depend on the order of the input. Only ids that occur more than once are sorted: in most data few do.
    """
    several = rows.group_by("id").agg(_n=rows.count()).filter(lambda t: t._n > 1)
    again = rows.semi_join(several, "id")
    order = [again.updated.desc(nulls_first=False), again.version.desc(nulls_first=False)]
    ties = [again[name].asc() for name in again.columns if name not in ("id", "updated", "version")]
    ranked = again.mutate(_rank=ibis.row_number().over(group_by="id", order_by=order + ties))
    first = ranked.filter(ranked._rank == 0).drop("_rank", "updated", "version")
    return rows.anti_join(several, "id").drop("updated", "version").union(first)


def versioned(resource: ir.Table) -> dict[str, ir.Value]:
    """The columns ``updated`` and ``version`` that ``newest`` sorts by."""
    return {
        "updated": resource.meta.lastUpdated.try_cast("timestamp('UTC')"),
        "version": resource.meta.versionId.try_cast("int64"),
    }


def codings_or_label(concept: ir.StructValue) -> ir.ArrayValue:
    """The codings of a CodeableConcept; one coding without code, displayed as its text, when there are none."""
    nothing = ibis.null("string")
    label = ibis.array([ibis.struct({"system": nothing, "code": nothing, "display": concept["text"]})])
    return ibis.ifelse((concept["coding"].length() > 0).fill_null(False), concept["coding"], label)
