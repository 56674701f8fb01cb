"""The published definitions behind the adapter's own extension, codes, identifiers and operation.

The one place of ``resources/`` that reads files: those of its own package, which are part of the code.
"""

from __future__ import annotations

import json
from importlib.resources import files

from adapter.resources.ids import Resource


def definitions() -> list[Resource]:
    """Every StructureDefinition, CodeSystem, NamingSystem, Measure and OperationDefinition of the adapter, by file name."""
    found = sorted((file for file in files(__package__).iterdir() if file.name.endswith(".json")), key=lambda f: f.name)
    return [json.loads(file.read_text(encoding="utf-8")) for file in found]
