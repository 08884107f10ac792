"""Reps get an offer by push, by text where push does not reach them, and never twice (N1, N4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dibs.core.lead import Lead, State
from dibs.core.rep import Device, Platform, Rep
from dibs.intake.dummy import TEST_EVERYBODY
from dibs.offers.notify import notify, push_failed
from dibs.offers.ports import NotifyBatch
from dibs.race.claim import claim
from dibs.race.undo import undo
from support.builders import NOON, a_card, a_playbook, a_rep, proof_of
from support.fakes import FakeWorld

PHONE = Device("phone", Platform.FCM, "arn:phone")


def pushed(number: int, **changes: object) -> Rep:
    """A rep with the app on their phone."""
    return a_rep(number, devices=(replace(PHONE, endpoint_arn=f"arn:{number}"),), **changes)


class OfferCase:
    """An open lead and the reps it is offered to."""

    def __init__(self, *reps: Rep, **playbook: object) -> None:
        self.world = FakeWorld(a_playbook(**playbook))
        self.reps = [self.world.add_rep(rep) for rep in reps]
        self.lead = self.world.post_lead(a_card())
        self.deps = self.world.notify_deps()

    def batch(self, kind: str, *reps: Rep, lead: Lead | None = None) -> NotifyBatch:
        about = lead or self.lead
        ids = tuple(rep.rep_id for rep in (reps or self.reps))
        return NotifyBatch(kind, about.lead_id, about.epoch, ids)

    def run(self, kind: str, *reps: Rep, lead: Lead | None = None) -> None:
        notify(self.batch(kind, *reps, lead=lead), self.deps)

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
    case = OfferCase(pushed(1), pushed(2), pushed(3))
    case.run("offer")
    assert case.world.push.told() == [rep.rep_id for rep in case.reps]
    assert case.texted == []


def test_an_alert_is_recorded_with_when_and_how() -> None:
    case = OfferCase(pushed(1), a_rep(2), a_rep(3, phone=None))
    case.run("offer")
    told = case.world.offers.notices(case.lead.lead_id, 1, [r.rep_id for r in case.reps])
    assert [told[rep.rep_id].channels for rep in case.reps] == [("push",), ("sms",), ()]
    assert {notice.sent_at for notice in told.values()} == {NOON}


def test_a_wave_waits_for_its_common_instant() -> None:
    case = OfferCase(pushed(1))
    start = NOON + timedelta(milliseconds=400)
    notify(replace(case.batch("offer"), notify_at=start), case.deps)
    assert case.world.waited_until == [start]


def test_those_who_are_pushed_are_looked_after_once_the_unseen_seconds_have_passed() -> None:
    case = OfferCase(pushed(1), pushed(2, phone=None), pushed(3, sms_opted_out=True), a_rep(4))
    case.run("offer")
    # Only the first can be texted, and has not been.
    assert case.world.queue.waiting == [(case.batch("unseen", case.reps[0]), 20)]


def test_offers_and_their_spread_are_counted() -> None:
    case = OfferCase(pushed(1), pushed(2), a_rep(3))
    case.run("offer")
    assert case.world.counted["Offers"] == 3
    assert case.world.counted["SmsSent"] == 1
    assert "OfferSpreadMs" in case.world.counted


def test_after_an_undo_only_who_had_no_offer_is_sent_one() -> None:
    told, late = (pushed(1), a_rep(2), pushed(3)), (pushed(4), a_rep(5))
    case = OfferCase(*told, *late)
    case.run("offer", *told)
    case.run("unseen", told[2])  # who got a text after the push
    sent, texts = len(case.world.push.told()), case.texted
    case.claim(told[0])
    case.world.clock.pass_(seconds=5)
    undo(
        case.world.race,
        case.lead.lead_id,
        told[0].rep_id,
        proof_of(told[0]),
        case.world.clock,
    )
    again = case.world.lead(case.lead)
    for _ in range(2):  # delivered twice
        case.run("offer", *told, *late, lead=again)
    assert case.world.push.told()[sent:] == [late[0].rep_id]
    assert case.texted == sorted([*texts, *phones(late[1])])
    waiting = [batch for batch, _ in case.world.queue.waiting if batch.epoch == again.epoch]
    assert {batch.rep_ids for batch in waiting} == {(late[0].rep_id,)}
    # Nor does a push that fails afterwards bring a second text.
    case.run("undelivered", told[1], told[2], lead=again)
    assert case.texted == sorted([*texts, *phones(late[1])])
    # The offers they had hold good again, from the moment the lead was open again.
    ids = [rep.rep_id for rep in told]
    notices = case.world.offers.notices(case.lead.lead_id, again.epoch, ids)
    assert {notice.sent_at for notice in notices.values()} == {again.opens_at}
    assert set(notices) == set(ids)


def test_a_batch_delivered_again_sends_nothing_twice() -> None:
    case = OfferCase(pushed(1), a_rep(2))
    for _ in range(3):
        case.run("offer")
    assert case.world.push.told() == [case.reps[0].rep_id]
    assert case.texted == phones(case.reps[1])
    case.run("unseen", case.reps[0])
    case.run("unseen", case.reps[0])
    assert case.texted == phones(*case.reps)


def test_a_batch_goes_on_with_those_it_had_not_reached() -> None:
    case = OfferCase(pushed(1), pushed(2))
    case.run("offer", case.reps[0])
    case.run("offer")
    assert case.world.push.told() == [rep.rep_id for rep in case.reps]


def test_a_rep_who_left_meanwhile_is_passed_over() -> None:
    case = OfferCase(pushed(1))
    gone = a_rep(9)
    case.run("offer", case.reps[0], gone)
    assert case.world.push.told() == [case.reps[0].rep_id]
    assert case.texted == []


@pytest.mark.parametrize("kind", ["offer", "unseen", "undelivered"])
def test_nobody_is_told_of_a_lead_that_is_no_longer_open(kind: str) -> None:
    claimed, expired, late = (OfferCase(pushed(1), a_rep(2)) for _ in range(3))
    claimed.claim(claimed.reps[0])
    stored = expired.world.lead(expired.lead)
    expired.world.memory.leads[stored.lead_id] = replace(stored, state=State.EXPIRED)
    late.world.clock.at = late.lead.closes_at
    for case in (claimed, expired, late):
        case.run(kind)
        assert case.world.push.told() == []
        assert case.texted == []


def test_nobody_is_told_of_an_opening_that_is_over() -> None:
    case = OfferCase(pushed(1), a_rep(2))
    case.claim(case.reps[0])
    undo(
        case.world.race,
        case.lead.lead_id,
        case.reps[0].rep_id,
        proof_of(case.reps[0]),
        case.world.clock,
    )
    case.run("offer")  # of the first opening
    assert (case.world.push.alerts, case.texted) == ([], [])
    case.run("offer", lead=case.world.lead(case.lead))
    assert case.world.push.told() == [case.reps[0].rep_id]
    assert case.texted == phones(case.reps[1])


def test_a_batch_about_a_lead_nobody_knows_does_nothing() -> None:
    case = OfferCase(pushed(1), a_rep(2))
    for kind in ("offer", "unseen", "withdraw", "won"):
        case.run(kind, lead=replace(case.lead, lead_id="aaaaaaaaaaaa"))
    assert (case.world.push.alerts, case.texted) == ([], [])


# Texts: refused at once, failed later, not seen in time


def test_where_push_is_refused_the_text_goes_at_once() -> None:
    case = OfferCase(pushed(1), pushed(2))
    case.world.push.refuses = {case.reps[1].rep_id}
    case.run("offer")
    assert case.world.push.told() == [case.reps[0].rep_id]
    assert case.texted == phones(case.reps[1])
    # The rep whose push was refused has had a text: none is queued for them.
    assert case.world.queue.of("unseen") == [case.batch("unseen", case.reps[0])]


def test_a_phone_that_was_switched_off_or_never_had_the_app_gets_the_text_at_once() -> None:
    off = a_rep(1, devices=(replace(PHONE, enabled=False),))
    case = OfferCase(off, a_rep(2))
    case.run("offer")
    assert case.world.push.alerts == []
    assert case.texted == phones(*case.reps)


def test_an_offer_nobody_looked_at_is_texted_once() -> None:
    case = OfferCase(pushed(1), pushed(2))
    case.run("offer")
    case.world.clock.pass_(seconds=20)
    case.run("unseen")
    assert case.texted == phones(*case.reps)
    case.run("unseen")
    case.run("undelivered", case.reps[0])
    assert case.texted == phones(*case.reps)


@pytest.mark.parametrize("what", ["seen_at", "declined_at", "attempted_at"])
def test_whoever_looked_declined_or_tried_needs_no_text(what: str) -> None:
    case = OfferCase(pushed(1), pushed(2))
    case.run("offer")
    case.do(case.reps[0], what)
    case.run("unseen")
    case.run("undelivered", case.reps[0])
    assert case.texted == phones(case.reps[1])


def test_what_a_rep_did_in_an_earlier_opening_does_not_count() -> None:
    case = OfferCase(pushed(1), pushed(2))
    case.do(case.reps[1], "seen_at")
    case.claim(case.reps[0])
    rep = case.reps[0]
    undo(
        case.world.race,
        case.lead.lead_id,
        rep.rep_id,
        proof_of(rep),
        case.world.clock,
    )
    case.run("unseen", case.reps[1], lead=case.world.lead(case.lead))
    assert case.texted == phones(case.reps[1])


def test_a_text_carries_a_code_that_finds_its_offer() -> None:
    case = OfferCase(a_rep(1), a_rep(2))
    case.run("offer")
    for (phone, text), rep in zip(case.world.sms.texts, case.reps, strict=True):
        lead_id, code, token = text.split()
        assert phone == rep.phone
        assert lead_id == case.lead.lead_id
        assert case.world.offers.find_code(rep.rep_id, code) == (case.lead.lead_id, 1)
        assert len(token) == 22


def test_one_rep_is_told_by_push_or_by_text_never_by_both_at_once() -> None:
    case = OfferCase(pushed(1), pushed(2), a_rep(3), a_rep(4))
    case.world.push.refuses = {case.reps[1].rep_id}
    case.run("offer")
    by_text = {rep.rep_id for rep in case.reps if rep.phone in case.world.sms.told}
    assert not by_text & set(case.world.push.told())
    assert by_text | set(case.world.push.told()) == {rep.rep_id for rep in case.reps}


def test_who_opted_out_or_has_no_number_is_never_texted() -> None:
    case = OfferCase(a_rep(1, sms_opted_out=True), a_rep(2, phone=None))
    for kind in ("offer", "unseen", "undelivered"):
        case.run(kind)
    assert case.texted == []


def test_where_texts_are_switched_off_none_are_sent_and_nothing_waits() -> None:
    case = OfferCase(pushed(1), a_rep(2), sms={"enabled": False})
    case.run("offer")
    case.run("unseen")
    assert case.world.push.told() == [case.reps[0].rep_id]
    assert case.texted == []
    assert case.world.queue.waiting == []


def test_a_reps_daily_cap_stops_their_texts_and_is_counted_for_the_alarm() -> None:
    case = OfferCase(a_rep(1), a_rep(2), sms={"per_rep_per_day": 2})
    leads = [case.world.post_lead(a_card(number)) for number in range(10, 14)]
    for lead in leads:
        case.run("offer", case.reps[0], lead=lead)
    # And they are told so, once.
    assert case.texted == phones(case.reps[0]) * 3
    assert [text for _, text in case.world.sms.texts if text.startswith("cap")] == ["cap 2"]
    assert case.world.counted["SmsCapReached"] == 2
    case.run("offer", case.reps[1])
    assert str(case.reps[1].phone) in case.texted
    case.world.clock.pass_(hours=12, seconds=1)  # the next day, UTC
    case.run("offer", case.reps[0], lead=case.world.post_lead(a_card(20)))
    assert case.world.sms.told.count(str(case.reps[0].phone)) == 4


def test_what_a_holder_must_know_of_their_lead_counts_for_no_cap() -> None:
    case = OfferCase(a_rep(1), sms={"per_rep_per_day": 1, "per_organisation_per_day": 1})
    case.run("offer")
    case.claim(case.reps[0])
    for kind in ("assigned", "unworked") * 3:
        case.run(kind)
    # The offers' cap was not used up by them either.
    case.world.clock.pass_(days=1)
    case.run("unworked")
    before = len(case.texted)
    case.run("offer", lead=case.world.post_lead(a_card(9)))
    assert (before, len(case.texted)) == (8, 9)
    assert case.world.counted["SmsCapReached"] == 0


def test_nobody_is_told_that_the_organisations_cap_is_reached() -> None:
    case = OfferCase(a_rep(1), a_rep(2), sms={"per_organisation_per_day": 1})
    case.run("offer")
    assert len(case.texted) == 1


def test_the_organisations_daily_cap_stops_all_texts() -> None:
    case = OfferCase(a_rep(1), a_rep(2), a_rep(3), sms={"per_organisation_per_day": 2})
    case.run("offer")
    assert len(case.texted) == 2
    assert case.world.counted["SmsCapReached"] == 1
    assert case.world.counted["SmsSent"] == 2


def test_a_cap_of_nought_means_no_texts() -> None:
    case = OfferCase(a_rep(1), sms={"per_rep_per_day": 0})
    case.run("offer")
    assert case.texted == []


def test_after_one_text_failed_the_retry_sends_only_the_missing_one() -> None:
    case = OfferCase(a_rep(1), a_rep(2), a_rep(3), pushed(4))
    case.world.sms.fails_for = {str(case.reps[1].phone)}
    with pytest.raises(ConnectionError):
        case.run("offer")
    assert case.texted == phones(case.reps[0], case.reps[2])  # the others did not wait
    case.run("offer")
    assert case.texted == phones(*case.reps[:3])
    assert case.world.push.told() == [case.reps[3].rep_id]


def test_a_text_that_failed_leaves_no_code_behind() -> None:
    case = OfferCase(a_rep(1))
    case.world.sms.fails_for = {str(case.reps[0].phone)}
    with pytest.raises(ConnectionError):
        case.run("offer")
    assert case.world.memory.codes == {}
    assert case.world.memory.reserved == {}


# Claimed during and after sending


def test_a_lead_claimed_while_it_is_being_told_is_withdrawn_and_texted_to_nobody() -> None:
    case = OfferCase(pushed(1), pushed(2), a_rep(3))
    case.world.push.meanwhile = lambda: case.claim(case.reps[2])
    case.run("offer")
    assert sorted(case.world.push.told("withdraw")) == sorted(case.world.push.told("offer"))
    assert case.texted == []
    assert case.world.queue.waiting == []


def test_losers_alerts_are_withdrawn_and_only_theirs() -> None:
    case = OfferCase(pushed(1), pushed(2), pushed(3), a_rep(4), pushed(5))
    case.run("offer", *case.reps[:4])
    case.claim(case.reps[0])
    case.run("withdraw", *case.reps[1:])
    # The fourth was texted, the fifth never notified.
    assert case.world.push.told("withdraw") == [rep.rep_id for rep in case.reps[1:3]]


@pytest.mark.parametrize("what", ["attempted_at", "declined_at"])
def test_who_tried_or_declined_has_put_the_alert_away_themselves(what: str) -> None:
    case = OfferCase(pushed(1), pushed(2))
    case.run("offer")
    case.do(case.reps[0], what)
    case.run("withdraw")
    assert case.world.push.told("withdraw") == [case.reps[1].rep_id]


def test_who_only_looked_still_sees_the_alert_go() -> None:
    case = OfferCase(pushed(1))
    case.run("offer")
    case.do(case.reps[0], "seen_at")
    case.run("withdraw")
    assert case.world.push.told("withdraw") == [case.reps[0].rep_id]


def test_a_withdrawal_of_an_opening_nobody_was_told_of_shows_nothing() -> None:
    case = OfferCase(pushed(1))
    case.run("withdraw")
    assert case.world.push.alerts == []


def test_the_winners_claimed_time_stands_beside_their_offer() -> None:
    case = OfferCase(pushed(1), pushed(2))
    case.run("offer")
    case.world.clock.pass_(seconds=3)
    case.claim(case.reps[0])
    case.run("won", case.reps[0])
    told = case.world.offers.notices(case.lead.lead_id, 1, [r.rep_id for r in case.reps])
    assert told[case.reps[0].rep_id].claimed_at == NOON + timedelta(seconds=3)
    assert told[case.reps[1].rep_id].claimed_at is None


# A push its platform refused after SNS took it


def test_a_dead_device_is_switched_off_and_its_open_offers_are_texted() -> None:
    case = OfferCase(pushed(1), pushed(2), teams={"north": {"name": "N"}, "south": {"name": "S"}})
    other = case.world.post_lead(a_card(2, team="south"))
    second = case.world.post_lead(a_card(3, team="north"))
    case.run("offer")
    rep = case.reps[0]
    push_failed(rep.rep_id, "arn:1", case.world.race, case.world.roster, case.world.queue)
    assert case.world.memory.reps[rep.rep_id].pushable == ()
    assert case.world.memory.reps[case.reps[1].rep_id].pushable
    about = {batch.lead_id for batch in case.world.queue.of("undelivered")}
    assert about == {case.lead.lead_id, second.lead_id}
    assert other.lead_id not in about
    for batch in case.world.queue.of("undelivered"):
        notify(batch, case.deps)
    assert case.texted == phones(rep, rep)


def test_a_reps_other_device_stays_on() -> None:
    both = (replace(PHONE, endpoint_arn="arn:old"), Device("tablet", Platform.APNS, "arn:new"))
    case = OfferCase(a_rep(1, devices=both))
    rep = case.reps[0]
    push_failed(rep.rep_id, "arn:old", case.world.race, case.world.roster, case.world.queue)
    stored = case.world.memory.reps[rep.rep_id]
    assert [device.endpoint_arn for device in stored.pushable] == ["arn:new"]


def test_a_failure_of_a_rep_who_is_gone_is_let_go() -> None:
    case = OfferCase(pushed(1))
    push_failed("zzzzz", "arn:1", case.world.race, case.world.roster, case.world.queue)
    assert case.world.queue.waiting == []


@pytest.mark.parametrize("kind", ["unseen", "undelivered"])
def test_nobody_is_texted_of_a_lead_before_their_tiers_time(kind: str) -> None:
    waves = {"standard": [0, 900, None], "premium": [0, 900, None]}
    case = OfferCase(
        pushed(1, tier=1), pushed(2, tier=2), pushed(3, tier=3), model="tiers", waves=waves
    )
    case.run(kind)
    assert case.texted == phones(case.reps[0])
    case.world.clock.at = case.lead.opens_at + timedelta(minutes=15, milliseconds=-1)
    case.run(kind)
    assert case.texted == phones(case.reps[0])
    case.world.clock.pass_(milliseconds=1)
    case.run(kind)
    assert case.texted == phones(*case.reps[:2])


# A lead's holder


def holding(rep: Rep, **playbook: object) -> OfferCase:
    """Return a lead that this rep holds."""
    case = OfferCase(rep, a_rep(9), **playbook)
    case.claim(rep)
    return case


HOLDER_KINDS = ["assigned", "unworked"]


@pytest.mark.parametrize("kind", HOLDER_KINDS)
def test_a_holder_with_the_app_is_told_by_push_and_by_no_text(kind: str) -> None:
    case = holding(pushed(1))
    case.run(kind, case.reps[0])
    assert case.world.push.told(kind) == [case.reps[0].rep_id]
    assert case.texted == []


@pytest.mark.parametrize("kind", HOLDER_KINDS)
def test_a_holder_whom_push_does_not_reach_is_texted(kind: str) -> None:
    refused, without = holding(pushed(1)), holding(a_rep(1))
    refused.world.push.refuses = {refused.reps[0].rep_id}
    for case in (refused, without):
        case.run(kind, case.reps[0])
        assert case.texted == phones(case.reps[0])
        (_, text) = case.world.sms.texts[0]
        assert text.startswith(f"{kind} {case.lead.lead_id} ")
        assert len(text.split()[2]) == 22
        assert case.world.counted["SmsSent"] == 1


@pytest.mark.parametrize("kind", HOLDER_KINDS)
def test_a_holder_is_told_whatever_they_have_switched_off_because_the_lead_is_theirs(
    kind: str,
) -> None:
    case = holding(a_rep(1))
    until = NOON + timedelta(hours=3)
    case.world.roster.pause(case.reps[0].rep_id, until)
    case.world.roster.quiet(case.reps[0].rep_id, until)
    case.run(kind, case.reps[0])
    assert case.texted == phones(case.reps[0])


@pytest.mark.parametrize("kind", HOLDER_KINDS)
@pytest.mark.parametrize(
    ("rep", "sms"),
    [
        ({"sms_opted_out": True}, {}),
        ({"phone": None}, {}),
        ({}, {"enabled": False}),
    ],
)
def test_no_holder_is_texted_who_may_not_be(
    kind: str, rep: dict[str, object], sms: dict[str, object]
) -> None:
    case = holding(a_rep(1, **rep), sms=sms)
    case.run(kind, case.reps[0])
    assert case.texted == []
    assert case.world.counted["SmsSent"] == 0


@pytest.mark.parametrize("kind", HOLDER_KINDS)
def test_nobody_is_told_that_a_lead_is_theirs_when_it_is_not_any_more(kind: str) -> None:
    gone, undone, elsewhere = (holding(a_rep(1)) for _ in range(3))
    gone.world.roster.deactivate(gone.reps[0].rep_id, NOON.date())
    rep, world = undone.reps[0], undone.world
    undo(world.race, undone.lead.lead_id, rep.rep_id, proof_of(rep), world.clock)
    for case in (gone, undone):
        case.run(kind, case.reps[0])
        assert (case.world.push.alerts, case.texted) == ([], [])
    elsewhere.run(kind, elsewhere.reps[1])
    elsewhere.run(kind, lead=replace(elsewhere.lead, lead_id="aaaaaaaaaaaa"))
    elsewhere.run(kind, elsewhere.reps[0], lead=replace(elsewhere.lead, epoch=2))
    assert (elsewhere.world.push.alerts, elsewhere.texted) == ([], [])


def test_nobody_is_reminded_of_a_lead_they_have_worked() -> None:
    case = holding(a_rep(1))
    stored = case.world.lead(case.lead)
    case.world.memory.leads[stored.lead_id] = replace(stored, worked_at=NOON)
    case.run("unworked", case.reps[0])
    assert case.texted == []


def test_a_text_about_a_test_lead_is_not_counted() -> None:
    case = OfferCase(a_rep(1))
    case.lead = case.world.post_lead(a_card(2, test=True))
    case.claim(case.reps[0])
    case.run("assigned", case.reps[0])
    assert case.texted == phones(case.reps[0])
    assert case.world.counted["SmsSent"] == 0


def trial(case: OfferCase, everybody: bool = False) -> Lead:
    """Post a test lead."""
    flags = (TEST_EVERYBODY,) if everybody else ()
    return case.world.post_lead(a_card(2, test=True, flags=flags))


@pytest.mark.parametrize("kind", ["offer", "late", "unseen", "undelivered"])
def test_only_the_playbooks_test_reps_are_told_of_a_test_lead(kind: str) -> None:
    case = OfferCase(a_rep(1), a_rep(2), a_rep(3), test_reps=[a_rep(2).rep_id])
    case.run(kind, lead=trial(case))
    assert case.texted == phones(case.reps[1])
    nobody = OfferCase(a_rep(1), pushed(2))
    nobody.run(kind, lead=trial(nobody))
    assert (nobody.texted, nobody.world.push.alerts) == ([], [])


@pytest.mark.parametrize("kind", ["offer", "late", "unseen", "undelivered"])
def test_everybody_is_told_of_a_test_lead_whose_post_asks_for_it(kind: str) -> None:
    case = OfferCase(a_rep(1), a_rep(2), test_reps=[a_rep(2).rep_id])
    case.run(kind, lead=trial(case, everybody=True))
    assert case.texted == phones(*case.reps)


def test_whoever_is_assigned_a_test_lead_hears_of_it_only_as_a_test_rep() -> None:
    for named, told in (([], 0), ([a_rep(1).rep_id], 1)):
        case = OfferCase(a_rep(1), test_reps=named)
        lead = trial(case)
        held = replace(case.world.lead(lead), state=State.ASSIGNED, owner=case.reps[0].rep_id)
        case.world.memory.leads[lead.lead_id] = held
        case.run("assigned", lead=held)
        assert len(case.texted) == told
