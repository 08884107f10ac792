"""Note a change in the audit trail, and read it: the one way for handlers and commands (O6).

The entry is written before the change and completed after it, so no change is without one, whatever
dies in between. What can be written in one transaction with its entry is: managers and tokens.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

from dibs.core.errors import Busy, DibsError, NotConfigured
from dibs.roster.audit import Entry, Made, Part, entry_of, every_month, matches
from dibs.roster.ports import AuditLog

MOST = 500


@dataclass
class Note:
    """What is being changed; set what is known only afterwards. Alike means nothing changed."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]


@contextmanager
def noting(
    log: AuditLog,
    who: str,
    what: str,
    target: str,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> Iterator[Note]:
    """Note that `who` does `what` to `target`, around the change itself.

    A change that is refused, or changes nothing, leaves no entry that is shown. After any other
    error nobody knows how far it came, and the entry says so.
    """
    # What is asked for may not exist, nor be text that can be stored: the change itself says so.
    target = target.encode(errors="replace").decode()
    note = Note(before or {}, after or {})
    begun = entry_of(who, what, target, now, before, after)
    begun = replace(begun, made="unknown", entry_id=secrets.token_hex(4))
    log.add(begun)
    try:
        yield note
    except DibsError as error:
        if not isinstance(error, Busy | NotConfigured):
            log.add(replace(begun, made="no"))
        raise
    done = entry_of(who, what, target, now, note.before, note.after)
    made: Made = "yes" if done.before or done.after else "no"
    log.add(replace(done, made=made, entry_id=begun.entry_id))


def entries(
    log: AuditLog,
    since: datetime,
    now: datetime,
    who: str = "",
    target: str = "",
    most: int = MOST,
    part: Part | None = None,
) -> list[Entry]:
    """Return the latest entries since then, the newest first; a `part` of them, if one is named."""

    def found() -> Iterator[Entry]:
        for month in every_month(since, now):
            for entry in log.month(month):
                if entry.made != "no" and matches(entry, who, target, since):
                    shown = entry if part is None else part.of(entry)
                    if shown is not None:
                        yield shown

    return list(islice(found(), most))
