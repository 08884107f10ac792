"""Scheduled jobs: the sweep brings back what was dropped, and nothing else is run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends

from dibs.core.errors import InvalidInput
from dibs.core.lead import State
from handlers.app import AINA, App, event, sqs
from support.builders import a_card, a_playbook


def did(**found: int) -> dict[str, int]:
    """What a sweep says it found to do: nothing but this."""
    nothing = dict.fromkeys(
        ("republished", "replanned", "expired", "nudged", "returned", "queued", "untold"), 0
    )
    healed = {"recorded": 0, "scored": 0, "notices": 0}
    return {**nothing, **healed, "seals_late": 0, "chained": 0, **found}


def told(app: App) -> list[str]:
    return [message.body["kind"] for message in app.waiting("offer")]


def test_a_sweep_of_a_quiet_minute_does_nothing(app: App) -> None:
    app.lead()
    app.run("recalculate", event("schedule_sweep"))  # the first one begins to count open leads
    before = app.everything()
    done = app.run("recalculate", event("schedule_sweep"))
    assert done == did()
    assert app.everything() == before


def test_what_never_left_the_outbox_is_told_by_the_sweep(app: App) -> None:
    app.lead()
    app.clock.pass_(seconds=46)
    done = app.run("recalculate", event("schedule_sweep"))
    assert done["republished"] == 1
    assert "lead.opened" in told(app)
    assert list(app.world.leads.waiting_in_outbox(app.clock.at)) == []


def test_an_opening_that_was_told_but_never_planned_is_told_again(app: App) -> None:
    app.hire(AINA)
    app.lead()
    app.run("relay", event("stream_lead_opened"))
    told(app)
    app.clock.pass_(seconds=46)
    assert app.run("recalculate", event("schedule_sweep"))["replanned"] == 1
    assert told(app) == ["lead.opened"]
    app.run("offer", event("sqs_offer"))
    told(app)
    for batch in app.waiting("notify"):
        app.run("notify", sqs("sqs_notify", batch.body))
    assert app.run("recalculate", event("schedule_sweep"))["replanned"] == 0
    assert told(app) == []


def test_a_window_that_closed_unseen_is_closed_by_the_sweep(app: App) -> None:
    lead = app.lead()
    app.run("relay", event("stream_lead_opened"))
    app.clock.pass_(seconds=900)
    assert app.run("recalculate", event("schedule_sweep"))["expired"] == 1
    assert app.now(lead).state is State.EXPIRED


def test_sweeping_twice_is_sweeping_once(app: App) -> None:
    app.lead()
    app.clock.pass_(seconds=900)
    app.run("recalculate", event("schedule_sweep"))
    app.run("recalculate", event("schedule_sweep"))
    told(app)
    app.clock.pass_(minutes=1)
    app.run("recalculate", event("schedule_sweep"))
    before = app.everything()
    told(app)
    done = app.run("recalculate", event("schedule_sweep"))
    # Nobody may take the lead: it is still in the queue, and that is said each minute.
    assert done == did(queued=1)
    assert told(app) == ["lead.queued"]
    assert app.everything() == before


def test_a_claimed_lead_is_left_alone_until_its_holder_is_due_a_reminder(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    app.claim(lead)
    app.clock.pass_(minutes=29, seconds=59)
    assert app.run("recalculate", event("schedule_sweep"))["expired"] == 0
    assert app.now(lead).owner == AINA.rep_id
    assert "lead.unworked" not in told(app)
    app.clock.pass_(seconds=1)
    done = app.run("recalculate", event("schedule_sweep"))
    assert (done["nudged"], done["returned"]) == (1, 0)
    assert told(app) == ["lead.unworked"]
    assert app.now(lead).owner == AINA.rep_id


def test_a_lead_its_holder_did_not_work_is_opened_anew_by_the_sweep(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    app.clock.pass_(seconds=1)
    app.claim(lead)
    app.clock.pass_(hours=1)
    done = app.run("recalculate", event("schedule_sweep"))
    assert (done["nudged"], done["returned"]) == (0, 1)
    back = app.now(lead)
    assert (back.state, back.epoch, back.owner) == (State.OPEN, 2, None)
    assert back.previous_owner == AINA.rep_id
    steps = [(step.to_state.value, step.cause) for step in app.world.leads.history(lead.lead_id)]
    assert steps == [
        ("open", "accepted"),
        ("claimed", "claimed"),
        ("released", "not_worked"),
        ("open", "not_worked"),
    ]
    # Its release is told like any other event.
    told(app)
    app.clock.pass_(seconds=46)
    app.run("recalculate", event("schedule_sweep"))
    assert "lead.returned" in told(app)


def test_the_sweep_counts_what_it_found(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    app.hire(AINA)
    held = app.lead()
    app.claim(held)
    app.clock.pass_(hours=1)
    app.world.put_playbook(a_playbook(model="round-robin"))
    app.world.post_lead(a_card(2), app.clock.at)
    app.counted(capsys)
    app.run("recalculate", event("schedule_sweep"))
    counted = app.counted(capsys)
    assert counted["LeadsReturned"] == 1
    assert counted["LeadsUnassigned"] == 1
    assert counted["LeadsExpired"] == 0


@pytest.mark.parametrize("zone", ["Z", "+00:00", "+08:00"])
def test_a_job_runs_as_of_the_time_it_is_given(app: App, zone: str) -> None:
    lead = app.lead()
    hours = timedelta(hours=8 if zone == "+08:00" else 0)
    as_of = (lead.closes_at + hours).replace(tzinfo=None).isoformat() + zone
    done = app.run("recalculate", {"job": "sweep", "as_of": as_of})
    assert done["expired"] == 1


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "job"),
        ({"job": None}, "job"),
        ({"job": "sing"}, "job"),
        ({"job": ["sweep"]}, "job"),
        ({"job": "sweep", "as_of": "2026-11-23T12:15:00"}, "as_of"),
        ({"job": "sweep", "as_of": "noon"}, "as_of"),
        ({"job": "sweep", "as_of": ""}, "as_of"),
        ({"job": "sweep", "as_of": 1795436100}, "as_of"),
    ],
)
def test_a_job_or_time_that_is_none_fails_and_changes_nothing(
    app: App, asked: dict[str, Any], field: str
) -> None:
    app.lead()
    app.clock.pass_(seconds=900)
    before = app.everything()
    with pytest.raises(InvalidInput) as refused:
        app.run("recalculate", asked)
    assert [error.field for error in refused.value.errors] == [field]
    assert app.everything() == before


def test_a_rep_who_opted_out_at_aws_is_no_longer_texted(app: App) -> None:
    app.hire(AINA)
    numbers = sns_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].opt_out_numbers
    numbers[:] = [AINA.phone]
    assert app.run("recalculate", event("schedule_opt_outs"))["changed"] == 1
    app.lead()
    app.run("notify", event("sqs_notify"))
    assert app.texts() == []
