"""Whatever is dropped between a claim, the ledger and the boards comes back by itself (O9, H1).

A test drops everything at one hop, lets a minute pass, and runs the sweep alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dibs.core.events import LATE_AFTER
from dibs.game.scoring.rebuild import audit_standings
from dibs.ledger.project import entries_of
from dibs.ledger.store import entry_item
from dibs.offers.ports import LATER, MARKED
from dibs.receipts.audit import audit_ledger
from dibs.wiring import wiring
from handlers.app import AINA, BEN, MANAGER, PLAYBOOK, App, Event, event, http, sqs
from support.aws import items
from support.builders import NOON, token_of

SWEEP = event("schedule_sweep")


def streamed(app: App, table: str, name: str) -> Event:
    """The event of a stream, with every item of the table as one of its records."""
    asked = event(name)
    record = asked["Records"][0]
    asked["Records"] = [
        {**record, "dynamodb": {**record["dynamodb"], "NewImage": item}}
        for item in items(app.client, table)
    ]
    return asked


def relay(app: App) -> None:
    app.run("relay", streamed(app, app.settings.leads_table, "stream_lead_opened"))


def project(app: App) -> None:
    """Let project hear of all that was published."""
    heard = [m.body for m in app.waiting("offer")]
    app.run("project", sqs("sqs_project", *heard))


def score(app: App) -> None:
    app.run("score", streamed(app, app.settings.ledger_table, "stream_entry"))


def publish(app: App) -> None:
    app.run("publish", sqs("sqs_publish", *(m.body for m in app.waiting("publish"))))


def claimed(app: App) -> None:
    app.claim(app.lead())


def released(app: App) -> None:
    lead = app.lead()
    app.claim(lead)
    path, reason = {"lead_id": lead.lead_id}, '{"reason": "not_a_fit"}'
    asked = http("http_offers", "POST /leads/{lead_id}/release", path, reason)
    assert app.ask("rep", asked).status == 200


def told(app: App) -> None:
    claimed(app)
    asked = http("http_activity", authorization=f"Bearer {token_of(AINA)}")
    assert app.ask("activities", asked).status == 201


def faults(app: App) -> list[str]:
    """What the audit says of ledger and standings."""
    stores = wiring()
    standings = audit_standings(
        stores.score_deps,
        stores.standings,
        stores.ledger.everything(),
        stores.points.transfers(),
        lambda what, done, of: None,
    )
    return [fault.kind for fault in (*audit_ledger(stores.ledger, stores.roster), *standings)]


@pytest.mark.parametrize("happens", [claimed, released, told])
@pytest.mark.parametrize("many", range(5))
def test_what_is_dropped_after_any_hop_comes_back(
    app: App, happens: Callable[[App], None], many: int
) -> None:
    app.hire(AINA)
    happens(app)
    for hop in (relay, project, score, publish)[:many]:
        hop(app)
    if many < 2:
        assert "entry_missing" in faults(app)
    elif many < 4:
        assert list(wiring().ledger.unscored(app.clock.at + LATE_AFTER))
    else:
        assert faults(app) == []
    for _ in range(3):  # an event that never left is sent first, then found missing
        app.waiting("offer")
        app.clock.pass_(minutes=1)
        app.run("recalculate", SWEEP)
    assert faults(app) == []
    assert list(wiring().ledger.unrecorded(app.clock.at)) == []
    assert list(wiring().ledger.unscored(app.clock.at)) == []


def test_a_sweep_after_all_went_well_finds_nothing(app: App) -> None:
    app.hire(AINA)
    claimed(app)
    for hop in (relay, project, score, publish):
        hop(app)
    app.clock.pass_(minutes=1)
    done = app.run("recalculate", SWEEP)
    assert (done["recorded"], done["scored"]) == (0, 0)


def test_a_mark_is_not_sent_as_an_event(app: App) -> None:
    app.hire(AINA)
    claimed(app)
    relay(app)
    app.waiting("offer")
    relay(app)
    assert app.waiting("offer") == []


def test_an_entry_that_cannot_be_counted_holds_up_no_other(
    app: App, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from dibs.dispatch import heal

    app.hire(AINA)
    for number in range(3):
        app.claim(app.lead(number + 1))
    relay(app)
    project(app)
    bad = next(iter(wiring().ledger.everything())).entry_id
    really = heal.count

    def broken(deps: Any, entries: Any) -> int:
        if any(entry.entry_id == bad for entry in entries):
            raise ValueError(bad)
        return really(deps, entries)

    monkeypatch.setattr(heal, "count", broken)
    app.clock.pass_(minutes=1)
    app.counted(capsys)
    assert app.run("recalculate", SWEEP)["scored"] == 2
    assert app.counted(capsys)["Failed"] == 1
    monkeypatch.undo()


def test_the_audit_names_what_the_ledger_lacks_and_what_it_should_not_have(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    app.claim(lead)
    found = list(audit_ledger(wiring().ledger, wiring().roster))
    assert [(f.kind, f.where) for f in found] == [("entry_missing", f"taken/{lead.lead_id}/1")]
    [history] = wiring().ledger.stories()
    [entry] = entries_of(history, wiring().roster)
    table = app.settings.ledger_table
    app.world.dynamo.put(table, {**entry_item(entry), "rep_id": {"S": "aaaad"}})
    found = list(audit_ledger(wiring().ledger, wiring().roster))
    assert [(f.kind, f.where) for f in found] == [("entry_differs", entry.entry_id)]
    app.world.dynamo.put(table, entry_item(entry))
    app.world.dynamo.put(table, {**entry_item(entry), "entry_id": {"S": "taken/made-up/1"}})
    found = list(audit_ledger(wiring().ledger, wiring().roster))
    assert [(f.kind, f.where) for f in found] == [("entry_unexplained", "taken/made-up/1")]


# Notices: whoever may claim and was not told of it (H1, C13)


def sweep_and_offer(app: App) -> None:
    """A minute passes, the sweep runs, and the offer step does what the sweep asks for."""
    app.clock.pass_(minutes=1)
    app.run("recalculate", SWEEP)
    app.run("offer", sqs("sqs_offer", *(message.body for message in app.waiting("offer"))))


def notify(app: App) -> None:
    for message in app.waiting("notify"):
        if not message.delay_seconds:
            app.run("notify", sqs("sqs_notify", message.body))


def opened(app: App) -> None:
    """A lead is posted and its batches are queued."""
    app.lead()
    relay(app)
    app.run("offer", sqs("sqs_offer", *(message.body for message in app.waiting("offer"))))


def test_a_dropped_batch_of_notices_is_sent_within_a_minute_and_once(app: App) -> None:
    app.hire_crowd(7)
    opened(app)
    assert app.waiting("notify")  # dropped
    for _ in range(3):
        sweep_and_offer(app)
        notify(app)
    numbers = [number for number, _ in app.texts()]
    assert (len(numbers), len(set(numbers))) == (7, 7)


def assigned(app: App) -> None:
    """A lead is assigned to Aina, and her notice is queued."""
    lead = app.lead()
    app.world.add_manager(MANAGER)
    path, body = {"lead_id": lead.lead_id}, f'{{"rep_id": "{AINA.rep_id}", "reason": "So"}}'
    asked = http("http_playbook", "POST /leads/{lead_id}/assign", path, body)
    asked["headers"]["authorization"] = f"Bearer {MANAGER}"
    asked.pop("queryStringParameters")
    assert app.ask("manage", asked).status == 200
    relay(app)
    app.run("offer", sqs("sqs_offer", *(message.body for message in app.waiting("offer"))))


def reminded(app: App) -> None:
    """Aina holds a lead, and her reminder is queued."""
    app.put_playbook(replace(PLAYBOOK, first_activity=NOON))
    lead = app.lead()
    assert app.claim(lead).status == 200
    relay(app)
    app.run("offer", sqs("sqs_offer", *(message.body for message in app.waiting("offer"))))
    notify(app)
    held = app.now(lead)
    assert held.return_at is not None
    app.clock.at = held.return_at - timedelta(minutes=10)
    app.run("recalculate", SWEEP)
    app.run("offer", sqs("sqs_offer", *(message.body for message in app.waiting("offer"))))


def taken(app: App) -> None:
    """Aina has claimed what Ben's phone shows, and the withdrawal is queued."""
    lead = app.lead()
    relay(app)
    app.run("offer", sqs("sqs_offer", *(message.body for message in app.waiting("offer"))))
    notify(app)
    assert app.claim(lead).status == 200
    relay(app)
    app.run("offer", sqs("sqs_offer", *(message.body for message in app.waiting("offer"))))


