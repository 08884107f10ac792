"""The claim's transaction on tables: what is refused changes nothing at all, what is stored stays
small, holds no personal data, and costs what docs/access-patterns.md says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from dibs.aws import keys
from dibs.aws.clock import to_ms
from dibs.aws.dynamo import Dynamo
from dibs.core.errors import AlreadyClaimed, Busy, ClaimRefused
from dibs.core.lead import Claim, Contact, Lead, State, Transition
from dibs.core.rep import Device, Platform
from dibs.dispatch.sweep import close
from dibs.intake.ingest import IngestDeps, ingest
from dibs.offers.store import DynamoOfferStore
from dibs.playbook.checks.teams import problems
from dibs.race import store as race_module
from dibs.race.claim import Won, claim
from dibs.race.lifecycle import MOST_RELEASED, MOST_UNDONE
from dibs.race.ports import RaceView, SentOffer
from dibs.race.records import LeadRecord, lock_item
from dibs.race.store import DynamoRaceStore
from dibs.race.undo import undo
from dibs.race.usage import undo_claim
from dibs.race.writes import awaiting_somebody
from support.aws import everything, items
from support.builders import NOON, World, a_card, a_lead, a_playbook, a_rep, counts_of, proof_of
from support.fakes import Clock, no_pause

AINA, BEN = a_rep(1, name="Aina"), a_rep(2, name="Ben")
MS, SECOND = timedelta(milliseconds=1), timedelta(seconds=1)


def attempt(view: RaceView, at: datetime = NOON, **changes: Any) -> Claim:
    assert view.lead is not None
    assert view.rep is not None
    rep = view.rep
    whole = Claim(view.lead.lead_id, 1, rep.rep_id, rep.name, rep.team, at, 0, 1)
    return replace(whole, **changes)


def commit(world: World, view: RaceView) -> RaceView | None:
    claim = attempt(view)
    return world.race.commit_claim(view, claim, counts_of(view, claim))


def put_lock(world: World, lead: Lead, **changes: Any) -> None:
    """Change the stored lock behind the reader's back."""
    key = {"lead_id": {"S": lead.lead_id}, "sk": {"S": keys.LOCK}}
    for name, value in changes.items():
        world.dynamo.client.update_item(
            TableName=world.settings.leads_table,
            Key=key,
            UpdateExpression="SET #name = :value",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":value": value},
        )


def put_rep(world: World, **changes: Any) -> None:
    for name, value in changes.items():
        world.dynamo.client.update_item(
            TableName=world.settings.organisation_table,
            Key={"pk": {"S": keys.rep(AINA.rep_id)}},
            UpdateExpression="SET #name = :value",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":value": value},
        )


TODAY = AINA.today(NOON).isoformat()
ms = to_ms(NOON)


BEHIND_THE_READERS_BACK: dict[str, Callable[[World, Lead], None]] = {
    "claimed by somebody": lambda world, lead: put_lock(
        world, lead, state={"S": "claimed"}, owner={"S": BEN.rep_id}
    ),
    "expired": lambda world, lead: put_lock(world, lead, state={"S": "expired"}),
    "opened anew": lambda world, lead: put_lock(world, lead, epoch={"N": "2"}),
    "opens later": lambda world, lead: put_lock(world, lead, opens_at={"N": str(ms + 1)}),
    "closes now": lambda world, lead: put_lock(world, lead, closes_at={"N": str(ms)}),
    "rep let go": lambda world, lead: put_rep(world, active={"BOOL": False}),
    "rep paused": lambda world, lead: put_rep(world, paused_until={"N": str(ms + 1)}),
    "first claim of the day": lambda world, lead: put_rep(
        world, claims_day={"S": TODAY}, claims={"N": "1"}
    ),
    "record of this opening": lambda world, lead: world.dynamo.client.put_item(
        TableName=world.settings.leads_table,
        Item={
            "lead_id": {"S": lead.lead_id},
            "sk": {"S": keys.CLAIM},
            "epoch": {"N": "1"},
            "rep_id": {"S": BEN.rep_id},
            "rep_name": {"S": "Ben"},
            "team": {"S": "north"},
            "claimed_at": {"N": str(ms)},
            "claim_ms": {"N": "1"},
            "playbook_version": {"N": "1"},
        },
    ),
}


