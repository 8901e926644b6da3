"""A template that is being written."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from html import escape
from typing import Any, TypedDict

import reflex as rx
from reflex.event import EventSpec

from backend.templates.contracts import SaveTemplate, Template
from frontend.api import ApiError, SignedOut
from frontend.settings.templates.listing import TemplateList
from frontend.settings.templates.preview import TemplatePreview

KINDS = (("template", "A whole mail"), ("snippet", "A passage"))


FOCUS = "setTimeout(() => document.querySelector('.template-form input')?.focus(), 0)"


class FindingView(TypedDict):
    """One thing to know about what was imported; `mind`: somebody may want to do something about it."""

    text: str
    named: str
    mind: bool


class Form(TypedDict):
    """What stands in the form when it opens; `id` 0 is a new one. `share` is nobody, everybody or a team's id.
    `formatted`: it is written as HTML."""

    id: int
    version: int
    name: str
    kind: str
    folder: str
    share: str
    subject: str
    text: str
    formatted: bool
    html: str


NEW = Form(
    id=0, version=0, name="", kind="template", folder="", share="nobody", subject="", text="", formatted=True, html=""
)


class TemplateForm(TemplateList, TemplatePreview, mixin=True):
    """The form: opened, turned from formatted to plain text and back, saved."""

    form: Form = NEW
    opened: int = 0
    """So often a form was opened: each time it is filled anew."""
    problem: str = ""
    findings: list[FindingView] = []
    """Of an import that is not saved yet."""

    @rx.event
    async def write(self, template_id: int) -> AsyncIterator[Any]:
        """Open the form, for a new template or one of the list."""
        try:
            chosen = await self.api().get(f"/templates/{template_id}", Template) if template_id else None
        except ApiError as refused:
            yield self.fault(refused)
            return
        self._begin(NEW if chosen is None else _form(chosen))
        yield
        yield await self._preview()
        yield rx.call_script(FOCUS)

    def _begin(self, form: Form, findings: Sequence[FindingView] = ()) -> None:
        self.form, self.findings = form, list(findings)
        self._subject, self._text, self._html = form["subject"], form["text"], form["html"]
        self._formatted = form["formatted"]
        self.above, self.problem = "form", ""
        self.opened += 1

    @rx.event
    async def turn(self, formatted: bool) -> EventSpec | None:
        """From formatted to plain text, or back: a line each."""
        lines = "".join(f'<p style="margin:0">{escape(line)}</p>' for line in self._text.split("\n"))
        form: Any = {**self.form, "formatted": formatted, "html": lines, "text": self._text, "subject": self._subject}
        self._begin(form, self.findings)
        return await self._preview()

    @rx.event
    def leave(self) -> None:
        """Close the form."""
        self.above, self.problem = "", ""

    @rx.event
    async def save(self, given: dict[str, Any]) -> EventSpec | None:
        """Keep what was written."""
        share = str(given.get("share", "nobody"))
        wanted = SaveTemplate(
            name=str(given.get("name", "")),
            text=str(given.get("text", "")).replace("\r\n", "\n"),
            kind="snippet" if given.get("kind") == "snippet" else "template",
            folder=str(given.get("folder", "")),
            shared="team" if share.isdigit() else "everybody" if share == "everybody" else "nobody",
            team_id=int(share) if share.isdigit() else None,
            subject=str(given.get("subject", "")),
            version=self.form["version"],
            html=self._html if self.form["formatted"] else None,
        )
        try:
            if self.form["id"]:
                await self.api().put(f"/templates/{self.form['id']}", wanted, Template)
            else:
                await self.api().post("/templates", wanted, Template)
        except ApiError as refused:
            self.problem = refused.sentence
            return self.fault(refused) if isinstance(refused, SignedOut) else None
        self.leave()
        self.say("Saved")
        return await self._fetch()


def _form(template: Template) -> Form:
    return Form(
        id=template.id,
        version=template.version,
        name=template.name,
        kind=template.kind,
        folder=template.folder,
        share=str(template.team_id) if template.shared == "team" else template.shared,
        subject=template.subject,
        text=template.text,
        formatted=template.formatted,
        html=template.html or "",
    )
