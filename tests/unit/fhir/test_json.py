"""JSON keeps every number as it was written."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.fhir import json

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False).filter(lambda d: not str(d).lstrip("-").isdigit())
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | NUMBERS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_round_trip(value):
    assert repr(json.loads(json.dumps(value))) == repr(value)


@pytest.mark.parametrize("text", ["1.10", "0.1000000000000000055511151231257827", "-0.0", "1E+2", "12345678901234.56"])
def test_a_number_keeps_its_digits(text):
    assert isinstance(json.loads(text), Decimal)
    assert json.dumps(json.loads(text)) == text


def test_keys_keep_their_order_and_characters_stay():
    assert json.dumps({"b": "é<&", "a": 1}) == '{"b":"é<&","a":1}'


@given(st.text())
def test_a_line_is_one_line(text):
    assert json.dump_line({"text": text}).count(b"\n") == 1


def test_lines():
    assert list(json.dump_lines([{"a": 1}, {"a": Decimal("2.50")}])) == [b'{"a":1}\n', b'{"a":2.50}\n']


def test_a_byte_order_mark_is_no_content():
    assert json.loads(b'\xef\xbb\xbf{"a":1}') == {"a": 1}
    assert json.loads('\ufeff{"a":1}') == {"a": 1}


@pytest.mark.parametrize("text", ["", "NaN", '{"name":"Smith"', b"\xff\xfe", '"\ud800"', "[" * 100_000])
def test_what_is_no_json_is_told_without_its_content(text):
    with pytest.raises(ValueError, match="not JSON") as raised:
        json.loads(text)
    assert "Smith" not in str(raised.value)
