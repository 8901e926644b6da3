"""What mail is marked with on the server that people see here: the star (`Flagged`) and tags (keywords, RFC 9051
section 2.3.2).

Both are a function of what is known of a conversation's messages (`MARKED`): a wish that the server has not confirmed
wins, then what its folders say, then what was so when the message stood in one last. So it comes to the same in
whatever order a server, a job and a person come. It is worked out again for what has changed alone: a tag stays where
no server says anything of it, one that does not keep keywords among them.

Everything runs inside the caller's action.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from backend.conversations.change import changing
from backend.conversations.starring import put_star
from backend.conversations.wishes import FLAGGED, marked
from backend.database.connection import Row, execute, fetch
from backend.mail.flag_words import FLAG, Labels, flags_json, is_label
from backend.tags.actions import MOST_ON_ONE, put_tags

_STARRED = (
    "(SELECT coalesce(bool_or({flagged}), false) FROM messages m WHERE m.conversation_id = c.id AND m.gone_at IS NULL)"
)


async def labels_follow(changed: Labels, *, confirmed: Collection[int] = ()) -> None:
    """These labels of messages of these conversations have changed, or wishes about them are at an end (`confirmed`:
    their ids, in this transaction)."""
    for number in await _with_wrong_star(changed, confirmed):
        async with changing(None, number) as change:
            for record in await _stars([number], confirmed):  # who has acted since is seen here
                await put_star(change, record["starred"])
    for number in sorted({record["conversation_id"] for record in await _tags(changed, confirmed)}):
        async with changing(None, number) as change:
            wrong = await _tags({number: changed[number]}, confirmed)
            names = {record["id"]: record["name"] for record in wrong}
            off = {record["id"] for record in wrong if not record["on"]}
            kept = [tag_id for tag_id in change.before["tag_ids"] if tag_id not in off]
            await put_tags(change, [*kept, *(tag_id for tag_id in names if tag_id not in off)][:MOST_ON_ONE], names)


async def labels_begin(marked_with: Labels) -> None:
    """The same for what new messages are marked with, which are told by whoever stores those."""
    await stars_settle([number for number, labels in marked_with.items() if FLAG.lower() in labels])
    tags = [record for record in await _tags(marked_with, ()) if record["on"]]
    if not tags:
        return
    await execute(
        "UPDATE conversations c SET tag_ids = (c.tag_ids || w.ids)[:$3::int], version = c.version + 1 "
        "FROM (SELECT id, array_agg(tag_id ORDER BY tag_id) AS ids FROM unnest($1::bigint[], $2::bigint[]) "
        "AS each(id, tag_id) GROUP BY id) w WHERE c.id = w.id",
        [record["conversation_id"] for record in tags],
        [record["id"] for record in tags],
        MOST_ON_ONE,
    )


async def stars_settle(conversation_ids: Collection[int]) -> None:
    """The star of conversations that have got or lost messages, which are told by whoever moved those."""
    wrong = [record["id"] for record in await _stars(conversation_ids, ())]
    if wrong:
        await execute("UPDATE conversations SET starred = NOT starred, version = version + 1 WHERE id = ANY($1)", wrong)


async def _with_wrong_star(changed: Labels, confirmed: Collection[int]) -> list[int]:
    asked = [number for number, labels in changed.items() if FLAG.lower() in labels]
    return [record["id"] for record in await _stars(asked, confirmed)]


async def _stars(conversation_ids: Collection[int], confirmed: Collection[int]) -> Sequence[Row]:
    """Those whose star is not what their messages say, with what it should be, by id."""
    if not conversation_ids:
        return []
    starred = _STARRED.format(flagged=FLAGGED.format(confirmed="$2"))
    return await fetch(
        f"SELECT id, starred FROM (SELECT c.id, c.starred AS was, {starred} AS starred FROM conversations c "
        "WHERE c.id = ANY($1) AND c.joined_into IS NULL) now WHERE was <> starred ORDER BY id",
        sorted(set(conversation_ids)),
        sorted(confirmed),
    )


async def _tags(changed: Labels, confirmed: Collection[int]) -> Sequence[Row]:
    """The tags that conversations have and their messages do not say, or the other way round, with which it is."""
    asked = [(number, label) for number, labels in changed.items() for label in labels if label != FLAG.lower()]
    if not asked:
        return []
    says = marked("w.keyword", "'keyword:' || t.keyword").format(confirmed="$3")
    return await fetch(
        'SELECT c.id AS conversation_id, t.id, t.name, said."on" FROM unnest($1::bigint[], $2::text[]) '
        "AS w(conversation_id, keyword) JOIN tags t ON lower(t.keyword) = w.keyword AND t.keyword <> '' "
        "JOIN conversations c ON c.id = w.conversation_id AND c.joined_into IS NULL CROSS JOIN LATERAL ("
        f'SELECT coalesce(bool_or({says}), false) AS "on" FROM messages m '
        "WHERE m.conversation_id = c.id AND m.gone_at IS NULL) said "
        'WHERE said."on" <> (t.id = ANY(c.tag_ids)) ORDER BY 1, 2',
        [number for number, _ in asked],
        [label for _, label in asked],
        sorted(confirmed),
    )


async def keep_labels(messages: Mapping[int, Iterable[str]]) -> None:
    """What messages are marked with that stand in no folder from now on: all the flags that they had there."""
    if messages:
        await execute(
            "UPDATE messages m SET kept_flags = w.kept FROM unnest($1::bigint[], $2::jsonb[]) AS w(id, kept) "
            "WHERE m.id = w.id AND m.moved_from IS NULL",
            list(messages),
            [flags_json(filter(is_label, flags)) for flags in messages.values()],
        )
