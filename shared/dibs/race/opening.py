"""Opening a lead: when each tier of each team may claim it, and when the pool closes (M1, M2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from dibs.core.lead import Lead, Openings
from dibs.core.rep import Rep, Usage
from dibs.race.decide import Eligible, decide
from dibs.rules.rules import Offsets, Rules

_MOMENT = timedelta(milliseconds=1)


def races(lead: Lead, playbook: Rules) -> bool:
    """Tell whether any of the lead's teams races for it; otherwise it is assigned (M3, M5).

    What is kept for a newcomer, or for who was away, is assigned as well (F8, F10).
    """
    if lead.reserved in ("newcomers", "absence"):
        return False
    return any(playbook.model_of(team).races for team in lead.teams)


def opening(
    lead: Lead, playbook: Rules, now: datetime, head_start: timedelta = timedelta()
) -> Lead:
    """Return the lead with the windows of an opening at `now`; its state is for `moved`.

    The pool stays open for the window's seconds after its last wave. A team that does not race
    may claim nothing, and gets the lead by assignment if the others let it go. Everybody's waves
    come `head_start` after the reps' in `lead.first` (F6).
    """
    source, ahead = lead.shown.source, head_start // timedelta(seconds=1)
    offsets = {team: _later(playbook.offsets(team, lead), ahead) for team in lead.teams}
    lasts = [
        max(seconds for seconds in offsets[team] if seconds is not None)
        + (playbook.window_for(team, source).window_seconds or playbook.window_seconds)
        for team in lead.teams
        if any(seconds is not None for seconds in offsets[team])
    ]
    return replace(
        lead,
        opens_at=now,
        closes_at=now + timedelta(seconds=max(lasts, default=0)),
        waves={team: _at(now, waves) for team, waves in offsets.items() if waves != (0, 0, 0)},
        told_at=None,
        draws_at=_draws_at(playbook, now),
        playbook_version=playbook.version,
    )


def _draws_at(playbook: Rules, now: datetime) -> datetime | None:
    seconds = playbook.draw.collect_seconds
    return now + timedelta(seconds=seconds) if seconds else None


def _later(offsets: Offsets, seconds: int) -> Offsets:
    first, second, third = (None if at is None else at + seconds for at in offsets)
    return first, second, third


def _at(now: datetime, offsets: Offsets) -> Openings:
    first, second, third = (
        None if seconds is None else now + timedelta(seconds=seconds) for seconds in offsets
    )
    return first, second, third


def reopening(lead: Lead, playbook: Rules, now: datetime) -> Lead:
    """Return a lead that was given back, as it is opened or assigned anew: nobody's, next epoch.

    Blind it is no more: one rep has seen it, and when and why it came back would tell on it (F4).
    """
    fresh = replace(
        lead,
        epoch=lead.epoch + 1,
        owner=None,
        claimed_at=None,
        worked_at=None,
        return_at=None,
        accepted_at=None,
        blind=False,
        first=(),
        reserved="",
        parked=False,
    )
    return opening(fresh, playbook, now)


def next_opening(lead: Lead, now: datetime) -> datetime | None:
    """Return when the next wave of any team opens, None when all have."""
    return min((at for at in _openings(lead) if at > now), default=None)


def latest_opening(lead: Lead, now: datetime) -> datetime | None:
    """Return when the latest wave opened, None before the first."""
    return max((at for at in _openings(lead) if at <= now), default=None)


def _openings(lead: Lead) -> list[datetime]:
    waves = [at for team in lead.teams for at in lead.openings(team) if at is not None]
    return [lead.opens_at, *waves] if lead.first else waves


def opened_early(
    lead: Lead,
    members: Iterable[tuple[Rep, Usage]],
    declined: frozenset[str],
    playbook: Rules,
    now: datetime,
) -> Lead:
    """Return the lead with the waves that open now because nobody before can claim (M6).

    A rep can still claim who may now, or whose refusal lifts before the wave would open anyway;
    one who declined cannot. What a head start alone holds back stays together.
    """
    by_team: dict[str, list[tuple[Rep, Usage]]] = {}
    first: list[tuple[Rep, Usage]] = []
    for rep, usage in members:
        group = first if rep.rep_id in lead.first else by_team.setdefault(rep.team, [])
        group.append((rep, usage))
    waves = dict(lead.waves)
    for team, openings in lead.waves.items():
        moved = list(openings)
        for index, opens_at in enumerate(openings):
            if opens_at is None or opens_at <= max(now, lead.told_at or now):
                continue
            before = [
                (rep, usage)
                for rep, usage in [*first, *by_team.get(team, ())]
                if _goes_before(lead, rep, index, openings) and rep.rep_id not in declined
            ]
            current = replace(lead, waves={**waves, team: (moved[0], moved[1], moved[2])})
            if any(_can_claim(current, *one, playbook, now, opens_at) for one in before):
                break
            # After any wave that was told ahead of its instant, so that this one is told as well.
            told_at = lead.told_at
            early = now if told_at is None or told_at < now else told_at + _MOMENT
            moved[index] = min(opens_at, early)
        waves[team] = (moved[0], moved[1], moved[2])
    return replace(lead, waves=waves)


def _goes_before(lead: Lead, rep: Rep, index: int, openings: Openings) -> bool:
    """Tell whether a rep may claim before the wave of that index, by the openings on record."""
    if not lead.first:
        return rep.tier <= index
    opened, wave = openings[rep.tier - 1], openings[index]
    earlier = opened is not None and wave is not None and opened < wave
    return rep.rep_id in lead.first or earlier


def somebody_out(
    lead: Lead, members: Iterable[tuple[Rep, Usage]], playbook: Rules, now: datetime
) -> bool:
    """Tell whether anybody whose wave has opened cannot claim: the next may be due early (M6)."""
    upcoming = next_opening(lead, now)
    if upcoming is None:
        return False
    known = list(members)
    for rep, usage in known:
        opened = lead.opens_for(rep)
        begun = opened is not None and opened <= now
        if begun and not _can_claim(lead, rep, usage, playbook, now, upcoming):
            return True
    # Where a wave has nobody at all, the next is due as well.
    if lead.first and not any(rep.rep_id in lead.first for rep, _ in known):
        return True
    held = {(rep.team, rep.tier) for rep, _ in known}
    return any(
        opened is not None and opened <= now and (team, tier) not in held
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
