"""Which diseases a Condition proves, by the code lists and the rule of headers, and which Conditions are faulty."""

from __future__ import annotations

from datetime import date

import pytest

from adapter.tables import conditions
from adapter.tables.code_systems import ICD10CM, SNOMEDCT
from tests.unit.tables.samples import ICD10, SNOMED, concept, condition, status

ICD_ROWS = [
    # code, disease, subgroup, default, billable
    ("E11", "diabetes", "type2", "Y", "N"),
    ("E11.9", "diabetes", "type2", "Y", "Y"),
    ("I11.0", "chf", "chf", "Y", "Y"),
    ("I11.0", "hypertension", "hypertension", "Y", "Y"),
    ("J44", "respiratory", "copd", "Y", "N"),
    ("J44.8", "respiratory", "copd", "Y", "Y"),
    ("M05", "bone_arthritis", "rheumatoid", "Y", "N"),
    ("M05.1", "bone_arthritis", "rheumatoid", "N", "N"),
]
SNOMED_ROWS = [("44054006", "diabetes", "type2", "Y"), ("195967001", "respiratory", "asthma", "Y")]


@pytest.fixture(scope="module")
def lists(engine):
    icd = [dict(zip(("code", "disease", "subgroup", "default", "billable"), row, strict=True)) for row in ICD_ROWS]
    sct = [dict(zip(("code", "disease", "subgroup", "default"), row, strict=True)) for row in SNOMED_ROWS]
    return engine.keep(
        conditions.condition_lists(
            engine.table(icd, dict.fromkeys(icd[0], "string")), engine.table(sct, dict.fromkeys(sct[0], "string"))
        )
    )


def coded(*codings):
    return condition("c1", *codings)


DIABETES = [("diabetes", "type2", "Y")]
HEART = [("chf", "chf", "Y"), ("hypertension", "hypertension", "Y")]
NOTHING = [(None, None, None)]

# title -> (Condition, [(disease, subgroup, listed)] of all its rows)
CODES = {
    **{f"ICD-10-CM under {uri}": (coded((uri, "E11.9")), DIABETES) for uri in ICD10CM},
    **{f"SNOMED CT under {uri}": (coded((uri, "44054006")), DIABETES) for uri in SNOMEDCT},
    "without dot": (coded((ICD10, "E119")), DIABETES),
    "in lower case": (coded((ICD10, "e11.9")), DIABETES),
    "with blanks": (coded((ICD10, " E11.9 ")), DIABETES),
    "SNOMED CT with blanks": (coded((SNOMED, " 44054006 ")), DIABETES),
    "two diseases by one code": (coded((ICD10, "I11.0")), HEART),
    "a header itself": (coded((ICD10, "E11")), DIABETES),
    "below a header": (coded((ICD10, "E11.65")), DIABETES),
    "far below a header": (coded((ICD10, "E11.6512")), DIABETES),
    "below a billable code": (coded((ICD10, "J44.81")), NOTHING),
    "beside a billable code": (coded((ICD10, "J44.9")), [("respiratory", "copd", "Y")]),
    "below two headers, the longer one": (coded((ICD10, "M05.19")), [("bone_arthritis", "rheumatoid", "N")]),
    "off by default": (coded((ICD10, "M05.1")), [("bone_arthritis", "rheumatoid", "N")]),
    "SNOMED CT has no children by digits": (coded((SNOMED, "440540061")), NOTHING),
    "an unknown code": (coded((ICD10, "Z99.9")), NOTHING),
    "the beginning of a header": (coded((ICD10, "E1")), NOTHING),
    "ICD-9-CM": (coded(("http://hl7.org/fhir/sid/icd-9-cm", "E11.9")), NOTHING),
    "a SNOMED CT code under ICD-10-CM": (coded((ICD10, "44054006")), NOTHING),
    "an ICD code under SNOMED CT": (coded((SNOMED, "E11.9")), NOTHING),
    "no system": (coded((None, "E11.9")), NOTHING),
    "empty system": (coded(("", "E11.9")), NOTHING),
    "an empty code": (coded((ICD10, "")), NOTHING),
    "a coding without code beside one": (coded((ICD10, None), (ICD10, "E11.9")), NOTHING + DIABETES),
    "several codings": (coded((ICD10, "E11.9"), (SNOMED, "44054006")), DIABETES * 2),
    "contradictory codings": (coded((ICD10, "E11.9"), (SNOMED, "195967001")), [*DIABETES, ("respiratory", "asthma", "Y")]),
    "text only": (condition(code={"text": "Type 2 diabetes"}), NOTHING),
    "text with null codings": (condition(code={"coding": [None], "text": "diabetes"}), NOTHING),
}  # fmt: skip


@pytest.fixture(scope="module")
def proven(engine, read, lists):
    given = [one | {"id": str(n)} for n, (one, _) in enumerate(CODES.values())]
    rows = engine.records(conditions.conditions(engine.keep(conditions.problems(read("Condition", given))), lists))
    found = {title: [] for title in CODES}
    for row in rows:
        title = list(CODES)[int(row["source"].removeprefix("Condition/"))]
        found[title].append((row["disease"], row["subgroup"], row["listed"]))
    return {title: sorted(rows, key=str) for title, rows in found.items()}


