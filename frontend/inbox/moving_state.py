"""Moving conversations into another mailbox from the inbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import reflex as rx

from backend.conversations.contracts import ConversationDetail, ConversationItem, ManyChanged, MoveConversation
from frontend.api import ApiError
from frontend.inbox.list_state import ListState
from frontend.view import with_detail, with_item

PART = 50
"""Of a selection: so many are asked for at once."""


class MovingState(ListState, mixin=True):
    """One, or many that are ticked."""

    _moved: dict[int, list[int]] = {}
    """What the last move did, to be taken back: conversations by the mailbox that they stood in."""

    @rx.event
    async def move(self, ids: list[int], mailbox_id: int) -> AsyncIterator[Any]:
        """Move them. Their rows have gone already; a refusal puts them back and says why."""
        rows = self.seen().rows
        before = {i: rows[i].mailbox_id for i in ids if i in rows}
        moved: list[int] = []
        refused: list[str] = []
        try:
            for start in range(0, len(ids), PART):
                change = {"type": "mailbox", "mailbox_id": mailbox_id}
                body = {"ids": ids[start : start + PART], "change": change}
                answer = await self.api().post("/conversations/many", body, ManyChanged)
                refused += [f"{each.message} {each.remedy}".strip() for each in answer.refused]
                for item in answer.items:
                    moved.append(item.row.id)
                    await self.become(with_item(self.seen(), item))
        except ApiError as fault:
            yield self.fault(fault)
        yield rx.call_script(f"tandem.settled(...{moved})")
        yield rx.call_script(f"tandem.putBack(...{sorted(set(ids) - set(moved))})")
        self._moved = {}
        for each in moved:
            if before.get(each, mailbox_id) != mailbox_id:
                self._moved.setdefault(before[each], []).append(each)
        mailbox = self.seen().mailboxes.get(mailbox_id)
        where = mailbox.name if mailbox else "another mailbox"
        if refused:
            how_many = f"{len(refused)} of {len(ids)} were not moved. " if len(ids) > 1 else ""
            self.say(how_many + refused[0], tone="red", action="move:" if self._moved else "")
        elif self._moved:
            number = sum(map(len, self._moved.values()))
            what = "Moved" if number == 1 else f"{number} conversations moved"
            self.say(f"{what} to {where}", action="move:")

    async def move_back(self) -> list[int]:
        """Take the last move back; answers the conversations that are where they were."""
        restored: list[int] = []
        before, self._moved = self._moved, {}
        for mailbox_id, ids in before.items():
            for each in ids:
                path = f"/conversations/{each}"
                wanted = MoveConversation(mailbox_id=mailbox_id)
                item = await self.api().put(f"{path}/mailbox", wanted, ConversationItem)
                view = with_item(self.seen(), item)
                if each in view.details:
                    view = with_detail(view, await self.api().get(path, ConversationDetail))
                await self.become(view)
                restored.append(each)
        return restored
