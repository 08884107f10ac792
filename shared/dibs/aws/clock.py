"""The wall clock, in whole milliseconds, as times are stored."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def now() -> datetime:
    """Return the current UTC time, to the millisecond."""
    return from_ms(time.time_ns() // 1_000_000)


def to_ms(moment: datetime) -> int:
    """Return milliseconds since 1970."""
    return (moment - EPOCH) // _MILLISECOND


def from_ms(milliseconds: int) -> datetime:
    """Return the UTC moment of `milliseconds` since 1970."""
    return EPOCH + milliseconds * _MILLISECOND


def from_iso(text: str) -> datetime:
    """Return the UTC moment of an ISO-8601 time with its zone, to the millisecond.

    Raises:
        ValueError: it is no such time, has no zone, or is outside 2000 to 2099; the message says
            how to correct it.
    """
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None and 2000 <= moment.year < 2100:
            return from_ms(to_ms(moment.astimezone(UTC)))
    except (ValueError, OverflowError):
        pass  # the error below covers this case too
    raise ValueError("send an ISO-8601 time with its zone, such as 2026-11-23T12:00:00Z")


def wait_until(moment: datetime) -> None:
    """Wait until the instant at which a wave is notified, but at most two seconds."""
    time.sleep(min(2.0, max(0.0, (moment - now()).total_seconds())))
