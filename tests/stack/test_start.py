"""How a team starts: the commands of the README, word for word, up to the first claimed lead."""

from __future__ import annotations

import csv
import json
import os
import pty
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.stack import ROOT, Stack, until

pytestmark = pytest.mark.stack

README = (ROOT / "README.md").read_text(encoding="utf-8")
START = README.partition("### From there to the first claimed lead")[2].partition("\n## ")[0]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _block(language: str) -> str:
    """Return the first code block in this language; the commands have none."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", START, re.MULTILINE | re.DOTALL)
    return next(text for named, text in blocks if named == language)


def _commands() -> Iterator[list[str]]:
    for line in _block("").splitlines():
        words = shlex.split(line, comments=True)
        assert words[0] == "dibs", line
        yield words[1:]


def _typed(stack: Stack, folder: Path, words: list[str], *, sure: bool = True) -> str:
    """Run a command as at a terminal where somebody says yes; return what it prints."""
    keyboard, terminal = pty.openpty()
    os.write(keyboard, b"y\n")
    to = words.index(">") if ">" in words else len(words)
    done = subprocess.run(
        [sys.executable, "-m", "dibs.cli.main", *words[:to]],
        cwd=folder,
        env={
            **os.environ,
            "DIBS_PORT": str(stack.port),
            "PYTHONPATH": f"{ROOT / 'shared'}:{ROOT}",
        },
        stdin=terminal,
        capture_output=True,
        text=True,
        check=False,
    )
    os.close(keyboard)
    os.close(terminal)
    assert done.returncode == 0 or not sure, (words, done.stdout + done.stderr)
    if to < len(words):
        (folder / words[to + 1]).write_text(done.stdout, encoding="utf-8")
    return done.stdout


def _edited(playbook: Path) -> None:
    """Edit the playbook as the README says: here, a team that always works."""
    rules: dict[str, Any] = json.loads(playbook.read_text(encoding="utf-8"))
    rules["teams"]["sales"]["hours"] = {day: ["00:00-24:00"] for day in DAYS}
    playbook.write_text(json.dumps(rules), encoding="utf-8")


def test_the_readme_leads_from_a_deployed_stack_to_a_claimed_lead(
    stack: Stack, tmp_path: Path
) -> None:
    (tmp_path / "reps.csv").write_text(_block("csv"), encoding="utf-8")
    manager = stack.described["manager_token"]
    _, before, _ = stack.call("GET", "/playbook", token=manager)
    try:
        page = _start(stack, tmp_path)
    finally:
        stack.apply(before["playbook"])
    path = "/c/" + page.rpartition("/")[2]
    status, won, _ = stack.call("POST", f"{path}/claim", {})
    assert status == 200, won


def _start(stack: Stack, folder: Path) -> str:
    """Run every command in its order; return the link that the last one prints."""
    for words in _commands():
        if words[0] == "link":
            words[1] = _first_rep(folder / "tokens.csv")
            return until(lambda words=words: _link(stack, folder, words))
        said = _typed(stack, folder, words)
        if words[:2] == ["playbook", "show"]:
            _edited(folder / "playbook.json")
        if words[:2] == ["managers", "add"]:
            status, _, _ = stack.call("GET", "/reps", token=said.split()[-1])
            assert status == 200
    raise AssertionError("the README ends without a link")


def _first_rep(tokens: Path) -> str:
    with tokens.open(newline="", encoding="utf-8") as file:
        return str(next(csv.DictReader(file))["token"]).partition(".")[0]


def _link(stack: Stack, folder: Path, words: list[str]) -> str:
    """Ask for the rep's links, until the offer is there."""
    found = re.search(r"http\S+/c/\S+", _typed(stack, folder, words, sure=False))
    return found[0] if found else ""
