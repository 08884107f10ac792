"""What scoring needs from the outside, and nothing more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dibs.game.scoring.points import Account, Transfer
    from dibs.game.scoring.tally import Award, Place, Tally
    from dibs.ledger.entries import Entry


@dataclass(frozen=True)
class Total:
    """What one rep came to in a period, for one team: whole numbers by the name of what was
    counted (`dibs.game.scoring.tally`). A rep who changed teams has one for each."""

    rep_id: str
    team: str
    name: str
    counts: Mapping[str, int]


class Standings(Protocol):
    """What the ledger comes to, by rep and period; everything in it can be made anew.

    A board is worked out from the last one, as far as its totals are the very same objects (`is`).
    So a store returns the same list while nothing has changed in it, and in a new list the same
    total of each rep of whom nothing has. What it has returned is never changed afterwards. A store
    that always returns new objects is right as well: boards are only slower.
    """

    def totals(self, period: str) -> list[Total]:
        """Return every rep's total of a period such as 2026-11-23, 2026-W48, 2026-11, 2026-Q4 or
        `all`, as it was last put together."""
        ...

    def between(self, first: date, last: date) -> list[Total]:
        """Return every rep's total of some days, both ends among them."""
        ...


@dataclass(frozen=True)
class Unit:
    """Entries that are tallied together, by id, and what of them stands in the totals.

    `version` counts its changes; 0 is one that is not stored yet.
    """

    name: str
    entries: Mapping[str, Entry] = field(default_factory=dict)
    made: Tally | None = None
    version: int = 0


@dataclass(frozen=True)
class Change:
    """A unit with what was new to it, and the difference that makes to counts."""

    unit: Unit
    counts: Mapping[Place, Mapping[str, int]]


@dataclass(frozen=True)
class Booked:
    """The awards of a unit that stand in points accounts, by id; `version` counts its changes."""

    unit: str
    awards: Mapping[str, Award] = field(default_factory=dict)
    version: int = 0


class AwardBook(Protocol):
    """Which awards stand in points accounts, unit by unit (G9)."""

    def booked(self, units: Collection[str]) -> dict[str, Booked]:
        """Return what is booked of those units of which anything ever was, as it is now."""
        ...

    def settle(self, entries: Sequence[tuple[Booked, Sequence[Transfer]]]) -> list[str]:
        """Book awards as they are to be, with the transfers that make them so; return the units
        that have changed meanwhile, or were held just then, for which nothing was done."""
        ...


@dataclass(frozen=True)
class Sum:
    """One rep's counts in a period by team, as they are now; `protected` ones apart (F9).

    `version` counts its changes, `badges` are those noted for it.
    """

    rep_id: str
    period: str
    counts: Mapping[str, Mapping[str, int]]
    protected: Mapping[str, Mapping[str, int]]
    badges: frozenset[str] = frozenset()
    version: int = 0

    @property
    def whole(self) -> dict[str, int]:
        """Return the rep's own counts, whatever the team, protected or not."""
        found = dict[str, int]()
        for counts in (*self.counts.values(), *self.protected.values()):
            for name, number in counts.items():
                found[name] = found.get(name, 0) + number
        return found


class StandingsStore(Standings, Protocol):
    """Standings as they are kept. A `generation` is one making of them from the ledger: one is
    live, and another may be being built beside it."""

    def generations(self) -> tuple[str, ...]:
        """Return the generations to be kept up to date, the live one first."""
        ...

    def units(self, generation: str, names: Collection[str]) -> dict[str, Unit]: ...

    def apply(self, generation: str, changes: Sequence[Change]) -> list[str]:
        """Store changes, each unit whole or not at all; return the units that have changed
        meanwhile, or were held just then, for which nothing was done."""
        ...

    def sums(self, generation: str, keys: Collection[tuple[str, str]]) -> list[Sum]:
        """Return the sums of reps in periods, as they are now."""
        ...

    def publish(
        self,
        generation: str,
        keys: Collection[tuple[str, str]],
        names: Mapping[str, str],
        targets: Mapping[tuple[str, str], int],
    ) -> list[Sum]:
        """Put what reps came to in periods where boards read it; return these sums.

        `names` are by rep, `targets` by rep and period.
        """
        ...

    def award_badges(self, generation: str, sums: Sum, held: frozenset[str], at: datetime) -> bool:
        """Note which badges a rep holds for a period; False when the sum has changed meanwhile."""
        ...


class StandingsBuild(Protocol):
    """Standings as an operator's command makes them anew, in a generation of their own."""

    def begin(self) -> str:
        """Begin another generation beside the live one; from now on both are kept up to date."""
        ...

    def pack(self, entry: Entry) -> bytes:
        """Return what a tally needs of an entry, as small as can be."""
        ...

    def unpack(self, small: bytes) -> Entry: ...

    def fill(self, generation: str, units: Sequence[Unit]) -> list[str]:
        """Store units that are not there yet; return those that are, and were left alone."""
        ...

    def add(
        self,
        generation: str,
        counts: Mapping[tuple[str, str], Mapping[tuple[str, bool], Mapping[str, int]]],
    ) -> None:
        """Add counts to totals: by rep and period, then by team and whether protected."""
        ...

    def every_sum(self, generation: str) -> Iterable[Sum]: ...

    def totals_in(self, generation: str, period: str) -> list[Total]: ...

    def swap(self, generation: str) -> None:
        """Let boards show a generation that is complete."""
        ...


class PointsLedger(Protocol):
    """Points accounts and every transfer between them (G9). Transfers are added, never changed."""

    def account(self, rep_id: str) -> Account: ...

    def book(self, transfers: Sequence[Transfer], *, covered: bool = False) -> bool:
        """Book transfers, all or none; False when one of them was booked before, or, with
        `covered`, a balance would fall below nought.

        Raises:
            Busy: the store is busy for longer than we may wait; nothing was booked.
        """
        ...

    def history(self, rep_id: str, limit: int, start: str = "") -> tuple[list[Transfer], str]:
        """Return a page of a rep's transfers, the newest first, and where the next one starts."""
        ...

    def since(self, rep_id: str, start: datetime) -> Iterable[Transfer]: ...

    def accounts(self) -> Iterable[Account]: ...

    def transfers(self) -> Iterable[Transfer]: ...
