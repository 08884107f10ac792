"""What waits for a manager's word, in a browser: rewards, steps, disputes (U5, G8, G9, C9)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

import pytest

from dibs.core.rep import Rep
from dibs.game.rewards.rules import RequestState
from dibs.game.scoring.points import ISSUED, Transfer
from dibs.wiring import wiring
from handlers.app import AINA, BEN, CHONG, MANAGER, Answer, App, http
from handlers.people.test_desk import look as desk
from handlers.receipts.test_receipts import dispute, raced, receipt, sealed
from support.builders import NOON, a_card, a_playbook, token_of

SECOND = "m-second.secret"
NORTHERN = "m-north.secret"
SOUTHERN = "m-south.secret"
STEPS = {"ethics": {"name": "Safety", "type": "training_step", "verified_by": "manager"}}
QUESTS = {"start": {"name": "First weeks", "badge": "Ready", "points": 50, "steps": STEPS}}
NEW = replace(AINA, joined_on=date(2026, 11, 23))
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def organisation(app: App) -> None:
    teams = {"north": {"name": "North"}, "south": {"name": "South"}}
    app.put_playbook(a_playbook(teams=teams, game={"quests": QUESTS}))
    app.world.add_manager(MANAGER)
    app.world.add_manager(SECOND)
    app.world.add_manager(NORTHERN, team="north")
    app.world.add_manager(SOUTHERN, team="south")
    app.hire(NEW, BEN, CHONG)


def look(app: App, who: str = MANAGER, **asked: str) -> Answer:
    event = http(
        "http_board",
        "GET /desk/approvals",
        {},
        accept="text/html",
        cookie=app.cookie(who),
        authorization=None,
    )
    return app.ask("manage", {**event, "queryStringParameters": asked})


def press(
    app: App,
    function: str,
    route: str,
    path: dict[str, str],
    form: Any,
    who: str = MANAGER,
    site: str = "same-origin",
) -> Answer:
    """Send a form of the page."""
    event = http(
        "http_playbook",
        f"POST {route}",
        path,
        urlencode(form, doseq=True),
        accept="text/html",
        cookie=app.cookie(who),
        content_type=FORM,
        sec_fetch_site=site,
        authorization=None,
    )
    event.pop("queryStringParameters", None)
    return app.ask("game" if function == "game" else "manage", event)


def decide(app: App, what: str, name: str, who: str = MANAGER, **form: str) -> Answer:
    route = f"/rewards/requests/{{request_id}}/{what}"
    return press(app, "game", route, {"request_id": name}, form, who)


def approve(app: App, *names: str, who: str = MANAGER) -> Answer:
    return press(app, "game", "/rewards/requests/approve", {}, {"request_id": list(names)}, who)


def rule(app: App, lead_id: str, rep: Rep, who: str = MANAGER, **form: str) -> Answer:
    path = {"lead_id": lead_id, "epoch": "1", "rep_id": rep.rep_id}
    route = "/disputes/{lead_id}/{epoch}/{rep_id}/answer"
    return press(app, "manage", route, path, form, who)


def wish(app: App, rep: Rep = AINA, number: int = 1) -> str:
    """Have a rep ask for a mug; return the request's id."""
    store = wiring()
    body = json.dumps({"name": "Mug", "price": 100, "stock": 9})
    made = http("http_playbook", "PUT /rewards/{reward_id}", {"reward_id": "mug"}, body)
    app.ask("game", {**made, "headers": {**made["headers"], "authorization": f"Bearer {MANAGER}"}})
    moved = Transfer(f"award/{rep.rep_id}/{number}", ISSUED, rep.rep_id, 100, NOON, "won", "x")
    assert store.points.book([moved])
    asked = http(
        "http_playbook",
        "POST /rewards/{reward_id}/requests",
        {"reward_id": "mug"},
        json.dumps({"request_id": str(number)}),
        authorization=f"Bearer {token_of(rep)}",
    )
    assert app.ask("game", asked).status == 201
    return f"{rep.rep_id}.{number}"


