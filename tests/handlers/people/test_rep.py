"""What a rep's app does besides claiming."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dibs.assignment.assign import serve
from dibs.aws import clients
from dibs.core.lead import Lead
from dibs.core.rep import Device, Platform, Rep
from dibs.web.http import iso
from dibs.wiring import wiring
from handlers.app import AINA, BEN, CHONG, DAYANG, MANAGER, Answer, App, event, http, sqs
from support.builders import a_playbook, token_of

PHONE = {"platform": "fcm", "token": "push-token-of-a-phone"}
ROUTES = [
    ("GET /me/offers", {}),
    ("GET /me/leads", {}),
    ("POST /leads/{lead_id}/seen", {"lead_id": "5x5tb6qkrubq"}),
    ("POST /leads/{lead_id}/decline", {"lead_id": "5x5tb6qkrubq"}),
    ("POST /leads/{lead_id}/release", {"lead_id": "5x5tb6qkrubq"}),
    ("POST /leads/{lead_id}/accept", {"lead_id": "5x5tb6qkrubq"}),
    ("PUT /me/availability", {}),
    ("PUT /me/devices/{device_id}", {"device_id": "phone"}),
    ("DELETE /me/devices/{device_id}", {"device_id": "phone"}),
]


def call(
    app: App,
    route: str,
    path: dict[str, str] | None = None,
    body: Any = None,
    *,
    rep: Rep = AINA,
    token: str | None = None,
) -> Answer:
    """Call a route as a rep's app does."""
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    bearer = f"Bearer {token or token_of(rep)}"
    return app.ask("rep", http("http_offers", route, path or {}, text, authorization=bearer))


def on_lead(app: App, lead: Lead, what: str, rep: Rep = AINA, body: Any = None) -> Answer:
    path = {"lead_id": lead.lead_id}
    return call(app, "POST /leads/{lead_id}/" + what, path, body, rep=rep)


def available(app: App, body: Any) -> Answer:
    return call(app, "PUT /me/availability", body=body)


def put(app: App, device_id: str, body: Any = PHONE, rep: Rep = AINA) -> Answer:
    return call(app, "PUT /me/devices/{device_id}", {"device_id": device_id}, body, rep=rep)


def delete(app: App, device_id: str, rep: Rep = AINA) -> Answer:
    return call(app, "DELETE /me/devices/{device_id}", {"device_id": device_id}, rep=rep)


def devices(app: App, rep: Rep = AINA) -> tuple[Device, ...]:
    found = app.world.roster.get(rep.rep_id)
    assert found is not None
    return found.devices


def owner(device: Device) -> str | None:
    return wiring().push.owner_of(device.endpoint_arn)


# Offers


