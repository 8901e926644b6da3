"""Mailboxes as they cross the wire."""

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from backend.accounts.contracts import AccountState
from backend.contracts import Change, Contract

MailboxKind = Literal["personal", "group", "intake"]
"""`intake`: the organisation's one, whose mail is sorted into the others. Nobody opens it."""


SendAs = Literal["mailbox", "person", "on_behalf"]
"""Who stands as the sender of a group mailbox's mail: it alone ("Northwind Bikes"), the person who sends with it
("Jonas Dahl, Northwind Bikes"), or that person on its behalf (it in From, the person in Sender). The address in From is
always its own."""


class InTurn(Contract):
    """Who is given new conversations: one after the other, or whoever has the fewest open ones in the mailbox; among
    `user_ids`, or (empty) all who can open it. Who is away is passed over."""

    how: Literal["off", "round_robin", "least_busy"] = "off"
    user_ids: list[int] = []


class Mailbox(Contract):
    """A mailbox that the asking person can open.

    `read_from` is that person's watermark: arrivals up to this number count as read, and so do comments up to the one
    with the id `comments_read_from`. `members` and `teams` are
    those given access; everybody who can open it is in `reader_ids`.
    """

    id: int
    kind: MailboxKind
    name: str
    address: str
    colour: int
    default_from_name: str
    reply_bcc: str
    private_by_default: bool
    owner_id: int | None
    member_ids: list[int]
    team_ids: list[int]
    reader_ids: list[int]
    account: AccountState | None
    read_from: int = 0
    comments_read_from: int = 0
    in_turn: InTurn = msgspec.field(default_factory=InTurn)
    send_as: SendAs = "mailbox"


class MailboxSettings(Contract):
    """A mailbox as an admin sees it in the settings, whether or not they can read it."""

    id: int
    kind: MailboxKind
    name: str
    address: str
    colour: int
    default_from_name: str
    reply_bcc: str
    private_by_default: bool
    owner_id: int | None
    member_ids: list[int]
    team_ids: list[int]
    account: AccountState | None
    in_turn: InTurn = msgspec.field(default_factory=InTurn)
    send_as: SendAs = "mailbox"


class MailboxDeed(Contract):
    """What somebody did to a mailbox: to its settings (`changed` names them), its members, or its account."""

    id: int
    at: datetime
    actor_id: int | None
    kind: Literal["created", "changed", "members", "account"]
    changed: list[str] = []
    added_ids: list[int] = []
    removed_ids: list[int] = []
    added_team_ids: list[int] = []
    removed_team_ids: list[int] = []


class MailboxCounts(Contract):
    """Numbers for the rail and the tabs, for the asking person. `unread_comments` counts open conversations with
    comments that are new to them."""

    mailbox_id: int
    open: int
    unassigned: int
    mine: int
    unread: int
    unread_comments: int = 0


class WorkCounts(Contract):
    """Numbers across mailboxes, for the asking person. `outbox` counts mails that need a person, `reminders` those
    that are due, `shared` what is shared with them out of mailboxes that they cannot open."""

    mine: int
    mentions: int
    reminders: int
    drafts: int
    outbox: int
    notifications: int
    mailboxes: list[MailboxCounts]
    shared: int = 0
    shared_unread: int = 0


class Mentionable(Contract):
    """Who can be mentioned in a mailbox: those who can open it, and teams with such a member."""

    person_ids: list[int]
    team_ids: list[int]


class CreateMailbox(Contract):
    kind: MailboxKind
    name: str
    address: str
    member_ids: list[int] = []
    team_ids: list[int] = []
    default_from_name: str = ""
    reply_bcc: str = ""
    private_by_default: bool = False
    send_as: SendAs = "mailbox"


class UpdateMailbox(Change):
    name: str | UnsetType = UNSET
    address: str | UnsetType = UNSET
    colour: int | UnsetType = UNSET
    default_from_name: str | UnsetType = UNSET
    reply_bcc: str | UnsetType = UNSET
    private_by_default: bool | UnsetType = UNSET
    in_turn: InTurn | UnsetType = UNSET
    send_as: SendAs | UnsetType = UNSET


class SetMailboxMembers(Contract):
    member_ids: list[int]
    team_ids: list[int]


class SortTarget(Contract):
    """A mailbox that waiting mail can be sorted into. A personal one bears its owner's name and no address."""

    mailbox_id: int
    kind: MailboxKind
    name: str


class Intake(Contract):
    """The organisation's intake account. `mailbox` is None until an admin makes it; `waiting` conversations fit
    nowhere."""

    mailbox: MailboxSettings | None
    waiting: int
    targets: list[SortTarget]


class Unsorted(Contract):
    """Mail that fits nowhere, as an admin sees it: no subject, no text.

    `recipients`: whom servers and sender name, best first. `size` in bytes, of all its `messages`. `spam`: the server
    takes it for that; it can be sorted all the same, and does not count as waiting.
    """

    id: int
    sender: str
    recipients: list[str]
    date: datetime
    size: int
    messages: int
    spam: bool = False


class SortUnsorted(Contract):
    """`remember`: an address whose mail goes to this mailbox from now on; empty for none."""

    mailbox_id: int
    remember: str = ""


class Sorted(Contract):
    """How many waiting conversations were moved: the named one, and with `remember` all that the address explains."""

    moved: int


class ForwardingCheck(Contract):
    """The last test mail to a mailbox's address. `problem` says why it could not be sent."""

    asked_at: datetime
    sent_at: datetime | None
    came_at: datetime | None
    problem: str


class Forwarding(Contract):
    """How mail reaches a mailbox that has no mail account, and how it sends: through the intake account.

    `forward_to` is where its mail server forwards to, empty while there is no connected intake account. `addresses`
    are further addresses whose mail belongs here.
    """

    mailbox_id: int
    forward_to: str
    addresses: list[str]
    last_received_at: datetime | None
    check: ForwardingCheck | None


class SetAddresses(Contract):
    """The further addresses of a mailbox, all of them."""

    addresses: list[str]


class MailboxChanged(Contract, tag="mailbox_changed"):
    """Settings or members changed. To the mailbox's stream; `mailbox.read_from` is 0 here and means nothing."""

    mailbox: Mailbox


class MailboxGained(Contract, tag="mailbox_gained"):
    """To one person's stream: they can open it from now on. Take a snapshot of it, then follow its stream."""

    mailbox: Mailbox


class MailboxGone(Contract, tag="mailbox_gone"):
    """To one person's stream: drop everything of it."""

    mailbox_id: int
