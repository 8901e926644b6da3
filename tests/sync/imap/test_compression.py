"""COMPRESS=DEFLATE and LITERAL+: the same mail in fewer bytes and questions, and only where that is worth it."""

import asyncio
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from sync.errors import ServerProblem
from sync.imap.compression import Inflater, worth_compressing
from sync.imap.connection import Connection, open_connection
from sync.imap.dialogue import AT_ONCE_BYTES
from sync.imap.protocol import Protocol
from sync.types import SEEN, ImapLogin
from tests.servers.cyrus import Cyrus
from tests.servers.dovecot import Dovecot
from tests.sync.imap.mails import mail
from tests.sync.imap.scripted import scripted_imap

DEFLATE = """
mail_plugins = zlib
protocol imap {
  mail_plugins = zlib imap_zlib
  imap_capability = +COMPRESS=DEFLATE
}
"""


@pytest.fixture(params=["dovecot", "cyrus"])
def compressing(request: pytest.FixtureRequest) -> Iterator[Dovecot | Cyrus]:
    with Dovecot(settings=DEFLATE) if request.param == "dovecot" else Cyrus() as server:
        yield server


def count_wire(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of what comes over the line from now on."""
    sizes: list[int] = []
    original = Protocol.data_received

    def spy(self: Protocol, d: bytes) -> None:
        sizes.append(len(d))
        original(self, d)

    monkeypatch.setattr(Protocol, "data_received", spy)
    return sizes


async def fill(login: ImapLogin, *messages: bytes) -> None:
    connection = await open_connection(login)
    for raw in messages:
        await connection.append("INBOX", raw, flags=[SEEN])
    await connection.close()


async def fetch_all(login: ImapLogin) -> list[bytes]:
    connection = await open_connection(login)
    await connection.open_folder("INBOX")
    messages = await connection.fetch_messages("1:*")
    await connection.close()
    return [each.raw for each in messages]


def noise(number: int) -> bytes:
    """Text that does not get smaller."""
    return b"\r\n".join(os.urandom(36).hex().encode() for _ in range(number // 74))


async def test_mail_is_the_same_in_fewer_bytes(compressing: Dovecot | Cyrus, monkeypatch: pytest.MonkeyPatch) -> None:
    login = replace(compressing.login("ana"), compress=True)
    sent = [mail("Long", body="All work and no play. " * 40_000), mail("Noise", body=noise(300_000).decode())]
    sent += [mail(f"Short {number}") for number in range(100)]
    await fill(login, *sent)
    wire = count_wire(monkeypatch)
    plain = await fetch_all(replace(login, compress=False))
    plain_bytes = sum(wire)
    wire.clear()
    assert await fetch_all(login) == plain
    assert [raw.split(b"\r\n\r\n", 1)[1] for raw in plain] == [raw.split(b"\r\n\r\n", 1)[1] for raw in sent]
    assert sum(wire) < plain_bytes / 3


async def test_large_mail_and_idle_work_compressed(compressing: Dovecot | Cyrus) -> None:
    login = replace(compressing.login("ana"), compress=True)
    large = mail("Large", body=noise(12_000_000).decode())
    await fill(login, large)
    [raw] = await fetch_all(login)
    assert raw == large
    watching = await open_connection(login)
    await watching.open_folder("INBOX")
    told = asyncio.create_task(watching.wait_for_changes(20, asyncio.Event()))
    await asyncio.sleep(0.5)
    await fill(login, mail("New"))
    await told
    assert watching.take_changes().new == 1
    await watching.close()


async def test_it_is_off_on_this_machine_and_on_elsewhere(compressing: Dovecot | Cyrus) -> None:
    connection = await open_connection(compressing.login("ana"))
    assert connection.offers("COMPRESS=DEFLATE")
    assert connection._protocol._inflater is None
    await connection.close()
    near = ("127.0.0.1", "10.1.2.3", "192.168.1.7", "::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1")
    assert not any(worth_compressing((address, 993)) for address in near)
    assert all(worth_compressing((address, 993)) for address in ("142.250.1.108", "2a00:1450:4001:800::6d"))
    assert not worth_compressing(None) and not worth_compressing("") and not worth_compressing(("socket",))


async def test_a_server_that_will_not_is_spoken_to_as_ever() -> None:
    capabilities = "* CAPABILITY IMAP4rev1 COMPRESS=DEFLATE\r\n{tag} OK done\r\n"
    answers = {"CAPABILITY": capabilities, "COMPRESS": "{tag} NO [COMPRESSIONACTIVE] TLS does it\r\n"}
    async with scripted_imap(answers) as (login, commands):
        connection = await open_connection(replace(login, compress=True))
        assert [folder.name for folder in await connection.list_folders()] == ["INBOX"]
        assert "COMPRESS DEFLATE" in commands
        await connection.close()


async def test_what_is_no_deflate_stream_ends_the_connection() -> None:
    capabilities = "* CAPABILITY IMAP4rev1 COMPRESS=DEFLATE\r\n{tag} OK done\r\n"
    answers = {"CAPABILITY": capabilities, "COMPRESS": "{tag} OK from now on\r\n* OK this is not compressed\r\n"}
    async with scripted_imap(answers) as (login, _):
        with pytest.raises(ServerProblem) as failure:
            connection = await open_connection(replace(login, compress=True))
            await connection.list_folders()
        assert failure.value.code == "answer_not_understood"


def test_a_small_answer_that_grows_without_end_is_handed_over_bit_by_bit() -> None:
    stream = zlib.compressobj(wbits=-15)
    small = stream.compress(b"0" * 50_000_000) + stream.flush(zlib.Z_SYNC_FLUSH)
    pieces = [len(piece) for piece in Inflater().feed(small)]
    assert sum(pieces) == 50_000_000
    assert max(pieces) <= 256 * 1024


# -- LITERAL+ --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("without", [(), ("LITERAL+",)])
@pytest.mark.parametrize("size", [2_000, AT_ONCE_BYTES * 3])
async def test_short_mail_is_appended_in_one_go(
    make_dovecot: Callable[..., Dovecot], monkeypatch: pytest.MonkeyPatch, without: tuple[str, ...], size: int
) -> None:
    server = make_dovecot(without=without)
    connection = await open_connection(server.login("ana"))
    lines: list[str] = []
    original = Protocol.send

    def spy(self: Protocol, line: str, scrub: str | None = None) -> None:
        lines.append(line)
        original(self, line, scrub)

    monkeypatch.setattr(Protocol, "send", spy)
    raw = mail("Appended", body=noise(size).decode())
    uid = await connection.append("INBOX", raw, flags=[SEEN])
    at_once = "LITERAL+" not in without and size < AT_ONCE_BYTES
    assert lines[-1].endswith(f"{{{len(raw)}{'+' if at_once else ''}}}")
    await connection.open_folder("INBOX")
    [found] = await connection.fetch_messages(str(uid))
    assert (found.raw, found.flags) == (raw, frozenset({SEEN}))
    assert await connection.search("CHARSET UTF-8 SUBJECT", literal=b"Appended") == [uid]
    await connection.close()


async def test_a_refused_append_leaves_the_conversation_whole(dovecot: Dovecot, mail_user: str) -> None:
    connection: Connection = await open_connection(dovecot.login(mail_user))
    for size in (1_000, AT_ONCE_BYTES * 2):
        with pytest.raises(ServerProblem) as refusal:
            await connection.append("Nowhere", mail("Lost", body=noise(size).decode()))
        assert refusal.value.code == "no_such_folder"
    assert await connection.list_folders()
    await connection.close()
