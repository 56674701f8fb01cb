"""One row per beneficiary: the current MBI, the name to report, death as far as it is dated."""

from __future__ import annotations

from datetime import date

import pytest

from adapter.tables import beneficiaries
from tests.unit.tables.samples import mbi, patient

MEDICARE_NUMBER = {"coding": [{"code": "MC"}]}
HISTORIC = {
    "coding": [
        {
            "code": "MC",
            "extension": [
                {
                    "url": "https://bluebutton.cms.gov/resources/codesystem/identifier-currency",
                    "valueCoding": {"code": "historic"},
                }
            ],
        }
    ]
}
CURRENT = {"coding": [{"code": "MC", "extension": [{"url": "u", "valueCoding": {"code": "current"}}]}]}


MBIS = [
    ([mbi("1EG4TE5MK73")], "1EG4TE5MK73"),
    ([mbi("1eg4-te5-mk73")], "1EG4TE5MK73"),
    ([mbi(" 1EG4 TE5 MK73 ")], "1EG4TE5MK73"),
    ([mbi("A", system="https://hl7.org/fhir/sid/us-mbi")], "A"),
    ([mbi("A", system="urn:oid:2.16.840.1.113883.4.927")], "A"),
    ([mbi("A", system="http://hl7.org/fhir/sid/us-ssn")], None),
    ([mbi("A", system=None)], None),
    ([mbi("1EG4-TE5-MK73", system="https://plan.example/mbi", type=MEDICARE_NUMBER)], "1EG4TE5MK73"),
    ([mbi("123456789A", system="https://plan.example/hicn", type=MEDICARE_NUMBER)], None),
    (
        [mbi("OLD", period={"start": "2018", "end": "2020-01-01"}), mbi("NEW", period={"start": "2020-01-02"})],
        "NEW",
    ),
    ([mbi("NEW"), mbi("OLD", period={"end": "2020"})], "NEW"),
    ([mbi("OLD", type=HISTORIC), mbi("NEW", type=CURRENT)], "NEW"),
    ([mbi("NEW", type=CURRENT), mbi("OLD", type=HISTORIC)], "NEW"),
    ([mbi("A", period={"end": "2019"}), mbi("B", period={"end": "2020"})], "B"),
    ([mbi("B", period={"end": "2020-05-01"}), mbi("A", period={"end": "2019"})], "B"),
    ([mbi("A"), mbi("B")], "B"),
    ([mbi("NEW"), mbi("OLD", use="old")], "NEW"),
    ([mbi("A", use="old"), mbi("B", use="old")], "B"),
    ([mbi(None), mbi("A", type={"coding": None})], "A"),
    ([mbi(None)], None),
    ([], None),
    (None, None),
]
NAMES = [
    ([{"family": "A"}], ("A", None, None)),
    ([{"use": "old", "family": "A"}, {"use": "official", "family": "B", "given": ["C", "D"]}], ("B", "C", "D")),
    ([{"use": "nickname", "family": "A"}, {"use": "usual", "family": "B", "given": ["C"]}], ("B", "C", None)),
    ([{"use": "usual", "family": "A"}, {"use": "official", "family": "B"}], ("B", None, None)),
    ([{"use": "maiden", "family": "A"}, {"family": "B"}], ("B", None, None)),
    ([{"use": "maiden", "family": "A"}], ("A", None, None)),
    (
        [{"use": "official", "family": "A", "period": {"end": "2010-01-01"}}, {"use": "official", "family": "B"}],
        ("B", None, None),
    ),
    ([{"use": "official", "family": "A", "period": {"end": "2010"}}, {"family": "B"}], ("B", None, None)),
    ([{"use": "old", "family": "A"}, {"use": "official", "family": "B", "period": {"end": "2010"}}], ("B", None, None)),
    ([{"use": "nickname", "given": ["A"]}, {"family": "B", "given": ["C"]}], ("B", "C", None)),
    ([{"use": "official", "family": "Ōtsuka-Müller", "given": ["Zoë"]}], ("Ōtsuka-Müller", "Zoë", None)),
    ([{"use": "official", "family": None, "given": None}], (None, None, None)),
    ([{"use": "official", "family": "", "given": []}], ("", None, None)),
    ([], (None, None, None)),
    (None, (None, None, None)),
]
DEATHS = [
    ({}, False, None),
    ({"deceasedBoolean": None}, False, None),
    ({"deceasedBoolean": False}, False, None),
    ({"deceasedBoolean": True}, True, None),
    ({"deceasedDateTime": "2023-06-15"}, True, date(2023, 6, 15)),
    ({"deceasedDateTime": "2023-06-15T10:00:00Z"}, True, date(2023, 6, 15)),
    ({"deceasedDateTime": "2023-06"}, True, date(2023, 6, 1)),
    ({"deceasedDateTime": "2023"}, True, date(2023, 1, 1)),
]
BIRTHS = {"1940-05-06": date(1940, 5, 6), "1940-05": None, "1940": None, None: None}


