"""Somebody else acts between a use case's read and its write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def meanwhile(
    patch: pytest.MonkeyPatch, store: object, write: str, act: Callable[[], object]
) -> None:
    """Let `act` run once, just before the next call of a store's method."""
    real: Callable[..., Any] = getattr(store, write)

    def late(*arguments: Any, **options: Any) -> Any:
        patch.setattr(store, write, real)
        act()
        return real(*arguments, **options)

    patch.setattr(store, write, late)
