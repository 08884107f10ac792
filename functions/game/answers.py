"""What the game answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from dibs.core.errors import FieldError
from dibs.game.contests.rules import Contest, Kind, Why
from dibs.game.contests.series import Repeats
from dibs.game.rewards.rules import RequestState

Number = int | float


class Person(TypedDict):
    """A colleague."""

    rep_id: str
    name: str


class HelpAnswer(TypedDict):
    """An answer; `helped`: the asker said so."""

    text: str
    answered_at: datetime
    helped: bool


class NamedAnswer(HelpAnswer):
    """An answer with who gave it."""

    rep_id: str
    name: str


class OwnQuestion(TypedDict):
    """What the rep asked."""

    help_id: str
    lead_id: str
    question: str
    asked_at: datetime
    open: bool
    answered_until: datetime
    confirmed_until: datetime
    answers: list[NamedAnswer]


class QuestionPreview(TypedDict):
    """The lead a question is about."""

    company: str
    contact_title: str


class Question(TypedDict):
    """What a colleague asks."""

    help_id: str
    asker: Person
    question: str
    preview: QuestionPreview | None
    asked_at: datetime
    answered_until: datetime
    answer: HelpAnswer | None


class Help(TypedDict):
    """What the rep asked, and what colleagues ask."""

    asked: list[OwnQuestion]
    for_me: list[Question]


class Helped(HelpAnswer):
    """Who helped, with what."""

    helper: str


class Closed(TypedDict):
    """A question that takes no more answers."""

    help_id: str
    open: Literal[False]


class QuestStep(TypedDict):
    """A step of a quest, and how it stands."""

    step: str
    name: str
    type: str
    verified_by: str
    told_at: datetime | None
    peer: Person | None
    done_at: datetime | None


class Quest(TypedDict):
    """Where the rep stands in a quest."""

    quest: str
    name: str
    badge: str
    points: int
    until: str | None
    open: bool
    done: int
    of: int
    finished_at: datetime | None
    next: str | None
    steps: list[QuestStep]


class Quests(TypedDict):
    """Where the rep stands in each quest."""

    quests: list[Quest]


class Told(TypedDict):
    """A step that was told of."""

    quest: str
    step: str
    told_at: datetime
    peer: str | None
    done: bool


class Confirmed(TypedDict):
    """A step that was confirmed."""

    quest: str
    step: str
    rep_id: str
    done: Literal[True]


class PendingStep(TypedDict):
    """A step that waits for the caller's word."""

    quest: str
    quest_name: str
    step: str
    step_name: str
    rep: Person
    told_at: datetime


class Pending(TypedDict):
    """The steps that wait for the caller's word."""

    pending: list[PendingStep]


class OfferedReward(TypedDict):
    """A reward as a rep sees it."""

    reward_id: str
    name: str
    price: int
    left: int | None
    approval: bool
    affordable: bool
    missing: int


class Offered(TypedDict):
    """What a rep can have."""

    balance: int
    rewards: list[OfferedReward]


class ManagedReward(TypedDict):
    """A reward as managers see it."""

    reward_id: str
    name: str
    price: int
    stock: int | None
    taken: int
    left: int | None
    approval: bool
    active: bool


class Managed(TypedDict):
    """All rewards there are."""

    rewards: list[ManagedReward]


class RequestStep(TypedDict):
    """A step of a request."""

    state: RequestState
    at: datetime
    by: str
    reason: str


class RewardRequest(TypedDict):
    """A request for a reward."""

    request_id: str
    reward_id: str
    name: str
    price: int
    state: RequestState
    requested_at: datetime
    steps: list[RequestStep]


class OwnRequests(TypedDict):
    """What the rep asked for."""

    requests: list[RewardRequest]


class NamedRequest(RewardRequest):
    """A request with who asked."""

    rep_id: str
    rep_name: str | None


class Requests(TypedDict):
    """Who asked for what."""

    requests: list[NamedRequest]


