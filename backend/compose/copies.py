"""A draft as a message in the Drafts folder of its mailbox's account, and which drafts have yet to be put there.

The copy names what it is a version of by its Message-ID, which no other version has (`DraftCopy`); whoever edits it in
another mail program keeps that, or puts a new message in its place.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from backend.compose.contracts import Draft
from backend.compose.freeze import attached, thread_of, written_addresses
from backend.compose.queries import attachments_of_draft, read_draft
from backend.compose.senders import drafted_as
from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value
from backend.events.record import action
from backend.jobs import enqueue_or_hasten
from backend.mail.contracts import MailAddress
from sync.mime.build import Composition, build_message, new_message_id
from sync.mime.composed import pictures_in
from sync.mime.message import Address

AFTER_LAST_EDIT = timedelta(seconds=30)
AFTER_LEAVING = timedelta(seconds=1)
"""A draft was sent or thrown away: its copy goes soon, or somebody would write on at it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A draft of an account that is to be put into its folder. `waits`: seconds until it has rested long enough."""

    draft_id: int
    waits: float


async def copy_later(mailbox_id: int, *, after: timedelta = AFTER_LAST_EDIT) -> None:
    """A draft of the mailbox changed, or is gone: let its account's Drafts folder follow. Inside an action."""
    account_id = await fetch_value("SELECT id FROM mail_accounts WHERE mailbox_id = $1", mailbox_id)
    if account_id is not None:
        await enqueue_or_hasten("keep_drafts", after=after, account_id=account_id)


async def wanted_copies(account_id: int) -> list[Wanted]:
    """Drafts of the account's mailbox in which something was written that the server does not have yet."""
    records = await fetch(
        "SELECT d.id, extract(epoch FROM d.updated_at + $2::interval - now())::float8 AS waits FROM drafts d "
        "JOIN mail_accounts a ON a.mailbox_id = d.mailbox_id WHERE a.id = $1 "
        "AND (d.version > 1 OR EXISTS (SELECT 1 FROM composed_attachments f WHERE f.draft_id = d.id)) "
        "AND NOT EXISTS (SELECT 1 FROM draft_copies k WHERE k.account_id = $1 AND k.draft_id = d.id "
        "AND k.version = d.version AND k.uid IS NOT NULL) ORDER BY d.id",
        account_id,
        AFTER_LAST_EDIT,
    )
    return [Wanted(record["id"], max(0.0, record["waits"])) for record in records]


async def superseded_copies(account_id: int) -> Sequence[Row]:
    """Copies that are to leave the folder: of drafts that are gone, moved, or stand there in a newer version."""
    return await fetch(
        "SELECT k.* FROM draft_copies k JOIN mail_accounts a ON a.id = k.account_id "
        "LEFT JOIN drafts d ON d.id = k.draft_id AND d.mailbox_id = a.mailbox_id "
        "WHERE k.account_id = $1 AND k.draft_id IS NOT NULL AND (d.id IS NULL OR EXISTS ("
        "SELECT 1 FROM draft_copies newer WHERE newer.account_id = $1 AND newer.draft_id = k.draft_id "
        "AND newer.version > k.version AND newer.uid IS NOT NULL)) ORDER BY k.id",
        account_id,
    )


async def look_again(account_id: int) -> None:
    """Let what could not be put into the folder, or taken out of it, be tried soon: the account is watched again."""
    if await wanted_copies(account_id) or await superseded_copies(account_id):
        async with action(None):
            await enqueue_or_hasten("keep_drafts", account_id=account_id)


@dataclass(frozen=True, slots=True)
class Copy:
    """The message to be put into the folder. `message_id` without brackets."""

    version: int
    message_id: str
    raw: bytes


async def write_copy(account_id: int, draft_id: int) -> Copy:
    """The draft as it is now, under the Message-ID that this version of it has. Raises NotFound when it is gone."""
    draft = await read_draft(draft_id)
    record = await fetch_row("SELECT * FROM drafts WHERE id = $1", draft_id)
    mailbox = await fetch_row("SELECT * FROM mailboxes WHERE id = $1", draft.mailbox_id)
    assert record is not None
    assert mailbox is not None
    message_id = await fetch_value(
        "SELECT message_id FROM draft_copies WHERE account_id = $1 AND draft_id = $2 AND version = $3",
        account_id,
        draft_id,
        draft.version,
    ) or new_message_id(mailbox["address"].rpartition("@")[2])
    from_, on_behalf = await drafted_as(draft, mailbox, draft.author_id)
    in_reply_to, references = await thread_of(record["answers_id"] if draft.kind in ("reply", "reply_all") else None)
    shown = set(pictures_in(draft.html or ""))
    composition = Composition(
        message_id=message_id,
        from_=from_,
        sender=on_behalf,
        to=_written(draft.to),
        cc=_written(draft.cc),
        bcc=_written(draft.bcc),
        subject=draft.subject,
        date=draft.updated_at.replace(microsecond=0),
        text=draft.text,
        html=draft.html,
        attachments=tuple(await attached(await attachments_of_draft(draft_id), shown)),
        in_reply_to=in_reply_to,
        references=references,
        unfinished=True,
    )
    return Copy(draft.version, message_id, await asyncio.to_thread(build_message, composition))


def _written(people: Sequence[MailAddress]) -> tuple[Address, ...]:
    """Those whose address is one: the rest of what was typed stays here."""
    return tuple(written_addresses(people)[0])


def unwritten(draft: Draft) -> dict[str, list[MailAddress]]:
    """What the draft's recipients hold that its copy on the server does not, by field."""
    return {
        field: [person for person in people if not _written([person])]
        for field, people in (("to", draft.to), ("cc", draft.cc), ("bcc", draft.bcc))
    }


async def note_copy(account_id: int, draft_id: int, copy: Copy, digest: str) -> None:
    """This version is about to be put into the folder: whoever meets it there knows it."""
    await execute(
        "INSERT INTO draft_copies (account_id, draft_id, version, message_id, content_digest) "
        "SELECT $1, $2, $3, $4, $5 "
        "WHERE NOT EXISTS (SELECT 1 FROM draft_copies WHERE account_id = $1 AND message_id = $4)",
        account_id,
        draft_id,
        copy.version,
        copy.message_id,
        digest,
    )
