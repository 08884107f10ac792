"""What a rep does besides claiming: pause, mute alerts, register phones (R8, N1)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dibs.core.errors import FieldError, InvalidInput
from dibs.core.rep import Platform, Rep

if TYPE_CHECKING:
    from dibs.offers.ports import Push
    from dibs.roster.ports import Roster

DEVICES_PER_REP = 3
MOST_QUIET_MINUTES = 10_080
_DEVICE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


def set_availability(
    roster: Roster, rep_id: str, available: bool, minutes: int | None, now: datetime
) -> datetime | None:
    """End or start the rep's pause; return when it ends, None without one (R8).

    Raises:
        InvalidInput: `minutes` is out of range.
    """
    longest = roster.playbook().availability.pause_ends_after_minutes
    if minutes is not None and not 1 <= minutes <= longest:
        raise InvalidInput((FieldError("minutes", f"use 1 to {longest}"),))
    until = None if available else now + timedelta(minutes=minutes or longest)
    roster.pause(rep_id, until)
    return until


def set_quiet(roster: Roster, rep_id: str, minutes: int, now: datetime) -> datetime | None:
    """Mute the rep's alerts for `minutes`, 0 ends it; they may still claim (R8).

    Raises:
        InvalidInput: `minutes` is out of range.
    """
    if not 0 <= minutes <= MOST_QUIET_MINUTES:
        raise InvalidInput((FieldError("quiet_minutes", f"use 0 to {MOST_QUIET_MINUTES}"),))
    until = now + timedelta(minutes=minutes) if minutes else None
    roster.quiet(rep_id, until)
    return until


def register_device(
    roster: Roster, push: Push, rep: Rep, device_id: str, platform: str, token: str
) -> None:
    """Register a phone for push; a rep keeps the last three (N1).

    A phone that changed hands is removed from its previous owner: it would show their claim links
    to the new one.

    Raises:
        InvalidInput: names every field that is wrong.
    """
    errors = []
    if platform not in set(Platform):
        errors.append(FieldError("platform", f"use one of {', '.join(Platform)}"))
    if not (8 <= len(token) <= 2048 and token.isascii() and token.isprintable()):
        errors.append(FieldError("token", "send the token the platform gave the app"))
    if not _DEVICE_ID.fullmatch(device_id):
        errors.append(FieldError("device_id", "use 1 to 64 letters, digits, - _ . and :"))
    if errors:
        raise InvalidInput(tuple(errors))
    others = [device for device in rep.devices if device.device_id != device_id]
    for device in others[: max(0, len(others) - DEVICES_PER_REP + 1)]:
        remove_device(roster, push, rep, device.device_id)
    device, owner = push.register(rep.rep_id, device_id, platform, token)
    before = rep if owner == rep.rep_id else roster.get(owner)
    for earlier in before.devices if before else ():
        replaced = (owner, earlier.device_id) == (rep.rep_id, device_id)
        if earlier.endpoint_arn == device.endpoint_arn and not replaced:
            roster.remove_device(owner, earlier.device_id)
    roster.put_device(rep.rep_id, device)


def remove_device(roster: Roster, push: Push, rep: Rep, device_id: str) -> None:
    """Remove a phone; repeating changes nothing (C4)."""
    for device in rep.devices:
        if device.device_id == device_id:
            push.forget(device)
            roster.remove_device(rep.rep_id, device_id)
