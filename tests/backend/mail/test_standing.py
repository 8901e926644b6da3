"""A conversation's status follows its mail when that is moved on the server, and only then."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.conversations.contracts import ConversationPage, SetStatus, Status
from backend.database.connection import execute, fetch, fetch_value
from backend.events.record import action
from backend.mail.actions import (
    apply_flags,
    forget_folder,
    recognise,
    remove_placements,
    settle_removed,
    store_fetched,
)
from backend.mail.fetched import Fetched
from backend.mail.intents import want
from backend.mail.places import Place, Where
from backend.mail.placing import place
from backend.mail.reading import read_message
from backend.mail.standing import Standing, begins_with, follows, standing
from sync.types import ListedMessage
from tests.servers.api import Api
from tests.servers.arriving import Arriving, message_id_of
from tests.servers.delivery import write_mail

PLACES: tuple[Where, ...] = get_args(Where)
STATUSES: tuple[Status, ...] = get_args(Status)
STANDINGS: tuple[Standing, ...] = (None, "sent", "filed", *get_args(Place))
NOW = datetime.now(UTC)

places = st.sampled_from(PLACES)
standings = st.sampled_from(STANDINGS)
statuses = st.sampled_from(STATUSES)


@given(st.lists(places, min_size=1))
def test_where_a_conversation_stands_does_not_depend_on_the_order(found: list[Where]) -> None:
    assert standing(found) == standing(reversed(found)) == standing([*found, *found])
    assert standing([*found, "inbox"]) == "inbox"
    assert standing([*found, "sent"]) == standing(found)


@given(standings, standings, statuses, st.booleans(), st.booleans())
def test_the_status_follows_a_move_and_nothing_else(
    before: Standing, after: Standing, status: Status, by_person: bool, moved: bool
) -> None:
    unwished = follows(before, after, status, by_person=by_person, moved=moved)
    assert follows(before, after, status, by_person=by_person, moved=moved, wished={"place"}) == status
    if before == after or after in (None, "sent"):
        assert unwished == status
    elif moved and before is not None:
        assert (
            unwished
            == {
                "inbox": "open",
                "filed": "done",
                "done": "done",
                "junk": "spam",
                "trash": "trash",
            }[after]
        )
    elif by_person:
        assert unwished == status, "mail that joins does not undo what a person did"


@given(places)
def test_history_in_the_inbox_alone_is_open(place: Where) -> None:
    assert (begins_with(place, arrived=False) == "open") == (place == "inbox")


async def status_of(message: bytes) -> str:
    return await fetch_value(
        "SELECT c.status FROM conversations c JOIN messages m ON m.conversation_id = c.id WHERE m.message_id = $1",
        message_id_of(message).strip("<>"),
    )


async def removed(folder: Arriving, *uids: int) -> None:
    """The server told that they are gone; the time of grace has only begun."""
    await remove_placements(folder.folder, uids)


@pytest.mark.parametrize("gone_first", [True, False])
@pytest.mark.parametrize(("role", "status"), [("archive", "done"), ("junk", "spam"), ("trash", "trash")])
async def test_a_move_is_followed_in_whichever_order_its_halves_are_seen(
    api: Api, role: str, status: str, gone_first: bool
) -> None:
    inbox, there = await Arriving.into(api.support), await Arriving.into(api.support, role=role)
    mail = write_mail()
    [uid] = await inbox.deliver(mail)
    if gone_first:
        await removed(inbox, uid)
        assert await status_of(mail) == "open", "it may turn up in another folder"
    await there.deliver(mail)
    if not gone_first:
        assert await status_of(mail) == "open"
        await removed(inbox, uid)
    assert await status_of(mail) == status
    await settle_removed(api.support, 0)
    assert await status_of(mail) == status
    assert await fetch_value("SELECT count(*) FROM messages WHERE gone_at IS NULL") == 1


@pytest.mark.parametrize("marked_first", [True, False])
async def test_a_copy_that_is_marked_deleted_counts_for_nothing(api: Api, marked_first: bool) -> None:
    """How programs without MOVE put mail away, and take it back."""
    inbox, trash = await Arriving.into(api.toms_mailbox), await Arriving.into(api.toms_mailbox, role="trash")
    mail = write_mail(to="tom@northwind.example")
    [uid] = await inbox.deliver(mail)
    if marked_first:
        await inbox.flag(uid, "\\Deleted")
        assert await status_of(mail) == "open", "it stands nowhere else yet"
    [copy] = await trash.deliver(mail, flags=["\\Seen"])
    if not marked_first:
        await inbox.flag(uid, "\\Deleted")
    assert await status_of(mail) == "trash"
    assert (await api.tom.get("/counts"))["mailboxes"][0]["unread"] == 0
    await inbox.flag(uid)
    assert await status_of(mail) == "open"
    await trash.flag(copy, "\\Seen", "\\Deleted")
    await removed(inbox, uid)
    assert await status_of(mail) == "trash", "the last one counts, marked or not"


async def test_mail_that_is_moved_back_to_the_inbox_opens(api: Api) -> None:
    inbox, archive = await Arriving.into(api.support), await Arriving.into(api.support, role="archive")
    mail = write_mail()
    [uid] = await archive.deliver(mail, arrived=False)
    assert await status_of(mail) == "done"
    await inbox.deliver(mail)
    await removed(archive, uid)
    assert await status_of(mail) == "open"


async def test_one_archived_message_of_two_leaves_the_conversation_open(api: Api) -> None:
    inbox, archive = await Arriving.into(api.support), await Arriving.into(api.support, role="archive")
    first = write_mail(at=NOW - timedelta(hours=1))
    second = write_mail(subject="Re: My bike squeaks", answers=message_id_of(first))
    one, other = await inbox.deliver(first, second)
    await archive.deliver(first)
    await removed(inbox, one)
    assert await status_of(first) == "open"
    await archive.deliver(second)
    await removed(inbox, other)
    assert await status_of(first) == "done"


async def test_what_the_server_sorted_as_it_came_is_done_when_somebody_archives_it(api: Api) -> None:
    projects, archive = await Arriving.into(api.support, role=""), await Arriving.into(api.support, role="archive")
    mail = write_mail()
    await projects.deliver(mail)
    assert await status_of(mail) == "open"
    await archive.deliver(mail)
    await removed(projects, 1)
    assert await status_of(mail) == "done"


async def test_mail_that_was_put_into_sent_follows_when_it_is_moved_on_from_there(api: Api) -> None:
    inbox, sent, trash = [await Arriving.into(api.support, role=role) for role in ("inbox", "sent", "trash")]
    mail = write_mail()
    await inbox.deliver(mail)
    await sent.deliver(mail)
    await removed(inbox, 1)
    conversation_id = await fetch_value("SELECT id FROM conversations")
    for status in ("done", "open"):
        await api.ana.put(f"/conversations/{conversation_id}/status", SetStatus(status=status))
    await execute("UPDATE server_intents SET confirmed_at = now()")
    await removed(sent, 1)
    assert await status_of(mail) == "open"
    await trash.deliver(mail)
    assert await status_of(mail) == "trash"


async def test_who_acts_in_the_moment_when_mail_is_met_elsewhere_is_not_overruled(api: Api) -> None:
    inbox, junk = await Arriving.into(api.support), await Arriving.into(api.support, role="junk")
    mail = write_mail()
    await inbox.deliver(mail)
    conversation_id = await fetch_value("SELECT id FROM conversations")
    await removed(inbox, 1)
    await execute(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1); RETURN NEW; END $$; "
        "CREATE TRIGGER slow BEFORE INSERT ON activities FOR EACH ROW EXECUTE FUNCTION slow()"
    )
    acting = asyncio.create_task(api.ana.put(f"/conversations/{conversation_id}/status", SetStatus(status="trash")))
    await asyncio.sleep(0.4)
    await junk.deliver(mail)
    await acting
    assert await status_of(mail) == "trash"


async def test_what_is_wished_here_wins_until_the_server_has_confirmed_it(api: Api) -> None:
    inbox, trash = await Arriving.into(api.support), await Arriving.into(api.support, role="trash")
    mail = write_mail()
    [uid] = await inbox.deliver(mail)
    page = await api.ana.get(f"/mailboxes/{api.support}/conversations", ConversationPage, view="open")
    await api.ana.put(f"/conversations/{page.items[0].row.id}/status", SetStatus(status="done"))
    await trash.deliver(mail)
    await removed(inbox, uid)
    assert await status_of(mail) == "done"


async def test_deleted_everywhere_is_trash_after_the_time_of_grace(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    mail = write_mail()
    [uid] = await inbox.deliver(mail)
    await removed(inbox, uid)
    await settle_removed(api.support)
    assert await status_of(mail) == "open", "ten seconds are not over"
    assert await fetch_value("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'settle_removed'") == 1
    await settle_removed(api.support, 0)
    assert await status_of(mail) == "trash"
    assert await fetch_value("SELECT gone_at IS NULL FROM messages"), "it can still be read there"


async def test_what_goes_while_the_job_looks_is_looked_after_by_another(api: Api) -> None:
    """The job has read what is due before it is finished, and may be the one that asks for the next."""
    inbox = await Arriving.into(api.support)
    await inbox.deliver(write_mail(), write_mail(subject="Other matter"))
    await removed(inbox, 1)
    await execute("UPDATE pgqueuer SET status = 'picked' WHERE entrypoint = 'settle_removed'")
    await removed(inbox, 2)
    await settle_removed(api.support)
    statuses = "SELECT array_agg(status::text ORDER BY id) FROM pgqueuer WHERE entrypoint = 'settle_removed'"
    assert await fetch_value(statuses) == ["picked", "queued"]


async def test_when_one_of_two_is_deleted_the_conversation_counts_where_the_other_stands(api: Api) -> None:
    inbox, archive = await Arriving.into(api.support), await Arriving.into(api.support, role="archive")
    first = write_mail(at=NOW - timedelta(hours=1))
    second = write_mail(subject="Re: My bike squeaks", answers=message_id_of(first))
    one, _ = await inbox.deliver(first, second)
    await archive.deliver(second)
    await removed(inbox, 2)
    assert await status_of(first) == "open"
    await inbox.expunge(one)
    assert await status_of(first) == "done"


async def test_what_was_placed_again_by_whoever_is_not_deleted(api: Api) -> None:
    inbox, archive = await Arriving.into(api.support), await Arriving.into(api.support, role="archive")
    mail = write_mail()
    [uid] = await inbox.deliver(mail)
    await removed(inbox, uid)
    await execute(
        "INSERT INTO placements (folder_id, uid, message_id, flags, seen, size) SELECT $1, 1, id, '[]', false, 1 "
        "FROM messages",
        archive.folder.folder_id,
    )
    await settle_removed(api.support, 0)
    assert await status_of(mail) != "trash"
    assert await fetch_value("SELECT count(*) FROM messages WHERE unplaced_at IS NULL AND gone_at IS NULL") == 1


async def test_a_whole_conversation_deleted_at_once_keeps_its_messages_in_the_trash(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    first = write_mail(at=NOW - timedelta(hours=1))
    uids = await inbox.deliver(first, write_mail(subject="Re: My bike squeaks", answers=message_id_of(first)))
    await inbox.expunge(*uids)
    assert await status_of(first) == "trash"
    assert await fetch_value("SELECT message_count FROM conversations") == 2


async def test_history_in_the_archive_is_done_and_in_the_inbox_open_again(api: Api) -> None:
    archive, inbox = await Arriving.into(api.support, role="archive"), await Arriving.into(api.support)
    first = write_mail(at=NOW - timedelta(days=9))
    await archive.deliver(first, arrived=False)
    assert await status_of(first) == "done"
    await inbox.deliver(
        write_mail(subject="Re: My bike squeaks", answers=message_id_of(first), at=NOW - timedelta(days=8)),
        arrived=False,
    )
    assert await status_of(first) == "open", "a message of it lies in the inbox"


async def test_spam_is_nobodys_news(api: Api) -> None:
    junk = await Arriving.into(api.support, role="junk")
    mail = write_mail()
    await junk.deliver(mail)
    assert await status_of(mail) == "spam"
    assert await fetch_value("SELECT arrival FROM messages") == 0
    assert (await api.ana.get("/counts"))["mailboxes"][0]["unread"] == 0


async def test_mail_of_a_blocked_sender_is_spam_in_the_inbox(api: Api) -> None:
    await execute(
        "INSERT INTO blocked_senders (mailbox_id, address, blocked_by, created_at) VALUES ($1, $2, $3, now())",
        api.support,
        "carla@customer.example",
        api.ana.user_id,
    )
    mail = write_mail()
    await (await Arriving.into(api.support)).deliver(mail)
    assert await status_of(mail) == "spam"


# ---- recognising without bodies


def listed(uid: int, raw: bytes, *, email_id: str = "", header: bytes | None = None) -> ListedMessage:
    head = raw[: raw.index(b"\r\n\r\n") + 4] if header is None else header
    return ListedMessage(uid, frozenset({"\\Seen"}), NOW, len(raw), email_id, b"" if email_id else head)


async def test_after_a_change_of_uidvalidity_only_what_is_new_is_fetched(api: Api) -> None:
    inbox = await Arriving.into(api.support)
    known, new = [write_mail(subject=f"Mail {n}") for n in range(3)], write_mail(subject="New")
    await inbox.deliver(*known)
    await forget_folder(inbox.folder)
    asked = [listed(100 + n, raw) for n, raw in enumerate([*known, new])]
    assert await recognise(inbox.folder, asked, arrived=False) == [103]
    assert await fetch_value("SELECT array_agg(uid ORDER BY uid) FROM placements") == [100, 101, 102]
    await settle_removed(api.support, 0)
    assert [await status_of(raw) for raw in known] == ["open"] * 3
    assert await recognise(inbox.folder, asked, arrived=False) == [103], "a second time changes nothing"


async def test_what_is_not_met_again_counts_where_else_it_stands_once_the_folder_is_whole(api: Api) -> None:
    archive, junk = [await Arriving.into(api.support, role=role) for role in ("archive", "junk")]
    left, kept = write_mail(), write_mail(subject="Other matter")
    await archive.deliver(left, kept, arrived=False)
    await junk.deliver(left, kept, arrived=False)
    await forget_folder(archive.folder)
    await settle_removed(api.support, 0)
    assert [await status_of(left), await status_of(kept)] == ["done", "done"], "the folder is not met again yet"
    assert await fetch_value("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'settle_removed'") == 1
    assert await recognise(archive.folder, [listed(1, kept)], arrived=False) == []
    await execute("UPDATE folders SET backfill_done = true")
    await settle_removed(api.support, 0)
    assert [await status_of(left), await status_of(kept)] == ["spam", "done"]
    assert await fetch_value("SELECT count(*) FROM messages WHERE stood_in <> '' OR unplaced_at IS NOT NULL") == 0


async def test_a_forged_header_is_not_recognised(api: Api) -> None:
    inbox, junk = await Arriving.into(api.support), await Arriving.into(api.support, role="junk")
    raw = write_mail(message_id="<one@customer.example>", text="The real one.")
    forged = raw.replace(b"The real one.", b"A forged one.")
    await inbox.deliver(raw)
    other_head = forged.replace(b"My bike squeaks", b"My bike sings!!")
    assert await recognise(junk.folder, [listed(1, other_head)], arrived=True) == [1]
    longer = forged.replace(b"A forged one.", b"A forged one, longer.")
    assert await recognise(junk.folder, [listed(2, longer)], arrived=True) == [2]
    assert await fetch_value("SELECT count(*) FROM placements") == 1


async def test_what_the_server_calls_the_same_needs_no_header(api: Api) -> None:
    inbox, archive = await Arriving.into(api.support), await Arriving.into(api.support, role="archive")
    raw = write_mail()
    one = Fetched(
        uid=1, flags=frozenset(), received_at=NOW, raw=raw, parsed=read_message(raw), email_id="1278455344230334865"
    )
    await store_fetched(inbox.folder, [one], arrived=True)
    asked = [listed(5, raw, email_id="1278455344230334865"), listed(6, raw, email_id="999")]
    assert await recognise(archive.folder, asked, arrived=True) == [6]
    await removed(inbox, 1)
    assert await status_of(raw) == "done"


# ---- flags


async def test_flags_are_the_servers_and_what_is_read_is_what_is_wished_here(api: Api) -> None:
    inbox = await Arriving.into(api.toms_mailbox)
    raws = [write_mail(subject=f"Mail {n}", to="tom@northwind.example") for n in range(3)]
    uids = await inbox.deliver(*raws, flags=["\\Seen"])
    wished = await fetch_value("SELECT message_id FROM placements WHERE uid = $1", uids[0])
    async with action(None):
        await want([wished], "seen", "yes")
    await apply_flags(inbox.folder, {uid: frozenset({"\\Flagged"}) for uid in uids})
    rows = await fetch_value("SELECT array_agg(flags::text || seen::text ORDER BY uid) FROM placements")
    assert rows == ['["\\\\Flagged"]false'] * 3
    assert (await api.tom.get("/counts"))["mailboxes"][0]["unread"] == 2


async def test_the_read_state_follows_when_an_unread_copy_goes(api: Api) -> None:
    inbox = await Arriving.into(api.toms_mailbox)
    mail = write_mail(to="tom@northwind.example")
    await inbox.deliver(mail)
    await inbox.deliver(mail, flags=["\\Seen"])
    assert (await api.tom.get("/counts"))["mailboxes"][0]["unread"] == 1
    await removed(inbox, 1)
    assert (await api.tom.get("/counts"))["mailboxes"][0]["unread"] == 0


async def test_what_is_on_its_way_keeps_its_read_state(api: Api) -> None:
    inbox = await Arriving.into(api.toms_mailbox)
    mail = write_mail(to="tom@northwind.example")
    await inbox.deliver(mail)
    await removed(inbox, 1)
    assert (await api.tom.get("/counts"))["mailboxes"][0]["unread"] == 1
    await inbox.deliver(mail, flags=["\\Seen"])
    assert (await api.tom.get("/counts"))["mailboxes"][0]["unread"] == 0


async def test_what_a_carried_move_placed_takes_the_flags_of_whoever_meets_it(api: Api) -> None:
    """The placement that a move left behind has the flags that were known before it."""
    inbox, archive = await Arriving.into(api.support), await Arriving.into(api.support, role="archive")
    fetched_again, listed_again = write_mail(), write_mail(subject="Other matter")
    await inbox.deliver(fetched_again, listed_again)
    ids = [row["id"] for row in await fetch("SELECT id FROM messages ORDER BY id")]
    await execute(
        "INSERT INTO placements (folder_id, uid, message_id, flags, seen, size) "
        "SELECT $1, uid, message_id, '[]', false, 1 FROM unnest($2::bigint[], $3::bigint[]) AS moved(uid, message_id)",
        archive.folder.folder_id,
        [1, 2],
        ids,
    )
    await archive.deliver(fetched_again, flags=["\\Flagged"])
    assert await recognise(archive.folder, [listed(2, listed_again)], arrived=True) == []
    assert await flags_in(archive) == [(1, '["\\\\Flagged"]', False), (2, '["\\\\Seen"]', True)]
    async with action(None):
        await place(archive.folder, [(2, frozenset(), 1, ids[1]), (3, frozenset(), 1, ids[1])])
    assert await flags_in(archive) == [(1, '["\\\\Flagged"]', False), (2, "[]", False), (3, "[]", False)]


async def flags_in(folder: Arriving) -> list[tuple[int, str, bool]]:
    rows = await fetch(
        "SELECT uid, flags, seen FROM placements WHERE folder_id = $1 ORDER BY uid", folder.folder.folder_id
    )
    return [(row["uid"], row["flags"], row["seen"]) for row in rows]
