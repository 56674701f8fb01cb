"""The form of a review, as JSON: the final list with its changes, to-dos, problems, the facts of the CMR, and who held it.

``review_form`` reads it strictly: no key beyond those named, every fault at once with its path. docs/review.md tells it in words,
docs/review.schema.json as a JSON Schema.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from adapter.documents import strict
from adapter.documents.strict import Faults, Strict
from adapter.resources.detected_issue import CODES, MITIGATIONS
from adapter.resources.narrative import clean
from adapter.resources.npi import is_npi

Change = Literal["kept", "changed", "new", "stopped"]
ADHERENCE = (
    "taking", "taking-as-directed", "taking-not-as-directed", "not-taking", "on-hold", "stopped", "stopped-as-directed",
    "stopped-not-as-directed", "unknown",
)  # fmt: skip
_PARTIAL = r"\d{4}(-\d\d(-\d\d)?)?"
_DAY = r"\d{4}-\d\d-\d\d"
MOST_MINUTES = 600

_Form = TypeVar("_Form", bound=Strict)


def _told(text: str, **more: Any) -> msgspec.Meta:
    return msgspec.Meta(description=text, **more)


def _none() -> Any:
    return msgspec.field(default_factory=list)


class PharmacistForm(Strict, frozen=True):
    """Who held the review and stands behind list and plan."""

    family: Annotated[str, _told("Family name")]
    given: Annotated[list[str], _told("Given names")]
    npi: Annotated[str, _told("National Provider Identifier, ten digits with a right check digit")]
    organization: Annotated[str, _told("For whom: the plan, the pharmacy or the MTM vendor")]
    suffix: Annotated[list[str], _told("Degrees behind the name, such as PharmD")] = _none()
    title: Annotated[str, _told("Title as printed, such as Clinical Pharmacist")] = ""
    phone: Annotated[str, _told("Telephone at work")] = ""


class CmrForm(Strict, frozen=True):
    """The facts of the Comprehensive Medication Review that CMS asks for."""

    date: Annotated[str, _told("Day of the review, YYYY-MM-DD", pattern=f"^{_DAY}$")]
    method: Literal["face_to_face", "telephone", "telehealth", "other"]
    provider: Literal[
        "physician", "registered_nurse", "licensed_practical_nurse", "nurse_practitioner", "physician_assistant", "local_pharmacist",
        "ltc_consultant_pharmacist", "plan_sponsor_pharmacist", "pbm_pharmacist", "mtm_vendor_local_pharmacist",
        "mtm_vendor_in_house_pharmacist", "hospital_pharmacist", "pharmacist_other", "supervised_pharmacy_intern", "other",
    ]  # fmt: skip
    recipient: Literal["beneficiary", "prescriber", "caregiver", "other_authorized_individual"]
    cognitively_impaired: Annotated[
        Literal["Y", "N", "U"], _told("Whether the beneficiary was cognitively impaired at the review")
    ]
    ltc_facility: Annotated[
        Literal["Y", "N", "U"], _told("Whether the beneficiary was in a long-term care facility at the review")
    ]
    minutes: Annotated[int | None, _told(f"How long it took, 1 to {MOST_MINUTES}; null when not known")] = None
    note: Annotated[str, _told("A remark for the record; not printed")] = ""


class CodingForm(Strict, frozen=True):
    """One code of a drug."""

    system: str
    code: str
    display: str = ""


class MedicationForm(Strict, frozen=True):
    """One drug of the final list, or one that was stopped."""

    name: Annotated[str, _told("Name, strength and form as the member reads them")]
    change: Annotated[Change, _told("What the review made of it")]
    entry: Annotated[
        str, _told("Key of the line of `mtm-adapter pml` that it comes from; empty for one that no record names")
    ] = ""
    how: Annotated[str, _told("How I take it, in plain words; required unless stopped")] = ""
    why: Annotated[str, _told("Why I use it; empty is printed as a blank to fill in")] = ""
    prescriber: str = ""
    started: Annotated[str, _told("Year, month or day", pattern=f"^({_PARTIAL})?$")] = ""
    stopped: Annotated[str, _told("Year, month or day; only of one that was stopped", pattern=f"^({_PARTIAL})?$")] = ""
    stop_reason: Annotated[str, _told("Why it was stopped; only of one that was stopped")] = ""
    adherence: Annotated[str, _told(f"One of {', '.join(ADHERENCE)}; empty when not talked about")] = ""
    codings: Annotated[list[CodingForm], _told("Codes of one that no record names, such as RxNorm")] = _none()


class TopicForm(Strict, frozen=True):
    """One box of the Recommended To-Do List."""

    topic: Annotated[str, _told("What we talked about")]
    actions: Annotated[list[str], _told("What I should do")]


class MitigationForm(Strict, frozen=True):
    """What was done about a problem."""

    action: Annotated[
        str, _told(f"Code of v3-ActCode: {', '.join(f'{code} {text}' for code, text in MITIGATIONS.items())}; or empty")
    ] = ""
    text: str = ""


class ProblemForm(Strict, frozen=True):
    """A medication-related problem: a proposal of the rules that is taken over or dismissed, or one that the pharmacist found."""

    proposal: Annotated[
        str, _told("Id of the DetectedIssue that `mtm-adapter tmr` proposed; empty for a problem found in the review")
    ] = ""
    dismissed: Annotated[bool, _told("The proposal is no problem of this beneficiary; only with a proposal")] = False
    title: str = ""
    detail: Annotated[str, _told("One or two sentences for a professional")] = ""
    severity: Literal["high", "moderate", "low"] = "moderate"
    code: Annotated[str, _told(f"Code of v3-ActCode: {', '.join(CODES)}; or empty")] = ""
    medications: Annotated[list[str], _told("Names of drugs of this form that it is about")] = _none()
    contacts: list[Literal["member", "caregiver", "pharmacist", "prescriber"]] = _none()
    recommendation: str = ""
    mitigations: list[MitigationForm] = _none()


class AllergyForm(Strict, frozen=True):
    """An allergy or a side effect that the member told and no record holds."""

    substance: str
    kind: Literal["allergy", "side_effect"] = "allergy"
    reaction: str = ""


class ReviewForm(Strict, frozen=True):
    """The whole review of one beneficiary."""

    pharmacist: PharmacistForm
    cmr: CmrForm
    medications: list[MedicationForm]
    to_do: list[TopicForm] = _none()
    problems: list[ProblemForm] = _none()
    allergies: Annotated[
        list[AllergyForm], _told("Only what no record holds; those on record are confirmed by allergies_confirmed")
    ] = _none()
    allergies_confirmed: Annotated[bool, _told("The allergies on record were gone through with the member")] = False
    no_known_allergies: Annotated[bool, _told("The member says that there are none; only when no record holds one")] = (
        False
    )
    other: Annotated[list[str], _told("Other information, printed on the list")] = _none()
    language: Annotated[Literal["en", "es"], _told("Language in which this form is written for the member")] = "en"


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the form."""
    made = msgspec.json.schema(ReviewForm)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Review of one beneficiary by mtm-adapter",
    } | made


