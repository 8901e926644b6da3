"""A second mail program on the account under test: what a person does on the telephone while Tandem watches.

    with OtherClient(server, "ana") as phone:
        await phone.append("INBOX", raw)
        await phone.move("INBOX", 3, "Archive")
        assert await phone.snapshot() == {...}

It is the standard library's client in a thread, on one connection: it owes nothing to the engine that it is to prove,
and does not hold up its loop. Works with every IMAP server that has UIDPLUS (RFC 4315) and MOVE (RFC 6851).
"""

import asyncio
import hashlib
import imaplib
import re
import smtplib
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, TypeVar

T = TypeVar("T")

_LISTED = re.compile(rb'\((?P<attributes>[^)]*)\) (?:"(?P<delimiter>(?:\\.|[^"])*)"|NIL) (?P<name>.*)', re.DOTALL)
_MESSAGE_ID = re.compile(rb"^message-id:\s*(<[^>]*>)", re.IGNORECASE | re.MULTILINE)
_GONE = ("deleted under us", "doesn't exist", "EXPUNGEISSUED", "SERVERBUG")
"""What Dovecot says of a folder or a message that another client takes away or makes anew at this moment."""


class MailServer(Protocol):
    """What the client needs to know of a server; every user has the same password."""

    password: str
    imap_port: int
    lmtp_port: int


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """What makes two copies the same mail: its Message-ID, and the SHA-256 of what stands below its header.

    Servers add header lines on the way (Received, Return-Path), and leave the rest alone.
    """

    message_id: str
    digest: str

    @classmethod
    def of(cls, raw: bytes) -> "Identity":
        header, _, body = raw.partition(b"\r\n\r\n")
        found = _MESSAGE_ID.search(header)
        return cls(found[1].decode("ascii", "replace") if found else "", hashlib.sha256(body).hexdigest()[:12])


@dataclass(frozen=True, slots=True)
class Standing:
    """One message in a folder."""

    identity: Identity
    flags: frozenset[str]
    raw: bytes


Snapshot = dict[str, dict[int, Standing]]
"""The whole account: folder, UID, what stands there. Folders that cannot be opened are missing."""


