"""Directions that a prescriber or pharmacy wrote in abbreviations, in plain English: "1 tab PO BID prn pain".

Only whole words of the list below change; everything else stays as it was written. Abbreviations that mean several things ("qd"
is one of ISMP's error-prone ones, "OD" may be a day or an eye) are expanded only where prescribing English leaves one meaning.
"""

from __future__ import annotations

import re

_LATIN: tuple[tuple[str, str], ...] = (
    (r"p\.?o\.?", "by mouth"),
    (r"s\.?l\.?", "under the tongue"),
    (r"b\.?i\.?d\.?", "2 times a day"),
    (r"t\.?i\.?d\.?", "3 times a day"),
    (r"q\.?i\.?d\.?", "4 times a day"),
    (r"q\.?o\.?d\.?", "every other day"),
    (r"q\.? ?day|q\.?d\.?", "once a day"),
    (r"q\.? ?a\.?m\.?", "every morning"),
    (r"q\.? ?p\.?m\.?", "every evening"),
    (r"q\.? ?h\.?s\.?|h\.?s\.?", "at bedtime"),
    (r"q\.? ?w(?:ee)?k(?:ly)?\.?", "once a week"),
    (r"q\.? ?(\d+) ?- ?(\d+) ?(?:h|hrs?|hours?)\.?", r"every \1 to \2 hours"),
    (r"q\.? ?(\d+) ?(?:h|hrs?|hours?)\.?", r"every \1 hours"),
    (r"q\.? ?(\d+) ?(?:d|days?)\.?", r"every \1 days"),
    (r"p\.?r\.?n\.?(?! for\b)(?= [a-z])", "as needed for"),
    (r"p\.?r\.?n\.?", "as needed"),
    (r"a\.?c\.?", "before meals"),
    (r"p\.?c\.?", "after meals"),
    (r"gtts?\.?", "drops"),
    (r"subq|sub-q|s\.?c\.?|sq", "under the skin"),
    (r"inh\.?", "inhale"),
    (r"w/", "with"),
)
_EYES = (
    (r"o\.?u\.?", "in both eyes"),
    (r"o\.?d\.?", "in the right eye"),
    (r"o\.?s\.?", "in the left eye"),
)  # of drops only
_COUNTED = re.compile(
    r"(?<![\w.])(?P<n>\d+(?:\.\d+)?|½)\s+(?P<unit>tab|cap|tablet|capsule|puff|drop|patch|spray)s?\b\.?(?!\()",
    re.IGNORECASE,
)
_BARE = re.compile(r"(?<!\w)(?P<unit>tab|cap)(?P<s>s?)(?!\w)\.?", re.IGNORECASE)
_FULL = {"tab": "tablet", "cap": "capsule"}


def _compiled(rules: tuple[tuple[str, str], ...]) -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(rf"(?<![\w.]){written}(?![\w])", re.IGNORECASE), plain) for written, plain in rules]


_CHANGES, _EYE_CHANGES = _compiled(_LATIN), _compiled(_EYES)


def in_plain_words(directions: str) -> str:
    """``directions`` on one line with abbreviations written out, the first letter large and a period at the end; "" of nothing."""
    text = " ".join(directions.split())
    if not text:
        return ""
    if text.isupper():  # pharmacy systems print in capitals
        text = text.lower()
    text = _COUNTED.sub(_counted, text)
    text = _BARE.sub(lambda match: _FULL[match["unit"].lower()] + match["s"].lower(), text)
    eyes = _EYE_CHANGES if re.search(r"(?i)\b(drops?|gtts?)\b", text) else []
    for written, plain in (*_CHANGES, *eyes):
        text = written.sub(plain, text)
    text = " ".join(text.split()).replace(" ,", ",")
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")


def _counted(match: re.Match[str]) -> str:
    unit = _FULL.get(match["unit"].lower(), match["unit"].lower())
    one = match["n"] in ("1", "1.0", "½", "0.5", ".5")
    return f"{match['n']} {unit if one else unit + ('es' if unit == 'patch' else 's')}"
