"""The API's description: for programs as OpenAPI, for people as a page."""

from __future__ import annotations

import json
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from boards import page
from dibs.web.http import Event, Response, header

# Written by `make contract` from the route tables.
_DOCUMENT = Path(__file__).parent / "openapi.json"


def document(event: Event) -> Response:
    """`GET /openapi.json`: this description, as OpenAPI 3.1."""
    text, tag = _written()
    headers = {"etag": tag, "cache-control": "public, max-age=300"}
    if tag in header(event, "if-none-match"):
        return {"statusCode": 304, "headers": headers, "body": ""}
    headers["content-type"] = "application/openapi+json; charset=utf-8"
    headers["x-content-type-options"] = "nosniff"
    return {"statusCode": 200, "headers": headers, "body": text}


def show(event: Event) -> Response:
    """`GET /docs`: this description, as a page."""
    del event
    return page.contract(json.loads(_written()[0]))


@lru_cache(maxsize=1)
def _written() -> tuple[str, str]:
    """Return the description and its tag."""
    text = _DOCUMENT.read_text("utf-8")
    return text, f'"{sha256(text.encode()).hexdigest()[:16]}"'
