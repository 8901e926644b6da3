"""The mail of the demo's servers, in one SQLite file: folders with lasting UIDs, messages, their flags.

Only the servers' own process opens it, on one thread. Every change is committed at once, so the demo can be
killed at any moment and starts again with what the clients were told.
"""

import hashlib
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS folder (
    id INTEGER PRIMARY KEY, account TEXT NOT NULL, name TEXT NOT NULL, object_id TEXT NOT NULL,
    uid_validity INTEGER NOT NULL, next_uid INTEGER NOT NULL DEFAULT 1, subscribed INTEGER NOT NULL DEFAULT 1,
    UNIQUE (account, name)
);
CREATE TABLE IF NOT EXISTS content (digest TEXT PRIMARY KEY, raw BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS message (
    folder INTEGER NOT NULL REFERENCES folder, uid INTEGER NOT NULL, digest TEXT NOT NULL REFERENCES content,
    thread TEXT NOT NULL, received REAL NOT NULL, flags TEXT NOT NULL, PRIMARY KEY (folder, uid)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS message_digest ON message (digest);
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class FolderRow:
    id: int
    account: str
    name: str
    object_id: str
    uid_validity: int
    next_uid: int
    subscribed: bool


@dataclass(frozen=True)
class MessageRow:
    """``received`` is INTERNALDATE in seconds since 1970; ``digest`` is the SHA-256 of the bytes."""

    uid: int
    digest: str
    thread: str
    received: float
    flags: tuple[str, ...]


class MailStore:
    """Folders and messages by account. A UID is never given out twice in one folder (RFC 3501, 2.3.1.1)."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        self._database.close()

    def fact(self, name: str) -> str | None:
        """A remembered fact about the demo itself, such as when its history was written."""
        row = self._database.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def remember(self, name: str, value: str) -> None:
        self._database.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))

    def begin(self) -> None:
        """Opens a transaction over several changes; `commit` or `roll_back` ends it."""
        self._database.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self._database.execute("COMMIT")

    def roll_back(self) -> None:
        self._database.execute("ROLLBACK")

    def folders(self, account: str) -> list[FolderRow]:
        rows = self._database.execute(
            "SELECT id, account, name, object_id, uid_validity, next_uid, subscribed FROM folder"
            " WHERE account = ? ORDER BY id",
            (account,),
        )
        return [FolderRow(*row[:6], subscribed=bool(row[6])) for row in rows]

    def add_folder(self, account: str, name: str) -> FolderRow:
        """Makes a folder. Its UIDVALIDITY is above every one given out before, also for a name used again."""
        highest = self._database.execute("SELECT max(uid_validity) FROM folder").fetchone()[0] or 0
        validity = max(int(time.time()), highest + 1, int(self.fact("uid_validity") or 0) + 1)
        mark = hashlib.sha256(f"{account}\n{name}\n{validity}".encode()).hexdigest()[:32]
        self._database.execute(
            "INSERT INTO folder (account, name, object_id, uid_validity) VALUES (?, ?, ?, ?)",
            (account, name, f"F{mark}", validity),
        )
        self.remember("uid_validity", str(validity))
        return next(folder for folder in self.folders(account) if folder.name == name)

    def delete_folder(self, folder: int) -> None:
        uids = [row.uid for row in self.messages(folder)]
        self.delete(folder, uids)
        self._database.execute("DELETE FROM folder WHERE id = ?", (folder,))

    def rename_folder(self, folder: int, name: str) -> None:
        self._database.execute("UPDATE folder SET name = ? WHERE id = ?", (name, folder))

    def subscribe(self, folder: int, subscribed: bool) -> None:
        self._database.execute("UPDATE folder SET subscribed = ? WHERE id = ?", (subscribed, folder))

    def messages(self, folder: int) -> list[MessageRow]:
        rows = self._database.execute(
            "SELECT uid, digest, thread, received, flags FROM message WHERE folder = ? ORDER BY uid",
            (folder,),
        )
        return [MessageRow(*row[:4], flags=tuple(row[4].split())) for row in rows]

    def raw(self, digest: str) -> bytes | None:
        """The bytes of a message, or None when it was expunged meanwhile."""
        row = self._database.execute("SELECT raw FROM content WHERE digest = ?", (digest,)).fetchone()
        return row[0] if row else None

    def append(self, folder: int, raw: bytes, thread: str, received: float, flags: Iterable[str]) -> MessageRow:
        """Stores a message under the folder's next UID."""
        digest = hashlib.sha256(raw).hexdigest()
        self._database.execute("INSERT OR IGNORE INTO content VALUES (?, ?)", (digest, raw))
        return self.place(folder, MessageRow(0, digest, thread, received, tuple(sorted(flags))))

    def place(self, folder: int, message: MessageRow) -> MessageRow:
        """Puts a message whose bytes are stored into a folder, under its next UID."""
        uid = self._database.execute(
            "UPDATE folder SET next_uid = next_uid + 1 WHERE id = ? RETURNING next_uid - 1", (folder,)
        ).fetchone()[0]
        flags = " ".join(message.flags)
        self._database.execute(
            "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?)",
            (folder, uid, message.digest, message.thread, message.received, flags),
        )
        return MessageRow(uid, message.digest, message.thread, message.received, message.flags)

    def set_flags(self, folder: int, uid: int, flags: Iterable[str]) -> None:
        self._database.execute(
            "UPDATE message SET flags = ? WHERE folder = ? AND uid = ?",
            (" ".join(sorted(flags)), folder, uid),
        )

    def delete(self, folder: int, uids: Sequence[int]) -> None:
        """Removes messages, and their bytes where no folder refers to them any more."""
        for uid in uids:
            removed = self._database.execute(
                "DELETE FROM message WHERE folder = ? AND uid = ? RETURNING digest", (folder, uid)
            ).fetchall()
            for (digest,) in removed:
                self._database.execute(
                    "DELETE FROM content WHERE digest = ?"
                    " AND NOT EXISTS (SELECT 1 FROM message WHERE message.digest = content.digest)",
                    (digest,),
                )
