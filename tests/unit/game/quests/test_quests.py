"""Onboarding quests: steps are reported and confirmed, and the quest is finished (G8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dibs.core.errors import (
    Busy,
    DibsError,
    Ended,
    Forbidden,
    InvalidInput,
    RouteNotFound,
)
from dibs.core.rep import Rep
from dibs.game.quests.rules import (
    MANAGERS,
    ReportedStep,
    done,
    finished,
)
from dibs.game.quests.steps import QuestDeps, QuestProgress, confirm, file, pending, standings, tell
from dibs.ledger.entries import Entry
from dibs.ledger.quest_steps import STEP_VERIFIED, last_day, quest_unit, wrong_step
from dibs.playbook.checks.game import quest_problems
from dibs.rules.game import Game, Quest, QuestStep
from support.builders import NOON, a_playbook, a_rep
from support.fake_help import FakeQuests
from support.fake_ledger import FakeLedger
from support.fakes import Clock, FakeRoster, Memory

MONDAY = date(2026, 11, 23)
AINA = a_rep(1, joined_on=MONDAY)
BEN, CHONG, LEFT = a_rep(2), a_rep(3, team="south"), a_rep(4, active=False)

START = Quest(
    "First weeks",
    {
        "video": QuestStep("Welcome video", "training_step", "system"),
        "ethics": QuestStep("Safety and ethics", "training_step", "manager"),
        "tool": QuestStep("The dialler", "tool_used", "self"),
        "seller": QuestStep("Ask a top seller", "peer_interview", "peer"),
    },
    badge="Ready",
    points=50,
    within_days=30,
)


def an_entry(step: str, kind: str = STEP_VERIFIED, hour: int = 0, **changes: Any) -> Entry:
    at = NOON + timedelta(hours=hour)
    entry = Entry(
        f"{kind}/{step}/{hour}", kind, AINA.rep_id, "north", at, "", cause=f"start/{step}"
    )
    return replace(entry, **changes)


VIDEO = an_entry("video", "training_step", 1, source="system")
ALL = [VIDEO, an_entry("ethics", hour=2), an_entry("tool", "tool_used", 3), an_entry("seller")]


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


# Reporting and confirming


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory() -> Memory:
    playbook = replace(a_playbook(), game=Game(quests={"start": START}))
    store = Memory(playbook=playbook)
    for rep in (AINA, BEN, CHONG, LEFT):
        FakeRoster(store).add(rep, "token")
    return store


@pytest.fixture
def deps(memory: Memory, clock: Clock) -> QuestDeps:
    return QuestDeps(FakeQuests(), FakeRoster(memory), FakeLedger(memory), clock)


def ledger_entries(deps: QuestDeps) -> dict[str, Entry]:
    assert isinstance(deps.ledger, FakeLedger)
    return deps.ledger.entries


def standing(deps: QuestDeps, rep: Rep = AINA) -> QuestProgress:
    [progress] = standings(deps, rep)
    return progress


def test_a_step_nobody_confirms_is_done_when_it_is_told(deps: QuestDeps, clock: Clock) -> None:
    told, is_done = tell(deps, AINA, "start", "tool", None)
    assert (told.at, told.peer, is_done) == (NOON, "", True)
    clock.pass_(hours=1)
    assert tell(deps, AINA, "start", "tool", None)[1] is True
    [entry] = ledger_entries(deps).values()
    assert (entry.entry_id, entry.kind, entry.at) == (
        f"step/start/tool/{AINA.rep_id}",
        STEP_VERIFIED,
        NOON,
    )
    assert (entry.cause, entry.other) == ("start/tool", AINA.rep_id)
    assert entry.unit == f"quest/{AINA.rep_id}/start"
    assert set(standing(deps).done) == {"tool"}


@pytest.mark.parametrize(
    ("step", "peer", "by", "error"),
    [
        ("ethics", None, None, None),
        ("ethics", None, BEN, Forbidden),
        ("ethics", None, AINA, Forbidden),
        ("seller", BEN.rep_id, BEN, None),
        ("seller", BEN.rep_id, None, None),
        ("seller", BEN.rep_id, CHONG, Forbidden),
        ("seller", BEN.rep_id, AINA, Forbidden),
        # A peer of another team may confirm.
        ("seller", CHONG.rep_id, CHONG, None),
    ],
)
def test_a_step_is_confirmed_by_the_peer_that_was_named_or_a_manager(
    deps: QuestDeps, step: str, peer: object, by: Rep | None, error: type[DibsError] | None
) -> None:
    assert tell(deps, AINA, "start", step, peer)[1] is False
    assert ledger_entries(deps) == {}
    if error is not None:
        with pytest.raises(error):
            confirm(deps, by, "start", step, AINA.rep_id)
        assert ledger_entries(deps) == {}
        return
    for _ in range(2):
        assert confirm(deps, by, "start", step, AINA.rep_id) == AINA
    [entry] = ledger_entries(deps).values()
    assert (entry.rep_id, entry.cause) == (AINA.rep_id, f"start/{step}")
    assert entry.other == (MANAGERS if by is None else by.rep_id)
    assert entry.unit == f"quest/{AINA.rep_id}/start"
    assert pending(deps, None) == pending(deps, by) == []
    assert tell(deps, AINA, "start", step, peer)[1] is True


@pytest.mark.parametrize(
    ("quest", "step", "peer", "error"),
    [
        ("other", "video", None, RouteNotFound),
        ("start", "other", None, RouteNotFound),
        ("start", "", None, RouteNotFound),
        ("start", "video", None, Forbidden),
        *[
            ("start", "seller", peer, InvalidInput)
            for peer in (None, "", 5, [], "nobody", AINA.rep_id, LEFT.rep_id)
        ],
    ],
)
def test_what_cannot_be_told_is_refused(
    deps: QuestDeps, quest: str, step: str, peer: object, error: type[DibsError]
) -> None:
    with pytest.raises(error):
        tell(deps, AINA, quest, step, peer)
    assert ledger_entries(deps) == {}
    assert deps.log.reported_by(AINA.rep_id) == []


@pytest.mark.parametrize(
    ("step", "rep_id", "error"),
    [
        ("ethics", AINA.rep_id, InvalidInput),
        ("seller", AINA.rep_id, InvalidInput),
        ("ethics", "nobody", InvalidInput),
        ("ethics", None, InvalidInput),
        ("tool", AINA.rep_id, Forbidden),
        ("video", AINA.rep_id, Forbidden),
        ("other", AINA.rep_id, RouteNotFound),
    ],
)
def test_a_manager_confirms_nothing_that_was_not_told(
    deps: QuestDeps, step: str, rep_id: object, error: type[DibsError]
) -> None:
    with pytest.raises(error):
        confirm(deps, None, "start", step, rep_id)
    assert ledger_entries(deps) == {}


def test_another_peer_takes_the_place_of_the_first(deps: QuestDeps, clock: Clock) -> None:
    tell(deps, AINA, "start", "seller", BEN.rep_id)
    clock.pass_(hours=1)
    assert tell(deps, AINA, "start", "seller", BEN.rep_id)[0].at == NOON
    tell(deps, AINA, "start", "seller", CHONG.rep_id)
    assert pending(deps, BEN) == []
    assert [told.peer for told, _ in pending(deps, CHONG)] == [CHONG.rep_id]
    with pytest.raises(Forbidden):
        confirm(deps, BEN, "start", "seller", AINA.rep_id)


def test_who_confirms_is_said_by_the_playbook_in_force(deps: QuestDeps, memory: Memory) -> None:
    tell(deps, AINA, "start", "seller", BEN.rep_id)
    step = replace(START.steps["seller"], verified_by="manager")
    stricter = replace(START, steps={**START.steps, "seller": step})
    memory.playbook = replace(a_playbook(), game=Game(quests={"start": stricter}))
    with pytest.raises(Forbidden):
        confirm(deps, BEN, "start", "seller", AINA.rep_id)
    confirm(deps, None, "start", "seller", AINA.rep_id)
    assert set(standing(deps).done) == {"seller"}


def test_a_quest_ends_with_its_last_day_on_the_reps_clock(deps: QuestDeps, clock: Clock) -> None:
    # Thirty days from 23 November; midnight in Kuching is eight hours before that of UTC.
    clock.at = datetime.fromisoformat("2026-12-22T15:59:59+00:00")
    assert standing(deps).is_open
    tell(deps, AINA, "start", "ethics", None)
    clock.pass_(seconds=1)
    assert not standing(deps).is_open
    for step, peer in (("tool", None), ("seller", BEN.rep_id)):
        with pytest.raises(Ended):
            tell(deps, AINA, "start", step, peer)
    # A step reported in time can still be confirmed.
    confirm(deps, None, "start", "ethics", AINA.rep_id)
    assert set(standing(deps).done) == {"ethics"}


def test_a_confirmation_cut_short_is_made_good_by_asking_again(
    deps: QuestDeps, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(told: ReportedStep) -> None:
        raise ConnectionError

    tell(deps, AINA, "start", "ethics", None)
    with monkeypatch.context() as patched:
        patched.setattr(deps.log, "settle", cut)
        with pytest.raises(ConnectionError):
            confirm(deps, None, "start", "ethics", AINA.rep_id)
    # It counts, and waits for no confirmation.
    assert set(standing(deps).done) == {"ethics"}
    assert pending(deps, None) == []
    confirm(deps, None, "start", "ethics", AINA.rep_id)
    assert deps.log.waiting_for(MANAGERS) == []
    assert len(ledger_entries(deps)) == 1


def test_two_who_tell_at_once_are_told_to_try_again(
    deps: QuestDeps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deps.log, "tell", lambda told, was: False)
    with pytest.raises(Busy):
        tell(deps, AINA, "start", "ethics", None)


# Progress


def test_where_a_rep_stands_is_what_the_ledger_says(deps: QuestDeps, clock: Clock) -> None:
    fresh = standing(deps)
    assert (fresh.done, fresh.told, fresh.next_step, fresh.finished_at) == ({}, {}, "video", None)
    assert fresh.until == date(2026, 12, 22)
    deps.ledger.put([VIDEO, replace(VIDEO, entry_id="ben's", rep_id=BEN.rep_id)])
    clock.pass_(hours=2)
    tell(deps, AINA, "start", "ethics", None)
    assert standing(deps).next_step == "tool"
    tell(deps, AINA, "start", "tool", None)
    tell(deps, AINA, "start", "seller", BEN.rep_id)
    waiting = standing(deps)
    assert (set(waiting.done), set(waiting.told)) == ({"video", "tool"}, {"ethics", "seller"})
    assert (waiting.next_step, waiting.finished_at) == (None, None)
    confirm(deps, BEN, "start", "seller", AINA.rep_id)
    at = clock.pass_(hours=1)
    confirm(deps, None, "start", "ethics", AINA.rep_id)
    assert standing(deps).finished_at == at
    assert set(standing(deps, BEN).done) == {"video"}


def test_an_activity_taken_back_takes_its_step_back(deps: QuestDeps, clock: Clock) -> None:
    clock.pass_(days=1)
    unit = f"quest/{AINA.rep_id}/start"
    reversal = replace(an_entry("", "reversal", 5, cause=""), reverses=VIDEO.entry_id, unit=unit)
    deps.ledger.put([VIDEO])
    assert set(standing(deps).done) == {"video"}
    deps.ledger.put([reversal])
    assert standing(deps).done == {}


@pytest.mark.parametrize(
    ("at", "within_days", "joined_on", "counts"),
    [
        # Midnight in Kuching, where the first day begins and the last one ends.
        ("2026-11-22T15:59:59+00:00", 30, MONDAY, False),
        ("2026-11-22T16:00:00+00:00", 30, MONDAY, True),
        ("2026-12-22T15:59:59+00:00", 30, MONDAY, True),
        ("2026-12-22T16:00:00+00:00", 30, MONDAY, False),
        ("2027-05-01T00:00:00+00:00", 0, MONDAY, True),
        ("2027-05-01T00:00:00+00:00", 30, None, True),
        ("2020-01-01T00:00:00+00:00", 0, None, True),
    ],
)
def test_activities_of_the_quests_time_are_looked_at(
    deps: QuestDeps,
    memory: Memory,
    clock: Clock,
    at: str,
    within_days: int,
    joined_on: date | None,
    counts: bool,
) -> None:
    quest = replace(START, within_days=within_days)
    memory.playbook = replace(a_playbook(), game=Game(quests={"start": quest}))
    clock.at = datetime.fromisoformat("2027-05-01T12:00:00+00:00")
    deps.ledger.put([replace(VIDEO, at=datetime.fromisoformat(at))])
    found = standing(deps, replace(AINA, joined_on=joined_on))
    assert set(found.done) == ({"video"} if counts else set())


def test_without_quests_there_is_nothing_to_see(deps: QuestDeps, memory: Memory) -> None:
    tell(deps, AINA, "start", "ethics", None)
    memory.playbook = a_playbook()
    assert standings(deps, AINA) == []
    assert pending(deps, None) == []


def test_what_waits_comes_oldest_first_and_not_of_who_left(
    deps: QuestDeps, memory: Memory, clock: Clock
) -> None:
    tell(deps, CHONG, "start", "seller", BEN.rep_id)
    clock.pass_(hours=1)
    tell(deps, AINA, "start", "ethics", None)
    tell(deps, AINA, "start", "seller", BEN.rep_id)
    found = [(rep.rep_id, told.step) for told, rep in pending(deps, None)]
    assert found == [(CHONG.rep_id, "seller"), (AINA.rep_id, "ethics"), (AINA.rep_id, "seller")]
    assert [rep.rep_id for _, rep in pending(deps, BEN)] == [CHONG.rep_id, AINA.rep_id]
    memory.reps[CHONG.rep_id] = replace(CHONG, active=False)
    assert [rep.rep_id for _, rep in pending(deps, BEN)] == [AINA.rep_id]


@pytest.mark.parametrize(
    ("entry", "filed"),
    [
        (an_entry("ethics", "training_step", source="rep"), True),
        (an_entry("ethics", "tool_used"), False),
        (an_entry("ethics"), False),
        (VIDEO, False),
        (an_entry("tool", "tool_used"), False),
        (an_entry("other", "training_step"), False),
        (an_entry("ethics", "training_step", cause=""), False),
        (an_entry("ethics", "training_step", cause="other/ethics"), False),
    ],
)
def test_an_activity_that_needs_a_word_waits_for_the_managers(
    deps: QuestDeps, entry: Entry, filed: bool
) -> None:
    for _ in range(2):
        file(deps, entry)
    assert [told.step for told, _ in pending(deps, None)] == (["ethics"] if filed else [])
    if filed:
        confirm(deps, None, "start", "ethics", AINA.rep_id)
        file(deps, entry)
        assert pending(deps, None) == []


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
