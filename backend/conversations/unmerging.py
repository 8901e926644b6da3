"""Taking a merge back: each message, comment and draft goes back to the conversation that it came from.

What came since goes where it belongs: mail to the conversation whose mail it answers, a reply that waits with the mail
that it answers; everything else stays in the one that held all. What the merge changed and nobody changed since is as
it was before; what somebody changed since stays so. If something was written since, the one that held all stays as
private as it is, for it was written for those who saw it then. Mail never joins again what a person has parted
(docs/decisions/0014-merging-splitting-moving.md).
"""

from collections.abc import Collection, Sequence

from backend.access.asker import Asker
from backend.access.fetch import check_handles, handled_conversation
from backend.conversations.change import audience_of, hold_membership, tell, tell_sight
from backend.conversations.contracts import (
    Activity,
    ConversationChanged,
    ConversationItem,
    MarkChanged,
)
from backend.conversations.kept_merges import Kept, KeptConversation, KeptMark, let_go_of, take_kept
from backend.conversations.parting import count_comments, keep_told, seers, tell_there
from backend.conversations.rows import activity_of, item_for, mark_of, read_row
from backend.conversations.splits import note_split
from backend.conversations.threads import STRICTNESS, sum_up_all
from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value
from backend.errors import Conflict
from backend.events.record import Action, action, user_stream
from backend.mail.labels import stars_settle
from backend.mail.rekeying import answering, leave_keys_anew
from backend.mail.store import hold_threading
from backend.notifications.actions import tell_notifications_again


async def take_merge_back(asker: Asker, conversation_id: int, activity_id: int) -> ConversationItem:
    """Undo the merge that this line of the conversation's trail tells of; answers the conversation that held all.

    Raises NotFound for what is out of sight, Conflict if it was taken back already, or while a mail is on its way out.
    """
    key = await handled_conversation(asker, conversation_id)
    async with action(asker.user_id) as act:
        await hold_membership(key.mailbox_id)
        await hold_threading(key.mailbox_id)
        await check_handles(asker.user_id, key.mailbox_id)
        holder = await fetch_row(
            "SELECT c.*, EXISTS (SELECT 1 FROM activities a WHERE a.id = $3 AND a.conversation_id = c.id) AS told "
            "FROM conversations c WHERE id = $1 AND joined_into IS NULL AND mailbox_id = $2 AND sees($4, id) "
            "FOR UPDATE",
            key.conversation_id,
            key.mailbox_id,
            activity_id,
            asker.user_id,
        )
        kept = await take_kept(activity_id) if holder is not None and holder["told"] else None
        if holder is None or kept is None:
            raise Conflict("This merge cannot be taken back any more.", "It may have been taken back meanwhile.")
        if await fetch_value(
            "SELECT 1 FROM outgoing WHERE conversation_id = $1 AND state = 'sending' LIMIT 1", holder["id"]
        ):
            raise Conflict("A mail of this conversation is being sent at this moment.", "Try again in a few seconds.")
        await _part(act, holder, kept, activity_id)
    return await item_for(asker, holder["id"])


async def _part(act: Action, holder: Row, kept: Kept, activity_id: int) -> None:
    holder_id, mailbox_id = holder["id"], holder["mailbox_id"]
    before = await audience_of(holder_id)
    now = await fetch("SELECT * FROM read_marks WHERE conversation_id = $1", holder_id)
    marks = {record["user_id"]: record for record in now}
    for other in kept.others:
        await _give_back_contents(holder_id, other, kept.last_message)
        await _give_back_state(holder, other)
        await _give_back_marks(kept, other, marks)
        await note_split(holder_id, other.id)
    await let_go_of(holder_id, [other.id for other in kept.others])
    written = await _written_since(holder_id, kept)
    if holder_id == kept.survivor.id:
        await _restore_survivor(holder, kept, written=written)
        await _restore_marks(act, mailbox_id, kept, marks)
    ids = [holder_id, *(other.id for other in kept.others)]
    await count_comments(ids)
    await leave_keys_anew(mailbox_id, ids)
    await sum_up_all(sorted(ids))
    await stars_settle(ids)
    for other in kept.others:
        await keep_told(holder_id, other.id)
    said = await _say(act, ids, activity_id)
    for other in kept.others:
        await tell_there(act, other.id, said[other.id])
    row = await read_row(holder_id)
    after = await audience_of(holder_id)
    await tell_sight(act, row, before, after)
    tell(act, row, ConversationChanged(row=row, activity=said[holder_id]), after)
    await tell_notifications_again(act, holder_id, await seers(mailbox_id, after))


