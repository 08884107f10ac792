"""What is built is compiled for the runtime's Python, whatever Python builds it, or says it is not.

The real make targets on a tiny tree. The runtime is this test's own Python, the building one a
script that is of no version at all, so any machine can show every case.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[2] / "shared" / "Makefile"
RUNTIME = ".".join(platform.python_version_tuple()[:2])
TAG = sys.implementation.cache_tag
UNCHECKED, CHECKED = 0b01, 0b11


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    package, function = tmp_path / "shared" / "dibs", tmp_path / "functions" / "claim"
    for folder in (package, function, tmp_path / "bin"):
        folder.mkdir(parents=True)
    for module in (package / "one.py", function / "handler.py"):
        module.write_text("ANSWER = 1\n")
    (package.parent / "requirements.txt").touch()
    shutil.copy(MAKEFILE, package.parent)
    script(tmp_path, "builder", 'exit $([ "$2" = pip ] && echo 0 || echo 1)')
    for tool in ("make", "sh", "rm", "mkdir", "cp", "find", "test", "cat"):
        (tmp_path / "bin" / tool).symlink_to(str(shutil.which(tool)))
    return tmp_path


def script(tree: Path, name: str, body: str) -> None:
    path = tree / "bin" / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def build(tree: Path, target: str, **variables: str) -> str:
    """Run a target of the Makefile that ships, with nothing on PATH but what the test put there."""
    variables = {"PYTHON": "builder", "LAYER_WHEELS": "", "LAYER_PYTHON": RUNTIME, **variables}
    ran = subprocess.run(
        ["make", target, *(f"{name}={value}" for name, value in variables.items())],
        cwd=tree / "shared",
        env={"PATH": str(tree / "bin"), "ARTIFACTS_DIR": str(tree / "built")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def compiled(folder: Path) -> dict[str, int]:
    """Return the compiled modules and how each is held against its source."""
    found = {path.name: path.read_bytes()[4:8] for path in folder.rglob("*.pyc")}
    return {name: int.from_bytes(flags, "little") for name, flags in found.items()}


LAYER, FUNCTIONS = {f"one.{TAG}.pyc": UNCHECKED}, {f"handler.{TAG}.pyc": CHECKED}


def test_the_building_python_compiles_if_it_is_the_runtimes(tree: Path) -> None:
    build(tree, "functions", PYTHON=sys.executable)
    assert compiled(tree / "functions") == FUNCTIONS


def test_another_python_builds_and_one_on_the_path_compiles(tree: Path) -> None:
    script(tree, f"python{RUNTIME}", f'exec {sys.executable} "$@"')
    said = build(tree, "build-DibsLayer") + build(tree, "functions")
    assert compiled(tree / "built") == LAYER
    assert compiled(tree / "functions") == FUNCTIONS
    assert "not compiled" not in said


def test_a_name_on_the_path_that_does_not_run_is_passed_over(tree: Path) -> None:
    script(tree, f"python{RUNTIME}", "echo not installed >&2; exit 127")
    script(tree, "uv", f'[ "$2" = find ] && echo {sys.executable}')
    build(tree, "build-DibsLayer")
    assert compiled(tree / "built") == LAYER


def test_uv_fetches_one_where_it_may(tree: Path) -> None:
    fetched = tree / "fetched"
    script(tree, "uv", f'[ "$2" = find ] && exec cat {fetched}; echo {sys.executable} > {fetched}')
    build(tree, "build-DibsLayer")
    assert not compiled(tree / "built"), "nothing is fetched unasked"
    build(tree, "functions", FETCH="yes")
    build(tree, "build-DibsLayer")
    assert compiled(tree / "functions") == FUNCTIONS
    assert compiled(tree / "built") == LAYER


@pytest.mark.parametrize("target", ["build-DibsLayer", "functions"])
@pytest.mark.parametrize("uv", ["exit 2", "echo no network >&2; exit 1"])
def test_without_one_the_build_goes_on_and_says_what_that_costs(
    tree: Path, target: str, uv: str
) -> None:
    script(tree, "uv", uv)
    said = build(tree, target, FETCH="yes")
    assert not compiled(tree / "built")
    assert not compiled(tree / "functions")
    assert f"python{RUNTIME}" in said
    assert "not compiled" in said
    assert "0.1 s" in said


def test_a_change_to_a_function_counts_after_it_was_compiled(tree: Path) -> None:
    build(tree, "functions", PYTHON=sys.executable)
    module = tree / "functions" / "claim" / "handler.py"
    times = module.stat()
    module.write_text("ANSWER = 2\n")  # of the same length, and below of the same time
    os.utime(module, ns=(times.st_atime_ns, times.st_mtime_ns))
    asked = [sys.executable, "-c", "import handler; print(handler.ANSWER)"]
    ran = subprocess.run(asked, cwd=module.parent, capture_output=True, text=True, check=True)
    assert ran.stdout == "2\n"


def test_what_lay_about_of_other_pythons_is_not_shipped(tree: Path) -> None:
    old = tree / "functions" / "claim" / "__pycache__" / "gone.cpython-39.pyc"
    old.parent.mkdir()
    old.write_bytes(bytes(16))
    build(tree, "functions", PYTHON=sys.executable)
    assert compiled(tree / "functions") == FUNCTIONS


def test_deploying_compiles_the_functions_and_lets_the_layer_find_the_same_python() -> None:
    """`make -n` says what `make deploy` would do."""
    root = MAKEFILE.parents[1]
    asked = ["make", "--dry-run", "deploy", f"PYTHON={sys.executable}"]
    said = subprocess.run(asked, cwd=root, capture_output=True, text=True, check=True).stdout
    compile_, build_ = said.index(" functions FETCH=yes"), said.index("sam build")
    assert compile_ < build_
    for step in (said[:build_].splitlines()[-1], said[compile_ - 200 : compile_]):
        assert "UV=" in step or "UV_PYTHON_INSTALL_DIR=" in step
