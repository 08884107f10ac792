"""Scheduled jobs: `{"job": "...", "as_of": "<ISO time, optional>"}`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from dibs.assignment.head_start_days import turns_daily
from dibs.aws import clock
from dibs.aws.observability import count, logger
from dibs.core.errors import FieldError, InvalidInput
from dibs.dispatch.heal import heal, send_again
from dibs.dispatch.sweep import sweep
from dibs.game.contests import run as contests
from dibs.game.rewards.requests import decay_monthly, expire_requests
from dibs.ledger.settle import settle_amounts
from dibs.offers.opt_outs import read_opt_outs
from dibs.receipts.seal import chain_up, seal_late
from dibs.reports.recalculate import keep_reports, recalculate_quotas, recalculate_tiers
from dibs.web.entry import function
from dibs.wiring import wiring


def run_sweep(as_of: datetime) -> dict[str, Any]:
    """Bring back what was dropped, each minute."""
    mine = wiring()
    swept = sweep(
        *(mine.leads, mine.race, mine.holdings, mine.roster, mine.offers, mine.bus, as_of)
    )
    count("Republished", swept.republished + swept.replanned)
    count("LeadsUntold", swept.untold)
    count("LeadsExpired", swept.expired)
    count("LeadsReturned", swept.returned)
    count("LeadsUnassigned", swept.queued)
    late = seal_late(wiring().races, wiring().bus, as_of)
    count("SealsLate", late)
    notices = send_again(mine.offers, mine.notify_queue, as_of)
    count("NoticesSentAgain", notices)
    healed = heal(wiring().count_deps, as_of, _not_healed)
    count("EntriesRecordedLate", healed.recorded)
    count("EntriesScoredLate", healed.scored)
    added = chain_up(wiring().races, as_of)
    for block in added:
        # What the table says can be held against the log: the end of a chain can be cut off.
        logger.info("block added", **asdict(block))
    chained = sum(block.races for block in added)
    # Its absence is an alarm: nothing that is lost comes back while the sweep stands still.
    count("Swept")
    return {
        **asdict(swept),
        **asdict(healed),
        "seals_late": late,
        "notices": notices,
        "chained": chained,
    }


def _not_healed(what: str) -> None:
    count("Failed")
    logger.exception("not healed", what=what)


def run_tiers(as_of: datetime) -> dict[str, Any]:
    """Place the reps of teams with tiers by the weeks before (M2)."""
    return asdict(recalculate_tiers(wiring().period_deps, as_of))


def run_quotas(as_of: datetime) -> dict[str, Any]:
    """Set the weekly allowances by the month before (M4)."""
    return asdict(recalculate_quotas(wiring().period_deps, as_of))


def run_reports(as_of: datetime) -> dict[str, Any]:
    """Keep the assignment reports that will not change any more (R10)."""
    return asdict(keep_reports(wiring().period_deps, as_of))


def run_turns(as_of: datetime) -> dict[str, Any]:
    """Give out the turns to see new leads first, before their day begins (F6)."""
    return asdict(turns_daily(wiring().roster, wiring().turns, as_of))


def run_contests(as_of: datetime) -> dict[str, Any]:
    """Open, count, close and pay out contests and challenges (G4-G7)."""
    return asdict(contests.run(wiring().contest_deps, as_of))


def run_rewards(as_of: datetime) -> dict[str, Any]:
    """Let requests for rewards lapse that nobody decided on, or collected, in time (G9)."""
    rules = wiring().roster.playbook().game.rewards
    return asdict(expire_requests(wiring().rewards, rules, as_of))


def run_decay(as_of: datetime) -> dict[str, Any]:
    """Let old points lapse for the month before (G9)."""
    return asdict(decay_monthly(wiring().period_deps, wiring().points, as_of))


def run_amounts(as_of: datetime) -> dict[str, Any]:
    """Count the amounts that waited for a rate of their currency (K6)."""
    return asdict(settle_amounts(wiring().ledger, wiring().roster.playbook(), as_of))


def run_opt_outs(as_of: datetime) -> dict[str, Any]:
    """Mark the reps whose numbers opted out of texts at AWS (N5)."""
    del as_of
    return asdict(read_opt_outs(wiring().sms, wiring().roster))


JOBS = {
    "sweep": run_sweep,
    "tiers": run_tiers,
    "quotas": run_quotas,
    "reports": run_reports,
    "turns": run_turns,
    "contests": run_contests,
    "rewards": run_rewards,
    "decay": run_decay,
    "amounts": run_amounts,
    "opt_outs": run_opt_outs,
}


def work(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run one job; a failed run is retried by the schedule and then set aside.

    Raises:
        InvalidInput: there is no such job, or `as_of` is no time.
    """
    del context
    job = JOBS.get(str(event.get("job")))
    if job is None:
        raise InvalidInput((FieldError("job", f"use one of {', '.join(JOBS)}"),))
    done = job(_moment(event.get("as_of")))
    logger.info("job done", job=event["job"], **done)
    return done


def _moment(as_of: Any) -> datetime:
    if as_of is None:
        return clock.now()
    try:
        return clock.from_iso(str(as_of))
    except ValueError as error:
        raise InvalidInput((FieldError("as_of", str(error)),)) from error


handler = function(work, lambda: (wiring().leads, wiring().bus))
