"""All the mail that others wrote, through a real server into the product: nothing is lost, everything can be opened."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import asyncpg
import pytest
from playwright.async_api import Page, expect
from playwright.async_api import TimeoutError as PlaywrightTimeout

from backend.conversations.contracts import ConversationDetail, ConversationPage
from backend.mail.contracts import MessageBody, MessageItem
from backend.mailboxes.contracts import MailboxSettings
from tests.servers.chromium import Seats
from tests.servers.office import Office
from tests.servers.product import Visitor
from tests.shared import needs_shared
from tests.shared_messages import as_on_the_wire, shared_messages
from tests.sync.mime.test_torture import BODIES, HEAD, flat, forwarded, nested

pytestmark = pytest.mark.timeout(300)

log = logging.getLogger(__name__)

IN_THE_BROWSER = 30
"""Conversations that `make test` opens in Chromium; `make test-long` opens all."""
AT_ONCE = 6
"""Requests that a reader has under way."""
ATTACHMENTS = 20
"""Of one message that are opened: a mail that is made to hurt has a thousand."""

SHOWN = """id => {
    const pane = document.querySelector(`.pane[data-pane="${id}"]`);
    const message = [...(pane?.querySelectorAll("section[data-message]") ?? [])].at(-1);
    if (!message || !pane.offsetParent) return null;
    const frame = message.querySelector("iframe.mail-frame");
    if (!frame) return message.querySelector(".plain") ? "plain" : null;
    const page = frame.contentDocument;
    return page?.readyState === "complete" && page.body.childNodes.length ? "framed" : null;
}"""
"""How the newest message of a conversation is shown; null while it is not."""


@dataclass
class Archive:
    """One account that was filled before it was connected, and its one reader."""

    office: Office
    mailbox: MailboxSettings
    reader: Visitor
    user: str
    log_before: int
    seconds: float
    """From connecting the account until it was up to date."""

    @property
    def log(self) -> str:
        """What the product printed since the account was connected."""
        return self.office.product.log[self.log_before :]

    async def placements(self) -> dict[int, tuple[int, str]]:
        """Every UID of the Inbox that is stored, with its message and the hash of that one's bytes."""
        rows = await self.fetch(
            "SELECT p.uid, m.id, m.raw_digest FROM placements p JOIN messages m ON m.id = p.message_id "
            "JOIN folders f ON f.id = p.folder_id WHERE m.mailbox_id = $1 AND f.role = 'inbox'"
        )
        return {row["uid"]: (row["id"], row["raw_digest"]) for row in rows}

    async def fetch(self, query: str) -> Sequence[asyncpg.Record]:
        """Look into the database; $1 is the mailbox."""
        connection = await asyncpg.connect(self.office.product.dsn)
        try:
            return await connection.fetch(query, self.mailbox.id)
        finally:
            await connection.close()

    async def conversations(self) -> list[int]:
        """All of them, newest first."""
        found: list[int] = []
        cursor: dict[str, str] = {}
        while True:
            path = f"/mailboxes/{self.mailbox.id}/conversations"
            page = await self.reader.get(path, ConversationPage, view="all", limit=200, **cursor)
            found += [item.row.id for item in page.items]
            if page.next_cursor is None:
                return found
            cursor = {"cursor": page.next_cursor}


async def connected(office: Office, user: str, mails: Sequence[bytes]) -> Archive:
    """Put the mails into an account of that name, and let the product fetch them."""
    reader = await office.product.invite(office.ana, f"Reader of {user}", f"reader.{user}@northwind.example")
    mailbox = await office.product.group_mailbox(office.ana, user.title(), f"{user}@northwind.example", [reader])
    office.dovecot.fill(user, "INBOX", mails)
    log_before, began = len(office.product.log), time.monotonic()
    await office.product.connect_account(office.ana, mailbox, office.dovecot, office.smtp, user=user)
    await office.product.synced(office.ana, mailbox)
    return Archive(office, mailbox, reader, user, log_before, time.monotonic() - began)


@pytest.fixture(scope="module")
async def archive(office: Office) -> AsyncIterator[Archive]:
    """The shared test data as an old account."""
    made = await connected(office, "archive", list(shared_messages().values()))
    yield made
    await office.ana.delete(f"/mailboxes/{made.mailbox.id}", name=made.mailbox.name)


