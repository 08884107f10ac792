"""Reps: who they are, how they are reached, and what counts against their limits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from dibs.domain.calendar import Hours

ALWAYS = Hours()


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
    """A salesperson. `zone` is an IANA name; `paused_until` is when a pause ends by itself (R8).

    Until `quiet_until` no alert is sent, but the rep may claim (do-not-disturb). `hours` are
    their own working hours, the team's where there are none; `leave` are first and last days off.
    `allowance` is leads a week (M4), None until first calculated; `weight` and `territories` are
    for assignment (M5). `joined_on` and `left_on` are first and last day.
    """

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
    quiet_until: datetime | None = None
    hours: Hours = ALWAYS
    leave: tuple[tuple[date, date], ...] = ()
    allowance: int | None = None
    weight: int = 1
    territories: tuple[str, ...] = ()
    joined_on: date | None = None
    left_on: date | None = None

    def is_paused(self, now: datetime) -> bool:
        """Tell whether the rep has switched themselves off (R8)."""
        return self.paused_until is not None and now < self.paused_until

    def is_quiet(self, now: datetime) -> bool:
        """Tell whether the rep wants no alerts now (R8)."""
        return self.quiet_until is not None and now < self.quiet_until

    @property
    def pushable(self) -> tuple[Device, ...]:
        return tuple(device for device in self.devices if device.enabled)

    @property
    def textable(self) -> bool:
        return self.phone is not None and not self.sms_opted_out

    def today(self, now: datetime) -> date:
        """Return the rep's calendar day at `now`."""
        return now.astimezone(ZoneInfo(self.zone)).date()

    def this_week(self, now: datetime) -> date:
        """Return the Monday of the rep's calendar week at `now`."""
        today = self.today(now)
        return today - timedelta(days=today.weekday())


@dataclass(frozen=True)
class Limits:
    """What a rep has used up, on their own calendar.

    `claims` competitive claims on `day` (F7); `leads` taken in the week from Monday `week` (M4);
    `in_hand`: leads held and not yet worked (M5).
    """

    day: date | None = None
    claims: int = 0
    week: date | None = None
    leads: int = 0
    in_hand: int = 0

    def claims_on(self, day: date) -> int:
        """Return the claims that count on `day`; a stored day ahead of it counts as well."""
        return self.claims if self.day is not None and self.day >= day else 0

    def leads_in(self, week: date) -> int:
        """Return the leads that count in the week; a stored week ahead of it counts as well."""
        return self.leads if self.week is not None and self.week >= week else 0
