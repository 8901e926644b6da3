"""The templates that come with Tandem."""

from __future__ import annotations

from typing import TypedDict

import reflex as rx
from reflex.event import EventSpec

from backend.templates.contracts import AddFromLibrary, LibraryTemplate, Template
from frontend.api import ApiError
from frontend.settings.templates.listing import TemplateList


class LibraryLine(TypedDict):
    """A template that comes along; `html` is how it looks with its own fields."""

    key: str
    name: str
    about: str
    folder: str
    html: str


class TemplateLibrary(TemplateList, mixin=True):
    """The library, and what is copied from it."""

    library: list[LibraryLine] = []

    @rx.event
    async def look(self) -> EventSpec | None:
        """Into the library, and out of it."""
        self.above = "" if self.above == "library" else "library"
        if not self.above or self.library:
            return None
        try:
            found = await self.api().get("/template-library", list[LibraryTemplate])
        except ApiError as refused:
            return self.fault(refused)
        self.library = [
            LibraryLine(key=each.key, name=each.name, about=each.about, folder=each.folder, html=each.html)
            for each in found
        ]
        return None

    @rx.event
    async def add(self, key: str) -> EventSpec | None:
        """Copy one of the library into the organisation's templates."""
        try:
            added = await self.api().post("/template-library", AddFromLibrary(key=key), Template)
        except ApiError as refused:
            return self.fault(refused)
        self.say(f"{added.name} is among your templates")
        return await self._fetch()
