"""The demo organisation of the local stack: two teams, their reps and their playbook."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from dibs.aws import clock
from dibs.aws.clients import dynamodb
from dibs.aws.dynamo import Dynamo
from dibs.aws.settings import Settings
from dibs.cli.target import settings_of
from dibs.core.calendar import WEEKDAYS
from dibs.core.credentials import shown
from dibs.core.errors import Unauthorized
from dibs.core.rep import Rep
from dibs.intake.signing import Scope
from dibs.people.access import add_manager, issue_token
from dibs.people.operator import add_rep, all_reps
from dibs.playbook.changes import apply, propose
from dibs.playbook.file import read_playbook
from dibs.roster.callers import calling_viewer
from dibs.rules.presets import preset_text
from dibs.wiring import Wiring
from tools.local.deploy import client, functions, outputs
from tools.local.place import REGION, STACK, Place


@dataclass(frozen=True)
class DemoRep:
    """An invented rep. Phone numbers are from the ranges reserved for fiction."""

    name: str
    team: str
    tier: int
    zone: str
    phone: str
    language: str = "en"


BY = "operator"
MANAGER = "Morgan Hale"
YOU = "Robin Sayers"
"""The rep played by the person who watches; no simulated rep acts for them."""

TEAM = (
    DemoRep(YOU, "north", 2, "Asia/Kuching", "+12025550100"),
    DemoRep("Aisyah Rahman", "north", 1, "Asia/Kuching", "+12025550101", "ms"),
    DemoRep("Ben Carter", "north", 1, "Europe/London", "+12025550102"),
    DemoRep("Chong Wei Lin", "north", 2, "Asia/Singapore", "+12025550103"),
    DemoRep("Dayang Nurul", "north", 2, "Asia/Kuching", "+12025550104", "ms"),
    DemoRep("Elena Petrova", "north", 3, "Europe/Berlin", "+12025550105"),
    DemoRep("Farid Osman", "north", 3, "Asia/Kuala_Lumpur", "+12025550106", "ms"),
    DemoRep("Grace Okafor", "south", 1, "Africa/Lagos", "+61491570156"),
    DemoRep("Hiroshi Tanaka", "south", 1, "Asia/Tokyo", "+61491570157"),
    DemoRep("Isabel Moreno", "south", 2, "America/Bogota", "+61491570158"),
    DemoRep("James Ling", "south", 2, "Asia/Kuching", "+61491570159", "ms"),
    DemoRep("Kavita Nair", "south", 3, "Asia/Kolkata", "+61491570110"),
    DemoRep("Liam Walsh", "south", 3, "Australia/Sydney", "+61491570006"),
)

DEMO = {
    "english": (YOU, "rep, English"),
    "malay": ("Aisyah Rahman", "rep, Malay"),
    "manager": (MANAGER, "manager"),
}
"""Who a newcomer may be, by the word in the link."""

QUEST = {
    "name": "First weeks",
    "badge": "Ready to race",
    "points": 50,
    "steps": {
        "welcome": {"name": "Watch the welcome video", "type": "training_step"},
        "ethics": {
            "name": "Safety and ethics training",
            "type": "training_step",
            "verified_by": "manager",
        },
        "dialler": {
            "name": "Make a call with the dialler",
            "type": "tool_used",
            "verified_by": "self",
        },
        "seller": {
            "name": "Ask a top seller how they open",
            "type": "peer_interview",
            "verified_by": "peer",
        },
    },
}
"""The onboarding quest of the demo (G8)."""


def playbook() -> str:
    """Return the demo playbook: an open pool with high limits, so that only speed decides."""
    rules = json.loads(preset_text("open-pool"))
    # Around the clock: the demo is looked at whenever somebody has the time.
    always = {day: ["00:00-24:00"] for day in WEEKDAYS}
    rules["teams"] = {
        "north": {"name": "North", "anonymous": False, "hours": always},
        "south": {"name": "South", "anonymous": False, "hours": always},
    }
    rules["routing"] = [{"teams": ["north", "south"]}]
    rules["claims_per_day"] = 500
    rules["phone_region"] = "MY"
    rules["sms"] = {"enabled": True, "per_rep_per_day": 1000, "per_organisation_per_day": 100_000}
    rules["game"] = {"quests": {"onboarding": QUEST}}
    return json.dumps(rules)


def seed(place: Place) -> None:
    """Add the demo reps that are missing, and write stack.json, the stack's description.

    Tokens are stored beside the state, so a restart keeps them.
    """
    deployed = outputs()
    settings = settings_of(STACK)
    stores = Wiring(settings, Dynamo(dynamodb()))
    roster, tokens = stores.roster, _Tokens(place)
    stores.credentials.carry_over()  # state of an earlier version
    if not stores.credentials.managers():
        # The manager is added last, so an incomplete seeding is repeated.
        proposal = propose(stores.playbooks, roster, read_playbook(playbook()))
        apply(stores.playbooks, proposal, BY, clock.now())
        reps = _reps(stores, tokens)
        _, token = add_manager(stores.credentials, roster.playbook(), MANAGER, "", BY, clock.now())
        tokens.keep("manager", token)
    else:
        reps = _reps(stores, tokens)
        if not _good(stores, tokens.of("manager")):
            manager = stores.credentials.managers()[0]
            token = issue_token(stores.credentials, manager.manager_id, BY, clock.now())
            tokens.keep("manager", token)
    _describe(place, deployed, settings, stores, reps, tokens)


def _good(stores: Wiring, token: str | None) -> bool:
    """Tell whether a kept token still proves who somebody is."""
    if token is None:
        return False
    try:
        calling_viewer(shown(token), stores.credentials, clock.now())
    except Unauthorized:
        return False
    return True


def _reps(stores: Wiring, tokens: _Tokens) -> list[Rep]:
    roster = stores.roster
    known = {rep.name: rep for rep in all_reps(roster)}
    for member in TEAM:
        rep = known.get(member.name)
        if rep is None:
            rep, token = add_rep(
                roster,
                name=member.name,
                team=member.team,
                zone=member.zone,
                phone=member.phone,
                tier=member.tier,
                language=member.language,
                joined=JOINED,
                by=BY,
                now=clock.now(),
            )
            known[member.name] = rep
            tokens.keep(rep.rep_id, token)
        elif not _good(stores, tokens.of(rep.rep_id)):
            token = issue_token(stores.credentials, rep.rep_id, BY, clock.now())
            tokens.keep(rep.rep_id, token)
    return [known[member.name] for member in TEAM]


JOINED = "2025-01-06"
"""The team is no newcomers to any rules that are tried."""


class _Tokens:
    """The tokens of this stack's people; the stack itself stores only their hashes."""

    def __init__(self, place: Place) -> None:
        self._file = place.home / "tokens.json"
        self._known: dict[str, str] = (
            json.loads(self._file.read_text()) if self._file.exists() else {}
        )

    def of(self, owner: str) -> str | None:
        return self._known.get(owner)

    def keep(self, owner: str, token: str) -> None:
        self._known[owner] = token
        self._file.write_text(json.dumps(self._known, indent=1))
        self._file.chmod(0o600)


