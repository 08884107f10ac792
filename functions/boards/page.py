"""The pages people look at: boards, the assignment report, where they sign in. No script on any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from iso4217 import Currency

from dibs.core.credentials import Manager
from dibs.core.errors import DibsError
from dibs.core.rep import Rep
from dibs.game.scoring.leaderboard import PERIODS, SCOPES, Asked, Leaderboard
from dibs.game.scoring.metrics import number
from dibs.game.scoring.response_speed import RESPONSE_SPEED, SpeedBoard
from dibs.reports.assignment import TeamReport
from dibs.reports.assignment_rows import DIMENSIONS
from dibs.reports.team_entries import KINDS
from dibs.rules.playbook import Playbook
from dibs.screens.frame import BOARD, DESK, ME, REPORT, Link, tabs
from dibs.screens.site import Site
from dibs.screens.site import site as build_site
from dibs.web.http import RETRY_AFTER_SECONDS, STATUS, Response
from dibs.web.translations import ENGLISH, N_, Translator, translator
from dibs.wiring import look

_TEMPLATES = Path(__file__).parent / "templates"

# What pages call the boards that presets link to; others go by the metric's own name.
_BOARDS = {
    "points": N_("Points"),
    "claims": N_("Claims"),
    "claim_speed": N_("Claim speed"),
    "conversion": N_("Conversion"),
    "opportunities": N_("Opportunities"),
    "revenue": N_("Revenue"),
    "leads": N_("Leads"),
    "contact_rate": N_("Contact rate"),
    RESPONSE_SPEED: N_("Response speed"),
}
_PERIODS = {
    "day": N_("Day"),
    "week": N_("Week"),
    "month": N_("Month"),
    "quarter": N_("Quarter"),
    "year": N_("Year"),
    "all": N_("All time"),
}
_SCOPES = {"reps": N_("Reps"), "teams": N_("Teams")}


@lru_cache(maxsize=1)
def site() -> Site:
    """Build, on first use, what all pages share."""
    built = build_site(_TEMPLATES, look, embeds=True)
    built.environment.globals.update(lang=ENGLISH, _=translator(ENGLISH))
    filters = {"duration": _duration, "percent": _percent, "moment": _moment, "figure": _figure}
    built.environment.filters.update(filters, plain=_plain, span=_span)
    return built


def report(reports: Sequence[TeamReport], need: int, as_of: datetime) -> Response:
    """The assignment report of one week, a section for each team.

    Rows of fewer leads than `need` are listed apart.
    """
    weeks = sorted({one.period.name for one in reports})
    around = tabs(REPORT, translator(ENGLISH), manager=True)
    values = {"reports": reports, "need": need, "weeks": weeks, "as_of": as_of, "tabs": around}
    return _page(200, "report.html", by=DIMENSIONS, **values)


def board(
    found: Leaderboard, asked: Asked, playbook: Playbook, viewer: Rep | None, own: str = ""
) -> Response:
    """A board in the viewer's language, with the ways to other boards, periods and scopes.

    To the boards of other teams where the viewer is a manager of all: one who has an `own` team
    sees no other.
    """
    _ = translator(ENGLISH if viewer is None else viewer.language)
    at = {
        "period": asked.period or "week",
        "period_name": asked.period_name,
        "scope": found.scope,
        "team": asked.team,
        "top": "" if asked.top is None else str(asked.top),
    }

    def link(text: str, metric: str = found.metric, **other: str) -> Link:
        there = at | other
        if metric == RESPONSE_SPEED:
            there |= _at_response_speed(there, playbook, viewer)
        sent = urlencode({name: value for name, value in there.items() if value})
        return Link(text, f"/boards/{quote(metric)}?{sent}", (metric, there) == (found.metric, at))

    teams = found.scope == "teams"
    periods: Sequence[str] = PERIODS
    scopes = [link(_(_SCOPES[scope]), scope=scope) for scope in SCOPES]
    if isinstance(found, SpeedBoard):
        periods = KINDS
        of_teams = playbook.teams.items() if viewer is None and not own else ()
        scopes = [link(one.name, team=team_id) for team_id, one in of_teams]
    team = playbook.teams.get(found.team)
    mine, unit, currency = found.mine, found.definition.unit, playbook.quota.currency
    return _page(
        200,
        "board.html",
        _=_,
        lang=_.language,
        board=found,
        title=_board_name(found.metric, _),
        means=found.definition.means,
        longest=_longest(found),
        tabs=tabs(BOARD, _, manager=viewer is None),
        who=_("All teams") if teams else team.name if team else _("All reps"),
        own="" if mine is None else mine.id,
        viewed=viewer is not None,
        alone=not teams and team is not None and team.own_gap and viewer is not None,
        # The neighbours are a table of their own where the top does not show them already.
        apart=len(found.rows) < found.many and bool(found.around) and mine not in found.rows[:-1],
        currency=currency,
        # A column of money says which once; a sentence says it itself.
        gap=(f"{currency} " if unit == "money" else "")
        + _figure(found.gap, unit, currency, _.language),
        boards=[link(_board_name(metric, _), metric) for metric in playbook.game.boards],
        periods=[link(_(_PERIODS[per]), period=per, period_name="") for per in periods],
        scopes=scopes,
    )


def _longest(found: Leaderboard) -> Fraction | None:
    """Return what the longest bar stands for; None where bars would say nothing."""
    values = [row.value for row in found.rows if row.value is not None]
    most = max(values, default=Fraction())
    return most if found.definition.better == "more" and most > 0 else None


def _board_name(metric: str, _: Translator) -> str:
    """Return what a link to a metric's board is called."""
    text = _BOARDS.get(metric)
    return metric.replace("_", " ").capitalize() if text is None else _(text)


