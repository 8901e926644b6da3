"""The Drafts folder: the store is told what stands there, and gets what is new, once."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from sync.imap.connection import open_connection
from sync.imap.drafts import DraftsFolder
from sync.types import SyncPlan
from tests.servers.dovecot import Dovecot
from tests.sync.imap.conftest import QUICK, Watch
from tests.sync.imap.mails import mail
from tests.sync.imap.memory_store import MemoryStore


@pytest.mark.parametrize("without", [(), ("NOTIFY",), ("NOTIFY", "LIST-STATUS", "CONDSTORE", "QRESYNC")])
async def test_what_happens_there_is_told_while_it_is_watched(
    make_dovecot: Callable[..., Dovecot], store: MemoryStore, watch: Watch, without: tuple[str, ...]
) -> None:
    server = make_dovecot(without=without)
    await server.append("ana", "Drafts", mail("One"))
    watch(server.login("ana"), timing=replace(QUICK, poll=0.2, poll_all=0.3) if without else QUICK)
    await store.until(lambda: set(store.drafts) == {1})
    await server.append("ana", "Drafts", mail("Two"), mail("Three"))
    await store.until(lambda: set(store.drafts) == {1, 2, 3})
    await server.expunge("ana", "Drafts", "1:2")
    await store.until(lambda: set(store.drafts) == {3})
    assert store.drafts_fetched == [1, 2, 3]
    assert not store.folder("Drafts").messages


async def test_a_folder_that_was_not_chosen_is_not_looked_at(
    dovecot: Dovecot, mail_user: str, store: MemoryStore, watch: Watch
) -> None:
    await dovecot.append(mail_user, "Drafts", mail("Private"))
    store.wanted = SyncPlan(chosen={"Drafts": False})
    watch(dovecot.login(mail_user))
    for number in (1, 2):  # the second is seen by a later round than the first
        await dovecot.append(mail_user, "Junk", mail(f"Buy now {number}"))
        await store.until(lambda number=number: number in store.folder("Junk").messages)
    assert store.drafts == {}


async def test_nothing_is_asked_while_nothing_changes(dovecot: Dovecot, mail_user: str, store: MemoryStore) -> None:
    await dovecot.append(mail_user, "Drafts", mail("One"))
    folder = DraftsFolder(store)
    connection = await open_connection(dovecot.login(mail_user))
    try:
        for _ in range(3):
            await folder.look(connection, "Drafts")
        assert store.calls.count("drafts_listed") == 1
    finally:
        await connection.close()


async def test_a_failure_of_the_store_is_made_up_for_by_the_next_look(
    dovecot: Dovecot, mail_user: str, store: MemoryStore
) -> None:
    await dovecot.append(mail_user, "Drafts", mail("One"))
    folder = DraftsFolder(store)
    connection = await open_connection(dovecot.login(mail_user))
    try:
        store.fail = OSError("the database restarts")
        with pytest.raises(OSError, match="restarts"):
            await folder.look(connection, "Drafts")
        await folder.look(connection, "Drafts")
        assert set(store.drafts) == {1}
    finally:
        await connection.close()
