"""Contests, standings and targets, kept in memory; tests/adapters/game/test_contests.py holds the
contests against the real ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from dibs.game.contests.ports import PlannedContest, SignedResult
from dibs.game.contests.rules import ContestStanding, FrozenContest
from dibs.game.scoring.ports import Total


class FakeContests:
    """Implements `Contests`."""

    def __init__(self) -> None:
        self.planned: dict[str, PlannedContest] = {}
        self.starts: dict[str, tuple[FrozenContest, str]] = {}
        self.standings: dict[str, tuple[ContestStanding, datetime]] = {}
        self.results: dict[str, SignedResult] = {}

    def all(self) -> list[PlannedContest]:
        return [self.planned[contest_id] for contest_id in sorted(self.planned)]

    def get(self, contest_id: str) -> PlannedContest | None:
        return self.planned.get(contest_id)

    def plan(self, planned: PlannedContest) -> bool:
        known = self.planned.get(planned.contest.contest_id)
        if known is not None and known.state != "upcoming":
            return False
        self.planned[planned.contest.contest_id] = planned
        return True

    def cancel(self, contest_id: str) -> bool:
        known = self.planned.get(contest_id)
        if known is None or known.state not in ("upcoming", "live"):
            return False
        self.planned[contest_id] = replace(known, state="cancelled")
        return True

    def open(self, planned: PlannedContest, frozen: FrozenContest, seed: str) -> bool:
        contest_id = planned.contest.contest_id
        if self.planned[contest_id].state != "upcoming":
            return False
        self.planned[contest_id] = replace(planned, state="live", times=frozen.times)
        self.starts[contest_id] = frozen, seed
        return True

    def frozen(self, contest_id: str) -> tuple[FrozenContest, str] | None:
        return self.starts.get(contest_id)

    def refresh(self, contest_id: str, standing: ContestStanding, at: datetime) -> None:
        _, before = self.standings.get(contest_id, (None, at))
        if before <= at:
            self.standings[contest_id] = standing, at

    def standing(self, contest_id: str) -> tuple[ContestStanding, datetime] | None:
        return self.standings.get(contest_id)

    def close(self, signed: SignedResult) -> bool:
        contest_id = signed.result.contest.contest_id
        if self.planned[contest_id].state != "live":
            return False
        self.results[contest_id] = signed
        self.planned[contest_id] = replace(self.planned[contest_id], state="final", owed=True)
        return True

    def result(self, contest_id: str) -> SignedResult | None:
        return self.results.get(contest_id)

    def paid(self, contest_id: str) -> None:
        self.planned[contest_id] = replace(self.planned[contest_id], owed=False)


class FakeStandings:
    """Implements `Standings`: each rep's totals, day by day."""

    def __init__(self) -> None:
        self._days: list[tuple[date, str, str, Mapping[str, int]]] = []

    def add(self, day: date, rep_id: str, team: str = "north", **counts: int) -> None:
        self._days.append((day, rep_id, team, counts))

    def totals(self, period: str) -> list[Total]:
        raise NotImplementedError

    def between(self, first: date, last: date) -> list[Total]:
        found: dict[tuple[str, str], dict[str, int]] = {}
        for day, rep_id, team, counts in self._days:
            if first <= day <= last:
                total = found.setdefault((rep_id, team), {})
                for name, number in counts.items():
                    key = name.replace("__", ".")
                    total[key] = total.get(key, 0) + number
        return [Total(rep_id, team, rep_id, made) for (rep_id, team), made in found.items()]


class FakeTargets:
    """Implements `Targets`."""

    def __init__(self) -> None:
        self._known: dict[date, dict[str, int]] = {}

    def of(self, month: date, rep_ids: Sequence[str]) -> dict[str, int]:
        known = self._known.get(month, {})
        return {rep_id: known[rep_id] for rep_id in rep_ids if rep_id in known}

    def put(self, month: date, targets: Mapping[str, int]) -> None:
        self._known.setdefault(month, {}).update(targets)
