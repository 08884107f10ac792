"""What reps did with their offers, and the codes they answer texts with, as it is stored."""

from __future__ import annotations

from pynamodb.attributes import AttributeContainer, UnicodeAttribute

from dibs.aws import keys
from dibs.aws.attributes import InstantAttribute, IntegerAttribute, WordsAttribute
from dibs.aws.codec import Codec
from dibs.offers.ports import OfferView


class OfferViewRecord(AttributeContainer):
    """What the rep did with an offer (offers table); only the rep's own calls write it.

    Beside these it may hold what they did with the opening `before`, as a map of the same.
    """

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default=keys.SIGHTING)
    epoch = IntegerAttribute()
    seen_at = InstantAttribute(null=True)
    attempted_at = InstantAttribute(null=True)
    declined_at = InstantAttribute(null=True)
    lost_at = InstantAttribute(null=True)
    rules = WordsAttribute(null=True)
    rules_version = IntegerAttribute(null=True)
    outcome = UnicodeAttribute(null=True)
    expires_at = IntegerAttribute()


class SmsRecord(AttributeContainer):
    """The marker that keeps an offer's text message to one per rep and opening (offers table)."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default=keys.SMS)
    epoch = IntegerAttribute()
    code = UnicodeAttribute()
    sent_at = InstantAttribute()
    expires_at = IntegerAttribute()


class CodeRecord(AttributeContainer):
    """A reply code of one rep and the offer it claims (offers table)."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    lead_id = UnicodeAttribute()
    epoch = IntegerAttribute()
    expires_at = IntegerAttribute()


sighting_from = Codec(OfferViewRecord, OfferView).value
