"""What managers see of races: every receipt of a day as CSV, and what reps dispute (C9)."""

from __future__ import annotations

import csv
import re
from datetime import date
from io import StringIO

from dibs import wiring
from dibs.adapters.callers import calling_manager
from dibs.adapters.clock import now
from dibs.adapters.entry import Event
from dibs.adapters.http import Response, answer, csv_answer, query
from dibs.domain.errors import FieldError, InvalidInput
from dibs.usecases.audit import COLUMNS, of_day, rows

# An answer of Lambda's holds 6 MB.
_LARGEST = 3_000_000
_MOST_RACES = 500
_PLACE = re.compile(r"([0-9]{1,9})\.([0-9]{1,4})")
_MONTH = re.compile(r"2[0-9]{3}-(0[1-9]|1[0-2])")


def receipts(event: Event) -> Response:
    """`GET /receipts?day=2026-11-23&team=north`: the receipts of the races chained that UTC day.

    Where there are more than an answer holds, its `link` header names the next part (`&after=`).
    """
    calling_manager(event, wiring.roster())
    day, team, after = _day(query(event, "day")), query(event, "team"), _after(event)
    text, following, races = StringIO(), "", 0
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    for place, found in of_day(wiring.races(), day, after):
        if races >= _MOST_RACES or text.tell() > _LARGEST:
            following = f"/receipts?day={day}&team={team}&after={after[0]}.{after[1]}"
            break
        writer.writerows(rows(found, team))
        after, races = place, races + 1
    return csv_answer(text.getvalue(), following)
