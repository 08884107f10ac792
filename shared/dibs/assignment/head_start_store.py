"""Whose turn it is to see new leads first (F6), on DynamoDB."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from dibs.assignment.head_starts import OnTurn, Rotation
from dibs.assignment.ports import PriorityTurns
from dibs.aws import keys
from dibs.aws.attributes import Item
from dibs.aws.clock import from_ms, to_ms
from dibs.aws.dynamo import ConditionFailed, Dynamo
from dibs.aws.settings import Settings

TURNS_SECONDS = 60.0
_KEPT = timedelta(days=90)
_REMEMBERED = 256


class DynamoTurns(PriorityTurns):
    """`PriorityTurns` on DynamoDB: where a team stands, and a card for each day given out.

    A day's turns are kept for a minute per process; they never change once they are recorded.
    """

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._db = dynamo
        self._table = settings.organisation_table
        self._days: dict[tuple[str, date], tuple[float, tuple[OnTurn, ...]]] = {}

    def rotation(self, team: str) -> Rotation:
        """Return where a team's turns stand, as it is now."""
        item = self._db.get(self._table, _key(team), consistent=True)
        if item is None:
            return Rotation()
        return Rotation(
            date.fromisoformat(item["day"]["S"]),
            json.loads(item["places"]["S"]),
            json.loads(item["given"]["S"]),
        )

    def give(
        self, team: str, last: Rotation, after: Rotation, day: date, turns: Sequence[OnTurn]
    ) -> bool:
        """Record a day's turns and where they stand then, together.

        False when somebody else has given out turns since `last`; nothing was changed then.
        """
        guard: Item = {":last": {"S": f"{last.day}"}}
        condition = "attribute_not_exists(pk)" if last.day is None else "#day = :last"
        rotation = {
            **_key(team),
            "day": {"S": f"{day}"},
            "places": {"S": json.dumps(after.places, separators=(",", ":"))},
            "given": {"S": json.dumps(after.given, separators=(",", ":"))},
        }
        card = {**_key(team, day), "turns": {"S": _written(turns)}, "expires_at": _expires(day)}
        named = {
            "ExpressionAttributeNames": {"#day": "day"},
            "ExpressionAttributeValues": guard,
        }
        try:
            self._db.transact(
                [
                    {
                        "Put": {
                            "TableName": self._table,
                            "Item": rotation,
                            "ConditionExpression": condition,
                            **({} if last.day is None else named),
                        }
                    },
                    {"Put": {"TableName": self._table, "Item": card}},
                ]
            )
        except ConditionFailed:
            return False
        return True

    def of_day(self, team: str, day: date) -> tuple[OnTurn, ...]:
        """Return a day's turns, none where they were not given out; at most a minute old."""
        known = self._days.get((team, day))
        if known is None or time.monotonic() > known[0]:
            item = self._db.get(self._table, _key(team, day))
            if len(self._days) >= _REMEMBERED:
                self._days.clear()
            known = (time.monotonic() + TURNS_SECONDS, _read(item["turns"]["S"]) if item else ())
            self._days[team, day] = known
        return known[1]


def _written(turns: Sequence[OnTurn]) -> str:
    rows = [[to_ms(turn.start), to_ms(turn.end), " ".join(turn.rep_ids)] for turn in turns]
    return json.dumps(rows, separators=(",", ":"))


def _read(text: str) -> tuple[OnTurn, ...]:
    return tuple(
        OnTurn(from_ms(start), from_ms(end), tuple(rep_ids.split()))
        for start, end, rep_ids in json.loads(text)
    )


def _expires(day: date) -> dict[str, str]:
    midnight = datetime.combine(day, datetime.min.time(), UTC)
    return {"N": str(to_ms(midnight + _KEPT) // 1000)}


def _key(team: str, day: date | None = None) -> Item:
    return {"pk": {"S": keys.turns(team, day)}}
