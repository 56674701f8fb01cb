"""report by the command line: the file and what lies beside it, or its faults told and no file."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from xml.etree import ElementTree

import pyarrow.parquet
import pytest

from tests.unit.cli.running import run

GOLDEN = Path(__file__).parents[2] / "golden" / "report"
VIEWPORT = '<meta name="viewport" content="width=device-width, initial-scale=1">'
BESIDE = ("findings.csv", "rejected.csv", "summary.html", "lineage.parquet", "manifest.json")
NAMES = ("Díaz", "Núñez", "Brendan", "1EG4", "1950-01-02")


@pytest.fixture
def report(tmp_path):
    def of(source, *more):
        return run("report", source, "--contract", "H1234", "--year", "2023", "--out", tmp_path / "out", *more)

    return of


def test_the_file_is_made_and_its_warnings_are_told(report, tmp_path):
    ran = report(GOLDEN)
    made = tmp_path / "out" / "MTM_H1234_2023.txt"
    assert ran.code == 0
    assert ran.out == f"{made}: 6 beneficiaries of H1234 in 2023\nBeside it: {', '.join(BESIDE)}\n"
    assert made.read_bytes() == (GOLDEN / made.name).read_bytes()
    assert ran.err.count("warning: ") + ran.err.count("notice: ") == len(ran.err.splitlines())
    assert not [name for name in NAMES if name in ran.err]
    assert {path.name for path in made.parent.iterdir()} == {made.name, *BESIDE}


@pytest.fixture
def faulty(tmp_path):
    """The enrollments of the golden case, each person with a birth date that is not whole, and twice over the first 20."""
    folder = tmp_path / "faulty"
    folder.mkdir()
    plans = [json.loads(line) for line in (GOLDEN / "CarePlan.ndjson").read_bytes().splitlines()]
    people = [json.loads(line) for line in (GOLDEN / "Patient.ndjson").read_bytes().splitlines()]
    plan, person = next(one for one in plans if one["subject"]["reference"] == "Patient/ana"), people[0]
    for n in range(25):
        mbi = [{"system": "http://hl7.org/fhir/sid/us-mbi", "value": f"1EG4TE5MK{n + 10}"}]
        own = [person | {"id": f"a{n}", "birthDate": "1950", "identifier": mbi}]
        own.append(plan | {"id": f"mtm-{n}", "subject": {"reference": f"Patient/a{n}"}})
        for one in own:
            with (folder / f"{one['resourceType']}.ndjson").open("a", encoding="utf-8") as file:
                file.write(json.dumps(one) + "\n")
    return folder


def test_errors_are_told_and_no_file_is_made(report, faulty, tmp_path):
    ran = report(faulty)
    assert (ran.code, ran.out) == (7, "")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["findings.csv"]
    with (tmp_path / "out" / "findings.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum(row["severity"] == "error" for row in rows) == 25
    lines = ran.err.splitlines()
    assert lines[-2] == f"... and {len(rows) - 20} more findings, all in findings.csv"
    assert lines[-1].startswith("mtm-adapter: ")
    assert not [name for name in NAMES if name in ran.err]


def test_errors_can_be_allowed(report, faulty, tmp_path):
    ran = report(faulty, "--allow-errors")
    assert (ran.code, ran.out.partition(":")[0]) == (0, str(tmp_path / "out" / "MTM_H1234_2023.txt"))


def test_nobody_enrolled_is_told(report, tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    (folder / "Patient.ndjson").write_bytes((GOLDEN / "Patient.ndjson").read_bytes())
    ran = report(folder)
    assert (ran.code, ran.out.splitlines()[0].partition(": ")[2]) == (0, "0 beneficiaries of H1234 in 2023")
    assert "warning: nobody was enrolled in H1234 in 2023: the file is empty; check the contract" in ran.err


def test_report_make_is_report(report, tmp_path):
    ran = run("report", "make", GOLDEN, "--contract", "H1234", "--year", "2023", "--out", tmp_path / "made")
    assert ran.code == 0
    assert report(GOLDEN).code == 0
    for path in (tmp_path / "made").iterdir():
        assert path.read_bytes() == (tmp_path / "out" / path.name).read_bytes(), path.name


def test_options_may_stand_before_the_source(tmp_path):
    ran = run("report", "--contract", "H1234", "--year", "2023", GOLDEN, "--out", tmp_path)
    assert (ran.code, (tmp_path / "MTM_H1234_2023.txt").is_file()) == (0, True)


def test_help_names_the_subcommands():
    ran = run("report", "--help")
    assert ran.code == 0
    assert [name for name in ("make", "read", "check", "diff", "explain") if f"  {name} " in ran.out] == [
        "make", "read", "check", "diff", "explain",
    ]  # fmt: skip


@pytest.fixture
def made(report, tmp_path):
    assert report(GOLDEN).code == 0
    return tmp_path / "out" / "MTM_H1234_2023.txt"


def test_the_manifest_tells_the_hashes_of_inputs_mappings_and_outputs(made):
    told = json.loads((made.parent / "manifest.json").read_bytes())
    assert set(told["inputs"]) == {f"{kind}.ndjson" for kind in ("CarePlan", "Communication", "Patient", "Procedure")}
    assert set(told["mappings"]) == {
        "layouts/cms-mtm-2023.toml", "programs/health-partners-2023.toml", "reporting/edits.toml", "reporting/national.toml",
    }  # fmt: skip
    for name, digest in told["outputs"].items():
        assert hashlib.sha256((made.parent / name).read_bytes()).hexdigest() == digest
    assert set(told["outputs"]) == {made.name, *BESIDE} - {"manifest.json"}


def test_two_runs_give_the_same_bytes(report, made):
    before = {path.name: path.read_bytes() for path in made.parent.iterdir()}
    assert report(GOLDEN).code == 0
    assert {path.name: path.read_bytes() for path in made.parent.iterdir()} == before


def test_without_lineage_none_of_an_earlier_file_stays(report, made):
    assert report(GOLDEN, "--no-lineage").code == 0
    assert not (made.parent / "lineage.parquet").exists()
    assert "lineage.parquet" not in json.loads((made.parent / "manifest.json").read_bytes())["outputs"]
    assert "there is no lineage.parquet beside MTM_H1234_2023.txt" in run("report", "explain", made, "1").sentence


def test_the_summary_loads_nothing_and_names_nobody(made):
    page = (made.parent / "summary.html").read_text(encoding="utf-8")
    root = ElementTree.fromstring(
        page.removeprefix("<!DOCTYPE html>\n").replace('<meta charset="utf-8">', "").replace(VIEWPORT, "")
    )
    assert root.get("lang") == "en"
    tags = [element.tag.rpartition("}")[2] for element in root.iter()]
    assert tags.count("h1") == tags.count("svg") == 1 and not {"script", "link", "img", "iframe"} & set(tags)
    addresses = [value for element in root.iter() for name, value in element.attrib.items() if name in ("src", "href")]
    assert addresses == [] and "url(" not in page and "@import" not in page
    for table in root.iter("table"):
        assert table.find("caption") is not None
        assert all(cell.get("scope") for cell in table.iter("th"))
    assert not [name for name in ("Nunez", "Núñez", "Brendan", "1EG4TE5MK73", "1950-01-02") if name in page]
    assert (
        "96.5 % in 2014" in page and "Pestka" in page and "received 2, offered, not received 2, not offered 2" in page
    )


def test_read_gives_a_row_for_each_beneficiary(made, tmp_path):
    ran = run("report", "read", made)
    rows = list(csv.DictReader(ran.out.splitlines()))
    assert (ran.code, len(rows), rows[0]["mbi"], rows[0]["tmr_count"]) == (0, 6, "1EG4TE5MK73", "002")
    for name in ("rows.csv", "rows.parquet"):
        ran = run("report", "read", made, "--out", tmp_path / name)
        assert ran.out == f"{tmp_path / name}: 6 rows of MTM_H1234_2023.txt, read by cms-mtm-2023\n"
    assert (tmp_path / "rows.csv").read_text(encoding="utf-8").splitlines() == run(
        "report", "read", made
    ).out.splitlines()
    table = pyarrow.parquet.read_table(tmp_path / "rows.parquet").to_pylist()
    assert [{name: value or "" for name, value in row.items()} for row in table] == rows


def changed(made, tmp_path, *changes):
    """A copy of the file with other bytes at places of the first rows: (row, first byte, text)."""
    lines = made.read_text().splitlines()
    for row, start, text in changes:
        line = lines[row - 1]
        lines[row - 1] = line[: start - 1] + text + line[start - 1 + len(text) :]
    copy = tmp_path / "changed.txt"
    copy.write_bytes("".join(f"{line}\r\n" for line in lines).encode())
    return copy


def test_check_finds_what_is_wrong_with_the_file_of_others(made, tmp_path):
    good = run("report", "check", made)
    assert good.code == 0
    assert good.out == "MTM_H1234_2023.txt: 6 rows, read by cms-mtm-2023\n2 findings, 0 of them errors\n"
    bad = changed(made, tmp_path, (1, 128, "20240230"), (2, 6, "0"))
    ran = run("report", "check", bad, "--out", tmp_path / "found")
    assert ran.code == 7 and "4 findings, 2 of them errors" in ran.out
    assert "error: row 1, element Q: Date of the first CMR is not a day as YYYYMMDD" in ran.err
    with (tmp_path / "found" / "findings.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["severity"] == "error"]
    assert [(row["edit"], row["row"], row["value"]) for row in rows] == [
        ("bad_date", "1", "20240230"),
        ("bad_mbi", "2", ""),
    ]
    told = json.loads(run("report", "check", bad, "--json").out)
    assert [(one["edit"], one["row"]) for one in told if one["severity"] == "error"] == [
        ("bad_date", 1),
        ("bad_mbi", 2),
    ]


def test_check_against_the_count_of_the_plan_and_last_year(made, tmp_path):
    assert run("report", "check", made, "--enrolled", "6").code == 0
    ran = run("report", "check", made, "--enrolled", "7")
    assert ran.code == 7 and "the file has 6 rows, and 7 beneficiaries were enrolled" in ran.err
    last = tmp_path / "last.txt"
    last.write_bytes(made.read_bytes().replace(b"2023", b"2022").replace(b"19500102", b"19500103"))
    ran = run("report", "check", made, "--last-year", last)
    assert (
        "warning: row 1, element E: the birth date is another one than in the file of 2022 under the same MBI"
        in ran.err
    )


def test_diff_names_rows_and_elements_and_nobody(made, tmp_path):
    assert run("report", "diff", made, made).out == "0 differences\n"
    other = changed(made, tmp_path, (1, 144, "01"), (2, 18, "Brenda "), (6, 6, "9"))
    ran = run("report", "diff", made, other, "--out", tmp_path / "diff.csv")
    assert ran.out.splitlines() == [
        "row 1 and 1, element S (cmr_method): 02 -> 01",
        "row 2 and 2, element C (first_name): differs",
        "row 6 of the first file: not in the second",
        "row 6 of the second file: not in the first",
        "4 differences",
    ]
    with (tmp_path / "diff.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert (rows[1]["mbi"], rows[1]["before"], rows[1]["after"]) == ("2EG4TE5MK74", "Brendan", "Brenda")
    assert len(json.loads(run("report", "diff", made, other, "--json").out)) == 4


def test_explain_tells_the_resources_of_each_cell(made):
    ran = run("report", "explain", made, "1", "--json")
    cells = {cell["element"]: cell for cell in json.loads(ran.out)}
    assert len(cells) == 26 and cells["B"]["value"] is None
    assert cells["A"]["resources"] == ["CarePlan/mtm-00000000000000000000000000000001/_history/4"]
    assert cells["C"]["resources"] == ["Patient/ana"]
    assert [resource.partition("/")[0] for resource in cells["P"]["resources"]] == ["Procedure", "Communication"]
    assert len(cells["V"]["resources"]) == 2 and all("/_history/" in one for one in cells["V"]["resources"])
    text = run("report", "explain", made, "2")
    assert "V  Number of TMRs: 001\n     the number of distinct dates of TMRs" in text.out
    assert not [name for name in ("Brendan", "2EG4TE5MK74", "19481130") if name in text.out + text.err]
    assert "B  MBI: 2EG4TE5MK74" in run("report", "explain", made, "2", "--identify").out


def test_a_layout_of_the_plan_is_followed_everywhere(tmp_path):
    own = tmp_path / "own.toml"
    own.write_text(
        """extends = "cms-mtm-2023"
