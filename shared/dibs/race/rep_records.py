"""A rep and what they have used up, as they are stored: the claim reads and counts here."""

from __future__ import annotations

import json
from datetime import date
from functools import lru_cache
from typing import Any

from pynamodb.attributes import (
    Attribute,
    AttributeContainer,
    BooleanAttribute,
    MapAttribute,
    UnicodeAttribute,
)
from pynamodb.constants import MAP, NUMBER, STRING

from dibs.aws import keys
from dibs.aws.attributes import (
    CountAttribute,
    DayAttribute,
    DaysAttribute,
    EnumAttribute,
    InstantAttribute,
    InstantsAttribute,
    IntegerAttribute,
    Item,
    KeyAttribute,
    LinesAttribute,
    SkillsAttribute,
    WordsAttribute,
)
from dibs.aws.codec import Codec
from dibs.core.calendar import Hours, parse_hours, written_hours
from dibs.core.rep import Device, Platform, Rep, Usage


class HoursAttribute(Attribute[Hours]):
    """Weekly working hours, as JSON."""

    attr_type = STRING

    def serialize(self, value: Hours) -> str:
        return json.dumps(written_hours(value), separators=(",", ":"))

    def deserialize(self, value: str) -> Hours:
        return _hours(value)


@lru_cache(maxsize=256)
def _hours(text: str) -> Hours:
    """Return stored working hours; many reps share the same."""
    return parse_hours(json.loads(text))


class LeaveAttribute(Attribute[tuple[tuple[date, date], ...]]):
    """First and last days off, as `2026-12-24/2026-12-31`, in order."""

    attr_type = STRING

    def serialize(self, value: tuple[tuple[date, date], ...]) -> str:
        return " ".join(f"{first}/{last}" for first, last in value)

    def deserialize(self, value: str) -> tuple[tuple[date, date], ...]:
        spans = (span.split("/") for span in value.split())
        return tuple((date.fromisoformat(a), date.fromisoformat(b)) for a, b in spans)


class DeviceMap(MapAttribute[str, Any]):
    """A phone registered for push, and when it was last."""

    platform = EnumAttribute(Platform)
    endpoint_arn = UnicodeAttribute(attr_name="arn")
    enabled = BooleanAttribute()
    at = InstantAttribute()


class DevicesAttribute(Attribute[tuple[Device, ...]]):
    """A rep's devices in the order they were registered: a map, so that each is set by itself.

    With the rep themselves none is stored.
    """

    attr_type = MAP

    def serialize(self, value: tuple[Device, ...]) -> dict[str, Any]:
        return {}

    def deserialize(self, value: dict[str, Any]) -> tuple[Device, ...]:
        by_age = sorted(value.items(), key=lambda known: int(known[1][MAP]["at"]["N"]))
        return tuple(_DEVICE.value(known[MAP], device_id=device_id) for device_id, known in by_age)


class RepRecord(AttributeContainer):
    """A rep, the number of their token and what they have used up (organisation table).

    `allowance_month` is the month the allowance was calculated for.
    """

    rep_id = KeyAttribute(keys.rep, hash_key=True, attr_name="pk")
    name = UnicodeAttribute()
    team = UnicodeAttribute()
    zone = UnicodeAttribute()
    tier = IntegerAttribute()
    language = UnicodeAttribute()
    phone = UnicodeAttribute(null=True)
    active = BooleanAttribute()
    paused_until = InstantAttribute(null=True)
    sms_opted_out = BooleanAttribute(null=True)
    devices = DevicesAttribute()
    token_hash = UnicodeAttribute(null=True)  # until `dibs migrate` has moved it
    token_number = IntegerAttribute(null=True)
    quiet_until = InstantAttribute(null=True)
    hours = HoursAttribute(null=True)
    leave = LeaveAttribute(null=True)
    allowance = IntegerAttribute(null=True)
    allowance_month = UnicodeAttribute(null=True)
    weight = IntegerAttribute(null=True)
    territories = LinesAttribute(null=True)
    joined_on = DayAttribute(null=True)
    left_on = DayAttribute(null=True)
    segments = LinesAttribute(null=True)
    skills = SkillsAttribute(null=True)
    speaks = WordsAttribute(null=True)
    interests = LinesAttribute(null=True)
    pod = UnicodeAttribute(null=True)
    manager_paused_until = InstantAttribute(null=True)
    manager_pause_reason = UnicodeAttribute(null=True)
    day = DayAttribute(null=True, attr_name="claims_day")
    claims = IntegerAttribute(null=True)
    week = DayAttribute(null=True, attr_name="leads_week")
    leads = IntegerAttribute(null=True)
    in_hand = IntegerAttribute(null=True)
    hour = InstantAttribute(null=True, attr_name="claims_hour")
    hour_claims = IntegerAttribute(null=True)
    week_claims = IntegerAttribute(null=True)
    hot = IntegerAttribute(null=True, attr_name="hot_claims")
    warm = IntegerAttribute(null=True, attr_name="warm_claims")
    cold = IntegerAttribute(null=True, attr_name="cold_claims")
    claims_before = IntegerAttribute(null=True)
    cold_before = IntegerAttribute(null=True)
    raced = IntegerAttribute(null=True)
    unaccepted = CountAttribute(null=True)
    ever = IntegerAttribute(null=True, attr_name="claims_ever")
    recent = InstantsAttribute(null=True)
    credits_used = DaysAttribute(null=True)
    undo_day = DayAttribute(null=True)
    undos = IntegerAttribute(null=True)
    warm_passed = IntegerAttribute(null=True)
    cold_passed = DayAttribute(null=True)


_DEVICE = Codec(DeviceMap, Device)
_REP = Codec(RepRecord, Rep)
_USAGE = Codec(RepRecord, Usage)


def rep_item(rep: Rep) -> Item:
    """Return a new rep as they are stored: they have used up nothing yet."""
    return _REP.item(rep)


def rep_from(item: Item) -> tuple[Rep, Usage, int]:
    """Return the rep an item describes, what they have used up, and the number of their token."""
    number = int(item[_TOKEN_NUMBER][NUMBER]) if _TOKEN_NUMBER in item else 0
    return _REP.value(item), _USAGE.value(item), number


device_item = _DEVICE.item
_TOKEN_NUMBER = RepRecord.token_number.attr_name
