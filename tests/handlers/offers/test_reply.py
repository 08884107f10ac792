"""Texts from reps: a code or a yes claims, and every text gets one answer at most."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from dibs.core.lead import Lead, State
from dibs.core.rep import Rep
from dibs.offers.sms import SnsSms
from dibs.race.ports import SentOffer
from handlers.office import AINA, BEN, CHONG, DAYANG, Event, Office, event, sqs

DONE: dict[str, Any] = {"batchItemFailures": []}
STRANGER = "+60129999999"


def text(body: str, phone: str | None = AINA.phone, message_id: str = "inbound-1") -> Event:
    """The event with another text in it, from another phone."""
    inbound = json.loads(event("sqs_reply")["Records"][0]["body"])
    changes = {"messageBody": body, "originationNumber": phone, "inboundMessageId": message_id}
    return sqs("sqs_reply", {**inbound, **changes})


def answers(office: Office, body: str, rep: Rep = AINA, message_id: str = "inbound-1") -> list[str]:
    """Text something, and return what comes back."""
    before = len(office.texts())
    assert office.run("reply", text(body, rep.phone, message_id)) == DONE
    new = office.texts()[before:]
    assert {number for number, _ in new} <= {rep.phone}
    return [answer for _, answer in new]


def offered(office: Office, lead: Lead, code: str = "7K2P", rep: Rep = AINA) -> None:
    """Let the rep have got the lead's text, with this code."""
    office.offers.reserve_sms(lead, rep.rep_id, lambda: code, office.clock.at)
    told(office, lead, rep)


def told(office: Office, lead: Lead, rep: Rep = AINA) -> None:
    """Let the rep have been told of the lead."""
    office.offers.record(
        [SentOffer(lead.lead_id, lead.epoch, rep.rep_id, office.clock.at, ("sms",))]
    )


# Codes


def test_the_code_wins_the_lead_and_the_answer_has_the_contact(office: Office) -> None:
    office.hire(AINA)
    lead = office.lead(consent="Web form")
    offered(office, lead)
    assert office.run("reply", event("sqs_reply")) == DONE
    [(number, answer)] = office.texts()
    assert number == AINA.phone
    for part in ("Acme 1 Sdn Bhd", "Jane Tan", "+60128880000", "jane@acme.example", "Web form"):
        assert part in answer
    assert office.now(lead).owner == AINA.rep_id


def test_the_code_of_a_text_that_was_really_sent_wins(office: Office) -> None:
    office.hire(AINA)
    lead = office.lead()
    office.run("notify", event("sqs_notify"))
    [(_, offer)] = office.texts()
    code = re.search(r"Reply (\w+)", offer)
    assert code
    [answer] = answers(office, code[1].lower())
    assert "You won Acme 1 Sdn Bhd!" in answer
    assert office.now(lead).owner == AINA.rep_id


@pytest.mark.parametrize("body", ["7k2p", " 7K2P ", "7K 2P", "7K2P!", "Ok 7K2P please", "7-K-2-P"])
def test_a_code_is_read_however_it_was_typed(office: Office, body: str) -> None:
    office.hire(AINA)
    lead = office.lead()
    offered(office, lead)
    [answer] = answers(office, body)
    assert "You won" in answer
    assert office.now(lead).owner == AINA.rep_id


def test_the_loser_hears_who_won(office: Office) -> None:
    office.hire(AINA, BEN)
    lead = office.lead()
    offered(office, lead)
    office.claim(lead, BEN)
    office.clock.pass_(seconds=4)
    [answer] = answers(office, "7K2P")
    assert "Ben Lim won it 4 seconds ago" in answer
    assert "Jane" not in answer
    [sighting] = office.offers.sightings(lead.lead_id, 1, [AINA.rep_id]).values()
    assert sighting.attempted_at == office.clock.at


def test_a_rep_who_may_not_claim_hears_why(office: Office) -> None:
    office.hire(AINA)
    lead = office.lead()
    offered(office, lead)
    office.pause(AINA, hours=1)
    [answer] = answers(office, "7K2P")
    assert answer.startswith("Not claimed. You are paused.")
    assert office.now(lead).state is State.OPEN


def test_a_code_after_the_window_or_of_an_earlier_opening_is_over(office: Office) -> None:
    office.hire(AINA, BEN)
    lead = office.lead()
    offered(office, lead)
    office.clock.pass_(seconds=900)
    [late] = answers(office, "7K2P")
    assert "this offer is over" in late


def test_an_unknown_code_is_answered_and_claims_nothing(office: Office) -> None:
    office.hire(AINA)
    lead = office.lead()
    [answer] = answers(office, "9Z9Z")
    assert "We do not know this code" in answer
    assert office.now(lead).state is State.OPEN


def test_a_code_is_good_for_the_phone_it_was_sent_to_alone(office: Office) -> None:
    office.hire(AINA, BEN, CHONG)
    lead = office.lead()
    offered(office, lead, rep=AINA)
    for number, thief in enumerate((BEN, CHONG)):
        [answer] = answers(office, "7K2P", thief, f"inbound-{number}")
        assert "We do not know this code" in answer
    assert office.now(lead).state is State.OPEN


def test_claiming_again_by_text_is_answered_as_won_again(office: Office) -> None:
    office.hire(AINA)
    lead = office.lead()
    offered(office, lead)
    assert answers(office, "7K2P", message_id="a") == answers(office, "7K2P", message_id="b")


# A bare yes


