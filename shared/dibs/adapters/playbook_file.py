"""Playbooks as files: YAML or JSON in, checked in shape and sense, JSON out."""

from __future__ import annotations

import json
from functools import lru_cache

from pydantic import TypeAdapter, ValidationError

from dibs.adapters.intake import field_errors
from dibs.domain.errors import FieldError, InvalidInput
from dibs.domain.playbook import Playbook, problems


@lru_cache(maxsize=1)
def _shape() -> TypeAdapter[Playbook]:
    return TypeAdapter(Playbook)


def read_playbook(text: str) -> Playbook:
    """Return the playbook a file describes.

    Raises:
        InvalidInput: names every place that is wrong, and its mend.
    """
    import yaml

    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InvalidInput((FieldError("file", f"is neither YAML nor JSON: {error}"),)) from error
    if not isinstance(data, dict):
        raise InvalidInput((FieldError("file", "must hold one mapping of rules"),))
    data.pop("version", None)  # given by the stack, not by the file
    try:
        playbook = _shape().validate_json(json.dumps(data, default=str), strict=True)
    except ValidationError as error:
        raise InvalidInput(field_errors(error)) from error
    found = problems(playbook)
    if found:
        raise InvalidInput(tuple(found))
    return playbook


def playbook_json(playbook: Playbook) -> str:
    """Return a playbook as it is stored."""
    return _shape().dump_json(playbook, exclude={"version"}).decode()
