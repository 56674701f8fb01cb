"""What was done for each enrollee in a contract and year, from the recorded services: offers, CMR, TMRs, recommendations.

Only services of the contract asked for count, and only between enrollment and end and within the year (practice [P],
reference/cms-rules.md 5): a beneficiary who changed contract has in each file the services of that contract alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from adapter.reporting.enrolled import SEVERAL, versioned

KINDS: Mapping[str, str] = {
    "cmr_offer": "CMR offer",
    "cmr": "CMR",
    "tmr": "TMR",
    "summary_sent": "written summary",
    "safe_disposal": "safe-disposal information",
    "recommendation": "recommendation",
    "resolution": "resolution of a recommendation",
}


def of_contract(services: ir.Table, contract: str) -> ir.Table:
    """The services of ``contract``, each with its versioned reference ``_from``."""
    own = services.filter(services.contract == contract)
    return own.mutate(_from=versioned(own.source, own.version))


def counted(own: ir.Table, enrollees: ir.Table) -> ir.Table:
    """The services that count: dated between enrollment and end of their beneficiary, both days included."""
    rows = own.inner_join(enrollees.select("beneficiary", "first_day", "last_day"), "beneficiary")
    return rows.filter(rows.on_day.between(rows.first_day, rows.last_day)).drop("first_day", "last_day")


def reviews(own: ir.Table, count: ir.Table) -> ir.Table:
    """One row per beneficiary with a CMR with a summary: the struct ``cmr`` of the initial one.

    Practice [P], reference/cms-rules.md 5: the CMR described is the first with a standardized summary; a summary that
    came back still counts as sent. The summary belongs to its CMR whatever its own day, which the edits look at (U).
    """
    sent = own.filter((own.kind == "summary_sent") & own.about.notnull())
    day = ibis.coalesce(sent.on_day.cast("string"), "9999")
    first = ibis.struct({"on": sent.on_day, "source": sent._from}).argmin(day.concat(sent.source))
    sent = sent.group_by(_cmr=sent.about).agg(_summary=first)
    cmrs = count.filter(count.kind == "cmr")
    rows = cmrs.inner_join(sent, cmrs.source == sent._cmr)
    told = {
        "on": rows.on_day, "method": rows.method, "provider": rows.provider, "recipient": rows.recipient,
        "impaired": rows.cognitively_impaired, "ltc": rows.ltc_facility, "source": rows._from,
        "summary_on": rows._summary["on"], "summary": rows._summary["source"],
    }  # fmt: skip
    return rows.group_by("beneficiary").agg(cmr=ibis.struct(told).argmin(_order(rows)))


def offers(count: ir.Table) -> ir.Table:
    """One row per beneficiary to whom a CMR was offered: the struct ``offer`` of the first offer.

    Practice [P], reference/cms-rules.md 5: a CMR delivered is also an offer; an offer returned as undeliverable is none.
    """
    offer = (count.kind == "cmr_offer") & (count.answer != "undeliverable").fill_null(True)
    rows = count.filter(offer | (count.kind == "cmr"))
    told = {
        "on": rows.on_day, "recipient": rows.recipient, "impaired": rows.cognitively_impaired, "source": rows._from,
    }  # fmt: skip
    # Of one day the offer stands before the CMR: it came first.
    day = rows.on_day.cast("string").concat(ibis.ifelse(rows.kind == "cmr", "b", "a"), rows.source)
    return rows.group_by("beneficiary").agg(offer=ibis.struct(told).argmin(day))


def tallies(count: ir.Table, with_sources: bool = False) -> ir.Table:
    """One row per beneficiary with a service: tmr_count, tmr_first_on, safe_disposal; with their resources if asked.

    TMRs are counted by distinct dates [P+], CY2019 layout, element V.
    """
    tmr, disposal = count.kind == "tmr", count.kind == "safe_disposal"
    sources = {"tmrs": _joined(count, tmr), "disposals": _joined(count, disposal)} if with_sources else {}
    return count.group_by("beneficiary").agg(
        tmr_count=count.on_day.nunique(where=tmr),
        tmr_first_on=count.on_day.min(where=tmr),
        safe_disposal=disposal.any(),
        **sources,
    )


def recommendations(count: ir.Table, with_sources: bool = False) -> ir.Table:
    """One row per beneficiary with recommendations to prescribers: recommendations, therapy_changes; resources if asked.

    Practice [P], reference/cms-rules.md 5: problems are de-duplicated on beneficiary, reason, action and drug within the
    year; a recommendation recorded again has the same id (``service_events.identity``), so one resource is one of them. A
    change counts once for each recommendation that counts, so that changes are never above recommendations.
    """
    to_prescriber = (count.recipient == "prescriber").fill_null(True)
    made = count.filter((count.kind == "recommendation") & to_prescriber)
    made = made.select("beneficiary", "source", "_from")
    changed = count.filter((count.kind == "resolution") & count.changed.fill_null(False))
    changed = changed.group_by(_about=changed.about).agg(_change=changed._from.min())
    rows = made.left_join(changed, made.source == changed._about)
    led = rows._about.notnull()
    sources = (
        {"recommended": _joined(rows), "resolved": rows._change.group_concat(SEVERAL, where=led, order_by=rows._change)}
        if with_sources
        else {}
    )
    return rows.group_by("beneficiary").agg(
        recommendations=rows.source.nunique(), therapy_changes=rows.source.nunique(where=led), **sources
    )


def left_out(own: ir.Table, enrollees: ir.Table, year: int) -> ir.Table:
    """One row per service of the year that does not count: beneficiary, kind, source, why.

    why: no_day, not_enrolled, before, after (the end or the opt-out), no_cmr (a summary that is of no CMR known).
    """
    known = own.filter(own.kind == "cmr").select(_cmr="source")
    rows = own.filter(own.kind.isin(list(KINDS)))
    rows = rows.filter(ibis.coalesce(rows.plan_year == year, rows.on_day.year() == year, False))
    rows = rows.left_join(known, rows.about == known._cmr)
    rows = rows.left_join(enrollees.select("beneficiary", "first_day", "last_day"), "beneficiary")
    summary = rows.kind == "summary_sent"
    why = ibis.cases(
        (summary & rows._cmr.isnull(), "no_cmr"),
        (summary, ibis.null("string")),
        (rows.first_day.isnull(), "not_enrolled"),
        (rows.on_day.isnull(), "no_day"),
        (rows.on_day < rows.first_day, "before"),
        (rows.on_day > rows.last_day, "after"),
        else_=ibis.null("string"),
    )
    rows = rows.select("beneficiary", "kind", "source", why=why)
    return rows.filter(rows.why.notnull()).order_by("beneficiary", "source")


def _order(rows: ir.Table) -> ir.StringValue:
    return rows.on_day.cast("string").concat(rows.source)


def _joined(rows: ir.Table, where: ir.BooleanValue | None = None) -> ir.StringScalar:
    return rows._from.group_concat(SEVERAL, where=where, order_by=rows._from)
