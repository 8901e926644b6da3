"""Blocking a sender: new mail of the address goes to spam in one mailbox, until somebody takes that back.

Saying that a conversation of theirs is no spam takes it back too: both cannot be meant.
"""

from backend.access.asker import Asker
from backend.conversations.actions import add_activity, change_status
from backend.conversations.change import handling
from backend.conversations.contracts import BlockedSender, BlockSender, ConversationChanged, ConversationItem
from backend.conversations.rows import item_for
from backend.database.connection import Row, fetch, fetch_row, fetch_value
from backend.errors import NotFound, Unacceptable
from backend.events.record import action
from backend.mail.blocked import block, unblock
from backend.people.checks import check_email


async def block_writer(asker: Asker, conversation_id: int) -> ConversationItem:
    """Block whoever wrote the newest mail of the conversation, which becomes spam. Raises Unacceptable for our own."""
    async with handling(asker, conversation_id) as change:
        address = await fetch_value(
            "SELECT lower(sender ->> 'address') FROM messages WHERE conversation_id = $1 AND direction = 'incoming' "
            "AND gone_at IS NULL AND sender ->> 'address' <> '' ORDER BY date DESC, id DESC LIMIT 1",
            conversation_id,
        )
        if address is None:
            raise Unacceptable("Nobody wrote to you in this conversation.", "Move it to Trash instead.")
        if await _block(asker, change.mailbox_id, address):
            activity = await add_activity(change, "blocked", value=address)
            change.tell(lambda row: ConversationChanged(row=row, activity=activity))
        if change.before["status"] != "spam":
            await change_status(change, "spam")
    return await item_for(asker, conversation_id, change.row)


async def block_sender(asker: Asker, mailbox_id: int, given: BlockSender) -> BlockedSender:
    """Block an address. The mail that is here stays where it is."""
    address = check_email(given.address)
    async with action(asker.user_id):
        await _block(asker, mailbox_id, address)
    record = await fetch_row(
        "SELECT * FROM blocked_senders WHERE mailbox_id = $1 AND address = $2", mailbox_id, address.lower()
    )
    if record is None:
        raise NotFound("This sender is not blocked any more.", "Somebody else took it back at the same time.")
    return _blocked(record)


async def unblock_sender(asker: Asker, mailbox_id: int, address: str) -> None:
    """Take it back: from now on their mail comes in as any other. Nothing happens if they are not blocked."""
    async with action(asker.user_id):
        await unblock(asker.user_id, mailbox_id, [address])


async def blocked_senders(mailbox_id: int) -> list[BlockedSender]:
    """Who is blocked in a mailbox, in the order of the alphabet."""
    records = await fetch("SELECT * FROM blocked_senders WHERE mailbox_id = $1 ORDER BY address", mailbox_id)
    return [_blocked(record) for record in records]


async def _block(asker: Asker, mailbox_id: int, address: str) -> bool:
    """Inside an action; False if it was blocked before."""
    ours = await fetch_value(
        "SELECT 1 FROM mailboxes WHERE lower(address) = $1 UNION ALL SELECT 1 FROM users WHERE lower(email) = $1 "
        "UNION ALL SELECT 1 FROM mail_accounts WHERE lower(address) = $1 LIMIT 1",
        address.lower(),
    )
    if ours is not None:
        raise Unacceptable("This is an address of your own organisation.", "Block addresses of others only.")
    return await block(asker.user_id, mailbox_id, address)


def _blocked(record: Row) -> BlockedSender:
    return BlockedSender(address=record["address"], blocked_by=record["blocked_by"], at=record["created_at"])
