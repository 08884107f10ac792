"""The playbook's rules of the game: points, badges, quests, prizes and metrics (G, K)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date
from typing import Literal

from dibs.core.values import dataclass
from dibs.rules.rules import STRICT

Per = Literal["day", "week", "month", "quarter", "all"]
Reporter = Literal["rep", "system", "manager"]
"""Who reports an activity: the rep who did it, a system that signs, or a manager."""
Challenge = Literal["speed_week", "quality_month", "volume_sprint", "underdog_week"]


@dataclass(frozen=True)
class Metric:
    """A metric (K2): a `formula` over counted events, and a sentence that says what it `means`.

    `better` says whether the highest or the lowest value leads a board. A `ratio` of 1 is shown
    as 100 %. Below `minimum` a rep is not ranked yet (None: as for all metrics): so many events,
    or hours, the value is an average or a share of. `sample` is their formula, where what the
    metric divides by does not say it.
    """

    formula: str
    means: str
    unit: Literal["number", "points", "money", "seconds", "ratio"] = "number"
    better: Literal["more", "less"] = "more"
    minimum: int | None = None
    sample: str = ""
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Points:
    """What earns points (G1). The time runs from the rep's first notice of the lead.

    An event exactly at the limit still counts. `activities` are points for each activity, by type.
    `pod_percent` of the points for a lead offered to a pod go to the rest of the pod (R5).
    With `assigned`, opportunities and deals of assigned leads earn points too.
    """

    claim: int = 10
    claim_within_seconds: int = 60
    contact: int = 25
    contact_within_seconds: int = 300
    opportunity: int = 50
    won: int = 200
    helped: int = 5
    activities: Mapping[str, int] = field(default_factory=dict)
    pod_percent: int = 0
    assigned: bool = False
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class ReportRule:
    """Who may report one type of activity (K5): any of `by`.

    What is None is as for all types. `without_lead`: a rep may report an amount that is about no
    lead.
    """

    by: tuple[Reporter, ...] = ("rep", "system", "manager")
    rep_days: int | None = None
    rep_most: int | None = None
    without_lead: bool = False
    __pydantic_config__ = STRICT


REPORT_RULES: Mapping[str, ReportRule] = {
    # A rep does not judge for the customer.
    "csat": ReportRule(by=("system", "manager")),
    "nps": ReportRule(by=("system", "manager")),
    # Minutes: a day has no more.
    "hours_worked": ReportRule(rep_most=1440, without_lead=True),
    "confirmation": ReportRule(by=("system", "manager")),
}
"""The rules of types that differ from the rest, unless the playbook changes them."""


@dataclass(frozen=True)
class Reporting:
    """What is believed of a reported activity (K5).

    It may be up to `rep_days` old where a rep reports it, `system_days` where a system or a manager
    does. A rep reports amounts up to `rep_most`, in the smallest unit of the playbook's currency,
    and only about a lead. A contact that a rep reports later than `prompt_seconds` after it
    happened counts from when it was reported. Points for the types in `confirm` wait until a
    system or a manager has reported or confirmed the same, where a rep reported it alone. `types`
    are rules for single types.
    """

    rep_days: int = 7
    system_days: int = 90
    rep_most: int = 10_000_000
    prompt_seconds: int = 120
    confirm: tuple[str, ...] = ("opportunity", "won")
    types: Mapping[str, ReportRule] = field(default_factory=dict)
    __pydantic_config__ = STRICT

    def rule_for(self, type: str) -> ReportRule:
        """Return the rule of a type of activity."""
        return self.types.get(type) or REPORT_RULES.get(type) or ReportRule()

    def days_for(self, type: str, reporter: Reporter) -> int:
        """Return how many days ago an activity may have happened."""
        if reporter != "rep":
            return self.system_days
        own = self.rule_for(type).rep_days
        return self.rep_days if own is None else own

    def most_for(self, type: str) -> int:
        """Return the highest amount a rep may report."""
        own = self.rule_for(type).rep_most
        return self.rep_most if own is None else own


@dataclass(frozen=True)
class Rate:
    """From day `since` on, one unit of `currency` is worth `rate` units of the playbook's (K6)."""

    currency: str
    since: date
    rate: float
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Badge:
    """A badge (G2): a rep gets it for each period `per` in which `formula` reaches `at_least`."""

    name: str
    formula: str
    at_least: int
    per: Per = "all"
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Level:
    """A level: a rep has it from so many points on. Points that expired do not count."""

    name: str
    from_points: int
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Decay:
    """Points expire (G9): each month `percent` of those unspent for `after_days`; 0 is off."""

    percent: int = 0
    after_days: int = 90
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Help:
    """Help between colleagues (G11): how often a month help between the same two reps earns
    points."""

    paid_per_pair_per_month: int = 3
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class QuestStep:
    """One step of a quest (G8), done by an activity of `type` that names this step.

    `verified_by` says who has to confirm it: a signed `system`, a `manager`, a `peer`, or only the
    rep (`self`).
    """

    name: str
    type: Literal["training_step", "crm_step", "tool_used", "peer_interview"]
    verified_by: Literal["system", "manager", "peer", "self"] = "system"
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Quest:
    """An onboarding quest (G8): steps by id. A rep who has done all gets the `badge` and `points`.

    It is open for `within_days` from a rep's first day; 0 means always.
    """

    name: str
    steps: Mapping[str, QuestStep]
    badge: str = ""
    points: int = 0
    within_days: int = 0
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class Rewards:
    """Rewards (G9): an undecided request expires after `request_days`, an approved reward that is
    not collected after `collect_days`."""

    request_days: int = 14
    collect_days: int = 90
    __pydantic_config__ = STRICT


