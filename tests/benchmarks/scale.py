"""A peak of many leads a second, on paper: what waits, what runs, what is refused, what it costs.

A pure program: the same seed, the same page. It takes what one run of each function takes (from
`make bench`), batch sizes, memory and the API's limits (from template.yaml) and AWS's own limits,
and moves leads through the functions in steps of a tenth of a second. Nothing is measured here, and
nothing sleeps. `make scale` writes docs/scale.md with it.
"""

from __future__ import annotations

import math
import random
import re
import sys
from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:1] = [str(ROOT / part) for part in ("shared", "functions", "tests", ".")]

from benchmarks import prices  # noqa: E402
from dibs.offers.ports import SMALL_TEAM  # noqa: E402
from support.tables import expanded  # noqa: E402

PAGE, COSTS = ROOT / "docs" / "scale.md", ROOT / "docs" / "costs.md"
SEED = 20261130
STEP = 0.1
LOAD_SECONDS, DRAIN_SECONDS = 60, 300
LATE = 5.0  # seconds; less is not worth a word
LEADS_A_DAY = 1_000_000

# ── One lead, as `make bench` runs it (docs/costs.md) ─────────────────────────────────────────
TOLD, LOOKERS = 50, 10
POLLS = 2  # the page asks every 2 s how the race stands; whoever means to claim looks for 5 s
A_LEAD = {
    **dict.fromkeys(("post", "opened", "offer", "notices", "claimed", "record"), 1),
    **dict.fromkeys(("withdrawal", "withdrawals", "seal"), 1),
    **dict.fromkeys(("page", "claim"), LOOKERS),
    "note": 2,
    "poll": LOOKERS * POLLS,
}
FIRST_LOOK, LAST_LOOK = 1.0, 6.0  # when reps open the page after they were told; assumed
POLL_EVERY, CLAIM_AFTER, SEAL_AFTER, UNSEEN_AFTER = 2.0, 5.0, 60.0, 20.0
ACTIVITIES = 5  # reported of a lead that was claimed; assumed
CALLS = 1 + LOOKERS * (2 + POLLS)  # a post; each looker's page, polls and claim
CALLS_WITHOUT_OWN_LIMIT = LOOKERS * (1 + POLLS)

# ── AWS's limits (default quotas unless the name says otherwise) ──────────────────────────────
ACCOUNT_RUNS, NEW_ACCOUNT_RUNS = 1_000, 10
QUEUE_RUNS_FIRST, QUEUE_RUNS_A_SECOND, QUEUE_RUNS_MOST = 5, 5, 1_250
STREAM_POLL = 0.25
STREAM_SHARDS = 4  # a new table on demand: one for each 1,000 write units/s
API_RATE, API_BURST = 10_000, 5_000
NEW_TABLE_WRITES, PARTITION_WRITES = 4_000, 1_000
WARM_READS, WARM_WRITES = 12_000, 10_000
PUBLISHES, SMALL_REGION_PUBLISHES = 30_000, 300

# ── Measured or estimated beside `make bench` ─────────────────────────────────────────────────
ENTRIES_SCORED = 291  # a second, 1,000 reps, four processes
LEADS_TABLE_WRITES = 24  # a lead
TURNS = 70
SEALS_A_MINUTE = 6_000
SMALL_TEAM_WRITES = 2  # a batch of notices: 8 KB are 200 of them
REP_BYTES = 600
ROSTER_UNITS = math.ceil(10_000 * REP_BYTES / 4096 / 2)


@dataclass(frozen=True)
class Work:
    """A kind of message or call: who does it, how long it takes, what it uses of a limit."""

    function: str
    seconds: float
    uses: Mapping[str, float] = field(default_factory=dict)


