"""The exit code of each expected fault, and how the faults of a mapping file are told."""

from __future__ import annotations

import pytest

from adapter.errors import (
    AdapterError,
    ConfigError,
    ConformanceError,
    Fault,
    MappingError,
    ReportError,
    SinkError,
    SourceError,
)

CODES = {ConfigError: 2, MappingError: 3, SourceError: 4, ConformanceError: 5, SinkError: 6, ReportError: 7}


@pytest.mark.parametrize("kind", CODES)
def test_each_fault_has_its_own_exit_code(kind):
    assert kind.exit_code == CODES[kind]
    assert issubclass(kind, AdapterError)


def test_a_fault_of_no_kind_is_taken_for_a_bug():
    assert AdapterError.exit_code == 1


@pytest.mark.parametrize("kind", [SourceError, SinkError])
@pytest.mark.parametrize("status", [404, None])
def test_a_fault_of_a_server_keeps_its_status(kind, status):
    error = kind("sentence", status)
    assert (str(error), error.status) == ("sentence", status)
    assert kind("sentence").status is None


@pytest.mark.parametrize(
    ("fault", "told"),
    [(Fault("a.csv", "row 3", "why"), "a.csv: row 3: why"), (Fault("a.csv", "", "why"), "a.csv: why")],
)
def test_a_fault_names_file_place_and_reason(fault, told):
    assert str(fault) == told


def test_a_mapping_error_tells_every_fault_on_a_line_of_its_own():
    faults = [Fault("a.csv", "row 3", "why"), Fault("b.toml", "", "what")]
    error = MappingError(faults)
    assert (str(error), error.faults) == ("a.csv: row 3: why\nb.toml: what", faults)
