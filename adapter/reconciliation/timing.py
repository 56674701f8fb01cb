"""FHIR Timing in words: how often, when in the day, on which days, until when."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from adapter.reconciliation.phrases import day, duration, listed, number, time_unit
from adapter.reconciliation.words import DAYS, PHRASES, TIMES, TIMING_CODES, WHEN, Language

Element = Mapping[str, Any]
_EVERY_HOURS = re.compile(r"Q(\d{1,2})H(?:R|RS)?", re.IGNORECASE)


def phrases(timing: Element, language: Language) -> list[str]:
    """How often and when, in the order in which a sentence tells them; empty when the timing says nothing of it."""
    repeat = timing.get("repeat") or {}
    coded = _coded(timing)
    whens = [str(one) for one in repeat.get("when") or ()] or ([coded[3]] if coded and coded[3] else [])
    often = _often(repeat, coded, bool(whens), language)
    return [
        part
        for part in (
            often,
            _days(repeat.get("dayOfWeek") or (), language),
            _dates(timing.get("event") or (), language),
            _whens(whens, repeat.get("offset"), language),
            _times(repeat.get("timeOfDay") or (), language),
            _count(repeat, language),
            _lasting(repeat, language),
            "" if repeat or coded else _code_text(timing),
        )
        if part
    ]


def bounds(timing: Element, language: Language) -> str:
    """For how long or until when: "for 10 days", "until January 15, 2023"; "" when the timing tells no end."""
    repeat, words = timing.get("repeat") or {}, PHRASES[language]
    if isinstance(length := repeat.get("boundsDuration"), Mapping) and length.get("value") is not None:
        return words["for"].format(
            time=duration(length["value"], str(length.get("code") or length.get("unit") or ""), language)
        )
    if isinstance(span := repeat.get("boundsRange"), Mapping):
        return _span(span, language)
    period = repeat.get("boundsPeriod") or {}
    if not period.get("end"):
        return ""
    end = day(str(period["end"]), language)
    if period.get("start"):
        return words["from_until"].format(start=day(str(period["start"]), language), day=end)
    return words["until"].format(day=end)


def is_prn(timing: Element) -> bool:
    """Whether the code or text of the timing says "as needed"."""
    return any(re.search(r"(?i)(?<!\w)prn(?!\w)", text) for text in _codes(timing))


def _coded(timing: Element) -> tuple[int, int, str, str] | None:
    """What the code of the timing stands for: frequency, period, unit, when."""
    for code in _codes(timing):
        plain = re.sub(r"(?i)\bprn\b", "", code).replace(".", "").strip().upper()
        if plain in TIMING_CODES:
            return TIMING_CODES[plain]
        if every := _EVERY_HOURS.fullmatch(plain.replace(" ", "")):
            return 1, int(every[1]), "h", ""
    return None


def _codes(timing: Element) -> list[str]:
    concept = timing.get("code") or {}
    codings = concept.get("coding") or ()
    return [
        str(text)
        for text in (
            *(one.get("code") for one in codings),
            concept.get("text"),
            *(one.get("display") for one in codings),
        )
        if text
    ]


def _code_text(timing: Element) -> str:
    """The text of a code that is not known here, as it is written; an abbreviation alone says nothing to a member."""
    text = str((timing.get("code") or {}).get("text") or "")
    return "" if re.fullmatch(r"(?i)prn", text) else text


def _often(repeat: Element, coded: tuple[int, int, str, str] | None, has_when: bool, language: Language) -> str:
    if repeat.get("period") is None and repeat.get("frequency") is None:
        if coded is None or (has_when and coded[:3] == (1, 1, "d")):  # "at bedtime" says it all
            return ""
        return _frequency(1 if coded is None else coded[0], None, coded[1], None, coded[2], language)
    frequency, period = repeat.get("frequency", 1), repeat.get("period", 1)
    unit = str(repeat.get("periodUnit") or "d")
    if (
        has_when
        and (frequency, Decimal(str(period)), time_unit(unit)) == (1, Decimal(1), "d")
        and not repeat.get("frequencyMax")
    ):
        return ""
    if repeat.get("dayOfWeek") and time_unit(unit) == "wk" and frequency in (1, len(repeat["dayOfWeek"])):
        return ""
    return _frequency(frequency, repeat.get("frequencyMax"), period, repeat.get("periodMax"), unit, language)


def _frequency(frequency: Any, most: Any, period: Any, longest: Any, code: str, language: Language) -> str:
    words = PHRASES[language]
    unit = time_unit(code)
    one, many = TIMES[language].get(unit, (code, code))
    single = Decimal(str(period)) == 1 and longest is None
    times = (
        words["to"].format(low=number(frequency, language), high=number(most, language))
        if most
        else number(frequency, language)
    )
    if single and unit in ("d", "wk", "mo", "a"):
        per = words["a"].format(unit=one, al="a la" if unit == "wk" else "al")
        return words["once"].format(per=per) if frequency == 1 and not most else words["times"].format(n=times, per=per)
    if unit == "d" and Decimal(str(period)) == 2 and frequency == 1 and not most and longest is None:
        return words["other_day"]
    span = one if single else f"{_between(period, longest, language)} {many}"
    return words["every"].format(p=span) if frequency == 1 and not most else words["n_every"].format(n=times, p=span)


def _between(low: Any, high: Any, language: Language) -> str:
    if high is None:
        return number(low, language)
    return PHRASES[language]["to"].format(low=number(low, language), high=number(high, language))


def _whens(whens: Sequence[str], offset: Any, language: Language) -> str:
    place = 0 if language == "en" else 1
    told = [WHEN[one][place] for one in whens if one in WHEN]
    if offset and told:
        minutes = int(offset)
        span = duration(minutes // 60, "h", language) if minutes % 60 == 0 else duration(minutes, "min", language)
        told[0] = PHRASES[language]["before"].format(time=span, when=told[0])
    return listed(told, language)


def _days(days: Sequence[str], language: Language) -> str:
    place = 0 if language == "en" else 1
    known = [DAYS[one][place] for one in DAYS if one in days]
    return PHRASES[language]["on"].format(days=listed(known, language)) if known else ""


def _dates(events: Sequence[str], language: Language) -> str:
    """The days of ``Timing.event``; the hour of one is not told."""
    told = [day(one, language) for one in sorted({one[:10] for one in events})]
    return PHRASES[language]["on_dates"].format(dates=listed(told, language)) if told else ""


def _times(times: Sequence[str], language: Language) -> str:
    told = [_clock(str(one)) for one in sorted(map(str, times))]
    return PHRASES[language]["at"].format(times=listed(told, language)) if told else ""


def _clock(text: str) -> str:
    """ "08:00:00" as "8:00 a.m.", in both languages."""
    hour, minute = int(text[:2]), text[3:5] or "00"
    return f"{(hour - 1) % 12 + 1}:{minute} {'a.m.' if hour < 12 else 'p.m.'}"


def _count(repeat: Element, language: Language) -> str:
    count = repeat.get("count")
    if not count:
        return ""
    words = PHRASES[language]
    return words["one_dose"] if count == 1 else words["doses"].format(n=number(count, language))


def _lasting(repeat: Element, language: Language) -> str:
    """How long one dose lasts, such as an infusion."""
    if repeat.get("duration") is None:
        return ""
    span = duration(repeat["duration"], str(repeat.get("durationUnit") or ""), language)
    return PHRASES[language]["over"].format(time=span)


def _span(span: Element, language: Language) -> str:
    low, high = span.get("low") or {}, span.get("high") or {}
    last = high if high.get("value") is not None else low
    if last.get("value") is None:
        return ""
    code = str(last.get("code") or last.get("unit") or "")
    words = PHRASES[language]
    if low.get("value") is None or last is low:
        return words["for"].format(time=duration(last["value"], code, language))
    time = words["to"].format(low=number(low["value"], language), high=duration(high["value"], code, language))
    return words["for"].format(time=time)
