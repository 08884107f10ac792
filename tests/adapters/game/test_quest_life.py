"""Onboarding quests: steps are reported and confirmed, and the quest is finished (G8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest

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
)
from dibs.game.quests.steps import QuestDeps, QuestProgress, confirm, file, pending, standings, tell
from dibs.game.quests.store import DynamoQuests
from dibs.ledger.entries import Entry
from dibs.ledger.quest_steps import STEP_VERIFIED
from dibs.ledger.store import DynamoLedger
from dibs.roster import store as roster_store
from dibs.rules.game import Game, Quest
from dibs.rules.playbook import Playbook
from support.builders import NOON, World, a_playbook
from support.fakes import Clock
from support.quests import AINA, BEN, CHONG, LEFT, MONDAY, START, VIDEO, an_entry

# Reporting and confirming


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def deps(world: World, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> QuestDeps:
    # A playbook or a rep that changes within a test is seen at once.
    monkeypatch.setattr(roster_store, "PLAYBOOK_SECONDS", -1.0)
    world.put_playbook(with_quest(START))
    for rep in (AINA, BEN, CHONG, LEFT):
        world.add_rep(rep)
    stores = (world.dynamo, world.settings)
    return QuestDeps(DynamoQuests(*stores), world.roster, DynamoLedger(*stores), clock)


def with_quest(quest: Quest) -> Playbook:
    return replace(a_playbook(), game=Game(quests={"start": quest}))


def entries_of(deps: QuestDeps) -> list[Entry]:
    assert isinstance(deps.ledger, DynamoLedger)
    return list(deps.ledger.everything())


def standing(deps: QuestDeps, rep: Rep = AINA) -> QuestProgress:
    [progress] = standings(deps, rep)
    return progress


def test_a_step_nobody_confirms_is_done_when_it_is_told(deps: QuestDeps, clock: Clock) -> None:
    told, is_done = tell(deps, AINA, "start", "tool", None)
    assert (told.at, told.peer, is_done) == (NOON, "", True)
    clock.pass_(hours=1)
    assert tell(deps, AINA, "start", "tool", None)[1] is True
    [entry] = entries_of(deps)
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
    assert entries_of(deps) == []
    if error is not None:
        with pytest.raises(error):
            confirm(deps, by, "start", step, AINA.rep_id)
        assert entries_of(deps) == []
        return
    for _ in range(2):
        assert confirm(deps, by, "start", step, AINA.rep_id) == AINA
    [entry] = entries_of(deps)
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
    assert entries_of(deps) == []
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
    assert entries_of(deps) == []


def test_another_peer_takes_the_place_of_the_first(deps: QuestDeps, clock: Clock) -> None:
    tell(deps, AINA, "start", "seller", BEN.rep_id)
    clock.pass_(hours=1)
    assert tell(deps, AINA, "start", "seller", BEN.rep_id)[0].at == NOON
    tell(deps, AINA, "start", "seller", CHONG.rep_id)
    assert pending(deps, BEN) == []
    assert [told.peer for told, _ in pending(deps, CHONG)] == [CHONG.rep_id]
    with pytest.raises(Forbidden):
        confirm(deps, BEN, "start", "seller", AINA.rep_id)


def test_who_confirms_is_said_by_the_playbook_in_force(deps: QuestDeps, world: World) -> None:
    tell(deps, AINA, "start", "seller", BEN.rep_id)
    step = replace(START.steps["seller"], verified_by="manager")
    stricter = replace(START, steps={**START.steps, "seller": step})
    world.put_playbook(with_quest(stricter))
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
    assert len(entries_of(deps)) == 1


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
    world: World,
    clock: Clock,
    at: str,
    within_days: int,
    joined_on: date | None,
    counts: bool,
) -> None:
    quest = replace(START, within_days=within_days)
    world.put_playbook(with_quest(quest))
    clock.at = datetime.fromisoformat("2027-05-01T12:00:00+00:00")
    deps.ledger.put([replace(VIDEO, at=datetime.fromisoformat(at))])
    found = standing(deps, replace(AINA, joined_on=joined_on))
    assert set(found.done) == ({"video"} if counts else set())


def test_without_quests_there_is_nothing_to_see(deps: QuestDeps, world: World) -> None:
    tell(deps, AINA, "start", "ethics", None)
    world.put_playbook(a_playbook())
    assert standings(deps, AINA) == []
    assert pending(deps, None) == []


def test_what_waits_comes_oldest_first_and_not_of_who_left(
    deps: QuestDeps, world: World, clock: Clock
) -> None:
    tell(deps, CHONG, "start", "seller", BEN.rep_id)
    clock.pass_(hours=1)
    tell(deps, AINA, "start", "ethics", None)
    tell(deps, AINA, "start", "seller", BEN.rep_id)
    found = [(rep.rep_id, told.step) for told, rep in pending(deps, None)]
    assert found == [(CHONG.rep_id, "seller"), (AINA.rep_id, "ethics"), (AINA.rep_id, "seller")]
    assert [rep.rep_id for _, rep in pending(deps, BEN)] == [CHONG.rep_id, AINA.rep_id]
    world.roster.deactivate(CHONG.rep_id, MONDAY)
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
