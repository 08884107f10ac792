"""How fast reps contact the leads they take, and who is the fastest (M3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from dibs.ledger.entries import Entry
from dibs.ledger.outcomes import mean_seconds, taken_between
from dibs.rules.game import Speed as SpeedRules

_SHIPPED = SpeedRules()


@dataclass(frozen=True)
class RepSpeed:
    """How fast one rep contacted the leads they took (M3).

    `mean_seconds` is over the `contacted` leads, None where there are none; the shares, 0 to 1, are
    of all leads `taken`. `longest_streak_under_10_min` is the longest run of leads, in the order
    they were taken, with a first contact in under ten minutes. The names are those of the default
    times; the playbook may set others.
    """

    taken: int
    contacted: int
    mean_seconds: float | None
    within_5_min: float
    within_1_hour: float
    longest_streak_under_10_min: int


@dataclass(frozen=True)
class Speed:
    """How fast reps contacted their leads, by rep id."""

    reps: Mapping[str, RepSpeed]


def speed(
    entries: Iterable[Entry],
    counts: Collection[str],
    start: datetime,
    end: datetime,
    rules: SpeedRules = _SHIPPED,
) -> Speed:
    """Return how fast reps contacted the leads they took in [start, end) (M3).

    The first contact is the rep's first activity on that lead that counts as work (`counts`, C11),
    also after `end`. Exactly the short and exactly the long time are within; a streak needs less
    than its time. A lead that was not contacted is within neither and ends a streak.
    """
    by_rep = defaultdict(list)
    for lead in taken_between(entries, start, end):
        by_rep[lead.taken.rep_id].append(lead.response_time(counts))
    return Speed({rep_id: _speed(by_rep[rep_id], rules) for rep_id in sorted(by_rep)})


def _speed(responses: list[timedelta | None], rules: SpeedRules) -> RepSpeed:
    contacts = [response for response in responses if response is not None]
    short, long = timedelta(seconds=rules.short_seconds), timedelta(seconds=rules.long_seconds)
    streak = timedelta(seconds=rules.streak_seconds)
    longest = run = 0
    for response in responses:
        run = run + 1 if response is not None and response < streak else 0
        longest = max(longest, run)
    return RepSpeed(
        taken=len(responses),
        contacted=len(contacts),
        mean_seconds=mean_seconds(contacts),
        within_5_min=sum(response <= short for response in contacts) / len(responses),
        within_1_hour=sum(response <= long for response in contacts) / len(responses),
        longest_streak_under_10_min=longest,
    )


def places(found: Speed, need: int = 0) -> list[tuple[int | None, str]]:
    """Return the reps with their places, the fastest first (M3).

    Ordered by the lower mean, then the larger share within five minutes, then the longer streak,
    then more leads taken. Reps level in all four share the place, and the next place is left out.
    Reps without a contact, or with fewer contacted leads than `need`, have no place and come last.
    """
    ranks = {
        rep_id: (one.mean_seconds, -one.within_5_min, -one.longest_streak_under_10_min, -one.taken)
        for rep_id, one in found.reps.items()
        if one.mean_seconds is not None and one.contacted >= need
    }
    order = sorted(ranks, key=lambda rep_id: (ranks[rep_id], rep_id))
    placed: list[tuple[int | None, str]] = []
    for number, rep_id in enumerate(order, 1):
        level = number > 1 and ranks[rep_id] == ranks[order[number - 2]]
        placed.append((placed[-1][0] if level else number, rep_id))
    return placed + [(None, rep_id) for rep_id in sorted(found.reps) if rep_id not in ranks]
