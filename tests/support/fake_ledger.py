"""The ledger, kept in memory; `tests/adapters/ledger` holds it against the real one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from dibs.aws import clock
from dibs.core.errors import Busy
from dibs.intake.ports import Pending
from dibs.ledger.activities import Step
from dibs.ledger.entries import Entry
from dibs.ledger.ports import LeadHistory
from dibs.race.usage import work_lead
from support.fakes import FakeLeads, Memory


class FakeLedger:
    """Implements `Ledger`. `busy` writes fail; `lost_answers` are stored unanswered."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.entries: dict[str, Entry] = {}
        self.busy = 0
        self.lost_answers = 0
        self.uncounted: dict[str, datetime] = {}
        self.meanwhile: Callable[[], None] | None = None
        """Runs once, between a read and its write."""

    def find(self, entry_ids: Collection[str]) -> dict[str, Entry]:
        return {name: self.entries[name] for name in entry_ids if name in self.entries}

    def of_rep(self, rep_id: str, start: datetime, end: datetime) -> Iterator[Entry]:
        found = [e for e in self.entries.values() if e.rep_id == rep_id and start <= e.at < end]
        return iter(sorted(found, key=lambda entry: entry.at))

    def of_team(self, team: str, weeks: Sequence[str]) -> Iterator[Entry]:
        return (e for e in self.entries.values() if e.team == team and e.week in weeks)

    def put(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.entry_id not in self.entries:
                self._add(entry)

    def record(self, entry: Entry, step: Step | None) -> bool:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        if self.busy:
            self.busy -= 1
            raise Busy(conflict=True)
        if entry.entry_id in self.entries or not (step is None or self._fits(step)):
            return False
        self._add(entry)
        if step is not None:
            self._take(step, entry.rep_id)
        if self.lost_answers:
            self.lost_answers -= 1
            raise Busy(conflict=True)
        return True

    def _add(self, entry: Entry) -> None:
        self.entries[entry.entry_id] = entry
        self.uncounted[entry.entry_id] = clock.now()

    def unrecorded(self, before: datetime) -> Iterator[str]:
        waiting = [lead_id for (lead_id, _), at in self._memory.unrecorded.items() if at < before]
        return iter(dict.fromkeys(waiting))

    def recorded(self, pending: Pending) -> None:
        key = (pending.key["lead_id"], pending.key["sk"])
        for marks in (self._memory.outbox, self._memory.unrecorded):
            if marks.get(key) == pending.since:
                del marks[key]

    def unscored(self, before: datetime) -> Iterator[Entry]:
        late = [name for name, at in self.uncounted.items() if at < before]
        return (self.entries[name] for name in late)

    def scored(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self.uncounted.pop(entry.entry_id, None)

    def _fits(self, step: Step) -> bool:
        stored, held = self._memory.leads[step.lead.lead_id], step.held
        as_held = (held.state, held.owner, held.epoch)
        if (stored.state, stored.owner, stored.epoch) != as_held:
            return False
        if step.accepts and not stored.unaccepted:
            return False
        return stored.worked_at is None or not step.first_work

    def _take(self, step: Step, rep_id: str) -> None:
        memory, lead_id = self._memory, step.lead.lead_id
        stored = memory.leads[lead_id]
        worked_at = step.lead.worked_at if step.first_work else stored.worked_at
        memory.leads[lead_id] = replace(stored, state=step.lead.state, worked_at=worked_at)
        if step.first_work:
            memory.look_at.pop(lead_id, None)
        if step.transition is not None:
            memory.note(step.transition)
        memory.count(work_lead(rep_id, worked=step.frees, accepted=step.accepts))

    def story(self, lead_id: str) -> LeadHistory | None:
        lead = self._memory.leads.get(lead_id)
        if lead is None:
            return None
        transitions = tuple(FakeLeads(self._memory).history(lead_id))
        draws = tuple(one for (of, _), one in sorted(self._memory.draws.items()) if of == lead_id)
        pending = tuple(FakeLeads(self._memory).pending_of(lead_id))
        return LeadHistory(lead, self._memory.claims.get(lead_id), transitions, draws, pending)
