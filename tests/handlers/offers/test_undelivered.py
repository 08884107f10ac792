"""A push its platform refused after SNS took it: that phone is off, and the text comes now."""

from __future__ import annotations

import json
from typing import Any

from dibs.core.rep import Device, Platform, Rep
from dibs.wiring import wiring
from handlers.office import AINA, BEN, Event, Office, event, sqs

DONE: dict[str, Any] = {"batchItemFailures": []}


def failure(device: Device, **changes: Any) -> Event:
    """The event about another device."""
    told = json.loads(event("sqs_undelivered")["Records"][0]["body"])
    return sqs("sqs_undelivered", {**told, "EndpointArn": device.endpoint_arn, **changes})


def devices(office: Office, rep: Rep = AINA) -> dict[str, bool]:
    found = office.world.roster.get(rep.rep_id)
    assert found is not None
    return {device.device_id: device.enabled for device in found.devices}


def test_the_refused_phone_is_switched_off_and_the_text_comes_now(office: Office) -> None:
    aina = office.hire_with_phone(AINA)
    lead = office.lead()
    office.run("notify", event("sqs_notify"))
    office.waiting("notify")
    assert office.run("undelivered", failure(aina.devices[0])) == DONE
    assert devices(office) == {"phone": False}
    [batch] = office.waiting("notify")
    assert batch.delay_seconds == 0
    assert (batch.body["kind"], batch.body["lead_id"]) == ("undelivered", lead.lead_id)
    assert batch.body["rep_ids"] == [AINA.rep_id]
    office.run("notify", sqs("sqs_notify", batch.body))
    assert [number for number, _ in office.texts()] == [AINA.phone]


def test_two_failures_of_one_phone_make_one_text(office: Office) -> None:
    aina = office.hire_with_phone(AINA)
    office.lead()
    office.run("notify", event("sqs_notify"))
    office.waiting("notify")
    for _ in range(2):
        assert office.run("undelivered", failure(aina.devices[0])) == DONE
    for batch in office.waiting("notify"):
        office.run("notify", sqs("sqs_notify", batch.body))
    assert len(office.texts()) == 1


def test_the_reps_other_phone_stays_on(office: Office) -> None:
    aina = office.hire_with_phone(AINA)
    tablet, _ = wiring().push.register(AINA.rep_id, "tablet", Platform.FCM, "push-token-tablet")
    office.world.roster.put_device(AINA.rep_id, tablet)
    office.run("undelivered", failure(aina.devices[0]))
    assert devices(office) == {"phone": False, "tablet": True}


def test_nobody_elses_phone_is_touched(office: Office) -> None:
    aina = office.hire_with_phone(AINA)
    office.hire_with_phone(BEN)
    office.lead()
    office.run("undelivered", failure(aina.devices[0]))
    assert devices(office, BEN) == {"phone": True}
    [batch] = office.waiting("notify")
    assert batch.body["rep_ids"] == [AINA.rep_id]


def test_leads_of_other_teams_are_not_texted(office: Office) -> None:
    aina = office.hire_with_phone(AINA)
    office.lead(team="south")
    office.run("undelivered", failure(aina.devices[0]))
    assert office.waiting("notify") == []


def test_a_phone_nobody_knows_any_more_is_let_be(office: Office) -> None:
    aina = office.hire_with_phone(AINA)
    office.lead()
    wiring().push.forget(aina.devices[0])
    before = office.everything()
    assert office.run("undelivered", failure(aina.devices[0])) == DONE
    assert office.run("undelivered", event("sqs_undelivered")) == DONE
    assert office.everything() == before
    assert office.waiting("notify") == []


def test_other_events_of_the_platform_are_let_pass(office: Office) -> None:
    aina = office.hire_with_phone(AINA)
    before = office.everything()
    created = failure(aina.devices[0], EventType="EndpointCreated")
    assert office.run("undelivered", created) == DONE
    assert office.everything() == before


def test_a_poison_message_fails_alone(office: Office) -> None:
    aina = office.hire_with_phone(AINA)
    [good] = failure(aina.devices[0])["Records"]
    batch = sqs("sqs_undelivered", {"EventType": "DeliveryFailure"}, json.loads(good["body"]))
    assert office.run("undelivered", batch) == {
        "batchItemFailures": [{"itemIdentifier": "message-0"}]
    }
    assert devices(office) == {"phone": False}
