"""Onboarding quests: what shows that a step is done, and which quests make no sense (G8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dibs.game.quests.rules import (
    done,
    finished,
)
from dibs.ledger.entries import Entry
from dibs.ledger.quest_steps import STEP_VERIFIED, last_day, quest_unit, wrong_step
from dibs.playbook.checks.game import quest_problems
from dibs.rules.game import Game, Quest, QuestStep
from support.builders import NOON, a_playbook
from support.quests import ALL, MONDAY, START, VIDEO, an_entry

# What shows that a step is done


@pytest.mark.parametrize(
    ("entry", "shows"),
    [
        (VIDEO, True),
        (replace(VIDEO, source="rep"), False),
        (replace(VIDEO, source=""), False),
        # The source of an entry about a lead is the lead's, and may have any name.
        (replace(VIDEO, lead_id="lead"), False),
        (replace(VIDEO, kind="tool_used"), False),
        (replace(VIDEO, test=True), False),
        (replace(VIDEO, cause="start/nothing"), False),
        (replace(VIDEO, cause=""), False),
        (an_entry("video"), True),
        (an_entry("tool", "tool_used", source="rep"), True),
        (an_entry("tool", "tool_used", source="system"), True),
        (an_entry("tool", "call"), False),
        (an_entry("ethics", "training_step", source="system"), False),
        (an_entry("ethics"), True),
        (an_entry("seller"), True),
    ],
)
def test_a_step_is_done_by_the_word_it_takes(entry: Entry, shows: bool) -> None:
    step = entry.cause.partition("/")[2]
    assert done([entry], START) == ({step: entry} if shows else {})


def test_a_quest_is_finished_with_the_last_of_its_steps() -> None:
    last = ALL[2]
    assert finished(ALL, START) == last
    for missing in range(4):
        assert finished([*ALL[:missing], *ALL[missing + 1 :]], START) is None
    # A step that is done twice is done since the first time.
    again = [replace(entry, entry_id=f"x{entry.entry_id}", at=NOON + timedelta(9)) for entry in ALL]
    assert finished([*again, *ALL], START) == last
    assert finished([], Quest("Nothing", {})) is None


def test_what_was_reversed_is_as_if_it_never_came() -> None:
    reversal = an_entry("", "reversal", 5, cause="", reverses=VIDEO.entry_id)
    assert finished([*ALL, reversal], START) is None
    assert finished([*ALL, reversal, replace(VIDEO, entry_id="again")], START) == ALL[2]


ENTRIES = st.lists(
    st.builds(
        lambda number, step, kind, hour, source: an_entry(
            step, kind, hour, entry_id=str(number), source=source
        ),
        st.integers(0, 99),
        st.sampled_from([*START.steps, "other"]),
        st.sampled_from([STEP_VERIFIED, STEP_VERIFIED, "training_step", "tool_used"]),
        st.integers(0, 3),
        st.sampled_from(["system", "rep"]),
    ),
    unique_by=lambda entry: entry.entry_id,
    max_size=15,
)


@given(entries=ENTRIES, data=st.data())
def test_a_quest_is_finished_alike_in_any_order(entries: list[Entry], data: st.DataObject) -> None:
    again = data.draw(st.permutations([*entries, *entries[::2]]))
    assert finished(again, START) == finished(entries, START)
    found = finished(entries, START)
    if found is not None:
        before = [x for x in entries if (x.at, x.entry_id) < (found.at, found.entry_id)]
        assert finished(before, START) is None


@pytest.mark.parametrize(
    ("kind", "cause", "unit"),
    [
        ("training_step", "start/video", "quest/aa/start"),
        ("crm_step", "start/video", "quest/aa/start"),
        ("tool_used", "a_1/b-2", "quest/aa/a_1"),
        (STEP_VERIFIED, "start/video", "quest/aa/start"),
        ("call", "start/video", None),
        ("assigned", "by/manager", None),
        ("training_step", "", None),
        ("training_step", "start", None),
        ("training_step", "start/", None),
        ("training_step", "start/video/x", None),
        ("training_step", "Start/video", None),
        ("training_step", "start/video\n", None),
    ],
)
def test_steps_of_a_quest_are_tallied_together(kind: str, cause: str, unit: str | None) -> None:
    assert quest_unit(kind, cause, "aa") == unit


@pytest.mark.parametrize(
    ("kind", "cause", "day", "wrong"),
    [
        ("training_step", "start/video", MONDAY, ""),
        ("training_step", "start/video", date(2026, 12, 22), ""),
        ("training_step", "start/video", date(2026, 12, 23), "was open until 2026-12-22"),
        ("tool_used", "start/video", MONDAY, "is told by activities of the type 'training_step'"),
        ("training_step", "start/other", MONDAY, "is no step"),
        ("training_step", "other/video", MONDAY, "is no step"),
    ],
)
def test_an_activity_is_a_step_in_its_time(kind: str, cause: str, day: date, wrong: str) -> None:
    found = wrong_step({"start": START}, kind, cause, MONDAY, day)
    assert found.startswith(wrong)
    assert bool(found) is bool(wrong)
    if wrong.startswith("was open"):
        assert wrong_step({"start": START}, kind, cause, None, day) == ""


def test_a_quest_without_an_end_is_always_open() -> None:
    assert last_day(replace(START, within_days=0), MONDAY) is None
    assert last_day(START, None) is None
    assert last_day(replace(START, within_days=1), MONDAY) == MONDAY


# Quests a playbook may not have


def _with(**changes: Any) -> Callable[[Quest], Quest]:
    return lambda quest: replace(quest, **changes)


@pytest.mark.parametrize(
    ("quest_id", "change", "places"),
    [
        ("start", _with(), []),
        ("a" * 40, _with(badge="", within_days=0), []),
        ("Start", _with(), [""]),
        ("9start", _with(), [""]),
        ("start-up", _with(), [""]),
        ("a" * 41, _with(), [""]),
        ("start", _with(name=" "), [".name"]),
        ("start", _with(name="x" * 81), [".name"]),
        ("start", _with(badge="a\nb"), [".badge"]),
        ("start", _with(points=-1), [".points"]),
        ("start", _with(points=100_001), [".points"]),
        ("start", _with(within_days=-1), [".within_days"]),
        ("start", _with(within_days=731), [".within_days"]),
        ("start", _with(steps={}), [".steps"]),
        ("start", _with(steps={"A": START.steps["tool"]}), [".steps.A"]),
        ("start", _with(steps={"a": QuestStep("", "tool_used")}), [".steps.a.name"]),
        (
            "start",
            _with(steps={"a": QuestStep("A", "peer_interview")}),
            [".steps.a.verified_by"],
        ),
        (
            "start",
            _with(steps={str(n): START.steps["tool"] for n in range(31)}),
            [".steps"],
        ),
    ],
)
def test_what_makes_no_sense_in_a_quest_is_named(
    quest_id: str, change: Callable[[Quest], Quest], places: list[str]
) -> None:
    playbook = replace(a_playbook(), game=Game(quests={quest_id: change(START)}))
    found = [error.field for error in quest_problems(playbook)]
    assert found == [f"game.quests.{quest_id}{place}" for place in places]


def test_there_are_not_too_many_quests() -> None:
    quests = {f"q{number}": START for number in range(21)}
    playbook = replace(a_playbook(), game=Game(quests=quests))
    assert [error.field for error in quest_problems(playbook)] == ["game.quests"]
