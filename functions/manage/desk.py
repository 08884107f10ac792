"""The manager's desk: what needs a person first, the leads, and the people (U5, R7, R8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from dibs.assignment.overview import HELD_LEADS, MOST_LISTED, PLACES, Asked, page_of
from dibs.assignment.work import LONGEST_REASON
from dibs.aws import clock
from dibs.callers import part_shown
from dibs.core.credentials import Manager
from dibs.core.errors import DibsError, Refusal
from dibs.core.lead import CLAIMED, HELD, Lead, State
from dibs.core.rep import Rep
from dibs.core.values import dataclass
from dibs.people.operator import all_reps
from dibs.race.decide import off
from dibs.roster.callers import manages
from dibs.rules.playbook import Playbook
from dibs.screens.frame import APPROVALS, DESK
from dibs.screens.manager import manager_page, not_shown
from dibs.web.http import Event, Response, query, see_other, wants_html
from dibs.web.translations import (
    ENGLISH,
    N_,
    Translator,
    heat,
    in_words,
    named,
    refusal_sentence,
    translator,
)
from dibs.wiring import Wiring, wiring
from manage import approvals
from manage.overview import LEADS
from manage.page import desk_site, team_links

_LONGEST_ID = 64
DESK_QUERY: dict[str, dict[str, Any]] = {
    "team": LEADS["team"],
    "lead": {"description": "The lead that is to be assigned or taken back.", "type": "string"},
}
_PAGES = 4
"""How many pages of held leads are read at most: those of reps who hold nothing are empty."""
_PAUSES = ((15, N_("15 min")), (60, N_("1 hour")), (24 * 60, N_("A day")))
_STATES = {
    State.NEW: N_("Waits to be assigned"),
    State.OPEN: N_("Open"),
    State.CLAIMED: N_("Claimed"),
    State.ASSIGNED: N_("Assigned"),
    State.CONTACTED: N_("Contacted"),
    State.QUALIFIED: N_("Qualified"),
    State.OPPORTUNITY: N_("Opportunity"),
}


@dataclass(frozen=True)
class LeadCard:
    """A lead on the desk; `urgent` where it needs a person."""

    lead_id: str
    company: str
    tone: str
    state: str
    age: str
    about: str
    holder: str
    holder_id: str
    due: str
    urgent: bool


@dataclass(frozen=True)
class RepCard:
    """A rep on the desk: whether they are on, or why not."""

    rep_id: str
    name: str
    about: str
    on: bool
    why: str
    paused: bool


def show(event: Event, manager: Manager) -> Response:
    """`GET /desk`: what needs a manager, the leads that are not done with, and who is on."""
    mine, now, _ = wiring(), clock.now(), translator(ENGLISH)
    playbook, team = mine.roster.playbook(), part_shown(event, manager)
    found, more = _listed(mine, team)
    people = [rep for rep in all_reps(mine.roster, team) if rep.active]
    named_by, opened = {rep.rep_id: rep for rep in people}, _opened(event, manager, named=people)
    urgent = _urgent_first(found, now)
    shown = [lead for lead in urgent if opened is None or lead.lead_id != opened.lead_id]
    cards = [_rep(rep, playbook, now, _) for rep in people]
    return manager_page(
        desk_site(),
        200,
        "desk.html",
        DESK,
        manager=manager.name,
        as_of=_clock(playbook, team, now),
        needs=_needs([lead for lead in urgent if _needs_somebody(lead, now)], _),
        waiting=approvals.waiting(mine, team, now).count,
        approvals=f"{APPROVALS}?team={quote(team)}" if team and not manager.team else APPROVALS,
        teams=team_links(manager, playbook, team, DESK, _),
        leads=[
            _lead(lead, named_by, now, _)
            for lead in ([opened] if opened else []) + shown[:MOST_LISTED]
        ],
        more=more or len(urgent) > MOST_LISTED,
        reps=sorted(cards, key=lambda card: (not card.on, card.about, card.name)),
        pauses=[(_(words), minutes) for minutes, words in _PAUSES],
        longest=LONGEST_REASON,
        here=f"{DESK}?team={quote(team)}" if team and not manager.team else DESK,
        # One at a time: each form lists everybody.
        opened="" if opened is None else opened.lead_id,
    )


def _opened(event: Event, manager: Manager, named: Sequence[Rep]) -> Lead | None:
    """Return the lead that is to be moved, on whichever page of the list it would be."""
    asked = query(event, "lead")
    if not 0 < len(asked) <= _LONGEST_ID:
        return None
    lead = wiring().race.read(asked, "-").lead
    if lead is None or lead.state in (State.WON, State.LOST):
        return None
    holder = {rep.rep_id: rep.team for rep in named}.get(lead.owner or "")
    # Of another team's lead a manager hears nothing; who holds it may be of another team by now.
    teams = lead.teams if lead.owner is None else (holder or "",)
    return lead if manages(manager, *teams) else None


def _listed(mine: Wiring, team: str) -> tuple[list[Lead], bool]:
    """Return the leads of each place, and whether there are more.

    Place by place: many that are open must not hide one that waits for somebody.
    """
    leads, more = list[Lead](), False
    for place in PLACES:
        asked, count = Asked(state=place, team=team, most=MOST_LISTED), 0
        for _ in range(_PAGES if place == HELD_LEADS else 1):
            page = page_of(mine.lead_pages, mine.roster, asked)
            leads += page.leads
            count += len(page.leads)
            asked = replace(asked, after=page.after)
            if not page.after or count >= MOST_LISTED:
                break
        more = more or bool(asked.after)
    return leads, more


def _clock(playbook: Playbook, team: str, now: datetime) -> str:
    """Return the time on the clock of whose part is shown; UTC where teams have several."""
    shown = [one for name, one in playbook.teams.items() if not team or name == team]
    zones = {one.zone for one in shown}
    zone = zones.pop() if len(zones) == 1 else "UTC"
    return f"{now.astimezone(ZoneInfo(zone)):%H:%M} {zone}"


def _urgent_first(leads: Sequence[Lead], now: datetime) -> list[Lead]:
    return sorted(leads, key=lambda lead: not _needs_somebody(lead, now))


def _needs_somebody(lead: Lead, now: datetime) -> bool:
    """Tell whether a lead is for nobody now, or about to go back unworked."""
    if lead.on_hold or lead.state is State.NEW:
        return True
    return _unworked_past_half(lead, now)


def _unworked_past_half(lead: Lead, now: datetime) -> bool:
    if lead.worked_at is not None or lead.return_at is None or lead.claimed_at is None:
        return False
    return now - lead.claimed_at > (lead.return_at - lead.claimed_at) / 2


def _needs(urgent: Sequence[Lead], _: Translator) -> list[str]:
    held = sum(lead.state in HELD for lead in urgent)
    kept = sum(lead.on_hold for lead in urgent)
    waiting = len(urgent) - held - kept
    said = []
    if waiting:
        said.append(_.ngettext("{n} lead waits for a rep.", "{n} leads wait for a rep.", waiting))
    if kept:
        said.append(_.ngettext("{n} lead is on hold.", "{n} leads are on hold.", kept))
    if held:
        said.append(
            _.ngettext(
                "{n} lead is unworked past half its time.",
                "{n} leads are unworked past half their time.",
                held,
            )
        )
    return said


def _lead(lead: Lead, reps: dict[str, Rep], now: datetime, _: Translator) -> LeadCard:
    holder = reps.get(lead.owner) if lead.owner else None
    due = ""
    if lead.state in CLAIMED and lead.worked_at is None and lead.return_at is not None:
        due = _("goes back in {time}", time=in_words(lead.return_at - now, ENGLISH))
    about = (
        heat(lead.quality, lead.preview.score, _),
        _("a test") if lead.test else "",
        lead.preview.source,
    )
    return LeadCard(
        lead.lead_id,
        named(lead.preview.company, ENGLISH),
        "blind" if lead.blind else lead.quality.value,
        _("On hold") if lead.on_hold else _(_STATES.get(lead.state, lead.state.value)),
        in_words(now - lead.received_at, ENGLISH),
        ", ".join(part for part in about if part),
        holder.name if holder else lead.owner or "",
        lead.owner or "",
        due,
        _needs_somebody(lead, now),
    )


def _rep(rep: Rep, playbook: Playbook, now: datetime, _: Translator) -> RepCard:
    why = off(rep, playbook, now)
    team = playbook.teams.get(rep.team)
    about = (team.name if team else rep.team, _("tier {n}", n=rep.tier), rep.zone)
    return RepCard(
        rep.rep_id,
        rep.name,
        ", ".join(about),
        not why,
        _why_off(rep, why, now, _),
        rep.manager_pause(now) is not None,
    )


def _why_off(rep: Rep, why: Sequence[Refusal], now: datetime, _: Translator) -> str:
    pause = rep.manager_pause(now)
    if pause is not None:
        return _("Paused: {reason}", reason=pause.reason)
    return " ".join(refusal_sentence(one, ENGLISH) for one in why)


def next_page(event: Event, response: Response) -> Response:
    """Return what follows a change: for a form of the desk, the desk."""
    if not wants_html(event):
        return response
    return see_other(DESK)


def error_page(event: Event, error: DibsError) -> Response | None:
    """Return the page that tells a browser of an error; where to sign in, if that is it."""
    return not_shown(desk_site(), event, error, DESK, translator(ENGLISH)("Desk"))
