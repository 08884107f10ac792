"""The open leads a rep may see, each checked with the rules of a claim (N4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dibs.core.errors import LeadNotFound
from dibs.core.lead import Lead, State
from dibs.core.links import link_token
from dibs.core.rep import Rep, Usage
from dibs.core.values import dataclass
from dibs.offers.audience import may_be_told
from dibs.race.claim import Proof, looked
from dibs.race.decide import Verdict, decide_knowing
from dibs.race.ports import RaceStore, RaceView
from dibs.rules.rules import Rules


@dataclass(frozen=True)
class OpenOffer:
    """One open lead as a rep sees it; this list is authoritative, an alert only a hint (N4)."""

    lead: Lead
    verdict: Verdict
    token: str


def open_offers(
    store: RaceStore, rep: Rep, usage: Usage, playbook: Rules, now: datetime
) -> list[OpenOffer]:
    """Return the open leads of the rep's team, oldest first, with the verdict on a claim now.

    Test leads only where the rep may be told of them (O2).
    """
    return offers_of(store.open_leads(), rep, usage, playbook, now)


def offers_of(
    open_leads: Sequence[Lead], rep: Rep, usage: Usage, playbook: Rules, now: datetime
) -> list[OpenOffer]:
    """Return those of the open leads that are the rep's team's, as `open_offers` does."""
    leads = [
        lead
        for lead in open_leads
        if rep.team in lead.teams
        and lead.state is State.OPEN
        and now < lead.closes_at
        and may_be_told(lead, rep, playbook)
    ]
    offers = []
    for lead in sorted(leads, key=lambda lead: (lead.opens_at, lead.lead_id)):
        verdict, usage = decide_knowing(lead, rep, usage, playbook, now, lambda: open_leads)
        token = link_token(lead.salt, lead.lead_id, rep.rep_id, lead.epoch)
        offers.append(OpenOffer(lead, verdict, token))
    return offers


def sight(
    store: RaceStore, lead_id: str, rep_id: str, proof: Proof, what: str, now: datetime
) -> tuple[Lead, RaceView]:
    """Record that the rep saw or declined the offer (N3); they then get no text about it.

    Returns the lead, so that the caller can check whether a wave may open early (M6), and all of
    what it was judged on.

    Raises:
        Unauthorized, LeadNotFound, Withdrawn: there is no such rep, lead or offer.
    """
    view = (
        looked(store, lead_id, rep_id, proof)
        if proof.shown is None
        else store.read(lead_id, rep_id, proof.shown)
    )
    proof.check(view)
    lead, rep = view.lead, view.rep
    offered = lead is not None and rep is not None and rep.team in lead.teams
    if lead is None or not offered or lead.state is State.NEW:
        raise LeadNotFound
    if lead.state is State.OPEN:
        store.record_sighting(lead, rep_id, what, now)
    return lead, view