@needs_shared
async def test_every_message_on_the_server_is_stored(archive: Archive) -> None:
    there = await archive.office.dovecot.messages(archive.user)
    assert len(there) == len(shared_messages())
    assert sorted(await archive.placements()) == sorted(there)
    assert await archive.fetch("SELECT 1 FROM messages_set_aside s JOIN folders f ON f.id = s.folder_id "
                               "JOIN mail_accounts a ON a.id = f.account_id WHERE a.mailbox_id = $1") == []  # fmt: skip
    assert "Traceback" not in archive.log and " ERROR " not in archive.log
    log.info("%d messages were fetched in %.1f s", len(there), archive.seconds)


@needs_shared
async def test_every_message_can_be_opened_over_the_api(archive: Archive) -> None:
    """Its conversation, its text, its HTML, its attachments, and its source: the server's bytes."""
    there = await archive.office.dovecot.messages(archive.user)
    sources: dict[int, set[bytes]] = {}
    for uid, (message_id, _) in (await archive.placements()).items():
        sources.setdefault(message_id, set()).add(there[uid])
    met: list[int] = []
    gate = asyncio.Semaphore(AT_ONCE)

    async def read(conversation_id: int) -> None:
        async with gate:
            detail = await archive.reader.get(f"/conversations/{conversation_id}", ConversationDetail)
            for message in detail.messages:
                met.append(message.id)
                await read_message(archive.reader, message, sources[message.id])

    await asyncio.gather(*(read(conversation_id) for conversation_id in await archive.conversations()))
    assert sorted(met) == sorted(sources)
    assert "Traceback" not in archive.log and " ERROR " not in archive.log


async def read_message(reader: Visitor, message: MessageItem, sources: set[bytes]) -> None:
    """Everything of one message that a person can open."""
    body = await reader.get(f"/messages/{message.id}", MessageBody)
    raw = await reader.request("GET", f"/messages/{message.id}/raw")
    assert raw.content in sources, f"message {message.id} has another source than the server"
    if body.html_url is not None:
        page = await reader.client.get(body.html_url.removeprefix("/api/v1"), params={"quoted": 1, "dark": 1})
        assert page.status_code == 200 and page.text.startswith("<!doctype html>"), body.html_url
        assert "script-src 'none'" in page.headers["content-security-policy"]
    for attachment in message.attachments[:ATTACHMENTS]:
        path = f"/messages/{message.id}/attachments/{attachment.position}"
        answer = await reader.request("GET", path)
        assert answer.status_code == 200, f"{path} answered {answer.status_code}"
        assert len(answer.content) == attachment.size, path


async def next_one(page: Page, before: int) -> int:
    """Move on to the next conversation, as a person does; answers its id."""
    await page.keyboard.press("j")
    moved = "before => window.tandem.selected !== before && window.tandem.selected"
    return await (await page.wait_for_function(moved, arg=before, timeout=30_000)).json_value()


async def stands_there(page: Page, conversation_id: int, seconds: float = 30) -> str:
    """Wait until the conversation is shown; answers how."""
    try:
        shown = await page.wait_for_function(SHOWN, arg=conversation_id, timeout=seconds * 1000)
    except PlaywrightTimeout as late:
        panes = await page.locator(".panes").inner_text()
        raise AssertionError(f"Conversation {conversation_id} does not open; there is: {panes[:500]!r}") from late
    await expect(page.locator(f'.pane[data-pane="{conversation_id}"] h1.subject')).not_to_be_empty()
    return await shown.json_value()


@needs_shared
@pytest.mark.browser
async def test_some_open_in_the_browser(archive: Archive, seats: Seats) -> None:
    """By their addresses."""
    seat = await seats.at(archive.office.product, archive.reader)
    shown: set[str] = set()
    for conversation_id in random.Random(3).sample(await archive.conversations(), IN_THE_BROWSER):
        page = await seat.open(f"/?mailbox={archive.mailbox.id}&conversation={conversation_id}")
        shown.add(await stands_there(page, conversation_id))
        assert seat.complaints == [], f"conversation {conversation_id}"
    assert shown == {"plain", "framed"}


@needs_shared
@pytest.mark.browser
@pytest.mark.long
@pytest.mark.timeout(7200)
async def test_all_open_in_the_browser(archive: Archive, seats: Seats) -> None:
    """One after the other, down the list."""
    seat = await seats.at(archive.office.product, archive.reader)
    page = await seat.open(f"/?mailbox={archive.mailbox.id}")
    await expect(page.locator(".row").first).to_be_visible(timeout=30_000)
    wanted = set(await archive.conversations())
    at = 0
    while wanted:
        at = await next_one(page, at)
        assert await stands_there(page, at), f"{len(wanted)} to go"
        assert seat.complaints == [], f"conversation {at}"
        wanted.remove(at)


