"""What a lead adds to its rep's usage, and what its return subtracts (F1-F3, F7, M4)."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dibs.core.lead import Lead, State
from dibs.core.quality import Quality
from dibs.core.rep import Rep, Usage
from dibs.race.absence import Credit
from dibs.race.guards import Guard
from dibs.race.lifecycle import new_claim
from dibs.race.usage import (
    KEPT_BEYOND,
    Change,
    count_lead,
    release_lead,
    undo_claim,
    use_credit,
    work_lead,
)
from dibs.rules.playbook import Playbook
from support.builders import NOON, a_lead, a_playbook, a_rep
from support.usages import careers, leads, playbooks

ROLLING = {"most": 3, "per": "hour", "rolling": True}
MINUTE = timedelta(minutes=1)


def counted(
    rep: Rep, lead: Lead, usage: Usage, playbook: Playbook, at: datetime = NOON, cause: str = ""
) -> Usage:
    claim = new_claim(lead, rep, playbook, at, at, cause or "claimed")
    return count_lead(rep, lead, usage, playbook, claim).applied_to(usage)


def held(lead: Lead, rep: Rep, state: State = State.CLAIMED, **changes: Any) -> Lead:
    return replace(lead, state=state, owner=rep.rep_id, claimed_at=NOON, **changes)


def now_of(usage: Usage, rep: Rep, at: datetime = NOON) -> dict[str, Any]:
    """Return what counts at a time: counts of an earlier hour, day or week do not."""
    week = rep.this_week(at)
    shown = {f.name: getattr(usage, f.name) for f in fields(Usage)}
    return {
        **{name: shown[name] for name in ("in_hand", "raced", "unaccepted", "ever", "recent")},
        "hour": usage.claims_in(rep.this_hour(at)),
        "day": usage.claims_on(rep.today(at)),
        "week": (usage.week_claims_in(week), usage.leads_in(week)),
        "qualities": [usage.of_quality(quality, week) for quality in Quality],
        "before": usage.week_before(week),
    }


@given(careers(), leads, playbooks)
def test_a_claim_undone_is_as_if_it_had_never_been(
    career: tuple[Rep, Usage], lead: Lead, playbook: Playbook
) -> None:
    rep, usage = career
    after = counted(rep, lead, usage, playbook)
    undone = undo_claim(held(lead, rep), rep, after).applied_to(after)
    before = now_of(usage, rep)
    if len(after.recent) <= len(usage.recent) and not lead.test and after != usage:
        before["recent"] = undone.recent  # cut back to the claim times that are still needed
    assert now_of(undone, rep) == before


@given(careers(), leads, playbooks)
def test_an_assignment_given_back_still_counts_but_is_in_hand_no_longer(
    career: tuple[Rep, Usage], lead: Lead, playbook: Playbook
) -> None:
    rep, usage = career
    after = counted(rep, lead, usage, playbook, cause="assigned")
    back = release_lead(held(lead, rep, State.ASSIGNED), after).applied_to(after)
    assert back == replace(after, in_hand=usage.in_hand, unaccepted=usage.unaccepted)


@given(careers(), leads, playbooks)
def test_a_lead_that_was_worked_was_taken_off_already(
    career: tuple[Rep, Usage], lead: Lead, playbook: Playbook
) -> None:
    rep, usage = career
    after = counted(rep, lead, usage, playbook)
    worked = held(lead, rep, worked_at=NOON)
    assert release_lead(worked, after) == Change(rep.rep_id)
    undone = undo_claim(worked, rep, after)
    assert "in_hand" not in undone.adds
    assert lead.test or undone.adds["raced"] == -1


@given(careers(), leads, playbooks, st.sampled_from(["claimed", "assigned"]))
def test_a_change_is_guarded_by_the_period_it_counts_in_and_never_by_a_version(
    career: tuple[Rep, Usage], lead: Lead, playbook: Playbook, cause: str
) -> None:
    rep, usage = career
    claim = new_claim(lead, rep, playbook, NOON, NOON, cause)
    counts = count_lead(rep, lead, usage, playbook, claim)
    same = {guard.field for guard in counts.guards if guard.must_be == "="}
    periods = set() if lead.test else {"week"} if cause == "assigned" else {"hour", "day", "week"}
    cut = {"ever"} if "recent" in counts.sets else set()
    assert same == {"active", "tier", "team", "leave"} | periods | cut
    below = {guard.field for guard in counts.guards} - same
    assert not below & set(counts.sets), "what begins anew passes no maximum"


def test_a_test_lead_counts_nowhere_and_is_for_who_is_on() -> None:
    rep, playbook = a_rep(), a_playbook()
    lead = a_lead(test=True)
    claim = new_claim(lead, rep, playbook, NOON, NOON)
    on = (
        Guard("active", "=", True),
        Guard("paused_until", "<=", NOON),
        Guard("tier", "=", 2),
        Guard("manager_paused_until", "<=", NOON),
        Guard("team", "=", rep.team),
        Guard("leave", "=", None),
    )
    assert count_lead(rep, lead, Usage(), playbook, claim) == Change(rep.rep_id, on)
    last_resort = count_lead(rep, lead, Usage(), playbook, claim, bound=False)
    assert last_resort == Change(rep.rep_id, on[:1])
    assert undo_claim(held(lead, rep), rep, Usage(in_hand=1)) == Change(rep.rep_id)
    assert release_lead(held(lead, rep), Usage(in_hand=1)) == Change(rep.rep_id)


def test_the_last_resort_is_bound_by_no_maximum() -> None:
    rep, lead = a_rep(), a_lead()
    playbook = a_playbook(
        quota={"enabled": True, "base_per_week": 1}, assignment={"in_hand_limit": 1}
    )
    claim = new_claim(lead, rep, playbook, NOON, NOON, "fallback")
    usage = Usage(week=rep.this_week(NOON), leads=9, in_hand=9)
    bound = count_lead(rep, lead, usage, playbook, claim)
    assert {Guard("leads", "<", 1), Guard("in_hand", "<", 1)} <= set(bound.guards)
    free = count_lead(rep, lead, usage, playbook, claim, bound=False)
    assert {guard.must_be for guard in free.guards} == {"="}


def test_no_more_are_assigned_than_are_due_in_the_week_that_goes_on() -> None:
    rep, lead, playbook = a_rep(), a_lead(), a_playbook()
    claim = new_claim(lead, rep, playbook, NOON, NOON, "newcomer")
    usage = Usage(week=rep.this_week(NOON), leads=1)
    assert (
        Guard("leads", "<", 2) in count_lead(rep, lead, usage, playbook, claim, week_most=2).guards
    )
    new = count_lead(rep, lead, Usage(), playbook, claim, week_most=2)
    assert "leads" not in {guard.field for guard in new.guards}


def test_moments_are_kept_for_limits_over_any_span_only_and_cut_back_seldom() -> None:
    rep, lead = a_rep(), a_lead()
    assert counted(rep, lead, Usage(), a_playbook()).recent == ()
    playbook = a_playbook(limits=[ROLLING])
    many = tuple(NOON - number * MINUTE for number in range(3 + KEPT_BEYOND))
    usage = Usage(ever=40, recent=many[1:])
    assert len(counted(rep, lead, usage, playbook).recent) == 3 + KEPT_BEYOND
    claim = new_claim(lead, rep, playbook, NOON + MINUTE, NOON)
    counts = count_lead(rep, lead, replace(usage, recent=many), playbook, claim)
    assert counts.sets["recent"] == (NOON - 2 * MINUTE, NOON - MINUTE, NOON, NOON + MINUTE)
    assert Guard("ever", "=", 40) in counts.guards


def test_a_credit_is_used_once() -> None:
    rep, lead, playbook = a_rep(), a_lead(), a_playbook()
    first, second = date(2026, 11, 1), date(2026, 11, 2)
    credit = Credit(rep.rep_id, (first,), (first, second))
    used = Change(
        rep.rep_id, (Guard("credits_used", "=", (first,)),), sets={"credits_used": (first, second)}
    )
    assert use_credit(credit) == used
    assert use_credit(Credit(rep.rep_id, (), (first,))).guards[0].value is None
    claim = new_claim(lead, rep, playbook, NOON, NOON, "absence_credit")
    counts = count_lead(rep, lead, Usage(credits_used=(first,)), playbook, claim, credit=credit)
    assert counts.sets["credits_used"] == (first, second)
    assert used.guards[0] in counts.guards


def test_work_and_accepting_take_off_what_they_settle() -> None:
    usage = Usage(in_hand=2, unaccepted=1, raced=5, leads=3)
    worked = work_lead("a", worked=True, accepted=False).applied_to(usage)
    assert worked == replace(usage, in_hand=1)
    accepted = work_lead("a", worked=False, accepted=True).applied_to(usage)
    assert accepted == replace(usage, unaccepted=0, raced=0)
    assert work_lead("a", worked=False, accepted=False) == Change("a")
