"""What becomes of a comment: its author changes or deletes it, colleagues react.

What a comment said before is kept (`comment_revisions`) and shown to those who see the conversation, as long as the
comment stands. A deleted one leaves the line that it was deleted; its text is gone from the conversation, from search,
from notifications, and from the events that somebody may still read.
"""

from backend.access.asker import Asker
from backend.access.fetch import access_comment
from backend.conversations.actions import LONGEST_COMMENT, add_concerned
from backend.conversations.change import changing
from backend.conversations.comment_files import has_files, take_files
from backend.conversations.contracts import Comment, CommentChanged, CommentRevision, EditComment, Emoji
from backend.conversations.following import let_follow
from backend.conversations.links import checked_links
from backend.conversations.rows import read_comment
from backend.conversations.sharing import check_seers, team_members
from backend.database.connection import Row, execute, fetch
from backend.errors import Forbidden, Unacceptable
from backend.events.record import Action
from backend.notifications.actions import notify, unsay_comment


async def edit_comment(asker: Asker, comment_id: int, given: EditComment) -> Comment:
    """Let one's own comment say something else. Who is mentioned only now is notified.

    Raises Forbidden for somebody else's comment, Unacceptable for an empty one or one that was deleted.
    """
    text = given.text.strip()
    record = await access_comment(asker, comment_id)
    async with changing(asker.user_id, record["conversation_id"]) as change:
        before = await _own(asker, comment_id)
        await take_files(asker, change.conversation_id, comment_id, given.file_ids)
        if not (text or await has_files(comment_id)) or len(text) > LONGEST_COMMENT:
            raise Unacceptable("A comment has 1 to 20,000 characters.", "Write something, or delete it.")
        members = await check_seers(
            change,
            set(given.mention_ids) - set(before["mention_ids"]),
            set(given.team_mention_ids) - set(before["team_mention_ids"]),
        )
        if before["text"] != text:
            await _keep(before)
        await execute(
            "UPDATE comments SET text = $2, mention_ids = $3, team_mention_ids = $4, link_ids = $5, "
            "edited_at = CASE WHEN text = $2 THEN edited_at ELSE now() END WHERE id = $1",
            comment_id,
            text,
            given.mention_ids,
            given.team_mention_ids,
            checked_links(given.link_ids),
        )
        known = {*before["mention_ids"], *await team_members(before["team_mention_ids"])}
        fresh = {*given.mention_ids, *members} - known
        await add_concerned(change.conversation_id, fresh, "mentioned")
        await let_follow(change.conversation_id, fresh, acting=asker.user_id)
        comment = await read_comment(comment_id)
        change.tell(lambda row: CommentChanged(row=row, comment=comment))
        told = sorted(fresh - {asker.user_id})
        where = change.conversation_id
        await notify(change.act, told, "mention", where, asker.user_id, text[:200], comment_id=comment_id)
    return comment


async def delete_comment(asker: Asker, comment_id: int) -> Comment:
    """Take one's own comment away; that there was one stays to be seen. Raises Forbidden for somebody else's."""
    record = await access_comment(asker, comment_id)
    async with changing(asker.user_id, record["conversation_id"]) as change:
        before = await _own(asker, comment_id)
        await _keep(before)
        await execute("UPDATE comments SET text = '', link_ids = '{}', deleted_at = now() WHERE id = $1", comment_id)
        await execute("DELETE FROM comment_reactions WHERE comment_id = $1", comment_id)
        await execute("DELETE FROM comment_files WHERE comment_id = $1", comment_id)
        await execute(
            "UPDATE conversations SET comment_count = comment_count - 1 WHERE id = $1", change.conversation_id
        )
        await _unsay(change.act, before)
        comment = await read_comment(comment_id)
        change.tell(lambda row: CommentChanged(row=row, comment=comment))
    return comment


async def react(asker: Asker, comment_id: int, emoji: Emoji, *, taken_back: bool = False) -> Comment:
    """React to a comment, or take that back; either twice does no harm. Raises Unacceptable for a deleted comment."""
    record = await access_comment(asker, comment_id)
    async with changing(asker.user_id, record["conversation_id"]) as change:
        await _standing(comment_id)
        if taken_back:
            statement = "DELETE FROM comment_reactions WHERE comment_id = $1 AND user_id = $2 AND emoji = $3"
        else:
            statement = (
                "INSERT INTO comment_reactions (comment_id, user_id, emoji) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
            )
        changed = await execute(statement, comment_id, asker.user_id, emoji)
        comment = await read_comment(comment_id)
        if not changed.endswith(" 0"):
            change.tell(lambda row: CommentChanged(row=row, comment=comment))
    return comment


async def revisions_of(asker: Asker, comment_id: int) -> list[CommentRevision]:
    """What a comment said before, oldest first; nothing of one that was deleted."""
    record = await access_comment(asker, comment_id)
    if record["deleted_at"] is not None:
        return []
    rows = await fetch("SELECT text, at FROM comment_revisions WHERE comment_id = $1 ORDER BY id", comment_id)
    return [CommentRevision(text=row["text"], until=row["at"]) for row in rows]


async def _standing(comment_id: int) -> Row:
    """The comment as it stands, locked."""
    (record,) = await fetch("SELECT * FROM comments WHERE id = $1 FOR UPDATE", comment_id)
    if record["deleted_at"] is not None:
        raise Unacceptable("This comment was deleted.", "Write a new one.")
    return record


async def _own(asker: Asker, comment_id: int) -> Row:
    record = await _standing(comment_id)
    if record["author_id"] != asker.user_id:
        raise Forbidden("Only its author changes a comment.", "Write one of your own.")
    return record


async def _keep(before: Row) -> None:
    await execute(
        "INSERT INTO comment_revisions (comment_id, text, at) VALUES ($1, $2, now())", before["id"], before["text"]
    )


async def _unsay(act: Action, comment: Row) -> None:
    """Take every text of a deleted comment out of notifications and of events that may still be read."""
    conversation_id = comment["conversation_id"]
    rows = await fetch("SELECT left(text, 200) AS text FROM comment_revisions WHERE comment_id = $1", comment["id"])
    texts = [row["text"] for row in rows]
    unsaid = await unsay_comment(act, conversation_id, comment["id"], comment["author_id"], texts)
    await execute(
        "UPDATE events SET body = jsonb_set(jsonb_set(jsonb_set(body, '{comment,text}', '\"\"'), '{comment,files}', "
        "'[]'), '{comment,link_ids}', '[]') WHERE conversation_id = $1 "
        "AND at >= $3 AND body ->> 'type' IN ('comment_added', 'comment_changed') "
        "AND body -> 'comment' ->> 'id' = $2",
        conversation_id,
        str(comment["id"]),
        comment["created_at"],
    )
    await execute(
        "UPDATE events SET body = jsonb_set(body, '{notification,text}', '\"\"') WHERE conversation_id = $1 "
        "AND at >= $3 AND body ->> 'type' = 'notification_added' AND (body -> 'notification' ->> 'comment_id' = $4 "
        "OR (body -> 'notification' ->> 'comment_id' IS NULL AND body -> 'notification' ->> 'id' = ANY($2)))",
        conversation_id,
        [str(number) for number in unsaid],
        comment["created_at"],
        str(comment["id"]),
    )
