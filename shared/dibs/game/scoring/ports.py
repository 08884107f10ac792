"""The stores that scoring needs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dibs.core.rep import Pause
    from dibs.game.scoring.pages import Page, Total
    from dibs.game.scoring.points import Account, Transfer
    from dibs.game.scoring.tally import Award, Place, Tally
    from dibs.ledger.entries import Entry
    from dibs.reports.ports import QuotaResult
    from dibs.reports.tiers import Outlook


class Standings(Protocol):
    """Totals of the ledger, by rep and period; all of them can be rebuilt from it.

    A board is computed from the last one, as far as its pages are the same objects (`is`). So a
    store returns the same object for each page that has not changed. Returned objects are never
    changed. A store that always returns new objects is correct too; boards are only slower.
    """

    def totals(self, period: str) -> list[Total]:
        """Return every rep's last published total of a period such as 2026-11-23, 2026-W48,
        2026-11, 2026-Q4 or `all`."""
        ...

    def pages(self, period: str) -> Sequence[Page]:
        """Return the same page by page; all totals of a rep are on one."""
        ...

    def between(self, first: date, last: date) -> list[Total]:
        """Return every rep's total of the days from `first` to `last`, both included."""
        ...


@dataclass(frozen=True)
class Aggregate:
    """An aggregate: entries that are tallied together, by id, and their tally in the totals.

    `version` counts its changes; 0 is not stored yet.
    """

    name: str
    entries: Mapping[str, Entry] = field(default_factory=dict)
    tally: Tally | None = None
    version: int = 0


@dataclass(frozen=True)
class Change:
    """An aggregate with new entries, and the difference they make to counts."""

    unit: Aggregate
    counts: Mapping[Place, Mapping[str, int]]


@dataclass(frozen=True)
class PostedAwards:
    """An aggregate's awards posted to points accounts, by id; `version` counts its changes."""

    unit: str
    awards: Mapping[str, Award] = field(default_factory=dict)
    version: int = 0


class AwardBook(Protocol):
    """The awards posted to points accounts, by aggregate (G9)."""

    def posted_awards(self, units: Collection[str]) -> dict[str, PostedAwards]:
        """Return the posted awards, read consistently, of those aggregates that ever had any."""
        ...

    def settle(self, entries: Sequence[tuple[PostedAwards, Sequence[Transfer]]]) -> list[str]:
        """Store the posted awards with the transfers that post them. Return the aggregates that
        changed meanwhile, or were locked just then: nothing was done for these."""
        ...


@dataclass(frozen=True)
class Sum:
    """One rep's counts in a period by team, read consistently; `protected` ones separately (F9).

    `version` counts its changes, `badges` are those awarded for it. `newest` and `newest_version`
    are the rep's newest day, which is counted by itself, as it then was.
    """

    rep_id: str
    period: str
    counts: Mapping[str, Mapping[str, int]]
    protected: Mapping[str, Mapping[str, int]]
    badges: frozenset[str] = frozenset()
    version: int = 0
    newest: str = ""
    newest_version: int = 0

    @property
    def whole(self) -> dict[str, int]:
        """Return the rep's counts over all teams, protected or not."""
        total = dict[str, int]()
        for counts in (*self.counts.values(), *self.protected.values()):
            for name, number in counts.items():
                total[name] = total.get(name, 0) + number
        return total


class StandingsStore(Standings, Protocol):
    """The stored standings. A `generation` is one build of them from the ledger: one is live, and a
    new one may be in progress beside it."""

    def generations(self) -> tuple[str, ...]:
        """Return the builds to keep up to date, the live one first."""
        ...

    def units(self, generation: str, names: Collection[str]) -> dict[str, Aggregate]: ...

    def apply(self, generation: str, changes: Sequence[Change]) -> list[str]:
        """Store changes, each aggregate in one transaction. Return the aggregates that changed
        meanwhile, or were locked just then: nothing was done for these."""
        ...

    def sums(self, generation: str, keys: Collection[tuple[str, str]]) -> list[Sum]:
        """Return the sums of reps in periods, read consistently."""
        ...

    def publish(
        self,
        generation: str,
        keys: Collection[tuple[str, str]],
        names: Mapping[str, str],
        targets: Mapping[tuple[str, str], int],
    ) -> list[Sum]:
        """Publish the sums of reps in periods to the boards; return these sums.

        `names` are by rep, `targets` by rep and period.
        """
        ...

    def award_badges(self, generation: str, sums: Sum, held: frozenset[str], at: datetime) -> bool:
        """Store the badges a rep holds for a period; False when the sum has changed meanwhile."""
        ...


class OwnStandings(Protocol):
    """What a rep may read of their own score."""

    def badges(self, rep_id: str) -> list[tuple[str, str, datetime]]: ...


@dataclass(frozen=True)
class OwnCard:
    """What was worked out of a rep: places by week, a month's target, sums by period, points.

    `number` is that of the playbook in force, `paused` are the teams that are paused, both at that
    moment.
    """

    outlooks: Mapping[str, Outlook]
    attained: QuotaResult | None
    sums: Mapping[str, Sum]
    account: Account
    number: int | None
    paused: Mapping[str, Pause]


class OwnCards(Protocol):
    """What a rep may read of themselves, in one read."""

    def of(
        self, rep_id: str, weeks: Collection[str], month: str, periods: Collection[str]
    ) -> OwnCard: ...


class StandingsBuild(Protocol):
    """The store of a rebuild of standings, started by an operator's command."""

    def begin(self) -> str:
        """Begin a new build beside the live one; from now on both are kept up to date."""
        ...

    def pack(self, entry: Entry) -> bytes:
        """Return the fields of an entry that a tally needs, as few bytes as possible."""
        ...

    def unpack(self, small: bytes) -> Entry: ...

    def fill(self, generation: str, units: Sequence[Aggregate]) -> list[str]:
        """Store new aggregates; return those that exist already and were left alone."""
        ...

    def add(
        self,
        generation: str,
        counts: Mapping[tuple[str, str], Mapping[tuple[str, bool], Mapping[str, int]]],
    ) -> None:
        """Add counts to totals: by rep and period, then by team and whether protected."""
        ...

    def publish_first(
        self,
        generation: str,
        sums: Sequence[Sum],
        names: Mapping[str, str],
        targets: Mapping[tuple[str, str], int],
    ) -> set[tuple[str, str]]:
        """Publish sums where nothing is published yet; return the reps and periods of these."""
        ...

    def every_sum(self, generation: str) -> Iterable[Sum]: ...

    def totals_in(self, generation: str, period: str) -> list[Total]: ...

    def swap(self, generation: str) -> None:
        """Let boards show a completed build."""
        ...


class PointsLedger(Protocol):
    """Points accounts and the transfers between them; transfers are added, never changed (G9)."""

    def account(self, rep_id: str) -> Account: ...

    def book(self, transfers: Sequence[Transfer], *, covered: bool = False) -> bool:
        """Post transfers, all or none. False when one of them is posted already or, with
        `covered`, a balance would become negative.

        Raises:
            Busy: the store is busy for longer than we may wait; nothing was posted.
        """
        ...

    def history(self, rep_id: str, limit: int, start: str = "") -> tuple[list[Transfer], str]:
        """Return a page of a rep's transfers, the newest first, and where the next one starts."""
        ...

    def since(self, rep_id: str, start: datetime) -> Iterable[Transfer]: ...

    def accounts(self) -> Iterable[Account]: ...

    def transfers(self) -> Iterable[Transfer]: ...
