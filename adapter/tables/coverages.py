"""Coverage to one row per period of Part D membership: contract, PBP, from, to.

Contract and PBP stand in several dresses (reference/cms-fhir-apis.md, data-quirks.md 6): a CARIN class value such as H1234-003,
the CMS BFD v3 extensions BENE-CNTRCT-NUM and BENE-PBP-NUM, or the BFD v2 extensions of one reference year by month.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from adapter.tables.columns import (
    bad_dates,
    earliest,
    fault_of,
    has_code,
    latest,
    newest,
    reference_id,
    versioned,
    wrong_type,
)

BFD_V3 = "https://bluebutton.cms.gov/fhir/StructureDefinition/"
BFD_V2 = "https://bluebutton.cms.gov/resources/variables/"
PART_D_TYPES = ("122",)  # nahdo.org/sopt: Medicare Drug Benefit
OTHER_PARTS = ("Part A", "Part B", "Part C")
CONTRACT = r"^([HSRE][0-9]{4})([-_ /:.]*(?:PBP)?[-_ /:.]*([0-9]{3}))?([-_ /:.]?[0-9]{1,3})?$"  # contract, PBP, segment
CONTRACT_NAMES = (BFD_V3 + "BENE-CNTRCT-NUM", BFD_V2 + "plan_cntrct_rec_id")
PBP_NAMES = (BFD_V3 + "BENE-PBP-NUM", BFD_V2 + "plan_pbp_rec_num")
NEVER = ("entered-in-error", "draft")


def memberships(coverage: ir.Table) -> ir.Table:
    """One row per Coverage as received, with ``fault``, the contract and PBP that hold for its whole period, and v2's months."""
    classes = coverage["class"].map(lambda c: c["value"])
    pbp_class = coverage["class"].filter(
        lambda c: has_code(c["type"]["coding"], ["plan", "subplan"]) & c["value"].re_search(r"^[0-9]{3}$")
    )[0]
    written = _written(coverage["class"], pbp_class["value"]).strip().upper()
    months = coverage.extension.filter(lambda e: e["url"].startswith(BFD_V2 + "ptdcntrct"))
    pbp_months = coverage.extension.filter(lambda e: e["url"].startswith(BFD_V2 + "ptdpbpid"))
    year = coverage.extension.filter(lambda e: e["url"] == BFD_V2 + "rfrnc_yr")[0]["valueDate"].left(4)
    dated = year.notnull() | (months.map(_month).filter(lambda m: m["year"].notnull()).length() > 0).fill_null(False)
    contract = ibis.coalesce(
        _extension(coverage, CONTRACT_NAMES), written.re_extract(CONTRACT, 1).nullif(""), _always(months, dated)
    )
    pbp = ibis.coalesce(
        _extension(coverage, PBP_NAMES), written.re_extract(CONTRACT, 3).nullif(""), pbp_class["value"],
        _always(pbp_months, dated),
    )  # fmt: skip
    return coverage.select(
        "id",
        beneficiary=reference_id(coverage.beneficiary.reference, "Patient"),
        source=ibis.literal("Coverage/").concat(coverage.id),
        contract=contract,
        pbp=pbp,
        months=ibis.ifelse(_always(months, dated).isnull(), months.map(_month), None),
        pbp_months=pbp_months.map(_month),
        year=year,
        part_d=_is_part_d(coverage, classes, contract) | (months.length() > 0).fill_null(False),
        status=coverage.status,
        begins=coverage.period["start"],
        ends=coverage.period["end"],
        recorded=coverage.meta.lastUpdated.try_cast("timestamp('UTC')").date(),
        subscriber=coverage.subscriberId,
        fault=fault_of(
            wrong_type(coverage, "Coverage"),
            (coverage.id.isnull(), "the Coverage has no id"),
            (
                reference_id(coverage.beneficiary.reference, "Patient").isnull(),
                "the Coverage names no Patient as beneficiary",
            ),
            *bad_dates(coverage, period__start=coverage.period["start"], period__end=coverage.period["end"]),
        ),
        **versioned(coverage),
    )


def _always(months: ir.ArrayValue, dated: ir.BooleanValue) -> ir.StringValue:
    """The value of all twelve months, where nothing tells of which year they are: it then holds for the whole period."""
    values = months.map(lambda m: _month(m)["value"])
    same = (months.length() >= 12) & (values.unique().length() == 1)
    return ibis.ifelse(~dated & same.fill_null(False), values[0], ibis.null("string"))


