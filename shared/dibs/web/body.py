"""How JSON bodies are read: parsed once, checked by their model, every wrong field named."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from dibs.core.errors import FieldError, InvalidInput, MalformedBody
from dibs.web.http import LARGEST_BODY
from dibs.web.json_body import form_fields, json_object, not_known, parse_json

JSON = "application/json"
# What pydantic calls a field that is not known, of a model and of a dataclass.
_EXTRA = ("extra_forbidden", "unexpected_keyword_argument")
# What JSON Schema can say of it: a lone half of a letter is no text there at all.
_PLAIN = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

Shape = TypeVar("Shape", bound=BaseModel)

Word = Annotated[str, StringConstraints(strip_whitespace=True, max_length=64)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Id = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class AppBody(BaseModel):
    """What our own apps and pages send: unknown fields are named, nothing sent is `{}`."""

    model_config = ConfigDict(strict=True, extra="forbid")
    media: ClassVar[str] = JSON
    largest: ClassVar[int] = LARGEST_BODY
    example: ClassVar[Mapping[str, Any]]

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Return what was sent.

        Raises:
            MalformedBody: it is not JSON.
            InvalidInput: it is no object; or names every field that is wrong.
        """
        try:
            return cls.model_validate({**dict.fromkeys(_worded(cls)), **json_object(raw)})
        except ValidationError as error:
            raise InvalidInput(field_errors(error, cls.model_fields)) from error

    @classmethod
    def read_form(cls, raw: bytes) -> Self:
        """Return what was filled in on a page, for a body of plain texts.

        Raises:
            InvalidInput: names every field that is wrong.
        """
        return cls.read(json.dumps(form_fields(raw, cls.model_fields)).encode())

    @classmethod
    def described(cls) -> dict[str, Any]:
        """Return its JSON Schema."""
        return cls.model_json_schema()


class SourceBody(BaseModel):
    """What other systems send: unknown fields and nulls are left alone, all text is plain."""

    model_config = ConfigDict(strict=True, extra="ignore")
    media: ClassVar[str] = JSON
    largest: ClassVar[int] = LARGEST_BODY
    example: ClassVar[Mapping[str, Any]]

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Return what was sent.

        Raises:
            MalformedBody: it is no JSON object.
            InvalidInput: names every field that is wrong.
        """
        data = parse_json(raw)
        if not isinstance(data, dict):
            raise MalformedBody("The body must be a JSON object.")
        return checked(cls, data)

    @classmethod
    def described(cls) -> dict[str, Any]:
        """Return its JSON Schema: null means the same as leaving a field out, and text is plain."""
        result: dict[str, Any] = _plain(cls.model_json_schema())
        needed = result.get("required", ())
        for name, field in result["properties"].items():
            if name not in needed and {"type": "null"} not in field.get("anyOf", ()):
                result["properties"][name] = {"anyOf": [field, {"type": "null"}]}
        return result


def _plain(schema: Any) -> Any:
    """Return a schema in which every free text is one without control characters."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: _plain(value) for key, value in schema.items()}
    if result.get("type") == "string" and not {"pattern", "format", "enum"} & set(result):
        result["pattern"] = _PLAIN
    return result


def _worded(shape: type[BaseModel]) -> list[str]:
    """Return the required fields that have an error text of their own; missing means null."""
    return [
        name
        for name, field in shape.model_fields.items()
        if field.is_required()
        and any(isinstance(one, WrapValidator | BeforeValidator) for one in field.metadata)
    ]


def otherwise(problem: str) -> WrapValidator:
    """Return what says `problem` of a value that does not fit, in place of pydantic's words."""

    def validate(value: Any, fits: ValidatorFunctionWrapHandler) -> Any:
        try:
            return fits(value)
        except ValidationError as error:
            raise PydanticCustomError("wrong", "{problem}", {"problem": problem}) from error

    return WrapValidator(validate)


def judged_later(kind: str, says: str = "", **more: Any) -> WithJsonSchema:
    """Return what describes a field its use case judges, by rules a model does not know."""
    return WithJsonSchema({"type": kind, **({"description": says} if says else {}), **more})


def _only_text(value: object) -> object:
    return value if isinstance(value, str) else ""


TEXT_ONLY = BeforeValidator(_only_text)
"""Takes anything that is no text for an empty one."""


def checked(shape: type[Shape], data: Mapping[str, Any]) -> Shape:
    """Return what was sent in its shape.

    Fields the shape does not know are ignored, and null means the same as leaving a field out.

    Raises:
        InvalidInput: names every field that is wrong.
    """
    data = {k: v for k, v in data.items() if k in shape.model_fields and v is not None}
    controls = {
        name: FieldError(name, "contains control characters; send plain text")
        for name, value in data.items()
        if any(_CONTROL.search(text) for text in _texts(value))
    }
    try:
        found = shape.model_validate(data)
    except ValidationError as error:
        others = (e for e in field_errors(error) if e.field.split(".")[0] not in controls)
        raise InvalidInput((*controls.values(), *others)) from error
    if controls:
        raise InvalidInput(tuple(controls.values()))
    return found


def field_errors(error: ValidationError, known: Iterable[str] = ()) -> tuple[FieldError, ...]:
    """Return pydantic's findings as ours, without the values: those may be personal.

    Of a field that is not known, they say which are `known`.
    """
    return tuple(
        not_known(str(found["loc"][0]), known)
        if found["type"] in _EXTRA and len(found["loc"]) == 1 and known
        else FieldError(".".join(str(part) for part in found["loc"]) or "body", found["msg"])
        for found in error.errors(include_url=False, include_input=False, include_context=False)
    )


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in _texts(part)]
    return [text for part in value for text in _texts(part)] if isinstance(value, list) else []
