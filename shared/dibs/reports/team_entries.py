"""What a team did in a week or month, as the ledger shows it `as_of` a moment.

What happened later is left out. A week or month is that of the team's zone. What was done in the
week after a period still counts for its leads.
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

# Leads of a period's last minutes are contacted, and told of, when it is over.
AFTERMATH = timedelta(days=7)

Kind = Literal["week", "month"]
KINDS: tuple[Kind, ...] = ("week", "month")


def zone_of(playbook: Playbook, team: str) -> str:
    """Return a team's zone.

    Raises:
        InvalidInput: there is no such team.
    """
    known = playbook.teams.get(team)
    if known is None:
        raise InvalidInput((FieldError("team", f"use one of {', '.join(playbook.teams)}"),))
    return known.zone


def named_period(kind: Kind, name: str, zone: str, field: str) -> Period:
    """Return a week or month by its name; `field` is what it was asked for with.

    Raises:
        InvalidInput: there is none of that kind.
    """
    example = "2026-W47" if kind == "week" else "2026-11"
    try:
        period = named(name, zone)
    except ValueError:
        period = None
    # A day or a quarter is a period as well, but not of this kind.
    if period is None or period_of(kind, zone, period.start).name != period.name:
        raise InvalidInput((FieldError(field, f"name a {kind}, such as {example}"),))
    return period


def team_entries(
    ledger: Ledger, team: str, zone: str, period: Period, as_of: datetime
) -> list[Entry]:
    """Return what is known, `as_of` a moment, of a team's period and its aftermath."""
    weeks = list(_weeks(period, zone, as_of))
    over = period.end + AFTERMATH
    found = ledger.of_team(team, weeks)
    return [entry for entry in found if entry.at <= as_of and entry.at < over]


def _weeks(period: Period, zone: str, as_of: datetime) -> Iterator[str]:
    """Yield the weeks a period lies in, and that of its aftermath."""
    moment = period.start
    while moment <= as_of and moment < period.end + AFTERMATH:
        week = week_of(zone, moment)
        yield week.name
        moment = week.end
