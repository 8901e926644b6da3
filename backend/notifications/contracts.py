"""Notifications: events that concern one person."""

from datetime import datetime
from typing import Literal

from backend.contracts import Contract

NotificationKind = Literal["mention", "assignment", "failed_send", "reply", "reminder"]


class Notification(Contract):
    id: int
    kind: NotificationKind
    conversation_id: int
    mailbox_id: int
    actor_id: int | None
    subject: str
    text: str
    created_at: datetime
    read: bool


class NotificationPage(Contract):
    items: list[Notification]
    unread: int


class MarkNotificationsRead(Contract):
    """`None` marks all."""

    ids: list[int] | None = None


class NotificationAdded(Contract, tag="notification_added"):
    notification: Notification


class NotificationsRead(Contract, tag="notifications_read"):
    ids: list[int]
