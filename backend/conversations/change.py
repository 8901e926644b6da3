"""The frame of every change to a conversation: lock, change, bump the version, tell those who see it.

    async with changing(actor_id, conversation_id) as change:
        await execute("UPDATE conversations SET status = $2 WHERE id = $1", ...)
        change.tell(lambda row: ConversationChanged(row=row, activity=activity))

Whoever loses sight of the conversation by the change gets `conversation_gone` with the id alone; whoever gains
sight gets `conversation_added` with the whole row and their own read mark; everybody else the event itself. So for each
person: snapshot before + events = snapshot after.

Those who open the mailbox are told on its stream. Whoever sees one conversation because it is shared with them (a
*guest*) is told the same on their own stream: theirs is no other, and no mailbox's stream has to be looked through for
what one person may see (docs/decisions/0013-guests-hear-on-their-own-stream.md).

Two locks make that true while others act: the row of the conversation (changes of one conversation queue up), and the
mailbox's membership, held in common here and alone by those who change members (`membership_changing`): who sees what
cannot move between looking and telling.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from backend.access.asker import Asker
from backend.access.fetch import not_handled
from backend.conversations.contracts import (
    ConversationAdded,
    ConversationChanged,
    ConversationGone,
    ConversationRow,
)
from backend.conversations.rows import guests, read_marks, read_row, read_shared_rows, readers, viewers
from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value
from backend.errors import NotFound
from backend.events.contracts import Event
from backend.events.record import Action, action, mailbox_stream, user_stream
from backend.notifications.actions import tell_notifications_again

MEMBERSHIP_LOCK = 7_264_337
"""First key of the advisory lock on a mailbox's membership; the second is the mailbox's id."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Who sees a conversation: users of its mailbox (None: all of them), and guests, who cannot open that."""

    readers: list[int] | None = None
    guests: tuple[int, ...] = ()


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
        record = await fetch_row(
            "UPDATE conversations SET version = version + 1 WHERE id = $1 RETURNING visibility, shared",
            self.conversation_id,
        )
        assert record is not None
        return await _audience(self.conversation_id, record["visibility"], record["shared"])

    async def finish(self, audience_before: Audience) -> None:
        if not self._events and await audience_of(self.conversation_id) == audience_before:
            self.row = await read_row(self.conversation_id)
            return
        audience = await self._next_version()
        self.row = await read_row(self.conversation_id)
        await tell_sight(self.act, self.row, audience_before, audience)
        for event in self._events:
            tell(self.act, self.row, event(self.row), audience)


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
            "SELECT c.*, EXISTS (SELECT 1 FROM mailbox_readers r WHERE r.mailbox_id = c.mailbox_id AND r.user_id = $2) "
            "AS handles FROM conversations c WHERE c.id = $1 AND c.joined_into IS NULL FOR UPDATE OF c",
            conversation_id,
            actor_id,
        )
        if before is None:
            raise NotFound("There is no such conversation.", "It may have been deleted or joined meanwhile.")
        audience_before = await _audience(conversation_id, before["visibility"], before["shared"])
        change = ConversationChange(act, before)
        yield change
        await change.finish(audience_before)


@asynccontextmanager
async def handling(asker: Asker, conversation_id: int) -> AsyncIterator[ConversationChange]:
    """The same for what only users of the mailbox may do. Raises Forbidden for a guest of the conversation."""
    async with changing(asker.user_id, conversation_id) as change:
        if not change.before["handles"]:
            raise not_handled()
        yield change


async def hold_membership(mailbox_id: int) -> None:
    """Until the transaction ends, nobody's access to the mailbox changes."""
    await execute("SELECT pg_advisory_xact_lock_shared($1::int, $2::int)", MEMBERSHIP_LOCK, mailbox_id)


async def audience_of(conversation_id: int) -> Audience:
    """Who sees the conversation."""
    record = await fetch_row("SELECT visibility, shared FROM conversations WHERE id = $1", conversation_id)
    return await _audience(conversation_id, record["visibility"], record["shared"]) if record else Audience()


async def audience_of_row(row: ConversationRow) -> Audience:
    """The same, of a row that was read a moment ago."""
    return await _audience(row.id, row.visibility, bool(row.shared_user_ids or row.shared_team_ids))