OFFERS, SNS, RUNS, DEFAULT, CLAIMS, POSTS = (
    "writes to the offers table",
    "SNS publishes",
    "Lambda runs",
    "calls of other routes",
    "claims",
    "leads posted",
)
# Seconds as `make bench` measured them, per function; divided among its kinds of message by hand.
WORK = {
    "post": Work("ingest", 0.064, {POSTS: 1}),
    "opened": Work("relay", 0.044),
    "claimed": Work("relay", 0.044),
    "offer": Work("offer", 0.250),
    "withdrawal": Work("offer", 0.150),
    "seal": Work("offer", 0.150),
    "notices": Work("notify", 0.300),  # of up to 50 reps
    "withdrawals": Work("notify", 0.120),
    "note": Work("notify", 0.020),
    "page": Work("claim", 0.022, {DEFAULT: 1}),
    "poll": Work("claim", 0.022, {DEFAULT: 1, OFFERS: 1 / POLLS}),  # the first notes the sighting
    "claim": Work("claim", 0.022, {CLAIMS: 1, OFFERS: 0.9}),
    "record": Work("project", 0.079),
    "activity": Work("score", STREAM_SHARDS / ENTRIES_SCORED),
}
HTTP = (POSTS, CLAIMS, DEFAULT)
CALLED = ("ingest", "claim")
FUNCTIONS = ("ingest", "relay", "offer", "notify", "claim", "project", "score")


@dataclass(frozen=True)
class Scenario:
    """A peak: leads a second, reps told of each, and what was raised beforehand."""

    name: str
    leads: float
    told: int = TOLD
    large_team: bool = False
    limits: str = "20"  # PeakLeadsPerSecond of template.yaml
    offers_writes: int = NEW_TABLE_WRITES
    publishes: int = PUBLISHES


@dataclass(frozen=True)
class Reading:
    """How Lambda reads a queue or a stream for a function (template.yaml)."""

    stream: bool
    batch: int
    at_once: int


@dataclass
class Outcome:
    """What a scenario came to."""

    scenario: Scenario
    posted: list[int] = field(default_factory=list)  # the step in which each lead was accepted
    most_runs: Counter[str] = field(default_factory=Counter)
    most_waiting: Counter[str] = field(default_factory=Counter)
    longest_wait: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    steps_full: Counter[str] = field(default_factory=Counter)
    told_after: float = 0.0
    drained_after: float | None = None

    @property
    def breaks(self) -> str:
        """Say which limits were met, and what came late by that."""
        said = [
            f"{self.refused[limit] / self.asked[limit]:.0%} of the {limit} refused"
            for limit in HTTP
            if self.refused[limit]
        ]
        said += [
            f"{limit}: all used for {steps * STEP:.0f} s"
            for limit, steps in sorted(self.steps_full.items())
            if steps * STEP >= 1
        ]
        said += [
            f"{function} up to {wait:.0f} s late"
            for function, wait in self.longest_wait.items()
            if wait >= LATE
        ]
        return "; ".join(said) or "nothing"


