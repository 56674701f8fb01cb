"""Drug names as RxNorm, labels and people write them, taken apart: generic name, brand, strength and form.

Only the name is read here. Which drug it is, the one table path decides (``adapter/tables/drug_codes.py``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

_NUMBER = r"(?:\d[\d,]*(?:\.\d+)?|\.\d+)"
_UNIT = r"mg|mcg|ug|µg|μg|g|gm|meq|mmol|unt|units?|iu|%|cells|bau|mci|ml"
# A denominator with a number of its own is a volume, a time or a puff; "5 MG/325 MG" is two strengths. RxNorm writes gels as "MG/MG".
_PER = rf"(?:\s*/\s*(?:(?P<per>{_NUMBER})?\s*(?P<in>ml|l|hr|hour|h|actuat|actuation|act|puff|spray|dose|day|cm2)|(?P<gel>mg)))"
_STRENGTH = re.compile(rf"(?<![\w.,])(?P<value>{_NUMBER})\s*(?P<unit>{_UNIT}){_PER}?(?![\w])", re.IGNORECASE)
_PAIR = re.compile(rf"(?<![\w.,/-])({_NUMBER})((?:\s*[-/]\s*{_NUMBER}){{1,2}})\s*(mg|mcg)(?![\w])", re.IGNORECASE)
_LEAD = re.compile(rf"^\s*(?:{_NUMBER}\s*(?:hr|ml|actuat|l|mg)\s+(?=\S))+", re.IGNORECASE)
_BRAND = re.compile(r"\[([^\]]+)\]")
_ASIDE = re.compile(r"\(([^()]*)(\)?)")
_FORM = re.compile(
    r"(?<!\w)((?:extended|delayed|immediate|sustained|controlled)[- ]release|er|xr|xl|sr|dr|ec|chewable|disintegrating|oral|topical|"
    r"ophthalmic|otic|nasal|rectal|vaginal|transdermal|sublingual|injectable|inhalation|metered|tab(?:let)?s?|cap(?:sule)?s?|softgels?|"
    r"solution|suspension|syrup|cream|ointment|gel|lotion|patch(?:es)?|drops?|spray|inhaler|injection|pen|gumm(?:y|ies)|powder)(?!\w).*$",
    re.IGNORECASE,
)
_SAME = {
    "ug": "mcg",
    "µg": "mcg",
    "μg": "mcg",
    "gm": "g",
    "unt": "units",
    "unit": "units",
    "units": "units",
    "iu": "units",
}
_SAME_PER = {
    "hour": "hr",
    "h": "hr",
    "actuation": "actuat",
    "act": "actuat",
    "puff": "actuat",
    "spray": "actuat",
    "dose": "actuat",
}
_TO_MG = {"g": Decimal(1000), "mcg": Decimal("0.001"), "mg": Decimal(1)}
_READ = {"meq": "mEq", "ml": "mL", "l": "L", "actuat": "puff", "mci": "mCi", "bau": "BAU", "hr": "hour"}
SMALL = Decimal("0.2")  # mg; below that a strength is also told in mcg: "0.05 mg (50 mcg)"
RELEASES = re.compile(
    r"extended|delayed|sustained|controlled|(?<!\w)(?:er|xr|xl|sr|dr|ec|cr|la|cd)(?!\w)", re.IGNORECASE
)
_SHAPES = {
    "tablet": r"tab(?:let)?s?",
    "capsule": r"cap(?:sule)?s?|softgels?",
    "liquid": r"solution|suspension|syrup|elixir",
    "patch": r"patch(?:es)?|transdermal",
    "cream": r"cream|ointment|gel|lotion",
}


@dataclass(frozen=True, order=True)
class Product:
    """What a drug's name says, "" where it says nothing.

    ``strength`` is for a person to read ("5 mg / 10 mg", "100 units/mL"); ``key`` is the same for every way of writing one strength.
    """

    generic: str = ""
    brand: str = ""
    strength: str = ""
    form: str = ""
    key: str = ""

    @property
    def shape(self) -> str:
        """tablet, capsule, liquid, patch or cream, with "slow " before it for a modified release; "" when the form tells none."""
        shape = next(
            (name for name, words in _SHAPES.items() if re.search(rf"(?<!\w)(?:{words})(?!\w)", self.form, re.I)), ""
        )
        return f"slow {shape}" if shape and RELEASES.search(self.form) else shape


@dataclass(frozen=True)
class _Amount:
    value: Decimal
    unit: str
    per: str

    @property
    def key(self) -> str:
        value = self.value * _TO_MG.get(self.unit, Decimal(1))
        return f"{_plain(value)} {'mg' if self.unit in _TO_MG else self.unit}{self.per}"

    @property
    def read(self) -> str:
        unit = "%" if self.unit == "%" else f" {_READ.get(self.unit, self.unit)}"
        per = "/".join(_READ.get(part, part) for part in self.per.split("/"))
        text = f"{_plain(self.value)}{unit}{per}"
        if self.unit == "mg" and self.value < SMALL and not self.per:
            return f"{text} ({_plain(self.value * 1000)} mcg)"
        return text


def product(name: str) -> Product:
    """What ``name`` says of generic name, brand, strength and form.

    "24 HR metformin hydrochloride 500 MG Extended Release Oral Tablet [Glucophage]", "Tylenol (acetaminophen) 325mg tablets",
    "hydrocodone-acetaminophen 5-325 mg". A name without a strength is a generic name and perhaps a form.
    """
    brand = next(iter(_BRAND.findall(name)), "").strip()
    plain = " ".join(_BRAND.sub(" ", name).split())
    if plain.startswith("{"):  # a pack: several products in one box
        return Product(generic=plain, brand=brand)
    plain, aside = _without_aside(plain)
    plain = _PAIR.sub(_written_out, _LEAD.sub("", plain))
    found = list(_STRENGTH.finditer(plain))
    if not found:
        form = _FORM.search(plain)
        return _named(plain[: form.start()] if form else plain, form.group(0) if form else "", brand, aside, "", "")
    edges = [0, *(match.end() for match in found)]
    parts = [_bare(plain[start : match.start()]) for start, match in zip(edges, found, strict=False)]
    amounts = [_amount(match) for match in found]
    ordered = (
        sorted(zip(parts, amounts, strict=True), key=lambda pair: pair[0].lower())
        if all(parts)
        else zip(parts, amounts, strict=True)
    )
    key = " / ".join(amount.key for _, amount in ordered)
    strength = " / ".join(amount.read for amount in amounts)
    return _named(" / ".join(part for part in parts if part), plain[edges[-1] :], brand, aside, strength, key)


def _without_aside(text: str) -> tuple[str, str]:
    """The text without its first bracket, and what stands in it when that is a name: "Cozaar (losartan)"."""
    match = _ASIDE.search(text)
    if match is None:
        return text, ""
    inside = match.group(1).strip()
    rest = " ".join((text[: match.start()] + " " + text[match.end() :]).split())
    if rest and not match.group(2):  # FDA's label names are cut at 60 characters
        return rest, ""
    if not rest or _STRENGTH.search(inside) or not re.match(r"[A-Za-z]", inside):
        return text.replace("(", " ").replace(")", " "), ""
    return rest, inside


def _named(generic: str, form: str, brand: str, aside: str, strength: str, key: str) -> Product:
    name = _bare(_FORM.sub("", generic)) or _bare(generic)
    extra = "" if form.strip() else next((match.group(0) for match in [_FORM.search(generic)] if match), "")
    if aside and aside.casefold() != name.casefold():
        name, brand = aside, brand or name
    return Product(name, brand, strength, _form(form or extra), key)


def _form(text: str) -> str:
    """The form in small letters; a tablet or capsule is swallowed unless it says otherwise."""
    words = " ".join(text.replace(",", " ").split()).strip(" -/").lower()
    words = re.sub(r"\btabs?\b", "tablet", words)
    words = re.sub(r"\bcaps?\b", "capsule", words)
    return re.sub(r"\boral (?=(?:[a-z]+ )?(?:tablet|capsule))", "", words)


def _bare(text: str) -> str:
    return text.strip(" /,;+-")


def _written_out(match: re.Match[str]) -> str:
    """ "5-325 mg" as "5 mg / 325 mg"."""
    numbers = [match.group(1), *re.findall(_NUMBER, match.group(2))]
    return " / ".join(f"{number} {match.group(3)}" for number in numbers)


def _amount(match: re.Match[str]) -> _Amount:
    unit = match["unit"].lower()
    value = _number(match["value"])
    if match["gel"]:
        return _Amount(value, _SAME.get(unit, unit), "/mg")
    if not match["in"]:
        return _Amount(value, _SAME.get(unit, unit), "")
    per = match["in"].lower()
    divisor = _number(match["per"]) if match["per"] else Decimal(1)
    return _Amount(value / (divisor or Decimal(1)), _SAME.get(unit, unit), f"/{_SAME_PER.get(per, per)}")


def _number(text: str) -> Decimal:
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation:
        return Decimal(0)


def _plain(value: Decimal) -> str:
    """Digits without an exponent and without zeros at the end; a recurring share is cut to six places."""
    text = f"{value.quantize(Decimal('0.000001')):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def best(products: Iterable[Product]) -> Product:
    """One product told by all of ``products`` together: for each part the text that says most, the same in any order."""
    every = list(products)

    def of(name: str) -> str:
        told = sorted(
            {str(getattr(one, name)) for one in every} - {""}, key=lambda text: (-len(text), text.casefold(), text)
        )
        return told[0] if told else ""

    strengths = sorted({(one.key, one.strength) for one in every if one.key}, key=lambda pair: (len(pair[1]), pair[1]))
    key, strength = strengths[0] if strengths else ("", "")
    return Product(of("generic"), of("brand"), strength, of("form"), key)
