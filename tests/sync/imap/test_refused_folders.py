"""A folder that the server does not let us read: told at the folder, tried again, and the rest goes on."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from sync.imap.account import AccountWatcher
from sync.types import NeedsYou, Retrying, UpToDate
from tests.servers.dovecot import Dovecot
from tests.sync.imap.conftest import QUICK, Watch
from tests.sync.imap.mails import mail
from tests.sync.imap.memory_store import MemoryStore
from tests.sync.imap.test_rounds import LONG_AGO, current

ACL = """
mail_plugins = acl
plugin {
  acl = vfile::cache_secs=0
}
"""


def allow(server: Dovecot, user: str, folder: str, rights: str) -> None:
    """What the owner may do in a folder (RFC 4314); `l` is seeing it in the list."""
    (server.root / "home" / user / "Maildir" / f".{folder}" / "dovecot-acl").write_text(f"owner {rights}\n")


async def server_with_secret(make_dovecot: Callable[..., Dovecot]) -> Dovecot:
    server = make_dovecot(settings=ACL)
    await server.create("ana", "Secret", "Projects")
    for folder in ("INBOX", "Secret", "Projects"):
        await server.append("ana", folder, mail(f"In {folder}"), date=LONG_AGO)
    allow(server, "ana", "Secret", "l")
    return server


async def test_one_refused_folder_is_told_and_the_rest_goes_on(
    make_dovecot: Callable[..., Dovecot], store: MemoryStore, watch: Watch
) -> None:
    server = await server_with_secret(make_dovecot)
    watch(server.login("ana"))
    await store.until(lambda: current(store))
    refusal = store.folder("Secret").refused
    assert refusal is not None
    assert refusal.problem.code == "folder_not_permitted"
    assert "does not let ana read this folder" in refusal.problem.sentence
    assert "Ask the folder's owner" in refusal.problem.remedy
    assert "NOPERM" in refusal.problem.server_words
    assert 60 < (refusal.again_at - refusal.at).total_seconds() < 600
    assert store.folder("Projects").messages and store.folder().messages
    assert not store.folder("Secret").messages
    assert not [state for state in store.states if isinstance(state, Retrying | NeedsYou)]


async def test_it_is_tried_again_less_and_less_often_until_it_opens(
    make_dovecot: Callable[..., Dovecot], store: MemoryStore, watch: Watch
) -> None:
    server = await server_with_secret(make_dovecot)
    watch(server.login("ana"), timing=replace(QUICK, poll_all=0.05, refused_retry=0.1))
    pauses: list[float] = []
    for _ in range(3):
        before = store.folder("Secret").refused
        await store.until(lambda before=before: store.folder("Secret").refused not in (None, before))
        refusal = store.folder("Secret").refused
        assert refusal is not None
        pauses.append((refusal.again_at - refusal.at).total_seconds())
    assert pauses[0] < pauses[1] < pauses[2]
    allow(server, "ana", "Secret", "lrwstipekxa")
    await store.until(lambda: store.folder("Secret").messages and store.folder("Secret").refused is None)


async def test_a_folder_that_was_refused_in_an_earlier_process_is_seen_to_open(
    make_dovecot: Callable[..., Dovecot], store: MemoryStore, watch: Watch
) -> None:
    server = await server_with_secret(make_dovecot)
    connected_at = datetime.now(UTC)
    first = AccountWatcher(server.login("ana"), store, connected_at=connected_at, timing=QUICK)
    running = asyncio.create_task(first.run())
    await store.until(lambda: store.folder("Secret").refused)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    allow(server, "ana", "Secret", "lrwstipekxa")
    store.states.clear()
    watch(server.login("ana"), connected_at=connected_at)
    await store.until(lambda: store.folder("Secret").refused is None and store.folder("Secret").messages)


async def test_somebody_who_asks_does_not_wait_for_the_next_try(
    make_dovecot: Callable[..., Dovecot], store: MemoryStore, watch: Watch
) -> None:
    server = await server_with_secret(make_dovecot)
    watcher = watch(server.login("ana"))
    await store.until(lambda: current(store))
    allow(server, "ana", "Secret", "lrwstipekxa")
    watcher.nudge()
    await store.until(lambda: store.folder("Secret").refused is None and store.folder("Secret").messages)


async def test_a_folder_is_refused_while_it_is_being_followed(
    make_dovecot: Callable[..., Dovecot], store: MemoryStore, watch: Watch
) -> None:
    """What came before stays, what comes into other folders comes."""
    server = await server_with_secret(make_dovecot)
    allow(server, "ana", "Secret", "lrwstipekxa")
    watcher = watch(server.login("ana"))
    await store.until(lambda: current(store))
    assert store.folder("Secret").messages
    allow(server, "ana", "Secret", "l")
    watcher.count()
    await store.until(lambda: store.folder("Secret").refused is not None)
    await server.append("ana", "Projects", mail("Later"))
    await store.until(lambda: len(store.folder("Projects").messages) == 2)
    assert store.folder("Secret").messages
    assert isinstance(store.states[-1], UpToDate)
