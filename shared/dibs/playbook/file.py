"""Playbook files: read and check YAML or JSON, write JSON and the JSON Schema (O4).

What a file leaves out is as in the preset it names. Groups of settings, such as `quality`, are
filled in setting by setting. A list, and whatever goes by names of one's own, such as `teams` and
`game.badges`, is the file's alone if it has any.
"""

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
from dibs.rules.presets import NAMES, preset_text
from dibs.web.json_body import parse_text

_LONGEST_SHOWN = 40
# A YAML file may name a part of itself again and again; written out it would fill any memory.
_MOST_PARTS = 50_000
Lines = Mapping[str, int]
"""The line of each setting of a YAML file, by its path."""
# The stack sets the version, editors read $schema; neither is a setting.
_NO_RULES = ("version", "first_activity", "$schema")
_OF_THE_STACK = {"version", "paused", "first_activity"}
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
    return playbook_of(*_parsed(text))


def read_yaml(raw: bytes) -> tuple[Any, Lines]:
    """Return what a YAML body says, and where; `playbook_of` reads a playbook in it.

    Raises:
        InvalidInput: it is not YAML, or a name occurs twice in one mapping.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise _wrong("is not UTF-8; save it as that") from error
    return _parsed(text)


def read_json(raw: bytes) -> Any:
    """Return a parsed JSON body; `playbook_of` reads a playbook in it.

    Raises:
        MalformedBody: it is not JSON.
        InvalidInput: a name occurs twice in one mapping, or text holds half a letter.
    """
    return parse_text(raw, _each_once)


def playbook_of(data: Any, lines: Lines | None = None) -> Playbook:
    """Return the playbook that parsed YAML or JSON describes.

    Raises:
        InvalidInput: names every wrong setting, its line where `lines` has it, and how to correct
            it.
    """
    try:
        return _checked(data)
    except InvalidInput as wrong:
        if not lines:
            raise
        raise InvalidInput(tuple(_at_line(error, lines) for error in wrong.errors)) from wrong


def _at_line(error: FieldError, lines: Lines) -> FieldError:
    """Return an error with the line of its setting, or of what that is missing in."""
    parts = error.field.split(".")
    paths = (".".join(parts[:many]) for many in range(len(parts), 0, -1))
    line = next((lines[path] for path in paths if path in lines), None)
    return error if line is None else FieldError(error.field, f"{error.problem} (line {line})")


def _checked(data: Any) -> Playbook:
    if not isinstance(data, dict):
        raise _wrong("must hold one mapping of rules")
    if "paused" in data:
        raise InvalidInput((FieldError("paused", "is no rule; 'dibs team pause' pauses a team"),))
    rules = {name: value for name, value in data.items() if name not in _NO_RULES}
    rules = _filled_in(_preset(rules.get("preset")), rules, _groups())
    playbook, errors = _shaped(rules)
    if playbook is None:
        # Check the other settings too: drop the unknown ones.
        playbook, _ = _shaped(_known(rules, errors))
    wrong = [*_field_errors(errors), *(problems(playbook) if playbook else ())]
    if wrong or playbook is None:
        raise InvalidInput(tuple(wrong))
    return playbook


def _preset(name: Any) -> dict[str, Any]:
    """Return the settings of a shipped preset; a preset of another name has none."""
    known: dict[str, Any] = json.loads(preset_text(name)) if name in NAMES else {"fits": ""}
    return known


def _filled_in(
    below: Mapping[str, Any], above: Mapping[str, Any], groups: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the settings of `above`, and of `below` what it leaves out, group by group."""
    filled = {**below, **above}
    for name, inner in groups.items():
        low, high = below.get(name), above.get(name)
        if isinstance(low, Mapping) and isinstance(high, Mapping):
            filled[name] = _filled_in(low, high, inner)
    return filled


@lru_cache(maxsize=1)
def _groups() -> Mapping[str, Any]:
    """Return the groups of settings in a playbook, by name, each with the groups inside it."""
    whole = _shape().json_schema()

    def inside(node: dict[str, Any]) -> dict[str, Any]:
        fields = _resolved(node, whole).get("properties", {})
        found = {name: _resolved(field, whole) for name, field in fields.items()}
        return {name: inside(field) for name, field in found.items() if "properties" in field}

    return inside(whole)


def playbook_json(playbook: Playbook) -> str:
    """Return a playbook as it is stored."""
    return _shape().dump_json(playbook, exclude=_OF_THE_STACK).decode()


def playbook_data(playbook: Playbook) -> dict[str, Any]:
    """Return a playbook as plain JSON values, as in a file."""
    data: dict[str, Any] = _shape().dump_python(playbook, mode="json", exclude=_OF_THE_STACK)
    return data


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a playbook file, with every number's range."""
    rules = _shape().json_schema()
    for name in _OF_THE_STACK:
        del rules["properties"][name]
    del rules["$defs"]["Pause"]
    rules["properties"]["$schema"] = {"type": "string"}
    rules["required"] = ["preset"]  # the preset has all else
    for place, (least, most) in LIMITS.items():
        rule = _at(rules, place.split("."), rules)
        rule |= {"minimum": least, "maximum": most}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **rules}


def _parsed(text: str) -> tuple[Any, Lines]:
    # JSON may contain tabs, YAML may not.
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text, object_pairs_hook=_each_once), {}
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
        loader = Loader(text)
        node = loader.get_single_node()
        lines = _lines(node)
        data = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _wrong(f"is neither YAML nor JSON from line {line} on: {error.problem}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _wrong("is neither YAML nor JSON") from error
    if wrong:
        raise InvalidInput(tuple(wrong))
    return data, lines


def _lines(node: Any) -> dict[str, int]:
    """Return the line of each setting, by its path.

    Raises:
        InvalidInput: written out, the file would be too large, or it refers to itself.
    """
    found: dict[str, int] = {}
    waiting, parts = [("", node)], 0
    while waiting:
        place, here = waiting.pop()
        parts += 1
        if parts > _MOST_PARTS:
            raise _wrong("is too large, or refers to itself; write it out, and shorter")
        inner = getattr(here, "value", None)
        if not isinstance(inner, list):
            continue
        for number, part in enumerate(inner):
            key, value = part if isinstance(part, tuple) else (None, part)
            name = str(number) if key is None else str(key.value)
            path = f"{place}.{name}" if place else name
            found[path] = (value if key is None else key).start_mark.line + 1
            waiting.append((path, value))
    return found


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
