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
PLAYBOOK = "PLAYBOOK"
MANAGER = "MANAGER"
OPEN_INDEX = "open"
OUTBOX_INDEX = "outbox"
TEAM_INDEX = "team"


def move(epoch: int, at: datetime, to: str) -> str:
    return f"MOVE#{epoch:05d}#{to_ms(at):013d}#{to}"


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
    return f"OPEN#{shard}"


def outbox_shard(shard: int) -> str:
    return f"OUTBOX#{shard}"


def shard_of(lead_id: str) -> int:
    return hashlib.sha256(lead_id.encode()).digest()[0] % SHARDS
