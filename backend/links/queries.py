"""Saved links are for everybody of the organisation."""

from backend.database.connection import Row, fetch, fetch_row
from backend.errors import NotFound
from backend.links.addresses import fields_of
from backend.links.contracts import SavedLink

LONGEST_QUERY = 200


def link_of(record: Row) -> SavedLink:
    return SavedLink(
        id=record["id"],
        kind=record["kind"],
        name=record["name"],
        url=record["url"],
        fields=fields_of(record["url"]),
        uses=record["uses"],
        version=record["version"],
        updated_at=record["updated_at"],
    )


async def list_links(q: str = "") -> list[SavedLink]:
    """All of them by name; with `q`, those with all its words in name, kind or address."""
    words = q.replace("\x00", " ").lower()[:LONGEST_QUERY].split()
    records = await fetch(
        "SELECT l.* FROM saved_links l WHERE NOT EXISTS (SELECT 1 FROM unnest($1::text[]) AS w(word) WHERE "
        "position(fold_accents(w.word) in fold_accents(lower(l.name || ' ' || l.kind || ' ' || l.url))) = 0) "
        "ORDER BY lower(l.name), l.id",
        words,
    )
    return [link_of(record) for record in records]


async def read_link(link_id: int) -> Row:
    """Raises NotFound."""
    record = await fetch_row("SELECT * FROM saved_links WHERE id = $1", link_id)
    if record is None:
        raise NotFound("There is no such link.", "An admin may have deleted it.")
    return record
