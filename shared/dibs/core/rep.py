"""Reps: their profile, how to reach them, and what they have used up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from dibs.core.calendar import Hours
from dibs.core.quality import Quality
from dibs.core.values import dataclass

ALWAYS = Hours()


class Platform(StrEnum):
    """A push service."""

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
class Pause:
    """A manager's pause of a team or a rep (R8): why, and until when; None until it is ended."""

    reason: str
    until: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Tell whether it is not over."""
        return self.until is None or now < self.until


NO_END = datetime(9999, 1, 1, tzinfo=UTC)
"""Until when a pause without an end is stored."""


@dataclass(frozen=True)
class Rep:
    """A salesperson. `zone` is an IANA name; a pause ends by itself at `paused_until` (R8).

    That pause is their own. Until `manager_paused_until` they are paused by a manager, whose
    reason is `manager_pause_reason`; only a manager ends it.

    Until `quiet_until` no alert is sent, but the rep may claim (do-not-disturb, R8). `hours` are
    their own working hours; without any, the team's apply. `leave` holds first and last days off.
    `allowance` is leads a week (M4), None until first calculated; `weight` is for assignment (M5).
    Leads are matched with `territories`, `segments`, `skills` (levels from 1), `speaks` (language
    tags; without any, `language`), `interests` (products) and `pod` (R1-R5). `joined_on` and
    `left_on` are the first and last day.
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
    segments: tuple[str, ...] = ()
    skills: tuple[tuple[str, int], ...] = ()
    speaks: tuple[str, ...] = ()
    interests: tuple[str, ...] = ()
    pod: str = ""
    manager_paused_until: datetime | None = None
    manager_pause_reason: str = ""

    def manager_pause(self, now: datetime) -> Pause | None:
        """Return the manager's pause that holds now, if there is one."""
        until = self.manager_paused_until
        if until is None or now >= until:
            return None
        return Pause(self.manager_pause_reason, None if until >= NO_END else until)

    def is_paused(self, now: datetime) -> bool:
        """Tell whether the rep has paused (R8)."""
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
        return _day(self.zone, now)

    def this_hour(self, now: datetime) -> datetime:
        """Return the start of the rep's current hour, in UTC."""
        local = now.astimezone(ZoneInfo(self.zone))
        return now - timedelta(
            minutes=local.minute, seconds=local.second, microseconds=local.microsecond
        )

    def this_week(self, now: datetime) -> date:
        """Return the Monday of the rep's calendar week at `now`."""
        today = self.today(now)
        return today - timedelta(days=today.weekday())


# A wave is judged at one instant, for thousands of reps in a few zones.
@lru_cache(maxsize=256)
def _day(zone: str, now: datetime) -> date:
    return now.astimezone(ZoneInfo(zone)).date()


@dataclass(frozen=True)
class Usage:
    """What a rep has used up, in their own time zone.

    Competitive claims: `hour_claims` in the hour from `hour`, `claims` on `day`, `week_claims` in
    the week from Monday `week`, `claims_before` in the week before (F7). `hot`, `warm` and `cold`
    are those of the week by quality, `cold_before` the cold ones of the week before, both without
    blind leads (F1, F3). `ever` is all of them, `recent` the times of the latest, for rolling
    limits. `raced` counts since the last accepted assignment; `unaccepted` assignments wait (F2).
    `leads` of the week came by claim or assignment (M4); `in_hand` are held and not yet worked
    (M5). `credits_used`: absence credits, each as the last day of the leave that earned it (F10).
    `warm_passed` is above `warm` while a warm lead was open to the rep, in this week, who owed one
    (F1); `cold_passed` is the week in which that was so with a cold one (F3).
    `undos` are the claims undone on `undo_day` (C12).
    `payable`: per quality, until when a lead is open that the rep could pay a debt with; None
    before that was looked up.
    """

    day: date | None = None
    claims: int = 0
    week: date | None = None
    leads: int = 0
    in_hand: int = 0
    hour: datetime | None = None
    hour_claims: int = 0
    week_claims: int = 0
    hot: int = 0
    warm: int = 0
    cold: int = 0
    claims_before: int = 0
    cold_before: int = 0
    raced: int = 0
    unaccepted: int = 0
    ever: int = 0
    recent: tuple[datetime, ...] = ()
    credits_used: tuple[date, ...] = ()
    undo_day: date | None = None
    undos: int = 0
    warm_passed: int = 0
    cold_passed: date | None = None
    payable: Mapping[Quality, datetime] | None = None

    def claims_on(self, day: date) -> int:
        """Return the claims that count on `day`; those of a later stored day count too."""
        return self.claims if self.day is not None and self.day >= day else 0

    def undos_on(self, day: date) -> int:
        """Return the undone claims that count on `day`; those of a later stored day count too."""
        return self.undos if self.undo_day is not None and self.undo_day >= day else 0

    def claims_in(self, hour: datetime) -> int:
        """Return the claims that count in the hour from `hour`; those of a later hour count too."""
        return self.hour_claims if self.hour is not None and self.hour >= hour else 0

    def leads_in(self, week: date) -> int:
        """Return the leads that count in the week; those of a later stored week count too."""
        return self.leads if self._reaches(week) else 0

    def week_claims_in(self, week: date) -> int:
        """Return the claims that count in the week."""
        return self.week_claims if self._reaches(week) else 0

    def of_quality(self, quality: Quality, week: date) -> int:
        """Return the claims of one quality that count in the week, without blind leads."""
        counted = {Quality.HOT: self.hot, Quality.WARM: self.warm, Quality.COLD: self.cold}
        return counted[quality] if self._reaches(week) else 0

    def week_before(self, week: date) -> tuple[int, int]:
        """Return all claims, and the cold ones, of the week before `week`."""
        if self._reaches(week):
            return self.claims_before, self.cold_before
        if self.week == week - timedelta(days=7):
            return self.week_claims, self.cold
        return 0, 0

    def _reaches(self, week: date) -> bool:
        return self.week is not None and self.week >= week