# ---- what stands in them


async def _give_back_contents(holder_id: int, other: KeptConversation, last_message: int) -> None:
    """Everything that came from the other goes back, and what came since and answers that."""
    messages = other.contents["messages"]
    records = await fetch("SELECT id, message_id FROM messages WHERE conversation_id = $1 ORDER BY id", holder_id)
    theirs = [record["message_id"] for record in records if record["id"] in set(messages)]
    since = [record["id"] for record in records if record["id"] > last_message and record["id"] not in set(messages)]
    ours = [record["message_id"] for record in records if record["id"] not in {*messages, *since}]
    going = [*messages, *await answering(since, theirs, ours)]
    for table in ("messages", "comments", "activities"):
        ids = going if table == "messages" else other.contents[table]
        await execute(
            f"UPDATE {table} SET conversation_id = $1 WHERE conversation_id = $2 AND id = ANY($3)",
            other.id,
            holder_id,
            ids,
        )
    for table in ("drafts", "outgoing"):
        await execute(
            f"UPDATE {table} SET conversation_id = $1 WHERE conversation_id = $2 AND (id = ANY($3) "
            "OR answers_id = ANY($4))",
            other.id,
            holder_id,
            other.contents[table],
            going,
        )
    comments = other.contents["comments"]
    await execute(
        "UPDATE comment_files SET conversation_id = $1 WHERE conversation_id = $2 AND (comment_id = ANY($3) "
        "OR (comment_id IS NULL AND id = ANY($4)))",
        other.id,
        holder_id,
        comments,
        other.contents["comment_files"],
    )
    # One that tells of something said since, too, stays with that.
    await execute(
        "UPDATE notifications SET conversation_id = $1 WHERE conversation_id = $2 AND (message_id = ANY($3) "
        "OR comment_id = ANY($4) OR (id = ANY($5) AND message_id IS NULL AND comment_id IS NULL))",
        other.id,
        holder_id,
        going,
        comments,
        other.contents["notifications"],
    )


async def _written_since(holder_id: int, kept: Kept) -> bool:
    """Whether the one that held all has mail, comments or drafts of after the merge."""
    return await fetch_value(
        "SELECT EXISTS (SELECT 1 FROM messages WHERE conversation_id = $1 AND id > $2) OR EXISTS "
        "(SELECT 1 FROM comments WHERE conversation_id = $1 AND id > $3) OR EXISTS "
        "(SELECT 1 FROM drafts WHERE conversation_id = $1 AND id <> ALL($4)) OR EXISTS "
        "(SELECT 1 FROM outgoing WHERE conversation_id = $1 AND id <> ALL($5))",
        holder_id,
        kept.last_message,
        kept.last_comment,
        kept.survivor.contents["drafts"],
        kept.survivor.contents["outgoing"],
    )


# ---- the team's state


