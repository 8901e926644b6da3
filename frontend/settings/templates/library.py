"""The templates that come with Tandem."""

from __future__ import annotations

from typing import TypedDict

import reflex as rx
from reflex.event import EventSpec

from backend.templates.contracts import AddFromLibrary, LibraryTemplate, Template
from frontend.api import ApiError
from frontend.settings.templates.listing import TemplateList
from frontend.settings.templates.preview import TemplatePreview


class LibraryLine(TypedDict):
    """A template that comes along."""

    key: str
    name: str
    about: str
    folder: str


class TemplateLibrary(TemplateList, TemplatePreview, mixin=True):
    """The library, and what is copied from it."""

    library: list[LibraryLine] = []
    shown_key: str = ""
    """Of the one that is looked at."""

    _library: list[LibraryTemplate] = []

    @rx.event
    async def look(self) -> EventSpec | None:
        """Into the library, and out of it."""
        self.above, self.shown_key = "" if self.above == "library" else "library", ""
        if not self.above or self.library:
            return None
        try:
            self._library = await self.api().get("/template-library", list[LibraryTemplate])
        except ApiError as refused:
            return self.fault(refused)
        self.library = [
            LibraryLine(key=each.key, name=each.name, about=each.about, folder=each.folder) for each in self._library
        ]
        return None

    @rx.event
    async def show(self, key: str) -> EventSpec | None:
        """How one of the library reads, or no more of it."""
        chosen = next((each for each in self._library if each.key == key and key != self.shown_key), None)
        self.shown_key, self.shown_html, self.shown_subject = chosen.key if chosen else "", "", ""
        if chosen is None:
            return None
        self._subject, self._text, self._html, self._formatted = chosen.subject, "", chosen.html, True
        return await self._preview()

    @rx.event
    async def add(self, key: str) -> EventSpec | None:
        """Copy one of the library into the organisation's templates."""
        try:
            added = await self.api().post("/template-library", AddFromLibrary(key=key), Template)
        except ApiError as refused:
            return self.fault(refused)
        self.say(f"{added.name} is among your templates")
        return await self._fetch()
