"""Builds use cases' stores with real adapters, once per process: the only place that knows both.

Adapters that the claim does not need are imported where they are built, so that the claim
function loads one DynamoDB library and nothing else (docs/decisions/0008).
"""

from __future__ import annotations

import secrets as entropy
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from dibs.aws.dynamo import Dynamo
from dibs.aws.settings import Settings, settings
from dibs.core.errors import FieldError, InvalidInput, RouteNotFound
from dibs.core.lead import REP_ID_BYTES, id_text
from dibs.core.rep import Platform, Rep
from dibs.race.claim import token_hash
from dibs.race.store import DynamoRaceStore
from dibs.rules.rules import Rules

if TYPE_CHECKING:
    from dibs.assignment.head_start_store import DynamoTurns
    from dibs.assignment.store import DynamoHoldings
    from dibs.aws.once import DynamoOnce
    from dibs.dispatch.follow import Floor
    from dibs.game.contests.run import Arena
    from dibs.game.contests.store import DynamoContests
    from dibs.game.help.ask import HelpDesk
    from dibs.game.help.store import DynamoHelp
    from dibs.game.quests.steps import Onboarding
    from dibs.game.quests.store import DynamoQuests
    from dibs.game.rewards.store import DynamoRewards
    from dibs.game.scoring.points_store import DynamoPoints
    from dibs.game.scoring.score import Scorer
    from dibs.game.scoring.store import DynamoStandings
    from dibs.intake.arrival_store import DynamoArrivals
    from dibs.intake.store import DynamoLeadStore
    from dibs.ledger.managers import SnsManagers
    from dibs.ledger.record import Register
    from dibs.ledger.store import DynamoLedger
    from dibs.offers.notify import Desk
    from dibs.offers.push import SnsPush
    from dibs.offers.queues import SnsBus, SqsNotifyQueue, SqsTimers
    from dibs.offers.sms import SnsSms
    from dibs.offers.store import DynamoOfferStore
    from dibs.playbook.store import DynamoPlaybooks
    from dibs.receipts.store import DynamoRaces
    from dibs.reports.recalculate import Books
    from dibs.reports.store import DynamoResults, DynamoTargets
    from dibs.roster.store import DynamoRoster


WRITERS = 16
"""Writes under way at once where many follow from one batch; the connection pool holds more."""


@lru_cache(maxsize=1)
def dynamo() -> Dynamo:
    """Return the process's DynamoDB."""
    return Dynamo(timeout_seconds=float(settings().store_timeout_seconds))


@lru_cache(maxsize=1)
def race() -> DynamoRaceStore:
    """Return the claim's store."""
    return DynamoRaceStore(dynamo(), settings())


@lru_cache(maxsize=1)
def roster() -> DynamoRoster:
    """Return reps, teams and playbook."""
    from dibs.roster.store import DynamoRoster

    return DynamoRoster(dynamo(), settings())


@lru_cache(maxsize=1)
def playbooks() -> DynamoPlaybooks:
    """Return the playbook in force, and every one there was."""
    from dibs.playbook.store import DynamoPlaybooks

    return DynamoPlaybooks(dynamo(), settings())


@lru_cache(maxsize=1)
def leads() -> DynamoLeadStore:
    """Return the leads outside the race."""
    from dibs.intake.store import DynamoLeadStore

    return DynamoLeadStore(dynamo(), settings())


@lru_cache(maxsize=1)
def arrivals() -> DynamoArrivals:
    """Return the count of leads that came to race."""
    from dibs.intake.arrival_store import DynamoArrivals

    return DynamoArrivals(dynamo(), settings())


@lru_cache(maxsize=1)
def holdings() -> DynamoHoldings:
    """Return the leads that go to somebody, and come back, without a race."""
    from dibs.assignment.store import DynamoHoldings

    return DynamoHoldings(dynamo(), settings())


@lru_cache(maxsize=1)
def ledger() -> DynamoLedger:
    """Return who took which lead and what they made of it."""
    from dibs.ledger.store import DynamoLedger

    return DynamoLedger(dynamo(), settings())


@lru_cache(maxsize=1)
def results() -> DynamoResults:
    """Return what the jobs of a period worked out."""
    from dibs.reports.store import DynamoResults

    return DynamoResults(dynamo(), settings())


@lru_cache(maxsize=1)
def targets() -> DynamoTargets:
    """Return what the organisation wants of each rep in a month."""
    from dibs.reports.store import DynamoTargets

    return DynamoTargets(dynamo(), settings())


