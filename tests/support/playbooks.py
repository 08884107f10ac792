"""Hypothesis strategies for valid playbooks."""

from __future__ import annotations

import string
from datetime import date
from typing import Any

from hypothesis import strategies as st

from dibs.core.quality import Quality
from dibs.playbook.checks.fairness import MOST_ROLLING
from dibs.playbook.checks.teams import ACTIVITIES, LIMITS
from dibs.rules.game import Badge, Challenges, Decay, Game, Level, Metric, Points, Quest, QuestStep
from dibs.rules.playbook import Playbook
from dibs.rules.rules import (
    Absence,
    Acceptance,
    Assignment,
    Availability,
    Band,
    Blind,
    Draw,
    Duplicates,
    Limit,
    Matching,
    Method,
    Model,
    Newcomers,
    Offsets,
    PerformanceFirst,
    Priority,
    QuotaRules,
    Route,
    Sms,
    Team,
    Thresholds,
    TierRules,
    Waves,
    Window,
    Work,
)

WORDS = st.text(string.ascii_letters + "äß北-_ '\"#:{}[]\\", max_size=12)
NAMES = WORDS.filter(str.strip)
TEAM_IDS = st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=8)
SHIFTS = st.sampled_from([(), ("09:00-18:00",), ("00:00-06:30", "22:00-24:00")])


def numbers(place: str) -> st.SearchStrategy[int]:
    """Return a strategy for every number a setting allows."""
    return st.integers(*LIMITS[place])


