"""What an amount is worth in the playbook's currency, by the rate of its day (K6)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dibs.core.calendar import day_of
from dibs.core.money import converted
from dibs.ledger.activities import SALES
from dibs.ledger.entries import AMOUNT, Entry, amount_id
from dibs.rules.playbook import Playbook


def valued(amount: int | None, currency: str, at: datetime, playbook: Playbook) -> dict[str, Any]:
    """Return the fields of an entry with what its amount is worth; empty where none are needed.

    Without a rate for its day nothing is returned, and the amount is held.
    """
    own = playbook.quota.currency
    if amount is None or currency in ("", own):
        return {}
    day = day_of("UTC", at).first_day
    known = [rate for rate in playbook.game.rates if rate.currency == currency]
    past = [rate for rate in known if rate.since <= day]
    if not past:
        return {}
    rate = repr(max(past, key=lambda one: one.since).rate)
    value = converted(amount, currency, own, rate)
    return {"value": value, "value_currency": own, "rate": rate}


def value_of(entry: Entry, currency: str) -> int | None:
    """Return what an entry's amount is worth in a currency; None without an amount or a rate."""
    if entry.amount is None or entry.currency == currency:
        return entry.amount
    return entry.value if entry.value_currency == currency else None


def is_held(entry: Entry, currency: str) -> bool:
    """Return whether an amount counts with nothing until there is a rate for it."""
    money = entry.amount is not None and entry.currency != ""
    return money and value_of(entry, currency) is None


def settled(entry: Entry, playbook: Playbook) -> Entry | None:
    """Return the entry that gives a held sale its value, None while there is no rate.

    A rep's word counts up to what a rep may report, also when it was held (K5).
    """
    if entry.kind not in SALES or not is_held(entry, playbook.quota.currency):
        return None
    found = valued(entry.amount, entry.currency, entry.at, playbook)
    most = playbook.game.reporting.most_for(entry.kind)
    if not found or (entry.reporter == "rep" and found["value"] > most):
        return None
    about = {"kind": AMOUNT, "follows": entry.entry_id, "digest": entry.digest}
    fields = {**vars(entry), **about, **found}
    return Entry(**{**fields, "entry_id": f"{amount_id(entry.entry_id)}/rate"})


def open_questions(entry: Entry, playbook: Playbook) -> dict[str, Any]:
    """Return what the reporter may still send, and why an amount does not count yet."""
    found: dict[str, Any] = {}
    if entry.kind in SALES and entry.amount is None:
        found["missing"] = ["amount", "currency"]
    own = playbook.quota.currency
    if is_held(entry, own):
        found["held"] = (
            f"There is no rate from {entry.currency} to {own} for that day; "
            "a manager adds it to game.rates, and the amount counts then."
        )
    return found
