"""Templates made, changed, shared, deleted, and filled in.

They are fetched when somebody looks for one, so no stream tells of them.
"""

import asyncio

import msgspec

from backend.access.asker import Asker
from backend.database.connection import Row, execute, fetch_row, fetch_value
from backend.errors import Conflict, Forbidden, NotFound, Unacceptable
from backend.events.record import action
from backend.people.checks import check_folder, check_name, refuse
from backend.people.shared_with import check_own_team
from backend.templates.contracts import LibraryTemplate, Rendered, RenderFor, RenderText, SaveTemplate, Template
from backend.templates.filling import example_values, values_for
from backend.templates.language import TemplateError, Values, check, render
from backend.templates.library import shipped_template, shipped_templates
from backend.templates.library.look import STYLES, dressed
from backend.templates.markup import DESIGNED, clean_markup, filled_in, markup_text
from backend.templates.queries import access_template, template_of
from sync.mime.composed import lines_as_html

MOST_TEMPLATES = 2_000
"""Of one person."""


async def create_template(asker: Asker, given: SaveTemplate) -> Template:
    """A new template of the person's own, or one that they share. Raises Unacceptable."""
    checked = await asyncio.to_thread(_checked, given)
    async with action(asker.user_id):
        await check_own_team(asker, given.shared, given.team_id)
        count = await fetch_value("SELECT count(*) FROM templates WHERE maker_id = $1", asker.user_id)
        if count >= MOST_TEMPLATES:
            raise Unacceptable(f"You have {MOST_TEMPLATES} templates already.", "Delete some that you do not use.")
        record = await fetch_row(
            "INSERT INTO templates (maker_id, kind, name, folder, shared, team_id, subject, text, html, uses, "
            "version, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 1, now(), now()) "
            "RETURNING *",
            asker.user_id,
            *checked,
        )
    assert record is not None
    return template_of(record)


async def save_template(asker: Asker, template_id: int, given: SaveTemplate) -> Template:
    """Change a template, or with whom it is shared. Raises NotFound, Forbidden, Unacceptable, Conflict when stale."""
    checked = await asyncio.to_thread(_checked, given)
    async with action(asker.user_id):
        before = await _changeable(asker, template_id)
        if before["version"] != given.version:
            raise Conflict(
                "Somebody changed this template meanwhile.",
                "Look at their text, then save yours.",
                stored=before["text"],
                version=before["version"],
            )
        if (given.shared, given.team_id) != (before["shared"], before["team_id"]):
            await check_own_team(asker, given.shared, given.team_id)
        record = await fetch_row(
            "UPDATE templates SET kind = $2, name = $3, folder = $4, shared = $5, team_id = $6, subject = $7, "
            "text = $8, html = $9, version = version + 1, updated_at = now() WHERE id = $1 RETURNING *",
            template_id,
            *checked,
        )
    assert record is not None
    return template_of(record)


async def delete_template(asker: Asker, template_id: int) -> None:
    """Away with it, for everybody it is shared with. Raises NotFound and Forbidden."""
    async with action(asker.user_id):
        await _changeable(asker, template_id)
        await execute("DELETE FROM templates WHERE id = $1", template_id)


async def list_library() -> list[LibraryTemplate]:
    """What comes with Tandem."""
    return [
        LibraryTemplate(
            key=each.key,
            name=each.name,
            folder=each.folder,
            about=each.about,
            subject=each.subject,
            text=each.text,
            html=each.html,
        )
        for each in await asyncio.to_thread(shipped_templates)
    ]


async def add_from_library(asker: Asker, key: str) -> Template:
    """A copy of one that comes with Tandem, for everybody. Raises NotFound."""
    shipped = await asyncio.to_thread(shipped_template, key)
    if shipped is None:
        raise NotFound("There is no such template in the library.", "Choose among those listed.")
    html = _without_styles(shipped.html)
    return await create_template(
        asker,
        SaveTemplate(
            name=shipped.name,
            text="",
            kind=shipped.kind,
            folder=shipped.folder,
            shared="everybody",
            subject=shipped.subject,
            html=f'<div class="{DESIGNED}">{html}</div>' if "presentation" in html else html,
        ),
    )


