"""Claiming by text with the code or a bare yes; no other action works by text (N5)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dibs.core.errors import AlreadyClaimed, ClaimRefused, Expired, Withdrawn
from dibs.core.lead import Lead, State
from dibs.core.rep import Rep
from dibs.offers.meaning import MOST_CODES, meaning
from dibs.offers.reply import Answer, InboundSms, Outcomes, reply
from dibs.race.claim import Won, by_sms, claim
from dibs.race.ports import SentOffer
from support.builders import NOON, a_card, a_playbook, a_rep
from support.fakes import FakeSms, FakeWorld

CODE = "7K2P"
STRANGER = "+60199999999"


class Line:
    """Reps with phones, and the leads they got texts about."""

    def __init__(self, code: str = CODE, **playbook: object) -> None:
        self.world = FakeWorld(a_playbook(**playbook))
        self.rep = self.world.add_rep(a_rep(1, name="Aina"))
        self.other = self.world.add_rep(a_rep(2, name="Ben"))
        self.lead = self.offer(1, code)
        self._number = 0
        self.sms = FakeSms()

    def offer(self, number: int, code: str, rep: Rep | None = None) -> Lead:
        """Post a lead and text the rep its code."""
        lead = self.world.post_lead(a_card(number))
        about = (rep or self.rep).rep_id
        assert self.world.offers.reserve_sms(lead, about, lambda: code, NOON) == code
        self.world.offers.record([SentOffer(lead.lead_id, lead.epoch, about, NOON, ("sms",))])
        return lead

    def text(self, body: str, phone: str | None = None) -> Answer | None:
        self._number += 1
        world = self.world
        number, now = str(self._number), world.clock()
        message = InboundSms(number, phone or str(self.rep.phone), body, now)
        return reply(
            message,
            world.race,
            world.roster,
            world.offers,
            world.once,
            world.clock,
            self.sms.opt_in,
            self.outcomes(),
        )

    def outcomes(self) -> Outcomes:
        """What came of leads: here nobody holds one."""

        def tell(*told: object) -> None:
            raise AssertionError(told)

        return Outcomes(lambda rep_id: [], tell, tell)

    def outcome(self, body: str) -> object:
        answer = self.text(body)
        assert answer is not None
        return answer.outcome

    def owner(self) -> str | None:
        return self.world.lead(self.lead).owner


@pytest.mark.parametrize(
    "body",
    [
        "7K2P",
        "7k2p",
        " 7K2P\n",
        "7K 2P",
        "7 k 2 p",
        "7K2P!",
        "“7K2P”",
        "7K2P please",
        "I take 7K2P.",
        "Claim 7K2P for me",
        "code:7K2P",
        "ok, 7K2P!",
    ],
)
def test_the_code_claims_however_it_is_written(body: str) -> None:
    line = Line()
    won = line.outcome(body)
    assert isinstance(won, Won)
    assert won.card is not None
    assert won.card.contact_phone == "+60128880000"
    assert line.owner() == line.rep.rep_id


@pytest.mark.parametrize(
    "body",
    [
        "yes",
        "Yes!",
        "YES",
        "y",
        "ya",
        "Ya.",
        "да",
        "Да!",
        "是",
        "是。",
        " 是 ",
    ],
)
def test_a_bare_yes_claims_when_one_offer_is_open(body: str) -> None:
    line = Line()
    assert isinstance(line.outcome(body), Won)
    assert line.owner() == line.rep.rep_id


@pytest.mark.parametrize(
    "body",
    ["Ya saya sibuk sekarang", "Yes but I am busy, give it to Ben", "Y NOT", "yes if free"],
)
def test_talk_that_begins_with_yes_claims_nothing(body: str) -> None:
    line = Line()
    assert line.outcome(body) == "not_understood"
    assert line.owner() is None


def test_a_code_after_yes_claims_its_own_lead_also_when_written_apart() -> None:
    line = Line()
    second = line.offer(2, "9Q4R")
    won = line.outcome("yes 9Q 4R")
    assert isinstance(won, Won)
    assert won.claim.lead_id == second.lead_id


def test_a_yes_means_only_a_lead_the_rep_had_been_told_of_by_then() -> None:
    line = Line()
    rep, world = line.rep, line.world
    late = InboundSms("old", str(rep.phone), "yes", NOON - timedelta(minutes=1))
    arguments = (world.race, world.roster, world.offers, world.once, world.clock, FakeSms().opt_in)
    answered = reply(late, *arguments, line.outcomes())
    assert answered is not None
    assert answered.outcome == "no_open_offer"
    world.post_lead(a_card(2))  # open, but this rep got no offer for it
    won = line.outcome("yes")
    assert isinstance(won, Won)
    assert won.claim.lead_id == line.lead.lead_id


@pytest.mark.parametrize("body", ["Cancel that please", "End of day, sorry", "quit asking"])
def test_talk_that_begins_with_a_word_of_aws_opts_out_here_because_it_does_there(body: str) -> None:
    line = Line()
    assert line.text(body) is None
    known = line.world.roster.get(line.rep.rep_id)
    assert known is not None
    assert known.sms_opted_out


def test_a_yes_to_several_offers_asks_which_and_claims_none() -> None:
    line = Line()
    line.offer(2, "9Q4R")
    assert line.outcome("yes") == "which_offer"
    assert {lead.state for lead in line.world.memory.leads.values()} == {State.OPEN}
    assert isinstance(line.outcome("9Q4R"), Won)


def test_a_yes_to_no_offer_says_that_none_is_open() -> None:
    line = Line()
    line.world.clock.at = line.lead.closes_at
    assert line.outcome("yes") == "no_open_offer"


def test_a_yes_does_not_mean_a_lead_that_rules_keep_from_the_rep() -> None:
    line = Line(teams={"north": {"name": "N"}, "south": {"name": "S"}})
    line.world.post_lead(a_card(2, team="south"))
    won = line.outcome("yes")
    assert isinstance(won, Won)
    assert won.claim.lead_id == line.lead.lead_id


def test_a_yes_from_somebody_at_their_limit_claims_nothing() -> None:
    line = Line(claims_per_day=1)
    assert isinstance(line.outcome(CODE), Won)
    line.offer(2, "9Q4R")
    assert line.outcome("yes") == "no_open_offer"
    assert len([lead for lead in line.world.memory.leads.values() if lead.owner]) == 1


def test_a_loser_hears_who_was_faster() -> None:
    line = Line()
    claim(line.world.race, line.lead.lead_id, line.other.rep_id, by_sms(1), line.world.clock)
    line.world.clock.pass_(seconds=2)
    lost = line.outcome(CODE)
    assert isinstance(lost, AlreadyClaimed)
    assert (lost.claimed_by, lost.ms_ago) == ((line.other.rep_id, "Ben"), 2000)


def test_a_refused_rep_hears_why() -> None:
    line = Line()
    line.world.roster.pause(line.rep.rep_id, NOON + timedelta(minutes=1))
    refused = line.outcome(CODE)
    assert isinstance(refused, ClaimRefused)
    assert [refusal.code for refusal in refused.refusals] == ["paused"]
    assert line.owner() is None


def test_a_late_code_hears_that_the_window_closed() -> None:
    line = Line()
    line.world.clock.at = line.lead.closes_at
    assert isinstance(line.outcome(CODE), Expired)


def test_a_code_of_an_earlier_opening_hears_that_the_offer_is_over() -> None:
    line = Line()
    stored = line.world.lead(line.lead)
    line.world.memory.leads[stored.lead_id] = type(stored)(**{**vars(stored), "epoch": 2})
    assert isinstance(line.outcome(CODE), Withdrawn)
    assert line.owner() is None


def test_the_code_sent_twice_is_won_once_and_yours_already() -> None:
    line = Line()
    assert isinstance(line.outcome(CODE), Won)
    again = line.outcome(CODE)
    assert isinstance(again, Won)
    assert again.already_yours
    assert line.world.memory.usage[line.rep.rep_id].claims == 1


def test_a_code_belongs_to_the_phone_it_was_sent_to() -> None:
    line = Line()
    answer = line.text(CODE, str(line.other.phone))
    assert answer is not None
    assert answer.outcome == "unknown_code"
    assert line.owner() is None


def test_a_code_nobody_sent_is_said_to_be_unknown() -> None:
    line = Line()
    assert line.outcome("9Q4R") == "unknown_code"
    assert line.owner() is None


@pytest.mark.parametrize(
    "body",
    [
        "Disliked “Acme Sdn Bhd, Director. 13:59 left. Reply 7K2P or https://dibs.example/c/0Ab1”",
        "👍 to “7K2P”",
        "7K2P for Ben please",
        "is 7K2P still free?",
        "take unit 5B22 for 7K2P",
        "> 7K2P",
    ],
)
def test_a_text_that_names_an_offer_but_is_no_plain_yes_hears_how_to_claim(body: str) -> None:
    line = Line()
    answer = line.text(body)
    assert answer is not None
    assert (answer.outcome, answer.code) == ("reply_only", CODE)
    assert line.owner() is None
    assert isinstance(line.outcome(answer.code), Won)


@pytest.mark.parametrize("body", ["No thanks, not 7K2P", "can't take 7K2P", "tak nak", "no"])
def test_a_refusal_is_left_at_that(body: str) -> None:
    line = Line()
    assert line.outcome(body) == "declined"
    assert line.owner() is None


def test_several_codes_claim_none_and_are_asked_about() -> None:
    line = Line()
    line.offer(2, "9Q4R")
    assert line.outcome("7K2P and 9Q4R") == "which_offer"
    assert line.outcome("7K2P 9Q4R") == "which_offer"
    assert line.owner() is None
    line.world.clock.at = line.lead.closes_at
    assert isinstance(line.outcome("7K2P and 9Q4R"), Withdrawn)


def test_talk_of_an_offer_that_is_over_is_told_so() -> None:
    line = Line()
    claim(line.world.race, line.lead.lead_id, line.other.rep_id, by_sms(1), line.world.clock)
    assert isinstance(line.outcome("Loved “7K2P”"), Withdrawn)


def test_talk_of_a_lead_the_rep_has_won_is_not_told_that_it_is_over() -> None:
    line = Line()
    line.outcome(CODE)
    assert line.outcome("Loved “7K2P”") == "yours"


def test_a_text_of_many_codes_looks_few_of_them_up(monkeypatch: pytest.MonkeyPatch) -> None:
    line, asked = Line(), []
    monkeypatch.setattr(line.world.offers, "find_code", lambda rep_id, code: asked.append(code))
    line.text(" ".join(f"A{one}{two}B" for one in "23456789" for two in "23456789"))
    line.text("7K2P 7K2P")
    assert len(asked) == MOST_CODES + 1


@pytest.mark.parametrize(
    "body", ["", "   ", "hello", "who is this?", "ok", "👍", "not yes", "%s {0} '; DROP", "1"]
)
def test_garbage_is_answered_once_a_day_and_claims_nothing(body: str) -> None:
    line = Line()
    assert line.outcome(body) == "not_understood"
    assert line.text(body) is None
    assert line.text("another") is None
    assert line.owner() is None
    line.world.clock.pass_(days=1)
    assert line.outcome(body) == "not_understood"


def test_an_unknown_number_is_answered_once_a_day_and_claims_nothing() -> None:
    line = Line()
    answer = line.text(CODE, STRANGER)
    assert answer == Answer(STRANGER, None, "unknown_number")
    assert line.text("yes", STRANGER) is None
    other = line.text(CODE, "+60188888888")
    assert other is not None
    assert line.owner() is None
    line.world.clock.pass_(days=1)
    assert line.text(CODE, STRANGER) is not None


def test_a_rep_who_left_is_a_stranger() -> None:
    line = Line()
    line.world.memory.reps[line.rep.rep_id] = a_rep(1, active=False)
    answer = line.text(CODE)
    assert answer is not None
    assert (answer.rep, answer.outcome) == (None, "unknown_number")
    assert line.owner() is None


@pytest.mark.parametrize(
    "word",
    ["STOP", "stop", "Stop!", "STOP ALL", "stop please", "opt-out", "REVOKE", "СТОП", "停止"],
)
def test_stop_is_respected_and_left_to_the_carrier_to_answer(word: str) -> None:
    line = Line()
    assert line.text(word) is None
    assert line.world.memory.reps[line.rep.rep_id].sms_opted_out
    assert not line.world.memory.reps[line.rep.rep_id].textable
    assert line.owner() is None


@pytest.mark.parametrize("word", ["START", "UNSTOP", "start", " Start. ", "старт"])
def test_start_switches_texts_on_again_without_an_answer(word: str) -> None:
    line = Line()
    line.text("STOP")
    line.sms.unwanted = {str(line.rep.phone), STRANGER}
    assert line.text(word) is None
    assert line.sms.unwanted == {STRANGER}
    assert not line.world.memory.reps[line.rep.rep_id].sms_opted_out


@pytest.mark.parametrize("word", ["STOP", "stop", "START", "unsubscribe"])
def test_a_stranger_who_says_stop_gets_no_text_back(word: str) -> None:
    assert Line().text(word, STRANGER) is None


def test_somebody_who_opted_out_may_still_claim_and_is_answered() -> None:
    line = Line()
    line.text("STOP")
    assert isinstance(line.outcome(CODE), Won)


@given(st.text(max_size=160))
def test_whatever_is_texted_only_a_plain_yes_claims(body: str) -> None:
    line = Line()
    line.text(body)
    if meaning(body).asks not in ("claim", "yes"):
        assert line.owner() is None


def test_a_text_changes_nothing_of_anybody_elses() -> None:
    line = Line()
    before = line.world.memory.reps[line.other.rep_id]
    for body in ("STOP", "START", CODE):
        line.text(body)
    assert line.world.memory.reps[line.other.rep_id] == before
