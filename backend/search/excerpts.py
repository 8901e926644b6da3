"""Where in the conversations of a page the words stand: asked for these rows alone, which the person sees."""

from collections.abc import Sequence

from msgspec.structs import replace

from backend.conversations.contracts import ConversationRow
from backend.database.connection import fetch
from backend.search.contracts import Excerpt
from backend.search.lookup import Lookup
from backend.search.marking import mark, pattern
from backend.search.wanted import Term
from backend.search.words import SHOWN, WORDS

LOOKED_AT = 8_000
"""Characters of a text in which a hit is looked for."""

_WHERE = f"""
    SELECT w.id AS conversation_id, m.id AS message_id, m.text, k.id AS comment_id, k.text AS comment,
           f.filename, f.text AS file_text, f.message_id AS file_message_id
      FROM unnest($1::bigint[]) w(id)
      LEFT JOIN LATERAL (SELECT m.id, left(m.body_text, {LOOKED_AT}) AS text
          FROM messages m LEFT JOIN message_words d ON d.message_id = m.id
         WHERE m.conversation_id = w.id AND {SHOWN} AND
               CASE WHEN d.message_id IS NULL THEN {WORDS} @@ $2::text::tsquery ELSE d.search @@ $2::text::tsquery END
         ORDER BY m.date DESC, m.id DESC LIMIT 1) m ON true
      LEFT JOIN LATERAL (SELECT k.id, left(k.text, {LOOKED_AT}) AS text FROM comments k
         WHERE m.id IS NULL AND k.conversation_id = w.id AND k.search @@ $2::text::tsquery
         ORDER BY k.id DESC LIMIT 1) k ON true
      LEFT JOIN LATERAL (SELECT f.filename, left(f.text, {LOOKED_AT}) AS text, f.message_id
          FROM messages m2 JOIN attachment_texts f ON f.message_id = m2.id
         WHERE m.id IS NULL AND k.id IS NULL AND m2.conversation_id = w.id AND m2.gone_at IS NULL AND NOT m2.hidden
           AND f.search @@ $2::text::tsquery ORDER BY m2.date DESC, f.position LIMIT 1) f ON true
"""


async def read_excerpts(rows: Sequence[ConversationRow], shown: Sequence[tuple[Term, Lookup]]) -> list[Excerpt]:
    """Of those conversations that hold what is `shown`, in the order given."""
    anywhere = [each for each in shown if not each[0].key]
    in_text, in_subject = pattern(anywhere), pattern([each for each in shown if each[0].key in ("", "subject")])
    if not rows or (in_text is None and in_subject is None):
        return []
    query = " | ".join(f"({lookup.query})" for _, lookup in anywhere)
    records = await fetch(_WHERE, [row.id for row in rows], query) if anywhere else []
    stands = {record["conversation_id"]: record for record in records}
    excerpts: list[Excerpt] = []
    for row in rows:
        record = stands.get(row.id)
        excerpt = Excerpt(conversation_id=row.id, pieces=[], subject=mark(row.subject, in_subject, cut=False))
        if record is not None and record["message_id"]:
            pieces = mark(record["text"], in_text, cut=True)
            excerpt = replace(excerpt, pieces=pieces, message_id=record["message_id"])
        elif record is not None and record["comment_id"]:
            pieces = mark(record["comment"], in_text, cut=True)
            excerpt = replace(excerpt, pieces=pieces, comment_id=record["comment_id"])
        elif record is not None and record["filename"] is not None:
            pieces = mark(record["file_text"], in_text, cut=True) or mark(record["filename"], in_text, cut=False)
            name, message_id = record["filename"], record["file_message_id"]
            excerpt = replace(excerpt, pieces=pieces, filename=name, message_id=message_id)
        if excerpt.pieces or excerpt.subject:
            excerpts.append(excerpt)
    return excerpts
