"""Changes of boards are listed, and pages written when the list is long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from moto import mock_aws

from adapters.game.test_standings import AINA, BEN, CHONG, DAY, Game, claimed, faults, won
from dibs.aws import keys
from dibs.aws.clients import dynamodb
from dibs.aws.dynamo import Dynamo
from dibs.game.scoring import store as standings
from dibs.game.scoring.pages import Page
from dibs.game.scoring.score import score
from dibs.game.scoring.store import DynamoStandings
from support.builders import NOON
from support.fake_standings import Died

STORY = [claimed(), claimed(2, BEN), won(at=NOON + DAY), claimed(3, CHONG, at=NOON - 40 * DAY)]


@pytest.fixture(scope="module")
def database() -> Iterator[Dynamo]:
    with mock_aws():
        yield Dynamo(dynamodb())


@pytest.fixture
def game(database: Dynamo, request: pytest.FixtureRequest) -> Game:
    return Game(database, f"c{abs(hash(request.node.name))}")


def stored(game: Game, kind: str) -> list[str]:
    found = game.database.scan(game.settings.standings_table)
    return [item["sk"]["S"] for item in found if item["pk"]["S"].startswith(f"{kind}#")]


def test_an_activity_alone_is_one_small_item_and_no_page(game: Game) -> None:
    game.score(claimed())
    game.score(claimed(2, BEN))
    assert stored(game, "CHANGES") == ["000000"]
    assert stored(game, "PAGE") == []
    assert faults(game, claimed(), claimed(2, BEN)) == []


def test_a_long_list_goes_to_the_pages_and_boards_stay_as_they_were(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    game.score(*STORY)
    before = game.shown()
    other = DynamoStandings(game.database, game.settings)
    assert {one.rep_id for one in other.totals("all")} == set(before)
    game.standings.write_pages("1")
    assert stored(game, "CHANGES") == [keys.WRITTEN]
    assert stored(game, "PAGE")
    anew = DynamoStandings(game.database, game.settings)
    for reader in (game.standings, other, anew):
        assert {one.rep_id: dict(one.counts) for one in reader.totals("all")} == before
    # A list of no length at all: each publication writes its pages.
    monkeypatch.setattr(standings, "_LEAST_LISTED_BYTES", 0)
    monkeypatch.setattr(standings, "_MOST_LISTED_BYTES", 0)
    game.score(claimed(9))
    assert stored(game, "CHANGES") == [keys.WRITTEN]
    assert {one.rep_id: one.counts["claimed"] for one in other.totals("all")} == {
        AINA.rep_id: 2,
        BEN.rep_id: 1,
        CHONG.rep_id: 1,
    }
    assert faults(game, *STORY, claimed(9)) == []


@pytest.mark.parametrize("writes", range(6))
def test_writing_pages_may_die_anywhere_and_boards_are_right(
    game: Game, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    game.score(claimed(), claimed(2, BEN))
    left = [None] * writes
    with monkeypatch.context() as dying:
        for name in ("put", "delete"):
            write = getattr(Dynamo, name)

            def may_die(*args: Any, write: Any = write, **more: Any) -> Any:
                if not left:
                    raise Died
                left.pop()
                return write(*args, **more)

            dying.setattr(Dynamo, name, may_die)
        with pytest.raises(Died):
            game.standings.write_pages("1")
    assert faults(game, claimed(), claimed(2, BEN)) == []
    game.score(claimed(3))
    game.standings.write_pages("1")
    assert faults(game, claimed(), claimed(2, BEN), claimed(3)) == []


@pytest.mark.parametrize("left_undone", range(4))
def test_who_has_read_boards_before_sees_all_although_writing_pages_died(
    game: Game, monkeypatch: pytest.MonkeyPatch, left_undone: int
) -> None:
    """What was listed after they read the list may be gone from it when they read it again."""
    monkeypatch.setattr(standings, "_LISTED_BYTES", 0)
    game.score(claimed())
    reader = DynamoStandings(game.database, game.settings)
    assert [one.counts["claimed"] for one in reader.totals("all")] == [1]
    game.score(claimed(2))
    written = list[None]()
    writes = {name: getattr(Dynamo, name) for name in ("put", "delete")}

    def counted(most: int | None) -> None:
        written.clear()
        for name, write in writes.items():

            def may_die(*args: Any, write: Any = write, **more: Any) -> Any:
                if len(written) == most:
                    raise Died
                written.append(None)
                return write(*args, **more)

            monkeypatch.setattr(Dynamo, name, may_die)

    counted(None)
    before = list(game.database.scan(game.settings.standings_table))
    DynamoStandings(game.database, game.settings).write_pages("1")
    many = len(written)
    for item in list(game.database.scan(game.settings.standings_table)):
        game.database.delete(game.settings.standings_table, {k: item[k] for k in ("pk", "sk")})
    for item in before:
        writes["put"](game.database, game.settings.standings_table, item)
    counted(many - 1 - left_undone)
    with pytest.raises(Died):
        DynamoStandings(game.database, game.settings).write_pages("1")
    assert [one.counts["claimed"] for one in reader.totals("all")] == [2]
    counted(None)
    # The list begins anew: what it says counts, and no page is forgotten for it.
    game.score(claimed(3, BEN))
    shown = {one.rep_id: one.counts["claimed"] for one in reader.totals("all")}
    assert shown == {AINA.rep_id: 2, BEN.rep_id: 1}


def test_who_finds_nothing_to_write_leaves_what_is_known_of_pages(game: Game) -> None:
    """Of two who find the list too long, the later may find it empty."""
    game.score(claimed())

    def known() -> list[Any]:
        found = game.database.scan(game.settings.standings_table)
        return [item for item in found if item["sk"]["S"] == keys.WRITTEN]

    game.standings.write_pages("1")
    before = known()
    game.standings.write_pages("1")
    assert known() == before


def test_what_is_listed_while_pages_are_written_stays(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    game.score(claimed())
    put, first = game.standings._put_page, [True]

    def meanwhile(*args: Any) -> bool:
        if first:
            first.clear()
            other = DynamoStandings(game.database, game.settings)
            score(replace(game.scorer, standings=other), [claimed(2)])
        return put(*args)

    monkeypatch.setattr(game.standings, "_put_page", meanwhile)
    game.standings.write_pages("1")
    assert "000000" in stored(game, "CHANGES")
    assert faults(game, claimed(), claimed(2)) == []


def test_two_who_write_the_same_pages_at_once_lose_nothing(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    game.score(claimed())
    pages, first = game.standings._pages, [True]

    def late(generation: str, wanted: Any) -> Any:
        found = pages(generation, wanted)
        if first:
            first.clear()
            other = DynamoStandings(game.database, game.settings)
            score(replace(game.scorer, standings=other), [claimed(2)])
            other.write_pages("1")
        return found

    monkeypatch.setattr(game.standings, "_pages", late)
    game.standings.write_pages("1")
    assert faults(game, claimed(), claimed(2)) == []


def test_changes_beyond_an_items_size_are_more_items_and_none_is_too_large(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standings, "_LISTED_BYTES", 100)
    monkeypatch.setattr(standings, "_MOST_LISTED", 5)
    monkeypatch.setattr(standings, "_MOST_IN", 2)
    story = [claimed(n, rep) for n, rep in enumerate((AINA, BEN, CHONG, AINA))]
    game.standings.totals("all")
    for entry in story:
        game.score(entry)
        game.shown()
    assert len(stored(game, "CHANGES")) > 1
    assert game.shown()[AINA.rep_id]["claimed"] == 2
    assert faults(game, *story) == []


def test_pages_of_an_earlier_version_are_shown_and_changed(game: Game) -> None:
    """They name no versions."""
    game.score(claimed(), claimed(2, BEN))
    game.standings.write_pages("1")
    for item in list(game.database.scan(game.settings.standings_table)):
        if item["pk"]["S"].startswith("PAGE#"):
            body = standings.unpacked(item["reps"]["B"])
            del body["versions"], body["gone"]
            packed = standings.packed(body)
            game.database.put(game.settings.standings_table, {**item, "reps": {"B": packed}})
    anew = DynamoStandings(game.database, game.settings)
    assert {one.rep_id for one in anew.totals("all")} == {AINA.rep_id, BEN.rep_id}
    game.score(claimed(3))
    game.standings.write_pages("1")
    assert faults(game, claimed(), claimed(2, BEN), claimed(3)) == []


def test_a_page_that_has_not_changed_is_the_very_same(game: Game) -> None:
    game.score(claimed(), claimed(2, BEN))

    def pages() -> dict[str, Page]:
        return {page.ids[0]: page for page in game.standings.pages("all") if page.ids}

    before = pages()
    game.score(claimed(3))
    after = pages()
    assert after[BEN.rep_id] is before[BEN.rep_id]
    assert after[AINA.rep_id] is not before[AINA.rep_id]
