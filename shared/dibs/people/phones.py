"""The phone number of a rep: one that text messages reach."""

from __future__ import annotations

import re

from dibs.intake.body import usable_phone

# What people write around and between digits; letters would be read as those of a keypad.
_WRITTEN = re.compile(r"(?:tel:)?\s*[+(]*[\d\s().\-\u2010-\u2015/\u00a0]+", re.IGNORECASE)
_DECIMALS = re.compile(r"(?<=\d)[.,]0+$")
MASK = "•"


def phone_of_rep(given: str, region: str = "") -> str:
    """Return a rep's phone number in E.164; without a country code it is one of `region`.

    Raises:
        ValueError: it is no number, or one with an extension, which no text message reaches.
    """
    text = given.strip()
    if text.replace(" ", "").isdigit() or _DECIMALS.search(text):
        text = _DECIMALS.sub("", text)  # 60128880000.0: a spreadsheet took it for an amount
    number, flags = usable_phone(text, region) if _WRITTEN.fullmatch(text) else (text, ("no",))
    if flags or not number.removeprefix("+").isdigit():
        how = "write one number, as +60128880000"
        if not region:
            how += "; without a country code it needs phone_region in the playbook"
        raise ValueError(f"is no number that gets text messages; {how}")
    return number


def masked(phone: str) -> str:
    """Return a number of which only the last digits can be read."""
    return phone[:-4].translate(_HIDDEN) + phone[-4:]


_HIDDEN = {ord(digit): MASK for digit in "0123456789"}
