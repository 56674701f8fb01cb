"""MeasureReports (R4) of the adapter's measures: one individual report per beneficiary, one summary report per measure.

The populations are those of a proportion measure (https://terminology.hl7.org/CodeSystem-measure-population.html): as there, the
denominator holds the excluded too, and the score is numerator by denominator without exclusions. What no population holds (why a
beneficiary is not counted, days) stands in the extension mtm-measure-result. An individual report without the count of a population
says that the data do not decide it. A report without a score tells why by a data-absent-reason.

No date is written: the same data give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from adapter.measures.rows import Total
from adapter.resources.ids import BASE, Resource, identifier, references, resource_id, tag
from adapter.resources.narrative import narrative, paragraph

POPULATION = "http://terminology.hl7.org/CodeSystem/measure-population"
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
RESULT_EXTENSION = f"{BASE}StructureDefinition/mtm-measure-result"
VERSION = "0.1.0"
POPULATIONS = {
    "initial-population": "Initial Population",
    "denominator": "Denominator",
    "denominator-exclusion": "Denominator Exclusion",
    "numerator": "Numerator",
}


def measure_url(measure: str) -> str:
    """The canonical of a measure, without version: ``.../Measure/mtm-cmr-completion``."""
    return f"{BASE}Measure/mtm-{measure.replace('_', '-')}"


def individual(row: Mapping[str, Any], contract: str, year: int) -> Resource:
    """The report of one beneficiary; ``row`` has the columns of ``measures.rows.COLUMNS``."""
    beneficiary, measure = row["beneficiary"], row["measure"]
    counted = None if row["in_denominator"] is None else row["in_denominator"] or row["excluded"]
    counts = {
        "initial-population": True,
        "denominator": counted,
        "denominator-exclusion": row["excluded"],
        "numerator": row["in_numerator"],
    }
    parts = [
        {"url": "contract", "valueString": contract},
        *_part("reason", "valueCode", row["reason"]),
        *_part("shortfall", "valueCode", row["shortfall"]),
        *_part("days", "valueInteger", row["days"]),
        *_part("daysCovered", "valueInteger", row["days_covered"]),
        *_part("proportion", "valueDecimal", row["proportion"]),
    ]
    told = ", ".join(f"{name} {_word(value)}" for name, value in counts.items())
    score, open_ = row["in_numerator"] if row["in_denominator"] else None, row["in_denominator"] is not False
    evaluated = [{"reference": one} for one in references(row["sources"])]
    return {
        **_common(measure, "individual", contract, beneficiary, year, parts, told),
        "subject": {"reference": f"Patient/{beneficiary}"},
        **_period(year),
        "group": [_group(counts, None if score is None else Decimal(score), "unknown" if open_ else "not-applicable")],
    } | ({"evaluatedResource": evaluated} if evaluated else {})


def summary(total: Total) -> Resource:
    """The report of one measure of one contract and year; without a rate its score is told as not applicable."""
    counts = {
        "initial-population": total.population,
        "denominator": total.denominator + total.excluded,
        "denominator-exclusion": total.excluded,
        "numerator": total.numerator,
    }
    parts = [
        {"url": "contract", "valueString": total.contract},
        *_part("undecided", "valueInteger", total.undecided + total.numerator_undecided),
        *_part("remark", "valueString", total.remark),
    ]
    told = ", ".join(f"{name} {value}" for name, value in counts.items())
    return {
        **_common(total.measure, "summary", total.contract, "", total.year, parts, told),
        **_period(total.year),
        "group": [_group(counts, total.rate, "not-applicable")],
    }


def _group(counts: Mapping[str, bool | int | None], score: Decimal | None, absent: str) -> Resource:
    """The populations and the score; HAPI asks for one in every report of a proportion, so what has none says why."""
    none = {"_value": {"extension": [{"url": ABSENT, "valueCode": absent}]}}
    return {
        "population": [_population(name, value) for name, value in counts.items()],
        "measureScore": none if score is None else {"value": score},
    }


def _common(
    measure: str, kind: str, contract: str, beneficiary: str, year: int, parts: list[Resource], told: str
) -> Resource:
    own_id = resource_id("measure-report", contract, beneficiary, year, measure)
    text = f"{measure.replace('_', ' ')}, contract {contract}, {year}: {told}."
    return {
        "resourceType": "MeasureReport",
        "id": own_id,
        "meta": {"tag": [tag("measure-report")]},
        "text": narrative(paragraph(text)),
        "extension": [{"url": RESULT_EXTENSION, "extension": parts}],
        "identifier": [identifier(own_id)],
        "status": "complete",
        "type": kind,
        "measure": f"{measure_url(measure)}|{VERSION}",
    }


def _period(year: int) -> Resource:
    return {"period": {"start": f"{year}-01-01", "end": f"{year}-12-31"}}


def _population(name: str, value: bool | int | None) -> Resource:
    coded = {"code": {"coding": [{"system": POPULATION, "code": name, "display": POPULATIONS[name]}]}}
    return coded if value is None else {**coded, "count": int(value)}


def _part(name: str, element: str, value: str | int | Decimal | None) -> Iterator[Resource]:
    if value not in ("", None):
        yield {"url": name, element: value}


def _word(value: bool | None) -> str:
    return {True: "yes", False: "no", None: "undecided"}[value]
