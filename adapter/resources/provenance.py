"""Who wrote what, when and from which sources: one Provenance with each write (US Core Provenance).

The agent is named by a logical reference (type, identifier, display). A literal reference would need a Device and
an Organization on the server, which the adapter does not own, and a server with referential integrity would refuse
the write. US Core's provenance-1 (onBehalfOf for a Device) is met by a logical reference to the sponsor all the
same.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Literal
from urllib.parse import quote

from adapter.resources.ids import BASE, Resource, reference_to, references, resource_id, tag

US_CORE_PROVENANCE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-provenance"
SOFTWARE_IDENTIFIER = {"system": f"{BASE}NamingSystem/resource", "value": "mtm-adapter"}
_PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_OPERATION = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"


def provenance(
    targets: Sequence[Resource],
    *,
    recorded: str,
    agent_version: str,
    beneficiary: str,
    contract: str,
    plan_year: int,
    program: str,
    activity: Literal["CREATE", "UPDATE"],
    sources: Sequence[str] = (),
    author: Resource | None = None,
) -> Resource:
    """The Provenance of writing ``targets`` at ``recorded`` (an instant with offset), derived from ``sources``.

    ``author`` is a Reference to the person who stands behind them, on behalf of the sponsor; without one the sponsor does.

    The same content of the same targets gives the same id, however often and whenever it is written. Raises
    ValueError without targets (R4: 1..*). http://hl7.org/fhir/us/core/StructureDefinition/us-core-provenance
    """
    if not targets:
        raise ValueError("a Provenance needs at least one target")
    own_id = resource_id("provenance", contract, beneficiary, plan_year, *_contents(targets))
    entities = [{"role": "source", "what": {"reference": source}} for source in references(list(sources))]
    return {
        "resourceType": "Provenance",
        "id": own_id,
        "meta": {"profile": [US_CORE_PROVENANCE], "tag": [tag("provenance")]},
        "target": [{"reference": reference_to(target)} for target in targets],
        "recorded": recorded,
        "policy": [f"{BASE}program/{quote(program, safe='')}"],
        "activity": {"coding": [{"system": _OPERATION, "code": activity, "display": activity.lower()}]},
        "agent": _agents(agent_version, contract, author),
    } | ({"entity": entities} if entities else {})


def _agents(version: str, contract: str, author: Resource | None) -> list[Resource]:
    """The software as assembler, and as author a person, or the sponsor, whose program decides, when the contract is known."""
    software = {"type": "Device", "identifier": SOFTWARE_IDENTIFIER, "display": f"mtm-adapter {version}"}
    who = (
        f"Sponsor of Medicare Part D contract {contract}" if contract else "Medicare Part D sponsor, contract not known"
    )
    sponsor = {"type": "Organization", "display": who}
    return [
        {"type": _participant("assembler", "Assembler"), "who": software, "onBehalfOf": sponsor},
        {"type": _participant("author", "Author"), "who": author, "onBehalfOf": sponsor}
        if author
        else {"type": _participant("author", "Author"), "who": sponsor},
    ]


def _participant(code: str, display: str) -> Resource:
    return {"coding": [{"system": _PARTICIPANT, "code": code, "display": display}]}


def _contents(targets: Sequence[Resource]) -> list[str]:
    """Reference and hash of each target, sorted; without ``meta``, which the server changes with every write."""
    return sorted(f"{reference_to(target)} {_content_hash(target)}" for target in targets)


def _content_hash(target: Resource) -> str:
    content = {name: value for name, value in target.items() if name != "meta"}
    return sha256(json.dumps(content, sort_keys=True, ensure_ascii=True).encode()).hexdigest()