@pytest.mark.parametrize("change", BEHIND_THE_READERS_BACK)
def test_a_claim_refused_by_any_part_changes_nothing_in_any_table(
    world: World, change: str
) -> None:
    world.add_rep(AINA)
    lead = world.post_lead(a_card(), NOON)
    view = world.race.read(lead.lead_id, AINA.rep_id)
    BEHIND_THE_READERS_BACK[change](world, lead)
    before = everything(world.dynamo.client, world.settings)
    met = commit(world, view)
    assert met is not None
    assert met != view  # it hands back what it met
    assert everything(world.dynamo.client, world.settings) == before


def test_a_full_days_count_refuses_and_changes_nothing(world: World) -> None:
    world.add_rep(AINA)
    put_rep(world, claims_day={"S": TODAY}, claims={"N": "9"})
    lead = world.post_lead(a_card(), NOON)
    view = world.race.read(lead.lead_id, AINA.rep_id)
    put_rep(world, claims={"N": "10"})
    before = everything(world.dynamo.client, world.settings)
    met = commit(world, view)
    assert met is not None
    assert met.usage.claims == 10
    assert everything(world.dynamo.client, world.settings) == before


def test_when_several_parts_refuse_all_that_was_met_comes_back(world: World) -> None:
    world.add_rep(AINA)
    lead = world.post_lead(a_card(), NOON)
    view = world.race.read(lead.lead_id, AINA.rep_id)
    BEHIND_THE_READERS_BACK["claimed by somebody"](world, lead)
    BEHIND_THE_READERS_BACK["record of this opening"](world, lead)
    BEHIND_THE_READERS_BACK["rep paused"](world, lead)
    met = commit(world, view)
    assert met is not None
    assert met.lead is not None
    assert met.claim is not None
    assert met.rep is not None
    assert (met.lead.owner, met.claim.rep_id) == (BEN.rep_id, BEN.rep_id)
    assert met.rep.paused_until == NOON + MS
    assert met.token_number == view.token_number


def test_a_refused_undo_changes_nothing_in_any_table(world: World) -> None:
    world.add_rep(AINA)
    lead = world.post_lead(a_card(), NOON)
    view = world.race.read(lead.lead_id, AINA.rep_id)
    commit(world, view)
    held = world.race.read(lead.lead_id, AINA.rep_id)
    assert held.lead is not None
    assert held.rep is not None
    off = undo_claim(held.lead, held.rep, held.usage)
    fresh = replace(lead, epoch=2)
    transition = Transition(
        lead.lead_id, 1, NOON, State.CLAIMED, State.RELEASED, "undone", AINA.rep_id
    )
    changes = (
        lambda: put_lock(world, lead, owner={"S": BEN.rep_id}),
        lambda: put_lock(world, lead, owner={"S": AINA.rep_id}, epoch={"N": "2"}),
        lambda: put_lock(world, lead, epoch={"N": "1"}, state={"S": "contacted"}),
        lambda: (put_lock(world, lead, state={"S": "claimed"}), put_rep(world, claims={"N": "0"})),
    )
    for change in changes:
        change()
        before = everything(world.dynamo.client, world.settings)
        assert not world.race.commit_undo(held.lead, fresh, [transition], off)
        assert everything(world.dynamo.client, world.settings) == before


def test_a_refused_expiry_changes_nothing_in_any_table(world: World) -> None:
    lead = world.post_lead(a_card(), NOON)
    put_lock(world, lead, state={"S": "claimed"})
    before = everything(world.dynamo.client, world.settings)
    assert not close(lead, world.leads, lead.closes_at)
    assert everything(world.dynamo.client, world.settings) == before


