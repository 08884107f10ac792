"""Recognise what ad platforms send to try a connection (O2): it is a test lead.

The platform's own mark is not always passed on by what lies between it and us, so the values tell.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

# Meta: "<test lead: dummy data for full_name>". Not a bare "test lead": that is a job.
_MARK = re.compile(r"<\s*test[\s_-]*lead|\bdummy[\s_-]*data\s+for\b")
# Written as the whole name of a person or company, it is no job.
_WHOLE = re.compile(r"(?:test[\s_-]*lead|lead[\s_-]*test)[\W\d]*")
# test@meta.com, test@fb.com, test@example.com and the like: mailboxes of platforms, and domains
# reserved for examples (RFC 2606). A customer has neither.
_MAILBOX = re.compile(
    r"test(?:[._+-]?(?:lead|user|email|\d+))*@(?:[\w-]+\.)*"
    r"(?:meta|fb|facebook|facebookmail|instagram|google|linkedin|tiktok|bytedance|snap|snapchat"
    r"|pinterest|twitter|x|microsoft|reddit|quora|taboola|outbrain|example)\.(?:com|net|org)"
)


TEST_EVERYBODY = "test_everybody"
"""The flag of a test lead of which not only the playbook's test reps are told (O2)."""

# The names a connection gives; they say nothing of the person.
_IDS = ("source", "external_id")


def is_dummy(sent: Mapping[str, object]) -> bool:
    """Tell whether any text of a lead is one that a platform fills in to try a connection."""
    for name, value in sent.items():
        for text in map(_plain, _texts(value) if name not in _IDS else ()):
            if _MARK.search(text) or _MAILBOX.fullmatch(text):
                return True
            if name in ("company", "contact_name") and _WHOLE.fullmatch(text):
                return True
    return False


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, list | tuple):
        return [text for one in value for text in _texts(one)]
    return [value] if isinstance(value, str) else []


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()
