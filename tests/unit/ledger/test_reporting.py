"""Who may report what, how late and up to how much, and whose result it is (K4, K5, K6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dibs.assignment.override import assign
from dibs.assignment.work import release
from dibs.core.credentials import Manager
from dibs.core.errors import AlreadyExists, DibsError, Forbidden, InvalidInput, NotYours
from dibs.core.lead import State
from dibs.core.money import converted
from dibs.ledger.activities import CONFIRMATION, REVERSAL, Activity
from dibs.ledger.amounts import is_held, settled
from dibs.ledger.holders import holder_at
from dibs.ledger.outcomes import standing
from dibs.ledger.record import SKEW, RecordResult, record
from dibs.ledger.settle import settle_amounts
from support.builders import NOON, a_playbook, a_rep, proof_of
from support.fake_ledger import FakeLedger
from unit.ledger.test_activities import AINA, BEN, ActivityCase

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
BIG = {"amount": 10**9, "currency": "MYR"}
CHONG = a_rep(3)
MIA, MAX = Manager("manager.mia", "Mia"), Manager("manager.max", "Max", team="north")


@pytest.fixture
def case() -> ActivityCase:
    made = ActivityCase()
    made.clock.pass_(minutes=10)
    return made


def refused(case: ActivityCase, *args: Any, **changes: Any) -> str:
    """What a report is refused with: its fields, or the code."""
    with pytest.raises(DibsError) as caught:
        case.tell(*args, **changes)
    error = caught.value
    return error.errors[0].field if isinstance(error, InvalidInput) else error.code


# C3: who, how far back, how much


@pytest.mark.parametrize("type", ["upsell", "cross_sell", "quote_sent", "call", "reference"])
def test_a_rep_reports_no_amount_without_a_lead(case: ActivityCase, type: str) -> None:
    money = {"amount": 5, "currency": "USD", "lead_id": ""}
    assert refused(case, type, by=AINA.rep_id, **money) == "lead_id"
    assert case.tell(type, **money).entry.amount == 5  # a system may


@pytest.mark.parametrize("type", ["won", "upsell", "quote_sent"])
@pytest.mark.parametrize("amount", [10_000_001, 10**15])
def test_a_rep_reports_no_amount_above_the_playbooks(
    case: ActivityCase, type: str, amount: int
) -> None:
    assert refused(case, type, by=AINA.rep_id, amount=amount, currency="USD") == "amount"
    assert case.tell(type, amount=amount, currency="USD").entry.amount == amount


def test_a_rep_works_no_more_than_a_day_a_day(case: ActivityCase) -> None:
    told = {"by": AINA.rep_id, "lead_id": ""}
    assert refused(case, "hours_worked", amount=1441, **told) == "amount"
    assert case.tell("hours_worked", amount=480, **told).entry.reporter == "rep"


@pytest.mark.parametrize(("by", "days"), [(AINA.rep_id, 7), (None, 90)])
def test_what_is_too_old_is_refused(case: ActivityCase, by: str | None, days: int) -> None:
    old = case.clock() - days * DAY
    assert refused(case, lead_id="", by=by, at=old - MINUTE) == "at"
    assert not case.tell(lead_id="", by=by, at=old).repeated


def test_a_repeat_is_one_however_old_it_has_become(case: ActivityCase) -> None:
    at = case.clock()
    case.tell(by=AINA.rep_id, at=at)
    case.clock.pass_(seconds=30 * 24 * 3600)
    assert case.tell(by=AINA.rep_id, at=at).repeated


@pytest.mark.parametrize("type", ["csat", "nps", "confirmation"])
def test_a_rep_does_not_judge_themselves(case: ActivityCase, type: str) -> None:
    more: dict[str, Any] = {"confirms": "x"} if type == CONFIRMATION else {"amount": 9}
    assert refused(case, type, by=AINA.rep_id, **more) == "forbidden"


def test_the_playbook_says_who_reports_a_type() -> None:
    rules = {"types": {"won": {"by": ["system"]}, "call": {"rep_days": 0}}}
    made = ActivityCase()
    made.put_playbook(a_playbook(game={"reporting": rules}))
    made.clock.pass_(minutes=10)
    assert refused(made, "won", by=AINA.rep_id) == "forbidden"
    assert refused(made, by=AINA.rep_id, at=NOON) == "at"
    assert made.tell("won").entry.reporter == "system"


@pytest.mark.parametrize("type", ["won", "lost", "disqualified", "contacted", "call"])
@pytest.mark.parametrize("manager", [None, MIA])
def test_a_rep_takes_back_no_word_of_a_system_or_a_manager(
    case: ActivityCase, type: str, manager: Manager | None
) -> None:
    told = Activity("act-1", type, case.clock(), case.won.lead_id, AINA.rep_id)
    record(case.register, told, None, manager)
    state = case.lead(case.won).state
    back = Activity("back", REVERSAL, case.clock(), reverses="act-1")
    with pytest.raises((Forbidden, InvalidInput)):
        record(case.register, back, AINA.rep_id)
    assert case.lead(case.won).state is state
    taken_back = record(case.register, back, None, manager)
    assert taken_back.entry.kind == REVERSAL


def test_a_system_takes_back_what_a_rep_reported(case: ActivityCase) -> None:
    case.tell("lost", by=AINA.rep_id)
    back = Activity("back", REVERSAL, case.clock(), rep_id=AINA.rep_id, reverses="act-1")
    record(case.register, back, None)
    assert case.lead(case.won).state is State.CLAIMED


@pytest.mark.parametrize(("by", "counts"), [(AINA.rep_id, False), (None, True)])
def test_a_contact_a_rep_reports_late_counts_from_the_report(
    case: ActivityCase, by: str | None, counts: bool
) -> None:
    entry = case.tell("contacted", by=by, at=NOON + 2 * MINUTE).entry
    assert (entry.counts_from == entry.at) is counts
    assert entry.counts_from in (entry.at, case.clock())
    prompt = case.tell("contacted", by=by, activity_id="2", at=case.clock() - MINUTE).entry
    assert prompt.counts_from == prompt.at


# C4: ids are per reporter


def test_each_reporter_has_ids_of_their_own(case: ActivityCase) -> None:
    told = Activity("crm-1001", "call", case.clock(), case.won.lead_id, AINA.rep_id)
    deal = replace(told, type="won", amount=5, currency="USD")
    for by, manager in ((AINA.rep_id, None), (None, None), (None, MIA), (None, MAX)):
        sent = told if by else deal
        assert not record(case.register, sent, by, manager).repeated
        assert record(case.register, sent, by, manager).repeated
    assert len(case.ledger.entries) == 4


@pytest.mark.parametrize("crafted", ["rep-activity/aaaac/1", f"{AINA.rep_id}/1", "amount/1"])
def test_no_id_reaches_into_another_reporters(case: ActivityCase, crafted: str) -> None:
    case.tell(by=AINA.rep_id, activity_id="1")
    assert not case.tell("email", activity_id=crafted).repeated
    assert len(case.ledger.entries) == 2


def test_what_was_stored_before_is_still_recognised(case: ActivityCase) -> None:
    sent = Activity("act-1", "call", case.clock(), case.won.lead_id, AINA.rep_id)
    entry = record(case.register, sent, None).entry
    case.ledger.entries = {entry.entry_id: replace(entry, reporter="", recorded_at=None)}
    assert record(case.register, sent, AINA.rep_id).repeated
    assert not record(case.register, replace(sent, type="email"), AINA.rep_id).repeated


# K3: the amount may follow


@pytest.mark.parametrize("by", [AINA.rep_id, None])
@pytest.mark.parametrize("type", ["won", "upsell", "cross_sell"])
def test_an_amount_may_follow_under_the_same_id(
    case: ActivityCase, by: str | None, type: str
) -> None:
    at = case.clock()
    case.tell(type, by=by, at=at)
    money = {"amount": 500, "currency": "USD", "at": at}
    assert case.tell(type, by=by, **money).entry.amount == 500
    assert case.tell(type, by=by, **money).repeated
    assert case.tell(type, by=by, at=at).repeated
    with pytest.raises(AlreadyExists):
        case.tell(type, by=by, **{**money, "amount": 501})
    [entry] = standing(case.ledger.entries.values())
    assert (entry.kind, entry.amount, entry.currency) == (type, 500, "USD")


def test_a_second_won_brings_the_amount_and_is_no_second_deal(case: ActivityCase) -> None:
    case.tell("won", by=AINA.rep_id)
    case.tell("won", activity_id="crm-1", amount=500, currency="USD")
    case.tell("won", by=AINA.rep_id, activity_id="2", amount=900, currency="USD")
    [entry] = standing(case.ledger.entries.values())
    assert (entry.amount, entry.reporter) == (500, "system")


def test_an_amount_that_follows_is_believed_no_more(case: ActivityCase) -> None:
    at = case.clock()
    case.tell("won", by=AINA.rep_id, at=at)
    assert refused(case, "won", by=AINA.rep_id, at=at, amount=10**9, currency="USD") == "amount"


# F3: other currencies

RATES = [
    {"currency": "MYR", "since": "2026-01-01", "rate": 0.2},
    {"currency": "MYR", "since": "2026-11-23", "rate": 0.25},
    {"currency": "MYR", "since": "2026-11-24", "rate": 9},
    {"currency": "JPY", "since": "2026-01-01", "rate": 0.0065},
]


@pytest.mark.parametrize(
    ("amount", "from_currency", "to_currency", "rate", "value"),
    [
        (100_000, "MYR", "USD", "0.25", 25_000),
        (100_000, "JPY", "USD", "0.0065", 65_000),
        (100_000, "USD", "JPY", "150", 150_000),
        (1_000, "KWD", "USD", "3.25", 325),
        (1, "USD", "KWD", "0.3", 3),
        (5, "MYR", "USD", "0.1", 0),
        (15, "MYR", "USD", "0.1", 2),
        (10**15, "IDR", "USD", "6.12e-05", 61_200_000_000),
    ],
)
def test_an_amount_is_converted_in_smallest_units(
    amount: int, from_currency: str, to_currency: str, rate: str, value: int
) -> None:
    assert converted(amount, from_currency, to_currency, rate) == value


def test_an_amount_counts_by_the_rate_of_its_day_which_is_kept(case: ActivityCase) -> None:
    case.put_playbook(a_playbook(game={"rates": RATES}))
    entry = case.tell("won", amount=100_000, currency="MYR").entry
    assert (entry.amount, entry.currency) == (100_000, "MYR")
    assert (entry.value, entry.value_currency, entry.rate) == (25_000, "USD", "0.25")
    assert not is_held(entry, "USD")


def test_an_amount_without_a_rate_is_held_until_there_is_one(case: ActivityCase) -> None:
    entry = case.tell("won", amount=100_000, currency="MYR").entry
    assert is_held(entry, "USD")
    assert settled(entry, case.memory.playbook) is None
    rated = settled(entry, a_playbook(game={"rates": RATES}))
    assert rated is not None
    [counted] = standing([rated, entry])
    assert (counted.kind, counted.value, is_held(counted, "USD")) == ("won", 25_000, False)


def test_a_rate_makes_no_more_of_a_reps_word_than_it_may_be(case: ActivityCase) -> None:
    entry = case.tell("won", by=AINA.rep_id, amount=10**9, currency="MYR").entry
    assert settled(entry, a_playbook(game={"rates": RATES})) is None
    case.put_playbook(a_playbook(game={"rates": RATES}))
    assert refused(case, "upsell", by=AINA.rep_id, **{**BIG, "activity_id": "2"}) == "amount"


# F1, F2: who held it then


def reassign(case: ActivityCase, to: str) -> None:
    holdings = case.holdings
    assign(case.race, holdings, case.won.lead_id, to, "mia", "why not", case.clock)


def test_a_late_activity_is_of_who_held_the_lead_then(case: ActivityCase) -> None:
    reassign(case, BEN.rep_id)
    case.clock.pass_(minutes=10)
    late = case.tell("appointment_set", activity_id="late", at=NOON + 5 * MINUTE)
    assert (late.entry.rep_id, late.entry.epoch, late.entry.taken_at) == (AINA.rep_id, 1, NOON)
    unnamed = case.tell(activity_id="unnamed", rep_id="", at=NOON + 5 * MINUTE)
    assert unnamed.entry.rep_id == AINA.rep_id
    own = case.tell("email", by=AINA.rep_id, activity_id="own", at=NOON + 5 * MINUTE)
    assert own.entry.epoch == 1
    assert case.lead(case.won).owner == BEN.rep_id
    assert case.lead(case.won).state is State.ASSIGNED
    now = case.tell(activity_id="now", rep_id="")
    assert (now.entry.rep_id, now.entry.epoch) == (BEN.rep_id, 2)


@pytest.mark.parametrize("at", [NOON + 18 * MINUTE, NOON - 5 * MINUTE])
def test_who_did_not_hold_it_then_did_nothing_with_it(case: ActivityCase, at: Any) -> None:
    reassign(case, BEN.rep_id)
    case.clock.pass_(minutes=10)
    with pytest.raises(NotYours):
        case.tell(at=at)
    with pytest.raises((NotYours, InvalidInput)):
        case.tell(rep_id=BEN.rep_id, at=NOON + 5 * MINUTE)


def test_who_undid_a_claim_never_held_the_lead() -> None:
    case = ActivityCase()
    case.undo()
    history = FakeLedger(case.memory).story(case.won.lead_id)
    assert history is not None
    assert holder_at(history, NOON, "", SKEW) is None


def test_a_transfer_hands_the_lead_to_the_colleague_once(case: ActivityCase) -> None:
    case.add_rep(CHONG)

    def hand_over(lead_id: str, from_rep: str, to_rep: str) -> None:
        args = (case.race, case.holdings, lead_id, to_rep, from_rep, "transferred", case.clock)
        assign(*args, transferred_by=from_rep)

    case.register = replace(case.register, hand_over=hand_over)
    at = case.clock()
    told: RecordResult = case.tell("transfer", by=AINA.rep_id, to_rep_id=BEN.rep_id, at=at)
    assert told.entry.other == BEN.rep_id
    lead = case.lead(case.won)
    assert (lead.owner, lead.state, lead.epoch) == (BEN.rep_id, State.ASSIGNED, 2)
    reassign(case, CHONG.rep_id)
    assert case.tell("transfer", by=AINA.rep_id, to_rep_id=BEN.rep_id, at=at).repeated
    assert case.lead(case.won).owner == CHONG.rep_id


@pytest.mark.parametrize("to", ["zzzzz", AINA.rep_id])
def test_a_transfer_names_a_colleague(case: ActivityCase, to: str) -> None:
    assert refused(case, "transfer", to_rep_id=to) == "to_rep_id"
    assert refused(case, "call", to_rep_id=BEN.rep_id) == "to_rep_id"


# K4: why a lead was released


@pytest.mark.parametrize(
    ("reason", "excused"),
    [
        ("wrong number", True),
        ("Wrong-number: a school answers", True),
        ("DUPLICATE", True),
        ("out_of_territory", True),
        ("Nombor salah.", True),
        ("not interested", False),
        ("too busy", False),
        ("wrongnumber", False),
        ("test drive booked elsewhere", True),
        ("testing", False),
        ("...", False),
    ],
)
def test_a_reason_is_the_leads_own_or_the_reps_choice(reason: str, excused: bool) -> None:
    assert a_playbook().release.is_about_lead(reason) is excused


def test_the_reason_is_read_when_the_release_is_written_down(case: ActivityCase) -> None:
    from dibs.core.events import LeadEvent
    from dibs.ledger.project import project

    proof = proof_of(AINA)
    release(
        case.race, case.holdings, case.won.lead_id, AINA.rep_id, proof, "wrong number", case.clock
    )
    project(LeadEvent("lead.returned", case.won.lead_id, 1, ""), case.ledger, case.roster)
    [back] = [entry for entry in case.ledger.entries.values() if entry.kind == "returned"]
    assert back.excused


def test_held_amounts_are_settled_once(case: ActivityCase) -> None:
    case.tell("won", amount=100_000, currency="MYR")
    rated = a_playbook(game={"rates": RATES})
    runs = [settle_amounts(case.ledger, rated, case.clock() + n * DAY).changed for n in (1, 30)]
    assert runs == [1, 0]
    [entry] = standing(case.ledger.entries.values())
    assert entry.value == 25_000
    assert settle_amounts(case.ledger, case.memory.playbook, case.clock()).changed == 0


def test_a_manager_of_another_team_reports_and_takes_back_nothing(case: ActivityCase) -> None:
    sid = Manager("manager.sid", "Sid", team="south")
    told = Activity("act-1", "call", case.clock(), case.won.lead_id, AINA.rep_id)
    with pytest.raises(InvalidInput):
        record(case.register, told, None, sid)
    record(case.register, told, None)
    with pytest.raises(InvalidInput):
        record(case.register, Activity("b", REVERSAL, case.clock(), reverses="act-1"), None, sid)
    assert len(case.ledger.entries) == 1
