"""Warn of settings by which a rep gets round the rules (C12, F1-F3, K5, M2, G7, G12). Pure.

Nothing here is a mistake by itself: each setting may be meant. That each reporter has activity ids
of their own, and that a contest counts what was recorded by its cut-off, no setting changes.
"""

from __future__ import annotations

from collections.abc import Iterator

from dibs.core.errors import FieldError
from dibs.game.scoring.metrics import metrics_of
from dibs.game.scoring.samples import needed, sample_of
from dibs.rules.game import REPORT_RULES
from dibs.rules.playbook import Playbook
from dibs.rules.rules import Model

_LONG_AGO = 31
# Points worth a warning: more than so many claims earn.
_SMALL = 3
# A hundred million, in cents: who may report that may report anything.
_NO_LIMIT = 10**10
_HOUR = 3600
# Below so many leads luck decides a tier; an average of one is none.
_FEW_FOR_A_TIER = 5
_FEW_FOR_A_PLACE = 2
# So many days after a challenge's end are for what comes later of itself, as a lead's outcome does.
_DAYS_AFTER_THE_END = 7


def hole_warnings(playbook: Playbook) -> Iterator[FieldError]:
    """Yield each setting that lets a rep round a rule, what they would do, and what to set."""
    yield from _free_looks(playbook)
    yield from _debts_without_effect(playbook)
    yield from _own_word(playbook)
    yield from _few_leads(playbook)
    yield from _challenges(playbook)


def _free_looks(playbook: Playbook) -> Iterator[FieldError]:
    """Yield where undone claims let a rep read as many contacts again as they may claim (C12)."""
    if playbook.undo_seconds and playbook.undos_per_day >= playbook.claims_per_day:
        yield FieldError(
            "undos_per_day",
            f"is {playbook.undos_per_day}, and claims_per_day {playbook.claims_per_day}: a rep can "
            "read as many contacts again as they may claim, and give them back; lower it",
        )


def _debts_without_effect(playbook: Playbook) -> Iterator[FieldError]:
    """Yield what keeps a rule of less wanted leads from ever binding (F1-F3)."""
    rules, a_week = playbook.acceptance, playbook.claims_per_day * 7
    if rules.hot_per_warm >= a_week:
        yield FieldError(
            "acceptance.hot_per_warm",
            f"is {rules.hot_per_warm}, and claims_per_day allows {a_week} claims a week: nobody "
            "ever owes a warm lead; lower it",
        )
    if (rules.hot_per_warm or rules.cold_per_week) and playbook.blind.share_percent == 100:
        yield FieldError(
            "blind.share_percent",
            "is 100, and blind leads neither make nor pay a debt: hot_per_warm and cold_per_week "
            "bind nobody; lower it",
        )


def _own_word(playbook: Playbook) -> Iterator[FieldError]:
    """Yield what reps can earn, or be first by, on their own word alone (K5)."""
    rules, points = playbook.game.reporting, playbook.game.points
    earned = {"opportunity": points.opportunity, "won": points.won, **points.activities}
    for name, most in earned.items():
        alone = most > _SMALL * points.claim and name not in rules.confirm
        if alone and "rep" in rules.rule_for(name).by:
            yield FieldError(
                "game.reporting.confirm",
                f"leaves out {name!r}: a rep earns {most} points by reporting it, confirmed by "
                "nobody; add it",
            )
    if rules.rep_days > _LONG_AGO:
        yield FieldError(
            "game.reporting.rep_days",
            f"is {rules.rep_days}: reps can report work of a month that is over; lower it",
        )
    if rules.rep_most >= _NO_LIMIT:
        yield FieldError(
            "game.reporting.rep_most",
            f"is {rules.rep_most}: a rep is first on every board of revenue by one report; lower "
            "it to the largest deal you know",
        )
    if rules.prompt_seconds > _HOUR:
        yield FieldError(
            "game.reporting.prompt_seconds",
            f"is {rules.prompt_seconds}: a contact reported late counts as made in time; use 120",
        )
    yield from _own_word_by_type(playbook)


def _own_word_by_type(playbook: Playbook) -> Iterator[FieldError]:
    for name, rule in playbook.game.reporting.types.items():
        place, shipped = f"game.reporting.types.{name}", REPORT_RULES.get(name)
        if "rep" not in rule.by:
            continue
        if shipped is not None and "rep" not in shipped.by:
            yield FieldError(
                f"{place}.by", "lets reps judge or confirm their own work; leave rep out"
            )
        if rule.without_lead and not (shipped and shipped.without_lead):
            yield FieldError(
                f"{place}.without_lead",
                "lets reps report an amount that is about no lead, so that nobody can check it; "
                "leave it out",
            )
        if rule.rep_most is not None and rule.rep_most >= _NO_LIMIT:
            yield FieldError(
                f"{place}.rep_most", f"is {rule.rep_most}, which is no limit; lower it"
            )
        if rule.rep_days is not None and rule.rep_days > _LONG_AGO:
            yield FieldError(
                f"{place}.rep_days",
                f"is {rule.rep_days}: reps can report work of a month that is over; lower it",
            )


def _few_leads(playbook: Playbook) -> Iterator[FieldError]:
    """Yield where a rep rises by having taken few leads: in tiers and on boards (M2, G12)."""
    tiers = playbook.tiers
    if Model.TIERS in map(playbook.model_of, playbook.teams):
        if tiers.minimum_sample < _FEW_FOR_A_TIER:
            yield FieldError(
                "tiers.minimum_sample",
                f"is {tiers.minimum_sample}: so few leads decide a tier by luck; use 10",
            )
        if tiers.prior_sample == 0 and tiers.conversion_weight:
            yield FieldError(
                "tiers.prior_sample",
                "is 0: a good rate over few leads counts in full, so one lead won is the way up; "
                "use 20",
            )
    if playbook.game.minimum_sample < _FEW_FOR_A_PLACE:
        yield FieldError(
            "game.minimum_sample",
            f"is {playbook.game.minimum_sample}: one lead answered in ten seconds beats fifty in "
            "twelve; use 5",
        )
    metrics = metrics_of(playbook)
    for name in playbook.game.metrics:
        own = metrics[name]
        alone = own.minimum is not None and needed(own, playbook) < _FEW_FOR_A_PLACE
        if alone and sample_of(own) is not None:
            yield FieldError(
                f"game.metrics.{name}.minimum",
                f"is {own.minimum}: an average of one is ranked above that of many; leave it out",
            )


def _challenges(playbook: Playbook) -> Iterator[FieldError]:
    """Yield where a challenge is won by almost nothing, or after its end (G7)."""
    rules = playbook.game.challenges
    rotation = dict.fromkeys(rules.rotation)
    if rotation and rules.minimum == 0:
        yield FieldError(
            "game.challenges.minimum", "is 0: a rep with one lead can win; use 5 leads or more"
        )
    for name in rotation:
        rule, place = rules.rule_for(name), f"game.challenges.rules.{name}"
        if rule.improvement and rule.prior == 0:
            yield FieldError(
                f"{place}.prior",
                "is 0: growth counts in points, so who has most grows most; use 100",
            )
        days = min(rule.late_days, playbook.game.reporting.rep_days)
        if days > _DAYS_AFTER_THE_END:
            yield FieldError(
                f"{place}.late_days",
                f"and game.reporting.rep_days let reps report for {days} days after the end, when "
                "they see who leads; lower one of them",
            )
