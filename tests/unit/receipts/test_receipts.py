"""Receipts: places, milliseconds behind, and a chain that shows every change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dibs.core.lead import Claim, State, Transition
from dibs.receipts.receipts import (
    Block,
    ChainLink,
    Ending,
    Outcome,
    Race,
    Receipt,
    SealedRace,
    Trace,
    block_from,
    block_link,
    broken,
    chain,
    ending,
    faults,
    receipts,
    seal,
)
from support.builders import NOON

MS = timedelta(milliseconds=1)
WON = NOON + 1000 * MS
CLAIMED = Ending("claimed", WON, "win")
NOBODY = Ending("expired", WON, None)


def at(ms: int) -> datetime:
    return NOON + ms * MS


def brief(results: Iterable[Receipt]) -> list[tuple[str, str, int | None, int | None, str]]:
    """Each r as rep, outcome, place, milliseconds and rules."""
    return [
        (
            r.rep_id,
            r.outcome.value,
            r.place,
            r.behind_ms,
            " ".join(r.rules),
        )
        for r in results
    ]


# Order, place, milliseconds


@pytest.mark.parametrize(
    ("ended", "traces", "expected"),
    [
        pytest.param(CLAIMED, [], [("win", "won", 1, 0, "")], id="a winner nobody judged"),
        pytest.param(
            CLAIMED,
            [
                Trace("a", told_at=NOON, attempted_at=at(1900), lost_at=at(1900)),
                Trace("b", told_at=NOON, attempted_at=at(1143), lost_at=at(1143)),
                Trace("win", told_at=NOON),
            ],
            [("win", "won", 1, 0, ""), ("b", "lost", 2, 143, ""), ("a", "lost", 3, 900, "")],
            id="losers by when they tried",
        ),
        pytest.param(
            CLAIMED,
            [
                Trace("c", attempted_at=at(1007), lost_at=at(1007)),
                Trace("b", attempted_at=at(1005), lost_at=at(1005)),
                Trace("a", attempted_at=at(1005), lost_at=at(1005)),
            ],
            [
                ("win", "won", 1, 0, ""),
                ("a", "lost", 2, 5, ""),
                ("b", "lost", 2, 5, ""),
                ("c", "lost", 4, 7, ""),
            ],
            id="the same millisecond shares a place",
        ),
        pytest.param(
            CLAIMED,
            [Trace("a", attempted_at=at(998), lost_at=at(998))],
            [("win", "won", 1, 0, ""), ("a", "lost", 2, 0, "")],
            id="clocks that differ leave nobody before the winner",
        ),
        pytest.param(
            CLAIMED,
            [
                Trace("out", kept_out=("paused", "daily_limit")),
                Trace("silent", told_at=NOON),
                Trace("barred", told_at=NOON, attempted_at=at(500), refused=("daily_limit",)),
                Trace("slow", told_at=NOON, attempted_at=at(2000), lost_at=at(2000)),
            ],
            [
                ("win", "won", 1, 0, ""),
                ("slow", "lost", 2, 1000, ""),
                ("barred", "refused", None, None, "daily_limit"),
                ("silent", "did_not_try", None, None, ""),
                ("out", "not_told", None, None, "paused daily_limit"),
            ],
            id="losers, refused, told, not told",
        ),
        pytest.param(
            CLAIMED,
            [Trace("a", NOON, at(100), lost_at=at(1300), refused=("not_open_yet",))],
            [("win", "won", 1, 0, ""), ("a", "lost", 2, 300, "not_open_yet")],
            id="refused first and beaten later",
        ),
        pytest.param(
            CLAIMED,
            [Trace("win", NOON, at(100), refused=("not_open_yet",))],
            [("win", "won", 1, 0, "not_open_yet")],
            id="a winner who tried too early first",
        ),
        pytest.param(
            NOBODY,
            [
                Trace("late", told_at=NOON, attempted_at=at(1001)),
                Trace("after", told_at=NOON, attempted_at=at(1500), lost_at=at(1500)),
                Trace("silent", told_at=NOON),
                Trace("barred", attempted_at=at(10), refused=("on_leave",), kept_out=("on_leave",)),
            ],
            [
                ("after", "too_late", None, None, ""),
                ("late", "too_late", None, None, ""),
                ("barred", "refused", None, None, "on_leave"),
                ("silent", "did_not_try", None, None, ""),
            ],
            id="nobody won",
        ),
        pytest.param(
            CLAIMED,
            [Trace("a", told_at=NOON, kept_out=("weekly_allowance",))],
            [("win", "won", 1, 0, ""), ("a", "did_not_try", None, None, "")],
            id="told of an early wave and kept out of a later one",
        ),
        pytest.param(NOBODY, [], [], id="a race nobody was in"),
    ],
)
def test_everybody_has_a_place_or_the_rule_that_kept_them_out(
    ended: Ending, traces: list[Trace], expected: list[tuple[str, str, int | None, int | None, str]]
) -> None:
    assert brief(receipts(ended, traces)) == expected
    assert brief(receipts(ended, reversed(traces))) == expected


def test_the_winner_tried_when_the_claim_was_stored_or_before() -> None:
    assert receipts(CLAIMED, [])[0].attempted_at == WON
    [first] = receipts(CLAIMED, [Trace("win", NOON, at(3))])
    assert (first.told_at, first.attempted_at) == (NOON, at(3))


# How a race ended


def step(
    was: State, to: State, cause: str, epoch: int = 1, by: str = "win", ms: int = 0
) -> Transition:
    return Transition("lead", epoch, at(ms), was, to, cause, by)


OPENED = step(State.NEW, State.OPEN, "accepted", by="dibs")
RECORD = Claim("lead", 1, "win", "Win", "north", WON, 1000, 7)


@pytest.mark.parametrize(
    ("claim", "transitions", "expected"),
    [
        pytest.param(None, [OPENED], None, id="still open"),
        pytest.param(RECORD, [OPENED], CLAIMED, id="claimed"),
        pytest.param(replace(RECORD, epoch=2), [OPENED], None, id="another opening's claim"),
        pytest.param(
            replace(RECORD, cause="unclaimed"),
            [OPENED, step(State.OPEN, State.EXPIRED, "window_closed", by="clock", ms=1000)],
            NOBODY,
            id="expired, then assigned",
        ),
        pytest.param(
            replace(RECORD, cause="assigned"),
            [step(State.NEW, State.ASSIGNED, "assigned")],
            None,
            id="assigned by turn: no race",
        ),
        pytest.param(
            replace(RECORD, epoch=2, rep_id="next"),
            [
                OPENED,
                step(State.OPEN, State.CLAIMED, "claimed", ms=1000),
                step(State.CLAIMED, State.RELEASED, "undone", ms=9000),
                step(State.RELEASED, State.OPEN, "undone", epoch=2, ms=9000),
            ],
            Ending("undone", WON, "win"),
            id="undone and claimed anew",
        ),
        pytest.param(
            RECORD,
            [
                OPENED,
                step(State.OPEN, State.CLAIMED, "claimed", ms=1000),
                step(State.CLAIMED, State.RELEASED, "not_worked", ms=3_600_000),
            ],
            CLAIMED,
            id="returned long after: it was won all the same",
        ),
        pytest.param(
            replace(RECORD, cause="override"),
            [OPENED, step(State.OPEN, State.ASSIGNED, "override", by="manager", ms=1000)],
            Ending("override", WON, None),
            id="taken out of the pool",
        ),
    ],
)
def test_how_a_race_ended_is_read_from_the_leads_own_record(
    claim: Claim | None, transitions: list[Transition], expected: Ending | None
) -> None:
    assert ending(claim, transitions, 1) == expected
    assert ending(claim, transitions[::-1], 1) == expected


# The chain


def a_race(crowd: int = 5, **changes: object) -> SealedRace:
    """A sealed race with a winner, losers and a rep who was kept out."""
    traces = [
        Trace(f"r{n:04d}", told_at=NOON, attempted_at=at(1000 + n), lost_at=at(1000 + n))
        for n in range(crowd - 2)
    ]
    results = receipts(CLAIMED, [*traces, Trace("zzz", kept_out=("paused",))])
    race = Race("lead", 1, ("north",), NOON, WON, at(62_000), "win", "claimed", 7, len(results))
    return seal(replace(race, **changes), results)


def kinds(found: SealedRace) -> list[str]:
    return [fault.kind for fault in faults(found, "lead/1")]


def test_a_sealed_race_is_whole_and_reads_as_it_was_written() -> None:
    sealed = a_race(7, draw={"commitment": "c0ffee", "entrants": ["a", "b"]}, test=True)
    assert kinds(sealed) == []
    assert sealed.race.count == 7 == len(sealed.receipts)
    assert sealed.race.draw == {"commitment": "c0ffee", "entrants": ["a", "b"]}
    assert seal(sealed.race, sealed.receipts) == sealed
    nobody = seal(replace(sealed.race, winner=None, count=0), [])
    assert kinds(nobody) == []
    assert nobody.race.winner is None


def test_a_receipt_holds_ids_and_codes_and_no_more() -> None:
    told = receipts(CLAIMED, [Trace("a", NOON, at(1143), at(1143))])[1]
    sealed = seal(a_race().race, [told])
    assert sealed.links[1].text == (
        '{"attempted_at":"2026-11-23T12:00:01.143+00:00","behind_ms":143,"outcome":"lost",'
        '"place":2,"rep_id":"a","told_at":"2026-11-23T12:00:00.000+00:00"}'
    )


def edited(sealed: SealedRace, number: int, old: str, new: str) -> SealedRace:
    links = list(sealed.links)
    assert old in links[number].text
    links[number] = replace(links[number], text=links[number].text.replace(old, new))
    return replace(sealed, links=tuple(links))


def anew(sealed: SealedRace, links: Iterable[ChainLink]) -> SealedRace:
    """The race as an attacker leaves it who knows how the hashes are made."""
    linked = chain([link.text for link in links])
    return SealedRace(linked, linked[-1].hash, sealed.block)


def test_each_kind_of_tampering_is_named() -> None:
    sealed = a_race()
    links = sealed.links
    swapped = (*links[:2], links[3], links[2], *links[4:])
    assert kinds(edited(sealed, 0, '"win"', '"foe"')) == ["winner_changed", "race_changed"]
    assert kinds(edited(sealed, 0, '"claimed"', '"expired"')) == ["race_changed"]
    assert kinds(edited(sealed, 1, '"win"', '"foe"')) == ["winner_changed", "receipt_changed"]
    assert kinds(edited(sealed, 3, '"place":3', '"place":2')) == ["receipt_changed"]
    assert kinds(edited(sealed, 3, '"place"', '"spot"')) == ["unreadable"]
    assert kinds(edited(sealed, 3, '{"', '["')) == ["unreadable"]
    for gone in range(1, len(links)):
        left = (*links[:gone], *links[gone + 1 :])
        expected = ["winner_changed", "receipt_removed"] if gone == 1 else ["receipt_removed"]
        assert kinds(replace(sealed, links=left)) == expected
    assert kinds(replace(sealed, links=swapped)) == ["receipts_reordered"]
    assert kinds(replace(sealed, links=(*links, links[-1]))) == ["receipt_added"]
    assert kinds(replace(sealed, head="0" * 64)) == ["head_changed"]
    # With all hashes made again the chain is unbroken: only the block shows the change.
    assert kinds(anew(sealed, swapped)) == []
    assert kinds(anew(sealed, edited(sealed, 3, '"place":3', '"place":2').links)) == []
    assert kinds(anew(sealed, links[:-1])) == ["receipt_removed"]


def test_a_fault_says_where_and_what() -> None:
    [fault] = faults(edited(a_race(), 3, '"place":3', '"place":2'), "lead/1")
    assert (fault.where, fault.what) == ("lead/1", "number 3, of rep r0001")


mutations = st.tuples(
    st.sampled_from(["text", "hash", "drop", "swap", "twice"]),
    st.integers(0, 400),
    st.integers(0, 200),
    st.characters(codec="utf-8"),
)


@given(crowd=st.integers(2, 12), mutation=mutations)
def test_any_single_mutation_of_any_line_is_found(
    crowd: int, mutation: tuple[str, int, int, str]
) -> None:
    what, number, place, letter = mutation
    sealed = a_race(crowd)
    links = list(sealed.links)
    number %= len(links)
    link = links[number]
    if what in ("text", "hash"):
        text = getattr(link, what)
        place %= len(text)
        links[number] = replace(link, **{what: text[:place] + letter + text[place + 1 :]})
    elif what == "drop":
        number = max(1, number)
        del links[number]
    elif what == "twice":
        links.insert(number, link)
    else:
        other = max(1, place % len(links))
        links[number], links[other] = links[other], links[number]
    changed = replace(sealed, links=tuple(links))
    assert bool(kinds(changed)) is (changed != sealed)


# Blocks


def test_a_block_follows_from_the_one_before_it() -> None:
    one = block_link(Block(1, NOON, (("lead", 1, "aa"), ("lead", 2, "bb"))), "")
    two = block_link(Block(2, at(60_000), (("other", 1, "cc"),)), one.hash)
    assert block_from(one.text) == Block(1, NOON, (("lead", 1, "aa"), ("lead", 2, "bb")))
    assert broken([one, two]) == []
    rewritten = block_link(Block(1, NOON, (("lead", 1, "aa"),)), "")
    assert broken([rewritten, two]) == [1]


@pytest.mark.parametrize("text", ["", "{}", "[]", "7", '{"number":1}', '{"at":7,"number":1}'])
def test_a_line_that_tells_of_something_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        block_from(text)


def test_outcomes_stand_in_the_order_receipts_are_written() -> None:
    assert [outcome.value for outcome in Outcome] == [
        "won",
        "not_drawn",
        "lost",
        "too_late",
        "refused",
        "did_not_try",
        "not_told",
    ]
