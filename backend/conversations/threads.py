"""Conversations as mail makes them: begun, grown, joined, summed up."""

from collections.abc import Sequence

from backend.conversations.change import audience_of, audience_of_row, tell, tell_sight
from backend.conversations.contracts import (
    Activity,
    ConversationChanged,
    ConversationGone,
    MarkChanged,
    Visibility,
)
from backend.conversations.rows import activity_of, mark_of, read_row, viewers
from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value
from backend.events.record import Action, user_stream
from backend.notifications.actions import tell_notifications_again

STRICTNESS: tuple[Visibility, ...] = ("open", "private", "confidential")


async def begin_conversation(
    mailbox_id: int, subject: str, *, status: str = "open", visibility: Visibility = "open"
) -> int:
    """A new conversation without messages. Its first event is told by whoever puts the first message in."""
    return await fetch_value(
        "INSERT INTO conversations (mailbox_id, subject, status, visibility, correspondents, addressed, snippet, "
        "created_at, last_at) VALUES ($1, $2, $3, $4, '[]', '{}', '', now(), now()) RETURNING id",
        mailbox_id,
        subject,
        status,
        visibility,
    )


async def sum_up(conversation_id: int) -> None:
    """Bring the columns that a list reads up to date with the messages that are there."""
    await execute(_SUM_UP_ONE, conversation_id)


async def sum_up_all(conversation_ids: Sequence[int]) -> None:
    """The same for many conversations in one statement. Locks their rows in the order of the ids.

    Messages that are gone or hidden do not count. A conversation that has hidden ones only is hidden, and keeps what
    it was last.
    """
    if len(conversation_ids) == 1:
        await sum_up(conversation_ids[0])
    elif conversation_ids:
        await execute(_SUM_UP_MANY, list(conversation_ids))


_SUM_UP = """
    UPDATE conversations c SET
        version = c.version + 1,
        subject = CASE WHEN c.titled THEN c.subject ELSE coalesce(first.subject, c.subject) END,
        message_count = totals.number,
        hidden = totals.number = 0 AND totals.hidden,
        last_at = coalesce(newest.date, c.last_at),
        last_direction = coalesce(newest.direction, c.last_direction),
        snippet = coalesce(newest.snippet, ''),
        last_arrival = coalesce(totals.arrival, 0),
        has_attachments = coalesce(totals.attached, false),
        addressed = coalesce(addressees.list, '{{}}'),
        correspondents = coalesce(senders.list, receivers.list, '[]')
    FROM (SELECT id FROM conversations WHERE id {which} ORDER BY id FOR UPDATE) wanted
    CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE NOT m.hidden) AS number,
                max(arrival) FILTER (WHERE NOT m.hidden) AS arrival, coalesce(bool_or(m.hidden), false) AS hidden,
                bool_or(attachments <> '[]') FILTER (WHERE NOT m.hidden) AS attached
            FROM messages m WHERE conversation_id = wanted.id AND gone_at IS NULL) totals
    LEFT JOIN LATERAL (SELECT subject FROM messages WHERE conversation_id = wanted.id
                        ORDER BY gone_at IS NOT NULL, date, id LIMIT 1) first ON true
    LEFT JOIN LATERAL (SELECT date, direction, snippet FROM messages m
                        WHERE conversation_id = wanted.id AND gone_at IS NULL AND NOT m.hidden
                        ORDER BY date DESC, id DESC LIMIT 1) newest ON true
    LEFT JOIN LATERAL (SELECT array_agg(DISTINCT lower(p ->> 'address') COLLATE "C") AS list
            FROM messages m, jsonb_array_elements((m.recipients -> 'to') || (m.recipients -> 'cc')) p
           WHERE m.conversation_id = wanted.id) addressees ON true
    LEFT JOIN LATERAL (SELECT jsonb_agg(sender ORDER BY at DESC, address) AS list FROM (
            SELECT DISTINCT ON (address) sender, date AS at, lower(sender ->> 'address') COLLATE "C" AS address
              FROM messages WHERE conversation_id = wanted.id AND direction = 'incoming' AND sender IS NOT NULL
             ORDER BY address, date DESC, id DESC LIMIT 50) s) senders ON true
    LEFT JOIN LATERAL (SELECT jsonb_path_query_array(recipients, '$.to[0 to 4]') AS list FROM messages
                        WHERE conversation_id = wanted.id ORDER BY date DESC, id DESC LIMIT 1) receivers ON true
    WHERE c.id = wanted.id
"""
_SUM_UP_ONE = _SUM_UP.format(which="= $1")
"""A statement of its own: its plan is kept, which with an array it is not, and planning takes longer than doing."""
_SUM_UP_MANY = _SUM_UP.format(which="= ANY($1)")


