"""The race on DynamoDB (C2): one read, one transaction, and the losers' small notes.

Three items decide a claim: the lead's lock, the rep with what they have used up, and the record
of the claim. The guards name what the decision used (open at this epoch, inside the window, the
count below its maximum), so claims by one rep on different leads do not fail each other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from dibs.aws import keys
from dibs.aws.attributes import Item, days_text
from dibs.aws.clock import to_ms
from dibs.aws.dynamo import ConditionFailed, Dynamo
from dibs.aws.settings import Settings
from dibs.core.errors import AlreadyClaimed
from dibs.core.lead import Card, Claim, Lead, Move, State, filled
from dibs.core.quality import Quality
from dibs.core.rep import Limits, Rep
from dibs.race.debts import hot_allowed, hot_is_bound
from dibs.race.limits import allowance_of, rolling, used
from dibs.race.ports import RaceView
from dibs.race.records import (
    CardRecord,
    LockRecord,
    card_from,
    claim_from,
    claim_record,
    lead_from,
    lock_from,
    move_record,
    notice_from,
    rep_from,
)
from dibs.rules.rules import Rules
from dibs.rules.store import stored_rules

if TYPE_CHECKING:
    from dibs.race.absence import Credit
    from dibs.race.draw_store import DynamoDraws

PLAYBOOK_SECONDS = 20.0
COUNT_SECONDS = 4.0
OFFER_KEPT = timedelta(days=90)


class DynamoRaceStore:
    """Implements `RaceStore`. Keeps the playbook for 20 s and open counts for 4 s per process."""

    def __init__(self, dynamo: Dynamo, settings: Settings) -> None:
        self._db = dynamo
        self._to = settings
        self._rules: tuple[float, Rules] | None = None
        self._counts: dict[str, tuple[float, int]] = {}

    def read(self, lead_id: str, rep_id: str) -> RaceView:
        """Read lock, claim record, rep and offer (and the playbook when due) in one request."""
        rules = self._cached_rules()
        organisation = [{"pk": {"S": keys.rep(rep_id)}}]
        if rules is None:
            organisation.append({"pk": {"S": keys.PLAYBOOK}})
        found = self._db.batch_get(
            {
                self._to.leads_table: [
                    _lead_key(lead_id, keys.LOCK),
                    _lead_key(lead_id, keys.CLAIM),
                ],
                self._to.organisation_table: organisation,
                self._to.offers_table: [_offer_key(lead_id, rep_id, keys.NOTICE)],
            },
            # A refusal must be true: nobody hears "taken" of a lead that was just opened anew,
            # and a withdrawn token ends at once.
            consistent=(self._to.leads_table, self._to.organisation_table),
        )
        items = {item["sk"]["S"]: item for item in found[self._to.leads_table]}
        people = {item["pk"]["S"]: item for item in found[self._to.organisation_table]}
        if rules is None:
            rules = self._remember(people.get(keys.PLAYBOOK))
        lead = lead_from(items[keys.LOCK]) if keys.LOCK in items else None
        notice = next((notice_from(item) for item in found[self._to.offers_table]), None)
        current = notice is not None and lead is not None and notice.epoch == lead.epoch
        view = RaceView(
            lead=lead,
            rep=None,
            limits=Limits(),
            claim=claim_from(items[keys.CLAIM]) if keys.CLAIM in items else None,
            noticed_at=notice.sent_at if notice is not None and current else None,
            playbook=rules,
        )
        if keys.rep(rep_id) not in people:
            return view
        rep, limits, token_hash = rep_from(people[keys.rep(rep_id)])
        return replace(view, rep=rep, limits=limits, token_hash=token_hash)

    def _cached_rules(self) -> Rules | None:
        if self._rules is None or time.monotonic() > self._rules[0]:
            return None
        return self._rules[1]

    def _remember(self, item: Item | None) -> Rules:
        rules = stored_rules(item)
        self._rules = (time.monotonic() + PLAYBOOK_SECONDS, rules)
        return rules

    def commit_claim(self, view: RaceView, claim: Claim) -> RaceView | None:
        """Store lock, count and record together; on a failed condition return the facts it met."""
        if view.lead is None or view.rep is None:
            raise ValueError("a claim needs a lead and a rep")
        writes = [
            take_lock(self._to, view.lead, claim, "opens_at <= :now AND closes_at > :now"),
            count_lead(self._to, view.rep, view.lead, view.limits, view.playbook, claim),
            put_record(self._to, claim),
        ]
        try:
            self._db.transact(writes)
        except ConditionFailed as failure:
            return _as_it_stood(view, failure)
        return None

    def commit_undo(self, view: RaceView, reopened: Lead, moves: Sequence[Move]) -> bool:
        """Open the lead anew, take the claim off the count, and record the moves, together."""
        held, rep = view.lead, view.rep
        if held is None or rep is None or held.claimed_at is None:
            raise ValueError("an undo needs a held lead and its rep")
        writes = [
            reopen_lock(self._to, held, reopened),
            *(put_move(self._to, move) for move in moves),
            *less_used(self._to, held, rep, view.limits, as_if_never=True),
        ]
        try:
            self._db.transact(writes)
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
        """Note what stays as it is noted the `first` time, and what changes with each."""
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

    def card(self, lead_id: str) -> Card | None:
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

    def draws(self) -> DynamoDraws:
        """Return the draws, which most organisations never ask for."""
        from dibs.race.draw_store import DynamoDraws

        return DynamoDraws(self._db, self._to)


def read_card(db: Dynamo, to: Settings, lead_id: str) -> Card | None:
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


def take_lock(to: Settings, lead: Lead, claim: Claim, still: str) -> dict[str, Any]:
    """Return the write that gives the lead to the claim's rep, while it is as it was read.

    `still` is what else must be so, in DynamoDB's words. Until the holder has worked the lead it
    waits for that, where the playbook says for how long (C11).
    """
    change = "SET #state = :taken, #owner = :rep, holder = :rep, claimed_at = :now"
    values: Item = {
        ":taken": {"S": (State.CLAIMED if claim.competitive else State.ASSIGNED).value},
        ":was": {"S": lead.state.value},
        ":rep": {"S": claim.rep_id},
        ":now": {"N": str(to_ms(claim.claimed_at))},
        ":epoch": {"N": str(claim.epoch)},
    }
    if claim.nudge_at is None or claim.return_at is None:
        change += " REMOVE wait_shard, wait_at"
    else:
        change += ", wait_shard = :shard, wait_at = :nudge, return_at = :return"
        values[":shard"] = {"S": keys.work_shard(keys.shard_of(lead.lead_id))}
        values[":nudge"] = {"N": str(to_ms(claim.nudge_at))}
        values[":return"] = {"N": str(to_ms(claim.return_at))}
    condition = "#state = :was AND epoch = :epoch" + (f" AND {still}" if still else "")
    return _update(
        to.leads_table,
        _lead_key(lead.lead_id, keys.LOCK),
        change,
        condition,
        {"#state": "state", "#owner": "owner"},
        values,
    )


def count_lead(
    to: Settings,
    rep: Rep,
    lead: Lead,
    limits: Limits,
    playbook: Rules,
    claim: Claim,
    *,
    bound: bool = True,
    credit: Credit | None = None,
    week_most: int | None = None,
) -> dict[str, Any]:
    """Return the write that counts one more lead on the rep, while they are on.

    Each counter is guarded by the maximum the decision found for it, not by the value it read: so
    claims by one rep at the same moment fail only where a limit would be passed. Not `bound`, no
    maximum counts: who is the last resort takes what nobody else may (C7). It uses up the `credit`
    (F10), and makes no more than `week_most` leads in their week.
    """
    count = _Count()
    if credit is not None:
        count.sets.append(uses_credit(credit, count.conditions, count.values))
    if bound:
        count.only("(attribute_not_exists(paused_until) OR paused_until <= :now)")
        count.only("tier = :tier")
        count.values |= {
            ":now": {"N": str(to_ms(claim.claimed_at))},
            ":tier": {"N": str(rep.tier)},
        }
    key: Item = {"pk": {"S": keys.rep(claim.rep_id)}}
    if claim.test:
        return {
            "ConditionCheck": {
                "TableName": to.organisation_table,
                "Key": key,
                "ConditionExpression": " AND ".join(count.conditions),
                "ExpressionAttributeValues": count.values,
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }
    count.add("in_hand")
    _count_week(count, rep, lead, limits, playbook, claim, bound=bound)
    if (
        week_most is not None
        and limits.week is not None
        and limits.week >= rep.this_week(claim.claimed_at)
    ):
        count.below("leads", week_most)
    if claim.competitive:
        _count_race(count, rep, limits, playbook, claim.claimed_at)
        if bound:
            _guard_debts(count, rep, lead, limits, playbook, claim.claimed_at)
    else:
        count.add("unaccepted")
        if bound and playbook.assignment.in_hand_limit:
            count.below("in_hand", playbook.assignment.in_hand_limit)
    return count.update(to.organisation_table, key)


def uses_credit(credit: Credit, conditions: list[str], values: Item) -> str:
    """Return the change that uses up an absence credit (F10), guarded by those used before."""
    values[":credits"] = {"S": days_text(credit.after)}
    if credit.before:
        values[":credits_before"] = {"S": days_text(credit.before)}
        conditions.append("credits_used = :credits_before")
    else:
        conditions.append("attribute_not_exists(credits_used)")
    return "credits_used = :credits"


def use_credit(to: Settings, credit: Credit) -> dict[str, Any]:
    """Return the write that uses up an absence credit and counts nothing else."""
    conditions, values = list[str](), dict[str, Any]()
    change = uses_credit(credit, conditions, values)
    key: Item = {"pk": {"S": keys.rep(credit.rep_id)}}
    return _update(
        to.organisation_table,
        key,
        f"SET {change}",
        " AND ".join(["attribute_exists(pk)", *conditions]),
        {},
        values,
    )


def _count_week(
    count: _Count,
    rep: Rep,
    lead: Lead,
    limits: Limits,
    playbook: Rules,
    claim: Claim,
    *,
    bound: bool,
) -> None:
    """Count in the rep's week: all leads (M4), claims (F7), and those of each quality (F1, F3)."""
    now, counted = claim.claimed_at, limits.week
    week = rep.this_week(now)
    ones = ["leads"]
    if claim.competitive:
        ones += ["week_claims"] + ([] if lead.blind else [_OF_QUALITY[lead.quality]])
    if counted is not None and counted >= week:
        # A week ahead of ours is counted on: clocks differ by milliseconds at midnight.
        count.same("leads_week", {"S": counted.isoformat()})
        count.add(*ones)
        allowance = allowance_of(rep, playbook, now)
        if bound and allowance is not None:
            count.below("leads", allowance)
        return
    before = None if counted is None else {"S": counted.isoformat()}
    count.starts("leads_week", {"S": week.isoformat()}, before)
    follows = counted == week - timedelta(days=7)
    for name, was in (("claims_before", "week_claims"), ("cold_before", "cold_claims")):
        count.sets.append(f"{name} = " + (f"if_not_exists({was}, :none)" if follows else ":none"))
    every = ("leads", "week_claims", *_OF_QUALITY.values())
    count.sets += [f"{name} = {':one' if name in ones else ':none'}" for name in every]


