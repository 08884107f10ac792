"""What a lead adds to its rep's usage, and what its return takes off, as a value. Pure.

`Change` says which counters go up or down, what begins anew, and the guards under which that may
be stored. A store translates it and knows no rule; the rules apply it to count ahead.

Counted is every race won: in the open pool, blind, and among newcomers. Not counted are
assignments, test leads, and claims undone; a lead given back later still counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from dibs.core.lead import Claim, Lead
from dibs.core.rep import Rep, Usage
from dibs.race.debts import debt_guards
from dibs.race.guards import Guard
from dibs.race.limits import limit_guards, rolling
from dibs.rules.rules import Rules

if TYPE_CHECKING:
    from dibs.race.absence import Credit

# A rep's moments are cut back this seldom: cutting is the one write that claims of theirs at the
# same moment make fail.
KEPT_BEYOND = 16

_NONE: Mapping[str, Any] = MappingProxyType({})


class Change(NamedTuple):
    """A change of what a rep has used up, by the fields of their usage.

    `adds` are counters and by how much they change, `sets` are new values, and `copies` take the
    value another field had. `appends` are added to lists. All of it happens while every guard
    holds, or nothing.
    """

    rep_id: str
    guards: tuple[Guard, ...] = ()
    adds: Mapping[str, int] = _NONE
    sets: Mapping[str, Any] = _NONE
    copies: Mapping[str, str] = _NONE
    appends: Mapping[str, datetime] = _NONE

    def __or__(self, other: Change) -> Change:
        return Change(
            self.rep_id,
            self.guards + other.guards,
            {**self.adds, **other.adds},
            {**self.sets, **other.sets},
            {**self.copies, **other.copies},
            {**self.appends, **other.appends},
        )

    def applied_to(self, usage: Usage) -> Usage:
        """Return the usage after the change."""
        changed = {name: getattr(usage, name) + by for name, by in self.adds.items()}
        changed |= {name: getattr(usage, was) for name, was in self.copies.items()}
        changed |= {name: (*getattr(usage, name), at) for name, at in self.appends.items()}
        return replace(usage, **self.sets, **changed)


class _Period(NamedTuple):
    """Counters that begin anew each hour, day or week, and the field that says of which they are.

    `before` are counters of the period before, by those they are taken over from.
    """

    name: str
    current: Callable[[Rep, datetime], date]
    counters: tuple[str, ...]
    length: timedelta = timedelta()
    before: Mapping[str, str] = _NONE


_PERIODS = (
    _Period("hour", Rep.this_hour, ("hour_claims",)),
    _Period("day", Rep.today, ("claims",)),
    _Period(
        "week",
        Rep.this_week,
        ("leads", "week_claims", "hot", "warm", "cold"),
        timedelta(days=7),
        {"claims_before": "week_claims", "cold_before": "cold"},
    ),
)


def _counters(lead: Lead, *, won: bool) -> list[str]:
    """Return the counters a lead is on: one that was `won` in a race, or one that was assigned."""
    if not won:
        return ["in_hand", "leads", "unaccepted"]
    quality = [] if lead.blind else [lead.quality.value]
    return ["in_hand", "leads", "ever", "raced", "hour_claims", "claims", "week_claims", *quality]


def count_lead(
    rep: Rep,
    lead: Lead,
    usage: Usage,
    playbook: Rules,
    claim: Claim,
    *,
    bound: bool = True,
    credit: Credit | None = None,
    week_most: int | None = None,
) -> Change:
    """Return what taking the lead adds, guarded by all that the decision for it used.

    Not `bound`, no maximum counts: who is the last resort takes what nobody else may (C7). It uses
    up the `credit` (F10), and makes no more than `week_most` leads in their week. A test lead
    counts nowhere.
    """
    now, won = claim.claimed_at, claim.competitive
    guards = [Guard("active", "=", True)]
    if bound:
        guards += [Guard("paused_until", "<=", now), Guard("tier", "=", rep.tier)]
    if claim.test:
        return Change(rep.rep_id, tuple(guards))
    counts = _one_more(rep, usage, _counters(lead, won=won), now)
    if won and (spans := rolling(playbook, rep)):
        counts |= _moment(rep, usage, max(limit.most for limit in spans), now)
    if credit is not None:
        counts |= use_credit(credit)
    most = [] if week_most is None else [Guard("leads", "<", week_most)]
    if bound:
        most += limit_guards(lead, rep, usage, playbook, claim)
    if bound and won:
        most += debt_guards(lead, rep, usage, playbook, now)
    # What begins anew passes no maximum.
    guards += [guard for guard in most if guard.field not in counts.sets]
    return counts | Change(rep.rep_id, tuple(guards))


def _one_more(rep: Rep, usage: Usage, counters: list[str], now: datetime) -> Change:
    """Return one more of each counter, in the rep's hour, day and week it is at `now`."""
    guards, adds = list[Guard](), dict.fromkeys(counters, 1)
    sets, copies = dict[str, Any](), dict[str, str]()
    for period in _PERIODS:
        if not any(name in adds for name in period.counters):
            continue
        known, current = getattr(usage, period.name), period.current(rep, now)
        guards.append(Guard(period.name, "=", known))
        # A period ahead of ours is counted on: clocks differ by milliseconds at midnight.
        if known is not None and known >= current:
            continue
        sets[period.name] = current
        sets |= {name: adds.pop(name, 0) for name in period.counters}
        if known == current - period.length:
            copies |= period.before
        else:
            sets |= dict.fromkeys(period.before, 0)
    return Change(rep.rep_id, tuple(guards), adds, sets, copies)


