"""Every refusal's `lifts_at` is right (C3), for any rep, lead, rules and time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from hypothesis import event, given, settings
from hypothesis import strategies as st

from dibs.core.quality import Quality
from dibs.race.decide import Eligible, Refused, decide, decide_knowing
from dibs.rules.playbook import Playbook
from dibs.rules.rules import Acceptance, Matching, Newcomers, QuotaRules
from support.situations import Situation, leads, situations

MS, SECOND = timedelta(milliseconds=1), timedelta(seconds=1)


def codes(asked: Situation) -> list[str]:
    verdict = asked.at(asked.now)
    return [found.code for found in verdict.refusals] if isinstance(verdict, Refused) else []


@settings(max_examples=400)
@given(situations())
def test_a_no_becomes_a_yes_when_it_says_so_and_not_a_millisecond_earlier(asked: Situation) -> None:
    verdict, now, closes_at = asked.at(asked.now), asked.now, asked.lead.closes_at
    if isinstance(verdict, Eligible):
        assert verdict.since <= now < closes_at
        return
    for code in {refusal.code for refusal in verdict.refusals}:
        event(code)
    lifts = verdict.lifts_at
    end = closes_at if lifts is None else min(lifts, closes_at)
    event("lifts in time" if end == lifts and lifts < closes_at else "does not")
    # Until then a rep who waits for it would not be admitted.
    waits = [now + (end - now) * part / 40 for part in range(40)]
    waits += [end - SECOND, end - MS]
    assert not any(isinstance(asked.at(moment), Eligible) for moment in waits if moment >= now)
    if lifts is not None and lifts < closes_at:
        assert lifts > now
        assert isinstance(asked.at(lifts), Eligible)


OFF: dict[str, Callable[[Playbook], Playbook]] = {
    "limits": lambda p: replace(p, limits=()),
    "day": lambda p: replace(p, claims_per_day=10_000),
    "acceptance": lambda p: replace(p, acceptance=Acceptance()),
    "matching": lambda p: replace(p, matching=Matching()),
    "newcomers": lambda p: replace(p, newcomers=Newcomers()),
    "quota": lambda p: replace(p, quota=QuotaRules()),
}


@given(situations(), st.sampled_from(sorted(OFF)))
def test_a_rule_that_is_switched_off_refuses_nobody_and_changes_no_other(
    asked: Situation, rule: str
) -> None:
    before, after = codes(asked), codes(replace(asked, playbook=OFF[rule](asked.playbook)))
    gone = list(before)
    for code in after:
        gone.remove(code)
    ours = {
        "limits": {"hourly_limit", "daily_limit", "weekly_limit", "open_load"},
        "day": {"daily_limit"},
        "acceptance": {"owes_warm", "owes_cold", "owes_assignment"},
        "matching": {"territory", "segment", "skills", "language", "interests"},
        "newcomers": {"newcomer", "newcomers_only"},
        "quota": {"weekly_allowance"},
    }[rule]
    assert set(gone) <= ours
    assert not ours & set(after) or rule in ("limits", "day")


SPENT = ("claims", "leads", "in_hand", "hour_claims", "week_claims", "hot", "raced", "unaccepted")


@given(situations(), st.sampled_from(SPENT))
def test_more_used_up_never_lets_anybody_in(asked: Situation, name: str) -> None:
    more = replace(asked.usage, **{name: getattr(asked.usage, name) + 1})
    assert set(codes(asked)) <= set(codes(replace(asked, usage=more)))


@given(situations(), st.sampled_from(["warm", "cold", "cold_before"]))
def test_paying_a_debt_never_shuts_anybody_out(asked: Situation, name: str) -> None:
    paid = replace(asked.usage, **{name: getattr(asked.usage, name) + 1})
    assert set(codes(replace(asked, usage=paid))) <= set(codes(asked))


@given(situations(), st.data())
def test_knowing_what_is_open_only_takes_away_debts_that_cannot_be_paid(
    asked: Situation, data: st.DataObject
) -> None:
    lead, rep, playbook, now = asked.lead, asked.rep, asked.playbook, asked.now
    usage = replace(asked.usage, payable=None)
    others = data.draw(st.lists(leads(rep, playbook, now, fits=True), max_size=4))
    open_leads = [lead, *others]
    verdict, known = decide_knowing(lead, rep, usage, playbook, now, lambda: open_leads)
    before = codes(replace(asked, usage=usage))
    after = [r.code for r in verdict.refusals] if isinstance(verdict, Refused) else []
    assert set(before) - set(after) <= {"owes_warm", "owes_cold"}
    assert verdict == decide(lead, rep, known, playbook, now)
    # The lead that pays the debt is open now: no debt locks a rep out.
    for code, quality in (("owes_warm", Quality.WARM), ("owes_cold", Quality.COLD)):
        if code in after:
            pays = [one for one in open_leads if one.quality is quality and not one.blind]
            verdicts = [
                decide_knowing(one, rep, usage, playbook, now, lambda: open_leads)[0]
                for one in pays
            ]
            refused = [v.refusals for v in verdicts if isinstance(v, Refused)]
            free = len(refused) < len(verdicts)
            assert free or any({r.code for r in v} == {"owes_cold"} for v in refused)
