"""The rules of a playbook without its game, as data (O4): all that a claim is judged by."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import field
from datetime import date
from enum import StrEnum
from typing import Literal

from dibs.core.lead import Lead
from dibs.core.quality import Pool, Quality
from dibs.core.rep import Pause, Rep
from dibs.core.values import dataclass

# For pydantic, which validates playbook files: a misspelt rule is an error, not a rule that is off.
STRICT = {"extra": "forbid"}

Offsets = tuple[int | None, int | None, int | None]
"""Per tier, seconds from the lead's opening until the tier may claim it. None: it never may."""


class Model(StrEnum):
    """How a team gets its leads (M1, M2, M3, M5). Quota allocation (M4) combines with each."""

    OPEN_POOL = "open-pool"
    TIERS = "tiers"
    SPEED_BOARD = "speed-board"
    ROUND_ROBIN = "round-robin"

    @property
    def races(self) -> bool:
        """Tell whether reps claim leads; otherwise leads are assigned as they arrive."""
        return self in (Model.OPEN_POOL, Model.TIERS)


class Method(StrEnum):
    """How the next rep is chosen when a lead is assigned (M5)."""

    ROUND_ROBIN = "round-robin"
    WEIGHTED = "weighted"
    TERRITORY = "territory"


@dataclass(frozen=True)
class Thresholds:
    """The lowest scores of a hot and of a warm lead. Below them, or unscored, a lead is cold."""

    hot: int = 80
    warm: int = 50
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Route:
    """One routing rule: leads that match all its fields go to `teams`. The first match counts.

    With `pods`, only reps of these groups within the teams may have them (R5).
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
    """When each tier may claim (M2), and how long a lead stays open after the last tier's opening.

    A window in `windows` is for one `team`, one `source` or both. The first that matches counts;
    the playbook's general values fill what it leaves out.
    """

    team: str = ""
    source: str = ""
    premium: Offsets | None = None
    standard: Offsets | None = None
    window_seconds: int | None = None
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class PerformanceFirst:
    """Leads that match all these fields open tier by tier (R6), also in teams without tiers.

    `offsets`: per tier, seconds from the lead's opening. The first rule that matches counts.
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
    """Which properties of a lead must match the rep (R1-R4); each can be switched on or off.

    Territory, segment and interests (in the lead's product) bind only reps who have any on record.
    `skills` lists the needs of leads that are skills: a lead that needs `solar:2` goes to reps
    with solar at level 2 or more. A lead in a language goes to reps who speak it.
    """

    territory: bool = False
    segment: bool = False
    skills: tuple[str, ...] = ()
    languages: bool = False
    interests: bool = False
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Limit:
    """At most so many competitive claims per hour, day or week, or so many leads in hand (F7).

    The hour, day or week is that of the rep's time zone; with `rolling` it is any period of that
    length. The limit binds reps of `tiers`, or all reps if that is empty.
    """

    most: int
    per: Literal["hour", "day", "week", "in_hand"]
    rolling: bool = False
    tiers: tuple[int, ...] = ()
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Acceptance:
    """Less wanted leads that a rep has to take as well; 0 switches a rule off.

    At most `hot_per_warm` hot claims for each warm one in a week (F1). At most
    `claims_per_assignment` competitive claims between two accepted assignments (F2). At least
    `cold_per_week` cold claims a week, or the rep has to make up for them in the next week (F3).
    """

    hot_per_warm: int = 0
    claims_per_assignment: int = 0
    cold_per_week: int = 0
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Blind:
    """`share_percent` of the leads are offered blind (F4), drawn so that qualities are mixed (F5).

    `hot`, `warm` and `cold` are percent of the blind leads; they add up to 100.
    """

    share_percent: int = 0
    hot: int = 10
    warm: int = 70
    cold: int = 20
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Priority:
    """Each rep has a turn a day in which they may claim a share of new leads first (F6)."""

    share_percent: int = 0
    turn_minutes: int = 30
    head_start_seconds: int = 300
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Newcomers:
    """How newcomers are protected (F8, F9).

    Until `until_day` they are guaranteed `per_week` leads, by assignment if necessary. They do not
    race until `assigned_weeks` are over, and race only among themselves until `cohort_weeks` are
    over: for `raced_percent` of the leads they are owed. Until `protected_weeks` are over their
    results count neither for tiers nor on boards.
    """

    enabled: bool = False
    per_week: int = 5
    until_day: int = 90
    assigned_weeks: int = 4
    cohort_weeks: int = 8
    protected_weeks: int = 12
    raced_percent: int = 50
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Draw:
    """Claims within `collect_seconds` of a lead's opening count as simultaneous, and the winner is
    drawn (C10). 0 switches the rule off."""

    collect_seconds: int = 0
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Absence:
    """Every `hours_per_credit` working hours on leave earn one credit (F10); 0 is off.

    A credit is a lead `reserved` for the rep, or a head start of `head_start_seconds` on one. It
    expires `expires_days` after the rep's return.
    """

    hours_per_credit: int = 0
    earns: Literal["reserved", "head_start"] = "reserved"
    head_start_seconds: int = 300
    expires_days: int = 14
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class TierRules:
    """How reps are scored and placed in tiers (M2).

    The three weights are percent and add up to 100. `top_percent` and `bottom_percent` are the
    sizes of tiers 1 and 3. Scores cover the last `weeks`. Reps who took fewer than
    `minimum_sample` leads in that time, or joined less than `newcomer_days` ago, are not ranked.
    Conversion above the team's mean is calculated as if the rep had taken `prior_sample` more leads
    and converted them at that mean; below it, it is the rep's own. A challenger must beat an
    incumbent by `margin` score points. A lead that was not contacted, or later, counts as contacted
    after `longest_response_hours`.
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
    longest_response_hours: int = 24
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Band:
    """From `from_percent` of the target on, a rep gets `more_percent` on top of the base (M4)."""

    from_percent: int
    more_percent: int
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class QuotaRules:
    """How many leads a week a rep may take (M4).

    Targets are set in `measure`: revenue, in the smallest unit of `currency`, or leads won.
    """

    enabled: bool = False
    base_per_week: int = 10
    measure: Literal["revenue", "won"] = "revenue"
    currency: str = "USD"
    bands: tuple[Band, ...] = (Band(0, 0), Band(50, 25), Band(75, 50), Band(100, 100))
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Assignment:
    """Assignment without a race (M5): how the rep is chosen, and how many leads in hand they may
    have.

    `in_hand_limit` counts leads that a rep holds and has not worked; 0 is no limit. A lead that no
    rep may have goes to the team's fallback person after `fallback_after_seconds` (C7).
    """

    method: Method = Method.ROUND_ROBIN
    in_hand_limit: int = 0
    fallback_after_seconds: int = 3600
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Work:
    """A lead that its holder does not work in time returns to the pool (C11).

    It is worked with the first activity of a type in `counts`. The minutes run during the team's
    hours, from the claim or assignment; 0 switches the rule off for that quality. The holder is
    reminded when `nudge_percent` of them have passed.

    `until_first_activity` says what holds as long as nobody ever reported an activity about a
    lead: `wait` (leads taken before that do not go back) or `run`.
    """

    hot_minutes: int = 60
    warm_minutes: int = 60
    cold_minutes: int = 60
    nudge_percent: int = 50
    counts: tuple[str, ...] = ("call", "contacted")
    until_first_activity: Literal["wait", "run"] = "wait"
    __pydantic_config__ = STRICT

    def minutes_for(self, quality: Quality) -> int:
        """Return within how many working minutes a lead of this quality must be worked."""
        return {
            Quality.HOT: self.hot_minutes,
            Quality.WARM: self.warm_minutes,
            Quality.COLD: self.cold_minutes,
        }[quality]


@dataclass(frozen=True)
class Release:
    """A rep who released a lead cannot have it again for `cooldown_days` (C5).

    With 0 they can, once another rep had it in between. A claim keeps its points (K4) only where
    the reason begins with one of `about_lead`, whatever its case and punctuation.
    """

    cooldown_days: int = 7
    about_lead: tuple[str, ...] = (
        *("wrong number", "wrong person", "wrong industry", "wrong territory", "duplicate"),
        *("out of territory", "out of business", "do not call", "not a lead", "spam", "test"),
        *("nombor salah", "orang salah", "pendua", "luar kawasan"),
    )
    __pydantic_config__ = STRICT

    def is_about_lead(self, reason: str) -> bool:
        """Return whether a reason for a release is the lead's own, not the rep's choice."""
        words = _words(reason)
        return any(words[: len(known)] == known for known in map(_words, self.about_lead) if known)


def _words(text: str) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in text.casefold()).split()


@dataclass(frozen=True)
class Sms:
    """Text messages: whether they are sent, and how many a day at most (N1).

    The first two caps are for offers. Answers to reps' texts have caps of their own (N5). What a
    holder must know of their lead is bounded by their leads, and counts for none.
    """

    enabled: bool = True
    per_rep_per_day: int = 20
    per_organisation_per_day: int = 2000
    answers_per_rep_per_day: int = 60
    answers_per_organisation_per_day: int = 4000
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Availability:
    """A rep's pause ends by itself after so many minutes, in case they forget it (R8)."""

    pause_ends_after_minutes: int = 720
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Overnight:
    """Leads that come in outside a team's hours race when work begins, spread out (R11):
    `at_once` of them open together, and the next ones `every_seconds` later."""

    at_once: int = 3
    every_seconds: int = 60
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Notices:
    """Of a lead, `at_once` reps are told together, and the next ones `every_seconds` later (N6).

    They are told 50 at a time, so `at_once` counts in fifties. All may claim from the start.
    """

    at_once: int = 1000
    every_seconds: int = 5
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class SignIn:
    """A browser stays signed in so long; a link to sign in works once, for so many minutes (U8).

    In an hour, so few links are made for one phone number, and so many asked for, or wrong ones
    used, from one address: a whole office may be behind it. For one person, no more than
    `wrong_per_hour` wrong sign-ins from one address are looked at.
    """

    rep_session_days: int = 30
    manager_session_hours: int = 12
    link_minutes: int = 10
    links_per_hour: int = 3
    links_per_address_per_hour: int = 300
    wrong_per_hour: int = 20
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Look:
    """What screens are called, and look like: the organisation's name, logo and two colours (U9).

    The bar that leads from screen to screen has `colour`, and `accent` marks where one is. `logo`
    is a small picture, as a `data:` URL. Boards and offers may stand inside pages of the origins
    in `embed_in`, such as https://crm.example.com, and of no others.
    """

    name: str = ""
    logo: str = ""
    colour: str = ""
    accent: str = ""
    embed_in: tuple[str, ...] = ()
    __pydantic_config__ = STRICT


