"""Drafts and the outbox over HTTP."""

from typing import Annotated

from litestar import Response, Router, delete, get, post, put
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body

from backend.access.asker import Asker
from backend.access.classes import access
from backend.compose import queries
from backend.compose.actions import attaching, decisions, discarding, drafts, filling_in, send, sender
from backend.compose.contracts import (
    AttachFromMail,
    ChooseSignature,
    CreateDraft,
    Draft,
    Outgoing,
    QuotedMessage,
    RescheduleOutgoing,
    ResolveOutgoing,
    SaveDraft,
    SendDraft,
)
from backend.errors import BadRequest, NotFound
from backend.identities.contracts import SetSender
from backend.links.contracts import FilledLink
from backend.mail import blobs
from backend.mail.routes import INERT
from backend.templates.contracts import FillIn, Rendered, Signatures

UploadedFile = Annotated[dict[str, UploadFile], Body(media_type=RequestEncodingType.MULTI_PART)]


@get("/drafts", **access("signed_in"))
async def list_drafts(asker: Asker) -> list[Draft]:
    """The person's own drafts, last touched first."""
    return await queries.own_drafts(asker)


@post("/drafts", **access("signed_in"))
async def create_draft(asker: Asker, data: CreateDraft) -> Draft:
    """Begin a reply, a forward or a new mail."""
    return await drafts.create_draft(asker, data)


@get("/drafts/{draft_id:int}", **access("conversation"))
async def read_draft(draft_id: int) -> Draft:
    """One draft."""
    return await queries.read_draft(draft_id)


@put("/drafts/{draft_id:int}", **access("handling"))
async def save_draft(asker: Asker, draft_id: int, data: SaveDraft) -> Draft:
    """Save on top of the version one had; 409 with both texts when somebody saved meanwhile."""
    return await drafts.save_draft(asker, draft_id, data)


@put("/drafts/{draft_id:int}/sender", **access("handling"))
async def set_sender(asker: Asker, draft_id: int, data: SetSender) -> Draft:
    """Choose as whom it is to be sent, and where answers go. The version stays."""
    return await sender.set_sender(asker, draft_id, data)


@delete("/drafts/{draft_id:int}", **access("handling"))
async def delete_draft(asker: Asker, draft_id: int) -> None:
    """Throw a draft away."""
    await discarding.delete_draft(asker, draft_id)


@post("/discarded-drafts/{discarded_id:int}/restore", **access("signed_in"))
async def restore_draft(asker: Asker, discarded_id: int) -> Draft:
    """Bring back the draft of this number that you have thrown away within the last hour."""
    return await discarding.restore_draft(asker, discarded_id)


@post("/drafts/{draft_id:int}/take-over", status_code=200, **access("handling"))
async def take_over(asker: Asker, draft_id: int) -> Draft:
    """Write on, as its author, at what a colleague began."""
    return await drafts.take_over(asker, draft_id)


@post("/drafts/{draft_id:int}/attachments", **access("handling"))
async def attach_file(asker: Asker, draft_id: int, data: UploadedFile, in_text: bool = False) -> Draft:
    """Attach a file, given as the multipart field `file`; `in_text`: a picture for the text, with a content-id."""
    file = data.get("file")
    if file is None:
        raise BadRequest("There is no file in this request.", "Send it as the multipart field `file`.")
    return await attaching.attach_file(
        asker, draft_id, file.filename, file.content_type, await file.read(), in_text=in_text
    )


@post("/drafts/{draft_id:int}/documents/{document_id:int}", **access("handling"))
async def attach_document(asker: Asker, draft_id: int, document_id: int) -> Draft:
    """Attach the newest version of a document of the library."""
    return await attaching.attach_document(asker, draft_id, document_id)


@post("/drafts/{draft_id:int}/attachments-from-mail", **access("handling"))
async def attach_from_mail(asker: Asker, draft_id: int, data: AttachFromMail) -> Draft:
    """Attach what hangs on a mail that the person sees."""
    return await attaching.attach_from_mail(asker, draft_id, data.message_id, data.position)


@delete("/drafts/{draft_id:int}/attachments/{attachment_id:int}", status_code=200, **access("handling"))
async def detach_file(asker: Asker, draft_id: int, attachment_id: int) -> Draft:
    """Take a file off the draft."""
    return await attaching.detach_file(asker, draft_id, attachment_id)


