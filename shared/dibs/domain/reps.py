"""Reps: who they are, how they are reached, and what counts against their limits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo


class Platform(StrEnum):
    """Where a push goes."""

    APNS = "apns"
    FCM = "fcm"


@dataclass(frozen=True)
class Device:
    """A phone registered for push; `enabled` turns false when the platform refuses its token."""

    device_id: str
    platform: Platform
    endpoint_arn: str
    enabled: bool = True


@dataclass(frozen=True)
class Rep:
    """A salesperson. `zone` is an IANA name; `paused_until` is when a pause ends by itself (R8)."""

    rep_id: str
    name: str
    team: str
    zone: str
    tier: int = 2
    language: str = "en"
    phone: str | None = None
    active: bool = True
    paused_until: datetime | None = None
    sms_opted_out: bool = False
    devices: tuple[Device, ...] = ()

    def is_available(self, now: datetime) -> bool:
        """Tell whether the rep is with us and not paused (R8)."""
        return self.active and (self.paused_until is None or self.paused_until <= now)

    @property
    def pushable(self) -> tuple[Device, ...]:
        return tuple(device for device in self.devices if device.enabled)

    @property
    def textable(self) -> bool:
        return self.phone is not None and not self.sms_opted_out

    def today(self, now: datetime) -> date:
        """Return the rep's calendar day at `now`."""
        return now.astimezone(ZoneInfo(self.zone)).date()


@dataclass(frozen=True)
class Limits:
    """What a rep has used up: `claims` competitive claims on their own calendar day (F7)."""

    day: date | None = None
    claims: int = 0

    def claims_on(self, day: date) -> int:
        """Return the claims that count on `day`; a stored day ahead of it counts as well."""
        return self.claims if self.day is not None and self.day >= day else 0