def _describe(
    place: Place,
    deployed: dict[str, str],
    settings: Settings,
    stores: Wiring,
    reps: list[Rep],
    tokens: _Tokens,
) -> None:
    book = stores.signatures.book()
    sources = [one for one in book.values() if set(one.scopes) == set(Scope)]
    stack: dict[str, Any] = {
        "api_url": place.api_url(deployed["ApiId"]),
        "public_url": place.public_url,
        "aws_endpoint_url": place.endpoint,
        "region": REGION,
        "intake_secret": f"whsec_{sources[0].current}" if sources else "",
        "inbound_sms_topic_arn": deployed["InboundSmsTopicArn"],
        "push_failures_topic_arn": deployed["PushFailuresTopicArn"],
        "functions": functions(),
        "settings": {name.upper(): value for name, value in vars(settings).items() if value},
        "manager_token": tokens.of("manager"),
        "demo_links": demo_links(place.public_url),
        "reps": [
            {
                "rep_id": rep.rep_id,
                "name": rep.name,
                "phone": rep.phone,
                "team": rep.team,
                "tier": rep.tier,
                "token": tokens.of(rep.rep_id),
            }
            for rep in reps
        ],
    }
    _offer_sign_in(stack["functions"]["boards"], reps, tokens)
    for path in place.stack_files():
        path.write_text(json.dumps(stack, indent=1))
        path.chmod(0o600)


def demo_links(public_url: str) -> dict[str, str]:
    """Return the newcomer's demo: who one may be, and the page where one tap makes one so."""
    return {who: f"{public_url}/sign-in?as={key}" for key, (_, who) in DEMO.items()}


def _offer_sign_in(function: str, reps: list[Rep], tokens: _Tokens) -> None:
    """Let the page to sign in offer the people of the demo, each by one tap."""
    owners = {MANAGER: "manager", **{rep.name: rep.rep_id for rep in reps}}
    people = [
        {"as": key, "name": name, "who": who, "token": tokens.of(owners[name])}
        for key, (name, who) in DEMO.items()
    ]
    functions = client("lambda")
    found = functions.get_function_configuration(FunctionName=function)
    variables = {**found["Environment"]["Variables"], "DEMO_SIGN_IN": json.dumps(people)}
    functions.update_function_configuration(
        FunctionName=function, Environment={"Variables": variables}
    )
