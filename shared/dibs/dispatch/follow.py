"""React to a lead's events: offer it in waves (C1, M2, M6), withdraw offers (N4), assign (C7)."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache

from dibs.assignment.assign import SLICE, serve
from dibs.assignment.ports import Holdings
from dibs.assignment.work import LEFT, give_back
from dibs.core.errors import Busy
from dibs.core.events import LeadEvent
from dibs.core.lead import Lead, State
from dibs.core.ports import Timers
from dibs.core.quality import Quality
from dibs.core.rep import Rep, Usage
from dibs.dispatch.late_notices import ON_ITS_WAY, next_lift, without_notice
from dibs.dispatch.notice_groups import groups, last_group_after
from dibs.dispatch.sweep import close
from dibs.intake.ports import LeadStore
from dibs.ledger.ports import LeadHistory
from dibs.offers.audience import may_be_told
from dibs.offers.ports import BATCH_SIZE, LATE, NotifyBatch, NotifyQueue, OfferStore
from dibs.race.debts import debts
from dibs.race.decide import Eligible, could_pay, decide, decide_knowing
from dibs.race.draw import draw_is_due, draw_time, undrawn
from dibs.race.draw_winner import draw
from dibs.race.limits import over_allowance, over_limits
from dibs.race.opening import latest_opening, next_opening, opened_early
from dibs.race.ports import RaceStore
from dibs.race.usage import open_to
from dibs.race.verdicts import RecordedVerdicts
from dibs.receipts.ports import Races
from dibs.receipts.seal import SEAL, late_at, seal_at, seal_race
from dibs.roster.ports import Roster
from dibs.rules.playbook import Playbook

# Batches of a wave run in parallel and start together, this long after they are queued.
HEAD_START = timedelta(milliseconds=400)
# A wave this near is queued now, to be notified when it opens.
NEAR = timedelta(milliseconds=1500)


@dataclass(frozen=True)
class FollowDeps:
    """Everything the offer step works with."""

    leads: LeadStore
    race: RaceStore
    holdings: Holdings
    roster: Roster
    offers: OfferStore
    queue: NotifyQueue
    timers: Timers
    races: Races
    story: Callable[[str], LeadHistory | None]
    clock: Callable[[], datetime]


def follow(event: LeadEvent, deps: FollowDeps) -> None:
    """Handle one event or timer. Safe to run twice, late, or in any order (C4)."""
    if event.kind == "queue.check":
        _serve(deps.holdings.queued(), deps)
    elif event.kind == "waves.check":
        check_waves(deps)
    elif event.kind == "rep.check":
        check_rep(str(event.rep_id), deps)
    else:
        lead = deps.leads.get(event.lead_id)
        act = _BY_KIND.get(event.kind)
        if lead is not None and act is not None:
            act(event, lead, deps)


def deal(event: LeadEvent, lead: Lead, deps: FollowDeps, *, wake: bool = True) -> None:
    """Offer the lead to each wave that has opened and was not notified yet; set the next timer.

    A wave opens early when no rep of the waves before can still claim; that is recorded first (M6).
    A draw that is due is made first (C10). Between waves, who has become eligible is told (C13).
    Without `wake` no timer is set: another message has one.
    """
    if lead.epoch == event.epoch and draw_is_due(lead, deps.clock()):
        draw(deps.race, lead, deps.clock)
        lead = deps.leads.get(lead.lead_id) or lead
    now = deps.clock()
    if lead.state is not State.OPEN or lead.epoch != event.epoch:
        return
    if now >= lead.closes_at:
        if not undrawn(lead):
            close(lead, deps.leads, now)
        elif wake:
            deps.timers.wake_at(lead, draw_time(lead), now)
        return
    if lead.epoch > 1 and lead.notified_until is None:
        with suppress(Busy):  # sealing the earlier race must not delay this offer
            _seal(lead, lead.epoch - 1, deps)
    playbook = deps.roster.playbook()
    fresh = not wake or _claims_owed(playbook)
    members = _with_debts(
        lead, _members(deps, lead.teams, fresh=fresh), playbook, now, deps.race.open_leads
    )
    on_its_way = ON_ITS_WAY + last_group_after(len(members), playbook.notices)
    if next_opening(lead, now) is not None:
        early = opened_early(lead, members, _declined(lead, members, deps), playbook, now)
        if early != lead and deps.leads.open_early(lead, early):
            lead = early
    opened = latest_opening(lead, now + NEAR)
    if opened is not None and (lead.notified_until is None or opened > lead.notified_until):
        at = max(now, opened)
        verdicts = refusals_by_rep(lead, members, playbook, at)
        reps = [
            rep
            for rep, _ in members
            if not verdicts[rep.rep_id] and may_be_told(lead, rep, playbook)
        ]
        at_once = opened if opened > now else None
        # After an undo, reps may have the offer from before (C12).
        first = lead.notified_until is None and lead.first_epoch == lead.epoch
        told = batches("offer", lead, reps, now, at_once, members=len(members), first=first)
        _tell(told, playbook, deps)
        _record_wave(lead, opened, at, playbook, verdicts, deps)
        _record_open_to([lead], members, playbook, at, deps)
        _record_told(lead, opened, deps)
        lead = replace(lead, notified_until=opened)
    elif lead.notified_until is not None and now >= lead.notified_until + on_its_way:
        _tell_late(lead, members, len(members), playbook, now, deps)
    if wake:
        upcoming = next_opening(lead, now + NEAR)
        moment = lead.closes_at if upcoming is None else upcoming - NEAR
        moment = min(moment, draw_time(lead)) if undrawn(lead) else moment
        lift = next_lift(lead, members, playbook, max(now, lead.notified_until or now))
        if lift is not None:
            moment = min(moment, max(lift, (lead.notified_until or now) + on_its_way))
        deps.timers.wake_at(lead, min(moment, lead.closes_at), now)


def _tell_late(
    lead: Lead,
    some: Sequence[tuple[Rep, Usage]],
    members: int,
    playbook: Playbook,
    now: datetime,
    deps: FollowDeps,
) -> None:
    """Tell those of `some` who may claim the lead and have no notice of it (C13); `members` is how
    many the lead's teams have.

    They are recorded as the first ones are: who is told together reads nothing else.
    """
    reps = without_notice(lead, some, deps.offers, playbook, now, deps.race.open_leads)
    _tell(batches(LATE, lead, reps, now, now, members), playbook, deps)


def _tell(told: Sequence[NotifyBatch], playbook: Playbook, deps: FollowDeps) -> None:
    """Have reps told: so many at once, the others in groups after them (N6)."""
    for delay, group in groups(told, playbook.notices):
        deps.queue.put(group, delay_seconds=delay)


def check_rep(rep_id: str, deps: FollowDeps) -> None:
    """Tell a rep whose profile or availability changed of the leads they may claim now (C13)."""
    known = deps.roster.counted(rep_id)
    if known is None:
        return
    playbook, now = deps.roster.playbook(), deps.clock()
    for lead in deps.race.open_leads():
        if known[0].team in lead.teams:
            members = len(_members(deps, lead.teams))
            _tell_late(lead, [known], members, playbook, now, deps)


def _record_wave(
    lead: Lead,
    wave_at: datetime,
    at: datetime,
    playbook: Playbook,
    verdicts: dict[str, tuple[str, ...]],
    deps: FollowDeps,
) -> None:
    """Record a wave's verdicts (R9); with the first wave, record a race to be sealed (C9)."""
    if lead.notified_until is None:
        deps.races.begin(lead, late_at(lead, playbook))
    deps.races.record_judged(
        RecordedVerdicts(
            lead.lead_id, lead.epoch, wave_at, at, lead.teams, playbook.version, verdicts
        )
    )


