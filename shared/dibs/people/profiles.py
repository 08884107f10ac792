"""Managers change a rep's profile and record that a rep leaves (R1-R5, R8)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from dibs.assignment.ports import Holdings
from dibs.assignment.work import let_go
from dibs.core.calendar import Hours, parse_hours, written_hours
from dibs.core.errors import AlreadyExists, FieldError, InvalidInput, RouteNotFound
from dibs.core.lead import PRODUCT_BYTES, SEGMENT_BYTES, TERRITORY_BYTES
from dibs.core.rep import Rep
from dibs.core.tables import cleaned
from dibs.people.phones import phone_of_rep
from dibs.race.matching import HIGHEST_LEVEL
from dibs.race.ports import RaceStore
from dibs.roster.ports import Roster
from dibs.rules.rules import Rules
from dibs.web.translations import languages

# These limits keep the rep's item small, since every claim reads it.
MOST_LEAVE = 8
MOST_NAMES = 10
MOST_SHIFTS = 4
HEAVIEST = 10
LONGEST_NAME = 80
NAME_BYTES = 88

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_POD = re.compile(r"[A-Za-z0-9_-]{1,12}")

Given = Mapping[str, Any]
Field = tuple[Callable[[Any, Rules], Any], dict[str, Any]]
"""How a field is read, and how it is described to those who send it."""

_DAY: dict[str, Any] = {"type": "string", "format": "date"}
LEAVE_SCHEMA: dict[str, Any] = {
    "type": "array",
    "description": "Days off, the last one included.",
    "maxItems": MOST_LEAVE,
    "items": {
        "type": "object",
        "properties": {"from": _DAY, "to": _DAY},
        "required": ["from", "to"],
        "additionalProperties": False,
    },
}
"""The JSON Schema of what `leave_of` reads."""


def change_profile(roster: Roster, rep_id: str, given: Given) -> Rep:
    """Change the named fields of a rep's profile and return the changed rep.

    `PROFILE_SCHEMA` says which fields there are.

    Raises:
        RouteNotFound: there is no such rep.
        InvalidInput: names every field that is wrong; nothing was changed.
        AlreadyExists: the phone number belongs to another rep; nothing was changed.
    """
    rep = roster.get(rep_id)
    if rep is None:
        raise RouteNotFound("There is no such rep.")
    changes = read_profile(given, roster.playbook())
    changed = replace(rep, **changes)
    roster.put_profile(changed, tuple(changes))
    return changed


def read_profile(given: Given, playbook: Rules) -> dict[str, Any]:
    """Return the fields of a profile as a rep has them.

    Raises:
        InvalidInput: names every field that is wrong.
    """
    found: dict[str, Any] = {}
    errors: list[FieldError] = []
    for name, value in given.items():
        if name not in _FIELDS:
            errors.append(FieldError(name, f"is not known here; use {', '.join(_FIELDS)}"))
            continue
        read, _ = _FIELDS[name]
        try:
            found[name] = read(value, playbook)
        except ValueError as error:
            errors.append(FieldError(name, str(error)))
    if errors:
        raise InvalidInput(tuple(errors))
    return found


@cache
def zones() -> frozenset[str]:
    """Return the names of all time zones; looking for them takes a while."""
    return frozenset(available_timezones())


def profile_fields(rep: Rep, names: Iterable[str]) -> dict[str, Any]:
    """Return these fields of a rep's profile as plain values, for the audit trail."""
    found = {name: getattr(rep, name, None) for name in names}
    if "hours" in found:
        found["hours"] = written_hours(rep.hours)
    return found


def fallback_of(playbook: Rules, rep_id: str) -> list[str]:
    """Return the teams whose fallback person this is; a leaver must be replaced there (C7)."""
    return [team for team, rules in playbook.teams.items() if rules.fallback == rep_id]


def leave_for_good(
    roster: Roster,
    race: RaceStore,
    holdings: Holdings,
    rep_id: str,
    by: str,
    clock: Callable[[], datetime],
) -> int:
    """Deactivate a leaver: no token, offers or claims from now on, and their leads go back (R8).

    Their phone number is free for another rep at once.

    Returns how many leads went back. Repeating it continues with the rest.

    Raises:
        RouteNotFound: there is no such rep.
        Busy: not all leads went back; try again.
    """
    rep = roster.get(rep_id)
    if rep is None:
        raise RouteNotFound("There is no such rep.")
    roster.deactivate(rep_id, rep.left_on or rep.today(clock()))
    return let_go(race, holdings, rep_id, by, clock)


