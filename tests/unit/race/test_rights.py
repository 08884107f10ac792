"""The right to claim comes from recorded openings, never from a timer: with every timer late, lost
or sent twice, and no rep notified, the same claims are allowed (M2, M6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dibs.core.errors import ClaimRefused, DibsError
from dibs.core.events import LeadEvent
from dibs.core.lead import Lead, Openings, State
from dibs.core.rep import Rep
from dibs.dispatch import follow as offering
from dibs.dispatch.sweep import sweep
from dibs.offers.open_offers import sight
from dibs.people.own import set_availability
from dibs.race.claim import claim
from dibs.race.decide import Eligible, decide
from dibs.race.undo import undo
from support.builders import NOON, a_card, a_playbook, a_rep, proof_of
from support.fakes import FakeWorld, no_pause

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)

TEAMS = {
    "north": {"name": "N", "model": "tiers"},
    "south": {"name": "S", "model": "tiers"},
    "west": {"name": "W", "model": "open-pool"},
}
WINDOWS = [
    {"source": "fair", "standard": [0, 60, 120], "window_seconds": 60},
    {"team": "south", "premium": [0, None, 300]},
]


@dataclass(frozen=True)
class Event:
    """An action, and how long after the one before it."""

    after: timedelta
    what: str
    lead: int
    rep: int
    minutes: int


@dataclass(frozen=True)
class Recorded:
    """A recorded opening, and how many actions came before it."""

    events: int
    lead_id: str
    epoch: int
    waves: dict[str, Openings]


@dataclass
class Outcome:
    """The result of every attempt, and what was recorded."""

    attempts: list[object] = field(default_factory=list)
    recorded: list[Recorded] = field(default_factory=list)


class Story:
    """Runs actions on a new organisation, with its timers on time, late or lost."""

    def __init__(self, reps: list[Rep], limit: int) -> None:
        self.world = FakeWorld(
            a_playbook(
                teams=TEAMS,
                windows=WINDOWS,
                claims_per_day=limit,
                window_seconds=600,
                work={"hot_minutes": 0, "warm_minutes": 0, "cold_minutes": 0},
            )
        )
        self.reps = [self.world.add_rep(rep) for rep in reps]
        self.posted: list[Lead] = []
        self.outcome = Outcome()
        self.done = 0

    def happens(self, event: Event) -> LeadEvent | None:
        """Run the action, and return the event or the check that follows it."""
        world, rep = self.world, self.reps[event.rep % len(self.reps)]
        self.done += 1
        if event.what == "post" or not self.posted:
            card = a_card(
                len(self.posted),
                score=86 if event.lead % 2 else 60,
                source="fair" if event.minutes % 3 == 0 else "web",
                team=("north", "south", "west", "")[event.lead % 4],
            )
            self.posted.append(world.post_lead(card))
            return LeadEvent("lead.opened", self.posted[-1].lead_id, 1)
        lead = world.lead(self.posted[event.lead % len(self.posted)])
        if event.what == "pause":
            set_availability(world.roster, rep.rep_id, False, event.minutes + 1, world.clock())
            return LeadEvent("waves.check", "", 0)
        if event.what == "on":
            set_availability(world.roster, rep.rep_id, True, None, world.clock())
            return None
        proof = proof_of(rep)
        if event.what == "decline":
            if rep.team not in lead.teams:
                return None
            sight(world.race, lead.lead_id, rep.rep_id, proof, "declined_at", world.clock())
            return LeadEvent("lead.check", lead.lead_id, lead.epoch)
        act, told = (undo, "lead.opened") if event.what == "undo" else (claim, "lead.claimed")
        try:
            if act is undo:
                undo(world.race, lead.lead_id, rep.rep_id, proof, world.clock)
            else:
                claim(world.race, lead.lead_id, rep.rep_id, proof, world.clock, pause=no_pause)
        except DibsError as refusal:
            self.outcome.attempts.append((self.done, said(refusal)))
            return None
        self.outcome.attempts.append((self.done, f"{event.what}: yes"))
        return LeadEvent(told, lead.lead_id, world.lead(lead).epoch, rep.rep_id)


def said(refusal: DibsError) -> object:
    if isinstance(refusal, ClaimRefused):
        return [(r.code, r.lifts_at) for r in refusal.refusals], refusal.lifts_at
    return refusal.code, refusal.details()


def on_time(events: list[Event], story: Story) -> Outcome:
    """Every event is handled at once and every timer fires on time."""
    world, record = story.world, story.world.leads.open_early

    def recorded(lead: Lead, early: Lead) -> bool:
        stored = record(lead, early)
        if stored:
            story.outcome.recorded.append(
                Recorded(story.done, lead.lead_id, lead.epoch, dict(early.waves))
            )
        return stored

    world.leads.open_early = recorded  # type: ignore[method-assign]
    for event in events:
        until = world.clock() + event.after
        for moment, timer in due(world, until):
            world.clock.at = max(world.clock(), moment)
            offering.follow(timer, world.follow_deps())
        world.clock.at = until
        lead_event = story.happens(event)
        if lead_event is not None:
            offering.follow(lead_event, world.follow_deps())
    return story.outcome


def due(world: FakeWorld, until: datetime) -> Iterator[tuple[datetime, LeadEvent]]:
    """Yield the timers up to a time in order, including those that they set."""
    while True:
        waiting = [timer for timer in world.timers.set if timer[2] <= until]
        if not waiting:
            return
        first = min(waiting, key=lambda timer: timer[2])
        world.timers.set.remove(first)
        yield first[2], LeadEvent("lead.due", first[0], first[1])


def in_trouble(
    events: list[Event], story: Story, recorded: list[Recorded], fates: list[str]
) -> Outcome:
    """Events and timers are lost, late or doubled; only the records are the same."""
    world = story.world
    fate, waiting, to_record = iter(fates), list[LeadEvent](), list(recorded)
    # A late check finds the opening recorded by another process, or not recorded.
    world.leads.open_early = lambda lead, early: False  # type: ignore[method-assign]
    for event in events:
        world.clock.at += event.after
        while to_record and to_record[0].events <= story.done:
            opening = to_record.pop(0)
            stored = world.memory.leads[opening.lead_id]
            assert (stored.epoch, stored.state) == (opening.epoch, State.OPEN)
            world.memory.leads[opening.lead_id] = replace(stored, waves=opening.waves)
        waiting += [lead_event for _, lead_event in due(world, world.clock())]
        kept = []
        for lead_event in waiting:
            comes = next(fate, "lost")
            if comes == "late":
                kept.append(lead_event)
            elif comes != "lost":
                for _ in range(2 if comes == "twice" else 1):
                    offering.follow(lead_event, world.follow_deps())
        waiting = kept
        if next(fate, "lost") == "twice":
            sweep(
                world.leads,
                world.race,
                world.holdings,
                world.roster,
                world.offers,
                world.bus,
                world.clock(),
            )
        lead_event = story.happens(event)
        waiting += [lead_event] if lead_event is not None else []
    return story.outcome


events = st.builds(
    Event,
    after=st.sampled_from([0, 1, 30, 60, 119, 300, 599, 900]).map(lambda s: s * SECOND)
    | st.integers(0, 900_000).map(lambda ms: timedelta(milliseconds=ms)),
    what=st.sampled_from(
        ["post", "claim", "claim", "claim", "claim", "undo", "pause", "on", "decline", "decline"]
    ),
    lead=st.integers(0, 7),
    rep=st.integers(0, 5),
    minutes=st.integers(0, 20),
)
people = st.lists(
    st.tuples(st.sampled_from(["north", "south", "west"]), st.sampled_from([1, 2, 3])),
    min_size=1,
    max_size=6,
).map(lambda found: [a_rep(n, team=team, tier=tier) for n, (team, tier) in enumerate(found, 1)])


@given(
    reps=people,
    limit=st.sampled_from([1, 2, 10]),
    happened=st.lists(events, min_size=3, max_size=25),
    fates=st.lists(st.sampled_from(["lost", "late", "comes", "twice"]), max_size=60),
)
def test_the_same_claims_are_allowed_however_late_the_timers_come_if_they_come_at_all(
    reps: list[Rep], limit: int, happened: list[Event], fates: list[str]
) -> None:
    usual = on_time(happened, Story(reps, limit))
    assert in_trouble(happened, Story(reps, limit), usual.recorded, []).attempts == usual.attempts
    troubled = in_trouble(happened, Story(reps, limit), usual.recorded, fates)
    assert troubled.attempts == usual.attempts


@given(
    reps=people,
    limit=st.sampled_from([1, 10]),
    happened=st.lists(events, min_size=3, max_size=25),
)
def test_whoever_may_claim_once_may_go_on_claiming_whatever_the_floor_does(
    reps: list[Rep], limit: int, happened: list[Event]
) -> None:
    story = Story(reps, limit)
    world, playbook = story.world, story.world.memory.playbook
    for event in happened:
        world.clock.at += event.after
        lead_event = story.happens(event)
        now = world.clock()
        may = {
            (lead.lead_id, rep.rep_id)
            for lead in world.race.open_leads()
            for rep in story.reps
            if isinstance(verdict(world, lead, rep), Eligible) and now < lead.closes_at
        }
        for follow in (lead_event, LeadEvent("waves.check", "", 0)):
            if follow is not None:
                offering.follow(follow, world.follow_deps())
        for lead_id, rep_id in may:
            lead = world.memory.leads[lead_id]
            assert lead.state is State.OPEN
            rep = world.memory.reps[rep_id]
            assert isinstance(
                decide(lead, rep, world.memory.usage[rep_id], playbook, now), Eligible
            )


def verdict(world: FakeWorld, lead: Lead, rep: Rep) -> object:
    stored, usage = world.memory.reps[rep.rep_id], world.memory.usage[rep.rep_id]
    return decide(lead, stored, usage, world.memory.playbook, world.clock())


def test_a_story_told_on_time_has_early_openings_wins_and_refusals_of_every_kind() -> None:
    # Otherwise the properties above would prove little.
    reps = [a_rep(1, tier=1), a_rep(2, tier=2), a_rep(3, tier=3)]
    story = [
        Event(timedelta(), "post", 0, 0, 1),
        Event(SECOND, "claim", 0, 1, 0),
        Event(SECOND, "decline", 0, 0, 0),
        Event(SECOND, "claim", 0, 1, 0),
        Event(SECOND, "undo", 0, 1, 0),
        Event(20 * MINUTE, "claim", 0, 2, 0),
        Event(45 * MINUTE, "claim", 0, 2, 0),
    ]
    outcome = on_time(story, Story(reps, 10))
    assert [said for _, said in outcome.attempts][1:3] == ["claim: yes", "undo: yes"]
    assert [said for _, said in outcome.attempts][4] == "claim: yes"
    assert [recorded.waves["north"][1] for recorded in outcome.recorded] == [NOON + 2 * SECOND]
    assert in_trouble(story, Story(reps, 10), outcome.recorded, []).attempts == outcome.attempts
    # Without the record the results differ.
    assert in_trouble(story, Story(reps, 10), [], []).attempts != outcome.attempts
