"""What the jobs of a period worked out, and the targets they measure by, on DynamoDB."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from dacite import Config, from_dict

from dibs.aws import keys
from dibs.aws.attributes import Item
from dibs.aws.clock import to_ms
from dibs.aws.dynamo import ConditionFailed, Dynamo, insisting
from dibs.aws.settings import Settings
from dibs.core.calendar import named
from dibs.reports.assignment_rows import Row
from dibs.reports.ports import PeriodResults, QuotaResult, Targets
from dibs.reports.tiers import Inputs, Outlook

_KEPT = timedelta(days=400)
_IN_ONE_WRITE = 100
_CAST = Config(cast=[tuple])


class DynamoPeriodResults(PeriodResults):
    """On DynamoDB: a card per rep and period, and a note per job of its latest period."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._db = dynamo
        self._table = settings.organisation_table

    def begin(self, job: str, period: str, version: int, now: datetime) -> int | None:
        """Return the playbook version a job was first begun under for a period.

        None when that period, or a later one, is done or has been begun instead.
        """
        try:
            self._db.update(
                self._table,
                _key(keys.job(job)),
                "SET #period = :period, version = :version, begun_at = :now REMOVE done_at",
                "attribute_not_exists(pk) OR #period < :period",
                ExpressionAttributeNames={"#period": "period"},
                ExpressionAttributeValues={
                    ":period": {"S": period},
                    ":version": {"N": str(version)},
                    ":now": {"N": str(to_ms(now))},
                },
            )
        except ConditionFailed as failure:
            noted = failure.items[0] or {}
            under_way = noted["period"]["S"] == period and "done_at" not in noted
            return int(noted["version"]["N"]) if under_way else None
        return version

    def end(self, job: str, period: str, now: datetime) -> None:
        """Note that a job is done for a period."""
        try:
            self._db.update(
                self._table,
                _key(keys.job(job)),
                "SET done_at = if_not_exists(done_at, :now)",
                "#period = :period",
                ExpressionAttributeNames={"#period": "period"},
                ExpressionAttributeValues={
                    ":period": {"S": period},
                    ":now": {"N": str(to_ms(now))},
                },
            )
        except ConditionFailed:
            return  # A later period has been begun meanwhile.

    def inputs(self, week: str, rep_ids: Sequence[str]) -> dict[str, Inputs]:
        """Return what these reps are judged on in that week, as far as it was recorded."""
        cards = self._cards([keys.tier_card(rep_id, week) for rep_id in rep_ids])
        found = (from_dict(Inputs, json.loads(card["inputs"]["S"])) for card in cards)
        return {one.rep_id: one for one in found}

    def record_inputs(self, week: str, found: Sequence[Inputs]) -> None:
        """Record what reps are judged on; what was recorded before stays."""
        waiting = list(found)
        while waiting:
            page = waiting[:_IN_ONE_WRITE]
            try:
                self._db.transact([self._new(_inputs_item(one, week)) for one in page])
            except ConditionFailed as failure:
                # Another run of the same job was here first with some of them.
                known = {one.rep_id for one, had in zip(page, failure.failed, strict=True) if had}
                waiting = [one for one in waiting if one.rep_id not in known]
            else:
                waiting = waiting[_IN_ONE_WRITE:]

    def record_outlooks(self, week: str, version: int, outlooks: Sequence[Outlook]) -> None:
        """Put the placings beside what they were made from."""
        self._db.batch_put(
            self._table,
            [
                {
                    **_inputs_item(one.inputs, week),
                    "outlook": {"S": json.dumps(asdict(one))},
                    "playbook_version": {"N": str(version)},
                }
                for one in outlooks
            ],
        )

    def outlook(self, rep_id: str, week: str) -> Outlook | None:
        """Return what a rep may read of their placing in a week, None where there is none."""
        card = self._db.get(self._table, _key(keys.tier_card(rep_id, week)))
        return outlook_from(card) if card else None

    def record_attained(self, rep_id: str, month: str, result: QuotaResult) -> bool:
        """Store a month's result and the allowance that follows, once; False when there is one."""
        card = {
            **_key(keys.quota_card(rep_id, month)),
            "attained": {"S": json.dumps(_attained_body(result))},
            "expires_at": _expires(month),
        }
        allowance = {
            "Update": {
                "TableName": self._table,
                "Key": _key(keys.rep(rep_id)),
                "UpdateExpression": "SET allowance = :leads, allowance_month = :month",
                "ConditionExpression": "attribute_exists(pk) AND "
                "(attribute_not_exists(allowance_month) OR allowance_month < :month)",
                "ExpressionAttributeValues": {
                    ":leads": {"N": str(result.allowance)},
                    ":month": {"S": month},
                },
            }
        }
        try:
            # The rep may be claiming at this moment.
            insisting(lambda: self._db.transact([self._new(card), allowance]))
        except ConditionFailed:
            return False
        return True

    def attained(self, rep_id: str, month: str) -> QuotaResult | None:
        """Return what a rep made of a month's target, None where it was not worked out."""
        card = self._db.get(self._table, _key(keys.quota_card(rep_id, month)))
        return attained_from(card) if card else None

    def record_report(self, team: str, week: str, rows: Sequence[Row]) -> None:
        """Keep a week's assignment report; the first one that is kept stays."""
        kept = json.dumps([asdict(row) for row in rows])
        with suppress(ConditionFailed):
            self._db.put(
                self._table,
                {**_key(keys.report(team, week)), "rows": {"S": kept}},
                "attribute_not_exists(pk)",
            )

    def report(self, team: str, week: str) -> list[Row] | None:
        """Return a week's report that was kept, None where none was."""
        item = self._db.get(self._table, _key(keys.report(team, week)))
        return [from_dict(Row, row) for row in json.loads(item["rows"]["S"])] if item else None

    def _cards(self, wanted: Sequence[str]) -> list[Item]:
        if not wanted:
            return []
        found = self._db.batch_get({self._table: [_key(pk) for pk in wanted]}, (self._table,))
        return found[self._table]

    def _new(self, item: Item) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": self._table,
                "Item": item,
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }


