"""Notifications of each person."""

from piccolo.columns import BigInt, BigSerial, ForeignKey, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults import TimestamptzNow
from piccolo.table import Table

from backend.conversations.tables import Conversation
from backend.people.tables import User


class Notification(Table, tablename="notifications"):
    id = BigSerial(primary_key=True)
    user_id = ForeignKey(User, null=False, on_delete=OnDelete.cascade)
    kind = Text()
    conversation_id = ForeignKey(Conversation, null=False, on_delete=OnDelete.cascade, index=True)
    actor_id = BigInt(null=True, default=None)
    text = Text()
    created_at = Timestamptz(default=TimestamptzNow())
    read_at = Timestamptz(null=True, default=None)
