"""The race (C2), through the use case and the real adapters, on DynamoDB Local."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from threading import Barrier

import pytest

from dibs.assignment import override
from dibs.assignment.assign import serve
from dibs.assignment.work import release
from dibs.aws import clock
from dibs.aws.clients import BOTO3, OWN
from dibs.core.errors import AlreadyClaimed, Busy, ClaimRefused, DibsError
from dibs.core.lead import HELD, Lead, State, implied_by_move
from dibs.core.rep import Rep
from dibs.offers.store import DynamoOfferStore
from dibs.race.claim import Won, claim
from dibs.receipts.receipts import Trace, ending, receipts
from dibs.roster.store import DynamoRoster
from support.builders import World, a_card, a_playbook, a_rep, proof_of
from support.clients import over_both

pytestmark = pytest.mark.race


def attempt(world: World, lead: Lead, rep: Rep) -> Won | AlreadyClaimed | ClaimRefused:
    for _ in range(10):  # nothing was changed (503): try again, as an app does
        with suppress(Busy):
            try:
                return claim(world.race, lead.lead_id, rep.rep_id, proof_of(rep), clock.now)
            except (AlreadyClaimed, ClaimRefused) as refusal:
                return refusal
    raise Busy


@pytest.mark.parametrize(
    ("local_world", "claimers", "rounds"),
    [(OWN, 500, 20), (BOTO3, 100, 3)],
    indirect=["local_world"],
)
def test_hundreds_of_claimers_of_one_lead_have_one_winner_in_every_round(
    local_world: World, claimers: int, rounds: int
) -> None:
    world = local_world
    world.put_playbook(a_playbook(claims_per_day=1000))  # a rep who wins often must not be refused
    reps = [world.add_rep(a_rep(number)) for number in range(1, claimers + 1)]
    with ThreadPoolExecutor(64) as pool:
        for number in range(rounds):
            lead = world.post_lead(a_card(number), clock.now())
            outcomes = list(pool.map(lambda rep, lead=lead: attempt(world, lead, rep), reps))
            winners = [outcome for outcome in outcomes if isinstance(outcome, Won)]
            losers = [outcome for outcome in outcomes if isinstance(outcome, AlreadyClaimed)]
            assert len(winners) == 1
            assert len(losers) == claimers - 1
            stored = world.leads.get(lead.lead_id)
            assert stored is not None
            assert stored.owner == winners[0].claim.rep_id
            named = {loser.claimed_by for loser in losers}
            assert named == {(winners[0].claim.rep_id, winners[0].claim.rep_name)}
    used = Counter(usage.claims for _, usage in world.roster.team("north"))
    assert sum(claims * count for claims, count in used.items()) == rounds


def test_a_losers_receipt_has_the_place_and_the_milliseconds_of_their_answer(
    local_world: World,
) -> None:
    world = local_world
    reps = [world.add_rep(a_rep(number)) for number in range(1, 101)]
    lead = world.post_lead(a_card(), clock.now())
    with ThreadPoolExecutor(32) as pool:
        outcomes = list(pool.map(lambda rep: attempt(world, lead, rep), reps))
    answers = {
        rep.rep_id: outcome
        for rep, outcome in zip(reps, outcomes, strict=True)
        if isinstance(outcome, AlreadyClaimed)
    }
    view = world.race.read(lead.lead_id, reps[0].rep_id)
    ended = ending(view.claim, (), lead.epoch)
    assert ended is not None
    offers = DynamoOfferStore(world.dynamo, world.settings)
    ids = [rep.rep_id for rep in reps]
    traces = [
        Trace(rep_id, attempted_at=seen.attempted_at, lost_at=seen.lost_at)
        for rep_id, seen in offers.sightings(lead.lead_id, 1, ids, consistent=True).items()
    ]
    losers = [one for one in receipts(ended, traces) if one.rep_id != ended.winner]
    assert len(losers) == len(answers) == 99
    judged = [answers[one.rep_id].judged_at for one in losers]
    assert judged == [one.attempted_at for one in losers] == sorted(filter(None, judged))
    assert [answers[one.rep_id].ms_ago for one in losers] == [one.behind_ms for one in losers]


@over_both
def test_eight_reps_on_fifty_leads_at_once_pass_no_limit(local_world: World) -> None:
    world = local_world
    world.put_playbook(a_playbook(claims_per_day=10))
    reps = [world.add_rep(a_rep(number)) for number in range(1, 9)]
    leads = [world.post_lead(a_card(number), clock.now()) for number in range(50)]
    start = Barrier(64)

    def run(job: tuple[Lead, Rep]) -> Won | AlreadyClaimed | ClaimRefused:
        return attempt(world, *job)

    jobs = [(lead, rep) for lead in leads for rep in reps]
    with ThreadPoolExecutor(64) as pool:
        list(pool.map(lambda _: start.wait(), range(64)))
        outcomes = list(pool.map(run, jobs))
    wins = Counter(o.claim.rep_id for o in outcomes if isinstance(o, Won))
    per_lead = Counter(o.claim.lead_id for o in outcomes if isinstance(o, Won))
    assert max(wins.values()) <= 10
    assert set(per_lead.values()) == {1}
    assert len(per_lead) == 50  # 8 x 10 claims are allowed, so no limit keeps a lead open
    stored = {rep.rep_id: usage.claims for rep, usage in world.roster.team("north")}
    assert stored == {rep.rep_id: wins[rep.rep_id] for rep in reps}
    for outcome in outcomes:
        assert isinstance(outcome, Won) or outcome.code in ("already_claimed", "refused")


def test_the_limit_holds_when_only_the_limit_can_stop_a_rep(local_world: World) -> None:
    world = local_world
    world.put_playbook(a_playbook(claims_per_day=10))
    rep = world.add_rep(a_rep(1))
    leads = [world.post_lead(a_card(number), clock.now()) for number in range(50)]
    with ThreadPoolExecutor(50) as pool:
        outcomes = list(pool.map(lambda lead: attempt(world, lead, rep), leads))
    assert sum(isinstance(outcome, Won) for outcome in outcomes) == 10
    refused = [outcome for outcome in outcomes if isinstance(outcome, ClaimRefused)]
    assert len(refused) == 40
    assert {refusal.code for r in refused for refusal in r.refusals} == {"daily_limit"}


def test_eight_who_serve_the_queue_at_once_give_each_lead_once_and_nobody_too_many(
    local_world: World,
) -> None:
    world = local_world
    world.put_playbook(a_playbook(model="round-robin", assignment={"in_hand_limit": 5}))
    reps = [world.add_rep(a_rep(number)) for number in range(1, 6)]
    leads = [world.post_lead(a_card(number), clock.now()) for number in range(30)]
    start = Barrier(8)

    def served(_: int) -> list[str]:
        start.wait()
        given: list[str] = []
        for _ in range(60):  # the queue delivers a busy run again
            with suppress(Busy):
                roster = DynamoRoster(world.dynamo, world.settings)
                queue = world.holdings.queued()
                found = serve(queue, world.race, roster, world.holdings, clock.now)
                given += [claim.lead_id for claim in found]
                if not found:
                    return given
        raise Busy

    with ThreadPoolExecutor(8) as pool:
        given = [lead_id for found in pool.map(served, range(8)) for lead_id in found]
    stored = [world.leads.get(lead.lead_id) for lead in leads]
    owners = Counter(lead.owner for lead in stored if lead is not None)
    # At most five leads in hand each, so five leads wait.
    assert owners == {**{rep.rep_id: 5 for rep in reps}, None: 5}
    assert len(set(given)) == len(given) <= 25
    for lead in stored[:25]:
        assert lead is not None
        assert len(world.leads.history(lead.lead_id)) == (lead.owner is not None)
    counted = {rep.rep_id: usage.in_hand for rep, usage in world.roster.team("north")}
    assert set(counted.values()) == {5}


@over_both
def test_a_hundred_who_claim_release_reassign_and_withdraw_one_lead_leave_one_truth(
    local_world: World,
) -> None:
    world = local_world
    # No undo, so that a release counts as one; no daily limit, so that only release rules refuse.
    rules = {"undo_seconds": 0, "claims_per_day": 10_000, "release": {"cooldown_days": 0}}
    world.put_playbook(a_playbook(**rules))
    reps = [world.add_rep(a_rep(number)) for number in range(1, 21)]
    lead = world.post_lead(a_card(), clock.now())
    start = Barrier(100)

    def act(number: int) -> str:
        rep = reps[number % len(reps)]
        race, holdings, lead_id = world.race, world.holdings, lead.lead_id
        proof = proof_of(rep)
        kind = number % 10
        start.wait()
        for _ in range(4):
            with suppress(DibsError):  # refused, not theirs, or busy: all of these are legal
                if kind < 5:
                    claim(race, lead_id, rep.rep_id, proof, clock.now)
                elif kind < 8:
                    release(race, holdings, lead_id, rep.rep_id, proof, "no time", clock.now)
                elif kind == 8:
                    override.assign(race, holdings, lead_id, rep.rep_id, "boss", "so", clock.now)
                else:
                    to: override.Where = "nobody" if number % 20 == 9 else "pool"
                    override.withdraw(race, holdings, lead_id, to, "boss", "so", clock.now)
            with suppress(DibsError):  # the holder releases it sometimes
                holder = world.leads.get(lead_id)
                if kind < 8 and holder is not None and holder.owner == rep.rep_id:
                    release(race, holdings, lead_id, rep.rep_id, proof, "no time", clock.now)
        return rep.rep_id

    with ThreadPoolExecutor(100) as pool:
        list(pool.map(act, range(100)))
    stored, transitions = world.leads.get(lead.lead_id), world.leads.history(lead.lead_id)
    assert stored is not None
    # Each epoch but the last ended in one release, or in a hold that a manager ended.
    epochs = sorted({transition.epoch for transition in transitions})
    assert epochs == list(range(1, epochs[-1] + 1))
    assert stored.epoch in (epochs[-1], epochs[-1] + 1)
    assert stored.epoch > 10, "much happened"
    for transition in transitions:
        implied_by_move(transition.from_state, transition.to_state)
    for epoch in epochs:
        takers = [m for m in transitions if m.epoch == epoch and m.to_state in HELD]
        losers = [m for m in transitions if m.epoch == epoch and m.to_state is State.RELEASED]
        assert len(takers) <= 1
        assert len(losers) <= 1
        if losers and takers:
            assert losers[0].holder == (takers[0].holder or takers[0].by)
    # One holder, and no other rep has a lead in hand.
    hands = {rep.rep_id: usage.in_hand for rep, usage in world.roster.team("north", fresh=True)}
    held = {stored.owner: 1} if stored.owner else {}
    assert hands == {rep.rep_id: held.get(rep.rep_id, 0) for rep in reps}
    for rep in reps:
        ours = [one.lead_id for one in world.holdings.held_by(rep.rep_id)]
        assert ours == ([lead.lead_id] if stored.owner == rep.rep_id else [])
    # Never twice in a row, unless a manager assigned it.
    losers = [
        transition.holder for transition in transitions if transition.to_state is State.RELEASED
    ]
    chosen = [m.epoch for m in transitions if m.cause == override.BY_MANAGER]
    by_epoch = {m.epoch: m.holder for m in transitions if m.to_state is State.RELEASED}
    for epoch, holder in by_epoch.items():
        assert by_epoch.get(epoch - 1) != holder or epoch in chosen
    assert len(losers) == len(by_epoch)


def test_sixteen_posts_of_one_person_from_as_many_sources_are_one_lead(local_world: World) -> None:
    world, start = local_world, Barrier(16)
    for round_ in range(5):

        def posted(number: int, person: int = 100 + round_) -> Lead:
            start.wait()
            card = replace(
                a_card(person),
                source=f"source-{number}",
                # Some posts have the phone number, some the address, all the company.
                contact_phone="" if number % 3 == 1 else a_card(person).contact_phone,
                contact_email="" if number % 3 == 2 else a_card(person).contact_email,
            )
            for _ in range(10):  # nothing was changed (503): send again, as sources do
                with suppress(Busy):
                    return world.post_lead(card, clock.now())
            raise Busy

        with ThreadPoolExecutor(16) as pool:
            leads = list(pool.map(posted, range(16)))
        [lead_id] = {lead.lead_id for lead in leads}
        card = world.leads.card(lead_id)
        assert card is not None
        assert len(card.merged) == len(world.leads.duplicate_links(lead_id)) == 15
    assert len(world.leads.open_leads()) == 5
