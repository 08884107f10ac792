"""Contests on DynamoDB, and as they are sent: an item or a few for definition, start and result."""

from __future__ import annotations

import hashlib
import hmac
import json
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, fields, replace
from datetime import date, datetime
from fractions import Fraction
from functools import lru_cache
from typing import Any

from dacite import Config, from_dict
from pydantic import TypeAdapter, ValidationError

from dibs.aws import keys
from dibs.aws.attributes import Item
from dibs.aws.clock import from_ms, to_ms
from dibs.aws.dynamo import ConditionFailed, Dynamo
from dibs.aws.settings import Settings
from dibs.core.errors import FieldError, InvalidInput
from dibs.game.contests.checks import LATEST
from dibs.game.contests.ports import Contests, PlannedContest, SignedResult
from dibs.game.contests.rules import Contest, ContestStanding, ContestTimes, FrozenContest, Result
from dibs.game.contests.series import Repeats, Series
from dibs.web.body import field_errors

# An item has room for 400 KB, its names among them.
_LARGEST = 380_000

Wrong = tuple[FieldError, ...]

_STORED = Config(
    cast=[tuple],
    type_hooks={
        date: date.fromisoformat,
        datetime: datetime.fromisoformat,
        Fraction: Fraction,
    },
    strict=True,
)


