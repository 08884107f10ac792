"""AWS list prices this project reckons with: us-east-1, US dollars, without any free tier."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

CHECKED = date(2026, 11, 30)
"""When the prices were last held against AWS's price pages; whoever does it again sets it."""
GOOD_FOR = timedelta(days=180)
"""AWS changes a list price every few years, so looking twice a year is enough."""


def outdated(today: date) -> bool:
    """Tell whether the prices must be looked up again."""
    return today > CHECKED + GOOD_FOR


@dataclass(frozen=True)
class Price:
    """What one unit of something costs."""

    what: str
    dollars: float
    per: float

    def of(self, amount: float) -> float:
        return amount * self.dollars / self.per

    def __str__(self) -> str:
        unit = {1.0: "", MILLION: " a million", GB: " a GB"}[self.per]
        return f"{self.dollars:.6g}{unit}"


MILLION, GB = 1e6, 1e9

READ = Price("DynamoDB read units, on demand", 0.125, MILLION)
WRITE = Price("DynamoDB write units, on demand", 0.625, MILLION)
PUBLISH = Price("SNS requests", 0.50, MILLION)
PUSH = Price("SNS push deliveries", 0.50, MILLION)
QUEUE = Price("SQS requests, standard queues", 0.40, MILLION)
INVOKE = Price("Lambda invocations", 0.20, MILLION)
COMPUTE = Price("Lambda GB-seconds, arm64", 13.3334, MILLION)
HTTP = Price("HTTP API calls", 1.00, MILLION)
LOGS = Price("CloudWatch Logs, bytes taken in", 0.50, GB)
DATA_OUT = Price("Bytes sent to the internet", 0.09, GB)

ALARM = Price("CloudWatch alarms, a month and metric watched", 0.10, 1.0)
METRIC = Price("CloudWatch metrics of our own, a month", 0.30, 1.0)
SECRET = Price("Secrets Manager secrets, a month", 0.40, 1.0)
KEY = Price("KMS keys, a month", 1.00, 1.0)

# A text is billed by its parts, by destination. Carriers change their fees without notice, so
# these are for scale; the price list of AWS End User Messaging has every country.
SMS = {
    "United States (with about $0.003 carrier fee)": 0.00645 + 0.003,
    "India, domestic route": 0.00278,
    "a destination at $0.05, as much of Europe and South-East Asia": 0.05,
}
