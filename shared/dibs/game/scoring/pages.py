"""Totals of a period, column by column: a board of thousands reads the few counts it ranks by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

TARGET = "target.sum"
Line = tuple[Any, ...]
"""A rep's id, their team, their name, and counts in the order they were asked for."""


@dataclass(frozen=True)
class Total:
    """One rep's counts in a period, for one team: whole numbers by name
    (`dibs.game.scoring.vocabulary`). A rep who changed teams has one total for each."""

    rep_id: str
    team: str
    name: str
    counts: Mapping[str, int]


@dataclass(frozen=True, eq=False)
class Page:
    """The totals of some reps, never changed: who has one that is another object reads it anew.

    `ids`, `teams` and `names` have an element for each total. `columns` have the counts by name,
    each as numbers, or as one text of them, which is read once somebody asks for it. `versions`
    are those of the sums the totals were made of, and `gone` those of reps who had totals once.
    """

    ids: Sequence[str] = ()
    teams: Sequence[str] = ()
    names: Sequence[str] = ()
    columns: Mapping[str, str | Sequence[int]] = field(default_factory=dict)
    versions: str = ""
    gone: Mapping[str, int] = field(default_factory=dict)
    _read: dict[str, Sequence[int]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def column(self, name: str) -> Sequence[int]:
        """Return a count of every total; 0 where there is none."""
        known = self._read.get(name)
        if known is None:
            stored = self.columns.get(name, ())
            numbers = [*map(int, stored.split())] if isinstance(stored, str) else stored
            known = self._read[name] = numbers or (0,) * len(self.ids)
        return known

    def version_of(self, rep_id: str) -> int:
        """Return the version of the sum that a rep's totals were made of; 0 where it is unknown."""
        if rep_id in self.gone or not self.versions:
            return self.gone.get(rep_id, 0)
        at = next((n for n, known in enumerate(self.ids) if known == rep_id), None)
        return 0 if at is None else int(self.versions.split()[at])

    def lines(self, names: Sequence[str]) -> Iterable[Line]:
        """Return the totals with these of their counts."""
        return zip(self.ids, self.teams, self.names, *map(self.column, names), strict=True)

    def totals(self) -> list[Total]:
        """Return the totals with all of their counts."""
        names = [*self.columns]
        return [
            Total(rep_id, team, name, {of: n for of, n in zip(names, counts, strict=True) if n})
            for rep_id, team, name, *counts in self.lines(names)
        ]


NOTHING = Page()


def page_of(totals: Sequence[Total]) -> Page:
    """Return totals as a page."""
    return replaced(NOTHING, {}, totals)


def replaced(page: Page, rep_ids: Mapping[str, int], totals: Sequence[Total]) -> Page:
    """Return a page with other totals of some reps; the same page where they are as they were.

    `rep_ids` have the version of each rep's sum.
    """
    theirs = [n for n, rep_id in enumerate(page.ids) if rep_id in rep_ids]
    cells = {name: _cells(stored) for name, stored in page.columns.items()}
    were = [
        (
            *(page.ids[n], page.teams[n], page.names[n]),
            {name: int(of[n]) for name, of in cells.items() if of[n] != "0"},
        )
        for n in theirs
    ]
    now = [
        (one.rep_id, one.team, one.name, {name: n for name, n in one.counts.items() if n})
        for one in totals
    ]
    nothing = ["0"] * len(page)
    versions, stay = page.versions.split() or nothing, {one[0] for one in now}
    gone = {rep_id: of for rep_id, of in page.gone.items() if rep_id not in rep_ids}
    gone |= {rep_id: of for rep_id, of in rep_ids.items() if of and rep_id not in stay}
    if (
        sorted(were, key=_owner) == sorted(now, key=_owner)
        and all(int(versions[n]) == rep_ids[page.ids[n]] for n in theirs)
        and gone == page.gone
    ):
        return page

    def with_new(of: Sequence[str], new: Iterable[str]) -> list[str]:
        kept = [*of]
        for n in reversed(theirs):
            del kept[n]
        return [*kept, *new]

    names = page.columns.keys() | {name for *_, counts in now for name in counts}
    return Page(
        with_new(page.ids, (one[0] for one in now)),
        with_new(page.teams, (one[1] for one in now)),
        with_new(page.names, (one[2] for one in now)),
        {
            name: " ".join(
                with_new(cells.get(name, nothing), (str(one[3].get(name, 0)) for one in now))
            )
            for name in sorted(names)
        },
        " ".join(with_new(versions, (str(rep_ids.get(one[0], 0)) for one in now))),
        gone,
    )


def page_body(page: Page) -> dict[str, Any]:
    """Return a page as it is stored: numbers as text, which only who needs a column reads."""
    columns = {name: " ".join(_cells(page.columns[name])) for name in sorted(page.columns)}
    return {
        "ids": [*page.ids],
        "teams": [*page.teams],
        "names": [*page.names],
        "columns": {name: text for name, text in columns.items() if text.strip("0 ")},
        "versions": page.versions,
        "gone": {**page.gone},
    }


def page_from(body: Mapping[str, Any]) -> Page:
    """Return the page a stored body describes."""
    if "reps" in body:
        return _earlier(body)
    versions, gone = body.get("versions", ""), body.get("gone", {})
    return Page(body["ids"], body["teams"], body["names"], body["columns"], versions, gone)


def _earlier(body: Mapping[str, Any]) -> Page:
    """Return a page of an earlier version: by rep, their teams, and one target for all of these."""
    owners = [
        (rep_id, team, name, target)
        for rep_id, name, target, teams in body["reps"]
        for team in teams
    ]
    ids, teams, names = ([one[n] for one in owners] for n in range(3))
    columns: dict[str, Sequence[int]] = {**body["counts"]}
    sold = columns.get("revenue.sum") or (0,) * len(ids)
    best: dict[str, tuple[int, str]] = {}
    for rep_id, team, revenue in zip(ids, teams, sold, strict=True):
        best[rep_id] = min(best.get(rep_id, (-revenue, team)), (-revenue, team))
    columns[TARGET] = [
        target if best[rep_id][1] == team else 0 for rep_id, team, _, target in owners
    ]
    return Page(ids, teams, names, columns)


def _cells(stored: str | Sequence[int]) -> list[str]:
    return stored.split() if isinstance(stored, str) else [*map(str, stored)]


def _owner(line: Sequence[Any]) -> tuple[str, str]:
    return line[0], line[1]
