"""Pages of a search: which entries are new, and where the next page is.

Next links are the server's own and opaque (https://hl7.org/fhir/R4/http.html#paging); all that is changed is the
origin, and only when it is not that of the base URL: servers behind a proxy often name a host that nobody else can
reach, and credentials must not follow them there (reference/hapi.md, section 8).
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit, urlunsplit

from adapter.fhir.auth import origin
from adapter.fhir.json import Resource


def fresh(bundle: Resource, seen: set[str]) -> Iterator[Resource]:
    """The matches and includes of a page that did not come before; ``seen`` is extended.

    An included Patient comes again on every page of its resources.
    """
    for entry in bundle.get("entry") or ():
        resource = entry.get("resource")
        if not isinstance(resource, dict) or _is_outcome(entry, resource):
            continue
        key = f"{resource.get('resourceType')}/{resource.get('id')}"
        if "id" in resource:
            if key in seen:
                continue
            seen.add(key)
        yield resource


def next_link(bundle: Resource, page_url: str, base_url: str) -> str | None:
    """The absolute URL of the next page on the origin of the base URL, None on the last page."""
    for link in bundle.get("link") or ():
        if link.get("relation") == "next" and link.get("url"):
            return on_base(_resolved(str(link["url"]), page_url, base_url), base_url)
    return None


def on_base(url: str, base_url: str) -> str:
    """The URL unchanged when it is on the origin of the base, else its path and query on that origin.

    When the path is not below the base's own (a proxy that maps /r4 to /fhir), a link to the base or to one resource
    type is taken to mean the same thing below the configured base.
    """
    if origin(url) == origin(base_url):
        return url
    link, base = urlsplit(url), urlsplit(base_url)
    below = link.path == base.path or link.path.startswith(base.path.rstrip("/") + "/")
    path = link.path if below else _mapped(link.path, link.query, base.path)
    return urlunsplit((base.scheme, base.netloc, path, link.query, ""))


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


def _is_outcome(entry: Resource, resource: Resource) -> bool:
    mode = (entry.get("search") or {}).get("mode")
    return mode == "outcome" or (mode is None and resource.get("resourceType") == "OperationOutcome")
