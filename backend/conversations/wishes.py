"""What an act on a conversation means on the mail server: which of its messages are to be how there.

Call inside the action. What the server has already, as far as we know, is not wished again, unless an open wish says
the opposite.
"""

from backend.access.asker import Asker
from backend.conversations.contracts import Status
from backend.database.connection import execute, fetch, fetch_row, fetch_value
from backend.mail.intents import KEYWORD, want, want_of_conversation
from backend.mail.places import Place

PLACES: dict[Status, Place] = {"open": "inbox", "done": "done", "spam": "junk", "trash": "trash"}

_INCOMING = "m.direction = 'incoming' AND m.gone_at IS NULL"
_UNSEEN = (
    "EXISTS (SELECT 1 FROM placements p WHERE p.message_id = m.id AND NOT p.seen) OR EXISTS "
    "(SELECT 1 FROM server_intents i WHERE i.message_id = m.id AND i.kind = 'seen' AND i.confirmed_at IS NULL)"
)


_MARKED = """
    coalesce(
        (SELECT i.value = 'yes' FROM server_intents i WHERE i.message_id = m.id AND i.kind = {kind}
            AND i.confirmed_at IS NULL AND i.id <> ALL({{confirmed}}::bigint[])),
        (SELECT coalesce(bool_or({placed}) FILTER (WHERE NOT p.flags ? '\\Deleted'), bool_or({placed}))
           FROM placements p JOIN folders f ON f.id = p.folder_id JOIN mail_accounts a ON a.id = f.account_id
           JOIN mailboxes held ON held.id = a.mailbox_id
          WHERE p.message_id = m.id AND held.id = m.mailbox_id AND held.kind <> 'intake'),
        {kept})
"""


def marked(keyword: str, kind: str) -> str:
    """SQL: the message `m` bears the keyword (in lower case), or is to: an open wish of this kind (besides those of
    `{confirmed}`) says so, else its folders, else what it was when it stood in one last. Folders of the intake
    account, or of a mailbox that it was moved out of, say nothing of what became of it here."""
    has = "EXISTS (SELECT 1 FROM jsonb_array_elements_text({flags}) flag WHERE lower(flag) = " + keyword + ")"
    return _MARKED.format(kind=kind, placed=has.format(flags="p.flags"), kept=has.format(flags="m.kept_flags"))


FLAGGED = _MARKED.format(kind="'flagged'", placed="p.flags ? '\\Flagged'", kept="m.kept_flags ? '\\Flagged'")
"""SQL: the same of the flag `Flagged`."""


async def wish_place(conversation_id: int, status: Status) -> None:
    """The mail that came stands where the conversation's status says; what we sent stays in Sent."""
    await want_of_conversation(conversation_id, "place", PLACES[status])


async def wish_seen(asker: Asker, conversation_id: int, read: bool) -> None:
    """In a group mailbox the first member who reads sets Seen; in a personal one it goes both ways.

    Unread is the newest message alone: one unread message makes a conversation unread in any mail program.
    """
    mailbox = await fetch_row(
        "SELECT m.id, m.kind, m.owner_id FROM conversations c JOIN mailboxes m ON m.id = c.mailbox_id "
        "JOIN mailbox_readers r ON r.mailbox_id = m.id AND r.user_id = $2 WHERE c.id = $1",
        conversation_id,
        asker.user_id,
    )
    if mailbox is None or not _concerns_server(asker, mailbox["kind"], mailbox["owner_id"], read):
        return
    if not read:
        newest = await fetch_value(
            f"SELECT m.id FROM messages m WHERE m.conversation_id = $1 AND {_INCOMING} "
            "ORDER BY m.date DESC, m.id DESC LIMIT 1",
            conversation_id,
        )
        await want([newest] if newest else [], "seen", "no")
        return
    records = await fetch(
        f"SELECT m.id FROM messages m WHERE m.conversation_id = $1 AND {_INCOMING} AND ({_UNSEEN} "
        "OR NOT EXISTS (SELECT 1 FROM placements p WHERE p.message_id = m.id)) ORDER BY m.id",
        conversation_id,
    )
    await want([record["id"] for record in records], "seen", "yes")


