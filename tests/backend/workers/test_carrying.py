"""What is done here is done on a real Dovecot, once, whatever is interrupted and whoever moves mail meanwhile."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backend.conversations.contracts import ConversationDetail
from backend.database.connection import execute, fetch, fetch_row, fetch_value
from backend.events.record import action
from backend.jobs import TryAgain
from backend.mail.actions import apply_flags, forget_folder, recognise
from backend.mail.intents import open_kinds, want
from backend.mail.store import hold_threading
from backend.workers.carrying import carry_out
from sync.types import ListedMessage
from tests.servers.api import Api, Member
from tests.servers.dovecot import Dovecot
from tests.servers.post import Post
from tests.servers.sending import connect_account
from tests.servers.smtp import RecordingSmtp


@pytest.fixture
async def post(
    api: Api, private_servers: None, smtp: RecordingSmtp, dovecot: Dovecot, mail_user: str
) -> AsyncIterator[Post]:
    account_id = await connect_account(api.support, smtp, dovecot, mail_user)
    yield Post(api, dovecot, mail_user, account_id, api.support)


@pytest.mark.parametrize(("status", "folder"), [("done", "Archive"), ("trash", "Trash"), ("spam", "Junk")])
async def test_what_is_put_away_here_moves_there_and_comes_back(post: Post, status: str, folder: str) -> None:
    other, conversation_id = await post.arrive(1), await post.arrive(2)
    await post.status(conversation_id, status)
    for _ in range(2):
        await carry_out(post.account_id)
        assert await post.folders_of(conversation_id) == [folder, folder]
        assert await post.folders_of(other) == ["INBOX"]
    await post.status(conversation_id, "open")
    await carry_out(post.account_id)
    assert await post.folders_of(conversation_id) == ["INBOX", "INBOX"]
    assert await post.open() == 0


async def test_only_the_last_wish_is_carried_out(post: Post) -> None:
    conversation_id = await post.arrive()
    for status in ("done", "trash", "open", "spam"):
        await post.status(conversation_id, status)
    await carry_out(post.account_id)
    assert await post.folders_of(conversation_id) == ["Junk"]


async def test_done_mail_stays_where_the_account_says_so(post: Post) -> None:
    await execute("UPDATE mail_accounts SET done_to = 'stay'")
    conversation_id = await post.arrive()
    await post.status(conversation_id, "done")
    await carry_out(post.account_id)
    assert (await post.folders_of(conversation_id), await post.open()) == (["INBOX"], 0)
    await post.status(conversation_id, "trash")
    await carry_out(post.account_id)
    await post.status(conversation_id, "done")
    await carry_out(post.account_id)
    assert (await post.folders_of(conversation_id), await post.open()) == (["INBOX"], 0)


async def test_done_mail_goes_to_a_folder_done_which_is_made(post: Post) -> None:
    await execute("UPDATE mail_accounts SET done_to = 'done'")
    conversation_id = await post.arrive()
    await post.status(conversation_id, "done")
    await carry_out(post.account_id)
    assert await post.folders_of(conversation_id) == ["Done"]
    await post.status(conversation_id, "open")
    await carry_out(post.account_id)
    assert await post.folders_of(conversation_id) == ["INBOX"]


async def test_what_a_person_filed_stays_filed_when_it_is_done(post: Post) -> None:
    conversation_id = await post.arrive(1, "Projects")
    await post.status(conversation_id, "done")
    await carry_out(post.account_id)
    assert (await post.folders_of(conversation_id), await post.open()) == (["Projects"], 0)
    await post.status(conversation_id, "open")
    await carry_out(post.account_id)
    assert (await post.folders_of(conversation_id), await post.open()) == (["Projects"], 0)
    await post.status(conversation_id, "trash")
    await carry_out(post.account_id)
    assert await post.folders_of(conversation_id) == ["Trash"]


@pytest.mark.parametrize("without", [("MOVE",), ("MOVE", "UIDPLUS"), ("MOVE", "UIDPLUS", "ESEARCH", "SPECIAL-USE")])
async def test_missing_folders_are_made_and_simple_servers_are_enough(
    api: Api,
    private_servers: None,
    smtp: RecordingSmtp,
    make_dovecot: Callable[..., Dovecot],
    without: tuple[str, ...],
) -> None:
    dovecot = make_dovecot(without=without, folders=("Sent",))
    post = Post(api, dovecot, "ana", await connect_account(api.support, smtp, dovecot, "ana"), api.support)
    conversations = [await post.arrive(2) for _ in range(3)]
    for conversation_id, status in zip(conversations, ("done", "trash", "spam"), strict=True):
        await post.status(conversation_id, status)
    await carry_out(post.account_id)
    assert await post.open() == 0
    assert {name: len(ids) for name, ids in (await post.here()).items()} == {"Archive": 2, "Trash": 2, "Junk": 2}


async def test_a_move_that_nobody_could_write_down_is_found_again(post: Post) -> None:
    conversation_id = await post.arrive(3)
    await post.status(conversation_id, "done")
    await execute(
        "CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'stopped'; END $$; "
        "CREATE TRIGGER stop BEFORE UPDATE ON server_intents FOR EACH ROW EXECUTE FUNCTION stop()"
    )
    with pytest.raises(Exception, match="stopped"):
        await carry_out(post.account_id)
    assert list(await post.there()) == ["Archive"]
    assert await post.open() == 3
    await execute("DROP TRIGGER stop ON server_intents")
    await carry_out(post.account_id)
    assert await post.folders_of(conversation_id) == ["Archive"] * 3
    assert await post.open() == 0


async def wait_until(post: Post, folder: str) -> None:
    """All the mail of the account stands in this folder."""
    for _ in range(600):
        if list(await post.there()) == [folder]:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"the mail never came to {folder}")


KILLED = """
import asyncio, sys
from backend.database.connection import connect
from backend.workers.carrying import carry_out

