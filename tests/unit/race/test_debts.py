"""Debts (F1-F3): hot for warm, assignments, cold; and that none locks a rep out for ever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from dibs.core.lead import Lead
from dibs.core.quality import Quality
from dibs.core.rep import Rep, Usage
from dibs.race.debts import Debt, debts, hot_allowed, with_payable
from dibs.race.decide import Eligible, Refused, Verdict, decide, decide_knowing
from dibs.rules.playbook import Playbook
from support.builders import NOON, a_lead, a_playbook, a_rep

MS, HOUR, DAY = timedelta(milliseconds=1), timedelta(hours=1), timedelta(days=1)
MONDAY = date(2026, 11, 23)
NEXT_MONDAY = datetime(2026, 11, 30, tzinfo=UTC)
REP = a_rep(zone="UTC")
HOT, WARM, COLD = Quality
CLOSES = NOON + 10 * DAY


def rules(**changes: Any) -> Playbook:
    return a_playbook(acceptance=changes)


def of(quality: Quality, number: int = 0, **changes: Any) -> Lead:
    lead = a_lead(lead_id=f"{quality}{number}", quality=quality, closes_at=CLOSES)
    return replace(lead, **changes)


def week(**used: Any) -> Usage:
    return Usage(week=MONDAY, **used)


def codes(verdict: Verdict) -> list[str]:
    return [r.code for r in verdict.refusals] if isinstance(verdict, Refused) else []


def judged(lead: Lead, usage: Usage, playbook: Playbook, rep: Rep = REP) -> list[str]:
    return codes(decide(lead, rep, usage, playbook, NOON))


def knowing(
    lead: Lead, usage: Usage, playbook: Playbook, others: Sequence[Lead], rep: Rep = REP
) -> Verdict:
    return decide_knowing(lead, rep, usage, playbook, NOON, lambda: [lead, *others])[0]


# Hot for warm (F1)


@pytest.mark.parametrize(
    ("hot", "warm", "refused"),
    [
        (0, 0, []),
        (1, 0, []),
        (2, 0, ["owes_warm"]),
        (3, 0, ["owes_warm"]),
        (2, 1, []),
        (3, 1, []),
        (4, 1, ["owes_warm"]),
        (5, 2, []),
        (6, 2, ["owes_warm"]),
    ],
)
def test_for_every_two_hot_leads_a_warm_one(hot: int, warm: int, refused: list[str]) -> None:
    usage, playbook = week(hot=hot, warm=warm), rules(hot_per_warm=2)
    assert judged(of(HOT), usage, playbook) == refused
    assert judged(of(WARM), usage, playbook) == []
    assert judged(of(COLD), usage, playbook) == []
    assert judged(of(HOT), usage, rules()) == []
    assert hot_allowed(REP, usage, playbook, NOON) == 2 * (1 + warm)


def test_hot_leads_of_another_week_are_not_owed_for() -> None:
    before = Usage(week=MONDAY - timedelta(days=7), hot=9)
    assert judged(of(HOT), before, rules(hot_per_warm=2)) == []
    assert hot_allowed(REP, replace(before, warm=3), rules(hot_per_warm=2), NOON) == 2


# Assignments accepted (F2)


@pytest.mark.parametrize(
    ("raced", "unaccepted", "refused"),
    [
        (4, 1, []),
        (5, 0, ["owes_assignment"]),
        (5, 1, ["owes_assignment"]),
        (6, 2, ["owes_assignment"]),
        (50, 0, ["owes_assignment"]),
    ],
)
def test_after_five_claims_the_lead_assigned_comes_first(
    raced: int, unaccepted: int, refused: list[str]
) -> None:
    usage, playbook = week(raced=raced, unaccepted=unaccepted), rules(claims_per_assignment=5)
    for quality in Quality:
        assert judged(of(quality), usage, playbook) == refused
    # It shows nothing about the lead, so it binds a blind one as well.
    assert judged(of(HOT, blind=True), usage, playbook) == refused
    assert judged(of(HOT, test=True), usage, playbook) == []
    assert judged(of(HOT), usage, rules()) == []
    verdict = decide(of(HOT), REP, usage, playbook, NOON)
    assert getattr(verdict, "lifts_at", None) is None


# Cold leads (F3)


@pytest.mark.parametrize(
    ("claims", "cold_before", "cold", "refused"),
    [
        (0, 0, 0, []),
        (1, 0, 0, ["owes_cold"]),
        (9, 2, 0, ["owes_cold"]),
        (9, 3, 0, []),
        (9, 2, 1, []),
        (9, 0, 2, ["owes_cold"]),
        (9, 0, 3, []),
    ],
)
def test_who_claimed_fewer_than_three_cold_last_week_makes_up_for_it(
    claims: int, cold_before: int, cold: int, refused: list[str]
) -> None:
    usage = week(claims_before=claims, cold_before=cold_before, cold=cold)
    playbook = rules(cold_per_week=3)
    assert judged(of(HOT), usage, playbook) == refused
    assert judged(of(WARM), usage, playbook) == refused
    assert judged(of(COLD), usage, playbook) == []
    assert judged(of(HOT), usage, rules()) == []
    if refused:
        verdict = decide(of(HOT), REP, usage, playbook, NOON)
        assert isinstance(verdict, Refused)
        missing = 3 - cold_before - cold
        assert f"{cold_before} cold leads last week, of 3. Claim {missing} more" in (
            verdict.refusals[0].how
        )


@pytest.mark.parametrize(
    ("counted", "refused"),
    [
        # Nothing is counted for this week yet: the stored counts are last week's.
        (Usage(week=MONDAY - timedelta(days=7), week_claims=5, cold=2), ["owes_cold"]),
        (Usage(week=MONDAY - timedelta(days=7), week_claims=5, cold=3), []),
        (Usage(week=MONDAY - timedelta(days=7), week_claims=0, leads=4), []),
        # The stored counts are of the week before last: last week they were away.
        (Usage(week=MONDAY - timedelta(days=14), week_claims=5), []),
        (Usage(), []),
    ],
)
def test_last_weeks_count_decides_this_week(counted: Usage, refused: list[str]) -> None:
    assert judged(of(HOT), counted, rules(cold_per_week=3)) == refused


# Leads that no debt binds

EVERY = {"hot_per_warm": 1, "claims_per_assignment": 9, "cold_per_week": 3}
OWING = week(hot=1, claims_before=3)


def test_blind_and_test_leads_are_neither_owed_for_nor_kept_from_anybody() -> None:
    assert judged(of(HOT), OWING, rules(**EVERY)) == ["owes_warm", "owes_cold"]
    assert judged(of(HOT, blind=True), OWING, rules(**EVERY)) == []
    assert judged(of(HOT, test=True), OWING, rules(**EVERY)) == []
    # They do not pay a debt either: the rep cannot know that they would.
    unpaid = [of(WARM, blind=True), of(COLD, test=True)]
    assert codes(knowing(of(HOT), OWING, rules(**EVERY), unpaid)) == []


# Only a debt that can be paid refuses


@pytest.mark.parametrize(
    ("others", "refused"),
    [
        ([], []),
        ([of(HOT, 1)], []),
        ([of(WARM)], ["owes_warm"]),
        ([of(COLD)], ["owes_cold"]),
        ([of(WARM), of(COLD)], ["owes_warm", "owes_cold"]),
        # A lead that is closed, not open yet, or not for the rep pays nothing.
        ([of(WARM, closes_at=NOON)], []),
        ([of(WARM, closes_at=NOON + MS)], ["owes_warm"]),
        ([of(WARM, opens_at=NOON + MS)], []),
        ([of(WARM, opens_at=NOON)], ["owes_warm"]),
        ([of(WARM, teams=("south",))], []),
        ([of(WARM, pods=("red",))], []),
        ([of(WARM, waves={"north": (None, None, None)})], []),
        ([of(WARM, reserved_for="cohort")], ["owes_warm"]),  # the newcomers rule is off
    ],
)
def test_a_debt_that_no_open_lead_could_pay_refuses_nothing(
    others: list[Lead], refused: list[str]
) -> None:
    assert codes(knowing(of(HOT), OWING, rules(**EVERY), others)) == refused


def test_a_warm_lead_is_kept_back_by_the_cold_ones_only_while_there_are_any() -> None:
    playbook = rules(**EVERY)
    assert codes(knowing(of(WARM), OWING, playbook, [])) == []
    assert codes(knowing(of(WARM), OWING, playbook, [of(COLD)])) == ["owes_cold"]
    assert codes(knowing(of(COLD), OWING, playbook, [of(WARM)])) == []


def test_who_may_claim_nothing_anyhow_owes_nothing_besides() -> None:
    away = replace(REP, paused_until=NOON + HOUR)
    assert codes(knowing(of(HOT), OWING, rules(**EVERY), [of(WARM)], away)) == ["paused"]
    waits = replace(OWING, raced=9, unaccepted=1)
    assert codes(knowing(of(HOT), waits, rules(**EVERY), [of(WARM)])) == ["owes_assignment"]


def test_the_open_leads_are_looked_at_only_where_a_debt_refuses_and_once() -> None:
    looks = []

    def look() -> list[Lead]:
        looks.append(1)
        return [of(WARM)]

    playbook = rules(**EVERY)
    for lead, usage in ((of(HOT), week(hot=0)), (of(COLD), OWING), (of(HOT, blind=True), OWING)):
        _, unchanged = decide_knowing(lead, REP, usage, playbook, NOON, look)
        assert unchanged is usage
    waits = replace(week(), raced=9, unaccepted=1)
    decide_knowing(of(HOT), REP, waits, playbook, NOON, look)
    assert looks == []
    _, known = decide_knowing(of(HOT), REP, OWING, playbook, NOON, look)
    assert known.payable == {WARM: CLOSES}
    decide_knowing(of(HOT), REP, known, playbook, NOON, look)
    assert looks == [1]


@pytest.mark.parametrize(
    ("closes", "known"),
    [
        ([1], {WARM: 1}),
        ([1, 3, 2], {WARM: 3}),
        ([0, -1], {}),
        ([], {}),
    ],
)
def test_payable_is_until_the_last_lead_closes(
    closes: list[int], known: dict[Quality, int]
) -> None:
    leads = [of(WARM, number, closes_at=NOON + n * HOUR) for number, n in enumerate(closes)]
    until = {quality: NOON + hours * HOUR for quality, hours in known.items()}
    assert with_payable(Usage(), leads, lambda lead: True, NOON).payable == until
    assert with_payable(Usage(), leads, lambda lead: False, NOON).payable == {}
    first = with_payable(Usage(), leads, lambda lead: lead is leads[0], NOON).payable
    assert first == ({WARM: leads[0].closes_at} if closes and closes[0] > 0 else {})


def test_a_debt_stands_once_a_lead_that_pays_it_was_open_to_the_rep() -> None:
    gone = {"warm_passed": 1, "cold_passed": MONDAY}
    passed = replace(OWING, **gone)
    both = ["owes_warm", "owes_cold"]
    assert codes(knowing(of(HOT), passed, rules(**EVERY), [])) == both
    # It lifts with the week, or once it is paid; a blind lead it never binds.
    verdict = knowing(of(HOT), passed, rules(**EVERY), [])
    assert isinstance(verdict, Refused)
    assert codes(knowing(of(HOT), replace(passed, warm=1), rules(**EVERY), [])) == ["owes_cold"]
    assert codes(knowing(of(HOT), replace(passed, cold=3), rules(**EVERY), [])) == ["owes_warm"]
    assert codes(knowing(of(HOT, blind=True), passed, rules(**EVERY), [])) == []
    # What was open last week counts no more.
    before = replace(passed, week=MONDAY - 7 * DAY, cold_passed=MONDAY - 7 * DAY, week_claims=3)
    assert codes(knowing(of(HOT), before, rules(**EVERY), [])) == []


# When debts lift by themselves


@pytest.mark.parametrize("code", ["owes_warm", "owes_cold"])
@pytest.mark.parametrize(
    ("closes", "lifts"),
    [
        # The lead that would pay the debt closes, or a week begins without debts.
        (NOON + HOUR, NOON + HOUR),
        (NEXT_MONDAY, NEXT_MONDAY),
        (NEXT_MONDAY + HOUR, NEXT_MONDAY),
        (None, NEXT_MONDAY),
    ],
)
def test_a_debt_lifts_when_the_last_lead_that_pays_it_closes_or_on_monday(
    code: str, closes: datetime | None, lifts: datetime
) -> None:
    # Three cold ones this week, so that none are owed next Monday.
    usage, on = {
        "owes_warm": (week(hot=2, week_claims=2), {"hot_per_warm": 2}),
        "owes_cold": (week(claims_before=3, week_claims=0), {"cold_per_week": 1}),
    }[code]
    if closes is not None:
        usage = replace(usage, payable={WARM: closes, COLD: closes})
    lead, playbook = of(HOT), rules(**on)
    verdict = decide(lead, REP, usage, playbook, NOON)
    assert codes(verdict) == [code]
    assert isinstance(verdict, Refused)
    assert verdict.lifts_at == lifts
    assert isinstance(decide(lead, REP, usage, playbook, lifts), Eligible)
    assert isinstance(decide(lead, REP, usage, playbook, lifts - MS), Refused)


def test_who_claimed_no_cold_this_week_either_owes_them_next_week_again() -> None:
    usage = week(claims_before=3, week_claims=2)
    verdict = decide(of(HOT), REP, usage, rules(cold_per_week=1), NOON)
    assert isinstance(verdict, Refused)
    assert verdict.lifts_at == NEXT_MONDAY + timedelta(days=7)


def test_a_refused_debtor_hears_when_the_lead_that_would_pay_closes() -> None:
    warm = of(WARM, closes_at=NOON + HOUR)
    verdict = knowing(of(HOT), OWING, rules(hot_per_warm=1), [warm, of(WARM, 2, closes_at=NOON)])
    assert isinstance(verdict, Refused)
    assert (codes(verdict), verdict.lifts_at) == (["owes_warm"], warm.closes_at)


# Shown before they refuse


def test_where_the_rep_stands_is_shown_for_each_rule_that_is_on() -> None:
    usage = week(hot=3, warm=1, cold=2, raced=4)
    assert debts(REP, usage, rules(**{**EVERY, "hot_per_warm": 2}), NOON) == [
        Debt("F1", 3, 4, 0),
        Debt("F2", 4, 9, 0),
        Debt("F3", 2, 3, 0),
    ]
    assert debts(REP, usage, rules(), NOON) == []
    assert debts(REP, usage, rules(cold_per_week=1), NOON) == [Debt("F3", 2, 1, 0)]
    # A week later only the claims since the last assignment count.
    later = debts(REP, usage, rules(**EVERY), NOON + 7 * DAY)
    assert later == [Debt("F1", 0, 1, 0), Debt("F2", 4, 9, 0), Debt("F3", 0, 3, 0)]
