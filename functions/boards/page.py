"""The pages managers look at: the assignment report, and where they sign in. No script on any."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dibs.adapters.http import STATUS, Response
from dibs.domain.errors import DibsError
from dibs.domain.ledger import DIMENSIONS
from dibs.usecases.boards import TeamReport

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Site:
    """What all pages share."""

    render: Callable[..., str]
    headers: dict[str, str]


@lru_cache(maxsize=1)
def site() -> Site:
    """Build the templates, and the headers with the style's hash."""
    environment = Environment(
        autoescape=True,
        loader=FileSystemLoader(_TEMPLATES),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    css = (_TEMPLATES / "page.css").read_text("utf-8")
    environment.globals.update(css=css)
    environment.filters.update(lapse=_lapse, percent=_percent, moment=_moment, plain=_plain)

    def render(template: str, **values: Any) -> str:
        return environment.get_template(template).render(values)

    digest = b64encode(sha256(css.encode()).digest()).decode()
    headers = {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-store",
        "content-security-policy": (
            f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'"
        ),
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-robots-tag": "noindex",
    }
    return Site(render, headers)


def report(reports: Sequence[TeamReport], as_of: datetime) -> Response:
    """The assignment report of one week, a section for each team."""
    weeks = sorted({one.period.name for one in reports})
    return _page(200, "report.html", reports=reports, weeks=weeks, by=DIMENSIONS, as_of=as_of)


def sign_in(error: DibsError | None = None) -> Response:
    """The field for the token, and why it is asked for, if it is."""
    status = 200 if error is None else STATUS[type(error)]
    return _page(status, "sign_in.html", problem="" if error is None else str(error))


def message(error: DibsError) -> Response:
    """What was wrong with what was asked for."""
    return _page(STATUS[type(error)], "message.html", problem=str(error))


def _page(status: int, template: str, **values: Any) -> Response:
    here = site()
    body = here.render(template, **values)
    return {"statusCode": status, "headers": dict(here.headers), "body": body}


def _lapse(seconds: float | None) -> str:
    """Return a time as 4.2 s, 3 min 20 s, 2 h 05 min or 1 d 3 h."""
    if seconds is None:
        return "–"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours < 24 else f"{hours // 24} d {hours % 24} h"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _plain(number: float) -> str:
    return f"{number:g}"
