"""The summary of a review, printed from the very resources that are about to be written, to be kept with them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha1
from pathlib import Path

from adapter.documents.from_fhir import Chart
from adapter.errors import ConfigError
from adapter.fhir.json import Resource
from adapter.jobs import papers
from adapter.jobs.papers import Printing
from adapter.resources.review_note import Printed

SUMMARY = "summary"


def printed(printing: Printing, beneficiary: str, state: Mapping[str, Resource]) -> tuple[Printed, papers.Printed]:
    """The summary of the newest review in ``state`` (by Type/id), and what is to be told of the paper.

    Raises ConfigError for the plan's file, SourceError when the Patient lacks what a letter needs.
    """
    held: dict[str, list[Mapping[str, object]]] = {}
    for resource in state.values():
        held.setdefault(resource["resourceType"], []).append(resource)
    practitioners = {one["id"]: one for one in state.values() if one["resourceType"] == "Practitioner"}
    content, told = papers.pdf_of(printing, Chart(state[f"Patient/{beneficiary}"], held, practitioners))
    return attached(content), told


def read_pdf(path: Path) -> Printed:
    """A summary that was printed elsewhere. Raises ConfigError when it cannot be read or is no PDF."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"The summary {path} cannot be read ({error.strerror}); give a file with --pdf") from error
    if not content.startswith(b"%PDF-"):
        raise ConfigError(f"{path.name} is no PDF; name the plan's file with --plan to have the summary printed")
    return attached(content)


def attached(content: bytes) -> Printed:
    """A PDF as an Attachment of R4 holds it."""
    digest = sha1(content, usedforsecurity=False).digest()  # R4 Attachment.hash
    return Printed(b64encode(content).decode("ascii"), b64encode(digest).decode("ascii"), len(content))
