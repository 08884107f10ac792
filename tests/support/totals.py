"""Counts on the boards, as if they had been scored."""

from __future__ import annotations

from datetime import date

from dibs.core.periods import periods
from dibs.core.rep import Rep
from dibs.game.scoring.store import FIRST, DynamoStandings
from support.builders import World


def add_totals(world: World, day: date, rep: Rep, team: str = "", **counts: int) -> None:
    """Add to a rep's counts of a day and publish them; `points__sum` is `points.sum`."""
    store = DynamoStandings(world.dynamo, world.settings)
    named = {name.replace("__", "."): number for name, number in counts.items()}
    sums = {(rep.rep_id, period) for period in periods(day.isoformat())}
    store.add(FIRST, {one: {(team or rep.team, False): named} for one in sums})
    store.publish(FIRST, sums, {rep.rep_id: rep.name}, {})
