"""What a rep reads of themselves, in one request to DynamoDB (U2)."""

from __future__ import annotations

from collections.abc import Collection

from dibs.aws import keys
from dibs.aws.attributes import Item
from dibs.aws.dynamo import Dynamo
from dibs.aws.settings import Settings
from dibs.game.scoring.points import Account
from dibs.game.scoring.points_store import account_from, balance_key
from dibs.game.scoring.ports import OwnCard, OwnCards
from dibs.game.scoring.store import DynamoStandings, is_of_one_moment, sum_of, total_key
from dibs.reports.store import attained_from, outlook_from
from dibs.rules.store import stored_number, stored_pauses


class DynamoOwnCards(OwnCards):
    """`OwnCards` on DynamoDB: five kinds of items of three tables, read together."""

    def __init__(self, dynamo: Dynamo, settings: Settings, standings: DynamoStandings) -> None:
        self._db = dynamo
        self._to = settings
        self._standings = standings

    def of(
        self, rep_id: str, weeks: Collection[str], month: str, periods: Collection[str]
    ) -> OwnCard:
        """Return a rep's places of some weeks, a month's target, sums and points, as they are."""
        tiers = {keys.tier_card(rep_id, week): week for week in weeks}
        quota = keys.quota_card(rep_id, month) if month else ""
        live = self._standings.live()
        people, totals, game = (
            self._to.organisation_table,
            self._to.standings_table,
            self._to.game_table,
        )
        wanted: dict[str, list[Item]] = {
            totals: [total_key(live, rep_id, period) for period in (*periods, keys.NEWEST)],
            game: [balance_key(rep_id)],
        }
        named = [keys.PLAYBOOK_VERSION, *tiers, *([quota] if quota else [])]
        wanted[people] = [{"pk": {"S": pk}} for pk in named]
        found = self._db.batch_get(wanted, (people, totals, game))
        results = {item["pk"]["S"]: item for item in found[people]}
        beside_number = results.get(keys.PLAYBOOK_VERSION)
        placed = {week: outlook_from(results[pk]) for pk, week in tiers.items() if pk in results}
        of_rep = {item["sk"]["S"]: item for item in found[totals]}
        newest = of_rep.get(keys.NEWEST)
        sums = [sum_of(period, of_rep.get(period), newest) for period in periods]
        if not all(is_of_one_moment(period, of_rep.get(period), newest) for period in periods):
            sums = [*self._standings.sums(live, {(rep_id, period) for period in periods})]
        return OwnCard(
            outlooks={week: one for week, one in placed.items() if one is not None},
            attained=attained_from(results[quota]) if quota in results else None,
            sums={one.period: one for one in sums if one is not None},
            account=next(map(account_from, found[game]), Account(rep_id)),
            number=stored_number(beside_number),
            paused=stored_pauses(beside_number),
        )
