"""The star of conversations follows the Flagged flag of their messages on the server.

It is a function of what is known of the messages (`FLAGGED` in backend/conversations/wishes.py): a wish that the server
has not confirmed wins, then what its folders say, then what was so when the message stood in one last. So it comes to
the same in whatever order a server, a job and a person come. Everything runs inside the caller's action.
"""

from collections.abc import Collection, Mapping, Sequence

from backend.conversations.change import changing
from backend.conversations.starring import put_star
from backend.conversations.wishes import FLAGGED
from backend.database.connection import Row, execute, fetch

FLAG = "\\Flagged"

_STARRED = (
    "(SELECT coalesce(bool_or({flagged}), false) FROM messages m WHERE m.conversation_id = c.id AND m.gone_at IS NULL)"
)


async def stars_follow(conversation_ids: Collection[int], *, confirmed: Collection[int] = ()) -> None:
    """Flags of messages of these conversations have changed, or wishes about them are at an end (`confirmed`)."""
    for record in await _wrong(conversation_ids, confirmed):
        async with changing(None, record["id"]) as change:
            for now in await _wrong([record["id"]], confirmed):  # who has acted since is seen here
                await put_star(change, now["starred"])


async def stars_begin(conversation_ids: Collection[int]) -> None:
    """The same for conversations that get new messages, which are told by whoever stores those."""
    wrong = await _wrong(conversation_ids, ())
    await execute(
        "UPDATE conversations SET starred = NOT starred, version = version + 1 WHERE id = ANY($1)",
        [record["id"] for record in wrong],
    )


async def _wrong(conversation_ids: Collection[int], confirmed: Collection[int]) -> Sequence[Row]:
    """Those whose star is not what their messages say, with what it should be, by id."""
    if not conversation_ids:
        return []
    starred = _STARRED.format(flagged=FLAGGED.format(confirmed="$2"))
    return await fetch(
        f"SELECT * FROM (SELECT c.id, c.starred AS was, {starred} AS starred FROM conversations c "
        "WHERE c.id = ANY($1) AND c.joined_into IS NULL) now WHERE was <> starred ORDER BY id",
        sorted(set(conversation_ids)),
        sorted(confirmed),
    )


async def keep_flagged(messages: Mapping[int, bool]) -> None:
    """Messages that stand in no folder are flagged from now on, or not."""
    if messages:
        await execute(
            "UPDATE messages m SET kept_flags = CASE WHEN w.on THEN (m.kept_flags - '\\Flagged') || "
            "'[\"\\\\Flagged\"]' ELSE m.kept_flags - '\\Flagged' END "
            "FROM unnest($1::bigint[], $2::boolean[]) AS w(id, on) WHERE m.id = w.id",
            list(messages),
            list(messages.values()),
        )
