"""How a drug is used, in one plain sentence for the member, from FHIR Dosage: its text, else timing, route and dose.

https://hl7.org/fhir/R4/dosage.html, https://hl7.org/fhir/R4/datatypes.html#Timing. Nothing is added that the source does not say:
a dose without a timing stays without one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from adapter.reconciliation import timing
from adapter.reconciliation.phrases import number, time_each, time_span
from adapter.reconciliation.shape import formed_dosage
from adapter.reconciliation.sig import in_plain_words
from adapter.reconciliation.words import (
    ASIDES,
    PHRASES,
    ROUTE_CODES,
    ROUTE_WORDS,
    ROUTES,
    UNIT_ROUTES,
    UNIT_WORDS,
    UNITS,
    Language,
)

Element = Mapping[str, Any]


@dataclass(frozen=True, order=True)
class Use:
    """How a drug is used: the sentence ("" when the source tells nothing) and whether it is wholly in the language asked for."""

    text: str = ""
    translated: bool = True


NO_USE = Use()


def use(dosages: Sequence[Element], language: Language, source_language: str = "en") -> Use:
    """The sentence of all ``dosages`` of one resource, in their sequence.

    A text in the language asked for goes before timing, route and dose. From a text in another language these only take over when
    they tell a dose, and when: a sentence that lacks either would be less than the text, which is then told as it is written.
    ``source_language`` is ``Resource.language``, English unless it says otherwise. An element without its FHIR shape is not told.
    """
    formed = list(map(formed_dosage, dosages))
    ordered = sorted(formed, key=lambda one: (_sequence(one), str(sorted(one.items(), key=str))))
    told = [part for part in (_use(one, language, source_language[:2].lower() or "en") for one in ordered) if part.text]
    sentences = [part.text for part in told]
    sequences = [_sequence(one) for one in ordered]
    if len(sentences) > 1 and len(set(sequences)) == len(sequences):  # one after the other, not side by side
        then = PHRASES[language]["then"]
        sentences = [sentences[0], *(f"{then}: {text[0].lower()}{text[1:]}" for text in sentences[1:])]
    return Use(" ".join(dict.fromkeys(sentences)), all(part.translated for part in told))


def _use(dosage: Element, language: Language, written_in: str) -> Use:
    text = _line(dosage.get("text"))
    if text and written_in == language:
        return _as_written(text, language, written_in)
    built = _built(dosage, language)
    if text:
        return built if _says_it_all(dosage, language) else _as_written(text, language, written_in)
    told = _as_written(_line(dosage.get("patientInstruction")), language, written_in)
    if not (built.text and told.text):
        return told if told.text else built
    if told.text.casefold() == built.text.casefold():
        return built
    return Use(f"{built.text} {told.text}", built.translated and told.translated)


def _line(text: Any) -> str:
    return " ".join(str(text or "").split())


def _as_written(text: str, language: Language, written_in: str) -> Use:
    if written_in == language:
        return Use(in_plain_words(text) if language == "en" else _closed(text))
    pair = ASIDES.get(text.lower().strip(". ")) if written_in == "en" else None
    return Use(_closed(pair[1] if pair else text), not text or pair is not None)


def _says_it_all(dosage: Element, language: Language) -> bool:
    """Whether the elements tell a dose, and how often, when or that it is taken as needed."""
    rates = dosage.get("doseAndRate") or [{}]
    when = timing.phrases(dosage.get("timing") or {}, language) or _as_needed(dosage, language, _Asides(language))
    return bool(when) and bool(_dose(rates[0], language)[0])


def _built(dosage: Element, language: Language) -> Use:
    """The sentence put together from the elements."""
    aside = _Asides(language)
    rates = dosage.get("doseAndRate") or []
    amount, unit = _dose(rates[0], language) if rates else ("", "")
    route = _route(dosage, unit)
    verb, phrase = ROUTES[route][language]
    site = aside.told(_concept(dosage.get("site")))
    parts = [
        amount,
        _placed(site, language) if site else phrase,
        *timing.phrases(dosage.get("timing") or {}, language),
        *(aside.told(_concept(one)) for one in dosage.get("additionalInstruction") or ()),
        _rate(rates, language),
        _as_needed(dosage, language, aside),
    ]
    if not any((amount, *parts[2:])):
        return Use()
    sentence = " ".join([_verb(dosage, verb, language), *filter(None, parts)])
    bounds = timing.bounds(dosage.get("timing") or {}, language)
    sentence += f", {bounds}" if bounds else ""
    return Use(" ".join([_closed(sentence), *_limits(dosage, language)]), aside.all_translated)


class _Asides:
    """Free texts beside a dose: those of the list in the language asked for, others as they are written."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.all_translated = True

    def told(self, text: str) -> str:
        pair = ASIDES.get(text.lower().strip(". "))
        if pair:
            return pair[0 if self.language == "en" else 1]
        if text and self.language != "en":
            self.all_translated = False
        return text.strip(". ")


