"""The faults of the rules of ``mappings/problems``: their form, and whether every class, ingredient and disease is on a list."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from adapter.errors import Fault, MappingError
from adapter.problems.rules import FOLDER, INGREDIENT, Rule, conditions_of, drug_sets, read_rule


@dataclass(frozen=True)
class Known:
    """What the lists know: drug classes, the name of each ingredient by its RxNorm id, diseases with their subgroups."""

    classes: Collection[str]
    ingredients: Mapping[str, str]
    diseases: Mapping[str, Collection[str]]


def problem_faults(folder: Path, known: Known) -> list[Fault]:
    """Every fault of every rule in ``folder``; none without a folder of rules."""
    faults: list[Fault] = []
    for path in sorted((folder / FOLDER).glob("*.toml")):
        try:
            rule = read_rule(path)
        except MappingError as error:
            faults += error.faults
        else:
            faults += [Fault(f"{FOLDER}/{path.name}", key, fault) for key, fault in named_faults(rule, known)]
    return faults


def named_faults(rule: Rule, known: Known) -> list[tuple[str, str]]:
    """What a rule names and no list knows, as (key, fault)."""
    faults = []
    for key, drugs in drug_sets(rule).items():
        faults += [
            (f"{key}.classes", f"{name!r} is no class of drugs/classes; correct it")
            for name in drugs.classes
            if name not in known.classes
        ]
        named = [("ingredients", one) for one in drugs.ingredients] + [("without", one) for one in drugs.without]
        faults += [(f"{key}.{part}", fault) for part, one in named if (fault := _ingredient_fault(one, known))]
    return faults + [("conditions", fault) for one in conditions_of(rule) if (fault := _disease_fault(one, known))]


def _ingredient_fault(written: str, known: Known) -> str:
    told = INGREDIENT.fullmatch(written)
    if told is None:
        return f"{written!r} is no ingredient; write its RxNorm id and name, such as 4337 fentanyl"
    rxcui, name = told.groups()
    if rxcui not in known.ingredients:
        return f"{written!r} is not in drugs/ingredients; correct the id"
    listed = known.ingredients[rxcui]
    return (
        ""
        if listed.lower() == name.lower()
        else f"{rxcui} is {listed!r} in drugs/ingredients, not {name!r}; correct one of them"
    )


def _disease_fault(written: str, known: Known) -> str:
    disease, slash, subgroup = written.partition("/")
    if disease not in known.diseases:
        return f"{written!r} is no disease in mappings/conditions; known are: {', '.join(sorted(known.diseases))}"
    if slash and subgroup not in known.diseases[disease]:
        return f"{written!r} is no subgroup of {disease}; known are: {', '.join(sorted(known.diseases[disease]))}"
    return ""