def test_a_repeated_lead_changes_nothing_in_any_table(world: World) -> None:
    world.post_lead(a_card(), NOON)
    before = everything(world.dynamo.client, world.settings)
    world.post_lead(a_card(), NOON + SECOND)
    assert everything(world.dynamo.client, world.settings) == before


def test_a_refused_second_text_changes_nothing_in_any_table(world: World) -> None:
    offers, lead = DynamoOfferStore(world.dynamo, world.settings), a_lead()
    offers.reserve_sms(lead, AINA.rep_id, lambda: "7K2P", NOON)
    before = everything(world.dynamo.client, world.settings)
    assert offers.reserve_sms(lead, AINA.rep_id, lambda: "9Q4R", NOON + SECOND) is None
    assert everything(world.dynamo.client, world.settings) == before


# What it costs


@contextmanager
def requests_of(world: World) -> Iterator[Counter[str]]:
    """Count requests as they leave."""
    counted: Counter[str] = Counter()

    def note(model: Any, **_: Any) -> None:
        counted[model.name] += 1

    events = world.dynamo.client.meta.events
    events.register("before-call.dynamodb", note)
    yield counted
    events.unregister("before-call.dynamodb", note)


def take(world: World, lead: Lead, rep: Any = AINA) -> None:
    claim(world.race, lead.lead_id, rep.rep_id, proof_of(rep), lambda: NOON, pause=no_pause)


def test_a_winner_costs_three_requests_and_a_loser_one_read_and_one_small_write(
    world: World,
) -> None:
    world.add_rep(AINA)
    world.add_rep(BEN)
    lead = world.post_lead(a_card(), NOON)
    world.race.put_open([lead], NOON)  # as the sweep does
    with requests_of(world) as counted:
        take(world, lead)
    assert counted == {"BatchGetItem": 1, "TransactWriteItems": 1, "GetItem": 1}
    with requests_of(world) as counted, pytest.raises(AlreadyClaimed):
        take(world, lead, BEN)
    assert counted == {"BatchGetItem": 1, "UpdateItem": 1}


def test_the_open_leads_of_each_team_are_counted_up_and_down(world: World) -> None:
    leads = [world.post_lead(a_card(n), NOON) for n in range(1, 9)]
    southern = replace(world.post_lead(a_card(9), NOON), teams=("south",))

    def counts() -> Mapping[str, int] | None:
        return world.race.read(leads[0].lead_id, "-").open_leads

    world.race.add_open(leads[0], 1)
    assert counts() is None  # counting begins with the sweep
    world.race.put_open([*leads[:5], southern], NOON)
    assert counts() == {"north": 5, "south": 1}
    for lead in leads[5:]:
        world.race.add_open(lead, 1)
    world.race.add_open(replace(southern, teams=("north", "south")), -1)
    assert counts() == {"north": 7, "south": 0}
    world.race.add_open(leads[0], 1)  # a message that came twice
    world.race.put_open([*leads, southern], southern.closes_at)  # whose time is over
    assert sum((counts() or {}).values()) == 0


def test_a_refused_rep_costs_no_transaction(world: World) -> None:
    world.add_rep(replace(AINA, paused_until=NOON + SECOND))
    lead = world.post_lead(a_card(), NOON)
    with requests_of(world) as counted, pytest.raises(ClaimRefused):
        take(world, lead)
    assert counted == {"BatchGetItem": 1, "UpdateItem": 1}


def test_an_entry_into_a_draw_costs_one_read_and_two_small_writes(world: World) -> None:
    world.put_playbook(a_playbook(draw={"collect_seconds": 5}))
    world.add_rep(AINA)
    lead = world.post_lead(a_card(), NOON)
    with requests_of(world) as counted:
        take(world, lead)
    # The entry, and that the rep has seen the offer: no text follows.
    assert counted == {"BatchGetItem": 1, "UpdateItem": 2}


