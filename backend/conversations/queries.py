"""Lists of conversations and the whole of one, scoped to who asks."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from backend.access.asker import Asker
from backend.access.fetch import SEES, SEES_AS_GUEST, SEES_AS_READER, access_conversation, readable_mailboxes
from backend.compose.queries import drafts_of, outgoing_of
from backend.contacts.queries import contact_of_address, earlier_conversations
from backend.contracts import StreamPosition
from backend.conversations.contracts import (
    AlsoIn,
    ConversationDetail,
    ConversationItem,
    ConversationPage,
    ConversationRow,
    ListView,
    Mark,
)
from backend.conversations.links import linked_conversations
from backend.conversations.rows import (
    ROW_COLUMNS,
    activity_of,
    read_comments,
    read_marks,
    read_row,
    row_of,
    viewers,
)
from backend.database.connection import Row, fetch, snapshot
from backend.documents.queries import shared_files_of
from backend.errors import BadRequest
from backend.events.record import mailbox_stream, positions, user_stream
from backend.mail.queries import bodies_of, messages_of
from backend.meetings.queries import meetings_of

MARK_COLUMNS = """
    (SELECT jsonb_build_object('conversation_id', r.conversation_id, 'read_up_to', r.read_up_to,
            'forced_unread', r.forced_unread, 'revision', r.revision, 'comments_read_up_to', r.comments_read_up_to,
            'reminder', CASE WHEN r.remind_at IS NOT NULL THEN
            jsonb_build_object('at', r.remind_at, 'kind', r.remind_kind, 'if_silent', r.remind_if_silent,
                               'due', r.remind_due) END)
       FROM read_marks r WHERE r.conversation_id = c.id AND r.user_id = $1) AS mark
"""

_MINE = "SELECT 1 FROM read_marks r WHERE r.conversation_id = c.id AND r.user_id = $1"
SNOOZED = f"EXISTS ({_MINE} AND r.remind_kind = 'snooze' AND NOT r.remind_due)"
REMINDED = f"EXISTS ({_MINE} AND r.remind_at IS NOT NULL)"
"""SQL about the conversation `c` for the person `$1`: hidden until later; one with a reminder of theirs."""

VIEWS: dict[ListView, str] = {
    "open": f"c.status = 'open' AND NOT {SNOOZED}",
    "unassigned": f"c.status = 'open' AND c.assignee_id IS NULL AND c.assigned_team_id IS NULL AND NOT {SNOOZED}",
    "mine": f"c.status = 'open' AND c.assignee_id = $1 AND NOT {SNOOZED}",
    "done": "c.status = 'done'",
    "trash": "c.status = 'trash'",
    "spam": "c.status = 'spam'",
    "all": "true",
}
"""What each view of a mailbox holds, as SQL about the conversation `c` for the person `$1`."""

PINNED: frozenset[ListView] = frozenset({"open", "unassigned", "mine"})
"""Views on top of which stands what has a reminder of the person."""

MOST_ROWS = 200
MOST_PINNED = 200
NEWEST_BODIES = 6
"""Bodies that come with a conversation: of its newest messages. Older ones are folded and fetched when opened."""

_mark = msgspec.json.Decoder(Mark)


def item_of(record: Row) -> ConversationItem:
    """A record with ROW_COLUMNS and MARK_COLUMNS."""
    mark = (
        _mark.decode(record["mark"])
        if record["mark"]
        else Mark(conversation_id=record["id"], read_up_to=0, forced_unread=False, revision=0)
    )
    return ConversationItem(row=row_of(record), mark=mark)


async def list_conversations(
    asker: Asker, *, mailbox_id: int | None, view: ListView, cursor: str | None, limit: int = 50
) -> ConversationPage:
    """One page of a mailbox (None: of all that the person can open), newest first, by keyset.

    What has a reminder of the person stands before the first page's other rows, whatever its age, and on no other page.
    """
    limit = max(1, min(limit, MOST_ROWS))
    before_at, before_id = read_cursor(cursor)
    besides = f" AND NOT {REMINDED}" if view in PINNED else ""
    sees = SEES if mailbox_id is None else SEES_AS_READER
    async with snapshot():
        pinned = await _reminded(asker, VIEWS[view], mailbox_id) if view in PINNED and before_at is None else []
        records = await fetch(
            f"SELECT {ROW_COLUMNS}, {MARK_COLUMNS} FROM conversations c "
            f"WHERE {sees.format(user='$1')} AND NOT c.hidden AND {VIEWS[view]}{besides} "
            "AND ($2::bigint IS NULL OR c.mailbox_id = $2) "
            "AND ($3::timestamptz IS NULL OR (c.last_at, c.id) < ($3, $4)) "
            "ORDER BY c.last_at DESC, c.id DESC LIMIT $5",
            asker.user_id,
            mailbox_id,
            before_at,
            before_id,
            limit + 1,
        )
        at = await stream_positions(asker, [mailbox_id] if mailbox_id else [])
        return page_of(records, limit, at, pinned=pinned)


async def _reminded(asker: Asker, view: str, mailbox_id: int | None) -> list[ConversationItem]:
    """What has a reminder of the person, the due ones first, then by their moment. `view` as in VIEWS."""
    records = await fetch(
        f"SELECT {ROW_COLUMNS}, {MARK_COLUMNS} FROM read_marks own JOIN conversations c ON c.id = own.conversation_id "
        f"WHERE own.user_id = $1 AND own.remind_at IS NOT NULL AND {SEES.format(user='$1')} AND NOT c.hidden "
        f"AND {view} AND ($2::bigint IS NULL OR c.mailbox_id = $2) "
        "ORDER BY own.remind_due DESC, own.remind_at, c.id LIMIT $3",
        asker.user_id,
        mailbox_id,
        MOST_PINNED,
    )
    return [item_of(record) for record in records]


def page_of(
    records: Sequence[Row], limit: int, at: list[StreamPosition], *, pinned: Sequence[ConversationItem] = ()
) -> ConversationPage:
    """The page of up to `limit` rows out of `limit + 1` that were fetched, after those that stand on top."""
    items = [item_of(record) for record in records[:limit]]
    more = len(records) > limit
    return ConversationPage(
        items=[*pinned, *items], next_cursor=write_cursor(items[-1].row) if more and items else None, positions=at
    )


async def stream_positions(asker: Asker, mailbox_ids: list[int]) -> list[StreamPosition]:
    """The positions of these mailboxes' streams and the person's own, of the running transaction's moment."""
    wanted = [user_stream(asker.user_id), *(mailbox_stream(mailbox_id) for mailbox_id in mailbox_ids)]
    return [StreamPosition(stream=stream, position=position) for stream, position in (await positions(wanted)).items()]


