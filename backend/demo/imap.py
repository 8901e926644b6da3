"""The demo's IMAP server: pymap, with folders that live in `MailStore`.

pymap's own backends do not fit: its dict backend forgets everything at the end and has a gap in which IDLE
misses mail (a change between two waits is only seen at the next one); its maildir backend finds news by
asking the disk once a second. So this is its dict backend with lasting UIDs, SPECIAL-USE and the gap closed.
"""

import asyncio
import hashlib
import re
from argparse import Namespace
from collections.abc import AsyncIterator, Iterable, Sequence, Set
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from email.parser import BytesHeaderParser

from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import Config, Identity, Login, Session
from pymap.backend.dict.filter import FilterSet
from pymap.backend.dict.mailbox import LoadedMessage, MailboxData, MailboxSet, Message
from pymap.concurrent import Event
from pymap.flags import FlagOp
from pymap.imap import IMAPServer
from pymap.interfaces.login import IdentityInterface
from pymap.interfaces.message import CachedMessage
from pymap.mime import MessageContent
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials import FetchRequirement, ObjectId
from pymap.parsing.specials.flag import Flag
from pymap.selected import SelectedMailbox
from pymap.user import UserMetadata
from pysasl.creds.server import ServerCredentials
from pysasl.hashing import Cleartext

from backend.demo.store import FolderRow, MailStore, MessageRow

FOLDERS = {
    "INBOX": None,
    "Sent": "Sent",
    "Drafts": "Drafts",
    "Archive": "Archive",
    "Junk": "Junk",
    "Trash": "Trash",
}
"""The folders of a new account, with their SPECIAL-USE (RFC 6154)."""

_FOLDED = re.compile(r"<[^<>\s]+>")


class StoredMessage(Message):
    """A message whose bytes are read from the store when somebody asks for them."""

    __slots__ = ["digest", "store"]

    def __init__(self, store: MailStore, row: MessageRow, *, recent: bool = False, expunged: bool = False) -> None:
        super().__init__(
            row.uid,
            datetime.fromtimestamp(row.received, UTC),
            [Flag(flag) for flag in row.flags],
            email_id=ObjectId(b"M" + row.digest[:32].encode()),
            thread_id=ObjectId(b"T" + row.thread.encode()),
            recent=recent,
            expunged=expunged,
        )
        self.digest = row.digest
        self.store = store

    async def load_content(self, requirement: FetchRequirement) -> LoadedMessage:
        raw = None if requirement.has_none(FetchRequirement.CONTENT) else self.store.raw(self.digest)
        return LoadedMessage(self, requirement, None if raw is None else MessageContent.parse(raw))

    def row(self) -> MessageRow:
        thread = self.thread_id.value[1:].decode()
        flags = tuple(sorted(str(flag) for flag in self.permanent_flags))
        return MessageRow(self.uid, self.digest, thread, self.internal_date.timestamp(), flags)


