"""Figures from ledger entries: both sides of every boundary, in any order of the entries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dibs.core.lead import UNDONE
from dibs.ledger.entries import ASSIGNED, CLAIMED, RETURNED, Entry
from dibs.reports.assignment_rows import Row, assignment_report, releases
from dibs.reports.quotas import achieved
from dibs.reports.speed import RepSpeed, Speed, places, speed
from dibs.reports.tier_inputs import TierResults, tier_inputs
from support.builders import NOON

MS = timedelta(milliseconds=1)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
COUNTS = ("call", "contacted")
START, END = NOON, NOON + WEEK


def entry(kind: str, lead: str = "lead", after: timedelta = 0 * MS, **changes: Any) -> Entry:
    """An entry of Ada's on a lead, `after` noon on Monday."""
    base = Entry(
        entry_id=f"{kind}/{lead}/{changes.get('rep_id', 'ada')}",
        kind=kind,
        rep_id="ada",
        team="north",
        at=START + after,
        week="2026-W48",
        lead_id=lead,
        epoch=1,
        source="web",
        territory="Sarawak",
        quality="hot",
        model="speed-board",
    )
    return replace(base, **changes)


def answered(
    lead: str, wait: timedelta | None, after: timedelta = 0 * MS, **by: Any
) -> list[Entry]:
    """A lead that was assigned, and called after `wait`; never, where that is None."""
    taken = entry(ASSIGNED, lead, after, **by)
    return [taken] if wait is None else [taken, entry("call", lead, after + wait, **by)]


def of(entries: Iterable[Entry], rep_id: str = "ada") -> RepSpeed:
    return speed(entries, COUNTS, START, END).reps[rep_id]


# Speed (M3)


@pytest.mark.parametrize(
    ("wait", "five_minutes", "hour", "streak"),
    [
        (0 * MS, 1, 1, 1),
        (5 * MINUTE, 1, 1, 1),
        (5 * MINUTE + MS, 0, 1, 1),
        (10 * MINUTE - MS, 0, 1, 1),
        (10 * MINUTE, 0, 1, 0),
        (HOUR, 0, 1, 0),
        (HOUR + MS, 0, 0, 0),
        (None, 0, 0, 0),
    ],
)
def test_a_response_counts_up_to_and_with_its_boundary_and_a_streak_wants_less(
    wait: timedelta | None, five_minutes: int, hour: int, streak: int
) -> None:
    assert of(answered("lead", wait)) == RepSpeed(
        taken=1,
        contacted=0 if wait is None else 1,
        mean_seconds=None if wait is None else wait.total_seconds(),
        within_5_min=five_minutes,
        within_1_hour=hour,
        longest_streak_under_10_min=streak,
    )


@pytest.mark.parametrize(
    ("after", "counts"), [(-MS, False), (0 * MS, True), (WEEK - MS, True), (WEEK, False)]
)
def test_a_lead_counts_in_the_span_it_was_taken_in(after: timedelta, counts: bool) -> None:
    found = speed(answered("lead", SECOND, after), COUNTS, START, END)
    assert ("ada" in found.reps) is counts


def test_claimed_and_assigned_leads_are_taken_alike_and_means_are_of_those_contacted() -> None:
    entries = [
        entry(CLAIMED, "a"),
        entry("contacted", "a", 10 * SECOND),
        *answered("b", 21 * SECOND, SECOND),
        *answered("c", None, 2 * SECOND),
    ]
    assert of(entries) == RepSpeed(3, 2, 15.5, 2 / 3, 2 / 3, 2)


@pytest.mark.parametrize(
    ("kind", "is_contact"),
    [
        ("call", True),
        ("contacted", True),
        ("qualified", True),
        ("won", True),
        ("email", False),
        ("lost", False),
        ("disqualified", False),
        ("crm_step", False),
    ],
)
def test_the_playbooks_types_are_contacts_and_so_are_stages_past_them(
    kind: str, is_contact: bool
) -> None:
    found = of([entry(ASSIGNED), entry(kind, after=SECOND)])
    assert found.contacted == is_contact


