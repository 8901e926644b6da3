"""Notifications of each person, and the browsers that they are pushed to."""

from piccolo.columns import BigInt, BigSerial, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults import TimestamptzNow
from piccolo.table import Table

from backend.conversations.tables import Conversation
from backend.people.tables import Session, User


class Notification(Table, tablename="notifications"):
    id = BigSerial(primary_key=True)
    user_id = ForeignKey(User, null=False, on_delete=OnDelete.cascade)
    kind = Text()
    conversation_id = ForeignKey(Conversation, null=False, on_delete=OnDelete.cascade, index=True)
    actor_id = BigInt(null=True, default=None)
    text = Text()
    created_at = Timestamptz(default=TimestamptzNow())
    read_at = Timestamptz(null=True, default=None)
    changes = Integer(default=1, help_text="So many are told of by it.")
    sender = Text(default="", help_text="Whose mail it tells of.")
    message_id = BigInt(null=True, default=None)
    comment_id = BigInt(null=True, default=None)
    outgoing_id = BigInt(null=True, default=None)


class PushDevice(Table, tablename="push_devices"):
    """A browser that a person lets be told. It goes with the session that it was signed in by."""

    id = BigSerial(primary_key=True)
    user_id = ForeignKey(User, null=False, on_delete=OnDelete.cascade, index=True)
    session_id = ForeignKey(Session, null=True, default=None, on_delete=OnDelete.cascade, index=True)
    name = Text()
    endpoint = Text(unique=True, help_text="An address at the browser's push service.")
    p256dh = Text(help_text="The browser's public key (RFC 8291), base64url.")
    auth = Text(help_text="The secret that it shares with us, base64url.")
    created_at = Timestamptz(default=TimestamptzNow())
    pushed_at = Timestamptz(null=True, default=None)
