"""Every key of every table. Keys are built in this module only."""

from __future__ import annotations

import hashlib
from datetime import date, datetime

from dibs.aws.clock import to_ms
from dibs.core.credentials import Shown, is_manager

# At 100 leads a second, no index key gets more than 100 writes a second (insert, plan, close).
SHARDS = 4

LOCK = "LOCK"
CLAIM = "CLAIM"
NOTICE = "NOTICE"
NOTICES = "NOTICES"
OPEN_COUNTS = "OPEN-COUNTS"
# A lead changes a count twice, so at 100 leads a second either half gets 100 writes.
COUNT_SHARDS = 2
SIGHTING = "SIGHTING"
SMS = "SMS"
TRANSITIONS = "MOVE#"
DUPLICATE_LINKS = "TIE#"
DRAWS = "DRAW#"
PLAYBOOK = "PLAYBOOK"
PLAYBOOK_VERSION = "PLAYBOOK-VERSION"
PAUSED = "paused#"
MANAGER = "MANAGER"
MANAGERS = "MANAGERS"
TOKEN = "TOKEN"  # noqa: S105 - the name of a key
SESSIONS = "SESSION#"
LINK = "LINK"
TRIES = "TRIES"
WAITING_INDEX = "waiting"
HELD_INDEX = "held"
OUTBOX_INDEX = "outbox"
TEAM_INDEX = "team"
REP_INDEX = "rep"
WEEK_INDEX = "week"
FILED_INDEX = "filed"
UNSCORED_INDEX = "unscored"
RACES = "RACE#"
BLOCKS = "BLOCKS"
REQUEST = "REQUEST"
UNIT = "UNIT"
# Sorts among a rep's periods; none is called so.
NEWEST = "NEWEST"
# Sorts behind the numbers of lists of changes.
WRITTEN = "WRITTEN"
AWARDS = "AWARDS"
GENERATION = "GENERATION"
# One request reads all shards of a snapshot: 0.6 MB for 10,000 reps with thirty counts each.
PAGES = 32
BALANCE = "BALANCE"
TRANSFERS = "TRANSFER#"
ACCOUNTS = "ACCOUNT#"
CONTESTS = "CONTESTS"
CONTEST_SERIES = "CONTEST-SERIES"
FROZEN = "FROZEN"
STANDING = "STANDING"
RESULT = "RESULT"
REQUESTS = "REQUEST#"
REWARDS = "REWARDS"
_UNRECORDED = "UNRECORDED#"


def part(key: str, place: int) -> str:
    """Return one part of a stored key, counted from 0; empty if there is no such part."""
    return next(iter(key.split("#")[place:]), "")


def playbook(version: int) -> str:
    return f"{PLAYBOOK}#{version:06d}"


def transition(epoch: int, at: datetime, to: str) -> str:
    return f"{TRANSITIONS}{epoch:05d}#{to_ms(at):013d}#{to}"


def duplicate_link(at: datetime, other_id: str) -> str:
    return f"{DUPLICATE_LINKS}{to_ms(at):013d}#{other_id}"


def draw(epoch: int) -> str:
    return f"{DRAWS}{epoch:05d}"


def entries(lead_id: str, epoch: int, shard: int) -> str:
    """The entries in a lead's draw, by rep (C10)."""
    return f"{DRAWS}{lead_id}#{epoch}#{shard}"


def rep(rep_id: str) -> str:
    return f"REP#{rep_id}"


def owner(owner_id: str) -> str:
    """Whose credentials: a rep's or a manager's."""
    return f"{MANAGER}#{owner_id}" if is_manager(owner_id) else rep(owner_id)


def session(digest: str) -> str:
    return f"{SESSIONS}{digest}"


def credential(shown: Shown) -> str:
    """Where what a caller showed is stored, if it is good, among what its owner has."""
    return session(shown.digest) if shown.session else TOKEN


def sign_in_link(digest: str) -> str:
    return f"{LINK}#{digest}"


def tries(what: str) -> str:
    """How often something was tried lately that nobody may try often."""
    return f"{TRIES}#{what}"


def audit(at: datetime) -> str:
    """The audit trail of a UTC month."""
    return f"AUDIT#{at:%Y-%m}"


def phone(number: str) -> str:
    return f"PHONE#{number}"


