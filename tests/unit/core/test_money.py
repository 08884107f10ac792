"""Amounts as people write them."""

from __future__ import annotations

import pytest

from dibs.core.money import smallest_units


@pytest.mark.parametrize(
    ("text", "currency", "units"),
    [
        ("1250.50", "USD", 125050),
        ("1250,5", "USD", 125050),
        (" 7 ", "USD", 700),
        ("7", "JPY", 7),
        ("1.250", "KWD", 1250),
        ("7.5", "JPY", None),
        ("1,250", "USD", None),
        ("1.2.3", "USD", None),
        ("7.", "USD", None),
        ("-7", "USD", None),
        ("\u0667", "USD", None),
        ("", "USD", None),
    ],
)
def test_an_amount_is_read_as_people_write_it(text: str, currency: str, units: int | None) -> None:
    assert smallest_units(text, currency) == units
