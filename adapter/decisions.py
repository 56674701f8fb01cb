"""Rows of the targeting tables to the plain values Decision and ListedDrug, for explain, the web and the resources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import groupby
from typing import Any

from adapter.targeting.decision import CRITERIA, CriterionResult, Decision, Evidence, ListedDrug


def decisions(
    targeting: Iterable[Mapping[str, Any]], criteria: Iterable[Mapping[str, Any]], as_of: date
) -> Iterator[Decision]:
    """One Decision per row of ``targeting``, in its order. Both come sorted by beneficiary."""
    by_person = {person: list(rows) for person, rows in groupby(criteria, key=lambda row: str(row["beneficiary"]))}
    for row in targeting:
        results = sorted(
            (_criterion(one) for one in by_person.get(row["beneficiary"], [])),
            key=lambda r: CRITERIA.index(r.criterion),
        )
        yield Decision(
            beneficiary=row["beneficiary"],
            contract=row["contract"],
            pbp=row["pbp"],
            outcome=row["outcome"],
            doors=tuple(filter(None, row["doors"].split(";"))),
            reason_code=row["reason_code"],
            criteria=tuple(results),
            as_of=as_of,
        )


def _criterion(row: Mapping[str, Any]) -> CriterionResult:
    evidence = tuple(Evidence(e["item"] or "", e["fact"] or "", e["source"] or "") for e in row["evidence"] or ())
    return CriterionResult(row["criterion"], row["outcome"], row["observed"], row["required"], evidence)


def drugs_by_person(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[ListedDrug]]:
    """The Personal Medication List of each person, from rows of tables/listed_drugs.py."""
    lists: dict[str, list[ListedDrug]] = {}
    for row in rows:
        lists.setdefault(row["beneficiary"], []).append(_listed(row))
    return lists


def _listed(row: Mapping[str, Any]) -> ListedDrug:
    codings = tuple((c["system"] or "", c["code"], c["display"] or "") for c in row["codings"] or () if c["code"])
    return ListedDrug(
        drug=row["drug"],
        name=row["name"],
        codings=codings,
        statement=row["statement"],
        sources=tuple(row["sources"]),
        since=row["since"],
        latest=row["latest"],
        kind=row["kind"],
    )
