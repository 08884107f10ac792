"""Debts: less wanted leads that a rep has to take before others (F1-F3).

For so many hot leads a rep claims a warm one (F1), for so many claims they accept an assignment
(F2), and each week they claim some cold leads (F3). Debts are counted in the rep's calendar week.

A debt refuses a claim only while it can be paid: while a lead that pays it is open to the rep, or
an assignment waits for them. So no rep is locked out for want of a lead that does not exist. Blind
leads neither make nor pay a debt, and no debt refuses them, because a refusal would show what they
are (F4). Test leads do not count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from dibs.core.errors import Refusal
from dibs.core.lead import Lead
from dibs.core.quality import Quality
from dibs.core.rep import Rep, Usage
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


def hot_is_bound(lead: Lead, usage: Usage, playbook: Rules, now: datetime) -> bool:
    """Tell whether F1 binds this lead: it is hot, and the rep could claim a warm one."""
    hot = lead.quality is Quality.HOT and not _exempt(lead)
    return bool(playbook.acceptance.hot_per_warm) and hot and _payable(usage, Quality.WARM, now)


def owes_warm(lead: Lead, rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> list[Refusal]:
    """Refuse a hot lead after so many hot ones this week, until the rep claims a warm one (F1)."""
    hot = usage.of_quality(Quality.HOT, rep.this_week(now))
    bound = hot_is_bound(lead, usage, playbook, now)
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
    """Refuse a lead after so many claims, until the rep accepts the one assigned to them (F2)."""
    del rep, now
    most = playbook.acceptance.claims_per_assignment
    if not most or lead.test or usage.raced < most or not usage.unaccepted:
        return []
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
    if not _payable(usage, Quality.COLD, now):
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
        # Nothing is owed while no assignment waits; the guard checks that still none does.
        none_waits = None if usage.unaccepted else Guard("unaccepted", "<=", 0)
        guards.append(Guard("raced", "<", most, or_else=none_waits))
    if hot_is_bound(lead, usage, playbook, now):
        guards.append(Guard("hot", "<", hot_allowed(rep, usage, playbook, now)))
        if usage.warm:
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


def _payable(usage: Usage, quality: Quality, now: datetime) -> bool:
    if usage.payable is None:
        return True
    until = usage.payable.get(quality)
    return until is not None and now < until


def _until(quality: Quality, rep: Rep, usage: Usage, now: datetime) -> datetime:
    """Return when a debt lifts by itself: the last lead that pays it closes, or a week begins."""
    closes_at = (usage.payable or {}).get(quality)
    week = next_week(rep, usage, now)
    return week if closes_at is None else min(closes_at, week)
