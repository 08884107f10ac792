"""Test objects with complete defaults: a test sets only what it is about."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from dibs.assignment.allocate import allot
from dibs.assignment.head_start_store import DynamoTurns
from dibs.assignment.store import DynamoHoldings
from dibs.aws import keys
from dibs.aws.dynamo import Dynamo
from dibs.aws.settings import Settings
from dibs.core.credentials import Credential, Manager, shown
from dibs.core.lead import Claim, Contact, Lead, Preview, State, id_text
from dibs.core.quality import Quality
from dibs.core.rep import Rep, Usage
from dibs.intake.arrival_store import DynamoArrivals
from dibs.intake.ingest import IngestDeps, ingest
from dibs.intake.store import DynamoLeadStore
from dibs.playbook.store import DynamoPlaybooks
from dibs.race.claim import Proof, bearer
from dibs.race.ports import RaceView
from dibs.race.records import lock_item
from dibs.race.store import DynamoRaceStore
from dibs.race.usage import Change, count_lead
from dibs.roster.audit import Entry
from dibs.roster.audit_store import DynamoAuditLog
from dibs.roster.credential_store import DynamoCredentials
from dibs.roster.store import DynamoRoster
from dibs.rules.playbook import Playbook
from dibs.rules.playbook_store import playbook_from
from dibs.rules.ports import Version
from dibs.rules.presets import preset_text

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday


def a_playbook(**changes: Any) -> Playbook:
    """The shipped open pool with a team `north`; unworked leads go back from the first day."""
    data = {**json.loads(preset_text("open-pool")), "teams": {"north": {"name": "North"}}}
    work = {"until_first_activity": "run", **changes.pop("work", {})}
    return playbook_from({**data, **changes, "work": work})


def a_rep(number: int = 1, **changes: Any) -> Rep:
    """Return a rep of team north, in Kuching, with a phone."""
    rep = Rep(
        rep_id=id_text(number.to_bytes(3, "big")),
        name=f"Rep {number}",
        team="north",
        zone="Asia/Kuching",
        phone=f"+6012{number:07d}",
    )
    return replace(rep, **changes)


def a_card(number: int = 1, **changes: Any) -> Contact:
    """Return a hot lead's contact details; each number is another person and company."""
    domain = "acme.example" if number == 1 else f"acme-{number}.example"
    card = Contact(
        lead_id="",
        source="google-ads",
        external_id=f"ext-{number}",
        company=f"Acme {number} Sdn Bhd",
        company_size="51-200",
        contact_name="Jane Tan",
        contact_title="Head of Operations",
        contact_email=f"jane@{domain}",
        contact_phone=f"+6012888{(number - 1) % 10_000:04d}",
        score=86,
    )
    return replace(card, **changes)


def a_lead(**changes: Any) -> Lead:
    """Return a hot lead for team north, open from noon for 15 minutes."""
    lead = Lead(
        lead_id=id_text(b"lead-01"),
        state=State.OPEN,
        epoch=1,
        teams=("north",),
        quality=Quality.HOT,
        preview=Preview("Acme Sdn Bhd", "51-200", "Head of Operations", "google-ads", 86),
        salt=b"saltsalts",
        opens_at=NOON,
        closes_at=NOON + timedelta(minutes=15),
        playbook_version=1,
        received_at=NOON,
    )
    return replace(lead, **changes)


def with_one_more(rep: Rep, lead: Lead, usage: Usage, playbook: Playbook, claim: Claim) -> Usage:
    """Return the rep's usage after they have taken the lead."""
    return count_lead(rep, lead, usage, playbook, claim).applied_to(usage)


def counts_of(view: RaceView, claim: Claim, **options: Any) -> Change:
    """Return what a claim or an assignment counts."""
    assert view.rep is not None
    assert view.lead is not None
    return count_lead(view.rep, view.lead, view.usage, view.playbook, claim, **options)


def basics(usage: Usage) -> Usage:
    """Return a usage's counts of the day, the week and the leads in hand."""
    return Usage(usage.day, usage.claims, usage.week, usage.leads, usage.in_hand)


def token_of(rep: Rep) -> str:
    """Return the rep's bearer token."""
    return f"{rep.rep_id}.secret"


def proof_of(rep: Rep, token: str | None = None, now: datetime = NOON) -> Proof:
    """Return the proof of the rep's bearer token, or of another."""
    return bearer(shown(token_of(rep) if token is None else token), now)


class World:
    """An organisation on real tables: its stores, and what tests do to it."""

    def __init__(self, client: Any, settings: Settings, playbook: Playbook | None = None) -> None:
        self.dynamo = Dynamo(client)
        self.settings = settings
        self.race = DynamoRaceStore(self.dynamo, settings)
        self.leads = DynamoLeadStore(self.dynamo, settings)
        self.arrivals = DynamoArrivals(self.dynamo, settings)
        self.holdings = DynamoHoldings(self.dynamo, settings)
        self.roster = DynamoRoster(self.dynamo, settings)
        self.credentials = DynamoCredentials(self.dynamo, settings)
        self.audit_log = DynamoAuditLog(self.dynamo, settings)
        self.turns = DynamoTurns(self.dynamo, settings)
        self.playbooks = DynamoPlaybooks(self.dynamo, settings)
        self.put_playbook(playbook or a_playbook())

    def put_playbook(self, playbook: Playbook) -> None:
        """Put a playbook in force."""
        number = self.playbooks.in_force().number + 1
        assert self.playbooks.add(Version(replace(playbook, version=number)))

    def add_rep(self, rep: Rep) -> Rep:
        """Store a rep whose token is `token_of(rep)`."""
        said = shown(token_of(rep))
        entry = Entry("operator", "rep.add", rep.rep_id, NOON)
        self.roster.add(rep, said, Credential(said.digest, 0), entry)
        return rep

    def add_manager(self, token: str = "manager.secret", team: str = "") -> Manager:
        """Store a manager whose id is the first part of their token."""
        said = shown(token)
        manager = Manager(said.owner, said.owner.title(), team)
        entry = Entry("operator", "manager.add", said.owner, NOON)
        self.credentials.add_manager(manager, said, Credential(said.digest, 0), entry)
        return manager

    def replace_token(self, token: str, ends_at: datetime | None = None) -> None:
        """Give a rep or a manager this token in place of theirs."""
        said = shown(token)
        entry = Entry("operator", "token", said.owner, NOON)
        self.credentials.replace_token(said, Credential(said.digest, 0, ends_at), entry)

    def put_lead(self, lead: Lead) -> None:
        """Store a lead's lock as it is, whatever led to it."""
        self.dynamo.put(self.settings.leads_table, lock_item(lead))

    def remove_lead(self, lead_id: str) -> None:
        """Remove a lead's lock."""
        key = {"lead_id": {"S": lead_id}, "sk": {"S": keys.LOCK}}
        self.dynamo.delete(self.settings.leads_table, key)

    def post_lead(self, card: Contact, now: datetime) -> Lead:
        """Accept a lead as ingest does."""
        deps = IngestDeps(
            self.leads,
            self.arrivals,
            lambda: now,
            find_rep=self.roster.counted,
            allot=allot(self.roster, self.turns),
        )
        playbook = self.playbooks.in_force().playbook
        return ingest(card, playbook, b"saltsalts", now, deps).lead
