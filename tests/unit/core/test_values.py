"""A value of ours is a frozen dataclass in every way that can be seen."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from dataclasses import FrozenInstanceError, asdict, field, fields, replace
from typing import Any, get_type_hints

import pytest

from dibs.core.values import dataclass


@dataclass(frozen=True)
class Ours:
    """A value."""

    name: str
    many: tuple[int, ...] = ()
    more: dict[str, int] = field(default_factory=dict)
    note: str = field(default="", compare=False, repr=False)

    @property
    def loud(self) -> str:
        return self.name.upper()


@dataclasses.dataclass(frozen=True)
class Standard:
    """A value."""

    name: str
    many: tuple[int, ...] = ()
    more: dict[str, int] = field(default_factory=dict)
    note: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True)
class Child(Ours):
    """A value with one field more."""

    last: int = 7


@dataclass(frozen=True)
class Empty:
    """A value without fields."""


def both(*args: Any, **options: Any) -> tuple[Ours, Standard]:
    return Ours(*args, **options), Standard(*args, **options)


def test_it_is_made_shown_and_read_like_the_standard_one() -> None:
    for ours, standard in (both("a"), both("a", (1,), {"b": 2}, "c"), both(name="x", note="y")):
        assert repr(ours) == repr(standard).replace("Standard", "Ours")
        assert asdict(ours) == asdict(standard)
        assert asdict(replace(ours, name="other")) == asdict(replace(standard, name="other"))
    assert Ours("a").more is not Ours("a").more
    assert [f.name for f in fields(Ours)] == [f.name for f in fields(Standard)]
    assert Ours.__match_args__ == Standard.__match_args__  # type: ignore[attr-defined]
    assert [*inspect.signature(Ours).parameters] == [*inspect.signature(Standard).parameters]
    assert get_type_hints(Ours.__init__) == get_type_hints(Standard.__init__)
    for wrong in ((), ("a", 1, {}, "", 5)):
        with pytest.raises(TypeError):
            Ours(*wrong)  # type: ignore[arg-type]


def test_it_is_equal_to_its_like_and_to_nothing_else() -> None:
    assert Ours("a", note="b") == Ours("a", note="c")
    assert Ours("a") != Ours("b")
    assert Ours("a") != Standard("a")
    assert Ours("a") != Child("a")
    assert Child("a") == Child("a")
    assert Empty() == Empty()
    assert Ours("a") != "a"


def test_its_hash_goes_by_what_is_compared() -> None:
    assert len({Child("a").name, "a"}) == 1
    one = dataclass(frozen=True)(type("One", (), {"__annotations__": {"a": int}, "__doc__": ""}))
    assert hash(one(1)) == hash(one(1))
    with pytest.raises(TypeError, match="unhashable"):
        hash(Ours("a"))  # it holds a dict
    assert hash(Empty()) == hash(Empty())


def test_it_never_changes() -> None:
    for value in (Ours("a"), Child("a"), Empty()):
        for name in ("name", "other"):
            with pytest.raises(FrozenInstanceError):
                setattr(value, name, 1)
            with pytest.raises(FrozenInstanceError):
                delattr(value, name)


def test_it_is_copied_and_pickled() -> None:
    value = Child("a", (1, 2), {"x": 1}, "note", 9)
    for other in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert other == value
        assert (other.note, other.last, other.loud) == ("note", 9, "A")