async def join_conversations(act: Action, survivor_id: int, other_ids: list[int]) -> Activity:
    """Unite conversations that a late message or a person connects: the oldest survives, the others redirect to it.

    Comments, tags, shares and followers unite; it is as private as the most private of them, and open if one was open.
    """
    for other_id in other_ids:
        other = await fetch_row("SELECT * FROM conversations WHERE id = $1 FOR UPDATE", other_id)
        survivor = await fetch_row("SELECT * FROM conversations WHERE id = $1 FOR UPDATE", survivor_id)
        assert other is not None and survivor is not None
        followers = list(dict.fromkeys([*survivor["follower_ids"], *other["follower_ids"]]))
        audience_before = await audience_of(survivor_id)
        other_audience = await audience_of(other_id)
        newest = [await newest_comment(each) for each in (survivor_id, other_id)]
        await _move_contents(survivor_id, other_id)
        await _join_marks(act, survivor, other, newest)
        await execute(
            "UPDATE conversations SET visibility = $2, status = $3, assignee_id = $4, assigned_team_id = $5, "
            "tag_ids = $6, follower_ids = $7, unfollowed_ids = $8, shared = $9, moved_from = $10, starred = $11, "
            "comment_count = (SELECT count(*) FROM comments WHERE conversation_id = $1 AND deleted_at IS NULL) "
            "WHERE id = $1",
            survivor_id,
            max(survivor["visibility"], other["visibility"], key=STRICTNESS.index),
            "open" if "open" in (survivor["status"], other["status"]) else survivor["status"],
            survivor["assignee_id"] or other["assignee_id"],
            survivor["assigned_team_id"] or other["assigned_team_id"],
            list(dict.fromkeys([*survivor["tag_ids"], *other["tag_ids"]])),
            followers,
            sorted({*survivor["unfollowed_ids"], *other["unfollowed_ids"]} - set(followers)),
            survivor["shared"] or other["shared"],
            list(dict.fromkeys([*survivor["moved_from"], *other["moved_from"]])),
            survivor["starred"] or other["starred"],
        )
        await execute(
            "UPDATE conversations SET joined_into = $1, version = version + 1 WHERE id = $2 OR joined_into = $2",
            survivor_id,
            other_id,
        )
        gone = ConversationGone(conversation_id=other_id, joined_into=survivor_id, version=other["version"] + 1)
        tell(act, (other_id, survivor["mailbox_id"]), gone, other_audience)
        await tell_sight(act, await read_row(survivor_id), audience_before, await audience_of(survivor_id))
    # Notifications of the others are about the survivor now.
    await tell_notifications_again(act, survivor_id, await viewers(survivor_id))
    record = await fetch_row(
        "INSERT INTO activities (conversation_id, kind, actor_id, value, at) "
        "VALUES ($1, 'joined', $3, $2, now()) RETURNING *",
        survivor_id,
        str(len(other_ids)),
        act.actor_id,
    )
    assert record is not None
    return activity_of(record)


async def _move_contents(survivor_id: int, other_id: int) -> None:
    for table in ("messages", "comments", "activities", "drafts", "outgoing", "notifications", "comment_files"):
        await execute(f"UPDATE {table} SET conversation_id = $1 WHERE conversation_id = $2", survivor_id, other_id)
    await execute(
        "INSERT INTO conversation_people (conversation_id, user_id, reason) SELECT $1, user_id, reason "
        "FROM conversation_people WHERE conversation_id = $2 ON CONFLICT DO NOTHING",
        survivor_id,
        other_id,
    )
    await execute(
        "INSERT INTO conversation_shares (conversation_id, user_id, team_id, shared_by, created_at) "
        "SELECT $1, user_id, team_id, shared_by, created_at FROM conversation_shares WHERE conversation_id = $2 "
        "ON CONFLICT DO NOTHING",
        survivor_id,
        other_id,
    )
    await execute("DELETE FROM conversation_shares WHERE conversation_id = $1", other_id)
    await execute(
        "INSERT INTO thread_links (mailbox_id, link, conversation_id, at) SELECT mailbox_id, link, $1, at "
        "FROM thread_links WHERE conversation_id = $2 ON CONFLICT DO NOTHING",
        survivor_id,
        other_id,
    )
    await execute("DELETE FROM thread_links WHERE conversation_id = $1", other_id)


