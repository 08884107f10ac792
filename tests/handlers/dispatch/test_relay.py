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
from handlers.office import AINA, Event, Office, event
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


def stored(office: Office, sk: str) -> dict[str, Any]:
    """An item of the leads table as its stream shows it."""
    [found] = [
        item
        for item in items(office.client, office.settings.leads_table)
        if item["sk"]["S"].startswith(sk)
    ]
    return {name: value for name, value in found.items() if not isinstance(value.get("B"), Binary)}


def in_outbox(office: Office) -> int:
    return len(list(office.world.leads.waiting_in_outbox(office.clock.at + timedelta(days=1))))


def told(office: Office) -> list[dict[str, Any]]:
    return [message.body for message in office.waiting("offer")]


def test_an_opened_lead_is_told_and_leaves_the_outbox(office: Office) -> None:
    office.lead()
    assert in_outbox(office) == 1
    assert office.run("relay", event("stream_lead_opened")) == {"batchItemFailures": []}
    assert told(office) == [OPENED]
    assert in_outbox(office) == 0


def test_the_same_record_again_is_told_again_and_breaks_nothing(office: Office) -> None:
    office.lead()
    office.run("relay", event("stream_lead_opened"))
    before = office.everything()
    assert office.run("relay", event("stream_lead_opened")) == {"batchItemFailures": []}
    assert told(office) == [OPENED, OPENED]
    assert office.everything() == before


def test_a_won_race_is_told_with_its_winner(office: Office) -> None:
    office.hire(AINA)
    lead = office.lead()
    office.run("relay", event("stream_lead_opened"))
    told(office)
    assert office.claim(lead).status == 200
    office.run("relay", of(stored(office, "CLAIM"), "INSERT"))
    assert told(office) == [
        {"kind": "lead.claimed", "lead_id": lead.lead_id, "epoch": 1, "rep_id": AINA.rep_id}
    ]
    assert in_outbox(office) == 0


def test_a_lead_claimed_before_its_opening_was_told_is_not_told_as_open(office: Office) -> None:
    office.hire(AINA)
    office.claim(office.lead())
    office.run("relay", of(stored(office, "LOCK")))
    assert told(office) == []
    assert in_outbox(office) == 1  # the claim's own record


def test_a_record_that_has_nothing_to_tell_is_let_pass(office: Office) -> None:
    office.lead()
    quiet = {k: v for k, v in stored(office, "LOCK").items() if not k.startswith("outbox")}
    for image, name in [(quiet, "MODIFY"), (stored(office, "MOVE"), "INSERT"), (None, "REMOVE")]:
        assert office.run("relay", of(image, name)) == {"batchItemFailures": []}
    assert told(office) == []
    assert in_outbox(office) == 1


def test_an_old_record_does_not_clear_a_newer_opening_of_its_lead(office: Office) -> None:
    office.hire(AINA)
    lead = office.lead()
    office.claim(lead)
    office.clock.pass_(seconds=5)
    undo(wiring().race, lead.lead_id, AINA.rep_id, proof_of(AINA), office.clock)
    office.run("relay", event("stream_lead_opened"))
    waiting = office.world.leads.waiting_in_outbox(office.clock.at + timedelta(days=1))
    assert [item.event.epoch for item in waiting if item.event and item.key["sk"] == "LOCK"] == [2]


def test_what_could_not_be_told_stays_in_the_outbox(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.lead()

    def down(bus: SnsBus, events: Sequence[LeadEvent]) -> None:
        raise ConnectionError("the bus is down")

    monkeypatch.setattr(SnsBus, "publish", down)
    with pytest.raises(ConnectionError):
        office.run("relay", event("stream_lead_opened"))
    assert in_outbox(office) == 1