def _count_race(count: _Count, rep: Rep, limits: Limits, playbook: Rules, now: datetime) -> None:
    """Count a race won, below every limit of competitive claims (F7)."""
    hour, day = rep.this_hour(now), rep.today(now)
    rolls = {
        "hour_claims": (
            "claims_hour",
            {"N": str(to_ms(hour))},
            None if limits.hour is None else {"N": str(to_ms(limits.hour))},
            limits.hour is not None and limits.hour >= hour,
        ),
        "claims": (
            "claims_day",
            {"S": day.isoformat()},
            None if limits.day is None else {"S": limits.day.isoformat()},
            limits.day is not None and limits.day >= day,
        ),
    }
    for name, (period, current, known, goes_on) in rolls.items():
        if goes_on and known:
            count.same(period, known)
            count.add(name)
        else:
            count.starts(period, current, known)
            count.sets.append(f"{name} = :one")
    week_goes_on = limits.week is not None and limits.week >= rep.this_week(now)
    for limit in playbook.limits_of(rep.tier):
        if limit.rolling:
            continue
        name = _COUNTED[limit.per]
        if name == "in_hand" or (week_goes_on if name == "week_claims" else rolls[name][3]):
            count.below(name, limit.most)
    count.add("raced", "claims_ever")
    spans = rolling(playbook, rep)
    if not spans:
        return
    # However many are added at the same moment, no span takes more than its most.
    count.below("claims_ever", min(limits.ever - used(x, rep, limits, now) + x.most for x in spans))
    count.values[":moment"] = {"L": [{"N": str(to_ms(now))}]}
    longest = max(limit.most for limit in spans)
    if len(limits.recent) < longest + _KEPT_BEYOND:
        count.values[":empty"] = {"L": []}
        count.sets.append("recent = list_append(if_not_exists(recent, :empty), :moment)")
    else:
        latest = sorted(limits.recent)[-longest:]
        count.values[":moment"]["L"] = [{"N": str(to_ms(at))} for at in (*latest, now)]
        count.same("claims_ever", {"N": str(limits.ever)})
        count.sets.append("recent = :moment")


