"""The playbooks Dibs ships. An organisation without one of its own runs on `open-pool`."""

from __future__ import annotations

from pathlib import Path

NAMES = ("open-pool", "tiers", "tiers-fast", "speed-board", "quota", "round-robin", "fair")


def preset_text(name: str) -> str:
    """Return a shipped playbook as written.

    Raises:
        KeyError: there is no such preset.
    """
    if name not in NAMES:
        raise KeyError(name)
    return (Path(__file__).parent / f"{name}.json").read_text(encoding="utf-8")
