"""Push through SNS platform endpoints: offers that expire with their window, and withdrawals."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from dibs.aws.clock import to_ms
from dibs.aws.publisher import Publisher
from dibs.core.errors import FieldError, InvalidInput
from dibs.core.lead import Lead
from dibs.core.links import link_token
from dibs.core.rep import Device, Platform, Rep
from dibs.offers.ports import Delivery, Push

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

Alert = Callable[[str, Lead, Rep, datetime], tuple[str, str]]
"""Writes the title and body of an alert of a kind for a rep, in the rep's language."""

SNS_NAMES: Mapping[Platform, str] = {Platform.APNS: "APNS", Platform.FCM: "GCM"}
"""What SNS calls each platform in an application, and in a message's payloads."""
# Seconds an alert without a deadline lives; with TTL 0 it would be delivered at once or dropped.
_SHORTEST_LIFE = 60
_EXISTS = re.compile(r"Endpoint (arn:\S+) already exists")


class SnsPush(Push):
    """`Push` on SNS. Alerts go out by `publisher`; `sns` is asked about phones only."""

    def __init__(
        self,
        publisher: Publisher,
        sns: Callable[[], SNSClient],
        applications: dict[Platform, str],
        public_url: str,
        alert: Alert,
    ) -> None:
        self._publisher = publisher
        self._sns = sns
        self._applications = applications
        self._public_url = public_url
        self._alert = alert

    def offer(
        self,
        lead: Lead,
        reps: Sequence[Rep],
        now: datetime,
        wait: Callable[[], None] = lambda: None,
    ) -> Delivery:
        """Alert each rep's devices of the lead; the alert lives as long as the window (N4).

        Everything is built and signed, and connections are open, before `wait` is called (N6).
        """
        return self._publish(lead, reps, now, partial(self._message, "offer"), wait=wait)

    def tell(self, what: str, lead: Lead, reps: Sequence[Rep], now: datetime) -> Delivery:
        """Alert the lead's holder; the alert lives until the lead goes back (C11)."""
        return self._publish(lead, reps, now, partial(self._message, what))

    def withdraw(self, lead: Lead, reps: Sequence[Rep], now: datetime) -> Delivery:
        """Remove the lead's alert from each rep's devices by a silent push (N4)."""
        return self._publish(lead, reps, now, _withdrawal, silent=True)

    def _message(self, kind: str, lead: Lead, rep: Rep, now: datetime) -> dict[str, Any]:
        title, body = self._alert(kind, lead, rep, now)
        token = link_token(lead.salt, lead.lead_id, rep.rep_id, lead.epoch)
        data = {"kind": kind, "lead_id": lead.lead_id, "url": f"{self._public_url}/c/{token}"}
        return _message(
            title,
            {
                "aps": {
                    "alert": {"title": title, "body": body},
                    "sound": "default",
                    "thread-id": "offers",
                    "interruption-level": "time-sensitive",
                },
                **data,
            },
            {
                "notification": {"title": title, "body": body},
                "data": data,
                "android": {
                    "priority": "high",
                    "collapse_key": lead.lead_id,
                    "notification": {"tag": lead.lead_id},
                },
            },
        )

    def _publish(
        self,
        lead: Lead,
        reps: Sequence[Rep],
        now: datetime,
        message: Callable[[Lead, Rep, datetime], dict[str, Any]],
        *,
        silent: bool = False,
        wait: Callable[[], None] | None = None,
    ) -> Delivery:
        """Publish to all devices of all reps at once, started in the order of `reps`.

        Where there are more than leave at once, everybody's first phone comes before second ones:
        those wait for the answers to the others.
        """
        if not reps:
            if wait is not None:
                wait()  # for the texts that go out in place of pushes
            return Delivery()
        expires_at = lead.return_at or lead.closes_at if lead.owner else lead.closes_at
        seconds = max(_SHORTEST_LIFE, (to_ms(expires_at) - to_ms(now)) // 1000)
        numbered = ((n, rep, one) for rep in reps for n, one in enumerate(rep.pushable))
        phones = [(rep, one) for _, rep, one in sorted(numbered, key=itemgetter(0))]
        jobs = [
            self._publisher.prepared(
                TargetArn=device.endpoint_arn,
                Message=json.dumps(message(lead, rep, now)),
                MessageStructure="json",
                MessageAttributes=_attributes(device, seconds, lead.lead_id, silent=silent),
            )
            for rep, device in phones
        ]
        self._publisher.open(len(jobs))
        if wait is not None:
            wait()
        results = self._publisher.send(jobs)
        sent_at: dict[str, datetime] = {}
        for (rep, _), sent in zip(phones, results, strict=True):
            if sent is not None:
                sent_at[rep.rep_id] = min(sent, sent_at.get(rep.rep_id, sent))
        accepted = frozenset(sent_at)
        times = sent_at.values()
        return Delivery(
            accepted=accepted,
            refused=frozenset(rep.rep_id for rep in reps) - accepted,
            sent_at=sent_at,
            spread_ms=to_ms(max(times)) - to_ms(min(times)) if times else 0,
        )

    def register(
        self, rep_id: str, device_id: str, platform: str, token: str
    ) -> tuple[Device, str]:
        """Create or refresh the SNS endpoint of a device token for this rep.

        Returns the device and the rep who had it before: the same one unless it changed hands.

        Raises:
            InvalidInput: the platform is not set up, or does not accept the token.
        """
        application = self._applications.get(Platform(platform))
        if not application:
            raise InvalidInput(
                (FieldError("platform", f"{platform} is not set up here; ask whoever runs Dibs"),)
            )
        before = rep_id
        try:
            arn = self._sns().create_platform_endpoint(
                PlatformApplicationArn=application, Token=token, CustomUserData=rep_id
            )["EndpointArn"]
        except self._sns().exceptions.InvalidParameterException as error:
            existing = _EXISTS.search(str(error))
            if existing is None:
                raise InvalidInput(
                    (FieldError("token", "the platform does not accept this token"),)
                ) from error
            arn = existing.group(1)
            before = self.owner_of(arn) or rep_id
        # The phone may have changed hands, or an earlier failure may have disabled it.
        self._sns().set_endpoint_attributes(
            EndpointArn=arn,
            Attributes={"Token": token, "Enabled": "true", "CustomUserData": rep_id},
        )
        return Device(device_id, Platform(platform), arn), before

    def forget(self, device: Device) -> None:
        """Delete a device's endpoint."""
        self._sns().delete_endpoint(EndpointArn=device.endpoint_arn)

    def owner_of(self, endpoint_arn: str) -> str | None:
        """Return the id of the rep an endpoint belongs to, None when it is gone."""
        try:
            attributes = self._sns().get_endpoint_attributes(EndpointArn=endpoint_arn)["Attributes"]
        except self._sns().exceptions.NotFoundException:
            return None
        return attributes.get("CustomUserData") or None


def _withdrawal(lead: Lead, rep: Rep, now: datetime) -> dict[str, Any]:
    del rep, now
    data = {"kind": "withdrawn", "lead_id": lead.lead_id}
    return _message(
        "",
        {"aps": {"content-available": 1}, **data},
        # Firebase lowers the priority of apps whose urgent messages show nothing.
        {"data": data, "android": {"priority": "normal", "collapse_key": lead.lead_id}},
    )


def _message(default: str, apns: dict[str, Any], fcm: dict[str, Any]) -> dict[str, Any]:
    """Return an SNS message: each platform's own payload as a JSON string."""
    apple = json.dumps(apns)
    return {
        "default": default or "-",
        SNS_NAMES[Platform.APNS]: apple,
        "APNS_SANDBOX": apple,
        SNS_NAMES[Platform.FCM]: json.dumps({"fcmV1Message": {"message": fcm}}),
    }


def _attributes(device: Device, seconds: int, lead_id: str, *, silent: bool) -> dict[str, Any]:
    """Return what SNS tells the platform beside the payload.

    Apple wants to know what kind of push it is, drops a silent one with the urgency of an alert,
    and shows the latest of those with one collapse id. Firebase reads these in the payload.
    """
    name = device.platform.upper()
    if ":endpoint/APNS_SANDBOX/" in device.endpoint_arn:
        name = "APNS_SANDBOX"
    said = {f"{name}.TTL": str(seconds)}
    if device.platform is Platform.APNS:
        # SNS has these under one name for both of Apple's services.
        said["APNS.PUSH_TYPE"] = "background" if silent else "alert"
        said["APNS.PRIORITY"] = "5" if silent else "10"
        said["APNS.COLLAPSE_ID"] = lead_id
    return {
        f"AWS.SNS.MOBILE.{what}": {"DataType": "String", "StringValue": value}
        for what, value in said.items()
    }
