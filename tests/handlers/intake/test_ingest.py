"""`POST /leads`: what a source is told, what is stored, and what is turned away unstored."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dibs.core.lead import Contact, Lead, State
from dibs.core.quality import Quality
from handlers.app import AINA, App, Event, event, http, signed
from support.builders import NOON, a_playbook, token_of

LEAD: dict[str, Any] = json.loads(event("http_ingest")["body"])


def post(app: App, at: datetime | None = None, **changes: Any) -> Any:
    """Post the event's lead with some fields changed, or left out where they are None."""
    lead = {name: value for name, value in {**LEAD, **changes}.items() if value is not None}
    return app.ask("ingest", signed(http("http_ingest", body=json.dumps(lead)), at))


def posted(app: App, body: str) -> Any:
    """Post any body, rightly signed."""
    return app.ask("ingest", signed(http("http_ingest", body=body)))


def lead_of(app: App, answer: Any) -> Lead:
    found = app.world.leads.get(answer.json["lead_id"])
    assert found is not None
    return found


def card(app: App, lead_id: str) -> Contact:
    found = app.world.leads.card(lead_id)
    assert found is not None
    return found


def test_a_signed_lead_is_stored_and_its_race_is_open(app: App) -> None:
    answer = app.ask("ingest", signed(event("http_ingest")))
    assert answer.status == 201
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.json == {
        "lead_id": "5x5tb6qkrubq",
        "state": "open",
        "quality": "hot",
        "pool": "premium",
        "duplicate": False,
        "flags": [],
        "reason": None,
    }
    lead = app.world.leads.get("5x5tb6qkrubq")
    assert lead is not None
    assert (lead.state, lead.epoch, lead.quality) == (State.OPEN, 1, Quality.HOT)
    assert lead.teams == ("north",)
    assert (lead.opens_at, lead.closes_at) == (NOON, NOON + timedelta(seconds=900))
    stored = card(app, lead.lead_id)
    assert {name: getattr(stored, name) for name in LEAD} == {
        **LEAD,
        "needs": ("live tracking", "fuel cards"),
    }


def test_an_accepted_lead_waits_in_the_outbox_until_it_was_told(app: App) -> None:
    post(app)
    waiting = list(app.world.leads.waiting_in_outbox(NOON + timedelta(seconds=1)))
    assert [(item.event.kind, item.event.lead_id) for item in waiting if item.event] == [
        ("lead.opened", "5x5tb6qkrubq")
    ]


def test_the_same_lead_again_is_a_duplicate_and_changes_nothing(app: App) -> None:
    first = post(app)
    before = app.everything()
    app.clock.pass_(seconds=40)
    again = post(app)
    assert again.status == 200
    assert again.json == {**first.json, "duplicate": True}
    assert app.everything() == before


def test_a_changed_body_changes_the_contact_and_nothing_the_race_depends_on(
    app: App,
) -> None:
    lead_id = post(app).json["lead_id"]
    lead, stored = app.world.leads.get(lead_id), card(app, lead_id)
    again = post(
        app,
        contact_phone="+60128881111",
        consent="Withdrawn: e-mail only",
        do_not_call=True,
        score=12,
        team="south",
        territory="Johor",
        test=True,
    )
    assert (again.status, again.json["quality"]) == (200, "hot")
    assert app.world.leads.get(lead_id) == lead
    changed = card(app, lead_id)
    assert changed.contact_phone == "+60128881111"
    assert changed.consent == "Withdrawn: e-mail only"
    assert changed.do_not_call
    for name in ("score", "team", "territory", "test"):
        assert getattr(changed, name) == getattr(stored, name)


def test_an_older_body_that_arrives_late_does_not_undo_a_newer_one(app: App) -> None:
    now = datetime.now(UTC)
    lead_id = post(app, at=now - timedelta(seconds=120)).json["lead_id"]
    post(app, at=now, contact_phone="+60128882222")
    late = post(app, at=now - timedelta(seconds=60), contact_phone="+60128883333")
    assert (late.status, late.json["duplicate"]) == (200, True)
    assert card(app, lead_id).contact_phone == "+60128882222"


def test_two_sources_may_use_the_same_id(app: App) -> None:
    other = {"company": "Other", "contact_email": None, "contact_phone": None}
    assert post(app, source="web", **other).json["lead_id"] != post(app).json["lead_id"]