class StoredFolder(MailboxData):
    """One folder. What changes it writes to the store before anybody is told."""

    def __init__(self, mailboxes: "StoredFolders", row: FolderRow) -> None:
        super().__init__(mailboxes._content_cache, mailboxes._thread_cache)
        self.row = row
        self.store = mailboxes.store
        self._mailbox_id = ObjectId(row.object_id.encode())
        self._uid_validity = row.uid_validity
        self._max_uid = row.next_uid - 1
        self._messages.update((each.uid, StoredMessage(self.store, each)) for each in self.store.messages(row.id))

    async def update_selected(self, selected: SelectedMailbox, *, wait_on: Event | None = None) -> SelectedMailbox:
        # pymap's event stays silent about what happened before the waiting began, so look first.
        seen_all = selected.mod_sequence == self._mod_sequences.highest
        if wait_on is not None and seen_all and not wait_on.is_set():
            await wait_on.or_event(self._updated).wait()
        return await super().update_selected(selected)

    def deliver(self, raw: bytes, when: datetime, flags: Iterable[str] = (), *, recent: bool = True) -> StoredMessage:
        """Adds a message and wakes everybody who has the folder open."""
        row = self.store.append(self.row.id, raw, thread_of(raw), when.timestamp(), flags)
        return self._arrived(StoredMessage(self.store, row, recent=recent))

    def _arrived(self, message: StoredMessage) -> StoredMessage:
        self._max_uid = message.uid
        self._messages[message.uid] = message
        self._mod_sequences.update([message.uid])
        self._updated.set()
        return message

    async def append(self, append_msg: AppendMessage, *, recent: bool = False) -> StoredMessage:
        flags = [str(flag) for flag in append_msg.flag_set & self.permanent_flags]
        when = append_msg.when or datetime.now(UTC)
        return self.deliver(bytes(append_msg.literal), when, flags, recent=recent)

    async def copy(self, uid: int, destination: MailboxData, *, recent: bool = False) -> int | None:
        message = self._messages.get(uid)
        if not isinstance(message, StoredMessage) or not isinstance(destination, StoredFolder):
            return None
        row = self.store.place(destination.row.id, message.row())
        return destination._arrived(StoredMessage(self.store, row, recent=recent)).uid

    async def move(self, uid: int, destination: MailboxData, *, recent: bool = False) -> int | None:
        moved = await self.copy(uid, destination, recent=recent)
        if moved is not None:
            await self.delete([uid])
        return moved

    async def get(self, uid: int, cached_msg: CachedMessage) -> Message:
        message = self._messages.get(uid)
        if message is None:
            if not isinstance(cached_msg, StoredMessage):
                raise TypeError(cached_msg)
            message = StoredMessage(self.store, cached_msg.row(), expunged=True)
        return message

    async def update(self, uid: int, cached_msg: CachedMessage, flag_set: frozenset[Flag], mode: FlagOp) -> Message:
        message = await self.get(uid, cached_msg)
        before = message.permanent_flags
        after = mode.apply(before, flag_set)
        if after != before and not message.expunged:
            self.store.set_flags(self.row.id, uid, (str(flag) for flag in after))
            message.permanent_flags = after
            self._mod_sequences.update([uid])
            self._updated.set()
        return message

    async def delete(self, uids: Iterable[int]) -> None:
        present = [uid for uid in uids if uid in self._messages]
        if not present:
            return
        self.store.delete(self.row.id, present)
        for uid in present:
            del self._messages[uid]
        self._mod_sequences.expunge(present)
        self._updated.set()


class StoredFolders(MailboxSet):
    """The folders of one account; a new account gets the usual ones."""

    def __init__(self, store: MailStore, account: str) -> None:
        super().__init__()
        self.store = store
        self.account = account
        existing = {row.name for row in store.folders(account)}
        for name in FOLDERS:
            if name not in existing:
                store.add_folder(account, name)
        rows = store.folders(account)
        self._inbox = StoredFolder(self, next(row for row in rows if row.name == "INBOX"))
        self._set.update((row.name, StoredFolder(self, row)) for row in rows if row.name != "INBOX")
        self._subscribed.update((row.name, row.subscribed) for row in rows)

    @property
    def inbox(self) -> StoredFolder:
        return self.folder("INBOX")

    def folder(self, name: str) -> StoredFolder:
        """The folder of that name; KeyError when there is none."""
        folder = self._inbox if name == "INBOX" else self._set[name]
        if not isinstance(folder, StoredFolder):
            raise KeyError(name)
        return folder

    async def set_subscribed(self, name: str, subscribed: bool) -> None:
        self.store.subscribe(self.folder(name).row.id, subscribed)
        await super().set_subscribed(name, subscribed)

    async def add_mailbox(self, name: str) -> ObjectId:
        if name in self._set:
            raise ValueError(name)
        self._set[name] = folder = StoredFolder(self, self.store.add_folder(self.account, name))
        self._subscribed[name] = True
        return folder.mailbox_id

    async def delete_mailbox(self, name: str) -> None:
        self.store.delete_folder(self.folder(name).row.id)
        await super().delete_mailbox(name)

    async def rename_mailbox(self, before: str, after: str) -> None:
        if before == "INBOX":
            raise ValueError(before)  # RFC 3501 would move all its mail; no client of the demo needs that
        await super().rename_mailbox(before, after)
        for name, folder in self._set.items():
            if isinstance(folder, StoredFolder) and folder.row.name != name:
                self.store.rename_folder(folder.row.id, name)