class _Bucket:
    """Tokens that come at a rate, and are kept up to a burst."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst, self.left = rate, burst, burst

    def tick(self) -> None:
        self.left = min(self._burst, self.left + self._rate * STEP)

    def take(self, wanted: float) -> float:
        taken = min(wanted, self.left)
        self.left -= taken
        return taken


class _Peak:
    """A peak as it goes on, a step at a time."""

    def __init__(self, scenario: Scenario) -> None:
        self.outcome = Outcome(scenario)
        self._of = scenario
        self._chance = random.Random(SEED)
        self._api = {limit: _Bucket(*rate) for limit, rate in throttles(scenario.limits).items()}
        self._account = _Bucket(API_RATE, API_BURST)
        second = {OFFERS: scenario.offers_writes, SNS: scenario.publishes}
        self._slow = {limit: _Bucket(rate, rate) for limit, rate in second.items()}
        self._queues = {name: deque[tuple[int, str, int]]() for name in FUNCTIONS}
        self._waiting: Counter[str] = Counter()
        self._due: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self._ends: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self._running: Counter[str] = Counter()
        self._owed: Counter[str] = Counter()  # what is less than one message yet
        self._mappings = mappings()
        self._batches = math.ceil(scenario.told / TOLD)
        told, withdrawn = scenario.told, scenario.told - LOOKERS
        noted = told / self._batches if scenario.large_team else SMALL_TEAM_WRITES
        self._uses = {kind: work.uses for kind, work in WORK.items()} | {
            "notices": {SNS: told / self._batches, OFFERS: noted},
            "withdrawals": {SNS: withdrawn / self._batches},
        }
        self._told = 0
        self._now = 0

    def run(self) -> Outcome:
        for self._now in range(round((LOAD_SECONDS + DRAIN_SECONDS) / STEP)):
            self._step()
            busy = self._due or self._running.total() or any(self._queues.values())
            if self._now * STEP >= LOAD_SECONDS and not busy:
                self.outcome.drained_after = self._now * STEP - LOAD_SECONDS
                break
        return self.outcome

    def _step(self) -> None:
        for bucket in (*self._api.values(), *self._slow.values(), self._account):
            bucket.tick()
        self._running -= self._ends.pop(self._now, Counter())
        if self._now * STEP < LOAD_SECONDS:
            self._arrive("post", self._arrivals())
        for kind, count in sorted(self._due.pop(self._now, Counter()).items()):
            self._arrive(kind, count)
        for function in FUNCTIONS:
            self._start(function)
            queue = self._queues[function]
            waited = (self._now - queue[0][0]) * STEP if queue else 0
            self._most(self.outcome.most_waiting, function, self._waiting[function])
            self._most(self.outcome.longest_wait, function, waited)
            self._most(self.outcome.most_runs, function, self._running[function])

    @staticmethod
    def _most(of: Counter[str], name: str, now: float) -> None:
        of[name] = max(of[name], now)  # type: ignore[assignment]

    def _arrivals(self) -> int:
        """Return how many leads come in a step: each at a time of its own."""
        count, left = 0, STEP
        while (left := left - self._chance.expovariate(self._of.leads)) > 0:
            count += 1
        return count

    def _later(self, kind: str, count: float, seconds: float) -> None:
        """Let messages come; parts of one are kept until they are one."""
        self._owed[kind] += count  # type: ignore[assignment]
        whole = math.floor(self._owed[kind] + 1e-9)
        self._owed[kind] -= whole
        if whole:
            self._due[self._now + max(1, round(seconds / STEP))][kind] += whole

    def _arrive(self, kind: str, count: int) -> None:
        """Put messages into their queue. Calls do not wait: what is too much is refused."""
        work = WORK[kind]
        for limit in HTTP:
            if limit in work.uses:
                asked, count = count, self._allowed(limit, kind, count)
                self.outcome.asked[limit] += asked
                self.outcome.refused[limit] += asked - count
        if kind == "post":
            self.outcome.posted += [self._now] * count
        if count:
            self._waiting[work.function] += count
            self._queues[work.function].append((self._now, kind, count))

    def _allowed(self, limit: str, kind: str, calls: int) -> int:
        """Return how many calls the API and the table behind them take now."""
        calls = math.floor(self._account.take(self._api[limit].take(calls)))
        unit = self._uses[kind].get(OFFERS, 0)
        return math.floor(self._slow[OFFERS].take(calls * unit) / unit) if unit else calls

    def _room(self, function: str) -> int:
        """Return how many more runs a function may have, the account aside."""
        mapping = self._mappings.get(function)
        if mapping is None:
            return ACCOUNT_RUNS
        most = QUEUE_RUNS_FIRST + QUEUE_RUNS_A_SECOND * self._now * STEP
        most = STREAM_SHARDS * mapping.at_once if mapping.stream else min(most, QUEUE_RUNS_MOST)
        return int(most) - self._running[function]

    def _start(self, function: str) -> None:
        """Start the runs there is room for, with what waits longest."""
        queue, room = self._queues[function], self._room(function)
        left = ACCOUNT_RUNS - self._running.total()
        if queue and left <= 0 < room:
            self.outcome.steps_full[RUNS] += 1
        free = min(room, left)
        batch = self._mappings[function].batch if function in self._mappings else 1
        taken: Counter[str] = Counter()
        while queue and taken.total() < free * batch:
            since, kind, count = queue.popleft()
            some = self._afford(kind, min(count, free * batch - taken.total()))
            taken[kind] += some
            if some < count:
                queue.appendleft((since, kind, count - some))
                break
        taken = +taken
        self._waiting[function] -= taken.total()
        if not taken:
            return
        runs = min(free, taken.total())
        seconds = math.fsum(WORK[kind].seconds * count for kind, count in taken.items()) / runs
        # What takes less than a step holds a run for a part of it.
        held = math.ceil(runs * min(1.0, seconds / STEP))
        self._running[function] += held
        self._ends[self._now + max(1, round(seconds / STEP))][function] += held
        for kind, count in taken.items():
            self._follow(kind, count, seconds)

    def _afford(self, kind: str, wanted: int) -> int:
        """Return how many of a kind the offers table and SNS let begin in this step."""
        if WORK[kind].function in CALLED:
            return wanted
        units = {limit: self._uses[kind].get(limit, 0) for limit in self._slow}
        for limit, unit in units.items():
            if unit * wanted > self._slow[limit].left:
                wanted = int(self._slow[limit].left // unit)
                self.outcome.steps_full[limit] += 1
        for limit, unit in units.items():
            self._slow[limit].take(unit * wanted)
        return wanted

    def _follow(self, kind: str, count: int, seconds: float) -> None:
        """Let what a kind of message leads to come, once it is done."""
        if kind == "post":
            self._later("opened", count, seconds + self._chance.uniform(0, STREAM_POLL))
        elif kind == "opened":
            self._later("offer", count, seconds)
        elif kind == "offer":
            self._later("notices", count * self._batches, seconds)
        elif kind == "notices":
            self._look(count, seconds)
        elif kind == "page":  # whose page was refused does not claim either
            for poll in range(1, POLLS + 1):
                self._later("poll", count, seconds + poll * POLL_EVERY)
            self._later("claim", count, seconds + CLAIM_AFTER)
        elif kind == "claim":
            wins = count / LOOKERS
            self._later("claimed", wins, seconds + self._chance.uniform(0, STREAM_POLL))
        elif kind == "claimed":
            self._later("withdrawal", count, seconds)
            self._later("record", count, seconds)
        elif kind == "withdrawal":
            self._later("withdrawals", count * self._batches, seconds)
            self._later("note", count, seconds)
            self._later("seal", count, seconds + SEAL_AFTER)
        elif kind == "record":
            self._later("activity", count * ACTIVITIES, seconds)

    def _look(self, batches: int, seconds: float) -> None:
        """Let some of those who were told open the page."""
        self._told += batches
        leads = min(self._told // self._batches, len(self.outcome.posted))
        if leads:
            after = (self._now - self.outcome.posted[leads - 1]) * STEP + seconds
            self.outcome.told_after = max(self.outcome.told_after, after)
        self._later("note", batches / self._batches, seconds + UNSEEN_AFTER)
        self._owed["lookers"] += batches * LOOKERS / self._batches  # type: ignore[assignment]
        lookers = math.floor(self._owed["lookers"] + 1e-9)
        self._owed["lookers"] -= lookers
        for _ in range(lookers):
            self._later("page", 1, seconds + self._chance.uniform(FIRST_LOOK, LAST_LOOK))


def simulate(scenario: Scenario) -> Outcome:
    """Move the leads of a peak through the functions until nothing is under way."""
    return _Peak(scenario).run()


def mappings() -> dict[str, Reading]:
    """Return how each function's queue or stream is read, from template.yaml."""
    found = {}
    for resource in expanded()["Resources"].values():
        if resource["Type"] == "AWS::Lambda::EventSourceMapping":
            properties = resource["Properties"]
            stream = "StreamArn" in str(properties["EventSourceArn"])
            name = properties["FunctionName"]["Ref"].removesuffix("Function").lower()
            at_once = properties.get("ParallelizationFactor", 1)
            found[name] = Reading(stream, properties["BatchSize"], at_once)
    return found


