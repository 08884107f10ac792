"""Help between colleagues (G11): who may be asked, who may answer, and which help is paid for.

Nothing here counts before the asker has confirmed it; what is confirmed is an entry of the ledger
(`helped`), and stays one.
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
"""How long the asker may confirm: who answered at the last moment is thanked as well."""


@dataclass(frozen=True)
class Answer:
    """A colleague's answer; it helped once the asker has confirmed it."""

    rep_id: str
    text: str
    at: datetime
    confirmed_at: datetime | None = None


@dataclass(frozen=True)
class HelpRequest:
    """A rep's question about a lead they held then, in their own words, to a team.

    `company` and `title` are what the lead's offer showed, nothing of a `blind` one (F4). `test`
    leads earn nobody anything. `answers` stand by who gave them.
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
    answers: Mapping[str, Answer] = field(default_factory=dict)

    def is_open(self, now: datetime) -> bool:
        """Tell whether it may still be answered: for seven days, unless it was withdrawn."""
        return self.closed_at is None and now < self.asked_at + ANSWERED_FOR


def may_answer(request: HelpRequest, rep: Rep) -> bool:
    """Tell whether a request is put to this rep: to the asker's colleagues in its team."""
    return rep.active and rep.team == request.team and rep.rep_id != request.rep_id


def answered(request: HelpRequest, rep: Rep, text: str, now: datetime) -> tuple[Answer, bool]:
    """Return a colleague's answer, and whether it stood before: each has one.

    Raises:
        Forbidden: it is the rep's own question.
        Ended: it is no longer answered, or has as many answers as anybody reads.
        AlreadyExists: the rep answered something else.
    """
    if rep.rep_id == request.rep_id:
        raise Forbidden("You cannot answer your own question.")
    known = request.answers.get(rep.rep_id)
    if known is not None:
        if known.text != text:
            raise AlreadyExists("You have answered this already; an answer stays as it is.")
        return known, True
    if not request.is_open(now):
        raise Ended("This question is no longer answered.")
    if len(request.answers) >= MOST_ANSWERS:
        raise Ended(f"This question has {MOST_ANSWERS} answers, and takes no more.")
    return Answer(rep.rep_id, text, now), False


def confirmable(request: HelpRequest, helper: str, now: datetime) -> Answer:
    """Return the answer the asker says has helped; one that was confirmed stays so.

    Raises:
        InvalidInput: the helper has not answered.
        Ended: it was asked more than fourteen days ago.
    """
    answer = request.answers.get(helper)
    if answer is None:
        raise InvalidInput((FieldError("helper", "has not answered; name one of who answered"),))
    if answer.confirmed_at is None and now >= request.asked_at + CONFIRMED_FOR:
        raise Ended("Help is confirmed within 14 days of the question.")
    return answer


def help_entry_id(help_id: str, helper: str) -> str:
    """Return the id of the entry of a confirmed help: confirming twice is confirming once."""
    return f"help/{help_id}/{helper}"


def pair_unit(one: str, other: str) -> str:
    """Return what all help between two reps is tallied together with, in both directions."""
    first, second = sorted((one, other))
    return f"help/{first}/{second}"


def paid(entries: Iterable[Entry], cap: Callable[[int], int]) -> set[str]:
    """Return the ids of the confirmed helps that earn points: of each pair of reps, both directions
    together, the first so many of a local month by time, then id, as the `cap` of the playbook's
    version allows that each came about under: a changed cap changes nothing that was before.

    The same in whatever order the entries are and however often one comes.
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
            sorted(helps.values(), key=lambda one: (one.at, one.entry_id))
        )
        if number < cap(entry.playbook_version)
    }
