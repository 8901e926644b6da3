"""What is found, as it crosses the wire."""

from datetime import datetime

from backend.contracts import Contract
from backend.mail.contracts import MailAddress


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
