"""Guards of a write: what a decision relied on, and what must still be true when it is stored.

A guard compares with the limit or the time that the decision used, never with a version. So of
several claims by one rep at the same moment only those fail that would break a rule.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple


class Guard(NamedTuple):
    """A condition: a field of the rep or of their usage, compared with a value.

    If it is false, `or_else` may be true instead. A field that is not stored equals None, and is
    less than any value.
    """

    field: str
    must_be: Literal["=", "<", "<=", ">", ">="]
    value: Any
    or_else: Guard | None = None
