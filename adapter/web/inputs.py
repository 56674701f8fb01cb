"""The inputs of $mtm-targeting, from the query of a GET or the Parameters of a POST (OperationDefinition-mtm-targeting.json).

An input that is not known is refused: an asOf with a typing error must not decide for another day without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import request
from werkzeug.exceptions import BadRequest

from adapter.jobs import targeting
from adapter.web.formats import sent
from adapter.web.settings import WebSettings

ELEMENTS = {"asOf": ("valueDate",), "program": ("valueString", "valueCode")}
GENERAL = {"_format", "_pretty"}  # of every FHIR request
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Asked:
    """What the client asks for beside the beneficiary; None means as the server sees fit."""

    as_of: date | None
    program: str | None


def asked(settings: WebSettings) -> Asked:
    """The inputs of the current request. Raises BadRequest for one that is unknown, repeated or cannot be used."""
    query = [(name, text) for name, texts in request.args.lists() for text in texts if name not in GENERAL]
    if request.method == "POST" and query:
        raise BadRequest("The inputs of a POST stand in Parameters in its body; the query takes none but _format")
    given = _once(_from_body() if request.method == "POST" else query)
    return Asked(_day(given.get("asOf")), _program(given.get("program"), settings))


def _from_body() -> Iterable[tuple[str, str]]:
    resource = sent()
    if resource is None:
        return
    if resource["resourceType"] != "Parameters":
        raise BadRequest("The body is no Parameters resource; send Parameters with asOf and program, or no body")
    for parameter in resource.get("parameter", []):
        yield str(parameter.get("name")), _value(parameter)


def _value(parameter: Mapping[str, Any]) -> str:
    """The value under the element that the operation takes for this name, "" for a name that it does not know."""
    elements = ELEMENTS.get(parameter["name"], ())
    values = [parameter[element] for element in elements if element in parameter]
    if elements and not values:
        raise BadRequest(f"The input {parameter['name']} has no {' or '.join(elements)}; give it one")
    return str(values[0]) if values else ""


def _once(given: Iterable[tuple[str, str]]) -> dict[str, str]:
    inputs: dict[str, str] = {}
    for name, value in given:
        if name not in ELEMENTS:
            raise BadRequest("An input is not known; the operation takes asOf and program")
        if name in inputs:
            raise BadRequest(f"The input {name} is given twice; give it once")
        inputs[name] = value
    return inputs


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise BadRequest("The input asOf is no day; give one such as 2023-12-31")


def _program(name: str | None, settings: WebSettings) -> str | None:
    """The program of that name: of mappings/ or the server's own. A path is no name, so no other file is ever opened."""
    if name is None or name == settings.program_name:
        return None
    known = targeting.program_names()
    if name not in known:
        told = ", ".join(sorted({*known, settings.program_name}))
        raise BadRequest(f"The input program names none of the programs here, which are {told}")
    return name
