"""What metrics there are, and what a formula would have shown (K2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from dibs.domain.calendar import named, period_of
from dibs.domain.errors import FieldError, InvalidInput
from dibs.domain.metrics import metrics_of, order, parse, value_of
from dibs.domain.playbook import Metric, Playbook
from dibs.domain.tally import ALL
from dibs.domain.vocabulary import known_names
from dibs.usecases.ports import Standings


@dataclass(frozen=True)
class Trial:
    """One rep under a formula: its `value`, and that of the definition `in_force`.

    Both are None where they divide by nothing; `in_force` is, too, where there is none to compare.
    """

    rep_id: str
    name: str
    team: str
    value: Fraction | None
    in_force: Fraction | None


@dataclass(frozen=True)
class Preview:
    """What a metric would have shown in a period, the best first."""

    metric: Metric
    in_force: Metric | None
    period: str
    rows: tuple[Trial, ...]


def preview(
    standings: Standings,
    playbook: Playbook,
    formula: str,
    name: str = "",
    period: str = "",
    team: str = "",
    *,
    now: datetime,
) -> Preview:
    """Return what a formula would have shown, beside the metric called `name`, where it is named.

    In a day, week, month or quarter by its name, or `all`; without one in the current week. A rep
    who changed teams has one row for each. Nothing is stored.

    Raises:
        InvalidInput: names what is wrong: the formula, the metric, the period or the team.
    """
    errors = [*_wrong_formula(formula, playbook), *_wrong_place(period, team, playbook)]
    known = metrics_of(playbook)
    if name and name not in known:
        errors.append(FieldError("metric", f"is no metric; use one of {', '.join(known)}"))
    if errors:
        raise InvalidInput(tuple(errors))
    in_force = known.get(name)
    tried = replace(in_force or Metric("", ""), formula=formula)
    zone = playbook.teams[team].zone if team else "UTC"
    wanted = period or period_of("week", zone, now).name
    rows = [
        Trial(
            total.rep_id,
            total.name,
            total.team,
            value_of(tried, total.counts),
            None if in_force is None else value_of(in_force, total.counts),
        )
        for total in standings.totals(wanted)
        if team in ("", total.team)
    ]
    rows.sort(key=lambda row: (*order(tried, row.value), row.name, row.rep_id, row.team))
    return Preview(tried, in_force, wanted, tuple(rows))


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
            kinds = "2026-11-23, 2026-W47, 2026-11, 2026-Q4 or all"
            errors.append(FieldError("period", f"name one such as {kinds}"))
    return errors
