"""The inputs of the operation: query or Parameters, JSON or XML, and every one that cannot be used."""

from datetime import date

import pytest

from adapter.fhir.conformance import to_xml
from tests.unit.web.helpers import OPERATION, ROOT

JSON, XML = "application/fhir+json", "application/fhir+xml"
DAY = {"name": "asOf", "valueDate": "2023-03-05"}


def parameters(*given):
    return {"resourceType": "Parameters", "parameter": list(given)} if given else {"resourceType": "Parameters"}


def refused(answer, *words):
    assert answer.status_code == 400, answer.data
    text = answer.json["issue"][0]["details"]["text"]
    assert answer.json["resourceType"] == "OperationOutcome"
    assert all(word in text for word in words), text


def test_without_inputs_the_day_is_today_within_the_plan_year(make, explained):
    make(today=lambda: date(2023, 6, 30)).post(OPERATION)
    make(today=lambda: date(2026, 1, 1)).post(OPERATION)
    make(today=lambda: date(2022, 1, 1)).post(OPERATION)
    assert [screening.as_of for screening, _ in explained] == [date(2023, 6, 30), date(2023, 12, 31), date(2023, 1, 1)]


def test_the_settings_reach_the_job(make, explained):
    make(source="https://fhir.example/r4", contract="H1234", at_risk=ROOT / "x.csv").post(OPERATION)
    screening, beneficiary = explained[0]
    assert (screening.source, screening.contract, screening.at_risk) == (
        "https://fhir.example/r4",
        "H1234",
        ROOT / "x.csv",
    )
    assert beneficiary == "b1"


@pytest.mark.parametrize("program", [{"valueString": "health-partners-2023"}, {"valueCode": "health-partners-2023"}])
@pytest.mark.parametrize(
    "mime", [JSON, "application/json", XML, "application/xml", "application/fhir+json; charset=utf-8"]
)
def test_parameters_in_the_body_count(client, explained, mime, program):
    resource = parameters(DAY, {"name": "program", **program})
    body = {"data": to_xml(resource)} if "xml" in mime else {"json": resource}
    assert client.post(OPERATION, headers={"Content-Type": mime}, **body).status_code == 200
    assert (explained[0][0].as_of, explained[0][0].program) == (date(2023, 3, 5), "health-partners-2023")


def test_parameters_without_any_parameter_are_no_inputs(client, explained):
    assert client.post(OPERATION, json=parameters()).status_code == 200


def test_the_query_of_a_get_counts(client, explained):
    client.get(f"{OPERATION}?asOf=2023-03-05&program=health-partners-2023&_format=json&_pretty=true")
    assert explained[0][0].as_of == date(2023, 3, 5)


@pytest.mark.parametrize(
    "day", ["2023-03", "2023", "2023-02-30", "20230305", "2023-W10-1", "", "today", " 2023-03-05", "２０２３-03-05"]
)
def test_a_day_that_is_none_is_refused(client, day):
    refused(client.get(OPERATION, query_string={"asOf": day}), "asOf", "2023-12-31")


@pytest.mark.parametrize("name", ["nothing", "../programs/health-partners-2023", "/etc/passwd", "x.toml", ""])
def test_a_program_that_is_none_is_refused_and_no_file_is_opened(client, name):
    refused(client.get(OPERATION, query_string={"program": name}), "program", "health-partners-2023")


def test_the_own_program_file_is_asked_for_by_its_name(make, explained):
    own = "fixtures/own-2023.toml"
    make(program=own).get(f"{OPERATION}?program=own-2023&asOf=2023-01-01")
    assert explained[0][0].program == own


@pytest.mark.parametrize(
    "query", ["asof=2023-03-05", "patient=1", "asOf=2023-03-05&asOf=2023-03-06", "asOf=2023-03-05&x="]
)
def test_a_query_that_is_not_understood_is_refused(client, query):
    refused(client.get(f"{OPERATION}?{query}"), "input")


def test_a_post_takes_its_inputs_from_the_body_only(client):
    refused(client.post(f"{OPERATION}?asOf=2023-03-05"), "body")


@pytest.mark.parametrize(
    "given",
    [
        [DAY, DAY],
        [{"name": "asof", "valueDate": "2023-03-05"}],
        [{"name": "asOf", "valueString": "2023-03-05"}],
        [{"name": "asOf", "valueDate": "2023-03"}],
        [{"name": "asOf", "valueDate": "2023-02-30"}],
        [{"name": "asOf"}],
        [{"name": "asOf", "valueDate": None}],
        [{"name": "asOf", "_valueDate": {"extension": [{"url": "x:y", "valueString": "?"}]}}],
        [{"name": "asOf", "part": [DAY]}],
        [{"name": "program", "valueInteger": 2023}],
        [{"valueDate": "2023-03-05"}],
        [{"name": None}],
        ["asOf"],
        [[]],
        {"name": "asOf"},
    ],
)
def test_parameters_that_cannot_be_used_are_refused(client, given):
    refused(client.post(OPERATION, json={"resourceType": "Parameters", "parameter": given}))


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b"null", b"7", b'"x"', b"{}", b"\xff\xfe", b"<Parameters/>",
     b'{"resourceType": "Patient"}', b'{"resourceType": "Nonsense"}',
     b'{"resourceType": 7}', b'{"resourceType": "Parameters", "more": 1}', b"[" * 60000,
     b'{"resourceType":"Parameters","parameter":' + b'[{"name":"a","part":' * 400 + b"[]" + b"}]" * 400 + b"}"],
)  # fmt: skip
def test_a_body_that_is_no_parameters_is_refused(client, body):
    refused(client.post(OPERATION, data=body, content_type=JSON), "body")


@pytest.mark.parametrize(
    "body",
    [b"<", b"<Parameters/>", b'<Patient xmlns="http://hl7.org/fhir"/>',
     b'<Parameters xmlns="http://hl7.org/fhir"><x value="1"/></Parameters>',
     b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Parameters xmlns="http://hl7.org/fhir"/>', b"{}", b"\x00"],
)  # fmt: skip
def test_xml_that_is_no_parameters_is_refused(client, body):
    refused(client.post(OPERATION, data=body, content_type=XML), "body")


@pytest.mark.parametrize("patient", ["a,b", "a&name=x", "a b", "x" * 65, "é", "a|b", "a%00"])
def test_an_id_that_is_none_is_refused_before_any_search(client, explained, patient):
    refused(client.get(f"/fhir/Patient/{patient.replace('&', '%26')}/$mtm-targeting"), "id")
    assert not explained
