"""Reading tags. Everybody of the organisation sees all of them; conversations with one are scoped as ever."""

from backend.database.connection import fetch
from backend.tags.contracts import Tag


async def read_tags(tag_ids: list[int] | None = None) -> list[Tag]:
    """These tags (None: all) by name."""
    rows = await fetch(
        "SELECT id, name, colour FROM tags WHERE $1::bigint[] IS NULL OR id = ANY($1) ORDER BY lower(name), id", tag_ids
    )
    return [Tag(id=row["id"], name=row["name"], colour=row["colour"]) for row in rows]


async def read_keywords(tag_ids: list[int]) -> dict[int, str]:
    """What these tags are called on mail servers, those that are."""
    if not tag_ids:
        return {}
    rows = await fetch("SELECT id, keyword FROM tags WHERE id = ANY($1) AND keyword <> ''", tag_ids)
    return {row["id"]: row["keyword"] for row in rows}
