"""Before it races, a new lead gets a head start by turn (F6) or credit (F10), or is reserved for a
newcomer (F8, F9) or a rep who was away (F10). No lead is lost by it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dibs.assignment.allocate import MOST_FIRST, allot
from dibs.assignment.assign import serve
from dibs.assignment.head_start_days import turns_daily
from dibs.assignment.head_starts import OnTurn
from dibs.assignment.reservations import in_share
from dibs.core.calendar import day_of
from dibs.core.events import LeadEvent
from dibs.core.lead import Claim, Lead, State
from dibs.core.rep import Rep, Usage
from dibs.dispatch import follow as offering
from dibs.dispatch.sweep import relay, sweep
from dibs.intake.ingest import IngestDeps, ingest
from dibs.race.claim import Won, claim
from dibs.race.decide import Eligible, Refused, decide
from dibs.roster.ports import Roster
from support.builders import NOON, a_card, a_playbook, a_rep, proof_of
from support.fakes import FakeArrivals, FakeWorld, no_pause

SECOND, MINUTE, HOUR, DAY = (
    timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days")
)
TODAY = date(2026, 11, 23)
HEAD_START = 5 * MINUTE
PRIORITY = {"share_percent": 100}
NEWCOMERS = {"enabled": True, "per_week": 7}
ABSENCE = {"hours_per_credit": 24}  # teams without hours: a day of leave is a credit
ANN, BOB, CHO = a_rep(1), a_rep(2), a_rep(3)


class AllocationCase(FakeWorld):
    """Reps, their turns, and the offer step that handles all events."""

    def __init__(self, *reps: Rep, **playbook: Any) -> None:
        super().__init__(a_playbook(**playbook))
        for rep in reps:
            self.add_rep(rep)
        self.made = 0

    def on_turn(self, *reps: Rep, team: str = "north") -> None:
        """Give these reps the turn from noon for half an hour."""
        turn = OnTurn(NOON, NOON + 30 * MINUTE, tuple(rep.rep_id for rep in reps))
        self.turns.days[team, TODAY] = (turn,)

    def post(self, **card: Any) -> Lead:
        """Post the next new lead."""
        self.made += 1
        return self.post_lead(a_card(self.made, **card))

    def verdict(self, lead: Lead, rep: Rep) -> Eligible | Refused:
        memory = self.memory
        stored, used = memory.reps[rep.rep_id], memory.usage[rep.rep_id]
        return decide(memory.leads[lead.lead_id], stored, used, memory.playbook, self.clock())

    def claims(self, lead: Lead, rep: Rep) -> Won:
        return claim(self.race, lead.lead_id, rep.rep_id, proof_of(rep), self.clock)

    def serve(self) -> list[Claim]:
        waiting = self.holdings.queued()
        return serve(waiting, self.race, self.roster, self.holdings, self.clock, no_pause)

    def happens(self) -> None:
        """Publish and handle all events in the outbox until there are no more."""
        for _ in range(30):
            self.clock.pass_(milliseconds=1)
            waiting = list(self.leads.waiting_in_outbox(self.clock()))
            if not waiting:
                return
            self.bus.events.clear()
            relay(waiting, self.leads, self.bus)
            for event in list(self.bus.events):
                offering.follow(event, self.follow_deps())
        raise AssertionError("it never comes to rest")

    def until(self, moment: datetime) -> None:
        """Move the clock to `moment`; each timer fires at its time."""
        self.happens()
        while due := [timer for timer in self.timers.set if timer[2] <= moment]:
            timer = min(due, key=lambda timer: timer[2])
            self.timers.set.remove(timer)
            self.clock.at = max(self.clock.at, timer[2])
            offering.follow(LeadEvent("lead.due", timer[0], timer[1]), self.follow_deps())
            self.happens()
        self.clock.at = max(self.clock.at, moment)

    def offered(self) -> list[tuple[str, ...]]:
        """Return the reps who got offers, wave by wave."""
        return [tuple(sorted(batch.rep_ids)) for batch in self.queue.of("offer")]


def ids(*reps: Rep) -> tuple[str, ...]:
    return tuple(sorted(rep.rep_id for rep in reps))


# Head start by turn (F6)


def test_who_is_on_turn_may_claim_before_everybody_else() -> None:
    case = AllocationCase(ANN, BOB, priority=PRIORITY)
    case.on_turn(ANN)
    lead = case.post()
    assert lead.head_start_reps == ids(ANN)
    assert lead.opens_at == NOON
    assert lead.closes_at == NOON + HEAD_START + 15 * MINUTE
    assert case.verdict(lead, ANN) == Eligible(NOON)
    refused = case.verdict(lead, BOB)
    assert isinstance(refused, Refused)
    assert [refusal.code for refusal in refused.refusals] == ["not_open_yet"]
    assert refused.lifts_at == NOON + HEAD_START
    case.clock.at = NOON + HEAD_START - SECOND
    assert isinstance(case.verdict(lead, BOB), Refused)
    case.clock.pass_(seconds=1)
    assert isinstance(case.verdict(lead, BOB), Eligible)
    assert case.claims(lead, BOB).claim.rep_id == BOB.rep_id


def test_each_is_told_when_they_may_claim() -> None:
    case = AllocationCase(ANN, BOB, CHO, priority=PRIORITY)
    case.on_turn(ANN)
    case.post()
    case.happens()
    assert case.offered() == [ids(ANN)]
    case.until(NOON + HEAD_START)
    # Reps with the head start are among them; notify sends no offer twice.
    assert case.offered() == [ids(ANN), ids(ANN, BOB, CHO)]
    (_, everybody) = case.queue.of("offer")
    assert everybody.notify_at == NOON + HEAD_START


@pytest.mark.parametrize("how", ["declines", "pauses", "full"])
def test_if_none_of_the_first_can_claim_it_opens_to_everybody_at_once(how: str) -> None:
    reps = [replace(rep, tier=tier) for rep, tier in ((ANN, 3), (BOB, 1), (CHO, 3))]
    case = AllocationCase(*reps, priority=PRIORITY, claims_per_day=1)
    case.on_turn(ANN)
    lead, other = case.post(), case.post()
    case.happens()
    case.clock.pass_(minutes=1)
    if how == "declines":
        case.race.record_sighting(lead, ANN.rep_id, "declined_at", case.clock())
        offering.follow(LeadEvent("lead.check", lead.lead_id, 1), case.follow_deps())
    elif how == "pauses":
        case.roster.pause(ANN.rep_id, case.clock() + HOUR)
        offering.follow(LeadEvent("waves.check", "", 0), case.follow_deps())
    else:
        case.claims(other, ANN)
        case.happens()
    for rep in (BOB, CHO):
        assert isinstance(case.verdict(lead, rep), Eligible)
    assert case.lead(lead).notified_until is not None
    assert ids(BOB, CHO) in [tuple(r for r in told if r != ANN.rep_id) for told in case.offered()]


def test_while_one_of_the_first_can_claim_the_others_wait() -> None:
    case = AllocationCase(ANN, BOB, CHO, priority=PRIORITY)
    case.on_turn(ANN, BOB)
    lead = case.post()
    case.happens()
    case.roster.pause(ANN.rep_id, NOON + HOUR)
    offering.follow(LeadEvent("waves.check", "", 0), case.follow_deps())
    assert isinstance(case.verdict(lead, CHO), Refused)


@pytest.mark.parametrize("gone", [{"paused_until": NOON + HOUR}, {"team": "south"}])
def test_the_sweep_opens_it_too_where_nobody_looked(gone: dict[str, Any]) -> None:
    case = AllocationCase(ANN, BOB, priority=PRIORITY)
    case.on_turn(ANN)
    lead = case.post()
    case.happens()
    case.memory.reps[ANN.rep_id] = replace(ANN, **gone)
    case.clock.pass_(minutes=1)
    sweep(case.leads, case.race, case.holdings, case.roster, case.offers, case.bus, case.clock())
    assert LeadEvent("lead.check", lead.lead_id, 1) in case.bus.events


NOBODY_FIRST: dict[str, dict[str, Any]] = {
    "paused": {"paused_until": NOON + HOUR},
    "left": {"active": False},
    "on leave": {"leave": ((TODAY, TODAY),)},
    "speaks another language": {"speaks": ("de",)},
    "of another team": {"team": "south"},
}


@pytest.mark.parametrize("why", NOBODY_FIRST)
def test_who_cannot_claim_it_gets_no_head_start(why: str) -> None:
    ann = replace(ANN, **NOBODY_FIRST[why])
    teams = {"north": {"name": "North"}, "south": {"name": "South"}}
    case = AllocationCase(ann, BOB, priority=PRIORITY, matching={"languages": True}, teams=teams)
    case.on_turn(ann)
    lead = case.post(team="north", language="en")
    assert lead.head_start_reps == ()
    assert lead.waves == {}
    assert isinstance(case.verdict(lead, BOB), Eligible)


def test_where_nobody_is_on_turn_it_opens_to_everybody() -> None:
    case = AllocationCase(ANN, priority=PRIORITY)
    assert case.post().head_start_reps == ()
    case.on_turn(ANN)
    case.clock.at = NOON + 30 * MINUTE
    assert case.post().head_start_reps == ()


def test_in_tiers_the_head_start_comes_before_the_first_wave() -> None:
    bob = replace(BOB, tier=1)
    case = AllocationCase(ANN, bob, replace(CHO, tier=3), model="tiers", priority=PRIORITY)
    case.on_turn(ANN, CHO)
    warm = case.post(score=60)
    assert warm.head_start_reps == ids(ANN, CHO)
    assert warm.waves["north"] == tuple(
        NOON + HEAD_START + minutes * MINUTE for minutes in (0, 15, 60)
    )
    # Hot leads come to tier 3 by assignment only, on turn or not.
    assert case.post(score=90).head_start_reps == ids(ANN)


def test_a_share_of_the_leads_goes_by_turn_the_same_whenever_it_is_asked() -> None:
    case = AllocationCase(ANN, BOB, priority={"share_percent": 30})
    case.on_turn(ANN)
    leads = [case.post() for _ in range(400)]
    first = [lead for lead in leads if lead.head_start_reps]
    assert 90 <= len(first) <= 150
    again = AllocationCase(ANN, BOB, priority={"share_percent": 30})
    again.on_turn(ANN)
    assert [again.post().head_start_reps for _ in range(400)] == [
        lead.head_start_reps for lead in leads
    ]


def test_of_many_on_turn_some_are_drawn_evenly() -> None:
    reps = [a_rep(number) for number in range(1, 13)]
    case = AllocationCase(*reps, priority=PRIORITY)
    case.on_turn(*reps)
    leads = [case.post() for _ in range(400)]
    assert {len(lead.head_start_reps) for lead in leads} == {MOST_FIRST}
    drawn_first = Counter(rep_id for lead in leads for rep_id in lead.head_start_reps)
    # 200 each of 400; five standard deviations are 50.
    assert len(drawn_first) == 12
    assert all(150 <= times <= 250 for times in drawn_first.values())


def test_teams_share_a_lead_and_its_head_start() -> None:
    teams = {
        "north": {"name": "North"},
        "south": {"name": "South", "zone": "Asia/Kuching"},
        "queue": {"name": "Queue", "model": "round-robin"},
    }
    bob, cho = replace(BOB, team="south"), replace(CHO, team="queue")
    case = AllocationCase(ANN, bob, cho, priority=PRIORITY, teams=teams)
    for rep in (ANN, bob, cho):
        case.on_turn(rep, team=rep.team)
    lead = case.post()
    assert lead.head_start_reps == ids(ANN, bob)
    assert set(lead.waves) == {"north", "south", "queue"}


def test_with_the_rules_off_nothing_is_read() -> None:
    class Closed:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"asked for {name}")

    case = AllocationCase(ANN)
    closed: Any = Closed()
    lead = case.post()
    assert allot(closed, closed)(lead, case.memory.playbook, NOON).lead == lead
    # With a small share, most leads need no read either.
    few = replace(
        case.memory.playbook, priority=replace(case.memory.playbook.priority, share_percent=1)
    )
    assert not in_share(lead, "priority", 1)
    assert allot(closed, closed)(lead, few, NOON).lead == lead


# The daily job (O1)


def test_the_days_turns_are_given_out_once_in_the_evening_before() -> None:
    case = AllocationCase(
        ANN, BOB, priority=PRIORITY, teams={"north": {"name": "N", "zone": "Asia/Tokyo"}}
    )
    evening = datetime.fromisoformat("2026-11-22T09:00:00+00:00")  # 18:00 in Tokyo
    assert turns_daily(case.roster, case.turns, evening - SECOND).periods == 1
    assert turns_daily(case.roster, case.turns, evening).periods == 1
    given = dict(case.turns.days)
    assert sorted(day for _, day in given) == [TODAY - DAY, TODAY]
    for hours in range(23):
        done = turns_daily(case.roster, case.turns, evening + hours * HOUR)
        assert done.periods == 0
    assert case.turns.days == given
    (turn, _) = given["north", TODAY]
    assert day_of("Asia/Tokyo", turn.start).first_day == TODAY


def test_a_missed_run_is_caught_up_and_days_that_are_over_had_no_turns() -> None:
    case = AllocationCase(ANN, priority={"share_percent": 30, "turn_minutes": 60})
    turns_daily(case.roster, case.turns, NOON - 4 * DAY + 7 * HOUR)
    turns_daily(case.roster, case.turns, NOON + HOUR / 2)
    assert sorted(day for _, day in case.turns.days) == [TODAY - 3 * DAY, TODAY]
    # She had the first slot three days ago; today's second slot is over.
    assert case.turns.days["north", TODAY] == ()
    turns_daily(case.roster, case.turns, NOON + 7 * HOUR)
    (turn,) = case.turns.days["north", TODAY + DAY]
    assert turn.start == NOON + 13 * HOUR


def test_teams_that_do_not_race_have_no_turns_nor_has_anybody_with_the_rule_off() -> None:
    assert turns_daily(AllocationCase(ANN).roster, AllocationCase(ANN).turns, NOON).periods == 0
    by_turn = AllocationCase(ANN, priority=PRIORITY, model="round-robin")
    assert turns_daily(by_turn.roster, by_turn.turns, NOON).periods == 0


# Newcomers (F8, F9)


def joined(rep: Rep, weeks: int) -> Rep:
    """Return the rep as joined some weeks and three days ago."""
    return replace(rep, joined_on=TODAY - weeks * 7 * DAY - 3 * DAY)


@pytest.mark.parametrize("score", [90, 60, 10])
def test_a_newcomer_who_is_due_a_lead_is_assigned_the_next_one(score: int) -> None:
    new = joined(BOB, 0)
    case = AllocationCase(ANN, new, newcomers=NEWCOMERS)
    lead = case.post(score=score)
    assert (lead.state, lead.reserved_for, lead.closes_at) == (State.NEW, "newcomers", NOON)
    case.happens()
    stored, record = case.lead(lead), case.memory.claims[lead.lead_id]
    assert (stored.state, stored.owner, record.cause) == (State.ASSIGNED, new.rep_id, "newcomer")
    assert not record.competitive
    # They have the leads due on a Monday; the next one races.
    raced = case.post(score=score)
    assert (raced.state, raced.reserved_for) == (State.OPEN, "")
    assert isinstance(case.verdict(raced, new), Refused)
    case.clock.pass_(days=1)
    assert case.post().reserved_for == "newcomers"


NOT_FOR_THEM: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "paused": ({"paused_until": NOON + HOUR}, {}),
    "on leave": ({"leave": ((TODAY, TODAY),)}, {}),
    "speaks another language": ({"speaks": ("de",)}, {}),
    "of another team": ({"team": "south"}, {}),
    "a test": ({}, {"test": True}),
}


@pytest.mark.parametrize("why", NOT_FOR_THEM)
def test_what_a_newcomer_cannot_have_is_raced_for(why: str) -> None:
    changes, card = NOT_FOR_THEM[why]
    teams = {"north": {"name": "North"}, "south": {"name": "South"}}
    case = AllocationCase(
        ANN,
        replace(joined(BOB, 0), **changes),
        newcomers=NEWCOMERS,
        matching={"languages": True},
        teams=teams,
    )
    lead = case.post(**{"team": "north", "language": "en", **card})
    assert (lead.state, lead.reserved_for) == (State.OPEN, "")


def test_it_goes_to_the_newcomer_most_behind() -> None:
    bob, cho = joined(BOB, 1), joined(CHO, 1)
    case = AllocationCase(ANN, bob, cho, newcomers=NEWCOMERS)
    case.clock.at = NOON + 2 * DAY
    case.memory.usage[bob.rep_id] = Usage(week=TODAY, leads=2)
    case.memory.usage[cho.rep_id] = Usage(week=TODAY, leads=1)
    owners = []
    for _ in range(3):
        lead = case.post()
        case.happens()
        owners.append(case.lead(lead).owner)
    assert owners[0] == cho.rep_id
    assert sorted(str(owner) for owner in owners[1:]) == list(ids(bob, cho))


def test_a_burst_gives_a_newcomer_what_is_due_and_the_rest_is_raced_for() -> None:
    new = joined(BOB, 0)
    case = AllocationCase(ANN, new, newcomers=NEWCOMERS)
    leads = [case.post() for _ in range(20)]
    # No rep had been assigned a lead yet when they came.
    assert {lead.reserved_for for lead in leads} == {"newcomers"}
    case.happens()
    found = [case.lead(lead) for lead in leads]
    assert Counter(lead.state for lead in found) == {State.ASSIGNED: 1, State.OPEN: 19}
    for lead in (one for one in found if one.state is State.OPEN):
        assert isinstance(case.verdict(lead, ANN), Eligible)
        assert case.leads.history(lead.lead_id)[0].cause == "not_owed"


@pytest.mark.parametrize("model", ["open-pool", "round-robin"])
def test_a_lead_kept_for_who_cannot_take_it_any_more_is_not_lost(model: str) -> None:
    new = joined(BOB, 0)
    case = AllocationCase(ANN, new, newcomers=NEWCOMERS, model=model)
    lead = case.post()
    case.roster.pause(new.rep_id, NOON + HOUR)
    case.happens()
    stored = case.lead(lead)
    if model == "open-pool":
        assert (stored.state, stored.reserved_for, stored.epoch) == (State.OPEN, "", 1)
        assert case.offered() == [ids(ANN)]
        assert case.claims(lead, ANN).claim.competitive
    else:
        assert (stored.state, stored.owner) == (State.ASSIGNED, ANN.rep_id)
        assert case.memory.claims[lead.lead_id].cause == "assigned"


def test_where_a_team_goes_by_turn_the_guarantee_comes_before_the_turn() -> None:
    new = joined(BOB, 0)
    case = AllocationCase(ANN, new, CHO, newcomers=NEWCOMERS, model="round-robin")
    owners = []
    for _ in range(3):
        lead = case.post()
        case.happens()
        owners.append(case.lead(lead).owner)
    assert owners == [new.rep_id, ANN.rep_id, new.rep_id]


def cohort_lead(case: AllocationCase, *, raced: bool) -> Lead:
    """Return the next lead that the cohort races for, or that is assigned."""
    while True:
        lead = case.post()
        if in_share(lead, "cohort", 50) is raced:
            return lead
        del case.memory.leads[lead.lead_id]
        del case.memory.outbox[lead.lead_id, "LOCK"]


def test_half_of_the_cohorts_leads_are_raced_for_among_them_and_half_assigned() -> None:
    bob, cho = joined(BOB, 5), joined(CHO, 6)
    case = AllocationCase(ANN, bob, cho, newcomers=NEWCOMERS)
    lead = cohort_lead(case, raced=True)
    case.happens()
    stored = case.lead(lead)
    assert (stored.state, stored.reserved_for) == (State.OPEN, "cohort")
    assert case.offered() == [ids(bob, cho)]
    refused = case.verdict(lead, ANN)
    assert isinstance(refused, Refused)
    assert [refusal.code for refusal in refused.refusals] == ["newcomers_only"]
    assert case.claims(lead, cho).claim.competitive
    lead = cohort_lead(case, raced=False)
    case.happens()
    assert (case.lead(lead).owner, case.memory.claims[lead.lead_id].cause) == (
        bob.rep_id,
        "newcomer",
    )


@pytest.mark.parametrize(("percent", "raced"), [(0, False), (100, True)])
def test_the_share_the_cohort_races_for_is_a_setting(percent: int, raced: bool) -> None:
    bob, cho = joined(BOB, 5), joined(CHO, 6)
    case = AllocationCase(ANN, bob, cho, newcomers={**NEWCOMERS, "raced_percent": percent})
    for _ in range(3):
        lead = case.post()
        case.happens()
        assert (case.lead(lead).reserved_for == "cohort") is raced
        if raced:
            case.claims(lead, cho)


def test_alone_in_the_cohort_a_newcomer_is_assigned_it() -> None:
    bob = joined(BOB, 5)
    cho = replace(joined(CHO, 5), paused_until=NOON + HOUR)
    case = AllocationCase(ANN, bob, cho, newcomers=NEWCOMERS)
    lead = cohort_lead(case, raced=True)
    case.happens()
    assert case.lead(lead).owner == bob.rep_id


def test_no_more_is_raced_for_in_the_cohort_than_they_are_many() -> None:
    bob, cho = joined(BOB, 5), joined(CHO, 6)
    case = AllocationCase(ANN, bob, cho, newcomers=NEWCOMERS)
    leads = [cohort_lead(case, raced=True) for _ in range(5)]
    case.happens()
    found = [case.lead(lead) for lead in leads]
    # Two reps race for two leads; two more are due and assigned; all reps race for the last.
    assert Counter((lead.state.value, lead.reserved_for) for lead in found) == {
        ("open", "cohort"): 2,
        ("assigned", "newcomers"): 2,
        ("open", ""): 1,
    }


def test_a_cohorts_lead_nobody_claims_goes_the_ordinary_way() -> None:
    bob, cho = joined(BOB, 5), joined(CHO, 6)
    case = AllocationCase(ANN, bob, cho, newcomers=NEWCOMERS)
    lead = cohort_lead(case, raced=True)
    case.until(NOON + 20 * MINUTE)
    stored = case.lead(lead)
    assert stored.state is State.ASSIGNED
    assert case.memory.claims[lead.lead_id].cause == "unclaimed"


def test_in_the_last_protected_weeks_claims_count_toward_the_guarantee() -> None:
    new = joined(BOB, 9)
    case = AllocationCase(ANN, new, newcomers=NEWCOMERS)
    case.memory.usage[new.rep_id] = Usage(week=TODAY, leads=0)
    lead = case.post()
    assert lead.reserved_for == "newcomers"
    case.happens()
    raced = case.post()
    assert isinstance(case.verdict(raced, new), Eligible)
    case.claims(raced, new)
    case.clock.pass_(days=1)
    assert case.post().reserved_for == ""


# Reps who were away (F10)


def back(rep: Rep, days: int = 1) -> Rep:
    """Return the rep as back since yesterday from this many days of leave."""
    return replace(rep, leave=((TODAY - (days + 1) * DAY, TODAY - 2 * DAY),))


def test_an_absence_credit_is_a_lead_outside_the_race() -> None:
    bob = back(BOB)
    case = AllocationCase(ANN, bob, absence=ABSENCE, claims_per_day=1)
    case.memory.usage[bob.rep_id] = Usage(day=TODAY, claims=9)  # over every competitive limit
    lead = case.post()
    assert (lead.state, lead.reserved_for) == (State.NEW, "absence")
    case.happens()
    stored, used = case.lead(lead), case.memory.usage[bob.rep_id]
    assert stored.owner == bob.rep_id
    assert case.memory.claims[lead.lead_id].cause == "absence_credit"
    assert used.credits_used == (TODAY - 2 * DAY,)
    # One day earned one credit.
    assert case.post().state is State.OPEN


def test_credits_come_one_after_the_other_and_whose_expire_first_goes_first() -> None:
    bob, cho = back(BOB, 6), replace(CHO, leave=((TODAY - 5 * DAY, TODAY - 4 * DAY),))
    case = AllocationCase(ANN, bob, cho, absence=ABSENCE)
    leads = [case.post() for _ in range(6)]
    case.happens()
    found = [case.lead(lead) for lead in leads]
    assert [lead.owner for lead in found[:2]] == [cho.rep_id, bob.rep_id]
    assert [lead.state for lead in found[2:]] == [State.OPEN] * 4


def test_a_credit_used_meanwhile_is_not_used_twice() -> None:
    bob = back(BOB)
    case = AllocationCase(ANN, bob, absence=ABSENCE)
    lead = case.post()
    used = case.memory.usage[bob.rep_id]

    def elsewhere() -> None:
        case.memory.usage[bob.rep_id] = replace(used, credits_used=(TODAY - 2 * DAY,))

    case.holdings.meanwhile = elsewhere
    case.serve()
    case.happens()
    stored = case.lead(lead)
    assert case.memory.usage[bob.rep_id].credits_used == (TODAY - 2 * DAY,)
    assert (stored.state, stored.owner) == (State.OPEN, None)


def test_newcomers_come_before_who_was_away() -> None:
    case = AllocationCase(ANN, joined(BOB, 0), back(CHO), newcomers=NEWCOMERS, absence=ABSENCE)
    assert case.post().reserved_for == "newcomers"
    case.happens()
    assert case.post().reserved_for == "absence"


HEAD = {**ABSENCE, "earns": "head_start", "head_start_seconds": 120}


def test_an_absence_credit_may_be_a_head_start_instead() -> None:
    bob = back(BOB)
    case = AllocationCase(ANN, bob, absence=HEAD)
    lead = case.post()
    assert (lead.state, lead.head_start_reps) == (State.OPEN, ids(bob))
    assert lead.waves["north"] == (NOON + 2 * MINUTE,) * 3
    assert case.memory.usage[bob.rep_id].credits_used == (TODAY - 2 * DAY,)
    case.happens()
    assert case.offered() == [ids(bob)]
    assert case.post().head_start_reps == ()


def test_a_lead_sent_twice_uses_one_credit() -> None:
    bob = back(BOB, 13)
    case = AllocationCase(ANN, bob, absence=HEAD)
    case.clock.pass_(days=5)
    first, again = (case.post_lead(a_card(1)) for _ in range(2))
    assert again.lead_id == first.lead_id != ""
    assert again.head_start_reps == first.head_start_reps != ()
    assert len(case.memory.usage[bob.rep_id].credits_used) == 1


def test_a_head_start_whose_credit_was_used_just_now_is_none() -> None:
    bob = back(BOB)
    case = AllocationCase(ANN, bob, absence=HEAD)
    snapshot = case.roster.team("north")

    class Remembered:
        def team(self, team: str) -> Any:
            return snapshot

    used_meanwhile = allot(cast("Roster", Remembered()), case.turns)
    used = case.memory.usage[bob.rep_id]
    case.memory.usage[bob.rep_id] = replace(used, credits_used=(TODAY - 2 * DAY,))

    deps = IngestDeps(case.leads, FakeArrivals(), case.clock, allot=used_meanwhile, pause=no_pause)
    accepted = ingest(a_card(), case.memory.playbook, b"saltsalts", NOON, deps)
    assert not accepted.duplicate
    assert (accepted.lead.head_start_reps, accepted.lead.waves) == ((), {})
    assert case.memory.usage[bob.rep_id].credits_used == (TODAY - 2 * DAY,)


# In any order of leads, none is lost and no rep gets more than they are owed


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 600), st.integers(0, 100)), min_size=1, max_size=25),
    st.lists(st.integers(0, 14), min_size=1, max_size=4),
    st.sampled_from(["open-pool", "tiers", "round-robin"]),
)
def test_no_lead_is_lost_and_no_newcomer_is_given_more_than_is_due(
    leads: list[tuple[int, int]], weeks: list[int], model: str
) -> None:
    new = [joined(a_rep(10 + n), weeks) for n, weeks in enumerate(weeks)]
    case = AllocationCase(
        ANN,
        back(BOB, 3),
        *new,
        model=model,
        newcomers=NEWCOMERS,
        absence=ABSENCE,
        priority=PRIORITY,
    )
    case.on_turn(ANN)
    posted = []
    for wait, score in leads:
        case.until(case.clock() + wait * MINUTE)
        posted.append(case.post(score=score))
    case.until(case.clock() + 3 * HOUR)
    given: Counter[str] = Counter()
    for lead in posted:
        stored = case.lead(lead)
        assert stored.state is State.ASSIGNED, stored
        record = case.memory.claims[lead.lead_id]
        given[record.rep_id] += record.cause == "newcomer"
    days = (case.clock().date() - TODAY).days
    # Seven a week without days off is one a day, so at most one per day of a new week.
    assert all(times <= days + 2 for times in given.values())
    assert len(case.memory.usage[BOB.rep_id].credits_used) <= 3
