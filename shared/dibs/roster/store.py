"""Reps, teams, the playbook and the text-message counters, on DynamoDB."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from dibs.aws import keys
from dibs.aws.attributes import Item
from dibs.aws.clock import now, to_ms
from dibs.aws.dynamo import ConditionFailed, Dynamo, insisting
from dibs.aws.settings import Settings
from dibs.core.credentials import Credential, Shown
from dibs.core.errors import AlreadyExists, RouteNotFound
from dibs.core.rep import Device, Rep, Usage
from dibs.race.credential_records import credential_item
from dibs.race.rep_records import device_item, rep_from, rep_item
from dibs.race.store import PLAYBOOK_SECONDS
from dibs.roster.audit import Entry
from dibs.roster.audit_store import put_entry
from dibs.roster.ports import Roster
from dibs.rules.playbook import Playbook
from dibs.rules.playbook_store import stored_playbook

ROSTER_SECONDS = 5.0
_COUNTERS_KEPT = timedelta(days=8)


class DynamoRoster(Roster):
    """`Roster` on DynamoDB. A team's snapshot is kept for 5 s, the playbook for 20 s."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._db = dynamo
        self._to = settings
        self._table = settings.organisation_table
        self._playbook: tuple[float, Playbook] | None = None
        self._teams: dict[str, tuple[float, list[tuple[Rep, Usage]]]] = {}

    def playbook(self) -> Playbook:
        """Return the playbook in force."""
        known = self._playbook
        if known is None or time.monotonic() > known[0]:
            item = self._db.get(self._table, {"pk": {"S": keys.PLAYBOOK}})
            known = (time.monotonic() + PLAYBOOK_SECONDS, stored_playbook(item))
            self._playbook = known
        return known[1]

    def team(self, team: str, *, fresh: bool = False) -> Sequence[tuple[Rep, Usage]]:
        """Return the team's reps with what they have used up, from one snapshot of it."""
        known = self._teams.get(team)
        if fresh or known is None or time.monotonic() > known[0]:
            known = (time.monotonic() + ROSTER_SECONDS, self._read_team(team))
            self._teams[team] = known
        return known[1]

    def _read_team(self, team: str) -> list[tuple[Rep, Usage]]:
        found = self._db.query(
            self._table,
            "team = :team AND begins_with(pk, :rep)",
            {":team": {"S": team}, ":rep": {"S": keys.rep("")}},
            index=keys.TEAM_INDEX,
        )
        return [rep_from(item)[:2] for item in found]

    def get(self, rep_id: str) -> Rep | None:
        """Read one rep."""
        return self.get_many([rep_id]).get(rep_id)

    def counted(self, rep_id: str) -> tuple[Rep, Usage] | None:
        """Read one rep with what they have used up, as it is now."""
        item = self._db.get(self._table, _rep(rep_id), consistent=True)
        return rep_from(item)[:2] if item else None

    def get_many(self, rep_ids: Sequence[str]) -> dict[str, Rep]:
        """Read reps, 100 a request; no rep has an id the table would not take as a key."""
        wanted = [_rep(rep_id) for rep_id in rep_ids if rep_id.isascii() and len(rep_id) <= 64]
        if not wanted:
            return {}
        found = self._db.batch_get({self._table: wanted})
        reps = [rep_from(item)[0] for item in found[self._table]]
        return {rep.rep_id: rep for rep in reps}

    def by_phone(self, phone: str) -> tuple[Rep, Usage] | None:
        """Return the rep with this number and what they have used up, None for a stranger's."""
        item = self._db.get(self._table, {"pk": {"S": keys.phone(phone)}})
        return self.counted(item["rep_id"]["S"]) if item else None

    def add(self, rep: Rep, shown: Shown, token: Credential, entry: Entry) -> None:
        """Store a new rep with their first token, and their phone number's way back to them.

        Raises:
            AlreadyExists: the id or the phone number is taken.
        """
        writes: list[dict[str, Any]] = [_new(self._table, rep_item(rep))]
        if rep.phone:
            writes.append(
                _new(self._table, {"pk": {"S": keys.phone(rep.phone)}, "rep_id": {"S": rep.rep_id}})
            )
        issued = {"TableName": self._to.credentials_table, "Item": credential_item(shown, token)}
        writes += [{"Put": issued}, put_entry(self._to.audit_table, entry)]
        try:
            self._db.transact(writes)
        except ConditionFailed as failure:
            taken = "rep id" if failure.failed[0] else "phone number"
            raise AlreadyExists(f"This {taken} belongs to another rep.") from failure

    def set_tier(self, rep_id: str, was: int, tier: int) -> bool:
        """Move a rep to another tier; False when they were moved meanwhile."""
        try:
            # The rep may be claiming at this moment.
            insisting(
                lambda: self._db.update(
                    self._table,
                    _rep(rep_id),
                    "SET tier = :tier",
                    "tier = :was",
                    ExpressionAttributeValues={":tier": {"N": str(tier)}, ":was": {"N": str(was)}},
                )
            )
        except ConditionFailed:
            return False
        return True

    def put_profile(self, rep: Rep, fields: Sequence[str]) -> None:
        """Store these fields of a rep's profile; what is empty is taken away."""
        stored = rep_item(rep)
        names = {f"#{name}": name for name in fields}
        values = {f":{name}": stored[name] for name in fields if name in stored}
        sets = ", ".join(f"#{name} = :{name}" for name in fields if name in stored)
        gone = ", ".join(f"#{name}" for name in fields if name not in stored)
        change = " ".join(
            [*([f"SET {sets}"] if sets else []), *([f"REMOVE {gone}"] if gone else [])]
        )
        if change:
            self._update(rep.rep_id, change, values, names)

    def deactivate(self, rep_id: str, left_on: date) -> None:
        """Note that a rep left: they are told nothing, token and sessions end at once (R8)."""
        values = {":no": {"BOOL": False}, ":day": {"S": left_on.isoformat()}, ":one": {"N": "1"}}
        try:
            self._db.update(
                self._table,
                _rep(rep_id),
                "SET active = :no, left_on = :day REMOVE token_hash ADD token_number :one",
                "attribute_exists(pk) AND active <> :no",
                ExpressionAttributeValues=values,
            )
        except ConditionFailed as failure:
            if failure.items[0] is None:
                raise RouteNotFound("There is no such rep.") from failure

    def opt_out(self, rep_id: str, opted_out: bool) -> None:
        """Keep what the rep told the carrier: STOP or START (N5)."""
        self._set(rep_id, "SET sms_opted_out = :value", {"BOOL": opted_out})

    def pause(self, rep_id: str, until: datetime | None) -> None:
        """Pause the rep until then, or switch them on (R8)."""
        self._until(rep_id, "paused_until", until)

    def quiet(self, rep_id: str, until: datetime | None) -> None:
        """Send the rep no alert until then, or send them again (R8)."""
        self._until(rep_id, "quiet_until", until)

    def _until(self, rep_id: str, name: str, until: datetime | None) -> None:
        if until is None:
            self._set(rep_id, f"REMOVE {name}", None)
        else:
            self._set(rep_id, f"SET {name} = :value", {"N": str(to_ms(until))})

    def put_device(self, rep_id: str, device: Device) -> None:
        """Record a device, or its new token's endpoint."""
        self._set(
            rep_id,
            "SET devices.#device = :value",
            {"M": device_item(device, at=now())},
            {"#device": device.device_id},
        )

    def remove_device(self, rep_id: str, device_id: str) -> None:
        """Forget a device."""
        self._set(rep_id, "REMOVE devices.#device", None, {"#device": device_id})

    def _set(
        self,
        rep_id: str,
        expression: str,
        value: dict[str, Any] | None,
        names: dict[str, str] | None = None,
    ) -> None:
        self._update(rep_id, expression, {} if value is None else {":value": value}, names)

    def _update(
        self,
        rep_id: str,
        expression: str,
        values: dict[str, Any],
        names: dict[str, str] | None = None,
    ) -> None:
        options: dict[str, Any] = {}
        if values:
            options["ExpressionAttributeValues"] = values
        if names:
            options["ExpressionAttributeNames"] = names
        try:
            self._db.update(
                self._table, _rep(rep_id), expression, "attribute_exists(pk)", **options
            )
        except ConditionFailed as failure:
            raise RouteNotFound("There is no such rep.") from failure

    def count_sms(self, rep_id: str, day: date, per_rep: int, per_organisation: int) -> bool:
        """Count one text on the rep's and the organisation's day; False when a cap is reached."""
        return self._count(keys.sms_count(day, rep_id), day, per_rep) and self._count(
            keys.sms_count(day), day, per_organisation
        )

    def _count(self, key: str, day: date, most: int) -> bool:
        if most <= 0:
            return False
        midnight = datetime.combine(day, datetime.min.time(), UTC)
        expires = to_ms(midnight + _COUNTERS_KEPT) // 1000
        try:
            self._db.update(
                self._table,
                {"pk": {"S": key}},
                "ADD used :one SET expires_at = :expires",
                "attribute_not_exists(used) OR used < :most",
                ExpressionAttributeValues={
                    ":one": {"N": "1"},
                    ":most": {"N": str(most)},
                    ":expires": {"N": str(expires)},
                },
            )
        except ConditionFailed:
            return False
        return True


def _rep(rep_id: str) -> Item:
    return {"pk": {"S": keys.rep(rep_id)}}


def _new(table: str, item: Item) -> dict[str, Any]:
    return {
        "Put": {
            "TableName": table,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(pk)",
        }
    }
