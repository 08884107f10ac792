"""Blind leads end to end (F4, F5): a hot and a cold one answer the same; managers see the mix."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from dibs.core.lead import Lead
from dibs.core.quality import Quality
from dibs.intake.blind import drawn
from handlers.office import AINA, BEN, CHONG, MANAGER, PLAYBOOK, Answer, Office, http, signed
from support.builders import a_playbook, token_of

# Hot and cold leads are blind, warm ones never.
BLIND = {"share_percent": 100, "hot": 50, "warm": 0, "cold": 50}
# Salts by which almost any chance is enough.
LOW = [s for s in (n.to_bytes(9, "big") for n in range(3_000)) if drawn(s, 0.01)]
WINDOWS = [{"source": "fair", "premium": [0, 0, 0], "window_seconds": 60}]


@pytest.fixture(autouse=True)
def rules(office: Office) -> None:
    office.hire(AINA, BEN, CHONG)
    office.world.add_manager(MANAGER)
    put_rules(office)


def put_rules(office: Office, **changes: Any) -> None:
    north = {"name": "North", "model": "tiers"}
    office.put_playbook(
        a_playbook(
            teams={"north": north, "south": {"name": "South"}},
            blind=BLIND,
            waves={"premium": [0, 60, None], "standard": [0, 0, 0]},
            windows=WINDOWS,
            **changes,
        )
    )


def post(office: Office, monkeypatch: pytest.MonkeyPatch, salt: bytes, **body: Any) -> Lead:
    """Post a lead that gets this salt."""
    monkeypatch.setattr("secrets.token_bytes", lambda size: salt)
    lead = {"source": "fair", "team": "north", **body}
    answer = office.ask("ingest", signed(http("http_ingest", body=json.dumps(lead))))
    assert answer.status in (200, 201)
    found = office.world.leads.get(answer.json["lead_id"])
    assert found is not None
    return found


@pytest.fixture
def pair(office: Office, monkeypatch: pytest.MonkeyPatch) -> tuple[Lead, Lead]:
    """A hot and a cold lead, unlike in everything, both blind."""
    hot = post(
        office,
        monkeypatch,
        LOW[0],
        external_id="a",
        company="Grand Industries Holding",
        company_size="4711",
        contact_title="Owner",
        score=95,
    )
    cold = post(office, monkeypatch, LOW[1], external_id="b", company="X", source="web", score=5)
    assert (hot.quality, cold.quality, hot.blind, cold.blind) == (
        Quality.HOT,
        Quality.COLD,
        True,
        True,
    )
    return hot, cold


def rep_asks(office: Office, route: str, lead: Lead | None = None) -> Answer:
    path = {"lead_id": lead.lead_id} if lead else {}
    bearer = f"Bearer {token_of(AINA)}"
    return office.ask("rep", http("http_offers", route, path, authorization=bearer))


def looks(office: Office, lead: Lead, route: str = "GET /c/{token}") -> Answer:
    name = "http_claim_page_post" if route.startswith("POST") else "http_claim_page"
    return office.ask("claim", http(name, route, {"token": office.link(lead)}))


def listed(office: Office, lead: Lead) -> str:
    offers = rep_asks(office, "GET /me/offers").json["offers"]
    return json.dumps(next(one for one in offers if one["lead_id"] == lead.lead_id))


Look = Callable[[Office, Lead], object]
LOOKS: dict[str, Look] = {
    "the list": listed,
    "the page": looks,
    "the state": lambda office, lead: looks(office, lead, "GET /c/{token}/state"),
    "seen by link": lambda office, lead: looks(office, lead, "POST /c/{token}/seen"),
    "seen": lambda office, lead: rep_asks(office, "POST /leads/{lead_id}/seen", lead),
    "declined": lambda office, lead: rep_asks(office, "POST /leads/{lead_id}/decline", lead),
}


def same(office: Office, pair: tuple[Lead, Lead], look: Look) -> bool:
    """Tell whether both leads look alike, but for their names: to the letter, so in length too."""
    shown = []
    for lead in pair:
        told = str(look(office, lead))
        for name, its_name in ((office.link(lead), "LINK"), (lead.lead_id, "ID")):
            told = told.replace(name, its_name)
        shown.append(told)
    return shown[0] == shown[1]


@pytest.mark.parametrize("look", LOOKS)
def test_a_hot_and_a_cold_blind_lead_look_the_same(
    office: Office, pair: tuple[Lead, Lead], look: str
) -> None:
    assert same(office, pair, LOOKS[look])


def claimed_by_api(office: Office, lead: Lead) -> Answer:
    return office.claim(lead, AINA)


def claimed_by_link(office: Office, lead: Lead) -> Answer:
    return looks(office, lead, "POST /c/{token}/claim")


CLAIMS = {"by API": claimed_by_api, "by link": claimed_by_link, "the page": looks}


@pytest.mark.parametrize("how", CLAIMS)
@pytest.mark.parametrize(("why", "status"), [("refused", 403), ("lost", 409), ("expired", 410)])
def test_a_blind_lead_that_is_not_won_stays_blind(
    office: Office, pair: tuple[Lead, Lead], how: str, why: str, status: int
) -> None:
    if why == "refused":
        office.pause(AINA, hours=1)
    elif why == "lost":
        assert [office.claim(lead, BEN).status for lead in pair] == [200, 200]
    else:
        office.clock.pass_(hours=3)
    assert same(office, pair, CLAIMS[how])
    shown = CLAIMS[how](office, pair[0])
    assert shown.status in ((200, 410) if how == "the page" else (status,))
    assert not [word for word in ("Grand", "4711", "Owner", "fair") if word in shown.text]


def test_an_offer_says_that_it_is_blind(office: Office, pair: tuple[Lead, Lead]) -> None:
    offer = json.loads(listed(office, pair[0]))
    assert offer["blind"] is True
    assert offer["preview"] == {
        "company": "Blind lead",
        "company_size": "",
        "contact_title": "",
        "source": "",
        "score": None,
    }
    page = looks(office, pair[0]).text
    assert ">Blind lead</h1>" in page
    assert "Its company and quality show after the claim. It cannot be undone." in page
    assert 'class="blind"' in page


def test_the_winner_of_a_blind_lead_sees_everything_and_cannot_undo_it(
    office: Office, pair: tuple[Lead, Lead]
) -> None:
    won = looks(office, pair[0], "POST /c/{token}/claim")
    assert won.status == 200
    assert "Grand Industries Holding" in won.text
    assert 'data-do="undo"' not in won.text
    assert looks(office, pair[0], "POST /c/{token}/undo").status == 409
    assert office.now(pair[0]).owner == AINA.rep_id


def report(office: Office, token: str = MANAGER, **query: str) -> Answer:
    asked = http("http_board", "GET /reports/blind", {}, authorization=f"Bearer {token}")
    return office.ask("boards", {**asked, "queryStringParameters": query})


def test_managers_see_the_mix_reached(
    office: Office, pair: tuple[Lead, Lead], monkeypatch: pytest.MonkeyPatch
) -> None:
    del pair
    post(office, monkeypatch, LOW[0], external_id="a", company="Grand", score=95)  # once more
    post(office, monkeypatch, LOW[2], external_id="c", company="Warm", score=60)
    post(office, monkeypatch, LOW[3], external_id="t", company="Test", score=95, test=True)
    # What was counted two weeks ago is a report's, and no longer the draw's.
    office.clock.pass_(weeks=2)
    post(office, monkeypatch, LOW[4], external_id="e", company="Cold", score=1)
    answer = report(office)
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
    assert [one["blind"] for one in report(office, weeks="1").json["mix"]] == [0, 0, 1]


def part(quality: str, seen: int, blind: int, wanted: int, *percents: float) -> dict[str, Any]:
    names = ("percent", "least", "most")
    known = {"quality": quality, "seen": seen, "blind": blind, "wanted": wanted}
    return known | dict(zip(names, percents, strict=True))


def test_the_mix_is_for_managers_and_of_some_weeks(office: Office) -> None:
    assert report(office, token_of(AINA)).status == 403
    for weeks in ("0", "53", "x", "-1", "9" * 5_000):
        assert report(office, weeks=weeks).code == "invalid_input", weeks
    assert report(office, weeks="52").json["share"] == {"percent": None, "wanted": 100}


def test_without_the_rule_nothing_is_blind_and_nothing_counted(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.put_playbook(PLAYBOOK)
    assert not post(office, monkeypatch, LOW[0], external_id="a", company="A", score=95).blind
    assert report(office).json["share"] == {"percent": None, "wanted": 0}
