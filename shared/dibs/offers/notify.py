"""Notify reps by push, and by text where push does not reach them (N1-N4, N6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dibs.core.calendar import next_on_duty
from dibs.core.lead import Lead, State
from dibs.core.links import link_token, reply_code
from dibs.core.rep import Rep
from dibs.intake.ports import LeadStore
from dibs.offers.audience import may_be_told, reachable
from dibs.offers.ports import (
    LATE,
    LATER,
    Delivery,
    NotifyBatch,
    NotifyQueue,
    OfferStore,
    Push,
    Sms,
)
from dibs.race.decide import schedule_of
from dibs.race.ports import RaceStore, SentOffer
from dibs.roster.ports import Roster
from dibs.rules.playbook import Playbook

KEPT = "kept"
"""The channel of an offer that was sent before a claim was undone, and holds good again (C12)."""

LONGEST_WAIT_SECONDS = 900
"""SQS delays a message no longer; who sleeps longer is looked at again then."""

OfferText = Callable[[Lead, Rep, str, str, datetime], str]
"""Writes an offer's text message: lead, rep, reply code, link token, now."""

HolderText = Callable[[str, Lead, Rep, str, datetime], str]
"""Writes the text for a lead's holder: kind, lead, rep, link token, now."""


CapText = Callable[[Rep, int], str]
"""Writes the text for a rep who gets no more offers by text that day: rep, the day's cap."""


@dataclass(frozen=True)
class NotifyDeps:
    """Everything notify works with."""

    leads: LeadStore
    roster: Roster
    offers: OfferStore
    push: Push
    sms: Sms
    queue: NotifyQueue
    offer_text: OfferText
    holder_text: HolderText
    cap_text: CapText
    choice: Callable[[str], str]
    clock: Callable[[], datetime]
    wait_until: Callable[[datetime], None]
    count: Callable[[str, float], None]
    each: Callable[..., Iterable[Exception | None]] = map
    """Like `map`; runs the calls in parallel where the runtime has threads."""


TEXTS_ONLY = frozenset({"unseen", "undelivered"})
"""The kinds that send texts and no pushes. Each text is sent once by its own record, so a batch of
them may be done twice."""


def notify(batch: NotifyBatch, deps: NotifyDeps) -> None:
    """Send the notices of one batch."""
    _KINDS[batch.kind](batch, deps)


def offer(batch: NotifyBatch, deps: NotifyDeps) -> None:
    """Send each rep of the batch the offer once: by push, or by text where push cannot reach them.

    Every batch of a wave waits for the same instant and then sends in random order (N6). Where a
    claim was undone, reps who had the offer are not sent another: theirs holds good again (C12).
    """
    lead = _open(batch, deps)
    if lead is None:
        return
    kept, earlier = _kept_from_before(lead, batch, deps)
    rep_ids = [rep_id for rep_id in batch.rep_ids if rep_id not in kept]
    reps = _reachable(lead, rep_ids, batch, deps)
    fresh = [reps[rep_id] for rep_id in rep_ids if rep_id in reps and rep_id not in earlier]
    pushable, now = [rep for rep in fresh if rep.pushable], deps.clock()
    at = max(batch.notify_at or now, now)

    def wait() -> None:
        if batch.notify_at is not None:
            deps.wait_until(batch.notify_at)

    delivery = deps.push.offer(lead, pushable, at, wait)
    now = deps.clock()
    sent = [
        SentOffer(lead.lead_id, lead.epoch, rep.rep_id, delivery.sent_at.get(rep.rep_id, now), by)
        for rep in fresh
        for by in [_channels(rep, delivery)]
    ]
    deps.offers.record(sent, together=batch.small)
    pushed = {rep_id for rep_id, notice in earlier.items() if "push" in notice.channels}
    pushed |= delivery.accepted
    if _open(batch, deps) is None:
        # Claimed while we were sending: what follows a claim may have run before we recorded the
        # offers.
        withdraw(batch, deps)
        won(batch, deps)
        return
    playbook = deps.roster.playbook()
    waiting = tuple(r for r in rep_ids if r in pushed and r in reps and reps[r].textable)
    if waiting and playbook.sms.enabled:
        later = replace(batch, kind="unseen", rep_ids=waiting, notify_at=None)
        deps.queue.put([later], delay_seconds=playbook.unseen_seconds)
    if not lead.test:
        deps.count("Offers", len(sent))
    if delivery.accepted:
        deps.count("OfferSpreadMs", delivery.spread_ms)
    text(lead, [reps[r] for r in rep_ids if r in reps and r not in pushed], deps)


