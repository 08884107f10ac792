"""The catalogues are complete, compiled, and fall back to English."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.frontend import CommandLineInterface
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from dibs.core.errors import Refusal
from dibs.race.decide import RULES
from dibs.web.translations import (
    LOCALES,
    REFUSALS,
    in_words,
    languages,
    refusal_sentence,
    translator,
)

ROOT = Path(__file__).parents[3]
LANGUAGES = ("en", "ms")


def catalogue(language: str, suffix: str = "po") -> Catalog:
    path = LOCALES / language / "LC_MESSAGES" / f"dibs.{suffix}"
    with path.open("rb") as file:
        return read_po(file, locale=language) if suffix == "po" else read_mo(file)


def entries(of: Catalog) -> dict[str, Message]:
    return {key(message): message for message in of if message.id}


def key(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def forms(message: Message) -> tuple[str, ...]:
    text = message.string or ""
    return (text,) if isinstance(text, str) else tuple(text)


@pytest.fixture
def used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return every sentence marked in code and templates, found as the docs say to find them."""
    monkeypatch.chdir(ROOT)
    found = tmp_path / "dibs.pot"
    CommandLineInterface().run(  # type: ignore[no-untyped-call]
        ["pybabel", "-q", "extract", "-F", "shared/dibs/locale/babel.cfg", "-o", str(found), "."]
    )
    with found.open("rb") as file:
        return set(entries(read_po(file)))


def test_every_sentence_is_in_each_catalogue_and_no_other(used: set[str]) -> None:
    for language in LANGUAGES:
        known = set(entries(catalogue(language)))
        assert used == known, (language, used ^ known)


def test_malay_is_complete_and_keeps_the_placeholders() -> None:
    for sentence, message in entries(catalogue("ms")).items():
        assert not message.fuzzy, sentence
        for form in forms(message):
            assert form, sentence
            assert set(re.findall(r"{\w+}", form)) == set(re.findall(r"{\w+}", sentence)), sentence


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_the_written_one(language: str) -> None:
    written = {k: forms(m) for k, m in entries(catalogue(language)).items() if any(forms(m))}
    compiled = {k: forms(m) for k, m in entries(catalogue(language, "mo")).items()}
    compiled = {k: v for k, v in compiled.items() if k in written or language != "en"}
    assert compiled == written


def test_languages_are_found_by_tag_and_fall_back_to_english() -> None:
    assert languages() == LANGUAGES
    assert translator("ms").language == "ms"
    assert translator("ms-MY").language == "ms"
    assert translator(" MS_my").language == "ms"
    for unknown in ("", "xx", "../ms", "ms/../../etc", "not a tag", "zh-Hant"):
        assert translator(unknown).language == "en"
    assert translator("ms") is translator("ms-SG")
    assert translator("ms")("CLAIM") == "AMBIL"
    assert translator("de")("CLAIM") == "CLAIM"
    assert translator("ms")("Not a sentence we know.") == "Not a sentence we know."


def test_values_are_put_in_as_they_are() -> None:
    hostile = "{company} {0} {x.__class__} %s"
    assert translator("ms")("Claim {company}?", company=hostile) == f"Ambil {hostile}?"
    assert translator("en")("Claim {company}?", company=hostile) == f"Claim {hostile}?"


@pytest.mark.parametrize(
    ("seconds", "english", "malay"),
    [
        (-5, "0 seconds", "0 saat"),
        (1, "1 second", "1 saat"),
        (59.4, "59 seconds", "59 saat"),
        (60, "1 minute", "1 minit"),
        (3599, "1 hour", "1 jam"),
        (3600, "1 hour", "1 jam"),
        (3 * 3600 + 20 * 60, "3 hours 20 minutes", "3 jam 20 minit"),
        (24 * 3600, "1 day", "1 hari"),
        (60 * 3600, "2 days", "2 hari"),
    ],
)
def test_spans_in_words(seconds: float, english: str, malay: str) -> None:
    assert in_words(timedelta(seconds=seconds), "en") == english
    assert in_words(timedelta(seconds=seconds), "ms") == malay


def test_refusals_are_said_in_the_reps_language_with_their_numbers() -> None:
    limit = Refusal(
        "daily_limit",
        datetime(2026, 5, 1, tzinfo=UTC),
        "You have reached your limit for today (12). "
        "The count starts again at midnight in your time zone.",
    )
    assert refusal_sentence(limit, "en") == limit.how
    assert refusal_sentence(limit, "ms").startswith(
        "Anda sudah mencapai had anda untuk hari ini (12)"
    )


def test_a_refusal_nobody_translated_is_said_in_english() -> None:
    for refusal in (
        Refusal("daily_limit", None, "Reworded since."),
        Refusal("brand_new_rule", None, "A new rule {says} no."),
    ):
        assert refusal_sentence(refusal, "ms") == refusal.how


def every_refusal() -> list[tuple[str, str]]:
    """Return the code and sentence of each `Refusal(...)` in the package."""
    found = []
    for path in (ROOT / "shared/dibs").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            if isinstance(node.func, ast.Name) and node.func.id == "Refusal":
                code, _, how = node.args
                parts = how.values if isinstance(how, ast.JoinedStr) else [how]
                words = (str(p.value) if isinstance(p, ast.Constant) else "7" for p in parts)
                found.append((ast.literal_eval(code), "".join(words)))
    return found


def test_every_refusal_of_the_domain_has_a_malay_sentence() -> None:
    refusals = every_refusal()
    assert refusals
    for code, how in refusals:
        refusal = Refusal(code, None, how)
        assert refusal_sentence(refusal, "en") == how
        assert refusal_sentence(refusal, "ms") != how, f"add {code} to REFUSALS and translate it"
    assert {code for code, _ in refusals} == set(REFUSALS)


def test_every_code_a_claim_is_refused_with_belongs_to_one_rule() -> None:
    known = [code for rule in RULES.values() for code in rule.codes]
    assert len(known) == len(set(known))
    elsewhere = {"in_hand"}  # of assignments
    assert set(known) == {code for code, _ in every_refusal()} - elsewhere
