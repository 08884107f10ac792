"""A lead's lifecycle (C8), its ids and its preview."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dibs.core.errors import IllegalMove
from dibs.core.lead import State, id_bytes, id_text, implied_by_move, lead_id_for, moved
from dibs.core.quality import Pool, Quality, pool_for
from support.builders import NOON, a_lead

S = State
# Every legal transition, and the stages it skips. All others are illegal.
LEGAL: dict[tuple[State, State], tuple[State, ...]] = {
    (S.NEW, S.OPEN): (),
    (S.NEW, S.ASSIGNED): (),
    (S.NEW, S.EXPIRED): (),
    (S.OPEN, S.CLAIMED): (),
    (S.OPEN, S.ASSIGNED): (),
    (S.OPEN, S.EXPIRED): (),
    (S.EXPIRED, S.OPEN): (),
    (S.EXPIRED, S.ASSIGNED): (),
    (S.EXPIRED, S.EXPIRED): (),
    (S.RELEASED, S.OPEN): (),
    (S.RELEASED, S.ASSIGNED): (),
    (S.RELEASED, S.EXPIRED): (),
    (S.CONTACTED, S.RELEASED): (),
    (S.QUALIFIED, S.RELEASED): (),
    (S.OPPORTUNITY, S.RELEASED): (),
    **{
        transition: implied
        for held in (S.CLAIMED, S.ASSIGNED)
        for transition, implied in {
            (held, S.RELEASED): (),
            (held, S.CONTACTED): (),
            (held, S.QUALIFIED): (S.CONTACTED,),
            (held, S.OPPORTUNITY): (S.CONTACTED, S.QUALIFIED),
            (held, S.WON): (S.CONTACTED, S.QUALIFIED, S.OPPORTUNITY),
            (held, S.LOST): (),
        }.items()
    },
    (S.CONTACTED, S.QUALIFIED): (),
    (S.CONTACTED, S.OPPORTUNITY): (S.QUALIFIED,),
    (S.CONTACTED, S.WON): (S.QUALIFIED, S.OPPORTUNITY),
    (S.CONTACTED, S.LOST): (),
    (S.QUALIFIED, S.OPPORTUNITY): (),
    (S.QUALIFIED, S.WON): (S.OPPORTUNITY,),
    (S.QUALIFIED, S.LOST): (),
    (S.OPPORTUNITY, S.WON): (),
    (S.OPPORTUNITY, S.LOST): (),
}


@pytest.mark.parametrize("current", State)
@pytest.mark.parametrize("to", State)
def test_a_lead_moves_only_forwards_and_records_what_it_skips(current: State, to: State) -> None:
    if (current, to) in LEGAL:
        assert implied_by_move(current, to) == LEGAL[current, to]
    else:
        with pytest.raises(IllegalMove, match=f"from {current} to {to}"):
            implied_by_move(current, to)


def test_a_move_is_recorded_with_time_cause_and_whoever_made_it() -> None:
    held = a_lead(state=S.CLAIMED, epoch=3, owner="aaaae")
    lead, step = moved(held, S.QUALIFIED, NOON, "call", "aaaac")
    assert lead.state is S.QUALIFIED
    assert (step.lead_id, step.epoch, step.at) == (lead.lead_id, 3, NOON)
    assert (step.from_state, step.to_state) == (S.CLAIMED, S.QUALIFIED)
    assert (step.cause, step.by, step.implied) == ("call", "aaaac", (S.CONTACTED,))
    assert step.holder == "aaaae"


def test_an_illegal_move_leaves_the_lead_as_it_was() -> None:
    lead = a_lead(state=S.WON)
    with pytest.raises(IllegalMove):
        moved(lead, S.OPEN, NOON, "whim", "aaaac")
    assert lead.state is S.WON


def test_a_source_and_its_id_always_give_the_same_lead_id() -> None:
    # A fixed value: if this function changed, no stored lead would be found again.
    assert lead_id_for("google-ads", "ext-1") == "5x5tb6qkrubq"
    assert lead_id_for("google-ads", "ext-1", attempt=1) != lead_id_for("google-ads", "ext-1")


def test_where_the_source_ends_and_the_id_begins_matters() -> None:
    assert lead_id_for("ab", "c") != lead_id_for("a", "bc")


@given(st.text(max_size=80), st.text(max_size=140))
def test_lead_ids_are_twelve_letters_fit_for_a_url(source: str, external_id: str) -> None:
    lead_id = lead_id_for(source, external_id)
    assert len(lead_id) == 12
    assert lead_id.isalnum()
    assert lead_id == lead_id.lower()
    assert id_text(id_bytes(lead_id)) == lead_id


@given(st.binary(max_size=16))
def test_ids_keep_their_bytes(raw: bytes) -> None:
    assert id_bytes(id_text(raw)) == raw


@pytest.mark.parametrize("text", ["1aaaa", "!", "ä", "aaaa "])
def test_what_is_no_id_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        id_bytes(text)


def test_hot_leads_race_in_the_premium_pool_and_the_others_in_the_standard_pool() -> None:
    pools = {quality: pool_for(quality) for quality in Quality}
    assert pools == {
        Quality.HOT: Pool.PREMIUM,
        Quality.WARM: Pool.STANDARD,
        Quality.COLD: Pool.STANDARD,
    }
