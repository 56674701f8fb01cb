"""One function that records anything of the plan year: a kind and plain values, as a command or the form of a page gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeVar

from adapter.config import Config
from adapter.engines.duckdb import EnginePool
from adapter.errors import RefusedRecord
from adapter.jobs.recording import Place, Recorded, record_opt_out, record_re_enrollment, record_service, withdraw
from adapter.resources.service_codes import SERVICES
from adapter.resources.service_events import Service
from adapter.services.records import POSSIBLE, REQUIRED

KINDS = (*SERVICES, "opt-out", "re-enroll", "withdraw")
_EVERY_SERVICE = ("on", "contract", "provider", "performer", "text", "note", "minutes", "correct")
_OTHERS: Mapping[str, tuple[str, ...]] = {
    "opt-out": ("on", "contract", "reason"),
    "re-enroll": ("on", "contract"),
    "withdraw": ("reference",),
}
_NEEDED: Mapping[str, tuple[str, ...]] = {"opt-out": ("reason",), "re-enroll": (), "withdraw": ("reference",)}
_YES = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
T = TypeVar("T")


def facts_of(kind: str) -> tuple[str, ...]:
    """The names of the values that a record of ``kind`` can have. Raises RefusedRecord for a kind that there is none of."""
    if kind not in KINDS:
        raise RefusedRecord(f"{kind!r} cannot be recorded; known are: {', '.join(KINDS)}")
    return _OTHERS[kind] if kind in _OTHERS else (*_EVERY_SERVICE, *POSSIBLE[_service(kind)])


def needed_of(kind: str) -> tuple[str, ...]:
    """Those of ``facts_of`` without which it is refused."""
    facts_of(kind)
    return _NEEDED[kind] if kind in _NEEDED else REQUIRED[_service(kind)]


def record(
    place: Place, kind: str, values: Mapping[str, Any], config: Config, *, pool: EnginePool | None = None
) -> Recorded:
    """Records ``kind`` (one of KINDS) with ``values`` (see ``facts_of``); "" and None are as if not given.

    Values are text, or already a day, number or boolean: "2023-03-20", "40", "yes". ``on`` is the day, that of ``place`` without it.
    Raises RefusedRecord for what cannot be recorded, also for a value that cannot be read; else as the functions of ``recording``.
    """
    known = facts_of(kind)
    told = {name: value for name, value in values.items() if value not in ("", None)}
    for name in told:
        if name not in known:
            raise RefusedRecord(f"{kind}: it has no {name}; known are: {', '.join(known)}")
    for name in set(_NEEDED.get(kind, ())) - set(told):
        raise RefusedRecord(f"{kind}: {name} is missing; tell it")
    day = _read(told.pop("on", place.today), date.fromisoformat, "on", "a day; write it as YYYY-MM-DD")
    contract = str(told.pop("contract", ""))
    if kind == "withdraw":
        return withdraw(place, str(told["reference"]), config, pool=pool)
    if kind == "re-enroll":
        return record_re_enrollment(place, day, config, contract=contract, pool=pool)
    if kind == "opt-out":
        return record_opt_out(place, day, str(told["reason"]), config, contract=contract, pool=pool)
    correct = _truth(told.pop("correct", False), "correct")
    if "minutes" in told:
        told["minutes"] = _read(told["minutes"], int, "minutes", "a whole number")
    if "changed" in told:
        told["changed"] = _truth(told["changed"], "changed")
    service = Service(_service(kind), place.beneficiary, contract, day.year, "", day, **told)  # type: ignore[arg-type]
    return record_service(place, service, config, correct=correct, pool=pool)


def _service(kind: str) -> str:
    """The kind of the tables: "cmr_offer" of "cmr-offer"."""
    return kind.replace("-", "_")


def _read(value: Any, reader: Callable[[str], T], name: str, what: str) -> T:
    if not isinstance(value, str):
        return value  # type: ignore[no-any-return]  # a day or number that was read already
    try:
        return reader(value.strip())
    except ValueError:
        raise RefusedRecord(f"{name}: {value!r} is not {what}") from None


def _truth(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).strip().lower() not in _YES:
        raise RefusedRecord(f"{name}: {str(value)!r} is neither yes nor no")
    return _YES[str(value).strip().lower()]
