"""Push through SNS on moto: what each platform is told, and what becomes of phones that say no."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from dibs.aws.publisher import Boto3Publisher, Publisher
from dibs.core.errors import InvalidInput
from dibs.core.lead import State
from dibs.core.links import link_is_for, read_link
from dibs.core.rep import Device, Platform, Rep
from dibs.offers.push import SnsPush
from dibs.offers.texts import alert
from support.builders import NOON, a_card, a_lead, a_rep


class Phones:
    """SNS with an application per platform; remembers what was published, in order."""

    def __init__(self, client: Any) -> None:
        self.sns = client
        self.applications = {
            platform: client.create_platform_application(
                Name=f"dibs-{kind.lower()}", Platform=kind, Attributes={}
            )["PlatformApplicationArn"]
            for platform, kind in ((Platform.APNS, "APNS"), (Platform.FCM, "GCM"))
        }
        self.published: list[dict[str, Any]] = []
        self.push = SnsPush(
            Boto3Publisher(client, 1),  # moto is not safe under threads
            lambda: client,
            self.applications,
            "https://dibs.example",
            alert,
        )

    def note(self, params: dict[str, Any], **_: Any) -> None:
        self.published.append(dict(params))

    def rep(self, number: int, *platforms: str) -> Rep:
        """A rep with one phone per platform."""
        rep = a_rep(number)
        devices = tuple(
            self.push.register(rep.rep_id, f"phone-{n}", platform, f"token-{number}-{n}")[0]
            for n, platform in enumerate(platforms)
        )
        return a_rep(number, devices=devices)

    def attributes(self, device: Device) -> dict[str, str]:
        found: dict[str, str] = self.sns.get_endpoint_attributes(EndpointArn=device.endpoint_arn)[
            "Attributes"
        ]
        return found


@pytest.fixture(scope="module")
def sns() -> Any:
    with mock_aws():
        return boto3.client("sns", region_name="us-east-1")


@pytest.fixture
def phones(sns: Any) -> Iterator[Phones]:
    with mock_aws():
        made = Phones(sns)
        sns.meta.events.register("provide-client-params.sns.Publish", made.note)
        yield made
        sns.meta.events.unregister("provide-client-params.sns.Publish", made.note)


LEAD = a_lead()


def test_an_iphone_is_told_in_apples_words(phones: Phones) -> None:
    phones.push.offer(LEAD, [phones.rep(1, "apns")], NOON)
    (sent,) = phones.published
    assert sent["MessageStructure"] == "json"
    payload = json.loads(json.loads(sent["Message"])["APNS"])
    assert payload["aps"]["alert"]["title"] == "Acme Sdn Bhd"
    assert "Head of Operations" in payload["aps"]["alert"]["body"]
    assert payload["aps"]["interruption-level"] == "time-sensitive"
    assert (payload["kind"], payload["lead_id"]) == ("offer", LEAD.lead_id)
    assert json.loads(sent["Message"])["APNS_SANDBOX"] == json.loads(sent["Message"])["APNS"]


def test_an_android_is_told_in_googles_words(phones: Phones) -> None:
    phones.push.offer(LEAD, [phones.rep(1, "fcm")], NOON)
    (sent,) = phones.published
    message = json.loads(json.loads(sent["Message"])["GCM"])["fcmV1Message"]["message"]
    assert message["notification"]["title"] == "Acme Sdn Bhd"
    assert message["android"]["priority"] == "high"
    assert message["data"]["lead_id"] == LEAD.lead_id
    # A later word on the same lead takes the earlier one's place.
    assert message["android"]["collapse_key"] == LEAD.lead_id
    assert message["android"]["notification"]["tag"] == LEAD.lead_id
    assert all(isinstance(value, str) for value in message["data"].values())


def test_every_message_has_a_default_and_fits_a_push(phones: Phones) -> None:
    lead = a_lead(
        preview=a_lead().preview.__class__("公" * 53, "百" * 8, "总" * 26, "来" * 13, 100)
    )
    phones.push.offer(lead, [phones.rep(1, "apns", "fcm")], NOON)
    phones.push.withdraw(lead, [phones.rep(2, "apns", "fcm")], NOON)
    assert len(phones.published) == 4
    for sent in phones.published:
        message = json.loads(sent["Message"])
        assert message["default"]
        assert all(isinstance(part, str) for part in message.values())
        assert len(message["APNS"].encode()) <= 4096
        assert len(message["GCM"].encode()) <= 4096


def test_the_deep_link_claims_for_that_rep_and_that_opening(phones: Phones) -> None:
    rep = phones.rep(1, "fcm")
    phones.push.offer(LEAD, [rep], NOON)
    message = json.loads(json.loads(phones.published[0]["Message"])["GCM"])
    url = message["fcmV1Message"]["message"]["data"]["url"]
    assert url.startswith("https://dibs.example/c/")
    link = read_link(url.rpartition("/")[2])
    assert (link.lead_id, link.rep_id) == (LEAD.lead_id, rep.rep_id)
    assert link_is_for(link, LEAD.salt, LEAD.epoch)


def ttl(sent: dict[str, Any], platform: str) -> str:
    return str(sent["MessageAttributes"][f"AWS.SNS.MOBILE.{platform}.TTL"]["StringValue"])


@pytest.mark.parametrize(
    ("passed", "left"),
    [
        (timedelta(), "900"),
        (timedelta(seconds=839), "61"),
        (timedelta(seconds=841), "60"),  # 0 would be now or never; it is withdrawn anyway
        (timedelta(seconds=100, milliseconds=1), "799"),
        (timedelta(minutes=20), "60"),
    ],
)
def test_an_alert_lives_as_long_as_the_window(phones: Phones, passed: timedelta, left: str) -> None:
    phones.push.offer(LEAD, [phones.rep(1, "fcm", "apns")], NOON + passed)
    android, apple = phones.published
    assert (ttl(android, "FCM"), ttl(apple, "APNS")) == (left, left)


HELD = a_lead(
    state=State.ASSIGNED,
    owner=a_rep(1).rep_id,
    claimed_at=NOON + timedelta(hours=1),
    return_at=NOON + timedelta(hours=2),
)


@pytest.mark.parametrize("what", ["assigned", "unworked"])
def test_a_holder_is_told_where_the_lead_is_and_until_when(phones: Phones, what: str) -> None:
    rep = phones.rep(1, "apns", "fcm")
    delivery = phones.push.tell(what, HELD, [rep], NOON + timedelta(hours=1))
    assert delivery.accepted == {rep.rep_id}
    apple, android = phones.published
    payload = json.loads(json.loads(apple["Message"])["APNS"])
    assert (payload["kind"], payload["lead_id"]) == (what, HELD.lead_id)
    assert payload["aps"]["alert"]["title"] == "Acme Sdn Bhd"
    assert "1 hour" in payload["aps"]["alert"]["body"]
    link = read_link(payload["url"].rpartition("/")[2])
    assert (link.lead_id, link.rep_id) == (HELD.lead_id, rep.rep_id)
    # It lives until the lead goes back, however long ago its window closed.
    assert (ttl(apple, "APNS"), ttl(android, "FCM")) == ("3600", "3600")


def test_an_alert_without_a_time_limit_lives_for_a_minute(phones: Phones) -> None:
    lead = replace(HELD, return_at=None)
    phones.push.tell("assigned", lead, [phones.rep(1, "fcm")], NOON + timedelta(hours=1))
    assert ttl(phones.published[0], "FCM") == "60"


def test_a_development_iphone_has_an_attribute_of_its_own(phones: Phones) -> None:
    sandbox = phones.sns.create_platform_application(
        Name="dibs-dev", Platform="APNS_SANDBOX", Attributes={}
    )["PlatformApplicationArn"]
    endpoint = phones.sns.create_platform_endpoint(PlatformApplicationArn=sandbox, Token="t" * 8)
    rep = a_rep(1, devices=(Device("phone", Platform.APNS, endpoint["EndpointArn"]),))
    phones.push.offer(LEAD, [rep], NOON)
    assert ttl(phones.published[0], "APNS_SANDBOX") == "900"
    assert headers(phones.published[0]) == SHOWN


def test_an_alert_says_nothing_of_the_contact(phones: Phones) -> None:
    phones.push.offer(LEAD, [phones.rep(1, "apns", "fcm")], NOON)
    card = a_card()
    for sent in phones.published:
        for secret in (card.contact_name, card.contact_email, card.contact_phone):
            assert secret not in sent["Message"]


def test_a_withdrawal_is_silent_and_says_which_lead(phones: Phones) -> None:
    phones.push.withdraw(LEAD, [phones.rep(1, "apns"), phones.rep(2, "fcm")], NOON)
    apple = json.loads(json.loads(phones.published[0]["Message"])["APNS"])
    assert apple == {
        "aps": {"content-available": 1},
        "kind": "withdrawn",
        "lead_id": LEAD.lead_id,
    }
    google = json.loads(json.loads(phones.published[1]["Message"])["GCM"])["fcmV1Message"]
    assert "notification" not in google["message"]
    # Firebase lowers the priority of an app whose urgent messages show nothing.
    assert google["message"]["android"]["priority"] == "normal"
    assert google["message"]["data"] == {"kind": "withdrawn", "lead_id": LEAD.lead_id}
    assert google["message"]["android"]["collapse_key"] == LEAD.lead_id


SHOWN = {"push_type": "alert", "priority": "10", "collapse_id": LEAD.lead_id}
SILENT = {"push_type": "background", "priority": "5", "collapse_id": LEAD.lead_id}


def headers(sent: dict[str, Any]) -> dict[str, str]:
    """What SNS is to tell Apple beside the payload, but for the time to live."""
    start = "AWS.SNS.MOBILE.APNS."
    return {
        name.removeprefix(start).lower(): value["StringValue"]
        for name, value in sent["MessageAttributes"].items()
        if name.startswith(start) and not name.endswith("TTL")
    }


@pytest.mark.parametrize(
    ("kind", "platform", "expected"),
    [
        ("offer", "apns", SHOWN),
        ("assigned", "apns", SHOWN),
        ("unworked", "apns", SHOWN),
        ("withdrawn", "apns", SILENT),
        ("offer", "fcm", "high"),
        ("assigned", "fcm", "high"),
        ("unworked", "fcm", "high"),
        ("withdrawn", "fcm", "normal"),
    ],
)
def test_each_kind_is_as_urgent_as_its_platform_wants_it(
    phones: Phones, kind: str, platform: str, expected: object
) -> None:
    rep = phones.rep(1, platform)
    if kind == "offer":
        phones.push.offer(LEAD, [rep], NOON)
    elif kind == "withdrawn":
        phones.push.withdraw(LEAD, [rep], NOON)
    else:
        phones.push.tell(kind, HELD, [rep], NOON + timedelta(hours=1))
    [sent] = phones.published
    if platform == "apns":
        assert headers(sent) == expected
        shows = "alert" in json.loads(json.loads(sent["Message"])["APNS"])["aps"]
        assert shows is (expected == SHOWN)
    else:
        assert headers(sent) == {}
        message = json.loads(json.loads(sent["Message"])["GCM"])["fcmV1Message"]["message"]
        assert message["android"]["priority"] == expected
        assert message["android"]["collapse_key"] == LEAD.lead_id
        assert ("notification" in message) is (expected == "high")


def test_reps_are_told_in_the_order_given_in_their_own_language(phones: Phones) -> None:
    reps = [phones.rep(number, "fcm") for number in (3, 1, 2)]
    reps[1] = a_rep(1, devices=reps[1].devices, language="ms")
    delivery = phones.push.offer(LEAD, reps, NOON)
    targets = [sent["TargetArn"] for sent in phones.published]
    assert targets == [rep.devices[0].endpoint_arn for rep in reps]
    assert "Tinggal" in phones.published[1]["Message"]
    assert "left." in phones.published[0]["Message"]
    assert delivery.accepted == {rep.rep_id for rep in reps}
    assert set(delivery.sent_at) == delivery.accepted
    assert delivery.spread_ms >= 0


def test_a_phone_that_is_switched_off_or_gone_is_refused(phones: Phones) -> None:
    on, off, gone, none = (phones.rep(n, "fcm") for n in (1, 2, 3, 4))
    phones.sns.set_endpoint_attributes(
        EndpointArn=off.devices[0].endpoint_arn, Attributes={"Enabled": "false"}
    )
    phones.sns.delete_endpoint(EndpointArn=gone.devices[0].endpoint_arn)
    none = a_rep(4)
    delivery = phones.push.offer(LEAD, [on, off, gone, none], NOON)
    assert delivery.accepted == {on.rep_id}
    assert delivery.refused == {off.rep_id, gone.rep_id, none.rep_id}
    assert set(delivery.sent_at) == {on.rep_id}


def test_one_good_phone_of_several_is_enough(phones: Phones) -> None:
    rep = phones.rep(1, "fcm", "apns")
    phones.sns.delete_endpoint(EndpointArn=rep.devices[0].endpoint_arn)
    assert phones.push.offer(LEAD, [rep], NOON).accepted == {rep.rep_id}


def test_a_phone_we_switched_off_is_not_asked(phones: Phones) -> None:
    rep = phones.rep(1, "fcm")
    off = a_rep(1, devices=(Device("phone", Platform.FCM, rep.devices[0].endpoint_arn, False),))
    assert phones.push.offer(LEAD, [off], NOON).refused == {rep.rep_id}
    assert phones.published == []


def test_all_is_ready_before_the_common_instant_and_nothing_is_sent_before_it() -> None:
    """Building and signing take processor time, which would keep a wave's reps apart (N6)."""
    done: list[str] = []

    class Noted(Publisher):
        def prepared(self, **message: Any) -> str:
            done.append("prepared")
            return str(message["TargetArn"])

        def open(self, messages: int) -> None:
            done.append(f"{messages} open")

        def send(self, prepared: Sequence[str]) -> list[datetime | None]:
            done.append(f"sent {' '.join(prepared)}")
            return [NOON for _ in prepared]

    push = SnsPush(Noted(), lambda: None, {}, "https://dibs.example", alert)  # type: ignore[arg-type,return-value]
    reps = [
        a_rep(number, devices=(Device("phone", Platform.FCM, f"arn-{number}"),))
        for number in (1, 2)
    ]
    push.offer(LEAD, reps, NOON, lambda: done.append("the instant"))
    assert done[:4] == ["prepared", "prepared", "2 open", "the instant"]
    assert done[4:] == ["sent arn-1 arn-2"]
    done.clear()
    push.offer(LEAD, [], NOON, lambda: done.append("the instant"))
    assert done == ["the instant"]  # who has no app is told at that instant as well