@pytest.fixture(scope="module")
def people(engine, read):
    """What was asked for, by id: every case is one person of one population."""
    given = [patient(f"mbi-{n}", identifier=identifiers) for n, (identifiers, _) in enumerate(MBIS)]
    given += [patient(f"name-{n}", name=names) for n, (names, _) in enumerate(NAMES)]
    given += [patient(f"death-{n}", **elements) for n, (elements, _, _) in enumerate(DEATHS)]
    given += [patient(f"birth-{n}", birthDate=text) for n, text in enumerate(BIRTHS)]
    rows = beneficiaries.beneficiaries(engine.keep(beneficiaries.patients(read("Patient", given))))
    return {row["beneficiary"]: row for row in engine.records(rows)}


@pytest.mark.parametrize("number", range(len(MBIS)))
def test_the_mbi_is_the_current_one(people, number):
    assert people[f"mbi-{number}"]["mbi"] == MBIS[number][1]


@pytest.mark.parametrize("number", range(len(NAMES)))
def test_the_name_is_the_official_one_or_the_next_best(people, number):
    told = people[f"name-{number}"]
    assert (told["family"], told["given"], told["middle"]) == NAMES[number][1]


@pytest.mark.parametrize("number", range(len(DEATHS)))
def test_death_may_be_undated(people, number):
    told = people[f"death-{number}"]
    assert (told["deceased"], told["died_by"]) == DEATHS[number][1:]


@pytest.mark.parametrize("birth_date", BIRTHS)
def test_a_partial_birth_date_stays_partial(people, birth_date):
    told = people[f"birth-{list(BIRTHS).index(birth_date)}"]
    assert (told["birth_date"], told["birth_day"]) == (birth_date, BIRTHS[birth_date])


FAULTS = [
    (patient(), None),
    (patient(None), "the Patient has no id"),
    (patient(birthDate="1940-02-30"), "birthDate is no date of the calendar"),
    (patient(birthDate=""), "birthDate is no date of the calendar"),
    (patient(deceasedDateTime="soon"), "deceasedDateTime is no date of the calendar"),
    (patient(resourceType="Person"), "this is no Patient (see its resourceType)"),
    (patient(resourceType=None), "this is no Patient (see its resourceType)"),
]


@pytest.fixture(scope="module")
def judged(judge):
    return judge("Patient", [one for one, _ in FAULTS], beneficiaries.patients, beneficiaries.beneficiaries)


@pytest.mark.parametrize("number", range(len(FAULTS)))
def test_a_faulty_patient_is_told_and_is_no_beneficiary(judged, number):
    fault = FAULTS[number][1]
    assert judged[number] == (fault, fault is None)


def test_the_newest_version_of_a_person_counts(engine, read):
    old = patient(gender="male", meta={"lastUpdated": "2023-01-01T00:00:00Z"})
    new = patient(gender="female", meta={"lastUpdated": "2023-02-01T00:00:00Z"})
    rows = beneficiaries.patients(read("Patient", [new, old]))
    [row] = engine.records(beneficiaries.beneficiaries(rows))
    assert (row["beneficiary"], row["source"], row["gender"]) == ("p1", "Patient/p1", "female")
