"""Every item as it is stored: PynamoDB models, and their way to the domain and back.

The models are the schema and the codec; requests are made in `dynamo.py` with one low-level
client, because `Model.update` cannot ask for the old item when a condition fails, and because
every model would otherwise open a client of its own (docs/decisions/0008).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import date, datetime
from functools import lru_cache
from typing import Any, cast

from pynamodb.attributes import (
    Attribute,
    BinaryAttribute,
    BooleanAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.constants import MAP, STRING
from pynamodb.models import Model

from dibs.aws import keys
from dibs.aws.attributes import (
    DayAttribute,
    DaysAttribute,
    InstantAttribute,
    InstantsAttribute,
    Item,
    LinesAttribute,
    ListAttribute,
)
from dibs.aws.clock import from_ms, to_ms
from dibs.core.calendar import Hours, parse_hours, written_hours
from dibs.core.lead import (
    CLAIMED,
    Card,
    Claim,
    Kind,
    Lead,
    Move,
    Openings,
    Post,
    Preview,
    Reserved,
    State,
    Tie,
)
from dibs.core.quality import Quality
from dibs.core.rep import Device, Platform, Rep, Usage
from dibs.race.draw import Drawn
from dibs.race.ports import Notice


class SkillsAttribute(Attribute[tuple[tuple[str, int], ...]]):
    """Skills and their levels, `solar:2` one a line."""

    attr_type = STRING

    def serialize(self, value: tuple[tuple[str, int], ...]) -> str:
        return skills_text(value)

    def deserialize(self, value: str) -> tuple[tuple[str, int], ...]:
        return _skills_from(value)


class LeaveAttribute(Attribute[tuple[tuple[date, date], ...]]):
    """First and last days off, as `2026-12-24/2026-12-31`, in order."""

    attr_type = STRING

    def serialize(self, value: tuple[tuple[date, date], ...]) -> str:
        return " ".join(f"{first}/{last}" for first, last in value)

    def deserialize(self, value: str) -> tuple[tuple[date, date], ...]:
        spans = (span.split("/") for span in value.split())
        return tuple((date.fromisoformat(a), date.fromisoformat(b)) for a, b in spans)


class DevicesAttribute(Attribute[dict[str, Item]]):
    """A rep's devices by id, in DynamoDB's own form: a map, so that each is set by itself."""

    attr_type = MAP

    def serialize(self, value: dict[str, Item]) -> dict[str, Any]:
        return {device_id: {"M": device} for device_id, device in value.items()}

    def deserialize(self, value: dict[str, Any]) -> dict[str, Item]:
        return {device_id: device["M"] for device_id, device in value.items()}


class PostsAttribute(Attribute[dict[str, str]]):
    """Posts merged into a lead, as JSON by their ids: a map, so that each is set by itself."""

    attr_type = MAP

    def serialize(self, value: dict[str, str]) -> dict[str, Any]:
        return {lead_id: {STRING: post} for lead_id, post in value.items()}

    def deserialize(self, value: dict[str, Any]) -> dict[str, str]:
        return {lead_id: post[STRING] for lead_id, post in value.items()}


class LockRecord(Model):
    """The race's lock (leads table): at most 1 KB, no personal data."""

    class Meta:
        table_name = "leads"

    lead_id = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default=keys.LOCK)
    state = UnicodeAttribute()
    epoch = NumberAttribute()
    teams = ListAttribute()
    quality = UnicodeAttribute()
    company = UnicodeAttribute()
    company_size = UnicodeAttribute(null=True)
    contact_title = UnicodeAttribute(null=True)
    source = UnicodeAttribute(null=True)
    score = NumberAttribute(null=True)
    salt = BinaryAttribute(legacy_encoding=False)
    opens_at = InstantAttribute()
    closes_at = InstantAttribute()
    received_at = InstantAttribute()
    playbook_version = NumberAttribute()
    test = BooleanAttribute(null=True)
    territory = UnicodeAttribute(null=True)
    waves = UnicodeAttribute(null=True)
    owner = UnicodeAttribute(null=True)
    previous = UnicodeAttribute(null=True)
    released = UnicodeAttribute(null=True)
    parked = BooleanAttribute(null=True)
    claimed_at = InstantAttribute(null=True)
    worked_at = InstantAttribute(null=True)
    return_at = InstantAttribute(null=True)
    told_at = InstantAttribute(null=True)
    accepted_at = InstantAttribute(null=True)
    asks = LinesAttribute(null=True)
    pods = ListAttribute(null=True)
    blind = BooleanAttribute(null=True)
    first = ListAttribute(null=True)
    reserved = UnicodeAttribute(null=True)
    draws_at = InstantAttribute(null=True)
    holder = UnicodeAttribute(null=True)
    wait_shard = UnicodeAttribute(null=True)
    wait_at = InstantAttribute(null=True)
    outbox_shard = UnicodeAttribute(null=True)
    outbox_at = InstantAttribute(null=True)


