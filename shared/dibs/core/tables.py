"""Tables as spreadsheets and other programs write them (CSV): read with care, written safely. Pure.

A file may begin with a byte order mark or with `sep=;`. Fields may be separated by commas,
semicolons, tabs or bars. Headings are compared without case, spaces and punctuation. Empty rows are
skipped. A row that cannot be read is named by its line; the others are still read.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from typing import TextIO

from dibs.core.errors import FieldError
from dibs.core.values import dataclass

LONGEST_FIELD = 1000


@dataclass(frozen=True)
class Column:
    """A column that is read: its name here, and other headings that people give it."""

    name: str
    headings: tuple[str, ...] = ()
    needed: bool = False


@dataclass(frozen=True)
class Row:
    """A row by the names of the columns, "" where a field is empty, and the line it begins on."""

    line: int
    fields: Mapping[str, str]


@dataclass(frozen=True)
class Table:
    """What was read. `wrong` names each row that could not be; `unread` are unknown columns.

    `comma_decimals`: the file separates fields by semicolons, as programs do where the comma is the
    decimal mark.
    """

    rows: tuple[Row, ...]
    encoding: str
    separator: str
    unread: tuple[str, ...] = ()
    wrong: tuple[FieldError, ...] = ()
    columns: frozenset[str] = field(default_factory=frozenset)

    @property
    def comma_decimals(self) -> bool:
        return self.separator == ";"


def folded(text: str) -> str:
    """Return a text as two people would call it the same: case, spaces and accents' form aside."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(_without_marks(plain).split())


def read_table(raw: bytes, columns: Sequence[Column], encoding: str = "") -> Table:
    """Read a table with a row of headings.

    Raises:
        ValueError: says why the file cannot be read, or which columns are missing.
    """
    text, name = _decoded(raw, encoding)
    with _long_fields(len(text)):
        return _read(text, name, columns)


@contextmanager
def _long_fields(letters: int) -> Iterator[None]:
    """Let the reader take fields of any length; the long ones are refused by their line."""
    usual = csv.field_size_limit(max(letters, 1))
    try:
        yield
    finally:
        csv.field_size_limit(usual)


def _read(text: str, encoding: str, columns: Sequence[Column]) -> Table:
    given, start = _given_separator(text)
    found = _heading(text, start, given, columns)
    if found is None:
        raise ValueError("is empty; its first row names the columns")
    separator, headings, places = found
    missing = [column.name for column in columns if column.needed and column.name not in places]
    if missing:
        seen = ", ".join(filter(None, headings))
        raise ValueError(f"has no column {', '.join(missing)}; its first row is: {seen[:200]}")
    read = list(_rows(text, start, separator, len(headings), places))
    unread = [heading for n, heading in enumerate(headings) if heading and n not in places.values()]
    return Table(
        tuple(row for row in read if isinstance(row, Row)),
        encoding,
        separator,
        tuple(unread),
        tuple(row for row in read if isinstance(row, FieldError)),
        frozenset(places),
    )


def _rows(
    text: str, start: int, separator: str, width: int, places: Mapping[str, int]
) -> Iterator[Row | FieldError]:
    """Yield the rows under the heading, or what is wrong with one."""
    filled = (
        (line, end, cells)
        for line, end, found in _records(text, start, separator)
        if any(cells := [cleaned(cell) for cell in found])
    )
    next(filled)  # the heading
    for line, end, cells in filled:
        of_row = {name: cells[n] if n < len(cells) else "" for name, n in places.items()}
        problem = _problem(cells, width, separator, end) or "; ".join(
            f"{name}: {said}" for name, value in of_row.items() if (said := _damage(value))
        )
        if problem:
            yield FieldError(f"line {line}", problem)
        elif any(of_row.values()):
            yield Row(line, of_row)


def _problem(cells: Sequence[str], width: int, separator: str, open_until: int | None) -> str:
    if open_until is not None:
        return f"a quotation mark opens here and is not closed by line {open_until}, the last"
    if any(cells[width:]):
        mark = {"\t": "tab"}.get(separator, separator)
        return (
            f"has more fields than the heading ({width}); put a text with a {mark} in it in "
            "quotation marks"
        )
    if any(len(cell) > LONGEST_FIELD for cell in cells):
        return (
            f"has a field of more than {LONGEST_FIELD} letters; "
            "shorten it, and look for a quotation mark that is not closed"
        )
    return ""


