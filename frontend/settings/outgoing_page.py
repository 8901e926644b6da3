"""What the parts of the page of outgoing mail share: it is fetched anew after each change."""

from __future__ import annotations

from typing import TypedDict

import msgspec
from reflex.event import EventSpec

from frontend.api import ApiError
from frontend.session import Session


class Choice(TypedDict):
    value: str
    label: str


class OutgoingPage(Session, mixin=True):
    """A page of which nothing is known before it was fetched."""

    fetched: bool = False
    changed: int = 0
    """So many changes were made: each fills the forms anew."""

    async def fetch(self) -> None:
        """Read anew what the page shows."""
        raise NotImplementedError

    async def _changed(self, said: str) -> None:
        self.changed += 1
        await self.fetch()
        self.say(said)

    async def _do(self, method: str, path: str, body: msgspec.Struct | None, said: str) -> EventSpec | None:
        try:
            match method:
                case "DELETE":
                    await self.api().delete(path)
                case "PUT":
                    await self.api().put(path, body)
                case _:
                    await self.api().post(path, body)
            await self._changed(said)
        except ApiError as refused:
            return self.fault(refused)
        return None
