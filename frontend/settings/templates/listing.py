"""Which templates the page lists."""

from __future__ import annotations

import re
from typing import TypedDict

import reflex as rx
from reflex.event import EventSpec

from backend.templates.contracts import Template
from frontend.api import ApiError
from frontend.session import Session
from frontend.view import View

_FIELD = re.compile(r"\{\{[^{}]*\}\}")
_STEP = re.compile(r"\{%[^{}]*%\}")


class TemplateLine(TypedDict):
    """A template in the list; `notes` says where it is, whose it is, and how often it was used."""

    id: int
    name: str
    kind: str
    begins: str
    notes: str
    changeable: bool


class TemplateList(Session, mixin=True):
    """The templates and snippets that the person can use, found by words."""

    lines: list[TemplateLine] = []
    query: str = ""
    above: str = ""
    """What stands open above the list: form, library, import, or nothing."""
    fetched: bool = False

    _templates: list[Template] = []

    @rx.event
    async def find(self, query: str) -> EventSpec | None:
        """Those with these words."""
        self.query = query
        return await self._fetch()

    @rx.event
    async def remove(self, template_id: int) -> EventSpec | None:
        """Away with a template."""
        try:
            await self.api().delete(f"/templates/{template_id}")
        except ApiError as refused:
            return self.fault(refused)
        self.say("Template deleted")
        return await self._fetch()

    async def _fetch(self) -> EventSpec | None:
        view = self._view
        if view is None:
            return None
        try:
            self._templates = await self.api().get("/templates", list[Template], q=self.query)
        except ApiError as refused:
            return self.fault(refused)
        self.lines = [_line_of(view, each) for each in self._templates]
        self.fetched = True
        return None


def _line_of(view: View, template: Template) -> TemplateLine:
    mine = template.maker_id == view.me.person.id
    maker = view.people.get(template.maker_id)
    team = view.teams.get(template.team_id or 0)
    shared = {"nobody": "only yours", "everybody": "shared with everybody", "team": "shared with a team"}
    notes = [
        template.folder,
        f"shared with {team.name}" if template.shared == "team" and team else shared[template.shared],
        "" if mine else f"by {maker.name if maker else 'somebody'}",
        "never used" if not template.uses else "used once" if template.uses == 1 else f"used {template.uses} times",
    ]
    return TemplateLine(
        id=template.id,
        name=template.name,
        kind=template.kind,
        begins=readable(template.subject or template.text)[:140],
        notes=" · ".join(note for note in notes if note),
        changeable=mine or view.me.person.role in ("owner", "admin"),
    )


def readable(source: str) -> str:
    """On one line, with dots where fields stand."""
    return " ".join(_FIELD.sub("…", _STEP.sub("", source)).split())
