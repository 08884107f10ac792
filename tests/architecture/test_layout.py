"""What the name of a file says it may know. The order of the areas is import-linter's to hold."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE, FUNCTIONS = ROOT / "shared" / "dibs", ROOT / "functions"

ROLES = {"store", "records", "body", "texts", "push", "file"}
"""The last word of a file's name: these, and the rooms below, may know AWS and shapes of data."""
ROOMS = {"aws", "web", "screens", "cli"}
AWS = {"boto3", "botocore", "pynamodb", "aws_lambda_powertools"}
SHAPES = {"pydantic", "dacite", "jinja2", "standardwebhooks", "yaml"}
CHANCE = ("datetime.now", "datetime.utcnow", "time.time", "time.sleep", "uuid.", "random.")
CHANCE += ("secrets.",)


def role(path: Path) -> str:
    return path.stem.rpartition("_")[2]


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> set[str]:
    """Return every module a file names in an import, wherever in it."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def tops(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imported(path)}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


OUTSIDE = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.relative_to(PACKAGE).parts[0] not in ROOMS and role(path) not in ROLES
]
RULES = [
    path
    for path in OUTSIDE
    # Building things, ports, and the one place that waits before it tries again.
    if path.name not in ("wiring.py", "ports.py", "attempts.py")
    and not any(name.rpartition(".")[2] == "ports" for name in imported(path))
]
HANDLERS = sorted(FUNCTIONS.rglob("*.py"))


@pytest.mark.parametrize("path", OUTSIDE, ids=named)
def test_only_stores_bodies_and_texts_know_aws_and_shapes_of_data(path: Path) -> None:
    assert not tops(path) & (AWS | SHAPES)


@pytest.mark.parametrize("path", RULES, ids=named)
def test_a_rule_takes_time_chance_and_settings_as_arguments(path: Path) -> None:
    """A file that asks nothing of a port is a rule: the same arguments, the same answer."""
    calls = [ast.unparse(node.func) for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    assert [call for call in calls if call.startswith(CHANCE)] == []
    assert "environ" not in path.read_text(encoding="utf-8")


def test_most_files_are_rules() -> None:
    """The tests above look at something: rules are most of what no store and no use case is."""
    assert len(RULES) > 50
    assert PACKAGE / "race" / "decide.py" in RULES


@pytest.mark.parametrize("path", HANDLERS, ids=named)
def test_a_function_only_translates(path: Path) -> None:
    assert not tops(path) & {"boto3", "botocore", "pynamodb"}
    assert "pydantic" not in tops(path) or role(path) == "body"
    assert "jinja2" not in tops(path) or role(path) in ("page", "pages")


@pytest.mark.parametrize("path", HANDLERS, ids=named)
def test_a_function_knows_no_other_function(path: Path) -> None:
    others = {folder.name for folder in FUNCTIONS.iterdir() if folder.is_dir()}
    mine = path.relative_to(FUNCTIONS).parts[0]
    assert not tops(path) & (others - {mine})


def test_tests_that_run_alone_are_where_make_looks_for_them() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    marks = re.search(r"^ALONE = (.+)$", makefile, re.MULTILINE)
    folders = re.search(r"^ALONE_IN = (.+)$", makefile, re.MULTILINE)
    assert marks and folders
    marked = re.compile(rf"mark\.({marks[1].replace(' or ', '|')})\b")
    found = {
        str(path.relative_to(ROOT).parent)
        for path in (ROOT / "tests").rglob("*.py")
        if marked.search(path.read_text(encoding="utf-8"))
    }
    assert found == set(folders[1].split())
