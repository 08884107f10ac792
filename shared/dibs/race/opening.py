"""Open a lead: when each tier of each team may claim it, and when it closes (M1, M2).

Openings and windows run in the team's hours (R11): a lead that comes in at night opens as a race
when work begins, and a window that the end of work cuts off goes on the next day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from dibs.core.calendar import Schedule, next_on_duty, off_duty, working_time_after
from dibs.core.errors import Busy
from dibs.core.lead import ASSIGNED_ONLY, Lead, Openings
from dibs.core.rep import Rep, Usage
from dibs.race.decide import Eligible, decide, schedule_of_team
from dibs.rules.rules import Rules

_MOMENT = timedelta(milliseconds=1)


def races(lead: Lead, playbook: Rules) -> bool:
    """Tell whether reps race for the lead; if not, it is assigned.

    It is raced for if one of its teams has a model with races (M3, M5), unless it is reserved for
    newcomers, a rep's absence credit, or an assignment that a rep owes (F8, F10, F2).
    """
    if lead.reserved_for in ASSIGNED_ONLY:
        return False
    return any(playbook.model_of(team).races for team in lead.teams)


def opening(
    lead: Lead,
    playbook: Rules,
    now: datetime,
    head_start: timedelta = timedelta(),
    places: Mapping[str, int] | None = None,
) -> Lead:
    """Return the lead with the windows of an opening at `now`. The state does not change.

    The lead stays open for the window's seconds after the last wave. A team that does not race may
    not claim it, but may get it by assignment if no other team does. All waves open `head_start`
    later; until then only `lead.head_start_reps` may claim (F6).

    Outside a team's hours it opens for them when work begins (R11): `places` says, per team, how
    many leads came before it in that night, and they are spread out.
    """
    waves: dict[str, Openings] = {}
    starts, ends = list[datetime](), list[datetime]()
    for team in lead.teams:
        schedule = schedule_of_team(playbook, team)
        start = _start(schedule, playbook, now, (places or {}).get(team, 0))
        offsets = playbook.offsets(team, lead)
        first, second, third = (
            None if at is None else _opens(schedule, start, head_start + timedelta(seconds=at))
            for at in offsets
        )
        waves[team] = (first, second, third)
        last = max((seconds for seconds in offsets if seconds is not None), default=None)
        if last is not None:
            window = playbook.window_for(team, lead.source).window_seconds
            seconds = last + (window or playbook.window_seconds)
            starts.append(start)
            ends.append(_after(schedule, start, head_start + timedelta(seconds=seconds)))
    opens_at = min(starts, default=now)
    return replace(
        lead,
        opens_at=opens_at,
        closes_at=max(ends, default=now),
        waves={team: openings for team, openings in waves.items() if openings != (opens_at,) * 3},
        notified_until=None,
        draws_at=_draws_at(playbook, opens_at),
        playbook_version=playbook.version,
    )


def work_begins(lead: Lead, playbook: Rules, now: datetime) -> dict[str, datetime]:
    """Return when work begins for each team of the lead that may claim it, but is off now (R11)."""
    begins: dict[str, datetime] = {}
    for team in lead.teams:
        schedule = schedule_of_team(playbook, team)
        if off_duty(schedule, now) and any(at is not None for at in playbook.offsets(team, lead)):
            begins[team] = next_on_duty(schedule, now) or now
    return begins


def places_at_night(
    lead: Lead, playbook: Rules, now: datetime, place: Callable[[str, datetime], int]
) -> dict[str, int]:
    """Return how many leads each team that is off now will find before this one (R11).

    One queue for all that wait for the morning, new or given back. `place` counts a lead of a team
    and morning and returns how many came before. Test leads do not count.
    """
    places: dict[str, int] = {}
    if not lead.test:
        for team, begins in work_begins(lead, playbook, now).items():
            with suppress(Busy):  # then it opens as soon as work begins
                places[team] = place(team, begins)
    return places


def _start(schedule: Schedule, playbook: Rules, now: datetime, place: int) -> datetime:
    """Return when a lead opens: now, or when work begins, after the batches before it."""
    if off_duty(schedule, now) is None:
        return now
    rules = playbook.overnight
    batches = place // rules.at_once
    return _opens(schedule, now, timedelta(seconds=batches * rules.every_seconds))


def _opens(schedule: Schedule, start: datetime, duration: timedelta) -> datetime:
    """Return when so much working time has passed, or when work begins after that."""
    moment = _after(schedule, start, duration)
    return next_on_duty(schedule, moment) or moment


def _after(schedule: Schedule, start: datetime, duration: timedelta) -> datetime:
    # A team that does not work for 400 days has no working time to count.
    return working_time_after(schedule, start, duration) or start + duration


def _draws_at(playbook: Rules, now: datetime) -> datetime | None:
    seconds = playbook.draw.collect_seconds
    return now + timedelta(seconds=seconds) if seconds else None


def reopening(
    lead: Lead, playbook: Rules, now: datetime, places: Mapping[str, int] | None = None
) -> Lead:
    """Return a returned lead without an owner, under its next epoch, with new windows.

    Its `places` are those of `opening`.

    It is no longer blind: a rep has seen it, and its return would show what it is (F4).
    """
    returned = replace(
        lead,
        epoch=lead.epoch + 1,
        owner=None,
        claimed_at=None,
        worked_at=None,
        return_at=None,
        accepted_at=None,
        blind=False,
        head_start_reps=(),
        reserved_for="",
        on_hold=False,
        race_epoch=0,
    )
    return opening(returned, playbook, now, places=places)


def resumed(lead: Lead, playbook: Rules, now: datetime) -> Lead:
    """Return a lead whose claim was undone, under its next epoch: its race goes on (C12).

    It closes when it would have closed. Waves that have opened are open, the others still come.
    Outside the teams' hours it is open again when work begins.
    """
    begin = [next_on_duty(schedule_of_team(playbook, team), now) or now for team in lead.teams]
    start = min(begin, default=now)
    start = start if start < lead.closes_at else now
    waves = {team: _not_before(start, openings) for team, openings in lead.waves.items()}
    draws_at = _draws_at(playbook, start)
    return replace(
        lead,
        epoch=lead.epoch + 1,
        race_epoch=lead.first_epoch,
        owner=None,
        claimed_at=None,
        worked_at=None,
        return_at=None,
        accepted_at=None,
        opens_at=start,
        waves=waves,
        notified_until=None,
        draws_at=draws_at if draws_at is None or draws_at < lead.closes_at else None,
    )


def _not_before(now: datetime, openings: Openings) -> Openings:
    first, second, third = (None if at is None else max(at, now) for at in openings)
    return first, second, third


def next_opening(lead: Lead, now: datetime) -> datetime | None:
    """Return when the next wave of any team opens, None if all are open."""
    return min((at for at in _openings(lead) if at > now), default=None)


def latest_opening(lead: Lead, now: datetime) -> datetime | None:
    """Return when the latest wave opened, None before the first."""
    return max((at for at in _openings(lead) if at <= now), default=None)


def exclusive_until(lead: Lead, rep: Rep, now: datetime) -> datetime | None:
    """Return until when nobody but the rep's own wave may claim; None once no other is to come.

    For a rep whose wave opens later it is the end of their time, too (C13).
    """
    opens_at = lead.opens_for(rep)
    since = now if opens_at is None else max(now, opens_at)
    upcoming = next_opening(lead, since)
    return upcoming if upcoming is not None and upcoming < lead.closes_at else None


def claim_by(lead: Lead, rep: Rep, now: datetime) -> datetime:
    """Return when the time left to a rep ends: others may claim then, or the lead closes (C13)."""
    return exclusive_until(lead, rep, now) or lead.closes_at


def _openings(lead: Lead) -> list[datetime]:
    waves = [at for team in lead.teams for at in lead.openings(team) if at is not None]
    return [lead.opens_at, *waves] if lead.head_start_reps else waves


def opened_early(
    lead: Lead,
    members: Iterable[tuple[Rep, Usage]],
    declined: frozenset[str],
    playbook: Rules,
    now: datetime,
) -> Lead:
    """Return the lead with each wave opened early if no rep of an earlier wave can claim (M6).

    A rep can claim if they may now, or if their refusal lifts before the wave would open anyway. A
    rep who declined cannot. Waves that only a head start delays open together. Nothing opens before
    the lead does, or outside the team's hours (R11).
    """
    if now < lead.opens_at:
        return lead
    by_team: dict[str, list[tuple[Rep, Usage]]] = {}
    ahead: list[tuple[Rep, Usage]] = []
    for rep, usage in members:
        group = ahead if rep.rep_id in lead.head_start_reps else by_team.setdefault(rep.team, [])
        group.append((rep, usage))
    waves = dict(lead.waves)
    for team, openings in lead.waves.items():
        earlier, schedule = list(openings), schedule_of_team(playbook, team)
        first = min((at for at in openings if at is not None), default=now)
        for index, opens_at in enumerate(openings):
            if opens_at is None or opens_at <= max(now, lead.notified_until or now):
                continue
            if opens_at == first and not lead.head_start_reps:
                continue  # no wave goes before it: it opens when the team's work begins
            before = [
                (rep, usage)
                for rep, usage in [*ahead, *by_team.get(team, ())]
                if _goes_before(lead, rep, index, openings) and rep.rep_id not in declined
            ]
            current = replace(lead, waves={**waves, team: (earlier[0], earlier[1], earlier[2])})
            if any(_can_claim(current, *member, playbook, now, opens_at) for member in before):
                break
            # Openings up to `notified_until` count as notified, so this one has to be after it.
            notified_until = lead.notified_until
            early = (
                now if notified_until is None or notified_until < now else notified_until + _MOMENT
            )
            earlier[index] = min(opens_at, next_on_duty(schedule, early) or early)
        waves[team] = (earlier[0], earlier[1], earlier[2])
    return replace(lead, waves=waves)


def _goes_before(lead: Lead, rep: Rep, index: int, openings: Openings) -> bool:
    """Tell whether a rep may claim before the wave `index` opens, by the stored openings."""
    if not lead.head_start_reps:
        return rep.tier <= index
    opened, wave = openings[rep.tier - 1], openings[index]
    earlier = opened is not None and wave is not None and opened < wave
    return rep.rep_id in lead.head_start_reps or earlier


def somebody_out(
    lead: Lead, members: Iterable[tuple[Rep, Usage]], playbook: Rules, now: datetime
) -> bool:
    """Tell whether a rep whose wave is open cannot claim, so the next wave may open early (M6)."""
    upcoming = next_opening(lead, now)
    if upcoming is None or now < lead.opens_at:
        return False
    reps = list(members)
    for rep, usage in reps:
        opened = lead.opens_for(rep)
        is_open = opened is not None and opened <= now
        if is_open and not _can_claim(lead, rep, usage, playbook, now, upcoming):
            return True
    # The next wave may open early after a wave without any rep, too.
    if lead.head_start_reps and not any(rep.rep_id in lead.head_start_reps for rep, _ in reps):
        return True
    tiers = {(rep.team, rep.tier) for rep, _ in reps}
    return any(
        opened is not None and opened <= now and (team, tier) not in tiers
        for team in lead.waves
        for tier, opened in enumerate(lead.openings(team), start=1)
    )


def _can_claim(
    lead: Lead, rep: Rep, usage: Usage, playbook: Rules, now: datetime, until: datetime
) -> bool:
    verdict = decide(lead, rep, usage, playbook, now)
    if isinstance(verdict, Eligible):
        return True
    return verdict.lifts_at is not None and verdict.lifts_at < until
