"""The facts of one member from a JSON form: for a desk without a FHIR server, and for tests. docs/documents.md documents it."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from adapter.documents import strict
from adapter.documents.characters import clean
from adapter.documents.elements import partial_date
from adapter.documents.view import (
    Drug,
    Facts,
    Fax,
    Member,
    Prescriber,
    Provider,
    Recommendation,
    Review,
    Site,
    Topic,
)
from adapter.errors import ConfigError


def _none() -> Any:
    return msgspec.field(default_factory=list)


class MemberForm(strict.Strict, frozen=True):
    """The person that the papers are for."""

    id: str
    name: str
    birth_date: str = ""
    address: list[str] = _none()
    zip: str = ""
    language: str = ""


class ProviderForm(strict.Strict, frozen=True):
    """Who performed the review."""

    name: str
    title: str = ""
    organization: str = ""
    phone: str = ""


class ReviewForm(strict.Strict, frozen=True):
    """The Comprehensive Medication Review."""

    date: date
    provider: ProviderForm | None = None


class TopicForm(strict.Strict, frozen=True):
    """One box of the to-do list."""

    topic: str
    actions: list[str] = _none()


class DrugForm(strict.Strict, frozen=True):
    """One row of the medication list."""

    name: str
    how: str = ""
    why: str = ""
    prescriber: str = ""


class SiteForm(strict.Strict, frozen=True):
    """One take-back site."""

    name: str
    address: str
    phone: str = ""
    hours: str = ""


class RecommendationForm(strict.Strict, frozen=True):
    """One recommendation to a prescriber."""

    recommendation: str
    about: str = ""


class FaxForm(strict.Strict, frozen=True):
    """The recommendations to one prescriber."""

    name: str
    recommendations: list[RecommendationForm]
    organization: str = ""
    phone: str = ""
    fax: str = ""


class Form(strict.Strict, frozen=True):
    """All that may be said of a member; each paper needs its part. ``to_do`` and ``medications`` may be empty, but not absent, for
    the papers that show them."""

    member: MemberForm
    enrolled_on: date | None = None
    review: ReviewForm | None = None
    to_do: list[TopicForm] | None = None
    medications: list[DrugForm] | None = None
    allergies: list[str] = _none()
    side_effects: list[str] = _none()
    other: list[str] = _none()
    sites: list[SiteForm] = _none()
    prescribers: list[FaxForm] = _none()


def facts(content: bytes, name: str) -> Facts:
    """The facts of the form. Raises ConfigError with every fault, each with its key; ``name`` is how messages call the form."""
    try:
        raw = msgspec.json.decode(content)
    except msgspec.DecodeError as error:
        raise ConfigError(f"{name} is not JSON ({error}); correct it") from None
    faults = strict.faults(raw, Form)
    form = None if faults else msgspec.convert(raw, Form)
    faults = faults if form is None else _value_faults(form)
    if form is None or faults:
        raise ConfigError("\n".join(f"{name}: {key}: {fault}" if key else f"{name}: {fault}" for key, fault in faults))
    return _facts(form)


def _value_faults(form: Form) -> strict.Faults:
    found: strict.Faults = []
    if not clean(form.member.name):
        found.append(("member.name", "it is empty; fill it in"))
    if form.member.birth_date and not partial_date(form.member.birth_date):
        found.append(("member.birth_date", "it is no date; write it like 1950-03-14"))
    if form.member.language not in ("", "en", "es"):
        found.append(("member.language", "there are no papers in this language; known are: en, es"))
    return found


def _facts(form: Form) -> Facts:
    member, review = form.member, form.review
    return Facts(
        member=Member(
            clean(member.id),
            clean(member.name),
            member.birth_date,
            _clean(member.address),
            clean(member.zip)[:5],
            member.language,
        ),
        enrolled_on=form.enrolled_on,
        review=Review(review.date, _as(Provider, review.provider) if review.provider else None) if review else None,
        topics=None
        if form.to_do is None
        else tuple(Topic(clean(one.topic), _clean(one.actions)) for one in form.to_do),
        drugs=None if form.medications is None else tuple(_as(Drug, one) for one in form.medications),
        allergies=_clean(form.allergies),
        side_effects=_clean(form.side_effects),
        other=_clean(form.other),
        sites=tuple(_as(Site, one) for one in form.sites),
        faxes=tuple(_fax(one) for one in form.prescribers),
    )


def _fax(form: FaxForm) -> Fax:
    to = Prescriber(clean(form.name), clean(form.organization), clean(form.phone), clean(form.fax))
    told = (Recommendation(clean(one.about), clean(one.recommendation)) for one in form.recommendations)
    return Fax(to, tuple(told))


def _as(kind: Any, form: strict.Strict) -> Any:
    """The view of a form that has the same fields, all of them texts."""
    return kind(**{name: clean(getattr(form, name)) for name in form.__struct_fields__})


def _clean(texts: list[str]) -> tuple[str, ...]:
    return tuple(text for text in map(clean, texts) if text)