@pytest.mark.parametrize(
    ("wrong", "with_what"),
    [
        ({"webhook_signature": None}, "no signature"),
        ({"webhook_timestamp": None}, "no time"),
        ({"webhook_id": None}, "no id"),
        ({"webhook_id": "msg_another"}, "another message's signature"),
        ({"webhook_signature": ""}, "an empty signature"),
        ({"webhook_signature": "v1"}, "half a signature"),
        ({"webhook_signature": "v1,bm90IGEgc2lnbmF0dXJl"}, "a forged signature"),
        ({"webhook_signature": "v1,§§§"}, "signs that are no base64"),
        ({"webhook_signature": "v2,bm90IGEgc2lnbmF0dXJl"}, "an unknown version"),
        ({"webhook_timestamp": "soon"}, "a time that is none"),
        ({"webhook_timestamp": "1e999"}, "an endless time"),
        ({"webhook_timestamp": "nan"}, "a time that is no number"),
    ],
)
def test_a_lead_with_a_wrong_signature_is_refused(
    app: App, wrong: dict[str, str | None], with_what: str
) -> None:
    before = app.everything()
    asked = signed(event("http_ingest"))
    for name, value in wrong.items():
        asked["headers"].pop(name.replace("_", "-"))
        if value is not None:
            asked["headers"][name.replace("_", "-")] = value
    answer = app.ask("ingest", asked)
    assert (answer.status, answer.code) == (401, "unauthorized"), with_what
    assert app.everything() == before


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_signature_more_than_five_minutes_away_is_refused(app: App, minutes: int) -> None:
    before = app.everything()
    answer = post(app, at=datetime.now(UTC) + timedelta(minutes=minutes))
    assert (answer.status, answer.code) == (401, "unauthorized")
    assert app.everything() == before


@pytest.mark.parametrize("minutes", [-4, 4])
def test_a_signature_less_than_five_minutes_away_is_good(app: App, minutes: int) -> None:
    assert post(app, at=datetime.now(UTC) + timedelta(minutes=minutes)).status == 201


def test_a_body_changed_after_signing_is_refused(app: App) -> None:
    asked = signed(event("http_ingest"))
    asked["body"] = asked["body"].replace("Acme", "Evil")
    assert app.ask("ingest", asked).status == 401


def test_another_secrets_signature_is_refused(app: App) -> None:
    stranger = base64.b64encode(b"somebody else's secret, as long").decode()
    assert app.ask("ingest", signed(event("http_ingest"), secret=stranger)).status == 401


def test_one_good_signature_among_several_is_enough(app: App) -> None:
    asked = signed(event("http_ingest"))
    good = asked["headers"]["webhook-signature"]
    asked["headers"]["webhook-signature"] = f"v1,b2xkIHNlY3JldA== v1a,xyz {good}"
    assert app.ask("ingest", asked).status == 201


def test_a_body_above_64_kb_is_refused_before_anything_else(app: App) -> None:
    before = app.everything()
    answer = app.ask("ingest", http("http_ingest", body="x" * (64 * 1024 + 1)))
    assert (answer.status, answer.code) == (413, "body_too_large")
    assert app.everything() == before


def test_a_body_of_exactly_64_kb_is_accepted(app: App) -> None:
    bare = len(json.dumps({**LEAD, "padding": ""}))
    body = json.dumps({**LEAD, "padding": "x" * (64 * 1024 - bare)})
    assert len(body) == 64 * 1024
    assert posted(app, body).status == 201


def test_letters_that_take_two_bytes_count_as_two(app: App) -> None:
    body = json.dumps({**LEAD, "padding": "é" * 33_000}, ensure_ascii=False)
    assert len(body) < 64 * 1024
    assert posted(app, body).status == 413


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        '"a lead"',
        '{"score": NaN}',
        '{"score": ' + "9" * 5000 + "}",
        "[" * 30_000 + "]" * 30_000,
        '{"needs": ' + "[" * 25 + "]" * 25 + "}",
    ],
    ids=["nothing", "half", "list", "null", "word", "nan", "endless", "abyss", "deep"],
)
def test_a_body_that_is_no_sane_json_object_is_refused(app: App, body: str) -> None:
    before = app.everything()
    answer = posted(app, body)
    assert (answer.status, answer.code) == (400, "malformed_body")
    assert app.everything() == before


def test_bytes_that_are_no_text_are_refused(app: App) -> None:
    asked = http("http_ingest", body=base64.b64encode(b"\xff\xfe{}").decode())
    answer = app.ask("ingest", {**asked, "isBase64Encoded": True})
    assert (answer.status, answer.code) == (400, "malformed_body")


def test_a_body_that_the_gateway_wrapped_in_base64_is_read_as_it_was_sent(app: App) -> None:
    wrapped = base64.b64encode(event("http_ingest")["body"].encode()).decode()
    asked: Event = {**http("http_ingest", body=wrapped), "isBase64Encoded": True}
    assert app.ask("ingest", signed(asked)).status == 201


