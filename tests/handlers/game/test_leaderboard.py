"""Leaderboards over HTTP, for programs and for browsers, in the function's own role (G3)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from dibs.core.rep import Rep
from dibs.game.scoring.score import score
from dibs.ledger.entries import Entry, new_entry
from dibs.wiring import wiring
from handlers.app import AINA, BEN, CHONG, DAYANG, MANAGER, PLAYBOOK, Answer, App, http
from support.builders import NOON, a_lead, a_playbook, a_rep, token_of

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
TEAMS: dict[str, Any] = {"north": {"name": "North"}, "south": {"name": "South"}}
DASH = "–"


@pytest.fixture(autouse=True)
def team(app: App) -> None:
    """Aina has claimed three leads, Ben and Dayang two each, in the south Chong five."""
    app.hire(AINA, BEN, CHONG, DAYANG)
    app.world.add_manager(MANAGER)
    claimed({AINA: 3, BEN: 2, DAYANG: 2, CHONG: 5})


def claimed(many: dict[Rep, int]) -> None:
    """Let reps have claimed that many leads, a minute after they might have."""
    leads = [(rep, f"{rep.rep_id}{n}") for rep, count in many.items() for n in range(count)]
    entries = [
        entry(name, "claimed", rep, lead=a_lead(lead_id=name), take_ms=60_000)
        for rep, name in leads
    ]
    score(wiring().score_deps, entries)


def entry(name: str, kind: str, rep: Rep = AINA, **more: Any) -> Entry:
    return new_entry(f"{kind}/{name}", kind, rep.rep_id, rep.team, NOON, PLAYBOOK, **more)


def won(rep: Rep, amount: int) -> None:
    """Let a rep sell to the first lead they claimed."""
    lead = a_lead(lead_id=f"{rep.rep_id}0")
    deal = entry(f"{rep.rep_id}/deal", "won", rep, lead=lead, amount=amount, currency="USD")
    score(wiring().score_deps, [deal])


def get(app: App, metric: str = "points", by: str = token_of(AINA), **query: str) -> Answer:
    """Ask as a program does, with a token."""
    return ask(app, metric, query, authorization=f"Bearer {by}")


def look(app: App, metric: str = "points", by: str = token_of(AINA), **query: str) -> Answer:
    """Look as a browser does, with its cookie."""
    return ask(app, metric, query, cookie=app.cookie(by), authorization=None, accept=BROWSER)


def ask(app: App, metric: str, query: dict[str, str], **headers: str | None) -> Answer:
    asked = http("http_board", "GET /boards/{metric}", {"metric": metric}, **headers)
    asked["queryStringParameters"] = query
    return app.ask("boards", asked)


def rules(app: App, **changes: Any) -> None:
    app.put_playbook(a_playbook(**{"teams": TEAMS, **changes}))


def row(place: int | None, rep: Rep | None, value: float | None) -> dict[str, Any]:
    known = {"id": rep and rep.rep_id, "name": rep and rep.name}
    return {"place": place, **known, "value": value}


# For programs


def test_a_rep_sees_their_team_and_where_they_stand(app: App) -> None:
    answer = get(app, by=token_of(BEN))
    assert answer.status == 200
    assert answer.json == {
        "board": "points",
        "means": "Points earned.",
        "unit": "points",
        "better": "more",
        "period": "2026-W48",
        "scope": "reps",
        "team": "north",
        "as_of": "2026-11-23T12:00:00.000Z",
        "of": 3,
        "rows": [row(1, AINA, 30), row(2, BEN, 20), row(2, DAYANG, 20)],
        "around": [row(1, AINA, 30), row(2, BEN, 20), row(2, DAYANG, 20)],
        "not_ranked": [],
        "not_ranked_of": 0,
        "me": {**row(2, BEN, 20), "gap": 10},
    }


def test_who_has_too_few_leads_for_an_average_is_listed_apart(app: App) -> None:
    found = get(app, "claim_speed", MANAGER, top="2").json
    assert [(one["place"], one["id"]) for one in found["rows"]] == [(1, CHONG.rep_id)]
    assert [(one["id"], one["have"], one["need"]) for one in found["not_ranked"]] == [
        (AINA.rep_id, 3, 5),
        (BEN.rep_id, 2, 5),
    ]
    assert (found["of"], found["not_ranked_of"]) == (1, 3)
    own = {**row(None, AINA, 60), "have": 3, "need": 5, "gap": None}
    assert get(app, "claim_speed").json["me"] == own


def test_the_boards_a_page_links_to_are_a_setting(app: App) -> None:
    rules(app, game={"boards": ["contact_rate", "dials_per_hour", "response_speed"]})
    links = Outline(look(app).text).links
    assert {"Contact rate", "Dials per hour", "Response speed"} <= set(links)
    assert "Claims" not in links


def test_a_manager_sees_everybody_or_one_team(app: App) -> None:
    found = get(app, "claims", MANAGER).json
    assert [one["name"] for one in found["rows"]] == [
        one.name for one in (CHONG, AINA, BEN, DAYANG)
    ]
    assert (found["team"], found["around"], "me" in found) == (None, [], False)
    found = get(app, "claims", MANAGER, team="south", top="1").json
    assert (found["team"], found["rows"]) == ("south", [row(1, CHONG, 5)])


def test_teams_against_each_other(app: App) -> None:
    found = get(app, "claims", scope="teams").json
    north = {"place": 1, "id": "north", "name": "North", "value": 7}
    south = {"place": 2, "id": "south", "name": "South", "value": 5}
    assert found["rows"] == [north, south]
    assert (found["team"], found["me"]) == (None, {**north, "gap": None})


def test_a_rep_asks_for_no_other_team(app: App) -> None:
    assert get(app, team="north").status == 200
    answer = get(app, team="south")
    assert (answer.status, [e["field"] for e in answer.json["errors"]]) == (422, ["team"])
    assert CHONG.name not in answer.text


def test_what_newcomers_did_in_their_protected_weeks_is_on_no_board(app: App) -> None:
    newcomer = a_rep(9)
    app.hire(newcomer)
    score(wiring().score_deps, [entry("1", "reference", newcomer, protected=True)])
    found = get(app, "points", token_of(newcomer)).json
    assert (found["of"], "me" in found) == (3, False)
    assert newcomer.name not in get(app, by=MANAGER).text
    score(wiring().score_deps, [entry("2", "reference", newcomer)])
    assert get(app, "points", token_of(newcomer)).json["of"] == 4


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({"period": "decade"}, ["period"]),
        ({"scope": "world"}, ["scope"]),
        ({"top": "0"}, ["top"]),
        ({"top": "101"}, ["top"]),
        ({"top": "1000"}, ["top"]),
        ({"top": "-1"}, ["top"]),
        ({"top": "²"}, ["top"]),
        ({"period_name": "2026-11"}, ["period_name"]),
        ({"period_name": "last"}, ["period_name"]),
        ({"period": "fortnight", "scope": "x", "team": "west"}, ["period", "scope", "team"]),
    ],
)
def test_what_is_asked_for_wrongly_is_named(
    app: App, query: dict[str, str], fields: list[str]
) -> None:
    answer = get(app, by=MANAGER, **query)
    assert (answer.status, answer.code) == (422, "invalid_input")
    assert [error["field"] for error in answer.json["errors"]] == fields


@pytest.mark.parametrize("metric", ["nothing", "Points", "a" * 300, "sum(points)"])
def test_a_figure_nobody_defined_is_not_found(app: App, metric: str) -> None:
    answer = get(app, metric)
    assert (answer.status, answer.code) == (404, "not_found")
    assert "GET /metrics" in answer.json["detail"]


@pytest.mark.parametrize("token", ["aaaac.forged", "manager.forged", "nobody.secret", "x"])
def test_without_a_right_token_nothing_is_shown(app: App, token: str) -> None:
    answer = get(app, by=token)
    assert (answer.status, answer.code) == (401, "unauthorized")


def test_a_metric_of_the_playbook_has_a_board(app: App) -> None:
    metric = {"formula": "2 * count(claimed)", "means": "Claims, twice."}
    rules(app, game={"metrics": {"twice": metric}})
    assert get(app, "twice").json["rows"][0] == row(1, AINA, 6)


def test_a_board_is_one_query_of_the_standings(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    get(app)  # reads the playbook, and which generation is live
    asked: list[str] = []
    for name in ("query", "get_item", "batch_get_item", "scan"):
        real = getattr(wiring().dynamo.client, name)

        def counted(name: str = name, real: Any = real, **request: Any) -> Any:
            tables = request.get("RequestItems", {}) or [request.get("TableName")]
            asked.extend(name for table in tables if table == app.settings.standings_table)
            return real(**request)

        monkeypatch.setattr(wiring().dynamo.client, name, counted)
    claimed({replace(BEN, rep_id=a_rep(9).rep_id): 1})
    asked.clear()
    found = get(app, "claims").json
    assert (asked, found["of"]) == (["query"], 4)


def test_looking_changes_nothing(app: App) -> None:
    cookie = app.cookie(token_of(AINA))
    before = app.everything()
    get(app)
    ask(app, "points", {}, cookie=cookie, authorization=None, accept=BROWSER)
    assert app.everything() == before


# For people


_FRAME = re.compile("<header.*?</header>|<nav class=.tabs.*?</nav>|<script.*?</script>", re.DOTALL)


class Outline(HTMLParser):
    """What a screen reader makes of a page but its frame: tags, rows of its tables, links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[list[str]] = []
        self.links: dict[str, tuple[str, bool]] = {}
        self.words = ""
        self._cell: list[str] = []
        self._inside = ""
        self.feed(_FRAME.sub("", page))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.tags.append((tag, known))
        if tag in ("table", "tr", "style", "a"):
            self._inside = tag
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append("")
        if tag == "a":
            self._link = (str(known["href"]), "aria-current" in known)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("table", "tr", "style", "a"):
            self._inside = ""

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if not text or self._inside == "style":
            return
        if self._inside == "tr":
            self.tables[-1][-1] = f"{self.tables[-1][-1]} {text}".strip()
        elif self._inside == "a":
            self.links[text] = self._link
        else:
            self.words += f" {text}"

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def seen(app: App, metric: str = "points", by: Rep = AINA, **query: str) -> Outline:
    page = look(app, metric, token_of(by), **query)
    assert page.status == 200
    return Outline(page.text)


