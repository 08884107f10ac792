"""What the pages of one folder of templates share: how they are rendered, and their headers.

A page without a script of its own looks by the shared frame and style of `look/`; a folder's file
of the same name takes the place of the shared one. Name, logo and colours are the organisation's,
by the playbook in force (U9).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dibs.core.colours import readable_on
from dibs.core.values import dataclass
from dibs.rules.rules import Look
from dibs.web.http import Response

if TYPE_CHECKING:
    from jinja2 import Environment

LOOK = Path(__file__).parent / "look"
SHEETS = ("tokens.css", "look.css")
SCRIPTS = ("live.js",)


LOGO = "/logo"


@dataclass(frozen=True)
class Site:
    """The pages of one folder. `sources` is what of their policy is the same for every look, and
    `look` returns the one in force.

    Where it `embeds`, pages of the origins that the look names may hold one of these in a frame.
    """

    environment: Environment
    sources: str
    look: Callable[[], Look]
    embeds: bool

    def page(self, status: int, template: str, **values: Any) -> Response:
        """Return a page in the look that is in force, as API Gateway takes it."""
        look = self.look()
        html = self.render(template, look, **values)
        return {"statusCode": status, "headers": self.headers(look), "body": html}

    def render(self, template: str, look: Look, **values: Any) -> str:
        """Return a page in an organisation's name and colours."""
        made = self.environment.get_template(template)
        return made.render(look=look, colours=colours(look), logo=look.logo and LOGO, **values)

    def headers(self, look: Look) -> dict[str, str]:
        """Return a page's headers; its policy allows its own style and script alone, by hash."""
        own = f" '{_digest(colours(look))}'" if colours(look) else ""
        pictures = "'self' data:" if look.logo else "data:"
        within = " ".join(look.embed_in if self.embeds else ()) or "'none'"
        return {
            "content-type": "text/html; charset=utf-8",
            "cache-control": "no-store",
            "content-security-policy": (
                f"{self.sources}{own}; img-src {pictures}; frame-ancestors {within}"
            ),
            "permissions-policy": "camera=(), geolocation=(), microphone=()",
            "referrer-policy": "same-origin",
            "x-content-type-options": "nosniff",
            "x-robots-tag": "noindex",
        }


@lru_cache(maxsize=4)
def colours(look: Look) -> str:
    """Return the style that gives an organisation's colours; empty where it has none."""
    said = []
    if look.colour:
        said.append(f"--bar:{look.colour};--on-bar:{readable_on(look.colour)}")
    if look.accent:
        said.append(f"--accent:{look.accent}")
    return f":root{{{';'.join(said)}}}" if said else ""


def site(
    templates: Path,
    look: Callable[[], Look] = Look,
    *,
    sheets: Sequence[str] = SHEETS,
    scripts: Sequence[str] = SCRIPTS,
    embeds: bool = False,
) -> Site:
    """Build it: style and script stand in the page itself."""
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
    sources = (
        f"default-src 'none'; script-src '{_digest(js)}'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; "
        f"style-src '{_digest(css)}'"
    )
    return Site(environment, sources, look, embeds)


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
