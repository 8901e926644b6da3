"""A mail is handed to the outbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import reflex as rx

from backend.compose.contracts import Outgoing, SendDraft
from frontend.api import ApiError
from frontend.compose.saving import Saving
from frontend.compose.views import typed

UNDO_SECONDS = 10


class Sending(Saving, mixin=True):
    """Sending, with some seconds to take it back."""

    @rx.event
    async def send_mail(
        self, draft_id: int, fields: dict[str, Any], then_done: bool, anyway: bool, plan: dict[str, str]
    ) -> AsyncIterator[Any]:
        """Hand a mail to the outbox, with some seconds to take it back.

        `plan` says when it is to leave (`send_at`) or when its writer wants to be reminded (`remind_at`), if nobody
        answers; empty for now and never. `said` is that moment in words. With `one_each` everybody gets their own mail.
        """
        conversation_id = next((i for i, each in self.docked.items() if each["id"] == draft_id), 0)
        try:
            # Of what several write, that is sent which stands in this composer.
            seen = typed(0, fields) if fields.get("together") else None
            version = await self._store(draft_id, fields) if seen is None else 0
            wanted = SendDraft(
                version=version,
                seen=seen,
                then_done=then_done,
                undo_seconds=UNDO_SECONDS,
                even_if_answered=anyway,
                send_at=_moment(plan.get("send_at")),
                then_remind_at=_moment(plan.get("remind_at")),
                one_each=bool(plan.get("one_each")),
            )
            outgoing = await self.api().post(f"/drafts/{draft_id}/send", wanted, Outgoing)
        except ApiError as refused:
            if then_done and conversation_id:
                yield rx.call_script(f"tandem.putBack({conversation_id})")
            yield await self._refused(draft_id, refused)
            return
        self._close(draft_id)
        if then_done and conversation_id:
            yield rx.call_script(f"tandem.settled({conversation_id})")
        said = _said(outgoing, plan.get("said", "later"))
        self.say(said, action=f"send:{UNDO_SECONDS}", ref=outgoing.id)


def _said(outgoing: Outgoing, when: str) -> str:
    """What has happened to a mail that was handed over. `when`: the moment that was chosen, in words."""
    each = outgoing.one_of is not None
    if outgoing.state == "scheduled":
        return f"One mail to each leaves {when}" if each else f"It leaves {when}"
    names = ", ".join(one.name or one.address for one in outgoing.to[:2])
    said = "Sending one mail to each" if each else f"Sending to {names}" if names else "Sending"
    if outgoing.then_remind_at is not None:
        said = f"{said}. You are reminded {when} if nobody answers"
    return said


def _moment(iso: str | None) -> datetime | None:
    return datetime.fromisoformat(iso) if iso else None
