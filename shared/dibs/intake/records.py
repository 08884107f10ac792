"""Whom a post belongs to, as it is stored (C6): identities, duplicates, and merged posts."""

from __future__ import annotations

from pynamodb.attributes import AttributeContainer, UnicodeAttribute

from dibs.aws import keys
from dibs.aws.attributes import EnumAttribute, InstantAttribute, WordSetAttribute
from dibs.aws.codec import Codec
from dibs.core.lead import DuplicateLink, IdentityKind
from dibs.intake.duplicates import KnownIdentity


class DuplicateLinkRecord(AttributeContainer):
    """Why a lead and another belong together (leads table), kept for good."""

    lead_id = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    other_id = UnicodeAttribute(null=True, default="")
    at = InstantAttribute()
    because = EnumAttribute(IdentityKind)
    source = UnicodeAttribute()
    outcome = UnicodeAttribute()


class MergedRecord(AttributeContainer):
    """Into which lead a post was merged: a part of its card's item (contacts table)."""

    other_id = UnicodeAttribute(hash_key=True, attr_name="lead_id")
    lead_id = UnicodeAttribute(null=True, attr_name="merged_into")
    at = InstantAttribute(null=True, attr_name="merged_at")
    because = EnumAttribute(IdentityKind, null=True)


class IdentityRecord(AttributeContainer):
    """What a person or company is known as (identities table); the key is a digest."""

    identity = UnicodeAttribute(hash_key=True)
    lead_id = UnicodeAttribute(null=True)
    since = InstantAttribute(null=True)
    owner = UnicodeAttribute(null=True)
    seen = WordSetAttribute(null=True)


_LINK = Codec(
    DuplicateLinkRecord,
    DuplicateLink,
    beside=lambda link: {"sk": keys.duplicate_link(link.at, link.other_id)},
)
_MERGED = Codec(MergedRecord, DuplicateLink)

link_item, link_from = _LINK.item, _LINK.value
merged_item, merged_from = _MERGED.item, _MERGED.value
standing_from = Codec(IdentityRecord, KnownIdentity).value