async def main():
    await connect(sys.argv[1], pool_size=4)
    await carry_out(int(sys.argv[2]))

asyncio.run(main())
"""


async def test_a_worker_killed_between_move_and_commit_leaves_work_that_is_done_once(post: Post) -> None:
    conversation_id = await post.arrive(3)
    await post.status(conversation_id, "trash")
    await execute(
        "CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$; "
        "CREATE TRIGGER stop BEFORE UPDATE ON server_intents FOR EACH ROW EXECUTE FUNCTION stop()"
    )
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, post.api.dsn, str(post.account_id), cwd=Path(__file__).parents[3], env=os.environ
    )
    try:
        await wait_until(post, "Trash")
    finally:
        worker.send_signal(signal.SIGKILL)
        await worker.wait()
    await execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
        "AND datname = current_database() AND query LIKE '%server_intents%' AND state <> 'idle'"
    )
    await execute("DROP TRIGGER stop ON server_intents")
    assert await post.open() == 3
    await carry_out(post.account_id)
    assert await post.folders_of(conversation_id) == ["Trash"] * 3
    assert await post.open() == 0


async def test_what_somebody_else_moved_meanwhile_is_carried_out_where_it_is_met(post: Post) -> None:
    conversation_id = await post.arrive()
    [message_id] = await post.ids(conversation_id)
    await post.dovecot.move(post.user, "INBOX", "1", "Trash")
    await post.status(conversation_id, "done")
    with pytest.raises(TryAgain, match="on their way"):
        await carry_out(post.account_id)
    assert await open_kinds([message_id]) == {message_id: {"place"}}
    await execute("DELETE FROM placements")
    await post.place(message_id, "Trash", 1)
    await carry_out(post.account_id)
    assert (await post.folders_of(conversation_id), await post.open()) == (["Archive"], 0)


async def test_a_copy_that_is_marked_deleted_is_no_place_to_stay(post: Post) -> None:
    """Another program put it into the trash by copying; what it left in the inbox is expunged some day."""
    conversation_id = await post.arrive()
    [message_id] = await post.ids(conversation_id)
    with post.dovecot.other_client(post.user, "INBOX") as client:
        client.copy("1", "Trash")
        client.store("1", "+FLAGS", "(\\Deleted)")
    await execute("UPDATE placements SET flags = '[\"\\\\Deleted\"]'")
    await post.place(message_id, "Trash", 1)
    await execute("UPDATE conversations SET status = 'trash' WHERE id = $1", conversation_id)
    await post.status(conversation_id, "open")
    await carry_out(post.account_id)
    assert (await post.folders_of(conversation_id), await post.open()) == (["INBOX", "INBOX"], 0)
    with post.dovecot.other_client(post.user, "INBOX") as client:
        client.expunge()
    assert list(await post.dovecot.messages(post.user, "INBOX")) == [2]


async def test_what_somebody_else_moved_on_before_it_was_written_down_is_not_believed(post: Post) -> None:
    conversation_id = await post.arrive()
    await post.status(conversation_id, "done")
    await execute(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(2); RETURN NEW; END $$; "
        "CREATE TRIGGER slow BEFORE UPDATE ON server_intents FOR EACH ROW EXECUTE FUNCTION slow()"
    )
    carrying = asyncio.create_task(carry_out(post.account_id))
    await wait_until(post, "Archive")
    await post.dovecot.move(post.user, "Archive", "1", "Trash")
    await carrying
    assert (await post.there(), await post.here()) == ({"Trash": (await post.there())["Trash"]}, {})
    [message_id] = await post.ids(conversation_id)
    row = await fetch("SELECT stood_in, unplaced_at FROM messages WHERE id = $1", message_id)
    assert row[0]["stood_in"] == "done"
    assert row[0]["unplaced_at"] is not None


async def test_a_copy_that_is_met_meanwhile_is_carried_over_too(post: Post) -> None:
    """Another program puts a copy into the inbox while the mail is being moved to the trash."""
    conversation_id = await post.arrive()
    [message_id] = await post.ids(conversation_id)
    await post.status(conversation_id, "trash")
    held, told = asyncio.Event(), asyncio.Event()

    async def let_the_job_wait() -> None:
        async with action(None):
            await hold_threading(post.mailbox_id)
            held.set()
            await told.wait()

    [raw] = (await post.dovecot.messages(post.user)).values()
    holding = asyncio.create_task(let_the_job_wait())
    await held.wait()
    carrying = asyncio.create_task(carry_out(post.account_id))
    await wait_until(post, "Trash")
    await post.dovecot.append(post.user, "INBOX", raw)
    await post.place(message_id, "INBOX", 2)
    told.set()
    with pytest.raises(TryAgain):
        await asyncio.gather(holding, carrying)
    await carry_out(post.account_id)
    assert (await post.folders_of(conversation_id), await post.open()) == (["Trash", "Trash"], 0)


async def test_what_turns_up_elsewhere_after_its_wish_was_given_up_has_moved(post: Post) -> None:
    conversation_id = await post.arrive()
    inbox = await post.key()
    await post.status(conversation_id, "trash")
    await forget_folder(inbox)
    await execute("UPDATE server_intents SET created_at = now() - interval '11 minutes'")
    await carry_out(post.account_id)
    [raw] = (await post.dovecot.messages(post.user)).values()
    assert await recognise(inbox, [as_listed(raw, "\\Seen")], arrived=True) == []
    assert await fetch_value("SELECT status FROM conversations WHERE id = $1", conversation_id) == "open"


def as_listed(raw: bytes, *flags: str) -> ListedMessage:
    """The first message of a folder, as it is listed there."""
    return ListedMessage(
        uid=1,
        flags=frozenset(flags),
        internal_date=datetime.now(UTC),
        size=len(raw),
        header=raw[: raw.index(b"\r\n\r\n") + 4],
    )


async def test_what_was_deleted_there_is_given_up_after_a_while(post: Post) -> None:
    conversation_id = await post.arrive()
    await post.dovecot.expunge(post.user, "INBOX", "1")
    await post.status(conversation_id, "done")
    with pytest.raises(TryAgain):
        await carry_out(post.account_id)
    await execute("DELETE FROM placements")
    await execute("UPDATE server_intents SET created_at = now() - interval '11 minutes'")
    await carry_out(post.account_id)
    assert (await post.open(), await post.there()) == (0, {})


async def test_a_flag_and_a_move_of_the_same_mail_are_both_carried_out(post: Post) -> None:
    conversation_id = await post.arrive(2)
    await post.api.jonas.put(f"/conversations/{conversation_id}/read", {"read": True})
    await post.status(conversation_id, "done")
    async with action(None):
        await want(await post.ids(conversation_id), "flagged", "yes")
    await carry_out(post.account_id)
    assert set((await post.dovecot.flags(post.user, "Archive")).values()) == {frozenset({"\\Seen", "\\Flagged"})}
    rows = await fetch("SELECT flags, seen FROM placements")
    assert [(row["flags"], row["seen"]) for row in rows] == [('["\\\\Flagged", "\\\\Seen"]', True)] * 2


async def seen_there(post: Post) -> None:
    """The server has the flag that is wished."""
    for _ in range(500):
        if await post.seen():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the mail was never marked as seen")


async def test_flags_that_are_told_while_a_wish_is_written_down_are_not_lost(post: Post) -> None:
    """The watcher is told of our own change in the moment when the job notes that it came true."""
    conversation_id = await post.arrive()
    await post.api.jonas.put(f"/conversations/{conversation_id}/read", {"read": True})
    await execute(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1); RETURN NEW; END $$; "
        "CREATE TRIGGER slow BEFORE UPDATE ON server_intents FOR EACH ROW EXECUTE FUNCTION slow()"
    )
    carrying = asyncio.create_task(carry_out(post.account_id))
    await seen_there(post)
    await asyncio.sleep(0.2)
    await apply_flags(await post.key(), {1: frozenset({"\\Seen"})})
    await carrying
    assert (await post.placed(), await post.open()) == ([("INBOX", ["\\Seen"])], 0)


async def test_what_the_watcher_was_told_after_we_looked_stays(post: Post) -> None:
    """Somebody answers the mail on the telephone between our change and its being written down."""
    conversation_id = await post.arrive()
    await post.api.jonas.put(f"/conversations/{conversation_id}/read", {"read": True})
    held, told = asyncio.Event(), asyncio.Event()

    async def let_the_job_wait() -> None:
        async with action(None):
            await hold_threading(post.mailbox_id)
            held.set()
            await told.wait()

    holding = asyncio.create_task(let_the_job_wait())
    await held.wait()
    carrying = asyncio.create_task(carry_out(post.account_id))
    await seen_there(post)
    await apply_flags(await post.key(), {1: frozenset({"\\Seen", "\\Answered"})})
    told.set()
    await asyncio.gather(holding, carrying)
    assert (await post.placed(), await post.open()) == ([("INBOX", ["\\Answered", "\\Seen"])], 0)


async def test_the_first_member_who_reads_a_group_mailbox_marks_the_mail_seen(post: Post) -> None:
    conversation_id = await post.arrive(2)
    await post.api.jonas.put(f"/conversations/{conversation_id}/read", {"read": True})
    await carry_out(post.account_id)
    assert await post.seen() == [1, 2]
    await post.api.jonas.put(f"/conversations/{conversation_id}/read", {"read": False})
    await carry_out(post.account_id)
    assert (await post.seen(), await post.open()) == ([1, 2], 0)


async def test_marking_all_as_read_marks_all_on_the_server(post: Post) -> None:
    for _ in range(3):
        await post.arrive(2)
    await post.api.ana.post(f"/mailboxes/{post.mailbox_id}/read-all")
    await carry_out(post.account_id)
    assert await post.seen() == [1, 2, 3, 4, 5, 6]


@pytest.fixture
async def toms(
    api: Api, private_servers: None, smtp: RecordingSmtp, dovecot: Dovecot, mail_user: str
) -> tuple[Post, Member]:
    account_id = await connect_account(api.toms_mailbox, smtp, dovecot, mail_user)
    return Post(api, dovecot, mail_user, account_id, api.toms_mailbox), api.tom


async def test_in_a_personal_mailbox_read_and_unread_go_both_ways(toms: tuple[Post, Member]) -> None:
    post, tom = toms
    conversation_id = await post.arrive(2)
    await tom.put(f"/conversations/{conversation_id}/read", {"read": True})
    await carry_out(post.account_id)
    assert await post.seen() == [1, 2]
    await tom.put(f"/conversations/{conversation_id}/read", {"read": False})
    await carry_out(post.account_id)
    assert await post.seen() == [1]
    await tom.put(f"/conversations/{conversation_id}/read", {"read": True})
    await tom.put(f"/conversations/{conversation_id}/read", {"read": False})
    await tom.put(f"/conversations/{conversation_id}/read", {"read": True})
    await carry_out(post.account_id)
    assert (await post.seen(), await post.open()) == ([1, 2], 0)


async def is_unread(person: Member, conversation_id: int) -> bool:
    detail = await person.get(f"/conversations/{conversation_id}", ConversationDetail)
    return detail.mark.forced_unread or detail.row.last_arrival > detail.mark.read_up_to


async def test_what_is_marked_unread_here_stays_so_through_a_folder_numbered_anew(toms: tuple[Post, Member]) -> None:
    post, tom = toms
    conversation_id = await post.arrive()
    with post.dovecot.other_client(post.user, "INBOX") as client:
        client.store("1", "+FLAGS", "(\\Seen)")
    inbox = await post.key()
    await apply_flags(inbox, {1: frozenset({"\\Seen"})})
    await tom.put(f"/conversations/{conversation_id}/read", {"read": False})
    [raw] = (await post.dovecot.messages(post.user)).values()
    validity = await fetch_value("SELECT uid_validity FROM folders")
    await forget_folder(inbox)
    assert await recognise(inbox, [as_listed(raw, "\\Seen")], arrived=True) == []
    await execute("UPDATE folders SET uid_validity = $1", validity)
    assert await is_unread(tom, conversation_id), "the flag is older than the wish"
    await carry_out(post.account_id)
    assert (await post.seen(), await post.placed(), await post.open()) == ([], [("INBOX", [])], 0)
    assert await is_unread(tom, conversation_id)


async def test_a_wish_that_is_given_up_leaves_the_read_state_to_the_server(toms: tuple[Post, Member]) -> None:
    """Of two mails in the conversation the newer one, which was to be unread, is deleted elsewhere."""
    post, tom = toms
    conversation_id = await post.arrive(2)
    await tom.put(f"/conversations/{conversation_id}/read", {"read": True})
    await carry_out(post.account_id)
    await tom.put(f"/conversations/{conversation_id}/read", {"read": False})
    await post.dovecot.expunge(post.user, "INBOX", "2")
    newer = (await fetch_row("SELECT message_id FROM server_intents WHERE confirmed_at IS NULL"))["message_id"]  # pyright: ignore[reportOptionalSubscript]
    await execute("DELETE FROM placements WHERE message_id = $1", newer)
    await execute("UPDATE server_intents SET created_at = now() - interval '11 minutes'")
    await carry_out(post.account_id)
    assert (await post.open(), await is_unread(tom, conversation_id)) == (0, False)


async def test_a_folder_numbered_anew_waits_and_the_others_do_not(post: Post) -> None:
    inbox, filed = await post.arrive(1), await post.arrive(1, "Projects")
    await execute("UPDATE folders SET uid_validity = uid_validity - 1 WHERE name = 'INBOX'")
    for conversation_id in (inbox, filed):
        await post.status(conversation_id, "trash")
    with pytest.raises(TryAgain, match=r"1 changes.*numbered anew"):
        await carry_out(post.account_id)
    assert sorted(await post.there()) == ["INBOX", "Trash"]
    assert await post.seen() == []


async def test_a_server_out_of_reach_is_asked_again_later_in_words_for_an_admin(post: Post) -> None:
    conversation_id = await post.arrive()
    await post.status(conversation_id, "done")
    await execute("UPDATE mail_accounts SET imap_port = 1")
    with pytest.raises(TryAgain, match="nothing answers on port 1"):
        await carry_out(post.account_id)
    assert await post.open() == 1


async def test_a_paused_account_is_left_alone(post: Post) -> None:
    conversation_id = await post.arrive()
    await post.status(conversation_id, "done")
    await execute("UPDATE mail_accounts SET paused_at = now()")
    await carry_out(post.account_id)
    assert (sorted(await post.there()), await post.open()) == (["INBOX"], 1)


async def test_nothing_wanted_needs_no_server(post: Post) -> None:
    await execute("UPDATE mail_accounts SET imap_port = 1")
    await carry_out(post.account_id)
    await carry_out(99)


async def test_two_jobs_of_one_account_do_not_meet(post: Post) -> None:
    conversations = [await post.arrive() for _ in range(4)]
    for conversation_id in conversations:
        await post.status(conversation_id, "done")
    await asyncio.gather(*(carry_out(post.account_id) for _ in range(3)))
    assert [len(ids) for ids in (await post.there()).values()] == [4]
    assert await post.here() == await post.there()
