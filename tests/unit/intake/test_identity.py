"""What makes two leads the same person or company, and what does not (C6)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dibs.core.lead import Contact, IdentityKind
from dibs.intake.body import usable_phone
from dibs.intake.company_names import company_name, name_and_form
from dibs.intake.domains import company_domain
from dibs.intake.identity import email_of, identities_of, identity
from dibs.rules.rules import Duplicates
from support.builders import a_card

BOTH = Duplicates()
NOBODY = Contact("", "web", "1", "-")


def kinds(card: Contact, rules: Duplicates = BOTH) -> list[IdentityKind]:
    return [one.kind for one in identities_of(card, rules)]


def shared(one: Contact, other: Contact) -> list[IdentityKind]:
    """Return the identities two leads' contacts share."""
    theirs = {identity.key for identity in identities_of(other, BOTH)}
    return [identity.kind for identity in identities_of(one, BOTH) if identity.key in theirs]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jane@acme.com", "JANE@Acme.COM"),
        ("jane@acme.com", " jane@acme.com "),
        ("jane@gmail.com", "j.a.n.e@gmail.com"),
        ("jane@gmail.com", "jane+forms@gmail.com"),
        ("jane@gmail.com", "Jane.+x+y@googlemail.com"),
        ("jane@outlook.com", "jane+forms@outlook.com"),
        ("jane@icloud.com", "jane+1@icloud.com"),
        ("jane@münchen.de", "jane@xn--mnchen-3ya.de"),
        ("ｊａｎｅ＠acme.com", "jane@acme.com"),
    ],
)
def test_the_same_mailbox_written_in_two_ways(one: str, other: str) -> None:
    assert email_of(one) == email_of(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jane@acme.com", "jane+forms@acme.com"),  # a company's own server may tell them apart
        ("jane.tan@acme.com", "janetan@acme.com"),
        ("jane.tan@outlook.com", "janetan@outlook.com"),
        ("jane@acme.com", "jane@acme.co"),
        ("jane@acme.com", "jane@mail.acme.com"),
        ("jane1@acme.com", "jane2@acme.com"),
    ],
)
def test_two_mailboxes_stay_two(one: str, other: str) -> None:
    assert email_of(one) != email_of(other)


@pytest.mark.parametrize(
    "given",
    ["", "jane", "jane@", "@acme.com", "a@@b.c", "jane@acme", "+x@gmail.com", "...@gmail.com"],
)
def test_what_is_no_mailbox_is_nobodys(given: str) -> None:
    assert email_of(given) == ""


