"""Hypothesis strategies for reps, leads, rules and usages, to test counting."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st

from dibs.core.quality import Quality
from dibs.core.rep import Rep, Usage
from support.builders import NOON, a_lead, a_playbook, a_rep

few = st.integers(0, 6)
reps = st.builds(
    a_rep,
    st.integers(1, 9),
    zone=st.sampled_from(["UTC", "Asia/Kathmandu", "America/Santiago"]),
    tier=st.integers(1, 3),
)
leads = st.builds(
    a_lead,
    quality=st.sampled_from(list(Quality)),
    blind=st.booleans(),
    test=st.sampled_from([False, False, False, True]),
)
playbooks = st.sampled_from(
    [
        a_playbook(claims_per_day=1000, **rules)
        for rules in (
            {},
            {"limits": [{"most": 900, "per": per} for per in ("hour", "week", "in_hand")]},
            {"limits": [{"most": 2, "per": "hour", "rolling": True}]},
            {"acceptance": {"hot_per_warm": 900, "claims_per_assignment": 900}},
            {"quota": {"enabled": True, "base_per_week": 900}, "assignment": {"in_hand_limit": 90}},
        )
    ]
)


@st.composite
def careers(draw: st.DrawFn) -> tuple[Rep, Usage]:
    """A rep and their usage, of this hour, day and week, of earlier ones, or empty."""
    rep = draw(reps)
    at = NOON - draw(st.sampled_from([timedelta(), *map(timedelta, (1, 3, 7, 8, 15))]))
    moments = draw(st.lists(st.integers(1, 10_000), max_size=20, unique=True))
    recent = tuple(NOON - timedelta(minutes=minutes) for minutes in moments)
    usage = Usage(
        in_hand=draw(few),
        raced=draw(few),
        unaccepted=draw(few),
        ever=draw(few) + len(recent),
        recent=recent,
    )
    if draw(st.booleans()):
        return rep, usage
    return rep, Usage(
        **{
            **vars(usage),
            "hour": rep.this_hour(at),
            "day": rep.today(at),
            "week": rep.this_week(at),
            **{
                name: draw(few)
                for name in (
                    "claims",
                    "leads",
                    "hour_claims",
                    "week_claims",
                    "hot",
                    "warm",
                    "cold",
                    "claims_before",
                    "cold_before",
                )
            },
        }
    )