def _kept_from_before(
    lead: Lead, batch: NotifyBatch, deps: NotifyDeps
) -> tuple[frozenset[str], dict[str, SentOffer]]:
    """Return who has the offer from before an undo, and the notices of this opening to the others.

    Theirs is recorded for this opening too, from when it was claimable again.
    """
    since = lead.first_epoch
    # A small team has one item for its notices. Where nobody had one when this was queued, all
    # are in that item.
    together = batch.first and batch.small
    known = deps.offers.notices(
        lead.lead_id, lead.epoch, batch.rep_ids, since=since, together=together
    )
    again = [
        replace(notice, epoch=lead.epoch, sent_at=lead.opens_at, channels=(KEPT,), claimed_at=None)
        for notice in known.values()
        if notice.epoch != lead.epoch
    ]
    deps.offers.record(again, together=batch.small)
    kept = {notice.rep_id for notice in again}
    kept |= {rep_id for rep_id, notice in known.items() if KEPT in notice.channels}
    return frozenset(kept), {r: notice for r, notice in known.items() if r not in kept}


def _channels(rep: Rep, delivery: Delivery) -> tuple[str, ...]:
    if rep.rep_id in delivery.accepted:
        return ("push",)
    return ("sms",) if rep.textable else ()


def unseen(batch: NotifyBatch, deps: NotifyDeps) -> None:
    """Text the reps who got a push but have not viewed, tried or declined the open lead (N1)."""
    lead = _open(batch, deps)
    if lead is None:
        return
    views = deps.offers.sightings(lead.lead_id, lead.epoch, batch.rep_ids)
    silent = [rep_id for rep_id in batch.rep_ids if rep_id not in views]
    reps, now = _reachable(lead, silent, batch, deps), deps.clock()
    text(lead, [reps[r] for r in silent if r in reps and _wave_open(reps[r], lead, now)], deps)


def _wave_open(rep: Rep, lead: Lead, now: datetime) -> bool:
    """Return whether the rep's wave has opened: a failed push may be of another lead."""
    opens_at = lead.opens_for(rep)
    return opens_at is not None and opens_at <= now


def withdraw(batch: NotifyBatch, deps: NotifyDeps) -> None:
    """Withdraw the alert from reps who got a push and have neither tried nor declined (N4)."""
    lead = deps.leads.get(batch.lead_id)
    if lead is None:
        return
    offers = deps.offers.notices(batch.lead_id, batch.epoch, batch.rep_ids)
    pushed = [rep_id for rep_id, notice in offers.items() if "push" in notice.channels]
    if not pushed:
        return
    tried = {
        rep_id
        for rep_id, view in deps.offers.sightings(batch.lead_id, batch.epoch, pushed).items()
        if view.attempted_at or view.declined_at
    }
    reps = _reps(lead, [rep_id for rep_id in pushed if rep_id not in tried], batch, deps)
    deps.push.withdraw(lead, list(reps.values()), deps.clock())


def won(batch: NotifyBatch, deps: NotifyDeps) -> None:
    """Record the claim time in the winner's offer (N3), if the winner is in the batch."""
    lead = deps.leads.get(batch.lead_id)
    if lead is None or lead.epoch != batch.epoch or lead.claimed_at is None:
        return
    if lead.owner in batch.rep_ids:
        deps.offers.record_claimed(batch.lead_id, batch.epoch, lead.owner, lead.claimed_at)


def tell_holder(batch: NotifyBatch, deps: NotifyDeps) -> None:
    """Notify a rep that a lead was assigned to them, or still waits for first contact (C11).

    By push, or by text where push cannot reach them; also while they are paused or quiet, and over
    the caps on offers, because the lead is theirs. A text waits until their working hours begin
    (R11).
    """
    found = _holder(batch, batch.kind, deps)
    if found is None:
        return
    lead, rep = found
    delivery = deps.push.tell(batch.kind, lead, [rep] if rep.pushable else [], deps.clock())
    if rep.rep_id not in delivery.accepted:
        _text_holder(batch.kind, lead, rep, deps)


def text_holder_later(batch: NotifyBatch, deps: NotifyDeps) -> None:
    """Text a lead's holder what waited for their working hours, if it is still so (R11)."""
    kind = batch.kind.removesuffix(LATER)
    found = _holder(batch, kind, deps)
    if found is not None:
        _text_holder(kind, *found, deps)


def _holder(batch: NotifyBatch, kind: str, deps: NotifyDeps) -> tuple[Lead, Rep] | None:
    """Return the lead and its holder; None if they have it no more, have left or have worked it."""
    lead = deps.leads.get(batch.lead_id)
    if lead is None or lead.epoch != batch.epoch or lead.owner not in batch.rep_ids:
        return None
    rep = deps.roster.get(lead.owner)
    if rep is None or not rep.active or (kind == "unworked" and lead.worked_at is not None):
        return None
    if lead.state is State.ASSIGNED and not may_be_told(lead, rep, deps.roster.playbook()):
        return None
    return lead, rep


