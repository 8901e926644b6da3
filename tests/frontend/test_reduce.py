"""From a view and an event to the next view."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from backend.accounts.contracts import AccountState, AccountStateChanged
from backend.compose.contracts import DraftGone
from backend.contracts import StreamPosition
from backend.conversations.contracts import (
    AlsoIn,
    Comment,
    CommentAdded,
    ConversationAdded,
    ConversationChanged,
    ConversationGone,
    EarlierConversation,
    HistoryStored,
    LinkedConversation,
    MarkChanged,
    MessageAdded,
    MessageRemoved,
    WatermarkChanged,
)
from backend.events.contracts import Event, PeopleIn, PositionFrame, PresenceFrame, Present
from backend.mailboxes.contracts import MailboxChanged, MailboxGained, MailboxGone
from backend.notifications.contracts import Notification, NotificationAdded, NotificationsRead
from backend.people.contracts import PersonChanged
from frontend.reduce import apply, receive
from frontend.view import covers, with_detail, with_page
from tests.frontend.builders import (
    JONAS,
    NOON,
    body,
    detail,
    frame,
    mailbox,
    mark,
    message,
    person,
    row,
    view,
)


def test_every_event_of_the_protocol_is_known() -> None:
    unknown = [each.__name__ for each in get_args(Event) if apply.dispatch(each) is apply.dispatch(object)]
    assert unknown == []


def test_a_row_with_a_lower_version_never_replaces_a_newer_one() -> None:
    before = view(row(1, version=5, subject="new"))
    after = apply(ConversationChanged(row=row(1, version=4, subject="old")), before)
    assert after.rows[1].subject == "new"
    after = apply(ConversationChanged(row=row(1, version=6, subject="newer")), after)
    assert after.rows[1].subject == "newer"


def test_of_two_marks_the_higher_revision_wins() -> None:
    before = view(row(1, last_arrival=7), marks={1: mark(1, 3, read_up_to=7)})
    late = apply(MarkChanged(mailbox_id=3, mark=mark(1, 2, read_up_to=0)), before)
    assert not late.unread(late.rows[1])
    forced = apply(MarkChanged(mailbox_id=3, mark=mark(1, 4, read_up_to=7, forced=True)), before)
    assert forced.unread(forced.rows[1])


@pytest.mark.parametrize(
    ("arrival", "read_up_to", "read_from", "forced", "unread"),
    [
        (0, 0, 0, False, False),  # history
        (5, 0, 0, False, True),
        (5, 5, 0, False, False),
        (5, 4, 0, False, True),
        (5, 0, 5, False, False),  # everything up to the watermark is read
        (5, 0, 4, False, True),
        (0, 0, 0, True, True),  # marked unread by hand
    ],
)
def test_unread(arrival: int, read_up_to: int, read_from: int, forced: bool, unread: bool) -> None:
    seen = view(
        row(1, last_arrival=arrival),
        marks={1: mark(1, read_up_to=read_up_to, forced=forced)},
        mailboxes={3: mailbox(read_from=read_from)},
    )
    assert seen.unread(seen.rows[1]) is unread


def test_the_watermark_only_rises() -> None:
    seen = view(row(1, last_arrival=5), mailboxes={3: mailbox(read_from=4)})
    assert apply(WatermarkChanged(mailbox_id=3, read_from=2), seen).mailboxes[3].read_from == 4
    risen = apply(WatermarkChanged(mailbox_id=3, read_from=9), seen)
    assert not risen.unread(risen.rows[1])


def test_an_event_that_the_view_already_holds_changes_nothing() -> None:
    before = view(row(1, version=5))
    assert receive(before, frame(ConversationGone(conversation_id=1), 10)) is before
    after = receive(before, frame(ConversationGone(conversation_id=1), 11))
    assert after.rows == {}
    assert after.positions["mailbox:3"] == 11


def test_positions_never_go_back() -> None:
    seen = receive(view(), PositionFrame(positions=[StreamPosition(stream="mailbox:3", position=4)]))
    assert seen.positions["mailbox:3"] == 10


def test_a_conversation_out_of_sight_leaves_nothing_behind() -> None:
    first = row(1)
    before = with_detail(view(first, marks={1: mark(1)}), detail(first))
    after = apply(ConversationGone(conversation_id=1), before)
    assert (after.rows, after.marks, after.details) == ({}, {}, {})


def test_what_another_stream_tells_late_brings_nothing_back() -> None:
    gone = apply(ConversationGone(conversation_id=1, version=6), view(row(1, version=4)))
    assert apply(ConversationChanged(row=row(1, version=5)), gone).rows == {}
    assert apply(ConversationAdded(row=row(1, version=7)), gone).rows.keys() == {1}


def test_what_another_stream_tells_late_takes_nothing_away() -> None:
    moved = view(row(1, version=7))
    assert apply(ConversationGone(conversation_id=1, version=6), moved).rows == moved.rows
    assert apply(ConversationGone(conversation_id=1, version=7), moved).rows == {}


def test_a_conversation_comes_with_the_receivers_own_mark() -> None:
    after = apply(ConversationAdded(row=row(1, last_arrival=4), mark=mark(1, read_up_to=4)), view())
    assert not after.unread(after.rows[1])


def test_mail_and_comments_reach_the_open_conversation_once() -> None:
    first = row(1)
    seen = with_detail(view(first), detail(first, messages=[message(1, 1)], bodies=[body(1)]))
    said = Comment(
        id=9,
        conversation_id=1,
        author_id=JONAS,
        text="@Ana look",
        mention_ids=[1],
        team_mention_ids=[],
        created_at=NOON,
    )
    for _ in range(2):
        seen = apply(MessageAdded(row=row(1, version=2), message=message(2, 1)), seen)
        seen = apply(CommentAdded(row=row(1, version=3), comment=said), seen)
    assert [each.id for each in seen.details[1].messages] == [1, 2]
    assert [each.id for each in seen.details[1].comments] == [9]
    assert seen.details[1].row.version == 3
    seen = apply(MessageRemoved(row=row(1, version=4), message_id=1), seen)
    assert [each.id for each in seen.details[1].messages] == [2]
    assert seen.details[1].bodies == []


def test_a_page_or_detail_fetched_before_an_event_does_not_take_it_back() -> None:
    from backend.conversations.contracts import ConversationPage
    from tests.frontend.builders import item

    seen = view(row(1, version=5, status="done"), marks={1: mark(1, 5, read_up_to=3)})
    stale = item(row(1, version=4), mark(1, 4))
    paged = with_page(seen, ConversationPage(items=[stale], next_cursor=None, positions=[]))
    assert paged.rows[1].status == "done"
    assert paged.marks[1].revision == 5
    assert with_detail(seen, detail(row(1, version=4))).details[1].row.status == "done"


def test_losing_a_mailbox_drops_everything_of_it() -> None:
    other = row(2, mailbox_id=4)
    seen = view(row(1), other, mailboxes={3: mailbox(3), 4: mailbox(4)}, positions={"mailbox:3": 1, "mailbox:4": 2})
    after = apply(MailboxGone(mailbox_id=3), with_detail(seen, detail(seen.rows[1])))
    assert set(after.mailboxes) == {4}
    assert set(after.rows) == {2}
    assert after.details == {}
    assert after.positions == {"mailbox:4": 2}


def test_gaining_a_mailbox_asks_for_a_snapshot_of_it() -> None:
    after = apply(MailboxGained(mailbox=mailbox(8)), view())
    assert 8 in after.mailboxes
    assert after.gained == {8}


def test_a_changed_mailbox_keeps_my_own_watermark() -> None:
    seen = view(mailboxes={3: mailbox(read_from=40)})
    after = apply(MailboxChanged(mailbox=mailbox(name="Help", read_from=0)), seen)
    assert (after.mailboxes[3].name, after.mailboxes[3].read_from) == ("Help", 40)
    assert apply(MailboxChanged(mailbox=mailbox(9)), seen) is seen


def test_notifications_count_and_are_read() -> None:
    told = Notification(
        id=5, kind="mention", conversation_id=1, mailbox_id=3, actor_id=JONAS, subject="Brake recall", text="@Ana look",
        created_at=NOON, read=False,
    )  # fmt: skip
    seen = apply(NotificationAdded(notification=told), view())
    assert apply(NotificationAdded(notification=told), seen) is seen
    assert seen.unread_notifications == 1
    unsaid = apply(NotificationAdded(notification=msgspec.structs.replace(told, text="")), seen)
    assert ([each.text for each in unsaid.notifications], unsaid.unread_notifications) == ([""], 1)
    seen = apply(NotificationsRead(ids=[5, 6]), seen)
    assert seen.unread_notifications == 0
    assert seen.notifications[0].read


def test_notifications_of_what_is_out_of_sight_are_gone_with_it() -> None:
    told = Notification(
        id=5, kind="mention", conversation_id=1, mailbox_id=3, actor_id=JONAS, subject="Brake recall", text="@Ana look",
        created_at=NOON, read=False,
    )  # fmt: skip
    other = msgspec.structs.replace(told, id=6, conversation_id=2)
    both = apply(NotificationAdded(notification=other), apply(NotificationAdded(notification=told), view()))
    seen = apply(ConversationGone(conversation_id=1), both)
    assert ([each.id for each in seen.notifications], seen.unread_notifications) == ([6], 1)
    seen = apply(MailboxGone(mailbox_id=3), both)
    assert (seen.notifications, seen.unread_notifications) == ([], 0)
    # It comes back into sight, and what was told of it with it.
    again = apply(NotificationAdded(notification=told), apply(ConversationGone(conversation_id=1), both))
    assert (len(again.notifications), again.unread_notifications) == (2, 2)


def test_account_and_history() -> None:
    state = AccountState(mailbox_id=3, status="syncing", done=5, total=90)
    assert apply(AccountStateChanged(state=state), view()).mailboxes[3].account == state
    assert apply(HistoryStored(mailbox_id=3, messages=50), view()).history == 1


def test_my_own_name_changes_everywhere() -> None:
    after = apply(PersonChanged(person=person(1, "Ana R.")), view())
    assert (after.me.person.name, after.people[1].name) == ("Ana R.", "Ana R.")


def test_what_did_not_change_keeps_its_identity() -> None:
    before = view(row(1), row(2))
    after = apply(ConversationChanged(row=row(1, version=2)), before)
    assert after.people is before.people
    assert after.mailboxes is before.mailboxes
    assert after.rows[2] is before.rows[2]
    assert before.rows[1].version == 1


def test_what_goes_out_of_sight_goes_out_of_what_names_it() -> None:
    link = LinkedConversation(id=2, conversation_id=2, mailbox_id=3, subject="Secret", status="open")
    earlier = EarlierConversation(id=2, mailbox_id=3, subject="Secret", status="open", last_at=NOON)
    also_in = AlsoIn(mailbox_id=3, conversation_id=2)
    first, second = row(1), row(2)
    told = detail(first, links=[link], earlier=[earlier], also_in=[also_in])
    left = apply(ConversationGone(conversation_id=2), with_detail(view(first, second), told)).details[1]
    assert (left.links, left.earlier, left.also_in) == ([], [], [])
    other = apply(ConversationGone(conversation_id=9), with_detail(view(first, second), told)).details[1]
    assert other.links == [link]


def test_new_comments_are_counted_by_marks_of_their_own() -> None:
    said = row(1, last_comment_id=7)
    assert view(said).has_new_comments(said) and not view(said).unread(said)
    mine = msgspec.structs.replace(mark(1), comments_read_up_to=7)
    assert not apply(MarkChanged(mailbox_id=3, mark=mine), view(said)).has_new_comments(said)
    watermark = WatermarkChanged(mailbox_id=3, read_from=0, comments_read_from=7)
    assert not apply(watermark, view(said)).has_new_comments(said)


def test_a_detail_fetched_before_an_event_that_was_seen_is_told_apart() -> None:
    first = row(1)
    old = detail(first, positions=[StreamPosition(stream="mailbox:3", position=9)])
    new = detail(first, positions=[StreamPosition(stream="mailbox:3", position=10)])
    seen = view(first)
    assert not covers(old, seen)
    assert covers(new, seen)


def test_presence_says_all_of_one_conversation_and_goes_with_it() -> None:
    jonas = [Present(user_id=JONAS, doing="replying")]
    both = [PeopleIn(conversation_id=number, people=jonas) for number in (1, 2)]
    after = receive(view(row(1), row(2)), PresenceFrame(conversations=both))
    assert after.present == {1: jonas, 2: jonas}
    after = receive(after, PresenceFrame(conversations=[PeopleIn(conversation_id=1, people=[])]))
    assert after.present == {2: jonas}
    assert apply(ConversationGone(conversation_id=2), after).present == {}


def test_a_new_mail_that_is_gone_is_remembered() -> None:
    after = apply(DraftGone(draft_id=7, conversation_id=None), view())
    assert after.gone_drafts == {7}
    assert apply(DraftGone(draft_id=8, conversation_id=1), after).gone_drafts == {7}