class ClaimRecord(Model):
    """Who took a lead last (leads table); its writing is the event of the claim or assignment."""

    class Meta:
        table_name = "leads"

    lead_id = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default=keys.CLAIM)
    epoch = NumberAttribute()
    rep_id = UnicodeAttribute()
    rep_name = UnicodeAttribute()
    team = UnicodeAttribute()
    claimed_at = InstantAttribute()
    claim_ms = NumberAttribute()
    playbook_version = NumberAttribute()
    test = BooleanAttribute(null=True)
    cause = UnicodeAttribute(null=True)
    nudge_at = InstantAttribute(null=True)
    return_at = InstantAttribute(null=True)
    drawn = BooleanAttribute(null=True)
    outbox_shard = UnicodeAttribute(null=True)
    outbox_at = InstantAttribute(null=True)


class DrawRecord(Model):
    """How a lead's draw went (leads table), kept for good (C10). `passed` are lines of words."""

    class Meta:
        table_name = "leads"

    lead_id = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    epoch = NumberAttribute()
    commitment = UnicodeAttribute()
    seed = UnicodeAttribute()
    drawn_at = InstantAttribute()
    entrants = ListAttribute(null=True)
    passed = LinesAttribute(null=True)
    winner = UnicodeAttribute(null=True)


class MoveRecord(Model):
    """One step of a lead's life (leads table), kept for good."""

    class Meta:
        table_name = "leads"

    lead_id = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    epoch = NumberAttribute()
    at = InstantAttribute()
    from_state = UnicodeAttribute()
    to_state = UnicodeAttribute()
    cause = UnicodeAttribute()
    by = UnicodeAttribute()
    implied = ListAttribute(null=True)
    holder_was = UnicodeAttribute(null=True)
    note = UnicodeAttribute(null=True)
    told = UnicodeAttribute(null=True)
    outbox_shard = UnicodeAttribute(null=True)
    outbox_at = InstantAttribute(null=True)


class TieRecord(Model):
    """Why a lead and another belong together (leads table), kept for good."""

    class Meta:
        table_name = "leads"

    lead_id = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    other_id = UnicodeAttribute(null=True)
    at = InstantAttribute()
    because = UnicodeAttribute()
    source = UnicodeAttribute()
    outcome = UnicodeAttribute()


class CardRecord(Model):
    """A post with its personal data (contacts table); the lock and the stream never hold it.

    `merged` are the posts that became part of this lead; `merged_into` is the lead this post
    became part of, `merged_at` when, and `because` why.
    """

    class Meta:
        table_name = "contacts"

    lead_id = UnicodeAttribute(hash_key=True)
    card = JSONAttribute()
    signed_at = InstantAttribute()
    merged = PostsAttribute(null=True)
    merged_into = UnicodeAttribute(null=True)
    merged_at = InstantAttribute(null=True)
    because = UnicodeAttribute(null=True)


class StandingRecord(Model):
    """What a person or company is known as (identities table); the key is a digest."""

    class Meta:
        table_name = "identities"

    identity = UnicodeAttribute(hash_key=True)
    lead_id = UnicodeAttribute(null=True)
    since = InstantAttribute(null=True)
    owner = UnicodeAttribute(null=True)


