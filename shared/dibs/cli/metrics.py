"""`dibs metrics`: list the metrics, and try a formula on past data (K2)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated

import typer
from rich.table import Column, Table

from dibs.aws.clock import now
from dibs.cli.console import console
from dibs.cli.target import Stack, target
from dibs.game.scoring.metrics import METRICS, metrics_of, number
from dibs.game.scoring.preview import preview as tried
from dibs.game.scoring.samples import needed, sample_of
from dibs.game.scoring.vocabulary import ADDED, BY_DAY, BY_LEAD, KINDS, TIMED
from dibs.rules.game import Game

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_(stack: Stack = "") -> None:
    """Print every metric with its formula, and whether the playbook defines it."""
    playbook = target(stack).stores.roster.playbook()
    # A long formula wraps: cut short it would be useless.
    wrapped = [Column(name, overflow="fold") for name in ("metric", "formula")]
    table = Table(*wrapped, "unit", "better", "ranked from", "defined by")
    for name, metric in metrics_of(playbook).items():
        whose = "the playbook" if name in playbook.game.metrics else "Dibs"
        least = str(needed(metric, playbook) or "-")
        table.add_row(name, metric.formula, metric.unit, metric.better, least, whose)
    console.print(table)


@app.command()
def preview(
    formula: Annotated[str, typer.Argument(help='Such as "count(sales) / sum(hours_worked)".')],
    metric: Annotated[
        str, typer.Option(help="A metric to print the present value of beside it.")
    ] = "",
    period: Annotated[str, typer.Option(help="Such as 2026-W47, 2026-11 or all.")] = "",
    team: Annotated[str, typer.Option(help="One team only.")] = "",
    stack: Stack = "",
) -> None:
    """Print each rep's value under a formula, without changing anything."""
    here = target(stack)
    standings = here.stores.standings
    playbook = here.stores.roster.playbook()
    found = tried(standings, playbook, formula, metric, period, team, now=now())
    table = Table("place", "rep", "name", "value", *(["in force"] if found.in_force else []))
    for row in found.rows:
        before = [found.before[row.id].value] if found.in_force else []
        place = "-" if row.place is None else str(row.place)
        table.add_row(place, row.id, row.name, *map(_shown, (row.value, *before)))
    console.print(f"{found.period}: {found.metric.formula} ({found.metric.unit})", highlight=False)
    console.print(table)


@app.command()
def docs() -> None:
    """Print docs/metrics.md, the page of metrics."""
    typer.echo(page(), nl=False)


def page() -> str:
    """Return the page of all metrics and names, in Markdown."""
    metrics = [
        f"| `{name}` | {metric.means} | `{metric.formula}` | {metric.unit} | {metric.better} "
        f"| {'minimum' if sample_of(metric) else 'all'} |"
        for name, metric in METRICS.items()
    ]
    return _PAGE.format(
        least=Game().minimum_sample,
        metrics="\n".join(metrics),
        kinds=_rows(KINDS),
        by_day=_rows(BY_DAY),
        by_lead=_rows(BY_LEAD),
        summed=_rows({**TIMED, **ADDED}),
    )


def _rows(names: Mapping[str, str]) -> str:
    return "\n".join(f"| `{name}` | {means} |" for name, means in names.items())


def _shown(value: Fraction | None) -> str:
    return "-" if value is None else str(number(value))


_PAGE = """\
# Metrics
Written by `dibs metrics docs`. The playbook's `game.metrics` can change each and add others.

Values are rounded only for display. A ratio of 1 is 100 %, money is in the smallest unit of
`quota.currency`, times are in seconds, `hours_worked` in hours. A division by zero gives no value:
a dash is shown, and the rep comes last on the board. Each metric is available by day, week, month,
quarter and year.

A value that is an average or a share of too few says little yet. So whoever has fewer than
`game.minimum_sample` ({least}) of what the formula divides by, such as leads, calls or hours, is
listed apart on boards as not ranked yet, and has no place in contests. A metric's own `minimum`
changes that number, 0 switches it off; its `sample` is a formula for what is counted, where the
divisor is money. Metrics that only add up rank everybody.

| metric | what it means | formula | unit | better | ranked |
| --- | --- | --- | --- | --- | --- |
{metrics}

With `quota.measure` `won`, `quota_attainment` is `count(won) / sum(target)`.

## Formulas
A formula has at most 200 characters: numbers, `+ - * /`, parentheses, `max(a, b)`, `min(a, b)`, and
`count(x)`, `sum(x)` and `mean(x)` of the names below. `GET /metrics/preview?formula=...` and
`dibs metrics preview` show the values of a formula for any period.

`count` takes every type of activity, also those the playbook adds (`call`, `contacted`, `won`), and
the following. Each counts on the day it happened:

| name | counts |
| --- | --- |
{kinds}
{by_day}
| `quest_<id>` | the quest, once it is finished |

These count on the day the lead was claimed or assigned, even if the outcome came later:

| name | counts |
| --- | --- |
{by_lead}

`sum` and `mean` take every type of activity, and add up its amounts (money in `quota.currency`,
hours, or points of 100). They also take:

| name | adds up |
| --- | --- |
{summed}

`revenue`, `points`, `prize` and `target` have no `mean`: divide by a `count` instead.
"""
