"""Reading the shared state of conversations as contracts. Unscoped: callers have passed backend/access first."""

from collections.abc import Collection, Sequence

import msgspec

from backend.access.asker import Asker
from backend.conversations.contracts import (
    Activity,
    Comment,
    CommentFile,
    ConversationItem,
    ConversationRow,
    Mark,
    Reaction,
    Reminder,
)
from backend.database.connection import Row, fetch
from backend.mail.contracts import MailAddress

ROW_COLUMNS = """
    c.id, c.mailbox_id, c.subject, c.correspondents, c.message_count, c.comment_count, c.snippet, c.last_at,
    c.last_arrival, c.last_direction, c.status, c.visibility, c.assignee_id, c.assigned_team_id,
    c.has_attachments, c.tag_ids, c.follower_ids, c.version, c.starred,
    (SELECT array_agg(DISTINCT d.author_id ORDER BY d.author_id) FROM drafts d WHERE d.conversation_id = c.id)
        AS draft_author_ids,
    CASE WHEN c.comment_count > 0 THEN (SELECT max(k.id) FROM comments k
        WHERE k.conversation_id = c.id AND k.deleted_at IS NULL) END AS last_comment_id,
    (SELECT o.state FROM outgoing o WHERE o.conversation_id = c.id AND o.state NOT IN ('sent', 'cancelled')
      ORDER BY array_position(ARRAY['failed','unknown','held','sending','queued','scheduled'], o.state) LIMIT 1)
        AS outbox,
    CASE WHEN c.shared THEN (SELECT array_agg(s.user_id ORDER BY s.id) FROM conversation_shares s
        WHERE s.conversation_id = c.id AND s.user_id IS NOT NULL) END AS shared_user_ids,
    CASE WHEN c.shared THEN (SELECT array_agg(s.team_id ORDER BY s.id) FROM conversation_shares s
        WHERE s.conversation_id = c.id AND s.team_id IS NOT NULL) END AS shared_team_ids
"""

MARK_FIELDS = (
    "read_up_to, forced_unread, revision, remind_at, remind_kind, remind_if_silent, remind_due, comments_read_up_to"
)
"""Of a read mark, as `mark_of` takes them."""

_addresses = msgspec.json.Decoder(list[MailAddress])


def row_of(record: Row) -> ConversationRow:
    """A record that holds ROW_COLUMNS, as a contract."""
    return ConversationRow(
        id=record["id"],
        mailbox_id=record["mailbox_id"],
        subject=record["subject"],
        correspondents=_addresses.decode(record["correspondents"]),
        message_count=record["message_count"],
        snippet=record["snippet"],
        last_at=record["last_at"],
        last_arrival=record["last_arrival"],
        last_direction=record["last_direction"],
        status=record["status"],
        visibility=record["visibility"],
        assignee_id=record["assignee_id"],
        assigned_team_id=record["assigned_team_id"],
        has_attachments=record["has_attachments"],
        comment_count=record["comment_count"],
        draft_author_ids=record["draft_author_ids"] or [],
        outbox=record["outbox"] or "",
        version=record["version"],
        tag_ids=list(record["tag_ids"]),
        last_comment_id=record["last_comment_id"] or 0,
        follower_ids=list(record["follower_ids"]),
        shared_user_ids=record["shared_user_ids"] or [],
        shared_team_ids=record["shared_team_ids"] or [],
        starred=record["starred"],
    )


async def read_rows(conversation_ids: Collection[int]) -> list[ConversationRow]:
    records = await fetch(
        f"SELECT {ROW_COLUMNS} FROM conversations c WHERE c.id = ANY($1) ORDER BY c.id",
        list(conversation_ids),
    )
    return [row_of(record) for record in records]


async def read_shared_rows(conversation_ids: Collection[int]) -> list[ConversationRow]:
    """Those of the conversations that are shared and open to their mailbox."""
    records = await fetch(
        f"SELECT {ROW_COLUMNS} FROM conversations c WHERE c.id = ANY($1) AND c.shared AND c.visibility = 'open' "
        "AND c.joined_into IS NULL ORDER BY c.id",
        list(conversation_ids),
    )
    return [row_of(record) for record in records]


async def read_row(conversation_id: int) -> ConversationRow:
    return (await read_rows([conversation_id]))[0]


