"""layout by the command line: the list, one layout in full, and the faults of one that a plan corrects."""

from __future__ import annotations

import json

from tests.unit.cli.running import run


def test_the_list_names_year_length_and_standing():
    ran = run("layout", "list")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0].split() == ["name", "year", "bytes", "standing", "title"]
    assert [line.split()[:4] for line in lines[1:]] == [
        [f"cms-mtm-{year}", str(year), "165", "U"] for year in range(2022, 2027)
    ]
    assert [row["name"] for row in json.loads(run("layout", "list", "--json").out)] == [
        f"cms-mtm-{y}" for y in range(2022, 2027)
    ]


def test_show_tells_every_element_with_its_standing_and_codes():
    ran = run("layout", "show", "cms-mtm-2025")
    assert ran.code == 0
    assert "  S   144-145   code     Delivery method of the initial CMR (cmr_method) [U/U]" in ran.out
    assert "        02 telephone" in ran.out and "  line end: \\r\\n [U] (CR LF is usual" in ran.out
    assert "required: cmr_received == Y; only: cmr_received == Y" in ran.out
    assert "compare the layout cms-mtm-2025 with the HPMS memo of 2025" in ran.out
    told = json.loads(run("layout", "show", "cms-mtm-2025", "--json").out)
    assert len(told["fields"]) == 26 and told["reporting_year"] == 2025


def test_a_plan_corrects_a_layout_by_data_only(tmp_path):
    own = tmp_path / "own.toml"
    own.write_text(
        'extends = "cms-mtm-2025"\n[file]\nkind = { value = "delimited", standing = "V" }\n'
        'header = { value = "names", standing = "V" }\n[[fields]]\nname = "safe_disposal"\nstanding = "V"\n'
        'position_standing = "V"\n',
        encoding="utf-8",
    )
    ran = run("layout", "check", own)
    assert (ran.code, ran.out.splitlines()[0]) == (0, "own: 26 elements, no fault")
    assert "Unverified: meaning or codes of the elements S, T\n" in ran.out
    shown = run("layout", "show", own).out
    assert "column 26" in shown and "delimiter: | [U]" in shown and "contract year 2025, delimited" in shown


def test_check_tells_every_fault(tmp_path):
    own = tmp_path / "own.toml"
    own.write_text(
        'extends = "cms-mtm-2025"\nrecord_length = 170\n[[fields]]\nname = "mbi"\nlength = 13\n', encoding="utf-8"
    )
    ran = run("layout", "check", own)
    assert (ran.code, ran.out.splitlines()) == (
        3,
        [
            "own.toml: record_length: 170 bytes, but the last field ends at 165; correct one of them",
            "own.toml: fields.mbi: positions 6 to 17 are not 13 bytes; correct start, end or length",
            "2 faults",
        ],
    )
    assert run("layout", "show", "cms-mtm-2019").code == 3
