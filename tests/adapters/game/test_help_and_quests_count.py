"""Confirmed help and finished quests count and earn points, from call to tally (G8, G11)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest

from dibs.core.errors import InvalidInput
from dibs.core.lead import State
from dibs.game.help.ask import HelpDeps, answer, ask, confirm
from dibs.game.help.store import DynamoHelp
from dibs.game.quests.steps import QuestDeps, standings, tell
from dibs.game.quests.steps import confirm as confirm_step
from dibs.game.quests.store import DynamoQuests
from dibs.game.scoring.tally import Tally, tally
from dibs.ledger.activities import Activity
from dibs.ledger.entries import Entry, unit_of
from dibs.ledger.record import RecordDeps, record
from dibs.ledger.store import DynamoLedger
from dibs.rules.game import Game, Quest, QuestStep
from dibs.rules.rules import Newcomers
from support.builders import NOON, World, a_lead, a_playbook, a_rep
from support.fakes import Clock

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


PLAYBOOK = replace(a_playbook(), game=Game(quests={"start": START}), version=1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def organisation(world: World) -> None:
    world.put_playbook(PLAYBOOK)
    for number, rep in enumerate([AINA, BEN] * 3):
        held = {"state": State.CLAIMED, "owner": rep.rep_id, "claimed_at": NOON}
        world.put_lead(a_lead(lead_id=f"lead{number}", **held))
    for rep in (AINA, BEN):
        world.add_rep(rep)


@pytest.fixture
def ledger(world: World) -> DynamoLedger:
    return DynamoLedger(world.dynamo, world.settings)


@pytest.fixture
def help_deps(world: World, ledger: DynamoLedger, clock: Clock) -> HelpDeps:
    requests = DynamoHelp(world.dynamo, world.settings)
    return HelpDeps(requests, world.leads, world.roster, ledger, clock)


@pytest.fixture
def quest_deps(world: World, ledger: DynamoLedger, clock: Clock) -> QuestDeps:
    return QuestDeps(DynamoQuests(world.dynamo, world.settings), world.roster, ledger, clock)


@pytest.fixture
def register(world: World, ledger: DynamoLedger, clock: Clock) -> RecordDeps:
    return RecordDeps(ledger, world.leads, world.roster, clock)


def tallies(ledger: DynamoLedger) -> dict[str, Tally]:
    units: dict[str, list[Entry]] = {}
    for entry in ledger.everything():
        units.setdefault(unit_of(entry), []).append(entry)
    return {name: tally(entries, lambda _: PLAYBOOK) for name, entries in units.items()}


def counts(ledger: DynamoLedger, rep_id: str) -> dict[str, int]:
    found: Counter[str] = Counter()
    for one in tallies(ledger).values():
        for place, counted in one.counts.items():
            if place.rep_id == rep_id:
                found.update(counted)
    return dict(found)


def test_of_a_pairs_help_three_a_month_are_paid_in_both_directions(
    help_deps: HelpDeps, ledger: DynamoLedger, clock: Clock
) -> None:
    deps = help_deps
    for number in range(6):
        clock.pass_(minutes=1)
        asker, helper = (AINA, BEN) if number % 2 == 0 else (BEN, AINA)
        request, _ = ask(deps, asker, f"lead{number}", f"r{number}", "How?")
        answer(deps, helper, request.help_id, "So.")
        assert len(list(ledger.everything())) == number
        confirm(deps, asker, request.help_id, helper.rep_id)
    ben, aina = (counts(ledger, rep.rep_id) for rep in (BEN, AINA))
    assert (ben["helps"], ben["points.sum"], ben["helped"]) == (2, 10, 3)
    assert (aina["helps"], aina["points.sum"], aina["helped"]) == (1, 5, 3)
    assert ben["colleagues_helped"] == aina["colleagues_helped"] == 1
    assert len(tallies(ledger)) == 1


def test_a_quest_counts_when_its_last_step_is_done(
    quest_deps: QuestDeps, register: RecordDeps, ledger: DynamoLedger, clock: Clock
) -> None:
    deps = quest_deps
    told = Activity("a1", "training_step", clock.at, rep_id=AINA.rep_id, step="start/video")
    record(register, told, None)
    tool = Activity("a2", "tool_used", clock.at, step="start/tool")
    record(register, tool, AINA.rep_id)
    tell(deps, AINA, "start", "ethics", None)
    assert "quest_start" not in counts(ledger, AINA.rep_id)
    clock.pass_(days=1)
    confirm_step(deps, None, "start", "ethics", AINA.rep_id)
    found = counts(ledger, AINA.rep_id)
    assert (found["quest_start"], found["points.sum"]) == (1, 50)
    assert found["training_step"] == found["tool_used"] == found["step_verified"] == 1
    [standing] = standings(deps, AINA)
    assert standing.finished_at == clock.at
    # The system reverses the video: the quest is unfinished again.
    back = Activity("a3", "reversal", clock.at, reverses="a1")
    record(register, back, None)
    assert "quest_start" not in counts(ledger, AINA.rep_id)
    [standing] = standings(deps, AINA)
    assert standing.finished_at is None


@pytest.mark.parametrize("kept", [{"tool": START.steps["tool"]}, {}])
def test_who_finished_a_quest_keeps_it_when_the_playbook_changes(
    kept: dict[str, QuestStep],
) -> None:
    tool = QuestStep("The dialler", "tool_used", "self")
    before = Quest("First weeks", {"tool": tool}, points=50)
    more = {"crm": QuestStep("A clean list", "crm_step", "self"), "dial": tool}
    after = {"start": replace(before, steps={**kept, **more})} if kept else {}
    versions = {
        version: replace(PLAYBOOK, game=Game(quests=quests), version=version)
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
    quest_deps: QuestDeps, register: RecordDeps
) -> None:
    record(register, Activity("a1", "training_step", NOON, step="start/video"), AINA.rep_id)
    [standing] = standings(quest_deps, AINA)
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
    register: RecordDeps,
    ledger: DynamoLedger,
    clock: Clock,
    changes: dict[str, object],
    named: str,
) -> None:
    clock.pass_(days=40)
    good = Activity("a1", "training_step", NOON, rep_id=AINA.rep_id, step="start/video")
    with pytest.raises(InvalidInput) as raised:
        record(register, replace(good, **changes), None)  # type: ignore[arg-type]
    assert [error.field for error in raised.value.errors] == [named]
    assert list(ledger.everything()) == []
    record(register, good, None)


def test_a_newcomers_help_and_quest_show_on_no_board(
    world: World, help_deps: HelpDeps, quest_deps: QuestDeps, ledger: DynamoLedger
) -> None:
    world.put_playbook(replace(PLAYBOOK, newcomers=Newcomers(enabled=True)))
    request, _ = ask(help_deps, BEN, "lead1", "r1", "How?")
    answer(help_deps, AINA, request.help_id, "So.")
    confirm(help_deps, BEN, request.help_id, AINA.rep_id)
    tell(quest_deps, AINA, "start", "tool", None)
    assert [entry.protected for entry in ledger.everything()] == [True, True]
