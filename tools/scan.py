"""Scan the template for known weaknesses with checkov: `make lint`.

What is accepted, and why, stands in `accepted.yaml` beside this file. The scan fails on any other
finding, and on an accepted one that is not found any more.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

TEMPLATE = Path(__file__).parents[1] / "template.yaml"
ACCEPTED = Path(__file__).with_name("accepted.yaml")
_OPTIONS = ("--framework", "cloudformation", "--output", "json", "--skip-download")

Finding = tuple[str, str]
"""A check's id, and the name of the resource that fails it."""


def written_out() -> dict[str, Any]:
    """Return the template with its loops expanded and its Globals in each function."""
    # Importing cfn-lint takes seconds.
    from cfnlint.decode import cfn_yaml
    from cfnlint.template import Template

    whole = Template(str(TEMPLATE), cfn_yaml.load(str(TEMPLATE)))
    problems = whole.transform()
    if problems:
        raise ValueError(problems)
    plain: dict[str, Any] = json.loads(json.dumps(whole.template))
    return plain


def as_on_aws(part: Any, values: Mapping[str, Any]) -> Any:
    """Return a part of the template as it is on AWS: conditions decided, references filled in.

    checkov fails on some references, and needs none. `values` are those of the parameters.
    """
    if isinstance(part, list):
        return [as_on_aws(one, values) for one in part]
    if not isinstance(part, dict):
        return part
    match part:
        case {"Fn::If": [_, then, _]}:
            return as_on_aws(then, values)
        case {"Ref": str(name)}:
            return values.get(name, name)
        case {"Fn::GetAtt": [resource, attribute]}:
            return f"{resource}.{attribute}"
        case {"Fn::Sub": str(text)} | {"Fn::Sub": [str(text), _]}:
            return text.replace("${", "").replace("}", "")
    return {name: as_on_aws(one, values) for name, one in part.items()}


def template_on_aws() -> Any:
    """Return the whole template as it is on AWS."""
    whole = written_out()
    values = {name: one.get("Default", name) for name, one in whole["Parameters"].items()}
    return as_on_aws(whole, values)


def findings(checkov: str) -> set[Finding]:
    """Return what checkov finds in the template."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "template.json"
        file.write_text(json.dumps(template_on_aws()))
        done = subprocess.run(
            [checkov, *_OPTIONS, "--file", str(file)],
            capture_output=True,
            text=True,
            check=False,
        )
    if not done.stdout:
        raise ValueError(f"checkov failed: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    if not found["summary"]["passed"] or found["summary"]["parsing_errors"]:
        raise ValueError(f"checkov did not read the template: {found['summary']}")
    return {
        (one["check_id"], one["resource"].rpartition(".")[2])
        for one in found["results"]["failed_checks"]
    }


def problems(found: set[Finding], accepted: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for each finding nobody accepted, and for each that is accepted in vain."""
    for check, resource in sorted(found):
        where = accepted.get(check, {}).get("where", [])
        if where != "all" and resource not in where:
            yield f"{check}: {resource}. Mend it, or accept it with its reason in {ACCEPTED.name}."
    for check, entry in accepted.items():
        having = {resource for name, resource in found if name == check}
        gone = (not having) if entry["where"] == "all" else set(entry["where"]) - having
        if gone:
            yield f"{check} is accepted but not found any more: take it out of {ACCEPTED.name}."


def main() -> int:
    """Scan, print what is wrong, and return the exit code; `sys.argv[1]` is checkov."""
    wrong = list(problems(findings(sys.argv[1]), yaml.safe_load(ACCEPTED.read_text())))
    print("\n".join(wrong) or "The template scan found nothing that is not accepted.")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
