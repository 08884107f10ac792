"""`make bench`: measure what the project promises, say what is met, and write two pages of docs/.

A benchmark, not a test: a missed goal is shown as missed, and the exit code is 0 all the same. It
is 1 when docs/costs.md was out of date (it is written again, to be committed), and when its prices
were looked up too long ago.
Everything runs on DynamoDB Local, or on a local AWS of its own. The numbers go to .local/bench.json
as well. On a machine that does nothing else it takes less than 20 minutes.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:1] = [str(ROOT / part) for part in ("shared", "functions", "tests", ".")]

from rich.console import Console  # noqa: E402
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: E402
from rich.table import Table  # noqa: E402

from benchmarks import bill, prices, scale  # noqa: E402
from support import dynamodb_local  # noqa: E402

RESULT = ROOT / ".local" / "bench.json"
STEPS = {
    "claims": "the claim handler against a bare client",
    "against_fastapi": "a claim against FastAPI with PostgreSQL",
    "races": "10,000 races, in five minutes at most",
    "deployed": "a claim on the deployed stack, against an earlier build",
    "startup": "imports in fresh processes",
    "fanout": "a lead told to 1,000 reps",
    "periods": "10,000 reps decided, and recalculated for a week and a month",
    "game": "activities scored, boards read, standings made anew",
    "costs": "what a lead costs",
}
READS = {"GetItem", "BatchGetItem", "Query"}


@dataclass(frozen=True)
class Measure:
    """One number, what it may be at most, and how to put it. Without a goal it only informs.

    It is None where it could not be measured here; `said` tells why.
    """

    what: str
    value: float | None
    said: str
    goal: float | None = None
    goal_said: str = ""

    @property
    def met(self) -> bool | None:
        return None if self.goal is None or self.value is None else self.value <= self.goal


Told = Callable[[dict[str, Any]], list[Measure]]


def main() -> int:
    """Run every measure, one after the other, and show them in one table."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    load = os.getloadavg()[0]
    if load > (os.cpu_count() or 1) / 2:
        console.print(
            f"This machine is busy (load {load:.1f}), so times will be worse than its own."
        )
    try:
        found = measured(console)
    except dynamodb_local.Unavailable as reason:
        console.print(f"No benchmark without DynamoDB Local: {reason}.")
        return 1
    except subprocess.CalledProcessError as failure:
        console.print(failure.stderr, markup=False, highlight=False)
        return 1
    measures = told(found)
    console.print(table_of(measures))
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(_result(measures, found, load), indent=1), encoding="utf-8")
    console.print(f"Written: {RESULT.relative_to(ROOT)}")
    return costs_to_settle(console, found["costs"])


def costs_to_settle(console: Console, counted: dict[str, bill.Used]) -> int:
    """Write docs/costs.md again if it is out of date; return 1 if somebody must look at costs."""
    reasons = bill.out_of_date(counted)
    if reasons:
        bill.write_page(counted)
        scale.write_page()  # a day's cost follows from what a lead takes
        console.print(
            f"{bill.PAGE.relative_to(ROOT)} was out of date. It is written again; commit it:"
        )
        for reason in reasons:
            console.print(f"  {reason}", markup=False)
    old = prices.outdated(datetime.now(UTC).date())
    if old:
        console.print(
            f"Prices were looked up on {prices.CHECKED}. Look them up again, and set CHECKED in "
            "tests/benchmarks/prices.py."
        )
    return 1 if reasons or old else 0


def measured(console: Console) -> dict[str, Any]:
    """Run each step in a process of its own; return what each found, and how long it took."""
    found: dict[str, Any] = {}
    seconds: dict[str, int] = {}
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("DynamoDB Local")
        with dynamodb_local.running() as endpoint:
            for number, (step, what) in enumerate(STEPS.items(), start=1):
                progress.update(task, description=f"{number} of {len(STEPS)}: {what}")
                if not console.is_terminal:
                    console.print(f"{number} of {len(STEPS)}: {what}")
                began = time.monotonic()
                found[step] = _run(step, endpoint)
                seconds[step] = round(time.monotonic() - began)
            progress.update(task, visible=False)
    return {**found, "seconds": seconds}


def _run(step: str, endpoint: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{step}", endpoint],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=True,
        text=True,
    )
    return json.loads(done.stdout)


