"""What a text means: only what is plainly a yes claims, in whatever language and form (N5)."""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dibs.core.links import CODE_ALPHABET, reply_code
from dibs.offers import words
from dibs.offers.meaning import MOST_CODES, Meaning, meaning
from dibs.offers.texts import offer_sms
from support.builders import NOON, a_lead, a_rep

CODE = "7K2P"

CLAIMS = """
7K2P | 7k2p | 7K 2P | 7 k 2 p | 7-K-2-P | 7K2P! | “7K2P” | *7K2P* | #7K2P | 7K2P 7K2P | code:7K2P
７Ｋ２Ｐ | 7️⃣K2️⃣P | 𝟕𝐊𝟐𝐏 | ７k２p。 | 7К2Р | 7κ2ρ | ٧K٢P | 7K\u200b2P | № 7K2P | 7K2P 👍
🔥7K2P🔥 | 👍🏽 7K2P | 🙋‍♂️ 7K2P | 7K2P ❤️ | 7K2P 🚀🚀 | 7K2P :) | ✅ 7K2P | 7K2P please
I take 7K2P. | I’ll take 7K2P | Claim 7K2P for me | yes 7K2P please | ok 7k2p | mine 7K2P
7K2P is mine | Hi, I want 7K2P, thanks | give 7K2P to me | dibs on 7K2P | can 7K2P
Yes yes 7K2P now | put me down for 7K2P | I can take 7K2P | sure, 7K2P | Y 7K2P | 7K2P me please
ya 7K2P | saya nak 7K2P | saya ambil 7K2P tolong | 7K2P untuk saya | boleh 7K2P | ok lah 7K2P
7K2P, terima kasih | nak 7K2P | saya mau 7K2P | ya, ambil 7K2P | tolong, 7K2P | ok boss 7K2P
ja 7K2P | ich nehme 7K2P | 7K2P für mich bitte | Ja, gerne 7K2P | Nehme 7K2P, danke | oui 7K2P
je prends 7K2P | 7K2P pour moi s’il vous plaît | D’accord, 7K2P | oui 7K2P merci | sí 7K2P
si, 7K2P por favor | lo quiero 7K2P | 7K2P para mí | ¡Sí! 7K2P gracias | sì, prendo 7K2P
va bene 7K2P grazie | sim 7K2P | eu quero 7K2P por favor | fico com 7K2P | ik neem 7K2P
ja graag 7K2P | poproszę 7K2P | biorę 7K2P | vreau 7K2P | beru 7K2P | igen 7K2P | jag tar 7K2P
ja takk 7K2P | kyllä 7K2P kiitos | evet 7K2P | ALIYORUM 7K2P lütfen | tamam 7K2P | oo 7K2P po
gusto ko 7K2P | tôi nhận 7K2P | vâng 7K2P | toi nhan 7K2P | haan ji 7K2P | да 7K2P | беру 7K2P
Да, я беру 7К2Р пожалуйста | 7K2P мне | так, беру 7K2P, дякую | ДА 7k2p | ναι 7K2P | παίρνω 7K2P
是 7K2P | 我要7K2P | 7K2P 谢谢 | 好的，7K2P | 7K2P我要了 | 請給我7K2P | 認領7K2P | はい 7K2P
7K2Pお願いします | 7K2Pもらいます | 네 7K2P | 7K2P 제가 할게요 | 7K2P 부탁드립니다
เอา 7K2P ครับ | 7K2P ค่ะ | ใช่ 7K2P | نعم 7K2P | أريد 7K2P من فضلك | כן 7K2P | 7K2P בבקשה
हाँ 7K2P | जी हां 7K2P | ஆம் 7K2P
"""

YES = """
yes | Yes! | YES | y | ya | Ya. | да | Да! | 是 | 是。 | yes please | yes 👍 | ok yes | Y E S
mine | I take it | I’ll take it | saya nak | ya, terima kasih | ja bitte | oui merci | sí | sim
evet | はい、お願いします | 네 | ใช่ครับ | نعم | כן | 我要 | беру | ναι | vâng | da, te rog
"""

