"""The papers of beneficiaries on a real FHIR server: one person by id, a batch by a Patient search."""

from __future__ import annotations

from datetime import date

from adapter.config import Config
from adapter.jobs import papers
from adapter.jobs.papers import Printing
from tests.unit.documents.conftest import EXAMPLES, text_of
from tests.unit.jobs.test_papers import enrolled, person, reviewed

CONFIG = Config()


def load(url, prefix):
    """Two enrolled persons, the first one reviewed, whose last name tells them from all others of the server."""
    one, other = f"{prefix}-1", f"{prefix}-2"
    doctor = {"resourceType": "Practitioner", "id": "d1", "name": [{"family": "Lee", "given": ["Sue"]}]}
    people = [person(one, prefix), person(other, prefix, "es")]
    with CONFIG.client(url) as client:
        results = client.put_batch([doctor, *people])
        statements_first = sorted(reviewed(one), key=lambda resource: resource["resourceType"] != "MedicationStatement")
        results += client.put_batch(
            [*map(enrolled, (one, other)), *statements_first]
        )  # HAPI looks for what a List points at
    assert [result.sentence for result in results if not result.ok] == []
    return one, other


def made_from(url, prefix, tmp_path):
    one, other = load(url, prefix)
    printing = Printing("summary", EXAMPLES / "plan.toml", tmp_path, date(2026, 3, 11), sites=EXAMPLES / "sites.csv")
    [path] = papers.from_source(printing, url, CONFIG, one).made
    text = text_of(path.read_bytes())
    assert [word for word in (f"Ann {prefix}", "Sue Lee", f"warfarin of {one}", "Penicillin") if word not in text] == []
    printed = papers.batch(printing, url, CONFIG, patients=f"family={prefix}")
    assert [kept.name for kept in printed.kept] == [path.name]
    assert [refused.beneficiary for refused in printed.refused] == [other]


def test_papers_from_sekmet(sekmet_server, tmp_path):
    made_from(sekmet_server, "papersone", tmp_path)


def test_papers_from_hapi(hapi_server, tmp_path):
    made_from(hapi_server, "paperstwo", tmp_path)
