"""Bad input: one clear sentence and an exit code; bad resources are listed while the rest goes on; nobody is named."""

from __future__ import annotations

import csv
import json

import pytest

from tests.unit.cli.running import run
from tests.unit.fhir.scripted import Reply, outcome, page, reply, serving
from tests.unit.tables.samples import claim, condition, coverage, item, mbi, patient, request

# What must never stand in a message, whatever is wrong with the resources that hold it.
NAME, NUMBER, BIRTH, PERSON = "Featherstonehaugh", "1EG4TE5MK73", "1941-07-19", "person-4711"


def somebody(**more):
    given = {"name": [{"use": "official", "family": NAME}], "identifier": [mbi(NUMBER)], "birthDate": BIRTH}
    return patient(PERSON) | given | more


def of(resource, element="subject"):
    return resource | {element: {"reference": f"Patient/{PERSON}"}}


def line(resource):
    return json.dumps(resource) + "\n"


STU3 = of(claim("stu3"), "patient") | {
    "item": [{"sequence": 1, "service": {"coding": [{"code": "1"}]}}],
    "information": [],
}

FILES = {
    "Patient.ndjson": line(somebody())
    + "\n"
    + line(somebody(id="person-4712", birthDate="2023-02-30"))
    + f'{{"resourceType":"Patient","id":"{PERSON}","name":[{{"family":"{NAME}"\n'
    + line(somebody(id="person-4713", name=NAME)),
    "Coverage.ndjson": line(of(coverage(), "beneficiary")),
    "Condition.000.ndjson": "\ufeff"
    + line(of(condition("c1")))
    + line(of(condition("c2", code=None)))
    + line(of(condition("c3", onsetDateTime="2023-02-30")))
    + line(of(condition("c4", code=BIRTH))),
    "MedicationRequest.ndjson": line(of(request("r1", medicationReference={"reference": "Medication/gone"}))),
    "ExplanationOfBenefit.ndjson": line(of(claim("e1", item("5.00")), "patient"))
    + line(of(claim("e2"), "patient") | {"item": []})
    + line(STU3)
    + line(of(claim("e4", type=None), "patient")),
    "mixed.ndjson": line({"resourceType": "Patiant", "id": PERSON, "name": NAME})
    + f"oops {NAME}\n"
    + line(of(condition("c5", code=None))),
    "page.json": f"<html>{NAME}</html>",
    "bundle.json": json.dumps({"resourceType": "Bundle", "entry": [{"resource": of(condition("c6", code=None))}]}),
}
ROSTER = (
    "beneficiary,mbi,contract,status,start,end,source\n"
    f"{PERSON},,H1234,AR,2023-02-30,,x\n"
    f",{NUMBER},H1234,MAYBE,,,x\n"
    "person-unknown,,H1234,AR,2023-01-01,,x\n"
    f"{PERSON},,H1234,AR,2023-01-01,,x\n"
)

