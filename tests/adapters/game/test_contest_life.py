"""A contest is set up, opened, counted, closed and paid, also after a crash (G4-G7)."""

from __future__ import annotations

import hmac
import itertools
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from dibs.aws import keys
from dibs.aws.attributes import Item
from dibs.aws.settings import Settings
from dibs.core.errors import IllegalMove, InvalidInput, RouteNotFound
from dibs.core.events import LATE_AFTER, LeadEvent
from dibs.core.rep import Rep
from dibs.game.contests.ports import PlannedContest, SignedResult
from dibs.game.contests.rules import Contest, FrozenContest, result_text
from dibs.game.contests.run import (
    ContestDeps,
    ContestRun,
    cancel,
    coming,
    flaws,
    gap,
    listed,
    look,
    plan,
    preview,
    run,
)
from dibs.game.contests.store import DynamoContests
from dibs.game.scoring.award_store import DynamoAwards
from dibs.game.scoring.score import ScoreDeps, score
from dibs.game.scoring.store import DynamoStandings
from dibs.intake.ports import Pending
from dibs.ledger.entries import Entry, new_entry
from dibs.ledger.store import DynamoLedger
from dibs.reports.store import DynamoTargets
from dibs.roster import store as roster_store
from support.aws import empty_tables
from support.builders import NOON, World, a_playbook, a_rep
from support.interleaving import meanwhile
from support.totals import add_totals

MONDAY, SUNDAY = date(2026, 11, 30), date(2026, 12, 6)
OPENS, ENDS = datetime(2026, 11, 30, tzinfo=UTC), datetime(2026, 12, 7, tzinfo=UTC)
CUT_OFF = ENDS + timedelta(days=2)
# What is written at the cut-off has arrived by then.
CLOSES = CUT_OFF + LATE_AFTER
MS, HOUR = timedelta(milliseconds=1), timedelta(hours=1)
AINA, BEN = a_rep(1), a_rep(2)
CHONG = a_rep(3, team="south")
TEAMS = {"north": {"name": "North"}, "south": {"name": "South"}}
CHALLENGES = {"rotation": ["speed_week", "quality_month"], "starts": str(MONDAY), "minimum": 0}

WEEK = Contest(
    "week",
    "The week",
    "individual",
    MONDAY,
    SUNDAY,
    metric="count(call)",
    teams=("north",),
    prize_points=(100, 50),
)


class Field:
    """An organisation with contests."""

    def __init__(self, world: World) -> None:
        self.world = world
        stores = (world.dynamo, world.settings)
        self.contests = DynamoContests(*stores)
        self.targets = DynamoTargets(*stores)
        self.ledger = DynamoLedger(*stores)
        self.rules()
        for rep in (AINA, BEN, CHONG):
            world.add_rep(rep)
        seeds = map(str, itertools.count())
        self.arena = ContestDeps(
            contests=self.contests,
            roster=world.roster,
            standings=DynamoStandings(*stores),
            ledger=self.ledger,
            targets=self.targets,
            playbooks=world.playbooks,
            unsent=world.leads.waiting_in_outbox,
            sign=lambda text: hmac.new(b"key", text.encode(), "sha256").hexdigest(),
            seed=lambda: next(seeds),
        )

    def anew(self) -> Field:
        """Return a new organisation in place of this one."""
        empty_tables()
        return Field(World(self.world.dynamo.client, self.world.settings))

    def rules(self, **changes: Any) -> None:
        self.world.put_playbook(a_playbook(**{"teams": TEAMS, **changes}))

    def plan(self, contest: Contest = WEEK, now: datetime = NOON) -> None:
        plan(self.arena, contest, "manager", now)

    def call(self, rep: Rep, number: int, day: date = MONDAY) -> None:
        add_totals(self.world, day, rep, call=number)

    def run(self, at: datetime) -> ContestRun:
        return run(self.arena, at)

    def stored(self, contest_id: str = "week") -> PlannedContest:
        found = self.contests.get(contest_id)
        assert found is not None
        return found

    def state(self, contest_id: str = "week") -> str:
        return self.stored(contest_id).state

    def start(self) -> tuple[FrozenContest, str]:
        found = self.contests.frozen("week")
        assert found is not None
        return found

    def signed(self) -> SignedResult:
        found = self.contests.result("week")
        assert found is not None
        return found

    def ids(self) -> list[str]:
        return [one.contest.contest_id for one in self.contests.all()]

    def entries(self) -> dict[str, Entry]:
        return {entry.entry_id: entry for entry in self.ledger.everything()}

    def prizes(self) -> dict[str, int | None]:
        return {name: entry.amount for name, entry in self.entries().items()}

    def text(self, what: str) -> str:
        """Return a stored text, as it is kept."""
        item = self.world.dynamo.get(self.world.settings.game_table, part_key(what))
        assert item is not None
        return zlib.decompress(bytes(item[what.lower()]["B"])).decode()

    def alter(self, what: str, text: str) -> None:
        """Change a stored text behind the store's back."""
        self.world.dynamo.update(
            self.world.settings.game_table,
            part_key(what),
            "SET #what = :packed",
            "attribute_exists(pk)",
            ExpressionAttributeNames={"#what": what.lower()},
            ExpressionAttributeValues={":packed": {"B": zlib.compress(text.encode())}},
        )


