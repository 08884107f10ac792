"""Learn who has opted out of texts at AWS, which tells nobody of it (N5)."""

from __future__ import annotations

from dibs.core.jobs import JobResult
from dibs.offers.ports import Sms
from dibs.roster.ports import Roster


def read_opt_outs(sms: Sms, roster: Roster) -> JobResult:
    """Mark each rep whose number AWS sends nothing to any more; repeating is safe.

    AWS accepts a text to such a number and drops it, so without this a rep would count as told.
    Nobody is marked as back: they may have opted out with a word only we know.
    """
    marked = 0
    for phone in sms.opted_out():
        known = roster.by_phone(phone)
        if known is not None and not known[0].sms_opted_out:
            roster.opt_out(known[0].rep_id, True)
            marked += 1
    return JobResult(changed=marked)