def test_a_stage_before_those_the_playbook_names_is_no_contact() -> None:
    entries = [entry(ASSIGNED), entry("contacted", after=SECOND), entry("call", after=SECOND)]
    assert speed(entries, ("qualified",), START, END).reps["ada"].contacted == 0


def test_the_first_of_several_contacts_counts() -> None:
    later = [replace(entry("call", after=n * MINUTE), entry_id=str(n)) for n in (3, 2, 4)]
    assert of([entry(ASSIGNED), *later]).mean_seconds == 120


def test_a_contact_after_the_span_counts_for_a_lead_taken_in_it() -> None:
    assert of(answered("lead", 2 * SECOND, WEEK - MS)).mean_seconds == 2


@pytest.mark.parametrize("other", [{"rep_id": "ben"}, {"epoch": 2}, {"lead_id": "b"}])
def test_a_contact_belongs_to_one_rep_lead_and_opening(other: dict[str, Any]) -> None:
    assert of([entry(ASSIGNED), replace(entry("call", after=SECOND), **other)]).contacted == 0


def test_a_lead_that_came_back_is_another_one_to_its_second_holder() -> None:
    entries = [
        *answered("lead", None),
        entry(RETURNED, after=HOUR, cause="not_worked"),
        replace(entry(ASSIGNED, after=HOUR, rep_id="ben"), epoch=2),
        replace(entry("call", after=HOUR + MINUTE, rep_id="ben"), epoch=2),
    ]
    assert (of(entries).taken, of(entries).contacted) == (1, 0)
    assert of(entries, "ben").mean_seconds == 60


def test_an_undone_claim_never_was() -> None:
    entries = [entry(CLAIMED), entry(RETURNED, after=5 * SECOND, cause=UNDONE)]
    assert speed(entries, COUNTS, START, END) == Speed({})
    again = [replace(entry(CLAIMED, after=MINUTE), entry_id="again", epoch=2)]
    assert of([*entries, *again]).taken == 1


def test_a_test_lead_never_counts() -> None:
    tried = [replace(one, test=True) for one in answered("lead", SECOND)]
    assert speed(tried, COUNTS, START, END) == Speed({})
    won = replace(entry("won", amount=5, currency="USD"), test=True)
    assert achieved([won], "won", "", START, END) == 0
    assert assignment_report([*tried, won], COUNTS, START, END) == []


@pytest.mark.parametrize(
    ("minutes", "longest"),
    [
        ([1, 1, 1], 3),
        ([1, 10, 1], 1),
        ([1, 1, None, 1, 1, 1], 3),
        ([None, 1, 1], 2),
        ([1, 1, None], 2),
        ([10, 11], 0),
    ],
)
def test_a_streak_is_broken_by_a_slow_contact_and_by_none(
    minutes: list[int | None], longest: int
) -> None:
    entries = [
        one
        for n, wait in enumerate(minutes)
        for one in answered(f"lead{n}", None if wait is None else wait * MINUTE, n * HOUR)
    ]
    assert of(entries).longest_streak_under_10_min == longest


def test_a_streak_goes_by_when_leads_were_taken_not_contacted() -> None:
    leads = [
        answered("first", 9 * MINUTE, 0 * MS),
        answered("second", 20 * MINUTE, MINUTE),
        answered("third", MS, 2 * MINUTE),
    ]
    for order in permutations(leads):
        assert of([one for lead in order for one in lead]).longest_streak_under_10_min == 1


# Places and winners (M3)


def rank(**reps: tuple[float | None, float, int, int]) -> Speed:
    """Reps by mean, share within five minutes, streak and leads taken."""
    return Speed({n: RepSpeed(t, t, m, s, 1, k) for n, (m, s, k, t) in reps.items()})


