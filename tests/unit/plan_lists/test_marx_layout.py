"""The layout of the DTRR as data: as shipped, and each fault of a file of one's own."""

import pytest

from adapter.errors import MappingError
from adapter.mappings.folder import mappings_folder
from adapter.plan_lists.marx_layout import FILE, USED, load_marx_layout, marx_layout_faults
from tests.data.marx.records import POSITIONS

SHIPPED = (mappings_folder() / FILE).read_text(encoding="utf-8")
NAMES = {
    "reply": "reply_code", "transaction": "transaction_code", "effective": "effective_date", "known": "transaction_date",
    "pos": "pos_edit", "drug": "drug_class", "notified": "notification_start", "notified_to": "notification_end",
    "starts": "implementation_start", "ends": "implementation_end", "prescriber": "prescriber_limit", "pharmacy": "pharmacy_limit",
}  # fmt: skip


def test_the_shipped_layout_has_the_positions_of_the_reference():
    layout = load_marx_layout()
    assert {
        name: (layout.field(NAMES.get(name, name)).start, layout.field(NAMES.get(name, name)).end) for name in POSITIONS
    } == POSITIONS
    assert layout.record_length == 800
    assert set(USED) <= {field.name for field in layout.fields}
    assert {field.standing for field in layout.fields} <= {"P", "P+"}


FAULTS = {
    "unknown key": ('title = "MARx', 'titel = "x"\ntitle = "MARx', "titel"),
    "unknown key of a field": ("start = 394", "begin = 1\nstart = 394", "begin"),
    "not TOML": ("[codes]", "[codes", "not valid TOML"),
    "a field missing": ('name = "flag"', 'name = "flags"', "marx/dtrr.toml: fields.flag: the field is needed and missing"),
    "a field twice": ('name = "pbp"', 'name = "flag"', "the name stands twice"),
    "a wrong type": ('type = "mbi"', 'type = "text"', "fields.mbi: the type must be mbi, not text"),
    "a wrong width": ("start = 410\nend = 417", "start = 410\nend = 416", "fields.implementation_start: positions 410 to 416 do not fit"),
    "an overlap": ("start = 395\nend = 395", "start = 394\nend = 394", "it overlaps the field before it"),
    "beyond the record": ("record_length = 800", "record_length = 500", "it ends after the 500 bytes"),
    "no record": ("record_length = 800", "record_length = 0", "record_length: a record has at least one byte"),
    "no year": ("open_years = 1", "open_years = 0", "open_years: a limitation without an end"),
    "a code of another width": ('values = ["724"]', 'values = ["72"]', "codes.deleted: '72' does not fill the field reply_code"),
    "no code": ('values = ["724"]', "values = []", "codes.deleted: '' does not fill"),
    "a code of two meanings": ('values = ["724"]', 'values = ["723"]', "'723' stands in two of accepted, deleted, refused"),
    "a notice that is not accepted": ('values = ["376"]', 'values = ["300"]', "codes.new_plan"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "told"), FAULTS.values(), ids=FAULTS)
def test_a_layout_with_a_fault_is_refused_by_file_and_key(tmp_path, old, new, told):
    assert old in SHIPPED
    (tmp_path / FILE).parent.mkdir(parents=True)
    (tmp_path / FILE).write_text(SHIPPED.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(MappingError, match=r"marx/dtrr\.toml") as error:
        load_marx_layout(tmp_path)
    assert told in str(error.value)
    assert marx_layout_faults(tmp_path) == error.value.faults


def test_a_missing_layout_is_told(tmp_path):
    with pytest.raises(MappingError, match="there is no such file"):
        load_marx_layout(tmp_path)
    assert marx_layout_faults(tmp_path) == []


def test_the_shipped_layout_has_no_fault():
    assert marx_layout_faults(mappings_folder()) == []
