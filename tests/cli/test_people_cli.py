"""What operators type about people: profiles, leaving, and monthly targets."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from dibs.aws import clock
from dibs.cli import reps, targets
from dibs.cli.main import app
from dibs.cli.target import Target
from dibs.core.calendar import parse_hours
from dibs.core.errors import InvalidInput, RouteNotFound
from dibs.core.rep import Rep
from dibs.race.claim import claim
from dibs.reports.store import DynamoTargets
from support.aws import everything
from support.builders import World, a_card, a_playbook, a_rep, proof_of

REP, COLLEAGUE = a_rep(1), a_rep(2, team="south")
DECEMBER = date(2026, 12, 1)


@pytest.fixture
def organisation(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    for module in (reps, targets):
        monkeypatch.setattr(module, "target", lambda stack: Target(world.settings, "http://api"))
    teams = {"north": {"name": "North"}, "south": {"name": "South"}}
    world.put_playbook(a_playbook(teams=teams, quota={"measure": "revenue", "currency": "MYR"}))
    world.add_rep(REP)
    world.add_rep(COLLEAGUE)
    return world


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def said(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.output


def named(result: Result) -> list[str]:
    """Which fields or lines are said to be wrong."""
    assert isinstance(result.exception, InvalidInput), result.output
    return [error.field for error in result.exception.errors]


def stored(organisation: World) -> Any:
    return everything(organisation.dynamo.client, organisation.settings)


def now(organisation: World) -> Rep | None:
    return organisation.roster.get(REP.rep_id)


def known(organisation: World) -> dict[str, int]:
    of = DynamoTargets(organisation.dynamo, organisation.settings).of
    return of(DECEMBER, [REP.rep_id, COLLEAGUE.rep_id])


# Profiles


def test_what_is_named_of_a_profile_is_set_and_the_rest_stays(organisation: World) -> None:
    output = said(
        run("reps", "set", REP.rep_id, "--team", "south", "--tier", "1", "--zone", "UTC",
            "--weight", "4", "--territory", "Sabah", "--territory", "Sarawak",
            "--hours", '{"mon": ["09:00-18:00"]}', "--leave", "2026-12-24/2026-12-31",
            "--leave", "2026-12-04", "--joined", "2026-11-02")
    )  # fmt: skip
    assert output.startswith("Rep 1: team, tier, zone, weight, territories, hours, leave")
    changed = replace(
        REP,
        team="south",
        tier=1,
        zone="UTC",
        weight=4,
        territories=("Sabah", "Sarawak"),
        hours=parse_hours({"mon": ["09:00-18:00"]}),
        leave=(
            (date(2026, 12, 4), date(2026, 12, 4)),
            (date(2026, 12, 24), date(2026, 12, 31)),
        ),
        joined_on=date(2026, 11, 2),
    )
    assert now(organisation) == changed
    said(run("reps", "set", REP.rep_id, "--weight", "5"))
    assert now(organisation) == replace(changed, weight=5)


def test_what_is_given_empty_is_taken_away(organisation: World) -> None:
    said(
        run("reps", "set", REP.rep_id, "--territory", "Sabah", "--leave", "2026-12-04",
            "--hours", '{"mon": ["09:00-18:00"]}')
    )  # fmt: skip
    assert now(organisation) != REP
    said(run("reps", "set", REP.rep_id, "--territory", "", "--leave", "", "--hours", "{}"))
    assert now(organisation) == REP


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (["--tier", "4"], ["tier"]),
        (["--tier", "0", "--name", " ", "--phone", "12"], ["name", "phone", "tier"]),
        (["--weight", "-1", "--team", "west"], ["team", "weight"]),
        (["--zone", "Kuching", "--tier", "1"], ["zone"]),
        (["--hours", "[]"], ["hours"]),
        (["--hours", '{"mon": "09:00-18:00"}'], ["hours"]),
        (["--leave", "2026-12-31/2026-12-24"], ["leave"]),
        (["--leave", "24.12.2026", "--joined", "soon"], ["leave", "joined_on"]),
        (["--territory", "x" * 41], ["territories"]),
    ],
)
def test_every_wrong_field_is_named_and_nothing_is_set(
    organisation: World, arguments: list[str], wrong: list[str]
) -> None:
    before = stored(organisation)
    assert named(run("reps", "set", REP.rep_id, *arguments)) == wrong
    assert stored(organisation) == before


@pytest.mark.parametrize("arguments", [[], ["--hours", "{"], ["--tier", "two"]])
def test_what_cannot_be_read_is_not_tried(organisation: World, arguments: list[str]) -> None:
    before = stored(organisation)
    assert run("reps", "set", REP.rep_id, *arguments).exit_code == 2
    assert stored(organisation) == before


@pytest.mark.parametrize("arguments", [["set", "--tier", "1"], ["leave", "--yes"], ["return"]])
@pytest.mark.parametrize("rep_id", ["zzzzz", "x" * 3000])
def test_there_is_no_such_rep(organisation: World, arguments: list[str], rep_id: str) -> None:
    before = stored(organisation)
    result = run("reps", arguments[0], rep_id, *arguments[1:])
    assert isinstance(result.exception, RouteNotFound)
    assert stored(organisation) == before


# Leaving


def test_who_leaves_is_out_and_their_leads_go_back(organisation: World) -> None:
    lead = organisation.post_lead(a_card(1, team="north"), clock.now())
    claim(organisation.race, lead.lead_id, REP.rep_id, proof_of(REP), clock.now)
    assert "Rep 1 has left; leads that went back: 1." in said(
        run("reps", "leave", REP.rep_id, "--yes")
    )
    gone, back = now(organisation), organisation.leads.get(lead.lead_id)
    assert gone is not None
    assert gone == replace(REP, active=False, left_on=gone.left_on)
    assert gone.left_on is not None
    assert back is not None
    assert back.owner is None
    [transition] = [m for m in organisation.leads.history(lead.lead_id) if m.to_state == "released"]
    assert (transition.cause, transition.by) == ("left", "operator")
    before = stored(organisation)
    assert "leads that went back: 0" in said(run("reps", "leave", REP.rep_id, "--yes"))
    assert stored(organisation) == before


# Targets


def a_file(folder: Path, text: str, encoding: str = "utf-8") -> str:
    file = folder / "targets.csv"
    file.write_text(text, encoding=encoding)
    return str(file)


def test_targets_are_imported_and_shown(organisation: World, tmp_path: Path) -> None:
    # As spreadsheets write it: a mark in front, more columns, blanks around what counts.
    text = f"name,rep_id,target\r\nRep 1, {REP.rep_id} , 120000 \r\nRep 2,{COLLEAGUE.rep_id},0\r\n"
    file = a_file(tmp_path, text, "utf-8-sig")
    assert "2 targets of 2026-12 are set, 0 as before, 0 not taken." in said(
        run("targets", "import", "2026-12", file)
    )
    assert known(organisation) == {REP.rep_id: 120_000, COLLEAGUE.rep_id: 0}
    shown = said(run("targets", "show", "2026-12"))
    assert "smallest unit of MYR" in shown
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in shown.splitlines()]
    assert [REP.rep_id, "Rep 1", "north", "120000"] in rows
    assert [COLLEAGUE.rep_id, "Rep 2", "south", "0"] in rows
    empty = said(run("targets", "show", "2026-11"))
    assert "120000" not in empty


def test_an_import_of_some_leaves_the_others_theirs(organisation: World, tmp_path: Path) -> None:
    for text in (f"{REP.rep_id},5\n{COLLEAGUE.rep_id},6\n", f"{REP.rep_id},7\n"):
        run("targets", "import", "2026-12", a_file(tmp_path, f"rep_id,target\n{text}"))
    assert known(organisation) == {REP.rep_id: 7, COLLEAGUE.rep_id: 6}


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        ("zzzzz,5", ["line 3"]),
        (",5", ["line 3"]),
        (f"{COLLEAGUE.rep_id},", ["line 3"]),
        (f"{COLLEAGUE.rep_id}", ["line 3"]),
        (f"{COLLEAGUE.rep_id},-5", ["line 3"]),
        (f"{COLLEAGUE.rep_id},1.5", ["line 3"]),
        (f"{COLLEAGUE.rep_id},1.000", ["line 3"]),
        (f"{COLLEAGUE.rep_id},1,000", ["line 3"]),
        (f"{COLLEAGUE.rep_id},1e5", ["line 3"]),
        (f"{COLLEAGUE.rep_id},٥", ["line 3"]),
        (f"{COLLEAGUE.rep_id},{10**15 + 1}", ["line 3"]),
        (f"{COLLEAGUE.rep_id},{'9' * 5000}", ["line 3"]),
        # Twice: which of them was meant?
        (f"{REP.rep_id},6", ["line 2", "line 3"]),
        (f"zzzzz,5\n{COLLEAGUE.rep_id},5\nyyyyy,many", ["line 3", "line 5"]),
    ],
)
def test_a_wrong_line_is_named_and_the_others_are_set(
    organisation: World, tmp_path: Path, lines: str, wrong: list[str]
) -> None:
    file = a_file(tmp_path, f"rep_id,target\n{REP.rep_id},5\n{lines}\n")
    result = run("targets", "import", "2026-12", file)
    assert result.exit_code == 2, result.output
    said_of = [line.partition(":")[0] for line in result.output.splitlines()]
    assert [line for line in said_of if line.startswith("line ")] == wrong
    assert known(organisation).get(REP.rep_id) == (None if "line 2" in wrong else 5)


@pytest.mark.parametrize(
    ("heading", "row"),
    [("rep_id,target", "{},10.0"), ("Rep; Target", "{};1.000"), ("ID\tSasaran", "{}\t1,000"),
     ("sep=,\nrep id,TARGET", '{},"1,000"'), ("rep_id,target", ",\n{},7\n,,")],
)  # fmt: skip
def test_targets_are_read_as_programs_write_them(
    organisation: World, tmp_path: Path, heading: str, row: str
) -> None:
    text = f"{heading}\n{row.format(REP.rep_id)}\n"
    for encoding in ("utf-8", "utf-16", "cp1252"):
        file = a_file(tmp_path, text, encoding)
        said(run("targets", "import", "2026-12", file))
        assert known(organisation)[REP.rep_id] in (7, 10, 1000)
        assert "0 targets" in said(run("targets", "import", "2026-12", file))


def test_the_largest_target_is_taken(organisation: World, tmp_path: Path) -> None:
    file = a_file(tmp_path, f"rep_id,target\n{REP.rep_id},{10**15}\n")
    said(run("targets", "import", "2026-12", file))
    assert known(organisation) == {REP.rep_id: 10**15}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("who,target\naaaac,5\n", "has no column rep_id"),
        ("target\n5\n", "has no column rep_id"),
        ("", "is empty"),
    ],
)
def test_a_file_without_the_columns_is_refused(
    organisation: World, tmp_path: Path, text: str, why: str
) -> None:
    before = stored(organisation)
    result = run("targets", "import", "2026-12", a_file(tmp_path, text))
    assert result.exit_code == 2
    assert why in " ".join(result.output.replace("│", " ").split())
    assert stored(organisation) == before


def test_a_file_that_cannot_be_read_is_named(organisation: World, tmp_path: Path) -> None:
    before = stored(organisation)
    assert run("targets", "import", "2026-12", str(tmp_path / "none.csv")).exit_code == 2
    assert run("targets", "import", "2026-12", a_file(tmp_path, "é", "utf-8")).exit_code == 2
    assert stored(organisation) == before


@pytest.mark.parametrize("month", ["2026", "2026-13", "2026-1", "0000-01", "12-2026", "٢٠٢٦-11"])
def test_a_month_there_is_not_is_refused(organisation: World, tmp_path: Path, month: str) -> None:
    before = stored(organisation)
    file = a_file(tmp_path, f"rep_id,target\n{REP.rep_id},5\n")
    for result in (run("targets", "show", month), run("targets", "import", month, file)):
        assert result.exit_code == 2
        assert "write it as 2026-12" in result.output
    assert stored(organisation) == before


def test_an_empty_file_is_named_before_the_option_that_is_missing(
    organisation: World, tmp_path: Path
) -> None:
    result = run("reps", "import", a_file(tmp_path, ""))
    assert result.exit_code == 2
    assert "--tokens" not in result.output