class RepRecord(Model):
    """A rep with what they have used up (organisation table); the claim reads and counts here."""

    class Meta:
        table_name = "organisation"

    pk = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute()
    team = UnicodeAttribute()
    zone = UnicodeAttribute()
    tier = NumberAttribute()
    language = UnicodeAttribute()
    phone = UnicodeAttribute(null=True)
    active = BooleanAttribute()
    paused_until = InstantAttribute(null=True)
    sms_opted_out = BooleanAttribute(null=True)
    devices = DevicesAttribute(null=True)
    token_hash = UnicodeAttribute(null=True)
    quiet_until = InstantAttribute(null=True)
    hours = UnicodeAttribute(null=True)
    leave = LeaveAttribute(null=True)
    allowance = NumberAttribute(null=True)
    allowance_month = UnicodeAttribute(null=True)
    weight = NumberAttribute(null=True)
    territories = LinesAttribute(null=True)
    joined_on = DayAttribute(null=True)
    left_on = DayAttribute(null=True)
    segments = LinesAttribute(null=True)
    skills = SkillsAttribute(null=True)
    speaks = ListAttribute(null=True)
    interests = LinesAttribute(null=True)
    pod = UnicodeAttribute(null=True)
    claims_day = DayAttribute(null=True)
    claims = NumberAttribute(null=True)
    leads_week = DayAttribute(null=True)
    leads = NumberAttribute(null=True)
    in_hand = NumberAttribute(null=True)
    claims_hour = InstantAttribute(null=True)
    hour_claims = NumberAttribute(null=True)
    week_claims = NumberAttribute(null=True)
    hot_claims = NumberAttribute(null=True)
    warm_claims = NumberAttribute(null=True)
    cold_claims = NumberAttribute(null=True)
    claims_before = NumberAttribute(null=True)
    cold_before = NumberAttribute(null=True)
    raced = NumberAttribute(null=True)
    unaccepted = NumberAttribute(null=True)
    claims_ever = NumberAttribute(null=True)
    recent = InstantsAttribute(null=True)
    credits_used = DaysAttribute(null=True)


class NoticeRecord(Model):
    """One offer as it was sent (offers table); notify alone writes it."""

    class Meta:
        table_name = "offers"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default=keys.NOTICE)
    lead_id = UnicodeAttribute()
    rep_id = UnicodeAttribute()
    epoch = NumberAttribute()
    sent_at = InstantAttribute()
    channels = ListAttribute(null=True)
    claimed_at = InstantAttribute(null=True)
    expires_at = NumberAttribute()


class SightingRecord(Model):
    """What the rep did with an offer (offers table); only the rep's own calls write it.

    Beside these it may hold what they did with the opening `before`, as a map of the same.
    """

    class Meta:
        table_name = "offers"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default=keys.SIGHTING)
    epoch = NumberAttribute()
    seen_at = InstantAttribute(null=True)
    attempted_at = InstantAttribute(null=True)
    declined_at = InstantAttribute(null=True)
    lost_at = InstantAttribute(null=True)
    rules = ListAttribute(null=True)
    rules_version = NumberAttribute(null=True)
    outcome = UnicodeAttribute(null=True)
    expires_at = NumberAttribute()


class SmsRecord(Model):
    """The marker that keeps an offer's text message to one per rep and opening (offers table)."""

    class Meta:
        table_name = "offers"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default=keys.SMS)
    epoch = NumberAttribute()
    code = UnicodeAttribute()
    sent_at = InstantAttribute()
    expires_at = NumberAttribute()


class CodeRecord(Model):
    """A reply code of one rep and the offer it claims (offers table)."""

    class Meta:
        table_name = "offers"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    lead_id = UnicodeAttribute()
    epoch = NumberAttribute()
    expires_at = NumberAttribute()


def lock_from(lead: Lead) -> LockRecord:
    """Return the record of a lead; its index and outbox attributes are for the writer to set."""
    return LockRecord(
        lead_id=lead.lead_id,
        sk=keys.LOCK,
        state=lead.state.value,
        epoch=lead.epoch,
        teams=lead.teams,
        quality=lead.quality.value,
        company=lead.preview.company,
        company_size=lead.preview.company_size or None,
        contact_title=lead.preview.contact_title or None,
        source=lead.preview.source or None,
        score=lead.preview.score,
        salt=lead.salt,
        opens_at=lead.opens_at,
        closes_at=lead.closes_at,
        received_at=lead.received_at,
        playbook_version=lead.playbook_version,
        test=lead.test or None,
        territory=lead.territory or None,
        waves=waves_text(lead) or None,
        owner=lead.owner,
        previous=lead.previous,
        released=released_text(lead) or None,
        parked=lead.parked or None,
        claimed_at=lead.claimed_at,
        worked_at=lead.worked_at,
        return_at=lead.return_at,
        told_at=lead.told_at,
        accepted_at=lead.accepted_at,
        asks=_asks(lead),
        pods=lead.pods or None,
        blind=lead.blind or None,
        first=lead.first or None,
        reserved=lead.reserved or None,
        draws_at=lead.draws_at,
    )


