"""What came of a lead, told by text in a word (U2, N5)."""

from __future__ import annotations

from datetime import datetime

import pytest

from dibs.core.errors import DibsError, Forbidden, IllegalMove, NotYours
from dibs.core.lead import Lead
from dibs.ledger.quick import CLOSING
from dibs.ledger.quick import OUTCOMES as KNOWN
from dibs.offers import words
from dibs.offers.meaning import Meaning, meaning
from dibs.offers.reply import Outcomes
from dibs.offers.texts import answer_sms
from dibs.race.claim import by_sms, claim
from support.builders import NOON
from unit.offers.test_reply import CODE, Line


class Told(Line):
    """A line that records what it is told of leads."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, str]] = []
        self.refuses: DibsError | None = None
        self.given_back: list[tuple[str, int, str]] = []

    def outcomes(self) -> Outcomes:
        return Outcomes(self.held, self.tell, self.give_back, CLOSING)

    def held(self, rep_id: str) -> list[Lead]:
        return [lead for lead in self.world.memory.leads.values() if lead.owner == rep_id]

    def tell(self, rep_id: str, lead_id: str, outcome: str, tap: str, at: datetime) -> None:
        assert rep_id == self.rep.rep_id
        assert tap
        assert at == self.world.clock()
        if self.refuses:
            raise self.refuses
        self.told.append((lead_id, outcome))

    def give_back(self, rep_id: str, lead_id: str, epoch: int, reason: str) -> None:
        assert rep_id == self.rep.rep_id
        if self.refuses:
            raise self.refuses
        if self.world.memory.leads[lead_id].owner != rep_id:
            raise NotYours
        self.given_back.append((lead_id, epoch, reason))

    def win(self, lead: Lead | None = None) -> Lead:
        lead = lead or self.lead
        proof = by_sms(lead.epoch)
        claim(self.world.race, lead.lead_id, self.rep.rep_id, proof, self.world.clock)
        return lead


SAID = {
    "called": ["called", "Called.", "I called", "phoned them", "dah call", "позвонил", "打了电话"],
    "no answer": [
        *("no answer", "No Answer!", "didn't answer", "no reply", "voicemail", "left a message"),
        *(
            "couldn't reach",
            "not picking up",
            "tak angkat",
            "tiada jawapan",
            "не отвечает",
            "没人接",
        ),
        *("called, no answer", "ok no answer", "no-answer", "called but no answer"),
        *("no answer, will try again", "tried twice, still no answer", "tak jawab, cuba lagi"),
    ],
    "reached": [
        *("reached", "Reached them", "spoke to him", "talked to her", "got through", "contacted"),
        *("dapat hubungi", "дозвонился", "接通了", "called, reached", "reached, thanks"),
        *(
            "called and reached",
            "then I reached the customer",
            "reached the client",
            "spoke with the client today",
        ),
    ],
    "meeting": [
        *("meeting", "appointment", "meeting on Monday at 3pm", "called and then booked a meeting"),
        "meeting booked",
        "appointment set",
        "temu janji",
        "reached, meeting set",
    ],
    "wrong number": [
        *("it was a wrong number", "called but it's the wrong number"),
        *("wrong number", "Wrong number!", "nombor salah", "не тот номер", "空号"),
    ],
    "not interested": ["they're not interested", "customer not interested", "called, he said no"],
}


@pytest.mark.parametrize(
    ("outcome", "body"), [(outcome, body) for outcome, said in SAID.items() for body in said]
)
def test_a_word_tells_what_came_of_the_lead(outcome: str, body: str) -> None:
    assert meaning(body) == Meaning("outcome", (), outcome)
    for with_code in (f"{body} {CODE}", f"{CODE} {body}", f"{body}, {CODE.lower()}"):
        said = meaning(with_code)
        assert (said.asks, said.outcome, said.codes[0]) == ("outcome", outcome, CODE)


@pytest.mark.parametrize(
    "body",
    [
        *("called?", "reached?", "not called 7K2P", "will call 7K2P", "Ben reached 7K2P"),
        *(
            "in a meeting",
            "engaged",
            "> reached 7K2P",
            "reached but wrong number, no meeting and so on",
        ),
        *("no answer, wrong number", "reached, no answer", "have you reached 7K2P", "yes reached"),
        "Liked “Reached: Acme”",
    ],
)
def test_what_may_mean_something_else_records_nothing(body: str) -> None:
    assert meaning(body).outcome == ""


def test_every_outcome_can_be_told_by_text_and_no_word_means_two_things() -> None:
    assert set(words.OUTCOMES) == set(KNOWN)
    seen: dict[str, str] = {}
    lists = {**words.OUTCOMES, "yes": words.YES, "no": words.NO, "with": words.WITH_YES}
    lists |= {"alone": words.YES_ALONE, "start": words.START, "stop": words.STOP}
    for name, phrases in lists.items():
        for phrase in (one.strip() for one in phrases.split(",") if one.strip()):
            assert seen.setdefault(" ".join(phrase.split()), name) == name, phrase


def test_the_code_says_which_lead() -> None:
    line = Told()
    line.win(line.offer(2, "8M3Q"))
    line.win()
    answer = line.text("reached 7K2P")
    assert line.told == [(line.lead.lead_id, "reached")]
    assert answer is not None
    assert answer_sms(answer, NOON) == "Recorded: Reached, Acme 1 Sdn Bhd."


def test_with_one_held_lead_the_word_alone_is_enough() -> None:
    line = Told()
    line.offer(2, "8M3Q")  # open, and not theirs
    line.win()
    assert line.outcome("no answer") == "told"
    assert line.told == [(line.lead.lead_id, "no answer")]


def test_without_a_code_nobody_guesses() -> None:
    line = Told()
    assert line.outcome("reached") == "none_held"
    line.win()
    line.win(line.offer(2, "8M3Q"))
    answer = line.text("reached")
    assert answer is not None
    assert answer.outcome == "which_held"
    assert "code" in answer_sms(answer, NOON)
    assert line.told == []


@pytest.mark.parametrize(
    ("body", "outcome"), [("reached 9Z9Z", "unknown_code"), ("reached 7K2P", "not_held")]
)
def test_a_lead_one_does_not_hold_is_not_told_of(body: str, outcome: str) -> None:
    line = Told()
    claim(line.world.race, line.lead.lead_id, line.other.rep_id, by_sms(1), line.world.clock)
    assert line.outcome(body) == outcome
    assert line.told == []


@pytest.mark.parametrize("body", ["booked 7K2P", "7K2P connected", "got them 7K2P"])
def test_of_an_open_lead_nothing_has_come_yet_and_the_answer_says_how_to_claim_it(
    body: str,
) -> None:
    line = Told()
    answer = line.text(body)
    assert answer is not None
    assert (answer.outcome, answer.code) == ("reply_only", CODE)
    assert line.told == []
    assert line.owner() is None


# Two outcomes in one text: the one that says more includes the other; else the rep is asked.


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("called, not interested", "not interested"),
        ("reached, not interested", "not interested"),
        ("not interested, I called", "not interested"),
        ("called, reached", "reached"),
        ("called, reached, meeting set", "meeting"),
        ("called, wrong number", "wrong number"),
        ("dah call, tak berminat", "not interested"),
        ("打了电话，没兴趣", "not interested"),
    ],
)
def test_of_two_outcomes_the_one_that_says_more_is_recorded(body: str, outcome: str) -> None:
    line = Told()
    line.win()
    assert line.outcome(f"{body} 7K2P") == "told"
    assert line.told == [(line.lead.lead_id, outcome)]
    closing = "not_sure" if outcome in CLOSING else "told"
    assert line.outcome(body) == closing


@pytest.mark.parametrize(
    "body",
    [
        "no answer, wrong number",
        "reached, no answer",
        "meeting set, not interested",
        "no answer, not interested",
        "wrong number, meeting booked",
        "tak jawab, tak berminat",
    ],
)
def test_outcomes_that_cannot_both_be_so_record_nothing_and_are_asked_about(body: str) -> None:
    line = Told()
    line.win()
    for text in (body, f"{body} 7K2P", f"7K2P {body.upper()}"):
        answer = line.text(text)
        assert answer is not None
        assert answer.outcome == "which_outcome"
        assert "two things" in answer_sms(answer, NOON)
    assert line.told == []


def test_not_interested_declines_an_offer_and_tells_of_a_lead_one_holds() -> None:
    line = Told()
    assert line.outcome("not interested 7K2P") == "declined"
    line.win()
    assert line.outcome("not interested") == "declined"
    assert line.outcome("not interested 7K2P") == "told"
    assert line.told == [(line.lead.lead_id, "not interested")]


@pytest.mark.parametrize(
    ("refuses", "says"),
    [
        (NotYours(), "not yours any more"),
        (IllegalMove(), "this lead is closed"),
        (Forbidden("", only=("system",)), "only a system reports this"),
        (Forbidden("", only=("manager",)), "only a manager reports this"),
        (Forbidden("", only=("manager", "system")), "only a system or a manager"),
    ],
)
def test_what_was_refused_is_said(refuses: DibsError, says: str) -> None:
    line = Told()
    line.win()
    line.refuses = refuses
    answer = line.text("reached")
    assert answer is not None
    assert answer.outcome == "not_told"
    assert says in answer_sms(answer, NOON)


@pytest.mark.parametrize("body", ["wrong number", "salah nombor", "disconnected"])
def test_an_outcome_that_closes_a_lead_wants_its_code(body: str) -> None:
    line = Told()
    line.win()
    answer = line.text(body)
    assert answer is not None
    assert answer.outcome == "not_sure"
    assert "would close the lead" in answer_sms(answer, NOON)
    assert line.told == []
    assert line.outcome(f"{body} 7K2P") == "told"


@pytest.mark.parametrize(
    "body",
    [
        "no meeting",
        "in a meeting",
        "will be reached",
        "not called",
        "but",
        "it was a",
        "at 3pm",
        "the client called",
    ],
)
def test_what_only_goes_with_an_outcome_makes_none(body: str) -> None:
    assert meaning(body).asks not in ("outcome", "claim", "yes")


# Giving a lead back

RELEASES = ["release", "Release", "give back", "giving it back", "please return it", "lepaskan"]
RELEASES += ["saya lepaskan", "pulangkan", "верну", "退回", "sorry, I release it"]


@pytest.mark.parametrize("body", RELEASES)
def test_a_word_and_the_code_give_a_lead_back(body: str) -> None:
    line = Told()
    lead = line.win()
    answer = line.text(f"{body} {CODE}")
    assert answer is not None
    assert line.given_back == [(lead.lead_id, lead.epoch, "by text")]
    assert answer_sms(answer, NOON) == f"You gave back {lead.preview.company}."


@pytest.mark.parametrize("body", RELEASES)
def test_without_its_code_nothing_is_given_back(body: str) -> None:
    line = Told()
    line.win()
    assert line.outcome(body) == "which_release"
    assert line.given_back == []


@pytest.mark.parametrize("body", [f"give {CODE} back", f"take {CODE} back please"])
def test_the_code_may_stand_within(body: str) -> None:
    assert meaning(body) == Meaning("release", (CODE,))


def test_an_outcome_beside_it_is_why() -> None:
    line = Told()
    line.win()
    line.text(f"give back {CODE}, wrong number")
    assert [why for *_, why in line.given_back] == ["wrong number"]


@pytest.mark.parametrize(
    "body", [f"don't release {CODE}", f"release {CODE}?", f"release {CODE} Ben"]
)
def test_who_does_not_plainly_give_back_keeps_it(body: str) -> None:
    line = Told()
    line.win()
    line.text(body)
    assert line.given_back == []


def test_an_open_lead_is_neither_given_back_nor_claimed() -> None:
    line = Told()
    assert line.outcome(f"release {CODE}") == "reply_only"
    assert line.owner() is None


def test_a_closed_lead_is_not_given_back() -> None:
    line = Told()
    line.win()
    line.refuses = IllegalMove()
    assert line.outcome(f"release {CODE}") == "closed"


def test_without_a_code_and_a_lead_none_is_in_hand() -> None:
    assert Told().outcome("reached") == "none_held"
