"""The game on the deployed local stack: what is done moves points, boards and badges (G, K1).

Everybody here is new and in a team of their own, so that their figures are what these tests made
them, whatever else the stack has seen.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.stack import Stack, until

pytestmark = pytest.mark.stack

TEAM = "arcade"
RULES: dict[str, Any] = {
    "preset": "open-pool",
    "fits": "A test.",
    "teams": {
        "north": {"name": "North"},
        "south": {"name": "South"},
        TEAM: {"name": "Arcade"},
    },
    "routing": [{"source": TEAM, "teams": [TEAM]}, {"teams": ["north"]}],
    "window_seconds": 600,
    "undo_seconds": 0,
    "claims_per_day": 50,
    "game": {
        "badges": {"first_deal": {"name": "First Deal", "formula": "count(won)", "at_least": 1}},
        "levels": [{"name": "Starter", "from_points": 50}, {"name": "Pro", "from_points": 1000}],
    },
}
DEAL = 500_000
# Seconds for what goes by the ledger's queue and its stream, with functions that start cold.
SOON = 120


@dataclass(frozen=True)
class Player:
    """A rep who did nothing before."""

    stack: Stack
    rep_id: str
    token: str

    @property
    def rep(self) -> dict[str, Any]:
        return {"rep_id": self.rep_id, "token": self.token}

    def get(self, path: str) -> dict[str, Any]:
        status, found, _ = self.stack.call("GET", path, token=self.token)
        assert status == 200, found
        answer: dict[str, Any] = found
        return answer

    def post(self, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        status, found, _ = self.stack.call("POST", path, body or {}, token=self.token)
        return status, found

    def value(self, metric: str = "points") -> float | None:
        """What a board says of them, None while they are on none."""
        found: float | None = self.get(f"/boards/{metric}?period=all").get("me", {}).get("value")
        return found

    def reaches(self, value: float, metric: str = "points") -> None:
        until(lambda: self.value(metric) == value, SOON)

    def claims(self) -> str:
        """Win a lead nobody else may have, and return its id."""
        status, lead = self.stack.post_lead(source=TEAM)
        assert status == 201, lead
        lead_id: str = lead["lead_id"]
        until(lambda: self.stack.offer(self.rep, lead_id)["eligible"])

        def claimed() -> bool:
            status, answer = self.post(f"/leads/{lead_id}/claim")
            assert status in (200, 503), answer  # 503: nothing was changed, ask again
            return status == 200

        until(claimed)
        return lead_id

    def badges(self) -> list[str]:
        return [badge["id"] for badge in self.get("/me")["badges"]]


Hire = Callable[[str], Player]


@pytest.fixture(scope="module")
def arcade(stack: Stack) -> Iterator[Stack]:
    """The stack with a team and a badge more; put back afterwards."""
    with stack.under(RULES):
        yield stack


@pytest.fixture
def hire(arcade: Stack) -> Hire:
    def hired(name: str) -> Player:
        told = arcade.dibs("reps", "add", "--name", name, "--team", TEAM, "--zone", "UTC")
        token = told.split()[-1]
        return Player(arcade, token.partition(".")[0], token)

    return hired


def _manager(stack: Stack) -> str:
    token: str = stack.described["manager_token"]
    return token


def _tell(stack: Stack, kind: str, **about: Any) -> dict[str, Any]:
    """Tell of an activity as a dialler or CRM does; return it, to tell of it again."""
    activity = {
        "activity_id": uuid.uuid4().hex,
        "type": kind,
        "at": datetime.now(UTC).isoformat(),
        **about,
    }
    status, answer = stack.signed("/activities", activity)
    assert status == 201, answer
    return activity


def test_a_deal_and_its_reversal_move_points_board_and_badge(arcade: Stack, hire: Hire) -> None:
    rep = hire("Deal Maker")
    assert rep.value() is None
    assert rep.get("/me")["points"]["next_level"] == {"name": "Starter", "from_points": 50}
    lead_id = rep.claims()
    rep.reaches(10)
    contacted = _tell(arcade, "contacted", lead_id=lead_id)
    rep.reaches(35)
    # Told twice it stands once: had it counted again, there would be no 85 next.
    assert arcade.signed("/activities", contacted)[0] == 200
    _tell(arcade, "opportunity", lead_id=lead_id)
    rep.reaches(85)
    assert rep.badges() == []
    deal = _tell(arcade, "won", lead_id=lead_id, amount=DEAL, currency="USD")
    rep.reaches(285)
    rep.reaches(DEAL, "revenue")
    until(lambda: rep.badges() == ["first_deal"], SOON)
    until(lambda: rep.get("/me")["points"]["balance"] == 285, SOON)
    card = rep.get("/me")
    assert card["badges"][0]["name"] == "First Deal"
    assert (card["points"]["all"], card["points"]["level"]) == (285, "Starter")
    _tell(arcade, "reversal", reverses=deal["activity_id"])
    rep.reaches(85)
    rep.reaches(0, "revenue")
    until(lambda: rep.badges() == [], SOON)
    until(lambda: rep.get("/me")["points"]["balance"] == 85, SOON)


def test_help_counts_once_it_is_confirmed(hire: Hire) -> None:
    asker, helper = hire("Asker"), hire("Helper")
    lead_id = asker.claims()
    question = {"request_id": "who", "question": "Who buys there?"}
    status, asked = asker.post(f"/leads/{lead_id}/help", question)
    assert status == 201, asked
    help_path = f"/help/{asked['help_id']}"
    # The roster knows a new colleague a moment later.
    until(
        lambda: any(one["help_id"] == asked["help_id"] for one in helper.get("/me/help")["for_me"])
    )
    status, answered = helper.post(f"{help_path}/answers", {"text": "Their head of operations."})
    assert (status, answered["helped"]) == (201, False)
    for _ in range(2):
        status, confirmed = asker.post(f"{help_path}/confirm", {"helper": helper.rep_id})
        assert (status, confirmed["helped"]) == (200, True)
    helper.reaches(5)
    asker.reaches(10)


def test_points_buy_a_reward_once_a_manager_approves(arcade: Stack, hire: Hire) -> None:
    rep, manager = hire("Saver"), _manager(arcade)
    rep.claims()
    until(lambda: rep.get("/me/points")["balance"] == 10, SOON)
    mug = {"name": "Mug", "price": 8, "stock": 1}
    status, stocked, _ = arcade.call("PUT", "/rewards/mug", mug, token=manager)
    assert status == 200, stocked
    for status in (201, 200):  # asked again, it is the same request
        found = rep.post("/rewards/mug/requests", {"request_id": "one"})
        assert (found[0], found[1]["state"]) == (status, "requested")
    request = found[1]["request_id"]
    assert rep.get("/me/points")["balance"] == 2
    status, refused = rep.post("/rewards/mug/requests", {"request_id": "two"})
    assert status == 409, refused
    path = f"/rewards/requests/{request}/approve"
    assert rep.post(path)[0] == 403
    status, approved, _ = arcade.call("POST", path, {}, token=manager)
    assert (status, approved["state"], approved["changed"]) == (200, "approved", True)
    [mine] = rep.get("/me/rewards")["requests"]
    assert (mine["request_id"], mine["state"]) == (request, "approved")
    # Spent is not lost: what was earned stays on the boards.
    assert (rep.value(), rep.get("/me")["points"]["balance"]) == (10, 2)


def test_a_contest_is_tried_on_what_has_been_done(arcade: Stack, hire: Hire) -> None:
    first, second = hire("First"), hire("Second")
    lead_id = first.claims()
    second.claims()
    _tell(arcade, "contacted", lead_id=lead_id)
    first.reaches(35)
    second.reaches(10)
    today = datetime.now(UTC).date()
    contest = {
        "name": "A try",
        "kind": "individual",
        "first_day": f"{today - timedelta(days=1)}",
        "last_day": f"{today}",
        "metric": "points",
        "reps": [first.rep_id, second.rep_id],
        "prize_points": [100],
    }
    path = "/contests/preview"
    assert first.post(path, contest)[0] == 403
    status, found, _ = arcade.call("POST", path, contest, token=_manager(arcade))
    assert status == 200, found
    assert [(row["id"], row["place"], row["value"], row["points"]) for row in found["top"]] == [
        (first.rep_id, 1, 35, 100),
        (second.rep_id, 2, 10, 0),
    ]
    assert arcade.call("GET", "/contests/preview", token=_manager(arcade))[0] == 404


def test_a_browser_shows_the_board_to_who_has_signed_in(arcade: Stack, hire: Hire) -> None:
    rep = hire("Looker")
    rep.claims()
    rep.reaches(10)
    browser = {"accept": "text/html"}
    status, page, _ = arcade.call("GET", "/boards/points", **browser)
    assert (status, "Sign in" in page) == (401, True)
    status, _, headers = arcade.call(
        "POST",
        "/sign-in",
        f"token={rep.token}&to=/boards/points".encode(),
        content_type="application/x-www-form-urlencoded",
        **browser,
    )
    said = {name.lower(): value for name, value in headers.items()}
    where, cookie = said["location"], said["set-cookie"].partition(";")[0]
    assert (status, where) == (303, "/boards/points")
    assert rep.token not in cookie
    status, page, _ = arcade.call("GET", where, cookie=cookie, **browser)
    assert status == 200
    assert "Looker" in page
    assert "Points earned" in page
