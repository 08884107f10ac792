"""Why a lead went where it did: each rule passed or failed, per rep, as judged then (R9)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from dibs.assignment.round_robin import ASSIGNING
from dibs.core.errors import LeadNotFound
from dibs.core.lead import Lead, State
from dibs.core.rep import Rep, Usage
from dibs.ledger.ports import LeadHistory
from dibs.offers.ports import OfferStore, OfferView
from dibs.race.decide import RULES, decide_knowing, rules_judged
from dibs.race.ports import RaceStore
from dibs.race.verdicts import RecordedVerdicts
from dibs.receipts.ports import Races
from dibs.roster.ports import Roster
from dibs.rules.playbook import Playbook
from dibs.rules.ports import Playbooks


@dataclass(frozen=True)
class Found:
    """One rule's result in a verdict: the codes it refused with, none where the rep passed."""

    rule: str
    codes: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.codes


@dataclass(frozen=True)
class Verdicts:
    """The verdicts on reps at one instant, under one version of the playbook, rule by rule.

    `how` is "race" or "assigned". In an assignment, the rep who passed every rule got the lead.
    """

    how: str
    at: datetime
    opened_at: datetime
    playbook_version: int
    reps: Mapping[str, tuple[Found, ...]]


@dataclass(frozen=True)
class Why:
    """Why a lead went where it did: its history, the verdicts, and the tries of reps."""

    story: LeadHistory
    judged: tuple[Verdicts, ...]
    tries: Mapping[str, OfferView]
    now: Verdicts | None


@dataclass(frozen=True)
class WhyDeps:
    """The stores that `why` reads."""

    race: RaceStore
    races: Races
    offers: OfferStore
    roster: Roster
    playbooks: Playbooks
    story: Callable[[str], LeadHistory | None]


def why(
    deps: WhyDeps,
    lead_id: str,
    epoch: int | None,
    asker: Rep | None,
    now: datetime,
    team: str = "",
) -> Why:
    """Return why the lead went where it did, in its latest opening or an earlier one.

    A rep gets only their own part, a manager (`asker` is None) everything, or what is of the reps
    of their `team`.

    Raises:
        LeadNotFound: there is no such lead, or the rep may not see it.
    """
    story = deps.story(lead_id)
    if story is None or (asker is not None and not _may_know(story.lead, asker)):
        raise LeadNotFound
    lead = story.lead
    opening = lead.epoch if epoch is None else epoch
    only: Collection[str] | None = None if asker is None else (asker.rep_id,)
    if team:
        only = [rep.rep_id for rep, _ in deps.roster.team(team)]
    playbook = cache(lambda number: _playbook(deps.playbooks, number))
    judged = tuple(
        _read(wave, playbook(wave.playbook_version), only)
        for wave in deps.races.judged(lead_id, opening)
    )
    everybody = {rep_id for verdicts in judged for rep_id in verdicts.reps}
    reps = sorted(everybody) if only is None else list(only)
    tries = deps.offers.sightings(lead_id, opening, reps)
    current = None
    if lead.state is State.OPEN and opening == lead.epoch and now < lead.closes_at:
        current = _now(deps, lead, only, now)
    return Why(story, judged, tries, current)


def _may_know(lead: Lead, rep: Rep) -> bool:
    """Return whether a rep may see the lead: its owner, and its teams once it was opened."""
    of_team = rep.team in lead.teams and lead.state is not State.NEW
    return of_team or lead.owner == rep.rep_id


def _playbook(playbooks: Playbooks, number: int) -> Playbook | None:
    version = playbooks.get(number)
    return None if version is None else version.playbook


def _read(
    judged: RecordedVerdicts, playbook: Playbook | None, only: Collection[str] | None
) -> Verdicts:
    reps = {
        rep_id: in_rules(codes, playbook, judged.how)
        for rep_id, codes in judged.verdicts.items()
        if only is None or rep_id in only
    }
    return Verdicts(judged.how, judged.at, judged.wave_at, judged.playbook_version, reps)


def in_rules(
    codes: Iterable[str], playbook: Playbook | None, how: str = "race"
) -> tuple[Found, ...]:
    """Return every rule that was on, with the codes it refused with.

    A rule that refused is included even where its playbook is no longer stored.
    """
    refusals, on = tuple(codes), rules_judged(playbook) if playbook is not None else ()
    rules: Mapping[str, tuple[str, ...]] = {name: rule.codes for name, rule in RULES.items()}
    if how == "assigned":
        rules = ASSIGNING
        limited = playbook is not None and playbook.assignment.in_hand_limit
        on = (*on, "turn", *(["in hand"] if limited else []))
    return tuple(
        Found(rule, tuple(code for code in refusals if code in refusing))
        for rule, refusing in rules.items()
        if rule in on or any(code in refusing for code in refusals)
    )


def _now(deps: WhyDeps, lead: Lead, only: Collection[str] | None, now: datetime) -> Verdicts:
    """Return the verdicts each rep would get now."""
    playbook, open_leads = deps.roster.playbook(), cache(deps.race.open_leads)
    members: list[tuple[Rep, Usage]] = [
        member for team in lead.teams for member in deps.roster.team(team, fresh=True)
    ]
    reps = {}
    for rep, usage in members:
        if only is None or rep.rep_id in only:
            verdict, _ = decide_knowing(lead, rep, usage, playbook, now, open_leads)
            codes = [refusal.code for refusal in getattr(verdict, "refusals", ())]
            reps[rep.rep_id] = in_rules(codes, playbook)
    return Verdicts("race", now, now, playbook.version, reps)