def _guard_debts(
    count: _Count, rep: Rep, lead: Lead, limits: Limits, playbook: Rules, now: datetime
) -> None:
    """Guard what the decision found of the rep's debts (F1-F3), where they bind this lead."""
    most = playbook.acceptance.claims_per_assignment
    if most and not limits.unaccepted:
        # Nothing waits for them, so nothing is owed; with the guard, nothing waits still.
        count.values[":most_raced"] = {"N": str(most)}
        count.only(
            "(attribute_not_exists(raced) OR raced < :most_raced "
            "OR attribute_not_exists(unaccepted) OR unaccepted <= :none)"
        )
    elif most:
        count.below("raced", most)
    week_goes_on = limits.week is not None and limits.week >= rep.this_week(now)
    if hot_is_bound(lead, limits, playbook, now) and week_goes_on:
        count.below("hot_claims", hot_allowed(rep, limits, playbook, now))
        if limits.warm:
            count.values[":warm"] = {"N": str(limits.warm)}
            count.only("warm_claims >= :warm")


class _Count:
    """One update of a rep's counters, put together rule by rule."""

    def __init__(self) -> None:
        self.sets: list[str] = []
        self.adds: list[str] = []
        self.conditions = ["active = :yes"]
        self.values: Item = {":yes": {"BOOL": True}}

    def only(self, condition: str) -> None:
        self.conditions.append(condition)

    def add(self, *names: str) -> None:
        self.adds += [f"{name} :one" for name in names]

    def below(self, name: str, most: int) -> None:
        """Count only while there are fewer than `most`; several of a name: the least counts."""
        known = self.values.get(f":most_{name}")
        if known is None:
            self.only(f"(attribute_not_exists({name}) OR {name} < :most_{name})")
        if known is None or most < int(known["N"]):
            self.values[f":most_{name}"] = {"N": str(most)}

    def same(self, period: str, known: dict[str, str]) -> None:
        """Count only in the period the decision saw."""
        self.values[f":{period}"] = known
        self.only(f"{period} = :{period}")

    def starts(self, period: str, current: dict[str, str], known: dict[str, str] | None) -> None:
        """Start a period anew, unless somebody else just did."""
        self.values[f":{period}"] = current
        self.sets.append(f"{period} = :{period}")
        if known is None:
            self.only(f"attribute_not_exists({period})")
        else:
            self.values[f":was_{period}"] = known
            self.only(f"{period} = :was_{period}")

    def update(self, table: str, key: Item) -> dict[str, Any]:
        change = f"ADD {', '.join(self.adds)}"
        if self.sets:
            change += f" SET {', '.join(self.sets)}"
        condition = " AND ".join(self.conditions)
        known = {":one": {"N": "1"}, ":none": {"N": "0"}}
        spelled = f"{change} {condition}"
        values = {
            **self.values,
            **{name: value for name, value in known.items() if name in spelled},
        }
        return _update(table, key, change, condition, {}, values)