def test_a_rep_sees_the_open_leads_of_their_team(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    app.lead(2, team="south")
    answer = app.ask("rep", event("http_offers"))
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json == {
        "offers": [
            {
                "lead_id": lead.lead_id,
                "claim_url": f"https://dibs.example/c/{app.link(lead)}",
                "opens_at": "2026-11-23T12:00:00.000Z",
                "exclusive_until": None,
                "closes_at": "2026-11-23T12:15:00.000Z",
                "blind": False,
                "test": False,
                "preview": {
                    "company": "Acme 1 Sdn Bhd",
                    "company_size": "51-200",
                    "contact_title": "Head of Operations",
                    "source": "google-ads",
                    "score": 86,
                },
                "eligible": True,
            }
        ]
    }


def test_an_offer_says_until_when_nobody_else_may_claim_it(app: App) -> None:
    app.put_playbook(a_playbook(model="tiers"))
    app.hire(replace(AINA, tier=1))
    app.lead(score=60)
    [offer] = call(app, "GET /me/offers").json["offers"]
    assert offer["exclusive_until"] == "2026-11-23T12:15:00.000Z"
    assert offer["closes_at"] == "2026-11-23T13:15:00.000Z"
    app.clock.pass_(minutes=60)
    [offer] = call(app, "GET /me/offers").json["offers"]
    assert offer["exclusive_until"] is None


def test_offers_come_oldest_first_and_go_when_they_are_over(app: App) -> None:
    app.hire(AINA, BEN)
    first = app.lead(1)
    app.clock.pass_(minutes=5)
    second = app.lead(2)
    third = app.lead(3)

    def listed() -> list[str]:
        return [o["lead_id"] for o in call(app, "GET /me/offers").json["offers"]]

    assert listed() == [first.lead_id, *sorted([second.lead_id, third.lead_id])]
    app.claim(third, BEN)
    app.clock.pass_(minutes=10)
    assert listed() == [second.lead_id]


def test_a_rep_who_may_not_claim_sees_why_and_until_when(app: App) -> None:
    app.put_playbook(a_playbook(claims_per_day=1))
    app.hire(DAYANG)
    app.claim(app.lead(2), DAYANG)
    app.lead()
    app.pause(DAYANG, minutes=10)
    [offer] = call(app, "GET /me/offers", rep=DAYANG).json["offers"]
    assert offer["eligible"] is False
    assert offer["refusal"]["codes"] == ["paused", "daily_limit"]
    assert offer["refusal"]["lifts_at"] == "2026-11-23T16:00:00.000Z"
    assert "Anda" in offer["refusal"]["lifts_when"]


@pytest.mark.parametrize(("route", "path"), ROUTES, ids=[route for route, _ in ROUTES])
@pytest.mark.parametrize(
    "token",
    [
        f"{AINA.rep_id}.forged",
        f"{BEN.rep_id}.forged",
        "nobody.secret",
        AINA.rep_id,
    ],
    ids=["forged", "foreign", "unknown", "half"],
)
def test_without_a_right_token_nothing_is_shown_or_changed(
    app: App, route: str, path: dict[str, str], token: str
) -> None:
    app.hire(AINA, BEN)
    app.world.add_manager(MANAGER)
    app.lead()
    before = app.everything()
    sent = None if "/leads/" in route else {"available": False, **PHONE}
    answer = call(app, route, path, sent, token=token)
    assert (answer.status, answer.code) == (401, "unauthorized")
    assert app.everything() == before


def test_a_rep_who_left_is_signed_out(app: App) -> None:
    app.hire(replace(AINA, active=False))
    app.lead()
    for route, path in ROUTES:
        if "/me/" in route:
            answer = call(app, route, path, {"available": True, **PHONE})
            assert (answer.status, answer.code) == (401, "unauthorized"), route


def test_a_managers_token_is_no_reps(app: App) -> None:
    app.world.add_manager(MANAGER)
    for route, path in ROUTES:
        sent = None if "/leads/" in route else {"available": True, **PHONE}
        answer = call(app, route, path, sent, token=MANAGER)
        assert answer.status in (401, 403), route


# Seen, declined, given back


@pytest.mark.parametrize(("what", "field"), [("seen", "seen_at"), ("decline", "declined_at")])
def test_what_a_rep_does_with_an_offer_is_recorded_at_its_first_time(
    app: App, what: str, field: str
) -> None:
    app.hire(AINA)
    lead = app.lead()
    first = app.clock.pass_(seconds=2)
    answer = on_lead(app, lead, what)
    assert answer.status == 200
    assert answer.json["lead_id"] == lead.lead_id
    app.clock.pass_(seconds=2)
    assert on_lead(app, lead, what).status == 200
    [sighting] = app.offers.sightings(lead.lead_id, 1, [AINA.rep_id]).values()
    assert getattr(sighting, field) == first


def test_a_rep_who_looked_gets_no_text(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    on_lead(app, lead, "seen")
    batch = {"kind": "unseen", "lead_id": lead.lead_id, "epoch": 1, "rep_ids": [AINA.rep_id]}
    app.run("notify", sqs("sqs_notify", {**batch, "notify_at": None}))
    assert app.texts() == []


@pytest.mark.parametrize("what", ["seen", "decline", "release"])
def test_a_lead_of_another_team_or_none_is_not_found(app: App, what: str) -> None:
    app.hire(AINA, CHONG)
    lead = app.lead()
    before = app.everything()
    for asked in (lead, replace(lead, lead_id="aaaaaaaaaaaa"), replace(lead, lead_id="0" * 3000)):
        answer = on_lead(app, asked, what, CHONG)
        assert (answer.status, answer.code) == (404, "lead_not_found")
    assert app.everything() == before


def test_a_claim_is_given_back_within_thirty_seconds(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    app.claim(lead)
    app.clock.pass_(seconds=20)
    answer = on_lead(app, lead, "release")
    assert answer.status == 200
    assert answer.json == {"lead_id": lead.lead_id, "state": "open", "undone": True}
    assert (app.now(lead).epoch, app.now(lead).owner) == (2, None)
    assert on_lead(app, lead, "release").json == answer.json
    assert app.now(lead).epoch == 2


def test_later_a_lead_is_released_with_a_reason(app: App) -> None:
    app.hire(AINA, BEN)
    lead = app.lead()
    app.claim(lead)
    app.clock.pass_(seconds=31)
    before = app.everything()
    for body in ({}, {"reason": ""}, {"reason": 7}, {"reason": "x" * 201}):
        answer = on_lead(app, lead, "release", body=body)
        assert (answer.status, answer.code) == (422, "invalid_input")
    assert app.everything() == before
    answer = on_lead(app, lead, "release", body={"reason": "wrong industry"})
    assert (answer.status, answer.json) == (
        200,
        {"lead_id": lead.lead_id, "state": "open", "undone": False},
    )
    assert on_lead(app, lead, "release", body={"reason": "twice"}).json == answer.json
    assert {message.body["kind"] for message in app.waiting("offer")} == {"queue.check"}
    [note] = [
        transition.note for transition in app.world.leads.history(lead.lead_id) if transition.note
    ]
    assert note == "wrong industry"
    refused = app.claim(lead)
    assert (refused.status, refused.json["rules"]) == (
        403,
        ["released_lately", "not_twice_in_a_row"],
    )
    assert on_lead(app, lead, "release", BEN, {"reason": "no"}).code == "not_yours"
    assert app.claim(lead, BEN).status == 200


def test_a_rep_sees_what_they_hold(app: App) -> None:
    app.hire(AINA, BEN)
    assert call(app, "GET /me/leads").json == {"leads": []}
    lead, others = app.lead(), app.lead(2)
    app.claim(lead)
    app.claim(others, BEN)
    [held] = call(app, "GET /me/leads").json["leads"]
    assert (held["lead_id"], held["state"], held["quality"]) == (lead.lead_id, "claimed", "hot")
    assert held["preview"]["company"] == lead.preview.company
    assert held["worked_at"] is None
    assert held["return_at"] == iso(app.now(lead).return_at)
    assert "@" not in json.dumps(held)
    app.clock.pass_(minutes=1)
    on_lead(app, lead, "release", body={"reason": "wrong industry"})
    assert call(app, "GET /me/leads").json == {"leads": []}


def test_an_assigned_lead_is_accepted_once_and_frees_the_race(app: App) -> None:
    app.hire(AINA)
    app.put_playbook(a_playbook(model="round-robin"))
    assigned = app.lead()
    world = app.world
    assert serve([assigned], world.race, world.roster, world.holdings, lambda: app.clock.at)
    app.hire(BEN)
    app.put_playbook(a_playbook(acceptance={"claims_per_assignment": 1}))
    raced, next_one = app.lead(2), app.lead(3)
    assert app.claim(raced).status == 200
    owes = app.claim(next_one)
    assert (owes.status, owes.json["rules"]) == (403, ["owes_assignment"])
    assert owes.json["lifts_at"] is None
    for _ in range(2):
        answer = on_lead(app, assigned, "accept")
        assert (answer.status, answer.json) == (
            200,
            {"lead_id": assigned.lead_id, "accepted": True},
        )
    used = dict(world.roster.team("north", fresh=True))[AINA]
    assert (used.unaccepted, used.raced) == (0, 0)
    assert app.claim(next_one).status == 200
    assert on_lead(app, assigned, "accept", BEN).code == "not_yours"


def test_nobody_gives_back_what_they_do_not_hold(app: App) -> None:
    app.hire(AINA, BEN)
    lead = app.lead()
    assert on_lead(app, lead, "release").code == "not_yours"
    app.claim(lead, BEN)
    assert on_lead(app, lead, "release").code == "not_yours"
    assert app.now(lead).owner == BEN.rep_id


# Availability


def test_a_rep_switches_off_for_a_while_and_on_again(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    off = available(app, {"available": False, "minutes": 60})
    assert (off.status, off.json["paused_until"]) == (200, "2026-11-23T13:00:00.000Z")
    assert app.claim(lead).json["rules"] == ["paused"]
    on = available(app, {"available": True})
    assert on.json == {"available": True, "paused_until": None}
    assert app.claim(lead).status == 200


def test_a_pause_ends_by_itself(app: App) -> None:
    app.hire(AINA)
    off = available(app, {"available": False})
    assert off.json["paused_until"] == "2026-11-24T00:00:00.000Z"
    app.clock.pass_(hours=12)
    assert app.claim(app.lead()).status == 200


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, {"available"}),
        ({"available": "no"}, {"available"}),
        ({"available": 0}, {"available"}),
        ({"available": None, "minutes": "60"}, {"available", "minutes"}),
        ({"available": False, "minutes": 1.5}, {"minutes"}),
        ({"available": False, "minutes": True}, {"minutes"}),
        ({"available": False, "minutes": 0}, {"minutes"}),
        ({"available": False, "minutes": 10**9}, {"minutes"}),
        ([], {"body"}),
        ("true", {"body"}),
    ],
)
def test_what_availability_cannot_be_is_named(app: App, body: Any, named: set[str]) -> None:
    app.hire(AINA)
    before = app.everything()
    answer = available(app, body)
    assert (answer.status, answer.code) == (422, "invalid_input")
    assert {error["field"] for error in answer.json["errors"]} == named
    assert app.everything() == before


@pytest.mark.parametrize("body", ["{", "nonsense", '{"available": false', "[" * 200 + "]" * 200])
def test_a_body_that_is_no_sane_json_is_refused(app: App, body: str) -> None:
    app.hire(AINA)
    for answer in (available(app, body), put(app, "phone", body)):
        assert (answer.status, answer.code) == (400, "malformed_body")


def test_a_body_above_64_kb_is_refused(app: App) -> None:
    app.hire(AINA)
    answer = available(app, " " * 65_537)
    assert (answer.status, answer.code) == (413, "body_too_large")


# Devices


@pytest.mark.parametrize("platform", ["fcm", "apns"])
def test_a_phone_is_registered_for_push(app: App, platform: str) -> None:
    app.hire(AINA)
    answer = put(app, "phone", {**PHONE, "platform": platform})
    assert answer.status == 200
    assert answer.json == {"device_id": "phone", "platform": platform}
    [device] = devices(app)
    assert (device.device_id, device.platform) == ("phone", Platform(platform))
    assert device.enabled
    assert owner(device) == AINA.rep_id


def test_registering_a_phone_twice_is_registering_it_once(app: App) -> None:
    app.hire(AINA)
    put(app, "phone")
    first = devices(app)
    assert put(app, "phone").status == 200
    assert devices(app) == first


def test_a_phone_that_was_switched_off_is_switched_on_by_registering_again(
    app: App,
) -> None:
    app.hire(AINA)
    put(app, "phone")
    [device] = devices(app)
    clients.sns().set_endpoint_attributes(
        EndpointArn=device.endpoint_arn, Attributes={"Enabled": "false"}
    )
    app.world.roster.put_device(AINA.rep_id, replace(device, enabled=False))
    assert put(app, "phone").status == 200
    assert devices(app) == (device,)
    lead = app.lead()
    app.run("notify", event("sqs_notify"))
    assert [alert["data"]["lead_id"] for alert in app.alerts(device)] == [lead.lead_id]


def test_a_phone_that_changed_hands_shows_nothing_of_its_first_rep(app: App) -> None:
    app.hire(AINA, BEN)
    put(app, "phone", rep=AINA)
    assert put(app, "phone", rep=BEN).status == 200
    [bens] = devices(app, BEN)
    assert owner(bens) == BEN.rep_id
    lead = app.lead()
    batch = {"kind": "offer", "lead_id": lead.lead_id, "epoch": 1, "notify_at": None}
    reps = [AINA.rep_id, BEN.rep_id]
    app.run("notify", sqs("sqs_notify", {**batch, "rep_ids": reps}))
    shown = [alert["data"]["url"].rpartition("/")[2] for alert in app.alerts(bens)]
    assert shown == [app.link(lead, BEN)]
    assert [number for number, _ in app.texts()] == [AINA.phone]


def test_the_first_rep_of_a_phone_that_changed_hands_cannot_switch_it_off(
    app: App,
) -> None:
    app.hire(AINA, BEN)
    put(app, "phone", rep=AINA)
    put(app, "phone", rep=BEN)
    assert delete(app, "phone", rep=AINA).status == 200
    [bens] = devices(app, BEN)
    assert owner(bens) == BEN.rep_id


def test_one_phone_under_a_new_name_is_still_one_phone(app: App) -> None:
    app.hire(AINA)
    put(app, "before-reinstalling")
    put(app, "after-reinstalling")
    [device] = devices(app)
    assert (device.device_id, owner(device)) == ("after-reinstalling", AINA.rep_id)


def test_a_rep_keeps_the_last_three_phones(app: App) -> None:
    app.hire(AINA)
    for number in range(1, 5):
        body = {**PHONE, "token": f"push-token-{number}"}
        assert put(app, f"phone-{number}", body).status == 200
        # Registered at the same moment, the order would be anybody's guess.
        app.clock.pass_(seconds=1)
    assert {device.device_id for device in devices(app)} == {"phone-2", "phone-3", "phone-4"}


def test_a_phone_is_forgotten_and_forgetting_it_again_is_fine(app: App) -> None:
    app.hire(AINA)
    put(app, "phone")
    [device] = devices(app)
    answer = delete(app, "phone")
    assert (answer.status, answer.json) == (200, {"device_id": "phone", "removed": True})
    assert devices(app) == ()
    assert owner(device) is None
    assert delete(app, "phone").status == 200


@pytest.mark.parametrize(
    ("device_id", "body", "named"),
    [
        ("phone", {}, {"platform", "token"}),
        ("phone", {"platform": "fax", "token": "x" * 40}, {"platform"}),
        ("phone", {"platform": ["fcm"], "token": "x" * 40}, {"platform"}),
        ("phone", {"platform": "fcm", "token": "short"}, {"token"}),
        ("phone", {"platform": "fcm", "token": "x" * 2049}, {"token"}),
        ("phone", {"platform": "fcm", "token": "push-token\x00"}, {"token"}),
        ("phone", {"platform": "fcm", "token": "\ud800" * 40}, {"token"}),
        ("phone", {"platform": "fcm", "token": 123456789012}, {"token"}),
        ("phone", {"platform": "fcm", "token": ["x" * 40]}, {"token"}),
        ("phone", {"platform": "fcm", "token": {"is": "x" * 40}}, {"token"}),
        ("my phone", PHONE, {"device_id"}),
        ("x" * 65, PHONE, {"device_id"}),
        ("phone", [], {"body"}),
    ],
)
def test_what_a_device_cannot_be_is_named(
    app: App, device_id: str, body: Any, named: set[str]
) -> None:
    app.hire(AINA)
    before = app.everything()
    answer = put(app, device_id, body)
    assert (answer.status, answer.code) == (422, "invalid_input")
    assert {error["field"] for error in answer.json["errors"]} == named
    assert app.everything() == before


def test_a_platform_that_is_not_set_up_says_so(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("APNS_APPLICATION_ARN")
    wiring.cache_clear()
    app.hire(AINA)
    answer = put(app, "phone", {**PHONE, "platform": "apns"})
    assert answer.status == 422
    assert "apns is not set up here" in answer.text


def test_a_store_that_is_throttled_says_when_to_try_again(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.hire(AINA)

    def throttled(**request: Any) -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "GetItem")

    monkeypatch.setattr(app.client, "get_item", throttled)
    answer = call(app, "GET /me/offers")
    assert (answer.status, answer.code) == (503, "busy")
    assert answer.headers["retry-after"]
