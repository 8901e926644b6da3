"""What a message is once it has been read.

Every string here can be stored in PostgreSQL as it is: no NUL, no lone surrogate, line ends as LF.
"""

from dataclasses import dataclass
from datetime import datetime

from sync.mime.headers import Field, decode_field


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox of an address header: `name` as displayed (may be empty) and `local@domain`.

    `address` is empty only in `ParsedMessage.from_` and `.sender`, where a header names somebody without an
    address ("From: The Management").
    """

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is not the body. `inline` says that the HTML body shows it by its `content_id`.

    `position` counts from 0 in the order of the message and names the attachment for good, as long as the
    bytes of the message are the same.
    """

    position: int
    filename: str
    content_type: str
    content_id: str | None
    inline: bool
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedMessage:
    """One RFC 5322 message, read as well as it can be.

    - `message_id`, `in_reply_to`, `references`: without angle brackets; None or empty when absent or unreadable.
    - `date`: in UTC; the Date header, else the newest Received header, else None.
    - `fields`: all header fields of the message in order, as bytes; `charset` is what they are in, if anything says so.
      `headers` has them decoded.
    - `text`: the plain text to read and search. Where the message has HTML only, it is derived from that
      (`text_derived`); None when there is no body at all.
    - `html`: the HTML body as the sender wrote it, *not sanitised*; None when the message has none.
    - `snippet`: the first words of what was newly written, at most 200 characters on one line.
    - `auto_submitted`: written by a machine (bounce, out-of-office, notification): not to be answered
      automatically (RFC 3834). Mail of a discussion list is not.
    - `problems`: what had to be repaired or left out, as short codes, for the curious and for tests.
    - `digest`: identity of the content; see `sync.mime.digest`.
    """

    message_id: str | None
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    date: datetime | None
    subject: str
    from_: Address | None
    sender: Address | None
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]
    fields: tuple[Field, ...]
    charset: str | None
    text: str | None
    text_derived: bool
    html: str | None
    attachments: tuple[Attachment, ...]
    auto_submitted: bool
    list_id: str
    list_unsubscribe: tuple[str, ...]
    snippet: str
    problems: tuple[str, ...]
    digest: str

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """All header fields of the message in order, unfolded and decoded, long ones cut (with a problem)."""
        return tuple((field.name, decode_field(field, self.charset)) for field in self.fields)

    def header(self, name: str) -> str:
        """The first value of a header field, or an empty string."""
        wanted = name.lower()
        return next((decode_field(field, self.charset) for field in self.fields if field.name.lower() == wanted), "")
