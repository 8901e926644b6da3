"""What is told outside the page: on the desktop, while a tab is open. Pure, over two views."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypedDict

from backend.notifications.contracts import Notification
from frontend.view import View

NEWS_FOR = timedelta(minutes=5)
"""What is older was told, or has waited long enough to wait in the list."""
PRIVATELY = "Something new in a private conversation"


class TellView(TypedDict):
    """`mark` is another one each time that there is more to tell; `show`: on the desktop too."""

    mark: str
    tag: str
    title: str
    body: str
    path: str
    again: bool
    show: bool
    conversation_id: int


def fresh(before: View, view: View, now: datetime) -> list[TellView]:
    """What is new between two views, or stands for more than before."""
    if before.notifications is view.notifications:
        return []
    known = {each.id: each.changes for each in before.notifications}
    return [
        _tell(view, each, now)
        for each in view.notifications
        if not each.read and each.changes > known.get(each.id, 0) and now - each.created_at < NEWS_FOR
    ]


def unread_tags(view: View) -> list[str]:
    """What may still stand on a screen."""
    return sorted({each.tag for each in view.notifications if not each.read})


def _tell(view: View, notice: Notification, now: datetime) -> TellView:
    actor = view.people.get(notice.actor_id or 0)
    mailbox = view.mailboxes.get(notice.mailbox_id)
    wanted = view.me.notify
    title, body = " ".join(part for part in notice.words(actor.name if actor else "") if part), notice.subject
    if notice.private:  # a screen is seen by others, too
        title, body = PRIVATELY, ""
    elif mailbox is not None:
        body = f"{notice.subject or '(no subject)'} · {mailbox.name}"
    return TellView(
        mark=f"{notice.id}:{notice.changes}",
        tag=notice.tag,
        title=title,
        body=body,
        path=notice.path,
        again=notice.changes > 1,
        show=wanted.of(notice.kind).desktop and not wanted.quiet.cover(now, view.me.time_zone),
        conversation_id=notice.conversation_id,
    )
