"""The product as its users meet it: the deployed local stack, every role enforced."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from support.stack import PHONES, Stack, until

pytestmark = pytest.mark.stack

# Each has a process of 60 MB, and to start one takes a second of a processor.
CROWD = 24
CODE = re.compile(r"\b(?=[A-Z2-9]*\d)[A-Z2-9]{4,6}\b")
BOTS = (
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "WhatsApp/2.23.20.0",
    "facebookexternalhit/1.1",
    "TelegramBot (like TwitterBot)",
    "Mozilla/5.0 (compatible; Googlebot/2.1)",
)


@pytest.fixture(autouse=True, scope="module")
def settled(stack: Stack) -> None:
    """Tests before these had rules of their own."""
    stack.settle()


def code_in(text: str) -> str:
    found = CODE.search(text.split("http", maxsplit=1)[0])
    assert found, text
    return found.group()


def offer_text(stack: Stack, rep: dict[str, Any], company: str) -> str:
    return until(lambda: next((t for t in stack.texts(rep["phone"]) if company in t), None))


def test_a_posted_lead_is_texted_to_every_rep_without_personal_data(stack: Stack) -> None:
    status, lead = stack.post_lead(company="Everybody Told Ltd")
    assert status == 201
    assert lead["quality"] == "hot"
    assert lead["pool"] == "premium"
    for rep in stack.reps:
        text = offer_text(stack, rep, "Everybody Told")
        assert len(text) <= 160
        assert "Nadia" not in text
        assert PHONES not in text
        assert "borneo-solar" not in text
    domain = f"told-again-{uuid.uuid4().hex[:8]}.example"
    first = {"company": "Told Again Ltd", "external_id": "again", "contact_email": f"n@{domain}"}
    assert stack.post_lead(**first)[0] == 201
    status, again = stack.post_lead(**first)
    assert (status, again["duplicate"], again["flags"]) == (200, True, [])
    email = f"another@{domain}"
    status, known = stack.post_lead(company="TOLD AGAIN LIMITED", contact_email=email)
    assert (status, known["lead_id"]) == (200, again["lead_id"])
    assert known["flags"] == ["merged_same_company"]


def test_the_api_names_the_winner_to_losers_and_answers_retries_alike(stack: Stack) -> None:
    _, lead = stack.post_lead(company="By Api Ltd")
    winner, loser = stack.reps[1], stack.reps[7]
    stack.offer(winner, lead["lead_id"])
    status, won, _ = stack.call("POST", f"/leads/{lead['lead_id']}/claim", token=winner["token"])
    assert status == 200, won
    assert won["lead"]["contact_phone"].startswith(PHONES)
    assert won["already_yours"] is False
    status, again, _ = stack.call("POST", f"/leads/{lead['lead_id']}/claim", token=winner["token"])
    assert status == 200
    assert again["already_yours"] is True
    assert again["claimed_at"] == won["claimed_at"]
    status, lost, headers = stack.call(
        "POST", f"/leads/{lead['lead_id']}/claim", token=loser["token"]
    )
    assert status == 409
    assert headers["content-type"].startswith("application/problem+json")
    assert lost["code"] == "already_claimed"
    assert lost["claimed_by"] == {"rep_id": winner["rep_id"], "name": winner["name"]}


def test_a_plain_form_claims_and_shows_the_phone_number(stack: Stack) -> None:
    _, lead = stack.post_lead(company="By Form Ltd")
    winner, loser = stack.reps[2], stack.reps[3]
    link, other = stack.link(winner, lead["lead_id"]), stack.link(loser, lead["lead_id"])
    status, page, _ = stack.call("GET", link)
    assert status == 200
    assert "By Form Ltd" in page
    assert PHONES not in page
    form = {"accept": "text/html", "content_type": "application/x-www-form-urlencoded"}
    status, page, _ = stack.call("POST", f"{link}/claim", b"sure=yes", **form)
    assert status == 200
    assert f'href="tel:{PHONES}' in page
    status, page, _ = stack.call("POST", f"{other}/claim", b"sure=yes", **form)
    assert status == 409
    assert winner["name"] in page
    status, state, _ = stack.call("GET", f"{other}/state")
    assert (status, state["state"]) == (200, "lost")


def test_a_text_with_the_code_claims_and_is_answered_once(stack: Stack) -> None:
    _, lead = stack.post_lead(company="By Text Ltd")
    winner, loser = stack.reps[4], stack.reps[5]
    code, late = (code_in(offer_text(stack, rep, "By Text Ltd")) for rep in (winner, loser))
    message = stack.text_from(winner["phone"], f" {code.lower()[:2]} {code.lower()[2:]} ")
    won = until(lambda: next((t for t in stack.texts(winner["phone"]) if PHONES in t), None))
    assert "Nadia Jamal" in won
    stack.text_from(winner["phone"], code, message)
    stack.text_from(loser["phone"], late)
    until(lambda: any(winner["name"] in t for t in stack.texts(loser["phone"])))
    assert sum(PHONES in t for t in stack.texts(winner["phone"])) == 1
    status, lost, _ = stack.call("POST", f"/leads/{lead['lead_id']}/claim", token=loser["token"])
    assert (status, lost["claimed_by"]["name"]) == (409, winner["name"])


def test_strangers_and_forgeries_change_nothing(stack: Stack) -> None:
    _, lead = stack.post_lead(company="Guarded Ltd")
    rep, other = stack.reps[1], stack.reps[2]
    link = stack.link(rep, lead["lead_id"])
    claim = f"/leads/{lead['lead_id']}/claim"
    assert stack.call("POST", claim)[0] == 401
    forged = f"{rep['rep_id']}.{other['token'].partition('.')[2]}"
    assert stack.call("POST", claim, token=forged)[0] == 401
    assert stack.call("POST", claim, token=stack.described["manager_token"])[0] == 403
    flipped = link[:-1] + ("a" if link[-1] != "a" else "b")
    assert stack.call("POST", f"{flipped}/claim")[0] == 404
    assert stack.call("POST", "/c/short/claim")[0] == 404
    body = b'{"source":"web","external_id":"x","company":"Forged"}'
    assert stack.call("POST", "/leads", body, content_type="application/json")[0] == 401
    assert stack.call("GET", "/reps", token=rep["token"])[0] == 403
    assert stack.call("GET", "/reps", token=stack.described["manager_token"])[0] == 200
    for agent in BOTS:
        assert stack.call("GET", link, user_agent=agent, accept="*/*")[0] == 200
        assert stack.call("HEAD", link, user_agent=agent)[0] == 200
    assert stack.offer(other, lead["lead_id"])["eligible"] is True
    assert stack.call("POST", claim, token=other["token"])[0] == 200


def test_a_claim_is_undone_and_the_lead_offered_anew(stack: Stack) -> None:
    _, lead = stack.post_lead(company="Undone Ltd")
    rep, other = stack.reps[1], stack.reps[8]
    old = stack.link(other, lead["lead_id"])
    offer_text(stack, other, "Undone Ltd")
    claim = f"/leads/{lead['lead_id']}/claim"
    assert stack.call("POST", claim, token=rep["token"])[0] == 200
    release = f"/leads/{lead['lead_id']}/release"
    assert stack.call("POST", release, {"reason": "x"}, token=other["token"])[0] == 409
    assert stack.call("POST", release, {"reason": "wrong tap"}, token=rep["token"])[0] == 200
    assert stack.call("POST", release, {"reason": "wrong tap"}, token=rep["token"])[0] == 200
    # Whoever undid it has seen the details; the others keep the link and text they have (C12).
    status, refused, _ = stack.call("POST", claim, token=rep["token"])
    assert (status, refused["rules"]) == (403, ["undone"])
    until(lambda: stack.link(other, lead["lead_id"]) != old)
    assert stack.call("POST", f"{old}/claim", accept="application/json")[0] == 200
    assert len([t for t in stack.texts(other["phone"]) if "Undone Ltd" in t]) == 1
    assert "undone" in stack.dibs("lead", "show", lead["lead_id"])


def test_a_device_gets_the_push_and_a_text_only_when_nobody_looks(stack: Stack) -> None:
    rep = stack.reps[9]
    device = "/me/devices/phone-1"
    body = {"platform": "fcm", "token": "f" * 40}
    assert stack.call("PUT", device, body, token=rep["token"])[0] == 200
    assert stack.call("PUT", device, body, token=rep["token"])[0] == 200
    try:
        _, seen = stack.post_lead(company="Looked At Ltd")
        status, answer, _ = stack.call("POST", f"/leads/{seen['lead_id']}/seen", token=rep["token"])
        assert status == 200, answer
        stack.post_lead(company="Ignored Ltd")
        until(lambda: any("Ignored Ltd" in t for t in stack.texts(rep["phone"])), seconds=60)
        assert not any("Looked At Ltd" in t for t in stack.texts(rep["phone"]))
    finally:
        assert stack.call("DELETE", device, token=rep["token"])[0] == 200


def claims(stack: Stack, rep: dict[str, Any]) -> float:
    status, board, _ = stack.call("GET", "/boards/claims?period=all", token=rep["token"])
    assert status == 200, board
    return float(board.get("me", {}).get("value") or 0)


def race(stack: Stack, lead_id: str, reps: list[dict[str, Any]]) -> list[tuple[int, Any]]:
    """Let all of them claim at the same moment; return what each is told, in their order."""
    start = Barrier(len(reps))

    def claim(rep: dict[str, Any]) -> tuple[int, Any]:
        start.wait()
        status, answer = 503, None
        for _ in range(10):  # a full machine answers 5xx; claiming again is harmless (C4)
            status, answer, _ = stack.call("POST", f"/leads/{lead_id}/claim", token=rep["token"])
            if status < 500:
                break
        return status, answer

    with ThreadPoolExecutor(len(reps)) as pool:
        return list(pool.map(claim, reps))


def test_a_crowd_over_http_has_one_winner_for_each_of_three_leads(
    stack: Stack, tmp_path: Path
) -> None:
    """Each claimer has a process of their own; hundreds race in tests/race, without HTTP."""
    lines = [f"Racer {number},north,Asia/Kuching" for number in range(CROWD)]
    (tmp_path / "reps.csv").write_text("\n".join(["name,team,zone", *lines]))
    tokens = tmp_path / "tokens.csv"
    said = stack.dibs("reps", "import", str(tmp_path / "reps.csv"), "--tokens", str(tokens))
    assert f"{CROWD} added" in said
    reps = [{"token": line.split(",")[2]} for line in tokens.read_text().splitlines()[1:]]
    for many in (CROWD // 2, CROWD):  # step by step: cold starts at once time each other out
        stack.warm("claim", many)
    leads = [stack.post_lead(company=f"Crowd {number} Ltd")[1]["lead_id"] for number in range(3)]
    for lead_id in leads:
        outcomes = race(stack, lead_id, reps)
        assert Counter(status for status, _ in outcomes) == {200: 1, 409: CROWD - 1}
        winner = next(answer for status, answer in outcomes if status == 200)
        named = {answer["claimed_by"]["rep_id"] for status, answer in outcomes if status == 409}
        assert len(named) == 1
        assert winner["lead"]["contact_phone"].startswith(PHONES)


def test_functions_that_reach_aws_with_boto3_race_like_the_others(stack: Stack) -> None:
    """`AWS_CLIENT=boto3` is the way back from our own client: from the post to the board."""
    reps, phone = stack.reps[:6], {"platform": "fcm", "token": "b" * 40}
    before = {rep["rep_id"]: claims(stack, rep) for rep in reps}
    nowhere = "/leads/nothing/claim"
    assert stack.call("POST", nowhere, token=reps[0]["token"])[0] == 404
    with stack.variables(["claim"], AWS_CLIENT="neither"):  # so it is heeded
        assert stack.call("POST", nowhere, token=reps[0]["token"])[0] >= 500
    with stack.variables(stack.described["functions"], AWS_CLIENT="boto3"):
        device = "/me/devices/phone-2"
        assert stack.call("PUT", device, phone, token=reps[0]["token"])[0] == 200
        _, lead = stack.post_lead(company="By Boto Ltd")
        for rep in reps:
            until(lambda rep=rep: stack.told_at(lead["lead_id"], rep["rep_id"]))
        outcomes = race(stack, lead["lead_id"], reps)
        assert Counter(status for status, _ in outcomes) == {200: 1, 409: len(reps) - 1}
        [winner] = [rep for rep, (status, _) in zip(reps, outcomes, strict=True) if status == 200]
        assert {said["claimed_by"]["rep_id"] for status, said in outcomes if status == 409} == {
            winner["rep_id"]
        }
        until(lambda: claims(stack, winner) == before[winner["rep_id"]] + 1, 120)
        assert stack.call("DELETE", device, token=reps[0]["token"])[0] == 200


def test_a_restart_in_the_middle_of_a_race_loses_nothing(stack: Stack) -> None:
    _, kept = stack.post_lead(company="Before The Restart Ltd")
    _, won = stack.post_lead(company="Won Before Ltd")
    rep, other = stack.reps[1], stack.reps[2]
    stack.offer(rep, won["lead_id"])
    assert stack.call("POST", f"/leads/{won['lead_id']}/claim", token=rep["token"])[0] == 200
    stack.restart()
    status, lost, _ = stack.call("POST", f"/leads/{won['lead_id']}/claim", token=other["token"])
    assert (status, lost["claimed_by"]["rep_id"]) == (409, rep["rep_id"])
    assert stack.offer(other, kept["lead_id"])["eligible"] is True
    assert stack.call("POST", f"/leads/{kept['lead_id']}/claim", token=other["token"])[0] == 200
    _, after = stack.post_lead(company="After The Restart Ltd")
    offer_text(stack, rep, "After The Restart")
    assert stack.call("POST", f"/leads/{after['lead_id']}/claim", token=rep["token"])[0] == 200
