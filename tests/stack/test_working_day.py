"""A working day of two teams on the deployed local stack, from the night before to its end.

Nobody can wait for the morning: the two teams live where it is nine and ten o'clock now, and their
nine hours begin with one of the next minutes. What is posted before that is of the night.
"""

from __future__ import annotations

import csv
import itertools
import random
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from support.stack import Stack, until

pytestmark = pytest.mark.stack

TEAMS = {"early": 9, "late": 10}
NIGHT, DAY = 12, 24
READY_SECONDS = 40  # to post what comes in at night
DEAL = 250_000
SOON = 150


@dataclass
class Rep:
    """A rep of the day, and what they saw of it."""

    rep_id: str
    name: str
    team: str
    phone: str
    token: str
    here: bool = True
    texted: bool = False
    won: list[str] = field(default_factory=list)
    seen: dict[str, datetime] = field(default_factory=dict)  # of leads open to them, or codes


def _zone(hour: int, now: datetime) -> str:
    """Return the zone where it is this hour now."""
    west = (now.hour - hour + 12) % 24 - 12
    return f"Etc/GMT{west:+d}" if west else "Etc/GMT"


def _next_minute(at: datetime) -> datetime:
    """Return the minute that begins next: hours of teams have no seconds."""
    return at.replace(second=0, microsecond=0) + timedelta(minutes=1)


def _hours(zone: str, start: datetime) -> dict[str, list[str]]:
    begins = start.astimezone(ZoneInfo(zone))
    ends = begins + timedelta(hours=9)
    every = [f"{begins:%H:%M}-{ends:%H:%M}"]
    return dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), every)


def _rules(start: datetime, *, with_hours: bool, fallback: dict[str, str]) -> dict[str, Any]:
    now = datetime.now(UTC)
    teams = {}
    for team, hour in TEAMS.items():
        zone = _zone(hour, now)
        hours = {"hours": _hours(zone, start)} if with_hours else {}
        back = {"fallback": fallback[team]} if fallback else {}
        teams[team] = {"name": team.title(), "zone": zone, **hours, **back}
    return {
        "preset": "open-pool",
        "fits": "A test.",
        "teams": teams,
        "routing": [{"source": team, "teams": [team]} for team in TEAMS],
        "window_seconds": 60,
        "overnight": {"at_once": 5, "every_seconds": 10},
        "undo_seconds": 0,
        "claims_per_day": 100,
        "sms": {"enabled": True, "per_rep_per_day": 1000, "per_organisation_per_day": 100_000},
    }


@dataclass
class Day:
    """The day: its stack, its people, its leads and when it began."""

    stack: Stack
    start: datetime
    reps: list[Rep]
    leads: dict[str, str] = field(default_factory=dict)  # lead_id -> team
    night: list[str] = field(default_factory=list)

    def post(self, team: str) -> str:
        status, lead = self.stack.post_lead(source=team)
        assert status == 201, lead
        self.leads[lead["lead_id"]] = team
        lead_id: str = lead["lead_id"]
        return lead_id

    def by(self, team: str) -> list[Rep]:
        return [rep for rep in self.reps if rep.team == team]

    def owner(self, lead_id: str) -> str:
        return str(self.stack.lock(lead_id).get("owner", {}).get("S", ""))

    def anybody_told(self, lead_id: str) -> bool:
        return any(self.told(lead_id, rep) for rep in self.by(self.leads[lead_id]))

    def told(self, lead_id: str, rep: Rep) -> datetime | None:
        return self.stack.told_at(lead_id, rep.rep_id)

    def tale(self, lead_id: str, rep: Rep) -> str:
        """What is stored of a lead that a rep was not told of."""
        told = {other.name: str(self.told(lead_id, other)) for other in self.by(rep.team)}
        return f"{rep.name} saw it at {rep.seen[lead_id]}: {self.stack.lock(lead_id)}, {told}"

    def act(self, rep: Rep) -> None:
        """Let a rep look at what is open to them and claim the first of it."""
        if rep.texted:
            self._reply(rep)
            return
        offers = self.stack.offers({"token": rep.token})
        open_now = [offer["lead_id"] for offer in offers if offer["eligible"]]
        rep.seen = dict.fromkeys(open_now, datetime.now(UTC)) | rep.seen
        for lead_id in open_now[:1]:
            status, answer, _ = self.stack.call(
                "POST", f"/leads/{lead_id}/claim", {}, token=rep.token
            )
            assert status in (200, 403, 409, 410, 503), answer
            if status == 200 and not answer["already_yours"]:
                rep.won.append(lead_id)

    def _reply(self, rep: Rep) -> None:
        """Answer the last text that offers a lead, as a rep with nothing but a phone."""
        for text in reversed(self.stack.texts(rep.phone)):
            code = re.search(r"[Rr]eply (\w{4,6})", text)
            if code and code[1] not in rep.seen:
                rep.seen[code[1]] = datetime.now(UTC)
                self.stack.text_from(rep.phone, code[1])
                return


