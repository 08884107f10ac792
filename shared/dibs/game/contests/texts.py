"""A contest's rules in words, in the language of whoever reads them (G4-G7, U6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dibs.game.contests.rules import KEPT_DAYS, Contest
from dibs.rules.game import Metric
from dibs.web.translations import Translator, translator


def rules_in_words(contest: Contest, figures: Mapping[str, Metric], language: str) -> list[str]:
    """Return what a contest is about and how it is decided, a sentence each."""
    _ = translator(language)
    told = [*_measured(contest, figures, _), *_decided(contest, _)]
    told.append(
        _.ngettext(
            "What is told until {n} day after the end still counts; then the result is final.",
            "What is told until {n} days after the end still counts; then the result is final.",
            contest.late_days,
        )
    )
    told.append(
        _(
            "Who is in is settled at the start: who joins later is not in, "
            "who leaves keeps what they have."
        )
    )
    if contest.prize:
        told.append(_("Prize: {prize}", prize=contest.prize))
    return told


def _measured(contest: Contest, figures: Mapping[str, Metric], _: Translator) -> list[str]:
    told = []
    if contest.tickets:
        for activity, each in contest.tickets.items():
            told.append(_("Tickets for each {activity}: {count}.", activity=activity, count=each))
        told.append(_("The winners are drawn with a seed that is settled at the start."))
    for tier, names in sorted(contest.metric_by_tier.items()):
        told.append(_("Tier {tier}: {metrics}.", tier=tier, metrics=_named(names, figures)))
    if contest.metric:
        told.append(_("What counts: {metric}.", metric=_named([contest.metric], figures)))
        if figures[contest.metric].better == "less" and not contest.improvement:
            told.append(_("The lowest wins."))
        else:
            told.append(_("The highest wins."))
    if contest.improvement:
        told.append(
            _.ngettext(
                "It is how much better it is than in the {n} day before.",
                "It is how much better it is than in the {n} days before.",
                contest.days,
            )
        )
    if contest.handicap == "own_target":
        told.append(_("It is counted as percent of one's own target."))
    if contest.per_head:
        told.append(_("Sides are compared per head."))
    return told


def _decided(contest: Contest, _: Translator) -> list[str]:
    told = []
    if contest.kind == "hybrid":
        told.append(
            _(
                "What each does adds to their side's total; "
                "the best of the winning side are honoured."
            )
        )
    if contest.minimum:
        told.append(
            _(
                "To be placed, {metric} must be at least {least}.",
                metric=contest.minimum.formula,
                least=contest.minimum.at_least,
            )
        )
    if contest.keeps:
        told.append(
            _(
                "{metric} may not be worse than in the {days} days before.",
                metric=contest.keeps,
                days=KEPT_DAYS,
            )
        )
    if contest.tie_breakers:
        told.append(
            _("Who is level is told apart by: {metrics}.", metrics=", ".join(contest.tie_breakers))
        )
    if not contest.tickets:
        told.append(_("Who is level after that shares the place and its prize."))
    return told


def _named(names: Sequence[str], figures: Mapping[str, Metric]) -> str:
    """Return metrics by name, with what each means where somebody wrote that down."""
    means = {name: figures[name].means.rstrip(".") for name in names}
    return ", ".join(f"{name} ({means[name]})" if means[name] else name for name in names)
