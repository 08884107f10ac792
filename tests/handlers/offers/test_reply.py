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
from handlers.app import AINA, BEN, CHONG, DAYANG, App, Event, event, sqs
from support.builders import a_playbook

DONE: dict[str, Any] = {"batchItemFailures": []}
STRANGER = "+60129999999"


def text(body: str, phone: str | None = AINA.phone, message_id: str = "inbound-1") -> Event:
    """The event with another text in it, from another phone."""
    inbound = json.loads(event("sqs_reply")["Records"][0]["body"])
    changes = {"messageBody": body, "originationNumber": phone, "inboundMessageId": message_id}
    return sqs("sqs_reply", {**inbound, **changes})


def answers(app: App, body: str, rep: Rep = AINA, message_id: str = "inbound-1") -> list[str]:
    """Text something, and return what comes back."""
    before = len(app.texts())
    assert app.run("reply", text(body, rep.phone, message_id)) == DONE
    new = app.texts()[before:]
    assert {number for number, _ in new} <= {rep.phone}
    return [answer for _, answer in new]


def offered(app: App, lead: Lead, code: str = "7K2P", rep: Rep = AINA) -> None:
    """Let the rep have got the lead's text, with this code."""
    app.offers.reserve_sms(lead, rep.rep_id, lambda: code, app.clock.at)
    told(app, lead, rep)


def told(app: App, lead: Lead, rep: Rep = AINA) -> None:
    """Let the rep have been told of the lead."""
    app.offers.record([SentOffer(lead.lead_id, lead.epoch, rep.rep_id, app.clock.at, ("sms",))])


# Codes


def test_the_code_wins_the_lead_and_the_answer_has_the_contact(app: App) -> None:
    app.hire(AINA)
    lead = app.lead(consent="Web form")
    offered(app, lead)
    assert app.run("reply", event("sqs_reply")) == DONE
    [(number, answer)] = app.texts()
    assert number == AINA.phone
    for part in ("Acme 1 Sdn Bhd", "Jane Tan", "+60128880000", "jane@acme.example", "Web form"):
        assert part in answer
    assert app.now(lead).owner == AINA.rep_id