def signature(text: str, secret: str) -> str:
    """Return the HMAC-SHA256 of a text in hex, as `openssl dgst -sha256 -hmac SECRET` does."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=1)
def _shape() -> TypeAdapter[Contest]:
    return TypeAdapter(Contest)


# In place of a needed field that cannot be read, so that the others are judged all the same.
_UNREAD = {"name": "-", "kind": "individual"}


def contest_from_body(contest_id: str, body: Mapping[str, Any]) -> tuple[Contest, Wrong]:
    """Return the contest a body describes, and what of it cannot be read or is not known.

    What cannot be read is at its default; who judges the contest names all errors at once.
    """
    wrong: Wrong = ()
    if "contest_id" in body and body["contest_id"] != contest_id:
        wrong = (FieldError("contest_id", "is not the one in the address"),)
    given = {**body, "contest_id": contest_id}
    try:
        return _contest(given), wrong
    except ValidationError as error:
        wrong += field_errors(error, tuple(field.name for field in fields(Contest)))
    bad = {error.field.partition(".")[0] for error in wrong} - {"contest_id"}
    good = {name: value for name, value in given.items() if name not in bad}
    day = good.get("first_day", good.get("last_day", str(date.max)))
    try:
        return _contest({**_UNREAD, "first_day": day, "last_day": day, **good}), wrong
    except ValidationError as error:
        raise InvalidInput(wrong) from error


def series_from_body(series_id: str, body: Mapping[str, Any]) -> tuple[Series, Wrong]:
    """Return the series a body describes: a contest with `repeats`, whose last day may be left out.

    What cannot be read is at its default, as in `contest_from_body`.
    """
    own: Wrong = ()
    given = {name: value for name, value in body.items() if name != "repeats"}
    if given.pop("series_id", series_id) != series_id:
        own = (FieldError("series_id", "is not the one in the address"),)
    try:
        text = json.dumps(body.get("repeats"))
        repeats = TypeAdapter(Repeats).validate_json(text, strict=True)
    except ValidationError as error:
        repeats = Repeats("week")
        for part in field_errors(error, tuple(one.name for one in fields(Repeats))):
            field = f"repeats.{part.field}".removesuffix(".body")
            own += (replace(part, field=field),)
    contest, wrong = contest_from_body(series_id, {"last_day": str(LATEST), **given})
    return Series(contest, repeats), (*own, *wrong)


def series_schema() -> dict[str, Any]:
    """Return the JSON Schema of what `series_from_body` takes."""
    made, repeats = contest_schema(), TypeAdapter(Repeats).json_schema()
    made["required"] = [*(name for name in made["required"] if name != "last_day"), "repeats"]
    made["properties"] |= {"repeats": repeats, "series_id": {"type": "string"}}
    return made


def _contest(body: Mapping[str, Any]) -> Contest:
    return _shape().validate_json(json.dumps(body), strict=True)


def contest_schema() -> dict[str, Any]:
    """Return the JSON Schema of what `contest_from_body` takes."""
    made = _shape().json_schema()
    made["required"].remove("contest_id")
    return made


def contest_body(contest: Contest) -> dict[str, Any]:
    """Return a contest as it is sent: all of its rules, also those that are off."""
    found: dict[str, Any] = json.loads(_text(contest))
    return found


class DynamoContests(Contests):
    """`Contests` on DynamoDB."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._db = dynamo
        self._table = settings.game_table

    def all(self) -> list[PlannedContest]:
        """Return every contest there is, by id."""
        found = self._db.query(
            self._table, "pk = :all", {":all": {"S": keys.CONTESTS}}, ConsistentRead=True
        )
        return [_planned(item) for item in found]

    def get(self, contest_id: str) -> PlannedContest | None:
        """Return a contest as it is now."""
        item = self._db.get(self._table, _definition(contest_id), consistent=True)
        return _planned(item) if item else None

    def plan(self, planned: PlannedContest) -> bool:
        """Store a contest that is to come; False when it has begun or was cancelled."""
        item = {
            **_definition(planned.contest.contest_id),
            "contest": {"S": _text(planned.contest)},
            "times": {"S": _text(planned.times)},
            "state": {"S": "upcoming"},
            "by": {"S": planned.by},
        }
        try:
            self._db.put(
                self._table,
                item,
                "attribute_not_exists(pk) OR #state = :upcoming OR taken_back = :yes",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={":upcoming": {"S": "upcoming"}, ":yes": {"BOOL": True}},
            )
        except ConditionFailed:
            return False
        return True

    def take_back(self, contest_id: str) -> bool:
        """Call off a contest that is to come, so that `plan` may set it up again; False if not."""
        try:
            self._db.update(
                self._table,
                _definition(contest_id),
                "SET #state = :cancelled, taken_back = :yes",
                "#state = :upcoming",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={
                    ":cancelled": {"S": "cancelled"},
                    ":upcoming": {"S": "upcoming"},
                    ":yes": {"BOOL": True},
                },
            )
        except ConditionFailed:
            return False
        return True

    def cancel(self, contest_id: str) -> bool:
        """Call a contest off; False when it is final, was cancelled before, or is none."""
        try:
            self._db.update(
                self._table,
                _definition(contest_id),
                "SET #state = :cancelled",
                "#state IN (:upcoming, :live)",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={
                    f":{state}": {"S": state} for state in ("cancelled", "upcoming", "live")
                },
            )
        except ConditionFailed:
            return False
        return True

    def open(self, planned: PlannedContest, frozen: FrozenContest, seed: str) -> bool:
        """Begin a contest, as it was read, and freeze what it is about; False when it has begun."""
        contest_id = planned.contest.contest_id
        kept = _parts(contest_id, keys.FROZEN, _text(frozen), seed={"S": seed})
        begun = {
            "UpdateExpression": "SET #state = :live, contest = :contest, times = :times",
            "ConditionExpression": "#state = :upcoming",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {
                ":live": {"S": "live"},
                ":upcoming": {"S": "upcoming"},
                ":times": {"S": _text(frozen.times)},
                ":contest": {"S": _text(planned.contest)},
            },
        }
        return self._both(kept, contest_id, begun)

    def frozen(self, contest_id: str) -> tuple[FrozenContest, str] | None:
        """Return what is frozen of a contest, and its seed, as it is now."""
        kept = self._whole(contest_id, keys.FROZEN)
        if kept is None:
            return None
        text, item = kept
        return from_dict(FrozenContest, json.loads(text), _STORED), item["seed"]["S"]

    def refresh(self, contest_id: str, standing: ContestStanding, at: datetime) -> None:
        """Keep how a contest stands; never in place of a later one."""
        now = {"N": str(to_ms(at))}
        with suppress(ConditionFailed):
            for part in _parts(contest_id, keys.STANDING, _text(standing), at=now):
                self._db.put(
                    self._table,
                    part,
                    "attribute_not_exists(pk) OR #at <= :at",
                    ExpressionAttributeNames={"#at": "at"},
                    ExpressionAttributeValues={":at": now},
                )

    def standing(self, contest_id: str) -> tuple[ContestStanding, datetime] | None:
        """Return how a contest stood when it was last counted; None while that is being stored."""
        kept = self._whole(contest_id, keys.STANDING)
        if kept is None:
            return None
        text, item = kept
        return from_dict(ContestStanding, json.loads(text), _STORED), from_ms(int(item["at"]["N"]))

    def close(self, signed: SignedResult) -> bool:
        """Store a result and make its contest final; False when it is not live."""
        contest_id = signed.result.contest.contest_id
        kept = _parts(contest_id, keys.RESULT, signed.text, signature={"S": signed.signature})
        over = {
            "UpdateExpression": "SET #state = :final, owed = :yes",
            "ConditionExpression": "#state = :live",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {
                ":final": {"S": "final"},
                ":live": {"S": "live"},
                ":yes": {"BOOL": True},
            },
        }
        return self._both(kept, contest_id, over)

    def result(self, contest_id: str) -> SignedResult | None:
        """Return how a contest ended."""
        kept = self._whole(contest_id, keys.RESULT)
        if kept is None:
            return None
        text, item = kept
        return SignedResult(
            from_dict(Result, json.loads(text), _STORED), text, item["signature"]["S"]
        )

    def paid(self, contest_id: str) -> None:
        """Note that a contest's prizes are posted."""
        self._db.update(self._table, _definition(contest_id), "REMOVE owed", "attribute_exists(pk)")

    def series(self) -> list[Series]:
        """Return every series of contests, by id."""
        found = self._db.query(
            self._table, "pk = :all", {":all": {"S": keys.CONTEST_SERIES}}, ConsistentRead=True
        )
        return [from_dict(Series, json.loads(item["series"]["S"]), _STORED) for item in found]

    def put_series(self, series: Series) -> None:
        """Store a series in place of an earlier one of that id."""
        key = {"pk": {"S": keys.CONTEST_SERIES}, "sk": {"S": series.series_id}}
        self._db.put(self._table, {**key, "series": {"S": _text(series)}})

    def _whole(self, contest_id: str, what: str) -> tuple[str, Item] | None:
        """Return a text from its parts, and the first of these; None where one is missing or was
        stored at another time."""
        parts = list(
            self._db.query(
                self._table,
                "pk = :contest AND begins_with(sk, :what)",
                {":contest": {"S": keys.contest(contest_id)}, ":what": {"S": what}},
                ConsistentRead=True,
            )
        )
        parts = parts[: int(parts[0]["parts"]["N"])] if parts else []
        if not parts or len(parts) < int(parts[0]["parts"]["N"]):
            return None
        if any(part.get("at") != parts[0].get("at") for part in parts):
            return None
        packed = b"".join(bytes(part[what.lower()]["B"]) for part in parts)
        return zlib.decompress(packed).decode(), parts[0]

    def _both(self, kept: Sequence[Item], contest_id: str, change: Mapping[str, Any]) -> bool:
        """Store items that are new and change the definition, in one transaction."""
        new = [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": item,
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            }
            for item in kept
        ]
        changed = {"TableName": self._table, "Key": _definition(contest_id), **change}
        try:
            self._db.transact([*new, {"Update": changed}])
        except ConditionFailed:
            return False
        return True


