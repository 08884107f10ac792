"""Activities: what reps did (K1), and how it changes the lead (C8, C11).

A recorded activity is never changed. A `reversal` cancels one; it then no longer counts (K5).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dibs.core.errors import FieldError, Forbidden, IllegalMove, NotYours
from dibs.core.lead import HELD, Lead, State, Transition, moved
from dibs.rules.game import Reporter, Reporting

# A sender's clock may be ahead of ours by up to this.
AHEAD = timedelta(minutes=5)

CLOSED = (State.WON, State.LOST)
"""The states in which a lead has ended; its holder sees it still."""
# Each stage implies those before it.
_STAGES = (State.CONTACTED, State.QUALIFIED, State.OPPORTUNITY, State.WON)

MOVES: dict[str, State] = {
    **{stage.value: stage for stage in _STAGES},
    "lost": State.LOST,
    "disqualified": State.LOST,
}
"""The activity types that change the state of their lead, and to which state."""

TYPES = (
    *("call", "contacted", "email", "transfer", "qualified", "disqualified"),
    *("appointment_set", "appointment_held", "opportunity", "quote_sent", "contract_sent"),
    *("won", "lost", "slipped", "csat", "reference", "nurture", "training_step", "crm_step"),
    *("tool_used", "upsell", "cross_sell", "hours_worked", "helped", "reversal"),
    *("nps", "confirmation"),
)
"""The accepted activity types, beside those the playbook adds.

