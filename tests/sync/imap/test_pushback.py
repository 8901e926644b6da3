"""Changes carried back to a real Dovecot, each of them twice."""

from collections.abc import AsyncIterator, Callable

import pytest

from sync.errors import FolderChanged
from sync.imap.connection import Connection, open_connection
from sync.imap.names import wire_name
from sync.imap.pushback import (
    append_once,
    find_message_id,
    locate,
    still_there,
    work_in_folder,
)
from sync.types import ANSWERED, FLAGGED, SEEN
from tests.servers.dovecot import Dovecot
from tests.sync.imap.mails import mail
from tests.sync.imap.work import move, set_flag, work


@pytest.fixture
async def connection(dovecot: Dovecot, mail_user: str) -> AsyncIterator[Connection]:
    connection = await open_connection(dovecot.login(mail_user))
    yield connection
    await connection.close()


async def _uid_validity(connection: Connection, folder: str = "INBOX") -> int:
    return (await connection.open_folder(folder)).uid_validity


async def test_flags_are_set_and_removed(dovecot: Dovecot, mail_user: str, connection: Connection) -> None:
    await dovecot.append(mail_user, "INBOX", *[mail(f"Mail {number}") for number in range(4)])
    validity = await _uid_validity(connection)
    for _ in range(2):
        for flag in (SEEN, FLAGGED):
            await set_flag(connection, "INBOX", validity, [1, 3, 99], flag)
        await set_flag(connection, "INBOX", validity, [3], ANSWERED)
        await set_flag(connection, "INBOX", validity, [3], FLAGGED, on=False)
    assert await dovecot.flags(mail_user) == {
        1: {SEEN, FLAGGED},
        2: frozenset(),
        3: {SEEN, ANSWERED},
        4: frozenset(),
    }


async def test_a_uid_of_another_uidvalidity_touches_nothing(
    dovecot: Dovecot, mail_user: str, connection: Connection
) -> None:
    await dovecot.append(mail_user, "INBOX", mail("Mail"))
    validity = await _uid_validity(connection)
    with pytest.raises(FolderChanged):
        await set_flag(connection, "INBOX", validity - 1, [1], SEEN)
    with pytest.raises(FolderChanged):
        await move(connection, "INBOX", validity - 1, [1], "Trash")
    assert await dovecot.flags(mail_user) == {1: frozenset()}


@pytest.mark.parametrize("without", [(), ("MOVE",), ("MOVE", "UIDPLUS", "ESEARCH")])
async def test_moving_to_trash_twice_moves_once(make_dovecot: Callable[..., Dovecot], without: tuple[str, ...]) -> None:
    server = make_dovecot(without=without)
    await server.append("ana", "INBOX", *[mail(f"Mail {number}") for number in range(3)])
    connection = await open_connection(server.login("ana"))
    validity = await _uid_validity(connection)
    moved = await move(connection, "INBOX", validity, [1, 2], "Trash")
    assert await move(connection, "INBOX", validity, [1], "Trash") == {} or "UIDPLUS" in without
    await connection.close()
    assert moved == {1: 1, 2: 2}
    there = await server.flags("ana", "INBOX")
    assert {uid for uid, flags in there.items() if "\\Deleted" not in flags} == {3}
    assert len(await server.messages("ana", "Trash")) >= 2


async def test_moving_into_a_missing_folder_creates_it(
    dovecot: Dovecot, mail_user: str, connection: Connection
) -> None:
    await dovecot.append(mail_user, "INBOX", mail("Mail"))
    target = wire_name("Erledigt & äußerst alt.日本")
    moved = await move(connection, "INBOX", await _uid_validity(connection), [1], target)
    assert moved == {1: 1}
    titles = {folder.title: folder.name for folder in await connection.list_folders()}
    assert titles["Erledigt & äußerst alt.日本"] == target


async def test_the_sent_copy_is_appended_once(dovecot: Dovecot, mail_user: str, connection: Connection) -> None:
    raw = mail("Our answer", message_id="abc.1@team.example")
    first = await append_once(connection, "Sent", raw, "<abc.1@team.example>")
    again = await append_once(connection, "Sent", raw, "<abc.1@team.example>")
    other = await append_once(connection, "Sent", raw, "<bc.1@team.example>")
    assert (first.uid, first.already_there) == (1, False)
    assert (again.uid, again.already_there) == (1, True)
    assert (other.uid, other.already_there) == (2, False)
    assert await dovecot.messages(mail_user, "Sent") == {1: raw, 2: raw}
    assert await dovecot.flags(mail_user, "Sent") == {1: {SEEN}, 2: {SEEN}}


