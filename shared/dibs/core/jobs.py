"""What one run of a scheduled job did."""

from __future__ import annotations

from dibs.core.values import dataclass


@dataclass(frozen=True)
class JobResult:
    """The counts of one run: `periods` of teams, `reps` calculated, and values `changed`."""

    periods: int = 0
    reps: int = 0
    changed: int = 0

    def __add__(self, other: JobResult) -> JobResult:
        return JobResult(
            self.periods + other.periods, self.reps + other.reps, self.changed + other.changed
        )
