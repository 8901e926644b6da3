"""Messages as they cross the wire."""

from datetime import datetime
from typing import Literal

from backend.contracts import Contract


class MailAddress(Contract):
    name: str
    address: str


class AttachmentItem(Contract):
    """Fetched from `/api/v1/messages/{message_id}/attachments/{position}`. `size` in bytes."""

    position: int
    filename: str
    content_type: str
    size: int
    inline: bool


class MessageItem(Contract):
    """A message in its conversation, without its body."""

    id: int
    conversation_id: int
    direction: Literal["incoming", "outgoing"]
    sender: MailAddress | None
    to: list[MailAddress]
    cc: list[MailAddress]
    reply_to: list[MailAddress]
    date: datetime
    subject: str
    snippet: str
    has_html: bool
    attachments: list[AttachmentItem]
    problems: list[str]
    arrival: int
    author_id: int | None = None
    meeting_id: int | None = None
    """Of a mail of ours that invites to a meeting, changes one or calls it off."""


class MessageBody(Contract):
    """What a person reads. `html_url` serves the sanitised document for the sandboxed frame.

    It is None where that would show nothing: then the text is what there is.

    `text` is at most 200,000 characters; `cut` says that more stands in the raw source.
    """

    message_id: int
    text: str
    quoted_text: str
    html_url: str | None
    has_quoted_html: bool
    blocked_remote: int
    cut: bool = False