REFUSALS = """
no | No thanks | No thanks, not 7K2P | not 7K2P | can’t take 7K2P | cannot take 7K2P | pass
skip 7K2P | I don’t want 7K2P | not for me | nope | not now, thanks | no 7K2P | 7K2P no | tak nak
tak nak 7K2P | tidak, terima kasih | saya sibuk | x nak 7K2P | nggak | nein | Nein danke, 7K2P
non merci | 7K2P non | no gracias | no puedo | não, obrigado | nee bedankt | nie, dziękuję
nej tack | hayır 7K2P | không | hindi po | не хочу | нет, 7K2P | нет спасибо | ні | όχι | 不要
不要7K2P | 不用了，谢谢 | いいえ | 7K2Pいりません | 아니요 | ไม่เอา 7K2P | ไม่ครับ | لا | لا شكرا
לא | לא תודה | नहीं 7K2P
"""

UNCLEAR = """
7K2P? | is 7K2P still free? | what is 7K2P | is 7K2P mine | ok, 7K2P? | 7K2P？ | 7K2P؟
can I take 7K2P | can I have 7K2P | who has 7K2P | is it ok 7K2P | shall I take 7K2P
why not 7K2P | ¿7K2P | 7K2P ❓ | 7K2P for Ben please | Ben takes 7K2P | give 7K2P to Ben
7K2P Ben | Ben: 7K2P | @Ben 7K2P | you take 7K2P | we take 7K2P | 7K2P for him
let Aina have 7K2P | 7K2P is yours | 7K2P for my wife | 7K2P and 9Q4R | 7K2P 9Q4R | 7K2P or 9Q4R
yes 7K2P, no 9Q4R | not 9Q4R but 7K2P | take unit 5B22 for 7K2P | Liked “7K2P” | Disliked “7K2P”
Loved “7K2P” | Laughed at “7K2P” | Emphasised “7K2P” | Emphasized “7K2P” | Questioned “7K2P”
Removed a like from “7K2P” | Reacted 👍 to “7K2P” | 👍 to “7K2P” | 👎 to “7K2P” | ❤️ to “7K2P”
A aimé « 7K2P » | Gefällt „7K2P“ | Gefällt mir nicht: „7K2P“ | Le gustó “7K2P”
Le encantó “7K2P” | Понравилось: «7K2P» | 赞了“7K2P” | 「7K2P」を強調しました | Suka “7K2P”
Gostou de “7K2P” | > 7K2P | > 7K2P yes | Re: 7K2P | Fwd: 7K2P | FW: 7K2P yes | Reply 7K2P
Balas 7K2P | Reply 7K2P or | To claim, reply only: 7K2P | 7K2P 👎 | 7K2P ❌ | 🚫7K2P | ✗ 7K2P
7K2P 🤷 | ~7K2P~ | ~~7K2P~~ | 7K2P⃠ | 7K2P ): | 7K2P -_- | 7K2P >_< | I: 7K2P | » 7K2P
is mine 7K2P | 要是7K2P | đã 7K2P | 7K2P 😂 | 7K2P :(
7K2P :/ | yes but later 7K2P | maybe 7K2P | 7K2P later
7K2P was claimed | claimed 7K2P | 7K2P taken | almost 7K2P | if nobody wants it, 7K2P
no problem, 7K2P | I got 7K2P yesterday | stupid 7K2P | the client of 7K2P called
Ya saya sibuk 7K2P | ya tapi 7K2P | boleh ambil 7K2P | bolehkah saya ambil 7K2P | 7K2P untuk Ben
tak 7K2P | siapa ambil 7K2P | 7K2P masih ada | ada lagi 7K2P | 7K2P für Ben | wer nimmt 7K2P
ist 7K2P noch frei | ich nehme 7K2P nicht | darf ich 7K2P | je ne prends pas 7K2P | 7K2P pour Ben
c’est quoi 7K2P | qui prend 7K2P | 7K2P para Ben | qué es 7K2P | no sé, 7K2P | chi prende 7K2P
quem quer 7K2P | wie neemt 7K2P | 7K2P для Бена | что такое 7K2P | кто берёт 7K2P | не знаю 7K2P
я не беру пока 7K2P | може 7K2P | 7K2P 是什么 | 7K2P还有吗 | 要不要7K2P | 给小王7K2P
7K2Pは何ですか | 7K2Pまだありますか | 7K2P 뭐예요 | 벤에게 7K2P | 7K2P อะไร | 7K2P ว่างไหม
เอา 7K2P ไหม | ما هو 7K2P | מה זה 7K2P | 7K2P क्या है | είναι 7K2P ελεύθερο; | ναι 7K2P; | ok
👍 | please | thanks | hello | can | who is this? | yes? | yes but I am busy, give it to Ben
Y NOT | not yes | yes no | 1 | %s {0} '; DROP | ... | 哈哈 | Ya saya sibuk sekarang
yes if Ben agrees | ¿sí? | I take it you are busy | mine was better | good morning | sure thing
on my way
"""

