"""The race with every rule on: simultaneous claims pass no limit and no ratio (F1-F3, F7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dibs.aws import clock
from dibs.core.errors import AlreadyClaimed, Busy, ClaimRefused
from dibs.core.lead import Lead
from dibs.core.quality import Quality
from dibs.core.rep import Rep, Usage
from dibs.race.claim import Won, claim
from dibs.race.limits import used
from support.builders import World, a_card, a_playbook, a_rep, proof_of
from support.clients import over_both

pytestmark = pytest.mark.race

SCORE = {Quality.HOT: 86, Quality.WARM: 60, Quality.COLD: 20}
EVERY_RULE: dict[str, Any] = {
    "claims_per_day": 10,
    "limits": [
        {"most": 9, "per": "hour"},
        {"most": 20, "per": "week"},
        {"most": 8, "per": "day", "rolling": True},
        {"most": 9, "per": "in_hand"},
    ],
    "acceptance": {"hot_per_warm": 2, "claims_per_assignment": 5, "cold_per_week": 3},
    "matching": {
        "territory": True,
        "segment": True,
        "skills": ["solar"],
        "languages": True,
        "interests": True,
    },
    # Phases only; leads reserved for newcomers do not race.
    "newcomers": {"enabled": True, "per_week": 0},
    "quota": {"enabled": True, "base_per_week": 50},
    "window_seconds": 3600,
}
ASKS = {
    "territory": "Sarawak",
    "segment": "new",
    "product": "panels",
    "language": "en",
    "needs": ("solar:2",),
}
FITS: dict[str, Any] = {
    "territories": ("Sarawak",),
    "segments": ("new",),
    "interests": ("panels",),
    "speaks": ("en",),
    "skills": (("solar", 2),),
    "joined_on": datetime(2020, 1, 1, tzinfo=UTC).date(),
}

Outcome = Won | AlreadyClaimed | ClaimRefused


@pytest.fixture(autouse=True)
def one_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock at about noon, so that no hour, day or week ends during a race."""
    noon = datetime.now(UTC).replace(hour=12, minute=5, second=0, microsecond=0)
    started = datetime.now(UTC)
    monkeypatch.setattr(
        clock, "now", lambda: clock.from_ms(clock.to_ms(noon + (datetime.now(UTC) - started)))
    )


def attempt(world: World, lead: Lead, rep: Rep) -> Outcome:
    for _ in range(20):  # nothing was changed (503): try again, as an app does
        with suppress(Busy):
            try:
                return claim(world.race, lead.lead_id, rep.rep_id, proof_of(rep), clock.now)
            except (AlreadyClaimed, ClaimRefused) as refusal:
                return refusal
    raise Busy


def all_at_once(world: World, jobs: Sequence[tuple[Lead, Rep]], threads: int) -> list[Outcome]:
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda job: attempt(world, *job), jobs))


def post(world: World, qualities: Sequence[Quality]) -> list[Lead]:
    return [
        world.post_lead(a_card(number, score=SCORE[quality], **ASKS), clock.now())
        for number, quality in enumerate(qualities)
    ]


def won_by(outcomes: Sequence[Outcome], leads: Sequence[Lead]) -> dict[str, Counter[Quality]]:
    quality_of = {lead.lead_id: lead.quality for lead in leads}
    found: dict[str, Counter[Quality]] = {}
    for outcome in outcomes:
        if isinstance(outcome, Won):
            ours = found.setdefault(outcome.claim.rep_id, Counter())
            ours[quality_of[outcome.claim.lead_id]] += 1
    return found


def is_what_was_won(rep: Rep, usage: Usage, won: Counter[Quality], world: World) -> None:
    """The counters equal what was won, and no limit is passed."""
    total, now = won.total(), clock.now()
    assert (usage.hot, usage.warm, usage.cold) == tuple(won[quality] for quality in Quality)
    counted = (usage.claims, usage.week_claims, usage.hour_claims, usage.leads, usage.in_hand)
    assert counted == (total,) * 5
    assert (usage.raced, usage.ever, len(usage.recent)) == (total, total, total)
    for limit in world.playbooks.in_force().playbook.limits_of(rep.tier):
        assert used(limit, rep, usage, now) <= limit.most


