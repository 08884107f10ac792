"""Colleagues help each other with leads; help counts once the asker confirms it (G11).

A confirmed help is an entry of the ledger (`helped`) and cannot be withdrawn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dibs.core.errors import AlreadyExists, Ended, FieldError, Forbidden, InvalidInput
from dibs.core.rep import Rep
from dibs.ledger.entries import Entry

HELPED = "helped"
LONGEST_TEXT = 500
MOST_ANSWERS = 20

ANSWERED_FOR = timedelta(days=7)
"""How long a request may be answered."""
CONFIRMED_FOR = timedelta(days=14)
"""How long the asker may confirm: longer, so that the last answers can be confirmed as well."""


@dataclass(frozen=True)
class HelpAnswer:
    """A colleague's answer; it counts as help once the asker has confirmed it."""

    rep_id: str
    text: str
    at: datetime
    confirmed_at: datetime | None = None


@dataclass(frozen=True)
class HelpRequest:
    """A rep's question to their team about a lead they held, in their own words.

    `company` and `title` are those of the lead's offer, empty for a `blind` one (F4). Help with a
    `test` lead earns no points. `answers` are by the rep who answered.
    """

    help_id: str
    rep_id: str
    team: str
    lead_id: str
    epoch: int
    question: str
    asked_at: datetime
    company: str = ""
    title: str = ""
    blind: bool = False
    test: bool = False
    closed_at: datetime | None = None
    answers: Mapping[str, HelpAnswer] = field(default_factory=dict)

    def is_open(self, now: datetime) -> bool:
        """Return whether it may still be answered: for seven days, unless it was withdrawn."""
        return self.closed_at is None and now < self.asked_at + ANSWERED_FOR


def may_answer(request: HelpRequest, rep: Rep) -> bool:
    """Return whether this rep may answer: the asker's active colleagues in the team may."""
    return rep.active and rep.team == request.team and rep.rep_id != request.rep_id


def answered(request: HelpRequest, rep: Rep, text: str, now: datetime) -> tuple[HelpAnswer, bool]:
    """Return a colleague's one answer, and whether it was stored before.

    Raises:
        Forbidden: it is the rep's own question.
        Ended: it is too late to answer, or there are too many answers.
        AlreadyExists: the rep has answered with another text.
    """
    if rep.rep_id == request.rep_id:
        raise Forbidden("You cannot answer your own question.")
    stored = request.answers.get(rep.rep_id)
    if stored is not None:
        if stored.text != text:
            raise AlreadyExists("You have answered this already; an answer stays as it is.")
        return stored, True
    if not request.is_open(now):
        raise Ended("This question is no longer answered.")
    if len(request.answers) >= MOST_ANSWERS:
        raise Ended(f"This question has {MOST_ANSWERS} answers, and takes no more.")
    return HelpAnswer(rep.rep_id, text, now), False


def confirmable(request: HelpRequest, helper: str, now: datetime) -> HelpAnswer:
    """Return the helper's answer, if the asker may confirm it or has done so before.

    Raises:
        InvalidInput: the helper has not answered.
        Ended: it was asked fourteen days ago or earlier.
    """
    answer = request.answers.get(helper)
    if answer is None:
        raise InvalidInput((FieldError("helper", "has not answered; name one of who answered"),))
    if answer.confirmed_at is None and now >= request.asked_at + CONFIRMED_FOR:
        raise Ended("Help is confirmed within 14 days of the question.")
    return answer


def help_entry_id(help_id: str, helper: str) -> str:
    """Return the entry id of a confirmed help; the same each time, so it counts once."""
    return f"help/{help_id}/{helper}"


def pair_unit(rep_id: str, other: str) -> str:
    """Return the aggregate in which all help between two reps counts, in both directions."""
    first, second = sorted((rep_id, other))
    return f"help/{first}/{second}"


def paid(entries: Iterable[Entry], cap: Callable[[int], int]) -> set[str]:
    """Return the ids of the confirmed helps that earn points (G11).

    Each pair of reps, both directions together, is paid for the first `cap` helps of a local month,
    by time, then id. `cap` takes the playbook version of the help, so a changed cap does not change
    earlier helps. Order and repeats of the entries do not matter.
    """
    months: dict[tuple[str, str], dict[str, Entry]] = defaultdict(dict)
    for entry in entries:
        if entry.kind == HELPED and entry.other and not entry.test:
            pair = pair_unit(entry.rep_id, entry.other)
            months[pair, entry.day[:7]][entry.entry_id] = entry
    return {
        entry.entry_id
        for helps in months.values()
        for number, entry in enumerate(
            sorted(helps.values(), key=lambda entry: (entry.at, entry.entry_id))
        )
        if number < cap(entry.playbook_version)
    }
