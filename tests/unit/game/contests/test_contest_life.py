"""A contest is set up, opened, counted, closed and paid, also after a crash (G4-G7)."""

from __future__ import annotations

import hmac
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from dibs.core.errors import IllegalMove, InvalidInput, RouteNotFound
from dibs.core.rep import Rep
from dibs.game.contests.rules import Contest
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
from support.builders import NOON, a_playbook, a_rep
from support.fake_contests import FakeContests, FakeStandings, FakeTargets
from support.fake_ledger import FakeLedger
from support.fakes import FakeWorld

MONDAY, SUNDAY = date(2026, 11, 30), date(2026, 12, 6)
OPENS, ENDS = datetime(2026, 11, 30, tzinfo=UTC), datetime(2026, 12, 7, tzinfo=UTC)
CUT_OFF = ENDS + timedelta(days=2)
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


@dataclass
class Field:
    """An organisation with contests, on fakes."""

    world: FakeWorld = field(default_factory=FakeWorld)
    contests: FakeContests = field(default_factory=FakeContests)
    standings: FakeStandings = field(default_factory=FakeStandings)
    targets: FakeTargets = field(default_factory=FakeTargets)

    def __post_init__(self) -> None:
        self.ledger = FakeLedger(self.world.memory)
        self.rules()
        for rep in (AINA, BEN, CHONG):
            self.world.add_rep(rep)
        seeds = map(str, itertools.count())
        self.arena = ContestDeps(
            contests=self.contests,
            roster=self.world.roster,
            standings=self.standings,
            ledger=self.ledger,
            targets=self.targets,
            sign=lambda text: hmac.new(b"key", text.encode(), "sha256").hexdigest(),
            seed=lambda: next(seeds),
        )

    def rules(self, **changes: Any) -> None:
        self.world.put_playbook(a_playbook(**{"teams": TEAMS, **changes}))

    def plan(self, contest: Contest = WEEK, now: datetime = NOON) -> None:
        plan(self.arena, contest, "manager", now)

    def call(self, rep: Rep, number: int, day: date = MONDAY) -> None:
        self.standings.add(day, rep.rep_id, rep.team, call=number)

    def run(self, at: datetime) -> ContestRun:
        return run(self.arena, at)

    def state(self, contest_id: str = "week") -> str:
        return self.contests.planned[contest_id].state

    def prizes(self) -> dict[str, int | None]:
        return {name: entry.amount for name, entry in self.ledger.entries.items()}


@pytest.fixture
def ground() -> Field:
    return Field()


# Set-up


def test_a_contest_is_set_up_and_changed_until_it_begins(ground: Field) -> None:
    ground.plan()
    stored = ground.contests.planned["week"]
    assert (stored.contest, stored.state, stored.by) == (WEEK, "upcoming", "manager")
    assert (stored.times.opens_at, stored.times.ends_at, stored.times.cut_off_at) == (
        OPENS,
        ENDS,
        CUT_OFF,
    )
    changed = replace(WEEK, prize="Dinner")
    ground.plan(changed)
    assert ground.contests.planned["week"].contest == changed


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
    assert ground.contests.planned["week"].contest == WEEK


@pytest.mark.parametrize(("before", "allowed"), [(MS, True), (0 * MS, False)])
def test_a_contest_begins_in_the_future(ground: Field, before: timedelta, allowed: bool) -> None:
    if allowed:
        ground.plan(WEEK, OPENS - before)
        return
    with pytest.raises(InvalidInput) as refused:
        ground.plan(WEEK, OPENS - before)
    assert [error.field for error in refused.value.errors] == ["first_day"]


