"""Tiers by the week and allowances by the month, on the real tables: once, and only once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from copy import deepcopy
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from threading import Lock
from time import sleep
from typing import Any

import pytest
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from dibs.aws.dynamo import Dynamo
from dibs.aws.settings import Settings
from dibs.core.errors import ClaimRefused
from dibs.core.jobs import JobResult
from dibs.core.ports import Each
from dibs.core.rep import Rep
from dibs.ledger.entries import Entry
from dibs.ledger.store import DynamoLedger, entry_item
from dibs.playbook.store import DynamoPlaybooks
from dibs.race.claim import Won, claim
from dibs.reports import recalculate as periods
from dibs.reports.ports import QuotaResult
from dibs.reports.recalculate import PeriodDeps, recalculate_quotas, recalculate_tiers
from dibs.reports.store import DynamoPeriodResults, DynamoTargets
from dibs.reports.tiers import Inputs, Outlook
from dibs.roster.store import DynamoRoster
from dibs.rules.playbook import Playbook
from support.aws import peek
from support.builders import NOON, World, a_card, a_playbook, a_rep, proof_of
from support.fakes import Clock
from support.tables import create_tables

MS, MINUTE, HOUR, DAY = (
    timedelta(**{unit: 1}) for unit in ("milliseconds", "minutes", "hours", "days")
)
WEEK = 7 * DAY
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
# What is looked back on from noon on Monday the 23rd: week 47 and the one before it.
FIRST_MONDAY, W47 = MONDAY - 2 * WEEK, "2026-W47"
TIERS = {"weeks": 2, "minimum_sample": 2, "prior_sample": 2}

Job = Callable[[PeriodDeps, datetime], JobResult]


def tiered(zone: str = "UTC", **changes: Any) -> Playbook:
    """North has tiers; south has none, but in its name, so that it sorts nowhere near."""
    teams = {
        "north": {"name": "North", "zone": zone, "model": "tiers"},
        "south": {"name": "South", "zone": zone},
    }
    return a_playbook(**{"teams": teams, "tiers": TIERS, **changes})


def with_quotas(zone: str = "UTC", **changes: Any) -> Playbook:
    teams = {"north": {"name": "North", "zone": zone}}
    return a_playbook(teams=teams, quota={"enabled": True, **changes})


class Bureau:
    """An organisation and what its period jobs work with, new for each run as a new process."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.clock = Clock()
        self.results = DynamoPeriodResults(world.dynamo, world.settings)
        self.targets = DynamoTargets(world.dynamo, world.settings)

    def books(self, client: Any = None, each: Each = map) -> PeriodDeps:
        database, to = Dynamo(client or self.world.dynamo.client), self.world.settings
        return PeriodDeps(
            roster=DynamoRoster(database, to),
            playbooks=DynamoPlaybooks(database, to),
            ledger=DynamoLedger(database, to),
            targets=DynamoTargets(database, to),
            results=DynamoPeriodResults(database, to),
            clock=self.clock,
            each=each,
        )

    def book(self, *entries: Entry) -> None:
        """Put entries in the ledger, many a request."""
        items = [entry_item(one) for one in entries]
        self.world.dynamo.batch_put(self.world.settings.ledger_table, items)

    def run(self, job: Job, as_of: datetime = NOON, client: Any = None) -> JobResult:
        return job(self.books(client), as_of)

    def hire(self, *reps: Rep) -> None:
        for rep in reps:
            self.world.add_rep(rep)

    def rep(self, rep: Rep) -> Rep:
        """The rep as they are now."""
        found = self.world.roster.get(rep.rep_id)
        assert found is not None
        return found

    def tiers(self, *reps: Rep) -> list[int]:
        return [self.rep(rep).tier for rep in reps]

    def outlook(self, rep: Rep, week: str = W47) -> Outlook:
        found = self.results.outlook(rep.rep_id, week)
        assert found is not None
        return found

    def inputs(self, rep: Rep, week: str = W47) -> Inputs:
        """What the rep was judged on, as it is recorded."""
        return self.results.inputs(week, [rep.rep_id])[rep.rep_id]

    def attained(self, rep: Rep, month: str = "2026-10") -> QuotaResult:
        found = self.results.attained(rep.rep_id, month)
        assert found is not None
        return found

    def everything(self) -> dict[str, list[str]]:
        """Every item of every table."""
        return {name: sorted(map(repr, peek(name))) for name in self._tables()}

    def outcome(self) -> dict[str, list[dict[str, Any]]]:
        """Every item of every table, but for the playbooks and the hour a job was run at."""
        hours = ("begun_at", "done_at")
        return {
            name: sorted(
                (
                    {key: value for key, value in item.items() if key not in hours}
                    for item in peek(name)
                    if not item.get("pk", {}).get("S", "").startswith("PLAYBOOK")
                ),
                key=repr,
            )
            for name in self._tables()
        }

    def kept(self) -> dict[str, Any]:
        """The tables as they are, for `put_back`."""
        return {name: deepcopy(_moto(name).items) for name in self._tables()}

    def put_back(self, kept: dict[str, Any]) -> None:
        for name, items in kept.items():
            _moto(name).items = deepcopy(items)
        self.clock.at = NOON

    def _tables(self) -> list[str]:
        settings = self.world.settings
        return [getattr(settings, f.name) for f in fields(settings) if f.name.endswith("_table")]


def _moto(table: str) -> Any:
    return dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].get_table(table)


class Watched:
    """A client that lets something happen before each of its requests, which it counts."""

    def __init__(self, client: Any, before: Callable[[int], None] = lambda number: None) -> None:
        self._client = client
        self.before = before
        self.requests: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = getattr(self._client, name)

        def ask(**request: Any) -> Any:
            self.requests.append(name)
            self.before(len(self.requests))
            return operation(**request)

        return ask


