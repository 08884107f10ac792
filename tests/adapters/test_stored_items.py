"""Items that a deployed stack holds are read as what they meant when they were written.

Each is spelled here as DynamoDB has it. Nobody may change one of these: a stack has it stored. A
new attribute is added beside them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from dibs.aws.attributes import Item
from dibs.core.calendar import parse_hours
from dibs.core.lead import (
    Claim,
    Contact,
    DuplicateLink,
    IdentityKind,
    Lead,
    Post,
    Preview,
    State,
    Transition,
)
from dibs.core.quality import Quality
from dibs.core.rep import Device, Platform, Rep, Usage
from dibs.game.help.rules import HelpAnswer, HelpRequest
from dibs.game.help.store import help_from, help_item
from dibs.game.quests.rules import ReportedStep
from dibs.game.quests.store import told_from, told_item
from dibs.game.rewards.rules import RequestState, RequestStep, Reward, RewardRequest
from dibs.game.rewards.store import request_from, request_item, reward_from
from dibs.game.scoring.points import Account, Transfer
from dibs.game.scoring.points_store import account_from, transfer_from, transfer_item
from dibs.intake.duplicates import Identity, KnownIdentity
from dibs.intake.records import link_from, link_item, merged_from, merged_item, standing_from
from dibs.ledger.entries import Entry
from dibs.ledger.store import entry_from, entry_item
from dibs.offers.ports import OfferView
from dibs.offers.records import sighting_from
from dibs.race.card_records import card_from, card_item, post_text
from dibs.race.draw import DrawResult
from dibs.race.ports import SentOffer
from dibs.race.records import (
    claim_from,
    claim_item,
    draw_item,
    drawn_from,
    lead_from,
    lock_item,
    notice_from,
    notice_item,
    notices_change,
    notices_from,
    transition_from,
    transition_item,
)
from dibs.race.rep_records import rep_from, rep_item
from dibs.race.verdicts import RecordedVerdicts
from dibs.receipts.ports import Dispute
from dibs.receipts.receipts import Outcome, TriedRace
from dibs.receipts.store import (
    dispute_from,
    dispute_item,
    judged_from,
    judged_item,
    tried_from,
    tried_item,
)

AT = datetime(2026, 11, 30, 9, 30, 0, 123000, UTC)


def later(minutes: int) -> datetime:
    return AT + timedelta(minutes=minutes)


LEAD = Lead(
    lead_id="abcdefgh2345",
    state=State.CLAIMED,
    epoch=2,
    teams=("north", "south"),
    quality=Quality.HOT,
    preview=Preview("Müller AG", "50-99", "CTO", "web", 0),
    salt=b"\x00\xffsalt",
    opens_at=AT,
    closes_at=later(60),
    playbook_version=7,
    received_at=later(-1),
    test=True,
    territory="DE-BY",
    waves={"south": (AT, later(15), None)},
    owner="aaaac",
    claimed_at=later(1),
    worked_at=later(2),
    return_at=later(90),
    notified_until=later(3),
    previous_owner="aaaad",
    released_by={"aaaad": datetime(2026, 11, 30, 9, 30, tzinfo=UTC)},
    on_hold=True,
    accepted_at=later(4),
    segment="smb",
    product="solar",
    language="de",
    needs=(("heat pump", 2), ("solar", 1)),
    pods=("a", "b"),
    blind=True,
    head_start_reps=("aaaae",),
    reserved_for="absence",
    draws_at=later(5),
    undone_by=("aaaaf", "aaaag"),
    race_epoch=1,
)
LEAD_ITEM: Item = {
    "undid": {"S": "aaaaf aaaag"},
    "ep1": {"N": "1"},
    "accepted_at": {"N": "1796031240123"},
    "asks": {"S": "smb\nsolar\nde\nheat pump:2\nsolar:1"},
    "blind": {"BOOL": True},
    "claimed_at": {"N": "1796031060123"},
    "closes_at": {"N": "1796034600123"},
    "company": {"S": "Müller AG"},
    "company_size": {"S": "50-99"},
    "contact_title": {"S": "CTO"},
    "draws_at": {"N": "1796031300123"},
    "epoch": {"N": "2"},
    "first": {"S": "aaaae"},
    "lead_id": {"S": "abcdefgh2345"},
    "opens_at": {"N": "1796031000123"},
    "owner": {"S": "aaaac"},
    "parked": {"BOOL": True},
    "playbook_version": {"N": "7"},
    "pods": {"S": "a b"},
    "previous": {"S": "aaaad"},
    "quality": {"S": "hot"},
    "received_at": {"N": "1796030940123"},
    "released": {"S": "aaaad:6b0d4218"},
    "reserved": {"S": "absence"},
    "return_at": {"N": "1796036400123"},
    "salt": {"B": b"\x00\xffsalt"},
    "score": {"N": "0"},
    "sk": {"S": "LOCK"},
    "source": {"S": "web"},
    "state": {"S": "claimed"},
    "teams": {"S": "north south"},
    "territory": {"S": "DE-BY"},
    "test": {"BOOL": True},
    "told_at": {"N": "1796031180123"},
    "waves": {"S": "* 0,900000,-"},
    "worked_at": {"N": "1796031120123"},
}
BARE_LEAD = Lead(
    "abcdefgh2345",
    State.OPEN,
    1,
    ("north",),
    Quality.COLD,
    Preview("ACME"),
    b"s",
    AT,
    later(60),
    1,
    AT,
)
BARE_LEAD_ITEM: Item = {
    "closes_at": {"N": "1796034600123"},
    "company": {"S": "ACME"},
    "epoch": {"N": "1"},
    "lead_id": {"S": "abcdefgh2345"},
    "opens_at": {"N": "1796031000123"},
    "playbook_version": {"N": "1"},
    "quality": {"S": "cold"},
    "received_at": {"N": "1796031000123"},
    "salt": {"B": b"s"},
    "sk": {"S": "LOCK"},
    "state": {"S": "open"},
    "teams": {"S": "north"},
}
CLAIM = Claim(
    "abcdefgh2345",
    2,
    "aaaac",
    "Aina",
    "north",
    AT,
    1234,
    7,
    True,
    "round_robin",
    later(30),
    later(90),
    True,
)
CLAIM_ITEM: Item = {
    "cause": {"S": "round_robin"},
    "claim_ms": {"N": "1234"},
    "claimed_at": {"N": "1796031000123"},
    "drawn": {"BOOL": True},
    "epoch": {"N": "2"},
    "lead_id": {"S": "abcdefgh2345"},
    "nudge_at": {"N": "1796032800123"},
    "playbook_version": {"N": "7"},
    "rep_id": {"S": "aaaac"},
    "rep_name": {"S": "Aina"},
    "return_at": {"N": "1796036400123"},
    "sk": {"S": "CLAIM"},
    "team": {"S": "north"},
    "test": {"BOOL": True},
}
BARE_CLAIM = Claim("abcdefgh2345", 2, "aaaac", "Aina", "north", AT, 1234, 7)
BARE_CLAIM_ITEM: Item = {
    "claim_ms": {"N": "1234"},
    "claimed_at": {"N": "1796031000123"},
    "epoch": {"N": "2"},
    "lead_id": {"S": "abcdefgh2345"},
    "playbook_version": {"N": "7"},
    "rep_id": {"S": "aaaac"},
    "rep_name": {"S": "Aina"},
    "sk": {"S": "CLAIM"},
    "team": {"S": "north"},
}
DRAWN = DrawResult(
    "abcdefgh2345",
    2,
    "c0",
    "5eed",
    AT,
    ("aaaac", "aaaad"),
    (("aaaac", ("daily_limit", "paused")), ("aaaae", ())),
    "aaaad",
)
DRAWN_ITEM: Item = {
    "commitment": {"S": "c0"},
    "drawn_at": {"N": "1796031000123"},
    "entrants": {"S": "aaaac aaaad"},
    "epoch": {"N": "2"},
    "lead_id": {"S": "abcdefgh2345"},
    "passed": {"S": "aaaac daily_limit paused\naaaae"},
    "seed": {"S": "5eed"},
    "sk": {"S": "DRAW#00002"},
    "winner": {"S": "aaaad"},
}
BARE_DRAWN = DrawResult("abcdefgh2345", 2, "c0", "5eed", AT, ())
BARE_DRAWN_ITEM: Item = {
    "commitment": {"S": "c0"},
    "drawn_at": {"N": "1796031000123"},
    "epoch": {"N": "2"},
    "lead_id": {"S": "abcdefgh2345"},
    "seed": {"S": "5eed"},
    "sk": {"S": "DRAW#00002"},
}
MOVE = Transition(
    "abcdefgh2345",
    2,
    AT,
    State.CLAIMED,
    State.WON,
    "activity",
    "aaaac",
    (State.CONTACTED, State.QUALIFIED),
    "aaaac",
    "as agreed",
    "d1",
)
MOVE_ITEM: Item = {
    "at": {"N": "1796031000123"},
    "by": {"S": "aaaac"},
    "cause": {"S": "activity"},
    "epoch": {"N": "2"},
    "from_state": {"S": "claimed"},
    "holder_was": {"S": "aaaac"},
    "implied": {"S": "contacted qualified"},
    "lead_id": {"S": "abcdefgh2345"},
    "note": {"S": "as agreed"},
    "sk": {"S": "MOVE#00002#1796031000123#won"},
    "to_state": {"S": "won"},
    "told": {"S": "d1"},
}
BARE_MOVE = Transition("abcdefgh2345", 2, AT, State.NEW, State.OPEN, "opened", "system")
BARE_MOVE_ITEM: Item = {
    "at": {"N": "1796031000123"},
    "by": {"S": "system"},
    "cause": {"S": "opened"},
    "epoch": {"N": "2"},
    "from_state": {"S": "new"},
    "lead_id": {"S": "abcdefgh2345"},
    "sk": {"S": "MOVE#00002#1796031000123#open"},
    "to_state": {"S": "open"},
}
DUPLICATE = DuplicateLink("abcdefgh2345", "bbbbbbbb2345", AT, IdentityKind.PHONE, "web", "merged")
DUPLICATE_ITEM: Item = {
    "at": {"N": "1796031000123"},
    "because": {"S": "phone"},
    "lead_id": {"S": "abcdefgh2345"},
    "other_id": {"S": "bbbbbbbb2345"},
    "outcome": {"S": "merged"},
    "sk": {"S": "TIE#1796031000123#bbbbbbbb2345"},
    "source": {"S": "web"},
}
BARE_DUPLICATE = DuplicateLink("abcdefgh2345", "", AT, IdentityKind.DOMAIN, "web", "existing_owner")
BARE_DUPLICATE_ITEM: Item = {
    "at": {"N": "1796031000123"},
    "because": {"S": "domain"},
    "lead_id": {"S": "abcdefgh2345"},
    "outcome": {"S": "existing_owner"},
    "sk": {"S": "TIE#1796031000123#"},
    "source": {"S": "web"},
}
ENTRY = Entry(
    "activity/a1",
    "won",
    "aaaac",
    "north",
    AT,
    "2026-W49",
    "abcdefgh2345",
    2,
    later(-5),
    1234,
    "web",
    "DE-BY",
    "hot",
    "race",
    "why",
    5000,
    "EUR",
    7,
    True,
    "d1",
    "2026-11-30",
    "lead/x",
    "activity/a0",
    "aaaad",
    ("aaaae", "aaaaf"),
    True,
)
ENTRY_ITEM: Item = {
    "amount": {"N": "5000"},
    "at": {"N": "1796031000123"},
    "cause": {"S": "why"},
    "currency": {"S": "EUR"},
    "day": {"S": "2026-11-30"},
    "digest": {"S": "d1"},
    "entry_id": {"S": "activity/a1"},
    "epoch": {"N": "2"},
    "kind": {"S": "won"},
    "lead_id": {"S": "abcdefgh2345"},
    "model": {"S": "race"},
    "other": {"S": "aaaad"},
    "playbook_version": {"N": "7"},
    "protected": {"BOOL": True},
    "quality": {"S": "hot"},
    "rep_id": {"S": "aaaac"},
    "reverses": {"S": "activity/a0"},
    "shared": {"L": [{"S": "aaaae"}, {"S": "aaaaf"}]},
    "source": {"S": "web"},
    "take_ms": {"N": "1234"},
    "taken_at": {"N": "1796030700123"},
    "team": {"S": "north"},
    "territory": {"S": "DE-BY"},
    "test": {"BOOL": True},
    "unit": {"S": "lead/x"},
    "week": {"S": "2026-W49"},
    "week_shard": {"S": "north#2026-W49#0"},
}
BARE_ENTRY = Entry("taken/abcdefgh2345/1", "claimed", "aaaac", "north", AT, "2026-W49")
BARE_ENTRY_ITEM: Item = {
    "at": {"N": "1796031000123"},
    "entry_id": {"S": "taken/abcdefgh2345/1"},
    "kind": {"S": "claimed"},
    "rep_id": {"S": "aaaac"},
    "team": {"S": "north"},
    "week": {"S": "2026-W49"},
    "week_shard": {"S": "north#2026-W49#3"},
}
DISPUTE = Dispute("abcdefgh2345", 2, "aaaac", AT, "I was first.")
DISPUTE_ITEM: Item = {
    "epoch": {"N": "2"},
    "filed_at": {"N": "1796031000123"},
    "filed_under": {"S": "DISPUTES#2026-11"},
    "lead_id": {"S": "abcdefgh2345"},
    "reason": {"S": "I was first."},
    "rep_id": {"S": "aaaac"},
    "sk": {"S": "RACE#00002#DISPUTE#aaaac"},
}
TRIED = TriedRace(
    "01lead",
    2,
    "aaaac",
    datetime(2026, 11, 23, 12, tzinfo=UTC),
    Outcome.LOST,
    2,
    250,
    ("daily_limit", "paused"),
)
TRIED_ITEM: Item = {
    "lead_id": {"S": "TRIED#aaaac"},
    "sk": {"S": "1795435200000#01lead#00002"},
    "lead": {"S": "01lead"},
    "epoch": {"N": "2"},
    "rep_id": {"S": "aaaac"},
    "closed_at": {"N": "1795435200000"},
    "outcome": {"S": "lost"},
    "place": {"N": "2"},
    "behind_ms": {"N": "250"},
    "rules": {"S": "daily_limit paused"},
    "expires_at": {"N": "1803211200"},
}
ANSWERED = replace(
    DISPUTE, ruling="upheld", answer="You were.", answered_at=AT, answered_by="m-one"
)
ANSWERED_ITEM: Item = DISPUTE_ITEM | {
    "answer": {"S": "You were."},
    "answered_at": {"N": "1796031000123"},
    "answered_by": {"S": "m-one"},
    "ruling": {"S": "upheld"},
}
TRANSFER = Transfer("award/1", "issued", "aaaac", 50, AT, "won", "activity/a1")
TRANSFER_ITEM: Item = {
    "at": {"N": "1796031000123"},
    "cause": {"S": "activity/a1"},
    "from_account": {"S": "issued"},
    "pk": {"S": "ACCOUNT#aaaac"},
    "points": {"N": "50"},
    "rule": {"S": "won"},
    "sk": {"S": "TRANSFER#1796031000123#award/1"},
    "to_account": {"S": "aaaac"},
    "transfer_id": {"S": "award/1"},
}
BARE_TRANSFER = Transfer("award/2", "issued", "aaaac", 50, AT, "won")
BARE_TRANSFER_ITEM: Item = {
    "at": {"N": "1796031000123"},
    "from_account": {"S": "issued"},
    "pk": {"S": "ACCOUNT#aaaac"},
    "points": {"N": "50"},
    "rule": {"S": "won"},
    "sk": {"S": "TRANSFER#1796031000123#award/2"},
    "to_account": {"S": "aaaac"},
    "transfer_id": {"S": "award/2"},
}
REQUEST = RewardRequest(
    "aaaac.r1",
    "aaaac",
    "mug",
    "A müg",
    20,
    (
        RequestStep(RequestState.REQUESTED, AT, "aaaac"),
        RequestStep(RequestState.REFUSED, later(1), "manager", "gone"),
    ),
)
REQUEST_ITEM: Item = {
    "filed_at": {"N": "1796031060123"},
    "filed_under": {"S": "REQUESTS#refused"},
    "pk": {"S": "ACCOUNT#aaaac"},
    "price": {"N": "20"},
    "reward_id": {"S": "mug"},
    "sk": {"S": "REQUEST#aaaac.r1"},
    "steps": {
        "S": '[["requested",1796031000123,"aaaac",""],["refused",1796031060123,"manager","gone"]]'
    },
    "title": {"S": "A müg"},
}
HELP = HelpRequest(
    "h1",
    "aaaac",
    "north",
    "abcdefgh2345",
    2,
    "How?",
    AT,
    "ACME",
    "CTO",
    True,
    True,
    later(9),
    {
        "aaaad": HelpAnswer("aaaad", "So.", later(1), later(2)),
        "aaaae": HelpAnswer("aaaae", "Or so.", later(3)),
    },
)
HELP_ITEM: Item = {
    "answers": {
        "M": {
            "aaaad": {
                "M": {
                    "text": {"S": "So."},
                    "at": {"N": "1796031060123"},
                    "confirmed_at": {"N": "1796031120123"},
                }
            },
            "aaaae": {"M": {"text": {"S": "Or so."}, "at": {"N": "1796031180123"}}},
        }
    },
    "asked_at": {"N": "1796031000123"},
    "blind": {"BOOL": True},
    "closed_at": {"N": "1796031540123"},
    "company": {"S": "ACME"},
    "epoch": {"N": "2"},
    "expires_at": {"N": "1803807000"},
    "lead_id": {"S": "abcdefgh2345"},
    "pk": {"S": "HELP#h1"},
    "question": {"S": "How?"},
    "rep_id": {"S": "aaaac"},
    "sk": {"S": "REQUEST"},
    "team": {"S": "north"},
    "test": {"BOOL": True},
    "title": {"S": "CTO"},
}
BARE_HELP = HelpRequest("h1", "aaaac", "north", "abcdefgh2345", 2, "How?", AT)
BARE_HELP_ITEM: Item = {
    "answers": {"M": {}},
    "asked_at": {"N": "1796031000123"},
    "epoch": {"N": "2"},
    "expires_at": {"N": "1803807000"},
    "lead_id": {"S": "abcdefgh2345"},
    "pk": {"S": "HELP#h1"},
    "question": {"S": "How?"},
    "rep_id": {"S": "aaaac"},
    "sk": {"S": "REQUEST"},
    "team": {"S": "north"},
}


@pytest.mark.parametrize(
    ("write", "read", "value", "item"),
    [
        pytest.param(lock_item, lead_from, LEAD, LEAD_ITEM, id="a whole lead"),
        pytest.param(lock_item, lead_from, BARE_LEAD, BARE_LEAD_ITEM, id="the least of a lead"),
        pytest.param(claim_item, claim_from, CLAIM, CLAIM_ITEM, id="a whole claim"),
        pytest.param(
            claim_item, claim_from, BARE_CLAIM, BARE_CLAIM_ITEM, id="the least of a claim"
        ),
        pytest.param(draw_item, drawn_from, DRAWN, DRAWN_ITEM, id="a whole drawn"),
        pytest.param(draw_item, drawn_from, BARE_DRAWN, BARE_DRAWN_ITEM, id="the least of a drawn"),
        pytest.param(transition_item, transition_from, MOVE, MOVE_ITEM, id="a whole move"),
        pytest.param(
            transition_item, transition_from, BARE_MOVE, BARE_MOVE_ITEM, id="the least of a move"
        ),
        pytest.param(link_item, link_from, DUPLICATE, DUPLICATE_ITEM, id="a whole link"),
        pytest.param(
            link_item, link_from, BARE_DUPLICATE, BARE_DUPLICATE_ITEM, id="the least of a link"
        ),
        pytest.param(entry_item, entry_from, ENTRY, ENTRY_ITEM, id="a whole entry"),
        pytest.param(
            entry_item, entry_from, BARE_ENTRY, BARE_ENTRY_ITEM, id="the least of a entry"
        ),
        pytest.param(dispute_item, dispute_from, DISPUTE, DISPUTE_ITEM, id="a whole dispute"),
        pytest.param(tried_item, tried_from, TRIED, TRIED_ITEM, id="a race a rep tried to win"),
        pytest.param(dispute_item, dispute_from, ANSWERED, ANSWERED_ITEM, id="an answered dispute"),
        pytest.param(transfer_item, transfer_from, TRANSFER, TRANSFER_ITEM, id="a whole transfer"),
        pytest.param(
            transfer_item,
            transfer_from,
            BARE_TRANSFER,
            BARE_TRANSFER_ITEM,
            id="the least of a transfer",
        ),
        pytest.param(request_item, request_from, REQUEST, REQUEST_ITEM, id="a whole request"),
        pytest.param(help_item, help_from, HELP, HELP_ITEM, id="a whole help"),
        pytest.param(help_item, help_from, BARE_HELP, BARE_HELP_ITEM, id="the least of a help"),
    ],
)
def test_a_stored_item_is_read_and_written_as_ever(
    write: Callable[[Any], Item], read: Callable[[Item], Any], value: Any, item: Item
) -> None:
    assert read(item) == value
    assert write(value) == item


REP = Rep(
    "aaaac",
    "Aina",
    "north",
    "Europe/Berlin",
    1,
    "de",
    "+4915112345678",
    False,
    AT,
    True,
    (),
    later(5),
    parse_hours({"mon": ["09:00-12:30", "13:30-18:00"]}),
    ((date(2026, 12, 24), date(2026, 12, 31)),),
    12,
    3,
    ("DE BY", "AT"),
    date(2026, 1, 1),
    date(2026, 12, 31),
    ("smb", "mid"),
    (("heat pump", 2), ("solar", 1)),
    ("de", "en"),
    ("solar roof",),
    "a",
)
REP_ITEM: Item = {
    "active": {"BOOL": False},
    "allowance": {"N": "12"},
    "hours": {"S": '{"mon":["09:00-12:30","13:30-18:00"]}'},
    "interests": {"S": "solar roof"},
    "joined_on": {"S": "2026-01-01"},
    "language": {"S": "de"},
    "leave": {"S": "2026-12-24/2026-12-31"},
    "left_on": {"S": "2026-12-31"},
    "name": {"S": "Aina"},
    "paused_until": {"N": "1796031000123"},
    "phone": {"S": "+4915112345678"},
    "pk": {"S": "REP#aaaac"},
    "pod": {"S": "a"},
    "quiet_until": {"N": "1796031300123"},
    "segments": {"S": "smb\nmid"},
    "skills": {"S": "heat pump:2\nsolar:1"},
    "sms_opted_out": {"BOOL": True},
    "speaks": {"S": "de en"},
    "team": {"S": "north"},
    "territories": {"S": "DE BY\nAT"},
    "tier": {"N": "1"},
    "token_hash": {"S": "h45h"},
    "weight": {"N": "3"},
    "zone": {"S": "Europe/Berlin"},
    "devices": {"M": {}},
}
DEVICES: dict[str, Any] = {
    "M": {
        "d2": {
            "M": {
                "platform": {"S": "fcm"},
                "arn": {"S": "arn:2"},
                "enabled": {"BOOL": False},
                "at": {"N": "2"},
            }
        },
        "d1": {
            "M": {
                "platform": {"S": "apns"},
                "arn": {"S": "arn:1"},
                "enabled": {"BOOL": True},
                "at": {"N": "10"},
            }
        },
    }
}
USED: Item = {
    "claims_day": {"S": "2026-11-30"},
    "claims": {"N": "3"},
    "leads_week": {"S": "2026-11-30"},
    "leads": {"N": "4"},
    "in_hand": {"N": "2"},
    "claims_hour": {"N": "1796031000000"},
    "hour_claims": {"N": "1"},
    "week_claims": {"N": "5"},
    "hot_claims": {"N": "1"},
    "warm_claims": {"N": "2"},
    "cold_claims": {"N": "6"},
    "claims_before": {"N": "8"},
    "cold_before": {"N": "7"},
    "raced": {"N": "9"},
    "unaccepted": {"N": "-1"},
    "claims_ever": {"N": "40"},
    "recent": {"L": [{"N": "1796031000123"}, {"N": "1796031000456"}]},
    "credits_used": {"S": "2026-11-01 2026-11-02"},
    "undo_day": {"S": "2026-11-30"},
    "undos": {"N": "2"},
    "allowance_month": {"S": "2026-11"},
}


def test_a_stored_rep_is_read_with_devices_and_what_they_have_used_up() -> None:
    rep, usage, number = rep_from({**REP_ITEM, **USED, "devices": DEVICES})
    devices = (
        Device("d2", Platform.FCM, "arn:2", enabled=False),
        Device("d1", Platform.APNS, "arn:1", enabled=True),
    )
    assert rep == replace(REP, devices=devices)
    assert usage == Usage(
        day=date(2026, 11, 30),
        claims=3,
        week=date(2026, 11, 30),
        leads=4,
        in_hand=2,
        hour=datetime(2026, 11, 30, 9, 30, tzinfo=UTC),
        hour_claims=1,
        week_claims=5,
        hot=1,
        warm=2,
        cold=6,
        claims_before=8,
        cold_before=7,
        raced=9,
        unaccepted=0,
        ever=40,
        recent=(AT, AT + timedelta(milliseconds=333)),
        credits_used=(date(2026, 11, 1), date(2026, 11, 2)),
        undo_day=date(2026, 11, 30),
        undos=2,
    )
    assert number == 0


def test_a_new_rep_is_written_as_ever() -> None:
    # A digest of an earlier version stays until `dibs migrate` has moved it.
    assert {**rep_item(REP), "token_hash": {"S": "h45h"}} == REP_ITEM
    bare = Rep("aaaac", "Aina", "north", "UTC")
    item: Item = {
        "active": {"BOOL": True},
        "devices": {"M": {}},
        "language": {"S": "en"},
        "name": {"S": "Aina"},
        "pk": {"S": "REP#aaaac"},
        "team": {"S": "north"},
        "tier": {"N": "2"},
        "zone": {"S": "UTC"},
    }
    assert rep_item(bare) == item
    assert rep_from(item) == (bare, Usage(), 0)


CARD = Contact(
    "abcdefgh2345",
    "web",
    "x-1",
    "Müller AG",
    "50-99",
    "Eva",
    "CTO",
    "eva@example.com",
    "+4915112345678",
    80,
    "DE-BY",
    "smb",
    "solar",
    "north",
    ("solar",),
    "de",
    "c",
    True,
    True,
    ("f",),
)
CARD_ITEM: Item = {
    "card": {
        "S": '{"lead_id": "abcdefgh2345", "source": "web", "external_id": "x-1", '
        '"company": "M\\u00fcller AG", "company_size": "50-99", "contact_name": '
        '"Eva", "contact_title": "CTO", "contact_email": "eva@example.com", '
        '"contact_phone": "+4915112345678", "score": 80, "territory": "DE-BY", '
        '"segment": "smb", "product": "solar", "team": "north", "needs": '
        '["solar"], "language": "de", "consent": "c", "do_not_call": true, '
        '"test": true, "flags": ["f"]}'
    },
    "lead_id": {"S": "abcdefgh2345"},
    "merged": {"M": {}},
    "signed_at": {"N": "1796031000123"},
}
MERGED_ITEM: Item = {
    "lead_id": {"S": "abcdefgh2345"},
    "merged_into": {"S": "bbbbbbbb2345"},
    "merged_at": {"N": "1796031000123"},
    "because": {"S": "phone"},
}
POST = (
    '{"lead_id":"abcdefgh2345","source":"web","company":"Müller AG","company_size":"5'
    '0-99","contact_name":"Eva","contact_title":"CTO","contact_email":"eva@example.co'
    'm","contact_phone":"+4915112345678","needs":["solar"],"language":"de","consent":'
    '"c","do_not_call":true,"at":1796031000123,"because":"phone"}'
)


def test_a_stored_card_is_read_with_the_posts_merged_into_it() -> None:
    assert card_item(CARD, AT) == CARD_ITEM
    assert card_from(CARD_ITEM) == CARD
    assert post_text(CARD, DUPLICATE) == POST
    merged = {"M": {"abcdefgh2345": {"S": POST}}}
    post = Post(
        "abcdefgh2345",
        AT,
        IdentityKind.PHONE,
        "web",
        "Müller AG",
        "50-99",
        "Eva",
        "CTO",
        "eva@example.com",
        "+4915112345678",
        ("solar",),
        "de",
        "c",
        do_not_call=True,
    )
    assert card_from({**CARD_ITEM, **MERGED_ITEM, "merged": merged}) == replace(
        CARD, merged=(post,)
    )


def test_a_stored_post_is_read_with_the_lead_it_was_merged_into() -> None:
    link = DuplicateLink("bbbbbbbb2345", "abcdefgh2345", AT, IdentityKind.PHONE, "web", "merged")
    assert merged_item(link) == MERGED_ITEM
    item = {**CARD_ITEM, **MERGED_ITEM}
    assert merged_from(item, source="web", outcome="merged") == link


def test_a_stored_name_is_read_with_whom_it_came_with() -> None:
    one = Identity(IdentityKind.NAME, "d19e57")
    item: Item = {
        "identity": {"S": "d19e57"},
        "lead_id": {"S": "abcdefgh2345"},
        "since": {"N": "1796031000123"},
        "seen": {"SS": ["domain:0a1b", "form:ltd"]},
    }
    seen = frozenset(("domain:0a1b", "form:ltd"))
    assert standing_from(item, identity=one) == KnownIdentity(one, "abcdefgh2345", AT, seen=seen)


def test_a_stored_identity_is_read_as_what_it_stands_for() -> None:
    one = Identity(IdentityKind.PHONE, "d19e57")
    item: Item = {
        "identity": {"S": "d19e57"},
        "lead_id": {"S": "abcdefgh2345"},
        "since": {"N": "1796031000123"},
        "owner": {"S": "aaaac"},
    }
    assert standing_from(item, identity=one) == KnownIdentity(one, "abcdefgh2345", AT, "aaaac")


NOTICE = SentOffer("abcdefgh2345", 2, "aaaac", AT, ("push", "sms"))
NOTICE_ITEM: Item = {
    "channels": {"S": "push sms"},
    "epoch": {"N": "2"},
    "expires_at": {"N": "1803807000"},
    "lead_id": {"S": "abcdefgh2345"},
    "pk": {"S": "abcdefgh2345#aaaac"},
    "rep_id": {"S": "aaaac"},
    "sent_at": {"N": "1796031000123"},
    "sk": {"S": "NOTICE"},
}


def test_the_notices_of_a_small_team_are_read_and_written_as_ever() -> None:
    change = notices_change([NOTICE])
    names = change["ExpressionAttributeNames"]
    assert set(names.values()) == {"rep#aaaac", "claimed#aaaac"}
    stored: Item = {
        "pk": {"S": "abcdefgh2345"},
        "sk": {"S": "NOTICES"},
        "expires_at": {"N": "1803807000"},
        "rep#aaaac": {"S": "2 1796031000123 push sms"},
        "rep#aaaae": {"S": "2 1796031000124 "},
    }
    values = {**change["ExpressionAttributeValues"]}
    assert list(values.values()) == [stored["expires_at"], stored["rep#aaaac"]]
    ben = replace(NOTICE, rep_id="aaaae", sent_at=AT + timedelta(milliseconds=1), channels=())
    asked = ["aaaac", "aaaae", "zzzzz"]
    assert list(notices_from(stored, "abcdefgh2345", asked)) == [NOTICE, ben]
    claimed: Item = {**stored, "claimed#aaaac": {"N": "1796031060123"}}
    found = list(notices_from(claimed, "abcdefgh2345", ["aaaac"]))
    assert found == [replace(NOTICE, claimed_at=later(1))]


def test_a_stored_notice_is_read_and_written_as_ever() -> None:
    assert notice_item(NOTICE) == NOTICE_ITEM
    assert notice_from(NOTICE_ITEM) == NOTICE
    claimed = {**NOTICE_ITEM, "claimed_at": {"N": "1796031060123"}}
    assert notice_from(claimed) == replace(NOTICE, claimed_at=later(1))
    unsent = {name: NOTICE_ITEM[name] for name in NOTICE_ITEM if name != "channels"}
    assert notice_from(unsent) == replace(NOTICE, channels=())


def test_a_stored_sighting_is_read_as_ever() -> None:
    item: Item = {
        "pk": {"S": "abcdefgh2345#aaaac"},
        "sk": {"S": "SIGHTING"},
        "epoch": {"N": "2"},
        "seen_at": {"N": "1796031000123"},
        "attempted_at": {"N": "1796031060123"},
        "declined_at": {"N": "1796031120123"},
        "lost_at": {"N": "1796031180123"},
        "rules": {"S": "daily_limit paused"},
        "rules_version": {"N": "7"},
        "outcome": {"S": "already_claimed"},
        "expires_at": {"N": "1803807000"},
    }
    known = OfferView(AT, later(1), later(2), later(3), ("daily_limit", "paused"), 7)
    assert sighting_from(item) == known
    assert sighting_from({"epoch": {"N": "2"}}) == OfferView()


JUDGED = RecordedVerdicts(
    "abcdefgh2345",
    2,
    AT,
    later(1),
    ("north", "south"),
    7,
    {"aaaac": (), "aaaad": ("daily_limit", "paused"), "aaaae": ()},
    "assigned",
)
JUDGED_ITEM: Item = {
    "at": {"N": "1796031060123"},
    "epoch": {"N": "2"},
    "expires_at": {"N": "1803807060"},
    "how": {"S": "assigned"},
    "lead_id": {"S": "abcdefgh2345"},
    "playbook_version": {"N": "7"},
    "sk": {"S": "JUDGED#00002#1796031000123#00"},
    "teams": {"S": "north south"},
    "verdicts": {"S": ":aaaac aaaae\ndaily_limit,paused:aaaad"},
    "wave_at": {"N": "1796031000123"},
}


def test_how_a_wave_was_judged_is_read_and_written_as_ever() -> None:
    assert judged_item(JUDGED, sk="JUDGED#00002#1796031000123#00") == JUDGED_ITEM
    assert judged_from(JUDGED_ITEM) == JUDGED
    raced = {name: JUDGED_ITEM[name] for name in JUDGED_ITEM if name != "how"}
    assert judged_from(raced) == replace(JUDGED, how="race")


TOLD = ReportedStep("aaaac", "start", "first_call", AT, "aaaad")
TOLD_ITEM: Item = {
    "at": {"N": "1796031000123"},
    "peer": {"S": "aaaad"},
    "pk": {"S": "QUEST#REP#aaaac"},
    "quest": {"S": "start"},
    "rep_id": {"S": "aaaac"},
    "sk": {"S": "start/first_call"},
    "step": {"S": "first_call"},
}


def test_a_step_that_was_told_of_is_read_and_written_as_ever() -> None:
    assert told_item(TOLD, pk="QUEST#REP#aaaac", sk="start/first_call") == TOLD_ITEM
    assert told_from(TOLD_ITEM) == TOLD


def test_stored_points_and_rewards_are_read_as_ever() -> None:
    item: Item = {
        "pk": {"S": "ACCOUNT#aaaac"},
        "sk": {"S": "BALANCE"},
        "balance": {"N": "-5"},
        "earned": {"N": "20"},
        "spent": {"N": "25"},
    }
    assert account_from(item) == Account("aaaac", -5, 20, 0, 25)
    reward: Item = {
        "pk": {"S": "REWARDS"},
        "sk": {"S": "mug"},
        "title": {"S": "A müg"},
        "price": {"N": "20"},
        "stock": {"N": "3"},
        "approval": {"BOOL": False},
        "offered": {"BOOL": False},
        "taken": {"N": "1"},
    }
    known = Reward("mug", "A müg", 20, 3, approval=False, active=False, taken=1)
    assert reward_from(reward) == known
