"""What is measured, and what a formula would have shown (K2)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from dibs.aws import clock
from dibs.callers import MANAGER_OF_PART, VIEWER, part_shown
from dibs.core.credentials import Manager
from dibs.core.errors import InvalidInput
from dibs.core.rep import Rep
from dibs.game.scoring.metrics import metrics_of, number
from dibs.game.scoring.preview import preview
from dibs.game.scoring.samples import needed
from dibs.rules.game import Metric
from dibs.web.http import Event, Response, answer, query
from dibs.web.route import Route
from dibs.wiring import wiring


def listed(event: Event, viewer: Rep | None) -> Response:
    """`GET /metrics`: every metric with its sentence and formula, for everybody who has a token."""
    del event, viewer
    playbook = wiring().roster.playbook()
    found = [
        {
            "name": name,
            **_definition(metric),
            "minimum": needed(metric, playbook),
            "shipped": name not in playbook.game.metrics,
        }
        for name, metric in metrics_of(playbook).items()
    ]
    return answer(200, {"metrics": found})


def tried(event: Event, manager: Manager) -> Response:
    """`GET /metrics/preview`: what each rep would have had under a formula."""
    found = preview(
        wiring().standings,
        wiring().roster.playbook(),
        query(event, "formula"),
        query(event, "metric"),
        query(event, "period"),
        part_shown(event, manager),
        now=clock.now(),
    )
    rows = []
    for row in found.rows:
        shown: dict[str, Any] = {"place": row.place, "id": row.id, "name": row.name}
        shown["value"] = _shown(row.value)
        if row.not_ranked:
            shown |= {"have": _shown(row.have), "need": row.need}
        if row.id in found.before:
            before = found.before[row.id]
            shown["in_force"] = {"place": before.place, "value": _shown(before.value)}
        rows.append(shown)
    body = {"formula": found.metric.formula, "unit": found.metric.unit, "period": found.period}
    if found.in_force is not None:
        body["in_force"] = found.in_force.formula
    return answer(200, {**body, "rows": rows})


def _definition(metric: Metric) -> dict[str, Any]:
    return {
        "means": metric.means,
        "formula": metric.formula,
        "unit": metric.unit,
        "better": metric.better,
    }


def _shown(value: Fraction | None) -> int | float | None:
    return None if value is None else number(value)


ROUTES = {
    "GET /metrics": Route(listed, VIEWER, {200: "Metrics", 304: ""}),
    "GET /metrics/preview": Route(
        tried,
        MANAGER_OF_PART,
        {200: "MetricPreview"},
        (InvalidInput,),
        query={
            "formula": {"description": "The formula to try.", "type": "string", "needed": True},
            "metric": {"description": "What it would take the place of.", "type": "string"},
            "period": {"description": "Such as 2026-W47.", "type": "string"},
            "team": {"description": "Only its reps.", "type": "string"},
        },
    ),
}
