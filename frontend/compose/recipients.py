"""Addresses are completed as they are typed."""

from __future__ import annotations

import reflex as rx
from reflex.event import EventSpec

from backend.contacts.contracts import AddressSuggestion
from backend.mail.contracts import MailAddress
from frontend.api import ApiError
from frontend.compose.standing import StandingComposers
from frontend.compose.views import SuggestionView
from frontend.faces import address_face


class Recipients(StandingComposers, mixin=True):
    """Whom one may mean."""

    @rx.event
    async def suggest(self, begun: str) -> EventSpec | None:
        """Complete an address."""
        if not begun.strip():
            self.suggestions = []
            return None
        try:
            found = await self.api().get("/addresses", list[AddressSuggestion], q=begun.strip())
        except ApiError as refused:
            return self.fault(refused)
        self.suggestions = [
            SuggestionView(
                name=each.name,
                address=each.address,
                face=address_face(MailAddress(name=each.name, address=each.address)),
                asked=begun.strip(),
            )
            for each in found[:8]
        ]
        return None
