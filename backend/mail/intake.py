"""Sorting the mail of the organisation's one intake account: to which mailboxes does a message belong?

A mailbox without a mail account of its own gets its mail by forwarding to the intake account. What says where a mail
was going, best first:

1. what mail servers write when they deliver and forward (Delivered-To, X-Forwarded-To, X-Original-To, Envelope-To...),
   the intake's own address with a mailbox's name behind a plus among them (RFC 5233): `intake+support@...`;
2. To and Cc.

The first of the two that names mailboxes decides, and every mailbox that it names gets the message. A mail *from* one
of our mailboxes, copied to the intake account, is that mailbox's outgoing mail, unless the server that took it in says
that it is not from there (`sync.mime.authentication`): then it is a stranger's, like any other. What names nobody, and
what is only our own mail coming round, stays in the intake mailbox: the former waits there for an admin.

Of the other headers a sender can forge any, and gains nothing by it: they could have written to that address.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from backend.database.connection import execute, fetch, fetch_row
from sync.mime.authentication import vouched
from sync.mime.message import ParsedMessage

DELIVERY_HEADERS = frozenset(
    {
        "delivered-to",
        "x-delivered-to",
        "x-forwarded-to",
        "x-forwarded-for",
        "x-original-to",
        "envelope-to",
        "x-envelope-to",
        "resent-to",
    }
)
"""Written by servers on the way; X-Forwarded-For names the address that forwards, then where to."""
MOST_DELIVERIES = 100
"""Addresses in such headers that are looked at."""

_ADDRESS = re.compile(r"[^\s<>,;:\"()]{1,100}@[^\s<>,;\"()]{1,255}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Which address is whose. All addresses are in lower case."""

    intake_id: int
    intake_addresses: frozenset[str]
    mailboxes: Mapping[str, int]
    tags: Mapping[str, int]
    """What may stand behind the plus of the intake's address."""
    with_account: frozenset[int] = frozenset()
    """Mailboxes that fetch their own mail: a mere Cc to them is no reason to sort it there, if others match."""

    def mailbox_at(self, address: str) -> int | None:
        """The mailbox that mail to this address belongs to."""
        lowered = address.lower()
        if lowered in self.mailboxes:
            return self.mailboxes[lowered]
        name, _, tag = lowered.partition("@")[0].partition("+")
        plain = f"{name}@{lowered.partition('@')[2]}"
        return self.tags.get(tag) if plain in self.intake_addresses else None

    def is_intake(self, address: str) -> bool:
        """Whether it is the intake's address, with or without a name behind a plus."""
        name, _, domain = address.lower().partition("@")
        return f"{name.partition('+')[0]}@{domain}" in self.intake_addresses


@dataclass(frozen=True, slots=True)
class Known:
    """What is here already under the Message-ID of a mail."""

    sent_by: Collection[int] = field(default_factory=frozenset)
    """Mailboxes that sent a mail with this Message-ID."""
    held_by: Collection[int] = field(default_factory=frozenset)
    """Those of them that hold exactly this message."""


async def targets(account_id: int, parsed: ParsedMessage, own: Collection[str] = (), *, role: str = "") -> list[int]:
    """The mailboxes that each get the message, at least one: the intake mailbox itself for what fits nowhere.

    `own` are further addresses of the intake account, `role` that of the folder where it stands. Call it inside the
    action that stores the message: it notes when a test mail has come through. In each mailbox the message is outgoing
    if it is from an address of *that* mailbox.
    """
    directory = await read_directory(account_id, own)
    known = await _known(parsed)
    if parsed.message_id and any(deliveries(parsed)):
        await execute(
            "UPDATE forwarding_checks SET came_at = now() WHERE message_id = $1 AND came_at IS NULL", parsed.message_id
        )
    return sort_mail(parsed, directory, known, role=role)


def sort_mail(mail: ParsedMessage, directory: Directory, known: Known | None = None, *, role: str = "") -> list[int]:
    """The ids of the mailboxes that get the mail, in order; the intake's alone when there is none."""
    known = known or Known()
    sender = mail.from_.address.lower() if mail.from_ else ""
    from_mailbox = directory.mailboxes.get(sender)
    if role == "drafts":
        return [directory.intake_id]
    if role == "sent":
        # It went out from here and came to nobody yet: whom it was written to gets it on another way.
        return [from_mailbox] if from_mailbox is not None else [directory.intake_id]
    if from_mailbox is not None and vouched(mail.headers, sender) is False:
        from_mailbox = None
    if mail.auto_submitted and (from_mailbox is not None or directory.is_intake(sender)):
        return [directory.intake_id]
    delivered = {found for address in deliveries(mail) if (found := directory.mailbox_at(address)) is not None}
    written = _written_to(mail, directory)
    if from_mailbox is None:
        found = delivered or written
    else:
        found = _from_ourselves(mail, directory, from_mailbox, delivered, written)
    # What was sent from here is in the mailbox that sent it; come round and changed on the way, it stays out.
    found = (found - set(known.sent_by)) | set(known.held_by)
    return sorted(found) or [directory.intake_id]


