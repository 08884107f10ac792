"""Boards and reports over HTTP, and signing in to see them with a browser."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import pytest

from dibs.core.rep import Rep
from dibs.game.scoring.score import score
from dibs.ledger.entries import ASSIGNED, new_entry
from dibs.rules.game import Speed
from dibs.wiring import wiring
from handlers.app import AINA, BEN, CHONG, MANAGER, PLAYBOOK, Answer, App, event, http
from support.builders import NOON, token_of

BOARD, REPORT, SIGN_IN = "/boards/response_speed", "/reports/assignment", "/sign-in"
SECOND = timedelta(seconds=1)
WEEK = timedelta(days=7)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture(autouse=True)
def team(app: App) -> None:
    """Aina answered her lead in ten seconds, Ben his in four minutes, Chong's team none.

    One lead is enough for a place.
    """
    rules(app, minimum_sample=1)
    app.hire(AINA, BEN, CHONG)
    app.world.add_manager(MANAGER)
    answered(app, AINA, "a", 10 * SECOND)
    answered(app, BEN, "b", 240 * SECOND)
    app.clock.pass_(hours=1)


def rules(app: App, **game: Any) -> None:
    app.put_playbook(replace(PLAYBOOK, game=replace(PLAYBOOK.game, **game)))


def answered(app: App, rep: Rep, lead: str, wait: timedelta, **about: Any) -> None:
    playbook = wiring().roster.playbook()
    for kind, at in ((ASSIGNED, NOON), ("call", NOON + wait)):
        known = {"lead_id": lead, "epoch": 1, "taken_at": NOON, "source": "web", **about}
        name = f"{kind}/{lead}"
        entry = new_entry(name, kind, rep.rep_id, rep.team, at, playbook, **known)
        wiring().ledger.put([entry])


def get(app: App, where: str = BOARD, *, by: str | None = token_of(AINA), **query: str) -> Answer:
    """Ask as a program does, with a token."""
    bearer = f"Bearer {by}" if by else None
    return ask(app, f"GET {where}", query, authorization=bearer)


def look(app: App, where: str, *, cookie: str | None = None, **query: str) -> Answer:
    """Look as a browser does, with its cookie."""
    return ask(app, f"GET {where}", query, cookie=cookie, authorization=None, accept=BROWSER)


def ask(app: App, route: str, query: dict[str, str], **headers: str | None) -> Answer:
    cookie = headers.pop("cookie", None)
    path = {"metric": "response_speed"} if route == f"GET {BOARD}" else {}
    asked = http("http_board", "GET /boards/{metric}" if path else route, path, **headers)
    asked.pop("queryStringParameters")
    if query:
        asked["queryStringParameters"] = query
    if cookie:
        asked["cookies"] = ["theme=dark", cookie]
    return app.ask("boards", asked)


def sign_in(app: App, token: str) -> dict[str, Any]:
    """Send the form of the sign-in page, as API Gateway passes it on."""
    asked = http("http_board", f"POST {SIGN_IN}", {}, authorization=None, accept=BROWSER)
    form = base64.b64encode(urlencode({"token": token}).encode()).decode()
    return dict(app.run("boards", {**asked, "body": form, "isBase64Encoded": True}))


# The board


def test_a_rep_sees_the_current_week_of_their_team(app: App) -> None:
    answer = app.ask("boards", event("http_board"))
    assert answer.status == 200
    assert answer.json == {
        "board": "response_speed",
        "means": "Mean time from taking a lead to its first contact, of those contacted.",
        "unit": "seconds",
        "better": "less",
        "scope": "reps",
        "team": "north",
        "as_of": "2026-11-23T13:00:00.000Z",
        "period": {
            "name": "2026-W48",
            "start": "2026-11-23T00:00:00.000Z",
            "end": "2026-11-30T00:00:00.000Z",
        },
        "of": 2,
        "rows": [
            standing(1, AINA, 10.0),
            standing(2, BEN, 240.0),
        ],
        "around": [
            standing(1, AINA, 10.0),
            standing(2, BEN, 240.0),
        ],
        "not_ranked": [],
        "not_ranked_of": 0,
        "times": {"within_5_min": 300, "within_1_hour": 3600, "streak": 600},
        "me": {**standing(1, AINA, 10.0), "gap": None},
    }


def standing(place: int, rep: Rep, seconds: float) -> dict[str, Any]:
    return {
        "place": place,
        "id": rep.rep_id,
        "name": rep.name,
        "value": seconds,
        "within_5_min": 1.0,
        "within_1_hour": 1.0,
        "streak": 1,
        "taken": 1,
        "contacted": 1,
    }


def test_who_answered_too_few_is_listed_apart_and_wins_nothing(app: App) -> None:
    rules(app)
    for number in range(5):
        answered(app, BEN, f"more{number}", 240 * SECOND)
    app.clock.at += WEEK
    found = get(app, period_name="2026-W48").json
    assert [(row["place"], row["id"]) for row in found["rows"]] == [(1, BEN.rep_id)]
    apart = {**standing(1, AINA, 10.0), "place": None, "have": 1, "need": 5}
    assert (found["not_ranked"], found["of"], found["not_ranked_of"]) == ([apart], 1, 1)
    assert found["me"] == {**apart, "gap": None}
    assert [one["id"] for one in found["winners"]] == [BEN.rep_id]


def test_the_page_says_who_is_not_ranked_yet_and_by_which_times_it_goes(app: App) -> None:
    rules(app, speed=Speed(short_seconds=90, long_seconds=7200, streak_seconds=240))
    page = look(app, BOARD, cookie=app.cookie(token_of(AINA)))
    words = " ".join(re.sub("<[^>]*>", " ", page.text.partition("<main>")[2]).split())
    assert "You are not ranked yet: you have 1 of 5." in words
    assert "Not ranked yet Has, needs Name Value Within 90 s Within 2 h Streak under 4 min" in words
    assert f"1 of 5 {AINA.name} you 10.0 s" in words


def test_a_rep_who_took_nothing_is_not_on_it(app: App) -> None:
    answer = get(app, by=token_of(CHONG))
    assert (answer.json["team"], answer.json["rows"], answer.json["me"]) == ("south", [], None)


def test_a_rep_sees_their_own_team_alone(app: App) -> None:
    assert get(app, team="north").status == 200
    answer = get(app, team="south")
    assert (answer.status, answer.code) == (403, "forbidden")


def test_a_manager_sees_any_team_and_says_which(app: App) -> None:
    answer = get(app, by=MANAGER, team="north")
    assert [row["name"] for row in answer.json["rows"]] == [AINA.name, BEN.name]
    assert "me" not in answer.json
    answer = get(app, by=MANAGER)
    assert (answer.status, [e["field"] for e in answer.json["errors"]]) == (422, ["team"])


def test_a_week_that_is_over_has_winners(app: App) -> None:
    assert "winners" not in get(app, period_name="2026-W48").json
    app.clock.at += WEEK
    found = get(app, period_name="2026-W48").json
    assert found["winners"] == [{"id": AINA.rep_id, "name": AINA.name}]
    assert get(app).json["rows"] == []  # another week has begun
    assert get(app, period="month").json["period"]["name"] == "2026-11"


@pytest.mark.parametrize("as_of", ["2026-11-23T12:01:00Z", "2026-11-23T20:01:00 08:00"])
def test_a_board_may_be_seen_as_it_was(app: App, as_of: str) -> None:
    found = get(app, as_of=as_of).json
    assert [(row["place"], row["value"]) for row in found["rows"]] == [(1, 10.0)]
    assert [(row["value"], row["have"]) for row in found["not_ranked"]] == [(None, 0)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"period": "day"}, "period"),
        ({"period_name": "2026-11"}, "period_name"),
        ({"scope": "teams"}, "scope"),
        ({"top": "0"}, "top"),
        ({"top": "101"}, "top"),
        ({"as_of": "yesterday"}, "as_of"),
        ({"as_of": "2026-11-23T12:00:00"}, "as_of"),
        ({"as_of": "2026-11-23T13:00:00.001Z"}, "as_of"),
    ],
)
def test_what_is_asked_for_wrongly_is_named(app: App, query: dict[str, str], field: str) -> None:
    answer = get(app, **query)
    assert (answer.status, [e["field"] for e in answer.json["errors"]]) == (422, [field])


def test_the_top_may_be_asked_for_and_ones_own_place_is_still_told(app: App) -> None:
    found = get(app, by=token_of(BEN), top="1").json
    assert (found["of"], [row["place"] for row in found["rows"]]) == (2, [1])
    assert found["me"] == {**standing(2, BEN, 240.0), "gap": 230}


def test_the_board_of_the_metric_says_the_same(app: App) -> None:
    """One is worked out from the ledger, the other from totals, and both by one definition."""
    entries = wiring().ledger.of_team("north", ["2026-W48"])
    score(wiring().score_deps, [replace(one, unit=f"lead/{one.lead_id}") for one in entries])
    asked = http("http_board", "GET /boards/{metric}", {"metric": "response_time"})
    asked.pop("queryStringParameters")
    [of_metric, of_speed] = (app.ask("boards", asked).json, get(app).json)
    for one in of_speed["rows"]:
        for name in ("within_5_min", "within_1_hour", "streak", "taken", "contacted"):
            del one[name]
    assert of_metric["rows"] == of_speed["rows"]


@pytest.mark.parametrize("where", [BOARD, REPORT])
@pytest.mark.parametrize("token", [None, "aaaac.forged", "manager.forged", "zzzzz.secret", "x"])
def test_without_a_right_token_nothing_is_shown(app: App, where: str, token: str | None) -> None:
    answer = get(app, where, by=token)
    assert (answer.status, answer.code) == (401, "unauthorized")


# The report


def test_a_manager_gets_the_last_week_of_every_team(app: App) -> None:
    app.clock.at += WEEK
    answer = get(app, REPORT, by=MANAGER)
    assert answer.status == 200
    north, south = answer.json["teams"]
    assert (north["team"], north["period"]["name"], south["rows"]) == ("north", "2026-W48", [])
    assert [(row["by"], row["name"]) for row in north["rows"]] == [
        ("team", "north"),
        ("territory", ""),
        ("source", "web"),
        ("model", "open-pool"),
    ]
    assert north["rows"][0] == {
        "by": "team",
        "name": "north",
        "claimed": 0,
        "assigned": 2,
        "returned": 0,
        "released": 0,
        "taken": 2,
        "compared": True,
        "converted": 0,
        "conversion": 0.0,
        "mean_take_seconds": None,
        "mean_contact_seconds": 125.0,
        "load": {"least": 1, "median": 1.0, "most": 1},
    }


def test_what_is_too_little_to_compare_is_said_and_listed_apart(app: App) -> None:
    rules(app)
    for number in range(4):
        answered(app, AINA, f"more{number}", SECOND, source="ads")
    app.clock.at += WEEK
    north = get(app, REPORT, by=MANAGER).json["teams"][0]
    assert north["need"] == 5
    compared = {(row["by"], row["name"]): row["compared"] for row in north["rows"]}
    assert (compared["team", "north"], compared["source", "ads"]) == (True, False)
    page = look(app, REPORT, cookie=app.cookie(MANAGER))
    assert page.text.count("Too few leads to compare, fewer than 5:") == 1


def test_a_report_of_a_week_and_a_team(app: App) -> None:
    answer = get(app, REPORT, by=MANAGER, week="2026-W48", team="south")
    assert [one["team"] for one in answer.json["teams"]] == ["south"]
    answer = get(app, REPORT, by=MANAGER, week="last")
    assert (answer.status, [e["field"] for e in answer.json["errors"]]) == (422, ["week"])


def test_reports_are_for_managers(app: App) -> None:
    answer = get(app, REPORT)
    assert (answer.status, answer.code) == (403, "forbidden")


# With a browser


class Outline(HTMLParser):
    """What a screen reader makes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def test_signing_in_leads_a_manager_to_the_desk(app: App) -> None:
    app.clock.at += WEEK
    page = look(app, REPORT)
    assert page.status == 401
    assert 'type="password"' in page.text
    answer = sign_in(app, MANAGER)
    assert (answer["statusCode"], answer["headers"]["location"]) == (303, "/desk")
    [cookie] = answer["cookies"]
    name, _, secret = cookie.split("; ")[0].partition("=")
    assert name == "__Host-dibs"
    assert MANAGER not in secret
    assert set(cookie.split("; ")[1:]) == {
        "Max-Age=43200",
        "Path=/",
        "HttpOnly",
        "Secure",
        "SameSite=Lax",
    }
    page = look(app, REPORT, cookie=cookie.split(";")[0])
    assert page.status == 200
    assert "2026-W48" in page.text
    assert "2 min 05 s" in page.text