def tell(app: App) -> None:
    """Have a newcomer say that they have done a step."""
    asked = http(
        "http_playbook",
        "POST /quests/{quest}/{step}",
        {"quest": "start", "step": "ethics"},
        "{}",
        authorization=f"Bearer {token_of(AINA)}",
    )
    asked.pop("queryStringParameters", None)
    assert app.ask("game", asked).status == 200


def state_of(name: str) -> RequestState:
    found = wiring().rewards.find(name)
    assert found is not None
    return found.state


def test_an_empty_list_says_so_and_what_comes_up_here(app: App) -> None:
    text = look(app).text
    assert "Nothing waits for you." in text
    assert "<form" not in text


def test_the_desk_counts_what_waits_and_leads_there(app: App) -> None:
    assert "waits for you" in desk(app).text
    assert "decision" not in desk(app).text
    wish(app)
    tell(app)
    text = desk(app).text
    assert '<a href="/desk/approvals">2 decisions wait for you.</a>' in text
    assert "Nothing waits for you." not in text


def test_every_page_of_the_desk_leads_to_the_others(app: App) -> None:
    for text in (desk(app).text, look(app).text):
        for href in ("/desk", "/desk/approvals", "/reports/assignment"):
            assert f'<a href="{href}"' in text
    assert '<a href="/desk/approvals" aria-current="page">' in look(app).text


def test_a_reward_is_approved_and_handed_out_by_forms(app: App) -> None:
    name = wish(app)
    text = look(app).text
    assert f"{AINA.name} · Mug" in text
    assert "100 points" in text
    sent = decide(app, "approve", name)
    assert (sent.status, sent.headers["location"]) == (303, "/desk/approvals")
    assert state_of(name) is RequestState.APPROVED
    assert "Handed out" in look(app).text
    assert decide(app, "collect", name).status == 303
    assert state_of(name) is RequestState.COLLECTED
    assert "Mug" not in look(app).text


@pytest.mark.parametrize("what", ["refuse", "recall"])
def test_who_says_no_says_why_and_the_points_go_back(app: App, what: str) -> None:
    name = wish(app)
    if what == "recall":
        decide(app, "approve", name)
    before = state_of(name)
    sent = decide(app, what, name, reason="")
    assert sent.status == 422
    assert "That did not work" in sent.text
    assert state_of(name) is before
    assert decide(app, what, name, reason="The second this month").status == 303
    assert state_of(name) in (RequestState.REFUSED, RequestState.RECALLED)
    assert wiring().points.balance(AINA.rep_id) == 100


def test_who_comes_second_hears_who_decided_and_when(app: App) -> None:
    name = wish(app)
    decide(app, "refuse", name, SECOND, reason="No")
    app.clock.pass_(minutes=3)
    sent = decide(app, "approve", name)
    assert sent.status == 409
    assert "M-Second refused “Mug” 3 minutes ago." in sent.text
    assert 'href="/desk/approvals"' in sent.text


def test_all_that_are_ticked_are_approved_at_once(app: App) -> None:
    names = [wish(app, AINA, 1), wish(app, AINA, 2), wish(app, BEN, 1)]
    assert approve(app, *names[:2]).status == 303
    states = [state_of(name) for name in names]
    assert states == [RequestState.APPROVED, RequestState.APPROVED, RequestState.REQUESTED]


def test_of_those_ticked_what_cannot_be_approved_is_told_and_the_others_are(app: App) -> None:
    first, other = wish(app, AINA), wish(app, BEN)
    decide(app, "refuse", first, SECOND, reason="No")
    sent = approve(app, first, other)
    assert sent.status == 409
    assert "1 request is approved. M-Second refused “Mug”" in sent.text
    assert state_of(other) is RequestState.APPROVED
    for nothing in ((), ("nobody.1",), (other, "\x00")):
        assert approve(app, *nothing).status == 422


def test_programs_hear_of_each_request_that_is_approved_or_not(app: App) -> None:
    first, other = wish(app), f"{BEN.rep_id}.1"
    event = http(
        "http_playbook",
        "POST /rewards/requests/approve",
        {},
        json.dumps({"request_ids": [first, other, first]}),
        authorization=f"Bearer {NORTHERN}",
    )
    event.pop("queryStringParameters", None)
    answer = app.ask("game", event)
    assert answer.status == 200
    assert [one["request_id"] for one in answer.json["approved"]] == [first]
    assert [(one["request_id"], one["code"]) for one in answer.json["refused"]] == [
        (other, "not_found")
    ]


