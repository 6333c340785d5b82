"""How many decimals an amount of a currency has: those of its minor unit in ISO 4217.

By list one of that standard, which SIX Financial Information maintains, in its edition of 2026-01-01. A currency that
is not named here has two.
"""

from __future__ import annotations

from decimal import Decimal
from typing import LiteralString

MOST_DECIMALS = 4
_NAMED = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_DECIMALS = {currency: decimals for decimals, names in _NAMED.items() for currency in names.split()}


def decimals(currency: str) -> int:
    """The number of decimals of a currency, named by its three letters."""
    return _DECIMALS.get(currency, 2)


def fitted(amount: Decimal, currency: str) -> Decimal:
    """The same amount with the decimals of its currency; more of them only where it has a part of the smallest coin."""
    found = amount.quantize(Decimal(1).scaleb(-decimals(currency)))
    return found if found == amount else amount.normalize()


def money_words(amount: Decimal, currency: str) -> LiteralString:
    """The amount in words: 1,200.50 of USD, 1,200 of JPY."""
    return f"{fitted(amount, currency):,}"
