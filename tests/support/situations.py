"""Hypothesis strategies for `decide`: a rep, a lead, rules and a usage.

Few values and small numbers, so that rules often match.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from dibs.core.calendar import parse_hours
from dibs.core.lead import Lead
from dibs.core.quality import Quality
from dibs.core.rep import Rep, Usage
from dibs.race.decide import Verdict, decide
from dibs.race.opening import opening
from dibs.rules.playbook import Playbook
from dibs.rules.rules import Acceptance, Matching, Model, Newcomers, QuotaRules, Team
from support.builders import a_lead, a_playbook, a_rep
from support.playbooks import limits as any_limit
from support.playbooks import offsets

MS, SECOND, MINUTE = timedelta(milliseconds=1), timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ZONES = (
    "UTC",
    "Asia/Kuching",
    "Asia/Kathmandu",
    "Asia/Beirut",
    "America/Santiago",
    "Europe/Berlin",
    "Australia/Lord_Howe",
)
MOMENTS = st.integers(0, 3 * 366 * 24 * 3_600_000).map(
    lambda ms: datetime(2025, 1, 1, tzinfo=UTC) + ms * MS
)
# Often exactly at the end of a week, a day or an hour.
EDGES = st.builds(
    lambda week, hour, ms: (
        datetime(2025, 1, 6, tzinfo=UTC) + week * 7 * DAY + hour * HOUR + ms * MS
    ),
    st.integers(0, 150),
    st.integers(-14, 14),
    st.integers(-1, 1),
)
WORD = st.sampled_from(["", "a", "b"])
WORDS = st.lists(st.sampled_from(["a", "b"]), unique=True).map(tuple)
LEVELS = st.dictionaries(st.sampled_from(["a", "b"]), st.integers(1, 2)).map(
    lambda levels: tuple(levels.items())
)
HOURS = st.sampled_from(
    [
        {},
        {},
        {},
        {day: ["09:00-12:30", "13:30-18:00"] for day in ("mon", "tue", "wed", "thu", "fri")},
        {"sat": ["22:00-24:00"], "sun": ["00:00-02:30"]},
    ]
)


@dataclass(frozen=True)
class Situation:
    """The input of one decision."""

    lead: Lead
    rep: Rep
    usage: Usage
    playbook: Playbook
    now: datetime

    def at(self, moment: datetime) -> Verdict:
        """Decide on the same input at another time."""
        return decide(self.lead, self.rep, self.usage, self.playbook, moment)


@st.composite
def rules(draw: st.DrawFn) -> Playbook:
    """Return a strategy for rules, each on or off."""
    weeks = sorted(draw(st.lists(st.integers(0, 3), min_size=3, max_size=3)))
    return replace(
        a_playbook(),
        model=draw(st.sampled_from([Model.OPEN_POOL, Model.OPEN_POOL, Model.TIERS])),
        teams={"north": Team("N", hours=draw(HOURS)), "south": Team("S")},
        claims_per_day=draw(st.integers(1, 5)),
        limits=tuple(draw(st.lists(any_limit(4), max_size=3))),
        acceptance=Acceptance(*(draw(st.integers(0, 3)) for _ in range(3))),
        matching=draw(
            st.builds(
                Matching,
                st.booleans(),
                st.booleans(),
                st.sampled_from([(), ("a",), ("a", "b")]),
                st.booleans(),
                st.booleans(),
            )
        ),
        newcomers=Newcomers(draw(st.booleans()), 5, 90, weeks[0], weeks[1], weeks[2]),
        quota=QuotaRules(draw(st.booleans()), draw(st.integers(1, 4))),
    )


@st.composite
def reps(draw: st.DrawFn, now: datetime, *, here: bool) -> Rep:
    """Return a strategy for reps; with `here`, of the team and not left."""
    zone = draw(st.sampled_from(ZONES))
    today = a_rep(zone=zone).today(now)
    away = draw(st.none() | st.none() | st.tuples(st.integers(-3, 3), st.integers(0, 4)))
    pause = draw(st.none() | st.none() | st.integers(-60, 3000))
    first = None if away is None else today + away[0] * DAY
    return a_rep(
        zone=zone,
        tier=draw(st.integers(1, 3)),
        active=here or draw(st.booleans()),
        team="north" if here else draw(st.sampled_from(["north", "south"])),
        paused_until=None if pause is None else now + pause * MINUTE,
        leave=() if away is None or first is None else ((first, first + away[1] * DAY),),
        hours=parse_hours(draw(HOURS)),
        allowance=draw(st.none() | st.integers(0, 4)),
        joined_on=draw(st.none() | st.integers(-40, 10).map(lambda days: today + days * DAY)),
        territories=draw(WORDS),
        segments=draw(WORDS),
        interests=draw(WORDS),
        skills=draw(LEVELS),
        speaks=draw(WORDS),
        pod=draw(WORD),
    )


@st.composite
def leads(draw: st.DrawFn, rep: Rep, playbook: Playbook, now: datetime, *, fits: bool) -> Lead:
    """Return a strategy for leads; one that `fits` matches every rep."""
    opened = now + draw(st.integers(-24 * 60, 600)) * MINUTE
    window = draw(st.sampled_from([7200, 2 * 86_400, 9 * 86_400]))
    lead = opening(a_lead(), replace(playbook, window_seconds=window), opened)
    if not fits:
        steps = [None if at is None else opened + at % 7200 * SECOND for at in draw(offsets())]
        lead = replace(lead, waves={"north": (steps[0], steps[1], steps[2])})
    return replace(
        lead,
        quality=draw(st.sampled_from([Quality.HOT, *Quality])),
        test=draw(st.sampled_from([False] * 9 + [True])),
        blind=draw(st.sampled_from([False] * 4 + [True])),
        reserved_for=draw(st.sampled_from(["", "", "", "cohort", "newcomers"])),
        head_start_reps=draw(st.sampled_from([(), (), (rep.rep_id,)])),
        territory="" if fits else draw(WORD),
        segment="" if fits else draw(WORD),
        product="" if fits else draw(WORD),
        language="" if fits else draw(WORD),
        needs=() if fits else draw(LEVELS),
        pods=() if fits else draw(WORDS),
    )


@st.composite
def used_up(draw: st.DrawFn, rep: Rep, now: datetime, *, free: bool) -> Usage:
    """Return a strategy for usages: of now, of earlier, or by a clock that is ahead.

    With `free` nothing is in hand, so that every refusal lifts with time.
    """
    few, near = st.integers(0, 5), st.sampled_from([0, 0, 0, -1, -2, 1])
    recent = draw(st.lists(st.integers(-8 * 24 * 60, 1), max_size=6))
    payable = st.dictionaries(st.sampled_from(Quality), st.integers(-60, 10_000))
    open_until = draw(st.none() | payable)
    return Usage(
        day=draw(st.none() | near.map(lambda days: rep.today(now) + days * DAY)),
        claims=draw(few),
        week=draw(st.none() | near.map(lambda weeks: rep.this_week(now) + weeks * 7 * DAY)),
        leads=draw(few),
        in_hand=0 if free else draw(few),
        hour=draw(st.none() | near.map(lambda parts: rep.this_hour(now) + parts * 30 * MINUTE)),
        hour_claims=draw(few),
        week_claims=draw(few),
        hot=draw(few),
        warm=draw(few),
        cold=draw(few),
        claims_before=draw(few),
        cold_before=draw(few),
        raced=draw(few),
        unaccepted=0 if free else draw(few),
        ever=9,
        recent=tuple(now + minutes * MINUTE for minutes in recent),
        payable=None
        if open_until is None
        else {quality: now + minutes * MINUTE for quality, minutes in open_until.items()},
    )


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """Return a strategy for inputs; in most of them only time refuses the rep."""
    playbook, now = draw(rules()), draw(MOMENTS | EDGES)
    timely = draw(st.sampled_from([True, True, True, False]))
    rep = draw(reps(now, here=timely))
    lead = draw(leads(rep, playbook, now, fits=timely))
    return Situation(lead, rep, draw(used_up(rep, now, free=timely)), playbook, now)
