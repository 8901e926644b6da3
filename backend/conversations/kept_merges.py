"""What conversations were before a person merged them, so that it can be taken back (`unmerging.py`).

Kept as numbers and states, never as words: what a message or a comment says stands in its own row alone.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from backend.conversations.contracts import Activity, Status, Visibility
from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value

CONTENTS = ("messages", "comments", "activities", "drafts", "outgoing", "notifications", "comment_files")
"""Tables whose rows stand in a conversation."""


class KeptMark(msgspec.Struct, frozen=True):
    """The read mark of one person, with their reminder."""

    user_id: int
    read_up_to: int
    forced_unread: bool
    revision: int
    remind_at: datetime | None
    remind_kind: str
    remind_if_silent: bool
    remind_due: bool
    comments_read_up_to: int

    @property
    def reminder(self) -> tuple[datetime | None, str, bool, bool]:
        return self.remind_at, self.remind_kind, self.remind_if_silent, self.remind_due


class KeptShare(msgspec.Struct, frozen=True):
    user_id: int | None
    team_id: int | None
    shared_by: int
    created_at: datetime

    @property
    def whom(self) -> tuple[int | None, int | None]:
        return self.user_id, self.team_id


class KeptState(msgspec.Struct, frozen=True):
    """The team's state of one conversation, who is concerned, with whom it is shared, and each person's mark."""

    status: Status
    visibility: Visibility
    assignee_id: int | None
    assigned_team_id: int | None
    tag_ids: list[int]
    follower_ids: list[int]
    unfollowed_ids: list[int]
    people: list[tuple[int, Literal["mentioned", "added", "closed"]]]
    shares: list[KeptShare]
    marks: list[KeptMark]

    @property
    def assigned(self) -> tuple[int | None, int | None]:
        return self.assignee_id, self.assigned_team_id


class KeptConversation(msgspec.Struct, frozen=True):
    """One of those that were merged. `contents`: ids by table; `joined`: whose addresses led to it."""

    id: int
    state: KeptState
    contents: dict[str, list[int]]
    joined: list[int]


class Kept(msgspec.Struct, frozen=True):
    """`survivor` before and `after` the merge; `last_...`: the newest in it then."""

    survivor: KeptConversation
    after: KeptState
    others: list[KeptConversation]
    last_message: int
    last_comment: int
    last_arrival: int


_decoder = msgspec.json.Decoder(Kept)


async def look_at(conversation_id: int) -> KeptConversation:
    """The conversation as it is at this moment of the transaction."""
    contents = {
        table: [record["id"] for record in await fetch(_IDS.format(table=table), conversation_id)] for table in CONTENTS
    }
    joined = await fetch("SELECT id FROM conversations WHERE joined_into = $1 ORDER BY id", conversation_id)
    return KeptConversation(
        conversation_id, await state_of(conversation_id), contents, [record["id"] for record in joined]
    )


_IDS = "SELECT id FROM {table} WHERE conversation_id = $1 ORDER BY id"


async def state_of(conversation_id: int) -> KeptState:
    record = await fetch_row("SELECT * FROM conversations WHERE id = $1", conversation_id)
    assert record is not None
    people = await fetch(
        "SELECT user_id, reason FROM conversation_people WHERE conversation_id = $1 ORDER BY id", conversation_id
    )
    shares = await fetch(
        "SELECT user_id, team_id, shared_by, created_at FROM conversation_shares "
        "WHERE conversation_id = $1 ORDER BY id",
        conversation_id,
    )
    marks = await fetch("SELECT * FROM read_marks WHERE conversation_id = $1 ORDER BY user_id", conversation_id)
    return KeptState(
        status=record["status"],
        visibility=record["visibility"],
        assignee_id=record["assignee_id"],
        assigned_team_id=record["assigned_team_id"],
        tag_ids=list(record["tag_ids"]),
        follower_ids=list(record["follower_ids"]),
        unfollowed_ids=list(record["unfollowed_ids"]),
        people=[(each["user_id"], each["reason"]) for each in people],
        shares=[KeptShare(**_fields(each, KeptShare)) for each in shares],
        marks=[KeptMark(**_fields(each, KeptMark)) for each in marks],
    )


def _fields(record: Row, struct: type[msgspec.Struct]) -> dict[str, Any]:
    return {name: record[name] for name in struct.__struct_fields__}


async def keep(survivor: KeptConversation, others: Sequence[KeptConversation], activity: Activity) -> None:
    """Keep what these conversations were before they were merged, as the line of the trail tells."""
    newest = await fetch_row(
        "SELECT coalesce(max(id), 0) AS message, coalesce(max(arrival), 0) AS arrival, "
        "(SELECT coalesce(max(id), 0) FROM comments WHERE conversation_id = $1) AS comment "
        "FROM messages WHERE conversation_id = $1",
        survivor.id,
    )
    assert newest is not None
    kept = Kept(
        survivor=survivor,
        after=await state_of(survivor.id),
        others=list(others),
        last_message=newest["message"],
        last_comment=newest["comment"],
        last_arrival=newest["arrival"],
    )
    await execute(
        "INSERT INTO conversation_merges (conversation_id, activity_id, kept) VALUES ($1, $2, $3)",
        survivor.id,
        activity.id,
        msgspec.json.encode(kept).decode(),
    )


async def take_kept(activity_id: int) -> Kept | None:
    """What was kept of a merge, once: after this it is kept no more."""
    kept = await fetch_value("DELETE FROM conversation_merges WHERE activity_id = $1 RETURNING kept", activity_id)
    return _decoder.decode(kept) if kept else None


async def let_all_go(conversation_id: int) -> None:
    """No merge of which the trail of this conversation tells can be taken back any more, nor one within another."""
    await execute(
        "DELETE FROM conversation_merges m USING activities a WHERE a.id = m.activity_id AND a.conversation_id = $1",
        conversation_id,
    )


async def let_go_of(conversation_id: int, parted_ids: Sequence[int]) -> None:
    """These have left what this conversation holds: no other merge in it, taken back later, takes them along, nor what
    is theirs."""
    theirs = {
        table: {
            record["id"]
            for record in await fetch(f"SELECT id FROM {table} WHERE conversation_id = ANY($1)", list(parted_ids))
        }
        for table in CONTENTS
    }
    for record in await fetch(
        "SELECT m.activity_id, m.kept FROM conversation_merges m JOIN activities a ON a.id = m.activity_id "
        "WHERE a.conversation_id = $1 FOR UPDATE OF m",
        conversation_id,
    ):
        kept = _decoder.decode(record["kept"])
        others = [
            msgspec.structs.replace(
                each,
                joined=[one for one in each.joined if one not in parted_ids],
                contents={
                    table: [one for one in ids if one not in theirs[table]] for table, ids in each.contents.items()
                },
            )
            for each in kept.others
        ]
        if others != kept.others:
            await execute(
                "UPDATE conversation_merges SET kept = $2 WHERE activity_id = $1",
                record["activity_id"],
                msgspec.json.encode(msgspec.structs.replace(kept, others=others)).decode(),
            )
