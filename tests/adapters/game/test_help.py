"""What the stores of help and quests promise (G8, G11)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dibs.game.help.ports import HelpRequests
from dibs.game.help.rules import MOST_ANSWERS, HelpAnswer, HelpRequest
from dibs.game.help.store import DynamoHelp
from dibs.game.quests.ports import QuestLog
from dibs.game.quests.rules import MANAGERS, ReportedStep
from dibs.game.quests.store import DynamoQuests
from support.aws import items
from support.builders import NOON, World

HOUR = timedelta(hours=1)


@pytest.fixture
def requests(world: World) -> HelpRequests:
    return DynamoHelp(world.dynamo, world.settings)


@pytest.fixture
def log(world: World) -> QuestLog:
    return DynamoQuests(world.dynamo, world.settings)


def a_request(help_id: str = "one", **changes: Any) -> HelpRequest:
    asked = HelpRequest(help_id, "aa", "north", "lead", 2, "How do I\nreach them?", NOON, "Acme")
    return replace(asked, **changes)


def test_a_request_is_kept_as_it_was_asked_first(requests: HelpRequests) -> None:
    whole = a_request(title="Head", blind=True, test=True, closed_at=NOON + HOUR)
    assert requests.find("one") is None
    assert requests.add(whole)
    assert not requests.add(a_request(question="Something else"))
    assert requests.find("one") == whole
    assert requests.find("ön") is None
    assert requests.find("x" * 2000) is None


def test_lists_hold_the_latest_first_and_nobody_elses(requests: HelpRequests) -> None:
    for number in range(52):
        requests.add(a_request(f"n{number:02}", asked_at=NOON + number * HOUR))
    requests.add(a_request("other", rep_id="bb", team="south", asked_at=NOON + 99 * HOUR))
    latest = [f"n{number:02}" for number in range(51, 1, -1)]
    for found in (requests.of_rep("aa", NOON), requests.of_team("north", NOON)):
        assert [one.help_id for one in found] == latest
    late = NOON + 50 * HOUR
    assert [one.help_id for one in requests.of_rep("aa", late)] == ["n51", "n50"]
    assert [one.help_id for one in requests.of_team("south", NOON)] == ["other"]
    assert requests.of_rep("nobody", NOON) == []


def test_each_answers_once_until_it_is_closed_or_full(requests: HelpRequests) -> None:
    requests.add(a_request())
    answer = HelpAnswer("bb", "Call at nine.", NOON + HOUR)
    assert not requests.answer("two", answer)
    assert requests.answer("one", answer)
    assert not requests.answer("one", replace(answer, text="Call at ten."))
    for number in range(MOST_ANSWERS - 1):
        assert requests.answer("one", replace(answer, rep_id=f"r{number}"))
    assert not requests.answer("one", replace(answer, rep_id="late"))
    found = requests.find("one")
    assert found is not None
    assert len(found.answers) == MOST_ANSWERS
    assert found.answers["bb"] == answer
    requests.add(a_request("two"))
    requests.close("two", NOON)
    assert not requests.answer("two", answer)


def test_the_first_confirmation_and_the_first_closing_stay(requests: HelpRequests) -> None:
    requests.add(a_request())
    requests.answer("one", HelpAnswer("bb", "Yes", NOON))
    for hour in (1, 2):
        requests.confirm("one", "bb", NOON + hour * HOUR)
        requests.confirm("one", "cc", NOON)
        requests.close("one", NOON + hour * HOUR)
        requests.confirm("nothing", "bb", NOON)
        requests.close("nothing", NOON)
    found = requests.find("one")
    assert found is not None
    assert found.closed_at == NOON + HOUR
    assert found.answers == {"bb": HelpAnswer("bb", "Yes", NOON, NOON + HOUR)}
    assert requests.find("nothing") is None


def test_everything_people_wrote_goes_after_ninety_days(world: World) -> None:
    DynamoHelp(world.dynamo, world.settings).add(a_request())
    stored = items(world.dynamo.client, world.settings.game_table)
    goes = str(int((NOON + timedelta(days=90)).timestamp()))
    assert [item["expires_at"]["N"] for item in stored] == [goes] * 3


A_STEP = ReportedStep("aa", "start", "video", NOON, "bb")


def test_a_step_waits_for_its_peer_and_the_managers_until_it_is_settled(log: QuestLog) -> None:
    alone = ReportedStep("aa", "start", "tool", NOON)
    assert log.tell(A_STEP, None)
    assert log.tell(alone, None)
    assert log.reported_by("aa") == [alone, A_STEP]
    assert log.reported_by("bb") == []
    assert log.waiting_for(MANAGERS) == [alone, A_STEP]
    assert log.waiting_for("bb") == [A_STEP]
    for _ in range(2):
        log.settle(A_STEP)
        assert log.waiting_for(MANAGERS) == [alone]
        assert log.waiting_for("bb") == []
        assert log.reported_by("aa") == [alone, A_STEP]


def test_a_step_told_anew_waits_for_the_other_peer(log: QuestLog) -> None:
    log.tell(A_STEP, None)
    anew = replace(A_STEP, peer="cc", at=NOON + HOUR)
    assert not log.tell(anew, None)
    assert not log.tell(anew, replace(A_STEP, at=NOON - HOUR))
    assert log.reported_by("aa") == [A_STEP]
    assert log.tell(anew, A_STEP)
    assert log.reported_by("aa") == log.waiting_for("cc") == log.waiting_for(MANAGERS) == [anew]
    assert log.waiting_for("bb") == []
