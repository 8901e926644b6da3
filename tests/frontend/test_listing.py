"""Which rows a list shows, which stand in the page, and who keeps a place."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from backend.conversations.contracts import ConversationPage, Mark, Reminder
from backend.tags.contracts import Tag
from frontend.inbox import places
from frontend.inbox.listing import Listing, listed
from frontend.inbox.rows import PaintedRows, paint_row
from tests.frontend.builders import ANA, JONAS, NOON, item, mark, row, view


def ids(listing: Listing, *rows_: object) -> list[int]:
    return [each.id for each in listed(view(*rows_), listing)]  # type: ignore[arg-type]


def test_the_lists_of_a_mailbox() -> None:
    rows = (
        row(1),
        row(2, assignee_id=ANA),
        row(3, assignee_id=JONAS),
        row(4, status="done"),
        row(5, status="trash"),
        row(6, assigned_team_id=1),
        row(7, mailbox_id=9),
    )
    shown = {each: ids(Listing(kind="mailbox", mailbox_id=3, shows=each), *rows) for each in
             ("open", "unassigned", "mine", "done", "trash", "all")}  # fmt: skip
    assert shown == {
        "open": [6, 3, 2, 1],
        "unassigned": [1],
        "mine": [2],
        "done": [4],
        "trash": [5],
        "all": [6, 4, 3, 2, 1],
    }


def test_my_work_spans_mailboxes() -> None:
    rows = (row(1, assignee_id=ANA, mailbox_id=9), row(2, assignee_id=ANA), row(3, assignee_id=ANA, status="done"))
    assert ids(Listing(kind="mine"), *rows) == [2, 1]


def test_rows_beyond_what_was_fetched_wait_for_their_page() -> None:
    listing = Listing(kind="mailbox", mailbox_id=3)
    page = ConversationPage(items=[item(row(9)), item(row(8))], next_cursor="more", positions=[])
    listing = listing.with_page(page)
    assert ids(listing, row(9), row(8), row(2)) == [9, 8]
    whole = listing.with_page(ConversationPage(items=[item(row(2))], next_cursor=None, positions=[]))
    assert ids(whole, row(9), row(8), row(2), row(1)) == [9, 8, 2, 1]


def test_search_shows_only_what_the_server_found() -> None:
    listing = Listing(kind="search", query="brake").with_page(
        ConversationPage(items=[item(row(4, status="done"))], next_cursor=None, positions=[])
    )
    assert ids(listing, row(4, status="done"), row(5)) == [4]


def test_a_row_of_three_lines() -> None:
    seen = view(
        row(1, last_arrival=5, assignee_id=JONAS, visibility="private", outbox="failed", draft_author_ids=[JONAS],
            message_count=3),
        marks={1: mark(1)},
    )  # fmt: skip
    painted = paint_row(seen, seen.rows[1], across=False)
    assert painted["who"] == "Mateus Oliveira"
    assert painted["count"] == "3"
    assert painted["unread"]
    assert painted["lock"].startswith("Private")
    assert [each["text"] for each in painted["tags"]] == ["Not sent", "Jonas’s draft"]
    assert painted["assignee"]["initials"] == "JD"
    assert painted["mailbox"] == ""
    assert paint_row(seen, seen.rows[1], across=True)["mailbox"] == "Support"
    assert painted["at"] == (NOON + timedelta(minutes=1)).isoformat()


CHANGES = st.sampled_from(("assigned", "read", "renamed", "tagged", "mailbox", "nothing"))


@given(st.lists(st.tuples(CHANGES, st.integers(1, 4), st.booleans()), max_size=12))
def test_rows_that_are_kept_say_what_rows_painted_anew_would(steps: list[tuple[str, int, bool]]) -> None:
    seen = view(*(row(number, last_arrival=number, assignee_id=JONAS) for number in range(1, 5)))
    kept = PaintedRows()
    for step, (change, number, across) in enumerate(steps):
        match change:
            case "assigned":
                seen = replace(seen, rows=seen.rows | {number: replace(seen.rows[number], assignee_id=ANA)})
            case "read":
                seen = replace(seen, marks=seen.marks | {number: mark(number, read_up_to=9)})
            case "renamed":
                seen = replace(seen, people=seen.people | {JONAS: replace(seen.people[JONAS], name=f"Jo {step}")})
            case "tagged":
                tagged = replace(seen.rows[number], tag_ids=[1])
                seen = replace(seen, tags={1: Tag(id=1, name=f"T{step}", colour=1)}, rows=seen.rows | {number: tagged})
            case "mailbox":
                seen = replace(seen, mailboxes={3: replace(seen.mailboxes[3], name=f"Desk {step}", read_from=step)})
            case _:
                pass
        rows = [each for each in seen.rows.values() if each.id != number]
        assert kept.paint(seen, rows, across=across) == [paint_row(seen, each, across=across) for each in rows]


def test_of_many_rows_only_the_one_that_changed_is_painted() -> None:
    seen = view(*(row(number) for number in range(1, 5)))
    kept = PaintedRows()
    first = kept.paint(seen, list(seen.rows.values()), across=False)
    seen = replace(seen, rows=seen.rows | {2: replace(seen.rows[2], starred=True)})
    second = kept.paint(seen, list(seen.rows.values()), across=False)
    assert [a is b for a, b in zip(first, second, strict=True)] == [True, False, True, True]


@given(st.lists(st.tuples(st.integers(1, 30), st.lists(st.integers(1, 30), max_size=6, unique=True)), max_size=40))
def test_a_conversation_that_stays_near_keeps_its_place(steps: list[tuple[int, list[int]]]) -> None:
    standing: places.Places = (0,) * places.COUNT
    for selected, near in steps:
        near = [each for each in near if each != selected]
        before = standing
        standing = places.with_one(standing, selected, near)
        standing = places.with_near(standing, selected, near)
        filled = [each for each in standing if each]
        assert len(filled) == len(set(filled))
        assert selected in standing
        assert set(near) <= set(standing)
        for index, each in enumerate(before):
            if each in {selected, *near}:
                assert standing[index] == each


def reminded(id: int, hours: int, *, kind: str = "reminder", due: bool = False) -> Mark:
    at = NOON + timedelta(hours=hours)
    return replace(mark(id), reminder=Reminder(at=at, kind=kind, if_silent=False, due=due))  # type: ignore[arg-type]


def test_what_has_a_reminder_stands_on_top_and_what_is_snoozed_nowhere() -> None:
    marks = {
        1: reminded(1, 5),
        2: reminded(2, 2),
        3: reminded(3, 9, due=True),
        4: reminded(4, 1, kind="snooze"),
        5: reminded(5, 1, kind="snooze", due=True),
    }
    rows = [row(number, assignee_id=ANA) for number in range(1, 8)]
    seen = view(*rows, marks=marks)
    for listing in (
        Listing(kind="mailbox", mailbox_id=3),
        Listing(kind="mailbox", mailbox_id=3, shows="mine"),
        Listing(kind="mine"),
    ):
        assert [each.id for each in listed(seen, listing)] == [5, 3, 2, 1, 7, 6]
    everything = Listing(kind="mailbox", mailbox_id=3, shows="all")
    assert [each.id for each in listed(seen, everything)] == [7, 6, 5, 4, 3, 2, 1]
    assert [each.id for each in listed(seen, Listing(kind="reminders"))] == [5, 3, 4, 2, 1]


def test_an_old_row_with_a_reminder_does_not_wait_for_its_page() -> None:
    page = ConversationPage(items=[item(row(9))], next_cursor="more", positions=[])
    listing = Listing(kind="mailbox", mailbox_id=3).with_page(page)
    seen = view(row(9), row(2), row(1), marks={1: reminded(1, 5)})
    assert [each.id for each in listed(seen, listing)] == [1, 9]


def test_what_has_a_tag_is_listed_from_all_mailboxes_while_the_tag_is_there() -> None:
    rows = [
        row(1, tag_ids=[7]),
        row(2, tag_ids=[8, 7], status="done", mailbox_id=9),
        row(3, tag_ids=[8]),
        row(4, tag_ids=[7], status="trash"),
    ]
    seen = replace(view(*rows), tags={7: Tag(id=7, name="Warranty", colour=1)})
    listing = Listing(kind="tag", query="7")
    assert listing.path() == "/tags/7/conversations"
    assert [each.id for each in listed(seen, listing)] == [2, 1]
    assert listed(replace(seen, tags={}), listing) == []


def test_a_tag_stands_on_a_row_and_the_number_of_others() -> None:
    tags = {number: Tag(id=number, name=f"Tag {9 - number}", colour=number) for number in range(1, 5)}
    seen = replace(view(row(1, tag_ids=[1, 2, 99, 3, 4])), tags=tags)
    painted = paint_row(seen, seen.rows[1], across=False)
    assert [each["name"] for each in painted["labels"]] == ["Tag 5"]
    assert painted["more_labels"] == "+3"