class Decided(RewardRequest):
    """A request after a decision."""

    rep_id: str
    changed: bool


class NotApproved(TypedDict):
    """A request that could not be approved, and why."""

    request_id: str
    code: str
    detail: str


class DecidedTogether(TypedDict):
    """Which requests are approved, and which could not be."""

    approved: list[Decided]
    refused: list[NotApproved]


class PointsLevel(TypedDict):
    """A level, and how many points are missing for it."""

    name: str
    from_points: int
    missing: int


class Transfer(TypedDict):
    """Points that came or went: by which rule, and in words, with the company of one's own lead."""

    transfer_id: str
    at: datetime
    points: int
    rule: str
    cause: str
    company: str | None
    words: str


class Points(TypedDict):
    """A rep's points account."""

    balance: int
    earned: int
    lapsed: int
    spent: int
    level: PointsLevel | None
    next_level: PointsLevel | None
    history: list[Transfer]
    next: str | None


class Planned(TypedDict):
    """A contest in short."""

    contest_id: str
    name: str
    kind: Kind
    phase: str
    hidden: bool
    first_day: str
    last_day: str
    opens_at: datetime
    ends_at: datetime
    cut_off_at: datetime
    seconds_left: int
    prize: str
    prize_points: Sequence[int]


class PlannedContest(Planned):
    """A contest as it was set up."""

    contest: Contest


class ContestSeries(TypedDict):
    """A contest that recurs, and its contests that are set up and not final."""

    series_id: str
    cancelled: bool
    by: str
    contest: Contest
    repeats: Repeats
    contests: list[Planned]
    warnings: NotRequired[list[FieldError]]


class AllSeries(TypedDict):
    """The contests that recur."""

    series: list[ContestSeries]


class Contests(TypedDict):
    """Contests to come, live, and that ended lately."""

    as_of: datetime
    contests: list[Planned]


class ContestRow(TypedDict):
    """How a rep or a side stands; who it is is hidden where boards are anonymous."""

    id: str | None
    name: NotRequired[str | None]
    mine: NotRequired[bool]
    side: str | None
    tier: int | None
    place: int | None
    value: Number | None
    tie_breakers: list[Number | None]
    why: Why | None
    points: int
    gap: NotRequired[Number | None]


class ContestPreview(TypedDict):
    """How a contest would stand."""

    contest: Contest
    rules: list[str]
    entrants: int
    opens_at: datetime
    ends_at: datetime
    cut_off_at: datetime
    seconds_left: int
    sides: list[ContestRow]
    top: list[ContestRow]


class ContestWinners(TypedDict):
    """Who won."""

    sides: list[str]
    reps: list[ContestRow]


class ContestResult(TypedDict):
    """A result and its signature; the signed text is for managers."""

    closed_at: datetime
    signature: str
    verified: bool
    text: NotRequired[str]


class ContestDraw(TypedDict):
    """How a lottery is drawn; the seed is published with the result."""

    commitment: str | None
    seed: str | None


class ContestShown(Planned):
    """A contest, how it stands, and how it ended."""

    as_of: datetime | None
    contest: Mapping[str, Any]
    rules: list[str]
    entrants: NotRequired[int]
    sides: NotRequired[list[ContestRow]]
    top: NotRequired[list[ContestRow]]
    me: NotRequired[ContestRow | None]
    draw: NotRequired[ContestDraw]
    winners: NotRequired[ContestWinners]
    result: NotRequired[ContestResult]


class Challenge(TypedDict):
    """A challenge that is on, or next."""

    contest_id: str
    challenge: str
    name: str
    period: str
    when: Literal["now", "next"]
    first_day: str
    last_day: str
    opens_at: datetime
    ends_at: datetime
    cut_off_at: datetime
    seconds_left: int
    prize: str
    prize_points: Sequence[int]
    rules: list[str]
    me: NotRequired[ContestRow | None]


class Challenges(TypedDict):
    """The challenges."""

    as_of: datetime
    challenges: list[Challenge]