_OF_QUALITY = {
    Quality.HOT: "hot_claims",
    Quality.WARM: "warm_claims",
    Quality.COLD: "cold_claims",
}
_COUNTED = {
    "hour": "hour_claims",
    "day": "claims",
    "week": "week_claims",
    "in_hand": "in_hand",
}
# A rep's moments are cut back this seldom: cutting is the one write that claims of theirs at the
# same moment make fail.
_KEPT_BEYOND = 16


def less_used(
    to: Settings, held: Lead, rep: Rep, limits: Limits, *, as_if_never: bool = False
) -> list[dict[str, Any]]:
    """Return the write that takes a lead its holder gives back off their counts, if it is on any.

    A lead that was worked was in hand no longer. `as_if_never`: it was a mistake and has not
    counted for its hour, day and week either (C5).
    """
    taken_at = held.claimed_at
    if held.test or taken_at is None:
        return []
    lowered, conditions, sets, values = list[str](), list[str](), list[str](), dict[str, Any]()

    def lower(name: str, used: int) -> None:
        if used > 0:
            lowered.append(name)

    def in_period(period: str, known: dict[str, str], *counted: tuple[str, int]) -> None:
        before = len(lowered)
        for one in counted:
            lower(*one)
        if len(lowered) > before:
            conditions.append(f"{period} = :{period}")
            values[f":{period}"] = known

    if held.worked_at is None:
        lower("in_hand", limits.in_hand)
        if held.unaccepted:
            lower("unaccepted", limits.unaccepted)
    if as_if_never:
        lower("raced", limits.raced)
        if limits.hour == rep.this_hour(taken_at):
            known = {"N": str(to_ms(limits.hour))}
            in_period("claims_hour", known, ("hour_claims", limits.hour_claims))
        if limits.day == rep.today(taken_at):
            in_period("claims_day", {"S": limits.day.isoformat()}, ("claims", limits.claims))
        if limits.week == rep.this_week(taken_at):
            of_quality = {Quality.HOT: limits.hot, Quality.WARM: limits.warm}
            found = of_quality.get(held.quality, limits.cold)
            in_period(
                "leads_week",
                {"S": limits.week.isoformat()},
                ("leads", limits.leads),
                ("week_claims", limits.week_claims),
                (_OF_QUALITY[held.quality], 0 if held.blind else found),
            )
        elif limits.week == rep.this_week(taken_at) + timedelta(days=7):
            cold = held.quality is Quality.COLD and not held.blind
            in_period(
                "leads_week",
                {"S": limits.week.isoformat()},
                ("claims_before", limits.claims_before),
                ("cold_before", limits.cold_before if cold else 0),
            )
        lower("claims_ever", limits.ever)
        if taken_at in limits.recent:
            conditions.append("claims_ever = :ever")
            values[":ever"] = {"N": str(limits.ever)}
            kept = list(limits.recent)
            kept.remove(taken_at)
            values[":kept"] = {"L": [{"N": str(to_ms(at))} for at in kept]}
            sets.append("recent = :kept")
    if not lowered:
        return []
    change = "ADD " + ", ".join(f"{name} :less" for name in lowered)
    return [
        _update(
            to.organisation_table,
            {"pk": {"S": keys.rep(rep.rep_id)}},
            change + (f" SET {', '.join(sets)}" if sets else ""),
            " AND ".join([*conditions, *(f"{name} > :zero" for name in lowered)]),
            {},
            {":less": {"N": "-1"}, ":zero": {"N": "0"}, **values},
        )
    ]


