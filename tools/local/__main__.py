"""`python -m tools.local`: run the whole product on this machine, without an AWS account."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import wraps
from types import FrameType
from typing import Annotated, Any

import typer

from tools.local import ministack
from tools.local.bootstrap import Failed
from tools.local.place import Place, place
from tools.local.steps import console, step

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

# How many copies of a function to warm up: a cold start takes a second, as long as a race.
WARM = {"claim": 6, "rep": 2}
WARM_ATTEMPTS = 3


def command(action: Callable[..., None]) -> Callable[..., None]:
    """Turn a failure or Ctrl-C into one sentence and an exit code."""

    @wraps(action)
    def run(*args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, _interrupt)
        try:
            action(*args, **options)
        except Failed as failure:
            console.print(f"[red]{failure}[/]")
            raise typer.Exit(1) from failure
        except KeyboardInterrupt:
            console.print("Stopped.")
            raise typer.Exit(130) from None

    return run


@app.command()
@command
def up() -> None:
    """Start the stack in the background, seeded and warm, without leads or simulated reps."""
    here = place()
    started_now = bring_up(here)
    described = here.stack()
    you, texts = described["reps"][0], f"{here.endpoint}/_ministack/sns/sms-messages"
    moved = f"DIBS_PORT={here.port} " if "DIBS_PORT" in os.environ else ""
    stop = f"`{moved}make down` stops it" if started_now else "it was running already"
    console.print(f"Dibs runs on port {here.port}; {stop}. To try it:", highlight=False)
    for what, how in (
        *((f"be a {who}", link) for who, link in described["demo_links"].items()),
        ("post a lead", '.local/env/bin/dibs lead post --company "Acme" --score 86'),
        (f"{you['name']}'s claim links", f".local/env/bin/dibs link {you['rep_id']}"),
        ("texts that were sent", texts),
        ("addresses and tokens", ".local/stack.json"),
    ):
        console.print(f"  {what:<28} {how}", highlight=False, soft_wrap=True)


@app.command()
@command
def down() -> None:
    """Stop the stack; its state is kept for the next start."""
    here = place()
    if not ministack.is_running(here):
        ministack.stop(here)
        _forget(here)
        console.print("Nothing is running.")
        return
    shut_down(here)


@app.command()
@command
def reset() -> None:
    """Delete the state: leads, reps, everything. A running stack is started again, empty."""
    here = place()
    was_running = ministack.is_running(here)
    if was_running:
        shut_down(here)
    shutil.rmtree(here.home, ignore_errors=True)
    console.print("The state is empty.")
    if was_running:
        bring_up(here)


@app.command()
@command
def status() -> None:
    """Print whether the stack runs, and where."""
    here = place()
    if not ministack.is_running(here):
        console.print("Dibs is not running here; `make up` or `make run` starts it.")
        raise typer.Exit(1)
    described = here.stack()
    console.print(f"Dibs runs at {here.public_url} (for programs: {described['api_url']}).")
    console.print(f"{len(described['reps'])} reps; tokens and addresses: .local/stack.json")


@app.command()
@command
def run(
    races: Annotated[int, typer.Option(help="Stop after this many; 0 runs until Ctrl-C.")] = 0,
    every: Annotated[float, typer.Option(help="Seconds between leads.")] = 7.0,
) -> None:
    """Start the stack, post leads, and show simulated reps racing for them, until Ctrl-C."""
    here = place()
    with started(here):
        from tools.local.race_show import RaceShow

        try:
            RaceShow(here, every=every).run(races)
        except KeyboardInterrupt:
            console.print()


@contextmanager
def started(here: Place) -> Iterator[None]:
    """Keep the stack up while the block runs; a stack that ran before keeps running after."""
    ours = not ministack.is_running(here)
    try:
        bring_up(here)
        yield
    finally:
        if ours and ministack.is_running(here):
            # A second Ctrl-C must not interrupt saving the state.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            shut_down(here)


def bring_up(here: Place) -> bool:
    """Start, deploy, seed and warm the stack; return False if that was done already.

    Raises:
        Failed: a step failed; a stack that this call started is stopped again.
    """
    from tools.local import demo, deploy

    here.enter()
    running = ministack.is_running(here)
    if running and here.stack_files()[0].exists() and deploy.is_deployed(here):
        return False
    here.home.mkdir(parents=True, exist_ok=True)
    try:
        if not running:
            with step("Starting the local AWS", "The local AWS is up"):
                ministack.start(here)
        if not deploy.is_deployed(here):
            with step("Building the functions", "Functions built"):
                deploy.build(here)
            with step("Deploying tables, queues and functions", "Deployed"):
                deploy.deploy(here)
        with step("Seeding the demo team", f"{len(demo.TEAM)} reps in two teams are ready"):
            demo.seed(here)
        with step("Warming up the functions", "Functions are warm"):
            warm(here)
    except BaseException:
        if not running:
            ministack.stop(here)
        raise
    return True


def warm(here: Place) -> None:
    """Warm up every function, then run the sweep, to resume work that the last stop cut short."""
    from tools.local.deploy import client

    names: dict[str, str] = here.stack()["functions"]
    functions = client("lambda")

    def call(deployed: str) -> None:
        for attempt in range(WARM_ATTEMPTS):
            answer = functions.invoke(FunctionName=deployed, Payload=b'{"warm": true}')
            if "FunctionError" not in answer:
                return
            reason = str(json.load(answer["Payload"]).get("errorMessage", "no reason given"))
            # On a busy machine a cold start can exceed the function's time-out; the next one
            # reads from the disk cache.
            if "timed out" not in reason or attempt + 1 == WARM_ATTEMPTS:
                raise Failed(f"The function {deployed} does not start: {reason}")

    # Several copies of a function start only if they are called at the same time.
    groups = [[names[name]] * many for name, many in WARM.items()]
    others = [deployed for name, deployed in names.items() if name not in WARM]
    groups += [others[first : first + 3] for first in range(0, len(others), 3)]
    for group in groups:
        with ThreadPoolExecutor(len(group)) as pool:
            list(pool.map(call, group))
    functions.invoke(FunctionName=names["recalculate"], Payload=b'{"job": "sweep"}')


def shut_down(here: Place) -> None:
    """Stop the local AWS; it saves its state."""
    with step("Saving and stopping", "Stopped; the next start continues from here"):
        ministack.stop(here)
    _forget(here)


def _forget(here: Place) -> None:
    """Remove the descriptions of a stack that no longer runs."""
    own, shared = here.stack_files()
    if shared.exists() and f":{here.port}" in json.loads(shared.read_text())["aws_endpoint_url"]:
        shared.unlink()
    own.unlink(missing_ok=True)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(app())
