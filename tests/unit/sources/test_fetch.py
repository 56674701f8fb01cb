"""The population of a server: all of it or some persons, with what a server may not serve."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest

from adapter.errors import SourceError
from adapter.fhir.client import FhirClient
from adapter.sources.fetch import IDS_PER_SEARCH, OF_PERSONS, OF_PLAN_YEAR, from_server
from tests.unit.fhir.scripted import Reply, outcome, page, reply, serving


def resource(kind, key, **more):
    return {"resourceType": kind, "id": key} | more


def ordered(kind, key, reference):
    return resource(kind, key, medicationReference={"reference": reference})


PATIENTS = [resource("Patient", "p1"), resource("Patient", "p2")]


class Source:
    """Answers searches from what it holds; ``faults`` are the replies of single types."""

    def __init__(self, *resources, faults=None):
        self.resources = resources
        self.faults = faults or {}
        self.asked = []

    def __call__(self, request):
        kind = request.path.removesuffix("/_search").rpartition("/")[2]
        asked = {name: values[0] for name, values in (request.form if request.body else request.query).items()}
        self.asked.append((kind, asked))
        if kind in self.faults:
            return self.faults[kind]
        found = [one for one in self.resources if one["resourceType"] == kind]
        if "_id" in asked:
            found = [one for one in found if one["id"] in asked["_id"].split(",")]
        return reply(page(*found))

    def of(self, kind):
        return [asked for name, asked in self.asked if name == kind]


@contextmanager
def fetched(tmp_path, source, patients="", **more):
    with serving(source) as server, FhirClient(server.base, retries=0) as client:
        yield from_server(client, tmp_path, patients, **more)


def held(snapshot, kind):
    return [json.loads(line) for path in snapshot.paths(kind) for line in path.read_bytes().splitlines()]


def ids(snapshot, kind):
    return [one["id"] for one in held(snapshot, kind)]


def test_a_whole_server_is_read_by_type(tmp_path):
    everything = [*PATIENTS, *(resource(kind, "x") for kind in OF_PERSONS)]
    source = Source(*everything)
    with fetched(tmp_path, source) as snapshot:
        assert snapshot.remote
        assert ids(snapshot, "Patient") == ["p1", "p2"]
        assert {kind: ids(snapshot, kind) for kind in OF_PERSONS} == {kind: ["x"] for kind in OF_PERSONS}
        assert (snapshot.notices, snapshot.coverage_elsewhere) == ((), False)
        assert set(snapshot.hashes.result()) == {f"{kind}.ndjson" for kind in ("Patient", "Medication", *OF_PERSONS)}
    assert all("patient" not in asked for kind in OF_PERSONS for asked in source.of(kind))


def test_a_patient_query_reads_these_persons_only(tmp_path):
    source = Source(*PATIENTS, resource("Condition", "c1"))
    with fetched(tmp_path, source, "identifier=http://x|&active=true") as snapshot:
        assert ids(snapshot, "Condition") == ["c1"]
    [asked] = source.of("Patient")
    assert (asked["identifier"], asked["active"]) == ("http://x|", "true")
    assert [asked["patient"] for asked in source.of("Condition")] == ["p1,p2"]


def test_many_persons_are_asked_for_in_parts(tmp_path):
    many = [resource("Patient", f"p{n}") for n in range(IDS_PER_SEARCH + 1)]
    source = Source(*many)
    with fetched(tmp_path, source, "active=true", types=("Flag",)):
        pass
    assert [len(asked["patient"].split(",")) for asked in source.of("Flag")] == [IDS_PER_SEARCH, 1]


@pytest.mark.parametrize(("held_there", "elsewhere"), [([resource("Coverage", "v9")], True), ([], False)])
def test_whether_the_server_holds_coverage_of_others_is_told(tmp_path, held_there, elsewhere):
    source = Source(*PATIENTS, *held_there)
    with fetched(tmp_path, source, "active=true") as snapshot:
        assert snapshot.coverage_elsewhere is elsewhere


@pytest.mark.parametrize(("patients", "types"), [("", OF_PERSONS), ("active=true", ("CarePlan",))])
def test_coverage_of_others_is_asked_for_only_when_it_matters(tmp_path, patients, types):
    source = Source(*PATIENTS, resource("Coverage", "v9"))
    with fetched(tmp_path, source, patients, types=types) as snapshot:
        assert not snapshot.coverage_elsewhere


@pytest.mark.parametrize("status", [404, 501])
def test_a_type_that_is_not_served_is_a_notice(tmp_path, status):
    source = Source(*PATIENTS, resource("Condition", "c1"), faults={"Flag": outcome(status, "no such type")})
    with fetched(tmp_path, source) as snapshot:
        assert ids(snapshot, "Condition") == ["c1"]
        assert held(snapshot, "Flag") == []
        [notice] = snapshot.notices
        assert notice.endswith(f"does not serve Flag (status {status}); it is read as having none")


def test_a_server_without_coverage_holds_none_elsewhere(tmp_path):
    source = Source(*PATIENTS, faults={"Coverage": outcome(404, "no such type")})
    with fetched(tmp_path, source, "active=true") as snapshot:
        assert not snapshot.coverage_elsewhere
    assert {asked["_count"] for asked in source.of("Coverage")} == {"200"}  # not asked again for any of others


@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_another_fault_of_a_type_stops_the_read(tmp_path, status):
    source = Source(*PATIENTS, faults={"Condition": outcome(status, "no")})
    with pytest.raises(SourceError) as raised, fetched(tmp_path, source):
        pass
    assert raised.value.status == status


@pytest.mark.parametrize("status", [404, 501])
def test_a_type_whose_later_page_or_persons_are_not_found_is_not_read_as_having_none(tmp_path, status):
    many = [resource("Patient", f"p{n}") for n in range(IDS_PER_SEARCH + 1)]
    paged = page(resource("Condition", "c1"), following="?page=2")

    def answer(request):
        kind = request.path.removesuffix("/_search").rpartition("/")[2]
        last = "page" in request.query or f"p{IDS_PER_SEARCH}" in request.form.get("patient", [""])[0]
        if kind == "Condition":
            return outcome(status, "no") if last else reply(paged if request.method == "GET" else page())
        return reply(page(*many if kind == "Patient" else []))

    for patients in ("", "active=true"):
        with pytest.raises(SourceError) as raised, fetched(tmp_path, answer, patients, types=("Condition",)):
            pass
        assert raised.value.status == status


def test_a_type_that_the_server_says_that_it_serves_is_unread_and_not_empty(tmp_path):
    statement = {
        "resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": [{"resource": [{"type": "Condition"}]}]
    }  # fmt: skip
    lost = {kind: outcome(404, "no route") for kind in ("Flag", "Condition")}
    with (
        pytest.raises(SourceError, match="Condition failed with status 404"),
        fetched(tmp_path, Source(*PATIENTS, faults=lost | {"metadata": reply(statement)})),
    ):
        pass


def test_a_server_without_medication_is_a_notice(tmp_path):
    source = Source(
        *PATIENTS, ordered("MedicationRequest", "r1", "Medication/m1"), faults={"Medication": outcome(404, "no")}
    )
    with fetched(tmp_path, source) as snapshot:
        assert "does not serve Medication (status 404)" in snapshot.notices[0]


def test_what_the_server_warns_of_is_a_notice(tmp_path):
    warning = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "diagnostics": "index is late"}]}
    source = Source(*PATIENTS, faults={"Flag": reply(page(warning))})
    with fetched(tmp_path, source) as snapshot:
        [notice] = snapshot.notices
        assert notice.endswith("/Flag warns: index is late")


@pytest.mark.parametrize("pointer", ["Medication/m1", ["x"], 7, {"reference": 7}, {"reference": None}])
def test_a_malformed_pointer_to_a_medication_is_left_to_the_tables(tmp_path, pointer):
    with fetched(tmp_path, Source(*PATIENTS, resource("MedicationRequest", "r1", medicationReference=pointer))) as made:
        assert ids(made, "MedicationRequest") == ["r1"]


@pytest.mark.parametrize("key", [{}, {"id": 7}, {"id": None}, {"id": ""}])
def test_a_patient_without_an_id_is_left_to_the_tables(tmp_path, key):
    source = Source(*PATIENTS, {"resourceType": "Patient"} | key)
    with fetched(tmp_path, source, "active=true", types=("Flag",)) as snapshot:
        assert len(held(snapshot, "Patient")) == 3
    assert [asked["patient"] for asked in source.of("Flag")] == ["p1,p2"]


def test_the_search_for_persons_must_not_be_ignored(tmp_path):
    def answer(request):
        if request.path.endswith("/Patient/_search"):
            strict.append(request.headers.get("Prefer"))
            return outcome(400, "unknown search parameter")
        return reply(page(*PATIENTS))

    strict = []
    with pytest.raises(SourceError, match="unknown search parameter"), fetched(tmp_path, answer, "active=true"):
        pass
    assert strict == ["handling=strict"]


def test_a_parameter_that_comes_twice_is_asked_twice(tmp_path):
    def answer(request):
        asked.append(request.form.get("birthdate"))
        return reply(page(*PATIENTS))

    asked = []
    with fetched(tmp_path, answer, "birthdate=ge1940&birthdate=le1950", types=()):
        pass
    assert asked[0] == ["ge1940", "le1950"]


def test_medications_are_read_by_their_references(tmp_path):
    medications = [resource("Medication", key) for key in ("m1", "m2", "m3", "m4", "unused")]
    source = Source(
        *PATIENTS,
        *medications,
        ordered("MedicationRequest", "r1", "Medication/m1"),
        ordered("MedicationRequest", "r2", "Medication/m1/_history/2"),
        ordered("MedicationStatement", "s1", "Medication/m2"),
        ordered("MedicationDispense", "d1", "Medication/m3"),
        ordered("MedicationRequest", "r3", "#inside"),
        ordered("MedicationRequest", "r4", "https://elsewhere/Medication/m4"),
        ordered("MedicationRequest", "r5", "Medication/missing"),
        resource("MedicationRequest", "r6", medicationReference=None),
        resource("MedicationRequest", "r7", medicationReference={"display": "x"}),
    )
    with fetched(tmp_path, source) as snapshot:
        assert ids(snapshot, "Medication") == ["m1", "m2", "m3"]
    [asked] = source.of("Medication")
    assert sorted(asked["_id"].split(",")) == ["m1", "m2", "m3", "missing"]


def test_an_absolute_reference_to_the_server_itself_is_followed(tmp_path):
    with serving(lambda request: source(request)) as server:
        source = Source(
            *PATIENTS, resource("Medication", "m1"), ordered("MedicationRequest", "r1", f"{server.base}/Medication/m1")
        )
        with FhirClient(server.base, retries=0) as client:
            assert ids(from_server(client, tmp_path), "Medication") == ["m1"]


def test_what_a_search_includes_beside_its_type_is_left_out(tmp_path):
    def answer(request):
        return reply(page(*PATIENTS, resource("Organization", "o1")))

    with fetched(tmp_path, answer, types=()) as snapshot:
        assert ids(snapshot, "Patient") == ["p1", "p2"]
        assert "Organization" not in snapshot.files


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (Reply(200, b"<html>Welcome</html>", "text/html"), 200, "text/html that is no FHIR resource"),
        (Reply(200, b"", None), 200, "an empty body"),
        (outcome(401, "who"), 401, "was not authenticated (status 401)"),
        (outcome(403, "who"), 403, "is not permitted"),
        (outcome(500, "no"), 500, "failed with status 500"),
        (reply({"resourceType": "Patient", "id": "secret"}), 200, "was answered with Patient instead of a Bundle"),
    ],
)
def test_a_server_that_cannot_be_read_is_told_in_one_sentence(tmp_path, answer, status, words):
    with pytest.raises(SourceError) as raised, fetched(tmp_path, lambda request: answer):
        pass
    assert words in str(raised.value)
    assert raised.value.status == status
    assert "\n" not in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("patients", ["", "identifier=http://x|secret"])
def test_a_server_without_such_a_patient_is_told(tmp_path, patients):
    with (
        pytest.raises(SourceError, match="holds no Patient that fits") as raised,
        fetched(tmp_path, Source(), patients),
    ):
        pass
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("patients", ["", "active=true"])
def test_of_procedures_and_communications_only_those_of_the_adapter_are_asked_for(tmp_path, patients):
    source = Source(*PATIENTS, resource("Coverage", "v1"), resource("Procedure", "x"), resource("Communication", "y"))
    with fetched(tmp_path, source, patients, types=OF_PLAN_YEAR) as snapshot:
        assert (ids(snapshot, "Procedure"), ids(snapshot, "Communication")) == (["x"], ["y"])
    service = "https://w3id.org/mtm-adapter/fhir/CodeSystem/service"
    [procedures], [communications] = source.of("Procedure"), source.of("Communication")
    assert f"{service}|cmr,{service}|tmr" in procedures["code"]
    assert f"{service}|invitation,{service}|cmr-offer" in communications["category"]
    assert ("patient" in procedures) is ("patient" in communications) is bool(patients)
