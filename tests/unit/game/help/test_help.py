"""Each pair of reps has a monthly cap on the help that is paid (G11)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dibs.core.lead import State
from dibs.game.help.rules import HELPED, paid, pair_unit
from dibs.ledger.entries import Entry
from support.builders import NOON, a_lead, a_rep

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
