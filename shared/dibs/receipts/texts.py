"""A receipt in a rep's language: how a race ended for them, and which rule kept them out (C9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dibs.receipts.receipts import Outcome
from dibs.web.translations import N_, translator

_OUTCOMES: Mapping[Outcome, str] = {
    Outcome.WON: N_("You won"),
    Outcome.NOT_DRAWN: N_("Not drawn"),
    Outcome.LOST: N_("Lost"),
    Outcome.LATE: N_("Too late"),
    Outcome.REFUSED: N_("Refused by a rule"),
    Outcome.SILENT: N_("You did not try"),
    Outcome.NOT_TOLD: N_("You were not told"),
}

RULES: Mapping[str, str] = {
    "not_routed": N_("It went to other teams."),
    "left": N_("Your account was closed."),
    "not_open_yet": N_("It was not open for you yet."),
    "assigned_only": N_("Leads like it come to you by assignment only."),
    "closed": N_("The time to claim it was over."),
    "team_paused": N_("Your team was paused."),
    "paused_by_manager": N_("Your manager had paused you."),
    "paused": N_("You had paused."),
    "on_leave": N_("You were on leave."),
    "holiday": N_("It was a holiday in your team."),
    "outside_hours": N_("You were outside your working hours."),
    "weekly_allowance": N_("You had had your leads for the week."),
    "other_pod": N_("It was offered to another pod."),
    "territory": N_("It was outside your territories."),
    "segment": N_("You did not serve its customer segment."),
    "skills": N_("It needed a skill you did not have at that level."),
    "language": N_("It needed a language you did not speak."),
    "interests": N_("It was for a product you did not choose."),
    "newcomer": N_("You were new, and this race was for others."),
    "newcomers_only": N_("This race was for newcomers only."),
    "owes_warm": N_("After many hot leads, a warm one was yours to claim first."),
    "owes_assignment": N_("After many claims, an assigned lead was yours to accept first."),
    "owes_cold": N_("You had cold leads of the week before to make up for."),
    "hourly_limit": N_("You had reached your limit for the hour."),
    "weekly_limit": N_("You had reached your limit for the week."),
    "daily_limit": N_("You had reached your limit for the day."),
    "open_load": N_("You held as many unworked leads as you may."),
    "in_hand": N_("You held as many unworked leads as you may."),
    "released_lately": N_("You had given this lead back a while before."),
    "not_twice_in_a_row": N_("You had this lead last, so others came first."),
    "undone": N_("You had undone your claim of this lead."),
}
"""What each rule says afterwards, by the code of its refusal."""


def outcome_words(outcome: Outcome, language: str) -> str:
    """Return how a race ended for a rep."""
    return translator(language)(_OUTCOMES[outcome])


def rules_in_words(codes: Sequence[str], language: str) -> list[str]:
    """Return the rules that kept a rep out; one that is not known here by its code."""
    _ = translator(language)
    return [_(RULES[code]) if code in RULES else code for code in codes]
