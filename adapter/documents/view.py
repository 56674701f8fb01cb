"""What the papers are about: one member, the review, the lists. Plain values, from FHIR or from a form.

All texts are clean (``characters.clean``): one line, no control characters. Nothing here knows a language or a page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Member:
    """The person that a paper is for. ``key`` is the Patient id; ``birth_date`` is as FHIR writes it, perhaps only a year, or ""."""

    key: str
    name: str
    birth_date: str = ""
    address: tuple[str, ...] = ()  # lines, as they stand on an envelope
    zip_code: str = ""
    language: str = ""  # "en", "es", or "" when the source does not tell
    other_language: str = ""  # what the source tells when it is neither of these: "zh"
    deceased: bool = False


@dataclass(frozen=True)
class Provider:
    """Who performed the review, as a letter is signed."""

    name: str
    title: str = ""
    organization: str = ""
    phone: str = ""


@dataclass(frozen=True)
class Review:
    """A Comprehensive Medication Review."""

    on: date
    provider: Provider | None = None


@dataclass(frozen=True)
class Topic:
    """One box of the to-do list: what was talked about, and what the member should do."""

    topic: str
    actions: tuple[str, ...]


@dataclass(frozen=True)
class Drug:
    """One row of the medication list, in the words of the member."""

    name: str
    how: str = ""
    why: str = ""
    prescriber: str = ""


@dataclass(frozen=True)
class Site:
    """One take-back site, 42 CFR 422.111(j)(4)."""

    name: str
    address: str
    phone: str = ""
    hours: str = ""


@dataclass(frozen=True)
class Prescriber:
    """Whom a fax goes to."""

    name: str
    organization: str = ""
    phone: str = ""
    fax: str = ""


@dataclass(frozen=True)
class Recommendation:
    """One recommendation to a prescriber: what was found, and what is recommended."""

    about: str
    recommendation: str


@dataclass(frozen=True)
class Fax:
    """The recommendations to one prescriber."""

    prescriber: Prescriber
    recommendations: tuple[Recommendation, ...]


@dataclass(frozen=True)
class Facts:
    """All that is known about one member for any of the papers; None is unknown, an empty tuple may be either.

    ``drugs`` None: there is no reviewed list. ``topics`` None: there is no action plan.
    """

    member: Member
    enrolled_on: date | None = None
    review: Review | None = None
    topics: tuple[Topic, ...] | None = None
    drugs: tuple[Drug, ...] | None = None
    lost_drugs: int = 0  # entries of the reviewed list that the source does not hold
    listed_on: date | None = None  # day of the reviewed list
    allergies: tuple[str, ...] = ()
    side_effects: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    faxes: tuple[Fax, ...] = ()
    sites: tuple[Site, ...] = ()