def test_the_code_of_a_text_that_was_really_sent_wins(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    app.run("notify", event("sqs_notify"))
    [(_, offer)] = app.texts()
    code = re.search(r"Reply (\w+)", offer)
    assert code
    [answer] = answers(app, code[1].lower())
    assert "You won Acme 1 Sdn Bhd!" in answer
    assert app.now(lead).owner == AINA.rep_id


@pytest.mark.parametrize("body", ["7k2p", " 7K2P ", "7K 2P", "7K2P!", "Ok 7K2P please", "7-K-2-P"])
def test_a_code_is_read_however_it_was_typed(app: App, body: str) -> None:
    app.hire(AINA)
    lead = app.lead()
    offered(app, lead)
    [answer] = answers(app, body)
    assert "You won" in answer
    assert app.now(lead).owner == AINA.rep_id


def test_the_loser_hears_who_won(app: App) -> None:
    app.hire(AINA, BEN)
    lead = app.lead()
    offered(app, lead)
    app.claim(lead, BEN)
    app.clock.pass_(seconds=4)
    [answer] = answers(app, "7K2P")
    assert "Ben Lim won it 4 seconds ago" in answer
    assert "Jane" not in answer
    [sighting] = app.offers.sightings(lead.lead_id, 1, [AINA.rep_id]).values()
    assert sighting.attempted_at == app.clock.at


def test_a_rep_who_may_not_claim_hears_why(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    offered(app, lead)
    app.pause(AINA, hours=1)
    [answer] = answers(app, "7K2P")
    assert answer.startswith("Not claimed. You are paused.")
    assert app.now(lead).state is State.OPEN


def test_a_code_after_the_window_or_of_an_earlier_opening_is_over(app: App) -> None:
    app.hire(AINA, BEN)
    lead = app.lead()
    offered(app, lead)
    app.clock.pass_(seconds=900)
    [late] = answers(app, "7K2P")
    assert "this offer is over" in late


def test_an_unknown_code_is_answered_and_claims_nothing(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    [answer] = answers(app, "9Z9Z")
    assert "We do not know this code" in answer
    assert app.now(lead).state is State.OPEN


def test_a_code_is_good_for_the_phone_it_was_sent_to_alone(app: App) -> None:
    app.hire(AINA, BEN, CHONG)
    lead = app.lead()
    offered(app, lead, rep=AINA)
    for number, thief in enumerate((BEN, CHONG)):
        [answer] = answers(app, "7K2P", thief, f"inbound-{number}")
        assert "We do not know this code" in answer
    assert app.now(lead).state is State.OPEN


def test_claiming_again_by_text_is_answered_as_won_again(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    offered(app, lead)
    assert answers(app, "7K2P", message_id="a") == answers(app, "7K2P", message_id="b")


# A bare yes


@pytest.mark.parametrize("word", ["yes", "Yes!", "YES", "y", "ya", "Ya", "да", "Да", "ДА!", "是"])
@pytest.mark.parametrize("rep", [AINA, DAYANG], ids=["en", "ms"])
def test_yes_claims_the_only_open_offer(app: App, word: str, rep: Rep) -> None:
    app.hire(rep)
    lead = app.lead()
    told(app, lead, rep)
    told(app, app.lead(2, team="south"), rep)
    app.lead(3)  # open, but the rep has not been told of it yet
    [answer] = answers(app, word, rep)
    assert "Jane Tan" in answer
    assert ("You won" in answer) is (rep is AINA)
    assert app.now(lead).owner == rep.rep_id


def test_yes_to_nothing_is_answered(app: App) -> None:
    app.hire(AINA)
    app.lead(team="south")
    [answer] = answers(app, "yes")
    assert "You have no open offer now." in answer


def test_yes_to_two_asks_which(app: App) -> None:
    app.hire(AINA)
    first, second = app.lead(1), app.lead(2)
    told(app, first)
    told(app, second)
    [answer] = answers(app, "yes")
    assert "Reply with the code" in answer
    assert app.now(first).state is app.now(second).state is State.OPEN


def test_an_offer_the_rep_may_not_claim_does_not_count_as_open(app: App) -> None:
    app.hire(AINA)
    told(app, app.lead())
    app.pause(AINA, hours=1)
    [answer] = answers(app, "yes")
    assert "You have no open offer now." in answer


# Stop and start


@pytest.mark.parametrize("word", ["STOP", "stop", "Stop.", "UNSUBSCRIBE", "stop it"])
def test_stop_is_kept_and_not_answered(app: App, word: str) -> None:
    app.hire(AINA)
    assert answers(app, word) == []
    app.lead()
    app.run("notify", event("sqs_notify"))
    assert app.texts() == []


def test_start_lets_the_texts_come_again(app: App) -> None:
    app.hire(AINA)
    assert answers(app, "STOP", message_id="a") == []
    assert answers(app, "START", message_id="b") == []
    app.lead()
    app.run("notify", event("sqs_notify"))
    assert len(app.texts()) == 1


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
    app: App, body: str, said: str
) -> None:
    app.hire(AINA)
    lead = app.lead()
    offered(app, lead)
    [answer] = answers(app, body)
    assert said in answer
    assert app.now(lead).state is State.OPEN


def test_a_redelivered_text_is_answered_once(app: App) -> None:
    app.hire(AINA)
    offered(app, app.lead())
    for _ in range(3):
        assert app.run("reply", event("sqs_reply")) == DONE
    assert len(app.texts()) == 1


def test_an_answer_that_failed_is_sent_by_the_next_delivery(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.hire(AINA)
    lead = app.lead()
    offered(app, lead)

    def failing(sms: SnsSms, number: str, said: str) -> None:
        raise ConnectionError(f"{number} was not told {said}")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(SnsSms, "send", failing)
        failed = app.run("reply", event("sqs_reply"))
    message_id = event("sqs_reply")["Records"][0]["messageId"]
    assert failed == {"batchItemFailures": [{"itemIdentifier": message_id}]}
    assert app.now(lead).owner == AINA.rep_id
    assert app.run("reply", event("sqs_reply")) == DONE
    [(_, answer)] = app.texts()
    assert "You won" in answer


def test_a_stranger_is_answered_once_a_day_and_told_nothing(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    offered(app, lead)
    for number, body in enumerate(["7K2P", "yes", "hello?"]):
        assert app.run("reply", text(body, STRANGER, f"inbound-{number}")) == DONE
    [(number, answer)] = app.texts()
    assert number == STRANGER
    assert answer == "This number belongs to no sales rep here. Ask your manager."
    assert app.now(lead).state is State.OPEN
    app.clock.pass_(days=1)
    app.run("reply", text("hello again", STRANGER, "inbound-9"))
    assert len(app.texts()) == 2


def test_what_is_not_understood_is_answered_once_a_day(app: App) -> None:
    app.hire(AINA)
    [answer] = answers(app, "who is this", message_id="a")
    assert "reply with the code" in answer
    assert answers(app, "hello", message_id="b") == []


def test_answers_are_in_the_reps_language(app: App) -> None:
    app.hire(DAYANG)
    [answer] = answers(app, "yes", DAYANG)
    assert "You have" not in answer
    assert "tawaran" in answer.lower()


def test_no_answer_holds_a_word_that_carriers_act_on(app: App) -> None:
    app.hire(AINA)
    for number, body in enumerate(["yes", "9Z9Z", "hello"]):
        answers(app, body, message_id=f"inbound-{number}")
    assert len(app.texts()) == 3
    for _, answer in app.texts():
        assert not re.search(r"\b(STOP|HELP|END|QUIT|CANCEL)\b", answer, re.IGNORECASE)


def test_a_claim_by_text_is_counted_as_any_other(
    app: App, capsys: pytest.CaptureFixture[str]
) -> None:
    app.hire(AINA)
    offered(app, app.lead())
    app.clock.pass_(seconds=9)
    app.run("reply", event("sqs_reply"))
    assert app.counted(capsys) == {"Replies": 1, "Claims": 1, "ClaimMs": 9000}


def test_a_text_in_a_form_we_do_not_know_fails_and_comes_again(app: App) -> None:
    assert app.run("reply", sqs("sqs_reply", {"hello": "you"})) == {
        "batchItemFailures": [{"itemIdentifier": "message-0"}]
    }


# What came of a lead


def test_a_word_and_the_code_tell_what_came_of_a_lead_once(app: App) -> None:
    app.hire(AINA, BEN)
    lead = app.lead()
    offered(app, lead)
    app.claim(lead)
    assert answers(app, "reached 7K2P") == ["Recorded: Reached, Acme 1 Sdn Bhd."]
    assert app.now(lead).state is State.CONTACTED
    before = app.everything()
    assert answers(app, "reached 7K2P") == []  # the same message once more
    assert app.everything() == before


def test_with_one_lead_in_hand_the_word_is_enough(app: App) -> None:
    app.hire(DAYANG)
    lead = app.lead()
    app.claim(lead, DAYANG)
    [answer] = answers(app, "tak angkat", DAYANG)
    assert answer == "Direkodkan: Tiada jawapan, Acme 1 Sdn Bhd."
    assert app.now(lead).worked_at is not None


def test_a_word_about_a_lead_one_does_not_hold_changes_nothing(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    offered(app, lead)
    before = app.now(lead)
    said = "Nothing is recorded: you hold no lead now."
    open_still = "Nothing is claimed yet. To claim, reply only: 7K2P"
    bodies = {"reached 7K2P": open_still, "wrong number": said, "called": said}
    for number, (body, expected) in enumerate(bodies.items()):
        assert answers(app, body, message_id=f"word-{number}") == [expected]
    assert app.now(lead) == before


@pytest.mark.parametrize("seconds", [1, 3600])
def test_a_lead_is_given_back_with_its_code(app: App, seconds: int) -> None:
    app.hire(DAYANG)
    lead = app.lead()
    offered(app, lead, rep=DAYANG)
    app.claim(lead, DAYANG)
    app.clock.pass_(seconds=seconds)
    [ask] = answers(app, "lepaskan", DAYANG, "no-code")
    assert "kod" in ask
    assert app.now(lead).owner == DAYANG.rep_id
    [answer] = answers(app, "lepaskan 7K2P", DAYANG)
    assert answer == "Anda memulangkan Acme 1 Sdn Bhd."
    assert app.now(lead).owner is None
    assert answers(app, "lepaskan 7K2P", DAYANG, "again") == [answer]


def test_the_code_of_a_closed_lead_says_so_and_shows_no_contact(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    offered(app, lead)
    app.claim(lead)
    answers(app, "wrong number 7K2P", message_id="closes")
    assert app.now(lead).state is State.LOST
    for number, body in enumerate(["7K2P", "yes 7K2P", "release 7K2P", "7K2P hm"]):
        [answer] = answers(app, body, message_id=f"closed-{number}")
        assert answer == "This lead is closed: it was won or lost."


# Opted out


@pytest.mark.parametrize("stop", ["СТОП", "berhenti", "stop", "退订"])
def test_who_opted_out_gets_no_text_until_they_start(app: App, stop: str) -> None:
    app.hire(AINA)
    lead = app.lead()
    offered(app, lead)
    answers(app, stop, message_id="stop")
    for number, body in enumerate(["hello", "yes", "2222", "meeting", "release 7K2P", "no"]):
        assert answers(app, body, message_id=f"after-{number}") == []
    answers(app, "start", message_id="start")
    assert answers(app, "2222", message_id="back") != []


def test_what_an_opted_out_rep_asks_for_is_done_in_silence(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    offered(app, lead)
    answers(app, "berhenti", message_id="stop")
    assert answers(app, "7K2P", message_id="claim") == []
    assert app.now(lead).owner == AINA.rep_id


# Caps


def caps(app: App, **changes: int) -> None:
    app.put_playbook(a_playbook(sms=changes))


def test_answers_have_caps_of_their_own_and_an_alarm(
    app: App, capsys: pytest.CaptureFixture[str]
) -> None:
    caps(app, answers_per_rep_per_day=2, answers_per_organisation_per_day=3)
    app.hire(AINA, BEN)
    for number in range(5):
        answers(app, "7K2P", AINA, f"a-{number}")
        answers(app, "7K2P", BEN, f"b-{number}")
    numbers = [number for number, _ in app.texts()]
    assert (numbers.count(AINA.phone), numbers.count(BEN.phone)) == (2, 1)
    assert app.counted(capsys)["AnswerCapReached"] > 0


def test_strangers_use_up_the_organisations_cap_only(app: App) -> None:
    caps(app, answers_per_organisation_per_day=2)
    for number in range(4):
        app.run("reply", text("hello", f"+6012999999{number}", f"s-{number}"))
    assert len(app.texts()) == 2


def test_who_won_is_told_so_beyond_every_cap(app: App) -> None:
    caps(app, answers_per_rep_per_day=1, per_rep_per_day=0, per_organisation_per_day=0)
    app.hire(AINA)
    lead = app.lead()
    offered(app, lead)
    assert answers(app, "2222", message_id="wrong")
    assert answers(app, "3333", message_id="wrong again") == []
    [won] = answers(app, "7K2P", message_id="right")
    assert "You won" in won
    assert answers(app, "7K2P", message_id="once more") == []


def test_answers_do_not_use_up_the_caps_on_offers(app: App) -> None:
    caps(app, per_rep_per_day=1, per_organisation_per_day=1)
    app.hire(AINA)
    for number in range(3):
        assert answers(app, "2222", message_id=f"a-{number}")
    app.lead()
    before = len(app.texts())
    app.run("notify", event("sqs_notify"))
    assert len(app.texts()) == before + 1
