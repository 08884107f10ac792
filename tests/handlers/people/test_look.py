"""An organisation's name, logo and colours on every screen, and who may embed them (U9)."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import pytest

from handlers.app import AINA, MANAGER, Answer, App, http
from support.builders import a_playbook, token_of

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
LOOK = {
    "name": "Kinabalu & Söhne",
    "logo": "data:image/svg+xml;base64," + b64encode(SVG).decode(),
    "colour": "#0b3d91",
    "accent": "#ffd166",
    "embed_in": ["https://crm.example.com", "https://crm.example"],
}


@pytest.fixture(autouse=True)
def organisation(app: App) -> None:
    app.world.add_manager(MANAGER)
    app.hire(AINA)


def screen(app: App, function: str, route: str, who: str | None, **path: str) -> Answer:
    cookie = app.cookie(who) if who else None
    asked = http("http_board", route, path, accept="text/html", cookie=cookie, authorization=None)
    return app.ask(function, {**asked, "queryStringParameters": {}})


def screens(app: App) -> dict[str, Answer]:
    lead = app.lead(1)
    rep = token_of(AINA)
    return {
        "sign-in": screen(app, "boards", "GET /sign-in", None),
        "home": screen(app, "rep", "GET /", rep),
        "board": screen(app, "boards", "GET /boards/{metric}", rep, metric="points"),
        "claim": screen(app, "claim", "GET /c/{token}", None, token=app.link(lead)),
        "desk": screen(app, "manage", "GET /desk", MANAGER),
    }


def in_force(app: App, **look: Any) -> None:
    app.put_playbook(a_playbook(look=look))


def framed_by(page: Answer) -> str:
    policy = page.headers["content-security-policy"]
    return str(re.search(r"frame-ancestors ([^;]*)", policy)[1])  # type: ignore[index]


def test_every_screen_has_the_organisations_name_and_colours(app: App) -> None:
    in_force(app, **LOOK)
    for name, page in screens(app).items():
        assert page.status == 200, name
        assert "Kinabalu &amp; Söhne" in page.text, name
        if name == "claim":  # its colours say how warm the lead is
            continue
        style = ":root{--bar:#0b3d91;--on-bar:#ffffff;--accent:#ffd166}"
        assert f"<style>{style}</style>" in page.text, name
        digest = b64encode(sha256(style.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in page.headers["content-security-policy"], name
        assert '<img src="/logo" alt="">' in page.text, name


def test_without_a_look_screens_are_as_shipped(app: App) -> None:
    for name, page in screens(app).items():
        assert ">dibs<i></i>" in page.text, name
        assert page.text.count("<style>") == 1, name
        assert "/logo" not in page.text, name
        assert framed_by(page) == "'none'", name


def test_reps_screens_stand_in_pages_of_the_named_origins_alone(app: App) -> None:
    in_force(app, **LOOK)
    found = {name: framed_by(page) for name, page in screens(app).items()}
    assert found.pop("desk") == "'none'"
    assert set(found.values()) == {"https://crm.example.com https://crm.example"}


def test_the_logo_is_a_picture_that_can_do_nothing(app: App) -> None:
    assert screen(app, "boards", "GET /logo", None).status == 404
    in_force(app, **LOOK)
    found = app.run("boards", http("http_board", "GET /logo", {}, authorization=None))
    assert b64decode(found["body"]) == SVG
    assert found["isBase64Encoded"]
    assert found["headers"]["content-type"] == "image/svg+xml"
    assert found["headers"]["content-security-policy"].endswith("sandbox")


@pytest.mark.parametrize(
    ("look", "kept"),
    [
        ({}, {"SameSite=Lax"}),
        (LOOK, {"SameSite=None", "Partitioned"}),
    ],
)
def test_an_embedded_page_keeps_its_session(app: App, look: dict[str, Any], kept: set[str]) -> None:
    in_force(app, **look)
    form = urlencode({"token": token_of(AINA)})
    asked = http("http_board", "POST /sign-in", {}, form, sec_fetch_site="same-origin")
    cookie = app.run("boards", {**asked, "queryStringParameters": {}})["cookies"][0]
    assert cookie.startswith("__Host-dibs=")
    said = {part for part in cookie.split("; ")[1:] if not part.startswith("Max-Age")}
    assert said == {"HttpOnly", "Path=/", "Secure", *kept}