def throttles(peak: str) -> dict[str, tuple[float, float]]:
    """Return the API's limits, a second's and at once, for a peak (template.yaml)."""
    chosen = expanded()["Mappings"]["Throttles"][peak]
    return {
        DEFAULT: (chosen["Calls"], chosen["CallsAtOnce"]),
        CLAIMS: (chosen["Claims"], chosen["ClaimsAtOnce"]),
        POSTS: (chosen["Posts"], chosen["PostsAtOnce"]),
    }


def dollars_a_day(leads: int) -> dict[str, float]:
    """Return what a day costs, by item, from the amounts a lead takes in docs/costs.md."""
    listed = COSTS.read_text(encoding="utf-8")
    priced = (prices.WRITE, prices.READ, prices.PUBLISH, prices.PUSH, prices.QUEUE)
    more = (prices.INVOKE, prices.COMPUTE, prices.HTTP, prices.DATA_OUT, prices.LOGS)
    found = {}
    for price in (*priced, *more):
        row = re.search(rf"^\| {re.escape(price.what)} \| [^|]+ \| ([\d.,e+]+) \|", listed, re.M)
        if row is None:
            raise LookupError(f"docs/costs.md does not list: {price.what}")
        found[price.what] = price.of(float(row[1].replace(",", "")) * leads)
    return found


