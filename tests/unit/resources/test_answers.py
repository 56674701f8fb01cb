"""OperationOutcome, Parameters, CapabilityStatement."""

from __future__ import annotations

import pytest
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.operationoutcome import OperationOutcome
from fhir.resources.R4B.parameters import Parameters
from hypothesis import given
from hypothesis import strategies as st

from adapter.resources.capability import capability_statement
from adapter.resources.definitions import definitions
from adapter.resources.operation_outcome import operation_outcome
from adapter.resources.parameters import targeting_parameters


@given(st.text(st.characters()))
def test_any_message_gives_a_valid_outcome(message):
    OperationOutcome.model_validate(operation_outcome(message))


def test_an_outcome_says_the_message_where_clients_look():
    made = operation_outcome("There is no such beneficiary", code="not-found", severity="fatal")
    assert made["issue"] == [
        {
            "severity": "fatal",
            "code": "not-found",
            "details": {"text": "There is no such beneficiary"},
            "diagnostics": "There is no such beneficiary",
        }
    ]


def values(parameters):
    return [(p["name"], next((v for k, v in p.items() if k.startswith("value")), None)) for p in parameters]


def test_the_decision_as_parameters(decide, program):
    made = targeting_parameters(decide(), program)
    Parameters.model_validate(made)
    assert values(made["parameter"]) == [
        ("outcome", "targeted"),
        ("contract", "H1234"),
        ("pbp", "003"),
        ("door", "core"),
        ("door", "at_risk"),
        ("reasonCode", "03"),
        ("asOf", "2023-03-05"),
        ("program", "health-partners-2023"),
        *[("criterion", None)] * 5,
    ]
    at_risk = made["parameter"][-2]["part"]
    assert values(at_risk) == [
        ("name", "at_risk"),
        ("outcome", "met"),
        ("observed", "AR"),
        ("required", "AR"),
        ("evidence", None),
        ("evidence", None),
    ]
    assert [evidence["part"][-1] for evidence in at_risk[-2:]] == [
        {"name": "source", "valueString": "roster.csv row 4"},
        {"name": "source", "valueReference": {"reference": "Flag/f1"}},
    ]


def test_what_is_not_known_is_absent(decide, program):
    made = targeting_parameters(
        decide(outcome="unknown", contract="", pbp="", doors=(), reason_code="", criteria=()), program
    )
    Parameters.model_validate(made)
    assert [name for name, _ in values(made["parameter"])] == ["outcome", "asOf", "program"]


@pytest.mark.parametrize("outcome", ["targeted", "not_targeted"])
def test_the_answer_is_as_the_operation_definition_says(decide, program, outcome):
    (operation,) = [d for d in definitions() if d["resourceType"] == "OperationDefinition"]
    check(targeting_parameters(decide(outcome=outcome), program)["parameter"], operation["parameter"], "parameter")


def check(given, defined, element):
    by_name = {d["name"]: d for d in defined if d["use"] == "out"}
    assert {p["name"] for p in given} <= set(by_name)
    for name, definition in by_name.items():
        found = [p for p in given if p["name"] == name]
        assert len(found) >= definition["min"]
        assert definition["max"] == "*" or len(found) <= int(definition["max"])
        for parameter in found:
            types = [key.removeprefix("value").lower() for key in parameter if key.startswith("value")]
            assert definition.get("type") == "Element" or types == (
                [definition["type"]] if "type" in definition else []
            )
            check(parameter.get("part", []), definition.get("part", []), "part")


def test_the_capability_statement_names_the_operation():
    made = capability_statement("0.1.0", "http://127.0.0.1:8080/fhir", "2023-03-05")
    CapabilityStatement.model_validate(made)
    assert made["rest"][0]["resource"] == [
        {
            "type": "Patient",
            "operation": [
                {
                    "name": "mtm-targeting",
                    "definition": "https://w3id.org/mtm-adapter/fhir/OperationDefinition/mtm-targeting",
                }
            ],
        }
    ]
    assert made["implementation"]["url"] == "http://127.0.0.1:8080/fhir"
    assert made["software"]["version"] == "0.1.0"