def test_everybodys_first_phone_comes_before_second_ones(phones: Phones) -> None:
    """Who comes last waits for an answer where there are more than leave at once (N6)."""
    reps = [phones.rep(1, "fcm", "fcm"), phones.rep(2, "fcm"), phones.rep(3, "fcm", "fcm")]
    delivery = phones.push.offer(LEAD, reps, NOON)
    told = [one["TargetArn"] for one in phones.published]
    assert told == [rep.devices[0].endpoint_arn for rep in reps] + [
        rep.devices[1].endpoint_arn for rep in (reps[0], reps[2])
    ]
    assert delivery.accepted == {rep.rep_id for rep in reps}


def test_nobody_to_tell_is_nothing_to_do(phones: Phones) -> None:
    assert phones.push.offer(LEAD, [], NOON).accepted == frozenset()
    assert phones.published == []


# Registration


def test_a_phone_is_registered_to_its_rep(phones: Phones) -> None:
    device, before = phones.push.register("aaaac", "phone-1", "apns", "token-1-0")
    assert before == "aaaac"
    assert (device.device_id, device.platform) == ("phone-1", Platform.APNS)
    assert phones.push.owner_of(device.endpoint_arn) == "aaaac"


def test_a_phone_that_changed_hands_belongs_to_its_new_rep_and_is_on_again(
    phones: Phones,
) -> None:
    first, _ = phones.push.register("aaaac", "phone-1", "fcm", "token-1-0")
    phones.sns.set_endpoint_attributes(
        EndpointArn=first.endpoint_arn, Attributes={"Enabled": "false"}
    )
    second, before = phones.push.register("aaaae", "phone-1", "fcm", "token-1-0")
    assert before == "aaaac"
    assert second.endpoint_arn == first.endpoint_arn
    assert phones.push.owner_of(first.endpoint_arn) == "aaaae"
    assert phones.attributes(second)["Enabled"] == "true"


