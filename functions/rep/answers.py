"""What a rep's app is answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NotRequired

from typing_extensions import TypedDict

from dibs.core.lead import Contact, IdentityKind, Preview, State
from dibs.core.quality import Quality
from dibs.people.leads_shown import LeadRow
from dibs.race.debts import Debt
from dibs.race.limits import UsedLimit
from dibs.race.newcomers import Phase
from dibs.receipts.receipts import Outcome
from dibs.rules.rules import Model

Days = TypedDict("Days", {"from": str, "to": str})
Turn = TypedDict("Turn", {"from": datetime, "until": datetime})


class OfferPreview(TypedDict):
    """What a rep sees of a lead before the claim."""

    company: str
    company_size: str
    contact_title: str
    source: str
    score: int | None


class OfferDraw(TypedDict):
    """When the draw is, and what its seed is committed to by."""

    draws_at: datetime
    commitment: str


class Refused(TypedDict):
    """Why this rep may not claim it now, and when that lifts."""

    codes: list[str]
    lifts_at: datetime | None
    lifts_when: str


class Offer(TypedDict):
    """An open lead of the rep's team.

    Nobody of a later wave may claim before `exclusive_until`; null once all who ever may, may.
    """

    lead_id: str
    claim_url: str
    opens_at: datetime | None
    exclusive_until: datetime | None
    closes_at: datetime
    preview: OfferPreview
    blind: bool
    test: bool
    eligible: bool
    draw: NotRequired[OfferDraw]
    refusal: NotRequired[Refused]


class Offers(TypedDict):
    """The open leads of the rep's team."""

    offers: list[Offer]


class ByQuality(TypedDict):
    """How many leads of each quality."""

    hot: int
    warm: int
    cold: int


class PoolShown(TypedDict):
    """What is open for claiming; for a rep also whether they may claim one of them now.

    Of blind leads a rep hears how many there are, and not of which quality.
    """

    as_of: datetime
    team: str | None
    size: int
    mean_age_seconds: int
    oldest_at: datetime | None
    by_quality: ByQuality
    blind: int
    eligible: NotRequired[bool]
    refusal: NotRequired[Refused]


class HeldLead(TypedDict):
    """A lead the rep holds."""

    lead_id: str
    state: State
    quality: Quality
    preview: Preview
    taken_at: datetime | None
    worked_at: datetime | None
    return_at: datetime | None


class HeldLeads(TypedDict):
    """The leads the rep holds, the oldest first."""

    leads: list[HeldLead]


class Came(TypedDict):
    """How a lead came to its holder; `by` and `reason` where it was assigned."""

    cause: str
    at: datetime
    claim_ms: int | None
    by: str | None
    reason: str


class Done(TypedDict):
    """An activity of the holder about the lead."""

    activity_id: str
    type: str
    at: datetime
    reporter: str
    amount: int | None
    currency: str


class LeadInHand(TypedDict):
    """A lead the rep holds, with its contact.

    `outcomes` are the words, `moves` the types of activities that may be reported next.
    """

    lead_id: str
    quality: Quality
    lead: Contact
    came: Came
    unaccepted: bool
    undo_until: datetime | None
    history: list[Done]
    state: State
    worked_at: datetime | None
    return_at: datetime | None
    outcomes: Sequence[str]
    moves: Sequence[str]


class OutcomeTold(TypedDict):
    """What was recorded, whether it had been before, and where the lead stands now."""

    lead_id: str
    recorded: list[str]
    repeated: bool
    state: State
    worked_at: datetime | None
    return_at: datetime | None
    outcomes: Sequence[str]
    moves: Sequence[str]


class Seen(TypedDict):
    """The offer counts as seen."""

    lead_id: str
    seen: Literal[True]


class Declined(TypedDict):
    """The offer is declined."""

    lead_id: str
    declined: Literal[True]


class Released(TypedDict):
    """The lead went back; `undone`: as if it had never been claimed."""

    lead_id: str
    state: State
    undone: bool


class Accepted(TypedDict):
    """The assigned lead is accepted."""

    lead_id: str
    accepted: Literal[True]