def part_key(what: str) -> Item:
    return {"pk": {"S": keys.contest("week")}, "sk": {"S": what}}


@pytest.fixture
def ground(world: World, monkeypatch: pytest.MonkeyPatch) -> Field:
    # A playbook or a rep that changes within a test is seen at once.
    monkeypatch.setattr(roster_store, "PLAYBOOK_SECONDS", -1.0)
    monkeypatch.setattr(roster_store, "ROSTER_SECONDS", -1.0)
    return Field(world)


# Set-up


def test_a_contest_is_set_up_and_changed_until_it_begins(ground: Field) -> None:
    ground.plan()
    stored = ground.stored()
    assert (stored.contest, stored.state, stored.by) == (WEEK, "upcoming", "manager")
    assert (stored.times.opens_at, stored.times.ends_at, stored.times.cut_off_at) == (
        OPENS,
        ENDS,
        CUT_OFF,
    )
    changed = replace(WEEK, prize="Dinner")
    ground.plan(changed)
    assert ground.stored().contest == changed


def test_the_same_contest_again_changes_nothing_whenever_it_comes(ground: Field) -> None:
    ground.plan()
    ground.run(OPENS)
    ground.plan(WEEK, OPENS + HOUR)
    assert ground.state() == "live"


@pytest.mark.parametrize("ran", [False, True])
def test_what_has_begun_is_not_changed(ground: Field, ran: bool) -> None:
    ground.plan()
    if ran:
        ground.run(OPENS)
    later = replace(WEEK, first_day=MONDAY + timedelta(days=2), name="Other")
    with pytest.raises(IllegalMove):
        ground.plan(later, OPENS)
    assert ground.stored().contest == WEEK


@pytest.mark.parametrize(
    ("after", "allowed"), [(-MS, True), (0 * MS, True), (24 * HOUR - MS, True), (24 * HOUR, False)]
)
def test_a_contest_begins_today_or_later(ground: Field, after: timedelta, allowed: bool) -> None:
    if allowed:
        ground.plan(WEEK, OPENS + after)
        ground.run(OPENS + after)
        assert ground.state() == ("upcoming" if after < 0 * MS else "live")
        return
    with pytest.raises(InvalidInput) as refused:
        ground.plan(WEEK, OPENS + after)
    assert [error.field for error in refused.value.errors] == ["first_day"]


def test_what_makes_no_sense_is_not_stored(ground: Field) -> None:
    with pytest.raises(InvalidInput):
        ground.plan(replace(WEEK, metric="nonsense"))
    assert ground.contests.all() == []


# Opening


@pytest.mark.parametrize(("after", "state"), [(-MS, "upcoming"), (0 * MS, "live")])
def test_it_opens_with_its_first_day(ground: Field, after: timedelta, state: str) -> None:
    ground.plan()
    ground.run(OPENS + after)
    assert ground.state() == state


def test_who_joins_later_is_not_in_and_who_leaves_keeps_what_they_have(ground: Field) -> None:
    ground.plan()
    ground.run(OPENS)
    late = a_rep(4)
    ground.world.add_rep(late)
    ground.world.roster.deactivate(AINA.rep_id, MONDAY)
    ground.call(AINA, 5)
    ground.call(late, 9)
    standing = look(ground.arena, "week", None, OPENS + HOUR).standing
    assert standing is not None
    assert [(row.who, row.value) for row in standing.reps] == [(AINA.rep_id, 5), (BEN.rep_id, 0)]