@lru_cache(maxsize=1)
def standings() -> DynamoStandings:
    """Return what the ledger comes to, by rep and period."""
    from dibs.game.scoring.store import DynamoStandings

    return DynamoStandings(dynamo(), settings())


@lru_cache(maxsize=1)
def scorer() -> Scorer:
    """Return everything scoring works with."""
    return scorer_of(dynamo(), settings())


@lru_cache(maxsize=1)
def turns() -> DynamoTurns:
    """Return whose turn it is to see new leads first."""
    from dibs.assignment.head_start_store import DynamoTurns

    return DynamoTurns(dynamo(), settings())


@lru_cache(maxsize=1)
def points() -> DynamoPoints:
    """Return the points accounts."""
    from dibs.game.scoring.points_store import DynamoPoints

    return DynamoPoints(dynamo(), settings())


@lru_cache(maxsize=1)
def rewards() -> DynamoRewards:
    """Return the rewards and the requests for them."""
    from dibs.game.rewards.store import DynamoRewards

    return DynamoRewards(dynamo(), settings())


@lru_cache(maxsize=1)
def books() -> Books:
    """Return everything the jobs of a period work with."""
    from dibs.aws import clock
    from dibs.reports.recalculate import Books

    return Books(
        roster=roster(),
        playbooks=playbooks(),
        ledger=ledger(),
        targets=targets(),
        results=results(),
        clock=clock.now,
    )


@lru_cache(maxsize=1)
def offers() -> DynamoOfferStore:
    """Return the record of offers."""
    from dibs.offers.store import DynamoOfferStore

    return DynamoOfferStore(dynamo(), settings())


@lru_cache(maxsize=1)
def races() -> DynamoRaces:
    """Return what is on record of races."""
    from dibs.receipts.store import DynamoRaces

    return DynamoRaces(dynamo(), settings())


@lru_cache(maxsize=1)
def once() -> DynamoOnce:
    """Return the names already taken."""
    from dibs.aws.once import DynamoOnce

    return DynamoOnce(dynamo(), settings().once_table)


@lru_cache(maxsize=1)
def bus() -> SnsBus:
    """Return where facts go."""
    from dibs.aws.clients import sns
    from dibs.offers.queues import SnsBus

    return SnsBus(sns(), settings().facts_topic_arn)


@lru_cache(maxsize=1)
def notify_queue() -> SqsNotifyQueue:
    """Return where chunks wait."""
    from dibs.aws.clients import sqs
    from dibs.offers.queues import SqsNotifyQueue

    return SqsNotifyQueue(sqs(), settings().notify_queue_url)


@lru_cache(maxsize=1)
def timers() -> SqsTimers:
    """Return the timers about leads."""
    from dibs.aws.clients import sqs
    from dibs.offers.queues import SqsTimers

    return SqsTimers(sqs(), settings().offer_queue_url)


@lru_cache(maxsize=1)
def push() -> SnsPush:
    """Return the way to phones."""
    from dibs.aws.clients import sns
    from dibs.aws.publisher import Publisher
    from dibs.offers.push import SnsPush
    from dibs.offers.texts import alert

    applications = {
        Platform.APNS: settings().apns_application_arn,
        Platform.FCM: settings().fcm_application_arn,
    }
    publish = Publisher(sns())
    return SnsPush(sns(), applications, settings().public_url, alert, publish)


@lru_cache(maxsize=1)
def sms() -> SnsSms:
    """Return the way to phones without the app."""
    from dibs.aws.clients import sns
    from dibs.offers.sms import SnsSms

    return SnsSms(sns(), settings().sms_origination_number)


@lru_cache(maxsize=1)
def managers() -> SnsManagers:
    """Return the way to managers."""
    from dibs.aws.clients import sns
    from dibs.ledger.managers import SnsManagers

    return SnsManagers(sns(), settings().managers_topic_arn)


@lru_cache(maxsize=1)
def intake_secret() -> str:
    """Return the secret sources sign with; read once per process."""
    from dibs.aws.clients import secrets

    stored = secrets().get_secret_value(SecretId=settings().intake_secret_id)
    return f"whsec_{stored['SecretString']}"


@lru_cache(maxsize=1)
def results_secret() -> str:
    """Return the secret results of contests are signed with; read once per process."""
    from dibs.aws.clients import secrets

    stored = secrets().get_secret_value(SecretId=settings().results_secret_id)
    return str(stored["SecretString"])


