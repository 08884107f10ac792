"""A lead is accepted once; posting it again changes nothing the race depends on (C4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dibs.core.errors import Busy
from dibs.core.events import LeadEvent
from dibs.core.lead import Contact, Lead, State, Transition, lead_id_for
from dibs.core.quality import Pool, Quality
from dibs.intake import ingest as module
from dibs.intake.ingest import IngestDeps, IngestResult, ingest, preview_of
from support.builders import NOON, a_card, a_playbook
from support.fakes import FakeWorld, no_pause


def post(world: FakeWorld, card: Contact, *, late_by: timedelta = timedelta()) -> IngestResult:
    """Post a lead signed `late_by` before now."""
    deps = IngestDeps(world.leads, world.arrivals, world.clock, pause=no_pause)
    return ingest(card, world.memory.playbook, b"saltsalts", world.clock() - late_by, deps)


def test_a_new_lead_is_open_at_once_for_its_whole_window() -> None:
    world = FakeWorld(a_playbook(window_seconds=600))
    accepted = post(world, a_card())
    lead = world.lead(accepted.lead)
    assert not accepted.duplicate
    assert (lead.state, lead.epoch, lead.owner) == (State.OPEN, 1, None)
    assert (lead.opens_at, lead.closes_at) == (NOON, NOON + timedelta(minutes=10))
    assert (lead.quality, lead.pool, lead.teams) == (Quality.HOT, Pool.PREMIUM, ("north",))
    assert lead.lead_id == lead_id_for("google-ads", "ext-1")


def test_a_new_leads_first_move_and_its_event_are_stored_with_it() -> None:
    world = FakeWorld()
    lead = post(world, a_card()).lead
    assert world.leads.history(lead.lead_id) == [
        Transition(lead.lead_id, 1, NOON, State.NEW, State.OPEN, "accepted", "google-ads")
    ]
    (pending,) = world.leads.waiting_in_outbox(NOON + timedelta(seconds=1))
    assert pending.event is not None
    assert (pending.event.kind, pending.event.lead_id) == ("lead.opened", lead.lead_id)


def test_a_new_lead_nobody_races_for_waits_to_be_assigned() -> None:
    world = FakeWorld(a_playbook(model="speed-board"))
    lead = post(world, a_card()).lead
    assert world.lead(lead) == lead
    assert (lead.state, lead.opens_at, lead.closes_at) == (State.NEW, NOON, NOON)
    assert world.leads.history(lead.lead_id) == []
    assert world.leads.open_leads() == []
    (pending,) = world.leads.waiting_in_outbox(NOON + timedelta(seconds=1))
    assert pending.event == LeadEvent("lead.queued", lead.lead_id, 1)
    assert post(world, a_card()) == IngestResult(lead, (), duplicate=True)


def test_a_new_leads_waves_are_recorded_with_the_rules_they_came_from() -> None:
    world = FakeWorld(replace(a_playbook(model="tiers"), version=7))
    lead = post(world, a_card(score=60)).lead
    quarter, hour = NOON + timedelta(minutes=15), NOON + timedelta(hours=1)
    assert world.lead(lead).waves == {"north": (NOON, quarter, hour)}
    assert (lead.closes_at, lead.playbook_version) == (hour + timedelta(minutes=15), 7)
    assert (lead.notified_until, lead.return_at, lead.previous_owner) == (None, None, None)


def test_a_lead_keeps_its_territory_for_whom_it_is_assigned_to() -> None:
    world = FakeWorld()
    assert post(world, a_card(1, territory="sarawak")).lead.territory == "sarawak"
    assert post(world, a_card(2)).lead.territory == ""
    assert len(post(world, a_card(3, territory="𝕋" * 60)).lead.territory.encode()) <= 40


def test_the_card_keeps_every_letter_and_the_flags() -> None:
    world = FakeWorld()
    card = a_card(company="A" * 200, flags=("phone_unusable",))
    accepted = post(world, card)
    assert world.leads.card(accepted.lead.lead_id) == replace(card, lead_id=accepted.lead.lead_id)
    assert accepted.flags == ("phone_unusable",)


def test_a_lead_is_routed_by_the_playbook() -> None:
    teams = {"north": {"name": "N"}, "south": {"name": "S"}}
    world = FakeWorld(a_playbook(teams=teams, routing=[{"teams": ["south"], "product": "solar"}]))
    assert post(world, a_card(1, product="solar")).lead.teams == ("south",)
    assert post(world, a_card(2, team="north", product="solar")).lead.teams == ("north",)
    assert post(world, a_card(3)).lead.teams == ("north", "south")


def test_the_same_lead_again_is_a_duplicate_and_stores_nothing_new() -> None:
    world = FakeWorld()
    first = post(world, a_card())
    before = (dict(world.memory.leads), dict(world.memory.outbox), list(world.memory.transitions))
    world.clock.pass_(minutes=1)
    again = post(world, a_card())
    assert again == IngestResult(first.lead, (), duplicate=True)
    assert before == (world.memory.leads, world.memory.outbox, world.memory.transitions)


def test_a_duplicate_is_told_how_the_lead_stands_now() -> None:
    world = FakeWorld()
    lead = post(world, a_card()).lead
    world.memory.leads[lead.lead_id] = replace(lead, state=State.CLAIMED, owner="aaaac")
    assert post(world, a_card()).lead.state is State.CLAIMED


def test_a_changed_body_updates_the_contact_and_not_what_the_race_depends_on() -> None:
    world = FakeWorld(a_playbook(teams={"north": {"name": "N"}, "south": {"name": "S"}}))
    first = post(world, a_card(team="north")).lead
    changed = a_card(
        team="south",
        score=1,
        territory="t",
        segment="s",
        product="p",
        test=True,
        contact_phone="+60128881111",
        do_not_call=True,
        consent="withdrawn",
        flags=("email_unusable",),
    )
    world.clock.pass_(seconds=1)
    again = post(world, changed)
    kept = world.leads.card(first.lead_id)
    assert kept is not None
    assert (kept.contact_phone, kept.do_not_call) == ("+60128881111", True)
    assert (kept.consent, kept.flags) == ("withdrawn", ("email_unusable",))
    assert (kept.team, kept.score, kept.territory) == ("north", 86, "")
    assert (kept.segment, kept.product, kept.test) == ("", "", False)
    assert world.lead(first) == first
    assert again.flags == ("email_unusable",)


def test_a_body_signed_earlier_that_arrives_later_does_not_undo_the_newer_one() -> None:
    world = FakeWorld()
    lead = post(world, a_card(contact_phone="+60128882222")).lead
    post(world, a_card(contact_phone="+60128881111"), late_by=timedelta(minutes=2))
    kept = world.leads.card(lead.lead_id)
    assert kept is not None
    assert kept.contact_phone == "+60128882222"


def test_the_same_external_id_from_another_source_is_another_lead() -> None:
    world = FakeWorld()
    other = a_card(2, external_id="ext-1")
    one, two = post(world, a_card()), post(world, replace(other, source="fair"))
    assert one.lead.lead_id != two.lead.lead_id
    assert not two.duplicate


def test_a_lead_that_meets_a_strangers_id_steps_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    def crowded(source: str, external_id: str, attempt: int = 0) -> str:
        return "aaaaaaaaaaaa" if attempt == 0 else lead_id_for(source, external_id, attempt)

    monkeypatch.setattr(module, "lead_id_for", crowded)
    world = FakeWorld()
    first, second = post(world, a_card(1)), post(world, a_card(2))
    assert first.lead.lead_id == "aaaaaaaaaaaa"
    assert not second.duplicate
    assert len(world.memory.leads) == 2
    again = post(world, a_card(2))
    assert (again.duplicate, again.lead) == (True, second.lead)


class BusyLeads:
    """Refuse the first `times` leads, as when two copies of a request conflict."""

    def __init__(self, world: FakeWorld, times: int) -> None:
        self._leads = world.leads
        self._times = times

    def accept(self, *lead: object, **more: object) -> Contact | None:
        if self._times:
            self._times -= 1
            raise Busy(conflict=True)
        return self._leads.accept(*lead, **more)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> object:
        return getattr(self._leads, name)


def accept_while_busy(world: FakeWorld, times: int) -> Lead:
    store = BusyLeads(world, times)
    deps = IngestDeps(store, world.arrivals, world.clock, pause=no_pause)  # type: ignore[arg-type]
    return ingest(a_card(), world.memory.playbook, b"saltsalts", NOON, deps).lead


def test_a_lead_that_meets_its_twin_is_tried_again() -> None:
    world = FakeWorld()
    lead = accept_while_busy(world, times=3)
    assert world.memory.leads == {lead.lead_id: lead}


def test_when_the_store_stays_busy_the_source_is_told_so_and_nothing_is_stored() -> None:
    world = FakeWorld()
    with pytest.raises(Busy):
        accept_while_busy(world, times=100)
    assert world.memory.leads == {}


def test_a_preview_holds_no_personal_data_and_is_cut_to_its_bytes() -> None:
    card = a_card(
        company="語" * 200, company_size="語" * 64, contact_title="語" * 200, source="語" * 64
    )
    preview = preview_of(card)
    assert len(preview.company.encode()) <= 120
    assert len(preview.company_size.encode()) <= 24
    assert len(preview.contact_title.encode()) <= 80
    assert len(preview.source.encode()) <= 40
    for text in (preview.company, preview.company_size, preview.contact_title, preview.source):
        assert text.strip("語") == "…"  # cut between letters, never through one


def test_a_preview_of_ordinary_length_is_whole() -> None:
    card = a_card()
    preview = preview_of(card)
    assert (preview.company, preview.company_size) == (card.company, card.company_size)
    assert (preview.contact_title, preview.source) == (card.contact_title, card.source)
    assert preview.score == 86
