"""What each function's role in template.yaml allows, held against what the function really asks.

moto lets everybody do everything; on AWS a missing right shows in production, and most likely on
a path that is seldom taken. The same goes for keys longer than DynamoDB takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from support.tables import template

_TRANSACT = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
# The actions IAM has for requests of other names.
_ACTIONS = {
    "dynamodb:BatchWriteItem": "dynamodb:BatchWriteItem",
    "sns:PublishBatch": "sns:Publish",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}
# DynamoDB's own limit, which moto does not know.
_LONGEST_KEY = 1024
_NAMES_ITS_RESOURCE = (
    "TopicArn",
    "TargetArn",
    "PhoneNumber",
    "PlatformApplicationArn",
    "EndpointArn",
    "QueueUrl",
    "SecretId",
)


class Roles:
    """The roles of the template. `arns` are the values its references have in this account.

    `writes` are the tables that each write of the latest function went to, in order.
    """

    def __init__(self, arns: Mapping[str, str], tables: Mapping[str, str]) -> None:
        self._arns = arns
        self._tables = tables
        self._function: str | None = None
        self.writes: list[set[str]] = []
        self._refused: list[str] = []

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Look at every request of every client from now on."""
        ask = BaseClient._make_api_call  # type: ignore[attr-defined]

        def watched(client: Any, operation: str, request: dict[str, Any]) -> Any:
            if self._function is not None:
                service = client.meta.service_model.service_name
                for action, resource in self._asked(service, operation, request):
                    if not self._allows(self._function, action, resource):
                        self._refused.append(f"{action} on {resource}")
            if service_of(client) == "dynamodb" and (tables := _written(operation, request)):
                self.writes.append(tables)
            if any(len(key) > _LONGEST_KEY for key in _keys(request)):
                raise ClientError({"Error": {"Code": "ValidationException"}}, operation)
            return ask(client, operation, request)

        monkeypatch.setattr(BaseClient, "_make_api_call", watched)

    @contextmanager
    def taken_by(self, function: str) -> Iterator[list[str]]:
        """Act in a function's role; what it was not allowed stands in the list."""
        self._function, self._refused, self.writes = function, [], []
        try:
            yield self._refused
        finally:
            self._function = None

    def _asked(
        self, service: str, operation: str, request: dict[str, Any]
    ) -> Iterator[tuple[str, str]]:
        if service != "dynamodb":
            action = f"{service}:{operation}"
            named = (str(request[name]) for name in _NAMES_ITS_RESOURCE if name in request)
            where = next(named, "*")
            yield _ACTIONS.get(action, action), self._arns.get(where, where)
        elif operation == "TransactWriteItems":
            for write in request["TransactItems"]:
                for kind, one in write.items():
                    yield f"dynamodb:{_TRANSACT[kind]}", self._tables[one["TableName"]]
        elif "RequestItems" in request:
            for table in request["RequestItems"]:
                yield f"dynamodb:{operation}", self._tables[table]
        else:
            index = f"/index/{request['IndexName']}" if "IndexName" in request else ""
            yield f"dynamodb:{operation}", self._tables[request["TableName"]] + index

    def _allows(self, function: str, action: str, resource: str) -> bool:
        properties = template()["Resources"][f"{function.capitalize()}Function"]["Properties"]
        return any(
            any(fnmatchcase(action, allowed) for allowed in _listed(statement["Action"]))
            and self._covers(statement, resource)
            for policy in properties["Policies"]
            for choice in policy["Statement"]
            for statement in [choice.get("Fn::If", [None, choice])[1]]
        )

    def _covers(self, statement: dict[str, Any], resource: str) -> bool:
        named = statement.get("NotResource", statement.get("Resource"))
        found = any(fnmatchcase(resource, arn) for arn in _listed(self._value(named)))
        return found is ("Resource" in statement)

    def _value(self, node: Any) -> Any:
        """Work out a value of the template, as CloudFormation would on AWS."""
        if isinstance(node, list):
            return [value for item in node for value in _listed(self._value(item))]
        if not isinstance(node, dict):
            return node
        [(function, given)] = node.items()
        if function == "Ref":
            return self._arns.get(given, f"arn:other:{given}")
        if function == "Fn::GetAtt":
            return self._arns.get(".".join(given), f"arn:other:{given[0]}")
        if function == "Fn::Sub":
            return re.sub(r"\$\{([^}]+)\}", lambda m: self._value({"Ref": m[1]}), given)
        if function == "Fn::If":
            return self._value(given[1])
        if function == "Fn::Split":
            return self._value(given[1]).split(given[0])
        assert function == "Fn::Join", function
        return given[0].join(self._value(given[1]))


def service_of(client: Any) -> str:
    return str(client.meta.service_model.service_name)


def _written(operation: str, request: dict[str, Any]) -> set[str]:
    """The tables a request to DynamoDB writes to."""
    if operation == "TransactWriteItems":
        return {one["TableName"] for write in request["TransactItems"] for one in write.values()}
    if operation == "BatchWriteItem":
        return set(request["RequestItems"])
    return {request["TableName"]} if operation in ("PutItem", "UpdateItem", "DeleteItem") else set()


def _keys(request: dict[str, Any]) -> Iterator[str]:
    """Find the texts a request to DynamoDB looks items up by."""
    tables = request.get("RequestItems", {}).values()
    many = [key for asked in tables if isinstance(asked, dict) for key in asked["Keys"]]
    for key in (*many, request.get("Key", {})):
        for value in key.values():
            yield value.get("S", "")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
