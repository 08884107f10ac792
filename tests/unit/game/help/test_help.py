"""Help counts once the asker confirms it, and each pair of reps has a monthly cap (G11)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from dibs.ledger.entries import Entry
from support.builders import NOON, a_lead, a_rep
from support.fake_help import FakeHelp
from support.fake_ledger import FakeLedger
from support.fakes import Clock, FakeLeads, FakeRoster, Memory

AINA, BEN, CHONG = a_rep(1), a_rep(2), a_rep(3)
SOUTH, LEFT = a_rep(4, team="south"), a_rep(5, active=False)
LEAD = a_lead(state=State.CLAIMED, owner=AINA.rep_id, claimed_at=NOON, epoch=3)
WEEK = timedelta(days=7)


# Paid help


def a_help(number: int, helper: str = "bb", other: str = "aa", **changes: Any) -> Entry:
    at = NOON + timedelta(hours=number)
    entry = Entry(
        f"help/{number:04}/{helper}", HELPED, helper, "north", at, "", day=f"{at:%Y-%m-%d}"
    )
    return replace(entry, other=other, unit=pair_unit(helper, other), **changes)


TWO = [a_help(1), a_help(2, "aa", "bb")]


@pytest.mark.parametrize(
    ("helps", "cap", "numbers"),
    [
        ([], 3, []),
        ([a_help(n) for n in range(5)], 3, [0, 1, 2]),
        ([a_help(n) for n in range(5)], 0, []),
        ([a_help(n) for n in range(2)], 3, [0, 1]),
        # Both directions share the cap, by time.
        ([*TWO, a_help(0), a_help(3, "aa", "bb")], 3, [0, 1, 2]),
        ([*TWO, a_help(3, "cc", "aa"), a_help(4, "cc", "bb")], 1, [1, 3, 4]),
        # Each month has its own cap, by the entry's local day.
        ([*TWO, a_help(3, day="2026-12-01"), a_help(4, day="2026-12-31")], 1, [1, 3]),
        # At the same moment the id decides.
        ([a_help(2, at=NOON), a_help(1, at=NOON)], 1, [1]),
        # Self-reported help and test leads are not paid and do not count towards the cap.
        ([a_help(0, test=True), a_help(1, other=""), a_help(2)], 1, [2]),
        ([a_help(0, kind="call"), a_help(1)], 1, [1]),
        ([*TWO, *TWO], 3, [1, 2]),
    ],
)
def test_of_a_pair_the_first_of_a_month_are_paid(
    helps: list[Entry], cap: int, numbers: list[int]
) -> None:
    assert sorted(int(one.split("/")[1]) for one in paid(helps, lambda _: cap)) == numbers


def test_a_changed_cap_changes_nothing_that_was_before() -> None:
    caps = {1: 1, 2: 3, 3: 0}
    helps = [a_help(n, playbook_version=v) for n, v in enumerate((1, 1, 2, 2, 3))]
    later = [a_help(9, day="2026-12-01", playbook_version=2)]
    assert sorted(paid([*helps, *later], lambda version: caps[version])) == [
        "help/0000/bb",
        "help/0002/bb",
        "help/0009/bb",
    ]


HELPS = st.lists(
    st.builds(
        lambda number, pair, late, test: a_help(
            number,
            *pair,
            at=NOON + timedelta(hours=late),
            day=f"2026-{11 + late % 2}-23",
            test=test,
        ),
        st.integers(0, 30),
        st.permutations(["aa", "bb", "cc"]).map(lambda three: three[:2]),
        st.integers(0, 5),
        st.booleans(),
    ),
    unique_by=lambda entry: entry.entry_id,
    max_size=25,
)


@given(helps=HELPS, cap=st.integers(0, 4), data=st.data())
def test_what_is_paid_is_the_same_in_any_order_and_never_above_the_cap(
    helps: list[Entry], cap: int, data: st.DataObject
) -> None:
    found = paid(helps, lambda _: cap)
    again = data.draw(st.permutations([*helps, *helps[::2]]))
    assert paid(again, lambda _: cap) == found
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in helps:
        if not entry.test:
            groups.setdefault((entry.unit, entry.day[:7]), []).append(entry)
    # Never more than the cap, and the whole cap where there are as many helps.
    for group in groups.values():
        mine = [entry for entry in group if entry.entry_id in found]
        assert len(mine) == min(cap, len(group))
        left = [entry.at for entry in group if entry.entry_id not in found]
        assert not left or all(entry.at <= min(left) for entry in mine)
    assert len(found) == sum(min(cap, len(group)) for group in groups.values())


@given(helps=HELPS, cap=st.integers(0, 4))
def test_each_pair_is_paid_as_if_it_were_alone(helps: list[Entry], cap: int) -> None:
    units = {entry.unit for entry in helps}
    alone = [paid([x for x in helps if x.unit == unit], lambda _: cap) for unit in units]
    assert paid(helps, lambda _: cap) == set().union(*alone)


def test_a_pair_is_one_unit_in_both_directions() -> None:
    assert pair_unit("bb", "aa") == pair_unit("aa", "bb") == "help/aa/bb"


# Asking


@pytest.fixture
def memory() -> Memory:
    store = Memory(leads={LEAD.lead_id: LEAD})
    for rep in (AINA, BEN, CHONG, SOUTH, LEFT):
        FakeRoster(store).add(rep, "token")
    return store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def deps(memory: Memory, clock: Clock) -> HelpDeps:
    return HelpDeps(FakeHelp(), FakeLeads(memory), FakeRoster(memory), FakeLedger(memory), clock)


def asked(deps: HelpDeps, request_id: str = "r1") -> HelpRequest:
    return ask(deps, AINA, LEAD.lead_id, request_id, "How?")[0]


def ledger_entries(deps: HelpDeps) -> list[Entry]:
    ledger = deps.ledger
    assert isinstance(ledger, FakeLedger)
    return list(ledger.entries.values())


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


def test_what_was_asked_stands_also_when_the_lead_is_gone(deps: HelpDeps, memory: Memory) -> None:
    first = asked(deps)
    memory.leads.clear()
    assert ask(deps, AINA, LEAD.lead_id, "r1", "How?") == (first, True)


def test_two_at_once_ask_one_thing(deps: HelpDeps) -> None:
    requests = deps.requests
    assert isinstance(requests, FakeHelp)
    requests.meanwhile = lambda: asked(deps)
    assert ask(deps, AINA, LEAD.lead_id, "r1", "How?") == (asked(deps), True)
    assert len(requests.requests) == 1


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
    deps: HelpDeps, memory: Memory, changes: dict[str, Any], error: type[DibsError] | None
) -> None:
    lead = replace(LEAD, **changes)
    memory.leads = {lead.lead_id: lead}
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


def test_a_blind_lead_shows_a_colleague_nothing(deps: HelpDeps, memory: Memory) -> None:
    memory.leads[LEAD.lead_id] = replace(LEAD, blind=True)
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


def test_an_answer_that_comes_as_the_question_is_withdrawn_is_refused(deps: HelpDeps) -> None:
    help_id = asked(deps).help_id
    requests = deps.requests
    assert isinstance(requests, FakeHelp)
    requests.meanwhile = lambda: close(deps, AINA, help_id)
    with pytest.raises(Ended):
        answer(deps, BEN, help_id, "So.")


def test_a_twin_of_an_answer_is_that_answer(deps: HelpDeps) -> None:
    help_id = asked(deps).help_id
    requests = deps.requests
    assert isinstance(requests, FakeHelp)
    requests.meanwhile = lambda: answer(deps, BEN, help_id, "So.")
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
    assert ledger_entries(deps) == []
    at = clock.pass_(days=1)
    assert confirm(deps, AINA, help_id, BEN.rep_id).confirmed_at == at
    [entry] = ledger_entries(deps)
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
    assert ledger_entries(deps) == [entry]


def test_help_with_a_test_lead_counts_nothing(deps: HelpDeps, memory: Memory) -> None:
    memory.leads[LEAD.lead_id] = replace(LEAD, test=True)
    help_id = asked(deps).help_id
    answer(deps, BEN, help_id, "So.")
    confirm(deps, AINA, help_id, BEN.rep_id)
    assert [entry.test for entry in ledger_entries(deps)] == [True]
    assert paid(ledger_entries(deps), lambda _: 3) == set()


def test_the_asker_confirms_also_when_the_lead_is_somebody_elses(
    deps: HelpDeps, memory: Memory
) -> None:
    help_id = asked(deps).help_id
    answer(deps, BEN, help_id, "So.")
    close(deps, AINA, help_id)
    memory.leads[LEAD.lead_id] = replace(LEAD, owner=CHONG.rep_id, epoch=9)
    confirm(deps, AINA, help_id, BEN.rep_id)
    assert [entry.epoch for entry in ledger_entries(deps)] == [3]


def test_help_counts_for_the_team_the_helper_is_in_by_then(deps: HelpDeps, clock: Clock) -> None:
    help_id = asked(deps).help_id
    answer(deps, BEN, help_id, "So.")
    roster = deps.roster
    assert isinstance(roster, FakeRoster)
    roster.put_profile(replace(BEN, team="south"), ("team",))
    roster.deactivate(BEN.rep_id, NOON.date())
    confirm(deps, AINA, help_id, BEN.rep_id)
    assert [(entry.rep_id, entry.team) for entry in ledger_entries(deps)] == [(BEN.rep_id, "south")]


@pytest.mark.parametrize("helper", ["", None, 7, "nobody", AINA.rep_id, CHONG.rep_id])
def test_who_did_not_answer_did_not_help(deps: HelpDeps, helper: object) -> None:
    help_id = asked(deps).help_id
    answer(deps, BEN, help_id, "So.")
    with pytest.raises(InvalidInput):
        confirm(deps, AINA, help_id, helper)
    assert ledger_entries(deps) == []


@pytest.mark.parametrize(("rep", "error"), [(BEN, Forbidden), (SOUTH, RouteNotFound)])
def test_nobody_confirms_or_withdraws_for_the_asker(
    deps: HelpDeps, rep: Any, error: type[DibsError]
) -> None:
    help_id = asked(deps).help_id
    answer(deps, BEN, help_id, "So.")
    for act in (lambda: confirm(deps, rep, help_id, BEN.rep_id), lambda: close(deps, rep, help_id)):
        with pytest.raises(error):
            act()
    assert ledger_entries(deps) == []
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
    assert len(ledger_entries(deps)) == int(counts)


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
    assert [entry.at for entry in ledger_entries(deps)] == [NOON]
    assert mine(deps, AINA)[0].answers[BEN.rep_id].confirmed_at is not None
