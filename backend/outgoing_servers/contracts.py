"""Outgoing servers as admins see them: what mail leaves through, and how that goes. Never a password."""

from datetime import datetime
from typing import Literal

from msgspec import UNSET, UnsetType

from backend.accounts.contracts import Security, SignIn
from backend.contracts import Change, Contract


class ServerHealth(Contract):
    """What was last heard of a server. `failing` says why, and what to do; it ends with the next mail that leaves."""

    status: Literal["unknown", "well", "failing"] = "unknown"
    at: datetime | None = None
    reason: str = ""
    remedy: str = ""
    server_words: str = ""


class OutgoingServer(Contract):
    """A server that mail leaves through.

    `mailbox_id` names the mailbox whose own account it is: that is changed in the mailbox's settings. `forced_from`:
    the provider puts this address into From whatever stands there; `provider` is its name. `used_by` are the group
    mailboxes that send through it, by choice or by default.
    """

    id: int
    name: str
    host: str
    port: int
    security: Security
    username: str
    sign_in: SignIn
    mailbox_id: int | None
    for_all: bool
    provider: str
    forced_from: str
    used_by: list[int]
    health: ServerHealth
    size_limit: int | None = None
    """Bytes of a mail, as the server last said; a larger one is refused at Send."""
    per_minute: int = 0


class SaveOutgoingServer(Contract):
    """An empty `password` keeps the stored one, as long as server and user name stay. `for_all`: mailboxes without a
    mail account of their own send through it; one server at most is that."""

    name: str
    host: str
    port: int
    security: Security
    username: str = ""
    password: str = ""
    for_all: bool = False
    per_minute: int = 0
    """Mails that may leave through it in a minute, all workers together; 0: no limit of ours."""


class TestStep(Contract):
    """`connect`: reached, and protected as asked; `sign_in`; `accept`: the test mail was taken."""

    __test__ = False

    name: Literal["connect", "sign_in", "accept"]
    ok: bool


class ServerTest(Contract):
    """How a test mail went, from `sender` to `recipient`; steps after the one that failed were not tried."""

    __test__ = False

    ok: bool
    steps: list[TestStep]
    sender: str
    recipient: str
    reason: str = ""
    remedy: str = ""
    server_words: str = ""


class MailboxSending(Contract):
    """What a mailbox sends through. `server_id` null: the default (its own account, else the server for all, else the
    intake's account); `effective_id` is what that comes to, null where it cannot send."""

    mailbox_id: int
    server_id: int | None
    effective_id: int | None


class SetMailboxSending(Change):
    server_id: int | UnsetType | None = UNSET
    """None: reset to the default."""


class SystemSender(Contract):
    """As whom Tandem itself writes. An empty name: "Tandem" to users, the organisation's name to customers."""

    name: str = ""
    reply_to: str = ""


class SystemMail(Contract):
    """Mail of Tandem's own: to users (invitations, passwords, digests, whose an address is), and to customers.

    `address` is what it is from, empty where Tandem cannot send such mail.
    """

    users: SystemSender
    customers: SystemSender
    address: str


class SetSystemMail(Contract):
    users: SystemSender = SystemSender()
    customers: SystemSender = SystemSender()
