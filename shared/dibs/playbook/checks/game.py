"""Check the playbook's game and metrics (G, K). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sized
from keyword import iskeyword

from dibs.core.errors import FieldError
from dibs.game.scoring.metrics import parse
from dibs.game.scoring.vocabulary import COUNTED, QUEST, SUMMED, Names, known_names
from dibs.ledger.activities import TYPES
from dibs.rules.game import Per, Quest
from dibs.rules.playbook import Playbook
from dibs.rules.rules import Limit

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_STEP = re.compile(r"[a-z0-9_-]{1,40}")
_LONGEST_NAME = 80
_LONGEST_TEXT = 200
_MOST_POINTS = 100_000
_HIGHEST = 10**12
_MONDAY = 0
_MOST_DAYS = 3650
_LONG_AGO = 31
# Points worth a warning: more than so many claims earn.
_SMALL = 3
_CURRENCY = re.compile(r"[A-Z]{3}")
# Every function reads the playbook and a claim waits for that, so it must stay small.
_MOST: dict[str, int] = {
    "metrics": 50,
    "badges": 50,
    "levels": 20,
    "activities": 20,
    "quests": 20,
    "steps": 30,
    "rotation": 13,
    "rates": 200,
}
_RESERVED = {"response_speed": "a board of its own has that name (M3); use response_time"}

# Events that cannot be more than the claims.
_CLAIMS = frozenset(
    {
        *("claimed", "claimed_and_contacted", "opportunities", "customers"),
        *("claimed_opportunities", "claimed_customers"),
    }
)
# The most days and weeks that a period touches; `all` has no limit.
_LASTS: dict[Per, tuple[int, int]] = {
    "day": (1, 1),
    "week": (7, 1),
    "month": (31, 6),
    "quarter": (92, 14),
}


def game_problems(playbook: Playbook) -> Iterator[FieldError]:
    """Yield each setting that makes no sense, and how to correct it."""
    names = known_names(playbook)
    yield from _activities(playbook)
    yield from _metrics(playbook, names)
    yield from _badges(playbook, names)
    yield from _levels(playbook)
    yield from quest_problems(playbook)
    yield from _challenges(playbook)
    yield from _reporting(playbook)
    yield from _rates(playbook)


def _reporting(playbook: Playbook) -> Iterator[FieldError]:
    rules, types = playbook.game.reporting, (*TYPES, *playbook.game.activities)
    for name in ("rep_days", "system_days"):
        yield from _between(f"game.reporting.{name}", getattr(rules, name), 0, _MOST_DAYS)
    yield from _between("game.reporting.rep_most", rules.rep_most, 0, _HIGHEST)
    yield from _between("game.reporting.prompt_seconds", rules.prompt_seconds, 0, 86_400)
    for name in (*rules.types, *rules.confirm):
        if name not in types:
            place = "types" if name in rules.types else "confirm"
            yield FieldError(
                f"game.reporting.{place}.{name}",
                f"is not an activity; use some of {', '.join(types)}",
            )
    for name, rule in rules.types.items():
        place = f"game.reporting.types.{name}"
        if not rule.by:
            yield FieldError(f"{place}.by", "names nobody; use rep, system or manager")
        if rule.rep_days is not None:
            yield from _between(f"{place}.rep_days", rule.rep_days, 0, _MOST_DAYS)
        if rule.rep_most is not None:
            yield from _between(f"{place}.rep_most", rule.rep_most, 0, _HIGHEST)


def _rates(playbook: Playbook) -> Iterator[FieldError]:
    rates = playbook.game.rates
    yield from _too_many("game.rates", rates, "rates")
    seen = set()
    for number, rate in enumerate(rates):
        place = f"game.rates.{number}"
        if not _CURRENCY.fullmatch(rate.currency):
            yield FieldError(f"{place}.currency", "is no ISO 4217 code; write it as MYR")
        elif rate.currency == playbook.quota.currency:
            yield FieldError(f"{place}.currency", "is the playbook's own; it needs no rate")
        if not 0 < rate.rate < _HIGHEST:
            yield FieldError(f"{place}.rate", "say what one unit is worth, such as 0.24")
        if (rate.currency, rate.since) in seen:
            yield FieldError(place, "is there twice for that day; keep one of them")
        seen.add((rate.currency, rate.since))


def _open_holes(playbook: Playbook) -> Iterator[FieldError]:
    """Yield what reps can earn by their own word alone (K5)."""
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


def quest_problems(playbook: Playbook) -> Iterator[FieldError]:
    """Yield each setting of the quests that makes no sense (G8)."""
    quests = playbook.game.quests
    yield from _too_many("game.quests", quests, "quests")
    for quest_id, quest in quests.items():
        yield from _quest(f"game.quests.{quest_id}", quest_id, quest)


def game_warnings(playbook: Playbook) -> Iterator[FieldError]:
    """Yield each setting that is valid but doubtful, its effect, and what to do."""
    yield from _open_holes(playbook)
    challenges = playbook.game.challenges
    if challenges.rotation and challenges.starts is None:
        yield FieldError(
            "game.challenges.starts", "is missing, so no challenge starts; name a Monday"
        )
    if not any(playbook.model_of(team).races for team in playbook.teams):
        return
    for badge_id, badge in playbook.game.badges.items():
        most = _most_claims(playbook, badge.per)
        if most is not None and _counts_claims(badge.formula) and badge.at_least > most:
            yield FieldError(
                f"game.badges.{badge_id}.at_least",
                f"is {badge.at_least}, but the limits allow {most} claims a {badge.per}: nobody "
                "gets it; lower it, or let it be reached over a longer time",
            )
    week = _most_claims(playbook, "week")
    if challenges.rotation and week is not None and challenges.minimum > week:
        yield FieldError(
            "game.challenges.minimum",
            f"is {challenges.minimum}, but the limits allow {week} claims a week: nobody is placed",
        )


def _activities(playbook: Playbook) -> Iterator[FieldError]:
    game = playbook.game
    yield from _too_many("game.activities", game.activities, "activities")
    if len(set(game.activities)) < len(game.activities):
        yield FieldError("game.activities", "name each activity once")
    for number, name in enumerate(game.activities):
        place = f"game.activities.{number}"
        if not _NAME.fullmatch(name):
            yield _no_name(place, name)
        elif name in COUNTED | SUMMED or name.startswith(QUEST) or iskeyword(name):
            yield FieldError(place, f"{name!r} has a meaning already; choose another name")
    types = (*TYPES, *game.activities)
    for name, points in game.points.activities.items():
        place = f"game.points.activities.{name}"
        if name not in types:
            yield FieldError(place, f"is not an activity; use some of {', '.join(types)}")
        yield from _between(place, points, 1, _MOST_POINTS)


def _metrics(playbook: Playbook, names: Names) -> Iterator[FieldError]:
    metrics = playbook.game.metrics
    yield from _too_many("game.metrics", metrics, "metrics")
    for name, metric in metrics.items():
        place = f"game.metrics.{name}"
        if not _NAME.fullmatch(name):
            yield _no_name(place, name)
        if name in _RESERVED:
            yield FieldError(place, _RESERVED[name])
        yield from _formula(f"{place}.formula", metric.formula, names)
        yield from _text(f"{place}.means", metric.means, _LONGEST_TEXT)


def _badges(playbook: Playbook, names: Names) -> Iterator[FieldError]:
    badges = playbook.game.badges
    yield from _too_many("game.badges", badges, "badges")
    for badge_id, badge in badges.items():
        place = f"game.badges.{badge_id}"
        if not _NAME.fullmatch(badge_id):
            yield _no_name(place, badge_id)
        if badge_id.startswith(QUEST):
            yield FieldError(place, f"begins with {QUEST!r}, as quests' own badges do; rename it")
        yield from _text(f"{place}.name", badge.name, _LONGEST_NAME)
        yield from _formula(f"{place}.formula", badge.formula, names)
        yield from _between(f"{place}.at_least", badge.at_least, 1, _HIGHEST)


def _levels(playbook: Playbook) -> Iterator[FieldError]:
    below = -1
    yield from _too_many("game.levels", playbook.game.levels, "levels")
    for number, level in enumerate(playbook.game.levels):
        place = f"game.levels.{number}"
        yield from _text(f"{place}.name", level.name, _LONGEST_NAME)
        yield from _between(f"{place}.from_points", level.from_points, 0, _HIGHEST)
        if number and level.from_points <= below:
            yield FieldError(
                f"{place}.from_points", "must be more than in the level before; sort the levels"
            )
        below = level.from_points


def _quest(place: str, quest_id: str, quest: Quest) -> Iterator[FieldError]:
    if not _NAME.fullmatch(quest_id):
        yield _no_name(place, quest_id)
    yield from _text(f"{place}.name", quest.name, _LONGEST_NAME)
    if quest.badge:
        yield from _text(f"{place}.badge", quest.badge, _LONGEST_NAME)
    yield from _between(f"{place}.points", quest.points, 0, _MOST_POINTS)
    yield from _between(f"{place}.within_days", quest.within_days, 0, 730)
    if not quest.steps:
        yield FieldError(f"{place}.steps", "has none, so nobody can finish it; add one")
    yield from _too_many(f"{place}.steps", quest.steps, "steps")
    for step_id, step in quest.steps.items():
        at = f"{place}.steps.{step_id}"
        if not _STEP.fullmatch(step_id):
            yield FieldError(at, "is not an id; use up to 40 of a-z, 0-9, _ and -")
        yield from _text(f"{at}.name", step.name, _LONGEST_NAME)
        if step.type == "peer_interview" and step.verified_by == "system":
            yield FieldError(
                f"{at}.verified_by", "no system reports an interview; use peer, manager or self"
            )


def _challenges(playbook: Playbook) -> Iterator[FieldError]:
    rules = playbook.game.challenges
    yield from _too_many("game.challenges.rotation", rules.rotation, "rotation")
    if rules.starts is not None and rules.starts.weekday() != _MONDAY:
        yield FieldError(
            "game.challenges.starts", f"is a {rules.starts:%A}; a challenge's week starts on Monday"
        )
    for number, points in enumerate(rules.prize_points):
        yield from _between(f"game.challenges.prize_points.{number}", points, 0, _MOST_POINTS)
    if list(rules.prize_points) != sorted(rules.prize_points, reverse=True):
        yield FieldError(
            "game.challenges.prize_points", "gives a later place more; sort them, the most first"
        )
    if rules.prize:
        yield from _text("game.challenges.prize", rules.prize, _LONGEST_TEXT)


def _formula(place: str, formula: str, names: Names) -> Iterator[FieldError]:
    try:
        parse(formula, names)
    except ValueError as error:
        yield FieldError(place, str(error))


def _text(place: str, text: str, longest: int) -> Iterator[FieldError]:
    if not (len(text.strip()) > 0 and len(text) <= longest and text.isprintable()):
        yield FieldError(place, f"write one line of up to {longest} letters")


def _between(place: str, value: int, least: int, most: int) -> Iterator[FieldError]:
    if not least <= value <= most:
        yield FieldError(place, f"is {value}; use {least} to {most}")


def _too_many(place: str, items: Sized, what: str) -> Iterator[FieldError]:
    if len(items) > _MOST[what]:
        yield FieldError(place, f"has {len(items)}; use up to {_MOST[what]}")


def _no_name(place: str, name: str) -> FieldError:
    return FieldError(
        place, f"{name!r:.60} is not a name; use up to 40 of a-z, 0-9 and _, a letter first"
    )


def _counts_claims(formula: str) -> bool:
    read = parse(formula)
    [*terms] = read.terms
    return len(terms) == 1 and terms[0] in _CLAIMS and read.text == f"count({terms[0]})"


def _most_claims(playbook: Playbook, per: Per) -> int | None:
    """Return how many leads a rep can claim at most in a period (F7, M4), None for `all`."""
    if per not in _LASTS:
        return None
    quota, always = playbook.quota, []
    if quota.enabled:
        more = max((band.more_percent for band in quota.bands), default=0)
        always = [Limit(quota.base_per_week * (100 + more) // 100, "week")]
    return max(
        min(
            _most_within(limit, per)
            for limit in (*always, *playbook.limits_of(tier))
            if limit.per != "in_hand"
        )
        for tier in (1, 2, 3)
    )


def _most_within(limit: Limit, per: Per) -> int:
    days, weeks = _LASTS[per]
    # A day has 25 hours when the clocks go back.
    spans = {"hour": 24 * days + 1, "day": days, "week": weeks}
    return limit.most * spans[limit.per]
