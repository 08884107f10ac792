"""A rep asks colleagues; help counts once the asker confirms it (G11)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from dibs.core.errors import (
    AlreadyExists,
    DibsError,
    Ended,
    Forbidden,
    InvalidInput,
    LeadNotFound,
    NotYours,
    RouteNotFound,
)
from dibs.core.lead import State
from dibs.game.help.ask import HelpDeps, answer, ask, close, confirm, mine, of_colleagues
from dibs.game.help.rules import HELPED, MOST_ANSWERS, HelpAnswer, HelpRequest, paid, pair_unit
from dibs.game.help.store import DynamoHelp
from dibs.ledger.entries import Entry
from dibs.ledger.store import DynamoLedger
from support.builders import NOON, World, a_lead, a_rep
from support.fakes import Clock
from support.interleaving import meanwhile

AINA, BEN, CHONG = a_rep(1), a_rep(2), a_rep(3)
SOUTH, LEFT = a_rep(4, team="south"), a_rep(5, active=False)
LEAD = a_lead(state=State.CLAIMED, owner=AINA.rep_id, claimed_at=NOON, epoch=3)
WEEK = timedelta(days=7)


# Asking


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def deps(world: World, clock: Clock) -> HelpDeps:
    world.put_lead(LEAD)
    for rep in (AINA, BEN, CHONG, SOUTH, LEFT):
        world.add_rep(rep)
    stores = (world.dynamo, world.settings)
    return HelpDeps(DynamoHelp(*stores), world.leads, world.roster, DynamoLedger(*stores), clock)


def asked(deps: HelpDeps, request_id: str = "r1") -> HelpRequest:
    return ask(deps, AINA, LEAD.lead_id, request_id, "How?")[0]


def booked(deps: HelpDeps) -> list[Entry]:
    assert isinstance(deps.ledger, DynamoLedger)
    return list(deps.ledger.everything())


def test_who_holds_a_lead_asks_about_it_once(deps: HelpDeps, clock: Clock) -> None:
    first, stood = ask(deps, AINA, LEAD.lead_id, " r1 ", "  How?\n")
    assert (first.question, first.epoch, first.company, stood) == ("How?", 3, "Acme Sdn Bhd", False)
    clock.pass_(days=1)
    assert ask(deps, AINA, LEAD.lead_id, "r1", "How?") == (first, True)
    assert asked(deps, "r2").help_id != first.help_id
    with pytest.raises(AlreadyExists):
        ask(deps, AINA, LEAD.lead_id, "r1", "Why?")
    with pytest.raises(AlreadyExists):
        ask(deps, AINA, "another", "r1", "How?")


def test_what_was_asked_stands_also_when_the_lead_is_gone(deps: HelpDeps, world: World) -> None:
    first = asked(deps)
    world.remove_lead(LEAD.lead_id)
    assert ask(deps, AINA, LEAD.lead_id, "r1", "How?") == (first, True)


def test_two_at_once_ask_one_thing(deps: HelpDeps, monkeypatch: pytest.MonkeyPatch) -> None:
    meanwhile(monkeypatch, deps.requests, "add", lambda: asked(deps))
    assert ask(deps, AINA, LEAD.lead_id, "r1", "How?") == (asked(deps), True)
    assert mine(deps, AINA) == [asked(deps)]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"owner": BEN.rep_id}, NotYours),
        ({"owner": None, "state": State.OPEN}, NotYours),
        ({"state": State.WON}, NotYours),
        ({"state": State.LOST}, NotYours),
        ({"state": State.OPPORTUNITY}, None),
        ({"lead_id": "another"}, LeadNotFound),
    ],
)
def test_only_the_holder_asks(
    deps: HelpDeps, world: World, changes: dict[str, Any], error: type[DibsError] | None
) -> None:
    world.remove_lead(LEAD.lead_id)
    world.put_lead(replace(LEAD, **changes))
    if error is None:
        asked(deps)
    else:
        with pytest.raises(error):
            asked(deps)


@pytest.mark.parametrize(
    ("request_id", "question", "named"),
    [
        ("", "How?", {"request_id"}),
        (None, "How?", {"request_id"}),
        (5, "How?", {"request_id"}),
        ("x" * 65, "How?", {"request_id"}),
        ("a\nb", "How?", {"request_id"}),
        ("r1", "", {"question"}),
        ("r1", "  \n ", {"question"}),
        ("r1", None, {"question"}),
        ("r1", ["How?"], {"question"}),
        ("r1", "x" * 501, {"question"}),
        ("r1", "a\x00b", {"question"}),
        (None, None, {"request_id", "question"}),
    ],
)
def test_what_a_request_cannot_be_is_named(
    deps: HelpDeps, request_id: object, question: object, named: set[str]
) -> None:
    with pytest.raises(InvalidInput) as raised:
        ask(deps, AINA, LEAD.lead_id, request_id, question)
    assert {error.field for error in raised.value.errors} == named
    assert mine(deps, AINA) == []


def test_a_blind_lead_shows_a_colleague_nothing(deps: HelpDeps, world: World) -> None:
    world.put_lead(replace(LEAD, blind=True))
    request = asked(deps)
    assert (request.company, request.title, request.blind) == ("", "", True)


# Who sees a question


@pytest.mark.parametrize(
    ("rep", "sees"), [(BEN, True), (AINA, False), (SOUTH, False), (LEFT, False)]
)
def test_the_askers_active_colleagues_of_the_team_are_asked(
    deps: HelpDeps, rep: Any, sees: bool
) -> None:
    request = asked(deps)
    assert of_colleagues(deps, rep) == ([request] if sees else [])
    if sees:
        assert answer(deps, rep, request.help_id, "So.")[0].text == "So."
    else:
        with pytest.raises(Forbidden if rep is AINA else RouteNotFound):
            answer(deps, rep, request.help_id, "So.")


def test_a_question_ends_after_seven_days(deps: HelpDeps, clock: Clock) -> None:
    request = asked(deps)
    clock.at = request.asked_at + WEEK - timedelta(milliseconds=1)
    assert of_colleagues(deps, BEN) == [request]
    assert answer(deps, CHONG, request.help_id, "So.")[1] is False
    clock.at = request.asked_at + WEEK
    assert of_colleagues(deps, BEN) == []
    with pytest.raises(Ended):
        answer(deps, BEN, request.help_id, "So.")
    # A rep who answered in time gets the same answer again.
    assert answer(deps, CHONG, request.help_id, "So.")[1] is True


def test_a_question_withdrawn_is_answered_no_more(deps: HelpDeps) -> None:
    request = asked(deps)
    for _ in range(2):
        close(deps, AINA, request.help_id)
    assert of_colleagues(deps, BEN) == []
    assert mine(deps, AINA)[0].closed_at == NOON
    with pytest.raises(Ended):
        answer(deps, BEN, request.help_id, "So.")


# Answering


def test_each_has_one_answer(deps: HelpDeps, clock: Clock) -> None:
    help_id = asked(deps).help_id
    first = answer(deps, BEN, help_id, " So. ")
    assert first == (HelpAnswer(BEN.rep_id, "So.", NOON), False)
    clock.pass_(hours=1)
    assert answer(deps, BEN, help_id, "So.") == (first[0], True)
    with pytest.raises(AlreadyExists):
        answer(deps, BEN, help_id, "Or so.")
    with pytest.raises(InvalidInput):
        answer(deps, BEN, help_id, "")


def test_an_answer_that_comes_as_the_question_is_withdrawn_is_refused(
    deps: HelpDeps, monkeypatch: pytest.MonkeyPatch
) -> None:
    help_id = asked(deps).help_id
    meanwhile(monkeypatch, deps.requests, "answer", lambda: close(deps, AINA, help_id))
    with pytest.raises(Ended):
        answer(deps, BEN, help_id, "So.")


def test_a_twin_of_an_answer_is_that_answer(
    deps: HelpDeps, monkeypatch: pytest.MonkeyPatch
) -> None:
    help_id = asked(deps).help_id
    meanwhile(monkeypatch, deps.requests, "answer", lambda: answer(deps, BEN, help_id, "So."))
    assert answer(deps, BEN, help_id, "So.") == (HelpAnswer(BEN.rep_id, "So.", NOON), True)


def test_nobody_reads_more_than_twenty_answers(deps: HelpDeps) -> None:
    help_id = asked(deps).help_id
    for number in range(MOST_ANSWERS):
        deps.requests.answer(help_id, HelpAnswer(f"r{number}", "So.", NOON))
    with pytest.raises(Ended, match="20 answers"):
        answer(deps, BEN, help_id, "So.")


def test_an_answer_that_was_not_kept_is_not_said_to_be(
    deps: HelpDeps, monkeypatch: pytest.MonkeyPatch
) -> None:
    help_id = asked(deps).help_id
    monkeypatch.setattr(deps.requests, "answer", lambda help_id, given: False)
    with pytest.raises(Ended):
        answer(deps, BEN, help_id, "So.")


# Confirming


def test_nothing_counts_before_the_asker_has_confirmed_it(deps: HelpDeps, clock: Clock) -> None:
    help_id = asked(deps).help_id
    answer(deps, BEN, help_id, "So.")
    assert booked(deps) == []
    at = clock.pass_(days=1)
    assert confirm(deps, AINA, help_id, BEN.rep_id).confirmed_at == at
    [entry] = booked(deps)
    assert entry.entry_id == f"help/{help_id}/{BEN.rep_id}"
    assert (entry.kind, entry.rep_id, entry.other, entry.at) == (
        HELPED,
        BEN.rep_id,
        AINA.rep_id,
        at,
    )
    assert (entry.lead_id, entry.epoch, entry.team, entry.test) == (LEAD.lead_id, 3, "north", False)
    assert entry.unit == pair_unit(AINA.rep_id, BEN.rep_id)
    # Confirming again later changes nothing.
    clock.pass_(days=1)
    assert confirm(deps, AINA, help_id, BEN.rep_id).confirmed_at == at
    assert booked(deps) == [entry]


def test_help_with_a_test_lead_counts_nothing(deps: HelpDeps, world: World) -> None:
    world.put_lead(replace(LEAD, test=True))
    help_id = asked(deps).help_id
    answer(deps, BEN, help_id, "So.")
    confirm(deps, AINA, help_id, BEN.rep_id)
    assert [entry.test for entry in booked(deps)] == [True]
    assert paid(booked(deps), lambda _: 3) == set()


def test_the_asker_confirms_also_when_the_lead_is_somebody_elses(
    deps: HelpDeps, world: World
) -> None:
    help_id = asked(deps).help_id
    answer(deps, BEN, help_id, "So.")
    close(deps, AINA, help_id)
    world.put_lead(replace(LEAD, owner=CHONG.rep_id, epoch=9))
    confirm(deps, AINA, help_id, BEN.rep_id)
    assert [entry.epoch for entry in booked(deps)] == [3]


def test_help_counts_for_the_team_the_helper_is_in_by_then(deps: HelpDeps, world: World) -> None:
    help_id = asked(deps).help_id
    answer(deps, BEN, help_id, "So.")
    world.roster.put_profile(replace(BEN, team="south"), ("team",))
    world.roster.deactivate(BEN.rep_id, NOON.date())
    confirm(deps, AINA, help_id, BEN.rep_id)
    assert [(entry.rep_id, entry.team) for entry in booked(deps)] == [(BEN.rep_id, "south")]


@pytest.mark.parametrize("helper", ["", None, 7, "nobody", AINA.rep_id, CHONG.rep_id])
def test_who_did_not_answer_did_not_help(deps: HelpDeps, helper: object) -> None:
    help_id = asked(deps).help_id
    answer(deps, BEN, help_id, "So.")
    with pytest.raises(InvalidInput):
        confirm(deps, AINA, help_id, helper)
    assert booked(deps) == []


@pytest.mark.parametrize(("rep", "error"), [(BEN, Forbidden), (SOUTH, RouteNotFound)])
def test_nobody_confirms_or_withdraws_for_the_asker(
    deps: HelpDeps, rep: Any, error: type[DibsError]
) -> None:
    help_id = asked(deps).help_id
    answer(deps, BEN, help_id, "So.")
    for act in (lambda: confirm(deps, rep, help_id, BEN.rep_id), lambda: close(deps, rep, help_id)):
        with pytest.raises(error):
            act()
    assert booked(deps) == []
    assert deps.requests.find(help_id) is not None
    assert mine(deps, AINA)[0].closed_at is None


@pytest.mark.parametrize(
    ("late", "counts"), [(timedelta(milliseconds=-1), True), (0 * WEEK, False)]
)
def test_help_is_confirmed_within_fourteen_days(
    deps: HelpDeps, clock: Clock, late: timedelta, counts: bool
) -> None:
    request = asked(deps)
    answer(deps, BEN, request.help_id, "So.")
    clock.at = request.asked_at + 2 * WEEK + late
    if counts:
        confirm(deps, AINA, request.help_id, BEN.rep_id)
        # Once it is confirmed, confirming again is harmless at any time.
        clock.pass_(days=30)
        confirm(deps, AINA, request.help_id, BEN.rep_id)
    else:
        with pytest.raises(Ended):
            confirm(deps, AINA, request.help_id, BEN.rep_id)
    assert len(booked(deps)) == int(counts)


def test_a_confirmation_cut_short_is_made_good_by_asking_again(
    deps: HelpDeps, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    help_id = asked(deps).help_id
    answer(deps, BEN, help_id, "So.")

    def cut(help_id: str, rep_id: str, at: datetime) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(deps.requests, "confirm", cut)
        with pytest.raises(ConnectionError):
            confirm(deps, AINA, help_id, BEN.rep_id)
    clock.pass_(hours=1)
    assert confirm(deps, AINA, help_id, BEN.rep_id).confirmed_at is not None
    assert [entry.at for entry in booked(deps)] == [NOON]
    assert mine(deps, AINA)[0].answers[BEN.rep_id].confirmed_at is not None
