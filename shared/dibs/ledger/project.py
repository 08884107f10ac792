"""Write ledger entries for claims, assignments and returns, from events about a lead (R10).

An event says only which lead it is about. The lead's whole history is read, and every missing
entry is written. So events may come twice, late or in any order, and the next event of a lead makes
up for a lost one. Transitions are kept for good; the time a rep needed to claim is stored only in
the lead's latest claim.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

from dibs.core.events import RECORDED, LeadEvent
from dibs.core.lead import RELEASED, State, Transition
from dibs.ledger.entries import (
    ASSIGNED,
    CLAIMED,
    RETURNED,
    Entry,
    new_entry,
    returned_id,
    taken_id,
)
from dibs.ledger.ports import LeadHistory, Ledger
from dibs.ledger.record import is_protected, shared_with
from dibs.roster.ports import Roster
from dibs.rules.playbook import Playbook

_TAKEN = {State.CLAIMED: CLAIMED, State.ASSIGNED: ASSIGNED}


def project(event: LeadEvent, ledger: Ledger, roster: Roster) -> int:
    """Write the missing ledger entries of the event's lead; return how many there were."""
    return record_lead(event.lead_id, ledger, roster, event) if event.kind in RECORDED else 0


def record_lead(
    lead_id: str, ledger: Ledger, roster: Roster, heard: LeadEvent | None = None
) -> int:
    """Write the missing ledger entries of a lead; return how many there were.

    Its events that were sent wait no longer then. `heard` was sent, whatever its mark says yet.
    """
    story = ledger.story(lead_id)
    if story is None:
        return 0
    missing = missing_entries(story, ledger, roster)
    ledger.put(missing)
    for pending in story.pending:
        if pending.published or _same(pending.event, heard):
            ledger.recorded(pending)
    return len(missing)


def missing_entries(story: LeadHistory, ledger: Ledger, roster: Roster) -> list[Entry]:
    """Return the entries that a lead should have in the ledger and has not."""
    entries = {entry.entry_id: entry for entry in entries_of(story, roster)}
    stored = ledger.find(list(entries))
    return [entry for entry_id, entry in entries.items() if entry_id not in stored]


def _same(event: LeadEvent | None, heard: LeadEvent | None) -> bool:
    if event is None or heard is None:
        return False
    return (event.kind, event.epoch) == (heard.kind, heard.epoch)


def _excused(transition: Transition, playbook: Playbook) -> bool:
    """Return whether the lead was released for a reason of its own (K4)."""
    return transition.cause == RELEASED and playbook.release.is_about_lead(transition.note)


def entries_of(story: LeadHistory, roster: Roster) -> Iterator[Entry]:
    """Yield the lead's entries; of two for the same claim, the more complete one last."""
    lead, claim = story.lead, story.claim
    playbook, rep_of = roster.playbook(), cache(roster.get)

    def team_of(rep_id: str) -> str:
        rep = rep_of(rep_id)
        return rep.team if rep is not None else lead.teams[0]

    def credit(rep_id: str, at: datetime) -> dict[str, Any]:
        rep = rep_of(rep_id)
        if rep is None:
            return {}
        return {
            "protected": is_protected(rep, at, playbook),
            "shared": shared_with(roster, rep, lead, playbook),
        }

    for transition in story.transitions:
        rep_id = transition.holder or transition.by
        if transition.to_state in _TAKEN:
            yield new_entry(
                taken_id(lead.lead_id, transition.epoch),
                _TAKEN[transition.to_state],
                rep_id,
                team_of(rep_id),
                transition.at,
                playbook,
                lead,
                epoch=transition.epoch,
                taken_at=transition.at,
                cause=transition.cause,
                **credit(rep_id, transition.at),
            )
        elif transition.to_state is State.RELEASED:
            yield new_entry(
                returned_id(lead.lead_id, transition.epoch),
                RETURNED,
                rep_id,
                team_of(rep_id),
                transition.at,
                playbook,
                lead,
                epoch=transition.epoch,
                taken_at=None,
                cause=transition.cause,
                excused=_excused(transition, playbook),
            )
    if claim is not None:
        yield new_entry(
            taken_id(lead.lead_id, claim.epoch),
            CLAIMED if claim.competitive else ASSIGNED,
            claim.rep_id,
            claim.team,
            claim.claimed_at,
            playbook,
            lead,
            epoch=claim.epoch,
            taken_at=claim.claimed_at,
            take_ms=claim.claim_ms,
            cause=claim.cause,
            playbook_version=claim.playbook_version,
            **credit(claim.rep_id, claim.claimed_at),
        )
