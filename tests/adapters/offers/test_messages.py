"""Events, batches, timers and texts on their way out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sns import sns_backends

from dibs.core.events import LeadEvent
from dibs.core.lead import Lead
from dibs.offers.ports import BatchMarks, NotifyBatch
from dibs.offers.queues import SnsBus, SqsNotifyQueue, SqsTimers, batch_body, batch_from
from dibs.offers.sms import SnsSms
from support.builders import NOON, a_lead

MS = timedelta(milliseconds=1)


class NoMarks(BatchMarks):
    """Of what is queued here, nothing bears a mark."""

    def mark(self, batches: Sequence[NotifyBatch], due_at: datetime) -> None:
        raise AssertionError(batches)


def queue(client: Any, url: str) -> SqsNotifyQueue:
    return SqsNotifyQueue(client, url, NoMarks(), lambda: NOON)


LEAD = a_lead()


@pytest.fixture(scope="module")
def clients() -> tuple[Any, Any]:
    with mock_aws():
        return boto3.client("sqs", region_name="us-east-1"), boto3.client(
            "sns", region_name="us-east-1"
        )


@pytest.fixture
def sqs(clients: tuple[Any, Any]) -> Iterator[Any]:
    with mock_aws():
        yield clients[0]


@pytest.fixture
def sns(clients: tuple[Any, Any]) -> Iterator[Any]:
    with mock_aws():
        yield clients[1]


def received(sqs: Any, url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found.extend(json.loads(message["Body"]) for message in messages)
    return found


def test_batches_arrive_whole_and_all_of_them(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="notify")["QueueUrl"]
    batches = [
        NotifyBatch("offer", f"lead{n}", n, ("aaaac", "aaaae"), NOON + n * MS) for n in range(23)
    ]
    queue(sqs, url).put(batches)
    found = [batch_from(body) for body in received(sqs, url)]
    assert sorted(found, key=lambda batch: batch.epoch) == batches


def test_a_batch_without_an_instant_comes_back_without_one() -> None:
    batch = NotifyBatch("unseen", "lead", 1, ("aaaac",))
    assert batch_from(json.loads(json.dumps(batch_body(batch)))) == batch


def test_a_batch_says_whom_by_id_alone() -> None:
    body = batch_body(NotifyBatch("offer", LEAD.lead_id, 1, ("aaaac",), NOON))
    assert set(body) == {"kind", "lead_id", "epoch", "rep_ids", "notify_at", "members", "first"}


def test_a_batch_of_the_version_before_is_of_a_team_of_unknown_size() -> None:
    body = batch_body(NotifyBatch("offer", LEAD.lead_id, 1, ("aaaac",), NOON, 50))
    assert batch_from(body).small
    del body["members"]
    assert not batch_from(body).small


def test_nothing_to_put_is_nothing_to_send(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="notify")["QueueUrl"]
    queue(sqs, url).put([])
    assert received(sqs, url) == []


def test_a_look_later_is_delayed_by_the_queue(clients: tuple[Any, Any]) -> None:
    with Stubber(clients[0]) as stub:
        stub.add_response(
            "send_message_batch",
            {"Successful": [], "Failed": []},
            {"QueueUrl": "u", "Entries": [{"Id": "0", "MessageBody": ANY, "DelaySeconds": 20}]},
        )
        queue(clients[0], "u").put([NotifyBatch("unseen", "l", 1, ("a",))], delay_seconds=20)
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("left", "delay"),
    [
        (timedelta(seconds=600), 600),
        (timedelta(seconds=600) - MS, 600),  # never early: a second too late is harmless
        (timedelta(seconds=900), 900),
        (timedelta(hours=20), 900),  # the longest there is; it waits on from there
        (MS, 1),
        (timedelta(), 0),
        (timedelta(hours=-1), 0),
    ],
)
def test_a_timer_comes_at_its_moment_or_waits_on(
    clients: tuple[Any, Any], left: timedelta, delay: int
) -> None:
    with Stubber(clients[0]) as stub:
        body = {"kind": "lead.due", "lead_id": LEAD.lead_id, "epoch": 1}
        stub.add_response(
            "send_message_batch",
            {"Successful": [], "Failed": []},
            {
                "QueueUrl": "u",
                "Entries": [{"Id": "0", "MessageBody": json.dumps(body), "DelaySeconds": delay}],
            },
        )
        SqsTimers(clients[0], "u").wake_at(LEAD, LEAD.closes_at, LEAD.closes_at - left)
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("kind", "lead", "about"),
    [
        ("lead.check", LEAD, {"lead_id": LEAD.lead_id, "epoch": 1}),
        ("waves.check", None, {}),
        ("queue.check", None, {}),
    ],
)
def test_a_look_is_asked_for_at_once_at_one_lead_or_at_all(
    clients: tuple[Any, Any], kind: str, lead: Lead | None, about: dict[str, object]
) -> None:
    with Stubber(clients[0]) as stub:
        body = {"kind": kind, **about}
        stub.add_response(
            "send_message_batch",
            {"Successful": [], "Failed": []},
            {
                "QueueUrl": "u",
                "Entries": [{"Id": "0", "MessageBody": json.dumps(body), "DelaySeconds": 0}],
            },
        )
        SqsTimers(clients[0], "u").check(kind, lead)
        stub.assert_no_pending_responses()


def test_messages_the_queue_did_not_take_are_an_error_so_that_they_come_again(
    clients: tuple[Any, Any],
) -> None:
    failed = {"Id": "0", "SenderFault": False, "Code": "InternalError"}
    with Stubber(clients[0]) as stub:
        stub.add_response("send_message_batch", {"Successful": [], "Failed": [failed]})
        with pytest.raises(RuntimeError, match="1 messages"):
            queue(clients[0], "u").put([NotifyBatch("offer", "l", 1, ("a",))])


def test_every_event_reaches_every_consumers_queue(sns: Any, sqs: Any) -> None:
    topic = sns.create_topic(Name="events")["TopicArn"]
    urls = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("offer", "project")]
    for name in ("offer", "project"):
        sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=f"arn:aws:sqs:us-east-1:{DEFAULT_ACCOUNT_ID}:{name}",
            Attributes={"RawMessageDelivery": "true"},
        )
    events = [LeadEvent("lead.opened", f"lead{n:02}", 1, None) for n in range(12)]
    events.append(LeadEvent("lead.claimed", "lead12", 2, "aaaac"))
    SnsBus(sns, topic).publish(events)
    for url in urls:
        found = sorted(received(sqs, url), key=lambda body: str(body["lead_id"]))
        assert [LeadEvent(**body) for body in found] == events


def test_events_the_bus_did_not_take_are_an_error_so_that_they_are_told_again(
    clients: tuple[Any, Any],
) -> None:
    failed = {"Id": "0", "SenderFault": False, "Code": "InternalError"}
    with Stubber(clients[1]) as stub:
        stub.add_response("publish_batch", {"Successful": [], "Failed": [failed]})
        with pytest.raises(RuntimeError, match="1 events"):
            SnsBus(clients[1], "arn:aws:sns:us-east-1:1:t").publish(
                [LeadEvent("lead.opened", "l", 1)]
            )


def test_a_event_says_its_kind_where_subscriptions_can_filter_by_it(
    clients: tuple[Any, Any],
) -> None:
    with Stubber(clients[1]) as stub:
        stub.add_response(
            "publish_batch",
            {"Successful": [], "Failed": []},
            {
                "TopicArn": "t",
                "PublishBatchRequestEntries": [
                    {
                        "Id": "0",
                        "Message": ANY,
                        "MessageAttributes": {
                            "kind": {"DataType": "String", "StringValue": "lead.claimed"}
                        },
                    }
                ],
            },
        )
        SnsBus(clients[1], "t").publish([LeadEvent("lead.claimed", "l", 1, "aaaac")])
        stub.assert_no_pending_responses()


def test_a_text_goes_to_the_phone_as_transactional(sns: Any) -> None:
    SnsSms(sns, "").send("+60120000001", "7K2P")
    texts = sns_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].sms_messages
    assert list(texts.values()) == [("+60120000001", "7K2P")]


@pytest.mark.parametrize("number", ["", "+15550001"])
def test_replies_come_back_to_the_number_that_was_set(
    clients: tuple[Any, Any], number: str
) -> None:
    kind = {"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}}
    origin = {"AWS.MM.SMS.OriginationNumber": {"DataType": "String", "StringValue": number}}
    with Stubber(clients[1]) as stub:
        stub.add_response(
            "publish",
            {"MessageId": "1"},
            {
                "PhoneNumber": "+60120000001",
                "Message": "hi",
                "MessageAttributes": {**kind, **(origin if number else {})},
            },
        )
        SnsSms(clients[1], number).send("+60120000001", "hi")
        stub.assert_no_pending_responses()


def test_a_number_no_carrier_takes_is_let_go_and_other_failures_are_not(
    clients: tuple[Any, Any],
) -> None:
    with Stubber(clients[1]) as stub:
        stub.add_client_error("publish", "InvalidParameter")
        SnsSms(clients[1], "").send("+1", "hi")
        stub.add_client_error("publish", "Throttled")
        with pytest.raises(clients[1].exceptions.ClientError):
            SnsSms(clients[1], "").send("+60120000001", "hi")


def test_who_opted_out_is_read_from_sns_and_may_come_back(sns: Any) -> None:
    backend = sns_backends[DEFAULT_ACCOUNT_ID]["us-east-1"]
    backend.opt_out_numbers[:] = ["+60120000001", "+60120000002"]
    sms = SnsSms(sns, "")
    assert list(sms.opted_out()) == ["+60120000001", "+60120000002"]
    sms.opt_in("+60120000002")
    assert list(sms.opted_out()) == ["+60120000001"]


@pytest.mark.parametrize("code", ["InvalidParameter", "Throttled", "InvalidAction"])
def test_a_number_that_sns_does_not_let_back_yet_is_left_to_its_list(sns: Any, code: str) -> None:
    with Stubber(sns) as stub:
        stub.add_client_error("opt_in_phone_number", code)
        SnsSms(sns, "").opt_in("+60120000001")
        stub.assert_no_pending_responses()


def test_an_aws_without_the_list_has_nobody_on_it_and_any_other_error_is_one(sns: Any) -> None:
    with Stubber(sns) as stub:
        stub.add_client_error("list_phone_numbers_opted_out", "InvalidAction")
        assert list(SnsSms(sns, "").opted_out()) == []
        stub.add_client_error("list_phone_numbers_opted_out", "AuthorizationError")
        with pytest.raises(ClientError):
            list(SnsSms(sns, "").opted_out())
        stub.add_client_error("opt_in_phone_number", "AuthorizationError")
        with pytest.raises(ClientError):
            SnsSms(sns, "").opt_in("+60120000001")