class DemoSession(Session):
    """A signed-in client; its LIST names what the folders are for."""

    async def list_mailboxes(
        self, ref_name: str, filter_: str, subscribed: bool = False, selected: SelectedMailbox | None = None
    ) -> tuple[Iterable[tuple[str, str | None, Sequence[bytes]]], SelectedMailbox | None]:
        listed, updates = await super().list_mailboxes(ref_name, filter_, subscribed, selected)
        return [(name, delimiter, [*attributes, *_use(name)]) for name, delimiter, attributes in listed], updates


def _use(name: str) -> list[bytes]:
    use = FOLDERS.get(name)
    return [use.encode()] if use else []


class DemoConfig(Config):
    """pymap's settings: no TLS (only this machine is served), SPECIAL-USE, no look-up of host names."""

    @property
    def login_capability(self) -> Sequence[bytes]:
        return [*super().login_capability, b"SPECIAL-USE"]

    @property
    def greeting(self) -> bytes:
        return b"Northwind demo ready"


class DemoIdentity(Identity):
    """Somebody who has signed in to an account."""

    def __init__(self, name: str, login: "DemoLogin", roles: Set[str]) -> None:
        super().__init__(name, login, None, roles)
        self._folders = login.folders[name]

    @asynccontextmanager
    async def new_session(self) -> AsyncIterator[Session]:
        yield DemoSession(self.name, self.config, self._folders, FilterSet())


class DemoLogin(Login):
    """The accounts and their one password. ``folders`` is where mail is delivered to."""

    def __init__(self, config: DemoConfig, store: MailStore, accounts: Iterable[str], password: str) -> None:
        super().__init__(config)
        self.folders = {account: StoredFolders(store, account) for account in accounts}
        for account in self.folders:
            self.users_dict[account] = UserMetadata(config, account, password=password)

    async def authenticate(self, credentials: ServerCredentials) -> Identity:
        identity = await super().authenticate(credentials)
        return await self.authorize(identity, identity.name)

    async def authorize(self, authenticated: IdentityInterface, authzid: str) -> Identity:
        identity = await super().authorize(authenticated, authzid or authenticated.name)
        return DemoIdentity(identity.name, self, identity.roles)


def open_accounts(store: MailStore, accounts: Iterable[str], password: str) -> DemoLogin:
    """The accounts, ready to be delivered to and to be served."""
    arguments = Namespace(passlib_cfg=None, proxy_protocol=None)
    config = DemoConfig(
        arguments, host=None, port=0, tls_enabled=False, hash_context=Cleartext(), reject_dnsbl=False,
        demo_data=False, demo_user="", demo_password="",
    )  # fmt: skip
    config.apply_context()
    return DemoLogin(config, store, accounts, password)


async def serve_imap(login: DemoLogin, host: str, port: int, stack: AsyncExitStack) -> int:
    """Serves the accounts until the stack is closed; returns the port. Raises OSError when it is taken."""
    config = login.config
    callback = ProxyProtocolReader(config.proxy_protocol).get_callback(IMAPServer(login, config))
    server = await asyncio.start_server(callback, host, port)
    stack.callback(server.close)
    return server.sockets[0].getsockname()[1]


def thread_of(raw: bytes) -> str:
    """THREADID (RFC 8474) of a message: one for all that go back to the same first mail."""
    headers = BytesHeaderParser().parsebytes(raw[:65536])
    for name in ("References", "In-Reply-To", "Message-ID"):
        found = _FOLDED.search(str(headers.get(name, "")))
        if found:
            return hashlib.sha256(found[0].encode("utf-8", "replace")).hexdigest()[:32]
    return hashlib.sha256(raw).hexdigest()[:32]