[[fields]]
name = "safe_disposal"
type = "code"
values = { "1" = "yes", "2" = "no" }
write = { Y = "1", N = "2" }
[[fields]]
name = "cmr_offered"
type = "code"
values = { "1" = "yes", "2" = "no" }
write = { Y = "1", N = "2" }
[[fields]]
name = "cmr_offered_on"
required_when = "cmr_offered == 1"
only_when = "cmr_offered == 1"
[[fields]]
name = "cmr_offer_recipient"
required_when = "cmr_offered == 1"
only_when = "cmr_offered == 1"
"""
    )
    ran = run("report", GOLDEN, "--contract", "H1234", "--year", "2023", "--out", tmp_path / "out", "--layout", own)
    assert ran.code == 0
    file = tmp_path / "out" / "MTM_H1234_2023.txt"
    assert [line[115] + line[164] for line in file.read_text().split("\n")[:-1]] == ["11", "11", "12", "22", "22", "12"]
    page = (tmp_path / "out" / "summary.html").read_text()
    assert "received 2, offered, not received 2, not offered 2" in page
    assert '<th scope="row">Information on safe disposal</th><td class="n">2</td>' in page
    assert "give that file with --layout" in run("report", "explain", file, "1").sentence
    assert "M  Offered the annual CMR: 1" in run("report", "explain", file, "1", "--layout", own).out
    bad = file.read_bytes().split(b"\r\n")
    bad[1] = bad[1][:115] + b"2" + b" " * 10 + bad[1][126:]
    file.write_bytes(b"\r\n".join(bad))
    told = json.loads(run("report", "check", file, "--layout", own, "--json").out)
    assert [(one["edit"], one["row"]) for one in told if one["severity"] == "error"] == [("received_not_offered", 2)]


def test_explain_refuses_a_row_or_a_file_that_is_not_there(made):
    assert (
        run("report", "explain", made, "7").sentence == "MTM_H1234_2023.txt has 6 rows and no row 7; give one of them"
    )
    made.write_bytes(made.read_bytes().replace(b"Ana", b"Ann"))
    assert "is not the file that the lineage.parquet beside it is of" in run("report", "explain", made, "1").sentence
    assert "is not there with its manifest.json" in run("report", "explain", made.parent / "none.txt", "1").sentence


@pytest.mark.parametrize("command", ["read", "check"])
def test_what_is_no_file_of_a_contract_is_refused(tmp_path, command):
    assert "cannot be read" in run("report", command, tmp_path / "none.txt").sentence
    (tmp_path / "strange.txt").write_text("strange")
    ran = run("report", command, tmp_path / "strange.txt")
    assert (ran.code, ran.sentence.partition(":")[0]) == (7, "strange.txt fits none of the layouts")


def test_a_file_that_several_layouts_can_read_needs_one(made, tmp_path):
    dateless = changed(made, tmp_path, *((row, 90, " " * 8) for row in range(1, 7)))
    assert "can be read by several layouts (cms-mtm-2022, " in run("report", "read", dateless).sentence
    (tmp_path / "empty.txt").write_bytes(b"")
    assert "empty.txt is empty and nothing tells its year" in run("report", "read", tmp_path / "empty.txt").sentence
    assert run("report", "read", tmp_path / "empty.txt", "--layout", "cms-mtm-2025").code == 0
    empty = tmp_path / "MTM_H1234_2024.txt"
    empty.write_bytes(b"")
    ran = run("report", "check", empty)
    assert ran.out.startswith("MTM_H1234_2024.txt: 0 rows, read by cms-mtm-2024\n")
    assert "nobody was enrolled in H1234 in 2024: the file is empty" in ran.err


def test_check_tells_every_fault_of_form_and_goes_on(made, tmp_path):
    lines = made.read_bytes().split(b"\r\n")[:-1]
    lines[1], lines[3] = lines[1][:-1], lines[3] + b"x"
    lines[4] = lines[4].replace(b"20230930", b"20230931", 1)
    other = tmp_path / "MTM_H9999_2023.txt"
    other.write_bytes(b"\n".join(lines))
    ran = run("report", "check", other, "--json")
    found = [(one["edit"], one["row"]) for one in json.loads(ran.out) if one["severity"] != "notice"]
    assert ran.code == 7 and found[:2] == [("bad_line_end", None)] * 2
    assert {("bad_line_length", 2), ("missing", 2), ("bad_line_length", 4), ("bad_date", 5)} < set(found)
    assert {("contract_differs", row) for row in range(1, 7)} < set(found)
    assert "the last line of the file does not end with" in run("report", "read", other).sentence


def test_a_plan_may_change_the_severity_of_an_edit(report, faulty, tmp_path):
    own = tmp_path / "own.toml"
    own.write_text('extends = "edits"\n[edits.missing]\nseverity = "warning"\n', encoding="utf-8")
    assert report(faulty, "--edits", own).code == 0
    own.write_text('extends = "edits"\n[edits.mising]\nseverity = "warning"\n', encoding="utf-8")
    ran = report(faulty, "--edits", own)
    assert ran.code == 3 and "no rule is called so; correct its name" in ran.err
