"""Searching: what is offered while one types, and what is told about what was found."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import reflex as rx

from backend.contacts.contracts import AddressSuggestion
from backend.search.contracts import FoundPage
from frontend.api import ApiError
from frontend.inbox.completing import ADDRESSES, OfferView, offers, sorted_by, typed
from frontend.inbox.list_state import ListState


class SearchState(ListState, mixin=True):
    """The search box of the list."""

    offers: list[OfferView] = []
    offered_for: str = ""
    """The text that they continue: what was typed meanwhile may want others."""
    told: list[str] = []
    """What of the search could not be read."""
    meant: str = ""
    instead: bool = False
    """Nothing was found, and the list shows what `meant` finds."""
    by_relevance: bool = False

    @rx.event
    async def complete(self, text: str) -> None:
        """Offer what can be typed next."""
        view = self._view
        if view is None:
            return
        last = typed(text)
        addresses: list[AddressSuggestion] = []
        if last.key in ADDRESSES:
            try:
                addresses = await self.api().get("/addresses", list[AddressSuggestion], q=last.value)
            except ApiError:  # whoever is signed out is told by what they search for
                addresses = []
        found = offers(view, text, addresses)
        if found != self.offers:
            self.offers = found
        self.offered_for = text

    def found(self, page: FoundPage | None) -> None:
        """What is told of a page that was found; None: the list is none of a search."""
        self.told = page.told if page else []
        self.meant, self.instead = (page.meant, page.instead) if page else ("", False)
        self.by_relevance = page is not None and page.by_relevance

    @rx.event
    async def search_meant(self) -> AsyncIterator[Any]:
        """Search for what was probably meant."""
        async for step in self._search(self.meant):
            yield step

    @rx.event
    async def sort_found(self, order: str) -> AsyncIterator[Any]:
        """The same search, newest first or by relevance."""
        async for step in self._search(sorted_by(self.query, order)):
            yield step
