"""What one run of a scheduled job did."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Ran:
    """The counts of one run: `periods` of teams, `reps` calculated, and values `changed`."""

    periods: int = 0
    reps: int = 0
    changed: int = 0

    def __add__(self, other: Ran) -> Ran:
        return Ran(
            self.periods + other.periods, self.reps + other.reps, self.changed + other.changed
        )
