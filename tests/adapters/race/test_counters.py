"""What a rep has used up, as it is stored (F1-F3, F7, M4): the same on tables and fakes, the same
as the pure rules count it, and guarded by exactly what these refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dibs.assignment.ports import AssignmentWrite
from dibs.assignment.round_robin import Turn
from dibs.aws import keys
from dibs.core.lead import Claim, Contact, Lead, State, id_text, moved
from dibs.core.quality import Quality
from dibs.core.rep import Rep, Usage
from dibs.race.debts import owes_assignment, owes_warm
from dibs.race.lifecycle import new_claim, return_lead
from dibs.race.limits import over_allowance, over_limits, used
from dibs.race.usage import count_lead, release_lead, undo_claim
from dibs.rules.playbook import Playbook
from support.builders import NOON, World, a_lead, a_playbook, a_rep, counts_of, with_one_more
from support.fakes import FakeWorld

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WEEK = 7 * DAY
LONG = {"opens_at": NOON - DAY, "closes_at": NOON + 400 * DAY, "waves": {}}
_numbers = count(1)


@pytest.fixture(params=["tables", "memory"], scope="module")
def organisation(request: pytest.FixtureRequest, moto_dynamodb: Any) -> World | FakeWorld:
    """One for all examples: each has a rep and leads of its own."""
    if request.param == "memory":
        return FakeWorld()
    from moto import mock_aws

    from support.tables import create_tables

    mock = mock_aws()
    mock.start()
    request.addfinalizer(mock.stop)
    return World(moto_dynamodb, create_tables(moto_dynamodb, "counters"))


@dataclass
class Career:
    """One rep and all they ever took: what is stored of it, and what it should come to."""

    world: World | FakeWorld
    playbook: Playbook
    rep: Rep
    now: datetime = NOON
    start: Usage = field(default_factory=Usage)
    standing: list[tuple[Lead, Claim]] = field(default_factory=list)
    held: list[tuple[Lead, Claim]] = field(default_factory=list)
    put_down: int = 0
    not_accepted: int = 0

    def stored(self) -> Usage:
        return self.world.race.read("aaaaaaaaaaaa", self.rep.rep_id).usage

    def expected(self) -> Usage:
        """All that stands, counted anew by the pure rules; then less of what was given back."""
        usage = self.start
        for lead, claim in self.standing:
            usage = with_one_more(self.rep, lead, usage, self.playbook, claim)
        return replace(
            usage,
            in_hand=usage.in_hand - self.put_down,
            unaccepted=usage.unaccepted - self.not_accepted,
        )

    def a_lead(self, state: State, **changes: Any) -> Lead:
        lead = a_lead(lead_id=id_text(next(_numbers).to_bytes(7, "big")), state=state, **LONG)
        lead = replace(lead, **changes)
        self.world.leads.accept(lead, Contact(lead.lead_id, "s", "e", "Acme"), None, self.now)
        return lead

    def claims(self, **changes: Any) -> bool:
        """Try for a lead whatever the decision was; the guards alone keep the rep from it."""
        lead = self.a_lead(State.OPEN, **changes)
        view = replace(self.world.race.read(lead.lead_id, self.rep.rep_id), playbook=self.playbook)
        claim = new_claim(lead, self.rep, self.playbook, self.now, self.now)
        met = self.world.race.commit_claim(view, claim, counts_of(view, claim))
        if met is None:
            self._took(lead, claim)
        else:
            assert met.usage == self.stored()
        return met is None

    def gets(self, *, bound: bool = True, **changes: Any) -> bool:
        """Be assigned a lead, by turn or as the last resort."""
        lead = self.a_lead(State.NEW, **changes)
        claim = new_claim(lead, self.rep, self.playbook, self.now, self.now, "assigned")
        _, transition = moved(lead, State.ASSIGNED, self.now, "assigned", "dibs")
        last = self.world.holdings.last_turn(self.rep.rep_id)
        turn = Turn(last.round + 1, self.rep.rep_id) if bound else None
        counts = count_lead(self.rep, lead, self.stored(), self.playbook, claim, bound=bound)
        taken = AssignmentWrite(claim, transition, self.rep.rep_id, last, turn, counts)
        done = self.world.holdings.assign(lead, taken)
        if done:
            self._took(lead, claim)
        return done

    def _took(self, lead: Lead, claim: Claim) -> None:
        self.standing.append((lead, claim))
        self.held.append((lead, claim))

    def undoes(self, number: int) -> None:
        """Take back one of the races won, as if it had never been."""
        won = [one for one in self.held if one[1].competitive]
        if won:
            lead, claim = won[number % len(won)]
            view = self.world.race.read(lead.lead_id, self.rep.rep_id)
            assert view.lead is not None
            back, transitions = return_lead(
                view.lead, self.playbook, self.now, "undone", self.rep.rep_id, won=True
            )
            off = undo_claim(view.lead, self.rep, view.usage)
            assert self.world.race.commit_undo(view.lead, back, transitions, off)
            self.held.remove((lead, claim))
            self.standing.remove((lead, claim))

    def gives_back(self, number: int) -> None:
        """Give one of the leads back: it was theirs, and counts."""
        if self.held:
            lead, claim = self.held.pop(number % len(self.held))
            view = self.world.race.read(lead.lead_id, self.rep.rep_id)
            assert view.lead is not None
            back, transitions = return_lead(
                view.lead, self.playbook, self.now, "not_worked", "clock", won=claim.competitive
            )
            off = release_lead(view.lead, view.usage)
            assert self.world.holdings.give_back(view.lead, back, transitions, off)
            self.put_down += not lead.test
            self.not_accepted += not lead.test and not claim.competitive

    def agrees(self) -> None:
        """What is stored says the same as what is counted anew, of now and of every rule."""
        assert self._said(self.stored()) == self._said(self.expected())

    def _said(self, usage: Usage) -> dict[str, Any]:
        rep, now = self.rep, self.now
        week = rep.this_week(now)
        return {
            "limits": [used(limit, rep, usage, now) for limit in self.playbook.limits_of(rep.tier)],
            "hour": usage.claims_in(rep.this_hour(now)),
            "day": usage.claims_on(rep.today(now)),
            "week": usage.week_claims_in(week),
            "leads": usage.leads_in(week),
            "qualities": [usage.of_quality(quality, week) for quality in Quality],
            "before": usage.week_before(week),
            "in_hand": usage.in_hand,
            "raced": usage.raced,
            "unaccepted": usage.unaccepted,
            "ever": usage.ever,
        }

    def over(self, lead: Lead) -> bool:
        """What the pure rules say of one more claim."""
        usage, rep, playbook, now = self.expected(), self.rep, self.playbook, self.now
        owed = (owes_warm, owes_assignment)
        return not lead.test and bool(
            over_limits(lead, rep, usage, playbook, now)
            or over_allowance(rep, usage, playbook, now)
            or any(rule(lead, rep, usage, playbook, now) for rule in owed)
        )


def a_career(world: World | FakeWorld, zone: str = "Asia/Kathmandu", **rules: Any) -> Career:
    playbook = a_playbook(**{"claims_per_day": 1000, **rules})
    rep = world.add_rep(a_rep(next(_numbers), zone=zone, phone=None))
    return Career(world, playbook, rep)


SETTINGS: list[dict[str, Any]] = [
    {},
    {
        "claims_per_day": 5,
        "limits": [
            {"most": 3, "per": "hour"},
            {"most": 9, "per": "week"},
            {"most": 8, "per": "in_hand"},
        ],
    },
    {
        "limits": [
            {"most": 2, "per": "hour", "rolling": True},
            {"most": 4, "per": "day", "rolling": True},
            {"most": 6, "per": "week", "rolling": True},
        ],
        "quota": {"enabled": True, "base_per_week": 7},
    },
    {"acceptance": {"hot_per_warm": 2, "claims_per_assignment": 3, "cold_per_week": 1}},
    {
        "limits": [{"most": 2, "per": "hour"}, {"most": 3, "per": "day", "rolling": True}],
        "acceptance": {"hot_per_warm": 1, "claims_per_assignment": 5, "cold_per_week": 3},
        "quota": {"enabled": True, "base_per_week": 9},
        "assignment": {"in_hand_limit": 3},
    },
]
kinds = st.fixed_dictionaries(
    {
        "quality": st.sampled_from([Quality.HOT, Quality.HOT, *Quality]),
        "blind": st.sampled_from([False, False, False, True]),
        "test": st.sampled_from([False, False, False, False, True]),
    }
)
steps = st.one_of(
    st.tuples(st.just("claims"), kinds),
    st.tuples(st.just("claims"), kinds),
    st.tuples(st.just("gets"), kinds),
    st.tuples(st.just("last resort"), kinds),
    st.tuples(st.just("undoes"), st.integers(0, 5)),
    st.tuples(st.just("gives back"), st.integers(0, 5)),
    st.tuples(
        st.just("passes"),
        st.sampled_from([MINUTE, 20 * MINUTE, HOUR, 5 * HOUR, DAY, 3 * DAY, WEEK]),
    ),
)
OLD = Usage(date(2026, 11, 23), 2, date(2026, 11, 23), 3, 1)


def lives(career: Career, life: list[tuple[str, Any]]) -> None:
    """Let all this happen to a rep; after each of it the counts are right."""
    for what, how in life:
        if what == "passes":
            career.now += how
        elif what == "undoes":
            career.undoes(how)
        elif what == "gives back":
            career.gives_back(how)
        elif what == "last resort":
            assert career.gets(bound=False, **how)
        elif what == "gets":
            usage, most = career.expected(), career.playbook.assignment.in_hand_limit
            over = over_allowance(career.rep, usage, career.playbook, career.now)
            full = bool(over) or (0 < most <= usage.in_hand)
            assert career.gets(**how) == (how["test"] or not full)
        else:
            over = career.over(a_lead(**how))
            assert career.claims(**how) == (not over)
        career.agrees()


def has_counted(career: Career, before: Usage) -> Career:
    """Count what was counted before there was more to count: the other attributes are missing."""
    world, rep = career.world, career.rep
    if isinstance(world, FakeWorld):
        world.memory.usage[rep.rep_id] = before
    else:
        world.dynamo.update(
            world.settings.organisation_table,
            {"pk": {"S": keys.rep(rep.rep_id)}},
            "SET claims_day = :day, claims = :claims, leads_week = :week, leads = :leads, "
            "in_hand = :in_hand",
            "attribute_exists(pk)",
            ExpressionAttributeValues={
                ":day": {"S": str(before.day)},
                ":claims": {"N": str(before.claims)},
                ":week": {"S": str(before.week)},
                ":leads": {"N": str(before.leads)},
                ":in_hand": {"N": str(before.in_hand)},
            },
        )
    career.start = before
    return career


def examples(world: World | FakeWorld) -> settings:
    """Many in memory; on tables, which are slow, some."""
    many = 200 if isinstance(world, FakeWorld) else 4
    # Shrinking takes minutes; the life that fails is short enough to be read.
    return settings(
        max_examples=many,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.parametrize("rules", SETTINGS)
def test_whatever_a_rep_takes_and_gives_back_is_counted_as_the_rules_say(
    organisation: World | FakeWorld, rules: dict[str, Any]
) -> None:
    @examples(organisation)
    @given(
        st.lists(steps, min_size=8, max_size=25),
        st.booleans(),
        st.sampled_from(["UTC", "Asia/Kathmandu", "America/Santiago"]),
        st.integers(0, 80),
    )
    def property_of(life: list[tuple[str, Any]], before: bool, zone: str, hours: int) -> None:
        career = a_career(organisation, zone, **rules)
        # Near the week's end, so that it often ends meanwhile.
        career.now = NOON + (5 * DAY if not before else timedelta()) + hours * HOUR / 4
        lives(has_counted(career, OLD) if before else career, life)

    property_of()


def times(career: Career, moments: list[datetime], claims: Callable[[], bool]) -> list[bool]:
    won = []
    for at in moments:
        career.now = at
        won.append(claims())
        career.agrees()
    return won


def test_moments_are_cut_back_and_the_limit_holds_all_the_same(
    organisation: World | FakeWorld,
) -> None:
    career = a_career(organisation, limits=[{"most": 3, "per": "hour", "rolling": True}])
    moments = [NOON + number * 15 * MINUTE for number in range(60)]
    won = times(career, moments, career.claims)
    # Three of each four: the fourth is still within the hour of the first.
    assert won == [number % 4 != 3 for number in range(60)]
    kept = career.stored().recent
    if isinstance(organisation, World):
        assert len(kept) <= 3 + 16
    assert sorted(kept)[-3:] == sorted(career.expected().recent)[-3:]
    # One of those that are kept is undone, and leaves room for one more.
    assert not career.claims()
    career.undoes(-1)
    career.agrees()
    assert career.claims()
    assert not career.claims()


def test_of_two_claims_at_one_moment_one_undone_leaves_the_other(
    organisation: World | FakeWorld,
) -> None:
    career = a_career(organisation, limits=[{"most": 2, "per": "hour", "rolling": True}])
    assert [career.claims() for _ in range(3)] == [True, True, False]
    career.undoes(0)
    career.agrees()
    assert [career.claims() for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    ("weeks", "before"),
    [(0, (0, 0)), (1, (2, 1)), (2, (0, 0))],
)
def test_a_new_week_remembers_the_one_before_and_no_earlier(
    organisation: World | FakeWorld, weeks: int, before: tuple[int, int]
) -> None:
    career = a_career(organisation)
    assert career.claims(quality=Quality.COLD)
    assert career.claims(quality=Quality.HOT)
    career.now += weeks * WEEK
    assert career.claims()
    stored = career.stored()
    assert (stored.claims_before, stored.cold_before) == before
    career.agrees()


def test_a_claim_undone_once_its_week_is_over_is_taken_off_that_week(
    organisation: World | FakeWorld,
) -> None:
    career = a_career(organisation, zone="UTC")
    career.now = NOON + 6 * DAY + 12 * HOUR - MINUTE
    assert career.claims(quality=Quality.COLD)
    career.now += 2 * MINUTE
    assert career.claims()
    assert career.stored().week_before(career.rep.this_week(career.now)) == (1, 1)
    career.undoes(0)
    assert career.stored().week_before(career.rep.this_week(career.now)) == (0, 0)
    career.agrees()


@pytest.mark.parametrize("waits", [True, False])
def test_claims_are_counted_up_to_the_next_assignment_whether_one_waits_or_not(
    organisation: World | FakeWorld, waits: bool
) -> None:
    career = a_career(organisation, acceptance={"claims_per_assignment": 2})
    assert not waits or career.gets()
    assert [career.claims() for _ in range(3)] == [True, True, False]
    career.agrees()


def test_what_was_read_before_somebody_counted_is_not_counted_on(
    organisation: World | FakeWorld,
) -> None:
    """Two claims of one rep from one read: the second fails where it would pass a limit."""
    career = a_career(organisation, acceptance={"hot_per_warm": 1}, claims_per_day=2)
    kinds_of = [Quality.HOT, Quality.HOT, Quality.WARM]
    found = [career.a_lead(State.OPEN, quality=quality) for quality in kinds_of]
    assert career.claims(quality=Quality.COLD)  # the week has begun
    race, rep = career.world.race, career.rep
    views = [
        replace(race.read(lead.lead_id, rep.rep_id), playbook=career.playbook) for lead in found
    ]
    taken = [new_claim(lead, rep, career.playbook, NOON, NOON) for lead in found]
    first, second, third = (
        race.commit_claim(view, claim, counts_of(view, claim))
        for view, claim in zip(views, taken, strict=True)
    )
    assert first is None
    assert second is not None
    assert second.usage.hot == 1
    assert third is not None  # the third of the day
    assert third.usage.claims == 2
