"""Stored items as values, and back: both follow from the fields of a PynamoDB model.

An attribute of the model is the field of that name in the value; `attr_name` says where the item
calls it something else. An attribute that may be missing (`null`) is left out of the item where
the field holds its default, and read as that. Where a field has no default of its own, the model
may say one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, Generic, TypeVar

from pynamodb.attributes import (
    Attribute,
    AttributeContainer,
    BooleanAttribute,
    UnicodeAttribute,
)

from dibs.aws.attributes import Item

T = TypeVar("T")


class Codec(Generic[T]):
    """Turns values of one dataclass into items and back.

    Fields that are named in `flat` are dataclasses themselves, whose fields lie in the same item.
    `beside` returns attributes that are not plain fields: extra ones, or one made of several
    fields. `build` makes the value from the fields that were read, if calling its class is not
    enough; it is also given the attributes in `parts`.
    """

    def __init__(
        self,
        model: type[AttributeContainer],
        value: type[T],
        *,
        flat: Mapping[str, type[Any]] | None = None,
        beside: Callable[[T], Mapping[str, Any]] | None = None,
        build: Callable[..., T] | None = None,
        parts: tuple[str, ...] = (),
    ) -> None:
        self._attributes: dict[str, Attribute[Any]] = model.get_attributes()
        self._build = build or value
        self._beside = beside
        known = {field.name: field for field in fields(value)}  # type: ignore[arg-type]
        self._flat = {
            name: (inner, [field.name for field in fields(inner)])
            for name, inner in (flat or {}).items()
        }
        for inner in (flat or {}).values():
            known |= {field.name: field for field in fields(inner)}
        named = {name: one for name, one in self._attributes.items() if name in known}
        self._own = [
            name for name in named if not any(name in inner for _, inner in self._flat.values())
        ]
        self._missing = {
            name: one.default for name, one in named.items() if one.default is not None
        }
        self._constant = {
            name: one.default
            for name, one in self._attributes.items()
            if name not in named and one.default is not None
        }
        self._default = {
            name: _default_of(known[name], one) for name, one in named.items() if one.null
        }
        self._read = {
            one.attr_name: (name, one.attr_type, _reader(one))
            for name, one in self._attributes.items()
            if name in named or name in parts
        }

    def value(self, item: Item, **more: Any) -> T:
        """Return the value an item describes, with `more` of its fields from elsewhere."""
        known = dict(self._missing)
        for stored, typed in item.items():
            if stored in self._read:
                name, kind, read = self._read[stored]
                known[name] = typed[kind] if read is None else read(typed[kind])
        for name, (inner, names) in self._flat.items():
            known[name] = inner(**{one: known.pop(one) for one in names if one in known})
        known.update(more)
        return self._build(**known)

    def item(self, value: T, **more: Any) -> Item:
        """Return a value's item with `more` attributes, without those that are None."""
        known = {**self._constant, **{name: getattr(value, name) for name in self._own}}
        for name, (_, names) in self._flat.items():
            known |= {one: getattr(getattr(value, name), one) for one in names}
        kept = {
            name: known[name]
            for name in known
            if name not in self._default or known[name] != self._default[name]
        }
        if self._beside is not None:
            kept |= self._beside(value)
        kept |= more
        item: Item = {}
        for name, one in kept.items():
            if one is not None:
                attribute = self._attributes[name]
                item[attribute.attr_name] = {attribute.attr_type: attribute.serialize(one)}
        return item


def item_of(model: type[AttributeContainer], **values: Any) -> Item:
    """Return the item of a model that has no dataclass beside it."""
    attributes = model.get_attributes()
    return {
        attributes[name].attr_name: {
            attributes[name].attr_type: attributes[name].serialize(value),
        }
        for name, value in values.items()
    }


def _default_of(field: Field[Any], attribute: Attribute[Any]) -> Any:
    if attribute.default is not None:
        return attribute.default
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default


def _reader(attribute: Attribute[Any]) -> Callable[[Any], Any] | None:
    """Return what reads a stored value, None where it is as it is stored."""
    plain = type(attribute) in (UnicodeAttribute, BooleanAttribute)
    return None if plain else attribute.deserialize