def told(found: dict[str, Any]) -> list[Measure]:
    """Return what was found as measures with their goals."""
    fanout = found["fanout"]
    push, texts = bill.bill_of(found["costs"]["push"]), bill.bill_of(found["costs"]["texts"])
    return [
        *_claims(found["claims"]["plain"]),
        *_claims(found["claims"]["every_rule"], ", every rule on")[:6],
        *_against_fastapi(found["against_fastapi"]),
        _races(found["races"]),
        *_deployed(found["deployed"]),
        _startup(found["startup"]),
        Measure(
            "1,000 reps told, first to last, two processes",
            fanout["spread"],
            f"{fanout['spread']:.2f} s",
            0.3,
            "≤ 0.3 s",
        ),
        Measure(
            "  each process one batch after the other",
            fanout["one_after_another"],
            f"{fanout['one_after_another']:.2f} s",
        ),
        Measure(
            "Offers and withdrawals a rep gets, delivered twice",
            max(fanout["most_offers_per_rep"], fanout["most_withdrawals_per_rep"]),
            f"{fanout['most_offers_per_rep']} and {fanout['most_withdrawals_per_rep']}",
            1,
            "≤ 1 each",
        ),
        *_periods(found["periods"]),
        *_game(found["game"]),
        Measure(
            "1,000 leads told to 50, opened and claimed by 10",
            push.total,
            f"US$ {push.total:.3f}",
            bill.GOAL,
            f"≤ US$ {bill.GOAL:.2f}",
        ),
        Measure(
            "  with texts after 20 s, before the carriers' price",
            texts.total,
            f"US$ {texts.total:.3f}",
        ),
    ]


def _claims(found: dict[str, Any], rules: str = "") -> list[Measure]:
    requests = found["requests"]
    measures = [
        _against_bare(f"A {name} claim{what}, handler against a bare loop{rules}", taken, goal)
        for took, what, goal in (
            (found["milliseconds"], "", 0.8),
            (found["processor_milliseconds"], "'s processor time", 0.6),
        )
        for name, taken in (
            (name, (took[f"{outcome}, handler"], took[f"{outcome}, bare"]))
            for outcome, name in (("win", "winning"), ("loss", "losing"))
        )
    ]
    for start in ("warm", "new process"):
        won = [sum(requests[f"winner by {way}, {start}"].values()) for way in ("api", "page")]
        measures.append(
            Measure(
                f"DynamoDB requests of a winner, {start}{rules}",
                max(won),
                f"{won[0]} by API, {won[1]} by page",
                3,
                "≤ 3",
            )
        )
    for start in ("warm", "new process"):
        lost = [requests[f"loser by {way}, {start}"] for way in ("api", "page")]
        reads = max(sum(n for name, n in one.items() if name in READS) for one in lost)
        writes = max(sum(n for name, n in one.items() if name not in READS) for one in lost)
        measures.append(
            Measure(
                f"DynamoDB requests of a shed loser, {start}",
                max(reads, writes),
                f"{reads} read{'s' * (reads > 1)}, {writes} write",
                1,
                "≤ 1 read, 1 write",
            )
        )
    return measures


def _against_bare(what: str, taken: tuple[float, float], goal: float) -> Measure:
    ours, bare = taken
    said = f"{ours / bare:.2f} × ({ours:.1f} ms against {bare:.1f})"
    return Measure(what, ours / bare, said, goal, f"≤ {goal:.2f} ×")


def _against_fastapi(found: dict[str, Any]) -> list[Measure]:
    measures = []
    for outcome, name, goal in (("win", "winning", 1.5), ("loss", "losing", 1.2)):
        what, goal_said = f"A {name} claim's processor time, FastAPI's = 1", f"≤ {goal:.2f} ×"
        if "missing" in found:
            measures.append(_missing(what, found, goal, goal_said))
            continue
        ours, theirs = (
            found["processor_milliseconds"][f"{outcome}, {way}"] for way in ("dibs", "fastapi")
        )
        said = f"{found['ratio'][outcome]:.2f} × ({ours:.1f} ms against {theirs:.1f})"
        measures.append(Measure(what, found["ratio"][outcome], said, goal, goal_said))
    return measures


def _races(found: dict[str, Any]) -> Measure:
    """What is left over when the time has passed counts as missed, as two winners do."""
    left = found["wanted"] - found["races"]
    said = (
        f"{found['not_one_winner']} of {found['races']:,} races, {found['contenders']} claims each"
    )
    if left:
        said += f"; {left:,} more did not fit into {found['seconds']:.0f} s"
    wanted = f"0 of {found['wanted']:,}"
    return Measure("Other than one winner", found["not_one_winner"] + left, said, 0, wanted)


def _deployed(found: dict[str, Any]) -> list[Measure]:
    what, goal, goal_said = "A claim on the deployed stack, earlier build = 1", 0.7, "≤ 0.70 ×"
    if "missing" in found:
        return [_missing(what, found, goal, goal_said)]
    took = found["milliseconds"]
    said = (
        f"{found['ratio']:.2f} × ({took['now']:.0f} ms against {took['then']:.0f} "
        f"of {found['earlier']})"
    )
    return [Measure(what, found["ratio"], said, goal, goal_said)]


