"""What standings promise, on their tables; `test_score.py` has what scoring promises."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from moto import mock_aws

from dibs.aws import dynamo, keys
from dibs.aws.clients import dynamodb
from dibs.aws.dynamo import ConditionFailed, Dynamo
from dibs.core.errors import Busy
from dibs.core.periods import covering
from dibs.game.scoring import leaderboard, ranking
from dibs.game.scoring import rebuild as rebuilding
from dibs.game.scoring import store as standings
from dibs.game.scoring.award_store import DynamoAwards
from dibs.game.scoring.metrics import value_of
from dibs.game.scoring.pages import Total, page_body, page_from, page_of
from dibs.game.scoring.points_store import DynamoPoints
from dibs.game.scoring.ports import Aggregate, Change
from dibs.game.scoring.rebuild import audit_standings, rebuild
from dibs.game.scoring.score import ScoreDeps, count, publish_days, rules_of, score
from dibs.game.scoring.store import DynamoStandings, unit_from, unit_item
from dibs.game.scoring.tally import Place, Tally, tally
from dibs.ledger.entries import Entry, new_entry, unit_of
from dibs.reports.store import DynamoTargets
from support.builders import NOON, World, a_lead, a_playbook, a_rep
from support.fake_standings import Died
from support.tables import create_tables

AINA, BEN, CHONG = a_rep(1), a_rep(2), a_rep(3, team="south")
PLAYBOOK = a_playbook(
    teams={"north": {"name": "North"}, "south": {"name": "South"}},
    game={"badges": {"two": {"name": "Two", "formula": "count(claimed)", "at_least": 2}}},
)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def database() -> Iterator[Dynamo]:
    with mock_aws():
        yield Dynamo(dynamodb())


class Game:
    """Scoring on real tables."""

    def __init__(self, database: Dynamo, prefix: str) -> None:
        self.settings = create_tables(database.client, prefix)
        self.world = World(database.client, self.settings, PLAYBOOK)
        for rep in (AINA, BEN, CHONG):
            self.world.add_rep(rep)
        self.database = database
        self.standings = DynamoStandings(database, self.settings)
        self.targets = DynamoTargets(database, self.settings)
        self.points = DynamoPoints(database, self.settings)
        self.scorer = ScoreDeps(
            self.standings,
            self.world.roster,
            self.world.playbooks,
            self.targets,
            DynamoAwards(database, self.settings),
            lambda: NOON,
            lambda _: None,
        )

    def score(self, *entries: Entry) -> int:
        return score(self.scorer, entries)

    def shown(self, period: str = "all") -> dict[str, dict[str, int]]:
        return {one.rep_id: dict(one.counts) for one in self.standings.totals(period)}


@pytest.fixture
def game(database: Dynamo, request: pytest.FixtureRequest) -> Game:
    return Game(database, f"g{abs(hash(request.node.name))}")


def claimed(number: int = 1, rep: Any = AINA, at: Any = NOON, **more: Any) -> Entry:
    lead = a_lead(lead_id=f"lead{number}")
    about = {"epoch": 1, "take_ms": 1000, **more}
    return new_entry(
        f"taken/{number}", "claimed", rep.rep_id, rep.team, at, PLAYBOOK, lead, **about
    )


def won(number: int = 1, rep: Any = AINA, at: Any = NOON, **more: Any) -> Entry:
    lead = a_lead(lead_id=f"lead{number}")
    about = {"epoch": 1, "amount": 700, "currency": "USD", **more}
    name = f"activity/won-{number}"
    return new_entry(name, "won", rep.rep_id, rep.team, at, PLAYBOOK, lead, **about)


def test_an_entry_counts_in_every_period_it_is_of(game: Game) -> None:
    assert game.score(claimed()) == 1
    for period in ("2026-11-23", "2026-W48", "2026-11", "2026-Q4", "all"):
        found = game.shown(period)[AINA.rep_id]
        assert (found["claimed"], found["points.sum"]) == (1, 10)
    assert game.shown("2026-W47") == {}


def test_the_same_entries_again_change_nothing(game: Game) -> None:
    game.score(claimed(), won())
    before = game.shown()
    assert game.score(won(), claimed(), won()) == 0
    assert game.shown() == before
    assert game.points.account(AINA.rep_id).balance == 260


def test_a_reversal_takes_points_back_and_the_balance_follows(game: Game) -> None:
    game.score(claimed(), won())
    lead = a_lead(lead_id="lead1")
    back = new_entry(
        "activity/back",
        "reversal",
        AINA.rep_id,
        "north",
        NOON + DAY,
        PLAYBOOK,
        lead,
        reverses="activity/won-1",
    )
    game.score(back)
    assert game.shown()[AINA.rep_id]["points.sum"] == 10
    assert game.points.account(AINA.rep_id).balance == 10


def test_names_and_targets_stand_beside_the_counts(game: Game) -> None:
    game.targets.put(date(2026, 11, 1), {AINA.rep_id: 3000})
    game.score(claimed(), claimed(2, BEN))
    [aina, ben] = sorted(game.standings.totals("2026-11"), key=lambda one: one.rep_id)
    assert (aina.name, aina.team, aina.counts["target.sum"]) == (AINA.name, "north", 3000)
    assert "target.sum" not in ben.counts
    assert {one.counts.get("target.sum") for one in game.standings.totals("2026-W48")} == {
        700,
        None,
    }


def test_what_is_protected_shows_on_no_board_and_is_the_reps_own(game: Game) -> None:
    game.score(claimed(protected=True), claimed(2))
    assert game.shown()[AINA.rep_id]["claimed"] == 1
    [own] = game.standings.sums(game.standings.live(), {(AINA.rep_id, "all")})
    assert own.whole["claimed"] == 2


def test_a_badge_comes_with_its_mark_and_goes_below_it(game: Game) -> None:
    game.score(claimed())
    assert game.standings.badges(AINA.rep_id) == []
    game.score(claimed(2))
    assert game.standings.badges(AINA.rep_id) == [("two", "all", NOON)]
    lead = a_lead(lead_id="lead2")
    undone = new_entry(
        "returned/2", "returned", AINA.rep_id, "north", NOON, PLAYBOOK, lead, cause="undone"
    )
    game.score(undone)
    assert game.standings.badges(AINA.rep_id) == []


def test_a_badge_waits_for_a_sum_that_has_moved_on(game: Game) -> None:
    game.score(claimed())
    [seen] = game.standings.sums("1", {(AINA.rep_id, "all")})
    game.score(claimed(2, at=NOON + DAY))
    assert not game.standings.award_badges("1", seen, frozenset({"two"}), NOON)


def test_a_unit_that_has_changed_meanwhile_is_left_alone(game: Game) -> None:
    rules = rules_of(game.world.playbooks)
    made = tally([claimed()], rules)
    game.score(claimed())
    stale = Change(Aggregate("lead/lead1", {"taken/1": claimed()}, made, 1), made.counts)
    fresh = Change(Aggregate("lead/lead9", {}, Tally(), 1), {})
    assert game.standings.apply("1", [stale]) == ["lead/lead1"]
    assert game.standings.apply("1", [fresh]) == []
    assert game.shown()[AINA.rep_id]["claimed"] == 1


def test_a_transaction_that_is_held_up_changes_nothing_and_is_tried_again(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    transact, held = game.database.client.transact_write_items, [1, 1]

    def sometimes(**request: Any) -> Any:
        from botocore.exceptions import ClientError

        if held and held.pop():
            reasons = [{"Code": "TransactionConflict"}]
            told: Any = {
                "Error": {"Code": "TransactionCanceledException"},
                "CancellationReasons": reasons,
            }
            raise ClientError(told, "TransactWriteItems")
        return transact(**request)

    monkeypatch.setattr(game.database.client, "transact_write_items", sometimes)
    assert game.score(claimed()) == 1
    assert held == []
    assert game.shown()[AINA.rep_id]["claimed"] == 1


def test_of_two_who_list_a_change_at_once_the_later_sum_is_shown(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that saw less must not have the last word."""
    game.score(claimed())
    sums, first = game.standings.sums, [True]

    def late(generation: str, wanted: Any) -> Any:
        found = sums(generation, wanted)
        if first.pop() if first else False:
            other = DynamoStandings(game.database, game.settings)
            score(replace(game.scorer, standings=other), [claimed(2)])
        return found

    monkeypatch.setattr(game.standings, "sums", late)
    key = (AINA.rep_id, "all")
    game.standings.publish("1", {key}, {AINA.rep_id: AINA.name}, {key: 5})
    assert game.shown()[AINA.rep_id]["claimed"] == 2
    game.standings.write_pages("1")
    assert game.shown()[AINA.rep_id]["claimed"] == 2


