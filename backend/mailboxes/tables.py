"""Mailboxes and who may open them."""

from piccolo.columns import Array, BigInt, BigSerial, Boolean, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults import TimestamptzNow
from piccolo.table import Table

from backend.people.tables import Team, User


class Mailbox(Table, tablename="mailboxes"):
    id = BigSerial(primary_key=True)
    kind = Text(help_text="personal, group, or intake: the one whose mail is sorted into others")
    name = Text()
    address = Text(help_text="Lower case.")
    owner_id = ForeignKey(User, null=True, default=None, on_delete=OnDelete.restrict)
    colour = Integer(default=0)
    default_from_name = Text()
    reply_bcc = Text()
    private_by_default = Boolean(default=False)
    send_as = Text(default="mailbox", help_text="mailbox, person or on_behalf: who stands as the sender of its mail.")
    outgoing_server_id = BigInt(null=True, default=None, help_text="What it sends through. Null: its own account's.")
    last_arrival = BigInt(default=0, help_text="Number of the newest arrived message.")
    in_turn = Text(default="off", help_text="off, round_robin or least_busy: who gets new conversations.")
    in_turn_ids = Array(base_column=BigInt(), default=list, help_text="Among these users; empty: all who can open it.")
    in_turn_last = BigInt(null=True, default=None, help_text="Who was given the last one.")
    created_at = Timestamptz(default=TimestamptzNow())


class MailboxUser(Table, tablename="mailbox_users"):
    id = BigSerial(primary_key=True)
    mailbox_id = ForeignKey(Mailbox, null=False, on_delete=OnDelete.cascade)
    user_id = ForeignKey(User, null=False, on_delete=OnDelete.cascade, index=True)


class MailboxTeam(Table, tablename="mailbox_teams"):
    id = BigSerial(primary_key=True)
    mailbox_id = ForeignKey(Mailbox, null=False, on_delete=OnDelete.cascade)
    team_id = ForeignKey(Team, null=False, on_delete=OnDelete.cascade, index=True)


class Watermark(Table, tablename="watermarks"):
    """One person's read state of a mailbox: arrivals up to `read_from` count as read, and so do old comments."""

    id = BigSerial(primary_key=True)
    mailbox_id = ForeignKey(Mailbox, null=False, on_delete=OnDelete.cascade)
    user_id = ForeignKey(User, null=False, on_delete=OnDelete.cascade)
    read_from = BigInt(default=0)
    comments_read_from = BigInt(default=0, help_text="Comments up to this one count as read.")


class MailboxAddress(Table, tablename="mailbox_addresses"):
    """A further address whose mail belongs to the mailbox: where the intake account sorts by it."""

    id = BigSerial(primary_key=True)
    mailbox_id = ForeignKey(Mailbox, null=False, on_delete=OnDelete.cascade, index=True)
    address = Text(unique=True, help_text="Lower case.")


class ForwardingCheck(Table, tablename="forwarding_checks"):
    """The last test mail to a mailbox's address: whether forwarding brings it to the intake account."""

    id = BigSerial(primary_key=True)
    mailbox_id = ForeignKey(Mailbox, null=False, on_delete=OnDelete.cascade, unique=True)
    message_id = Text()
    asked_at = Timestamptz(default=TimestamptzNow())
    sent_at = Timestamptz(null=True, default=None, help_text="When the sending server took it.")
    came_at = Timestamptz(null=True, default=None, help_text="When it was met in the intake account.")
    problem = Text(help_text="Why it could not be sent, with what to do.")
