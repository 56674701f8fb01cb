"""The plan as its papers name it, read strictly from a TOML file: name, logo, address, phones, hours in each language, fonts."""

from __future__ import annotations

from pathlib import Path

import msgspec

from adapter.documents import strict
from adapter.documents.characters import clean
from adapter.documents.texts import LANGUAGES
from adapter.errors import ConfigError, MappingError
from adapter.mappings.extended import read_toml

LOGO_ENDINGS = (".svg", ".png", ".jpg", ".jpeg")
MOST_BLANK_ROWS = 40


class Plan(strict.Strict, frozen=True):
    """One plan. ``hours`` and ``logo_alt`` are by language; ``logo`` is a file beside this one; ``fax`` takes what prescribers return;
    ``fonts`` is a folder beside this file with fonts for letters that those of the package lack.

    ``provider`` is who signs when the source names no pharmacist; ``material_id`` is the plan's own number of the material,
    printed at the foot (42 CFR 422.2262(d), "H1234_MTM_M").
    """

    name: str
    address: list[str]
    phone: str
    tty: str
    hours: dict[str, str]
    fax: str = ""
    provider: str = ""
    provider_title: str = ""
    organization: str = ""
    logo: str = ""
    logo_alt: dict[str, str] = msgspec.field(default_factory=dict)
    fonts: str = ""
    material_id: str = ""
    deactivation_kit: bool = False
    blank_rows: int = 3


NO_PLAN = Plan(name="", address=[], phone="", tty="", hours={})  # for papers that name no plan


def load_plan(path: Path) -> Plan:
    """The plan in the file of that path, its logo and fonts as absolute paths. Raises ConfigError with every fault of the file."""
    if not path.is_file():
        raise ConfigError(
            f"There is no plan file {path}; give one with --plan (an example: fixtures/documents/plan.toml)"
        )
    try:
        raw = read_toml(path)
    except MappingError as error:
        raise ConfigError(str(error)) from None
    found = strict.faults(raw, Plan)
    plan = None if found else msgspec.convert(raw, Plan)
    found = found if plan is None else _value_faults(plan, path)
    if plan is None or found:
        raise ConfigError("\n".join(f"{path.name}: {key}: {fault}" for key, fault in found))
    beside = {key: str((path.parent / file).resolve()) for key in ("logo", "fonts") if (file := getattr(plan, key))}
    return msgspec.structs.replace(plan, **beside)


def _value_faults(plan: Plan, path: Path) -> strict.Faults:
    found = [(key, "it is empty; fill it in") for key in ("name", "phone", "tty") if not clean(getattr(plan, key))]
    if not plan.address or not all(clean(line) for line in plan.address):
        found.append(("address", "it has no line, or an empty one; write one string a line"))
    found += _by_language("hours", plan.hours)
    if not 0 <= plan.blank_rows <= MOST_BLANK_ROWS:
        found.append(("blank_rows", f"{plan.blank_rows} is not 0 to {MOST_BLANK_ROWS}"))
    if plan.fonts and not any((path.parent / plan.fonts).glob("*.[to]tf")):
        found.append(("fonts", f"there is no folder {plan.fonts} with .ttf or .otf files beside {path.name}"))
    return found + (_logo_faults(plan, path) if plan.logo else [])


def _by_language(key: str, texts: dict[str, str]) -> strict.Faults:
    known = ", ".join(LANGUAGES)
    missing = [(f"{key}.{one}", "the text is missing; add it") for one in LANGUAGES if not clean(texts.get(one, ""))]
    return missing + [
        (f"{key}.{one}", f"there are no papers in this language; known are: {known}")
        for one in texts
        if one not in LANGUAGES
    ]


def _logo_faults(plan: Plan, path: Path) -> strict.Faults:
    found = _by_language("logo_alt", plan.logo_alt)  # PDF/UA-1 asks for a text in place of each picture
    if not plan.logo.lower().endswith(LOGO_ENDINGS):
        found.append(("logo", f"{plan.logo} is none of {', '.join(LOGO_ENDINGS)}; convert the picture"))
    elif not (path.parent / plan.logo).is_file():
        found.append(("logo", f"there is no file {plan.logo} beside {path.name}"))
    return found