def _record_open_to(
    leads: Iterable[Lead],
    members: Sequence[tuple[Rep, Usage]],
    playbook: Playbook,
    now: datetime,
    deps: FollowDeps,
) -> None:
    """Record that a lead was open to reps who owe one like it: their debt stands (F1, F3)."""
    if not _claims_owed(playbook):
        return
    recorded = set[tuple[str, Quality]]()
    for lead in leads:
        for rep, usage in members:
            one = rep.rep_id, lead.quality
            if one not in recorded and could_pay(lead, rep, usage, playbook, now):
                recorded.add(one)
                with suppress(Busy):  # the next such lead is recorded as well
                    deps.race.count(open_to(lead, rep, usage, now))


def check(event: LeadEvent, lead: Lead, deps: FollowDeps) -> None:
    """Check whether a wave opens early: a rep declined, paused or reached a limit (M6)."""
    deal(event, lead, deps, wake=False)


def check_waves(deps: FollowDeps) -> None:
    """Check every open lead that has a wave to come (M6)."""
    now = deps.clock()
    for lead in deps.race.open_leads():
        if next_opening(lead, now) is not None:
            check(LeadEvent("lead.check", lead.lead_id, lead.epoch), lead, deps)


def withdraw(event: LeadEvent, lead: Lead, deps: FollowDeps) -> None:
    """Withdraw the offers of a closed opening from all reps but the one who got the lead (N4)."""
    members = [rep for rep, _ in _members(deps, lead.teams)]
    others = [rep for rep in members if rep.rep_id != event.rep_id]
    closed = replace(lead, epoch=event.epoch)
    _count_open(lead, -1, deps)
    deps.queue.put(batches("withdraw", closed, others, None, members=len(members)))


