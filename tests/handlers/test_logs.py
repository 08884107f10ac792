"""The check on everything that is logged notices a leak (the checks themselves: conftest.py)."""

from __future__ import annotations

import logging

import pytest

from dibs.aws.observability import logger
from handlers.app import AINA, App, event
from support.builders import a_card, token_of
from support.privacy import Overheard, leaks

CARD = a_card()


@pytest.mark.parametrize(
    "personal",
    [
        AINA.phone,
        AINA.name,
        CARD.contact_name,
        CARD.contact_email,
        CARD.contact_phone,
        CARD.contact_phone.removeprefix("+"),
        token_of(AINA),
        f"Bearer {AINA.rep_id}.b64-random",
        "7F3yWhBM6zhasKA7qCK1Eg",
        "https://dibs.example/c/7F3yWhBM6zhasKA7qCK1Eg",
        "push-token-aaaac",
        "arn:aws:sns:us-east-1:123456789012:endpoint/GCM/dibs/1f2e3d4c",
        "v1,bm90IGEgc2lnbmF0dXJlOiB0aGUgdGVzdA==",
        "whsec_bm9ib2R5",
    ],
)
@pytest.mark.parametrize("how", ["message", "field", "nested", "exception", "library", "print"])
def test_a_leak_is_noticed_wherever_it_stands(
    overheard: Overheard, capsys: pytest.CaptureFixture[str], how: str, personal: str
) -> None:
    if how == "message":
        logger.info(f"told {personal}")
    elif how == "field":
        logger.info("told", whom=personal)
    elif how == "nested":
        logger.info("told", event={"to": [{"whom": personal}]})
    elif how == "exception":
        try:
            raise ValueError(personal)
        except ValueError:
            logger.exception("failed")
    elif how == "library":
        logging.getLogger("somebody.else").warning("no answer for %s", personal)
    else:
        print(personal)
        overheard.lines.extend(capsys.readouterr().out.splitlines())
    assert leaks(overheard.lines)
    overheard.lines.clear()  # or the check that runs after every test fails this one


def test_a_whole_event_in_the_log_is_noticed(overheard: Overheard) -> None:
    logger.info("got", event=event("sqs_notify"))
    assert leaks(overheard.lines)
    overheard.lines.clear()


def test_what_may_stand_in_the_log_is_no_leak(app: App) -> None:
    app.hire(AINA)
    app.lead()
    app.claim(app.lead())
    logger.error("failed", error="TransactionCanceledException", frames=["DynamoRaceStore.read:1"])
    assert len(app.overheard.lines) >= 2
    assert leaks(app.overheard.lines) == []
