"""Unworked leads go back only once somebody ever reported an activity about a lead (C11)."""

from __future__ import annotations

from typing import Any

import pytest

from dibs.assignment.override import assign
from dibs.assignment.work import look_after
from dibs.core.lead import Lead
from dibs.core.rep import Rep
from dibs.ledger.activities import Activity
from dibs.ledger.record import record
from dibs.playbook.changes import apply, propose
from dibs.race.store import PLAYBOOK_SECONDS
from dibs.wiring import wiring
from handlers.app import AINA, BEN, DAYANG, App
from support.builders import a_playbook
from support.fakes import FakeBus

TEAMS = {"north": {"name": "North"}}


@pytest.fixture(autouse=True)
def people(app: App) -> None:
    app.hire(AINA, BEN, DAYANG)
    put(app)


def put(app: App, **work: Any) -> None:
    app.put_playbook(a_playbook(teams=TEAMS, work={"until_first_activity": "wait", **work}))


def won(app: App, number: int, rep: Rep = AINA) -> Lead:
    lead = app.lead(number)
    assert app.claim(lead, rep).status == 200
    return lead


def goes_back(app: App, lead: Lead) -> bool:
    holder = app.now(lead).owner
    app.clock.pass_(minutes=61)
    mine = wiring()
    look_after(mine.race, mine.holdings, FakeBus(), app.clock)
    return app.now(lead).owner != holder


def report(app: App, **about: Any) -> None:
    fields = {"activity_id": "a", "type": "email", "at": app.clock.at, **about}
    record(wiring().record_deps, Activity(**fields), None)
    wiring.cache_clear()  # as within 20 seconds


def test_before_the_first_activity_no_lead_goes_back(app: App) -> None:
    lead = won(app, 1)
    assert app.now(lead).return_at is None
    assert not goes_back(app, lead)


def test_nor_does_one_that_was_assigned(app: App) -> None:
    lead, mine = app.lead(), wiring()
    assign(mine.race, mine.holdings, lead.lead_id, BEN.rep_id, "m-1", "Because", app.clock)
    assert not goes_back(app, lead)


def test_from_the_first_activity_on_leads_go_back_that_are_claimed_then(app: App) -> None:
    old = won(app, 1)
    told = won(app, 2, BEN)
    report(app, lead_id=told.lead_id)
    new = won(app, 3, DAYANG)
    assert app.now(new).return_at is not None
    assert goes_back(app, new)
    assert not goes_back(app, old)


@pytest.mark.parametrize("test", [True, False])
def test_what_is_about_no_real_lead_begins_nothing(app: App, test: bool) -> None:
    if test:
        lead = app.lead(1, test=True)
        app.claim(lead)
        report(app, lead_id=lead.lead_id)
    else:
        report(app, rep_id=AINA.rep_id)
    assert app.now(won(app, 2)).return_at is None


def test_it_can_begin_at_once(app: App) -> None:
    put(app, until_first_activity="run")
    assert goes_back(app, won(app, 1))


def test_a_change_of_the_playbook_forgets_nothing(app: App) -> None:
    report(app, lead_id=won(app, 1).lead_id)
    put(app, hot_minutes=30)
    assert app.now(won(app, 2)).return_at is not None
    mine = wiring()
    known = mine.playbooks.in_force().playbook
    assert known.first_activity
    same = a_playbook(teams=TEAMS, work={"until_first_activity": "wait", "hot_minutes": 30})
    proposal = propose(mine.playbooks, mine.roster, same)
    assert proposal.changes == ()
    assert "work.until_first_activity" not in [one.field for one in proposal.warnings]
    assert apply(mine.playbooks, proposal, "operator", app.clock.at) == known.version


def test_it_is_said_when_a_playbook_is_put_in_force(app: App) -> None:
    mine = wiring()
    other = a_playbook(teams=TEAMS, work={"until_first_activity": "wait", "hot_minutes": 30})
    found = {one.field: one.problem for one in propose(mine.playbooks, mine.roster, other).warnings}
    assert "no claimed lead goes back" in found["work.until_first_activity"]


def test_a_process_knows_it_within_seconds_and_without_a_request_more(app: App) -> None:
    assert PLAYBOOK_SECONDS <= 20
    race, asked = wiring().race, list[str]()
    lead = app.lead()
    race.read(lead.lead_id, AINA.rep_id)
    client = wiring().dynamo.client
    original = client.batch_get_item

    def counted(**request: Any) -> Any:
        asked.append("batch_get_item")
        return original(**request)

    client.batch_get_item = counted
    try:
        race.read(lead.lead_id, AINA.rep_id)
    finally:
        client.batch_get_item = original
    assert asked == ["batch_get_item"]
