"""A person's notifications, as far as they still see what those are about."""

from backend.access.asker import Asker
from backend.access.fetch import SEES
from backend.database.connection import Row, fetch
from backend.notifications.contracts import Notification, NotificationPage

PAGE = 50
NOTIFICATIONS = (
    "SELECT n.*, c.mailbox_id, c.subject, c.visibility FROM notifications n "
    "JOIN conversations c ON c.id = n.conversation_id"
)


def notification_of(record: Row) -> Notification:
    """A record of NOTIFICATIONS, as a contract."""
    return Notification(
        id=record["id"],
        kind=record["kind"],
        conversation_id=record["conversation_id"],
        mailbox_id=record["mailbox_id"],
        actor_id=record["actor_id"],
        subject=record["subject"],
        text=record["text"],
        created_at=record["created_at"],
        read=record["read_at"] is not None,
        changes=record["changes"],
        sender=record["sender"],
        message_id=record["message_id"],
        comment_id=record["comment_id"],
        private=record["visibility"] != "open",
        outgoing_id=record["outgoing_id"],
    )


async def read_notifications(asker: Asker, *, cursor: int | None) -> NotificationPage:
    """The newest 50, or those before the id `cursor`, and how many are unread in all."""
    records = await fetch(
        f"{NOTIFICATIONS} WHERE n.user_id = $1 AND ($2::bigint IS NULL OR n.id < $2) AND {SEES.format(user='$1')} "
        "ORDER BY n.id DESC LIMIT $3",
        asker.user_id,
        cursor,
        PAGE,
    )
    unread = await fetch(
        "SELECT count(*) AS number FROM notifications n JOIN conversations c ON c.id = n.conversation_id "
        f"WHERE n.user_id = $1 AND n.read_at IS NULL AND {SEES.format(user='$1')}",
        asker.user_id,
    )
    return NotificationPage(items=[notification_of(record) for record in records], unread=unread[0]["number"])
