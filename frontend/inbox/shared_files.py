"""Files that a mail of the conversation links to: how often they were opened, and the end of a link."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from backend.documents.contracts import SharedFile
from frontend.api import ApiError
from frontend.components.widgets import ago
from frontend.session import Session


def opened_words(file: SharedFile) -> str:
    """What is known of it, in a few words."""
    if file.views:
        return "opened once" if file.views == 1 else f"opened {file.views} times"
    return "not opened yet" if file_open(file) else "never opened"


def file_open(file: SharedFile) -> bool:
    """Whether its link still leads to it."""
    return not file.closed and file.ends_at > datetime.now(UTC)


class SharedFiles(Session):
    """What is done with them."""

    @rx.event
    async def close_link(self, conversation_id: int, file_id: int) -> EventSpec | None:
        """The link leads nowhere any more; the event tells the page."""
        try:
            await self.api().delete(f"/conversations/{conversation_id}/shared-files/{file_id}", SharedFile)
        except ApiError as refused:
            return self.fault(refused)
        self.say("The link is closed")
        return None


_state: Any = SharedFiles


def shared_line(piece: Any, conversation: Any) -> rx.Component:
    """One grey line below the mail."""
    return rx.el.div(
        piece.text,
        rx.cond(piece.leaves_at != "", rx.fragment(", last ", ago(at=piece.leaves_at, long=True))),
        rx.cond(piece.reason != "", rx.fragment(" · ", piece.reason)),
        rx.cond(
            piece.choices.contains("close_link"),
            rx.fragment(
                " · ",
                rx.el.button(
                    "Close the link",
                    type="button",
                    class_name="link",
                    title="Whoever has it gets the file no more",
                    on_click=_state.close_link(conversation, piece.id),
                ),
            ),
        ),
        class_name="act",
        custom_attrs={"data-shared-file": piece.id.to_string()},
    )