def test_a_page_says_what_the_board_says(app: App) -> None:
    page = look(app, by=token_of(BEN))
    assert page.status == 200
    outline = Outline(page.text)
    assert "Points · Dibs" in outline.words
    assert "North · 2026-W48 · as of 2026-11-23 12:00 UTC" in outline.words
    assert "Your place: 2 of 3. To the next place: 10." in outline.words
    assert outline.tables == [
        ["Place Name Value", f"1 {AINA.name} 30", "2 shared Ben Lim you 20", "2 shared Dayang 20"]
    ]


def test_a_page_runs_no_script_loads_nothing_and_is_small(app: App) -> None:
    crowd = [a_rep(number, name="Wan Nur Aisyah binti Wan Rahman") for number in range(20, 30)]
    app.hire(*crowd)
    claimed(dict.fromkeys(crowd, 1))
    page = look(app, by=token_of(max(crowd, key=lambda rep: rep.rep_id)))
    outline = Outline(page.text)
    assert [len(rows) for rows in outline.tables] == [11, 3]
    assert page.text.count("<script") == 1  # the one all screens share
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert len(page.text.encode()) < 16_000
    assert {tag for tag, attrs in outline.tags if "style" in attrs} == set()


def test_a_screen_reader_can_read_it(app: App) -> None:
    page = seen(app, by=BEN, top="1")
    assert len(page.all("table")) == len(page.all("caption")) == 2
    assert {one.get("scope") for one in page.all("th")} == {"col", "row"}
    assert [one["aria-label"] for one in page.all("nav")] == ["Other boards", "Period", "View"]
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == 1
    owns = [one for one in page.all("tr") if one.get("class") == "own"]
    assert len(owns) == 1


