"""Standings equal the ledger, however the stream delivers it (K1, K2, G1, G2)."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dibs.core.periods import kind_of, periods
from dibs.game.scoring.badges import badges_of, held
from dibs.game.scoring.points import Transfer
from dibs.game.scoring.ports import Change, PostedAwards, Sum
from dibs.game.scoring.score import MOST_PLACES, ScoreDeps, score
from dibs.game.scoring.tally import Tally, tally
from dibs.ledger.entries import Entry, new_entry, unit_of
from dibs.rules.playbook import Playbook
from dibs.rules.ports import Version
from support.builders import NOON, a_lead, a_playbook, a_rep
from support.fake_standings import Died, FakeStandings
from support.fakes import FakeRoster, Memory

REPS = [a_rep(1), a_rep(2), a_rep(3, team="south")]
PLAYBOOK = a_playbook(
    teams={"north": {"name": "North"}, "south": {"name": "South", "zone": "Pacific/Kiritimati"}},
    game={"badges": {"pair": {"name": "Pair", "formula": "count(claimed)", "at_least": 2}}},
)


@dataclass
class OnePlaybook:
    """The part of `Playbooks` that scoring uses."""

    playbook: Playbook

    def in_force(self) -> Version:
        return Version(self.playbook)

    def get(self, number: int) -> Version | None:
        return Version(self.playbook)


class NoTargets:
    def of(self, month: object, rep_ids: Sequence[str]) -> dict[str, int]:
        return {}


def a_scorer(standings: FakeStandings, playbook: Playbook = PLAYBOOK) -> ScoreDeps:
    memory = Memory(playbook)
    memory.reps = {rep.rep_id: rep for rep in REPS}
    known: Any = OnePlaybook(playbook)
    targets: Any = NoTargets()
    roster = FakeRoster(memory)
    return ScoreDeps(standings, roster, known, targets, standings, lambda: NOON, lambda _: None)


def recomputed(entries: Iterable[Entry], playbook: Playbook) -> dict[str, Tally]:
    """Tally every aggregate by itself, from all its entries."""
    units = defaultdict(list)
    for entry in {entry.entry_id: entry for entry in entries}.values():
        units[unit_of(entry)].append(entry)
    return {name: tally(of, lambda _: playbook) for name, of in units.items()}


Whole = dict[tuple[str, str, str, bool], dict[str, int]]


def standings_of(tallies: Iterable[Tally]) -> Whole:
    """The expected standings, by rep, period and team."""
    found: Whole = defaultdict(lambda: defaultdict(int))
    for one in tallies:
        for place, counts in one.counts.items():
            for period in periods(place.day):
                for name, number in counts.items():
                    found[place.rep_id, period, place.team, place.protected][name] += number
    return {
        key: {n: c for n, c in of.items() if c} for key, of in found.items() if any(of.values())
    }


def kept(sums: Iterable[Sum]) -> Whole:
    return {
        (one.rep_id, one.period, team, protected): dict(counts)
        for one in sums
        for protected, teams in ((False, one.counts), (True, one.protected))
        for team, counts in teams.items()
    }


START = datetime(2026, 3, 28, 22, tzinfo=UTC)  # A week, month and quarter end within days.
LEADS = [a_lead(lead_id=f"lead{n}") for n in range(4)]
KINDS = ("contacted", "opportunity", "won", "call", "qualified", "transfer")


@st.composite
def histories(draw: st.DrawFn) -> list[Entry]:
    """Any ledger: leads taken, worked, returned, reversed; and activities without a lead."""
    found: list[Entry] = []
    moments = st.integers(0, 5 * 24 * 60).map(lambda m: START + timedelta(minutes=m))
    for lead in LEADS:
        for epoch in range(1, draw(st.integers(1, 3))):
            rep, at = draw(st.sampled_from(REPS)), draw(moments)
            about = {"epoch": epoch, "taken_at": at}
            kind = draw(st.sampled_from(["claimed", "claimed", "assigned"]))
            taken = f"taken/{lead.lead_id}/{epoch}"
            ms = draw(st.sampled_from([0, 60_000, 60_001, 400_000]))
            extra = {"protected": draw(st.booleans()), "shared": draw(shares(rep.rep_id))}
            found.append(entry(taken, kind, rep, at, lead, take_ms=ms, **about, **extra))
            for number in range(draw(st.integers(0, 5))):
                done = at + timedelta(
                    seconds=draw(st.sampled_from([0, 119, 120, 300, 301, 90_000]))
                )
                kind = draw(st.sampled_from(KINDS))
                name = f"activity/{lead.lead_id}-{epoch}-{number}"
                money = {"amount": 100, "currency": "USD"} if kind == "won" else {}
                found.append(entry(name, kind, rep, done, lead, **about, **money))
            if draw(st.booleans()):
                cause = draw(st.sampled_from(["undone", "released"]))
                name = f"returned/{lead.lead_id}/{epoch}"
                found.append(entry(name, "returned", rep, at, lead, cause=cause, **about))
    for number in range(draw(st.integers(0, 6))):
        rep, kind = draw(st.sampled_from(REPS)), draw(st.sampled_from(["call", "upsell", "csat"]))
        money = {"amount": 7, "currency": "" if kind == "csat" else "USD"}
        found.append(entry(f"activity/own-{number}", kind, rep, draw(moments), **money))
    told = [one for one in found if one.entry_id.startswith("activity/")]
    for number in range(draw(st.integers(0, 3)) if told else 0):
        of = draw(st.sampled_from(told))
        name = f"activity/reversal-{number}"
        rep = next(rep for rep in REPS if rep.rep_id == of.rep_id)
        found.append(
            entry(name, "reversal", rep, draw(moments), reverses=of.entry_id, unit=unit_of(of))
        )
    return found


def shares(rep_id: str) -> st.SearchStrategy[tuple[str, ...]]:
    others = tuple(rep.rep_id for rep in REPS if rep.rep_id != rep_id)
    return st.sampled_from([(), others])


def entry(entry_id: str, kind: str, rep: Any, at: datetime, lead: Any = None, **more: Any) -> Entry:
    return new_entry(entry_id, kind, rep.rep_id, rep.team, at, PLAYBOOK, lead, **more)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), history=histories())
def test_any_delivery_of_the_stream_gives_what_a_recomputation_gives(
    data: st.DataObject, history: list[Entry]
) -> None:
    standings = FakeStandings()
    scorer = a_scorer(standings)
    copies = data.draw(st.lists(st.sampled_from(history), max_size=5)) if history else []
    stream = data.draw(st.permutations([*history, *copies]))
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        batch, stream = stream[:size], stream[size:]
        standings.writes_left = data.draw(st.none() | st.integers(0, 8))
        try:
            score(scorer, batch)
        except Died:
            # Lambda delivers the batch once more.
            standings.writes_left = None
            score(scorer, batch)
    tallies = recomputed(history, PLAYBOOK)
    whole = standings_of(tallies.values())

    assert kept(standings.kept.values()) == whole
    earned: dict[str, int] = defaultdict(int)
    for one in tallies.values():
        for award in one.awards.values():
            earned[award.place.rep_id] += award.points
    balances = standings.balances()
    assert sum(balances.values()) == 0
    assert {rep: n for rep, n in balances.items() if rep != "issued" and n} == dict(earned)
    for rep in REPS:
        shown = {
            (t.rep_id, period, t.team, False): dict(t.counts)
            for period in {period for _, period, _, _ in whole}
            for t in standings.totals(period)
            if t.rep_id == rep.rep_id
        }
        assert shown == {k: v for k, v in whole.items() if k[0] == rep.rep_id and not k[3]}
    badges = badges_of(PLAYBOOK)
    assert standings.badges == {
        (one.rep_id, badge, one.period)
        for one in standings.kept.values()
        for badge in held(badges, one.period, one.whole)
    }


@settings(max_examples=50, deadline=None)
@given(history=histories())
def test_nothing_is_counted_in_two_periods_of_a_kind(history: list[Entry]) -> None:
    standings = FakeStandings()
    score(a_scorer(standings), history)
    sums = standings.kept.values()
    found: dict[tuple[str, str, str], int] = defaultdict(int)
    for one in sums:
        for name, number in one.whole.items():
            found[one.rep_id, name, kind_of(one.period)] += number
    kinds = [kind_of(one) for one in periods("2026-11-23")]
    for rep_id, name, _ in list(found):
        assert len({found[rep_id, name, kind] for kind in kinds}) == 1


def test_a_generation_in_the_making_counts_the_same_and_awards_nothing() -> None:
    standings = FakeStandings()
    standings.building = ("2",)
    taken = entry("taken/lead0/1", "claimed", REPS[0], NOON, LEADS[0], take_ms=1000)
    score(a_scorer(standings), [taken])
    assert len(standings.transfers) == 1
    assert standings.kept["2", REPS[0].rep_id, "all"].counts["north"]["points.sum"] == 10
    assert (
        replace(standings.kept["1", REPS[0].rep_id, "all"])
        == standings.kept["2", REPS[0].rep_id, "all"]
    )


def shown_by(standings: FakeStandings, period: str) -> dict[str, int]:
    """The published totals of all reps together."""
    found: dict[str, int] = defaultdict(int)
    for one in standings.totals(period):
        for name, number in one.counts.items():
            found[name] += number
    return dict(found)


@pytest.mark.parametrize("writes", range(1, 8))
def test_what_was_taken_back_goes_from_boards_although_the_run_died_before(writes: int) -> None:
    standings = FakeStandings()
    scorer = a_scorer(standings)
    # The first day has no counts left when its only entry is reversed on another day.
    call = entry("activity/call", "call", REPS[0], NOON)
    back = entry(
        "activity/back",
        "reversal",
        REPS[0],
        NOON + timedelta(days=1),
        reverses=call.entry_id,
        unit=unit_of(call),
    )
    score(scorer, [call])
    standings.writes_left = writes
    with contextlib.suppress(Died):
        score(scorer, [back])
    standings.writes_left = None
    score(scorer, [back])
    assert shown_by(standings, call.day) == {}
    assert shown_by(standings, "all") == {"reversal": 1}


@pytest.mark.parametrize("dies_after", [None, 1, 2])
def test_a_change_too_large_for_a_transaction_is_made_in_steps(dies_after: int | None) -> None:
    standings = FakeStandings()
    applied = Steps(standings)
    days = [START + timedelta(days=2 * n) for n in range(50)]
    calls = [entry(f"activity/{n}", "call", REPS[0], at, LEADS[0]) for n, at in enumerate(days)]
    standings.writes_left = dies_after
    with contextlib.suppress(Died):
        score(applied.scorer, calls)
    standings.writes_left = None
    score(applied.scorer, calls)
    assert kept(standings.kept.values()) == standings_of(recomputed(calls, PLAYBOOK).values())
    assert shown_by(standings, "all") == {"call": 50}
    assert score(applied.scorer, calls) == 0
    assert max(applied.places) == MOST_PLACES


@pytest.mark.parametrize("dies_after", [None, 1, 2])
def test_many_awards_of_one_unit_are_booked_in_steps(dies_after: int | None) -> None:
    standings = FakeStandings()
    paying = a_playbook(game={"points": {"activities": {"call": 2}}})
    steps = Steps(standings, paying)
    calls = [entry(f"activity/{n}", "call", REPS[0], NOON, LEADS[0]) for n in range(120)]
    score(steps.scorer, [])
    standings.writes_left = None if dies_after is None else dies_after + 6
    with contextlib.suppress(Died):
        score(steps.scorer, calls)
    standings.writes_left = None
    score(steps.scorer, calls)
    assert standings.balances() == {"issued": -240, REPS[0].rep_id: 240}
    assert max(steps.moved) == 24


class Steps:
    """How much of the standings changes at once."""

    def __init__(self, standings: FakeStandings, playbook: Playbook = PLAYBOOK) -> None:
        self.places: list[int] = []
        self.moved: list[int] = []
        apply, settle = standings.apply, standings.settle

        def watched(generation: str, changes: Sequence[Change]) -> list[str]:
            self.places += [len(change.counts) for change in changes]
            return apply(generation, changes)

        def booking(entries: Sequence[tuple[PostedAwards, Sequence[Transfer]]]) -> list[str]:
            self.moved += [len(transfers) for _, transfers in entries]
            return settle(entries)

        known: Any = standings
        known.apply, known.settle = watched, booking
        self.scorer = a_scorer(standings, playbook)


def test_points_follow_what_is_live_and_not_what_is_being_made() -> None:
    standings = FakeStandings()
    taken = entry("taken/lead0/1", "claimed", REPS[0], NOON, LEADS[0], epoch=1, take_ms=1000)
    score(a_scorer(standings), [taken])
    standings.building = ("2",)
    # The new build has not reached the claim yet.
    score(a_scorer(standings), [entry("activity/1", "won", REPS[0], NOON, LEADS[0], epoch=1)])
    assert standings.balances()[REPS[0].rep_id] == 260
