"""A search as one value, and the rule that decides whether it may stand in a URL.

URLs end up in the logs of every proxy on the way, so what may tell who somebody is travels in the body of a POST
_search (https://hl7.org/fhir/R4/search.html, "search Inputs").
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

Params = Mapping[str, str | Sequence[str]]

LONGEST_URL = 1800  # characters; some proxies stop at 2,048
# Parameters whose values cannot tell who somebody is.
PUBLIC = frozenset(
    ("_count", "_include", "_revinclude", "_type", "_summary", "_total", "_elements", "_sort", "_tag")
).union(("status", "category", "code"))
# Parameters that never go into a URL, not even when the server takes no POST.
IDENTIFYING = frozenset(
    ("identifier", "name", "family", "given", "phonetic", "birthdate", "death-date", "phone", "email", "telecom")
).union(("address", "address-city", "address-postalcode", "address-state"))


@dataclass(frozen=True)
class Query:
    """A search of one resource type: its parameters in order, each name with one value."""

    base_url: str
    resource_type: str
    pairs: tuple[tuple[str, str], ...]
    strict: bool = (
        False  # whether the server is asked to refuse a parameter that it does not know, rather than to ignore it
    )

    @property
    def get_url(self) -> str:
        return f"{self.place}?{self.encoded}"

    @property
    def post_url(self) -> str:
        return f"{self.place}/_search"

    @property
    def place(self) -> str:
        """The URL as messages may name it."""
        return f"{self.base_url}/{self.resource_type}"

    @property
    def encoded(self) -> str:
        return urlencode(self.pairs)

    @property
    def needs_post(self) -> bool:
        """Whether it is too long for a URL or says who somebody is."""
        return len(self.get_url) > LONGEST_URL or any(_bare(name) not in PUBLIC for name, _ in self.pairs)

    @property
    def may_be_get(self) -> bool:
        """Whether a server that takes no POST _search may be asked by GET."""
        return not any(IDENTIFYING & set(re.split(r"[.:]", name)) for name, _ in self.pairs)

    @property
    def private(self) -> tuple[str, ...]:
        """The values that no message may repeat."""
        values = [value for name, value in self.pairs if _bare(name) not in PUBLIC]
        return tuple({part for value in values for part in (value, *re.split(r"[,|/$]", value)) if part})


def build(base_url: str, resource_type: str, params: Params, page_size: int, strict: bool = False) -> Query:
    """The query of these parameters; ``_count`` is added unless given."""
    counted: Params = params if "_count" in params else {**params, "_count": str(page_size)}
    pairs = tuple((name, value) for name, values in counted.items() for value in _listed(values))
    return Query(base_url, resource_type, pairs, strict)


def _listed(values: str | Sequence[str]) -> Sequence[str]:
    return [values] if isinstance(values, str) else values


def _bare(name: str) -> str:
    """The name without its modifier; a chain keeps its dots, so it never counts as public."""
    return name.split(":", 1)[0] if "." not in name else name
