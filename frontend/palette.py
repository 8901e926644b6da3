"""What the command palette hears of changes, so that its index in the browser stays as the person sees things. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypedDict

import msgspec

from backend.contacts.contracts import Contact, ContactChanged, ContactGone
from backend.conversations.contracts import ConversationGone, ConversationRow, HistoryStored
from backend.events.contracts import EventFrame, Frame, RefusedFrame, ResetFrame
from backend.mailboxes.contracts import MailboxGained, MailboxGone
from backend.palette.contracts import FINDABLE, FindablePerson, findable
from backend.people.contracts import Person, PersonChanged


class News(TypedDict):
    """What one batch of events changes in the index. `number` counts the news: who misses one fetches anew, as it is
    done for `again`. `gone` are conversations, with the version up to which that is so."""

    number: int
    again: bool
    conversations: list[dict[str, Any]]
    people: list[dict[str, Any]]
    gone: list[list[int]]
    gone_mailboxes: list[int]
    gone_people: list[str]


NO_NEWS = News(number=0, again=False, conversations=[], people=[], gone=[], gone_mailboxes=[], gone_people=[])


def after(before: News, batch: Iterable[Frame]) -> News:
    """The news of a batch; `before` where it holds none."""
    rows: dict[int, ConversationRow] = {}
    gone: dict[int, int] = {}
    people: dict[str, FindablePerson | None] = {}
    gone_mailboxes: list[int] = []
    again = False
    for frame in batch:
        if isinstance(frame, ResetFrame | RefusedFrame):
            again = True
        if not isinstance(frame, EventFrame):
            continue
        event = frame.event
        row = getattr(event, "row", None)
        if isinstance(row, ConversationRow):
            older = max(gone.get(row.id, -1), rows[row.id].version - 1 if row.id in rows else -1)
            if row.version > older:
                gone.pop(row.id, None)
                rows[row.id] = row
        elif isinstance(event, ConversationGone):
            known = rows.get(event.conversation_id)
            if known is not None and known.version > event.version > 0:
                continue  # it has come back, as another stream told before
            rows.pop(event.conversation_id, None)
            gone[event.conversation_id] = event.version
        elif isinstance(event, MailboxGone):
            gone_mailboxes.append(event.mailbox_id)
            again = True  # what is shared with the person stays in sight
        elif isinstance(event, MailboxGained | HistoryStored):
            again = True
        elif isinstance(event, PersonChanged):
            people[f"colleague-{event.person.id}"] = _colleague(event.person)
        elif isinstance(event, ContactChanged):
            people[f"contact-{event.contact.id}"] = _contact(event.contact)
        elif isinstance(event, ContactGone):
            people[f"contact-{event.contact_id}"] = None
    kept = [findable(row) for row in rows.values() if row.status in FINDABLE]
    gone |= {row.id: row.version for row in rows.values() if row.status not in FINDABLE}
    if not (again or kept or gone or people):
        return before
    return News(
        number=before["number"] + 1,
        again=again,
        conversations=[msgspec.to_builtins(each) for each in kept],
        people=[msgspec.to_builtins(each) for each in people.values() if each is not None],
        gone=[[conversation_id, version] for conversation_id, version in gone.items()],
        gone_mailboxes=gone_mailboxes,
        gone_people=[key for key, each in people.items() if each is None],
    )


def _colleague(person: Person) -> FindablePerson | None:
    if not person.active:
        return None
    return FindablePerson(kind="colleague", id=person.id, name=person.name, address=person.email)


def _contact(contact: Contact) -> FindablePerson:
    address = contact.addresses[0] if contact.addresses else ""
    return FindablePerson(kind="contact", id=contact.id, name=contact.name, address=address, detail=contact.company)
