"""Money: whole numbers of a currency's smallest unit (ISO 4217)."""

from __future__ import annotations

from fractions import Fraction

_MOST_DIGITS = 15
_DIGITS = {
    **dict.fromkeys(
        (
            *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"),
            *("UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


def digits_of(currency: str) -> int:
    """Return how many digits a currency has after the point: 2 for USD, 0 for JPY."""
    return _DIGITS.get(currency, 2)


def smallest_units(text: str, currency: str) -> int | None:
    """Return an amount as people write it, 1250.50, in the currency's smallest unit.

    None where it is no amount: thousands are not set apart, since 1,250 means two things.
    """
    digits = digits_of(currency)
    whole, point, rest = text.strip().replace(",", ".").partition(".")
    written = whole + rest
    if not (whole and written.isascii() and written.isdigit() and len(written) <= _MOST_DIGITS):
        return None
    if len(rest) > digits or (point and not rest):
        return None
    return int(whole + rest.ljust(digits, "0"))


def converted(amount: int, from_currency: str, to_currency: str, rate: str) -> int:
    """Return an amount in another currency, in its smallest unit; half a unit goes to the even.

    `rate` is what one unit of the first is worth in the second, as a decimal number.
    """
    scale = Fraction(10) ** (digits_of(to_currency) - digits_of(from_currency))
    return round(amount * scale * Fraction(rate))