@pytest.mark.parametrize("title", CODES)
def test_a_condition_proves_what_its_codes_prove(proven, title):
    assert proven[title] == sorted(CODES[title][1], key=str)


def test_without_the_list_of_snomed_ct_its_codes_prove_nothing(engine, read):
    icd = [{"code": "E11.9", "disease": "diabetes", "subgroup": "t", "default": "Y", "billable": "Y"}]
    lists = conditions.condition_lists(engine.table(icd, dict.fromkeys(icd[0], "string")), None)
    given = [coded((ICD10, "E11.9")), condition("c2", (SNOMED, "44054006"))]
    rows = engine.records(conditions.conditions(engine.keep(conditions.problems(read("Condition", given))), lists))
    assert {row["source"]: row["disease"] for row in rows} == {"Condition/c1": "diabetes", "Condition/c2": None}


# title -> (elements, begins)
BEGUN = {
    "nothing": ({}, None),
    "onset": ({"onsetDateTime": "2019-04-05"}, date(2019, 4, 5)),
    "onset of a month": ({"onsetDateTime": "2019-04"}, date(2019, 4, 1)),
    "onset of a period": ({"onsetPeriod": {"start": "2019"}}, date(2019, 1, 1)),
    "recorded": ({"recordedDate": "2020-01-02T10:00:00Z"}, date(2020, 1, 2)),
    "recorded after the onset": ({"onsetDateTime": "2019", "recordedDate": "2020-01-02"}, date(2020, 1, 2)),
    "recorded before the onset": ({"onsetDateTime": "2024", "recordedDate": "2020-01-02"}, date(2024, 1, 1)),
}


@pytest.fixture(scope="module")
def begun(engine, read, lists):
    given = [condition(str(n), **elements) for n, (elements, _) in enumerate(BEGUN.values())]
    rows = conditions.conditions(engine.keep(conditions.problems(read("Condition", given))), lists)
    found = {row["source"]: row["begins"] for row in engine.records(rows)}
    return {title: found[f"Condition/{n}"] for n, title in enumerate(BEGUN)}


@pytest.mark.parametrize("title", BEGUN)
def test_a_condition_begins_when_it_has_begun_and_is_known(begun, title):
    assert begun[title] == BEGUN[title][1]


STATUSES = [
    (status("active"), ["active"]),
    ({"coding": [{"code": "active"}, {"code": "relapse"}]}, ["active", "relapse"]),
    (status(None), [None]),
    ({"coding": []}, []),
    ({"coding": None}, None),
    ({}, None),
    (None, None),
]


@pytest.fixture(scope="module")
def statuses(engine, read):
    given = [
        condition(str(n), clinicalStatus=element, verificationStatus=element) for n, (element, _) in enumerate(STATUSES)
    ]
    rows = engine.records(conditions.problems(read("Condition", given)).select("id", "clinical", "verification"))
    return {row["id"]: (row["clinical"], row["verification"]) for row in rows}


@pytest.mark.parametrize("number", range(len(STATUSES)))
def test_status_stays_a_list_of_codes(statuses, number):
    codes = STATUSES[number][1]
    assert statuses[str(number)] == (codes, codes)


FAULTS = [
    (condition(), None),
    (condition(None), "the Condition has no id"),
    (condition(subject=None), "the Condition names no Patient as subject"),
    (condition(subject={"reference": "Group/1"}), "the Condition names no Patient as subject"),
    (condition(subject={"reference": ""}), "the Condition names no Patient as subject"),
    (condition(code=None), "the Condition has no code"),
    (condition(code={}), "the Condition has no code"),
    (condition(code={"coding": []}), "the Condition has no code"),
    (condition(code=concept((ICD10, None))), "the Condition has no code"),
    (condition(code={"text": "x"}), None),
    (condition(onsetDateTime="2023-02-30"), "onsetDateTime is no date of the calendar"),
    (condition(onsetPeriod={"start": "2023-13-01"}), "onsetPeriod.start is no date of the calendar"),
    (condition(abatementDateTime=""), "abatementDateTime is no date of the calendar"),
    (condition(recordedDate="  "), "recordedDate is no date of the calendar"),
    (condition(resourceType="Observation"), "this is no Condition (see its resourceType)"),
]


@pytest.fixture(scope="module")
def judged(judge, lists):
    return judge(
        "Condition", [one for one, _ in FAULTS], conditions.problems, lambda rows: conditions.conditions(rows, lists)
    )


@pytest.mark.parametrize("number", range(len(FAULTS)))
def test_a_faulty_condition_is_told_and_does_not_count(judged, number):
    fault = FAULTS[number][1]
    assert judged[number] == (fault, fault is None)


def test_the_newest_version_of_a_condition_counts(engine, read, lists):
    old = condition("c1", (ICD10, "E11.9"), meta={"versionId": "9"})
    new = condition("c1", (ICD10, "I11.0"), meta={"versionId": "10"})
    rows = engine.records(conditions.conditions(conditions.problems(read("Condition", [new, old])), lists))
    assert sorted(row["disease"] for row in rows) == ["chf", "hypertension"]
