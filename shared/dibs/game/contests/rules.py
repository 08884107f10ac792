"""A contest ranks reps or teams by a metric over some days; its rules are frozen at its start
(G4-G6, G10, F11).

Pure and exact: the entrants' counts go in, their places come out; the order of the entrants does
not matter. Counts are by the local day of their team, so each team's days are in its own zone.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from hashlib import sha256
from typing import Any, Literal

from dibs.core.calendar import clock_shows, day_of, day_start
from dibs.core.rep import Rep
from dibs.game.scoring.metrics import METRICS, metrics_of, order, parse, value_of
from dibs.game.scoring.pages import TARGET
from dibs.game.scoring.samples import needed, sample_of
from dibs.game.scoring.vocabulary import known_names
from dibs.race.draw import commitment_of
from dibs.race.newcomers import protected
from dibs.rules.game import Metric
from dibs.rules.playbook import Playbook

# For the validator of requests: a misspelt rule is refused, not ignored.
_STRICT = {"extra": "forbid"}

KEPT_DAYS = 28
"""`keeps` compares with so many days before the start."""
RESERVED = "challenge-"
"""The prefix of challenges' ids (G7); a manager's contest may not have it."""

_DAY = timedelta(days=1)
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")
_SHIPPED = {metric.formula: metric for metric in METRICS.values()}

Kind = Literal["individual", "team", "hybrid"]
State = Literal["upcoming", "live", "final", "cancelled"]
Why = Literal[
    "no_value",
    "below_minimum",
    "no_target",
    "no_comparison",
    "not_better",
    "worse_than_before",
    "not_drawn",
]
Counts = Mapping[str, int]


@dataclass(frozen=True)
class Minimum:
    """To be placed, `formula` (or a metric's name) must be `at_least` this."""

    formula: str
    at_least: int
    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class Contest:
    """A contest, as a manager or the playbook's calendar sets it up.

    It ranks by a `metric`: the name of one, or a formula; `better` says which end wins (empty: as
    the metric says, or more). With `metric_by_tier` each tier has its own metric and its own
    places; further names in the list break ties (G10). With `tickets` it is a lottery: each
    activity of a type earns so many tickets.

    Entrants are the active reps of `teams`, or the named `reps`, or those of `sides`; `tiers`
    admits only reps of these tiers. In a `team` contest a side's value is the metric over its
    members' sums, divided by their number with `per_head`. In a `hybrid` each rep's counts add to
    their side's value, and the members of the winning side are honoured (G6).

    `handicap` counts percent of the rep's own target (F11). `improvement` counts how much better
    the value is than in as many days before the start; a rep who is no better is not placed. With
    a `prior` it counts in percent of the own past, to which the prior is added: of the earlier
    value, or of as many days of the 28 before where that is better, so that a lazy week is no
    head start. `keeps` may not be worse than in the 28 days before. `tie_breakers` decide ties, in
    order; those still level share the place and each get its prize. To be placed, a rep or side
    needs the `minimum`, and the sample that the metric itself asks for (G12), or so many as the
    `minimum` says where that is fewer.

    The first and the last day are included. It runs from `from_time` of the first day to `to_time`
    of the last, or whole days where these are empty, in `zone` or else in each team's own (G12).
    Late data count until `late_days` after the end.
    `prize_points` go to the first places; in a `team` contest to every member of the side. A
    `hidden` contest is a dry run: only managers see it, and there are no prizes.
    """

    contest_id: str
    name: str
    kind: Kind
    first_day: date
    last_day: date
    metric: str = ""
    better: Literal["", "more", "less"] = ""
    metric_by_tier: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tickets: Mapping[str, int] = field(default_factory=dict)
    teams: tuple[str, ...] = ()
    reps: tuple[str, ...] = ()
    sides: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tiers: tuple[int, ...] = ()
    per_head: bool = False
    handicap: Literal["none", "own_target"] = "none"
    improvement: bool = False
    prior: int = 0
    keeps: str = ""
    minimum: Minimum | None = None
    tie_breakers: tuple[str, ...] = ()
    late_days: int = 2
    prize_points: tuple[int, ...] = ()
    prize: str = ""
    hidden: bool = False
    from_time: str = ""
    to_time: str = ""
    zone: str = ""
    __pydantic_config__ = _STRICT

    @property
    def by_hour(self) -> bool:
        """Whether it is measured by the entries' times: totals are of each team's whole days."""
        return bool(self.from_time or self.to_time or self.zone)

    @property
    def days(self) -> int:
        return (self.last_day - self.first_day).days + 1

    @property
    def figures(self) -> tuple[str, ...]:
        """All its metrics and formulas, each once."""
        by_tier = (name for names in self.metric_by_tier.values() for name in names)
        minimum = (self.minimum.formula,) if self.minimum else ()
        named = (self.metric, *by_tier, self.keeps, *minimum, *self.tie_breakers)
        return tuple(dict.fromkeys(name for name in named if name))

    @property
    def named_reps(self) -> tuple[str, ...]:
        """All reps it names, on any side."""
        return (*self.reps, *(rep_id for side in self.sides.values() for rep_id in side))


@dataclass(frozen=True)
class ContestTimes:
    """When a contest opens, ends, and closes for late data.

    It opens when it begins in the earliest zone, and ends when it ends in the latest zone.
    """

    opens_at: datetime
    ends_at: datetime
    cut_off_at: datetime


@dataclass(frozen=True)
class Entrant:
    """A rep in the contest, as at its start; `target` is theirs for the contest's days (F11)."""

    rep_id: str
    team: str
    tier: int
    side: str = ""
    target: Fraction | None = None


@dataclass(frozen=True)
class FrozenContest:
    """The part of a contest that no longer changes once it has begun.

    Reps who join later are not entrants, nor those whose results are protected on the first day
    (F9); those who leave stay in with their counts. `figures` are the metrics as defined at the
    start, `commitment` is that of the lottery's seed.
    """

    at: datetime
    times: ContestTimes
    playbook_version: int
    figures: Mapping[str, Metric]
    entrants: tuple[Entrant, ...]
    commitment: str = ""


@dataclass(frozen=True)
class Windows:
    """Entrants' counts by rep: in the contest's days, in as many days before, and in the 28 days
    before. A rep without counts in a window is not in it."""

    now: Mapping[str, Counts]
    before: Mapping[str, Counts] = field(default_factory=dict)
    kept: Mapping[str, Counts] = field(default_factory=dict)


@dataclass(frozen=True)
class ContestRow:
    """The standing of a rep or a side (`who`). `place` is None where they are not placed; `why`.

    `value` is the exact value that is ranked, in a lottery the number of tickets; `ties` are the
    values of the tie-breakers. Places are within the `tier` where each has its own, and in a hybrid
    within the `side`. `points` are the prize.
    """

    who: str
    side: str = ""
    tier: int = 0
    value: Fraction | None = None
    ties: tuple[Fraction | None, ...] = ()
    place: int | None = None
    why: Why | None = None
    points: int = 0


@dataclass(frozen=True)
class ContestStanding:
    """The standing of a contest: its sides (none in an individual contest) and its reps."""

    sides: tuple[ContestRow, ...]
    reps: tuple[ContestRow, ...]

    @property
    def prizes(self) -> dict[str, int]:
        """The prize points by rep, without those who get none."""
        return {row.who: row.points for row in self.reps if row.points}


@dataclass(frozen=True)
class Result:
    """The result of a contest. `entrants` is their hash (`entrants_hash`)."""

    contest: Contest
    closed_at: datetime
    times: ContestTimes
    playbook_version: int
    figures: Mapping[str, Metric]
    entrants: str
    commitment: str
    seed: str
    standing: ContestStanding


def times_of(contest: Contest, playbook: Playbook) -> ContestTimes:
    """Return when a contest opens, ends and closes, by the zones of its teams.

    Without teams, or when they no longer exist, the zones of all teams count.
    """
    hours = [hours_in(contest, zone) for zone in zones_of(contest, playbook)]
    ends = max(end for _, end in hours)
    return ContestTimes(
        opens_at=min(start for start, _ in hours),
        ends_at=ends,
        cut_off_at=ends + contest.late_days * _DAY,
    )


def zones_of(contest: Contest, playbook: Playbook) -> set[str]:
    """Return the zones a contest runs in: its own, or those of its teams."""
    if contest.zone:
        return {contest.zone}
    rules = playbook.teams
    teams = [team for team in contest.teams if team in rules] or list(rules)
    return {rules[team].zone for team in teams}


def hours_in(contest: Contest, zone: str) -> tuple[datetime, datetime]:
    """Return when a contest begins and ends in a zone."""
    start = _clock(zone, contest.first_day, contest.from_time or "00:00")
    return start, _clock(zone, contest.last_day, contest.to_time or "24:00")


def is_time(written: str) -> bool:
    """Return whether this is a time of day such as 09:30, up to 24:00."""
    return _TIME.fullmatch(written) is not None


def _clock(zone: str, day: date, written: str) -> datetime:
    """Return when a zone's clock shows a time first; where spring skips it, the time after it."""
    hour, _, rest = written.partition(":")
    minute = int(hour) * 60 + int(rest)
    shown = clock_shows(zone, day, minute, 1440) if 0 < minute < 1440 else ()
    return shown[0][0] if shown else day_start(day + _DAY if minute else day, zone)


def past(contest: Contest, playbook: Playbook, now: datetime) -> str:
    """Return the field that puts a new contest into the past; empty if none does.

    It may begin today, in one of its zones, and must not be over.
    """
    if contest.first_day < min(day_of(zone, now).first_day for zone in zones_of(contest, playbook)):
        return "first_day"
    over = times_of(contest, playbook).ends_at <= now
    return ("to_time" if contest.to_time else "last_day") if over else ""


def figure_of(name: str, playbook: Playbook) -> Metric:
    """Return a metric by its name in the playbook, or by its formula.

    Raises:
        ValueError: it is neither; the message says how to fix it.
    """
    metric = metrics_of(playbook).get(name)
    if metric is not None:
        return metric
    parse(name, known_names(playbook))
    return _SHIPPED.get(name) or Metric(name, "")


def figures_of(contest: Contest, playbook: Playbook) -> dict[str, Metric]:
    """Return all a contest's metrics by name or formula; what ranks has the sample it asks for.

    Raises:
        ValueError: one of them is neither a metric nor a formula.
    """
    found = {name: figure_of(name, playbook) for name in contest.figures}
    ranks = {contest.metric, *(names[0] for names in contest.metric_by_tier.values() if names)}
    least = {name: needed(metric, playbook) for name, metric in found.items() if name in ranks}
    return found | {
        name: replace(found[name], minimum=need) for name, need in least.items() if need
    }


def freeze(
    contest: Contest,
    playbook: Playbook,
    reps: Iterable[Rep],
    targets: Mapping[str, Fraction],
    at: datetime,
    seed: str,
) -> FrozenContest:
    """Return a contest's frozen part; `targets` are those of the contest's days, by rep."""
    figures = figures_of(contest, playbook)
    if contest.better and contest.metric:
        figures[contest.metric] = replace(figures[contest.metric], better=contest.better)
    sides = {rep_id: side for side, members in contest.sides.items() for rep_id in members}
    named = frozenset(contest.named_reps)
    entrants = []
    for rep in sorted(reps, key=lambda rep: rep.rep_id):
        asked = rep.team in contest.teams or rep.rep_id in named
        shows = rep.active and not protected(rep.joined_on, contest.first_day, playbook)
        if not (asked and shows and _tier_fits(contest, rep.tier)):
            continue
        of_team = "" if contest.kind == "individual" else rep.team
        side = sides.get(rep.rep_id, of_team)
        entrants.append(Entrant(rep.rep_id, rep.team, rep.tier, side, targets.get(rep.rep_id)))
    return FrozenContest(
        at=at,
        times=times_of(contest, playbook),
        playbook_version=playbook.version,
        figures=figures,
        entrants=tuple(entrants),
        commitment=commitment_of(seed) if contest.tickets else "",
    )


def _tier_fits(contest: Contest, tier: int) -> bool:
    measured = not contest.metric_by_tier or str(tier) in contest.metric_by_tier
    return measured and (not contest.tiers or tier in contest.tiers)


def windows_of(contest: Contest) -> dict[str, tuple[date, date]]:
    """Return the first and the last day of each window that counts, by its name."""
    yesterday = contest.first_day - _DAY
    windows = {"now": (contest.first_day, contest.last_day)}
    if contest.improvement:
        windows["before"] = (contest.first_day - contest.days * _DAY, yesterday)
    if contest.keeps or contest.prior:
        windows["kept"] = (contest.first_day - KEPT_DAYS * _DAY, yesterday)
    return windows


def counted(
    contest: Contest,
    frozen: FrozenContest,
    totals: Iterable[tuple[str, str, Counts]],
    *,
    earlier: bool = False,
) -> dict[str, Counts]:
    """Return each entrant's sum of the totals (rep, team, counts) that count.

    In a contest of teams only totals for the entrant's team at the start count, otherwise all. All
    count too in an `earlier` window, as a rep may have changed teams before the start.
    """
    teams = {entrant.rep_id: entrant.team for entrant in frozen.entrants}
    sums: dict[str, Counter[str]] = {}
    for rep_id, team, counts in totals:
        if rep_id in teams and (earlier or not contest.teams or teams[rep_id] == team):
            sums.setdefault(rep_id, Counter()).update(counts)
    return dict(sums)


def score(
    contest: Contest, frozen: FrozenContest, windows: Windows, seed: str = ""
) -> ContestStanding:
    """Return the standing of a contest (G4-G6). A lottery is drawn when there is a `seed`.

    The minimum applies to sides in a contest of teams, else to reps.
    """
    least = contest.minimum
    reps = [_judged(contest, frozen, e.rep_id, [e], windows, least) for e in frozen.entrants]
    if contest.kind == "individual":
        tiers = sorted({row.tier for row in reps})
        groups = [[row for row in reps if row.tier == tier] for tier in tiers]
        placed = [row for group in groups for row in _placed(contest, frozen, group, seed)]
        prized = (_prized(contest, row, _earning(contest, frozen, row)) for row in placed)
        return ContestStanding((), tuple(prized))
    members: dict[str, list[Entrant]] = {}
    for entrant in frozen.entrants:
        members.setdefault(entrant.side, []).append(entrant)
    least = contest.minimum if contest.kind == "team" else None
    judged = [
        _judged(contest, frozen, side, members[side], windows, least) for side in sorted(members)
    ]
    sides = _placed(contest, frozen, judged)
    places = {row.who: _earning(contest, frozen, row) for row in sides}
    if contest.kind == "team":
        rows = [replace(row, why=None) for row in sorted(reps, key=lambda row: row.who)]
        return ContestStanding(
            tuple(sides), tuple(_prized(contest, r, places[r.side]) for r in rows)
        )
    honoured = []
    for side, place in places.items():
        group = _placed(contest, frozen, [row for row in reps if row.side == side])
        honoured += [
            _prized(contest, row, _earning(contest, frozen, row) if place == 1 else None)
            for row in group
        ]
    return ContestStanding(tuple(sides), tuple(honoured))


def ticket(seed: str, contest_id: str, rep_id: str, number: int) -> str:
    """Return the hash of one of a rep's tickets, numbered from 1: the lowest hash is drawn.

    Each rep is drawn once; the next is the lowest ticket of the others. Anybody can recompute it:

        printf %s 'SEED|CONTEST|REP|NUMBER' | sha256sum
    """
    return sha256(f"{seed}|{contest_id}|{rep_id}|{number}".encode()).hexdigest()


def _judged(
    contest: Contest,
    frozen: FrozenContest,
    who: str,
    members: Sequence[Entrant],
    windows: Windows,
    minimum: Minimum | None,
) -> ContestRow:
    """Return the row of a rep, or of a side, without its place."""
    tier = members[0].tier if contest.metric_by_tier else 0
    if contest.handicap == "own_target":
        # Members without a target would only raise their side's percent of its targets.
        members = [member for member in members if member.target] or members
    now = _together(windows.now, members) or {}
    metric, breakers = _measures(contest, tier)
    if contest.tickets:
        value, why = _tickets(contest, now)
    else:
        before, kept = _together(windows.before, members), _together(windows.kept, members)
        value, why = _value(contest, frozen.figures[metric], now, before, kept, members)
    if why is None and _too_few(contest, frozen.figures.get(metric), now):
        why = "below_minimum"
    if minimum and why is None:
        done = value_of(frozen.figures[minimum.formula], now)
        if done is None or done < minimum.at_least:
            why = "below_minimum"
    if contest.keeps and why is None:
        figure, had = frozen.figures[contest.keeps], _together(windows.kept, members)
        if _is_worse(figure, value_of(figure, now), value_of(figure, had or {})):
            why = "worse_than_before"
    ties = tuple(value_of(frozen.figures[name], now) for name in breakers)
    return ContestRow(who, members[0].side, tier, value, ties, None, why)


def _too_few(contest: Contest, figure: Metric | None, counts: Counts) -> bool:
    """Return whether an average or a share is one of too few events to be placed with (G12).

    A minimum that the contest states may be lower than the metric's own, as for a day's contest.
    """
    sample = None if figure is None else sample_of(figure)
    if figure is None or sample is None:
        return False
    need = figure.minimum or 0
    if contest.minimum is not None:
        need = min(need, contest.minimum.at_least)
    return sample.size(counts) < need


def _measures(contest: Contest, tier: int) -> tuple[str, tuple[str, ...]]:
    """Return the metric and the tie-breakers for a tier."""
    if not contest.metric_by_tier:
        return contest.metric, contest.tie_breakers
    metric, *more = contest.metric_by_tier[str(tier)]
    return metric, (*more, *contest.tie_breakers)


def _together(window: Mapping[str, Counts], members: Iterable[Entrant]) -> Counts | None:
    """Return the sum of members' counts, None where none of them has any.

    Targets are those frozen at the start.
    """
    total: Counter[str] = Counter()
    has_counts = False
    for member in members:
        counts = window.get(member.rep_id)
        if counts is not None:
            has_counts = True
            total.update(counts)
    total.pop(TARGET, None)
    targets = [member.target for member in members if member.target is not None]
    if targets:
        total[TARGET] = round(sum(targets, Fraction(0)))
    return total if has_counts else None


def _tickets(contest: Contest, now: Counts) -> tuple[Fraction | None, Why | None]:
    held = sum(each * now.get(kind, 0) for kind, each in contest.tickets.items())
    return Fraction(held), None if held else "no_value"


def _value(
    contest: Contest,
    figure: Metric,
    now: Counts,
    before: Counts | None,
    kept: Counts | None,
    members: Sequence[Entrant],
) -> tuple[Fraction | None, Why | None]:
    value = value_of(figure, now)
    if value is None:
        return None, "no_value"
    if contest.improvement:
        earlier = None if before is None else value_of(figure, before)
        if before is None or earlier is None or _too_few(contest, figure, before):
            return None, "no_comparison"
        if contest.prior:
            earlier = _own_past(contest, figure, earlier, kept)
        value = earlier - value if figure.better == "less" else value - earlier
        if contest.prior:
            # The past is below zero only where points were taken back.
            value = value * 100 / (max(earlier, Fraction(0)) + contest.prior)
        if value <= 0:
            return value, "not_better"
    if contest.handicap == "own_target":
        target = sum((member.target or Fraction(0) for member in members), Fraction(0))
        if not target:
            return None, "no_target"
        value = value * 100 / target
    if contest.per_head:
        value /= len(members)
    return value, None


def _own_past(contest: Contest, figure: Metric, earlier: Fraction, kept: Counts | None) -> Fraction:
    """Return the better of the days before the start and as many days of the 28 before."""
    usual = None if kept is None else value_of(figure, kept)
    if usual is None:
        return earlier
    if sample_of(figure) is None:
        usual = usual * contest.days / KEPT_DAYS
    return min(earlier, usual) if figure.better == "less" else max(earlier, usual)


def _is_worse(figure: Metric, value: Fraction | None, than: Fraction | None) -> bool:
    if than is None:
        return False  # There is nothing to compare with.
    if value is None:
        return True
    return value > than if figure.better == "less" else value < than


def _placed(
    contest: Contest, frozen: FrozenContest, rows: Sequence[ContestRow], seed: str = ""
) -> list[ContestRow]:
    """Return rows with their places, in order; those without a place come last."""
    runs = [row for row in rows if row.why is None]
    others = sorted((row for row in rows if row.why is not None), key=lambda row: row.who)
    if contest.tickets:
        return _drawn(contest, runs, seed) + others
    ranks = {row.who: _rank(contest, frozen, row) for row in runs}
    runs.sort(key=lambda row: (ranks[row.who], row.who))
    placed: list[ContestRow] = []
    for number, row in enumerate(runs, 1):
        level = number > 1 and ranks[row.who] == ranks[placed[-1].who]
        placed.append(replace(row, place=placed[-1].place if level else number))
    return placed + others


def _rank(contest: Contest, frozen: FrozenContest, row: ContestRow) -> list[tuple[bool, Fraction]]:
    metric, breakers = _measures(contest, row.tier)
    first = frozen.figures[metric]
    if contest.improvement:
        first = replace(first, better="more")
    figures = (first, *(frozen.figures[name] for name in breakers))
    return [
        order(figure, value) for figure, value in zip(figures, (row.value, *row.ties), strict=True)
    ]


def _drawn(contest: Contest, rows: Sequence[ContestRow], seed: str) -> list[ContestRow]:
    """Return the rows of a lottery; with a `seed`, drawn in the order of their lowest tickets."""
    if not seed:
        return sorted(rows, key=lambda row: (-(row.value or 0), row.who))
    lowest = {
        row.who: min(
            ticket(seed, contest.contest_id, row.who, number)
            for number in range(1, int(row.value or 0) + 1)
        )
        for row in rows
    }
    order = sorted(rows, key=lambda row: lowest[row.who])
    winners = max(1, len(contest.prize_points))
    return [replace(row, place=number) for number, row in enumerate(order[:winners], 1)] + [
        replace(row, why="not_drawn") for row in order[winners:]
    ]


def drawn_anew(result: Result) -> ContestStanding:
    """Return a lottery's standing, drawn again from its seed and the tickets in its result."""
    rows = [
        replace(row, place=None, points=0, why=None if row.why == "not_drawn" else row.why)
        for row in result.standing.reps
    ]
    contest = result.contest
    runs = _drawn(contest, [row for row in rows if row.why is None], result.seed)
    others = [row for row in rows if row.why is not None]
    return ContestStanding((), tuple(_prized(contest, row, row.place) for row in (*runs, *others)))


def _earning(contest: Contest, frozen: FrozenContest, row: ContestRow) -> int | None:
    """Return the place a row gets a prize for. A value of 0 gets none where more is better, or all
    would share the first prize of a contest in which no rep did anything."""
    if row.value != 0 or contest.tickets:
        return row.place
    figure = frozen.figures[_measures(contest, row.tier)[0]]
    return None if figure.better == "more" else row.place


def _prized(contest: Contest, row: ContestRow, place: int | None) -> ContestRow:
    """Return a row with the prize of a place; a tied row gets the full prize."""
    if contest.hidden or place is None or place > len(contest.prize_points):
        return row
    return replace(row, points=contest.prize_points[place - 1])


def entrants_hash(frozen: FrozenContest) -> str:
    """Return a hash over the entrants, one line each; a result names its entrants by it."""
    lines = (f"{e.rep_id}|{e.team}|{e.tier}|{e.side}|{e.target}" for e in frozen.entrants)
    return sha256("\n".join(lines).encode()).hexdigest()


def result_text(result: Result) -> str:
    """Return a result as the text that is signed: JSON with sorted names and no spaces.

    Fractions are written as `7/3`, times as ISO 8601; a row's empty fields are left out.
    """
    body = asdict(result)
    body["standing"] = {
        name: [_fields(row) for row in getattr(result.standing, name)] for name in ("sides", "reps")
    }
    return json.dumps(
        body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_word
    )


def _word(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _fields(row: ContestRow) -> dict[str, Any]:
    body = asdict(row)
    return {name: value for name, value in body.items() if value not in (None, "", (), 0)} | (
        {} if row.value is None else {"value": row.value}
    )
