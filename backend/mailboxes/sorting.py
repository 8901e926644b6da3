"""Mail of the intake account that fits nowhere: what an admin sees of it, and sorting it into a mailbox.

It lies as conversations in the intake mailbox, which nobody opens. An admin sees who wrote, to whom, when and how
much, and no subject and no text.
"""

from datetime import UTC, datetime, timedelta

import msgspec

from backend.access.asker import Asker
from backend.conversations.change import hold_membership
from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value
from backend.errors import NotFound
from backend.events.record import Action, action
from backend.mail.fetched import Fetched
from backend.mail.filing import Filed, Filing, file_arrived, file_history
from backend.mail.intake import deliveries
from backend.mail.raw import load_raw
from backend.mail.reading import prepare
from backend.mail.store import find_stored, hold_threading
from backend.mailboxes.contracts import Intake, Sorted, SortTarget, SortUnsorted, Unsorted
from backend.mailboxes.forwarding import add_address
from backend.mailboxes.membership import lock_memberships
from backend.mailboxes.queries import COLUMNS, settings_of
from backend.people.audit import audit
from backend.people.checks import check_email
from sync.mime.headers import split_head
from sync.mime.message import ParsedMessage
from sync.mime.parse import parse_message

MOST_SHOWN = 200
RECENT = timedelta(days=14)
"""Mail younger than this arrives in the mailbox that it is sorted into; older mail is history there."""
HEAD_BYTES = 64 * 1024

WAITS = """
    c.joined_into IS NULL AND c.status IN ('open', 'spam')
    AND c.mailbox_id = (SELECT id FROM mailboxes WHERE kind = 'intake')
    AND EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = c.id AND m.direction = 'incoming'
        AND NOT EXISTS (SELECT 1 FROM outgoing o WHERE o.message_id = m.message_id AND m.message_id <> '')
        AND NOT (m.automatic AND lower(m.sender ->> 'address') IN (
            SELECT address FROM mailboxes UNION SELECT lower(address) FROM mail_accounts
            UNION SELECT address FROM mailbox_addresses)))
"""
"""SQL: the conversation `c` waits to be sorted. What is only our own mail come round does not."""

IS_TARGET = (
    "(m.kind = 'group' OR (m.kind = 'personal' AND NOT EXISTS "
    "(SELECT 1 FROM mail_accounts a WHERE a.mailbox_id = m.id)))"
)
"""SQL: mail can be sorted into the mailbox `m`. A personal mailbox with its own account is its owner's affair alone."""


async def read_intake() -> Intake:
    """The intake account as admins see it."""
    record = await fetch_row(f"SELECT {COLUMNS} FROM mailboxes m WHERE m.kind = 'intake'")
    targets = await fetch(
        "SELECT m.id, m.kind, CASE m.kind WHEN 'group' THEN m.name ELSE u.name END AS name FROM mailboxes m "
        f"LEFT JOIN users u ON u.id = m.owner_id WHERE {IS_TARGET} ORDER BY m.kind, name, m.id"
    )
    return Intake(
        mailbox=settings_of(record) if record else None,
        waiting=await fetch_value(f"SELECT count(*) FROM conversations c WHERE {WAITS} AND c.status <> 'spam'"),
        targets=[SortTarget(mailbox_id=row["id"], kind=row["kind"], name=row["name"]) for row in targets],
    )


async def read_unsorted() -> list[Unsorted]:
    """What waits, newest first, spam last, at most 200."""
    records = await fetch(
        "SELECT c.id, c.status, c.last_at, c.message_count, "
        "(SELECT sum(r.size) FROM messages m JOIN raw_messages r ON r.digest = m.raw_digest "
        "WHERE m.conversation_id = c.id) AS size, newest.sender, newest.recipients, newest.raw_digest, newest.head "
        "FROM conversations c JOIN LATERAL (SELECT m.sender ->> 'address' AS sender, m.recipients, m.raw_digest, "
        f"substring(r.content FROM 1 FOR {HEAD_BYTES}) AS head FROM messages m "
        "JOIN raw_messages r ON r.digest = m.raw_digest WHERE m.conversation_id = c.id AND m.direction = 'incoming' "
        f"ORDER BY m.date DESC, m.id DESC LIMIT 1) newest ON true WHERE {WAITS} "
        f"ORDER BY c.status = 'spam', c.last_at DESC, c.id DESC LIMIT {MOST_SHOWN}"
    )
    return [
        Unsorted(
            id=record["id"],
            sender=record["sender"] or "",
            recipients=await _recipients(record),
            date=record["last_at"],
            size=int(record["size"] or 0),
            messages=record["message_count"],
            spam=record["status"] == "spam",
        )
        for record in records
    ]


