"""Reps get an offer by push, by text where push does not reach them, and never twice (N1, N4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dibs.core.lead import Lead, State
from dibs.core.rep import Device, Platform, Rep
from dibs.offers.notify import notify, push_failed
from dibs.offers.ports import NotifyBatch
from dibs.race.claim import bearer, claim
from dibs.race.undo import undo
from support.builders import NOON, a_card, a_playbook, a_rep, proof_of, token_of
from support.fakes import FakeWorld

PHONE = Device("phone", Platform.FCM, "arn:phone")


def pushed(number: int, **changes: object) -> Rep:
    """A rep with the app on their phone."""
    return a_rep(number, devices=(replace(PHONE, endpoint_arn=f"arn:{number}"),), **changes)


class Floor:
    """An open lead and the reps it is offered to."""

    def __init__(self, *reps: Rep, **playbook: object) -> None:
        self.world = FakeWorld(a_playbook(**playbook))
        self.reps = [self.world.add_rep(rep) for rep in reps]
        self.lead = self.world.post_lead(a_card())
        self.desk = self.world.desk()

    def batch(self, kind: str, *reps: Rep, lead: Lead | None = None) -> NotifyBatch:
        about = lead or self.lead
        ids = tuple(rep.rep_id for rep in (reps or self.reps))
        return NotifyBatch(kind, about.lead_id, about.epoch, ids)

    def run(self, kind: str, *reps: Rep, lead: Lead | None = None) -> None:
        notify(self.batch(kind, *reps, lead=lead), self.desk)

    def claim(self, rep: Rep) -> None:
        proof = proof_of(rep)
        claim(self.world.race, self.lead.lead_id, rep.rep_id, proof, self.world.clock)

    def do(self, rep: Rep, what: str) -> None:
        """Let the rep view the offer, decline it, or try to claim it."""
        if what == "attempted_at":
            self.world.race.record_attempt(self.lead, rep.rep_id, self.world.clock(), "refused")
        else:
            self.world.race.record_sighting(self.lead, rep.rep_id, what, self.world.clock())

    @property
    def texted(self) -> list[str | None]:
        return sorted(self.world.sms.told)


def phones(*reps: Rep) -> list[str | None]:
    return sorted(str(rep.phone) for rep in reps)


# Push


def test_everybody_with_the_app_gets_one_alert_and_no_text_yet() -> None:
    floor = Floor(pushed(1), pushed(2), pushed(3))
    floor.run("offer")
    assert floor.world.push.told() == [rep.rep_id for rep in floor.reps]
    assert floor.texted == []


def test_an_alert_is_recorded_with_when_and_how() -> None:
    floor = Floor(pushed(1), a_rep(2), a_rep(3, phone=None))
    floor.run("offer")
    told = floor.world.offers.notices(floor.lead.lead_id, 1, [r.rep_id for r in floor.reps])
    assert [told[rep.rep_id].channels for rep in floor.reps] == [("push",), ("sms",), ()]
    assert {notice.sent_at for notice in told.values()} == {NOON}


def test_a_wave_waits_for_its_common_instant() -> None:
    floor = Floor(pushed(1))
    start = NOON + timedelta(milliseconds=400)
    notify(replace(floor.batch("offer"), notify_at=start), floor.desk)
    assert floor.world.waited_until == [start]


def test_those_who_are_pushed_are_looked_after_once_the_unseen_seconds_have_passed() -> None:
    floor = Floor(pushed(1), pushed(2, phone=None), pushed(3, sms_opted_out=True), a_rep(4))
    floor.run("offer")
    # Only the first can be texted, and has not been.
    assert floor.world.queue.waiting == [(floor.batch("unseen", floor.reps[0]), 20)]


def test_offers_and_their_spread_are_counted() -> None:
    floor = Floor(pushed(1), pushed(2), a_rep(3))
    floor.run("offer")
    assert floor.world.counted["Offers"] == 3
    assert floor.world.counted["SmsSent"] == 1
    assert "OfferSpreadMs" in floor.world.counted


def test_a_batch_delivered_again_sends_nothing_twice() -> None:
    floor = Floor(pushed(1), a_rep(2))
    for _ in range(3):
        floor.run("offer")
    assert floor.world.push.told() == [floor.reps[0].rep_id]
    assert floor.texted == phones(floor.reps[1])
    floor.run("unseen", floor.reps[0])
    floor.run("unseen", floor.reps[0])
    assert floor.texted == phones(*floor.reps)


def test_a_batch_goes_on_with_those_it_had_not_reached() -> None:
    floor = Floor(pushed(1), pushed(2))
    floor.run("offer", floor.reps[0])
    floor.run("offer")
    assert floor.world.push.told() == [rep.rep_id for rep in floor.reps]


def test_a_rep_who_left_meanwhile_is_passed_over() -> None:
    floor = Floor(pushed(1))
    gone = a_rep(9)
    floor.run("offer", floor.reps[0], gone)
    assert floor.world.push.told() == [floor.reps[0].rep_id]
    assert floor.texted == []


@pytest.mark.parametrize("kind", ["offer", "unseen", "undelivered"])
def test_nobody_is_told_of_a_lead_that_is_no_longer_open(kind: str) -> None:
    claimed, expired, late = (Floor(pushed(1), a_rep(2)) for _ in range(3))
    claimed.claim(claimed.reps[0])
    stored = expired.world.lead(expired.lead)
    expired.world.memory.leads[stored.lead_id] = replace(stored, state=State.EXPIRED)
    late.world.clock.at = late.lead.closes_at
    for floor in (claimed, expired, late):
        floor.run(kind)
        assert floor.world.push.told() == []
        assert floor.texted == []


def test_nobody_is_told_of_an_opening_that_is_over() -> None:
    floor = Floor(pushed(1), a_rep(2))
    floor.claim(floor.reps[0])
    undo(
        floor.world.race,
        floor.lead.lead_id,
        floor.reps[0].rep_id,
        bearer(token_of(floor.reps[0])),
        floor.world.clock,
    )
    floor.run("offer")  # of the first opening
    assert (floor.world.push.alerts, floor.texted) == ([], [])
    floor.run("offer", lead=floor.world.lead(floor.lead))
    assert floor.world.push.told() == [floor.reps[0].rep_id]
    assert floor.texted == phones(floor.reps[1])


def test_a_batch_about_a_lead_nobody_knows_does_nothing() -> None:
    floor = Floor(pushed(1), a_rep(2))
    for kind in ("offer", "unseen", "withdraw", "won"):
        floor.run(kind, lead=replace(floor.lead, lead_id="aaaaaaaaaaaa"))
    assert (floor.world.push.alerts, floor.texted) == ([], [])


# Texts: refused at once, failed later, not seen in time


def test_where_push_is_refused_the_text_goes_at_once() -> None:
    floor = Floor(pushed(1), pushed(2))
    floor.world.push.refuses = {floor.reps[1].rep_id}
    floor.run("offer")
    assert floor.world.push.told() == [floor.reps[0].rep_id]
    assert floor.texted == phones(floor.reps[1])
    # The rep whose push was refused has had a text: none is queued for them.
    assert floor.world.queue.of("unseen") == [floor.batch("unseen", floor.reps[0])]


def test_a_phone_that_was_switched_off_or_never_had_the_app_gets_the_text_at_once() -> None:
    off = a_rep(1, devices=(replace(PHONE, enabled=False),))
    floor = Floor(off, a_rep(2))
    floor.run("offer")
    assert floor.world.push.alerts == []
    assert floor.texted == phones(*floor.reps)


def test_an_offer_nobody_looked_at_is_texted_once() -> None:
    floor = Floor(pushed(1), pushed(2))
    floor.run("offer")
    floor.world.clock.pass_(seconds=20)
    floor.run("unseen")
    assert floor.texted == phones(*floor.reps)
    floor.run("unseen")
    floor.run("undelivered", floor.reps[0])
    assert floor.texted == phones(*floor.reps)


@pytest.mark.parametrize("what", ["seen_at", "declined_at", "attempted_at"])
def test_whoever_looked_declined_or_tried_needs_no_text(what: str) -> None:
    floor = Floor(pushed(1), pushed(2))
    floor.run("offer")
    floor.do(floor.reps[0], what)
    floor.run("unseen")
    floor.run("undelivered", floor.reps[0])
    assert floor.texted == phones(floor.reps[1])


def test_what_a_rep_did_in_an_earlier_opening_does_not_count() -> None:
    floor = Floor(pushed(1), pushed(2))
    floor.do(floor.reps[1], "seen_at")
    floor.claim(floor.reps[0])
    rep = floor.reps[0]
    undo(
        floor.world.race,
        floor.lead.lead_id,
        rep.rep_id,
        proof_of(rep),
        floor.world.clock,
    )
    floor.run("unseen", floor.reps[1], lead=floor.world.lead(floor.lead))
    assert floor.texted == phones(floor.reps[1])


def test_a_text_carries_a_code_that_finds_its_offer() -> None:
    floor = Floor(a_rep(1), a_rep(2))
    floor.run("offer")
    for (phone, text), rep in zip(floor.world.sms.texts, floor.reps, strict=True):
        lead_id, code, token = text.split()
        assert phone == rep.phone
        assert lead_id == floor.lead.lead_id
        assert floor.world.offers.find_code(rep.rep_id, code) == (floor.lead.lead_id, 1)
        assert len(token) == 22


def test_one_rep_is_told_by_push_or_by_text_never_by_both_at_once() -> None:
    floor = Floor(pushed(1), pushed(2), a_rep(3), a_rep(4))
    floor.world.push.refuses = {floor.reps[1].rep_id}
    floor.run("offer")
    by_text = {rep.rep_id for rep in floor.reps if rep.phone in floor.world.sms.told}
    assert not by_text & set(floor.world.push.told())
    assert by_text | set(floor.world.push.told()) == {rep.rep_id for rep in floor.reps}


def test_who_opted_out_or_has_no_number_is_never_texted() -> None:
    floor = Floor(a_rep(1, sms_opted_out=True), a_rep(2, phone=None))
    for kind in ("offer", "unseen", "undelivered"):
        floor.run(kind)
    assert floor.texted == []


def test_where_texts_are_switched_off_none_are_sent_and_nothing_waits() -> None:
    floor = Floor(pushed(1), a_rep(2), sms={"enabled": False})
    floor.run("offer")
    floor.run("unseen")
    assert floor.world.push.told() == [floor.reps[0].rep_id]
    assert floor.texted == []
    assert floor.world.queue.waiting == []


def test_a_reps_daily_cap_stops_their_texts_and_is_counted_for_the_alarm() -> None:
    floor = Floor(a_rep(1), a_rep(2), sms={"per_rep_per_day": 2})
    leads = [floor.world.post_lead(a_card(number)) for number in range(10, 14)]
    for lead in leads:
        floor.run("offer", floor.reps[0], lead=lead)
    assert floor.texted == phones(floor.reps[0]) * 2
    assert floor.world.counted["SmsCapReached"] == 2
    floor.run("offer", floor.reps[1])
    assert str(floor.reps[1].phone) in floor.texted
    floor.world.clock.pass_(hours=12, seconds=1)  # the next day, UTC
    floor.run("offer", floor.reps[0], lead=floor.world.post_lead(a_card(20)))
    assert floor.world.sms.told.count(str(floor.reps[0].phone)) == 3


def test_the_organisations_daily_cap_stops_all_texts() -> None:
    floor = Floor(a_rep(1), a_rep(2), a_rep(3), sms={"per_organisation_per_day": 2})
    floor.run("offer")
    assert len(floor.texted) == 2
    assert floor.world.counted["SmsCapReached"] == 1
    assert floor.world.counted["SmsSent"] == 2


def test_a_cap_of_nought_means_no_texts() -> None:
    floor = Floor(a_rep(1), sms={"per_rep_per_day": 0})
    floor.run("offer")
    assert floor.texted == []


def test_after_one_text_failed_the_retry_sends_only_the_missing_one() -> None:
    floor = Floor(a_rep(1), a_rep(2), a_rep(3), pushed(4))
    floor.world.sms.fails_for = {str(floor.reps[1].phone)}
    with pytest.raises(ConnectionError):
        floor.run("offer")
    assert floor.texted == phones(floor.reps[0], floor.reps[2])  # the others did not wait
    floor.run("offer")
    assert floor.texted == phones(*floor.reps[:3])
    assert floor.world.push.told() == [floor.reps[3].rep_id]


def test_a_text_that_failed_leaves_no_code_behind() -> None:
    floor = Floor(a_rep(1))
    floor.world.sms.fails_for = {str(floor.reps[0].phone)}
    with pytest.raises(ConnectionError):
        floor.run("offer")
    assert floor.world.memory.codes == {}
    assert floor.world.memory.reserved == {}


# Claimed during and after sending


def test_a_lead_claimed_while_it_is_being_told_is_withdrawn_and_texted_to_nobody() -> None:
    floor = Floor(pushed(1), pushed(2), a_rep(3))
    floor.world.push.meanwhile = lambda: floor.claim(floor.reps[2])
    floor.run("offer")
    assert sorted(floor.world.push.told("withdraw")) == sorted(floor.world.push.told("offer"))
    assert floor.texted == []
    assert floor.world.queue.waiting == []


def test_losers_alerts_are_withdrawn_and_only_theirs() -> None:
    floor = Floor(pushed(1), pushed(2), pushed(3), a_rep(4), pushed(5))
    floor.run("offer", *floor.reps[:4])
    floor.claim(floor.reps[0])
    floor.run("withdraw", *floor.reps[1:])
    # The fourth was texted, the fifth never notified.
    assert floor.world.push.told("withdraw") == [rep.rep_id for rep in floor.reps[1:3]]


@pytest.mark.parametrize("what", ["attempted_at", "declined_at"])
def test_who_tried_or_declined_has_put_the_alert_away_themselves(what: str) -> None:
    floor = Floor(pushed(1), pushed(2))
    floor.run("offer")
    floor.do(floor.reps[0], what)
    floor.run("withdraw")
    assert floor.world.push.told("withdraw") == [floor.reps[1].rep_id]


def test_who_only_looked_still_sees_the_alert_go() -> None:
    floor = Floor(pushed(1))
    floor.run("offer")
    floor.do(floor.reps[0], "seen_at")
    floor.run("withdraw")
    assert floor.world.push.told("withdraw") == [floor.reps[0].rep_id]


def test_a_withdrawal_of_an_opening_nobody_was_told_of_shows_nothing() -> None:
    floor = Floor(pushed(1))
    floor.run("withdraw")
    assert floor.world.push.alerts == []


def test_the_winners_claimed_time_stands_beside_their_offer() -> None:
    floor = Floor(pushed(1), pushed(2))
    floor.run("offer")
    floor.world.clock.pass_(seconds=3)
    floor.claim(floor.reps[0])
    floor.run("won", floor.reps[0])
    told = floor.world.offers.notices(floor.lead.lead_id, 1, [r.rep_id for r in floor.reps])
    assert told[floor.reps[0].rep_id].claimed_at == NOON + timedelta(seconds=3)
    assert told[floor.reps[1].rep_id].claimed_at is None


# A push its platform refused after SNS took it


def test_a_dead_device_is_switched_off_and_its_open_offers_are_texted() -> None:
    floor = Floor(pushed(1), pushed(2), teams={"north": {"name": "N"}, "south": {"name": "S"}})
    other = floor.world.post_lead(a_card(2, team="south"))
    second = floor.world.post_lead(a_card(3, team="north"))
    floor.run("offer")
    rep = floor.reps[0]
    push_failed(rep.rep_id, "arn:1", floor.world.race, floor.world.roster, floor.world.queue)
    assert floor.world.memory.reps[rep.rep_id].pushable == ()
    assert floor.world.memory.reps[floor.reps[1].rep_id].pushable
    about = {batch.lead_id for batch in floor.world.queue.of("undelivered")}
    assert about == {floor.lead.lead_id, second.lead_id}
    assert other.lead_id not in about
    for batch in floor.world.queue.of("undelivered"):
        notify(batch, floor.desk)
    assert floor.texted == phones(rep, rep)


def test_a_reps_other_device_stays_on() -> None:
    both = (replace(PHONE, endpoint_arn="arn:old"), Device("tablet", Platform.APNS, "arn:new"))
    floor = Floor(a_rep(1, devices=both))
    rep = floor.reps[0]
    push_failed(rep.rep_id, "arn:old", floor.world.race, floor.world.roster, floor.world.queue)
    stored = floor.world.memory.reps[rep.rep_id]
    assert [device.endpoint_arn for device in stored.pushable] == ["arn:new"]


def test_a_failure_of_a_rep_who_is_gone_is_let_go() -> None:
    floor = Floor(pushed(1))
    push_failed("zzzzz", "arn:1", floor.world.race, floor.world.roster, floor.world.queue)
    assert floor.world.queue.waiting == []


@pytest.mark.parametrize("kind", ["unseen", "undelivered"])
def test_nobody_is_texted_of_a_lead_before_their_tiers_time(kind: str) -> None:
    waves = {"standard": [0, 900, None], "premium": [0, 900, None]}
    floor = Floor(
        pushed(1, tier=1), pushed(2, tier=2), pushed(3, tier=3), model="tiers", waves=waves
    )
    floor.run(kind)
    assert floor.texted == phones(floor.reps[0])
    floor.world.clock.at = floor.lead.opens_at + timedelta(minutes=15, milliseconds=-1)
    floor.run(kind)
    assert floor.texted == phones(floor.reps[0])
    floor.world.clock.pass_(milliseconds=1)
    floor.run(kind)
    assert floor.texted == phones(*floor.reps[:2])


# A lead's holder


def holding(rep: Rep, **playbook: object) -> Floor:
    """Return a lead that this rep holds."""
    floor = Floor(rep, a_rep(9), **playbook)
    floor.claim(rep)
    return floor


HOLDER_KINDS = ["assigned", "unworked"]


@pytest.mark.parametrize("kind", HOLDER_KINDS)
def test_a_holder_with_the_app_is_told_by_push_and_by_no_text(kind: str) -> None:
    floor = holding(pushed(1))
    floor.run(kind, floor.reps[0])
    assert floor.world.push.told(kind) == [floor.reps[0].rep_id]
    assert floor.texted == []


@pytest.mark.parametrize("kind", HOLDER_KINDS)
def test_a_holder_whom_push_does_not_reach_is_texted(kind: str) -> None:
    refused, without = holding(pushed(1)), holding(a_rep(1))
    refused.world.push.refuses = {refused.reps[0].rep_id}
    for floor in (refused, without):
        floor.run(kind, floor.reps[0])
        assert floor.texted == phones(floor.reps[0])
        (_, text) = floor.world.sms.texts[0]
        assert text.startswith(f"{kind} {floor.lead.lead_id} ")
        assert len(text.split()[2]) == 22
        assert floor.world.counted["SmsSent"] == 1


@pytest.mark.parametrize("kind", HOLDER_KINDS)
def test_a_holder_is_told_whatever_they_have_switched_off_because_the_lead_is_theirs(
    kind: str,
) -> None:
    floor = holding(a_rep(1))
    until = NOON + timedelta(hours=3)
    floor.world.roster.pause(floor.reps[0].rep_id, until)
    floor.world.roster.quiet(floor.reps[0].rep_id, until)
    floor.run(kind, floor.reps[0])
    assert floor.texted == phones(floor.reps[0])


@pytest.mark.parametrize("kind", HOLDER_KINDS)
@pytest.mark.parametrize(
    ("rep", "sms"),
    [
        ({"sms_opted_out": True}, {}),
        ({"phone": None}, {}),
        ({}, {"enabled": False}),
        ({}, {"per_rep_per_day": 0}),
        ({}, {"per_organisation_per_day": 0}),
    ],
)
def test_no_holder_is_texted_who_may_not_be(
    kind: str, rep: dict[str, object], sms: dict[str, object]
) -> None:
    floor = holding(a_rep(1, **rep), sms=sms)
    floor.run(kind, floor.reps[0])
    assert floor.texted == []
    assert floor.world.counted["SmsSent"] == 0


@pytest.mark.parametrize("kind", HOLDER_KINDS)
def test_nobody_is_told_that_a_lead_is_theirs_when_it_is_not_any_more(kind: str) -> None:
    gone, undone, elsewhere = (holding(a_rep(1)) for _ in range(3))
    gone.world.roster.deactivate(gone.reps[0].rep_id, NOON.date())
    rep, world = undone.reps[0], undone.world
    undo(world.race, undone.lead.lead_id, rep.rep_id, proof_of(rep), world.clock)
    for floor in (gone, undone):
        floor.run(kind, floor.reps[0])
        assert (floor.world.push.alerts, floor.texted) == ([], [])
    elsewhere.run(kind, elsewhere.reps[1])
    elsewhere.run(kind, lead=replace(elsewhere.lead, lead_id="aaaaaaaaaaaa"))
    elsewhere.run(kind, elsewhere.reps[0], lead=replace(elsewhere.lead, epoch=2))
    assert (elsewhere.world.push.alerts, elsewhere.texted) == ([], [])


def test_nobody_is_reminded_of_a_lead_they_have_worked() -> None:
    floor = holding(a_rep(1))
    stored = floor.world.lead(floor.lead)
    floor.world.memory.leads[stored.lead_id] = replace(stored, worked_at=NOON)
    floor.run("unworked", floor.reps[0])
    assert floor.texted == []


def test_a_text_about_a_test_lead_is_not_counted() -> None:
    floor = Floor(a_rep(1))
    floor.lead = floor.world.post_lead(a_card(2, test=True))
    floor.claim(floor.reps[0])
    floor.run("assigned", floor.reps[0])
    assert floor.texted == phones(floor.reps[0])
    assert floor.world.counted["SmsSent"] == 0
