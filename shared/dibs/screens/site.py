"""What the pages of one folder of templates share: how they are rendered, and their headers.

A page without a script of its own looks by the shared frame and style of `look/`; a folder's file
of the same name takes the place of the shared one.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dibs.core.values import dataclass

if TYPE_CHECKING:
    from jinja2 import Environment

LOOK = Path(__file__).parent / "look"
SHEETS = ("tokens.css", "look.css")
SCRIPTS = ("live.js",)


@dataclass(frozen=True)
class Site:
    """`render` takes a template's name and its values; `headers` go with every page."""

    environment: Environment
    headers: dict[str, str]

    def render(self, template: str, **values: Any) -> str:
        """Return a page."""
        return self.environment.get_template(template).render(values)


def site(templates: Path, sheets: Sequence[str] = SHEETS, scripts: Sequence[str] = SCRIPTS) -> Site:
    """Build it: style and script stand in the page, and its policy allows them alone, by hash."""
    # Loaded with the first page, not by a claim from the app.
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from rcssmin import cssmin
    from rjsmin import jsmin

    def text(name: str) -> str:
        own = templates / name
        return (own if own.exists() else LOOK / name).read_text("utf-8")

    environment = Environment(
        autoescape=True,
        loader=FunctionLoader(lambda name: _squeeze(text(name))),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    css = cssmin("\n".join(map(text, sheets)))
    js = jsmin("\n".join(map(text, scripts)))
    environment.filters["clock"] = clock
    environment.globals.update(css=css, js=js, tabs=(), pages=(), live=False)
    policy = (
        f"default-src 'none'; script-src '{_digest(js)}'; connect-src 'self'; "
        f"style-src '{_digest(css)}'; img-src data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    headers = {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-store",
        "content-security-policy": policy,
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "x-robots-tag": "noindex",
    }
    return Site(environment, headers)


def clock(seconds: int) -> str:
    """Return seconds as the script shows them: 0:07, 12:41, 3:05:00."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _squeeze(text: str) -> str:
    """Drop indentation and empty lines: bytes a phone need not load."""
    return "\n".join(line for line in map(str.strip, text.splitlines()) if line)


def _digest(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()
