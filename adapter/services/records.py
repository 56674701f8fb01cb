"""What may be recorded: the enrollment in which a service of a day took place, and the reasons why none can be recorded.

Every refusal is a RefusedRecord with one sentence: what is impossible, and what to do instead. docs/services.md lists them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from adapter.errors import RefusedRecord
from adapter.resources.narrative import clean
from adapter.resources.service_codes import (
    CONTACT_METHODS,
    OFFER_ANSWERS,
    OPT_OUT_REASONS,
    PROCEDURES,
    PROVIDER_TYPES,
    RECIPIENTS,
    REVIEW_METHODS,
    SERVICES,
    YES_NO_UNKNOWN,
    code_of,
)
from adapter.resources.service_events import Service, service_id
from adapter.targeting.program import is_contract

Row = Mapping[str, Any]  # of the tables ``enrollments`` and ``services``
LONGEST_MINUTES = 600

# Facts that each kind of service must have, beside its day.
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "invitation": ("method",),
    "cmr_offer": ("method",),
    "cmr": ("method", "provider", "recipient"),
    "tmr": (),
    "summary_sent": ("method",),
    "safe_disposal": (),
    "recommendation": ("text",),
    "resolution": ("changed",),
}
# Facts that a kind of service can have, beside day, provider, performer, text, note and minutes.
POSSIBLE: Mapping[str, tuple[str, ...]] = {
    "invitation": ("method", "recipient"),
    "cmr_offer": ("method", "recipient", "answer", "cognitively_impaired", "ltc_facility"),
    "cmr": ("method", "recipient", "cognitively_impaired", "ltc_facility"),
    "tmr": ("method", "recipient"),
    "summary_sent": ("method", "recipient", "about"),
    "safe_disposal": ("method", "recipient", "about"),
    "recommendation": ("method", "recipient", "about"),
    "resolution": ("method", "recipient", "about", "changed"),
}
# What a reference may point at: who did it, and what a record is about.
_POINTS_AT = {
    "performer": ("Practitioner", "PractitionerRole", "Organization"),
    "summary_sent": ("Procedure",),
    "resolution": ("Communication",),
    "recommendation": ("DetectedIssue",),
    "safe_disposal": ("Procedure", "Communication"),
}
_TITLES = {
    "cognitively_impaired": "answer to cognitively impaired",
    "ltc_facility": "answer to long-term care facility",
    "minutes": "number of minutes",
    "changed": "outcome (drug therapy changed)",
    "about": "reference of what it is about",
    "text": "wording",
}
_FACTS = ("method", "recipient", "answer", "cognitively_impaired", "ltc_facility", "about", "changed")
_WORDS: Mapping[str, tuple[Mapping[str, str], str]] = {
    "provider": (PROVIDER_TYPES, "type of provider"),
    "recipient": (RECIPIENTS, "recipient"),
    "cognitively_impaired": (YES_NO_UNKNOWN, "answer to cognitively impaired"),
    "ltc_facility": (YES_NO_UNKNOWN, "answer to long-term care facility"),
    "answer": (OFFER_ANSWERS, "answer to an offer"),
}


@dataclass(frozen=True)
class Standing:
    """What is known of one beneficiary when something is recorded: the rows of all enrollments and services, and the current day."""

    enrollments: Sequence[Row]
    services: Sequence[Row]
    today: date


def check_facts(service: Service) -> None:
    """Returns when every fact of the service is a known one that its kind can have, and none is missing."""
    name = SERVICES[code_of(service.kind)]
    for fact in REQUIRED[service.kind]:
        if getattr(service, fact) in ("", None) or (fact == "text" and not clean(service.text)):
            raise RefusedRecord(f"{name}: {fact} is missing; tell it")
    for fact in _FACTS:
        if fact not in POSSIBLE[service.kind] and getattr(service, fact) not in ("", None):
            raise RefusedRecord(f"{name}: it has no {fact}; leave it out")
    methods = REVIEW_METHODS if service.kind in PROCEDURES else CONTACT_METHODS
    _known(name, "method", service.method, methods)
    for fact, (words, title) in _WORDS.items():
        _known(name, title, getattr(service, fact), words)
    _points_at(name, "performer", service.performer, _POINTS_AT["performer"])
    _points_at(name, "about", service.about, _POINTS_AT.get(service.kind, ()))
    if service.minutes is not None and not 0 < service.minutes <= LONGEST_MINUTES:
        raise RefusedRecord(f"{name}: {service.minutes} minutes are not possible; give 1 to {LONGEST_MINUTES}")


def settled(service: Service, standing: Standing) -> tuple[Service, Row]:
    """The service with its enrollment, plan year, contract and what it is about, and the row of the enrollment.

    ``service.contract`` chooses among several contracts; "" takes the one in which the beneficiary was enrolled on that day.
    """
    check_facts(service)
    _not_in_the_future(service.on_day, standing.today)
    if service.kind == "summary_sent":
        return _summary(service, standing)
    enrollment = running(standing.enrollments, service.on_day, service.contract)
    made = _in(service, enrollment)
    if service.kind == "resolution":
        return _resolution(made, standing, enrollment), enrollment
    return made, enrollment


def running(enrollments: Sequence[Row], day: date, contract: str = "") -> Row:
    """The enrollment in which a service of ``day`` took place; the day of an opt-out is the last.

    Raises RefusedRecord: not enrolled, in another contract, before the enrollment, after an opt-out, after the end.
    """
    rows = _of_year(enrollments, day, contract)
    good = [row for row in rows if not _outside(row, day)]
    if len(good) > 1:
        contracts = ", ".join(sorted({row["contract"] for row in good}))
        raise RefusedRecord(
            f"The beneficiary is enrolled in several contracts on {day} ({contracts}); say which with --contract"
        )
    if not good:
        raise RefusedRecord(_outside(rows[0], day))
    return good[0]


def opted_out_of(standing: Standing, day: date, reason: str, contract: str = "") -> Row:
    """The enrollment that an opt-out of ``day`` ends. Raises RefusedRecord, also for a second opt-out of another day or reason."""
    if reason not in OPT_OUT_REASONS:
        raise RefusedRecord(f"{reason} is no reason of an opt-out; known are: {_list(OPT_OUT_REASONS)}")
    _not_in_the_future(day, standing.today)
    if reason == "02" and (day.month, day.day) == (12, 31):
        raise RefusedRecord(
            "A disenrollment on 31 December is no opt-out: the enrollment ends with the plan year; record nothing"
        )
    rows = _of_year(standing.enrollments, day, contract)
    ended = [row for row in rows if row["opted_out_on"] or row["status"] == "revoked"]
    for row in ended:
        if (row["opted_out_on"], row["opt_out_reason"]) == (day, reason):
            return row  # the same again
    if len(ended) == len(rows):
        raise RefusedRecord(
            f"The beneficiary opted out already, on {ended[0]['opted_out_on'] or 'an unknown day'} with reason"
            f" {ended[0]['opt_out_reason'] or 'unknown'}; withdraw that opt-out first if it is wrong"
        )
    return running(standing.enrollments, day, contract)


def re_enrolled_of(standing: Standing, day: date, contract: str = "") -> Row:
    """The enrollment to which the beneficiary comes back on ``day``. Raises RefusedRecord when nobody opted out, or who died."""
    _not_in_the_future(day, standing.today)
    rows = _of_year(standing.enrollments, day, contract)
    for row in rows:
        if row["re_enrolled_on"] == day and not row["opted_out_on"]:
            return row  # the same again
    out = [row for row in rows if row["opted_out_on"]]
    if not out:
        raise RefusedRecord("The beneficiary did not opt out; there is nothing to come back to")
    if len(out) > 1:
        raise RefusedRecord("The beneficiary opted out of several contracts; say which with --contract")
    row = out[0]
    if row["opt_out_reason"] == "01":
        raise RefusedRecord("The opt-out says that the beneficiary died; withdraw it if that is wrong")
    if day < row["opted_out_on"]:
        raise RefusedRecord(f"{day} is before the opt-out on {row['opted_out_on']}; correct the day")
    return row


def later_services(services: Iterable[Row], enrollment: Row, day: date) -> list[Row]:
    """The services of an enrollment that an opt-out of ``day`` leaves behind it; they no longer count, summaries aside."""
    return [
        row
        for row in services
        if _same(row, enrollment) and row["on_day"] and row["on_day"] > day and row["kind"] != "summary_sent"
    ]


def with_known(service: Service, row: Row | None, correct: bool) -> Service:
    """``service`` with the facts that are recorded already and are not told again.

    A fact that was not known may be told later, and an offer without an answer may get one. Any other change is a correction, which
    must be asked for. Raises RefusedRecord without ``correct``.
    """
    if row is None:
        return service
    changes: dict[str, Any] = {}
    facts = (
        "method",
        "provider",
        "recipient",
        "cognitively_impaired",
        "ltc_facility",
        "minutes",
        "answer",
        "changed",
        "about",
    )
    for fact in facts:
        told, known = getattr(service, fact), row[fact]
        if told in ("", None):
            changes[fact] = known if known is not None else told
        elif not correct and _contradicts(fact, told, known):
            raise contradiction(service, row, fact, known)
    if row["on_day"] and row["on_day"] != service.on_day and not correct:
        changes["on_day"] = row["on_day"]  # a problem counts once a year, whatever day it is told again
    return replace(service, **changes)


def contradiction(service: Service, row: Row, fact: str, known: object) -> RefusedRecord:
    """The refusal of a fact that is told otherwise than it is recorded. Words are not repeated: they may name somebody."""
    values = "" if fact == "text" else f" ({known}, not {getattr(service, fact)})"
    return RefusedRecord(
        f"{SERVICES[code_of(service.kind)]} of {row['on_day']} is recorded with another {_TITLES.get(fact, fact)}"
        f"{values}; add --correct to replace it"
    )


def same_event(services: Iterable[Row], service: Service) -> Row | None:
    """The row of the event that is recorded already, if it is."""
    own = service_id(service)
    return next((row for row in services if row["service"] == own), None)


def dependents(services: Iterable[Row], row: Row) -> list[Row]:
    """What is recorded about a service: a summary of its CMR, a resolution of its recommendation. It must be withdrawn first."""
    return [other for other in services if other["about"] == row["source"]]


# ---- one enrollment


def _of_year(enrollments: Sequence[Row], day: date, contract: str) -> list[Row]:
    """The enrollments of the plan year in which ``day`` lies, in ``contract`` if one is given; never none."""
    if contract and not is_contract(contract):
        raise RefusedRecord(f"{contract} is no CMS contract number; give one like H1234 with --contract")
    if not enrollments:
        raise RefusedRecord("The beneficiary is not enrolled in the MTM program; screen with --write first")
    own = [row for row in enrollments if contract in ("", row["contract"])]
    if not own:
        known = ", ".join(sorted({row["contract"] for row in enrollments}))
        raise RefusedRecord(
            f"The beneficiary is not enrolled in contract {contract}, but in {known}; correct --contract"
        )
    year = [row for row in own if row["plan_year"] == day.year]
    if not year:
        years = ", ".join(sorted({str(row["plan_year"]) for row in own}))
        raise RefusedRecord(f"The beneficiary is not enrolled in plan year {day.year}, but in {years}; correct the day")
    return sorted(year, key=lambda row: str(row["source"]))


def _outside(row: Row, day: date) -> str:
    """Why a service of ``day`` does not lie in the enrollment; "" when it does."""
    if row["enrolled_on"] is None:
        return "The enrollment has no full first day; correct period.start of its CarePlan"
    if day < row["enrolled_on"]:
        return f"{day} is before the enrollment on {row['enrolled_on']}; correct the day"
    if row["opted_out_on"] and day > row["opted_out_on"]:
        return f"The beneficiary opted out on {row['opted_out_on']}; nothing of {day} can be recorded, unless they are enrolled again"
    if row["status"] == "revoked" and not row["opted_out_on"]:
        return "The enrollment is revoked without a day of opt-out; correct its CarePlan"
    if row["ends_on"] and day > row["ends_on"]:
        return f"The enrollment ended on {row['ends_on']}; correct the day"
    return ""


def _in(service: Service, enrollment: Row) -> Service:
    return replace(
        service, contract=enrollment["contract"], plan_year=enrollment["plan_year"], enrollment=enrollment["source"]
    )


def _same(row: Row, enrollment: Row) -> bool:
    return all(row[name] == enrollment[name] for name in ("contract", "plan_year"))


# ---- what a service is about


def _summary(service: Service, standing: Standing) -> tuple[Service, Row]:
    """A summary belongs to the enrollment of its CMR, and may be sent after that is over."""
    own = [row for row in standing.enrollments if service.contract in ("", row["contract"])]
    if not own:
        _of_year(standing.enrollments, service.on_day, service.contract)  # tells why
    cmrs = [row for row in standing.services if row["kind"] == "cmr" and any(_same(row, one) for one in own)]
    if service.about:
        cmr = next((row for row in cmrs if row["source"] == service.about), None)
        if cmr is None:
            raise RefusedRecord(f"{service.about} is no CMR of the beneficiary; name one as it was recorded")
    else:
        cmr = _chosen_cmr(cmrs, standing.services, service.on_day)
    if cmr["on_day"] is None or service.on_day < cmr["on_day"]:
        raise RefusedRecord(
            f"{service.on_day} is before the CMR on {cmr['on_day'] or 'an unknown day'}; correct the day"
        )
    enrollment = next(row for row in own if _same(row, cmr))
    return replace(_in(service, enrollment), about=cmr["source"]), enrollment


def _chosen_cmr(cmrs: Sequence[Row], services: Sequence[Row], day: date) -> Row:
    """The CMR that a summary is about when none is named: the only one without a summary, else the last before the day."""
    if not cmrs:
        raise RefusedRecord("No CMR is recorded, so no summary can be sent; record the CMR first")
    dated = sorted((row for row in cmrs if row["on_day"]), key=lambda row: (row["on_day"], row["source"]))
    before = [row for row in dated if row["on_day"] <= day]
    if not before:
        first = dated[0]["on_day"] if dated else "an unknown day"
        raise RefusedRecord(f"{day} is before the CMR on {first}; correct the day")
    sent = {row["about"]: row["on_day"] for row in services if row["kind"] == "summary_sent"}
    again = [row for row in before if sent.get(row["source"]) == day]
    unsent = [row for row in before if row["source"] not in sent]
    if len(unsent) > 1 and not again:
        raise RefusedRecord("Several CMRs have no summary yet; say which one it is of with --about")
    return (again or unsent or before)[-1]


def _resolution(service: Service, standing: Standing, enrollment: Row) -> Service:
    made = [row for row in standing.services if row["kind"] == "recommendation" and _same(row, enrollment)]
    if not made:
        raise RefusedRecord("No recommendation is recorded, so none can be resolved; record the recommendation first")
    if service.about:
        made = [row for row in made if row["source"] == service.about]
        if not made:
            raise RefusedRecord(f"{service.about} is no recommendation of the beneficiary; name one as it was recorded")
    elif len(made) > 1:
        resolved = {row["about"] for row in standing.services if row["kind"] == "resolution"}
        made = [row for row in made if row["source"] not in resolved]
        if len(made) != 1:
            raise RefusedRecord("Several recommendations are recorded; say which one was resolved with --about")
    row = made[0]
    if row["on_day"] and service.on_day < row["on_day"]:
        raise RefusedRecord(f"{service.on_day} is before the recommendation on {row['on_day']}; correct the day")
    return replace(service, about=row["source"])


# ---- small things


def _not_in_the_future(day: date, today: date) -> None:
    if day > today:
        raise RefusedRecord(f"{day} is in the future (today is {today}); record it when it has happened")


def _contradicts(fact: str, told: object, known: object) -> bool:
    """Whether what is told differs from what is known; an answer to an offer without one is no contradiction."""
    if known is None or told == known:
        return False
    return not (known == "U" or (fact == "answer" and known == "no_answer"))


def _points_at(name: str, fact: str, reference: str, types: Collection[str]) -> None:
    if reference and not re.fullmatch(rf"({'|'.join(types)})/[A-Za-z0-9\-.]{{1,64}}", reference):
        forms = " or ".join(f"{one}/[id]" for one in types)
        raise RefusedRecord(f"{name}: {fact} is no reference of the form {forms}; correct it")


def _known(name: str, title: str, code: str, words: Collection[str]) -> None:
    if code and code not in words:
        raise RefusedRecord(f"{name}: {code!r} is no {title}; known are: {_list(words)}")


def _list(words: Collection[str]) -> str:
    return ", ".join(words)