@pytest.mark.parametrize(
    ("found", "placed"),
    [
        (rank(a=(2, 1, 1, 1), b=(1, 0, 0, 1)), [(1, "b"), (2, "a")]),
        (rank(a=(1, 0.5, 9, 9), b=(1, 0.6, 0, 1)), [(1, "b"), (2, "a")]),
        (rank(a=(1, 1, 2, 9), b=(1, 1, 3, 1)), [(1, "b"), (2, "a")]),
        (rank(a=(1, 1, 1, 2), b=(1, 1, 1, 3)), [(1, "b"), (2, "a")]),
        (rank(b=(1, 1, 1, 1), a=(1, 1, 1, 1), c=(2, 1, 1, 1)), [(1, "a"), (1, "b"), (3, "c")]),
        (rank(a=(None, 0, 0, 5), b=(9, 0, 0, 1)), [(1, "b"), (None, "a")]),
        (rank(), []),
    ],
)
def test_the_fastest_stands_first_and_who_is_level_shares(
    found: Speed, placed: list[tuple[int | None, str]]
) -> None:
    assert places(found) == placed


def test_nobody_wins_who_contacted_nobody() -> None:
    assert places(rank(a=(None, 0, 0, 5))) == [(None, "a")]


# Tiers (M2)


def results(*entries: Entry, rep_id: str = "ada") -> TierResults:
    return tier_inputs(entries, COUNTS, rep_id, START, END)


def test_the_longest_response_that_counts_is_a_setting() -> None:
    slow = answered("slow", 9 * HOUR)
    found = tier_inputs(slow, COUNTS, "ada", START, END, 2 * HOUR)
    assert found.response_seconds == 7200


@pytest.mark.parametrize("kind", ["opportunity", "won"])
def test_a_lead_converts_once_with_an_opportunity_or_a_win(kind: str) -> None:
    taken = answered("lead", SECOND)
    assert results(*taken, entry(kind, after=HOUR)).converted == 1
    both = [entry("opportunity", after=HOUR), entry("won", after=2 * HOUR)]
    assert results(*taken, *both) == TierResults(1, 1, 1.0)


def test_a_qualified_or_lost_lead_has_not_converted() -> None:
    ends = [entry("qualified", after=HOUR), entry("lost", after=2 * HOUR)]
    assert results(*answered("lead", SECOND), *ends).converted == 0


@pytest.mark.parametrize(
    ("after", "counts"), [(-MS, False), (0 * MS, True), (WEEK - MS, True), (WEEK, False)]
)
def test_tiers_look_at_leads_taken_in_the_span(after: timedelta, counts: bool) -> None:
    assert results(entry(ASSIGNED, after=after)).taken == counts


@pytest.mark.parametrize(("after", "counts"), [(WEEK - MS, True), (WEEK, False)])
def test_tiers_look_at_what_was_done_by_the_end(after: timedelta, counts: bool) -> None:
    found = results(entry(ASSIGNED), entry("won", after=after))
    assert found.converted == counts
    assert (found.response_seconds is not None) is counts


def test_a_lead_not_yet_contacted_counts_with_the_time_to_the_end() -> None:
    called = answered("called", 2 * HOUR)
    assert results(*called, *answered("late", None, WEEK - HOUR)).response_seconds == 5400


@pytest.mark.parametrize(
    ("wait", "seconds"),
    [(24 * HOUR - MS, 86_399.999), (24 * HOUR, 86_400), (30 * HOUR, 86_400), (None, 86_400)],
)
def test_no_lead_counts_with_more_than_a_day(wait: timedelta | None, seconds: float) -> None:
    found = results(*answered("quick", 0 * MS), *answered("slow", wait))
    assert found.response_seconds == pytest.approx(seconds / 2)


def test_who_contacted_nobody_has_no_response_time() -> None:
    assert results(entry(ASSIGNED)) == TierResults(1, 0, None)
    assert results() == TierResults(0, 0, None)


def test_tiers_look_at_the_one_rep() -> None:
    theirs = [*answered("b", SECOND, rep_id="ben"), entry("won", "b", HOUR, rep_id="ben")]
    assert results(*answered("lead", SECOND), *theirs) == TierResults(1, 0, 1.0)


