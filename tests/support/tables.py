"""Read template.yaml, and create its tables for tests."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from dibs.aws.settings import TABLES, Settings, logical_id
from tools.scan import written_out

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
_CREATED_WITH = (
    "BillingMode",
    "AttributeDefinitions",
    "KeySchema",
    "GlobalSecondaryIndexes",
)


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short tags as their long forms."""


def _tag(loader: _Loader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _tag)


@lru_cache(maxsize=1)
def template() -> dict[str, Any]:
    """Return the template as written, without expanding its loops."""
    loaded: dict[str, Any] = yaml.load(TEMPLATE.read_text(encoding="utf-8"), _Loader)
    return loaded


@lru_cache(maxsize=1)
def expanded() -> dict[str, Any]:
    """Return the template with its loops expanded and its Globals in each function."""
    return written_out()


def create_tables(client: Any, prefix: str) -> Settings:
    """Create every table under a prefix and return settings that point at them."""
    names = {}
    for field in TABLES:
        properties = template()["Resources"][logical_id(field)]["Properties"]
        names[field] = f"{prefix}-{field.removesuffix('_table')}"
        client.create_table(
            TableName=names[field], **{k: properties[k] for k in _CREATED_WITH if k in properties}
        )
    return Settings(**names, public_url="https://dibs.example")
