"""The documents are true: each path they name exists, and the index lists each decision."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dibs.cli.main import app

ROOT = Path(__file__).parents[2]
DECISIONS = ROOT / "docs" / "decisions"
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
CODE = [
    *(path for place in ("shared", "functions", "tools") for path in (ROOT / place).rglob("*.py")),
    *(ROOT / name for name in ("Makefile", "pyproject.toml", "template.yaml", "shared/Makefile")),
]

# Where a short name may begin: `race/store.py` is `shared/dibs/race/store.py`.
STARTS = (ROOT, ROOT / "shared" / "dibs")
# A name without a folder is a kind of file: `store.py`.
KINDS = {path.name for path in STARTS[1].rglob("*.py")}
FILE = re.compile(r"[\w.-]+\.(py|md|json|ya?ml|toml|html|css|js|po|cfg|txt|csv)")
PATH = re.compile(r"[\w.-]+(/[\w.-]+)*/?")
# What `make` writes, and the files an operator makes.
NOT_OURS = re.compile(r"\.(local|aws-sam)/.*|playbook\.json|\w*reps\.csv|tokens\.csv")

DECISION = re.compile(
    r"# (?P<number>\d{4}) · (?P<title>.+)\n\n- Date: (?P<date>\d{4}-\d\d-\d\d)\n"
    r"- State: (?P<state>accepted|withdrawn|replaced by (?P<by>\d{4}))\n"
)
SECTIONS = ["Context", "Decision", "Why", "Undo"]


def named(text: str) -> Iterator[str]:
    """Yield what a page names in backticks that looks like a path, outside of code blocks."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    for name in re.findall(r"`([^`\s]+)`", prose):
        looks_so = FILE.fullmatch(name) or ("/" in name and PATH.fullmatch(name))
        if looks_so and not NOT_OURS.fullmatch(name):
            yield name


def exists(name: str) -> bool:
    return name in KINDS or any((start / name).exists() for start in STARTS)


def linked(text: str) -> Iterator[str]:
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith(("http", "#", "mailto:")):
            yield target.partition("#")[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    missing = [name for name in named(text) if not exists(name)]
    missing += [name for name in linked(text) if not (page.parent / name).exists()]
    assert missing == [], f"{page.relative_to(ROOT)} names {', '.join(missing)}"


def test_every_feature_has_one_line_that_says_where_and_how_it_is_shown_or_that_it_is_absent() -> (
    None
):
    text = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    ids: dict[str, list[int]] = {}
    for line in re.findall(r"^\| [A-Z]\d.*$", text, flags=re.MULTILINE):
        listed, _, where, shown, state = (cell.strip() for cell in line.strip("|").split("|"))
        assert state, line
        assert state.startswith("absent") or (where and shown), line
        for letter, number in re.findall(r"([A-Z])(\d+)", listed):
            ids.setdefault(letter, []).append(int(number))
    for letter, numbers in ids.items():
        assert numbers == list(range(1, len(numbers) + 1)), letter


def test_every_command_is_named_among_the_features() -> None:
    text = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    [line] = re.findall(r"^\| O5 .*$", text, flags=re.MULTILINE)
    named = set(line.strip("| ").split("|")[-1].strip().split(", "))
    groups = {group.name for group in app.registered_groups}
    assert named == groups | {command.name for command in app.registered_commands}


def test_every_page_the_code_names_exists() -> None:
    for path in CODE:
        for name in re.findall(r"docs/[\w./-]*\w", path.read_text(encoding="utf-8")):
            # A decision is named by its number alone: docs/decisions/0001.
            found = any(ROOT.glob(f"{name}-*")) or (ROOT / name).exists()
            assert found, f"{path.relative_to(ROOT)} names {name}"


def test_a_wrong_path_is_found() -> None:
    page = "`race/store.py`, `domain/leads.py`, `GET /me/leads`, `a/{b}`, [x](no.md#y)"
    assert list(named(page)) == ["race/store.py", "domain/leads.py"]
    assert [exists(name) for name in named(page)] == [True, False]
    assert list(linked(page)) == ["no.md"]


def test_the_index_of_decisions_lists_every_page_as_it_is() -> None:
    rows = ["| number | decision | date | state |", "| --- | --- | --- | --- |"]
    pages = sorted(DECISIONS.glob("[0-9]*.md"))
    numbers = {page.name[:4] for page in pages}
    assert len(numbers) == len(pages), "two decisions have one number"
    for page in pages:
        text = page.read_text(encoding="utf-8")
        head = DECISION.match(text)
        assert head is not None, f"{page.name} has no number, title, date and state"
        assert head["number"] == page.name[:4], page.name
        assert re.findall(r"^## (.+)$", text, flags=re.MULTILINE) == SECTIONS, page.name
        assert head["by"] is None or head["by"] in numbers, f"{page.name}: no page {head['by']}"
        link = f"[{head['number']}]({page.name})"
        rows.append(f"| {link} | {head['title']} | {head['date']} | {head['state']} |")
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")
    table = [line for line in index.splitlines() if line.startswith("|")]
    assert table == rows, "docs/decisions/README.md should have:\n" + "\n".join(rows)


def test_every_library_that_ships_is_named_with_its_licence() -> None:
    shipped = (ROOT / "shared" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    notices = (ROOT / "NOTICES.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| ([a-z0-9-]+) \| [^|]+ \| https://\S+ \|$", notices, re.MULTILINE))
    assert named == {line.split("==")[0] for line in shipped if line}
