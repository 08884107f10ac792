"""The rules on the deployed local stack: a race with all of them on, receipts, releases, a draw.

After the models: what is claimed here counts for the tiers there.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from dibs.race.draw import commitment_of
from support.stack import PHONES, Stack, until

pytestmark = pytest.mark.stack

MOST = 4
RULES: dict[str, Any] = {
    "preset": "open-pool",
    "fits": "A test.",
    "teams": {"north": {"name": "North"}, "south": {"name": "South"}},
    "routing": [{"source": "south", "teams": ["south"]}, {"teams": ["north"]}],
    "window_seconds": 600,
    "undo_seconds": 0,
    "claims_per_day": 50,
    "limits": [
        {"most": MOST, "per": "hour", "rolling": True},
        {"most": 100, "per": "week"},
        {"most": 20, "per": "in_hand"},
    ],
    "acceptance": {"hot_per_warm": 1, "claims_per_assignment": 20, "cold_per_week": 3},
    "matching": {"territory": True, "languages": True},
    "newcomers": {"enabled": True},
    "sms": {"enabled": True, "per_rep_per_day": 1000, "per_organisation_per_day": 100000},
}
HOT, WARM = 95, 60


@pytest.fixture(scope="module")
def fair(stack: Stack) -> Iterator[Stack]:
    """The stack with every rule of the race on; put back afterwards."""
    with stack.under(RULES):
        yield stack


def _manager(stack: Stack) -> str:
    token: str = stack.described["manager_token"]
    return token


def _team(stack: Stack, team: str) -> list[dict[str, Any]]:
    return [rep for rep in stack.reps if rep["team"] == team]


def _claim(stack: Stack, lead_id: str, rep: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    for _ in range(20):  # a 503 says that nothing was changed: ask again, as an app does
        status, answer, _ = stack.call("POST", f"/leads/{lead_id}/claim", token=rep["token"])
        if status != 503:
            return status, answer
    raise AssertionError("busy for too long")


def _judged(stack: Stack, lead_id: str) -> set[str]:
    _, why, _ = stack.call("GET", f"/leads/{lead_id}/why", token=_manager(stack))
    return {row["rep_id"] for verdict in why["judged"][:1] for row in verdict["reps"]}


@pytest.fixture(autouse=True, scope="module")
def raced(fair: Stack) -> str:
    """A lead whose race was over before the first test: it is sealed a minute later."""
    winner, loser = _team(fair, "south")[:2]
    _, lead = fair.post_lead(source="south")
    lead_id: str = lead["lead_id"]
    # Who claims before the offer step has judged leaves no verdict: wait for it.
    until(lambda: _judged(fair, lead_id))
    assert _claim(fair, lead_id, winner)[0] == 200
    assert _claim(fair, lead_id, loser)[0] == 409
    return lead_id


def test_no_limit_and_no_ratio_is_passed_in_a_race_with_every_rule_on(fair: Stack) -> None:
    reps = _team(fair, "north")[:6]
    # More warm ones than all together may claim, so that the debt can always be paid.
    scores = [HOT] * 6 + [WARM] * (MOST * len(reps) + 1)
    leads = {}
    for score in scores:
        status, lead = fair.post_lead(score=score)
        assert status == 201, lead
        leads[lead["lead_id"]] = score
    fair.warm("claim", 6)
    jobs = [(lead_id, rep) for lead_id in leads for rep in reps]
    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(lambda job: (*job, *_claim(fair, *job)), jobs))
    assert {status for _, _, status, _ in outcomes} <= {200, 403, 409}
    won = [(lead_id, rep["rep_id"]) for lead_id, rep, status, _ in outcomes if status == 200]
    assert max(Counter(lead_id for lead_id, _ in won).values()) == 1
    for rep in reps:
        mine = [leads[lead_id] for lead_id, rep_id in won if rep_id == rep["rep_id"]]
        assert len(mine) == MOST, "each takes what they may, and no more"
        assert mine.count(HOT) <= 1 + mine.count(WARM)
    refused = {code for *_, status, answer in outcomes if status == 403 for code in answer["rules"]}
    assert refused <= {"hourly_limit", "owes_warm"}
    _, me, _ = fair.call("GET", "/me", token=reps[0]["token"])
    assert ("hour", MOST) in {(x["per"], x["used"]) for x in me["limits"]}


def test_a_released_lead_goes_to_others_and_a_manager_has_the_last_word(fair: Stack) -> None:
    first, second, third = _team(fair, "south")[:3]
    _, lead = fair.post_lead(source="south", score=WARM)
    lead_id = lead["lead_id"]
    assert _claim(fair, lead_id, first)[0] == 200
    body = {"reason": "wrong industry"}
    status, back, _ = fair.call("POST", f"/leads/{lead_id}/release", body, token=first["token"])
    assert (status, back["undone"]) == (200, False)
    status, refused = _claim(fair, lead_id, first)
    assert (status, refused["lifts_at"]) == (403, None)
    assert refused["rules"] == ["released_lately", "not_twice_in_a_row"]
    assert _claim(fair, lead_id, second)[0] == 200
    given = {"rep_id": third["rep_id"], "reason": "knows them"}
    path = f"/leads/{lead_id}/assign"
    assert fair.call("POST", path, given, token=second["token"])[0] == 403
    status, assigned, _ = fair.call("POST", path, given, token=_manager(fair))
    assert (status, assigned["holder"]) == (200, third["rep_id"])
    status, again = _claim(fair, lead_id, third)
    assert (status, again["already_yours"]) == (200, True)
    assert again["lead"]["contact_phone"].startswith(PHONES)
    assert _claim(fair, lead_id, second)[0] == 409
    _, why, _ = fair.call("GET", f"/leads/{lead_id}/why", token=_manager(fair))
    assert "knows them" in {step["reason"] for step in why["steps"]}


def test_a_draw_is_answered_at_once_and_anybody_can_recompute_it(fair: Stack) -> None:
    fair.apply({**RULES, "draw": {"collect_seconds": 4}})
    fair.settle()
    reps = _team(fair, "south")[:4]
    _, lead = fair.post_lead(source="south", score=WARM)
    lead_id, commitment = lead["lead_id"], lead["draw_commitment"]
    for rep in reps:
        status, entered = _claim(fair, lead_id, rep)
        assert (status, entered["code"]) == (202, "in_draw"), entered
        assert entered["commitment"] == commitment

    def draw() -> dict[str, Any] | None:
        status, found, _ = fair.call("GET", f"/leads/{lead_id}/draw", token=reps[0]["token"])
        return found if status == 200 else None

    found = until(draw)
    assert commitment_of(found["seed"]) == commitment
    assert fair.lock(lead_id)["owner"]["S"] in {rep["rep_id"] for rep in reps}
    shown = fair.dibs("lead", "draw", lead_id, "--commitment", commitment)
    assert "as it was promised" in shown
    outcomes = Counter(_claim(fair, lead_id, rep)[0] for rep in reps)
    assert outcomes == {200: 1, 409: 3}


def test_a_race_is_sealed_for_everybody_in_it_and_an_altered_receipt_is_found(
    fair: Stack, raced: str
) -> None:
    winner, loser = _team(fair, "south")[:2]
    lead_id = raced

    def receipt(rep: dict[str, Any]) -> dict[str, Any]:
        status, found, _ = fair.call("GET", f"/leads/{lead_id}/receipt", token=rep["token"])
        assert status == 200, found
        return found

    def sealed() -> bool:
        # Who claims before the race's record was begun finds no receipt for a moment.
        status, found, _ = fair.call("GET", f"/leads/{lead_id}/receipt", token=winner["token"])
        return status == 200 and found["sealed"]

    until(sealed, 120)
    assert receipt(winner)["receipt"]["place"] == 1
    lost = receipt(loser)["receipt"]
    assert (lost["outcome"], lost["place"]) == ("lost", 2)
    assert lost["behind_ms"] > 0
    _, why, _ = fair.call("GET", f"/leads/{lead_id}/why", token=_manager(fair))
    assert why["holder"]["rep_id"] == winner["rep_id"]
    assert _judged(fair, lead_id) >= {winner["rep_id"], loser["rep_id"]}
    fair.run_job("sweep")
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    until(lambda: lead_id in fair.call("GET", f"/receipts?day={today}", token=_manager(fair))[1])
    assert fair.dibs("audit")
    races = fair.described["settings"]["RACES_TABLE"]
    found = fair.client("dynamodb").query(
        TableName=races,
        KeyConditionExpression="lead_id = :lead",
        ExpressionAttributeValues={":lead": {"S": lead_id}},
    )["Items"]
    [page] = [item for item in found if "packed" in item]
    lines = zlib.decompress(page["packed"]["B"]).decode()
    altered = zlib.compress(lines.replace(winner["rep_id"], loser["rep_id"]).encode())
    fair.client("dynamodb").put_item(TableName=races, Item={**page, "packed": {"B": altered}})
    with pytest.raises(AssertionError, match=lead_id):
        fair.dibs("audit")
    fair.client("dynamodb").put_item(TableName=races, Item=page)
    assert fair.dibs("audit")
