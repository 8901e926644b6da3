"""What a line of the outbox says of those who do not get the mail."""

from datetime import UTC, datetime

from backend.compose.contracts import Outgoing, OutgoingRecipient
from frontend.outbox.state import refusals

GONE = "There is no mailbox gil@cohen.example."


def mail(reason: str, *recipients: OutgoingRecipient) -> Outgoing:
    return Outgoing(
        id=1, conversation_id=1, mailbox_id=1, author_id=1, state="failed", subject="Hello", to=[], text="",
        message_id="<a@b>", created_at=datetime(2026, 12, 1, tzinfo=UTC), undo_until=None, attempts=1,
        next_attempt_at=None, reason=reason, remedy="", server_words="", recipients=list(recipients), attachments=[],
    )  # fmt: skip


def test_of_a_single_recipient_the_reason_is_said_once() -> None:
    gil = OutgoingRecipient(address="gil@cohen.example", state="refused", reason=GONE)
    assert refusals(mail(GONE, gil)) == []
    assert refusals(mail("The server took nothing.", gil)) == [f"gil@cohen.example: {GONE}"]


def test_of_several_each_has_a_line() -> None:
    gil = OutgoingRecipient(address="gil@cohen.example", state="refused", reason=GONE)
    ana = OutgoingRecipient(address="ana@cohen.example", state="accepted")
    assert refusals(mail(GONE, gil, ana)) == [f"gil@cohen.example: {GONE}"]
