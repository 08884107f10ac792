"""Match a lead with a rep (R1-R5). Pure; the playbook switches each rule on or off."""

from __future__ import annotations

from collections.abc import Iterable

from dibs.core.errors import Refusal
from dibs.core.lead import Lead
from dibs.core.rep import Rep
from dibs.rules.rules import Matching, Rules

MOST_NEEDS = 3
HIGHEST_LEVEL = 5


def mismatches(lead: Lead, rep: Rep, playbook: Rules) -> list[Refusal]:
    """Return a refusal for each property of the lead that does not match the rep."""
    return [
        refusal
        for rule in (pod, territory, segment, skills, language, interests)
        for refusal in rule(lead, rep, playbook)
    ]


def territory(lead: Lead, rep: Rep, playbook: Rules) -> list[Refusal]:
    """A rep with territories gets leads of these, and leads without one (R1)."""
    if playbook.matching.territory and _elsewhere(lead.territory, rep.territories):
        return [Refusal("territory", None, "This lead is outside your territories.")]
    return []


def segment(lead: Lead, rep: Rep, playbook: Rules) -> list[Refusal]:
    """A rep with customer segments gets leads of these, and leads without one (R2).

    A segment is new, existing, high value, or any other name the organisation uses.
    """
    if playbook.matching.segment and _elsewhere(lead.segment, rep.segments):
        return [Refusal("segment", None, "You do not serve this customer segment.")]
    return []


def skills(lead: Lead, rep: Rep, playbook: Rules) -> list[Refusal]:
    """A rep needs each skill that the lead asks for, at its level or above (R3)."""
    has = dict(rep.skills)
    lacking = [
        name
        for name, level in lead.needs
        if name in playbook.matching.skills and has.get(name, 0) < level
    ]
    if lacking:
        return [Refusal("skills", None, "This lead needs a skill you do not have at that level.")]
    return []


def language(lead: Lead, rep: Rep, playbook: Rules) -> list[Refusal]:
    """A lead in a language goes to reps who speak it; script and region do not matter (R3)."""
    spoken = {_spoken(tag) for tag in rep.speaks or (rep.language,)}
    if playbook.matching.languages and lead.language and _spoken(lead.language) not in spoken:
        return [Refusal("language", None, "This lead needs a language you do not speak.")]
    return []


def interests(lead: Lead, rep: Rep, playbook: Rules) -> list[Refusal]:
    """A rep with products of interest gets leads for these, and leads without a product (R4)."""
    if playbook.matching.interests and _elsewhere(lead.product, rep.interests):
        return [Refusal("interests", None, "This lead is for a product you did not choose.")]
    return []


def pod(lead: Lead, rep: Rep, playbook: Rules) -> list[Refusal]:
    """A lead that is offered to pods goes to their members only (R5)."""
    del playbook
    if lead.pods and rep.pod not in lead.pods:
        return [Refusal("other_pod", None, "This lead is offered to another pod.")]
    return []


def skills_needed(needs: Iterable[str], matching: Matching) -> tuple[tuple[str, int], ...]:
    """Return the needs of a lead that are skills in the playbook, each with its minimum level.

    `solar:2` asks for level 2, `solar` for level 1; the highest of several counts. Only the first
    three are kept, so that the lead item stays small.
    """
    levels: dict[str, int] = {}
    for need in needs:
        name, level = (part.strip() for part in need.rpartition(":")[::2])
        if not (name and level.isascii() and level.isdigit()):
            name, level = need.strip(), "1"
        if name in matching.skills:
            levels[name] = max(levels.get(name, 1), min(int(level), HIGHEST_LEVEL))
    return tuple(levels.items())[:MOST_NEEDS]


def _elsewhere(of_lead: str, of_rep: tuple[str, ...]) -> bool:
    """Tell whether both have values and the lead's is not among the rep's, ignoring case."""
    values = {value.casefold() for value in of_rep}
    return bool(of_lead and values) and of_lead.casefold() not in values


def _spoken(tag: str) -> str:
    return tag.replace("_", "-").partition("-")[0].lower()