@pytest.mark.parametrize(
    ("given", "domain"),
    [
        ("acme.com", "acme.com"),
        ("ACME.com.", "acme.com"),
        ("mail.eu.acme.com", "acme.com"),
        ("acme.com.my", "acme.com.my"),
        ("sales.acme.com.my", "acme.com.my"),
        ("mail.acme.co.uk", "acme.co.uk"),
        ("shop.acme.kobe.jp", "shop.acme.kobe.jp"),
        ("acme.github.io", "acme.github.io"),
        ("münchen.de", "xn--mnchen-3ya.de"),
        ("例え.香港", "xn--r8jz45g.xn--j6w193g"),
        ("gmail.com", ""),
        ("yahoo.com.my", ""),
        ("live.com.my", ""),
        ("hotmail.co.uk", ""),
        ("qq.com", ""),
        ("163.com", ""),
        ("gmx.at", ""),
        ("streamyx.com", ""),
        ("privaterelay.appleid.com", ""),
        ("example.com", ""),
        ("mail.example.org", ""),
        ("example.net", ""),
        ("com.my", ""),
        ("github.io", ""),
        ("localhost", ""),
        ("", ""),
        ("a..b.com", ""),
        (f"{'a' * 64}.com", ""),
    ],
)
def test_the_domain_a_company_has_registered(given: str, domain: str) -> None:
    assert company_domain(given) == domain


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Acme", "acme"),
        ("Acme Sdn Bhd", "acme"),
        ("ACME SDN. BHD.", "acme"),
        ("Acme Sendirian Berhad", "acme"),
        ("Acme GmbH", "acme"),
        ("Acme GmbH & Co. KG", "acme"),
        ("Acme, Inc.", "acme"),
        ("Acme Pty Ltd", "acme"),
        ("Acme Pte. Ltd.", "acme"),
        ("Acme Co., Ltd.", "acme"),
        ("Acme Private Limited", "acme"),
        ("Acme S.A. de C.V.", "acme"),
        ("Acme B.V.", "acme"),
        ("PT Acme Tbk", "acme"),
        ("ＡＣＭＥ　Ｌｔｄ", "acme"),
        ("  acme   ltd ", "acme"),
        ("Acme & Sons Ltd", "acme and sons"),
        ("Acme and Sons", "acme and sons"),
        ("O'Brien Ltd", "obrien"),
        ("O’Brien", "obrien"),
        ("阿里巴巴有限公司", "阿里巴巴"),
        ("腾讯科技股份有限公司", "腾讯科技"),
        ("株式会社アクメ", "アクメ"),
        ("アクメ㈱", "アクメ"),
        ("주식회사 아크메", "아크메"),
        ("ООО «Ромашка»", "ромашка"),
        ("Société Générale SA", "société générale"),
        ("บริษัท เอซีเอ็ม", "บริษัท เอซีเอ็ม"),
        ("3M", "3m"),
        ("Acme 1 Sdn Bhd", "acme 1"),
        ("Limited", "limited"),
        ("Siemens UK", "siemens uk"),
        ("", ""),
        ("-", ""),
        ("🏭", ""),
        ("n/a", ""),
        ("N/A Ltd", ""),
        ("Self-employed", ""),
        ("private", ""),
        ("Unknown", ""),
        ("个人", ""),
    ],
)
def test_a_company_by_its_name_alone(given: str, name: str) -> None:
    assert company_name(given) == name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Shop 7", "Shop 8"),
        ("Acme", "Acme North"),
        ("Acme", "Acmé"),
        ("Acme (M) Sdn Bhd", "Acme Sdn Bhd"),
        ("กข", "กิข"),  # a vowel is a mark
        ("Acme", "Acne"),
    ],
)
def test_names_that_are_only_alike_are_two_companies(one: str, other: str) -> None:
    assert company_name(one) != company_name(other)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, [IdentityKind.PHONE, IdentityKind.EMAIL, IdentityKind.DOMAIN, IdentityKind.NAME]),
        ({"contact_phone": ""}, [IdentityKind.EMAIL, IdentityKind.DOMAIN, IdentityKind.NAME]),
        ({"contact_email": ""}, [IdentityKind.PHONE, IdentityKind.NAME]),
        (
            {"contact_email": "jane@gmail.com"},
            [IdentityKind.PHONE, IdentityKind.EMAIL, IdentityKind.NAME],
        ),
        (
            {"contact_email": "jane@example.com"},
            [IdentityKind.PHONE, IdentityKind.EMAIL, IdentityKind.NAME],
        ),
        ({"company": "n/a"}, [IdentityKind.PHONE, IdentityKind.EMAIL, IdentityKind.DOMAIN]),
        (
            {"flags": ("phone_unusable",)},
            [IdentityKind.EMAIL, IdentityKind.DOMAIN, IdentityKind.NAME],
        ),
        ({"flags": ("email_unusable",)}, [IdentityKind.PHONE, IdentityKind.NAME]),
        (
            {"contact_phone": "+6038888 0000 ext. 12"},
            [IdentityKind.EMAIL, IdentityKind.DOMAIN, IdentityKind.NAME],
        ),
        (
            {"contact_phone": "012-888 0000"},
            [IdentityKind.EMAIL, IdentityKind.DOMAIN, IdentityKind.NAME],
        ),
        ({"test": True}, []),
    ],
)
def test_what_a_lead_can_be_known_by(changes: dict[str, object], found: list[IdentityKind]) -> None:
    assert kinds(replace(a_card(), **changes)) == found


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        (Duplicates(company=False), [IdentityKind.PHONE, IdentityKind.EMAIL]),
        (Duplicates(person=False), [IdentityKind.DOMAIN, IdentityKind.NAME]),
        (Duplicates(person=False, company=False), []),
    ],
)
def test_a_rule_that_is_off_makes_nobody_known(
    rules: Duplicates, found: list[IdentityKind]
) -> None:
    assert kinds(a_card(), rules) == found


@pytest.mark.parametrize(
    "written", ["+60 12-888 0000", "+60128880000", "+60-(0)12 888 0000", "+60 12 8880000"]
)
def test_one_number_however_it_was_written(written: str) -> None:
    phone, flags = usable_phone(written)
    card = replace(NOBODY, contact_phone=phone, flags=flags)
    assert shared(card, replace(NOBODY, contact_phone="+60128880000")) == [IdentityKind.PHONE]


def test_nobody_can_read_who_an_identity_is() -> None:
    for one in identities_of(a_card(), BOTH):
        scope, _, digest = one.key.partition(":")
        assert scope == ("person" if one.kind.personal else "company")
        assert len(bytes.fromhex(digest)) == 32


def test_a_name_that_reads_like_a_domain_is_no_domain() -> None:
    one = replace(NOBODY, company="acme.com")
    assert shared(one, replace(NOBODY, contact_email="x@acme.com")) == []


TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["", " ", "-", "n/a", "Acme Ltd", "ACME", "有限公司", "jane@acme.com", "+6012"]
    ),
)
CARDS = st.builds(
    Contact,
    lead_id=st.just(""),
    source=st.just("web"),
    external_id=st.just("1"),
    company=TEXTS,
    contact_name=TEXTS,
    contact_email=TEXTS | st.emails(),
    contact_phone=TEXTS | st.from_regex(r"\+[1-9][0-9]{5,12}", fullmatch=True),
    flags=st.sampled_from([(), ("phone_unusable",), ("email_unusable",)]),
)