def test_a_rep_signs_in_to_their_own_page_and_sees_their_board(app: App) -> None:
    answer = sign_in(app, token_of(AINA))
    assert answer["headers"]["location"] == "/"
    cookie = answer["cookies"][0].split(";")[0]
    page = look(app, BOARD, cookie=cookie)
    assert page.status == 200
    assert "Your place: 1 of 2." in page.text
    page = look(app, REPORT, cookie=cookie)
    assert page.status == 403
    assert "This page is for managers." in page.text


@pytest.mark.parametrize("token", ["", "manager.forged", "aaaac", "a\r\nset-cookie: b", "§.§"])
def test_a_wrong_token_signs_nobody_in(app: App, token: str) -> None:
    answer = sign_in(app, token)
    assert answer["statusCode"] == 401
    assert "cookies" not in answer
    assert 'role="alert"' in answer["body"]


@pytest.mark.parametrize(
    ("url", "secure"),
    [
        ("http://dibs.localhost:4566", False),
        ("http://localhost", False),
        ("https://dibs.localhost", True),
        ("http://dibs.example", True),
        ("http://localhost.example", True),
    ],
)
def test_the_cookie_is_secure_but_on_this_machine(
    app: App, monkeypatch: pytest.MonkeyPatch, url: str, secure: bool
) -> None:
    monkeypatch.setenv("PUBLIC_URL", url)
    wiring.cache_clear()
    [cookie] = sign_in(app, MANAGER)["cookies"]
    assert ("Secure" in cookie) is secure
    assert "HttpOnly" in cookie


