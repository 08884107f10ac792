"""A push its platform refused after SNS took it: that phone is off, and the text comes now."""

from __future__ import annotations

import json
from typing import Any

from dibs.core.rep import Device, Platform, Rep
from dibs.wiring import wiring
from handlers.app import AINA, BEN, App, Event, event, sqs

DONE: dict[str, Any] = {"batchItemFailures": []}


def failure(device: Device, **changes: Any) -> Event:
    """The event about another device."""
    told = json.loads(event("sqs_undelivered")["Records"][0]["body"])
    return sqs("sqs_undelivered", {**told, "EndpointArn": device.endpoint_arn, **changes})


def devices(app: App, rep: Rep = AINA) -> dict[str, bool]:
    found = app.world.roster.get(rep.rep_id)
    assert found is not None
    return {device.device_id: device.enabled for device in found.devices}


def test_the_refused_phone_is_switched_off_and_the_text_comes_now(app: App) -> None:
    aina = app.hire_with_phone(AINA)
    lead = app.lead()
    app.run("notify", event("sqs_notify"))
    app.waiting("notify")
    assert app.run("undelivered", failure(aina.devices[0])) == DONE
    assert devices(app) == {"phone": False}
    [batch] = app.waiting("notify")
    assert batch.delay_seconds == 0
    assert (batch.body["kind"], batch.body["lead_id"]) == ("undelivered", lead.lead_id)
    assert batch.body["rep_ids"] == [AINA.rep_id]
    app.run("notify", sqs("sqs_notify", batch.body))
    assert [number for number, _ in app.texts()] == [AINA.phone]


def test_two_failures_of_one_phone_make_one_text(app: App) -> None:
    aina = app.hire_with_phone(AINA)
    app.lead()
    app.run("notify", event("sqs_notify"))
    app.waiting("notify")
    for _ in range(2):
        assert app.run("undelivered", failure(aina.devices[0])) == DONE
    for batch in app.waiting("notify"):
        app.run("notify", sqs("sqs_notify", batch.body))
    assert len(app.texts()) == 1


def test_the_reps_other_phone_stays_on(app: App) -> None:
    aina = app.hire_with_phone(AINA)
    tablet, _ = wiring().push.register(AINA.rep_id, "tablet", Platform.FCM, "push-token-tablet")
    app.world.roster.put_device(AINA.rep_id, tablet)
    app.run("undelivered", failure(aina.devices[0]))
    assert devices(app) == {"phone": False, "tablet": True}


def test_nobody_elses_phone_is_touched(app: App) -> None:
    aina = app.hire_with_phone(AINA)
    app.hire_with_phone(BEN)
    app.lead()
    app.run("undelivered", failure(aina.devices[0]))
    assert devices(app, BEN) == {"phone": True}
    [batch] = app.waiting("notify")
    assert batch.body["rep_ids"] == [AINA.rep_id]


def test_leads_of_other_teams_are_not_texted(app: App) -> None:
    aina = app.hire_with_phone(AINA)
    app.lead(team="south")
    app.run("undelivered", failure(aina.devices[0]))
    assert app.waiting("notify") == []


def test_a_phone_nobody_knows_any_more_is_let_be(app: App) -> None:
    aina = app.hire_with_phone(AINA)
    app.lead()
    wiring().push.forget(aina.devices[0])
    before = app.everything()
    assert app.run("undelivered", failure(aina.devices[0])) == DONE
    assert app.run("undelivered", event("sqs_undelivered")) == DONE
    assert app.everything() == before
    assert app.waiting("notify") == []


def test_other_events_of_the_platform_are_let_pass(app: App) -> None:
    aina = app.hire_with_phone(AINA)
    before = app.everything()
    created = failure(aina.devices[0], EventType="EndpointCreated")
    assert app.run("undelivered", created) == DONE
    assert app.everything() == before


def test_a_poison_message_fails_alone(app: App) -> None:
    aina = app.hire_with_phone(AINA)
    [good] = failure(aina.devices[0])["Records"]
    batch = sqs("sqs_undelivered", {"EventType": "DeliveryFailure"}, json.loads(good["body"]))
    assert app.run("undelivered", batch) == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
    assert devices(app) == {"phone": False}
