"""One conversation becomes two: a mail, or it and all that came after it, stands in one of its own from then on.

The new one begins as the old one is: whose it is, its tags, followers and shares, who sees it, what each person has
read. Reminders stay with the old one. A reply that is begun goes with the mail that it answers; comments stay, unless
those that were said since are to go along. Later mail follows what it answers, and mail never joins the two again
(`splits.py`); a person does, by merging them.
"""

from collections.abc import Sequence

from backend.access.asker import Asker
from backend.access.fetch import check_handles, handled_conversation
from backend.conversations.change import audience_of, hold_membership, tell, tell_sight
from backend.conversations.contracts import (
    ConversationChanged,
    ConversationItem,
    SplitConversation,
)
from backend.conversations.parting import count_comments, keep_told, seers, tell_there
from backend.conversations.rows import item_for, read_row
from backend.conversations.splits import note_split
from backend.conversations.threads import begin_conversation, sum_up_all
from backend.conversations.trail import add_line
from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value
from backend.errors import Conflict, NotFound, Unacceptable
from backend.events.record import Action, action
from backend.mail.labels import stars_settle
from backend.mail.rekeying import leave_keys_anew
from backend.mail.store import hold_threading
from backend.notifications.actions import tell_notifications_again

LONGEST_SUBJECT = 500
"""Characters."""


async def split_conversation(asker: Asker, conversation_id: int, given: SplitConversation) -> ConversationItem:
    """Split a mail off, or it and all after it; answers the new conversation.

    Raises NotFound for what is out of sight or elsewhere, Unacceptable when nothing would be left or the subject is too
    long, Conflict while a mail is on its way out.
    """
    subject = " ".join((given.subject or "").split())
    if len(subject) > LONGEST_SUBJECT:
        raise Unacceptable("A subject has at most 500 characters.", "Make it shorter.")
    key = await handled_conversation(asker, conversation_id)
    async with action(asker.user_id) as act:
        await hold_membership(key.mailbox_id)
        await hold_threading(key.mailbox_id)
        await check_handles(asker.user_id, key.mailbox_id)
        old = await fetch_row(
            "SELECT * FROM conversations WHERE id = $1 AND joined_into IS NULL AND mailbox_id = $2 AND sees($3, id) "
            "FOR UPDATE",
            key.conversation_id,
            key.mailbox_id,
            asker.user_id,
        )
        if old is None:
            raise Conflict("This conversation changed at this moment.", "Look at it, and try again.")
        going = await _going(old["id"], given)
        if await fetch_value("SELECT 1 FROM outgoing WHERE conversation_id = $1 AND state = 'sending'", old["id"]):
            raise Conflict("A mail of this conversation is being sent at this moment.", "Try again in a few seconds.")
        new_id = await _part(act, old, going, given, subject)
    return await item_for(asker, new_id)


async def _going(conversation_id: int, given: SplitConversation) -> Sequence[Row]:
    """The mails that go, the first one first."""
    messages = await fetch(
        "SELECT id, date, subject, gone_at IS NULL AND NOT hidden AS shown FROM messages WHERE conversation_id = $1 "
        "ORDER BY date, id",
        conversation_id,
    )
    at = next((n for n, each in enumerate(messages) if each["id"] == given.message_id and each["shown"]), None)
    if at is None:
        raise NotFound("There is no such message in this conversation.", "It may have been moved or deleted meanwhile.")
    going = messages[at:] if given.and_all_after else messages[at : at + 1]
    kept = {each["id"] for each in messages if each["shown"]} - {each["id"] for each in going}
    if not kept:
        raise Unacceptable("Nothing would be left in this conversation.", "Choose a later mail.")
    return going


async def _part(act: Action, old: Row, going: Sequence[Row], given: SplitConversation, subject: str) -> int:
    old_id, mailbox_id = old["id"], old["mailbox_id"]
    before = await audience_of(old_id)
    new_id = await begin_conversation(
        mailbox_id, subject or going[0]["subject"], status=old["status"], visibility=old["visibility"]
    )
    await execute(
        "UPDATE conversations n SET assignee_id = o.assignee_id, assigned_team_id = o.assigned_team_id, "
        "tag_ids = o.tag_ids, follower_ids = o.follower_ids, unfollowed_ids = o.unfollowed_ids, shared = o.shared, "
        "moved_from = o.moved_from, titled = $3 FROM conversations o WHERE n.id = $1 AND o.id = $2",
        new_id,
        old_id,
        bool(subject) and subject != going[0]["subject"],
    )
    await _copy_people(old_id, new_id)
    await _move(old_id, new_id, going, given)
    await count_comments([old_id, new_id])
    await note_split(old_id, new_id)
    await leave_keys_anew(mailbox_id, [old_id, new_id])
    await sum_up_all([old_id, new_id])
    await stars_settle([old_id, new_id])
    await keep_told(old_id, new_id)
    there = await add_line(act, new_id, "split_from", value=str(old_id))
    here = await add_line(act, old_id, "split", value=str(new_id))
    await tell_there(act, new_id, there)
    row, after = await read_row(old_id), await audience_of(old_id)
    await tell_sight(act, row, before, after)
    tell(act, row, ConversationChanged(row=row, activity=here), after)
    await tell_notifications_again(act, old_id, await seers(mailbox_id, after))
    return new_id


async def _copy_people(old_id: int, new_id: int) -> None:
    """Who is concerned, with whom it is shared, and what each person has read."""
    await execute(
        "INSERT INTO conversation_people (conversation_id, user_id, reason) "
        "SELECT $2, user_id, reason FROM conversation_people WHERE conversation_id = $1",
        old_id,
        new_id,
    )
    await execute(
        "INSERT INTO conversation_shares (conversation_id, user_id, team_id, shared_by, created_at) "
        "SELECT $2, user_id, team_id, shared_by, created_at FROM conversation_shares WHERE conversation_id = $1",
        old_id,
        new_id,
    )
    await execute(
        "INSERT INTO read_marks (conversation_id, user_id, read_up_to, forced_unread, revision, comments_read_up_to) "
        "SELECT $2, user_id, read_up_to, forced_unread, 1, comments_read_up_to FROM read_marks "
        "WHERE conversation_id = $1",
        old_id,
        new_id,
    )


async def _move(old_id: int, new_id: int, going: Sequence[Row], given: SplitConversation) -> None:
    """The mails, the replies to them, and, where they are to go along, the comments since the first of them."""
    ids = [each["id"] for each in going]
    comments: list[int] = []
    if given.with_comments:
        comments = [
            record["id"]
            for record in await fetch(
                "SELECT id FROM comments WHERE conversation_id = $1 AND created_at >= $2", old_id, going[0]["date"]
            )
        ]
    for table, which, chosen in (
        ("messages", "id", ids),
        ("comments", "id", comments),
        ("comment_files", "comment_id", comments),
        ("drafts", "answers_id", ids),
        ("outgoing", "answers_id", ids),
        ("notifications", "message_id", ids),
        ("notifications", "comment_id", comments),
    ):
        await execute(
            f"UPDATE {table} SET conversation_id = $2 WHERE conversation_id = $1 AND {which} = ANY($3)",
            old_id,
            new_id,
            chosen,
        )