async def wish_all_seen(asker: Asker, mailbox_id: int) -> None:
    """Everything in the mailbox that came is Seen on the server."""
    mailbox = await fetch_row("SELECT kind, owner_id FROM mailboxes WHERE id = $1", mailbox_id)
    if mailbox is None or not _concerns_server(asker, mailbox["kind"], mailbox["owner_id"], True):
        return
    records = await fetch(
        f"SELECT m.id FROM messages m WHERE m.mailbox_id = $1 AND {_INCOMING} AND ({_UNSEEN}) ORDER BY m.id",
        mailbox_id,
    )
    await want([record["id"] for record in records], "seen", "yes")


async def wish_starred(conversation_id: int) -> None:
    """The newest message that came is flagged; the newest of all where none did."""
    await _wish_marked(conversation_id, "flagged", "\\Flagged")


async def wish_unstarred(conversation_id: int) -> None:
    """None of the messages is flagged."""
    await _wish_unmarked("m.conversation_id = $2", conversation_id, "flagged", "\\Flagged")


async def wish_tagged(conversation_id: int, keyword: str) -> None:
    """The newest message that came bears the tag's keyword."""
    await _wish_marked(conversation_id, KEYWORD + keyword, keyword)


async def wish_untagged(conversation_id: int, keyword: str) -> None:
    """None of the messages bears it."""
    await _wish_unmarked("m.conversation_id = $2", conversation_id, KEYWORD + keyword, keyword)


async def wish_renamed(tag_id: int, keyword: str, name: str = "") -> None:
    """Whatever bears the tag's keyword bears another one from now on, or none."""
    with_tag = (
        "m.conversation_id IN (SELECT c.id FROM conversations c "
        "WHERE c.tag_ids <> '{}' AND c.tag_ids @> ARRAY[$2::bigint])"
    )
    ids = await _wish_unmarked(with_tag, tag_id, KEYWORD + keyword, keyword)
    if name:
        await want(ids, KEYWORD + name, "yes")


async def _wish_marked(conversation_id: int, kind: str, flag: str) -> None:
    newest = await fetch_row(
        "SELECT m.id, a.id AS account_id FROM messages m LEFT JOIN mail_accounts a ON a.mailbox_id = m.mailbox_id "
        "AND m.moved_from IS NULL WHERE m.conversation_id = $1 AND m.gone_at IS NULL "
        "ORDER BY m.direction = 'incoming' DESC, m.date DESC, m.id DESC LIMIT 1",
        conversation_id,
    )
    if newest is None:
        return
    if newest["account_id"] is not None:
        await want([newest["id"]], kind, "yes")
    else:
        await execute(
            "UPDATE messages SET kept_flags = kept_flags || jsonb_build_array($2::text) WHERE id = $1",
            newest["id"],
            flag,
        )


async def _wish_unmarked(which: str, argument: int, kind: str, flag: str) -> list[int]:
    """Of the messages that SQL says about `$2`; answers those that are marked so."""
    keyword = kind.startswith(KEYWORD)
    says = (marked("$4", "$3") if keyword else FLAGGED).format(confirmed="$1")
    records = await fetch(
        f"SELECT m.id FROM messages m WHERE {which} AND m.gone_at IS NULL AND {says} ORDER BY m.id",
        [],
        argument,
        *([kind, flag.lower()] if keyword else []),
    )
    ids = [record["id"] for record in records]
    await want(ids, kind, "no")
    await execute(
        "UPDATE messages SET kept_flags = kept_flags - $2::text WHERE id = ANY($1) AND kept_flags ? $2::text", ids, flag
    )
    return ids


async def wish_answered(message_id: int) -> None:
    """A reply to this message has left."""
    await want([message_id], "answered", "yes")


def _concerns_server(asker: Asker, kind: str, owner_id: int | None, read: bool) -> bool:
    personal = kind == "personal"
    return owner_id == asker.user_id if personal else read