def _moment(rep: Rep, usage: Usage, longest: int, now: datetime) -> Change:
    """Return the moment of a race won, with the latest before it that a limit over a span needs."""
    if len(usage.recent) < longest + KEPT_BEYOND:
        return Change(rep.rep_id, appends={"recent": now})
    kept = (*sorted(usage.recent)[-longest:], now)
    return Change(rep.rep_id, (Guard("ever", "=", usage.ever),), sets={"recent": kept})


def release_lead(held: Lead, usage: Usage) -> Change:
    """Return what giving a lead back takes off its holder: it still counts, but is not in hand."""
    if held.test or held.worked_at is not None:
        return Change(str(held.owner))
    off = ["in_hand", "unaccepted"] if held.unaccepted else ["in_hand"]
    return _less(held, usage, off)


def undo_claim(held: Lead, rep: Rep, usage: Usage) -> Change:
    """Return what undoing a claim takes off: it was a mistake, and counts nowhere (C5).

    What its hour, day or week has counted is over once the next has begun; but of a week the next
    one remembers some.
    """
    taken_at = held.claimed_at
    if held.test or taken_at is None:
        return Change(rep.rep_id)
    off, guards, sets = _counters(held, won=True), list[Guard](), dict[str, Any]()
    if held.worked_at is not None:
        off.remove("in_hand")
    for period in _PERIODS:
        known, then = getattr(usage, period.name), period.current(rep, taken_at)
        counted = [name for name in period.counters if name in off]
        off = [name for name in off if name not in counted]
        if known != then:
            follows = known == then + period.length
            counted = [name for name, was in period.before.items() if follows and was in counted]
        off += counted
        if any(getattr(usage, name) > 0 for name in counted):
            guards.append(Guard(period.name, "=", known))
    if taken_at in usage.recent:
        kept = list(usage.recent)
        kept.remove(taken_at)
        guards.append(Guard("ever", "=", usage.ever))
        sets["recent"] = tuple(kept)
    return Change(rep.rep_id, tuple(guards), sets=sets) | _less(held, usage, off)


def _less(held: Lead, usage: Usage, names: Iterable[str]) -> Change:
    """Return one less of each counter that has counted at all."""
    counted = [name for name in names if getattr(usage, name) > 0]
    guards = tuple(Guard(name, ">", 0) for name in counted)
    return Change(str(held.owner), guards, dict.fromkeys(counted, -1))


def work_lead(rep_id: str, *, worked: bool, accepted: bool) -> Change:
    """Return what a first contact, or accepting an assigned lead, takes off its holder.

    With an assignment accepted their claims since the last one start again (F2).
    """
    off = {"in_hand": worked, "unaccepted": accepted}
    adds = {name: -1 for name, lowered in off.items() if lowered}
    return Change(rep_id, adds=adds, sets={"raced": 0} if accepted else {})


def use_credit(credit: Credit) -> Change:
    """Return the use of an absence credit that counts nothing else (F10)."""
    guard = Guard("credits_used", "=", credit.before or None)
    return Change(credit.rep_id, (guard,), sets={"credits_used": credit.after})
