"""Templates over HTTP. One that is not the person's and not shared with them is not there."""

from litestar import Router, delete, get, post, put

from backend.access.asker import Asker
from backend.access.classes import access
from backend.templates import actions, queries
from backend.templates.contracts import MergeField, Rendered, RenderFor, RenderText, SaveTemplate, Template
from backend.templates.filling import EXAMPLES


@get("/templates", **access("signed_in"))
async def list_templates(asker: Asker, q: str = "") -> list[Template]:
    """The templates and snippets that the person can use, or those of them with these words."""
    return await queries.list_templates(asker, q=q)


@get("/merge-fields", **access("signed_in"))
async def list_merge_fields() -> list[MergeField]:
    """What templates can name."""
    return [MergeField(name=name, example=example) for name, example in EXAMPLES.items()]


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


router = Router(
    path="/",
    route_handlers=[
        list_templates,
        list_merge_fields,
        create_template,
        save_template,
        delete_template,
        use_template,
        preview_template,
        render_text,
    ],
    tags=["templates"],
)
