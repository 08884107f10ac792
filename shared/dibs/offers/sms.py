"""Send text messages to phones through SNS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dibs.offers.ports import Sms

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

# A local AWS has no list of numbers that opted out.
_NOT_THERE = "InvalidAction"


class SnsSms(Sms):
    """`Sms` on SNS."""

    def __init__(self, client: SNSClient, origination_number: str) -> None:
        self._sns = client
        self._attributes: dict[str, Any] = {
            "AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}
        }
        if origination_number:
            self._attributes["AWS.MM.SMS.OriginationNumber"] = {
                "DataType": "String",
                "StringValue": origination_number,
            }

    def send(self, phone: str, text: str) -> None:
        """Send one text. A number that SNS rejects is ignored: a retry cannot help."""
        try:
            self._sns.publish(PhoneNumber=phone, Message=text, MessageAttributes=self._attributes)
        except self._sns.exceptions.InvalidParameterException:
            return

    def opted_out(self) -> Iterator[str]:
        """Yield the numbers that AWS sends nothing to, because they opted out."""
        try:
            for page in self._sns.get_paginator("list_phone_numbers_opted_out").paginate():
                yield from page["phoneNumbers"]
        except self._sns.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != _NOT_THERE:
                raise

    def opt_in(self, phone: str) -> None:
        """Let AWS send to this number again, which it allows once in 30 days.

        Where it does not, its list still says so, and the rep is marked again from there.
        """
        try:
            self._sns.opt_in_phone_number(phoneNumber=phone)
        except self._sns.exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
            if code not in ("InvalidParameter", "Throttled", _NOT_THERE):
                raise
