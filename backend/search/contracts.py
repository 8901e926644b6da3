"""What is found, as it crosses the wire."""

from datetime import datetime

from backend.contracts import Contract
from backend.conversations.contracts import ConversationPage
from backend.mail.contracts import MailAddress


class Piece(Contract):
    """A piece of text; `hit`: what was searched for."""

    text: str
    hit: bool = False


class Excerpt(Contract):
    """Where in a conversation the words stand: in the newest mail with one of them (`message_id`), else in a comment,
    or in the text of a file. Not there for what was found by other things than words."""

    conversation_id: int
    pieces: list[Piece]
    subject: list[Piece] = []
    """Of the conversation, where a word stands in it."""
    message_id: int | None = None
    comment_id: int | None = None
    filename: str = ""


class FoundPage(ConversationPage):
    """What a search found: newest first, or by relevance where the search says `sort:relevance`.

    `told` are sentences about what of the search could not be read; the rest was searched for. `meant` is the search
    with words that somebody probably meant, where few or none were found; `instead`: nothing was found, and this page
    is what `meant` finds.
    """

    excerpts: list[Excerpt] = []
    told: list[str] = []
    meant: str = ""
    instead: bool = False
    by_relevance: bool = False


class FoundFile(Contract):
    """A file that hangs on a mail, fetched from `/api/v1/messages/{message_id}/attachments/{position}`."""

    message_id: int
    position: int
    filename: str
    content_type: str
    size: int
    conversation_id: int
    subject: str
    sender: MailAddress | None
    date: datetime
