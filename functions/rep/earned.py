"""What a rep has earned: points, level and badges (G1, G2, G9)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dibs.core.calendar import period_of
from dibs.core.periods import ALL, kind_of
from dibs.core.rep import Rep
from dibs.game.scoring.badges import badges_of
from dibs.game.scoring.metrics import parse
from dibs.game.scoring.points import level_of
from dibs.game.scoring.ports import OwnCard, OwnStandings
from dibs.rules.game import Level
from dibs.rules.playbook import Playbook

_POINTS = "points.sum"


def periods_of(rep: Rep, playbook: Playbook, now: datetime) -> tuple[str, str, str]:
    """Return the periods whose points are shown: this week, this month, and ever."""
    team = playbook.teams.get(rep.team)
    zone = rep.zone if team is None else team.zone
    return period_of("week", zone, now).name, period_of("month", zone, now).name, ALL


def earned(
    rep: Rep, playbook: Playbook, own: OwnCard, standings: OwnStandings, now: datetime
) -> dict[str, Any]:
    """Return what `GET /me` says of it; week and month are those of the team's zone."""
    week, month, _ = periods_of(rep, playbook, now)
    gained = {period: one.whole.get(_POINTS, 0) for period, one in own.sums.items()}
    account = own.account
    level, ahead = level_of(account, playbook.game.levels)
    return {
        "points": {
            "week": gained.get(week, 0),
            "month": gained.get(month, 0),
            "all": gained.get(ALL, 0),
            "balance": account.balance,
            "level": None if level is None else level.name,
            "next_level": _level(ahead),
        },
        "badges": _badges(rep, playbook, standings),
        "next_badges": _ahead(rep, playbook, own, now),
    }


def _ahead(rep: Rep, playbook: Playbook, own: OwnCard, now: datetime) -> list[dict[str, Any]]:
    """Return how far the rep is to each badge of this week, this month or ever, the nearest first.

    Those that are reached are left out, and those of other periods: their counts are not read here.
    """
    found = []
    periods = {kind_of(period): period for period in periods_of(rep, playbook, now)}
    for badge_id, badge in badges_of(playbook).items():
        period = periods.get(badge.per)
        if period is None or badge.at_least <= 0:
            continue
        value = parse(badge.formula).value(own.sums[period].whole if period in own.sums else {})
        have = 0.0 if value is None else float(value)
        if have < badge.at_least:
            found.append(
                {
                    "id": badge_id,
                    "name": badge.name,
                    "per": badge.per,
                    "have": have,
                    "at_least": float(badge.at_least),
                }
            )
    return sorted(found, key=lambda one: (-one["have"] / one["at_least"], one["id"]))


def _level(level: Level | None) -> dict[str, Any] | None:
    return None if level is None else {"name": level.name, "from_points": level.from_points}


def _badges(rep: Rep, playbook: Playbook, standings: OwnStandings) -> list[dict[str, Any]]:
    """Return the rep's badges, the newest first; one the playbook has dropped goes by its id."""
    known = badges_of(playbook)
    held = sorted(standings.badges(rep.rep_id), key=lambda badge: badge[2], reverse=True)
    return [
        {
            "id": badge_id,
            "name": known[badge_id].name if badge_id in known else badge_id,
            "period": period,
            "earned_at": earned_at,
        }
        for badge_id, period, earned_at in held
    ]
