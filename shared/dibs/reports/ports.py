"""What the jobs of a period need from the outside, and nothing more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from fractions import Fraction

    from dibs.reports.assignment_rows import Row
    from dibs.reports.tiers import Inputs, Outlook


@dataclass(frozen=True)
class Attained:
    """What a rep made of a month's target (M4), and the leads a week that follow from it."""

    achieved: int
    target: int | None
    attainment: Fraction | None
    allowance: int
    playbook_version: int


class Targets(Protocol):
    """What the organisation wants of each rep in a month, in the playbook's measure (M4)."""

    def of(self, month: date, rep_ids: Sequence[str]) -> dict[str, int]: ...

    def put(self, month: date, targets: Mapping[str, int]) -> None: ...


class Results(Protocol):
    """What was worked out for a period. The first record of anything counts."""

    def begin(self, job: str, period: str, version: int, now: datetime) -> int | None:
        """Return the playbook version a job was first begun under for a period.

        None when that period, or a later one, is done or has been begun instead.
        """
        ...

    def end(self, job: str, period: str, now: datetime) -> None: ...

    def inputs(self, week: str, rep_ids: Sequence[str]) -> dict[str, Inputs]: ...

    def record_inputs(self, week: str, found: Sequence[Inputs]) -> None: ...

    def record_outlooks(self, week: str, version: int, outlooks: Sequence[Outlook]) -> None: ...

    def record_attained(self, rep_id: str, month: str, result: Attained) -> bool:
        """Store the month's result and the allowance that follows, once; False when there is one.

        An allowance of a later month stays.
        """
        ...

    def record_report(self, team: str, week: str, rows: Sequence[Row]) -> None: ...

    def report(self, team: str, week: str) -> list[Row] | None: ...
