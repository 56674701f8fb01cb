"""The records of one contract and year as a table: one row per beneficiary, one column per element of the layout.

A column holds the fact, typed, in the words of the adapter; how it looks in the file is the layout's matter
(``file.py``). What is not known is NULL: never "N", never zero. Which rule fills which column stands in ``rules.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import ibis
import ibis.expr.types as ir

from adapter.reporting import provided
from adapter.reporting.enrolled import SEVERAL, carriers, enrolled, versioned
from adapter.reporting.provided import Services, services_of


@dataclass(frozen=True)
class Parts:
    """What the records of one contract and year are made of; see ``parts``."""

    enrollments: ir.Table
    enrollees: ir.Table
    persons: ir.Table
    services: Services  # of the contract
    contract: str
    year: int


def parts(enrollments: ir.Table, beneficiaries: ir.Table, services: ir.Table, contract: str, year: int) -> Parts:
    """The parts of the records: ``enrollments`` and ``beneficiaries`` as of ``tables/``, ``services`` of mtm_services."""
    enrollees = enrolled(enrollments, contract, year)
    return Parts(enrollments, enrollees, beneficiaries, services_of(services, enrollees, contract), contract, year)


def with_enrollees(of: Parts, enrollees: ir.Table) -> Parts:
    """The same parts with ``enrollees`` computed once: several tables need them."""
    days = enrollees.select("beneficiary", "first_day", "last_day")
    return replace(of, enrollees=enrollees, services=replace(of.services, days=days))


def records(of: Parts) -> ir.Table:
    """One row per beneficiary enrolled in the contract at any time of the year, sorted by MBI, then Patient id.

    Columns: those of the layouts by name, and ``beneficiary`` (Patient id).
    """
    rows = _joined(of.enrollees, _persons(of), of.services)
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


def evidence(of: Parts) -> ir.Table:
    """The resources behind each record, in the order of ``records``: text columns of versioned references, joined by ';'.

    Columns: patient, enrollments, last (enrollment), offer, cmr, summary, tmrs, recommended, resolved, disposals; NULL
    where there is none.
    """
    persons = of.persons.select("beneficiary", "mbi", patient=versioned(of.persons.source, of.persons.version_id))
    rows = _joined(carriers(of.enrollments, of.contract, of.year), persons, replace(of.services, with_sources=True))
    ordered = rows.select(
        "beneficiary", "mbi", "patient", "enrollments", "last", "tmrs", "recommended", "resolved", "disposals",
        offer=rows.offer["source"],
        cmr=rows.cmr["source"],
        summary=rows.cmr["summary"],
    )  # fmt: skip
    return _ordered(ordered).drop("beneficiary", "mbi")


def _joined(rows: ir.Table, persons: ir.Table, services: Services) -> ir.Table:
    """``rows`` of enrollees with their persons and what was provided to each."""
    tables = (
        persons,
        provided.reviews(services),
        provided.offers(services),
        provided.tallies(services),
        provided.recommendations(services),
    )
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

    Cognitive impairment is asked "at the CMR offer or delivery" [P+]: the CMR tells, else the first offer, else U; the
    LTC facility is U when there was no CMR [P+].
    """
    received = cmr.notnull()
    return {
        "cognitively_impaired": ibis.coalesce(ibis.ifelse(received, cmr["impaired"], offer["impaired"]), "U"),
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