async def _audience(conversation_id: int, visibility: str, shared: bool) -> Audience:
    if visibility == "confidential":
        return Audience(readers=await viewers(conversation_id))
    if visibility == "open" and shared:
        return Audience(guests=tuple(await guests(conversation_id)))
    return Audience()


def tell(
    act: Action,
    where: ConversationRow | tuple[int, int],
    event: Event,
    audience: Audience,
    *,
    personal: Mapping[int, Mapping[str, object]] | None = None,
) -> None:
    """Record an event about a conversation (its row, or its id and its mailbox's) for everybody who sees it.

    `personal` maps a user to the fields of the event that are only theirs.
    """
    conversation_id, mailbox_id = (where.id, where.mailbox_id) if isinstance(where, ConversationRow) else where
    if audience.readers is None or audience.readers:
        act.record(
            mailbox_stream(mailbox_id),
            event,
            conversation_id=conversation_id,
            audience=audience.readers,
            personal=personal,
        )
    for user_id in audience.guests:
        act.record(user_stream(user_id), event, conversation_id=conversation_id, personal=personal)


async def tell_guests(act: Action, conversation_ids: Collection[int]) -> None:
    """What these conversations now are, to their guests alone: the others read the mailbox's list again."""
    for row in await read_shared_rows(conversation_ids):
        audience = await audience_of_row(row)
        hidden = await fetch_value("SELECT hidden FROM conversations WHERE id = $1", row.id)
        event = (
            ConversationGone(conversation_id=row.id, version=row.version) if hidden else ConversationChanged(row=row)
        )
        tell(act, row, event, Audience(readers=[], guests=audience.guests))


async def tell_sight(act: Action, row: ConversationRow, before: Audience, after: Audience) -> None:
    """Record who lost and who gained sight of a conversation between two moments."""
    if before == after:
        return
    everybody = await readers(row.mailbox_id)
    saw, sees = (set(everybody if each.readers is None else each.readers) for each in (before, after))
    # Whoever came to open the mailbox, or can no more, is told of that on their own stream, before this.
    lost = Audience(sorted(saw - sees), tuple(sorted(set(before.guests) - set(after.guests) - sees)))
    tell(act, row, ConversationGone(conversation_id=row.id, version=row.version), lost)
    gained = Audience(sorted(sees - saw), tuple(sorted(set(after.guests) - set(before.guests))))
    fresh = {*(gained.readers or ()), *gained.guests}
    if fresh:
        await tell_added(act, row, gained, fresh)
        await tell_notifications_again(act, row.id, fresh)


async def tell_added(act: Action, row: ConversationRow, audience: Audience, people: Collection[int]) -> None:
    """The whole row, to an audience that had not seen it; each of these people gets their own mark with it."""
    personal = {user_id: {"mark": mark} for user_id, mark in (await read_marks(row.id, people)).items()}
    tell(act, row, ConversationAdded(row=row), audience, personal=personal)


@asynccontextmanager
async def membership_changing(act: Action, mailbox_ids: list[int]) -> AsyncIterator[None]:
    """The frame of a change to who can open these mailboxes (members, teams, an account closed).

    Confidential conversations may change hands by it: the last one concerned leaves, or a member of the assigned
    team joins; shared ones get and lose guests. Those who open the mailbox before and after are told here; those who
    gain or lose the whole mailbox are told by the caller on their own stream.
    """
    for mailbox_id in sorted(mailbox_ids):
        await execute("SELECT pg_advisory_xact_lock($1::int, $2::int)", MEMBERSHIP_LOCK, mailbox_id)
    moving = [
        record["id"]
        for record in await fetch(
            "SELECT id FROM conversations WHERE mailbox_id = ANY($1) AND joined_into IS NULL "
            "AND (visibility = 'confidential' OR (visibility = 'open' AND shared)) ORDER BY id",
            mailbox_ids,
        )
    ]
    before = {conversation_id: await audience_of(conversation_id) for conversation_id in moving}
    yield
    for conversation_id in moving:
        after = await audience_of(conversation_id)
        if after != before[conversation_id]:
            await tell_sight(act, await read_row(conversation_id), before[conversation_id], after)
