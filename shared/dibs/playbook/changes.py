"""Changing the rules (O4): what a playbook would change, putting it in force, and going back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import zip_longest
from typing import Any

from dibs.core.errors import FieldError, InvalidInput, Outdated, RouteNotFound
from dibs.core.quality import Pool
from dibs.core.rep import Rep
from dibs.playbook.checks.teams import fallback_problems, problems, warnings
from dibs.roster.ports import Roster
from dibs.rules.playbook import Playbook
from dibs.rules.ports import Playbooks, Version
from dibs.rules.rules import AT_ONCE, Model, Offsets, Window

_ABSENT = object()
_UNITS = {"seconds": " s", "minutes": " min", "percent": " %"}


@dataclass(frozen=True)
class Change:
    """One rule that differs: its place, and both values in plain words."""

    place: str
    before: str
    after: str


@dataclass(frozen=True)
class TeamPreview:
    """What a playbook would make of a team.

    `model` is None for a team that would be gone, `was` for one that is new. `windows` are those
    for any source, first, and for each source with a window of its own; `reps` are the active
    ones of tier 1, 2 and 3. `told_at_once` counts, for a lead of any other source, whom of them
    its opening concerns, before and after, by pool; who is paused or off duty then is not told.
    `allowances` are leads a week by percent of target (M4), none where quotas are off.
    """

    team: str
    model: Model | None
    was: Model | None
    windows: tuple[Window, ...]
    reps: tuple[int, int, int]
    told_at_once: Mapping[Pool, tuple[int, int]]
    allowances: Mapping[int, int]


@dataclass(frozen=True)
class Proposal:
    """A playbook that may be put in force in place of `base`, and what it would do.

    Applying it changes what was shown and nothing else: somebody else's change meanwhile ends it.
    """

    base: Version
    playbook: Playbook
    changes: tuple[Change, ...]
    teams: tuple[TeamPreview, ...]
    warnings: tuple[FieldError, ...]


def propose(
    store: Playbooks, roster: Roster, playbook: Playbook, expected_version: int | None = None
) -> Proposal:
    """Return what a playbook would change; nothing is changed yet.

    Raises:
        InvalidInput: names every place that makes no sense, or names nobody as fallback.
        Outdated: another version than the expected one is in force.
    """
    base = store.in_force()
    if expected_version not in (None, base.number):
        raise Outdated(
            f"Version {base.number} is in force, not {expected_version}: somebody changed the "
            "playbook. Look at it again, then change it."
        )
    # Each once: the tables answer no question that is asked twice.
    named = sorted({team.fallback for team in playbook.teams.values() if team.fallback})
    found = problems(playbook)
    if not found:
        found = fallback_problems(playbook, roster.get_many(named))
    if found:
        raise InvalidInput(tuple(found))
    reps = [rep for team in _teams(base.playbook, playbook) for rep, _ in roster.team(team)]
    return Proposal(
        base,
        playbook,
        tuple(diff(base.playbook, playbook)),
        tuple(preview(base.playbook, playbook, reps)),
        (*warnings(playbook), *_left_behind(playbook, reps)),
    )


def apply(store: Playbooks, proposal: Proposal, by: str, now: datetime, note: str = "") -> int:
    """Put a proposal in force and return its version; without a change that in force stays.

    Raises:
        Outdated: somebody else changed the playbook since the proposal was made.
    """
    base = proposal.base
    if base.number and not proposal.changes:
        return base.number
    number = base.number + 1
    playbook = replace(proposal.playbook, version=number)
    if not store.add(Version(playbook, applied_at=now, by=by, note=note)):
        raise Outdated
    return number


def propose_again(store: Playbooks, roster: Roster, number: int) -> Proposal:
    """Return what going back to an earlier version would change; 0 is the preset as shipped.

    Raises:
        RouteNotFound: there never was such a version.
        InvalidInput: it makes no sense any more, such as a fallback person who has left.
    """
    return propose(store, roster, version(store, number).playbook)


def version(store: Playbooks, number: int) -> Version:
    """Return one version of the playbook.

    Raises:
        RouteNotFound: there never was such a version.
    """
    found = store.get(number)
    if found is None:
        raise RouteNotFound(f"There is no version {number} of the playbook.")
    return found


def diff(old: Playbook, new: Playbook) -> list[Change]:
    """Return every rule that differs, in plain words; versions are no rules."""
    before, after = (asdict(replace(playbook, version=0)) for playbook in (old, new))
    return list(_changes("", before, after))


def preview(old: Playbook, new: Playbook, reps: Sequence[Rep]) -> list[TeamPreview]:
    """Return what `new` would make of each team, of both playbooks, with these reps in them."""
    return [_team_preview(team, old, new, reps) for team in _teams(old, new)]


def _teams(old: Playbook, new: Playbook) -> list[str]:
    return list({**new.teams, **old.teams})


def _team_preview(team: str, old: Playbook, new: Playbook, reps: Sequence[Rep]) -> TeamPreview:
    active = [rep for rep in reps if rep.team == team and rep.active]
    stays = team in new.teams
    sources = {w.source: None for w in new.windows if stays and w.team in ("", team) and w.source}
    rules = new.quota
    return TeamPreview(
        team=team,
        model=new.model_of(team) if stays else None,
        was=old.model_of(team) if team in old.teams else None,
        windows=tuple(new.window_for(team, source) for source in ("", *sources)) if stays else (),
        reps=(_of_tier(1, active), _of_tier(2, active), _of_tier(3, active)),
        told_at_once={
            pool: (_told_at_once(old, team, pool, active), _told_at_once(new, team, pool, active))
            for pool in Pool
        },
        allowances={
            band.from_percent: rules.base_per_week * (100 + band.more_percent) // 100
            for band in rules.bands
            if stays and rules.enabled
        },
    )


def _of_tier(tier: int, reps: Sequence[Rep]) -> int:
    return sum(rep.tier == tier for rep in reps)


def _told_at_once(playbook: Playbook, team: str, pool: Pool, reps: Sequence[Rep]) -> int:
    if team not in playbook.teams:
        return 0
    window = playbook.window_for(team, "")
    offsets = (window.premium if pool is Pool.PREMIUM else window.standard) or AT_ONCE
    return sum(offsets[rep.tier - 1] == 0 for rep in reps)


def _left_behind(playbook: Playbook, reps: Sequence[Rep]) -> Iterator[FieldError]:
    gone = sorted({rep.team for rep in reps if rep.active and rep.team not in playbook.teams})
    for team in gone:
        many = sum(rep.active and rep.team == team for rep in reps)
        yield FieldError(
            f"teams.{team}", f"would be gone, with {many} active reps in it; they get no leads then"
        )


def _changes(place: str, before: Any, after: Any) -> Iterator[Change]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in {**before, **after}:
            inner = f"{place}.{name}" if place else str(name)
            yield from _changes(inner, before.get(name, _ABSENT), after.get(name, _ABSENT))
    elif _listed(before) and _listed(after):
        pairs = zip_longest(before, after, fillvalue=_ABSENT)
        for number, (one, other) in enumerate(pairs):
            yield from _changes(f"{place}.{number}", one, other)
    else:
        name = place.rpartition(".")[2]
        yield Change(place, _in_words(name, before), _in_words(name, after))


def _listed(value: Any) -> bool:
    """Tell whether this is a list of rules, whose parts have places of their own."""
    return isinstance(value, tuple) and all(isinstance(item, dict) for item in value)


def _in_words(name: str, value: Any) -> str:
    if value is _ABSENT:
        return "not there"
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value}{_UNITS.get(name.rpartition('_')[2], '')}"
    if isinstance(value, dict):
        said = {k: _in_words(k, v) for k, v in value.items() if v not in (None, "", (), {})}
        return ", ".join(f"{k} {words}" for k, words in said.items()) or "nothing"
    if isinstance(value, tuple):
        if name in ("premium", "standard"):
            return opening_words((value[0], value[1], value[2]))
        return ", ".join(_in_words("", item) for item in value) or "nothing"
    return str(value) or "nothing"


def opening_words(offsets: Offsets) -> str:
    """Return when each tier may claim, in plain words, from tier 1 to 3."""
    return ", ".join(
        "never" if seconds is None else f"after {seconds} s" if seconds else "at once"
        for seconds in offsets
    )
