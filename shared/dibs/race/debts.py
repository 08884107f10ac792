"""What must be taken beside the leads everybody wants: hot for warm, assignments, cold (F1-F3).

A debt is counted in the rep's calendar week. It bites only while it can be paid: as long as a
lead it asks for is open to the rep, or an assignment waits for them. So no rep is locked out for
want of a lead that does not exist. Blind leads neither make nor pay a debt, nor does a debt keep
anybody from them: a refusal would tell what they are (F4). Test leads count nowhere.
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
"""What pays the debts that are paid by claiming, by the refusal's code."""


@dataclass(frozen=True)
class Debt:
    """Where a rep stands with a rule: `used` of `most`, and how many are `owed` before others."""

    rule: str
    used: int
    most: int
    owed: int


def debts(rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> list[Debt]:
    """Return where the rep stands with every rule that is on, before it bites.

    F1: hot claims of those allowed with this week's warm ones. F2: claims since the last accepted
    assignment. F3: this week's cold claims of those wanted; owed are those missing of last week.
    """
    rules, week = playbook.acceptance, rep.this_week(now)
    found = []
    if rules.hot_per_warm:
        hot, most = usage.of_quality(Quality.HOT, week), hot_allowed(rep, usage, playbook, now)
        found.append(Debt("F1", hot, most, int(hot >= most)))
    if rules.claims_per_assignment:
        most = rules.claims_per_assignment
        found.append(Debt("F2", usage.raced, most, int(usage.raced >= most)))
    if rules.cold_per_week:
        cold = usage.of_quality(Quality.COLD, week)
        owed = cold_owed(rep, usage, playbook, now)
        found.append(Debt("F3", cold, rules.cold_per_week, owed))
    return found


def cold_owed(rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> int:
    """Return how many cold leads the rep has to make up for (F3).

    Who claimed nothing at all last week was away, or not yet racing, and owes nothing.
    """
    week = rep.this_week(now)
    claims, cold = usage.week_before(week)
    missing = playbook.acceptance.cold_per_week - cold - usage.of_quality(Quality.COLD, week)
    return max(0, missing) if claims else 0


def hot_allowed(rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> int:
    """Return how many hot leads may be claimed in the week, with the warm ones claimed so far."""
    warm = usage.of_quality(Quality.WARM, rep.this_week(now))
    return playbook.acceptance.hot_per_warm * (1 + warm)


def hot_is_bound(lead: Lead, usage: Usage, playbook: Rules, now: datetime) -> bool:
    """Tell whether the rule binds this lead: a hot one, while there are warm ones to claim."""
    hot = lead.quality is Quality.HOT and not _exempt(lead)
    return bool(playbook.acceptance.hot_per_warm) and hot and _payable(usage, Quality.WARM, now)


def owes_warm(lead: Lead, rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> list[Refusal]:
    """Hot for warm (F1): after so many hot leads in a week a warm one is due."""
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
    """Assignments accepted (F2): after so many claims the lead assigned to the rep comes first."""
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
    """Cold leads (F3): who claimed too few last week makes up for it before other leads."""
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
    """Return what the decision found of the rep's debts, where they bind a claim of this lead."""
    guards, most = list[Guard](), playbook.acceptance.claims_per_assignment
    if most:
        # While nothing waits for them nothing is owed; with the guard, nothing waits still.
        waits_not = None if usage.unaccepted else Guard("unaccepted", "<=", 0)
        guards.append(Guard("raced", "<", most, or_else=waits_not))
    if hot_is_bound(lead, usage, playbook, now):
        guards.append(Guard("hot", "<", hot_allowed(rep, usage, playbook, now)))
        if usage.warm:
            guards.append(Guard("warm", ">=", usage.warm))
    return guards


def with_payable(
    usage: Usage, leads: Iterable[Lead], may_claim: Callable[[Lead], bool], now: datetime
) -> Usage:
    """Return the usage, knowing until when a lead of each quality is open to the rep.

    `may_claim` tells whether the rep may have a lead as it stands, whatever they owe.
    """
    until: dict[Quality, datetime] = {}
    # The last to close of each quality says it all: the others need not be judged.
    for lead in sorted(leads, key=lambda one: one.closes_at, reverse=True):
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
    """Return when time alone lifts a debt: the last that pays it closes, or a new week begins."""
    closes_at = (usage.payable or {}).get(quality)
    week = next_week(rep, usage, now)
    return week if closes_at is None else min(closes_at, week)
