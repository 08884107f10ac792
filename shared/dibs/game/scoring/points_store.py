"""The points ledger on DynamoDB (G9): a rep's balance, and beside it every transfer that made it.

Every transfer is between a rep and the house, and stands once, in the rep's partition. The house's
accounts have no balance of their own: each award would write to the same item. What they hold is
the sum over all transfers, worked out when the ledger is audited.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from pynamodb.attributes import AttributeContainer, UnicodeAttribute

from dibs.aws import keys
from dibs.aws.attributes import InstantAttribute, IntegerAttribute, Item, KeyAttribute
from dibs.aws.codec import Codec
from dibs.aws.dynamo import ConditionFailed, Dynamo, insisting
from dibs.aws.settings import Settings
from dibs.game.scoring.points import Account, Transfer, accounts_of
from dibs.game.scoring.ports import PointsLedger

_FIGURES = ("balance", "earned", "lapsed", "spent")


class TransferRecord(AttributeContainer):
    """One transfer (game table), never changed once it is written."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    transfer_id = UnicodeAttribute()
    from_account = UnicodeAttribute()
    to_account = UnicodeAttribute()
    points = IntegerAttribute()
    at = InstantAttribute()
    rule = UnicodeAttribute()
    cause = UnicodeAttribute(null=True)


class AccountRecord(AttributeContainer):
    """A rep's points (game table): what their transfers come to, added up with each of them."""

    rep_id = KeyAttribute(keys.account, hash_key=True, attr_name="pk")
    sk = UnicodeAttribute(range_key=True, default=keys.BALANCE)
    balance = IntegerAttribute(null=True)
    earned = IntegerAttribute(null=True)
    lapsed = IntegerAttribute(null=True)
    spent = IntegerAttribute(null=True)


_TRANSFER = Codec(
    TransferRecord,
    Transfer,
    beside=lambda transfer: {
        "pk": keys.account(transfer.rep_id),
        "sk": keys.transfer(transfer.at, transfer.transfer_id),
    },
)
transfer_item, transfer_from = _TRANSFER.item, _TRANSFER.value
account_from = Codec(AccountRecord, Account).value


def transfer_writes(
    to: Settings, transfers: Sequence[Transfer], *, covered: bool = False
) -> list[dict[str, Any]]:
    """Return the parts of a transaction that book transfers: one write for each rep's balance,
    then one for each transfer, which fails where that transfer was posted before.

    With `covered` they fail as well where a balance would fall below nought.
    """
    return [
        *(_account_write(to, change, covered) for change in accounts_of(transfers).values()),
        *(_transfer_write(to, one) for one in transfers),
    ]


def _account_write(to: Settings, change: Account, covered: bool) -> dict[str, Any]:
    figures = [name for name in _FIGURES if getattr(change, name) or name == "balance"]
    values: Item = {f":{name}": {"N": str(getattr(change, name))} for name in figures}
    guard: dict[str, Any] = {}
    if covered and change.balance < 0:
        values[":least"] = {"N": str(-change.balance)}
        guard = {
            "ConditionExpression": "balance >= :least",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    return {
        "Update": {
            "TableName": to.game_table,
            "Key": balance_key(change.rep_id),
            "UpdateExpression": "ADD " + ", ".join(f"{name} :{name}" for name in figures),
            "ExpressionAttributeValues": values,
            **guard,
        }
    }


def _transfer_write(to: Settings, transfer: Transfer) -> dict[str, Any]:
    return {
        "Put": {
            "TableName": to.game_table,
            "Item": transfer_item(transfer),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
    }


class DynamoPoints(PointsLedger):
    """`PointsLedger` on DynamoDB."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._db = dynamo
        self._to = settings
        self._table = settings.game_table

    def account(self, rep_id: str) -> Account:
        """Return a rep's points, as they are now; noughts for who never had any."""
        found = self._db.get(self._table, balance_key(rep_id), consistent=True)
        return account_from(found) if found else Account(rep_id)

    def balance(self, rep_id: str) -> int:
        """Return what a rep may spend; below nought where they spent what was taken back."""
        return self.account(rep_id).balance

    def book(self, transfers: Sequence[Transfer], *, covered: bool = False) -> bool:
        """Book up to fifty transfers, all or none; for work nobody waits for.

        False when one of them was posted before, or, with `covered`, a balance would fall below
        nought.

        Raises:
            Busy: the store is busy for longer than we may wait; nothing was posted.
        """
        writes = transfer_writes(self._to, transfers, covered=covered)
        try:
            insisting(lambda: self._db.transact(writes))
        except ConditionFailed:
            return False
        return True

    def history(self, rep_id: str, limit: int, start: str = "") -> tuple[list[Transfer], str]:
        """Return a page of a rep's transfers, the newest first, and where the next one starts.

        That is empty where there is no more.
        """
        last = f"{keys.TRANSFERS}{start or _END}"
        found = list(islice(self._transfers(rep_id, keys.TRANSFERS, last, limit + 1), limit + 1))
        rest = found[limit]["sk"]["S"].removeprefix(keys.TRANSFERS) if len(found) > limit else ""
        return [transfer_from(item) for item in found[:limit]], rest

    def since(self, rep_id: str, start: datetime) -> Iterator[Transfer]:
        """Yield a rep's transfers from a moment on, the newest first."""
        last = f"{keys.TRANSFERS}{_END}"
        return map(transfer_from, self._transfers(rep_id, keys.transfer(start), last))

    def _transfers(self, rep_id: str, first: str, last: str, a_page: int = 1000) -> Iterator[Item]:
        return self._db.query(
            self._table,
            "pk = :account AND sk BETWEEN :first AND :last",
            {":account": {"S": keys.account(rep_id)}, ":first": {"S": first}, ":last": {"S": last}},
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=a_page,
        )

    def accounts(self) -> Iterator[Account]:
        """Yield every rep's points as they are kept, for the audit."""
        return map(account_from, self._scan(keys.BALANCE))

    def transfers(self) -> Iterator[Transfer]:
        """Yield every transfer there is, in no order, for the audit."""
        return map(transfer_from, self._scan(keys.TRANSFERS))

    def _scan(self, kind: str) -> Iterator[Item]:
        return self._db.scan(
            self._table,
            FilterExpression="begins_with(pk, :accounts) AND begins_with(sk, :kind)",
            ExpressionAttributeValues={":accounts": {"S": keys.ACCOUNTS}, ":kind": {"S": kind}},
            ConsistentRead=True,
        )


# Sorts after every moment.
_END = "~"


def balance_key(rep_id: str) -> Item:
    return {"pk": {"S": keys.account(rep_id)}, "sk": {"S": keys.BALANCE}}
