"""Tell of a step of a quest, confirm a colleague's, and see where one stands (G8)."""

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
    Told,
    done,
    step_entry_id,
)
from dibs.ledger.activities import AHEAD
from dibs.ledger.entries import Entry, booked
from dibs.ledger.ports import Ledger
from dibs.ledger.quest_steps import STEP_VERIFIED, last_day, quest_unit, unit_of_quest
from dibs.ledger.record import is_protected
from dibs.roster.ports import Roster
from dibs.rules.game import Quest, QuestStep

# Who has no first day on record is looked at from here on.
_FIRST = date(2020, 1, 1)


@dataclass(frozen=True)
class QuestDeps:
    """Everything quests work with."""

    log: QuestLog
    roster: Roster
    ledger: Ledger
    clock: Callable[[], datetime]


@dataclass(frozen=True)
class Standing:
    """Where a rep stands in a quest: by step what shows that it is done, and what they have told.

    `until` is its last day, None where it is always open.
    """

    quest_id: str
    quest: Quest
    done: Mapping[str, Entry]
    told: Mapping[str, Told]
    until: date | None
    is_open: bool

    @property
    def next_step(self) -> str | None:
        """The first step that is neither done nor waits for somebody's word."""
        known = {*self.done, *self.told}
        return next((step for step in self.quest.steps if step not in known), None)

    @property
    def finished_at(self) -> datetime | None:
        """When the last step was done; None while one is missing."""
        if len(self.done) < len(self.quest.steps):
            return None
        return max(entry.at for entry in self.done.values())


def standings(deps: QuestDeps, rep: Rep) -> list[Standing]:
    """Return where the rep stands in each quest of the playbook, in its order."""
    quests = deps.roster.playbook().game.quests
    if not quests:
        return []
    told = deps.log.told_by(rep.rep_id)
    entries = _entries(deps, rep, quests)
    found = []
    for quest_id, quest in quests.items():
        of_quest = entries.get(unit_of_quest(quest_id, rep.rep_id), [])
        until = last_day(quest, rep.joined_on)
        found.append(
            Standing(
                quest_id=quest_id,
                quest=quest,
                done=done(of_quest, quest),
                told={one.step: one for one in told if one.quest == quest_id},
                until=until,
                is_open=until is None or rep.today(deps.clock()) <= until,
            )
        )
    return found


def _entries(deps: QuestDeps, rep: Rep, quests: Mapping[str, Quest]) -> dict[str, list[Entry]]:
    """Return the rep's entries of these quests, by their unit.

    Confirmations are found by their ids, as it is now; activities by when they were done.
    """
    ids = [step_entry_id(one, step, rep.rep_id) for one in quests for step in quests[one].steps]
    told = deps.ledger.of_rep(rep.rep_id, *_open_between(rep, quests, deps.clock()))
    known = {entry.entry_id: entry for entry in told} | deps.ledger.find(ids)
    found: dict[str, list[Entry]] = {}
    for entry in known.values():
        unit = quest_unit(entry.kind, entry.cause, rep.rep_id) or entry.unit
        found.setdefault(unit, []).append(entry)
    return found


def _open_between(
    rep: Rep, quests: Mapping[str, Quest], now: datetime
) -> tuple[datetime, datetime]:
    """Return between when a rep's activities may have been steps of these quests."""
    last_days = [last_day(quest, rep.joined_on) for quest in quests.values()]
    known = [day for day in last_days if day is not None]
    end = now + AHEAD
    if len(known) == len(last_days):
        end = min(end, day_start(max(known) + timedelta(days=1), rep.zone))
    return day_start(rep.joined_on or _FIRST, rep.zone), end


