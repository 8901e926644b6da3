"""Who can open which mailbox, changed: members, teams, a person joining or leaving the organisation.

    async with action(asker.user_id) as act:
        await lock_memberships()
        async with readers_changing(act, mailbox_ids):
            ... rows of members, teams or users ...

Changes of membership queue up behind one lock, for they are rare and reach across mailboxes: a team's members decide
on all mailboxes that the team opens, and on the confidential conversations that are assigned to it.
"""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import msgspec

from backend.conversations.change import MEMBERSHIP_LOCK, membership_changing
from backend.database.connection import execute, fetch, fetch_row
from backend.events.record import Action, mailbox_stream, user_stream
from backend.mailboxes.contracts import Mailbox, MailboxChanged, MailboxGained, MailboxGone
from backend.mailboxes.queries import read_shared


async def lock_memberships() -> None:
    """Until the transaction ends nobody else changes a membership, a team, or who is in the organisation.

    Take it before any row is locked. The key 0 is no mailbox's.
    """
    await execute("SELECT pg_advisory_xact_lock($1::int, 0)", MEMBERSHIP_LOCK)


async def lock_every_mailbox() -> None:
    """Until the transaction ends, no conversation changes hands either, in any mailbox. Needs `lock_memberships`.

    For changes of a team: a conversation anywhere could be assigned to it a moment later.
    """
    await execute(
        "SELECT pg_advisory_xact_lock($1::int, m.id::int) FROM (SELECT id FROM mailboxes ORDER BY id) m",
        MEMBERSHIP_LOCK,
    )


async def lock_mailbox(mailbox_id: int) -> None:
    """Until the transaction ends nothing else changes the mailbox or its conversations. Needs `lock_memberships`."""
    await execute("SELECT pg_advisory_xact_lock($1::int, $2::int)", MEMBERSHIP_LOCK, mailbox_id)


async def mailboxes_of_team(team_id: int) -> list[int]:
    """The mailboxes that a team opens, or in which a conversation is assigned to it or shared with it."""
    records = await fetch(
        "SELECT mailbox_id FROM mailbox_teams WHERE team_id = $1 "
        "UNION SELECT mailbox_id FROM conversations WHERE assigned_team_id = $1 AND joined_into IS NULL "
        "UNION SELECT c.mailbox_id FROM conversation_shares s JOIN conversations c ON c.id = s.conversation_id "
        "WHERE s.team_id = $1",
        team_id,
    )
    return [record["mailbox_id"] for record in records]


async def mailboxes_of_person(user_id: int) -> list[int]:
    """The mailboxes that a person can open, or could with an open account, or out of which something is shared."""
    records = await fetch(
        "SELECT id FROM mailboxes WHERE owner_id = $1 AND kind = 'personal' "
        "UNION SELECT mailbox_id FROM mailbox_users WHERE user_id = $1 "
        "UNION SELECT mt.mailbox_id FROM mailbox_teams mt JOIN team_members tm ON tm.team_id = mt.team_id "
        "WHERE tm.user_id = $1 "
        "UNION SELECT c.mailbox_id FROM conversation_shares s JOIN conversations c ON c.id = s.conversation_id "
        "WHERE s.user_id = $1 OR s.team_id IN (SELECT team_id FROM team_members WHERE user_id = $1)",
        user_id,
    )
    return [record["id"] for record in records]


@asynccontextmanager
async def readers_changing(act: Action, mailbox_ids: Collection[int]) -> AsyncIterator[None]:
    """The frame of such a change; call `lock_memberships` first.

    Those who gain a mailbox are told on their own stream, and start with everything read; those who lose it are told
    its id alone; the others get the mailbox as it now is.
    """
    ids = sorted(set(mailbox_ids))
    async with membership_changing(act, ids):
        await hold_accounts(ids)
        before = await read_shared(ids)
        yield
        after = await read_shared(ids)
        for mailbox_id in ids:
            await _tell(act, before[mailbox_id], after[mailbox_id])


async def hold_accounts(mailbox_ids: Collection[int]) -> None:
    """Until the transaction ends, the state of these mailboxes' accounts stays as it is: an event that tells of a
    mailbox holds it, and must not be overtaken."""
    await execute("SELECT 1 FROM mail_accounts WHERE mailbox_id = ANY($1) ORDER BY id FOR SHARE", list(mailbox_ids))


async def _tell(act: Action, before: Mailbox, after: Mailbox) -> None:
    if before != after:
        act.record(mailbox_stream(after.id), MailboxChanged(mailbox=after))
    for user_id in sorted(set(after.reader_ids) - set(before.reader_ids)):
        await tell_gained(act, after, user_id)
    for user_id in sorted(set(before.reader_ids) - set(after.reader_ids)):
        await _forget_watermark(after.id, user_id)
        act.record(user_stream(user_id), MailboxGone(mailbox_id=after.id))


async def _forget_watermark(mailbox_id: int, user_id: int) -> None:
    """What it says of conversations that stay shared with the person is kept in their marks."""
    await execute(
        "INSERT INTO read_marks (conversation_id, user_id, read_up_to, comments_read_up_to, forced_unread, revision) "
        "SELECT s.conversation_id, $2, w.read_from, w.comments_read_from, false, 1 FROM watermarks w "
        "JOIN conversations c ON c.mailbox_id = w.mailbox_id AND c.shared "
        "JOIN shared_conversations s ON s.conversation_id = c.id AND s.user_id = $2 "
        "WHERE w.mailbox_id = $1 AND w.user_id = $2 ON CONFLICT (conversation_id, user_id) DO UPDATE "
        "SET read_up_to = greatest(read_marks.read_up_to, excluded.read_up_to), comments_read_up_to = "
        "greatest(read_marks.comments_read_up_to, excluded.comments_read_up_to), revision = read_marks.revision + 1",
        mailbox_id,
        user_id,
    )
    await execute("DELETE FROM watermarks WHERE mailbox_id = $1 AND user_id = $2", mailbox_id, user_id)


async def tell_gained(act: Action, mailbox: Mailbox, user_id: int) -> None:
    """Everything in a mailbox that one newly joins starts read."""
    watermark = await fetch_row(
        "INSERT INTO watermarks (mailbox_id, user_id, read_from, comments_read_from) "
        "SELECT id, $2, last_arrival, (SELECT coalesce(max(id), 0) FROM comments) FROM mailboxes WHERE id = $1 "
        "ON CONFLICT (mailbox_id, user_id) DO UPDATE SET read_from = excluded.read_from, "
        "comments_read_from = excluded.comments_read_from RETURNING *",
        mailbox.id,
        user_id,
    )
    assert watermark is not None
    await execute(
        "UPDATE read_marks r SET forced_unread = false, revision = revision + 1 FROM conversations c "
        "WHERE c.id = r.conversation_id AND c.mailbox_id = $1 AND r.user_id = $2 AND r.forced_unread",
        mailbox.id,
        user_id,
    )
    own = msgspec.structs.replace(
        mailbox, read_from=watermark["read_from"], comments_read_from=watermark["comments_read_from"]
    )
    act.record(user_stream(user_id), MailboxGained(mailbox=own))
