"""Moving a conversation into another mailbox, by who can open both.

It leaves the one's lists and stands in the other's; whoever can open only one of them loses or gains sight of it. Its
mail stays where it lies on the server of the old mailbox's account (`messages.moved_from`), and what is done with it
here is carried over there; but nothing that happens to it there is followed any more
(docs/decisions/0014-merging-splitting-moving.md). Replies go out as the new mailbox, and answers follow it, to
whichever of the two they come.

An arrival is a number of one mailbox: the mail gets numbers of the new one, in its order, and what each person has read
is counted in these. Who cannot see it any longer is neither its assignee nor told of it, and keeps no reminder.
"""

from collections.abc import Sequence

from backend.access.asker import Asker
from backend.access.fetch import access_mailbox, check_handles, handled_conversation
from backend.contacts.correspondents import Correspondent, note_correspondents
from backend.conversations.actions import add_concerned
from backend.conversations.change import Audience, audience_of, hold_membership, tell, tell_added
from backend.conversations.contracts import (
    Activity,
    ConversationChanged,
    ConversationGone,
    ConversationItem,
    MarkChanged,
)
from backend.conversations.kept_merges import let_all_go
from backend.conversations.parting import seers
from backend.conversations.rows import item_for, read_marks, read_row, readers
from backend.conversations.trail import add_line
from backend.conversations.wishes import wish_place, wish_starred, wish_tagged, wish_unstarred
from backend.database.connection import Row, execute, fetch, fetch_row, fetch_value
from backend.errors import Conflict, Unacceptable
from backend.events.record import Action, action, user_stream
from backend.mail.intents import flag_of
from backend.mail.labels import keep_labels
from backend.mail.moved import note_moved
from backend.mail.store import hold_threading
from backend.notifications.actions import tell_notifications_again
from backend.people.audit import audit


async def move_conversation(asker: Asker, conversation_id: int, mailbox_id: int) -> ConversationItem:
    """Move it into the mailbox; where it stands already, nothing happens.

    Raises NotFound for what is out of sight or a mailbox that the person cannot open, Unacceptable while a mail of it
    waits to leave.
    """
    key = await handled_conversation(asker, conversation_id)
    await access_mailbox(asker, mailbox_id)
    if key.mailbox_id == mailbox_id:
        return await item_for(asker, key.conversation_id)
    async with action(asker.user_id) as act:
        for each in sorted((key.mailbox_id, mailbox_id)):  # in the order of those who store mail
            await hold_membership(each)
            await hold_threading(each)
            await check_handles(asker.user_id, each)
        before = await fetch_row(
            "SELECT * FROM conversations WHERE id = $1 AND mailbox_id = $2 AND joined_into IS NULL AND sees($3, id) "
            "FOR UPDATE",
            key.conversation_id,
            key.mailbox_id,
            asker.user_id,
        )
        if before is None:
            raise Conflict("This conversation changed at this moment.", "Look at it, and move it again.")
        if await fetch_value(
            "SELECT 1 FROM outgoing WHERE conversation_id = $1 AND state NOT IN ('sent', 'cancelled') LIMIT 1",
            before["id"],
        ):
            raise Unacceptable("A mail of this conversation has not left yet.", "Send it or throw it away first.")
        await _move(act, before, mailbox_id)
    return await item_for(asker, before["id"])