@lru_cache(maxsize=1)
def contests() -> DynamoContests:
    """Return the contests."""
    from dibs.game.contests.store import DynamoContests

    return DynamoContests(dynamo(), settings())


@lru_cache(maxsize=1)
def arena() -> Arena:
    """Return everything contests work with."""
    from dibs.game.contests.run import Arena
    from dibs.game.contests.store import signature

    return Arena(
        contests=contests(),
        roster=roster(),
        standings=standings(),
        ledger=ledger(),
        targets=targets(),
        sign=lambda text: signature(text, results_secret()),
        seed=lambda: entropy.token_hex(32),
    )


@lru_cache(maxsize=1)
def register() -> Register:
    """Return everything recording activities works with."""
    from dibs.aws import clock
    from dibs.ledger.record import Register

    return Register(ledger=ledger(), leads=leads(), roster=roster(), clock=clock.now)


@lru_cache(maxsize=1)
def help_requests() -> DynamoHelp:
    """Return what reps ask their colleagues."""
    from dibs.game.help.store import DynamoHelp

    return DynamoHelp(dynamo(), settings())


@lru_cache(maxsize=1)
def help_desk() -> HelpDesk:
    """Return everything help works with."""
    from dibs.aws import clock
    from dibs.game.help.ask import HelpDesk

    return HelpDesk(
        requests=help_requests(),
        leads=leads(),
        roster=roster(),
        ledger=ledger(),
        clock=clock.now,
    )


@lru_cache(maxsize=1)
def quest_log() -> DynamoQuests:
    """Return the steps of quests that reps told of."""
    from dibs.game.quests.store import DynamoQuests

    return DynamoQuests(dynamo(), settings())


@lru_cache(maxsize=1)
def onboarding() -> Onboarding:
    """Return everything quests work with."""
    from dibs.aws import clock
    from dibs.game.quests.steps import Onboarding

    return Onboarding(log=quest_log(), roster=roster(), ledger=ledger(), clock=clock.now)


@lru_cache(maxsize=1)
def floor() -> Floor:
    """Return everything the offer step works with."""
    from dibs.aws import clock
    from dibs.dispatch.follow import Floor

    return Floor(
        leads=leads(),
        race=race(),
        holdings=holdings(),
        roster=roster(),
        offers=offers(),
        queue=notify_queue(),
        timers=timers(),
        races=races(),
        story=ledger().story,
        clock=clock.now,
    )


@lru_cache(maxsize=1)
def desk() -> Desk:
    """Return everything notify works with."""
    from concurrent.futures import ThreadPoolExecutor

    from dibs.aws import clock
    from dibs.aws.clients import PUBLISHERS
    from dibs.aws.observability import count
    from dibs.offers.notify import Desk
    from dibs.offers.texts import holder_sms, offer_sms

    public_url = settings().public_url
    return Desk(
        leads=leads(),
        roster=roster(),
        offers=offers(),
        push=push(),
        sms=sms(),
        queue=notify_queue(),
        offer_text=lambda lead, rep, code, token, now: offer_sms(
            lead, rep, code, f"{public_url}/c/{token}", now
        ),
        holder_text=lambda what, lead, rep, token, now: holder_sms(
            what, lead, rep, f"{public_url}/c/{token}", now
        ),
        choice=entropy.choice,
        clock=clock.now,
        wait_until=clock.wait_until,
        count=count,
        each=ThreadPoolExecutor(PUBLISHERS, thread_name_prefix="sms").map,
    )


def forget() -> None:
    """Forget everything built so far, so that a test or a tool can point elsewhere."""
    for built in (
        settings,
        dynamo,
        race,
        roster,
        playbooks,
        leads,
        offers,
        races,
        once,
        bus,
        notify_queue,
        timers,
        push,
        sms,
        managers,
        arrivals,
        holdings,
        ledger,
        intake_secret,
        results_secret,
        contests,
        arena,
        register,
        results,
        targets,
        standings,
        scorer,
        turns,
        points,
        rewards,
        books,
        help_requests,
        help_desk,
        quest_log,
        onboarding,
        floor,
        desk,
    ):
        built.cache_clear()


