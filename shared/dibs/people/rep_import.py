"""Which rows of a table are new reps, which are known already, and which are neither (O5).

Importing the same table again adds nobody. A row is a rep who is known if it has their phone number
and name or, without a number, their name and team. Names are compared without case and the form of
their letters. Whatever else a row may be is not decided here: it is named, with what to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from dibs.core.errors import InvalidInput
from dibs.core.rep import Rep
from dibs.core.tables import Column, Row, Table, folded, whole_number
from dibs.people.operator import all_reps, new_rep
from dibs.people.profiles import zones
from dibs.roster.ports import Roster
from dibs.rules.rules import Rules

COLUMNS = (
    Column("name", ("full name", "rep name", "nama", "nama penuh"), needed=True),
    Column("team", ("team id", "team name", "pasukan", "kumpulan"), needed=True),
    Column("zone", ("time zone", "tz", "zon", "zon masa", "zon waktu")),
    Column(
        "phone",
        (
            *("phone number", "phone no", "mobile", "mobile number", "mobile no", "mobile phone"),
            *("tel", "telephone", "cell", "telefon", "no telefon", "nombor telefon"),
            "telefon bimbit",
        ),
    ),
    Column("tier", ("level", "tahap", "peringkat")),
    Column("language", ("lang", "bahasa")),
    Column(
        "joined",
        (
            *("joined on", "join date", "date joined", "start date", "first day"),
            *("tarikh mula", "tarikh masuk", "hari pertama"),
        ),
    ),
)
_DAY = re.compile(r"(\d{4})[-/.](\d\d)[-/.](\d\d)(?:[ T]00:00(?::00(?:\.0+)?)?)?")
# What may differ on purpose: a rep's tier moves each week.
_COMPARED = {"team": "team", "zone": "zone", "language": "language", "joined": "joined_on"}


@dataclass(frozen=True)
class RepRow:
    """What a row is: a `new` rep, one who is known, or, with a `problem`, neither."""

    line: int
    new: Rep | None = None
    problem: str = ""


class _Reps:
    """Reps by phone number and by name, with the line they were on."""

    def __init__(self, reps: Iterable[Rep]) -> None:
        self.by_phone: dict[str, tuple[int, Rep]] = {}
        self.by_name: dict[str, list[tuple[int, Rep]]] = {}
        for rep in reps:
            self.add(rep)

    def add(self, rep: Rep, line: int = 0) -> None:
        if rep.phone:
            self.by_phone.setdefault(rep.phone, (line, rep))
        self.by_name.setdefault(folded(rep.name), []).append((line, rep))

    def named(self, rep: Rep) -> list[Rep]:
        return [other for _, other in self.by_name.get(folded(rep.name), ())]

    def with_number(self, rep: Rep) -> Rep | None:
        known = self.by_phone.get(rep.phone or "")
        return known and known[1]


def judged(table: Table, roster: Roster, now: datetime) -> list[RepRow]:
    """Judge each row of a table of reps, in order; nothing is stored."""
    playbook, known = roster.playbook(), all_reps(roster)
    active, gone = _Reps(r for r in known if r.active), _Reps(r for r in known if not r.active)
    seen = _Reps(())
    found = []
    for row in table.rows:
        try:
            rep = _read(row, table, playbook, now)
        except ValueError as error:
            found.append(RepRow(row.line, problem=str(error)))
            continue
        problem = _repeated(rep, seen)
        seen.add(rep, row.line)
        if problem:
            found.append(RepRow(row.line, problem=problem))
        else:
            found.append(_compared(row, rep, active, gone))
    return found


def _read(row: Row, table: Table, playbook: Rules, now: datetime) -> Rep:
    """Return the rep a row describes.

    Raises:
        ValueError: names every field that is wrong.
    """
    given, wrong = {column.name: row.fields.get(column.name, "") for column in COLUMNS}, []
    team = _one_of(given["team"], {key: team.name for key, team in playbook.teams.items()})
    zone = _one_of(given["zone"].replace(" ", "_"), dict.fromkeys(zones(), ""))
    if not zone:  # theirs is their team's
        zone = playbook.teams[team].zone if team in playbook.teams else "UTC"
    tier = 2
    try:
        if given["tier"]:
            tier = whole_number(given["tier"], table.comma_decimals)
    except ValueError as error:
        wrong.append(f"tier: {error}")
    try:
        rep = new_rep(
            playbook,
            now,
            name=given["name"],
            team=team,
            zone=zone,
            phone=given["phone"],
            tier=tier,
            language=given["language"].lower() or "en",
            joined=_DAY.sub(r"\1-\2-\3", given["joined"]),
        )
    except InvalidInput as error:
        wrong += [f"{one.field.removesuffix('_on')}: {one.problem}" for one in error.errors]
    if wrong:
        raise ValueError("; ".join(wrong))
    return rep


def _one_of(given: str, names: dict[str, str]) -> str:
    """Return what is meant by its id or name, whatever the case; else what was given."""
    if given in names:
        return given
    meant = [key for key, name in names.items() if folded(given) in (folded(key), folded(name))]
    return meant[0] if len(meant) == 1 else given


def _repeated(rep: Rep, seen: _Reps) -> str:
    """Return why an earlier row of the table keeps this one out."""
    if rep.phone in seen.by_phone:
        line, other = seen.by_phone[rep.phone]
        if _named_alike(rep, other):
            return f"is the same rep as on line {line}"
        return f"phone: it is the number of {other.name} on line {line}; {_OWN_NUMBERS}"
    for line, other in seen.by_name.get(folded(rep.name), ()):
        if other.team == rep.team and not (rep.phone and other.phone):
            return f"has the name of line {line}; two people of one name both need phone numbers"
    return ""


_OWN_NUMBERS = "give each rep a number of their own, or none"


def _compared(row: Row, rep: Rep, active: _Reps, gone: _Reps) -> RepRow:
    """Return what a row is, beside the reps there are."""
    alike, holder = active.named(rep), active.with_number(rep)
    if holder is not None and holder not in alike:
        said = f"phone: belongs to {holder.name} ({holder.rep_id}); {_OWN_NUMBERS}"
        return RepRow(row.line, problem=said)
    own_team = [other for other in alike if other.team == rep.team]
    same = holder or next(iter(own_team or ([] if rep.phone else alike)), None)
    if same is not None:
        return RepRow(row.line, problem=_differing(row, rep, same, same is holder))
    leavers = [other for other in gone.named(rep) if _may_be(rep, other)]
    if leavers:
        said = (
            f"left on {leavers[0].left_on}; to bring them back: `dibs reps return "
            f"{leavers[0].rep_id}`{_ANOTHER}"
        )
        return RepRow(row.line, problem=said)
    return RepRow(row.line, rep)


_ANOTHER = "; if this is another person, use `dibs reps add`"


def _differing(row: Row, rep: Rep, known: Rep, by_number: bool) -> str:
    """Return what to do where a row says something else of a known rep, "" where it does not."""
    options = [
        f"--{column} {getattr(rep, name)}"
        for column, name in _COMPARED.items()
        if row.fields.get(column) and getattr(rep, name) != getattr(known, name)
    ]
    if rep.phone and not by_number:
        options.append(f"--phone {rep.phone}")
    if not options:
        return ""
    change = f"`dibs reps set {known.rep_id} {' '.join(options)}`"
    return f"is known already; to change them: {change}{'' if by_number else _ANOTHER}"


def _may_be(rep: Rep, gone: Rep) -> bool:
    """Tell whether a row may be the rep of that name who has left."""
    both = rep.phone and gone.phone
    return rep.phone == gone.phone if both else rep.team == gone.team


def _named_alike(one: Rep, other: Rep) -> bool:
    return folded(one.name) == folded(other.name)