async def _recipients(record: Row) -> list[str]:
    """The addresses on the mail, what servers wrote first, without the intake's own."""
    head = record["head"] if record["head"] is not None else (await load_raw(record["raw_digest"]))[:HEAD_BYTES]
    people = msgspec.json.decode(record["recipients"])
    written = [person["address"] for field in ("to", "cc") for person in people.get(field, [])]
    bare = await fetch(
        "SELECT m.address FROM mailboxes m WHERE m.kind = 'intake' UNION SELECT lower(a.address) FROM mail_accounts a "
        "JOIN mailboxes m ON m.id = a.mailbox_id WHERE m.kind = 'intake'"
    )
    own = {row["address"] for row in bare}
    named = [address.lower() for address in (*deliveries(_read_head(head)), *written)]
    return [address for address in dict.fromkeys(named) if address not in own][:50]


def _read_head(head: bytes) -> ParsedMessage:
    return parse_message(split_head(head)[0] + b"\r\n\r\n")


async def sort_unsorted(asker: Asker, unsorted_id: int, given: SortUnsorted) -> Sorted:
    """Move a waiting conversation into a mailbox; recent mail arrives there. With `remember`, mail to that address
    goes there from now on, and so does what waits and names it.

    Raises NotFound when it waits no more or the mailbox is none to sort into, Conflict for an address of another one.
    """
    remember = check_email(given.remember, field="remember") if given.remember.strip() else ""
    async with action(asker.user_id) as act:
        await lock_memberships()
        if not await fetch_value(f"SELECT 1 FROM mailboxes m WHERE m.id = $1 AND {IS_TARGET}", given.mailbox_id):
            raise NotFound("There is no such mailbox to sort into.", "Choose among the mailboxes that are listed.")
        await _hold_intake()
        if not await fetch_value(f"SELECT 1 FROM conversations c WHERE c.id = $1 AND {WAITS}", unsorted_id):
            raise NotFound("This mail does not wait any more.", "Somebody may have sorted it meanwhile.")
        moving = [unsorted_id]
        if remember:
            await add_address(given.mailbox_id, remember)
            moving += [each.id for each in await read_unsorted() if remember in each.recipients]
        moving = list(dict.fromkeys(moving))
        for conversation_id in moving:
            await _move(act, conversation_id, given.mailbox_id)
        await audit(
            asker.user_id,
            "intake_sorted",
            f"mailbox:{given.mailbox_id}",
            conversations=len(moving),
            remembered=remember,
        )
    return Sorted(moved=len(moving))


async def _hold_intake() -> None:
    """Nobody stores mail of the intake account meanwhile; in the order of those who do."""
    await execute(
        "SELECT 1 FROM mail_accounts a JOIN mailboxes m ON m.id = a.mailbox_id WHERE m.kind = 'intake' FOR SHARE OF a"
    )
    intake_id = await fetch_value("SELECT id FROM mailboxes WHERE kind = 'intake'")
    if intake_id is not None:
        await hold_membership(intake_id)
        await hold_threading(intake_id)


async def _move(act: Action, conversation_id: int, mailbox_id: int) -> None:
    """The messages become the mailbox's; where they stand on the server stays on record."""
    records = await fetch(
        "SELECT id, raw_digest, date FROM messages WHERE conversation_id = $1 ORDER BY date, id", conversation_id
    )
    filed = [await _filed(number, record) for number, record in enumerate(records)]
    if any(record["date"] > datetime.now(UTC) - RECENT for record in records):
        await file_arrived(act, mailbox_id, filed)
    else:
        await file_history(mailbox_id, filed, Filing())
    for record, each in zip(records, filed, strict=True):
        now = await find_stored(mailbox_id, each.message.parsed)
        assert now is not None
        await execute("UPDATE placements SET message_id = $2 WHERE message_id = $1", record["id"], now["id"])
    await execute("DELETE FROM conversations WHERE id = $1 OR joined_into = $1", conversation_id)


async def _filed(number: int, record: Row) -> Filed:
    raw = await load_raw(record["raw_digest"])
    message = Fetched(
        uid=number, flags=frozenset(), received_at=record["date"], raw=raw, parsed=prepare(raw, parse_message(raw))
    )
    return Filed(message=message)
