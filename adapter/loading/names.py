"""Names of drugs and substances to sets of ingredients, where no relation and no code tells them.

A set is text of ingredient ids joined by ";". A combination counts only when every part of it is recognized.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from adapter.tables.drug_names import Lexicon, lexicon, named

Row = Mapping[str, str]


def ingredient_words(ingredients: Iterable[Row], synonyms: Iterable[Row]) -> Lexicon:
    """The names of ingredients and their synonyms alone: a brand proves no set of ingredients here."""
    return lexicon({"ingredients": ingredients, "synonyms": synonyms, "brands": (), "otc_supplements": ()})


def of_product(name: str, words: Lexicon) -> str:
    """The ingredients that an RxNorm name tells, "" when a part of it is not recognized.

    A pack "{21 (a 1 MG Oral Tablet) / 7 (b 2 MG Oral Tablet) } Pack [Brand]" is read part by part.
    """
    return _together(_parts(name), lambda part: _named(part, words))


def of_substances(text: str, words: Lexicon, known: Mapping[str, str]) -> str:
    """The ingredients of FDA substance names joined by ";", "" when one of them is not recognized.

    ``known`` maps names in capitals, as RxNorm has them from the FDA's substance register (UNII), to their ingredients.
    """
    parts = [part.strip() for part in text.split(";") if part.strip()]
    return _together(parts, lambda part: _substance(part, words, known))


def joined(sets: Iterable[str]) -> str:
    """The ids of all ``sets`` once each, in the order of their numbers, joined by ";"."""
    return ";".join(sorted({one for ids in sets for one in ids.split(";") if one}, key=int))


def _together(parts: list[str], resolve: Callable[[str], str]) -> str:
    found = [resolve(part) for part in parts]
    return joined(found) if all(found) else ""


def _parts(name: str) -> list[str]:
    if not name.startswith("{"):
        return [name]
    inside = name[1:].rpartition("}")[0].strip()
    return [part.strip() for part in re.split(r"\)\s*/\s*[0-9.]+\s*\(", re.sub(r"^[0-9.]+\s*\(|\)$", "", inside))]


def _named(text: str, words: Lexicon) -> str:
    found = named(text, words)
    return found.drug if found else ""


def _substance(name: str, words: Lexicon, known: Mapping[str, str]) -> str:
    """The substance itself, else its name without salt, else "ESTROGENS, CONJUGATED" turned around."""
    if exact := known.get(name.upper()):
        return exact
    head, comma, tail = name.partition(", ")
    return _named(name, words) or (_named(f"{tail} {head}", words) if comma else "")
