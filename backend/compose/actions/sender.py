"""As whom a draft is to be sent, chosen by whoever writes it; and what is remembered of that when it is sent."""

import msgspec

from backend.access.asker import Asker
from backend.access.fetch import access_mailbox
from backend.addresses.actions import note_address
from backend.compose.actions.drafts import changing_draft
from backend.compose.contracts import Draft
from backend.compose.freeze import Frozen
from backend.compose.senders import check_sender
from backend.database.connection import execute, fetch_row
from backend.errors import Conflict
from backend.identities.contracts import DraftSender, SetSender
from backend.identities.queries import habits_of, identities_of
from backend.people.checks import refuse
from sync.mime.characters import clean_line


async def set_sender(asker: Asker, draft_id: int, given: SetSender) -> Draft:
    """Choose. The version stays, for nothing of what is being typed changes.

    Raises NotFound for a mailbox that the person cannot open, Conflict for a mail of a conversation that is to go to
    another mailbox, Unacceptable for an identity that the mailbox does not have.
    """
    sender = msgspec.structs.replace(
        given.sender,
        from_name=clean_line(given.sender.from_name),
        reply_to_address=clean_line(given.sender.reply_to_address) if given.sender.reply_to == "other" else "",
    )
    async with changing_draft(asker.user_id, draft_id) as change:
        mailbox_id = given.mailbox_id or change.record["mailbox_id"]
        if mailbox_id != change.record["mailbox_id"]:
            await access_mailbox(asker, mailbox_id)
            if change.record["conversation_id"] is not None or change.record["kind"] != "new":
                raise Conflict("This mail belongs to a conversation of its mailbox.", "Write a new mail instead.")
        mailbox = await fetch_row("SELECT * FROM mailboxes WHERE id = $1", mailbox_id)
        assert mailbox is not None
        check_sender(sender, mailbox)
        if sender.identity_id is not None and sender.identity_id not in {
            each["id"] for each in await identities_of(mailbox)
        }:
            raise refuse("from", "This From is not there any more.", "Choose another one.")
        await execute(
            "UPDATE drafts SET mailbox_id = $2, sender = $3, updated_at = now() WHERE id = $1",
            draft_id,
            mailbox_id,
            msgspec.json.encode(sender).decode(),
        )
        return await change.tell()


async def note_sender(asker: Asker, draft: Draft, frozen: Frozen, outgoing_id: int) -> None:
    """Inside the action that sends: what it leaves through, and as whom it was written."""
    if draft.sender != DraftSender() or frozen.server_id is not None:
        await execute(
            "UPDATE outgoing SET sender = $2, server_id = $3 WHERE id = $1",
            outgoing_id,
            msgspec.json.encode(draft.sender).decode(),
            frozen.server_id,
        )
    if draft.sender.reply_to == "other":
        await note_address(draft.sender.reply_to_address, asker.user_id)


async def remember_sender(asker: Asker, draft: Draft, *, one_each: bool) -> None:
    """After a new mail was sent: what to offer next time. Apart from sending, for it holds nothing but the person."""
    if draft.kind != "new":
        return
    before = await fetch_row("SELECT sending FROM users WHERE id = $1", asker.user_id)
    assert before is not None
    habits = msgspec.structs.replace(
        habits_of(before), mailbox_id=draft.mailbox_id, identity_id=draft.sender.identity_id, one_each=one_each
    )
    if habits != habits_of(before):
        stored = msgspec.json.encode(habits).decode()
        await execute("UPDATE users SET sending = $2 WHERE id = $1", asker.user_id, stored)
