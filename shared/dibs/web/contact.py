"""What of a contact a tap may do: dial the number, write to the address."""

from __future__ import annotations

import re
from urllib.parse import quote

from dibs.core.lead import Contact


def dialable(card: Contact) -> str:
    """Return the number a tap may dial, nothing when it is unusable or must not be called."""
    if card.do_not_call or "phone_unusable" in card.flags:
        return ""
    digits = re.sub(r"[\s().\-]", "", card.contact_phone)
    return digits if re.fullmatch(r"\+?\d{3,15}", digits) else ""


def writable(card: Contact) -> str:
    """Return the address a tap may write to, quoted for a link; nothing when it is unusable."""
    usable = re.fullmatch(r"[^@\s]+@[^@\s]+", card.contact_email)
    if "email_unusable" in card.flags or not usable:
        return ""
    return quote(card.contact_email, safe="@+")
