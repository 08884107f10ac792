"""Claim links and reply codes: which rep asks for which lead, in a few characters.

A link's token is 22 letters and digits: the lead (7 bytes), the rep (3) and a truncated HMAC (6)
over lead, rep and epoch, keyed with the lead's own random salt. It needs no look-up, no function
holds a secret for it, and it is valid for one epoch only.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from dibs.core.errors import LeadNotFound
from dibs.core.lead import LEAD_ID_BYTES, REP_ID_BYTES, id_bytes, id_text
from dibs.core.values import dataclass

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_TOKEN_BYTES = 16
_TOKEN_LENGTH = 22
_MAC_BYTES = 6

CODE_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
CODE_LENGTH = 4


@dataclass(frozen=True)
class Link:
    """A parsed claim link. `link_is_for` checks the `mac`, which needs the lead's salt."""

    lead_id: str
    rep_id: str
    mac: bytes


def link_token(salt: bytes, lead_id: str, rep_id: str, epoch: int) -> str:
    """Return the token of the rep's claim link for this opening of the lead."""
    raw = id_bytes(lead_id) + id_bytes(rep_id) + _mac(salt, lead_id, rep_id, epoch)
    number = int.from_bytes(raw, "big")
    letters = []
    for _ in range(_TOKEN_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[digit])
    return "".join(reversed(letters))


def read_link(token: str) -> Link:
    """Parse a token.

    Raises:
        LeadNotFound: it does not have the form of a token.
    """
    if len(token) != _TOKEN_LENGTH or not all(letter in _ALPHABET for letter in token):
        raise LeadNotFound
    number = 0
    for letter in token:
        number = number * len(_ALPHABET) + _ALPHABET.index(letter)
    if number >= 1 << (8 * _TOKEN_BYTES):
        raise LeadNotFound
    raw = number.to_bytes(_TOKEN_BYTES, "big")
    lead, rest = raw[:LEAD_ID_BYTES], raw[LEAD_ID_BYTES:]
    return Link(id_text(lead), id_text(rest[:REP_ID_BYTES]), rest[REP_ID_BYTES:])


def link_is_for(link: Link, salt: bytes, epoch: int) -> bool:
    """Tell, in constant time, whether the link was made for this opening of its lead."""
    return hmac.compare_digest(link.mac, _mac(salt, link.lead_id, link.rep_id, epoch))


def _mac(salt: bytes, lead_id: str, rep_id: str, epoch: int) -> bytes:
    message = f"{lead_id}/{rep_id}/{epoch}".encode()
    return hmac.new(salt, message, hashlib.sha256).digest()[:_MAC_BYTES]


def reply_code(choice: Callable[[str], str]) -> str:
    """Return a new reply code (N5): four of A-Z and 2-9 without I and O, at least one digit.

    With a digit, no code is a carrier's opt-out word. `choice` picks one character of a string.
    """
    while True:
        code = "".join(choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
        if any(letter.isdigit() for letter in code):
            return code
