"""Amounts have the decimals of their currency."""

from __future__ import annotations

from decimal import Decimal

import pytest

from triage_core import currencies


@pytest.mark.parametrize(
    ("currency", "amount", "words"),
    [
        ("USD", "1200.5", "1,200.50"),
        ("EUR", "0", "0.00"),
        ("JPY", "80000.0000", "80,000"),
        ("KRW", "-5E+3", "-5,000"),
        ("KWD", "12.5000", "12.500"),
        ("CLF", "1", "1.0000"),
        ("JPY", "33.3400", "33.34"),  # from before yen had no decimals here
        ("XYZ", "7", "7.00"),
    ],
)
def test_an_amount_in_words(currency: str, amount: str, words: str) -> None:
    assert currencies.money_words(Decimal(amount), currency) == words


def test_no_currency_is_named_twice() -> None:
    names = [name for group in currencies._NAMED.values() for name in group.split()]
    assert len(names) == len(set(names)) == 26
    assert all(len(name) == 3 and name.isupper() for name in names)
    assert max(map(currencies.decimals, names)) == currencies.MOST_DECIMALS
