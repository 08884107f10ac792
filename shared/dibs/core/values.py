"""Frozen dataclasses that take a third of the time to define.

`dataclass(frozen=True)` of the standard library writes six methods for each class and compiles
them. A claim's process defines sixty such classes before its first answer, which was a quarter of
its start. Here `__init__` alone is compiled for each class; what compares, hashes, shows and
protects a value is the same code for all. For a type checker it is the standard decorator.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, fields
from dataclasses import dataclass as _standard
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NoReturn

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(*, frozen: bool) -> Callable[[type], type]:
        """Make a frozen dataclass, as the standard decorator of this name does."""
        assert frozen, "what changes is a dataclass of the standard library"
        return _defined


def _defined(cls: type) -> type:
    own = dict(vars(cls))
    made: Any = _standard(init=False, repr=False, eq=False)(cls)
    known = fields(made)
    made.__init__ = _init(made, known)
    compared = [field.name for field in known if field.compare]
    made.__compared__ = attrgetter(*compared) if compared else bool
    for name in ("__eq__", "__hash__", "__repr__", "__setattr__", "__delattr__"):
        if own.get(name) is None:
            setattr(made, name, vars(_Shared)[name])
    return cls


def _init(cls: type, known: tuple[Field[Any], ...]) -> Any:
    """Write and compile `__init__`, with defaults and annotations as the standard one has them."""
    scope: dict[str, Any] = {"_set": object.__setattr__, "_missing": MISSING}
    parameters, lines = ["self"], []
    for field in known:
        name, parameter, value = field.name, field.name, field.name
        if field.default is not MISSING:
            scope[f"_{name}"] = field.default
            parameter = f"{name}=_{name}"
        elif field.default_factory is not MISSING:
            scope[f"_{name}"] = field.default_factory
            parameter = f"{name}=_missing"
            value = f"_{name}() if {name} is _missing else {name}"
        parameters.append(parameter)
        lines.append(f"  _set(self, {name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        lines.append("  self.__post_init__()")
    text = "\n".join(
        [
            f"def make({', '.join(scope)}):",
            f" def __init__({', '.join(parameters)}):",
            *(lines or ["  pass"]),
            " return __init__",
        ]
    )
    made: dict[str, Any] = {}
    # In the module of the class, where the names in its annotations are known.
    exec(text, vars(sys.modules[cls.__module__]), made)  # noqa: S102 - as the standard one does
    init = made["make"](**scope)
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    init.__annotations__ = {field.name: field.type for field in known} | {"return": None}
    return init


class _Shared:
    """The methods that are the same for all."""

    def __eq__(self: Any, other: Any) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return bool(self.__compared__(self) == self.__compared__(other))

    def __hash__(self: Any) -> int:
        return hash(self.__compared__(self))

    def __repr__(self: Any) -> str:
        shown = (f"{one.name}={getattr(self, one.name)!r}" for one in fields(self) if one.repr)
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise FrozenInstanceError(f"cannot delete field {name!r}")
