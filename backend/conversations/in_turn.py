"""New conversations of a group mailbox, given to its people in turn: the next one, or whoever has the fewest open.

Called where mail that arrived is stored, in that transaction, which holds the mailbox's threads: two processes that
store mail of one mailbox wait for each other, so that the turn goes round as if one did it all. Only what begins with
mail that people are to notice is given out: no history, no spam, nothing that stands done already.

Who is away, has no access any more, or may not see a confidential conversation is passed over. Where nobody is left,
the conversation is nobody's, as without all this.
"""

from collections.abc import Collection, Mapping, Sequence

from backend.conversations.actions import add_activity
from backend.conversations.change import changing
from backend.conversations.contracts import ConversationChanged
from backend.conversations.following import let_follow
from backend.conversations.rows import viewers
from backend.database.connection import Row, execute, fetch, fetch_value
from backend.notifications.actions import notify


async def assign_in_turn(mailbox: Row, begun: Collection[int]) -> None:
    """Give out those of the new conversations that want somebody. `mailbox` is its record; off costs nothing."""
    if mailbox["in_turn"] == "off" or not begun:
        return
    waiting = await fetch(
        "SELECT id, visibility FROM conversations WHERE id = ANY($1) AND status = 'open' AND NOT hidden "
        "AND last_arrival > 0 AND assignee_id IS NULL AND assigned_team_id IS NULL ORDER BY last_arrival",
        list(begun),
    )
    people = await _here(mailbox) if waiting else []
    if not people:
        return
    loads = await _loads(mailbox["id"], people) if mailbox["in_turn"] == "least_busy" else dict.fromkeys(people, 0)
    last: int | None = await fetch_value("SELECT in_turn_last FROM mailboxes WHERE id = $1 FOR UPDATE", mailbox["id"])
    for conversation in waiting:
        able = people
        if conversation["visibility"] == "confidential":
            seeing = set(await viewers(conversation["id"]))
            able = [user_id for user_id in people if user_id in seeing]
        if not able:
            continue
        last = choose(able, loads, last)
        if mailbox["in_turn"] == "least_busy":
            loads[last] += 1
        await _assign(conversation["id"], last)
    await execute("UPDATE mailboxes SET in_turn_last = $2 WHERE id = $1", mailbox["id"], last)


def choose(able: Sequence[int], loads: Mapping[int, int], last: int | None) -> int:
    """Who is next of these people: with the smallest load, and of several the first one after `last`. Pure."""
    return min(able, key=lambda user_id: (loads[user_id], user_id <= (last or 0), user_id))


async def _here(mailbox: Row) -> list[int]:
    """Who takes part and is not away, by id."""
    records = await fetch(
        "SELECT r.user_id FROM mailbox_readers r JOIN users u ON u.id = r.user_id WHERE r.mailbox_id = $1 "
        "AND (cardinality($2::bigint[]) = 0 OR r.user_id = ANY($2)) "
        "AND (u.away_until IS NULL OR u.away_until <= now()) ORDER BY r.user_id",
        mailbox["id"],
        list(mailbox["in_turn_ids"]),
    )
    return [record["user_id"] for record in records]


async def _loads(mailbox_id: int, people: Collection[int]) -> dict[int, int]:
    """How many open conversations of the mailbox each of them has."""
    records = await fetch(
        "SELECT assignee_id, count(*) AS number FROM conversations WHERE assignee_id = ANY($2) AND mailbox_id = $1 "
        "AND status = 'open' AND joined_into IS NULL AND NOT hidden GROUP BY assignee_id",
        mailbox_id,
        list(people),
    )
    return dict.fromkeys(people, 0) | {record["assignee_id"]: record["number"] for record in records}


async def _assign(conversation_id: int, user_id: int) -> None:
    async with changing(None, conversation_id) as change:
        await execute("UPDATE conversations SET assignee_id = $2 WHERE id = $1", conversation_id, user_id)
        await let_follow(conversation_id, [user_id])
        activity = await add_activity(change, "assigned_in_turn", subject_id=user_id)
        change.tell(lambda row: ConversationChanged(row=row, activity=activity))
        await notify(change.act, [user_id], "assignment", conversation_id, None, "")