async def _move(act: Action, before: Row, mailbox_id: int) -> None:
    conversation_id, old_id = before["id"], before["mailbox_id"]
    audience = await audience_of(conversation_id)
    saw = set(await seers(old_id, audience))
    if before["visibility"] == "confidential" and act.actor_id is not None:
        await add_concerned(conversation_id, [act.actor_id], "added")  # or it could be nobody's, and so everybody's
    numbers = await _renumber(conversation_id, mailbox_id)
    await execute(
        "UPDATE conversations SET mailbox_id = $2, version = version + 1, last_arrival = $3, "
        "moved_from = array_remove(array_remove(moved_from, $2), mailbox_id) || mailbox_id WHERE id = $1",
        conversation_id,
        mailbox_id,
        max(numbers.values(), default=0),
    )
    await execute("UPDATE conversations SET mailbox_id = $2 WHERE joined_into = $1", conversation_id, mailbox_id)
    await _keep_labels(conversation_id)
    await note_moved(conversation_id, old_id, mailbox_id)
    if mailbox_id in before["moved_from"]:
        # It comes back. What happened to its mail in the account meanwhile was not followed; what was done here holds.
        await wish_place(conversation_id, before["status"])
        await (wish_starred if before["starred"] else wish_unstarred)(conversation_id)
        for record in await fetch("SELECT keyword FROM tags WHERE id = ANY($1) AND keyword <> ''", before["tag_ids"]):
            await wish_tagged(conversation_id, record["keyword"])
    await execute("UPDATE thread_links SET mailbox_id = $2 WHERE conversation_id = $1", conversation_id, mailbox_id)
    await execute("UPDATE drafts SET mailbox_id = $2 WHERE conversation_id = $1", conversation_id, mailbox_id)
    await let_all_go(conversation_id)  # what was kept counts in the numbers of the old mailbox
    after = await audience_of(conversation_id)
    sees = set(await seers(mailbox_id, after))
    await _let_go(conversation_id, mailbox_id, sees)
    await _count_read_anew(conversation_id, old_id, numbers, sees)
    await _note_people(act, conversation_id, mailbox_id, before)
    said = await add_line(act, conversation_id, "moved", subject_id=mailbox_id, value=str(old_id))
    await audit(act.actor_id, "conversation_moved", f"mailbox:{old_id}", to=mailbox_id)
    await _tell(act, before, (saw, audience), (sees, await audience_of(conversation_id)), said)


async def _keep_labels(conversation_id: int) -> None:
    """The star and the tags of its mail are its own from now on, as they are now or are wished to be."""
    labels: dict[int, set[str]] = {}
    for record in await fetch(
        "SELECT m.id, ARRAY(SELECT jsonb_array_elements_text(p.flags)) AS flags FROM messages m "
        "JOIN placements p ON p.message_id = m.id WHERE m.conversation_id = $1 AND m.moved_from IS NULL",
        conversation_id,
    ):
        labels.setdefault(record["id"], set()).update(record["flags"])
    for record in await fetch(
        "SELECT i.message_id, i.kind, i.value FROM server_intents i JOIN messages m ON m.id = i.message_id "
        "WHERE m.conversation_id = $1 AND m.moved_from IS NULL AND i.confirmed_at IS NULL ORDER BY i.id",
        conversation_id,
    ):
        flag, known = flag_of(record["kind"]), labels.setdefault(record["message_id"], set())
        if flag is not None:
            (known.add if record["value"] == "yes" else known.discard)(flag)
    await keep_labels(labels)


async def _renumber(conversation_id: int, mailbox_id: int) -> dict[int, int]:
    """Give what arrived numbers of the new mailbox, in its order; answers them by the old ones."""
    records = await fetch(
        "SELECT DISTINCT arrival FROM messages WHERE conversation_id = $1 AND arrival > 0 ORDER BY arrival",
        conversation_id,
    )
    if not records:
        return {}
    last = await fetch_value(
        "UPDATE mailboxes SET last_arrival = last_arrival + $2 WHERE id = $1 RETURNING last_arrival",
        mailbox_id,
        len(records),
    )
    numbers = {record["arrival"]: last - len(records) + 1 + n for n, record in enumerate(records)}
    await execute(
        "UPDATE messages m SET arrival = w.fresh FROM unnest($2::bigint[], $3::bigint[]) AS w(old, fresh) "
        "WHERE m.conversation_id = $1 AND m.arrival = w.old",
        conversation_id,
        list(numbers),
        list(numbers.values()),
    )
    await execute(
        f"UPDATE drafts SET seen_arrival = {_FRESH.format(old='seen_arrival')} WHERE conversation_id = $1",
        conversation_id,
        list(numbers),
        list(numbers.values()),
    )
    return numbers


_FRESH = (
    "coalesce((SELECT max(w.fresh) FROM unnest($2::bigint[], $3::bigint[]) AS w(old, fresh) WHERE w.old <= {old}), 0)"
)
"""SQL: the new number of the last mail up to an old one."""