def _asks(lead: Lead) -> tuple[str, ...] | None:
    """Return what a lead asks of its rep: segment, product, language, then skills; one a line."""
    asked = (lead.segment, lead.product, lead.language, *skills_text(lead.needs).split("\n"))
    return asked if any(asked) else None


def skills_text(skills: Iterable[tuple[str, int]]) -> str:
    """Return skills and levels as they are stored."""
    return "\n".join(f"{name}:{level}" for name, level in skills)


def _skills_from(text: str) -> tuple[tuple[str, int], ...]:
    pairs = (line.rpartition(":") for line in text.split("\n") if line)
    return tuple((name, int(level)) for name, _, level in pairs)


def waves_text(lead: Lead) -> str:
    """Return the tiers' openings as they are stored: `0,900000,- *`, in milliseconds.

    One for each of the lead's teams, `*` where all may claim at once, a single number where all
    tiers open together later, and counted from the lead's own opening, so that a lock with a
    dozen teams stays below 1 KB. Empty where none has waves.
    """
    start = to_ms(lead.opens_at)
    waves = (lead.waves.get(team) for team in lead.teams)

    def said(openings: Openings) -> str:
        words = ["-" if at is None else str(to_ms(at) - start) for at in openings]
        return words[0] if len(set(words)) == 1 else ",".join(words)

    parts = (said(openings) if openings else _AT_ONCE for openings in waves)
    return " ".join(parts) if lead.waves else ""


_AT_ONCE = "*"


def _waves_from(text: str, teams: tuple[str, ...], opens_at: datetime) -> dict[str, Openings]:
    start, waves = to_ms(opens_at), {}
    for team, openings in zip(teams, text.split(), strict=False):
        if openings != _AT_ONCE:
            words = openings.split(",")
            first, second, third = (
                None if ms == "-" else from_ms(start + int(ms))
                for ms in (words * 3 if len(words) == 1 else words)
            )
            waves[team] = (first, second, third)
    return waves


def released_text(lead: Lead) -> str:
    """Return who released the lead lately as it is stored: `aaaac:6a030a80`, seconds in base 16."""
    return " ".join(f"{rep_id}:{to_ms(at) // 1000:x}" for rep_id, at in lead.released.items())


def _released_from(text: str) -> dict[str, datetime]:
    parts = (part.split(":") for part in text.split())
    return {rep_id: from_ms(int(seconds, 16) * 1000) for rep_id, seconds in parts}


def lead_from(item: Item) -> Lead:
    """Return the lead a stored lock describes."""
    record = LockRecord.from_raw_data(item)
    segment, product, language, *needs = record.asks or ("", "", "")
    return Lead(
        lead_id=record.lead_id,
        state=State(record.state),
        epoch=int(record.epoch),
        teams=record.teams,
        quality=Quality(record.quality),
        preview=Preview(
            company=record.company,
            company_size=record.company_size or "",
            contact_title=record.contact_title or "",
            source=record.source or "",
            score=None if record.score is None else int(record.score),
        ),
        salt=record.salt,
        opens_at=record.opens_at,
        closes_at=record.closes_at,
        playbook_version=int(record.playbook_version),
        received_at=record.received_at,
        test=bool(record.test),
        territory=record.territory or "",
        waves=_waves_from(record.waves or "", record.teams, record.opens_at),
        owner=record.owner,
        previous=record.previous,
        released=_released_from(record.released or ""),
        parked=bool(record.parked),
        claimed_at=record.claimed_at,
        worked_at=record.worked_at,
        return_at=record.return_at,
        told_at=record.told_at,
        accepted_at=record.accepted_at,
        segment=segment,
        product=product,
        language=language,
        needs=_skills_from("\n".join(needs)),
        pods=record.pods or (),
        blind=bool(record.blind),
        first=record.first or (),
        reserved=cast("Reserved", record.reserved or ""),
        draws_at=record.draws_at,
    )


def claim_record(claim: Claim) -> ClaimRecord:
    """Return the record of a won race."""
    return ClaimRecord(
        lead_id=claim.lead_id,
        sk=keys.CLAIM,
        epoch=claim.epoch,
        rep_id=claim.rep_id,
        rep_name=claim.rep_name,
        team=claim.team,
        claimed_at=claim.claimed_at,
        claim_ms=claim.claim_ms,
        playbook_version=claim.playbook_version,
        test=claim.test or None,
        cause=None if claim.cause == CLAIMED else claim.cause,
        nudge_at=claim.nudge_at,
        return_at=claim.return_at,
        drawn=claim.drawn or None,
    )


