"""Our signature is the one botocore makes."""

from __future__ import annotations

import string
from datetime import UTC, datetime
from unittest.mock import patch

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given
from hypothesis import strategies as st

from dibs.aws.signing import Credentials, Signer

WORDS = st.text(string.ascii_letters + string.digits + "/+=", min_size=1, max_size=40)
NAMES = st.sampled_from(["dynamodb", "sns", "sqs"])
REGIONS = st.sampled_from(["us-east-1", "eu-central-2", "ap-southeast-5", "cn-north-1"])
# What is between the words of a value is as long as it was: more would be signed as one blank.
VALUES = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)
HEADERS = st.dictionaries(
    st.sampled_from(["content-type", "x-amz-target", "x-amz-other", "x-amz-a"]), VALUES
)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2099, 12, 31))


@given(
    st.builds(Credentials, WORDS, WORDS, st.just("") | WORDS),
    *(NAMES, REGIONS, HEADERS, st.binary(max_size=300), MOMENTS),
    st.sampled_from(["dynamodb.us-east-1.amazonaws.com", "localhost:4566", "127.0.0.1:8000"]),
)
def test_a_signature_is_botocores(
    who: Credentials,
    service: str,
    region: str,
    headers: dict[str, str],
    body: bytes,
    moment: datetime,
    host: str,
) -> None:
    at = moment.replace(microsecond=0, tzinfo=UTC)
    request = AWSRequest("POST", f"https://{host}/", headers={**headers, "host": host}, data=body)
    boto = BotoCredentials(who.key_id, who.secret, who.token or None)
    with patch("botocore.auth.get_current_datetime", lambda: at.replace(tzinfo=None)):
        SigV4Auth(boto, service, region).add_auth(request)
    mine = Signer(service, region).sign(who, {"host": host, **headers}, body, at.timestamp())
    assert mine["authorization"] == request.headers["Authorization"]
    assert mine["x-amz-date"] == request.headers["X-Amz-Date"]
    assert mine.get("x-amz-security-token") == request.headers.get("X-Amz-Security-Token")


def test_the_kept_key_is_that_of_the_day_and_the_secret() -> None:
    kept, day = Signer("dynamodb", "us-east-1"), 86_400
    first, second = Credentials("a", "one"), Credentials("a", "two")
    for who, at in ((first, 0), (first, day - 1), (first, day), (second, day), (first, 0)):
        fresh = Signer("dynamodb", "us-east-1")
        assert kept.sign(who, {"host": "x"}, b"", at) == fresh.sign(who, {"host": "x"}, b"", at)