class Died(Exception):
    """The process is gone."""


def die_before(number: int) -> Callable[[int], None]:
    def before(request: int) -> None:
        if request == number:
            raise Died

    return before


class AtOnce:
    """A client that notes how many requests are under way, and makes one at a time of them."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._under_way, self.most = 0, 0
        self._noting, self._asking = Lock(), Lock()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = getattr(self._client, name)

        def ask(**request: Any) -> Any:
            with self._noting:
                self._under_way += 1
                self.most = max(self.most, self._under_way)
            sleep(0.01)
            with self._asking:
                answer = operation(**request)
            with self._noting:
                self._under_way -= 1
            return answer

        return ask


def run_until_it_dies(bureau: Bureau, job: Job, number: int) -> None:
    """Run a job until just before a request, and come back an hour later."""
    with pytest.raises(Died):
        bureau.run(job, client=Watched(bureau.world.dynamo.client, die_before(number)))
    bureau.clock.pass_(hours=1)


@pytest.fixture(scope="module")
def tables(moto_dynamodb: Any) -> Iterator[Settings]:
    """The tables of all these tests: making them takes longer than most."""
    with mock_aws():
        yield create_tables(moto_dynamodb, "periods")


@pytest.fixture
def bureau(moto_dynamodb: Any, tables: Settings) -> Bureau:
    """An organisation of which nothing is known yet."""
    for table in dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].tables.values():
        table.items.clear()
    return Bureau(World(moto_dynamodb, tables))


def entry(kind: str, rep: Rep, at: datetime, lead: str | None = None, **more: Any) -> Entry:
    """What a rep did; with a lead, under its first epoch."""
    name = f"{kind}/{rep.rep_id}/{lead}/{at.isoformat()}/{more}"
    epoch = 0 if lead is None else 1
    return Entry(name, kind, rep.rep_id, rep.team, at, "2026-W01", lead, epoch, **more)


def took(
    rep: Rep, many: int, converted: int = 0, minutes: int = 10, at: datetime = MONDAY - DAY
) -> list[Entry]:
    """Leads taken one a minute, each contacted after some minutes, some of them converted."""
    found = []
    for number in range(many):
        taken, lead = at + number * MINUTE, f"{rep.rep_id}-{number}"
        found.append(entry("claimed", rep, taken, lead))
        found.append(entry("contacted", rep, taken + minutes * MINUTE, lead))
        if number < converted:
            found.append(entry("opportunity", rep, taken + HOUR, lead))
    return found


def sold(rep: Rep, amount: int, at: datetime, kind: str = "won", currency: str = "USD") -> Entry:
    return entry(kind, rep, at, amount=amount, currency=currency)


# Tiers: what reps are judged on


def test_a_rep_is_judged_on_the_weeks_looked_back_on_and_no_moment_more(bureau: Bureau) -> None:
    bureau.world.put_playbook(tiered())
    rep = a_rep(1, tier=3)
    bureau.hire(rep)
    moments = {
        "too-early": FIRST_MONDAY - MS,
        "first": FIRST_MONDAY,
        "last": MONDAY - MS,
        "too-late": MONDAY,
    }
    for lead, at in moments.items():
        bureau.book(entry("assigned", rep, at, lead))
    bureau.book(
        entry("contacted", rep, FIRST_MONDAY + 30 * MINUTE, "first"),
        entry("won", rep, FIRST_MONDAY + DAY, "first"),
        # Converted when the week was over.
        entry("won", rep, MONDAY, "last"),
        # Undone, a test, and a colleague's.
        entry("claimed", rep, FIRST_MONDAY + HOUR, "undone"),
        entry("returned", rep, FIRST_MONDAY + HOUR + MS, "undone", cause="undone"),
        entry("claimed", rep, FIRST_MONDAY + HOUR, "test", test=True),
        entry("claimed", a_rep(2), FIRST_MONDAY + HOUR, "theirs"),
    )
    assert bureau.run(recalculate_tiers) == JobResult(1, 1, 1)
    assert bureau.inputs(rep) == Inputs(
        rep_id=rep.rep_id,
        tier=3,
        taken=2,
        converted=1,
        attainment=None,
        # Half an hour, and for the one nobody called the millisecond that was left of the week.
        response_seconds=(1800 + 0.001) / 2,
        newcomer=False,
    )


def test_attainment_is_what_was_sold_by_the_targets_of_the_days(bureau: Bureau) -> None:
    # From the 23rd of November to the 6th of December: eight days of one month, six of the next.
    as_of = datetime(2026, 12, 7, tzinfo=UTC)
    bureau.world.put_playbook(tiered())
    old, new, gone, without = a_rep(1), a_rep(2, joined_on=date(2026, 12, 1)), a_rep(3), a_rep(4)
    gone = replace(gone, left_on=date(2026, 11, 26))
    bureau.hire(old, new, gone, without)
    for month, target in ((date(2026, 11, 1), 3000), (date(2026, 12, 1), 3100)):
        bureau.targets.put(month, {rep.rep_id: target for rep in (old, new, gone)})
    bureau.targets.put(date(2026, 10, 1), {old.rep_id: 10**9})
    for rep in (old, new, gone, without):
        bureau.book(
            sold(rep, 10**6, MONDAY - MS),
            sold(rep, 100, MONDAY),
            sold(rep, 200, as_of - MS, "upsell"),
            sold(rep, 10**6, MONDAY, currency="MYR"),
            sold(rep, 10**6, as_of),
        )
    bureau.run(recalculate_tiers, as_of)
    judged = [bureau.inputs(rep, "2026-W49") for rep in (old, new, gone, without)]
    assert [one.attainment for one in judged] == [300 / 1400, 300 / 600, 300 / 400, None]


def test_targets_of_leads_won_are_measured_in_leads_won(bureau: Bureau) -> None:
    bureau.world.put_playbook(tiered(quota={"measure": "won"}))
    rep = a_rep(1)
    bureau.hire(rep)
    bureau.targets.put(date(2026, 11, 1), {rep.rep_id: 15})
    bureau.book(*(sold(rep, 5, MONDAY - n * HOUR) for n in range(1, 8)))
    bureau.book(sold(rep, 5, MONDAY - HOUR, "upsell"))
    bureau.run(recalculate_tiers)
    assert bureau.inputs(rep).attainment == 1.0


# Tiers: who is placed where


def test_the_best_rise_the_last_fall_and_everybody_reads_why(bureau: Bureau) -> None:
    bureau.world.put_playbook(tiered())
    reps = [a_rep(n, tier=tier) for n, tier in enumerate((3, 2, 2, 1), 1)]
    bureau.hire(*reps)
    bureau.book(*(e for n, rep in enumerate(reps) for e in took(rep, 8, 6 - 2 * n)))
    assert bureau.run(recalculate_tiers) == JobResult(1, 4, 2)
    assert bureau.tiers(*reps) == [1, 2, 2, 3]
    cards = [bureau.outlook(rep) for rep in reps]
    assert [(card.placing.was, card.placing.tier) for card in cards] == [
        (3, 1),
        (2, 2),
        (2, 2),
        (1, 3),
    ]
    assert [card.inputs.converted for card in cards] == [6, 4, 2, 0]
    best, second, _, last = cards
    assert best.placing.marks is not None
    assert (best.placing.score, best.to_rise, best.to_fall) == (70.0, None, 73.0)
    assert (second.to_rise, second.points_missing) == (73.0, 16.3333)
    assert last.to_fall is None


def test_moving_a_rep_touches_nothing_but_their_tier(bureau: Bureau) -> None:
    bureau.world.put_playbook(tiered())
    rep = a_rep(
        1,
        tier=1,
        weight=3,
        allowance=12,
        territories=("Sarawak", "Sabah"),
        joined_on=date(2026, 11, 2),
        leave=((date(2026, 12, 24), date(2026, 12, 31)),),
        paused_until=NOON + HOUR,
    )
    bureau.hire(rep, a_rep(2))
    bureau.book(*took(a_rep(2), 2))
    assert bureau.run(recalculate_tiers).changed == 1
    assert bureau.rep(rep) == replace(rep, tier=2)


def test_where_nobody_is_in_the_count_everybody_stays(bureau: Bureau) -> None:
    bureau.world.put_playbook(tiered())
    reps = [a_rep(n, tier=n) for n in (1, 2, 3)]
    bureau.hire(*reps)
    assert bureau.run(recalculate_tiers) == JobResult(1, 3, 0)
    assert bureau.tiers(*reps) == [1, 2, 3]
    assert bureau.outlook(reps[0]).placing.reason == "small_sample"


def test_newcomers_sit_in_the_middle_and_small_samples_stay_outside_the_count(
    bureau: Bureau,
) -> None:
    bureau.world.put_playbook(tiered())
    sunday = (MONDAY - DAY).date()
    newcomer = a_rep(1, tier=1, joined_on=sunday - 89 * DAY)
    settled = a_rep(2, tier=2, joined_on=sunday - 90 * DAY)
    idle, busy = a_rep(3, tier=3), a_rep(4, tier=2)
    reps = (newcomer, settled, idle, busy)
    bureau.hire(*reps)
    bureau.book(*took(newcomer, 9, 9), *took(settled, 2, 2), *took(busy, 2))
    bureau.book(*took(idle, 1, 1))
    bureau.run(recalculate_tiers)
    placings = [bureau.outlook(rep).placing for rep in reps]
    assert [placing.reason for placing in placings] == ["newcomer", "", "small_sample", ""]
    assert [placing.counted for placing in placings] == [False, True, False, True]
    assert bureau.tiers(newcomer, idle) == [2, 3]
    assert bureau.outlook(newcomer).to_rise is None


def test_who_left_is_not_judged(bureau: Bureau) -> None:
    bureau.world.put_playbook(tiered())
    gone, here = a_rep(1, active=False, tier=1), a_rep(2)
    bureau.hire(gone, here)
    bureau.book(*took(gone, 9, 9))
    assert bureau.run(recalculate_tiers) == JobResult(1, 1, 0)
    assert bureau.results.inputs(W47, [gone.rep_id, here.rep_id]).keys() == {here.rep_id}
    assert bureau.tiers(gone) == [1]


def test_a_team_without_tiers_is_left_alone(bureau: Bureau) -> None:
    bureau.world.put_playbook(tiered())
    south = a_rep(1, team="south", tier=1)
    bureau.hire(south)
    bureau.book(*took(south, 9))
    assert bureau.run(recalculate_tiers) == JobResult(1, 0, 0)
    assert bureau.tiers(south) == [1]
    assert bureau.results.outlook(south.rep_id, W47) is None
    bureau.world.put_playbook(a_playbook())
    before = bureau.everything()
    assert bureau.run(recalculate_tiers, NOON + WEEK) == JobResult()
    assert bureau.everything() == before


# Weeks


@pytest.mark.parametrize(
    ("zone", "starts", "ends"),
    [
        ("Pacific/Kiritimati", "2026-11-08T10:00Z", "2026-11-22T10:00Z"),
        ("Pacific/Pago_Pago", "2026-11-09T11:00Z", "2026-11-23T11:00Z"),
        ("Asia/Kuching", "2026-11-08T16:00Z", "2026-11-22T16:00Z"),
        # The clocks go back on the last Sunday of October, and forward on the last of March.
        ("Europe/London", "2026-10-11T23:00Z", "2026-10-26T00:00Z"),
        ("Europe/London", "2026-03-16T00:00Z", "2026-03-29T23:00Z"),
    ],
)
def test_a_team_is_placed_when_its_own_week_is_over(
    bureau: Bureau, zone: str, starts: str, ends: str
) -> None:
    start, end = datetime.fromisoformat(starts), datetime.fromisoformat(ends)
    bureau.world.put_playbook(tiered(zone))
    rep = a_rep(1)
    bureau.hire(rep)
    for lead, at in (("a", start - MS), ("b", start), ("c", end - MS), ("d", end)):
        bureau.book(entry("claimed", rep, at, lead))
    year, week, _ = (end - DAY).isocalendar()
    name, before = f"{year}-W{week:02}", f"{year}-W{week - 1:02}"
    assert bureau.run(recalculate_tiers, end - MS) == JobResult(1, 1, 0)
    assert bureau.inputs(rep, before).taken == 2
    assert bureau.results.outlook(rep.rep_id, name) is None
    assert bureau.run(recalculate_tiers, end) == JobResult(1, 1, 0)
    assert bureau.inputs(rep, name).taken == 2


def test_each_team_has_a_week_of_its_own(bureau: Bureau) -> None:
    teams = {
        "east": {"name": "East", "zone": "Pacific/Kiritimati"},
        "west": {"name": "West", "zone": "Pacific/Pago_Pago"},
    }
    bureau.world.put_playbook(a_playbook(teams=teams, model="tiers"))
    east, west = a_rep(1, team="east"), a_rep(2, team="west")
    bureau.hire(east, west)
    bureau.run(recalculate_tiers, MONDAY)
    assert bureau.outlook(east, W47).inputs.taken == 0
    assert bureau.results.outlook(west.rep_id, W47) is None
    assert bureau.outlook(west, "2026-W46").inputs.taken == 0
    assert bureau.run(recalculate_tiers, MONDAY + 11 * HOUR) == JobResult(1, 1, 0)
    assert bureau.outlook(west, W47).inputs.taken == 0


def test_a_missed_week_is_left_out_and_the_next_run_places_by_the_last_one(bureau: Bureau) -> None:
    bureau.world.put_playbook(tiered())
    rep, other = a_rep(1), a_rep(2)
    bureau.hire(rep, other)
    bureau.book(*took(rep, 4, 4), *took(other, 4))
    # A run at any time of the following week is as good as one on Monday morning.
    assert bureau.run(recalculate_tiers, MONDAY + WEEK - MS).reps == 2
    assert bureau.outlook(rep, W47).inputs.converted == 4
    assert bureau.run(recalculate_tiers, MONDAY + 3 * WEEK).reps == 2
    assert bureau.results.outlook(rep.rep_id, "2026-W48") is None
    assert bureau.outlook(rep, "2026-W50").inputs.taken == 0


def test_a_week_that_is_done_or_over_for_longer_is_not_judged_again(bureau: Bureau) -> None:
    bureau.world.put_playbook(tiered())
    rep, other = a_rep(1, tier=3), a_rep(2, tier=1)
    bureau.hire(rep, other)
    bureau.book(*took(rep, 4, 4), *took(other, 4))
    bureau.run(recalculate_tiers, MONDAY - 2 * WEEK)
    bureau.run(recalculate_tiers, MONDAY)
    before = bureau.everything()
    bureau.clock.pass_(hours=1)
    bureau.book(*took(other, 8, 8, at=MONDAY - 9 * DAY))
    after = bureau.everything()
    # Done; done long ago; and missed, but a later one has come since.
    for as_of in (MONDAY, MONDAY - 2 * WEEK, MONDAY - WEEK):
        assert bureau.run(recalculate_tiers, as_of) == JobResult()
    assert bureau.everything() == after
    assert {n: items for n, items in after.items() if "ledger" not in n} == {
        n: items for n, items in before.items() if "ledger" not in n
    }


# Run twice, run at once, run in pieces


EVERYBODY = [a_rep(n, tier=tier) for n, tier in enumerate((1, 2, 3, 1), 1)]
BEST = EVERYBODY[2]


@pytest.fixture
def staged(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> Bureau:
    """Four reps, two a page, of whom two are to move; and one who has left."""
    monkeypatch.setattr(periods, "PAGE", 2)
    bureau.world.put_playbook(tiered())
    bureau.hire(*EVERYBODY, a_rep(5, active=False))
    bureau.targets.put(date(2026, 11, 1), {rep.rep_id: 3000 for rep in EVERYBODY[::2]})
    for n, rep in enumerate(EVERYBODY):
        # Sunday evening in London is Monday in Kiritimati; the last one's sample is too small.
        bureau.book(*took(rep, 3 if n < 3 else 1, n, 10 - n, MONDAY - 6 * HOUR))
        bureau.book(sold(rep, 200 * n, MONDAY - 6 * HOUR))
    return bureau


def undisturbed(
    bureau: Bureau, job: Job, as_of: datetime = NOON
) -> tuple[Any, Any, JobResult, int]:
    """Return the tables before and after a whole run, what it did, and its requests."""
    kept = bureau.kept()
    watched = Watched(bureau.world.dynamo.client)
    ran = bureau.run(job, as_of, watched)
    outcome = bureau.outcome()
    bureau.put_back(kept)
    assert bureau.outcome() != outcome
    return kept, outcome, ran, len(watched.requests)


def test_a_run_that_dies_is_gone_on_with_also_when_a_week_before_it_was_done(
    staged: Bureau,
) -> None:
    staged.run(recalculate_tiers, NOON - WEEK)
    _, outcome, _, _ = undisturbed(staged, recalculate_tiers)
    run_until_it_dies(staged, recalculate_tiers, first_move(staged))
    assert staged.run(recalculate_tiers).periods == 1
    assert staged.outcome() == outcome


def test_no_earlier_week_is_begun_while_a_later_one_lies_dead(staged: Bureau) -> None:
    run_until_it_dies(staged, recalculate_tiers, first_move(staged))
    before = staged.everything()
    assert staged.run(recalculate_tiers, NOON - WEEK) == JobResult()
    assert staged.everything() == before


def test_a_run_that_ends_late_does_not_end_the_week_after_it(staged: Bureau) -> None:
    watched = Watched(staged.world.dynamo.client)
    _, _, _, requests = undisturbed(staged, recalculate_tiers)

    def next_week_begins(request: int) -> None:
        if request == requests:
            staged.clock.at = NOON + WEEK
            begun = Watched(staged.world.dynamo.client, die_before(3))
            with pytest.raises(Died):
                staged.run(recalculate_tiers, NOON + WEEK, begun)

    watched.before = next_week_begins
    staged.run(recalculate_tiers, client=watched)
    assert staged.run(recalculate_tiers, NOON + WEEK).periods == 1
    assert staged.outlook(BEST, "2026-W48").inputs.taken == 3


def test_run_twice_nothing_is_changed(staged: Bureau) -> None:
    assert staged.run(recalculate_tiers) == JobResult(1, 4, 2)
    before = staged.everything()
    staged.clock.pass_(hours=1)
    assert staged.run(recalculate_tiers, NOON + HOUR) == JobResult()
    assert staged.everything() == before


def test_a_run_that_dies_anywhere_is_gone_on_with_by_the_next(staged: Bureau) -> None:
    kept, outcome, _, requests = undisturbed(staged, recalculate_tiers)
    for number in range(1, requests + 1):
        staged.put_back(kept)
        run_until_it_dies(staged, recalculate_tiers, number)
        staged.run(recalculate_tiers)
        assert staged.outcome() == outcome, f"died before request {number}"


def test_a_run_that_dies_again_and_again_comes_to_its_end(staged: Bureau) -> None:
    kept, outcome, _, requests = undisturbed(staged, recalculate_tiers)
    staged.put_back(kept)
    for number in range(4, requests, 4):
        with suppress(Died):
            staged.run(
                recalculate_tiers, client=Watched(staged.world.dynamo.client, die_before(number))
            )
    assert staged.outcome() == outcome


def test_two_runs_at_once_do_what_one_does(staged: Bureau) -> None:
    kept, outcome, alone, requests = undisturbed(staged, recalculate_tiers)
    for number in range(1, requests + 1):
        staged.put_back(kept)
        others: list[JobResult] = []

        def whole_run(request: int, at: int = number, done: list[JobResult] = others) -> None:
            if request == at:
                done.append(staged.run(recalculate_tiers))

        client = Watched(staged.world.dynamo.client, whole_run)
        first = staged.run(recalculate_tiers, client=client)
        assert staged.outcome() == outcome, f"overtaken before request {number}"
        assert first.changed + others[0].changed == alone.changed, "a rep was moved twice"


def test_who_is_overtaken_goes_by_what_the_other_one_recorded(staged: Bureau) -> None:
    """What came in between the two counts: it was known when the first record was made."""
    kept = staged.kept()
    late = took(EVERYBODY[0], 9, 9, at=MONDAY - 3 * DAY)
    staged.book(*late)
    staged.run(recalculate_tiers)
    outcome = staged.outcome()
    staged.put_back(kept)
    watched = Watched(staged.world.dynamo.client)

    def overtake(request: int) -> None:
        if "transact_write_items" in watched.requests and "overtaken" not in watched.requests:
            watched.requests.append("overtaken")
            staged.book(*late)
            staged.run(recalculate_tiers)

    watched.before = overtake
    staged.run(recalculate_tiers, client=watched)
    assert "overtaken" in watched.requests
    assert staged.outcome() == outcome


def test_two_runs_in_step_do_what_one_does(staged: Bureau) -> None:
    """The other one dies a little further on than the first one is."""
    kept, outcome, _, requests = undisturbed(staged, recalculate_tiers)
    for number in range(3, requests + 1, 3):
        staged.put_back(kept)

        def other_run(request: int, at: int = number) -> None:
            if request == at:
                other = Watched(staged.world.dynamo.client, die_before(at + 2))
                with suppress(Died):
                    staged.run(recalculate_tiers, client=other)

        staged.run(recalculate_tiers, client=Watched(staged.world.dynamo.client, other_run))
        assert staged.outcome() == outcome, f"met before request {number}"


@pytest.mark.parametrize("job", [recalculate_tiers, recalculate_quotas])
def test_reps_are_asked_about_side_by_side(
    staged: Bureau, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(periods, "PAGE", 100)
    staged.world.put_playbook(tiered(quota={"enabled": True}))
    kept, outcome, alone, _ = undisturbed(staged, job)
    staged.put_back(kept)
    client = AtOnce(staged.world.dynamo.client)
    with ThreadPoolExecutor(3) as pool:
        ran = job(staged.books(client, pool.map), NOON)
    assert (ran, client.most) == (alone, 3)
    assert staged.outcome() == outcome


def first_move(bureau: Bureau) -> int:
    """Return the number of the request that moves the first rep."""
    kept, watched = bureau.kept(), Watched(bureau.world.dynamo.client)
    bureau.run(recalculate_tiers, client=watched)
    bureau.put_back(kept)
    # The first update is the note that the job has begun.
    updates = [n for n, name in enumerate(watched.requests, 1) if name == "update_item"]
    return updates[1]


def test_what_comes_late_does_not_change_what_was_recorded(staged: Bureau) -> None:
    _, outcome, _, _ = undisturbed(staged, recalculate_tiers)
    run_until_it_dies(staged, recalculate_tiers, first_move(staged) + 1)
    recorded = [staged.inputs(rep) for rep in EVERYBODY]
    staged.book(*took(a_rep(1), 20, 20, at=MONDAY - 3 * DAY))
    staged.targets.put(date(2026, 11, 1), {BEST.rep_id: 10**9})
    staged.run(recalculate_tiers)
    assert [staged.inputs(rep) for rep in EVERYBODY] == recorded
    assert staged.tiers(*EVERYBODY) == tiers_in(staged, outcome)


def tiers_in(bureau: Bureau, outcome: dict[str, list[dict[str, Any]]]) -> list[int]:
    """The tiers of everybody in an outcome."""
    items = outcome[bureau.world.settings.organisation_table]
    reps = {item["pk"]["S"]: item for item in items if item["pk"]["S"].startswith("REP#")}
    return [int(reps[f"REP#{rep.rep_id}"]["tier"]["N"]) for rep in EVERYBODY]


@pytest.mark.parametrize(
    "changed",
    [
        {"tiers": {**TIERS, "conversion_weight": 0, "attainment_weight": 0, "speed_weight": 100}},
        {"tiers": {**TIERS, "weeks": 1, "minimum_sample": 9}},
        {"zone": "Pacific/Kiritimati"},
        {"quota": {"measure": "won"}},
        {"work": {"counts": ["email"]}},
    ],
    ids=["weights", "weeks", "zone", "measure", "counts"],
)
def test_a_job_goes_on_under_the_playbook_it_began_with(
    staged: Bureau, changed: dict[str, Any]
) -> None:
    kept, outcome, _, _ = undisturbed(staged, recalculate_tiers)
    # When it has only begun, and when the first rep has been moved.
    for number in (3, first_move(staged) + 1):
        staged.put_back(kept)
        run_until_it_dies(staged, recalculate_tiers, number)
        staged.world.put_playbook(tiered(**changed))
        staged.run(recalculate_tiers)
        assert staged.outcome() == outcome, f"died before request {number}"


def test_the_next_week_is_judged_under_the_new_playbook(staged: Bureau) -> None:
    run_until_it_dies(staged, recalculate_tiers, 9)
    staged.world.put_playbook(tiered(tiers={**TIERS, "minimum_sample": 999}))
    staged.run(recalculate_tiers)
    assert staged.outlook(BEST).placing.counted
    staged.run(recalculate_tiers, NOON + WEEK)
    assert staged.outlook(BEST, "2026-W48").placing.reason == "small_sample"


def test_who_leaves_while_a_run_lies_dead_moves_nobody_else(staged: Bureau) -> None:
    _, outcome, _, _ = undisturbed(staged, recalculate_tiers)
    run_until_it_dies(staged, recalculate_tiers, first_move(staged) + 1)
    staged.world.roster.deactivate(BEST.rep_id, NOON.date())
    staged.run(recalculate_tiers)
    assert staged.tiers(*EVERYBODY) == tiers_in(staged, outcome)


def test_a_tier_set_by_hand_while_a_run_lies_dead_stays(staged: Bureau) -> None:
    # The first rep is to fall from the first tier to the third.
    run_until_it_dies(staged, recalculate_tiers, first_move(staged))
    by_hand = replace(a_rep(1), tier=2)
    staged.world.roster.put_profile(by_hand, ["tier"])
    staged.run(recalculate_tiers)
    assert staged.tiers(by_hand) == [2]
    assert staged.outlook(by_hand).placing.tier == 3


# Quotas: what a month makes of an allowance

OCTOBER = date(2026, 10, 1)
IN_OCTOBER = datetime(2026, 10, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("done", "leads"),
    [
        (0, 10),
        (4999, 10),
        (5000, 12),
        (7499, 12),
        (7500, 15),
        (9999, 15),
        (10_000, 20),
        (10_001, 20),
        (10**9, 20),
    ],
)
def test_a_months_attainment_makes_the_weekly_allowance(
    bureau: Bureau, done: int, leads: int
) -> None:
    bureau.world.put_playbook(with_quotas())
    rep = a_rep(1)
    bureau.hire(rep)
    bureau.targets.put(OCTOBER, {rep.rep_id: 10_000})
    bureau.book(sold(rep, done, IN_OCTOBER))
    assert bureau.run(recalculate_quotas) == JobResult(1, 1, 1)
    assert bureau.rep(rep) == replace(rep, allowance=leads)
    playbook = bureau.world.playbooks.in_force().number
    reached = Fraction(done, 10_000)
    assert bureau.attained(rep) == QuotaResult(done, 10_000, reached, leads, playbook)


@pytest.mark.parametrize("target", [None, 0])
def test_without_a_target_the_base_is_what_a_rep_gets(bureau: Bureau, target: int | None) -> None:
    bureau.world.put_playbook(with_quotas(base_per_week=7))
    rep = a_rep(1)
    bureau.hire(rep)
    if target is not None:
        bureau.targets.put(OCTOBER, {rep.rep_id: target})
    bureau.targets.put(date(2026, 11, 1), {rep.rep_id: 1})
    bureau.book(sold(rep, 10**6, IN_OCTOBER))
    bureau.run(recalculate_quotas)
    assert bureau.rep(rep).allowance == 7
    assert bureau.attained(rep) == QuotaResult(
        10**6, target, None, 7, bureau.world.playbooks.in_force().number
    )


@pytest.mark.parametrize(
    ("month", "joined", "left", "enough"),
    [
        # 3,100 a month is 100 a day in October.
        (OCTOBER, None, None, 3100),
        (OCTOBER, date(2026, 10, 1), date(2026, 10, 31), 3100),
        (OCTOBER, date(2026, 10, 17), None, 1500),
        (OCTOBER, None, date(2026, 10, 10), 1000),
        (OCTOBER, date(2026, 10, 17), date(2026, 10, 17), 100),
        # The last 15 days of a February of 29, the last 14 of one of 28: 1,604 and 1,550.
        (date(2028, 2, 1), date(2028, 2, 15), None, 1604),
        (date(2027, 2, 1), date(2027, 2, 15), None, 1550),
    ],
)
def test_who_joins_or_leaves_owes_the_days_they_were_there(
    bureau: Bureau, month: date, joined: date | None, left: date | None, enough: int
) -> None:
    bureau.world.put_playbook(with_quotas())
    just, short = (a_rep(n, joined_on=joined, left_on=left) for n in (1, 2))
    bureau.hire(just, short)
    bureau.targets.put(month, {just.rep_id: 3100, short.rep_id: 3100})
    noon = datetime(month.year, month.month, 17, 12, tzinfo=UTC)
    bureau.book(sold(just, enough, noon), sold(short, enough - 1, noon))
    as_of = (noon + 20 * DAY).replace(hour=0)
    bureau.run(recalculate_quotas, as_of)
    assert (bureau.rep(just).allowance, bureau.rep(short).allowance) == (20, 15)


def test_who_joined_when_the_month_was_over_gets_the_base(bureau: Bureau) -> None:
    bureau.world.put_playbook(with_quotas())
    rep = a_rep(1, joined_on=date(2026, 11, 1))
    bureau.hire(rep)
    bureau.targets.put(OCTOBER, {rep.rep_id: 100})
    bureau.run(recalculate_quotas)
    assert (bureau.rep(rep).allowance, bureau.attained(rep).attainment) == (10, None)


@pytest.mark.parametrize(
    ("zone", "starts", "ends"),
    [
        ("Pacific/Kiritimati", "2026-09-30T10:00Z", "2026-10-31T10:00Z"),
        ("Pacific/Pago_Pago", "2026-10-01T11:00Z", "2026-11-01T11:00Z"),
        ("Europe/London", "2026-09-30T23:00Z", "2026-11-01T00:00Z"),
    ],
)
def test_a_month_is_the_teams_own(bureau: Bureau, zone: str, starts: str, ends: str) -> None:
    start, end = datetime.fromisoformat(starts), datetime.fromisoformat(ends)
    bureau.world.put_playbook(with_quotas(zone))
    rep = a_rep(1)
    bureau.hire(rep)
    for amount, at in ((1, start - MS), (20, start), (300, end - MS), (4000, end)):
        bureau.book(sold(rep, amount, at))
    bureau.run(recalculate_quotas, end - MS)
    assert bureau.results.attained(rep.rep_id, "2026-10") is None
    bureau.run(recalculate_quotas, end)
    assert bureau.attained(rep).achieved == 320


def test_only_sales_in_the_playbooks_currency_count_and_no_tests(bureau: Bureau) -> None:
    bureau.world.put_playbook(with_quotas(currency="MYR"))
    rep = a_rep(1)
    bureau.hire(rep)
    bureau.book(
        sold(rep, 1, IN_OCTOBER, currency="MYR"),
        sold(rep, 20, IN_OCTOBER, "cross_sell", currency="MYR"),
        sold(rep, 300, IN_OCTOBER, currency="USD"),
        sold(rep, 4000, IN_OCTOBER, "quote_sent", currency="MYR"),
        replace(sold(rep, 50_000, IN_OCTOBER + MS, currency="MYR"), test=True),
    )
    bureau.run(recalculate_quotas)
    assert bureau.attained(rep).achieved == 21


def test_without_the_rule_no_allowance_is_set(bureau: Bureau) -> None:
    bureau.hire(a_rep(1))
    before = bureau.everything()
    assert bureau.run(recalculate_quotas) == JobResult()
    assert bureau.everything() == before


def test_who_left_gets_no_allowance(bureau: Bureau) -> None:
    bureau.world.put_playbook(with_quotas())
    bureau.hire(a_rep(1, active=False), a_rep(2))
    assert bureau.run(recalculate_quotas) == JobResult(1, 1, 1)
    assert bureau.rep(a_rep(1)).allowance is None


# Quotas: once, and only once


@pytest.fixture
def month_end(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> Bureau:
    """Five reps, two a page, each with another attainment."""
    monkeypatch.setattr(periods, "PAGE", 2)
    bureau.world.put_playbook(with_quotas())
    reps = [a_rep(n, allowance=3) for n in range(1, 6)]
    bureau.hire(*reps)
    bureau.targets.put(OCTOBER, {rep.rep_id: 100 for rep in reps[1:]})
    bureau.book(*(sold(rep, 40 * n, IN_OCTOBER) for n, rep in enumerate(reps)))
    return bureau


def allowances(bureau: Bureau) -> list[int | None]:
    return [bureau.rep(a_rep(n)).allowance for n in range(1, 6)]


def test_a_month_run_twice_changes_nothing(month_end: Bureau) -> None:
    assert month_end.run(recalculate_quotas) == JobResult(1, 5, 5)
    assert allowances(month_end) == [10, 10, 15, 20, 20]
    before = month_end.everything()
    month_end.clock.pass_(hours=1)
    assert month_end.run(recalculate_quotas, NOON + HOUR) == JobResult()
    assert month_end.everything() == before


def test_a_month_that_dies_anywhere_is_gone_on_with(month_end: Bureau) -> None:
    kept, outcome, _, requests = undisturbed(month_end, recalculate_quotas)
    for number in range(1, requests + 1):
        month_end.put_back(kept)
        run_until_it_dies(month_end, recalculate_quotas, number)
        month_end.run(recalculate_quotas)
        assert month_end.outcome() == outcome, f"died before request {number}"


def test_two_months_ends_at_once_do_what_one_does(month_end: Bureau) -> None:
    kept, outcome, alone, requests = undisturbed(month_end, recalculate_quotas)
    for number in range(1, requests + 1):
        month_end.put_back(kept)
        others: list[JobResult] = []

        def whole_run(request: int, at: int = number, done: list[JobResult] = others) -> None:
            if request == at:
                done.append(month_end.run(recalculate_quotas))

        client = Watched(month_end.world.dynamo.client, whole_run)
        first = month_end.run(recalculate_quotas, client=client)
        assert month_end.outcome() == outcome, f"overtaken before request {number}"
        assert first.changed + others[0].changed == alone.changed


def test_the_first_result_of_a_month_counts(month_end: Bureau) -> None:
    # When two of the five have theirs.
    run_until_it_dies(month_end, recalculate_quotas, 10)
    known = [month_end.results.attained(a_rep(n).rep_id, "2026-10") for n in range(1, 6)]
    assert [one is None for one in known] == [False, False, True, True, True]
    for number in range(1, 6):
        month_end.book(sold(a_rep(number), 1000, IN_OCTOBER + DAY))
    month_end.run(recalculate_quotas)
    assert [month_end.attained(a_rep(n)) for n in (1, 2)] == known[:2]
    assert allowances(month_end) == [10, 10, 20, 20, 20]


@pytest.mark.parametrize(
    "changed",
    [
        {"base_per_week": 100},
        {"measure": "won"},
        {"currency": "MYR"},
        {"zone": "Pacific/Kiritimati"},
    ],
    ids=["base", "measure", "currency", "zone"],
)
def test_a_month_goes_on_under_the_playbook_it_began_with(
    month_end: Bureau, changed: dict[str, Any]
) -> None:
    month_end.book(sold(a_rep(5), 10**6, datetime(2026, 9, 30, 12, tzinfo=UTC)))
    kept, outcome, _, _ = undisturbed(month_end, recalculate_quotas)
    for number in (3, 9):
        month_end.put_back(kept)
        run_until_it_dies(month_end, recalculate_quotas, number)
        month_end.world.put_playbook(with_quotas(**changed))
        month_end.run(recalculate_quotas)
        assert month_end.outcome() == outcome, f"died before request {number}"


def test_an_earlier_month_run_late_does_not_take_a_later_ones_allowance(
    month_end: Bureau,
) -> None:
    month_end.run(recalculate_quotas)
    before = month_end.everything()
    assert month_end.run(recalculate_quotas, NOON - 30 * DAY) == JobResult()
    assert month_end.everything() == before
    assert allowances(month_end) == [10, 10, 15, 20, 20]


def test_no_store_lets_an_earlier_month_take_a_later_ones_allowance(month_end: Bureau) -> None:
    """Also when an old run has slept through the new month's."""
    rep = a_rep(1)
    for month, leads, taken in (("2026-10", 15, True), ("2026-09", 20, False)):
        result = QuotaResult(1, 1, Fraction(1), leads, 1)
        assert month_end.results.record_attained(rep.rep_id, month, result) is taken
    assert month_end.rep(rep).allowance == 15
    assert month_end.results.record_attained(rep.rep_id, "2026-11", result)
    assert month_end.rep(rep).allowance == 20


