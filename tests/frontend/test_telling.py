"""What a tab tells outside its page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from backend.notifications.contracts import Notification, NotificationSettings, QuietHours, Wanted
from frontend.rail import paint_notices
from frontend.telling import fresh, unread_tags
from frontend.view import View
from tests.frontend.builders import JONAS, NOON, view

MINUTE = timedelta(minutes=1)


def told(id: int = 5, **fields: Any) -> Notification:
    given: dict[str, Any] = {
        "kind": "mention",
        "conversation_id": 1,
        "mailbox_id": 3,
        "actor_id": JONAS,
        "subject": "Brake recall",
        "text": "@Ana look",
        "created_at": NOON,
        "read": False,
        "comment_id": 7,
    }
    return Notification(id=id, **(given | fields))


def having(*notifications: Notification, settings: NotificationSettings | None = None) -> View:
    made = replace(view(), notifications=list(notifications))
    return replace(made, me=replace(made.me, notify=settings or NotificationSettings()))


def test_a_new_one_is_told_with_its_place() -> None:
    [tell] = fresh(having(), having(told()), NOON + MINUTE)
    assert (tell["title"], tell["body"]) == ("Jonas Dahl mentioned you", "Brake recall · Support")
    assert (tell["path"], tell["show"]) == ("/?mailbox=3&conversation=1&at=c7", True)


def test_one_that_stands_for_more_is_told_again() -> None:
    [tell] = fresh(having(told()), having(told(changes=2)), NOON + MINUTE)
    assert (tell["mark"], tell["again"]) == ("5:2", True)
    assert fresh(having(told()), having(replace(told(), text="")), NOON) == []


def test_what_was_read_or_is_old_is_not_told() -> None:
    assert fresh(having(), having(told(read=True)), NOON) == []
    assert fresh(having(), having(told()), NOON + 6 * MINUTE) == []


def test_the_desktop_keeps_still_in_quiet_hours_and_where_it_is_not_wanted() -> None:
    quiet = NotificationSettings(quiet=QuietHours(on=True, begins="11:00", ends="13:00"))
    for settings in (quiet, NotificationSettings(mention=Wanted(desktop=False))):
        [tell] = fresh(having(settings=settings), having(told(), settings=settings), NOON)
        assert not tell["show"]


def test_of_what_is_private_only_that_there_is_something() -> None:
    [tell] = fresh(having(), having(told(private=True)), NOON)
    assert (tell["title"], tell["body"]) == ("Something new in a private conversation", "")


def test_what_is_read_may_leave_the_screen() -> None:
    assert unread_tags(having(told(5), told(6, conversation_id=2), told(7, conversation_id=3, read=True))) == [
        "tandem-1",
        "tandem-2",
    ]


def test_the_list_says_who_did_what() -> None:
    def line(**fields: Any) -> str:
        [notice] = paint_notices(having(told(**fields)))
        return f"{notice['lead']} {notice['rest']}".strip()

    assert line(changes=3) == "Jonas mentioned you · 3 changes"
    assert line(kind="reply", actor_id=None, sender="Mateus Oliveira") == "Mateus Oliveira wrote"
    assert line(kind="reply") == "Jonas answered"
    assert line(kind="comment") == "Jonas commented"
    assert line(kind="assignment") == "Jonas assigned you this"
    assert line(kind="assignment", actor_id=None) == "A new conversation is yours, in turn"
    assert line(kind="failed_send", actor_id=None) == "A mail was not sent"
    assert line(kind="reminder", actor_id=None) == "Your reminder is due"
