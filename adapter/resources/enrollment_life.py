"""The enrollment CarePlan after its first day: opted out, enrolled again on request, ended with the plan year, carried over.

Enrollment is by opt-out (42 CFR 423.153(d)(1)(v)): only what is recorded here ends one before its plan year, and only a
re-enrollment recorded here takes that back. A screening does neither (``care_plan.enrollment``); one of a later plan year ends
the enrollments of the years before it.
"""

from __future__ import annotations

from datetime import date

from adapter.resources.care_plan import ENROLLMENT_EXTENSION
from adapter.resources.ids import Resource
from adapter.resources.merging import with_extension
from adapter.resources.narrative import paragraph
from adapter.resources.service_codes import OPT_OUT_REASONS

OPT_OUT_PARTS = ("optOutOn", "optOutReason")
RE_ENROLLED = "reEnrolledOn"


def opted_out(held: Resource, on_day: date, reason: str) -> Resource:
    """``held`` as ended on ``on_day`` for the CMS ``reason`` (01, 02, 03 or 99): revoked, its period closed, all else kept."""
    day = on_day.isoformat()
    parts = [{"url": "optOutOn", "valueDate": day}, {"url": "optOutReason", "valueCode": reason}]
    sentence = f"Opted out of the program on {day}. Reason: {OPT_OUT_REASONS[reason]} ({reason})."
    ended = _with_parts(held, parts, OPT_OUT_PARTS) | _told(held, sentence)
    return ended | {"status": "revoked", "period": {**held.get("period", {}), "end": day}}


def re_enrolled(held: Resource, on_day: date, last_day: date) -> Resource:
    """An opted-out ``held`` as active again from ``on_day`` to ``last_day`` of the plan year; its first day stays.

    CMS's file has one row per beneficiary and contract with the first enrollment of the year (reference/cms-rules.md 5).
    """
    day = on_day.isoformat()
    parts = [{"url": RE_ENROLLED, "valueDate": day}]
    again = _with_parts(held, parts, (*OPT_OUT_PARTS, RE_ENROLLED)) | _told(
        held, f"Enrolled again on request on {day}, after an opt-out."
    )
    return again | {"status": "active", "period": {**held.get("period", {}), "end": last_day.isoformat()}}


def opt_out_withdrawn(held: Resource, last_day: date) -> Resource:
    """``held`` as if it had never been opted out: the opt-out was recorded by mistake."""
    again = _with_parts(held, [], OPT_OUT_PARTS) | _told(held, "The opt-out was recorded by mistake and is withdrawn.")
    return again | {"status": "active", "period": {**held.get("period", {}), "end": last_day.isoformat()}}


def ended_with_year(held: Resource) -> Resource:
    """``held``, whose plan year is over, as completed; its period, which says when, stays. One that is not active stays whole."""
    if held.get("status") != "active":
        return held
    return held | _told(held, "The enrollment ended with the plan year.") | {"status": "completed"}


def carried_over(plan: Resource, earlier: Resource | None) -> Resource:
    """``plan``, naming the enrollment of the year before that it continues: one that lasted to the end of its year.

    ``CarePlan.replaces``: "completed or terminated care plan whose function is taken by this new care plan".
    """
    if earlier is None or earlier.get("status") not in ("active", "completed"):
        return plan
    if not str(earlier.get("period", {}).get("end", "")).endswith("-12-31"):
        return plan
    reference = {"reference": f"CarePlan/{earlier['id']}"}
    there = plan.get("replaces", [])
    return plan if reference in there else plan | {"replaces": [*there, reference]}


def _with_parts(held: Resource, parts: list[Resource], names: tuple[str, ...]) -> Resource:
    """``held`` with ``parts`` behind the other parts of its extension, those of ``names`` replaced."""
    (there,) = [e for e in held.get("extension", []) if e.get("url") == ENROLLMENT_EXTENSION] or [{}]
    others = [part for part in there.get("extension", []) if part.get("url") not in names]
    every = {part["url"] for part in there.get("extension", [])} | set(names)
    extension = with_extension(held.get("extension", []), ENROLLMENT_EXTENSION, [*others, *parts], every)
    return {**held, "extension": extension}


def _told(held: Resource, sentence: str) -> Resource:
    """The narrative with one more sentence, unless it says so already."""
    text = held.get("text") or {}
    div, told = text.get("div", ""), paragraph(sentence)
    if not div.endswith("</div>") or told in div:
        return {}
    return {"text": {**text, "div": div.removesuffix("</div>") + told + "</div>"}}