async def test_the_sent_folder_is_created_when_missing(
    dovecot: Dovecot, mail_user: str, connection: Connection
) -> None:
    await append_once(connection, "Outgoing", mail("Mail", message_id="x@team.example"), "<x@team.example>")
    assert len(await dovecot.messages(mail_user, "Outgoing")) == 1


@pytest.mark.parametrize(
    "identity", ["plain@team.example", 'quo"te@team.example', "back\\slash@team.example", "ümlaut@team.example"]
)
async def test_a_message_is_found_by_its_message_id(
    dovecot: Dovecot, mail_user: str, connection: Connection, identity: str
) -> None:
    await dovecot.append(mail_user, "Sent", mail("One", message_id=identity), mail("Two", message_id="x" + identity))
    assert await find_message_id(connection, "Sent", f"<{identity}>") == 1
    assert await find_message_id(connection, "Sent", f"<x{identity}>") == 2
    assert await find_message_id(connection, "Sent", f"<y{identity}>") is None


async def test_a_message_of_strange_bytes_is_appended_exactly(
    dovecot: Dovecot, mail_user: str, connection: Connection
) -> None:
    raw = mail("Bytes", message_id="bytes@team.example") + bytes(range(1, 256)) * 3 + b"\r\n{5}\r\n* 5 EXISTS\r\n"
    raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"").replace(b"\n", b"\r\n")
    appended = await append_once(connection, "Sent", raw, "<bytes@team.example>")
    assert appended.uid is not None
    assert (await dovecot.messages(mail_user, "Sent"))[appended.uid] == raw
    await connection.open_folder("Sent")
    assert [each.raw for each in await connection.fetch_messages("1:*")] == [raw]


async def test_a_folder_is_worked_in_once_and_again(dovecot: Dovecot, mail_user: str, connection: Connection) -> None:
    await dovecot.append(mail_user, "INBOX", *[mail(f"Mail {number}") for number in range(5)])
    validity = await _uid_validity(connection)
    wanted = work(
        [1, 2, 3, 99], flags={(SEEN, True): [1, 2, 99], (FLAGGED, False): [2]}, moves={"Archive": [1], "Trash": [3, 99]}
    )
    outcome = await work_in_folder(connection, "INBOX", validity, wanted)
    assert outcome.there == {1, 2, 3}
    assert outcome.moved == {1: ("Archive", 1), 3: ("Trash", 1)}
    again = await work_in_folder(connection, "INBOX", validity, wanted)
    assert (again.there, again.moved) == ({2}, {})
    assert await dovecot.flags(mail_user) == {2: {SEEN}, 4: frozenset(), 5: frozenset()}
    assert await dovecot.flags(mail_user, "Archive") == {1: {SEEN}}


async def test_a_folder_that_is_gone_or_numbered_anew_is_not_worked_in(connection: Connection) -> None:
    validity = await _uid_validity(connection)
    for folder, number in (("INBOX", validity - 1), ("No such folder", 1)):
        with pytest.raises(FolderChanged):
            await work_in_folder(connection, folder, number, work([1], flags={(SEEN, True): [1]}))


async def test_without_a_uidvalidity_the_message_id_says_who_is_meant(
    dovecot: Dovecot, mail_user: str, connection: Connection
) -> None:
    names = ["one@team.example", "two@team.example"]
    await dovecot.append(mail_user, "INBOX", *[mail("Mail", message_id=name) for name in names])
    known = {1: "<one@team.example>", 2: "<other@team.example>", 3: "<three@team.example>"}
    wanted = work([1, 2, 3], flags={(SEEN, True): [1, 2, 3]}, moves={"Trash": [2]}, known_as=known)
    outcome = await work_in_folder(connection, "INBOX", 0, wanted)
    assert (outcome.there, outcome.moved) == ({1}, {})
    assert await dovecot.flags(mail_user) == {1: {SEEN}, 2: frozenset()}


async def test_what_was_moved_unheard_is_located_by_id_and_size(
    dovecot: Dovecot, mail_user: str, connection: Connection
) -> None:
    one, two = (mail("Mail", message_id=f"{name}@team.example") for name in ("one", "two"))
    forged = mail("A longer subject", message_id="two@team.example")
    await dovecot.append(mail_user, "Trash", one, one, two, forged)
    wanted = {"<one@team.example>": len(one), "<two@team.example>": len(two), "<three@team.example>": 5}
    assert await locate(connection, "Trash", wanted) == {"<one@team.example>": 2, "<two@team.example>": 3}
    assert await locate(connection, "No such folder", wanted) == {}
    assert await still_there(connection, "Trash", [1, 4, 5]) == [1, 4]
    assert await still_there(connection, "No such folder", [1]) == []
