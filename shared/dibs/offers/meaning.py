"""What a text from a rep asks for: it claims only where it can mean nothing else (N5)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dibs.core.links import CODE_ALPHABET, CODE_LENGTH
from dibs.offers.words import (
    ALSO_NO,
    AWS_STOP,
    CHEERS,
    NO,
    NO_YES,
    OUTCOMES,
    RELEASE,
    SAYS_MORE,
    START,
    STOP,
    WHOM,
    WITH_OUTCOME,
    WITH_YES,
    YES,
    YES_ALONE,
)

MOST_CODES = 3
"""How many codes of one text are looked up; each costs a request."""

# An answer is short; one letter of Chinese or Thai counts as a word here.
_MOST_WORDS = 60
_CODE = re.compile(rf"(?=.*\d)[{CODE_ALPHABET}]{{{CODE_LENGTH}}}")
_HERE = "#"
# What changes something, and so is not done on a word that may be another one.
_CHANGES = ("claim", "yes", "outcome", "release")
# A time of day, as in "meeting at 3pm"; bare digits may be a mistyped code.
_TIME = re.compile(r"\d{1,2}[ap]m")
# The classes of combining marks from here on are accents.
_ACCENTS = 200

# What phones and mail programs put before the lines of an earlier message, and one letter with a
# colon, as in an Italian forward ("I: …").
_QUOTED_LINE = re.compile(r"^\s*([>›❯|¦]|»(?!.*«)|[^\W\d]\s*:)", re.MULTILINE)
_STRUCK_OUT = re.compile(r"~.*~", re.DOTALL)
# Both ways round, and faces without a nose: -_- and >_<.
_SAD_FACE = re.compile(
    r"[:;=]['’]?-?[(\[{/\\|](?!\w)|(?<!\w)[)\]}]-?['’]?[:;=](?!\w)|-_+-|>_*<|[xX]_[xX]"
)
# Greeks ask with a semicolon.
_GREEK_QUESTION = re.compile(r"[α-ωά-ώ].*;", re.IGNORECASE | re.DOTALL)
_APOSTROPHES = dict.fromkeys(map(ord, "'’‘ʼ＇`´′"))
# Letters that no accent can be taken from, and a sign that would become the word "no".
_LETTERS = str.maketrans({"ı": "i", "đ": "d", "ł": "l", "ø": "o"})
_NUMBER_SIGN = str.maketrans({"№": " "})
# A code typed on a Russian or Greek keyboard looks the same as one in Latin letters.
_LOOKALIKES = str.maketrans("авекмнорстухіѕјαβεζηικμνορτυχ", "abekmhopctyxisjabezhikmnoptyx")
_IGNORED = {"Cf", "Sk"}
# Letters and marks that are not seen, and the key that is drawn around a digit. Of the other signs
# drawn around a letter one forbids it.
_UNSEEN = dict.fromkeys([*range(0xE0100, 0xE01F0), *range(0xFE00, 0xFE10)])
_UNSEEN |= dict.fromkeys(map(ord, "\u034f\u115f\u1160\u17b4\u17b5\u20e3\u2800"))


@dataclass(frozen=True)
class Meaning:
    """What a text asks for, and the codes to look up for it, the likeliest first.

    `asks` is `stop`, `start`, `claim` (one of `codes`), `yes` (to the only open offer), `no`,
    `outcome` (of a lead one holds), `release` (give back such a lead), or `unclear`: a quotation, a
    question, an answer for somebody else, several codes. `outcome` is what came of the lead; beside
    a `no` it may be meant, beside `release` it is why, and with `outcomes` the text says several
    that cannot all be so. `tries` says that an unclear text holds a yes or what looks like a code.
    """

    asks: str
    codes: tuple[str, ...] = ()
    outcome: str = ""
    tries: bool = False


def meaning(body: str) -> Meaning:
    """Read a text as a person would.

    It claims if, apart from the code, it is empty or consists of words that say yes and of
    politeness. A word we do not know, a question mark or a quoted line makes it unclear. So does an
    accent that no word of ours has there: it may be another word. A left out accent does not.
    """
    said, as_written = _words(body), _words(body, accents=True)
    if any(tuple(said[: len(stop)]) == stop for stop in _AWS_STOP):
        return Meaning("stop")
    found = [*_codes(said), *_codes_within(said)]
    unclear = Meaning(
        "unclear", _likeliest(code for code, _ in found), tries=bool(found) or _holds_yes(said)
    )
    if len(said) > _MOST_WORDS or _asks_or_quotes(body):
        return unclear
    read = _read_plainly(said, found) or unclear
    misspelt = any(word not in said and word not in _SPELLINGS for word in as_written)
    return unclear if misspelt and read.asks in _CHANGES else read


def _read_plainly(said: Sequence[str], found: Sequence[tuple[str, list[str]]]) -> Meaning | None:
    told = _release(said, found) or _told(said, found)
    if told is not None:
        return told
    spelled_out = all(len(word) == 1 for word in said)
    kinds = _kinds(said) or (_kinds(["".join(said)]) if spelled_out else set())
    for asks in ("stop", "start", "yes", "no"):
        if {asks} <= kinds <= {asks, "with_yes"}:
            return Meaning(asks)
    plain = [code for code, rest in found if _says_yes(rest)]
    if plain:
        return Meaning("claim", _likeliest(plain))
    if any({"no"} <= _kinds(rest) <= {"no", "with_yes", "code"} for _, rest in found):
        return Meaning("no")
    return None


def _release(said: Sequence[str], found: Sequence[tuple[str, list[str]]]) -> Meaning | None:
    """Return that a text gives a lead back, None where it says something else besides (C5).

    An outcome beside it is why: "give back 7K2P, wrong number".
    """
    if _is_release(_kinds(said, _OF_CONTACTS)):
        return Meaning("release")
    rests = {
        code: kinds for code, rest in found if _is_release(kinds := _kinds(rest, _OF_CONTACTS))
    }
    if not rests:
        return None
    codes = _likeliest(rests)
    why = [outcome for outcome in OUTCOMES if rests[codes[0]] & {outcome, f"also {outcome}"}]
    return Meaning("release", codes, why[0] if len(why) == 1 else "")


def _is_release(kinds: set[str]) -> bool:
    return "release" in kinds and kinds <= {"release", *_AROUND, *_OF_OUTCOMES}


def _told(said: Sequence[str], found: Sequence[tuple[str, list[str]]]) -> Meaning | None:
    """Return the outcome a text tells, None where it tells none, or something else besides.

    Of several outcomes the one that says more is meant: it includes the other. Where none does, the
    text tells `outcomes`, and the rep is asked for one.
    """
    alone = _outcomes(said)
    if alone:
        return _one_of(alone, ())
    told = {code: outcomes for code, rest in found if (outcomes := _outcomes(rest))}
    if told:
        codes = _likeliest(told)
        return _one_of(told[codes[0]], codes)
    declined = {code: outcome for code, rest in found if (outcome := _also_no(rest))}
    codes = _likeliest(declined)
    return Meaning("no", codes, declined[codes[0]]) if codes else None


def _one_of(outcomes: set[str], codes: tuple[str, ...]) -> Meaning:
    if len(outcomes) > 1:
        return Meaning("outcomes", codes)
    return Meaning("outcome", codes, next(iter(outcomes)))


def _also_no(rest: Sequence[str]) -> str:
    """Return the outcome of words that decline an offer too, empty where they are no such words."""
    return _ALSO_NO.get(tuple(word for word in rest if word != _HERE), "")


def _outcomes(words: Sequence[str]) -> set[str]:
    """Return the outcomes these words come to, without those that another of them includes.

    Empty where the words say something else besides; what only goes with them does not. "Not
    interested" declines an offer; beside another outcome it is about the contact.
    """
    kinds = _kinds(words, _OF_CONTACTS)
    told = kinds & set(OUTCOMES)
    also = {outcome for outcome in OUTCOMES if f"also {outcome}" in kinds}
    others = kinds - told - _AROUND - {f"also {outcome}" for outcome in also}
    if not told or others:
        return set()
    told |= also
    return {one for one in told if not SAYS_MORE.get(one, set()) & told}


def _asks_or_quotes(body: str) -> bool:
    seen = "".join(
        letter
        for letter in unicodedata.normalize("NFKC", body)
        if unicodedata.category(letter) != "Cf" and ord(letter) not in _UNSEEN
    )
    return (
        any("QUESTION" in unicodedata.name(letter, "") or letter == "‽" for letter in body)
        or _QUOTED_LINE.search(seen) is not None
        or _STRUCK_OUT.search(seen) is not None
        or _SAD_FACE.search(seen) is not None
        or _GREEK_QUESTION.search(seen) is not None
    )


def _says_yes(rest: Sequence[str]) -> bool:
    kinds = _kinds(rest)
    if "alone" in kinds:
        return _kinds([word for word in rest if word != _HERE]) == {"alone"}
    return bool(kinds) and kinds <= {"yes", "with_yes", "code"}


def _codes(said: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield what may be a code, and the words around it; words typed apart are read as one."""
    for width in range(1, CODE_LENGTH + 1):
        for start in range(len(said) - width + 1):
            typed = "".join(said[start : start + width])
            code = typed.translate(_LOOKALIKES).upper()
            if _CODE.fullmatch(code):
                around = [*said[:start], _HERE, *said[start + width :]]
                yield code, [_HERE if word == typed else word for word in around]