def _dose(rate: Element, language: Language) -> tuple[str, str]:
    """The dose in words and the name of its unit: "1 to 2 tablets", "tablet"."""
    if isinstance(quantity := rate.get("doseQuantity"), Mapping):
        return quantity_words(quantity, language), _unit(quantity)[0]
    if not isinstance(span := rate.get("doseRange"), Mapping):
        return "", ""
    low, high = span.get("low") or {}, span.get("high") or {}
    words = PHRASES[language]
    if not high.get("value"):
        return quantity_words(low, language), _unit(low)[0]
    if not low.get("value"):
        return words["up_to"].format(high=quantity_words(high, language)), _unit(high)[0]
    unit = high if _unit(high)[0] else {**high, "unit": low.get("unit"), "code": low.get("code")}
    both = words["to"].format(low=number(low.get("value"), language), high=quantity_words(unit, language))
    return both, _unit(unit)[0]


def quantity_words(quantity: Element, language: Language) -> str:
    """A quantity as a member reads it: "half a tablet", "1½ tablets", "5 mL", "media tableta"; "" without a value."""
    value = _value(quantity.get("value"))
    if value is None:
        return ""
    name, written = _unit(quantity)
    one, many, feminine = UNIT_WORDS[language].get(name, (written, written, False))
    if not one:
        return number(value, language)
    if value == Decimal("0.5") and name in _WHOLE:
        return PHRASES[language]["half"].format(unit=one, medio="media" if feminine else "medio")
    return f"{number(value, language, halves=name in _WHOLE)} {one if value <= 1 else many}"


# Things that can be halved or counted, other than measures such as mL.
_WHOLE = frozenset(UNIT_WORDS["es"]) - {"mL", "L", "mg", "mcg", "g", "mEq", "unit"}


def _unit(quantity: Element) -> tuple[str, str]:
    """The name of the unit in UNIT_WORDS ("" when it is none of them), and the unit as it is written."""
    for text in (quantity.get("unit"), quantity.get("code")):
        written = " ".join(str(text or "").split()).strip("{}")
        plain = re.sub(r"\(e?s\)$", "", written.lower())
        for form in (plain, plain.removesuffix("s"), plain.partition(" ")[0].removesuffix("s")):
            if form in UNITS and form:
                return UNITS[form], UNITS[form]
    written = " ".join(str(quantity.get("unit") or quantity.get("code") or "").split()).strip("{}")
    return "", written


def _value(value: Any) -> Decimal | None:
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation:
        return None