def _record_told(lead: Lead, opened: datetime, deps: FollowDeps) -> None:
    """Record that a wave is notified; with the first one the lead counts as open."""
    deps.leads.record_notified(lead, opened)
    if lead.notified_until is None:
        _count_open(lead, 1, deps)


def _count_open(lead: Lead, many: int, deps: FollowDeps) -> None:
    """Count a lead that opened or closed; a message that comes twice counts twice until the sweep
    counts anew, within a minute."""
    with suppress(Busy):  # a loser is told about how many are open (C3); nobody waits for that
        deps.race.add_open(lead, many)


def claimed(event: LeadEvent, lead: Lead, deps: FollowDeps) -> None:
    """Withdraw the losers' offers, record the winner's time, and check waves if they are full."""
    withdraw(event, lead, deps)
    _wait_to_seal(event, lead, deps)
    if event.rep_id is None or _back_from_leaver(event, deps):
        return
    if lead.claimed_at is not None and lead.epoch == event.epoch:
        deps.offers.record_claimed(lead.lead_id, lead.epoch, event.rep_id, lead.claimed_at)
        if lead.draws_at is not None:
            # The winner of a draw is notified; that of a race has the answer to their claim.
            tell_holder(replace(event, kind="lead.assigned"), lead, deps)
    playbook = deps.roster.playbook()
    if _claims_owed(playbook):
        view, now = deps.race.read(event.lead_id, event.rep_id), deps.clock()
        winner = [] if view.rep is None else [(view.rep, view.usage)]
        owing = [one for one in winner if any(debt.owed for debt in debts(*one, playbook, now))]
        _record_open_to(deps.race.open_leads() if owing else [], owing, playbook, now, deps)
    # Without tiers or head starts there are no later waves, so no claim needs the check.
    waves = playbook.gives_head_starts or any(map(playbook.ranks, lead.teams))
    if waves and _is_full(lead, event.rep_id, deps):
        check_waves(deps)


def _back_from_leaver(event: LeadEvent, deps: FollowDeps) -> bool:
    """Take back what a leaver got at the last moment, when nobody could see it yet (R8)."""
    rep = deps.roster.get(str(event.rep_id))
    if rep is None or rep.active:
        return False
    give_back(deps.race, deps.holdings, event.lead_id, rep.rep_id, LEFT, "dibs", deps.clock)
    return True


def _is_full(lead: Lead, rep_id: str, deps: FollowDeps) -> bool:
    """Return whether the rep has reached a limit, so that a later wave may open early (M6)."""
    view, now = deps.race.read(lead.lead_id, rep_id), deps.clock()
    rep, playbook = view.rep, view.playbook
    if rep is None:
        return False
    full = over_limits(lead, rep, view.usage, playbook, now)
    return bool(full or over_allowance(rep, view.usage, playbook, now))


def expired(event: LeadEvent, lead: Lead, deps: FollowDeps) -> None:
    """Withdraw the offers of an expired lead and assign it (C7)."""
    withdraw(event, lead, deps)
    _wait_to_seal(event, lead, deps)
    queued(event, lead, deps)


def queued(event: LeadEvent, lead: Lead, deps: FollowDeps) -> None:
    """Assign the waiting leads, oldest first: a newer lead never overtakes an older one (C7)."""
    del event
    waiting = deps.holdings.queued()
    if all(other.lead_id != lead.lead_id for other in waiting):
        # The index may lag behind a lead that has just been written.
        waiting = sorted([*waiting, lead], key=lambda other: (other.received_at, other.lead_id))
    _serve(waiting, deps)


def _serve(waiting: Sequence[Lead], deps: FollowDeps) -> None:
    def keep(judged: RecordedVerdicts) -> None:
        with suppress(Busy):  # the lead is assigned already
            deps.races.record_judged(judged)

    claims = serve(waiting, deps.race, deps.roster, deps.holdings, deps.clock, keep=keep)
    if len(claims) == SLICE:
        deps.timers.check("queue.check")  # there may be more


def assigned(event: LeadEvent, lead: Lead, deps: FollowDeps) -> None:
    """Notify a rep of an assigned lead, and withdraw offers that are still open (R7)."""
    if not _back_from_leaver(event, deps):
        tell_holder(event, lead, deps)
    early = lead.claimed_at is not None and lead.claimed_at < lead.closes_at
    if early or lead.epoch != event.epoch:
        withdraw(event, lead, deps)


def seal(event: LeadEvent, lead: Lead, deps: FollowDeps) -> None:
    """Seal the race of the event's opening, or set a timer when it is too early (C9)."""
    due = _seal(lead, event.epoch, deps)
    if due is not None:
        deps.timers.wake_at(replace(lead, epoch=event.epoch), due, deps.clock(), SEAL)


