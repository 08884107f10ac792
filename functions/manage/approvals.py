"""What waits for a manager's word: rewards, steps of quests, disputes of races (U5, G8, G9, C9)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice

from dibs.assignment.work import LONGEST_REASON
from dibs.aws import clock
from dibs.callers import part_shown
from dibs.core.credentials import Manager
from dibs.core.errors import DibsError, IllegalMove
from dibs.core.rep import Rep
from dibs.core.values import dataclass
from dibs.game.quests import steps as quests
from dibs.game.quests.rules import ReportedStep
from dibs.game.rewards.rules import RequestState, RewardRequest
from dibs.receipts.body import LONGEST_WORDS
from dibs.receipts.ports import Dispute
from dibs.receipts.receipts import Outcome, Receipt, SealedRace
from dibs.screens.frame import APPROVALS
from dibs.screens.manager import manager_page, not_shown
from dibs.web.http import Event, Response, path, see_other, wants_html
from dibs.web.translations import ENGLISH, N_, Translator, in_words, named, translator
from dibs.wiring import Wiring, wiring
from manage.overview import LEADS
from manage.page import desk_site, team_links

_MOST = 50
"""How many of a kind are listed; the others follow as these are done with."""
_MOST_PLACES = 10
"""How many of a race's reps are listed, beside the one who disputes it."""
APPROVALS_QUERY = {"team": LEADS["team"]}
OUTCOMES: Mapping[Outcome, str] = {
    Outcome.WON: N_("Won"),
    Outcome.NOT_DRAWN: N_("Not drawn"),
    Outcome.LOST: N_("Lost"),
    Outcome.LATE: N_("Too late"),
    Outcome.REFUSED: N_("Refused by a rule"),
    Outcome.SILENT: N_("Did not try"),
    Outcome.NOT_TOLD: N_("Was not told"),
}


@dataclass(frozen=True)
class Waiting:
    """What waits, the oldest first, and whose it is by id."""

    asked: Sequence[RewardRequest]
    approved: Sequence[RewardRequest]
    steps: Sequence[tuple[ReportedStep, Rep]]
    disputes: Sequence[Dispute]
    reps: Mapping[str, Rep]

    @property
    def count(self) -> int:
        """How much waits for a word; what is approved waits for its rep only."""
        return len(self.asked) + len(self.steps) + len(self.disputes)


@dataclass(frozen=True)
class Line:
    """A rep's line in the table of a race."""

    who: str
    place: str
    behind: str
    outcome: str
    rules: str
    own: bool


@dataclass(frozen=True)
class DisputeCard:
    """A dispute with the race it is about; no lines where the race is not sealed yet."""

    action: str
    who: str
    company: str
    age: str
    reason: str
    lines: Sequence[Line]
    more: int


def show(event: Event, manager: Manager) -> Response:
    """`GET /desk/approvals`: what waits for a manager's word, with a form for each answer."""
    mine, now, _ = wiring(), clock.now(), translator(ENGLISH)
    playbook, team = mine.roster.playbook(), part_shown(event, manager)
    found = waiting(mine, team, now)
    quest = playbook.game.quests
    return manager_page(
        desk_site(),
        200,
        "approvals.html",
        APPROVALS,
        teams=team_links(manager, playbook, team, APPROVALS, _),
        count=found.count,
        asked=[_asked(one, found.reps, now) for one in found.asked[:_MOST]],
        approved=[_asked(one, found.reps, now) for one in found.approved[:_MOST]],
        steps=[
            {
                "action": f"/quests/{told.quest}/{told.step}/confirm",
                "rep_id": rep.rep_id,
                "who": rep.name,
                "step": quest[told.quest].steps[told.step].name,
                "quest": quest[told.quest].name,
                "age": in_words(now - told.at, ENGLISH),
            }
            for told, rep in found.steps[:_MOST]
        ],
        disputes=[_disputed(mine, one, found.reps, now, _) for one in found.disputes[:_MOST]],
        more=any(
            len(one) > _MOST for one in (found.asked, found.approved, found.steps, found.disputes)
        ),
        longest=LONGEST_REASON,
        longest_text=LONGEST_WORDS,
    )


