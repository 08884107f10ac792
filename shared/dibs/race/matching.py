"""What of a lead must fit the rep (R1-R5). Pure; each rule is on or off in the playbook."""

from __future__ import annotations

from collections.abc import Iterable

from dibs.core.errors import Refusal
from dibs.core.lead import Lead
from dibs.core.rep import Rep
from dibs.rules.rules import Matching, Rules

MOST_NEEDS = 3
HIGHEST_LEVEL = 5


def mismatches(lead: Lead, rep: Rep, playbook: Rules) -> list[Refusal]:
    """Return what of the lead does not fit the rep: nothing when all does."""
    return [
        found
        for rule in (pod, territory, segment, skills, language, interests)
        for found in rule(lead, rep, playbook)
    ]


def territory(lead: Lead, rep: Rep, playbook: Rules) -> list[Refusal]:
    """Territory (R1): who names territories takes leads of theirs, and those that have none."""
    if playbook.matching.territory and _elsewhere(lead.territory, rep.territories):
        return [Refusal("territory", None, "This lead is outside your territories.")]
    return []


def segment(lead: Lead, rep: Rep, playbook: Rules) -> list[Refusal]:
    """Customer segment (R2): new, existing, high value, or whatever the organisation calls them."""
    if playbook.matching.segment and _elsewhere(lead.segment, rep.segments):
        return [Refusal("segment", None, "You do not serve this customer segment.")]
    return []


def skills(lead: Lead, rep: Rep, playbook: Rules) -> list[Refusal]:
    """Skills with levels (R3): every need of the lead that is a skill, at its level or above."""
    has = dict(rep.skills)
    lacking = [
        name
        for name, level in lead.needs
        if name in playbook.matching.skills and has.get(name, 0) < level
    ]
    if lacking:
        return [Refusal("skills", None, "This lead needs a skill you do not have at its level.")]
    return []


def language(lead: Lead, rep: Rep, playbook: Rules) -> list[Refusal]:
    """Languages (R3): a lead that names one goes to reps who speak it, whatever their script."""
    spoken = {_spoken(tag) for tag in rep.speaks or (rep.language,)}
    if playbook.matching.languages and lead.language and _spoken(lead.language) not in spoken:
        return [Refusal("language", None, "This lead speaks a language you do not.")]
    return []


def interests(lead: Lead, rep: Rep, playbook: Rules) -> list[Refusal]:
    """Interests (R4): who names products takes leads for them, and those that name none."""
    if playbook.matching.interests and _elsewhere(lead.product, rep.interests):
        return [Refusal("interests", None, "This lead is for a product you did not choose.")]
    return []


def pod(lead: Lead, rep: Rep, playbook: Rules) -> list[Refusal]:
    """Pods (R5): a lead that is offered to groups goes to their members."""
    del playbook
    if lead.pods and rep.pod not in lead.pods:
        return [Refusal("other_pod", None, "This lead is offered to another pod.")]
    return []


def skills_needed(needs: Iterable[str], matching: Matching) -> tuple[tuple[str, int], ...]:
    """Return which of a lead's needs are skills here, each with the least level asked for.

    `solar:2` asks for level 2, `solar` for level 1; the highest of several counts. The first three
    are kept: what a claim is judged on stays small.
    """
    found: dict[str, int] = {}
    for need in needs:
        name, level = (part.strip() for part in need.rpartition(":")[::2])
        if not (name and level.isascii() and level.isdigit()):
            name, level = need.strip(), "1"
        if name in matching.skills:
            found[name] = max(found.get(name, 1), min(int(level), HIGHEST_LEVEL))
    return tuple(found.items())[:MOST_NEEDS]


def _elsewhere(of_lead: str, of_rep: tuple[str, ...]) -> bool:
    """Tell whether a rep who names some does not name the lead's, in whatever case."""
    named = {one.casefold() for one in of_rep}
    return bool(of_lead and named) and of_lead.casefold() not in named


def _spoken(tag: str) -> str:
    return tag.replace("_", "-").partition("-")[0].lower()