def test_metrics_and_targets_stay_as_they_were_at_the_start(ground: Field) -> None:
    mine = {"effort": {"formula": "count(call)", "means": "Calls."}}
    ground.rules(game={"metrics": mine})
    ground.targets.put(date(2026, 11, 1), {AINA.rep_id: 30})
    ground.targets.put(date(2026, 12, 1), {AINA.rep_id: 31})
    ground.plan(replace(WEEK, metric="effort", handicap="own_target"))
    ground.run(OPENS)
    ground.rules(game={"metrics": {"effort": {"formula": "count(email)", "means": "Mail."}}})
    ground.targets.put(date(2026, 12, 1), {AINA.rep_id: 999, BEN.rep_id: 1})
    ground.call(AINA, 14)
    standing = look(ground.arena, "week", None, OPENS + HOUR).standing
    assert standing is not None
    # One day in November and six in December, with a target of 1 a day.
    assert [(row.who, row.value, row.why) for row in standing.reps] == [
        (AINA.rep_id, 200, None),
        (BEN.rep_id, None, "no_target"),
    ]


def test_changing_teams_before_the_start_makes_no_improvement(ground: Field) -> None:
    ground.plan(replace(WEEK, improvement=True, keeps="count(won)"))
    add_totals(ground.world, MONDAY - timedelta(days=6), AINA, "south", call=50, won=2)
    add_totals(ground.world, MONDAY - timedelta(days=1), AINA, "north", call=1)
    ground.run(OPENS)
    add_totals(ground.world, MONDAY, AINA, "north", call=52, won=2)
    add_totals(ground.world, SUNDAY, AINA, "south", call=9)
    standing = look(ground.arena, "week", None, OPENS + HOUR).standing
    assert standing is not None
    mine = next(row for row in standing.reps if row.who == AINA.rep_id)
    assert (mine.value, mine.why) == (1, None)


def test_a_contest_that_was_missed_whole_is_opened_and_closed_by_the_next_run(
    ground: Field,
) -> None:
    ground.plan()
    ground.call(BEN, 3)
    ground.call(AINA, 1)
    assert ground.run(CLOSES + 30 * 24 * HOUR) == ContestRun(opened=1, closed=1, paid=2)
    assert ground.state() == "final"
    assert ground.prizes() == {f"prize/week/{BEN.rep_id}": 100, f"prize/week/{AINA.rep_id}": 50}


def test_one_whose_metric_is_gone_keeps_no_other_from_opening(ground: Field) -> None:
    ground.rules(game={"metrics": {"effort": {"formula": "count(call)", "means": "Calls."}}})
    ground.plan(replace(WEEK, contest_id="effort", metric="effort"))
    ground.plan()
    ground.rules()
    for _ in range(2):
        with pytest.raises(ValueError, match="'effort' stands alone"):
            ground.run(OPENS)
    assert (ground.state("effort"), ground.state()) == ("upcoming", "live")
    cancel(ground.arena, "effort")
    ground.run(OPENS)


# Counting and closing


def test_each_run_keeps_how_it_stands(ground: Field) -> None:
    ground.plan()
    ground.run(OPENS)
    ground.call(AINA, 2)
    assert ground.run(OPENS + HOUR) == ContestRun(counted=1)
    found = ground.contests.standing("week")
    assert found is not None
    standing, at = found
    assert (standing.reps[0].who, at) == (AINA.rep_id, OPENS + HOUR)


@pytest.mark.parametrize(
    ("at", "phase"),
    [
        (OPENS, "live"),
        (ENDS - MS, "live"),
        (ENDS, "counting"),
        (CLOSES - MS, "counting"),
        (CLOSES, "final"),
    ],
)
def test_after_its_end_it_waits_for_late_data(ground: Field, at: datetime, phase: str) -> None:
    ground.plan()
    ground.run(OPENS)
    ground.run(at)
    assert look(ground.arena, "week", None, at).phase == phase


def test_late_data_count_until_the_cut_off_and_not_after_it(ground: Field) -> None:
    ground.plan()
    ground.run(OPENS)
    ground.call(AINA, 3, SUNDAY)
    ground.run(ENDS)
    ground.call(BEN, 4, SUNDAY)  # on the last day, reported late
    ground.call(AINA, 9, SUNDAY + timedelta(days=1))  # done after the end
    ground.run(CLOSES)
    ground.call(AINA, 9, SUNDAY)  # reported too late
    ground.run(CLOSES + HOUR)
    view = look(ground.arena, "week", None, CUT_OFF + HOUR)
    assert view.standing is not None
    assert [(row.who, row.value) for row in view.standing.reps] == [
        (BEN.rep_id, 4),
        (AINA.rep_id, 3),
    ]
    assert view.verified