SCENARIOS = (
    Scenario("20 leads/s, as deployed", 20),
    Scenario("100 leads/s, as deployed", 100),
    Scenario("… with `PeakLeadsPerSecond=100`", 100, limits="100"),
    Scenario("… for large teams", 100, TOLD, True, "100"),
    Scenario("… and the offers table warmed", 100, TOLD, True, "100", WARM_WRITES),
    Scenario("100 leads/s, 200 told of each", 100, 200, True, "100", 40_000),
    Scenario("2 leads/s, 10,000 told of each", 2, 10_000, True, "100", 40_000),
)


@dataclass(frozen=True)
class Limit:
    """A limit: at how many leads a second it is met, how that is known, and what moves it."""

    leads: float
    what: str
    known: str
    moves: str


def limits() -> list[Limit]:
    """Return the limits, the one that is met first at the head."""
    default = throttles(expanded()["Parameters"]["PeakLeadsPerSecond"]["Default"])
    publishes = TOLD + (TOLD - LOOKERS)
    tried = math.fsum(A_LEAD[kind] * WORK[kind].uses.get(OFFERS, 0) for kind in A_LEAD)
    small, large = tried + SMALL_TEAM_WRITES, tried + TOLD
    busy = math.fsum(WORK[kind].seconds * count for kind, count in A_LEAD.items())
    relays = STREAM_SHARDS * mappings()["relay"].at_once
    found = [
        Limit(
            NEW_ACCOUNT_RUNS / busy,
            f"Runs of a new account: {NEW_ACCOUNT_RUNS}; a lead takes {busy:.1f} seconds of them",
            "computed",
            "Ask for *Concurrent executions* (Lambda); 1,000 is the usual quota",
        ),
        Limit(
            SMALL_REGION_PUBLISHES / publishes,
            f"SNS in small regions: {SMALL_REGION_PUBLISHES} publishes/s, {publishes} a lead",
            "computed; quota from memory",
            "Ask for *Publish API throttling* (SNS), or take another region",
        ),
        Limit(
            default[DEFAULT][0] / CALLS_WITHOUT_OWN_LIMIT,
            f"The API's limit as deployed: {default[DEFAULT][0]:,} calls/s, "
            f"{CALLS_WITHOUT_OWN_LIMIT} a lead besides post and claims",
            "computed",
            "Deploy with `PeakLeadsPerSecond`",
        ),
        Limit(
            NEW_TABLE_WRITES / large,
            f"The new offers table, teams of more than {SMALL_TEAM}: {NEW_TABLE_WRITES:,} write "
            f"units/s, {large:.0f} a lead",
            "computed",
            f"Warm throughput of {WARM_WRITES:,} write units (below), days before; ask for "
            "*Table-level write throughput limit* (DynamoDB) above 40,000",
        ),
        Limit(
            NEW_TABLE_WRITES / small,
            f"The new offers table, teams of up to {SMALL_TEAM}: {small:.0f} write units a lead, "
            "because their notices are one item",
            "computed",
            "As above",
        ),
        Limit(
            ENTRIES_SCORED / ACTIVITIES,
            f"Scoring: {ENTRIES_SCORED} activities/s, {ACTIVITIES} a lead (assumed); boards lag, "
            "nothing is lost",
            "measured before boards were published from a queue; not since",
            "Activities posted many at once; boards catch up after the peak",
        ),
        Limit(
            TURNS,
            f"Whose turn it is: one item a team, {TURNS} assignments/s; leads that are raced for "
            "do not use it",
            "estimated",
            "More teams; it binds in the models that assign by turn",
        ),
        Limit(
            SEALS_A_MINUTE / 50,
            f"Receipts: races are chained one after the other, {SEALS_A_MINUTE:,} in 50 s",
            "estimated",
            "Nothing to do: receipts come later, in order",
        ),
        Limit(
            relays / (2 * WORK["opened"].seconds),
            f"Relay: {relays} runs ({STREAM_SHARDS} shards of the new leads table), two events a "
            f"lead of {WORK['opened'].seconds * 1000:.0f} ms each",
            "computed",
            "Warm throughput of the leads table gives it more shards",
        ),
        Limit(
            NEW_TABLE_WRITES / LEADS_TABLE_WRITES,
            f"The new leads table: {NEW_TABLE_WRITES:,} write units/s, {LEADS_TABLE_WRITES} a lead",
            "computed",
            "Warm throughput, as for the offers table",
        ),
        Limit(
            API_RATE / CALLS,
            f"The API's limit of an account: {API_RATE:,} calls/s, {CALLS} a lead",
            "computed",
            "Ask for *Throttle rate* (API Gateway), then `PeakLeadsPerSecond=200`",
        ),
        Limit(
            PUBLISHES / publishes,
            f"SNS in us-east-1: {PUBLISHES:,} publishes/s, {publishes} a lead",
            "computed; quota from memory",
            "Ask for *Publish API throttling* (SNS); tell fewer at once",
        ),
        Limit(
            ACCOUNT_RUNS / busy,
            f"Runs of an account: {ACCOUNT_RUNS:,}; a lead takes {busy:.1f} seconds of them",
            "computed",
            "Ask for *Concurrent executions* (Lambda); `ClaimConcurrency` keeps some for claims",
        ),
        Limit(
            PARTITION_WRITES,
            f"One partition of a table: {PARTITION_WRITES:,} write units/s; no key is written once "
            "for every lead but the organisation's counter of texts",
            "quota",
            "Carriers take fewer texts: their rates (AWS End User Messaging) are met first",
        ),
    ]
    return sorted(found, key=lambda limit: limit.leads)