class OtherClient:
    """One user's second mail program, from entering to leaving. Opens its connection again after the server ended it.

    Methods raise RuntimeError with the server's words when it refuses.
    """

    def __init__(self, server: MailServer, user: str) -> None:
        self._server = server
        self.user = user
        self._client: imaplib.IMAP4 | None = None
        self._alone = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hang_up()

    # ---- mail

    async def deliver(self, raw: bytes, sender: str = "customer@example.org") -> None:
        """Hand a message over by LMTP (RFC 2033), as the internet would."""

        def work() -> None:
            with smtplib.LMTP("127.0.0.1", self._server.lmtp_port) as lmtp:
                lmtp.sendmail(sender, [self.user], raw)

        await asyncio.to_thread(work)

    async def append(self, folder: str, *messages: bytes, flags: str = "", date: float | None = None) -> None:
        """Put messages into a folder; `date` (epoch seconds) is their INTERNALDATE."""

        def work(client: imaplib.IMAP4) -> None:
            for raw in messages:
                when = imaplib.Time2Internaldate(time.time() if date is None else date)
                _check(client.append(quoted(folder), flags, when, raw))

        await self._run(work)

    async def set_flags(self, folder: str, uids: Collection[int], *flags: str, add: bool = True) -> None:
        """Set or remove flags. UIDs that are not there are passed over, as everywhere here."""
        await self._uid(folder, uids, "STORE", "+FLAGS.SILENT" if add else "-FLAGS.SILENT", f"({' '.join(flags)})")

    async def move(self, folder: str, uids: Collection[int], target: str) -> None:
        await self._uid(folder, uids, "MOVE", quoted(target))

    async def move_by_copy(self, folder: str, uids: Collection[int], target: str) -> None:
        """Move as programs do that do not know MOVE: for a moment the message stands in both folders."""
        await self.copy(folder, uids, target)
        await self.expunge(folder, uids)

    async def copy(self, folder: str, uids: Collection[int], target: str) -> None:
        await self._uid(folder, uids, "COPY", quoted(target))

    async def expunge(self, folder: str, uids: Collection[int]) -> None:
        """Delete messages for good."""
        await self._uid(folder, uids, "STORE", "+FLAGS.SILENT", "(\\Deleted)")
        await self._uid(folder, uids, "EXPUNGE")

    # ---- folders

    async def folders(self) -> list[str]:
        """The folders that can be opened, as they are spelt on the wire."""
        return await self._run(_folders)

    async def create(self, folder: str) -> None:
        """Make a folder. One that is there is left alone: a list may lack it while somebody deletes another."""

        def work(client: imaplib.IMAP4) -> None:
            answer = client.create(quoted(folder))
            if b"ALREADYEXISTS" not in answer[1][0]:
                _check(answer)

        await self._run(work)

    async def rename(self, folder: str, new_name: str) -> None:
        await self._run(lambda client: _check(client.rename(quoted(folder), quoted(new_name))))

    async def delete(self, folder: str) -> None:
        """Delete a folder with all its mail."""
        await self._run(lambda client: _check(client.delete(quoted(folder))))

    async def recreate(self, folder: str) -> None:
        """Another UIDVALIDITY for the same mail: as after a restored backup. Not for the inbox."""
        kept = await self.messages(folder)

        await self.delete(folder)
        for _, standing in sorted(kept.items()):
            await self._append_there(folder, standing)
        if not kept:
            # A folder with a role is there again already.
            await self._run(lambda client: client.create(quoted(folder)))

    async def _append_there(self, folder: str, standing: Standing) -> None:
        """Append, making the folder where it is missing; again where somebody still has the one deleted open."""

        def work(client: imaplib.IMAP4) -> bool:
            when, flags = imaplib.Time2Internaldate(time.time()), " ".join(sorted(standing.flags))
            if client.append(quoted(folder), flags, when, standing.raw)[0] == "OK":
                return True
            client.create(quoted(folder))
            return False

        for _ in range(100):
            if await self._run(work):
                return
            self._hang_up()
            await asyncio.sleep(0.05)
        raise RuntimeError(f"{folder} could not be made again")

    # ---- looking

    async def messages(self, folder: str = "INBOX") -> dict[int, Standing]:
        """What stands in one folder, by UID."""

        def work(client: imaplib.IMAP4) -> dict[int, Standing]:
            return _messages(client, folder)

        return await self._patiently(work)

    async def uid_validity(self, folder: str) -> int:
        """The folder's UIDVALIDITY."""

        def work(client: imaplib.IMAP4) -> int:
            answer = client.status(quoted(folder), "(UIDVALIDITY)")
            _check(answer)
            return int(answer[1][0].split(b"UIDVALIDITY ")[1].rstrip(b") "))

        return await self._run(work)

    async def snapshot(self) -> Snapshot:
        """Every folder with everything in it."""

        def work(client: imaplib.IMAP4) -> Snapshot:
            return {folder: _messages(client, folder) for folder in _folders(client)}

        return await self._patiently(work)

    # ---- the connection

    async def _uid(self, folder: str, uids: Collection[int], command: str, *arguments: str) -> None:
        def work(client: imaplib.IMAP4) -> None:
            _check(client.select(quoted(folder)))
            _check(client.uid(command, ",".join(map(str, sorted(uids))), *arguments))
            _check(client.unselect())

        if uids:
            await self._patiently(work)

    async def _patiently(self, work: Callable[[imaplib.IMAP4], T]) -> T:
        """Once more where a folder or a message is taken away as it is used, or listed once it is gone."""
        for _ in range(20):
            try:
                return await self._run(work)
            except RuntimeError as refusal:
                if not any(each in str(refusal) for each in _GONE):
                    raise
                self._hang_up()
                await asyncio.sleep(0.05)
        return await self._run(work)

    async def _run(self, work: Callable[[imaplib.IMAP4], T]) -> T:
        def run() -> T:
            with self._alone:
                return work(self._connected())

        return await asyncio.to_thread(run)

    def _connected(self) -> imaplib.IMAP4:
        if self._client is not None:
            try:
                self._client.noop()
            except (imaplib.IMAP4.abort, OSError):  # the server was restarted meanwhile
                self._hang_up()
        if self._client is None:
            self._client = imaplib.IMAP4("127.0.0.1", self._server.imap_port, timeout=30)
            self._client.login(self.user, self._server.password)
        return self._client

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.shutdown()
            self._client = None


def quoted(folder: str) -> str:
    """A folder's name as a quoted string (RFC 3501 section 4.3)."""
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _folders(client: imaplib.IMAP4) -> list[str]:
    names = []
    for line in client.list()[1]:
        if line is None:
            continue
        listed = _LISTED.fullmatch(line if isinstance(line, bytes) else line[0])
        assert listed is not None, line
        attributes = listed["attributes"].lower().split()
        if rb"\noselect" not in attributes and rb"\nonexistent" not in attributes:
            names.append(listed["name"].strip(b'"').replace(b'\\"', b'"').replace(b"\\\\", b"\\").decode())
    return sorted(names)


def _messages(client: imaplib.IMAP4, folder: str) -> dict[int, Standing]:
    _check(client.select(quoted(folder), readonly=True))
    found: dict[int, Standing] = {}
    for item in client.uid("FETCH", "1:*", "(UID FLAGS BODY.PEEK[])")[1]:
        if isinstance(item, tuple):
            uid = int(item[0].split(b"UID ")[1].split(b" ")[0])
            flags = {flag.decode() for flag in imaplib.ParseFlags(item[0])}
            found[uid] = Standing(Identity.of(item[1]), frozenset(flags - {"\\Recent"}), item[1])
    _check(client.unselect())
    return found


def _check(answer: tuple[str, Sequence[object]]) -> None:
    if answer[0] != "OK":
        raise RuntimeError(f"The server refused: {answer}")
