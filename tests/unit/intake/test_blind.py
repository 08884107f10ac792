"""Blind leads (F4) come in the wanted mix (F5), and nothing shown before the claim reveals their
quality: this is measured on the real pages and messages."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claim import handler as claim_functions
from dibs import callers
from dibs.aws.clock import from_iso
from dibs.aws.publisher import Publisher
from dibs.core.errors import Busy, UndoOver
from dibs.core.lead import BLIND, Lead, Preview, State
from dibs.core.quality import Pool, Quality, pool_for
from dibs.core.rep import Device, Platform, Usage
from dibs.intake.blind import ArrivalCounts, Part, chances, is_blind, mix
from dibs.intake.blind_mix import mix_reached
from dibs.intake.ingest import IngestDeps, ingest
from dibs.offers.push import SnsPush
from dibs.offers.texts import alert, offer_sms
from dibs.race.claim import claim
from dibs.race.lifecycle import return_lead
from dibs.race.undo import undo
from dibs.rules.playbook import Playbook
from dibs.rules.rules import Blind
from dibs.wiring import Wiring
from rep import handler as rep_functions
from support.builders import NOON, a_card, a_lead, a_playbook, a_rep, proof_of
from support.fakes import FakeArrivals, FakeWorld, no_pause

HOT, WARM, COLD = Quality.HOT, Quality.WARM, Quality.COLD
SCORES = {HOT: 90, WARM: 60, COLD: 20}
AINA = a_rep(1, tier=2, devices=(Device("phone", Platform.FCM, "arn:phone"),))
SEEN_AFTER = timedelta(seconds=60)


def salt_of(number: int) -> bytes:
    return number.to_bytes(9, "big")


# The draw


def stream(arrival: tuple[int, int, int], rule: Blind, leads: int = 20_000) -> ArrivalCounts:
    """Draw this many leads with random qualities in this proportion."""
    source, seen, blind = random.Random(5), Counter[Quality](), Counter[Quality]()
    for number, quality in enumerate(source.choices(list(Quality), arrival, k=leads)):
        if is_blind(salt_of(number), chances(seen, rule)[quality]):
            blind[quality] += 1
        seen[quality] += 1
    return ArrivalCounts(seen, blind)


def chi_square(found: Mapping[Quality, int], wanted: Mapping[Quality, float]) -> float:
    whole, parts = sum(found.values()), sum(wanted.values())
    expected = {quality: whole * part / parts for quality, part in wanted.items() if part}
    return sum((found.get(q, 0) - e) ** 2 / e for q, e in expected.items())


# With two degrees of freedom, chance alone exceeds this once in a hundred times.
BY_CHANCE = 9.21
ASKED = {HOT: 10.0, WARM: 70.0, COLD: 20.0}


@pytest.mark.parametrize(
    ("arrival", "share", "reached"),
    [
        ((33, 33, 33), 20, 20),
        ((20, 30, 50), 20, 20),
        ((10, 70, 20), 90, 90),
        ((60, 30, 10), 20, 20),
        ((5, 25, 70), 30, 30),
        # Warm is scarce: the mix is kept, and the share falls to what warm allows.
        ((45, 10, 45), 20, 14.3),
        ((45, 5, 50), 20, 7.1),
    ],
)
def test_the_blind_mix_is_the_one_asked_for(
    arrival: tuple[int, int, int], share: int, reached: float
) -> None:
    found = stream(arrival, Blind(share))
    assert chi_square(found.blind, ASKED) < BY_CHANCE, found.blind
    assert sum(found.blind.values()) / 200 == pytest.approx(reached, abs=1)


@pytest.mark.parametrize("warm", [0, 1])
def test_of_what_hardly_comes_all_is_blind_and_the_others_keep_their_proportion(warm: int) -> None:
    found = stream((50, warm, 50), Blind(20))
    others = {HOT: 10.0, COLD: 20.0}
    assert chi_square({q: found.blind[q] for q in others}, others) < BY_CHANCE
    assert sum(found.blind[q] for q in others) / 200 == pytest.approx(20, abs=1)
    assert found.blind[WARM] == pytest.approx(found.seen[WARM], abs=10)


@pytest.mark.parametrize(
    ("seen", "rule", "expected"),
    [
        # No counts yet: all qualities are equally likely.
        ({}, Blind(10), (0.03, 0.21, 0.06)),
        ({}, Blind(), (0, 0, 0)),
        ({}, Blind(100, 0, 0, 0), (0, 0, 0)),
        ({}, Blind(10, 0, 100, 0), (0, 0.3, 0)),
        ({}, Blind(100, 0, 100, 0), (0, 1, 0)),
        # A tenth, two tenths and seven tenths of 1,000.
        ({HOT: 90, WARM: 190, COLD: 690}, Blind(20), (0.2, 0.7, 0.2 / 3.5)),
        # Warm is scarcest: all warm leads are blind, and the others in proportion.
        ({HOT: 440, WARM: 90, COLD: 440}, Blind(20), (0.1 / 7 / 0.45, 1, 0.2 / 7 / 0.45)),
        # So scarce that it no longer limits the share.
        ({HOT: 490, WARM: 0, COLD: 480}, Blind(20), (0.2 / 3 / 0.5, 1, 0.4 / 3 / 0.49)),
    ],
)
def test_chances_follow_from_what_came_lately(
    seen: dict[Quality, int], rule: Blind, expected: tuple[float, float, float]
) -> None:
    assert tuple(chances(seen, rule).values()) == pytest.approx(expected)


counts = st.integers(0, 10_000)
percents = st.integers(0, 100)


@given(counts, counts, counts, percents, percents, percents)
def test_chances_are_chances_and_never_blind_more_than_the_share(
    hot: int, warm: int, cold: int, share: int, of_hot: int, of_warm: int
) -> None:
    rule = Blind(share, of_hot, min(of_warm, 100 - of_hot), max(0, 100 - of_hot - of_warm))
    seen = {HOT: hot, WARM: warm, COLD: cold}
    found = chances(seen, rule)
    assert all(0 <= chance <= 1 for chance in found.values())
    total = hot + warm + cold + 30
    parts = {q: found[q] * (seen[q] + 10) / total for q in Quality}
    # The scarce quality comes on top, and there is little of it.
    assert sum(parts.values()) <= share / 100 * 1.5 + 1e-9


def test_a_lead_draws_the_same_however_often_it_is_sent() -> None:
    assert [is_blind(b"saltsalts", 0.4) for _ in range(5)] == [is_blind(b"saltsalts", 0.4)] * 5
    assert not any(is_blind(salt_of(n), 0) for n in range(1_000))
    assert all(is_blind(salt_of(n), 1) for n in range(1_000))
    quarter = sum(is_blind(salt_of(n), 0.25) for n in range(20_000))
    assert abs(quarter - 5_000) < 2.58 * math.sqrt(20_000 * 0.25 * 0.75)


# Counting


def blind_playbook(share: int = 100, **changes: Any) -> Playbook:
    known = {"person": False, "company": False}  # leads alike in everything are not one lead here
    return a_playbook(blind={"share_percent": share}, duplicates=known, **changes)


def post(world: FakeWorld, number: int, quality: Quality, **changes: Any) -> Lead:
    salt, at = salt_of(number), world.clock()
    card = a_card(number, **{"score": SCORES[quality], **changes})
    deps = IngestDeps(world.leads, world.arrivals, world.clock, pause=no_pause)
    return ingest(card, world.memory.playbook, salt, at, deps).lead


def test_a_lead_is_counted_once_when_it_is_stored() -> None:
    world = FakeWorld(blind_playbook())
    leads = [post(world, number, WARM) for number in (1, 1, 2)]
    found = world.arrivals.lately(NOON)
    assert found.seen == {HOT: 0, WARM: 2, COLD: 0}
    assert found.blind[WARM] == sum({lead.lead_id: lead.blind for lead in leads}.values())


@pytest.mark.parametrize(
    ("playbook", "changes"),
    [
        (blind_playbook(0), {}),
        (blind_playbook(), {"test": True}),
        (blind_playbook(model="speed-board"), {}),
    ],
    ids=["rule off", "test lead", "nobody races"],
)
def test_what_is_no_part_of_the_race_is_neither_blind_nor_counted(
    playbook: Playbook, changes: dict[str, Any]
) -> None:
    world = FakeWorld(playbook)
    assert not any(post(world, number, WARM, **changes).blind for number in range(20))
    assert world.arrivals.weeks == {}


class Unreachable(FakeArrivals):
    """A count that is unavailable."""

    def lately(self, now: Any) -> ArrivalCounts:
        raise Busy

    def count(self, quality: Quality, blind: bool, at: Any) -> None:
        raise Busy


def test_no_lead_is_turned_away_for_want_of_a_count() -> None:
    world = FakeWorld(blind_playbook(100))
    world.arrivals = Unreachable()
    assert {post(world, number, WARM).blind for number in range(40)} == {True}
    assert {post(world, number, HOT).blind for number in range(40, 80)} == {True, False}


def test_the_mix_reached_is_told_with_how_sure_it_is() -> None:
    arrivals = FakeArrivals()
    for quality, seen, blind in ((HOT, 20, 3), (WARM, 40, 14), (COLD, 30, 3)):
        for number in range(seen):
            arrivals.count(quality, number < blind, NOON - timedelta(weeks=number % 2))
    arrivals.count(HOT, True, NOON - timedelta(weeks=2))
    found = mix_reached(arrivals, blind_playbook(20), 2, NOON)
    assert found.weeks == ("2026-W48", "2026-W47")
    assert (found.percent, found.wanted) == (22.2, 20)
    # Wilson's intervals for 3 and 14 of 20, as in the tables.
    assert found.parts == (
        Part(HOT, 20, 3, 10, 15.0, 5.2, 36.0),
        Part(WARM, 40, 14, 70, 70.0, 48.1, 85.5),
        Part(COLD, 30, 3, 20, 15.0, 5.2, 36.0),
    )
    nothing = mix_reached(FakeArrivals(), blind_playbook(20), 1, NOON)
    assert nothing.percent is None
    assert nothing.parts == tuple(mix(ArrivalCounts(), Blind(20)))
    assert nothing.parts[0] == Part(HOT, 0, 0, 10, None, None, None)


# A blind lead's details cannot be seen and undone


def test_a_blind_lead_cannot_be_undone_and_is_blind_no_more_when_it_comes_back() -> None:
    world = FakeWorld(blind_playbook())
    world.add_rep(AINA)
    lead, proof = post(world, 1, WARM), proof_of(AINA)
    assert lead.blind
    won = claim(world.race, lead.lead_id, AINA.rep_id, proof, world.clock)
    assert (won.card is not None and won.card.company, won.undo_until) == ("Acme 1 Sdn Bhd", NOON)
    with pytest.raises(UndoOver, match="Release it with a reason"):
        undo(world.race, lead.lead_id, AINA.rep_id, proof, world.clock)
    held = world.lead(lead)
    assert (held.state, held.owner, held.blind) == (State.CLAIMED, AINA.rep_id, True)
    back, _ = return_lead(held, world.memory.playbook, NOON, "unworked", "dibs", won=True)
    assert (back.state, back.blind, back.shown) == (State.OPEN, False, lead.preview)


# Nothing reveals the quality


@pytest.mark.parametrize("quality", Quality)
def test_a_blind_lead_shows_nothing_of_itself(quality: Quality) -> None:
    lead = a_lead(quality=quality, blind=True)
    assert (lead.shown, lead.pool) == (BLIND, Pool.STANDARD)


# Every way in which openings may depend on a lead's quality.
LEAKY = blind_playbook(
    90,
    model="tiers",
    waves={"premium": [0, 60, None], "standard": [0, 30, 90]},
    windows=[
        {"source": "fair", "standard": [0, 0, 0], "window_seconds": 600},
        {"source": "list", "premium": [0, 0, 0], "window_seconds": 1200},
    ],
    performance_first=[
        {"product": "solar", "offsets": [0, 5, 10]},
        {"quality": "hot", "offsets": [0, 7, 14]},
        {"segment": "large", "offsets": [0, 9, 18]},
    ],
    acceptance={"hot_per_warm": 1, "cold_per_week": 3},
)
ABOUT: dict[Quality, dict[str, Any]] = {
    HOT: {"source": "fair", "company_size": "5000", "product": "solar", "contact_title": "Owner"},
    WARM: {"source": "web", "segment": "large", "company_size": "51-200"},
    COLD: {"source": "list", "company": "X", "company_size": "", "contact_title": ""},
}


def blind_leads(many: int = 2_000) -> tuple[FakeWorld, list[Lead]]:
    """Post leads whose fields all depend on their quality, until this many are blind."""
    world, source, leads = FakeWorld(LEAKY), random.Random(11), list[Lead]()
    world.add_rep(AINA)
    number = 0
    while len(leads) < many:
        (quality,) = source.choices(list(Quality), (10, 70, 20))
        score = SCORES[quality] + source.randrange(10)
        lead = post(world, number, quality, **{"score": score, **ABOUT[quality]})
        if lead.blind:
            leads.append(lead)
        number += 1
        world.clock.pass_(milliseconds=20)
    return world, leads


@pytest.fixture
def at_the_counter(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeWorld], None]:
    """Serve Aina by the real functions from a world in memory."""

    def open_for(world: FakeWorld) -> None:
        monkeypatch.setattr(Wiring, "race", world.race)
        monkeypatch.setattr(Wiring, "roster", world.roster)
        # Hot leads without warm ones, and no cold ones: every kind of debt (F1, F3).
        usage = Usage(week=AINA.this_week(NOON), week_claims=3, hot=3, claims_before=5)
        world.memory.usage[AINA.rep_id] = usage
        monkeypatch.setattr(callers, "caller", lambda event: event)
        monkeypatch.setattr(Wiring, "credentials", None)
        monkeypatch.setattr(callers, "calling_rep", lambda *_: (AINA, usage))
        here = SimpleNamespace(public_url="https://dibs.example")
        monkeypatch.setattr(Wiring, "settings", here)
        monkeypatch.setattr(claim_functions.clock, "now", world.clock)

    return open_for


PUBLISHED: list[dict[str, Any]] = []


class Publications(Publisher):
    def prepared(self, **message: Any) -> dict[str, Any]:
        return message

    def open(self, messages: int) -> None:
        pass

    def send(self, prepared: Sequence[dict[str, Any]]) -> list[datetime | None]:
        PUBLISHED.extend(prepared)
        return [NOON for _ in prepared]


PUSH = SnsPush(Publications(), lambda: None, {}, "https://dibs.example", alert)  # type: ignore[arg-type,return-value]

# Different for every lead; compared in another form.
NOT_ITSELF = ("lead_id", "claim_url", "opens_at", "exclusive_until", "closes_at", "refusal")


def features(world: FakeWorld, leads: Sequence[Lead]) -> dict[str, list[object]]:
    """Return everything a rep sees of these leads, by name, in the order of the leads."""
    body = json.loads(str(rep_functions.ROUTES["GET /me/offers"]({})["body"]))
    offers = {offer["lead_id"]: offer for offer in body["offers"]}
    places = {lead_id: place * 10 // len(offers) for place, lead_id in enumerate(offers)}
    seen = [
        looks(world, lead, offers[lead.lead_id]) | {"place": places[lead.lead_id]} for lead in leads
    ]
    names = {name for one in seen for name in one}
    return {name: [one.get(name) for one in seen] for name in names}


def looks(world: FakeWorld, lead: Lead, offer: dict[str, Any]) -> dict[str, object]:
    """Return how one lead looks in the list, on its page, in its alert and its text.

    Times are counted from its opening; its id and link are left out.
    """
    world.clock.at = now = lead.opens_at + SEEN_AFTER
    token, url = offer["claim_url"].rsplit("/", 1)[-1], offer["claim_url"]
    refusal = offer.get("refusal", {})
    asked = {"pathParameters": {"token": token}, "routeKey": "GET /c/{token}"}
    page, state = claim_functions.show(asked), claim_functions.state(asked)
    standing = json.loads(str(state["body"]))
    PUSH.offer(lead, [AINA], now)
    sent = PUBLISHED.pop()
    text = offer_sms(lead, AINA, "7K2P", url, now)

    def since(moment: str | None) -> float | None:
        return (from_iso(moment) - lead.opens_at).total_seconds() if moment else None

    def nameless(told: object) -> str:
        return str(told).replace(token, "TOKEN").replace(lead.lead_id, "ID")

    return {
        **flat("offer", {k: v for k, v in offer.items() if k not in NOT_ITSELF}),
        **flat("refusal", {**refusal, "lifts_at": since(refusal.get("lifts_at"))}),
        "offer's fields": ",".join(offer),
        "offer opens": since(offer["opens_at"]),
        "offer exclusive": since(offer["exclusive_until"]),
        "offer closes": since(offer["closes_at"]),
        "id's first letter": lead.lead_id[0] < "m",
        "link's last letter": token[-1].isdigit(),
        "page": nameless(page["body"]),
        "page's length": len(str(page["body"])),
        "page's head": repr((page["statusCode"], page["headers"])),
        "state": standing["state"],
        "state closes": since(standing["closes_at"]),
        "push": nameless(sent["Message"]),
        "push's size": len(sent["Message"]),
        "push's life": repr(sent["MessageAttributes"]),
        "text": nameless(text),
        "text's length": len(text),
    }


def flat(name: str, value: object) -> dict[str, object]:
    if isinstance(value, dict):
        return {k: v for key, one in value.items() for k, v in flat(f"{name}.{key}", one).items()}
    return {name: json.dumps(value)}


def information(one: Iterable[object], other: Iterable[object]) -> float:
    """Return the mutual information of two columns, in bits."""
    pairs = Counter(zip(one, other, strict=True))
    whole = sum(pairs.values())
    lefts, rights = Counter[object](), Counter[object]()
    for (left, right), count in pairs.items():
        lefts[left] += count
        rights[right] += count
    return sum(
        count / whole * math.log2(count * whole / lefts[left] / rights[right])
        for (left, right), count in pairs.items()
    )


# By chance alone, ten equal groups of 2,000 leads show 0.0065 bits about three qualities.
NEAR_ZERO = 0.02


def telling(world: FakeWorld, leads: Sequence[Lead]) -> dict[str, float]:
    """Return the columns that reveal something of the quality, with the bits."""
    quality = [lead.quality for lead in leads]
    found = {name: information(column, quality) for name, column in features(world, leads).items()}
    return {name: bits for name, bits in found.items() if bits > NEAR_ZERO}


def test_nothing_a_rep_sees_tells_the_quality_of_a_blind_lead(
    at_the_counter: Callable[[FakeWorld], None],
) -> None:
    world, leads = blind_leads()
    at_the_counter(world)
    assert telling(world, leads) == {}


def leaking_score(lead: Lead) -> Preview:
    return replace(BLIND, score=lead.preview.score) if lead.blind else lead.preview


def leaking_source(lead: Lead) -> Preview:
    return replace(BLIND, source=lead.preview.source) if lead.blind else lead.preview


@pytest.mark.parametrize(
    ("where", "leak", "reported_by"),
    [
        ("shown", leaking_score, {"offer.preview.score", "text"}),
        ("shown", leaking_source, {"offer.preview.source", "text's length"}),
        ("source", lambda lead: lead.preview.source, {"offer closes"}),
        ("pool", lambda lead: pool_for(lead.quality), {"offer opens", "page", "push's life"}),
    ],
    ids=["score", "source", "source of the window", "premium window"],
)
def test_a_leak_would_be_noticed(
    where: str,
    leak: Callable[[Lead], object],
    reported_by: set[str],
    at_the_counter: Callable[[FakeWorld], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Lead, where, property(leak))
    world, leads = blind_leads(200)
    at_the_counter(world)
    assert reported_by <= telling(world, leads).keys()


def test_what_is_shown_of_other_leads_does_tell(
    at_the_counter: Callable[[FakeWorld], None],
) -> None:
    world, leads = blind_leads(200)
    world.memory.leads = {k: replace(v, blind=False) for k, v in world.memory.leads.items()}
    at_the_counter(world)
    found = telling(world, [replace(lead, blind=False) for lead in leads])
    assert {"offer.preview.score", "offer.preview.company", "page", "push", "text"} <= found.keys()
