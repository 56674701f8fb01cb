"""The check digit of an NPI (45 CFR 162.406; US Core us-core-16 and us-core-17)."""

from __future__ import annotations

import pytest

from adapter.resources.npi import is_npi


@pytest.mark.parametrize("number", ["1234567893", "9876543106", "9876543114"])
def test_a_right_check_digit(number):
    assert is_npi(number)


@pytest.mark.parametrize(
    "number", ["1234567890", "1234567894", "123456789", "12345678933", "123456789x", "", "１２３４５６７８９３"]
)
def test_anything_else_is_none(number):
    assert not is_npi(number)


def test_one_wrong_digit_is_always_found():
    right = "1234567893"
    wrong = [right[:n] + digit + right[n + 1 :] for n in range(10) for digit in "0123456789" if digit != right[n]]
    assert not [number for number in wrong if is_npi(number)]
