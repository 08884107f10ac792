"""The offer function: who is told of an opened lead, and what follows a claimed or due one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dibs.adapters.clock import to_ms
from dibs.domain.leads import Lead, State
from handlers.office import AINA, BEN, CHONG, DAYANG, Office, event, sqs
from support.builders import NOON, a_rep

DONE: dict[str, Any] = {"batchItemFailures": []}


def fact(lead: Lead, kind: str, **changes: Any) -> dict[str, Any]:
    return {"kind": kind, "lead_id": lead.lead_id, "epoch": lead.epoch, "rep_id": None, **changes}


def test_an_opened_lead_is_dealt_to_its_reps_and_its_closing_is_timed(office: Office) -> None:
    office.hire(AINA)
    lead = office.lead()
    assert office.run("offer", event("sqs_offer")) == DONE
    [chunk] = office.waiting("notify")
    assert chunk.body == {
        "kind": "offer",
        "lead_id": lead.lead_id,
        "epoch": 1,
        "rep_ids": [AINA.rep_id],
        "notify_at": to_ms(NOON),
    }
    assert chunk.delay_seconds == 0
    [timer] = office.waiting("offer")
    assert timer.body == {"kind": "lead.closing", "lead_id": lead.lead_id, "epoch": 1}
    assert timer.delay_seconds == 900
    assert office.now(lead).planned_epoch == 1


def test_only_reps_who_may_claim_are_told(office: Office) -> None:
    office.hire(AINA, BEN, CHONG, DAYANG, replace(a_rep(5), active=False))
    office.pause(BEN, hours=1)
    office.lead()
    office.run("offer", event("sqs_offer"))
    [chunk] = office.waiting("notify")
    assert sorted(chunk.body["rep_ids"]) == [AINA.rep_id, DAYANG.rep_id]


def test_many_reps_come_in_chunks_that_start_at_the_same_instant(office: Office) -> None:
    office.hire_crowd(101)
    office.lead()
    office.run("offer", event("sqs_offer"))
    chunks = [message.body for message in office.waiting("notify")]
    assert [len(chunk["rep_ids"]) for chunk in chunks] == [50, 50, 1]
    assert len({rep_id for chunk in chunks for rep_id in chunk["rep_ids"]}) == 101
    assert len({chunk["notify_at"] for chunk in chunks}) == 1


def test_a_redelivered_fact_deals_the_same_chunks(office: Office) -> None:
    office.hire_crowd(60)
    office.lead()
    office.run("offer", event("sqs_offer"))
    first = [message.body for message in office.waiting("notify")]
    office.run("offer", event("sqs_offer"))
    assert [message.body for message in office.waiting("notify")] == first


def test_what_is_over_or_unknown_is_not_offered(office: Office) -> None:
    office.hire(AINA)
    lead = office.lead()
    late = fact(lead, "lead.opened", epoch=0)
    unknown = fact(lead, "lead.opened", lead_id="aaaaaaaaaaaa")
    assert office.run("offer", sqs("sqs_offer", late, unknown)) == DONE
    office.clock.pass_(seconds=900)
    assert office.run("offer", event("sqs_offer")) == DONE
    assert office.waiting("notify") == []
    assert office.now(lead).planned_epoch == 0


def test_a_claimed_lead_is_withdrawn_from_the_losers_and_noted_for_the_winner(
    office: Office,
) -> None:
    office.hire(AINA, BEN, DAYANG)
    lead = office.lead()
    office.claim(lead)
    won = fact(lead, "lead.claimed", rep_id=AINA.rep_id)
    assert office.run("offer", sqs("sqs_offer", won)) == DONE
    withdrawn, noted = [message.body for message in office.waiting("notify")]
    assert withdrawn["kind"] == "withdraw"
    assert sorted(withdrawn["rep_ids"]) == [BEN.rep_id, DAYANG.rep_id]
    assert (noted["kind"], noted["rep_ids"]) == ("won", [AINA.rep_id])


def test_an_expired_lead_is_withdrawn_from_everybody(office: Office) -> None:
    office.hire(AINA, BEN)
    lead = office.lead()
    office.run("offer", sqs("sqs_offer", fact(lead, "lead.expired")))
    [withdrawn] = office.waiting("notify")
    assert withdrawn.body["kind"] == "withdraw"
    assert sorted(withdrawn.body["rep_ids"]) == [AINA.rep_id, BEN.rep_id]


def test_a_closing_timer_that_is_due_expires_the_lead(office: Office) -> None:
    lead = office.lead()
    office.clock.pass_(seconds=900)
    assert office.run("offer", sqs("sqs_offer", fact(lead, "lead.closing"))) == DONE
    assert office.now(lead).state is State.EXPIRED
    assert office.world.leads.open_leads() == []


def test_a_closing_timer_that_comes_early_is_sent_again(office: Office) -> None:
    lead = office.lead()
    office.clock.pass_(seconds=880)
    office.run("offer", sqs("sqs_offer", fact(lead, "lead.closing")))
    assert office.now(lead).state is State.OPEN
    [timer] = office.waiting("offer")
    assert (timer.body["kind"], timer.delay_seconds) == ("lead.closing", 20)


def test_a_closing_timer_leaves_a_claimed_lead_alone(office: Office) -> None:
    office.hire(AINA)
    lead = office.lead()
    office.claim(lead)
    office.clock.pass_(seconds=900)
    office.run("offer", sqs("sqs_offer", fact(lead, "lead.closing")))
    assert office.now(lead).state is State.CLAIMED
    assert office.waiting("offer") == []


def test_a_poison_message_fails_alone(office: Office) -> None:
    office.hire(AINA)
    lead = office.lead()
    batch = sqs("sqs_offer", {"no": "fact"}, fact(lead, "lead.opened"), {})
    batch["Records"][2]["body"] = "no JSON"
    assert office.run("offer", batch) == {
        "batchItemFailures": [{"itemIdentifier": "message-0"}, {"itemIdentifier": "message-2"}]
    }
    assert len(office.waiting("notify")) == 1
