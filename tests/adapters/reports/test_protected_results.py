"""What newcomers do in their protected weeks counts neither for tiers nor on boards (F9): by the
day a lead was taken, whatever the rep's phase is now."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from dibs.game.scoring.leaderboard import Asked
from dibs.game.scoring.response_speed import response_speed
from dibs.ledger.entries import Entry
from dibs.ledger.store import DynamoLedger, entry_item
from dibs.playbook.store import DynamoPlaybooks
from dibs.reports.recalculate import PeriodDeps, recalculate_tiers
from dibs.reports.store import DynamoPeriodResults, DynamoTargets
from dibs.reports.tiers import Inputs
from dibs.roster.store import DynamoRoster
from support.builders import NOON, World, a_playbook, a_rep

MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("minutes", "hours", "days"))
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
W47 = "2026-W47"
WEEKS = 12 * 7 * DAY


def rules(*, enabled: bool = True) -> Any:
    return a_playbook(
        teams={"north": {"name": "North", "model": "tiers"}},
        tiers={"weeks": 2, "minimum_sample": 2, "prior_sample": 2},
        newcomers={"enabled": enabled},
    )


def took(rep_id: str, at: datetime, week: str = W47) -> list[Entry]:
    """A lead taken, called a quarter of an hour later, and won the day after."""
    lead = f"{rep_id}-{at.isoformat()}"
    return [
        Entry(
            f"{kind}/{lead}",
            kind,
            rep_id,
            "north",
            when,
            week,
            lead,
            1,
            amount=amount,
            currency="USD",
        )
        for kind, when, amount in (
            ("claimed", at, None),
            ("contacted", at + 15 * MINUTE, None),
            ("won", at + DAY, 100),
        )
    ]


def place(world: World, joined: date | None, *, enabled: bool = True) -> Inputs:
    """Place a rep who took a lead each day of the two weeks before Monday; what was judged."""
    rep = a_rep(1, zone="UTC", joined_on=joined)
    world.add_rep(rep)
    world.put_playbook(rules(enabled=enabled))
    entries = [one for n in range(1, 15) for one in took(rep.rep_id, MONDAY - n * DAY + HOUR)]
    items = [entry_item(entry) for entry in entries]
    database, to = world.dynamo, world.settings
    database.batch_put(to.ledger_table, items)
    targets, results = DynamoTargets(database, to), DynamoPeriodResults(database, to)
    targets.put(date(2026, 11, 1), {rep.rep_id: 3000})
    books = PeriodDeps(
        roster=DynamoRoster(database, to),
        playbooks=DynamoPlaybooks(database, to),
        ledger=DynamoLedger(database, to),
        targets=targets,
        results=results,
        clock=lambda: NOON,
    )
    recalculate_tiers(books, NOON)
    return results.inputs(W47, [rep.rep_id])[rep.rep_id]


PLACED = [
    # The first day that counts, and how many of the fourteen leads do.
    (None, 14),
    (date(2026, 11, 9), 14),
    (date(2026, 11, 16), 7),
    (date(2026, 11, 22), 1),
    (date(2026, 11, 23), 0),
    (date(2027, 1, 1), 0),
]


@pytest.mark.parametrize(("first", "taken"), PLACED)
def test_a_tier_is_judged_on_what_was_taken_after_the_protected_weeks(
    world: World, first: date | None, taken: int
) -> None:
    judged = place(world, None if first is None else first - WEEKS)
    assert judged.taken == taken
    # The last lead was won on Monday, after the week.
    assert judged.converted == max(0, taken - 1)
    assert judged.response_seconds == (900 if taken else None)
    # A hundred are wanted of each day that counts; the first of all had none to sell.
    assert judged.attainment == (min(13, taken) / taken if taken else None)


def test_with_the_rule_off_everything_counts(world: World) -> None:
    assert place(world, date(2026, 11, 10), enabled=False).taken == 14


def test_a_board_shows_what_was_taken_after_the_protected_weeks(world: World) -> None:
    world.put_playbook(rules())
    wednesday = date(2026, 11, 18)
    ann = a_rep(1, zone="UTC", joined_on=wednesday - WEEKS)
    bob, new = a_rep(2, zone="UTC"), a_rep(3, zone="UTC", joined_on=wednesday)
    for rep in (ann, bob, new):
        world.add_rep(rep)
    entries = [
        one
        for rep in (ann, bob, new)
        for n in range(7)
        for one in took(rep.rep_id, MONDAY - 7 * DAY + n * DAY + HOUR)
    ]
    from support.fake_ledger import FakeLedger
    from support.fakes import Memory

    ledger = FakeLedger(Memory())
    ledger.put(entries)
    roster = DynamoRoster(world.dynamo, world.settings)
    asked = Asked("response_speed", "week", W47, team="north")
    board = response_speed(ledger, roster, asked, None, NOON)
    assert {row.id: row.speed.taken for row in board.rows if row.speed is not None} == {
        ann.rep_id: 5,
        bob.rep_id: 7,
    }
