"""What was counted, priced: the items, their total, and docs/costs.md."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import prices
from benchmarks.costs import (
    DYNAMO_SECONDS,
    LOOKERS,
    OTHER_OPEN_LEADS,
    PATIENT_POLLS,
    POLLS,
    REPS,
    SNS_SECONDS,
    SQS_SECONDS,
    Used,
    memory_of,
)
from support.tables import expanded

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "costs.md"
COUNTED = ROOT / "tests" / "benchmarks" / "counted.json"
"""What the page was written from."""
TOLERANCE, TIME_TOLERANCE = 0.03, 1.0
"""How far counts, and measured times, may be from those of the page before it is out of date: bytes
vary with the length of numbers, times with what else the machine does."""
LEADS = 1000
GOAL = 0.25
ITEMS = {
    "write units": prices.WRITE,
    "read units": prices.READ,
    "SNS requests": prices.PUBLISH,
    "pushes": prices.PUSH,
    "SQS requests": prices.QUEUE,
    "invocations": prices.INVOKE,
    "GB-seconds": prices.COMPUTE,
    "HTTP calls": prices.HTTP,
    "bytes out": prices.DATA_OUT,
    "log bytes": prices.LOGS,
}
MONTH_SECONDS = 30 * 24 * 3600
# Lambda keeps five long polls of 20 s open to a queue that is empty.
IDLE_POLLS = 5 * MONTH_SECONDS // 20
# What Lambda writes of its own for an invocation (START, END and REPORT, unless the function keeps
# only warnings of the platform), and the HTTP API for a call: a line in the format of the template.
LAMBDA_LOG_BYTES, API_LOG_BYTES = 350, 150


@dataclass(frozen=True)
class Bill:
    """One lead's amounts by item, and its dollars per thousand leads."""

    amounts: dict[str, float]
    by_function: dict[str, float]

    @property
    def dollars(self) -> dict[str, float]:
        return {item: price.of(LEADS * self.amounts[item]) for item, price in ITEMS.items()}

    @property
    def total(self) -> float:
        return sum(self.dollars.values())


def bill_of(used: Used) -> Bill:
    """Add up what the functions used, with the lines that AWS logs by itself."""
    whole = {function: Counter(one) for function, one in used.items()}
    for function, one in whole.items():
        if not logs_warnings_only(function):
            one["log bytes"] += LAMBDA_LOG_BYTES * one["invocations"]
        one["log bytes"] += API_LOG_BYTES * one["HTTP calls"]
    amounts: Counter[str] = Counter()
    for one in whole.values():
        amounts.update(one)
    return Bill(
        {item: amounts[item] for item in (*ITEMS, "texts")},
        {
            function: sum(price.of(LEADS * one[item]) for item, price in ITEMS.items())
            for function, one in whole.items()
        },
    )


def logs_warnings_only(function: str) -> bool:
    """Tell whether template.yaml keeps Lambda's own lines out of a function's log."""
    if f"{function.capitalize()}Function" not in expanded()["Resources"]:
        return False
    own = expanded()["Resources"][f"{function.capitalize()}Function"]["Properties"]
    return own.get("LoggingConfig", {}).get("SystemLogLevel") == "WARN"


def out_of_date(counted: dict[str, Used]) -> list[str]:
    """Return why the page must be written again; nothing if it says what was counted now."""
    if not COUNTED.exists() or not PAGE.exists():
        return ["there is none"]
    before = json.loads(COUNTED.read_text(encoding="utf-8"))
    if page(before) != PAGE.read_text(encoding="utf-8"):
        return ["prices or the template have changed, or it was edited by hand"]
    return list(differences(before, counted))


def differences(before: dict[str, Used], now: dict[str, Used]) -> Iterator[str]:
    """Yield the amounts that are further from those before than the tolerance allows."""
    for way in sorted({*before, *now}):
        old, new = before.get(way, {}), now.get(way, {})
        for function in sorted({*old, *new}):
            was, found = old.get(function, {}), new.get(function, {})
            for what in sorted({*was, *found}):
                timed = what in ("seconds", "GB-seconds")
                most = TIME_TOLERANCE if timed else TOLERANCE
                low, high = sorted(amounts := (was.get(what, 0.0), found.get(what, 0.0)))
                if high > low * (1 + most):
                    yield f"{way}, {function}: {what} {amounts[1]:g}, not {amounts[0]:g}"