async def newest_comment(conversation_id: int) -> int:
    """The id of the conversation's newest comment that stands, 0 for none."""
    return await fetch_value(
        "SELECT coalesce(max(id), 0) FROM comments WHERE conversation_id = $1 AND deleted_at IS NULL", conversation_id
    )


async def _join_marks(act: Action, survivor: Row, other: Row, newest: Sequence[int]) -> None:
    """Whoever had read both has read the whole; for everybody else it is unread. A reminder of either stays.

    `newest` are the newest comments of both, before they were one: a comment that was new in either stays so.
    """
    records = await fetch(
        """
        WITH reader AS (
            SELECT r.user_id, coalesce(w.read_from, 0) AS read_from,
                   coalesce(w.comments_read_from, 0) AS comments_read_from
              FROM mailbox_readers r
              LEFT JOIN watermarks w ON w.mailbox_id = r.mailbox_id AND w.user_id = r.user_id
             WHERE r.mailbox_id = $5
            UNION ALL
            SELECT guest, 0, 0 FROM guests($1) AS guest
        ), state AS (
            SELECT reader.user_id,
                   coalesce(s.forced_unread, false) OR $3 > greatest(coalesce(s.read_up_to, 0), read_from)
                   OR coalesce(o.forced_unread, false) OR $4 > greatest(coalesce(o.read_up_to, 0), read_from)
                   AS unread,
                   greatest(coalesce(s.comments_read_up_to, 0), comments_read_from) AS survivors_read,
                   greatest(coalesce(o.comments_read_up_to, 0), comments_read_from) AS others_read,
                   kept.remind_at, coalesce(kept.remind_kind, '') AS remind_kind,
                   coalesce(kept.remind_if_silent, false) AS remind_if_silent,
                   coalesce(kept.remind_due, false) AS remind_due
              FROM reader
              LEFT JOIN read_marks s ON s.conversation_id = $1 AND s.user_id = reader.user_id
              LEFT JOIN read_marks o ON o.conversation_id = $2 AND o.user_id = reader.user_id
              LEFT JOIN read_marks kept ON kept.id = CASE WHEN s.remind_at IS NULL THEN o.id ELSE s.id END
        )
        INSERT INTO read_marks (conversation_id, user_id, read_up_to, forced_unread, revision,
                                remind_at, remind_kind, remind_if_silent, remind_due, comments_read_up_to)
        SELECT $1, user_id, CASE WHEN unread THEN 0 ELSE greatest($3, $4) END, unread, 1,
               remind_at, remind_kind, remind_if_silent, remind_due,
               least(CASE WHEN $6::bigint > survivors_read THEN survivors_read END,
                     CASE WHEN $7::bigint > others_read THEN others_read END, greatest($6, $7)) FROM state
        ON CONFLICT (conversation_id, user_id) DO UPDATE
           SET read_up_to = greatest(read_marks.read_up_to, excluded.read_up_to),
               forced_unread = excluded.forced_unread, revision = read_marks.revision + 1,
               remind_at = excluded.remind_at, remind_kind = excluded.remind_kind,
               remind_if_silent = excluded.remind_if_silent, remind_due = excluded.remind_due,
               comments_read_up_to = excluded.comments_read_up_to
        RETURNING *
        """,
        survivor["id"],
        other["id"],
        survivor["last_arrival"],
        other["last_arrival"],
        survivor["mailbox_id"],
        *newest,
    )
    await execute("DELETE FROM read_marks WHERE conversation_id = $1", other["id"])
    for record in records:
        mark = mark_of(survivor["id"], record)
        act.record(user_stream(record["user_id"]), MarkChanged(mailbox_id=survivor["mailbox_id"], mark=mark))


async def tell_joined(act: Action, conversation_id: int, activity: Activity) -> None:
    """Record what the joined conversation now is; a client that shows it fetches it again."""
    row = await read_row(conversation_id)
    tell(act, row, ConversationChanged(row=row, activity=activity), await audience_of_row(row))
