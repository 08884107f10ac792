"""The decision table of what a text means, held for texts made from a real offer (N5).

| the text is                                           | then                                    |
| ----------------------------------------------------- | --------------------------------------- |
| the code alone, however it is typed                   | it claims                               |
| the code beside words that say yes, and politeness    | it claims                               |
| a bare yes, to the only open offer                    | it claims                               |
| a quotation of an offer or answer, or a part of one   | it claims nothing; told how to claim    |
| a refusal                                             | it claims nothing; told that it is left |
| a question, or any other words about the code         | it claims nothing; told how to claim    |
| for another person                                    | it claims nothing; told how to claim    |
| any of these about an offer that is over              | it claims nothing, told that it is over |

Quoting, translating and refusing may be combined. Reformatting moves no text to a row that claims;
what leaves every letter readable keeps a claim a claim. Whoever tries to claim is answered, each
time, with something they can do.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dibs.core.errors import AlreadyClaimed, Expired, Withdrawn
from dibs.core.links import CODE_ALPHABET
from dibs.offers.reply import Answer
from dibs.offers.texts import answer_sms, offer_sms
from dibs.race.claim import Won, by_sms, claim
from support.builders import NOON, a_rep
from unit.offers.test_reply import Line

OTHER = "9Q4R"

codes = st.builds(
    lambda letters, digit, at: letters[:at] + digit + letters[at:],
    st.text(CODE_ALPHABET, min_size=3, max_size=3),
    st.sampled_from("23456789"),
    st.integers(0, 3),
).filter(lambda code: code != OTHER)
LANGUAGES = st.sampled_from(["en", "ms"])
TOKENS = st.text(CODE_ALPHABET + CODE_ALPHABET.lower() + "01_-", min_size=22, max_size=22)


def lines(text: str) -> list[str]:
    return [line for line in text.strip("\n").split("\n") if line]


# How phones, mail programs and people quote. {} is what is quoted.
QUOTES = lines("""
Liked “{}”
Disliked “{}”
Loved “{}”
Laughed at “{}”
Emphasized “{}”
Emphasised “{}”
Questioned “{}”
Removed a like from “{}”
Removed an exclamation from “{}”
Reacted 👍 to “{}”
Reacted with 🔥 to "{}"
👍 to “{}”
👎 to “{}”
❤️ to "{}"
‼️ to “{}”
A aimé « {} »
N’a pas aimé « {} »
A adoré « {} »
A réagi avec 👍 à « {} »
👍 à « {} »
Gefällt „{}“
Gefällt mir nicht: „{}“
Hat „{}“ hervorgehoben
👍 zu „{}“
Le gustó “{}”
No le gustó “{}”
Le encantó “{}”
Reaccionó con 👍 a “{}”
Gostou de “{}”
Adorou “{}”
Ha messo “Mi piace” a “{}”
Piace: «{}»
Vindt “{}” leuk
Polubiono „{}”
Понравилось: «{}»
Не понравилось: «{}»
👍 на «{}»
赞了“{}”
喜欢“{}”
踩了“{}”
对“{}”回应了👍
「{}」にいいね
「{}」を強調しました
“{}”에 좋아요를 표시함
“{}”을(를) 강조함
ถูกใจ “{}”
أعجب بـ “{}”
אהב/ה את "{}"
Beğendi: “{}”
Đã thích “{}”
Suka “{}”
Tidak suka “{}”
Menyukai “{}”
👍 kepada “{}”
> {}
>{}
> {}\\nyes
yes\\n> {}
> {}\\n\\nok
\u200e> {}
\u2060> {}\\nclaim
＞ {}
﹥{}
› {}
» {}
| {}
¦ {}
❯ {}
┃ {}
▎{}
&gt; {}
Fwd: {}
FW: {}
Fw: {}\\nyes please
WG: {}
TR: {}
RV: {}
I: {}
R: {}
Re: {}
AW: {}
Diteruskan: {}
Forwarded message:\\n{}
---------- Forwarded message ---------\\n{}
On Mon, Dibs wrote:\\n{}
Dibs: {}
Ben: {}
~{}~
~~{}~~
""")

# Refusals: before, after, in several languages, polite, short, with any apostrophe. {} is the code.
REFUSALS = lines("""
no {}
{} no
No thanks, not {}
{} - no thanks
not {}
{} not for me
I don't want {}
I don’t want {}
I don‘t want {}
I dont take {}
I do not take {}
can't take {}
can’t take {}, sorry
cannot take {}
won't take {}
I wouldn't take {}
I didn't take {}
I shan't claim {}
don't claim {}
please don't claim {} for me
never {}
neither {}
I'd rather not, {}
{}? no
nope {}
no way {}
{} nah
pass on {}
skip {}
not today {}
not interested {}
sorry, {} is not mine
{} isn't mine
I take anything but {}
yes to all except {}
yes, but not {}
{} :(
{} 👎
👎🏻 {}
{} ❌
🚫 {}
🙅‍♀️ {}
{}\u20e0
{} \u20e0
{} -_-
{} ):
tak nak {}
taknak {}
x nak {}
{} tak nak
saya tidak mahu {}
bukan {}
jangan {}
jangan ambil {}
tak mahu {}, terima kasih
saya tak ambil {}
belum {}
nein {}
ich nehme {} nicht
nein danke, {}
kein {}
je ne prends pas {}
non merci {}
pas {}
no quiero {}
no, {} no
{} no gracias
tampoco {}
non prendo {}
não quero {}
{} não, obrigado
niet {}
nie {}
nie biorę {}
ne beru {}
nem kérem {}
inte {}
ikke {}
hayır {}
almıyorum {}
ayaw ko ng {}
không nhận {}
nahi {}
не беру {}
{} не надо
я не возьму {}
нет, {}
ні {}
не вземам {}
δεν παίρνω {}
不要{}
我不要{}
没要{}
{}不行
別{}
いいえ {}
{}いりません
{}は要らない
아니요 {}
{} 안 해요
ไม่เอา {}
لا أريد {}
לא {}
नहीं {}
""")

QUESTIONS = lines("""
{}?
{} ?
is {} still free
is {} mine
is mine {}
{} mine?
who has {}
who takes {}
can I take {}
can I have {} please
could I claim {}
may I have {}
shall I take {}
do I get {}
did I get {}
what is {}
why {}
when does {} close
how do I claim {}
boleh saya ambil {}
bolehkah saya ambil {}
{} masih ada ke
siapa ambil {}
macam mana nak ambil {}
darf ich {} nehmen
wer nimmt {}
qui prend {}
puedo tomar {}
quién toma {}
posso prendere {}
posso pegar {}
mag ik {} nemen
можно {}
кто берёт {}
можно мне {}
我可以要{}吗
{}还有吗
要不要{}
{}もらえますか
{} 가능해요
รับ {} ได้ไหม
ممكن {}
{}؟
{}？
{}⁇
{}❔
είναι {} ελεύθερο;
եթե {}՞
要是{}
""")

FOR_OTHERS = lines("""
{} for Ben
{} for Ben please
for Ben {}
give {} to Ben
give {} to him
give it to Ben: {}
Ben takes {}
Ben wants {}
Ben {}
@Ben {}
{} Ben
you take {}
we take {}
she takes {}
they want {}
let Aina have {}
let her have {}
{} is yours
{} is theirs
claim {} for Ben
claim {} for my colleague
yes {} for Ben
{} untuk Ben
{} untuk dia
bagi Ben {}
beri {} kepada Ben
Ben nak {}
kamu ambil {}
dia ambil {}
{} für Ben
Ben nimmt {}
{} pour Ben
{} para Ben
{} per Ben
{} voor Ben
{} dla niego
{} для Бена
дай {} Бену
ты берёшь {}
给小王{}
你要{}
{}はベンに
벤에게 {}
{} cho anh Minh
{} สำหรับเบน
""")

# About the code, and neither a yes nor a quotation.
TALK = lines("""
{} later
maybe {}
if nobody wants it, {}
{} was mine
{} was claimed
I had {} yesterday
đã {}
already {}
{} or {}X
{} and 9Z9Z
the client of {} called
almost {}
{} sounds like a waste
I: {}
o n {}
y a no {}
take {} off my list
""")

CLAIMS = lines("""
{}
“{}”
*{}*
#{}
I take {}.
Claim {} for me
{} pls
ok {}
ok, {}!
yes {}
yes please {}
mine {}
{} is mine
{} mine
I’ll take {}, thanks
I want {}
dibs on {}
me {}
claim {}
claiming {} now
grab {}
code {}
code: {}
hi, {} please
saya nak {}
nak {}
ya {}
ya, {} untuk saya
ambil {}
saya ambil {}, terima kasih
ich nehme {}
ja bitte {}
oui {} merci
sí, {} por favor
беру {}
да, {} пожалуйста
我要{}
{} 谢谢
はい {}
네 {}
เอา {} ครับ
أريد {}
vâng {}
""")


YES = lines("""
yes
Yes!
yes please
y
mine
I take it
I’ll take it
claim
claim it
ya
saya nak
ambil
да
беру
oui
ja bitte
sí
是
我要
はい
네
""")

# A person who tries to claim in words of which some are in no list.
TRIES = lines("""
yes, happy to have this one
mine mine mine!!! finally
I'd like to claim this lead
i want dis one pls
claim claim claim baby
yes for the acme lead
ya saya nak lead acme tu
claim number one
yes but hurry
saya ambil yang acme
""")


# Reformatting


def mathematical(text: str) -> str:
    return "".join(
        chr(0x1D400 + ord(c) - 65)
        if "A" <= c <= "Z"
        else chr(0x1D41A + ord(c) - 97)
        if "a" <= c <= "z"
        else chr(0x1D7CE + ord(c) - 48)
        if "0" <= c <= "9"
        else c
        for c in text
    )


def full_width(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "}" else c for c in text)


def between(sign: str) -> Callable[[str], str]:
    return sign.join


READABLE: list[Callable[[str], str]] = [
    str.upper,
    str.lower,
    full_width,
    mathematical,
    lambda text: unicodedata.normalize("NFD", text),
    lambda text: unicodedata.normalize("NFC", text),
    lambda text: text.replace(" ", "\u00a0"),
    lambda text: text.replace(" ", "\u3000"),
    lambda text: text.replace(" ", "  "),
    lambda text: text.replace(" ", "\n"),
    lambda text: f"\n\n {text}\r\n",
    lambda text: f"\ufeff{text}",
    lambda text: f"{text}!",
    lambda text: f"{text}...",
    lambda text: f"{text}。",
    lambda text: f"{text} 👍",
    lambda text: f"🔥 {text}",
    lambda text: f"{text} 🙏🏽",
    lambda text: f"“{text}”",
    *map(between, "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u034f"),
]
# These may hide a claim, and no more than that.
ROUGH: list[Callable[[str], str]] = [
    *READABLE,
    lambda text: text.replace(" ", ""),
    lambda text: text.replace(" ", "\u200b"),
    lambda text: text.replace(" ", "\u3164"),
    lambda text: text.replace(" ", "_"),
    lambda text: text.replace(" ", "."),
    lambda text: f"{text}\n--\nAina",
    lambda text: f"{text}\nSent from my iPhone",
    lambda text: f"{text} 🫩",
    lambda text: f"{text} \ue421",
    between("\u0336"),
    between(" "),
]
FORMS = st.lists(st.sampled_from(READABLE), max_size=3)
ROUGH_FORMS = st.lists(st.sampled_from(ROUGH), max_size=3)


def formed(text: str, forms: list[Callable[[str], str]]) -> str:
    for form in forms:
        text = form(text)
    return text


# What happens


def an_offer(line: Line, code: str, language: str, token: str) -> str:
    url = f"https://dibs.example/c/{token}"
    return offer_sms(line.lead, a_rep(language=language), code, url, NOON + timedelta(minutes=1))


def our_answer(line: Line, code: str, language: str) -> str:
    rep = a_rep(language=language)
    return answer_sms(Answer(str(rep.phone), rep, "reply_only", code), NOON)


def how_to_claim(answer: Answer | None, code: str) -> bool:
    """The answer says what to reply: the code, or how to find it."""
    return answer is not None and code in answer_sms(answer, NOON)


@given(codes, st.sampled_from(CLAIMS), FORMS)
def test_a_plain_claim_claims_in_whatever_form(
    code: str, text: str, forms: list[Callable[[str], str]]
) -> None:
    line = Line(code)
    assert isinstance(line.outcome(formed(text.format(code), forms)), Won)
    assert line.owner() == line.rep.rep_id


@given(st.sampled_from(YES), FORMS)
def test_a_bare_yes_claims_the_only_open_offer(
    text: str, forms: list[Callable[[str], str]]
) -> None:
    assert isinstance(Line().outcome(formed(text, forms)), Won)
    line = Line()
    line.offer(2, OTHER)
    assert line.outcome(formed(text, forms)) == "which_offer"


@given(codes, LANGUAGES, TOKENS, st.sampled_from(QUOTES), st.integers(0, 2), ROUGH_FORMS, st.data())
def test_a_quotation_claims_nothing(
    code: str,
    language: str,
    token: str,
    quote: str,
    what: int,
    forms: list[Callable[[str], str]],
    data: st.DataObject,
) -> None:
    line = Line(code)
    quoted = (code, an_offer(line, code, language, token), our_answer(line, code, language))[what]
    if what == 1 and data.draw(st.booleans()):
        said = quoted.split()
        at = said.index(code)
        start, end = data.draw(st.integers(0, at)), data.draw(st.integers(at + 1, len(said)))
        quoted = " ".join(said[start:end])
    body = quote.replace("\\n", "\n").replace("{}", quoted)
    answer = line.text(formed(body, forms))
    assert line.owner() is None
    if not forms and body.count(code) == 1:
        assert how_to_claim(answer, code)


@given(codes, st.sampled_from(QUOTES), st.sampled_from([*REFUSALS, *QUESTIONS, *FOR_OTHERS]))
def test_a_quoted_refusal_or_question_claims_nothing(code: str, quote: str, text: str) -> None:
    line = Line(code)
    line.text(quote.replace("\\n", "\n").replace("{}", text.format(code)))
    assert line.owner() is None


@given(codes, st.sampled_from(REFUSALS), ROUGH_FORMS)
def test_a_refusal_claims_nothing_and_is_answered(
    code: str, text: str, forms: list[Callable[[str], str]]
) -> None:
    line = Line(code)
    answer = line.text(formed(text.format(code), forms))
    assert line.owner() is None
    if not forms:
        assert answer is not None
        assert answer.outcome == "declined" or how_to_claim(answer, code)


@given(codes, st.sampled_from([*QUESTIONS, *FOR_OTHERS, *TALK]), ROUGH_FORMS)
def test_a_question_or_a_word_for_somebody_else_claims_nothing_and_says_how(
    code: str, text: str, forms: list[Callable[[str], str]]
) -> None:
    line = Line(code)
    body = text.replace("{}", code)
    answer = line.text(formed(body, forms))
    assert line.owner() is None
    if not forms:
        assert answer is not None
        assert answer.outcome in ("declined", "which_offer") or how_to_claim(answer, code)


@given(
    codes,
    st.sampled_from([*CLAIMS, *QUESTIONS, *FOR_OTHERS, *REFUSALS, *QUOTES]),
    st.booleans(),
    FORMS,
)
def test_about_an_offer_that_is_over_nothing_is_claimed_nor_is_another(
    code: str, text: str, taken: bool, forms: list[Callable[[str], str]]
) -> None:
    line = Line(code)
    if taken:
        claim(line.world.race, line.lead.lead_id, line.other.rep_id, by_sms(1), line.world.clock)
    else:
        line.world.clock.at = line.lead.closes_at
    other = line.offer(2, OTHER)
    body = text.replace("\\n", "\n").replace("{}", code)
    answer = line.text(formed(body, forms))
    assert line.owner() != line.rep.rep_id
    assert line.world.lead(other).owner is None
    if not forms:
        assert answer is not None
        if text in CLAIMS:
            assert isinstance(answer.outcome, AlreadyClaimed if taken else Expired | Withdrawn)
        else:
            assert answer.outcome in ("declined",) or isinstance(answer.outcome, Withdrawn)


@pytest.mark.parametrize("text", TRIES)
def test_who_tries_to_claim_is_answered_each_time(text: str) -> None:
    line = Line()
    for _ in range(3):
        assert line.outcome(text) == "not_understood"
    assert line.owner() is None
    line.world.clock.at = line.lead.closes_at
    assert line.outcome(text) == "no_open_offer"


@given(codes, st.sampled_from(CLAIMS))
def test_a_claim_written_without_spaces_claims_or_is_answered(code: str, text: str) -> None:
    line = Line(code)
    answer = line.text(text.format(code).replace(" ", ""))
    assert answer is not None
    if line.owner() is None and answer.outcome != "not_understood":
        assert how_to_claim(answer, code)


@pytest.mark.parametrize(
    "text", ["claim7K2P", "7K2Pplease", "ok7k2p", "yes7k2p", "7K2Pnow", "oui7K2Pmerci"]
)
def test_a_code_written_to_a_word_that_says_yes_claims(text: str) -> None:
    assert isinstance(Line().outcome(text), Won)


@pytest.mark.parametrize("text", ["x7K2P", "7K2PX", "7K2Pk", "Ben7K2P", "7K2PforBen", "is7K2P"])
def test_a_code_written_to_another_word_or_letter_only_says_how_to_claim(text: str) -> None:
    line = Line()
    assert how_to_claim(line.text(text), "7K2P")
    assert line.owner() is None
