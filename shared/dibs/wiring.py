"""Builds everything a process works with: the only place that knows both use cases and stores.

What the claim does not need is imported where it is built, so that the claim function loads no
library of AWS's but Powertools (docs/decisions/0089).
"""

from __future__ import annotations

import os
import secrets as entropy
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from dibs.aws.clients import BOTO3, dynamodb
from dibs.aws.dynamo import Dynamo
from dibs.aws.settings import Settings, settings_from
from dibs.core.ports import Each
from dibs.core.rep import Platform
from dibs.race.store import DynamoRaceStore

if TYPE_CHECKING:
    from dibs.assignment.head_start_store import DynamoTurns
    from dibs.assignment.overview_store import DynamoLeadPages
    from dibs.assignment.store import DynamoHoldings
    from dibs.aws.once import DynamoOnce
    from dibs.dispatch.board_queue import SqsBoardQueue
    from dibs.dispatch.follow import FollowDeps
    from dibs.dispatch.heal import CountDeps
    from dibs.game.contests.run import ContestDeps
    from dibs.game.contests.store import DynamoContests
    from dibs.game.help.ask import HelpDeps
    from dibs.game.help.store import DynamoHelp
    from dibs.game.quests.steps import QuestDeps
    from dibs.game.quests.store import DynamoQuests
    from dibs.game.rewards.store import DynamoRewards
    from dibs.game.scoring.award_store import DynamoAwards
    from dibs.game.scoring.own_store import DynamoOwnCards
    from dibs.game.scoring.points_store import DynamoPoints
    from dibs.game.scoring.score import ScoreDeps
    from dibs.game.scoring.store import DynamoStandings
    from dibs.intake.arrival_store import DynamoArrivals
    from dibs.intake.ingest import IngestDeps
    from dibs.intake.signing import Signatures
    from dibs.intake.store import DynamoLeadStore
    from dibs.ledger.managers import SnsManagers
    from dibs.ledger.record import RecordDeps
    from dibs.ledger.store import DynamoLedger
    from dibs.offers.notify import NotifyDeps
    from dibs.offers.push import SnsPush
    from dibs.offers.queues import SnsBus, SqsNotifyQueue, SqsTimers
    from dibs.offers.sms import SnsSms
    from dibs.offers.store import DynamoOfferStore
    from dibs.playbook.store import DynamoPlaybooks
    from dibs.receipts.store import DynamoRaces
    from dibs.reports.recalculate import PeriodDeps
    from dibs.reports.store import DynamoPeriodResults, DynamoTargets
    from dibs.roster.audit_store import DynamoAuditLog
    from dibs.roster.credential_store import DynamoCredentials
    from dibs.roster.store import DynamoRoster
    from dibs.rules.rules import Look

REQUESTS_AT_ONCE = 16
"""Requests under way at once where many follow from one batch, or one page of reps; the connection
pool holds more."""


