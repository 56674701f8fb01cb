"""One row per beneficiary: the current MBI, the name to report, death as far as it is dated."""

from __future__ import annotations

from datetime import date

import pytest

from adapter.tables import beneficiaries
from tests.unit.tables.samples import mbi, patient

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


@pytest.fixture
def row(engine, read):
    """The one row of one Patient."""

    def of(**elements):
        [row] = engine.records(
            beneficiaries.beneficiaries(beneficiaries.patients(read("Patient", [patient(**elements)])))
        )
        return row

    return of


@pytest.mark.parametrize(
    ("identifiers", "found"),
    [
        ([mbi("1EG4TE5MK73")], "1EG4TE5MK73"),
        ([mbi("1eg4-te5-mk73")], "1EG4TE5MK73"),
        ([mbi(" 1EG4 TE5 MK73 ")], "1EG4TE5MK73"),
        ([mbi("A", system="https://hl7.org/fhir/sid/us-mbi")], "A"),
        ([mbi("A", system="urn:oid:2.16.840.1.113883.4.927")], "A"),
        ([mbi("A", system="http://hl7.org/fhir/sid/us-ssn")], None),
        ([mbi("A", system=None)], None),
        (
            [mbi("OLD", period={"start": "2018", "end": "2020-01-01"}), mbi("NEW", period={"start": "2020-01-02"})],
            "NEW",
        ),
        ([mbi("NEW"), mbi("OLD", period={"end": "2020"})], "NEW"),
        ([mbi("OLD", type=HISTORIC), mbi("NEW", type=CURRENT)], "NEW"),
        ([mbi("NEW", type=CURRENT), mbi("OLD", type=HISTORIC)], "NEW"),
        ([mbi("A", period={"end": "2019"}), mbi("B", period={"end": "2020"})], "B"),
        ([mbi("A"), mbi("B")], "B"),
        ([mbi(None), mbi("A", type={"coding": None})], "A"),
        ([mbi(None)], None),
        ([], None),
        (None, None),
    ],
)
def test_the_mbi_is_the_current_one(row, identifiers, found):
    assert row(identifier=identifiers)["mbi"] == found


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ([{"family": "A"}], ("A", None, None)),
        ([{"use": "old", "family": "A"}, {"use": "official", "family": "B", "given": ["C", "D"]}], ("B", "C", "D")),
        ([{"use": "nickname", "family": "A"}, {"use": "usual", "family": "B", "given": ["C"]}], ("B", "C", None)),
        ([{"use": "usual", "family": "A"}, {"use": "official", "family": "B"}], ("B", None, None)),
        ([{"use": "maiden", "family": "A"}, {"family": "B"}], ("B", None, None)),
        ([{"use": "maiden", "family": "A"}], ("A", None, None)),
        ([{"use": "official", "family": "Ōtsuka-Müller", "given": ["Zoë"]}], ("Ōtsuka-Müller", "Zoë", None)),
        ([{"use": "official", "family": None, "given": None}], (None, None, None)),
        ([{"use": "official", "family": "", "given": []}], ("", None, None)),
        ([], (None, None, None)),
        (None, (None, None, None)),
    ],
)
def test_the_name_is_the_official_one_or_the_next_best(row, names, found):
    told = row(name=names)
    assert (told["family"], told["given"], told["middle"]) == found


@pytest.mark.parametrize(
    ("elements", "deceased", "died_by"),
    [
        ({}, False, None),
        ({"deceasedBoolean": None}, False, None),
        ({"deceasedBoolean": False}, False, None),
        ({"deceasedBoolean": True}, True, None),
        ({"deceasedDateTime": "2023-06-15"}, True, date(2023, 6, 15)),
        ({"deceasedDateTime": "2023-06-15T10:00:00Z"}, True, date(2023, 6, 15)),
        ({"deceasedDateTime": "2023-06"}, True, date(2023, 6, 1)),
        ({"deceasedDateTime": "2023"}, True, date(2023, 1, 1)),
    ],
)
def test_death_may_be_undated(row, elements, deceased, died_by):
    told = row(**elements)
    assert (told["deceased"], told["died_by"]) == (deceased, died_by)


@pytest.mark.parametrize(
    ("birth_date", "day"), [("1940-05-06", date(1940, 5, 6)), ("1940-05", None), ("1940", None), (None, None)]
)
def test_a_partial_birth_date_stays_partial(row, birth_date, day):
    told = row(birthDate=birth_date)
    assert (told["birth_date"], told["birth_day"]) == (birth_date, day)


@pytest.mark.parametrize(
    ("resource", "fault"),
    [
        (patient(), None),
        (patient(None), "the Patient has no id"),
        (patient(birthDate="1940-02-30"), "birthDate is no date of the calendar"),
        (patient(birthDate=""), "birthDate is no date of the calendar"),
        (patient(deceasedDateTime="soon"), "deceasedDateTime is no date of the calendar"),
        (patient(resourceType="Person"), "this is no Patient (see its resourceType)"),
        (patient(resourceType=None), "this is no Patient (see its resourceType)"),
    ],
)
def test_a_faulty_patient_is_told_and_is_no_beneficiary(engine, read, resource, fault):
    rows = beneficiaries.patients(read("Patient", [resource]))
    assert [row["fault"] for row in engine.records(rows)] == [fault]
    assert len(engine.records(beneficiaries.beneficiaries(rows))) == (fault is None)


def test_the_newest_version_of_a_person_counts(engine, read):
    old = patient(gender="male", meta={"lastUpdated": "2023-01-01T00:00:00Z"})
    new = patient(gender="female", meta={"lastUpdated": "2023-02-01T00:00:00Z"})
    rows = beneficiaries.patients(read("Patient", [new, old]))
    [row] = engine.records(beneficiaries.beneficiaries(rows))
    assert (row["beneficiary"], row["source"], row["gender"]) == ("p1", "Patient/p1", "female")