class DynamoTargets(Targets):
    """`Targets` on DynamoDB: one item per rep and month."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._db = dynamo
        self._table = settings.organisation_table

    def of(self, month: date, rep_ids: Sequence[str]) -> dict[str, int]:
        """Return the month's targets of these reps; who has none is absent."""
        if not rep_ids:
            return {}
        wanted = [_key(keys.target(rep_id, month)) for rep_id in rep_ids]
        found = self._db.batch_get({self._table: wanted})[self._table]
        return {keys.part(item["pk"]["S"], 1): int(item["target"]["N"]) for item in found}

    def put(self, month: date, targets: Mapping[str, int]) -> None:
        """Set the month's targets of these reps."""
        self._db.batch_put(
            self._table,
            [
                {**_key(keys.target(rep_id, month)), "target": {"N": str(target)}}
                for rep_id, target in targets.items()
            ],
        )


def _inputs_item(inputs: Inputs, week: str) -> Item:
    return {
        **_key(keys.tier_card(inputs.rep_id, week)),
        "inputs": {"S": json.dumps(asdict(inputs))},
        "expires_at": _expires(week),
    }


def _attained_body(result: QuotaResult) -> dict[str, Any]:
    reached = None if result.attainment is None else str(result.attainment)
    return {**asdict(result), "attainment": reached}


def outlook_from(card: Item) -> Outlook | None:
    """Return the placing a week's card holds, None while it holds only what it is made from."""
    if "outlook" not in card:
        return None
    return from_dict(Outlook, json.loads(card["outlook"]["S"]), _CAST)


def attained_from(card: Item) -> QuotaResult:
    """Return the result a month's card holds."""
    body = json.loads(card["attained"]["S"])
    reached = body["attainment"]
    return QuotaResult(**{**body, "attainment": None if reached is None else Fraction(reached)})


def _expires(period: str) -> dict[str, str]:
    # By the period and not by the clock: written twice, a card is the same.
    return {"N": str(to_ms(named(period, "UTC").end + _KEPT) // 1000)}


def _key(pk: str) -> Item:
    return {"pk": {"S": pk}}
