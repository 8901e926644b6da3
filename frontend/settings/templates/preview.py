"""What is being written, as it will read."""

from __future__ import annotations

import reflex as rx
from reflex.event import EventSpec

from backend.contacts.contracts import AddressSuggestion
from backend.mail.contracts import MailAddress
from backend.templates.contracts import Rendered, RenderText
from frontend.api import ApiError, SignedOut
from frontend.session import Session


class TemplatePreview(Session, mixin=True):
    """The text of the form filled in, for a contact or with examples."""

    shown_subject: str = ""
    shown_text: str = ""
    shown_html: str = ""
    shown_styles: str = ""
    contact: str = ""
    """For whom the preview is filled in; empty: examples."""
    contacts: list[str] = []
    missing: str = ""
    not_shown: str = ""
    """Why there is no preview."""

    _subject: str = ""
    _text: str = ""
    _html: str = ""
    _formatted: bool = True

    @rx.event
    async def preview_subject(self, subject: str) -> EventSpec | None:
        """The same for the subject."""
        self._subject = subject
        return await self._preview()

    @rx.event
    async def preview_text(self, text: str) -> EventSpec | None:
        """What is typed, filled in with examples."""
        self._text = text
        return await self._preview()

    @rx.event
    async def preview_html(self, html: str) -> EventSpec | None:
        """What is written in the editor, filled in."""
        self._html = html
        return await self._preview()

    @rx.event
    async def fill_for(self, contact: str) -> EventSpec | None:
        """Whose data the preview shows."""
        self.contact = contact
        try:
            if len(contact) > 1:
                found = await self.api().get("/addresses", list[AddressSuggestion], q=contact)
                self.contacts = [each.address for each in found[:8]]
        except ApiError as refused:
            return self.fault(refused)
        return await self._preview()

    async def _preview(self) -> EventSpec | None:
        try:
            wanted = RenderText(
                subject=self._subject,
                text=self._text,
                html=self._html if self._formatted else None,
                to=[MailAddress(name="", address=self.contact)] if "@" in self.contact else [],
                examples="@" not in self.contact,
            )
            shown = await self.api().post("/rendered-text", wanted, Rendered)
        except ApiError as refused:
            self.not_shown = refused.sentence
            return self.fault(refused) if isinstance(refused, SignedOut) else None
        self.shown_subject, self.shown_text, self.not_shown = shown.subject, shown.text, ""
        self.shown_html, self.shown_styles = shown.html, shown.styles
        self.missing = ", ".join(each.replace(".", " ").replace("_", " ") for each in shown.missing)
        return None
