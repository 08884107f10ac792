"""What follows when a lead is about somebody already known (C6): merged, kept by its owner, raced.

Pure. Who is known, and as which lead, goes in; what may be done about it comes out, best first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from dibs.core.lead import HELD, Kind, Lead, State
from dibs.rules.rules import Duplicates

EXISTING_OWNER = "existing_owner"
"""The cause of an assignment to whoever the person or company belongs to already."""

MERGED = {
    Kind.PHONE: "merged_same_phone",
    Kind.EMAIL: "merged_same_email",
    Kind.DOMAIN: "merged_same_company",
    Kind.NAME: "merged_same_company",
}
REASONS = {
    "merged_same_phone": "Merged with the lead of the same phone number; it is not raced again.",
    "merged_same_email": "Merged with the lead of the same e-mail address; it is not raced again.",
    "merged_same_company": "Merged with the lead of the same company that waits for a rep; "
    "the new contact is kept with it.",
    "existing_owner": "Went without a race to the rep this customer already belongs to.",
    "known_person": "Known from an earlier lead that is over; it races as usual.",
    "known_company": "The company is known from an earlier lead that is over, or whose rep has "
    "left; it races as usual.",
}
"""What each flag says to a person."""

# Nobody's yet, and not over.
_WAITING = (State.NEW, State.OPEN, State.EXPIRED, State.RELEASED)


@dataclass(frozen=True)
class Identity:
    """Something that names a person or company. `key` is a digest: it can be made again, not read.

    Who knows a phone number or address can make its key, so that a person can be found to be
    deleted.
    """

    kind: Kind
    key: str


@dataclass(frozen=True)
class Standing:
    """What an identity stands for: its latest lead, last posted at `since`, or an `owner` (a rep's
    id) named from outside.
    """

    identity: Identity
    lead_id: str | None = None
    since: datetime | None = None
    owner: str | None = None


@dataclass(frozen=True)
class Merge:
    """The post belongs to a lead that is not over."""

    lead: Lead
    because: Kind


@dataclass(frozen=True)
class Keep:
    """The lead belongs to a rep, if they are still with us; `lead_id` is the lead that says so."""

    rep_id: str
    because: Kind
    lead_id: str = ""


def meetings(
    standings: Iterable[Standing], leads: Mapping[str, Lead], rules: Duplicates, now: datetime
) -> Iterator[Merge | Keep]:
    """Yield what may become of a new lead, the best first; nothing where it races as usual.

    What a manager put aside (R7) waits for nobody: a company's other people do not join it there.
    """
    for one in standings:
        because, lead = one.identity.kind, _remembered(one, leads, rules, now)
        if one.owner is not None:
            yield Keep(one.owner, because)
        if lead is None:
            continue
        waits = lead.state in _WAITING and (because.personal or not lead.parked)
        if waits or (because.personal and lead.state in HELD):
            yield Merge(lead, because)
        elif lead.owner is not None and lead.state in (*HELD, State.WON):
            yield Keep(lead.owner, because, lead.lead_id)


def known_flags(
    standings: Iterable[Standing], leads: Mapping[str, Lead], rules: Duplicates, now: datetime
) -> tuple[str, ...]:
    """Return what a source is told of a lead that races although its person or company is known."""
    for one in standings:
        if _remembered(one, leads, rules, now) is not None:
            return ("known_person" if one.identity.kind.personal else "known_company",)
    return ()


def pointed(
    standings: Iterable[Standing],
    leads: Mapping[str, Lead],
    lead_id: str,
    rules: Duplicates,
    now: datetime,
) -> list[Standing]:
    """Return, as read, the identities that stand for `lead_id` from now on.

    A company stays with the lead it was won by. When a post is merged, no identity leaves another
    lead that still counts.
    """
    merged = lead_id in leads
    found = []
    for one in standings:
        lead = _remembered(one, leads, rules, now)
        elsewhere = lead is not None and lead.lead_id != lead_id and lead.state is not State.LOST
        won = lead is not None and lead.state is State.WON
        if not (elsewhere and (merged or (won and not one.identity.kind.personal))):
            found.append(one)
    return found


def _remembered(
    one: Standing, leads: Mapping[str, Lead], rules: Duplicates, now: datetime
) -> Lead | None:
    """Return the lead an identity stands for: a won one for good, others for the rules' days."""
    lead = leads.get(one.lead_id or "")
    if lead is None or lead.state is State.WON:
        return lead
    recent = one.since is not None and now - one.since <= timedelta(days=rules.days)
    return lead if recent else None
