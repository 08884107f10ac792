"""Change the playbook: preview a new version, apply it, or roll back to an earlier one (O4)."""

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
    """One setting that differs: its path, and both values in words."""

    place: str
    before: str
    after: str


@dataclass(frozen=True)
class TeamPreview:
    """What a new playbook would change for a team.

    `model` is None for a team that would be removed, `was` for a new one. `windows` are the one for
    any source, then one for each source with its own; `reps` counts the active reps of tier 1, 2
    and 3. `told_at_once` counts, by pool, how many of them are notified when a lead of any other
    source opens, before and after; it ignores who is paused or off duty. `allowances` are leads a
    week by percent of target (M4), empty where quotas are off.
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
    """A playbook that may replace `base`, and what it would change.

    Applying it changes only what was shown: it fails if `base` is no longer in force.
    """

    base: Version
    playbook: Playbook
    changes: tuple[Change, ...]
    teams: tuple[TeamPreview, ...]
    warnings: tuple[FieldError, ...]


def propose(
    store: Playbooks, roster: Roster, playbook: Playbook, expected_version: int | None = None
) -> Proposal:
    """Return what a playbook would change, without changing anything.

    Raises:
        InvalidInput: settings make no sense, or a fallback is not an active rep.
        Outdated: the version in force is not the expected one.
    """
    base = store.in_force()
    if expected_version not in (None, base.number):
        raise Outdated(
            f"Version {base.number} is in force, not {expected_version}: somebody changed the "
            "playbook. Look at it again, then change it."
        )
    playbook = replace(playbook, first_activity=base.playbook.first_activity)
    # Without duplicates: a batch read refuses a key that is named twice.
    named = sorted({team.fallback for team in playbook.teams.values() if team.fallback})
    errors = problems(playbook)
    if not errors:
        errors = fallback_problems(playbook, roster.get_many(named))
    if errors:
        raise InvalidInput(tuple(errors))
    reps = [rep for team in _teams(base.playbook, playbook) for rep, _ in roster.team(team)]
    return Proposal(
        base,
        playbook,
        tuple(diff(base.playbook, playbook)),
        tuple(preview(base.playbook, playbook, reps)),
        (*warnings(playbook), *_removed_teams(playbook, reps)),
    )


def apply(store: Playbooks, proposal: Proposal, by: str, now: datetime, note: str = "") -> int:
    """Put a proposal in force and return its version; without a change, no version is added.

    Raises:
        Outdated: the playbook was changed since the proposal was made.
    """
    number = next_version(proposal)
    if number == proposal.base.number:
        return number
    playbook = replace(proposal.playbook, version=number)
    if not store.add(Version(playbook, applied_at=now, by=by, note=note)):
        raise Outdated
    return number


def next_version(proposal: Proposal) -> int:
    """Return the version a proposal would be; that in force where it changes nothing."""
    base = proposal.base
    return base.number if base.number and not proposal.changes else base.number + 1


def propose_again(store: Playbooks, roster: Roster, number: int) -> Proposal:
    """Return what a rollback to an earlier version would change; 0 is the shipped preset.

    Raises:
        RouteNotFound: there is no such version.
        InvalidInput: it is no longer valid, for example its fallback person has left.
    """
    return propose(store, roster, version(store, number).playbook)


def version(store: Playbooks, number: int) -> Version:
    """Return one version of the playbook.

    Raises:
        RouteNotFound: there is no such version.
    """
    stored = store.get(number)
    if stored is None:
        raise RouteNotFound(f"There is no version {number} of the playbook.")
    return stored


def diff(old: Playbook, new: Playbook) -> list[Change]:
    """Return every setting that differs, in words; what is the stack's to say is not compared."""
    before, after = (
        asdict(replace(playbook, version=0, paused={}, first_activity=False))
        for playbook in (old, new)
    )
    return list(_changes("", before, after))


def preview(old: Playbook, new: Playbook, reps: Sequence[Rep]) -> list[TeamPreview]:
    """Return what `new` would change for each team of both playbooks."""
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


def _removed_teams(playbook: Playbook, reps: Sequence[Rep]) -> Iterator[FieldError]:
    removed = sorted({rep.team for rep in reps if rep.active and rep.team not in playbook.teams})
    for team in removed:
        many = sum(rep.active and rep.team == team for rep in reps)
        yield FieldError(
            f"teams.{team}",
            f"would be removed with {many} active reps in it; they would get no leads",
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
        for number, (old, new) in enumerate(pairs):
            yield from _changes(f"{place}.{number}", old, new)
    else:
        name = place.rpartition(".")[2]
        yield Change(place, _in_words(name, before), _in_words(name, after))


def _listed(value: Any) -> bool:
    """Tell whether this is a list of mappings, whose parts have paths of their own."""
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
        parts = {k: _in_words(k, v) for k, v in value.items() if v not in (None, "", (), {})}
        return ", ".join(f"{k} {words}" for k, words in parts.items()) or "nothing"
    if isinstance(value, tuple):
        if name in ("premium", "standard"):
            return opening_words((value[0], value[1], value[2]))
        return ", ".join(_in_words("", item) for item in value) or "nothing"
    return str(value) or "nothing"


def opening_words(offsets: Offsets) -> str:
    """Return when each tier may claim, in words, from tier 1 to 3."""
    return ", ".join(
        "never" if seconds is None else f"after {seconds} s" if seconds else "at once"
        for seconds in offsets
    )