def _text_holder(kind: str, lead: Lead, rep: Rep, deps: NotifyDeps) -> None:
    playbook, now = deps.roster.playbook(), deps.clock()
    if not rep.textable or not playbook.sms.enabled:
        return
    works_at = next_on_duty(replace(schedule_of(rep, playbook), leave=()), now) or now
    if works_at > now:
        seconds = min(LONGEST_WAIT_SECONDS, -(-(works_at - now) // timedelta(seconds=1)))
        at = now + timedelta(seconds=seconds)
        later = NotifyBatch(f"{kind}{LATER}", lead.lead_id, lead.epoch, (rep.rep_id,), at)
        deps.queue.put([later], delay_seconds=seconds)
        return
    token = link_token(lead.salt, lead.lead_id, rep.rep_id, lead.epoch)
    deps.sms.send(str(rep.phone), deps.holder_text(kind, lead, rep, token, now))
    if not lead.test:
        deps.count("SmsSent", 1)


def push_failed(
    rep_id: str, endpoint_arn: str, store: RaceStore, roster: Roster, queue: NotifyQueue
) -> None:
    """Disable a device whose push failed, and text the rep the open offers instead (N1)."""
    rep = roster.get(rep_id)
    if rep is None:
        return
    for device in rep.devices:
        if device.endpoint_arn == endpoint_arn and device.enabled:
            roster.put_device(rep_id, replace(device, enabled=False))
    queue.put(
        [
            NotifyBatch("undelivered", lead.lead_id, lead.epoch, (rep_id,))
            for lead in store.open_leads()
            if rep.team in lead.teams
        ]
    )


def text(lead: Lead, reps: Sequence[Rep], deps: NotifyDeps) -> None:
    """Text each rep the offer, at most once per rep and opening, within the daily caps (N1).

    All texts are reserved first and then sent in parallel, so that they leave together (N6).
    """
    playbook = deps.roster.playbook()
    if not playbook.sms.enabled:
        return
    ready: list[tuple[Rep, str]] = []
    failures: list[Exception] = []
    for rep in reps:
        try:
            code = _reserve(lead, rep, playbook, deps) if rep.textable else None
        except Exception as error:
            failures.append(error)  # the others still get their text; a retry sends this one
        else:
            ready += [(rep, code)] if code else []
    errors = list(deps.each(lambda job: _send(lead, job[0], job[1], deps), ready))
    failures += [error for error in errors if error is not None]
    if not lead.test and ready:
        deps.count("SmsSent", sum(error is None for error in errors))
    if failures:
        raise failures[0]


def _reserve(lead: Lead, rep: Rep, playbook: Playbook, deps: NotifyDeps) -> str | None:
    """Reserve the one text this rep may get; return its reply code, None if none may be sent."""
    now, caps = deps.clock(), playbook.sms
    code = deps.offers.reserve_sms(lead, rep.rep_id, lambda: reply_code(deps.choice), now)
    if code is None:
        return None
    count, day, most = deps.roster.count_sms, now.date(), caps.per_rep_per_day
    within = count(rep.rep_id, day, most, None)
    if within and count("", day, 0, caps.per_organisation_per_day):
        return code
    deps.count("SmsCapReached", 1)
    # A rep who reached their own cap is told so, once that day.
    if not within and most > 0 and count(rep.rep_id, day, 1, None, "cap"):
        deps.sms.send(str(rep.phone), deps.cap_text(rep, most))
    return None


def _send(lead: Lead, rep: Rep, code: str, deps: NotifyDeps) -> Exception | None:
    """Send one reserved text; on failure free the reservation and return the error."""
    token = link_token(lead.salt, lead.lead_id, rep.rep_id, lead.epoch)
    try:
        deps.sms.send(str(rep.phone), deps.offer_text(lead, rep, code, token, deps.clock()))
    except Exception as error:
        deps.offers.free_sms(lead, rep.rep_id, code)
        return error
    return None


def _reps(
    lead: Lead, rep_ids: Sequence[str], batch: NotifyBatch, deps: NotifyDeps
) -> dict[str, Rep]:
    """Return the reps as stored now: of a small team in one read, for a tenth of the price."""
    if not batch.small:
        return deps.roster.get_many(rep_ids)
    teams = (deps.roster.team(team, fresh=True) for team in lead.teams)
    found = {rep.rep_id: rep for team in teams for rep, _ in team if rep.rep_id in rep_ids}
    return found | deps.roster.get_many([r for r in rep_ids if r not in found])


def _reachable(
    lead: Lead, rep_ids: Sequence[str], batch: NotifyBatch, deps: NotifyDeps
) -> dict[str, Rep]:
    """Return the reps as stored now, without those who are not to be told of the lead now."""
    now, playbook = deps.clock(), deps.roster.playbook()
    reps = _reps(lead, rep_ids, batch, deps)
    return {rep_id: rep for rep_id, rep in reps.items() if reachable(lead, rep, playbook, now)}


def _open(batch: NotifyBatch, deps: NotifyDeps) -> Lead | None:
    lead = deps.leads.get(batch.lead_id)
    if lead is None or lead.state is not State.OPEN or lead.epoch != batch.epoch:
        return None
    return lead if deps.clock() < lead.closes_at else None


_KINDS: dict[str, Callable[[NotifyBatch, NotifyDeps], None]] = {
    "offer": offer,
    LATE: offer,
    "unseen": unseen,
    "undelivered": unseen,
    "withdraw": withdraw,
    "won": won,  # messages of the version before
    "assigned": tell_holder,
    "unworked": tell_holder,
    f"assigned{LATER}": text_holder_later,
    f"unworked{LATER}": text_holder_later,
}