def _planned(item: Item) -> PlannedContest:
    return PlannedContest(
        contest=from_dict(Contest, json.loads(item["contest"]["S"]), _STORED),
        state=item["state"]["S"],
        times=from_dict(ContestTimes, json.loads(item["times"]["S"]), _STORED),
        by=item["by"]["S"],
        owed="owed" in item,
        taken_back="taken_back" in item,
    )


def _text(stored: Any) -> str:
    return json.dumps(asdict(stored), sort_keys=True, ensure_ascii=False, default=_word)


def _word(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _parts(contest_id: str, what: str, text: str, **more: Any) -> list[Item]:
    """Return the items a text is kept in, packed.

    10,000 reps come to about 300 KB, which is one item; tie-breakers make it more.
    """
    packed = zlib.compress(text.encode())
    parts = [packed[start : start + _LARGEST] for start in range(0, len(packed), _LARGEST)]
    return [
        {
            **_of(contest_id, f"{what}#{number:02}" if number else what),
            what.lower(): {"B": part},
            "parts": {"N": str(len(parts))},
            **more,
        }
        for number, part in enumerate(parts)
    ]


def _definition(contest_id: str) -> Item:
    return {"pk": {"S": keys.CONTESTS}, "sk": {"S": contest_id}}


def _of(contest_id: str, what: str) -> Item:
    return {"pk": {"S": keys.contest(contest_id)}, "sk": {"S": what}}