def _without_styles(html: str) -> str:
    """The style sheet of the library is added when a mail leaves."""
    return html.replace(STYLES, "").strip()


async def use_template(asker: Asker, template_id: int, wanted: RenderFor) -> Rendered:
    """Fill a template in, and count that it was used."""
    record = await access_template(asker, template_id)
    values = await values_for(asker, wanted)
    rendered = await asyncio.to_thread(_render, record["subject"], record["text"], record["html"], values)
    async with action(asker.user_id):
        await execute("UPDATE templates SET uses = uses + 1, last_used_at = now() WHERE id = $1", template_id)
    return rendered


async def preview_template(asker: Asker, template_id: int, wanted: RenderFor) -> Rendered:
    """The same, to look at: it does not count as a use."""
    record = await access_template(asker, template_id)
    values = await values_for(asker, wanted)
    return _dressed(await asyncio.to_thread(_render, record["subject"], record["text"], record["html"], values))


async def render_text(asker: Asker, given: RenderText) -> Rendered:
    """Fill in a text that is not saved. Raises Unacceptable for what is no template."""
    preview = SaveTemplate(name="preview", text=given.text, subject=given.subject, html=given.html)
    subject, text, html = (await asyncio.to_thread(_checked, preview))[-3:]
    values = example_values() if given.examples else await values_for(asker, given)
    return _dressed(await asyncio.to_thread(_render, subject, text, html, values))


def _dressed(rendered: Rendered) -> Rendered:
    return msgspec.structs.replace(rendered, styles=STYLES if dressed(rendered.html) != rendered.html else "")


def _render(subject: str, text: str, html: str | None, values: Values) -> Rendered:
    try:
        line, body = render(subject, values), render(text, values)
        markup = None if html is None else filled_in(html, values)
    except TemplateError as fault:
        raise Unacceptable(fault.message, fault.remedy) from fault
    missing = dict.fromkeys((*line.missing, *body.missing, *(markup.missing if markup else ())))
    return Rendered(
        subject=" ".join(line.text.split()),
        text=body.text,
        missing=list(missing),
        html=lines_as_html(body.text) if markup is None else markup.text,
    )


async def _changeable(asker: Asker, template_id: int) -> Row:
    """One's own, or as an admin a shared one."""
    record = await access_template(asker, template_id)
    if record["maker_id"] != asker.user_id and not asker.is_admin:
        raise Forbidden("Only who made a template, and admins, change it.", "Make one of your own from its text.")
    locked = await fetch_row("SELECT * FROM templates WHERE id = $1 FOR UPDATE", template_id)
    return locked if locked is not None else await access_template(asker, template_id)


Columns = tuple[str, str, str, str, int | None, str, str, str | None]
"""Those from `kind` to `html`."""


def _checked(given: SaveTemplate) -> Columns:
    """The columns as they are kept."""
    folder = check_folder(given.folder)
    html = None if given.html is None else _checked_markup(given.html)
    parts = {"subject": " ".join(given.subject.split()), "text": given.text if html is None else markup_text(html)}
    for field, source in parts.items():
        if "\x00" in source:
            raise refuse(field, "There is a character in it that no mail can hold.", "Write it anew.")
        try:
            check(source)
        except TemplateError as fault:
            raise Unacceptable(fault.message, fault.remedy, fields={field: fault.message}, line=fault.line) from fault
    subject = "" if given.kind == "snippet" else parts["subject"]
    team_id = given.team_id if given.shared == "team" else None
    return given.kind, check_name(given.name), folder, given.shared, team_id, subject, parts["text"], html


def _checked_markup(given: str) -> str:
    try:
        return clean_markup(given)
    except TemplateError as fault:
        raise Unacceptable(fault.message, fault.remedy, fields={"html": fault.message}, line=fault.line) from fault
