"""Check what an organisation's screens are called and look like (U9). Pure."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator
from urllib.parse import urlsplit

from dibs.core.colours import contrast
from dibs.core.errors import FieldError
from dibs.rules.playbook import Playbook

LONGEST_NAME = 30
"""What fits beside a logo on a screen of 320 pixels."""
LARGEST_LOGO = 8192
"""Bytes of a logo's URL. The playbook is read by every function, so it is kept small."""
MOST_ORIGINS = 10
LEAST_CONTRAST = 3.0
"""What WCAG 2.2 asks of a mark that is no text (1.4.11)."""
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
_LOGO = re.compile(r"data:image/(png|svg\+xml|webp);base64,([A-Za-z0-9+/]+=*)")
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*")


def look_problems(playbook: Playbook) -> Iterator[FieldError]:
    """Return each setting of the look that does not work, and how to correct it."""
    look = playbook.look
    name = look.name
    if len(name) > LONGEST_NAME or not name.isprintable() or name.strip() != name:
        yield FieldError(
            "look.name", f"use up to {LONGEST_NAME} letters, without spaces around them"
        )
    if look.logo and not _is_picture(look.logo):
        yield FieldError(
            "look.logo",
            "use a PNG, SVG or WebP picture as data:image/png;base64,... of up to "
            f"{LARGEST_LOGO} bytes",
        )
    for which, given in (("colour", look.colour), ("accent", look.accent)):
        if given and not _COLOUR.fullmatch(given):
            yield FieldError(f"look.{which}", f"{given!r} is no colour; write one such as #1d4ed8")
    yield from _contrast(look.colour, look.accent)
    if len(look.embed_in) > MOST_ORIGINS:
        yield FieldError("look.embed_in", f"name at most {MOST_ORIGINS} origins")
    for number, origin in enumerate(look.embed_in):
        if not _is_origin(origin):
            yield FieldError(
                f"look.embed_in.{number}",
                f"{origin!r} is no origin; write https:// and the host's whole name, such as "
                "https://crm.example.com, and nothing after it",
            )


def _contrast(colour: str, accent: str) -> Iterator[FieldError]:
    if not (_COLOUR.fullmatch(colour) and _COLOUR.fullmatch(accent)):
        return
    found = contrast(colour, accent)
    if found < LEAST_CONTRAST:
        yield FieldError(
            "look.accent",
            f"can hardly be seen on look.colour: their contrast is {found:.1f}, and "
            f"{LEAST_CONTRAST:g} is needed; make one lighter or darker",
        )


def _is_picture(url: str) -> bool:
    found = _LOGO.fullmatch(url) if len(url) <= LARGEST_LOGO else None
    if found is None:
        return False
    try:
        b64decode(found[2], validate=True)
    except NotBase64:
        return False
    return True


def _is_origin(origin: str) -> bool:
    """Tell whether this is a whole origin: a wildcard, a path or a space would name more."""
    try:
        where = urlsplit(origin)
        port = where.port
    except ValueError:
        return False
    whole = f"{where.scheme}://{where.hostname}{f':{port}' if port is not None else ''}"
    local = (where.hostname or "").split(".")[-1] == "localhost"
    return (
        (where.scheme == "https" or (where.scheme == "http" and local))
        and _HOST.fullmatch(where.hostname or "") is not None
        and origin == whole
    )
