"""Mail of conversations that were moved into another mailbox: where it lies, and where answers to it go.

A moved message belongs to the mailbox in which it is read, and remembers the one whose account holds it
(`messages.moved_from`). That account recognises it as its own and fetches it no second time; wishes about it are
carried there. What happens to it there is not followed: its placements are not those of its mailbox's account
(`OWN_FOLDER`).

Everything runs inside the caller's action.
"""

from collections.abc import Collection, Sequence

from backend.database.connection import execute, fetch, fetch_value
from backend.mail.fetched import Fetched
from backend.mail.intake import own_addresses

HOLDER = "coalesce(m.moved_from, m.mailbox_id)"
"""SQL: the mailbox whose account holds the message `m`."""
OWN_FOLDER = (
    "EXISTS (SELECT 1 FROM mail_accounts oa JOIN mailboxes om ON om.id = oa.mailbox_id "
    "WHERE oa.id = f.account_id AND oa.mailbox_id = m.mailbox_id AND om.kind <> 'intake')"
)
"""SQL: the folder `f` is one of the account of the mailbox in which the message `m` is read. Where it stands elsewhere
(in the intake account, or in that of a mailbox that it was moved out of) says nothing of what became of it here."""


async def note_moved(conversation_id: int, old_id: int, mailbox_id: int) -> None:
    """The messages of the conversation are read in another mailbox from now on, and are not on their way any more; what
    comes back to the account that holds it stands there as before."""
    await execute(
        "UPDATE messages SET mailbox_id = $3, moved_from = nullif(coalesce(moved_from, $2), $3), unplaced_at = NULL, "
        "stood_in = '' WHERE conversation_id = $1",
        conversation_id,
        old_id,
        mailbox_id,
    )


async def with_moved(by_mailbox: dict[int, list[Fetched]]) -> list[tuple[int, int | None, list[Fetched]]]:
    """Which mailbox gets which of the messages, and the mailbox whose account holds them where that is another one.

    An answer to mail that was moved out of its mailbox follows it, and so does another copy of such mail. A stranger's
    mail does not get into what is private there. In the order of the ids, so that nobody waits in a circle.
    """
    found: dict[tuple[int, int], list[Fetched]] = {}
    for mailbox_id, messages in by_mailbox.items():
        elsewhere = await _elsewhere(mailbox_id, messages)
        for each in messages:
            found.setdefault((elsewhere.get(each.uid, mailbox_id), mailbox_id), []).append(each)
    return [(gets, None if gets == held_by else held_by, found[gets, held_by]) for gets, held_by in sorted(found)]


async def _elsewhere(mailbox_id: int, messages: Sequence[Fetched]) -> dict[int, int]:
    """Of the messages that belong to conversations which were moved out of the mailbox: where those are now, by UID."""
    if not await fetch_value(
        "SELECT 1 FROM conversations WHERE moved_from <> '{}' AND moved_from @> ARRAY[$1::bigint] LIMIT 1", mailbox_id
    ):
        return {}
    wanted = {key for each in messages for key in each.prepared.finds}
    records = await fetch(
        "SELECT k.link, c.id, c.mailbox_id, c.visibility, c.addressed, "
        "ARRAY(SELECT lower(p ->> 'address') FROM jsonb_array_elements(c.correspondents) p) AS writers "
        "FROM conversations c JOIN thread_links k ON k.conversation_id = c.id AND k.mailbox_id = c.mailbox_id "
        "WHERE c.moved_from <> '{}' AND c.moved_from @> ARRAY[$1::bigint] AND c.joined_into IS NULL "
        "AND k.link = ANY($2) ORDER BY c.id",
        mailbox_id,
        sorted(wanted),
    )
    if not records:
        return {}
    here = await _held_here(mailbox_id, wanted)
    own = {
        address for each in {mailbox_id, *(r["mailbox_id"] for r in records)} for address in await own_addresses(each)
    }
    found: dict[int, int] = {}
    for each in messages:
        finds = set(each.prepared.finds)
        # What it names first decides: a conversation that stayed here may hold an answer to the same thread.
        nearest = [key for key in each.prepared.nearest if key in here or any(r["link"] == key for r in records)]
        if (nearest and nearest[0] in here) or (not nearest and finds & here):
            continue
        for record in records:
            if record["link"] not in finds:
                continue
            known = {*record["addressed"], *record["writers"], *own}
            if record["visibility"] == "open" or each.prepared.sender_address in known:
                found[each.uid] = record["mailbox_id"]
                break
    return found


async def _held_here(mailbox_id: int, keys: Collection[str]) -> set[str]:
    """Those of the keys that conversations of the mailbox itself hold."""
    records = await fetch(
        "SELECT DISTINCT link FROM thread_links WHERE mailbox_id = $1 AND link = ANY($2)", mailbox_id, sorted(keys)
    )
    return {record["link"] for record in records}
