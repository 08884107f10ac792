"""Newcomers (F8, F9): phases by weeks since they joined, just before and after each boundary."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from dibs.core.rep import Rep, Usage
from dibs.race.decide import Eligible, Refused, decide
from dibs.race.newcomers import Phase, guaranteed, not_in_phase, phase_of, protected
from dibs.rules.playbook import Playbook
from support.builders import NOON, a_lead, a_playbook, a_rep

DAY, MS = timedelta(days=1), timedelta(milliseconds=1)
TODAY = NOON.date()


def rules(**changes: Any) -> Playbook:
    return a_playbook(newcomers={"enabled": True, **changes})


def joined(days_ago: int, **changes: Any) -> Rep:
    return a_rep(zone="UTC", joined_on=TODAY - days_ago * DAY, **changes)


BOUNDARIES = [
    (-400, Phase.ASSIGNED),
    (-1, Phase.ASSIGNED),
    (0, Phase.ASSIGNED),
    (27, Phase.ASSIGNED),
    (28, Phase.COHORT),
    (55, Phase.COHORT),
    (56, Phase.PROTECTED),
    (83, Phase.PROTECTED),
    (84, Phase.FULL),
    (4000, Phase.FULL),
]


@pytest.mark.parametrize(("days", "phase"), BOUNDARIES)
def test_four_phases_by_weeks_since_the_first_day(days: int, phase: Phase) -> None:
    rep = joined(days)
    assert phase_of(rep, rules(), NOON) is phase
    assert protected(rep.joined_on, TODAY, rules()) == (phase is not Phase.FULL)
    assert phase_of(rep, a_playbook(), NOON) is Phase.FULL
    assert not protected(rep.joined_on, TODAY, a_playbook())


def test_who_has_no_first_day_is_no_newcomer() -> None:
    assert phase_of(a_rep(), rules(), NOON) is Phase.FULL
    assert not protected(None, TODAY, rules())
    assert guaranteed(a_rep(), rules(), NOON) == 0


def test_a_phase_ends_at_midnight_of_the_reps_own_zone() -> None:
    rep = a_rep(zone="Asia/Kathmandu", joined_on=date(2026, 10, 26))
    end = datetime(2026, 11, 22, 18, 15, tzinfo=UTC)
    assert phase_of(rep, rules(), end - MS) is Phase.ASSIGNED
    assert phase_of(rep, rules(), end) is Phase.COHORT


@pytest.mark.parametrize(
    ("weeks", "days", "phase"),
    [
        # A phase of no weeks is skipped.
        ((0, 8, 12), 0, Phase.COHORT),
        ((4, 4, 12), 28, Phase.PROTECTED),
        ((0, 0, 0), 0, Phase.FULL),
        ((0, 0, 2), 13, Phase.PROTECTED),
        ((0, 0, 2), 14, Phase.FULL),
        # A rep who joins tomorrow is not in the race yet.
        ((0, 0, 0), -1, Phase.ASSIGNED),
    ],
)
def test_the_weeks_are_the_organisations(
    weeks: tuple[int, int, int], days: int, phase: Phase
) -> None:
    names = ("assigned_weeks", "cohort_weeks", "protected_weeks")
    playbook = rules(**dict(zip(names, weeks, strict=True)))
    assert phase_of(joined(days), playbook, NOON) is phase


@pytest.mark.parametrize(
    ("days", "weekly"), [(-1, 5), (0, 5), (89, 5), (90, 0), (91, 0), (4000, 0)]
)
def test_until_day_ninety_some_leads_a_week_are_guaranteed(days: int, weekly: int) -> None:
    assert guaranteed(joined(days), rules(), NOON) == weekly
    assert guaranteed(joined(days), a_playbook(), NOON) == 0
    assert guaranteed(joined(days), rules(per_week=2, until_day=30), NOON) == (2 * (days < 30))


@pytest.mark.parametrize(
    ("days", "race", "cohort"),
    [
        (-1, "newcomer", "newcomer"),
        (0, "newcomer", "newcomer"),
        (27, "newcomer", "newcomer"),
        (28, "newcomer", ""),
        (55, "newcomer", ""),
        (56, "", "newcomers_only"),
        (84, "", "newcomers_only"),
        (400, "", "newcomers_only"),
        (None, "", "newcomers_only"),
    ],
)
def test_who_may_race_for_what(days: int | None, race: str, cohort: str) -> None:
    rep = a_rep(zone="UTC") if days is None else joined(days)
    for reserved, code in (("", race), ("cohort", cohort), ("newcomers", race), ("absence", race)):
        found = not_in_phase(a_lead(reserved_for=reserved), rep, rules(), NOON)
        assert [refusal.code for refusal in found] == ([code] if code else [])
        # Switched off, the rule refuses no lead, whenever it was opened.
        assert not_in_phase(a_lead(reserved_for=reserved), rep, a_playbook(), NOON) == []


@pytest.mark.parametrize(
    ("days", "lead", "after"),
    [
        (20, {}, 36),  # the second phase follows the first: they may not have the lead yet
        (20, {"reserved_for": "cohort"}, 8),
        (28, {}, 28),
        (55, {}, 1),
        (-3, {"reserved_for": "cohort"}, 31),
    ],
)
def test_a_newcomer_hears_when_they_may_and_that_is_so(
    days: int, lead: dict[str, Any], after: int
) -> None:
    rep, playbook = joined(days), rules()
    open_long = a_lead(opens_at=NOON - DAY, closes_at=NOON + 90 * DAY, **lead)
    verdict = decide(open_long, rep, Usage(), playbook, NOON)
    assert isinstance(verdict, Refused)
    moment = datetime(2026, 11, 23, tzinfo=UTC) + after * DAY
    assert verdict.lifts_at == moment
    assert isinstance(decide(open_long, rep, Usage(), playbook, moment), Eligible)
    assert isinstance(decide(open_long, rep, Usage(), playbook, moment - MS), Refused)


def test_a_lead_among_newcomers_never_lifts_for_the_others() -> None:
    verdict = decide(a_lead(reserved_for="cohort"), joined(100), Usage(), rules(), NOON)
    assert isinstance(verdict, Refused)
    assert verdict.lifts_at is None
