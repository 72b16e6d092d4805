"""Amounts in minor units, as payment vendors send them."""

from __future__ import annotations

_NO_MINOR = frozenset({"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"}) | frozenset(
    {"UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"}
)
_THOUSANDTHS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})


def digits(currency: str) -> int:
    """How many digits of a currency's amount stand after the point (ISO 4217, list one)."""
    code = currency.upper()
    return 0 if code in _NO_MINOR else 3 if code in _THOUSANDTHS else 2


def major(amount: float, currency: str) -> float:
    """An amount in the currency's own unit: 1999 USD cents are 19.99."""
    return round(amount / float(10 ** digits(currency)), 3)
