"""What boards and reports answer to programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NotRequired

from typing_extensions import TypedDict

from dibs.game.scoring.leaderboard import Scope
from dibs.intake.blind import Part
from dibs.reports.assignment_rows import Dimension

Number = int | float
Unit = str
Better = Literal["more", "less"]


class PeriodShown(TypedDict):
    """A period, its end not included."""

    name: str
    start: datetime
    end: datetime


class BoardRow(TypedDict):
    """One place of a board."""

    place: int | None
    id: str | None
    name: str | None
    value: Number | None


class UnrankedRow(BoardRow):
    """Who is not ranked yet: they `have` so many leads or hours, and `need` so many."""

    have: Number
    need: int


class OwnRow(TypedDict):
    """The caller's own place, and how far the next one is."""

    place: int | None
    id: str | None
    name: str | None
    value: Number | None
    gap: Number | None
    have: NotRequired[Number]
    need: NotRequired[int]


class Board(TypedDict):
    """The top of a board, and the caller's place with its neighbours."""

    board: str
    means: str
    unit: str
    better: Better
    period: str
    scope: Scope
    team: str | None
    as_of: datetime
    of: int
    rows: list[BoardRow]
    around: list[BoardRow]
    not_ranked: list[UnrankedRow]
    not_ranked_of: int
    me: NotRequired[OwnRow]


class SpeedRow(BoardRow):
    """How fast one rep made first contact; shares are of the leads taken, 0 to 1."""

    within_5_min: Number | None
    within_1_hour: Number | None
    streak: int
    taken: int
    contacted: int


class UnrankedSpeedRow(SpeedRow):
    """Who is not ranked yet: they `have` contacted so many leads, and `need` so many."""

    have: Number
    need: int


class OwnSpeedRow(SpeedRow):
    """The caller's own, and how far the next one is."""

    gap: Number | None
    have: NotRequired[Number]
    need: NotRequired[int]


class SpeedTimes(TypedDict):
    """The times of a speed board's columns, in seconds: the playbook may change them."""

    within_5_min: int
    within_1_hour: int
    streak: int


class Winner(TypedDict):
    """Who won a period."""

    id: str | None
    name: str | None


class SpeedBoard(TypedDict):
    """A team's board of response speed."""

    board: Literal["response_speed"]
    means: str
    unit: str
    better: Better
    period: PeriodShown
    scope: Scope
    team: str | None
    as_of: datetime
    of: int
    rows: list[SpeedRow]
    around: list[SpeedRow]
    not_ranked: list[UnrankedSpeedRow]
    not_ranked_of: int
    times: SpeedTimes
    me: NotRequired[OwnSpeedRow | None]
    winners: NotRequired[list[Winner]]


class Load(TypedDict):
    """Leads per rep, of the reps who took any."""

    least: Number
    median: Number
    most: Number


class ReportRow(TypedDict):
    """What became of the leads of one team, territory, source or model.

    `compared`: it has enough leads for its shares and averages to say something.
    """

    by: Dimension
    name: str
    claimed: int
    assigned: int
    returned: int
    released: int
    converted: int
    conversion: float | None
    mean_take_seconds: float | None
    mean_contact_seconds: float | None
    taken: int
    compared: bool
    load: Load


class ReportOfTeam(TypedDict):
    """One team's week; rows are compared from `need` leads on."""

    team: str
    name: str
    period: PeriodShown
    final: bool
    need: int
    rows: list[ReportRow]


class AssignmentReport(TypedDict):
    """What became of a week's leads."""

    as_of: datetime
    teams: list[ReportOfTeam]


class Share(TypedDict):
    """The share of all leads that was blind, and that was wanted, in percent."""

    percent: float | None
    wanted: int


class BlindReport(TypedDict):
    """The mix of the blind leads."""

    as_of: datetime
    weeks: Sequence[str]
    share: Share
    mix: list[Part]


class MetricShown(TypedDict):
    """A metric; `shipped`: the playbook did not change it."""

    name: str
    means: str
    formula: str
    unit: str
    better: Better
    minimum: int
    shipped: bool


class Metrics(TypedDict):
    """Every metric there is."""

    metrics: list[MetricShown]


class InForce(TypedDict):
    """The place under the formula in force."""

    place: int | None
    value: Number | None


class TriedRow(TypedDict):
    """What a rep would have had."""

    place: int | None
    id: str | None
    name: str | None
    value: Number | None
    have: NotRequired[Number]
    need: NotRequired[int]
    in_force: NotRequired[InForce]


class MetricPreview(TypedDict):
    """What each rep would have had under a formula."""

    formula: str
    unit: str
    period: str
    in_force: NotRequired[str]
    rows: list[TriedRow]


class LinkAsked(TypedDict):
    """A link is on its way, if a rep has the number."""

    sent: str


class SessionShown(TypedDict):
    """Where somebody is signed in; `this_one` is the session that asks."""

    session_id: str
    began_at: datetime | None
    ends_at: datetime | None
    this_one: bool


class Sessions(TypedDict):
    """The caller's sessions, the latest first."""

    sessions: list[SessionShown]


class SessionEnded(TypedDict):
    """A session that has ended."""

    session_id: str
    ended: bool
