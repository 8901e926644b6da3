"""The frame of every change to a conversation: lock, change, bump the version, tell those who see it.

    async with changing(actor_id, conversation_id) as change:
        await execute("UPDATE conversations SET status = $2 WHERE id = $1", ...)
        change.tell(lambda row: ConversationChanged(row=row, activity=activity))

Whoever loses sight of the conversation by the change gets `conversation_gone` with the id alone; whoever gains
sight gets `conversation_added` with the whole row and their own read mark; everybody else the event itself. So for each
person: snapshot before + events = snapshot after.

Two locks make that true while others act: the row of the conversation (changes of one conversation queue up), and the
mailbox's membership, held in common here and alone by those who change members (`membership_changing`): who sees what
cannot move between looking and telling.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from backend.conversations.contracts import ConversationAdded, ConversationGone, ConversationRow
from backend.conversations.rows import read_marks, read_row, readers, viewers
from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value
from backend.errors import NotFound
from backend.events.contracts import Event
from backend.events.record import Action, action, mailbox_stream
from backend.notifications.actions import tell_notifications_again

MEMBERSHIP_LOCK = 7_264_337
"""First key of the advisory lock on a mailbox's membership; the second is the mailbox's id."""

Audience = list[int] | None
"""User ids, or None: all who can open the mailbox."""


@dataclass(slots=True)
class ConversationChange:
    """A change under way. `before` is the conversation's record as it was."""

    act: Action
    before: Row
    _events: list[Callable[[ConversationRow], Event]] = field(default_factory=list)
    row: ConversationRow | None = None
    """Set when the block ends."""

    @property
    def conversation_id(self) -> int:
        return self.before["id"]

    @property
    def mailbox_id(self) -> int:
        return self.before["mailbox_id"]

    def tell(self, event: Callable[[ConversationRow], Event]) -> None:
        """Record an event made from the conversation's row as it stands after the change."""
        self._events.append(event)

    async def _next_version(self) -> Audience:
        """Count the change; answers who sees the conversation now."""
        visibility = await fetch_value(
            "UPDATE conversations SET version = version + 1 WHERE id = $1 RETURNING visibility", self.conversation_id
        )
        return await _audience(self.conversation_id, visibility)

    async def finish(self, audience_before: Audience) -> None:
        if not self._events and await audience_of(self.conversation_id) == audience_before:
            self.row = await read_row(self.conversation_id)
            return
        audience = await self._next_version()
        self.row = await read_row(self.conversation_id)
        await tell_sight(self.act, self.row, audience_before, audience)
        for event in self._events:
            self.act.record(
                mailbox_stream(self.mailbox_id),
                event(self.row),
                conversation_id=self.conversation_id,
                audience=audience,
            )


@asynccontextmanager
async def changing(actor_id: int | None, conversation_id: int) -> AsyncIterator[ConversationChange]:
    """Open (or join) an action and lock the conversation in it. Raises NotFound when it is gone or was joined."""
    async with action(actor_id) as act:
        await execute(  # as `hold_membership`
            "SELECT pg_advisory_xact_lock_shared($1::int, mailbox_id::int) FROM conversations WHERE id = $2",
            MEMBERSHIP_LOCK,
            conversation_id,
        )
        before = await fetch_row(
            "SELECT * FROM conversations WHERE id = $1 AND joined_into IS NULL FOR UPDATE", conversation_id
        )
        if before is None:
            raise NotFound("There is no such conversation.", "It may have been deleted or joined meanwhile.")
        audience_before = await _audience(conversation_id, before["visibility"])
        change = ConversationChange(act, before)
        yield change
        await change.finish(audience_before)


async def hold_membership(mailbox_id: int) -> None:
    """Until the transaction ends, nobody's access to the mailbox changes."""
    await execute("SELECT pg_advisory_xact_lock_shared($1::int, $2::int)", MEMBERSHIP_LOCK, mailbox_id)


async def audience_of(conversation_id: int) -> Audience:
    """Who sees the conversation: None for the whole mailbox, a list when it is confidential."""
    visibility = await fetch_value("SELECT visibility FROM conversations WHERE id = $1", conversation_id)
    return await _audience(conversation_id, visibility)


async def _audience(conversation_id: int, visibility: str | None) -> Audience:
    return await viewers(conversation_id) if visibility == "confidential" else None


async def tell_sight(act: Action, row: ConversationRow, before: Audience, after: Audience) -> None:
    """Record who lost and who gained sight of a conversation between two moments."""
    if before == after:
        return
    everybody = await readers(row.mailbox_id)
    saw, sees = (set(everybody if audience is None else audience) for audience in (before, after))
    stream = mailbox_stream(row.mailbox_id)
    if lost := saw - sees:
        act.record(stream, ConversationGone(conversation_id=row.id), conversation_id=row.id, audience=lost)
    if gained := sees - saw:
        marks = await read_marks(row.id, gained)
        act.record(
            stream,
            ConversationAdded(row=row),
            conversation_id=row.id,
            audience=gained,
            personal={user_id: {"mark": mark} for user_id, mark in marks.items()},
        )
        await tell_notifications_again(act, row.id, gained)


@asynccontextmanager
async def membership_changing(act: Action, mailbox_ids: list[int]) -> AsyncIterator[None]:
    """The frame of a change to who can open these mailboxes (members, teams, an account closed).

    Confidential conversations may change hands by it: the last one concerned leaves, or a member of the assigned
    team joins. Those who open the mailbox before and after are told here; those who gain or lose the whole mailbox
    are told by the caller on their own stream.
    """
    for mailbox_id in sorted(mailbox_ids):
        await execute("SELECT pg_advisory_xact_lock($1::int, $2::int)", MEMBERSHIP_LOCK, mailbox_id)
    confidential = [
        record["id"]
        for record in await fetch(
            "SELECT id FROM conversations WHERE mailbox_id = ANY($1) AND visibility = 'confidential' "
            "AND joined_into IS NULL ORDER BY id",
            mailbox_ids,
        )
    ]
    before = {conversation_id: await viewers(conversation_id) for conversation_id in confidential}
    yield
    for conversation_id in confidential:
        after = await viewers(conversation_id)
        if after != before[conversation_id]:
            await tell_sight(act, await read_row(conversation_id), before[conversation_id], after)