def file(deps: QuestDeps, entry: Entry) -> None:
    """Put a step that was told by an activity on the list of who is to confirm it, once.

    For every entry, as often as it comes; what is no such step is left alone.
    """
    quest_id, _, step_id = entry.cause.partition("/")
    quest = deps.roster.playbook().game.quests.get(quest_id)
    step = quest.steps.get(step_id) if quest is not None else None
    if step is not None and entry.kind == step.type and step.verified_by in ("manager", "peer"):
        deps.log.tell(Told(entry.rep_id, quest_id, step_id, entry.at), None)


def tell(deps: QuestDeps, rep: Rep, quest_id: str, step_id: str, peer: object) -> tuple[Told, bool]:
    """Tell of a step of one's own quest; return it, and whether it is done with that.

    A step nobody has to confirm is done at once. Told twice is told once; another `peer` takes the
    place of the one named before.

    Raises:
        RouteNotFound: there is no such step.
        Forbidden: a system tells of this step.
        InvalidInput: the peer is missing, or nobody who can confirm.
        Ended: the quest was open until some day before.
    """
    quest, step = _step(deps, quest_id, step_id)
    if step.verified_by == "system":
        raise Forbidden("A system tells of this step; there is nothing to do here.")
    named = _peer(deps, rep, step, peer)
    now = deps.clock()
    told = Told(rep.rep_id, quest_id, step_id, now, named)
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
    """Confirm a step somebody has told of, as the peer they named or, with `by` None, a manager.

    The entry comes first, so what was cut short is made good by asking again.

    Raises:
        RouteNotFound: there is no such step.
        Forbidden: it is not this person's to confirm.
        InvalidInput: there is no such rep, or they have not told of this step.
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
        problem = "has not told of this step" if rep else "there is no such rep"
        raise InvalidInput((FieldError("rep_id", problem),))
    deps.ledger.put([_verified(deps, rep, told, MANAGERS if by is None else by.rep_id)])
    deps.log.settle(told)
    return rep


def pending(deps: QuestDeps, who: Rep | None) -> list[tuple[Told, Rep]]:
    """Return what waits for a rep's word, or with None a manager's, the oldest first, and whose."""
    quests = deps.roster.playbook().game.quests
    waiting = deps.log.waiting_for(MANAGERS if who is None else who.rep_id)
    known = [one for one in waiting if one.quest in quests and one.step in quests[one.quest].steps]
    ids = {step_entry_id(one.quest, one.step, one.rep_id): one for one in known}
    stands = deps.ledger.find(list(ids))
    left = [one for entry_id, one in ids.items() if entry_id not in stands]
    reps = deps.roster.get_many(sorted({one.rep_id for one in left}))
    found = [(one, reps[one.rep_id]) for one in left if one.rep_id in reps]
    return sorted(
        [(one, rep) for one, rep in found if rep.active],
        key=lambda pair: (pair[0].at, pair[0].rep_id, pair[0].step),
    )


def _step(deps: QuestDeps, quest_id: str, step_id: str) -> tuple[Quest, QuestStep]:
    quest = deps.roster.playbook().game.quests.get(quest_id)
    step = quest.steps.get(step_id) if quest is not None else None
    if quest is None or step is None:
        raise RouteNotFound("There is no such step. Look at GET /me/quests.")
    return quest, step


def _told(deps: QuestDeps, rep: Rep, quest_id: str, step_id: str) -> Told | None:
    named = (quest_id, step_id)
    told = deps.log.told_by(rep.rep_id)
    return next((one for one in told if (one.quest, one.step) == named), None)


def _peer(deps: QuestDeps, rep: Rep, step: QuestStep, given: object) -> str:
    if step.verified_by != "peer":
        return ""
    peer = deps.roster.get(given) if isinstance(given, str) else None
    if peer is None or not peer.active or peer.rep_id == rep.rep_id:
        raise InvalidInput((FieldError("peer", "name the colleague who can confirm it, by id"),))
    return peer.rep_id


def _verified(deps: QuestDeps, rep: Rep, told: Told, by: str) -> Entry:
    playbook, now = deps.roster.playbook(), deps.clock()
    return booked(
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