async def _give_back_state(holder: Row, other: KeptConversation) -> None:
    """The other stands for itself again, as it was; who or what is not there any more is left out."""
    state, mailbox_id = other.state, holder["mailbox_id"]
    await execute(
        "UPDATE conversations SET joined_into = NULL, status = $2, visibility = $3, "
        "assignee_id = (SELECT user_id FROM mailbox_readers WHERE mailbox_id = $1 AND user_id = $4), "
        "assigned_team_id = (SELECT id FROM teams WHERE id = $5), "
        "tag_ids = ARRAY(SELECT t FROM unnest($6::bigint[]) t WHERE EXISTS (SELECT 1 FROM tags WHERE id = t)), "
        "follower_ids = $7, unfollowed_ids = $8 WHERE id = $9",
        mailbox_id,
        state.status,
        state.visibility,
        state.assignee_id,
        state.assigned_team_id,
        state.tag_ids,
        state.follower_ids,
        state.unfollowed_ids,
        other.id,
    )
    if other.joined:
        await execute(
            "UPDATE conversations SET joined_into = $1 WHERE id = ANY($2) AND joined_into = $3",
            other.id,
            other.joined,
            holder["id"],
        )
    await execute(
        "INSERT INTO conversation_shares (conversation_id, user_id, team_id, shared_by, created_at) "
        "SELECT $1, s.user_id, s.team_id, s.shared_by, s.at FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], "
        "$5::timestamptz[]) AS s(user_id, team_id, shared_by, at) "
        "WHERE EXISTS (SELECT 1 FROM users u WHERE u.id = s.user_id) "
        "OR EXISTS (SELECT 1 FROM teams t WHERE t.id = s.team_id) ON CONFLICT DO NOTHING",
        other.id,
        [share.user_id for share in state.shares],
        [share.team_id for share in state.shares],
        [share.shared_by for share in state.shares],
        [share.created_at for share in state.shares],
    )
    await _note_shared(other.id)


async def _restore_survivor(holder: Row, kept: Kept, *, written: bool) -> None:
    """What the merge changed in the one that held all is as before, unless somebody changed it since."""
    was, became = kept.survivor.state, kept.after
    assigned = (holder["assignee_id"], holder["assigned_team_id"])
    assignee_id, team_id = was.assigned if assigned == became.assigned else assigned
    status = was.status if holder["status"] == became.status else holder["status"]
    visibility = was.visibility if holder["visibility"] == became.visibility else holder["visibility"]
    if written:
        visibility = max(visibility, holder["visibility"], key=STRICTNESS.index)
    await execute(
        "UPDATE conversations SET status = $2, visibility = $3, "
        "assigned_team_id = (SELECT id FROM teams WHERE id = $5), "
        "assignee_id = (SELECT user_id FROM mailbox_readers WHERE mailbox_id = conversations.mailbox_id "
        "AND user_id = $4), tag_ids = $6, follower_ids = $7, unfollowed_ids = $8 WHERE id = $1",
        holder["id"],
        status,
        visibility,
        assignee_id,
        team_id,
        _without(holder["tag_ids"], became.tag_ids, was.tag_ids),
        _without(holder["follower_ids"], became.follower_ids, was.follower_ids),
        _without(holder["unfollowed_ids"], became.unfollowed_ids, was.unfollowed_ids),
    )
    for user_id, reason in set(became.people) - set(was.people):
        # Who was mentioned since is concerned by that.
        await execute(
            "DELETE FROM conversation_people WHERE conversation_id = $1 AND user_id = $2 AND reason = $3 "
            "AND NOT (reason = 'mentioned' AND EXISTS (SELECT 1 FROM comments k WHERE k.conversation_id = $1 "
            "AND (k.mention_ids @> ARRAY[$2::bigint] OR EXISTS (SELECT 1 FROM team_members t "
            "WHERE t.user_id = $2 AND k.team_mention_ids @> ARRAY[t.team_id]))))",
            holder["id"],
            user_id,
            reason,
        )
    shared_before = {share.whom for share in was.shares}
    for share in became.shares:
        if share.whom not in shared_before:
            await execute(
                "DELETE FROM conversation_shares WHERE conversation_id = $1 AND (user_id = $2 OR team_id = $3)",
                holder["id"],
                share.user_id,
                share.team_id,
            )
    await _note_shared(holder["id"])


def _without(now: Sequence[int], became: Collection[int], was: Collection[int]) -> list[int]:
    """What is there now but what the merge alone brought."""
    return [each for each in now if each in was or each not in became]


async def _note_shared(conversation_id: int) -> None:
    await execute(
        "UPDATE conversations SET shared = EXISTS (SELECT 1 FROM conversation_shares WHERE conversation_id = $1) "
        "WHERE id = $1",
        conversation_id,
    )


