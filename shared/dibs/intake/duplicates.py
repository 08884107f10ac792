"""A lead about a known person or company is merged, goes to its owner, or races (C6). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
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

_PERSON, _DOMAIN, _FORM = "person:", "domain:", "form:"
# Without an owner, and not closed.
_WAITING = (State.NEW, State.OPEN, State.EXPIRED, State.RELEASED)


@dataclass(frozen=True)
class Identity:
    """A property that identifies a person or company.

    `key` is a digest: it cannot be read back, but a phone number or address gives the same key
    again, so that a person can be found and deleted. The `marks` of a name say whom it came with:
    `domain:` a company's own domain, else `person:` (each of their numbers and addresses), and
    `form:` its legal form.
    """

    kind: IdentityKind
    key: str
    marks: tuple[str, ...] = ()


@dataclass(frozen=True)
class KnownIdentity:
    """What an identity refers to: its latest lead, or an owner.

    The last post about the lead came at `since`. `owner` is the rep an outside system has named.
    `seen` are the marks that a name came with so far. Where the identity `stays` with the lead it
    refers to, only new marks are written.
    """

    identity: Identity
    lead_id: str | None = None
    since: datetime | None = None
    owner: str | None = None
    seen: frozenset[str] = frozenset()
    stays: bool = False

    @property
    def new_marks(self) -> frozenset[str]:
        """The marks that this post adds: one for a person, none where any of theirs is known."""
        marks = self.identity.marks
        people = [mark for mark in marks if mark.startswith(_PERSON)]
        others = {mark for mark in marks if not mark.startswith(_PERSON)}
        return frozenset(others | set(people[:1] if not self.seen & {*people} else ())) - self.seen


@dataclass(frozen=True)
class Merge:
    """The post belongs to a lead that is not closed."""

    lead: Lead
    because: IdentityKind


@dataclass(frozen=True)
class GoesToOwner:
    """The new lead goes to a rep, if they are still active: the owner of `lead_id`, if given."""

    rep_id: str
    because: IdentityKind
    lead_id: str = ""


def matches(
    identities: Iterable[KnownIdentity],
    leads: Mapping[str, Lead],
    rules: Duplicates,
    now: datetime,
) -> Iterator[Merge | GoesToOwner]:
    """Yield what may be done with a new lead, strongest match first; nothing if it races.

    A lead that a manager put on hold takes no posts of other people of the same company (R7). A
    name that two companies have says nothing. One that comes with many people is nobody's, unless
    somebody named its owner.
    """
    for known in identities:
        because, lead = known.identity.kind, _remembered(known, leads, rules, now)
        if known.owner is not None and not _is_of_two(_seen_now(known)):
            yield GoesToOwner(known.owner, because)
        if lead is None:
            continue
        waits = lead.state in _WAITING and (because.personal or not lead.on_hold)
        if waits or (because.personal and lead.state in HELD):
            yield Merge(lead, because)
        elif lead.owner is not None and lead.state in (*HELD, State.WON):
            yield GoesToOwner(lead.owner, because, lead.lead_id)


def known_flags(
    identities: Iterable[KnownIdentity],
    leads: Mapping[str, Lead],
    rules: Duplicates,
    now: datetime,
) -> tuple[str, ...]:
    """Return the flags of a lead that races although its person or company is known."""
    for known in identities:
        if _remembered(known, leads, rules, now) is not None:
            return ("known_person" if known.identity.kind.personal else "known_company",)
    return ()


def identities_to_move(
    identities: Iterable[KnownIdentity],
    leads: Mapping[str, Lead],
    lead_id: str,
    rules: Duplicates,
    now: datetime,
) -> list[KnownIdentity]:
    """Return the identities, as read, that shall refer to `lead_id` from now on.

    The others stay with their lead: a company with the lead that was won, and, where a post is
    merged into a known lead, the identities of other known leads that are not lost.

    A name that stays learns whom it came with. One that is nobody's is left out: else every lead
    with it would write one item.
    """
    merged = lead_id in leads
    pointing = []
    for known in identities:
        if _is_nobodys(known.seen, rules):
            continue
        lead = _remembered(known, leads, rules, now)
        elsewhere = lead is not None and lead.lead_id != lead_id and lead.state is not State.LOST
        won_company = (
            lead is not None and lead.state is State.WON and not known.identity.kind.personal
        )
        stays = elsewhere and (merged or won_company)
        if not stays:
            pointing.append(known)
        elif known.new_marks:
            pointing.append(replace(known, stays=True))
    return pointing


def _is_nobodys(seen: frozenset[str], rules: Duplicates) -> bool:
    """Tell whether a name says nothing of who it is about.

    It came with two domains or two legal forms, so two companies have it. Or it came with many
    people who have no company's domain, so it is what people write who name no company.
    """
    return _is_of_two(seen) or _count(seen, _PERSON) >= rules.name_people


def _is_of_two(seen: frozenset[str]) -> bool:
    return _count(seen, _DOMAIN) > 1 or _count(seen, _FORM) > 1


def _count(seen: frozenset[str], kind: str) -> int:
    return sum(mark.startswith(kind) for mark in seen)


def _seen_now(known: KnownIdentity) -> frozenset[str]:
    return known.seen | known.new_marks


def _remembered(
    known: KnownIdentity, leads: Mapping[str, Lead], rules: Duplicates, now: datetime
) -> Lead | None:
    """Return the lead an identity refers to: a won lead for good, others for the rules' days."""
    if _is_nobodys(_seen_now(known), rules):
        return None
    lead = leads.get(known.lead_id or "")
    if lead is None or lead.state is State.WON:
        return lead
    recent = known.since is not None and now - known.since <= timedelta(days=rules.days)
    return lead if recent else None
