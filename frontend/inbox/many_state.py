"""One change to many conversations, those that are ticked in the list (assets/js/many.js)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from backend.conversations.contracts import ConversationGone, EmptiedTrash, ManyChanged, Status
from backend.tags.contracts import SaveTag, Tag
from frontend.api import ApiError
from frontend.inbox.list_state import ListState
from frontend.reduce import apply
from frontend.view import with_item

MANY_SAID = {
    "done": "marked done",
    "trash": "moved to Trash",
    "open": "moved to Open",
    "spam": "marked as spam",
}
"""Said of a change of status."""
PART = 50
"""Of a selection: so many are asked for at once, and shown as soon as they are done."""


class ManyState(ListState, mixin=True):
    """Status, assignment, reading, tags and reminders of many."""

    _many_before: dict[str, list[int]] = {}
    """What the last change of many did, to be taken back: conversations by the status that they had."""

    @rx.event(background=True)
    async def change_many(self, ids: list[int], change: dict[str, Any]) -> AsyncIterator[Any]:
        """The same to many conversations, in parts. Rows that left and were refused come back, and say why."""
        changed: list[int] = []
        refused: list[tuple[int, str]] = []
        said: EventSpec | None = None
        async with self:
            api, rows = self.api(), self._view.rows if self._view is not None else {}
            before: dict[int, Status] = {i: rows[i].status for i in ids if i in rows}
        try:
            if name := change.pop("new", ""):
                change["add"] = [(await api.post("/tags", SaveTag(name=name), Tag)).id]
            for start in range(0, len(ids), PART):
                body = {"ids": ids[start : start + PART], "change": change}
                answer = await api.post("/conversations/many", body, ManyChanged)
                here = [*(item.row.id for item in answer.items), *answer.deleted]
                changed += here
                refused += [(each.conversation_id, f"{each.message} {each.remedy}".strip()) for each in answer.refused]
                async with self:
                    await self._take_items(answer)
                yield rx.call_script(f"tandem.settled(...{here})")
        except ApiError as fault:
            async with self:
                said = self.fault(fault)
        else:
            async with self:
                self._say_many(changed, refused, change, before)
        if change["type"] == "star":
            for conversation_id, _ in refused:
                yield rx.call_script(f"tandem.showStar({conversation_id}, {str(not change['starred']).lower()})")
        yield rx.call_script(f"tandem.putBack(...{sorted(set(ids) - set(changed))})")
        if said is not None:
            yield said

    async def _take_items(self, answer: ManyChanged) -> None:
        """Show what was changed. One that went out of sight meanwhile does not come back by this."""
        view = self.seen()
        for item in answer.items:
            if item.row.id in view.rows:
                view = with_item(view, item)
        for conversation_id in answer.deleted:
            view = apply(ConversationGone(conversation_id=conversation_id), view)
        await self.become(view)

    def _say_many(
        self, changed: list[int], refused: list[tuple[int, str]], change: dict[str, Any], before: Mapping[int, Status]
    ) -> None:
        number = f"{len(changed)} conversation" + ("" if len(changed) == 1 else "s")
        done = "deleted for good" if change["type"] == "delete" else MANY_SAID.get(str(change.get("status")), "changed")
        text = f"{number} {done}"
        if refused:
            text = f"{len(refused)} of {len(changed) + len(refused)} were not changed. {refused[0][1]}"
        self._many_before = {}
        for conversation_id in changed if change["type"] == "status" else []:
            status = before.get(conversation_id)
            if status is not None and status != change["status"]:
                self._many_before.setdefault(status, []).append(conversation_id)
        self.say(text, tone="red" if refused else "", action="many:" if self._many_before else "")

    @rx.event
    async def empty_trash(self) -> AsyncIterator[Any]:
        """Delete for good all that I see in the Trash of the open mailbox."""
        gone = 0
        try:
            while True:
                answer = await self.api().post(f"/mailboxes/{self.mailbox_id}/empty-trash", None, EmptiedTrash)
                gone += answer.deleted
                if not answer.left or not answer.deleted:
                    break
        except ApiError as refused:
            yield self.fault(refused)
            return
        if answer.refused:
            first = answer.refused[0]
            self.say(f"{len(answer.refused)} were not deleted. {first.message} {first.remedy}", tone="red")
        else:
            self.say(f"{gone} conversation{'' if gone == 1 else 's'} deleted for good")

    async def restore_many(self) -> list[int]:
        """Give the conversations of the last change of many the status that they had; answers those that have it."""
        restored: list[int] = []
        before, self._many_before = self._many_before, {}
        for status, ids in before.items():
            for start in range(0, len(ids), PART):
                change: dict[str, Any] = {"type": "status", "status": status}
                body = {"ids": ids[start : start + PART], "change": change}
                answer = await self.api().post("/conversations/many", body, ManyChanged)
                await self._take_items(answer)
                restored += [item.row.id for item in answer.items]
        return restored
