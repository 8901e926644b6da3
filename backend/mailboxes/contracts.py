"""Mailboxes as they cross the wire."""

from typing import Literal

from msgspec import UNSET, UnsetType

from backend.accounts.contracts import AccountState
from backend.contracts import Change, Contract

MailboxKind = Literal["personal", "group"]


class Mailbox(Contract):
    """A mailbox that the asking person can open.

    `read_from` is that person's watermark: arrivals up to this number count as read. `members` and `teams` are
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


class MailboxCounts(Contract):
    """Numbers for the rail and the tabs, for the asking person."""

    mailbox_id: int
    open: int
    unassigned: int
    mine: int
    unread: int


class WorkCounts(Contract):
    """Numbers across mailboxes, for the asking person. `outbox` counts mails that need a person."""

    mine: int
    mentions: int
    drafts: int
    outbox: int
    notifications: int
    mailboxes: list[MailboxCounts]


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


class UpdateMailbox(Change):
    name: str | UnsetType = UNSET
    address: str | UnsetType = UNSET
    colour: int | UnsetType = UNSET
    default_from_name: str | UnsetType = UNSET
    reply_bcc: str | UnsetType = UNSET
    private_by_default: bool | UnsetType = UNSET


class SetMailboxMembers(Contract):
    member_ids: list[int]
    team_ids: list[int]


class MailboxChanged(Contract, tag="mailbox_changed"):
    """Settings or members changed. To the mailbox's stream; `mailbox.read_from` is 0 here and means nothing."""

    mailbox: Mailbox


class MailboxGained(Contract, tag="mailbox_gained"):
    """To one person's stream: they can open it from now on. Take a snapshot of it, then follow its stream."""

    mailbox: Mailbox


class MailboxGone(Contract, tag="mailbox_gone"):
    """To one person's stream: drop everything of it."""

    mailbox_id: int
