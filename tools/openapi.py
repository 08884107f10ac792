"""Write the API's description, OpenAPI 3.1, from the route tables: `make contract`.

Each row of a table says who may call, what is sent, what comes back and what may go wrong, and the
handler works by the same row. The types of answers stand in `answers.py` beside the function.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from dibs.core.errors import (
    AlreadyClaimed,
    AlreadyDecided,
    BodyTooLarge,
    Busy,
    ClaimRefused,
    DibsError,
    InvalidInput,
    LeadNotFound,
    MalformedBody,
    NoLongerYours,
    NotConfigured,
    NotEnoughPoints,
)
from dibs.web.http import STATUS
from dibs.web.route import CSV, HTML, Route
from dibs.web.sign_in import COOKIE

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "functions" / "boards" / "openapi.json"
JSON, PROBLEM = "application/json", "application/problem+json"
_SCHEMAS = "#/components/schemas/"
_BAD_SERVER = (DibsError, NotConfigured, Busy)

Schema = dict[str, Any]

_SECURITY: dict[str, list[Schema]] = {
    "anybody": [],
    "link": [],
    "rep": [{"rep": []}],
    "manager": [{"manager": []}],
    "rep or manager": [{"rep": []}, {"manager": []}],
    "signed": [{"signed": []}],
    "signed, rep or manager": [{"signed": []}, {"rep": []}, {"manager": []}],
}
_SCHEMES = {
    "rep": {
        "type": "http",
        "scheme": "bearer",
        "description": "A rep's token, `<rep_id>.<random>`.",
    },
    "manager": {
        "type": "http",
        "scheme": "bearer",
        "description": "A manager's token, `<manager_id>.<random>`.",
    },
    "signed": {
        "type": "apiKey",
        "in": "header",
        "name": "webhook-signature",
        "description": "Standard Webhooks: `webhook-id`, `webhook-timestamp` (at most five minutes "
        "from now) and `webhook-signature`, made with the intake secret.",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "A session, which `POST /sign-in` or `POST /in/{token}` begins: it counts "
        "for looking, and for changes that a page of our own sends.",
    },
}
_ONLY = {
    "anybody": "Anybody may call this.",
    "link": "Whoever holds the link may call this; the token in the path is the proof.",
}
_PATHS = {
    "lead_id": "A lead.",
    "token": "The token of a link.",
    "session_id": "One of my sessions; `GET /me/sessions` lists them.",
    "manager_id": "A manager.",
    "device_id": "The app's own id of a phone: 1 to 64 letters, digits, - _ . and :",
    "rep_id": "A rep.",
    "epoch": "Which opening of the lead: 1, 2 and so on.",
    "team": "A team of the playbook, by its id.",
    "month": "A month such as 2026-11.",
    "metric": "A metric; `GET /metrics` lists them.",
    "contest_id": "A contest, by the id its manager chose.",
    "series_id": "A series of contests, by the id its manager chose.",
    "help_id": "A question to colleagues.",
    "quest": "A quest of the playbook.",
    "step": "A step of the quest.",
    "reward_id": "A reward, by the id its manager chose.",
    "request_id": "A request for a reward.",
}
_DETAILS: dict[type[DibsError], Schema] = {
    AlreadyClaimed: {
        "claimed_by": {
            "anyOf": [
                {
                    "type": "object",
                    "properties": {"rep_id": {"type": "string"}, "name": {"type": "string"}},
                    "required": ["rep_id", "name"],
                    "additionalProperties": False,
                },
                {"type": "null"},
            ]
        },
        "ms_ago": {"type": "integer"},
        "judged_at": {"type": "string", "format": "date-time"},
        "open_leads": {"type": "integer"},
        "drawn": {"const": True},
    },
    ClaimRefused: {
        "rules": {"type": "array", "items": {"type": "string"}},
        "lifts_at": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
        "lifts_when": {"type": "string"},
        "judged_at": {"type": "string", "format": "date-time"},
    },
    NotEnoughPoints: {"missing": {"type": "integer"}, "balance": {"type": "integer"}},
    AlreadyDecided: {"state": {"type": "string"}},
    NoLongerYours: {
        "cause": {"type": "string"},
        "at": {"type": "string", "format": "date-time"},
    },
    InvalidInput: {
        "errors": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "problem": {"type": "string"}},
                "required": ["field", "problem"],
                "additionalProperties": False,
            },
        }
    },
}
_OPTIONAL = ("drawn",)
_TAG: Schema = {
    "name": "if-none-match",
    "in": "header",
    "required": False,
    "description": "The `etag` of the answer one has; 304 if it still says the same.",
    "schema": {"type": "string"},
}


def functions() -> list[str]:
    """Return the functions that answer over HTTP: those with a table of routes."""
    handlers = sorted((ROOT / "functions").glob("*/handler.py"))
    return [path.parent.name for path in handlers if "ROUTES" in path.read_text("utf-8")]


def tables() -> Iterator[tuple[str, str, Route]]:
    """Yield every route with its function and its key, `GET /path`."""
    for function in functions():
        for key, route in importlib.import_module(f"{function}.handler").ROUTES.items():
            yield function, key, route


class _Schemas:
    """The document's named schemas; each name stands for one shape."""

    def __init__(self) -> None:
        self.named: dict[str, Schema] = {}

    def of_answer(self, function: str, name: str) -> Schema:
        """Return a reference to a type of the function's answers."""
        kind = getattr(importlib.import_module(f"{function}.answers"), name)
        result = TypeAdapter(kind).json_schema(mode="serialization")
        return self._reference(f"{function.capitalize()}{name}", _closed(result), function)

    def of_body(self, function: str, route: Route) -> Schema:
        """Return a reference to what a route takes."""
        assert route.body is not None
        name = getattr(route.body, "__name__", type(route.body).__name__)
        return self._reference(name, dict(route.body.described()), "")

    def _reference(self, name: str, result: Schema, prefix: str) -> Schema:
        shared = result.pop("$defs", {})
        names = {one: f"{prefix.capitalize()}{one}" for one in shared}
        for one, schema in shared.items():
            self._add(names[one], _renamed(schema, names))
        self._add(name, _renamed(result, names))
        return {"$ref": _SCHEMAS + name}

    def _add(self, name: str, schema: Schema) -> None:
        assert self.named.setdefault(name, schema) == schema, f"two shapes are called {name}"


