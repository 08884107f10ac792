"""Load a full playbook, for everything but the claim."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dacite import from_dict

from dibs.aws.attributes import Item
from dibs.rules.game import Reporting
from dibs.rules.playbook import Playbook
from dibs.rules.store import CONFIG, stored_body


def playbook_from(data: Mapping[str, Any]) -> Playbook:
    """Return the playbook of a stored body."""
    return from_dict(Playbook, dict(data), CONFIG)


def stored_reporting(item: Item | None) -> Reporting:
    """Return who may report what by the stored playbook (K5)."""
    sent = stored_body(item).get("game", {}).get("reporting", {})
    return from_dict(Reporting, sent, CONFIG)


def stored_playbook(item: Item | None) -> Playbook:
    """Return the stored playbook, or the shipped open pool if none was applied yet."""
    return playbook_from(stored_body(item))
