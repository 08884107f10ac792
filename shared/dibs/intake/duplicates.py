"""A lead about a known person or company is merged, goes to its owner, or races (C6). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from dibs.core.lead import HELD, IdentityKind, Lead, State
from dibs.rules.rules import Duplicates

EXISTING_OWNER = "existing_owner"
"""The cause of an assignment to the rep who already owns the person or company."""

MERGED = {
    IdentityKind.PHONE: "merged_same_phone",
    IdentityKind.EMAIL: "merged_same_email",
    IdentityKind.DOMAIN: "merged_same_company",
    IdentityKind.NAME: "merged_same_company",
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
"""Each flag as a sentence for people."""

# Without an owner, and not closed.
_WAITING = (State.NEW, State.OPEN, State.EXPIRED, State.RELEASED)


@dataclass(frozen=True)
class Identity:
    """A property that identifies a person or company.

    `key` is a digest: it cannot be read back, but a phone number or address gives the same key
    again, so that a person can be found and deleted.
    """

    kind: IdentityKind
    key: str


@dataclass(frozen=True)
class KnownIdentity:
    """What an identity refers to: its latest lead, or an owner.

    The last post about the lead came at `since`. `owner` is the rep an outside system has named.
    """

    identity: Identity
    lead_id: str | None = None
    since: datetime | None = None
    owner: str | None = None


@dataclass(frozen=True)
class Merge:
    """The post belongs to a lead that is not closed."""

    lead: Lead
    because: IdentityKind


@dataclass(frozen=True)
class Keep:
    """The new lead goes to a rep, if they are still active: the owner of `lead_id`, if given."""

    rep_id: str
    because: IdentityKind
    lead_id: str = ""


def meetings(
    standings: Iterable[KnownIdentity], leads: Mapping[str, Lead], rules: Duplicates, now: datetime
) -> Iterator[Merge | Keep]:
    """Yield what may be done with a new lead, the best first; nothing if it races as usual.

    A lead that a manager put on hold takes no posts of other people of the same company (R7).
    """
    for standing in standings:
        because, lead = standing.identity.kind, _remembered(standing, leads, rules, now)
        if standing.owner is not None:
            yield Keep(standing.owner, because)
        if lead is None:
            continue
        waits = lead.state in _WAITING and (because.personal or not lead.on_hold)
        if waits or (because.personal and lead.state in HELD):
            yield Merge(lead, because)
        elif lead.owner is not None and lead.state in (*HELD, State.WON):
            yield Keep(lead.owner, because, lead.lead_id)


def known_flags(
    standings: Iterable[KnownIdentity], leads: Mapping[str, Lead], rules: Duplicates, now: datetime
) -> tuple[str, ...]:
    """Return the flags of a lead that races although its person or company is known."""
    for standing in standings:
        if _remembered(standing, leads, rules, now) is not None:
            return ("known_person" if standing.identity.kind.personal else "known_company",)
    return ()


def identities_to_move(
    standings: Iterable[KnownIdentity],
    leads: Mapping[str, Lead],
    lead_id: str,
    rules: Duplicates,
    now: datetime,
) -> list[KnownIdentity]:
    """Return those identities, as read, that are to refer to `lead_id` from now on.

    The others stay with their lead. A company stays with the lead that was won. If `lead_id` is a
    known lead into which a post is merged, identities of other known leads stay too, but not those
    of a lost lead.
    """
    merged = lead_id in leads
    pointing = []
    for standing in standings:
        lead = _remembered(standing, leads, rules, now)
        elsewhere = lead is not None and lead.lead_id != lead_id and lead.state is not State.LOST
        won = lead is not None and lead.state is State.WON
        if not (elsewhere and (merged or (won and not standing.identity.kind.personal))):
            pointing.append(standing)
    return pointing


def _remembered(
    standing: KnownIdentity, leads: Mapping[str, Lead], rules: Duplicates, now: datetime
) -> Lead | None:
    """Return the lead an identity refers to: a won lead for good, others for the rules' days."""
    lead = leads.get(standing.lead_id or "")
    if lead is None or lead.state is State.WON:
        return lead
    recent = standing.since is not None and now - standing.since <= timedelta(days=rules.days)
    return lead if recent else None