def test_entering_again_keeps_the_moment_of_entering(world: World) -> None:
    lead = world.post_lead(a_card(), NOON)
    for at in (NOON, NOON + SECOND):
        world.race.draws().enter(lead, AINA.rep_id, at)
    [item] = items(world.dynamo.client, world.settings.offers_table)
    assert item["entered_at"] == {"N": str(to_ms(NOON))}


def test_who_is_in_a_draw_is_read_as_it_is_now(world: World) -> None:
    lead = world.post_lead(a_card(), NOON)
    asked: list[Any] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        asked.append(params.get("ConsistentRead"))

    events = world.dynamo.client.meta.events
    events.register("provide-client-params.dynamodb.Query", note)
    world.race.draws().entrants(lead)
    events.unregister("provide-client-params.dynamodb.Query", note)
    assert asked == [True] * 4


# Trouble on the way


class Troubled:
    """A client whose transactions meet trouble: `before` they are written, or `after`."""

    def __init__(self, client: Any, before: list[Exception], after: list[Exception]) -> None:
        self._client, self._before, self._after = client, before, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def transact_write_items(self, **request: Any) -> Any:
        if self._before:
            raise self._before.pop(0)
        answer = self._client.transact_write_items(**request)
        if self._after:
            raise self._after.pop(0)
        return answer


def cancelled(*codes: str) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": "TransactionCanceledException", "Message": ""},
            "CancellationReasons": [{"Code": code} for code in codes],
        },
        "TransactWriteItems",
    )


CONFLICT = cancelled("TransactionConflict", "None", "None")
THROTTLED = cancelled("None", "ThrottlingError", "None")
TOO_FAST = ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "TransactWrite")
SILENCE = ReadTimeoutError(endpoint_url="https://dynamodb.us-east-1.amazonaws.com")


def claim_through(
    world: World, before: list[Exception], after: list[Exception]
) -> tuple[Won, DynamoRaceStore]:
    world.add_rep(AINA)
    lead = world.post_lead(a_card(), NOON)
    troubled = Dynamo(Troubled(world.dynamo.client, before, after))
    store = DynamoRaceStore(troubled, world.settings)
    proof = proof_of(AINA)
    won = claim(store, lead.lead_id, AINA.rep_id, proof, lambda: NOON, pause=no_pause)
    return won, store


@pytest.mark.parametrize(
    ("trouble", "times"), [(CONFLICT, 5), (THROTTLED, 2), (TOO_FAST, 2), (SILENCE, 2)], ids=repr
)
def test_a_conflict_is_tried_again_and_again_a_throttle_or_a_silence_twice(
    world: World, trouble: Exception, times: int
) -> None:
    won, store = claim_through(world, [trouble] * times, [])
    assert not won.already_yours
    assert store.read(won.claim.lead_id, AINA.rep_id).usage.claims == 1


@pytest.mark.parametrize("trouble", [THROTTLED, TOO_FAST, SILENCE], ids=repr)
def test_a_store_that_stays_slow_is_left_in_peace(world: World, trouble: Exception) -> None:
    with pytest.raises(Busy):
        claim_through(world, [trouble] * 3, [])


@pytest.mark.parametrize("trouble", [CONFLICT, THROTTLED, TOO_FAST, SILENCE], ids=repr)
def test_a_trouble_that_does_not_end_is_busy_and_changes_nothing(
    world: World, trouble: Exception
) -> None:
    lead_before = world.post_lead(a_card(), NOON)
    with pytest.raises(Busy):
        claim_through(world, [trouble] * 100, [])
    assert world.leads.get(lead_before.lead_id) == lead_before