def _from_ourselves(
    mail: ParsedMessage, directory: Directory, from_mailbox: int, delivered: set[int], written: set[int]
) -> set[int]:
    """A mail of one of our mailboxes: its outgoing copy, or what it wrote to a colleague and was forwarded, or both."""
    others = delivered - {from_mailbox}
    copied = any(directory.is_intake(person.address) for person in (*mail.to, *mail.cc, *mail.bcc))
    if others and not copied:
        return others
    return {from_mailbox} | (others or written)


def _written_to(mail: ParsedMessage, directory: Directory) -> set[int]:
    found = {directory.mailbox_at(person.address) for person in (*mail.to, *mail.cc)} - {None}
    named = {mailbox_id for mailbox_id in found if mailbox_id is not None}
    return (named - directory.with_account) or named


def deliveries(mail: ParsedMessage) -> Iterable[str]:
    """The addresses that servers wrote down on the way, as they stand there."""
    values = (value for name, value in mail.headers if name.lower() in DELIVERY_HEADERS)
    found = (match.group() for value in values for match in _ADDRESS.finditer(value[:2_000]))
    return [address for _, address in zip(range(MOST_DELIVERIES), found, strict=False)]


async def read_directory(account_id: int, own: Collection[str] = ()) -> Directory:
    """Whose address is whose, for the intake account `account_id`. Raises LookupError when it is no intake account."""
    intake = await fetch_row(
        "SELECT m.id, lower(m.address) AS address, lower(a.address) AS account_address FROM mail_accounts a "
        "JOIN mailboxes m ON m.id = a.mailbox_id WHERE a.id = $1 AND m.kind = 'intake'",
        account_id,
    )
    if intake is None:
        raise LookupError(f"account {account_id} is no intake account")
    rows = await fetch(
        "SELECT m.id, lower(m.address) AS address, a.id IS NOT NULL AS connected, "
        "ARRAY(SELECT lower(x.address) FROM mailbox_addresses x WHERE x.mailbox_id = m.id) AS further "
        "FROM mailboxes m LEFT JOIN mail_accounts a ON a.mailbox_id = m.id WHERE m.kind <> 'intake' ORDER BY m.id"
    )
    mailboxes: dict[str, int] = {}
    tags: dict[str, int] = {}
    for row in rows:
        for address in (row["address"], *row["further"]):
            mailboxes.setdefault(address, row["id"])
        for tag in tags_of(row["address"], row["id"]):
            tags.setdefault(tag, row["id"])
    return Directory(
        intake_id=intake["id"],
        intake_addresses=frozenset({intake["address"], intake["account_address"], *(each.lower() for each in own)}),
        mailboxes=mailboxes,
        tags=tags,
        with_account=frozenset(row["id"] for row in rows if row["connected"]),
    )


async def own_addresses(mailbox_id: int) -> set[str]:
    """The lower-case addresses whose mail the mailbox itself wrote."""
    rows = await fetch(
        "SELECT lower(address) AS address FROM mailboxes WHERE id = $1 "
        "UNION SELECT lower(address) FROM mail_accounts WHERE mailbox_id = $1 "
        "UNION SELECT lower(address) FROM mailbox_addresses WHERE mailbox_id = $1",
        mailbox_id,
    )
    return {row["address"] for row in rows}


def tags_of(address: str, mailbox_id: int) -> tuple[str, str]:
    """What names the mailbox behind the intake's plus: the name before its @, and one that no other mailbox has."""
    name = re.sub(r"[^a-z0-9._-]+", "-", address.partition("@")[0].lower()).strip("-") or "mailbox"
    return name, f"{name}-{mailbox_id}"


async def _known(parsed: ParsedMessage) -> Known:
    if not parsed.message_id:
        return Known()
    sent = await fetch("SELECT DISTINCT mailbox_id FROM outgoing WHERE message_id = $1", parsed.message_id)
    sent_by = {row["mailbox_id"] for row in sent}
    if not sent_by:
        return Known()
    held = await fetch(
        "SELECT DISTINCT mailbox_id FROM messages WHERE message_id = $1 AND content_digest = $2 "
        "AND mailbox_id = ANY($3)",
        parsed.message_id,
        parsed.digest,
        list(sent_by),
    )
    return Known(sent_by, {row["mailbox_id"] for row in held})
