"""Tables as people's programs write them: encodings, separators, headings, lines, numbers."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dibs.core.tables import (
    LONGEST_FIELD,
    Column,
    Table,
    cleaned,
    folded,
    read_table,
    whole_number,
    write_rows,
)

COLUMNS = (
    Column("name", ("nama", "full name"), needed=True),
    Column("team", ("pasukan",), needed=True),
    Column("phone", ("phone number", "telefon")),
)


def read(text: str | bytes, written_in: str = "utf-8", encoding: str = "") -> Table:
    raw = text if isinstance(text, bytes) else text.encode(written_in)
    return read_table(raw, COLUMNS, encoding)


def names(table: Table) -> list[str]:
    return [row.fields["name"] for row in table.rows]


def wrong(table: Table) -> dict[str, str]:
    return {error.field: error.problem for error in table.wrong}


# Encodings

LETTERS = {
    "utf-8": ("José", "陈伟", "Иван", "Zoë"),
    "utf-8-sig": ("José", "陈伟", "Иван"),
    "utf-16": ("José", "陈伟", "Иван"),
    "utf-32": ("José", "陈伟"),
    "cp1252": ("José", "Zoë Müller", "Ángel", "Frédéric d’Été", "ÉTIENNE", "Søren Ø"),
    "cp1251": ("Иван Петров", "ОЛЕГ", "Ольга", "Олексій", "пётр"),
}


@pytest.mark.parametrize(
    ("encoding", "name"), [(code, name) for code, all_ in LETTERS.items() for name in all_]
)
def test_a_file_is_read_in_the_encoding_its_program_wrote(encoding: str, name: str) -> None:
    assert names(read(f"name,team\r\n{name},north\r\n", encoding)) == [name]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_known_without_its_mark(encoding: str) -> None:
    assert names(read("name;team\nJosé 陈;north\n", encoding)) == ["José 陈"]


def test_the_report_can_say_which_encoding_was_taken() -> None:
    assert read("name,team\nZoë,n\n", "cp1252").encoding == "Windows-1252"
    assert read("name,team\nИван,n\n", "cp1251").encoding == "Windows-1251"
    assert read("name,team\nИван,n\n").encoding == "UTF-8"


@pytest.mark.parametrize("encoding", ["gbk", "big5", "shift-jis", "euc-kr"])
def test_what_cannot_be_told_is_asked_for_not_guessed(encoding: str) -> None:
    name = {"shift-jis": "山田太郎", "euc-kr": "김철수 박영희"}.get(encoding, "王小明 陈大文")
    name = name.replace("陈", "陳") if encoding == "big5" else name
    with pytest.raises(ValueError, match="--encoding"):
        read(f"name,team\n{name},north\n", encoding)
    told = read(f"name,team\n{name},north\n".encode(encoding), encoding=encoding)
    assert names(told) == [name]


def test_one_broken_letter_in_utf_8_is_named_by_its_line() -> None:
    raw = "name,team\nJosé Müller,n\nZoë,n\n".encode() + "Ré,n\n".encode("latin-1")
    with pytest.raises(ValueError, match="is not utf-8 on line 4"):
        read(raw)
    with pytest.raises(ValueError, match="no encoding"):
        read("name,team\n", encoding="utf-9")


# Separators and headings


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_separator_is_found_on_the_heading(separator: str, end: str) -> None:
    text = end.join([separator.join(row) for row in (("name", "team"), ("Aina", "north"))])
    assert names(read(text)) == ["Aina"]


@pytest.mark.parametrize("first", ["sep=;", "SEP=;", '"sep=;"', "sep=;\r"])
def test_a_separator_given_on_the_first_line_is_no_heading(first: str) -> None:
    table = read(f"{first}\nname;team\nAina;north\n")
    assert [(row.line, row.fields["team"]) for row in table.rows] == [(3, "north")]


def test_an_unusual_separator_is_taken_where_the_file_gives_it() -> None:
    assert names(read("sep=:\nname:team\nAina:north\n")) == ["Aina"]


@pytest.mark.parametrize(
    "heading",
    ["Name, Team ,PHONE", "nama,pasukan,telefon", '"Full  Name",Team,Phone Number',
     "full_name,team,phone-number", "\ufeffName,TEAM:,Phone No,Phone number",
     "ＮＡＭＥ,Ｔeam,phone"],
)  # fmt: skip
def test_headings_are_compared_as_people_mean_them(heading: str) -> None:
    width = heading.count(",")
    [row] = read(f"{heading}\nAina,north{',' * (width - 1)}+60128880001\n").rows
    assert row.fields == {"name": "Aina", "team": "north", "phone": "+60128880001"}


def test_a_columns_own_name_goes_before_another_heading_of_it() -> None:
    table = read("telefon,name,team,phone,size\n1,Aina,north,2,L\n")
    assert table.rows[0].fields["phone"] == "2"
    assert table.unread == ("telefon", "size")


@pytest.mark.parametrize("text", ["", "\n\n", ",,,\n", "\ufeff"])
def test_an_empty_file_is_said_to_be_empty(text: str) -> None:
    with pytest.raises(ValueError, match="is empty"):
        read(text)


def test_missing_columns_are_named_with_what_is_there() -> None:
    with pytest.raises(ValueError, match="has no column team; its first row is: name, squad"):
        read("name,squad\nAina,north\n")


# Rows and lines


@pytest.mark.parametrize("empty", ["", ",,", "  , ,", '"",""', "\t,", "\u200b,\u00a0", ";,,"[1:]])
def test_empty_rows_are_skipped_and_lines_stay_true(empty: str) -> None:
    table = read(f"\nname,team,phone\n{empty}\nAina,north,\n{empty}\nBen,north,\n")
    assert [(row.line, row.fields["name"]) for row in table.rows] == [(4, "Aina"), (6, "Ben")]
    assert not table.wrong


def test_a_row_is_named_by_the_line_it_begins_on() -> None:
    text = 'name,team,note\n"Aina\nZulkifli",north,"a\r\nb\nc"\nBen,north,x,y,z\nChong,north\n'
    table = read(text)
    assert [(row.line, row.fields["name"]) for row in table.rows] == [
        (2, "Aina Zulkifli"), (7, "Chong"),
    ]  # fmt: skip
    assert list(wrong(table)) == ["line 6"]


@pytest.mark.parametrize("letters", [LONGEST_FIELD + 1, 140_000, 1_000_000])
def test_a_long_field_is_one_sentence_and_the_others_are_read(letters: int) -> None:
    table = read(f"name,team\nAina,north\n{'x' * letters},north\nBen,north\n")
    assert names(table) == ["Aina", "Ben"]
    assert list(wrong(table)) == ["line 3"]
    assert len(wrong(table)["line 3"]) < 200


def test_a_quotation_mark_left_open_is_named_where_it_opens() -> None:
    table = read('name,team\nAina,north\n"Ben,north\nChong,north\n')
    assert names(table) == ["Aina"]
    assert "not closed by line 4" in wrong(table)["line 3"]


def test_a_number_with_a_comma_outside_quotation_marks_is_no_further_field() -> None:
    assert "more fields than the heading (2)" in wrong(read("name,team\nAina,1,000\n"))["line 2"]


@pytest.mark.parametrize("value", ["4.47911E+11", "6,0128880001E+10", "6E+10", "4.4e+11"])
def test_a_number_the_spreadsheet_shortened_is_refused(value: str) -> None:
    table = read(f"name;team;phone\nAina;north;{value}\nBen;north;\n")
    assert names(table) == ["Ben"]
    assert "phone" in wrong(table)["line 2"]


@pytest.mark.parametrize("value", ["#N/A", "#REF!", "#NAME?", "#DIV/0!", "#VALUE!", "########"])
def test_an_error_of_the_spreadsheet_is_no_value(value: str) -> None:
    assert list(wrong(read(f"name,team\n{value},north\n"))) == ["line 2"]


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ('="+60128880001"', "+60128880001"),
        ("'+60128880001", "+60128880001"),
        ("'007", "007"),
        ("'Abd", "'Abd"),
        ("D'Arcy", "D'Arcy"),
        ("\u202a+60128880001\u202c", "+60128880001"),
        ("\u00a0 Aina\u200b ", "Aina"),
        ("Jose\u0301", "José"),
    ],
)
def test_a_field_is_taken_as_it_was_meant(cell: str, meant: str) -> None:
    assert cleaned(cell) == meant


def test_names_are_the_same_whatever_their_form() -> None:
    assert folded("José ") == folded("Jose\u0301") == folded("JOSÉ") == folded("ＪＯＳＥ\u0301")
    assert folded("Straße") == folded("STRASSE")
    assert folded("Ai\u200bna") == folded("aina")
    assert folded("Jose") != folded("José")


# Numbers


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0), ("10", 10), ("10.0", 10), ("10.00", 10), ("10,0", 10), ("10,00", 10),
        ("1,000", 1000), ("1,000,000", 10**6), ("1.000.000", 10**6), ("1 000", 1000),
        ("1\u00a0000\u00a0000", 10**6), ("1'000", 1000), ("1,000.00", 1000), ("1.000,00", 1000),
        ("10,00,000", 10**6), ("1000.000", 1000), ("007", 7), ("5000000.0", 5_000_000), ("1,00", 1),
    ],
)  # fmt: skip
def test_a_whole_number_is_read_as_programs_write_it(text: str, number: int) -> None:
    assert whole_number(text) == number


@pytest.mark.parametrize(
    "text",
    ["", "-5", "1.5", "10,5", "10.5", "1e5", "1.000", "12.345", "٥", "½", "5 %", "RM 5", "0x10",
     "1,,000", "1 00", "+5", "9" * 17, "1_000", "1.0.0", ",0", ".0", "0,5"],
)  # fmt: skip
def test_anything_else_is_refused_or_may_be_two_things(text: str) -> None:
    with pytest.raises(ValueError):
        whole_number(text)


@pytest.mark.parametrize(
    ("text", "number"), [("1.000", 1000), ("10,0", 10), ("1.000,00", 1000), ("1,000,000", 10**6)]
)
def test_a_file_with_semicolons_has_commas_for_decimals(text: str, number: int) -> None:
    assert whole_number(text, comma_decimals=True) == number
    assert read("name;team\nAina;north\n").comma_decimals
    with pytest.raises(ValueError, match="may mean 1000"):
        whole_number("1,000", comma_decimals=True)


# Writing


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2", "@SUM(A1)", "\t=1", "\r=1", "＝1"])
def test_what_a_spreadsheet_would_run_is_written_as_text(text: str) -> None:
    out = io.StringIO(newline="")
    write_rows(out, [("aaaac", text, 5)])
    [row] = csv.reader(io.StringIO(out.getvalue(), newline=""))
    assert row == ["aaaac", f"'{text}", "5"]


@given(st.text(max_size=60), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_any_text_is_read_or_refused_in_a_sentence(text: str, encoding: str) -> None:
    try:
        raw = f"name,team\n{text}\n".encode(encoding)
    except UnicodeEncodeError:
        return
    table = read(raw)
    assert all(row.fields["name"] or row.fields["team"] for row in table.rows)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_in_a_sentence(raw: bytes) -> None:
    try:
        read(raw)
    except ValueError as error:
        assert str(error)
