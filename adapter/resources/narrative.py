"""Narratives: well-formed XHTML from any text, in the plain form that FHIR servers give back unchanged."""

from __future__ import annotations

import re
from collections.abc import Sequence

# What XML 1.0 section 2.2 does not allow, white space aside (that is collapsed).
_NOT_XML = re.compile("[^\\x20-\\uD7FF\\uE000-\\uFFFD\\U00010000-\\U0010FFFF]")

Item = str | tuple[str, Sequence[str]]  # a text, or a text with the items below it


def clean(text: str) -> str:
    """``text`` on one line, without characters that neither XML nor a FHIR string may hold; may be empty."""
    return " ".join(_NOT_XML.sub("", " ".join(text.split())).split())


def escape(text: str) -> str:
    """``text``, clean, with the three characters escaped that must be in XHTML text (quotes need not)."""
    return clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def paragraph(text: str) -> str:
    """One XHTML paragraph."""
    return f"<p>{escape(text)}</p>"


def bullets(items: Sequence[Item]) -> str:
    """One XHTML list, with lists below its items where they have some; "" without items: XHTML has no empty list."""
    return f"<ul>{''.join(_bullet(item) for item in items)}</ul>" if items else ""


def narrative(*blocks: str) -> dict[str, str]:
    """A generated Narrative of ``blocks`` (from ``paragraph`` and ``bullets``). https://hl7.org/fhir/R4/narrative.html

    The status is always ``generated``: US Core CarePlan allows ``generated`` and ``additional`` only.
    """
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{"".join(blocks)}</div>'}


def _bullet(item: Item) -> str:
    text, below = (item, ()) if isinstance(item, str) else item
    return f"<li>{escape(text)}{bullets(below)}</li>"
