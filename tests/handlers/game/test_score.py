"""The ledger's stream becomes standings, in the function's own role (K1, G1-G3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from dibs.ledger.entries import Entry, new_entry
from dibs.ledger.store import entry_item
from dibs.rules.game import Game, Points
from dibs.wiring import wiring
from handlers.app import AINA, BEN, PLAYBOOK, App, Event, event, sqs
from support.builders import NOON, a_lead, a_playbook
from support.tables import template

DONE: dict[str, Any] = {"batchItemFailures": []}


def stream(*entries: Entry) -> Event:
    """The event with these entries, as the stream shows them, in place of its own."""
    streamed = event("stream_entry")
    record = streamed["Records"][0]
    streamed["Records"] = [
        {**record, "dynamodb": {**record["dynamodb"], "NewImage": entry_item(one)}}
        for one in entries
    ]
    return streamed


def an_entry(name: str, kind: str, rep: Any = AINA, lead: Any = None, **more: Any) -> Entry:
    return new_entry(name, kind, rep.rep_id, rep.team, NOON, PLAYBOOK, lead, **more)


def publish(app: App) -> None:
    """Let boards show what was counted, as the queue has it done."""
    due = [message.body for message in app.waiting("publish")]
    if due:
        assert app.run("publish", sqs("sqs_publish", *due)) == DONE


def shown(app: App) -> dict[str, int]:
    publish(app)
    wiring.cache_clear()
    [total] = wiring().standings.totals("2026-W48")
    return dict(total.counts)


def test_an_entry_of_the_stream_is_counted_once(app: App) -> None:
    app.hire(AINA)
    for _ in range(2):
        assert app.run("score", event("stream_entry")) == DONE
    assert (shown(app)["claimed"], shown(app)["points.sum"]) == (1, 10)
    [(name, _)] = {total.name: 1 for total in wiring().standings.totals("all")}.items()
    assert name == AINA.name


def test_what_many_batches_counted_is_published_at_once(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One list of changes for all periods, however many batches came."""
    app.hire(AINA)
    for number in range(4):
        app.run("score", stream(an_entry(str(number), "call")))
    assert wiring().standings.totals("2026-W48") == []
    written, put = list[str](), wiring().dynamo.put

    def noted(table: str, item: Any, *condition: Any, **options: Any) -> None:
        written.append(item["pk"]["S"])
        put(table, item, *condition, **options)

    monkeypatch.setattr(wiring().dynamo, "put", noted)
    publish(app)
    assert written == ["CHANGES#1"]
    assert shown(app) == {"call": 4}


def test_what_is_published_late_twice_or_the_wrong_way_round_is_as_it_is_now(app: App) -> None:
    app.hire(AINA, BEN)
    app.run("score", stream(an_entry("1", "call")))
    first = app.waiting("publish")[0].body
    app.run("score", stream(an_entry("2", "call"), an_entry("3", "call", BEN)))
    second = app.waiting("publish")[0].body
    for body in (second, first, second):
        app.run("publish", sqs("sqs_publish", body))
    calls = {one.rep_id: one.counts["call"] for one in wiring().standings.totals("2026-W48")}
    assert calls == {AINA.rep_id: 2, BEN.rep_id: 1}


def test_an_entry_keeps_its_mark_until_boards_show_it(app: App) -> None:
    """A contest closes when nothing bears a mark (G4), and the sweep finds what was lost by it."""
    app.hire(AINA)
    entry = an_entry("1", "call")
    wiring().ledger.put([entry])
    later = NOON + timedelta(days=1)
    app.run("score", stream(entry))
    assert [one.entry_id for one in wiring().ledger.unscored(later)] == ["1"]
    publish(app)
    assert list(wiring().ledger.unscored(later)) == []


def test_what_the_ttl_or_an_operator_deleted_is_no_entry(app: App) -> None:
    streamed = event("stream_entry")
    del streamed["Records"][0]["dynamodb"]["NewImage"]
    assert app.run("score", streamed) == DONE
    assert wiring().standings.totals("all") == []


def test_a_whole_race_and_deal_in_one_batch(app: App) -> None:
    app.hire(AINA)
    lead = a_lead()
    batch = [
        an_entry("won", "won", lead=lead, amount=900, currency="USD"),
        an_entry("contacted", "contacted", lead=lead),
        an_entry("taken", "claimed", lead=lead, take_ms=60_000),
        an_entry("opportunity", "opportunity", lead=lead),
    ]
    app.run("score", stream(*batch))
    assert shown(app)["points.sum"] == 10 + 25 + 50 + 200
    assert shown(app)["revenue.sum"] == 900
    reversal = an_entry("back", "reversal", lead=lead, reverses="won")
    app.run("score", stream(reversal))
    assert shown(app)["points.sum"] == 85
    assert "revenue.sum" not in shown(app)


def test_an_entry_counts_by_the_playbook_under_which_it_came_about(app: App) -> None:
    app.hire(AINA)
    first = an_entry("1", "reference", playbook_version=1)
    app.put_playbook(a_playbook(game={"points": {"activities": {"reference": 7}}}))
    second = an_entry("2", "reference", playbook_version=2)
    app.run("score", stream(first, second))
    assert shown(app) == {"reference": 2, "points.sum": 7}
    assert PLAYBOOK.game == Game(points=Points())


def test_a_slipped_deal_is_told_to_the_managers_at_once(app: App) -> None:
    app.hire(AINA, BEN)
    lead = a_lead()
    batch = [
        an_entry("1", "slipped", lead=lead),
        an_entry("2", "slipped", BEN, a_lead(test=True)),
        an_entry("3", "call", lead=lead),
    ]
    app.run("score", stream(*batch))
    [told] = app.waiting("managers")
    assert told.body["Subject"] == "A deal slipped"
    assert AINA.name in told.body["Message"]
    assert lead.lead_id in told.body["Message"]
    assert "Acme" not in told.body["Message"]


def test_the_stream_is_folded_and_cannot_be_blocked() -> None:
    mapping = template()["Resources"]["ScoreFromStream"]["Properties"]
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": ["LedgerTable", "StreamArn"]}
    assert mapping["BisectBatchOnFunctionError"]
    assert mapping["MaximumRetryAttempts"] > 0
    assert mapping["DestinationConfig"]["OnFailure"]


def test_boards_are_published_within_two_seconds_by_few_writers() -> None:
    resources = template()["Resources"]
    waits = [
        resources[name]["Properties"].get("MaximumBatchingWindowInSeconds", 0)
        for name in ("ScoreFromStream", "PublishFromQueue")
    ]
    # A second is left for polling, counting and publishing.
    assert sum(waits) <= 1
    mapping = resources["PublishFromQueue"]["Properties"]
    assert mapping["ScalingConfig"]["MaximumConcurrency"] == 2
