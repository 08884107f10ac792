"""Texts in a rep's own language, from gettext catalogues; English where there is no other.

The English sentence is the key. Write `_("Claim {company}?", company=...)`, or mark a sentence
that is looked up later with `N_`. After adding one, bring the catalogues up to date (Babel is a
development dependency), translate the new entries, and compile:

    pybabel extract -F shared/dibs/locale/babel.cfg --no-location -o /tmp/dibs.pot .
    pybabel update -D dibs -d shared/dibs/locale -N --no-wrap --ignore-obsolete -i /tmp/dibs.pot
    pybabel compile -D dibs -d shared/dibs/locale

A test fails while a sentence is missing, empty, fuzzy or not compiled.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from dibs.core.errors import (
    AlreadyExists,
    DibsError,
    Ended,
    Forbidden,
    IllegalMove,
    InvalidInput,
    LeadNotFound,
    NoLongerYours,
    NotEnoughPoints,
    NotYours,
    Outdated,
    OutOfStock,
    Refusal,
    RouteNotFound,
)
from dibs.core.lead import Lead
from dibs.core.quality import Quality
from dibs.core.rep import Rep

LOCALES = Path(__file__).parent.parent / "locale"
DOMAIN = "dibs"
ENGLISH = "en"
LANGUAGE_NAMES: Mapping[str, str] = {
    "en": "English",
    "ms": "Bahasa Melayu",
    "ru": "Русский",
    "zh_Hans": "简体中文",
    "zh_Hant": "繁體中文",
}
"""What each language calls itself, by its catalogue."""


def N_(msgid: str) -> str:  # noqa: N802 - the name every gettext tool looks for
    """Mark a sentence for the catalogues without translating it yet."""
    return msgid


class Translator:
    """The texts of one language. `language` is the catalogue's tag, fit for `<html lang>`."""

    def __init__(self, language: str, catalogue: gettext.NullTranslations) -> None:
        self.language = language
        self._catalogue = catalogue

    def __call__(self, msgid: str, /, **values: object) -> str:
        """Return the sentence with its `{names}` filled in."""
        text = self._catalogue.gettext(msgid)
        return text.format(**values) if values else text

    def ngettext(self, singular: str, plural: str, n: int, /, **values: object) -> str:
        """Return the sentence in the form that goes with `n`, which fills `{n}`."""
        return self._catalogue.ngettext(singular, plural, n).format(n=n, **values)


def translator(language: str) -> Translator:
    """Return the texts of `language` (`ms`, `ms-MY`, `MS_my`), English where it is unknown."""
    return _translator(_tag(language))


def languages() -> tuple[str, ...]:
    """Return the languages there are catalogues for."""
    found = LOCALES.glob(f"*/LC_MESSAGES/{DOMAIN}.mo")
    return tuple(sorted(path.parent.parent.name for path in found))


def shown_company(lead: Lead, language: str) -> str:
    """Return what a lead is called before the claim: a blind one by no name of its own (F4)."""
    _ = translator(language)
    return _("Blind lead") if lead.blind else named(lead.shown.company, language)


def named(company: str, language: str) -> str:
    """Return a company's name, or that it has none: it was but a link or a phone number (N2)."""
    _ = translator(language)
    return company or _("Unnamed company")


def refusal_sentence(refusal: Refusal, language: str) -> str:
    """Return why a rule says no, in the rep's language.

    The domain's own sentence is English; its numbers are read back out of it. A sentence that is
    not known here is given as it stands: English is better than nothing.
    """
    for template in REFUSALS.get(refusal.code, ()):
        found = _pattern(template).fullmatch(refusal.how)
        if found:
            return translator(language)(template, **found.groupdict())
    return refusal.how


