"""Debts: less wanted leads that a rep has to take before others (F1-F3).

For so many hot leads a rep claims a warm one (F1), for so many claims they accept an assignment
(F2), and each week they claim some cold leads (F3). Debts are counted in the rep's calendar week.

A debt paid by claiming (F1, F3) stands once a lead that pays it was open to the rep, until it is
paid or the week is over; before that it refuses nothing. So no rep is locked out for want of a lead
that does not exist, and none goes free by claiming when no such lead is open at that instant. An
assignment (F2) is always due: the next lead that fits the rep is reserved for it. Blind
leads neither make nor pay a debt, and no debt refuses them, because a refusal would show what they
are (F4). Test leads do not count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from dibs.core.errors import Refusal
from dibs.core.lead import Lead
from dibs.core.quality import Quality
from dibs.core.rep import Rep, Usage
from dibs.core.values import dataclass
from dibs.race.guards import Guard
from dibs.race.limits import next_week
from dibs.rules.rules import Rules

PAID_BY = {"owes_warm": Quality.WARM, "owes_cold": Quality.COLD}
"""By refusal code, the quality of the leads that pay the debt, for debts paid by claiming."""


@dataclass(frozen=True)
class Debt:
    """A rep's state under a rule: `used` of `most`, and how many leads are `owed`."""

    rule: str
    used: int
    most: int
    owed: int


