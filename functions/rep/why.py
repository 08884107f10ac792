"""Why did it go there (R9): the rep's own part, and for managers everybody's."""

from __future__ import annotations

from typing import Any

from dibs.aws import clock
from dibs.core.credentials import Manager
from dibs.core.lead import Transition
from dibs.core.rep import Rep
from dibs.offers.ports import OfferView
from dibs.receipts.seal import revealed
from dibs.receipts.why import Verdicts, Why, WhyDeps, why
from dibs.web.http import Event, Response, answer, epoch_asked, lead_id
from dibs.wiring import wiring


def show(event: Event, caller: Rep | Manager) -> Response:
    """`GET /leads/{lead_id}/why`: why a lead went where it went: each rule for each rep."""
    rep = caller if isinstance(caller, Rep) else None
    files = WhyDeps(
        race=wiring().race,
        races=wiring().races,
        offers=wiring().offers,
        roster=wiring().roster,
        playbooks=wiring().playbooks,
        story=wiring().ledger.story,
    )
    team = "" if isinstance(caller, Rep) else caller.team
    found = why(files, lead_id(event), epoch_asked(event), rep, clock.now(), team)
    lead = found.story.lead
    body: dict[str, Any] = {
        "lead_id": lead.lead_id,
        "epoch": lead.epoch,
        "state": lead.state,
        "judged": [_verdicts(one) for one in found.judged],
        "now": None if found.now is None else _verdicts(found.now),
        "tries": [_tried(rep_id, one) for rep_id, one in sorted(found.tries.items())],
    }
    if rep is None:
        body |= _whole(found)
    return answer(200, body)


def _whole(found: Why) -> dict[str, Any]:
    """Return what only managers may know: who has it by what cause, and every step there."""
    claim, lead = found.story.claim, found.story.lead
    holder = None
    if claim is not None and lead.owner == claim.rep_id and claim.epoch == lead.epoch:
        holder = {
            "rep_id": claim.rep_id,
            "name": claim.rep_name,
            "cause": claim.cause,
            "at": claim.claimed_at,
            "playbook_version": claim.playbook_version,
        }
    return {
        "holder": holder,
        "saw_it_first": lead.head_start_reps,
        "draws": [{"epoch": one.epoch, **revealed(one)} for one in found.story.draws],
        "steps": [_step(transition) for transition in found.story.transitions],
    }


def _step(transition: Transition) -> dict[str, Any]:
    return {
        "epoch": transition.epoch,
        "at": transition.at,
        "from": transition.from_state,
        "to": transition.to_state,
        "cause": transition.cause,
        "by": transition.by,
        "holder": transition.holder,
        "reason": transition.note,
    }


def _verdicts(found: Verdicts) -> dict[str, Any]:
    return {
        "how": found.how,
        "at": found.at,
        "opened_at": found.opened_at,
        "playbook_version": found.playbook_version,
        "reps": [
            {
                "rep_id": rep_id,
                "eligible": all(one.passed for one in rules),
                "rules": [
                    {"rule": one.rule, "passed": one.passed, "codes": one.codes} for one in rules
                ],
            }
            for rep_id, rules in sorted(found.reps.items())
        ],
    }


def _tried(rep_id: str, sighting: OfferView) -> dict[str, Any]:
    return {
        "rep_id": rep_id,
        "seen_at": sighting.seen_at,
        "tried_at": sighting.attempted_at,
        "declined_at": sighting.declined_at,
        "rules": sighting.rules,
        "playbook_version": sighting.rules_version,
    }