async def _count_read_anew(conversation_id: int, old_id: int, numbers: dict[int, int], sees: set[int]) -> None:
    """What each person has read, in the numbers of the new mailbox; whoever sees it newly begins with it unread."""
    await execute(
        "INSERT INTO read_marks (conversation_id, user_id, read_up_to, forced_unread, revision, comments_read_up_to) "
        "SELECT $1, r.user_id, 0, false, 0, 0 FROM mailbox_readers r WHERE r.mailbox_id = $2 "
        "ON CONFLICT (conversation_id, user_id) DO NOTHING",
        conversation_id,
        old_id,
    )
    read = "greatest(r.read_up_to, coalesce(k.read_from, 0))"
    await execute(
        f"UPDATE read_marks r SET read_up_to = {_FRESH.format(old=read)}, revision = r.revision + 1, "
        "comments_read_up_to = greatest(r.comments_read_up_to, coalesce(k.comments_read_from, 0)) "
        "FROM read_marks same LEFT JOIN watermarks k ON k.user_id = same.user_id AND k.mailbox_id = $4 "
        "WHERE r.conversation_id = $1 AND same.id = r.id",
        conversation_id,
        list(numbers),
        list(numbers.values()),
        old_id,
    )
    await execute(
        "UPDATE read_marks SET remind_at = NULL, remind_kind = '', remind_if_silent = false, remind_due = false "
        "WHERE conversation_id = $1 AND user_id <> ALL($2)",
        conversation_id,
        sorted(sees),
    )


async def _let_go(conversation_id: int, mailbox_id: int, sees: set[int]) -> None:
    """Who does not see it any longer is not its assignee, nor follows it; a team of which nobody sees it neither."""
    await execute(
        "UPDATE conversations c SET follower_ids = ARRAY(SELECT u FROM unnest(follower_ids) u WHERE u = ANY($2)), "
        "assignee_id = (SELECT user_id FROM mailbox_readers r WHERE r.mailbox_id = $3 AND r.user_id = c.assignee_id), "
        "assigned_team_id = (SELECT c.assigned_team_id WHERE EXISTS (SELECT 1 FROM team_members t "
        "JOIN mailbox_readers r ON r.user_id = t.user_id AND r.mailbox_id = $3 WHERE t.team_id = c.assigned_team_id)) "
        "WHERE id = $1",
        conversation_id,
        sorted(sees),
        mailbox_id,
    )


async def _note_people(act: Action, conversation_id: int, mailbox_id: int, before: Row) -> None:
    """Who opens the new mailbox knows whom it exchanges mail with."""
    people = [
        Correspondent(person.name, person.address)
        for person in (await read_row(conversation_id)).correspondents
        if person.address
    ]
    if people:
        await note_correspondents(act, mailbox_id, people, before["last_at"])


# ---- telling


async def _tell(
    act: Action, moved: Row, was: tuple[set[int], Audience], now: tuple[set[int], Audience], said: Activity
) -> None:
    """Each person is told where they hear of it from now on: the whole row, if they gain sight, else the change. Where
    they heard of it before it is gone, up to the version that it had: neither of the two streams may be read late, or
    not to its end, and leave them with a row too many."""
    (saw, before), (sees, after) = was, now
    row, old_id = await read_row(said.conversation_id), moved["mailbox_id"]
    opened, opens = set(await readers(old_id)), set(await readers(row.mailbox_id))
    gained = sees - saw
    await tell_added(act, row, _those(gained, after, opens), gained)
    stayed = saw & sees
    tell(act, row, ConversationChanged(row=row, activity=said), _those(sees, after, opens))
    for user_id, mark in (await read_marks(row.id, stayed)).items():
        act.record(user_stream(user_id), MarkChanged(mailbox_id=row.mailbox_id, mark=mark))
    gone = ConversationGone(conversation_id=row.id, version=moved["version"])
    still_guests = set(before.guests) & set(after.guests)
    tell(act, (row.id, old_id), gone, _those(saw - still_guests, before, opened))
    await tell_notifications_again(act, row.id, sorted(sees))


def _those(people: set[int], audience: Audience, open_it: Sequence[int] | set[int]) -> Audience:
    """These of an audience: who opens the mailbox, and guests."""
    guests = tuple(each for each in audience.guests if each in people)
    return Audience(sorted(people & set(open_it) - set(guests)), guests)