def paused(team: str) -> str:
    """The attribute, beside the playbook's number, that says that a team is paused (R8)."""
    return f"{PAUSED}{team}"


def sms_count(day: date, rep_id: str = "", kind: str = "") -> str:
    """How many texts of a kind went to a rep on a day, or to all; without a kind, offers."""
    return f"SMS#{day}#{rep_id}#{kind}" if kind else f"SMS#{day}#{rep_id}"


def offer(lead_id: str, rep_id: str) -> str:
    return f"{lead_id}#{rep_id}"


def notice_of(rep_id: str) -> str:
    """Name the attribute of a rep in the one item of a small team's notices."""
    return f"rep#{rep_id}"


def claimed_of(rep_id: str) -> str:
    """Name the attribute beside it that says when the rep claimed."""
    return f"claimed#{rep_id}"


def code(rep_id: str, reply_code: str) -> str:
    return f"CODE#{rep_id}#{reply_code}"


def open_shard(shard: int) -> str:
    """Open leads, by when they opened."""
    return f"OPEN#{shard}"


def open_counts(shard: int) -> str:
    """How many leads are open, by team: those of a shard."""
    return f"{OPEN_COUNTS}#{shard}"


def open_in(team: str) -> str:
    """Name the attribute of a team in it."""
    return f"team#{team}"


def queue_shard(shard: int) -> str:
    """Leads in the assignment queue, by when they were received (C7)."""
    return f"QUEUE#{shard}"


def hold_shard(shard: int) -> str:
    """Leads a manager put on hold, by when they were received (R7)."""
    return f"HOLD#{shard}"


def work_shard(shard: int) -> str:
    """Held leads that are not worked yet, by when they are due (C11)."""
    return f"WORK#{shard}"


def job(name: str) -> str:
    return f"JOB#{name}"


def tier_card(rep_id: str, week: str) -> str:
    return f"TIER#{rep_id}#{week}"


def quota_card(rep_id: str, month: str) -> str:
    return f"QUOTA#{rep_id}#{month}"


def report(team: str, week: str) -> str:
    return f"REPORT#{team}#{week}"


def arrivals(week: str) -> str:
    return f"ARRIVALS#{week}"


def overnight(team: str, begins: datetime) -> str:
    """How many leads wait until a team's work begins (R11)."""
    return f"OVERNIGHT#{team}#{to_ms(begins):013d}"


def target(rep_id: str, month: date) -> str:
    return f"TARGET#{rep_id}#{month:%Y-%m}"


def rotation(name: str) -> str:
    return f"ROTATION#{name}"


def turns(team: str, day: date | None = None) -> str:
    """A team's priority turns on a day (F6); without a day, the state of their rotation."""
    return f"TURNS#{team}" if day is None else f"TURNS#{team}#{day}"


def ledger_week(team: str, week: str, shard: int) -> str:
    """A team's ledger entries of a week, by time."""
    return f"{team}#{week}#{shard}"


def race(epoch: int) -> str:
    """A race's seal; the keys of its receipts and disputes begin with this one."""
    return f"{RACES}{epoch:05d}"


def race_page(epoch: int, head: str, page: int) -> str:
    """Receipts of a race, under the hash of its seal. So a seal that lost to another one leaves
    receipts that are never read."""
    return f"{race_pages(epoch, head)}{page:03d}"


def race_pages(epoch: int, head: str) -> str:
    """The prefix of a race's receipts."""
    return f"{race(epoch)}#PAGE#{head[:16]}#"


def dispute(epoch: int, rep_id: str) -> str:
    return f"{race(epoch)}#DISPUTE#{rep_id}"


def races_of(rep_id: str) -> str:
    """The races a rep tried to win."""
    return f"TRIED#{rep_id}"


def tried(closed_at: datetime, lead_id: str, epoch: int) -> str:
    """One race of a rep's own list, by when it ended."""
    return f"{to_ms(closed_at):013d}#{lead_id}#{epoch:05d}"


def judged(epoch: int, wave_at: datetime | None = None, part: int = 0) -> str:
    """How the reps of one wave were judged; without a wave, the prefix for all waves."""
    start = f"JUDGED#{epoch:05d}#"
    return start if wave_at is None else f"{start}{to_ms(wave_at):013d}#{part:02d}"