class Wiring:
    """Everything one process works with, each thing built when it is first asked for.

    A function works by its environment and with a client of its own; a tool or a test may give
    other `settings`, or another `dynamo`.
    """

    def __init__(self, settings: Settings | None = None, dynamo: Dynamo | None = None) -> None:
        if settings is not None:
            self.settings = settings
        if dynamo is not None:
            self.dynamo = dynamo

    @cached_property
    def settings(self) -> Settings:
        """Where everything is."""
        return settings_from(os.environ)

    @cached_property
    def dynamo(self) -> Dynamo:
        """The process's DynamoDB."""
        seconds = float(self.settings.store_timeout_seconds)
        return Dynamo(dynamodb(self.settings.aws_client, seconds))

    @cached_property
    def boto3_dynamodb(self) -> Any:
        """boto3's DynamoDB client, for Powertools' idempotency, which knows no other."""
        if self.settings.aws_client == BOTO3:
            return self.dynamo.client
        return dynamodb(BOTO3, float(self.settings.store_timeout_seconds))

    @cached_property
    def each(self) -> Each:
        """Does something for each of many, side by side.

        What runs in it may not wait for it again: all its threads could be waiting.
        """
        from concurrent.futures import ThreadPoolExecutor

        return ThreadPoolExecutor(REQUESTS_AT_ONCE).map

    # Stores.

    @cached_property
    def race(self) -> DynamoRaceStore:
        """The claim's store."""
        return DynamoRaceStore(self.dynamo, self.settings)

    @cached_property
    def roster(self) -> DynamoRoster:
        """Reps, teams and the playbook in force."""
        from dibs.roster.store import DynamoRoster

        return DynamoRoster(self.dynamo, self.settings)

    @cached_property
    def credentials(self) -> DynamoCredentials:
        """Managers, tokens, sessions and sign-in links."""
        from dibs.roster.credential_store import DynamoCredentials

        return DynamoCredentials(self.dynamo, self.settings)

    @cached_property
    def audit_log(self) -> DynamoAuditLog:
        """Who changed what."""
        from dibs.roster.audit_store import DynamoAuditLog

        return DynamoAuditLog(self.dynamo, self.settings)

    @cached_property
    def playbooks(self) -> DynamoPlaybooks:
        """Every version of the playbook."""
        from dibs.playbook.store import DynamoPlaybooks

        return DynamoPlaybooks(self.dynamo, self.settings)

    @cached_property
    def leads(self) -> DynamoLeadStore:
        """Leads outside the race."""
        from dibs.intake.store import DynamoLeadStore

        return DynamoLeadStore(self.dynamo, self.settings)

    @cached_property
    def arrivals(self) -> DynamoArrivals:
        """How many leads came to race, and how many of them blind."""
        from dibs.intake.arrival_store import DynamoArrivals

        return DynamoArrivals(self.dynamo, self.settings)

    @cached_property
    def holdings(self) -> DynamoHoldings:
        """Leads that go to somebody, and come back, without a race."""
        from dibs.assignment.store import DynamoHoldings

        return DynamoHoldings(self.dynamo, self.settings)

    @cached_property
    def lead_pages(self) -> DynamoLeadPages:
        """Leads that are not done with, page by page."""
        from dibs.assignment.overview_store import DynamoLeadPages

        return DynamoLeadPages(self.dynamo, self.settings)

    @cached_property
    def turns(self) -> DynamoTurns:
        """Whose turn it is to see new leads first."""
        from dibs.assignment.head_start_store import DynamoTurns

        return DynamoTurns(self.dynamo, self.settings)

    @cached_property
    def offers(self) -> DynamoOfferStore:
        """The record of every offer."""
        from dibs.offers.store import DynamoOfferStore

        return DynamoOfferStore(self.dynamo, self.settings)

    @cached_property
    def ledger(self) -> DynamoLedger:
        """Who took which lead and what they made of it."""
        from dibs.ledger.store import DynamoLedger

        return DynamoLedger(self.dynamo, self.settings, self.each)

    @cached_property
    def races(self) -> DynamoRaces:
        """What is on record of races."""
        from dibs.receipts.store import DynamoRaces

        return DynamoRaces(self.dynamo, self.settings)

    @cached_property
    def results(self) -> DynamoPeriodResults:
        """What the jobs of a period worked out."""
        from dibs.reports.store import DynamoPeriodResults

        return DynamoPeriodResults(self.dynamo, self.settings)

    @cached_property
    def targets(self) -> DynamoTargets:
        """What the organisation wants of each rep in a month."""
        from dibs.reports.store import DynamoTargets

        return DynamoTargets(self.dynamo, self.settings)

    @cached_property
    def points(self) -> DynamoPoints:
        """The points accounts."""
        from dibs.game.scoring.points_store import DynamoPoints

        return DynamoPoints(self.dynamo, self.settings)

    @cached_property
    def awards(self) -> DynamoAwards:
        """Which awards stand in the points accounts."""
        from dibs.game.scoring.award_store import DynamoAwards

        return DynamoAwards(self.dynamo, self.settings)

    @cached_property
    def rewards(self) -> DynamoRewards:
        """Rewards and the requests for them."""
        from dibs.game.rewards.store import DynamoRewards

        return DynamoRewards(self.dynamo, self.settings)

    @cached_property
    def contests(self) -> DynamoContests:
        """The contests."""
        from dibs.game.contests.store import DynamoContests

        return DynamoContests(self.dynamo, self.settings)

    @cached_property
    def help_requests(self) -> DynamoHelp:
        """What reps ask their colleagues."""
        from dibs.game.help.store import DynamoHelp

        return DynamoHelp(self.dynamo, self.settings)

    @cached_property
    def quest_log(self) -> DynamoQuests:
        """The steps of quests that reps told of."""
        from dibs.game.quests.store import DynamoQuests

        return DynamoQuests(self.dynamo, self.settings)

    @cached_property
    def standings(self) -> DynamoStandings:
        """What the ledger comes to, by rep and period; written side by side."""
        from dibs.game.scoring.store import DynamoStandings

        return DynamoStandings(self.dynamo, self.settings, self.each)

    @cached_property
    def own_cards(self) -> DynamoOwnCards:
        """What a rep reads of themselves."""
        from dibs.game.scoring.own_store import DynamoOwnCards

        return DynamoOwnCards(self.dynamo, self.settings, self.standings)

    @cached_property
    def once(self) -> DynamoOnce:
        """What was done once already."""
        from dibs.aws.once import DynamoOnce

        return DynamoOnce(self.dynamo, self.settings.once_table)

    # Ways out: topics, queues, phones, secrets.

    @cached_property
    def bus(self) -> SnsBus:
        """Where events go."""
        from dibs.aws.clients import sns
        from dibs.offers.queues import SnsBus

        return SnsBus(sns(), self.settings.facts_topic_arn)

    @cached_property
    def notify_queue(self) -> SqsNotifyQueue:
        """Where batches of notices wait."""
        from dibs.aws import clock
        from dibs.aws.clients import sqs
        from dibs.offers.queues import SqsNotifyQueue

        return SqsNotifyQueue(sqs(), self.settings.notify_queue_url, self.offers, clock.now)

    @cached_property
    def timers(self) -> SqsTimers:
        """The timers about leads."""
        from dibs.aws.clients import sqs
        from dibs.offers.queues import SqsTimers

        return SqsTimers(sqs(), self.settings.offer_queue_url)

    @cached_property
    def board_queue(self) -> SqsBoardQueue:
        """Where that waits which has to be published to boards."""
        from dibs.aws.clients import sqs
        from dibs.dispatch.board_queue import SqsBoardQueue

        return SqsBoardQueue(sqs(), self.settings.publish_queue_url)

    @cached_property
    def push(self) -> SnsPush:
        """The way to phones."""
        from dibs.aws.clients import publisher, sns
        from dibs.offers.push import SnsPush
        from dibs.offers.texts import alert

        applications = {
            platform: getattr(self.settings, f"{platform}_application_arn") for platform in Platform
        }
        out = publisher(self.settings.aws_client)
        return SnsPush(out, sns, applications, self.settings.public_url, alert)

    @cached_property
    def sms(self) -> SnsSms:
        """The way to phones without the app."""
        from dibs.aws.clients import sns
        from dibs.offers.sms import SnsSms

        return SnsSms(sns(), self.settings.sms_origination_number)

    @cached_property
    def managers(self) -> SnsManagers:
        """The way to managers."""
        from dibs.aws.clients import sns
        from dibs.ledger.managers import SnsManagers

        return SnsManagers(sns(), self.settings.managers_topic_arn)

    @cached_property
    def signatures(self) -> Signatures:
        """The secrets sources sign with."""
        from dibs.aws import clock
        from dibs.aws.secret import previous_text, secret_text
        from dibs.intake.signing import Signatures, StoredSecret

        def read() -> StoredSecret:
            secret_id = self.settings.intake_secret_id
            text, since = secret_text(secret_id)
            return StoredSecret(text, since, previous_text(secret_id))

        return Signatures(read, clock.now)

    @cached_property
    def results_secret(self) -> str:
        """The secret results of contests are signed with."""
        from dibs.aws.secret import secret_text

        return secret_text(self.settings.results_secret_id)[0]

    # What use cases work with.

    @cached_property
    def ingest_deps(self) -> IngestDeps:
        """What ingest works with."""
        from dibs.assignment.allocate import allot
        from dibs.aws import clock
        from dibs.intake.ingest import IngestDeps

        return IngestDeps(
            store=self.leads,
            arrivals=self.arrivals,
            clock=clock.now,
            find_rep=self.roster.counted,
            allot=allot(self.roster, self.turns),
        )

    @cached_property
    def follow_deps(self) -> FollowDeps:
        """What the offer step works with."""
        from dibs.aws import clock
        from dibs.dispatch.follow import FollowDeps

        return FollowDeps(
            leads=self.leads,
            race=self.race,
            holdings=self.holdings,
            roster=self.roster,
            offers=self.offers,
            queue=self.notify_queue,
            timers=self.timers,
            races=self.races,
            story=self.ledger.story,
            clock=clock.now,
        )

    @cached_property
    def notify_deps(self) -> NotifyDeps:
        """What notify works with."""
        from concurrent.futures import ThreadPoolExecutor

        from dibs.aws import clock
        from dibs.aws.clients import PUBLISHERS
        from dibs.aws.observability import count
        from dibs.offers.notify import NotifyDeps
        from dibs.offers.texts import cap_sms, holder_sms, offer_sms

        public_url = self.settings.public_url
        return NotifyDeps(
            leads=self.leads,
            roster=self.roster,
            offers=self.offers,
            push=self.push,
            sms=self.sms,
            queue=self.notify_queue,
            offer_text=lambda lead, rep, code, token, now: offer_sms(
                lead, rep, code, f"{public_url}/c/{token}", now
            ),
            holder_text=lambda what, lead, rep, token, now: holder_sms(
                what, lead, rep, f"{public_url}/c/{token}", now
            ),
            cap_text=lambda rep, most: cap_sms(rep, most, f"{public_url}/sign-in"),
            choice=entropy.choice,
            clock=clock.now,
            wait_until=clock.wait_until,
            count=count,
            each=ThreadPoolExecutor(PUBLISHERS, thread_name_prefix="sms").map,
        )

    @cached_property
    def record_deps(self) -> RecordDeps:
        """What recording activities works with."""
        from dibs.assignment.override import TRANSFERRED, assign
        from dibs.aws import clock
        from dibs.ledger.record import RecordDeps

        def hand_over(lead_id: str, from_rep: str, to_rep: str) -> None:
            assign(
                *(self.race, self.holdings, lead_id, to_rep, from_rep, TRANSFERRED, clock.now),
                transferred_by=from_rep,
            )

        return RecordDeps(
            ledger=self.ledger,
            leads=self.leads,
            roster=self.roster,
            clock=clock.now,
            hand_over=hand_over,
        )

    @cached_property
    def period_deps(self) -> PeriodDeps:
        """What the jobs of a period work with."""
        from dibs.aws import clock
        from dibs.reports.recalculate import PeriodDeps

        return PeriodDeps(
            roster=self.roster,
            playbooks=self.playbooks,
            ledger=self.ledger,
            targets=self.targets,
            results=self.results,
            clock=clock.now,
            each=self.each,
        )

    @cached_property
    def score_deps(self) -> ScoreDeps:
        """What scoring works with."""
        from dibs.aws import clock
        from dibs.game.scoring.score import ScoreDeps

        return ScoreDeps(
            self.standings, self.roster, self.playbooks, self.targets, self.awards, clock.now
        )

    @cached_property
    def count_deps(self) -> CountDeps:
        """What counting ledger entries works with."""
        from dibs.dispatch.heal import CountDeps

        return CountDeps(
            ledger=self.ledger,
            score=self.score_deps,
            quests=self.quest_deps,
            managers=self.managers,
            public_url=self.settings.public_url,
        )

    @cached_property
    def contest_deps(self) -> ContestDeps:
        """What contests work with."""
        from dibs.game.contests.run import ContestDeps
        from dibs.game.contests.store import signature

        return ContestDeps(
            contests=self.contests,
            roster=self.roster,
            standings=self.standings,
            ledger=self.ledger,
            targets=self.targets,
            playbooks=self.playbooks,
            unsent=self.leads.waiting_in_outbox,
            sign=lambda text: signature(text, self.results_secret),
            seed=lambda: entropy.token_hex(32),
        )

    @cached_property
    def help_deps(self) -> HelpDeps:
        """What help works with."""
        from dibs.aws import clock
        from dibs.game.help.ask import HelpDeps

        return HelpDeps(
            requests=self.help_requests,
            leads=self.leads,
            roster=self.roster,
            ledger=self.ledger,
            clock=clock.now,
        )

    @cached_property
    def quest_deps(self) -> QuestDeps:
        """What quests work with."""
        from dibs.aws import clock
        from dibs.game.quests.steps import QuestDeps

        return QuestDeps(
            log=self.quest_log, roster=self.roster, ledger=self.ledger, clock=clock.now
        )


@lru_cache(maxsize=1)
def wiring() -> Wiring:
    """Return what this process works with; `wiring.cache_clear()` begins anew, for tests."""
    return Wiring()


def look() -> Look:
    """Return what screens are called and look like, by the playbook in force (U9)."""
    return wiring().roster.playbook().look
