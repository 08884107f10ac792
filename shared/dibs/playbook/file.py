"""Playbook files: read and check YAML or JSON, write JSON and the JSON Schema (O4)."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from dibs.core.errors import FieldError, InvalidInput
from dibs.playbook.checks.teams import LIMITS, problems
from dibs.rules.playbook import Playbook
from dibs.web.json_body import parse_text

_LONGEST_SHOWN = 40
# The stack knows some by itself, editors read $schema; none of them is a setting.
_KNOWN_BY_STACK = {"version", "first_activity"}
_NO_RULES = (*_KNOWN_BY_STACK, "$schema")
_UNKNOWN = "unexpected_keyword_argument"
_MENDS = {
    "string_type": "write text, in quotes where it may be read as something else",
    "int_type": "write a whole number",
    "bool_type": "write true or false",
    "tuple_type": "write a list",
    "dict_type": "write a mapping of names to what they stand for",
    "dataclass_type": "write a mapping of rules",
    "date_type": "write a day as 2026-12-25",
    "date_parsing": "write a day as 2026-12-25",
    "date_from_datetime_parsing": "write a day as 2026-12-25",
    "date_from_datetime_inexact": "write a day as 2026-12-25",
}
_YAML_INT = "tag:yaml.org,2002:int"
_WHOLE_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*)$")


@lru_cache(maxsize=1)
def _shape() -> TypeAdapter[Playbook]:
    return TypeAdapter(Playbook)


def read_playbook(text: str) -> Playbook:
    """Return the playbook a file describes, in YAML or JSON.

    Raises:
        InvalidInput: names every wrong setting, and how to correct it.
    """
    return playbook_of(_parsed(text))


def read_json(raw: bytes) -> Any:
    """Return a parsed JSON body; `playbook_of` reads a playbook in it.

    Raises:
        MalformedBody: it is not JSON.
        InvalidInput: a name occurs twice in one mapping, or text holds half a letter.
    """
    return parse_text(raw, _each_once)


def playbook_of(data: Any) -> Playbook:
    """Return the playbook that parsed YAML or JSON describes.

    Raises:
        InvalidInput: names every wrong setting, and how to correct it.
    """
    if not isinstance(data, dict):
        raise _wrong("must hold one mapping of rules")
    rules = {name: value for name, value in data.items() if name not in _NO_RULES}
    playbook, errors = _shaped(rules)
    if playbook is None:
        # Check the other settings too: drop the unknown ones.
        playbook, _ = _shaped(_known(rules, errors))
    wrong = [*_field_errors(errors), *(problems(playbook) if playbook else ())]
    if wrong or playbook is None:
        raise InvalidInput(tuple(wrong))
    return playbook


def playbook_json(playbook: Playbook) -> str:
    """Return a playbook as it is stored."""
    return _shape().dump_json(playbook, exclude=_KNOWN_BY_STACK).decode()


def playbook_data(playbook: Playbook) -> dict[str, Any]:
    """Return a playbook as plain JSON values, as in a file."""
    data: dict[str, Any] = _shape().dump_python(playbook, mode="json", exclude=_KNOWN_BY_STACK)
    return data


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a playbook file, with every number's range."""
    rules = _shape().json_schema()
    for name in _KNOWN_BY_STACK:
        del rules["properties"][name]
    rules["properties"]["$schema"] = {"type": "string"}
    for place, (least, most) in LIMITS.items():
        rule = _at(rules, place.split("."), rules)
        rule |= {"minimum": least, "maximum": most}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **rules}


