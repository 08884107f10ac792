"""The pages of a rep's receipts: all their races, and one of them with how to check it (C9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from dibs.core.rep import Rep
from dibs.core.values import dataclass
from dibs.receipts.body import LONGEST_WORDS
from dibs.receipts.ports import Dispute
from dibs.receipts.receipts import Outcome, Receipt, TriedRace
from dibs.receipts.seal import OwnReceipt
from dibs.receipts.texts import outcome_words, rules_in_words
from dibs.screens.frame import ME
from dibs.web.http import Response
from dibs.web.translations import local_time, named, translator
from rep import page


@dataclass(frozen=True)
class Line:
    """A race in the list."""

    href: str
    company: str
    at: str
    outcome: str
    won: bool
    place: int | None
    behind_ms: int | None
    rules: Sequence[str]


def receipts(
    rep: Rep,
    races: Sequence[TriedRace],
    companies: Mapping[str, str],
    following: str,
    now: datetime,
) -> Response:
    """The races a rep tried to win, the newest first."""
    lines = [
        Line(
            f"/leads/{one.lead_id}/receipt?epoch={one.epoch}",
            companies.get(one.lead_id) or named("", rep.language),
            local_time(one.closed_at, rep, now),
            outcome_words(one.outcome, rep.language),
            one.outcome is Outcome.WON,
            one.place,
            one.behind_ms,
            rules_in_words(one.rules, rep.language),
        )
        for one in races
    ]
    return page.made(200, "receipts.html", rep.language, lines=lines, following=following, here=ME)


def receipt(
    rep: Rep,
    own: OwnReceipt,
    filed: Dispute | None,
    lead_id: str,
    company: str,
    now: datetime,
) -> Response:
    """One receipt: what happened, how to check it, and the rep's dispute with its answer."""
    part, sealed = own.part, own.sealed
    final = part if isinstance(part, Receipt) else None
    rules = part.rules if isinstance(part, Receipt) else part.refused or part.kept_out
    _ = translator(rep.language)
    proof = None
    if sealed is not None:
        link = sealed.links[own.place]
        proof = {
            "before": sealed.links[own.place - 1].hash,
            "text": link.text,
            "hash": link.hash,
            "head": sealed.head,
            "block": sealed.block,
            "sealed_at": _second(sealed.race.sealed_at, rep),
        }
    return page.made(
        200,
        "receipt.html",
        rep.language,
        company=company or named("", rep.language),
        lead_id=lead_id,
        epoch=own.epoch,
        outcome=outcome_words(final.outcome, rep.language) if final else _("Not final yet"),
        won=final is not None and final.outcome is Outcome.WON,
        final=final,
        told=_second(part.told_at, rep),
        tried=_second(part.attempted_at, rep),
        rules=rules_in_words(rules, rep.language),
        proof=proof,
        filed=filed,
        filed_at="" if filed is None else local_time(filed.at, rep, now),
        longest=LONGEST_WORDS,
        here=ME,
    )


def _second(at: datetime | None, rep: Rep) -> str:
    """Return a moment of a race on the rep's clock: what counts is less than a second."""
    if at is None:
        return ""
    local = at.astimezone(ZoneInfo(rep.zone))
    return f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03}"
