"""Reps, teams, the playbook and the text-message counters, on DynamoDB."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from dibs.aws import keys
from dibs.aws.attributes import Item
from dibs.aws.clock import now, to_ms
from dibs.aws.dynamo import ConditionFailed, Dynamo, insisting
from dibs.aws.settings import Settings
from dibs.core.credentials import Credential, Shown
from dibs.core.errors import AlreadyExists, Outdated, RouteNotFound
from dibs.core.rep import NO_END, Device, Pause, Rep, Usage
from dibs.race.credential_records import credential_item
from dibs.race.rep_records import device_item, rep_from, rep_item
from dibs.race.store import PLAYBOOK_SECONDS
from dibs.roster.audit import Entry
from dibs.roster.audit_store import put_entry
from dibs.roster.ports import Roster
from dibs.rules.playbook import Playbook
from dibs.rules.playbook_store import stored_playbook
from dibs.rules.store import FIRST_ACTIVITY, pause_value, stored_number, stored_pauses

ROSTER_SECONDS = 5.0
NUMBER_SECONDS = 2.0
_BESIDE_NUMBER: Item = {"pk": {"S": keys.PLAYBOOK_VERSION}}
_COUNTERS_KEPT = timedelta(days=8)
_NUMBER_TAKEN = "This phone number belongs to another rep. Give each rep a number of their own."


class DynamoRoster(Roster):
    """`Roster` on DynamoDB. A team's snapshot is kept for 5 s; the playbook as long as its number
    stays the same, which is read every 2 s with the teams that are paused."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._db = dynamo
        self._to = settings
        self._table = settings.organisation_table
        self._playbook: tuple[float, Playbook] | None = None
        self._beside: tuple[float, Item | None] | None = None
        self._teams: dict[str, tuple[float, list[tuple[Rep, Usage]]]] = {}

    def playbook(self, *, fresh: bool = False) -> Playbook:
        """Return the playbook in force, with the teams that are paused.

        `fresh`: both as they are at this moment; otherwise they are at most 2 s old.
        """
        beside = self._beside_number(fresh=fresh)
        rules, paused = self.rules(stored_number(beside)), stored_pauses(beside)
        return replace(rules, paused=paused) if paused else rules

    def rules(self, number: int | None = None) -> Playbook:
        """Return the playbook of this number, which is in force, or the one of 20 s ago at most.

        For who reads the number, and beside it which teams are paused, with something else.
        """
        known = self._playbook
        is_newer = known is not None and number not in (None, known[1].version)
        if known is None or is_newer or time.monotonic() > known[0]:
            item = self._db.get(self._table, {"pk": {"S": keys.PLAYBOOK}}, consistent=is_newer)
            known = (time.monotonic() + PLAYBOOK_SECONDS, stored_playbook(item))
            self._playbook = known
        return known[1]

    def _beside_number(self, *, fresh: bool) -> Item | None:
        """Return the item of the playbook's number; which teams are paused stands beside it."""
        known = self._beside
        if fresh or known is None or time.monotonic() > known[0]:
            item = self._db.get(self._table, _BESIDE_NUMBER, consistent=fresh)
            known = (time.monotonic() + NUMBER_SECONDS, item)
            self._beside = known
        return known[1]

    def note_first_activity(self, at: datetime) -> None:
        """Note that an activity about a lead was reported, unless that is known already (C11)."""
        with suppress(ConditionFailed):  # it is, or the shipped rules are in force
            self._db.update(
                self._table,
                {"pk": {"S": keys.PLAYBOOK}},
                f"SET {FIRST_ACTIVITY} = :at",
                f"attribute_exists(pk) AND attribute_not_exists({FIRST_ACTIVITY})",
                ExpressionAttributeValues={":at": {"N": str(to_ms(at))}},
            )
        self._playbook = None

    def pause_team(self, team: str, pause: Pause | None) -> None:
        """Pause a team, or end its pause; the next claim is judged by it (R8)."""
        change: dict[str, Any] = {"ExpressionAttributeNames": {"#team": keys.paused(team)}}
        if pause is not None:
            change["ExpressionAttributeValues"] = {":pause": pause_value(pause)}
        how = "REMOVE #team" if pause is None else "SET #team = :pause"
        self._db.update(self._table, _BESIDE_NUMBER, how, **change)
        self._beside = None

    def pause_by_manager(self, rep_id: str, pause: Pause | None) -> None:
        """Pause a rep until a manager ends it, or end that (R8)."""
        if pause is None:
            self._set(rep_id, "REMOVE manager_paused_until, manager_pause_reason", None)
            return
        values = {
            ":until": {"N": str(to_ms(pause.until or NO_END))},
            ":reason": {"S": pause.reason},
        }
        how = "SET manager_paused_until = :until, manager_pause_reason = :reason"
        self._update(rep_id, how, values)

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
        """Return the active rep with this number and what they have used up."""
        item = self._db.get(self._table, _phone(phone))
        known = self.counted(item["rep_id"]["S"]) if item else None
        return known if known and known[0].active else None

    def add(self, rep: Rep, shown: Shown, token: Credential, entry: Entry) -> None:
        """Store a new rep with their first token, and their phone number's way back to them.

        Raises:
            AlreadyExists: the id or the phone number is taken.
        """
        new = _put(self._table, rep_item(rep), "attribute_not_exists(pk)")
        issued = {"TableName": self._to.credentials_table, "Item": credential_item(shown, token)}
        noted = put_entry(self._to.audit_table, entry)
        try:
            self._db.transact([new, *self._number_for(rep), {"Put": issued}, noted])
        except ConditionFailed as failure:
            if failure.failed[0]:
                raise AlreadyExists("This rep id belongs to another rep.") from failure
            raise AlreadyExists(_NUMBER_TAKEN) from failure

    def _number_for(self, rep: Rep) -> list[dict[str, Any]]:
        """Return the writes that make a number this rep's, unless another active rep has it."""
        if not rep.phone:
            return []
        item: Item = {**_phone(rep.phone), "rep_id": {"S": rep.rep_id}}
        known = self._db.get(self._table, _phone(rep.phone), consistent=True)
        holder = known["rep_id"]["S"] if known else rep.rep_id
        found = self.counted(holder)
        if holder == rep.rep_id or (found and found[0].active):
            free = "attribute_not_exists(pk) OR rep_id = :mine"
            return [_put(self._table, item, free, {":mine": {"S": rep.rep_id}})]
        return [
            _put(self._table, item, "rep_id = :leaver", {":leaver": {"S": holder}}),
            {
                "ConditionCheck": {
                    "TableName": self._table,
                    "Key": _rep(holder),
                    "ConditionExpression": "attribute_not_exists(pk) OR active = :no",
                    "ExpressionAttributeValues": {":no": {"BOOL": False}},
                }
            },
        ]

    def _number_freed(self, rep_id: str, phone: str | None) -> list[dict[str, Any]]:
        """Return the write that frees a rep's number, if it is theirs."""
        known = self._db.get(self._table, _phone(phone), consistent=True) if phone else None
        if phone is None or known is None or known["rep_id"]["S"] != rep_id:
            return []
        return [
            {
                "Delete": {
                    "TableName": self._table,
                    "Key": _phone(phone),
                    "ConditionExpression": "rep_id = :mine",
                    "ExpressionAttributeValues": {":mine": {"S": rep_id}},
                }
            }
        ]

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
        """Store these fields of a rep's profile; what is empty is taken away.

        A new phone number is theirs in the same transaction, and the one before is free. A carrier
        knows nothing yet of a STOP from the new number (N5).

        Raises:
            AlreadyExists: the phone number belongs to another rep.
            Outdated: the rep got another number, left or returned meanwhile.
        """
        stored = rep_item(rep)
        names = {f"#{name}": name for name in fields}
        values = {f":{name}": stored[name] for name in fields if name in stored}
        sets = [f"#{name} = :{name}" for name in fields if name in stored]
        gone = [f"#{name}" for name in fields if name not in stored]
        if "phone" not in fields:
            if fields:
                self._update(rep.rep_id, _change(sets, gone), values, names)
            return
        known = self.counted(rep.rep_id)
        if known is None:
            raise RouteNotFound("There is no such rep.")
        before = known[0]
        if before.phone != rep.phone:
            gone.append("sms_opted_out")
        moves = [] if before.phone == rep.phone else self._number_freed(rep.rep_id, before.phone)
        takes = self._number_for(rep) if before.active else []
        guard = "active = :active AND " + _is("phone", before.phone, values)
        values[":active"] = {"BOOL": before.active}
        write = self._rep_write(rep.rep_id, _change(sets, gone), guard, values, names)
        self._transact([write, *moves, *takes], 1 + len(moves))

    def deactivate(self, rep_id: str, left_on: date) -> None:
        """Note that a rep left: they are told nothing, token and sessions end at once (R8).

        Their number still points to them, and is free: whoever gets it next takes it over.
        """
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

    def reactivate(self, rep: Rep) -> None:
        """Undo that a rep left; they have no token yet (R8).

        Raises:
            AlreadyExists: the phone number belongs to another rep.
            Outdated: they returned already.
        """
        values: Item = {":yes": {"BOOL": True}, ":no": {"BOOL": False}}
        gone = ["left_on", *([] if rep.phone else ["phone"])]
        write = self._rep_write(
            rep.rep_id, _change(["active = :yes"], gone), "active = :no", values
        )
        self._transact([write, *self._number_for(rep)], 1)

    def _rep_write(
        self,
        rep_id: str,
        change: str,
        guard: str,
        values: Item,
        names: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self._table,
                "Key": _rep(rep_id),
                "UpdateExpression": change,
                "ConditionExpression": f"attribute_exists(pk) AND {guard}",
                "ExpressionAttributeValues": values,
                **({"ExpressionAttributeNames": names} if names else {}),
            }
        }

    def _transact(self, writes: Sequence[Mapping[str, Any]], number_at: int) -> None:
        """Write all of it; the writes from `number_at` on take a phone number."""
        try:
            # The rep may be claiming at this moment.
            insisting(lambda: self._db.transact(writes))
        except ConditionFailed as failure:
            if any(failure.failed[:number_at]):
                raise Outdated from failure
            raise AlreadyExists(_NUMBER_TAKEN) from failure

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

    def count_sms(
        self, rep_id: str, day: date, per_rep: int, per_organisation: int | None, kind: str = ""
    ) -> bool:
        """Count one text on the rep's and the organisation's day; False when a cap is reached."""
        if rep_id and not self._count(keys.sms_count(day, rep_id, kind), day, per_rep):
            return False
        if per_organisation is None:
            return True
        return self._count(keys.sms_count(day, "", kind), day, per_organisation)

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


def _phone(number: str) -> Item:
    return {"pk": {"S": keys.phone(number)}}


def _change(sets: Sequence[str], gone: Sequence[str]) -> str:
    return " ".join(
        [
            *([f"SET {', '.join(sets)}"] if sets else []),
            *([f"REMOVE {', '.join(gone)}"] if gone else []),
        ]
    )


def _is(name: str, value: str | None, values: Item) -> str:
    """Return the condition that an attribute is as it was read."""
    if value is None:
        return f"attribute_not_exists({name})"
    values[f":{name}_before"] = {"S": value}
    return f"{name} = :{name}_before"


def _put(
    table: str, item: Item, condition: str, values: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "Put": {
            "TableName": table,
            "Item": item,
            "ConditionExpression": condition,
            **({"ExpressionAttributeValues": values} if values else {}),
        }
    }
