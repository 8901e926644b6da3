"""Templates over HTTP. One that is not the person's and not shared with them is not there."""

from typing import Annotated

from litestar import Response, Router, delete, get, post, put
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body

from backend.access.asker import Asker
from backend.access.classes import access
from backend.errors import BadRequest
from backend.mail import blobs
from backend.mail.routes import INERT
from backend.templates import actions, house_style, pictures, queries, signatures
from backend.templates.contracts import (
    AddFromLibrary,
    HouseStyle,
    ImportedTemplate,
    LibraryTemplate,
    MergeField,
    Rendered,
    RenderFor,
    RenderText,
    SaveSignature,
    SaveTemplate,
    Signature,
    Template,
    TemplatePicture,
)
from backend.templates.filling import EXAMPLES
from backend.templates.importing import sent, uploaded

UploadedFile = Annotated[dict[str, UploadFile], Body(media_type=RequestEncodingType.MULTI_PART)]


@get("/templates", **access("signed_in"))
async def list_templates(asker: Asker, q: str = "") -> list[Template]:
    """The templates and snippets that the person can use, or those of them with these words."""
    return await queries.list_templates(asker, q=q)


@get("/merge-fields", **access("signed_in"))
async def list_merge_fields() -> list[MergeField]:
    """What templates can name."""
    return [MergeField(name=name, example=example) for name, example in EXAMPLES.items()]


@get("/templates/{template_id:int}", **access("signed_in"))
async def read_template(asker: Asker, template_id: int) -> Template:
    """One template, with its HTML."""
    return queries.template_of(await queries.access_template(asker, template_id))


@get("/template-library", **access("signed_in"))
async def list_library() -> list[LibraryTemplate]:
    """The templates that come with Tandem, by folder and name."""
    return await actions.list_library()


@post("/template-library", **access("signed_in"))
async def add_from_library(asker: Asker, data: AddFromLibrary) -> Template:
    """Copy one of them into the organisation's templates, shared with everybody."""
    return await actions.add_from_library(asker, data.key)


@post("/template-pictures", **access("signed_in"))
async def add_picture(asker: Asker, data: UploadedFile) -> TemplatePicture:
    """Send a picture up for a template or a signature, as the multipart field `file`."""
    file = _file(data)
    return await pictures.add_picture(asker, file.filename, file.content_type, await file.read())


@post("/template-imports", status_code=200, **access("signed_in"))
async def import_template(asker: Asker, data: UploadedFile) -> ImportedTemplate:
    """Make a template of an HTML file, or of a zip with one and its pictures, as the multipart field `file`. It is
    answered with what was found, to be saved by `POST /templates`."""
    file = _file(data)
    return await uploaded.import_template(asker, file.filename, await file.read())


@post("/messages/{message_id:int}/template", status_code=200, **access("handling"))
async def template_from_mail(asker: Asker, message_id: int) -> ImportedTemplate:
    """Make a template of a mail that was sent, without its signature and what it quotes; to be saved by
    `POST /templates`."""
    return await sent.template_from_mail(asker, message_id)


@get("/template-pictures/{picture:str}", **access("signed_in"))
async def read_template_picture(asker: Asker, picture: str) -> Response[bytes]:
    """A picture of a template or a signature."""
    record = await pictures.access_picture(asker, picture)
    headers = {**INERT, "cache-control": "private, max-age=3600", "vary": "cookie"}
    return Response(await blobs.get(record["digest"]), media_type=record["content_type"], headers=headers)


@get("/me/signature", **access("signed_in"))
async def read_own_signature(asker: Asker) -> Signature:
    """The person's own signature."""
    return await signatures.read_signature(user_id=asker.user_id)


@put("/me/signature", **access("signed_in"))
async def save_own_signature(asker: Asker, data: SaveSignature) -> Signature:
    """Write it anew; 409 when it was changed meanwhile."""
    return await signatures.save_signature(asker, data, user_id=asker.user_id)


@get("/mailboxes/{mailbox_id:int}/signature", **access("mailbox_settings"))
async def read_mailbox_signature(mailbox_id: int) -> Signature:
    """The signature of everybody who writes from the mailbox."""
    return await signatures.read_signature(mailbox_id=mailbox_id)


@put("/mailboxes/{mailbox_id:int}/signature", **access("mailbox_settings"))
async def save_mailbox_signature(asker: Asker, mailbox_id: int, data: SaveSignature) -> Signature:
    """Write it anew; 409 when it was changed meanwhile."""
    return await signatures.save_signature(asker, data, mailbox_id=mailbox_id)


@get("/house-style", **access("signed_in"))
async def read_house_style() -> HouseStyle:
    """How the organisation's mail looks."""
    return await house_style.read_house_style()


@put("/house-style", **access("admin"))
async def set_house_style(asker: Asker, data: HouseStyle) -> HouseStyle:
    """Typeface, size and footer of every mail that is sent from now on."""
    return await house_style.set_house_style(asker, data)


@post("/templates", **access("signed_in"))
async def create_template(asker: Asker, data: SaveTemplate) -> Template:
    """Save a new template."""
    return await actions.create_template(asker, data)


@put("/templates/{template_id:int}", **access("signed_in"))
async def save_template(asker: Asker, template_id: int, data: SaveTemplate) -> Template:
    """Change a template: one's own, or as an admin a shared one; 409 when somebody changed it meanwhile."""
    return await actions.save_template(asker, template_id, data)


@delete("/templates/{template_id:int}", **access("signed_in"))
async def delete_template(asker: Asker, template_id: int) -> None:
    """Delete a template: one's own, or as an admin a shared one."""
    await actions.delete_template(asker, template_id)


@post("/templates/{template_id:int}/use", status_code=200, **access("signed_in"))
async def use_template(asker: Asker, template_id: int, data: RenderFor) -> Rendered:
    """The template filled in, to be put into a mail; that it was used is counted."""
    return await actions.use_template(asker, template_id, data)


@post("/templates/{template_id:int}/preview", status_code=200, **access("signed_in"))
async def preview_template(asker: Asker, template_id: int, data: RenderFor) -> Rendered:
    """The template filled in, to look at before it is used."""
    return await actions.preview_template(asker, template_id, data)


@post("/rendered-text", status_code=200, **access("signed_in"))
async def render_text(asker: Asker, data: RenderText) -> Rendered:
    """A text that is not saved, filled in: for a preview."""
    return await actions.render_text(asker, data)


def _file(data: dict[str, UploadFile]) -> UploadFile:
    file = data.get("file")
    if file is None:
        raise BadRequest("There is no file in this request.", "Send it as the multipart field `file`.")
    return file


router = Router(
    path="/",
    route_handlers=[
        list_templates,
        list_merge_fields,
        read_template,
        list_library,
        add_from_library,
        add_picture,
        import_template,
        template_from_mail,
        read_template_picture,
        read_own_signature,
        save_own_signature,
        read_mailbox_signature,
        save_mailbox_signature,
        read_house_style,
        set_house_style,
        create_template,
        save_template,
        delete_template,
        use_template,
        preview_template,
        render_text,
    ],
    tags=["templates"],
)