def take_off(to: Settings, rep_id: str, *counters: str) -> dict[str, Any]:
    """Return the write that takes one off a rep's counters.

    With an assignment accepted their claims since the last one start again (F2).
    """
    change = "ADD " + ", ".join(f"{name} :less" for name in counters)
    values: Item = {":less": {"N": "-1"}}
    if "unaccepted" in counters:
        change += " SET raced = :none"
        values[":none"] = {"N": "0"}
    key: Item = {"pk": {"S": keys.rep(rep_id)}}
    return _update(to.organisation_table, key, change, "attribute_exists(pk)", {}, values)


def reopen_lock(to: Settings, held: Lead, back: Lead) -> dict[str, Any]:
    """Return the write that replaces a held lead by the one it is opened or assigned anew as."""
    record = lock_from(back)
    await_somebody(record, back, back.opens_at)
    return put_lock(to, held, record)


def put_lock(to: Settings, was: Lead, record: LockRecord) -> dict[str, Any]:
    """Return the write that replaces a lock, while the lead is as it was read."""
    values: Item = {":state": {"S": was.state.value}, ":epoch": {"N": str(was.epoch)}}
    if was.owner is not None:
        values[":rep"] = {"S": was.owner}
    return {
        "Put": {
            "TableName": to.leads_table,
            "Item": record.serialize(),
            # Work recorded meanwhile keeps the lead where it is; what it, or accepting the lead,
            # took off the counts is off them only once.
            "ConditionExpression": "#state = :state AND epoch = :epoch AND "
            + ("attribute_not_exists(#owner)" if was.owner is None else "#owner = :rep")
            + (" AND attribute_not_exists(worked_at)" if was.worked_at is None else "")
            + (" AND attribute_not_exists(accepted_at)" if was.unaccepted else ""),
            "ExpressionAttributeNames": {"#state": "state", "#owner": "owner"},
            "ExpressionAttributeValues": values,
        }
    }


