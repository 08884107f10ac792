"""A playbook as it is stored: validated when it was, so that a claim reads it without pydantic."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from dacite import Config, from_dict

from dibs.adapters.records import Item
from dibs.domain.leads import Quality
from dibs.domain.playbook import Method, Model, Playbook
from dibs.presets import preset_text

_CONFIG = Config(
    cast=[tuple, Model, Method, Quality], type_hooks={date: date.fromisoformat}, strict=True
)


def playbook_from(data: Mapping[str, Any]) -> Playbook:
    """Return the playbook a stored body describes."""
    return from_dict(Playbook, dict(data), _CONFIG)


def stored_playbook(item: Item | None) -> Playbook:
    """Return the stored playbook, or the shipped open pool where none was applied yet."""
    if item is None:
        return playbook_from(json.loads(preset_text("open-pool")))
    return playbook_from({**json.loads(item["body"]["S"]), "version": int(item["version"]["N"])})
