"""What was done for each enrollee in a contract and year, from the recorded services: offers, CMR, TMRs, recommendations.

Only services of the contract asked for count, and only between enrollment and end and within the year (practice [P],
reference/cms-rules.md 5): a beneficiary who changed contract has in each file the services of that contract alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Services:
    """The services of one contract, and the days of its enrollees between which they count."""

    own: ir.Table
    days: ir.Table  # beneficiary, first_day, last_day
    with_sources: bool = (
        False  # whether the versioned references are told, for the lineage, and not the facts of offer and CMR
    )

    def counted(self, *kinds: str) -> ir.Table:
        """The services of these kinds that count: dated between enrollment and end, both days included."""
        some = self.own.filter(self.own.kind.isin(list(kinds)))
        rows = some.inner_join(self.days, "beneficiary")
        rows = rows.filter(rows.on_day.between(rows.first_day, rows.last_day))
        return rows.mutate(_from=versioned(rows.source, rows.version))

    def sources(self, **columns: ir.Value) -> dict[str, ir.Value]:
        """The ``columns`` when the lineage is asked for."""
        return columns if self.with_sources else {}


def services_of(services: ir.Table, enrollees: ir.Table, contract: str) -> Services:
    """The services of ``contract``, of whomever."""
    return Services(services.filter(services.contract == contract), days_of(enrollees))


def days_of(enrollees: ir.Table) -> ir.Table:
    """The days between which services of each enrollee count."""
    return enrollees.select("beneficiary", "first_day", "last_day")


def reviews(of: Services) -> ir.Table:
    """One row per beneficiary with a CMR with a summary: the struct ``cmr`` of the initial one.

    Practice [P], reference/cms-rules.md 5: the CMR described is the first with a standardized summary; a summary that
    came back still counts as sent. The summary belongs to its CMR whatever its own day, which the edits look at (U).
    """
    sent = of.own.filter((of.own.kind == "summary_sent") & of.own.about.notnull())
    sent_from = of.sources(source=versioned(sent.source, sent.version))
    day = ibis.coalesce(sent.on_day.cast("string"), "9999")
    first = ibis.struct({"on": sent.on_day, **sent_from}).argmin(day.concat(sent.source))
    sent = sent.group_by(_cmr=sent.about).agg(_summary=first)
    cmrs = of.counted("cmr")
    rows = cmrs.inner_join(sent, cmrs.source == sent._cmr)
    told = {
        "on": rows.on_day, "method": rows.method, "provider": rows.provider, "recipient": rows.recipient,
        "impaired": rows.cognitively_impaired, "ltc": rows.ltc_facility, "summary_on": rows._summary["on"],
    }  # fmt: skip
    if of.with_sources:
        told = {
            "source": rows._from, "summary": rows._summary["source"],
            "impaired_from": ibis.ifelse(rows.cognitively_impaired.notnull(), rows._from, ibis.null("string")),
        }  # fmt: skip
    return rows.group_by("beneficiary").agg(cmr=ibis.struct(told).argmin(_order(rows)))


def offers(of: Services) -> ir.Table:
    """One row per beneficiary to whom a CMR was offered: the struct ``offer`` of the first offer.

    Practice [P], reference/cms-rules.md 5: a CMR delivered is also an offer; an offer returned as undeliverable is none.
    """
    rows = of.counted("cmr_offer", "cmr")
    rows = rows.filter((rows.kind == "cmr") | (rows.answer != "undeliverable").fill_null(True))
    told = {"on": rows.on_day, "recipient": rows.recipient, "impaired": rows.cognitively_impaired}
    told = of.sources(source=rows._from) or told
    # Of one day the offer stands before the CMR: it came first.
    order = rows.on_day.cast("string").concat(ibis.ifelse(rows.kind == "cmr", "b", "a"), rows.source)
    return rows.group_by("beneficiary").agg(offer=ibis.struct(told).argmin(order))


def tallies(of: Services) -> ir.Table:
    """One row per beneficiary with a TMR or safe-disposal information: tmr_count, tmr_first_on, safe_disposal.

    TMRs are counted by distinct dates [P+], CY2019 layout, element V. With their resources ``tmrs`` and ``disposals``.
    """
    rows = of.counted("tmr", "safe_disposal")
    tmr, disposal = rows.kind == "tmr", rows.kind == "safe_disposal"
    return rows.group_by("beneficiary").agg(
        tmr_count=rows.on_day.nunique(where=tmr),
        tmr_first_on=rows.on_day.min(where=tmr),
        safe_disposal=disposal.any(),
        **of.sources(tmrs=_joined(rows, tmr), disposals=_joined(rows, disposal)),
    )


def recommendations(of: Services) -> ir.Table:
    """One row per beneficiary with recommendations to prescribers: recommendations, therapy_changes.

    Practice [P], reference/cms-rules.md 5: problems are de-duplicated on beneficiary, reason, action and drug within the
    year. So recommendations about one problem (``about``) in the same words are one; one that names no problem stands for
    itself. A change counts once for each recommendation that counts, so that changes are never above recommendations.
    With their resources ``recommended`` and ``resolved``.
    """
    made = of.counted("recommendation")
    made = made.filter((made.recipient == "prescriber").fill_null(True))
    problem = made.about.concat(" ", ibis.coalesce(made.words, ""))
    made = made.select("beneficiary", "source", "_from", problem=ibis.coalesce(problem, made.source))
    changed = of.counted("resolution")
    changed = changed.filter(changed.changed.fill_null(False))
    changed = changed.group_by(_about=changed.about).agg(_change=changed._from.min())
    rows = made.left_join(changed, made.source == changed._about)
    led = rows._about.notnull()
    resolved = rows._change.collect(where=led).sort().join(SEVERAL).nullif("")
    return rows.group_by("beneficiary").agg(
        recommendations=rows.problem.nunique(),
        therapy_changes=rows.problem.nunique(where=led),
        **of.sources(recommended=_joined(rows), resolved=resolved),
    )


def left_out(of: Services, year: int) -> ir.Table:
    """One row per service of the year that does not count: beneficiary, kind, source, why.

    why: no_day, not_enrolled, before, after (the end or the opt-out), no_cmr (a summary that is of no CMR known).
    """
    known = of.own.filter(of.own.kind == "cmr").select(_cmr="source")
    rows = of.own.filter(of.own.kind.isin(list(KINDS)))
    rows = rows.filter(ibis.coalesce(rows.plan_year == year, rows.on_day.year() == year, False))
    rows = rows.left_join(known, rows.about == known._cmr)
    rows = rows.left_join(of.days, "beneficiary")
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
    """The references in their order; a list that is sorted afterwards costs less than an ordered aggregate."""
    return rows._from.collect(where=where).sort().join(SEVERAL).nullif("")
