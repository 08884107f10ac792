"""Help and quests, kept in memory; `tests/adapters/game` holds them against the tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from dibs.game.help.rules import MOST_ANSWERS, HelpAnswer, HelpRequest
from dibs.game.quests.rules import MANAGERS, ReportedStep


class FakeHelp:
    """Implements `HelpRequests`."""

    def __init__(self) -> None:
        self.requests: dict[str, HelpRequest] = {}
        self.meanwhile: Callable[[], object] | None = None
        """Runs once, between a read and its write."""

    def find(self, help_id: str) -> HelpRequest | None:
        return self.requests.get(help_id)

    def add(self, request: HelpRequest) -> bool:
        self._happen()
        return self.requests.setdefault(request.help_id, request) is request

    def of_rep(self, rep_id: str, since: datetime) -> list[HelpRequest]:
        return self._latest([x for x in self.requests.values() if x.rep_id == rep_id], since)

    def of_team(self, team: str, since: datetime) -> list[HelpRequest]:
        return self._latest([x for x in self.requests.values() if x.team == team], since)

    def _latest(self, found: list[HelpRequest], since: datetime) -> list[HelpRequest]:
        found = [one for one in found if one.asked_at >= since]
        return sorted(found, key=lambda x: (x.asked_at, x.help_id), reverse=True)[:50]

    def answer(self, help_id: str, answer: HelpAnswer) -> bool:
        self._happen()
        request = self.requests.get(help_id)
        if request is None or request.closed_at is not None:
            return False
        if answer.rep_id in request.answers or len(request.answers) >= MOST_ANSWERS:
            return False
        self._put(replace(request, answers={**request.answers, answer.rep_id: answer}))
        return True

    def confirm(self, help_id: str, rep_id: str, at: datetime) -> None:
        request = self.requests.get(help_id)
        answer = request.answers.get(rep_id) if request else None
        if request is not None and answer is not None and answer.confirmed_at is None:
            confirmed = replace(answer, confirmed_at=at)
            self._put(replace(request, answers={**request.answers, rep_id: confirmed}))

    def close(self, help_id: str, at: datetime) -> None:
        request = self.requests.get(help_id)
        if request is not None and request.closed_at is None:
            self._put(replace(request, closed_at=at))

    def _put(self, request: HelpRequest) -> None:
        self.requests[request.help_id] = request

    def _happen(self) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()


class FakeQuests:
    """Implements `QuestLog`."""

    def __init__(self) -> None:
        self.told: dict[tuple[str, str, str], ReportedStep] = {}
        self.settled: set[ReportedStep] = set()

    def tell(self, told: ReportedStep, was: ReportedStep | None) -> bool:
        key = (told.rep_id, told.quest, told.step)
        known = self.told.get(key)
        if (known and known.at) != (was and was.at):
            return False
        self.told[key] = told
        return True

    def reported_by(self, rep_id: str) -> list[ReportedStep]:
        return [self.told[key] for key in sorted(self.told) if key[0] == rep_id]

    def waiting_for(self, who: str) -> list[ReportedStep]:
        found = [
            x for x in self.told.values() if x not in self.settled and who in (MANAGERS, x.peer)
        ]
        return sorted(found, key=lambda x: (x.quest, x.step, x.rep_id))

    def settle(self, told: ReportedStep) -> None:
        self.settled.add(told)