def test_nobody_gets_a_result_who_is_not_there(bureau: Bureau) -> None:
    before = bureau.everything()
    result = QuotaResult(1, 1, Fraction(1), 20, 1)
    assert not bureau.results.record_attained("nobody", "2026-10", result)
    assert bureau.everything() == before


def test_the_next_month_replaces_the_allowance(month_end: Bureau) -> None:
    month_end.run(recalculate_quotas)
    month_end.run(recalculate_quotas, NOON + 30 * DAY)
    assert allowances(month_end) == [10] * 5


# Quotas: what an allowance allows


def claims(bureau: Bureau, rep: Rep, numbers: Sequence[int], at: datetime) -> list[str]:
    """Claim leads one after the other; return what came of each."""
    found = []
    for number in numbers:
        lead = bureau.world.post_lead(a_card(number, team="north"), at)
        proof = proof_of(rep)
        try:
            won = claim(bureau.world.race, lead.lead_id, rep.rep_id, proof, lambda: at + MINUTE)
            assert isinstance(won, Won)
            found.append("won")
        except ClaimRefused as refused:
            found.append(" ".join(refusal.code for refusal in refused.refusals))
    return found


def test_a_claim_beyond_the_allowance_is_refused_until_monday(bureau: Bureau) -> None:
    bureau.world.put_playbook(with_quotas(base_per_week=2))
    poor, rich = a_rep(1, zone="UTC"), a_rep(2, zone="UTC")
    bureau.hire(poor, rich)
    bureau.targets.put(OCTOBER, {poor.rep_id: 100, rich.rep_id: 100})
    bureau.book(sold(rich, 100, IN_OCTOBER))
    bureau.run(recalculate_quotas)
    limit = "weekly_allowance"
    assert claims(bureau, poor, range(3), NOON) == ["won", "won", limit]
    assert claims(bureau, rich, range(10, 15), NOON) == ["won"] * 4 + [limit]
    assert claims(bureau, poor, [20], MONDAY + WEEK - HOUR) == [limit]
    assert claims(bureau, poor, [30], MONDAY + WEEK) == ["won"]


def test_before_the_first_month_is_over_the_base_is_what_a_rep_may_take(bureau: Bureau) -> None:
    bureau.world.put_playbook(with_quotas(base_per_week=1))
    rep = a_rep(1, zone="UTC")
    bureau.hire(rep)
    assert claims(bureau, rep, range(2), NOON) == ["won", "weekly_allowance"]


def test_who_joins_on_thursday_may_take_four_sevenths_of_the_first_week(bureau: Bureau) -> None:
    bureau.world.put_playbook(with_quotas(base_per_week=3))
    rep = a_rep(1, zone="UTC", joined_on=date(2026, 11, 26))
    bureau.hire(rep)
    thursday = MONDAY + 3 * DAY
    assert claims(bureau, rep, range(3), thursday) == ["won", "won", "weekly_allowance"]
    assert claims(bureau, rep, range(10, 14), MONDAY + WEEK) == ["won"] * 3 + ["weekly_allowance"]
