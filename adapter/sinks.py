"""Where results go: to a FHIR server, one transaction per person, or to a folder of NDJSON.

Both write only what differs from what is there, so a run repeated writes nothing. Ids are deterministic and made by the
caller. A person either is written whole or not at all, and one person's failure never stops the others.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Protocol

from adapter.errors import AdapterError, ConfigError, ConformanceError, SinkError, SourceError
from adapter.fhir import bundles, conformance
from adapter.fhir.client import FhirClient
from adapter.fhir.difference import differs
from adapter.fhir.json import Resource
from adapter.fhir.ndjson import NdjsonFile
from adapter.fhir.parallel import in_order
from adapter.fhir.references import person_of

# HAPI answers a stale ifMatch with 409, others with 412 (reference/hapi.md, section 5).
CONFLICTS = frozenset({409, 412})
# HAPI also rolls back with 500 when two transactions define the same tag at once (HAPI-2223): a transaction is whole or not
# at all and says the same when it is repeated, so it is read again, compared and sent again.
WRITTEN_AGAIN = CONFLICTS | {500}
# ifMatch of what must not be there yet: HAPI creates with it, and answers 409 when somebody was faster.
NO_VERSION = "0"
NOT_TAKEN = CONFLICTS | {400, 404}  # how other servers answer it although nobody wrote (sekmet: 412)
RETRIES_AFTER_CONFLICT = 2
PERSONS_AT_ONCE = 50  # whose held resources are read together

Held = Mapping[str, Resource]  # by Type/id

__all__ = ["FolderSink", "Held", "PersonWrite", "ServerSink", "Sink", "WriteFailure", "WriteReport"]
__all__ += ["differs", "open_sink"]


@dataclass(frozen=True)
class PersonWrite:
    """The resources wanted for one person, each with its deterministic id, and what goes with writing them.

    ``provenance`` is called with only those that are really written. ``rebase`` is called after a conflict with what
    the server holds by then, by Type/id, and gives what is wanted now; without it the difference is taken anew.
    ``rests_on`` are resources as they were read, with their versions, on which the judgement rests (an enrollment that runs): a
    server is sent them unchanged with ifMatch, so that a change of them in between is a conflict too. With ``as_new`` what was not
    held must still not be there, lest it replace what somebody else recorded meanwhile under the same id.
    """

    beneficiary: str
    resources: tuple[Resource, ...]
    provenance: Callable[[tuple[Resource, ...]], Resource] | None = None
    rebase: Callable[[PersonWrite, Held], PersonWrite] | None = None
    rests_on: tuple[Resource, ...] = ()
    as_new: bool = False


@dataclass(frozen=True)
class WriteFailure:
    """A person of whom nothing was written. ``beneficiary`` belongs into data files, never into a log."""

    beneficiary: str
    status: int | None
    sentence: str


@dataclass(frozen=True)
class WriteReport:
    """Counts of the wanted resources (a Provenance is not counted), and the failures in the order of the persons."""

    written: int
    unchanged: int
    persons_written: int
    failures: tuple[WriteFailure, ...]


class Sink(Protocol):
    """Anything that results can be written to."""

    def write(self, persons: Iterable[PersonWrite], held: Held | None = None) -> WriteReport:
        """Writes what differs for each person, and tells what was written."""
        ...

    def held(self, keys: Iterable[str]) -> dict[str, Resource]:
        """What is there of the resources ``keys`` (Type/id), by that key."""
        ...

    def of_persons(self, resource_type: str, beneficiaries: Iterable[str]) -> dict[str, Resource]:
        """What is there of one type about these persons (type of its patient or subject), by Type/id."""
        ...

    def exclusive(self) -> AbstractContextManager[None]:
        """As long as it is held no other process writes there, where only that protects a judgement (a folder has no versions)."""
        ...


@dataclass(frozen=True)
class _Outcome:
    """What became of one person."""

    written: int = 0
    unchanged: int = 0
    failure: WriteFailure | None = None


def open_sink(spec: str, client_factory: Callable[[str], FhirClient]) -> Sink:
    """A ServerSink for an http(s) address, a FolderSink for a path; raises ConfigError for another kind of address."""
    if re.match(r"https?://", spec, re.IGNORECASE):
        return ServerSink(client_factory(spec))
    if "://" in spec or not spec.strip():
        raise ConfigError("The sink is neither an http address nor a folder: give one of the two.")
    return FolderSink(Path(spec))


class ServerSink:
    """Writes to a FHIR server: one transaction per person, several persons at once (``client.max_parallel``)."""

    def __init__(self, client: FhirClient) -> None:
        self._client = client
        self._takes_no_version = True  # until the server refuses NO_VERSION

    def write(self, persons: Iterable[PersonWrite], held: Held | None = None) -> WriteReport:
        """Writes what differs for each person; ``held`` is all that the server holds, read from it when None."""
        outcomes: list[_Outcome] = []
        for group in _groups(persons):
            write_one = partial(self._told, current=self._current(group, held))
            outcomes.extend(in_order(write_one, group, self._client.max_parallel))
        return _report(outcomes)

    def held(self, keys: Iterable[str]) -> dict[str, Resource]:
        """What the server holds of the resources ``keys`` (Type/id), by that key; raises SourceError."""
        ids = defaultdict(list)
        for key in keys:
            resource_type, _, resource_id = key.partition("/")
            ids[resource_type].append(resource_id)
        found = chain.from_iterable(self._client.read_many(name, ids[name]) for name in sorted(ids))
        return {_key(resource): resource for resource in found}

    def of_persons(self, resource_type: str, beneficiaries: Iterable[str]) -> dict[str, Resource]:
        """What the server holds of one type about these persons, by Type/id; raises SourceError."""
        wanted = set(beneficiaries)
        asked = ({"patient": ",".join(group)} for group in _chunks(sorted(wanted)))
        found = self._client.search_each((resource_type, params) for params in asked)
        theirs = (one for one in found if one["resourceType"] == resource_type and person_of(one) in wanted)
        return {_key(resource): resource for resource in theirs}

    def exclusive(self) -> AbstractContextManager[None]:
        """Nothing: a server's versions tell who wrote in between."""
        return nullcontext()

    def _told(self, person: PersonWrite, current: Held | None) -> _Outcome:
        """What became of a person, an expected fault included; anything else is a bug and is not caught."""
        try:
            return self._person(person, current)
        except (SinkError, SourceError, ConformanceError) as fault:
            return _failed(person, fault)

    def _current(self, group: list[PersonWrite], held: Held | None) -> Held | None:
        """What the server holds of the group, None when that cannot be read: then each person is read on its own."""
        keys = [key for person in group for key in map(_key_or_none, person.resources) if key]
        unversioned = [key for key in keys if held is None or (key in held and not _version(held[key]))]
        try:
            return {**(held or {}), **self.held(unversioned)} if unversioned else held or {}
        except SourceError:  # told with the person whose read fails again
            return None

    def _person(self, person: PersonWrite, current: Held | None) -> _Outcome:
        """Writes one person, and again after reading anew when somebody else wrote in between or the server rolled back."""
        for attempt in range(RETRIES_AFTER_CONFLICT + 1):
            _check(person)
            state = self.held(map(_key, person.resources)) if current is None else current
            changed = _changed(person, state.get)
            try:
                self._send(person, changed, state)
            except SinkError as fault:
                if fault.status not in WRITTEN_AGAIN or attempt == RETRIES_AFTER_CONFLICT:
                    raise
                current = self.held(map(_key, person.resources))
                person = person.rebase(person, current) if person.rebase else person
            else:
                break
        return _Outcome(len(changed), len(person.resources) - len(changed))

    def _send(self, person: PersonWrite, changed: tuple[Resource, ...], state: Held) -> None:
        if not changed:
            return
        keys = [_key(resource) for resource in changed]
        relied_on = [one for one in person.rests_on if _key(one) not in keys and _version(one)]
        versions = {key: version for key in keys if (version := _version(state.get(key)))}
        versions |= {_key(one): str(_version(one)) for one in relied_on}
        new = {key: NO_VERSION for key in keys if person.as_new and key not in state}
        written = (*changed, *_provenance(person, changed), *relied_on)
        if new and self._takes_no_version:
            try:
                self._transact(written, versions | new)
            except SinkError as fault:
                if fault.status not in NOT_TAKEN or self._moved(versions, new):
                    raise
            else:
                return
        self._transact(written, versions)
        if new:
            self._takes_no_version = False

    def _transact(self, resources: tuple[Resource, ...], versions: Mapping[str, str]) -> None:
        self._client.transaction(bundles.put_bundle(resources, self._client.base_url, versions))

    def _moved(self, versions: Mapping[str, str], new: Iterable[str]) -> bool:
        """Whether the server holds other versions than these, or by now one of what was new."""
        now = self.held([*versions, *new])
        return any(key in now for key in new) or any(_version(now.get(key)) != versions[key] for key in versions)


