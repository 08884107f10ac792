"""The playbook: an organisation's rules as data (O4). Every number is a setting."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dibs.domain.errors import FieldError
from dibs.domain.leads import Quality
from dibs.domain.reps import Rep

# Read by the validator in the adapter: a misspelt rule must not pass for a rule that is off.
_STRICT = {"extra": "forbid"}
# A lead's lock names its teams in a row and stays below 1 KB.
_TEAM_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_TEAM_LETTERS = 360


@dataclass(frozen=True)
class Thresholds:
    """Scores from which a lead is hot and warm; below, or unscored, it is cold."""

    hot: int = 80
    warm: int = 50
    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class Route:
    """One routing rule: leads whose fields all match go to `teams`; the first match counts."""

    teams: tuple[str, ...]
    source: str = ""
    territory: str = ""
    segment: str = ""
    product: str = ""
    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class Sms:
    """Text messages: switched on or off, and how many a day at most (N1)."""

    enabled: bool = True
    per_rep_per_day: int = 20
    per_organisation_per_day: int = 2000
    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class Availability:
    """Which reps are told and may claim (R8): a pause ends by itself, so nobody forgets it."""

    pause_ends_after_minutes: int = 720
    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class Team:
    """A team of reps; on anonymous boards no loser is told who won (C3)."""

    name: str
    anonymous: bool = False
    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class Playbook:
    """All rules of one organisation. Durations name their unit."""

    preset: str
    fits: str
    teams: Mapping[str, Team]
    model: str = "open-pool"
    window_seconds: int = 900
    unseen_seconds: int = 20
    undo_seconds: int = 30
    claims_per_day: int = 10
    quality: Thresholds = field(default_factory=Thresholds)
    routing: tuple[Route, ...] = ()
    sms: Sms = field(default_factory=Sms)
    availability: Availability = field(default_factory=Availability)
    version: int = 0
    __pydantic_config__ = _STRICT

    def quality_of(self, score: int | None) -> Quality:
        """Return a lead's quality from its score (0 to 100, None where unscored)."""
        if score is None or score < self.quality.warm:
            return Quality.COLD
        return Quality.HOT if score >= self.quality.hot else Quality.WARM

    def teams_for(self, lead: Mapping[str, str]) -> tuple[str, ...]:
        """Return the teams a lead is routed to: its own, the first matching rule's, or all."""
        if lead.get("team") in self.teams:
            return (lead["team"],)
        for route in self.routing:
            wanted = {
                "source": route.source,
                "territory": route.territory,
                "segment": route.segment,
                "product": route.product,
            }
            if all(not value or lead.get(name) == value for name, value in wanted.items()):
                return route.teams
        return tuple(self.teams)

    def hides_winner_from(self, rep: Rep) -> bool:
        """Tell whether this rep's team keeps winners anonymous (C3)."""
        team = self.teams.get(rep.team)
        return team is not None and team.anonymous


def playbook_from(data: Mapping[str, Any]) -> Playbook:
    """Build a playbook from its stored form, which was validated when it was stored."""
    return Playbook(
        **{
            **data,
            "teams": {team_id: Team(**team) for team_id, team in data["teams"].items()},
            "quality": Thresholds(**data["quality"]),
            "routing": tuple(
                Route(**{**route, "teams": tuple(route["teams"])}) for route in data["routing"]
            ),
            "sms": Sms(**data["sms"]),
            "availability": Availability(**data["availability"]),
        }
    )


def problems(playbook: Playbook) -> list[FieldError]:
    """Return what makes no sense in a playbook of the right shape: each place and its mend."""
    found: list[FieldError] = []

    def at_least(place: str, value: int, least: int, most: int) -> None:
        if not least <= value <= most:
            found.append(FieldError(place, f"is {value}; use {least} to {most}"))

    at_least("window_seconds", playbook.window_seconds, 10, 86_400)
    at_least("unseen_seconds", playbook.unseen_seconds, 5, 900)
    at_least("undo_seconds", playbook.undo_seconds, 0, 300)
    at_least("claims_per_day", playbook.claims_per_day, 1, 10_000)
    at_least("quality.hot", playbook.quality.hot, 1, 100)
    at_least("quality.warm", playbook.quality.warm, 0, 100)
    at_least("sms.per_rep_per_day", playbook.sms.per_rep_per_day, 0, 10_000)
    at_least("sms.per_organisation_per_day", playbook.sms.per_organisation_per_day, 0, 1_000_000)
    at_least(
        "availability.pause_ends_after_minutes",
        playbook.availability.pause_ends_after_minutes,
        1,
        10_080,
    )
    if playbook.quality.warm >= playbook.quality.hot:
        found.append(FieldError("quality.warm", "must be below quality.hot, or no lead is warm"))
    if playbook.unseen_seconds >= playbook.window_seconds:
        found.append(
            FieldError("unseen_seconds", "must be shorter than window_seconds, or no SMS follows")
        )
    if not playbook.teams:
        found.append(FieldError("teams", "name at least one team"))
    if len(" ".join(playbook.teams)) > _TEAM_LETTERS:
        found.append(FieldError("teams", f"give ids of {_TEAM_LETTERS} letters in all, or fewer"))
    found.extend(
        FieldError(f"teams.{team}", "is no team's id; use up to 32 of A-Z, a-z, 0-9, - and _")
        for team in playbook.teams
        if not _TEAM_ID.fullmatch(team)
    )
    if playbook.model != "open-pool":
        found.append(FieldError("model", f"{playbook.model!r} is not a model; use 'open-pool'"))
    for number, route in enumerate(playbook.routing):
        place = f"routing.{number}.teams"
        if not route.teams:
            found.append(FieldError(place, "name at least one team"))
        if len(set(route.teams)) < len(route.teams):
            found.append(FieldError(place, "name each team once"))
        found.extend(
            FieldError(place, f"{team!r} is no team of this playbook; add it under teams")
            for team in route.teams
            if team not in playbook.teams
        )
    return found