def claim_from(item: Item) -> Claim:
    """Return the won race a stored record describes."""
    record = ClaimRecord.from_raw_data(item)
    return Claim(
        lead_id=record.lead_id,
        epoch=int(record.epoch),
        rep_id=record.rep_id,
        rep_name=record.rep_name,
        team=record.team,
        claimed_at=record.claimed_at,
        claim_ms=int(record.claim_ms),
        playbook_version=int(record.playbook_version),
        test=bool(record.test),
        cause=record.cause or CLAIMED,
        nudge_at=record.nudge_at,
        return_at=record.return_at,
        drawn=bool(record.drawn),
    )


def draw_record(drawn: Drawn) -> DrawRecord:
    """Return the record of a draw."""
    return DrawRecord(
        lead_id=drawn.lead_id,
        sk=keys.draw(drawn.epoch),
        epoch=drawn.epoch,
        commitment=drawn.commitment,
        seed=drawn.seed,
        drawn_at=drawn.drawn_at,
        entrants=drawn.entrants or None,
        passed=tuple(" ".join((rep_id, *rules)) for rep_id, rules in drawn.passed) or None,
        winner=drawn.winner,
    )


def drawn_from(item: Item) -> Drawn:
    """Return the draw a stored record describes."""
    record = DrawRecord.from_raw_data(item)
    passed = (line.split() for line in record.passed or ())
    return Drawn(
        lead_id=record.lead_id,
        epoch=int(record.epoch),
        commitment=record.commitment,
        seed=record.seed,
        drawn_at=record.drawn_at,
        entrants=record.entrants or (),
        passed=tuple((rep_id, tuple(rules)) for rep_id, *rules in passed),
        winner=record.winner,
    )


def move_record(move: Move) -> MoveRecord:
    """Return the record of one step of a lead's life."""
    return MoveRecord(
        lead_id=move.lead_id,
        sk=keys.move(move.epoch, move.at, move.to_state),
        epoch=move.epoch,
        at=move.at,
        from_state=move.from_state.value,
        to_state=move.to_state.value,
        cause=move.cause,
        by=move.by,
        implied=tuple(move.implied) or None,
        holder_was=move.holder,
        note=move.note or None,
        told=move.told or None,
    )


def move_from(item: Item) -> Move:
    """Return the step a stored record describes."""
    record = MoveRecord.from_raw_data(item)
    return Move(
        lead_id=record.lead_id,
        epoch=int(record.epoch),
        at=record.at,
        from_state=State(record.from_state),
        to_state=State(record.to_state),
        cause=record.cause,
        by=record.by,
        implied=tuple(State(state) for state in record.implied or ()),
        holder=record.holder_was,
        note=record.note or "",
        told=record.told or "",
    )


def card_record(card: Card, signed_at: datetime, tie: Tie | None = None) -> CardRecord:
    """Return the record of a post's card; nothing is merged into it yet."""
    return CardRecord(
        lead_id=card.lead_id,
        card=_card_data(card),
        signed_at=signed_at,
        merged={},
        merged_into=tie.lead_id if tie else None,
        merged_at=tie.at if tie else None,
        because=tie.because.value if tie else None,
    )


def _card_data(card: Card) -> dict[str, Any]:
    data = asdict(card)
    del data["merged"]  # each post is an entry of its own
    return data


def card_from(item: Item) -> Card:
    """Return the card a stored record holds as it was posted, and what was merged into it."""
    record = CardRecord.from_raw_data(item)
    data = record.card
    posts = sorted(map(_post_from, (record.merged or {}).values()), key=lambda post: post.at)
    return Card(
        **{
            **data,
            "needs": tuple(data["needs"]),
            "flags": tuple(data["flags"]),
            "merged": tuple(posts),
        }
    )


def post_text(card: Card, tie: Tie) -> str:
    """Return a post as it stands in the card of the lead it was merged into."""
    shown = {f.name: getattr(card, f.name) for f in fields(Post) if hasattr(card, f.name)}
    data = {**shown, "at": to_ms(tie.at), "because": tie.because.value}
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _post_from(text: str) -> Post:
    data = json.loads(text)
    return Post(
        **{
            **data,
            "at": from_ms(data["at"]),
            "because": Kind(data["because"]),
            "needs": tuple(data["needs"]),
        }
    )


