"""Every edit, its fault planted once in good rows: found by the edit that should find it, and by no other."""

from datetime import date

import msgspec
import pyarrow as pa
import pytest

from adapter.reporting.checks import EDITS, check
from adapter.reporting.deviations import EDITS as FORM_EDITS
from adapter.reporting.edits import load_edits
from adapter.reporting.file import as_table, texts
from adapter.reporting.finding import ORDER
from adapter.reporting.national import National
from adapter.reporting.sheet import Sheet

from .conftest import LISTS
from .planted import BARE

EDIT_LIST = load_edits("edits", LISTS, EDITS)


def day(text):
    return date(2023, int(text[:2]), int(text[2:]))


def cell(value):
    """A fact as text, so that a faulty one may stand in the same column."""
    return value.strftime("%Y%m%d") if isinstance(value, date) else value if value is None else str(value)


def sheet_of(layout, rows, year=2023, edits=EDIT_LIST):
    names = [field.name for field in layout.fields]
    table = as_table([{name: cell(row.get(name)) for name in names} for row in rows], layout)
    table = table.append_column("beneficiary", pa.array([row.get("beneficiary") for row in rows], pa.string()))
    return Sheet(texts(table, layout), layout, year, edits, table)


@pytest.fixture
def found(layout):
    def run(*rows, layout=layout, edits=EDIT_LIST, **more):
        return check(sheet_of(layout, rows, edits=edits), **more)

    return run


@pytest.fixture
def others(good_row):
    """Two good rows of other persons."""
    return [
        good_row | {"beneficiary": "x", "mbi": "2EG4TE5MK74", "last_name": "Roe"},
        good_row | BARE | {"beneficiary": "y", "mbi": "3EG4TE5MK75", "last_name": "Poe"},
    ]


def test_good_rows_have_no_finding(found, good_row, others):
    assert found(*others, good_row) == ()


