"""A contest's rules in words, in the reader's language (G4-G7, U6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dibs.game.contests.rules import KEPT_DAYS, Contest
from dibs.game.scoring.samples import sample_of
from dibs.rules.game import Metric
from dibs.web.translations import Translator, translator


def rules_in_words(contest: Contest, figures: Mapping[str, Metric], language: str) -> list[str]:
    """Return a contest's rules, one sentence each."""
    _ = translator(language)
    sentences = [*_measured(contest, figures, _), *_decided(contest, figures, _)]
    sentences.append(
        _.ngettext(
            "Activities reported up to {n} day after the end still count; "
            "then the result is final.",
            "Activities reported up to {n} days after the end still count; "
            "then the result is final.",
            contest.late_days,
        )
    )
    sentences.append(
        _(
            "The entrants are fixed at the start: whoever joins later is not in, "
            "whoever leaves keeps their score."
        )
    )
    if contest.prize:
        sentences.append(_("Prize: {prize}", prize=contest.prize))
    return sentences


def _measured(contest: Contest, figures: Mapping[str, Metric], _: Translator) -> list[str]:
    sentences = []
    if contest.tickets:
        for activity, each in contest.tickets.items():
            sentences.append(
                _("Tickets for each {activity}: {count}.", activity=activity, count=each)
            )
        sentences.append(
            _("The winners are drawn at random, with a seed that is fixed at the start.")
        )
    for tier, names in sorted(contest.metric_by_tier.items()):
        sentences.append(_("Tier {tier}: {metrics}.", tier=tier, metrics=_named(names, figures)))
    if contest.metric:
        sentences.append(_("What counts: {metric}.", metric=_named([contest.metric], figures)))
        if figures[contest.metric].better == "less" and not contest.improvement:
            sentences.append(_("The lowest wins."))
        else:
            sentences.append(_("The highest wins."))
    if contest.prior:
        sentences.append(
            _(
                "What counts is by how many percent each rep passes their own past: the same time "
                "just before, or its average over {days} days, whichever is better. {prior} is "
                "added to that past, so that growth from almost nothing does not decide.",
                days=KEPT_DAYS,
                prior=contest.prior,
            )
        )
    elif contest.improvement:
        sentences.append(
            _.ngettext(
                "What counts is the improvement over the {n} day before.",
                "What counts is the improvement over the {n} days before.",
                contest.days,
            )
        )
    if contest.handicap == "own_target":
        sentences.append(_("It is counted as a percentage of each rep's own target."))
    if contest.per_head:
        sentences.append(_("Sides are compared by their average per rep."))
    return sentences


def _decided(contest: Contest, figures: Mapping[str, Metric], _: Translator) -> list[str]:
    sentences = []
    if contest.kind == "hybrid":
        sentences.append(
            _(
                "Each rep's result adds to their side's total; "
                "the best of the winning side are honoured."
            )
        )
    if contest.minimum:
        sentences.append(
            _(
                "To be placed, {metric} must be at least {least}.",
                metric=contest.minimum.formula,
                least=contest.minimum.at_least,
            )
        )
    metric = figures.get(contest.metric)
    if metric is not None and metric.minimum and sample_of(metric) is not None:
        least = min(metric.minimum, contest.minimum.at_least if contest.minimum else metric.minimum)
        sentences.append(
            _(
                "To be placed, {metric} must come from at least {least} leads, calls or hours.",
                metric=contest.metric,
                least=least,
            )
        )
    if contest.keeps:
        sentences.append(
            _(
                "{metric} may not be worse than in the {days} days before.",
                metric=contest.keeps,
                days=KEPT_DAYS,
            )
        )
    if contest.tie_breakers:
        sentences.append(
            _("Ties are broken by: {metrics}.", metrics=", ".join(contest.tie_breakers))
        )
    if not contest.tickets:
        sentences.append(_("Those still tied share the place and its prize."))
    return sentences


def _named(names: Sequence[str], figures: Mapping[str, Metric]) -> str:
    """Return metrics by name, each with its meaning where it has one."""
    means = {name: figures[name].means.rstrip(".") for name in names}
    return ", ".join(f"{name} ({means[name]})" if means[name] else name for name in names)
