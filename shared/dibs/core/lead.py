"""A lead, its life (C8) and what may be shown of it before the claim (N2)."""

from __future__ import annotations

import hashlib
from base64 import b32decode, b32encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from dibs.core.errors import IllegalMove
from dibs.core.quality import Pool, Quality, pool_for

if TYPE_CHECKING:
    from dibs.core.rep import Rep


class State(StrEnum):
    """Where a lead stands (C8)."""

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
    # Onto itself when a manager puts a lead aside that waits, or lets it wait again (R7).
    State.EXPIRED: (State.OPEN, State.ASSIGNED, State.EXPIRED),
}
HELD = (State.CLAIMED, State.ASSIGNED, *_WORK)
"""The states in which a lead has a holder who is not done with it."""


def implied_by_move(current: State, to: State) -> tuple[State, ...]:
    """Return the stages a legal move from `current` to `to` skips, in order (C8).

    Forward moves along contacted, qualified, opportunity to won or lost may skip stages;
    nothing else may.

    Raises:
        IllegalMove: for every other move.
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


@dataclass(frozen=True)
class Move:
    """One recorded step of a lead's life (C8): what moved it, by whom, and who held it then.

    `note` is the reason a person gave for it (C5, R7); it goes into no log and no message. `told`
    is the digest of the activity it follows from (K1), where it does.
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
class Tie:
    """Why a lead and another post or lead belong together (C6): no personal data.

    `outcome` is `merged`, where the post `other_id` became part of the lead, or `existing_owner`,
    where the lead went to the rep of the lead `other_id`, none for an owner named from outside.
    """

    lead_id: str
    other_id: str
    at: datetime
    because: Kind
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


BLIND = Preview("")


class Kind(StrEnum):
    """What two leads about the same person or company have in common (C6), best first."""

    PHONE = "phone"
    EMAIL = "email"
    DOMAIN = "domain"
    NAME = "name"

    @property
    def personal(self) -> bool:
        """Tell whether it names a person; otherwise a company."""
        return self in (Kind.PHONE, Kind.EMAIL)


@dataclass(frozen=True)
class Post:
    """A later post that was merged into a lead (C6), as its holder sees it."""

    lead_id: str
    at: datetime
    because: Kind
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
class Card:
    """The whole lead with its personal data; only its holder sees it (C3)."""

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


def filled(card: Card) -> Card:
    """Return a card whose empty fields are filled from the posts merged into it (C6), in order.

    Nothing written is overwritten. Somebody else of the company fills in what is the company's
    alone. Who asked not to be called, in any post of theirs, is not called.
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


Reserved = Literal["", "cohort", "newcomers", "absence"]
Openings = tuple[datetime | None, datetime | None, datetime | None]
"""When each tier may claim, tier 1 first; None: never, by assignment only (M2)."""


@dataclass(frozen=True)
class Lead:
    """The small lock a race is decided on: no personal data, at most 1 KB stored.

    `salt` makes this lead's claim links unguessable. `opens_at` is the recorded opening and
    `waves` those of the tiers, of the teams in which not everybody may claim at once: rights come
    from them, never from a timer. `told_at` is up to when openings were told to their reps.
    `playbook_version` is the rules it was opened under.
    `owner` took it at `claimed_at`, by claim or assignment, has accepted it since `accepted_at`
    (F2) and worked it since `worked_at`; until then it goes back at `return_at` (C11). `previous`
    had it before, and `released` is who gave it back lately, and when (C5). A `parked` lead waits
    for nobody but a manager (R7).
    `segment`, `product`, `language`, `needs` (skills and their least levels) and `pods` are what a
    rep is matched with (R2-R5). The reps in `first` may claim from `opens_at`, before everybody's
    waves (F6). `reserved` leads are for newcomers: to race for among themselves (`cohort`), or to
    be assigned (`newcomers`); or for who earned one by absence (`absence`). Claims until
    `draws_at` count as simultaneous (C10); it is gone once a draw was won by nobody.
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
    told_at: datetime | None = None
    previous: str | None = None
    released: Mapping[str, datetime] = field(default_factory=dict)
    parked: bool = False
    accepted_at: datetime | None = None
    segment: str = ""
    product: str = ""
    language: str = ""
    needs: tuple[tuple[str, int], ...] = ()
    pods: tuple[str, ...] = ()
    blind: bool = False
    first: tuple[str, ...] = ()
    reserved: Reserved = ""
    draws_at: datetime | None = None

    @property
    def pool(self) -> Pool:
        """Where it races: hot leads in premium; a blind one must not show that it is hot."""
        return Pool.STANDARD if self.blind else pool_for(self.quality)

    @property
    def shown(self) -> Preview:
        """What a rep may see before the claim (N2); of a blind lead nothing tells it apart (F4)."""
        return BLIND if self.blind else self.preview

    @property
    def unaccepted(self) -> bool:
        """Tell whether it was assigned to its holder and neither accepted nor worked (F2)."""
        untouched = self.accepted_at is None and self.worked_at is None
        return self.state is State.ASSIGNED and untouched

    def opens_for(self, rep: Rep) -> datetime | None:
        """Return when a rep may claim, None where they never may."""
        return self.opens_at if rep.rep_id in self.first else self.openings(rep.team)[rep.tier - 1]

    def openings(self, team: str) -> Openings:
        """Return when each tier of a team may claim."""
        return self.waves.get(team, (self.opens_at,) * 3)


