"""Managers set up a series of contests, change it, and call it off (G12)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from dibs.core.calendar import WEEKDAYS
from dibs.core.errors import FieldError, InvalidInput, RouteNotFound
from dibs.game.contests.checks import EARLIEST, LATEST, problems
from dibs.game.contests.ports import PlannedContest
from dibs.game.contests.rules import Contest
from dibs.game.contests.run import ContestDeps, set_up
from dibs.game.contests.series import LONGEST_ID, Series, contests_from, due

# Within so many days every rule of the calendar has a contest.
_A_QUARTER = timedelta(days=92)


def plan_series(
    deps: ContestDeps, series: Series, now: datetime, unread: Sequence[FieldError] = ()
) -> Series:
    """Store a series, in place of an earlier one of that id, and set up what is due of it.

    Contests that have begun stay as they are; those to come follow.

    Raises:
        InvalidInput: names every field that is wrong.
    """
    playbook = deps.roster.playbook()
    reps = deps.roster.get_many(sorted(set(series.contest.named_reps)))
    unread = (*unread, *_problems(series))
    errors = problems(_sample(series, now, unread), playbook, reps, unread)
    if errors:
        raise InvalidInput(tuple(errors))
    deps.contests.put_series(series)
    kept = {contest.contest_id for contest, _ in due(series, playbook, now)}
    _call_off(deps, series, kept)
    set_up(deps.contests, playbook, now)
    return series


def begun_already(
    series: Series,
    before: Iterable[PlannedContest],
    after: Iterable[PlannedContest],
    now: datetime,
) -> list[FieldError]:
    """Return what says that a contest of the series counts from a time that is over, if one that
    was set up just now does.

    A series may be changed after its first day, so that day is not refused.
    """
    known = {one.contest.contest_id for one in before}
    return [
        FieldError(
            "first_day",
            f"is not to come: {one.contest.contest_id} is on, and counts from "
            f"{one.times.opens_at:%Y-%m-%d %H:%M} UTC. Call it off if it should not.",
        )
        for one in after
        if one.by == series.author
        and one.contest.contest_id not in known
        and one.times.opens_at < now
    ]


def cancel_series(deps: ContestDeps, series_id: str) -> Series:
    """Call a series off with its contests that have not begun; again changes nothing.

    One that has begun goes on; it is called off by itself.

    Raises:
        RouteNotFound: there is no such series.
    """
    series = next((one for one in deps.contests.series() if one.series_id == series_id), None)
    if series is None:
        raise RouteNotFound("There is no such series of contests.")
    over = replace(series, cancelled=True)
    deps.contests.put_series(over)
    _call_off(deps, series)
    return over


def _call_off(deps: ContestDeps, series: Series, kept: Collection[str] = ()) -> None:
    """Call off what is set up of a series and has not begun, except those that are `kept`."""
    for planned in deps.contests.all():
        own = (planned.state, planned.by) == ("upcoming", series.author)
        if own and planned.contest.contest_id not in kept:
            deps.contests.take_back(planned.contest.contest_id)


def _problems(series: Series) -> Iterator[FieldError]:
    contest, repeats = series.contest, series.repeats
    if not 0 < len(series.series_id.encode()) <= LONGEST_ID:
        yield FieldError("series_id", f"use up to {LONGEST_ID} letters")
    if not EARLIEST <= contest.first_day <= LATEST:
        yield FieldError("first_day", f"use a day from {EARLIEST} to {LATEST}")
    if contest.last_day < contest.first_day:
        yield FieldError("last_day", "is before the first day")
    if any(day not in WEEKDAYS for day in repeats.weekdays):
        yield FieldError("repeats.weekdays", f"are of {', '.join(WEEKDAYS)}")
    elif repeats.weekdays and repeats.every not in ("day", "week"):
        yield FieldError("repeats.weekdays", "are for each day or week; leave them out")


def _sample(series: Series, now: datetime, wrong: Sequence[FieldError]) -> Contest:
    """Return a contest of the series, to be judged for all of them."""
    bad = {error.field.partition(".")[0] for error in wrong}
    day = series.contest.first_day if "first_day" not in bad else now.date()
    if not bad & {"first_day", "last_day", "repeats"}:
        for contest in contests_from(series, day, min(day + _A_QUARTER, LATEST)):
            return replace(contest, contest_id=series.series_id)
    return replace(series.contest, first_day=day, last_day=_end(day, series.repeats.every))


def _end(day: date, every: str) -> date:
    return day if every == "day" else day + timedelta(days=6)
