"""What counts as a difference between what is wanted and what is held."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.fhir.difference import differs

LEAVES = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.decimals(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=10,
)
RESOURCES = st.dictionaries(st.text(min_size=1, max_size=4).filter(lambda name: name not in ("meta", "text")), VALUES)


@given(RESOURCES)
def test_nothing_differs_from_itself_and_everything_from_nothing(resource):
    assert not differs(resource, resource)
    assert differs(resource, None)


@given(RESOURCES, st.text(max_size=3))
def test_what_the_server_adds_is_no_difference(resource, version):
    meta = {"versionId": version, "lastUpdated": "2024-01-01T00:00:00Z", "source": "#x"}
    assert not differs(resource, {**resource, "meta": meta, "text": {"status": "generated"}})
    assert not differs({**resource, "meta": {"tag": [1]}}, {**resource, "meta": {**meta, "tag": [1]}})


@given(RESOURCES, VALUES, VALUES)
def test_any_other_change_is_a_difference_both_ways(resource, one, other):
    changed = differs({**resource, "x": one}, {**resource, "x": other})
    assert changed == differs({**resource, "x": other}, {**resource, "x": one})
    assert differs(resource, {**resource, "added": one})
    assert differs({**resource, "added": one}, resource)


@pytest.mark.parametrize(
    ("wanted", "held", "expected"),
    [
        (1, Decimal("1.0"), False),
        (1.1, Decimal("1.1"), False),
        (1.1, Decimal("1.10"), False),
        (Decimal("1E+2"), 100, False),
        (1, True, True),
        (0, False, True),
        (1, "1", True),
        (0.1, Decimal("0.1000000000000000055511151231257827"), True),
        ([1, 2], [2, 1], True),
        ([1], [1, 1], True),
        ({"a": 1}, {"a": 1, "b": None}, True),
    ],
)
def test_values(wanted, held, expected):
    assert differs({"x": [wanted]}, {"x": [held]}) is expected


def test_a_narrative_that_is_wanted_is_compared():
    assert differs({"text": {"div": "a"}}, {"text": {"div": "b"}})
    assert differs({"text": {"div": "a"}}, {})


def test_other_meta_is_compared():
    assert differs({"meta": {"profile": ["a"]}}, {"meta": {"versionId": "1"}})
    assert differs({}, {"meta": {"tag": [{"code": "human"}]}})
    assert not differs({"meta": {}}, {})
