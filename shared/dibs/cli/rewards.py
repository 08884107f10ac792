"""`dibs rewards`: the reward catalogue, and requests for rewards (G9)."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from dibs.assignment.work import reason_of
from dibs.aws import clock
from dibs.cli.console import console
from dibs.cli.target import Stack, noting, target
from dibs.game.rewards.requests import decide, put_reward
from dibs.game.rewards.rules import RequestState, RewardRequest
from dibs.game.rewards.store import DynamoRewards

app = typer.Typer(no_args_is_help=True)

By = Annotated[str, typer.Option(envvar="USER", help="Who is named in the request's history.")]


@app.command("list")
def list_(stack: Stack = "") -> None:
    """List the rewards, and how many of each are left."""
    table = Table("reward", "name", "points", "stock", "left", "approval", "offered")
    for reward in _store(stack).rewards():
        table.add_row(
            reward.reward_id,
            reward.name,
            str(reward.price),
            _or_endless(reward.stock),
            _or_endless(reward.left),
            "by a manager" if reward.approval else "at once",
            "yes" if reward.active else "no",
        )
    console.print(table)


@app.command()
def put(
    reward_id: Annotated[str, typer.Argument(help="Such as team-mug.")],
    name: Annotated[str, typer.Option(help="As reps read it.")],
    points: Annotated[int, typer.Option(help="What it costs.")],
    stock: Annotated[
        int | None,
        typer.Option(help="How many there are in all; no limit if left out."),
    ] = None,
    approval: Annotated[bool, typer.Option(help="Whether a manager decides on requests.")] = True,
    offered: Annotated[bool, typer.Option(help="Whether reps may ask for it now.")] = True,
    stack: Stack = "",
) -> None:
    """Add a reward, or replace one."""
    given = {"name": name, "price": points, "stock": stock, "approval": approval, "active": offered}
    stores = target(stack).stores
    known = [one for one in stores.rewards.rewards() if one.reward_id == reward_id]
    before = {name: getattr(known[0], name) for name in given} if known else {}
    with noting(stores, "reward.put", reward_id, before, given):
        reward = put_reward(stores.rewards, reward_id, given)
    typer.echo(f"{reward.name} costs {reward.price} points; left: {_or_endless(reward.left)}.")


@app.command()
def requests(
    state: Annotated[RequestState, typer.Option(help="Their state.")] = RequestState.REQUESTED,
    stack: Stack = "",
) -> None:
    """List requests: the oldest first while they need a decision, else the latest hundred."""
    here = target(stack)
    found = _store(stack).in_state(state)
    names = here.stores.roster.get_many(sorted({one.rep_id for one in found}))
    table = Table("request", "rep", "reward", "points", "since (UTC)", "by", "reason")
    for one in found:
        rep, last = names.get(one.rep_id), one.steps[-1]
        name = rep.name if rep else one.rep_id
        since = f"{one.since:%Y-%m-%d %H:%M}"
        table.add_row(one.request_id, name, one.name, str(one.price), since, last.by, last.reason)
    console.print(table)


@app.command()
def approve(request_id: str, by: By = "operator", stack: Stack = "") -> None:
    """Approve a request; the rep may collect their reward."""
    _decide(stack, request_id, RequestState.APPROVED, by, "")


@app.command()
def refuse(
    request_id: str,
    reason: Annotated[str, typer.Option(help="Why; the rep reads it.")],
    by: By = "operator",
    stack: Stack = "",
) -> None:
    """Refuse a request; the points go back."""
    _decide(stack, request_id, RequestState.REFUSED, by, reason_of(reason))


def _decide(stack: str, request_id: str, state: RequestState, by: str, reason: str) -> None:
    stores = target(stack).stores
    after = {"state": state.value}
    with noting(stores, f"reward.{state.value}", request_id, {}, after) as note:
        found, changed = decide(stores.rewards, request_id, state, by, reason, clock.now)
        note.after = after if changed else {}
    typer.echo(_line(found, changed))


def _line(request: RewardRequest, changed: bool) -> str:
    return f"{request.name} for {request.rep_id} is {'' if changed else 'already '}{request.state}."


def _or_endless(number: int | None) -> str:
    return "no end" if number is None else str(number)


def _store(stack: str) -> DynamoRewards:
    here = target(stack)  # first: it sets which AWS is used
    return here.stores.rewards
