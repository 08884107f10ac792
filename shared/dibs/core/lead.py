"""A lead, its lifecycle (C8) and the preview a rep sees before the claim (N2)."""

from __future__ import annotations

import hashlib
from base64 import b32decode, b32encode
from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from dibs.core.errors import IllegalMove
from dibs.core.quality import Pool, Quality, pool_for
from dibs.core.values import dataclass

if TYPE_CHECKING:
    from dibs.core.rep import Rep


class State(StrEnum):
    """The states of a lead's lifecycle (C8)."""

    NEW = "new"
    OPEN = "open"
    CLAIMED = "claimed"
    ASSIGNED = "assigned"
    CONTACTED = "contacted"
    QUALIFIED = "qualified"
    OPPORTUNITY = "opportunity"
    WON = "won"
    LOST = "lost"
    EXPIRED = "expired"
    RELEASED = "released"


_WORK = (State.CONTACTED, State.QUALIFIED, State.OPPORTUNITY)
_MOVES: dict[State, tuple[State, ...]] = {
    State.NEW: (State.OPEN, State.ASSIGNED, State.EXPIRED),
    State.OPEN: (State.CLAIMED, State.ASSIGNED, State.EXPIRED),
    State.CLAIMED: (State.RELEASED,),
    State.ASSIGNED: (State.RELEASED,),
    State.CONTACTED: (State.RELEASED,),
    State.QUALIFIED: (State.RELEASED,),
    State.OPPORTUNITY: (State.RELEASED,),
    State.RELEASED: (State.OPEN, State.ASSIGNED, State.EXPIRED),
    # To itself when a manager puts a waiting lead on hold, or ends the hold (R7).
    State.EXPIRED: (State.OPEN, State.ASSIGNED, State.EXPIRED),
}
HELD = (State.CLAIMED, State.ASSIGNED, *_WORK)
"""The states in which a rep holds the lead and has neither won nor lost it."""


def implied_by_move(current: State, to: State) -> tuple[State, ...]:
    """Return the stages that a legal transition from `current` to `to` skips, in order (C8).

    A held lead may skip stages on its way to contacted, qualified, opportunity, won or lost. No
    other transition may.

    Raises:
        IllegalMove: the transition is not legal.
    """
    if to in _MOVES.get(current, ()):
        return ()
    if current in HELD and to in (*_WORK, State.WON, State.LOST):
        start = _WORK.index(current) + 1 if current in _WORK else 0
        end = _WORK.index(to) if to in _WORK else len(_WORK)
        if start <= end:
            # Losing a lead implies nothing about the stages it never reached.
            return () if to is State.LOST else _WORK[start:end]
    raise IllegalMove(f"A lead cannot move from {current} to {to}.")


def legal_moves(current: State) -> tuple[State, ...]:
    """Return the states a lead may come to from `current` (C8)."""

    def legal(to: State) -> bool:
        try:
            implied_by_move(current, to)
        except IllegalMove:
            return False
        return to is not current

    return tuple(filter(legal, State))


@dataclass(frozen=True)
class Transition:
    """A recorded transition of a lead (C8): its cause, by whom, and who held the lead then.

    `note` is the reason a person gave (C5, R7); it goes into no log and no message. `told` is the
    digest of the activity that caused the transition, if one did (K1).
    """

    lead_id: str
    epoch: int
    at: datetime
    from_state: State
    to_state: State
    cause: str
    by: str
    implied: tuple[State, ...] = ()
    holder: str | None = None
    note: str = ""
    told: str = ""


@dataclass(frozen=True)
class DuplicateLink:
    """A duplicate link: why a lead and another post or lead belong together (C6).

    `outcome` is `merged` where the post `other_id` became part of the lead. It is `existing_owner`
    where the lead went to the owner of the lead `other_id`, which is empty for an owner named by
    another system. It holds no personal data.
    """

    lead_id: str
    other_id: str
    at: datetime
    because: IdentityKind
    source: str
    outcome: str


@dataclass(frozen=True)
class Preview:
    """What a rep sees before the claim: never a phone number, address or personal name (N2)."""

    company: str
    company_size: str = ""
    contact_title: str = ""
    source: str = ""
    score: int | None = None

    @property
    def safe(self) -> Preview:
        """The preview without links, phone numbers and letters that cannot be seen."""
        # Its patterns take as long to compile as this module; a claim over HTTP shows no preview.
        from dibs.core.safe_text import safe_size, safe_text

        return Preview(
            safe_text(self.company),
            safe_size(self.company_size),
            safe_text(self.contact_title),
            safe_text(self.source),
            self.score,
        )


BLIND = Preview("")