# ---- mail that is made to hurt


def large(name: str, encoding: bytes = b"7bit", kind: bytes = b"text/plain") -> bytes:
    head = b"Content-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: %s\r\n\r\n" % (kind, encoding)
    return as_on_the_wire(HEAD + head + BODIES[name])


def to_ten_thousand() -> bytes:
    people = b",\r\n ".join(b"Rider %d <rider%d@customer.example>" % (number, number) for number in range(10_000))
    return b"From: lena@customer.example\r\nTo: " + people + b"\r\nSubject: To all riders\r\n\r\nWe ride on Sunday.\r\n"


HARD = {
    "a thousand parts, nested": nested(1000),
    "a thousand alternatives, nested": nested(1000, b"alternative"),
    "a thousand parts side by side": flat(1000),
    "a thousand forwards": forwarded(1000),
    "ten thousand addresses": to_ten_thousand(),
    "ten megabytes of words": large("words"),
    "ten megabytes of quotations": large("quoted lines"),
    "ten megabytes of bytes": large("bytes", b"8bit"),
    "ten megabytes of HTML": as_on_the_wire(
        HEAD + b"Content-Type: text/html; charset=utf-8\r\n\r\n" + b"<p>word and <b>word</b></p>\n" * 370_000
    ),
    "no date": b"From: a@customer.example\r\nTo: b@customer.example\r\nSubject: When?\r\n\r\nSoon.\r\n",
    "an impossible date": b"From: a@customer.example\r\nDate: Tue, 99 Foo 1066 77:88:99\r\nSubject: x\r\n\r\nx\r\n",
    "a wrong charset": HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\nGr\xfc\xdfe aus K\xf6ln\r\n",
    "an unknown charset": HEAD + b"Content-Type: text/plain; charset=x-klingon\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n",
    "broken MIME": HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/",
    "no headers": b"\r\nNothing but words.\r\n",
    "nothing": b"\r\n",
}
FETCHED_SECONDS = 90.0
OPENED_SECONDS = 60.0
MEMORY_MB = 700.0


@pytest.mark.browser
async def test_mail_that_is_made_to_hurt_is_survived(office: Office, seats: Seats) -> None:
    """Fetched, opened over the API and in the browser, each in bounded time and all in bounded memory."""
    mails = [b"Message-ID: <hard%d@customer.example>\r\n" % number + raw for number, raw in enumerate(HARD.values())]
    hard = await connected(office, "hard", mails)
    assert hard.seconds < FETCHED_SECONDS
    there = await office.dovecot.messages("hard")
    placements = await hard.placements()
    assert sorted(placements) == sorted(there) and len(there) == len(HARD)
    names = {message_id: name for (_, (message_id, _)), name in zip(sorted(placements.items()), HARD, strict=True)}
    sources = {message_id: {there[uid]} for uid, (message_id, _) in placements.items()}
    took: dict[str, float] = {}
    by_conversation: dict[int, str] = {}
    for conversation_id in await hard.conversations():
        began = time.monotonic()
        detail = await hard.reader.get(f"/conversations/{conversation_id}", ConversationDetail)
        for message in detail.messages:
            await read_message(hard.reader, message, sources[message.id])
        by_conversation[conversation_id] = names[detail.messages[0].id]
        took[f"reading {by_conversation[conversation_id]}"] = time.monotonic() - began
    seat = await seats.at(office.product, hard.reader)
    page = await seat.open(f"/?mailbox={hard.mailbox.id}")
    await expect(page.locator(".row")).to_have_count(len(by_conversation), timeout=30_000)
    at = 0
    for _ in by_conversation:
        began = time.monotonic()
        at = await next_one(page, at)
        await stands_there(page, at, OPENED_SECONDS)
        took[f"opening {by_conversation[at]}"] = time.monotonic() - began
    log.info("fetched in %.1f s, then %s", hard.seconds, {name: round(each, 1) for name, each in took.items()})
    assert {name: each for name, each in took.items() if each > OPENED_SECONDS} == {}
    assert seat.complaints == []
    assert "Traceback" not in hard.log and " ERROR " not in hard.log
    memory = {"web": office.product.memory_mb("web"), "worker": office.product.memory_mb("worker")}
    log.info("memory in MB: %s", memory)
    assert max(memory.values()) < MEMORY_MB
    await office.ana.delete(f"/mailboxes/{hard.mailbox.id}", name=hard.mailbox.name)