def test_five_hundred_claimers_with_every_rule_on_have_one_winner(local_world: World) -> None:
    world = local_world
    world.put_playbook(a_playbook(**EVERY_RULE))
    reps = [world.add_rep(a_rep(number, zone="UTC", **FITS)) for number in range(1, 501)]
    # Some reps are refused by a rule: they get its code, and win nothing.
    barred = [world.add_rep(a_rep(600, zone="UTC", **{**FITS, "territories": ("Sabah",)}))]
    barred += [world.add_rep(a_rep(601, zone="UTC", **{**FITS, "skills": (("solar", 1),)}))]
    barred += [world.add_rep(a_rep(602, zone="UTC", **{**FITS, "joined_on": clock.now().date()}))]
    leads = post(world, [Quality.HOT, Quality.WARM, Quality.COLD])
    for lead in leads:
        outcomes = all_at_once(world, [(lead, rep) for rep in [*barred, *reps]], 64)
        winners = [outcome for outcome in outcomes if isinstance(outcome, Won)]
        assert len(winners) == 1
        assert winners[0].claim.rep_id not in {rep.rep_id for rep in barred}
        assert all(
            isinstance(outcome, AlreadyClaimed)
            for outcome in outcomes[3:]
            if outcome is not winners[0]
        )
        stored = world.leads.get(lead.lead_id)
        assert stored is not None
        assert stored.owner == winners[0].claim.rep_id
    # Read anew: a fast machine runs the whole race within the time a snapshot of a team is kept.
    stored_usage = [usage for _, usage in world.roster.team("north", fresh=True)]
    assert sum(usage.claims for usage in stored_usage) == len(leads)


@over_both
def test_eight_reps_on_fifty_leads_pass_no_limit_and_no_ratio(local_world: World) -> None:
    world = local_world
    world.put_playbook(a_playbook(**EVERY_RULE))
    reps = [world.add_rep(a_rep(number, zone="UTC", **FITS)) for number in range(1, 9)]
    mix = [Quality.HOT] * 6 + [Quality.WARM] * 2 + [Quality.COLD] * 2
    leads = post(world, mix * 5)
    jobs = [(lead, rep) for lead in leads for rep in reps]
    outcomes = all_at_once(world, jobs, 48)
    won = won_by(outcomes, leads)
    for rep, usage in world.roster.team("north", fresh=True):
        is_what_was_won(rep, usage, won.get(rep.rep_id, Counter()), world)
    taken = Counter(outcome.claim.lead_id for outcome in outcomes if isinstance(outcome, Won))
    assert set(taken.values()) == {1}
    for outcome in outcomes:
        if isinstance(outcome, ClaimRefused):
            assert {r.code for r in outcome.refusals} <= {
                "owes_warm",
                "owes_assignment",
                "daily_limit",
            }


@pytest.mark.parametrize(
    ("warm", "hot"),
    [
        # A warm lead stays open and is never claimed: two hot ones, and no more.
        (True, 2),
        # No warm lead is open, so none is owed: up to the five before an assignment.
        (False, 5),
    ],
)
def test_one_rep_with_fifty_hot_leads_at_once_owes_a_warm_one_only_where_there_is_one(
    local_world: World, warm: bool, hot: int
) -> None:
    world = local_world
    world.put_playbook(a_playbook(**EVERY_RULE))
    rep = world.add_rep(a_rep(1, zone="UTC", **FITS))
    leads = post(world, [Quality.HOT] * 50 + [Quality.WARM] * warm)
    outcomes = all_at_once(world, [(lead, rep) for lead in leads[:50]], 50)
    won = won_by(outcomes, leads)
    assert won == {rep.rep_id: Counter({Quality.HOT: hot})}
    ((_, usage),) = world.roster.team("north", fresh=True)
    is_what_was_won(rep, usage, won[rep.rep_id], world)
    refused = [outcome for outcome in outcomes if isinstance(outcome, ClaimRefused)]
    assert len(refused) == 50 - hot
    codes = {r.code for outcome in refused for r in outcome.refusals}
    assert codes == ({"owes_warm"} if warm else {"owes_assignment"})
    if warm:
        assert {outcome.lifts_at for outcome in refused} == {leads[50].closes_at}
        # One warm claim allows two more hot ones.
        assert isinstance(attempt(world, leads[50], rep), Won)
        still = [lead for lead in leads[:50] if world.leads.get(lead.lead_id) == lead]
        more = all_at_once(world, [(lead, rep) for lead in still[:20]], 20)
        # With no warm lead left, only the assignment due after five claims stops them.
        assert sum(isinstance(outcome, Won) for outcome in more) == 2