# As spreadsheets show 447911123456 in a narrow column, and what they show for an error.
_SHORTENED = re.compile(r"[+-]?\d(?:[.,]\d+)?E\+\d{2,}", re.IGNORECASE)
_ERROR = re.compile(r"#(?:N/A|NV|[^\W\d_/]+(?:/0)?[!?]|#+)")


def _damage(value: str) -> str:
    if _SHORTENED.fullmatch(value):
        return (
            f"{value} is a number that the spreadsheet shortened, its last digits are lost; "
            "format the column as text and enter it again"
        )
    if _ERROR.fullmatch(value) and value == value.upper():
        return f"{value} is an error of the spreadsheet, not a value"
    return ""


_FORMULA_TEXT = re.compile(r'="([^"]*)"')
_APOSTROPHE = re.compile(r"^'(?=[=+\-@\d])")


def cleaned(cell: str) -> str:
    """Return a field as it was meant: composed letters, single spaces, nothing around it.

    `="007"` and `'+60` are how spreadsheets keep text from becoming a number.
    """
    text = unicodedata.normalize("NFC", " ".join(cell.split()))
    while text and unicodedata.category(text[0]) in _AROUND:
        text = text[1:]
    while text and unicodedata.category(text[-1]) in _AROUND:
        text = text[:-1]
    quoted = _FORMULA_TEXT.fullmatch(text)
    return quoted[1].strip() if quoted else _APOSTROPHE.sub("", text, count=1)


_AROUND = ("Cf", "Cc", "Zs")


def _without_marks(text: str) -> str:
    """Return a text without its invisible letters, such as a direction or a zero width."""
    return "".join(letter for letter in text if unicodedata.category(letter) != "Cf")


# Where the lines of a file are


def _records(text: str, start: int, separator: str) -> Iterable[tuple[int, int | None, list[str]]]:
    """Yield each record with the line it begins on.

    With the last line instead of None, a quotation mark was left open to the end of the file.
    """
    lines = list(io.StringIO(text, newline=""))
    reader = csv.reader(lines[start:], delimiter=separator)
    before = start
    for cells in reader:
        first, before = before + 1, start + reader.line_num
        is_open = before == len(lines) and _left_open(lines[first - 1 : before], separator)
        yield first, before if is_open else None, cells


def _left_open(lines: Sequence[str], separator: str) -> bool:
    try:
        list(csv.reader(lines, delimiter=separator, strict=True))
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False


# Separators and headings

_SEPARATORS = (",", ";", "\t", "|")
_GIVEN = re.compile(r'"?sep=(.)"?[,;\t|]*', re.IGNORECASE)


def _given_separator(text: str) -> tuple[str, int]:
    """Return the separator that a first line `sep=;` gives, and how many lines it takes."""
    first = next(iter(io.StringIO(text, newline="")), "")
    found = _GIVEN.fullmatch(first.rstrip("\r\n"))
    return (found[1], 1) if found and found[1] not in '"\r\n' else ("", 0)


def _heading(
    text: str, start: int, given: str, columns: Sequence[Column]
) -> tuple[str, list[str], dict[str, int]] | None:
    """Return the separator under which most columns are found, the headings and their places."""
    best: tuple[str, list[str], dict[str, int]] | None = None
    for separator in dict.fromkeys([*([given] if given else []), *_SEPARATORS]):
        records = _records(text, start, separator)
        cells = ([cleaned(cell) for cell in found] for _, _, found in records)
        headings = next((row for row in cells if any(row)), None)
        if headings is None:
            return None
        places = _places(headings, columns)
        if best is None or len(places) > len(best[2]):
            best = separator, headings, places
    return best


def _places(headings: Sequence[str], columns: Sequence[Column]) -> dict[str, int]:
    """Return where each column is: under its own name, else under the first other heading."""
    there: dict[str, int] = {}
    for place, heading in enumerate(headings):
        there.setdefault(_bare(heading), place)
    found: dict[str, int] = {}
    for column in columns:
        names = [_bare(name) for name in (column.name, *column.headings)]
        free = [there[name] for name in names if name in there]
        if free and free[0] not in found.values():
            found[column.name] = free[0]
    return found


def _bare(heading: str) -> str:
    return "".join(letter for letter in folded(heading) if letter.isalnum())


# Encodings

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAVE = "save it as CSV UTF-8, or name its encoding with --encoding"


