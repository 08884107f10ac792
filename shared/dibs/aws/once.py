"""Let work run at most once per name. Names are stored with a time to live."""

from __future__ import annotations

from datetime import datetime, timedelta

from dibs.aws.clock import to_ms
from dibs.aws.dynamo import ConditionFailed, Dynamo
from dibs.core.ports import Once

_KEPT = timedelta(days=2)


class DynamoOnce(Once):
    """`Once` on DynamoDB, for small work that may be lost but must not be done twice."""

    def __init__(self, dynamo: Dynamo, table: str) -> None:
        self._db = dynamo
        self._table = table

    def claim_name(self, name: str, now: datetime) -> bool:
        """Return True for the first caller with this name, False for all later ones."""
        item = {"id": {"S": name}, "expiration": {"N": str(to_ms(now + _KEPT) // 1000)}}
        try:
            self._db.put(self._table, item, "attribute_not_exists(id)")
        except ConditionFailed:
            return False
        return True

    def taken(self, name: str) -> bool:
        """Tell whether a caller has claimed this name already."""
        return self._db.get(self._table, {"id": {"S": name}}, consistent=True) is not None

    def free_name(self, name: str) -> None:
        """Let the next caller claim this name again."""
        self._db.delete(self._table, {"id": {"S": name}})
