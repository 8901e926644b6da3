"""What people do with a conversation. Each is one transaction, told to everybody who sees it."""

from collections.abc import Collection

from backend.access.asker import Asker
from backend.conversations.assigning import assigned_meanwhile
from backend.conversations.change import ConversationChange, changing, handling
from backend.conversations.comment_files import take_files
from backend.conversations.contracts import (
    AddComment,
    Assign,
    Comment,
    CommentAdded,
    ConversationChanged,
    ConversationItem,
    MarkChanged,
    Status,
    Visibility,
    WatermarkChanged,
)
from backend.conversations.following import joins, let_follow
from backend.conversations.links import checked_links
from backend.conversations.rows import comment_of, item_for, mark_of, read_comment, read_row, readers
from backend.conversations.sharing import check_seers, show_to_mentioned
from backend.conversations.trail import add_activity
from backend.conversations.wishes import wish_all_seen, wish_place, wish_seen
from backend.database.connection import execute, fetch, fetch_row, fetch_value
from backend.errors import Unacceptable
from backend.events.record import action, user_stream
from backend.mail.blocked import unblock
from backend.notifications.actions import clear_notifications, notify

LONGEST_COMMENT = 20_000
"""Characters."""


async def assign_conversation(asker: Asker, conversation_id: int, to: Assign) -> ConversationItem:
    """Assign to a user of the mailbox, to a team, or to nobody.

    Raises Unacceptable for anybody else, AssignedMeanwhile when somebody was faster.
    """
    if to.user_id is not None and to.team_id is not None:
        raise Unacceptable("A conversation has one assignee.", "Choose a person or a team.")
    async with handling(asker, conversation_id) as change:
        await _assign(asker, change, to)
    return await item_for(asker, conversation_id, change.row)


async def take_from_team(asker: Asker, conversation_id: int) -> None:
    """A team is dissolved: what was assigned to it is nobody's, whoever may open it."""
    async with changing(asker.user_id, conversation_id) as change:
        await _assign(asker, change, Assign())


async def _assign(asker: Asker, change: ConversationChange, to: Assign) -> None:
    if to.user_id is not None:
        await check_readers(change.mailbox_id, [to.user_id])
    if to.team_id is not None and await fetch_value("SELECT 1 FROM teams WHERE id = $1", to.team_id) is None:
        raise Unacceptable("There is no such team.", "Choose another one.")
    before = (change.before["assignee_id"], change.before["assigned_team_id"])
    if to.was is not None and before not in ((to.was.user_id, to.was.team_id), (to.user_id, to.team_id)):
        raise await assigned_meanwhile(asker, change.conversation_id)
    changed = before != (to.user_id, to.team_id)
    await execute(
        f"UPDATE conversations SET assignee_id = $2, assigned_team_id = $3, {joins('$4', '$5')} WHERE id = $1",
        change.conversation_id,
        to.user_id,
        to.team_id,
        [to.user_id] if changed and to.user_id is not None else [],
        asker.user_id if changed and to.user_id == asker.user_id else None,
    )
    if changed:
        kind = "assigned" if to.user_id else "assigned_team" if to.team_id else "unassigned"
        activity = await add_activity(change, kind, subject_id=to.user_id or to.team_id)
        change.tell(lambda row: ConversationChanged(row=row, activity=activity))
        if to.user_id is not None and to.user_id != change.act.actor_id:
            await notify(change.act, [to.user_id], "assignment", change.conversation_id, change.act.actor_id, "")


async def set_status(asker: Asker, conversation_id: int, status: Status) -> ConversationItem:
    """Open, done, spam or trash. Whoever closes it is concerned with it from then on."""
    async with handling(asker, conversation_id) as change:
        if change.before["status"] != status:
            await change_status(change, status)
            if status == "done":
                await add_concerned(conversation_id, [asker.user_id], "closed")
    return await item_for(asker, conversation_id, change.row)


async def change_status(change: ConversationChange, status: Status) -> None:
    """Give a conversation another status, here and on its server. What is no spam has no blocked writer."""
    await execute("UPDATE conversations SET status = $2 WHERE id = $1", change.conversation_id, status)
    await wish_place(change.conversation_id, status)
    activity = await add_activity(change, "status", value=status)
    change.tell(lambda row: ConversationChanged(row=row, activity=activity))
    if change.before["status"] == "spam" and change.act.actor_id is not None:
        writers = [person.address for person in (await read_row(change.conversation_id)).correspondents]
        for address in await unblock(change.act.actor_id, change.mailbox_id, writers):
            taken_back = await add_activity(change, "unblocked", value=address)
            change.tell(lambda row, said=taken_back: ConversationChanged(row=row, activity=said))


