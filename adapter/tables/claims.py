"""Pharmacy ExplanationOfBenefit to one row per claim line: the drug, the fill date, the gross cost.

Medical claims are read in the same pass, since they stand in the same files; ``tables/diagnoses.py`` takes them from there.

Three shapes are read as one: CARIN Blue Button, CMS BFD v2 and CMS BFD v3 (reference/cms-fhir-apis.md 2.1). Which claim is valid
and what it cost is settled here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from adapter.tables.columns import (
    codings_or_label,
    earliest,
    fault_of,
    has_code,
    is_bad_date,
    latest,
    newest,
    reference_id,
    versioned,
    wrong_type,
)

V2 = "https://bluebutton.cms.gov/resources/variables/"

NO_ID = "no-id-"  # begins the name that a claim without id gets from its content
PHARMACY = ("pharmacy", "PDE")
INPATIENT = ("INPATIENT", "SNF")  # eob-type of CMS BFD; CARIN says it by subType
# CLM-TYPE-CD (BFD v3) and nch_clm_type_cd (v2): skilled nursing, inpatient hospital, inpatient of Medicare Advantage.
INPATIENT_TYPES = ("20", "30", "60", "61", "62", "63", "64")
CLAIM_TYPES = "(CLM-TYPE-CD|nch_clm_type_cd)$"
MEDICAL = ("institutional", "professional", "CARRIER", "OUTPATIENT", "HHA", "HOSPICE")
EQUIPMENT = ("DME",)  # no face-to-face diagnosis: left out, as the Chronic Conditions Warehouse does
# Total drug cost of a prescription drug event: ingredient cost, dispensing fee, tax and vaccine administration, plan and member paid.
# `submitted` alone is what the pharmacy asked for, so it is no drug cost (data-quirks.md 1).
TOTAL_COST = ("drugcost", "TOT_RX_CST_AMT", V2 + "tot_rx_cst_amt")
COVERAGE_STATUS = ("CLM_DRUG_CVRG_STUS_CD", V2 + "drug_cvrg_stus_cd")  # C = covered by Part D
DELETION = (V2 + "adjstmt_dltn_cd", "CLM_ADJSTMT_TYPE_CD")  # D = deleted
DELETED_TYPE = ("3",)  # CLM-TYPE-CD 3: "MEDICARE PART D DELETED CLAIM", although its status is active
CLAIM_TYPE_SYSTEM = "CLM-TYPE-CD"
NOT_FINAL = "NotFinalAction"  # tag of BFD v3: a later claim has taken this one's place
NOT_VALID = ("cancelled", "entered-in-error", "draft")
UNIQUE_CLAIM = "uc"  # C4BBIdentifierType "Unique Claim ID"
SHARED_IDENTIFIERS = ("claim-group", "rx_srvc_rfrnc_num")  # of BFD v2: also typed uc, but several claims have one
NOT_COVERED = ("noncovered",)  # C4BBAdjudication: the portion that the plan does not cover
DOLLARS = ("USD", "")
LARGEST_COST = 9_999_999_999  # dollars of one claim line; DECIMAL(12,2) holds no more


def explanations(eob: ir.Table) -> ir.Table:
    """One row per ExplanationOfBenefit as received, with ``fault``, its kind (see ``claim_kind``), lines or diagnoses as a list.

    An EOB without id (BFD v3 gives such) is named by a hash of its content, so that the same claim read twice counts once.
    """
    period = eob.billablePeriod["start"]
    claim = claim_id(eob)
    kind = claim_kind(eob)
    return eob.select(
        id=claim,
        kind=kind,
        beneficiary=reference_id(eob.patient.reference, "Patient"),
        source=ibis.literal("ExplanationOfBenefit/").concat(claim),
        identifiers=eob.identifier.map(lambda i: i["value"]).filter(lambda v: v.notnull()),
        unique_claim=ibis.ifelse(kind == "pharmacy", _unique_claim(eob, period), ibis.null("string")),
        received=eob.meta.lastUpdated.try_cast("timestamp('UTC')"),
        valid=_is_valid(eob),
        deleted=_is_deleted(eob),
        covered=_info_code(eob, COVERAGE_STATUS).fill_null("C") == "C",
        days_supply=_info(eob, ("dayssupply",))["valueQuantity"]["value"].try_cast("decimal(9,2)"),
        told=_told(eob.total),
        replaces=_related(eob, "prior"),
        lines=ibis.ifelse(kind == "pharmacy", eob.item.map(lambda item: _line(item, period)), None),
        period=ibis.coalesce(period, eob.item.map(lambda i: _filled(i, None)).mins()),
        diagnoses=ibis.ifelse(kind == "pharmacy", None, diagnosis_codings(eob)),
        fault=fault_of(
            wrong_type(eob, "ExplanationOfBenefit"),
            (eob["type"].isnull(), "the ExplanationOfBenefit has no type"),
            (reference_id(eob.patient.reference, "Patient").isnull(), "the ExplanationOfBenefit names no Patient"),
            *_pharmacy_faults(eob, kind == "pharmacy"),
            (is_bad_date(period), "billablePeriod.start is no date of the calendar"),
        ),
        **versioned(eob),
    )  # fmt: skip


def claim_id(eob: ir.Table) -> ir.StringValue:
    """The id of each ExplanationOfBenefit, or the name made of its content."""
    return ibis.coalesce(eob.id, ibis.literal(NO_ID).concat(_content_hash(eob)))


def _pharmacy_faults(eob: ir.Table, pharmacy: ir.BooleanValue) -> list[tuple[ir.BooleanValue, str]]:
    told = eob.item.filter(
        lambda i: (i["productOrService"]["coding"].length() > 0) | i["productOrService"]["text"].notnull()
    )
    return [
        (pharmacy & (eob.item.length() == 0).fill_null(True), "the ExplanationOfBenefit has no item"),
        (
            pharmacy & _has_bad_date(eob),
            "a fill date (item.servicedDate or servicedPeriod.start) is no date of the calendar",
        ),
        (pharmacy & (told.length() == 0).fill_null(True), "no item has a productOrService (FHIR R4; STU3 is not read)"),
    ]


def claim_kind(claim: ir.Table) -> ir.StringValue:
    """pharmacy, inpatient, outpatient (institutional or professional otherwise) or other (dental, vision, equipment)."""
    types = claim["type"].coding
    stays = types.filter(
        lambda c: c["code"].isin(INPATIENT_TYPES) & c["system"].re_search(CLAIM_TYPES).fill_null(False)
    )
    inpatient = (
        has_code(types, INPATIENT)
        | (stays.length() > 0).fill_null(False)
        | (has_code(types, ["institutional"]) & has_code(claim.subType["coding"], ["inpatient"]))
    )
    return ibis.cases(
        (has_code(types, PHARMACY), "pharmacy"),
        (inpatient, "inpatient"),
        (has_code(types, EQUIPMENT), "other"),
        (has_code(types, MEDICAL), "outpatient"),
        else_="other",
    )


def diagnosis_codings(claim: ir.Table) -> ir.ArrayValue:
    """The codings of all diagnoses of a claim, as one list."""
    return claim.diagnosis.map(lambda d: ibis.coalesce(d["diagnosisCodeableConcept"]["coding"], _NO_CODINGS)).flatten()


_NO_CODINGS = ibis.literal([], type="array<struct<system: string, code: string, display: string>>")


def claims(rows: ir.Table, covered_only: bool = True) -> ir.Table:
    """One row per line of each valid, covered Part D claim, the newest version of each.

    Without ``covered_only`` also of drugs that Part D does not cover: they are taken all the same.

    Columns: kind ("claim"), source, beneficiary, codings (part, system, code, display), label, day_first and day_last of the
    fill, days_supply, cost (DECIMAL(12,2), NULL when the claim tells no usable total drug cost), refused_cost (the amount as
    received when it is why there is none).
    """
    good = newest(rows.filter(rows.fault.isnull()).drop("fault"))
    known = _one_per_claim(good.filter(good.kind == "pharmacy"))
    standing = _not_replaced(known)
    valid = standing.filter(standing.valid & (standing.covered | (not covered_only)))
    lines = valid.mutate(place=ibis.range(0, valid.lines.length()).unnest())
    lines = lines.mutate(
        line=lines.lines[lines.place], priced=lines.lines.filter(lambda x: _dollars(x["told"]).notnull()).length()
    )
    lines = lines.mutate(own=_dollars(lines.line["told"]), total=_dollars(lines.told))
    whole = ibis.ifelse(lines.place == 0, lines.total, ibis.literal("0.00").cast("decimal(12,2)"))
    cost = ibis.cases(
        (lines.priced == lines.lines.length(), lines.own), (lines.total.notnull(), whole), else_=lines.own
    )
    if covered_only:
        lines = lines.mutate(cost=cost, share=_dollars(lines.line["not_covered"]))
        lines = lines.filter(~((lines.share > 0) & (lines.share >= lines.cost)).fill_null(False))
        cost = lines.cost
    return lines.select(
        "source", "beneficiary", "days_supply",
        kind=ibis.literal("claim"),
        codings=lines.line["codings"],
        label=lines.line["label"],
        day_first=earliest(lines.line["filled"]),
        day_last=latest(lines.line["filled"]),
        cost=cost,
        refused_cost=ibis.ifelse(
            cost.isnull(), ibis.coalesce(_refused(lines.line["told"]), _refused(lines.told)), ibis.null("string")
        ),
    )  # fmt: skip


def _one_per_claim(rows: ir.Table) -> ir.Table:
    """The newest of those resources of a person that tell of one fill under one unique claim id (see ``_unique_claim``).

    Of two that are equally new the one with money stands: CARIN's guide gives the same claim with and without.
    """
    several = rows.group_by("beneficiary", "unique_claim").agg(_n=rows.count()).filter(lambda t: t._n > 1)
    again = rows.semi_join(several, ["beneficiary", "unique_claim"])
    money = again.told.notnull() | (again.lines.filter(lambda line: line["told"].notnull()).length() > 0)
    order = [again.received.desc(nulls_first=False), money.desc(nulls_first=False), again.id.desc()]
    ranked = again.mutate(_rank=ibis.row_number().over(group_by=["beneficiary", "unique_claim"], order_by=order))
    older = ranked.filter(ranked._rank > 0)
    return rows.anti_join(older, "id").select(*rows.columns)


def _not_replaced(rows: ir.Table) -> ir.Table:
    """Without the claims that another names as its ``prior``: an adjustment takes the place of its original, covered or not.

    So does a deletion. One that is itself cancelled or denied takes nobody's place.
    """
    later = rows.filter(rows.valid | rows.deleted)
    named = later.select("beneficiary", named=later.replaces.unnest()).filter(lambda t: t.named.notnull()).distinct()
    by_id = rows.semi_join(named.rename(id="named"), ["beneficiary", "id"]).select("id")
    identified = rows.select("id", "beneficiary", named=rows.identifiers.unnest())
    by_identifier = identified.semi_join(named, ["beneficiary", "named"]).select("id")
    return rows.anti_join(by_id.union(by_identifier).distinct(), "id")


def _line(item: ir.StructValue, period: ir.StringValue) -> ir.StructValue:
    """Codings, label, fill date and cost of one item; a compound has its NDCs in item.detail (BFD v3)."""
    whole = _with_part(codings_or_label(item["productOrService"]), "item")
    parts = item["detail"].map(lambda d: d["productOrService"]["coding"][0])
    parts = parts.filter(lambda c: c["code"].notnull())
    # AB2D gives data-absent-reason not-applicable in place of the word (data-quirks.md 5).
    mixed = has_code(item["productOrService"]["coding"], ["compound", "not-applicable"])
    compound = mixed & (parts.length() > 0).fill_null(False)
    # Each ingredient of a compound is a part of its own, named by its code; the word "compound" is none.
    detail = parts.map(
        lambda c: ibis.struct({"part": c["code"], "system": c["system"], "code": c["code"], "display": c["display"]})
    )
    return ibis.struct(
        {
            "codings": ibis.ifelse(compound, detail, whole),
            "label": item["productOrService"]["text"],
            "filled": _filled(item, period),
            "told": _told(item["adjudication"]),
            "not_covered": _told(item["adjudication"], NOT_COVERED),
        }
    )


def _filled(item: ir.StructValue, period: ir.StringValue | None) -> ir.StringValue:
    """The date of a claim line as FHIR gave it: its own, else that of the claim."""
    return ibis.coalesce(item["servicedDate"], item["servicedPeriod"]["start"], *([] if period is None else [period]))


def _unique_claim(eob: ir.Table, period: ir.StringValue) -> ir.StringValue:
    """What two resources of one claim have in common: its unique claim id, the day of the fill and the drug; NULL without such an id.

    The id alone does not do: exports are met that give every claim the same one.
    """
    unique = eob.identifier.filter(
        lambda i: (
            has_code(i["type"]["coding"], [UNIQUE_CLAIM])
            & i["value"].notnull()
            & ~i["system"].re_search("(" + "|".join(SHARED_IDENTIFIERS) + ")$").fill_null(False)
        )
    )[0]
    codes = eob.item.map(lambda i: ibis.coalesce(i["productOrService"]["coding"][0]["code"], "")).join("+")
    days = eob.item.map(lambda i: ibis.coalesce(_filled(i, period), "")).join("+")
    return unique["value"].concat("|", ibis.coalesce(unique["system"], ""), "|", codes, "|", days)


def _with_part(codings: ir.ArrayValue, part: str) -> ir.ArrayValue:
    return codings.map(
        lambda c: ibis.struct(
            {"part": ibis.literal(part), "system": c["system"], "code": c["code"], "display": c["display"]}
        )
    )


def _dollars(told: ir.StringValue) -> ir.DecimalValue:
    """The total drug cost as dollars, or NULL.

    A negative or absurd amount is no price: the claim is then unpriced, which makes the cost unknown, not smaller.
    """
    amount = told.try_cast("decimal(18,2)")
    return ibis.ifelse(amount.between(0, LARGEST_COST), amount, ibis.null("decimal(18,2)")).cast("decimal(12,2)")


def _refused(told: ir.StringValue) -> ir.StringValue:
    """The total drug cost when it is no price (see ``_dollars``), else NULL: with two decimals when it has any, else as received."""
    return ibis.ifelse(_dollars(told).isnull(), _in_cents(told), ibis.null("string"))


def _in_cents(told: ir.StringValue) -> ir.StringValue:
    """One text for -12.5 and -12.50: how a number was written is not known of every engine."""
    cents = told.try_cast("decimal(28,2)")
    whole = (cents == told.try_cast("decimal(32,6)")).fill_null(
        False
    )  # 28 and 32 digits, so that Spark compares to the last one
    return ibis.ifelse(whole & told.re_search("[.eE]"), cents.cast("string"), told)


def _told(adjudications: ir.ArrayValue, codes: Sequence[str] = TOTAL_COST) -> ir.StringValue:
    """The total drug cost among adjudications as received, or NULL. The same amount under two codes is one entry and counts once.

    An amount in another currency than US dollars keeps the name of it, so that it is no price. It is read here once and judged
    where lines are rows (``claims``): within lists each use would be computed anew.
    """
    entry = adjudications.filter(lambda a: has_code(a["category"]["coding"], codes) & a["amount"]["value"].notnull())[0]
    value, currency = entry["amount"]["value"], ibis.coalesce(entry["amount"]["currency"], "").strip().upper()
    return ibis.ifelse(currency.isin(DOLLARS), value, value.concat(" ", currency))


def _is_valid(eob: ir.Table) -> ir.BooleanValue:
    """A claim that stands: not cancelled, not deleted, not denied, not replaced, and no estimate (use = claim)."""
    denied = eob.adjudication.filter(
        lambda a: (
            has_code(a["category"]["coding"], ["benefitpaymentstatus"]) & has_code(a["reason"]["coding"], ["denied"])
        )
    )
    refused = (
        (denied.length() > 0).fill_null(False)
        | (_info_code(eob, ["benefitpaymentstatus"]) == "denied").fill_null(False)
        | has_code(eob.payment["type"]["coding"], ["denied"])  # C4BBPayerClaimPaymentStatusCode
    )
    standing = (
        ~eob.status.isin(NOT_VALID).fill_null(False)
        & (eob.use.fill_null("claim") == "claim")
        & (eob.outcome.fill_null("") != "error")
    )
    replaced = (_related(eob, "replacedby").length() > 0).fill_null(False)
    superseded = (eob.meta.tag.filter(lambda tag: tag["code"] == NOT_FINAL).length() > 0).fill_null(False)
    return standing & ~_is_deleted(eob) & ~refused & ~replaced & ~superseded


def _is_deleted(eob: ir.Table) -> ir.BooleanValue:
    """Whether the claim is the deletion of a prescription drug event (its status is active all the same)."""
    deleted_type = eob["type"].coding.filter(
        lambda c: c["system"].endswith(CLAIM_TYPE_SYSTEM) & c["code"].isin(DELETED_TYPE)
    )
    return (deleted_type.length() > 0).fill_null(False) | (_info_code(eob, DELETION) == "D").fill_null(False)


def _info(eob: ir.Table, categories: Sequence[str]) -> ir.StructValue:
    return eob.supportingInfo.filter(lambda s: has_code(s["category"]["coding"], categories))[0]


def _info_code(eob: ir.Table, categories: Sequence[str]) -> ir.StringValue:
    return _info(eob, categories)["code"]["coding"][0]["code"]


def _related(eob: ir.Table, relationship: str) -> ir.ArrayValue:
    """Ids or identifier values of the claims that stand in ``relationship`` to this one."""
    related = eob.related.filter(lambda r: has_code(r["relationship"]["coding"], [relationship]))
    return related.map(
        lambda r: ibis.coalesce(
            r["claim"]["reference"].re_extract(r"([A-Za-z0-9\-.]+)$", 1).nullif(""),
            r["claim"]["identifier"]["value"],
            r["reference"]["value"],  # R4: the identifier of the related claim; CARIN asks for this one
        )
    )


def _has_bad_date(eob: ir.Table) -> ir.BooleanValue:
    bad = eob.item.filter(lambda i: is_bad_date(ibis.coalesce(i["servicedDate"], i["servicedPeriod"]["start"])))
    return (bad.length() > 0).fill_null(False)


def _content_hash(eob: ir.Table) -> ir.StringValue:
    """A stable name for a resource without id: a hash over identifier, patient, date, drug and cost."""
    parts = [
        eob.patient.reference,
        eob.billablePeriod["start"],
        eob.identifier.map(lambda i: i["value"]).join(","),
        eob.item.map(lambda i: ibis.coalesce(i["servicedDate"], "")).join(","),
        eob.item.map(
            lambda i: i["productOrService"]["coding"].map(lambda c: ibis.coalesce(c["code"], "")).join("+")
        ).join(","),
        eob.item.map(lambda i: i["adjudication"].map(lambda a: _amount(a["amount"]["value"])).join("+")).join(","),
    ]
    joined = ibis.literal("")
    for part in parts:
        joined = joined.concat("|", ibis.coalesce(part, ""))
    return joined.hexdigest("md5").left(16)


def _amount(value: ir.StringValue) -> ir.StringValue:
    """One text for 1.1 and 1.10, as ``_in_cents``; also of a part of a cent."""
    return ibis.coalesce(value.try_cast("decimal(18,4)").cast("string"), value, "")