async def read_marks(conversation_id: int, user_ids: Collection[int]) -> dict[int, Mark]:
    """The read state of each of these people."""
    records = await fetch(
        f"SELECT user_id, {MARK_FIELDS} FROM read_marks WHERE conversation_id = $1 AND user_id = ANY($2)",
        conversation_id,
        list(user_ids),
    )
    marks = {record["user_id"]: mark_of(conversation_id, record) for record in records}
    return {user_id: marks.get(user_id) or unmarked(conversation_id) for user_id in user_ids}


def mark_of(conversation_id: int, record: Row) -> Mark:
    return Mark(
        conversation_id=conversation_id,
        read_up_to=record["read_up_to"],
        forced_unread=record["forced_unread"],
        revision=record["revision"],
        reminder=Reminder(
            at=record["remind_at"],
            kind=record["remind_kind"],
            if_silent=record["remind_if_silent"],
            due=record["remind_due"],
        )
        if record["remind_at"] is not None
        else None,
        comments_read_up_to=record["comments_read_up_to"],
    )


def unmarked(conversation_id: int) -> Mark:
    return Mark(conversation_id=conversation_id, read_up_to=0, forced_unread=False, revision=0)


COMMENT_COLUMNS = """
    k.*, (SELECT jsonb_agg(jsonb_build_object('emoji', r.emoji, 'user_ids', r.user_ids) ORDER BY r.first)
            FROM (SELECT emoji, array_agg(user_id ORDER BY id) AS user_ids, min(id) AS first
                    FROM comment_reactions WHERE comment_id = k.id GROUP BY emoji) r) AS reactions,
    (SELECT jsonb_agg(jsonb_build_object('id', f.id, 'filename', f.filename, 'content_type', f.content_type,
                                         'size', f.size) ORDER BY f.id)
       FROM comment_files f WHERE f.comment_id = k.id) AS files
"""
_reactions = msgspec.json.Decoder(list[Reaction])
_files = msgspec.json.Decoder(list[CommentFile])


async def read_comments(conversation_id: int) -> list[Comment]:
    """All comments of a conversation, oldest first."""
    records = await fetch(
        f"SELECT {COMMENT_COLUMNS} FROM comments k WHERE k.conversation_id = $1 ORDER BY k.id", conversation_id
    )
    return [comment_of(record) for record in records]


async def read_comment(comment_id: int) -> Comment:
    return comment_of((await fetch(f"SELECT {COMMENT_COLUMNS} FROM comments k WHERE k.id = $1", comment_id))[0])


def comment_of(record: Row) -> Comment:
    """A record with COMMENT_COLUMNS, or one that has just been written."""
    reactions, files = record.get("reactions"), record.get("files")
    return Comment(
        id=record["id"],
        conversation_id=record["conversation_id"],
        author_id=record["author_id"],
        text=record["text"],
        mention_ids=list(record["mention_ids"] or []),
        team_mention_ids=list(record["team_mention_ids"] or []),
        created_at=record["created_at"],
        edited_at=record["edited_at"],
        deleted=record["deleted_at"] is not None,
        reactions=_reactions.decode(reactions) if reactions else [],
        files=_files.decode(files) if files else [],
        link_ids=list(record["link_ids"]),
    )


def activity_of(record: Row) -> Activity:
    return Activity(
        id=record["id"],
        conversation_id=record["conversation_id"],
        kind=record["kind"],
        actor_id=record["actor_id"],
        subject_id=record["subject_id"],
        value=record["value"],
        at=record["at"],
    )


async def viewers(conversation_id: int) -> list[int]:
    """Everybody who sees the conversation now."""
    return [r["v"] for r in await fetch("SELECT v FROM viewers($1) v ORDER BY v", conversation_id)]


async def guests(conversation_id: int) -> list[int]:
    """Who sees the conversation now without being able to open its mailbox."""
    return [r["v"] for r in await fetch("SELECT v FROM guests($1) v ORDER BY v", conversation_id)]


async def readers(mailbox_id: int) -> list[int]:
    """Everybody who can open the mailbox now."""
    records: Sequence[Row] = await fetch(
        "SELECT user_id FROM mailbox_readers WHERE mailbox_id = $1 ORDER BY user_id", mailbox_id
    )
    return [record["user_id"] for record in records]


async def item_for(asker: Asker, conversation_id: int, row: ConversationRow | None = None) -> ConversationItem:
    """The conversation as the asking person now sees it in a list. `row` is as a change has just left it."""
    marks = await read_marks(conversation_id, [asker.user_id])
    return ConversationItem(row=row or await read_row(conversation_id), mark=marks[asker.user_id])