class IdentityKind(StrEnum):
    """What two leads about the same person or company have in common (C6), strongest first."""

    PHONE = "phone"
    EMAIL = "email"
    DOMAIN = "domain"
    NAME = "name"

    @property
    def personal(self) -> bool:
        """Tell whether it identifies a person; otherwise it identifies a company."""
        return self in (IdentityKind.PHONE, IdentityKind.EMAIL)


@dataclass(frozen=True)
class Post:
    """A later post that was merged into a lead (C6), as the lead's holder sees it."""

    lead_id: str
    at: datetime
    because: IdentityKind
    source: str
    company: str = ""
    company_size: str = ""
    contact_name: str = ""
    contact_title: str = ""
    contact_email: str = ""
    contact_phone: str = ""
    needs: tuple[str, ...] = ()
    language: str = ""
    consent: str = ""
    do_not_call: bool = False


@dataclass(frozen=True)
class Contact:
    """A lead's contact details and all else its source sent. Only the holder sees them (C3)."""

    lead_id: str
    source: str
    external_id: str
    company: str
    company_size: str = ""
    contact_name: str = ""
    contact_title: str = ""
    contact_email: str = ""
    contact_phone: str = ""
    score: int | None = None
    territory: str = ""
    segment: str = ""
    product: str = ""
    team: str = ""
    needs: tuple[str, ...] = ()
    language: str = ""
    consent: str = ""
    do_not_call: bool = False
    test: bool = False
    flags: tuple[str, ...] = ()
    merged: tuple[Post, ...] = ()


_OF_A_PERSON = (
    "contact_name",
    "contact_title",
    "contact_email",
    "contact_phone",
    "needs",
    "language",
    "consent",
)


def filled(card: Contact) -> Contact:
    """Return the contact details, their empty fields filled from the merged posts in order (C6).

    No value is overwritten. A post about another person of the company fills in the company's
    size only. A person who asked in any of their posts not to be called is not called.
    """
    for post in card.merged:
        fields: tuple[str, ...] = ("company_size",)
        if post.because.personal:
            fields += _OF_A_PERSON
            card = replace(card, do_not_call=card.do_not_call or post.do_not_call)
        card = replace(
            card, **{name: getattr(post, name) for name in fields if not getattr(card, name)}
        )
    return card


Reserved = Literal["", "cohort", "newcomers", "absence", "acceptance"]
ASSIGNED_ONLY: tuple[Reserved, ...] = ("newcomers", "absence", "acceptance")
"""Leads that are reserved for these are assigned, not raced for."""
Openings = tuple[datetime | None, datetime | None, datetime | None]
"""When each tier may claim, tier 1 first. None: never, the tier gets leads by assignment (M2)."""


@dataclass(frozen=True)
class Lead:
    """The lead item a race is decided on: no personal data, at most 1 KB stored.

    `salt` keys this lead's claim links. `opens_at` is the opening; `waves` are the tiers'
    openings, for teams whose tiers open at different times. The right to claim follows from these
    times, never from a timer. Openings up to `notified_until` have been notified. The lead was
    opened under the rules of `playbook_version`.
    `owner` got it at `claimed_at`, by claim or assignment, accepted it at `accepted_at` (F2) and
    worked it first at `worked_at`; if they do not, it returns at `return_at` (C11).
    `previous_owner` had it before; `released_by` says who released it lately and when (C5).
    `undone_by` are the reps who undid a claim of it (C12). After an undo the race goes on under the
    next epoch; `race_epoch` is then the epoch it began under, 0 while no claim of it was undone. A
    lead that is `on_hold` waits for a manager only (R7).
    Reps are matched by `territory`, `segment`, `product`, `language`, `needs` (skills and their
    minimum levels) and `pods` (R1-R5). `head_start_reps` may claim from `opens_at`, before all
    waves (F6). A lead is `reserved_for` newcomers, to race for among themselves (`cohort`) or to be
    assigned to them (`newcomers`), for reps with an absence credit (`absence`), or for reps who owe
    an assignment (`acceptance`, F2). Claims until `draws_at` count as simultaneous (C10);
    it is None again after a draw without a winner. Of a `test` lead only the playbook's test reps
    are told, unless it is for everybody (`test_everybody`).
    """

    lead_id: str
    state: State
    epoch: int
    teams: tuple[str, ...]
    quality: Quality
    preview: Preview
    salt: bytes
    opens_at: datetime
    closes_at: datetime
    playbook_version: int
    received_at: datetime
    test: bool = False
    territory: str = ""
    waves: Mapping[str, Openings] = field(default_factory=dict)
    owner: str | None = None
    claimed_at: datetime | None = None
    worked_at: datetime | None = None
    return_at: datetime | None = None
    notified_until: datetime | None = None
    previous_owner: str | None = None
    released_by: Mapping[str, datetime] = field(default_factory=dict)
    on_hold: bool = False
    accepted_at: datetime | None = None
    segment: str = ""
    product: str = ""
    language: str = ""
    needs: tuple[tuple[str, int], ...] = ()
    pods: tuple[str, ...] = ()
    blind: bool = False
    head_start_reps: tuple[str, ...] = ()
    reserved_for: Reserved = ""
    draws_at: datetime | None = None
    undone_by: tuple[str, ...] = ()
    race_epoch: int = 0
    test_everybody: bool = False

    @property
    def first_epoch(self) -> int:
        """The epoch under which its race began: offers and links from there on are of this race."""
        return self.race_epoch or self.epoch

    @property
    def pool(self) -> Pool:
        """The pool it races in. A blind lead is always in standard, or premium would show that it
        is hot (F4)."""
        return Pool.STANDARD if self.blind else pool_for(self.quality)

    @property
    def shown(self) -> Preview:
        """What a rep may see before the claim (N2). All blind leads look the same (F4).

        It is made safe here too: rules name the source as it was sent, and a lead of an earlier
        version holds all fields as they were sent.
        """
        return BLIND if self.blind else self.preview.safe

    @property
    def source(self) -> str:
        """The source that rules of the race go by; a blind lead has none (F4)."""
        return "" if self.blind else self.preview.source

    @property
    def unaccepted(self) -> bool:
        """Tell whether it was assigned to its holder and neither accepted nor worked (F2)."""
        untouched = self.accepted_at is None and self.worked_at is None
        return self.state is State.ASSIGNED and untouched

    def opens_for(self, rep: Rep) -> datetime | None:
        """Return from when a rep may claim, None for never."""
        return (
            self.opens_at
            if rep.rep_id in self.head_start_reps
            else self.openings(rep.team)[rep.tier - 1]
        )

    def openings(self, team: str) -> Openings:
        """Return when each tier of a team may claim."""
        return self.waves.get(team, (self.opens_at,) * 3)