# ---- what each person has read, and wants to be reminded of


async def _give_back_marks(kept: Kept, other: KeptConversation, now: dict[int, Row]) -> None:
    """Each person's mark of the other: as it was, or read if they have read the whole since."""
    after = {mark.user_id: mark for mark in kept.after.marks}
    survivors = {mark.user_id: mark for mark in kept.survivor.state.marks}
    mine = {mark.user_id: mark for mark in other.state.marks}
    # Also of those who have no mark of the whole: a mark that comes back has to have a higher number than before.
    for user_id in sorted({*now, *mine}):
        was = mine.get(user_id) or _nothing(user_id)
        current = now.get(user_id)
        made, ours = after.get(user_id) or _nothing(user_id), survivors.get(user_id) or _nothing(user_id)
        read_up_to, forced = was.read_up_to, was.forced_unread
        comments, reminder = was.comments_read_up_to, was.reminder
        if current is not None and current["revision"] != made.revision:
            if current["read_up_to"] >= kept.last_arrival and not current["forced_unread"]:
                read_up_to, forced = current["read_up_to"], False
            comments = max(comments, current["comments_read_up_to"])
            if ours.remind_at is None and _reminder_of(current) != made.reminder:
                reminder = _nothing(user_id).reminder  # it was theirs to change, and they did
        await execute(
            "INSERT INTO read_marks (conversation_id, user_id, read_up_to, forced_unread, revision, "
            "comments_read_up_to, remind_at, remind_kind, remind_if_silent, remind_due) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
            other.id,
            user_id,
            read_up_to,
            forced,
            max(was.revision, current["revision"] if current is not None else 0) + 1,
            comments,
            *reminder,
        )


async def _restore_marks(act: Action, mailbox_id: int, kept: Kept, now: dict[int, Row]) -> None:
    """The same of the one that held all."""
    after = {mark.user_id: mark for mark in kept.after.marks}
    before = {mark.user_id: mark for mark in kept.survivor.state.marks}
    for user_id, current in now.items():
        was = before.get(user_id) or _nothing(user_id)
        made = after.get(user_id)
        if made is None:
            continue
        read_up_to, forced = was.read_up_to, was.forced_unread
        comments, reminder = was.comments_read_up_to, _reminder_of(current)
        if current["revision"] != made.revision:
            if current["read_up_to"] >= kept.last_arrival:
                read_up_to, forced = current["read_up_to"], current["forced_unread"]
            comments = max(comments, current["comments_read_up_to"])
        if reminder == made.reminder:
            reminder = was.reminder
        record = await fetch_row(
            "UPDATE read_marks SET read_up_to = $3, forced_unread = $4, comments_read_up_to = $5, remind_at = $6, "
            "remind_kind = $7, remind_if_silent = $8, remind_due = $9, revision = revision + 1 "
            "WHERE conversation_id = $1 AND user_id = $2 RETURNING *",
            kept.survivor.id,
            user_id,
            read_up_to,
            forced,
            comments,
            *reminder,
        )
        assert record is not None
        mark = mark_of(kept.survivor.id, record)
        act.record(user_stream(user_id), MarkChanged(mailbox_id=mailbox_id, mark=mark))


def _reminder_of(record: Row) -> tuple[object, str, bool, bool]:
    return record["remind_at"], record["remind_kind"], record["remind_if_silent"], record["remind_due"]


def _nothing(user_id: int) -> KeptMark:
    return KeptMark(user_id, 0, False, 0, None, "", False, False, 0)


# ---- telling


async def _say(act: Action, conversation_ids: Sequence[int], activity_id: int) -> dict[int, Activity]:
    """One line in each: they were parted again."""
    records = await fetch(
        "INSERT INTO activities (conversation_id, kind, actor_id, value, at) "
        "SELECT id, 'unjoined', $2, $3, now() FROM unnest($1::bigint[]) AS id RETURNING *",
        list(conversation_ids),
        act.actor_id,
        str(activity_id),
    )
    return {record["conversation_id"]: activity_of(record) for record in records}
