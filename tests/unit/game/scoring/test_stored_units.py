"""What is stored of an entry, to count it again with what comes later."""

from __future__ import annotations

import ast
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import dibs
from dibs.game.scoring.ports import Aggregate
from dibs.game.scoring.store import NOT_TALLIED, unit_from, unit_item
from dibs.ledger.entries import Entry, new_entry
from support.builders import NOON, a_lead, a_playbook, a_rep

AINA = a_rep(1)
ENTRY = new_entry(
    "activity/one", "won", AINA.rep_id, AINA.team, NOON, a_playbook(), a_lead(), epoch=2
)


def _other(name: str, value: Any) -> Any:
    """Return another value than the one a field has by default."""
    if name == "shared":
        return ("bbbbb",)
    kind = Entry.__dataclass_fields__[name].type
    if "datetime" in str(kind):
        return NOON + timedelta(seconds=7)
    if "bool" in str(kind):
        return not value
    return 7 if "int" in str(kind) else "other"


def _stored(entry: Entry) -> Entry:
    unit = Aggregate("unit", {entry.entry_id: entry}, None, 1)
    return unit_from(unit_item("1", unit)).entries[entry.entry_id]


def test_whatever_a_tally_may_read_is_stored() -> None:
    for one in fields(Entry):
        if one.name in {"entry_id", *NOT_TALLIED}:
            continue
        entry = replace(ENTRY, **{one.name: _other(one.name, getattr(ENTRY, one.name))})
        assert getattr(_stored(entry), one.name) == getattr(entry, one.name), one.name


def test_no_tally_reads_what_is_not_stored() -> None:
    package = Path(dibs.__file__).parent
    readers = [package / "ledger" / "outcomes.py", *package.glob("game/scoring/t*.py")]
    read = {
        node.attr
        for file in readers
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
    }
    assert "reporter" in read
    assert not read & NOT_TALLIED