@st.composite
def offsets(draw: st.DrawFn) -> Offsets:
    # Even numbers: waves open together, or at least two seconds apart.
    later = st.integers(0, LIMITS["assignment.fallback_after_seconds"][1] // 2)
    last = sorted([2 * draw(later), 2 * draw(later)])
    return draw(
        st.sampled_from(
            [(0, last[0], last[1]), (0, last[0], None), (0, None, None), (None, 0, last[0])]
        )
    )


@st.composite
def hours(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    days = draw(st.dictionaries(st.sampled_from(["mon", "tue", "sun"]), SHIFTS))
    return days if any(days.values()) else {}


def teams() -> st.SearchStrategy[Team]:
    return st.builds(
        Team,
        name=NAMES,
        anonymous=st.booleans(),
        model=st.none() | st.sampled_from(Model),
        zone=st.sampled_from(["UTC", "Asia/Kuching", "Europe/London"]),
        hours=hours(),
        holidays=st.lists(
            st.dates(date(2026, 1, 1), date(2030, 1, 1)), unique=True, max_size=3
        ).map(tuple),
        fallback=st.sampled_from(["", "aaaac", "zzzzz"]),
    )


@st.composite
def tier_rules(draw: st.DrawFn) -> TierRules:
    cuts = sorted(draw(st.lists(st.integers(0, 100), min_size=2, max_size=2)))
    top = draw(st.integers(1, 100))
    return TierRules(
        conversion_weight=cuts[0],
        attainment_weight=cuts[1] - cuts[0],
        speed_weight=100 - cuts[1],
        top_percent=top,
        bottom_percent=draw(st.integers(0, 100 - top)),
        weeks=draw(numbers("tiers.weeks")),
        minimum_sample=draw(st.integers(0, 1)),
        prior_sample=draw(numbers("tiers.prior_sample")),
        margin=draw(numbers("tiers.margin")),
        newcomer_days=draw(numbers("tiers.newcomer_days")),
    )


@st.composite
def quota_rules(draw: st.DrawFn) -> QuotaRules:
    froms = [0, *sorted(draw(st.sets(st.integers(1, 1000), max_size=3)))]
    more = sorted(draw(st.integers(0, 1000)) for _ in froms)
    return QuotaRules(
        enabled=draw(st.booleans()),
        base_per_week=draw(numbers("quota.base_per_week")),
        measure=draw(st.sampled_from(["revenue", "won"])),
        currency=draw(st.sampled_from(["USD", "MYR"])),
        bands=tuple(Band(a, b) for a, b in zip(froms, more, strict=True)),
    )


def work() -> st.SearchStrategy[Work]:
    return st.builds(
        Work,
        hot_minutes=numbers("work.hot_minutes"),
        warm_minutes=numbers("work.warm_minutes"),
        cold_minutes=numbers("work.cold_minutes"),
        nudge_percent=numbers("work.nudge_percent"),
        counts=st.lists(st.sampled_from(ACTIVITIES), min_size=1, unique=True).map(tuple),
    )


@st.composite
def limits(draw: st.DrawFn, most: int = 10_000) -> Limit:
    """Return a strategy for limits (F7) of at most so many."""
    per = draw(st.sampled_from(["hour", "day", "week", "in_hand"]))
    rolling = per != "in_hand" and draw(st.booleans())
    tiers = st.lists(st.integers(1, 3), unique=True, max_size=3).map(tuple)
    highest = min(most, MOST_ROLLING) if rolling else most
    return Limit(draw(st.integers(1, highest)), per, rolling, draw(tiers))


def acceptances() -> st.SearchStrategy[Acceptance]:
    return st.builds(
        Acceptance,
        numbers("acceptance.hot_per_warm"),
        numbers("acceptance.claims_per_assignment"),
        numbers("acceptance.cold_per_week"),
    )


@st.composite
def blinds(draw: st.DrawFn) -> Blind:
    cuts = sorted(draw(st.lists(st.integers(0, 100), min_size=2, max_size=2)))
    share = draw(numbers("blind.share_percent"))
    return Blind(share, cuts[0], cuts[1] - cuts[0], 100 - cuts[1])


@st.composite
def newcomers(draw: st.DrawFn) -> Newcomers:
    weeks = sorted(draw(st.lists(numbers("newcomers.assigned_weeks"), min_size=3, max_size=3)))
    per_week, until_day = draw(numbers("newcomers.per_week")), draw(numbers("newcomers.until_day"))
    return Newcomers(draw(st.booleans()), per_week, until_day, weeks[0], weeks[1], weeks[2])


SKILLS = st.lists(
    st.text(string.ascii_letters + "ß北", min_size=1, max_size=12), unique=True, max_size=3
).map(tuple)
PODS = st.lists(TEAM_IDS, unique=True, max_size=3).map(tuple)


def matchings() -> st.SearchStrategy[Matching]:
    return st.builds(Matching, st.booleans(), st.booleans(), SKILLS, st.booleans(), st.booleans())


def performance_first() -> st.SearchStrategy[PerformanceFirst]:
    return st.builds(
        PerformanceFirst,
        source=TEAM_IDS,
        territory=WORDS,
        quality=st.none() | st.sampled_from(Quality),
        offsets=offsets(),
    )


def fairness() -> st.SearchStrategy[dict[str, Any]]:
    """The rules of eligibility and fairness (R, F, C10), by their names in the playbook."""
    return st.fixed_dictionaries(
        {
            "limits": st.lists(limits(), max_size=3).map(tuple),
            "acceptance": acceptances(),
            "matching": matchings(),
            "performance_first": st.lists(performance_first(), max_size=2).map(tuple),
            "blind": blinds(),
            "priority": st.builds(
                Priority,
                numbers("priority.share_percent"),
                numbers("priority.turn_minutes"),
                numbers("priority.head_start_seconds"),
            ),
            "newcomers": newcomers(),
            "absence": st.builds(
                Absence,
                numbers("absence.hours_per_credit"),
                st.sampled_from(["reserved", "head_start"]),
                numbers("absence.head_start_seconds"),
                numbers("absence.expires_days"),
            ),
        }
    )


IDS = st.sampled_from(["own", "site_visit_1", "x" * 40])
NAMES = st.text(string.ascii_letters + "äß北-_ '\"#:{}[]\\", min_size=1, max_size=12).filter(
    str.strip
)
FORMULAS = st.sampled_from(["count(own)", "1 + 2", "sum(points) / count(claimed)"])


FEW = st.integers(1, 1000)


def one_of_these(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for one entry by its id, or none."""
    return st.dictionaries(IDS, values, max_size=1)


@st.composite
def games(draw: st.DrawFn) -> Game:
    """Return a strategy for games (G, K) whose formulas may name their own activities."""
    step = st.builds(QuestStep, NAMES, st.sampled_from(["crm_step", "tool_used"]))
    steps = st.fixed_dictionaries({"first": step}, optional={"second": step})
    levels = sorted(draw(st.sets(FEW, max_size=2)))
    most = draw(FEW)
    return Game(
        points=Points(claim=draw(FEW), activities={"own": draw(FEW)}),
        badges=draw(one_of_these(st.builds(Badge, NAMES, FORMULAS, FEW))),
        levels=tuple(Level(draw(NAMES), points) for points in levels),
        decay=Decay(draw(numbers("game.decay.percent"))),
        metrics=draw(one_of_these(st.builds(Metric, FORMULAS, NAMES))),
        activities=("own",),
        quests=draw(one_of_these(st.builds(Quest, NAMES, steps))),
        challenges=Challenges(
            rotation=draw(st.sampled_from([(), ("speed_week", "underdog_week")])),
            starts=draw(st.sampled_from([None, date(2026, 11, 23)])),
            prize_points=(most, most, most // 2),
        ),
    )


@st.composite
def playbooks(draw: st.DrawFn) -> Playbook:
    """Return a strategy for valid playbooks."""
    known = draw(st.dictionaries(TEAM_IDS, teams(), min_size=1, max_size=4))
    some = st.lists(st.sampled_from(sorted(known)), min_size=1, unique=True).map(tuple)
    window = draw(numbers("window_seconds"))
    unseen = draw(st.integers(5, min(900, window - 1)))
    collect = draw(st.integers(0, min(60, window - 1)))
    shortest = max(10, unseen + 1, collect + 1)
    # Each has another source, so that none hides another.
    routed = draw(st.lists(NAMES, unique=True, max_size=3))
    windowed = draw(st.lists(NAMES, unique=True, max_size=3))
    warm = draw(st.integers(0, 99))
    values: dict[str, Any] = {
        "window_seconds": window,
        "unseen_seconds": unseen,
        "undo_seconds": draw(numbers("undo_seconds")),
        "claims_per_day": draw(numbers("claims_per_day")),
        "quality": Thresholds(draw(st.integers(warm + 1, 100)), warm),
        "routing": tuple(
            Route(draw(some), source, product=draw(WORDS), pods=draw(PODS)) for source in routed
        ),
        "waves": Waves(draw(offsets()), draw(offsets())),
        "windows": tuple(
            Window(
                draw(st.sampled_from(["", *sorted(known)])),
                source,
                draw(st.none() | offsets()),
                draw(st.none() | offsets()),
                draw(st.none() | st.integers(shortest, 86_400)),
            )
            for source in windowed
        ),
        "tiers": draw(tier_rules()),
        "quota": draw(quota_rules()),
        "assignment": Assignment(
            draw(st.sampled_from(Method)),
            draw(numbers("assignment.in_hand_limit")),
            draw(numbers("assignment.fallback_after_seconds")),
        ),
        "work": draw(work()),
        "sms": Sms(
            draw(st.booleans()),
            draw(numbers("sms.per_rep_per_day")),
            draw(numbers("sms.per_organisation_per_day")),
        ),
        "availability": Availability(draw(numbers("availability.pause_ends_after_minutes"))),
        "duplicates": Duplicates(
            draw(st.booleans()), draw(st.booleans()), draw(numbers("duplicates.days"))
        ),
        "draw": Draw(collect),
        "game": draw(games()),
        **draw(fairness()),
    }
    return Playbook(draw(WORDS), draw(WORDS), known, draw(st.sampled_from(Model)), **values)
