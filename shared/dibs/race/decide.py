"""Decide whether a rep may have a lead now.

The same function selects whom to notify, judges a claim, and explains on every screen why a rep
may have a lead or not. It is pure: it takes the lead, the rep, the rep's usage, the rules and the
time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import NamedTuple

from dibs.core.calendar import Hours, Schedule, next_on_duty, off_duty, parse_hours
from dibs.core.errors import Refusal, lifts_at
from dibs.core.lead import Lead
from dibs.core.rep import Rep, Usage
from dibs.core.values import dataclass
from dibs.race import debts, matching
from dibs.race.limits import over_allowance, over_limits
from dibs.race.newcomers import not_in_phase
from dibs.rules.rules import Rules, Team


@dataclass(frozen=True)
class Eligible:
    """The rep may claim, and has been able to since `since`."""

    since: datetime


@dataclass(frozen=True)
class Refused:
    """Every rule that refuses, the most useful to the rep first.

    `lifts_at` is when the last of them lifts, None where time does not lift one (C3).
    """

    refusals: tuple[Refusal, ...]
    lifts_at: datetime | None


Verdict = Eligible | Refused
Rule = Callable[[Lead, Rep, Usage, Rules, datetime], list[Refusal]]

# When one refusal lifts, another may have begun: two a week where hours and an allowance take
# turns, two a day where a limit and hours do. This is enough for a lead that is open for a year.
_LIFTINGS = 1000


def decide(lead: Lead, rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> Verdict:
    """Judge whether `rep` may claim `lead` at `now` (C2).

    It does not check whether the lead was claimed already: the transaction does.
    """
    refusals = _refusals(_ALL, lead, rep, usage, playbook, now)
    if not refusals:
        return Eligible(lead.opens_for(rep) or lead.opens_at)
    moment = lifts_at(refusals)
    for _ in range(_LIFTINGS):
        if moment is None or moment >= lead.closes_at:
            break
        then = _refusals(_ALL, lead, rep, usage, playbook, moment)
        if not then:
            break
        moment = lifts_at(then)
    return Refused(tuple(refusals), moment)


def decide_knowing(
    lead: Lead,
    rep: Rep,
    usage: Usage,
    playbook: Rules,
    now: datetime,
    open_leads: Callable[[], Iterable[Lead]],
) -> tuple[Verdict, Usage]:
    """Judge as `decide` does, but a debt that no lead could have paid refuses nothing (F1, F3).

    Reads the open leads only where a debt refuses that does not stand yet. Returns the usage it
    judged on, too.
    """
    verdict = decide(lead, rep, usage, playbook, now)
    codes = [r.code for r in verdict.refusals] if isinstance(verdict, Refused) else []
    owed = [debts.PAID_BY[code] for code in codes if code in debts.PAID_BY]
    known = all(debts.stands(quality, rep, usage, now) for quality in owed)
    if known or usage.payable is not None:
        return verdict, usage

    def may_claim(other: Lead) -> bool:
        return not any(rule(other, rep, usage, playbook, now) for rule in _NOT_PAID_BY_CLAIMING)

    usage = debts.with_payable(usage, open_leads(), may_claim, now)
    return decide(lead, rep, usage, playbook, now), usage


def could_pay(lead: Lead, rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> bool:
    """Tell whether the rep owes a claim of such a lead and this one is open to them (F1, F3).

    A pause, which is the rep's own choice, is no excuse.
    """
    if not debts.unpaid(lead, rep, usage, playbook, now):
        return False
    refusals = _refusals(_NOT_PAID_BY_CLAIMING, lead, rep, usage, playbook, now)
    return all(refusal.code == "paused" for refusal in refusals)


def _refusals(
    rules: Iterable[Rule],
    lead: Lead,
    rep: Rep,
    usage: Usage,
    playbook: Rules,
    now: datetime,
) -> list[Refusal]:
    return [refusal for rule in rules for refusal in rule(lead, rep, usage, playbook, now)]


def _routed(lead: Lead, rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> list[Refusal]:
    del usage, playbook, now
    if rep.team in lead.teams:
        return []
    return [Refusal("not_routed", None, "This lead goes to other teams.")]


def _window(lead: Lead, rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> list[Refusal]:
    """A rep may claim from their opening until the lead closes (M2, F6)."""
    del usage, playbook
    refusals = []
    opens_at = lead.opens_for(rep)
    if opens_at is None:
        refusals.append(
            Refusal("assigned_only", None, "Leads like this come to you by assignment only.")
        )
    elif now < opens_at:
        refusals.append(Refusal("not_open_yet", opens_at, "This lead opens for you soon."))
    if now >= lead.closes_at:
        refusals.append(Refusal("closed", None, "The time to claim this lead is over."))
    return refusals


def _phase(lead: Lead, rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> list[Refusal]:
    del usage
    return not_in_phase(lead, rep, playbook, now)


def _released(lead: Lead, rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> list[Refusal]:
    del usage
    return gave_back(lead, rep, playbook, now)


def _availability(
    lead: Lead, rep: Rep, usage: Usage, playbook: Rules, now: datetime
) -> list[Refusal]:
    del lead, usage
    return off(rep, playbook, now)


def _allowance(lead: Lead, rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> list[Refusal]:
    return [] if lead.test else over_allowance(rep, usage, playbook, now)


def _fits(
    fit: Callable[[Lead, Rep, Rules], list[Refusal]],
    lead: Lead,
    rep: Rep,
    usage: Usage,
    playbook: Rules,
    now: datetime,
) -> list[Refusal]:
    del usage, now
    return fit(lead, rep, playbook)


class JudgedRule(NamedTuple):
    """A rule a claim is judged by.

    `codes` are those it refuses with, so that a stored verdict can be shown rule by rule (R9);
    `is_on` is true of a playbook that switches it on. A debt that `claiming_pays` refuses nothing
    while no open lead can pay it (F1, F3).
    """

    refuse: Rule
    codes: tuple[str, ...]
    is_on: Callable[[Rules], object] = lambda _: True
    claiming_pays: bool = False


RULES: Mapping[str, JudgedRule] = {
    "routing": JudgedRule(_routed, ("not_routed",)),
    "pod": JudgedRule(
        partial(_fits, matching.pod),
        ("other_pod",),
        lambda rules: any(route.pods for route in rules.routing),
    ),
    "window": JudgedRule(_window, ("assigned_only", "not_open_yet", "closed")),
    "territory": JudgedRule(
        partial(_fits, matching.territory),
        ("territory",),
        lambda rules: rules.matching.territory,
    ),
    "segment": JudgedRule(
        partial(_fits, matching.segment), ("segment",), lambda rules: rules.matching.segment
    ),
    "skills": JudgedRule(
        partial(_fits, matching.skills), ("skills",), lambda rules: rules.matching.skills
    ),
    "language": JudgedRule(
        partial(_fits, matching.language), ("language",), lambda rules: rules.matching.languages
    ),
    "interests": JudgedRule(
        partial(_fits, matching.interests), ("interests",), lambda rules: rules.matching.interests
    ),
    "newcomers": JudgedRule(
        _phase, ("newcomer", "newcomers_only"), lambda rules: rules.newcomers.enabled
    ),
    "released": JudgedRule(_released, ("released_lately", "not_twice_in_a_row", "undone")),
    "availability": JudgedRule(
        _availability,
        (
            *("left", "team_paused", "paused_by_manager", "paused"),
            *("on_leave", "holiday", "outside_hours"),
        ),
    ),
    "limits": JudgedRule(over_limits, ("hourly_limit", "daily_limit", "weekly_limit", "open_load")),
    "allowance": JudgedRule(_allowance, ("weekly_allowance",), lambda rules: rules.quota.enabled),
    "assignments": JudgedRule(
        debts.owes_assignment,
        ("owes_assignment",),
        lambda rules: rules.acceptance.claims_per_assignment,
    ),
    "hot for warm": JudgedRule(
        debts.owes_warm,
        ("owes_warm",),
        lambda rules: rules.acceptance.hot_per_warm,
        claiming_pays=True,
    ),
    "cold leads": JudgedRule(
        debts.owes_cold,
        ("owes_cold",),
        lambda rules: rules.acceptance.cold_per_week,
        claiming_pays=True,
    ),
}
"""Every rule a claim is judged by, the most useful to the rep first."""

_ALL = tuple(rule.refuse for rule in RULES.values())
_NOT_PAID_BY_CLAIMING = tuple(rule.refuse for rule in RULES.values() if not rule.claiming_pays)


def rules_judged(playbook: Rules) -> tuple[str, ...]:
    """Return the rules that a playbook switches on, in the order they are judged (R9)."""
    return tuple(name for name, rule in RULES.items() if rule.is_on(playbook))


def gave_back(lead: Lead, rep: Rep, playbook: Rules, now: datetime) -> list[Refusal]:
    """Return why the rep cannot have a lead that they had before (C5).

    They cannot within the cooldown after they released it, never twice in a row, however they lost
    it, and not after they undid a claim of it: they saw the contact details (C12). Only a manager
    can assign it to them.
    """
    refusals: list[Refusal] = []
    released_at, days = lead.released_by.get(rep.rep_id), playbook.release.cooldown_days
    again_at = released_at and released_at + timedelta(days=days)
    if again_at and now < again_at:
        refusals.append(
            Refusal(
                "released_lately",
                again_at,
                f"You released this lead. It is kept for others for a while (days: {days}).",
            )
        )
    if lead.previous_owner == rep.rep_id:
        refusals.append(
            Refusal(
                "not_twice_in_a_row",
                None,
                "You had this lead last. It goes to somebody else first.",
            )
        )
    if rep.rep_id in lead.undone_by:
        refusals.append(
            Refusal(
                "undone",
                None,
                "You undid your claim of this lead, so it goes to others. Ask your manager for it.",
            )
        )
    return refusals


def off(rep: Rep, playbook: Rules, now: datetime) -> list[Refusal]:
    """Return why the rep is not available now (R8); empty if they are."""
    refusals: list[Refusal] = []
    if not rep.active:
        refusals.append(Refusal("left", None, "Your account is closed. Ask your manager."))
    team = playbook.paused.get(rep.team)
    if team is not None and team.holds(now):
        refusals.append(Refusal("team_paused", team.until, f"Your team is paused: {team.reason}"))
    own = rep.manager_pause(now)
    if own is not None:
        refusals.append(
            Refusal("paused_by_manager", own.until, f"Your manager has paused you: {own.reason}")
        )
    if rep.is_paused(now):
        refusals.append(
            Refusal("paused", rep.paused_until, "You are paused. Switch yourself on to claim.")
        )
    schedule = schedule_of(rep, playbook)
    why = off_duty(schedule, now)
    if why:
        refusals.append(replace(_OFF_DUTY[why], lifts_at=next_on_duty(schedule, now)))
    return refusals


_OFF_DUTY = {
    "on_leave": Refusal("on_leave", None, "You are on leave."),
    "holiday": Refusal("holiday", None, "Today is a holiday in your team."),
    "outside_hours": Refusal("outside_hours", None, "You are outside your working hours."),
}


def schedule_of(rep: Rep, playbook: Rules) -> Schedule:
    """Return when the rep is on duty: their own hours, else the team's, less leave and holidays."""
    team = playbook.teams.get(rep.team)
    hours = rep.hours if rep.hours.week or team is None else team_hours(team)
    holidays = frozenset(() if team is None else team.holidays)
    return Schedule(rep.zone, hours, holidays, rep.leave)


def team_schedule(team: Team) -> Schedule:
    """Return when a team's clocks run: its hours in its zone, without its holidays (R11, C11)."""
    return Schedule(team.zone, team_hours(team), frozenset(team.holidays))


def schedule_of_team(playbook: Rules, team: str) -> Schedule:
    """Return when a team's clocks run; for a team that the playbook does not have, always."""
    known = playbook.teams.get(team)
    return _ALWAYS if known is None else team_schedule(known)


def team_hours(team: Team) -> Hours:
    """Return a team's working hours; if it has none set, that is always."""
    return _parsed(tuple((day, tuple(shifts)) for day, shifts in team.hours.items()))


_ALWAYS = Schedule("UTC")


@lru_cache(maxsize=256)
def _parsed(written: tuple[tuple[str, tuple[str, ...]], ...]) -> Hours:
    return parse_hours(dict(written))