def _missing(what: str, found: dict[str, Any], goal: float, goal_said: str) -> Measure:
    return Measure(what, None, f"not measured: {found['missing']}", goal, goal_said)


def _periods(found: dict[str, Any]) -> list[Measure]:
    jobs = found["jobs"]
    return [
        Measure(
            "10,000 reps decided in one process",
            found["deciding"],
            f"{found['deciding']:.2f} s",
            1.0,
            "≤ 1 s",
        ),
        *(
            Measure(
                f"10,000 reps' {name}, one run",
                jobs[name]["seconds"],
                f"{jobs[name]['seconds']:.0f} s, {sum(jobs[name]['requests'].values())} requests, "
                f"{jobs[name]['changed']} changed",
                40.0,
                "≤ 40 s",
            )
            for name in ("tiers", "quotas")
        ),
        Measure(
            "  the process's largest memory",
            found["megabytes"],
            f"{found['megabytes']:.0f} MB",
            1024.0,
            "≤ 1,024 MB",
        ),
    ]


def _game(found: dict[str, Any]) -> list[Measure]:
    scoring, reading, rebuilt = found["scoring"], found["reading"], found["rebuild"]
    fewest, most = reading[min(reading, key=int)], reading[max(reading, key=int)]
    return [
        *(
            Measure(
                f"Write units of an activity scored, {int(reps):,} reps, 500 at once",
                one["write_units"],
                f"{one['write_units']:.1f} ({one['read_units']:.1f} read units), "
                f"{one['a_second']:.0f} activities/s",
                5.0,
                "≤ 5",
            )
            for reps, one in scoring.items()
        ),
        *(
            Measure(
                f"  {int(reps):,} reps, {how}",
                one[found_as],
                f"{one[found_as]:.1f}",
                8.0,
                "≤ 8",
            )
            for reps, one in scoring.items()
            for how, found_as in (
                ("each alone", "write_units_alone"),
                ("a hundred one by one, published together", "write_units_a_second"),
            )
        ),
        *(
            Measure(
                f"A board read of 10,000 reps against one of 10{when}",
                most[took] / fewest[took],
                " / ".join(f"{one[took]:.1f}" for one in reading.values())
                + " ms of 10 / 1,000 / 10,000",
                1.5,
                "≤ 1.5 ×",
            )
            for took, when in (
                ("milliseconds", ""),
                ("changed_milliseconds", ", each after an activity"),
            )
        ),
        Measure(
            "  DynamoDB requests of one, with who asks",
            max(sum(one["requests"].values()) for one in reading.values()),
            " / ".join(str(sum(one["requests"].values())) for one in reading.values()),
            2,
            "≤ 2",
        ),
        Measure(
            "  the first in a new process, against a warm one",
            most["first_milliseconds"] / most["milliseconds"],
            " / ".join(f"{one['first_milliseconds']:.0f}" for one in reading.values()) + " ms",
            10.0,
            "≤ 10 ×",
        ),
        Measure(
            f"Standings of {rebuilt['entries']:,} activities made anew",
            rebuilt["seconds"],
            f"{rebuilt['seconds']:.0f} s, {rebuilt['megabytes']:.0f} MB, "
            f"{rebuilt['units']:,} units, {rebuilt['totals']:,} totals",
        ),
    ]


def _startup(found: dict[str, Any]) -> Measure:
    took = found["milliseconds"]
    return Measure(
        "Claim function's imports and client against boto3's",
        found["ratio"],
        f"{found['ratio']:.2f} × ({took['claim']:.0f} ms against {took['boto3']:.0f})",
        0.7,
        "≤ 0.70 ×",
    )


def table_of(measures: list[Measure]) -> Table:
    """Return the one table."""
    table = Table("Measure", "Found", "Goal", "", title="Dibs, measured", title_justify="left")
    verdicts = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}
    for measure in measures:
        table.add_row(measure.what, measure.said, measure.goal_said, verdicts[measure.met])
    return table


def _result(measures: list[Measure], found: dict[str, Any], load: float) -> dict[str, Any]:
    return {
        "measures": [{**asdict(measure), "met": measure.met} for measure in measures],
        "details": found,
        "machine": {
            "python": platform.python_version(),
            "processors": os.cpu_count(),
            "load_before": round(load, 2),
            "load_after": round(os.getloadavg()[0], 2),
        },
    }


if __name__ == "__main__":
    sys.exit(main())