def test_a_commit_whose_answer_was_lost_is_already_yours_and_counted_once(world: World) -> None:
    won, store = claim_through(world, [], [SILENCE])
    assert won.already_yours
    assert won.card is not None
    assert store.read(won.claim.lead_id, AINA.rep_id).usage.claims == 1


# What it remembers


def a_stopwatch(monkeypatch: pytest.MonkeyPatch, module: Any) -> Clock:
    """Replace a module's stopwatch by one that tests move."""
    clock = Clock()
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock().timestamp()))
    return clock


def test_the_count_of_open_leads_is_at_most_five_seconds_old(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = a_stopwatch(monkeypatch, race_module)
    world.post_lead(a_card(1), NOON)
    assert world.race.count_open("north", NOON) == 1
    world.post_lead(a_card(2), NOON)
    assert world.race.count_open("north", NOON) == 1
    assert world.race.count_open("south", NOON) == 0
    clock.pass_(seconds=5)
    assert world.race.count_open("north", NOON) == 2


@pytest.mark.parametrize("numbered", [True, False])
def test_a_changed_playbook_is_in_force_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch, numbered: bool
) -> None:
    clock = a_stopwatch(monkeypatch, race_module)
    race = DynamoRaceStore(world.dynamo, world.settings)
    assert race.read("aaaaaaaaaaaa", "zzzzz").playbook.claims_per_day == 10
    world.put_playbook(a_playbook(claims_per_day=3))
    if not numbered:  # an earlier version of Dibs stored no number: then within 20 seconds
        number = {"pk": {"S": keys.PLAYBOOK_VERSION}}
        world.dynamo.delete(world.settings.organisation_table, number)
        assert race.read("aaaaaaaaaaaa", "zzzzz").playbook.claims_per_day == 10
        clock.pass_(seconds=20, milliseconds=1)
    changed = race.read("aaaaaaaaaaaa", "zzzzz").playbook
    assert (changed.claims_per_day, changed.version) == (3, 2)


def test_an_organisation_without_a_playbook_runs_on_the_shipped_open_pool(world: World) -> None:
    world.dynamo.delete(world.settings.organisation_table, {"pk": {"S": keys.PLAYBOOK}})
    race = DynamoRaceStore(world.dynamo, world.settings)
    playbook = race.read("aaaaaaaaaaaa", "zzzzz").playbook
    assert (playbook.preset, playbook.version) == ("open-pool", 0)


# How big it gets, and whose data it holds


def size(item: dict[str, Any]) -> int:
    """An item's size as DynamoDB counts it: names and values in bytes."""
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: dict[str, Any]) -> int:
    ((kind, inner),) = value.items()
    match kind:
        case "S":
            return len(inner.encode())
        case "B":
            return len(inner)
        case "N":
            return len(inner.lstrip("-")) // 2 + 2
        case "BOOL" | "NULL":
            return 1
        case "M":
            return 3 + sum(len(k.encode()) + _size(v) + 1 for k, v in inner.items())
    raise AssertionError(kind)


def stored(world: World, table: str, **key: str) -> dict[str, Any]:
    (found,) = [
        item
        for item in items(world.dynamo.client, getattr(world.settings, table))
        if all(item[name]["S"] == value for name, value in key.items())
    ]
    return found


LONGEST_NAMES = {f"{number:02}{'t' * 30}": {"name": "A team"} for number in range(3)}
SHORTEST_NAMES = {f"{number:02}": {"name": "A team"} for number in range(6)}
MANY_NAMES = {f"team-{number:02}": {"name": "A team"} for number in range(22)}
WEEK = 604_800
SKILLS = [f"{number}" + "s" * 11 for number in range(3)]
PODS = tuple(f"{number}" + "p" * 11 for number in range(3))
MOST_FIRST = 6
EX_OWNERS = {a_rep(number).rep_id: NOON for number in range(1, MOST_RELEASED + 1)}
OUTBOX = {"outbox_shard", "outbox_at"}


