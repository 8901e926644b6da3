"""Tandem's own IMAP and SMTP clients against the demo's servers: what the product will do with them all day."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backend.demo.people import PASSWORD
from sync.imap.connection import Connection, open_connection
from sync.types import ImapLogin
from tests.backend.demo.mail_servers import SUPPORT, MailServers, mail_servers


@pytest.fixture
async def connections(data_with_history: Path) -> AsyncIterator[tuple[Connection, Connection, MailServers]]:
    with mail_servers(data_with_history) as running:
        login = ImapLogin(
            host="127.0.0.1",
            port=running.imap_port,
            security="none",
            username=SUPPORT,
            password=PASSWORD,
            private_network=True,
        )
        first, second = await open_connection(login), await open_connection(login)
        yield first, second, running
        await first.close()
        await second.close()


async def test_everything_that_sync_asks_for_is_answered(
    connections: tuple[Connection, Connection, MailServers],
) -> None:
    watching, changing, _ = connections
    roles = {folder.name: folder.role for folder in await watching.list_folders()}
    assert roles["Sent"] == "sent" and roles["Trash"] == "trash" and roles["Archive"] == "archive"

    opened = await watching.open_folder("INBOX")
    assert opened.exists > 100 and opened.uid_next == opened.exists + 1
    uids = await watching.search("ALL")
    messages = await watching.fetch_messages(f"1:{opened.uid_next}")
    assert [message.uid for message in messages] == uids
    assert (await watching.fetch_sizes(uids[:5]))[uids[0]] == len(messages[0].raw)
    assert {each.uid: each.flags for each in await watching.fetch_flags("1:*")} == {m.uid: m.flags for m in messages}

    await changing.open_folder("INBOX", read_only=False)
    waiting = asyncio.create_task(watching.wait_for_changes(30, asyncio.Event()))
    await asyncio.sleep(0.2)
    await changing.change_flags([uids[3]], ["\\Flagged"], add=True)
    await asyncio.wait_for(waiting, 5)
    assert watching.take_changes().flags == {4}

    raw = b"Subject: written\r\nMessage-ID: <w@northwind.example>\r\n\r\nBy me.\r\n"
    uid = await changing.append("Sent", raw, flags=["\\Seen"], date=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert uid is not None
    moved = await changing.move([uids[0]], "Archive")
    assert list(moved) == [uids[0]]
    await watching.wait_for_changes(5, asyncio.Event())
    assert watching.take_changes().gone

    await changing.open_folder("Sent")
    (copy,) = await changing.fetch_messages(str(uid))
    assert (copy.raw, copy.internal_date) == (raw, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert "\\Seen" in copy.flags
    status = await watching.folder_status("Archive")
    assert status.messages == 1