def test_a_platform_that_is_not_set_up_is_named(phones: Phones) -> None:
    push = SnsPush(
        Boto3Publisher(phones.sns, 1),
        lambda: phones.sns,
        {Platform.FCM: ""},
        "https://dibs.example",
        alert,
    )
    for platform in ("fcm", "apns"):
        with pytest.raises(InvalidInput) as refused:
            push.register("aaaac", "phone-1", platform, "token-1-0")
        assert [error.field for error in refused.value.errors] == ["platform"]


def test_a_token_its_platform_does_not_take_is_named(
    phones: Phones, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = phones.sns.exceptions.InvalidParameterException(
        {"Error": {"Code": "InvalidParameter", "Message": "Invalid parameter: Token"}},
        "CreatePlatformEndpoint",
    )

    def refuse(**_: Any) -> None:
        raise wrong

    monkeypatch.setattr(phones.sns, "create_platform_endpoint", refuse)
    with pytest.raises(InvalidInput) as refused:
        phones.push.register("aaaac", "phone-1", "fcm", "bad-token")
    assert [error.field for error in refused.value.errors] == ["token"]


def test_a_forgotten_phone_belongs_to_nobody(phones: Phones) -> None:
    device, _ = phones.push.register("aaaac", "phone-1", "fcm", "token-1-0")
    phones.push.forget(device)
    assert phones.push.owner_of(device.endpoint_arn) is None