@pytest.mark.parametrize(
    "rules",
    [
        {"teams": MANY_NAMES},
        {"teams": LONGEST_NAMES, "model": "tiers"},
        {"teams": SHORTEST_NAMES, "model": "tiers"},
    ],
    ids=["many teams", "long names and tiers", "many teams with tiers"],
)
def test_a_lock_stays_within_one_kilobyte_whatever_a_source_sends(
    world: World, rules: dict[str, Any]
) -> None:
    latest = {"premium": [0, WEEK - 2, WEEK], "standard": [0, WEEK - 2, WEEK]}
    playbook = a_playbook(**rules, waves=latest, matching={"skills": SKILLS})
    assert not problems(playbook)
    crowded = {**rules["teams"], "one-more-team": {"name": "A team"}}
    assert problems(a_playbook(**{**rules, "teams": crowded})), "it could be larger"
    world.put_playbook(playbook)
    card = a_card(
        source="𝕊" * 64,
        company="𝔸" * 200,
        company_size="𝕄" * 64,
        contact_title="𝕋" * 200,
        territory="𝕋" * 64,
        segment="𝕋" * 64,
        product="𝕋" * 64,
        language="zh-Hant-TW",
        needs=tuple(f"{skill}:5" for skill in SKILLS),
        score=100,
        test=True,
    )
    lead = world.post_lead(card, NOON)
    assert len(lead.teams) == len(rules["teams"])
    fullest = replace(
        lead, notified_until=NOON, playbook_version=9_999, draws_at=NOON, pods=PODS, blind=True
    )
    # Turns and newcomers are for a lead's first opening; nobody has given it back by then.
    ways = {
        "first": replace(
            fullest, reserved_for="newcomers", head_start_reps=(AINA.rep_id,) * MOST_FIRST
        ),
        "later": replace(
            fullest,
            epoch=99_999,
            race_epoch=99_990,
            blind=False,  # a blind claim is not undone, and what comes back is not blind
            previous_owner=BEN.rep_id,
            released_by=EX_OWNERS,
            undone_by=tuple(EX_OWNERS)[:1] * MOST_UNDONE,
        ),
    }
    other = {
        "first": {"previous", "released", "undid", "ep1"},
        "later": {"reserved", "first", "blind"},
    }
    for way, opened in ways.items():
        held = replace(opened, owner=AINA.rep_id, claimed_at=NOON, return_at=NOON, accepted_at=NOON)
        worked = replace(held, state=State.OPPORTUNITY, worked_at=NOON)
        nobodys = {"owner", "holder", "claimed_at", "return_at", "accepted_at"}
        waits = awaiting_somebody(opened, NOON)
        holder = {"holder": AINA.rep_id}
        stages = {
            "open": (lock_item(opened, **waits), nobodys | {"worked_at"}),
            # Taken before its opening left the outbox.
            "taken": (
                lock_item(replace(held, state=State.ASSIGNED), **waits, **holder),
                {"worked_at"},
            ),
            "worked": (lock_item(worked, **holder), {"wait_at", "wait_shard"} | OUTBOX),
        }
        for stage, (item, absent) in stages.items():
            # A parked lead waits for nobody, and so has less else.
            waves = set[str]() if "model" in rules else {"waves"}
            expected = absent | other[way] | waves | {"parked", "test_all"}
            known = {one.attr_name for one in LeadRecord.get_attributes().values()}
            assert known - item.keys() == expected
            assert 800 < size(item) <= 1024, (way, stage)