def test_a_step_is_confirmed_by_a_form(app: App) -> None:
    tell(app)
    assert "Safety" in look(app).text
    path = {"quest": "start", "step": "ethics"}
    route = "/quests/{quest}/{step}/confirm"
    sent = press(app, "game", route, path, {"rep_id": AINA.rep_id})
    assert (sent.status, sent.headers["location"]) == (303, "/desk/approvals")
    assert "Safety" not in look(app).text
    # Whoever presses the button after somebody else did finds it done.
    assert press(app, "game", route, path, {"rep_id": AINA.rep_id}).status == 303


def test_a_dispute_shows_the_race_and_is_answered(app: App) -> None:
    lead = sealed(app)
    dispute(app, BEN, lead, "I was <b>first</b>.")
    text = look(app).text
    assert f"{BEN.name} · {a_card().company}" in text
    assert "I was &lt;b&gt;first&lt;/b&gt;." in text
    assert "250 ms" in text
    assert "(disputes it)" in text
    sent = rule(app, lead.lead_id, BEN, upheld="false", text="Ben came 250 ms later.")
    assert (sent.status, sent.headers["location"]) == (303, "/desk/approvals")
    assert "I was" not in look(app).text
    assert receipt(app, BEN, lead).json["dispute"]["answer"]["text"] == "Ben came 250 ms later."


def test_a_race_that_is_not_sealed_yet_is_disputed_without_a_table(app: App) -> None:
    dispute(app, BEN, raced(app))
    text = look(app).text
    assert "The race is not sealed yet." in text
    assert "<table" not in text


def test_the_second_answer_hears_of_the_first(app: App) -> None:
    lead = sealed(app)
    dispute(app, BEN, lead)
    rule(app, lead.lead_id, BEN, SECOND, upheld="true", text="Right.")
    app.clock.pass_(minutes=2)
    sent = rule(app, lead.lead_id, BEN, upheld="false", text="Wrong.")
    assert sent.status == 409
    assert "M-Second answered this dispute 2 minutes ago" in sent.text


@pytest.mark.parametrize(
    "form", [{}, {"upheld": "true"}, {"upheld": "perhaps", "text": "So"}, {"text": "So"}]
)
def test_an_answer_that_is_none_changes_nothing(app: App, form: dict[str, str]) -> None:
    lead = sealed(app)
    dispute(app, BEN, lead)
    assert rule(app, lead.lead_id, BEN, **form).status == 422
    assert receipt(app, BEN, lead).json["dispute"]["answer"] is None


def test_a_teams_manager_sees_and_decides_what_is_their_teams(app: App) -> None:
    name = wish(app)
    tell(app)
    lead = sealed(app)
    dispute(app, BEN, lead)
    assert "3 decisions wait for you." in look(app, NORTHERN).text
    assert "Nothing waits for you." in look(app, SOUTHERN).text
    assert "3 decisions" not in desk(app, app.cookie(SOUTHERN)).text
    assert "3 decisions wait for you." in look(app, team="north").text
    assert "Nothing waits for you." in look(app, team="south").text
    assert look(app, NORTHERN, team="south").status == 403
    assert decide(app, "approve", name, SOUTHERN).status == 404
    assert approve(app, name, who=SOUTHERN).status == 422
    assert rule(app, lead.lead_id, BEN, SOUTHERN, upheld="true", text="So").status == 404
    assert state_of(name) is RequestState.REQUESTED


def test_a_form_of_another_site_decides_nothing(app: App) -> None:
    name = wish(app)
    route = "/rewards/requests/{request_id}/approve"
    sent = press(app, "game", route, {"request_id": name}, {}, site="cross-site")
    assert (sent.status, sent.headers["location"]) == (303, "/sign-in?to=/desk/approvals")
    assert state_of(name) is RequestState.REQUESTED


def test_a_rep_is_told_that_it_is_for_managers(app: App) -> None:
    wish(app, BEN)
    refused = look(app, token_of(AINA))
    assert refused.status == 403
    assert BEN.name not in refused.text
    assert '<nav><a href="/">' in refused.text
