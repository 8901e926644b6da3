"""A mailbox whose account is a fresh one on Dovecot, and both sides of it: for tests of jobs that speak to the server.

The account is watched by nobody: what the watcher would have met is put into our tables by `arrive` and `place`.
"""

from dataclasses import dataclass

from backend.database.connection import execute, fetch, fetch_row, fetch_value
from backend.mail.fetched import FolderKey
from sync.mime.parse import parse_message
from tests.servers.api import Api
from tests.servers.delivery import write_mail
from tests.servers.dovecot import Dovecot

FOLDERS = {"INBOX": "inbox", "Archive": "archive", "Trash": "trash", "Junk": "junk", "Sent": "sent", "Projects": ""}


@dataclass
class Post:
    """A mailbox whose account is a fresh one on Dovecot, with what lies there known here."""

    api: Api
    dovecot: Dovecot
    user: str
    account_id: int
    mailbox_id: int

    async def arrive(self, number: int = 1, folder: str = "INBOX") -> int:
        """Mails of one conversation lie in a folder, here and there; answers the conversation."""
        conversation_id = await fetch_value(
            "INSERT INTO conversations (mailbox_id, subject, correspondents, snippet, addressed, last_arrival) "
            "VALUES ($1, 'Bike', '[]', '', '{}', $2) RETURNING id",
            self.mailbox_id,
            number,
        )
        if folder not in ("INBOX", "Archive", "Trash", "Junk", "Sent"):
            await self.dovecot.create(self.user, folder)
        before = await self.dovecot.messages(self.user, folder)
        await self.dovecot.append(self.user, folder, *(write_mail() for _ in range(number)))
        for uid, raw in (await self.dovecot.messages(self.user, folder)).items():
            if uid not in before:
                message_id = await self._message(conversation_id, raw, uid)
                await self.place(message_id, folder, uid)
        return conversation_id

    async def _message(self, conversation_id: int, raw: bytes, number: int) -> int:
        mime_id = parse_message(raw).message_id
        await execute("INSERT INTO raw_messages (digest, size, content) VALUES ($1, $2, $3)", mime_id, len(raw), raw)
        return await fetch_value(
            "INSERT INTO messages (mailbox_id, conversation_id, raw_digest, content_digest, message_id, direction, "
            "subject, snippet, body_text, arrival, date) VALUES ($1, $2, $3, $3, $3, 'incoming', '', '', '', $4, "
            "now() + $4::bigint * interval '1 second') RETURNING id",
            self.mailbox_id,
            conversation_id,
            mime_id,
            number,
        )

    async def place(self, message_id: int, folder: str, uid: int) -> None:
        """The watcher has met a message in a folder."""
        with self.dovecot.other_client(self.user) as client:
            answer = client.status(folder, "(UIDVALIDITY)")[1][0]
        validity = int(answer.split(b"UIDVALIDITY ")[1].split(b")")[0])
        await execute(
            "INSERT INTO folders (account_id, name, role, uid_validity) VALUES ($1, $2, $3, $4) "
            "ON CONFLICT (account_id, name) DO UPDATE SET uid_validity = $4",
            self.account_id,
            folder,
            FOLDERS[folder],
            validity,
        )
        await execute(
            "INSERT INTO placements (folder_id, uid, message_id, flags, seen, size) SELECT id, $3, $4, '[]', false, 1 "
            "FROM folders WHERE account_id = $1 AND name = $2",
            self.account_id,
            folder,
            uid,
            message_id,
        )

    async def there(self) -> dict[str, list[str]]:
        """The Message-IDs in each folder of the server that has mail."""
        found: dict[str, list[str]] = {}
        with self.dovecot.other_client(self.user) as client:
            lines = [line for line in client.list()[1] if isinstance(line, bytes)]
        names = [line.rpartition(b" ")[2].strip(b'"').decode() for line in lines]
        for name in names:
            messages = await self.dovecot.messages(self.user, name)
            if messages:
                found[name] = sorted(str(parse_message(raw).message_id) for raw in messages.values())
        return found

    async def here(self) -> dict[str, list[str]]:
        """The same as our tables have it: every UID must be the server's."""
        found: dict[str, list[str]] = {}
        for row in await fetch(
            "SELECT f.name, p.uid, m.message_id FROM placements p JOIN folders f ON f.id = p.folder_id "
            "JOIN messages m ON m.id = p.message_id WHERE f.account_id = $1 ORDER BY m.message_id",
            self.account_id,
        ):
            on_server = (await self.dovecot.messages(self.user, row["name"]))[row["uid"]]
            assert parse_message(on_server).message_id == row["message_id"]
            found.setdefault(row["name"], []).append(row["message_id"])
        return found

    async def folders_of(self, conversation_id: int) -> list[str]:
        """Where the conversation's mail stands on the server, which must be what our tables say."""
        there = await self.there()
        assert await self.here() == there
        ids = {row["message_id"] for row in await self.messages(conversation_id)}
        return [name for name, messages in sorted(there.items()) for each in messages if each in ids]

    async def messages(self, conversation_id: int) -> list[dict[str, object]]:
        records = await fetch("SELECT * FROM messages WHERE conversation_id = $1 ORDER BY id", conversation_id)
        return [dict(record) for record in records]

    async def ids(self, conversation_id: int) -> list[int]:
        return [row["id"] for row in await self.messages(conversation_id)]  # pyright: ignore[reportReturnType]

    async def status(self, conversation_id: int, status: str) -> None:
        await self.api.ana.put(f"/conversations/{conversation_id}/status", {"status": status})

    async def seen(self) -> list[int]:
        return [uid for uid, flags in (await self.dovecot.flags(self.user)).items() if "\\Seen" in flags]

    async def key(self, folder: str = "INBOX") -> FolderKey:
        """A folder as the account's watcher names it."""
        row = await fetch_row(
            "SELECT f.id, f.role, a.fence FROM folders f JOIN mail_accounts a ON a.id = f.account_id "
            "WHERE a.id = $1 AND f.name = $2",
            self.account_id,
            folder,
        )
        assert row is not None
        return FolderKey(
            folder_id=row["id"],
            role=row["role"],
            account_id=self.account_id,
            mailbox_id=self.mailbox_id,
            fence=row["fence"],
        )

    async def placed(self) -> list[tuple[str, list[str]]]:
        """Every placement of ours: the folder and the flags."""
        rows = await fetch(
            "SELECT f.name, ARRAY(SELECT jsonb_array_elements_text(p.flags) ORDER BY 1) AS flags FROM placements p "
            "JOIN folders f ON f.id = p.folder_id WHERE f.account_id = $1 ORDER BY f.name, p.uid",
            self.account_id,
        )
        return [(row["name"], row["flags"]) for row in rows]

    async def open(self) -> int:
        return await fetch_value("SELECT count(*) FROM server_intents WHERE confirmed_at IS NULL")