def come_back(roster: Roster, rep_id: str) -> bool:
    """Undo that a rep left: they are who they were, but the leads that went back stay there (R8).

    They have no token yet. Returns whether they have their phone number again; if it belongs to
    another rep by now, they have none.

    Raises:
        RouteNotFound: there is no such rep.
        AlreadyExists: the rep has not left.
    """
    rep = roster.get(rep_id)
    if rep is None:
        raise RouteNotFound("There is no such rep.")
    if rep.active:
        raise AlreadyExists(f"{rep.name} has not left; there is nothing to undo.")
    try:
        roster.reactivate(rep)
    except AlreadyExists:
        roster.reactivate(replace(rep, phone=None))
        return False
    return True


def _name(value: Any, playbook: Rules) -> str:
    del playbook
    name = cleaned(value) if isinstance(value, str) else ""
    # A claim reads and updates the rep's item, so it stays below 1 KB in any script.
    fits = 0 < len(name) <= LONGEST_NAME and len(name.encode()) <= NAME_BYTES
    if not name.isprintable() or not fits:
        raise ValueError(f"give a name of up to {LONGEST_NAME} letters ({NAME_BYTES} bytes)")
    return name


def _phone(value: Any, playbook: Rules) -> str | None:
    if value is None or value == "":
        return None
    return phone_of_rep(value if isinstance(value, str) else "", playbook.phone_region)


def _language(value: Any, playbook: Rules) -> str:
    del playbook
    if not isinstance(value, str) or value not in languages():
        raise ValueError(f"use one of {', '.join(languages())}")
    return value


def _team(value: Any, playbook: Rules) -> str:
    if not isinstance(value, str) or value not in playbook.teams:
        raise ValueError(f"use one of {', '.join(playbook.teams)}")
    return value


def _whole(least: int, most: int) -> Callable[[Any, Rules], int]:
    def read(value: Any, playbook: Rules) -> int:
        del playbook
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"use a whole number from {least} to {most}")
        return value

    return read


def _zone(value: Any, playbook: Rules) -> str:
    del playbook
    if not isinstance(value, str) or value not in zones():
        raise ValueError("use an IANA name such as Asia/Kuching")
    return value


def _names(longest: int) -> Callable[[Any, Rules], tuple[str, ...]]:
    def read(value: Any, playbook: Rules) -> tuple[str, ...]:
        del playbook
        words = [word.strip() if isinstance(word, str) else "" for word in _listed(value)]
        if not all(word.isprintable() for word in words):
            raise ValueError("send plain text")
        fits = all(0 < len(word.encode()) <= longest for word in words)
        if len(words) > MOST_NAMES or not fits:
            raise ValueError(f"send up to {MOST_NAMES} names of up to {longest} bytes")
        return tuple(dict.fromkeys(words))

    return read


def _skills(value: Any, playbook: Rules) -> tuple[tuple[str, int], ...]:
    if not isinstance(value, dict):
        raise ValueError('write them with their levels, as {"solar": 2}')
    known = playbook.matching.skills
    for name, level in value.items():
        if name not in known:
            named = ", ".join(known) or "none so far"
            raise ValueError(f"{name!r} is no skill; the playbook's matching.skills are {named}")
        if isinstance(level, bool) or not isinstance(level, int) or not 1 <= level <= HIGHEST_LEVEL:
            raise ValueError(f"give {name} a level from 1 to {HIGHEST_LEVEL}")
    return tuple(sorted(value.items()))


def _languages(value: Any, playbook: Rules) -> tuple[str, ...]:
    del playbook
    tags = [tag if isinstance(tag, str) else "" for tag in _listed(value)]
    if len(tags) > MOST_NAMES or not all(map(_LANGUAGE.fullmatch, tags)):
        raise ValueError(f"send up to {MOST_NAMES} language tags such as en, ms or zh-Hans")
    return tuple(dict.fromkeys(tags))


def _pod(value: Any, playbook: Rules) -> str:
    del playbook
    if not isinstance(value, str) or (value and not _POD.fullmatch(value)):
        raise ValueError("use up to 12 of A-Z, a-z, 0-9, - and _; empty for none")
    return value


