"""Report a step of a quest, confirm a colleague's step, and see a rep's progress (G8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dibs.core.calendar import day_start
from dibs.core.errors import (
    Busy,
    Ended,
    FieldError,
    Forbidden,
    InvalidInput,
    RouteNotFound,
)
from dibs.core.rep import Rep
from dibs.game.quests.ports import QuestLog
from dibs.game.quests.rules import (
    MANAGERS,
    ReportedStep,
    done,
    step_entry_id,
)
from dibs.ledger.activities import AHEAD
from dibs.ledger.entries import Entry, new_entry
from dibs.ledger.ports import Ledger
from dibs.ledger.quest_steps import STEP_VERIFIED, last_day, quest_unit, unit_of_quest
from dibs.ledger.record import is_protected
from dibs.roster.ports import Roster
from dibs.rules.game import Quest, QuestStep

# Where a rep's first day is unknown, entries count from here on.
_FIRST = date(2020, 1, 1)


NO_REP = "there is no such rep"


@dataclass(frozen=True)
class QuestDeps:
    """The stores and the clock that quests need."""

    log: QuestLog
    roster: Roster
    ledger: Ledger
    clock: Callable[[], datetime]


@dataclass(frozen=True)
class QuestProgress:
    """A rep's progress in a quest: by step, the entry that shows it is done, or their report of it.

    `until` is the quest's last day, None where it is always open.
    """

    quest_id: str
    quest: Quest
    done: Mapping[str, Entry]
    told: Mapping[str, ReportedStep]
    until: date | None
    is_open: bool

    @property
    def next_step(self) -> str | None:
        """The first step that is neither done nor waits to be confirmed."""
        begun = {*self.done, *self.told}
        return next((step for step in self.quest.steps if step not in begun), None)

    @property
    def finished_at(self) -> datetime | None:
        """When the last step was done; None while a step is missing."""
        if len(self.done) < len(self.quest.steps):
            return None
        return max(entry.at for entry in self.done.values())


def standings(deps: QuestDeps, rep: Rep) -> list[QuestProgress]:
    """Return the rep's progress in each quest, in the playbook's order."""
    quests = deps.roster.playbook().game.quests
    if not quests:
        return []
    reported = deps.log.reported_by(rep.rep_id)
    entries = _entries(deps, rep, quests)
    result = []
    for quest_id, quest in quests.items():
        of_quest = entries.get(unit_of_quest(quest_id, rep.rep_id), [])
        until = last_day(quest, rep.joined_on)
        result.append(
            QuestProgress(
                quest_id=quest_id,
                quest=quest,
                done=done(of_quest, quest),
                told={report.step: report for report in reported if report.quest == quest_id},
                until=until,
                is_open=until is None or rep.today(deps.clock()) <= until,
            )
        )
    return result


def _entries(deps: QuestDeps, rep: Rep, quests: Mapping[str, Quest]) -> dict[str, list[Entry]]:
    """Return the rep's entries of these quests, by their aggregate.

    Confirmations are read by id and are up to date; activities are read by when they were done.
    """
    ids = [step_entry_id(q, step, rep.rep_id) for q in quests for step in quests[q].steps]
    activities = deps.ledger.of_rep(rep.rep_id, *_open_between(rep, quests, deps.clock()))
    entries = {entry.entry_id: entry for entry in activities} | deps.ledger.find(ids)
    by_unit: dict[str, list[Entry]] = {}
    for entry in entries.values():
        unit = quest_unit(entry.kind, entry.cause, rep.rep_id) or entry.unit
        by_unit.setdefault(unit, []).append(entry)
    return by_unit


def _open_between(
    rep: Rep, quests: Mapping[str, Quest], now: datetime
) -> tuple[datetime, datetime]:
    """Return the start and end of the time in which a rep's activities may be quest steps."""
    last_days = [last_day(quest, rep.joined_on) for quest in quests.values()]
    limited = [day for day in last_days if day is not None]
    end = now + AHEAD
    if len(limited) == len(last_days):
        end = min(end, day_start(max(limited) + timedelta(days=1), rep.zone))
    return day_start(rep.joined_on or _FIRST, rep.zone), end


def file(deps: QuestDeps, entry: Entry) -> None:
    """Put a step that an activity reports on the list of those who confirm it, once.

    May be called with any entry, and repeatedly; other entries are ignored.
    """
    quest_id, _, step_id = entry.cause.partition("/")
    quest = deps.roster.playbook().game.quests.get(quest_id)
    step = quest.steps.get(step_id) if quest is not None else None
    if step is not None and entry.kind == step.type and step.verified_by in ("manager", "peer"):
        deps.log.tell(ReportedStep(entry.rep_id, quest_id, step_id, entry.at), None)


