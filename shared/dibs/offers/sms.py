"""Send text messages to phones through SNS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dibs.offers.ports import Sms

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


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
