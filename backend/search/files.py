"""Finding files of mail by their names, among the conversations that the asking person sees."""

import msgspec

from backend.access.asker import Asker
from backend.access.fetch import SEES
from backend.contacts.queries import pattern_of
from backend.database.connection import fetch
from backend.mail.contracts import MailAddress
from backend.search.contracts import FoundFile

PAGE = 30
LONGEST_QUERY = 200


async def find_files(asker: Asker, *, q: str) -> list[FoundFile]:
    """The newest of those whose name holds all these words; none for no words. Pictures in a text are none."""
    words = q.replace("\x00", " ").lower()[:LONGEST_QUERY].split()
    if not words:
        return []
    patterns = [f"%{pattern_of(word)}%" for word in words]
    records = await fetch(
        "SELECT m.id AS message_id, f.*, m.conversation_id, m.subject, m.sender, m.date FROM messages m "
        "JOIN conversations c ON c.id = m.conversation_id CROSS JOIN LATERAL jsonb_to_recordset(m.attachments) "
        "AS f(position int, filename text, content_type text, size bigint, inline boolean) "
        f"WHERE {SEES.format(user='$1')} AND NOT c.hidden AND m.gone_at IS NULL AND NOT m.hidden "
        "AND m.attachments <> '[]' AND attachment_names(m.attachments) LIKE fold_accents($4) AND NOT f.inline "
        "AND fold_accents(lower(f.filename)) LIKE ALL (ARRAY(SELECT fold_accents(unnest($2::text[])))) "
        "ORDER BY m.date DESC, m.id DESC, f.position LIMIT $3",
        asker.user_id,
        patterns,
        PAGE,
        max(patterns, key=len),  # the index serves one
    )
    return [
        FoundFile(
            message_id=record["message_id"],
            position=record["position"],
            filename=record["filename"],
            content_type=record["content_type"],
            size=record["size"],
            conversation_id=record["conversation_id"],
            subject=record["subject"],
            sender=msgspec.json.decode(record["sender"], type=MailAddress) if record["sender"] else None,
            date=record["date"],
        )
        for record in records
    ]