def tie_record(tie: Tie) -> TieRecord:
    """Return the record of why a lead and another belong together."""
    return TieRecord(
        lead_id=tie.lead_id,
        sk=keys.tie(tie.at, tie.other_id),
        other_id=tie.other_id or None,
        at=tie.at,
        because=tie.because.value,
        source=tie.source,
        outcome=tie.outcome,
    )


def tie_from(item: Item) -> Tie:
    """Return the tie a stored record describes."""
    record = TieRecord.from_raw_data(item)
    because, other_id = Kind(record.because), record.other_id or ""
    return Tie(record.lead_id, other_id, record.at, because, record.source, record.outcome)


def rep_record(rep: Rep, token_hash: str | None) -> RepRecord:
    """Return the record of a new rep, who has used up nothing yet."""
    return RepRecord(
        pk=keys.rep(rep.rep_id),
        name=rep.name,
        team=rep.team,
        zone=rep.zone,
        tier=rep.tier,
        language=rep.language,
        phone=rep.phone,
        active=rep.active,
        paused_until=rep.paused_until,
        sms_opted_out=rep.sms_opted_out or None,
        devices={},
        token_hash=token_hash,
        quiet_until=rep.quiet_until,
        hours=hours_text(rep.hours) or None,
        leave=rep.leave or None,
        allowance=rep.allowance,
        weight=None if rep.weight == 1 else rep.weight,
        territories=rep.territories or None,
        joined_on=rep.joined_on,
        left_on=rep.left_on,
        segments=rep.segments or None,
        skills=rep.skills or None,
        speaks=rep.speaks or None,
        interests=rep.interests or None,
        pod=rep.pod or None,
    )


def hours_text(hours: Hours) -> str:
    """Return working hours as they are stored."""
    written = written_hours(hours)
    return json.dumps(written, separators=(",", ":")) if written else ""


@lru_cache(maxsize=256)
def _hours_from(text: str) -> Hours:
    """Return stored working hours; many reps share the same."""
    return parse_hours(json.loads(text)) if text else Hours()


def rep_from(item: Item) -> tuple[Rep, Usage, str | None]:
    """Return the rep a stored record describes, what they have used up, and their token's hash."""
    record = RepRecord.from_raw_data(item)
    rep = Rep(
        rep_id=record.pk.removeprefix("REP#"),
        name=record.name,
        team=record.team,
        zone=record.zone,
        tier=int(record.tier),
        language=record.language,
        phone=record.phone,
        active=bool(record.active),
        paused_until=record.paused_until,
        sms_opted_out=bool(record.sms_opted_out),
        devices=tuple(
            Device(
                device_id,
                Platform(device["platform"]["S"]),
                device["arn"]["S"],
                device["enabled"]["BOOL"],
            )
            for device_id, device in sorted(
                (record.devices or {}).items(), key=lambda pair: int(pair[1]["at"]["N"])
            )
        ),
        quiet_until=record.quiet_until,
        hours=_hours_from(record.hours or ""),
        leave=record.leave or (),
        allowance=None if record.allowance is None else int(record.allowance),
        weight=int(record.weight or 1),
        territories=record.territories or (),
        joined_on=record.joined_on,
        left_on=record.left_on,
        segments=record.segments or (),
        skills=record.skills or (),
        speaks=record.speaks or (),
        interests=record.interests or (),
        pod=record.pod or "",
    )
    usage = Usage(
        day=record.claims_day,
        claims=int(record.claims or 0),
        week=record.leads_week,
        leads=int(record.leads or 0),
        in_hand=int(record.in_hand or 0),
        hour=record.claims_hour,
        hour_claims=int(record.hour_claims or 0),
        week_claims=int(record.week_claims or 0),
        hot=int(record.hot_claims or 0),
        warm=int(record.warm_claims or 0),
        cold=int(record.cold_claims or 0),
        claims_before=int(record.claims_before or 0),
        cold_before=int(record.cold_before or 0),
        raced=int(record.raced or 0),
        unaccepted=max(0, int(record.unaccepted or 0)),
        ever=int(record.claims_ever or 0),
        recent=record.recent or (),
        credits_used=record.credits_used or (),
    )
    return rep, usage, record.token_hash


def notice_from(item: Item) -> Notice:
    """Return the sent offer a stored record describes."""
    record = NoticeRecord.from_raw_data(item)
    return Notice(
        lead_id=record.lead_id,
        epoch=int(record.epoch),
        rep_id=record.rep_id,
        sent_at=record.sent_at,
        channels=record.channels or (),
        claimed_at=record.claimed_at,
    )
