"""What a rep is told of a lead they hold, or held, in their language (C5, C11, U2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from dibs.assignment.override import REASSIGNED, TRANSFERRED, WITHDRAWN
from dibs.assignment.work import LEFT, NOT_WORKED
from dibs.core.lead import RELEASED, UNDONE, Lead, State, Transition
from dibs.core.rep import Rep
from dibs.rules.rules import Rules
from dibs.web.translations import N_, local_time, translator

_DONE: Mapping[str, str] = {
    "call": N_("Called"),
    "contacted": N_("Reached"),
    "appointment_set": N_("Meeting"),
    "qualified": N_("Qualified"),
    "disqualified": N_("Not a fit"),
    "opportunity": N_("Opportunity"),
    "won": N_("Won"),
    "lost": N_("Lost"),
}

_WENT: Mapping[str, str] = {
    UNDONE: N_("You undid your claim at {time}."),
    TRANSFERRED: N_("You handed it to a colleague at {time}."),
    LEFT: N_("It went back at {time}, when your account was closed."),
}
_ELSEWHERE = N_("It went to somebody else at {time}.")
_WITH_REASON: Mapping[str, str] = {
    RELEASED: N_("You gave it back at {time}: {reason}"),
    REASSIGNED: N_("Your manager moved it at {time}: {reason}"),
    WITHDRAWN: N_("Your manager took it back at {time}: {reason}"),
}


def went_sentence(went: Transition, lead: Lead, rep: Rep, playbook: Rules, now: datetime) -> str:
    """Return how a lead left the rep: when, why, and the reason a person gave."""
    _, time = translator(rep.language), local_time(went.at, rep, now)
    if went.cause == NOT_WORKED:
        minutes = playbook.work.minutes_for(lead.quality)
        if minutes:
            return _(
                "It went back at {time}: no contact within {minutes} min.",
                time=time,
                minutes=minutes,
            )
        return _("It went back at {time}: no contact in time.", time=time)
    if went.cause in _WITH_REASON and went.note:
        return _(_WITH_REASON[went.cause], time=time, reason=went.note)
    return _(_WENT.get(went.cause, _ELSEWHERE), time=time)


def done_label(kind: str, language: str) -> str:
    """Return what an activity of this type is called in a history."""
    return translator(language)(_DONE[kind]) if kind in _DONE else kind.replace("_", " ")


def closed_sentence(state: State, language: str) -> str:
    """Return how a lead has ended, empty while it has not (C8)."""
    _ = translator(language)
    if state is State.WON:
        return _("This lead is closed: won.")
    return _("This lead is closed: lost.") if state is State.LOST else ""


def deadline(lead: Lead, rep: Rep, now: datetime) -> str:
    """Return until when the rep must make first contact, empty where nothing waits for it (C11)."""
    if lead.return_at is None or lead.worked_at is not None:
        return ""
    _ = translator(rep.language)
    return _("Make first contact by {time}.", time=local_time(lead.return_at, rep, now))
