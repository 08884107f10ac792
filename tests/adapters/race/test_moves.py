"""What is recorded of a lead's steps reads back as it was (C8, K1)."""

from __future__ import annotations

from dibs.core.lead import State, Transition
from dibs.race.records import transition_from, transition_item
from support.builders import NOON


def test_a_step_reads_back_with_the_activity_it_follows_from() -> None:
    transition = Transition("lead1", 2, NOON, State.OPPORTUNITY, State.WON, "won", "rep", (), "rep")
    for told in ("", "0123456789abcdef"):
        one = Transition(**{**vars(transition), "told": told})
        assert transition_from(transition_item(one)) == one
