"""JSON bodies, parsed once; nothing here imports pydantic, so the claim function may read them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs

from dibs.core.errors import FieldError, InvalidInput, MalformedBody

_DEEPEST = 20
_HALF = re.compile(r"[\ud800-\udfff]")


def parse_json(raw: bytes, mapping: Callable[[list[tuple[str, Any]]], Any] = dict) -> Any:
    """Return what a JSON body says; `mapping` makes its objects of their names and values.

    Raises:
        MalformedBody: not JSON, not UTF-8, or nested deeper than anything real.
    """
    try:
        data = json.loads(raw, object_pairs_hook=mapping, parse_constant=_no_constants)
    except (ValueError, RecursionError) as error:
        raise MalformedBody from error
    if _depth(data) > _DEEPEST:
        raise MalformedBody
    return data


def parse_text(raw: bytes, mapping: Callable[[list[tuple[str, Any]]], Any] = dict) -> Any:
    """Return what a JSON body says, as `parse_json` does, if all its text can be stored.

    Raises:
        MalformedBody: it is not JSON.
        InvalidInput: names each text with half a letter in it.
    """
    data = parse_json(raw, mapping)
    if halves := dict.fromkeys(_halves(data)):
        problem = "contains half a letter (a lone surrogate); type that text again"
        raise InvalidInput(tuple(FieldError(place or "body", problem) for place in halves))
    return data


def json_object(raw: bytes) -> dict[str, Any]:
    """Return the object a JSON body is, an empty one where nothing was sent.

    Raises:
        MalformedBody: the body is not JSON.
        InvalidInput: it is JSON, but no object; or names each text with half a letter in it.
    """
    data = parse_text(raw or b"{}")
    if not isinstance(data, dict):
        raise InvalidInput((FieldError("body", "send a JSON object"),))
    return data


def not_known(name: str, known: Iterable[str]) -> FieldError:
    """Return what says that a field is not known, and which are."""
    # Half a letter cannot be answered.
    plain = name.encode(errors="replace").decode()
    there = ", ".join(known)
    return FieldError(plain, f"is not known here; send {there or 'no body: this call takes none'}")


def named_only(data: Mapping[str, Any], known: Collection[str]) -> None:
    """Check that no field was sent but the known ones.

    Raises:
        InvalidInput: names each that is not known.
    """
    wrong = tuple(not_known(name, known) for name in data if name not in known)
    if wrong:
        raise InvalidInput(wrong)


FORM = "application/x-www-form-urlencoded"


def form_fields(raw: bytes, known: Collection[str]) -> dict[str, str]:
    """Return the fields of a form, the first of each name; an empty JSON object says nothing.

    Raises:
        InvalidInput: names each that is not known.
    """
    return {name: values[0] for name, values in form_lists(raw, known).items()}


def form_lists(raw: bytes, known: Collection[str]) -> dict[str, list[str]]:
    """Return the fields of a form with all that was ticked or chosen of each.

    Raises:
        InvalidInput: names each that is not known.
    """
    if raw.strip() == b"{}":
        return {}
    sent = parse_qs(raw.decode(errors="replace"), keep_blank_values=True)
    named_only(sent, known)
    return sent


def nothing_sent(raw: bytes, media: str, known: Collection[str] = ()) -> None:
    """Check that a call that takes no body has none; of a form, the `known` fields may come.

    An empty JSON object says nothing either.

    Raises:
        MalformedBody: it is not JSON.
        InvalidInput: names each field, or says that the body is none.
    """
    if not raw.strip():
        return
    if media == FORM:
        form_fields(raw, known)
    else:
        named_only(json_object(raw), ())


def _halves(value: Any, place: str = "") -> Iterator[str]:
    """Yield where half a letter stands, with a question mark for each that is in a name."""
    if isinstance(value, str):
        if _HALF.search(value):
            yield place
        return
    named = value.items() if isinstance(value, dict) else ()
    for name, one in enumerate(value) if isinstance(value, list) else named:
        at = f"{place}.{name}" if place else str(name)
        if _HALF.search(at):
            yield _HALF.sub("?", at)
        else:
            yield from _halves(one, at)


def _depth(value: Any) -> int:
    deepest, level = 0, [value]
    while level:
        deepest += 1
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
    return deepest


def _no_constants(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
