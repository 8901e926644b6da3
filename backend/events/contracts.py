"""The live protocol: what the WebSocket at `/api/v1/live` says and hears.

A client opens it with `?since=mailbox:3=120,user:5=7,organisation=2` or sends `Subscribe` at any time; it gets every
later event of each stream in order, exactly once, then what happens from there on.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from backend.accounts.contracts import AccountStateChanged
from backend.compose.contracts import DraftChanged, DraftGone
from backend.contacts.contracts import ContactChanged, ContactGone
from backend.contracts import Contract, StreamPosition
from backend.conversations.contracts import (
    CommentAdded,
    CommentChanged,
    ConversationAdded,
    ConversationChanged,
    ConversationGone,
    ConversationItem,
    HistoryStored,
    MarkChanged,
    MeetingChanged,
    MeetingGone,
    MessageAdded,
    MessageRemoved,
    OutgoingChanged,
    SharedFileChanged,
    SharedFileGone,
    WatermarkChanged,
)
from backend.mailboxes.contracts import Mailbox, MailboxChanged, MailboxGained, MailboxGone
from backend.notifications.contracts import Notification, NotificationAdded, NotificationsRead
from backend.people.contracts import (
    Me,
    MeChanged,
    Organisation,
    OrganisationChanged,
    Person,
    PersonChanged,
    Team,
    TeamChanged,
    TeamGone,
)
from backend.tags.contracts import Tag, TagChanged, TagGone
from backend.views.contracts import SavedView, ViewChanged, ViewGone

Event = (
    ConversationAdded
    | ConversationChanged
    | ConversationGone
    | MessageAdded
    | MessageRemoved
    | HistoryStored
    | CommentAdded
    | CommentChanged
    | OutgoingChanged
    | SharedFileChanged
    | SharedFileGone
    | MeetingChanged
    | MeetingGone
    | DraftChanged
    | DraftGone
    | MarkChanged
    | WatermarkChanged
    | NotificationAdded
    | NotificationsRead
    | MailboxChanged
    | MailboxGained
    | MailboxGone
    | AccountStateChanged
    | OrganisationChanged
    | PersonChanged
    | TeamChanged
    | TeamGone
    | MeChanged
    | ContactChanged
    | ContactGone
    | TagChanged
    | TagGone
    | ViewChanged
    | ViewGone
)


class EventFrame(Contract, tag="event", tag_field="frame"):
    """One event. `actor_id` is the person who made the change, or nobody (arriving mail)."""

    stream: str
    position: int
    at: datetime
    actor_id: int | None
    event: Event


class PositionFrame(Contract, tag="position", tag_field="frame"):
    """The stream is at this position; what lay between is not for this person. Also the heart-beat."""

    positions: list[StreamPosition]


class ResetFrame(Contract, tag="reset", tag_field="frame"):
    """Events after the position that the client named are no longer kept: take a snapshot, then subscribe."""

    stream: str


class RefusedFrame(Contract, tag="refused", tag_field="frame"):
    """The stream does not exist or is not for this person."""

    stream: str


class ClosingFrame(Contract, tag="closing", tag_field="frame"):
    """The last frame. `signed_out`, `too_slow` or `shutting_down`; only after the last two is coming back any use."""

    reason: str


ConversationId = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Doing = Literal["reading", "commenting", "replying"]
"""What somebody does in a conversation, the least first."""


class Present(Contract):
    """Somebody who is in a conversation at this moment."""

    user_id: int
    doing: Doing


class PeopleIn(Contract):
    """The others who are in a conversation now; whatever was said of it before is no longer so."""

    conversation_id: int
    people: list[Present]


class PresenceFrame(Contract, tag="presence", tag_field="frame"):
    """Who else is where, of the conversations in which it changed. May be lost."""

    conversations: list[PeopleIn]


Frame = EventFrame | PositionFrame | ResetFrame | RefusedFrame | ClosingFrame | PresenceFrame


class Subscribe(Contract, tag="subscribe", tag_field="frame"):
    positions: list[StreamPosition]


class Unsubscribe(Contract, tag="unsubscribe", tag_field="frame"):
    streams: list[str]


class Looking(Contract, tag="looking", tag_field="frame"):
    """Where this client's person is now: said with each change, and again every 20 seconds. None: nowhere."""

    conversation_id: ConversationId | None
    doing: Doing = "reading"


class Watch(Contract, tag="watch", tag_field="frame"):
    """The conversations of whose people this client wants to hear: 200 at most, instead of those named before."""

    conversation_ids: list[ConversationId]


ClientFrame = Subscribe | Unsubscribe | Looking | Watch


class Snapshot(Contract):
    """Where a client begins: who it is, what it may open, and the positions of that moment.

    `conversations` is filled only when asked for (`?conversations=true`), with at most 5,000 rows.
    """

    me: Me
    organisation: Organisation
    people: list[Person]
    teams: list[Team]
    tags: list[Tag]
    views: list[SavedView]
    mailboxes: list[Mailbox]
    notifications: list[Notification]
    unread_notifications: int
    conversations: list[ConversationItem]
    positions: list[StreamPosition]


frame_encoder = msgspec.json.Encoder()
frame_decoder = msgspec.json.Decoder(Frame)
client_frame_decoder = msgspec.json.Decoder(ClientFrame)
event_decoder = msgspec.json.Decoder(Event)
