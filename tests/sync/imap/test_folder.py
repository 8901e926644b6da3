"""The folder state machine where only a scripted server leads: messages refused, old servers, bounded batches."""

from datetime import UTC, datetime

import pytest

from sync.imap import delivery
from sync.imap.connection import open_connection
from sync.imap.folder import FolderSync
from sync.types import FolderInfo, FolderProgress
from tests.servers.dovecot import Dovecot
from tests.sync.imap.mails import mail
from tests.sync.imap.memory_store import MemoryStore
from tests.sync.imap.scripted import scripted_imap

INBOX = FolderInfo("INBOX", "INBOX", "/", "inbox")


async def no_progress(name: str, how_far: FolderProgress) -> None:
    assert 0 <= how_far.done <= how_far.total, name


def fetched(uid: int) -> str:
    return (
        f'* {uid} FETCH (UID {uid} FLAGS () INTERNALDATE "01-Jan-2020 10:00:00 +0000" RFC822.SIZE 5 '
        "BODY[] {5}\r\nA: b\n)\r\n{tag} OK done\r\n"
    )


async def test_a_message_that_is_refused_keeps_back_no_other(store: MemoryStore) -> None:
    answers = {
        "UID SEARCH": "* SEARCH 1 2 3\r\n{tag} OK done\r\n",
        "UID FETCH 1:3 (UID RFC822.SIZE)": "* 1 FETCH (UID 1 RFC822.SIZE 5)\r\n{tag} OK done\r\n",
        "UID FETCH 1:3 (UID FLAGS": "{tag} NO [SERVERBUG] Some messages could not be fetched\r\n",
        "UID FETCH 1 (UID FLAGS": fetched(1),
        "UID FETCH 2 (UID FLAGS": "{tag} NO [SERVERBUG] Message 2 is damaged\r\n",
        "UID FETCH 3 (UID FLAGS": fetched(3),
        "NOOP": "{tag} OK done\r\n",
    }
    async with scripted_imap(answers) as (login, _):
        connection = await open_connection(login)
        folder = FolderSync(connection, store, INBOX, connected_at=datetime.now(UTC), progress=no_progress)
        await folder.open()
        await folder.catch_up()
        while await folder.backfill():
            pass
        await connection.close()
    assert set(store.folder().messages) == {1, 3}
    assert list(store.folder().set_aside) == [2]
    assert "damaged" in store.folder().set_aside[2]
    assert folder.cursor.backfill_done


async def test_a_server_that_does_not_tell_uidnext(store: MemoryStore) -> None:
    answers = {
        "EXAMINE": "* 1 EXISTS\r\n* OK [UIDVALIDITY 9] x\r\n{tag} OK done\r\n",
        "UID SEARCH UID *": "* SEARCH 41\r\n{tag} OK done\r\n",
        "UID SEARCH UID 1:41": "* SEARCH 41\r\n{tag} OK done\r\n",
        "UID FETCH 42:* (UID RFC822.SIZE)": "* 1 FETCH (UID 41 RFC822.SIZE 5)\r\n{tag} OK done\r\n",
        "UID FETCH 41 (UID RFC822.SIZE)": "* 1 FETCH (UID 41 RFC822.SIZE 5)\r\n{tag} OK done\r\n",
        "UID FETCH 41 (UID FLAGS": fetched(41),
    }
    async with scripted_imap(answers) as (login, _):
        connection = await open_connection(login)
        folder = FolderSync(connection, store, INBOX, connected_at=datetime.now(UTC), progress=no_progress)
        await folder.open()
        await folder.catch_up()
        while await folder.backfill():
            pass
        await connection.close()
    assert store.folder().arrived == {41: False}
    assert (folder.cursor.history_below, folder.cursor.highest_uid) == (42, 41)


async def test_batches_are_bounded_in_bytes(
    dovecot: Dovecot, mail_user: str, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "BATCH_BYTES", 10_000)
    sizes = [100, 9_000, 30_000, 100, 100, 9_500, 9_500]
    await dovecot.append(mail_user, "INBOX", *[mail("x", "y" * size) for size in sizes], date=1_600_000_000)
    connection = await open_connection(dovecot.login(mail_user))
    folder = FolderSync(connection, store, INBOX, connected_at=datetime.now(UTC), progress=no_progress)
    await folder.open()
    while await folder.backfill():
        pass
    await connection.close()
    batches = [call for call in store.calls if call.startswith("store_messages")]
    assert batches == [f"store_messages INBOX {count}" for count in (1, 3, 1, 2)]
    assert store.folder().order == [7, 6, 5, 4, 3, 2, 1]


async def test_what_a_move_placed_above_the_stretch_and_is_gone_again_is_told(
    dovecot: Dovecot, mail_user: str, store: MemoryStore
) -> None:
    """With QRESYNC: a job placed it, and another program took it on before the folder was looked at again."""
    await dovecot.append(mail_user, "INBOX", mail("x"), date=1_600_000_000)
    for visit in range(2):
        connection = await open_connection(dovecot.login(mail_user))
        folder = FolderSync(connection, store, INBOX, connected_at=datetime.now(UTC), progress=no_progress)
        await folder.open()
        await folder.catch_up()
        while await folder.backfill():
            pass
        await connection.close()
        assert (set(store.folder().messages), folder.cursor.highest_uid) == ({1}, 1)
        if visit == 0:
            await dovecot.append(mail_user, "INBOX", mail("y"))
            await dovecot.move(mail_user, "INBOX", "2", "Trash")
            store.folder().messages[2] = store.folder().messages[1]
