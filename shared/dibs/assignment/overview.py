"""Which leads there are: those that are open, wait, are on hold or held, page by page (J, U4, U5).

Leads that were won or lost are in the reports.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from dibs.assignment.ports import LeadPages, Position
from dibs.core.errors import FieldError, InvalidInput, RouteNotFound
from dibs.core.lead import CLAIMED, HELD, Claim, Lead, State, Transition
from dibs.core.quality import Quality
from dibs.roster.ports import Roster

HELD_LEADS = "held"
PLACES = ("open", "waiting", "on_hold", HELD_LEADS)
"""Where a lead can be that is not done with, in the order they are listed."""
_ELSEWHERE = (State.OPEN, State.WON, State.LOST)
STATES = (*PLACES, *(state.value for state in State if state not in _ELSEWHERE))
"""What a list may be asked for: a place, or one of a lead's states there."""
MOST_LISTED = 100
LISTED = 50
# A page costs no more than this, however many leads of others are in between.
_MOST_REQUESTS = 32
_GO_ON = FieldError("after", "send what `next` said, with the same state, team and holder")


@dataclass(frozen=True)
class Asked:
    """Which leads: empty for all; `after` is what the page before gave as its next."""

    state: str = ""
    team: str = ""
    holder: str = ""
    after: str = ""
    most: int = LISTED


@dataclass(frozen=True)
class Page:
    """Some leads, the oldest of each place first; `after` is empty on the last page."""

    leads: list[Lead]
    after: str


@dataclass(frozen=True)
class _Cursor:
    """How far a list has come: the place, the rep whose leads are listed, and after which lead."""

    place: str
    rep_id: str = ""
    position: Position | None = None


def page_of(pages: LeadPages, roster: Roster, asked: Asked) -> Page:
    """Return a page of leads; it may hold fewer than asked for, even none, and still go on.

    Raises:
        InvalidInput: names what is not known, or no place to go on.
        RouteNotFound: there is no such holder.
    """
    places, state = _places(asked, roster)
    reps = _holders(asked, roster) if HELD_LEADS in places else []
    cursor: _Cursor | None = _read(asked.after, places) if asked.after else _Cursor(places[0])
    found, left = list[Lead](), _MOST_REQUESTS
    while cursor is not None and len(found) < asked.most and left > 0:
        leads, cost, cursor = _step(pages, cursor, places, reps, asked.most - len(found))
        left -= cost
        found += [
            lead
            for lead in leads
            if (state is None or lead.state is state)
            and (not asked.team or lead.owner is not None or asked.team in lead.teams)
        ]
    return Page(found, _written(cursor) if cursor is not None else "")


def _step(
    pages: LeadPages, cursor: _Cursor, places: Sequence[str], reps: Sequence[str], most: int
) -> tuple[list[Lead], int, _Cursor | None]:
    """Return the next leads, how many requests they cost, and where to go on."""
    if cursor.place != HELD_LEADS:
        leads, cost, position = pages.waiting(cursor.place, cursor.position, most)
        if position is not None:
            return leads, cost, replace(cursor, position=position)
    else:
        ahead = [rep_id for rep_id in reps if rep_id >= cursor.rep_id]
        if not ahead:
            return [], 0, None
        # Whoever has left the team since the page before is skipped, with their position.
        position = cursor.position if ahead[0] == cursor.rep_id else None
        leads, cost, position = pages.held(ahead[0], position, most)
        if position is not None:
            return leads, cost, _Cursor(HELD_LEADS, ahead[0], position)
        if ahead[1:]:
            return leads, cost, _Cursor(HELD_LEADS, ahead[1])
    following = places[places.index(cursor.place) + 1 :]
    return leads, cost, _Cursor(following[0]) if following else None


