"""Tiers (M2): sizes, scores, who rises and falls, and what a rep may read of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dibs.reports.tiers import (
    Inputs,
    Outlook,
    Placing,
    Team,
    edges,
    explain,
    outside,
    place,
    score,
    sizes,
    team_of,
)
from dibs.rules.rules import TierRules

RULES = TierRules()
# The score is 50 x the attainment: a test says the score it wants.
SCORED = TierRules(conversion_weight=0, attainment_weight=100, speed_weight=0)


def a_rep(rep_id: str = "ada", **changes: object) -> Inputs:
    """A rep of tier 2 who is average in everything."""
    return replace(Inputs(rep_id, 2, 20, 5, None, 600.0, newcomer=False), **changes)  # type: ignore[arg-type]


def scored(rep_id: str, tier: int, points: float, **changes: object) -> Inputs:
    """A rep who holds `tier` and, under SCORED, has `points`."""
    return a_rep(rep_id, tier=tier, attainment=points / 50, **changes)


def tiers(placings: Sequence[Placing]) -> dict[str, int]:
    return {placing.rep_id: placing.tier for placing in placings}


def again(inputs: Sequence[Inputs], placings: Sequence[Placing]) -> list[Inputs]:
    """The same inputs a week later, with the new tiers."""
    held = tiers(placings)
    return [replace(rep, tier=held[rep.rep_id]) for rep in inputs]


def outlooks(inputs: Sequence[Inputs], rules: TierRules) -> dict[str, Outlook]:
    placings = place(inputs, rules)
    team, lowest = team_of(inputs, rules), edges(placings)
    by_id = {rep.rep_id: rep for rep in inputs}
    return {p.rep_id: explain(by_id[p.rep_id], p, team, lowest, rules) for p in placings}


def reps_of(numbers: st.SearchStrategy[int]) -> st.SearchStrategy[list[Inputs]]:
    """Teams with many ties, caps, empty tiers and reps outside the count."""

    def rep(number: int) -> st.SearchStrategy[Inputs]:
        taken = st.sampled_from([9, 10, 20, 40])
        return taken.flatmap(
            lambda taken: st.builds(
                Inputs,
                st.just(f"rep{number:02}"),
                st.integers(1, 3),
                st.just(taken),
                st.integers(0, taken),
                st.sampled_from([None, 0.0, 0.5, 0.9, 1.0, 1.06, 1.12, 3.0]),
                st.sampled_from([None, 0.0, 60.0, 66.0, 600.0]),
                st.sampled_from([False, False, False, True]),
            )
        )

    return numbers.flatmap(lambda count: st.tuples(*map(rep, range(count))).map(list))


TEAMS = reps_of(st.integers(0, 14))
RULE_SETS = st.builds(
    TierRules,
    top_percent=st.sampled_from([0, 25, 40, 50]),
    bottom_percent=st.sampled_from([0, 25, 50]),
    prior_sample=st.sampled_from([0, 20]),
    margin=st.integers(0, 8),
)


@pytest.mark.parametrize(
    ("count", "held"),
    [
        (0, (0, 0, 0)),
        (1, (0, 1, 0)),
        (2, (1, 1, 0)),
        (3, (1, 1, 1)),
        (4, (1, 2, 1)),
        (5, (1, 3, 1)),
        (6, (2, 3, 1)),
        (7, (2, 3, 2)),
        (8, (2, 4, 2)),
        (9, (2, 5, 2)),
        (10, (3, 5, 2)),
        (11, (3, 5, 3)),
        (12, (3, 6, 3)),
        (13, (3, 7, 3)),
        (14, (4, 7, 3)),
        (15, (4, 7, 4)),
        (16, (4, 8, 4)),
        (17, (4, 9, 4)),
        (18, (5, 9, 4)),
        (19, (5, 9, 5)),
        (20, (5, 10, 5)),
        (21, (5, 11, 5)),
        (22, (6, 11, 5)),
        (23, (6, 11, 6)),
    ],
)
def test_a_quarter_is_on_top_a_quarter_at_the_bottom(
    count: int, held: tuple[int, int, int]
) -> None:
    assert sizes(count, RULES) == held


@pytest.mark.parametrize(
    ("top", "bottom", "count", "held"),
    [
        (20, 20, 3, (1, 2, 0)),  # 0.6 1.8 0.6
        (10, 10, 4, (1, 3, 0)),  # 0.4 3.2 0.4: the top is before the bottom
        (30, 20, 7, (2, 4, 1)),  # 2.1 3.5 1.4
        (50, 50, 3, (2, 0, 1)),  # 1.5 0 1.5
        (35, 30, 10, (3, 4, 3)),  # 3.5 3.5 3.0: the middle is before the top
        (30, 35, 10, (3, 4, 3)),  # 3.0 3.5 3.5: and before the bottom
        (0, 0, 5, (0, 5, 0)),
    ],
)
def test_other_percents_go_by_largest_remainder(
    top: int, bottom: int, count: int, held: tuple[int, int, int]
) -> None:
    assert sizes(count, replace(RULES, top_percent=top, bottom_percent=bottom)) == held


@given(st.integers(0, 20_000), st.integers(0, 50), st.integers(0, 50))
def test_sizes_add_up_and_none_is_a_whole_rep_off_its_share(
    count: int, top: int, bottom: int
) -> None:
    held = sizes(count, replace(RULES, top_percent=top, bottom_percent=bottom))
    assert sum(held) == count
    for size, percent in zip(held, (top, 100 - top - bottom, bottom), strict=True):
        assert abs(100 * size - percent * count) < 100


def test_a_score_is_half_conversion_three_tenths_attainment_two_tenths_speed() -> None:
    ada = a_rep("ada", converted=8, attainment=1.2, response_seconds=100.0)
    bob = a_rep("bob", converted=2, response_seconds=300.0)
    team = team_of([ada, bob], RULES)
    assert team == Team(2, Fraction(1, 4), 200.0)
    marks = score(ada, team, RULES)
    assert marks.conversion == 0.325  # (8 + 20 x 0.25) / (20 + 20)
    assert (marks.conversion_index, marks.attainment_index, marks.speed_index) == (65, 60, 100)
    assert marks.score == 70.5
    marks = score(bob, team, RULES)
    assert marks.conversion == 0.1  # below the mean it is bob's own
    assert (marks.conversion_index, marks.attainment_index) == (20, 50)
    assert marks.speed_index == pytest.approx(33.333333)
    assert marks.score == 31.6667


@pytest.mark.parametrize(
    ("changes", "index", "worth"),
    [
        ({}, "conversion_index", 50),
        ({"converted": 20}, "conversion_index", 100),  # 2.5 times the mean
        ({"converted": 4}, "conversion_index", 40),  # below the mean nothing is added
        ({"converted": 0}, "conversion_index", 0),
        ({"attainment": 0.0}, "attainment_index", 0),
        ({"attainment": -0.2}, "attainment_index", 0),  # more was paid back than sold
        ({"attainment": 0.5}, "attainment_index", 25),
        ({"attainment": 1.0}, "attainment_index", 50),
        ({"attainment": 2.0}, "attainment_index", 100),
        ({"attainment": 7.0}, "attainment_index", 100),
        ({"attainment": None}, "attainment_index", 50),
        ({"response_seconds": 0.0}, "speed_index", 100),
        ({"response_seconds": 300.0}, "speed_index", 100),
        ({"response_seconds": 600.0}, "speed_index", 50),
        ({"response_seconds": 1200.0}, "speed_index", 25),
        ({"response_seconds": None}, "speed_index", 0),
    ],
)
def test_an_index_is_50_for_the_average_and_100_for_twice_as_good(
    changes: dict[str, object], index: str, worth: float
) -> None:
    assert getattr(score(a_rep(**changes), Team(20, Fraction(1, 4), 600.0), RULES), index) == worth


def test_what_nobody_did_is_average_for_everybody() -> None:
    nothing, some = Fraction(0), Fraction(1, 400)
    assert score(a_rep(converted=0), Team(20, nothing, 600.0), RULES).conversion_index == 50
    assert score(a_rep(converted=0), Team(20, nothing, 600.0), RULES).conversion == 0
    assert score(a_rep(response_seconds=None), Team(20, some, None), RULES).speed_index == 50
    assert score(a_rep(response_seconds=0.0), Team(20, some, 0.0), RULES).speed_index == 50


def test_one_of_one_does_not_beat_thirty_of_sixty() -> None:
    rules = replace(RULES, minimum_sample=1)
    one = a_rep("one", taken=1, converted=1)
    thirty = a_rep("thirty", taken=60, converted=30)
    team = Team(9, Fraction(1, 4), None)
    assert score(one, team, rules).conversion == pytest.approx(6 / 21)
    assert score(thirty, team, rules).conversion == pytest.approx(35 / 80)
    unshrunk = replace(rules, prior_sample=0)
    assert score(one, team, unshrunk).conversion == 1
    assert score(thirty, team, unshrunk).conversion == 0.5


def test_newcomers_sit_in_the_middle_and_small_samples_stay_outside_the_count() -> None:
    new = a_rep("new", newcomer=True, converted=20)
    few = a_rep("few", taken=9, converted=9, tier=1)
    enough = a_rep("enough", taken=10, converted=0)
    assert [outside(rep, RULES) for rep in (new, few, enough)] == ["newcomer", "small_sample", ""]
    assert outside(replace(few, newcomer=True), RULES) == "newcomer"
    placings = {p.rep_id: p for p in place([new, few, enough, a_rep()], RULES)}
    assert placings["new"] == Placing("new", 2, 2, None, "newcomer")
    assert placings["few"] == Placing("few", 1, 1, None, "small_sample")
    assert not placings["few"].counted
    assert placings["few"].score is None
    assert placings["enough"].counted
    assert placings["enough"].reason == ""
    # Two are counted, so one of them is on top; reps outside do not change the mean.
    assert tiers([placings["ada"], placings["enough"]]) == {"ada": 1, "enough": 2}
    assert team_of([new, few, enough, a_rep()], RULES) == Team(2, Fraction(1, 8), 600.0)


def test_where_nobody_is_in_the_count_everybody_stays() -> None:
    few = [a_rep(str(tier), tier=tier, taken=9) for tier in (1, 2, 3)]
    assert [(one.was, one.tier) for one in place(few, RULES)] == [(1, 1), (2, 2), (3, 3)]


@pytest.mark.parametrize("tier", [1, 2, 3])
@pytest.mark.parametrize("taken", range(10))
def test_who_stops_working_keeps_their_tier(tier: int, taken: int) -> None:
    idle = a_rep("idle", tier=tier, taken=taken, converted=0, response_seconds=None)
    others = [scored(str(n), n % 3 + 1, 20.0 * n) for n in range(6)]
    found = {one.rep_id: one for one in place([idle, *others], RULES)}
    assert found["idle"] == Placing("idle", tier, tier, None, "small_sample")


@given(reps_of(st.integers(1, 8)), st.integers(2, 6), st.booleans(), st.data())
def test_the_same_results_on_fewer_leads_are_no_way_up(
    inputs: list[Inputs], times: int, margin: bool, data: st.DataObject
) -> None:
    rules = RULES if margin else replace(RULES, margin=0)
    index = data.draw(st.integers(0, len(inputs) - 1))
    less = inputs[index]
    more = replace(less, taken=less.taken * times, converted=less.converted * times)
    busy = place([*inputs[:index], more, *inputs[index + 1 :]], rules)
    idle = place(inputs, rules)
    if busy[index].score is None or idle[index].score is None:
        assert less.newcomer or idle[index].tier == less.tier
        return
    assert idle[index].score <= busy[index].score
    others = [rep for rep in range(len(inputs)) if rep != index]
    assert [idle[n].score for n in others] == [busy[n].score for n in others]
    # With a margin a lower score elsewhere may stop a swap that kept others away.
    assert margin or idle[index].tier >= busy[index].tier


@given(st.integers(2, 40), st.fractions("1/50", 1), st.integers(0, 60), st.data())
def test_who_stops_without_knowing_what_would_have_converted_gains_nothing(
    taken: int, mean: Fraction, prior: int, data: st.DataObject
) -> None:
    """The mean over every choice of leads that a rep could have left out."""
    converted, kept = data.draw(st.integers(0, taken)), data.draw(st.integers(1, taken))
    rules, team = replace(RULES, prior_sample=prior, minimum_sample=1), Team(9, mean, None)

    def index(taken: int, converted: int) -> float:
        return score(a_rep(taken=taken, converted=converted), team, rules).conversion_index

    chosen = sum(
        comb(converted, n) * comb(taken - converted, kept - n) * index(kept, n)
        for n in range(max(0, kept - taken + converted), min(converted, kept) + 1)
    )
    assert chosen / comb(taken, kept) <= index(taken, converted) + 1e-9


def test_a_poor_rate_is_not_pulled_up_by_taking_few_leads() -> None:
    rules = TierRules(conversion_weight=100, attainment_weight=0, speed_weight=0)
    others = [a_rep(f"rep{n}", taken=40, converted=12) for n in range(3)]
    for taken in (60, 40, 20, 10):
        poor = a_rep("poor", taken=taken, converted=taken // 10)
        assert score(poor, team_of([poor, *others], rules), rules).score == 20.0


def test_who_takes_most_of_a_teams_leads_gains_nothing_by_taking_fewer() -> None:
    rules = TierRules(conversion_weight=100, attainment_weight=0, speed_weight=0)
    others = [a_rep(f"rep{n}", taken=20, converted=2) for n in range(3)]
    scores = []
    for taken in (200, 100, 20):
        good = a_rep("good", taken=taken, converted=taken // 4)
        scores.append(score(good, team_of([good, *others], rules), rules).score)
    assert scores == sorted(scores, reverse=True)


def test_back_from_a_small_sample_a_rep_is_an_incumbent_of_their_own_tier() -> None:
    low, others = scored("low", 3, 40, taken=10), [scored("top", 1, 60), scored("mid", 2, 50)]
    away = replace(low, taken=9)
    for rep in (low, away):
        assert tiers(place([rep, *others], SCORED))["low"] == 3


def test_nobody_is_scored_on_no_leads_whatever_the_minimum() -> None:
    rules = replace(RULES, minimum_sample=0, prior_sample=0)
    idle = a_rep("idle", taken=0, converted=0, response_seconds=None)
    assert tiers(place([idle, a_rep()], rules)) == {"ada": 2, "idle": 2}
    assert outside(idle, rules) == "small_sample"


def test_who_comes_into_the_count_is_an_incumbent_of_the_middle() -> None:
    top, new, low = scored("top", 1, 50), scored("new", 2, 52), scored("low", 3, 54)
    assert tiers(place([top, new, low], SCORED)) == {"top": 1, "new": 2, "low": 3}


@pytest.mark.parametrize(
    ("challenger", "after"),
    [
        (66.5, {"held": 1, "rival": 2}),
        (66.54, {"held": 1, "rival": 2}),  # in binary, 63.54 + 3 is one bit less
        (66.5401, {"held": 2, "rival": 1}),
        (80.0, {"held": 2, "rival": 1}),
    ],
)
def test_a_challenger_must_beat_an_incumbent_by_more_than_the_margin(
    challenger: float, after: dict[str, int]
) -> None:
    team = [scored("held", 1, 63.54), scored("rival", 2, challenger)]
    assert tiers(place(team, SCORED)) == after


def test_the_margin_guards_the_lower_edge_as_well() -> None:
    team = [scored("top", 1, 90), scored("held", 2, 40), scored("rival", 3, 43)]
    assert tiers(place(team, SCORED)) == {"top": 1, "held": 2, "rival": 3}
    team[2] = scored("rival", 3, 43.5)
    assert tiers(place(team, SCORED)) == {"top": 1, "held": 3, "rival": 2}


def test_one_may_rise_from_the_bottom_to_the_top_and_fall_as_far() -> None:
    team = [scored("held", 1, 10), scored("even", 2, 50), scored("rival", 3, 90)]
    assert tiers(place(team, SCORED)) == {"held": 3, "even": 2, "rival": 1}


def test_only_as_many_change_places_as_pass_the_margin() -> None:
    team = [scored(f"top{points}", 1, points) for points in (60, 50, 40)]
    team += [scored(f"mid{points}", 2, points) for points in (70, 52, 51, 45, 41, 30)]
    team += [scored(f"low{points}", 3, points) for points in (34, 33, 20)]
    after = tiers(place(team, SCORED))
    # 70 takes 40's place, 52 is not above 50 + 3; 34 takes 30's, 33 is not above 40 + 3.
    assert [rep for rep, tier in after.items() if tier == 1] == ["mid70", "top50", "top60"]
    assert [rep for rep, tier in after.items() if tier == 3] == ["low20", "low33", "mid30"]


def test_when_a_tier_shrinks_its_lowest_fall_and_when_it_grows_the_best_below_rise() -> None:
    three_on_top = [scored("a", 1, 52), scored("b", 1, 51), scored("c", 1, 50), scored("d", 2, 49)]
    assert tiers(place(three_on_top, SCORED)) == {"a": 1, "b": 2, "c": 2, "d": 3}
    all_low = [scored("a", 3, 49), scored("b", 3, 50), scored("c", 3, 51), scored("d", 3, 52)]
    assert tiers(place(all_low, SCORED)) == {"a": 3, "b": 2, "c": 2, "d": 1}
    # The top is empty: the best of the middle rise, not a slightly better rep of the bottom.
    no_top = [scored("a", 2, 50), scored("b", 2, 49), scored("c", 2, 48), scored("d", 3, 51)]
    assert tiers(place(no_top, SCORED)) == {"a": 1, "b": 2, "c": 2, "d": 3}


def test_a_tie_goes_to_the_incumbent_then_to_more_leads_then_to_the_id() -> None:
    four = [scored(rep_id, 2, 50) for rep_id in "abcd"]
    assert tiers(place(four, SCORED)) == {"a": 1, "b": 2, "c": 2, "d": 3}
    four[3] = scored("d", 2, 50, taken=21)
    assert tiers(place(four, SCORED)) == {"a": 2, "b": 2, "c": 3, "d": 1}
    four[2] = scored("c", 1, 50, taken=10)
    assert tiers(place(four, SCORED)) == {"a": 2, "b": 3, "c": 1, "d": 2}
    four[0] = scored("a", 2, 50.0001)
    no_margin = replace(SCORED, margin=0)
    assert tiers(place(four, no_margin)) == {"a": 1, "b": 3, "c": 2, "d": 2}


def test_a_tie_in_what_was_held_is_kept_through_a_trade() -> None:
    # Two of the top are equally low; the one with fewer leads goes.
    team = [scored("a", 1, 40), scored("b", 1, 40, taken=30), scored("c", 2, 60)]
    team += [scored("d", 2, 30), scored("e", 2, 30), scored("f", 3, 10)]
    assert tiers(place(team, SCORED)) == {"a": 2, "b": 1, "c": 1, "d": 2, "e": 2, "f": 3}


def test_without_a_middle_top_and_bottom_trade_with_each_other() -> None:
    rules = replace(SCORED, top_percent=50, bottom_percent=50)
    team = [scored("held", 1, 40), scored("rival", 3, 44)]
    assert tiers(place(team, rules)) == {"held": 3, "rival": 1}
    read = outlooks(team, rules)
    assert (read["held"].to_rise, read["held"].to_fall) == (47, None)
    assert (read["rival"].to_rise, read["rival"].to_fall) == (None, 47)


def test_a_team_of_one_has_no_other_tier() -> None:
    (only,) = outlooks([a_rep(tier=1)], RULES).values()
    assert (only.placing.tier, only.placing.was, only.placing.score) == (2, 1, 50)
    assert only == Outlook(only.inputs, only.placing)


def test_nobody_makes_no_team() -> None:
    assert place([], RULES) == []
    assert team_of([], RULES) == Team(0, Fraction(0), None)


@given(TEAMS, RULE_SETS, st.randoms(use_true_random=False))
def test_the_order_of_the_reps_does_not_matter(
    inputs: list[Inputs], rules: TierRules, random: object
) -> None:
    shuffled = list(inputs)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert place(shuffled, rules) == place(inputs, rules)


def test_not_even_the_last_bit_of_a_mean_depends_on_the_order() -> None:
    inputs = [a_rep(f"r{n}", response_seconds=time) for n, time in enumerate([1e16, 1.0, 1.0])]
    assert team_of(inputs, RULES) == team_of(inputs[::-1], RULES)


@given(TEAMS, RULE_SETS)
def test_nobody_is_lost_and_every_tier_has_its_size(inputs: list[Inputs], rules: TierRules) -> None:
    placings = place(inputs, rules)
    assert [p.rep_id for p in placings] == [rep.rep_id for rep in inputs]
    assert [p.was for p in placings] == [rep.tier for rep in inputs]
    counted = [p.tier for p in placings if p.counted]
    assert tuple(map(counted.count, (1, 2, 3))) == sizes(len(counted), rules)
    stays = [p for p in placings if not p.counted and not (counted and p.reason == "newcomer")]
    assert all(p.tier == p.was for p in stays)
    assert all(p.tier == 2 for p in placings if counted and p.reason == "newcomer")
    assert all(p.score is None or 0 <= p.score <= 100 for p in placings)


@given(TEAMS, RULE_SETS)
def test_placing_again_changes_nothing(inputs: list[Inputs], rules: TierRules) -> None:
    first = place(inputs, rules)
    assert tiers(place(again(inputs, first), rules)) == tiers(first)


@given(TEAMS, RULE_SETS)
def test_nobody_below_passes_the_margin_any_more(inputs: list[Inputs], rules: TierRules) -> None:
    for outlook in outlooks(inputs, rules).values():
        if outlook.points_missing is not None:
            assert outlook.points_missing >= 0


@given(reps_of(st.integers(1, 10)), RULE_SETS, st.data())
def test_without_a_margin_who_converts_more_never_falls_for_it(
    inputs: list[Inputs], rules: TierRules, data: st.DataObject
) -> None:
    # With a margin it can happen: a lower score elsewhere may stop a swap that kept others away.
    rules = replace(rules, margin=0)
    index = data.draw(st.integers(0, len(inputs) - 1))
    rep = inputs[index]
    more = data.draw(st.integers(rep.converted, rep.taken))
    better = [*inputs[:index], replace(rep, converted=more), *inputs[index + 1 :]]
    assert place(better, rules)[index].tier <= place(inputs, rules)[index].tier


def test_a_rep_reads_what_the_next_tier_needs_and_where_the_own_one_ends() -> None:
    team = [scored("a", 1, 80), scored("b", 2, 60), scored("c", 2, 50), scored("d", 3, 20)]
    read = outlooks(team, SCORED)
    assert (read["a"].to_rise, read["a"].points_missing, read["a"].to_fall) == (None, None, 83)
    assert (read["b"].to_rise, read["b"].points_missing, read["b"].to_fall) == (83, 23, 53)
    assert (read["c"].to_rise, read["c"].points_missing, read["c"].to_fall) == (83, 33, 53)
    assert (read["d"].to_rise, read["d"].points_missing, read["d"].to_fall) == (53, 33, None)
    assert all(outlook.conversions_needed is None for outlook in read.values())
    assert read["a"].inputs == team[0]
    assert read["a"].placing == place(team, SCORED)[0]


def test_outside_the_count_there_is_nothing_to_rise_to() -> None:
    read = outlooks([a_rep("new", newcomer=True), a_rep(), a_rep("bob")], RULES)["new"]
    assert read == Outlook(read.inputs, Placing("new", 2, 2, None, "newcomer"))


@pytest.mark.parametrize(
    ("margin", "needed"),
    [
        # With 10 more the mean is 0.5 and bob's (14 + 10) / 40 1.2 times it: 60 points.
        (4, 9),
        (5, 11),  # 60 must be passed
        # With all 16 more the mean is 0.65, bob's (20 + 13) / 40 1.27 times it: 63.46 points.
        (8, 16),
        (9, None),
    ],
)
def test_the_conversions_needed_number_by_number(margin: int, needed: int | None) -> None:
    rules = TierRules(conversion_weight=100, attainment_weight=0, speed_weight=0, margin=margin)
    # The mean is 0.25: ada's (6 + 5) / 40 is 1.1 times it, 55 points; bob's 4 / 20 0.8 times, 40.
    ada, bob = a_rep("ada", tier=1, converted=6), a_rep("bob", converted=4)
    read = outlooks([ada, bob], rules)["bob"]
    assert (read.placing.score, read.to_rise) == (40, 55 + margin)
    assert read.points_missing == 15 + margin
    assert read.conversions_needed == needed


@given(TEAMS, RULE_SETS)
def test_the_conversions_needed_pass_the_edge_and_one_fewer_does_not(
    inputs: list[Inputs], rules: TierRules
) -> None:
    placings = place(inputs, rules)
    held = again(inputs, placings)
    for index, read in enumerate(outlooks(inputs, rules).values()):
        if read.to_rise is None:
            continue
        rep, spare = held[index], held[index].taken - held[index].converted
        enough = spare if read.conversions_needed is None else read.conversions_needed

        def placed(more: int, index: int = index, rep: Inputs = rep) -> Placing:
            better = replace(rep, converted=rep.converted + more)
            return place([*held[:index], better, *held[index + 1 :]], rules)[index]

        points = placed(enough).score
        assert points is not None
        if read.conversions_needed is None:
            assert points <= read.to_rise
            continue
        assert enough <= spare
        assert points > read.to_rise
        assert placed(enough).tier < read.placing.tier
        fewer = placed(enough - 1).score
        assert fewer is not None
        assert fewer <= read.to_rise
