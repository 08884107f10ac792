"""Old points lapse (G9): once for each rep and month, whatever happens to the run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dibs.core.errors import Busy
from dibs.core.jobs import JobResult
from dibs.game.rewards.requests import decay_monthly
from dibs.game.scoring.points import ISSUED, LAPSED, SPENT, Account, Transfer
from dibs.game.scoring.points_store import DynamoPoints
from dibs.ledger.store import DynamoLedger
from dibs.reports.recalculate import PeriodDeps
from dibs.reports.store import DynamoPeriodResults, DynamoTargets
from support.builders import World, a_playbook, a_rep
from support.fakes import Clock

MS, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("milliseconds", "hours", "days"))
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
JANUARY = datetime(2027, 1, 1, tzinfo=UTC)
CUTOFF = DECEMBER - 90 * DAY
REPS = [a_rep(number) for number in (1, 2, 3)]
AINA, BEN, CHONG = (rep.rep_id for rep in REPS)


class Bank:
    """An organisation of three reps, and what the job works with."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.points = DynamoPoints(world.dynamo, world.settings)
        self.rules(10)
        for rep in REPS:
            world.add_rep(rep)

    def rules(self, percent: int, after_days: int = 90) -> None:
        decay = {"percent": percent, "after_days": after_days}
        self.world.put_playbook(a_playbook(game={"decay": decay}))

    def run(self, as_of: datetime = DECEMBER, points: Any = None) -> JobResult:
        database, to = self.world.dynamo, self.world.settings
        books = PeriodDeps(
            roster=self.world.roster,
            playbooks=self.world.playbooks,
            ledger=DynamoLedger(database, to),
            targets=DynamoTargets(database, to),
            results=DynamoPeriodResults(database, to),
            clock=Clock(as_of),
        )
        return decay_monthly(books, points or self.points, as_of)

    def earned(self, points: int, at: datetime, rep_id: str = AINA) -> None:
        name = f"award/{rep_id}/{at}/{points}"
        assert self.points.book([Transfer(name, ISSUED, rep_id, points, at, "won")])

    def balances(self) -> tuple[int, ...]:
        return tuple(self.points.balance(rep.rep_id) for rep in REPS)


@pytest.fixture
def bank(world: World) -> Bank:
    return Bank(world)


def test_a_share_of_what_was_earned_long_ago_lapses(bank: Bank) -> None:
    bank.earned(109, CUTOFF)
    bank.earned(100, CUTOFF + MS, BEN)
    bank.earned(200, CUTOFF - DAY, CHONG)
    bank.earned(50, DECEMBER - DAY, CHONG)
    bank.points.book([Transfer("reward/1", CHONG, SPENT, 120, DECEMBER - DAY, "reward")])
    assert bank.run(DECEMBER - MS) == JobResult(1, 3, 0)  # October: nothing was that old by then
    assert bank.run() == JobResult(1, 3, 2)
    assert bank.balances() == (99, 100, 122)  # of Chong's old ones 80 were left
    [lapse] = [one for one in bank.points.history(AINA, 9)[0] if one.to_account == LAPSED]
    assert lapse == Transfer(
        f"decay/{AINA}/2026-11", AINA, LAPSED, 10, DECEMBER, "decay", "2026-11"
    )
    assert bank.points.account(AINA) == Account(AINA, 99, 109, 10)


def test_a_month_is_never_done_twice_and_the_next_one_goes_on_from_there(bank: Bank) -> None:
    bank.earned(1000, CUTOFF)
    bank.run()
    for later in (timedelta(), HOUR, 30 * DAY):
        assert bank.run(DECEMBER + later) == JobResult()
    assert bank.balances()[0] == 900
    bank.run(JANUARY)
    assert bank.balances()[0] == 810


def test_a_run_that_died_is_gone_on_with_under_the_rules_it_began_with(bank: Bank) -> None:
    for rep in REPS:
        bank.earned(100, CUTOFF, rep.rep_id)

    class Dying(DynamoPoints):
        left = 1

        def book(self, *transfers: Any, **how: Any) -> bool:
            if not self.left:
                raise Busy
            self.left -= 1
            return super().book(*transfers, **how)

    with pytest.raises(Busy):
        bank.run(points=Dying(bank.world.dynamo, bank.world.settings))
    assert sorted(bank.balances()) == [90, 100, 100]
    bank.rules(50)
    assert bank.run(DECEMBER + HOUR) == JobResult(1, 3, 2)
    assert bank.balances() == (90, 90, 90)


def test_a_run_whose_end_was_not_noted_changes_nothing_again(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank.earned(100, CUTOFF)
    with monkeypatch.context() as patched:
        patched.setattr(DynamoPeriodResults, "end", lambda *_: None)
        bank.run()
    assert bank.run() == JobResult(1, 3, 0)
    assert bank.balances()[0] == 90


def test_a_month_that_ended_while_the_rule_was_off_is_done_with(bank: Bank) -> None:
    bank.rules(0)
    bank.earned(100, CUTOFF)
    assert bank.run() == JobResult(1, 0, 0)
    bank.rules(10)
    assert bank.run(DECEMBER + HOUR) == JobResult()
    assert bank.balances()[0] == 100
    bank.run(JANUARY)
    assert bank.balances()[0] == 90


def after_the_balance(
    bank: Bank, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]
) -> None:
    """Let `act` run once, after Aina's balance was read."""
    read = bank.points.account

    def account(rep_id: str) -> Account:
        found = read(rep_id)
        if rep_id == AINA:
            monkeypatch.setattr(bank.points, "account", read)
            act()
        return found

    monkeypatch.setattr(bank.points, "account", account)


def test_who_spends_meanwhile_never_owes_what_lapses(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank.rules(100)
    bank.earned(100, CUTOFF)
    reward = Transfer("reward", AINA, SPENT, 70, DECEMBER, "reward")
    after_the_balance(bank, monkeypatch, lambda: bank.points.book([reward], covered=True))
    bank.run()
    assert bank.points.account(AINA) == Account(AINA, 0, 100, lapsed=30, spent=70)


def test_what_is_awarded_meanwhile_is_new(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    bank.earned(100, CUTOFF)
    after_the_balance(bank, monkeypatch, lambda: bank.earned(60, DECEMBER + MS))
    bank.run()
    # Of the balance as it was read, 60 may be the new ones: a share of the other 40 lapses.
    assert bank.points.account(AINA).lapsed == 4