class OwnReceipt(TypedDict):
    """What the race came to for the rep; with its text and hashes once it is sealed."""

    told_at: datetime | None
    attempted_at: datetime | None
    rules: Sequence[str]
    outcome: NotRequired[Outcome]
    place: NotRequired[int | None]
    behind_ms: NotRequired[int | None]
    disputed: NotRequired[bool]
    text: NotRequired[str]
    before: NotRequired[str]
    hash: NotRequired[str]


class SealedRace(TypedDict):
    """What every rep of a race may know of it."""

    opened_at: datetime
    closed_at: datetime
    sealed_at: datetime
    cause: str
    playbook_version: int
    receipts: int
    head: str
    block: int | None


class DisputeAnswer(TypedDict):
    """What a manager answered to an objection."""

    upheld: bool
    text: str
    answered_at: datetime


class Objection(TypedDict):
    """What the rep objected to, and the answer once there is one."""

    reason: str
    disputed_at: datetime
    answer: DisputeAnswer | None


class Receipt(TypedDict):
    """A rep's receipt of a race."""

    lead_id: str
    epoch: int
    sealed: bool
    receipt: OwnReceipt
    dispute: Objection | None
    race: NotRequired[SealedRace]


class Language(TypedDict):
    """The rep's language as it is now."""

    language: str


class TriedRace(TypedDict):
    """A race the rep tried to win, in short."""

    lead_id: str
    epoch: int
    company: str
    closed_at: datetime
    outcome: Outcome
    place: int | None
    behind_ms: int | None
    rules: Sequence[str]


class TriedRaces(TypedDict):
    """The races the rep tried to win, the newest first."""

    receipts: list[TriedRace]
    next: str | None


class Dispute(Objection):
    """An objection as it was filed first."""

    lead_id: str
    epoch: int


class Entrant(TypedDict):
    """One ticket of a draw; whose it was is hidden where winners are."""

    rep_id: str | None
    ticket: str
    rules: Sequence[str]
    won: bool


class Draw(TypedDict):
    """How a lead was drawn; anybody can recompute it."""

    lead_id: str
    epoch: int
    commitment: str
    seed: str
    drawn_at: datetime
    entrants: list[Entrant]
    winner: str | None


class RuleVerdict(TypedDict):
    """One rule, passed or not."""

    rule: str
    passed: bool
    codes: Sequence[str]


class RepVerdicts(TypedDict):
    """Every rule for one rep."""

    rep_id: str
    eligible: bool
    rules: list[RuleVerdict]


class Verdicts(TypedDict):
    """How reps were judged at one instant."""

    how: str
    at: datetime
    opened_at: datetime
    playbook_version: int
    reps: list[RepVerdicts]


class Tried(TypedDict):
    """What one rep did about the lead."""

    rep_id: str
    seen_at: datetime | None
    tried_at: datetime | None
    declined_at: datetime | None
    rules: Sequence[str]
    playbook_version: int | None


class Holder(TypedDict):
    """Who holds it, and how it came to them."""

    rep_id: str
    name: str
    cause: str
    at: datetime
    playbook_version: int


class PastDraw(TypedDict):
    """A draw as it was sealed."""

    epoch: int
    commitment: str
    seed: str
    entrants: list[str]
    winner: str | None


LeadStep = TypedDict(
    "LeadStep",
    {
        "epoch": int,
        "at": datetime,
        "from": State,
        "to": State,
        "cause": str,
        "by": str,
        "holder": str | None,
        "reason": str,
    },
)


class Why(TypedDict):
    """Why it went where it went; the last four are for managers alone."""

    lead_id: str
    epoch: int
    state: State
    judged: list[Verdicts]
    now: Verdicts | None
    tries: list[Tried]
    holder: NotRequired[Holder | None]
    saw_it_first: NotRequired[Sequence[str]]
    draws: NotRequired[list[PastDraw]]
    steps: NotRequired[list[LeadStep]]


class Availability(TypedDict):
    """What was set, and until when."""

    available: NotRequired[bool]
    paused_until: NotRequired[datetime | None]
    quiet_until: NotRequired[datetime | None]
    leave: NotRequired[list[Days]]


class Device(TypedDict):
    """A phone that gets alerts."""

    device_id: str
    platform: str