# Quotas (M4)


@pytest.mark.parametrize(
    ("after", "counts"), [(-MS, False), (0 * MS, True), (WEEK - MS, True), (WEEK, False)]
)
def test_what_was_achieved_counts_in_the_span_it_happened_in(
    after: timedelta, counts: bool
) -> None:
    won = [entry("won", after=after, amount=250, currency="USD")]
    assert achieved(won, "won", "USD", START, END) == counts
    assert achieved(won, "revenue", "USD", START, END) == 250 * counts


def test_revenue_is_all_that_was_sold_in_the_currency() -> None:
    entries = [
        entry("won", "a", amount=100, currency="USD"),
        entry("won", "b", amount=1000, currency="EUR"),
        entry("won", "c"),
        entry("upsell", "a", amount=20, currency="USD"),
        entry("cross_sell", "a", amount=3, currency="USD"),
        entry("quote_sent", "d", amount=10_000, currency="USD"),
        entry("opportunity", "d", amount=10_000, currency="USD"),
    ]
    assert achieved(entries, "revenue", "USD", START, END) == 123
    assert achieved(entries, "won", "USD", START, END) == 3


def test_what_was_reversed_was_not_achieved_and_has_not_converted() -> None:
    won = entry("won", after=HOUR, amount=250, currency="USD")
    back = entry("reversal", after=2 * HOUR, reverses=won.entry_id)
    assert achieved([won, back], "won", "USD", START, END) == 0
    assert achieved([back, won], "revenue", "USD", START, END) == 0
    taken = answered("lead", SECOND)
    assert results(*taken, won, back) == TierResults(1, 0, 1.0)
    late = replace(back, at=END)
    assert results(*taken, won, late).converted == 1


# The assignment report (R10)


def report(*entries: Entry) -> dict[tuple[str, str], Row]:
    return {(row.by, row.name): row for row in assignment_report(entries, COUNTS, START, END)}


def test_a_report_says_what_became_of_the_leads_of_a_team() -> None:
    entries = [
        entry(CLAIMED, "a", take_ms=1500),
        entry(CLAIMED, "b", take_ms=2500),
        entry("call", "a", MINUTE),
        entry("opportunity", "a", HOUR),
        *answered("c", 3 * MINUTE, rep_id="ben"),
        entry(ASSIGNED, "d"),
        entry(RETURNED, "d", 2 * HOUR, cause="not_worked"),
    ]
    assert report(*entries)["team", "north"] == Row(
        by="team",
        name="north",
        claimed=2,
        assigned=2,
        returned=1,
        converted=1,
        conversion=0.25,
        mean_take_seconds=2.0,
        mean_contact_seconds=120.0,
        least_load=1,
        median_load=2.0,
        most_load=3,
    )
    assert report(*entries)["team", "north"].taken == 4


def test_a_report_has_a_row_for_each_team_territory_source_and_model_in_this_order() -> None:
    entries = [
        entry(ASSIGNED, "a"),
        entry(ASSIGNED, "b", territory="", source="fair", model="open-pool"),
        entry(ASSIGNED, "c", rep_id="ben", team="south"),
    ]
    rows = assignment_report(entries, COUNTS, START, END)
    assert [(row.by, row.name, row.taken) for row in rows] == [
        ("team", "north", 2),
        ("team", "south", 1),
        ("territory", "", 1),
        ("territory", "Sarawak", 2),
        ("source", "fair", 1),
        ("source", "web", 2),
        ("model", "open-pool", 1),
        ("model", "speed-board", 2),
    ]


def test_of_what_went_back_a_report_tells_what_reps_released() -> None:
    entries = [
        entry(RETURNED, "a", cause="released"),
        entry(RETURNED, "b", cause="released"),
        entry(RETURNED, "c", cause="not_worked"),
        entry(RETURNED, "d", cause="reassigned"),
        entry(RETURNED, "e", cause="undone"),
        entry(RETURNED, "f", cause="released", after=WEEK),
        entry(RETURNED, "g", cause="released", test=True),
    ]
    row = report(*entries)["team", "north"]
    assert (row.returned, row.released) == (4, 2)
    assert releases(entries, START, END) == 2
    assert releases([*entries, entries[0]], START, START + WEEK + MS) == 3


