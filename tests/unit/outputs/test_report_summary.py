"""summary.html: what a person sees first, and the figures beside the codes."""

import re
from pathlib import Path

import pytest

from adapter.outputs.report_summary import About, summary
from adapter.reporting.contract_file import ContractFile
from adapter.reporting.finding import Finding
from adapter.reporting.layout import load_layout
from adapter.reporting.national import load_national
from adapter.reporting.rates import RATES, CodeCount, Rate

MAPPINGS = Path(__file__).parents[3] / "mappings"
ERROR = Finding("error", "missing", "B", 3, "MBI is missing", "correct it", citation="layout", standing="P+")
WARNING = Finding(
    "warning", "name_cut", "D", 1, "Last name is cut <30>", "compare it", citation="layout", standing="P+"
)


def page(*findings, rows=4, codes=()):
    layout = load_layout("cms-mtm-2023", MAPPINGS / "layouts")
    national = load_national(MAPPINGS / "reporting" / "national.toml", frozenset(RATES))
    rates = {"offered": Rate("Offered a CMR", 3, rows), "received": Rate("Received a CMR", 1, rows)}
    made = ContractFile("MTM_H1234_2023.txt", b"x", rows, findings, rates, codes, (), None)
    return summary(made, About("H1234", 2023, layout, national)).decode()


@pytest.mark.parametrize(
    ("findings", "verdict"),
    [
        ((ERROR, ERROR, WARNING), "Do not send this file: 2 errors. It was made with --allow-errors."),
        ((WARNING,), "No errors. Look at 1 warning below before this file is sent."),
        ((), "No errors and no warnings."),
    ],
)
def test_the_verdict_stands_first(findings, verdict):
    found = re.search(r"</h1>\n<p class=\"verdict \w+\">(.*?)</p>", page(*findings))
    assert found and found[1] == verdict


def test_findings_are_drawn_together_with_the_title_of_their_element():
    told = page(ERROR, ERROR, WARNING)
    row = '<th scope="row" class="error">error</th><td class="n">2</td><td class="n">3</td><td>B MBI</td><td>MBI is missing;'
    assert row in told and "Last name is cut &lt;30&gt;" in told
    assert "2 errors, 1 warning, 0 notices" in told


def test_the_picture_tells_counts_and_shares():
    told = page()
    assert "Horizontal bars: received 1, offered, not received 2, not offered 1" in told
    assert ">1 (25.0 %)</text>" in told and ">2 (50.0 %)</text>" in told and ">Of 4 beneficiaries</text>" in told
    assert "<svg" in page(rows=0) and "%)</text>" not in page(rows=0)


def test_each_code_with_its_meaning_and_the_element_once():
    codes = (CodeCount("L", "Reason", "01", "death", 1), CodeCount("L", "Reason", "", "blank", 3))
    told = page(codes=codes)
    assert '<th scope="row">L Reason</th><td>01</td><td>death</td><td class="n">1</td><td class="n">25.0 %</td>' in told
    assert '<th scope="row"></th><td>-</td><td>blank</td><td class="n">3</td><td class="n">75.0 %</td>' in told