def test_every_wrong_field_is_named(app: App) -> None:
    before = app.everything()
    answer = post(
        app,
        source=7,
        company=None,
        score="86",
        needs="fuel cards",
        do_not_call="no",
        contact_phone=["+60128880000"],
    )
    assert (answer.status, answer.code) == (422, "invalid_input")
    named = {error["field"] for error in answer.json["errors"]}
    assert named == {"source", "company", "score", "needs", "do_not_call", "contact_phone"}
    assert all(error["problem"] for error in answer.json["errors"])
    assert "60128880000" not in answer.text
    assert app.everything() == before


@pytest.mark.parametrize("score", [-1, 101, 8.5, True])
def test_a_score_outside_0_to_100_is_named(app: App, score: Any) -> None:
    answer = post(app, score=score)
    assert (answer.status, [e["field"] for e in answer.json["errors"]]) == (422, ["score"])


def test_control_characters_are_named_wherever_they_hide(app: App) -> None:
    answer = post(app, company="Acme\x00", needs=["fuel\ncards"], contact_name="Jane\u2028Tan")
    assert answer.status == 422
    assert {e["field"] for e in answer.json["errors"]} == {"company", "needs", "contact_name"}


def test_an_unusable_phone_and_address_are_kept_and_flagged(app: App) -> None:
    answer = post(app, contact_phone="012-see card", contact_email="jane at acme")
    assert answer.status == 201
    assert answer.json["flags"] == ["phone_unusable", "email_unusable"]
    kept = card(app, answer.json["lead_id"])
    assert (kept.contact_phone, kept.contact_email) == ("012-see card", "jane at acme")


def test_a_link_or_phone_number_in_a_lead_is_the_holders_alone(app: App) -> None:
    """Before the claim nobody reads it, after it the card has every letter (N2)."""
    hostile = {
        "company": "Win now https://evil.example/c/abc",
        "company_size": "call 012-345 6789",
        "contact_title": "+60123456789 \u202eBoss",
        "source": "evil.example",
    }
    lead_id = post(app, **hostile).json["lead_id"]
    app.hire(AINA)
    offers = http("http_offers", authorization=f"Bearer {token_of(AINA)}")
    [offer] = app.ask("rep", offers).json["offers"]
    assert offer["preview"] == {
        "company": "Win now",
        "company_size": "call",
        "contact_title": "Boss",
        "source": "evil example",
        "score": LEAD["score"],
    }
    lead = app.world.leads.get(lead_id)
    assert lead is not None
    path = {"token": app.link(lead)}
    page = app.ask("claim", http("http_claim_page", "GET /c/{token}", path)).text
    assert "Win now" in page
    assert not any(what in page for what in ("evil.example", "345 6789", "+6012", "\u202e"))
    kept = card(app, lead_id)
    assert {name: getattr(kept, name) for name in hostile} == hostile


def test_a_team_that_is_not_there_is_flagged_and_routed_as_without_one(app: App) -> None:
    app.put_playbook(a_playbook(teams={"north": {"name": "North"}, "south": {"name": "South"}}))
    typo = post(app, team="nroth")
    assert typo.json["flags"] == ["unknown_team"]
    assert lead_of(app, typo).teams == ("north", "south")
    assert post(app, team="nroth").json["flags"] == ["unknown_team"]  # and again
    merged = post(app, team="Nrth", external_id="again")
    assert merged.json["flags"] == ["unknown_team", "merged_same_phone"]


@pytest.mark.parametrize("team", ["North", "NORTH ", "n orth"])
def test_a_team_is_known_whatever_its_case_and_spaces(app: App, team: str) -> None:
    app.put_playbook(a_playbook(teams={"north": {"name": "N"}, "south": {"name": "S"}}))
    answer = post(app, team=team)
    assert (answer.json["flags"], lead_of(app, answer).teams) == ([], ("north",))


def test_a_number_without_a_country_code_is_of_the_playbooks_region(app: App) -> None:
    app.put_playbook(a_playbook(phone_region="MY"))
    first = post(app, contact_phone="+60 12 888 0001")
    for number, written in enumerate(("012-888 0001", "0060128880001", "60128880001")):
        posted = {"contact_phone": written, "contact_email": "", "company": "-"}
        again = post(app, **posted, external_id=f"again-{number}")
        assert again.json["lead_id"] == first.json["lead_id"]
        assert again.json["flags"] == ["merged_same_phone"]


