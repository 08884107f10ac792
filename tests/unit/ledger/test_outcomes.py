"""Which ledger entries count, and the outcome they give a claimed or assigned lead."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dibs.core.lead import UNDONE
from dibs.ledger.activities import REVERSAL
from dibs.ledger.entries import ASSIGNED, CLAIMED, RETURNED, Entry
from dibs.ledger.outcomes import TakenLead, revenue, standing, taken_between, taken_leads
from support.builders import NOON

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
COUNTS = ("call", "contacted")


def entry(kind: str, after: timedelta = 0 * SECOND, **changes: Any) -> Entry:
    made = Entry(kind, kind, "ada", "north", NOON + after, "2026-W48", "lead", 1)
    return replace(made, **changes)


def reversal(of: str, **changes: Any) -> Entry:
    return entry(REVERSAL, DAY, entry_id=f"no {of}", reverses=of, **changes)


def one(*entries: Entry) -> TakenLead:
    [lead] = taken_leads(entries)
    return lead


def test_a_reversed_activity_is_as_if_it_never_was() -> None:
    lead = one(entry(CLAIMED), entry("call", SECOND), entry("won", DAY), reversal("won"))
    assert (lead.won, lead.converted, lead.contacted) == (False, False, False)
    assert lead.response_time(COUNTS) == SECOND
    assert one(entry(CLAIMED), entry("call"), reversal("call")).response_time(COUNTS) is None


def test_a_reversal_may_be_known_before_what_it_reverses() -> None:
    assert one(reversal("won"), entry("won", DAY), entry(CLAIMED)).won is False


def test_of_a_claim_undone_only_the_activities_count() -> None:
    call = entry("call", SECOND)
    undone = [entry(CLAIMED), call, entry(RETURNED, 2 * SECOND, cause=UNDONE)]
    assert standing(undone) == [call]
    assert taken_leads(undone) == []
    others = [entry(CLAIMED, DAY, entry_id=name, **more) for name, more in OTHERS.items()]
    assert [lead.taken.entry_id for lead in taken_leads([*undone, *others])] == sorted(OTHERS)


OTHERS: dict[str, dict[str, Any]] = {
    "a": {"epoch": 2},
    "b": {"rep_id": "ben"},
    "c": {"lead_id": "other"},
}


def test_a_lead_that_was_given_back_stays_taken() -> None:
    lead = one(entry(CLAIMED), entry(RETURNED, DAY, cause="released"))
    assert (lead.claimed, lead.activities) == (True, ())


def test_test_leads_are_none() -> None:
    assert standing([entry(CLAIMED, test=True), entry("won", test=True)]) == []


@pytest.mark.parametrize(
    ("kind", "contacted", "qualified", "converted", "won"),
    [
        ("call", False, False, False, False),
        ("contacted", True, False, False, False),
        ("qualified", True, True, False, False),
        ("opportunity", True, False, True, False),
        ("won", True, False, True, True),
        ("lost", False, False, False, False),
    ],
)
def test_each_stage_implies_a_contact(
    kind: str, contacted: bool, qualified: bool, converted: bool, won: bool
) -> None:
    lead = one(entry(ASSIGNED), entry(kind, SECOND))
    found = (lead.contacted, lead.qualified, lead.converted, lead.won)
    assert found == (contacted, qualified, converted, won)


def test_who_worked_a_lead_may_not_have_talked_with_anybody() -> None:
    lead = one(entry(ASSIGNED), entry("call", SECOND))
    assert (lead.response_time(COUNTS), lead.contacted) == (SECOND, False)
    assert lead.response_time(("contacted",)) is None


@pytest.mark.parametrize(
    ("kind", "take_ms", "before"),
    [(CLAIMED, 5000, 5 * SECOND), (CLAIMED, None, 0 * SECOND), (ASSIGNED, 5000, 0 * SECOND)],
)
def test_notice_is_before_a_claim_and_with_an_assignment(
    kind: str, take_ms: int | None, before: timedelta
) -> None:
    assert one(entry(kind, take_ms=take_ms)).noticed_at == NOON - before


@pytest.mark.parametrize(
    ("kind", "currency", "amount", "adds"),
    [
        ("won", "USD", 7, 7),
        ("upsell", "USD", 7, 7),
        ("cross_sell", "USD", 7, 7),
        ("won", "EUR", 7, 0),
        ("won", "USD", None, 0),
        ("quote_sent", "USD", 7, 0),
    ],
)
def test_sales_in_the_currency_are_revenue(
    kind: str, currency: str, amount: int | None, adds: int
) -> None:
    assert revenue(entry(kind, currency=currency, amount=amount), "USD") == adds


@pytest.mark.parametrize(
    ("after", "counts"), [(-SECOND, 0), (0 * SECOND, 1), (DAY - SECOND, 1), (DAY, 0)]
)
def test_a_lead_is_taken_in_a_span_with_its_start_and_without_its_end(
    after: timedelta, counts: int
) -> None:
    assert len(taken_between([entry(CLAIMED, after)], NOON, NOON + DAY)) == counts


HISTORY = [
    entry(CLAIMED),
    entry("call", SECOND),
    entry("contacted", 2 * SECOND),
    entry("won", DAY),
    reversal("contacted"),
    entry(RETURNED, 2 * DAY, cause="released"),
    entry(ASSIGNED, 2 * DAY, rep_id="ben", epoch=2),
    entry("call", 3 * DAY, entry_id="call 2", rep_id="ben", epoch=2),
]


@given(st.data())
def test_order_and_repeats_do_not_matter(data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(HISTORY)))
    mixed = data.draw(st.permutations([*HISTORY, *again]))
    assert standing(mixed) == standing(standing(mixed)) == standing(HISTORY)
    assert taken_leads(mixed) == taken_leads(HISTORY)
    assert [lead.taken.rep_id for lead in taken_leads(mixed)] == ["ada", "ben"]