def write_cursor(row: ConversationRow) -> str:
    """An opaque text that names the place after this row."""
    return base64.urlsafe_b64encode(f"{row.last_at.isoformat()}|{row.id}".encode()).decode()


def read_cursor(cursor: str | None) -> tuple[datetime | None, int]:
    """The place a cursor names; (None, 0) is the beginning. Raises BadRequest for a text that is no cursor."""
    if not cursor:
        return None, 0
    try:
        moment, _, number = base64.urlsafe_b64decode(cursor.encode()).decode().partition("|")
        at, before = datetime.fromisoformat(moment).astimezone(UTC), int(number)
        if not 0 <= before < 2**63:
            raise ValueError("no id")
        return at, before
    except (ValueError, OverflowError) as fault:
        raise BadRequest("This cursor is not one of ours.", "Start from the first page.") from fault


async def read_conversation(asker: Asker, conversation_id: int) -> ConversationDetail:
    """Everything the conversation pane shows, of one moment."""
    async with snapshot():
        key = await access_conversation(asker, conversation_id)
        row = await read_row(key.conversation_id)
        mine = await readable_mailboxes(asker)
        messages = await messages_of(key.conversation_id)
        activities = await fetch("SELECT * FROM activities WHERE conversation_id = $1 ORDER BY id", row.id)
        comments = await read_comments(row.id)
        address = row.correspondents[0].address if row.correspondents else ""
        contact = await contact_of_address(asker, address, row.mailbox_id)
        return ConversationDetail(
            row=row,
            mark=(await read_marks(row.id, [asker.user_id]))[asker.user_id],
            messages=messages,
            bodies=await bodies_of([message.id for message in messages[-NEWEST_BODIES:]]),
            comments=comments,
            activities=[activity_of(record) for record in activities],
            drafts=await drafts_of(row.id),
            outgoing=await outgoing_of(row.id),
            shared_files=await shared_files_of(row.id),
            meetings=await meetings_of(row.id),
            contact=contact,
            earlier=await earlier_conversations(asker, contact.id, besides=row.id) if contact else [],
            also_in=await also_in(asker, row.id),
            viewer_ids=await viewers(row.id),
            positions=await stream_positions(asker, [each for each in mine if each == row.mailbox_id]),
            links=await linked_conversations(asker, {number for each in comments for number in each.link_ids}),
        )


