"""How a lead is taken and returned, and until when it must be worked (C5, C8, C11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from dibs.core.calendar import working_time_after
from dibs.core.errors import UndoOver
from dibs.core.lead import CLAIMED, RELEASED, UNDONE, Claim, Lead, State, Transition, moved
from dibs.core.quality import Quality
from dibs.core.rep import Rep, Usage
from dibs.race.decide import team_schedule
from dibs.race.opening import races, reopening, resumed
from dibs.rules.rules import Rules

_MOMENT = timedelta(milliseconds=1)
# How many reps who released the lead lately are kept in the lead item.
MOST_RELEASED = 4
# So many claims of one lead may be undone: the lead item keeps who undid them, and is small.
MOST_UNDONE = 2

_SEEN = "You have seen this lead, which you claimed blind. Release it with a reason instead."
_TOO_MANY = "You may undo no more claims today (of {most}). Release the lead with a reason instead."
_TOO_OFTEN = "Claims of this lead were undone too often. Release it with a reason instead."


def return_times(
    quality: Quality, team: str, playbook: Rules, now: datetime
) -> tuple[datetime, datetime] | None:
    """Return when the holder of a lead taken `now` is reminded, and when it returns (C11).

    Only the team's hours count. None if the playbook has no such rule for this quality, or it waits
    for the first activity that is ever reported.
    """
    minutes = playbook.work.minutes_for(quality)
    team_rules = playbook.teams.get(team)
    if minutes == 0 or team_rules is None or not playbook.returns_unworked:
        return None
    schedule = team_schedule(team_rules)
    allowed = timedelta(minutes=minutes)
    nudge_at = working_time_after(schedule, now, allowed * playbook.work.nudge_percent / 100)
    return_at = working_time_after(schedule, now, allowed)
    return None if nudge_at is None or return_at is None else (nudge_at, return_at)


def new_claim(
    lead: Lead, rep: Rep, playbook: Rules, now: datetime, since: datetime, cause: str = CLAIMED
) -> Claim:
    """Return the record that `rep` takes the lead `now`, by a claim or for another `cause`.

    `since` is when they could first have taken it; `claim_ms` counts from there.
    """
    times = return_times(lead.quality, rep.team, playbook, now)
    return Claim(
        lead_id=lead.lead_id,
        epoch=lead.epoch,
        rep_id=rep.rep_id,
        rep_name=rep.name,
        team=rep.team,
        claimed_at=now,
        claim_ms=max(0, (now - since) // _MOMENT),
        playbook_version=playbook.version,
        test=lead.test,
        cause=cause,
        nudge_at=times[0] if times else None,
        return_at=times[1] if times else None,
    )


def taken(lead: Lead, record: Claim) -> Lead:
    """Return a lead as it is once this record of its claim or assignment is stored."""
    return replace(
        lead,
        state=State.CLAIMED if record.competitive else State.ASSIGNED,
        owner=record.rep_id,
        claimed_at=record.claimed_at,
        return_at=record.return_at,
        worked_at=None,
    )


def remove_owner(
    held: Lead,
    playbook: Rules,
    now: datetime,
    cause: str,
    by: str,
    note: str = "",
    *,
    won: bool,
    places: Mapping[str, int] | None = None,
) -> tuple[Lead, list[Transition]]:
    """Return a held lead without its owner, under its next epoch, and the transitions to record.

    A `won` race was not recorded as a transition when it was won, so it is now. The owner becomes
    the previous owner. After an undo the race goes on instead, but without them: they have seen
    the contact details (C12). `places` say where it waits for the morning (R11).

    Raises:
        IllegalMove: the lead is won or lost already.
    """
    transitions: list[Transition] = []
    if won:
        raced = replace(held, state=State.OPEN, owner=None)
        _, claimed = moved(raced, State.CLAIMED, held.claimed_at or now, CLAIMED, str(held.owner))
        transitions.append(claimed)
    released, release = moved(held, State.RELEASED, now, cause, by, note)
    transitions.append(release)
    if cause == UNDONE:
        released = replace(released, undone_by=(*held.undone_by, str(held.owner)))
        return resumed(released, playbook, now), transitions
    released = replace(released, previous_owner=held.owner)
    if cause == RELEASED:
        released = replace(released, released_by=_released(held, playbook, now))
    return reopening(released, playbook, now, places), transitions


def _released(held: Lead, playbook: Rules, now: datetime) -> dict[str, datetime]:
    """Return who released the lead within the cooldown, and when: the owner and the latest few."""
    since = now - timedelta(days=playbook.release.cooldown_days)
    others = {rep_id: at for rep_id, at in held.released_by.items() if at > since}
    others.pop(str(held.owner), None)
    latest = sorted(others, key=lambda rep_id: others[rep_id])[-(MOST_RELEASED - 1) :]
    # In whole seconds, as it is stored.
    return {
        **{rep_id: others[rep_id] for rep_id in latest},
        str(held.owner): now.replace(microsecond=0),
    }


def return_lead(
    held: Lead,
    playbook: Rules,
    now: datetime,
    cause: str,
    by: str,
    note: str = "",
    *,
    won: bool,
    places: Mapping[str, int] | None = None,
) -> tuple[Lead, list[Transition]]:
    """Return a held lead as it is opened or queued again, and the transitions to record.

    Raises:
        IllegalMove: the lead is won or lost already.
    """
    back, transitions = remove_owner(held, playbook, now, cause, by, note, won=won, places=places)
    if races(back, playbook):
        back, opened = moved(back, State.OPEN, now, cause, by)
        transitions.append(opened)
    return back, transitions


def undo_until(lead: Lead, rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> datetime:
    """Return until when the rep may undo their claim of the lead they hold (C5, C12).

    Raises:
        UndoOver: they may not, however soon: the lead was assigned, or worked already, or a limit
            is reached.
    """
    if lead.state is not State.CLAIMED or lead.worked_at is not None or lead.claimed_at is None:
        raise UndoOver
    if refused := _no_undo(lead, rep, usage, playbook, now):
        raise UndoOver(refused)
    return lead.claimed_at + timedelta(seconds=playbook.undo_seconds)


def _no_undo(lead: Lead, rep: Rep, usage: Usage, playbook: Rules, now: datetime) -> str:
    """Return why the rep cannot undo their claim, however soon; empty if they can (C12).

    A blind lead would be a free look at it (F4). Of the others, undos are limited by rep and day,
    and by lead. Test leads count nowhere.
    """
    if lead.blind:
        return _SEEN
    if len(lead.undone_by) >= MOST_UNDONE:
        return _TOO_OFTEN
    if not lead.test and usage.undos_on(rep.today(now)) >= playbook.undos_per_day:
        return _TOO_MANY.format(most=playbook.undos_per_day)
    return ""
