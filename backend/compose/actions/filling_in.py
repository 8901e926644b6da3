"""A template or a snippet goes into a draft, filled in for whom it is written to; a signature stands below its text."""

import msgspec

from backend.access.asker import Asker
from backend.compose.actions.attaching import check_room
from backend.compose.actions.drafts import add_file, changing_draft
from backend.compose.beginnings import CarriedFile
from backend.compose.body import filling_of
from backend.compose.contracts import ChooseSignature, Draft
from backend.compose.queries import attachments_of_draft, read_draft
from backend.database.connection import execute
from backend.links.actions import use_link
from backend.links.contracts import FilledLink
from backend.templates.actions import use_template
from backend.templates.contracts import FillIn, Rendered, Signatures
from backend.templates.pictures import pictures_for
from backend.templates.signatures import filled_signature
from sync.mime.composed import pictures_in


async def fill_in(asker: Asker, draft_id: int, template_id: int, given: FillIn) -> Rendered:
    """What the template says in this draft, and one more use of it; its pictures become the draft's own. The draft's
    text is its writer's to change.

    Raises NotFound for a template that the person cannot use, Unacceptable for what it makes too much of.
    """
    draft = await read_draft(draft_id)
    wanted = msgspec.structs.replace(filling_of(draft), to=given.to, given=given.given)
    rendered = await use_template(asker, template_id, wanted)
    if shown := pictures_in(rendered.html):
        await _bring_pictures(asker, draft_id, shown)
    return rendered


async def fill_in_link(asker: Asker, draft_id: int, link_id: int, given: FillIn) -> FilledLink:
    """A saved link for whom this draft is written to, or what is missing in it. Raises NotFound when it was deleted."""
    wanted = msgspec.structs.replace(filling_of(await read_draft(draft_id)), to=given.to, given=given.given)
    return await use_link(asker, link_id, wanted)


async def _bring_pictures(asker: Asker, draft_id: int, content_ids: list[str]) -> None:
    async with changing_draft(asker.user_id, draft_id) as change:
        known = {each["content_id"] for each in await attachments_of_draft(draft_id)}
        for picture in await pictures_for(asker, [each for each in content_ids if each not in known]):
            file = CarriedFile(
                filename=picture["filename"],
                content_type=picture["content_type"],
                size=picture["size"],
                digest=picture["digest"],
                content_id=picture["content_id"],
            )
            await check_room(draft_id, file)
            await add_file(draft_id, file)
        await change.tell()


async def signatures_of(asker: Asker, draft_id: int, given: FillIn) -> Signatures:
    """The signatures that this draft can have, as they would read."""
    draft = await read_draft(draft_id)
    wanted = msgspec.structs.replace(filling_of(draft), to=given.to)
    return Signatures(
        person=await filled_signature(asker, "person", draft.mailbox_id, wanted),
        mailbox=await filled_signature(asker, "mailbox", draft.mailbox_id, wanted),
    )


async def choose_signature(asker: Asker, draft_id: int, given: ChooseSignature) -> Draft:
    """Whose signature stands below the text. The version stays, as with files."""
    async with changing_draft(asker.user_id, draft_id) as change:
        if change.record["signature"] == given.signature:
            return await read_draft(draft_id)
        await execute("UPDATE drafts SET signature = $2, updated_at = now() WHERE id = $1", draft_id, given.signature)
        return await change.tell()
