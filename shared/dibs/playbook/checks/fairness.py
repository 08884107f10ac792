"""Check the playbook's rules of eligibility, fairness and the draw (R, F, C10). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dibs.core.errors import FieldError
from dibs.core.lead import PRODUCT_BYTES, SEGMENT_BYTES, SOURCE_BYTES, TERRITORY_BYTES
from dibs.rules.rules import Limit, Model, Rules

MOST_ROLLING = 60
"""The highest limit over a rolling span: the time of each of these claims is stored."""

_MOST = 10_000
_POD = re.compile(r"[A-Za-z0-9_-]{1,12}")
_SKILL = re.compile(r"[^\s:][^\n:]{0,11}")
_MOST_PODS = 3
_BYTES = {
    "source": SOURCE_BYTES,
    "territory": TERRITORY_BYTES,
    "segment": SEGMENT_BYTES,
    "product": PRODUCT_BYTES,
}


def fairness_problems(playbook: Rules) -> Iterator[FieldError]:
    """Yield each setting that makes no sense, and how to correct it."""
    yield from _pods(playbook)
    yield from _skills(playbook)
    yield from _first(playbook)
    for number, limit in enumerate(playbook.limits):
        yield from _limit(f"limits.{number}", limit)
    blind = playbook.blind
    if blind.hot + blind.warm + blind.cold != 100:
        yield FieldError(
            "blind",
            f"has hot, warm and cold that add up to {blind.hot + blind.warm + blind.cold}; "
            "make them add up to 100",
        )
    new = playbook.newcomers
    if not new.assigned_weeks <= new.cohort_weeks <= new.protected_weeks:
        yield FieldError(
            "newcomers", "has phases that end before they begin; let the weeks grow in order"
        )
    # A team's or source's own window may be shorter than the general one.
    own = (window.window_seconds for window in playbook.windows if window.window_seconds)
    if playbook.draw.collect_seconds >= min([playbook.window_seconds, *own]):
        yield FieldError("draw.collect_seconds", "must be shorter than every window_seconds")


def fairness_warnings(playbook: Rules) -> Iterator[FieldError]:
    """Yield each setting that is valid but doubtful, its effect, and what to do."""
    rules, tiered = playbook.acceptance, Model.TIERS in map(playbook.model_of, playbook.teams)
    if rules.cold_per_week > playbook.claims_per_day * 7:
        yield FieldError(
            "acceptance.cold_per_week",
            "is more than claims_per_day allows in a week, so no rep can ever meet it",
        )
    for number, limit in enumerate(playbook.limits):
        if limit.per == "day" and not limit.rolling and limit.most >= playbook.claims_per_day:
            yield FieldError(f"limits.{number}", "changes nothing: claims_per_day is as strict")
        if limit.tiers and not tiered:
            yield FieldError(f"limits.{number}.tiers", "no team has tiers that are recalculated")
    new, quota = playbook.newcomers, playbook.quota
    if new.enabled and quota.enabled and quota.base_per_week < new.per_week:
        yield FieldError("newcomers.per_week", "is more than quota.base_per_week lets them have")
    if playbook.draw.collect_seconds and playbook.priority.share_percent:
        yield FieldError(
            "draw",
            "is on together with priority: a rep with a head start is alone in the draw, and wins",
        )


def _pods(playbook: Rules) -> Iterator[FieldError]:
    for number, route in enumerate(playbook.routing):
        place = f"routing.{number}.pods"
        if len(route.pods) > _MOST_PODS or len(set(route.pods)) < len(route.pods):
            yield FieldError(place, f"name up to {_MOST_PODS} pods, each once")
        for pod in route.pods:
            if not _POD.fullmatch(pod):
                yield FieldError(
                    place, f"{pod!r} is not a pod; use up to 12 of A-Z, a-z, 0-9, - and _"
                )


def _skills(playbook: Rules) -> Iterator[FieldError]:
    skills = playbook.matching.skills
    if len(set(skills)) < len(skills):
        yield FieldError("matching.skills", "name each skill once")
    for number, name in enumerate(skills):
        if not _SKILL.fullmatch(name) or not name.isprintable():
            yield FieldError(
                f"matching.skills.{number}",
                f"{name!r} is not a skill; use up to 12 letters, no colon",
            )


def _first(playbook: Rules) -> Iterator[FieldError]:
    for number, rule in enumerate(playbook.performance_first):
        place = f"performance_first.{number}"
        if not any((rule.source, rule.territory, rule.segment, rule.product, rule.quality)):
            yield FieldError(place, "is for every lead; name what kind, or use the tiers model")
        for name, most in _BYTES.items():
            if len(getattr(rule, name).encode()) > most:
                yield FieldError(f"{place}.{name}", f"is longer than {most} bytes; shorten it")


def _limit(place: str, limit: Limit) -> Iterator[FieldError]:
    most = MOST_ROLLING if limit.rolling else _MOST
    if not 1 <= limit.most <= most:
        yield FieldError(f"{place}.most", f"is {limit.most}; use 1 to {most}")
    if limit.rolling and limit.per == "in_hand":
        yield FieldError(f"{place}.rolling", "has no meaning for leads in hand; leave it out")
    if any(tier not in (1, 2, 3) for tier in limit.tiers):
        yield FieldError(f"{place}.tiers", "use 1, 2 and 3")
    if len(set(limit.tiers)) < len(limit.tiers):
        yield FieldError(f"{place}.tiers", "name each tier once")