def test_the_result_is_signed_and_what_was_altered_is_named(ground: Field) -> None:
    ground.plan(replace(WEEK, metric="", tickets={"call": 1}))
    ground.call(AINA, 2)
    ground.call(BEN, 2)
    ground.run(CLOSES)
    arena = ground.arena
    assert flaws(ground.contests, arena.sign, "week") == []
    signed = ground.signed()
    ground.alter("RESULT", signed.text.replace("The week", "My week"))
    assert flaws(ground.contests, arena.sign, "week") == ["the result is not as it was signed"]
    assert not look(arena, "week", None, CUT_OFF).verified
    ground.alter("RESULT", result_text(replace(signed.result, seed="other")))
    assert "the seed is not the one that was committed to" in flaws(
        ground.contests, arena.sign, "week"
    )
    ground.alter("RESULT", signed.text)
    assert flaws(ground.contests, arena.sign, "week") == []
    frozen = ground.text("FROZEN")
    ground.alter("FROZEN", frozen.replace(BEN.rep_id, CHONG.rep_id))
    assert flaws(ground.contests, arena.sign, "week") == ["the entrants are not those of the start"]


def test_prizes_are_entries_of_the_ledger(ground: Field) -> None:
    ground.plan()
    ground.call(AINA, 2)
    ground.run(CLOSES)
    entry = ground.entries()[f"prize/week/{AINA.rep_id}"]
    assert (entry.kind, entry.rep_id, entry.team) == ("prize", AINA.rep_id, "north")
    assert (entry.amount, entry.currency, entry.cause) == (100, "", "week")
    assert (entry.at, entry.day, entry.lead_id) == (CLOSES, "2026-12-09", None)


def test_a_run_that_is_repeated_changes_nothing(ground: Field) -> None:
    ground.plan()
    ground.call(AINA, 2)
    ground.run(CLOSES)
    signed, entries = ground.signed(), ground.entries()
    for at in (CLOSES, CLOSES + HOUR):
        assert ground.run(at) == ContestRun()
    assert ground.signed() == signed
    assert ground.entries() == entries


WRITES = ("plan", "open", "refresh", "close", "paid")


TIMES = (OPENS, OPENS + HOUR, ENDS, CLOSES, CUT_OFF + timedelta(days=60))


class Died(Exception):
    """The process died."""


def begin(ground: Field) -> None:
    ground.rules(game={"challenges": CHALLENGES})
    ground.plan()
    ground.call(AINA, 2)
    ground.call(BEN, 1)


def end(ground: Field) -> tuple[object, ...]:
    planned = ground.contests.all()
    results = [ground.contests.result(one.contest.contest_id) for one in planned]
    return planned, results, ground.entries()


@pytest.fixture(scope="module")
def calm(moto_dynamodb: Any, moto_tables: Settings) -> object:
    """What runs come to if none of them dies."""
    empty_tables()
    ground = Field(World(moto_dynamodb, moto_tables))
    begin(ground)
    for at in TIMES:
        ground.run(at)
    return end(ground)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("write", [*WRITES, "put"])
def test_a_run_that_dies_at_any_write_is_made_good_by_the_next(
    ground: Field, calm: object, monkeypatch: pytest.MonkeyPatch, write: str, after: bool
) -> None:
    begin(ground)
    store: Any = ground.ledger if write == "put" else ground.contests
    real: Callable[..., Any] = getattr(store, write)
    died = []

    def dies(*arguments: Any) -> Any:
        if died:
            return real(*arguments)
        died.append(True)
        if after:
            real(*arguments)
        raise Died

    monkeypatch.setattr(store, write, dies)
    for at in TIMES:
        with suppress(Died):
            ground.run(at)
            continue
        ground.run(at)
    assert died
    assert end(ground) == calm
    assert ground.state() == "final"
    assert not any(one.owed for one in ground.contests.all())