def _at_response_speed(
    at: Mapping[str, str], playbook: Playbook, viewer: Rep | None
) -> dict[str, str]:
    """Return where the board of response speed is reached from another: it is a team's, of a week
    or month."""
    team = at["team"] or ("" if viewer is not None else next(iter(playbook.teams), ""))
    if at["period"] in KINDS:
        return {"scope": "reps", "team": team}
    return {"scope": "reps", "team": team, "period": "week", "period_name": ""}


def sign_in(
    error: DibsError | None = None, to: str = "", demo: Sequence[Mapping[str, str]] = ()
) -> Response:
    """The way in: a phone number or a token, what was wrong, and which page comes next.

    `demo` are the people whom a visitor of the local stack may be, by one tap.
    """
    status = 200 if error is None else STATUS[type(error)]
    made = _page(status, "sign_in.html", problem=_said(error), to=to, demo=demo)
    if status in RETRY_AFTER_SECONDS:
        made["headers"]["retry-after"] = str(RETRY_AFTER_SECONDS[status])
    return made


def _said(error: DibsError | None) -> str:
    return "" if error is None else str(error)


def sign_in_link(token: str, to: str, *, good: bool) -> Response:
    """One button that signs in, where the link is good."""
    return _page(200, "in.html", token=token, to=to, good=good)


def link_sent(minutes: int) -> Response:
    """What follows when a link was asked for, whoever asked."""
    return _page(202, "link_sent.html", minutes=minutes)


def contract(described: Mapping[str, Any]) -> Response:
    """The API's description, an entry for each call."""
    return _page(
        200, "contract.html", described=described, schemas=described["components"]["schemas"]
    )


def message(error: DibsError, back: str, called: str) -> Response:
    """What was wrong with what was asked for, and where to go instead."""
    problem = str(error)
    return _page(STATUS[type(error)], "message.html", problem=problem, back=back, called=called)


def sessions(found: Sequence[Mapping[str, Any]], who: Rep | Manager) -> Response:
    """Where somebody is signed in, each to be ended; a manager's times are UTC."""
    rep = who if isinstance(who, Rep) else None
    _ = translator(rep.language if rep else ENGLISH)
    zone = ZoneInfo(rep.zone if rep else "UTC")
    listed = [
        {
            **one,
            "began": f"{one['began_at'].astimezone(zone):%Y-%m-%d %H:%M}",
            "ends": f"{one['ends_at'].astimezone(zone):%Y-%m-%d %H:%M}",
        }
        for one in found
    ]
    return _page(
        200,
        "sessions.html",
        _=_,
        lang=_.language,
        tabs=tabs(ME if rep else "", _, manager=rep is None),
        sessions=listed,
        back=ME if rep else DESK,
        called=_("Me") if rep else _("Desk"),
    )


def _page(status: int, template: str, **values: Any) -> Response:
    return site().page(status, template, **values)


def _duration(seconds: float | None, language: str = ENGLISH) -> str:
    """Return a time as 4.2 s, 3 min 20 s, 2 h 05 min or 1 d 3 h, in the language's units."""
    _ = translator(language)
    if seconds is None:
        return "–"
    if seconds < 59.95:
        return _("{seconds} s", seconds=f"{seconds:.1f}")
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return _("{minutes} min {seconds} s", minutes=minutes, seconds=f"{rest:02}")
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return _("{hours} h {minutes} min", hours=hours, minutes=f"{minutes:02}")
    return _("{days} d {hours} h", days=hours // 24, hours=hours % 24)


def _span(seconds: int, language: str = ENGLISH) -> str:
    """Return a stated time in its largest whole unit: 90 s, 5 min, 1 h."""
    _ = translator(language)
    if seconds % 60:
        return _("{n} s", n=seconds)
    return _("{n} min", n=seconds // 60) if seconds % 3600 else _("{n} h", n=seconds // 3600)


def _figure(value: Fraction | None, unit: str, currency: str, language: str) -> str:
    """Return a metric's value in its unit: 1,250, 33.3 %, 3 min 20 s, or 5,000.00 of a currency."""
    if value is None:
        return "–"
    if unit == "seconds":
        return _duration(float(value), language)
    if unit == "money":
        places = _decimals(currency)
        return f"{float(value / 10**places):,.{places}f}"
    if unit == "ratio":
        return f"{float(value * 100):,.1f}".removesuffix(".0") + " %"
    shown = number(value)
    return f"{shown:,}" if isinstance(shown, int) else f"{shown:,.2f}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _plain(number: float) -> str:
    return f"{number:g}"


def _decimals(currency: str) -> int:
    """Return how many decimals amounts of a currency have (ISO 4217); two where it is not known."""
    try:
        return Currency(currency).exponent or 0
    except ValueError:
        return 2
