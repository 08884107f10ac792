"""What a race reads and writes, as it is stored: PynamoDB models and their codecs.

The models say what an item holds; `codec.py` makes of it the domain's values and back. Requests are
made in `dynamo.py` with one low-level client, because `Model.update` cannot ask for the old item
when a condition fails, and because every model would otherwise open a client of its own
(docs/decisions/0008).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import (
    Attribute,
    AttributeContainer,
    BinaryAttribute,
    BooleanAttribute,
    UnicodeAttribute,
)
from pynamodb.constants import STRING

from dibs.aws import keys
from dibs.aws.attributes import (
    EnumAttribute,
    InstantAttribute,
    IntegerAttribute,
    Item,
    LinesAttribute,
    SkillsAttribute,
    WordsAttribute,
)
from dibs.aws.clock import from_ms, to_ms
from dibs.aws.codec import Codec
from dibs.core.lead import Claim, Lead, Openings, Preview, State, Transition
from dibs.core.quality import Quality
from dibs.race.draw import DrawResult
from dibs.race.ports import SentOffer

OFFER_KEPT = timedelta(days=90)


class ReleasedAttribute(Attribute[Mapping[str, datetime]]):
    """Who gave a lead back lately and when: `aaaac:6a030a80`, seconds in base 16."""

    attr_type = STRING

    def serialize(self, value: Mapping[str, datetime]) -> str:
        return " ".join(f"{rep_id}:{to_ms(at) // 1000:x}" for rep_id, at in value.items())

    def deserialize(self, value: str) -> dict[str, datetime]:
        parts = (part.split(":") for part in value.split())
        return {rep_id: from_ms(int(seconds, 16) * 1000) for rep_id, seconds in parts}


class PassedAttribute(Attribute[tuple[tuple[str, tuple[str, ...]], ...]]):
    """Who was passed over in a draw, a line each: the rep, then the rules that refused them."""

    attr_type = STRING

    def serialize(self, value: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
        return "\n".join(" ".join((rep_id, *rules)) for rep_id, rules in value)

    def deserialize(self, value: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        lines = (line.split() for line in value.split("\n"))
        return tuple((rep_id, tuple(rules)) for rep_id, *rules in lines)


class LeadRecord(AttributeContainer):
    """The race's lock (leads table): at most 1 KB, no personal data.

    `asks` is what a lead asks of its rep, a line each: segment, product, language, then skills.
    """

    lead_id = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default=keys.LOCK)
    state = EnumAttribute(State)
    epoch = IntegerAttribute()
    teams = WordsAttribute()
    quality = EnumAttribute(Quality)
    company = UnicodeAttribute()
    company_size = UnicodeAttribute(null=True)
    contact_title = UnicodeAttribute(null=True)
    source = UnicodeAttribute(null=True)
    score = IntegerAttribute(null=True)
    salt = BinaryAttribute(legacy_encoding=False)
    opens_at = InstantAttribute()
    closes_at = InstantAttribute()
    received_at = InstantAttribute()
    playbook_version = IntegerAttribute()
    test = BooleanAttribute(null=True)
    territory = UnicodeAttribute(null=True)
    waves = UnicodeAttribute(null=True)
    owner = UnicodeAttribute(null=True)
    previous_owner = UnicodeAttribute(null=True, attr_name="previous")
    released_by = ReleasedAttribute(null=True, attr_name="released")
    on_hold = BooleanAttribute(null=True, attr_name="parked")
    claimed_at = InstantAttribute(null=True)
    worked_at = InstantAttribute(null=True)
    return_at = InstantAttribute(null=True)
    notified_until = InstantAttribute(null=True, attr_name="told_at")
    accepted_at = InstantAttribute(null=True)
    asks = LinesAttribute(null=True)
    pods = WordsAttribute(null=True)
    blind = BooleanAttribute(null=True)
    head_start_reps = WordsAttribute(null=True, attr_name="first")
    reserved_for = UnicodeAttribute(null=True, attr_name="reserved")
    draws_at = InstantAttribute(null=True)
    undone_by = WordsAttribute(null=True, attr_name="undid")
    race_epoch = IntegerAttribute(null=True, attr_name="ep1")
    test_everybody = BooleanAttribute(null=True, attr_name="test_all")
    holder = UnicodeAttribute(null=True)
    wait_shard = UnicodeAttribute(null=True)
    wait_at = InstantAttribute(null=True)
    outbox_shard = UnicodeAttribute(null=True)
    outbox_at = InstantAttribute(null=True)


class ClaimRecord(AttributeContainer):
    """Who took a lead last (leads table); its writing is the event of the claim or assignment."""

    lead_id = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default=keys.CLAIM)
    epoch = IntegerAttribute()
    rep_id = UnicodeAttribute()
    rep_name = UnicodeAttribute()
    team = UnicodeAttribute()
    claimed_at = InstantAttribute()
    claim_ms = IntegerAttribute()
    playbook_version = IntegerAttribute()
    test = BooleanAttribute(null=True)
    cause = UnicodeAttribute(null=True)
    nudge_at = InstantAttribute(null=True)
    return_at = InstantAttribute(null=True)
    drawn = BooleanAttribute(null=True)
    outbox_shard = UnicodeAttribute(null=True)
    outbox_at = InstantAttribute(null=True)


class DrawRecord(AttributeContainer):
    """How a lead's draw went (leads table), kept for good (C10)."""

    lead_id = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    epoch = IntegerAttribute()
    commitment = UnicodeAttribute()
    seed = UnicodeAttribute()
    drawn_at = InstantAttribute()
    entrants = WordsAttribute(null=True, default=())
    passed = PassedAttribute(null=True)
    winner = UnicodeAttribute(null=True)