STOPS = """
STOP | stop | Stop! | STOP ALL | stopall | stop please | please stop | opt-out | OPT OUT | OptOut
S T O P | unsubscribe | CANCEL | END | QUIT | REVOKE | revoke. | remove | ARRET | arrêt | arrêter
TD | ＳＴＯＰ | stöp | СТОП | стоп. | отписаться | 停止 | 停止。 | 退订 | 取消 | BERHENTI
berhenti, tolong | batal | BAJA | baja por favor | abmelden | Stopp | parar | sair | annulla
afmelden | iptal | hủy | στοπ | ストップ | 配信停止 | 수신거부 | หยุด | إيقاف | הסר | remove me
don’t text me | STOP texting me about 7K2P | Cancel that please | End of day, sorry | quit asking
END 7K2P | Stop it | unsubscribe me from all of this
"""

STARTS = """
START | start | Start. | UNSTOP | start please | subscribe | opt in | СТАРТ | 开始 | mula
MULA, tolong | старт!
"""


def texts(table: str) -> list[str]:
    return [text.strip(" ") for line in table.strip("\n").split("\n") for text in line.split(" | ")]


TABLE = [
    *((text, "claim") for text in texts(CLAIMS)),
    *((text, "yes") for text in texts(YES)),
    *((text, "no") for text in texts(REFUSALS)),
    *((text, "unclear") for text in texts(UNCLEAR)),
    *((text, "stop") for text in texts(STOPS)),
    *((text, "start") for text in texts(STARTS)),
]


@pytest.mark.parametrize(("text", "asks"), TABLE)
def test_a_text_means_what_a_person_would_read(text: str, asks: str) -> None:
    read = meaning(text)
    assert read.asks == asks
    if asks == "claim":
        assert read.codes[0] == CODE


def test_the_table_is_long_and_a_text_stands_in_it_once() -> None:
    assert len(TABLE) > 400
    assert len(dict(TABLE)) == len(TABLE)


@pytest.mark.parametrize("ending", ["", "\n", "  ", "!!!", "..."])
@pytest.mark.parametrize("text", texts(UNCLEAR))
def test_what_is_unclear_stays_so_in_capitals_and_with_other_endings(
    text: str, ending: str
) -> None:
    assert meaning(text.upper() + ending).asks not in ("claim", "yes")


# An unclear text names the code, so that the answer can say how to claim.


@pytest.mark.parametrize("text", [text for text in texts(UNCLEAR) if CODE in text])
def test_an_unclear_text_still_gives_the_code_it_names(text: str) -> None:
    assert CODE in meaning(text).codes


@given(st.lists(st.text(CODE_ALPHABET, min_size=1, max_size=6), max_size=400))
def test_however_many_codes_a_text_holds_few_are_looked_up(said: list[str]) -> None:
    assert len(meaning(" ".join(said)).codes) <= MOST_CODES


