"""Drafts and outgoing messages as they cross the wire."""

from datetime import datetime
from typing import Literal

from backend.contracts import Contract, Moment
from backend.identities.contracts import DraftSender
from backend.mail.contracts import MailAddress
from backend.meetings.contracts import DraftMeeting

DraftKind = Literal["reply", "reply_all", "new", "forward"]
SignedBy = Literal["none", "person", "mailbox"]
"""Whose signature stands below the text: its writer's, its mailbox's, or nobody's."""
OutgoingState = Literal["scheduled", "queued", "sending", "sent", "failed", "unknown", "held", "cancelled"]


class DraftAttachment(Contract):
    id: int
    filename: str
    content_type: str
    size: int
    content_id: str = ""
    """Of a picture that stands in the text, as `cid:` names it there."""


class Draft(Contract):
    """A mail being written; everybody who sees the conversation sees it. A stale `version` is refused when saving.

    `html` is None for a plain-text mail; else `text` is what it says. With `quoted`, the message that is answered or
    forwarded follows the text when it is sent; until then it stands in neither.
    `together`: several write in it, live, on the socket `/drafts/{id}/together`; the rest here follows within a second.
    `writer_ids` are those who joined its author.
    """

    id: int
    conversation_id: int | None
    mailbox_id: int
    author_id: int
    kind: DraftKind
    to: list[MailAddress]
    cc: list[MailAddress]
    bcc: list[MailAddress]
    subject: str
    text: str
    attachments: list[DraftAttachment]
    version: int
    updated_at: datetime
    html: str | None = None
    quoted: bool = False
    signature: SignedBy = "none"
    together: bool = False
    sender: DraftSender = DraftSender()
    writer_ids: list[int] = []
    meeting: DraftMeeting | None = None


class CreateDraft(Contract):
    """A reply names its conversation (and the message answered, else the newest); a new mail its mailbox."""

    kind: DraftKind
    mailbox_id: int | None = None
    conversation_id: int | None = None
    message_id: int | None = None


class AttachFromMail(Contract):
    """An attachment of a message, as `MessageItem.attachments` numbers it."""

    message_id: int
    position: int


class SaveDraft(Contract):
    """Answers 409 with both texts when `version` is not the stored one.

    With `html`, which is cleaned before it is stored, the text is taken from that, and `text` counts for nothing.
    Pictures in it are named by `cid:` and the `content_id` of an attachment.
    """

    version: int
    to: list[MailAddress]
    cc: list[MailAddress]
    bcc: list[MailAddress]
    subject: str
    text: str
    html: str | None = None
    quoted: bool = False


class ChooseSignature(Contract):
    signature: SignedBy


class QuotedMessage(Contract):
    """The message that a draft answers or forwards, as it would follow the text: to be written into."""

    html: str
    text: str


class SendDraft(Contract):
    """`seen_arrival` is the newest arrival that the writer saw (None: what was there when the draft was begun).

    If somebody's reply or a new mail came later, 409 with the code `answered_meanwhile`, unless `even_if_answered`;
    its details hold them as `replies` and `arrived`. A forward answers nobody, so it is not stopped.

    With `send_at`, a moment with its time zone, it waits as `scheduled` until then. Once it was sent, the conversation
    is done (`then_done`), and its writer is reminded at `then_remind_at`: unless an answer comes before
    (`then_remind_if_silent`), or in any case.

    `seen` is for a draft that is written together: what its sender sees is sent, whatever the others type meanwhile;
    its version counts for nothing.

    With `one_each` everybody in To, Cc and Bcc gets a mail of their own, with its own Message-ID, in which nobody else
    stands, and for which the fields of the text are filled in; the answer is the first of them. To undo one while it
    waits takes back all that have not left.
    """

    version: int
    seen_arrival: int | None = None
    then_done: bool = False
    undo_seconds: int = 10
    even_if_answered: bool = False
    send_at: Moment | None = None
    then_remind_at: Moment | None = None
    then_remind_if_silent: bool = True
    seen: SaveDraft | None = None
    one_each: bool = False


class Came(Contract):
    """A mail that came to a conversation meanwhile: from outside, or an answer that somebody of ours sent.

    `author_id` names a colleague (None: a correspondent, or another mail program); `message_id` is None until the
    answer has its place in the conversation.
    """

    message_id: int | None
    author_id: int | None
    sender: MailAddress | None
    subject: str
    snippet: str
    at: datetime


class OutgoingRecipient(Contract):
    address: str
    state: Literal["pending", "accepted", "refused"]
    reason: str = ""


class Outgoing(Contract):
    """A mail handed to the outbox. `reason` and `remedy` are plain words; `server_words` stand folded below.

    `send_at` is when one that is `scheduled` leaves, in UTC. One that is `sent` and has a `reason` was refused for
    some of its `recipients`. One that is `held` because somebody was faster says in `came` what they wrote.
    """

    id: int
    conversation_id: int
    mailbox_id: int
    author_id: int
    state: OutgoingState
    subject: str
    to: list[MailAddress]
    text: str
    message_id: str
    created_at: datetime
    undo_until: datetime | None
    attempts: int
    next_attempt_at: datetime | None
    reason: str
    remedy: str
    server_words: str
    recipients: list[OutgoingRecipient]
    attachments: list[DraftAttachment]
    came: list[Came] = []
    send_at: datetime | None = None
    then_done: bool = False
    then_remind_at: datetime | None = None
    one_of: int | None = None
    """Sent to one person each: the id of the first of these mails."""


class RescheduleOutgoing(Contract):
    """Another moment for a mail that is `scheduled`."""

    send_at: Moment


class ResolveOutgoing(Contract):
    """A person's choice about a mail that did not simply leave; `edit` gives the text back as a draft.

    `was_sent` is for `unknown` only. A mail that waits for its next attempt can be sent now, cancelled or edited;
    one that some recipients refused can be sent again to them, edited for them, or dismissed (`cancel`).
    """

    choice: Literal["send_again", "was_sent", "cancel", "edit"]


class DraftChanged(Contract, tag="draft_changed"):
    draft: Draft


class DraftGone(Contract, tag="draft_gone"):
    draft_id: int
    conversation_id: int | None
