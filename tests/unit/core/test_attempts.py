"""Retries while another transaction holds an item."""

from __future__ import annotations

import pytest

from dibs.core.attempts import attempts
from dibs.core.errors import Busy


def test_a_conflict_is_tried_again_after_a_pause_that_grows() -> None:
    pauses: list[float] = []
    for attempt in attempts(4, pauses.append):
        with attempt:
            raise Busy(conflict=True)
    assert len(pauses) == 3
    assert all(0.01 * n <= pause <= 0.05 * n for n, pause in enumerate(pauses, 1))


def test_a_slow_store_is_not_asked_again() -> None:
    pauses: list[float] = []
    with pytest.raises(Busy):
        for attempt in attempts(4, pauses.append):
            with attempt:
                raise Busy
    assert pauses == []


def test_any_other_error_passes() -> None:
    with pytest.raises(ZeroDivisionError):
        for attempt in attempts(4, lambda _: None):
            with attempt:
                raise ZeroDivisionError


def test_who_knows_what_was_in_the_way_does_not_wait() -> None:
    pauses: list[float] = []
    for attempt in attempts(3, pauses.append):
        attempt.at_once = True
    assert pauses == []
