"""What a source wrote, without a way to reach anybody (N2): no link, address or phone number.

Everybody of a team reads it before the claim, under our name. So a stranger may send no link to
click through it, and nobody may call a contact before they have won the lead. The contact details,
which the holder sees, keep every letter.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Controls, format letters (zero width, bidirectional, tags), private use, unassigned, half a
# letter: nothing of these can be seen.
_UNSEEN = frozenset(("Cc", "Cf", "Cn", "Co", "Cs"))
# Unseen too, though Unicode calls them letters, marks or symbols.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\ufffc"
    "\U000e0100-\U000e01ef]"
)
# Read as a dot in a domain (IDNA), and left alone by NFKC.
_DOTS = str.maketrans("。", ".")
# Spelled so that a person reads a link and a filter does not: [.] and (dot), [at].
_SPELLED_DOT = re.compile(r"\s*[\[({<]\s*(?:\.|dot)\s*[\])}>]\s*", re.IGNORECASE)
_DOT_IN_WORDS = re.compile(
    r"(?<=\w)\s+dot\s+(?=(?:com|net|org|info|biz|io|co|me|app|xyz|top|[a-z]{2})\b)", re.IGNORECASE
)
_SPELLED_AT = re.compile(r"\s*[\[({<]\s*(?:@|at)\s*[\])}>]\s*", re.IGNORECASE)
_LINKS = re.compile(
    r"""
      \w[\w+-]*\s*:\s*/\s*/\s*\S*                          # any://thing
    | \b(?:https?|mailto|tel|sms|skype|data|javascript|intent|hxxps?):\S+
    | \bwww\d?\s*\.\s*\S+
    | \S+@\S+                                              # jane@acme
    | [^\s@]+\s*@\s*[^\s@.]+(?:\s*\.\s*[^\s@.]+)+          # jane @ acme . com
    | (?<!\S)[^\s./]+(?:\.[^\s./]+)*\.[^\s\d./][^\s./]+(?::\d+)?[/?\#]\S*   # acme.com/path
    | \b\d{1,3}(?:\.\d{1,3}){3}\b\S*                       # 192.0.2.1
    """,
    re.IGNORECASE | re.VERBOSE,
)
# A dot before two letters makes a domain of what stands around it: Booking.com, Sdn.Bhd.
_DOMAIN_DOT = re.compile(r"""\s*\.(?=[^\s\d.,;:!?()\[\]{}'"&/+*-]{2})|\s+\.(?=\s)""")
# Seven digits or more with at most three other signs between two of them, but no letter.
_PHONE = re.compile(r"[+(]*\d(?:[^\w]{0,3}\d|_{1,3}\d){6,}")
# How companies say how many people they are: 1001-5000, 10,001 - 50,000.
_COUNT = r"([1-9]\d{0,2}(?:[,.]\d{3})+|[1-9]\d{0,5})"
_RANGE = re.compile(rf"{_COUNT}\s*[-–—]\s*{_COUNT}(?!\d)")
_WIDEST_RANGE = 10
_ROUND = 100


@lru_cache(maxsize=1024)
def safe_text(text: str) -> str:
    """Return a text that links nowhere and in which every letter can be seen.

    Letters and digits are in their plain form (NFKC). Links, e-mail addresses and runs of seven
    digits or more are left out; a domain in a name loses its dot (`Booking.com` is `Booking com`).
    """
    while (safer := _once(text)) != text:
        text = safer
    return text if any(map(str.isalnum, text)) else ""


@lru_cache(maxsize=256)
def safe_size(text: str) -> str:
    """Return a company's size as `safe_text`, in which a range of numbers is no phone number."""
    plain = _seen(text)
    found = _RANGE.fullmatch(plain.removesuffix("employees").strip())
    if found:
        least, most = (int(re.sub(r"\D", "", count)) for count in found.groups())
        if least < most <= _WIDEST_RANGE * least and _round(least) and _round(most):
            return plain
    return safe_text(text)


def _round(count: int) -> bool:
    """Tell whether a count is a round number, or the one before or after it: 4999, 5000, 5001."""
    return (count + 1) % _ROUND <= 2


def _once(text: str) -> str:
    text = _SPELLED_AT.sub("@", _SPELLED_DOT.sub(".", _seen(text)))
    text = _DOT_IN_WORDS.sub(".", text)
    for found in (_LINKS, _DOMAIN_DOT, _PHONE):
        text = found.sub(" ", text)
    return " ".join(text.split())


def _seen(text: str) -> str:
    """Return a text in plain letters, each of which can be seen."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    text = _BLANK.sub("", unicodedata.normalize("NFKC", text)).translate(_DOTS)
    kept = (c for c in text if c.isspace() or unicodedata.category(c) not in _UNSEEN)
    return " ".join(unicodedata.normalize("NFKC", "".join(kept)).split())
