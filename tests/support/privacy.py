"""Record all logs of a test, and find personal data in them."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from dibs.aws.observability import logger

# All contacts and reps that tests use. A test that adds a person adds them here.
PEOPLE = ("Jane Tan", "Nadia Jamal", "Siti Nur", "Aina Zulkifli", "Ben Lim", "Chong Wei", "Dayang")

_FORBIDDEN = {
    "a phone number": r"(?<![\w-])\+?60\d{8,10}(?!\d)|\+\d{8,15}(?!\d)",
    "an e-mail address": r"[\w.+-]+@[\w-]+\.\w+",
    "a person's name": "|".join(map(re.escape, PEOPLE)),
    "a bearer token": r"\.secret\b|[Bb]earer \S",
    "a claim link": r"/c/\w|(?<!\w)(?=\w*\d)(?=\w*[a-z])(?=\w*[A-Z])[0-9A-Za-z]{22}(?!\w)",
    "a push token": r"\bpush-token-\w+|:endpoint/",
    "a signature or the intake secret": r"\bv1,\S{20}|whsec_",
    "a whole event": r"\brawPath\b|\breceiptHandle\b|\bNewImage\b",
}


class Overheard(logging.Handler):
    """Keeps every log line."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def leaks(lines: Sequence[str]) -> list[str]:
    """Return, for each line, the personal data in it."""
    return [
        f"{what}: {line}"
        for line in lines
        for what, pattern in _FORBIDDEN.items()
        if re.search(pattern, line)
    ]


@contextmanager
def listening() -> Iterator[Overheard]:
    """Record our own logger in its format, and warnings and errors of all libraries."""
    ours, others = Overheard(), Overheard()
    others.lines = ours.lines
    others.setLevel(logging.WARNING)
    ours.setFormatter(logger.registered_formatter)
    logger.addHandler(ours)
    logging.getLogger().addHandler(others)
    try:
        yield ours
    finally:
        logger.removeHandler(ours)
        logging.getLogger().removeHandler(others)
