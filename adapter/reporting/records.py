"""The records of one contract and year as a table: one row per beneficiary, one column per element of the layout.

A column holds the fact, typed, in the words of the adapter; how it looks in the file is the layout's matter
(``file.py``). What is not known is NULL: never "N", never zero. Which rule fills which column stands in ``rules.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import ibis
import ibis.expr.types as ir

from adapter.reporting import provided
from adapter.reporting.enrolled import SEVERAL, carriers, enrolled, versioned
from adapter.reporting.provided import Services, days_of, services_of


@dataclass(frozen=True)
class Parts:
    """What the records of one contract and year are made of; see ``parts``."""

    enrollments: ir.Table
    enrollees: ir.Table
    persons: ir.Table
    services: Services  # of the contract
    provided: tuple[ir.Table, ...]  # what was provided to each: reviews, offers, tallies, recommendations
    contract: str
    year: int
    read: Callable[[ir.Table], Any] = ir.Table.to_pyarrow  # the rows of an expression as a pyarrow table


def parts(enrollments: ir.Table, beneficiaries: ir.Table, services: ir.Table, contract: str, year: int) -> Parts:
    """The parts of the records: ``enrollments`` and ``beneficiaries`` as of ``tables/``, ``services`` of mtm_services."""
    enrollees = enrolled(enrollments, contract, year)
    own = services_of(services, enrollees, contract)
    return Parts(enrollments, enrollees, beneficiaries, own, provided_to_each(own), contract, year)


def kept(of: Parts, keep: Callable[[ir.Table, str], ir.Table], read: Callable[[ir.Table], Any]) -> Parts:
    """The same parts, each computed by itself and once by ``keep(table, name)``.

    Several tables need the enrollees; and what was provided to a million of them does not fit into memory at once.
    """
    enrollees = keep(of.enrollees, "enrollees")
    services = replace(of.services, days=days_of(enrollees))
    done = tuple(keep(table, f"provided_{number}") for number, table in enumerate(provided_to_each(services)))
    return replace(of, enrollees=enrollees, services=services, provided=done, read=read)


def provided_to_each(of: Services) -> tuple[ir.Table, ...]:
    """What was provided to each beneficiary, a table for each kind of fact."""
    return provided.reviews(of), provided.offers(of), provided.tallies(of), provided.recommendations(of)


def records(of: Parts) -> ir.Table:
    """One row per beneficiary enrolled in the contract at any time of the year, sorted by MBI, then Patient id.

    Columns: those of the layouts by name, and ``beneficiary`` (Patient id).
    """
    rows = _joined(of.enrollees, _persons(of), *of.provided)
    return _ordered(
        rows.select(
            "beneficiary", "mbi", "mbi_history", "first_name", "middle_initial", "last_name", "birth_date",
            "met_criteria", "enrolled_on", "criteria_met_on", "opted_out_on", "opt_out_reason", "tmr_first_on",
            contract_number=ibis.literal(of.contract),
            tmr_count=_none_is_zero(rows.tmr_count),
            recommendations=_none_is_zero(rows.recommendations),
            therapy_changes=_none_is_zero(rows.therapy_changes),
            safe_disposal=_flag(rows.safe_disposal.fill_null(False)),
            **_cmr(rows.cmr, rows.offer),
        )
    )  # fmt: skip


def evidence(of: Parts) -> tuple[ir.Table, ...]:
    """The resources behind the records, a table for each part: beneficiary, and text columns of versioned references.

    Columns, joined by ';' where there are several: patient; enrollments, last (enrollment); cmr, summary,
    impaired (that CMR when it tells); offer; tmrs, disposals; recommended, resolved. They are not joined here: with a million
    enrollees that costs more than all else.
    """
    services = replace(of.services, with_sources=True)
    persons = of.persons.semi_join(of.enrollees, "beneficiary")
    reviews, offers = provided.reviews(services), provided.offers(services)
    return (
        persons.select("beneficiary", patient=versioned(persons.source, persons.version_id)),
        carriers(of.enrollments, of.contract, of.year),
        reviews.select(
            "beneficiary",
            cmr=reviews.cmr["source"],
            summary=reviews.cmr["summary"],
            impaired=reviews.cmr["impaired_from"],
        ),
        offers.select("beneficiary", offer=offers.offer["source"]),
        provided.tallies(services).select("beneficiary", "tmrs", "disposals"),
        provided.recommendations(services).select("beneficiary", "recommended", "resolved"),
    )


def _joined(rows: ir.Table, *tables: ir.Table) -> ir.Table:
    """``rows`` of enrollees with the columns of ``tables``, NULL where these have no such beneficiary."""
    for number, table in enumerate(tables):
        key = f"_of_{number}"
        rows = rows.left_join(table.rename({key: "beneficiary"}), [("beneficiary", key)])
    return rows.select([name for name in rows.columns if not name.startswith("_of_")])


def _ordered(rows: ir.Table) -> ir.Table:
    return rows.order_by(ibis.asc("mbi", nulls_first=False), "beneficiary")


def _persons(of: Parts) -> ir.Table:
    """Identification, as the newest version of the Patient has it."""
    rows = of.persons
    family, given = _name(rows.family), _name(rows.given)
    earlier = rows.mbis.filter(lambda mbi: mbi != rows.mbi).sort()
    return rows.select(
        "beneficiary",
        "mbi",
        mbi_history=earlier.join(SEVERAL).nullif(""),
        # A person with one name has it in the last name, whichever element of HumanName holds it (own reading, U).
        first_name=ibis.ifelse(family.isnull(), ibis.null("string"), given),
        middle_initial=_name(rows.middle).left(1),
        last_name=ibis.coalesce(family, given),
        birth_date=rows.birth_day,
    )


def _cmr(cmr: ir.StructValue, offer: ir.StructValue) -> dict[str, ir.Value]:
    """The elements on offer and CMR, of the first offer and of the initial CMR with a summary.

    Cognitive impairment is asked "at the CMR offer or delivery" [P+]: what was told at the CMR stands (U too), else at
    the first offer, else U; the LTC facility is U when there was no CMR [P+].
    """
    received = cmr.notnull()
    return {
        "cognitively_impaired": ibis.coalesce(cmr["impaired"], offer["impaired"], "U"),
        "ltc_facility": ibis.coalesce(cmr["ltc"], "U"),
        "cmr_offered": _flag(offer.notnull()),
        "cmr_offered_on": offer["on"],
        "cmr_offer_recipient": offer["recipient"],
        "cmr_received": _flag(received),
        "cmr_on": cmr["on"],
        "cmr_summary_sent_on": cmr["summary_on"],
        "cmr_method": cmr["method"],
        "cmr_provider": cmr["provider"],
        "cmr_recipient": cmr["recipient"],
    }


def _flag(yes: ir.BooleanValue) -> ir.StringValue:
    return ibis.ifelse(yes, "Y", "N")


def _none_is_zero(count: ir.IntegerValue) -> ir.IntegerValue:
    return count.fill_null(0).cast("int64")


def _name(text: ir.StringValue) -> ir.StringValue:
    return text.strip().nullif("")
