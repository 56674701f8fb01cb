"""At-risk beneficiaries (42 CFR 423.100): rows of the plan's roster and FHIR Flags as one table."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from adapter.tables.columns import bad_dates, earliest, fault_of, latest, newest, reference_id, versioned, wrong_type

ROSTER = {
    "beneficiary": "string",
    "mbi": "string",
    "contract": "string",
    "status": "string",
    "starts": "date",
    "ends": "date",
    "source": "string",
}


def received(flag: ir.Table) -> ir.Table:
    """The Flags as received, with ``fault``: read once, whatever programs ask of them (see ``flags``)."""
    return flag.mutate(fault=_fault(flag))


def _fault(flag: ir.Table) -> ir.StringValue:
    return fault_of(
        wrong_type(flag, "Flag"),
        (flag.id.isnull(), "the Flag has no id"),
        *bad_dates(flag, period__start=flag.period["start"], period__end=flag.period["end"]),
    )


def flags(flag: ir.Table, flag_codes: Sequence[str], flag_texts: Sequence[str]) -> ir.Table:
    """One row per Flag as received, with ``fault``; ``status`` is AR for a flag that the program takes as at-risk, else NULL."""
    coded = flag.code.coding.filter(
        lambda c: c["code"].isin(list(flag_codes)) | c["display"].lower().isin(_lower(flag_texts))
    )
    at_risk = (coded.length() > 0).fill_null(False) | flag.code["text"].lower().isin(_lower(flag_texts)).fill_null(
        False
    )
    return flag.select(
        "id",
        beneficiary=reference_id(flag.subject.reference, "Patient"),
        source=ibis.literal("Flag/").concat(flag.id),
        status=ibis.ifelse(at_risk & (flag.status == "active"), "AR", ibis.null("string")),
        starts=earliest(flag.period["start"]),
        ends=latest(flag.period["end"]),
        fault=_fault(flag),
        **versioned(flag),
    )


def _lower(texts: Sequence[str]) -> list[str]:
    return [text.lower() for text in texts]


def at_risk(flag_rows: ir.Table, roster: ir.Table, beneficiaries: ir.Table) -> ir.Table:
    """One row per at-risk fact of a beneficiary: beneficiary, contract (NULL for a Flag), status, starts, ends, source.

    A roster row names its person by Patient id, or, where that is no Patient's, by an MBI that the person has or had: CMS never
    gives an MBI to another person.
    """
    flagged = newest(flag_rows.filter(flag_rows.fault.isnull()).drop("fault"))
    flagged = flagged.filter(flagged.status.notnull() & flagged.beneficiary.notnull())
    from_flags = flagged.select("beneficiary", "status", "starts", "ends", "source", contract=ibis.null("string"))
    by_id = roster.semi_join(beneficiaries, "beneficiary")
    rest = roster.anti_join(beneficiaries, "beneficiary").filter(lambda t: t.mbi != "").drop("beneficiary")
    named = beneficiaries.select("beneficiary", mbi=beneficiaries.mbis.unnest()).distinct()
    by_mbi = rest.inner_join(named, "mbi")
    columns = ("beneficiary", "status", "starts", "ends", "source", "contract")
    rows = by_id.select(*columns).union(by_mbi.select(*columns))
    return rows.mutate(contract=rows.contract.nullif("")).union(from_flags)
