"""Contests from their set-up to their prizes (G4-G7, G10, F11).

A contest that begins is frozen, once; a live one is counted anew; at its cut-off the result is
stored and signed, once, and its prizes are booked from what is stored. Each step is one write that
only the first makes, so a run that is missed, dies or meets another is made good by the next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from hmac import compare_digest
from typing import Literal

from dibs.core.errors import FieldError, IllegalMove, InvalidInput, RouteNotFound
from dibs.core.periods import months
from dibs.core.rep import Rep
from dibs.game.contests.challenges import Slot, calendar, challenge_of, contest_of
from dibs.game.contests.checks import problems
from dibs.game.contests.ports import Contests, Planned, SignedResult
from dibs.game.contests.rules import (
    RESERVED,
    Contest,
    Counts,
    Frozen,
    Result,
    Row,
    Standing,
    Windows,
    counted,
    drawn_anew,
    entrants_hash,
    freeze,
    result_text,
    score,
    times_of,
    windows_of,
)
from dibs.game.scoring.ports import Standings
from dibs.ledger.entries import booked
from dibs.ledger.ports import Ledger
from dibs.race.draw import commitment_of
from dibs.reports.ports import Targets
from dibs.reports.quotas import target_for
from dibs.roster.ports import Roster
from dibs.rules.playbook import Playbook

PRIZE = "prize"
FRESH_UP_TO = 1000
"""Beyond so many entrants a look shows the standing as the job last put it together."""
SHOWN = 10
_AHEAD = timedelta(days=28)
_DAY = timedelta(days=1)

Phase = Literal["upcoming", "live", "counting", "final", "cancelled"]


@dataclass(frozen=True)
class ContestDeps:
    """Everything contests work with. `sign` returns the signature of a text, in hex; `seed` a new
    secret."""

    contests: Contests
    roster: Roster
    standings: Standings
    ledger: Ledger
    targets: Targets
    sign: Callable[[str], str]
    seed: Callable[[], str]


@dataclass(frozen=True)
class Ran:
    """What one run did: how many contests it opened, counted anew, closed, and paid out."""

    opened: int = 0
    counted: int = 0
    closed: int = 0
    paid: int = 0

    def __add__(self, other: Ran) -> Ran:
        return Ran(
            self.opened + other.opened,
            self.counted + other.counted,
            self.closed + other.closed,
            self.paid + other.paid,
        )


@dataclass(frozen=True)
class View:
    """A contest as it stands `as_of`; `seconds_left` until it ends.

    `frozen` and `standing` are None until it begins. `signed` is how it ended, `verified` whether
    its signature holds.
    """

    planned: Planned
    phase: Phase
    as_of: datetime
    frozen: Frozen | None = None
    standing: Standing | None = None
    signed: SignedResult | None = None
    verified: bool = False

    @property
    def seconds_left(self) -> int:
        ends = self.planned.times.ends_at
        return max(0, round((ends - self.as_of).total_seconds()))


# Setting one up


def plan(deps: ContestDeps, contest: Contest, by: str, now: datetime) -> Planned:
    """Store a contest, or change it until it begins; the same one again changes nothing.

    Raises:
        InvalidInput: names every field that is wrong.
        IllegalMove: it has begun, or was cancelled.
    """
    stored = deps.contests.get(contest.contest_id)
    if stored is not None and stored.contest == contest:
        return stored
    playbook = deps.roster.playbook()
    errors = problems(contest, playbook, _known(deps, contest))
    if errors:
        raise InvalidInput(tuple(errors))
    planned = Planned(contest, "upcoming", times_of(contest, playbook), by)
    if planned.times.opens_at <= now:
        early = "has begun already somewhere; choose a later day, or preview it on past data"
        raise InvalidInput((FieldError("first_day", early),))
    begun = stored is not None and stored.times.opens_at <= now
    if begun or not deps.contests.plan(planned):
        raise IllegalMove("This contest has begun or was cancelled. Set up another one.")
    return planned


def cancel(deps: ContestDeps, contest_id: str) -> Planned:
    """Call a contest off, also while it is live; asked again, it changes nothing.

    Raises:
        RouteNotFound: there is no such contest.
        IllegalMove: it is final.
    """
    if not deps.contests.cancel(contest_id):
        found = deps.contests.get(contest_id)
        if found is not None and found.state == "final":
            raise IllegalMove("This contest is final; its result stands.")
    found = deps.contests.get(contest_id)
    if found is None:
        raise RouteNotFound("There is no such contest.")
    return found


def preview(deps: ContestDeps, contest: Contest, as_of: datetime) -> tuple[Frozen, Standing]:
    """Return how a contest would stand, on past or live data; nothing is stored.

    Raises:
        InvalidInput: names every field that is wrong.
    """
    errors = problems(contest, deps.roster.playbook(), _known(deps, contest))
    if errors:
        raise InvalidInput(tuple(errors))
    seed = deps.seed()
    frozen = _frozen(deps, contest, as_of, seed)
    return frozen, stands(deps, contest, frozen, seed)


def _known(deps: ContestDeps, contest: Contest) -> dict[str, Rep]:
    # Each once: who is named twice is told so, and no table is asked twice for the same.
    return deps.roster.get_many(sorted(set(contest.named_reps)))


# The job


def run(deps: ContestDeps, as_of: datetime) -> Ran:
    """Open what is due, count what is live, close what is past its cut-off, and pay it out.

    A contest that cannot go on, such as one whose metric the playbook has lost, keeps no other from
    it; the first such error is raised when all others are done.
    """
    playbook, ran = deps.roster.playbook(), Ran()
    failed: Exception | None = None
    _plan_challenges(deps, playbook, as_of)
    for planned in deps.contests.all():
        try:
            ran += _go_on(deps, playbook, planned, as_of)
        except Exception as error:
            failed = failed or error
    if failed is not None:
        raise failed
    return ran


def _go_on(deps: ContestDeps, playbook: Playbook, planned: Planned, as_of: datetime) -> Ran:
    """Take a contest as far as it is due."""
    now, ran = planned, Ran()
    if now.state == "upcoming" and times_of(now.contest, playbook).opens_at <= as_of:
        ran += Ran(opened=_open(deps, now, as_of))
        now = deps.contests.get(now.contest.contest_id) or now
    if now.state == "live":
        ran += _count(deps, now, as_of)
        now = deps.contests.get(now.contest.contest_id) or now
    if now.owed:
        ran += Ran(paid=_pay(deps, playbook, now.contest.contest_id))
    return ran


def _plan_challenges(deps: ContestDeps, playbook: Playbook, as_of: datetime) -> None:
    """Set up the challenges whose days it is; one that was missed whole is not made up for.

    A changed rotation adds no second one to days that have theirs.
    """
    due = []
    for slot in _slots(playbook, as_of - _DAY, as_of + _DAY):
        contest = contest_of(slot, playbook)
        times = times_of(contest, playbook)
        if times.opens_at <= as_of < times.ends_at:
            due.append(Planned(contest, "upcoming", times, "playbook"))
    held = _held(deps) if due else {}
    for planned in due:
        if _period(planned.contest) not in held:
            deps.contests.plan(planned)


def _held(deps: ContestDeps) -> dict[tuple[date, date], Planned]:
    """Return the challenges that were set up, by their first and last day."""
    known = [one for one in deps.contests.all() if one.contest.contest_id.startswith(RESERVED)]
    return {_period(one.contest): one for one in known}


def _period(contest: Contest) -> tuple[date, date]:
    return contest.first_day, contest.last_day


def _slots(playbook: Playbook, first: datetime, last: datetime) -> list[Slot]:
    return calendar(playbook.game.challenges, first.date(), last.date())


def _open(deps: ContestDeps, planned: Planned, as_of: datetime) -> bool:
    seed = deps.seed() if planned.contest.tickets else ""
    return deps.contests.open(planned, _frozen(deps, planned.contest, as_of, seed), seed)


def _frozen(deps: ContestDeps, contest: Contest, at: datetime, seed: str) -> Frozen:
    playbook = deps.roster.playbook()
    reps = list(_known(deps, contest).values())
    for team in contest.teams:
        reps += [rep for rep, _ in deps.roster.team(team, fresh=True)]
    ids, days = [rep.rep_id for rep in reps], (contest.first_day, contest.last_day)
    wanted = {month: deps.targets.of(month, ids) for month in months(*days)}
    targets = {
        rep.rep_id: _target(rep, contest, wanted)
        for rep in reps
        if any(rep.rep_id in month for month in wanted.values())
    }
    return freeze(contest, playbook, reps, targets, at, seed)


def _target(rep: Rep, contest: Contest, wanted: Mapping[date, Mapping[str, int]]) -> Fraction:
    mine = {month: known.get(rep.rep_id, 0) for month, known in wanted.items()}
    return target_for(mine, contest.first_day, contest.last_day, rep.joined_on, None)


def _count(deps: ContestDeps, planned: Planned, as_of: datetime) -> Ran:
    contest, kept = planned.contest, deps.contests.frozen(planned.contest.contest_id)
    assert kept is not None, "frozen in one step with its beginning"
    frozen, seed = kept
    if as_of < frozen.times.cut_off_at:
        standing = stands(deps, contest, frozen)
        deps.contests.refresh(contest.contest_id, standing, as_of)
        return Ran(counted=1)
    result = Result(
        contest=contest,
        closed_at=as_of,
        times=frozen.times,
        playbook_version=frozen.playbook_version,
        figures=frozen.figures,
        entrants=entrants_hash(frozen),
        commitment=frozen.commitment,
        seed=seed,
        standing=stands(deps, contest, frozen, seed),
    )
    text = result_text(result)
    return Ran(closed=deps.contests.close(SignedResult(result, text, deps.sign(text))))


def _pay(deps: ContestDeps, playbook: Playbook, contest_id: str) -> int:
    """Book the prizes of a stored result; what is booked already stays as it is."""
    signed = deps.contests.result(contest_id)
    kept = deps.contests.frozen(contest_id)
    assert signed is not None and kept is not None, "a final contest has both"
    teams = {one.rep_id: one.team for one in kept[0].entrants}
    entries = [
        booked(
            f"{PRIZE}/{contest_id}/{rep_id}",
            PRIZE,
            rep_id,
            teams[rep_id],
            signed.result.closed_at,
            playbook,
            amount=points,
            cause=contest_id,
        )
        for rep_id, points in signed.result.standing.prizes.items()
    ]
    deps.ledger.put(entries)
    deps.contests.paid(contest_id)
    return len(entries)


def stands(deps: ContestDeps, contest: Contest, frozen: Frozen, seed: str = "") -> Standing:
    """Return how a contest stands by what is on the boards now."""
    found: dict[str, dict[str, Counts]] = {}
    for name, (first, last) in windows_of(contest).items():
        totals = deps.standings.between(first, last)
        told = ((t.rep_id, t.team, t.counts) for t in totals)
        found[name] = counted(contest, frozen, told, earlier=name != "now")
    return score(contest, frozen, Windows(**found), seed)


# Looking at one


def listed(deps: ContestDeps, viewer: Rep | None, now: datetime) -> list[View]:
    """Return the contests a viewer may know of (None: a manager), without their standings."""
    return [
        View(planned, phase(planned, now), now)
        for planned in deps.contests.all()
        if viewer is None or _concerns(planned, viewer)
    ]


def look(deps: ContestDeps, contest_id: str, viewer: Rep | None, now: datetime) -> View:
    """Return a contest with its standing.

    Raises:
        RouteNotFound: there is none, or none the viewer may know of.
    """
    planned = deps.contests.get(contest_id)
    kept = deps.contests.frozen(contest_id) if planned is not None else None
    frozen = kept[0] if kept is not None else None
    if planned is None or not (viewer is None or _concerns(planned, viewer, frozen)):
        raise RouteNotFound("There is no such contest for you.")
    view = View(planned, phase(planned, now), now, frozen)
    if planned.state == "final":
        signed = deps.contests.result(contest_id)
        assert signed is not None, "stored in one step with its end"
        holds = compare_digest(signed.signature, deps.sign(signed.text))
        return replace(view, signed=signed, standing=signed.result.standing, verified=holds)
    if planned.state != "live" or frozen is None:
        return view
    if len(frozen.entrants) > FRESH_UP_TO:
        stored = deps.contests.standing(contest_id)
        if stored is not None:
            return replace(view, standing=stored[0], as_of=stored[1])
    return replace(view, standing=stands(deps, planned.contest, frozen))


def phase(planned: Planned, now: datetime) -> Phase:
    """Return how far a contest is; while late data come in it is `counting`."""
    if planned.state == "live" and now >= planned.times.ends_at:
        return "counting"
    return planned.state


def _concerns(planned: Planned, viewer: Rep, frozen: Frozen | None = None) -> bool:
    """Tell whether a rep may know of a contest: they are in it, or it is their team's."""
    contest = planned.contest
    if contest.hidden:
        return False
    inside = frozen is not None and any(one.rep_id == viewer.rep_id for one in frozen.entrants)
    return inside or viewer.team in contest.teams or viewer.rep_id in contest.named_reps


