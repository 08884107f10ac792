"""A rep's newest day is counted by itself: periods come to the same in any order of days."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dibs.core.periods import periods
from dibs.game.scoring.newest_day import NewestDay, adds_to, belong_together, in_all_periods, move

FIRST = date(2026, 11, 25)
days = st.integers(0, 40).map(lambda n: (FIRST + timedelta(days=n)).isoformat())
news = st.dictionaries(days, st.dictionaries(st.sampled_from("ab"), st.integers(-3, 3)), min_size=1)


class Stored:
    """What is stored of one rep, as the store changes it."""

    def __init__(self) -> None:
        self.newest: NewestDay | None = None
        self.totals: dict[str, Counter[str]] = defaultdict(Counter)
        self.closed: dict[str, int] = defaultdict(int)

    def add(self, counts: dict[str, dict[str, int]]) -> None:
        known, moved = self.newest, move(self.newest, counts)
        for period, of in moved.totals.items():
            self.totals[period].update(of)
            if moved.closed and known and period in periods(known.day):
                self.closed[period] = known.closed + 1
        if moved.newest is None:
            return
        if known and not moved.begins:
            whole = Counter(known.counts)
            whole.update(moved.newest)
            self.newest = NewestDay(known.day, whole, known.version + 1, known.closed, known.before)
        elif known:
            self.newest = NewestDay(moved.day, moved.newest, 1, known.closed + 1, known.day)
        else:
            self.newest = NewestDay(moved.day, moved.newest, 1)

    def of(self, period: str) -> dict[str, int]:
        assert belong_together(self.newest, period, self.closed[period])
        whole = Counter(self.totals[period])
        if self.newest and adds_to(self.newest, period):
            whole.update(self.newest.counts)
        return {name: number for name, number in whole.items() if number}


@given(st.lists(st.tuples(news, st.booleans()), min_size=1, max_size=12))
def test_periods_come_to_the_sum_of_their_days_in_any_order(story: list[tuple[dict, bool]]) -> None:
    """Some are added as builds in progress and earlier versions do: to all periods at once."""
    stored, expected = Stored(), dict[str, Counter[str]]()
    for counts, at_once in story:
        if at_once:
            for period, of in in_all_periods(counts).items():
                stored.totals[period].update(of)
        else:
            stored.add(counts)
        for day, of in counts.items():
            for period in periods(day):
                expected.setdefault(period, Counter()).update(of)
    for period, whole in expected.items():
        assert stored.of(period) == {name: n for name, n in whole.items() if n}


def test_more_of_the_newest_day_changes_nothing_else() -> None:
    moved = move(NewestDay("2026-11-30", {"a": 1}, 4), {"2026-11-30": {"a": 2}})
    assert (moved.newest, moved.totals, moved.begins) == ({"a": 2}, {}, False)


def test_an_earlier_day_is_added_to_its_periods() -> None:
    moved = move(NewestDay("2026-12-01", {"a": 1}), {"2026-11-30": {"a": 2}})
    assert moved.newest is None
    assert set(moved.totals) == set(periods("2026-11-30"))


def test_a_newer_day_sends_the_one_before_it_to_its_periods() -> None:
    moved = move(NewestDay("2026-11-30", {"a": 1}), {"2026-12-01": {"a": 2}})
    assert (moved.day, moved.newest, moved.begins, moved.closed) == (
        *("2026-12-01", {"a": 2}),
        *(True, True),
    )
    assert moved.totals == {period: {"a": 1} for period in periods("2026-11-30")}


def test_a_total_from_before_a_day_was_closed_is_not_read_with_the_day_after_it() -> None:
    closed_one = NewestDay("2026-12-01", {}, 1, closed=1, before="2026-11-30")
    assert belong_together(closed_one, "2026-11", 1)
    assert not belong_together(closed_one, "2026-11", 0)
    assert belong_together(closed_one, "2026-10", 0)
    # And not one that has the day already, with that day.
    assert not belong_together(NewestDay("2026-11-30", {}, 1), "2026-11", 1)
    assert not belong_together(None, "2026-11", 1)
