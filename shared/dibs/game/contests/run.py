"""Contests open, are counted, close and pay their prizes by themselves (G4-G7, G10, F11).

A contest is frozen once, when it begins; while live it is counted at each run; at its cut-off, and
not before everything recorded by then is scored, the result is signed and stored, once, and prizes
are posted from the stored result. Each step is one
write that succeeds only once, so the next run completes one that was missed or died, and two at the
same time do no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from hmac import compare_digest
from typing import Literal

from dibs.core.errors import FieldError, IllegalMove, InvalidInput, RouteNotFound
from dibs.core.periods import months
from dibs.core.rep import Rep
from dibs.game.contests.challenges import ChallengeSlot, calendar, challenge_of, contest_of
from dibs.game.contests.checks import problems
from dibs.game.contests.counts import (
    CountStores,
    Row,
    by_day,
    by_hour,
    late_units,
    settled,
)
from dibs.game.contests.ports import Contests, PlannedContest, SignedResult
from dibs.game.contests.rules import (
    RESERVED,
    Contest,
    ContestRow,
    ContestStanding,
    Counts,
    FrozenContest,
    Result,
    Windows,
    counted,
    drawn_anew,
    entrants_hash,
    freeze,
    hours_in,
    result_text,
    score,
    times_of,
    windows_of,
    zones_of,
)
from dibs.game.contests.series import due
from dibs.game.scoring.ports import StandingsStore
from dibs.intake.ports import Pending
from dibs.ledger.entries import Entry, new_entry
from dibs.ledger.ports import Ledger
from dibs.race.draw import commitment_of
from dibs.reports.ports import Targets
from dibs.reports.quotas import target_for
from dibs.roster.ports import Roster
from dibs.rules.playbook import Playbook
from dibs.rules.ports import Playbooks

PRIZE = "prize"
FRESH_UP_TO = 1000
"""With more entrants, a viewer gets the standing that the job stored last."""
SHOWN = 10
_AHEAD = timedelta(days=28)
_DAY = timedelta(days=1)

Phase = Literal["upcoming", "live", "counting", "final", "cancelled"]


@dataclass(frozen=True)
class ContestDeps:
    """The stores that contests need. `sign` returns a text's signature in hex, `seed` a new
    secret, `unsent` the leads' events that were to be sent before a time and are not."""

    contests: Contests
    roster: Roster
    standings: StandingsStore
    ledger: Ledger
    targets: Targets
    playbooks: Playbooks
    unsent: Callable[[datetime], Iterable[Pending]]
    sign: Callable[[str], str]
    seed: Callable[[], str]

    @property
    def counts(self) -> CountStores:
        """The stores that contests are counted from."""
        return CountStores(self.standings, self.ledger, self.playbooks, self.roster, self.unsent)


@dataclass(frozen=True)
class ContestRun:
    """How many contests one run opened, counted and closed, and how many prizes it paid."""

    opened: int = 0
    counted: int = 0
    closed: int = 0
    paid: int = 0

    def __add__(self, other: ContestRun) -> ContestRun:
        return ContestRun(
            self.opened + other.opened,
            self.counted + other.counted,
            self.closed + other.closed,
            self.paid + other.paid,
        )


@dataclass(frozen=True)
class View:
    """A contest `as_of` a time; `seconds_left` until it ends.

    `frozen` and `standing` are None until it begins. `signed` is its result, `verified` whether the
    signature is valid.
    """

    planned: PlannedContest
    phase: Phase
    as_of: datetime
    frozen: FrozenContest | None = None
    standing: ContestStanding | None = None
    signed: SignedResult | None = None
    verified: bool = False

    @property
    def seconds_left(self) -> int:
        ends = self.planned.times.ends_at
        return max(0, round((ends - self.as_of).total_seconds()))


# Set-up