def _renamed(schema: Any, names: Mapping[str, str]) -> Any:
    if isinstance(schema, dict):
        result = {key: _renamed(value, names) for key, value in schema.items()}
        if isinstance(result.get("$ref"), str):
            result["$ref"] = _SCHEMAS + names[result["$ref"].rpartition("/")[2]]
        return result
    return [_renamed(one, names) for one in schema] if isinstance(schema, list) else schema


def _closed(schema: Any) -> Any:
    """Return the schema of an answer; it holds what is named and nothing else."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: _closed(value) for key, value in schema.items()}
    if isinstance(result.get("properties"), dict) and result.get("type") == "object":
        result.setdefault("additionalProperties", False)
    return result


def described() -> Schema:
    """Return the whole description."""
    schemas, paths = _Schemas(), defaultdict[str, Schema](dict)
    for function, key, route in tables():
        method, _, path = key.partition(" ")
        paths[path][method.lower()] = _operation(schemas, function, method, path, route)
    known: set[type[DibsError]] = {*STATUS, DibsError}
    errors = sorted(known, key=lambda one: one.code)
    named = {**schemas.named, **{_name(error): _problem(error) for error in errors}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Dibs",
            "version": "1",
            "description": "Competitive lead assignment: every eligible rep is told at once, the "
            "first to claim wins. Errors are problem+json with a stable `code`. Who calls is "
            "checked first, then the form of the body, then what the path names. A field of a JSON "
            "body that is not known is named in an error (422); so is one of a form, and "
            "any field of a body that a call does not take. Only leads and activities that a "
            "system signs may have others, which are ignored. Times are UTC "
            "ISO-8601, phones E.164, money is in the smallest unit of its currency.",
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": function} for function in functions()],
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": dict(sorted(named.items())), "securitySchemes": _SCHEMES},
    }


def _operation(schemas: _Schemas, function: str, method: str, path: str, route: Route) -> Schema:
    summary, text = _said(route)
    names = re.findall(r"{(\w+)}", path)
    security = _SECURITY[route.who.name] + ([{"cookie": []}] if route.who.cookie else [])
    result: Schema = {
        "operationId": _operation_id(method, path),
        "tags": [function],
        "summary": summary,
        "description": " ".join(
            part for part in (text, _ONLY.get(route.who.name, ""), route.repeated) if part
        ),
        "security": security,
        "x-dibs-callers": route.who.name,
        **({"x-dibs-scope": route.who.scope.value} if route.who.scope else {}),
        "parameters": [
            *(_in_path(name) for name in names),
            *_in_query(route),
            *([_TAG] if 304 in route.answers else []),
        ],
        "responses": _responses(schemas, function, route, names, method),
    }
    if route.body is not None:
        sent = {"schema": schemas.of_body(function, route), "example": route.body.example}
        content = dict.fromkeys((route.body.media, *(route.also or ())), sent)
        result["requestBody"] = {"content": content, "required": True}
    return {name: value for name, value in result.items() if value or name == "security"}


def _operation_id(method: str, path: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "_", path.lower()).strip("_")
    return f"{method.lower()}_{words}"


def _said(route: Route) -> tuple[str, str]:
    """Return what a route does, in one line, and what else there is to say."""
    if route.summary:
        return route.summary, ""
    said = re.sub(r"\s+", " ", inspect.getdoc(route.serve) or "")
    said = re.sub(r"^(`[^`]*` ?)+: ", "", said)
    said = re.sub(r" \([A-Z]+\d+([-, ]+[A-Z]+\d+)*\)", "", said)
    first, dot, rest = said.partition(". ")
    return first[:1].upper() + first[1:] + dot.strip(), rest


def _in_path(name: str) -> Schema:
    where = {"name": name, "in": "path", "required": True, "description": _PATHS[name]}
    return {**where, "schema": {"type": "string", "minLength": 1}}


def _in_query(route: Route) -> Iterator[Schema]:
    for name, said in (route.query or {}).items():
        schema = {"type": "string", **said}
        needed, text = schema.pop("needed", False), schema.pop("description")
        yield {
            "name": name,
            "in": "query",
            "required": needed,
            "description": text,
            "schema": schema,
        }


def _responses(
    schemas: _Schemas, function: str, route: Route, names: Iterable[str], method: str
) -> Schema:
    contents = defaultdict[int, dict[str, list[Schema]]](dict)
    says = dict[int, str]()
    pages = False
    for status, answers in route.answers.items():
        says[status] = "Done." if status < 400 else "A page that says why not."
        if status == 304:
            says[status] = "Nothing has changed since the answer with that tag."
        for answer in (answers,) if isinstance(answers, str) else answers:
            media = answer if "/" in answer else JSON
            pages |= media == HTML
            if answer:
                schema = {"type": "string"} if media in (HTML, CSV) else {}
                named = schemas.of_answer(function, answer) if media == JSON else schema
                contents[status].setdefault(media, []).append(named)
    for status, errors in _errors(route, names, method).items():
        says[status] = "; ".join(f"`{one.code}`: {one.message}" for one in errors)
        contents[status].setdefault(PROBLEM, []).extend(
            {"$ref": _SCHEMAS + _name(one)} for one in errors
        )
        if pages:
            contents[status].setdefault(HTML, [{"type": "string"}])
    found: Schema = {}
    for status in sorted({*says}):
        found[str(status)] = {"description": says[status]}
        if contents[status] and method != "HEAD":
            found[str(status)]["content"] = {
                media: {"schema": many[0] if len(many) == 1 else {"anyOf": many}}
                for media, many in contents[status].items()
            }
    return found


def _errors(route: Route, names: Iterable[str], method: str) -> Mapping[int, list[type[DibsError]]]:
    every: set[type[DibsError]] = {*route.errors, *route.who.errors, *_BAD_SERVER}
    if route.body is not None:
        every |= {BodyTooLarge}
        every |= {InvalidInput}
        if route.body.media == JSON:
            every |= {MalformedBody}
    elif method not in ("GET", "HEAD"):
        every |= {BodyTooLarge, MalformedBody, InvalidInput}
    if "lead_id" in names:
        every |= {LeadNotFound}
    if "epoch" in (route.query or {}):
        every |= {InvalidInput}
    found = defaultdict[int, list[type[DibsError]]](list)
    for error in sorted(every, key=lambda one: one.code):
        found[STATUS.get(error, 500)].append(error)
    return found


def _name(error: type[DibsError]) -> str:
    return f"Problem{error.__name__}"


def _problem(error: type[DibsError]) -> Schema:
    status, details = STATUS.get(error, 500), _DETAILS.get(error, {})
    common = {
        "title": {"type": "string"},
        "status": {"const": status},
        "code": {"const": error.code},
        "detail": {"type": "string"},
    }
    needed = ["title", "status", "code", *(n for n in details if n not in _OPTIONAL)]
    return {
        "type": "object",
        "description": re.sub(r"^Raised when ", "When ", (error.__doc__ or "").split("\n")[0])
        if error is not DibsError
        else "When something failed that nobody expected.",
        "properties": {**common, **details},
        "required": needed if error is DibsError else [*needed, "detail"],
        "additionalProperties": False,
    }


def written() -> str:
    """Return the description as it is kept."""
    return json.dumps(described(), indent=1, ensure_ascii=False, sort_keys=False) + "\n"


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "functions"))
    DOCUMENT.write_text(written(), "utf-8")
