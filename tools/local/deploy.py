"""Build template.yaml with SAM CLI and deploy it to the local AWS, if it changed."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from dibs.aws.settings import logical_id
from dibs.offers.push import SNS_NAMES
from tools.local.bootstrap import BOOT, LOCAL, OFFLINE, ROOT, Failed, looks_offline
from tools.local.place import REGION, STACK, Place, runtime

BUCKET = "dibs-local"
_FINE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}
_INPUTS = ("template.yaml", "samconfig.toml", "shared", "functions")


def is_deployed(place: Place) -> bool:
    """Tell whether the working tree is what is deployed."""
    stamp = place.home / "deployed"
    deployed = stamp.read_text() if stamp.exists() else ""
    return deployed == fingerprint(place) and _status() in _FINE


def build(place: Place) -> None:
    """Run `sam build`.

    Raises:
        Failed: it failed; the message shows the reason it printed.
    """
    # The cache ignores the variables below, so each Python has its own cache.
    folders = ["--build-dir", str(_built(place)), "--cache-dir", str(place.home / runtime())]
    layer = _layer(place)
    cached = "--cached" if layer.exists() else "--no-cached"
    _sam(
        place,
        ["build", "--config-env", "local", cached, *folders],
        # Libraries for this machine and this Python, which runs the functions.
        PYTHON=str(BOOT / "bin" / "python"),
        LAYER_WHEELS="",
        LAYER_PYTHON=runtime().removeprefix("python"),
        LAYER_BESIDE=str(layer),
    )


def deploy(place: Place) -> None:
    """Run `sam deploy` against the local AWS.

    Raises:
        Failed: it failed; the message shows the reason it printed.
    """
    print_of_tree = fingerprint(place)
    client("s3").create_bucket(Bucket=BUCKET)
    if _status() == "ROLLBACK_COMPLETE":
        client("cloudformation").delete_stack(StackName=STACK)
    parameters = {
        "Stage": "local",
        "Runtime": runtime(),
        "Architecture": "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64",
        "Domain": place.public_url.removeprefix("http://").split(":")[0],
        "PublicUrl": place.public_url,
        **{
            logical_id(f"{platform}_application_arn"): platform_application(name)
            for platform, name in SNS_NAMES.items()
        },
    }
    pairs = [f"{name}={value}" for name, value in parameters.items()]
    files = ["--config-file", str(ROOT / "samconfig.toml")]
    files += ["--template-file", str(_built(place) / "template.yaml")]
    options = ["--config-env", "local", "--no-progressbar", "--parameter-overrides", *pairs]
    _sam(place, ["deploy", *files, *options])
    (place.home / "deployed").write_text(print_of_tree)
    for layer in _layer(place).parent.iterdir():
        if layer != _layer(place):
            shutil.rmtree(layer)


def outputs() -> dict[str, str]:
    """Return the deployed stack's outputs."""
    stack = client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def functions() -> dict[str, str]:
    """Return the deployed name of each function, by its name in the template."""
    prefix = f"{STACK}-"
    pages = client("lambda").get_paginator("list_functions").paginate()
    names = [function["FunctionName"] for page in pages for function in page["Functions"]]
    return {name.removeprefix(prefix): name for name in names if name.startswith(prefix)}


def platform_application(platform_name: str) -> str:
    """Return a fake push application; the local AWS accepts any certificate."""
    arn: str = client("sns").create_platform_application(
        Name=STACK,
        Platform=platform_name,
        Attributes={"PlatformCredential": "pretended", "PlatformPrincipal": "pretended"},
    )["PlatformApplicationArn"]
    return arn


def client(service: str) -> Any:
    """Return a client of the stack that this process uses (`Place.enter`)."""
    return boto3.client(service, region_name=REGION)


def fingerprint(place: Place, *inputs: str) -> str:
    """Return a hash of all files that the deployment, or the named part of it, depends on."""
    digest = hashlib.sha256(f"{runtime()} {place.port} {platform.machine()}".encode())
    for path in _files(inputs or _INPUTS):
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _files(names: Iterable[str]) -> Iterator[Path]:
    not_shipped = ROOT / "shared" / "dibs" / "cli"
    for name in names:
        top = ROOT / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            compiled = "__pycache__" in path.parts
            if path.is_file() and not compiled and not path.is_relative_to(not_shipped):
                yield path


def _layer(place: Place) -> Path:
    """Return the folder that the current shared/ is built into (LAYER_BESIDE, shared/Makefile)."""
    return place.home / "layers" / fingerprint(place, "shared")[:12]


def _status() -> str:
    try:
        stacks = client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    except ClientError:
        return ""
    status: str = stacks[0]["StackStatus"]
    return status


def _built(place: Place) -> Path:
    return place.home / "build"


def _sam(place: Place, arguments: list[str], **environment: str) -> None:
    log = place.home / f"sam-{arguments[0]}.log"
    telemetry = {"SAM_CLI_TELEMETRY": "0", "SAM_CLI_POLL_DELAY": "1"}
    with log.open("w+") as output:
        ended = subprocess.run(
            [str(LOCAL / "sam" / "bin" / "sam"), *arguments],
            cwd=ROOT,
            env=place.environment(**telemetry, **environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if ended.returncode:
        if arguments[0] == "build" and looks_offline(log.read_text()):
            raise Failed(OFFLINE)
        lines = [line.strip() for line in log.read_text().splitlines() if line.strip()]
        reason = next(
            (line for line in lines if "error" in line.lower()), lines[-1] if lines else ""
        )
        raise Failed(f"`sam {arguments[0]}` failed: {reason} ({log} has the full output)")