def test_what_makes_no_sense_is_not_stored(ground: Field) -> None:
    with pytest.raises(InvalidInput):
        ground.plan(replace(WEEK, metric="nonsense"))
    assert ground.contests.planned == {}


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
    ground.standings.add(MONDAY - timedelta(days=6), AINA.rep_id, "south", call=50, won=2)
    ground.standings.add(MONDAY - timedelta(days=1), AINA.rep_id, "north", call=1)
    ground.run(OPENS)
    ground.standings.add(MONDAY, AINA.rep_id, "north", call=52, won=2)
    ground.standings.add(SUNDAY, AINA.rep_id, "south", call=9)
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
    assert ground.run(CUT_OFF + 30 * 24 * HOUR) == ContestRun(opened=1, closed=1, paid=2)
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
    standing, at = ground.contests.standings["week"]
    assert (standing.reps[0].who, at) == (AINA.rep_id, OPENS + HOUR)


@pytest.mark.parametrize(
    ("at", "phase"),
    [
        (OPENS, "live"),
        (ENDS - MS, "live"),
        (ENDS, "counting"),
        (CUT_OFF - MS, "counting"),
        (CUT_OFF, "final"),
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
    ground.run(CUT_OFF)
    ground.call(AINA, 9, SUNDAY)  # reported too late
    ground.run(CUT_OFF + HOUR)
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
    ground.run(CUT_OFF)
    arena = ground.arena
    assert flaws(ground.contests, arena.sign, "week") == []
    signed = ground.contests.results["week"]
    ground.contests.results["week"] = replace(signed, text=signed.text.replace("2", "3"))
    assert flaws(ground.contests, arena.sign, "week") == ["the result is not as it was signed"]
    assert not look(arena, "week", None, CUT_OFF).verified
    forged = replace(signed.result, seed="other")
    ground.contests.results["week"] = replace(signed, result=forged)
    assert "the seed is not the one that was committed to" in flaws(
        ground.contests, arena.sign, "week"
    )
    ground.contests.results["week"] = signed
    frozen, seed = ground.contests.starts["week"]
    ground.contests.starts["week"] = replace(frozen, entrants=frozen.entrants[:1]), seed
    assert flaws(ground.contests, arena.sign, "week") == ["the entrants are not those of the start"]


def test_prizes_are_entries_of_the_ledger(ground: Field) -> None:
    ground.plan()
    ground.call(AINA, 2)
    ground.run(CUT_OFF)
    entry = ground.ledger.entries[f"prize/week/{AINA.rep_id}"]
    assert (entry.kind, entry.rep_id, entry.team) == ("prize", AINA.rep_id, "north")
    assert (entry.amount, entry.currency, entry.cause) == (100, "", "week")
    assert (entry.at, entry.day, entry.lead_id) == (CUT_OFF, "2026-12-09", None)


def test_a_run_that_is_repeated_changes_nothing(ground: Field) -> None:
    ground.plan()
    ground.call(AINA, 2)
    ground.run(CUT_OFF)
    signed, entries = ground.contests.results["week"], dict(ground.ledger.entries)
    for at in (CUT_OFF, CUT_OFF + HOUR):
        assert ground.run(at) == ContestRun()
    assert ground.contests.results["week"] == signed
    assert ground.ledger.entries == entries


WRITES = ("plan", "open", "refresh", "close", "paid")


class Died(Exception):
    """The process died."""


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("write", [*WRITES, "put"])
def test_a_run_that_dies_at_any_write_is_made_good_by_the_next(
    ground: Field, monkeypatch: pytest.MonkeyPatch, write: str, after: bool
) -> None:
    ground.rules(game={"challenges": CHALLENGES})
    ground.plan()
    ground.call(AINA, 2)
    ground.call(BEN, 1)
    calm = Field()
    calm.rules(game={"challenges": CHALLENGES})
    calm.plan()
    calm.call(AINA, 2)
    calm.call(BEN, 1)

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

    for at in (OPENS, OPENS + HOUR, ENDS, CUT_OFF, CUT_OFF + timedelta(days=60)):
        calm.run(at)
        if not died:
            monkeypatch.setattr(store, write, dies)
            try:
                ground.run(at)
            except Died:
                ground.run(at)
        else:
            ground.run(at)
    assert died
    assert ground.contests.results == calm.contests.results
    assert ground.ledger.entries == calm.ledger.entries
    assert ground.contests.planned == calm.contests.planned
    assert ground.state() == "final"
    assert not any(one.owed for one in ground.contests.planned.values())


def test_two_runs_at_once_store_one_result_and_book_each_prize_once(
    ground: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    ground.plan()
    ground.call(AINA, 2)
    ground.run(OPENS)
    close = ground.contests.close

    def beaten(signed: Any) -> bool:
        monkeypatch.setattr(ground.contests, "close", close)
        ground.call(BEN, 9)  # reported between the two
        ground.run(CUT_OFF)
        return close(signed)

    monkeypatch.setattr(ground.contests, "close", beaten)
    ground.run(CUT_OFF)
    assert ground.prizes() == {f"prize/week/{BEN.rep_id}": 100, f"prize/week/{AINA.rep_id}": 50}
    assert ground.contests.results["week"].result.standing.prizes == {
        BEN.rep_id: 100,
        AINA.rep_id: 50,
    }


def test_the_seed_of_a_lottery_is_settled_at_the_start(ground: Field) -> None:
    ground.plan(replace(WEEK, metric="", tickets={"call": 1}))
    ground.run(OPENS)
    frozen, seed = ground.contests.starts["week"]
    assert frozen.commitment
    ground.call(AINA, 1)
    view = look(ground.arena, "week", AINA, OPENS + HOUR)
    assert view.standing is not None and view.standing.reps[0].place is None
    ground.run(CUT_OFF)
    result = ground.contests.results["week"].result
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
    ground.run(CUT_OFF)
    assert ground.state() == "cancelled"
    assert ground.prizes() == {}
    with pytest.raises(IllegalMove):
        ground.plan(replace(WEEK, name="Again"))


def test_a_final_one_stays(ground: Field) -> None:
    ground.plan()
    ground.run(CUT_OFF)
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
    assert ground.contests.planned == {}


def test_a_preview_of_a_lottery_draws(ground: Field) -> None:
    ground.call(BEN, 3)
    _, standing = preview(ground.arena, replace(WEEK, metric="", tickets={"call": 1}), NOON)
    assert [(row.who, row.place) for row in standing.reps] == [(BEN.rep_id, 1), (AINA.rep_id, None)]


def test_a_hidden_contest_is_seen_by_managers_alone_and_pays_nothing(ground: Field) -> None:
    ground.plan(replace(WEEK, hidden=True))
    ground.call(AINA, 2)
    for at in (NOON, OPENS, CUT_OFF):
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
    [mine] = [one for one in ground.contests.starts["week"][0].entrants if one.target is not None]
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
    ground.standings.add(
        MONDAY, AINA.rep_id, response_seconds__sum=5000, response_seconds__n=1, claimed=1
    )
    assert ground.run(OPENS - MS) == ContestRun()
    assert ground.run(OPENS).opened == 1
    week = "challenge-speed_week-2026-W49"
    assert ground.contests.planned[week].by == "playbook"
    ground.run(datetime(2026, 12, 1, tzinfo=UTC))
    assert ground.state("challenge-quality_month-2026-12") == "live"
    ground.run(CUT_OFF)
    assert ground.state(week) == "final"
    assert ground.prizes() == {f"prize/{week}/{AINA.rep_id}": 100}
    # The next challenge is live.
    assert ground.state("challenge-speed_week-2026-W50") == "live"


def test_a_challenge_that_was_missed_whole_is_not_made_up_for(ground: Field) -> None:
    ground.rules(game={"challenges": {**CHALLENGES, "rotation": ["speed_week"]}})
    ground.run(ENDS)
    assert list(ground.contests.planned) == ["challenge-speed_week-2026-W50"]


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
    stored = ground.contests.planned["challenge-speed_week-2026-W49"]
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
    assert list(ground.contests.planned) == ["challenge-speed_week-2026-W49"]
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
    late = Field()
    late.rules(**rules)
    late.run(ends - MS)  # the first run of all
    assert list(late.contests.planned) == ["challenge-speed_week-2026-W49"]
    late = Field()
    late.rules(**rules)
    late.run(ends)
    assert list(late.contests.planned) == ["challenge-speed_week-2026-W50"]
