"""Contests (G4-G6, G10, F11): what one is, what of it is frozen at its start, and how it is scored.

Pure and exact: the counts of the entrants go in, the places come out, the same in whatever order
the entrants are. What was done is dated by the local day of its team, so each team's days are in
its own zone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from hashlib import sha256
from typing import Any, Literal

from dibs.core.calendar import day_start
from dibs.core.rep import Rep
from dibs.game.scoring.metrics import METRICS, metrics_of, order, parse, value_of
from dibs.game.scoring.vocabulary import known_names
from dibs.race.draw import commitment_of
from dibs.race.newcomers import protected
from dibs.rules.game import Metric
from dibs.rules.playbook import Playbook

# Read by the validator in the adapter: a misspelt rule must not pass for a rule that is off.
_STRICT = {"extra": "forbid"}

KEPT_DAYS = 28
"""How many days before the start `keeps` looks at."""
RESERVED = "challenge-"
"""What the ids of challenges begin with (G7); no contest of a manager's has such an id."""

_DAY = timedelta(days=1)
_TARGET = "target.sum"
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
    """The least that must have been done to be placed: `formula`, or a metric, `at_least`."""

    formula: str
    at_least: int
    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class Contest:
    """A contest, as a manager or the playbook's calendar sets it up.

    It is about a `metric`: one of the playbook's by name, or a formula, of which `better` is the
    end that wins (empty: the metric's own, or more). With `metric_by_tier` each tier has its own,
    by name of the tier, and places of its own; what is named after the first breaks ties (G10).
    With `tickets` it is a lottery: so many tickets for each activity of a type.

    Entrants are the active reps of `teams`, or the named `reps`, or `sides` put together for it;
    `tiers` leaves out the others. A `team`'s value is the metric over what its members did
    together, by their number with `per_head`. In a `hybrid` the members of the winning side are
    honoured; what each did adds to their side's (G6).

    `handicap` counts percent of the rep's own target (F11), `improvement` what is better than in as
    many days before the first; who is no better is not placed. `keeps` may not be worse than in the
    28 days before. Who is level is told apart by `tie_breakers`, in order; who still is shares the
    place, and its prize.

    The first and the last day are included. Late data count until `late_days` after the last one's
    end. `prize_points` go to the first places; in a `team` contest to every member of the side. A
    `hidden` one is a dry run: only managers see it, and nobody gets anything.
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
    keeps: str = ""
    minimum: Minimum | None = None
    tie_breakers: tuple[str, ...] = ()
    late_days: int = 2
    prize_points: tuple[int, ...] = ()
    prize: str = ""
    hidden: bool = False
    __pydantic_config__ = _STRICT

    @property
    def days(self) -> int:
        return (self.last_day - self.first_day).days + 1

    @property
    def figures(self) -> tuple[str, ...]:
        """Every metric and formula it names, each once."""
        by_tier = (name for names in self.metric_by_tier.values() for name in names)
        minimum = (self.minimum.formula,) if self.minimum else ()
        named = (self.metric, *by_tier, self.keeps, *minimum, *self.tie_breakers)
        return tuple(dict.fromkeys(name for name in named if name))

    @property
    def named_reps(self) -> tuple[str, ...]:
        """The reps it names, on whichever side."""
        return (*self.reps, *(rep_id for side in self.sides.values() for rep_id in side))


@dataclass(frozen=True)
class Times:
    """When a contest opens, ends, and closes for late data.

    It opens with the first day of the first team it comes to, and ends with the last day of the
    last one.
    """

    opens_at: datetime
    ends_at: datetime
    cut_off_at: datetime


@dataclass(frozen=True)
class Entrant:
    """Who is in, as they were at the start; `target` is theirs for the contest's days (F11)."""

    rep_id: str
    team: str
    tier: int
    side: str = ""
    target: Fraction | None = None


@dataclass(frozen=True)
class Frozen:
    """What no longer changes once a contest has begun.

    Who joins later is not in, nor whose results are protected on the first day (F9); who leaves
    stays with what they have. `figures` are its metrics as
    they were defined then. `commitment` is that of the seed the lottery is drawn with.
    """

    at: datetime
    times: Times
    playbook_version: int
    figures: Mapping[str, Metric]
    entrants: tuple[Entrant, ...]
    commitment: str = ""


