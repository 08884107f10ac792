"""Secrets of sources: each for what it may sign, and changed without a lost post (O2, H2)."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from dibs.core.errors import AlreadyExists, InvalidInput, Unauthorized
from dibs.intake.signing import (
    ASKED_AGAIN,
    DEFAULT,
    KEPT,
    OVERLAP,
    Book,
    Scope,
    Signatures,
    StoredSecret,
    added,
    ended,
    read_book,
    rotated,
    written,
)

BODY = b'{"company": "Acme"}'
OLD, NEW, OTHER = (base64.b64encode(f"secret number {n} of them".encode()).decode() for n in "123")


class Vault:
    """Stored secrets, a process that works with them, and a clock."""

    def __init__(self, text: str = OLD) -> None:
        self.at = datetime.now(UTC)
        self.stored = StoredSecret(text, self.at)
        self.reads, self.down = 0, False
        self.process = Signatures(self.read, lambda: self.at)

    def read(self) -> StoredSecret:
        self.reads += 1
        if self.down:
            raise ConnectionError("no answer")
        return self.stored

    def put(self, text: str) -> None:
        self.stored = StoredSecret(text, self.at, self.stored.text)

    def put_book(self, book: Book) -> None:
        self.put(written(book))

    def book(self) -> Book:
        return read_book(self.stored)

    def takes(self, secret: str, scope: Scope = Scope.LEADS) -> bool:
        now = datetime.now(UTC)
        headers = {
            "webhook-id": "msg_1",
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(f"whsec_{secret}").sign("msg_1", now, BODY.decode()),
        }
        try:
            self.process.verified(BODY, headers, scope)
        except Unauthorized:
            return False
        return True


def test_the_one_secret_of_the_template_signs_everything() -> None:
    vault = Vault()
    assert all(vault.takes(OLD, scope) for scope in Scope)
    assert not vault.takes(NEW)


def test_changing_the_text_itself_loses_no_post_for_a_day() -> None:
    vault = Vault()
    assert vault.takes(OLD)
    vault.put(NEW)
    assert vault.takes(NEW)
    assert vault.takes(OLD)
    vault.at += OVERLAP
    assert (vault.takes(NEW), vault.takes(OLD)) == (True, False)


def test_a_secret_that_is_changed_counts_at_once_and_the_last_one_until_it_runs_out() -> None:
    vault = Vault()
    vault.takes(OLD)
    vault.put_book(rotated(vault.book(), DEFAULT, NEW, vault.at + timedelta(hours=2)))
    for _ in range(20):
        assert vault.takes(OLD)
        assert vault.takes(NEW)
    vault.at += timedelta(hours=2)
    assert (vault.takes(NEW), vault.takes(OLD)) == (True, False)


def test_a_process_that_has_not_seen_the_change_yet_still_takes_the_old_one() -> None:
    vault = Vault()
    vault.takes(OLD)
    vault.put_book(rotated(vault.book(), DEFAULT, NEW, vault.at + OVERLAP))
    assert vault.takes(OLD)
    assert vault.reads == 1


def test_each_source_signs_with_its_own_secret_what_it_may() -> None:
    vault = Vault()
    vault.put_book(added(vault.book(), "dialler", (Scope.ACTIVITIES,), NEW))
    assert vault.takes(NEW, Scope.ACTIVITIES)
    assert not vault.takes(NEW, Scope.LEADS)
    assert vault.takes(OLD, Scope.LEADS)
    with pytest.raises(AlreadyExists):
        added(vault.book(), "dialler", tuple(Scope), OTHER)


def test_an_ended_secret_counts_a_minute_longer_at_most() -> None:
    vault = Vault()
    vault.put_book(added(vault.book(), "website", tuple(Scope), NEW))
    assert vault.takes(NEW)
    vault.put_book(ended(vault.book(), "website"))
    vault.at += KEPT
    assert (vault.takes(NEW), vault.takes(OLD)) == (False, True)


def test_the_last_secret_and_one_that_is_not_there_cannot_be_ended() -> None:
    vault = Vault()
    for source in (DEFAULT, "nobody"):
        with pytest.raises(InvalidInput):
            ended(vault.book(), source)
    with pytest.raises(InvalidInput):
        rotated(vault.book(), "nobody", NEW, vault.at)


def test_a_flood_of_wrong_signatures_reads_the_secrets_once_in_two_seconds() -> None:
    vault = Vault()
    for _ in range(50):
        assert not vault.takes(OTHER)
    assert vault.reads == 2
    vault.at += ASKED_AGAIN
    vault.takes(OTHER)
    assert vault.reads == 3


def test_while_secrets_cannot_be_read_those_read_before_count() -> None:
    vault = Vault()
    vault.takes(OLD)
    vault.down = True
    vault.at += KEPT
    assert vault.takes(OLD)
