"""moto over HTTP, so that our own client can ask it; moto's own server needs Flask."""

from __future__ import annotations

import base64
import json
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError

from support.odd_server import Behaviour, answer


def asking(client: Any) -> Behaviour:
    """Return a server's behaviour: it asks boto3's client what it is asked."""

    def behave(request: bytes) -> bytes:
        head, _, body = request.partition(b"\r\n\r\n")
        operation = head.partition(b"DynamoDB_20120810.")[2].partition(b"\r\n")[0].decode()
        asked = json.loads(body, object_hook=_bytes)
        try:
            told = getattr(client, xform_name(operation))(**asked)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            told = {
                **error.response,
                "__type": f"com.amazonaws.dynamodb.v20120810#{code}",
                "message": error.response["Error"].get("Message", ""),
            }
            return answer(_json(told), "400 Bad Request")
        told.pop("ResponseMetadata", None)
        return answer(_json(told))

    return behave


def _json(told: dict[str, Any]) -> bytes:
    return json.dumps(told, default=lambda value: base64.b64encode(value).decode()).encode()


def _bytes(value: dict[str, Any]) -> dict[str, Any]:
    return {"B": base64.b64decode(value["B"])} if isinstance(value.get("B"), str) else value