def in_words(span: timedelta, language: str) -> str:
    """Return a length of time as a person would say it: "40 seconds", "3 hours 20 minutes"."""
    _ = translator(language)
    seconds = max(0, round(span.total_seconds()))
    minutes = round(seconds / 60)
    hours = round(minutes / 60)
    if seconds < 60:
        return _.ngettext("{n} second", "{n} seconds", seconds)
    if minutes < 60:
        return _.ngettext("{n} minute", "{n} minutes", minutes)
    if hours >= 24:
        return _.ngettext("{n} day", "{n} days", round(hours / 24))
    words = _.ngettext("{n} hour", "{n} hours", minutes // 60)
    if minutes % 60:
        words += " " + _.ngettext("{n} minute", "{n} minutes", minutes % 60)
    return words


def local_time(at: datetime, rep: Rep, now: datetime) -> str:
    """Return a moment on the rep's clock: the time alone where it is today."""
    local = at.astimezone(ZoneInfo(rep.zone))
    return f"{local:%H:%M}" if local.date() == rep.today(now) else f"{local:%Y-%m-%d %H:%M}"


HEAT = {
    Quality.HOT: N_("Hot lead"),
    Quality.WARM: N_("Warm lead"),
    Quality.COLD: N_("Cold lead"),
}
"""What is said of a lead's warmth."""


def heat(quality: Quality, score: int | None, _: Translator) -> str:
    """Return what is said of a lead's warmth, with its score where there is one."""
    words = _(HEAT[quality])
    return words if score is None else f"{words} {score}"


OUTCOME_LABELS: Mapping[str, str] = {
    "called": N_("Called"),
    "no answer": N_("No answer"),
    "reached": N_("Reached"),
    "meeting": N_("Meeting"),
    "wrong number": N_("Wrong number"),
    "not interested": N_("Not interested"),
}
"""What the button of each quick outcome says."""

# What each rule says (the domain's sentences, numbers as {names}), by the refusal's code.
REFUSALS: dict[str, Sequence[str]] = {
    "not_routed": (N_("This lead goes to other teams."),),
    "left": (N_("Your account is closed. Ask your manager."),),
    "not_open_yet": (N_("This lead opens for you soon."),),
    "assigned_only": (N_("Leads like this come to you by assignment only."),),
    "closed": (N_("The time to claim this lead is over."),),
    "team_paused": (N_("Your team is paused: {reason}"),),
    "paused_by_manager": (N_("Your manager has paused you: {reason}"),),
    "paused": (N_("You are paused. Switch yourself on to claim."),),
    "on_leave": (N_("You are on leave."),),
    "holiday": (N_("Today is a holiday in your team."),),
    "outside_hours": (N_("You are outside your working hours."),),
    "weekly_allowance": (
        N_(
            "You have had your leads for this week ({count}). "
            "The count starts again on Monday in your time zone."
        ),
    ),
    "other_pod": (N_("This lead is offered to another pod."),),
    "territory": (N_("This lead is outside your territories."),),
    "segment": (N_("You do not serve this customer segment."),),
    "skills": (N_("This lead needs a skill you do not have at that level."),),
    "language": (N_("This lead needs a language you do not speak."),),
    "interests": (N_("This lead is for a product you did not choose."),),
    "newcomer": (
        N_("You are new: in your first weeks leads come to you by assignment."),
        N_("You are new: for now you race among newcomers only."),
    ),
    "newcomers_only": (N_("Only newcomers can claim this lead."),),
    "owes_warm": (N_("You have claimed {count} hot leads this week. Claim a warm one first."),),
    "owes_assignment": (
        N_("You have claimed {count} leads. Accept the one assigned to you first."),
        N_(
            "You have claimed {count} leads. "
            "The next one that fits you is assigned to you; accept it first."
        ),
    ),
    "owes_cold": (
        N_("You claimed {count} cold leads last week, of {wanted}. Claim {missing} more first."),
    ),
    "hourly_limit": (
        N_("You have reached your limit for this hour ({count})."),
        N_("You have claimed {count} leads within one hour."),
    ),
    "weekly_limit": (
        N_(
            "You have reached your limit of claims for this week ({count}). "
            "The count starts again on Monday in your time zone."
        ),
        N_("You have claimed {count} leads within one week."),
    ),
    "open_load": (N_("You hold {count} leads you have not worked yet. Work one first."),),
    "released_lately": (
        N_("You released this lead. It is kept for others for a while (days: {count})."),
    ),
    "not_twice_in_a_row": (N_("You had this lead last. It goes to somebody else first."),),
    "undone": (
        N_("You undid your claim of this lead, so it goes to others. Ask your manager for it."),
    ),
    "in_hand": (N_("You hold {count} leads you have not worked yet."),),
    "daily_limit": (
        N_(
            "You have reached your limit for today ({count}). "
            "The count starts again at midnight in your time zone."
        ),
        N_("You have claimed {count} leads within one day."),
    ),
}


def _tag(language: str) -> str:
    """Return the language part of a tag, in lower case, with nothing in it but letters."""
    found = re.match(r"[a-z]{2,3}(?=$|[-_])", language.strip().lower())
    return found.group() if found else ENGLISH


@lru_cache(maxsize=32)
def _translator(tag: str) -> Translator:
    for language in (tag, ENGLISH):
        try:
            return Translator(language, gettext.translation(DOMAIN, LOCALES, [language]))
        except OSError:
            continue
    return Translator(ENGLISH, gettext.NullTranslations())


@lru_cache(maxsize=64)
def _pattern(template: str) -> re.Pattern[str]:
    literal = re.escape(template)
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", literal))


_ONLY_OTHERS: Mapping[frozenset[str], str] = {
    frozenset(("system",)): N_(
        "Nothing is recorded: in your organisation only a system reports this."
    ),
    frozenset(("manager",)): N_(
        "Nothing is recorded: in your organisation only a manager reports this."
    ),
    frozenset(("system", "manager")): N_(
        "Nothing is recorded: in your organisation only a system or a manager reports this."
    ),
}


_SAID: Mapping[type[DibsError], str] = {
    AlreadyExists: N_("You sent something else before. Open the page again and send it anew."),
    Ended: N_("This is over, so nothing can be added."),
    IllegalMove: N_("You won this race. Only a race you did not win can be disputed."),
    LeadNotFound: N_("You have no such lead."),
    NotYours: N_("This lead is not yours any more."),
    OutOfStock: N_("The last one is gone. Your points are still yours: look at the other rewards."),
    Outdated: N_("The price has changed. Nothing is asked for; look at the new price."),
    RouteNotFound: N_("There is no such thing here. It may be gone."),
    InvalidInput: N_("Something is missing or too long. Fill it in again."),
}


def said_of(error: DibsError, language: str) -> str:
    """Return why something that a form of a rep's page asked for was not done, and what to do."""
    _ = translator(language)
    if isinstance(error, NotEnoughPoints):
        return _.ngettext(
            "You need {n} more point for this reward.",
            "You need {n} more points for this reward.",
            error.missing,
        )
    return _(_SAID.get(type(error), N_("Nothing was done. Go back and try once more.")))


def not_done(error: DibsError, language: str) -> str:
    """Return why a lead is not shown, or nothing recorded of it, and what to do (U2)."""
    _ = translator(language)
    if isinstance(error, NoLongerYours):
        return str(error)
    if isinstance(error, LeadNotFound):
        return _("You have no such lead.")
    if isinstance(error, IllegalMove):
        return _(
            "Nothing is recorded: this lead is closed. If that is a mistake, ask your manager to "
            "open it again."
        )
    if isinstance(error, NotYours):
        return _("Nothing is recorded: this lead is not yours any more.")
    if isinstance(error, Forbidden) and frozenset(error.only) in _ONLY_OTHERS:
        return _(_ONLY_OTHERS[frozenset(error.only)])
    if isinstance(error, Forbidden):
        return _("Nothing is recorded: in your organisation you do not report this.")
    if isinstance(error, InvalidInput) and any(one.field == "amount" for one in error.errors):
        return _(
            "Nothing is recorded. Write the amount such as 1250.50; a larger one than you may "
            "report is for your manager."
        )
    return _("Nothing is recorded. Open the lead again and try once more.")
