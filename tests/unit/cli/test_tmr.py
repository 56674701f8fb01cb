"""``tmr`` from outside: what it prints, writes and refuses."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from adapter.cli.main import cli, told
from adapter.errors import ConfigError
from tests.unit.problem_source import source


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return source(tmp_path_factory.mktemp("tmr") / "source")


@pytest.fixture
def tmr():
    """A function of arguments: exit code and output; an expected fault is raised."""

    def run(*arguments):
        result = CliRunner().invoke(cli, ["tmr", *map(str, arguments)], standalone_mode=False)
        if result.exception:
            raise result.exception
        return result.return_value or 0, result.output

    return run


def test_the_counts_by_rule(tmr, folder):
    code, output = tmr(folder, "--quarter", "2023Q3")
    assert code == 0
    lines = {line.split()[0]: line.split()[1:] for line in output.splitlines() if line.strip()}
    assert lines["Reviewed"][:2] == ["3", "enrolled"]
    assert lines["duplicate_therapy"] == ["moderate", "1", "1", "U"]
    assert lines["opioid_benzodiazepine"] == ["high", "0", "0", "V"]


def test_one_beneficiary_with_every_fact(tmr, folder):
    _, output = tmr(folder, "p.001", "--as-of", "2023-09-30")
    assert "Reviewed   1 (one beneficiary)" in output
    assert "[moderate] Two drugs of one class: " in output
    assert "30 days together, from 2023-08-01 to 2023-08-30" in output
    assert "contact prescriber, pharmacist; rests on ExplanationOfBenefit/claim-1.001" in output
    _, output = tmr(folder, "p.002", "--as-of", "2023-09-30")
    assert "[undecided] Two drugs of one class" in output
    _, output = tmr(folder, "p.003", "--as-of", "2023-09-30")
    assert "No problem was found." in output


def test_as_json(tmr, folder):
    _, output = tmr(folder, "--quarter", "2023Q3", "--json")
    account = json.loads(output[output.index("{") : output.rindex("}") + 1])
    assert account["reviewed"] == {"who": "enrolled", "persons": 3}
    assert account["rules"]["duplicate_therapy"] == {
        "found": 1,
        "undecided": 1,
        "severity": "moderate",
        "standing": "U",
    }
    assert account["problems"][0]["beneficiary"] == "p.001"
    assert account["written"] is None


def test_files_and_proposals(tmr, folder, tmp_path):
    arguments = (folder, "--quarter", "2023Q3", "--out", tmp_path / "out", "--sink", tmp_path / "sink")
    code, output = tmr(*arguments)
    assert code == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"problems.csv", "undecided.csv"}
    written = len((tmp_path / "sink" / "DetectedIssue.ndjson").read_text().splitlines())
    assert f"Written    {written} resources of 1 persons" in output or f"Written    {written} resources" in output
    _, output = tmr(*arguments)
    assert "Written    0 resources of 0 persons" in output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--quarter", "2023Q3", "--as-of", "2023-09-30"], "not both"),
        (["--quarter", "Q3"], "is no quarter"),
        (["--write"], "--write needs a server"),
        (["--write", "--sink", "x"], "not both"),
    ],
)
def test_what_contradicts_itself_is_refused(tmr, folder, arguments, words):
    with pytest.raises(ConfigError, match=words):
        tmr(folder, *arguments)


def test_an_expected_fault_is_a_sentence_and_an_exit_code(folder, capsys):
    def run():
        return cli.main(["tmr", str(folder), "nobody"], standalone_mode=False)

    assert told(run) == 4
    assert "no such beneficiary" in capsys.readouterr().err
