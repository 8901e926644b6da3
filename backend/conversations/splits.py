"""Conversations that a person has parted: mail never joins two of them, whatever it names."""

from collections.abc import Collection

from backend.database.connection import execute, fetch


async def note_split(conversation_id: int, split_id: int) -> None:
    """From now on mail joins these two no more."""
    await execute(
        "INSERT INTO conversation_splits (conversation_id, split_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        *sorted((conversation_id, split_id)),
    )


async def forget_splits(conversation_ids: list[int]) -> None:
    """A person unites what was parted: these may be one again."""
    await execute(
        "DELETE FROM conversation_splits WHERE conversation_id = ANY($1) AND split_id = ANY($1)", conversation_ids
    )


async def parted_pairs(conversation_ids: Collection[int]) -> set[frozenset[int]]:
    """Those of these conversations, by two, that mail must not join. What was parted from a part is from the whole."""
    records = await fetch(
        "SELECT coalesce(a.joined_into, a.id) AS one, coalesce(b.joined_into, b.id) AS other "
        "FROM conversation_splits s JOIN conversations a ON a.id = s.conversation_id "
        "JOIN conversations b ON b.id = s.split_id "
        "WHERE coalesce(a.joined_into, a.id) = ANY($1) AND coalesce(b.joined_into, b.id) = ANY($1)",
        list(conversation_ids),
    )
    return {frozenset((record["one"], record["other"])) for record in records if record["one"] != record["other"]}