@given(CARDS, CARDS)
def test_what_is_shared_is_shared_both_ways(one: Contact, other: Contact) -> None:
    assert set(shared(one, other)) == set(shared(other, one))
    assert shared(one, one) == kinds(one)


@given(CARDS)
def test_who_gave_nothing_is_nobody(card: Contact) -> None:
    assert shared(card, NOBODY) == []
    empty = replace(card, company="", contact_email="", contact_phone="")
    assert kinds(empty) == []


@given(TEXTS)
def test_a_normalised_value_is_its_own(text: str) -> None:
    assert company_name(company_name(text)) == company_name(text)
    assert email_of(email_of(text)) == email_of(text)
    assert company_domain(company_domain(text)) == company_domain(text)


@pytest.mark.parametrize(
    "written",
    [
        "[not provided]",
        "<company>",
        "(none)",
        "{{lead.company}}",
        "${company}",
        "%COMPANY%",
        "#N/A",
        "【未提供】",
        "--none--",
        "null",
        "undefined",
        "NaN",
        "нет",
        "не указано",
        "частное лицо",
        "keine Angabe",
        "Privat",
        "aucune",
        "sin empresa",
        "ninguna",
        "não informado",
        "nessuna azienda",
        "geen",
        "tidak ada",
        "belum ada",
        "brak",
        "yok",
        "không có",
        "لا يوجد",
        "कोई नहीं",
        "ไม่มี",
        "沒有",
        "なし",
        "없음",
        "No Company Name",
        "my own company",
        "Test Company Sdn Bhd",
        "test123",
        "test test",
        "testtest",
        "xxx",
        "aaaa",
        "???",
        "x",
        "0",
        "12345",
        "asdf",
        "asdasd",
        "qwerty",
        "qwe123",
        "lkjh",
        "йцукен",
        "jane@acme.example",
        "+60 12-345 6789",
        "gmail.com",
        "Gmail",
        "yahoo.com.my",
        "Malaysia",
        "United Kingdom",
        "Kuala Lumpur",
        "Singapore",
        "Deutschland",
        "中国",
        "self employed",
        "\u200bN/A\u200b",
    ],
)
def test_what_is_written_in_place_of_a_name_is_nobodys(written: str) -> None:
    assert company_name(written) == ""


@pytest.mark.parametrize(
    "field", ["contact_name", "contact_title", "territory", "segment", "product", "source", "team"]
)
def test_what_another_field_says_is_no_company(field: str) -> None:
    card = replace(NOBODY, company="Tan Ah Kow", **{field: "TAN AH KOW"})
    assert kinds(card) == []


@pytest.mark.parametrize(
    ("given", "countries", "name"),
    [
        ("PT Acme", (), "pt acme"),  # physical therapy
        ("PT Acme", ("ID",), "acme"),
        ("PT Acme", ("US",), "pt acme"),
        ("PT. Acme Persero", (), "acme persero"),
        ("CV Acme", (), "cv acme"),
        ("CV Acme", ("ID",), "acme"),
        ("Acme PT", ("ID",), "acme pt"),  # it stands before the name there
        ("OOO Acme", ("MY",), "ooo acme"),
        ("OOO Acme", ("RU",), "acme"),
        ("UAB Acme", ("LT",), "acme"),
        ("City ENT", (), "city ent"),
        ("City UD", (), "city ud"),
        ("City Private", (), "city private"),
        ("City Ltd", (), "city"),
        ("City d.o.o.", (), "city"),
    ],
)
def test_a_legal_form_is_cut_where_it_stands_in_its_country(
    given: str, countries: tuple[str, ...], name: str
) -> None:
    assert company_name(given, frozenset(countries)) == name


@pytest.mark.parametrize(
    ("card", "name"),
    [
        (replace(NOBODY, company="PT Acme", contact_phone="+6281234567890"), "acme"),
        (replace(NOBODY, company="PT Acme", contact_email="a@acme.co.id"), "acme"),
        (replace(NOBODY, company="PT Acme", contact_phone="+16502530000"), "pt acme"),
    ],
)
def test_a_number_or_domain_tells_the_country(card: Contact, name: str) -> None:
    wanted = identity(IdentityKind.NAME, name)
    assert wanted is not None
    assert wanted.key in {one.key for one in identities_of(card, BOTH)}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Acme Sdn Bhd", "ACME SENDIRIAN BERHAD", True),
        ("Acme Ltd", "Acme Limited", True),
        ("Acme Inc.", "Acme Incorporated", True),
        ("Acme Co., Ltd.", "Acme Company Limited", True),
        ("Acme Pvt Ltd", "Acme Private Limited", True),
        ("Acme Ltd", "Acme GmbH", False),
        ("Acme Sdn Bhd", "Acme Berhad", False),
        ("腾讯有限公司", "腾讯股份有限公司", False),
    ],
)
def test_only_one_form_in_two_spellings_is_one_form(one: str, other: str, same: bool) -> None:
    forms = [name_and_form(written)[1] for written in (one, other)]
    assert all(forms)
    assert (forms[0] == forms[1]) is same
