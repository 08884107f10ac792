"""Check the values of a playbook of the right shape: errors, and warnings (O4).

Pure. Each finding is the path of a setting, what is wrong there, and how to correct it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import pairwise
from operator import attrgetter
from zoneinfo import available_timezones

from phonenumbers import SUPPORTED_REGIONS

from dibs.core.calendar import parse_hours
from dibs.core.errors import FieldError
from dibs.core.lead import SOURCE_BYTES
from dibs.core.rep import Rep
from dibs.playbook.checks.fairness import fairness_problems, fairness_warnings
from dibs.playbook.checks.game import game_problems, game_warnings
from dibs.playbook.checks.holes import hole_warnings
from dibs.playbook.checks.look import look_problems
from dibs.race.decide import team_schedule
from dibs.rules.game import Points
from dibs.rules.playbook import Playbook
from dibs.rules.presets import NAMES
from dibs.rules.rules import Model, Offsets, Route, Team, Waves, Window

LIMITS: Mapping[str, tuple[int, int]] = {
    "window_seconds": (10, 86_400),
    "unseen_seconds": (5, 900),
    "undo_seconds": (0, 300),
    "undos_per_day": (0, 100),
    "contact_shown_seconds": (60, 86_400),
    "claims_per_day": (1, 10_000),
    "acceptance.hot_per_warm": (0, 100),
    "acceptance.claims_per_assignment": (0, 1000),
    "acceptance.cold_per_week": (0, 1000),
    "blind.share_percent": (0, 100),
    "blind.hot": (0, 100),
    "blind.warm": (0, 100),
    "blind.cold": (0, 100),
    "priority.share_percent": (0, 100),
    "priority.turn_minutes": (5, 480),
    "priority.head_start_seconds": (10, 3600),
    "newcomers.per_week": (0, 1000),
    "newcomers.until_day": (0, 730),
    "newcomers.assigned_weeks": (0, 104),
    "newcomers.cohort_weeks": (0, 104),
    "newcomers.protected_weeks": (0, 104),
    "newcomers.raced_percent": (0, 100),
    "draw.collect_seconds": (0, 60),
    "absence.hours_per_credit": (0, 1000),
    "absence.head_start_seconds": (10, 3600),
    "absence.expires_days": (1, 90),
    "quality.hot": (1, 100),
    "quality.warm": (0, 100),
    "tiers.conversion_weight": (0, 100),
    "tiers.attainment_weight": (0, 100),
    "tiers.speed_weight": (0, 100),
    "tiers.top_percent": (1, 100),
    "tiers.bottom_percent": (0, 99),
    "tiers.weeks": (1, 52),
    "tiers.minimum_sample": (0, 1000),
    "tiers.prior_sample": (0, 1000),
    "tiers.margin": (0, 50),
    "tiers.newcomer_days": (0, 730),
    "tiers.longest_response_hours": (1, 672),
    "quota.base_per_week": (1, 10_000),
    "assignment.in_hand_limit": (0, 1000),
    "assignment.fallback_after_seconds": (0, 604_800),
    "work.hot_minutes": (0, 10_080),
    "work.warm_minutes": (0, 10_080),
    "work.cold_minutes": (0, 10_080),
    "work.nudge_percent": (0, 100),
    "release.cooldown_days": (0, 365),
    "sms.per_rep_per_day": (0, 10_000),
    "sms.per_organisation_per_day": (0, 1_000_000),
    "sms.answers_per_rep_per_day": (1, 10_000),
    "sms.answers_per_organisation_per_day": (1, 1_000_000),
    "availability.pause_ends_after_minutes": (1, 10_080),
    "overnight.at_once": (1, 1000),
    "overnight.every_seconds": (0, 3600),
    "notices.at_once": (50, 10_000),
    "notices.every_seconds": (1, 60),
    "duplicates.days": (1, 3650),
    "duplicates.name_people": (2, 100),
    "sign_in.rep_session_days": (1, 365),
    "sign_in.manager_session_hours": (1, 720),
    "sign_in.link_minutes": (1, 60),
    "sign_in.links_per_hour": (1, 100),
    "sign_in.links_per_address_per_hour": (1, 10_000),
    "sign_in.wrong_per_hour": (1, 10_000),
    "game.points.claim": (0, 100_000),
    "game.points.claim_within_seconds": (1, 86_400),
    "game.points.contact": (0, 100_000),
    "game.points.contact_within_seconds": (1, 86_400),
    "game.points.opportunity": (0, 100_000),
    "game.points.won": (0, 100_000),
    "game.points.helped": (0, 100_000),
    "game.points.pod_percent": (0, 100),
    "game.decay.percent": (0, 100),
    "game.decay.after_days": (1, 3650),
    "game.help.paid_per_pair_per_month": (0, 100),
    "game.rewards.request_days": (1, 365),
    "game.rewards.collect_days": (1, 730),
    "game.challenges.minimum": (1, 10_000),
    "game.minimum_sample": (0, 1000),
    "game.speed.short_seconds": (1, 86_400),
    "game.speed.long_seconds": (1, 86_400),
    "game.speed.streak_seconds": (1, 86_400),
    "game.speed.badge_seconds": (1, 86_400),
}
"""The minimum and maximum of every number, by its path; the schema publishes them."""

ACTIVITIES = (
    "call",
    "contacted",
    "email",
    "appointment_set",
    "appointment_held",
    "qualified",
    "opportunity",
    "quote_sent",
    "contract_sent",
    "won",
    "lost",
)
"""The types of activity that a lead's holder can report (C11)."""

