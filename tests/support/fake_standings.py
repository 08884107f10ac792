"""Standings, kept in memory; `tests/adapters/game` holds them against the tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from dibs.core.periods import periods
from dibs.game.scoring.pages import Total
from dibs.game.scoring.points import ISSUED, Transfer
from dibs.game.scoring.ports import Aggregate, Change, PostedAwards, Sum
from dibs.game.scoring.ranking import team_of_target


class Died(Exception):
    """Raised to stop a run in the middle."""


class FakeStandings:
    """Implements `StandingsStore` and `AwardBook`.

    The process dies after `writes_left` writes.
    """

    def __init__(self) -> None:
        self.stored: dict[tuple[str, str], Aggregate] = {}
        self.kept: dict[tuple[str, str, str], Sum] = {}
        self.shown: dict[tuple[str, str, str], list[Total]] = {}
        self.transfers: dict[str, Transfer] = {}
        self.awards: dict[str, PostedAwards] = {}
        self.badges: set[tuple[str, str, str]] = set()
        self.building: tuple[str, ...] = ()
        self.writes_left: int | None = None

    def generations(self) -> tuple[str, ...]:
        return ("1", *self.building)

    def units(self, generation: str, names: Collection[str]) -> dict[str, Aggregate]:
        return {n: self.stored[generation, n] for n in names if (generation, n) in self.stored}

    def apply(self, generation: str, changes: Sequence[Change]) -> list[str]:
        refused = []
        for change in changes:
            self._may_die()
            name = change.unit.name
            known = self.stored.get((generation, name), Aggregate(name))
            if known.version != change.unit.version - 1:
                refused.append(name)
                continue
            self.stored[generation, name] = change.unit
            for place, counts in change.counts.items():
                for period in periods(place.day):
                    self._add(generation, place.rep_id, period, place.team, place.protected, counts)
        return refused

    def _add(
        self,
        generation: str,
        rep_id: str,
        period: str,
        team: str,
        protected: bool,
        counts: Mapping[str, int],
    ) -> None:
        key = (generation, rep_id, period)
        known = self.kept.get(key, Sum(rep_id, period, {}, {}))
        name = "protected" if protected else "counts"
        of_teams = {t: dict(of) for t, of in getattr(known, name).items()}
        mine = of_teams.setdefault(team, {})
        for count, number in counts.items():
            mine[count] = mine.get(count, 0) + number
        of_teams = {t: {c: n for c, n in of.items() if n} for t, of in of_teams.items()}
        of_teams = {t: of for t, of in of_teams.items() if of}
        self.kept[key] = replace(known, **{name: of_teams}, version=known.version + 1)

    def sums(self, generation: str, keys: Collection[tuple[str, str]]) -> list[Sum]:
        found = (self.kept.get((generation, *key)) for key in sorted(keys))
        return [one for one in found if one is not None]

    def publish(
        self,
        generation: str,
        keys: Collection[tuple[str, str]],
        names: Mapping[str, str],
        targets: Mapping[tuple[str, str], int],
    ) -> list[Sum]:
        found = self.sums(generation, keys)
        for one in found:
            self._may_die()
            target = targets.get((one.rep_id, one.period), 0)
            name, home = names.get(one.rep_id, ""), team_of_target(one.counts) if target else ""
            self.shown[generation, one.period, one.rep_id] = [
                Total(
                    one.rep_id,
                    team,
                    name,
                    {**counts, **({"target.sum": target} if team == home else {})},
                )
                for team, counts in one.counts.items()
            ]
        return found

    def award_badges(self, generation: str, sums: Sum, held: frozenset[str], at: datetime) -> bool:
        self._may_die()
        key = (generation, sums.rep_id, sums.period)
        if self.kept[key].version != sums.version:
            return False
        self.kept[key] = replace(self.kept[key], badges=held)
        self.badges -= {(sums.rep_id, badge, sums.period) for badge in sums.badges - held}
        self.badges |= {(sums.rep_id, badge, sums.period) for badge in held}
        return True

    def posted_awards(self, units: Collection[str]) -> dict[str, PostedAwards]:
        return {name: self.awards[name] for name in units if name in self.awards}

    def settle(self, entries: Sequence[tuple[PostedAwards, Sequence[Transfer]]]) -> list[str]:
        refused = []
        for posted, transfers in entries:
            self._may_die()
            if self.awards.get(posted.unit, PostedAwards("")).version != posted.version - 1:
                refused.append(posted.unit)
                continue
            self.awards[posted.unit] = posted
            for transfer in transfers:
                assert transfer.transfer_id not in self.transfers
                self.transfers[transfer.transfer_id] = transfer
        return refused

    def totals(self, period: str) -> list[Total]:
        return [
            total
            for (generation, name, _), totals in sorted(self.shown.items())
            if generation == "1" and name == period
            for total in totals
        ]

    def between(self, first: date, last: date) -> list[Total]:
        raise NotImplementedError

    def balances(self) -> dict[str, int]:
        """Return every account's balance, including the system account's."""
        found: dict[str, int] = defaultdict(int)
        for one in self.transfers.values():
            found[one.from_account] -= one.points
            found[one.to_account] += one.points
        assert ISSUED in found or not found
        return dict(found)

    def _may_die(self) -> None:
        if self.writes_left is not None:
            if self.writes_left == 0:
                raise Died
            self.writes_left -= 1
