"""Events become entries of the ledger: from the queue, once, in any order."""

from __future__ import annotations

from typing import Any

from dibs.core.events import RECORDED
from dibs.ledger.entries import Entry
from dibs.ledger.store import DynamoLedger
from dibs.race.undo import undo
from dibs.wiring import wiring
from handlers.app import AINA, BEN, App, event, sqs
from support.builders import proof_of
from support.tables import template

NOTHING: dict[str, Any] = {"batchItemFailures": []}


def lead_message(kind: str, epoch: int = 1) -> dict[str, Any]:
    return {"kind": f"lead.{kind}", "lead_id": "5x5tb6qkrubq", "epoch": epoch, "rep_id": "aaaac"}


def entries() -> dict[str, Entry]:
    found = wiring().ledger.of_team("north", ["2026-W48"])
    return {entry.entry_id: entry for entry in found}


def test_a_claim_is_written_down_once(app: App) -> None:
    app.hire(AINA)
    lead = app.lead(territory="Sarawak")
    app.clock.pass_(seconds=2)
    app.claim(lead)
    assert app.run("project", event("sqs_project")) == NOTHING
    [entry] = entries().values()
    assert (entry.entry_id, entry.kind) == (f"taken/{lead.lead_id}/1", "claimed")
    assert (entry.rep_id, entry.team, entry.take_ms) == (AINA.rep_id, "north", 2000)
    assert (entry.source, entry.territory, entry.model) == ("google-ads", "Sarawak", "open-pool")
    before = app.everything()
    assert app.run("project", event("sqs_project")) == NOTHING
    assert app.everything() == before


def test_no_name_stands_in_the_ledger(app: App) -> None:
    app.hire(AINA)
    app.claim(app.lead())
    app.run("project", event("sqs_project"))
    stored = "".join(app.everything()["ledger_table"])
    assert AINA.rep_id in stored
    assert AINA.name not in stored
    assert "Acme" not in stored


def test_a_lead_that_moved_on_is_written_down_whole(app: App) -> None:
    app.hire(AINA, BEN)
    lead = app.lead()
    app.clock.pass_(seconds=1)
    app.claim(lead)
    app.clock.pass_(seconds=5)
    undo(wiring().race, lead.lead_id, AINA.rep_id, proof_of(AINA), app.clock)
    app.clock.pass_(seconds=1)
    assert app.claim(app.now(lead), BEN).status == 200
    late = sqs(
        "sqs_project", lead_message("returned"), lead_message("claimed", 2), lead_message("claimed")
    )
    assert app.run("project", late) == NOTHING
    assert {name: (e.rep_id, e.cause) for name, e in entries().items()} == {
        f"taken/{lead.lead_id}/1": (AINA.rep_id, "claimed"),
        f"returned/{lead.lead_id}/1": (AINA.rep_id, "undone"),
        f"taken/{lead.lead_id}/2": (BEN.rep_id, "claimed"),
    }


def test_other_events_write_nothing(app: App) -> None:
    app.hire(AINA)
    app.claim(app.lead())
    before = app.everything()
    assert (
        app.run("project", sqs("sqs_project", lead_message("opened"), lead_message("expired")))
        == NOTHING
    )
    assert app.everything() == before


def test_the_topic_sends_what_is_written_down_and_nothing_else() -> None:
    subscription = template()["Resources"]["ProjectSubscription"]["Properties"]
    assert subscription["FilterPolicy"] == {"kind": list(RECORDED)}


def test_a_event_that_failed_comes_again_and_it_alone(app: App, monkeypatch: Any) -> None:
    app.hire(AINA)
    app.claim(app.lead())
    story = DynamoLedger.story

    def broken(ledger: DynamoLedger, lead_id: str) -> Any:
        if lead_id == "broken":
            raise ConnectionError("no answer")
        return story(ledger, lead_id)

    monkeypatch.setattr(DynamoLedger, "story", broken)
    asked = sqs(
        "sqs_project", {**lead_message("claimed"), "lead_id": "broken"}, lead_message("claimed")
    )
    assert app.run("project", asked) == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
    assert len(entries()) == 1