def _written(classes: ir.ArrayValue, pbp: ir.StringValue) -> ir.StringValue:
    """The contract, with or without PBP, as a class value writes it.

    A bare contract number in a class of type ``group`` may be an employer's number; it is one of CMS when a PBP stands beside it.
    """
    named = classes.filter(
        lambda c: (
            c["value"].strip().upper().re_search(CONTRACT)
            & ~(has_code(c["type"]["coding"], ["group"]) & (c["value"].length() == 5) & pbp.isnull())
        )
    )
    return named[0]["value"]


def coverages(rows: ir.Table) -> ir.Table:
    """One row per period of membership.

    Columns: beneficiary, source, part_d (whether it is Part D coverage), contract and pbp (NULL when the resource does not tell),
    starts and ends (dates; NULL is open), status. A BFD v2 Coverage gives one row per month that it names.
    """
    # Only then the status: an older version must not come back when the newest one was entered in error.
    good = newest(rows.filter(rows.fault.isnull()).drop("fault"))
    good = good.filter(~good.status.isin(NEVER).fill_null(False))
    good = good.mutate(starts=earliest(good.begins), ends=latest(good.ends))
    # A Coverage that is marked as cancelled when it has run its course (as BFD does) was in force until its end. One that was
    # cancelled before its end is withdrawn: active Part D coverage is asked for, so the status counts beside the period.
    run_out = (good.ends <= good.recorded).fill_null(False)
    good = good.filter(good.status.isnull() | (good.status == "active") | run_out)
    whole = good.filter((good.months.length() == 0).fill_null(True))
    columns = ("beneficiary", "source", "part_d", "contract", "pbp", "starts", "ends", "status")
    return whole.select(*columns).union(_by_month(good).select(*columns))


def _by_month(rows: ir.Table) -> ir.Table:
    """BFD v2: the contract of each month of the reference year; "0" and "N" mean no Part D in that month."""
    months = rows.filter(rows.months.length() > 0).mutate(month=lambda t: t.months.unnest())
    months = months.mutate(contract=months.month["value"], number=months.month["number"], pbps=months.pbp_months)
    first = ibis.coalesce(months.month["year"], months.year).concat("-", months.number, "-01").try_cast("date")
    months = months.mutate(first=first, last=(first + ibis.interval(months=1) - ibis.interval(days=1)).cast("date"))
    months = months.filter(months.contract.re_search(r"^[HSRE][0-9]{4}$") & months.first.notnull())
    pbp = months.pbps.filter(lambda p: p["number"] == months.number)[0]["value"]
    starts = ibis.greatest(months.first, ibis.coalesce(months.starts, months.first))
    ends = ibis.least(months.last, ibis.coalesce(months.ends, months.last))
    dated = months.mutate(pbp=pbp, starts=starts, ends=ends)
    return dated.filter(dated.starts <= dated.ends).distinct(on=["source", "contract", "pbp", "starts", "ends"])


def _month(extension: ir.StructValue) -> ir.StructValue:
    """Number, year (only in the form .../2018-1) and value of a monthly BFD v2 extension."""
    url = extension["url"]
    value = ibis.coalesce(
        extension["valueCoding"]["code"], extension["valueIdentifier"]["value"], extension["valueString"]
    )
    return ibis.struct(
        {
            "number": url.re_extract(r"(ptdcntrct|ptdpbpid)([0-9]{2})", 2),
            "year": url.re_extract(r"/([0-9]{4})-[0-9]+$", 1).nullif(""),
            "value": value,
        }
    )


def _extension(coverage: ir.Table, names: tuple[str, ...]) -> ir.StringValue:
    urls = [url for name in names for url in (name, name.replace("https", "http", 1))]
    found = coverage.extension.filter(lambda e: e["url"].isin(urls))[0]
    return ibis.coalesce(found["valueString"], found["valueCoding"]["code"], found["valueIdentifier"]["value"])


def _is_part_d(coverage: ir.Table, classes: ir.ArrayValue, contract: ir.StringValue) -> ir.BooleanValue:
    """Part D when it says so, or when it names a CMS contract and does not say that it is Part A, B or C."""
    other = (classes.filter(lambda value: value.isin(OTHER_PARTS)).length() > 0).fill_null(False)
    said = (classes.filter(lambda value: value == "Part D").length() > 0).fill_null(False)
    return said | has_code(coverage["type"]["coding"], PART_D_TYPES) | (contract.notnull() & ~other)
