"""Drug names in free text to sets of ingredients, as a last resort where no code of a medication is on a list.

Reads the way RxNorm writes names ("24 HR metformin hydrochloride 500 MG Extended Release Oral Tablet [Glucophage]"). Whole words
only, never a part of a word; what is not recognized stays unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# What RxNorm puts before the ingredients: amounts ("24 HR", "0.8 ML") and what sets a product apart ("Abuse-Deterrent").
_LEAD = re.compile(
    r"^\s*([0-9.,]+\s*(hr|day|ml|actuat|mg|mcg|ug|unt|l)\b|[0-9]+/[0-9]+ release\b|[0-9]+-month\b|bx rating\b|"
    r"(abuse-deterrent|emollient|hyponatremia|microencapsulated|once-daily|osmotic|pmdd|preservative-free|sensor|sprinkle|sugar-free)\s)\s*",
    re.IGNORECASE,
)
_PACK = re.compile(r"^\{(.*)\}\s*pack\b", re.IGNORECASE)
_PACKED = re.compile(
    r"\d+\s+(?:\([0-9.]+ \w+\)\s+)?\(((?:[^()]|\([^()]*\))*)\)"
)  # "21 (norethindrone 0.5 MG Oral Tablet)" within a pack
_INERT = "inert ingredients"
_STRENGTH = re.compile(
    r"\s[0-9][0-9.,]*\s*(mg|mcg|ug|g|ml|unt|units?|iu|meq|mmol|actuat|%|hr|mci|cells|bau)?(\b|/|%|$)", re.IGNORECASE
)
_FORM = re.compile(
    r"\s+(oral|topical|injectable|injection|ophthalmic|nasal|inhalation|inhaler|tablets?|capsules?|caps?|tabs?|solution|suspension|cream|"
    r"ointment|lotion|patch|powder|spray|drops?|chewable|extended|delayed|er|xr|sr|dr|pen|prefilled|metered|dry|softgels?|gummies|daily|once|twice|every)\b.*$",
    re.IGNORECASE,
)
SALTS = frozenset(
    [
        "hydrochloride",
        "hcl",
        "sodium",
        "potassium",
        "calcium",
        "magnesium",
        "mesylate",
        "maleate",
        "tartrate",
        "succinate",
        "besylate",
        "fumarate",
        "sulfate",
        "phosphate",
        "acetate",
        "citrate",
        "bromide",
        "hydrobromide",
        "chloride",
        "nitrate",
        "gluconate",
        "lactate",
        "malate",
        "bitartrate",
        "dihydrate",
        "monohydrate",
        "anhydrous",
        "hemihydrate",
        "medoxomil",
        "cilexetil",
        "axetil",
        "disoproxil",
        "alafenamide",
        "propionate",
        "furoate",
        "xinafoate",
        "dipropionate",
        "valerate",
        "tosylate",
        "etexilate",
        "trihydrate",
        "disodium",
        "dipotassium",
        "mononitrate",
        "dinitrate",
        "hydrate",
    ]
)


@dataclass(frozen=True)
class Named:
    """What a text names: ``drug`` is the set of ingredients, or ``name:<name>`` for what RxNorm has no ingredient for."""

    drug: str
    label: str
    kind: str  # "" for a drug of the lists, else vitamin, mineral, herbal, other_supplement or otc_drug


@dataclass(frozen=True)
class Lexicon:
    """Names in lower case: ``ingredients`` to a set of ingredient ids, ``brands`` likewise, ``supplements`` to their kind."""

    ingredients: Mapping[str, str]
    brands: Mapping[str, str]
    supplements: Mapping[str, str]


def lexicon(lists: Mapping[str, Iterable[Mapping[str, str]]]) -> Lexicon:
    """The lexicon of the rows of ingredients, synonyms, brands and otc_supplements in mappings/drugs."""
    ingredients = {
        row["name"].lower(): row["ingredient_rxcuis"] for row in lists["ingredients"] if row["ingredient_rxcuis"]
    }
    ingredients |= {row["synonym"].lower(): row["ingredient_rxcuis"] for row in lists["synonyms"]}
    brands = {
        row["brand"].lower(): row["ingredient_rxcuis"] for row in lists["brands"] if row["n_ingredient_sets"] == "1"
    }
    return Lexicon(ingredients, brands, {row["name"].lower(): row["kind"] for row in lists["otc_supplements"]})


def named(text: str, words: Lexicon) -> Named | None:
    """What ``text`` names, or None. A combination is recognized only when each of its parts is."""
    plain = " ".join(re.sub(r"\[[^\]]*\]", " ", text.lower()).split())
    if (pack := _PACK.match(plain)) and (packed := _packed(text, pack.group(1), words)):
        return packed
    parts = [core for part in re.split(r"\s+/\s+|\s+\+\s+", plain) if (core := _core(part))]
    drug = _together(parts, words) or (_together(_listed(parts[0]), words) if len(parts) == 1 else None)
    if drug:
        return Named(drug, text, "")
    return _brand_or_supplement(text, plain, words) or _without_aside(text, words)


def _packed(text: str, inside: str, words: Lexicon) -> Named | None:
    """What "{21 (a) / 7 (inert ingredients) } Pack" names: the ingredients of all its tablets together, or None."""
    parts = [part for part in _PACKED.findall(inside) if not part.startswith(_INERT)]
    found = [named(part, words) for part in parts]
    if not found or not all(one and not one.kind for one in found):
        return None
    return Named(_set(";".join(one.drug for one in found if one)), text, "")


def _without_aside(text: str, words: Lexicon) -> Named | None:
    """What "ibuprofen (Advil) 200 mg tablet" names: the text without what stands in brackets; the brackets alone name nothing."""
    bare = re.sub(r"\([^()]*\)", " ", text)
    found = named(bare, words) if bare != text and bare.strip() else None
    return Named(found.drug, text, found.kind) if found else None


def _brand_or_supplement(text: str, plain: str, words: Lexicon) -> Named | None:
    core = _core(plain)
    bracket = re.search(r"\[([^\]]*)\]", text.lower())
    for candidate in (core, plain, bracket.group(1) if bracket else ""):
        if candidate in words.brands:
            return Named(_set(words.brands[candidate]), text, "")
    for candidate in (core, plain, core.removesuffix("s")):
        if candidate in words.supplements:
            return Named(f"name:{candidate}", text, words.supplements[candidate])
    return None


def _core(part: str) -> str:
    """The words before the first strength or dose form, without a leading amount such as "24 HR"."""
    previous = None
    while previous != part:
        previous, part = part, _LEAD.sub("", part)
    part = _STRENGTH.split(part, maxsplit=1)[0]
    return _FORM.sub("", f" {part}").strip(" ,;-")


def _listed(part: str) -> list[str]:
    """The parts of "a, b and c": split before salts are taken off, lest "hydrocodone and acetaminophen" become hydrocodone."""
    return [piece.strip() for piece in re.split(r",\s*(?:and\s+)?|\s+and\s+|[-/](?=[a-z])", part) if piece.strip()]


def _together(parts: list[str], words: Lexicon) -> str | None:
    found = [_ingredient(part, words) for part in parts]
    if not found or None in found:
        return None
    return _set(";".join(ids for ids in found if ids))


def _ingredient(part: str, words: Lexicon) -> str | None:
    tokens = part.split()
    while tokens:
        if (ids := words.ingredients.get(" ".join(tokens))) is not None:
            return ids
        if tokens[-1] not in SALTS:
            return None
        tokens.pop()
    return None


def _set(joined: str) -> str:
    return ";".join(sorted({one for one in joined.split(";") if one}))