def moved(
    lead: Lead, to: State, at: datetime, cause: str, by: str, note: str = ""
) -> tuple[Lead, Transition]:
    """Return the lead in its new state, and the record of the transition (C8).

    Raises:
        IllegalMove: the transition is not legal.
    """
    implied = implied_by_move(lead.state, to)
    transition = Transition(
        lead.lead_id, lead.epoch, at, lead.state, to, cause, by, implied, lead.owner, note
    )
    return replace(lead, state=to), transition


CLAIMED = "claimed"
UNDONE = "undone"
"""The cause of a return after which the claim does not count (C5)."""
RELEASED = "released"
"""The cause of a return that the holder asked for (C5): it counts toward their churn."""


@dataclass(frozen=True)
class Claim:
    """The record that a rep got a lead, by claim or assignment.

    Storing it is the event that the rest of the product follows (C1). `cause` is `claimed` for a
    won race, else why the lead was assigned. `drawn`: the race was won in a draw (C10). The holder
    is reminded at `nudge_at` and loses the lead at `return_at` if they have not worked it (C11).
    `claim_ms` are the milliseconds from the rep's first notice, or from the opening without one.
    """

    lead_id: str
    epoch: int
    rep_id: str
    rep_name: str
    team: str
    claimed_at: datetime
    claim_ms: int
    playbook_version: int
    test: bool = False
    cause: str = CLAIMED
    nudge_at: datetime | None = None
    return_at: datetime | None = None
    drawn: bool = False

    @property
    def competitive(self) -> bool:
        """Tell whether the lead was won in a race."""
        return self.cause == CLAIMED


SOURCE_BYTES = 40
"""How many bytes of a source the lead item keeps, and so the longest source a rule may name."""
TERRITORY_BYTES = 40
SEGMENT_BYTES = 16
PRODUCT_BYTES = 24
LANGUAGE_BYTES = 8
LEAD_ID_BYTES = 7
REP_ID_BYTES = 3


def lead_id_for(source: str, external_id: str, attempt: int = 0) -> str:
    """Return the id of the lead that `source` calls `external_id`: 12 letters, always the same.

    The id is the duplicate check (C4): the second post of a lead has the key of the first one.
    `attempt` gives another id where two different leads would share one (about one pair in 10^16).
    """
    digest = hashlib.sha256(f"{source}\0{external_id}\0{attempt}".encode()).digest()
    return id_text(digest[:LEAD_ID_BYTES])


def id_text(raw: bytes) -> str:
    """Return an id as text: lower-case base32, fit for a URL and for reading aloud."""
    return b32encode(raw).decode().rstrip("=").lower()


def id_bytes(text: str) -> bytes:
    """Return the bytes of an id.

    Raises:
        ValueError: `text` is not an id.
    """
    return b32decode(text.upper() + "=" * (-len(text) % 8))
