"""What a receipt says in words (C9)."""

from __future__ import annotations

import pytest

from dibs.receipts.receipts import Outcome
from dibs.receipts.texts import RULES, outcome_words, rules_in_words
from dibs.web.translations import REFUSALS


def test_every_rule_that_refuses_has_words_for_afterwards() -> None:
    assert set(RULES) == set(REFUSALS)


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_words(outcome: Outcome) -> None:
    assert outcome_words(outcome, "en") != outcome.value


def test_a_rule_of_another_version_is_named_by_its_code() -> None:
    assert rules_in_words(("paused", "of_old"), "en") == ["You had paused.", "of_old"]