def write_page(counted: dict[str, Used]) -> None:
    """Write docs/costs.md, and beside the script what it was written from."""
    COUNTED.write_text(json.dumps(counted, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(counted), encoding="utf-8")


def page(counted: dict[str, Used]) -> str:
    """Return the page on costs."""
    push, texts = bill_of(counted["push"]), bill_of(counted["texts"])
    verdict = "met" if push.total <= GOAL else f"missed by {100 * (push.total / GOAL - 1):.0f} %"
    monthly = standing(counted["sweep"])
    memory = {name: memory_of(name) for name in push.by_function}
    return f"""# What a lead costs

Written by `make bench`; do not edit. AWS list prices of {prices.CHECKED}, us-east-1, US dollars, no
free tier.

One lead is offered to {REPS} reps by push. {LOOKERS} open the page, look at it for
{2 * POLLS + 1} seconds and claim: one wins, {LOOKERS - 1} hear who was faster,
and the alerts of the other {REPS - LOOKERS} are withdrawn. *With texts*, reps look for
{2 * PATIENT_POLLS + 1} seconds, and the {texts.amounts["texts"]:.0f}
who have not looked after 20 seconds get a text message. Its own price is listed below.

**US$ {push.total:.2f} for 1,000 such leads** (goal: {GOAL:.2f}, {verdict}),
{texts.total:.2f} with texts, without the carriers' price for the texts.

| Item | Price | A lead | US$ per 1,000 | With texts | US$ per 1,000 |
|---|--:|--:|--:|--:|--:|
{"".join(_row(item, push, texts) for item in ITEMS)}{_total(push, texts)}

By function, US$ per 1,000 leads: {_listed(push.by_function)}.

## Text messages

{texts.amounts["texts"]:.0f} of one part each. For 1,000 leads that nobody claims within 20 s:

| To | US$ a part | US$ per 1,000 leads |
|---|--:|--:|
{"".join(_sms(to, part, texts) for to, part in prices.SMS.items())}
Texts cost a thousand times more than everything else. The playbook limits them
(`sms.per_rep_per_day`, `sms.per_organisation_per_day`).

## A month without a single lead

{_standing(monthly)}
## How it was counted

- The real functions ran on DynamoDB Local, with its stream; SNS, SQS and Secrets Manager were
  replaced by stubs. `tests/benchmarks/costs.py` is the script.
- Read and write units follow from the sizes of the items, by AWS's rules: twice in a transaction,
  one more for each index entry that changes, half for reads that need not be consistent.
- Nothing is cached from lead to lead, each of the {LOOKERS} reps calls a process of their own,
  and {OTHER_OPEN_LEADS} other leads are open. A busy system reads less.
- A push is an SNS request and a delivery. The topic's copy to the queue is an SQS request.
- The claim's entry in the ledger is scored and published to boards alone, and the race's seal is
  alone in its block: the dearest case of each. Scored a hundred at once, an entry costs a third.
- What leaves AWS is each answer with its headers, and what each push is to its platform.
- Processor time is measured on this machine, then extended, because Lambda gives a function only a
  share of a processor, by its memory ({_listed(memory, "{:.0f} MB")}). To it
  come {1000 * DYNAMO_SECONDS:.0f} ms for each request to DynamoDB, {1000 * SNS_SECONDS:.0f} to SNS
  and {1000 * SQS_SECONDS:.0f} to SQS. Cold starts are not included.
- Not counted: storage, backups, KMS (one request in five minutes and table). A rep who taps in
  the same few milliseconds as the winner loses only in the transaction, which costs 6 write units
  more.
"""


def _row(item: str, push: Bill, texts: Bill) -> str:
    price = ITEMS[item]
    cells = [price.what, f"{price}"]
    for bill in (push, texts):
        amount = bill.amounts[item]
        cells += [f"{amount:,.0f}" if amount >= 1000 else f"{amount:.4g}"]
        cells += [f"{bill.dollars[item]:.3f}"]
    return f"| {' | '.join(cells)} |\n"


def _total(push: Bill, texts: Bill) -> str:
    return f"| **Total** | | | **{push.total:.3f}** | | **{texts.total:.3f}** |"


def _sms(to: str, part: float, texts: Bill) -> str:
    return f"| {to} | {part:.4f} | {LEADS * texts.amounts['texts'] * part:.0f} |\n"


def standing(sweep: Used) -> dict[str, float]:
    """Return what the stack costs a month when nothing happens, by item."""
    resources = expanded()["Resources"].values()
    queues = [
        one
        for one in resources
        if one["Type"] == "AWS::Lambda::EventSourceMapping"
        and "Queue" in str(one["Properties"]["EventSourceArn"])
    ]
    alarms = [one for one in resources if one["Type"] == "AWS::CloudWatch::Alarm"]
    watched = sum(
        sum("MetricStat" in metric for metric in alarm["Properties"].get("Metrics", [])) or 1
        for alarm in alarms
    )
    secrets = [one for one in resources if one["Type"] == "AWS::SecretsManager::Secret"]
    keys = [one for one in resources if one["Type"] == "AWS::KMS::Key"]
    sweeps = MONTH_SECONDS // 60
    once = bill_of(sweep)
    return {
        f"{_own_metrics()} metrics of our own": prices.METRIC.of(_own_metrics()),
        f"{len(alarms)} alarms on {watched} metrics": prices.ALARM.of(watched),
        f"polls of {len(queues)} empty queues": prices.QUEUE.of(len(queues) * IDLE_POLLS),
        f"{len(secrets)} secret{'s' * (len(secrets) > 1)}": prices.SECRET.of(len(secrets)),
        f"{len(keys)} key{'s' * (len(keys) > 1)}": prices.KEY.of(len(keys)),
        "a sweep each minute": once.total * sweeps / LEADS,
    }


def _own_metrics() -> int:
    code = [*ROOT.glob("functions/**/*.py"), *ROOT.glob("shared/dibs/**/*.py")]
    found = (re.findall(r'count\(\s*"(\w+)"', path.read_text(encoding="utf-8")) for path in code)
    return len({name for names in found for name in names})


def _standing(monthly: dict[str, float]) -> str:
    return f"US$ {sum(monthly.values()):.2f}: {_listed(monthly, '{:.2f}')}.\n"


def _listed(values: dict[str, Any], form: str = "{:.3f}") -> str:
    return ", ".join(f"{name} {form.format(value)}" for name, value in values.items())