HOLDERS = {"assigned": assigned, "unworked": reminded, "withdraw": taken}


def test_every_kind_of_batch_that_is_marked_is_tried() -> None:
    assert {kind.removesuffix(LATER) for kind in MARKED} == set(HOLDERS)


@pytest.mark.parametrize("kind", HOLDERS)
def test_a_dropped_notice_to_a_holder_or_a_loser_comes_back_once(app: App, kind: str) -> None:
    app.hire(AINA)
    ben = app.hire_with_phone(BEN)
    HOLDERS[kind](app)
    dropped = [one for one in app.waiting("notify") if one.body["kind"] == kind]
    assert len(dropped) == 1
    shown, texts = len(app.alerts(ben.devices[0])), len(app.texts())
    app.clock.pass_(minutes=1)
    assert app.run("recalculate", SWEEP)["notices"] >= 1
    queued = app.waiting("notify")
    again = [one for one in queued if one.body["kind"] == kind]
    assert [one.body for one in again] == [one.body for one in dropped]
    others = [one for one in queued if one not in again]
    for one in (*others, *again, *again):  # SQS may deliver it twice
        app.run("notify", sqs("sqs_notify", one.body))
    assert (len(app.alerts(ben.devices[0])) - shown, len(app.texts()) - texts) == (
        (1, 0) if kind == "withdraw" else (0, 1)
    )
    app.clock.pass_(minutes=1)
    assert app.run("recalculate", SWEEP)["notices"] == 0


def test_a_notice_that_was_sent_leaves_no_mark(app: App) -> None:
    app.hire(AINA)
    assigned(app)
    notify(app)
    app.clock.pass_(minutes=1)
    assert app.run("recalculate", SWEEP)["notices"] == 0


def test_who_is_on_duty_again_is_told_at_once(app: App) -> None:
    app.hire(AINA)
    app.pause(AINA, hours=2)
    opened(app)
    notify(app)
    app.clock.pass_(seconds=6)
    body = '{"available": true}'
    back = http("http_offers", "PUT /me/availability", {}, body)
    assert app.ask("rep", back).status == 200
    app.run("offer", sqs("sqs_offer", *(message.body for message in app.waiting("offer"))))
    notify(app)
    assert [number for number, _ in app.texts()] == [AINA.phone]