class TransitionRecord(AttributeContainer):
    """One step of a lead's life (leads table), kept for good."""

    lead_id = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    epoch = IntegerAttribute()
    at = InstantAttribute()
    from_state = EnumAttribute(State)
    to_state = EnumAttribute(State)
    cause = UnicodeAttribute()
    by = UnicodeAttribute()
    implied = WordsAttribute(of=State, null=True)
    holder = UnicodeAttribute(null=True, attr_name="holder_was")
    note = UnicodeAttribute(null=True)
    told = UnicodeAttribute(null=True)
    outbox_shard = UnicodeAttribute(null=True)
    outbox_at = InstantAttribute(null=True)


class SentOfferRecord(AttributeContainer):
    """One offer as it was sent (offers table); notify alone writes it."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default=keys.NOTICE)
    lead_id = UnicodeAttribute()
    rep_id = UnicodeAttribute()
    epoch = IntegerAttribute()
    sent_at = InstantAttribute()
    channels = WordsAttribute(null=True, default=())
    claimed_at = InstantAttribute(null=True)
    expires_at = IntegerAttribute()


def _beside_lead(lead: Lead) -> dict[str, Any]:
    """Return what is stored of a lead in one attribute though it is several of its fields."""
    asked = (lead.segment, lead.product, lead.language, *_SKILLS.serialize(lead.needs).split("\n"))
    return {"asks": asked if any(asked) else None, "waves": waves_text(lead) or None}


def _lead(
    teams: tuple[str, ...],
    opens_at: datetime,
    waves: str = "",
    asks: tuple[str, ...] = ("", "", ""),
    **known: Any,
) -> Lead:
    segment, product, language, *needs = asks
    return Lead(
        teams=teams,
        opens_at=opens_at,
        waves=_waves_from(waves, teams, opens_at),
        segment=segment,
        product=product,
        language=language,
        needs=_SKILLS.deserialize("\n".join(needs)),
        **known,
    )


_SKILLS = SkillsAttribute()


def waves_text(lead: Lead) -> str:
    """Return the tiers' openings as they are stored: `0,900000,- *`, in milliseconds.

    One word for each of the lead's teams: `*` if all may claim at once, one number if all tiers
    open together, else a number for each tier (`-` for never). Numbers count from the lead's
    opening, so that a lead with a dozen teams stays below 1 KB. Empty where no team has waves.
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


_LOCK = Codec(
    LeadRecord, Lead, flat={"preview": Preview}, beside=_beside_lead, build=_lead, parts=("asks",)
)
_CLAIM = Codec(ClaimRecord, Claim)
_DRAW = Codec(DrawRecord, DrawResult, beside=lambda drawn: {"sk": keys.draw(drawn.epoch)})
_TRANSITION = Codec(
    TransitionRecord,
    Transition,
    beside=lambda transition: {
        "sk": keys.transition(transition.epoch, transition.at, transition.to_state)
    },
)
_NOTICE = Codec(
    SentOfferRecord,
    SentOffer,
    beside=lambda notice: {
        "pk": keys.offer(notice.lead_id, notice.rep_id),
        "expires_at": to_ms(notice.sent_at + OFFER_KEPT) // 1000,
    },
)

lock_item, lead_from = _LOCK.item, _LOCK.value
claim_item, claim_from = _CLAIM.item, _CLAIM.value
draw_item, drawn_from = _DRAW.item, _DRAW.value
transition_item, transition_from = _TRANSITION.item, _TRANSITION.value
notice_item, notice_from = _NOTICE.item, _NOTICE.value


def notices_change(notices: Sequence[SentOffer]) -> dict[str, Any]:
    """Return the update that puts notices of one lead into the one item of a small team.

    Each is an attribute of its rep's: epoch, when it was sent, by which channels.
    """
    said = [f"{one.epoch} {to_ms(one.sent_at)} {' '.join(one.channels)}" for one in notices]
    names = {f"#{n}": keys.notice_of(one.rep_id) for n, one in enumerate(notices)}
    gone = {f"#c{n}": keys.claimed_of(one.rep_id) for n, one in enumerate(notices)}
    kept_until = to_ms(max(one.sent_at for one in notices) + OFFER_KEPT) // 1000
    sets = ", ".join(f"#{n} = :{n}" for n in range(len(notices)))
    return {
        "expression": f"SET expires_at = :until, {sets} REMOVE {', '.join(gone)}",
        "ExpressionAttributeNames": {**names, **gone},
        "ExpressionAttributeValues": {
            ":until": {"N": str(kept_until)},
            **{f":{n}": {"S": text} for n, text in enumerate(said)},
        },
    }


def notices_from(item: Item, lead_id: str, rep_ids: Iterable[str]) -> Iterator[SentOffer]:
    """Yield the notices of these reps from the one item of a small team."""
    for rep_id in rep_ids:
        said = item.get(keys.notice_of(rep_id))
        if said is None:
            continue
        epoch, sent_ms, *channels = said["S"].split()
        claimed = item.get(keys.claimed_of(rep_id))
        yield SentOffer(
            lead_id=lead_id,
            epoch=int(epoch),
            rep_id=rep_id,
            sent_at=from_ms(int(sent_ms)),
            channels=tuple(channels),
            claimed_at=None if claimed is None else from_ms(int(claimed["N"])),
        )