@dataclass(frozen=True)
class ChallengeRule:
    """What counts in a challenge (G7): a `formula` or a metric's name, and which end is `better`.

    With `improvement` it is the percent by which a rep passes their own value of the time before;
    `prior` is added to that value first, so that growth from almost nothing is not everything.
    `keeps` may not be worse than in the 28 days before. A rep is placed from the challenges'
    `minimum` of `minimum_of` on. Late data count until `late_days` after the end.
    """

    formula: str
    better: Literal["more", "less"] = "more"
    improvement: bool = False
    prior: int = 0
    keeps: str = ""
    minimum_of: str = "count(taken)"
    tie_breakers: tuple[str, ...] = ()
    late_days: int = 2
    __pydantic_config__ = STRICT


# Late days: the outcome of a lead comes later than a call.
CHALLENGE_RULES: Mapping[Challenge, ChallengeRule] = {
    "speed_week": ChallengeRule(
        "mean(response_seconds)", better="less", tie_breakers=("count(taken)",)
    ),
    "quality_month": ChallengeRule(
        "count(claimed_customers) / count(claimed)",
        tie_breakers=("count(claimed_customers)",),
        late_days=14,
    ),
    "volume_sprint": ChallengeRule(
        "count(claimed)",
        keeps="count(claimed_opportunities) / count(claimed)",
        tie_breakers=("count(claimed_opportunities)",),
        late_days=7,
    ),
    # Prizes belong to earlier weeks.
    "underdog_week": ChallengeRule(
        "sum(points) - sum(prize)",
        improvement=True,
        prior=100,
        tie_breakers=("sum(points) - sum(prize)",),
    ),
}
"""What counts in each challenge, unless the playbook changes it."""


@dataclass(frozen=True)
class Challenges:
    """Rotating challenges (G7): one of `rotation` each week, from the week of `starts` on.

    A rep must have claimed or been assigned at least `minimum` leads to get a place; the first
    three get `prize_points`. There are no challenges while `rotation` or `starts` is missing.
    `rules` change what counts, by challenge.
    """

    rotation: tuple[Challenge, ...] = ()
    starts: date | None = None
    minimum: int = 5
    prize_points: tuple[int, int, int] = (100, 50, 25)
    prize: str = ""
    hidden: bool = False
    rules: Mapping[str, ChallengeRule] = field(default_factory=dict)
    __pydantic_config__ = STRICT

    def rule_for(self, challenge: Challenge) -> ChallengeRule:
        """Return what counts in a challenge."""
        return self.rules.get(challenge) or CHALLENGE_RULES[challenge]


@dataclass(frozen=True)
class Speed:
    """The times that a quick contact is measured by (M3, G2).

    The board of response speed shows the share contacted within `short_seconds` and within
    `long_seconds`, and the longest run of leads contacted in less than `streak_seconds`. Leads
    contacted within `badge_seconds` of the first notice count for Speed Demon.
    """

    short_seconds: int = 300
    long_seconds: int = 3600
    streak_seconds: int = 600
    badge_seconds: int = 120
    __pydantic_config__ = STRICT


TIER_METRICS: Mapping[str, tuple[str, ...]] = {
    "1": ("revenue", "deal_size"),
    "2": ("conversion", "response_seconds"),
    "3": ("contact_rate", "qualification_accuracy"),
}
"""What wins in each tier, unless the playbook changes it (G10)."""

BADGES: Mapping[str, Badge] = {
    "speed_demon": Badge("Speed Demon", "count(contacted_in_2_min)", 10),
    "closer": Badge("Closer", "count(customers)", 5, "month"),
    "unstoppable": Badge("Unstoppable", "count(claimed_and_contacted)", 50, "week"),
    "team_player": Badge("Team Player", "count(colleagues_helped)", 5),
}
"""The badges every playbook has unless it changes them (G2)."""


@dataclass(frozen=True)
class Game:
    """The game (G, K): what earns points and badges, and how metrics are calculated.

    `metrics` changes shipped definitions or adds new ones, by name. `activities` are types of
    activity in addition to the shipped ones. `rates` convert amounts in other currencies.

    Averages and shares rank nobody who has fewer than `minimum_sample` events to show for them
    (G12). `boards` are the boards that pages link to. `tier_metrics` are what wins in each tier.
    """

    points: Points = field(default_factory=Points)
    badges: Mapping[str, Badge] = field(default_factory=lambda: dict(BADGES))
    levels: tuple[Level, ...] = ()
    decay: Decay = field(default_factory=Decay)
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    activities: tuple[str, ...] = ()
    help: Help = field(default_factory=Help)
    quests: Mapping[str, Quest] = field(default_factory=dict)
    rewards: Rewards = field(default_factory=Rewards)
    challenges: Challenges = field(default_factory=Challenges)
    reporting: Reporting = field(default_factory=Reporting)
    rates: tuple[Rate, ...] = ()
    minimum_sample: int = 5
    boards: tuple[str, ...] = (
        *("points", "claims", "claim_speed", "conversion", "opportunities", "revenue"),
        "response_speed",
    )
    speed: Speed = field(default_factory=Speed)
    tier_metrics: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict(TIER_METRICS))
    __pydantic_config__ = STRICT