@pytest.fixture(scope="module")
def day(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """Twelve people in two teams, the evening before."""
    folder = tmp_path_factory.mktemp("day")
    soon = datetime.now(UTC) + timedelta(hours=1)
    with stack.under(_rules(soon, with_hours=False, fallback={})):
        reps = _hired(stack, folder)
        start = _next_minute(datetime.now(UTC) + timedelta(seconds=READY_SECONDS))
        fallback = {team: next(r.rep_id for r in reps if r.team == team) for team in TEAMS}
        stack.apply(_rules(start, with_hours=True, fallback=fallback))
        stack.settle()
        assert datetime.now(UTC) < start, "the machine is too slow for this night"
        yield Day(stack, start, reps)


def _hired(stack: Stack, folder: Path) -> list[Rep]:
    """Import twelve reps from a file, as an operator does."""
    file, tokens = folder / "reps.csv", folder / "tokens.csv"
    people = [
        (f"{team.title()} {number}", team, f"+1202555{place:04d}")
        for place, (team, number) in enumerate(itertools.product(TEAMS, range(1, 7)), start=130)
    ]
    with file.open("w", newline="") as out:
        rows = [(*one, "2025-01-06") for one in people]  # newcomers are on no board at first (F9)
        csv.writer(out).writerows([("name", "team", "phone", "joined"), *rows])
    stack.dibs("reps", "import", str(file), "--tokens", str(tokens))
    with tokens.open(newline="") as written:
        token_of = {row["name"]: row["token"] for row in csv.DictReader(written)}
    return [
        Rep(token_of[name].partition(".")[0], name, team, phone, token_of[name])
        for name, team, phone in people
    ]


def test_a_working_day_leaves_nothing_forgotten(day: Day) -> None:
    stack, dice = day.stack, random.Random(12)
    early, late = day.by("early"), day.by("late")
    phone_only, pausing, leaver = early[1], early[2], late[1]
    setter, closer = late[2], late[3]
    phone_only.texted = True

    # The night: leads come in, and nobody is disturbed.
    day.night = [day.post(team) for team in TEAMS for _ in range(NIGHT // 2)]
    assert datetime.now(UTC) < day.start
    until(lambda: datetime.now(UTC) > day.start - timedelta(seconds=5), SOON)
    assert not [text for rep in day.reps for text in stack.texts(rep.phone)]
    assert not [lead for lead in day.night if day.owner(lead)]

    # The day: leads come, everybody looks and claims. One pauses, one leaves at noon.
    until(lambda: any(day.told(lead, rep) for lead in day.night for rep in day.reps), SOON)
    for hour in range(DAY // 4):
        for team in ("early", "late", "early", "late")[hour == 0 :]:
            day.post(team)
        if hour == 2:
            paused = {"available": False}
            status, said, _ = stack.call("PUT", "/me/availability", paused, token=pausing.token)
            assert status == 200, said
            pausing.here = False
        if hour == DAY // 8:
            stack.dibs("reps", "leave", leaver.rep_id, "--yes")
            leaver.here = False
        for rep in dice.sample(day.reps, len(day.reps)):
            if rep.here:
                day.act(rep)
        stack.run_job("sweep")

    # The last lead is handed from setter to closer, who sells.
    day.post("late")

    def setter_holds() -> str | None:
        day.act(setter)
        return next((lead for lead in setter.won if day.owner(lead) == setter.rep_id), None)

    handed = until(setter_holds, SOON)
    for kind, more in (
        ("contacted", {}),
        ("qualified", {}),
        ("transfer", {"to_rep_id": closer.rep_id}),
    ):
        told = _told(kind, handed, setter, **more)
        status, answer = stack.signed("/activities", told)
        assert status in (200, 201), answer
    until(lambda: day.owner(handed) == closer.rep_id, SOON)
    sale = _told("won", handed, closer, amount=DEAL, currency="USD")
    status, answer = stack.signed("/activities", sale)
    assert status in (200, 201), answer

    # The evening: what nobody claimed is assigned, and nothing is unowned.
    def unowned() -> list[str]:
        stack.run_job("sweep")
        locks = {lead: stack.lock(lead) for lead in day.leads}
        return [f"{lead}: {lock}" for lead, lock in locks.items() if "owner" not in lock]

    with suppress(AssertionError):
        until(lambda: not unowned(), SOON)
    assert unowned() == []
    assert len(day.leads) == NIGHT + DAY
    holders = {rep.rep_id: rep for rep in day.reps}
    for lead, team in day.leads.items():
        holder = holders[day.owner(lead)]
        assert holder.team == team
        assert holder is not leaver

    _each_was_told(day)
    assert stack.texts(phone_only.phone)

    # Each number equals a plain recount.
    wins = Counter({rep.rep_id: len(rep.won) for rep in day.reps if not rep.texted})
    for rep in (*early, *late):
        if rep.texted or rep is leaver:
            continue
        with suppress(AssertionError):
            until(lambda rep=rep: _value(stack, rep, "claims") == wins[rep.rep_id], SOON)
        assert _value(stack, rep, "claims") == wins[rep.rep_id], rep
    stack.dibs("audit")


def _each_was_told(day: Day) -> None:
    """Whoever saw a lead was told of it like the others, and nobody before the day began."""
    for rep in day.reps:
        for lead in rep.seen:
            if lead in day.leads and rep.here:
                at = day.told(lead, rep)
                # Who saw it in their list first may have it before anybody is told.
                assert at is not None or not day.anybody_told(lead), day.tale(lead, rep)
                assert at is None or at >= day.start


def _told(kind: str, lead_id: str, rep: Rep, **more: Any) -> dict[str, Any]:
    return {
        "activity_id": f"{kind}-{lead_id}",
        "type": kind,
        "rep_id": rep.rep_id,
        "lead_id": lead_id,
        "at": datetime.now(UTC).isoformat(),
        **more,
    }


def _value(stack: Stack, rep: Rep, metric: str) -> float:
    status, found, _ = stack.call("GET", f"/boards/{metric}?period=all", token=rep.token)
    assert status == 200, found
    return float(found.get("me", {}).get("value") or 0)
