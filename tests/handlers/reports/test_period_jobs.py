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
from handlers.office import AINA, BEN, CHONG, Office, event
from support.builders import a_playbook
from support.tables import template

# The office opens on Monday the 23rd of November, at noon.
SUNDAY = datetime(2026, 11, 22, 9, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 15, tzinfo=UTC)
RULES = a_playbook(
    teams={"north": {"name": "North", "model": "tiers"}, "south": {"name": "South"}},
    tiers={"minimum_sample": 2},
    quota={"enabled": True, "measure": "won"},
)
NOTHING = {"periods": 0, "reps": 0, "changed": 0}


@pytest.fixture(autouse=True)
def rules(office: Office) -> None:
    office.put_playbook(RULES)


def book(office: Office, rep: Rep, converted: int, at: datetime = SUNDAY) -> None:
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
    office.world.dynamo.batch_put(office.settings.ledger_table, items)


def now(office: Office, rep: Rep) -> Rep:
    """The rep as they are now."""
    found = office.world.roster.get(rep.rep_id)
    assert found is not None
    return found


@pytest.mark.parametrize("name", ["sweep", "tiers", "quotas", "turns", "contests"])
def test_a_jobs_event_is_what_its_schedule_sends(name: str) -> None:
    function = template()["Resources"]["RecalculateFunction"]["Properties"]
    schedule = function["Events"][name.capitalize()]
    assert schedule["Type"] == "ScheduleV2"
    assert json.loads(schedule["Properties"]["Input"]) == event(f"schedule_{name}")


def test_the_reps_of_teams_with_tiers_are_placed_once(office: Office) -> None:
    office.hire(replace(AINA, tier=3), replace(BEN, tier=1), CHONG)
    book(office, AINA, 4)
    book(office, BEN, 0)
    done = office.run("recalculate", event("schedule_tiers"))
    assert done == {"periods": 1, "reps": 2, "changed": 2}
    # Two reps are one in the middle and one at the top.
    assert [now(office, rep).tier for rep in (AINA, BEN, CHONG)] == [1, 2, 2]
    before = office.everything()
    office.clock.pass_(hours=1)
    assert office.run("recalculate", event("schedule_tiers")) == NOTHING
    assert office.everything() == before


def test_every_team_gets_its_months_allowance_once(office: Office) -> None:
    office.hire(AINA, BEN, CHONG)
    office.world.roster.playbook()
    wiring().targets.put(date(2026, 10, 1), {AINA.rep_id: 2, BEN.rep_id: 4})
    book(office, AINA, 2, OCTOBER)
    book(office, BEN, 3, OCTOBER)
    done = office.run("recalculate", event("schedule_quotas"))
    assert done == {"periods": 2, "reps": 3, "changed": 3}
    assert [now(office, rep).allowance for rep in (AINA, BEN, CHONG)] == [20, 15, 10]
    before = office.everything()
    office.clock.pass_(hours=1)
    assert office.run("recalculate", event("schedule_quotas")) == NOTHING
    assert office.everything() == before


def test_what_a_job_did_is_in_the_log(office: Office) -> None:
    office.hire(AINA)
    office.run("recalculate", event("schedule_tiers"))
    [line] = [line for line in office.overheard.lines if '"job done"' in line]
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
    office: Office, as_of: str | None, week: str
) -> None:
    office.hire(AINA)
    office.run("recalculate", {"job": "tiers", "as_of": as_of})
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
def test_what_is_no_time_is_named_and_nothing_is_done(office: Office, job: str, as_of: Any) -> None:
    office.hire(AINA)
    before = office.everything()
    with pytest.raises(InvalidInput) as refused:
        office.run("recalculate", {"job": job, "as_of": as_of})
    assert [error.field for error in refused.value.errors] == ["as_of"]
    assert office.everything() == before


@pytest.mark.parametrize("job", [None, "", "tier", "Tiers", "quota", "__class__", ["tiers"]])
def test_another_job_is_none_and_the_answer_names_those_there_are(office: Office, job: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        office.run("recalculate", {"job": job})
    [error] = refused.value.errors
    assert error.field == "job"
    assert error.problem.startswith("use one of sweep, tiers, quotas")


@pytest.mark.parametrize("job", ["tiers", "quotas"])
def test_a_run_the_store_turns_away_fails_and_the_next_one_goes_on(
    office: Office, monkeypatch: pytest.MonkeyPatch, job: str
) -> None:
    office.hire(replace(AINA, tier=1), BEN)
    book(office, BEN, 4)
    told = {"Error": {"Code": "ThrottlingException"}}

    def throttled(**request: Any) -> None:
        raise ClientError(told, "TransactWriteItems")

    with monkeypatch.context() as patched:
        patched.setattr(office.client, "transact_write_items", throttled)
        with pytest.raises(Busy):
            office.run("recalculate", event(f"schedule_{job}"))
    office.clock.pass_(minutes=1)
    assert office.run("recalculate", event(f"schedule_{job}"))["changed"] > 0
    assert office.run("recalculate", event(f"schedule_{job}")) == NOTHING