def _hours(value: Any, playbook: Rules) -> Hours:
    del playbook
    if not isinstance(value, dict) or not all(map(_is_shifts, value.values())):
        raise ValueError('write them as {"mon": ["09:00-12:30", "13:30-18:00"]}')
    if any(len(shifts) > MOST_SHIFTS for shifts in value.values()):
        raise ValueError(f"send up to {MOST_SHIFTS} shifts a day")
    return parse_hours(value)


def _is_shifts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(shift, str) for shift in value)


def leave_of(value: Any, playbook: Rules | None = None) -> tuple[tuple[date, date], ...]:
    """Read days off, `[{"from": "2026-12-24", "to": "2026-12-31"}]`, last day included.

    Raises:
        ValueError: says how to write them.
    """
    del playbook
    spans = []
    for span in _listed(value):
        if not isinstance(span, dict) or set(span) != {"from", "to"}:
            raise ValueError('write each as {"from": "2026-12-24", "to": "2026-12-31"}')
        first, last = _day(span["from"]), _day(span["to"])
        if last < first:
            raise ValueError(f"{first} to {last} ends before it begins")
        spans.append((first, last))
    if len(spans) > MOST_LEAVE:
        raise ValueError(f"send up to {MOST_LEAVE} stretches of days")
    return tuple(sorted(spans))


def own_leave(
    rep: Rep, asked: tuple[tuple[date, date], ...], today: date
) -> tuple[tuple[date, date], ...]:
    """Return a rep's leave after their own change, which applies from today on.

    Only a manager may change past days, since they earn credits (F10).
    """
    yesterday = today - timedelta(days=1)
    past = [(first, min(last, yesterday)) for first, last in rep.leave if first < today]
    ahead = [(max(first, today), last) for first, last in asked if last >= today]
    return (*past, *ahead)[-MOST_LEAVE:]


def _day(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ValueError("write days as 2026-12-24") from error


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("send a list")
    return value


def _list_of(items: Mapping[str, Any], most: int = MOST_NAMES) -> dict[str, Any]:
    return {"type": "array", "items": items, "maxItems": most}


def _bytes(longest: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "description": f"Up to {longest} bytes."}


_PHONE = "Such as +60128880000; null or empty for none."


def _whole_field(least: int, most: int) -> Field:
    return _whole(least, most), {"type": "integer", "minimum": least, "maximum": most}


def _names_field(longest: int) -> Field:
    return _names(longest), _list_of(_bytes(longest))


_ZONE = "An IANA name such as Asia/Kuching."
_HOURS = "Shifts by day, such as 09:00-12:30; empty: the team's hours."
_LEVEL = {"type": "integer", "minimum": 1, "maximum": HIGHEST_LEVEL}
_TAG = {"type": "string", "description": "Such as en, ms or zh-Hans."}
_FIELDS: dict[str, Field] = {
    "name": (_name, {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME}),
    "phone": (_phone, {"anyOf": [{"type": "string"}, {"type": "null"}], "description": _PHONE}),
    "language": (_language, {"enum": list(languages())}),
    "team": (_team, {"type": "string", "description": "One of the playbook's teams."}),
    "tier": _whole_field(1, 3),
    "zone": (_zone, {"type": "string", "description": _ZONE}),
    "weight": _whole_field(1, HEAVIEST),
    "territories": _names_field(TERRITORY_BYTES),
    "segments": _names_field(SEGMENT_BYTES),
    "skills": (
        _skills,
        {
            "type": "object",
            "description": "The playbook's skills, each with the rep's level.",
            "additionalProperties": _LEVEL,
        },
    ),
    "speaks": (_languages, _list_of(_TAG)),
    "interests": _names_field(PRODUCT_BYTES),
    "pod": (_pod, {"type": "string", "maxLength": 12, "description": "Empty for none."}),
    "hours": (
        _hours,
        {
            "type": "object",
            "description": _HOURS,
            "additionalProperties": _list_of({"type": "string"}, MOST_SHIFTS),
        },
    ),
    "leave": (leave_of, LEAVE_SCHEMA),
    "joined_on": (
        lambda value, _: None if value is None else _day(value),
        {"anyOf": [_DAY, {"type": "null"}]},
    ),
}

PROFILE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {name: described for name, (_, described) in _FIELDS.items()},
}
"""The JSON Schema of what `change_profile` takes."""
