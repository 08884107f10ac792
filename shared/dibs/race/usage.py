"""What a lead adds to its rep's usage, and what its return takes off, as a value. Pure.

`Change` says which counters go up or down, which are reset, and under which guards that may be
stored. A store only translates it. The rules also apply it to a usage to see what would follow.

Every race won counts as a claim: in the open pool, blind, or among newcomers. Assignments, test
leads and undone claims do not count. A lead that is returned later still counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from dibs.core.lead import Claim, Lead
from dibs.core.quality import Quality
from dibs.core.rep import Rep, Usage
from dibs.race.debts import debt_guards
from dibs.race.guards import Guard
from dibs.race.limits import limit_guards, rolling
from dibs.rules.rules import Rules

if TYPE_CHECKING:
    from dibs.race.absence import Credit

# The list of a rep's claim times may grow by this many before it is shortened. Shortening is rare
# because it fails when the same rep claims another lead at that moment.
KEPT_BEYOND = 16

_NONE: Mapping[str, Any] = MappingProxyType({})


class Change(NamedTuple):
    """A change of a rep's usage, by field.

    `adds`: by how much a counter changes. `sets`: a new value. `copies`: the field whose old value
    is taken over. `appends`: what is added to a list. The whole change is stored if every guard
    holds, otherwise none of it.
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
    """Counters that are reset each hour, day or week.

    The field `name` says to which hour, day or week they belong. `before` names counters of the
    period before: when a new week begins, `claims_before` becomes the old `week_claims`.
    """

    name: str
    current: Callable[[Rep, datetime], date]
    counters: tuple[str, ...]
    length: timedelta = timedelta()
    before: Mapping[str, str] = _NONE


_PERIODS = (
    _Period("hour", Rep.this_hour, ("hour_claims",)),
    _Period("day", Rep.today, ("claims",)),
    _Period("undo_day", Rep.today, ("undos",)),
    _Period(
        "week",
        Rep.this_week,
        ("leads", "week_claims", "hot", "warm", "cold", "warm_passed"),
        timedelta(days=7),
        {"claims_before": "week_claims", "cold_before": "cold"},
    ),
)


def _counters(lead: Lead, *, won: bool) -> list[str]:
    """Return the counters to which a lead adds one; they differ for a lead `won` in a race."""
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
    """Return what a lead adds to its rep's usage, and the guards under which it may.

    The guards are the rep's status, pauses and tier, and the counters the decision used.

    Without `bound` no limit applies: the last resort gets the lead when nobody else may (C7). A
    `credit` is used up with it (F10). With `week_most` the change fails if the rep has had that
    many leads this week. A test lead counts nowhere.
    """
    now, won = claim.claimed_at, claim.competitive
    guards = [Guard("active", "=", True)]
    if bound:
        guards += [Guard("paused_until", "<=", now), Guard("tier", "=", rep.tier)]
        guards += [Guard("manager_paused_until", "<=", now)]
        guards += [Guard("team", "=", rep.team), Guard("leave", "=", rep.leave or None)]
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
    # Counters reset by this write start from zero, so their old value needs no guard.
    guards += [guard for guard in most if guard.field not in counts.sets]
    return counts | Change(rep.rep_id, tuple(guards))


def _one_more(rep: Rep, usage: Usage, counters: list[str], now: datetime) -> Change:
    """Return the change that adds one to each counter, after resetting those of a past period."""
    guards, adds = list[Guard](), dict.fromkeys(counters, 1)
    sets, copies = dict[str, Any](), dict[str, str]()
    for period in _PERIODS:
        if not any(name in adds for name in period.counters):
            continue
        known, current = getattr(usage, period.name), period.current(rep, now)
        guards.append(Guard(period.name, "=", known))
        # If the stored period is later than ours, add to it: clocks differ by milliseconds.
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
    """Return the change that adds a claim's time to the list, shortened to what limits need."""
    if len(usage.recent) < longest + KEPT_BEYOND:
        return Change(rep.rep_id, appends={"recent": now})
    kept = (*sorted(usage.recent)[-longest:], now)
    return Change(rep.rep_id, (Guard("ever", "=", usage.ever),), sets={"recent": kept})


def release_lead(held: Lead, usage: Usage) -> Change:
    """Return what a return takes off: the lead is no longer in hand, but still counts."""
    if held.test or held.worked_at is not None:
        return Change(str(held.owner))
    off = ["in_hand", "unaccepted"] if held.unaccepted else ["in_hand"]
    return _less(held, usage, off)


def undo_claim(held: Lead, rep: Rep, usage: Usage) -> Change:
    """Return what undoing a claim takes off: every count of it, as it was a mistake (C5).

    Counts of a past hour or day are gone already. Of the week before, some are still kept in
    counters of their own, so these are lowered.
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


def count_undo(held: Lead, rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> Change:
    """Return the change that counts one undo, up to the playbook's limit of a day (C12)."""
    if held.test:
        return Change(rep.rep_id)
    counts = _one_more(rep, usage, ["undos"], now)
    if "undos" in counts.sets:
        return counts
    return counts | Change(rep.rep_id, (Guard("undos", "<", playbook.undos_per_day),))


def _less(held: Lead, usage: Usage, names: Iterable[str]) -> Change:
    """Return the change that takes one off each counter above zero."""
    counted = [name for name in names if getattr(usage, name) > 0]
    guards = tuple(Guard(name, ">", 0) for name in counted)
    return Change(str(held.owner), guards, dict.fromkeys(counted, -1))


def work_lead(rep_id: str, *, worked: bool, accepted: bool) -> Change:
    """Return what a first contact, or accepting an assigned lead, takes off its holder.

    Accepting an assignment also resets the count of claims since the last one (F2).
    """
    off = {"in_hand": worked, "unaccepted": accepted}
    adds = {name: -1 for name, lowered in off.items() if lowered}
    return Change(rep_id, adds=adds, sets={"raced": 0} if accepted else {})


def open_to(lead: Lead, rep: Rep, usage: Usage, now: datetime) -> Change:
    """Return the change that records that a lead was open to a rep who owes one like it (F1, F3).

    From then on the debt stands, also when the lead is gone.
    """
    week = Guard("week", "=", usage.week)
    if lead.quality is Quality.COLD:
        return Change(rep.rep_id, (week,), sets={"cold_passed": rep.this_week(now)})
    warm = Guard("warm", "<=", usage.warm)
    return Change(rep.rep_id, (week, warm), sets={"warm_passed": usage.warm + 1})


def use_credit(credit: Credit) -> Change:
    """Return the change that uses an absence credit up, and nothing else (F10)."""
    guard = Guard("credits_used", "=", credit.before or None)
    return Change(credit.rep_id, (guard,), sets={"credits_used": credit.after})
