"""What a text from a rep asks for: it claims only where it can mean nothing else (N5)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dibs.core.links import CODE_ALPHABET, CODE_LENGTH
from dibs.offers.words import (
    ALSO_NO,
    AWS_STOP,
    CHEERS,
    NO,
    OUTCOMES,
    SAYS_MORE,
    START,
    STOP,
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

_QUOTED_LINE = re.compile(r"^\s*[>＞]", re.MULTILINE)
_SAD_FACE = re.compile(r"[:;=]['’]?-?[(\[{/\\|](?!\w)")
# Greeks ask with a semicolon.
_GREEK_QUESTION = re.compile(r"[α-ωά-ώ].*;", re.IGNORECASE | re.DOTALL)
_APOSTROPHES = dict.fromkeys(map(ord, "'’‘ʼ＇`´′"))
# Letters that no accent can be taken from, and a sign that would become the word "no".
_LETTERS = str.maketrans({"ı": "i", "đ": "d", "ł": "l", "ø": "o"})
_NUMBER_SIGN = str.maketrans({"№": " "})
# A code typed on a Russian or Greek keyboard looks the same as one in Latin letters.
_LOOKALIKES = str.maketrans("авекмнорстухіѕјαβεζηικμνορτυχ", "abekmhopctyxisjabezhikmnoptyx")
_IGNORED = {"Cf", "Me", "Sk"}


@dataclass(frozen=True)
class Meaning:
    """What a text asks for, and the codes to look up for it, the likeliest first.

    `asks` is `stop`, `start`, `claim` (one of `codes`), `yes` (to the only open offer), `no`,
    `outcome` (of a lead one holds), or `unclear`: a quotation, a question, an answer for somebody
    else, several codes. `outcome` is what came of the lead; beside a `no` it may be meant.
    """

    asks: str
    codes: tuple[str, ...] = ()
    outcome: str = ""


def meaning(body: str) -> Meaning:
    """Read a text as a person would.

    It claims if, apart from the code, it is empty or consists of words that say yes and of
    politeness. A word we do not know, a question mark or a quoted line makes it unclear.
    """
    said = _words(body)
    if any(tuple(said[: len(stop)]) == stop for stop in _AWS_STOP):
        return Meaning("stop")
    found = list(_codes(said))
    unclear = Meaning("unclear", _likeliest(code for code, _ in found))
    if len(said) > _MOST_WORDS or _asks_or_quotes(body):
        return unclear
    told = _told(said, found)
    if told is not None:
        return told
    kinds = _kinds(said) or _kinds(["".join(said)])
    for asks in ("stop", "start", "yes", "no"):
        if {asks} <= kinds <= {asks, "with_yes"}:
            return Meaning(asks)
    plain = [code for code, rest in found if _says_yes(rest)]
    if plain:
        return Meaning("claim", _likeliest(plain))
    if any({"no"} <= _kinds(rest) <= {"no", "with_yes", "code"} for _, rest in found):
        return Meaning("no")
    return unclear


def _told(said: Sequence[str], found: Sequence[tuple[str, list[str]]]) -> Meaning | None:
    """Return the outcome a text tells, None where it tells none, or something else besides."""
    alone = _outcome(_kinds(said))
    if alone:
        return Meaning("outcome", (), alone)
    told = {code: outcome for code, rest in found if (outcome := _outcome(_kinds(rest)))}
    asks = "outcome"
    if not told:
        asks = "no"
        told = {code: outcome for code, rest in found if (outcome := _also_no(rest))}
    codes = _likeliest(told)
    return Meaning(asks, codes, told[codes[0]]) if codes else None


def _also_no(rest: Sequence[str]) -> str:
    """Return the outcome of words that decline an offer too, empty where they are no such words."""
    return _ALSO_NO.get(tuple(word for word in rest if word != _HERE), "")


def _outcome(kinds: set[str]) -> str:
    """Return the one outcome that these phrases come to, empty where they come to none."""
    told = kinds & set(OUTCOMES)
    if not told or kinds - told - {"with_yes", "code"}:
        return ""
    most = [one for one in told if not SAYS_MORE.get(one, set()) & told]
    return most[0] if len(most) == 1 else ""


def _asks_or_quotes(body: str) -> bool:
    return (
        any("QUESTION" in unicodedata.name(letter, "") or letter == "‽" for letter in body)
        or _QUOTED_LINE.search(body) is not None
        or _SAD_FACE.search(body) is not None
        or _GREEK_QUESTION.search(body) is not None
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


def _likeliest(codes: Iterable[str]) -> tuple[str, ...]:
    """Return the first different codes: those typed as one word come before those typed apart."""
    return tuple(dict.fromkeys(codes))[:MOST_CODES]


def _kinds(words: Sequence[str]) -> set[str]:
    """Return which kinds of phrases these words consist of; none if any word is unknown."""
    kinds, at = set(), 0
    while at < len(words):
        for length in range(min(_LONGEST_PHRASE, len(words) - at), 0, -1):
            kind = _PHRASES.get(tuple(words[at : at + length]))
            if kind:
                kinds.add(kind)
                at += length
                break
        else:
            return set()
    return kinds


def _words(text: str) -> list[str]:
    """Return a text's words without case, accents, punctuation and cheerful emoji.

    In scripts without capital letters, some of which put no space between words, each letter is a
    word of its own. So is a sign we do not know.
    """
    words: list[str] = []
    joined = False
    for letter in _plain(text):
        category = unicodedata.category(letter)
        if category in _IGNORED or letter in "♂♀":
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
    text = unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS)
    return "".join(
        str(unicodedata.decimal(letter)) if letter.isdecimal() else letter
        for letter in text
        # Accents stand above or below a letter; other marks, as in Thai and Hindi, are letters.
        if unicodedata.combining(letter) < 200 and not "\ufe00" <= letter <= "\ufe0f"
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
_ALSO_NO = {phrase: kind for kind, phrases in ALSO_NO.items() for phrase in _read(phrases)}
_LONGEST_PHRASE = max(map(len, _PHRASES))
