"""The ledger entries of a team's week or month.

Entries later than `as_of` are left out. Weeks and months are those of the team's zone. Entries of
the week after a period still count for its leads.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

from dibs.core.calendar import Period, named, period_of, week_of
from dibs.core.errors import FieldError, InvalidInput
from dibs.ledger.entries import Entry
from dibs.ledger.ports import Ledger
from dibs.rules.playbook import Playbook

# Leads taken in a period's last minutes are contacted, and the contact reported, after its end.
AFTERMATH = timedelta(days=7)

Kind = Literal["week", "month"]
KINDS: tuple[Kind, ...] = ("week", "month")


def zone_of(playbook: Playbook, team: str) -> str:
    """Return a team's zone.

    Raises:
        InvalidInput: there is no such team.
    """
    rules = playbook.teams.get(team)
    if rules is None:
        raise InvalidInput((FieldError("team", f"use one of {', '.join(playbook.teams)}"),))
    return rules.zone


def named_period(kind: Kind, name: str, zone: str, field: str) -> Period:
    """Return a week or month by its name; `field` is the request's field with the name.

    Raises:
        InvalidInput: the name is not one of that kind.
    """
    example = "2026-W47" if kind == "week" else "2026-11"
    try:
        period = named(name, zone)
    except ValueError:
        period = None
    # A day or a quarter has a name too, but is not of this kind.
    if period is None or period_of(kind, zone, period.start).name != period.name:
        raise InvalidInput((FieldError(field, f"name a {kind}, such as {example}"),))
    return period


def team_entries(
    ledger: Ledger, team: str, zone: str, period: Period, as_of: datetime
) -> list[Entry]:
    """Return a team's entries of a period and the week after it, up to `as_of`."""
    weeks = list(_weeks(period, zone, as_of))
    over = period.end + AFTERMATH
    entries = ledger.of_team(team, weeks)
    return [entry for entry in entries if entry.at <= as_of and entry.at < over]


def _weeks(period: Period, zone: str, as_of: datetime) -> Iterator[str]:
    """Yield the names of the weeks of a period and of its aftermath."""
    moment = period.start
    while moment <= as_of and moment < period.end + AFTERMATH:
        week = week_of(zone, moment)
        yield week.name
        moment = week.end
