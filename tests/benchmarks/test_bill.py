"""The bill adds up, and says itself when it is out of date."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks import bench, bill, prices

COUNTED = {
    "push": {
        "notify": {"invocations": 1.0, "read units": 1.0},
        "claim": {
            "invocations": 40.0,
            "GB-seconds": 0.5,
            "seconds": 0.5,
            "HTTP calls": 40.0,
            "bytes out": 80_000.0,
            "read units": 100.0,
            "write units": 30.0,
            "log bytes": 1000.0,
        },
        "recalculate": {"write units": 3.0},
    },
    "texts": {"notify": {"texts": 40.0, "invocations": 3.0, "GB-seconds": 1.0, "seconds": 1.0}},
    "sweep": {"recalculate": {"invocations": 1.0, "read units": 20.0}},
}


def changed(what: str, amount: float) -> dict[str, Any]:
    return {
        **COUNTED,
        "push": {**COUNTED["push"], "claim": {**COUNTED["push"]["claim"], what: amount}},
    }


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bill, "ROOT", tmp_path)
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    monkeypatch.setattr(bill, "PAGE", tmp_path / "costs.md")
    monkeypatch.setattr(bill, "COUNTED", tmp_path / "counted.json")
    monkeypatch.setattr(bill, "_own_metrics", lambda: 10)
    bill.write_page(COUNTED)


def settled(counted: dict[str, Any]) -> tuple[int, str]:
    console = Console(file=io.StringIO(), width=120)
    status = bench.costs_to_settle(console, counted)
    return status, console.file.getvalue()  # type: ignore[attr-defined]


def test_the_bill_counts_data_out_and_logs() -> None:
    dollars = bill.bill_of(COUNTED["push"]).dollars
    assert dollars["bytes out"] == pytest.approx(80_000 * 1000 / 1e9 * 0.09)
    assert dollars["log bytes"] > 40 * bill.API_LOG_BYTES * 1000 / 1e9 * 0.50
    assert bill.bill_of(COUNTED["push"]).total == pytest.approx(sum(dollars.values()))


@pytest.mark.usefixtures("written")
def test_a_page_that_says_what_was_counted_stands() -> None:
    assert settled(COUNTED) == (0, "")


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize("what", ["read units", "write units", "HTTP calls", "bytes out", "texts"])
def test_a_count_that_changed_is_out_of_date(what: str) -> None:
    counted = changed(what, 1.04 * COUNTED["push"]["claim"].get(what, 25))
    status, said = settled(counted)
    assert status == 1
    assert what in said
    assert settled(counted) == (0, "")  # it was written again


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize(("what", "amount"), [("GB-seconds", 0.9), ("bytes out", 81_000.0)])
def test_what_varies_by_itself_is_not(what: str, amount: float) -> None:
    assert settled(changed(what, amount))[0] == 0


@pytest.mark.usefixtures("written")
def test_a_page_edited_by_hand_is_out_of_date() -> None:
    bill.PAGE.write_text(bill.PAGE.read_text().replace("0.25", "0.20"))
    assert settled(COUNTED)[0] == 1


@pytest.mark.usefixtures("written")
def test_old_prices_are_looked_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prices, "outdated", lambda today: True)
    status, said = settled(COUNTED)
    assert status == 1
    assert "Look them up again" in said


def test_prices_are_good_for_a_stated_time() -> None:
    assert not prices.outdated(prices.CHECKED + prices.GOOD_FOR)
    assert prices.outdated(prices.CHECKED + prices.GOOD_FOR * 1.01)
