"""Confirmed help and finished quests count and earn points, from call to tally (G8, G11)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest

from dibs.core.errors import InvalidInput
from dibs.game.help.ask import HelpDeps, answer, ask, confirm
from dibs.game.quests.steps import QuestDeps, standings, tell
from dibs.game.quests.steps import confirm as confirm_step
from dibs.game.scoring.tally import Tally, tally
from dibs.ledger.activities import Activity
from dibs.ledger.entries import Entry, unit_of
from dibs.ledger.record import RecordDeps, record
from dibs.rules.game import Game, Quest, QuestStep
from dibs.rules.rules import Newcomers
from support.builders import NOON, a_lead, a_playbook, a_rep
from support.fake_help import FakeHelp, FakeQuests
from support.fake_ledger import FakeLedger
from support.fakes import Clock, FakeLeads, FakeRoster, Memory

AINA, BEN = a_rep(1, joined_on=date(2026, 11, 23)), a_rep(2)
START = Quest(
    "First weeks",
    {
        "video": QuestStep("Welcome video", "training_step", "system"),
        "ethics": QuestStep("Safety and ethics", "training_step", "manager"),
        "tool": QuestStep("The dialler", "tool_used", "self"),
    },
    badge="Ready",
    points=50,
    within_days=30,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory() -> Memory:
    playbook = replace(a_playbook(), game=Game(quests={"start": START}), version=1)
    leads = [
        a_lead(lead_id=f"lead{n}", state="claimed", owner=rep.rep_id, claimed_at=NOON)
        for n, rep in enumerate([AINA, BEN] * 3)
    ]
    found = Memory(playbook=playbook, leads={lead.lead_id: lead for lead in leads})
    for rep in (AINA, BEN):
        FakeRoster(found).add(rep, "token")
    return found


@pytest.fixture
def ledger(memory: Memory) -> FakeLedger:
    return FakeLedger(memory)


def tallies(ledger: FakeLedger, memory: Memory) -> dict[str, Tally]:
    units: dict[str, list[Entry]] = {}
    for entry in ledger.entries.values():
        units.setdefault(unit_of(entry), []).append(entry)
    return {name: tally(entries, lambda _: memory.playbook) for name, entries in units.items()}


def counts(ledger: FakeLedger, memory: Memory, rep_id: str) -> dict[str, int]:
    found: Counter[str] = Counter()
    for one in tallies(ledger, memory).values():
        for place, counted in one.counts.items():
            if place.rep_id == rep_id:
                found.update(counted)
    return dict(found)


def test_of_a_pairs_help_three_a_month_are_paid_in_both_directions(
    memory: Memory, ledger: FakeLedger, clock: Clock
) -> None:
    deps = HelpDeps(FakeHelp(), FakeLeads(memory), FakeRoster(memory), ledger, clock)
    for number in range(6):
        clock.pass_(minutes=1)
        asker, helper = (AINA, BEN) if number % 2 == 0 else (BEN, AINA)
        request, _ = ask(deps, asker, f"lead{number}", f"r{number}", "How?")
        answer(deps, helper, request.help_id, "So.")
        assert len(ledger.entries) == number
        confirm(deps, asker, request.help_id, helper.rep_id)
    ben, aina = (counts(ledger, memory, rep.rep_id) for rep in (BEN, AINA))
    assert (ben["helps"], ben["points.sum"], ben["helped"]) == (2, 10, 3)
    assert (aina["helps"], aina["points.sum"], aina["helped"]) == (1, 5, 3)
    assert ben["colleagues_helped"] == aina["colleagues_helped"] == 1
    assert len(tallies(ledger, memory)) == 1


def test_a_quest_counts_when_its_last_step_is_done(
    memory: Memory, ledger: FakeLedger, clock: Clock
) -> None:
    deps = QuestDeps(FakeQuests(), FakeRoster(memory), ledger, clock)
    register = RecordDeps(ledger, FakeLeads(memory), FakeRoster(memory), clock)
    told = Activity("a1", "training_step", clock.at, rep_id=AINA.rep_id, step="start/video")
    record(register, told, None)
    tool = Activity("a2", "tool_used", clock.at, step="start/tool")
    record(register, tool, AINA.rep_id)
    tell(deps, AINA, "start", "ethics", None)
    assert "quest_start" not in counts(ledger, memory, AINA.rep_id)
    clock.pass_(days=1)
    confirm_step(deps, None, "start", "ethics", AINA.rep_id)
    found = counts(ledger, memory, AINA.rep_id)
    assert (found["quest_start"], found["points.sum"]) == (1, 50)
    assert found["training_step"] == found["tool_used"] == found["step_verified"] == 1
    [standing] = standings(deps, AINA)
    assert standing.finished_at == clock.at
    # The system reverses the video: the quest is unfinished again.
    back = Activity("a3", "reversal", clock.at, reverses="a1")
    record(register, back, None)
    assert "quest_start" not in counts(ledger, memory, AINA.rep_id)
    [standing] = standings(deps, AINA)
    assert standing.finished_at is None


@pytest.mark.parametrize("kept", [{"tool": START.steps["tool"]}, {}])
def test_who_finished_a_quest_keeps_it_when_the_playbook_changes(
    memory: Memory, ledger: FakeLedger, clock: Clock, kept: dict[str, QuestStep]
) -> None:
    tool = QuestStep("The dialler", "tool_used", "self")
    before = Quest("First weeks", {"tool": tool}, points=50)
    more = {"crm": QuestStep("A clean list", "crm_step", "self"), "dial": tool}
    after = {"start": replace(before, steps={**kept, **more})} if kept else {}
    versions = {
        version: replace(memory.playbook, game=Game(quests=quests), version=version)
        for version, quests in ((1, {"start": before}), (2, after), (3, {"start": before}))
    }
    done = Entry(
        "a1", "tool_used", "r", "north", NOON, "", cause="start/tool", unit="quest/r/start"
    )
    entries = [replace(done, day="2026-11-23", playbook_version=1)]
    for number, version in enumerate((2, 2, 3), 2):
        at, cause = NOON + timedelta(days=number), f"start/{'crm' if version == 2 else 'tool'}"
        entries.append(
            replace(entries[0], entry_id=f"a{number}", at=at, cause=cause, playbook_version=version)
        )
    for known in range(1, len(entries) + 1):
        found = tally(entries[:known], versions.__getitem__)
        [award] = [one for one in found.awards.values() if one.rule == "quest"]
        assert (award.points, award.cause, award.at) == (50, "a1", NOON)
        assert [counted["quest_start"] for counted in found.counts.values()] == [1]


def test_a_rep_who_tells_a_systems_step_has_not_done_it(
    memory: Memory, ledger: FakeLedger, clock: Clock
) -> None:
    register = RecordDeps(ledger, FakeLeads(memory), FakeRoster(memory), clock)
    record(register, Activity("a1", "training_step", NOON, step="start/video"), AINA.rep_id)
    [standing] = standings(QuestDeps(FakeQuests(), FakeRoster(memory), ledger, clock), AINA)
    assert standing.done == {}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"step": "start/other"}, "step"),
        ({"step": "start/tool"}, "step"),
        ({"lead_id": "lead0"}, "step"),
        ({"at": NOON + timedelta(days=30)}, "step"),
    ],
)
def test_an_activity_that_cannot_be_the_step_is_refused(
    memory: Memory, ledger: FakeLedger, clock: Clock, changes: dict[str, object], named: str
) -> None:
    clock.pass_(days=40)
    register = RecordDeps(ledger, FakeLeads(memory), FakeRoster(memory), clock)
    good = Activity("a1", "training_step", NOON, rep_id=AINA.rep_id, step="start/video")
    with pytest.raises(InvalidInput) as raised:
        record(register, replace(good, **changes), None)  # type: ignore[arg-type]
    assert [error.field for error in raised.value.errors] == [named]
    assert ledger.entries == {}
    record(register, good, None)


def test_a_newcomers_help_and_quest_show_on_no_board(
    memory: Memory, ledger: FakeLedger, clock: Clock
) -> None:
    memory.playbook = replace(memory.playbook, newcomers=Newcomers(enabled=True))
    help_desk = HelpDeps(FakeHelp(), FakeLeads(memory), FakeRoster(memory), ledger, clock)
    request, _ = ask(help_desk, BEN, "lead1", "r1", "How?")
    answer(help_desk, AINA, request.help_id, "So.")
    confirm(help_desk, BEN, request.help_id, AINA.rep_id)
    tell(QuestDeps(FakeQuests(), FakeRoster(memory), ledger, clock), AINA, "start", "tool", None)
    assert [entry.protected for entry in ledger.entries.values()] == [True, True]
