"""The stores that the weekly and monthly jobs need."""

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
class QuotaResult:
    """A rep's attainment of a month's target, and the weekly allowance that follows (M4)."""

    achieved: int
    target: int | None
    attainment: Fraction | None
    allowance: int
    playbook_version: int


class Targets(Protocol):
    """Each rep's target for a month, in the playbook's measure (M4)."""

    def of(self, month: date, rep_ids: Sequence[str]) -> dict[str, int]: ...

    def put(self, month: date, targets: Mapping[str, int]) -> None: ...


class PeriodResults(Protocol):
    """The results of a period. Each is written once; the first one counts."""

    def begin(self, job: str, period: str, version: int, now: datetime) -> int | None:
        """Return the playbook version under which a job first began for a period.

        None when the period is done, or a later one is done or has begun.
        """
        ...

    def end(self, job: str, period: str, now: datetime) -> None: ...

    def inputs(self, week: str, rep_ids: Sequence[str]) -> dict[str, Inputs]: ...

    def record_inputs(self, week: str, found: Sequence[Inputs]) -> None: ...

    def record_outlooks(self, week: str, version: int, outlooks: Sequence[Outlook]) -> None: ...

    def record_attained(self, rep_id: str, month: str, result: QuotaResult) -> bool:
        """Store the month's result and its allowance, once; False when there is a result already.

        A later month's allowance is kept.
        """
        ...

    def record_report(self, team: str, week: str, rows: Sequence[Row]) -> None: ...

    def report(self, team: str, week: str) -> list[Row] | None: ...
