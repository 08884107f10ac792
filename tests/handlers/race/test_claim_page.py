"""The page behind a claim link: looking changes nothing, posting claims, every end has its page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dibs.assignment.work import release
from dibs.core.lead import Lead, State
from dibs.core.rep import Rep
from dibs.race.store import DynamoRaceStore
from dibs.wiring import wiring
from handlers.app import AINA, BEN, CHONG, DAYANG, Answer, App, event, http
from support.builders import a_playbook, proof_of

PERSONAL = ("Jane", "jane@acme.example", "60128880000", "tel:", "mailto:")

BOTS = {
    "WhatsApp": "WhatsApp/2.24.20.89 A",
    "iMessage": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like "
    "Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
    "Facebook": "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Telegram": "TelegramBot (like TwitterBot)",
    "Slack": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Teams": "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
    "Discord": "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "LinkedIn": "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +linkedin.com)",
    "Google": "Mozilla/5.0 (Linux; Android 6.0.1) Chrome/130 (compatible; Googlebot/2.1; "
    "+http://www.google.com/bot.html)",
    "Outlook": "Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
    "curl": "curl/8.14.1",
}


def look(app: App, token: str, route: str = "GET /c/{token}", **headers: Any) -> Answer:
    return app.ask("claim", http("http_claim_page", route, {"token": token}, **headers))


def press(app: App, token: str, action: str = "claim", **headers: Any) -> Answer:
    route = "POST /c/{token}/" + action
    return app.ask("claim", http("http_claim_page_post", route, {"token": token}, **headers))


def state(app: App, lead: Lead, rep: Rep = AINA) -> Any:
    return look(app, app.link(lead, rep), "GET /c/{token}/state", accept="*/*").json


@contextmanager
def reads_of(app: App) -> Iterator[list[tuple[int, bool]]]:
    """Note each batch of keys that is read: how many, and whether any is read consistently."""
    reads: list[tuple[int, bool]] = []

    def note(params: Any, **_: Any) -> None:
        asked = params["RequestItems"].values()
        strongly = any(one["ConsistentRead"] for one in asked)
        reads.append((sum(len(one["Keys"]) for one in asked), strongly))

    name = "provide-client-params.dynamodb.BatchGetItem"
    app.client.meta.events.register(name, note)
    yield reads
    app.client.meta.events.unregister(name, note)


@pytest.mark.parametrize(
    "route", ["GET /c/{token}", "GET /c/{token}/state", "POST /c/{token}/seen"]
)
def test_who_only_looks_at_an_open_lead_reads_it_and_the_rep_as_they_were_a_moment_ago(
    app: App, route: str
) -> None:
    app.hire(AINA)
    token = app.link(app.lead())
    state(app, app.lead(2))  # the playbook is read once
    with reads_of(app) as reads:
        assert look(app, token, route, accept="*/*").status == 200
    assert reads == [(3, False)]  # the lead, the rep, the playbook's number


def test_a_lost_lead_is_told_to_who_looks_without_reading_who_won(app: App) -> None:
    app.hire(AINA, BEN)
    lead = app.lead()
    press(app, app.link(lead, BEN))
    state(app, lead)
    with reads_of(app) as reads:
        assert state(app, lead)["state"] == "lost"
    assert reads == [(3, False)]


def test_the_first_look_is_told_how_the_race_stands(app: App) -> None:
    app.hire(AINA, BEN)
    lead = app.lead()
    told = press(app, app.link(lead), "seen").json
    assert (told["seen"], told["state"], told["closes_at"]) == (True, *state(app, lead).values())
    press(app, app.link(lead, BEN))
    assert press(app, app.link(lead), "seen").json["state"] == "lost"


def test_a_link_that_a_stale_read_does_not_know_yet_is_looked_up_again(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.hire(AINA, BEN)
    lead = app.lead()
    nothing = wiring().race.look("-", "-")
    monkeypatch.setattr(DynamoRaceStore, "look", lambda *_: nothing)
    assert state(app, lead)["state"] == "open"
    assert is_page(look(app, app.link(lead)), 200, "open")
    assert press(app, app.link(lead), "seen").status == 200


def is_page(answer: Answer, status: int, kind: str) -> bool:
    """Tell whether the answer is a whole page of this kind, closed to caches and to scripts."""
    headers = answer.headers
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-content-type-options"] == "nosniff"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.text.startswith("<!doctype html>")
    assert answer.text.rstrip().endswith("</html>")
    return (answer.status, f'data-state="{kind}"' in answer.text) == (status, True)


# Looking


def test_the_link_opens_a_preview_with_nothing_personal(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    answer = app.ask("claim", event("http_claim_page"))
    assert is_page(answer, 200, "open")
    for shown in ("Acme 1 Sdn Bhd", "51-200", "Head of Operations", "google-ads", "86"):
        assert shown in answer.text
    assert not [word for word in PERSONAL if word in answer.text]
    assert f'action="{app.link(lead)}/claim"' in answer.text


def test_asking_for_the_head_alone_is_answered_as_politely(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    shown = look(app, app.link(lead))
    assert look(app, app.link(lead), "HEAD /c/{token}") == shown


@pytest.mark.parametrize(
    "accept", [None, "", "*/*", "application/json", "text/html", "image/avif,*/*;q=0.1"]
)
def test_a_look_is_a_page_whatever_was_asked_for(app: App, accept: str | None) -> None:
    app.hire(AINA)
    assert is_page(look(app, app.link(app.lead()), accept=accept), 200, "open")


@pytest.mark.parametrize("agent", BOTS.values(), ids=BOTS)
def test_a_link_preview_changes_nothing(app: App, agent: str) -> None:
    app.hire(AINA)
    lead = app.lead()
    before = app.everything()
    for route in ("GET /c/{token}", "HEAD /c/{token}", "GET /c/{token}/state"):
        answer = look(app, app.link(lead), route, user_agent=agent, accept="*/*")
        assert answer.status == 200
        assert not [word for word in PERSONAL if word in answer.text]
    assert app.everything() == before
    assert app.now(lead).state is State.OPEN


@pytest.mark.parametrize(
    ("takes", "gzipped"),
    [
        ("gzip, br", True),
        ("br;q=1.0, GZIP;q=0.8", True),
        ("gzip;q=0, br", False),
        ("identity", False),
        ("", False),
    ],
)
def test_a_page_is_sent_small_to_who_can_read_it(app: App, takes: str, gzipped: bool) -> None:
    app.hire(AINA)
    answer = look(app, app.link(app.lead()), accept_encoding=takes)
    assert is_page(answer, 200, "open")
    assert (answer.headers.get("content-encoding") == "gzip") is gzipped


def test_the_pages_script_gets_the_part_that_changes(app: App) -> None:
    app.hire(AINA, BEN)
    lead = app.lead()
    press(app, app.link(lead, BEN))
    for route in ("POST /c/{token}/claim", "GET /c/{token}"):
        answer = look(app, app.link(lead), route, accept="text/html;part=main")
        assert is_page(answer, 409 if "POST" in route else 200, "lost")
        assert "<style>" not in answer.text


def test_the_page_speaks_the_reps_language(app: App) -> None:
    app.hire(DAYANG)
    answer = look(app, app.link(app.lead(), DAYANG))
    assert '<html lang="ms"' in answer.text


def test_a_rule_that_refuses_stands_on_the_page_instead_of_the_button(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    app.pause(AINA, minutes=10)
    answer = look(app, app.link(lead))
    assert is_page(answer, 200, "refused")
    assert "You are paused." in answer.text
    assert "disabled" in answer.text


def test_whoever_looks_too_late_sees_who_won(app: App) -> None:
    app.hire(AINA, BEN)
    lead = app.lead()
    app.claim(lead, BEN)
    answer = look(app, app.link(lead))
    assert is_page(answer, 200, "lost")
    assert "Ben Lim was faster." in answer.text
    assert not [word for word in PERSONAL if word in answer.text]


def test_a_look_after_the_window_says_that_it_closed(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    app.clock.pass_(seconds=900)
    assert is_page(look(app, app.link(lead)), 410, "expired")


# Claiming


def test_the_form_claims_and_shows_the_contact_with_a_number_to_call(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    app.clock.pass_(milliseconds=1900)
    answer = app.ask("claim", event("http_claim_page_post"))
    assert is_page(answer, 200, "won")
    assert 'href="tel:+60128880000"' in answer.text
    for shown in ("Jane Tan", "jane@acme.example", "Claimed in 1.9 s"):
        assert shown in answer.text
    assert app.now(lead).owner == AINA.rep_id


def test_a_contact_who_must_not_be_called_has_no_number_to_tap(app: App) -> None:
    app.hire(AINA)
    lead = app.lead(do_not_call=True)
    answer = press(app, app.link(lead))
    assert "tel:" not in answer.text
    assert "Do not call." in answer.text


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "application/problem+json"])
def test_whoever_does_not_ask_for_a_page_gets_the_same_as_the_api(
    app: App, accept: str | None
) -> None:
    app.hire(AINA, BEN)
    lead = app.lead()
    won = press(app, app.link(lead), accept=accept)
    assert won.status == 200
    assert won.headers["cache-control"] == "no-store"
    assert won.json["already_yours"] is False
    assert won.json["lead"]["contact_phone"] == "+60128880000"
    lost = press(app, app.link(lead, BEN), accept=accept)
    assert (lost.status, lost.code) == (409, "already_claimed")
    assert lost.json["claimed_by"]["name"] == "Aina Zulkifli"


def test_pressing_twice_is_winning_once(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    press(app, app.link(lead))
    before = app.everything()
    assert is_page(press(app, app.link(lead)), 200, "won")
    assert app.everything() == before


def test_the_loser_is_told_on_a_page_by_whom_they_were_beaten(app: App) -> None:
    app.hire(AINA, BEN)
    lead = app.lead()
    app.lead(2)
    press(app, app.link(lead, BEN))
    app.clock.pass_(milliseconds=700)
    answer = press(app, app.link(lead))
    assert is_page(answer, 409, "lost")
    assert "Ben Lim was faster." in answer.text
    assert "Claimed 0.7 s ago." in answer.text
    assert "About 1 lead is still open for your team." in answer.text


def test_a_refused_claim_says_why_and_when_it_lifts(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    app.pause(AINA, minutes=5)
    assert is_page(press(app, app.link(lead)), 403, "refused")
    told = press(app, app.link(lead), accept="application/json")
    assert (told.status, told.json["rules"]) == (403, ["paused"])
    assert told.json["lifts_at"] == "2026-11-23T12:05:00.000Z"


def test_a_press_after_the_window_is_too_late(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    app.clock.pass_(seconds=900)
    assert is_page(press(app, app.link(lead)), 410, "expired")
    assert press(app, app.link(lead), accept="*/*").code == "expired"


def test_a_crowded_second_says_so_and_when_to_try_again(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.hire(AINA)
    lead = app.lead()
    app.contend(monkeypatch)
    answer = press(app, app.link(lead))
    assert is_page(answer, 503, "busy")
    assert int(answer.headers["retry-after"]) >= 1


def test_a_look_in_a_crowded_second_offers_another_look_and_no_claim(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.hire(AINA)
    token = app.link(app.lead())
    told = {"Error": {"Code": "ThrottlingException"}}

    def throttled(**request: Any) -> None:
        raise ClientError(told, "BatchGetItem")

    monkeypatch.setattr(app.client, "batch_get_item", throttled)
    answer = look(app, token)
    assert is_page(answer, 503, "busy")
    assert f'action="{token}"' in answer.text
    assert 'method="post"' not in answer.text
    assert press(app, token, accept="*/*").code == "busy"


@pytest.mark.parametrize(
    "token",
    [
        "",
        "short",
        "x" * 21,
        "x" * 23,
        "z" * 22,
        "0" * 22,
        "É" * 22,
        "７F3yWhBM6zhasKA7qCK1Eg",
        "7F3yWhBM6zhasKA7qCK1E/",
        "7F3yWhBM6zhasKA7qCK1E\x00",
        "x" * 4000,
    ],
)
def test_what_is_no_link_of_ours_leads_nowhere(app: App, token: str) -> None:
    app.hire(AINA)
    app.lead()
    before = app.everything()
    assert is_page(look(app, token), 404, "not_found")
    assert look(app, token, "GET /c/{token}/state").code == "lead_not_found"
    for action in ("claim", "seen", "undo"):
        told = press(app, token, action, accept="application/json")
        assert (told.status, told.code) == (404, "lead_not_found")
    assert is_page(press(app, token), 404, "not_found")
    assert app.everything() == before


def test_a_link_with_any_letter_changed_claims_nothing(app: App) -> None:
    app.hire(AINA, BEN)
    lead = app.lead()
    token = app.link(lead)
    before = app.everything()
    for place, letter in enumerate(token):
        other = "A" if letter != "A" else "B"
        tampered = token[:place] + other + token[place + 1 :]
        assert press(app, tampered, accept="*/*").status == 404
    assert app.everything() == before


def test_nobody_makes_a_link_for_another_team_or_another_rep(app: App) -> None:
    app.hire(AINA, CHONG)
    lead = app.lead()
    before = app.everything()
    assert press(app, app.link(lead, CHONG), accept="*/*").status == 404
    assert press(app, app.link(lead, BEN), accept="*/*").status == 404
    assert app.everything() == before


# While somebody looks


def test_the_page_learns_how_the_race_stands(app: App) -> None:
    app.hire(AINA, BEN)
    lead = app.lead()
    assert state(app, lead) == {"state": "open", "closes_at": "2026-11-23T12:15:00.000Z"}
    app.pause(AINA, minutes=1)
    assert state(app, lead)["state"] == "refused"
    app.clock.pass_(minutes=1)
    assert state(app, lead)["state"] == "open"
    app.claim(lead, BEN)
    assert state(app, lead)["state"] == "lost"
    assert state(app, lead, BEN)["state"] == "won"


def test_the_page_learns_that_the_window_closed(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    app.clock.pass_(seconds=900)
    assert state(app, lead)["state"] == "expired"


def test_a_person_who_looks_is_recorded_as_having_seen_it(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    at = app.clock.pass_(seconds=3)
    assert press(app, app.link(lead), "seen", accept="*/*").json["seen"] is True
    [sighting] = app.offers.sightings(lead.lead_id, 1, [AINA.rep_id]).values()
    assert sighting.seen_at == at


def test_seen_by_a_link_that_is_not_theirs_is_not_recorded(app: App) -> None:
    app.hire(AINA, CHONG)
    lead = app.lead()
    before = app.everything()
    assert press(app, app.link(lead, CHONG), "seen", accept="*/*").status == 404
    assert app.everything() == before


# Afterwards


def test_the_link_shows_the_contact_for_fifteen_minutes_and_then_no_more(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    press(app, app.link(lead))
    app.clock.pass_(minutes=15)
    shown = look(app, app.link(lead))
    assert is_page(shown, 200, "won")
    assert "Jane Tan" in shown.text
    app.clock.pass_(milliseconds=1)
    for hidden in (look(app, app.link(lead)), press(app, app.link(lead))):
        assert is_page(hidden, 200, "won_hidden")
        assert not [word for word in PERSONAL if word in hidden.text]
    told = press(app, app.link(lead), accept="application/json")
    assert (told.status, told.json["already_yours"], told.json["lead"]) == (200, True, None)


def test_the_signed_in_winner_sees_the_contact_after_that_too(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    press(app, app.link(lead))
    app.clock.pass_(days=3)
    assert app.claim(lead).json["lead"]["contact_phone"] == "+60128880000"


def test_a_claim_is_undone_within_thirty_seconds(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    press(app, app.link(lead))
    app.clock.pass_(seconds=30)
    assert is_page(press(app, app.link(lead), "undo"), 200, "undone")
    reopened = app.now(lead)
    assert (reopened.state, reopened.epoch, reopened.owner) == (State.OPEN, 2, None)
    assert reopened.closes_at == lead.closes_at  # no new window (C12)


def test_undoing_twice_is_undoing_once(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    press(app, app.link(lead))
    press(app, app.link(lead), "undo")
    before = app.everything()
    again = press(app, app.link(lead), "undo", accept="*/*")
    assert (again.status, again.json) == (200, {"undone": True})
    assert app.everything() == before


def test_an_undone_claim_does_not_count_against_the_limit(app: App) -> None:
    app.put_playbook(a_playbook(claims_per_day=1))
    app.hire(AINA)
    lead = app.lead()
    press(app, app.link(lead))
    press(app, app.link(lead), "undo")
    assert app.claim(app.lead(2)).status == 200


def test_an_undo_comes_too_late_after_thirty_seconds(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    press(app, app.link(lead))
    app.clock.pass_(milliseconds=30_001)
    before = app.everything()
    assert is_page(press(app, app.link(lead), "undo"), 409, "undo_over")
    assert press(app, app.link(lead), "undo", accept="*/*").code == "undo_over"
    assert app.everything() == before


def test_nobody_undoes_anothers_claim(app: App) -> None:
    app.hire(AINA, BEN)
    lead = app.lead()
    press(app, app.link(lead, BEN))
    before = app.everything()
    told = press(app, app.link(lead), "undo", accept="*/*")
    assert (told.status, told.code) == (409, "not_yours")
    assert app.everything() == before


def given_back(app: App, lead: Lead) -> None:
    """Let Aina claim the lead and release it, so that another race begins."""
    press(app, app.link(lead))
    app.clock.pass_(seconds=31)
    proof, clock = proof_of(AINA), app.clock
    world = app.world
    release(world.race, world.holdings, lead.lead_id, AINA.rep_id, proof, "no fit", clock)


def test_after_an_undo_the_links_of_the_others_hold_good_again(app: App) -> None:
    app.hire(AINA, BEN)
    lead = app.lead()
    press(app, app.link(lead))
    press(app, app.link(lead), "undo")
    assert look(app, app.link(lead), "GET /c/{token}/state").json["state"] == "refused"
    assert press(app, app.link(lead, BEN)).status == 200


def test_the_link_of_an_earlier_opening_is_over(app: App) -> None:
    app.hire(AINA, BEN, DAYANG)
    lead = app.lead()
    given_back(app, lead)
    before = app.everything()
    assert is_page(look(app, app.link(lead, BEN)), 410, "over")
    assert is_page(press(app, app.link(lead, BEN)), 410, "over")
    assert press(app, app.link(lead, BEN), accept="*/*").code == "offer_over"
    assert press(app, app.link(lead, BEN), "seen", accept="*/*").code == "offer_over"
    assert look(app, app.link(lead, BEN), "GET /c/{token}/state").code == "offer_over"
    assert app.everything() == before
    assert press(app, app.link(app.now(lead), BEN)).status == 200


def test_a_link_that_is_over_says_so_in_the_reps_language(app: App) -> None:
    app.hire(AINA, DAYANG)
    lead = app.lead()
    given_back(app, lead)
    for answer in (
        look(app, app.link(lead, DAYANG)),
        press(app, app.link(lead, DAYANG)),
    ):
        assert is_page(answer, 410, "over")
        assert '<html lang="ms"' in answer.text
