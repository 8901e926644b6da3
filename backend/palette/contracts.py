"""What the command palette finds by typing, as it crosses the wire: names and subjects, no text of a mail."""

from typing import Literal

from backend.contracts import Contract
from backend.conversations.contracts import ConversationRow, Status

NAMED = 3
"""Correspondents of a conversation that it is found by."""
FINDABLE: tuple[Status, ...] = ("open", "done")
"""Spam and what was thrown away are not jumped to."""


class FindableConversation(Contract):
    """`people`: who takes part, by name. `at`: the last mail, in seconds since 1970. `version`: as of its row."""

    id: int
    mailbox_id: int
    subject: str
    people: str
    at: int
    status: Status
    version: int


class FindablePerson(Contract):
    """A colleague or a contact. `detail`: a contact's company."""

    kind: Literal["colleague", "contact"]
    id: int
    name: str
    address: str
    detail: str = ""


class PaletteIndex(Contract):
    """Of the conversations and contacts that the person sees the newest 5,000 each, and all colleagues."""

    conversations: list[FindableConversation]
    people: list[FindablePerson]


def findable(row: ConversationRow) -> FindableConversation:
    """A conversation as the palette finds it."""
    return FindableConversation(
        id=row.id,
        mailbox_id=row.mailbox_id,
        subject=row.subject,
        people=", ".join(each.name or each.address for each in row.correspondents[:NAMED]),
        at=int(row.last_at.timestamp()),
        status=row.status,
        version=row.version,
    )