def plan(
    deps: ContestDeps,
    contest: Contest,
    by: str,
    now: datetime,
    unread: Sequence[FieldError] = (),
) -> PlannedContest:
    """Store a contest, or change one that has not begun; the same again changes nothing.

    It may begin today (G12). `unread` are fields that could not be read.

    Raises:
        InvalidInput: names every field that is wrong.
        IllegalMove: it has begun, or was cancelled.
    """
    stored = deps.contests.get(contest.contest_id)
    if stored is not None and stored.contest == contest and not unread:
        return stored
    playbook = deps.roster.playbook()
    errors = problems(contest, playbook, _named_reps(deps, contest), unread, now)
    if errors:
        raise InvalidInput(tuple(errors))
    planned = PlannedContest(contest, "upcoming", times_of(contest, playbook), by)
    begun = stored is not None and stored.times.opens_at <= now
    if begun or not deps.contests.plan(planned):
        raise IllegalMove("This contest has begun or was cancelled. Set up another one.")
    return planned


def cancel(deps: ContestDeps, contest_id: str) -> PlannedContest:
    """Cancel a contest, also while it is live; cancelling again changes nothing.

    Raises:
        RouteNotFound: there is no such contest.
        IllegalMove: it is final.
    """
    if not deps.contests.cancel(contest_id):
        planned = deps.contests.get(contest_id)
        if planned is not None and planned.state == "final":
            raise IllegalMove("This contest is final; its result stands.")
    planned = deps.contests.get(contest_id)
    if planned is None:
        raise RouteNotFound("There is no such contest.")
    return planned


def preview(
    deps: ContestDeps, contest: Contest, as_of: datetime, unread: Sequence[FieldError] = ()
) -> tuple[FrozenContest, ContestStanding]:
    """Return the standing a contest would have on past or live data; nothing is stored.

    Raises:
        InvalidInput: names every field that is wrong.
    """
    errors = problems(contest, deps.roster.playbook(), _named_reps(deps, contest), unread)
    if errors:
        raise InvalidInput(tuple(errors))
    seed = deps.seed()
    frozen = _frozen(deps, contest, as_of, seed)
    return frozen, standing_of(deps, contest, frozen, seed)


def _named_reps(deps: ContestDeps, contest: Contest) -> dict[str, Rep]:
    # Each once: duplicates are an error of their own, and a batch read may not repeat a key.
    return deps.roster.get_many(sorted(set(contest.named_reps)))


# The job


def run(deps: ContestDeps, as_of: datetime) -> ContestRun:
    """Open due contests, count live ones, close those past their cut-off, and pay their prizes.

    A contest that fails, such as one whose metric was removed from the playbook, does not stop the
    others; the first error is raised after all are done.
    """
    playbook, ran = deps.roster.playbook(), ContestRun()
    failed: Exception | None = None
    _plan_challenges(deps, playbook, as_of)
    set_up(deps.contests, playbook, as_of)
    for planned in deps.contests.all():
        try:
            ran += _advance(deps, playbook, planned, as_of)
        except Exception as error:
            failed = failed or error
    if failed is not None:
        raise failed
    return ran


def _advance(
    deps: ContestDeps, playbook: Playbook, planned: PlannedContest, as_of: datetime
) -> ContestRun:
    """Take every step of a contest that is due."""
    now, ran = planned, ContestRun()
    if now.state == "upcoming" and times_of(now.contest, playbook).opens_at <= as_of:
        ran += ContestRun(opened=_open(deps, now, as_of))
        now = deps.contests.get(now.contest.contest_id) or now
    if now.state == "live":
        ran += _count(deps, now, as_of)
        now = deps.contests.get(now.contest.contest_id) or now
    if now.owed:
        ran += ContestRun(paid=_pay(deps, playbook, now.contest.contest_id))
    return ran


def _plan_challenges(deps: ContestDeps, playbook: Playbook, as_of: datetime) -> None:
    """Set up the challenges of today; a challenge that was missed entirely is not made up for.

    A changed rotation adds no second challenge to days that have one.
    """
    due = []
    for slot in _slots(playbook, as_of - _DAY, as_of + _DAY):
        contest = contest_of(slot, playbook)
        times = times_of(contest, playbook)
        if times.opens_at <= as_of < times.ends_at:
            due.append(PlannedContest(contest, "upcoming", times, "playbook"))
    held = _held(deps) if due else {}
    for planned in due:
        if _period(planned.contest) not in held:
            deps.contests.plan(planned)


