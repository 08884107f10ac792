"""What managers see of leads, page by page, and what everybody sees of the pool (J)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from dibs.aws import keys
from dibs.core.lead import Lead
from dibs.core.rep import Rep
from dibs.roster.store import DynamoRoster
from dibs.wiring import wiring
from handlers.app import AINA, BEN, CHONG, MANAGER, Answer, App, http
from support.builders import a_card, token_of

NORTHERN = "m-north.secret"


@pytest.fixture(autouse=True)
def organisation(app: App) -> None:
    app.world.add_manager(MANAGER)
    app.world.add_manager(NORTHERN, team="north")
    app.hire(AINA, BEN, CHONG)


def get(app: App, route: str, path: dict[str, str], token: str, **asked: str) -> Answer:
    function = "manage" if route == "GET /leads" else "rep"
    event = http("http_board", route, path, authorization=f"Bearer {token}", accept=None)
    return app.ask(function, {**event, "queryStringParameters": asked})


def listed(app: App, token: str = MANAGER, **asked: str) -> Answer:
    return get(app, "GET /leads", {}, token, **asked)


def all_pages(app: App, token: str = MANAGER, **asked: str) -> Iterator[dict[str, Any]]:
    after = ""
    for _ in range(200):
        page = listed(app, token, **asked, **({"after": after} if after else {})).json
        yield from page["leads"]
        after = page.get("next", "")
        if not after:
            return
    raise AssertionError("the list has no end")


def ids(app: App, token: str = MANAGER, **asked: str) -> list[str]:
    return [row["lead_id"] for row in all_pages(app, token, **asked)]


def move(app: App, what: str, lead: Lead, **body: str) -> None:
    event = http("http_playbook", f"POST /leads/{{lead_id}}/{what}", {"lead_id": lead.lead_id})
    event["headers"]["authorization"] = f"Bearer {MANAGER}"
    event.pop("queryStringParameters", None)
    assert app.ask("manage", {**event, "body": json.dumps({"reason": "so", **body})}).status == 200


@pytest.fixture
def various(app: App) -> dict[str, Lead]:
    """One lead of each place: open, waiting, on hold, held by each of two teams."""
    found = {"open": app.lead(1), "south": app.lead(2, team="south")}
    for name, number in (("waiting", 3), ("on_hold", 4), ("aina", 5)):
        app.clock.pass_(seconds=1)
        found[name] = app.lead(number)
    found["chong"] = app.lead(6, team="south")
    app.clock.pass_(seconds=1)
    assert app.claim(found["aina"], AINA).status == 200
    assert app.claim(found["chong"], CHONG).status == 200
    move(app, "withdraw", found["on_hold"], to="nobody")
    return found


def test_every_lead_that_is_not_done_with_is_listed_once(
    app: App, various: dict[str, Lead]
) -> None:
    for limit in ("1", "2", "3", "50"):
        found = ids(app, limit=limit)
        assert sorted(found) == sorted(lead.lead_id for lead in various.values()), limit


def test_leads_are_listed_by_state_team_and_holder(app: App, various: dict[str, Lead]) -> None:
    def names(**asked: str) -> set[str]:
        known = {lead.lead_id: name for name, lead in various.items()}
        return {known[one] for one in ids(app, **asked)}

    assert names(state="open") == {"open", "south", "waiting"}
    assert names(state="on_hold") == {"on_hold"}
    assert names(state="expired") == {"on_hold"}
    assert names(state="held") == names(state="claimed") == {"aina", "chong"}
    assert names(state="assigned") == names(state="contacted") == set()
    assert names(team="south") == {"south", "chong"}
    assert names(team="north", state="held") == names(holder=AINA.rep_id) == {"aina"}
    assert names(holder=BEN.rep_id) == set()
    assert listed(app, holder="nobody").status == 404
    # The window of what nobody claimed closes; from then on it waits to be assigned.
    app.pause(AINA, hours=9)
    app.pause(BEN, hours=9)
    app.pause(CHONG, hours=9)
    app.clock.pass_(hours=8)
    app.run("recalculate", {"job": "sweep"})
    assert "waiting" in names(state="waiting")
    assert "waiting" not in names(state="open")


def test_a_row_says_who_holds_it_and_how_old_it_is(app: App, various: dict[str, Lead]) -> None:
    [row] = listed(app, holder=AINA.rep_id).json["leads"]
    lead = app.now(various["aina"])
    assert row["holder"] == {"rep_id": AINA.rep_id, "name": AINA.name}
    assert (row["state"], row["company"]) == ("claimed", lead.preview.company)
    assert row["age_seconds"] == round((app.clock.at - lead.received_at).total_seconds())
    [waits] = listed(app, state="on_hold").json["leads"]
    assert (waits["holder"], waits["on_hold"]) == (None, True)
    for private in ("contact_phone", "+60", "@"):
        assert private not in listed(app).text


def test_a_manager_of_a_team_sees_that_team_only(app: App, various: dict[str, Lead]) -> None:
    mine = {"open", "waiting", "on_hold", "aina"}
    assert set(ids(app, NORTHERN)) == {various[name].lead_id for name in mine}
    assert set(ids(app, NORTHERN, holder=AINA.rep_id)) == {various["aina"].lead_id}
    assert listed(app, NORTHERN, team="south").status == 403
    assert listed(app, NORTHERN, holder=CHONG.rep_id).status == 404
    cursor = listed(app, MANAGER, limit="1").json["next"]
    seen = set(ids(app, NORTHERN, limit="1"))
    listed(app, NORTHERN, after=cursor)
    assert various["chong"].lead_id not in seen
    assert listed(app, token_of(AINA)).status == 403


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"state": "won"}, "state"),
        ({"state": "lost"}, "state"),
        ({"state": "Open"}, "state"),
        ({"team": "nosuch"}, "team"),
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"state": "open", "holder": "aaaac"}, "holder"),
        ({"after": "x"}, "after"),
        ({"after": "é"}, "after"),
        ({"after": "bnVsbA"}, "after"),  # null
        ({"after": "WyJ3b24iLCIiLG51bGxd"}, "after"),  # ["won","",null]
        ({"after": "WyJvcGVuIiwiIix7Ik9QRU4jMCI6WzEsIiJdfV0"}, "after"),  # an empty id
        ({"after": "WyJvcGVuIiwiIix7Ik9QRU4jMCI6WzFlOTk5LCJhIl19XQ"}, "after"),  # infinity
    ],
)
def test_what_cannot_be_listed_is_named(app: App, asked: dict[str, str], field: str) -> None:
    answer = listed(app, **asked)
    assert (answer.status, answer.code) == (422, "invalid_input")
    assert [error["field"] for error in answer.json["errors"]] == [field]


def test_a_page_costs_no_more_however_many_leads_there_are(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = 60
    for number in range(many):
        app.lead(number + 1, team="south" if number % 10 else "north")
    made = count(monkeypatch)
    page = listed(app, limit="50").json
    assert len(page["leads"]) == 50
    assert len(made) <= 9, made
    made.clear()
    listed(app, team="north", state="open", limit="1")
    assert len(made) <= 36
    times = [row["opened_at"] for row in all_pages(app, state="open", limit="7")]
    assert len(times) == many
    assert len(ids(app, team="north", limit="3")) == many // 10


def count(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """From now on note each request to DynamoDB."""
    made, call = list[str](), wiring().dynamo._call

    def noted(operation: Any, **request: Any) -> Any:
        made.append(operation.__name__)
        return call(operation, **request)

    monkeypatch.setattr(wiring().dynamo, "_call", noted)
    return made


def test_one_lead_is_shown_with_all_that_is_known_of_it(app: App, various: dict[str, Lead]) -> None:
    lead = various["aina"]
    answer = get(app, "GET /leads/{lead_id}", {"lead_id": lead.lead_id}, MANAGER)
    found, card = answer.json, a_card(5)
    assert found["contact"]["contact_phone"] == card.contact_phone
    assert found["contact"]["external_id"] == card.external_id
    assert found["holder"]["name"] == AINA.name
    assert "contacted" in found["next_states"]
    assert "open" not in found["next_states"]
    assert [step["to_state"] for step in found["history"]] == ["open", "claimed"]
    move(app, "assign", lead, rep_id=BEN.rep_id)
    again = get(app, "GET /leads/{lead_id}", {"lead_id": lead.lead_id}, MANAGER).json
    assert [step["at"] for step in again["history"]] == sorted(
        step["at"] for step in again["history"]
    )
    assert again["history"][-1]["reason"] == "so"
    nowhere = get(app, "GET /leads/{lead_id}", {"lead_id": "aaaaaaaaaaaa"}, MANAGER)
    assert nowhere.code == "lead_not_found"
    path = {"lead_id": lead.lead_id}
    assert get(app, "GET /leads/{lead_id}", path, NORTHERN).status == 200
    # A rep who does not hold it hears nothing of the customer.
    for rep in (AINA, CHONG):
        refused = get(app, "GET /leads/{lead_id}", path, token_of(rep))
        assert refused.status in (404, 410)
        assert card.contact_phone not in refused.text
    theirs = {"lead_id": various["chong"].lead_id}
    assert get(app, "GET /leads/{lead_id}", theirs, NORTHERN).status == 404


def pool(app: App, who: Rep | str, **asked: str) -> Answer:
    token = who if isinstance(who, str) else token_of(who)
    return get(app, "GET /pool", {}, token, **asked)


def test_the_pool_is_counted_and_says_whether_i_may_claim(app: App) -> None:
    empty = pool(app, AINA).json
    assert (empty["size"], empty["oldest_at"], empty["mean_age_seconds"]) == (0, None, 0)
    assert "eligible" not in empty
    for number, score in ((1, 90), (2, 60), (3, 10), (4, None)):
        app.lead(number, score=score)
        app.clock.pass_(seconds=10)
    app.lead(5, team="south")
    mine = pool(app, AINA).json
    assert mine["by_quality"] == {"hot": 1, "warm": 1, "cold": 2}
    assert (mine["size"], mine["mean_age_seconds"], mine["eligible"]) == (4, 25, True)
    assert pool(app, MANAGER).json["size"] == 5
    assert pool(app, MANAGER, team="south").json["size"] == 1
    assert pool(app, NORTHERN).json["size"] == 4
    assert pool(app, NORTHERN, team="south").status == 403
    assert pool(app, AINA, team="south").status == 403
    assert pool(app, MANAGER, team="nosuch").status == 422
    app.pause(AINA, hours=1)
    off = pool(app, AINA).json
    assert (off["eligible"], off["refusal"]["codes"]) == (False, ["paused"])
    assert off["refusal"]["lifts_at"] is not None
    app.clock.pass_(hours=9)
    assert pool(app, BEN).json["size"] == 0


def test_counts_of_requests(
    app: App, various: dict[str, Lead], monkeypatch: pytest.MonkeyPatch
) -> None:
    del various
    listed(app)  # the playbook and the roster are kept from now on
    made = count(monkeypatch)
    for asked, most in (
        ({"state": "open"}, 6),
        ({"holder": AINA.rep_id}, 5),
        ({"state": "held"}, 8),
    ):
        made.clear()
        listed(app, **asked)
        assert len(made) <= most, (asked, made)
    made.clear()
    pool(app, AINA)
    assert len(made) <= 6, made
    assert isinstance(wiring().roster, DynamoRoster)


def test_what_an_earlier_version_put_on_hold_is_listed_once_it_is_filed(
    app: App, various: dict[str, Lead]
) -> None:
    table, held = app.settings.leads_table, various["on_hold"].lead_id
    key = {"lead_id": {"S": held}, "sk": {"S": keys.LOCK}}
    app.world.dynamo.update(table, key, "REMOVE wait_shard, wait_at")  # as it was stored before
    assert ids(app, state="on_hold") == []
    unfiled = app.everything()
    assert wiring().lead_pages.file_on_hold() == 1
    assert ids(app, state="on_hold") == [held]
    assert app.everything() != unfiled
    filed = app.everything()
    assert wiring().lead_pages.file_on_hold() == 0
    assert app.everything() == filed
    move(app, "withdraw", various["on_hold"], to="pool")
    assert ids(app, state="on_hold") == []
