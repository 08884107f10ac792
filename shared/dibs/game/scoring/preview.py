"""A manager can preview what a formula would have shown in a period (K2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from dibs.core.calendar import named, period_of
from dibs.core.errors import FieldError, InvalidInput
from dibs.core.periods import ALL
from dibs.game.scoring.metrics import metrics_of, parse
from dibs.game.scoring.pages import Total
from dibs.game.scoring.ports import Standings
from dibs.game.scoring.ranking import Row, ranked, summed
from dibs.game.scoring.samples import needed
from dibs.game.scoring.vocabulary import known_names
from dibs.rules.game import Metric
from dibs.rules.playbook import Playbook


@dataclass(frozen=True)
class MetricPreview:
    """A metric's values in a period: `rows` as on its board, the best first.

    `before` are the same reps' rows under the definition `in_force`, by id; empty without one.
    """

    metric: Metric
    in_force: Metric | None
    period: str
    rows: tuple[Row, ...]
    before: Mapping[str, Row]


def preview(
    standings: Standings,
    playbook: Playbook,
    formula: str,
    name: str = "",
    period: str = "",
    team: str = "",
    *,
    now: datetime,
) -> MetricPreview:
    """Return what a formula would have shown; with `name`, beside the metric of that name.

    `period` is the name of a day, week, month, quarter or year, or `all`; by default the current
    week. Nothing is stored.

    Raises:
        InvalidInput: names what is wrong: the formula, the metric, the period or the team.
    """
    errors = [*_wrong_formula(formula, playbook), *_wrong_place(period, team, playbook)]
    metrics = metrics_of(playbook)
    if name and name not in metrics:
        errors.append(FieldError("metric", f"is no metric; use one of {', '.join(metrics)}"))
    if errors:
        raise InvalidInput(tuple(errors))
    in_force = metrics.get(name)
    tried = replace(in_force or Metric("", ""), formula=formula)
    zone = playbook.teams[team].zone if team else "UTC"
    wanted = period or period_of("week", zone, now).name
    by_rep: dict[str, list[Total]] = defaultdict(list)
    for total in standings.totals(wanted):
        if team in ("", total.team):
            by_rep[total.rep_id].append(total)
    counts = {
        rep_id: (totals[0].name, summed(total.counts for total in totals))
        for rep_id, totals in by_rep.items()
    }
    before = [] if in_force is None else ranked(in_force, counts, needed(in_force, playbook))
    rows = ranked(tried, counts, needed(tried, playbook))
    return MetricPreview(tried, in_force, wanted, rows, {row.id: row for row in before})


def _wrong_formula(formula: str, playbook: Playbook) -> list[FieldError]:
    try:
        parse(formula, known_names(playbook))
    except ValueError as error:
        return [FieldError("formula", str(error))]
    return []


def _wrong_place(period: str, team: str, playbook: Playbook) -> list[FieldError]:
    errors = []
    if team and team not in playbook.teams:
        errors.append(FieldError("team", f"use one of {', '.join(playbook.teams)}"))
    if period not in ("", ALL):
        try:
            named(period, "UTC")
        except ValueError:
            kinds = "2026-11-23, 2026-W47, 2026-11, 2026-Q4, 2026 or all"
            errors.append(FieldError("period", f"name one such as {kinds}"))
    return errors
