"""A token or a session as it is stored: the claim reads it together with the lead."""

from __future__ import annotations

from pynamodb.attributes import AttributeContainer, UnicodeAttribute

from dibs.aws import keys
from dibs.aws.attributes import InstantAttribute, IntegerAttribute, Item
from dibs.aws.codec import Codec
from dibs.core.credentials import Credential, Shown


class CredentialRecord(AttributeContainer):
    """A token or a session of an owner (credentials table); `expires_at` is for TTL."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    digest = UnicodeAttribute()
    number = IntegerAttribute()
    ends_at = InstantAttribute(null=True)
    issued_at = InstantAttribute(null=True)
    issued_by = UnicodeAttribute(null=True)
    expires_at = IntegerAttribute(null=True)


_CREDENTIAL = Codec(CredentialRecord, Credential)
credential_from = _CREDENTIAL.value


def credential_key(shown: Shown) -> Item:
    """Return where what a caller showed is stored, if it is good."""
    return {"pk": {"S": keys.owner(shown.owner)}, "sk": {"S": keys.credential(shown)}}


def credential_item(shown: Shown, credential: Credential) -> Item:
    """Return a token or session as it is stored; one with an end goes by itself then."""
    ends = credential.ends_at
    expires = None if ends is None else int(ends.timestamp()) + 1
    return credential_key(shown) | _CREDENTIAL.item(credential, expires_at=expires)