SHIPPED_LOOK = Look()


@dataclass(frozen=True)
class Duplicates:
    """Duplicates are found before the race (C6), by the same `person` and the same `company`.

    Either is remembered until `days` after the latest post, and for good after a lead was won. A
    company's name that came with `name_people` different people, none with a company's domain,
    is what people write who name no company, and counts no more.
    """

    person: bool = True
    company: bool = True
    days: int = 365
    name_people: int = 3
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Team:
    """A team of reps.

    Its weeks and months begin in its `zone` (IANA). Its clocks run during `hours`
    (`{"mon": ["09:00-18:00"]}`; empty means always) without `holidays`; so do the working hours of
    reps who have none of their own. `fallback` is the rep id of the person who gets a lead that no
    rep may have (C7). With `anonymous` a loser does not learn who won (C3). With `own_gap` boards
    show a rep only themselves and the distance to the next place (G3).
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
    """When each tier may claim leads of the premium and of the standard pool (M2)."""

    premium: Offsets = (0, 900, None)
    standard: Offsets = (0, 900, 3600)
    __pydantic_config__ = STRICT


AT_ONCE: Offsets = (0, 0, 0)
NEVER: Offsets = (None, None, None)


@dataclass(frozen=True)
class Rules:
    """One organisation's rules of who gets which lead. A duration's name says its unit.

    What a file leaves out is as in its `preset`; `fits` says which teams that is good for.
    `version` and `paused`, the teams that a manager has paused (R8), are the stack's to say.

    Phone numbers without a country code are read as those of `phone_region`, a country in two
    letters such as MY (O2); without one they are kept as given, and identify nobody. Of test leads
    only `test_reps` are told, by their ids, unless a post asks for everybody (O2). A claim link
    shows the contact details for `contact_shown_seconds` after the claim.
    `version` and `first_activity`, whether an activity about a lead was ever reported, are no
    settings: the stack knows them.
    """

    preset: str
    fits: str
    teams: Mapping[str, Team]
    model: Model = Model.OPEN_POOL
    window_seconds: int = 900
    unseen_seconds: int = 20
    undo_seconds: int = 30
    undos_per_day: int = 3
    contact_shown_seconds: int = 900
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
    overnight: Overnight = field(default_factory=Overnight)
    notices: Notices = field(default_factory=Notices)
    duplicates: Duplicates = field(default_factory=Duplicates)
    phone_region: str = ""
    test_reps: tuple[str, ...] = ()
    sign_in: SignIn = field(default_factory=SignIn)
    look: Look = field(default_factory=Look)
    version: int = 0
    first_activity: bool = False
    paused: Mapping[str, Pause] = field(default_factory=dict)
    __pydantic_config__ = STRICT

    @property
    def returns_unworked(self) -> bool:
        """Tell whether a lead taken now goes back if it is not worked (C11)."""
        return self.first_activity or self.work.until_first_activity == "run"

    def quality_of(self, score: int | None) -> Quality:
        """Return a lead's quality from its score (0 to 100, None where unscored)."""
        if score is None or score < self.quality.warm:
            return Quality.COLD
        return Quality.HOT if score >= self.quality.hot else Quality.WARM

    def route_for(self, lead: Mapping[str, str]) -> Route:
        """Return a lead's route: to the team it names, the first matching rule's teams, or all."""
        team = self.team_named(lead.get("team", ""))
        if team is not None:
            return Route((team,))
        return next(
            (route for route in self.routing if _matches(route, lead)), Route(tuple(self.teams))
        )

    def team_named(self, given: str) -> str | None:
        """Return the id of the team that a source names by its id or name.

        Case, width and spaces do not matter, unless they tell two teams apart; then the source
        must write the id as it is.
        """
        if given in self.teams:
            return given
        wanted = _folded(given)
        named = {id_ for id_, team in self.teams.items() if wanted in _spellings(id_, team)}
        return named.pop() if wanted and len(named) == 1 else None

    def model_of(self, team: str) -> Model:
        """Return how a team gets its leads: its own model, or the organisation's."""
        own = self.teams.get(team)
        return own.model if own is not None and own.model is not None else self.model

    def ranks(self, team: str) -> bool:
        """Tell whether a team's reps are placed in tiers each week.

        Its waves need that (M2), and so do leads that go to the best reps first (R6).
        """
        model = self.model_of(team)
        return model is Model.TIERS or (model.races and bool(self.performance_first))

    def window_for(self, team: str, source: str) -> Window:
        """Return the window of a team for a source, with every value set.

        Only a team with tiers has waves. In the open pool all reps may claim at once; a team whose
        leads are assigned claims none.
        """
        window = next((w for w in self.windows if _is_for(w, team, source)), Window())
        model = self.model_of(team)
        premium, standard = AT_ONCE, AT_ONCE
        if model is Model.TIERS:
            premium = window.premium or self.waves.premium
            standard = window.standard or self.waves.standard
        elif not model.races:
            premium, standard = NEVER, NEVER
        return Window(team, source, premium, standard, window.window_seconds or self.window_seconds)

    def offsets(self, team: str, lead: Lead) -> Offsets:
        """Return when each tier of a team may claim a lead, by the lead's source and pool (M2).

        A kind of lead that goes to the best reps first has its own offsets (R6). A blind lead has
        neither those nor the ones of its source, because its waves would show what it is (F4).
        """
        window = self.window_for(team, lead.source)
        kind = {
            "source": lead.preview.source,
            "territory": lead.territory,
            "segment": lead.segment,
            "product": lead.product,
            "quality": lead.quality,
        }
        rules = () if lead.blind else self.performance_first
        rule = next((rule for rule in rules if _matches(rule, kind)), None)
        if rule is not None and self.model_of(team).races:
            return rule.offsets
        return (window.premium if lead.pool is Pool.PREMIUM else window.standard) or AT_ONCE

    def limits_of(self, tier: int) -> tuple[Limit, ...]:
        """Return every limit that binds a tier's reps (F7), the general daily one first."""
        daily = Limit(self.claims_per_day, "day")
        return (daily, *(x for x in self.limits if not x.tiers or tier in x.tiers))

    @property
    def gives_head_starts(self) -> bool:
        """Tell whether some reps may claim a lead before all others (F6, F10)."""
        absence = self.absence
        earns = bool(absence.hours_per_credit) and absence.earns == "head_start"
        return bool(self.priority.share_percent) or earns

    def hides_winner_from(self, rep: Rep) -> bool:
        """Tell whether this rep's team does not show who won (C3)."""
        team = self.teams.get(rep.team)
        return team is not None and team.anonymous


def _folded(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def _spellings(team_id: str, team: Team) -> tuple[str, str]:
    return _folded(team_id), _folded(team.name)


_KIND = ("source", "territory", "segment", "product", "quality")


def _matches(rule: Route | PerformanceFirst, lead: Mapping[str, str]) -> bool:
    """Tell whether the lead matches every field that the rule sets."""
    wanted = {name: getattr(rule, name, None) for name in _KIND}
    return all(not value or lead.get(name) == value for name, value in wanted.items())


def _is_for(window: Window, team: str, source: str) -> bool:
    return window.team in ("", team) and window.source in ("", source)
