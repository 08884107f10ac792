"""An activity is recorded once, together with its change to the lead (K1, C8, C11)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from dibs.core.attempts import MOST
from dibs.core.errors import (
    AlreadyExists,
    Busy,
    Forbidden,
    IllegalMove,
    InvalidInput,
    LeadNotFound,
    NotYours,
)
from dibs.core.lead import Lead, State, moved
from dibs.core.rep import Usage
from dibs.ledger.activities import (
    AHEAD,
    CONFIRMATION,
    MOVES,
    PLAIN,
    REVERSAL,
    TYPES,
    Activity,
    counting,
    step,
    taken_back,
    wrong,
)
from dibs.ledger.entries import Entry
from dibs.ledger.record import (
    SKEW,
    RecordDeps,
    RecordResult,
    record,
    record_all,
    shared_with,
)
from dibs.race.claim import claim
from dibs.race.undo import undo
from support.builders import NOON, a_card, a_lead, a_playbook, a_rep, proof_of
from support.fake_ledger import FakeLedger
from support.fakes import FakeRoster, FakeWorld, Memory, no_pause

MS = timedelta(milliseconds=1)
MINUTE = timedelta(minutes=1)
AINA, BEN = a_rep(1), a_rep(2)
COUNTS = ("call", "contacted")


def an_activity(type: str = "call", **changes: Any) -> Activity:
    return replace(Activity("act-1", type, NOON + MINUTE, "lead", AINA.rep_id), **changes)


def held(state: State = State.CLAIMED, **changes: Any) -> Lead:
    return a_lead(state=state, owner=AINA.rep_id, claimed_at=NOON, **changes)


# On values: which activities are valid


def named(activity: Activity) -> list[str]:
    return [error.field for error in wrong(activity, NOON)]


def needed(type: str) -> dict[str, Any]:
    """What an activity of this type is nothing without."""
    if type == REVERSAL:
        return {"reverses": "act-0"}
    if type == CONFIRMATION:
        return {"confirms": "act-0"}
    return {"amount": 6} if type in PLAIN else {}


@pytest.mark.parametrize("type", TYPES)
def test_every_known_type_is_accepted(type: str) -> None:
    assert named(an_activity(type, **needed(type))) == []


@pytest.mark.parametrize("type", PLAIN)
def test_hours_and_satisfaction_are_nothing_without_how_much(type: str) -> None:
    assert named(an_activity(type, amount=None)) == ["amount"]
    assert named(an_activity(type, amount=0)) == []


@pytest.mark.parametrize("type", ["claimed", "returned", "prize", "step_verified", "Call", ""])
def test_no_other_type_is(type: str) -> None:
    assert named(an_activity(type)) == ["type"]


def test_the_playbook_may_add_types() -> None:
    assert wrong(an_activity("site_visit"), NOON, ["site_visit"]) == []
    assert wrong(an_activity("site_visit", amount=3), NOON, ["site_visit"]) == []


def test_a_reversal_says_what_it_takes_back_and_nothing_else_does() -> None:
    assert named(an_activity(REVERSAL)) == ["reverses"]
    assert named(an_activity(REVERSAL, rep_id="", lead_id="", reverses="act-0")) == []
    assert named(an_activity("call", reverses="act-0")) == ["reverses"]


@pytest.mark.parametrize(
    ("type", "amount", "currency", "fits"),
    [
        ("csat", 100, "", True),
        ("csat", 101, "", False),
        ("csat", 100, "USD", False),
        ("hours_worked", 480, "", True),
        ("hours_worked", 480, "USD", False),
    ],
)
def test_hours_and_satisfaction_are_no_money(
    type: str, amount: int, currency: str, fits: bool
) -> None:
    assert (named(an_activity(type, amount=amount, currency=currency)) == []) is fits


@pytest.mark.parametrize(("ahead", "fits"), [(AHEAD, True), (AHEAD + MS, False)])
def test_a_senders_clock_may_be_five_minutes_ahead(ahead: timedelta, fits: bool) -> None:
    assert (named(an_activity(at=NOON + ahead)) == []) is fits


@pytest.mark.parametrize("type", TYPES)
def test_what_moves_a_lead_says_which(type: str) -> None:
    told = an_activity(type, lead_id="", **needed(type))
    assert named(told) == (["lead_id"] if type in MOVES else [])


def test_somebody_must_have_done_it() -> None:
    assert named(an_activity("call", rep_id="")) == []
    assert named(an_activity("call", rep_id="", lead_id="")) == ["rep_id"]


def test_an_amount_needs_its_currency() -> None:
    assert named(an_activity("won", amount=0)) == ["currency"]
    assert named(an_activity("won", amount=0, currency="USD")) == []


def test_every_wrong_field_is_named_at_once() -> None:
    activity = Activity("a", "hugged", NOON + 9 * MINUTE, amount=5)
    assert named(activity) == ["type", "at", "rep_id", "currency"]


CHANGES: list[dict[str, Any]] = [
    {"type": "email"},
    {"at": NOON},
    {"lead_id": "other"},
    {"rep_id": ""},
    {"amount": 0},
    {"currency": "USD"},
    {"reverses": "act-0"},
    {"step": "onboarding/crm"},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_a_digest_tells_every_change(change: dict[str, Any]) -> None:
    assert an_activity(**change).digest != an_activity().digest
    assert an_activity(activity_id="other").digest == an_activity().digest


@pytest.mark.parametrize(
    ("counts", "more"),
    [
        (("call",), set()),
        (("call", "contacted"), {"qualified", "opportunity", "won"}),
        (("opportunity",), {"won"}),
        ((), set()),
    ],
)
def test_with_a_stage_every_later_one_works_a_lead(counts: tuple[str, ...], more: set[str]) -> None:
    assert counting(counts) == {*counts, *more}


# On values: how an activity changes its lead


@pytest.mark.parametrize(
    ("state", "type", "to"),
    [
        (State.CLAIMED, "call", None),
        (State.CLAIMED, "contacted", State.CONTACTED),
        (State.ASSIGNED, "qualified", State.QUALIFIED),
        (State.CONTACTED, "contacted", None),
        (State.QUALIFIED, "contacted", None),
        (State.OPPORTUNITY, "qualified", None),
        (State.OPPORTUNITY, "won", State.WON),
        (State.CLAIMED, "won", State.WON),
        (State.CLAIMED, "lost", State.LOST),
        (State.QUALIFIED, "disqualified", State.LOST),
        (State.QUALIFIED, "quote_sent", None),
        (State.WON, "contacted", None),
        (State.LOST, "opportunity", None),
        (State.WON, "upsell", None),
    ],
)
def test_a_lead_moves_forward_or_not_at_all(state: State, type: str, to: State | None) -> None:
    made = step(held(state), AINA.rep_id, an_activity(type), COUNTS, NOON + 5 * MINUTE)
    assert made.lead.state is (to or state)
    assert (made.transition and made.transition.to_state) is to
    if made.transition:
        assert (made.transition.at, made.transition.cause, made.transition.by) == (
            NOON + 5 * MINUTE,
            type,
            AINA.rep_id,
        )


@pytest.mark.parametrize(
    ("state", "type"),
    [(State.WON, "lost"), (State.WON, "disqualified"), (State.LOST, "won")],
)
def test_a_closed_lead_does_not_end_otherwise(state: State, type: str) -> None:
    with pytest.raises(IllegalMove):
        step(held(state), AINA.rep_id, an_activity(type), COUNTS, NOON)


@pytest.mark.parametrize(
    ("type", "works"),
    [
        ("call", True),
        ("contacted", True),
        ("qualified", True),
        ("won", True),
        ("lost", True),
        ("disqualified", True),
        ("email", False),
        ("crm_step", False),
    ],
)
def test_a_lead_is_worked_by_a_contact_and_by_its_end(type: str, works: bool) -> None:
    made = step(held(), AINA.rep_id, an_activity(type), COUNTS, NOON)
    assert made.first_work is works
    assert made.frees is works
    assert made.lead.worked_at == (NOON + MINUTE if works else None)


def test_a_worked_lead_is_not_worked_for_the_first_time_again() -> None:
    for type in ("call", "won"):
        made = step(held(worked_at=NOON), AINA.rep_id, an_activity(type), COUNTS, NOON)
        assert not made.first_work
        assert made.lead.worked_at == NOON


def test_a_test_lead_frees_nobody() -> None:
    made = step(held(test=True), AINA.rep_id, an_activity(), COUNTS, NOON)
    assert made.first_work
    assert not made.frees


@pytest.mark.parametrize("state", [State.NEW, State.OPEN, State.EXPIRED, State.RELEASED])
def test_nobody_works_a_lead_that_nobody_holds(state: State) -> None:
    with pytest.raises(NotYours):
        step(held(state), AINA.rep_id, an_activity(), COUNTS, NOON)


# On fakes: recorded once in any case


class ActivityCase(FakeWorld):
    """An organisation with a ledger in which Aina has just won a lead."""

    def __init__(self) -> None:
        super().__init__(a_playbook(work={"hot_minutes": 60}))
        self.ledger = FakeLedger(self.memory)
        self.register = RecordDeps(self.ledger, self.leads, self.roster, self.clock, no_pause)
        for rep in (AINA, BEN):
            self.add_rep(rep)
        self.won = self.claimed(AINA)

    def claimed(self, rep: Any, number: int = 1, **card: Any) -> Lead:
        lead = self.post_lead(a_card(number, **card))
        claim(self.race, lead.lead_id, rep.rep_id, proof_of(rep), self.clock)
        return self.lead(lead)

    def undo(self) -> None:
        token = proof_of(AINA)
        undo(self.race, self.won.lead_id, AINA.rep_id, token, self.clock)

    def tell(self, type: str = "call", *, by: str | None = None, **changes: Any) -> RecordResult:
        """Record what Aina did with her lead a minute ago."""
        told = Activity("act-1", type, self.clock(), self.won.lead_id, AINA.rep_id)
        return record(self.register, replace(told, **changes), by)

    @property
    def in_hand(self) -> int:
        return self.memory.usage[AINA.rep_id].in_hand


@pytest.fixture
def case() -> ActivityCase:
    made = ActivityCase()
    made.clock.pass_(minutes=10)
    return made


def test_a_call_is_in_the_ledger_with_all_that_reports_ask_for(case: ActivityCase) -> None:
    told = case.tell(at=NOON + MINUTE)
    assert told == RecordResult(
        Entry(
            entry_id="activity/act-1",
            kind="call",
            rep_id=AINA.rep_id,
            team="north",
            at=NOON + MINUTE,
            week="2026-W48",
            lead_id=case.won.lead_id,
            epoch=1,
            taken_at=NOON,
            source="google-ads",
            quality="hot",
            model="open-pool",
            playbook_version=case.memory.playbook.version,
            day="2026-11-23",
            unit=f"lead/{case.won.lead_id}",
            digest=told.entry.digest,
            reporter="system",
            recorded_at=case.clock(),
        ),
        repeated=False,
        freed=True,
    )
    assert case.ledger.entries == {"activity/act-1": told.entry}
    assert case.lead(case.won).worked_at == NOON + MINUTE
    assert case.in_hand == 0


def test_a_week_begins_where_the_team_is(case: ActivityCase) -> None:
    teams = {"north": {"name": "North", "zone": "Asia/Kuching"}}
    case.put_playbook(a_playbook(teams=teams))
    monday = datetime.fromisoformat("2026-11-29T16:00:00+00:00")  # midnight in Kuching
    case.clock.at = monday + MINUTE
    weeks = [
        case.tell(activity_id=f"{n}", at=at).entry.week
        for n, at in enumerate([monday - MS, monday])
    ]
    assert weeks == ["2026-W48", "2026-W49"]


def test_the_same_activity_again_changes_nothing(case: ActivityCase) -> None:
    first = case.tell("won", amount=5, currency="USD")
    before = dict(case.memory.leads)
    again = case.tell("won", amount=5, currency="USD")
    assert again == RecordResult(first.entry, repeated=True, freed=False)
    assert case.memory.leads == before
    assert (len(case.ledger.entries), case.in_hand) == (1, 0)


def test_an_activity_told_again_is_repeated_whoever_holds_the_lead_by_then(
    case: ActivityCase,
) -> None:
    case.clock.at = NOON + timedelta(seconds=20)
    case.tell(rep_id="", at=NOON)
    case.memory.leads[case.won.lead_id] = replace(case.won, owner=BEN.rep_id)
    assert case.tell(rep_id="", at=NOON).repeated


def test_another_activity_of_the_same_id_is_refused(case: ActivityCase) -> None:
    first = case.tell()
    with pytest.raises(AlreadyExists, match="Another activity"):
        case.tell("email")
    assert case.ledger.entries == {"activity/act-1": first.entry}


def test_a_lead_names_its_holder_where_no_rep_is_named(case: ActivityCase) -> None:
    assert case.tell(rep_id="").entry.rep_id == AINA.rep_id


def test_a_rep_tells_of_their_own_work_only(case: ActivityCase) -> None:
    assert case.tell(by=AINA.rep_id, rep_id="").entry.rep_id == AINA.rep_id
    assert case.tell(by=AINA.rep_id).repeated
    with pytest.raises(Forbidden):
        case.tell(by=BEN.rep_id, activity_id="other")
    with pytest.raises(NotYours):
        case.tell(by=BEN.rep_id, rep_id="", activity_id="other")
    assert len(case.ledger.entries) == 1


def test_what_is_about_no_lead_is_the_reps_alone(case: ActivityCase) -> None:
    told = case.tell("training_step", lead_id="")
    assert (told.entry.lead_id, told.entry.team, told.freed) == (None, "north", False)
    assert case.lead(case.won) == case.won


REFUSED: list[tuple[type[Exception], dict[str, Any]]] = [
    (LeadNotFound, {"lead_id": "aaaaaaaaaaaa"}),
    (NotYours, {"rep_id": BEN.rep_id}),
    (InvalidInput, {"type": "hugged"}),
    (InvalidInput, {"type": "reversal", "reverses": "never-told"}),
    (InvalidInput, {"rep_id": "zzzzz", "lead_id": ""}),
    (InvalidInput, {"at": NOON - SKEW - MS}),
    (InvalidInput, {"at": NOON + timedelta(hours=1)}),
]


@pytest.mark.parametrize(("error", "changes"), REFUSED)
def test_what_is_refused_changes_nothing(
    case: ActivityCase, error: type[Exception], changes: dict[str, Any]
) -> None:
    with pytest.raises(error):
        case.tell(**changes)
    assert case.ledger.entries == {}
    assert case.lead(case.won) == case.won
    assert case.in_hand == 1


def test_an_activity_may_be_as_early_as_the_claim(case: ActivityCase) -> None:
    assert not case.tell(at=NOON).repeated


def test_nobody_is_named_for_a_lead_nobody_holds(case: ActivityCase) -> None:
    case.clock.at = NOON
    case.undo()
    with pytest.raises(NotYours, match="Nobody holds"):
        case.tell(rep_id="")


def test_a_win_after_a_loss_is_refused_and_not_kept(case: ActivityCase) -> None:
    case.tell("lost")
    with pytest.raises(IllegalMove, match="lost already"):
        case.tell("won", activity_id="act-2", amount=5, currency="USD")
    assert list(case.ledger.entries) == ["activity/act-1"]


def test_late_and_out_of_order_stages_are_kept_and_move_nothing_back(case: ActivityCase) -> None:
    case.tell("opportunity", activity_id="3", at=NOON + 3 * MINUTE)
    case.tell("contacted", activity_id="1", at=NOON + MINUTE)
    assert case.lead(case.won).state is State.OPPORTUNITY
    assert {entry.kind for entry in case.ledger.entries.values()} == {"opportunity", "contacted"}


def test_a_lead_is_freed_once_by_all_that_is_done_with_it(case: ActivityCase) -> None:
    kinds = ["email", "call", "contacted", "won"]
    freed = [case.tell(kind, activity_id=kind).freed for kind in kinds]
    assert freed == [False, True, False, False]
    assert case.in_hand == 0


# Races


def test_who_lost_the_lead_meanwhile_is_told_so(case: ActivityCase) -> None:
    case.clock.at = NOON
    case.ledger.meanwhile = case.undo
    with pytest.raises(NotYours):
        case.tell()
    assert case.ledger.entries == {}


def test_of_two_tellings_at_once_one_is_a_repeat(case: ActivityCase) -> None:
    found = []
    case.ledger.meanwhile = lambda: found.append(case.tell())
    assert case.tell().repeated
    assert not found[0].repeated
    assert (len(case.ledger.entries), case.in_hand) == (1, 0)


def test_a_win_that_its_twin_has_just_told_is_a_repeat(
    case: ActivityCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = case.leads.get

    def get(lead_id: str) -> Lead | None:
        monkeypatch.setattr(case.leads, "get", read)
        assert not case.tell("won").repeated  # after this request read the ledger
        return read(lead_id)

    monkeypatch.setattr(case.leads, "get", get)
    assert case.tell("won").repeated
    assert len(case.ledger.entries) == 1


def test_two_first_calls_at_once_both_stand_and_free_one_hand(case: ActivityCase) -> None:
    found = []
    case.ledger.meanwhile = lambda: found.append(case.tell(activity_id="other"))
    mine = case.tell()
    assert (mine.freed, found[0].freed, case.in_hand) == (False, True, 0)
    assert len(case.ledger.entries) == 2


def test_an_answer_that_was_lost_is_found_again(case: ActivityCase) -> None:
    case.ledger.lost_answers = 1
    assert case.tell().repeated
    assert (len(case.ledger.entries), case.in_hand) == (1, 0)


@pytest.mark.parametrize(("busy", "stands"), [(MOST - 1, True), (MOST, False)])
def test_a_busy_store_is_asked_some_times(case: ActivityCase, busy: int, stands: bool) -> None:
    case.ledger.busy = busy
    if stands:
        assert not case.tell().repeated
    else:
        with pytest.raises(Busy):
            case.tell()
        assert case.ledger.entries == {}


# Many in one request


def test_of_many_each_stands_or_falls_by_itself(case: ActivityCase) -> None:
    def told(number: int, type: str, **changes: Any) -> Activity:
        made = Activity(f"{number}", type, case.clock(), case.won.lead_id)
        return replace(made, **changes)

    activities = [
        told(1, "contacted"),
        told(2, "reversal"),
        told(3, "won", amount=5, currency="USD"),
        told(1, "contacted"),
        told(3, "won", amount=5, currency="USD"),
        told(3, "lost"),
        told(4, "lost"),
        told(5, "call", lead_id="aaaaaaaaaaaa"),
    ]
    outcomes = record_all(case.register, activities, None)
    assert [type(outcome) for outcome in outcomes] == [
        RecordResult,
        InvalidInput,
        RecordResult,
        RecordResult,
        RecordResult,
        AlreadyExists,
        IllegalMove,
        LeadNotFound,
    ]
    repeated = [one.repeated for one in outcomes if isinstance(one, RecordResult)]
    assert repeated == [False, False, True, True]
    assert sorted(case.ledger.entries) == ["activity/1", "activity/3"]
    assert case.lead(case.won).state is State.WON


def test_of_none_nothing_comes(case: ActivityCase) -> None:
    assert record_all(case.register, [], None) == []


def test_a_time_told_in_whole_seconds_may_lie_just_before_the_lead_was_taken() -> None:
    lead = a_lead(
        state=State.CLAIMED, owner=AINA.rep_id, claimed_at=NOON + timedelta(milliseconds=700)
    )
    call = Activity("a-1", "call", NOON, lead.lead_id, AINA.rep_id)
    made = step(lead, AINA.rep_id, call, ("call",), NOON)
    assert made.lead.worked_at == lead.claimed_at


# Reversals


def take_back(
    case: ActivityCase, of: str = "act-1", name: str = "back", **changes: Any
) -> RecordResult:
    told = Activity(name, REVERSAL, case.clock(), reverses=of)
    return record(case.register, replace(told, **changes), None)


@pytest.mark.parametrize(
    ("told", "stands"),
    [
        (("contacted",), State.CLAIMED),
        (("contacted", "opportunity"), State.CONTACTED),
        (("contacted", "won"), State.CONTACTED),
        (("opportunity", "lost"), State.OPPORTUNITY),
        (("opportunity", "disqualified"), State.OPPORTUNITY),
        (("contacted", "call"), State.CONTACTED),
    ],
)
def test_a_lead_goes_back_to_where_it_was(
    case: ActivityCase, told: tuple[str, ...], stands: State
) -> None:
    for number, type in enumerate(told):
        case.clock.pass_(seconds=1)
        case.tell(type, activity_id=str(number))
    worked = case.memory.leads[case.won.lead_id].worked_at
    case.clock.pass_(seconds=1)
    take_back(case, str(len(told) - 1))
    lead = case.memory.leads[case.won.lead_id]
    assert (lead.state, lead.worked_at, case.in_hand) == (stands, worked, 0)


def test_a_lead_that_has_moved_on_stays_where_it_is(case: ActivityCase) -> None:
    case.tell("contacted")
    case.tell("opportunity", activity_id="act-2")
    take_back(case)
    assert case.memory.leads[case.won.lead_id].state is State.OPPORTUNITY


def test_a_deal_that_was_taken_back_can_be_won_again(case: ActivityCase) -> None:
    case.tell("won", amount=1, currency="USD")
    take_back(case)
    case.clock.pass_(seconds=1)
    case.tell("won", activity_id="act-2", amount=2, currency="USD")
    assert case.memory.leads[case.won.lead_id].state is State.WON


def test_a_reversal_stands_beside_what_it_takes_back(case: ActivityCase) -> None:
    told = case.tell("won", amount=1, currency="USD").entry
    entry = take_back(case).entry
    assert (entry.rep_id, entry.unit, entry.reverses) == (told.rep_id, told.unit, told.entry_id)
    assert case.register.ledger.find([told.entry_id]) == {told.entry_id: told}


def test_a_reversal_told_twice_is_one(case: ActivityCase) -> None:
    case.tell("won", amount=1, currency="USD")
    at = case.clock()
    first = take_back(case, at=at)
    assert take_back(case, at=at) == replace(first, repeated=True)


def test_a_reversal_is_found_further_down_the_same_batch(case: ActivityCase) -> None:
    told = Activity("act-1", "call", case.clock(), case.won.lead_id)
    back = Activity("back", REVERSAL, case.clock(), reverses="act-1")
    outcomes = record_all(case.register, [back, told], None)
    assert [one.entry.kind for one in outcomes if isinstance(one, RecordResult)] == [
        REVERSAL,
        "call",
    ]


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"reverses": "back"}, "reverses"), ({"lead_id": "aaaaaaaaaaaa"}, "reverses")],
)
def test_what_cannot_be_taken_back_is_said(
    case: ActivityCase, changes: dict[str, Any], field: str
) -> None:
    case.tell()
    take_back(case)
    with pytest.raises(InvalidInput) as caught:
        take_back(case, name="again", **changes)
    assert [error.field for error in caught.value.errors] == [field]


def test_a_rep_takes_back_their_own_alone(case: ActivityCase) -> None:
    case.tell(by=AINA.rep_id)
    back = Activity("back", REVERSAL, case.clock(), reverses="act-1")
    with pytest.raises(InvalidInput):
        record(case.register, back, BEN.rep_id)
    assert record(case.register, back, AINA.rep_id).entry.rep_id == AINA.rep_id


def test_what_was_told_is_taken_back_from_whose_it_was_also_when_the_lead_is_gone() -> None:
    case = ActivityCase()
    told = case.tell("email")
    case.undo()
    assert take_back(case).entry.rep_id == told.entry.rep_id == AINA.rep_id
    assert case.memory.leads[case.won.lead_id].state is State.OPEN


def test_what_did_not_bring_the_lead_to_where_it_stands_takes_nothing_back(
    case: ActivityCase,
) -> None:
    case.tell("contacted")
    case.clock.pass_(seconds=1)
    case.tell("contacted", activity_id="act-2")
    take_back(case, "act-2")
    assert case.memory.leads[case.won.lead_id].state is State.CONTACTED


def test_a_deal_taken_back_twice_leaves_the_one_that_was_won_since(case: ActivityCase) -> None:
    case.tell("won", amount=1, currency="USD")
    take_back(case)
    case.clock.pass_(seconds=1)
    case.tell("won", activity_id="act-2", amount=2, currency="USD")
    take_back(case, name="back-2")
    assert case.memory.leads[case.won.lead_id].state is State.WON


def test_a_batch_is_recorded_in_order_so_a_deal_is_won_taken_back_and_won_again(
    case: ActivityCase,
) -> None:
    lead, at = case.won.lead_id, case.clock()
    batch = [
        Activity("act-1", "won", at, lead),
        Activity("back", REVERSAL, at, reverses="act-1"),
        Activity("act-2", "won", at, lead),
        Activity("act-2", "won", at, lead),
    ]
    outcomes = record_all(case.register, batch, None)
    assert [one.repeated for one in outcomes if isinstance(one, RecordResult)] == [
        *(False, False, False, True)
    ]


# Shared with the pod (R5)


@pytest.mark.parametrize(
    ("percent", "pods", "shares"),
    [
        (50, ("solar",), [3, 4]),
        (0, ("solar",), []),
        (50, (), []),
        (50, ("wind",), []),
    ],
)
def test_what_was_offered_to_a_pod_is_shared_with_the_others_of_it(
    percent: int, pods: tuple[str, ...], shares: list[int]
) -> None:
    playbook = a_playbook(game={"points": {"pod_percent": percent}})
    memory = Memory(playbook)
    solar = [a_rep(number, pod="solar") for number in (1, 3, 4)]
    others = [a_rep(5, pod="wind"), a_rep(6), a_rep(7, pod="solar", active=False)]
    for rep in (*solar, *others, a_rep(8, pod="solar", team="south")):
        memory.reps[rep.rep_id] = rep
        memory.usage[rep.rep_id] = Usage()
    found = shared_with(FakeRoster(memory), solar[0], a_lead(pods=pods), playbook)
    assert found == tuple(a_rep(number).rep_id for number in shares)


def test_no_more_of_a_pod_share_than_fit_into_a_transaction() -> None:
    playbook = a_playbook(game={"points": {"pod_percent": 50}})
    memory = Memory(playbook)
    for number in range(1, 20):
        rep = a_rep(number, pod="solar")
        memory.reps[rep.rep_id] = rep
        memory.usage[rep.rep_id] = Usage()
    mine = memory.reps[a_rep(1).rep_id]
    assert len(shared_with(FakeRoster(memory), mine, a_lead(pods=("solar",)), playbook)) == 8


def test_a_lead_goes_back_for_its_holder_alone_also_by_a_move_of_old() -> None:
    lead = held()
    lead, transition = moved(lead, State.CONTACTED, NOON, "contacted", AINA.rep_id)
    about: Any = ("contacted", lead.epoch, [transition], NOON, "0123456789abcdef")
    made = taken_back(lead, AINA.rep_id, *about)
    assert made is not None
    assert made.lead.state is State.CLAIMED
    assert taken_back(lead, BEN.rep_id, *about) is None
    assert taken_back(replace(lead, epoch=9), AINA.rep_id, *about) is None
    assert (
        taken_back(lead, AINA.rep_id, "contacted", 1, [replace(transition, told="x")], NOON) is None
    )