@pytest.mark.parametrize("writes", range(8))
def test_a_run_that_dies_between_two_writes_is_made_good_by_the_next(
    game: Game, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    client, left = game.database.client, [None] * writes
    with monkeypatch.context() as dying:
        for name in ("put_item", "transact_write_items"):
            write = getattr(client, name)

            def may_die(write: Any = write, **request: Any) -> Any:
                if not left:
                    raise Died
                left.pop()
                return write(**request)

            dying.setattr(client, name, may_die)
        with contextlib.suppress(Died):
            game.score(claimed(), claimed(2), won(3, BEN))
    game.score(claimed(), claimed(2), won(3, BEN))
    assert game.shown()[AINA.rep_id]["claimed"] == 2
    assert game.shown("2026-W48")[BEN.rep_id]["won"] == 1
    assert game.standings.badges(AINA.rep_id) == [("two", "all", NOON)]
    assert game.points.account(AINA.rep_id).balance == 20


def test_a_unit_reads_back_as_it_was_stored() -> None:
    entries = [claimed(shared=("x", "y")), won(at=NOON + DAY), claimed(2, protected=True)]
    made = tally(entries, lambda _: PLAYBOOK)
    unit = Aggregate("lead/lead1", {one.entry_id: one for one in entries}, made, 3)
    back = unit_from(unit_item("1", unit))
    assert (back.name, back.tally, back.version) == (unit.name, made, 3)
    assert tally(back.entries.values(), lambda _: PLAYBOOK) == made
    assert [place for place in made.counts if place.protected] == [
        Place(AINA.rep_id, "north", "2026-11-23", protected=True)
    ]


def test_many_units_of_many_reps_are_stored_in_transactions_that_fit(game: Game) -> None:
    reps = [a_rep(10 + number) for number in range(30)]
    entries = [claimed(number, reps[number % 30]) for number in range(120)]
    assert game.score(*entries) == 120
    assert {one.counts["claimed"] for one in game.standings.totals("all")} == {4}


# What boards read


def test_a_read_is_one_request_and_pages_that_were_seen_are_not_sent_again(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    game.score(claimed(), claimed(2, BEN))
    seen: list[int] = []
    query = game.database.client.query

    def counted(**request: Any) -> Any:
        answer = query(**request)
        if not request.get("ConsistentRead"):  # who publishes reads the list as it is
            seen.append(len(answer["Items"]))
        return answer

    game.shown()
    monkeypatch.setattr(game.database.client, "query", counted)
    before = game.standings.totals("all")
    assert game.standings.totals("all") is before
    other = DynamoStandings(game.database, game.settings)
    score(replace(game.scorer, standings=other), [claimed(3)])
    assert game.shown()[AINA.rep_id]["claimed"] == 2
    assert seen == [0, 0, 1]


def test_a_total_that_has_not_changed_is_the_very_same_when_its_page_is_read_again(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "page_of", lambda rep_id: "00")
    game.score(claimed(1, AINA), claimed(2, BEN))
    before = {one.rep_id: one for one in game.standings.totals("all")}
    game.score(claimed(3, AINA))
    after = {one.rep_id: one for one in game.standings.totals("all")}
    assert after[BEN.rep_id] is before[BEN.rep_id]
    assert after[AINA.rep_id].counts["claimed"] == 2


def test_totals_that_were_read_stay_as_they_were(game: Game) -> None:
    """A board tells by them what has changed since."""
    game.score(claimed(1, AINA))
    before = game.standings.totals("all")
    game.score(claimed(2, AINA), claimed(3, BEN))
    after = game.standings.totals("all")
    assert [one.counts["claimed"] for one in before] == [1]
    assert {one.rep_id: one.counts["claimed"] for one in after} == {AINA.rep_id: 2, BEN.rep_id: 1}


def test_a_board_works_out_anew_only_who_has_changed(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The promise of `Standings`: what has not changed is the very same object."""
    valued: list[int] = []

    def noted(metric: Any, counts: Any) -> Any:
        valued.append(counts["claimed"])
        return value_of(metric, counts)

    monkeypatch.setattr(ranking, "value_of", noted)
    leaderboard._known.clear()
    game.score(claimed(1, AINA), claimed(2, BEN), claimed(4, AINA))

    def board() -> list[Any]:
        asked = leaderboard.Asked("claims", "all")
        found = leaderboard.leaderboard(game.standings, a_playbook(), asked, None, NOON)
        return [(row.id, row.value) for row in found.rows]

    assert board() == board() == [(AINA.rep_id, 2), (BEN.rep_id, 1)]
    assert sorted(valued) == [1, 2]
    game.score(claimed(3, BEN), claimed(5, BEN))
    assert board() == [(BEN.rep_id, 3), (AINA.rep_id, 2)]
    assert valued[2:] == [3]


def test_a_rep_of_two_teams_who_is_renamed_has_the_new_name_in_both(game: Game) -> None:
    game.score(claimed(1, AINA), claimed(2, replace(AINA, team="south")))
    game.standings.totals("all")
    wanted = [(AINA.rep_id, "all")]
    game.standings.publish("1", wanted, {AINA.rep_id: "Aina binti Ali"}, {})
    found = game.standings.totals("all")
    assert [(one.team, one.name) for one in found] == [
        ("north", "Aina binti Ali"),
        ("south", "Aina binti Ali"),
    ]
    # Written for another rep's sake, the page has both their totals as they were.
    game.standings.publish("1", wanted, {AINA.rep_id: "Aina binti Ali"}, {wanted[0]: 5})
    again = game.standings.totals("all")
    assert [one is was for one, was in zip(again, found, strict=True)] == [False, True]


@pytest.mark.parametrize(
    ("first", "last", "periods"),
    [
        ("2026-11-23", "2026-11-23", ["2026-11-23"]),
        ("2026-11-23", "2026-11-29", ["2026-W48"]),
        ("2026-11-01", "2026-11-30", ["2026-11"]),
        ("2026-10-01", "2026-12-31", ["2026-Q4"]),
        ("2026-11-22", "2026-11-30", ["2026-11-22", "2026-W48", "2026-11-30"]),
        ("2026-09-30", "2027-01-01", ["2026-09-30", "2026-Q4", "2027-01-01"]),
        ("2026-01-01", "2026-12-31", ["2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4"]),
        ("2026-11-24", "2026-11-23", []),
    ],
)
def test_days_are_covered_by_the_fewest_periods(first: str, last: str, periods: list[str]) -> None:
    assert covering(date.fromisoformat(first), date.fromisoformat(last)) == periods


def test_a_year_is_its_quarters_and_the_very_same_while_nothing_changes(game: Game) -> None:
    game.score(claimed(1), claimed(2, at=NOON - 100 * DAY), claimed(3, BEN, at=NOON + 60 * DAY))
    year = game.standings.totals("2026")
    assert {one.rep_id: one.counts["claimed"] for one in year} == {AINA.rep_id: 2}
    assert game.standings.totals("2026") is year
    game.score(claimed(4))
    [now] = game.standings.totals("2026")
    assert now.counts["claimed"] == 3
    assert [one.rep_id for one in game.standings.totals("2027")] == [BEN.rep_id]


def test_of_what_was_added_up_only_the_latest_is_kept(game: Game) -> None:
    """Ten thousand reps are 30 MB; quarters are kept apart, as far as there is room."""
    game.score(claimed(1), claimed(2, at=NOON - 365 * DAY))
    before = game.standings.totals("2025")
    latest = game.standings.totals("2026")
    assert game.standings._added[1] is latest
    assert game.standings.totals("2025") == before
    assert game.standings.totals("2025") is not before


def test_who_did_something_in_one_quarter_alone_is_their_total_of_it(game: Game) -> None:
    game.score(claimed(1), claimed(2, BEN), claimed(3, BEN, at=NOON - 100 * DAY))
    of_quarter = {one.rep_id: one for one in game.standings.totals("2026-Q4")}
    of_year = {one.rep_id: one for one in game.standings.totals("2026")}
    assert of_year[AINA.rep_id] is of_quarter[AINA.rep_id]
    assert of_year[BEN.rep_id].counts["claimed"] == 2


def test_days_add_up_across_periods(game: Game) -> None:
    days = [date(2026, 11, 22), date(2026, 11, 23), date(2026, 11, 30), date(2026, 12, 1)]
    for number, day in enumerate(days):
        game.score(claimed(number, at=NOON + (day - NOON.date())))
    found = game.standings.between(date(2026, 11, 22), date(2026, 11, 30))
    assert [(one.rep_id, one.counts["claimed"]) for one in found] == [(AINA.rep_id, 3)]


# Generations


def test_what_is_being_built_shows_when_it_takes_over(game: Game) -> None:
    game.score(claimed())
    built = game.standings.begin()
    assert game.standings.generations() == ("1", built) == ("1", "2")
    game.score(claimed(2))
    other = DynamoStandings(game.database, game.settings)
    assert {one.counts["claimed"] for one in other.totals("all")} == {2}
    game.standings.swap(built)
    anew = DynamoStandings(game.database, game.settings)
    assert {one.counts["claimed"] for one in anew.totals("all")} == {1}
    assert game.points.account(AINA.rep_id).balance == 20


def test_one_that_was_given_up_takes_over_no_more(game: Game) -> None:
    first = game.standings.begin()
    second = game.standings.begin()
    with pytest.raises(ConditionFailed):
        game.standings.swap(first)
    game.standings.swap(second)
    assert game.standings.generations() == (second,)


def test_what_belongs_to_no_generation_is_forgotten(game: Game) -> None:
    game.score(claimed())
    built = game.standings.begin()
    game.score(claimed(2))
    game.standings.swap(built)
    game.standings.forget_others()
    left = game.database.scan(game.settings.standings_table)
    assert {one["pk"]["S"].split("#")[1] for one in left if "#" in one["pk"]["S"]} == {built}
    assert keys.GENERATION in {
        one["pk"]["S"] for one in game.database.scan(game.settings.standings_table)
    }


# Made anew, and held against the ledger


def quiet(what: str, done: int, of: int) -> None:
    assert done <= of or not of


def faults(game: Game, *entries: Entry) -> list[str]:
    found = audit_standings(game.scorer, game.standings, entries, game.points.transfers(), quiet)
    return [f"{one.kind} {one.where}: {one.what}" for one in found]


HISTORY = [
    claimed(),
    won(),
    claimed(2, BEN, protected=True),
    claimed(3, CHONG, at=NOON + 40 * DAY),
    won(3, CHONG, at=NOON + 41 * DAY),
]


def test_a_rebuild_is_what_was_scored(game: Game) -> None:
    game.score(*HISTORY)
    before = {one.rep_id + one.period: one for one in game.standings.every_sum("1")}
    told: list[str] = []
    done = rebuild(game.scorer, game.standings, HISTORY, lambda what, now, of: told.append(what))
    assert (done.generation, done.entries, done.units) == ("2", 5, 3)
    after = {one.rep_id + one.period: one for one in game.standings.every_sum("2")}
    assert {key: (one.counts, one.protected) for key, one in after.items()} == {
        key: (one.counts, one.protected) for key, one in before.items()
    }
    assert set(told) == {"entries", "units", "totals", "boards", "points"}
    assert game.points.account(AINA.rep_id).balance == 260
    anew = replace(game.scorer, standings=DynamoStandings(game.database, game.settings))
    assert score(anew, HISTORY) == 0
    assert faults(game, *HISTORY) == []


def test_what_is_scored_meanwhile_is_not_lost(game: Game) -> None:
    """A unit begun by somebody before the rebuild came to it, and one the ledger had not yet."""
    early, late = won(), claimed(9, BEN)
    game.score(claimed())

    def entries() -> Iterator[Entry]:
        game.score(early)
        yield claimed()
        yield early
        game.score(late)

    rebuild(game.scorer, game.standings, entries(), quiet)
    assert game.standings.generations() == ("2",)
    assert faults(game, claimed(), early, late) == []
    [aina] = game.standings.sums("2", {(AINA.rep_id, "all")})
    assert (aina.counts["north"]["won"], aina.counts["north"]["claimed"]) == (1, 1)


@pytest.mark.parametrize("stage", ["entries", "units", "totals", "boards"])
@pytest.mark.parametrize("at_once", [True, False])
def test_what_is_counted_at_any_stage_of_a_rebuild_is_on_boards_once_it_is_published(
    game: Game, stage: str, at_once: bool
) -> None:
    """Boards of a rebuild are made of what it knows; whoever counts meanwhile publishes later."""
    game.score(*HISTORY)
    late, again = claimed(9, AINA), claimed(10, BEN)
    due = list[Any]()

    def meanwhile(what: str, done: int, of: int) -> None:
        if what == stage and done == of and not due:
            due.extend(count(game.scorer, [late, again]).due)
            if at_once:
                publish_days(game.scorer, due)

    rebuild(game.scorer, game.standings, HISTORY, meanwhile)
    publish_days(game.scorer, due)
    assert faults(game, *HISTORY, late, again) == []
    assert game.standings.badges(AINA.rep_id)[0][:2] == ("two", "all")


@pytest.mark.parametrize("stage", ["entries", "units", "totals", "boards"])
def test_what_was_counted_and_published_during_a_rebuild_is_on_its_boards(
    game: Game, stage: str
) -> None:
    """The ledger had no entry of these leads when the rebuild read it, and nobody publishes them
    again. Their reps have totals that only the rebuild knows."""
    game.score(*HISTORY)
    late, done = [claimed(9, AINA), claimed(10, AINA), claimed(11, CHONG)], list[str]()

    def meanwhile(what: str, now: int, of: int) -> None:
        if what == stage and not done:
            done.append(what)
            game.score(*late[:1])
            game.score(*late[1:])

    rebuild(game.scorer, game.standings, HISTORY, meanwhile)
    assert faults(game, *HISTORY, *late) == []


def test_a_rebuild_writes_each_page_once_and_reads_each_total_once(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    game.score(*HISTORY)
    put, read = list[str](), list[str]()
    put_item, batch_get = game.database.client.put_item, game.database.client.batch_get_item

    def putting(**request: Any) -> Any:
        put.append(request["Item"]["pk"]["S"] + request["Item"]["sk"]["S"])
        return put_item(**request)

    def reading(**request: Any) -> Any:
        asked = request["RequestItems"].get(game.settings.standings_table, {"Keys": []})
        read.extend(key["pk"]["S"] + key["sk"]["S"] for key in asked["Keys"])
        return batch_get(**request)

    monkeypatch.setattr(game.database.client, "put_item", putting)
    monkeypatch.setattr(game.database.client, "batch_get_item", reading)
    monkeypatch.setattr(rebuilding, "A_SLICE", 2)
    rebuild(game.scorer, game.standings, HISTORY, quiet)
    pages = [name for name in put if name.startswith("PAGE#")]
    assert sorted(pages) == sorted(set(pages))
    totals = [name for name in read if name.startswith("TOTAL#") and keys.NEWEST not in name]
    assert sorted(totals) == sorted(set(totals))
    assert faults(game, *HISTORY) == []


def test_points_of_what_was_never_scored_are_booked_and_of_what_is_scored_later_not_again(
    game: Game,
) -> None:
    game.score(claimed())
    rebuild(game.scorer, game.standings, [claimed(), won()], quiet)
    assert game.points.account(AINA.rep_id).balance == 260
    anew = replace(game.scorer, standings=DynamoStandings(game.database, game.settings))
    assert score(anew, [won()]) == 0
    assert game.points.account(AINA.rep_id).balance == 260
    assert faults(game, claimed(), won()) == []


def test_a_rebuild_that_dies_changes_nothing_and_the_next_one_begins_again(game: Game) -> None:
    game.score(*HISTORY)

    def dying() -> Iterator[Entry]:
        yield claimed()
        raise Died

    with pytest.raises(Died):
        rebuild(game.scorer, game.standings, dying(), quiet)
    assert faults(game, *HISTORY) == []
    assert rebuild(game.scorer, game.standings, HISTORY, quiet).generation == "3"
    assert faults(game, *HISTORY) == []


def test_a_rebuild_mends_what_was_broken(game: Game) -> None:
    game.score(*HISTORY)
    key = {"pk": {"S": keys.totals_of("1", AINA.rep_id)}, "sk": {"S": "2026-W48"}}
    game.database.update(
        game.settings.standings_table,
        key,
        "ADD #won :one",
        ExpressionAttributeNames={"#won": "north|won"},
        ExpressionAttributeValues={":one": {"N": "1"}},
    )
    assert faults(game, *HISTORY) == [
        f"total {AINA.rep_id} 2026-W48 north: won is 2; by the ledger 1"
    ]
    rebuild(game.scorer, game.standings, HISTORY, quiet)
    assert faults(game, *HISTORY) == []


def test_an_audit_names_what_boards_and_accounts_miss(game: Game) -> None:
    game.score(*HISTORY[1:])
    found = faults(game, *HISTORY)
    assert f"board {AINA.rep_id} all north: claimed is 0; by the ledger 1" in found
    assert f"total {AINA.rep_id} all north: claimed is 0; by the ledger 1" in found
    award = f"claim/lead1/1/{AINA.rep_id}"
    assert f"points {award}: 0 points posted; by the ledger 10" in found


def test_an_audit_names_what_should_not_be_there(game: Game) -> None:
    game.score(*HISTORY)
    found = faults(game, *HISTORY[1:])
    award = f"claim/lead1/1/{AINA.rep_id}"
    assert f"points {award}: 10 points posted; by the ledger 0" in found
    assert f"total {AINA.rep_id} 2026-11 north: claimed is 1; by the ledger 0" in found


PAYING = replace(
    PLAYBOOK,
    game=replace(
        PLAYBOOK.game,
        points=replace(PLAYBOOK.game.points, pod_percent=50, activities={"call": 2}),
    ),
)


def test_what_a_pod_earned_in_four_months_fits_although_the_claim_comes_last(game: Game) -> None:
    game.world.put_playbook(PAYING)
    mates, lead = tuple(a_rep(n).rep_id for n in range(10, 18)), a_lead(lead_id="lead1")
    done = {
        "contacted": timedelta(minutes=1),
        "opportunity": 40 * DAY,
        "won": 80 * DAY,
        "call": 120 * DAY,
    }
    story = [
        new_entry(
            f"activity/{kind}",
            kind,
            AINA.rep_id,
            "north",
            NOON + after,
            PLAYBOOK,
            lead,
            epoch=1,
            shared=mates,
        )
        for kind, after in done.items()
    ]
    game.score(*story)
    game.score(claimed(shared=mates))
    points = {rep_id: of["points.sum"] for rep_id, of in game.shown().items()}
    # Half of 10, 25, 50 and 200 between eight, rounded down; the call's two are the rep's own.
    assert points == {AINA.rep_id: 285 - 8 * 16 + 2} | dict.fromkeys(mates, 16)
    assert {rep_id: game.points.balance(rep_id) for rep_id in points} == points


def test_two_hundred_paid_calls_about_one_lead_are_one_batch(game: Game) -> None:
    game.world.put_playbook(PAYING)
    lead = a_lead(lead_id="lead1")
    calls = [
        new_entry(f"activity/{n}", "call", AINA.rep_id, "north", NOON + n * DAY / 5, PLAYBOOK, lead)
        for n in range(200)
    ]
    assert game.score(*calls) == 1
    assert game.shown()[AINA.rep_id] == {"call": 200, "points.sum": 400}
    assert game.points.balance(AINA.rep_id) == 400


def test_a_target_counts_once_for_a_rep_of_two_teams(game: Game) -> None:
    game.targets.put(date(2026, 11, 1), {AINA.rep_id: 3000})
    game.score(won(), won(2, replace(AINA, team="south"), amount=900), claimed(3))
    targets = {one.team: one.counts.get("target.sum") for one in game.standings.totals("2026-11")}
    assert targets == {"north": None, "south": 3000}


def test_what_shows_already_is_not_written_again(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    game.score(claimed())
    puts = []
    put = game.database.put

    def counted(*args: Any, **more: Any) -> None:
        puts.append(args)
        put(*args, **more)

    monkeypatch.setattr(game.database, "put", counted)
    game.score(claimed())
    assert puts == []
    game.score(claimed(2, at=NOON - DAY))
    assert len(puts) == 1
    game.standings.write_pages("1")
    del puts[:]
    game.standings.write_pages("1")
    # Nothing is listed: no page, only that pages were written.
    assert len(puts) <= 1


def test_an_audit_names_a_board_of_a_day_of_which_nothing_is_left(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    game.score(claimed())
    undone = replace(
        claimed(), entry_id="returned/1", kind="returned", cause="undone", take_ms=None
    )

    def dies(*_: Any) -> None:
        raise Died

    with monkeypatch.context() as patch, pytest.raises(Died):
        patch.setattr(game.standings, "publish", dies)
        game.score(undone)
    found = faults(game, claimed(), undone)
    assert f"board {AINA.rep_id} 2026-11-23 north: claimed is 1; by the ledger 0" in found
    game.score(undone)
    assert faults(game, claimed(), undone) == []


def test_of_two_that_begin_at_once_one_is_refused(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = DynamoStandings(game.database, game.settings)
    monkeypatch.setattr(other, "generations", lambda: ("1",))
    assert game.standings.begin() == "2"
    with pytest.raises(ConditionFailed):
        other.begin()
    assert game.standings.begin() == "3"


def test_pages_are_kept_as_far_as_memory_has_room(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standings, "_MOST_TOTALS", 3)
    game.score(*(claimed(n, at=NOON + n * DAY) for n in range(1, 5)))
    days = [f"2026-11-{day}" for day in range(24, 28)]
    for day in (*days[:3], days[0], days[3]):
        game.standings.totals(day)
    assert [period for _, period in game.standings._seen] == [days[2], days[0], days[3]]


def test_a_unit_or_its_awards_are_not_stored_over_a_version_they_do_not_follow(game: Game) -> None:
    game.score(claimed())
    game.score(won())
    awards = DynamoAwards(game.database, game.settings)
    unit = game.standings.units("1", ["lead/lead1"])["lead/lead1"]
    booked_now = awards.posted_awards(["lead/lead1"])["lead/lead1"]
    assert (unit.version, booked_now.version) == (2, 2)
    place = Place(AINA.rep_id, "north", "2026-11-23")
    for version, refused in ((2, True), (4, True), (3, False)):
        change = Change(replace(unit, version=version), {place: {"call": 1}})
        assert game.standings.apply("1", [change]) == ["lead/lead1"] * refused
        settled = awards.settle([(replace(booked_now, version=version), ())])
        assert settled == ["lead/lead1"] * refused
    assert game.standings.sums("1", {(AINA.rep_id, "all")})[0].counts["north"]["call"] == 1


def test_ten_thousand_reps_are_read_in_one_request() -> None:
    """A request gives a megabyte; these are pages of thirty counts each, in numbers that vary."""
    draw = Random(1)
    small, large = [f"count_{n}" for n in range(25)], [f"amount_{n}.sum" for n in range(5)]

    def total(number: int) -> Total:
        counts = {name: draw.randrange(1, 60) for name in small}
        counts |= {name: draw.randrange(10**7) for name in large}
        return Total(a_rep(number).rep_id, "north", f"Rep {number}", counts)

    totals = [total(number) for number in range(10_000 // keys.PAGES)]
    body = standings.packed(page_body(page_of(totals)))
    assert page_from(standings.unpacked(body)).totals() == totals
    assert len(body) * keys.PAGES < 800_000


def test_a_write_of_a_rebuild_whose_answer_is_lost_counts_once(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    """botocore sends a request again when no answer comes: a transaction has a token for that."""
    sent: list[Any] = []
    for name in ("put_item", "update_item"):
        write = getattr(game.database.client, name)

        def noted(write: Any = write, name: str = name, **request: Any) -> Any:
            sent.append((name, request["Key"] if "Key" in request else request["Item"]))
            return write(**request)

        monkeypatch.setattr(game.database.client, name, noted)
    rebuild(game.scorer, game.standings, HISTORY, quiet)
    of_pages = ("PAGE#", keys.GENERATION)
    assert sent
    assert all(key["pk"]["S"].startswith(of_pages) for _, key in sent)


def test_a_rebuild_goes_on_when_others_hold_what_it_writes(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    game.score(*HISTORY)
    before, met, transact = game.shown(), list[Any](), Dynamo.transact

    def held_at_first(self: Dynamo, writes: Any, token: str | None = None) -> None:
        if writes not in met:
            met.append(writes)
            raise Busy(conflict=True)
        transact(self, writes, token)

    monkeypatch.setattr(Dynamo, "transact", held_at_first)
    monkeypatch.setattr(dynamo, "_pause", lambda: None)
    rebuild(game.scorer, game.standings, HISTORY, quiet)
    assert met
    assert DynamoStandings(game.database, game.settings).live() == "2"
    assert faults(game, *HISTORY) == []
    assert game.shown() == before


def test_a_write_of_a_rebuild_that_lands_late_counts_once(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DynamoDB says that a transaction is in progress, and then it is done after all."""
    transact, landed = Dynamo.transact, set[str]()

    def in_progress_at_first(self: Dynamo, writes: Any, token: str | None = None) -> None:
        if token in landed:
            return
        transact(self, writes)
        if token is not None:
            landed.add(token)
            raise Busy(conflict=True)

    monkeypatch.setattr(Dynamo, "transact", in_progress_at_first)
    monkeypatch.setattr(dynamo, "_pause", lambda: None)
    rebuild(game.scorer, game.standings, HISTORY, quiet)
    assert len(landed) >= 2
    assert faults(game, *HISTORY) == []


@pytest.mark.parametrize(("room", "loads"), [(60, 3), (2, 30)])
def test_units_are_filled_in_transactions_that_fit_but_for_those_that_are_there(
    game: Game, monkeypatch: pytest.MonkeyPatch, room: int, loads: int
) -> None:
    """By number and by size; what somebody scored meanwhile is left alone."""
    entries = [claimed(number) for number in range(100, 160)]
    units = [Aggregate(unit_of(one), {one.entry_id: one}, Tally(), 1) for one in entries]
    game.score(entries[7], entries[8], entries[44])
    there = [units[number].name for number in (7, 8, 44)]
    largest = max(len(unit_item("1", unit)["body"]["B"]) for unit in units)
    monkeypatch.setattr(standings, "_MOST_BYTES", room * largest)
    sent: list[int] = []
    transact = Dynamo.transact

    def counted(self: Dynamo, writes: Any, token: str | None = None) -> None:
        assert len(writes) <= standings._MOST_FILLED
        sent.append(sum(len(one["Put"]["Item"]["body"]["B"]) for one in writes))
        transact(self, writes, token)

    monkeypatch.setattr(Dynamo, "transact", counted)
    assert game.standings.fill("1", units) == there
    assert max(sent) <= room * largest
    # A load that met somebody else's is sent again without it.
    assert len(sent) <= loads + 3
    assert set(game.standings.units("1", [unit.name for unit in units])) == {u.name for u in units}
    assert game.standings.fill("1", units) == [unit.name for unit in units]