def test_a_rep_with_three_devices_stays_within_one_kilobyte(world: World) -> None:
    from dibs.people.operator import new_rep

    name = "ச" * 29 + "a"  # the longest name that is taken, in letters of three bytes
    rep = new_rep(
        a_playbook(teams={"n" * 32: {"name": "N"}}),
        NOON,
        name,
        "n" * 32,
        "America/Argentina/ComodRivadavia",
        "+60128880000",
        3,
        "ms",
    )
    world.add_rep(rep)
    arn = "arn:aws:sns:ap-southeast-1:123456789012:endpoint/APNS_SANDBOX/dibs-sales/" + "a" * 36
    for number in range(3):
        device = Device(f"{number}" + "d" * 63, Platform.APNS, arn, enabled=False)
        world.roster.put_device(rep.rep_id, device)
    world.roster.opt_out(rep.rep_id, True)
    world.roster.pause(rep.rep_id, NOON)
    world.dynamo.client.update_item(
        TableName=world.settings.organisation_table,
        Key={"pk": {"S": keys.rep(rep.rep_id)}},
        UpdateExpression="SET claims_day = :day, claims = :claims",
        ExpressionAttributeValues={":day": {"S": TODAY}, ":claims": {"N": "10000"}},
    )
    assert 900 < size(stored(world, "organisation_table", pk=keys.rep(rep.rep_id))) <= 1024


SECRETS = Contact(
    lead_id="",
    source="google-ads",
    external_id="customer-4711",
    company="Acme Sdn Bhd",
    contact_name="Siti Nurhaliza",
    contact_email="siti@secret.example",
    contact_phone="+60123456789",
    consent="by phone from her husband Ahmad",
    needs=("a new liver",),
)


def test_no_item_of_the_leads_table_and_so_of_its_stream_holds_personal_data(
    world: World,
) -> None:
    world.add_rep(AINA)
    clock = Clock()
    deps = IngestDeps(world.leads, world.arrivals, clock)
    lead = ingest(SECRETS, a_playbook(), b"saltsalts", NOON, deps).lead
    proof = proof_of(AINA)
    claim(world.race, lead.lead_id, AINA.rep_id, proof, clock)
    undo(world.race, lead.lead_id, AINA.rep_id, proof, clock)
    world.add_rep(BEN)
    proof = proof_of(BEN)
    claim(world.race, lead.lead_id, BEN.rep_id, proof, clock)
    undone = undo(world.race, lead.lead_id, BEN.rep_id, proof, clock)
    close(undone, world.leads, undone.closes_at)
    DynamoOfferStore(world.dynamo, world.settings).record(
        [SentOffer(lead.lead_id, 1, AINA.rep_id, NOON, ("push",))]
    )
    elsewhere = ("leads_table", "offers_table", "once_table")
    kept = [
        item
        for table in elsewhere
        for item in items(world.dynamo.client, getattr(world.settings, table))
    ]
    assert len(kept) > 8
    written = repr(kept)
    for secret in ("Siti", "siti@", "123456789", "Ahmad", "liver", "customer-4711"):
        assert secret not in written
    (contact,) = items(world.dynamo.client, world.settings.contacts_table)
    assert "siti@secret.example" in repr(contact)


def test_offers_and_codes_clean_up_after_themselves(world: World) -> None:
    offers = DynamoOfferStore(world.dynamo, world.settings)
    offers.record([SentOffer("lead", 1, AINA.rep_id, NOON, ("push",))])
    offers.reserve_sms(a_lead(), AINA.rep_id, lambda: "7K2P", NOON)
    world.race.record_sighting(a_lead(), AINA.rep_id, "seen_at", NOON)
    world.race.record_sighting(a_lead(epoch=2), AINA.rep_id, "seen_at", NOON)
    world.roster.count_sms(AINA.rep_id, NOON.date(), 5, 5)
    kept = items(world.dynamo.client, world.settings.offers_table)
    counters = [
        item
        for item in items(world.dynamo.client, world.settings.organisation_table)
        if "used" in item
    ]
    assert (len(kept), len(counters)) == (4, 2)
    for item in kept + counters:
        ends = datetime.fromtimestamp(int(item["expires_at"]["N"]), NOON.tzinfo)
        assert NOON + timedelta(days=1) < ends <= NOON + timedelta(days=91)