def test_hot_and_warm_claimed_at_once_keep_their_ratio(local_world: World) -> None:
    world = local_world
    world.put_playbook(a_playbook(claims_per_day=1000, acceptance={"hot_per_warm": 2}))
    rep = world.add_rep(a_rep(1, zone="UTC"))
    leads = post(world, [Quality.HOT] * 40 + [Quality.WARM] * 10)
    # Two warm ones stay open, so that a debt can always be paid.
    jobs = [(lead, rep) for pair in zip(leads[:40:5], leads[40:48], strict=True) for lead in pair]
    jobs += [(lead, rep) for lead in leads[:40] if lead not in leads[:40:5]]
    won = won_by(all_at_once(world, jobs, 50), leads)[rep.rep_id]
    assert won[Quality.WARM] == 8
    assert won[Quality.HOT] <= 2 * (1 + won[Quality.WARM])
    ((_, usage),) = world.roster.team("north", fresh=True)
    assert (usage.hot, usage.warm) == (won[Quality.HOT], won[Quality.WARM])


def test_who_owes_an_assignment_wins_nothing_however_many_they_try_for(local_world: World) -> None:
    world = local_world
    world.put_playbook(a_playbook(claims_per_day=1000, acceptance={"claims_per_assignment": 3}))
    rep = world.add_rep(a_rep(1, zone="UTC"))
    world.dynamo.update(
        world.settings.organisation_table,
        {"pk": {"S": f"REP#{rep.rep_id}"}},
        "SET unaccepted = :one",
        "attribute_exists(pk)",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )
    leads = post(world, [Quality.HOT] * 30)
    outcomes = all_at_once(world, [(lead, rep) for lead in leads], 30)
    assert sum(isinstance(outcome, Won) for outcome in outcomes) == 3
    codes = {r.code for o in outcomes if isinstance(o, ClaimRefused) for r in o.refusals}
    assert codes == {"owes_assignment"}
    ((_, usage),) = world.roster.team("north", fresh=True)
    assert replace(usage, recent=()).raced == 3


def test_a_span_of_any_hour_holds_while_moments_are_cut_back(local_world: World) -> None:
    world = local_world
    limits = [{"most": 4, "per": "hour", "rolling": True}]
    world.put_playbook(a_playbook(claims_per_day=1000, limits=limits))
    rep = world.add_rep(a_rep(1, zone="UTC"))
    # As many claim times as are stored before they are cut back, all of another day.
    before = [clock.now() - timedelta(days=1) + timedelta(seconds=n) for n in range(20)]
    world.dynamo.update(
        world.settings.organisation_table,
        {"pk": {"S": f"REP#{rep.rep_id}"}},
        "SET recent = :moments, claims_ever = :ever",
        "attribute_exists(pk)",
        ExpressionAttributeValues={
            ":moments": {"L": [{"N": str(clock.to_ms(at))} for at in before]},
            ":ever": {"N": "20"},
        },
    )
    leads = post(world, [Quality.HOT] * 30)
    outcomes = all_at_once(world, [(lead, rep) for lead in leads], 30)
    assert sum(isinstance(outcome, Won) for outcome in outcomes) == 4
    ((_, stored),) = world.roster.team("north", fresh=True)
    assert stored.ever == 24
    assert len([at for at in stored.recent if at > before[-1]]) == 4
    assert len(stored.recent) == 4 + 4