def _decoded(raw: bytes, encoding: str) -> tuple[str, str]:
    """Return the text, and the encoding it was read in."""
    marked = next((name for mark, name in _MARKS if raw.startswith(mark)), "")
    name = encoding or marked or _unmarked(raw)
    try:
        text = raw.decode(name)
    except LookupError:
        raise ValueError(
            f"{name} is no encoding; use a name such as utf-8 or windows-1252"
        ) from None
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ValueError(f"is not {name} on line {line}; {_SAVE}") from error
    return text.removeprefix("\ufeff"), _SHOWN.get(name, name)


_SHOWN = {
    "utf-8-sig": "UTF-8",
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32": "UTF-32",
    "cp1252": "Windows-1252",
    "cp1251": "Windows-1251",
}


def _unmarked(raw: bytes) -> str:
    """Return the encoding of bytes without a mark: UTF-8, UTF-16, or one of two old ones."""
    if b"\0" in raw:
        return "utf-16-le" if raw[1::2].count(0) > raw[::2].count(0) else "utf-16-be"
    tolerant = raw.decode(errors="replace")
    bad = tolerant.count("\ufffd")
    if not bad or sum(letter > "\x7f" for letter in tolerant) >= 2 * bad:
        return "utf-8"  # or nearly: the line that is not is named
    return _older(raw)


# A word is what stands between ASCII and the marks both old encodings have: … ‘ ’ “ ” • – —,
# a hard space « » · and the like.
_WORDS = re.compile(
    rb"[^\x00-@\[-`{-\x7f\x84\x85\x8b\x91-\x97\x99\x9b\xa0\xa7\xa9\xab\xad\xae\xb0\xb7\xbb]+"
)


def _older(raw: bytes) -> str:
    """Tell Windows-1252 from Windows-1251: Cyrillic words have no Latin letters in them."""
    words = [word for word in _WORDS.findall(raw) if max(word) > 0x7F]
    if not words:
        return "cp1252"
    latin = sum(_is_latin(word) for word in words)
    cyrillic = sum(_is_cyrillic(word) for word in words)
    if 2 * max(latin, cyrillic) <= len(words):
        raise ValueError(f"is in an encoding that cannot be told from its letters; {_SAVE}")
    return "cp1252" if latin >= cyrillic else "cp1251"


def _is_latin(word: bytes) -> bool:
    text = word.decode("cp1252", "replace")
    return (len(text) == 1 or bool(re.search("[A-Za-z]", text))) and _is_word(text)


def _is_cyrillic(word: bytes) -> bool:
    text = word.decode("cp1251", "replace")
    return len(text) > 1 and not re.search("[A-Za-z]", text) and _is_word(text)


def _is_word(text: str) -> bool:
    """Tell whether it is of letters in the case of a word: Ivan, ivan or IVAN."""
    return text.isalpha() and (text[1:] == text[1:].lower() or text == text.upper())


# Numbers

_SPACES = re.compile(r"(?<=\d)[ \u00a0\u2009\u202f'’](?=\d{3}(?!\d))")
_GROUPS = {",": re.compile(r"\d{1,3}(?:,\d{2,3})*,\d{3}"), ".": re.compile(r"\d{1,3}(?:\.\d{3})+")}
_DIGITS = re.compile(r"[0-9]{1,16}")


def whole_number(text: str, comma_decimals: bool = False) -> int:
    """Return the whole number a field says: `1000`, `1,000`, `1 000`, `1000.0`.

    Raises:
        ValueError: it is none; or it is `1.000`, which could be one or a thousand.
    """
    plain = _SPACES.sub("", text)
    thousands, decimal = (".", ",") if comma_decimals else (",", ".")
    if _GROUPS[decimal].fullmatch(plain) and plain.count(decimal) == 1:
        bare = plain.replace(decimal, "")
        raise ValueError(f"{text} may mean {bare} or less; write {bare}, or the smaller number")
    for mark, other in ((decimal, thousands), (thousands, decimal)):
        whole, _, rest = plain.rpartition(mark)
        if whole and rest and not rest.strip("0") and not _GROUPS[mark].fullmatch(plain):
            plain = whole
        if _GROUPS[other].fullmatch(plain):
            plain = plain.replace(other, "")
    if not _DIGITS.fullmatch(plain):
        raise ValueError(f"{text[:40]!r} is not a whole number")
    return int(plain)


# Writing


def write_rows(out: TextIO, rows: Iterable[Sequence[object]]) -> None:
    """Write rows as CSV in which no text is a formula to a spreadsheet."""
    csv.writer(out).writerows([_safe(cell) for cell in row] for row in rows)


def _safe(cell: object) -> object:
    """Put an apostrophe before what a spreadsheet would run."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in _RUN else cell


_RUN = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