def set_up(contests: Contests, playbook: Playbook, as_of: datetime) -> None:
    """Set up what is due of every series; the same again changes nothing (G12).

    A contest that has begun, was called off or was changed by a manager stays as it is. One that
    is still to come follows a change of its series.
    """
    active = [series for series in contests.series() if not series.cancelled]
    held = {known.contest.contest_id: known for known in contests.all()} if active else {}
    for series in active:
        for contest, times in due(series, playbook, as_of):
            planned = PlannedContest(contest, "upcoming", times, series.author)
            known = held.get(contest.contest_id)
            if known is None or (known != planned and _follows(known, series.author, as_of)):
                contests.plan(planned)


def _follows(known: PlannedContest, author: str, as_of: datetime) -> bool:
    own = known.by == author and (known.state == "upcoming" or known.taken_back)
    return own and known.times.opens_at > as_of


def _held(deps: ContestDeps) -> dict[tuple[date, date], PlannedContest]:
    """Return the challenges that are set up, by their first and last day."""
    held = [p for p in deps.contests.all() if p.contest.contest_id.startswith(RESERVED)]
    return {_period(planned.contest): planned for planned in held}


def _period(contest: Contest) -> tuple[date, date]:
    return contest.first_day, contest.last_day


def _slots(playbook: Playbook, first: datetime, last: datetime) -> list[ChallengeSlot]:
    return calendar(playbook.game.challenges, first.date(), last.date())


def _open(deps: ContestDeps, planned: PlannedContest, as_of: datetime) -> bool:
    seed = deps.seed() if planned.contest.tickets else ""
    return deps.contests.open(planned, _frozen(deps, planned.contest, as_of, seed), seed)


def _frozen(deps: ContestDeps, contest: Contest, at: datetime, seed: str) -> FrozenContest:
    playbook = deps.roster.playbook()
    reps = list(_named_reps(deps, contest).values())
    for team in contest.teams:
        reps += [rep for rep, _ in deps.roster.team(team, fresh=True)]
    ids, days = [rep.rep_id for rep in reps], (contest.first_day, contest.last_day)
    monthly = {month: deps.targets.of(month, ids) for month in months(*days)}
    targets = {
        rep.rep_id: _target(rep, contest, monthly)
        for rep in reps
        if any(rep.rep_id in by_rep for by_rep in monthly.values())
    }
    return freeze(contest, playbook, reps, targets, at, seed)


def _target(rep: Rep, contest: Contest, monthly: Mapping[date, Mapping[str, int]]) -> Fraction:
    own = {month: by_rep.get(rep.rep_id, 0) for month, by_rep in monthly.items()}
    return target_for(own, contest.first_day, contest.last_day, rep.joined_on, None)


def _count(deps: ContestDeps, planned: PlannedContest, as_of: datetime) -> ContestRun:
    contest, kept = planned.contest, deps.contests.frozen(planned.contest.contest_id)
    assert kept is not None, "frozen in one step with its beginning"
    frozen, seed = kept
    cut_off = frozen.times.cut_off_at
    if not settled(deps.counts, cut_off, as_of):
        standing = standing_of(deps, contest, frozen)
        deps.contests.refresh(contest.contest_id, standing, as_of)
        return ContestRun(counted=1)
    result = Result(
        contest=contest,
        closed_at=as_of,
        times=frozen.times,
        playbook_version=frozen.playbook_version,
        figures=frozen.figures,
        entrants=entrants_hash(frozen),
        commitment=frozen.commitment,
        seed=seed,
        standing=_last_standing(deps, contest, frozen, seed, as_of),
    )
    text = result_text(result)
    return ContestRun(closed=deps.contests.close(SignedResult(result, text, deps.sign(text))))


