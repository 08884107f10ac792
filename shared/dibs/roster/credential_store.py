"""Managers, tokens, sessions and sign-in links on DynamoDB, in a table of their own.

Few functions may read it and fewer may write it: who can write digests can be anybody.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pynamodb.attributes import AttributeContainer, UnicodeAttribute

from dibs.aws import keys
from dibs.aws.attributes import InstantAttribute, IntegerAttribute, Item
from dibs.aws.clock import from_ms, to_ms
from dibs.aws.codec import Codec
from dibs.aws.dynamo import ConditionFailed, Dynamo
from dibs.aws.settings import Settings
from dibs.core.attempts import attempts
from dibs.core.credentials import Credential, Manager, Shown, is_manager
from dibs.core.errors import AlreadyExists, Busy, RouteNotFound
from dibs.core.rep import Rep, Usage
from dibs.race.credential_records import credential_from, credential_item, credential_key
from dibs.race.rep_records import rep_from
from dibs.roster.audit import Entry
from dibs.roster.audit_store import put_entry
from dibs.roster.ports import Credentials

# Also what an earlier version kept: an old token must not be carried over.
_UPDATE_NUMBER = "SET token_number = :next REMOVE token_hash"


class ManagerRecord(AttributeContainer):
    """A manager (credentials table)."""

    pk = UnicodeAttribute(hash_key=True, default=keys.MANAGERS)
    manager_id = UnicodeAttribute(range_key=True, attr_name="sk")
    name = UnicodeAttribute()
    team = UnicodeAttribute(null=True)
    added_at = InstantAttribute(null=True)
    added_by = UnicodeAttribute(null=True)
    token_number = IntegerAttribute(null=True)


_MANAGER = Codec(ManagerRecord, Manager)


class DynamoCredentials(Credentials):
    """`Credentials` on DynamoDB."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._db = dynamo
        self._to = settings
        self._table = settings.credentials_table

    def of_rep(self, shown: Shown) -> tuple[Rep, Usage, int, Credential | None] | None:
        """Read a rep, and what is stored of what they show, in one request."""
        people = self._to.organisation_table
        found = self._db.batch_get(
            {people: [_rep_key(shown.owner)], self._table: [credential_key(shown)]},
            consistent=(people, self._table),
        )
        if not found[people]:
            return None
        stored = found[self._table]
        return *rep_from(found[people][0]), credential_from(stored[0]) if stored else None

    def of_manager(self, shown: Shown) -> tuple[Manager | None, Credential | None]:
        """Read a manager, and what is stored of what they show, in one request."""
        found = self._db.batch_get(
            {self._table: [_manager_key(shown.owner), credential_key(shown)]},
            consistent=(self._table,),
        )[self._table]
        known = {item["pk"]["S"]: item for item in found}
        manager, stored = known.get(keys.MANAGERS), known.get(keys.owner(shown.owner))
        return (
            _MANAGER.value(manager) if manager else None,
            credential_from(stored) if stored else None,
        )

    def managers(self) -> list[Manager]:
        """Return all managers, by name."""
        found = self._db.query(
            self._table, "pk = :all", {":all": {"S": keys.MANAGERS}}, ConsistentRead=True
        )
        return sorted(map(_MANAGER.value, found), key=lambda one: (one.name, one.manager_id))

    def add_manager(self, manager: Manager, shown: Shown, token: Credential, entry: Entry) -> None:
        """Store a new manager with their first token.

        Raises:
            AlreadyExists: the id is taken.
        """
        item = _MANAGER.item(manager)
        added = {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
        try:
            self._db.transact(
                [
                    {"Put": {"TableName": self._table, **added}},
                    self._put(shown, token),
                    put_entry(self._to.audit_table, entry),
                ]
            )
        except ConditionFailed as failure:
            raise AlreadyExists from failure

    def remove_manager(self, manager_id: str, entry: Entry) -> None:
        """Remove a manager; what they could sign in with ends at once.

        Raises:
            RouteNotFound: there is no such manager.
        """
        gone = {
            "TableName": self._table,
            "Key": _manager_key(manager_id),
            "ConditionExpression": "attribute_exists(pk)",
        }
        token = {"TableName": self._table, "Key": credential_key(Shown(manager_id, ""))}
        try:
            self._db.transact(
                [{"Delete": gone}, {"Delete": token}, put_entry(self._to.audit_table, entry)]
            )
        except ConditionFailed as failure:
            raise RouteNotFound("There is no such manager.") from failure

    def replace_token(self, shown: Shown, token: Credential, entry: Entry) -> None:
        """Give an owner a new token; the old one and all sessions end at once.

        Raises:
            RouteNotFound: there is no such rep or manager, or they have left.
        """
        table, key = self._owner(shown.owner)
        for attempt in attempts():
            item = self._db.get(table, key, consistent=True)
            if item is None or not item.get("active", {"BOOL": True})["BOOL"]:
                raise RouteNotFound("There is nobody here with this id.")
            number = int(item.get("token_number", {"N": "0"})["N"])
            token = Credential(
                token.digest, number + 1, token.ends_at, token.issued_at, token.issued_by
            )
            with attempt:
                if self._replace(table, key, number, shown, token, entry):
                    return
        raise Busy

    def _replace(
        self, table: str, key: Item, was: int, shown: Shown, token: Credential, entry: Entry
    ) -> bool:
        values: Item = {":next": {"N": str(token.number)}}
        if was:
            values[":was"] = {"N": str(was)}
        as_read = "token_number = :was" if was else "attribute_not_exists(token_number)"
        number = {
            "TableName": table,
            "Key": key,
            "UpdateExpression": _UPDATE_NUMBER,
            "ConditionExpression": f"attribute_exists(pk) AND {as_read}",
            "ExpressionAttributeValues": values,
        }
        try:
            self._db.transact(
                [
                    {"Update": number},
                    self._put(shown, token),
                    put_entry(self._to.audit_table, entry),
                ]
            )
        except ConditionFailed:
            return False
        return True

    def add_session(self, shown: Shown, session: Credential) -> None:
        """Store a session."""
        self._db.put(self._table, credential_item(shown, session))

    def sessions(self, owner: str) -> list[Credential]:
        """Return an owner's sessions, the newest first."""
        found = self._db.query(
            self._table,
            "pk = :owner AND begins_with(sk, :sessions)",
            {":owner": {"S": keys.owner(owner)}, ":sessions": {"S": keys.SESSIONS}},
            ConsistentRead=True,
        )
        known = map(credential_from, found)
        return sorted(known, key=lambda one: (one.issued_at is None, one.issued_at), reverse=True)

    def end_session(self, owner: str, digest: str) -> None:
        """End a session; ending it again changes nothing."""
        self._db.delete(self._table, credential_key(Shown(owner, digest, session=True)))

    def add_link(self, digest: str, owner: str, ends_at: datetime) -> None:
        """Store a sign-in link."""
        self._db.put(
            self._table,
            {
                **_link_key(digest),
                "owner": {"S": owner},
                "ends_at": {"N": str(to_ms(ends_at))},
                "expires_at": {"N": str(to_ms(ends_at) // 1000 + 1)},
            },
        )

    def link(self, digest: str) -> tuple[str, datetime] | None:
        """Return whose a sign-in link is and when it ends, None where there is none."""
        item = self._db.get(self._table, _link_key(digest), consistent=True)
        return (item["owner"]["S"], from_ms(int(item["ends_at"]["N"]))) if item else None

    def use_link(self, digest: str) -> bool:
        """Use a sign-in link up; False where somebody has."""
        try:
            self._db.delete(self._table, _link_key(digest), "attribute_exists(pk)")
        except ConditionFailed:
            return False
        return True

    def counted(self, what: str) -> int:
        """Return how many of `what` were counted."""
        item = self._db.get(self._table, _tries_key(what), consistent=True)
        return int(item["tries"]["N"]) if item else 0

    def count(self, what: str, most: int, ends_at: datetime) -> bool:
        """Count one of `what` until then; False where `most` are reached."""
        try:
            self._db.update(
                self._table,
                _tries_key(what),
                "ADD tries :one SET expires_at = :ends",
                "attribute_not_exists(tries) OR tries < :most",
                ExpressionAttributeValues={
                    ":one": {"N": "1"},
                    ":most": {"N": str(most)},
                    ":ends": {"N": str(to_ms(ends_at) // 1000)},
                },
            )
        except ConditionFailed:
            return False
        return True

    def carry_over(self) -> int:
        """Move the digests an earlier version kept with the reps and managers; return how many."""
        people, moved = self._to.organisation_table, 0
        for item in self._db.scan(people, FilterExpression="attribute_exists(token_hash)"):
            digest, old = item["token_hash"]["S"], item["pk"]["S"]
            writes: list[dict[str, Any]] = []
            if old == keys.MANAGER:
                manager = Manager("manager", "Manager")
                shown = Shown(manager.manager_id, digest)
                writes.append({"Put": {"TableName": self._table, "Item": _MANAGER.item(manager)}})
                writes.append({"Delete": {"TableName": people, "Key": {"pk": item["pk"]}}})
                number = 0
            else:
                rep, _, number = rep_from(item)
                shown = Shown(rep.rep_id, digest)
                drop: dict[str, Any] = {
                    "UpdateExpression": "REMOVE token_hash",
                    "ConditionExpression": "token_hash = :digest",
                    "ExpressionAttributeValues": {":digest": {"S": digest}},
                }
                writes.append({"Update": {"TableName": people, "Key": {"pk": item["pk"]}, **drop}})
            new = self._put(shown, Credential(digest, number))
            new["Put"]["ConditionExpression"] = "attribute_not_exists(pk)"
            try:
                self._db.transact([*writes, new])
                moved += 1
            except ConditionFailed:
                # There is a newer token: what is left of the old one only goes.
                self._db.transact(writes)
        return moved

    def _put(self, shown: Shown, credential: Credential) -> dict[str, Any]:
        return {"Put": {"TableName": self._table, "Item": credential_item(shown, credential)}}

    def _owner(self, owner: str) -> tuple[str, Item]:
        """Return where the number of an owner's token is."""
        if is_manager(owner):
            return self._table, _manager_key(owner)
        return self._to.organisation_table, _rep_key(owner)


def _rep_key(rep_id: str) -> Item:
    return {"pk": {"S": keys.rep(rep_id)}}


def _manager_key(manager_id: str) -> Item:
    return {"pk": {"S": keys.MANAGERS}, "sk": {"S": manager_id}}


def _tries_key(what: str) -> Item:
    return {"pk": {"S": keys.tries(what)}, "sk": {"S": keys.TRIES}}


def _link_key(digest: str) -> Item:
    return {"pk": {"S": keys.sign_in_link(digest)}, "sk": {"S": keys.LINK}}
