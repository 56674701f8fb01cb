"""The worklist as a job: what is shown in which order, what is told beside it, and the file of it."""

from __future__ import annotations

import csv
import json
from datetime import date

import pytest

from adapter.config import Config
from adapter.errors import ConfigError, MappingError
from adapter.jobs.worklist import Asking, account, worklist, write_csv
from adapter.resources.service_events import Service, service_event
from tests.unit.tables.samples import coverage, patient

OWN = "https://w3id.org/mtm-adapter/fhir/"
AS_OF = date(2023, 6, 1)


def care_plan(person, start, contract="H1234", year=2023):
    parts = [{"url": "contract", "valueString": contract}, {"url": "planYear", "valueInteger": year}]
    return {
        "resourceType": "CarePlan",
        "id": f"e-{person}",
        "status": "active",
        "subject": {"reference": f"Patient/{person}"},
        "period": {"start": start, "end": f"{year}-12-31"},
        "extension": [{"url": OWN + "StructureDefinition/mtm-enrollment", "extension": parts}],
    }


def service(kind, person, on, **more):
    return service_event(Service(kind, person, "H1234", 2023, f"CarePlan/e-{person}", date.fromisoformat(on), **more))


PEOPLE = (
    patient("a"), patient("b"), patient("c", deceasedDateTime="2023-05-14"),
    coverage("va", beneficiary={"reference": "Patient/a"}),
    care_plan("a", "2023-02-10"), care_plan("b", "2023-05-20", "H9999"), care_plan("c", "2023-05-01"),
    service("invitation", "a", "2023-02-15", method="mail"),
)  # fmt: skip


@pytest.fixture
def listed(tmp_path, pool):
    def of(*resources, **asking):
        folder = tmp_path / "source"
        folder.mkdir(exist_ok=True)
        for one in resources:
            with (folder / f"{one['resourceType']}.ndjson").open("a", encoding="utf-8") as file:
                file.write(json.dumps(one) + "\n")
        return worklist(Asking(str(folder), **({"as_of": AS_OF} | asking)), Config(), pool)

    return of


def test_overdue_due_and_done_by_deadline(listed):
    made = listed(*PEOPLE)
    assert {row["status"] for row in made.duties} == {"overdue", "due", "done"}
    deadlines = [row["deadline"] for row in made.duties]
    assert deadlines == sorted(deadlines)
    assert sum(made.counts.values()) > len(made.duties) == sum(made.counts[name] for name in ("overdue", "due", "done"))
    done = [(row["beneficiary"], row["duty"]) for row in made.duties if row["status"] == "done"]
    assert done == [("a", "invitation")]


def test_everything_on_request(listed):
    made = listed(*PEOPLE, everything=True)
    assert len(made.duties) == sum(made.counts.values())
    assert made.duties[-1]["deadline"] is None  # those without a deadline come last


def test_one_contract_only(listed):
    assert {row["beneficiary"] for row in listed(*PEOPLE, contract="H9999").duties} == {"b"}


def test_the_same_day_gives_the_same_list(listed):
    first = listed(*PEOPLE)
    assert [dict(row) for row in listed().duties] == [dict(row) for row in first.duties]


def test_a_death_is_proposed(listed):
    [row] = listed(*PEOPLE).proposed
    assert (row["beneficiary"], row["reason"], row["on_day"]) == ("c", "01", date(2023, 5, 14))


def test_what_cannot_be_counted_is_told(listed):
    undated = service("tmr", "a", "2023-03-01") | {"performedDateTime": "2023-03"}
    partial = care_plan("d", "2023-03")
    made = listed(*PEOPLE, undated, partial, patient("d"))
    assert [notice.partition(",")[0] for notice in made.notices] == [
        "1 enrollments have no full first day",
        "1 services have no full date and are not counted; correct their Procedure or Communication",
    ]


def test_nobody_enrolled_is_told(listed):
    made = listed(patient("a"))
    assert (list(made.duties), made.notices[0].partition(";")[0]) == ([], "nobody is enrolled in plan year 2023")


def test_what_is_refused_is_told(listed):
    made = listed(*PEOPLE, service("tmr", "a", "2023-03-01") | {"performedDateTime": "2023-02-30"})
    assert [one.reason for one in made.rejected] == ["performedDateTime is no date of the calendar"]


def test_a_contract_or_program_that_there_is_none_of(listed):
    with pytest.raises(ConfigError, match="12 is no CMS contract number"):
        listed(*PEOPLE, contract="12")
    with pytest.raises(MappingError):
        listed(program="nobody")


def test_as_plain_values(listed):
    told = json.loads(json.dumps(account(listed(*PEOPLE))))
    assert (told["as_of"], told["program"]["plan_year"], told["contract"]) == ("2023-06-01", 2023, None)
    assert told["duties"][0]["deadline"] == "2023-02-24"
    assert told["proposed_opt_outs"][0]["on_day"] == "2023-05-14"


def test_as_a_file(listed, tmp_path):
    made = listed(*PEOPLE)
    write_csv(made, tmp_path / "list.csv")
    with (tmp_path / "list.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(made.duties) + 1
    assert (rows[0]["duty"], rows[0]["status"]) == ("invitation", "done")
    assert {name: rows[-1][name] for name in ("beneficiary", "duty", "status", "deadline", "about")} == {
        "beneficiary": "c", "duty": "opt_out", "status": "proposed", "deadline": "2023-05-14", "about": "Patient/c",
    }  # fmt: skip
