"""Load a playbook's rules. They were validated before they were stored, so a claim needs no
pydantic."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from dacite import Config, from_dict

from dibs.aws import keys
from dibs.aws.attributes import Item
from dibs.aws.clock import from_ms, to_ms
from dibs.core.quality import Quality
from dibs.core.rep import Pause
from dibs.rules.presets import preset_text
from dibs.rules.rules import Method, Model, Rules

FIRST_ACTIVITY = "first_activity_at"
"""Beside the playbook in force: when an activity about a lead was first reported. The claim knows
it without a request of its own (C11)."""

CONFIG = Config(
    cast=[tuple, Model, Method, Quality], type_hooks={date: date.fromisoformat}, strict=True
)


def stored_rules(item: Item | None) -> Rules:
    """Return the stored playbook's rules without its game, which a claim does not need."""
    body = stored_body(item)
    body.pop("game", None)
    return from_dict(Rules, body, CONFIG)


def stored_pauses(item: Item | None) -> dict[str, Pause]:
    """Return the paused teams, which are stored beside the number of the playbook."""
    return {
        name.removeprefix(keys.PAUSED): Pause(
            value["M"]["reason"]["S"],
            from_ms(int(value["M"]["until"]["N"])) if "until" in value["M"] else None,
        )
        for name, value in (item or {}).items()
        if name.startswith(keys.PAUSED)
    }


def stored_number(item: Item | None) -> int | None:
    """Return the number of the playbook in force; None before the first change since an update."""
    # A team may be paused before the first change.
    return int(item["version"]["N"]) if item is not None and "version" in item else None


def pause_value(pause: Pause) -> dict[str, Any]:
    """Return a pause as `stored_pauses` reads it."""
    until: Item = {} if pause.until is None else {"until": {"N": str(to_ms(pause.until))}}
    return {"M": {"reason": {"S": pause.reason}, **until}}


def stored_body(item: Item | None) -> dict[str, Any]:
    """Return the stored body, or the shipped open pool if no playbook was applied yet."""
    if item is None:
        return dict(json.loads(preset_text("open-pool")))
    return {
        **json.loads(item["body"]["S"]),
        "version": int(item["version"]["N"]),
        "first_activity": FIRST_ACTIVITY in item,
    }