def moved(
    lead: Lead, to: State, at: datetime, cause: str, by: str, note: str = ""
) -> tuple[Lead, Move]:
    """Return the lead one legal step on, and the record of that step (C8).

    Raises:
        IllegalMove: a lead cannot move that way.
    """
    implied = implied_by_move(lead.state, to)
    step = Move(lead.lead_id, lead.epoch, at, lead.state, to, cause, by, implied, lead.owner, note)
    return replace(lead, state=to), step


CLAIMED = "claimed"
UNDONE = "undone"
"""The cause of a return that makes the claim one that never was (C5)."""
RELEASED = "released"
"""The cause of a return its holder asked for (C5): it counts toward their churn."""


@dataclass(frozen=True)
class Claim:
    """The record of one taken lead; its storing is the event the rest of the product follows (C1).

    `cause` is `claimed` for a won race; an assignment says why it was made. A race may be `drawn`
    (C10): it is won at the draw. Its holder is reminded at `nudge_at` and loses it at `return_at`
    if they have not worked it (C11).
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
        """Tell whether it was won in a race."""
        return self.cause == CLAIMED


SOURCE_BYTES = 40
"""How much of a source a lock keeps, and so how long a rule's source may be."""
TERRITORY_BYTES = 40
SEGMENT_BYTES = 16
PRODUCT_BYTES = 24
LANGUAGE_BYTES = 8
LEAD_ID_BYTES = 7
REP_ID_BYTES = 3


def lead_id_for(source: str, external_id: str, attempt: int = 0) -> str:
    """Return the id of the lead a source calls `external_id`: 12 letters, always the same.

    The id is the duplicate check (C4): the second post of a lead meets the first one's key.
    `attempt` steps aside for the one pair in 10^16 that meets a stranger's key.
    """
    digest = hashlib.sha256(f"{source}\0{external_id}\0{attempt}".encode()).digest()
    return id_text(digest[:LEAD_ID_BYTES])


def id_text(raw: bytes) -> str:
    """Return an id's letters: lower-case base32, fit for a URL and for reading aloud."""
    return b32encode(raw).decode().rstrip("=").lower()


def id_bytes(text: str) -> bytes:
    """Return the bytes behind an id's letters.

    Raises:
        ValueError: when `text` is no id.
    """
    return b32decode(text.upper() + "=" * (-len(text) % 8))