def _parsed(text: str) -> Any:
    # JSON may contain tabs, YAML may not.
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text, object_pairs_hook=_each_once)
        except (ValueError, RecursionError):
            pass  # a YAML mapping may also begin with a brace
    import yaml

    wrong: list[FieldError] = []

    class Loader(yaml.SafeLoader):
        """Reports what YAML accepts: a key that occurs twice, a key that is not text."""

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
            wrong.extend(_wrong_keys(node))
            return super().construct_mapping(node, deep)

    # YAML 1.1 reads 15:00 as 900 and 010 as 8. We read only plain decimal numbers.
    Loader.yaml_implicit_resolvers = {
        letter: [(tag, pattern) for tag, pattern in resolvers if tag != _YAML_INT]
        for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    Loader.add_implicit_resolver(_YAML_INT, _WHOLE_NUMBER, list("-+0123456789"))
    try:
        data = yaml.load(text, Loader)  # noqa: S506 - Loader is a SafeLoader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _wrong(f"is neither YAML nor JSON from line {line} on: {error.problem}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _wrong("is neither YAML nor JSON") from error
    if wrong:
        raise InvalidInput(tuple(wrong))
    return data


def _wrong(problem: str) -> InvalidInput:
    return InvalidInput((FieldError("file", problem),))


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    twice = [name for name, times in Counter(name for name, _ in pairs).items() if times > 1]
    if twice:
        raise InvalidInput(tuple(FieldError(name, _TWICE) for name in twice))
    return dict(pairs)


_TWICE = "occurs twice in one mapping; keep one"


def _wrong_keys(node: Any) -> Iterable[FieldError]:
    """Yield the wrong keys of a YAML mapping, by line."""
    seen = set()
    for key, _ in node.value:
        place = f"line {key.start_mark.line + 1}"
        if key.tag == "tag:yaml.org,2002:merge":
            continue
        if key.tag != "tag:yaml.org,2002:str":
            yield FieldError(place, f"{key.value!s:.40} is not text; write it in quotes")
        elif key.value in seen:
            yield FieldError(place, f"{key.value!r} {_TWICE}")
        else:
            seen.add(key.value)


def _shaped(rules: Mapping[str, Any]) -> tuple[Playbook | None, list[ErrorDetails]]:
    try:
        # As JSON: then dates of YAML and texts of JSON are checked in the same way.
        text = json.dumps(rules, default=str)
    except (ValueError, RecursionError) as error:
        raise _wrong("refers to itself; write it out") from error
    try:
        return _shape().validate_json(text, strict=True), []
    except ValidationError as error:
        return None, error.errors(include_url=False)


def _known(rules: Mapping[str, Any], errors: Iterable[ErrorDetails]) -> dict[str, Any]:
    """Return the rules without the unknown ones."""
    kept: dict[str, Any] = json.loads(json.dumps(rules, default=str))
    for error in errors:
        if error["type"] == _UNKNOWN:
            *parents, name = error["loc"]
            node: Any = kept
            for part in parents:
                node = node[part]
            del node[name]
    return kept


def _field_errors(errors: Iterable[ErrorDetails]) -> list[FieldError]:
    """Return pydantic's errors in our words."""
    return [FieldError(".".join(map(str, e["loc"])) or "file", _problem(e)) for e in errors]


def _problem(error: ErrorDetails) -> str:
    kind, place = error["type"], error["loc"]
    in_list = bool(place) and isinstance(place[-1], int)
    of_tiers = bool({"premium", "standard", "offsets"}.intersection(place[-2:]))
    # The only lists of a fixed length are of three: a tier's seconds each, or a prize's points.
    three = "write three, one for each " + ("tier" if of_tiers else "place")
    if kind == "missing":
        return f"is missing; {three}" if in_list else "is missing; add it"
    if kind == _UNKNOWN:
        return _unknown(place)
    if kind == "json_invalid":
        return "holds half a letter (a lone surrogate); type that text again"
    if kind == "too_long":
        return f"has {len(error['input'])}; {three}"
    if kind in ("enum", "literal_error"):
        mend = f"use {error['ctx']['expected']}"
    else:
        mend = _MENDS.get(kind, "write it as the schema says ('dibs playbook schema')")
        if kind == "int_type" and in_list and of_tiers:
            mend += " of seconds, or null for never"
    return f"is {_shown(error['input'])}; {mend}"


def _unknown(place: Sequence[int | str]) -> str:
    whole = schema()
    names = [name for name in _at(whole, place[:-1], whole)["properties"] if name[0] != "$"]
    near = get_close_matches(str(place[-1]), names, 1)
    if near:
        return f"is no rule; did you mean {near[0]!r}?"
    return f"is no rule; here are {', '.join(names)}"


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if isinstance(value, str):
        cut = value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}…"
        return repr(cut)
    return json.dumps(value)[:_LONGEST_SHOWN]


def _at(node: dict[str, Any], place: Sequence[int | str], whole: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a schema that describes a path."""
    for part in place:
        here = _resolved(node, whole)
        inside: dict[str, Any] = here.get("items") or here.get("additionalProperties") or {}
        node = here["properties"][part] if "properties" in here else inside
    return _resolved(node, whole)


def _resolved(node: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    name = node.get("$ref", "").removeprefix("#/$defs/")
    resolved: dict[str, Any] = whole["$defs"][name] if name else node
    return resolved
