"""What points came for, in a rep's language (G1, G9)."""

from __future__ import annotations

from collections.abc import Mapping

from dibs.ledger.texts import done_label
from dibs.web.translations import N_, translator

_OF_A_LEAD: Mapping[str, str] = {
    "claim": N_("{company}: claimed fast"),
    "contact": N_("{company}: reached in time"),
    "opportunity": N_("{company} became an opportunity"),
    "won": N_("{company} was won"),
}
_WORDS: Mapping[str, str] = {
    "claim": N_("A lead claimed fast"),
    "contact": N_("A contact reached in time"),
    "opportunity": N_("A lead became an opportunity"),
    "won": N_("A deal was won"),
    "helped": N_("You helped a colleague"),
    "quest": N_("A quest was finished"),
    "prize": N_("A contest's prize"),
    "reward": N_("You asked for a reward"),
    "refused": N_("A reward was refused"),
    "recalled": N_("A reward was taken back"),
    "lapsed": N_("A request for a reward expired"),
    "decay": N_("Old points expired"),
}
_REVERSED = "_reversed"


def points_words(rule: str, company: str, language: str) -> str:
    """Return why points came or went: by rule, with the lead's company where it is about one."""
    _ = translator(language)
    if rule.endswith(_REVERSED):
        what = points_words(rule.removesuffix(_REVERSED), company, language)
        return _("Taken back: {what}", what=what)
    if company and rule in _OF_A_LEAD:
        return _(_OF_A_LEAD[rule], company=company)
    words = _(_WORDS[rule]) if rule in _WORDS else done_label(rule, language)
    return f"{company}: {words}" if company else words