def test_an_ad_platforms_test_lead_is_not_counted(
    app: App, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = post(app, contact_name="<test lead: dummy data for full_name>")
    assert answer.json["flags"] == ["test_lead"]
    assert app.counted(capsys) == {}


def test_a_test_lead_races_but_is_not_counted(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    post(app)
    assert app.counted(capsys) == {"LeadsAccepted": 1}
    lead_id = post(app, external_id="try-out", test=True).json["lead_id"]
    assert app.counted(capsys) == {}
    lead = app.world.leads.get(lead_id)
    assert lead is not None
    assert lead.test
    assert lead.state is State.OPEN


@pytest.mark.parametrize(
    ("sent", "everybody"),
    [
        ({"test": True}, False),
        ({"test": True, "test_everybody": True}, True),
        ({"is_test": "yes", "test_everybody": True}, True),
        ({"test_everybody": True}, False),  # of a real lead it says nothing
    ],
)
def test_a_test_lead_is_for_test_reps_unless_its_post_asks_for_everybody(
    app: App, sent: dict[str, Any], everybody: bool
) -> None:
    answer = post(app, **sent).json
    lead = app.world.leads.get(answer["lead_id"])
    assert lead is not None
    assert lead.test_everybody is everybody
    assert ("test_everybody" in answer["flags"]) is everybody


def test_a_store_that_stays_busy_says_when_to_try_again_and_keeps_nothing(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = app.everything()
    app.contend(monkeypatch)
    answer = post(app)
    assert (answer.status, answer.code) == (503, "busy")
    assert int(answer.headers["retry-after"]) >= 1
    assert app.everything() == before


# Who is known already (C6)

FAIR: dict[str, Any] = {"source": "fair", "external_id": "9"}


def test_the_same_person_from_another_source_is_told_of_the_lead_there_is(app: App) -> None:
    first = post(app)
    met = post(app, **FAIR, contact_phone="+60 12-888 0000", contact_email=None, company="New")
    assert met.status == 200
    assert met.json == {
        **first.json,
        "duplicate": True,
        "flags": ["merged_same_phone"],
        "reason": "Merged with the lead of the same phone number; it is not raced again.",
    }
    before = app.everything()
    again = post(app, **FAIR, contact_phone="+60 12-888 0000", contact_email=None, company="New")
    assert (again.status, again.json) == (200, met.json)
    assert app.everything() == before


def test_whoever_holds_the_lead_sees_what_was_merged_into_it(app: App) -> None:
    app.hire(AINA)
    lead_id = post(app).json["lead_id"]
    post(app, **FAIR, contact_name="Tom Ong", contact_email="tom@acme.example", contact_phone="")
    lead = app.world.leads.get(lead_id)
    assert lead is not None
    won = app.claim(lead).json["lead"]
    assert won["contact_name"] == "Jane Tan"
    [shown] = won["merged"]
    assert (shown["source"], shown["because"]) == ("fair", "domain")
    assert (shown["contact_name"], shown["contact_email"]) == ("Tom Ong", "tom@acme.example")
    assert shown["at"] == "2026-11-23T12:00:00.000Z"
    page = app.ask("claim", http("http_claim_page", path={"token": app.link(lead)})).text
    for text in ("fair, 2026-11-23", "Tom Ong", "tom@acme.example"):
        assert text in page


def test_a_lead_of_a_reps_company_is_theirs_and_they_are_told(app: App) -> None:
    app.hire(AINA)
    lead = app.world.leads.get(post(app).json["lead_id"])
    assert lead is not None
    assert app.claim(lead).status == 200
    answer = post(
        app, **FAIR, contact_name="Tom", contact_email="tom@acme.example", contact_phone=""
    )
    assert answer.status == 201
    assert (answer.json["state"], answer.json["duplicate"]) == ("assigned", False)
    assert answer.json["flags"] == ["existing_owner"]
    assert answer.json["reason"]
    theirs = app.world.leads.get(answer.json["lead_id"])
    assert theirs is not None
    assert theirs.owner == app.now(lead).owner
    events = [item.event for item in app.world.leads.waiting_in_outbox(NOON + timedelta(hours=1))]
    assert ("lead.assigned", theirs.lead_id) in [
        (event.kind, event.lead_id) for event in events if event
    ]


def test_nothing_that_names_a_person_is_outside_the_contacts(app: App) -> None:
    post(app)
    post(app, **FAIR)
    stored = app.everything()
    del stored["contacts_table"]
    text = "".join(str(items) for items in stored.values())
    for personal in ("Jane", "60128880000", "jane@", "acme.example"):
        assert personal not in text
    assert "person:" in text


def test_a_test_lead_meets_no_real_one(app: App) -> None:
    post(app)
    answer = post(app, **FAIR, test=True)
    assert (answer.status, answer.json["flags"]) == (201, [])
