"""Send messages to managers through a topic they subscribe to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dibs.ledger.slips import Managers

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class SnsManagers(Managers):
    """`Managers` on SNS."""

    def __init__(self, client: SNSClient, topic_arn: str) -> None:
        self._sns = client
        self._topic_arn = topic_arn

    def tell(self, subject: str, text: str) -> None:
        """Send a message to all subscribed managers."""
        self._sns.publish(TopicArn=self._topic_arn, Subject=subject, Message=text)