def _route(dosage: Element, unit: str) -> str:
    """The key in ROUTES: by the code or the words of the route, else by the unit; "" when it may be taken by mouth."""
    concept = dosage.get("route") or {}
    codes = [str(coding.get("code", "")) for coding in concept.get("coding") or ()]
    known = next((ROUTE_CODES[code] for code in codes if code in ROUTE_CODES), "")
    text = " ".join(
        [_concept(concept), *(str(coding.get("display", "")) for coding in concept.get("coding") or ())]
    ).lower()
    by_words = next((route for pattern, route in ROUTE_WORDS if re.search(pattern, text)), "")
    if known or by_words:
        return known or by_words
    if text.strip():
        return "other"
    return UNIT_ROUTES.get(unit, "" if unit else "other")


def _verb(dosage: Element, verb: str, language: Language) -> str:
    """The verb of the route; in English that of the method, when the source gives one that is a plain verb."""
    method = _concept(dosage.get("method")) if language == "en" else ""
    return method.capitalize() if method.lower() in _METHODS else verb


_METHODS = frozenset(
    ("take", "apply", "inhale", "inject", "chew", "dissolve", "swallow", "use", "insert", "rinse", "instill")
)


def _placed(site: str, language: Language) -> str:
    starts = ("in ", "on ", "to ", "under ", "into ", "en ", "sobre ", "debajo ")
    if site.startswith(starts):
        return site
    return f"on the {site}" if language == "en" else f"en: {site}"


def _rate(rates: Sequence[Element], language: Language) -> str:
    words = PHRASES[language]
    for rate in rates:
        quantity, ratio, span = (rate.get(name) or {} for name in ("rateQuantity", "rateRatio", "rateRange"))
        amount, time = (ratio.get(name) or {} for name in ("numerator", "denominator"))
        if "value" in quantity:
            return words["rate"].format(rate=f"{number(quantity['value'], language)} {_written(quantity)}".strip())
        if "value" in amount and "value" in time:
            told = time_each(time["value"], _written(time), language)
            return words["rate"].format(rate=words["per"].format(dose=quantity_words(amount, language), time=told))
        low, high = (span.get(name) or {} for name in ("low", "high"))
        if "value" in low and "value" in high:
            both = words["to"].format(low=number(low["value"], language), high=number(high["value"], language))
            return words["rate"].format(rate=f"{both} {_written(high) or _written(low)}".strip())
    return ""


def _written(quantity: Element) -> str:
    return _line(quantity.get("unit") or quantity.get("code"))


def _as_needed(dosage: Element, language: Language, aside: _Asides) -> str:
    why = aside.told(_concept(dosage.get("asNeededCodeableConcept")))
    if why:
        return PHRASES[language]["as_needed_for"].format(why=why[0].lower() + why[1:])
    needed = (
        dosage.get("asNeededBoolean") is True
        or "asNeededCodeableConcept" in dosage
        or timing.is_prn(dosage.get("timing") or {})
    )
    return PHRASES[language]["as_needed"] if needed else ""


def _limits(dosage: Element, language: Language) -> list[str]:
    """The largest amounts, each a sentence of its own."""
    words, limits = PHRASES[language], []
    per = dosage.get("maxDosePerPeriod") or {}
    dose = quantity_words(per.get("numerator") or {}, language)
    span = per.get("denominator") or {}
    if dose and span.get("value") is not None:
        limits.append(
            words["max_period"].format(
                dose=dose, time=time_span(span["value"], str(span.get("code") or span.get("unit") or ""), language)
            )
        )
    for name, key in (("maxDosePerAdministration", "max_once"), ("maxDosePerLifetime", "max_life")):
        if dose := quantity_words(dosage.get(name) or {}, language):
            limits.append(words[key].format(dose=dose))
    return limits


def _concept(concept: Any) -> str:
    """The text of a CodeableConcept, else the first display; "" without either."""
    if not isinstance(concept, Mapping):
        return ""
    displays = [coding.get("display") for coding in concept.get("coding") or ()]
    return " ".join(str(concept.get("text") or next(filter(None, displays), "") or "").split())


def _sequence(dosage: Element) -> int:
    sequence = dosage.get("sequence")
    return sequence if isinstance(sequence, int) else 0


def _closed(text: str) -> str:
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".") if text else ""
