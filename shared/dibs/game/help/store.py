"""Help between colleagues on DynamoDB (G11): one item per request, and its place in two lists."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from dibs.aws import keys
from dibs.aws.attributes import InstantAttribute, Item
from dibs.aws.clock import from_ms, to_ms
from dibs.aws.dynamo import ConditionFailed, Dynamo
from dibs.aws.settings import Settings
from dibs.game.help.rules import MOST_ANSWERS, Answer, HelpRequest
from dibs.race.records import DevicesAttribute

# What people wrote freely is not kept for longer than it is of use.
_KEPT = timedelta(days=90)
_SHOWN = 50


class HelpRecord(Model):
    """One request with its answers (game table): questions and answers are people's own words."""

    class Meta:
        table_name = "game"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default=keys.REQUEST)
    rep_id = UnicodeAttribute()
    team = UnicodeAttribute()
    lead_id = UnicodeAttribute()
    epoch = NumberAttribute()
    question = UnicodeAttribute()
    asked_at = InstantAttribute()
    company = UnicodeAttribute(null=True)
    title = UnicodeAttribute(null=True)
    blind = BooleanAttribute(null=True)
    test = BooleanAttribute(null=True)
    closed_at = InstantAttribute(null=True)
    answers = DevicesAttribute()
    expires_at = NumberAttribute()


class DynamoHelp:
    """Implements `HelpRequests`."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._db = dynamo
        self._table = settings.game_table

    def find(self, help_id: str) -> HelpRequest | None:
        """Return a request with its answers, as it is now."""
        if not (help_id.isascii() and len(help_id) <= 64):
            return None
        item = self._db.get(self._table, _key(help_id), consistent=True)
        return request_from(item) if item else None

    def add(self, request: HelpRequest) -> bool:
        """Store a request and its place in its asker's and its team's list, together."""
        stored = request_record(request).serialize()
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
        ids = [item["sk"]["S"].partition("#")[2] for item in islice(places, _SHOWN)]
        items = self._db.batch_get({self._table: list(map(_key, ids))}, (self._table,))
        found = map(request_from, items[self._table])
        return sorted(found, key=lambda one: (one.asked_at, one.help_id), reverse=True)

    def answer(self, help_id: str, answer: Answer) -> bool:
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
                    ":answer": {"M": _answer_item(answer)},
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


def request_record(request: HelpRequest) -> HelpRecord:
    """Return the record of a request; empty words are left out."""
    return HelpRecord(
        pk=keys.help_request(request.help_id),
        rep_id=request.rep_id,
        team=request.team,
        lead_id=request.lead_id,
        epoch=request.epoch,
        question=request.question,
        asked_at=request.asked_at,
        company=request.company or None,
        title=request.title or None,
        blind=request.blind or None,
        test=request.test or None,
        closed_at=request.closed_at,
        answers={rep_id: _answer_item(one) for rep_id, one in request.answers.items()},
        expires_at=to_ms(request.asked_at + _KEPT) // 1000,
    )


def request_from(item: Item) -> HelpRequest:
    """Return the request a stored record describes."""
    record = HelpRecord.from_raw_data(item)
    return HelpRequest(
        help_id=record.pk.removeprefix(keys.help_request("")),
        rep_id=record.rep_id,
        team=record.team,
        lead_id=record.lead_id,
        epoch=int(record.epoch),
        question=record.question,
        asked_at=record.asked_at,
        company=record.company or "",
        title=record.title or "",
        blind=bool(record.blind),
        test=bool(record.test),
        closed_at=record.closed_at,
        answers={rep_id: _answer_from(rep_id, one) for rep_id, one in record.answers.items()},
    )


def _key(help_id: str) -> Item:
    return {"pk": {"S": keys.help_request(help_id)}, "sk": {"S": keys.REQUEST}}


def _answer_item(answer: Answer) -> Item:
    item: Item = {"text": {"S": answer.text}, "at": {"N": str(to_ms(answer.at))}}
    if answer.confirmed_at is not None:
        item["confirmed_at"] = {"N": str(to_ms(answer.confirmed_at))}
    return item


def _answer_from(rep_id: str, item: Item) -> Answer:
    confirmed = item.get("confirmed_at")
    return Answer(
        rep_id=rep_id,
        text=item["text"]["S"],
        at=from_ms(int(item["at"]["N"])),
        confirmed_at=None if confirmed is None else from_ms(int(confirmed["N"])),
    )