class NoDevice(TypedDict):
    """A phone that gets none any more."""

    device_id: str
    removed: Literal[True]


class Claims(TypedDict):
    """Claims of today, and how many a day there may be."""

    today: int
    most_a_day: int | None
    starts_again_at: datetime


class TierMetrics(TypedDict):
    """What wins in the rep's tier."""

    weeks: int
    currency: str
    revenue: NotRequired[float | None]
    deal_size: NotRequired[float | None]
    conversion: NotRequired[float | None]
    contact_rate: NotRequired[float | None]
    response_seconds: NotRequired[float | None]
    qualification_accuracy: NotRequired[float | None]


class TierInputs(TypedDict):
    """What the rep's score is made of."""

    taken: int
    converted: int
    attainment: float | None
    response_seconds: float | None


class Marks(TypedDict):
    """The three indices of a score."""

    conversion: float
    attainment: float
    speed: float


class TierOutlook(TypedDict):
    """The rep's latest placing, and what the next tier needs."""

    week: str
    tier: int
    was: int
    counted: bool
    reason: str
    inputs: TierInputs
    score: float | None
    marks: Marks | None
    to_rise: float | None
    points_missing: float | None
    conversions_needed: int | None
    to_fall: float | None


class LastMonth(TypedDict):
    """How much of last month's target was reached."""

    month: str
    achieved: int
    target: int | None
    percent: float | None
    leads_a_week: int | None


class Allowance(TypedDict):
    """Leads a week by the rep's attainment."""

    leads_a_week: int | None
    taken_this_week: int
    starts_again_at: datetime
    last_month: LastMonth | None


class Priority(TypedDict):
    """The rep's head start."""

    head_start_seconds: int
    today: Turn | None
    tomorrow: Turn | None


class Newcomer(TypedDict):
    """What a newcomer is guaranteed."""

    phase: Phase
    phase_ends_at: datetime | None
    guaranteed_this_week: int
    due_by_now: int
    had_this_week: int


class Credits(TypedDict):
    """Leads owed for days on leave."""

    earns: Literal["reserved", "head_start"]
    left: int
    due_by_now: int
    last_day: str | None


class NextLevel(TypedDict):
    """The level ahead."""

    name: str
    from_points: int


class PointsEarned(TypedDict):
    """Points by period."""

    week: int
    month: int
    all: int
    balance: int
    level: str | None
    next_level: NextLevel | None


class Badge(TypedDict):
    """A badge the rep holds."""

    id: str
    name: str
    period: str
    earned_at: datetime


class BadgeAhead(TypedDict):
    """A badge the rep does not hold for this period yet: `have` of `at_least`."""

    id: str
    name: str
    per: str
    have: float
    at_least: float


class Me(TypedDict):
    """A rep's own card."""

    rep_id: str
    name: str
    team: str
    zone: str
    model: Model
    playbook_version: int
    available: bool
    unavailable: list[str]
    available_at: datetime | None
    paused_until: datetime | None
    quiet_until: datetime | None
    leave: list[Days]
    claims: Claims
    limits: list[UsedLimit]
    debts: list[Debt]
    unaccepted: int
    in_hand: int
    released_this_week: int
    tier: int
    tier_metrics: TierMetrics | None
    tier_outlook: TierOutlook | None
    allowance: Allowance
    priority: Priority | None
    newcomer: Newcomer | None
    credits: Credits | None
    points: PointsEarned
    badges: list[Badge]
    next_badges: list[BadgeAhead]


class Step(TypedDict):
    """One step of a lead's life; `holder` held it then."""

    at: datetime
    epoch: int
    from_state: State
    to_state: State
    cause: str
    by: str
    holder: str | None
    reason: str


class Duplicate(TypedDict):
    """Another post or lead that belongs to this one, and why."""

    at: datetime
    other_id: str | None
    because: IdentityKind
    source: str
    outcome: str


class LeadShown(LeadRow):
    """A lead with its contact and its history, the oldest step first."""

    epoch: int
    playbook_version: int
    next_states: Sequence[State]
    contact: Contact | None
    duplicates: list[Duplicate]
    history: list[Step]
