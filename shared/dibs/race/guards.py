"""Guards of a write: what a decision used of a rep, and must still be so when it is stored.

A guard names the maximum or the moment the decision looked at, never a version: so claims by one
rep at the same moment fail only where a rule would be broken.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple


class Guard(NamedTuple):
    """A comparison of one field of the rep, or of their usage, with a value; or else another.

    Nothing stored equals None, and is below everything.
    """

    field: str
    must_be: Literal["=", "<", "<=", ">", ">="]
    value: Any
    or_else: Guard | None = None
