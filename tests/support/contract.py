"""The published OpenAPI description, and a check of answers against it."""

from __future__ import annotations

import json
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

DOCUMENT = Path(__file__).parents[2] / "functions" / "boards" / "openapi.json"


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """Return the shipped description."""
    found: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return found


def operations() -> dict[str, dict[str, Any]]:
    """Return every operation by its route key, `GET /path`."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    }


def check(route: str, status: int, headers: dict[str, str], text: str) -> None:
    """Fail if the description does not name the answer's status, type and fields."""
    responses = operations()[route]["responses"]
    assert str(status) in responses, f"{route} does not name {status}: {text[:300]}"
    content = responses[str(status)].get("content", {})
    media = headers.get("content-type", "").partition(";")[0]
    if not content:
        assert text == "" or route.startswith("HEAD "), f"{route} names no body of {status}"
        return
    assert media in content, f"{route} names no {media} with {status}: {text[:300]}"
    if "json" in media:
        errors = list(_validator(route, str(status), media).iter_errors(json.loads(text)))
        assert not errors, f"{route} {status}: {_deepest(errors)}\n{text[:1500]}"


@cache
def _validator(route: str, status: str, media: str) -> Draft202012Validator:
    schema = operations()[route]["responses"][status]["content"][media]["schema"]
    resource = DRAFT202012.create_resource(document())
    absolute = json.loads(json.dumps(schema).replace('"#/', '"urn:dibs#/'))
    return Draft202012Validator(absolute, registry=Registry().with_resource("urn:dibs", resource))


def _deepest(errors: list[Any]) -> str:
    """Return the most deeply nested error, of the schema that fits best."""
    inside = [cause for error in errors for cause in (error.context or ())]
    if inside:
        return _deepest(inside)
    return "; ".join(f"{'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in errors)
