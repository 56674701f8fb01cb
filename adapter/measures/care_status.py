"""Who was in hospice or had end-stage renal disease (ESRD), and when: facts from FHIR and from lists, each with its source.

CMS takes both from its own enrollment data (Common Medicare Environment). A plan sees them in MARx reply reports, in hospice
claims, in the Medicare status on a Coverage, and in Conditions and Flags. Which codes tell them stands in
mappings/measures/care_status.toml.
"""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from adapter.measures.pdc import Period
from adapter.measures.settings import CareStatus
from adapter.tables.claims import NOT_VALID, claim_id, claim_kind
from adapter.tables.code_systems import system_name
from adapter.tables.columns import earliest, has_code, latest, newest, reference_id, versioned
from adapter.tables.coverages import NEVER

COLUMNS = ("beneficiary", "status", "starts", "ends", "fact", "source")
GIVEN = {
    "beneficiary": "string", "mbi": "string", "status": "string", "starts": "date", "ends": "date", "fact": "string",
    "source": "string",
}  # fmt: skip
ACTIVE = ("active", "recurrence", "relapse")  # FHIR condition-clinical
REFUSED = ("refuted", "entered-in-error")  # FHIR condition-ver-status


def medical_claims(eob: ir.Table, claim_types: Sequence[str], bill_types: Sequence[str]) -> ir.Table:
    """One row per ExplanationOfBenefit as received that is no pharmacy claim, with ``hospice``: whether it is a hospice claim.

    ``fault`` is always NULL: what is wrong with a claim is told where its drugs and diagnoses are read.
    """
    pairs = [one.partition("|")[::2] for one in claim_types]
    typed = eob["type"].coding.filter(
        lambda c: ibis.or_(
            ibis.literal(False), *[c["system"].endswith(end) & (c["code"] == code) for end, code in pairs]
        )
    )
    billed = eob.supportingInfo.filter(lambda s: has_code(s["category"]["coding"], ["typeofbill"]))
    of_hospice = billed.map(lambda s: s["code"]["coding"][0]["code"].re_replace("^0+", "").left(2)).filter(
        lambda bill: bill.isin(list(bill_types))
    )
    medical = eob.filter(claim_kind(eob) != "pharmacy")
    return medical.select(
        id=claim_id(eob),
        beneficiary=reference_id(eob.patient.reference, "Patient"),
        source=ibis.literal("ExplanationOfBenefit/").concat(claim_id(eob)),
        hospice=(typed.length() > 0).fill_null(False) | (of_hospice.length() > 0).fill_null(False),
        valid=~eob.status.isin(NOT_VALID).fill_null(False) & (eob.use.fill_null("claim") == "claim"),
        starts=earliest(eob.billablePeriod["start"]),
        ends=ibis.coalesce(latest(eob.billablePeriod["end"]), latest(eob.billablePeriod["start"])),
        fault=ibis.null("string"),
        **versioned(eob),
    )


def medicare_statuses(coverage: ir.Table, urls: Sequence[str], codes: Sequence[str]) -> ir.Table:
    """One row per Coverage as received, with ``esrd``: whether its Medicare status tells ESRD. ``fault`` is always NULL."""
    told = coverage.extension.filter(lambda e: e["url"].isin(list(urls)))
    code = told.map(lambda e: ibis.coalesce(e["valueCoding"]["code"], e["valueString"])).filter(
        lambda value: value.isin(list(codes))
    )
    return coverage.select(
        "id",
        beneficiary=reference_id(coverage.beneficiary.reference, "Patient"),
        source=ibis.literal("Coverage/").concat(coverage.id),
        esrd=(code.length() > 0).fill_null(False),
        valid=~coverage.status.isin(NEVER).fill_null(False),
        starts=earliest(coverage.period["start"]),
        ends=latest(coverage.period["end"]),
        fault=ibis.null("string"),
        **versioned(coverage),
    )


def of_claims(rows: ir.Table) -> ir.Table:
    """The facts of ``medical_claims``: the days of each valid hospice claim."""
    good = newest(rows.drop("fault"))
    return _facts(good.filter(good.hospice & good.valid), "hospice", ibis.literal("hospice claim"))


def of_coverages(rows: ir.Table) -> ir.Table:
    """The facts of ``medicare_statuses``: the period of each Coverage whose Medicare status tells ESRD."""
    good = newest(rows.drop("fault"))
    return _facts(good.filter(good.esrd & good.valid), "esrd", ibis.literal("Medicare status with ESRD"))


