"""What managers are answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from dibs.core.errors import FieldError
from dibs.core.lead import State
from dibs.people.leads_shown import LeadRow
from dibs.playbook.changes import Change, TeamPreview

Days = TypedDict("Days", {"from": str, "to": str})


class PlaybookVersion(TypedDict):
    """A version of the playbook; `rules` names those that are on."""

    version: int
    playbook: Mapping[str, Any]
    applied_at: datetime | None
    by: str
    note: str
    rules: Sequence[str]
    warnings: list[FieldError]


class Applied(TypedDict):
    """The version in force now, and what changed."""

    version: int
    diff: list[Change]
    warnings: list[FieldError]


class Proposed(TypedDict):
    """What a playbook would do; nothing was changed."""

    version: int
    diff: list[Change]
    warnings: list[FieldError]
    preview: list[TeamPreview]


class PastVersion(TypedDict):
    """One version of the past."""

    version: int
    preset: str
    applied_at: datetime | None
    by: str
    note: str


class History(TypedDict):
    """The latest hundred versions, the newest first."""

    versions: list[PastVersion]


class Leads(TypedDict):
    """A page of leads; `next` is left out on the last one."""

    leads: list[LeadRow]
    next: NotRequired[str]


class Moved(TypedDict):
    """Where the lead is now."""

    lead_id: str
    state: State
    holder: str | None
    parked: bool
    changed: bool


class Rep(TypedDict):
    """A rep as managers see them; of the phone number only its end."""

    rep_id: str
    name: str
    team: str
    tier: int
    zone: str
    language: str
    phone: str | None
    active: bool
    available: bool
    unavailable: list[str]
    push: bool
    sms: bool
    hours: Mapping[str, list[str]]
    leave: list[Days]
    weight: int
    territories: Sequence[str]
    segments: Sequence[str]
    skills: dict[str, int]
    speaks: Sequence[str]
    interests: Sequence[str]
    pod: str
    joined_on: str | None
    left_on: str | None
    leads_a_week: int | None


class Reps(TypedDict):
    """Everybody."""

    reps: list[Rep]


class Left(TypedDict):
    """A rep who left; `fallback_of` are the teams that need another fallback person."""

    rep_id: str
    active: Literal[False]
    leads_returned: int
    fallback_of: list[str]


class Paused(TypedDict):
    """Whether a manager has paused them, why, and until when; null until a manager ends it."""

    paused: bool
    reason: str | None
    until: datetime | None


class TeamPause(Paused):
    """A team's pause."""

    team: str


class RepPause(Paused):
    """A rep's pause."""

    rep_id: str


class Targets(TypedDict):
    """What is wanted of each rep in a month, in the playbook's measure."""

    month: str
    measure: str
    currency: str
    targets: dict[str, int]


class DisputeAnswer(TypedDict):
    """How a dispute was answered, and by whom."""

    upheld: bool
    text: str
    answered_at: datetime
    answered_by: str


class Disputed(TypedDict):
    """What a rep objected to."""

    lead_id: str
    epoch: int
    rep_id: str
    disputed_at: datetime
    reason: str
    answer: DisputeAnswer | None


class Disputes(TypedDict):
    """What reps disputed in a month."""

    month: str
    disputes: list[Disputed]


class ManagerShown(TypedDict):
    """A manager; without a team they act on all."""

    manager_id: str
    name: str
    team: str | None
    added_at: datetime | None
    added_by: str


class Managers(TypedDict):
    """Who manages."""

    managers: list[ManagerShown]


class ManagerAdded(ManagerShown):
    """A new manager, with their token, which is shown once."""

    token: str


class ManagerRemoved(ManagerShown):
    """Who is no manager any more."""

    removed: bool


class NewToken(TypedDict):
    """A new token, which is shown once; the old one has ended."""

    id: str
    token: str


class Logged(TypedDict):
    """One change: who did what to what, the fields that differ, and whether it was made."""

    at: datetime
    who: str
    who_name: str | None
    what: str
    target: str
    made: Literal["yes", "unknown"]
    before: Mapping[str, Any]
    after: Mapping[str, Any]


class Log(TypedDict):
    """The latest changes, the newest first."""

    since: datetime
    entries: list[Logged]
