"""Each tier has its own winning metrics (G10)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dibs.ledger.entries import Entry
from dibs.reports.winning import winning_metrics
from support.builders import NOON, a_rep

REP = a_rep()
START, END = NOON - timedelta(days=28), NOON
COUNTS = ("call", "contacted")


def entry(kind: str, number: int, minutes: int = 0, **more: object) -> Entry:
    """An entry on the lead of that number, some minutes after it was taken."""
    taken = START + timedelta(days=number)
    return Entry(
        entry_id=f"{kind}-{number}-{minutes}",
        kind=kind,
        rep_id=REP.rep_id,
        team=REP.team,
        at=taken + timedelta(minutes=minutes),
        week="2026-W47",
        lead_id=f"lead-{number}",
        epoch=1,
        taken_at=taken,
        **more,  # type: ignore[arg-type]
    )


HISTORY = [
    *(entry("claimed", number) for number in range(1, 5)),
    entry("contacted", 1, 2),
    entry("contacted", 2, 4),
    entry("qualified", 1, 5),
    entry("qualified", 2, 6),
    entry("opportunity", 1, 9),
    entry("won", 1, 60, amount=90_000, currency="USD"),
    entry("upsell", 1, 90, amount=30_000, currency="USD"),
    entry("won", 9, 60, amount=500_000, currency="EUR"),
    entry("won", 3, 60, amount=777, currency="USD", test=True),
]


@pytest.mark.parametrize(
    ("tier", "metrics"),
    [
        (1, {"revenue": 120_000, "deal_size": 60_000.0}),
        (2, {"conversion": 0.25, "response_seconds": 180.0}),
        (3, {"contact_rate": 0.5, "qualification_accuracy": 0.5}),
    ],
)
def test_each_tier_is_measured_by_what_wins_there(
    tier: int, metrics: dict[str, float | None]
) -> None:
    twice = [*HISTORY, *reversed(HISTORY)]
    assert winning_metrics(tier, twice, COUNTS, "USD", REP.rep_id, START, END) == metrics


@pytest.mark.parametrize("tier", [1, 2, 3])
def test_who_did_nothing_has_nothing_to_divide(tier: int) -> None:
    others = [entry("claimed", 1)]
    metrics = winning_metrics(tier, others, COUNTS, "USD", a_rep(2).rep_id, START, END)
    assert [value for value in metrics.values() if value] == []
    assert None in metrics.values()


def test_a_call_is_no_contact_and_a_reversed_sale_no_revenue() -> None:
    calls = [entry("call", 3, 1), entry("call", 4, 1)]
    metrics = winning_metrics(3, [*HISTORY, *calls], COUNTS, "USD", REP.rep_id, START, END)
    assert metrics["contact_rate"] == 0.5
    back = entry("reversal", 1, 95, reverses="upsell-1-90")
    metrics = winning_metrics(1, [*HISTORY, back], COUNTS, "USD", REP.rep_id, START, END)
    assert metrics == {"revenue": 90_000, "deal_size": 90_000.0}


def test_qualified_leads_are_of_those_taken_then() -> None:
    early = [entry("claimed", -1), entry("qualified", -1, 2 * 1440), entry("won", -1, 3 * 1440)]
    metrics = winning_metrics(3, [*HISTORY, *early], COUNTS, "USD", REP.rep_id, START, END)
    assert metrics["qualification_accuracy"] == 0.5


def test_what_wins_in_a_tier_is_a_setting() -> None:
    own = {"1": ("contact_rate",), "2": ("revenue", "conversion", "deal_size")}

    def found(tier: int) -> list[str]:
        named = winning_metrics(tier, HISTORY, COUNTS, "USD", REP.rep_id, START, END, own)
        return list(named)

    assert [found(tier) for tier in (1, 2, 3)] == [
        ["contact_rate"],
        ["revenue", "conversion", "deal_size"],
        [],
    ]