def tell(
    deps: QuestDeps, rep: Rep, quest_id: str, step_id: str, peer: object
) -> tuple[ReportedStep, bool]:
    """Report a step of the rep's own quest; return the report, and whether the step is done.

    A step that needs no confirmation is done at once. Reporting twice counts once; another `peer`
    replaces the one named before.

    Raises:
        RouteNotFound: there is no such step.
        Forbidden: a system reports this step.
        InvalidInput: the peer is missing, or cannot confirm.
        Ended: the quest is over.
    """
    quest, step = _step(deps, quest_id, step_id)
    if step.verified_by == "system":
        raise Forbidden("A system tells of this step; there is nothing to do here.")
    named = _peer(deps, rep, step, peer)
    now = deps.clock()
    told = ReportedStep(rep.rep_id, quest_id, step_id, now, named)
    entry_id = step_entry_id(quest_id, step_id, rep.rep_id)
    if deps.ledger.find([entry_id]):
        return told, True
    was = _told(deps, rep, quest_id, step_id)
    if was is not None and was.peer == named:
        return was, False
    until = last_day(quest, rep.joined_on)
    if until is not None and rep.today(now) > until:
        raise Ended(f"This quest was open until {until}.")
    if step.verified_by == "self":
        deps.ledger.put([_verified(deps, rep, told, rep.rep_id)])
        return told, True
    if not deps.log.tell(told, was):
        raise Busy
    return told, False


def confirm(deps: QuestDeps, by: Rep | None, quest_id: str, step_id: str, rep_id: object) -> Rep:
    """Confirm a reported step, as the peer the rep named or, with `by` None, as a manager.

    The entry is written first, so a confirmation that was cut short is completed by asking again.

    Raises:
        RouteNotFound: there is no such step.
        Forbidden: this person may not confirm it.
        InvalidInput: there is no such rep, or they have not reported this step.
    """
    _, step = _step(deps, quest_id, step_id)
    rep = deps.roster.get(rep_id) if isinstance(rep_id, str) else None
    told = _told(deps, rep, quest_id, step_id) if rep is not None else None
    named = told is not None and by is not None and told.peer == by.rep_id
    if by is not None and not (named and step.verified_by == "peer"):
        raise Forbidden("Only who was named may confirm this step, or a manager.")
    if step.verified_by not in ("manager", "peer"):
        raise Forbidden("Nobody has to confirm this step.")
    if rep is None or told is None:
        problem = "has not told of this step" if rep else NO_REP
        raise InvalidInput((FieldError("rep_id", problem),))
    deps.ledger.put([_verified(deps, rep, told, MANAGERS if by is None else by.rep_id)])
    deps.log.settle(told)
    return rep


def pending(deps: QuestDeps, who: Rep | None) -> list[tuple[ReportedStep, Rep]]:
    """Return the steps a rep, or with None a manager, may confirm, with whose they are.

    The oldest come first.
    """
    quests = deps.roster.playbook().game.quests
    waiting = deps.log.waiting_for(MANAGERS if who is None else who.rep_id)
    current = [r for r in waiting if r.quest in quests and r.step in quests[r.quest].steps]
    by_entry = {step_entry_id(r.quest, r.step, r.rep_id): r for r in current}
    confirmed = deps.ledger.find(list(by_entry))
    left = [report for entry_id, report in by_entry.items() if entry_id not in confirmed]
    reps = deps.roster.get_many(sorted({report.rep_id for report in left}))
    pairs = [(report, reps[report.rep_id]) for report in left if report.rep_id in reps]
    return sorted(
        [(report, rep) for report, rep in pairs if rep.active],
        key=lambda pair: (pair[0].at, pair[0].rep_id, pair[0].step),
    )


def _step(deps: QuestDeps, quest_id: str, step_id: str) -> tuple[Quest, QuestStep]:
    quest = deps.roster.playbook().game.quests.get(quest_id)
    step = quest.steps.get(step_id) if quest is not None else None
    if quest is None or step is None:
        raise RouteNotFound("There is no such step. Look at GET /me/quests.")
    return quest, step


def _told(deps: QuestDeps, rep: Rep, quest_id: str, step_id: str) -> ReportedStep | None:
    reports = deps.log.reported_by(rep.rep_id)
    return next((r for r in reports if (r.quest, r.step) == (quest_id, step_id)), None)


def _peer(deps: QuestDeps, rep: Rep, step: QuestStep, peer_id: object) -> str:
    if step.verified_by != "peer":
        return ""
    peer = deps.roster.get(peer_id) if isinstance(peer_id, str) else None
    if peer is None or not peer.active or peer.rep_id == rep.rep_id:
        raise InvalidInput((FieldError("peer", "name the colleague who can confirm it, by id"),))
    return peer.rep_id


def _verified(deps: QuestDeps, rep: Rep, told: ReportedStep, by: str) -> Entry:
    playbook, now = deps.roster.playbook(), deps.clock()
    return new_entry(
        step_entry_id(told.quest, told.step, rep.rep_id),
        STEP_VERIFIED,
        rep.rep_id,
        rep.team,
        now,
        playbook,
        cause=f"{told.quest}/{told.step}",
        other=by,
        unit=unit_of_quest(told.quest, rep.rep_id),
        protected=is_protected(rep, now, playbook),
    )