def test_the_neighbours_stand_apart_where_the_top_does_not_show_them(app: App) -> None:
    assert seen(app, by=DAYANG, top="1").tables[1] == [
        "Kedudukan Nama Nilai",
        "2 seri Ben Lim 20",
        "2 seri Dayang anda 20",
    ]
    # The last of the top: who comes next is no longer in it.
    assert len(seen(app, by=BEN, top="2").tables) == 2
    assert len(seen(app, by=AINA, top="2").tables) == 1
    assert len(seen(app, by=DAYANG, top="3").tables) == 1


def test_a_page_leads_to_other_periods_scopes_and_boards(app: App) -> None:
    links = seen(app, "claims", period="month", period_name="2026-11", scope="teams").links
    here = {text for text, (_, current) in links.items() if current}
    assert here == {"Teams", "Claims"}

    def to(text: str) -> tuple[str, dict[str, list[str]]]:
        where = urlsplit(links[text][0])
        return where.path, parse_qs(where.query)

    assert to("Month") == ("/boards/claims", {"period": ["month"], "scope": ["teams"]})
    named = {"period": ["month"], "period_name": ["2026-11"]}
    assert to("Reps") == ("/boards/claims", {**named, "scope": ["reps"]})
    assert to("Revenue") == ("/boards/revenue", {**named, "scope": ["teams"]})
    names = ["Day", "Week", "Month", "Quarter", "Year", "All time", "Reps", "Teams"]
    boards = ["Points", "Claims", "Claim speed", "Conversion", "Opportunities", "Revenue"]
    boards.append("Response speed")
    assert list(links) == boards + names
    for _, (href, _) in links.items():
        where = urlsplit(href)
        query = {name: value[0] for name, value in parse_qs(where.query).items()}
        assert look(app, where.path.removeprefix("/boards/"), **query).status == 200
    for day_of_all in (seen(app, by=BEN, period="day"), Outline(look(app, by=MANAGER).text)):
        where = urlsplit(day_of_all.links["Response speed"][0])
        query = {name: value[0] for name, value in parse_qs(where.query).items()}
        by = token_of(BEN) if "team" not in query else MANAGER
        assert look(app, "response_speed", by, **query).status == 200
    assert seen(app, top="25").links["Claims"][0].endswith("top=25")


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("points", "1,230"),
        ("revenue", "1,234,567.80"),
        ("claim_speed", "1 min 00 s"),
        ("a_third", "33.3 %"),
        ("whole", "100 %"),
        ("per_claim", "0.33"),
        ("dials_per_hour", DASH),
    ],
)
def test_values_are_shown_in_their_unit(app: App, metric: str, value: str) -> None:
    metrics = {
        "points": {"formula": "41 * sum(points)", "means": "Many.", "unit": "points"},
        "a_third": {"formula": "1 / count(claimed)", "means": "A share.", "unit": "ratio"},
        "whole": {"formula": "count(claimed) / count(claimed)", "means": "All.", "unit": "ratio"},
        "per_claim": {"formula": "1 / count(claimed)", "means": "A number."},
    }
    if metric == "revenue":
        won(AINA, 123_456_780)
    rules(app, game={"metrics": metrics})
    own = next(row for row in seen(app, metric).tables[0] if AINA.name in row)
    assert own.endswith(f"you {value}")


