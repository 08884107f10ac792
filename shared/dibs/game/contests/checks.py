"""Checks of a contest's definition: each problem with its field and how to fix it (G4-G6)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime, timedelta

from dibs.core.calendar import day_start
from dibs.core.errors import FieldError
from dibs.game.contests.rules import RESERVED, Contest, figure_of, is_time, past
from dibs.game.scoring.vocabulary import known_names
from dibs.rules.playbook import Playbook

LONGEST = timedelta(days=366)
# No entries are older, and computing earlier and later days must stay within a calendar's limits.
EARLIEST, LATEST = date(2000, 1, 1), date(2199, 12, 31)
MOST_REPS = 1000
_MOST_LATE_DAYS = 31
_LARGEST_PRIOR = 10**12
_MOST_PRIZES = 100
_LARGEST_PRIZE = 1_000_000
_MOST_TICKETS = 100
_MOST_SIDES = 20
_MOST_BREAKERS = 5
_LONGEST_NAME = 80
_LONGEST_PRIZE = 200

_TIERS = ("1", "2", "3")


# Fields whose checks read others too: where one of these cannot be read, they say nothing.
_READ = {
    "teams": {"reps", "sides"},
    "reps": {"kind"},
    "sides": {"kind"},
    "kind": {"teams", "sides"},
    "first_day": {"zone", "from_time", "to_time", "last_day", "teams"},
    "last_day": {"zone", "from_time", "to_time", "first_day", "teams"},
    "to_time": {"zone", "from_time", "first_day", "last_day", "teams"},
    "prior": {"improvement", "from_time", "to_time", "zone"},
    "metric": {"metric_by_tier", "tickets"},
    "metric_by_tier": {"kind"},
    "tickets": {"kind", "tie_breakers", "improvement", "handicap"},
    "handicap": {"metric", "metric_by_tier", "better"},
    "per_head": {"metric", "metric_by_tier", "handicap"},
    "tie_breakers": {"metric_by_tier"},
}


def problems(
    contest: Contest,
    playbook: Playbook,
    rep_ids: Collection[str],
    unread: Sequence[FieldError] = (),
    now: datetime | None = None,
) -> list[FieldError]:
    """Return all that is wrong with a contest's definition, in one go (K9).

    `rep_ids` are the named reps that exist, `unread` the fields that could not be read and are at
    their defaults. With `now` it may not lie in the past.
    """
    found = [
        *_naming(contest),
        *_entrants(contest, playbook, rep_ids),
        *_sides(contest),
        *_days(contest),
        *_hours(contest),
        *_measuring(contest, known_names(playbook).counted),
        *_figures(contest, playbook),
        *_prizes(contest),
    ]
    when = {"first_day", "last_day", "from_time", "to_time", "zone"}
    if now is not None and not when & {error.field for error in found}:
        found += _past(contest, playbook, now)
    bad = {error.field.partition(".")[0] for error in unread}
    kept = (error for error in found if not bad & _looked_at(error.field.partition(".")[0]))
    return [*unread, *kept]


def _looked_at(field: str) -> set[str]:
    return {field} | _READ.get(field, set())


def _past(contest: Contest, playbook: Playbook, now: datetime) -> Iterator[FieldError]:
    field = past(contest, playbook, now)
    if field == "first_day":
        yield FieldError(field, "is over; begin today or later, or preview it on past data")
    elif field:
        yield FieldError(field, "has passed; choose a later one, or preview it on past data")


def _hours(contest: Contest) -> Iterator[FieldError]:
    start, end = contest.from_time or "00:00", contest.to_time or "24:00"
    wrong = [
        FieldError(field, "write a time such as 09:30")
        for field, written in (("from_time", start), ("to_time", end))
        if not is_time(written)
    ]
    yield from wrong
    if start == "24:00":
        yield FieldError("from_time", "is the end of the day; use 00:00 of the next one")
    elif not wrong and contest.first_day == contest.last_day and end <= start:
        yield FieldError("to_time", "is not after from_time; use a later one, or a later last_day")
    if contest.zone:
        try:
            day_start(EARLIEST, contest.zone)
        except ValueError as error:
            yield FieldError("zone", str(error))
    if contest.by_hour and contest.prior:
        yield FieldError("prior", "is for whole days; leave from_time, to_time and zone out")


def _naming(contest: Contest) -> Iterator[FieldError]:
    if contest.contest_id.startswith(RESERVED):
        yield FieldError("contest_id", f"begins with {RESERVED!r}, as only challenges' do")
    if not 0 < len(contest.name.strip()) <= _LONGEST_NAME or not contest.name.isprintable():
        yield FieldError("name", f"give a name of up to {_LONGEST_NAME} letters")


def _entrants(
    contest: Contest, playbook: Playbook, rep_ids: Collection[str]
) -> Iterator[FieldError]:
    used = [name for name in ("teams", "reps", "sides") if getattr(contest, name)]
    if len(used) != 1:
        yield FieldError("teams", "say who is in: teams, or reps, or sides, and one of them only")
    for team in contest.teams:
        if team not in playbook.teams:
            yield FieldError("teams", f"{team!r} is no team; use {', '.join(playbook.teams)}")
    if len(set(contest.teams)) != len(contest.teams):
        yield FieldError("teams", "name each team once")
    named, place = contest.named_reps, "sides" if contest.sides else "reps"
    for rep_id in named:
        if rep_id not in rep_ids:
            yield FieldError(place, f"{rep_id!r} is no rep here; look at GET /reps")
    if len(set(named)) != len(named) or len(named) > MOST_REPS:
        yield FieldError(place, f"name up to {MOST_REPS} reps, each once")
    if any(str(tier) not in _TIERS for tier in contest.tiers):
        yield FieldError("tiers", "are 1, 2 and 3")


def _sides(contest: Contest) -> Iterator[FieldError]:
    if contest.kind == "individual":
        if contest.sides:
            yield FieldError("sides", "are for contests of teams; name reps instead")
        return
    if contest.reps:
        yield FieldError("reps", "are no sides; put them into sides, such as red and blue")
    elif not 2 <= len(contest.sides or contest.teams) <= _MOST_SIDES:
        yield FieldError("kind", f"needs 2 to {_MOST_SIDES} teams or sides against each other")
    if not all(contest.sides.values()):
        yield FieldError("sides", "need at least one rep each")
    if any(not 0 < len(side.strip()) <= 32 or not side.isprintable() for side in contest.sides):
        yield FieldError("sides", "have names of up to 32 letters")


def _days(contest: Contest) -> Iterator[FieldError]:
    for place, day in (("first_day", contest.first_day), ("last_day", contest.last_day)):
        if not EARLIEST <= day <= LATEST:
            yield FieldError(place, f"use a day from {EARLIEST} to {LATEST}")
    if contest.last_day < contest.first_day:
        yield FieldError("last_day", "is before the first day")
    elif contest.last_day - contest.first_day >= LONGEST:
        yield FieldError("last_day", f"is too far off; a contest has up to {LONGEST.days} days")
    if not 0 <= contest.prior <= _LARGEST_PRIOR:
        yield FieldError("prior", f"use 0 to {_LARGEST_PRIOR}")
    if contest.prior and not contest.improvement:
        yield FieldError("prior", "is for an improvement; set improvement, or leave prior out")
    if not 0 <= contest.late_days <= _MOST_LATE_DAYS:
        yield FieldError("late_days", f"use 0 to {_MOST_LATE_DAYS}")


def _measuring(contest: Contest, counted: Collection[str]) -> Iterator[FieldError]:
    if sum(map(bool, (contest.metric, contest.metric_by_tier, contest.tickets))) != 1:
        yield FieldError("metric", "say what counts: metric, or metric_by_tier, or tickets")
    if any(tier not in _TIERS for tier in contest.metric_by_tier):
        yield FieldError("metric_by_tier", "is by tier: 1, 2 and 3")
    if not all(names and all(names) for names in contest.metric_by_tier.values()):
        yield FieldError("metric_by_tier", "names at least one metric for each tier")
    for name in ("metric_by_tier", "tickets"):
        if getattr(contest, name) and contest.kind != "individual":
            yield FieldError(name, "is for contests of individuals")
    for name in contest.tickets:
        if name not in counted:
            yield FieldError(
                "tickets", f"{name!r:.60} is nothing that is counted; use such as call"
            )
    if any(not 0 < each <= _MOST_TICKETS for each in contest.tickets.values()):
        yield FieldError("tickets", f"are 1 to {_MOST_TICKETS} for each activity of a type")
    others = contest.tie_breakers or contest.improvement or contest.handicap != "none"
    if contest.tickets and others:
        yield FieldError("tickets", "go without tie_breakers, improvement and handicap")
    if contest.per_head and contest.handicap != "none":
        yield FieldError(
            "per_head", "goes without handicap: a share of all targets is fair already"
        )
    by_tier = (names[1:] for names in contest.metric_by_tier.values())
    if any(len(names) > _MOST_BREAKERS for names in (contest.tie_breakers, *by_tier)):
        yield FieldError("tie_breakers", f"are up to {_MOST_BREAKERS}")


def _figures(contest: Contest, playbook: Playbook) -> Iterator[FieldError]:
    places = {
        "metric": (contest.metric,),
        **{f"metric_by_tier.{tier}": names for tier, names in contest.metric_by_tier.items()},
        "keeps": (contest.keeps,),
        "minimum.formula": (contest.minimum.formula,) if contest.minimum else (),
        "tie_breakers": contest.tie_breakers,
    }
    main = {contest.metric, *(names[0] for names in contest.metric_by_tier.values() if names)}
    for place, names in places.items():
        for name in filter(None, names):
            try:
                figure = figure_of(name, playbook)
            except ValueError as error:
                yield FieldError(place, str(error))
                continue
            if name not in main:
                continue
            if contest.handicap != "none" and (contest.better or figure.better) == "less":
                yield FieldError("handicap", "is for what there should be more of, as revenue")
            if contest.per_head and ("/" in figure.formula or "mean" in figure.formula):
                yield FieldError("per_head", "is for what adds up; this metric is no sum")


def _prizes(contest: Contest) -> Iterator[FieldError]:
    points = contest.prize_points
    if len(points) > _MOST_PRIZES or not all(0 <= each <= _LARGEST_PRIZE for each in points):
        yield FieldError("prize_points", f"are up to {_MOST_PRIZES}, each 0 to {_LARGEST_PRIZE}")
    if len(contest.prize) > _LONGEST_PRIZE or not contest.prize.isprintable():
        yield FieldError("prize", f"is text of up to {_LONGEST_PRIZE} letters")
