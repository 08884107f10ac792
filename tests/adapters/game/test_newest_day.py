"""A rep's newest day is counted by itself, on the tables; `Game` is that of `test_standings.py`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from moto import mock_aws

from adapters.game.test_standings import AINA, BEN, DAY, Game, claimed, faults, won
from dibs.aws.clients import dynamodb
from dibs.aws.dynamo import Dynamo
from dibs.core.errors import Busy
from dibs.game.scoring.rebuild import rebuild
from dibs.game.scoring.score import count, score
from dibs.game.scoring.store import DynamoStandings
from support.builders import NOON


@pytest.fixture(scope="module")
def database() -> Iterator[Dynamo]:
    with mock_aws():
        yield Dynamo(dynamodb())


@pytest.fixture
def game(database: Dynamo, request: pytest.FixtureRequest) -> Game:
    return Game(database, f"n{abs(hash(request.node.name))}")


def test_more_of_the_same_day_writes_its_unit_and_one_total(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    count(game.scorer, [claimed()])
    written: list[int] = []
    transact = Dynamo.transact

    def counted(self: Dynamo, writes: Any, token: str | None = None) -> None:
        tables = [next(iter(write.values()))["TableName"] for write in writes]
        written.append(tables.count(game.settings.standings_table))
        transact(self, writes, token)

    monkeypatch.setattr(Dynamo, "transact", counted)
    count(game.scorer, [claimed(2)])
    assert sum(written) == 2


def test_days_in_any_order_are_what_the_ledger_says(game: Game) -> None:
    story = [
        made(number, rep, at=NOON + day * DAY)
        for number, day in enumerate((0, 3, -40, 10))
        for made, rep in ((claimed, AINA), (won, AINA))
    ] + [claimed(9, BEN), claimed(10, AINA, protected=True)]
    Random(3).shuffle(story)
    for entry in story:
        game.score(entry)
    assert faults(game, *story) == []
    assert game.shown("all")[AINA.rep_id]["claimed"] == 4
    [own] = game.standings.sums("1", {(AINA.rep_id, "all")})
    assert own.whole["claimed"] == 5


def test_what_an_earlier_version_counted_of_today_stays(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It added all to the totals of five periods, the newest day as well."""
    with monkeypatch.context() as earlier:
        earlier.setattr(game.standings, "live", lambda: "none")
        count(game.scorer, [claimed()])
    game.score(claimed(2), claimed(3, at=NOON + DAY))
    assert faults(game, claimed(), claimed(2), claimed(3, at=NOON + DAY)) == []


def test_sums_read_while_a_day_closes_miss_nothing_and_count_nothing_twice(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One read is of several items: some from before the day closed, some from after."""
    count(game.scorer, [claimed()])
    before = list(game.standings._now(_items(game)))
    count(game.scorer, [claimed(2, at=NOON + DAY)])
    after = list(game.standings._now(_items(game)))
    now = game.standings._now

    def torn(first: list[Any]) -> Any:
        answers = [first]
        return lambda wanted: answers.pop() if answers else now(wanted)

    def newest(items: list[Any]) -> list[Any]:
        return [item for item in items if item["sk"]["S"] == "NEWEST"]

    def others(items: list[Any]) -> list[Any]:
        return [item for item in items if item["sk"]["S"] != "NEWEST"]

    for mixed in (newest(before) + others(after), newest(after) + others(before)):
        monkeypatch.setattr(game.standings, "_now", torn(mixed))
        [week] = game.standings.sums("1", {(AINA.rep_id, "2026-W48")})
        assert week.counts["north"]["claimed"] == 2
    monkeypatch.setattr(game.standings, "_now", lambda wanted: newest(before) + others(after))
    with pytest.raises(Busy):
        game.standings.sums("1", {(AINA.rep_id, "2026-W48")})


def _items(game: Game) -> list[Any]:
    pk = {"S": f"TOTAL#1#{AINA.rep_id}"}
    return [{"pk": pk, "sk": {"S": sk}} for sk in ("2026-W48", "NEWEST")]


def test_two_who_begin_a_day_at_once_count_both(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    game.score(claimed())
    other = DynamoStandings(game.database, game.settings)
    now, first = game.standings._now, [True]

    def late(wanted: Any) -> Any:
        found = list(now(wanted))
        if wanted and wanted[0]["sk"]["S"] == "NEWEST" and first:
            first.clear()
            entry = claimed(2, at=NOON + DAY)
            count(replace(game.scorer, standings=other), [entry])
        return iter(found)

    monkeypatch.setattr(game.standings, "_now", late)
    game.score(claimed(3, at=NOON + DAY))
    game.score(claimed(2, at=NOON + DAY))
    assert first == []
    story = [claimed(), claimed(2, at=NOON + DAY), claimed(3, at=NOON + DAY)]
    assert faults(game, *story) == []


def test_a_rebuild_is_counted_on_by_newest_days(game: Game) -> None:
    game.score(claimed())
    rebuild(game.scorer, game.standings, [claimed()], lambda *_: None)
    anew = replace(game.scorer, standings=DynamoStandings(game.database, game.settings))
    later = [claimed(2), claimed(3, at=NOON + DAY)]
    for entry in later:
        score(anew, [entry])
    assert faults(game, claimed(), *later) == []
