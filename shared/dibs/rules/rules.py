"""The rules of a playbook but for its game, as data (O4): all that a claim is judged by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Literal

from dibs.core.lead import Lead
from dibs.core.quality import Pool, Quality
from dibs.core.rep import Rep

# Read by the validator in the adapter: a misspelt rule must not pass for a rule that is off.
STRICT = {"extra": "forbid"}

Offsets = tuple[int | None, int | None, int | None]
"""Per tier, seconds from the lead's opening to the tier's; None: never by claiming."""


class Model(StrEnum):
    """How a team gets its leads (M1, M2, M3, M5); quota allocation (M4) goes with any of them."""

    OPEN_POOL = "open-pool"
    TIERS = "tiers"
    SPEED_BOARD = "speed-board"
    ROUND_ROBIN = "round-robin"

    @property
    def races(self) -> bool:
        """Tell whether reps claim; otherwise leads are assigned as they come."""
        return self in (Model.OPEN_POOL, Model.TIERS)


class Method(StrEnum):
    """Whose turn it is when a lead is assigned (M5)."""

    ROUND_ROBIN = "round-robin"
    WEIGHTED = "weighted"
    TERRITORY = "territory"


@dataclass(frozen=True)
class Thresholds:
    """Scores from which a lead is hot and warm; below, or unscored, it is cold."""

    hot: int = 80
    warm: int = 50
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Route:
    """One routing rule: leads whose fields all match go to `teams`; the first match counts.

    With `pods` only the reps of these groups within the teams may have them (R5).
    """

    teams: tuple[str, ...]
    source: str = ""
    territory: str = ""
    segment: str = ""
    product: str = ""
    pods: tuple[str, ...] = ()
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Window:
    """When each tier may claim (M2), and for how long after the last of them has opened.

    A window of the playbook's `windows` is for one `team`, one `source` or both; the first that
    matches counts, and what it leaves out is as everywhere.
    """

    team: str = ""
    source: str = ""
    premium: Offsets | None = None
    standard: Offsets | None = None
    window_seconds: int | None = None
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class PerformanceFirst:
    """Leads whose named fields all match open tier by tier (R6), in teams without tiers as well.

    `offsets`: per tier, seconds from the lead's opening; the first rule that matches counts.
    """

    source: str = ""
    territory: str = ""
    segment: str = ""
    product: str = ""
    quality: Quality | None = None
    offsets: Offsets = (0, 900, 3600)
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Matching:
    """What of a lead must fit a rep (R1-R4); each is a rule that is on or off.

    Territory, segment and interests (in the lead's product) bind reps who name any; who names
    none takes all. `skills` are the needs that are skills here: a lead that needs `solar:2` goes
    to reps who have solar at level 2 or more. A lead in a language goes to reps who speak it.
    """

    territory: bool = False
    segment: bool = False
    skills: tuple[str, ...] = ()
    languages: bool = False
    interests: bool = False
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Limit:
    """At most so many competitive claims per hour, day or week, or leads in hand (F7).

    By the rep's own calendar, or over any span of that length where it is `rolling`. `tiers` are
    whom it binds; none named: everybody.
    """

    most: int
    per: Literal["hour", "day", "week", "in_hand"]
    rolling: bool = False
    tiers: tuple[int, ...] = ()
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Acceptance:
    """What must be taken beside the leads everybody wants; 0 switches a rule off.

    `hot_per_warm` hot claims for each warm one in a week (F1), `claims_per_assignment`
    competitive claims between two accepted assignments (F2), `cold_per_week` cold claims a week
    for the next week's race (F3).
    """

    hot_per_warm: int = 0
    claims_per_assignment: int = 0
    cold_per_week: int = 0
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Blind:
    """`share_percent` of the leads are offered blind (F4), drawn for a mix of qualities (F5).

    `hot`, `warm` and `cold` are percent of the blind leads and add up to 100.
    """

    share_percent: int = 0
    hot: int = 10
    warm: int = 70
    cold: int = 20
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Priority:
    """Each rep's daily turn to see new leads first (F6), for a share of the leads."""

    share_percent: int = 0
    turn_minutes: int = 30
    head_start_seconds: int = 300
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Newcomers:
    """How the new ones come into the race (F8, F9).

    Until `until_day` they get `per_week` leads, outside the race where need be. For
    `assigned_weeks` they do not race at all, until `cohort_weeks` only among themselves, and
    until `protected_weeks` their results count neither for tiers nor on boards.
    """

    enabled: bool = False
    per_week: int = 5
    until_day: int = 90
    assigned_weeks: int = 4
    cohort_weeks: int = 8
    protected_weeks: int = 12
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Draw:
    """Claims within so many seconds of a lead's opening count as simultaneous (C10); 0 is off."""

    collect_seconds: int = 0
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Absence:
    """Working hours on leave that earn one credit (F10); 0 switches the rule off.

    A credit is a lead `reserved` for the rep, or a `head_start` of so many seconds on one; it is
    lost `expires_days` after their return.
    """

    hours_per_credit: int = 0
    earns: Literal["reserved", "head_start"] = "reserved"
    head_start_seconds: int = 300
    expires_days: int = 14
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class TierRules:
    """How reps are scored and placed (M2).

    The three weights are percent and add up to 100, as do the top and bottom tiers and what is
    left between them. `weeks` is how far back the inputs look; who took fewer than
    `minimum_sample` leads in that time, or joined less than `newcomer_days` ago, stays outside
    the count. `prior_sample` shrinks conversion: it counts as if that many more leads had gone at
    the team's mean. `margin` is the score points by which a challenger must beat an incumbent.
    """

    conversion_weight: int = 50
    attainment_weight: int = 30
    speed_weight: int = 20
    top_percent: int = 25
    bottom_percent: int = 25
    weeks: int = 4
    minimum_sample: int = 10
    prior_sample: int = 20
    margin: int = 3
    newcomer_days: int = 90
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Band:
    """From `from_percent` of the target on, a rep gets `more_percent` on top of the base."""

    from_percent: int
    more_percent: int
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class QuotaRules:
    """How many leads a week a rep may take (M4).

    `measure` is what targets are set in: revenue, in the smallest unit of `currency`, or leads won.
    """

    enabled: bool = False
    base_per_week: int = 10
    measure: Literal["revenue", "won"] = "revenue"
    currency: str = "USD"
    bands: tuple[Band, ...] = (Band(0, 0), Band(50, 25), Band(75, 50), Band(100, 100))
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Assignment:
    """Assigning without a race (M5): whose turn it is, and how many leads in hand are enough.

    `in_hand_limit` counts leads taken and not yet worked; 0 is no limit.
    `fallback_after_seconds` is how long a lead that nobody may take waits for the team's
    fallback person (C7).
    """

    method: Method = Method.ROUND_ROBIN
    in_hand_limit: int = 0
    fallback_after_seconds: int = 3600
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Work:
    """Worked or returned (C11): a lead is worked with the first activity of a type in `counts`.

    Minutes are counted in the team's hours, from the claim or assignment; 0 switches the rule
    off for that quality. The holder is reminded when `nudge_percent` of them have passed.
    """

    hot_minutes: int = 60
    warm_minutes: int = 60
    cold_minutes: int = 60
    nudge_percent: int = 50
    counts: tuple[str, ...] = ("call", "contacted")
    __pydantic_config__ = STRICT

    def minutes_for(self, quality: Quality) -> int:
        """Return the working minutes a lead of this quality may lie untouched."""
        return {
            Quality.HOT: self.hot_minutes,
            Quality.WARM: self.warm_minutes,
            Quality.COLD: self.cold_minutes,
        }[quality]


@dataclass(frozen=True)
class Release:
    """Giving a lead back (C5): for `cooldown_days` whoever did so cannot have it again.

    With 0 they can, once somebody else had it in between.
    """

    cooldown_days: int = 7
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Sms:
    """Text messages: switched on or off, and how many a day at most (N1)."""

    enabled: bool = True
    per_rep_per_day: int = 20
    per_organisation_per_day: int = 2000
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Availability:
    """Which reps are told and may claim (R8): a pause ends by itself, so nobody forgets it."""

    pause_ends_after_minutes: int = 720
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Duplicates:
    """Who is known before the race (C6): the same `person`, the same `company`.

    `days` is how long after their latest post somebody is remembered; who became a customer (a
    lead that was won) is remembered for good.
    """

    person: bool = True
    company: bool = True
    days: int = 365
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Team:
    """A team of reps.

    `zone` (IANA) is where its weeks and months begin; `hours` (`{"mon": ["09:00-18:00"]}`, none:
    always) and `holidays` are when its clocks run and its reps without hours of their own are on
    duty. `fallback` is the rep id of the person who gets what nobody else may take (C7). On
    anonymous boards no loser is told who won (C3), and with `own_gap` boards show a rep nobody
    else at all, but how far the next place is (G3).
    """

    name: str
    anonymous: bool = False
    own_gap: bool = False
    model: Model | None = None
    zone: str = "UTC"
    hours: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    holidays: tuple[date, ...] = ()
    fallback: str = ""
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Waves:
    """The tiers' openings for the premium and the standard pool (M2), in seconds."""

    premium: Offsets = (0, 900, None)
    standard: Offsets = (0, 900, 3600)
    __pydantic_config__ = STRICT


AT_ONCE: Offsets = (0, 0, 0)
NEVER: Offsets = (None, None, None)


@dataclass(frozen=True)
class Rules:
    """One organisation's rules of who gets which lead. Durations name their unit."""

    preset: str
    fits: str
    teams: Mapping[str, Team]
    model: Model = Model.OPEN_POOL
    window_seconds: int = 900
    unseen_seconds: int = 20
    undo_seconds: int = 30
    claims_per_day: int = 10
    limits: tuple[Limit, ...] = ()
    acceptance: Acceptance = field(default_factory=Acceptance)
    quality: Thresholds = field(default_factory=Thresholds)
    routing: tuple[Route, ...] = ()
    matching: Matching = field(default_factory=Matching)
    performance_first: tuple[PerformanceFirst, ...] = ()
    blind: Blind = field(default_factory=Blind)
    priority: Priority = field(default_factory=Priority)
    newcomers: Newcomers = field(default_factory=Newcomers)
    absence: Absence = field(default_factory=Absence)
    draw: Draw = field(default_factory=Draw)
    waves: Waves = field(default_factory=Waves)
    windows: tuple[Window, ...] = ()
    tiers: TierRules = field(default_factory=TierRules)
    quota: QuotaRules = field(default_factory=QuotaRules)
    assignment: Assignment = field(default_factory=Assignment)
    work: Work = field(default_factory=Work)
    release: Release = field(default_factory=Release)
    sms: Sms = field(default_factory=Sms)
    availability: Availability = field(default_factory=Availability)
    duplicates: Duplicates = field(default_factory=Duplicates)
    version: int = 0
    __pydantic_config__ = STRICT

    def quality_of(self, score: int | None) -> Quality:
        """Return a lead's quality from its score (0 to 100, None where unscored)."""
        if score is None or score < self.quality.warm:
            return Quality.COLD
        return Quality.HOT if score >= self.quality.hot else Quality.WARM

    def route_for(self, lead: Mapping[str, str]) -> Route:
        """Return where a lead goes: its own team, the first matching rule's teams, or all."""
        if lead.get("team") in self.teams:
            return Route((lead["team"],))
        return next(
            (route for route in self.routing if _matches(route, lead)), Route(tuple(self.teams))
        )

    def model_of(self, team: str) -> Model:
        """Return how a team gets its leads."""
        known = self.teams.get(team)
        return known.model if known is not None and known.model is not None else self.model

    def ranks(self, team: str) -> bool:
        """Tell whether a team's reps are placed in tiers each week: for its waves, or for R6."""
        model = self.model_of(team)
        return model is Model.TIERS or (model.races and bool(self.performance_first))

    def window_for(self, team: str, source: str) -> Window:
        """Return the whole window of a team for a source: nothing in it is left out.

        Only a team with tiers has waves; in the open pool everybody's window opens at once, and
        a team that is assigned its leads claims none.
        """
        found = next((w for w in self.windows if _is_for(w, team, source)), Window())
        model = self.model_of(team)
        premium, standard = AT_ONCE, AT_ONCE
        if model is Model.TIERS:
            premium = found.premium or self.waves.premium
            standard = found.standard or self.waves.standard
        elif not model.races:
            premium, standard = NEVER, NEVER
        return Window(team, source, premium, standard, found.window_seconds or self.window_seconds)

    def offsets(self, team: str, lead: Lead) -> Offsets:
        """Return when each tier of a team may claim a lead, by its source and pool (M2).

        Leads of a kind that goes to the best first have openings of their own (R6). A blind lead
        has neither those nor its source's, or its waves would tell what it is (F4).
        """
        window = self.window_for(team, lead.shown.source)
        kind = {
            "source": lead.preview.source,
            "territory": lead.territory,
            "segment": lead.segment,
            "product": lead.product,
            "quality": lead.quality,
        }
        rules = () if lead.blind else self.performance_first
        first = next((rule for rule in rules if _matches(rule, kind)), None)
        if first is not None and self.model_of(team).races:
            return first.offsets
        return (window.premium if lead.pool is Pool.PREMIUM else window.standard) or AT_ONCE

    def limits_of(self, tier: int) -> tuple[Limit, ...]:
        """Return every limit that binds a tier's reps (F7), the daily one of all first."""
        everybody = Limit(self.claims_per_day, "day")
        return (everybody, *(x for x in self.limits if not x.tiers or tier in x.tiers))

    @property
    def gives_head_starts(self) -> bool:
        """Tell whether some may see a lead before everybody else (F6, F10)."""
        absence = self.absence
        earns = bool(absence.hours_per_credit) and absence.earns == "head_start"
        return bool(self.priority.share_percent) or earns

    def hides_winner_from(self, rep: Rep) -> bool:
        """Tell whether this rep's team keeps winners anonymous (C3)."""
        team = self.teams.get(rep.team)
        return team is not None and team.anonymous


_KIND = ("source", "territory", "segment", "product", "quality")


def _matches(rule: Route | PerformanceFirst, lead: Mapping[str, str]) -> bool:
    """Tell whether everything a rule names is so of the lead."""
    wanted = {name: getattr(rule, name, None) for name in _KIND}
    return all(not value or lead.get(name) == value for name, value in wanted.items())


def _is_for(window: Window, team: str, source: str) -> bool:
    return window.team in ("", team) and window.source in ("", source)
