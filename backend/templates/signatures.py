"""Signatures: of a person and of a mailbox. A mail has one of them, or none; it is filled in when that is frozen."""

import asyncio

from backend.access.asker import Asker
from backend.database.connection import execute, fetch_row
from backend.errors import Conflict, Unacceptable
from backend.events.record import action
from backend.templates.contracts import Rendered, RenderFor, SaveSignature, Signature
from backend.templates.filling import values_for
from backend.templates.language import TemplateError
from backend.templates.markup import clean_markup, filled_in
from sync.mime.composed import composed_text, pictures_in

LONGEST = 20_000
"""Characters: it stands below every mail."""


async def read_signature(*, user_id: int | None = None, mailbox_id: int | None = None) -> Signature:
    """Of that person, or of that mailbox."""
    record = await fetch_row(
        "SELECT html, version FROM signatures WHERE user_id = $1 OR mailbox_id = $2", user_id, mailbox_id
    )
    return Signature(html=record["html"], version=record["version"]) if record else Signature(html="", version=0)


async def save_signature(
    asker: Asker, given: SaveSignature, *, user_id: int | None = None, mailbox_id: int | None = None
) -> Signature:
    """Write it anew. Raises Unacceptable for what is no template, Conflict when somebody changed it meanwhile."""
    html = await asyncio.to_thread(_checked, given.html)
    async with action(asker.user_id):
        await execute(
            "INSERT INTO signatures (user_id, mailbox_id, html, version, updated_at) VALUES ($1, $2, '', 0, now()) "
            "ON CONFLICT DO NOTHING",
            user_id,
            mailbox_id,
        )
        before = await fetch_row(
            "SELECT * FROM signatures WHERE user_id = $1 OR mailbox_id = $2 FOR UPDATE", user_id, mailbox_id
        )
        assert before is not None
        if before["version"] != given.version:
            raise Conflict(
                "Somebody changed this signature meanwhile.",
                "Look at theirs, then save yours.",
                stored=before["html"],
                version=before["version"],
            )
        await execute(
            "UPDATE signatures SET html = $2, version = version + 1, updated_at = now() WHERE id = $1",
            before["id"],
            html,
        )
    return Signature(html=html, version=given.version + 1)


async def filled_signature(asker: Asker, whose: str, mailbox_id: int, wanted: RenderFor) -> Rendered | None:
    """The signature of the person, or of the mailbox, as it reads in this mail; None where there is none."""
    if whose not in ("person", "mailbox"):
        return None
    person = {"user_id": asker.user_id} if whose == "person" else {"mailbox_id": mailbox_id}
    html = (await read_signature(**person)).html
    if not html:
        return None
    rendering = await asyncio.to_thread(filled_in, html, await values_for(asker, wanted))
    text = composed_text(rendering.text)
    return Rendered(subject="", text=text, missing=list(rendering.missing), html=rendering.text)


def _checked(given: str) -> str:
    if len(given) > LONGEST:
        raise Unacceptable("This is too long for a signature.", "It stands below every mail: leave something out.")
    try:
        html = clean_markup(given)
    except TemplateError as fault:
        raise Unacceptable(fault.message, fault.remedy, fields={"html": fault.message}) from fault
    return html if composed_text(html).strip() or pictures_in(html) else ""
