"""AWS's signature, version 4, for the requests we send: a POST to `/` with a body."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from hashlib import sha256
from time import gmtime, strftime
from typing import NamedTuple


class Credentials(NamedTuple):
    """Who asks. `token` is empty for keys that do not end."""

    key_id: str
    secret: str
    token: str = ""


class Signer:
    """Signs requests to one service in one region.

    The signing key is the same for a whole day, so it is kept. That saves four of six hashes.
    """

    def __init__(self, service: str, region: str) -> None:
        self._service = service
        self._region = region
        self._kept: tuple[tuple[str, str], bytes] = (("", ""), b"")

    def sign(
        self, who: Credentials, headers: Mapping[str, str], body: bytes, at: float
    ) -> dict[str, str]:
        """Return the headers (names in lower case, `host` among them) with the signature added."""
        now = strftime("%Y%m%dT%H%M%SZ", gmtime(at))
        signed = {**headers, "x-amz-date": now}
        if who.token:
            signed["x-amz-security-token"] = who.token
        in_order = sorted(signed)
        names = ";".join(in_order)
        lines = "".join([f"{name}:{signed[name]}\n" for name in in_order])
        request = f"POST\n/\n\n{lines}\n{names}\n{sha256(body).hexdigest()}"
        scope = f"{now[:8]}/{self._region}/{self._service}/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{sha256(request.encode()).hexdigest()}"
        signature = _hmac(self._key(who.secret, now[:8]), text).hex()
        signed["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={who.key_id}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}"
        )
        return signed

    def _key(self, secret: str, day: str) -> bytes:
        named, key = self._kept
        if named != (secret, day):
            key = f"AWS4{secret}".encode()
            for part in (day, self._region, self._service, "aws4_request"):
                key = _hmac(key, part)
            # One assignment, so that no other thread sees the key of one day under another.
            self._kept = (secret, day), key
        return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
