"""Applies what Northwind's people said and decided about the history, through the REST API as those people."""

import asyncio
import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from backend.conversations.contracts import (
    Assign,
    Comment,
    ConversationDetail,
    ConversationItem,
    ConversationPage,
    ConversationRow,
    SetStatus,
)
from backend.demo.api import Api, Refused
from backend.demo.corpus import Conversation
from backend.demo.memory import Memory
from backend.demo.people import MAILBOXES, PEOPLE, members_of
from backend.demo.teammates import Office, comment_body, is_row_of
from backend.mailboxes.contracts import Mailbox
from backend.notifications.contracts import MarkNotificationsRead, NotificationPage

log = logging.getLogger("tandem.demo")

_LEFT_UNREAD = 3
"""So many notifications of the history still wait for each person; the others count as read."""
_WITHOUT_ACCOUNT = timedelta(minutes=2)
"""A mailbox that has not come in by then is left out until the next start."""


class Talk:
    """The talk of one installation. ``memory`` remembers which conversations have had theirs."""

    def __init__(self, apis: dict[str, Api], office: Office, memory: Memory) -> None:
        self._apis = apis
        self._office = office
        self._memory = memory

    async def apply(self, conversations: Iterable[Conversation]) -> int:
        """Applies what has not been applied yet, the oldest first; how many conversations that were.

        What cannot be applied is logged and left out; the next start tries again.
        """
        if self._memory.get("talk applied"):
            return 0
        waiting = [each for each in conversations if not each.live]
        waiting.sort(key=lambda each: -(each.days_ago or 0))
        applied = 0
        complete = True
        for key in MAILBOXES:
            of_mailbox = [each for each in waiting if each.mailbox == key]
            if not await self._has_come_in(key):
                log.warning("The mail of %s has not come in yet: its comments wait for the next start", key)
                complete = False
                continue
            rows = await self._rows(key)
            for conversation in of_mailbox:
                try:
                    applied += await self._apply_one(conversation, rows)
                except Refused as refusal:
                    log.warning("The talk about %s was refused (%s)", conversation.id, refusal)
                    complete = False
        if complete:
            await self._mark_read()
            self._memory.set("talk applied", True)
        return applied

    async def _apply_one(self, conversation: Conversation, rows: list[ConversationRow]) -> bool:
        done = self._memory.table("applied")
        if conversation.id in done:
            return False
        row = next((each for each in rows if is_row_of(each, conversation)), None)
        if row is None:
            log.warning("%s did not come in as a conversation of its own", conversation.id)
        else:
            rows.remove(row)
            await self._say(conversation, row)
            await self._decide(conversation, row)
        done[conversation.id] = True
        self._memory.save()
        return row is not None

    async def _say(self, conversation: Conversation, row: ConversationRow) -> None:
        members = members_of(MAILBOXES[conversation.mailbox])
        comments = [each for each in conversation.comments if each.by in members]
        if not comments:
            return
        path = f"/conversations/{row.id}"
        said: set[str] = set()
        if row.comment_count:  # stopped in the middle last time
            detail = await self._apis[comments[0].by].get(path, ConversationDetail)
            said = {comment.text for comment in detail.comments}
        for comment in comments:
            body = comment_body(comment.text, conversation.mailbox, self._office)
            if body.text not in said:
                await self._apis[comment.by].post(f"{path}/comments", body, Comment)

    async def _decide(self, conversation: Conversation, row: ConversationRow) -> None:
        """Assignee and status, set by somebody of the mailbox who is concerned with it."""
        members = members_of(MAILBOXES[conversation.mailbox])
        writers = [message.team_member for message in conversation.messages if message.team_member in members]
        assignee = conversation.assignee if conversation.assignee in members else None
        actor = self._apis[assignee or (writers[-1] if writers else None) or sorted(members)[0]]
        path = f"/conversations/{row.id}"
        if assignee and row.assignee_id is None:
            body = Assign(user_id=self._office.people[assignee])
            await actor.put(f"{path}/assignee", body, ConversationItem)
        if conversation.status == "done" and row.status == "open":
            await actor.put(f"{path}/status", SetStatus(status="done"), ConversationItem)

    async def _rows(self, key: str) -> list[ConversationRow]:
        """All conversations of a mailbox, the newest first."""
        api = self._member(key)
        path = f"/mailboxes/{self._office.mailboxes[key]}/conversations"
        rows: list[ConversationRow] = []
        cursor: str | None = None
        while True:
            page = await api.get(path, ConversationPage, view="all", cursor=cursor, limit=100)
            rows += [item.row for item in page.items]
            cursor = page.next_cursor
            if cursor is None:
                return rows

    async def _has_come_in(self, key: str) -> bool:
        """Waits until the mailbox' first sync is over; False when it takes too long."""
        end = datetime.now(UTC) + _WITHOUT_ACCOUNT
        while datetime.now(UTC) < end:
            mailbox = await self._member(key).get(f"/mailboxes/{self._office.mailboxes[key]}", Mailbox)
            if mailbox.account and mailbox.account.status == "up_to_date":
                return True
            await asyncio.sleep(0.25)
        return False

    def _member(self, key: str) -> Api:
        return self._apis[sorted(members_of(MAILBOXES[key]))[0]]

    async def _mark_read(self) -> None:
        """Old mentions have been read long ago, but for the newest few."""
        for key in PEOPLE:
            page = await self._apis[key].get("/notifications", NotificationPage)
            kept = {notification.id for notification in page.items[:_LEFT_UNREAD]}
            while page.items:
                ids = [notification.id for notification in page.items if notification.id not in kept]
                if ids:
                    await self._apis[key].send("POST", "/notifications/read", MarkNotificationsRead(ids=ids))
                page = await self._apis[key].get("/notifications", NotificationPage, cursor=page.items[-1].id)
