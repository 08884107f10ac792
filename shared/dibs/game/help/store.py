"""Help between colleagues on DynamoDB (G11): one item per request, and its place in two lists."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from pynamodb.attributes import (
    Attribute,
    AttributeContainer,
    BooleanAttribute,
    MapAttribute,
    UnicodeAttribute,
)
from pynamodb.constants import MAP

from dibs.aws import keys
from dibs.aws.attributes import InstantAttribute, IntegerAttribute, Item, KeyAttribute
from dibs.aws.clock import to_ms
from dibs.aws.codec import Codec
from dibs.aws.dynamo import ConditionFailed, Dynamo
from dibs.aws.settings import Settings
from dibs.game.help.ports import HelpRequests
from dibs.game.help.rules import MOST_ANSWERS, HelpAnswer, HelpRequest

# What people wrote freely is not kept for longer than it is of use.
_KEPT = timedelta(days=90)
_SHOWN = 50


class AnswerMap(MapAttribute[str, Any]):
    """A colleague's answer."""

    text = UnicodeAttribute()
    at = InstantAttribute()
    confirmed_at = InstantAttribute(null=True)


class AnswersAttribute(Attribute[Mapping[str, HelpAnswer]]):
    """Answers by who gave them: a map, so that each is set by itself."""

    attr_type = MAP

    def serialize(self, value: Mapping[str, HelpAnswer]) -> dict[str, Any]:
        return {rep_id: {MAP: _ANSWER.item(answer)} for rep_id, answer in value.items()}

    def deserialize(self, value: dict[str, Any]) -> dict[str, HelpAnswer]:
        return {rep_id: _ANSWER.value(one[MAP], rep_id=rep_id) for rep_id, one in value.items()}


class HelpRecord(AttributeContainer):
    """One request with its answers (game table): questions and answers are people's own words."""

    help_id = KeyAttribute(keys.help_request, hash_key=True, attr_name="pk")
    sk = UnicodeAttribute(range_key=True, default=keys.REQUEST)
    rep_id = UnicodeAttribute()
    team = UnicodeAttribute()
    lead_id = UnicodeAttribute()
    epoch = IntegerAttribute()
    question = UnicodeAttribute()
    asked_at = InstantAttribute()
    company = UnicodeAttribute(null=True)
    title = UnicodeAttribute(null=True)
    blind = BooleanAttribute(null=True)
    test = BooleanAttribute(null=True)
    closed_at = InstantAttribute(null=True)
    answers = AnswersAttribute()
    expires_at = IntegerAttribute()


_ANSWER = Codec(AnswerMap, HelpAnswer)
_HELP = Codec(
    HelpRecord,
    HelpRequest,
    beside=lambda request: {"expires_at": to_ms(request.asked_at + _KEPT) // 1000},
)
help_item, help_from = _HELP.item, _HELP.value


class DynamoHelp(HelpRequests):
    """`HelpRequests` on DynamoDB."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._db = dynamo
        self._table = settings.game_table

    def find(self, help_id: str) -> HelpRequest | None:
        """Return a request with its answers, as it is now."""
        if not (help_id.isascii() and len(help_id) <= 64):
            return None
        item = self._db.get(self._table, _key(help_id), consistent=True)
        return help_from(item) if item else None

    def add(self, request: HelpRequest) -> bool:
        """Store a request and its place in its asker's and its team's list, together."""
        stored = help_item(request)
        place = {
            "sk": {"S": keys.asked(request.asked_at, request.help_id)},
            "expires_at": stored["expires_at"],
        }
        lists = (keys.help_of_rep(request.rep_id), keys.help_of_team(request.team))
        new = {
            "TableName": self._table,
            "Item": stored,
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        places = [
            {"Put": {"TableName": self._table, "Item": {"pk": {"S": name}, **place}}}
            for name in lists
        ]
        try:
            self._db.transact([{"Put": new}, *places])
        except ConditionFailed:
            return False
        return True

    def of_rep(self, rep_id: str, since: datetime) -> list[HelpRequest]:
        """Return the latest fifty a rep asked since then, the newest first."""
        return self._listed(keys.help_of_rep(rep_id), since)

    def of_team(self, team: str, since: datetime) -> list[HelpRequest]:
        """Return the latest fifty a team was asked since then, the newest first."""
        return self._listed(keys.help_of_team(team), since)

    def _listed(self, name: str, since: datetime) -> list[HelpRequest]:
        places = self._db.query(
            self._table,
            "pk = :list AND sk >= :since",
            {":list": {"S": name}, ":since": {"S": keys.asked(since)}},
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=_SHOWN,
        )
        ids = [keys.part(item["sk"]["S"], 1) for item in islice(places, _SHOWN)]
        items = self._db.batch_get({self._table: list(map(_key, ids))}, (self._table,))
        found = map(help_from, items[self._table])
        return sorted(found, key=lambda one: (one.asked_at, one.help_id), reverse=True)

    def answer(self, help_id: str, answer: HelpAnswer) -> bool:
        """Store a rep's first answer; False when they have one, or it takes no more."""
        try:
            self._db.update(
                self._table,
                _key(help_id),
                "SET answers.#rep = :answer",
                "attribute_exists(pk) AND attribute_not_exists(closed_at) "
                "AND attribute_not_exists(answers.#rep) AND size(answers) < :most",
                ExpressionAttributeNames={"#rep": answer.rep_id},
                ExpressionAttributeValues={
                    ":answer": {"M": _ANSWER.item(answer)},
                    ":most": {"N": str(MOST_ANSWERS)},
                },
            )
        except ConditionFailed:
            return False
        return True

    def confirm(self, help_id: str, rep_id: str, at: datetime) -> None:
        """Note that an answer helped; the first note stays."""
        self._note(
            help_id,
            "SET answers.#rep.confirmed_at = :at",
            "attribute_exists(answers.#rep) AND attribute_not_exists(answers.#rep.confirmed_at)",
            at,
            ExpressionAttributeNames={"#rep": rep_id},
        )

    def close(self, help_id: str, at: datetime) -> None:
        """Note that nobody is to answer any more; the first note stays."""
        condition = "attribute_exists(pk) AND attribute_not_exists(closed_at)"
        self._note(help_id, "SET closed_at = :at", condition, at)

    def _note(self, help_id: str, change: str, condition: str, at: datetime, **more: Any) -> None:
        values: Item = {":at": {"N": str(to_ms(at))}}
        with suppress(ConditionFailed):
            self._db.update(
                self._table,
                _key(help_id),
                change,
                condition,
                ExpressionAttributeValues=values,
                **more,
            )


def _key(help_id: str) -> Item:
    return {"pk": {"S": keys.help_request(help_id)}, "sk": {"S": keys.REQUEST}}
