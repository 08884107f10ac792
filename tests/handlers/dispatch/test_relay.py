"""The relay: what was written to the leads table becomes known, at least once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from boto3.dynamodb.types import Binary

from dibs.core.events import LeadEvent
from dibs.offers.queues import SnsBus
from dibs.race.undo import undo
from dibs.wiring import wiring
from handlers.app import AINA, App, Event, event
from support.aws import items
from support.builders import proof_of

OPENED = {"kind": "lead.opened", "lead_id": "5x5tb6qkrubq", "epoch": 1, "rep_id": None}


def of(image: dict[str, Any] | None, name: str = "MODIFY") -> Event:
    """The event with another image in its record, or none as when an item was deleted."""
    streamed = event("stream_lead_opened")
    record = streamed["Records"][0]
    record["eventName"] = name
    del record["dynamodb"]["NewImage"]
    if image is not None:
        record["dynamodb"]["NewImage"] = image
    return streamed


def stored(app: App, sk: str) -> dict[str, Any]:
    """An item of the leads table as its stream shows it."""
    [found] = [
        item
        for item in items(app.client, app.settings.leads_table)
        if item["sk"]["S"].startswith(sk)
    ]
    return {name: value for name, value in found.items() if not isinstance(value.get("B"), Binary)}


def in_outbox(app: App) -> int:
    return len(list(app.world.leads.waiting_in_outbox(app.clock.at + timedelta(days=1))))


def told(app: App) -> list[dict[str, Any]]:
    return [message.body for message in app.waiting("offer")]


def test_an_opened_lead_is_told_and_leaves_the_outbox(app: App) -> None:
    app.lead()
    assert in_outbox(app) == 1
    assert app.run("relay", event("stream_lead_opened")) == {"batchItemFailures": []}
    assert told(app) == [OPENED]
    assert in_outbox(app) == 0


def test_the_same_record_again_is_told_again_and_breaks_nothing(app: App) -> None:
    app.lead()
    app.run("relay", event("stream_lead_opened"))
    before = app.everything()
    assert app.run("relay", event("stream_lead_opened")) == {"batchItemFailures": []}
    assert told(app) == [OPENED, OPENED]
    assert app.everything() == before


def test_a_won_race_is_told_with_its_winner(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    app.run("relay", event("stream_lead_opened"))
    told(app)
    assert app.claim(lead).status == 200
    app.run("relay", of(stored(app, "CLAIM"), "INSERT"))
    assert told(app) == [
        {"kind": "lead.claimed", "lead_id": lead.lead_id, "epoch": 1, "rep_id": AINA.rep_id}
    ]
    assert in_outbox(app) == 0


def test_a_lead_claimed_before_its_opening_was_told_is_not_told_as_open(app: App) -> None:
    app.hire(AINA)
    app.claim(app.lead())
    app.run("relay", of(stored(app, "LOCK")))
    assert told(app) == []
    assert in_outbox(app) == 1  # the claim's own record


def test_a_record_that_has_nothing_to_tell_is_let_pass(app: App) -> None:
    app.lead()
    quiet = {k: v for k, v in stored(app, "LOCK").items() if not k.startswith("outbox")}
    for image, name in [(quiet, "MODIFY"), (stored(app, "MOVE"), "INSERT"), (None, "REMOVE")]:
        assert app.run("relay", of(image, name)) == {"batchItemFailures": []}
    assert told(app) == []
    assert in_outbox(app) == 1


def test_an_old_record_does_not_clear_a_newer_opening_of_its_lead(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    app.claim(lead)
    app.clock.pass_(seconds=5)
    undo(wiring().race, lead.lead_id, AINA.rep_id, proof_of(AINA), app.clock)
    app.run("relay", event("stream_lead_opened"))
    waiting = app.world.leads.waiting_in_outbox(app.clock.at + timedelta(days=1))
    assert [item.event.epoch for item in waiting if item.event and item.key["sk"] == "LOCK"] == [2]


def test_what_could_not_be_told_stays_in_the_outbox(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.lead()

    def down(bus: SnsBus, events: Sequence[LeadEvent]) -> None:
        raise ConnectionError("the bus is down")

    monkeypatch.setattr(SnsBus, "publish", down)
    with pytest.raises(ConnectionError):
        app.run("relay", event("stream_lead_opened"))
    assert in_outbox(app) == 1
