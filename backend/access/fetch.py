"""The authorised fetches: what does not exist and what is not for the asking person look the same (NotFound).

Each answers with the ids that the caller goes on with. Lists apply `SEES` or `READS` inside their own query.
"""

from typing import NamedTuple

from backend.access.asker import Asker
from backend.database.connection import Row, fetch, fetch_row, fetch_value
from backend.errors import Forbidden, NotFound

READS = "{mailbox} IN (SELECT mailbox_id FROM mailbox_readers WHERE user_id = {user})"
"""SQL: the person can open the mailbox."""

SEES_AS_READER = (
    "c.joined_into IS NULL AND c.mailbox_id IN (SELECT mailbox_id FROM mailbox_readers WHERE user_id = {user}) "
    "AND (c.visibility <> 'confidential' OR sees({user}, c.id))"
)
"""SQL: the person sees the conversation `c` in a mailbox that they can open."""

HANDLES = (
    "SELECT EXISTS (SELECT 1 FROM conversations c JOIN mailbox_readers r ON r.mailbox_id = c.mailbox_id "
    "WHERE c.id = $2 AND r.user_id = $1 AND sees($1, c.id))"
)
"""SQL, whole: the person `$1` sees the conversation `$2` and can open its mailbox."""

SEES_AS_GUEST = (
    "c.joined_into IS NULL AND c.shared AND c.visibility = 'open' "
    "AND c.id = ANY (ARRAY(SELECT conversation_id FROM shared_conversations WHERE user_id = {user})) "
    "AND c.mailbox_id <> ALL (ARRAY(SELECT mailbox_id FROM mailbox_readers WHERE user_id = {user}))"
)
"""SQL: the person sees the conversation `c` because it is shared with them, and for no other reason."""

SEES = (
    "c.joined_into IS NULL AND ((c.mailbox_id = ANY (ARRAY(SELECT mailbox_id FROM mailbox_readers "
    "WHERE user_id = {user})) AND (c.visibility <> 'confidential' OR sees({user}, c.id))) "
    "OR (c.shared AND c.visibility = 'open' AND c.id = ANY (ARRAY("
    "SELECT conversation_id FROM shared_conversations WHERE user_id = {user}))))"
)
"""SQL: the person sees the conversation `c`. What they may see is two arrays, so that each is read once, and an index
on either serves."""


class ConversationKey(NamedTuple):
    conversation_id: int
    mailbox_id: int


async def readable_mailboxes(asker: Asker) -> list[int]:
    """The ids of the mailboxes that the person can open."""
    rows = await fetch("SELECT mailbox_id FROM mailbox_readers WHERE user_id = $1 ORDER BY mailbox_id", asker.user_id)
    return [row["mailbox_id"] for row in rows]


async def access_mailbox(asker: Asker, mailbox_id: int) -> int:
    """A mailbox that the person can open."""
    found = await fetch_value(
        "SELECT 1 FROM mailbox_readers WHERE mailbox_id = $1 AND user_id = $2", mailbox_id, asker.user_id
    )
    if found is None:
        raise NotFound("There is no such mailbox.", "It may have been removed, or you have no access to it.")
    return mailbox_id


async def access_mailbox_settings(asker: Asker, mailbox_id: int) -> Row:
    """A mailbox whose settings the person may change: a group's and the intake by admins, a personal one by its owner.

    Raises NotFound for what a person cannot know of, Forbidden for members of a group mailbox who are no admins.
    """
    row = await fetch_row("SELECT * FROM mailboxes WHERE id = $1", mailbox_id)
    if row is not None:
        if row["kind"] == "personal" and row["owner_id"] == asker.user_id:
            return row
        if row["kind"] in ("group", "intake") and asker.is_admin:
            return row
        if row["kind"] == "group":
            await access_mailbox(asker, mailbox_id)
            raise Forbidden("Only admins change a group mailbox.", "Ask an admin of your organisation.")
    raise NotFound("There is no such mailbox.", "It may have been removed, or you have no access to it.")


async def access_conversation(asker: Asker, conversation_id: int) -> ConversationKey:
    """A conversation that the person sees; one that was joined into another is followed there."""
    row = await fetch_row(
        "SELECT c.id, c.mailbox_id FROM conversations c "
        "WHERE c.id = coalesce((SELECT joined_into FROM conversations WHERE id = $2), $2) AND "
        + SEES.format(user="$1"),
        asker.user_id,
        conversation_id,
    )
    if row is None:
        raise NotFound("There is no such conversation.", "It may have been made private, moved or deleted meanwhile.")
    return ConversationKey(row["id"], row["mailbox_id"])


async def check_handles(user_id: int, mailbox_id: int) -> None:
    """Raises Forbidden for who sees a conversation of the mailbox without being able to open that."""
    if not await fetch_value(
        "SELECT 1 FROM mailbox_readers WHERE mailbox_id = $1 AND user_id = $2", mailbox_id, user_id
    ):
        raise not_handled()


