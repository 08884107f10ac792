"""`dibs managers`, tokens, links and the audit trail, as an operator uses them."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner, Result

from dibs.aws import clock
from dibs.cli import leads, managers, reps, rewards, targets
from dibs.cli.main import app
from dibs.cli.target import Target
from dibs.core.credentials import shown
from dibs.core.errors import RouteNotFound, Unauthorized
from dibs.people.access import use_link
from dibs.roster.callers import calling_viewer
from support.builders import World, a_card, a_rep, token_of

REP = a_rep(1)


@pytest.fixture
def organisation(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    for module in (managers, reps, leads, rewards, targets):
        monkeypatch.setattr(module, "target", lambda stack: Target(world.settings, "http://api"))
    world.add_rep(REP)
    return world


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def said(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.output


def comes_in(world: World, token: str) -> bool:
    try:
        calling_viewer(shown(token), world.credentials, clock.now())
    except Unauthorized:
        return False
    return True


def last(text: str) -> str:
    return text.rsplit(maxsplit=1)[-1]


def test_the_first_manager_is_added_without_any_token(organisation: World) -> None:
    token = last(said(run("managers", "add", "Amina", "--ends-in-days", "7")))
    assert comes_in(organisation, token)
    assert re.search(r"m-\w+ +│ Amina +│ all", said(run("managers", "list")))
    newer = last(said(run("managers", "token", "Amina")))
    assert (comes_in(organisation, token), comes_in(organisation, newer)) == (False, True)
    said(run("managers", "remove", "Amina"))
    assert not comes_in(organisation, newer)
    assert isinstance(run("managers", "token", "Amina").exception, RouteNotFound)


def test_a_reps_lost_token_is_replaced(organisation: World) -> None:
    token = last(said(run("reps", "token", REP.rep_id)))
    assert (comes_in(organisation, token), comes_in(organisation, token_of(REP))) == (True, False)
    assert isinstance(run("reps", "token", "zzzzz").exception, RouteNotFound)


def test_links_sign_in(organisation: World) -> None:
    said(run("managers", "add", "Amina"))
    playbook = organisation.roster.playbook()
    for command in (("managers", "link", "Amina"), ("reps", "link", REP.rep_id)):
        url = last(said(run(*command)))
        assert url.startswith("https://dibs.example/in/")
        secret = url.rpartition("/")[2]
        session = use_link(organisation.credentials, playbook, secret, clock.now())
        assert not comes_in(organisation, session.secret)
    assert isinstance(run("reps", "link", "zzzzz").exception, RouteNotFound)


def test_what_an_operator_changes_is_in_the_log(organisation: World) -> None:
    lead = organisation.post_lead(a_card(1, team="north"), clock.now())
    for command in (
        ("managers", "add", "Amina"),
        ("reps", "set", REP.rep_id, "--tier", "1"),
        ("reps", "pause", REP.rep_id),
        ("reps", "token", REP.rep_id),
        ("lead", "assign", lead.lead_id, REP.rep_id, "--reason", "why"),
        ("lead", "withdraw", lead.lead_id, "--reason", "why"),
        ("rewards", "put", "mug", "--name", "Mug", "--points", "5"),
        ("reps", "leave", REP.rep_id, "--yes"),
    ):
        said(run(*command))
    shown_log = said(run("log"))
    for what in (
        "manager.add",
        "rep.change",
        "rep.pause",
        "rep.token",
        "lead.assign",
        "lead.withdraw",
        "reward.put",
        "rep.leave",
    ):
        assert what in shown_log, what
    assert "operator (" in shown_log
    about = said(run("log", "--target", "mug"))
    assert "reward.put" in about
    assert "rep.change" not in about
    assert "reward.put" not in said(run("log", "--since", "2999-01-01"))
    assert run("log", "--since", "yesterday").exit_code == 2


def test_a_migration_repeated_changes_nothing(organisation: World) -> None:
    assert "Tokens carried over: 0. Leads on hold that are listed now: 0." in said(run("migrate"))
