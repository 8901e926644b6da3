"""Filtering what is listed, and saving that as a view."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, TypedDict

import msgspec
import reflex as rx

from backend.conversations.contracts import Status
from backend.views.contracts import Filters, SavedView, SaveView, Shared
from frontend.api import ApiError
from frontend.inbox.completing import names_a_status
from frontend.inbox.filter_form import NO_FORM, FilterForm, filter_words, paint_form, read_form, shared_words
from frontend.inbox.list_state import ListState
from frontend.inbox.listing import Listing
from frontend.view import View


class OwnView(TypedDict):
    """The view that is shown or being changed. `id` 0: filters that nobody has saved. `shared` is a word, or
    `team-2`."""

    id: int
    name: str
    shared: str
    about: str
    changeable: bool
    changed: bool


class ChoiceView(TypedDict):
    value: str
    text: str


NO_VIEW = OwnView(id=0, name="", shared="nobody", about="", changeable=False, changed=False)


class ViewState(ListState, mixin=True):
    """The filter form, and the line above the list that says what is filtered by."""

    filtering: bool = False
    """The form stands open."""
    filter_form: FilterForm = NO_FORM
    filter_mark: str = ""
    """Another one for other filters: the form then begins anew."""
    filtered_by: str = ""
    own_view: OwnView = NO_VIEW
    sharing: list[ChoiceView] = []
    """Teams that I can share a view with."""
    view_problem: str = ""

    _basis: int = 0
    """The view whose filters were changed to what is listed now."""

    def paint_filters(self, view: View) -> None:
        """What is filtered by, if anything is."""
        listing = self._listing
        filters = listing.filters(view) if listing is not None else None
        if listing is None or filters is None:
            inside = [listing.mailbox_id] if listing is not None and listing.mailbox_id else []
            self._show_filters("", NO_VIEW, Filters(mailbox_ids=inside))
            return
        saved = view.views.get(listing.number if listing.kind == "view" else self._basis)
        own = _own(view, saved, changed=listing.kind == "filter") if saved else NO_VIEW
        self._show_filters(filter_words(view, filters), own, filters)

    def _show_filters(self, words: str, own: OwnView, filters: Filters) -> None:
        """Only what is another one: a variable that is set again is sent again."""
        if words != self.filtered_by:
            self.filtered_by = words
        if own != self.own_view:
            self.own_view = own
        if (mark := msgspec.json.encode(filters).decode()) != self.filter_mark:
            self.filter_mark, self.filter_form = mark, paint_form(filters)

    def paint_sharing(self, view: View) -> None:
        """My teams; for admins all."""
        me = view.me.person
        self.sharing = [
            ChoiceView(value=f"team-{team.id}", text=team.name)
            for team in sorted(view.teams.values(), key=lambda each: each.name.casefold())
            if me.id in team.member_ids or me.role in ("owner", "admin")
        ]

    @rx.event
    def toggle_filtering(self) -> None:
        """Open or close the form."""
        self.filtering = not self.filtering

    @rx.event
    async def show_filtered(self, form: dict[str, Any]) -> AsyncIterator[Any]:
        """List what fits the filters of the form."""
        listing = self._listing
        if listing is None or listing.kind != "filter":  # filtering again changes the same view
            self._basis = listing.number if listing is not None and listing.kind == "view" else 0
        self.filtering = False
        async for step in self._open(Listing(kind="filter", query=_text(read_form(form)))):
            yield step

    @rx.event
    async def save_view(self, form: dict[str, Any]) -> AsyncIterator[Any]:
        """Save what is listed: as a new view, or into the one that it began with."""
        view, listing = self.seen(), self._listing
        filters = _saveable(view, listing) if listing is not None else None
        if filters is None:
            return
        kind, _, number = str(form.get("shared", "nobody")).partition("-")
        shared: Shared = kind if kind in ("team", "everybody") else "nobody"  # pyright: ignore[reportAssignmentType]
        team_id = int(number) if number.isdecimal() else None
        body = SaveView(name=str(form.get("name", "")), filters=filters, shared=shared, team_id=team_id)
        own = self.own_view
        try:
            if own["id"] and own["changeable"]:
                saved = await self.api().put(f"/views/{own['id']}", body, SavedView)
            else:
                saved = await self.api().post("/views", body, SavedView)
        except ApiError as refused:
            self.view_problem = refused.sentence
            return
        self.view_problem, self._basis = "", 0
        await self.become(msgspec.structs.replace(view, views=view.views | {saved.id: saved}))
        async for step in self._open(Listing(kind="view", query=str(saved.id))):
            yield step
        self.say(f"“{saved.name}” stands in the rail")

    @rx.event
    async def delete_view(self, view_id: int) -> AsyncIterator[Any]:
        """Delete a view; what was in it stays where it is."""
        try:
            await self.api().delete(f"/views/{view_id}")
        except ApiError as refused:
            yield self.fault(refused)
            return
        view = self.seen()
        await self.become(msgspec.structs.replace(view, views={i: v for i, v in view.views.items() if i != view_id}))
        self._basis = 0
        self.say("View deleted")
        if self.kind == "view":
            async for step in self._open(Listing(kind="mine")):
                yield step


def _saveable(view: View, listing: Listing) -> Filters | None:
    """What is listed, as a view holds it: also what was searched for."""
    if listing.kind != "search":
        return listing.filters(view)
    statuses: list[Status] = ["open", "done", "spam", "trash"] if names_a_status(listing.query) else []
    inside = [listing.mailbox_id] if listing.mailbox_id else []
    return Filters(words=listing.query, statuses=statuses, mailbox_ids=inside, reminded=False)


def _own(view: View, saved: SavedView, *, changed: bool) -> OwnView:
    return OwnView(
        id=saved.id,
        name=saved.name,
        shared=f"team-{saved.team_id}" if saved.shared == "team" else saved.shared,
        about=shared_words(view, saved),
        changeable=saved.maker_id == view.me.person.id or view.me.person.role in ("owner", "admin"),
        changed=changed,
    )


def _text(filters: Filters) -> str:
    """Filters as they stand in an address: what is as ever is left out."""
    given = msgspec.to_builtins(filters)
    usual = msgspec.to_builtins(Filters())
    return msgspec.json.encode({name: value for name, value in given.items() if value != usual[name]}).decode()