def await_work(record: LockRecord, claim: Claim) -> None:
    """Put a lock among those its holder has, and among those that wait to be worked (C11)."""
    record.holder = claim.rep_id
    if claim.nudge_at is not None and claim.return_at is not None:
        record.wait_shard = keys.work_shard(keys.shard_of(claim.lead_id))
        record.wait_at = claim.nudge_at


def put_record(to: Settings, claim: Claim) -> dict[str, Any]:
    """Return the write that records who took the lead: the event everybody else hears of."""
    record = claim_record(claim)
    record.outbox_shard = keys.outbox_shard(keys.shard_of(claim.lead_id))
    record.outbox_at = claim.claimed_at
    return {
        "Put": {
            "TableName": to.leads_table,
            "Item": record.serialize(),
            "ConditionExpression": "attribute_not_exists(lead_id) OR epoch < :epoch",
            "ExpressionAttributeValues": {":epoch": {"N": str(claim.epoch)}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def put_move(to: Settings, move: Move) -> dict[str, Any]:
    """Return the write that records one step of a lead's life; a release is an event of its own."""
    record = move_record(move)
    if move.to_state is State.RELEASED:
        record.outbox_shard = keys.outbox_shard(keys.shard_of(move.lead_id))
        record.outbox_at = move.at
    return {"Put": {"TableName": to.leads_table, "Item": record.serialize()}}


def await_somebody(record: LockRecord, lead: Lead, now: datetime) -> None:
    """Put a lock among the open leads, or among those to be assigned, and that into the outbox.

    One that is put aside waits for nobody (R7).
    """
    shard = keys.shard_of(lead.lead_id)
    if lead.state is State.OPEN:
        record.wait_shard, record.wait_at = keys.open_shard(shard), lead.opens_at
    elif not lead.parked:
        record.wait_shard, record.wait_at = keys.queue_shard(shard), lead.received_at
    record.outbox_shard, record.outbox_at = keys.outbox_shard(shard), now


def _as_it_stood(view: RaceView, failure: ConditionFailed) -> RaceView:
    lock, person, record = failure.items
    if lock is not None:
        lead = lead_from(lock)
        reopened = view.lead is None or lead.epoch != view.lead.epoch
        view = replace(view, lead=lead, noticed_at=None if reopened else view.noticed_at)
    if record is not None:
        view = replace(view, claim=claim_from(record))
    if person is not None:
        rep, limits, token_hash = rep_from(person)
        view = replace(view, rep=rep, limits=limits, token_hash=token_hash)
    return view


def _update(
    table: str, key: Item, change: str, condition: str, names: Mapping[str, str], values: Item
) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": table,
            "Key": key,
            "UpdateExpression": change,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            **({"ExpressionAttributeNames": names} if names else {}),
        }
    }


def _lead_key(lead_id: str, sk: str) -> Item:
    return {"lead_id": {"S": lead_id}, "sk": {"S": sk}}


def _offer_key(lead_id: str, rep_id: str, sk: str) -> Item:
    return {"pk": {"S": keys.offer(lead_id, rep_id)}, "sk": {"S": sk}}