@pytest.mark.parametrize(
    ("formula", "english", "malay"),
    [
        ("42 / 10", "4.2 s", "4.2 s"),
        ("7500", "2 h 05 min", "2 jam 05 min"),
        ("97200", "1 d 3 h", "1 hari 3 jam"),
    ],
)
def test_times_are_shown_in_the_units_of_the_language(
    app: App, formula: str, english: str, malay: str
) -> None:
    per_claim = f"{formula} * count(claimed) / count(claimed)"
    metrics = {"long": {"formula": per_claim, "means": "A time.", "unit": "seconds"}}
    rules(app, game={"metrics": metrics})
    for rep, shown in ((AINA, english), (DAYANG, malay)):
        own = next(row for row in seen(app, "long", by=rep).tables[0] if rep.name in row)
        assert own.endswith(shown)


@pytest.mark.parametrize(
    ("currency", "shown"), [("USD", "50.00"), ("JPY", "5,000"), ("KWD", "5.000")]
)
def test_money_has_the_decimals_of_its_currency(app: App, currency: str, shown: str) -> None:
    money = {"formula": "5000 * max(0, count(claimed) - 2)", "means": "Money.", "unit": "money"}
    rules(app, game={"metrics": {"paid": money}}, quota={"currency": currency})
    page = seen(app, "paid", by=BEN)
    heading, first, *_ = page.tables[0]
    assert heading == f"Place Name {currency}"
    assert first == f"1 {AINA.name} {shown}"
    assert f"To the next place: {currency} {shown}." in page.words


def test_who_has_no_value_has_no_place(app: App) -> None:
    page = seen(app, "quota_attainment")
    assert page.tables[0][1] == f"{DASH} {AINA.name} you {DASH}"
    assert "No value yet, so no place yet." in page.words


