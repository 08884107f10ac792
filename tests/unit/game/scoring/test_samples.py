"""A value of too few is listed apart, whatever the metric (G12)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from dibs.game.scoring.leaderboard import Asked, Leaderboard, leaderboard
from dibs.game.scoring.metrics import METRICS, metrics_of
from dibs.game.scoring.pages import Page, Total, page_of
from dibs.game.scoring.ranking import Ranking, Row, ranked
from dibs.game.scoring.samples import needed, sample_of
from dibs.rules.game import Metric
from support.builders import NOON, a_playbook, a_rep

AINA, BEN, CHONG = a_rep(1, name="Aina"), a_rep(2, name="Ben"), a_rep(3, name="Chong")


class Kept:
    """The same totals for every period."""

    def __init__(self, *totals: Total) -> None:
        self.whole = list(totals)

    def totals(self, period: str) -> list[Total]:
        del period
        return self.whole

    def pages(self, period: str) -> list[Page]:
        return [page_of(self.totals(period))]

    def between(self, first: object, last: object) -> list[Total]:
        raise NotImplementedError


def total(rep: Any, **counts: int) -> Total:
    return Total(rep.rep_id, rep.team, rep.name, counts)


def speeds(rep: Any, leads: int, seconds: int) -> Total:
    return total(rep, **{"claim_seconds.sum": leads * seconds * 1000, "claim_seconds.n": leads})


def board(kept: Kept, metric: str, viewer: Any = AINA, **rules: Any) -> Leaderboard:
    return leaderboard(kept, a_playbook(**rules), Asked(metric), viewer, NOON)


def size(formula: str, **counts: int) -> Fraction | None:
    sample = sample_of(Metric(formula, ""))
    return (
        None
        if sample is None
        else sample.size({k.replace("__", "."): v for k, v in counts.items()})
    )


# What a metric is an average of


@pytest.mark.parametrize(
    ("formula", "counts", "found"),
    [
        ("count(claimed)", {"claimed": 1}, None),
        ("sum(points) - sum(prize)", {}, None),
        ("count(claimed) / 2", {"claimed": 9}, None),
        ("sum(revenue) / sum(target)", {"target__sum": 9}, None),
        ("mean(claim_seconds)", {"claim_seconds__n": 4}, 4),
        ("60 - mean(csat) / 2", {"csat__n": 3}, 3),
        ("count(won) / count(claimed)", {"claimed": 7, "won": 1}, 7),
        ("count(won) / max(count(claimed), 1)", {"claimed": 0}, 0),
        ("count(won) / (2 * count(claimed))", {"claimed": 4}, 4),
        ("count(won) / (count(claimed) + count(assigned))", {"claimed": 2, "assigned": 2}, 4),
        ("count(won) / (count(taken) - count(returned))", {"taken": 6, "returned": 2}, 4),
        ("count(call) / sum(hours_worked)", {"hours_worked__sum": 150}, Fraction(5, 2)),
        ("sum(revenue) / sum(won)", {"won__n": 3, "won__sum": 90_000}, 3),
        ("sum(revenue) / sum(units)", {"units__sum": 8}, 8),
        ("mean(csat) + count(won) / count(claimed)", {"csat__n": 9, "claimed": 2}, 2),
        ("max(mean(csat), 50)", {"csat__n": 1}, 1),
        ("1 - count(lost) / -count(taken)", {"taken": 3}, 3),
    ],
)
def test_the_sample_is_what_the_formula_divides_by(
    formula: str, counts: dict[str, int], found: Fraction | int | None
) -> None:
    assert size(formula, **counts) == found


def test_a_metric_may_say_itself_what_its_sample_is() -> None:
    assert sample_of(METRICS["quota_attainment"]) is None
    own = replace(METRICS["quota_attainment"], sample="count(sales)")
    sample = sample_of(own)
    assert sample is not None
    assert (sample.terms, sample.size({"sales": 3}), sample.size({})) == ({"sales"}, 3, 0)


def test_each_metric_that_divides_has_a_minimum_and_each_that_adds_up_has_none() -> None:
    playbook = a_playbook()
    least = {name: needed(metric, playbook) for name, metric in metrics_of(playbook).items()}
    averages = {name for name, metric in METRICS.items() if "mean" in metric.formula}
    shares = {name for name, metric in METRICS.items() if "/" in metric.formula}
    assert {name for name, need in least.items() if need} == averages | shares - {
        "quota_attainment"
    }
    assert set(least.values()) == {0, 5}


def test_the_minimum_is_a_setting_of_all_and_of_each_metric() -> None:
    own = {"win_rate": {"formula": "count(won) / count(taken)", "means": "Wins.", "minimum": 30}}
    playbook = a_playbook(game={"minimum_sample": 8, "metrics": own})
    found = metrics_of(playbook)
    assert (needed(found["conversion"], playbook), needed(found["win_rate"], playbook)) == (8, 30)
    off = a_playbook(game={"minimum_sample": 0})
    assert needed(METRICS["conversion"], off) == 0


# On a board


def test_one_quick_lead_does_not_beat_fifty() -> None:
    kept = Kept(speeds(AINA, 1, 10), speeds(BEN, 50, 12), speeds(CHONG, 4, 1))
    found = board(kept, "claim_speed")
    assert [(row.place, row.name, row.value) for row in found.rows] == [(1, "Ben", 12)]
    # Listed apart, the largest sample first.
    assert [(row.name, row.have, row.need) for row in found.apart] == [
        ("Chong", 4, 5),
        ("Aina", 1, 5),
    ]
    assert (found.many, found.many_apart, found.around, found.gap) == (1, 2, (), None)
    assert found.mine == Row(None, AINA.rep_id, "Aina", Fraction(10), have=Fraction(1), need=5)


@pytest.mark.parametrize("metric", ["conversion", "claim_to_customer"])
def test_one_of_one_does_not_beat_thirty_of_forty(metric: str) -> None:
    every = {"claimed_opportunities": 1, "claimed_customers": 1}
    many = dict.fromkeys(every, 30)
    found = board(Kept(total(AINA, claimed=1, **every), total(BEN, claimed=40, **many)), metric)
    assert [(row.place, row.name) for row in found.rows] == [(1, "Ben")]
    assert [row.name for row in found.apart] == ["Aina"]


def test_exactly_the_minimum_is_ranked() -> None:
    found = board(Kept(speeds(AINA, 5, 10), speeds(BEN, 4, 1)), "claim_speed")
    assert [row.name for row in found.rows] == ["Aina"]


def test_who_has_no_value_for_want_of_a_sample_is_listed_apart_too() -> None:
    found = board(Kept(total(AINA, claimed=0), total(BEN, claimed=5)), "conversion")
    assert [row.name for row in found.rows] == ["Ben"]
    assert [(row.name, row.value, row.have) for row in found.apart] == [("Aina", None, 0)]


def test_a_team_has_the_sample_of_all_its_reps() -> None:
    kept = Kept(*(speeds(rep, 2, 10) for rep in (AINA, BEN, CHONG)))
    found = leaderboard(kept, a_playbook(), Asked("claim_speed", scope="teams"), AINA, NOON)
    assert [(row.place, row.id) for row in found.rows] == [(1, "north")]


def test_what_is_hidden_on_a_board_is_hidden_among_those_listed_apart() -> None:
    kept = Kept(speeds(AINA, 1, 10), speeds(BEN, 2, 12))
    anonymous = {"north": {"name": "North", "anonymous": True}}
    found = board(kept, "claim_speed", teams=anonymous)
    assert [(row.id, row.name) for row in found.apart] == [("", ""), (AINA.rep_id, "Aina")]
    own = {"north": {"name": "North", "own_gap": True}}
    found = board(kept, "claim_speed", teams=own)
    assert ([row.name for row in found.apart], found.rows) == (["Aina"], ())


def test_a_changed_minimum_changes_a_board_that_is_known() -> None:
    kept = Kept(speeds(AINA, 3, 10), speeds(BEN, 50, 12))
    assert len(board(kept, "claim_speed").rows) == 1
    assert len(board(kept, "claim_speed", game={"minimum_sample": 3}).rows) == 2
    assert len(board(kept, "claim_speed", game={"minimum_sample": 0}).rows) == 2


def test_a_ranking_that_grows_moves_a_rep_up_from_those_listed_apart() -> None:
    share = Metric("count(won) / count(claimed)", "A share.")
    few = {"a": ("A", {"claimed": 4, "won": 4}), "b": ("B", {"claimed": 6, "won": 1})}
    more = few | {"a": ("A", {"claimed": 5, "won": 5})}
    ranking = Ranking(share, 5).changed(few)
    assert [(row.id, row.place) for row in ranking.rows()] == [("b", 1), ("a", None)]
    assert ranking.changed({"a": more["a"]}).rows() == ranked(share, more, 5)
    assert [row.place for row in ranked(share, more, 5)] == [1, 2]
