"""The function's own credentials, as Lambda and ECS give them to a process.

Profiles, single sign-on and all other sources are boto3's: `AWS_CLIENT=boto3` goes back to it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from dibs.aws.signing import Credentials
from dibs.core.errors import NotConfigured

AHEAD_SECONDS = 600
"""How long before its credentials end a process asks for the next; AWS has them ready by then."""

_PAUSE_SECONDS = 5
_WAIT_SECONDS = 2
_ECS = "http://169.254.170.2"

Source = Callable[[], Credentials]


def source(environment: Mapping[str, str]) -> Source:
    """Return what tells a process its credentials of the moment.

    Raises:
        NotConfigured: the environment names none.
    """
    if environment.get("AWS_ACCESS_KEY_ID") and environment.get("AWS_SECRET_ACCESS_KEY"):
        return lambda: _from_environment(environment)  # read each time: they may be replaced
    url = environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI", "")
    if path := environment.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
        url = _ECS + path
    if not url:
        raise NotConfigured(
            "There are no AWS credentials in the environment. Set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or AWS_CLIENT=boto3 for all the places boto3 knows."
        )
    return ContainerCredentials(url, environment)


def _from_environment(environment: Mapping[str, str]) -> Credentials:
    return Credentials(
        environment["AWS_ACCESS_KEY_ID"],
        environment["AWS_SECRET_ACCESS_KEY"],
        environment.get("AWS_SESSION_TOKEN", ""),
    )


class ContainerCredentials:
    """Credentials of the endpoint beside the process (ECS, EKS, Lambda with SnapStart).

    They are asked for anew before they end. If that fails, those at hand are used to their end.
    """

    def __init__(
        self,
        url: str,
        environment: Mapping[str, str],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._url = url
        self._environment = environment
        self._now = now
        self._kept: Credentials | None = None
        self._ends_at = self._ask_at = 0.0

    def __call__(self) -> Credentials:
        """Return credentials that hold now.

        Raises:
            OSError: the endpoint does not answer, and those at hand have ended.
        """
        # Two threads may both ask; both answers are good.
        kept, now = self._kept, self._now()
        if kept is not None and now < self._ask_at:
            return kept
        try:
            kept, ends_at = _parsed(_get(self._url, self._authorization()))
        except (OSError, ValueError, KeyError) as error:
            if kept is None or now >= self._ends_at:
                raise OSError("the credentials' endpoint does not answer") from error
            self._ask_at = now + _PAUSE_SECONDS
            return kept
        self._kept, self._ends_at = kept, ends_at
        # An endpoint that hands out the last minutes of its keys is not asked for every request.
        self._ask_at = max(ends_at - AHEAD_SECONDS, now + _PAUSE_SECONDS)
        return kept

    def _authorization(self) -> str:
        path = self._environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
        if path:
            return Path(path).read_text(encoding="utf-8").strip()
        return self._environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")


def _parsed(body: bytes) -> tuple[Credentials, float]:
    answer = json.loads(body)
    ends_at = datetime.fromisoformat(answer["Expiration"]).timestamp()
    return Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["Token"]), ends_at


def _get(url: str, authorization: str) -> bytes:
    from http.client import HTTPConnection, HTTPException, HTTPSConnection

    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.netloc, timeout=_WAIT_SECONDS)
    try:
        said = {"authorization": authorization} if authorization else {}
        query = f"?{parts.query}" if parts.query else ""
        connection.request("GET", f"{parts.path or '/'}{query}", headers=said)
        answer = connection.getresponse()
        body = answer.read()
    except HTTPException as error:
        raise OSError("no answer") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise OSError(f"status {answer.status}")
    return body