def test_who_has_too_few_hours_is_told_how_many_they_have(app: App) -> None:
    page = seen(app, "dials_per_hour")
    assert page.tables[0][:2] == ["Has, needs Name Value", f"0 of 5 {AINA.name} you {DASH}"]
    assert "You are not ranked yet: you have 0 of 5." in page.words
    page = seen(app, "claim_speed", scope="teams")
    assert page.tables[0][1] == "1 shared North your team 1 min 00 s"


def test_an_empty_board_says_so(app: App) -> None:
    page = seen(app, period="day", period_name="2026-11-01")
    assert "Nothing has been counted here yet." in page.words
    assert page.tables == []


def test_who_is_not_on_it_is_told(app: App) -> None:
    newcomer = a_rep(8)
    app.hire(newcomer)
    page = seen(app, by=newcomer)
    assert "You are not on this board yet." in page.words
    assert len(page.tables[0]) == 4
    outsider = a_rep(7, team="west")
    app.hire(outsider)
    rules(app, teams={**TEAMS, "west": {"name": "West"}})
    assert "Your team is not on this board yet." in seen(app, by=outsider, scope="teams").words


def test_an_anonymous_team_sees_places_and_no_names(app: App) -> None:
    rules(app, teams={**TEAMS, "north": {"name": "North", "anonymous": True}})
    page = look(app, by=token_of(BEN))
    assert AINA.name not in page.text
    assert AINA.rep_id not in page.text
    assert Outline(page.text).tables[0][1:] == [
        "1 A colleague 30",
        "2 shared Ben Lim you 20",
        "2 shared A colleague 20",
    ]


def test_with_own_gap_a_rep_sees_nobody_but_themselves(app: App) -> None:
    rules(app, teams={**TEAMS, "north": {"name": "North", "own_gap": True}})
    page = look(app, by=token_of(BEN))
    outline = Outline(page.text)
    assert (AINA.name in page.text, DAYANG.name in page.text) == (False, False)
    assert outline.tables == [["Place Name Value", "2 shared Ben Lim you 20"]]
    assert "To the next place: 10." in outline.words
    assert "The top" not in outline.words
    teams = seen(app, by=BEN, scope="teams")
    assert [one.split()[1] for one in teams.tables[0][1:]] == ["North", "South"]


def test_a_manager_sees_everybody_on_the_page_too(app: App) -> None:
    rules(app, teams={**TEAMS, "north": {"name": "North", "own_gap": True}})
    page = look(app, "claims", MANAGER)
    outline = Outline(page.text)
    assert "All reps" in outline.words
    assert len(outline.tables[0]) == 5
    assert "you" not in " ".join(outline.tables[0]).split()
    assert "not on this board" not in outline.words


def test_what_people_write_is_text_and_no_markup(app: App) -> None:
    metric = {"formula": "count(claimed)", "means": "<b>Claims</b>"}
    rules(app, game={"metrics": {"bold": metric}})
    rep = a_rep(6, name="<script>alert(1)</script>")
    app.hire(rep)
    claimed({rep: 1})
    page = look(app, "bold", period_name="2026-W48")
    assert "&lt;script&gt;" in page.text
    assert Outline(page.text).all("script") == Outline(page.text).all("b") == []


def test_who_is_not_signed_in_is_asked_to(app: App) -> None:
    page = ask(app, "points", {}, authorization=None, accept=BROWSER)
    assert page.status == 401
    assert 'action="/sign-in"' in page.text
    assert AINA.name not in page.text


@pytest.mark.parametrize(
    ("metric", "query", "status", "said"),
    [
        ("nothing", {}, 404, "There is no figure"),
        ("points", {"team": "south"}, 422, "your own team"),
        ("points", {"period": '"><b>'}, 422, "use one of day"),
    ],
)
def test_a_browser_that_asks_wrongly_is_told_in_words(
    app: App, metric: str, query: dict[str, str], status: int, said: str
) -> None:
    page = look(app, metric, **query)
    assert page.status == status
    assert said in page.text
    outline = Outline(page.text)
    assert outline.links == {"Show the board of points": ("/boards/points", False)}
    assert outline.all("b") == []


def test_a_week_that_is_over_is_still_there(app: App) -> None:
    app.clock.at += timedelta(weeks=1)
    assert get(app).json["rows"] == []
    assert get(app, period_name="2026-W48").json["me"]["value"] == 30
    assert get(app, period="all").json["me"]["value"] == 30