def _places(asked: Asked, roster: Roster) -> tuple[Sequence[str], State | None]:
    errors = []
    if asked.state and asked.state not in STATES:
        errors.append(FieldError("state", f"send one of {', '.join(STATES)}"))
    if asked.team and asked.team not in roster.playbook().teams:
        errors.append(FieldError("team", "name one of the playbook's teams, or none for all"))
    if errors:
        raise InvalidInput(tuple(errors))
    state = State(asked.state) if asked.state and asked.state not in PLACES else None
    places: Sequence[str] = PLACES
    if asked.state in PLACES:
        places = (asked.state,)
    elif state is not None:
        places = (HELD_LEADS,) if state in HELD else ("waiting", "on_hold")
    if asked.holder:
        if HELD_LEADS not in places:
            raise InvalidInput((FieldError("holder", f"a lead that is {asked.state} has none"),))
        places = (HELD_LEADS,)
    return places, state


def _holders(asked: Asked, roster: Roster) -> list[str]:
    """Return whose leads are listed, in the order of their ids."""
    if asked.holder:
        if roster.get(asked.holder) is None:
            raise RouteNotFound("There is no such rep.")
        return [asked.holder]
    teams = [asked.team] if asked.team else list(roster.playbook().teams)
    return sorted({rep.rep_id for team in teams for rep, _ in roster.team(team)})


def _written(cursor: _Cursor) -> str:
    said = json.dumps([cursor.place, cursor.rep_id, cursor.position], separators=(",", ":"))
    return urlsafe_b64encode(said.encode()).decode().rstrip("=")


def _read(text: str, places: Sequence[str]) -> _Cursor:
    try:
        said = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        place, rep_id, position = said
        known = isinstance(rep_id, str) and place in places
        if position is not None:
            position = {name: (at, lead) for name, (at, lead) in position.items()}
            known = known and all(_is_place(*one) for one in position.values())
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidInput((_GO_ON,)) from error
    if not known:
        raise InvalidInput((_GO_ON,))
    return _Cursor(place, rep_id, position)


def _is_place(at: object, lead_id: object) -> bool:
    """Tell whether this can be a key: whoever sends a cursor may have written it."""
    when = isinstance(at, int) and not isinstance(at, bool) and 0 <= at < 10**15
    return when and isinstance(lead_id, str) and lead_id.isalnum() and len(lead_id) <= 64


@dataclass(frozen=True)
class PoolView:
    """What is open for claiming; `blind` leads are in no quality where they are hidden (F4)."""

    size: int
    mean_age_seconds: int
    oldest_at: datetime | None
    by_quality: dict[str, int]
    blind: int


def pool_view(open_leads: Sequence[Lead], team: str, now: datetime, *, hidden: bool) -> PoolView:
    """Return what the pool of a team holds, of all teams where none is named.

    The quality of blind leads is `hidden` from who may claim them.
    """
    leads = [
        lead
        for lead in open_leads
        if lead.state is State.OPEN and now < lead.closes_at and (not team or team in lead.teams)
    ]
    counted = [lead.quality for lead in leads if not (hidden and lead.blind)]
    ages = [max(0.0, (now - lead.opens_at).total_seconds()) for lead in leads]
    return PoolView(
        size=len(leads),
        mean_age_seconds=round(sum(ages) / len(ages)) if ages else 0,
        oldest_at=min((lead.opens_at for lead in leads), default=None),
        by_quality={quality.value: counted.count(quality) for quality in Quality},
        blind=sum(lead.blind for lead in leads),
    )


def steps_of(history: Sequence[Transition], claim: Claim | None) -> list[Transition]:
    """Return what happened to a lead, in order, a claim that was won in its place (C8).

    A claim leaves no transition behind, since its record is the event.
    """
    steps = list(history)
    if claim is not None and claim.competitive:
        took = Transition(
            claim.lead_id,
            claim.epoch,
            claim.claimed_at,
            State.OPEN,
            State.CLAIMED,
            CLAIMED,
            claim.rep_id,
        )
        steps.append(took)
    return sorted(steps, key=lambda step: step.at)
