"""What the pages of one folder of templates share: how they are rendered, and their headers."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dibs.core.values import dataclass

if TYPE_CHECKING:
    from jinja2 import Environment


@dataclass(frozen=True)
class Site:
    """`render` takes a template's name and its values; `headers` go with every page."""

    environment: Environment
    headers: dict[str, str]

    def render(self, template: str, **values: Any) -> str:
        """Return a page."""
        return self.environment.get_template(template).render(values)


def site(templates: Path, css: str, js: str = "", squeeze: Callable[[str], str] = str) -> Site:
    """Build it: style and script stand in the page, and its policy allows them alone, by hash."""
    # Loaded with the first page, not by a claim from the app.
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        autoescape=True,
        loader=FunctionLoader(lambda name: squeeze((templates / name).read_text("utf-8"))),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals.update(css=css, js=js)
    script = f"script-src '{_digest(js)}'; connect-src 'self'; " if js else ""
    policy = (
        f"default-src 'none'; {script}style-src '{_digest(css)}'; img-src data:; "
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


def _digest(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()
