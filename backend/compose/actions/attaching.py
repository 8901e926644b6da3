"""What a draft carries beside its words: files, the pictures in its text, and the message that it quotes."""

import secrets

from backend.access.asker import Asker
from backend.compose.actions.drafts import add_file, changing_draft
from backend.compose.beginnings import CarriedFile
from backend.compose.contracts import Draft, QuotedMessage
from backend.compose.queries import attachments_of_draft, read_draft, room_in
from backend.compose.quoting import quote_of
from backend.database.connection import Row, execute, fetch_row, fetch_value
from backend.documents.queries import access_version
from backend.errors import NotFound, TooLarge, Unacceptable
from backend.mail.keeping import keep_one
from backend.mail.pictures import KINDS
from backend.mail.queries import read_attachment
from backend.settings import settings
from backend.uploads import actions
from backend.uploads.actions import mark_used
from backend.uploads.contracts import BeginUpload, Upload, Uploads
from backend.uploads.queries import access_whole, parts_of, unfinished_uploads
from sync.mime.attachments import safe_filename
from sync.mime.characters import clean_line

MOST_ATTACHMENTS = 100


async def attach_file(
    asker: Asker, draft_id: int, filename: str, content_type: str, content: bytes, *, in_text: bool = False
) -> Draft:
    """Attach a file; one that is to stand `in_text` is a picture, and gets a content-id. The version stays.

    Raises TooLarge when the mail's files would be more than servers take, Unacceptable for what is no picture.
    """
    return await _attach(asker, draft_id, await _new_file(filename, content_type, content, in_text=in_text))


async def _new_file(filename: str, content_type: str, content: bytes, *, in_text: bool) -> CarriedFile:
    """The file in the store."""
    kind = clean_line(content_type)[:150].lower() or "application/octet-stream"
    if in_text and kind not in KINDS:
        raise Unacceptable("Only pictures can stand in the text.", "Attach this as a file.")
    return CarriedFile(
        filename=safe_filename(clean_line(filename))[:200] or ("picture" if in_text else "attachment"),
        content_type=kind,
        size=len(content),
        digest=await keep_one(content),
        content_id=f"{secrets.token_hex(12)}@picture" if in_text else "",
    )


async def read_uploads(asker: Asker, draft_id: int) -> Uploads:
    """What the person has half up for this draft, and what it still takes."""
    _, room = await room_in(draft_id)
    unfinished = await unfinished_uploads(asker, draft_id)
    return Uploads(room=room, largest_link=settings().largest_linked_file, unfinished=unfinished)


async def begin_upload(asker: Asker, draft_id: int, given: BeginUpload) -> Upload:
    """A file is to come up in parts. Raises TooLarge, before anything of it came, for more than the mail takes."""
    _, room = await room_in(draft_id)
    return await actions.begin_upload(asker, draft_id, given, room=room)


async def attach_upload(asker: Asker, draft_id: int, upload_id: int, *, in_text: bool = False) -> Draft:
    """Attach a file that came up in parts. Asking again attaches nothing twice.

    Raises Conflict while it is not all there, and otherwise as `attach_file`.
    """
    record = await access_whole(asker, draft_id, upload_id)
    if record["link_days"]:
        raise Unacceptable("This file came up for a link.", "Link to it, or send it up to be attached.")
    if record["used"]:
        return await read_draft(draft_id)
    content = b"".join([part async for part in parts_of(upload_id)])
    file = await _new_file(record["filename"], record["content_type"], content, in_text=in_text)
    async with changing_draft(asker.user_id, draft_id) as change:
        if not await mark_used(upload_id):
            return await read_draft(draft_id)
        await check_room(draft_id, file)
        await add_file(draft_id, file)
        return await change.tell()


async def attach_document(asker: Asker, draft_id: int, document_id: int) -> Draft:
    """Attach the newest version of a document: what is uploaded to that later changes nothing here.

    Raises NotFound for a document that the person may not use, TooLarge as for any other file.
    """
    version = await access_version(asker, document_id)
    return await _attach(asker, draft_id, _carried(version))


def _carried(record: Row) -> CarriedFile:
    return CarriedFile(
        filename=record["filename"],
        content_type=record["content_type"],
        size=record["size"],
        digest=record["digest"],
        content_id="",
    )


async def attach_from_mail(asker: Asker, draft_id: int, message_id: int, position: int) -> Draft:
    """Attach what hangs on a mail that the person sees. Raises NotFound, and TooLarge as for any other file."""
    found = await read_attachment(asker, message_id, position)
    file = CarriedFile(
        filename=safe_filename(clean_line(found.filename or ""))[:200] or "attachment",
        content_type=clean_line(found.content_type)[:150].lower() or "application/octet-stream",
        size=len(found.content),
        digest=await keep_one(found.content),
        content_id="",
    )
    return await _attach(asker, draft_id, file)


async def _attach(asker: Asker, draft_id: int, file: CarriedFile) -> Draft:
    async with changing_draft(asker.user_id, draft_id) as change:
        await check_room(draft_id, file)
        await add_file(draft_id, file)
        return await change.tell()


async def check_room(draft_id: int, file: CarriedFile) -> None:
    most, room = await room_in(draft_id)
    number = await fetch_value("SELECT count(*) FROM composed_attachments WHERE draft_id = $1", draft_id)
    if file.size > room or number >= MOST_ATTACHMENTS:
        raise TooLarge(
            f"“{file.filename[:80]}” would make this mail larger than {most / 2**20:.0f} MB, "
            "which most servers refuse.",
            "Send a link to the file, or split the files over several mails.",
        )


async def detach_file(asker: Asker, draft_id: int, attachment_id: int) -> Draft:
    """Take a file off the draft. Taking off what is not there changes nothing."""
    async with changing_draft(asker.user_id, draft_id) as change:
        await execute("DELETE FROM composed_attachments WHERE id = $1 AND draft_id = $2", attachment_id, draft_id)
        return await change.tell()


async def take_quote(asker: Asker, draft_id: int) -> QuotedMessage:
    """The quoted message, to be written into: its pictures become the draft's own. The text stays as it is.

    Raises NotFound when there is nothing (any more) that the draft could quote.
    """
    place = await fetch_row("SELECT kind, answers_id, conversation_id FROM drafts WHERE id = $1", draft_id)
    quote = await quote_of(place["kind"], place["answers_id"], place["conversation_id"]) if place else None
    if quote is None:
        raise NotFound("The message that this answers is not here any more.", "Write without quoting it.")
    pictures = [
        CarriedFile(
            filename=each.filename or "picture",
            content_type=each.content_type,
            size=len(each.content),
            digest=await keep_one(each.content),
            content_id=each.content_id or "",
        )
        for each in quote.pictures
    ]
    async with changing_draft(asker.user_id, draft_id) as change:
        known = {each["content_id"] for each in await attachments_of_draft(draft_id)}
        fresh = [each for each in pictures if each.content_id not in known]
        for picture in fresh:
            await check_room(draft_id, picture)
            await add_file(draft_id, picture)
        if fresh:
            await change.tell()
    return QuotedMessage(html=quote.html, text=quote.text)
