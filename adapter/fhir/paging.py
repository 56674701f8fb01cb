"""Pages of a search: what stands on one, which of it is new, and where the next page is.

A page that cannot be read to its last entry is a fault and never a shorter page: what is left out unseen would be taken for
a person without that disease or drug.

Next links are the server's own and opaque (https://hl7.org/fhir/R4/http.html#paging); all that is changed is the
origin, and only when it is not that of the base URL: servers behind a proxy often name a host that nobody else can
reach, and credentials must not follow them there (reference/hapi.md, section 8).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit, urlunsplit

from adapter.fhir.auth import Origin, origin
from adapter.fhir.json import Resource


class Malformed(ValueError):
    """What a server sent is no page of a search; the message ends the words "a page ..."."""


@dataclass(frozen=True)
class Entry:
    """One resource of a page. ``key`` is Type/id and version, "" without an id; an included one is no match.

    A resource that is changed while pages are read may come in both versions; the tables take the newest.
    """

    key: str
    resource: Resource
    match: bool


@dataclass(frozen=True)
class Page:
    """One page: its resources, what the server says about the search beside them, and how many matches there are in all."""

    entries: tuple[Entry, ...]
    outcomes: tuple[Resource, ...]
    total: int | None


def read_page(bundle: Resource) -> Page:
    """The page that a Bundle is. Raises Malformed when an entry holds no resource."""
    entries: list[Entry] = []
    outcomes: list[Resource] = []
    for entry in _objects(bundle, "entry"):
        resource, mode = entry.get("resource"), _mode(entry)
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            raise Malformed("with an entry that holds no resource")
        if mode == "outcome" or (mode is None and resource["resourceType"] == "OperationOutcome"):
            outcomes.append(resource)
        else:
            entries.append(Entry(_key(resource), resource, mode != "include"))
    total = bundle.get("total")
    counted = total if isinstance(total, int) and not isinstance(total, bool) else None
    return Page(tuple(entries), tuple(outcomes), counted)


def fresh(entries: Iterable[Entry], seen: set[str]) -> list[Entry]:
    """The entries that did not come before; ``seen`` is extended.

    An included Patient comes again on every page of its resources, and pages by offset may repeat a match.
    """
    found = []
    for entry in entries:
        if entry.key not in seen:
            found.append(entry)
            if entry.key:
                seen.add(entry.key)
    return found


def next_link(bundle: Resource, page_url: str, base_url: str) -> str | None:
    """The absolute URL of the next page on the origin of the base URL, None on the last page.

    Raises Malformed when there is a next page but no address of it.
    """
    for link in _objects(bundle, "link"):
        if link.get("relation") == "next":
            url = link.get("url")
            if not isinstance(url, str) or not url.strip():
                raise Malformed("with a next link that has no address")
            try:
                return on_base(_resolved(url.strip(), page_url, base_url), base_url)
            except ValueError:  # brackets that do not close
                raise Malformed("with a next link that is no address") from None
    return None


def on_base(url: str, base_url: str) -> str:
    """The URL unchanged when it is on the origin of the base, else its path and query on that origin.

    When the path is not below the base's own (a proxy that maps /r4 to /fhir), a link to the base or to one resource
    type is taken to mean the same thing below the configured base.
    """
    if _has_origin(url, origin(base_url)):
        return url
    link, base = urlsplit(url), urlsplit(base_url)
    below = link.path == base.path or link.path.startswith(base.path.rstrip("/") + "/")
    path = link.path if below else _mapped(link.path, link.query, base.path)
    return urlunsplit((base.scheme, base.netloc, path, link.query, ""))


def _has_origin(url: str, wanted: Origin) -> bool:
    try:
        return origin(url) == wanted
    except ValueError:  # no port: proxies double it, as in http://host:8080:8080/fhir
        return False


def _mapped(path: str, query: str, base_path: str) -> str:
    last = path.rstrip("/").rpartition("/")[2]
    if "_getpages=" in query:  # HAPI pages on the base, whatever was searched
        return base_path
    return f"{base_path}/{last}" if last[:1].isupper() and last.isalpha() else path


def _resolved(url: str, page_url: str, base_url: str) -> str:
    """Absolute. "Patient?page=2" is relative to the base (as references are), "?page=2" to the page."""
    if url.startswith("?"):
        return urljoin(page_url, url)
    return urljoin(base_url.rstrip("/") + "/", url)


def _objects(bundle: Resource, name: str) -> Iterator[Resource]:
    """The members of a list of objects. Raises Malformed when it is anything else."""
    listed = bundle.get(name)
    if listed is not None and not isinstance(listed, list):
        raise Malformed(f"whose {name} is no list")
    for one in listed or ():
        if not isinstance(one, dict):
            raise Malformed(f"whose {name} is no list of objects")
        yield one


def _mode(entry: Resource) -> object:
    search = entry.get("search")
    return search.get("mode") if isinstance(search, dict) else None


def _key(resource: Resource) -> str:
    identity, meta = resource.get("id"), resource.get("meta")
    version = meta.get("versionId") if isinstance(meta, dict) else None
    return f"{resource['resourceType']}/{identity}/_history/{version}" if identity is not None else ""