def test_a_cookie_in_a_plain_header_is_read_as_well(app: App) -> None:
    asked = http("http_board", authorization=None, cookie=f"a=b; {app.cookie(token_of(AINA))}; c=d")
    assert app.ask("boards", asked).status == 200


def test_a_token_that_was_sent_goes_before_the_cookie(app: App) -> None:
    asked = http("http_board", authorization="Bearer aaaac.forged")
    asked["cookies"] = [app.cookie(token_of(AINA))]
    assert app.ask("boards", asked).status == 401


def test_the_page_of_the_board_shows_shares_and_streaks(app: App) -> None:
    page = look(app, BOARD, cookie=app.cookie(token_of(AINA)))
    words = " ".join(re.sub("<[^>]*>", " ", page.text.partition("<main>")[2]).split())
    assert "North · 2026-W48 · as of 2026-11-23 13:00 UTC Week Month" in words
    assert "Quarter" not in words
    assert "Place Name Value Within 5 min Within 1 h Streak under 10 min Contacted" in words
    assert f"1 {AINA.name} you 10.0 s 100% 100% 1 1 of 1" in words
    tables = [one for one in Outline(page.text).all("div") if one.get("class") == "wide"]
    assert [one["tabindex"] for one in tables] == ["0"]


def test_a_manager_goes_from_team_to_team_on_the_page(app: App) -> None:
    page = look(app, BOARD, cookie=app.cookie(MANAGER), team="north", period="month")
    links = [str(one["href"]) for one in Outline(page.text).all("a")]
    assert f"{BOARD}?period=month&scope=reps&team=south" in links
    assert f"{BOARD}?period=week&scope=reps&team=north" in links


