"""What boards show is each rep's latest version, on its page or in the list of changes."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from dibs.game.scoring.changes import (
    BoardChange,
    changes_body,
    changes_from,
    latest,
    with_changes,
)
from dibs.game.scoring.pages import NOTHING, Page, Total, page_body, page_from

REPS, TEAMS = ("aina", "ben", "chong"), ("north", "south")


def change(rep_id: str, version: int, *, period: str = "all", name: str = "") -> BoardChange:
    """Return the state of that version: each has counts of its own, and some have none."""
    teams = TEAMS[: version % 3]
    totals = (Total(rep_id, team, name or rep_id, {"claimed": version}) for team in teams)
    return BoardChange(rep_id, period, version, tuple(totals))


states = st.builds(change, st.sampled_from(REPS), st.integers(1, 9))


def stored(page: Page) -> Page:
    return page_from(json.loads(json.dumps(page_body(page))))


@given(st.lists(states, max_size=12), st.data())
def test_pages_and_list_show_the_latest_whatever_was_written_when(
    story: list[BoardChange], data: st.DataObject
) -> None:
    """Changes are listed in any order, and pages written of any part of the list, again and again;
    what is on a page may stay in the list, or come into it late."""
    page, listed = NOTHING, list[BoardChange]()
    for one in story:
        listed.append(one)
        if data.draw(st.booleans()):
            some = [known for known in listed if data.draw(st.booleans())]
            page = stored(with_changes(page, some))
            listed = [known for known in listed if known not in some or data.draw(st.booleans())]
    shown = with_changes(page, listed).totals()
    newest = latest(story)
    expected = [total for one in newest.values() for total in one.totals]
    assert sorted(shown, key=repr) == sorted(expected, key=repr)


@given(st.lists(st.builds(change, st.sampled_from(REPS), st.integers(1, 9)), max_size=6))
def test_changes_read_back_as_they_were_stored(some: list[BoardChange]) -> None:
    some = [*latest(some).values(), change("aina", 2, period="2026-W48")]
    back = changes_from(json.loads(json.dumps(changes_body(some))))
    assert sorted(back, key=repr) == sorted(some, key=repr)


def test_of_the_same_version_the_last_is_shown_as_after_a_new_name() -> None:
    page = with_changes(NOTHING, [change("aina", 1)])
    [total] = with_changes(page, [change("aina", 1, name="Aina binti Ali")]).totals()
    assert total.name == "Aina binti Ali"


def test_a_page_that_has_all_changes_is_the_very_same() -> None:
    page = with_changes(NOTHING, [change("aina", 2), change("ben", 1)])
    assert with_changes(page, [change("aina", 2), change("ben", 1)]) is page
    assert with_changes(page, [change("aina", 1)]) is page


def test_a_page_of_an_earlier_version_knows_no_versions_and_takes_every_change() -> None:
    body = page_body(with_changes(NOTHING, [change("aina", 2)]))
    del body["versions"], body["gone"]
    earlier = page_from(body)
    assert earlier.version_of("aina") == 0
    [total] = with_changes(earlier, [change("aina", 1)]).totals()
    assert total.counts == {"claimed": 1}