def of_conditions(conditions: ir.Table, diagnoses: ir.Table, care: CareStatus) -> ir.Table:
    """The facts of Conditions (``tables/conditions.py``) and of diagnoses on medical claims (``tables/diagnoses.py``).

    A Condition counts from its onset, else its recording, to its abatement. One that is no longer active and does not tell
    when it ended does not count: it may have ended before the year.
    """
    active = (
        (conditions.clinical.length() == 0).fill_null(True)
        | (conditions.clinical.filter(lambda c: c.isin(ACTIVE)).length() > 0).fill_null(False)
        | conditions.abated.notnull()
    )
    refused = (conditions.verification.filter(lambda c: c.isin(REFUSED)).length() > 0).fill_null(False)
    stand = conditions.filter(active & ~refused)
    stand = stand.mutate(starts=earliest(ibis.coalesce(stand.onset, stand.recorded)), ends=latest(stand.abated))
    named = stand.code.concat(" ", ibis.coalesce(stand.display, stand.label, "")).strip()
    hospice = (system_name(stand.system) == "snomedct") & stand.code.strip().isin(care.hospice.condition_codes.value)
    renal = stand.disease.isin(care.esrd.disease.value) & (stand.listed == "Y")
    billed = diagnoses.filter(diagnoses.disease.isin(care.esrd.disease.value) & (diagnoses.listed == "Y"))
    billed = billed.mutate(starts=billed.day_first, ends=billed.day_last)
    found = stand.mutate(fact=named)
    return ibis.union(
        _facts(found.filter(hospice.fill_null(False)), "hospice", ibis._.fact),
        _facts(found.filter(renal.fill_null(False)), "esrd", ibis._.fact),
        _facts(billed, "esrd", billed.code.concat(" ", ibis.coalesce(billed.display, "")).strip()),
    )


def of_flags(flags: ir.Table, care: CareStatus) -> ir.Table:
    """The facts of Flags (as received, ``tables/at_risk.py``) with a code or text of hospice: active, or ended on a known day."""
    good = newest(_shown(flags.filter(flags.fault.isnull()), care))
    return _facts(good.filter(good.hospice & good.stands), "hospice", ibis.literal("Flag"))


def _shown(flags: ir.Table, care: CareStatus) -> ir.Table:
    texts = [text.lower() for text in care.hospice.flag_texts.value]
    coded = flags.code.coding.filter(
        lambda c: c["code"].isin(care.hospice.flag_codes.value) | c["display"].lower().isin(texts)
    )
    said = (coded.length() > 0).fill_null(False) | flags.code["text"].lower().isin(texts).fill_null(False)
    ended = (flags.status != "entered-in-error") & flags.period["end"].notnull()
    return flags.select(
        "id",
        beneficiary=reference_id(flags.subject.reference, "Patient"),
        source=ibis.literal("Flag/").concat(flags.id),
        hospice=said,
        stands=((flags.status == "active") | ended).fill_null(False),
        starts=earliest(flags.period["start"]),
        ends=latest(flags.period["end"]),
        **versioned(flags),
    )


def of_lists(given: ir.Table, persons: ir.Table) -> ir.Table:
    """The facts of lists and MARx reports (columns of ``GIVEN``), whose persons are named by Patient id or by any MBI they had."""
    by_id = given.semi_join(persons, "beneficiary")
    rest = given.anti_join(persons, "beneficiary").filter(lambda t: t.mbi != "").drop("beneficiary")
    named = persons.select("beneficiary", mbi=persons.mbis.unnest()).distinct()
    return by_id.select(*COLUMNS).union(rest.inner_join(named, "mbi").select(*COLUMNS))


def _facts(rows: ir.Table, status: str, fact: ir.StringValue) -> ir.Table:
    stated = rows.mutate(status=ibis.literal(status), fact=fact)
    return stated.filter(stated.beneficiary.notnull()).select(*COLUMNS)


def in_period(facts: ir.Table, period: Period, statuses: Sequence[str]) -> ir.Table:
    """beneficiary, reason (the status), sources: who had one of ``statuses`` on any day of the period.

    Without a first day a status counts from ever, without a last day for ever.
    """
    begun = facts.starts.isnull() | (facts.starts <= period.last)
    lasting = facts.ends.isnull() | (facts.ends >= period.first)
    rows = facts.filter(begun & lasting & facts.status.isin(list(statuses)))
    return rows.group_by("beneficiary", reason=rows.status).agg(
        sources=rows.source.collect(distinct=True, order_by="source")
    )
