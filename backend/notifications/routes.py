"""Notifications over HTTP."""

from litestar import Router, delete, get, post, put

from backend.access.asker import Asker
from backend.access.classes import access
from backend.access.fetch import access_conversation
from backend.notifications import devices, digest
from backend.notifications.actions import mark_notifications_read
from backend.notifications.contracts import (
    AddDevice,
    Device,
    MarkNotificationsRead,
    NotificationPage,
    PushState,
    SetDigest,
)
from backend.notifications.queries import read_notifications
from backend.people.contracts import Me


@get("/notifications", **access("signed_in"))
async def list_notifications(asker: Asker, cursor: int | None = None) -> NotificationPage:
    """The person's own, newest first; `cursor` is the id of the last one seen."""
    return await read_notifications(asker, cursor=cursor)


@post("/notifications/read", status_code=200, **access("signed_in"))
async def mark_read(asker: Asker, data: MarkNotificationsRead) -> NotificationPage:
    """Mark some, or all, read; answers the newest page as it then stands."""
    about = data.conversation_id
    if about is not None:
        about = (await access_conversation(asker, about)).conversation_id
    await mark_notifications_read(asker, data.ids, about)
    return await read_notifications(asker, cursor=None)


@put("/me/digest", **access("signed_in"))
async def set_digest(asker: Asker, data: SetDigest) -> Me:
    """How often what one has not seen comes by mail: off, hourly or daily."""
    return await digest.set_digest(asker, data)


@get("/push", **access("signed_in"))
async def read_push(asker: Asker) -> PushState:
    """Under which key to subscribe, and which of one's browsers are pushed to."""
    return await devices.read_push(asker)


@post("/push/devices", **access("signed_in"))
async def add_device(asker: Asker, data: AddDevice) -> Device:
    """Push to this browser, for as long as its session stands."""
    return await devices.add_device(asker, data)


@delete("/push/devices/{device_id:int}", **access("signed_in"))
async def remove_device(asker: Asker, device_id: int) -> None:
    """Push to it no more."""
    await devices.remove_device(asker, device_id)


router = Router(
    path="/",
    route_handlers=[list_notifications, mark_read, set_digest, read_push, add_device, remove_device],
    tags=["notifications"],
)
