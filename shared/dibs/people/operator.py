"""An operator adds reps."""

from __future__ import annotations

import secrets
from datetime import datetime
from zoneinfo import available_timezones

from dibs.core.errors import FieldError, InvalidInput, RouteNotFound
from dibs.core.lead import REP_ID_BYTES, id_text
from dibs.core.rep import Rep
from dibs.intake.body import usable_phone
from dibs.people.access import new_token
from dibs.roster.audit import entry_of
from dibs.roster.ports import Roster
from dibs.rules.rules import Rules
from dibs.web.translations import languages


def add_rep(
    roster: Roster,
    *,
    name: str,
    team: str,
    zone: str,
    phone: str = "",
    tier: int = 2,
    language: str = "en",
    by: str,
    now: datetime,
) -> tuple[Rep, str]:
    """Add a rep and return them with their first token.

    Raises:
        InvalidInput: names every field that is wrong.
        AlreadyExists: the phone number belongs to another rep.
    """
    rep = new_rep(roster.playbook(), name, team, zone, phone, tier, language)
    token, shown, stored = new_token(rep.rep_id, by, now)
    fields = {"name": rep.name, "team": rep.team, "tier": rep.tier, "phone": rep.phone}
    roster.add(rep, shown, stored, entry_of(by, "rep.add", rep.rep_id, now, {}, fields))
    return rep, token


def new_rep(
    playbook: Rules, name: str, team: str, zone: str, phone: str, tier: int, language: str
) -> Rep:
    """Return a new rep with an id of their own.

    Raises:
        InvalidInput: names every field that is wrong.
    """
    number, flags = usable_phone(phone, playbook.phone_region)
    name = name.strip()
    # A claim reads and updates the rep's item, so it stays below 1 KB in any script.
    fits = name.isprintable() and 0 < len(name) <= 80 and len(name.encode()) <= 100
    wrong = {
        "name": "" if fits else "give a name of up to 80 letters (100 bytes)",
        "team": "" if team in playbook.teams else f"use one of {', '.join(playbook.teams)}",
        "zone": "" if zone in available_timezones() else "use an IANA name such as Asia/Kuching",
        "phone": f"{phone!r} is no phone number; write it as +60128880000" if flags else "",
        "tier": "" if tier in (1, 2, 3) else "use 1, 2 or 3",
        "language": "" if language in languages() else f"use one of {', '.join(languages())}",
    }
    errors = tuple(FieldError(field, problem) for field, problem in wrong.items() if problem)
    if errors:
        raise InvalidInput(errors)
    rep_id = id_text(secrets.token_bytes(REP_ID_BYTES))
    return Rep(rep_id, name, team, zone, tier, language, number or None)


def all_reps(roster: Roster) -> list[Rep]:
    """Return the reps of all teams of the playbook, by team and name."""
    reps = [rep for team in roster.playbook().teams for rep, _ in roster.team(team)]
    return sorted(reps, key=lambda rep: (rep.team, rep.name))


def rep_of(roster: Roster, rep_id: str) -> Rep:
    """Return one rep.

    Raises:
        RouteNotFound: there is no such rep.
    """
    rep = roster.get(rep_id)
    if rep is None:
        raise RouteNotFound("There is no such rep.")
    return rep
