"""Each cell of the file with its resources and its rule."""

import msgspec
import pyarrow as pa
import pytest

from adapter.errors import ReportError
from adapter.reporting import lineage
from adapter.reporting.form import Field
from adapter.reporting.lineage import cells
from adapter.reporting.rules import RULES

COLUMNS = (
    "patient", "enrollments", "last", "offer", "cmr", "summary", "impaired", "tmrs", "recommended", "resolved", "disposals",
)  # fmt: skip
FULL = {name: f"X/{name}" for name in COLUMNS} | {"tmrs": "X/t1;X/t2"}
BARE = dict.fromkeys(COLUMNS) | {"patient": "X/patient", "enrollments": "X/enrollments", "last": "X/last"}


def told(rows, layout, turned=False):
    """The cells of rows of evidence, given as two tables; turned is whether these have another order than the file."""
    order = pa.array([str(number) for number in range(len(rows))], pa.string())
    named = [{"beneficiary": str(number), **row} for number, row in enumerate(rows)]
    some = [{k: v for k, v in row.items() if k in ("beneficiary", "tmrs", "disposals")} for row in named if row["tmrs"]]
    parts = []
    for made in ([{k: v for k, v in row.items() if k not in ("tmrs", "disposals")} for row in named], some):
        names = ["beneficiary", *(name for name in COLUMNS if (name in ("tmrs", "disposals")) == (made is some))]
        schema = pa.schema([(name, pa.string()) for name in names])
        parts.append(pa.Table.from_pylist(made[::-1] if turned else made, schema))
    return [table.to_pylist() for table in cells(order, parts, layout)]


def flat(*arguments, **keys):
    return [one for table in told(*arguments, **keys) for one in table]


def test_row_by_row_and_element_by_element(layout):
    found = flat([FULL, BARE], layout)
    assert [(one["row"], one["element"]) for one in found] == [
        (row, f.element) for row in (1, 2) for f in layout.fields
    ]
    assert all(
        one["rule"] == RULES[one["field"]].text and one["standing"] == RULES[one["field"]].standing for one in found
    )


def test_the_resources_of_each_cell(layout):
    first = {one["field"]: one["resources"] for one in flat([FULL], layout)}
    assert first["mbi"] == "X/patient" and first["enrolled_on"] == "X/enrollments" and first["opted_out_on"] == "X/last"
    assert (
        first["cmr_received"] == "X/cmr;X/summary"
        and first["cmr_method"] == "X/cmr"
        and first["cmr_offered"] == "X/offer"
    )
    assert first["cognitively_impaired"] == "X/impaired" and first["tmr_count"] == "X/t1;X/t2"
    assert first["recommendations"] == "X/recommended" and first["therapy_changes"] == "X/resolved"
    assert first["safe_disposal"] == "X/disposals" and first["cmr_summary_sent_on"] == "X/summary"


def test_what_nothing_was_found_for_rests_on_the_enrollment(layout):
    found = {one["field"]: one["resources"] for one in flat([BARE], layout)}
    assert {found[name] for name in ("cmr_received", "tmr_count", "safe_disposal", "cognitively_impaired")} == {
        "X/enrollments"
    }
    offered = {one["field"]: one["resources"] for one in flat([BARE | {"offer": "X/offer"}], layout)}
    assert offered["cognitively_impaired"] == "X/offer" and offered["cmr_received"] == "X/enrollments"


def test_the_rows_are_those_of_the_file_whatever_the_order_of_the_parts(layout, monkeypatch):
    monkeypatch.setattr(lineage, "ROWS_AT_ONCE", 3)
    rows = [FULL | {"patient": f"X/{number}"} for number in range(7)]
    found = told(rows, layout, turned=True)
    assert [len(table) // len(layout.fields) for table in found] == [3, 3, 1]
    assert found == told(rows, layout)
    assert [one["resources"] for table in found for one in table if one["field"] == "mbi"] == [
        f"X/{n}" for n in range(7)
    ]
    assert [one["row"] for table in found for one in table if one["field"] == "mbi"] == list(range(1, 8))


def test_nobody_gives_no_cell(layout):
    assert told([], layout) == []


def test_a_field_that_no_rule_fills_is_refused(layout):
    other = msgspec.structs.replace(layout.field("mbi"), name="spouse")
    assert isinstance(other, Field)
    with pytest.raises(ReportError, match="has the field 'spouse', which no rule fills; give it the type filler"):
        told([FULL], msgspec.structs.replace(layout, fields=[other]))


def test_every_rule_has_a_citation_and_evidence_that_is_there():
    assert all(rule.text and rule.citation and set(rule.evidence) <= set(COLUMNS) for rule in RULES.values())