def review_form(raw: Any, today: date) -> tuple[ReviewForm | None, Faults]:
    """The form in ``raw`` (JSON values), or None and every fault of it, each with the path of its key.

    ``today`` is the last day on which a review may have been held. Parts that can be read are checked although others cannot.
    """
    found = [_with_choices(fault) for fault in strict.faults(raw, ReviewForm)]
    form = None if found else msgspec.convert(raw, ReviewForm)
    found += _value_faults(_Parts(raw if isinstance(raw, dict) else {}), today)
    if form and form.no_known_allergies and form.allergies:
        found.append(("no_known_allergies", "allergies are told beside it; keep one of the two"))
    return (None if found else form), found


class _Parts:
    """Those parts of a form that can be read, whatever is wrong with the others."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw

    def one(self, name: str, kind: type[_Form]) -> list[_Form]:
        """The part of that name, or none."""
        return self._read(self.raw.get(name), kind)

    def many(self, name: str, kind: type[_Form]) -> list[tuple[str, _Form]]:
        """The parts in the list of that name, each with its place."""
        listed = self.raw.get(name)
        rows = enumerate(listed if isinstance(listed, list) else [])
        return [(f"{name}[{n}]", part) for n, one in rows for part in self._read(one, kind)]

    def _read(self, raw: Any, kind: type[_Form]) -> list[_Form]:
        return [] if strict.faults(raw, kind) else [msgspec.convert(raw, kind)]


def _value_faults(parts: _Parts, today: date) -> Faults:
    """The faults of the values: empty texts, days that do not fit, names that stand twice or nowhere."""
    medications = parts.many("medications", MedicationForm)
    held_on = next((cmr.date for cmr in parts.one("cmr", CmrForm) if _day(cmr.date)), today.isoformat())
    names = {clean(one.name).casefold() for _, one in medications}
    found = [fault for one in parts.one("pharmacist", PharmacistForm) for fault in _of_pharmacist(one)]
    found += [fault for one in parts.one("cmr", CmrForm) for fault in _of_cmr(one, today)]
    found += [fault for place, one in medications for fault in _of_medication(one, place, held_on)]
    found += _repeated([one.name for _, one in medications], "medications", "name")
    found += _repeated([one.entry for _, one in medications], "medications", "entry")
    found += [fault for place, one in parts.many("to_do", TopicForm) for fault in _of_topic(one, place)]
    problems = parts.many("problems", ProblemForm)
    found += [fault for place, one in problems for fault in _of_problem(one, place, names)]
    found += _repeated([one.proposal for _, one in problems], "problems", "proposal")
    return found + [
        (f"{place}.substance", EMPTY) for place, one in parts.many("allergies", AllergyForm) if not clean(one.substance)
    ]


def _with_choices(fault: tuple[str, str]) -> tuple[str, str]:
    """The fault of a value that is none of a few, with those that it may be."""
    place, told = fault
    choices = _choices(ReviewForm).get(re.sub(r"\[\d+\]", "", place), ())
    return (place, f"it must be one of {', '.join(choices)}") if told.startswith("Invalid enum") and choices else fault


@cache
def _choices(kind: type[Strict], place: str = "") -> dict[str, tuple[str, ...]]:
    """What each key that has a few values may hold, by its path without numbers."""
    found: dict[str, tuple[str, ...]] = {}
    for name, hint in get_type_hints(kind).items():
        path, plain = f"{place}{name}", get_args(hint)[0] if get_origin(hint) is list else hint
        if get_origin(plain) is Literal:
            found[path] = get_args(plain)
        elif isinstance(plain, type) and issubclass(plain, Strict):
            found |= _choices(plain, f"{path}.")
    return found


EMPTY = "it is empty; fill it in"


def _of_pharmacist(one: PharmacistForm) -> Faults:
    found = [(f"pharmacist.{name}", EMPTY) for name in ("family", "organization") if not clean(getattr(one, name))]
    if not any(map(clean, one.given)):
        found.append(("pharmacist.given", EMPTY))
    if not is_npi(one.npi):
        found.append(("pharmacist.npi", "it is no NPI: ten digits, the last of them the check digit; correct it"))
    return found


def _of_cmr(cmr: CmrForm, today: date) -> Faults:
    found: Faults = []
    day = _day(cmr.date)
    if day is None:
        found.append(("cmr.date", "it is no day of the calendar; write it as YYYY-MM-DD"))
    elif day > today:
        found.append(("cmr.date", f"{day} has not come yet (today is {today}); a review is recorded after it was held"))
    if cmr.minutes is not None and not 1 <= cmr.minutes <= MOST_MINUTES:
        found.append(("cmr.minutes", f"{cmr.minutes} is not 1 to {MOST_MINUTES}"))
    return found


def _of_medication(one: MedicationForm, place: str, held_on: str) -> Faults:
    stopped = one.change == "stopped"
    found = [] if clean(one.name) else [(f"{place}.name", EMPTY)]
    if not stopped and not clean(one.how):
        found.append((f"{place}.how", "it is empty; say how the drug is taken"))
    found += [
        (f"{place}.{name}", "the drug is not stopped; leave it out or change the change")
        for name in ("stopped", "stop_reason")
        if getattr(one, name) and not stopped
    ]
    for name in ("started", "stopped"):
        told = getattr(one, name)
        if told and not _is_partial(told):
            found.append((f"{place}.{name}", f"{told} is no date of the calendar; write a year, a month or a day"))
        elif told and told > held_on[: len(told)]:
            found.append((f"{place}.{name}", f"{told} lies after the review of {held_on}"))
    if one.started and one.stopped and one.started[: len(one.stopped)] > one.stopped[: len(one.started)]:
        found.append((f"{place}.stopped", f"{one.stopped} lies before the start {one.started}"))
    if one.adherence and one.adherence not in ADHERENCE:
        found.append((f"{place}.adherence", f"{one.adherence} is none of {', '.join(ADHERENCE)}"))
    if (one.change == "new") == bool(one.entry) and not stopped:
        told = "a new drug has no line in the records" if one.entry else "only a new drug has no line in the records"
        found.append((f"{place}.entry", f"{told}; correct the change or the entry"))
    return found


def _of_topic(one: TopicForm, place: str) -> Faults:
    found = [] if clean(one.topic) else [(f"{place}.topic", EMPTY)]
    if not one.actions:
        found.append((f"{place}.actions", "there is no action; say what the member should do"))
    return found + [(f"{place}.actions[{n}]", EMPTY) for n, action in enumerate(one.actions) if not clean(action)]


def _of_problem(one: ProblemForm, place: str, names: Collection[str]) -> Faults:
    found: Faults = []
    if one.dismissed and not one.proposal:
        found.append((f"{place}.dismissed", "only a proposal can be dismissed; name it or leave the problem out"))
    if not one.proposal and not clean(one.title):
        found.append((f"{place}.title", "it is empty; name the problem, or the proposal that is answered"))
    if one.proposal and (one.title or one.detail or one.code or one.recommendation or one.contacts):
        found.append(
            (f"{place}.proposal", "the proposal tells title, detail, code, contacts and recommendation; leave them out")
        )
    if one.code and one.code not in CODES:
        found.append((f"{place}.code", f"{one.code} is none of {', '.join(CODES)}"))
    found += [
        (f"{place}.medications[{n}]", f"no drug of this form is called {name}")
        for n, name in enumerate(one.medications)
        if clean(name).casefold() not in names
    ]
    for n, mitigation in enumerate(one.mitigations):
        if mitigation.action and mitigation.action not in MITIGATIONS:
            found.append(
                (f"{place}.mitigations[{n}].action", f"{mitigation.action} is none of {', '.join(MITIGATIONS)}")
            )
        if not mitigation.action and not clean(mitigation.text):
            found.append((f"{place}.mitigations[{n}]", "it says nothing; give an action or a text"))
    return found


def _repeated(values: list[str], place: str, name: str) -> Faults:
    plain = [clean(value).casefold() for value in values]
    twice = dict.fromkeys(value for value, key in zip(values, plain, strict=True) if key and plain.count(key) > 1)
    return [(place, f"{value} stands twice as {name}; keep one") for value in twice]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _is_partial(text: str) -> bool:
    """Whether it is a year, a month or a day of the calendar."""
    return (
        re.fullmatch(_PARTIAL, text) is not None
        and _day((text + "-01-01")[:10] if len(text) < 10 else text) is not None
    )


def uncovered(form: ReviewForm, entries: Mapping[str, str]) -> Faults:
    """What of the records the form passes over: every line of ``entries`` (key to name) must be kept, changed or stopped.

    So no drug is lost unseen.
    """
    told = {one.entry for one in form.medications if one.entry}
    left = [(key, name) for key, name in entries.items() if key not in told]
    return [
        ("medications", f"{name} (entry {key}) is on record and not in the form; keep, change or stop it")
        for key, name in left
    ]
