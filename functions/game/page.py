"""The game's pages for a rep: quests, rewards, points. Plain HTML in their language (G8, G9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dibs.core.errors import DibsError
from dibs.core.rep import Rep
from dibs.core.values import dataclass
from dibs.game.help.rules import LONGEST_TEXT
from dibs.game.quests.rules import ReportedStep
from dibs.game.quests.steps import QuestProgress
from dibs.game.rewards.rules import RequestState, Reward, RewardRequest
from dibs.game.scoring.points import Account
from dibs.screens import pages
from dibs.screens.frame import ME
from dibs.screens.site import Site
from dibs.screens.site import site as build_site
from dibs.web.http import Event, Response, wants_html
from dibs.web.translations import N_, Translator, in_words, local_time, translator
from dibs.wiring import look

QUESTS = "/me/quests"
REWARDS = "/rewards"
POINTS = "/me/points"
HELP = "/me/help"
CONTESTS = "/contests"
NAMES = {
    HELP: N_("Help"),
    CONTESTS: N_("Contests"),
    QUESTS: N_("Quests"),
    REWARDS: N_("Rewards"),
    POINTS: N_("Points"),
}
_PHASES: Mapping[str, str] = {
    "upcoming": N_("To come"),
    "live": N_("On now"),
    "counting": N_("Being counted"),
    "final": N_("Final"),
    "cancelled": N_("Called off"),
}
_STATES: Mapping[RequestState, str] = {
    RequestState.REQUESTED: N_("Waits for a manager"),
    RequestState.APPROVED: N_("Approved: collect it"),
    RequestState.COLLECTED: N_("Collected"),
    RequestState.REFUSED: N_("Refused, your points are back"),
    RequestState.RECALLED: N_("Taken back, your points are back"),
    RequestState.LAPSED: N_("Expired, your points are back"),
}


@dataclass(frozen=True)
class Step:
    """A step of a quest; `asks` is what the rep may do now: nothing, say so, or name a peer."""

    step: str
    name: str
    said: str
    done: bool
    asks: str


@dataclass(frozen=True)
class QuestCard:
    """A quest, and how far the rep is."""

    quest: str
    name: str
    prize: str
    said: str
    finished: bool
    steps: Sequence[Step]


@dataclass(frozen=True)
class RewardCard:
    """A reward; `why` says why it cannot be asked for now, empty where it can."""

    reward_id: str
    name: str
    price: int
    left: int | None
    approval: bool
    why: str


@lru_cache(maxsize=1)
def site() -> Site:
    """Build, on first use, what these pages share."""
    return build_site(Path(__file__).parent / "templates", look, embeds=True)


def page_of(back: str) -> Callable[[Event, DibsError], Response | None]:
    """Return what turns an error into a page for a browser, with the way to `back`."""

    def error_page(event: Event, error: DibsError) -> Response | None:
        return pages.error_page(site(), event, error, back, NAMES[back])

    return error_page


def or_page(event: Event, error: DibsError, rep: Rep, back: str) -> Response:
    """Return the page that tells a rep's browser of an error, in their language."""
    if not wants_html(event):
        raise error
    return pages.refused(site(), error, back, NAMES[back], rep.language)


def quests(
    rep: Rep,
    found: Sequence[QuestProgress],
    names: Mapping[str, str],
    peers: Sequence[Rep],
    pending: Sequence[tuple[ReportedStep, Rep]],
    now: datetime,
) -> Response:
    """My quests with their steps, and the colleagues' steps that wait for my word."""
    quests = {one.quest_id: one.quest for one in found}
    asked = [
        {
            "quest": told.quest,
            "step": told.step,
            "rep_id": other.rep_id,
            "who": other.name,
            "what": quests[told.quest].steps[told.step].name,
        }
        for told, other in pending
        if told.quest in quests
    ]
    cards = [_quest(one, names, rep, now) for one in found]
    return _page("quests.html", rep, quests=cards, peers=peers, asked=asked)


def _quest(one: QuestProgress, names: Mapping[str, str], rep: Rep, now: datetime) -> QuestCard:
    _ = translator(rep.language)
    parts = [_("{n} of {many}", n=len(one.done), many=len(one.quest.steps))]
    if one.finished_at is not None:
        parts = [_("Done {time}", time=local_time(one.finished_at, rep, now))]
    elif not one.is_open:
        parts.append(_("over since {day}", day=one.until))
    elif one.until is not None:
        parts.append(_("open until {day}", day=one.until))
    prize = [_("{n} points", n=one.quest.points) if one.quest.points else "", one.quest.badge]
    return QuestCard(
        one.quest_id,
        one.quest.name,
        ", ".join(part for part in prize if part),
        ", ".join(parts),
        one.finished_at is not None,
        [_step(one, step, names, rep, now) for step in one.quest.steps],
    )


def _step(
    one: QuestProgress, step_id: str, names: Mapping[str, str], rep: Rep, now: datetime
) -> Step:
    _, step = translator(rep.language), one.quest.steps[step_id]
    done, told = one.done.get(step_id), one.told.get(step_id)
    if done is not None:
        said = _("Done {time}", time=local_time(done.at, rep, now))
        return Step(step_id, step.name, said, True, "")
    if told is not None:
        who = names.get(told.peer, "") or _("a manager")
        return Step(step_id, step.name, _("Waits for {name}", name=who), False, "")
    if step.verified_by == "system" or not one.is_open:
        said = _("Counts by itself once it is recorded.") if one.is_open else _("Not done")
        return Step(step_id, step.name, said, False, "")
    asks = "peer" if step.verified_by == "peer" else "word"
    said = _("A manager confirms it.") if step.verified_by == "manager" else ""
    return Step(step_id, step.name, said, False, asks)


