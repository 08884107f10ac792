"""Settings from the environment, read once into one frozen object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields

from dibs.core.errors import NotConfigured
from dibs.core.values import dataclass


@dataclass(frozen=True)
class Settings:
    """A function's settings. Each field is an environment variable, its name in capitals."""

    leads_table: str
    contacts_table: str
    organisation_table: str
    offers_table: str
    once_table: str
    ledger_table: str
    identities_table: str
    races_table: str
    standings_table: str
    game_table: str
    credentials_table: str
    audit_table: str
    public_url: str
    facts_topic_arn: str = ""
    managers_topic_arn: str = ""
    notify_queue_url: str = ""
    offer_queue_url: str = ""
    publish_queue_url: str = ""
    intake_secret_id: str = ""
    results_secret_id: str = ""
    apns_application_arn: str = ""
    fcm_application_arn: str = ""
    sms_origination_number: str = ""
    store_timeout_seconds: str = "2"
    aws_client: str = "own"


TABLES = tuple(f.name for f in fields(Settings) if f.name.endswith("_table"))


def logical_id(field: str) -> str:
    """Return the name of a table or an output in template.yaml: `LeadsTable` for `leads_table`."""
    return "".join(word.capitalize() for word in field.split("_"))


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Read the settings.

    Raises:
        NotConfigured: a required variable is missing; the message names it.
    """
    values: dict[str, str] = {}
    for field in fields(Settings):
        variable = field.name.upper()
        if field.default is MISSING and not environment.get(variable):
            raise NotConfigured(f"Set the environment variable {variable}.")
        values[field.name] = environment.get(variable) or str(field.default)
    return Settings(**values)
