"""The offer function: who is told of an opened lead, and what follows a claimed or due one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from dibs.aws.clock import to_ms
from dibs.core.lead import Lead, State
from dibs.race.ports import SentOffer
from handlers.app import AINA, BEN, CHONG, DAYANG, App, event, sqs
from support.builders import NOON, a_card, a_playbook, a_rep

DONE: dict[str, Any] = {"batchItemFailures": []}


def lead_message(lead: Lead, kind: str, **changes: Any) -> dict[str, Any]:
    return {"kind": kind, "lead_id": lead.lead_id, "epoch": lead.epoch, "rep_id": None, **changes}


def test_an_opened_lead_is_dealt_to_its_reps_and_its_end_is_timed(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    assert app.run("offer", event("sqs_offer")) == DONE
    [batch] = app.waiting("notify")
    assert batch.body == {
        "kind": "offer",
        "lead_id": lead.lead_id,
        "epoch": 1,
        "rep_ids": [AINA.rep_id],
        "notify_at": to_ms(NOON),
        "members": 1,
        "first": True,
    }
    assert batch.delay_seconds == 0
    [timer] = app.waiting("offer")
    assert timer.body == {"kind": "lead.due", "lead_id": lead.lead_id, "epoch": 1}
    assert timer.delay_seconds == 900
    assert app.now(lead).notified_until == NOON


def test_only_reps_who_may_claim_are_told(app: App) -> None:
    app.hire(AINA, BEN, CHONG, DAYANG, replace(a_rep(5), active=False))
    app.pause(BEN, hours=1)
    app.lead()
    app.run("offer", event("sqs_offer"))
    [batch] = app.waiting("notify")
    assert sorted(batch.body["rep_ids"]) == [AINA.rep_id, DAYANG.rep_id]


def test_many_reps_come_in_batches_that_start_at_the_same_instant(app: App) -> None:
    app.hire_crowd(101)
    app.lead()
    app.run("offer", event("sqs_offer"))
    batches = [message.body for message in app.waiting("notify")]
    assert [len(batch["rep_ids"]) for batch in batches] == [50, 50, 1]
    assert len({rep_id for batch in batches for rep_id in batch["rep_ids"]}) == 101
    assert len({batch["notify_at"] for batch in batches}) == 1


def test_a_redelivered_event_deals_nothing_twice(app: App) -> None:
    app.hire_crowd(60)
    lead = app.lead()
    app.run("offer", event("sqs_offer"))
    assert len(app.waiting("notify")) == 2
    before = app.everything()
    app.run("offer", event("sqs_offer"))
    assert app.waiting("notify") == []
    assert app.everything() == before
    assert app.now(lead).state is State.OPEN


def test_what_is_over_or_unknown_is_not_offered(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    late = lead_message(lead, "lead.opened", epoch=0)
    unknown = lead_message(lead, "lead.opened", lead_id="aaaaaaaaaaaa")
    before = app.everything()
    assert app.run("offer", sqs("sqs_offer", late, unknown)) == DONE
    assert app.waiting("notify") == []
    assert app.everything() == before
    app.clock.pass_(seconds=900)
    assert app.run("offer", event("sqs_offer")) == DONE
    assert app.waiting("notify") == []
    assert app.now(lead) == replace(lead, state=State.EXPIRED)


def test_a_claimed_lead_is_withdrawn_from_the_losers_and_noted_for_the_winner(
    app: App,
) -> None:
    app.hire(AINA, BEN, DAYANG)
    lead = app.lead()
    told = SentOffer(lead.lead_id, 1, AINA.rep_id, app.clock(), ("push",))
    app.offers.record([told], together=True)
    at = app.clock.pass_(seconds=2)
    app.claim(lead)
    won = lead_message(lead, "lead.claimed", rep_id=AINA.rep_id)
    assert app.run("offer", sqs("sqs_offer", won)) == DONE
    [withdrawn] = [message.body for message in app.waiting("notify")]
    assert withdrawn["kind"] == "withdraw"
    assert sorted(withdrawn["rep_ids"]) == [BEN.rep_id, DAYANG.rep_id]
    assert app.offers.notices(lead.lead_id, 1, [AINA.rep_id]) == {
        AINA.rep_id: replace(told, claimed_at=at)
    }


def expired(app: App) -> Lead:
    """A lead whose window closed and whose timer came."""
    lead = app.lead()
    app.clock.pass_(seconds=900)
    app.run("offer", sqs("sqs_offer", due(lead)))
    app.clock.pass_(milliseconds=1)
    return app.now(lead)


def test_an_expired_lead_is_withdrawn_from_everybody_and_assigned(app: App) -> None:
    app.hire(AINA, BEN)
    lead = expired(app)
    app.run("offer", sqs("sqs_offer", lead_message(lead, "lead.expired")))
    [withdrawn] = app.waiting("notify")
    assert withdrawn.body["kind"] == "withdraw"
    assert sorted(withdrawn.body["rep_ids"]) == [AINA.rep_id, BEN.rep_id]
    held = app.now(lead)
    assert held == replace(
        lead,
        state=State.ASSIGNED,
        owner=AINA.rep_id,
        claimed_at=app.clock.at,
        return_at=app.clock.at + timedelta(hours=1),
    )
    assert app.world.holdings.queued() == []
    # The same event once more finds nothing to do.
    before = app.everything()
    app.run("offer", sqs("sqs_offer", lead_message(lead, "lead.expired")))
    assert app.everything() == before


def test_whoever_a_lead_was_assigned_to_is_told(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    assigned = lead_message(lead, "lead.assigned", rep_id=AINA.rep_id)
    app.run("offer", sqs("sqs_offer", assigned))
    [told] = app.waiting("notify")
    assert (told.body["kind"], told.body["rep_ids"]) == ("assigned", [AINA.rep_id])


def test_a_lead_of_a_team_that_takes_turns_goes_to_whose_turn_it_is(app: App) -> None:
    app.hire(AINA, BEN)
    app.world.put_playbook(a_playbook(model="round-robin"))
    leads = [app.world.post_lead(a_card(n), NOON) for n in range(1, 4)]
    for lead in leads:
        app.run("offer", sqs("sqs_offer", lead_message(lead, "lead.queued")))
    owners = [app.now(lead).owner for lead in leads]
    assert sorted(owners, key=str) == [AINA.rep_id, AINA.rep_id, BEN.rep_id]
    assert app.waiting("notify") == []


def test_a_look_at_the_queue_and_at_the_waves_is_had(app: App) -> None:
    app.world.put_playbook(a_playbook(teams={"north": {"name": "N", "model": "tiers"}}, windows=[]))
    app.hire(replace(AINA, tier=1), BEN)
    lead = app.world.post_lead(a_card(), NOON)
    app.clock.pass_(seconds=5)
    app.pause(AINA, hours=1)
    assert app.run("offer", sqs("sqs_offer", {"kind": "waves.check"})) == DONE
    assert app.now(lead).waves["north"][1] == app.clock.at
    [batch] = app.waiting("notify")
    assert batch.body["rep_ids"] == [BEN.rep_id]
    app.clock.pass_(seconds=1800)
    app.run("offer", sqs("sqs_offer", due(lead)))
    assert app.run("offer", sqs("sqs_offer", {"kind": "queue.check"})) == DONE
    assert app.now(lead).owner == BEN.rep_id


def due(lead: Lead) -> dict[str, Any]:
    """A lead's timer."""
    return {"kind": "lead.due", "lead_id": lead.lead_id, "epoch": lead.epoch}