@dataclass(frozen=True)
class Windows:
    """What entrants came to, by rep: in the contest's days, in as many days before, and in the 28
    days before. Who has nothing on record in a window is not in it."""

    now: Mapping[str, Counts]
    before: Mapping[str, Counts] = field(default_factory=dict)
    kept: Mapping[str, Counts] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """How a rep or a side (`who`) stands. `place` is None for who is not placed, and `why`.

    `value` is what counts, exactly, and `ties` the tie-breakers; in a lottery `value` is how many
    tickets they have. Places are within the `tier` where each has its own, and in a hybrid within
    the `side`. `points` are the prize.
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
class Standing:
    """How a contest stands: its sides, none where everybody is for themselves, and its reps."""

    sides: tuple[Row, ...]
    reps: tuple[Row, ...]

    @property
    def prizes(self) -> dict[str, int]:
        """The prize points by rep, of who gets any."""
        return {row.who: row.points for row in self.reps if row.points}


@dataclass(frozen=True)
class Result:
    """How a contest ended. `entrants` is the hash of who was in (`entrants_hash`)."""

    contest: Contest
    closed_at: datetime
    times: Times
    playbook_version: int
    figures: Mapping[str, Metric]
    entrants: str
    commitment: str
    seed: str
    standing: Standing


def times_of(contest: Contest, playbook: Playbook) -> Times:
    """Return when a contest opens, ends and closes, by the zones of its teams.

    Without teams of its own, or when they are gone, by those of all teams.
    """
    known = playbook.teams
    teams = [team for team in contest.teams if team in known] or list(known)
    zones = {known[team].zone for team in teams}
    ends = max(day_start(contest.last_day + _DAY, zone) for zone in zones)
    return Times(
        opens_at=min(day_start(contest.first_day, zone) for zone in zones),
        ends_at=ends,
        cut_off_at=ends + contest.late_days * _DAY,
    )


def figure_of(name: str, playbook: Playbook) -> Metric:
    """Return a metric of the playbook, or one made of a formula: the shipped one, where it is that.

    Raises:
        ValueError: it is neither; the message says how to mend it.
    """
    known = metrics_of(playbook).get(name)
    if known is not None:
        return known
    parse(name, known_names(playbook))
    return _SHIPPED.get(name) or Metric(name, "")


def freeze(
    contest: Contest,
    playbook: Playbook,
    reps: Iterable[Rep],
    targets: Mapping[str, Fraction],
    at: datetime,
    seed: str,
) -> Frozen:
    """Return what stays as it is from now on; `targets` are those of the contest's days, by rep."""
    figures = {name: figure_of(name, playbook) for name in contest.figures}
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
    return Frozen(
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
    """Return the first and the last day of each window that is looked at, by its name."""
    yesterday = contest.first_day - _DAY
    found = {"now": (contest.first_day, contest.last_day)}
    if contest.improvement:
        found["before"] = (contest.first_day - contest.days * _DAY, yesterday)
    if contest.keeps:
        found["kept"] = (contest.first_day - KEPT_DAYS * _DAY, yesterday)
    return found


def counted(
    contest: Contest,
    frozen: Frozen,
    totals: Iterable[tuple[str, str, Counts]],
    *,
    earlier: bool = False,
) -> dict[str, Counts]:
    """Return what counts of the totals (rep, team, counts), by entrant.

    In a contest of teams only what was done for the team they were in at its start; otherwise
    whatever they did. So it is with what was done `earlier`: who changed teams before the start is
    held against all of it.
    """
    teams = {one.rep_id: one.team for one in frozen.entrants}
    found: dict[str, Counter[str]] = {}
    for rep_id, team, counts in totals:
        if rep_id in teams and (earlier or not contest.teams or teams[rep_id] == team):
            found.setdefault(rep_id, Counter()).update(counts)
    return dict(found)


def score(contest: Contest, frozen: Frozen, windows: Windows, seed: str = "") -> Standing:
    """Return how a contest stands (G4-G6). A lottery is drawn once its `seed` is given.

    A minimum is asked of whoever is placed by it: of the sides in a contest of teams, else of reps.
    """
    least = contest.minimum
    reps = [_judged(contest, frozen, one.rep_id, [one], windows, least) for one in frozen.entrants]
    if contest.kind == "individual":
        tiers = sorted({row.tier for row in reps})
        groups = [[row for row in reps if row.tier == tier] for tier in tiers]
        placed = [row for group in groups for row in _placed(contest, frozen, group, seed)]
        prized = (_prized(contest, row, _earning(contest, frozen, row)) for row in placed)
        return Standing((), tuple(prized))
    members: dict[str, list[Entrant]] = {}
    for one in frozen.entrants:
        members.setdefault(one.side, []).append(one)
    least = contest.minimum if contest.kind == "team" else None
    judged = [
        _judged(contest, frozen, side, members[side], windows, least) for side in sorted(members)
    ]
    sides = _placed(contest, frozen, judged)
    places = {row.who: _earning(contest, frozen, row) for row in sides}
    if contest.kind == "team":
        told = [replace(row, why=None) for row in sorted(reps, key=lambda row: row.who)]
        return Standing(tuple(sides), tuple(_prized(contest, r, places[r.side]) for r in told))
    honoured = []
    for side, place in places.items():
        group = _placed(contest, frozen, [row for row in reps if row.side == side])
        honoured += [
            _prized(contest, row, _earning(contest, frozen, row) if place == 1 else None)
            for row in group
        ]
    return Standing(tuple(sides), tuple(honoured))


def ticket(seed: str, contest_id: str, rep_id: str, number: int) -> str:
    """Return the hash of one of a rep's tickets, numbered from 1: the lowest of all is drawn.

    A rep is drawn once; then the lowest ticket of the others is. Anybody can recompute it:

        printf %s 'SEED|CONTEST|REP|NUMBER' | sha256sum
    """
    return sha256(f"{seed}|{contest_id}|{rep_id}|{number}".encode()).hexdigest()


def _judged(
    contest: Contest,
    frozen: Frozen,
    who: str,
    members: Sequence[Entrant],
    windows: Windows,
    minimum: Minimum | None,
) -> Row:
    """Return the row of a rep, or of a side, without its place."""
    tier = members[0].tier if contest.metric_by_tier else 0
    if contest.handicap == "own_target":
        # What is done without a target would only make a side's share of its targets larger.
        members = [one for one in members if one.target] or members
    now = _together(windows.now, members) or {}
    metric, breakers = _measures(contest, tier)
    if contest.tickets:
        value, why = _tickets(contest, now)
    else:
        before = _together(windows.before, members)
        value, why = _value(contest, frozen.figures[metric], now, before, members)
    if minimum and why is None:
        done = value_of(frozen.figures[minimum.formula], now)
        if done is None or done < minimum.at_least:
            why = "below_minimum"
    if contest.keeps and why is None:
        figure, had = frozen.figures[contest.keeps], _together(windows.kept, members)
        if _is_worse(figure, value_of(figure, now), value_of(figure, had or {})):
            why = "worse_than_before"
    ties = tuple(value_of(frozen.figures[name], now) for name in breakers)
    return Row(who, members[0].side, tier, value, ties, None, why)


def _measures(contest: Contest, tier: int) -> tuple[str, tuple[str, ...]]:
    """Return what is measured, and what breaks ties, for whoever is in a tier."""
    if not contest.metric_by_tier:
        return contest.metric, contest.tie_breakers
    metric, *more = contest.metric_by_tier[str(tier)]
    return metric, (*more, *contest.tie_breakers)


def _together(window: Mapping[str, Counts], members: Iterable[Entrant]) -> Counts | None:
    """Return what members came to together, None where nothing is on record of any of them.

    What is wanted of them is what was wanted at the start.
    """
    found: Counter[str] = Counter()
    known = False
    for one in members:
        counts = window.get(one.rep_id)
        if counts is not None:
            known = True
            found.update(counts)
    found.pop(_TARGET, None)
    targets = [one.target for one in members if one.target is not None]
    if targets:
        found[_TARGET] = round(sum(targets, Fraction(0)))
    return found if known else None


def _tickets(contest: Contest, now: Counts) -> tuple[Fraction | None, Why | None]:
    held = sum(each * now.get(kind, 0) for kind, each in contest.tickets.items())
    return Fraction(held), None if held else "no_value"


def _value(
    contest: Contest,
    figure: Metric,
    now: Counts,
    before: Counts | None,
    members: Sequence[Entrant],
) -> tuple[Fraction | None, Why | None]:
    value = value_of(figure, now)
    if value is None:
        return None, "no_value"
    if contest.improvement:
        earlier = None if before is None else value_of(figure, before)
        if earlier is None:
            return None, "no_comparison"
        value = earlier - value if figure.better == "less" else value - earlier
        if value <= 0:
            return value, "not_better"
    if contest.handicap == "own_target":
        target = sum((one.target or Fraction(0) for one in members), Fraction(0))
        if not target:
            return None, "no_target"
        value = value * 100 / target
    if contest.per_head:
        value /= len(members)
    return value, None


def _is_worse(figure: Metric, value: Fraction | None, than: Fraction | None) -> bool:
    if than is None:
        return False  # Nothing to be kept.
    if value is None:
        return True
    return value > than if figure.better == "less" else value < than


def _placed(contest: Contest, frozen: Frozen, rows: Sequence[Row], seed: str = "") -> list[Row]:
    """Return rows with their places: the first first, who is not placed at the end."""
    runs = [row for row in rows if row.why is None]
    others = sorted((row for row in rows if row.why is not None), key=lambda row: row.who)
    if contest.tickets:
        return _drawn(contest, runs, seed) + others
    ranks = {row.who: _rank(contest, frozen, row) for row in runs}
    runs.sort(key=lambda row: (ranks[row.who], row.who))
    placed: list[Row] = []
    for number, row in enumerate(runs, 1):
        level = number > 1 and ranks[row.who] == ranks[placed[-1].who]
        placed.append(replace(row, place=placed[-1].place if level else number))
    return placed + others


def _rank(contest: Contest, frozen: Frozen, row: Row) -> list[tuple[bool, Fraction]]:
    metric, breakers = _measures(contest, row.tier)
    first = frozen.figures[metric]
    if contest.improvement:
        first = replace(first, better="more")
    figures = (first, *(frozen.figures[name] for name in breakers))
    return [
        order(figure, value) for figure, value in zip(figures, (row.value, *row.ties), strict=True)
    ]


def _drawn(contest: Contest, rows: Sequence[Row], seed: str) -> list[Row]:
    """Return the rows of a lottery: drawn in the order of their lowest tickets, once it is."""
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


def drawn_anew(result: Result) -> Standing:
    """Return a lottery's standing as its seed draws it, from the tickets that stand in it."""
    rows = [
        replace(row, place=None, points=0, why=None if row.why == "not_drawn" else row.why)
        for row in result.standing.reps
    ]
    contest = result.contest
    runs = _drawn(contest, [row for row in rows if row.why is None], result.seed)
    others = [row for row in rows if row.why is not None]
    return Standing((), tuple(_prized(contest, row, row.place) for row in (*runs, *others)))


def _earning(contest: Contest, frozen: Frozen, row: Row) -> int | None:
    """Return the place a row gets a prize for: none for nothing, where more is better. Or all
    would share the first place, and its prize, in a contest in which nobody did anything."""
    if row.value != 0 or contest.tickets:
        return row.place
    figure = frozen.figures[_measures(contest, row.tier)[0]]
    return None if figure.better == "more" else row.place


def _prized(contest: Contest, row: Row, place: int | None) -> Row:
    """Return a row with the prize of a place; who shares one gets all of it."""
    if contest.hidden or place is None or place > len(contest.prize_points):
        return row
    return replace(row, points=contest.prize_points[place - 1])


def entrants_hash(frozen: Frozen) -> str:
    """Return what stands for the entrants in a result: a hash over each line of them."""
    lines = (
        f"{one.rep_id}|{one.team}|{one.tier}|{one.side}|{one.target}" for one in frozen.entrants
    )
    return sha256("\n".join(lines).encode()).hexdigest()


def result_text(result: Result) -> str:
    """Return a result as the text that is signed: JSON of sorted names, without spaces.

    Fractions are written as `7/3`, moments as ISO 8601, and what a row has not is left out.
    """
    body = asdict(result)
    body["standing"] = {
        name: [_told(row) for row in getattr(result.standing, name)] for name in ("sides", "reps")
    }
    return json.dumps(
        body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_word
    )


def _word(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _told(row: Row) -> dict[str, Any]:
    body = asdict(row)
    return {name: value for name, value in body.items() if value not in (None, "", (), 0)} | (
        {} if row.value is None else {"value": row.value}
    )
