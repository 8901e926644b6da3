"""Small views and rows for tests of what the interface makes of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from backend.conversations.contracts import Comment, ConversationDetail, ConversationItem, ConversationRow, Mark
from backend.events.contracts import Event, EventFrame
from backend.mail.contracts import MailAddress, MessageBody, MessageItem
from backend.mailboxes.contracts import Mailbox
from backend.people.contracts import Me, Organisation, Person, Team
from frontend.view import View

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ANA, JONAS = 1, 2


def person(id: int, name: str, **fields: Any) -> Person:
    given = {"email": f"{name.split()[0].lower()}@northwind.example", "role": "member", "active": True, "colour": id}
    return Person(id=id, name=name, **(given | fields))


def mailbox(id: int = 3, **fields: Any) -> Mailbox:
    given: dict[str, Any] = {
        "kind": "group",
        "name": "Support",
        "address": "support@northwind.example",
        "colour": 0,
        "default_from_name": "",
        "reply_bcc": "",
        "private_by_default": False,
        "owner_id": None,
        "member_ids": [ANA, JONAS],
        "team_ids": [],
        "reader_ids": [ANA, JONAS],
        "account": None,
    }
    return Mailbox(id=id, **(given | fields))


def row(id: int, version: int = 1, **fields: Any) -> ConversationRow:
    given: dict[str, Any] = {
        "mailbox_id": 3,
        "subject": f"Subject {id}",
        "correspondents": [MailAddress(name="Mateus Oliveira", address="mateus@vento.example")],
        "message_count": 1,
        "snippet": "My front wheel cracked",
        "last_at": NOON + timedelta(minutes=id),
        "last_arrival": 0,
        "last_direction": "incoming",
        "status": "open",
        "visibility": "open",
        "assignee_id": None,
        "assigned_team_id": None,
        "has_attachments": False,
        "comment_count": 0,
        "draft_author_ids": [],
        "outbox": "",
    }
    return ConversationRow(id=id, version=version, **(given | fields))


def mark(conversation_id: int, revision: int = 1, *, read_up_to: int = 0, forced: bool = False) -> Mark:
    return Mark(conversation_id=conversation_id, read_up_to=read_up_to, forced_unread=forced, revision=revision)


def item(row_: ConversationRow, mark_: Mark | None = None) -> ConversationItem:
    return ConversationItem(row=row_, mark=mark_ or mark(row_.id, 0))


def message(id: int, conversation_id: int, **fields: Any) -> MessageItem:
    given: dict[str, Any] = {
        "direction": "incoming",
        "sender": MailAddress(name="Mateus Oliveira", address="mateus@vento.example"),
        "to": [MailAddress(name="Support", address="support@northwind.example")],
        "cc": [],
        "reply_to": [],
        "date": NOON + timedelta(minutes=id),
        "subject": "Brake recall",
        "snippet": "My front wheel cracked",
        "has_html": False,
        "attachments": [],
        "problems": [],
        "arrival": id,
    }
    return MessageItem(id=id, conversation_id=conversation_id, **(given | fields))


def comment(id: int, conversation_id: int = 1, **fields: Any) -> Comment:
    given: dict[str, Any] = {
        "author_id": JONAS,
        "text": "Look.",
        "mention_ids": [],
        "team_mention_ids": [],
        "created_at": NOON + timedelta(minutes=id),
    }
    return Comment(id=id, conversation_id=conversation_id, **(given | fields))


def body(message_id: int, text: str = "My front wheel cracked.") -> MessageBody:
    return MessageBody(
        message_id=message_id, text=text, quoted_text="", html_url=None, has_quoted_html=False, blocked_remote=0
    )


def detail(row_: ConversationRow, **fields: Any) -> ConversationDetail:
    given: dict[str, Any] = {
        "mark": mark(row_.id, 0),
        "messages": [],
        "bodies": [],
        "comments": [],
        "activities": [],
        "drafts": [],
        "outgoing": [],
        "contact": None,
        "earlier": [],
        "also_in": [],
        "viewer_ids": [ANA, JONAS],
        "positions": [],
    }
    return ConversationDetail(row=row_, **(given | fields))


def view(*rows: ConversationRow, **fields: Any) -> View:
    ana = person(ANA, "Ana Ribeiro", role="owner")
    given: dict[str, Any] = {
        "me": Me(person=ana, time_zone="Europe/Lisbon", locale="en", theme="system"),
        "organisation": Organisation(name="Northwind Bikes"),
        "people": {ANA: ana, JONAS: person(JONAS, "Jonas Dahl")},
        "teams": {1: Team(id=1, name="Service", member_ids=[JONAS])},
        "mailboxes": {3: mailbox()},
        "notifications": [],
        "unread_notifications": 0,
        "positions": {"mailbox:3": 10},
        "rows": {each.id: each for each in rows},
    }
    return View(**(given | fields))


def frame(event: Event, position: int, stream: str = "mailbox:3") -> EventFrame:
    return EventFrame(stream=stream, position=position, at=NOON, actor_id=JONAS, event=event)
