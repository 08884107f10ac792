"""Blind leads end to end (F4, F5): a hot and a cold one answer the same; managers see the mix."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from dibs.core.lead import Lead
from dibs.core.quality import Quality
from dibs.intake.blind import is_blind
from handlers.app import AINA, BEN, CHONG, MANAGER, PLAYBOOK, Answer, App, http, signed
from support.builders import a_playbook, token_of

# Hot and cold leads are blind, warm ones never.
BLIND = {"share_percent": 100, "hot": 50, "warm": 0, "cold": 50}
# Salts by which almost any chance is enough.
LOW = [s for s in (n.to_bytes(9, "big") for n in range(3_000)) if is_blind(s, 0.01)]
WINDOWS = [{"source": "fair", "premium": [0, 0, 0], "window_seconds": 60}]


@pytest.fixture(autouse=True)
def rules(app: App) -> None:
    app.hire(AINA, BEN, CHONG)
    app.world.add_manager(MANAGER)
    put_rules(app)


def put_rules(app: App, **changes: Any) -> None:
    north = {"name": "North", "model": "tiers"}
    app.put_playbook(
        a_playbook(
            teams={"north": north, "south": {"name": "South"}},
            blind=BLIND,
            waves={"premium": [0, 60, None], "standard": [0, 0, 0]},
            windows=WINDOWS,
            **changes,
        )
    )


def post(app: App, monkeypatch: pytest.MonkeyPatch, salt: bytes, **body: Any) -> Lead:
    """Post a lead that gets this salt."""
    monkeypatch.setattr("secrets.token_bytes", lambda size: salt)
    lead = {"source": "fair", "team": "north", **body}
    answer = app.ask("ingest", signed(http("http_ingest", body=json.dumps(lead))))
    assert answer.status in (200, 201)
    found = app.world.leads.get(answer.json["lead_id"])
    assert found is not None
    return found


@pytest.fixture
def pair(app: App, monkeypatch: pytest.MonkeyPatch) -> tuple[Lead, Lead]:
    """A hot and a cold lead, unlike in everything, both blind."""
    hot = post(
        app,
        monkeypatch,
        LOW[0],
        external_id="a",
        company="Grand Industries Holding",
        company_size="4711",
        contact_title="Owner",
        score=95,
    )
    cold = post(app, monkeypatch, LOW[1], external_id="b", company="X", source="web", score=5)
    assert (hot.quality, cold.quality, hot.blind, cold.blind) == (
        Quality.HOT,
        Quality.COLD,
        True,
        True,
    )
    return hot, cold


def rep_asks(app: App, route: str, lead: Lead | None = None) -> Answer:
    path = {"lead_id": lead.lead_id} if lead else {}
    bearer = f"Bearer {token_of(AINA)}"
    return app.ask("rep", http("http_offers", route, path, authorization=bearer))


def looks(app: App, lead: Lead, route: str = "GET /c/{token}") -> Answer:
    name = "http_claim_page_post" if route.startswith("POST") else "http_claim_page"
    return app.ask("claim", http(name, route, {"token": app.link(lead)}))


def listed(app: App, lead: Lead) -> str:
    offers = rep_asks(app, "GET /me/offers").json["offers"]
    return json.dumps(next(one for one in offers if one["lead_id"] == lead.lead_id))


Look = Callable[[App, Lead], object]
LOOKS: dict[str, Look] = {
    "the list": listed,
    "the page": looks,
    "the state": lambda app, lead: looks(app, lead, "GET /c/{token}/state"),
    "seen by link": lambda app, lead: looks(app, lead, "POST /c/{token}/seen"),
    "seen": lambda app, lead: rep_asks(app, "POST /leads/{lead_id}/seen", lead),
    "declined": lambda app, lead: rep_asks(app, "POST /leads/{lead_id}/decline", lead),
}


def same(app: App, pair: tuple[Lead, Lead], look: Look) -> bool:
    """Tell whether both leads look alike, but for their names: to the letter, so in length too."""
    shown = []
    for lead in pair:
        told = str(look(app, lead))
        for name, its_name in ((app.link(lead), "LINK"), (lead.lead_id, "ID")):
            told = told.replace(name, its_name)
        shown.append(told)
    return shown[0] == shown[1]


@pytest.mark.parametrize("look", LOOKS)
def test_a_hot_and_a_cold_blind_lead_look_the_same(
    app: App, pair: tuple[Lead, Lead], look: str
) -> None:
    assert same(app, pair, LOOKS[look])


def claimed_by_api(app: App, lead: Lead) -> Answer:
    return app.claim(lead, AINA)


def claimed_by_link(app: App, lead: Lead) -> Answer:
    return looks(app, lead, "POST /c/{token}/claim")


CLAIMS = {"by API": claimed_by_api, "by link": claimed_by_link, "the page": looks}


@pytest.mark.parametrize("how", CLAIMS)
@pytest.mark.parametrize(("why", "status"), [("refused", 403), ("lost", 409), ("expired", 410)])
def test_a_blind_lead_that_is_not_won_stays_blind(
    app: App, pair: tuple[Lead, Lead], how: str, why: str, status: int
) -> None:
    if why == "refused":
        app.pause(AINA, hours=1)
    elif why == "lost":
        assert [app.claim(lead, BEN).status for lead in pair] == [200, 200]
    else:
        app.clock.pass_(hours=3)
    assert same(app, pair, CLAIMS[how])
    shown = CLAIMS[how](app, pair[0])
    assert shown.status in ((200, 410) if how == "the page" else (status,))
    assert not [word for word in ("Grand", "4711", "Owner", "fair") if word in shown.text]


def test_an_offer_says_that_it_is_blind(app: App, pair: tuple[Lead, Lead]) -> None:
    offer = json.loads(listed(app, pair[0]))
    assert offer["blind"] is True
    assert offer["preview"] == {
        "company": "Blind lead",
        "company_size": "",
        "contact_title": "",
        "source": "",
        "score": None,
    }
    page = looks(app, pair[0]).text
    assert ">Blind lead</h1>" in page
    assert "Its company and quality show after the claim. It cannot be undone." in page
    assert 'class="blind"' in page


def test_the_winner_of_a_blind_lead_sees_everything_and_cannot_undo_it(
    app: App, pair: tuple[Lead, Lead]
) -> None:
    won = looks(app, pair[0], "POST /c/{token}/claim")
    assert won.status == 200
    assert "Grand Industries Holding" in won.text
    assert 'data-do="undo"' not in won.text
    assert looks(app, pair[0], "POST /c/{token}/undo").status == 409
    assert app.now(pair[0]).owner == AINA.rep_id


def report(app: App, token: str = MANAGER, **query: str) -> Answer:
    asked = http("http_board", "GET /reports/blind", {}, authorization=f"Bearer {token}")
    return app.ask("boards", {**asked, "queryStringParameters": query})


def test_managers_see_the_mix_reached(
    app: App, pair: tuple[Lead, Lead], monkeypatch: pytest.MonkeyPatch
) -> None:
    del pair
    post(app, monkeypatch, LOW[0], external_id="a", company="Grand", score=95)  # once more
    post(app, monkeypatch, LOW[2], external_id="c", company="Warm", score=60)
    post(app, monkeypatch, LOW[3], external_id="t", company="Test", score=95, test=True)
    # What was counted two weeks ago is a report's, and no longer the draw's.
    app.clock.pass_(weeks=2)
    post(app, monkeypatch, LOW[4], external_id="e", company="Cold", score=1)
    answer = report(app)
    assert answer.status == 200
    assert answer.json == {
        "as_of": "2026-12-07T12:00:00.000Z",
        "weeks": ["2026-W50", "2026-W49", "2026-W48", "2026-W47"],
        "share": {"percent": 75.0, "wanted": 100},
        "mix": [
            part("hot", 1, 1, 50, 33.3, 6.1, 79.2),
            part("warm", 1, 0, 0, 0.0, 0.0, 56.1),
            part("cold", 2, 2, 50, 66.7, 20.8, 93.9),
        ],
    }
    assert [one["blind"] for one in report(app, weeks="1").json["mix"]] == [0, 0, 1]


def part(quality: str, seen: int, blind: int, wanted: int, *percents: float) -> dict[str, Any]:
    names = ("percent", "least", "most")
    known = {"quality": quality, "seen": seen, "blind": blind, "wanted": wanted}
    return known | dict(zip(names, percents, strict=True))


def test_the_mix_is_for_managers_and_of_some_weeks(app: App) -> None:
    assert report(app, token_of(AINA)).status == 403
    for weeks in ("0", "53", "x", "-1", "9" * 5_000):
        assert report(app, weeks=weeks).code == "invalid_input", weeks
    assert report(app, weeks="52").json["share"] == {"percent": None, "wanted": 100}


def test_without_the_rule_nothing_is_blind_and_nothing_counted(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.put_playbook(PLAYBOOK)
    assert not post(app, monkeypatch, LOW[0], external_id="a", company="A", score=95).blind
    assert report(app).json["share"] == {"percent": None, "wanted": 0}
