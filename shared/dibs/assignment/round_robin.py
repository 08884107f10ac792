"""Choose the rep a lead is assigned to without a race: interleaved weighted round robin (M5).

In each cycle a rep of weight 3 is served in three rounds, a rep of weight 1 only in the first.
With equal weights that is plain round robin: over any run of assignments the largest and the
smallest share differ by at most one. A rep who is away is skipped and gets no extra turns later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import gcd

from dibs.assignment.reservations import REASONS, owed
from dibs.core.errors import Refusal
from dibs.core.lead import Lead, State
from dibs.core.rep import Rep, Usage
from dibs.race.decide import RULES, gave_back, off
from dibs.race.limits import over_allowance
from dibs.race.matching import mismatches
from dibs.rules.rules import Method, Model, Rules


@dataclass(frozen=True)
class Turn:
    """The rep who was served last, and the round of the cycle; empty before the first turn."""

    round: int = 0
    rep_id: str = ""


def next_turn(weights: Mapping[str, int], last: Turn) -> Turn | None:
    """Return the turn after `last` among reps and their weights, None when there are no reps."""
    if not weights:
        return None
    unit = gcd(*weights.values())
    rounds = {rep_id: weight // unit for rep_id, weight in weights.items()}
    cycle = [
        Turn(number, rep_id)
        for number in range(1, max(rounds.values()) + 1)
        for rep_id in sorted(rounds)
        if rounds[rep_id] >= number
    ]
    after = (turn for turn in cycle if (turn.round, turn.rep_id) > (last.round, last.rep_id))
    return next(after, cycle[0])


def not_assignable(rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> list[Refusal]:
    """Return why no lead can be assigned to the rep now; empty if one can (C7).

    The limit on competitive claims does not apply: past it a rep still gets assignments (F7).
    """
    refusals = [*off(rep, playbook, now), *over_allowance(rep, usage, playbook, now)]
    most = playbook.assignment.in_hand_limit
    if most and usage.in_hand >= most:
        refusals.append(
            Refusal("in_hand", None, f"You hold {usage.in_hand} leads you have not worked yet.")
        )
    return refusals


ASSIGNING: Mapping[str, tuple[str, ...]] = {
    **{
        rule: RULES[rule].codes
        for rule in (
            *("pod", "territory", "segment", "skills", "language", "interests"),
            *("released", "availability", "allowance"),
        )
    },
    "in hand": ("in_hand",),
    "turn": ("others_first", "not_their_turn"),
}
"""The refusal codes of each rule of assignment (R9)."""


@dataclass(frozen=True)
class Candidates:
    """A rotation: reps who take turns, with their weights. Each `name` has its own order.

    `why` is the cause of the assignment where the lead is reserved for them (F8, F10).
    """

    name: str
    weights: Mapping[str, int]
    why: str = ""


def candidates(
    lead: Lead, members: Iterable[tuple[Rep, Usage]], playbook: Rules, now: datetime
) -> Candidates:
    """Return the rotation of reps the lead may be assigned to.

    A reserved lead goes to the reps who are owed it most, if there are any (F8, F10). Any other
    lead:

    - goes only to reps it fits (R1-R5), even while they are all at a limit. A lead that fits no rep
      may go to any, since no lead stays unassigned (C7).
    - never goes to its previous owner or a rep who released it lately (C5).
    - goes, if any such reps are left, to those who owe an assignment (F2), then those of its
      territory where assignment is by territory, then tier 3 where the team has tiers (M2).
    """
    active = [(rep, usage) for rep, usage in members if rep.active]
    fitting = [(rep, usage) for rep, usage in active if not mismatches(lead, rep, playbook)]
    fitting = fitting or active
    able = [(rep, usage) for rep, usage in fitting if not not_assignable(rep, usage, playbook, now)]
    if lead.state is State.NEW and lead.reserved_for in REASONS:
        waiting = owed(lead.reserved_for, able, playbook, now)
        if waiting:
            name = f"{' '.join(sorted(lead.teams))}/{lead.reserved_for}"
            return Candidates(name, {rep.rep_id: 1 for rep in waiting}, REASONS[lead.reserved_for])
    free = [rep for rep, _ in able if not gave_back(lead, rep, playbook, now)]
    most = playbook.acceptance.claims_per_assignment
    owing = {rep.rep_id for rep, usage in fitting if most and usage.raced >= most}
    free = [rep for rep in free if rep.rep_id in owing] or free
    name = " ".join(sorted(lead.teams))
    if playbook.assignment.method is Method.TERRITORY and lead.territory:
        near = [rep for rep in free if lead.territory in rep.territories]
        free, name = (near, f"{name}/{lead.territory}") if near else (free, name)
    if any(playbook.model_of(rep.team) is Model.TIERS for rep in free):
        last = [
            rep for rep in free if playbook.model_of(rep.team) is not Model.TIERS or rep.tier == 3
        ]
        free, name = (last, f"{name}/3") if last else (free, name)
    weighted = playbook.assignment.method is Method.WEIGHTED
    return Candidates(name, {rep.rep_id: rep.weight if weighted else 1 for rep in free})


def passed_over(
    lead: Lead,
    members: Iterable[tuple[Rep, Usage]],
    group: Candidates,
    chosen: str,
    playbook: Rules,
    now: datetime,
) -> dict[str, tuple[str, ...]]:
    """Return per rep the codes of why the lead was not assigned to them; none for `chosen` (R9).

    `others_first`: it was reserved, or went to reps who owe an assignment, to its territory or to
    tier 3. `not_their_turn`: another rep was next.
    """
    active = [(rep, usage) for rep, usage in members if rep.active]
    nobody_fits = all(mismatches(lead, rep, playbook) for rep, _ in active)
    codes_by_rep = {}
    for rep, usage in active:
        refusals = [] if nobody_fits else mismatches(lead, rep, playbook)
        refusals += not_assignable(rep, usage, playbook, now)
        refusals += gave_back(lead, rep, playbook, now)
        codes = tuple(refusal.code for refusal in refusals)
        if not codes:
            codes = ("not_their_turn",) if rep.rep_id in group.weights else ("others_first",)
        codes_by_rep[rep.rep_id] = () if rep.rep_id == chosen else codes
    return codes_by_rep