def test_a_page_runs_no_script_and_loads_nothing(app: App) -> None:
    for page in (look(app, SIGN_IN), look(app, REPORT, cookie=app.cookie(MANAGER))):
        assert page.status == 200
        assert Outline(page.text).all("script") == []
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        # What may run and how it looks is named by its hash.
        assert not [word for word in ("unsafe", "http", "*") if word in policy]
        assert page.headers["cache-control"] == "no-store"


def test_a_screen_reader_can_read_every_table(app: App) -> None:
    page = look(app, REPORT, cookie=app.cookie(MANAGER), week="2026-W48")
    outline = Outline(page.text)
    tables = outline.all("table")
    assert len(tables) == 4
    assert len(outline.all("caption")) == len(tables)
    assert {one.get("scope") for one in outline.all("th")} == {"col", "row"}
    labelled = {one["for"] for one in outline.all("label")}
    assert {one["id"] for one in outline.all("input")} == labelled
    assert outline.all("html") == [{"lang": "en"}]


def test_what_sources_send_is_text_and_no_markup(app: App) -> None:
    answered(app, AINA, "c", SECOND, source="<script>alert(1)</script>")
    page = look(app, REPORT, cookie=app.cookie(MANAGER), week="2026-W48")
    assert "&lt;script&gt;" in page.text
    assert Outline(page.text).all("script") == []


def test_a_browser_that_asks_wrongly_is_told_in_words(app: App) -> None:
    page = look(app, REPORT, cookie=app.cookie(MANAGER), week='"><b>')
    assert page.status == 422
    assert "name a week, such as 2026-W47" in page.text
    assert re.search("<b>", page.text) is None


def test_a_rep_is_told_that_the_report_is_for_managers(app: App) -> None:
    page = look(app, REPORT, cookie=app.cookie(token_of(AINA)))
    assert page.status == 403
    assert "This page is for managers." in page.text
    assert 'href="/"' in page.text
    assert "<form" not in page.text
