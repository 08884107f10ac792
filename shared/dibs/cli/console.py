"""Where commands print to."""

from __future__ import annotations

import sys

from rich.console import Console

# Other programs read whole lines: only a terminal's lines are cut to its width.
_WIDE = 10_000

console = Console(width=None if sys.stdout.isatty() else _WIDE)
