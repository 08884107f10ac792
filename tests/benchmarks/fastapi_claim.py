"""A claim as one would write it with FastAPI and PostgreSQL: what `against_fastapi` compares with.

It runs in an environment of its own (`bench` in tools/local/bootstrap.py) and knows nothing of
Dibs. Each line of standard input is a claim, `[lead_id, token]`; each line of standard output is
the status, and the processor seconds this process spent on it. The application is called without
a server and HTTP between. The first line is the reps and the leads there are.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import time
from collections.abc import MutableMapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import FastAPI, Header, HTTPException
from fastapi.responses import JSONResponse
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel

CLAIMS_PER_DAY = 500
TABLES = """
CREATE TABLE reps (
    rep_id text PRIMARY KEY, name text NOT NULL, token_hash bytea NOT NULL UNIQUE
);
CREATE TABLE leads (
    lead_id text PRIMARY KEY, company text NOT NULL, contact_name text NOT NULL,
    contact_email text NOT NULL, contact_phone text NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT now(),
    owner text REFERENCES reps, claimed_at timestamptz
);
CREATE TABLE daily_claims (
    rep_id text REFERENCES reps, day date, claims integer NOT NULL, PRIMARY KEY (rep_id, day)
);
CREATE TABLE claims (
    lead_id text PRIMARY KEY REFERENCES leads, rep_id text NOT NULL REFERENCES reps,
    claimed_at timestamptz NOT NULL
);
CREATE TABLE attempts (
    lead_id text REFERENCES leads, rep_id text REFERENCES reps, attempted_at timestamptz NOT NULL,
    PRIMARY KEY (lead_id, rep_id)
);
"""
CALLER = "SELECT rep_id, name FROM reps WHERE token_hash = %s"
TAKE = """
UPDATE leads SET owner = %s, claimed_at = clock_timestamp()
WHERE lead_id = %s AND owner IS NULL
RETURNING company, contact_name, contact_email, contact_phone, opened_at, claimed_at
"""
COUNT = """
INSERT INTO daily_claims (rep_id, day, claims) VALUES (%s, current_date, 1)
ON CONFLICT (rep_id, day) DO UPDATE SET claims = daily_claims.claims + 1
WHERE daily_claims.claims < %s RETURNING claims
"""
RECORD = "INSERT INTO claims (lead_id, rep_id, claimed_at) VALUES (%s, %s, %s)"
LOSE = """
WITH first AS (
    SELECT reps.rep_id, reps.name, leads.claimed_at
    FROM leads JOIN reps ON reps.rep_id = leads.owner WHERE leads.lead_id = %(lead)s
), noted AS (
    INSERT INTO attempts SELECT %(lead)s, %(rep)s, clock_timestamp() FROM first
    ON CONFLICT DO NOTHING
)
SELECT first.*, clock_timestamp() FROM first
"""


class Lead(BaseModel):
    """What the winner hears of the lead."""

    company: str
    contact_name: str
    contact_email: str
    contact_phone: str


class Won(BaseModel):
    """The winner's answer."""

    lead_id: str
    claimed_at: datetime
    claim_ms: int
    lead: Lead


app = FastAPI()


@app.post("/leads/{lead_id}/claim", response_model=Won)
async def claim(lead_id: str, authorization: Annotated[str, Header()]) -> Any:
    """Claim a lead: one transaction, whoever wins."""
    digest = hashlib.sha256(authorization.removeprefix("Bearer ").encode()).digest()
    async with app.state.pool.connection() as db, db.cursor() as ask:
        caller = await (await ask.execute(CALLER, (digest,))).fetchone()
        if caller is None:
            raise HTTPException(401, "This token is not valid.")
        rep_id, _ = caller
        lead = await (await ask.execute(TAKE, (rep_id, lead_id))).fetchone()
        if lead is None:
            beaten = {"lead": lead_id, "rep": rep_id}
            first = await (await ask.execute(LOSE, beaten)).fetchone()
            if first is None:
                raise HTTPException(404, "There is no such lead.")
            winner, name, claimed_at, now = first
            return JSONResponse(
                {
                    "code": "already_claimed",
                    "claimed_by": {"rep_id": winner, "name": name},
                    "ms_ago": int((now - claimed_at).total_seconds() * 1000),
                },
                409,
            )
        if await (await ask.execute(COUNT, (rep_id, CLAIMS_PER_DAY))).fetchone() is None:
            raise HTTPException(403, "You have claimed all you may today.")
        *contact, opened_at, claimed_at = lead
        await ask.execute(RECORD, (lead_id, rep_id, claimed_at))
    return Won(
        lead_id=lead_id,
        claimed_at=claimed_at,
        claim_ms=int((claimed_at - opened_at).total_seconds() * 1000),
        lead=Lead(**dict(zip(Lead.model_fields, contact, strict=True))),
    )


async def called(lead_id: str, token: str) -> tuple[int, float]:
    """Call the application as a server would; return status and processor seconds."""
    path = f"/leads/{lead_id}/claim"
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"app"), (b"authorization", f"Bearer {token}".encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    before = time.process_time()
    await app(scope, receive, send)
    return sent[0]["status"], time.process_time() - before


async def main(database: str) -> None:
    """Set up the tables, then answer line by line."""
    seed = json.loads(sys.stdin.readline())
    async with AsyncConnectionPool(database, min_size=1, open=False) as pool:
        app.state.pool = pool
        async with pool.connection() as db, db.cursor() as ask:
            await ask.execute(TABLES)
            await ask.executemany(
                "INSERT INTO reps VALUES (%s, %s, %s)",
                [(i, name, hashlib.sha256(token.encode()).digest()) for i, name, token in seed[0]],
            )
            await ask.executemany(
                "INSERT INTO leads (lead_id, company, contact_name, contact_email, contact_phone) "
                "VALUES (%s, %s, %s, %s, %s)",
                seed[1],
            )
        print("ready", flush=True)
        for line in sys.stdin:
            print(json.dumps(await called(*json.loads(line))), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
