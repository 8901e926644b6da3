"""Showing one conversation to a person or a team that cannot open its mailbox.

A share holds while the conversation is open to its mailbox. Made private or confidential, it is out of their sight at
once; the share is kept, and counts again when it is opened to the mailbox again. Whom it is shared with (a *guest*)
reads, searches, comments, mentions and is mentioned, and follows it live; all else is for users of the mailbox.
"""

from collections.abc import Collection

from backend.access.asker import Asker
from backend.access.fetch import check_handles
from backend.conversations.change import ConversationChange, changing, handling
from backend.conversations.contracts import (
    AddComment,
    ConversationChanged,
    ConversationItem,
    ShareConversation,
)
from backend.conversations.rows import item_for, readers
from backend.conversations.trail import add_activity
from backend.database.connection import execute, fetch, fetch_value
from backend.errors import Unacceptable
from backend.notifications.actions import notify


async def share_conversation(asker: Asker, conversation_id: int, given: ShareConversation) -> ConversationItem:
    """Share it. Raises Unacceptable for a conversation that is not open to its mailbox, or nobody to share it with."""
    async with handling(asker, conversation_id) as change:
        if (given.user_id is None) == (given.team_id is None):
            raise Unacceptable("A conversation is shared with a person or a team.", "Choose one of both.")
        users = [given.user_id] if given.user_id is not None else []
        teams = [given.team_id] if given.team_id is not None else []
        fresh = await share_with(change, users, teams)
        await notify(change.act, sorted(fresh - {asker.user_id}), "share", conversation_id, asker.user_id, "")
    return await item_for(asker, conversation_id, change.row)


async def share_with(change: ConversationChange, user_ids: Collection[int], team_ids: Collection[int]) -> set[int]:
    """Share the conversation under change with these people and teams; answers whom that shows it to.

    Raises Unacceptable unless it is open to its mailbox, and everybody named is here.
    """
    if change.before["visibility"] != "open":
        raise Unacceptable(
            "This conversation is private: only people of its mailbox see it.",
            "Open it to the mailbox first, or give them access to the mailbox.",
        )
    here = await fetch_value("SELECT count(*) FROM users WHERE id = ANY($1) AND active", list(user_ids))
    if here != len(set(user_ids)):
        raise Unacceptable("This person is not here any more.", "Choose somebody else.")
    if await fetch_value("SELECT count(*) FROM teams WHERE id = ANY($1)", list(team_ids)) != len(set(team_ids)):
        raise Unacceptable("There is no such team.", "Choose another one.")
    before = await _seen_by(change.conversation_id)
    for column, kind, ids in (("user_id", "shared", user_ids), ("team_id", "shared_team", team_ids)):
        for number in sorted(set(ids)):
            made = await execute(
                f"INSERT INTO conversation_shares (conversation_id, {column}, shared_by, created_at) "
                "VALUES ($1, $2, $3, now()) ON CONFLICT DO NOTHING",
                change.conversation_id,
                number,
                change.act.actor_id or 0,
            )
            if not made.endswith(" 0"):
                said = await add_activity(change, kind, subject_id=number)
                change.tell(lambda row, said=said: ConversationChanged(row=row, activity=said))
    await execute("UPDATE conversations SET shared = true WHERE id = $1", change.conversation_id)
    return await _seen_by(change.conversation_id) - before


async def unshare_conversation(asker: Asker, conversation_id: int, given: ShareConversation) -> ConversationItem:
    """Take a share back; whoever saw it by that alone loses it at once. Nothing happens if there is none."""
    async with handling(asker, conversation_id) as change:
        await _end(change, given)
    return await item_for(asker, conversation_id, change.row)


async def end_team_share(asker: Asker, conversation_id: int, team_id: int) -> None:
    """A team is dissolved: nothing is shared with it any more, whoever may open it."""
    async with changing(asker.user_id, conversation_id) as change:
        await _end(change, ShareConversation(team_id=team_id))


async def _end(change: ConversationChange, given: ShareConversation) -> None:
    gone = await fetch(
        "DELETE FROM conversation_shares WHERE conversation_id = $1 AND (user_id = $2 OR team_id = $3) "
        "RETURNING user_id, team_id",
        change.conversation_id,
        given.user_id,
        given.team_id,
    )
    for share in gone:
        kind = "unshared" if share["user_id"] is not None else "unshared_team"
        said = await add_activity(change, kind, subject_id=share["user_id"] or share["team_id"])
        change.tell(lambda row, said=said: ConversationChanged(row=row, activity=said))
    await execute(
        "UPDATE conversations SET shared = EXISTS (SELECT 1 FROM conversation_shares WHERE conversation_id = $1) "
        "WHERE id = $1",
        change.conversation_id,
    )


async def _seen_by(conversation_id: int) -> set[int]:
    return {record["v"] for record in await fetch("SELECT v FROM viewers($1) v", conversation_id)}


async def show_to_mentioned(asker: Asker, change: ConversationChange, given: AddComment) -> set[int]:
    """Share the conversation with whoever is mentioned and does not see it; answers whom that shows it to."""
    strangers, strange_teams = await _strangers(change, given.mention_ids, given.team_mention_ids)
    if not strangers and not strange_teams:
        return set()
    await check_handles(asker.user_id, change.mailbox_id)
    return await share_with(change, strangers, strange_teams)


async def check_seers(change: ConversationChange, user_ids: Collection[int], team_ids: Collection[int]) -> set[int]:
    """The members of these teams who see the conversation under change, or will once they are mentioned in it.

    Raises Unacceptable when a person, or nobody of a team, does: the details name them and say whether it can be
    shared.
    """
    strangers, strange_teams = await _strangers(change, user_ids, team_ids)
    if strangers or strange_teams:
        names = [
            record["name"]
            for record in await fetch(
                "SELECT name FROM users WHERE id = ANY($1) UNION ALL SELECT name FROM teams WHERE id = ANY($2)",
                strangers,
                strange_teams,
            )
        ]
        is_open = change.before["visibility"] == "open"
        raise Unacceptable(
            f"{' and '.join(names) or 'This person'} cannot see this conversation.",
            "Share it with them, or leave them out."
            if is_open
            else "It is private: only people of its mailbox see it. Open it to the mailbox first, or leave them out.",
            user_ids=strangers,
            team_ids=strange_teams,
            can_share=is_open,
        )
    return await team_members(team_ids) & await _reached(change) if team_ids else set()


async def team_members(team_ids: Collection[int]) -> set[int]:
    """Everybody in one of these teams."""
    records = await fetch("SELECT user_id FROM team_members WHERE team_id = ANY($1)", list(team_ids))
    return {record["user_id"] for record in records}


async def _strangers(
    change: ConversationChange, user_ids: Collection[int], team_ids: Collection[int]
) -> tuple[list[int], list[int]]:
    """Those of these people, and the teams of which nobody, can be reached in the conversation."""
    if not user_ids and not team_ids:
        return [], []
    reached = await _reached(change)
    teams = await fetch(
        "SELECT id FROM unnest($1::bigint[]) AS t(id) WHERE NOT EXISTS (SELECT 1 FROM team_members m "
        "WHERE m.team_id = t.id AND m.user_id = ANY($2))",
        list(team_ids),
        sorted(reached),
    )
    return sorted(set(user_ids) - reached), [record["id"] for record in teams]


async def _reached(change: ConversationChange) -> set[int]:
    """Who can be mentioned: users of the mailbox (a mention adds them to those concerned), and guests."""
    return {*await readers(change.mailbox_id), *await _seen_by(change.conversation_id)}