def test_a_text_of_the_greatest_length_is_read_at_once() -> None:
    for word in ("ok", "i take", "7K2P", "2 ", "要", "i", "9Q"):
        assert meaning(f"{word} " * (1600 // (len(word) + 1))).asks in ("unclear", "claim")


# By rule: whatever is done to an offer, a text with more than a yes in it claims nothing.

codes = st.builds(
    lambda letters, digit, at: letters[:at] + digit + letters[at:],
    st.text(CODE_ALPHABET, min_size=3, max_size=3),
    st.sampled_from("23456789"),
    st.integers(0, 3),
)
LANGUAGES = st.sampled_from(["en", "ms"])


def an_offer(code: str, language: str) -> str:
    url = "https://dibs.your-firm.com/c/0Ab1Cd2Ef3Gh4Ij5Kl6Mn9"
    return offer_sms(a_lead(), a_rep(language=language), code, url, NOON + timedelta(minutes=1))


def phrases(table: str) -> list[str]:
    return [phrase.strip() for phrase in table.replace("\n", " ").split(",") if phrase.strip()]


YES_PHRASES = st.sampled_from([p for p in phrases(words.YES) if "#" not in p])
POLITE_PHRASES = st.sampled_from(phrases(words.WITH_YES))
NO_PHRASES = st.sampled_from(phrases(words.NO))


@given(codes, LANGUAGES, st.data())
def test_no_part_of_an_offer_claims_but_its_code(
    code: str, language: str, data: st.DataObject
) -> None:
    said = an_offer(code, language).split()
    at = said.index(code)
    start = data.draw(st.integers(0, at))
    end = data.draw(st.integers(at + 1, len(said)))
    assume(end - start > 1)
    assert meaning(" ".join(said[start:end])).asks == "unclear"


@given(
    codes,
    LANGUAGES,
    st.sampled_from(
        [
            "Liked “{}”",
            "Disliked “{}”",
            "👍 to “{}”",
            "“{}”",
            "> {}",
            "> {}\nyes",
            "Re: {}",
            "{}\nok",
            "Ya: {}",
            "Да! {}",
        ]
    ),
)
def test_a_quoted_offer_claims_nothing(code: str, language: str, quoted: str) -> None:
    read = meaning(quoted.format(an_offer(code, language)))
    assert read.asks == "unclear"
    assert code in read.codes


@given(codes, NO_PHRASES, st.lists(st.one_of(YES_PHRASES, POLITE_PHRASES), max_size=2), st.data())
def test_a_text_with_a_refusal_claims_nothing(
    code: str, no: str, others: list[str], data: st.DataObject
) -> None:
    said = data.draw(st.permutations([code, no, *others]))
    assert meaning(", ".join(said)).asks in ("no", "unclear", "stop")


@given(codes, st.text(min_size=1, max_size=12), st.lists(YES_PHRASES, max_size=2))
def test_a_word_we_do_not_know_makes_a_text_unclear(
    code: str, word: str, others: list[str]
) -> None:
    alone = meaning(word)
    assume(alone.asks == "unclear" and not alone.codes)
    known = {letter for table in (words.YES, words.WITH_YES, words.YES_ALONE) for letter in table}
    assume(any(letter.isalpha() and letter not in known for letter in word))
    assert meaning(" ".join([*others, code, word])).asks in ("unclear", "no")


@given(codes, YES_PHRASES, POLITE_PHRASES, st.data())
def test_yes_and_politeness_around_a_code_claim_in_any_case_and_form(
    code: str, yes: str, polite: str, data: st.DataObject
) -> None:
    text = ", ".join(data.draw(st.permutations([code, yes, polite])))
    for written in (text, text.upper(), text.lower(), unicodedata.normalize("NFD", text)):
        read = meaning(written)
        assert read.asks == "claim"
        assert code in read.codes


@given(
    codes,
    st.sampled_from([*phrases(words.YES), *phrases(words.WITH_YES)]),
    st.sampled_from("?？؟⁉❓‽"),
)
def test_a_question_claims_nothing(code: str, said: str, mark: str) -> None:
    assert meaning(f"{said} {code}{mark}").asks == "unclear"
    assert meaning(f"{said}{mark}").asks == "unclear"


@given(codes, st.text(max_size=8))
def test_a_code_with_only_spaces_and_punctuation_around_it_claims(code: str, around: str) -> None:
    kept = "".join(
        letter for letter in around if unicodedata.category(letter) in ("Zs", "Pd", "Ps", "Pe")
    )
    assume(not re.search(r"[(\[{]", kept))
    assert meaning(f"{kept}{code}{kept}") == Meaning("claim", (code,))


# Carriers' words


@pytest.mark.parametrize("word", phrases(words.AWS_STOP))
def test_whoever_aws_opts_out_is_opted_out_here_too(word: str) -> None:
    assert meaning(f"{word} of the day, 7K2P").asks == "stop"


def test_no_word_stands_in_two_lists() -> None:
    lists = (words.YES, words.WITH_YES, words.YES_ALONE, words.NO, words.STOP, words.START)
    sets = [{meaning_key(phrase) for phrase in phrases(table)} for table in lists]
    for number, one in enumerate(sets):
        for other in sets[number + 1 :]:
            assert not one & other


def meaning_key(phrase: str) -> str:
    plain = unicodedata.normalize("NFKD", phrase.casefold())
    return "".join(letter for letter in plain if unicodedata.combining(letter) < 200)


def test_every_code_we_make_is_read() -> None:
    made = reply_code(lambda letters: letters[-1])
    assert meaning(made.lower()) == Meaning("claim", (made,))