def _pay(deps: ContestDeps, playbook: Playbook, contest_id: str) -> int:
    """Post the prizes of a stored result; prizes that are posted already do not change."""
    signed = deps.contests.result(contest_id)
    kept = deps.contests.frozen(contest_id)
    assert signed is not None and kept is not None, "a final contest has both"
    teams = {entrant.rep_id: entrant.team for entrant in kept[0].entrants}
    entries = [
        new_entry(
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


def standing_of(
    deps: ContestDeps,
    contest: Contest,
    frozen: FrozenContest,
    seed: str = "",
    late: Collection[str] = (),
) -> ContestStanding:
    """Return the standing of a contest by the totals published now; of the aggregates that
    something came `late` to, only what was recorded before the cut-off."""
    windows: dict[str, dict[str, Counts]] = {}
    for name, (first, last) in windows_of(contest).items():
        if contest.by_hour and name != "kept":
            rows = _rows_by_hour(deps, contest, frozen, first)
        else:
            rows = by_day(deps.counts, first, last, late, frozen.times.cut_off_at)
        windows[name] = counted(contest, frozen, rows, earlier=name != "now")
    return score(contest, frozen, Windows(**windows), seed)


def _rows_by_hour(
    deps: ContestDeps, contest: Contest, frozen: FrozenContest, first: date
) -> list[Row]:
    """Return what was done in the contest's hours, or in the same hours from another day on."""
    playbook = deps.roster.playbook()
    last = first + (contest.last_day - contest.first_day)
    shifted = replace(contest, first_day=first, last_day=last)
    spans = {zone: hours_in(shifted, zone) for zone in zones_of(shifted, playbook)}

    def within(entry: Entry) -> bool:
        team = playbook.teams.get(entry.team)
        zone = contest.zone or ("UTC" if team is None else team.zone)
        start, end = spans.get(zone) or hours_in(shifted, zone)
        return start <= entry.at < end

    # A named rep's team may be in any zone, so that its day begins and ends up to a day apart.
    start = min(start for start, _ in spans.values()) - _DAY
    end = max(end for _, end in spans.values()) + _DAY
    return by_hour(deps.counts, frozen, within, start, end, frozen.times.cut_off_at)


def _last_standing(
    deps: ContestDeps, contest: Contest, frozen: FrozenContest, seed: str, as_of: datetime
) -> ContestStanding:
    """Return the standing by what was recorded before the cut-off."""
    since = min(first for first, _ in windows_of(contest).values())
    late = late_units(deps.counts, frozen, since, frozen.times.cut_off_at, as_of)
    return standing_of(deps, contest, frozen, seed, late)


# Views


def listed(deps: ContestDeps, viewer: Rep | None, now: datetime, team: str = "") -> list[View]:
    """Return the contests a viewer may see (None: a manager, of one `team` or of all), without
    their standings."""
    members = _members(deps, team)
    return [
        View(planned, phase(planned, now), now)
        for planned in deps.contests.all()
        if _may_see(planned, viewer, team, members)
    ]


def _members(deps: ContestDeps, team: str) -> frozenset[str]:
    return frozenset(rep.rep_id for rep, _ in deps.roster.team(team)) if team else frozenset()


def look(
    deps: ContestDeps, contest_id: str, viewer: Rep | None, now: datetime, team: str = ""
) -> View:
    """Return a contest with its standing; for the manager of one `team`, of its reps alone.

    Raises:
        RouteNotFound: there is no such contest, or the viewer may not see it.
    """
    planned = deps.contests.get(contest_id)
    kept = deps.contests.frozen(contest_id) if planned is not None else None
    frozen = kept[0] if kept is not None else None
    members = _members(deps, team)
    if planned is None or not _may_see(planned, viewer, team, members, frozen):
        raise RouteNotFound("There is no such contest for you.")
    view = _looked(deps, planned, frozen, now)
    if not team or view.standing is None:
        return view
    of_team = {one.rep_id for one in frozen.entrants if one.team == team} if frozen else set()
    rows = tuple(row for row in view.standing.reps if row.who in of_team | members)
    return replace(view, standing=replace(view.standing, reps=rows))


def _looked(
    deps: ContestDeps, planned: PlannedContest, frozen: FrozenContest | None, now: datetime
) -> View:
    contest_id = planned.contest.contest_id
    view = View(planned, phase(planned, now), now, frozen)
    if planned.state == "final":
        signed = deps.contests.result(contest_id)
        assert signed is not None, "stored in one step with its end"
        holds = compare_digest(signed.signature, deps.sign(signed.text))
        return replace(view, signed=signed, standing=signed.result.standing, verified=holds)
    if planned.state != "live" or frozen is None:
        return view
    if _shows_stored(planned.contest, frozen):
        stored = deps.contests.standing(contest_id)
        if stored is not None:
            return replace(view, standing=stored[0], as_of=stored[1])
    return replace(view, standing=standing_of(deps, planned.contest, frozen))


def _shows_stored(contest: Contest, frozen: FrozenContest) -> bool:
    """Return whether a look shows the job's last standing: by the hour, each entry is read."""
    return contest.by_hour or len(frozen.entrants) > FRESH_UP_TO


def phase(planned: PlannedContest, now: datetime) -> Phase:
    """Return the phase of a contest; while late data come in it is `counting`."""
    if planned.state == "live" and now >= planned.times.ends_at:
        return "counting"
    return planned.state


def _may_see(
    planned: PlannedContest,
    viewer: Rep | None,
    team: str,
    members: Collection[str],
    frozen: FrozenContest | None = None,
) -> bool:
    """Return whether a rep, or a manager of all teams or one, may see a contest."""
    if viewer is not None:
        return _concerns(planned, viewer, frozen)
    inside = frozen is not None and any(entrant.team == team for entrant in frozen.entrants)
    return not team or inside or of_team(planned.contest, team, members)


def of_team(contest: Contest, team: str, members: Collection[str]) -> bool:
    """Tell whether a contest is one of a team's: it names the team or one of its reps."""
    return team in contest.teams or any(rep_id in members for rep_id in contest.named_reps)


def _concerns(planned: PlannedContest, viewer: Rep, frozen: FrozenContest | None = None) -> bool:
    """Return whether a rep may see a contest: they are in it, or their team is."""
    contest = planned.contest
    if contest.hidden:
        return False
    inside = frozen is not None and any(e.rep_id == viewer.rep_id for e in frozen.entrants)
    return inside or viewer.team in contest.teams or viewer.rep_id in contest.named_reps


def gap(standing: ContestStanding, row: ContestRow) -> Fraction | None:
    """Return the distance to the next place up; None for the first place and without a place."""
    if row.place is None:
        return None
    group = [other for other in standing.reps if (other.tier, other.side) == (row.tier, row.side)]
    above = [other for other in group if other.place is not None and other.place < row.place]
    if not above or above[-1].value is None or row.value is None:
        return None
    return abs(above[-1].value - row.value)


def flaws(contests: Contests, sign: Callable[[str], str], contest_id: str) -> list[str]:
    """Return what is wrong with a stored result; empty where it is as it was signed."""
    signed, kept = contests.result(contest_id), contests.frozen(contest_id)
    if signed is None or kept is None:
        return ["the contest is final, and its result or its start is gone"]
    wrong, result = [], signed.result
    if not compare_digest(signed.signature, sign(signed.text)):
        wrong.append("the result is not as it was signed")
    if entrants_hash(kept[0]) != result.entrants:
        wrong.append("the entrants are not those of the start")
    if result.contest.tickets and commitment_of(result.seed) != result.commitment:
        wrong.append("the seed is not the one that was committed to")
    if result.contest.tickets and drawn_anew(result) != result.standing:
        wrong.append("the winners are not those of the lowest tickets")
    return wrong


# Challenges


def coming(deps: ContestDeps, now: datetime) -> list[tuple[ChallengeSlot, Contest]]:
    """Return the challenges of now and of the next four weeks, in order.

    A challenge that is set up is returned as stored, whatever the playbook says now; cancelled ones
    are left out.
    """
    playbook, held = deps.roster.playbook(), _held(deps)
    result = []
    for slot in _slots(playbook, now - _DAY, now + _AHEAD):
        planned = held.get((slot.first_day, slot.last_day))
        contest = contest_of(slot, playbook) if planned is None else planned.contest
        over = planned is not None and planned.state == "cancelled"
        if now < times_of(contest, playbook).ends_at and not over:
            result.append((replace(slot, challenge=challenge_of(contest)), contest))
    return result
