"""The `dibs` command, on moto: what operators type, and what they are told."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dibs.aws import clock
from dibs.cli import leads, owners, playbooks, reps
from dibs.cli.main import app
from dibs.cli.target import Target
from dibs.core.credentials import shown
from dibs.core.errors import AlreadyExists, InvalidInput
from dibs.people.operator import all_reps
from dibs.race.claim import claim
from dibs.race.draw import DrawResult, commitment_of, in_order, seed_of
from dibs.race.records import draw_item
from dibs.roster.callers import calling_viewer
from dibs.rules.presets import preset_text
from support.aws import everything
from support.builders import World, a_card, a_playbook, a_rep, proof_of


@pytest.fixture
def organisation(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    for module in (reps, leads, owners, playbooks):
        monkeypatch.setattr(module, "target", lambda stack: Target(world.settings, "http://api"))
    return world


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def said(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.output


def test_a_shipped_playbook_is_shown_and_valid(tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, ["playbook", "show", "--preset", "open-pool"]).stdout
    assert json.loads(shown) == json.loads(preset_text("open-pool"))
    file = tmp_path / "playbook.json"
    file.write_text(shown)
    assert "is a valid playbook" in said(run("playbook", "validate", str(file)))


def test_every_wrong_place_of_a_playbook_is_named(tmp_path: Path) -> None:
    rules = json.loads(preset_text("open-pool"))
    rules |= {"window_seconds": 5, "claims_a_day": 3, "quality": {"hot": 40, "warm": 50}}
    file = tmp_path / "playbook.yaml"
    file.write_text(json.dumps(rules))
    result = run("playbook", "validate", str(file))
    assert isinstance(result.exception, InvalidInput)
    assert "claims_a_day" in {error.field for error in result.exception.errors}
    del rules["claims_a_day"]
    file.write_text(json.dumps(rules))
    again = run("playbook", "validate", str(file)).exception
    assert isinstance(again, InvalidInput)
    assert {"window_seconds", "quality.warm"} <= {error.field for error in again.errors}


def test_an_applied_playbook_gets_the_next_version(organisation: World, tmp_path: Path) -> None:
    file = tmp_path / "playbook.yaml"
    file.write_text(preset_text("open-pool"))
    before = organisation.roster.playbook().version
    assert f"Version {before + 1}" in said(run("playbook", "apply", str(file), "--yes"))


def test_reps_are_added_listed_paused_and_switched_on(organisation: World) -> None:
    output = said(
        run("reps", "add", "--name", "Aisyah", "--team", "north", "--zone", "Asia/Kuching",
            "--phone", "+60 12-888 0000", "--language", "ms")
    )  # fmt: skip
    token = output.splitlines()[-1]
    rep_id = token.split(".")[0]
    stored = organisation.roster.get(rep_id)
    assert stored is not None
    assert stored.phone == "+60128880000"
    assert "paused until" in said(run("reps", "pause", rep_id, "--minutes", "30"))
    paused = organisation.roster.get(rep_id)
    assert paused is not None
    assert paused.paused_until is not None
    assert paused.paused_until - clock.now() <= timedelta(minutes=30)
    assert "is on" in said(run("reps", "pause", rep_id, "--resume"))
    assert rep_id in said(run("reps", "list"))


def test_a_wrong_rep_is_refused_with_every_reason(organisation: World) -> None:
    del organisation
    result = run("reps", "add", "--name", "X", "--team", "west", "--zone", "Kuching",
                 "--phone", "12", "--tier", "4")  # fmt: skip
    assert isinstance(result.exception, InvalidInput)
    named = {error.field for error in result.exception.errors}
    assert named == {"team", "zone", "phone", "tier"}


def test_an_import_names_wrong_lines_and_adds_the_others_once(
    organisation: World, tmp_path: Path
) -> None:
    file, tokens = tmp_path / "reps.csv", tmp_path / "tokens.csv"
    file.write_text(
        "name,team,zone,phone\n"
        "Aisyah,north,Asia/Kuching,+60128880001\n"
        "Ben,nowhere,Europe/London,+447400123456\n"
        "Chong,north,Asia/Singapore,\n",
        encoding="utf-8",
    )
    first = run("reps", "import", str(file), "--tokens", str(tokens))
    assert first.exit_code == 2
    assert "2 added, 0 known already, 1 not taken." in first.output
    assert "line 3: team" in first.output
    kept = list(csv.reader(tokens.read_text().splitlines()))
    assert kept[0] == ["rep_id", "name", "token"]
    assert [row[1] for row in kept[1:]] == ["Aisyah", "Chong"]
    assert tokens.stat().st_mode & 0o077 == 0
    again = run("reps", "import", str(file), "--tokens", str(tokens))
    assert "0 added, 2 known already, 1 not taken." in again.output
    names = [rep.name for rep, _ in organisation.roster.team("north")]
    assert sorted(names) == ["Aisyah", "Chong"]


def import_reps(folder: Path, *lines: str, more: tuple[str, ...] = ()) -> Result:
    file = folder / "reps.csv"
    file.write_text("\n".join(lines), encoding="utf-8")
    return run("reps", "import", str(file), "--tokens", str(folder / "tokens.csv"), *more)


def test_each_line_that_is_no_new_rep_is_named_with_the_reason(
    organisation: World, tmp_path: Path
) -> None:
    desk = organisation.add_rep(a_rep(1, name="José"))
    gone = organisation.add_rep(a_rep(2, name="Gone"))
    organisation.roster.deactivate(gone.rep_id, clock.now().date())
    alone = organisation.add_rep(a_rep(3, name="Zoë", phone=None))
    rows = (
        "Name; Team; Zone; Phone; Tier",
        f"JOSE\u0301; North; asia/kuching; {desk.phone}; 2.0",  # known
        f"Second At Desk;north;UTC;{desk.phone};",
        f"New With Leavers Number;north;UTC;{gone.phone};",
        f"Twin;north;UTC;{gone.phone};",
        f"gone;north;UTC;{gone.phone};",
        "Zoe\u0308;north;Asia/Kuching;;",  # known
        "Zoë;north;Asia/Kuching;+60128889999;",
        "Wide;north;UTC;4.47911E+11;",
        "Wide;north;UTC;+60128888888;1,5",
        ";;;;",
        "Plain;north;UTC;;",
        "plain;north;UTC;;",
    )
    first = import_reps(tmp_path, *rows)
    assert first.exit_code == 2
    assert "2 added, 2 known already, 7 not taken." in first.output
    assert lines_of(first) == [3, 5, 6, 8, 9, 10, 13]
    for said_of in ("the number of JOSÉ on line 2", "New With Leavers Number on line 4"):
        assert said_of in first.output
    before = everything(organisation.dynamo.client, organisation.settings)
    tokens = (tmp_path / "tokens.csv").read_bytes()
    again = import_reps(tmp_path, *rows)
    assert "0 added, 4 known already, 7 not taken." in again.output
    assert everything(organisation.dynamo.client, organisation.settings) == before
    assert (tmp_path / "tokens.csv").read_bytes() == tokens
    without_the_others = import_reps(tmp_path, rows[0], rows[2], rows[7]).output
    assert f"belongs to José ({desk.rep_id})" in without_the_others
    assert f"dibs reps set {alone.rep_id} --phone +60128889999" in without_the_others
    shorter = import_reps(tmp_path, rows[0], rows[1], rows[3])
    assert shorter.exit_code == 0
    assert "Nothing is changed." in shorter.output


def test_who_left_is_not_added_again_by_an_old_file(organisation: World, tmp_path: Path) -> None:
    gone = organisation.add_rep(a_rep(1, name="Ben", phone=None))
    said(run("reps", "leave", gone.rep_id, "--yes"))
    again = import_reps(tmp_path, "name,team,zone", "BEN,north,UTC")
    assert again.exit_code == 2
    assert f"dibs reps return {gone.rep_id}" in again.output
    assert not (tmp_path / "tokens.csv").exists()


def test_a_dry_run_says_what_it_would_do_and_does_nothing(
    organisation: World, tmp_path: Path
) -> None:
    before = everything(organisation.dynamo.client, organisation.settings)
    told = import_reps(
        tmp_path, "name,team,zone", "Ben,north,UTC", "X,west,UTC", more=("--dry-run",)
    )
    assert told.exit_code == 2
    assert "1 to add, 0 known already, 1 not taken." in told.output
    assert everything(organisation.dynamo.client, organisation.settings) == before
    assert not (tmp_path / "tokens.csv").exists()


def test_the_first_day_is_today_unless_the_file_says_another(
    organisation: World, tmp_path: Path
) -> None:
    organisation.put_playbook(a_playbook(newcomers={"enabled": True}))
    today = import_reps(tmp_path, "name,team,zone", "Ben,north,UTC")
    assert "Newcomers from" in today.output
    dated = import_reps(tmp_path, "name,team,zone,Joined on", "Ann,north,UTC,2020/02/29 00:00:00",
                        "Chi,north,UTC,05/11/2026")  # fmt: skip
    assert lines_of(dated) == [3]
    joined = {rep.name: rep.joined_on for rep, _ in organisation.roster.team("north")}
    assert joined["Ann"] == date(2020, 2, 29)
    assert abs((joined["Ben"] or date.min) - clock.now().date()) <= timedelta(days=1)


def test_tokens_are_no_formulas_and_a_file_that_cannot_be_written_adds_nobody(
    organisation: World, tmp_path: Path
) -> None:
    said(import_reps(tmp_path, "name,team,zone", "=1+1,north,UTC"))
    assert ",'=1+1," in (tmp_path / "tokens.csv").read_text()
    (tmp_path / "reps.csv").write_text("name,team,zone\nBen,north,UTC\n")
    lost = run("reps", "import", str(tmp_path / "reps.csv"), "--tokens", str(tmp_path / "no/t.csv"))
    assert lost.exit_code == 2
    assert [rep.name for rep, _ in organisation.roster.team("north")] == ["=1+1"]


def test_reps_are_listed_for_people_and_programs(organisation: World) -> None:
    rep = organisation.add_rep(a_rep(1))
    [shown] = json.loads(said(run("reps", "list", "--json")))
    assert (shown["rep_id"], shown["phone"]) == (rep.rep_id, "+•••••••0001")
    assert {"hours", "language", "active", "joined_on", "unavailable"} <= set(shown)
    [whole] = json.loads(said(run("reps", "list", "--json", "--phones")))
    assert whole["phone"] == rep.phone


def test_leaving_asks_and_can_be_undone(organisation: World) -> None:
    rep = organisation.add_rep(a_rep(1))
    runner = CliRunner()
    assert runner.invoke(app, ["reps", "leave", rep.rep_id], input="n\n").exit_code == 1
    assert organisation.roster.get(rep.rep_id) == rep
    assert runner.invoke(app, ["reps", "leave", rep.rep_id], input="y\n").exit_code == 0
    token = said(run("reps", "return", rep.rep_id)).splitlines()[-1]
    assert organisation.roster.get(rep.rep_id) == rep
    viewer = calling_viewer(shown(token), organisation.credentials, clock.now())
    assert viewer == rep
    assert isinstance(run("reps", "return", rep.rep_id).exception, AlreadyExists)
    said(run("reps", "leave", rep.rep_id, "--yes"))
    other = organisation.add_rep(a_rep(2, phone=rep.phone))
    assert "belongs to another rep now" in said(run("reps", "return", rep.rep_id))
    assert organisation.roster.get(rep.rep_id) == replace(rep, phone=None)
    assert organisation.roster.get(other.rep_id) == other


def test_name_phone_language_and_the_rest_are_changed(organisation: World) -> None:
    rep, other = organisation.add_rep(a_rep(1)), organisation.add_rep(a_rep(2))
    said(run("reps", "set", rep.rep_id, "--name", "Aina", "--phone", "+60 12-888 7777",
             "--language", "ms", "--speaks", "zh", "--pod", "a", "--segment", "smb"))  # fmt: skip
    assert organisation.roster.get(rep.rep_id) == replace(
        rep, name="Aina", phone="+60128887777", language="ms", speaks=("zh",), pod="a",
        segments=("smb",),
    )  # fmt: skip
    taken = run("reps", "set", rep.rep_id, "--phone", str(other.phone))
    assert isinstance(taken.exception, AlreadyExists)
    said(run("reps", "set", rep.rep_id, "--phone", ""))
    said(run("reps", "set", other.rep_id, "--phone", "+60128887777"))


def test_what_a_lead_is_tied_to_is_shown(organisation: World) -> None:
    rep = organisation.add_rep(a_rep(1))
    lead = organisation.post_lead(a_card(1), clock.now())
    other = a_card(2, contact_phone=a_card(1).contact_phone, source="fair")
    organisation.post_lead(other, clock.now())
    [link] = organisation.leads.duplicate_links(lead.lead_id)
    shown = " ".join(said(run("lead", "show", lead.lead_id)).split())
    assert f"merged: {link.other_id} from fair, same phone number" in shown
    claim(organisation.race, lead.lead_id, rep.rep_id, proof_of(rep), clock.now)
    # From a free-mail address: two domains of their own would be two companies.
    card = a_card(3, company=a_card(1).company, contact_email="bob@gmail.com")
    theirs = organisation.post_lead(card, clock.now())
    shown = " ".join(said(run("lead", "show", theirs.lead_id)).split())
    assert "existing_owner" in shown
    assert f"went to its owner without a race: same company (name) as lead {lead.lead_id}" in shown


def owners_file(folder: Path, *lines: str) -> str:
    file = folder / "owners.csv"
    file.write_text("\n".join(lines), encoding="utf-8")
    return str(file)


def test_a_new_rep_without_a_zone_is_in_their_teams(organisation: World, tmp_path: Path) -> None:
    teams = {"north": {"name": "North", "zone": "Asia/Kuching"}}
    organisation.put_playbook(a_playbook(teams=teams))
    said(import_reps(tmp_path, "name,team,zone", "Ann,north,", "Ben,north,Europe/London"))
    zones = {rep.name: rep.zone for rep in all_reps(organisation.roster)}
    assert (zones["Ann"], zones["Ben"]) == ("Asia/Kuching", "Europe/London")


def test_a_companys_owner_is_imported_and_taken_back(organisation: World, tmp_path: Path) -> None:
    rep = organisation.add_rep(a_rep(1))
    file = owners_file(
        tmp_path,
        "company,domain,rep",
        f"Acme 1,,{rep.rep_id}",
        f",acme-2.example,{rep.phone}",
    )
    assert "2 companies" in said(run("owners", "import", file))
    for number in (1, 2):
        lead = organisation.post_lead(a_card(number), clock.now())
        assert (lead.state, lead.owner) == ("assigned", rep.rep_id)
    shown = " ".join(said(run("lead", "show", lead.lead_id)).split())
    assert "as the owner named by 'dibs owners'" in shown
    said(run("owners", "import", owners_file(tmp_path, "domain,rep", "acme-3.example,-")))
    said(
        run("owners", "import", owners_file(tmp_path, "domain,rep", f"acme-3.example,{rep.phone}"))
    )
    said(run("owners", "import", owners_file(tmp_path, "domain,rep", "acme-3.example,-")))
    assert organisation.post_lead(a_card(3), clock.now()).owner is None


def test_a_wrong_line_of_owners_is_named_and_the_others_are_imported(
    organisation: World, tmp_path: Path
) -> None:
    rep = organisation.add_rep(a_rep(1))
    gone = organisation.add_rep(a_rep(2))
    organisation.roster.deactivate(gone.rep_id, clock.now().date())
    file = owners_file(
        tmp_path,
        "Company; Domain; Owner",
        ";;",
        f"Acme 1;;{rep.rep_id}",
        "Acme 2;;nobody",
        f"Acme 2;;{gone.rep_id}",
        f";gmail.com;{rep.rep_id}",
        f"n/a;;{rep.rep_id}",
        f";;{rep.rep_id}",
        f"Acme 3;;{rep.rep_id}",
        "Acme 3;;-",
    )
    result = run("owners", "import", file)
    assert result.exit_code == 2
    assert lines_of(result) == [4, 5, 6, 7, 8, 9, 10]
    assert organisation.post_lead(a_card(1), clock.now()).owner == rep.rep_id
    assert organisation.post_lead(a_card(3), clock.now()).owner is None
    assert "0 changed, 1 as before" in run("owners", "import", file).output
    assert run("owners", "import", owners_file(tmp_path, "name,rep", "Acme,x")).exit_code == 2
    assert run("owners", "import", str(tmp_path / "none.csv")).exit_code == 2


def lines_of(result: Result) -> list[int]:
    """Which lines are named, in the order they are."""
    found = (re.match(r"line (\d+): ", line) for line in result.output.splitlines())
    return [int(line[1]) for line in found if line]


def test_a_leads_history_and_a_reps_links_are_shown(organisation: World) -> None:
    rep = organisation.add_rep(a_rep(1))
    lead = organisation.post_lead(a_card(1), clock.now())
    shown = said(run("lead", "show", lead.lead_id))
    assert "accepted" in shown
    assert shown.splitlines()[1] == "Nobody holds it."
    line = said(run("link", rep.rep_id, lead.lead_id)).splitlines()[0]
    assert line.startswith(f"{organisation.settings.public_url}/c/")
    assert run("link", rep.rep_id, "nosuchlead").exit_code == 1


def test_a_lead_is_assigned_and_withdrawn_with_a_reason_that_is_shown(organisation: World) -> None:
    rep = organisation.add_rep(a_rep(1))
    lead = organisation.post_lead(a_card(1), clock.now())
    given = said(run("lead", "assign", lead.lead_id, rep.rep_id, "--reason", "[b]an[/b] ally"))
    assert given.strip() == f"{lead.lead_id} is assigned, held by {rep.rep_id}"
    again = said(run("lead", "assign", lead.lead_id, rep.rep_id, "--reason", "an ally"))
    assert again.strip().endswith(", as before")
    aside = said(run("lead", "withdraw", lead.lead_id, "--reason", "rude", "--to-nobody"))
    assert aside.strip() == f"{lead.lead_id} is expired, on hold"
    shown = said(run("lead", "show", lead.lead_id))
    assert "put on hold by a manager" in " ".join(shown.split())
    assert "[b]an" in shown
    assert "rude" in shown
    back = said(run("lead", "withdraw", lead.lead_id, "--reason", "sorry"))
    assert back.strip() == f"{lead.lead_id} is open"
    wrong = run("lead", "withdraw", lead.lead_id, "--reason", " ")
    assert isinstance(wrong.exception, InvalidInput)
    assert run("lead", "withdraw", lead.lead_id).exit_code == 2


def test_leads_are_listed_by_where_they_are(organisation: World) -> None:
    rep = organisation.add_rep(a_rep(1))
    assert "0 leads" in said(run("lead", "list"))
    open_, held, aside = (organisation.post_lead(a_card(n), clock.now()) for n in (1, 2, 3))
    said(run("lead", "assign", held.lead_id, rep.rep_id, "--reason", "an ally"))
    said(run("lead", "withdraw", aside.lead_id, "--reason", "rude", "--to-nobody"))

    def ids(*asked: str) -> list[str]:
        return [row["lead_id"] for row in json.loads(said(run("lead", "list", "--json", *asked)))]

    assert ids() == [open_.lead_id, aside.lead_id, held.lead_id]
    assert ids("--limit", "2") == [open_.lead_id, aside.lead_id]
    assert ids("--state", "on_hold") == [aside.lead_id]
    assert ids("--holder", rep.rep_id) == ids("--team", "north", "--state", "held")
    for unknown in (("--holder", "bogus"), ("--team", "bogus"), ("--state", "bogus")):
        assert run("lead", "list", *unknown).exit_code != 0
    shown = said(run("lead", "list"))
    assert "3 leads" in shown
    assert open_.lead_id in shown
    assert "more" in said(run("lead", "list", "--limit", "1"))
    assert isinstance(run("lead", "list", "--state", "won").exception, InvalidInput)
    assert said(run("pool")).startswith("1 open: ")
    assert said(run("pool", "--team", "north")).startswith("1 open: ")
    assert run("pool", "--team", "nosuch").exit_code == 2


def test_a_claim_is_shown_in_its_place_of_the_history(
    organisation: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leads.console, "width", 200)
    rep = organisation.add_rep(a_rep(1))
    lead = organisation.post_lead(a_card(1), clock.now())
    claim(organisation.race, lead.lead_id, rep.rep_id, proof_of(rep), clock.now)
    said(run("lead", "withdraw", lead.lead_id, "--reason", "rude", "--to-nobody"))
    shown = said(run("lead", "show", lead.lead_id))
    assert shown.index("accepted") < shown.index("after the notice") < shown.index("rude")


def test_a_draw_is_shown_and_recomputed(organisation: World) -> None:
    lead = organisation.post_lead(a_card(1), clock.now())
    assert run("lead", "draw", lead.lead_id).exit_code == 1
    seed = seed_of(lead)
    reps = [a_rep(number).rep_id for number in range(1, 4)]
    order = in_order(seed, lead.lead_id, 1, reps)
    kept, now = commitment_of(seed), clock.now()
    drawn = DrawResult(
        lead.lead_id, 1, kept, seed, now, order, ((order[0], ("paused",)),), order[1]
    )
    to = organisation.settings.leads_table
    organisation.dynamo.put(to, draw_item(drawn))
    shown = said(run("lead", "draw", lead.lead_id, "--commitment", kept))
    for part in (kept, seed, *order, "paused", "won", "as it was promised"):
        assert part in shown
    other = run("lead", "draw", lead.lead_id, "--commitment", commitment_of("another"))
    assert other.exit_code == 1
    assert "the commitment is not the one that was shown" in other.output
    organisation.dynamo.put(to, draw_item(replace(drawn, winner=order[2])))
    altered = run("lead", "draw", lead.lead_id)
    assert altered.exit_code == 1
    assert "the winner is not the first" in altered.output


@pytest.mark.parametrize(
    ("options", "everybody", "warned"),
    [(["--test"], False, True), (["--test", "--everybody"], True, False), ([], False, False)],
)
def test_a_test_lead_is_posted_for_test_reps_unless_it_is_for_everybody(
    organisation: World,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    everybody: bool,
    warned: bool,
) -> None:
    posted: list[dict[str, object]] = []

    def post(url: str, secret: str, body: str) -> tuple[int, dict[str, object]]:
        posted.append(json.loads(body))
        return 201, {}

    monkeypatch.setattr(leads, "post_signed", post)
    monkeypatch.setattr(leads, "_signing", lambda here: "whsec_")
    answer = said(run("lead", "post", "--company", "Acme", *options))
    assert posted[0]["test"] is bool(options)
    assert posted[0].get("test_everybody", False) is everybody
    assert ("names no test_reps" in answer) is warned
    if warned:
        named = replace(organisation.playbooks.in_force().playbook, test_reps=("aaaac",))
        organisation.put_playbook(named)
        again = said(run("lead", "post", "--company", "Acme", *options))
        assert "names no test_reps" not in again
