"""Events become entries of the ledger: from the queue, once, in any order."""

from __future__ import annotations

from typing import Any

from dibs.ledger.entries import Entry
from dibs.ledger.project import EVENTS
from dibs.ledger.store import DynamoLedger
from dibs.race.undo import undo
from dibs.wiring import wiring
from handlers.office import AINA, BEN, Office, event, sqs
from support.builders import proof_of
from support.tables import template

NOTHING: dict[str, Any] = {"batchItemFailures": []}


def lead_message(kind: str, epoch: int = 1) -> dict[str, Any]:
    return {"kind": f"lead.{kind}", "lead_id": "5x5tb6qkrubq", "epoch": epoch, "rep_id": "aaaac"}


def entries() -> dict[str, Entry]:
    found = wiring().ledger.of_team("north", ["2026-W48"])
    return {entry.entry_id: entry for entry in found}


def test_a_claim_is_written_down_once(office: Office) -> None:
    office.hire(AINA)
    lead = office.lead(territory="Sarawak")
    office.clock.pass_(seconds=2)
    office.claim(lead)
    assert office.run("project", event("sqs_project")) == NOTHING
    [entry] = entries().values()
    assert (entry.entry_id, entry.kind) == (f"taken/{lead.lead_id}/1", "claimed")
    assert (entry.rep_id, entry.team, entry.take_ms) == (AINA.rep_id, "north", 2000)
    assert (entry.source, entry.territory, entry.model) == ("google-ads", "Sarawak", "open-pool")
    before = office.everything()
    assert office.run("project", event("sqs_project")) == NOTHING
    assert office.everything() == before


def test_no_name_stands_in_the_ledger(office: Office) -> None:
    office.hire(AINA)
    office.claim(office.lead())
    office.run("project", event("sqs_project"))
    stored = "".join(office.everything()["ledger_table"])
    assert AINA.rep_id in stored
    assert AINA.name not in stored
    assert "Acme" not in stored


def test_a_lead_that_moved_on_is_written_down_whole(office: Office) -> None:
    office.hire(AINA, BEN)
    lead = office.lead()
    office.clock.pass_(seconds=1)
    office.claim(lead)
    office.clock.pass_(seconds=5)
    undo(wiring().race, lead.lead_id, AINA.rep_id, proof_of(AINA), office.clock)
    office.clock.pass_(seconds=1)
    assert office.claim(office.now(lead), BEN).status == 200
    late = sqs(
        "sqs_project", lead_message("returned"), lead_message("claimed", 2), lead_message("claimed")
    )
    assert office.run("project", late) == NOTHING
    assert {name: (e.rep_id, e.cause) for name, e in entries().items()} == {
        f"taken/{lead.lead_id}/1": (AINA.rep_id, "claimed"),
        f"returned/{lead.lead_id}/1": (AINA.rep_id, "undone"),
        f"taken/{lead.lead_id}/2": (BEN.rep_id, "claimed"),
    }


def test_other_events_write_nothing(office: Office) -> None:
    office.hire(AINA)
    office.claim(office.lead())
    before = office.everything()
    assert (
        office.run("project", sqs("sqs_project", lead_message("opened"), lead_message("expired")))
        == NOTHING
    )
    assert office.everything() == before


def test_the_topic_sends_what_is_written_down_and_nothing_else() -> None:
    subscription = template()["Resources"]["ProjectSubscription"]["Properties"]
    assert subscription["FilterPolicy"] == {"kind": list(EVENTS)}


def test_a_event_that_failed_comes_again_and_it_alone(office: Office, monkeypatch: Any) -> None:
    office.hire(AINA)
    office.claim(office.lead())
    story = DynamoLedger.story

    def broken(ledger: DynamoLedger, lead_id: str) -> Any:
        if lead_id == "broken":
            raise ConnectionError("no answer")
        return story(ledger, lead_id)

    monkeypatch.setattr(DynamoLedger, "story", broken)
    asked = sqs(
        "sqs_project", {**lead_message("claimed"), "lead_id": "broken"}, lead_message("claimed")
    )
    assert office.run("project", asked) == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
    assert len(entries()) == 1