def test_a_timer_that_is_due_expires_the_lead(app: App) -> None:
    lead = app.lead()
    app.clock.pass_(seconds=900)
    assert app.run("offer", sqs("sqs_offer", due(lead))) == DONE
    assert app.now(lead).state is State.EXPIRED
    assert app.world.leads.open_leads() == []
    assert app.world.holdings.queued() == [app.now(lead)]
    assert app.waiting("offer") == []


def test_a_timer_that_comes_early_is_sent_again(app: App) -> None:
    lead = app.lead()
    app.clock.pass_(seconds=880)
    app.run("offer", sqs("sqs_offer", due(lead)))
    assert app.now(lead).state is State.OPEN
    [timer] = app.waiting("offer")
    assert (timer.body["kind"], timer.delay_seconds) == ("lead.due", 20)


def test_a_timer_leaves_a_claimed_lead_alone(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    app.claim(lead)
    app.clock.pass_(seconds=900)
    before = app.everything()
    app.run("offer", sqs("sqs_offer", due(lead)))
    assert app.everything() == before
    assert app.waiting("offer") == []


def test_a_poison_message_fails_alone(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    batch = sqs("sqs_offer", {"no": "event"}, lead_message(lead, "lead.opened"), {})
    batch["Records"][2]["body"] = "no JSON"
    assert app.run("offer", batch) == {
        "batchItemFailures": [{"itemIdentifier": "message-0"}, {"itemIdentifier": "message-2"}]
    }
    assert len(app.waiting("notify")) == 1
