"""Reading attachments for searching, behind everything else that a worker does."""

import asyncio
import logging

import asyncpg
import msgspec

from backend.database.connection import end_if_cancelled
from backend.errors import NotFound
from backend.mail.contracts import AttachmentItem
from backend.mail.file_index import FileEntry, Waiting, claim_files, enter_files
from backend.mail.raw import load_raw
from backend.workers.file_reader import FileReader, Unread

log = logging.getLogger(__name__)

EVERY_SECONDS = 10.0
_named = msgspec.json.Decoder(list[AttachmentItem])


async def read_waiting_files(reader: FileReader) -> None:
    """Have the attachments read that wait, until none does."""
    while waiting := await claim_files():
        for each in waiting:
            await enter_files(each.message_id, await _read(reader, each))


async def _read(reader: FileReader, message: Waiting) -> list[FileEntry]:
    why = "brought down what read it"
    try:
        if not message.hopeless:
            read = await reader.read(await load_raw(message.digest))
            return [FileEntry(each.position, each.filename, each.text, each.problem) for each in read]
    except Unread as fault:
        log.warning("The attachments of message %d could not be read (%s).", message.message_id, fault)
    except NotFound:
        why = "its mail is gone"
    files = [each for each in _named.decode(message.attachments) if not each.inline]
    return [FileEntry(each.position, each.filename, "", why) for each in files]


async def keep_files_read() -> None:
    """The same every few seconds until cancelled. With nothing waiting it is no work, and no process."""
    reader = FileReader()
    try:
        while True:
            try:
                await read_waiting_files(reader)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as fault:
                end_if_cancelled()
                log.warning("Attachments could not be read for searching (%s); trying again.", type(fault).__name__)
            await reader.close()
            await asyncio.sleep(EVERY_SECONDS)
    finally:
        await reader.close()
