"""HTML from elsewhere, and mails that were sent, in the form: what was found stands above it until it is saved."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import reflex as rx

from backend.templates.contracts import ImportedTemplate
from frontend.api import ApiError
from frontend.settings.templates.form import FOCUS, NEW, FindingView, TemplateForm

MIND = ("picture", "remote", "too_large", "field", "link")
"""What somebody may want to do something about."""


class TemplateImports(TemplateForm, mixin=True):
    """What was imported, in the form but not yet saved."""

    @rx.event
    def begin_import(self) -> None:
        """To choose what is imported, and back."""
        self.above = "" if self.above == "import" else "import"

    @rx.event
    async def take(self, made: dict[str, Any]) -> AsyncIterator[Any]:
        """The widget sent something up, and this came of it."""
        try:
            imported = msgspec.convert(made, ImportedTemplate)
        except msgspec.ValidationError:
            return  # no widget of ours says that
        for step in await self._look_at(imported):
            yield step

    async def _take_mail(self, message_id: str) -> list[Any]:
        """A mail that was sent, to be made a template of."""
        # A reload of the page is not meant to begin again.
        forget = rx.call_script("history.replaceState(null, '', '/settings/templates/')")
        try:
            made = await self.api().post(f"/messages/{int(message_id)}/template", None, ImportedTemplate)
        except ValueError:
            return [forget]
        except ApiError as refused:
            return [forget, self.fault(refused)]
        return [forget, *await self._look_at(made)]

    async def _look_at(self, made: ImportedTemplate) -> list[Any]:
        form: Any = {
            **NEW,
            "name": made.name,
            "subject": made.subject,
            "text": made.text,
            "html": made.html or "",
            "formatted": made.html is not None,
        }
        findings = [
            FindingView(text=each.text, named=", ".join(each.items), mind=each.kind in MIND) for each in made.findings
        ]
        self._begin(form, findings)
        refused = await self._preview()
        return [rx.call_script(FOCUS)] if refused is None else [refused]
