"""Telling one person that something concerns them, and marking it read.

Ten changes in a minute make one notification: what is unread of the same conversation, and not a minute old, is told
again with what is new (`changes` counts). Of several kinds the weightiest stays, with its text and its place. A mail
that was not sent and a reminder stand for themselves.
"""

from collections.abc import Collection

from backend.access.asker import Asker
from backend.database.connection import fetch, fetch_value
from backend.events.record import Action, action, user_stream
from backend.notifications.contracts import NotificationAdded, NotificationKind, NotificationsRead
from backend.notifications.devices import push_soon
from backend.notifications.queries import NOTIFICATIONS, notification_of

TOGETHER: tuple[NotificationKind, ...] = ("comment", "reply", "assignment", "mention")
"""Kinds that are told together, the lightest first."""


_GIVEN = {"kind": "$2::text", "actor_id": "$4::bigint", "text": "$5", "sender": "$6", "message_id": "$7::bigint",
          "comment_id": "$8::bigint", "outgoing_id": "$10::bigint"}  # fmt: skip
_WEIGHS = "array_position($9::text[], $2::text) >= array_position($9::text[], n.kind)"
_NOTIFY = f"""
    WITH told AS (
        SELECT u.id FROM viewers($3) v JOIN users u ON u.id = v
         WHERE v = ANY($1::bigint[]) AND coalesce((u.notify -> $2::text ->> 'on')::boolean, true)
    ), again AS (
        UPDATE notifications n SET changes = n.changes + 1,
               {", ".join(f"{name} = CASE WHEN {_WEIGHS} THEN {new} ELSE n.{name} END" for name, new in _GIVEN.items())}
          FROM told
         WHERE n.id = (SELECT max(o.id) FROM notifications o WHERE o.user_id = told.id AND o.conversation_id = $3
                          AND o.read_at IS NULL AND o.created_at > now() - interval '1 minute'
                          AND $2::text = ANY($9::text[]) AND o.kind = ANY($9::text[]))
        RETURNING n.id, n.user_id
    ), added AS (
        INSERT INTO notifications (user_id, conversation_id, created_at, {", ".join(_GIVEN)})
        SELECT id, $3, now(), {", ".join(_GIVEN.values())} FROM told WHERE id NOT IN (SELECT user_id FROM again)
        RETURNING id
    )
    SELECT id, false AS again FROM added UNION ALL SELECT id, true FROM again
"""


async def notify(
    act: Action,
    user_ids: Collection[int],
    kind: NotificationKind,
    conversation_id: int,
    actor_id: int | None,
    text: str,
    *,
    sender: str = "",
    message_id: int | None = None,
    comment_id: int | None = None,
    outgoing_id: int | None = None,
) -> None:
    """Notify those of these people who want to hear of such, and who see the conversation after the running action.

    `message_id`, `comment_id` or `outgoing_id` names the place that it tells of, `sender` who wrote a mail.
    """
    if not user_ids:
        return
    place = (message_id, comment_id, list(TOGETHER), outgoing_id)
    records = await fetch(_NOTIFY, list(user_ids), kind, conversation_id, actor_id, text, sender, *place)
    fresh = [record["id"] for record in records if not record["again"]]
    again = [record["id"] for record in records if record["again"]]
    await _tell(act, "n.id = ANY($1)", [*fresh, *again])
    await push_soon(fresh, again)


async def tell_notifications_again(act: Action, conversation_id: int, user_ids: Collection[int]) -> None:
    """These people see the conversation again, and so what they were once notified of."""
    await _tell(act, "n.conversation_id = $1 AND n.user_id = ANY($2)", conversation_id, list(user_ids))


async def unsay_comment(
    act: Action, conversation_id: int, comment_id: int, author_id: int, texts: list[str]
) -> list[int]:
    """A comment is gone: what notifications said of it is, too, and whoever was told of it is told again.

    `texts` are all that it ever said, for those of before notifications named their comment. Answers which they are.
    """
    records = await fetch(
        "UPDATE notifications SET text = '' WHERE conversation_id = $1 AND (comment_id = $2 OR "
        "(comment_id IS NULL AND actor_id = $3 AND kind = 'mention' AND text = ANY($4))) RETURNING id",
        conversation_id,
        comment_id,
        author_id,
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


async def mark_notifications_read(
    asker: Asker, ids: list[int] | None = None, conversation_id: int | None = None
) -> int:
    """Mark these, or those about a conversation, or all of the person's read; answers how many are still unread."""
    async with action(asker.user_id) as act:
        await clear_notifications(
            act,
            asker.user_id,
            "($2::bigint[] IS NULL OR id = ANY($2)) AND ($3::bigint IS NULL OR conversation_id = $3)",
            ids,
            conversation_id,
        )
    return await fetch_value("SELECT count(*) FROM notifications WHERE user_id = $1 AND read_at IS NULL", asker.user_id)


async def clear_notifications(act: Action, user_id: int, which: str, *arguments: object) -> None:
    """Mark those of a person's notifications read that are meant by `which`: SQL of ours, its first argument is $2."""
    records = await fetch(
        f"UPDATE notifications SET read_at = now() WHERE user_id = $1 AND read_at IS NULL AND {which} RETURNING id",
        user_id,
        *arguments,
    )
    if records:
        act.record(user_stream(user_id), NotificationsRead(ids=sorted(record["id"] for record in records)))
