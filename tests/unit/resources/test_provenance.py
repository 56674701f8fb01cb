from __future__ import annotations

import pytest
from fhir.resources.R4B.provenance import Provenance

from adapter.resources.ids import is_own
from adapter.resources.provenance import provenance

TARGETS = [
    {"resourceType": "List", "id": "mtm-1", "meta": {"versionId": "1"}, "title": "a"},
    {"resourceType": "CarePlan", "id": "mtm-2"},
]


def make(targets=TARGETS, **changes):
    values = {
        "recorded": "2023-03-05T10:00:00Z",
        "agent_version": "0.1.0",
        "beneficiary": "b1",
        "contract": "H1234",
        "plan_year": 2023,
        "program": "health-partners-2023",
        "activity": "CREATE",
    }
    made = provenance(targets, **(values | changes))
    Provenance.model_validate(made)
    return made


# US Core Provenance, rule by rule -------------------------------------------------------------------------------------


def test_us_core_targets_are_literal_references_without_version():
    assert make()["target"] == [{"reference": "List/mtm-1"}, {"reference": "CarePlan/mtm-2"}]


def test_us_core_recorded_is_the_given_instant():
    assert make()["recorded"] == "2023-03-05T10:00:00Z"


def test_us_core_an_author_and_the_software_as_assembler():
    types = [agent["type"]["coding"][0] for agent in make()["agent"]]
    assert [t["code"] for t in types] == ["assembler", "author"]
    assert {t["system"] for t in types} == {"http://terminology.hl7.org/CodeSystem/provenance-participant-type"}


def test_us_core_provenance_1_a_device_acts_on_behalf_of_an_organization():
    software = make()["agent"][0]
    assert software["who"]["type"] == "Device"
    assert software["who"]["display"] == "mtm-adapter 0.1.0"
    assert software["onBehalfOf"] == {"type": "Organization", "display": "Sponsor of Medicare Part D contract H1234"}


def test_no_agent_points_at_a_resource_that_the_server_may_not_have():
    assert not [agent for agent in make(contract="")["agent"] if "reference" in str(agent)]


def test_it_claims_us_core_and_is_own():
    made = make()
    assert made["meta"]["profile"] == ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-provenance"]
    assert is_own(made, "provenance")


# Its own rules --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activity", ["CREATE", "UPDATE"])
def test_the_activity_is_a_data_operation(activity):
    coding = make(activity=activity)["activity"]["coding"][0]
    assert (coding["system"], coding["code"]) == ("http://terminology.hl7.org/CodeSystem/v3-DataOperation", activity)


def test_the_program_is_the_policy():
    assert make(program="our plan/2023")["policy"] == ["https://w3id.org/mtm-adapter/fhir/program/our%20plan%2F2023"]


def test_sources_are_entities_once_and_only_resources():
    made = make(sources=["Flag/2", "roster.csv row 4", "Condition/1", "Flag/2"])
    assert made["entity"] == [
        {"role": "source", "what": {"reference": "Condition/1"}},
        {"role": "source", "what": {"reference": "Flag/2"}},
    ]
    assert "entity" not in make(sources=["roster.csv row 4"])


def test_the_same_write_is_the_same_provenance_whatever_the_time_order_and_version():
    newer = [{**target, "meta": {"versionId": "7"}} for target in reversed(TARGETS)]
    assert make(newer, recorded="2024-01-01T00:00:00Z")["id"] == make()["id"]


@pytest.mark.parametrize("other", [[TARGETS[0]], [{**TARGETS[0], "title": "b"}, TARGETS[1]]])
def test_another_write_is_another_provenance(other):
    assert make(other)["id"] != make()["id"]


def test_a_provenance_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one target"):
        make([])