# (file, line, type, id, reason as far as the adapter words it)
NO_CODE, NO_DAY = "the Condition has no code", "is no date of the calendar"
REFUSED = [
    ("Condition.000.ndjson", "2", "Condition", "c2", NO_CODE),
    ("Condition.000.ndjson", "3", "Condition", "c3", f"onsetDateTime {NO_DAY}"),
    ("Condition.000.ndjson", "4", "Condition", "c4", "the element code has the wrong JSON type"),
    ("ExplanationOfBenefit.ndjson", "2", "ExplanationOfBenefit", "e2", "the ExplanationOfBenefit has no item"),
    ("ExplanationOfBenefit.ndjson", "3", "ExplanationOfBenefit", "stu3", "no item has a productOrService"),
    ("ExplanationOfBenefit.ndjson", "4", "ExplanationOfBenefit", "e4", "the ExplanationOfBenefit has no type"),
    ("MedicationRequest.ndjson", "1", "MedicationRequest", "r1", "the medication Medication/gone is not in the source"),
    ("Patient.ndjson", "3", "Patient", "person-4712", f"birthDate {NO_DAY}"),
    ("Patient.ndjson", "4", "Patient", "", "the line is not JSON"),
    ("Patient.ndjson", "5", "Patient", "person-4713", "the element name has the wrong JSON type"),
    ("bundle.json", "", "Condition", "c6", NO_CODE),
    ("mixed.ndjson", "1", "Patiant", PERSON, "Patiant is no FHIR R4 resource type"),
    ("mixed.ndjson", "2", "", "", "this is not JSON"),
    ("mixed.ndjson", "3", "Condition", "c5", NO_CODE),
    ("page.json", "", "", "", "this is not JSON"),
    ("roster.csv", "2", "roster", PERSON, "the start is no date of the calendar"),
    ("roster.csv", "3", "roster", "", "the status is neither AR nor PAR"),
    ("roster.csv", "4", "roster", "person-unknown", "the person of this row is not in the source"),
]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def roster(tmp_path_factory):
    path = tmp_path_factory.mktemp("roster") / "roster.csv"
    path.write_text(ROSTER, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def screened(source, roster, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "made"
    return run("screen", source, "--as-of", "2023-09-30", "--at-risk", roster, "--out", out), out


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_run_goes_on_without_the_bad_resources(screened):
    ran, out = screened
    assert ran.code == 0
    [row] = read(out / "targeting.csv")
    assert (row["beneficiary"], row["outcome"], row["chronic_diseases_observed"], row["drug_cost_observed"]) == (
        PERSON,
        "targeted",
        "1",
        "5.00",
    )
    assert (row["doors"], row["part_d_drugs_outcome"]) == ("at_risk", "not_met")


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_each_refused_resource_is_listed_with_its_place_and_reason(screened, number):
    row = read(screened[1] / "rejected.csv")[number]
    assert (row["file"], row["line"], row["resource_type"], row["resource_id"]) == REFUSED[number][:4]
    assert row["reason"].startswith(REFUSED[number][4])


def test_nothing_else_is_refused(screened):
    ran, out = screened
    assert len(read(out / "rejected.csv")) == len(REFUSED)
    assert json.loads((out / "manifest.json").read_bytes())["rejected"] == len(REFUSED)
    assert f"refused: {len(REFUSED)} resources or rows (all of them in rejected.csv with --out)" in ran.err


def test_what_is_printed_names_nobody(screened):
    ran, out = screened
    assert ran.err.count("\n") >= 6
    for secret in (NAME, NUMBER, BIRTH, "person-"):
        assert secret not in ran.err
    assert NAME not in ran.out
    assert NUMBER not in ran.out + (out / "rejected.csv").read_text(encoding="utf-8")


def test_strict_stops_at_the_first_and_writes_nothing(source, tmp_path):
    ran = run(
        "screen", source, "--as-of", "2023-09-30", "--strict", "--out", tmp_path / "out", "--sink", tmp_path / "sink"
    )
    assert (ran.code, ran.out) == (4, "")
    assert ran.sentence.startswith("15 resources or rows were refused, the first: ")
    assert ran.sentence.endswith(" (--strict)")
    assert not [secret for secret in (NAME, NUMBER, BIRTH, "person-") if secret in ran.err]
    assert list(tmp_path.iterdir()) == []


def test_strict_lets_a_good_source_pass(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "Patient.ndjson").write_text(line(somebody()))
    ran = run("screen", tmp_path / "in", "--as-of", "2023-09-30", "--strict")
    assert ran.code == 0


# ---- what stops a run before anything is read or decided


@pytest.fixture
def good(tmp_path):
    folder = tmp_path / "good"
    folder.mkdir()
    (folder / "Patient.ndjson").write_text(line(somebody()))
    return folder


def program(text):
    return 'extends = "health-partners-2023"\n' + text


# title -> (arguments with places to fill in, exit code, what the sentence says)
STOPPED = {
    "a folder that is not there": (
        ["screen", "{tmp}/nowhere"],
        4,
        "There is no folder {tmp}/nowhere; give a folder of NDJSON",
    ),
    "a file instead of a folder": (["screen", "{tmp}/plan.toml"], 4, "There is no folder {tmp}/plan.toml"),
    "a folder without Patient": (["screen", "{tmp}/empty"], 4, "The folder {tmp}/empty holds no Patient; export"),
    "a page in place of the Patients": (
        ["screen", "{tmp}/page"],
        4,
        "No Patient of {tmp}/page can be read: 1 resources or rows were refused, the first: Patient.ndjson line 1: "
        "the line is HTML or XML and not JSON",
    ),
    "a damaged packed file": (
        ["screen", "{tmp}/damaged"],
        4,
        "Patient.ndjson.gz is a damaged gzip file; export it again",
    ),
    "an address of another kind": (
        ["screen", "ftp://host/fhir"],
        2,
        "The FHIR base URL is no plain http or https address",
    ),
    "an address with a password": (["screen", "http://me:secret@host/fhir"], 2, "The FHIR base URL holds credentials"),
    "a misspelled key": (
        ["screen", "{good}", "--program", "{tmp}/plan.toml"],
        3,
        "plan.toml: drug_cost: there is no key called `treshold`; correct its spelling",
    ),
    "a program against the limits": (
        ["screen", "{good}", "--program", "{tmp}/nine.toml"],
        3,
        "nine.toml: part_d_drugs.minimum: a plan may require 2 to 8",
    ),
    "a program that there is none of": (
        ["screen", "{good}", "--program", "nobody"],
        3,
        "programs: no program is called 'nobody'; known are: ",
    ),
    "a program file that is not there": (
        ["screen", "{good}", "--program", "no.toml"],
        3,
        "no.toml: there is no such program file",
    ),
    "a roster that is not there": (
        ["screen", "{good}", "--at-risk", "{tmp}/no.csv"],
        2,
        "There is no roster {tmp}/no.csv; name an existing CSV",
    ),
    "a roster that lacks a column": (
        ["screen", "{good}", "--at-risk", "{tmp}/short.csv"],
        2,
        "The roster short.csv lacks the column contract",
    ),
    "a contract that is none": (
        ["screen", "{good}", "--contract", "1234"],
        2,
        "1234 is no CMS contract number; give one like H1234 with --contract",
    ),
    "persons of a folder": (
        ["screen", "{good}", "--patients", "name=secret"],
        2,
        "--patients is a search of a server and a folder is read whole",
    ),
    "lists without a sink": (
        ["screen", "{good}", "--pml"],
        2,
        "--pml writes medication lists, so it needs --write or --sink",
    ),
    "writing back to a folder": (
        ["screen", "{good}", "--write"],
        2,
        "--write needs a server as source; with a folder give --sink",
    ),
    "two places to write to": (
        ["screen", "http://h/fhir", "--write", "--sink", "{tmp}/x"],
        2,
        "Give either --write (to the source) or --sink (elsewhere), not both",
    ),
    "a report of another year": (
        ["report", "{good}", "--contract", "H1234", "--year", "2024", "--program", "cms-2023", "--out", "{tmp}/out"],
        7,
        "The program cms-2023 is of plan year 2023, not 2024",
    ),
    "a report of a layout that there is none of": (
        ["report", "{good}", "--contract", "H1234", "--year", "2023", "--layout", "nobody", "--out", "{tmp}/out"],
        3,
        "",
    ),
}


@pytest.mark.parametrize("title", STOPPED)
def test_a_run_that_cannot_be_made_is_told_in_one_sentence(tmp_path, good, title):
    (tmp_path / "empty").mkdir()
    (tmp_path / "damaged").mkdir()
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "Patient.ndjson").write_text(f"<html>{NAME}</html>\n")
    (tmp_path / "damaged" / "Patient.ndjson.gz").write_bytes(b"\x1f\x8bdamaged")
    (tmp_path / "plan.toml").write_text(program("[drug_cost]\ntreshold = '1'\n"))
    (tmp_path / "nine.toml").write_text(program("[part_d_drugs]\nminimum = 9\n"))
    (tmp_path / "short.csv").write_text("beneficiary,mbi\np1,x\n")
    before = sorted(path.name for path in tmp_path.iterdir())
    arguments, code, words = STOPPED[title]
    if arguments[0] == "screen":
        arguments = [*arguments, "--as-of", "2023-09-30", "--out", "{tmp}/out"]
    ran = run(*(one.format(tmp=tmp_path, good=good) for one in arguments))
    assert (ran.code, ran.out) == (code, "")
    assert words.format(tmp=tmp_path) in ran.sentence
    assert not [secret for secret in ("secret", NAME) if secret in ran.sentence]
    assert sorted(path.name for path in tmp_path.iterdir()) == before


# arguments that click refuses: exit code 2, and the word that it stumbles over
USAGE = [
    (["screen"], "SOURCE"),
    (["screen", "x", "--unknown"], "--unknown"),
    (["screen", "x", "--as-of", "2023-02-30"], "2023-02-30"),
    (["screen", "x", "--as-of", "yesterday"], "yesterday"),
    (["screen", "x", "--parallel", "0"], "--parallel"),
    (["screen", "x", "--timeout", "soon"], "--timeout"),
    (["screen", "x", "--timeout", "0"], "--timeout"),
    (["screen", "x", "--timeout", "inf"], "--timeout"),
    (["explain", "x"], "BENEFICIARY"),
    (["report", "x"], "--contract"),
    (["report", "x", "--contract", "H1234", "--year", "23", "--out", "x"], "--year"),
    (["unknown"], "unknown"),
]


@pytest.mark.parametrize(("arguments", "word"), USAGE)
def test_options_that_cannot_be_read_are_told(arguments, word):
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert word in ran.err
    assert "Traceback" not in ran.err


# ---- servers


SERVERS = {
    "an HTML page": (
        Reply(200, b"<html>Welcome</html>", "text/html"),
        "text/html that is no FHIR resource (status 200)",
    ),
    "401": (
        outcome(401, "who are you"),
        "was not authenticated (status 401): give a valid token, or user and password",
    ),
    "403": (outcome(403, "no"), "(status 403): ask the operator for the scope"),
    "500 that names a person": (
        outcome(500, f"Resource Patient/{PERSON} with {NUMBER} failed"),
        "failed with status 500",
    ),
    "no Patient": (reply(page()), "holds no Patient that fits"),
    "JSON that is no FHIR": (Reply(200, b'{"hello": 1}', "application/json"), "that is no FHIR resource"),
}


@pytest.mark.parametrize("title", SERVERS)
@pytest.mark.parametrize("command", ["screen", "explain"])
def test_a_server_that_cannot_be_read_is_told_with_its_address_and_status(tmp_path, title, command):
    answer, words = SERVERS[title]
    if command == "explain" and title == "no Patient":
        words = "There is no such beneficiary in the source"
    with serving(lambda request: answer) as server:
        more = [PERSON] if command == "explain" else ["--out", tmp_path / "out"]
        ran = run(command, server.base, *more, "--as-of", "2023-09-30")
    assert (ran.code, ran.out) == (4, "")
    assert words in ran.sentence
    assert "beneficiary" in words or server.base in ran.sentence
    assert not [secret for secret in (NAME, NUMBER, BIRTH, PERSON) if secret in ran.sentence]
    assert list(tmp_path.iterdir()) == []


def test_the_faulty_person_of_a_server_is_not_named():
    people = [somebody(), somebody(id="person-4712", birthDate="2023-02-30")]

    def answer(request):
        kind = request.path.removesuffix("/_search").rpartition("/")[2]
        return reply(page(*people if kind == "Patient" else []))

    with serving(answer) as server:
        ran = run("screen", server.base, "--as-of", "2023-09-30", "--strict")
    assert (ran.code, ran.out) == (4, "")
    assert f"{server.base}/Patient: birthDate is no date of the calendar" in ran.sentence
    assert not [secret for secret in (NAME, NUMBER, BIRTH, "person-") if secret in ran.sentence]