`helped` is a rep's own report; help that a colleague confirmed has an entry of its own kind (G11).
"""

REVERSAL = "reversal"
CONFIRMATION = "confirmation"
TRANSFER = "transfer"
SALES = frozenset({"won", "upsell", "cross_sell"})
PLAIN = ("hours_worked", "csat", "nps")
"""Types whose amount is no money: minutes, and points from 0 to 100 or to 10."""
_HIGHEST = {"csat": (100, "as satisfied as can be"), "nps": (10, "sure to recommend you")}


@dataclass(frozen=True)
class Activity:
    """One thing a rep did, as it was reported.

    `lead_id` is empty where it is about no lead, `rep_id` where the lead's holder is meant.
    `amount` is in the smallest unit of `currency` (ISO 4217), minutes for hours worked, 0 to 100
    for `csat`, 0 to 10 for `nps`. `reverses` is the id of the activity a reversal cancels,
    `confirms` the one a confirmation is about. `step` names a step of a quest as `quest/step`
    (G8). `to_rep_id` is the colleague a transfer hands the lead to (K4), `quantity` how many were
    sold.
    """

    activity_id: str
    type: str
    at: datetime
    lead_id: str = ""
    rep_id: str = ""
    amount: int | None = None
    currency: str = ""
    reverses: str = ""
    step: str = ""
    confirms: str = ""
    to_rep_id: str = ""
    quantity: int | None = None

    @property
    def digest(self) -> str:
        """A hash of the content in 16 letters: it differs for other content under the same id."""
        content: tuple[object, ...] = (self.type, self.at, self.lead_id, self.rep_id)
        content += (self.amount, self.currency, self.reverses, self.step)
        # Only where they are set, so that what is stored is still recognised.
        later = (self.confirms, self.to_rep_id, self.quantity)
        content += later if any(one not in ("", None) for one in later) else ()
        return hashlib.sha256(repr(content).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Step:
    """How an activity changes a lead: `held` before, `lead` after.

    `transition` is None where the state stays the same. `first_work`: the lead was not worked
    before, and this works or closes it.
    """

    held: Lead
    lead: Lead
    transition: Transition | None
    first_work: bool

    @property
    def frees(self) -> bool:
        """Whether the rep has one unworked lead fewer in hand (M5); test leads never count."""
        return self.first_work and not self.held.test

    @property
    def accepts(self) -> bool:
        """Whether this accepts an assignment: the lead is worked or changes state (F2)."""
        progress = self.first_work or self.transition is not None
        return self.held.unaccepted and progress and not self.held.test


def wrong(activity: Activity, now: datetime, own: Sequence[str] = ()) -> list[FieldError]:
    """Return an activity's errors that need no look at its lead; empty when there are none.

    `own` are the types the playbook adds.
    """
    errors = []
    if activity.type not in TYPES and activity.type not in own:
        errors.append(FieldError("type", f"use one of {', '.join((*TYPES, *own))}"))
    if activity.at > now + AHEAD:
        errors.append(FieldError("at", "lies in the future; send when it happened"))
    if activity.type in MOVES and not activity.lead_id:
        errors.append(FieldError("lead_id", f"say which lead; {activity.type!r} moves it"))
    if activity.type == REVERSAL:
        if not activity.reverses:
            errors.append(FieldError("reverses", "say which activity_id it takes back"))
        return errors
    errors += _misplaced(activity)
    if activity.type == CONFIRMATION:
        return errors
    if not activity.lead_id and not activity.rep_id:
        errors.append(FieldError("rep_id", "say who did it, or which lead it was about"))
    return errors + _wrong_amount(activity, own)


def _misplaced(activity: Activity) -> list[FieldError]:
    """Return the fields that go with another type, or are missing for this one."""
    errors = []
    if activity.reverses:
        errors.append(FieldError("reverses", f"goes with the type {REVERSAL!r} alone"))
    if activity.type == CONFIRMATION and not activity.confirms:
        errors.append(FieldError("confirms", "say which activity_id it confirms"))
    if activity.type != CONFIRMATION and activity.confirms:
        errors.append(FieldError("confirms", f"goes with the type {CONFIRMATION!r} alone"))
    if activity.to_rep_id and activity.type != TRANSFER:
        errors.append(FieldError("to_rep_id", f"goes with the type {TRANSFER!r} alone"))
    if activity.to_rep_id and not activity.lead_id:
        errors.append(FieldError("lead_id", "say which lead goes to the colleague"))
    if activity.quantity is not None and activity.type not in SALES:
        errors.append(FieldError("quantity", f"goes with {', '.join(sorted(SALES))}"))
    return errors


def _wrong_amount(activity: Activity, own: Sequence[str]) -> list[FieldError]:
    errors = []
    plain = activity.type in PLAIN or activity.type in own
    if activity.amount is not None and not activity.currency and not plain:
        errors.append(FieldError("currency", "say in which currency the amount is, such as USD"))
    if activity.amount is None and activity.type in PLAIN:
        errors.append(FieldError("amount", f"say how much; {activity.type!r} is nothing without"))
    if activity.currency and activity.type in PLAIN:
        errors.append(FieldError("currency", f"leave it out; {activity.type!r} is no money"))
    highest, means = _HIGHEST.get(activity.type, (None, ""))
    if highest is not None and activity.amount is not None and activity.amount > highest:
        errors.append(FieldError("amount", f"send 0 to {highest}, where {highest} is {means}"))
    return errors


def not_believed(
    activity: Activity, reporter: Reporter, rules: Reporting, value: int | None, now: datetime
) -> list[FieldError]:
    """Return what the playbook does not believe of a new activity (K5); empty when all is well.

    `value` is its amount as it counts; None where it has none, or no rate yet.

    Raises:
        Forbidden: this reporter does not report such activities.
    """
    rule = rules.rule_for(activity.type)
    if activity.type != REVERSAL and reporter not in rule.by:
        who = " or a ".join(rule.by)
        said = f"Only a {who} reports {activity.type!r}; ask them to, or a manager."
        raise Forbidden(said, only=rule.by)
    errors = []
    days = rules.days_for(activity.type, reporter)
    if activity.at < now - timedelta(days=days):
        errors.append(FieldError("at", f"is more than {days} days ago; ask a manager to report it"))
    if reporter != "rep" or activity.amount is None:
        return errors
    if not activity.lead_id and not rule.without_lead:
        errors.append(FieldError("lead_id", "say which lead the amount is about"))
    most = rules.most_for(activity.type)
    if value is not None and value > most:
        errors.append(
            FieldError("amount", f"is above {most}; ask a manager or the system to report it")
        )
    return errors


def counting(counts: Collection[str]) -> frozenset[str]:
    """Return the types that work a lead (C11), from those the playbook names.

    With a stage every later stage counts, because it implies the earlier ones (C8).
    """
    first = next((n for n, stage in enumerate(_STAGES) if stage in counts), len(_STAGES))
    return frozenset(counts) | {stage.value for stage in _STAGES[first:]}


def possible(type: str, state: State) -> bool:
    """Tell whether an activity of this type may be reported of a held lead in this state (C8).

    The same end again may bring its amount, or somebody's word for it; it moves nothing.
    """
    to = MOVES.get(type)
    return not (to in CLOSED and state in CLOSED and to is not state)


def next_moves(state: State) -> tuple[str, ...]:
    """Return the types of activities that would move a held lead from this state (C8)."""
    return tuple(
        type for type, to in MOVES.items() if possible(type, state) and not _reached(state, to)
    )


def step(
    lead: Lead, rep_id: str, activity: Activity, counts: Collection[str], now: datetime
) -> Step:
    """Return how a rep's activity changes the lead they hold (C8, C11).

    A lead never goes back: an earlier stage reported late changes no state. The transition has the
    time `now`, the work the time of the activity.

    Raises:
        NotYours: the rep does not hold the lead.
        IllegalMove: the lead has already ended otherwise.
    """
    if lead.owner != rep_id or lead.state not in (*HELD, *CLOSED):
        raise NotYours
    after, transition = lead, None
    to = MOVES.get(activity.type)
    if not possible(activity.type, lead.state):
        raise IllegalMove(f"This lead is {lead.state} already.")
    if to is not None and not _reached(lead.state, to):
        after, transition = moved(lead, to, now, activity.type, rep_id)
        transition = replace(transition, told=activity.digest)
    first_work = lead.worked_at is None and (
        activity.type in counting(counts) or after.state in CLOSED
    )
    if first_work:
        # A system that reports whole seconds may name a moment just before the lead was claimed.
        after = replace(after, worked_at=max(activity.at, lead.claimed_at or activity.at))
    return Step(lead, after, transition, first_work)


def taken_back(
    lead: Lead,
    rep_id: str,
    kind: str,
    epoch: int,
    transitions: Sequence[Transition],
    now: datetime,
    digest: str = "",
) -> Step | None:
    """Return how a reversal changes the holder's lead, None when it does not.

    If the activity with this `digest` brought the lead to its current state, the lead goes back to
    the state before; a deal won or lost by mistake is open again. A worked lead stays worked (C11).
    """
    held = lead.owner == rep_id and lead.epoch == epoch
    if not held or MOVES.get(kind) is not lead.state:
        return None
    arrivals = [
        transition
        for transition in transitions
        if transition.epoch == epoch and transition.to_state is lead.state
    ]
    latest = max(arrivals, key=lambda transition: transition.at, default=None)
    # Old transitions do not name their activity.
    if latest is None or latest.cause != kind or latest.told not in ("", digest):
        return None
    back = latest.from_state
    transition = Transition(
        lead.lead_id, epoch, now, lead.state, back, REVERSAL, rep_id, (), rep_id
    )
    return Step(lead, replace(lead, state=back), transition, first_work=False)


def _reached(state: State, stage: State) -> bool:
    if state in CLOSED:
        return True
    return state in _STAGES and stage in _STAGES and _STAGES.index(state) >= _STAGES.index(stage)