_WEEK_SECONDS = 604_800
_LEAST_GAP = 2
_LONGEST_NAME = 80
# A lead item names its teams in one text, with opening times for teams with tiers. The item
# must stay below 1 KB.
_TEAM_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_TEAM_LETTERS = 180
_TIERS_LETTERS = 24
_LATER_LETTERS = 8
# Where teams have different hours, each of them opens at a time of its own.
_APART_LETTERS = 10
_REP_ID = re.compile(r"[a-z2-7]{5}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_HIGHEST_BAND = 1000
# The odds of reaching a contact fall steeply in the first half hour.
_FIRST_CONTACT_SECONDS = 1800

_MODEL_RULES = {
    Model.OPEN_POOL: "M1",
    Model.TIERS: "M2",
    Model.SPEED_BOARD: "M3",
    Model.ROUND_ROBIN: "M5",
}


def problems(playbook: Playbook) -> list[FieldError]:
    """Return each setting that makes no sense, and how to correct it."""
    checks: tuple[Callable[[Playbook], Iterator[FieldError]], ...] = (
        _numbers,
        _teams,
        _routing,
        fairness_problems,
        _waves,
        _windows,
        _tiers,
        _quota,
        _work,
        look_problems,
        game_problems,
    )
    return [error for check in checks for error in check(playbook)]


def fallback_problems(playbook: Playbook, reps: Mapping[str, Rep]) -> list[FieldError]:
    """Return the teams whose fallback person does not exist or has left (C7); `reps` by id."""
    found = []
    for team_id, team in playbook.teams.items():
        rep = reps.get(team.fallback)
        if _REP_ID.fullmatch(team.fallback) and (rep is None or not rep.active):
            wrong = "is not a rep's id" if rep is None else f"is {rep.name}, who has left"
            found.append(
                FieldError(
                    f"teams.{team_id}.fallback", f"{wrong}; name an active rep, or leave it empty"
                )
            )
    return found


def warnings(playbook: Playbook) -> list[FieldError]:
    """Return each setting that is valid but doubtful, its effect, and what to do."""
    return [
        *_unknown_preset(playbook),
        *_hours_to_set(playbook),
        *_hours_apart(playbook),
        *_leads_that_wait(playbook),
        *_waits_for_first_activity(playbook),
        *_rules_that_do_nothing(playbook),
        *fairness_warnings(playbook),
        *game_warnings(playbook),
        *hole_warnings(playbook),
    ]


def rules_on(playbook: Playbook) -> tuple[str, ...]:
    """Return the ids of the catalogue's rules that a playbook switches on, in their order."""
    models = {playbook.model_of(team) for team in playbook.teams}
    work, game = playbook.work, playbook.game
    on = {
        **{rule: model in models for model, rule in _MODEL_RULES.items()},
        "M4": playbook.quota.enabled,
        "M6": Model.TIERS in models,
        "C5": True,
        "C6": playbook.duplicates.person or playbook.duplicates.company,
        "C7": True,
        "C11": any((work.hot_minutes, work.warm_minutes, work.cold_minutes)),
        "R1": playbook.matching.territory,
        "R2": playbook.matching.segment,
        "R3": bool(playbook.matching.skills) or playbook.matching.languages,
        "R4": playbook.matching.interests,
        "R5": any(route.pods for route in playbook.routing),
        "R6": bool(playbook.performance_first),
        "R8": True,
        "F1": bool(playbook.acceptance.hot_per_warm),
        "F2": bool(playbook.acceptance.claims_per_assignment),
        "F3": bool(playbook.acceptance.cold_per_week),
        "F4": bool(playbook.blind.share_percent),
        "F5": bool(playbook.blind.share_percent),
        "F6": bool(playbook.priority.share_percent),
        "F7": any(model.races for model in models),
        "F8": playbook.newcomers.enabled and bool(playbook.newcomers.per_week),
        "F9": playbook.newcomers.enabled,
        "F10": bool(playbook.absence.hours_per_credit),
        "C10": bool(playbook.draw.collect_seconds),
        "G1": any(_points(game.points)),
        "G2": bool(game.badges),
        "G3": True,
        "G7": bool(game.challenges.rotation) and game.challenges.starts is not None,
        "G8": bool(game.quests),
        "G9": True,
        "G11": bool(game.points.helped and game.help.paid_per_pair_per_month),
        "K2": True,
    }
    order = (
        "M1 M2 M3 M4 M5 M6 C5 C6 C7 C10 C11 F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 R1 R2 R3 R4 R5 R6 R8 "
        "G1 G2 G3 G7 G8 G9 G11 K2"
    )
    return tuple(rule for rule in order.split() if on[rule])


def _points(points: Points) -> Iterator[int]:
    yield from (points.claim, points.contact, points.opportunity, points.won, points.helped)
    yield from points.activities.values()


def _numbers(playbook: Playbook) -> Iterator[FieldError]:
    for place, (least, most) in LIMITS.items():
        yield from _between(place, attrgetter(place)(playbook), least, most)
    if playbook.quality.warm >= playbook.quality.hot:
        yield FieldError("quality.warm", "must be below quality.hot, or no lead is warm")
    if playbook.unseen_seconds >= playbook.window_seconds:
        yield FieldError("unseen_seconds", "must be shorter than window_seconds, or no SMS follows")
    if playbook.phone_region and playbook.phone_region not in SUPPORTED_REGIONS:
        yield FieldError(
            "phone_region",
            f"{playbook.phone_region!r} is no country with phone numbers; use two capitals such as "
            "MY, or leave it out",
        )


def _between(place: str, value: int, least: int, most: int) -> Iterator[FieldError]:
    if not least <= value <= most:
        yield FieldError(place, f"is {value}; use {least} to {most}")


def _teams(playbook: Playbook) -> Iterator[FieldError]:
    if not playbook.teams:
        yield FieldError("teams", "name at least one team")
    letters = _team_letters(playbook)
    if letters > _TEAM_LETTERS:
        yield FieldError(
            "teams",
            f"take {letters} letters in every lead, which has {_TEAM_LETTERS} for them (their ids, "
            f"and {_TIERS_LETTERS} for each team with tiers); use shorter ids or fewer teams",
        )
    for team_id, team in playbook.teams.items():
        yield from _team(f"teams.{team_id}", team_id, team)


def _team_letters(playbook: Playbook) -> int:
    """Return how many letters a lead takes that goes to all teams, for ids and opening times."""
    tiered = sum(playbook.model_of(team) is Model.TIERS for team in playbook.teams)
    letters = len(" ".join(playbook.teams)) + _TIERS_LETTERS * tiered
    if playbook.priority.share_percent or playbook.absence.hours_per_credit:
        letters += _LATER_LETTERS * (len(playbook.teams) - tiered)
    return letters


def _team(place: str, team_id: str, team: Team) -> Iterator[FieldError]:
    if not _TEAM_ID.fullmatch(team_id):
        yield FieldError(place, "is not a team's id; use up to 32 of A-Z, a-z, 0-9, - and _")
    if not (0 < len(team.name.strip()) <= _LONGEST_NAME and team.name.isprintable()):
        yield FieldError(f"{place}.name", f"give a name of up to {_LONGEST_NAME} letters")
    if team.zone not in _zones():
        yield FieldError(
            f"{place}.zone", f"{team.zone!r} is not a time zone; write one such as Europe/London"
        )
    yield from _hours(f"{place}.hours", team)
    twice = sorted({str(day) for day in team.holidays if team.holidays.count(day) > 1})
    if twice:
        yield FieldError(f"{place}.holidays", f"names {', '.join(twice)} twice; name each day once")
    if team.fallback and not _REP_ID.fullmatch(team.fallback):
        yield FieldError(
            f"{place}.fallback",
            f"{team.fallback!r} is not a rep's id; 'dibs reps list' shows them (5 of a-z and 2-7)",
        )


@cache
def _zones() -> set[str]:
    # available_timezones() reads hundreds of files each time.
    return available_timezones()


def _hours(place: str, team: Team) -> Iterator[FieldError]:
    # Check each day by itself: a mistake on Monday must not hide one on Friday.
    wrong = list(_wrong_days(place, team))
    if wrong:
        yield from wrong
        return
    try:
        parse_hours(team.hours)
    except ValueError as error:
        yield FieldError(place, str(error))


def _wrong_days(place: str, team: Team) -> Iterator[FieldError]:
    for day, shifts in team.hours.items():
        if shifts:
            try:
                parse_hours({day: shifts})
            except ValueError as error:
                yield FieldError(f"{place}.{day}", str(error).removeprefix(f"{day}: "))


def _routing(playbook: Playbook) -> Iterator[FieldError]:
    for number, route in enumerate(playbook.routing):
        place = f"routing.{number}.teams"
        if not route.teams:
            yield FieldError(place, "name at least one team")
        if len(set(route.teams)) < len(route.teams):
            yield FieldError(place, "name each team once")
        for team in route.teams:
            yield from _known(place, team, playbook)
        for earlier in _places(_catches(other, route) for other in playbook.routing[:number]):
            yield FieldError(
                f"routing.{number}",
                f"is never used, routing.{earlier} matches first; put it before, or remove it",
            )


def _known(place: str, team: str, playbook: Playbook) -> Iterator[FieldError]:
    if team not in playbook.teams:
        yield FieldError(place, f"{team!r} is not a team of this playbook; add it under teams")


def _catches(route: Route, other: Route) -> bool:
    return all(
        wanted in ("", there)
        for wanted, there in (
            (route.source, other.source),
            (route.territory, other.territory),
            (route.segment, other.segment),
            (route.product, other.product),
        )
    )


def _places(covers: Iterable[bool]) -> list[int]:
    """Return the index of the first true value in a list, an empty list where there is none."""
    return [number for number, covered in enumerate(covers) if covered][:1]


def _waves(playbook: Playbook) -> Iterator[FieldError]:
    yield from _offsets("waves.premium", playbook.waves.premium)
    yield from _offsets("waves.standard", playbook.waves.standard)
    for number, rule in enumerate(playbook.performance_first):
        yield from _offsets(f"performance_first.{number}.offsets", rule.offsets)


def _offsets(place: str, offsets: Offsets) -> Iterator[FieldError]:
    opening = [seconds for seconds in offsets if seconds is not None]
    if not opening:
        yield FieldError(place, "never opens for any tier; give at least one its seconds")
        return
    if opening[0] != 0:
        yield FieldError(
            place, f"opens first after {opening[0]} s; the first tier that opens does so at 0"
        )
    if opening != sorted(opening):
        yield FieldError(place, "opens earlier for a lower tier; let seconds grow from tier 1 on")
    for tier, seconds in enumerate(offsets):
        if seconds is not None:
            yield from _between(f"{place}.{tier}", seconds, 0, _WEEK_SECONDS)
    if any(0 < later - earlier < _LEAST_GAP for earlier, later in pairwise(opening)):
        yield FieldError(
            place, f"has waves less than {_LEAST_GAP} s apart; leave time to notify each"
        )


def _windows(playbook: Playbook) -> Iterator[FieldError]:
    for number, window in enumerate(playbook.windows):
        place = f"windows.{number}"
        if not window.team and not window.source:
            yield FieldError(
                place,
                "is for every team and source; name one, or write waves and window_seconds instead",
            )
        if window.team:
            yield from _known(f"{place}.team", window.team, playbook)
        if len(window.source.encode()) > SOURCE_BYTES:
            yield FieldError(f"{place}.source", f"is longer than {SOURCE_BYTES} bytes; shorten it")
        for name, offsets in (("premium", window.premium), ("standard", window.standard)):
            if offsets is not None:
                yield from _offsets(f"{place}.{name}", offsets)
        if window.window_seconds is not None:
            seconds = window.window_seconds
            yield from _between(f"{place}.window_seconds", seconds, *LIMITS["window_seconds"])
            if seconds <= playbook.unseen_seconds:
                yield FieldError(
                    f"{place}.window_seconds",
                    "must be longer than unseen_seconds, or no SMS follows",
                )
        for earlier in _places(_hides(other, window) for other in playbook.windows[:number]):
            yield FieldError(
                place,
                f"is never used, windows.{earlier} matches first; put it before, or remove it",
            )


def _hides(window: Window, other: Window) -> bool:
    return window.team in ("", other.team) and window.source in ("", other.source)


def _tiers(playbook: Playbook) -> Iterator[FieldError]:
    rules = playbook.tiers
    weights = rules.conversion_weight + rules.attainment_weight + rules.speed_weight
    if weights != 100:
        yield FieldError("tiers", f"has weights that add up to {weights}; make them add up to 100")
    if rules.top_percent + rules.bottom_percent > 100:
        yield FieldError(
            "tiers.bottom_percent",
            f"is {rules.bottom_percent}, and tiers.top_percent {rules.top_percent}; "
            "use 100 or less together",
        )
    most = _most_a_week(playbook) * rules.weeks
    if _with_tiers(playbook) and rules.minimum_sample > most:
        yield FieldError(
            "tiers.minimum_sample",
            f"is {rules.minimum_sample}, and no rep may take more than {most} leads in "
            f"{rules.weeks} weeks; use {most} or less",
        )


def _with_tiers(playbook: Playbook) -> bool:
    return any(playbook.model_of(team) is Model.TIERS for team in playbook.teams)


def _most_a_week(playbook: Playbook) -> int:
    a_week = playbook.claims_per_day * 7
    if not playbook.quota.enabled:
        return a_week
    more = max((band.more_percent for band in playbook.quota.bands), default=0)
    return min(a_week, playbook.quota.base_per_week * (100 + more) // 100)


def _quota(playbook: Playbook) -> Iterator[FieldError]:
    rules = playbook.quota
    if not _CURRENCY.fullmatch(rules.currency):
        yield FieldError(
            "quota.currency", f"{rules.currency!r} is not a currency; write its three letters: USD"
        )
    if not rules.bands or rules.bands[0].from_percent != 0:
        yield FieldError("quota.bands", "must start with a band from 0 percent; add it in front")
    for number, band in enumerate(rules.bands):
        place = f"quota.bands.{number}"
        yield from _between(f"{place}.from_percent", band.from_percent, 0, _HIGHEST_BAND)
        yield from _between(f"{place}.more_percent", band.more_percent, 0, _HIGHEST_BAND)
        if number == 0:
            continue
        below = rules.bands[number - 1]
        if band.from_percent <= below.from_percent:
            yield FieldError(
                f"{place}.from_percent", "must be more than in the band before; sort the bands"
            )
        if band.more_percent < below.more_percent:
            yield FieldError(
                f"{place}.more_percent", "must not be less than in the band before: it rewards more"
            )


def _work(playbook: Playbook) -> Iterator[FieldError]:
    counts = playbook.work.counts
    if not counts and "C11" in rules_on(playbook):
        yield FieldError(
            "work.counts", "counts nothing, so every lead goes back; name at least one activity"
        )
    if len(set(counts)) < len(counts):
        yield FieldError("work.counts", "name each activity once")
    for number, name in enumerate(counts):
        if name not in ACTIVITIES:
            yield FieldError(
                f"work.counts.{number}",
                f"{name!r} is not an activity; use some of {', '.join(ACTIVITIES)}",
            )


def without_fallback(playbook: Playbook) -> list[str]:
    """Return the teams in which nobody gets the leads that no rep may take (C7)."""
    return [team_id for team_id, team in playbook.teams.items() if not team.fallback]


def _unknown_preset(playbook: Playbook) -> Iterator[FieldError]:
    if playbook.preset not in NAMES:
        yield FieldError(
            "preset",
            f"{playbook.preset!r} is none that ships ({', '.join(NAMES)}): what the file leaves "
            "out is as in open-pool",
        )


def _hours_to_set(playbook: Playbook) -> Iterator[FieldError]:
    """Yield the teams that work at any hour, or by a clock that may not be theirs (R11)."""
    for team_id, team in playbook.teams.items():
        if not team.hours:
            yield FieldError(
                f"teams.{team_id}.hours",
                "is empty: leads are offered, texted, given first turns and due at any hour, also "
                'at 3 a.m.; write {"mon": ["09:00-18:00"], ...}, or 00:00-24:00 for each day if '
                "that is meant",
            )
        if team.zone == _ZONE:
            yield FieldError(
                f"teams.{team_id}.zone",
                "is UTC: hours, days and weeks are those of that clock; write the team's own zone, "
                "such as Asia/Kuala_Lumpur, or Etc/UTC if UTC is meant",
            )


_ZONE = Team("").zone


def _hours_apart(playbook: Playbook) -> Iterator[FieldError]:
    """Yield that leads of the night are large, where many teams begin at different times."""
    letters = _team_letters(playbook) + _APART_LETTERS * len(playbook.teams)
    apart = len({team_schedule(team) for team in playbook.teams.values()}) > 1
    if apart and letters > _TEAM_LETTERS:
        yield FieldError(
            "teams",
            "have different hours: a lead of the night for all of them takes more than 1 KB, so "
            "each write of it costs double; route leads to fewer teams, or leave it",
        )


def _leads_that_wait(playbook: Playbook) -> Iterator[FieldError]:
    for team_id, team in playbook.teams.items():
        if not team.fallback:
            yield FieldError(
                f"teams.{team_id}.fallback",
                "is empty: a lead that no rep may take then waits until one may; name a rep's id",
            )
    for place, window in _windows_in_use(playbook):
        last = max(seconds for seconds in window.premium or (0,) if seconds is not None)
        open_for = last + (window.window_seconds or 0)
        if open_for > _FIRST_CONTACT_SECONDS:
            yield FieldError(
                place,
                f"lets a hot lead of {window.team} lie open for {open_for // 60} minutes; "
                "the odds of reaching it fall after 30",
            )


def _waits_for_first_activity(playbook: Playbook) -> Iterator[FieldError]:
    if "C11" in rules_on(playbook) and not playbook.returns_unworked:
        yield FieldError(
            "work.until_first_activity",
            "is wait: no claimed lead goes back unworked until an activity about a lead is first "
            "reported (on the page, by text or POST /activities); write run to begin at once",
        )


def _windows_in_use(playbook: Playbook) -> Iterator[tuple[str, Window]]:
    """Yield the general window of each team that races, then those of its sources."""
    for team in playbook.teams:
        if playbook.model_of(team).races:
            yield "window_seconds", playbook.window_for(team, "")
            for number, window in enumerate(playbook.windows):
                if window.team in ("", team) and window.source:
                    yield f"windows.{number}", playbook.window_for(team, window.source)


def _rules_that_do_nothing(playbook: Playbook) -> Iterator[FieldError]:
    with_tiers = _with_tiers(playbook)
    if with_tiers and playbook.tiers.margin == 0:
        yield FieldError(
            "tiers.margin",
            "is 0: the least difference swaps two reps' tiers, week by week; 3 is usual",
        )
    if not with_tiers and playbook.waves != Waves():
        yield FieldError("waves", "is not used: no team has tiers")
    for number, window in enumerate(playbook.windows):
        concerned = [window.team] if window.team else list(playbook.teams)
        models = {playbook.model_of(team) for team in concerned}
        if not any(model.races for model in models):
            yield FieldError(f"windows.{number}", "is not used: those teams are assigned leads")
        elif (window.premium or window.standard) and Model.TIERS not in models:
            yield FieldError(f"windows.{number}", "has waves that are not used: no tiers there")
    if playbook.sms.enabled and not (
        playbook.sms.per_rep_per_day and playbook.sms.per_organisation_per_day
    ):
        yield FieldError("sms", "is enabled, but a cap of 0 lets no text out")
    if playbook.quota.enabled:
        yield from _quotas_that_do_nothing(playbook)


def _quotas_that_do_nothing(playbook: Playbook) -> Iterator[FieldError]:
    rules, a_week = playbook.quota, playbook.claims_per_day * 7
    race = any(playbook.model_of(team).races for team in playbook.teams)
    if race and rules.base_per_week > a_week:
        yield FieldError(
            "quota.base_per_week",
            f"is {rules.base_per_week}, but claims_per_day ends the race at {a_week} a week",
        )
    for number, band in enumerate(rules.bands):
        if band.more_percent and rules.base_per_week * band.more_percent < 100:
            yield FieldError(
                f"quota.bands.{number}.more_percent",
                f"adds nothing: {band.more_percent} % of {rules.base_per_week} is below one lead",
            )
    base = rules.base_per_week * playbook.tiers.weeks
    if _with_tiers(playbook) and playbook.tiers.minimum_sample > base:
        yield FieldError(
            "tiers.minimum_sample",
            f"is more than the {base} leads a rep on the base quota may take in "
            f"{playbook.tiers.weeks} weeks: their tier never changes",
        )
