"""The watcher against Dovecot and Cyrus, with all they offer and with next to nothing: first sync, and everything that
happens to mail afterwards, the same on both.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sync.imap.connection import open_connection
from sync.imap.pushback import append_once
from sync.types import DELETED, SEEN, UpToDate
from tests.servers.cyrus import Cyrus
from tests.servers.dovecot import Dovecot
from tests.servers.imap_client import OtherClient
from tests.sync.imap.conftest import QUICK, Watch
from tests.sync.imap.mails import mail
from tests.sync.imap.memory_store import MemoryStore
from tests.sync.imap.test_compression import DEFLATE
from tests.sync.imap.work import move, set_flag

Server = Dovecot | Cyrus

PLAIN = ("QRESYNC", "CONDSTORE", "MOVE", "UIDPLUS", "ESEARCH", "NOTIFY", "LIST-STATUS", "OBJECTID", "STATUS=SIZE")
"""Extensions that are hidden; what is left is RFC 3501 with IDLE."""
BARE = (*PLAIN, "IDLE", "LITERAL+", "SPECIAL-USE", "ENABLE", "COMPRESS=DEFLATE", "UNSELECT")
POLLING = replace(QUICK, poll=0.2)
LONG_AGO = time.time() - 40 * 24 * 3600
HIDDEN: dict[str, tuple[str, ...]] = {
    "all": (),
    "no_qresync": ("QRESYNC",),
    "no_condstore": ("QRESYNC", "CONDSTORE"),
    "no_move": ("MOVE",),
    "no_uidplus": ("UIDPLUS", "MOVE"),
    "no_esearch": ("ESEARCH",),
    "no_notify": ("NOTIFY",),
    "no_list_status": ("LIST-STATUS",),
    "plain": PLAIN,
    "bare": BARE,
    "compressed": (),
}
IN_BRIEF = ("all", "compressed", "no_condstore", "plain", "bare")
"""What `make test` runs of these; the campaign runs them all."""


@pytest.fixture
def serve() -> Iterator[Callable[[str, tuple[str, ...]], Server]]:
    """A function that starts a server of this kind; stopped after the test."""
    running: list[Server] = []

    def start(kind: str, without: tuple[str, ...]) -> Server:
        # Those settings announce everything: where something is hidden they have no place.
        server = (
            Dovecot(without=without, settings="" if without else DEFLATE)
            if kind == "dovecot"
            else Cyrus(without=without)
        )
        running.append(server)
        return server.start()

    yield start
    for server in running:
        server.stop()


async def until_current(store: MemoryStore) -> None:
    await store.until(lambda: store.states and isinstance(store.states[-1], UpToDate), timeout=20)


def old_mail(number: int) -> list[bytes]:
    return [mail(f"Old {n}", message_id=f"{n}@old.example") for n in range(number)]


def subjects(store: MemoryStore, folder: str = "INBOX") -> list[str]:
    """What the store has in the folder, by subject, in the order of the UIDs."""
    kept = store.folder(folder).messages
    return [kept[uid].raw.split(b"Subject: ")[1].split(b"\r\n")[0].decode() for uid in sorted(kept)]


async def check_same(store: MemoryStore, phone: OtherClient, *, timeout: float = 10) -> None:
    """Wait until every folder holds what it holds on the server, with its flags, byte for byte."""
    there = await phone.snapshot()

    def same() -> bool:
        return all(
            {uid: message.raw for uid, message in store.folder(name).messages.items()}
            == {uid: standing.raw for uid, standing in messages.items()}
            and {uid: flags - {"\\Recent"} for uid, flags in store.folder(name).flags.items()}
            == {uid: standing.flags for uid, standing in messages.items()}
            for name, messages in there.items()
            if name != "Drafts"
        )

    await store.until(same, timeout=timeout)


@pytest.mark.parametrize(
    "hidden", [pytest.param(each, marks=() if each in IN_BRIEF else pytest.mark.long) for each in HIDDEN]
)
@pytest.mark.parametrize("kind", ["dovecot", "cyrus"])
async def test_everything_that_happens_to_mail(
    serve: Callable[..., Any], store: MemoryStore, watch: Watch, kind: str, hidden: str
) -> None:
    server: Server = serve(kind, HIDDEN[hidden])
    with OtherClient(server, "ana") as phone:
        await phone.append("INBOX", *old_mail(30), date=LONG_AGO)
        await phone.append("Sent", mail("Our answer"), flags="\\Seen", date=LONG_AGO)
        login = replace(server.login("ana"), compress=hidden == "compressed")
        watcher = watch(login, timing=POLLING, connected_at=datetime.now(UTC) + timedelta(seconds=-1))
        await until_current(store)
        await check_same(store, phone)
        assert not any(store.folder().arrived.values())

        await phone.deliver(mail("New", message_id="new@customer.example"))
        await store.until(lambda: "New" in subjects(store))
        assert store.folder().arrived[max(store.folder().messages)] is True

        await phone.set_flags("INBOX", [3, 5], "\\Seen", "\\Flagged")
        await phone.set_flags("INBOX", [5], "\\Flagged", add=False)
        watcher.nudge()
        await check_same(store, phone)

        await phone.expunge("INBOX", [1, 4])
        watcher.nudge()
        await check_same(store, phone)

        await phone.move("INBOX", [7, 8], "Archive")
        await phone.move_by_copy("INBOX", [9], "Trash")
        await phone.copy("INBOX", [10], "Archive")
        watcher.nudge()
        await check_same(store, phone)
        assert subjects(store, "Archive") == ["Old 6", "Old 7", "Old 9"]

        await phone.create("Projects")
        await phone.move("INBOX", [11], "Projects")
        await phone.rename("Projects", "Bills")
        await phone.create("Restored")
        await phone.append("Restored", mail("Restored", message_id="restored@old.example"), flags="$Later")
        watcher.nudge()
        await check_same(store, phone)
        await phone.recreate("Restored")
        watcher.nudge()
        await check_same(store, phone)
        assert subjects(store, "Bills") == ["Old 10"]
        await phone.delete("Bills")
        await phone.set_flags("INBOX", [12], "\\Answered")
        watcher.nudge()
        await check_same(store, phone)
        await store.until(lambda: "Bills" not in store.folders or not store.folder("Bills").messages)


@pytest.mark.parametrize("hidden", ["all", "no_qresync", "no_condstore", "bare"])
@pytest.mark.parametrize("kind", ["dovecot", "cyrus"])
async def test_what_happened_while_away(
    serve: Callable[..., Any], store: MemoryStore, watch: Watch, kind: str, hidden: str
) -> None:
    """Nobody watches while mail comes, changes, moves and goes, and the server is started again."""
    server: Server = serve(kind, HIDDEN[hidden])
    with OtherClient(server, "ana") as phone:
        await phone.append("INBOX", *old_mail(12), date=LONG_AGO)
        watch(server.login("ana"), timing=POLLING)
        await until_current(store)
        await check_same(store, phone)
        server.halt()
        store.states.clear()
        server.start()
        await phone.expunge("INBOX", [2])
        await phone.append("INBOX", mail("While away"))
        await phone.set_flags("INBOX", [3, 13], "\\Seen")
        await phone.move("INBOX", [12, 1], "Junk")
        await check_same(store, phone, timeout=15)


@pytest.mark.parametrize("hidden", ["all", "no_move", "no_uidplus", "plain"])
@pytest.mark.parametrize("kind", ["dovecot", "cyrus"])
async def test_what_is_carried_back(serve: Callable[..., Any], kind: str, hidden: str) -> None:
    server: Server = serve(kind, HIDDEN[hidden])
    with OtherClient(server, "ana") as phone:
        await phone.append("INBOX", *[mail(f"Mail {n}", message_id=f"{n}@old.example") for n in range(4)])
        validity = await phone.uid_validity("INBOX")
        connection = await open_connection(server.login("ana"))
        await set_flag(connection, "INBOX", validity, [1, 2], SEEN)
        await set_flag(connection, "INBOX", validity, [2], SEEN, on=False)
        names = {3: "<2@old.example>", 4: "<3@old.example>"}
        for _ in range(2):
            await move(connection, "INBOX", validity, [3, 4], "Archive", known_as=names)
        for _ in range(2):
            await append_once(connection, "Sent", mail("Out", message_id="1@team.example"), "<1@team.example>")
        await connection.close()
        there = await phone.snapshot()
        if hidden in ("no_uidplus", "plain"):  # nothing but a whole EXPUNGE would clear them, and take others along
            assert there["INBOX"].pop(3).flags == there["INBOX"].pop(4).flags == {DELETED}
        assert {uid: set(standing.flags) for uid, standing in there["INBOX"].items()} == {1: {SEEN}, 2: set()}
        assert [standing.identity.message_id for standing in there["Archive"].values()] == [
            "<2@old.example>",
            "<3@old.example>",
        ]
        assert len(there["Sent"]) == 1


async def test_a_move_without_uidplus_is_not_repeated(serve: Callable[..., Any]) -> None:
    """What stays behind is marked \\Deleted, so a job that runs again can see that it was moved before."""
    server: Server = serve("dovecot", PLAIN)
    with OtherClient(server, "ana") as phone:
        await phone.append("INBOX", mail("Once", message_id="once@old.example"))
        connection = await open_connection(server.login("ana"))
        for _ in range(2):
            validity = await phone.uid_validity("INBOX")
            await move(connection, "INBOX", validity, [1], "Archive", known_as={1: "<once@old.example>"})
        await connection.close()
        assert len(await phone.messages("Archive")) == 1


async def test_a_renamed_folder_is_the_same_where_the_server_says_so(store: MemoryStore, watch: Watch) -> None:
    """MAILBOXID and EMAILID (RFC 8474): the store is told both."""
    with Cyrus() as server, OtherClient(server, "ana") as phone:
        await phone.create("Projects")
        await phone.append("Projects", mail("Plan", message_id="plan@customer.example"))
        await phone.copy("Projects", [1], "Archive")
        watcher = watch(server.login("ana"), timing=POLLING)
        await until_current(store)
        [before] = [folder for folder in store.listed if folder.name == "Projects"]
        [told] = {message.email_id for message in store.seen}
        assert before.object_id
        assert told
        assert set(store.folder("Archive").messages) == {1}
        await phone.rename("Projects", "Bills")
        watcher.nudge()
        await store.until(lambda: "Bills" in [folder.name for folder in store.listed])
        assert [folder.object_id for folder in store.listed if folder.name == "Bills"] == [before.object_id]
