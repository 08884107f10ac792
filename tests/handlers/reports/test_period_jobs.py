"""The weekly and the monthly job, as EventBridge Scheduler starts them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dibs.core.errors import Busy, InvalidInput
from dibs.core.rep import Rep
from dibs.ledger.entries import Entry
from dibs.ledger.store import entry_item
from dibs.wiring import wiring
from handlers.app import AINA, BEN, CHONG, App, event
from support.builders import a_playbook
from support.tables import template

# The tests begin on Monday the 23rd of November, at noon.
SUNDAY = datetime(2026, 11, 22, 9, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 15, tzinfo=UTC)
RULES = a_playbook(
    teams={"north": {"name": "North", "model": "tiers"}, "south": {"name": "South"}},
    tiers={"minimum_sample": 2},
    quota={"enabled": True, "measure": "won"},
)
NOTHING = {"periods": 0, "reps": 0, "changed": 0}


@pytest.fixture(autouse=True)
def rules(app: App) -> None:
    app.put_playbook(RULES)


def book(app: App, rep: Rep, converted: int, at: datetime = SUNDAY) -> None:
    """Four leads taken and called, of which some are won."""
    entries = []
    for number in range(4):
        lead, taken = f"{rep.rep_id}-{number}", at + number * timedelta(hours=1)
        kinds = ("claimed", "contacted", *(["won"] if number < converted else []))
        for minutes, kind in enumerate(kinds):
            when = taken + timedelta(minutes=minutes)
            name = f"{kind}/{lead}/{when}"
            entries.append(Entry(name, kind, rep.rep_id, rep.team, when, "2026-W47", lead, 1))
    items = [entry_item(entry) for entry in entries]
    app.world.dynamo.batch_put(app.settings.ledger_table, items)


def now(app: App, rep: Rep) -> Rep:
    """The rep as they are now."""
    found = app.world.roster.get(rep.rep_id)
    assert found is not None
    return found


@pytest.mark.parametrize("name", ["sweep", "tiers", "quotas", "turns", "contests"])
def test_a_jobs_event_is_what_its_schedule_sends(name: str) -> None:
    function = template()["Resources"]["RecalculateFunction"]["Properties"]
    schedule = function["Events"][name.capitalize()]
    assert schedule["Type"] == "ScheduleV2"
    assert json.loads(schedule["Properties"]["Input"]) == event(f"schedule_{name}")


def test_the_reps_of_teams_with_tiers_are_placed_once(app: App) -> None:
    app.hire(replace(AINA, tier=3), replace(BEN, tier=1), CHONG)
    book(app, AINA, 4)
    book(app, BEN, 0)
    done = app.run("recalculate", event("schedule_tiers"))
    assert done == {"periods": 1, "reps": 2, "changed": 2}
    # Two reps are one in the middle and one at the top.
    assert [now(app, rep).tier for rep in (AINA, BEN, CHONG)] == [1, 2, 2]
    before = app.everything()
    app.clock.pass_(hours=1)
    assert app.run("recalculate", event("schedule_tiers")) == NOTHING
    assert app.everything() == before


def test_every_team_gets_its_months_allowance_once(app: App) -> None:
    app.hire(AINA, BEN, CHONG)
    app.world.roster.playbook()
    wiring().targets.put(date(2026, 10, 1), {AINA.rep_id: 2, BEN.rep_id: 4})
    book(app, AINA, 2, OCTOBER)
    book(app, BEN, 3, OCTOBER)
    done = app.run("recalculate", event("schedule_quotas"))
    assert done == {"periods": 2, "reps": 3, "changed": 3}
    assert [now(app, rep).allowance for rep in (AINA, BEN, CHONG)] == [20, 15, 10]
    before = app.everything()
    app.clock.pass_(hours=1)
    assert app.run("recalculate", event("schedule_quotas")) == NOTHING
    assert app.everything() == before


def test_what_a_job_did_is_in_the_log(app: App) -> None:
    app.hire(AINA)
    app.run("recalculate", event("schedule_tiers"))
    [line] = [line for line in app.overheard.lines if '"job done"' in line]
    logged = json.loads(line)
    assert (logged["job"], logged["periods"], logged["reps"]) == ("tiers", 1, 1)


@pytest.mark.parametrize(
    ("as_of", "week"),
    [
        (None, "2026-W47"),
        ("2026-11-23T00:00:00Z", "2026-W47"),
        ("2026-11-23T08:00:00+08:00", "2026-W47"),
        ("2026-11-22T23:59:59.999+00:00", "2026-W46"),
        ("2026-11-23T07:59:59+08:00", "2026-W46"),
        ("2026-11-16T12:00Z", "2026-W46"),
    ],
)
def test_a_job_takes_the_week_that_was_over_at_the_time_it_is_given(
    app: App, as_of: str | None, week: str
) -> None:
    app.hire(AINA)
    app.run("recalculate", {"job": "tiers", "as_of": as_of})
    weeks = ("2026-W45", "2026-W46", "2026-W47", "2026-W48")
    found = [name for name in weeks if wiring().results.outlook(AINA.rep_id, name) is not None]
    assert found == [week]


@pytest.mark.parametrize("job", ["tiers", "quotas"])
@pytest.mark.parametrize(
    "as_of",
    [
        "2026-11-23",
        "2026-11-23T12:00:00",
        "noon",
        "",
        1795436100,
        True,
        {"at": "2026-11-23T12:00:00Z"},
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_what_is_no_time_is_named_and_nothing_is_done(app: App, job: str, as_of: Any) -> None:
    app.hire(AINA)
    before = app.everything()
    with pytest.raises(InvalidInput) as refused:
        app.run("recalculate", {"job": job, "as_of": as_of})
    assert [error.field for error in refused.value.errors] == ["as_of"]
    assert app.everything() == before


@pytest.mark.parametrize("job", [None, "", "tier", "Tiers", "quota", "__class__", ["tiers"]])
def test_another_job_is_none_and_the_answer_names_those_there_are(app: App, job: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        app.run("recalculate", {"job": job})
    [error] = refused.value.errors
    assert error.field == "job"
    assert error.problem.startswith("use one of sweep, tiers, quotas")


@pytest.mark.parametrize("job", ["tiers", "quotas"])
def test_a_run_the_store_turns_away_fails_and_the_next_one_goes_on(
    app: App, monkeypatch: pytest.MonkeyPatch, job: str
) -> None:
    # A newcomer's place is in the middle.
    app.hire(replace(AINA, tier=1, joined_on=app.clock.at.date()), BEN)
    book(app, BEN, 4)
    told = {"Error": {"Code": "ThrottlingException"}}

    def throttled(**request: Any) -> None:
        raise ClientError(told, "TransactWriteItems")

    with monkeypatch.context() as patched:
        patched.setattr(app.client, "transact_write_items", throttled)
        with pytest.raises(Busy):
            app.run("recalculate", event(f"schedule_{job}"))
    app.clock.pass_(minutes=1)
    assert app.run("recalculate", event(f"schedule_{job}"))["changed"] > 0
    assert app.run("recalculate", event(f"schedule_{job}")) == NOTHING
