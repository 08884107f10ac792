"""The race on DynamoDB (C2): one read, one transaction, and the losers' small notes.

Three items decide a claim: the lead's lock, the rep with what they have used up, and the record
of the claim. The guards name what the decision used (open at this epoch, inside the window, the
count below its maximum), so claims by one rep on different leads do not fail each other.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dibs.aws import keys
from dibs.aws.attributes import Item
from dibs.aws.clock import to_ms
from dibs.aws.dynamo import ConditionFailed, Dynamo
from dibs.aws.settings import Settings
from dibs.core.credentials import Shown
from dibs.core.errors import AlreadyClaimed
from dibs.core.lead import Claim, Contact, Lead, Transition, filled
from dibs.core.rep import Usage
from dibs.race.card_records import CardRecord, card_from
from dibs.race.credential_records import credential_from, credential_key
from dibs.race.ports import RaceStore, RaceView, SentOffer
from dibs.race.records import OFFER_KEPT, claim_from, lead_from, notice_from, notices_from
from dibs.race.rep_records import rep_from
from dibs.race.writes import put_record, put_transition, reopen_lock, take_lock, write_usage
from dibs.rules.rules import Look, Rules
from dibs.rules.store import stored_number, stored_pauses, stored_rules

if TYPE_CHECKING:
    from dibs.race.draw_store import DynamoDraws
    from dibs.race.usage import Change
    from dibs.rules.game import Reporting

PLAYBOOK_SECONDS = 20.0
COUNT_SECONDS = 4.0
_OVERNIGHT_KEPT = timedelta(days=2)


class DynamoRaceStore(RaceStore):
    """`RaceStore` on DynamoDB. Keeps open counts for 4 s per process, and the playbook as long as
    its number stays the same, which each claim reads; at most 20 s."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._db = dynamo
        self._to = settings
        self._rules: tuple[float, Rules] | None = None
        self._playbook: Item | None = None
        self._counts: dict[str, tuple[float, int]] = {}

    def read(self, lead_id: str, rep_id: str, shown: Shown | None = None) -> RaceView:
        """Read lock, claim record, rep and offer in one request; of the offer both places.

        With them the playbook when due, and what is stored of what the caller `shown`. A change of
        the playbook binds the next claim: only then there is a second request. So does the pause
        of a team, which is stored beside the playbook's number.
        """
        rules = self._cached_rules()
        secret = [] if shown is None else [credential_key(shown)]
        found = self._db.batch_get(
            {
                self._to.leads_table: [
                    _lead_key(lead_id, keys.LOCK),
                    _lead_key(lead_id, keys.CLAIM),
                ],
                self._to.organisation_table: _organisation_keys(rep_id, rules),
                self._to.offers_table: [
                    _offer_key(lead_id, rep_id, keys.NOTICE),
                    notices_key(lead_id),
                    *_COUNTS,
                ],
                **({self._to.credentials_table: secret} if secret else {}),
            },
            # A stale read could tell a rep "taken" of a lead that has just reopened, or accept a
            # token that has just ended.
            consistent=(
                self._to.leads_table,
                self._to.organisation_table,
                self._to.credentials_table,
            ),
        )
        view = self._view(rep_id, rules, found)
        return self.read(lead_id, rep_id, shown) if view is None else view

    def look(self, lead_id: str, rep_id: str) -> RaceView:
        """Read lock and rep as they were a moment ago, at a third of the price of `read`."""
        rules = self._cached_rules()
        found = self._db.batch_get(
            {
                self._to.leads_table: [_lead_key(lead_id, keys.LOCK)],
                self._to.organisation_table: _organisation_keys(rep_id, rules),
            }
        )
        view = self._view(rep_id, rules, found)
        return self.look(lead_id, rep_id) if view is None else view

    def _view(
        self, rep_id: str, rules: Rules | None, found: Mapping[str, Sequence[Item]]
    ) -> RaceView | None:
        """Return what was found; None if the playbook has changed and must be read again."""
        items = {item["sk"]["S"]: item for item in found[self._to.leads_table]}
        people = {item["pk"]["S"]: item for item in found[self._to.organisation_table]}
        beside_number = people.get(keys.PLAYBOOK_VERSION)
        if rules is None:
            rules = self._remember(people.get(keys.PLAYBOOK))
        elif stored_number(beside_number) not in (None, rules.version):
            self._rules = None
            return None
        paused = stored_pauses(beside_number)
        lead = lead_from(items[keys.LOCK]) if keys.LOCK in items else None
        beside = found.get(self._to.offers_table, ())
        noticed_at = (
            notice.sent_at
            for item in beside
            for notice in _notices(item, rep_id)
            if lead is not None and notice.epoch == lead.epoch
        )
        view = RaceView(
            lead=lead,
            rep=None,
            usage=Usage(),
            claim=claim_from(items[keys.CLAIM]) if keys.CLAIM in items else None,
            noticed_at=next(noticed_at, None),
            playbook=replace(rules, paused=paused) if paused else rules,
            open_leads=_open_counts(beside),
        )
        if keys.rep(rep_id) not in people:
            return view
        rep, usage, number = rep_from(people[keys.rep(rep_id)])
        stored = found.get(self._to.credentials_table)
        credential = credential_from(stored[0]) if stored else None
        return replace(view, rep=rep, usage=usage, credential=credential, token_number=number)

    def _cached_rules(self) -> Rules | None:
        if self._rules is None or time.monotonic() > self._rules[0]:
            return None
        return self._rules[1]

    def page_look(self) -> Look:
        """Return what pages are called and look like, from the playbook read with the lead (U9)."""
        return Look() if self._rules is None else self._rules[1].look

    def reporting(self) -> Reporting:
        """Return who reports what, from the playbook that was read with the lead (K5)."""
        # Imported here because only pages ask; a claim loads no game.
        from dibs.rules.playbook_store import stored_reporting

        return stored_reporting(self._playbook)

    def _remember(self, item: Item | None) -> Rules:
        rules = stored_rules(item)
        self._playbook = item
        self._rules = (time.monotonic() + PLAYBOOK_SECONDS, rules)
        return rules

    def commit_claim(self, view: RaceView, claim: Claim, counts: Change) -> RaceView | None:
        """Store lock, count and record together; if a condition fails, return the items it met.

        They come in the order of the writes: lock, rep, record.
        """
        if view.lead is None:
            raise ValueError("a claim needs a lead")
        writes = [
            take_lock(self._to, view.lead, claim, "opens_at <= :now AND closes_at > :now"),
            *write_usage(self._to, counts),
            put_record(self._to, claim),
        ]
        try:
            self._db.transact(writes)
        except ConditionFailed as failure:
            return _as_it_stood(view, failure)
        return None

    def commit_undo(
        self, held: Lead, reopened: Lead, transitions: Sequence[Transition], counts: Change
    ) -> bool:
        """Open the lead anew, take the claim off the count, record the transitions: all or none."""
        writes = [
            reopen_lock(self._to, held, reopened),
            *(put_transition(self._to, transition) for transition in transitions),
            *write_usage(self._to, counts),
        ]
        try:
            self._db.transact(writes)
        except ConditionFailed:
            return False
        return True

    def count(self, counts: Change) -> bool:
        """Store counts by themselves; False if a guard does not hold."""
        try:
            self._db.transact(write_usage(self._to, counts))
        except ConditionFailed:
            return False
        return True

    def record_attempt(
        self,
        lead: Lead,
        rep_id: str,
        at: datetime,
        outcome: str,
        rules: Sequence[str] = (),
        version: int = 0,
    ) -> None:
        """Note a loser's or refused rep's try on their own (lead, rep) item: one small write."""
        when = {"N": str(to_ms(at))}
        first: Item = {"attempted_at": when}
        if outcome == AlreadyClaimed.code:
            first["lost_at"] = when
        if rules:
            first["rules"] = {"S": " ".join(rules)}
            first["rules_version"] = {"N": str(version)}
        self._sight(lead, rep_id, at, first, {"outcome": {"S": outcome}})

    def record_sighting(self, lead: Lead, rep_id: str, what: str, at: datetime) -> None:
        """Note when the rep first saw (`seen_at`) or declined (`declined_at`) the offer."""
        self._sight(lead, rep_id, at, {what: {"N": str(to_ms(at))}}, {})

    def _sight(self, lead: Lead, rep_id: str, at: datetime, first: Item, last: Item) -> None:
        """Note a sighting: `first` values are kept once written, `last` values are overwritten."""
        key = _offer_key(lead.lead_id, rep_id, keys.SIGHTING)
        expires = {"N": str(to_ms(at + OFFER_KEPT) // 1000)}
        last = {**last, "epoch": {"N": str(lead.epoch)}, "expires_at": expires}
        noted = {**first, **last}
        changes = [f"#{name} = if_not_exists(#{name}, :{name})" for name in first]
        changes += [f"#{name} = :{name}" for name in last]
        try:
            self._db.update(
                self._to.offers_table,
                key,
                f"SET {', '.join(changes)}",
                "attribute_not_exists(pk) OR #epoch = :epoch",
                ExpressionAttributeNames={f"#{name}": name for name in noted},
                ExpressionAttributeValues={f":{name}": value for name, value in noted.items()},
            )
        except ConditionFailed as failure:
            # Left from an earlier opening of the lead: begin anew, unless a newer one got there.
            # What was noted of that one is kept beside it: its race may not be sealed yet.
            known = failure.items[0] or {}
            kept = {name: known[name] for name in known if name not in ("pk", "sk", "before")}
            with suppress(ConditionFailed):
                self._db.put(
                    self._to.offers_table,
                    {**key, **noted, "before": {"M": kept}},
                    "epoch < :epoch",
                    ExpressionAttributeValues={":epoch": noted["epoch"]},
                )

    def card(self, lead_id: str) -> Contact | None:
        """Read the lead's personal data; only the winner's answer does."""
        return read_card(self._db, self._to, lead_id)

    def open_leads(self) -> list[Lead]:
        """Return the leads marked open, of all teams, from the sparse index."""
        return read_open(self._db, self._to)

    def count_open(self, team: str, now: datetime) -> int:
        """Return about how many leads are open for the team, at most 5 s old."""
        known = self._counts.get(team)
        if known is None or time.monotonic() > known[0]:
            count = sum(team in lead.teams and now < lead.closes_at for lead in self.open_leads())
            known = (time.monotonic() + COUNT_SECONDS, count)
            self._counts[team] = known
        return known[1]

    def add_open(self, lead: Lead, many: int) -> None:
        """Count the lead among the open ones of its teams, or no more: one small write."""
        names = {f"#{n}": keys.open_in(team) for n, team in enumerate(lead.teams)}
        with suppress(ConditionFailed):  # nothing was counted yet; the sweep will begin
            self._db.update(
                self._to.offers_table,
                _counts_key(_count_shard(lead)),
                "ADD " + ", ".join(f"{name} :many" for name in names),
                "attribute_exists(pk)",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={":many": {"N": str(many)}},
            )

    def put_open(self, leads: Sequence[Lead], now: datetime) -> None:
        """Store how many leads are open by team, instead of what was counted one by one."""
        for shard, key in enumerate(_COUNTS):
            mine = [one for one in leads if _count_shard(one) == shard and now < one.closes_at]
            counts = Counter(keys.open_in(team) for lead in mine for team in lead.teams)
            counted: Item = {name: {"N": str(many)} for name, many in counts.items()}
            self._db.put(self._to.offers_table, {**key, **counted})

    def draws(self) -> DynamoDraws:
        """Return the draws, which most organisations never ask for."""
        from dibs.race.draw_store import DynamoDraws

        return DynamoDraws(self._db, self._to)


def read_card(db: Dynamo, to: Settings, lead_id: str) -> Contact | None:
    """Read one card, with what later posts filled in (C6)."""
    key = {CardRecord.lead_id.attr_name: {"S": lead_id}}
    item = db.get(to.contacts_table, key, consistent=True)  # the winner may be that fast
    return filled(card_from(item)) if item else None


def read_open(db: Dynamo, to: Settings) -> list[Lead]:
    """Read the open leads, shard by shard."""
    return read_waiting(db, to, keys.open_shard)


def read_waiting(
    db: Dynamo, to: Settings, shard_name: Callable[[int], str], until: datetime | None = None
) -> list[Lead]:
    """Read the leads that wait for the same thing, those due by `until` if that is given."""
    due = "" if until is None else " AND wait_at <= :until"
    values: Item = {} if until is None else {":until": {"N": str(to_ms(until))}}
    return [
        lead_from(item)
        for shard in range(keys.SHARDS)
        for item in db.query(
            to.leads_table,
            f"wait_shard = :shard{due}",
            {":shard": {"S": shard_name(shard)}, **values},
            index=keys.WAITING_INDEX,
        )
    ]


def _organisation_keys(rep_id: str, rules: Rules | None) -> list[Item]:
    """Return the keys of the rep, the playbook's number and, when it is due, the playbook."""
    due = () if rules else (keys.PLAYBOOK,)
    return [{"pk": {"S": pk}} for pk in (keys.rep(rep_id), keys.PLAYBOOK_VERSION, *due)]


def _count_shard(lead: Lead) -> int:
    return keys.shard_of(lead.lead_id) % keys.COUNT_SHARDS


def _open_counts(items: Iterable[Item]) -> dict[str, int] | None:
    """Return how many leads are open by team, from the shards; None where none was counted yet."""
    shards = [item for item in items if item["sk"]["S"] == keys.OPEN_COUNTS]
    counts: Counter[str] = Counter()
    for name, value in ((n, v) for shard in shards for n, v in shard.items() if "N" in v):
        counts[keys.part(name, 1)] += int(value["N"])
    return counts if shards else None


def _notices(item: Item, rep_id: str) -> Iterable[SentOffer]:
    if item["sk"]["S"] == keys.NOTICE:
        return (notice_from(item),)
    if item["sk"]["S"] == keys.OPEN_COUNTS:
        return ()
    return notices_from(item, item["pk"]["S"], (rep_id,))


def _as_it_stood(view: RaceView, failure: ConditionFailed) -> RaceView:
    """Return the view with the items that the failed claim met: lock, rep, record."""
    lock, person, record = failure.items
    if lock is not None:
        lead = lead_from(lock)
        reopened = view.lead is None or lead.epoch != view.lead.epoch
        view = replace(view, lead=lead, noticed_at=None if reopened else view.noticed_at)
    if record is not None:
        view = replace(view, claim=claim_from(record))
    if person is not None:
        rep, usage, number = rep_from(person)
        view = replace(view, rep=rep, usage=usage, token_number=number)
    return view


def _lead_key(lead_id: str, sk: str) -> Item:
    return {"lead_id": {"S": lead_id}, "sk": {"S": sk}}


def _counts_key(shard: int) -> Item:
    return {"pk": {"S": keys.open_counts(shard)}, "sk": {"S": keys.OPEN_COUNTS}}


_COUNTS = [_counts_key(shard) for shard in range(keys.COUNT_SHARDS)]


def notices_key(lead_id: str) -> Item:
    """Return the key of the one item with a small team's notices."""
    return {"pk": {"S": lead_id}, "sk": {"S": keys.NOTICES}}


def _offer_key(lead_id: str, rep_id: str, sk: str) -> Item:
    return {"pk": {"S": keys.offer(lead_id, rep_id)}, "sk": {"S": sk}}


def place_at_night(db: Dynamo, to: Settings, team: str, begins: datetime) -> int:
    """Count one lead that waits until a team's work begins; return how many came before (R11)."""
    item = db.update(
        to.organisation_table,
        {"pk": {"S": keys.overnight(team, begins)}},
        "ADD waiting :one SET expires_at = :expires",
        ExpressionAttributeValues={
            ":one": {"N": "1"},
            ":expires": {"N": str(to_ms(begins + _OVERNIGHT_KEPT) // 1000)},
        },
        ReturnValues="ALL_NEW",
    )
    return int(item["waiting"]["N"]) - 1
