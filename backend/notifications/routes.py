"""Notifications over HTTP."""

from litestar import Router, get, post

from backend.access.asker import Asker
from backend.access.classes import access
from backend.notifications.actions import mark_notifications_read
from backend.notifications.contracts import MarkNotificationsRead, NotificationPage
from backend.notifications.queries import read_notifications


@get("/notifications", **access("signed_in"))
async def list_notifications(asker: Asker, cursor: int | None = None) -> NotificationPage:
    """The person's own, newest first; `cursor` is the id of the last one seen."""
    return await read_notifications(asker, cursor=cursor)


@post("/notifications/read", status_code=200, **access("signed_in"))
async def mark_read(asker: Asker, data: MarkNotificationsRead) -> NotificationPage:
    """Mark some, or all, read; answers the newest page as it then stands."""
    await mark_notifications_read(asker, data.ids, data.conversation_id)
    return await read_notifications(asker, cursor=None)


router = Router(path="/", route_handlers=[list_notifications, mark_read], tags=["notifications"])