def waiting(mine: Wiring, team: str, now: datetime) -> Waiting:
    """Return what waits for a manager's word, of all reps or of a team's."""
    asked = mine.rewards.in_state(RequestState.REQUESTED)
    approved = mine.rewards.in_state(RequestState.APPROVED)
    # Whoever disputes a race does so soon; what was filed before last month is in GET /disputes.
    this = now.date().replace(day=1)
    last = (this - timedelta(days=1)).replace(day=1)
    filed = [one for month in (last, this) for one in mine.races.disputes(month) if not one.ruling]
    people = {one.rep_id for one in (*asked, *approved)} | {one.rep_id for one in filed}
    reps = mine.roster.get_many(sorted(people))

    def shown(rep_id: str) -> bool:
        return not team or (rep_id in reps and reps[rep_id].team == team)

    return Waiting(
        [one for one in asked if shown(one.rep_id)],
        [one for one in approved if shown(one.rep_id)],
        [
            (told, rep)
            for told, rep in quests.pending(mine.quest_deps, None)
            if team in ("", rep.team)
        ],
        [one for one in filed if shown(one.rep_id)],
        reps,
    )


def next_page(event: Event, response: Response) -> Response:
    """Return what follows an answer: for a form, the list of what is left."""
    return see_other(APPROVALS) if wants_html(event) else response


def error_page(event: Event, error: DibsError) -> Response | None:
    """Return the page that tells a browser of an error; of an answered dispute, who answered."""
    _ = translator(ENGLISH)
    problem = _answered(event, _) if isinstance(error, IllegalMove) else ""
    return not_shown(desk_site(), event, error, APPROVALS, _("Approvals"), problem)


def _answered(event: Event, _: Translator) -> str:
    """Return who answered a dispute first, and when."""
    if not wants_html(event):
        return ""
    mine = wiring()
    named_by = (path(event, "lead_id"), int(path(event, "epoch")), path(event, "rep_id"))
    filed = mine.races.disputed(*named_by)
    if filed is None or filed.answered_at is None:
        return ""
    managers = {one.manager_id: one.name for one in mine.credentials.managers()}
    return _(
        "{name} answered this dispute {time} ago, and that answer stands: {answer}",
        name=managers.get(filed.answered_by, filed.answered_by),
        time=in_words(clock.now() - filed.answered_at, ENGLISH),
        answer=filed.answer,
    )


def _asked(
    request: RewardRequest, reps: Mapping[str, Rep], now: datetime
) -> Mapping[str, str | int]:
    rep = reps.get(request.rep_id)
    return {
        "request_id": request.request_id,
        "who": rep.name if rep else request.rep_id,
        "reward": request.name,
        "price": request.price,
        "age": in_words(now - request.since, ENGLISH),
    }


def _disputed(
    mine: Wiring, filed: Dispute, reps: Mapping[str, Rep], now: datetime, _: Translator
) -> DisputeCard:
    sealed = mine.races.find(filed.lead_id, filed.epoch)
    lead = mine.race.read(filed.lead_id, "-").lead
    listed = [] if sealed is None else list(_listed(sealed, filed.rep_id))
    people = mine.roster.get_many(sorted({one.rep_id for one in listed}))
    rep = reps.get(filed.rep_id)
    return DisputeCard(
        f"/disputes/{filed.lead_id}/{filed.epoch}/{filed.rep_id}/answer",
        rep.name if rep else filed.rep_id,
        "" if lead is None else named(lead.preview.company, ENGLISH),
        in_words(now - filed.at, ENGLISH),
        filed.reason,
        [_line(one, people, filed.rep_id, _) for one in listed],
        0 if sealed is None else sealed.race.count - len(listed),
    )


def _listed(sealed: SealedRace, rep_id: str) -> Iterable[Receipt]:
    """Yield a race's first receipts, and that of who disputes it."""
    yield from islice(sealed.receipts, _MOST_PLACES)
    yield from (one for one in sealed.receipts[_MOST_PLACES:] if one.rep_id == rep_id)


def _line(one: Receipt, people: Mapping[str, Rep], rep_id: str, _: Translator) -> Line:
    return Line(
        people[one.rep_id].name if one.rep_id in people else one.rep_id,
        "–" if one.place is None else str(one.place),
        "–" if one.behind_ms is None else _("{n} ms", n=one.behind_ms),
        _(OUTCOMES[one.outcome]),
        ", ".join(code.replace("_", " ") for code in one.rules) or "–",
        one.rep_id == rep_id,
    )