OUT = {"opted_out_on": day("0601"), "opt_out_reason": "03"}
UNTOLD = {"cmr_offered_on": None, "cmr_offer_recipient": None}
NOT_RECEIVED = {
    "cmr_received": "N", "cmr_on": None, "cmr_summary_sent_on": None, "cmr_method": None, "cmr_provider": None,
    "cmr_recipient": None, "ltc_facility": "U",
}  # fmt: skip
# (edit, element, what is planted), and other edits that must find the same fault because it breaks them too
PLANTED = [
    ("missing", "B", {"mbi": None}),
    ("missing", "B", {"mbi": " "}),
    ("bad_mbi", "B", {"mbi": "123456789A"}),  # a HICN
    ("bad_mbi", "B", {"mbi": "1SG4TE5MK73"}),  # S is never a letter of an MBI
    ("bad_mbi", "B", {"mbi": "0EG4TE5MK73"}),
    ("bad_mbi", "B", {"mbi": "1EG4TE5MK731"}),
    ("bad_contract", "A", {"contract_number": "1234"}, {"contract_differs"}),
    ("contract_differs", "A", {"contract_number": "H9999"}),
    ("single_name", "C", {"first_name": None}),
    ("name_respelled", "C", {"first_name": "José"}),
    ("name_unwritable", "C", {"first_name": "李"}),
    ("missing", "D", {"last_name": None}),
    ("name_cut", "D", {"last_name": "x" * 31}),
    ("name_cut", "D", {"last_name": "ß" * 16}, {"name_respelled"}),
    ("missing", "E", {"birth_date": None}),
    ("bad_date", "E", {"birth_date": "19500230"}),
    ("born_after_enrollment", "E", {"birth_date": day("0202")}),
    ("age_unlikely", "E", {"birth_date": date(1907, 12, 31)}),
    ("missing", "F", {"met_criteria": None, "criteria_met_on": None}),
    ("bad_code", "F", {"met_criteria": "05", "criteria_met_on": None}),
    ("not_allowed", "J", {"met_criteria": "04"}),
    ("missing", "J", {"criteria_met_on": None}),
    ("criteria_outside_year", "J", {"criteria_met_on": date(2022, 12, 31)}),
    ("criteria_after_opt_out", "J", {**OUT, "criteria_met_on": day("0602")}),
    ("bad_code", "G", {"cognitively_impaired": "X"}),
    ("missing", "G", {"cognitively_impaired": None}),
    ("missing", "H", {"ltc_facility": None}),
    ("ltc_without_cmr", "H", {**NOT_RECEIVED, "ltc_facility": "Y"}),
    ("missing", "I", {"enrolled_on": None}),
    ("enrolled_outside_year", "I", {"enrolled_on": date(2022, 12, 31)}),
    ("missing", "L", {"opted_out_on": day("0601")}),
    ("missing", "K", {"opt_out_reason": "03"}),
    ("bad_code", "L", {"opted_out_on": day("0601"), "opt_out_reason": "07"}),
    ("opt_out_outside_year", "K", {"opted_out_on": date(2024, 1, 1), "opt_out_reason": "03"}),
    ("opt_out_before_enrollment", "K", {**BARE, **OUT, "opted_out_on": day("0131"), "criteria_met_on": day("0115")}),
    ("disenrolled_on_december_31", "K", {"opted_out_on": day("1231"), "opt_out_reason": "02"}),
    ("missing", "M", {"cmr_offered": None, **UNTOLD}),
    ("received_not_offered", "M", {"cmr_offered": "N", **UNTOLD}),
    ("missing", "N", {"cmr_offered_on": None}),
    ("not_allowed", "N", {**NOT_RECEIVED, "cmr_offered": "N", "cmr_offer_recipient": None}),
    ("missing", "O", {"cmr_offer_recipient": None}),
    ("bad_code", "O", {"cmr_offer_recipient": "05"}),
    ("service_before_enrollment", "N", {"cmr_offered_on": day("0131")}),
    ("service_outside_year", "N", {"cmr_offered_on": date(2022, 12, 31)}),
    ("service_after_opt_out", "N", {**OUT, **NOT_RECEIVED, "cmr_offered_on": day("0602")}, {"offer_late"}),
    ("offer_after_cmr", "N", {"cmr_offered_on": day("0302")}),
    ("offer_late", "N", {**NOT_RECEIVED, "cmr_offered_on": day("0403")}),
    ("missing", "P", {**NOT_RECEIVED, "cmr_received": None}),
    ("missing", "Q", {"cmr_on": None}),
    ("missing", "R", {"cmr_summary_sent_on": None}),
    ("missing", "S", {"cmr_method": None}),
    ("missing", "T", {"cmr_provider": None}),
    ("missing", "U", {"cmr_recipient": None}),
    ("not_allowed", "S", {**NOT_RECEIVED, "cmr_method": "telephone"}),
    (
        "service_before_enrollment", "Q",
        {**UNTOLD, "cmr_offered": "N", "cmr_on": day("0131"), "cmr_summary_sent_on": day("0201")}, {"received_not_offered"},
    ),
    ("service_after_opt_out", "Q", {**OUT, "cmr_on": day("0602"), "cmr_summary_sent_on": day("0602")}),
    ("service_outside_year", "Q", {"cmr_on": date(2024, 1, 1), "cmr_summary_sent_on": date(2024, 1, 2)}),
    ("bad_date", "Q", {"cmr_on": "20230229"}),
    ("summary_before_cmr", "R", {"cmr_summary_sent_on": day("0228")}),
    ("summary_late", "R", {"cmr_summary_sent_on": day("0316")}),
    ("bad_code", "S", {"cmr_method": "letter"}),
    ("bad_code", "T", {"cmr_provider": "99"}),
    ("missing", "V", {"tmr_count": None, "tmr_first_on": None}),
    ("bad_count", "V", {"tmr_count": "-1", "tmr_first_on": None}),
    ("count_too_large", "V", {"tmr_count": 1000}, {"tmr_count_impossible"}),
    ("tmr_count_impossible", "V", {"tmr_first_on": day("1230")}),
    ("missing", "W", {"tmr_first_on": None}),
    ("not_allowed", "W", {"tmr_count": 0}),
    ("service_before_enrollment", "W", {"tmr_first_on": day("0115")}),
    ("service_after_opt_out", "W", {**OUT, "tmr_first_on": day("0701")}),
    ("service_outside_year", "W", {"tmr_first_on": date(2024, 2, 1)}),
    ("missing", "X", {"recommendations": None}),
    ("count_too_large", "X", {"recommendations": 100}),
    ("changes_above_recommendations", "Y", {"therapy_changes": 3}),
    ("bad_code", "Z", {"safe_disposal": "X"}),
    ("missing", "Z", {"safe_disposal": None}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("edit", "element", "planted", "also"), [(*one, set()) if len(one) == 3 else one for one in PLANTED]
)
def test_a_planted_fault_is_found_by_its_edit_and_no_other(found, good_row, others, edit, element, planted, also):
    findings = found(*others, good_row | planted, contract="H1234")
    assert {finding.edit for finding in findings} == {edit, *also}
    assert {(f.element, f.row, f.beneficiary) for f in findings if f.edit == edit} == {(element, 3, "a")}
    hit = next(f for f in findings if f.edit == edit)
    assert str(hit).startswith(f"row 3, element {element}: ") and hit.remedy and hit.citation and hit.standing
    assert hit.severity == EDIT_LIST[edit].severity


def test_the_faults_are_many_and_of_every_edit_of_fields_and_records():
    assert len(PLANTED) > 70
    of_files = {
        "same_mbi", "same_person", "file_empty", "no_services", "enrollment_total", "last_year_total", "last_year_rate",
        "national_rate", "mbi_changed", "birth_date_changed",
    }  # fmt: skip
    of_sources = {
        "service_not_counted", "summary_without_cmr", "no_patient", "died_before_enrollment", "death_without_opt_out",
        "revoked_without_opt_out", "enrollments_overlap", "enrolled_elsewhere", "several_mbis", "earlier_mbi",
    }  # fmt: skip
    of_forms = {"bad_text", *FORM_EDITS}  # test_deviations.py
    assert {one[0] for one in PLANTED} | of_files | of_sources | of_forms == EDITS


ALLOWED = [
    {"cmr_summary_sent_on": day("0315")},  # 14 days
    {"cmr_summary_sent_on": day("0301")},
    {"cmr_on": day("1230"), "cmr_summary_sent_on": date(2024, 1, 9)},  # a summary may follow into the next year
    {"cmr_offered_on": day("0301")},
    {"cmr_offered_on": day("0402"), **NOT_RECEIVED},  # 60 days
    {"opted_out_on": day("1231"), "opt_out_reason": "01"},
    {"opted_out_on": day("0401"), "opt_out_reason": "02", "tmr_count": 1},  # a service on the day of the opt-out
    {"enrolled_on": day("0101"), "criteria_met_on": day("0101"), "cmr_offered_on": day("0101")},
    {"met_criteria": "04", "criteria_met_on": None},
    {"tmr_count": 0, "tmr_first_on": None},
    {"tmr_first_on": day("1229")},
    {"recommendations": 99, "therapy_changes": 99},
    {"birth_date": date(1952, 2, 29)},
    {"last_name": "O'Brien"},
    {"last_name": "Smith-Jones"},
    {"last_name": "de la Cruz"},
    {"last_name": "x" * 30},
    {"cognitively_impaired": "U", "ltc_facility": "U"},
    BARE,
]


@pytest.mark.parametrize("keys", ALLOWED)
def test_what_is_allowed_is_no_finding(found, good_row, others, keys):
    assert found(*others, good_row | keys) == ()


def test_no_finding_tells_who_it_is(found, good_row):
    for _, _, planted, *_ in PLANTED:
        row = good_row | planted
        for finding in found(row):
            told = f"{finding} {finding.value}"
            assert not [
                row[key] for key in ("mbi", "first_name", "last_name") if (row[key] or "").strip() and row[key] in told
            ]
            assert "19500102" not in told and "19500230" not in told


def test_the_value_of_a_finding_is_the_cell_as_the_file_has_it(found, good_row):
    [finding] = found(good_row | {"cmr_method": "letter"})
    assert finding.value == "letter"
    [finding] = found(good_row | {"cmr_summary_sent_on": day("0228")})
    assert finding.value == "20230228"


def test_one_mbi_in_two_rows(found, good_row, others):
    findings = found(good_row, *others, good_row)
    assert [(f.edit, f.row) for f in findings] == [("same_mbi", 1), ("same_mbi", 4)]


def test_two_missing_mbis_are_not_one_mbi(found, good_row):
    findings = found(good_row | {"mbi": None}, good_row | {"mbi": None, "last_name": "Roe"})
    assert {f.edit for f in findings} == {"missing"}


def test_one_person_under_two_mbis(found, good_row, others):
    twin = good_row | {"mbi": "4EG4TE5MK76", "last_name": "DIAZ"}
    findings = found(good_row, *others, twin)
    assert [(f.edit, f.row, f.severity) for f in findings] == [
        ("same_person", 1, "warning"),
        ("same_person", 4, "warning"),
    ]
    assert found(good_row, twin | {"birth_date": date(1951, 1, 2)}) == ()
    assert found(good_row, twin | {"first_name": "Eva"}) == ()


def test_the_contract_is_that_of_most_rows_unless_it_is_told(found, good_row, others):
    strange = good_row | {"contract_number": "H9999"}
    assert [(f.edit, f.row) for f in found(*others, strange)] == [("contract_differs", 3)]
    assert [f.row for f in found(*others, strange, contract="H9999")] == [1, 2]


def test_findings_come_in_the_order_of_rows_and_elements(found, good_row):
    bad = {"mbi": None, "birth_date": None, "safe_disposal": None}
    places = [(f.row, f.element) for f in found(good_row | bad, good_row | bad)]
    assert places == [(1, "B"), (1, "E"), (1, "Z"), (2, "B"), (2, "E"), (2, "Z")]


def test_no_rows_are_a_finding_on_the_file(found):
    [finding] = found(contract="H1234")
    assert (finding.edit, finding.row) == ("file_empty", None)
    assert str(finding).startswith("nobody was enrolled in H1234 in 2023: the file is empty; check the contract")


def test_nothing_done_for_anybody(found, good_row, others):
    nothing = {**BARE, "safe_disposal": "N", "recommendations": 0, "therapy_changes": 0}
    assert [f.edit for f in found(good_row | nothing)] == ["no_services"]
    assert found(good_row | nothing, *others) == ()


def test_the_total_against_the_count_of_the_plan(found, good_row, others):
    assert found(good_row, *others, enrolled=3) == ()
    [finding] = found(good_row, *others, enrolled=4)
    assert (finding.edit, finding.severity) == ("enrollment_total", "error")
    assert finding.rule == "the file has 3 rows, and 4 beneficiaries were enrolled by the count that was given"


def many(good_row, count, received, year=2023):
    """``count`` persons, of whom ``received`` had a CMR."""
    rows = []
    for n in range(count):
        mbi = f"{1 + n % 9}EG4TE5MK{n:02}"
        keys = {} if n < received else NOT_RECEIVED
        row = good_row | keys | {"mbi": mbi, "last_name": f"Doe {n}"}
        rows.append({k: v.replace(year=year) if isinstance(v, date) and v.year == 2023 else v for k, v in row.items()})
    return rows


def test_rates_and_total_against_last_year(layout, good_row):
    def against(now, before):
        last = sheet_of(layout, many(good_row, *before, year=2022), 2022)
        return [f.edit for f in check(sheet_of(layout, many(good_row, *now)), last_year=last)]

    assert against((40, 20), (40, 20)) == []
    assert against((40, 20), (40, 24)) == []  # ten points
    assert against((40, 20), (40, 25)) == ["last_year_rate"]
    assert against((40, 20), (32, 16)) == []  # a quarter
    assert against((41, 20), (32, 16)) == ["last_year_total"]
    assert against((30, 30), (30, 0)) == []  # too few to compare


def test_persons_against_last_year(layout, good_row, others):
    last = sheet_of(layout, [good_row | {"mbi": "5EG4TE5MK77"}, *others], 2022)
    [finding] = check(sheet_of(layout, [*others, good_row]), last_year=last)
    assert (finding.edit, finding.row, finding.element) == ("mbi_changed", 3, "B")
    last = sheet_of(layout, [good_row | {"birth_date": date(1951, 1, 2)}, *others], 2022)
    [finding] = check(sheet_of(layout, [*others, good_row]), last_year=last)
    assert (finding.edit, finding.row, finding.element) == ("birth_date_changed", 3, "E")


def test_the_national_figures_are_context(layout, good_row):
    figure = {"rate": "received", "year": 2014, "share": 0.169, "source": "made up", "standing": "P"}
    national = msgspec.convert({"title": "t", "version": "1", "note": "n", "figures": [figure]}, National)
    [finding] = check(sheet_of(layout, many(good_row, 40, 20)), national=national)
    assert (finding.edit, finding.severity) == ("national_rate", "notice")
    assert finding.rule == "Received a CMR with a written summary: 50.0 %, and 16.9 % nationally in 2014"
    assert check(sheet_of(layout, many(good_row, 40, 16)), national=national) == ()


def test_an_edit_that_is_off_finds_nothing(found, good_row, layout):
    def off(name):
        edits = {**EDIT_LIST.edits, name: msgspec.structs.replace(EDIT_LIST[name], severity="off")}
        return msgspec.structs.replace(EDIT_LIST, edits=edits)

    assert found(good_row | {"cmr_summary_sent_on": day("0316")}, edits=off("summary_late")) == ()
    assert found(good_row, enrolled=9, edits=off("enrollment_total")) == ()


def test_a_layout_without_the_elements_of_a_rule(found, good_row, layout):
    for name in ("contract_number", "mbi", "cmr_on", "tmr_count"):
        less = msgspec.structs.replace(layout, fields=[f for f in layout.fields if f.name == name])
        less = msgspec.structs.replace(
            less, fields=[msgspec.structs.replace(f, required_when="never", only_when="always") for f in less.fields]
        )
        assert found(good_row, layout=less) == ()


def test_severities_are_those_that_the_program_knows():
    assert {edit.severity for edit in EDIT_LIST.edits.values()} == set(ORDER)
