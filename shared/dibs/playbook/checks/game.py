"""Check the playbook's game and metrics (G, K). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sized
from keyword import iskeyword
from math import inf

from dibs.core.errors import FieldError
from dibs.game.scoring.metrics import metrics_of, parse
from dibs.game.scoring.samples import needed, sample_of
from dibs.game.scoring.vocabulary import BY_LEAD, COUNTED, QUEST, SUMMED, Names, known_names
from dibs.ledger.activities import TYPES
from dibs.playbook.checks.reach import Most, bounds
from dibs.reports.winning import WINNING
from dibs.rules.game import CHALLENGE_RULES, Metric, Per, Quest
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
_LARGEST_SAMPLE = 10_000
_MOST_LATE_DAYS = 31
_MOST_BREAKERS = 5
_TIERS = ("1", "2", "3")
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
    "boards": 20,
    "rates": 200,
}
_RESERVED = {"response_speed": "a board of its own has that name (M3); use response_time"}

# Events that cannot be more than the claims.
_CLAIMS = frozenset(
    {
        *("claimed", "claimed_and_contacted", "opportunities", "customers"),
        *("claimed_opportunities", "claimed_customers", "claim_seconds"),
    }
)
_INSTEAD = "count what they do, such as count(won), count(contacted_leads) or count(taken)"
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
    yield from _challenge_rules(playbook, names)
    yield from _boards(playbook)
    yield from _tier_metrics(playbook)
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


def quest_problems(playbook: Playbook) -> Iterator[FieldError]:
    """Yield each setting of the quests that makes no sense (G8)."""
    quests = playbook.game.quests
    yield from _too_many("game.quests", quests, "quests")
    for quest_id, quest in quests.items():
        yield from _quest(f"game.quests.{quest_id}", quest_id, quest)


def game_warnings(playbook: Playbook) -> Iterator[FieldError]:
    """Yield each setting that is valid but doubtful, its effect, and what to do."""
    challenges = playbook.game.challenges
    if challenges.rotation and challenges.starts is None:
        yield FieldError(
            "game.challenges.starts", "is missing, so no challenge starts; name a Monday"
        )
    yield from _out_of_reach(playbook)


def _out_of_reach(playbook: Playbook) -> Iterator[FieldError]:
    """Yield each badge, challenge and board that nobody of some team can ever have a value for."""
    racing = [team for team in playbook.teams if playbook.model_of(team).races]
    assigned = [team for team in playbook.teams if team not in racing]
    names = ", ".join(playbook.teams[team].name for team in assigned)
    yield from _beyond_limits(playbook)
    if not assigned:
        return
    for badge_id, badge in playbook.game.badges.items():
        if _highest(badge.formula, _without_claims) < badge.at_least:
            yield FieldError(
                f"game.badges.{badge_id}.formula",
                f"needs claims, and nobody claims in {names}: nobody there gets it; {_INSTEAD}",
            )
    for name in dict.fromkeys(playbook.game.challenges.rotation):
        rule = playbook.game.challenges.rule_for(name)
        least = playbook.game.challenges.minimum
        if not _counts_without_claims(rule.formula, playbook) or (
            _highest(_formula_of(rule.minimum_of, playbook), _without_claims) < least
        ):
            yield FieldError(
                f"game.challenges.rules.{name}",
                f"needs claims, and nobody claims in {names}: nobody there wins it; {_INSTEAD}",
            )
    for board in () if racing else playbook.game.boards:
        if not _counts_without_claims(board, playbook):
            yield FieldError(
                f"game.boards.{board}",
                f"needs claims, and nobody claims: the board stays empty; {_INSTEAD}",
            )


def _beyond_limits(playbook: Playbook) -> Iterator[FieldError]:
    """Yield each badge and challenge that needs more leads than the limits allow (F7, M4)."""
    for badge_id, badge in playbook.game.badges.items():
        most = _most_claims(playbook, badge.per)
        highest = _highest(badge.formula, _within_limits(playbook, badge.per))
        if most is not None and -inf < highest < badge.at_least:
            yield FieldError(
                f"game.badges.{badge_id}.at_least",
                f"is {badge.at_least}, but the limits allow {most} claims a {badge.per}: nobody "
                "gets it; lower it, or let it be reached over a longer time",
            )
    challenges, week = playbook.game.challenges, _most_claims(playbook, "week")
    for name in dict.fromkeys(challenges.rotation):
        formula = _formula_of(challenges.rule_for(name).minimum_of, playbook)
        if _highest(formula, _within_limits(playbook, "week")) < challenges.minimum:
            yield FieldError(
                "game.challenges.minimum",
                f"is {challenges.minimum}, but the limits allow {week} leads a week: nobody is "
                f"placed in {name}; lower it",
            )


def _formula_of(name: str, playbook: Playbook) -> str:
    """Return the formula of a metric by its name; what is no name is a formula."""
    metric = metrics_of(playbook).get(name)
    return name if metric is None else metric.formula


def _counts_without_claims(name: str, playbook: Playbook) -> bool:
    """Tell whether a metric or formula can be anything but nothing where nobody claims."""
    if name in _RESERVED:
        return True
    metric = metrics_of(playbook).get(name)
    found = bounds(_formula_of(name, playbook), _without_claims)
    if found is None or (metric is not None and _never_enough(metric, playbook)):
        return False
    return found != (0, 0)


def _never_enough(metric: Metric, playbook: Playbook) -> bool:
    """Tell whether the sample a metric needs is one of claims."""
    sample = sample_of(metric)
    if sample is None or not needed(metric, playbook):
        return False
    return {term.partition(".")[0] for term in sample.terms} <= _CLAIMS


def _highest(formula: str, most: Most) -> float:
    """Return the highest value of a formula, below all where it never has one."""
    found = bounds(formula, most)
    return -inf if found is None else found.high


def _without_claims(name: str) -> float:
    return 0 if name in _CLAIMS else inf


def _within_limits(playbook: Playbook, per: Per) -> Most:
    """Return the most that limits let be counted of a name in a period."""
    claims, leads = _most_claims(playbook, per), _most_leads(playbook, per)

    def most(name: str) -> float:
        if name in _CLAIMS:
            return inf if claims is None else claims
        return inf if leads is None or name not in BY_LEAD else leads

    return most


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
        if metric.sample:
            yield from _formula(f"{place}.sample", metric.sample, names)
        if metric.minimum is not None:
            yield from _between(f"{place}.minimum", metric.minimum, 0, _LARGEST_SAMPLE)


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


def _challenge_rules(playbook: Playbook, names: Names) -> Iterator[FieldError]:
    metrics = metrics_of(playbook)
    for name, rule in playbook.game.challenges.rules.items():
        place = f"game.challenges.rules.{name}"
        if name not in CHALLENGE_RULES:
            yield FieldError(place, f"is no challenge; use {', '.join(CHALLENGE_RULES)}")
        read = {"formula": rule.formula, "minimum_of": rule.minimum_of, "keeps": rule.keeps}
        breakers = {f"tie_breakers.{n}": text for n, text in enumerate(rule.tie_breakers)}
        for field, text in (read | breakers).items():
            if text not in metrics and (text or field != "keeps"):
                yield from _formula(f"{place}.{field}", text, names)
        if len(rule.tie_breakers) > _MOST_BREAKERS:
            yield FieldError(f"{place}.tie_breakers", f"are up to {_MOST_BREAKERS}")
        yield from _between(f"{place}.prior", rule.prior, 0, _HIGHEST)
        yield from _between(f"{place}.late_days", rule.late_days, 0, _MOST_LATE_DAYS)
        if rule.prior and not rule.improvement:
            yield FieldError(f"{place}.prior", "is for an improvement; set improvement to true")


def _boards(playbook: Playbook) -> Iterator[FieldError]:
    boards, known = playbook.game.boards, (*metrics_of(playbook), *_RESERVED)
    yield from _too_many("game.boards", boards, "boards")
    if len(set(boards)) < len(boards):
        yield FieldError("game.boards", "name each board once")
    for number, name in enumerate(boards):
        if name not in known:
            yield FieldError(
                f"game.boards.{number}",
                f"{name!r:.60} is no metric; use some of {', '.join(known)}",
            )


def _tier_metrics(playbook: Playbook) -> Iterator[FieldError]:
    for tier, names in playbook.game.tier_metrics.items():
        place = f"game.tier_metrics.{tier}"
        if tier not in _TIERS:
            yield FieldError(place, "is no tier; use 1, 2 and 3")
        for name in names:
            if name not in WINNING:
                yield FieldError(place, f"{name!r:.60} is none; use some of {', '.join(WINNING)}")
    speed = playbook.game.speed
    if speed.short_seconds > speed.long_seconds:
        yield FieldError("game.speed.short_seconds", "is more than long_seconds; swap them")


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


def _most_claims(playbook: Playbook, per: Per) -> int | None:
    """Return how many leads a rep can claim at most in a period (F7, M4), None for `all`."""
    if per not in _LASTS:
        return None
    leads = _most_leads(playbook, "week")
    always = [] if leads is None else [Limit(leads, "week")]
    return max(
        min(
            _most_within(limit, per)
            for limit in (*always, *playbook.limits_of(tier))
            if limit.per != "in_hand"
        )
        for tier in (1, 2, 3)
    )


def _most_leads(playbook: Playbook, per: Per) -> int | None:
    """Return how many leads a rep can be given at most in a period (M4), None without a limit."""
    quota = playbook.quota
    if per not in _LASTS or not quota.enabled:
        return None
    more = max((band.more_percent for band in quota.bands), default=0)
    return quota.base_per_week * (100 + more) // 100 * _LASTS[per][1]


def _most_within(limit: Limit, per: Per) -> int:
    days, weeks = _LASTS[per]
    # A day has 25 hours when the clocks go back.
    spans = {"hour": 24 * days + 1, "day": days, "week": weeks}
    return limit.most * spans[limit.per]
