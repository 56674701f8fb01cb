"""Problems found by rule to DetectedIssue proposals at the sink, and proposals that no longer hold closed there.

State lives at the sink: what it holds of each person is read first. A proposal that somebody worked on (any other status, an
author, a mitigation) is never touched; one that no longer holds is closed, not deleted; one that the data leave undecided stays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import islice

from adapter import __version__
from adapter.errors import ConfigError
from adapter.fhir.json import Resource
from adapter.jobs.problem_finding import Hit, Review, problem_of
from adapter.resources.detected_issue import (
    closed,
    detected_issue,
    detected_issue_id,
    is_closed_proposal,
    is_open_proposal,
    plan_of,
    rule_of,
)
from adapter.resources.ids import reference_to
from adapter.resources.provenance import provenance
from adapter.sinks import Held, PersonWrite, Sink, WriteReport

PERSONS_AT_ONCE = 200  # whose held resources are read together


def write_problems(found: Review, sink: Sink, recorded: str) -> WriteReport:
    """Writes what differs for each person reviewed. ``recorded`` is the instant that the Provenance tells.

    Raises ConfigError when the day lies outside the plan year, a contract is not known, or a person is neither enrolled nor
    targeted: then nothing is written.
    """
    program = found.program
    if not program.first_day <= found.as_of <= program.last_day:
        raise ConfigError(
            f"{found.as_of} lies outside plan year {program.plan_year} of the program {program.name}; give a day of that year"
        )
    if not set(found.persons) <= found.writable:
        raise ConfigError("The beneficiary is neither enrolled nor targeted, so nothing is written; leave --write out")
    if not all(found.persons.values()):
        raise ConfigError(
            "The source does not tell the contract of some beneficiaries; say whose members they are with --contract"
        )
    return sink.write(_persons(found, sink, recorded))


def _persons(found: Review, sink: Sink, recorded: str) -> Iterator[PersonWrite]:
    hits, doubts = _by_person(found.found), _by_person(found.undecided)
    rest = iter(sorted(found.persons))
    while group := list(islice(rest, PERSONS_AT_ONCE)):
        held: dict[str, dict[str, Resource]] = {person: {} for person in group}
        for key, resource in sink.of_persons("DetectedIssue", group).items():
            person = str(resource.get("patient", {}).get("reference", "")).rpartition("/")[2]
            held.setdefault(person, {})[key] = resource
        for person in group:
            yield _person(
                _Wanted(found, person, hits[person], {hit.rule for hit in doubts[person]}, recorded), held[person]
            )


def _by_person(hits: Sequence[Hit]) -> Mapping[str, list[Hit]]:
    found: dict[str, list[Hit]] = defaultdict(list)
    for hit in hits:
        found[hit.beneficiary].append(hit)
    return found


class _Wanted:
    """What is wanted for one person, whatever the sink holds by the time it is written."""

    def __init__(self, found: Review, person: str, hits: Sequence[Hit], doubted: set[str], recorded: str) -> None:
        self.found, self.person, self.hits, self.doubted, self.recorded = found, person, hits, doubted, recorded
        self.contract = found.persons[person]
        self.plan_year = found.program.plan_year

    def resources(self, held: Mapping[str, Resource]) -> list[Resource]:
        """The proposals found, and those that no longer hold, closed; what others worked on is not among them."""
        wanted: list[Resource] = []
        keys = set()
        for hit in self.hits:
            problem = problem_of(hit, self.found.rules)
            own_id = detected_issue_id(
                problem, beneficiary=self.person, contract=self.contract, plan_year=self.plan_year
            )
            keys.add(key := f"DetectedIssue/{own_id}")
            there = held.get(key)
            if there is None or is_open_proposal(there) or is_closed_proposal(there):
                wanted.append(
                    detected_issue(
                        problem, beneficiary=self.person, contract=self.contract, plan_year=self.plan_year,
                        identified=self.found.as_of.isoformat(), held=there,
                    )
                )  # fmt: skip
        over = [one for key, one in sorted(held.items()) if key not in keys and self._is_over(one)]
        return wanted + [closed(one, self.found.as_of.isoformat()) for one in over]

    def _is_over(self, held: Resource) -> bool:
        """Whether a rule that was asked again, and could decide, does not find an open proposal of this plan year any more.

        A proposal that was identified after the day of this review stays: its time was not looked at.
        """
        asked = rule_of(held) in self.found.rules and rule_of(held) not in self.doubted
        ours = plan_of(held) == (self.contract, self.plan_year)
        return ours and asked and is_open_proposal(held) and _identified(held) <= self.found.as_of

    def sources(self) -> list[str]:
        """Every resource that the problems rest on."""
        return sorted({source for hit in self.hits for source in hit.sources})


def _identified(held: Resource) -> date:
    """The day on which an issue was identified; the earliest day when that is not told as one."""
    try:
        return date.fromisoformat(str(held.get("identifiedDateTime", ""))[:10])
    except ValueError:
        return date.min


def _person(wanted: _Wanted, held: Mapping[str, Resource]) -> PersonWrite:
    known = dict(held)

    def made_by(changed: tuple[Resource, ...]) -> Resource:
        again = any(reference_to(resource) in known for resource in changed)
        return provenance(
            changed, recorded=wanted.recorded, agent_version=__version__, beneficiary=wanted.person,
            contract=wanted.contract, plan_year=wanted.plan_year, program=wanted.found.program.name,
            activity="UPDATE" if again else "CREATE", sources=wanted.sources(),
        )  # fmt: skip

    def rebased(person: PersonWrite, fresh: Held) -> PersonWrite:
        # What somebody else changed meanwhile is asked again whether it is still a proposal of the adapter.
        known.update(fresh)
        return replace(person, resources=tuple(wanted.resources(known)))

    return PersonWrite(wanted.person, tuple(wanted.resources(held)), made_by, rebased)
