"""Which reps are told of a test lead (O2)."""

from __future__ import annotations

from dibs.core.lead import Lead
from dibs.core.rep import Rep
from dibs.rules.rules import Rules


def may_be_told(lead: Lead, rep: Rep, playbook: Rules) -> bool:
    """Tell whether the rep may be told of the lead.

    A test lead is made known to the playbook's test reps only, unless its post asks for everybody.
    Whoever opens their list may claim it all the same.
    """
    return not lead.test or lead.test_everybody or rep.rep_id in playbook.test_reps
