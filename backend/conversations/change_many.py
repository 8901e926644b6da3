"""One kind of change to many conversations at once, where it moves nobody's sight: a commit for all of them.

`changing` (change.py) is for one conversation whatever it is. This is for the work of machines, which comes in
hundreds, and takes only conversations that are seen by who can open their mailbox and by nobody else; the others are
left out, and go one by one. It never waits long for a lock: a transaction that does fails, and so holds up nobody.
"""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from backend.conversations.change import MEMBERSHIP_LOCK
from backend.conversations.contracts import ConversationRow
from backend.conversations.following import joins
from backend.conversations.rows import read_rows
from backend.database.connection import Row, execute, fetch
from backend.events.contracts import Event
from backend.events.record import Action, action, mailbox_stream
from backend.mail.store import THREADING_LOCK

LONGEST_WAIT = "500ms"
"""For a lock that somebody else holds."""


@dataclass(slots=True)
class ManyChanges:
    """Changes under way. `before` holds the conversations that were taken, as they were."""

    act: Action
    before: dict[int, Row]
    _events: list[tuple[int, int | None, Callable[[ConversationRow], Event]]] = field(default_factory=list)

    _followers: dict[int, int] = field(default_factory=dict)

    def let_follow(self, conversation_id: int, author_id: int) -> None:
        """Whoever wrote in it follows it from now on."""
        self._followers[conversation_id] = author_id

    def tell(self, conversation_id: int, actor_id: int | None, event: Callable[[ConversationRow], Event]) -> None:
        """Record an event, by this person, made from the conversation's row as it stands after all of it."""
        self._events.append((conversation_id, actor_id, event))

    async def finish(self) -> None:
        changed = sorted({conversation_id for conversation_id, _, _ in self._events})
        if not changed:
            return
        await execute(
            f"UPDATE conversations SET version = version + 1, {joins('array_remove(ARRAY[acting], NULL)', 'acting')} "
            "FROM unnest($1::bigint[], $2::bigint[]) AS t(changed, acting) WHERE id = changed",
            changed,
            [self._followers.get(conversation_id) for conversation_id in changed],
        )
        rows = {row.id: row for row in await read_rows(changed)}
        for conversation_id, actor_id, event in self._events:
            row = rows[conversation_id]
            self.act.record(
                mailbox_stream(row.mailbox_id), event(row), conversation_id=conversation_id, actor_id=actor_id
            )


@asynccontextmanager
async def changing_many(conversation_ids: Collection[int], *, threading: bool = False) -> AsyncIterator[ManyChanges]:
    """Open an action and lock those of the conversations in it that are plain. `threading`: messages are stored in
    them. Locks are taken in the order of the ids, by kind, as everywhere."""
    async with action(None) as act:
        await execute(f"SET LOCAL lock_timeout = '{LONGEST_WAIT}'")
        mailboxes = [
            record["mailbox_id"]
            for record in await fetch(
                "SELECT DISTINCT mailbox_id FROM conversations WHERE id = ANY($1) ORDER BY mailbox_id",
                list(conversation_ids),
            )
        ]
        await _hold("pg_advisory_xact_lock_shared", MEMBERSHIP_LOCK, mailboxes)
        if threading:
            await _hold("pg_advisory_xact_lock", THREADING_LOCK, mailboxes)
        records = await fetch(
            "SELECT * FROM conversations WHERE id = ANY($1) AND mailbox_id = ANY($2) AND joined_into IS NULL "
            "AND (visibility = 'private' OR (visibility = 'open' AND NOT shared)) ORDER BY id FOR UPDATE",
            list(conversation_ids),
            mailboxes,
        )
        changes = ManyChanges(act, {record["id"]: record for record in records})
        yield changes
        await changes.finish()


async def _hold(function: str, kind: int, mailbox_ids: Sequence[int]) -> None:
    await execute(f"SELECT {function}($1::int, m) FROM unnest($2::int[]) WITH ORDINALITY AS t(m, n)", kind, mailbox_ids)
