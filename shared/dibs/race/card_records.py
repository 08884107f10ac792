"""A lead's card, as it is stored apart from the lead: the lock and the stream never hold it."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from pynamodb.attributes import Attribute, AttributeContainer, JSONAttribute, UnicodeAttribute
from pynamodb.constants import MAP, STRING

from dibs.aws.attributes import InstantAttribute, Item
from dibs.aws.clock import from_ms, to_ms
from dibs.aws.codec import Codec
from dibs.core.lead import Contact, DuplicateLink, IdentityKind, Post


class PostsAttribute(Attribute[tuple[Post, ...]]):
    """Posts merged into a lead, as JSON by their ids: a map, so that each is set by itself.

    With the card itself none is stored.
    """

    attr_type = MAP

    def serialize(self, value: tuple[Post, ...]) -> dict[str, Any]:
        return {}

    def deserialize(self, value: dict[str, Any]) -> tuple[Post, ...]:
        posts = (_post_from(post[STRING]) for post in value.values())
        return tuple(sorted(posts, key=lambda post: post.at))


class CardRecord(AttributeContainer):
    """A post with its personal data (contacts table), and the posts merged into its lead."""

    lead_id = UnicodeAttribute(hash_key=True)
    card = JSONAttribute()
    signed_at = InstantAttribute()
    merged = PostsAttribute()


def _card_data(card: Contact) -> dict[str, Any]:
    data = asdict(card)
    del data["merged"]  # each post is an entry of its own
    return {"card": data}


def _card(card: dict[str, Any], merged: tuple[Post, ...] = (), **_: Any) -> Contact:
    lists = {"needs": tuple(card["needs"]), "flags": tuple(card["flags"])}
    return Contact(**{**card, **lists, "merged": merged})


_CARD = Codec(CardRecord, Contact, beside=_card_data, build=_card, parts=("card",))
card_from = _CARD.value


def card_item(card: Contact, signed_at: datetime) -> Item:
    """Return a post's card as it is stored; nothing is merged into it yet."""
    return _CARD.item(card, signed_at=signed_at)


def post_text(card: Contact, link: DuplicateLink) -> str:
    """Return a post as it stands in the card of the lead it was merged into."""
    shown = {f.name: getattr(card, f.name) for f in fields(Post) if hasattr(card, f.name)}
    data = {**shown, "at": to_ms(link.at), "because": link.because.value}
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _post_from(text: str) -> Post:
    data = json.loads(text)
    return Post(
        **{
            **data,
            "at": from_ms(data["at"]),
            "because": IdentityKind(data["because"]),
            "needs": tuple(data["needs"]),
        }
    )
