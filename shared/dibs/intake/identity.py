"""Recognise the same person by phone or e-mail, the same company by domain or name (C6).

Two leads are about the same person or company when an identity is equal, letter for letter. Shared
values (a free-mail domain, a placeholder) are no identity. A missed match costs one more race; a
wrong match costs a rep their lead. So a doubtful value is no identity.

A name is the weakest: two companies may have it, and nobody can list all that is written in place
of one. So it carries marks of whom it came with, and counts only while they fit one company
(`duplicates.py`).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import phonenumbers

from dibs.core.lead import Contact, IdentityKind
from dibs.intake.company_names import joined, name_and_form
from dibs.intake.domains import ascii_domain, company_domain, listed
from dibs.intake.duplicates import Identity
from dibs.rules.rules import Duplicates


def identities_of(card: Contact, rules: Duplicates, region: str = "") -> tuple[Identity, ...]:
    """Return the lead's identities under the rules that are on; none for a test lead.

    `region` is the country of numbers without a country code.
    """
    if card.test:
        return ()
    email = "" if "email_unusable" in card.flags else email_of(card.contact_email)
    phone = "" if "phone_unusable" in card.flags else phone_of(card.contact_phone)
    people = [identity(IdentityKind.PHONE, phone), identity(IdentityKind.EMAIL, email)]
    candidates = list(people) if rules.person else []
    if rules.company:
        domain = identity(IdentityKind.DOMAIN, company_domain(email.rpartition("@")[2]))
        name, form = name_and_form(card.company, _countries(email, phone, region))
        if _says_another_field(name, card):
            name = ""
        by_name = identity(IdentityKind.NAME, name)
        if by_name is not None:
            by_name = replace(by_name, marks=_marks(card, domain, people, form))
        candidates += [domain, by_name]
    return tuple(value for value in candidates if value is not None)


def _marks(
    card: Contact, domain: Identity | None, people: Sequence[Identity | None], form: str
) -> tuple[str, ...]:
    """Return what a name came with: the company's own domain or else the person, and the form."""
    by = [domain] if domain is not None else [one for one in people if one is not None]
    found = [f"{'domain' if domain else 'person'}:{_short(one.key)}" for one in by]
    if not found:  # who it is nobody can tell, so it is somebody else than before
        found = [f"person:{_short(f'{card.source}{chr(0)}{card.external_id}')}"]
    return (*found, *([f"form:{form}"] if form else []))


def _says_another_field(name: str, card: Contact) -> bool:
    """Tell whether a name is no company's but the person's, their title, territory or the like."""
    others = (
        card.contact_name,
        card.contact_title,
        card.territory,
        card.segment,
        card.product,
        card.source,
        card.team,
    )
    return any(name == joined(other) for other in others if other)


def domain_mark(domain: Identity) -> str:
    """Return the mark of a name that belongs to the company of this domain."""
    return f"domain:{_short(domain.key)}"


def _short(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def _countries(email: str, phone: str, region: str) -> frozenset[str]:
    """Return the countries that a lead's number and domain point at, else the region."""
    top = email.rpartition(".")[2].upper()
    found = {top} if len(top) == 2 else set()
    with suppress(phonenumbers.NumberParseException):
        found.add(phonenumbers.region_code_for_number(phonenumbers.parse(phone)) or "")
    return frozenset(found - {""} or {region})


def identity(kind: IdentityKind, value: str) -> Identity | None:
    """Return the identity of a normalised value, None for an empty one."""
    if not value:
        return None
    digest = hashlib.sha256(f"{kind}\0{value}".encode()).hexdigest()
    return Identity(kind, f"{'person' if kind.personal else 'company'}:{digest}")


_E164 = re.compile(r"\+[1-9]\d{6,14}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# Providers that deliver name+anything to name, by their registrable domain.
_TAGGED = listed(
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
    domain = ascii_domain(written)
    if not domain:
        return ""
    if domain in _GMAIL:
        domain, name = "gmail.com", name.replace(".", "")
    if domain in _TAGGED:
        name = name.partition("+")[0]
    return f"{name}@{domain}" if name else ""
