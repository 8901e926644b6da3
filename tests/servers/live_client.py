"""A program that follows Tandem over `GET /api/v1/live` as docs/api.md says anybody can: the reference client.

It keeps everything it is told (`Model`), so that a test can hold it against a fresh snapshot: for every person and
through every change, snapshot before + events = snapshot after.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec
import websockets

from backend.accounts.contracts import AccountStateChanged
from backend.contracts import StreamPosition
from backend.conversations.contracts import (
    ConversationAdded,
    ConversationGone,
    ConversationPage,
    ConversationRow,
    HistoryStored,
    Mark,
    MarkChanged,
    WatermarkChanged,
)
from backend.events.contracts import (
    ClosingFrame,
    EventFrame,
    PositionFrame,
    RefusedFrame,
    ResetFrame,
    Snapshot,
    Subscribe,
    Unsubscribe,
    frame_decoder,
)
from backend.mailboxes.contracts import Mailbox, MailboxChanged, MailboxGained, MailboxGone
from backend.notifications.contracts import Notification, NotificationAdded, NotificationPage, NotificationsRead
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

_snapshot = msgspec.json.Decoder(Snapshot)
_page = msgspec.json.Decoder(ConversationPage)
_mailbox = msgspec.json.Decoder(Mailbox)
_notifications = msgspec.json.Decoder(NotificationPage)


@dataclass
class Model:
    """What a client knows: built from a snapshot, kept up by events."""

    me: Me
    organisation: Organisation
    people: dict[int, Person] = field(default_factory=dict)
    teams: dict[int, Team] = field(default_factory=dict)
    tags: dict[int, Tag] = field(default_factory=dict)
    views: dict[int, SavedView] = field(default_factory=dict)
    mailboxes: dict[int, Mailbox] = field(default_factory=dict)
    rows: dict[int, ConversationRow] = field(default_factory=dict)
    marks: dict[int, Mark] = field(default_factory=dict)
    notifications: dict[int, Notification] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)
    gone: dict[int, int] = field(default_factory=dict)
    """The versions up to which conversations are out of sight."""

    @classmethod
    def of(cls, snapshot: Snapshot) -> "Model":
        return cls(
            me=snapshot.me,
            organisation=snapshot.organisation,
            people={each.id: each for each in snapshot.people},
            teams={each.id: each for each in snapshot.teams},
            tags={each.id: each for each in snapshot.tags},
            views={each.id: each for each in snapshot.views},
            mailboxes={each.id: each for each in snapshot.mailboxes},
            rows={item.row.id: item.row for item in snapshot.conversations},
            marks={item.mark.conversation_id: item.mark for item in snapshot.conversations},
            notifications={each.id: each for each in snapshot.notifications},
            positions={each.stream: each.position for each in snapshot.positions},
        )

    def put_row(self, row: ConversationRow) -> None:
        known = self.rows.get(row.id)
        if row.version >= (known.version if known is not None else self.gone.get(row.id, 0)):
            self.rows[row.id] = row

    def take_row(self, conversation_id: int, version: int) -> None:
        known = self.rows.get(conversation_id)
        if known is None or known.version <= version or not version:
            self.rows.pop(conversation_id, None)
            self.gone[conversation_id] = max(version, self.gone.get(conversation_id, 0))

    def put_mark(self, mark: Mark) -> None:
        known = self.marks.get(mark.conversation_id)
        if known is None or known.revision <= mark.revision:
            self.marks[mark.conversation_id] = mark

    def forget_mailbox(self, mailbox_id: int) -> None:
        self.mailboxes.pop(mailbox_id, None)
        self.positions.pop(f"mailbox:{mailbox_id}", None)
        self.rows = {key: row for key, row in self.rows.items() if row.mailbox_id != mailbox_id}

    def unread(self, row: ConversationRow) -> bool:
        mark = self.marks.get(row.id)
        mailbox = self.mailboxes.get(row.mailbox_id)  # None: it is shared with this person
        read_from = mailbox.read_from if mailbox else 0
        if mark is None:
            return row.last_arrival > read_from
        return mark.forced_unread or row.last_arrival > max(mark.read_up_to, read_from)

    def has_new_comments(self, row: ConversationRow) -> bool:
        mark = self.marks.get(row.id)
        mailbox = self.mailboxes.get(row.mailbox_id)
        read = max(mark.comments_read_up_to if mark else 0, mailbox.comments_read_from if mailbox else 0)
        return row.last_comment_id > read

    def shown(self) -> dict[str, Any]:
        """Everything the person can see by it, for comparing."""
        visible = set(self.rows)
        return {
            "me": self.me,
            "organisation": self.organisation,
            "people": self.people,
            "teams": self.teams,
            "tags": self.tags,
            "views": self.views,
            "mailboxes": self.mailboxes,
            "rows": self.rows,
            "unread": {key: self.unread(row) for key, row in self.rows.items()},
            "comments": {key: self.has_new_comments(row) for key, row in self.rows.items()},
            "reminders": {
                key: mark.reminder for key, mark in self.marks.items() if mark.reminder is not None and key in self.rows
            },
            "notifications": {
                key: (each.kind, each.text, each.read, each.changes, each.spot)
                for key, each in self.notifications.items()
                if each.conversation_id in visible
            },
        }


class LiveClient:
    """One person's program: `start()`, then `cut()` at any time; it reconnects by itself until `stop()`."""

    def __init__(self, base_url: str, headers: dict[str, str]) -> None:
        self._base = base_url
        self._headers = headers
        self._http = httpx.AsyncClient(base_url=base_url, headers=headers, timeout=30)
        self.model: Model | None = None
        self.seen: list[EventFrame] = []
        """Every event in the order of its coming."""
        self.refused: list[str] = []
        self.closed_with = ""
        self.connections = 0
        self._taken_again: set[str] = set()
        """Streams that were dropped and taken up again on this connection."""
        self._socket: websockets.ClientConnection | None = None
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Condition()

    async def start(self) -> None:
        await self._take_snapshot()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._http.aclose()

    async def cut(self) -> None:
        """Break the connection without a word, as a network does."""
        if self._socket is not None:
            self._socket.transport.abort()

    async def fresh(self) -> Model:
        """A new snapshot, as a model."""
        answer = await self._http.get("/api/v1/snapshot", params={"conversations": "true"})
        answer.raise_for_status()
        return Model.of(_snapshot.decode(answer.content))

    async def caught_up(self, seconds: float = 20) -> None:
        """Wait until the client has come as far as a snapshot of now."""
        target = (await self.fresh()).positions
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(lambda: self._reached(target))

    async def wait_for(self, kind: type, seconds: float = 10) -> EventFrame:
        """The first event of this kind that was ever heard, waiting for it."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(lambda: any(isinstance(f.event, kind) for f in self.seen))
        return next(frame for frame in self.seen if isinstance(frame.event, kind))

    def _reached(self, target: dict[str, int]) -> bool:
        assert self.model is not None
        return all(self.model.positions.get(stream, -1) >= position for stream, position in target.items())

    async def _take_snapshot(self) -> None:
        self.model = await self.fresh()

    async def _run(self) -> None:
        while True:
            assert self.model is not None
            since = ",".join(f"{stream}={position}" for stream, position in self.model.positions.items())
            address = self._base.replace("http", "ws", 1) + f"/api/v1/live?since={since}"
            try:
                async with websockets.connect(address, additional_headers=self._headers, open_timeout=10) as socket:
                    self._socket = socket
                    self.connections += 1
                    self._taken_again.clear()
                    async for message in socket:
                        await self._receive(frame_decoder.decode(message))
                        if self.closed_with == "signed_out":
                            return
            except websockets.InvalidStatus as refusal:
                self.closed_with = f"status {refusal.response.status_code}"
                return
            except (OSError, websockets.WebSocketException, TimeoutError):
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.005)

    async def _receive(self, frame: Any) -> None:
        model = self.model
        assert model is not None
        if isinstance(frame, EventFrame):
            expected = model.positions.get(frame.stream)
            if expected is not None:
                if frame.position <= expected and frame.stream in self._taken_again:
                    return  # on its way when the stream was taken up again
                assert frame.position > expected, f"{frame.stream} {frame.position} came again"
                await self._apply(model, frame)
                self.seen.append(frame)
                if frame.stream in model.positions:
                    model.positions[frame.stream] = frame.position
        elif isinstance(frame, PositionFrame):
            for at in frame.positions:
                if at.stream in model.positions:
                    model.positions[at.stream] = max(model.positions[at.stream], at.position)
        elif isinstance(frame, ResetFrame):
            await self._take_snapshot()
            assert self._socket is not None
            await self._socket.close()
        elif isinstance(frame, RefusedFrame):
            self.refused.append(frame.stream)
            number = int(frame.stream.partition(":")[2]) if frame.stream.startswith("mailbox:") else 0
            if number in model.mailboxes:  # else it is gone already, and what of it is shared has come back
                model.forget_mailbox(number)
        elif isinstance(frame, ClosingFrame):
            self.closed_with = frame.reason
        async with self._changed:
            self._changed.notify_all()

    async def _apply(self, model: Model, frame: EventFrame) -> None:
        event = frame.event
        row = getattr(event, "row", None)
        own = frame.stream.startswith("user:")
        if isinstance(row, ConversationRow) and (own or row.mailbox_id in model.mailboxes):
            model.put_row(row)
        match event:
            case ConversationAdded(mark=Mark() as mark):
                model.put_mark(mark)
            case ConversationGone():
                model.take_row(event.conversation_id, event.version)
            case MarkChanged():
                model.put_mark(event.mark)
            case WatermarkChanged():
                self._update_mailbox(
                    event.mailbox_id, read_from=event.read_from, comments_read_from=event.comments_read_from
                )
            case HistoryStored():
                await self._read_mailbox(event.mailbox_id)
            case MailboxGained():
                model.mailboxes[event.mailbox.id] = event.mailbox
                position = await self._read_mailbox(event.mailbox.id)
                await self._read_settings(event.mailbox.id)
                stream = f"mailbox:{event.mailbox.id}"
                model.positions[stream] = position
                self._taken_again.add(stream)
                await self._read_notifications()
                await self._send(Subscribe(positions=[StreamPosition(stream=stream, position=position)]))
            case MailboxGone():
                model.forget_mailbox(event.mailbox_id)
                await self._send(Unsubscribe(streams=[f"mailbox:{event.mailbox_id}"]))
            case MailboxChanged():
                known = model.mailboxes.get(event.mailbox.id)
                if known is not None:
                    model.mailboxes[known.id] = msgspec.structs.replace(
                        event.mailbox, read_from=known.read_from, comments_read_from=known.comments_read_from
                    )
            case AccountStateChanged():
                self._update_mailbox(event.state.mailbox_id, account=event.state)
            case OrganisationChanged():
                model.organisation = event.organisation
            case PersonChanged():
                model.people[event.person.id] = event.person
                if event.person.id == model.me.person.id:
                    model.me = msgspec.structs.replace(model.me, person=event.person)
            case TeamChanged():
                model.teams[event.team.id] = event.team
            case TeamGone():
                model.teams.pop(event.team_id, None)
            case TagChanged():
                model.tags[event.tag.id] = event.tag
            case TagGone():
                model.tags.pop(event.tag_id, None)
            case ViewChanged():
                model.views[event.view.id] = event.view
            case ViewGone():
                model.views.pop(event.view_id, None)
            case MeChanged():
                model.me = event.me
            case NotificationAdded():
                model.notifications[event.notification.id] = event.notification
            case NotificationsRead():
                for each in event.ids:
                    if each in model.notifications:
                        model.notifications[each] = msgspec.structs.replace(model.notifications[each], read=True)
            case _:
                return

    def _update_mailbox(self, mailbox_id: int, **fields: Any) -> None:
        assert self.model is not None
        known = self.model.mailboxes.get(mailbox_id)
        if known is not None:
            self.model.mailboxes[mailbox_id] = msgspec.structs.replace(known, **fields)

    async def _read_mailbox(self, mailbox_id: int) -> int:
        """Read all conversations of a mailbox; answers the stream's position before the first page."""
        assert self.model is not None
        cursor, position, stream = None, None, f"mailbox:{mailbox_id}"
        while True:
            parameters = {"view": "all", "limit": "200"} | ({"cursor": cursor} if cursor else {})
            answer = await self._http.get(f"/api/v1/mailboxes/{mailbox_id}/conversations", params=parameters)
            if answer.status_code == 404:
                return 0
            answer.raise_for_status()
            page = _page.decode(answer.content)
            if position is None:
                position = next(each.position for each in page.positions if each.stream == stream)
            for item in page.items:
                self.model.put_row(item.row)
                self.model.put_mark(item.mark)
            cursor = page.next_cursor
            if cursor is None:
                return position

    async def _read_settings(self, mailbox_id: int) -> None:
        assert self.model is not None
        answer = await self._http.get(f"/api/v1/mailboxes/{mailbox_id}")
        if answer.status_code == 200:
            self.model.mailboxes[mailbox_id] = _mailbox.decode(answer.content)

    async def _read_notifications(self) -> None:
        assert self.model is not None
        answer = await self._http.get("/api/v1/notifications")
        answer.raise_for_status()
        for each in _notifications.decode(answer.content).items:
            self.model.notifications[each.id] = each

    async def _send(self, frame: Subscribe | Unsubscribe) -> None:
        assert self._socket is not None
        with contextlib.suppress(websockets.WebSocketException):
            await self._socket.send(msgspec.json.encode(frame).decode())
