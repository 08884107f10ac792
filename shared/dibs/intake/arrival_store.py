"""How many leads of each quality came to race, and how many of them blind (F5), on DynamoDB."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from dibs.aws import keys
from dibs.aws.attributes import Item
from dibs.aws.clock import to_ms
from dibs.aws.dynamo import Dynamo
from dibs.aws.settings import Settings
from dibs.core.calendar import Period, week_of
from dibs.core.quality import Quality
from dibs.intake.blind import ArrivalCounts
from dibs.intake.blind_mix import ZONE
from dibs.intake.ports import Arrivals
from dibs.race.store import place_at_night

_KEPT = timedelta(days=400)


class DynamoArrivals(Arrivals):
    """`Arrivals` on DynamoDB: one item per week, one write per lead, at most 100 a second.

    Keeps what the latest count returned: other processes' leads show with the next lead counted.
    """

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._db = dynamo
        self._to = settings
        self._table = settings.organisation_table
        self._known: dict[str, ArrivalCounts] = {}

    def lately(self, now: datetime) -> ArrivalCounts:
        """Return what came this week, as far as is known here, and the week before."""
        weeks = [week_of(ZONE, now).name, week_of(ZONE, now - timedelta(weeks=1)).name]
        for week in weeks:
            if week not in self._known:
                self._known[week] = _arrived(self._db.get(self._table, _key(week)) or {})
        return self._known[weeks[0]] + self._known[weeks[1]]

    def count(self, quality: Quality, blind: bool, at: datetime) -> None:
        """Count one lead that was stored."""
        week = week_of(ZONE, at)
        counted = [f"seen_{quality}", *([f"blind_{quality}"] if blind else [])]
        item = self._db.update(
            self._table,
            _key(week.name),
            f"ADD {', '.join(f'{name} :one' for name in counted)} SET expires_at = :expires",
            ExpressionAttributeValues={":one": {"N": "1"}, ":expires": _expires(week)},
            ReturnValues="ALL_NEW",
        )
        self._known[week.name] = _arrived(item)

    def of_weeks(self, weeks: Sequence[str]) -> list[ArrivalCounts]:
        """Return what came in these weeks."""
        found = self._db.batch_get({self._table: [_key(week) for week in weeks]})[self._table]
        return [_arrived(item) for item in found]

    def place(self, team: str, begins: datetime) -> int:
        """Count one lead that waits until the team's work begins; return how many came before."""
        return place_at_night(self._db, self._to, team, begins)


def _arrived(item: Item) -> ArrivalCounts:
    def counts(what: str) -> dict[Quality, int]:
        return {quality: int(item.get(f"{what}_{quality}", {"N": "0"})["N"]) for quality in Quality}

    return ArrivalCounts(counts("seen"), counts("blind"))


def _expires(week: Period) -> dict[str, str]:
    return {"N": str(to_ms(week.end + _KEPT) // 1000)}


def _key(week: str) -> Item:
    return {"pk": {"S": keys.arrivals(week)}}