def page() -> str:
    """Return the page on scale."""
    day = dollars_a_day(LEADS_A_DAY)
    costs = "".join(f"| {what} | {dollars:.0f} |\n" for what, dollars in day.items())
    outcomes = [simulate(scenario) for scenario in SCENARIOS]
    met = "".join(
        f"| {limit.leads:,.0f} | {limit.what} | {limit.known} | {limit.moves} |\n"
        for limit in limits()
    )
    came = "".join(_came(outcome) for outcome in outcomes)
    columns = " | ".join(FUNCTIONS)
    rule = "--:|" * len(FUNCTIONS)
    runs = "".join(_by_function(outcome, outcome.most_runs) for outcome in outcomes)
    waits = "".join(_by_function(outcome, outcome.most_waiting) for outcome in outcomes)
    return f"""# What breaks first

Written by `make scale`; do not edit. A lead is what it is in [costs](costs.md): {TOLD} reps are
told, {LOOKERS} open the page and claim. Numbers are *measured* on a developer's machine, *computed*
from what was measured and from AWS's quotas, or *estimated*. None was measured on AWS.

## The limits, one after the other

| Leads/s | What is used up | Known how | What moves it |
|--:|---|---|---|
{met}
With texts, reps look longer and a lead makes three times as many calls, so the API's limits are met
at a third of the leads. Quotas are asked for in *Service Quotas*, by the names above, for each
account and region.

`PeakLeadsPerSecond` sets the API's limits: for each lead 50 calls of the routes that share a limit
(a lead makes {CALLS_WITHOUT_OWN_LIMIT}), 50 claims by link and as many by token, and 10 posts.
What is too much is answered 429: a source posts again, a rep sees no page.

A table on demand takes {NEW_TABLE_WRITES:,} write units/s when it is new, and twice its earlier
peak half an hour later. Before a first large day:

```
aws dynamodb update-table --table-name OFFERS_TABLE \\
  --warm-throughput ReadUnitsPerSecond={WARM_READS},WriteUnitsPerSecond={WARM_WRITES}
```

That costs once, by the units added, and never goes down again.

## Large teams
The roster of a team is one partition of an index, read by each process of the offer step every five
seconds: 10,000 reps are {ROSTER_UNITS:,} read units, and a partition gives 3,000 a second. Told to
all, a lead of such a team is 20,000 publishes, with the withdrawals; the last row of the simulation
shows two of them a second. `notices.at_once` of the playbook says how many are told together; the
others follow in groups while nobody has claimed.

## A peak, simulated
{LOAD_SECONDS} seconds of leads that come at random, from a stack that had nothing to do. Functions
that read a queue begin with {QUEUE_RUNS_FIRST} runs and may have {QUEUE_RUNS_A_SECOND} more each
second. SNS gives {PUBLISHES:,} publishes/s. *Told after*: the longest from post to push. *Empty
after*: how long after the last lead nothing was left to do; {SEAL_AFTER:.0f} seconds of it are the
wait for the receipt.

| Peak | Leads | Told after | Empty after | What was met |
|---|--:|--:|--:|---|
{came}
The most runs at once, by function:

| Peak | {columns} |
|---|{rule}
{runs}
The most that waited, by function (messages; for score, activities):

| Peak | {columns} |
|---|{rule}
{waits}
## A day of {LEADS_A_DAY:,} leads

| Item | US$ |
|---|--:|
{costs}| **Total** | **{math.fsum(day.values()):.0f}** |

By the amounts of [costs](costs.md), without texts, storage and what is not counted there.

## How it was reckoned
`tests/benchmarks/scale.py` is the program; it takes what a run takes from `make bench`, batches and
limits from `template.yaml`. Left out: cold starts, retries, the sweep, reps' own pages, tables
other than offers. Assumed: reps open the page {FIRST_LOOK:.0f} to {LAST_LOOK:.0f} seconds after
the push, whoever is refused gives up, and each claimed lead brings {ACTIVITIES} activities.
"""


def write_page() -> None:
    """Write docs/scale.md."""
    PAGE.write_text(page(), encoding="utf-8")


def _came(outcome: Outcome) -> str:
    drained = outcome.drained_after
    empty = f"over {DRAIN_SECONDS} s" if drained is None else f"{drained:.0f} s"
    told = f"{outcome.told_after:.1f} s"
    name = outcome.scenario.name
    return f"| {name} | {len(outcome.posted):,} | {told} | {empty} | {outcome.breaks} |\n"


def _by_function(outcome: Outcome, counted: Mapping[str, int]) -> str:
    cells = " | ".join(f"{counted[function]:,}" for function in FUNCTIONS)
    return f"| {outcome.scenario.name} | {cells} |\n"


if __name__ == "__main__":
    write_page()
    print(f"Written: {PAGE.relative_to(ROOT)}")