def not_handled() -> Forbidden:
    """What is said to a guest who wants to do more than to read and to comment."""
    return Forbidden(
        "This conversation is shared with you, to read and to comment.",
        "Ask somebody who can open its mailbox to do this.",
    )


async def handled_conversation(asker: Asker, conversation_id: int) -> ConversationKey:
    """A conversation that the person sees as a user of its mailbox. Raises Forbidden for a guest."""
    key = await access_conversation(asker, conversation_id)
    await check_handles(asker.user_id, key.mailbox_id)
    return key


async def handled_message(asker: Asker, message_id: int) -> Row:
    """A message's row, in such a conversation."""
    row = await access_message(asker, message_id)
    await check_handles(asker.user_id, row["mailbox_id"])
    return row


async def handled_draft(asker: Asker, draft_id: int) -> Row:
    """A draft in such a conversation, or of one's own outside any."""
    row = await access_draft(asker, draft_id)
    if row["conversation_id"] is not None:
        await check_handles(asker.user_id, row["mailbox_id"])
    return row


async def handled_outgoing(asker: Asker, outgoing_id: int) -> Row:
    """A mail in the outbox, of such a conversation."""
    row = await access_outgoing(asker, outgoing_id)
    await handled_conversation(asker, row["conversation_id"])
    return row


async def access_message(asker: Asker, message_id: int) -> Row:
    """A message's row, in a conversation that the person sees."""
    row = await fetch_row(
        "SELECT m.* FROM messages m JOIN conversations c ON c.id = m.conversation_id "
        "WHERE m.id = $2 AND " + SEES.format(user="$1"),
        asker.user_id,
        message_id,
    )
    if row is None:
        raise NotFound("There is no such message.", "It may have been moved or deleted meanwhile.")
    return row


async def access_comment(asker: Asker, comment_id: int) -> Row:
    """A comment's row, in a conversation that the person sees."""
    row = await fetch_row(
        "SELECT k.* FROM comments k JOIN conversations c ON c.id = k.conversation_id "
        "WHERE k.id = $2 AND " + SEES.format(user="$1"),
        asker.user_id,
        comment_id,
    )
    if row is None:
        raise NotFound("There is no such comment.", "Its conversation may have been made private or deleted meanwhile.")
    return row


async def access_comment_file(asker: Asker, comment_file_id: int) -> Row:
    """A file's row, of a comment in a conversation that the person sees; one not yet said is its uploader's alone."""
    row = await fetch_row(
        "SELECT f.* FROM comment_files f LEFT JOIN comments k ON k.id = f.comment_id "
        "JOIN conversations c ON c.id = coalesce(k.conversation_id, f.conversation_id) "
        "WHERE f.id = $2 AND (f.comment_id IS NOT NULL OR f.uploader_id = $1) AND " + SEES.format(user="$1"),
        asker.user_id,
        comment_file_id,
    )
    if row is None:
        raise NotFound("There is no such file.", "Its comment may have been deleted meanwhile.")
    return row


async def access_draft(asker: Asker, draft_id: int) -> Row:
    """A draft: in a conversation, of those who see that; outside any, of its author."""
    row = await fetch_row(
        "SELECT d.* FROM drafts d LEFT JOIN conversations c ON c.id = d.conversation_id "
        "WHERE d.id = $2 AND ((d.conversation_id IS NULL AND d.author_id = $1) "
        "OR (c.id IS NOT NULL AND " + SEES.format(user="$1") + "))",
        asker.user_id,
        draft_id,
    )
    if row is None:
        raise NotFound("There is no such draft.", "It may have been sent or thrown away meanwhile.")
    return row


async def access_outgoing(asker: Asker, outgoing_id: int) -> Row:
    """A mail in the outbox, of those who see its conversation."""
    row = await fetch_row(
        "SELECT o.* FROM outgoing o JOIN conversations c ON c.id = o.conversation_id "
        "WHERE o.id = $2 AND " + SEES.format(user="$1"),
        asker.user_id,
        outgoing_id,
    )
    if row is None:
        raise NotFound("There is no such mail in the outbox.", "It may have been sent or taken back meanwhile.")
    return row


async def access_contact(asker: Asker, contact_id: int) -> Row:
    """A contact that wrote to a mailbox that the person can open, or that a person entered."""
    row = await fetch_row(
        "SELECT k.* FROM contacts k WHERE k.id = $2 AND " + KNOWS.format(user="$1"), asker.user_id, contact_id
    )
    if row is None:
        raise NotFound("There is no such contact.", "It may have been merged into another one.")
    return row


KNOWS = (
    "(k.shared OR EXISTS (SELECT 1 FROM contact_mailboxes cm WHERE cm.contact_id = k.id AND cm.mailbox_id = "
    "ANY (ARRAY(SELECT mailbox_id FROM mailbox_readers WHERE user_id = {user}))))"
)
"""SQL: the person may know of the contact `k`. The person's mailboxes are an array, so that they are read once."""