def rewards(
    rep: Rep,
    found: Sequence[Reward],
    account: Account,
    asked: Sequence[RewardRequest],
    tap: str,
    now: datetime,
) -> Response:
    """What there is for points, and what I asked for; `tap` makes a form count once."""
    _ = translator(rep.language)
    cards = [
        RewardCard(
            one.reward_id, one.name, one.price, one.left, one.approval, _why(one, account, _)
        )
        for one in found
        if one.active
    ]
    mine = [
        {
            "name": one.name,
            "price": one.price,
            "state": _(_STATES[one.state]),
            "at": local_time(one.at, rep, now),
            "reason": one.steps[-1].reason,
            "good": one.state in (RequestState.APPROVED, RequestState.COLLECTED),
        }
        for one in asked
    ]
    return _page(
        "rewards.html", rep, balance=account.balance, rewards=cards, requests=mine, tap=tap
    )


def _why(reward: Reward, account: Account, _: Translator) -> str:
    if reward.left == 0:
        return _("The last one is gone.")
    missing = reward.price - account.balance
    if missing > 0:
        return _.ngettext("{n} more point is needed.", "{n} more points are needed.", missing)
    return ""


def points(rep: Rep, shown: Mapping[str, Any], now: datetime) -> Response:
    """My points in words, the newest first; `shown` is what the JSON says."""
    history = [{**one, "at": local_time(one["at"], rep, now)} for one in shown["history"]]
    return _page("points.html", rep, card={**shown, "history": history})


def help_page(rep: Rep, shown: Mapping[str, Any], now: datetime) -> Response:
    """What colleagues ask me, and what I asked; `shown` is what the JSON says."""
    for_me = [
        {
            "help_id": one["help_id"],
            "who": one["asker"]["name"],
            "at": local_time(one["asked_at"], rep, now),
            "about": ", ".join(filter(None, (one["preview"] or {}).values())),
            "question": one["question"],
            "answer": (one["answer"] or {}).get("text", ""),
        }
        for one in shown["for_me"]
    ]
    asked = [
        {
            **one,
            "at": local_time(one["asked_at"], rep, now),
            "thanks": now < one["confirmed_until"],
            "answers": [{**given, "who": given["name"]} for given in one["answers"]],
        }
        for one in shown["asked"]
    ]
    return _page("help.html", rep, for_me=for_me, asked=asked, longest=LONGEST_TEXT)


def contests(
    rep: Rep,
    found: Sequence[Mapping[str, Any]],
    challenges: Sequence[Mapping[str, Any]],
    standing: Mapping[str, Mapping[str, Any]],
    now: datetime,
) -> Response:
    """Contests and challenges, what is on first; `standing` is the rep's own row, by contest."""
    listed = {one["contest_id"] for one in found}
    cards = [
        _contest({**one, "me": standing.get(one["contest_id"])}, rep, now, linked=True)
        for one in found
    ]
    for one in challenges:
        if one["contest_id"] not in listed:
            phase = "live" if one["when"] == "now" else "upcoming"
            cards.append(_contest({**one, "phase": phase}, rep, now, linked=False))
    return _page("contests.html", rep, contests=sorted(cards, key=lambda one: not one["live"]))


def contest(rep: Rep, shown: Mapping[str, Any], now: datetime) -> Response:
    """One contest: how it stands, or ended, and its rules in words."""
    _ = translator(rep.language)
    tables = [
        (_("Sides"), [_row(one, one["side"] or one["id"], _) for one in shown.get("sides", ())]),
        (_("Standing"), [_row(one, one["name"] or "", _) for one in shown.get("top", ())]),
    ]
    card = _contest(shown, rep, now, linked=False)
    return _page("contest.html", rep, contest=card, tables=tables, rules=shown["rules"])


def _contest(one: Mapping[str, Any], rep: Rep, now: datetime, *, linked: bool) -> dict[str, Any]:
    _, phase = translator(rep.language), one["phase"]
    left = ""
    if phase == "live":
        left = _("{time} left", time=in_words(one["ends_at"] - now, rep.language))
    elif phase == "upcoming":
        left = _("begins {time}", time=local_time(one["opens_at"], rep, now))
    prizes = [one["prize"], *(_("{n} points", n=points) for points in one["prize_points"][:1])]
    return {
        "name": one["name"],
        "live": phase == "live",
        "phase": _(_PHASES.get(phase, phase)),
        "left": left,
        "mine": _own(one.get("me"), _),
        "prize": ", ".join(filter(None, prizes)),
        "href": f"{CONTESTS}/{quote(one['contest_id'], safe='')}" if linked else "",
        "rules": () if linked else one["rules"],
    }


def _own(row: Mapping[str, Any] | None, _: Translator) -> str:
    """Return how the rep stands, in words; empty where they are not in, or not placed."""
    if row is None or row["place"] is None:
        return ""
    said = _("Your place: {place}", place=row["place"])
    gap = row.get("gap")
    return said if not gap else f"{said} · " + _("{gap} to the next place", gap=_figure(gap))


def _row(row: Mapping[str, Any], name: str, _: Translator) -> dict[str, Any]:
    value = row["value"]
    return {
        "place": row["place"] or "–",
        "name": name or _("Somebody"),
        "value": "–" if value is None else _figure(value),
        "own": row.get("mine", False),
    }


def _figure(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def _page(template: str, rep: Rep, **values: Any) -> Response:
    return pages.made(site(), 200, template, rep.language, here=ME, **values)
