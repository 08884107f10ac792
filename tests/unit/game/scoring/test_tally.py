"""Entries become counts and points: each number exactly at its boundary (G1, G2, K2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dibs.core.periods import kind_of, periods
from dibs.game.scoring.badges import badges_of, held
from dibs.game.scoring.tally import Place, Tally, tally
from dibs.ledger.entries import Entry, new_entry, unit_of
from dibs.rules.game import Game, Points
from dibs.rules.playbook import Playbook
from support.builders import NOON, a_lead, a_playbook, a_rep

MS, SECOND, DAY = timedelta(milliseconds=1), timedelta(seconds=1), timedelta(days=1)
AINA, BEN, CHONG = a_rep(1), a_rep(2), a_rep(3)
PLAYBOOK = a_playbook()
LEAD = a_lead()


def an_entry(
    name: str, kind: str, at: datetime = NOON, rep: Any = AINA, lead: Any = LEAD, **more: Any
) -> Entry:
    return new_entry(name, kind, rep.rep_id, rep.team, at, PLAYBOOK, lead, **more)


def taken(ms: int | None = 5000, kind: str = "claimed", **more: Any) -> Entry:
    return an_entry("taken", kind, **{"epoch": 1, "take_ms": ms, **more})


def done(kind: str, after: timedelta = timedelta(), **more: Any) -> Entry:
    return an_entry(more.pop("name", kind), kind, NOON + after, **{"epoch": 1, **more})


def tallied(*entries: Entry, playbook: Playbook = PLAYBOOK) -> Tally:
    return tally(entries, lambda _: playbook)


def counts(found: Tally, rep: Any = AINA) -> dict[str, int]:
    whole: dict[str, int] = {}
    for place, of in found.counts.items():
        if place.rep_id == rep.rep_id:
            for name, number in of.items():
                whole[name] = whole.get(name, 0) + number
    return whole


def points(*entries: Entry, playbook: Playbook = PLAYBOOK) -> dict[str, int]:
    found = tallied(*entries, playbook=playbook)
    return {a.rule: a.points for a in found.awards.values() if a.place.rep_id == AINA.rep_id}


# Points (G1)


@pytest.mark.parametrize(("ms", "gets"), [(0, 10), (59_999, 10), (60_000, 10), (60_001, 0)])
def test_a_claim_within_a_minute_of_the_first_notice_is_ten(ms: int, gets: int) -> None:
    assert points(taken(ms)).get("claim", 0) == gets


@pytest.mark.parametrize(
    ("claim_ms", "after", "gets"),
    [
        (0, timedelta(minutes=5), 25),
        (0, timedelta(minutes=5) + MS, 0),
        (60_000, timedelta(minutes=4), 25),
        (60_000, timedelta(minutes=4) + MS, 0),
        (400_000, timedelta(), 0),
        (None, timedelta(minutes=5), 25),
    ],
)
def test_a_contact_within_five_minutes_of_the_first_notice_is_25(
    claim_ms: int | None, after: timedelta, gets: int
) -> None:
    assert points(taken(claim_ms), done("contacted", after)).get("contact", 0) == gets


@pytest.mark.parametrize("kind", ["call", "email", "qualified"])
def test_only_a_talk_is_a_contact(kind: str) -> None:
    assert "contact" not in points(taken(), done(kind, SECOND))


def test_an_opportunity_is_50_and_a_deal_200_once_each() -> None:
    found = [taken(90_000)]
    for kind in ("opportunity", "won"):
        found += [done(kind, DAY, name=f"{kind}-{n}") for n in range(2)]
    assert points(*found) == {"opportunity": 50, "won": 200}


def test_an_assigned_lead_earns_for_contact_alone_where_others_are_raced_for() -> None:
    entries = (
        taken(None, "assigned"),
        done("contacted", SECOND),
        done("opportunity", DAY),
        done("won", DAY),
    )
    assert points(*entries) == {"contact": 25}


def test_a_deal_of_a_lead_that_was_never_taken_earns_nothing_until_it_is_known_who_took_it() -> (
    None
):
    assert points(done("won", DAY)) == {}
    assert points(done("won", DAY), taken(90_000)) == {"opportunity": 50, "won": 200}


def test_a_reversed_deal_takes_its_200_back() -> None:
    reversal = done("reversal", DAY, reverses="won", lead_id=LEAD.lead_id)
    assert points(taken(90_000), done("won", DAY), reversal) == {}
    again = done("won", 2 * DAY, name="won-again")
    assert points(taken(90_000), done("won", DAY), reversal, again) == {
        "opportunity": 50,
        "won": 200,
    }


def test_an_undone_claim_earns_and_counts_nothing() -> None:
    undone = done("returned", SECOND, cause="undone")
    assert tallied(taken(), undone) == Tally()
    released = done("returned", SECOND, cause="released")
    assert counts(tallied(taken(), released))["claimed"] == 1


def test_a_test_lead_counts_nothing() -> None:
    assert tallied(taken(test=True), done("won", DAY, test=True)) == Tally()


def test_every_taking_counts_for_its_own_rep() -> None:
    entries = (
        taken(1000),
        done("returned", SECOND, cause="released"),
        an_entry("second", "claimed", NOON + DAY, BEN, epoch=2, take_ms=1000),
        an_entry("won", "won", NOON + 2 * DAY, BEN, epoch=2),
    )
    found = tallied(*entries)
    assert (counts(found).get("points.sum", 0), counts(found, BEN)["points.sum"]) == (0, 260)
    assert (counts(found).get("customers"), counts(found, BEN)["customers"]) == (None, 1)


def test_other_activities_earn_what_the_playbook_says() -> None:
    rules = replace(PLAYBOOK, game=Game(points=Points(activities={"reference": 7})))
    told = [an_entry(f"r{n}", "reference", lead=None) for n in range(2)]
    found = tally(told, lambda _: rules)
    assert counts(found)["points.sum"] == 14


def test_what_a_pod_earns_together_is_shared_and_nothing_is_lost() -> None:
    rules = replace(PLAYBOOK, game=Game(points=Points(pod_percent=50)))
    mates = (BEN.rep_id, CHONG.rep_id)
    found = tallied(taken(90_000, shared=mates), done("won", DAY, shared=mates), playbook=rules)
    assert [counts(found, rep)["points.sum"] for rep in (AINA, BEN, CHONG)] == [126, 62, 62]
    alone = tallied(taken(90_000, shared=mates), done("won", DAY, shared=mates))
    assert counts(alone)["points.sum"] == 250


def test_prizes_are_points() -> None:
    prize = an_entry("prize/speed/1", "prize", lead=None, amount=100, cause="speed")
    assert counts(tallied(prize)) == {"prize": 1, "prize.sum": 100, "points.sum": 100}


# When it counts


def test_points_count_when_they_were_earned_and_conversions_when_the_lead_was_taken() -> None:
    found = tallied(taken(90_000), done("won", 40 * DAY))
    days = {
        name: place.day for place, of in found.counts.items() for name in of if name != "claimed"
    }
    first, later = "2026-11-23", "2027-01-02"
    assert days["customer_leads"] == days["taken"] == first
    assert days["won"] == days["customers"] == days["points.sum"] == later


@pytest.mark.parametrize(
    ("day", "week", "month", "quarter"),
    [
        ("2026-12-31", "2026-W53", "2026-12", "2026-Q4"),
        ("2027-01-01", "2026-W53", "2027-01", "2027-Q1"),
        ("2027-01-04", "2027-W01", "2027-01", "2027-Q1"),
    ],
)
def test_a_day_is_in_one_period_of_each_kind(day: str, week: str, month: str, quarter: str) -> None:
    assert periods(day) == (day, week, month, quarter, "all")


@pytest.mark.parametrize(
    ("zone", "at", "day", "week"),
    [
        ("Pacific/Kiritimati", datetime(2026, 11, 22, 9, 59, 59, 999000, UTC), "2026-11-22", 47),
        ("Pacific/Kiritimati", datetime(2026, 11, 22, 10, tzinfo=UTC), "2026-11-23", 48),
        ("Pacific/Niue", datetime(2026, 11, 23, 10, 59, 59, 999000, UTC), "2026-11-22", 47),
        ("Pacific/Niue", datetime(2026, 11, 23, 11, tzinfo=UTC), "2026-11-23", 48),
        # Clocks go forward on 29 March and back on 25 October, both before the week is over.
        ("Europe/Berlin", datetime(2026, 3, 29, 21, 59, 59, 999000, UTC), "2026-03-29", 13),
        ("Europe/Berlin", datetime(2026, 3, 29, 22, tzinfo=UTC), "2026-03-30", 14),
        ("Europe/Berlin", datetime(2026, 10, 25, 22, 59, 59, 999000, UTC), "2026-10-25", 43),
        ("Europe/Berlin", datetime(2026, 10, 25, 23, tzinfo=UTC), "2026-10-26", 44),
    ],
)
def test_days_and_weeks_are_those_of_the_teams_zone(
    zone: str, at: datetime, day: str, week: int
) -> None:
    playbook = a_playbook(teams={"north": {"name": "North", "zone": zone}})
    for rep_zone in ("Pacific/Kiritimati", "Pacific/Niue"):
        # The rep's own zone does not matter.
        rep = replace(AINA, zone=rep_zone)
        one = new_entry("call", "call", rep.rep_id, rep.team, at, playbook)
        [place] = tally([one], lambda _: playbook).counts
        assert place.day == day
        assert one.week == periods(place.day)[1] == f"2026-W{week}"


def test_an_entry_of_old_has_the_day_of_its_teams_zone() -> None:
    playbook = a_playbook(teams={"north": {"name": "North", "zone": "Asia/Kuching"}})
    late = datetime(2026, 11, 22, 16, tzinfo=UTC)
    old = Entry("activity/1", "call", AINA.rep_id, "north", late, "2026-W48")
    [place] = tally([old], lambda _: playbook).counts
    assert place.day == "2026-11-23"
    assert unit_of(old) == f"rep/{AINA.rep_id}/2026-W48"
    assert unit_of(replace(old, lead_id="lead")) == "lead/lead"


# Money


@pytest.mark.parametrize(
    ("kind", "currency", "sums"),
    [
        ("won", "USD", {"won.sum": 900, "won.n": 1, "revenue.sum": 900}),
        ("upsell", "USD", {"upsell.sum": 900, "upsell.n": 1, "revenue.sum": 900}),
        ("quote_sent", "USD", {"quote_sent.sum": 900, "quote_sent.n": 1}),
        ("won", "MYR", {}),
        ("hours_worked", "", {"hours_worked.sum": 900, "hours_worked.n": 1}),
    ],
)
def test_amounts_count_in_the_playbooks_currency(
    kind: str, currency: str, sums: dict[str, int]
) -> None:
    told = an_entry("told", kind, lead=None, amount=900, currency=currency)
    found = counts(tallied(told))
    assert {n: x for n, x in found.items() if "." in n and n != "units.sum"} == sums


# Badges (G2), both sides of each boundary

BADGES = badges_of(PLAYBOOK)


def a_race(number: int, contact: timedelta, claim_ms: int = 0) -> list[Entry]:
    lead = a_lead(lead_id=f"lead{number}")
    claim = an_entry(f"t{number}", "claimed", lead=lead, epoch=1, take_ms=claim_ms)
    return [claim, an_entry(f"c{number}", "contacted", NOON + contact, lead=lead, epoch=1)]


def badges(units: Iterable[list[Entry]], period: str) -> frozenset[str]:
    whole: dict[str, int] = {}
    for unit in units:
        for place, of in tallied(*unit).counts.items():
            if period in periods(place.day):
                for name, number in of.items():
                    whole[name] = whole.get(name, 0) + number
    return held(BADGES, period, whole)


@pytest.mark.parametrize(
    ("leads", "contact", "holds"),
    [
        (10, 120 * SECOND, True),
        (9, 120 * SECOND, False),
        (10, 120 * SECOND + MS, False),
    ],
)
def test_speed_demon_is_ten_leads_contacted_within_two_minutes(
    leads: int, contact: timedelta, holds: bool
) -> None:
    units = [a_race(number, contact) for number in range(leads)]
    assert ("speed_demon" in badges(units, "all")) is holds


@pytest.mark.parametrize(
    ("within", "beyond", "holds"), [(5, 0, True), (4, 0, False), (4, 1, False)]
)
def test_closer_is_five_claimed_leads_to_customers_in_a_month(
    within: int, beyond: int, holds: bool
) -> None:
    month_end = datetime(2026, 11, 30, 23, 59, 59, 999000, UTC) - NOON
    units = []
    for number in range(within + beyond):
        lead = a_lead(lead_id=f"lead{number}")
        when = NOON + month_end + (MS if number >= within else timedelta())
        units.append(
            [
                an_entry(f"t{number}", "claimed", lead=lead, epoch=1, take_ms=0),
                an_entry(f"w{number}", "won", when, lead=lead, epoch=1),
            ]
        )
    assert ("closer" in badges(units, "2026-11")) is holds


@pytest.mark.parametrize(("in_week", "next_week", "holds"), [(50, 0, True), (49, 1, False)])
def test_unstoppable_is_fifty_claimed_and_contacted_in_a_week(
    in_week: int, next_week: int, holds: bool
) -> None:
    units = [a_race(number, SECOND) for number in range(in_week)]
    units += [a_race(100 + number, 7 * DAY) for number in range(next_week)]
    assert ("unstoppable" in badges(units, "2026-W48")) is holds
    assert "unstoppable" not in badges(units, "2026-W49")


@pytest.mark.parametrize(
    ("colleagues", "times", "holds"), [(5, 1, True), (4, 1, False), (4, 2, False)]
)
def test_team_player_is_five_colleagues_helped(colleagues: int, times: int, holds: bool) -> None:
    units = [
        [
            an_entry(
                f"h{number}-{time}",
                "helped",
                lead=None,
                other=a_rep(10 + number).rep_id,
                unit=f"help/{number}",
            )
            for time in range(times)
        ]
        for number in range(colleagues)
    ]
    assert ("team_player" in badges(units, "all")) is holds


def test_help_nobody_confirmed_counts_for_neither_points_nor_badge() -> None:
    found = counts(tallied(an_entry("h", "helped", lead=None)))
    assert found == {"helped": 1}


@pytest.mark.parametrize(
    ("period", "kind"),
    [
        ("2026-11-23", "day"),
        ("2026-W48", "week"),
        ("2026-11", "month"),
        ("2026-Q4", "quarter"),
        ("2026", "year"),
        ("all", "all"),
    ],
)
def test_a_periods_kind_shows_in_its_name(period: str, kind: str) -> None:
    assert kind_of(period) == kind


@pytest.mark.parametrize("name", ["place", "self", "name", "number", "entry"])
def test_an_activity_of_the_playbooks_own_may_have_any_name(name: str) -> None:
    playbook = a_playbook(game={"activities": [name]})
    found = tallied(an_entry("one", name, lead=None, amount=3), playbook=playbook)
    assert counts(found) == {name: 1, f"{name}.sum": 3, f"{name}.n": 1}


BY_LEAD = (
    *("taken", "contacted_leads", "qualified_leads", "qualified_right", "opportunity_leads"),
    *("claimed_opportunities", "customer_leads", "claimed_customers"),
    *("transfer_leads", "transfer_converted"),
)


@pytest.mark.parametrize(
    ("kind", "kinds", "are"),
    [
        ("claimed", (), {"taken"}),
        ("claimed", ("call",), {"taken"}),
        ("claimed", ("contacted",), {"taken", "contacted_leads"}),
        ("claimed", ("qualified",), {"taken", "contacted_leads", "qualified_leads"}),
        ("claimed", ("transfer",), {"taken", "transfer_leads"}),
        ("claimed", ("transfer", "qualified", "won"), {*BY_LEAD}),
        (
            "claimed",
            ("opportunity",),
            {"taken", "contacted_leads", "opportunity_leads", "claimed_opportunities"},
        ),
        (
            "assigned",
            ("transfer", "qualified", "won"),
            {*BY_LEAD} - {"claimed_opportunities", "claimed_customers"},
        ),
        (
            "claimed",
            ("won",),
            {*BY_LEAD}
            - {"qualified_leads", "qualified_right", "transfer_leads", "transfer_converted"},
        ),
    ],
)
def test_what_became_of_a_lead_counts_once_however_often_it_is_told(
    kind: str, kinds: tuple[str, ...], are: set[str]
) -> None:
    told = [done(one, DAY, name=f"{one}-{n}") for one in kinds for n in range(2)]
    found = tallied(taken(kind=kind), *told)
    day = found.counts[Place(AINA.rep_id, AINA.team, "2026-11-23")]
    assert {name: day[name] for name in BY_LEAD if name in day} == dict.fromkeys(are, 1)


def test_response_is_timed_from_the_taking_and_never_below_nothing() -> None:
    early = counts(tallied(taken(), done("contacted", -SECOND)))
    assert (early.get("response_seconds.sum", 0), early["response_seconds.n"]) == (0, 1)
    late = counts(tallied(taken(), done("call", 3 * SECOND), done("contacted", 9 * SECOND)))
    assert (late["response_seconds.sum"], late["response_seconds.n"]) == (3000, 1)
    assert late["claim_seconds.sum"] == 5000


def test_who_was_assigned_a_lead_has_five_minutes_from_then_however_long_it_waited() -> None:
    waited = taken(20 * 60_000, "assigned")
    assert points(waited, done("contacted", timedelta(minutes=5))) == {"contact": 25}
    found = counts(tallied(waited, done("contacted", timedelta(minutes=2))))
    assert found["contacted_in_2_min"] == 1
    assert "claim_seconds.n" not in found
    assert "claimed_and_contacted" not in found
    assert points(waited, done("contacted", timedelta(minutes=5) + MS)) == {}


def test_how_quick_a_contact_counts_for_speed_demon_is_a_setting() -> None:
    playbook = a_playbook(game={"speed": {"badge_seconds": 30}})
    for seconds, counted in ((30, 1), (31, None)):
        contact = done("contacted", seconds * SECOND)
        found = counts(tallied(taken(0, "assigned"), contact, playbook=playbook))
        assert found.get("contacted_in_2_min") == counted


def test_a_lead_contacted_in_the_next_week_is_not_claimed_and_contacted_in_one() -> None:
    for after, counted in ((DAY, 1), (7 * DAY, 0)):
        found = counts(tallied(taken(), done("contacted", after)))
        assert found.get("claimed_and_contacted", 0) == counted


@pytest.mark.parametrize(
    ("kind", "found"),
    [("claimed", {"customers": 1, "opportunities": 1}), ("assigned", {})],
)
def test_customers_and_opportunities_are_of_claimed_leads(kind: str, found: dict[str, int]) -> None:
    whole = counts(tallied(taken(kind=kind), done("opportunity"), done("won", DAY)))
    assert {n: whole[n] for n in ("customers", "opportunities") if n in whole} == found


def test_a_lead_whose_claim_was_undone_is_nothing_whatever_was_done_with_it() -> None:
    back = an_entry("back", "returned", NOON + SECOND, epoch=1, cause="undone")
    found = tallied(taken(), done("contacted"), done("won"), back)
    assert found.awards == {}
    assert {name for name in counts(found) if name in BY_LEAD} == set()


def test_only_sales_are_revenue() -> None:
    quote = done("quote_sent", amount=900, currency="USD")
    upsell = done("upsell", amount=30, currency="USD")
    found = counts(tallied(taken(), quote, upsell))
    assert (found["revenue.sum"], found["quote_sent.sum"], found["sales"]) == (30, 900, 1)


# Whose word, and whose result it is (K4, K5)


@pytest.mark.parametrize(
    ("cause", "excused", "pays"),
    [
        ("released", False, False),
        ("not_worked", False, False),
        ("released", True, True),
        ("reassigned", False, True),
        ("transferred", False, True),
        ("withdrawn", False, True),
    ],
)
def test_who_gives_a_lead_up_gives_its_points_back(cause: str, excused: bool, pays: bool) -> None:
    back = done("returned", DAY, cause=cause, excused=excused)
    assert points(taken(1000), back) == ({"claim": 10} if pays else {})


def test_points_for_a_reps_own_word_wait_until_it_is_confirmed() -> None:
    own = [done(kind, DAY, reporter="rep") for kind in ("opportunity", "won")]
    assert points(taken(90_000), *own) == {}
    both = {"opportunity": 50, "won": 200}
    crm = done("won", 2 * DAY, name="crm", reporter="system")
    assert points(taken(90_000), *own, crm) == both
    about = {"reporter": "manager", "lead_id": LEAD.lead_id}
    yes = [
        done("confirmation", 2 * DAY, name=f"yes-{kind}", follows=kind, **about)
        for kind in ("opportunity", "won")
    ]
    assert points(taken(90_000), *own, *yes) == both
    assert points(taken(90_000), *own, yes[0]) == {"opportunity": 50}


def test_points_do_not_wait_where_the_playbook_trusts_reps() -> None:
    game = Game(reporting=replace(PLAYBOOK.game.reporting, confirm=()))
    trusting = replace(PLAYBOOK, game=game)
    entries = [taken(90_000), done("won", DAY, reporter="rep")]
    found = tally(entries, lambda _: trusting)
    assert sum(award.points for award in found.awards.values()) == 250


def test_a_contact_reported_late_is_no_quick_contact() -> None:
    late = done("contacted", SECOND, reporter="rep", late_at=NOON + 480 * SECOND)
    assert points(taken(90_000), late) == {}
    assert "contacted_in_2_min" not in counts(tallied(taken(90_000), late))


def handed_on(cause: str = "transferred") -> list[Entry]:
    """Aina claims and qualifies a lead, Ben gets it and wins."""
    return [
        taken(1000),
        done("qualified", SECOND),
        done("returned", 2 * SECOND, cause=cause),
        an_entry("second", "assigned", NOON + 2 * SECOND, BEN, epoch=2),
        an_entry("won", "won", NOON + DAY, BEN, epoch=2, amount=500, currency="USD"),
    ]


@pytest.mark.parametrize("cause", ["transferred", "reassigned"])
def test_a_result_travels_with_a_lead_that_was_handed_on(cause: str) -> None:
    found = tallied(*handed_on(cause))
    setter, closer = counts(found), counts(found, BEN)
    one = {"qualified_right": 1, "claimed_opportunities": 1, "claimed_customers": 1}
    assert {name: setter.get(name) for name in one} == one
    assert (setter.get("sales"), closer["sales"]) == (None, 1)
    assert (closer["claimed_revenue.sum"], closer["points.sum"]) == (500, 250)


def test_a_transfer_converts_when_its_customer_buys() -> None:
    entries = [*handed_on(), done("transfer", SECOND)]
    assert counts(tallied(*entries))["transfer_converted"] == 1
    opportunity = [
        replace(entry, kind="opportunity") if entry.kind == "won" else entry for entry in entries
    ]
    assert "transfer_converted" not in counts(tallied(*opportunity))


def test_who_gave_a_lead_up_judged_it_rightly_and_converted_nothing() -> None:
    setter = counts(tallied(*handed_on("released")))
    assert (setter.get("qualified_right"), setter.get("claimed_opportunities")) == (1, None)


# What is counted (F4, K2, K6)


def test_revenue_of_claimed_leads_leaves_assigned_ones_out() -> None:
    won = done("won", DAY, amount=500, currency="USD")
    assert counts(tallied(taken(1000), won))["claimed_revenue.sum"] == 500
    assigned = counts(tallied(taken(None, "assigned"), won))
    assert (assigned["revenue.sum"], assigned.get("claimed_revenue.sum")) == (500, None)
    unraced = replace(taken(None, "assigned"), model="round-robin")
    assert counts(tallied(unraced, won))["claimed_revenue.sum"] == 500
    assert points(unraced, won) == {"opportunity": 50, "won": 200}


def test_assigned_leads_pay_where_the_playbook_says_so() -> None:
    paying = replace(PLAYBOOK, game=Game(points=Points(assigned=True)))
    found = tally([taken(None, "assigned"), done("won", DAY)], lambda _: paying)
    assert sum(award.points for award in found.awards.values()) == 250


def test_a_customer_who_buys_twice_is_one_buyer() -> None:
    found = counts(tallied(taken(1000), done("won", DAY), done("upsell", DAY)))
    assert (found["sales"], found["buyers"]) == (2, 1)


def test_units_and_answers_of_customers_are_counted() -> None:
    sold = counts(tallied(done("won", DAY, quantity=12), done("upsell", DAY)))
    assert sold["units.sum"] == 13
    answers = [an_entry(f"n{n}", "nps", lead=None, amount=n) for n in range(11)]
    found = counts(tally(answers, lambda _: PLAYBOOK))
    assert (found["nps"], found["promoters"], found["detractors"]) == (11, 2, 7)


def test_a_sale_in_another_currency_counts_its_value_or_is_held() -> None:
    held = done("won", DAY, amount=500, currency="MYR")
    found = counts(tallied(taken(1000), held))
    assert (found["held_sales"], found.get("revenue.sum")) == (1, None)
    valued = replace(held, value=120, value_currency="USD", rate="0.24")
    found = counts(tallied(taken(1000), valued))
    assert (found.get("held_sales"), found["revenue.sum"], found["won.sum"]) == (None, 120, 120)
