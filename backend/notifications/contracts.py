"""Notifications: events that concern one person; what each wants to hear of, and where."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from msgspec import Meta

from backend.contracts import Contract

NotificationKind = Literal["mention", "assignment", "failed_send", "reply", "reminder", "comment", "share"]


def tag_of(conversation_id: int) -> str:
    """What names a conversation's notification on a screen: a newer one with the same tag takes its place."""
    return f"tandem-{conversation_id}"


class Notification(Contract):
    """`changes` of one minute are told together: text and place are those of the last one of the weightiest kind.

    `message_id`, `comment_id` or `outgoing_id` is the exact place in the conversation. `sender` wrote the mail that it
    tells of.
    `private`: not everybody who may share a mailbox sees the conversation, so what is shown elsewhere names nothing.
    """

    id: int
    kind: NotificationKind
    conversation_id: int
    mailbox_id: int
    actor_id: int | None
    subject: str
    text: str
    created_at: datetime
    read: bool
    changes: int = 1
    sender: str = ""
    message_id: int | None = None
    comment_id: int | None = None
    private: bool = False
    outgoing_id: int | None = None

    @property
    def tag(self) -> str:
        """See `tag_of`."""
        return tag_of(self.conversation_id)

    @property
    def spot(self) -> str:
        """The place in the conversation: `m12` a message, `c7` a comment, `o3` a mail of the outbox."""
        if self.outgoing_id:
            return f"o{self.outgoing_id}"
        return f"c{self.comment_id}" if self.comment_id else f"m{self.message_id}" if self.message_id else ""

    @property
    def path(self) -> str:
        """The address that shows it."""
        return f"/?mailbox={self.mailbox_id}&conversation={self.conversation_id}" + (
            f"&at={self.spot}" if self.spot else ""
        )

    def words(self, actor: str) -> tuple[str, str]:
        """Its sentence: who or what, in weight, and the rest. `actor` is the name of who acted, or empty."""
        who = actor or "Somebody"
        match self.kind:
            case "mention":
                lead, rest = who, "mentioned you"
            case "assignment":
                lead, rest = (who, "assigned you this") if actor else ("A new conversation", "is yours, in turn")
            case "comment":
                lead, rest = who, "commented"
            case "reply":
                lead, rest = actor or self.sender or "Somebody", "answered" if actor else "wrote"
            case "failed_send":
                lead, rest = "A mail was not sent", ""
            case "reminder":
                lead, rest = "Your reminder", "is due"
            case "share":
                lead, rest = who, "shared this with you"
        several = f"{self.changes} changes" if self.changes > 1 else ""
        return lead, " · ".join(part for part in (rest, several) if part)


class NotificationPage(Contract):
    items: list[Notification]
    unread: int


class MarkNotificationsRead(Contract):
    """`ids` None marks all; with `conversation_id` all about that conversation."""

    ids: list[int] | None = None
    conversation_id: int | None = None


class Wanted(Contract):
    """Whether a person wants to hear of something at all (in the list), and where beside."""

    on: bool = True
    desktop: bool = True
    push: bool = True


class QuietHours(Contract):
    """From `begins` to `ends`, on the clock of the person's time zone, beginning on these days (0 is Monday).

    Where `ends` is not later, it is that of the next day. `time_zone` counts for a person who follows their browser.
    """

    on: bool = False
    begins: Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "19:00"
    ends: Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "08:00"
    days: tuple[Annotated[int, Meta(ge=0, le=6)], ...] = (0, 1, 2, 3, 4, 5, 6)
    time_zone: str = "UTC"

    def cover(self, moment: datetime, time_zone: str) -> bool:
        """Whether `moment` is quiet. `time_zone` is the profile's; UTC there means: as the browser."""
        if not self.on:
            return False
        clock = moment.astimezone(ZoneInfo(self.time_zone if time_zone == "UTC" else time_zone))
        return any(begin <= clock < end for begin, end in self._near(clock))

    def _near(self, clock: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The quiet hours that began yesterday or begin today, where they do."""
        begins, ends = time.fromisoformat(self.begins), time.fromisoformat(self.ends)
        for back in (1, 0):
            day = clock.date() - timedelta(days=back)
            if day.weekday() in self.days:
                last = day if ends > begins else day + timedelta(days=1)
                yield (
                    datetime.combine(day, begins, tzinfo=clock.tzinfo),
                    datetime.combine(last, ends, tzinfo=clock.tzinfo),
                )


class NotificationSettings(Contract):
    """One person's: what for, where, and when not. What is off is not even listed."""

    mention: Wanted = Wanted()
    assignment: Wanted = Wanted()
    reply: Wanted = Wanted()
    comment: Wanted = Wanted()
    reminder: Wanted = Wanted()
    failed_send: Wanted = Wanted()
    quiet: QuietHours = QuietHours()

    def of(self, kind: NotificationKind) -> Wanted:
        return getattr(self, kind)


Digest = Literal["off", "hourly", "daily"]


class SetDigest(Contract):
    """How often unseen notifications come by mail."""

    digest: Digest


class NotificationAdded(Contract, tag="notification_added"):
    """A new one; or one that is known, told again for it stands for more now, or says less."""

    notification: Notification


class NotificationsRead(Contract, tag="notifications_read"):
    ids: list[int]


class AddDevice(Contract):
    """What a browser's subscription says (`PushSubscription.toJSON()`), and the name to show it by."""

    endpoint: str
    p256dh: str
    auth: str
    name: str = ""


class Device(Contract):
    """A browser that is pushed to. `here`: it is the one of the asking session."""

    id: int
    name: str
    endpoint: str
    created_at: datetime
    pushed_at: datetime | None
    here: bool


class PushState(Contract):
    """`public_key` is the `applicationServerKey` to subscribe under."""

    available: bool
    public_key: str
    devices: list[Device]


class PushText(Contract):
    """What is pushed: a sentence, a line below, and where a click leads. Never the text of a mail or comment.

    `again`: it stands for more than the one before it, which was heard. `read`: tags to take off the screen.
    """

    tag: str
    title: str
    body: str
    path: str
    again: bool = False
    read: list[str] = []
