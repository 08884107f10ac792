"""Opening a lead: when each tier of each team may claim it (M2), and early openings where no rep of
an earlier wave can (M6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dibs.core.errors import ClaimRefused, Expired
from dibs.core.events import LeadEvent
from dibs.core.lead import Lead, State
from dibs.core.quality import Pool, Quality
from dibs.core.rep import Rep, Usage
from dibs.dispatch import follow as offering
from dibs.race.claim import Won, claim
from dibs.race.decide import Eligible, Refused, decide
from dibs.race.opening import (
    claim_by,
    exclusive_until,
    latest_opening,
    next_opening,
    opened_early,
    opening,
    races,
    reopening,
)
from support.builders import NOON, a_card, a_lead, a_playbook, a_rep, proof_of
from support.fakes import FakeWorld, no_pause

MS, SECOND, MINUTE = timedelta(milliseconds=1), timedelta(seconds=1), timedelta(minutes=1)
QUARTER, HOUR = 15 * MINUTE, 60 * MINUTE
NOBODY: frozenset[str] = frozenset()
HOT, WARM = 86, 60
TWO_TEAMS = {"north": {"name": "N"}, "south": {"name": "S"}}


def tiered(**rules: Any) -> Any:
    return a_playbook(model="tiers", **rules)


def opened(playbook: Any, source: str = "google-ads", score: int = WARM, **changes: Any) -> Lead:
    """Return a lead opened at noon under a playbook."""
    pool = Pool.PREMIUM if score >= playbook.quality.hot else Pool.STANDARD
    preview = replace(a_lead().preview, source=source)
    teams = changes.pop("teams", tuple(playbook.teams))
    lead = a_lead(
        quality=Quality.HOT if pool is Pool.PREMIUM else Quality.WARM,
        preview=preview,
        teams=teams,
        **changes,
    )
    return opening(lead, playbook, NOON)


# When each tier may claim (M2)

# Tier 1 at once; tier 2 after 15 minutes; tier 3 after an hour, but never for hot leads.
OPENINGS = [
    (HOT, 1, timedelta()),
    (HOT, 2, QUARTER),
    (HOT, 3, None),
    (WARM, 1, timedelta()),
    (WARM, 2, QUARTER),
    (WARM, 3, HOUR),
    (None, 3, HOUR),
]


def verdict_at(score: int | None, tier: int, moment: datetime) -> Eligible | Refused:
    playbook = tiered()
    lead = opened(playbook, score=-1 if score is None else score)
    return decide(lead, a_rep(tier=tier), Usage(), playbook, moment)


@pytest.mark.parametrize(("score", "tier", "after"), OPENINGS)
@pytest.mark.parametrize("step", [MS, SECOND])
def test_a_tiers_time_comes_to_the_millisecond(
    score: int | None, tier: int, after: timedelta | None, step: timedelta
) -> None:
    if after is None:
        for moment in (NOON, NOON + QUARTER, NOON + QUARTER * 2 - step):
            refused = verdict_at(score, tier, moment)
            assert isinstance(refused, Refused)
            assert [r.code for r in refused.refusals] == ["assigned_only"]
            assert refused.lifts_at is None
        return
    refused = verdict_at(score, tier, NOON + after - step)
    assert isinstance(refused, Refused)
    assert [r.code for r in refused.refusals] == ["not_open_yet"]
    assert refused.lifts_at == NOON + after
    assert verdict_at(score, tier, NOON + after) == Eligible(NOON + after)
    assert verdict_at(score, tier, NOON + after + step) == Eligible(NOON + after)


def attempt(world: FakeWorld, lead: Lead, rep: Rep, at: datetime) -> str:
    """Return the answer for a rep who claims at that time."""
    world.clock.at = at
    proof = proof_of(rep)
    try:
        claim(world.race, lead.lead_id, rep.rep_id, proof, world.clock, pause=no_pause)
    except ClaimRefused as refused:
        return refused.refusals[0].code
    except Expired:
        return "expired"
    return "won"


@pytest.mark.parametrize(("score", "tier", "after"), OPENINGS)
@pytest.mark.parametrize("step", [MS, SECOND])
def test_a_claim_is_won_from_the_tiers_time_on_and_never_before(
    score: int | None, tier: int, after: timedelta | None, step: timedelta
) -> None:
    world = FakeWorld(tiered())
    rep = world.add_rep(a_rep(tier=tier))
    lead = world.post_lead(a_card(score=score))
    if after is None:
        moments = (NOON, NOON + QUARTER, lead.closes_at - step)
        assert [attempt(world, lead, rep, at) for at in moments] == ["assigned_only"] * 3
        return
    assert attempt(world, lead, rep, NOON + after - step) == "not_open_yet"
    assert attempt(world, lead, rep, NOON + after) == "won"


@pytest.mark.parametrize(
    ("score", "closes"), [(HOT, QUARTER + QUARTER), (WARM, HOUR + QUARTER), (None, HOUR + QUARTER)]
)
def test_the_pool_stays_open_for_its_window_after_its_last_wave(
    score: int | None, closes: timedelta
) -> None:
    world = FakeWorld(tiered())
    first, second = (world.add_rep(a_rep(number, tier=number)) for number in (1, 2))
    lead = world.post_lead(a_card(score=score))
    assert lead.closes_at == NOON + closes
    assert attempt(world, lead, first, lead.closes_at) == "expired"
    assert attempt(world, lead, second, lead.closes_at - MS) == "won"


def test_in_an_open_pool_everybody_may_claim_at_once_whatever_their_tier() -> None:
    world = FakeWorld()
    for tier in (1, 2, 3):
        rep = world.add_rep(a_rep(tier, tier=tier))
        lead = world.post_lead(a_card(tier))
        assert lead.waves == {}
        assert lead.closes_at == NOON + QUARTER
        assert attempt(world, lead, rep, NOON) == "won"


def test_a_claims_milliseconds_run_from_the_opening_of_the_reps_own_wave() -> None:
    world = FakeWorld(tiered())
    rep = world.add_rep(a_rep(tier=2))
    lead = world.post_lead(a_card(score=WARM))
    world.clock.at = NOON + QUARTER + 3 * SECOND
    proof = proof_of(rep)
    won: Won = claim(world.race, lead.lead_id, rep.rep_id, proof, world.clock, pause=no_pause)
    assert won.claim.claim_ms == 3_000


@pytest.mark.parametrize(("tier", "after"), [(1, 0), (2, 45), (3, 120)])
def test_the_seconds_are_the_playbooks(tier: int, after: int) -> None:
    playbook = tiered(waves={"standard": [0, 45, 120]}, window_seconds=100)
    lead = opened(playbook)
    assert lead.openings("north")[tier - 1] == NOON + timedelta(seconds=after)
    assert lead.closes_at == NOON + timedelta(seconds=220)


# A window per source and per team


def test_a_source_may_have_waves_and_a_window_of_its_own() -> None:
    playbook = tiered(
        windows=[
            {"source": "referral", "standard": [0, 60, None], "window_seconds": 30},
            {"source": "fair", "premium": [0, 0, 0]},
        ]
    )
    referral = opened(playbook, "referral")
    assert referral.waves == {"north": (NOON, NOON + MINUTE, None)}
    assert referral.closes_at == NOON + MINUTE + timedelta(seconds=30)
    # The playbook's general values fill what a window leaves out.
    assert opened(playbook, "referral", HOT).waves == {"north": (NOON, NOON + QUARTER, None)}
    assert opened(playbook, "fair").waves == {"north": (NOON, NOON + QUARTER, NOON + HOUR)}
    everybody = opened(playbook, "fair", HOT)
    assert (everybody.waves, everybody.closes_at) == ({}, NOON + QUARTER)
    other = opened(playbook, "google-ads")
    assert other.waves == {"north": (NOON, NOON + QUARTER, NOON + HOUR)}


def test_a_team_may_have_waves_of_its_own_and_the_pool_waits_for_the_last_of_all() -> None:
    playbook = tiered(
        teams=TWO_TEAMS,
        windows=[{"team": "south", "standard": [0, 10, 20], "window_seconds": 7200}],
    )
    lead = opened(playbook)
    assert lead.waves == {
        "north": (NOON, NOON + QUARTER, NOON + HOUR),
        "south": (NOON, NOON + 10 * SECOND, NOON + 20 * SECOND),
    }
    # South's window of two hours ends later than north's 15 minutes after an hour.
    assert lead.closes_at == NOON + timedelta(seconds=20 + 7200)
    for team, after in (("north", HOUR), ("south", 20 * SECOND)):
        rep = a_rep(team=team, tier=3)
        early = decide(lead, rep, Usage(), playbook, NOON + after - MS)
        assert isinstance(early, Refused)
        assert decide(lead, rep, Usage(), playbook, NOON + after) == Eligible(NOON + after)


def test_of_two_windows_that_fit_the_first_counts() -> None:
    windows = [
        {"team": "south", "source": "fair", "standard": [0, 1, 2]},
        {"source": "fair", "standard": [0, 3, 4]},
        {"team": "south", "standard": [0, 5, 6]},
    ]
    playbook = tiered(teams=TWO_TEAMS, windows=windows)
    seconds = {
        (source, team): (opened(playbook, source).openings(team)[1] or NOON) - NOON
        for source in ("fair", "web")
        for team in ("north", "south")
    }
    assert seconds == {
        ("fair", "south"): 1 * SECOND,
        ("fair", "north"): 3 * SECOND,
        ("web", "south"): 5 * SECOND,
        ("web", "north"): QUARTER,
    }


def test_teams_of_different_models_share_a_lead_each_by_its_own_rules() -> None:
    teams = {
        "north": {"name": "N", "model": "tiers"},
        "south": {"name": "S", "model": "open-pool"},
        "west": {"name": "W", "model": "round-robin"},
    }
    playbook = a_playbook(teams=teams)
    lead = opened(playbook)
    assert lead.openings("north") == (NOON, NOON + QUARTER, NOON + HOUR)
    assert lead.openings("south") == (NOON, NOON, NOON)
    assert lead.openings("west") == (None, None, None)
    assert lead.closes_at == NOON + HOUR + QUARTER
    assert races(lead, playbook)
    western = decide(lead, a_rep(team="west", tier=1), Usage(), playbook, NOON)
    assert isinstance(western, Refused)
    assert [refusal.code for refusal in western.refusals] == ["assigned_only"]


@pytest.mark.parametrize("model", ["round-robin", "speed-board"])
def test_a_lead_no_team_races_for_is_open_to_nobody(model: str) -> None:
    playbook = a_playbook(model=model)
    lead = opened(playbook)
    assert not races(lead, playbook)
    assert lead.closes_at == NOON
    assert isinstance(decide(lead, a_rep(tier=1), Usage(), playbook, NOON), Refused)
    world = FakeWorld(playbook)
    assert world.post_lead(a_card()).state is State.NEW


def test_a_lead_given_back_is_nobodys_and_opens_with_its_first_wave_again() -> None:
    playbook = replace(tiered(), version=7)
    held = opened(
        playbook,
        state=State.CLAIMED,
        owner="aaaac",
        claimed_at=NOON,
        worked_at=NOON,
        return_at=NOON,
        notified_until=NOON,
        playbook_version=3,
    )
    later = NOON + 5 * HOUR
    again = reopening(held, playbook, later)
    assert (again.epoch, again.owner, again.claimed_at) == (2, None, None)
    assert (again.worked_at, again.return_at, again.notified_until) == (None, None, None)
    assert again.waves == {"north": (later, later + QUARTER, later + HOUR)}
    assert (again.opens_at, again.closes_at) == (later, later + HOUR + QUARTER)
    assert again.playbook_version == 7


def test_a_recorded_opening_stays_as_it_is_when_the_playbook_changes() -> None:
    world = FakeWorld(tiered())
    rep = world.add_rep(a_rep(tier=2))
    lead = world.post_lead(a_card(score=WARM))
    world.put_playbook(tiered(waves={"standard": [0, 1, 2]}, window_seconds=60))
    assert attempt(world, lead, rep, NOON + QUARTER - MS) == "not_open_yet"
    assert attempt(world, lead, rep, NOON + QUARTER) == "won"


def test_the_latest_and_the_next_wave_of_any_team_are_found() -> None:
    lead = opened(tiered(teams=TWO_TEAMS, windows=[{"team": "south", "standard": [0, 60, None]}]))
    found = [
        (latest_opening(lead, at), next_opening(lead, at))
        for at in (
            NOON - MS,
            NOON,
            NOON + MINUTE - MS,
            NOON + MINUTE,
            NOON + QUARTER,
            NOON + HOUR - MS,
            NOON + HOUR,
        )
    ]
    assert found == [
        (None, NOON),
        (NOON, NOON + MINUTE),
        (NOON, NOON + MINUTE),
        (NOON + MINUTE, NOON + QUARTER),
        (NOON + QUARTER, NOON + HOUR),
        (NOON + QUARTER, NOON + HOUR),
        (NOON + HOUR, None),
    ]


# Opening early, where no rep of an earlier wave can claim (M6)

Members = list[tuple[Rep, Usage]]


def full(rep: Rep) -> tuple[Rep, Usage]:
    """Return the usage of a rep who has reached their daily limit."""
    return rep, Usage(rep.today(NOON), 10)


def free(*reps: Rep) -> Members:
    return [(rep, Usage()) for rep in reps]


def early(
    members: Members,
    declined: frozenset[str] = NOBODY,
    at: datetime = NOON + SECOND,
    score: int = WARM,
    **rules: Any,
) -> tuple[timedelta | None, ...]:
    """Return how long after noon each tier of north may claim, with early openings."""
    playbook = tiered(**rules)
    lead = opened(playbook, score=score)
    found = opened_early(lead, members, declined, playbook, at)
    assert replace(found, waves=lead.waves) == lead  # nothing else changes
    return tuple(None if opens is None else opens - NOON for opens in found.waves["north"])


FIRST, OTHER, SECOND_TIER, THIRD = (
    a_rep(1, tier=1),
    a_rep(2, tier=1),
    a_rep(3, tier=2),
    a_rep(4, tier=3),
)
AS_PLANNED = (timedelta(), QUARTER, HOUR)
NEXT_NOW = (timedelta(), SECOND, HOUR)
ALL_NOW = (timedelta(), SECOND, SECOND)


def test_a_wave_that_opens_early_comes_after_one_that_was_told_ahead_of_its_instant() -> None:
    """Otherwise its reps would count as notified."""
    playbook = tiered()
    lead = replace(opened(playbook), notified_until=NOON + 3 * SECOND)
    found = opened_early(lead, free(THIRD), NOBODY, playbook, NOON + 2 * SECOND)
    assert found.waves["north"][1] == NOON + 3 * SECOND + MS


def test_what_was_told_ahead_of_its_instant_is_never_moved() -> None:
    playbook = tiered(waves={"premium": [0, 20, 60], "standard": [0, 20, 60]})
    lead = replace(opened(playbook), notified_until=NOON + 20 * SECOND)
    for later in (19, 19.5, 19.9):
        at = NOON + timedelta(seconds=later)
        lead = opened_early(lead, free(THIRD), NOBODY, playbook, at)
        # The second wave keeps its notified opening; the third opens just after it, and keeps that.
        assert lead.waves["north"][1:] == (NOON + 20 * SECOND, NOON + 20 * SECOND + MS)


def test_somebody_of_the_first_tier_who_can_claim_keeps_the_others_waiting() -> None:
    assert early(free(FIRST, SECOND_TIER, THIRD)) == AS_PLANNED


def test_where_the_first_tier_has_nobody_the_second_opens_at_once() -> None:
    assert early(free(SECOND_TIER, THIRD)) == NEXT_NOW


def test_where_nobody_is_left_before_the_third_it_opens_as_well() -> None:
    assert early(free(THIRD)) == ALL_NOW
    assert early([]) == ALL_NOW


def test_those_who_left_or_are_on_another_team_keep_nobody_waiting() -> None:
    gone, southern = replace(FIRST, active=False), replace(OTHER, team="south")
    assert early(free(gone, southern, SECOND_TIER), teams=TWO_TEAMS) == NEXT_NOW


def test_when_all_of_the_first_tier_are_paused_the_second_opens() -> None:
    until = NOON + HOUR
    away = [replace(rep, paused_until=until) for rep in (FIRST, OTHER)]
    assert early(free(*away, SECOND_TIER)) == NEXT_NOW
    assert early(free(away[0], OTHER, SECOND_TIER)) == AS_PLANNED


def test_when_all_of_the_first_tier_are_at_their_limit_the_second_opens() -> None:
    assert early([full(FIRST), full(OTHER), *free(SECOND_TIER)]) == NEXT_NOW
    assert early([full(FIRST), *free(OTHER, SECOND_TIER)]) == AS_PLANNED


def test_when_all_of_the_first_tier_have_had_their_weeks_leads_the_second_opens() -> None:
    used = Usage(None, 0, FIRST.this_week(NOON), 3)
    quota = {"enabled": True, "base_per_week": 3}
    assert early([(FIRST, used), *free(SECOND_TIER)], quota=quota) == NEXT_NOW
    less = replace(used, leads=2)
    assert early([(FIRST, less), *free(SECOND_TIER)], quota=quota) == AS_PLANNED


def test_when_all_of_the_first_tier_declined_the_second_opens() -> None:
    both = frozenset({FIRST.rep_id, OTHER.rep_id})
    assert early(free(FIRST, OTHER, SECOND_TIER), both) == NEXT_NOW
    assert early(free(FIRST, OTHER, SECOND_TIER), frozenset({FIRST.rep_id})) == AS_PLANNED


def test_different_reasons_add_up() -> None:
    paused = replace(a_rep(6, tier=1), paused_until=NOON + HOUR)
    members = [full(FIRST), *free(OTHER, paused, SECOND_TIER)]
    assert early(members, frozenset({OTHER.rep_id})) == NEXT_NOW


def test_outside_their_hours_nobody_keeps_the_others_waiting() -> None:
    # 20:00 in Kuching: tier 1 is off duty, tier 2 in New York is on duty.
    teams = {"north": {"name": "N", "hours": {"mon": ["09:00-18:00"], "tue": ["09:00-18:00"]}}}
    second = replace(SECOND_TIER, zone="America/New_York")
    assert early(free(FIRST, second), at=NOON + 3 * HOUR, teams=teams)[1] == QUARTER
    on_duty = NOON + 2 * HOUR + SECOND
    lead = opening(a_lead(quality=Quality.COLD), tiered(teams=teams), on_duty - SECOND)
    found = opened_early(lead, free(FIRST, second), NOBODY, tiered(teams=teams), on_duty)
    assert found.waves["north"][1] == on_duty


@pytest.mark.parametrize(
    ("frees_up", "waits"), [(-MS, True), (timedelta(), False), (MS, False), (-QUARTER / 2, True)]
)
def test_one_who_frees_up_before_the_wave_would_open_anyway_is_waited_for(
    frees_up: timedelta, waits: bool
) -> None:
    back = replace(FIRST, paused_until=NOON + QUARTER + frees_up)
    assert early(free(back, SECOND_TIER)) == (AS_PLANNED if waits else NEXT_NOW)


def test_whoever_frees_up_before_a_later_wave_holds_back_that_wave_and_not_the_nearer() -> None:
    back = replace(FIRST, paused_until=NOON + QUARTER * 2)
    assert early(free(back, THIRD)) == NEXT_NOW


def test_a_limit_that_lifts_at_midnight_in_time_is_waited_for() -> None:
    # Midnight in Kuching is at 16:00.
    at = NOON + 4 * HOUR - 10 * MINUTE
    playbook = tiered()
    lead = opening(a_lead(quality=Quality.COLD), playbook, at)
    members = [full(FIRST), *free(SECOND_TIER)]
    assert opened_early(lead, members, NOBODY, playbook, at + SECOND) == lead
    before = opening(lead, playbook, at - 10 * MINUTE)
    found = opened_early(before, members, NOBODY, playbook, at - 9 * MINUTE)
    assert found.waves["north"][1] == at - 9 * MINUTE


def test_a_limit_does_not_hold_back_a_test_lead() -> None:
    playbook = tiered()
    lead = opened(playbook, test=True)
    members = [full(FIRST), *free(SECOND_TIER)]
    assert opened_early(lead, members, NOBODY, playbook, NOON + SECOND) == lead


def test_do_not_disturb_is_no_reason_to_open_early() -> None:
    quiet = replace(FIRST, quiet_until=NOON + 9 * HOUR)
    assert early(free(quiet, SECOND_TIER)) == AS_PLANNED


def test_a_tier_that_never_claims_stays_that_way_and_keeps_nobody_waiting() -> None:
    assert early([], score=HOT) == (timedelta(), SECOND, None)
    skipping = {"standard": [0, None, 900]}
    assert early(free(SECOND_TIER, THIRD), waves=skipping) == (timedelta(), None, SECOND)
    assert early(free(FIRST, THIRD), waves=skipping) == (timedelta(), None, QUARTER)


def test_a_tier_let_in_early_holds_back_the_next_even_where_both_were_to_open_together() -> None:
    together = {"standard": [0, 900, 900]}
    assert early(free(SECOND_TIER, THIRD), waves=together) == (timedelta(), SECOND, QUARTER)


def test_a_wave_that_has_opened_stays_as_it_was_recorded() -> None:
    assert early([], at=NOON + QUARTER) == (timedelta(), QUARTER, QUARTER)
    assert early([], at=NOON + HOUR) == AS_PLANNED


def test_teams_open_early_each_for_itself() -> None:
    playbook = tiered(teams=TWO_TEAMS)
    lead = opened(playbook)
    members = free(FIRST, replace(SECOND_TIER, team="south"))
    found = opened_early(lead, members, NOBODY, playbook, NOON + SECOND)
    assert found.waves["north"] == lead.waves["north"]
    assert found.waves["south"] == (NOON, NOON + SECOND, NOON + HOUR)


def test_an_early_opening_is_recorded_before_anybody_is_told_and_is_never_withdrawn() -> None:
    world = FakeWorld(tiered())
    for rep in (FIRST, SECOND_TIER, THIRD):
        world.add_rep(rep)
    lead = world.post_lead(a_card(score=WARM))
    world.clock.pass_(minutes=2)
    world.roster.pause(FIRST.rep_id, NOON + HOUR)
    check = LeadEvent("lead.check", lead.lead_id, 1)
    offering.follow(check, world.follow_deps())
    recorded = (NOON, NOON + 2 * MINUTE, NOON + HOUR)
    assert world.lead(lead).waves["north"] == recorded
    # A rep who may claim may do so from then on, and no later record changes the opening.
    world.roster.pause(FIRST.rep_id, None)
    for _ in range(3):
        world.clock.pass_(minutes=1)
        offering.follow(check, world.follow_deps())
        assert world.lead(lead).waves["north"] == recorded
    assert attempt(world, lead, SECOND_TIER, world.clock()) == "won"


def test_a_claim_goes_by_the_recorded_opening_also_to_the_millisecond_it_was_moved_to() -> None:
    world = FakeWorld(tiered())
    for rep in (SECOND_TIER, THIRD):
        world.add_rep(rep)
    lead = world.post_lead(a_card(score=WARM))
    world.clock.pass_(seconds=7)
    offering.follow(LeadEvent("lead.opened", lead.lead_id, 1), world.follow_deps())
    assert attempt(world, lead, SECOND_TIER, NOON + 7 * SECOND - MS) == "not_open_yet"
    assert attempt(world, lead, SECOND_TIER, NOON + 7 * SECOND) == "won"


# For any team


people = st.builds(
    lambda number, tier, pause, quiet, used, active, declines, off: (
        a_rep(
            number,
            tier=tier,
            active=active,
            paused_until=None if pause is None else NOON + pause * MINUTE,
            quiet_until=NOON + HOUR if quiet else None,
            leave=((date(2026, 11, 23), date(2026, 11, 23)),) if off else (),
        ),
        used,
        declines,
    ),
    number=st.integers(1, 200),
    tier=st.integers(1, 3),
    pause=st.none() | st.integers(-5, 90),
    quiet=st.booleans(),
    used=st.sampled_from([0, 0, 9, 10]),
    active=st.sampled_from([True, True, True, False]),
    declines=st.sampled_from([False, False, True]),
    off=st.sampled_from([False, False, False, True]),
)


@given(
    found=st.lists(people, max_size=6, unique_by=lambda person: person[0].rep_id),
    score=st.sampled_from([HOT, WARM]),
    after=st.integers(0, 80 * 60_000),
)
def test_a_wave_opens_early_exactly_where_nobody_before_it_could_claim_until_then(
    found: list[tuple[Rep, int, bool]], score: int, after: int
) -> None:
    playbook = tiered()
    lead, now = opened(playbook, score=score), NOON + after * MS
    members = [(rep, Usage(rep.today(NOON), used)) for rep, used, _ in found]
    declined = frozenset(rep.rep_id for rep, _, declines in found if declines)
    moved = opened_early(lead, members, declined, playbook, now)
    planned, given_ = lead.waves["north"], moved.waves["north"]
    for index, (was, is_) in enumerate(zip(planned, given_, strict=True)):
        if was is None or was <= now:
            assert is_ == was
            continue
        # Reps of earlier tiers who can claim before this wave's own opening.
        takers = [
            (rep, usage)
            for rep, usage in members
            if rep.tier <= index and rep.rep_id not in declined
        ]
        moments = [now, *(p for p in (*planned, *given_) if p and now <= p < was)]
        moments += [rep.paused_until for rep, _ in takers if rep.paused_until]
        could = any(
            isinstance(decide(moved, rep, usage, playbook, at), Eligible)
            for rep, usage in takers
            for at in moments
            if now <= at < was
        )
        assert is_ == (was if could else now)
    # A second check opens nothing more.
    assert opened_early(moved, members, declined, playbook, now) == moved


# Performance first for some kinds of leads (R6)


@pytest.mark.parametrize(
    ("rule", "changes", "first"),
    [
        ({"quality": "hot"}, {}, True),
        ({"quality": "warm"}, {}, False),
        ({"source": "google-ads"}, {}, True),
        ({"source": "web"}, {}, False),
        ({"product": "solar"}, {"product": "solar"}, True),
        ({"product": "solar", "segment": "new"}, {"product": "solar"}, False),
        ({"product": "solar", "segment": "new"}, {"product": "solar", "segment": "new"}, True),
        ({"territory": "sabah"}, {"territory": "sarawak"}, False),
        ({"quality": "hot"}, {"blind": True}, False),  # its waves would show what it is
    ],
)
def test_named_kinds_of_leads_open_tier_by_tier_in_an_open_pool(
    rule: dict[str, Any], changes: dict[str, Any], first: bool
) -> None:
    playbook = a_playbook(performance_first=[rule])
    lead = opening(a_lead(**changes), playbook, NOON)
    waves = (NOON, NOON + QUARTER, NOON + HOUR) if first else (NOON, NOON, NOON)
    assert lead.openings("north") == waves
    assert lead.closes_at == waves[2] + QUARTER
    assert playbook.ranks("north")


def test_a_team_that_is_assigned_its_leads_has_no_waves_for_the_best() -> None:
    playbook = a_playbook(model="round-robin", performance_first=[{"quality": "hot"}])
    assert opening(a_lead(), playbook, NOON).openings("north") == (None, None, None)
    assert not playbook.ranks("north")


# Until when it is theirs alone (C13)


@given(st.integers(1, 3), st.integers(0, 80), st.sampled_from([HOT, WARM]))
def test_time_left_ends_at_the_next_wave_after_ones_own_or_with_the_lead(
    tier: int, minutes: int, score: int
) -> None:
    lead, now = opened(tiered(), score=score), NOON + timedelta(minutes=minutes)
    rep = a_rep(tier=tier)
    until, ends = exclusive_until(lead, rep, now), claim_by(lead, rep, now)
    assert ends == (until or lead.closes_at)
    waves = [at for at in lead.openings("north") if at is not None]
    mine = lead.opens_for(rep)
    later = [at for at in waves if at > max(now, mine or now)]
    assert until == min(later, default=None)


def test_in_an_open_pool_nobody_has_a_lead_alone() -> None:
    lead = opened(a_playbook())
    assert exclusive_until(lead, a_rep(), NOON) is None
    assert claim_by(lead, a_rep(), NOON) == lead.closes_at
