"""DynamoDB requests: a few verbs over one client, and AWS's errors turned into ours.

The client is our own (`wire.py`) or boto3's (`clients.py`). The verbs speak DynamoDB's own item
form so that every request, its condition and its cost can be read where it is made.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from dibs.aws.attributes import Item
from dibs.aws.connection import Broken
from dibs.aws.wire import THROTTLED, ServiceError
from dibs.core.attempts import attempts
from dibs.core.errors import Busy

_CONFLICT = {"TransactionConflictException", "TransactionInProgressException"}
_BUSY = THROTTLED | {"InternalServerError", "ServiceUnavailable"}
_BUSY_REASONS = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
_INSISTENCE = 10
_BATCH_GET = 100
_BATCH_WRITE = 25


@dataclass(eq=False)
class ConditionFailed(Exception):
    """A condition said no. `items` are the old items by position, None where that part was fine."""

    items: tuple[Item | None, ...]
    failed: tuple[bool, ...]


class Dynamo:
    """The verbs. Thread-safe, as its client is."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def get(self, table: str, key: Item, *, consistent: bool = False) -> Item | None:
        answer = self._call(
            self.client.get_item, TableName=table, Key=key, ConsistentRead=consistent
        )
        return cast("Item | None", answer.get("Item"))

    def batch_get(
        self, wanted: Mapping[str, Sequence[Item]], consistent: Collection[str] = ()
    ) -> dict[str, list[Item]]:
        """Read keys of one or more tables, 100 a request; unprocessed ones are asked for again.

        Tables named in `consistent` are read as they are now, at twice the price.
        """
        flat = [(table, key) for table, table_keys in wanted.items() for key in table_keys]
        found: dict[str, list[Item]] = {table: [] for table in wanted}
        while flat:
            request: dict[str, Any] = {}
            for table, key in flat[:_BATCH_GET]:
                asked = request.setdefault(
                    table, {"Keys": [], "ConsistentRead": table in consistent}
                )
                asked["Keys"].append(key)
            flat = flat[_BATCH_GET:]
            answer = self._call(self.client.batch_get_item, RequestItems=request)
            for table, items in answer["Responses"].items():
                found[table].extend(items)
            again = answer.get("UnprocessedKeys") or {}
            if again:
                flat.extend((table, key) for table in again for key in again[table]["Keys"])
                _pause()
        return found

    def query(
        self,
        table: str,
        condition: str,
        values: Item,
        *,
        index: str | None = None,
        **options: Any,
    ) -> Iterator[Item]:
        request = {
            "TableName": table,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            **({"IndexName": index} if index else {}),
            **options,
        }
        while True:
            answer = self._call(self.client.query, **request)
            yield from answer["Items"]
            if not answer.get("LastEvaluatedKey"):
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def scan(self, table: str, **options: Any) -> Iterator[Item]:
        """Read a whole table as it is now, for an operator: no function may."""
        request = {"TableName": table, "ConsistentRead": True, **options}
        while True:
            answer = self._call(self.client.scan, **request)
            yield from answer["Items"]
            if not answer.get("LastEvaluatedKey"):
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def put(self, table: str, item: Item, condition: str | None = None, **options: Any) -> None:
        self._call(
            self.client.put_item,
            TableName=table,
            Item=item,
            **(_guard(condition) if condition else {}),
            **options,
        )

    def update(
        self, table: str, key: Item, expression: str, condition: str | None = None, **options: Any
    ) -> Item:
        answer = self._call(
            self.client.update_item,
            TableName=table,
            Key=key,
            UpdateExpression=expression,
            **(_guard(condition) if condition else {}),
            **options,
        )
        return cast(Item, answer.get("Attributes", {}))

    def delete(self, table: str, key: Item, condition: str | None = None, **options: Any) -> None:
        self._call(
            self.client.delete_item,
            TableName=table,
            Key=key,
            **(_guard(condition) if condition else {}),
            **options,
        )

    def batch_put(self, table: str, items: Sequence[Item]) -> None:
        waiting = [{"PutRequest": {"Item": item}} for item in items]
        while waiting:
            batch, waiting = waiting[:_BATCH_WRITE], waiting[_BATCH_WRITE:]
            answer = self._call(self.client.batch_write_item, RequestItems={table: batch})
            again = answer.get("UnprocessedItems", {}).get(table, [])
            if again:
                waiting.extend(again)
                _pause()

    def transact(
        self, writes: Sequence[Mapping[str, Mapping[str, Any]]], token: str | None = None
    ) -> None:
        """Write all or nothing; with a `token` once, however often it is asked for in 10 minutes.

        Raises:
            ConditionFailed: some condition said no; carries the old items.
            Busy: another transaction held one of the items, or a throttle; nothing was written.
        """
        named = {} if token is None else {"ClientRequestToken": token}
        self._call(self.client.transact_write_items, TransactItems=list(writes), **named)

    def _call(self, operation: Callable[..., Any], **request: Any) -> Any:
        try:
            return operation(**request)
        except _refusals() as error:
            raise _translated(error) from error
        except _failures() as error:
            raise Busy from error


def _guard(condition: str) -> dict[str, str]:
    return {
        "ConditionExpression": condition,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _refusals() -> tuple[type[Exception], ...]:
    """Return how the clients say that DynamoDB refused. boto3's way counts where it is loaded."""
    if "botocore.client" not in sys.modules:
        return (ServiceError,)
    from botocore.exceptions import ClientError

    return (ServiceError, ClientError)


def _failures() -> tuple[type[Exception], ...]:
    """Return how the clients say that there was no answer."""
    if "botocore.client" not in sys.modules:
        return (Broken,)
    from botocore.exceptions import ConnectionError, HTTPClientError

    return (Broken, ConnectionError, HTTPClientError)


def _translated(error: Any) -> Exception:
    own = isinstance(error, ServiceError)
    code: str = error.code if own else error.response["Error"]["Code"]
    body: Mapping[str, Any] = error.body if own else error.response
    if code == "ConditionalCheckFailedException":
        return ConditionFailed((cast("Item | None", body.get("Item")),), (True,))
    if code == "TransactionCanceledException":
        reasons = cast("list[dict[str, Any]]", body.get("CancellationReasons", []))
        # The other transaction may still fail, so this is Busy and no failed condition.
        codes = {reason.get("Code") for reason in reasons}
        if codes & _BUSY_REASONS:
            return Busy(conflict="TransactionConflict" in codes)
        if any(reason.get("Code") == "ConditionalCheckFailed" for reason in reasons):
            return ConditionFailed(
                tuple(reason.get("Item") for reason in reasons),
                tuple(reason.get("Code") == "ConditionalCheckFailed" for reason in reasons),
            )
    if code in _CONFLICT:
        return Busy(conflict=True)
    # What stands between us and DynamoDB may fail as well, and has codes of its own.
    failed = code in _BUSY or (own and error.status >= 500)
    return Busy() if failed else cast(Exception, error)


def insisting(write: Callable[[], object]) -> None:
    """Make a write, again while other transactions hold its items; for work nobody waits for.

    Raises:
        ConditionFailed: some condition said no.
        Busy: it was held ten times over, or the store is slow or throttled.
    """
    for attempt in attempts(_INSISTENCE):
        with attempt:
            write()
            return
    raise Busy(conflict=True)


def _pause() -> None:
    time.sleep(random.uniform(0.02, 0.08))  # noqa: S311 - jitter, no secret