class FolderSink:
    """Writes to ``Type.ndjson`` files in a folder, merged with what they hold, sorted by id, each replaced whole."""

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self._is_locked = False

    def write(self, persons: Iterable[PersonWrite], held: Held | None = None) -> WriteReport:
        """Writes what differs from what the folder holds; ``held`` is what a source holds, and makes no difference."""
        with self._telling():
            self._path.mkdir(parents=True, exist_ok=True)
        with self.exclusive():
            return self._written(persons)

    def _written(self, persons: Iterable[PersonWrite]) -> WriteReport:
        files: dict[str, NdjsonFile] = {}
        try:
            outcomes = [self._person(person, files) for person in persons]
            with self._telling():
                for name in sorted(files):
                    files[name].commit()
        finally:
            for file in files.values():
                file.close()
        return _report(outcomes)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Other processes that write to the folder wait. A folder that is not there, or without locks (some networks), has none."""
        if self._is_locked or not self._path.is_dir():
            yield
            return
        with self._telling():
            folder = os.open(self._path, os.O_RDONLY)
        try:
            with suppress(OSError):
                fcntl.flock(folder, fcntl.LOCK_EX)
            self._is_locked = True
            yield
        finally:
            self._is_locked = False
            os.close(folder)

    def held(self, keys: Iterable[str]) -> dict[str, Resource]:
        """What the folder holds of the resources ``keys`` (Type/id), by that key."""
        files: dict[str, NdjsonFile] = {}
        try:
            with self._telling():
                found = {key: self._file(key, files).get(key.partition("/")[2]) for key in keys}
            return {key: resource for key, resource in found.items() if resource is not None}
        finally:
            for file in files.values():
                file.close()

    def of_persons(self, resource_type: str, beneficiaries: Iterable[str]) -> dict[str, Resource]:
        """What the folder holds of one type about these persons, by Type/id."""
        wanted = set(beneficiaries)
        files: dict[str, NdjsonFile] = {}
        try:
            with self._telling():
                held = list(self._file(f"{resource_type}/", files))
        finally:
            for file in files.values():
                file.close()
        return {_key(one): one for one in held if person_of(one) in wanted}

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Turns a fault of the file system into a SinkError that says what to do."""
        try:
            yield
        except OSError as fault:
            raise SinkError(
                f"The folder {self._path} cannot be written ({fault.strerror or type(fault).__name__}): "
                "make room or give another folder, then repeat the run."
            ) from fault

    def _person(self, person: PersonWrite, files: dict[str, NdjsonFile]) -> _Outcome:
        """Keeps what differs for the commit. A file that cannot be read or written is no person's fault: it raises."""
        with self._telling():
            try:
                _check(person)
                changed = _changed(person, lambda key: self._file(key, files).get(key.partition("/")[2]))
                written = (*changed, *_provenance(person, changed))
            except ConformanceError as fault:
                return _failed(person, fault)
            for resource in written:
                self._file(_key(resource), files).put(resource)
        return _Outcome(len(changed), len(person.resources) - len(changed))

    def _file(self, key: str, files: dict[str, NdjsonFile]) -> NdjsonFile:
        name = key.partition("/")[0]
        if name not in files:
            files[name] = NdjsonFile(self._path / f"{name}.ndjson")
        return files[name]