def test_two_runs_at_once_store_one_result_and_book_each_prize_once(
    ground: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    ground.plan()
    ground.call(AINA, 2)
    ground.run(OPENS)

    def faster() -> None:
        ground.call(BEN, 9)  # reported between the two
        ground.run(CLOSES)

    meanwhile(monkeypatch, ground.contests, "close", faster)
    ground.run(CLOSES)
    assert ground.prizes() == {f"prize/week/{BEN.rep_id}": 100, f"prize/week/{AINA.rep_id}": 50}
    assert ground.signed().result.standing.prizes == {
        BEN.rep_id: 100,
        AINA.rep_id: 50,
    }


def test_the_seed_of_a_lottery_is_settled_at_the_start(ground: Field) -> None:
    ground.plan(replace(WEEK, metric="", tickets={"call": 1}))
    ground.run(OPENS)
    frozen, seed = ground.start()
    assert frozen.commitment
    ground.call(AINA, 1)
    view = look(ground.arena, "week", AINA, OPENS + HOUR)
    assert view.standing is not None and view.standing.reps[0].place is None
    ground.run(CLOSES)
    result = ground.signed().result
    assert (result.seed, result.commitment) == (seed, frozen.commitment)
    assert result.standing.reps[0].place == 1


# Cancelling


def test_a_contest_is_called_off_until_it_is_final(ground: Field) -> None:
    with pytest.raises(RouteNotFound):
        cancel(ground.arena, "week")
    ground.plan()
    ground.run(OPENS)
    for _ in range(2):
        assert cancel(ground.arena, "week").state == "cancelled"
    ground.run(CLOSES)
    assert ground.state() == "cancelled"
    assert ground.prizes() == {}
    with pytest.raises(IllegalMove):
        ground.plan(replace(WEEK, name="Again"))


def test_a_final_one_stays(ground: Field) -> None:
    ground.plan()
    ground.run(CLOSES)
    with pytest.raises(IllegalMove):
        cancel(ground.arena, "week")


# Dry runs


def test_a_preview_on_past_data_stores_nothing(ground: Field) -> None:
    day = NOON.date() - timedelta(days=40)
    ground.call(BEN, 3, day)
    past = replace(WEEK, first_day=day, last_day=day)
    frozen, standing = preview(ground.arena, past, NOON)
    assert [(row.who, row.value) for row in standing.reps] == [(BEN.rep_id, 3), (AINA.rep_id, 0)]
    assert len(frozen.entrants) == 2
    assert ground.contests.all() == []


def test_a_preview_of_a_lottery_draws(ground: Field) -> None:
    ground.call(BEN, 3)
    _, standing = preview(ground.arena, replace(WEEK, metric="", tickets={"call": 1}), NOON)
    assert [(row.who, row.place) for row in standing.reps] == [(BEN.rep_id, 1), (AINA.rep_id, None)]


def test_a_hidden_contest_is_seen_by_managers_alone_and_pays_nothing(ground: Field) -> None:
    ground.plan(replace(WEEK, hidden=True))
    ground.call(AINA, 2)
    for at in (NOON, OPENS, CLOSES):
        ground.run(at)
        with pytest.raises(RouteNotFound):
            look(ground.arena, "week", AINA, at)
        assert listed(ground.arena, AINA, at) == []
        assert look(ground.arena, "week", None, at).planned.contest.hidden
    assert ground.prizes() == {}


def test_a_rep_knows_of_contests_they_are_in(ground: Field) -> None:
    sides = {"red": (AINA.rep_id,), "blue": (CHONG.rep_id,)}
    ground.plan()
    ground.plan(replace(WEEK, contest_id="sides", kind="team", teams=(), sides=sides))
    seen = {
        rep.rep_id: [view.planned.contest.contest_id for view in listed(ground.arena, rep, NOON)]
        for rep in (AINA, BEN, CHONG)
    }
    assert seen == {
        AINA.rep_id: ["sides", "week"],
        BEN.rep_id: ["week"],
        CHONG.rep_id: ["sides"],
    }
    with pytest.raises(RouteNotFound):
        look(ground.arena, "week", CHONG, NOON)
    # An entrant who moved to another team is still in it.
    ground.run(OPENS)
    moved = replace(AINA, team="south")
    assert look(ground.arena, "week", moved, OPENS).standing is not None


def test_the_gap_is_to_the_next_place_up(ground: Field) -> None:
    ground.plan(replace(WEEK, teams=("north", "south")))
    ground.run(OPENS)
    for rep, number in ((AINA, 9), (BEN, 9), (CHONG, 4)):
        ground.call(rep, number)
    standing = look(ground.arena, "week", None, OPENS).standing
    assert standing is not None
    assert [gap(standing, row) for row in standing.reps] == [None, None, 5]


def test_the_gap_is_to_ones_own_tier(ground: Field) -> None:
    first, second = (replace(rep, tier=1) for rep in (AINA, BEN))
    for rep in (first, second):
        ground.world.roster.put_profile(rep, ("tier",))
    by_tier = {"1": ("count(call)",), "2": ("count(call)",)}
    ground.plan(replace(WEEK, metric="", metric_by_tier=by_tier, teams=("north", "south")))
    ground.run(OPENS)
    for rep, number in ((AINA, 9), (BEN, 7), (CHONG, 100)):
        ground.call(rep, number)
    standing = look(ground.arena, "week", None, OPENS).standing
    assert standing is not None
    assert [gap(standing, row) for row in standing.reps] == [None, 2, None]


def test_a_target_is_that_of_the_days_one_was_there(ground: Field) -> None:
    joined = replace(AINA, joined_on=MONDAY + timedelta(days=3))
    ground.world.roster.put_profile(joined, ("joined_on",))
    ground.targets.put(date(2026, 12, 1), {AINA.rep_id: 31})
    ground.plan(replace(WEEK, handicap="own_target"))
    ground.run(OPENS)
    [mine] = [one for one in ground.start()[0].entrants if one.target is not None]
    assert (mine.rep_id, mine.target) == (AINA.rep_id, 4)


def test_a_live_contest_is_seen_by_who_is_in_it_and_by_its_teams(ground: Field) -> None:
    ground.plan()
    ground.run(OPENS)
    with pytest.raises(RouteNotFound):
        look(ground.arena, "week", CHONG, OPENS + HOUR)
    moved = replace(AINA, team="south")
    for viewer in (AINA, moved, replace(CHONG, team="north")):
        assert look(ground.arena, "week", viewer, OPENS + HOUR).phase == "live"


# Challenges


def test_challenges_open_close_and_pay_by_themselves(ground: Field) -> None:
    ground.rules(game={"challenges": CHALLENGES})
    add_totals(
        ground.world, MONDAY, AINA, response_seconds__sum=5000, response_seconds__n=5, taken=5
    )
    assert ground.run(OPENS - MS) == ContestRun()
    assert ground.run(OPENS).opened == 1
    week = "challenge-speed_week-2026-W49"
    assert ground.stored(week).by == "playbook"
    ground.run(datetime(2026, 12, 1, tzinfo=UTC))
    assert ground.state("challenge-quality_month-2026-12") == "live"
    ground.run(CLOSES)
    assert ground.state(week) == "final"
    assert ground.prizes() == {f"prize/{week}/{AINA.rep_id}": 100}
    # The next challenge is live.
    assert ground.state("challenge-speed_week-2026-W50") == "live"


def test_a_challenge_that_was_missed_whole_is_not_made_up_for(ground: Field) -> None:
    ground.rules(game={"challenges": {**CHALLENGES, "rotation": ["speed_week"]}})
    ground.run(ENDS)
    assert ground.ids() == ["challenge-speed_week-2026-W50"]


def test_a_challenge_that_was_called_off_stays_off(ground: Field) -> None:
    ground.rules(game={"challenges": CHALLENGES})
    ground.run(OPENS)
    cancel(ground.arena, "challenge-speed_week-2026-W49")
    ground.run(OPENS + HOUR)
    assert ground.state("challenge-speed_week-2026-W49") == "cancelled"


def test_a_live_challenge_keeps_its_prize_when_the_playbook_changes(ground: Field) -> None:
    ground.rules(game={"challenges": CHALLENGES})
    ground.run(OPENS)
    ground.rules(game={"challenges": {**CHALLENGES, "prize_points": [1, 1, 1]}})
    ground.run(OPENS + HOUR)
    stored = ground.stored("challenge-speed_week-2026-W49")
    assert stored.contest.prize_points == (100, 50, 25)


def test_what_is_coming_is_known_four_weeks_ahead(ground: Field) -> None:
    ground.rules(game={"challenges": CHALLENGES})
    found = [slot.period for slot, _ in coming(ground.arena, OPENS)]
    assert found == ["2026-W49", "2026-12", "2026-W50", "2026-W51", "2026-W52", "2026-W53"]


def test_a_changed_rotation_adds_no_second_challenge_to_a_week(ground: Field) -> None:
    weekly = {**CHALLENGES, "rotation": ["speed_week"]}
    ground.rules(game={"challenges": weekly})
    ground.run(OPENS)
    changed = {**weekly, "rotation": ["volume_sprint", "quality_month"], "prize": "A car"}
    ground.rules(game={"challenges": changed})
    ground.run(OPENS + HOUR)
    assert ground.ids() == ["challenge-speed_week-2026-W49"]
    (slot, contest), (month, _), (following, _), *_ = coming(ground.arena, OPENS + HOUR)
    assert (slot.challenge, contest.contest_id, contest.prize) == (
        "speed_week",
        "challenge-speed_week-2026-W49",
        "",
    )
    assert (month.challenge, following.challenge) == ("quality_month", "volume_sprint")
    # The next week follows the new rotation.
    ground.run(ENDS)
    assert ground.state("challenge-volume_sprint-2026-W50") == "live"
    cancel(ground.arena, "challenge-volume_sprint-2026-W50")
    assert [one.period for one, _ in coming(ground.arena, ENDS)][:2] == ["2026-12", "2026-W51"]


@pytest.mark.parametrize(
    ("zone", "opens", "ends"),
    [
        ("Pacific/Kiritimati", datetime(2026, 11, 29, 10, tzinfo=UTC), ENDS - 14 * HOUR),
        ("Pacific/Pago_Pago", datetime(2026, 11, 30, 11, tzinfo=UTC), ENDS + 11 * HOUR),
    ],
)
def test_a_challenge_opens_and_ends_by_its_teams_clocks(
    ground: Field, zone: str, opens: datetime, ends: datetime
) -> None:
    rules = {
        "teams": {"north": {"name": "North", "zone": zone}},
        "game": {"challenges": {**CHALLENGES, "rotation": ["speed_week"]}},
    }
    ground.rules(**rules)
    assert ground.run(opens - MS) == ContestRun()
    assert ground.run(opens).opened == 1
    late = ground.anew()
    late.rules(**rules)
    late.run(ends - MS)  # the first run of all
    assert late.ids() == ["challenge-speed_week-2026-W49"]
    late = ground.anew()
    late.rules(**rules)
    late.run(ends)
    assert late.ids() == ["challenge-speed_week-2026-W50"]


# What was recorded by the cut-off


def told(
    ground: Field, rep: Rep, number: int, at: datetime, recorded_at: datetime, kind: str = "call"
) -> list[Entry]:
    """Record activities; they are not scored yet."""
    playbook = ground.world.roster.playbook()
    entries = [
        new_entry(
            f"activity/{kind}/{rep.rep_id}/{at.isoformat()}/{n}/{recorded_at.isoformat()}",
            kind,
            rep.rep_id,
            rep.team,
            at,
            playbook,
            recorded_at=recorded_at,
        )
        for n in range(number)
    ]
    ground.ledger.put(entries)
    return entries


def count(ground: Field, entries: list[Entry]) -> None:
    stores = (ground.world.dynamo, ground.world.settings)
    deps = ScoreDeps(
        DynamoStandings(*stores),
        ground.world.roster,
        ground.world.playbooks,
        ground.targets,
        DynamoAwards(*stores),
        lambda: NOON,
    )
    score(deps, entries)
    ground.ledger.scored([entry.entry_id for entry in entries])


def values(ground: Field, at: datetime = CLOSES) -> list[tuple[str, object]]:
    standing = look(ground.arena, "week", None, at).standing
    assert standing is not None
    return [(row.who, row.value) for row in standing.reps]


@pytest.mark.parametrize(
    ("recorded_at", "counts"), [(CUT_OFF - MS, True), (CUT_OFF, False), (CUT_OFF + HOUR, False)]
)
def test_calls_told_after_the_cut_off_do_not_count_though_the_job_is_late(
    ground: Field, recorded_at: datetime, counts: bool
) -> None:
    ground.plan()
    ground.run(OPENS)
    count(ground, told(ground, BEN, 4, ENDS - HOUR, ENDS))
    count(ground, told(ground, AINA, 5, ENDS - HOUR, recorded_at))
    ground.run(CUT_OFF + 2 * HOUR)
    assert ground.state() == "final"
    first, second = (AINA, 5), (BEN, 4)
    if not counts:
        first, second = (BEN, 4), (AINA, 0)
    assert values(ground) == [(rep.rep_id, value) for rep, value in (first, second)]


def test_a_reversal_after_the_cut_off_takes_nothing_back(ground: Field) -> None:
    ground.plan()
    ground.run(OPENS)
    calls = told(ground, AINA, 5, ENDS - HOUR, ENDS)
    count(ground, [*calls, *told(ground, BEN, 4, ENDS - HOUR, ENDS)])
    back = replace(
        calls[0],
        entry_id="activity/back",
        kind="reversal",
        at=CUT_OFF + MS,
        recorded_at=CUT_OFF + MS,
        reverses=calls[0].entry_id,
    )
    ground.ledger.put([back])
    count(ground, [back])
    assert values(ground, ENDS)[0] == (AINA.rep_id, 4)
    ground.run(CUT_OFF + HOUR)
    assert values(ground) == [(AINA.rep_id, 5), (BEN.rep_id, 4)]


def test_the_close_waits_until_what_was_told_in_time_is_scored(ground: Field) -> None:
    ground.plan()
    ground.run(OPENS)
    waiting = told(ground, AINA, 5, ENDS - HOUR, ENDS)
    count(ground, told(ground, BEN, 4, ENDS - HOUR, ENDS))
    for at in (CLOSES, CLOSES + HOUR):
        ground.run(at)
        assert look(ground.arena, "week", None, at).phase == "counting"
    count(ground, waiting)
    ground.run(CLOSES + 2 * HOUR)
    assert ground.state() == "final"
    assert values(ground) == [(AINA.rep_id, 5), (BEN.rep_id, 4)]


def test_what_was_told_too_late_and_is_not_scored_holds_up_nothing(ground: Field) -> None:
    ground.plan()
    ground.run(OPENS)
    told(ground, AINA, 5, ENDS - HOUR, CUT_OFF + MS)
    ground.run(CLOSES)
    assert ground.state() == "final"


@pytest.mark.parametrize("at", [CUT_OFF, CLOSES - MS])
def test_what_is_being_written_at_the_cut_off_is_waited_for(ground: Field, at: datetime) -> None:
    ground.plan()
    ground.run(at)
    assert ground.state() == "live"
    ground.run(CLOSES)
    assert ground.state() == "final"


@pytest.mark.parametrize("step", ["unsent", "unrecorded"])
def test_the_close_waits_for_a_claim_that_is_not_in_the_ledger(
    ground: Field, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    ground.plan()
    ground.run(OPENS)
    event = LeadEvent("lead.claimed", "lead", 1, AINA.rep_id)
    pending = Pending({"lead_id": "lead", "sk": keys.CLAIM}, ENDS, event)
    arena = ground.arena
    with monkeypatch.context() as patched:
        if step == "unsent":
            ground.arena = replace(arena, unsent=lambda before: [pending])
        else:
            patched.setattr(ground.ledger, "unrecorded", lambda before: ["lead"])
        ground.run(CLOSES)
        assert ground.state() == "live"
    ground.arena = arena
    ground.run(CLOSES + HOUR)
    assert ground.state() == "final"


# By the hour


FRIDAY = date(2026, 12, 4)
TWO = datetime(2026, 12, 4, 14, tzinfo=UTC)
HOURS = replace(
    WEEK, first_day=FRIDAY, last_day=FRIDAY, from_time="14:00", to_time="16:00", late_days=0
)


def test_a_contest_by_the_hour_counts_what_was_done_within_it(ground: Field) -> None:
    ground.plan(HOURS)
    ground.run(TWO)
    count(ground, told(ground, AINA, 2, TWO - MS, TWO))  # before it
    count(ground, told(ground, AINA, 1, TWO, TWO + MS))
    count(ground, told(ground, BEN, 2, TWO + 2 * HOUR - MS, TWO + 2 * HOUR - MS))
    count(ground, told(ground, AINA, 5, TWO + 2 * HOUR, TWO + 2 * HOUR))  # after it
    count(ground, told(ground, AINA, 3, TWO + HOUR, TWO + 2 * HOUR))  # told too late
    ground.run(TWO + HOUR)
    expected = [(BEN.rep_id, 2), (AINA.rep_id, 1)]
    assert values(ground, TWO + HOUR) == expected
    ground.run(TWO + 2 * HOUR + LATE_AFTER)
    assert ground.state() == "final"
    assert values(ground) == expected
    assert ground.prizes()[f"prize/week/{BEN.rep_id}"] == 100


def test_hours_are_each_teams_own_or_those_of_one_zone(ground: Field) -> None:
    teams = {"north": {"zone": "Asia/Kuala_Lumpur"}, "south": {"zone": "Europe/London"}}
    ground.rules(teams={name: TEAMS[name] | rules for name, rules in teams.items()})
    both = replace(HOURS, teams=("north", "south"))
    for contest, own, his in (
        (replace(both, contest_id="own"), 6, 14),
        (replace(both, contest_id="one", zone="Asia/Kuala_Lumpur"), 6, 6),
    ):
        ground.plan(contest)
        day = datetime(2026, 12, 4, tzinfo=UTC)
        ground.run(day + own * HOUR)
        for rep, hour in ((AINA, own), (CHONG, his)):
            for at in (hour * HOUR - MS, hour * HOUR, (hour + 2) * HOUR - MS, (hour + 2) * HOUR):
                count(ground, told(ground, rep, 1, day + at, day + at))
        ground.run(day + (his + 2) * HOUR + LATE_AFTER)
        standing = look(ground.arena, contest.contest_id, None, day + 20 * HOUR).standing
        assert standing is not None
        assert {row.who: row.value for row in standing.reps}[CHONG.rep_id] == 2


def test_improvement_by_the_hour_compares_the_same_hours(ground: Field) -> None:
    ground.plan(replace(HOURS, improvement=True))
    yesterday = TWO - 24 * HOUR
    count(ground, told(ground, AINA, 9, yesterday - HOUR, yesterday))
    count(ground, told(ground, AINA, 2, yesterday, yesterday))
    ground.run(TWO)
    count(ground, told(ground, AINA, 5, TWO, TWO))
    ground.run(TWO + HOUR)
    assert values(ground, TWO + HOUR)[0] == (AINA.rep_id, 3)
