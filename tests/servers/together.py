"""A program that writes in a draft together with others, as docs/api.md says anybody can: pycrdt on our socket."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import msgspec
from pycrdt import Doc, Map, XmlElement, XmlFragment, XmlText
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from backend.compose.contracts import Draft
from backend.compose.together.contracts import (
    Begin,
    Begun,
    Changed,
    ClientFrame,
    Has,
    MakeChange,
    Missing,
    ServerFrame,
    Stored,
    Welcome,
    server_frames,
)
from backend.events.contracts import ClosingFrame
from tests.servers.api import Api, Member

FrameType = TypeVar("FrameType")


class Sheet:
    """A draft's document, as one editor has it."""

    def __init__(self, draft_id: int, doc: Doc[Any] | None = None) -> None:
        self.draft_id = draft_id
        self.doc: Doc[Any] = doc or Doc()

    @property
    def body(self) -> XmlFragment:
        return self.doc.get(f"body:{self.draft_id}", type=XmlFragment)

    @property
    def fields(self) -> Map:
        return self.doc.get(f"fields:{self.draft_id}", type=Map)

    def line(self, number: int = 0) -> XmlText:
        """The text of a paragraph."""
        paragraph = self.body.children[number]
        assert isinstance(paragraph, XmlElement)
        text = paragraph.children[0]
        assert isinstance(text, XmlText)
        return text

    @property
    def lines(self) -> list[str]:
        return [str(node).removeprefix("<paragraph>").removesuffix("</paragraph>") for node in self.body.children]


class Pen(Sheet):
    """One open editor. It takes in what it hears as it comes; what it heard stays in `frames`."""

    def __init__(self, socket: ClientConnection, draft_id: int, doc: Doc[Any] | None = None) -> None:
        super().__init__(draft_id, doc)
        self.frames: list[ServerFrame] = []
        self.closed = ""
        self._socket = socket
        self._news = asyncio.Condition()
        self._number = 0
        self.reading = asyncio.create_task(self._read())

    async def say(self, frame: ClientFrame) -> None:
        await self._socket.send(msgspec.json.encode(frame).decode())

    async def say_raw(self, text: str) -> None:
        await self._socket.send(text)

    async def heard(self, kind: type[FrameType], where: Any = lambda frame: True) -> FrameType:
        """The first frame of this kind, waiting for it."""
        async with asyncio.timeout(10), self._news:
            while True:
                for frame in self.frames:
                    if isinstance(frame, kind) and where(frame):
                        return frame
                await self._news.wait()

    async def until(self, holds: Any) -> None:
        """Wait until the document is so."""
        async with asyncio.timeout(10), self._news:
            await self._news.wait_for(holds)

    async def begin(self, *lines: str) -> None:
        """Put the draft into the document, unless somebody has; then catch up."""
        if (await self.heard(Welcome)).begun is None:
            fresh = Sheet(self.draft_id)
            for line in lines:
                fresh.body.children.append(XmlElement("paragraph", contents=[XmlText(line)]))
            await self.say(Begin(change=fresh.doc.get_update()))
            await self.heard(Begun)
        await self.catch_up()

    async def catch_up(self) -> None:
        """Hear what is missing, and send what the server lacks."""
        await self.say(Has(state=self.doc.get_state()))
        missing = await self.heard(Missing)
        await self.send(self.doc.get_update(missing.state))

    async def send(self, change: bytes) -> int:
        self._number += 1
        await self.say(MakeChange(number=self._number, change=change))
        return self._number

    async def write(self, line: int, at: int, words: str) -> None:
        """Type into a line, and wait until it is stored."""
        before = self.doc.get_state()
        self.line(line).insert(at, words)
        await self.stored(await self.send(self.doc.get_update(before)))

    async def stored(self, number: int) -> None:
        await self.heard(Stored, lambda frame: frame.number >= number)

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for text in self._socket:
                frame = server_frames.decode(text)
                if isinstance(frame, Missing | Changed):
                    self.doc.apply_update(frame.change)
                if isinstance(frame, ClosingFrame):
                    self.closed = frame.reason
                self.frames.append(frame)
                async with self._news:
                    self._news.notify_all()


@asynccontextmanager
async def pen(api: Api, member: Member, draft: Draft, doc: Doc[Any] | None = None) -> AsyncIterator[Pen]:
    """Open the draft to write in it together. `doc`: what this editor has already."""
    url = f"ws://127.0.0.1:{api.port}/api/v1/drafts/{draft.id}/together"
    async with connect(url, additional_headers={"cookie": member.cookie_header}, proxy=None) as socket:
        held = Pen(socket, draft.id, doc)
        try:
            yield held
        finally:
            held.reading.cancel()
