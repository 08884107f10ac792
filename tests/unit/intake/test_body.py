"""Intake names wrong fields, loses no lead to a typo and refuses unsigned posts (O2)."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from dibs.core.errors import BodyTooLarge, InvalidInput, MalformedBody, Unauthorized
from dibs.core.lead import Contact
from dibs.intake.body import LeadIn, card_of, usable_phone, verify
from dibs.web.http import LARGEST_BODY, raw_body
from dibs.web.json_body import parse_json

WHOLE = {
    "source": "google-ads",
    "external_id": "g-1",
    "company": "Acme Sdn Bhd",
    "company_size": "51-200",
    "contact_name": "Jane Tan",
    "contact_title": "Head of Operations",
    "contact_email": "jane@acme.example",
    "contact_phone": "+60 12-888 0000",
    "score": 86,
    "territory": "north",
    "segment": "smb",
    "product": "solar",
    "team": "sales",
    "needs": ["roof", "finance"],
    "language": "ms",
    "consent": "form 2026-01-04",
    "do_not_call": True,
    "test": True,
}
LEAST = {"source": "web", "external_id": "1", "company": "Acme"}


def card(**fields: Any) -> Contact:
    return card_of(LeadIn.read(json.dumps({**LEAST, **fields}).encode()))


def wrong_fields(body: dict[str, Any]) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        card_of(LeadIn.read(json.dumps(body).encode()))
    assert all(error.problem for error in refused.value.errors)
    return [error.field for error in refused.value.errors]


def test_a_whole_lead_is_kept_whole_with_its_phone_in_e164() -> None:
    assert card_of(LeadIn.read(json.dumps(WHOLE).encode())) == Contact(
        lead_id="",
        source="google-ads",
        external_id="g-1",
        company="Acme Sdn Bhd",
        company_size="51-200",
        contact_name="Jane Tan",
        contact_title="Head of Operations",
        contact_email="jane@acme.example",
        contact_phone="+60128880000",
        score=86,
        territory="north",
        segment="smb",
        product="solar",
        team="sales",
        needs=("roof", "finance"),
        language="ms",
        consent="form 2026-01-04",
        do_not_call=True,
        test=True,
    )


def test_three_fields_are_enough() -> None:
    assert card() == Contact("", "web", "1", "Acme")


def test_null_says_what_leaving_a_field_out_says() -> None:
    nothing: dict[str, Any] = dict.fromkeys(set(WHOLE) - set(LEAST))
    assert card(**nothing) == card()


def test_null_does_not_stand_for_a_field_that_is_needed() -> None:
    assert wrong_fields(dict.fromkeys(LEAST)) == ["source", "external_id", "company"]


def test_fields_we_do_not_know_are_left_alone_whatever_they_hold() -> None:
    assert card(utm={"a": [1, None]}, lead_id="x", flags=["x"], note="a\x00b") == card()


def test_spaces_around_words_are_not_part_of_them() -> None:
    assert card(company="  Acme  ", external_id=" 1 ") == card()


@pytest.mark.parametrize(("given", "kept"), [(51, "51"), ("51-200", "51-200"), (" 5 ", "5")])
def test_a_company_size_may_be_a_number_or_words(given: object, kept: str) -> None:
    assert card(company_size=given).company_size == kept


@pytest.mark.parametrize(
    ("given", "kept"), [(True, "yes"), (False, "no"), ("by phone", "by phone")]
)
def test_consent_may_be_yes_or_no_or_words(given: object, kept: str) -> None:
    assert card(consent=given).consent == kept


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("source", 1),
        ("source", ""),
        ("source", "   "),
        ("source", "x" * 65),
        ("external_id", 17),
        ("external_id", ""),
        ("external_id", "x" * 129),
        ("company", ["Acme"]),
        ("company", " "),
        ("company", "x" * 201),
        ("company_size", "x" * 65),
        ("company_size", 5.5),
        ("company_size", True),
        ("company_size", ["51-200"]),
        ("contact_name", 1),
        ("contact_name", "x" * 201),
        ("contact_title", {}),
        ("contact_email", 1),
        ("contact_phone", 60128880000),
        ("contact_phone", "1" * 201),
        ("score", "86"),
        ("score", 86.5),
        ("score", -1),
        ("score", 101),
        ("score", True),
        ("territory", 1),
        ("segment", "x" * 65),
        ("product", []),
        ("team", 0),
        ("needs", "roof"),
        ("needs", ["roof"] * 21),
        ("language", 1),
        ("consent", 1),
        ("consent", ["yes"]),
        ("do_not_call", "yes"),
        ("do_not_call", 1),
        ("test", "true"),
        ("test", 0),
    ],
)
def test_each_wrong_field_is_named(field: str, wrong: object) -> None:
    assert wrong_fields({**LEAST, field: wrong}) == [field]


def test_a_wrong_need_is_named_by_its_place() -> None:
    assert wrong_fields({**LEAST, "needs": ["roof", 2, "x" * 65]}) == ["needs.1", "needs.2"]


def test_all_wrong_fields_are_named_at_once() -> None:
    body = {"source": 1, "company": "a\x00b", "score": "high", "consent": [], "test": "no"}
    assert sorted(wrong_fields(body)) == [
        "company",
        "consent",
        "external_id",
        "score",
        "source",
        "test",
    ]


def test_what_a_field_held_is_not_repeated_to_whoever_reads_the_answer() -> None:
    with pytest.raises(InvalidInput) as refused:
        card(contact_name="Jane Tan" * 50, score="+60128880000")
    assert "Jane" not in str(refused.value.details())
    assert "6012" not in str(refused.value.details())


@pytest.mark.parametrize(
    "bad", ["a\x00b", "a\nb", "a\tb", "\x7f", "a\x85b", "a\u2028b", "a\u2029b", "\ud800"]
)
@pytest.mark.parametrize("field", ["company", "external_id", "contact_name", "contact_phone"])
def test_control_characters_are_refused_by_field(field: str, bad: str) -> None:
    assert wrong_fields({**LEAST, field: f"Acme{bad}1"}) == [field]


def test_control_characters_in_a_need_are_refused() -> None:
    assert wrong_fields({**LEAST, "needs": ["roof", "a\x1bb"]}) == ["needs"]


@pytest.mark.parametrize(
    "phone",
    ["0128880000", "+60 12", "+999123456789", "call me", "+", "12", "+6012888000000000000"],
)
def test_an_unusable_phone_is_kept_as_given_and_flagged(phone: str) -> None:
    assert card(contact_phone=phone).contact_phone == phone
    assert card(contact_phone=phone).flags == ("phone_unusable",)


@pytest.mark.parametrize(
    "email", ["jane", "jane@", "@acme.example", "jane@acme", "a b@c.d", "a@@b.c"]
)
def test_an_unusable_email_is_kept_as_given_and_flagged(email: str) -> None:
    assert card(contact_email=email).contact_email == email
    assert card(contact_email=email).flags == ("email_unusable",)


def test_both_may_be_unusable() -> None:
    assert card(contact_email="x", contact_phone="y").flags == ("phone_unusable", "email_unusable")


@pytest.mark.parametrize(
    ("given", "number"),
    [
        ("+60 12-888 0000", "+60128880000"),
        ("+1 (650) 253-0000", "+16502530000"),
        ("+44 20 7946 0958", "+442079460958"),
        ("+86 138 0013 8000", "+8613800138000"),
    ],
)
def test_usable_phones_become_e164(given: str, number: str) -> None:
    assert usable_phone(given) == (number, ())


def test_no_phone_is_no_flag() -> None:
    assert card(contact_phone="", contact_email="").flags == ()


@given(st.text(max_size=60))
def test_no_phone_however_odd_loses_its_lead(phone: str) -> None:
    kept, flags = usable_phone(phone)
    assert flags in ((), ("phone_unusable",))
    assert kept == phone or kept.startswith("+")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"a": }',
        b"\xff\xfe",
        b'{"source": "\xff"}',
        b'{"score": NaN}',
        b'{"score": Infinity}',
        b'{"score": -Infinity}',
        b"[" * 50_000,
        b'{"a":' * 10_000,
        b'{"a":' * 21 + b"1" + b"}" * 21,
        b"1" * 5_000,
    ],
)
def test_what_is_not_json_or_nested_absurdly_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        parse_json(body)


@pytest.mark.parametrize("body", [b"[]", b'"a"', b"1", b"null", b"true", b"[{}]"])
def test_json_that_is_no_object_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        card_of(LeadIn.read(body))


def test_of_a_field_that_comes_twice_the_last_counts() -> None:
    body = b'{"source":"web","external_id":"1","company":"First","company":"Acme"}'
    assert card_of(LeadIn.read(body)).company == "Acme"


def test_real_nesting_is_read() -> None:
    body = b'{"a":' * 10 + b"1" + b"}" * 10
    assert parse_json(body)["a"]["a"]


def test_sixty_four_kilobytes_are_taken_and_not_one_byte_more() -> None:
    assert len(raw_body({"body": "a" * LARGEST_BODY})) == 65_536
    with pytest.raises(BodyTooLarge):
        raw_body({"body": "a" * (LARGEST_BODY + 1)})
    with pytest.raises(BodyTooLarge):
        raw_body({"body": "好" * (LARGEST_BODY // 3 + 1)})


def test_a_body_is_the_bytes_that_were_sent_however_it_is_wrapped() -> None:
    wrapped = base64.b64encode("é".encode()).decode()
    assert raw_body({"body": wrapped, "isBase64Encoded": True}) == "é".encode()
    assert raw_body({"body": "é", "isBase64Encoded": False}) == "é".encode()
    assert raw_body({"body": None}) == b""
    assert raw_body({}) == b""


SECRET = "whsec_" + base64.b64encode(b"a secret of our own, 32 bytes ok").decode()
BODY = json.dumps(WHOLE).encode()


def signed(
    body: bytes = BODY, secret: str = SECRET, ago: timedelta = timedelta()
) -> dict[str, str]:
    now = datetime.now(UTC) - ago
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", now, body.decode()),
    }


def test_a_good_signature_says_when_it_was_made() -> None:
    headers = signed()
    assert verify(BODY, headers, SECRET).timestamp() == int(headers["webhook-timestamp"])


def test_a_signature_of_four_minutes_ago_still_counts() -> None:
    assert verify(BODY, signed(ago=timedelta(minutes=4)), SECRET)
    assert verify(BODY, signed(ago=timedelta(minutes=-4)), SECRET)


def test_one_good_signature_among_several_is_enough() -> None:
    headers = signed()
    other = signed(secret="whsec_" + base64.b64encode(b"the secret before this one").decode())
    headers["webhook-signature"] = (
        f"v1a,Zm9v {other['webhook-signature']} {headers['webhook-signature']}"
    )
    assert verify(BODY, headers, SECRET)


def test_a_changed_body_is_not_what_was_signed() -> None:
    with pytest.raises(Unauthorized):
        verify(BODY.replace(b"86", b"99"), signed(), SECRET)


def test_a_body_signed_with_another_secret_is_refused() -> None:
    other = "whsec_" + base64.b64encode(b"somebody else's secret").decode()
    with pytest.raises(Unauthorized):
        verify(BODY, signed(secret=other), SECRET)


@pytest.mark.parametrize("minutes", [6, 60 * 24 * 365, -6, -60 * 24 * 365])
def test_an_old_signature_and_one_from_the_future_are_refused(minutes: int) -> None:
    with pytest.raises(Unauthorized):
        verify(BODY, signed(ago=timedelta(minutes=minutes)), SECRET)


def test_another_time_or_id_than_was_signed_is_refused() -> None:
    headers = signed(ago=timedelta(minutes=3))
    with pytest.raises(Unauthorized):
        verify(BODY, {**headers, "webhook-timestamp": signed()["webhook-timestamp"]}, SECRET)
    with pytest.raises(Unauthorized):
        verify(BODY, {**headers, "webhook-id": "msg_2"}, SECRET)


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_header_is_refused(missing: str) -> None:
    headers = {name: value for name, value in signed().items() if name != missing}
    with pytest.raises(Unauthorized):
        verify(BODY, headers, SECRET)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("webhook-timestamp", value)
        for value in ("", "now", "nan", "inf", "-inf", "1e400", "-1", "9" * 400, "0x10", "१२३")
    ]
    + [
        ("webhook-signature", value)
        for value in (
            "",
            " ",
            "v1",
            "v1,",
            ",",
            "v1,,",
            "v1,a,b",
            "v1,!!!",
            "v1,é",
            "v1,QUJD",
            "v2,QUJD",
            "v1,QUJD v1",
            "A" * 20_000,
        )
    ]
    + [("webhook-id", value) for value in ("", "é", "\ud800", "x" * 20_000)],
)
def test_a_malformed_header_is_refused_and_never_an_error_of_ours(header: str, value: str) -> None:
    with pytest.raises(Unauthorized):
        verify(BODY, {**signed(), header: value}, SECRET)


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=60))
def test_whatever_the_headers_hold_an_unsigned_body_is_refused(
    message: str, timestamp: str, signature: str
) -> None:
    headers = {
        "webhook-id": message,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature,
    }
    with pytest.raises(Unauthorized):
        verify(BODY, headers, SECRET)


def test_a_body_that_is_no_text_is_malformed_whoever_signed_it() -> None:
    with pytest.raises(MalformedBody):
        verify(b"\xff\xfe{}", signed(), SECRET)


@pytest.mark.parametrize(
    ("given", "region", "number"),
    [
        ("0060123456789", "", "+60123456789"),
        ("00 60 12-345 6789", "", "+60123456789"),
        ("(00)60 123456789", "", "+60123456789"),
        ("００６０１２３４５６７８９", "", "+60123456789"),
        ("0060123456789", "US", "+60123456789"),
        ("60123456789", "MY", "+60123456789"),
        ("0123456789", "MY", "+60123456789"),
        ("012-345 6789", "MY", "+60123456789"),
        ("123456789", "MY", "+60123456789"),
        ("٠١٢٣٤٥٦٧٨٩", "MY", "+60123456789"),
        ("(650) 253-0000", "US", "+16502530000"),
        ("011 60 12 345 6789", "US", "+60123456789"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("+44 20 7946 0958", "MY", "+442079460958"),
        ("+521 55 1234 5678", "", "+525512345678"),
        ("005215512345678", "", "+525512345678"),
        ("+52 55 1234 5678", "", "+525512345678"),
        ("+54 11 15 2345 6789", "", "+5491123456789"),
        ("+54 9 11 2345 6789", "", "+5491123456789"),
        ("+55 11 8765 4321", "", "+5511987654321"),
        ("+55 11 98765 4321", "", "+5511987654321"),
    ],
)
def test_one_number_however_it_is_dialled_is_one_person(
    given: str, region: str, number: str
) -> None:
    assert usable_phone(given, region) == (number, ())


@pytest.mark.parametrize(
    ("given", "region"),
    [("0123456789", ""), ("60123456789", ""), ("0123456789", "SG"), ("000", "MY"), ("00", "")],
)
def test_a_number_that_may_be_anybodys_is_kept_as_given_and_flagged(
    given: str, region: str
) -> None:
    assert usable_phone(given, region) == (given, ("phone_unusable",))


META = "<test lead: dummy data for {}>"


@pytest.mark.parametrize(
    "fields",
    [
        {"contact_name": META.format("full_name")},
        {"company": META.format("company_name")},
        {"contact_phone": META.format("phone_number")},
        {"territory": "&lt;test lead: dummy data for city&gt;"},
        {"contact_title": "＜Test Lead: Dummy data for job_title＞"},
        {"needs": ["roof", META.format("what_do_you_need?")]},
        {"contact_name": "lead: dummy data for last_name>"},
        {"contact_email": "test@meta.com"},
        {"contact_email": "TEST@fb.com"},
        {"contact_email": "test@facebook.com"},
        {"contact_email": "test@example.com"},
        {"contact_email": "test+1@example.org"},
        {"contact_name": "Test Lead"},
        {"company": "TEST-LEAD 1"},
        {"is_test": True},
        {"is_test": "true"},
    ],
)
def test_what_an_ad_platform_sends_to_try_a_connection_is_a_test_lead(
    fields: dict[str, Any],
) -> None:
    sent = card(**fields)
    assert sent.test
    assert "test_lead" in sent.flags


@pytest.mark.parametrize(
    "fields",
    [
        {"contact_title": "Senior Test Lead"},
        {"contact_title": "Test Lead"},
        {"company": "Test Leadership Academy"},
        {"company": "Contest Leads Sdn Bhd"},
        {"contact_email": "test@acme.example"},
        {"contact_email": "jane@meta.com"},
        {"contact_email": "jane@example.com"},
        {"external_id": "test-lead-1"},
        {"source": "test lead"},
        {"is_test": False},
        {"is_test": "no"},
        {"is_test": 17},
        {"is_test": None},
    ],
)
def test_who_only_reads_alike_is_a_real_lead(fields: dict[str, Any]) -> None:
    sent = card(**fields)
    assert not sent.test
    assert "test_lead" not in sent.flags


def test_a_lead_that_says_itself_that_it_is_a_test_needs_no_flag() -> None:
    sent = card(test=True, contact_email="test@meta.com")
    assert (sent.test, sent.flags) == (True, ())
