"""Notify: one alert or text per rep and opening, however often a message is delivered."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from dibs.aws import clients
from dibs.core.lead import Lead
from dibs.core.rep import Device, Platform, Rep
from dibs.offers.sms import SnsSms
from dibs.rules.rules import Sms
from dibs.wiring import wiring
from handlers.app import AINA, BEN, DAYANG, App, event, sqs
from support.aws import items
from support.builders import NOON, a_playbook
from support.privacy import leaks

DONE: dict[str, Any] = {"batchItemFailures": []}


def batch_message(kind: str, lead: Lead, *reps: Rep) -> dict[str, Any]:
    return {
        "kind": kind,
        "lead_id": lead.lead_id,
        "epoch": lead.epoch,
        "rep_ids": [rep.rep_id for rep in reps],
        "notify_at": None,
    }


def phone(rep: Rep) -> Device:
    return rep.devices[0]


def test_a_rep_with_the_app_gets_an_alert_and_no_text_yet(app: App) -> None:
    aina = app.hire_with_phone(AINA)
    lead = app.lead()
    assert app.run("notify", event("sqs_notify")) == DONE
    [alert] = app.alerts(phone(aina))
    assert alert["notification"]["title"] == "Acme 1 Sdn Bhd"
    assert "Head of Operations" in alert["notification"]["body"]
    assert alert["data"] == {
        "kind": "offer",
        "lead_id": lead.lead_id,
        "url": f"https://dibs.example/c/{app.link(lead)}",
    }
    told = repr(alert["notification"])
    assert "Jane" not in told
    assert "jane@" not in told
    assert "+60" not in told
    assert app.texts() == []
    notice = app.offers.notices(lead.lead_id, 1, [AINA.rep_id])[AINA.rep_id]
    assert notice.channels == ("push",)


def test_a_text_is_planned_for_whoever_does_not_look_in_time(app: App) -> None:
    app.hire_with_phone(AINA)
    app.lead()
    app.run("notify", event("sqs_notify"))
    [later] = app.waiting("notify")
    assert (later.body["kind"], later.body["rep_ids"]) == ("unseen", [AINA.rep_id])
    assert later.delay_seconds == 20


def test_a_rep_without_the_app_gets_a_text_at_once(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    app.run("notify", event("sqs_notify"))
    [(number, text)] = app.texts()
    assert number == AINA.phone
    assert f"https://dibs.example/c/{app.link(lead)}" in text
    for shown in ("Acme 1 Sdn Bhd", "51-200", "Head of Operations", "google-ads", "86"):
        assert shown in text
    for kept in ("Jane", "jane@", "+60"):
        assert kept not in text
    code = re.search(r"Reply ([A-Z2-9]{4}) ", text)
    assert code
    assert app.offers.find_code(AINA.rep_id, code[1]) == (lead.lead_id, 1)
    assert app.waiting("notify") == []


def test_a_redelivered_message_sends_nothing_twice(app: App) -> None:
    aina = app.hire_with_phone(AINA)
    app.hire(BEN)
    lead = app.lead()
    for _ in range(3):
        assert app.run("notify", sqs("sqs_notify", batch_message("offer", lead, aina, BEN))) == DONE
    assert len(app.alerts(phone(aina))) == 1
    assert [number for number, _ in app.texts()] == [BEN.phone]
    assert len(app.waiting("notify")) == 1


def test_a_batch_done_by_an_earlier_version_is_known_by_its_key(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    app.run("notify", sqs("sqs_notify", batch_message("offer", lead, AINA)))
    [done] = items(app.client, wiring().settings.once_table)
    assert done["id"]["S"].split("#")[0].endswith("notify.handler.work.<locals>.once")


def test_the_same_rep_in_another_batch_is_not_told_again(app: App) -> None:
    aina = app.hire_with_phone(AINA)
    lead = app.lead()
    app.run("notify", event("sqs_notify"))
    app.hire(BEN)
    app.run("notify", sqs("sqs_notify", batch_message("offer", lead, aina, BEN)))
    assert len(app.alerts(phone(aina))) == 1
    assert [number for number, _ in app.texts()] == [BEN.phone]


def test_a_phone_that_refuses_the_push_gets_the_text_now(app: App) -> None:
    aina = app.hire_with_phone(AINA)
    clients.sns().set_endpoint_attributes(
        EndpointArn=phone(aina).endpoint_arn, Attributes={"Enabled": "false"}
    )
    lead = app.lead()
    assert app.run("notify", event("sqs_notify")) == DONE
    assert [number for number, _ in app.texts()] == [AINA.phone]
    notice = app.offers.notices(lead.lead_id, 1, [AINA.rep_id])[AINA.rep_id]
    assert notice.channels == ("sms",)
    assert app.waiting("notify") == []


def test_a_rep_with_two_phones_is_told_on_both_and_not_by_text(app: App) -> None:
    aina = app.hire_with_phone(AINA)
    tablet, _ = wiring().push.register(AINA.rep_id, "tablet", Platform.FCM, "push-token-tablet")
    app.world.roster.put_device(AINA.rep_id, tablet)
    app.lead()
    app.run("notify", event("sqs_notify"))
    assert len(app.alerts(phone(aina))) == len(app.alerts(tablet)) == 1
    assert app.texts() == []


def test_who_has_not_looked_in_time_gets_the_text_once(app: App) -> None:
    aina, ben = app.hire_with_phone(AINA), app.hire_with_phone(BEN)
    lead = app.lead()
    app.run("notify", sqs("sqs_notify", batch_message("offer", lead, aina, ben)))
    wiring().race.record_sighting(lead, BEN.rep_id, "seen_at", NOON)
    for _ in range(2):
        app.run("notify", sqs("sqs_notify", batch_message("unseen", lead, aina, ben)))
    app.run("notify", sqs("sqs_notify", batch_message("undelivered", lead, aina)))
    assert [number for number, _ in app.texts()] == [AINA.phone]


def test_texts_need_no_record_of_their_batch_because_each_is_reserved(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    for kind in ("unseen", "undelivered", "unseen"):
        app.run("notify", sqs("sqs_notify", batch_message(kind, lead, AINA)))
    assert [number for number, _ in app.texts()] == [AINA.phone]
    assert items(app.client, wiring().settings.once_table) == []


def test_a_withdrawal_delivered_twice_is_sent_once(app: App) -> None:
    aina = app.hire_with_phone(AINA)
    app.hire(BEN)
    lead = app.lead()
    app.run("notify", sqs("sqs_notify", batch_message("offer", lead, aina)))
    app.claim(lead, BEN)
    for _ in range(2):
        app.run("notify", sqs("sqs_notify", batch_message("withdraw", lead, aina)))
    assert len(app.alerts(phone(aina))) == 2  # the offer, and its withdrawal


def test_a_small_team_is_told_and_noted_as_a_whole(app: App) -> None:
    aina, ben = app.hire_with_phone(AINA), app.hire_with_phone(BEN)
    app.pause(ben, minutes=10)
    lead = app.lead()
    batch = {**batch_message("offer", lead, aina, ben), "members": 2}
    for _ in range(2):
        assert app.run("notify", sqs("sqs_notify", batch)) == DONE
    more = {**batch_message("offer", lead, aina, DAYANG), "members": 3}
    app.hire(DAYANG)
    app.run("notify", sqs("sqs_notify", more))
    assert [len(app.alerts(phone(rep))) for rep in (aina, ben)] == [1, 0]
    assert [number for number, _ in app.texts()] == [DAYANG.phone]
    told = app.offers.notices(lead.lead_id, 1, [aina.rep_id, ben.rep_id, DAYANG.rep_id])
    assert {rep_id: one.channels for rep_id, one in told.items()} == {
        aina.rep_id: ("push",),
        DAYANG.rep_id: ("sms",),
    }
    stored = items(app.client, wiring().settings.offers_table)
    assert [one["pk"]["S"] for one in stored if "NOTICE" in one["sk"]["S"]] == [lead.lead_id]
    app.claim(lead, DAYANG)
    gone = {**batch_message("withdraw", lead, aina, ben), "members": 3}
    app.run("notify", sqs("sqs_notify", gone))
    assert [len(app.alerts(phone(rep))) for rep in (aina, ben)] == [2, 0]


def test_the_first_wave_of_a_small_team_reads_one_item_of_notices(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    aina, ben = app.hire_with_phone(AINA), app.hire_with_phone(BEN)
    lead = app.lead()
    batch = {**batch_message("offer", lead, aina, ben), "members": 2, "first": True}
    read, ask = list[str](), wiring().dynamo.batch_get
    table = wiring().settings.offers_table

    def noted(wanted: Any, *more: Any) -> Any:
        read.extend(key["sk"]["S"] for key in wanted.get(table, ()))
        return ask(wanted, *more)

    monkeypatch.setattr(wiring().dynamo, "batch_get", noted)
    app.run("notify", sqs("sqs_notify", batch))
    assert read == ["NOTICES"]
    assert [len(app.alerts(phone(rep))) for rep in (aina, ben)] == [1, 1]


def test_who_was_told_before_the_first_wave_came_is_told_once(app: App) -> None:
    """A rep may come back from a pause while the first batch is on its way."""
    aina, ben = app.hire_with_phone(AINA), app.hire_with_phone(BEN)
    lead = app.lead()
    late = {**batch_message("late", lead, aina), "members": 2}
    first = {**batch_message("offer", lead, aina, ben), "members": 2, "first": True}
    for message in (late, first):
        app.run("notify", sqs("sqs_notify", message))
    assert [len(app.alerts(phone(rep))) for rep in (aina, ben)] == [1, 1]


def test_whoever_was_told_alone_is_told_by_no_later_wave(app: App) -> None:
    """A message of an earlier version, or of a team that was large, has an item for each rep."""
    aina, ben = app.hire_with_phone(AINA), app.hire_with_phone(BEN)
    lead = app.lead()
    app.run("notify", sqs("sqs_notify", batch_message("offer", lead, aina)))
    later = {**batch_message("offer", lead, aina, ben), "members": 2}
    app.run("notify", sqs("sqs_notify", later))
    assert [len(app.alerts(phone(rep))) for rep in (aina, ben)] == [1, 1]


def test_the_claims_clock_starts_at_a_notice_of_a_small_team(app: App) -> None:
    aina = app.hire_with_phone(AINA)
    lead = app.lead()
    app.clock.pass_(seconds=3)
    batch = {**batch_message("offer", lead, aina), "members": 1}
    app.run("notify", sqs("sqs_notify", batch))
    app.clock.pass_(milliseconds=700)
    assert app.claim(lead, aina).json["claim_ms"] == 700


@pytest.mark.parametrize("over", ["claimed", "expired"])
def test_nobody_is_told_of_a_lead_that_is_over(app: App, over: str) -> None:
    aina = app.hire_with_phone(AINA)
    app.hire(BEN)
    lead = app.lead()
    if over == "claimed":
        app.claim(lead, BEN)
    else:
        app.clock.pass_(seconds=900)
    for kind in ("offer", "unseen", "undelivered"):
        assert app.run("notify", sqs("sqs_notify", batch_message(kind, lead, aina, BEN))) == DONE
    assert app.alerts(phone(aina)) == []
    assert app.texts() == []


def test_the_losers_alert_is_taken_back_silently(app: App) -> None:
    aina, ben = app.hire_with_phone(AINA), app.hire_with_phone(BEN)
    lead = app.lead()
    app.run("notify", sqs("sqs_notify", batch_message("offer", lead, aina, ben)))
    app.claim(lead, AINA)
    app.run("notify", sqs("sqs_notify", batch_message("withdraw", lead, ben)))
    assert len(app.alerts(phone(aina))) == 1
    _, withdrawal = app.alerts(phone(ben))
    assert withdrawal["data"] == {"kind": "withdrawn", "lead_id": lead.lead_id}
    assert "notification" not in withdrawal


def test_the_winners_offer_gets_its_claimed_time(app: App) -> None:
    aina = app.hire_with_phone(AINA)
    lead = app.lead()
    app.run("notify", event("sqs_notify"))
    at = app.clock.pass_(seconds=4)
    app.claim(lead)
    app.run("notify", sqs("sqs_notify", batch_message("won", lead, aina)))
    notice = app.offers.notices(lead.lead_id, 1, [AINA.rep_id])[AINA.rep_id]
    assert (notice.sent_at, notice.claimed_at) == (NOON, at)


def test_the_days_cap_on_texts_holds_and_is_counted(
    app: App, capsys: pytest.CaptureFixture[str]
) -> None:
    app.put_playbook(a_playbook(sms=Sms(True, 20, 1).__dict__))
    app.hire(AINA, BEN)
    lead = app.lead()
    assert app.run("notify", sqs("sqs_notify", batch_message("offer", lead, AINA, BEN))) == DONE
    assert len(app.texts()) == 1
    counted = app.counted(capsys)
    assert (counted["SmsSent"], counted["SmsCapReached"]) == (1, 1)


def test_a_rep_who_opted_out_gets_no_text(app: App) -> None:
    app.hire(replace(AINA, sms_opted_out=True))
    app.lead()
    app.run("notify", event("sqs_notify"))
    assert app.texts() == []


def test_texts_are_written_in_the_reps_language(app: App) -> None:
    app.hire(DAYANG)
    lead = app.lead()
    app.run("notify", sqs("sqs_notify", batch_message("offer", lead, DAYANG)))
    [(_, text)] = app.texts()
    assert "Reply" not in text
    assert "Balas" in text


def test_a_text_that_failed_is_sent_by_the_next_delivery_and_no_other_again(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.hire(AINA, BEN)
    lead = app.lead()
    send, broken = SnsSms.send, {AINA.phone}

    def failing_once(sms: SnsSms, number: str, text: str) -> None:
        if number in broken:
            broken.clear()
            raise ConnectionError(f"{number} is not reached")
        send(sms, number, text)

    monkeypatch.setattr(SnsSms, "send", failing_once)
    message = sqs("sqs_notify", batch_message("offer", lead, AINA, BEN))
    assert app.run("notify", message) == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
    assert [number for number, _ in app.texts()] == [BEN.phone]
    assert app.run("notify", message) == DONE
    assert [number for number, _ in app.texts()] == [BEN.phone, AINA.phone]


def test_a_poison_message_fails_alone(app: App) -> None:
    app.hire(AINA)
    lead = app.lead()
    batch = sqs(
        "sqs_notify",
        {"kind": "offer"},
        batch_message("offer", lead, AINA),
        {**batch_message("offer", lead, AINA), "kind": "sing"},
    )
    assert app.run("notify", batch) == {
        "batchItemFailures": [{"itemIdentifier": "message-0"}, {"itemIdentifier": "message-2"}]
    }
    assert len(app.texts()) == 1


def test_an_errors_own_words_stay_out_of_the_log(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    app.hire(AINA)
    app.lead()

    def failing(sms: SnsSms, number: str, text: str) -> None:
        raise ConnectionError(f"{number} does not take {text}")

    monkeypatch.setattr(SnsSms, "send", failing)
    app.run("notify", event("sqs_notify"))
    [line] = [line for line in app.overheard.lines if '"failed"' in line]
    assert "ConnectionError" in line
    assert leaks([line]) == []