# ---- one person


def _failed(person: PersonWrite, fault: AdapterError) -> _Outcome:
    return _Outcome(failure=WriteFailure(person.beneficiary, getattr(fault, "status", None), str(fault)))


def _check(person: PersonWrite) -> None:
    """Raises ConformanceError unless every resource is valid and has an id of its own."""
    for resource in person.resources:
        _checked(resource)
    if len({_key(resource) for resource in person.resources}) < len(person.resources):
        raise ConformanceError("Two of the resources for one person have the same type and id: give each its own id.")


def _checked(resource: Resource) -> Resource:
    conformance.validate(resource)
    if not resource.get("id"):
        raise ConformanceError(f"A {resource['resourceType']} to be written has no id: give it a deterministic one.")
    return resource


def _changed(person: PersonWrite, held: Callable[[str], Resource | None]) -> tuple[Resource, ...]:
    return tuple(resource for resource in person.resources if differs(resource, held(_key(resource))))


def _provenance(person: PersonWrite, changed: tuple[Resource, ...]) -> tuple[Resource, ...]:
    return (_checked(person.provenance(changed)),) if person.provenance and changed else ()


def _groups(persons: Iterable[PersonWrite]) -> Iterator[list[PersonWrite]]:
    """Persons in groups without one twice: two writers of one person at once would only conflict."""
    group: dict[str, PersonWrite] = {}
    for person in persons:
        if len(group) == PERSONS_AT_ONCE or person.beneficiary in group:
            yield list(group.values())
            group = {}
        group[person.beneficiary] = person
    if group:
        yield list(group.values())


def _report(outcomes: list[_Outcome]) -> WriteReport:
    return WriteReport(
        written=sum(outcome.written for outcome in outcomes),
        unchanged=sum(outcome.unchanged for outcome in outcomes),
        persons_written=sum(outcome.written > 0 for outcome in outcomes),
        failures=tuple(outcome.failure for outcome in outcomes if outcome.failure),
    )


# ---- one resource


def _chunks(beneficiaries: Iterable[str]) -> Iterator[tuple[str, ...]]:
    rest = iter(beneficiaries)
    while group := tuple(islice(rest, PERSONS_AT_ONCE)):
        yield group


def _key(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def _key_or_none(resource: Resource) -> str | None:
    """Type/id of a resource that was not checked yet, None when it has none that could be asked for."""
    named = isinstance(resource.get("resourceType"), str) and isinstance(resource.get("id"), str)
    return _key(resource) if named and re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", resource["id"]) else None


def _version(resource: Resource | None) -> str | None:
    version = ((resource or {}).get("meta") or {}).get("versionId")
    return str(version) if version else None
