"""Telling one person that something concerns them, and marking it read."""

from collections.abc import Collection

from backend.access.asker import Asker
from backend.database.connection import fetch, fetch_value
from backend.events.record import Action, action, user_stream
from backend.notifications.contracts import NotificationAdded, NotificationKind, NotificationsRead
from backend.notifications.queries import NOTIFICATIONS, notification_of


async def notify(
    act: Action,
    user_ids: Collection[int],
    kind: NotificationKind,
    conversation_id: int,
    actor_id: int | None,
    text: str,
) -> None:
    """Notify those of these people who see the conversation once the running action is done."""
    if not user_ids:
        return
    records = await fetch(
        "INSERT INTO notifications (user_id, kind, conversation_id, actor_id, text, created_at) "
        "SELECT v, $2, $3, $4, $5, now() FROM viewers($3) v WHERE v = ANY($1) RETURNING id",
        list(user_ids),
        kind,
        conversation_id,
        actor_id,
        text,
    )
    await _tell(act, "n.id = ANY($1)", [record["id"] for record in records])


async def tell_notifications_again(act: Action, conversation_id: int, user_ids: Collection[int]) -> None:
    """These people see the conversation again, and so what they were once notified of."""
    await _tell(act, "n.conversation_id = $1 AND n.user_id = ANY($2)", conversation_id, list(user_ids))


async def unsay_mentions(act: Action, conversation_id: int, actor_id: int, texts: list[str]) -> list[int]:
    """What these mentions said is gone; whoever was told of one is told again. Answers their ids."""
    records = await fetch(
        "UPDATE notifications SET text = '' WHERE conversation_id = $1 AND actor_id = $2 AND kind = 'mention' "
        "AND text = ANY($3) RETURNING id",
        conversation_id,
        actor_id,
        texts,
    )
    unsaid = [record["id"] for record in records]
    await _tell(act, "n.id = ANY($1)", unsaid)
    return unsaid


async def _tell(act: Action, which: str, *arguments: object) -> None:
    for record in await fetch(f"{NOTIFICATIONS} WHERE {which} ORDER BY n.id", *arguments):
        told = NotificationAdded(notification=notification_of(record))
        # With the conversation's id: who sees it no longer is not told of it, however far back their stream is read.
        act.record(user_stream(record["user_id"]), told, conversation_id=told.notification.conversation_id)


async def mark_notifications_read(asker: Asker, ids: list[int] | None) -> int:
    """Mark these (None: all) of the person's notifications read; answers how many are still unread."""
    async with action(asker.user_id) as act:
        records = await fetch(
            "UPDATE notifications SET read_at = now() WHERE user_id = $1 AND read_at IS NULL "
            "AND ($2::bigint[] IS NULL OR id = ANY($2)) RETURNING id",
            asker.user_id,
            ids,
        )
        if records:
            act.record(user_stream(asker.user_id), NotificationsRead(ids=sorted(record["id"] for record in records)))
    return await fetch_value("SELECT count(*) FROM notifications WHERE user_id = $1 AND read_at IS NULL", asker.user_id)