@pytest.mark.parametrize(
    ("after", "counts"), [(-MS, False), (0 * MS, True), (WEEK - MS, True), (WEEK, False)]
)
def test_a_return_is_reported_when_it_happened(after: timedelta, counts: bool) -> None:
    back = entry(RETURNED, after=after, cause="left")
    found = report(back)
    assert (("team", "north") in found) is counts
    if counts:
        row = found["team", "north"]
        assert (row.taken, row.returned, row.conversion, row.most_load) == (0, 1, None, 0)


def test_an_undone_claim_is_neither_taken_nor_returned() -> None:
    assert report(entry(CLAIMED), entry(RETURNED, after=SECOND, cause=UNDONE)) == {}


@pytest.mark.parametrize(
    ("loads", "least", "middle", "most"),
    [((1,), 1, 1, 1), ((1, 4), 1, 2.5, 4), ((1, 2, 5), 1, 2, 5)],
)
def test_loads_are_leads_a_rep(
    loads: tuple[int, ...], least: int, middle: float, most: int
) -> None:
    entries = [
        entry(ASSIGNED, f"lead{rep}{n}", rep_id=f"rep{rep}")
        for rep, load in enumerate(loads)
        for n in range(load)
    ]
    row = report(*entries)["team", "north"]
    assert (row.least_load, row.median_load, row.most_load) == (least, middle, most)


# Order and repeats


KINDS = st.sampled_from([CLAIMED, ASSIGNED, RETURNED, "call", "contacted", "won", "lost"])
WHEN: st.SearchStrategy[datetime] = st.integers(-2, 9 * 24 * 60).map(
    lambda minutes: START + minutes * MINUTE
)


@st.composite
def ledgers(draw: st.DrawFn) -> list[Entry]:
    """Some weeks of two reps and few leads, with many ties, returns and repeats."""
    return [
        entry(
            draw(KINDS),
            f"lead{draw(st.integers(1, 4))}",
            entry_id=str(number),
            at=draw(WHEN),
            rep_id=draw(st.sampled_from(["ada", "ben"])),
            epoch=draw(st.integers(1, 2)),
            cause=draw(st.sampled_from(["", UNDONE])),
            amount=draw(st.integers(0, 5)),
            currency="USD",
            test=draw(st.integers(0, 9)) == 0,
        )
        for number in range(draw(st.integers(0, 12)))
    ]


def everything(entries: list[Entry]) -> list[Any]:
    return [
        speed(entries, COUNTS, START, END),
        places(speed(entries, COUNTS, START, END)),
        tier_inputs(entries, COUNTS, "ada", START, END),
        achieved(entries, "revenue", "USD", START, END),
        achieved(entries, "won", "USD", START, END),
        assignment_report(entries, COUNTS, START, END),
    ]


@given(st.data(), ledgers())
def test_order_and_repeats_do_not_matter(data: st.DataObject, entries: list[Entry]) -> None:
    again = data.draw(st.lists(st.sampled_from(entries))) if entries else []
    mixed = data.draw(st.permutations([*entries, *again]))
    assert everything(mixed) == everything(entries)


@given(ledgers())
def test_speed_and_tiers_agree_on_what_was_taken(entries: list[Entry]) -> None:
    found = speed(entries, COUNTS, START, END).reps
    taken = found["ada"].taken if "ada" in found else 0
    in_time = [one for one in entries if one.at < END]  # an undo after the end does not count yet
    if in_time == entries:
        assert tier_inputs(entries, COUNTS, "ada", START, END).taken == taken
    assert sum(one.taken for one in found.values()) == sum(
        row.taken for row in assignment_report(entries, COUNTS, START, END) if row.by == "team"
    )
