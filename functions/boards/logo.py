"""The organisation's logo, for the head of every screen (U9)."""

from __future__ import annotations

from dibs.core.errors import RouteNotFound
from dibs.web.http import Event, Response
from dibs.wiring import look

_KEPT_SECONDS = 300


def show(event: Event) -> Response:
    """`GET /logo`: the picture that the playbook holds.

    It may be an SVG, which could carry a script; its policy lets it do nothing.
    """
    del event
    kind, _, picture = look().logo.removeprefix("data:").partition(";base64,")
    if not picture:
        raise RouteNotFound("There is no logo. The playbook's look.logo sets one.")
    headers = {
        "content-type": kind,
        "cache-control": f"public, max-age={_KEPT_SECONDS}",
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        "x-content-type-options": "nosniff",
    }
    return {"statusCode": 200, "headers": headers, "body": picture, "isBase64Encoded": True}