def debts(rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> list[Debt]:
    """Return the rep's state under every rule that is on, also while it refuses nothing.

    `used` of `most` are hot claims of those that this week's warm ones allow (F1), claims since
    the last accepted assignment (F2), or this week's cold claims of the required ones (F3). Under
    F3, `owed` are the cold claims missing from last week.
    """
    rules, week = playbook.acceptance, rep.this_week(now)
    states = []
    if rules.hot_per_warm:
        hot, most = usage.of_quality(Quality.HOT, week), hot_allowed(rep, usage, playbook, now)
        states.append(Debt("F1", hot, most, int(hot >= most)))
    if rules.claims_per_assignment:
        most = rules.claims_per_assignment
        states.append(Debt("F2", usage.raced, most, int(usage.raced >= most)))
    if rules.cold_per_week:
        cold = usage.of_quality(Quality.COLD, week)
        owed = cold_owed(rep, usage, playbook, now)
        states.append(Debt("F3", cold, rules.cold_per_week, owed))
    return states


def cold_owed(rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> int:
    """Return how many cold claims the rep has to make up for (F3).

    A rep who claimed nothing last week was away, or not racing yet, and owes nothing.
    """
    week = rep.this_week(now)
    claims, cold = usage.week_before(week)
    missing = playbook.acceptance.cold_per_week - cold - usage.of_quality(Quality.COLD, week)
    return max(0, missing) if claims else 0


def hot_allowed(rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> int:
    """Return how many hot leads the rep may claim this week, given the warm ones so far (F1)."""
    warm = usage.of_quality(Quality.WARM, rep.this_week(now))
    return playbook.acceptance.hot_per_warm * (1 + warm)


def hot_is_bound(lead: Lead, rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> bool:
    """Tell whether F1 binds this lead: it is hot, and the rep can or could claim a warm one."""
    return _counts_for_f1(lead, playbook) and _payable(Quality.WARM, rep, usage, now)


def _counts_for_f1(lead: Lead, playbook: Rules) -> bool:
    hot = lead.quality is Quality.HOT and not _exempt(lead)
    return bool(playbook.acceptance.hot_per_warm) and hot


def stands(quality: Quality, rep: Rep, usage: Usage, now: datetime) -> bool:
    """Tell whether a lead that pays the debt was open to the rep this week since they owe it."""
    week = rep.this_week(now)
    if quality is Quality.COLD:
        return usage.cold_passed == week
    in_week = usage.week is not None and usage.week >= week
    return in_week and usage.warm_passed > usage.warm


def unpaid(lead: Lead, rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> bool:
    """Tell whether the rep owes a claim of such a lead, and the debt does not stand yet."""
    owed = {debt.rule: debt.owed for debt in debts(rep, usage, playbook, now)}
    rule = {Quality.WARM: "F1", Quality.COLD: "F3"}.get(lead.quality, "")
    if _exempt(lead) or not owed.get(rule):
        return False
    return not stands(lead.quality, rep, usage, now)


def awaits_assignment(usage: Usage, playbook: Rules) -> bool:
    """Tell whether the rep has to accept an assignment, and none waits for them yet (F2)."""
    most = playbook.acceptance.claims_per_assignment
    return bool(most) and usage.raced >= most and not usage.unaccepted


def owes_warm(lead: Lead, rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> list[Refusal]:
    """Refuse a hot lead after so many hot ones this week, until the rep claims a warm one (F1)."""
    hot = usage.of_quality(Quality.HOT, rep.this_week(now))
    bound = hot_is_bound(lead, rep, usage, playbook, now)
    if not bound or hot < hot_allowed(rep, usage, playbook, now):
        return []
    return [
        Refusal(
            "owes_warm",
            _until(Quality.WARM, rep, usage, now),
            f"You have claimed {hot} hot leads this week. Claim a warm one first.",
        )
    ]


def owes_assignment(
    lead: Lead, rep: Rep, usage: Usage, playbook: Rules, now: datetime
) -> list[Refusal]:
    """Refuse a lead after so many claims, until the rep accepts an assignment (F2)."""
    del rep, now
    most = playbook.acceptance.claims_per_assignment
    if not most or lead.test or usage.raced < most:
        return []
    if awaits_assignment(usage, playbook):
        return [
            Refusal(
                "owes_assignment",
                None,
                f"You have claimed {usage.raced} leads. "
                "The next one that fits you is assigned to you; accept it first.",
            )
        ]
    return [
        Refusal(
            "owes_assignment",
            None,
            f"You have claimed {usage.raced} leads. Accept the one assigned to you first.",
        )
    ]


def owes_cold(lead: Lead, rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> list[Refusal]:
    """Refuse other leads until the rep makes up for the cold ones missing from last week (F3)."""
    wanted, missing = playbook.acceptance.cold_per_week, cold_owed(rep, usage, playbook, now)
    if not missing or lead.quality is Quality.COLD or _exempt(lead):
        return []
    if not _payable(Quality.COLD, rep, usage, now):
        return []
    _, cold = usage.week_before(rep.this_week(now))
    return [
        Refusal(
            "owes_cold",
            _until(Quality.COLD, rep, usage, now),
            f"You claimed {cold} cold leads last week, of {wanted}. Claim {missing} more first.",
        )
    ]


def debt_guards(lead: Lead, rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> list[Guard]:
    """Return the guards that keep the rep's debts as they were when the claim was judged."""
    guards, most = list[Guard](), playbook.acceptance.claims_per_assignment
    if most:
        guards.append(Guard("raced", "<", most))
    if _counts_for_f1(lead, playbook):
        bound = hot_is_bound(lead, rep, usage, playbook, now)
        # Nothing is owed while no warm lead was open to the rep; the guard checks that none was.
        none_was = None if bound else Guard("warm_passed", "<=", usage.warm)
        guards.append(Guard("hot", "<", hot_allowed(rep, usage, playbook, now), or_else=none_was))
        if bound and usage.warm:
            guards.append(Guard("warm", ">=", usage.warm))
    return guards


def with_payable(
    usage: Usage, leads: Iterable[Lead], may_claim: Callable[[Lead], bool], now: datetime
) -> Usage:
    """Return the usage with `payable` set: until when the rep could claim a lead of each quality.

    `may_claim` tells whether the rep may have a lead now, apart from debts.
    """
    until: dict[Quality, datetime] = {}
    # Only the last to close of each quality matters, so the others are not judged.
    for lead in sorted(leads, key=lambda lead: lead.closes_at, reverse=True):
        pays = lead.quality in PAID_BY.values() and not _exempt(lead)
        if pays and lead.quality not in until and now < lead.closes_at and may_claim(lead):
            until[lead.quality] = lead.closes_at
    return replace(usage, payable=until)


def _exempt(lead: Lead) -> bool:
    return lead.blind or lead.test


def _payable(quality: Quality, rep: Rep, usage: Usage, now: datetime) -> bool:
    if usage.payable is None or stands(quality, rep, usage, now):
        return True
    until = usage.payable.get(quality)
    return until is not None and now < until


def _until(quality: Quality, rep: Rep, usage: Usage, now: datetime) -> datetime:
    """Return when a debt lifts by itself: with the next week.

    Where no lead that pays it was open before, as soon as the last one that now is has closed.
    """
    closes_at = (usage.payable or {}).get(quality)
    week = next_week(rep, usage, now)
    if closes_at is None or stands(quality, rep, usage, now):
        return week
    return min(closes_at, week)