def block(number: int) -> str:
    return f"{number:09d}"


def unsealed_shard(shard: int) -> str:
    """Races that are not sealed yet, by when their seal is overdue."""
    return f"UNSEALED#{shard}"


def unchained_shard(shard: int) -> str:
    """Sealed races that are in no block yet, by when they were sealed."""
    return f"UNCHAINED#{shard}"


def blocks_of(day: date) -> str:
    return f"{BLOCKS}#{day}"


def disputes_of(month: date) -> str:
    return f"DISPUTES#{month:%Y-%m}"


def unit(generation: str, name: str) -> str:
    """An aggregate: the result of ledger entries that count together, in one build."""
    return f"UNIT#{generation}#{name}"


def totals_of(generation: str, rep_id: str) -> str:
    """A rep's totals in one build of the standings, by period."""
    return f"TOTAL#{generation}#{rep_id}"


def pages(generation: str, period: str) -> str:
    """The snapshot of a period: every rep's total, in shards."""
    return f"PAGE#{generation}#{period}"


def board_changes(generation: str) -> str:
    """Changes of boards that are not on their pages yet, of all periods."""
    return f"CHANGES#{generation}"


def page_of(rep_id: str) -> str:
    """The snapshot shard that holds a rep."""
    return f"{hashlib.sha256(rep_id.encode()).digest()[0] % PAGES:02d}"


def awards(unit_name: str) -> str:
    """The awards of an aggregate that were posted to points accounts."""
    return f"AWARDS#{unit_name}"


def badges(rep_id: str) -> str:
    """A rep's badges, by badge and period."""
    return f"BADGES#{rep_id}"


def account(rep_id: str) -> str:
    """A rep's points account: the balance, requests for rewards, and every transfer in order."""
    return f"{ACCOUNTS}{rep_id}"


def transfer(at: datetime, transfer_id: str = "") -> str:
    """A transfer, by time; without an id, the prefix for all transfers of that time."""
    return f"{TRANSFERS}{to_ms(at):013d}#{transfer_id}"


def contest(contest_id: str) -> str:
    """The items of one contest, except its definition, which is under `CONTESTS`."""
    return f"CONTEST#{contest_id}"


def reward_request(request_id: str) -> str:
    return f"{REQUESTS}{request_id}"


def requests_in(state: str) -> str:
    """Requests for rewards in a state, by when they came into it."""
    return f"REQUESTS#{state}"


def outbox_shard(shard: int) -> str:
    """Events that were not sent yet, by when they happened."""
    return f"OUTBOX#{shard}"


def unrecorded_shard(shard: int) -> str:
    """Events that were sent, and whose ledger entries are not written yet."""
    return f"{_UNRECORDED}{shard}"


def is_unrecorded(outbox: str) -> bool:
    """Tell whether the event of that mark was sent."""
    return outbox.startswith(_UNRECORDED)


def unsent_shard(shard: int) -> str:
    """Batches of notices that are queued and not known to be done."""
    return f"UNSENT#{shard}"


def unscored_shard(shard: int) -> str:
    """Ledger entries that are not in the standings yet, by when they were written."""
    return f"UNSCORED#{shard}"


def shard_of(lead_id: str) -> int:
    return hashlib.sha256(lead_id.encode()).digest()[0] % SHARDS


def help_request(help_id: str) -> str:
    return f"HELP#{help_id}"


def help_of_rep(rep_id: str) -> str:
    """Help requests of a rep, by time."""
    return f"HELP#REP#{rep_id}"


def help_of_team(team: str) -> str:
    """Help requests to a team, by time."""
    return f"HELP#TEAM#{team}"


def asked(at: datetime, help_id: str = "") -> str:
    return f"{to_ms(at):013d}#{help_id}"


def quests_of(rep_id: str) -> str:
    """The quest steps a rep has reported."""
    return f"QUEST#REP#{rep_id}"


def quests_for(who: str) -> str:
    """The quest steps that wait for a person's confirmation."""
    return f"QUEST#FOR#{who}"


def told_step(quest: str, step: str, rep_id: str = "") -> str:
    return f"{quest}/{step}/{rep_id}" if rep_id else f"{quest}/{step}"