async def also_in(asker: Asker, conversation_id: int) -> list[AlsoIn]:
    """Other conversations, in mailboxes that the person can open, that hold a mail of this one."""
    records = await fetch(
        "SELECT DISTINCT c.mailbox_id, c.id FROM messages m "
        "JOIN messages o ON o.message_id = m.message_id AND o.content_digest = m.content_digest "
        "AND o.mailbox_id <> m.mailbox_id JOIN conversations c ON c.id = o.conversation_id "
        f"WHERE m.conversation_id = $2 AND m.message_id <> '' AND {SEES.format(user='$1')} "
        "ORDER BY c.mailbox_id, c.id LIMIT 20",
        asker.user_id,
        conversation_id,
    )
    return [AlsoIn(mailbox_id=record["mailbox_id"], conversation_id=record["id"]) for record in records]


async def my_work(asker: Asker, *, view: str, cursor: str | None, limit: int = 50) -> ConversationPage:
    """Across mailboxes: what is assigned to the person, what they want to be reminded of, where they were mentioned,
    or what is shared with them. Reminders are one page."""
    if view == "mine":
        return await list_conversations(asker, mailbox_id=None, view="mine", cursor=cursor, limit=limit)
    if view == "reminders":
        async with snapshot():
            items = await _reminded(asker, "c.status NOT IN ('trash', 'spam')", None)
            return ConversationPage(items=items, next_cursor=None, positions=await stream_positions(asker, []))
    before_at, before_id = read_cursor(cursor)
    mentioned = (
        f"{SEES} AND EXISTS (SELECT 1 FROM conversation_people p "
        "WHERE p.conversation_id = c.id AND p.user_id = {user} AND p.reason = 'mentioned')"
    )
    shared = f"{SEES_AS_GUEST} AND c.status NOT IN ('trash', 'spam')"
    async with snapshot():
        records = await fetch(
            f"SELECT {ROW_COLUMNS}, {MARK_COLUMNS} FROM conversations c "
            f"WHERE {(shared if view == 'shared' else mentioned).format(user='$1')} AND NOT c.hidden "
            "AND ($2::timestamptz IS NULL OR (c.last_at, c.id) < ($2, $3)) "
            "ORDER BY c.last_at DESC, c.id DESC LIMIT $4",
            asker.user_id,
            before_at,
            before_id,
            limit + 1,
        )
        return page_of(records, limit, await stream_positions(asker, []))


async def list_tagged(asker: Asker, tag_id: int, *, cursor: str | None, limit: int = 50) -> ConversationPage:
    """What has a tag, of all mailboxes that the person can open; not spam or trash."""
    before_at, before_id = read_cursor(cursor)
    async with snapshot():
        records = await fetch(
            f"SELECT {ROW_COLUMNS}, {MARK_COLUMNS} FROM conversations c "
            f"WHERE {SEES.format(user='$1')} AND NOT c.hidden AND c.status NOT IN ('trash', 'spam') "
            "AND c.tag_ids <> '{}' AND c.tag_ids @> ARRAY[$2::bigint] AND EXISTS (SELECT 1 FROM tags WHERE id = $2) "
            "AND ($3::timestamptz IS NULL OR (c.last_at, c.id) < ($3, $4)) "
            "ORDER BY c.last_at DESC, c.id DESC LIMIT $5",
            asker.user_id,
            tag_id,
            before_at,
            before_id,
            limit + 1,
        )
        return page_of(records, limit, await stream_positions(asker, []))


async def list_everything(asker: Asker, limit: int) -> list[ConversationItem]:
    """Every conversation that the person sees, newest first, for a client that keeps them all."""
    records = await fetch(
        f"SELECT {ROW_COLUMNS}, {MARK_COLUMNS} FROM conversations c WHERE {SEES.format(user='$1')} "
        "AND NOT c.hidden ORDER BY c.last_at DESC, c.id DESC LIMIT $2",
        asker.user_id,
        limit,
    )
    return [item_of(record) for record in records]