@get("/drafts/{draft_id:int}/pictures/{content_id:str}", **access("conversation"))
async def read_picture(draft_id: int, content_id: str) -> Response[bytes]:
    """A picture in a draft's text."""
    record = await queries.picture_of_draft(draft_id, content_id)
    if record is None:
        raise NotFound("There is no such picture in this draft.", "It may have been taken out meanwhile.")
    headers = {**INERT, "cache-control": "private, max-age=3600", "vary": "cookie"}
    return Response(await blobs.get(record["digest"]), media_type=record["content_type"], headers=headers)


@post("/drafts/{draft_id:int}/quote", status_code=200, **access("handling"))
async def take_quote(asker: Asker, draft_id: int) -> QuotedMessage:
    """The message that follows this draft, to be written into; its pictures become the draft's own."""
    return await attaching.take_quote(asker, draft_id)


@post("/drafts/{draft_id:int}/templates/{template_id:int}", status_code=200, **access("handling"))
async def fill_in(asker: Asker, draft_id: int, template_id: int, data: FillIn) -> Rendered:
    """A template filled in for this draft, to be put into its text; that it was used is counted."""
    return await filling_in.fill_in(asker, draft_id, template_id, data)


@post("/drafts/{draft_id:int}/signatures", status_code=200, **access("handling"))
async def read_signatures(asker: Asker, draft_id: int, data: FillIn) -> Signatures:
    """The signatures that this draft can have, as they would read in it."""
    return await filling_in.signatures_of(asker, draft_id, data)


@put("/drafts/{draft_id:int}/signature", **access("handling"))
async def choose_signature(asker: Asker, draft_id: int, data: ChooseSignature) -> Draft:
    """Whose signature stands below the text; it is filled in when the mail is sent."""
    return await filling_in.choose_signature(asker, draft_id, data)


@post("/drafts/{draft_id:int}/links/{link_id:int}", status_code=200, **access("handling"))
async def fill_in_link(asker: Asker, draft_id: int, link_id: int, data: FillIn) -> FilledLink:
    """A saved link filled in for this draft, to be put into its text; that it was used is counted."""
    return await filling_in.fill_in_link(asker, draft_id, link_id, data)


@post("/drafts/{draft_id:int}/send", **access("handling"))
async def send_draft(asker: Asker, draft_id: int, data: SendDraft) -> Outgoing:
    """Hand a draft to the outbox; 409 `answered_meanwhile` when somebody answered since it was begun."""
    return await send.send_draft(asker, draft_id, data)


@get("/outbox", **access("signed_in"))
async def list_outbox(asker: Asker) -> list[Outgoing]:
    """Mails that have not left, or not to everybody, newest first."""
    return await queries.outbox(asker)


@post("/outbox/{outgoing_id:int}/undo", **access("handling"))
async def undo_sending(asker: Asker, outgoing_id: int) -> Draft:
    """Take a mail back before it leaves; 409 when it is too late."""
    return await decisions.undo_sending(asker, outgoing_id)


@put("/outbox/{outgoing_id:int}/schedule", **access("handling"))
async def reschedule_outgoing(asker: Asker, outgoing_id: int, data: RescheduleOutgoing) -> Outgoing:
    """Another moment for a mail that is scheduled; 409 when it is not, or not any more."""
    return await decisions.reschedule(asker, outgoing_id, data)


@post("/outbox/{outgoing_id:int}/resolve", status_code=200, **access("handling"))
async def resolve_outgoing(asker: Asker, outgoing_id: int, data: ResolveOutgoing) -> Outgoing | Draft:
    """Decide about a mail that did not simply leave."""
    return await decisions.resolve_outgoing(asker, outgoing_id, data)


router = Router(
    path="/",
    route_handlers=[
        list_drafts,
        create_draft,
        read_draft,
        save_draft,
        set_sender,
        delete_draft,
        restore_draft,
        take_over,
        attach_file,
        attach_document,
        attach_from_mail,
        detach_file,
        read_picture,
        take_quote,
        fill_in,
        read_signatures,
        choose_signature,
        fill_in_link,
        send_draft,
        list_outbox,
        undo_sending,
        reschedule_outgoing,
        resolve_outgoing,
    ],
    tags=["Drafts and outbox"],
)