@dataclass(frozen=True)
class Operator:
    """What an operator does to an organisation: its reps, tokens and playbook (O5)."""

    roster: DynamoRoster
    playbooks: DynamoPlaybooks

    def add_rep(
        self,
        *,
        name: str,
        team: str,
        zone: str,
        phone: str = "",
        tier: int = 2,
        language: str = "en",
    ) -> tuple[Rep, str]:
        """Add a rep and return them with their first token.

        Raises:
            InvalidInput: names every field that is wrong.
            AlreadyExists: the phone number belongs to somebody.
        """
        rep = new_rep(self.roster.playbook(), name, team, zone, phone, tier, language)
        token = _new_token(rep.rep_id)
        self.roster.add(rep, token_hash(token))
        return rep, token

    def reps(self) -> list[Rep]:
        """Return all reps of the playbook's teams, by team and name."""
        teams = self.roster.playbook().teams
        found = [rep for team in teams for rep, _ in self.roster.team(team)]
        return sorted(found, key=lambda rep: (rep.team, rep.name))

    def issue_token(self, rep_id: str) -> str:
        """Give a rep a new token; the old one stops at once."""
        token = _new_token(rep_id)
        self.roster.set_token(rep_id, token_hash(token))
        return token

    def issue_manager_token(self) -> str:
        """Make a new managers' token; the old one stops at once."""
        token = _new_token("manager")
        self.roster.set_manager_hash(token_hash(token))
        return token

    def apply_playbook(self, text: str) -> int:
        """Check a playbook file (YAML or JSON), put it in force, return its version.

        Raises:
            InvalidInput: names every place that is wrong, and its mend.
            Outdated: somebody else put another one in force at the same moment.
        """
        from dibs.aws.clock import now
        from dibs.playbook.changes import apply, propose
        from dibs.playbook.file import read_playbook

        proposal = propose(self.playbooks, self.roster, read_playbook(text))
        return apply(self.playbooks, proposal, "operator", now())

    def rep(self, rep_id: str) -> Rep:
        """Return one rep.

        Raises:
            RouteNotFound: there is no such rep.
        """
        found = self.roster.get(rep_id)
        if found is None:
            raise RouteNotFound("There is no such rep.")
        return found


def operator(to: Settings) -> Operator:
    """Return an operator of the organisation these settings point at."""
    from dibs.playbook.store import DynamoPlaybooks
    from dibs.roster.store import DynamoRoster

    database = Dynamo()
    return Operator(DynamoRoster(database, to), DynamoPlaybooks(database, to))


def scorer_of(database: Dynamo, to: Settings) -> Scorer:
    """Return what entries are scored with: pages are written side by side."""
    from concurrent.futures import ThreadPoolExecutor

    from dibs.aws import clock
    from dibs.game.scoring.award_store import DynamoAwards
    from dibs.game.scoring.score import Scorer
    from dibs.game.scoring.store import DynamoStandings
    from dibs.playbook.store import DynamoPlaybooks
    from dibs.reports.store import DynamoTargets
    from dibs.roster.store import DynamoRoster

    return Scorer(
        DynamoStandings(database, to, ThreadPoolExecutor(WRITERS).map),
        DynamoRoster(database, to),
        DynamoPlaybooks(database, to),
        DynamoTargets(database, to),
        DynamoAwards(database, to),
        clock.now,
    )


def new_rep(
    playbook: Rules, name: str, team: str, zone: str, phone: str, tier: int, language: str
) -> Rep:
    """Return a new rep with an id of its own.

    Raises:
        InvalidInput: names every field that is wrong.
    """
    from zoneinfo import available_timezones

    from dibs.intake.body import usable_phone
    from dibs.web.translations import languages

    number, flags = usable_phone(phone)
    name = name.strip()
    # What a claim reads and counts on stays below 1 KB, in any script.
    fits = name.isprintable() and 0 < len(name) <= 80 and len(name.encode()) <= 100
    wrong = {
        "name": "" if fits else "give a name of up to 80 letters (100 bytes)",
        "team": "" if team in playbook.teams else f"use one of {', '.join(playbook.teams)}",
        "zone": "" if zone in available_timezones() else "use an IANA name such as Asia/Kuching",
        "phone": f"{phone!r} is no phone number; write it as +60128880000" if flags else "",
        "tier": "" if tier in (1, 2, 3) else "use 1, 2 or 3",
        "language": "" if language in languages() else f"use one of {', '.join(languages())}",
    }
    errors = tuple(FieldError(field, problem) for field, problem in wrong.items() if problem)
    if errors:
        raise InvalidInput(errors)
    rep_id = id_text(entropy.token_bytes(REP_ID_BYTES))
    return Rep(rep_id, name, team, zone, tier, language, number or None)


def _new_token(owner: str) -> str:
    return f"{owner}.{entropy.token_urlsafe(24)}"
