"""FHIR R4 as a schema: which elements a type has, which repeat, which are numbers; read from fhir.resources (R4B).

fhir.resources is imported only when somebody asks: it takes a fifth of a second, and most commands do not need it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, get_args

from adapter.errors import ConformanceError


@dataclass(frozen=True)
class Element:
    """An element in a model: "primitive", "complex" or "resource"; for a primitive the type that JSON gives it."""

    kind: str
    repeats: bool
    model: Any = None
    number: type[int | Decimal | bool] | None = None


def model_of(resource_type: object) -> Any:
    """The fhir.resources class of a resource type; raises ConformanceError when FHIR R4 has no such type."""
    from fhir.resources.R4B import get_fhir_model_class  # slow to import, and only needed for XML and validation

    name = resource_type if isinstance(resource_type, str) and resource_type.isalpha() else "?"
    try:
        model = get_fhir_model_class(name)
    except (ValueError, KeyError, LookupError, ImportError):
        model = None
    if model is None or not model.has_resource_base():
        raise ConformanceError(f"FHIR R4 has no resource type {name[:40]}: correct its resourceType.")
    return model


@cache
def elements_of(model: Any) -> dict[str, Element]:
    """Element name -> what it is, in the order of FHIR."""
    fields = {field.alias: field for field in model.model_fields.values()}
    return {name: _element(fields[name].annotation) for name in model.elements_sequence() if name in fields}


def _element(annotation: Any) -> Element:
    parts = list(_parts(annotation))
    repeats = list in parts
    models = [part.get_model_klass() for part in parts if hasattr(part, "get_model_klass")]
    if models:
        kind = "resource" if models[0].__name__ == "Resource" else "complex"
        return Element(kind, repeats, models[0])
    number = next((part for part in parts if part in (bool, int, Decimal)), None)
    return Element("primitive", repeats, number=number)


def _parts(annotation: Any) -> Iterator[Any]:
    """The annotation, what it is an instance of, and all that it is made of."""
    yield annotation
    yield getattr(annotation, "__origin__", None)
    for part in get_args(annotation):
        yield from _parts(part)


def primitive_model() -> Any:
    """The model of id and extension, all that a primitive may carry beside its value."""
    from fhir.resources.R4B import element

    return element.Element
