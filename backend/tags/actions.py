"""Tags made, changed and deleted, put on conversations and taken from them."""

from collections.abc import Mapping

from backend.access.asker import Asker
from backend.conversations.change import ConversationChange, handling
from backend.conversations.contracts import ConversationChanged, ConversationItem
from backend.conversations.rows import item_for
from backend.conversations.trail import add_activity
from backend.conversations.wishes import wish_renamed, wish_tagged, wish_untagged
from backend.database.connection import execute, fetch, fetch_value
from backend.errors import NotFound, Unacceptable
from backend.events.record import ORGANISATION, action
from backend.tags.contracts import ChangeTags, SaveTag, Tag, TagChanged, TagGone
from backend.tags.keywords import keyword_for
from backend.tags.queries import read_keywords, read_tags

COLOURS = 10
LONGEST_NAME = 40
MOST_TAGS = 500
MOST_ON_ONE = 50
LOCK = 7_264_341
"""Key of the advisory lock under which names are compared."""


async def create_tag(asker: Asker, given: SaveTag) -> Tag:
    """A new tag; anybody may make one. Raises Unacceptable for a name that is taken, or too many tags."""
    async with action(asker.user_id) as act:
        name, colour = await _checked(given, besides=0)
        count = await fetch_value("SELECT count(*) FROM tags")
        if count >= MOST_TAGS:
            raise Unacceptable(f"There are {MOST_TAGS} tags already.", "Delete some that nobody needs.")
        chosen = count % COLOURS if colour is None else colour
        tag_id = await fetch_value("INSERT INTO tags (name, colour) VALUES ($1, $2) RETURNING id", name, chosen)
        await _name_on_servers(tag_id, name)
        tag = Tag(id=tag_id, name=name, colour=chosen)
        act.record(ORGANISATION, TagChanged(tag=tag))
    return tag


async def save_tag(asker: Asker, tag_id: int, given: SaveTag) -> Tag:
    """Rename or recolour a tag, wherever it is."""
    async with action(asker.user_id) as act:
        name, colour = await _checked(given, besides=tag_id)
        before = await _read(tag_id)
        tag = Tag(id=tag_id, name=name, colour=before.colour if colour is None else colour)
        if tag != before:
            await execute("UPDATE tags SET name = $2, colour = $3 WHERE id = $1", tag_id, tag.name, tag.colour)
            was = (await read_keywords([tag_id])).get(tag_id, "")
            keyword = await _name_on_servers(tag_id, tag.name)
            if was and keyword != was:
                await wish_renamed(tag_id, was, keyword)
            act.record(ORGANISATION, TagChanged(tag=tag))
    return tag


async def delete_tag(asker: Asker, tag_id: int) -> None:
    """Nobody sees it any more. Conversations keep the number, which means nothing and is never given out again."""
    async with action(asker.user_id) as act:
        await _read(tag_id)
        if keyword := (await read_keywords([tag_id])).get(tag_id):
            await wish_renamed(tag_id, keyword)
        await execute("DELETE FROM tags WHERE id = $1", tag_id)
        act.record(ORGANISATION, TagGone(tag_id=tag_id))


async def change_tags(asker: Asker, conversation_id: int, wanted: ChangeTags) -> ConversationItem:
    """Put tags on a conversation and take others from it. Raises Unacceptable for a tag that is gone, or too many."""
    async with handling(asker, conversation_id) as change:
        before: list[int] = list(change.before["tag_ids"])
        tags = {tag.id: tag for tag in await read_tags([*wanted.add, *wanted.remove])}
        if missing := set(wanted.add) - tags.keys():
            raise Unacceptable("This tag was deleted meanwhile.", "Choose another one.", tag_ids=sorted(missing))
        kept = [tag_id for tag_id in before if tag_id not in wanted.remove]
        after = list(dict.fromkeys([*kept, *wanted.add]))
        if len(after) > MOST_ON_ONE:
            raise Unacceptable(f"A conversation has at most {MOST_ON_ONE} tags.", "Take one away first.")
        await put_tags(change, after, {tag.id: tag.name for tag in tags.values()})
        keywords = await read_keywords(sorted(set(before) ^ set(after)))
        for tag_id in sorted(keywords):
            await (wish_tagged if tag_id in after else wish_untagged)(conversation_id, keywords[tag_id])
    return await item_for(asker, conversation_id, change.row)


async def put_tags(change: ConversationChange, after: list[int], names: Mapping[int, str]) -> None:
    """Let a conversation have these tags from now on, and tell of those that came and went. `names` are theirs."""
    before: list[int] = list(change.before["tag_ids"])
    if after == before:
        return
    await execute("UPDATE conversations SET tag_ids = $2 WHERE id = $1", change.conversation_id, after)
    for kind, ids in (("tagged", set(after) - set(before)), ("untagged", set(before) - set(after))):
        for tag_id in sorted(ids & names.keys()):
            said = await add_activity(change, kind, subject_id=tag_id, value=names[tag_id])
            change.tell(lambda row, said=said: ConversationChanged(row=row, activity=said))


async def _name_on_servers(tag_id: int, name: str) -> str:
    """Give a tag its keyword, one that no other tag has. Call under the lock."""
    others = await fetch("SELECT lower(keyword) AS keyword FROM tags WHERE id <> $1", tag_id)
    keyword = keyword_for(name, tag_id, {record["keyword"] for record in others})
    await execute("UPDATE tags SET keyword = $2 WHERE id = $1", tag_id, keyword)
    return keyword


async def _read(tag_id: int) -> Tag:
    found = await read_tags([tag_id])
    if not found:
        raise NotFound("There is no such tag.", "It may have been deleted meanwhile.")
    return found[0]


async def _checked(given: SaveTag, *, besides: int) -> tuple[str, int | None]:
    """The name and colour, if they may be; names are compared under a lock."""
    name = " ".join(given.name.split())
    if not name or len(name) > LONGEST_NAME:
        raise Unacceptable(f"A tag's name has 1 to {LONGEST_NAME} characters.", "Choose a shorter one.")
    if given.colour is not None and not 0 <= given.colour < COLOURS:
        raise Unacceptable("There is no such colour.", f"Choose one from 0 to {COLOURS - 1}.")
    await execute("SELECT pg_advisory_xact_lock($1)", LOCK)
    if await fetch_value("SELECT 1 FROM tags WHERE lower(name) = lower($1) AND id <> $2", name, besides):
        raise Unacceptable("There is a tag of this name already.", "Use that one, or choose another name.")
    return name, given.colour
