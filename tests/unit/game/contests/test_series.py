"""By which calendar contests recur (G12)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from dibs.game.contests.rules import Contest
from dibs.game.contests.series import Every, Repeats, Series, contest_on, contests_from, due
from support.builders import a_playbook

FIRST = date(2026, 12, 1)  # a Tuesday


def series(every: Every = "week", *weekdays: str, **changes: object) -> Series:
    rules: dict[str, object] = {"first_day": FIRST, "last_day": date(2199, 12, 31), **changes}
    contest = Contest("calls", "Calls", "individual", metric="count(call)", **rules)  # type: ignore[arg-type]
    return Series(contest, Repeats(every, weekdays))


@pytest.mark.parametrize(
    ("one", "day", "expected"),
    [
        (series("day"), date(2026, 12, 5), ("calls-2026-12-05", "2026-12-05", "2026-12-05")),
        (series("day", "fri"), date(2026, 12, 4), ("calls-2026-12-04", "2026-12-04", "2026-12-04")),
        (series("day", "fri"), date(2026, 12, 5), None),
        (series("week"), date(2026, 12, 9), ("calls-2026-W50", "2026-12-07", "2026-12-13")),
        (
            series("week", "fri", "mon"),
            date(2026, 12, 13),
            ("calls-2026-W50", "2026-12-07", "2026-12-11"),
        ),
        (series("week"), date(2026, 12, 3), None),  # that week began before the series
        (series("week", "wed"), date(2026, 12, 3), ("calls-2026-W49", "2026-12-02", "2026-12-02")),
        (series("month"), date(2027, 2, 20), ("calls-2027-02", "2027-02-01", "2027-02-28")),
        (series("quarter"), date(2027, 2, 20), ("calls-2027-Q1", "2027-01-01", "2027-03-31")),
        (series("quarter"), date(2026, 12, 20), None),
        (series("month", last_day=date(2027, 1, 31)), date(2027, 2, 1), None),
    ],
)
def test_each_period_has_its_contest(
    one: Series, day: date, expected: tuple[str, str, str] | None
) -> None:
    found = contest_on(one, day)
    told = found and (found.contest_id, str(found.first_day), str(found.last_day))
    assert told == expected


def test_a_year_of_weeks_has_each_of_them_once() -> None:
    found = list(contests_from(series("week"), date(2027, 1, 1), date(2027, 12, 31)))
    days = [day for one in found for day in (one.first_day, one.last_day)]
    assert len(found) == len({one.contest_id for one in found}) == 53
    assert days == sorted(days)


def test_what_is_on_is_due_and_the_next_one() -> None:
    noon = datetime(2026, 12, 9, 12, tzinfo=UTC)
    assert [one.contest_id for one, _ in due(series("week"), a_playbook(), noon)] == [
        "calls-2026-W50",
        "calls-2026-W51",
    ]
    hours = series("day", "wed", "fri", from_time="14:00", to_time="16:00")
    found = due(hours, a_playbook(), noon + timedelta(hours=5))
    assert [one.contest_id for one, _ in found] == ["calls-2026-12-11"]
    assert found[0][1].opens_at == datetime(2026, 12, 11, 14, tzinfo=UTC)