def gap(standing: Standing, row: Row) -> Fraction | None:
    """Return how far the next place up is, None for the first and who has no place."""
    if row.place is None:
        return None
    group = [one for one in standing.reps if (one.tier, one.side) == (row.tier, row.side)]
    above = [one for one in group if one.place is not None and one.place < row.place]
    if not above or above[-1].value is None or row.value is None:
        return None
    return abs(above[-1].value - row.value)


def flaws(contests: Contests, sign: Callable[[str], str], contest_id: str) -> list[str]:
    """Return what is wrong with a stored result; nothing where it is as it was signed."""
    signed, kept = contests.result(contest_id), contests.frozen(contest_id)
    if signed is None or kept is None:
        return ["the contest is final, and its result or its start is gone"]
    found, result = [], signed.result
    if not compare_digest(signed.signature, sign(signed.text)):
        found.append("the result is not as it was signed")
    if entrants_hash(kept[0]) != result.entrants:
        found.append("the entrants are not those of the start")
    if result.contest.tickets and commitment_of(result.seed) != result.commitment:
        found.append("the seed is not the one that was committed to")
    if result.contest.tickets and drawn_anew(result) != result.standing:
        found.append("the winners are not those of the lowest tickets")
    return found


# Challenges


def coming(deps: ContestDeps, now: datetime) -> list[tuple[Slot, Contest]]:
    """Return the challenges of now and of the next four weeks, in order.

    One that is held is as it was set up, whatever the playbook says since; one that was called off
    is none.
    """
    playbook, held = deps.roster.playbook(), _held(deps)
    found = []
    for slot in _slots(playbook, now - _DAY, now + _AHEAD):
        planned = held.get((slot.first_day, slot.last_day))
        contest = contest_of(slot, playbook) if planned is None else planned.contest
        over = planned is not None and planned.state == "cancelled"
        if now < times_of(contest, playbook).ends_at and not over:
            found.append((replace(slot, challenge=challenge_of(contest)), contest))
    return found