@pytest.mark.parametrize("word", ["yes", "Yes!", "YES", "y", "ya", "Ya", "да", "Да", "ДА!", "是"])
@pytest.mark.parametrize("rep", [AINA, DAYANG], ids=["en", "ms"])
def test_yes_claims_the_only_open_offer(office: Office, word: str, rep: Rep) -> None:
    office.hire(rep)
    lead = office.lead()
    told(office, lead, rep)
    told(office, office.lead(2, team="south"), rep)
    office.lead(3)  # open, but the rep has not been told of it yet
    [answer] = answers(office, word, rep)
    assert "Jane Tan" in answer
    assert ("You won" in answer) is (rep is AINA)
    assert office.now(lead).owner == rep.rep_id


def test_yes_to_nothing_is_answered(office: Office) -> None:
    office.hire(AINA)
    office.lead(team="south")
    [answer] = answers(office, "yes")
    assert "You have no open offer now." in answer


def test_yes_to_two_asks_which(office: Office) -> None:
    office.hire(AINA)
    first, second = office.lead(1), office.lead(2)
    told(office, first)
    told(office, second)
    [answer] = answers(office, "yes")
    assert "Reply with the code" in answer
    assert office.now(first).state is office.now(second).state is State.OPEN


def test_an_offer_the_rep_may_not_claim_does_not_count_as_open(office: Office) -> None:
    office.hire(AINA)
    told(office, office.lead())
    office.pause(AINA, hours=1)
    [answer] = answers(office, "yes")
    assert "You have no open offer now." in answer


# Stop and start


@pytest.mark.parametrize("word", ["STOP", "stop", "Stop.", "UNSUBSCRIBE", "stop it"])
def test_stop_is_kept_and_not_answered(office: Office, word: str) -> None:
    office.hire(AINA)
    assert answers(office, word) == []
    office.lead()
    office.run("notify", event("sqs_notify"))
    assert office.texts() == []


def test_start_lets_the_texts_come_again(office: Office) -> None:
    office.hire(AINA)
    assert answers(office, "STOP", message_id="a") == []
    assert answers(office, "START", message_id="b") == []
    office.lead()
    office.run("notify", event("sqs_notify"))
    assert len(office.texts()) == 1


# Whatever else comes in


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("Disliked “7K2P”", "To claim, reply only: 7K2P"),
        ("7K2P for Ben please", "To claim, reply only: 7K2P"),
        ("No thanks, not 7K2P", "OK, we leave it."),
    ],
)
def test_what_is_no_plain_yes_claims_nothing_and_is_answered(
    office: Office, body: str, said: str
) -> None:
    office.hire(AINA)
    lead = office.lead()
    offered(office, lead)
    [answer] = answers(office, body)
    assert said in answer
    assert office.now(lead).state is State.OPEN


def test_a_redelivered_text_is_answered_once(office: Office) -> None:
    office.hire(AINA)
    offered(office, office.lead())
    for _ in range(3):
        assert office.run("reply", event("sqs_reply")) == DONE
    assert len(office.texts()) == 1


def test_an_answer_that_failed_is_sent_by_the_next_delivery(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.hire(AINA)
    lead = office.lead()
    offered(office, lead)

    def failing(sms: SnsSms, number: str, said: str) -> None:
        raise ConnectionError(f"{number} was not told {said}")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(SnsSms, "send", failing)
        failed = office.run("reply", event("sqs_reply"))
    message_id = event("sqs_reply")["Records"][0]["messageId"]
    assert failed == {"batchItemFailures": [{"itemIdentifier": message_id}]}
    assert office.now(lead).owner == AINA.rep_id
    assert office.run("reply", event("sqs_reply")) == DONE
    [(_, answer)] = office.texts()
    assert "You won" in answer


def test_a_stranger_is_answered_once_a_day_and_told_nothing(office: Office) -> None:
    office.hire(AINA)
    lead = office.lead()
    offered(office, lead)
    for number, body in enumerate(["7K2P", "yes", "hello?"]):
        assert office.run("reply", text(body, STRANGER, f"inbound-{number}")) == DONE
    [(number, answer)] = office.texts()
    assert number == STRANGER
    assert answer == "This number belongs to no sales rep here. Ask your manager."
    assert office.now(lead).state is State.OPEN
    office.clock.pass_(days=1)
    office.run("reply", text("hello again", STRANGER, "inbound-9"))
    assert len(office.texts()) == 2


def test_what_is_not_understood_is_answered_once_a_day(office: Office) -> None:
    office.hire(AINA)
    [answer] = answers(office, "who is this", message_id="a")
    assert "reply with the code" in answer
    assert answers(office, "hello", message_id="b") == []


def test_answers_are_in_the_reps_language(office: Office) -> None:
    office.hire(DAYANG)
    [answer] = answers(office, "yes", DAYANG)
    assert "You have" not in answer
    assert "tawaran" in answer.lower()


def test_no_answer_holds_a_word_that_carriers_act_on(office: Office) -> None:
    office.hire(AINA)
    for number, body in enumerate(["yes", "9Z9Z", "hello"]):
        answers(office, body, message_id=f"inbound-{number}")
    assert len(office.texts()) == 3
    for _, answer in office.texts():
        assert not re.search(r"\b(STOP|HELP|END|QUIT|CANCEL)\b", answer, re.IGNORECASE)


def test_a_claim_by_text_is_counted_as_any_other(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    office.hire(AINA)
    offered(office, office.lead())
    office.clock.pass_(seconds=9)
    office.run("reply", event("sqs_reply"))
    assert office.counted(capsys) == {"Replies": 1, "Claims": 1, "ClaimMs": 9000}


def test_a_text_in_a_form_we_do_not_know_fails_and_comes_again(office: Office) -> None:
    assert office.run("reply", sqs("sqs_reply", {"hello": "you"})) == {
        "batchItemFailures": [{"itemIdentifier": "message-0"}]
    }