async def close_after_sending(author_id: int, conversation_id: int) -> None:
    """ "Send and done": the mail has left, so the conversation is done."""
    async with changing(author_id, conversation_id) as change:
        if change.before["status"] == "open":
            await change_status(change, "done")
            await add_concerned(conversation_id, [author_id], "closed")


async def set_visibility(asker: Asker, conversation_id: int, visibility: Visibility) -> ConversationItem:
    """Open to the mailbox, private, or confidential (DESIGN: "Privacy")."""
    async with handling(asker, conversation_id) as change:
        if change.before["visibility"] != visibility:
            if visibility == "confidential":
                # Whoever makes it so stays concerned, or they would lock themselves out.
                await add_concerned(conversation_id, [asker.user_id], "added")
            await execute("UPDATE conversations SET visibility = $2 WHERE id = $1", conversation_id, visibility)
            activity = await add_activity(change, "visibility", value=visibility)
            change.tell(lambda row: ConversationChanged(row=row, activity=activity))
    return await item_for(asker, conversation_id, change.row)


async def add_person(asker: Asker, conversation_id: int, user_id: int) -> ConversationItem:
    """Add a user of the mailbox to those concerned."""
    async with handling(asker, conversation_id) as change:
        await check_readers(change.mailbox_id, [user_id])
        if await add_concerned(conversation_id, [user_id], "added"):
            activity = await add_activity(change, "added", subject_id=user_id)
            change.tell(lambda row: ConversationChanged(row=row, activity=activity))
    return await item_for(asker, conversation_id, change.row)


async def add_comment(asker: Asker, conversation_id: int, given: AddComment) -> Comment:
    """Comment beside the mail; people and teams mentioned are notified, and concerned from then on.

    Raises Unacceptable for an empty comment, or when somebody mentioned does not see the conversation, who is named in
    the error's details; with `share` it is shared with them first.
    """
    text = given.text.strip()
    if not (text or given.file_ids) or len(text) > LONGEST_COMMENT:
        raise Unacceptable("A comment has 1 to 20,000 characters.", "Write something, or make it shorter.")
    async with changing(asker.user_id, conversation_id) as change:
        shown = await show_to_mentioned(asker, change, given) if given.share else set[int]()
        members = await check_seers(change, given.mention_ids, given.team_mention_ids)
        record = await fetch_row(
            "INSERT INTO comments (conversation_id, author_id, text, mention_ids, team_mention_ids, link_ids, "
            "created_at) VALUES ($1, $2, $3, $4, $5, $6, now()) RETURNING *",
            conversation_id,
            asker.user_id,
            text,
            given.mention_ids,
            given.team_mention_ids,
            checked_links(given.link_ids),
        )
        assert record is not None
        await take_files(asker, conversation_id, record["id"], given.file_ids)
        comment = await read_comment(record["id"]) if given.file_ids else comment_of(record)
        await execute("UPDATE conversations SET comment_count = comment_count + 1 WHERE id = $1", conversation_id)
        mentioned = sorted({*given.mention_ids, *members, *shown} - {asker.user_id})
        await add_concerned(conversation_id, {*given.mention_ids, *members}, "mentioned")
        change.tell(lambda row: CommentAdded(row=row, comment=comment))
        await _read_comments_up_to(change, asker, comment.id)
        following = {*change.before["follower_ids"]} - {*mentioned, asker.user_id}
        await let_follow(conversation_id, mentioned, acting=asker.user_id)
        said = (conversation_id, asker.user_id, text[:200])
        await notify(change.act, mentioned, "mention", *said, comment_id=comment.id)
        await notify(change.act, following, "comment", *said, comment_id=comment.id)
    return comment


async def _read_comments_up_to(change: ConversationChange, asker: Asker, comment_id: int) -> None:
    """Who says something has read what was said before; their own words are never new to them."""
    record = await fetch_row(
        "INSERT INTO read_marks (conversation_id, user_id, read_up_to, forced_unread, revision, comments_read_up_to) "
        "VALUES ($1, $2, 0, false, 1, $3) ON CONFLICT (conversation_id, user_id) DO UPDATE SET "
        "comments_read_up_to = greatest(read_marks.comments_read_up_to, $3), revision = read_marks.revision + 1 "
        "RETURNING *",
        change.conversation_id,
        asker.user_id,
        comment_id,
    )
    assert record is not None
    mark = mark_of(change.conversation_id, record)
    change.act.record(user_stream(asker.user_id), MarkChanged(mailbox_id=change.mailbox_id, mark=mark))


