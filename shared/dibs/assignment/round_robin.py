"""Whose turn it is when a lead is assigned without a race (M5): interleaved weighted round robin.

In each cycle a rep of weight 3 is served in three rounds, a rep of weight 1 in the first alone.
With equal weights that is plain round robin: over any stretch of assignments the largest and the
smallest share differ by at most one. Who is away is passed over and owed nothing.
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
from dibs.race.decide import REFUSING, gave_back, off
from dibs.race.limits import over_allowance
from dibs.race.matching import mismatches
from dibs.rules.rules import Method, Model, Rules


@dataclass(frozen=True)
class Turn:
    """Who was served last, in which round of the cycle; nobody yet before the first."""

    round: int = 0
    rep_id: str = ""


def next_turn(weights: Mapping[str, int], last: Turn) -> Turn | None:
    """Return the turn after `last` among reps and their weights, None when there is nobody."""
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
    """Return why the rep can be assigned no lead now: nothing when they can (C7, F7).

    The limit of competitive claims does not count: what comes after it is assignments.
    """
    found = [*off(rep, playbook, now), *over_allowance(rep, usage, playbook, now)]
    most = playbook.assignment.in_hand_limit
    if most and usage.in_hand >= most:
        found.append(
            Refusal("in_hand", None, f"You hold {usage.in_hand} leads you have not worked yet.")
        )
    return found


ASSIGNING: Mapping[str, tuple[str, ...]] = {
    **{
        rule: REFUSING[rule]
        for rule in (
            *("pod", "territory", "segment", "skills", "language", "interests"),
            *("released", "availability", "allowance"),
        )
    },
    "in hand": ("in_hand",),
    "turn": ("others_first", "not_their_turn"),
}
"""The codes each rule of assignment passes a rep over with (R9)."""


@dataclass(frozen=True)
class Ring:
    """Reps who take turns, with their weights; those of another `name` take turns of their own.

    `why` they and nobody else may have the lead, where it is kept for them (F8, F10).
    """

    name: str
    weights: Mapping[str, int]
    why: str = ""


def candidates(
    lead: Lead, members: Iterable[tuple[Rep, Usage]], playbook: Rules, now: datetime
) -> Ring:
    """Return who the lead may be assigned to.

    Only to those it fits (R1-R5), also while they are all at a limit; to anybody where it fits
    nobody, since nothing stays unassigned (C7). To nobody who had it last, or released it lately
    (C5). Narrowed as long as somebody is left: to those who owe an assignment (F2), to those of
    the lead's territory where assignment goes by territory, and to tier 3 where tiers let a lead
    go (M2). A new lead that is kept for somebody goes to whom it is owed most (F8, F10), as long
    as there is anybody.
    """
    known = [one for one in members if one[0].active]
    fitting = [one for one in known if not mismatches(lead, one[0], playbook)] or known
    able = [one for one in fitting if not not_assignable(*one, playbook, now)]
    if lead.state is State.NEW and lead.reserved in REASONS:
        waiting = owed(lead.reserved, able, playbook, now)
        if waiting:
            name = f"{' '.join(sorted(lead.teams))}/{lead.reserved}"
            return Ring(name, {rep.rep_id: 1 for rep in waiting}, REASONS[lead.reserved])
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
    return Ring(name, {rep.rep_id: rep.weight if weighted else 1 for rep in free})


def passed_over(
    lead: Lead,
    members: Iterable[tuple[Rep, Usage]],
    ring: Ring,
    chosen: str,
    playbook: Rules,
    now: datetime,
) -> dict[str, tuple[str, ...]]:
    """Return why the lead was not assigned to each rep, by codes; none for who got it (R9).

    `others_first`: it was kept for some, or went first to those who owe an assignment, of its
    territory, or of tier 3. `not_their_turn`: another rep's came before.
    """
    known = [one for one in members if one[0].active]
    nobody_fits = all(mismatches(lead, rep, playbook) for rep, _ in known)
    found = {}
    for rep, usage in known:
        refusals = [] if nobody_fits else mismatches(lead, rep, playbook)
        refusals += not_assignable(rep, usage, playbook, now)
        refusals += gave_back(lead, rep, playbook, now)
        codes = tuple(refusal.code for refusal in refusals)
        if not codes:
            codes = ("not_their_turn",) if rep.rep_id in ring.weights else ("others_first",)
        found[rep.rep_id] = () if rep.rep_id == chosen else codes
    return found