def _codes_within(said: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Return what may be a code in a longer word ("claim7K2P"), and the words around it.

    Those come first beside which the rest of the word is known, then those at an end of it.
    """
    found = []
    for at, word in enumerate(said):
        for start in range(len(word) - CODE_LENGTH + 1 if len(word) > CODE_LENGTH else 0):
            end = start + CODE_LENGTH
            code = word[start:end].translate(_LOOKALIKES).upper()
            if _CODE.fullmatch(code):
                parts = [part for part in (word[:start], _HERE, word[end:]) if part]
                # One letter too many is a mistyped code, and no word.
                known = all(part == _HERE or (len(part) > 1 and part in _RUN_ON) for part in parts)
                around = [*said[:at], *(parts if known else [word]), *said[at + 1 :]]
                inside = start > 0 and end < len(word)
                found.append(((not known, inside), code, around))
    return [(code, around) for _, code, around in sorted(found, key=lambda one: one[0])]


def _likeliest(codes: Iterable[str]) -> tuple[str, ...]:
    """Return the first different codes: those typed as one word come before those typed apart."""
    return tuple(dict.fromkeys(codes))[:MOST_CODES]


def _kinds(words: Sequence[str], phrases: Mapping[tuple[str, ...], str] | None = None) -> set[str]:
    """Return which kinds of phrases these words consist of; none if any word is unknown."""
    kinds, at = set[str](), 0
    while at < len(words):
        found = _phrase_at(words, at, _PHRASES if phrases is None else phrases)
        if found is None and phrases is _OF_CONTACTS and _TIME.fullmatch(words[at]):
            found = ("with_outcome", 1)
        if found is None:
            return set()
        kind, length = found
        if kind == "whom":
            if not kinds & set(OUTCOMES):
                return set()
            kind = "with_outcome"
        kinds.add(kind)
        at += length
    return kinds


def _phrase_at(
    words: Sequence[str], at: int, phrases: Mapping[tuple[str, ...], str]
) -> tuple[str, int] | None:
    """Return kind and length of the longest phrase that begins with this word."""
    for length in range(min(_LONGEST_PHRASE, len(words) - at), 0, -1):
        kind = phrases.get(tuple(words[at : at + length]))
        if kind:
            return kind, length
    return None


def _holds_yes(words: Sequence[str]) -> bool:
    """Return whether some of these words say yes, and none no."""
    found = (_phrase_at(words, at, _PHRASES) for at in range(len(words)))
    kinds = {one[0] for one in found if one is not None}
    return bool(kinds & {"yes", "alone"}) and "no" not in kinds


def _words(text: str, *, accents: bool = False) -> list[str]:
    """Return a text's words without case, accents, punctuation and cheerful emoji.

    In scripts without capital letters, some of which put no space between words, each letter is a
    word of its own. So is a sign we do not know. With `accents` the words keep theirs.
    """
    words: list[str] = []
    joined = False
    for letter in _plain(text):
        category = unicodedata.category(letter)
        if category in _IGNORED or letter in "♂♀":
            continue
        # Accents stand above or below a letter; other marks, as in Thai and Hindi, are letters.
        if unicodedata.combining(letter) >= _ACCENTS:
            if accents and words:
                words[-1] += letter
            continue
        part = letter.isdecimal() or letter.lower() != letter.upper()
        if part and joined:
            words[-1] += letter
        elif part or category[0] in "LM" or (category[0] in "SNC" and not _separates(letter)):
            words.append(letter)
        joined = part
    return words


def _plain(text: str) -> str:
    text = text.translate(_APOSTROPHES).translate(_NUMBER_SIGN)
    text = unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS).translate(_UNSEEN)
    return "".join(
        str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in text
    )


def _separates(letter: str) -> bool:
    return letter.isascii() or letter in CHEERS


def _read(phrases: str) -> list[tuple[str, ...]]:
    """Return a list's phrases as words."""
    return [
        tuple(
            word for part in phrase.split() for word in ([_HERE] if part == _HERE else _words(part))
        )
        for phrase in phrases.split(",")
        if phrase.strip()
    ]


_AWS_STOP = _read(AWS_STOP)
_LISTS = {
    "with_yes": WITH_YES,
    "yes": YES,
    "alone": YES_ALONE,
    "no": NO,
    "no_yes": NO_YES,
    "release": RELEASE,
    "start": START,
    "stop": f"{STOP}, {AWS_STOP}",
}
_PHRASES: dict[tuple[str, ...], str] = {
    (_HERE,): "code",
    **{
        phrase: kind
        for kind, phrases in (*OUTCOMES.items(), *_LISTS.items())
        for phrase in _read(phrases)
    },
}
# Every word as it is spelt in the lists.
_SPELLINGS = {
    word
    for phrases in (*OUTCOMES.values(), *_LISTS.values(), WITH_OUTCOME, WHOM)
    for word in _words(phrases, accents=True)
}
_ALSO_NO = {phrase: kind for kind, phrases in ALSO_NO.items() for phrase in _read(phrases)}
_RUN_ON = {"".join(phrase) for phrase in _PHRASES}
# Of these, what also says yes or no keeps that meaning.
_OF_CONTACTS = {
    **dict.fromkeys(_read(WITH_OUTCOME), "with_outcome"),
    **dict.fromkeys(_read(WHOM), "whom"),
    **_PHRASES,
    **{phrase: f"also {outcome}" for phrase, outcome in _ALSO_NO.items()},
}
_OF_OUTCOMES = {*OUTCOMES, *(f"also {outcome}" for outcome in OUTCOMES)}
# What may stand beside an outcome.
_AROUND = {"with_yes", "code", "with_outcome"}
_LONGEST_PHRASE = max(map(len, _OF_CONTACTS))