def _seal(lead: Lead, epoch: int, deps: FollowDeps) -> datetime | None:
    now = deps.clock()
    draws = deps.race.draws()
    return seal_race(
        lead.lead_id, epoch, deps.races, deps.offers, deps.roster, deps.story, draws, now
    )


def _wait_to_seal(event: LeadEvent, lead: Lead, deps: FollowDeps) -> None:
    now = deps.clock()
    due = seal_at(now, deps.roster.playbook())
    deps.timers.wake_at(replace(lead, epoch=event.epoch), due, now, SEAL)


def tell_holder(event: LeadEvent, lead: Lead, deps: FollowDeps) -> None:
    """Notify a rep that a lead was assigned to them, or still waits for them (C11)."""
    del lead
    if event.rep_id is not None:
        kind = event.kind.removeprefix("lead.")
        deps.queue.put([NotifyBatch(kind, event.lead_id, event.epoch, (event.rep_id,))])


_BY_KIND: dict[str, Callable[[LeadEvent, Lead, FollowDeps], None]] = {
    "lead.opened": deal,
    "lead.due": deal,
    "lead.check": check,
    "lead.claimed": claimed,
    "lead.expired": expired,
    "lead.queued": queued,
    "lead.assigned": assigned,
    "lead.unworked": tell_holder,
    SEAL: seal,
}


def _with_debts(
    lead: Lead,
    members: list[tuple[Rep, Usage]],
    playbook: Playbook,
    now: datetime,
    open_leads: Callable[[], list[Lead]],
) -> list[tuple[Rep, Usage]]:
    """Return the members with usage that says which debts an open lead can pay (F1, F3)."""
    if not _claims_owed(playbook):
        return members
    cached = cache(open_leads)  # read once, and only where a rep owes a claim
    return [
        (rep, decide_knowing(lead, rep, usage, playbook, now, cached)[1]) for rep, usage in members
    ]


def _claims_owed(playbook: Playbook) -> bool:
    """Return whether reps may owe claims of some kind of lead (F1, F3)."""
    return bool(playbook.acceptance.hot_per_warm or playbook.acceptance.cold_per_week)


def refusals_by_rep(
    lead: Lead, roster: Iterable[tuple[Rep, Usage]], playbook: Playbook, at: datetime
) -> dict[str, tuple[str, ...]]:
    """Return per rep the codes of the rules that refuse them at `at`; none for who may claim.

    Advisory: the claim checks again. Reps of earlier waves are included: one who has come on duty
    or changed tier since then gets the offer now, and no rep gets it twice.
    """
    decisions = {rep.rep_id: decide(lead, rep, usage, playbook, at) for rep, usage in roster}
    return {
        rep_id: ()
        if isinstance(verdict, Eligible)
        else tuple(refusal.code for refusal in verdict.refusals)
        for rep_id, verdict in decisions.items()
    }


def batches(
    kind: str,
    lead: Lead,
    reps: Sequence[Rep],
    now: datetime | None,
    at: datetime | None = None,
    members: int = 0,
    *,
    first: bool = False,
) -> list[NotifyBatch]:
    """Split reps into batches in random order (N6); a replayed event gives the same order.

    All batches start at the same instant: `at`, or a moment after `now` when there are several.
    `members` and `first` are as in `NotifyBatch`.
    """
    order = sorted(rep.rep_id for rep in reps)
    random.Random(f"{lead.lead_id}/{lead.epoch}").shuffle(order)  # noqa: S311 - fairness, no secret
    parts = [tuple(order[start : start + BATCH_SIZE]) for start in range(0, len(order), BATCH_SIZE)]
    if at is None and now is not None:
        at = now + (HEAD_START if len(parts) > 1 else timedelta())
    return [
        NotifyBatch(kind, lead.lead_id, lead.epoch, rep_ids, at, members, first)
        for rep_ids in parts
    ]


def _members(
    deps: FollowDeps, teams: Iterable[str], *, fresh: bool = False
) -> list[tuple[Rep, Usage]]:
    return [member for team in teams for member in deps.roster.team(team, fresh=fresh)]


def _declined(lead: Lead, members: Iterable[tuple[Rep, Usage]], deps: FollowDeps) -> frozenset[str]:
    rep_ids = [
        rep.rep_id for rep, _ in members if rep.tier < 3 or rep.rep_id in lead.head_start_reps
    ]
    views = deps.offers.sightings(lead.lead_id, lead.epoch, rep_ids, consistent=True)
    return frozenset(rep_id for rep_id, view in views.items() if view.declined_at)
