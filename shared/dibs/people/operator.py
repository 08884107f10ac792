"""An operator adds reps."""

from __future__ import annotations

import secrets
from datetime import datetime
from zoneinfo import ZoneInfo

from dibs.core.errors import RouteNotFound
from dibs.core.lead import REP_ID_BYTES, id_text
from dibs.core.rep import Rep
from dibs.people.access import new_token
from dibs.people.phones import phone_of_rep
from dibs.people.profiles import read_profile
from dibs.roster.audit import entry_of
from dibs.roster.ports import Roster
from dibs.rules.rules import Rules


def add_rep(
    roster: Roster,
    *,
    name: str,
    team: str,
    zone: str,
    phone: str = "",
    tier: int = 2,
    language: str = "en",
    joined: str = "",
    by: str,
    now: datetime,
) -> tuple[Rep, str]:
    """Add a rep and return them with their first token.

    Their first day is today in the team's time zone, unless `joined` names another.

    Raises:
        InvalidInput: names every field that is wrong.
        AlreadyExists: the phone number belongs to another rep.
    """
    rep = new_rep(roster.playbook(), now, name, team, zone, phone, tier, language, joined)
    return rep, hire(roster, rep, by, now)


def hire(roster: Roster, rep: Rep, by: str, now: datetime) -> str:
    """Store a new rep and return their first token.

    Raises:
        AlreadyExists: the phone number belongs to another rep.
    """
    token, shown, stored = new_token(rep.rep_id, by, now)
    fields = {"name": rep.name, "team": rep.team, "tier": rep.tier, "phone": rep.phone}
    roster.add(rep, shown, stored, entry_of(by, "rep.add", rep.rep_id, now, {}, fields))
    return token


def new_rep(
    playbook: Rules,
    now: datetime,
    name: str,
    team: str,
    zone: str,
    phone: str,
    tier: int,
    language: str,
    joined: str = "",
) -> Rep:
    """Return a new rep with an id of their own.

    Raises:
        InvalidInput: names every field that is wrong.
    """
    given = {
        "name": name,
        "team": team,
        "zone": zone,
        "phone": phone,
        "tier": tier,
        "language": language,
        **({"joined_on": joined} if joined else {}),
    }
    found = read_profile(given, playbook)
    first_day = now.astimezone(ZoneInfo(playbook.teams[team].zone)).date()
    rep_id = id_text(secrets.token_bytes(REP_ID_BYTES))
    return Rep(rep_id, **{"joined_on": first_day, **found})


def all_reps(roster: Roster, team: str = "") -> list[Rep]:
    """Return the reps of all teams of the playbook, or of one `team`, by team and name."""
    teams = [team] if team else list(roster.playbook().teams)
    reps = [rep for team in teams for rep, _ in roster.team(team)]
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


def active_rep(roster: Roster, given: str) -> Rep:
    """Return the active rep that an id or a phone number names.

    Raises:
        ValueError: it names none.
    """
    rep = roster.get(given.lower())
    if rep is None:
        try:
            known = roster.by_phone(phone_of_rep(given, roster.playbook().phone_region))
        except ValueError:
            known = None
        rep = known and known[0]
    if rep is None or not rep.active:
        raise ValueError(
            f"{given[:40]!r} is not an active rep's id or phone number; see `dibs reps list`"
        )
    return rep
