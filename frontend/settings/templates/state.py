"""The state of the page of templates, put together from what one does there."""

from __future__ import annotations

from typing import Any, TypedDict

import reflex as rx
from reflex.event import EventSpec

from backend.templates.contracts import MergeField
from frontend.api import ApiError
from frontend.session import Session
from frontend.settings.templates.importing import TemplateImports
from frontend.settings.templates.library import TemplateLibrary
from frontend.view import View


class Choice(TypedDict):
    value: str
    label: str


class Templates(TemplateImports, TemplateLibrary, Session):
    """The templates that the person can use, and the one that is being written."""

    shares: list[Choice] = []
    fields: list[Choice] = []

    def repaint(self, before: View | None, view: View) -> None:
        if before is None or before.teams is not view.teams:
            mine = [each for each in view.teams.values() if view.me.person.id in each.member_ids]
            self.shares = [
                Choice(value="nobody", label="Only me"),
                Choice(value="everybody", label="Everybody"),
                *(Choice(value=str(each.id), label=each.name) for each in mine),
            ]

    async def page_loaded(self) -> None:
        """Nothing of an earlier visit is left."""
        self.above, self.problem, self.query, self.fetched, self.contact = "", "", "", False, ""

    @rx.event
    async def arrive(self) -> EventSpec | list[Any] | None:
        """On the page's load; with `message` in its address a template is to be made of that mail."""
        try:
            offered = await self.api().get("/merge-fields", list[MergeField])
        except ApiError as refused:
            return self.fault(refused)
        self.fields = [Choice(value=f"{{{{ {each.name} }}}}", label=each.example) for each in offered]
        told = await self._fetch()
        mail = self.router.url.query_parameters.get("message")
        return await self._take_mail(mail) if mail and told is None else told


Session.painters.append(Templates)
