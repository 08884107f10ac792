"""Scheduled jobs: the sweep brings back what was dropped, and nothing else is run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends

from dibs.core.errors import InvalidInput
from dibs.core.lead import State
from handlers.office import AINA, Office, event
from support.builders import a_card, a_playbook


def did(**found: int) -> dict[str, int]:
    """What a sweep says it found to do: nothing but this."""
    nothing = dict.fromkeys(
        ("republished", "replanned", "expired", "nudged", "returned", "queued"), 0
    )
    return {**nothing, "seals_late": 0, "chained": 0, **found}


def told(office: Office) -> list[str]:
    return [message.body["kind"] for message in office.waiting("offer")]


def test_a_sweep_of_a_quiet_minute_does_nothing(office: Office) -> None:
    office.lead()
    before = office.everything()
    done = office.run("recalculate", event("schedule_sweep"))
    assert done == did()
    assert office.everything() == before


def test_what_never_left_the_outbox_is_told_by_the_sweep(office: Office) -> None:
    office.lead()
    office.clock.pass_(seconds=46)
    done = office.run("recalculate", event("schedule_sweep"))
    assert done["republished"] == 1
    assert "lead.opened" in told(office)
    assert list(office.world.leads.waiting_in_outbox(office.clock.at)) == []


def test_an_opening_that_was_told_but_never_planned_is_told_again(office: Office) -> None:
    office.hire(AINA)
    office.lead()
    office.run("relay", event("stream_lead_opened"))
    told(office)
    office.clock.pass_(seconds=46)
    assert office.run("recalculate", event("schedule_sweep"))["replanned"] == 1
    assert told(office) == ["lead.opened"]
    office.run("offer", event("sqs_offer"))
    told(office)
    assert office.run("recalculate", event("schedule_sweep"))["replanned"] == 0
    assert told(office) == []


def test_a_window_that_closed_unseen_is_closed_by_the_sweep(office: Office) -> None:
    lead = office.lead()
    office.run("relay", event("stream_lead_opened"))
    office.clock.pass_(seconds=900)
    assert office.run("recalculate", event("schedule_sweep"))["expired"] == 1
    assert office.now(lead).state is State.EXPIRED


def test_sweeping_twice_is_sweeping_once(office: Office) -> None:
    office.lead()
    office.clock.pass_(seconds=900)
    office.run("recalculate", event("schedule_sweep"))
    office.run("recalculate", event("schedule_sweep"))
    told(office)
    office.clock.pass_(minutes=1)
    office.run("recalculate", event("schedule_sweep"))
    before = office.everything()
    told(office)
    done = office.run("recalculate", event("schedule_sweep"))
    # Nobody may take the lead: it is still in the queue, and that is said each minute.
    assert done == did(queued=1)
    assert told(office) == ["lead.queued"]
    assert office.everything() == before


def test_a_claimed_lead_is_left_alone_until_its_holder_is_due_a_reminder(office: Office) -> None:
    office.hire(AINA)
    lead = office.lead()
    office.claim(lead)
    office.clock.pass_(minutes=29, seconds=59)
    assert office.run("recalculate", event("schedule_sweep"))["expired"] == 0
    assert office.now(lead).owner == AINA.rep_id
    assert "lead.unworked" not in told(office)
    office.clock.pass_(seconds=1)
    done = office.run("recalculate", event("schedule_sweep"))
    assert (done["nudged"], done["returned"]) == (1, 0)
    assert told(office) == ["lead.unworked"]
    assert office.now(lead).owner == AINA.rep_id


def test_a_lead_its_holder_did_not_work_is_opened_anew_by_the_sweep(office: Office) -> None:
    office.hire(AINA)
    lead = office.lead()
    office.clock.pass_(seconds=1)
    office.claim(lead)
    office.clock.pass_(hours=1)
    done = office.run("recalculate", event("schedule_sweep"))
    assert (done["nudged"], done["returned"]) == (0, 1)
    back = office.now(lead)
    assert (back.state, back.epoch, back.owner) == (State.OPEN, 2, None)
    assert back.previous_owner == AINA.rep_id
    steps = [(step.to_state.value, step.cause) for step in office.world.leads.history(lead.lead_id)]
    assert steps == [
        ("open", "accepted"),
        ("claimed", "claimed"),
        ("released", "not_worked"),
        ("open", "not_worked"),
    ]
    # Its release is told like any other event.
    told(office)
    office.clock.pass_(seconds=46)
    office.run("recalculate", event("schedule_sweep"))
    assert "lead.returned" in told(office)


def test_the_sweep_counts_what_it_found(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    office.hire(AINA)
    held = office.lead()
    office.claim(held)
    office.clock.pass_(hours=1)
    office.world.put_playbook(a_playbook(model="round-robin"))
    office.world.post_lead(a_card(2), office.clock.at)
    office.counted(capsys)
    office.run("recalculate", event("schedule_sweep"))
    counted = office.counted(capsys)
    assert counted["LeadsReturned"] == 1
    assert counted["LeadsUnassigned"] == 1
    assert counted["LeadsExpired"] == 0


@pytest.mark.parametrize("zone", ["Z", "+00:00", "+08:00"])
def test_a_job_runs_as_of_the_time_it_is_given(office: Office, zone: str) -> None:
    lead = office.lead()
    hours = timedelta(hours=8 if zone == "+08:00" else 0)
    as_of = (lead.closes_at + hours).replace(tzinfo=None).isoformat() + zone
    done = office.run("recalculate", {"job": "sweep", "as_of": as_of})
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
    office: Office, asked: dict[str, Any], field: str
) -> None:
    office.lead()
    office.clock.pass_(seconds=900)
    before = office.everything()
    with pytest.raises(InvalidInput) as refused:
        office.run("recalculate", asked)
    assert [error.field for error in refused.value.errors] == [field]
    assert office.everything() == before


def test_a_rep_who_opted_out_at_aws_is_no_longer_texted(office: Office) -> None:
    office.hire(AINA)
    numbers = sns_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].opt_out_numbers
    numbers[:] = [AINA.phone]
    assert office.run("recalculate", event("schedule_opt_outs"))["changed"] == 1
    office.lead()
    office.run("notify", event("sqs_notify"))
    assert office.texts() == []
