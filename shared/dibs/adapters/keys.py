"""Every key of every table, built here and nowhere else."""

from __future__ import annotations

import hashlib
from datetime import date, datetime

from dibs.adapters.clock import to_ms

# At 100 leads a second no index key takes more than 100 writes a second (insert, plan, close).
SHARDS = 4

LOCK = "LOCK"
CLAIM = "CLAIM"
NOTICE = "NOTICE"
SIGHTING = "SIGHTING"
SMS = "SMS"
MOVES = "MOVE#"
DRAWS = "DRAW#"
PLAYBOOK = "PLAYBOOK"
MANAGER = "MANAGER"
WAITING_INDEX = "waiting"
HELD_INDEX = "held"
OUTBOX_INDEX = "outbox"
TEAM_INDEX = "team"
REP_INDEX = "rep"
WEEK_INDEX = "week"


def playbook(version: int) -> str:
    return f"{PLAYBOOK}#{version:06d}"


def move(epoch: int, at: datetime, to: str) -> str:
    return f"{MOVES}{epoch:05d}#{to_ms(at):013d}#{to}"


def draw(epoch: int) -> str:
    return f"{DRAWS}{epoch:05d}"


def entries(lead_id: str, epoch: int, shard: int) -> str:
    """Who is in a lead's draw, by rep (C10)."""
    return f"{DRAWS}{lead_id}#{epoch}#{shard}"


def rep(rep_id: str) -> str:
    return f"REP#{rep_id}"


def phone(number: str) -> str:
    return f"PHONE#{number}"


def sms_count(day: date, rep_id: str = "") -> str:
    return f"SMS#{day}#{rep_id}"


def offer(lead_id: str, rep_id: str) -> str:
    return f"{lead_id}#{rep_id}"


def code(rep_id: str, reply_code: str) -> str:
    return f"CODE#{rep_id}#{reply_code}"


def open_shard(shard: int) -> str:
    """Leads that may be claimed, by when they opened."""
    return f"OPEN#{shard}"


def queue_shard(shard: int) -> str:
    """Leads that wait to be assigned, by when they came (C7)."""
    return f"QUEUE#{shard}"


def work_shard(shard: int) -> str:
    """Leads whose holder has not worked them yet, by when to look again (C11)."""
    return f"WORK#{shard}"


def job(name: str) -> str:
    return f"JOB#{name}"


def tier_card(rep_id: str, week: str) -> str:
    return f"TIER#{rep_id}#{week}"


def quota_card(rep_id: str, month: str) -> str:
    return f"QUOTA#{rep_id}#{month}"


def report(team: str, week: str) -> str:
    return f"REPORT#{team}#{week}"


def target(rep_id: str, month: date) -> str:
    return f"TARGET#{rep_id}#{month:%Y-%m}"


def rotation(ring: str) -> str:
    return f"ROTATION#{ring}"


def ledger_week(team: str, week: str, shard: int) -> str:
    """What a team did in a week, by when it was done."""
    return f"{team}#{week}#{shard}"


def outbox_shard(shard: int) -> str:
    return f"OUTBOX#{shard}"


def shard_of(lead_id: str) -> int:
    return hashlib.sha256(lead_id.encode()).digest()[0] % SHARDS
