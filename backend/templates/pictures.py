"""Pictures of templates and signatures: sent up while one writes them, attached to the mails that show them."""

import secrets
from collections.abc import Sequence

from backend.access.asker import Asker
from backend.access.fetch import READS
from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value
from backend.errors import NotFound, TooLarge, Unacceptable
from backend.events.record import action
from backend.mail.keeping import keep_one
from backend.mail.pictures import KINDS
from backend.templates.contracts import TemplatePicture
from backend.templates.queries import USES
from sync.mime.attachments import safe_filename
from sync.mime.characters import clean_line

LARGEST_PICTURE = 2 * 1024 * 1024
"""Bytes: every mail carries it."""
MOST_PICTURES = 2_000
"""Of one person."""


async def add_picture(asker: Asker, filename: str, content_type: str, content: bytes) -> TemplatePicture:
    """Keep a picture; one that the person sent up before is the same. Raises Unacceptable for what is none, TooLarge
    for one that no mail should carry."""
    kind = clean_line(content_type)[:150].lower()
    if kind not in KINDS:
        raise Unacceptable("Only pictures can stand in the text.", "Choose a PNG, JPEG, GIF or WebP.")
    if len(content) > LARGEST_PICTURE:
        raise TooLarge(f"“{filename[:80]}” is larger than 2 MB, and every mail would carry it.", "Make it smaller.")
    digest = await keep_one(content)
    content_id = f"{secrets.token_hex(12)}@picture"
    async with action(asker.user_id):
        known = await fetch_value(
            "SELECT content_id FROM template_pictures WHERE maker_id = $1 AND digest = $2 AND content_type = $3 "
            "ORDER BY id LIMIT 1",
            asker.user_id,
            digest,
            kind,
        )
        if known is not None:
            return TemplatePicture(content_id=known)
        count = await fetch_row("SELECT count(*) AS number FROM template_pictures WHERE maker_id = $1", asker.user_id)
        if count is not None and count["number"] >= MOST_PICTURES:
            raise Unacceptable(f"You have {MOST_PICTURES} pictures in templates already.", "Delete some templates.")
        await execute(
            "INSERT INTO template_pictures (content_id, maker_id, filename, content_type, size, digest, created_at) "
            "VALUES ($1, $2, $3, $4, $5, $6, now())",
            content_id,
            asker.user_id,
            safe_filename(clean_line(filename))[:200] or "picture",
            kind,
            len(content),
            digest,
        )
    return TemplatePicture(content_id=content_id)


async def access_picture(asker: Asker, content_id: str) -> Row:
    """A picture that the person may see. Raises NotFound."""
    found = await pictures_for(asker, [content_id])
    if not found:
        raise NotFound("There is no such picture.", "It may have been taken out meanwhile.")
    return found[0]


async def pictures_for(asker: Asker, content_ids: Sequence[str]) -> Sequence[Row]:
    """Of these pictures those that the person sent up, or that stand where they may look."""
    return await fetch(
        "SELECT p.* FROM template_pictures p WHERE p.content_id = ANY($2::text[]) AND (p.maker_id = $1 "
        f"OR EXISTS (SELECT 1 FROM templates t WHERE {USES} AND position(p.content_id in t.html) > 0) "
        "OR EXISTS (SELECT 1 FROM signatures s WHERE position(p.content_id in s.html) > 0 "
        f"AND {READS.format(mailbox='s.mailbox_id', user='$1')}) "
        "OR EXISTS (SELECT 1 FROM organisation o WHERE position(p.content_id in o.settings::text) > 0)) "
        "ORDER BY p.id",
        asker.user_id,
        content_ids,
    )