async def set_read(asker: Asker, conversation_id: int, read: bool) -> ConversationItem:
    """Mark read up to now, comments too, or its mail unread, for the asking person alone.

    Reading is told to the mail server: in a personal mailbox both ways, in a group's when the first member reads.
    """
    async with action(asker.user_id) as act:
        row = await fetch_row(
            "SELECT c.id, c.mailbox_id, c.last_arrival, (SELECT coalesce(max(k.id), 0) FROM comments k "
            "WHERE k.conversation_id = c.id) AS last_comment_id FROM conversations c WHERE c.id = $1 FOR SHARE OF c",
            conversation_id,
        )
        assert row is not None
        record = await fetch_row(
            "INSERT INTO read_marks (conversation_id, user_id, read_up_to, forced_unread, revision, "
            "comments_read_up_to) VALUES ($1, $2, $3, $4, 1, $5) ON CONFLICT (conversation_id, user_id) DO UPDATE SET "
            "read_up_to = greatest(read_marks.read_up_to, $3), forced_unread = $4, "
            "comments_read_up_to = greatest(read_marks.comments_read_up_to, $5), "
            "revision = read_marks.revision + 1 WHERE read_marks.forced_unread <> $4 OR read_marks.read_up_to < $3 "
            "OR read_marks.comments_read_up_to < $5 RETURNING *",
            conversation_id,
            asker.user_id,
            row["last_arrival"] if read else 0,
            not read,
            row["last_comment_id"] if read else 0,
        )
        if record is not None:
            mark = mark_of(conversation_id, record)
            act.record(user_stream(asker.user_id), MarkChanged(mailbox_id=row["mailbox_id"], mark=mark))
            await wish_seen(asker, conversation_id, read)
        if read:
            await clear_notifications(act, asker.user_id, "conversation_id = $2", conversation_id)
    return await item_for(asker, conversation_id)


async def read_all(asker: Asker, mailbox_id: int) -> None:
    """Everything that was written in the mailbox so far, mail and comments, counts as read for the asking person."""
    async with action(asker.user_id) as act:
        watermark = await fetch_row(
            "INSERT INTO watermarks (mailbox_id, user_id, read_from, comments_read_from) "
            "SELECT id, $2, last_arrival, (SELECT coalesce(max(id), 0) FROM comments) FROM mailboxes WHERE id = $1 "
            "ON CONFLICT (mailbox_id, user_id) DO UPDATE SET "
            "read_from = greatest(watermarks.read_from, excluded.read_from), "
            "comments_read_from = greatest(watermarks.comments_read_from, excluded.comments_read_from) RETURNING *",
            mailbox_id,
            asker.user_id,
        )
        assert watermark is not None
        cleared = await fetch(
            "UPDATE read_marks r SET forced_unread = false, revision = revision + 1 FROM conversations c "
            "WHERE c.id = r.conversation_id AND c.mailbox_id = $1 AND r.user_id = $2 AND r.forced_unread "
            "RETURNING r.*",
            mailbox_id,
            asker.user_id,
        )
        stream = user_stream(asker.user_id)
        told = WatermarkChanged(
            mailbox_id=mailbox_id,
            read_from=watermark["read_from"],
            comments_read_from=watermark["comments_read_from"],
        )
        act.record(stream, told)
        for record in cleared:
            act.record(stream, MarkChanged(mailbox_id=mailbox_id, mark=mark_of(record["conversation_id"], record)))
        await clear_notifications(
            act,
            asker.user_id,
            "kind IN ('reply', 'comment') AND conversation_id IN (SELECT id FROM conversations WHERE mailbox_id = $2)",
            mailbox_id,
        )
        await wish_all_seen(asker, mailbox_id)


async def add_concerned(conversation_id: int, user_ids: Collection[int], reason: str) -> list[int]:
    """These people are concerned for this reason; answers who was not before."""
    records = await fetch(
        "INSERT INTO conversation_people (conversation_id, user_id, reason) "
        "SELECT $1, u, $3 FROM unnest($2::bigint[]) u ON CONFLICT DO NOTHING RETURNING user_id",
        conversation_id,
        sorted(set(user_ids)),
        reason,
    )
    return [record["user_id"] for record in records]


async def check_readers(mailbox_id: int, user_ids: Collection[int]) -> None:
    """Raises Unacceptable unless each of these people can open the mailbox."""
    strangers = set(user_ids) - set(await readers(mailbox_id))
    if strangers:
        raise Unacceptable(
            "That person cannot open this mailbox.",
            "Give them access in the mailbox's settings first.",
            user_ids=sorted(strangers),
        )
