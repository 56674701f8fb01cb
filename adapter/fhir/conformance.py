"""Validation against FHIR R4 at the edge, and FHIR XML; fhir.resources is imported only when something is validated.

The models are those of R4B: R4 itself is not part of fhir.resources 8, and for the resource types that the adapter
writes the two are the same. Value sets and profiles are not checked here; a server's $validate does that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from adapter.errors import ConformanceError
from adapter.fhir.json import Resource
from adapter.fhir.schema import Element, elements_of, model_of
from adapter.fhir.xml import from_xml, to_xml

__all__ = ["from_xml", "to_xml", "validate"]

EMPTY = "is empty, leave it out"
_JSON_TYPES = {None: "string", bool: "boolean", int: "number", Decimal: "number"}
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def validate(resource: Resource) -> None:
    """Returns when the resource has the elements, cardinalities and data types of FHIR R4.

    Raises ConformanceError naming type, id, element and fault of the first finding, never a value of the resource.
    """
    from pydantic import ValidationError

    model = model_of(resource.get("resourceType"))
    try:
        model.model_validate(resource)
    except ValidationError as fault:  # its text quotes the values, hence no cause
        raise ConformanceError(f"{_who(resource)} is no valid FHIR R4: {_told(resource, fault)}.") from None
    except (
        KeyError,
        ImportError,
        AttributeError,
        TypeError,
    ):  # how fhir.resources refuses some things that stand inside
        raise ConformanceError(f"{_who(resource)} holds something that is no FHIR R4 element: correct it.") from None
    for path, said in _findings(resource, model, str(resource["resourceType"])):
        raise ConformanceError(f"{_who(resource)} is no valid FHIR R4: {path}: {said}.")


def _told(resource: Resource, fault: Any) -> str:
    errors = fault.errors(include_url=False, include_context=False, include_input=False)
    path = "".join(_step(step) for step in errors[0]["loc"] if step != "root")
    said = " ".join(str(errors[0]["msg"]).removeprefix("Value error, ").split()).rstrip(".")
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{resource['resourceType']}{path}: {said}{more}"


def _who(resource: Resource) -> str:
    """Type/id: what the adapter makes has an id made of a hash, which says nothing of a person."""
    return f"{str(resource.get('resourceType'))[:64]}/{str(resource.get('id', '?'))[:64]}"


def _step(step: object) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if isinstance(step, str) and _PLAIN.fullmatch(step) else ".?"


# ---- what fhir.resources lets pass: "1.10" or "yes" for a number or a boolean, and empty elements


def _findings(value: Resource, model: Any, path: str) -> Iterator[tuple[str, str]]:
    elements = elements_of(model)
    for name, member in value.items():
        element = elements.get(name)
        if element is None:  # resourceType, and what stands beside a primitive
            continue
        if member in (None, []):
            yield f"{path}.{name}", EMPTY
        elif isinstance(member, list):
            for at, one in enumerate(member):
                yield from _inside(one, element, f"{path}.{name}[{at}]")
        else:
            yield from _inside(member, element, f"{path}.{name}")


def _inside(value: Any, element: Element, path: str) -> Iterator[tuple[str, str]]:
    if value in ("", {}):
        yield path, EMPTY
    elif isinstance(value, dict):
        model = model_of(value["resourceType"]) if element.kind == "resource" else element.model
        yield from _findings(value, model, path)
    elif value is not None and not _has_type(value, element.number):  # in a list, null holds an extension's place
        yield path, f"is no JSON {_JSON_TYPES[element.number]}"


def _has_type(value: object, number: type | None) -> bool:
    if number is bool or isinstance(value, bool):
        return number is bool and isinstance(value, bool)
    if number is int:
        return isinstance(value, int)
    return isinstance(value, (int, float, Decimal)) if number is Decimal else isinstance(value, str)
