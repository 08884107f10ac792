"""Managers pause a team or a rep, and end that (R8). A pause binds the next claim."""

from __future__ import annotations

from datetime import datetime, timedelta

from dibs.assignment.work import reason_of
from dibs.core.errors import FieldError, InvalidInput, RouteNotFound
from dibs.core.rep import Pause
from dibs.roster.ports import Roster

# The reason of a rep's pause is in their item, which every claim reads.
LONGEST_REASON = 80
LONGEST = timedelta(days=400)


def pause_of(reason: object, until: datetime | None, now: datetime) -> Pause:
    """Return a pause from now on.

    Raises:
        InvalidInput: the reason is missing or too long, or the end is past or too far away.
    """
    errors = list[FieldError]()
    why = ""
    try:
        why = reason_of(reason)
    except InvalidInput as wrong:
        errors += wrong.errors
    if len(why) > LONGEST_REASON:
        problem = f"say why, in one line of up to {LONGEST_REASON} letters"
        errors.append(FieldError("reason", problem))
    if until is not None and not now < until <= now + LONGEST:
        errors.append(
            FieldError("until", f"name a time to come, {LONGEST.days} days away at the most")
        )
    if errors:
        raise InvalidInput(tuple(errors))
    return Pause(why, until)


def pause_team(roster: Roster, team: str, pause: Pause | None) -> Pause | None:
    """Pause a team: nobody in it is told of leads or can claim; None ends its pause.

    Returns the pause before.

    Raises:
        RouteNotFound: the playbook has no such team.
    """
    playbook = roster.playbook(fresh=True)
    # A team that has left the playbook may still be paused.
    if team not in playbook.teams and (pause is not None or team not in playbook.paused):
        raise RouteNotFound("There is no such team.")
    roster.pause_team(team, pause)
    return playbook.paused.get(team)


def pause_rep(roster: Roster, rep_id: str, pause: Pause | None, now: datetime) -> Pause | None:
    """Pause a rep until a manager ends it, or it is over; None ends it. The rep cannot.

    Returns the pause before.

    Raises:
        RouteNotFound: there is no such rep.
    """
    known = roster.counted(rep_id)
    if known is None:
        raise RouteNotFound("There is no such rep.")
    roster.pause_by_manager(rep_id, pause)
    return known[0].manager_pause(now)
