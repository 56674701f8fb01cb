"""One normal form for references, so that two ways of pointing at one resource compare equal as strings.

The normal form is ``Type/id`` for a resource of the own server, the absolute URL for another server's, and the
reference itself for urn:uuid, contained and conditional references (https://hl7.org/fhir/R4/references.html). Versions
are dropped: the adapter always means the current state of a resource. Ids may start with "-" and hold "-" and "."
(synthetic Medicare data does so), hence nothing here takes an id apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

_TARGET = re.compile(r"(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9\-._]+)(?:/_history/[A-Za-z0-9\-._]+)?")
_PATIENT = re.compile(r"(?:^|/)Patient/([A-Za-z0-9\-._]+)(?:/_history/[A-Za-z0-9\-._]+)?$")
_CONDITIONAL = re.compile(r"[A-Z][A-Za-z]+\?\S+")
_ABSOLUTE = re.compile(r"https?://[^/\s]+\S*", re.IGNORECASE)


def normalize(reference: str, base_url: str = "") -> str | None:
    """The normal form of a reference, or None when the text is no reference at all.

    ``base_url`` is the server that the resource came from: absolute references to it become relative. http and https
    count as one (R4 references, section 2.3.0.2).
    """
    text = reference.strip()
    if text.startswith("#"):
        return text
    if text[:4].lower() == "urn:":
        return text.lower() if text[:9].lower() == "urn:uuid:" else text
    if _ABSOLUTE.fullmatch(text):
        return _absolute(text, base_url)
    return _relative(text)


def reference_id(reference: str, resource_type: str, base_url: str = "") -> str | None:
    """The id that a reference to ``resource_type`` of the own server points at, else None.

    A reference to another server gives None: the same id there is another person's.
    """
    target = _TARGET.fullmatch(normalize(reference, base_url) or "")
    return target["id"] if target and target["type"] == resource_type else None


def person_of(resource: Mapping[str, Any]) -> str | None:
    """The id of the Patient that the resource is about, whatever the base of the reference; None when it names none.

    By it an answer is compared with what was asked: a server may ignore a search parameter (sekmet does so for ``List?patient=``)
    and then answers with everybody's.
    """
    for element in ("subject", "patient", "beneficiary"):
        about = resource.get(element)
        text = about.get("reference") if isinstance(about, Mapping) else None
        if isinstance(text, str) and (found := _PATIENT.search(text)):
            return found[1]
    return None


def reference_type(reference: str, base_url: str = "") -> str | None:
    """The resource type of a literal or conditional reference to the own server, else None."""
    form = normalize(reference, base_url) or ""
    if _TARGET.fullmatch(form) or _CONDITIONAL.fullmatch(form):
        return re.split(r"[/?]", form, maxsplit=1)[0]
    return None


def _relative(text: str) -> str | None:
    path = text.removeprefix("/")
    target = _TARGET.fullmatch(path)
    if target:
        return f"{target['type']}/{target['id']}"
    return path if _CONDITIONAL.fullmatch(path) else None


def _absolute(text: str, base_url: str) -> str:
    """Relative when it is on the own base, else the URL itself without a version."""
    own = _after_base(text, base_url)
    relative = _relative(own) if own else None
    return relative or re.sub(r"(/[A-Z][A-Za-z]+/[A-Za-z0-9\-._]+)/_history/[A-Za-z0-9\-._]+$", r"\1", text)


def _after_base(text: str, base_url: str) -> str | None:
    """What follows the base in an absolute URL, None when it stands on another base."""
    if not base_url:
        return None
    url, base = _comparable(text), _comparable(base_url)
    prefix = base[1].rstrip("/") + "/"
    return url[1].removeprefix(prefix) if url[0] == base[0] and url[1].startswith(prefix) else None


def _comparable(url: str) -> tuple[str, str]:
    """(host and port without the default one, path with query); the host in lower case."""
    parts = urlsplit(url)
    host = re.sub(r":(80|443)$", "", parts.netloc.lower())
    return host, parts.path + (f"?{parts.query}" if parts.query else "")
