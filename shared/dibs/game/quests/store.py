"""Steps of quests that reps told of, on DynamoDB (G8): theirs, and on the lists of who confirms."""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import AttributeContainer, UnicodeAttribute

from dibs.aws import keys
from dibs.aws.attributes import InstantAttribute, Item
from dibs.aws.clock import to_ms
from dibs.aws.codec import Codec
from dibs.aws.dynamo import ConditionFailed, Dynamo
from dibs.aws.settings import Settings
from dibs.game.quests.ports import QuestLog
from dibs.game.quests.rules import MANAGERS, ReportedStep


class ReportedStepRecord(AttributeContainer):
    """A step somebody told of (game table), once for them and once for each who may confirm it."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    rep_id = UnicodeAttribute()
    quest = UnicodeAttribute()
    step = UnicodeAttribute()
    at = InstantAttribute()
    peer = UnicodeAttribute(null=True)


_TOLD = Codec(ReportedStepRecord, ReportedStep)
told_item, told_from = _TOLD.item, _TOLD.value


class DynamoQuests(QuestLog):
    """`QuestLog` on DynamoDB."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._db = dynamo
        self._table = settings.game_table

    def tell(self, told: ReportedStep, was: ReportedStep | None) -> bool:
        """Store what a rep tells, for them and for who is to confirm it, together.

        False when they told something else of the step than it `was`; nothing was changed then.
        """
        pk, sk = keys.quests_of(told.rep_id), keys.told_step(told.quest, told.step)
        own: dict[str, Any] = {
            "TableName": self._table,
            "Item": told_item(told, pk=pk, sk=sk),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        if was is not None:
            own["ConditionExpression"] = "#at = :was"
            own["ExpressionAttributeNames"] = {"#at": "at"}
            own["ExpressionAttributeValues"] = {":was": {"N": str(to_ms(was.at))}}
        lists = _lists(told)
        gone = [key for key in (_lists(was) if was else ()) if key not in lists]
        writes: list[dict[str, Any]] = [{"Put": own}]
        for pk, sk in lists:
            writes.append(
                {"Put": {"TableName": self._table, "Item": told_item(told, pk=pk, sk=sk)}}
            )
        for pk, sk in gone:
            writes.append({"Delete": {"TableName": self._table, "Key": _key(pk, sk)}})
        try:
            self._db.transact(writes)
        except ConditionFailed:
            return False
        return True

    def reported_by(self, rep_id: str) -> list[ReportedStep]:
        """Return every step a rep told of, confirmed or not, by quest and step."""
        return self._listed(keys.quests_of(rep_id))

    def waiting_for(self, who: str) -> list[ReportedStep]:
        """Return what waits for a peer's word, or for the managers'."""
        return self._listed(keys.quests_for(who))

    def settle(self, told: ReportedStep) -> None:
        """Take it off the lists of who was to confirm it; the rep's own stays."""
        for pk, sk in _lists(told):
            self._db.delete(self._table, _key(pk, sk))

    def _listed(self, pk: str) -> list[ReportedStep]:
        found = self._db.query(self._table, "pk = :list", {":list": {"S": pk}}, ConsistentRead=True)
        return list(map(told_from, found))


def _lists(told: ReportedStep) -> list[tuple[str, str]]:
    """Return where a step waits: with the managers, and with the peer that was named."""
    sk = keys.told_step(told.quest, told.step, told.rep_id)
    return [(keys.quests_for(who), sk) for who in (MANAGERS, told.peer) if who]


def _key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}
