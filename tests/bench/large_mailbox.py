"""A mailbox in which everything that a company ever wrote stands: 200,000 conversations of five messages.

It is made once, by COPY past the product, and kept between runs with the data folder that holds it; a later release
brings that up to date as any other installation. Every conversation has its mark (`NB-000421`) in its subject.
"""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import msgspec

from backend.mail.reading import Prepared, read_message
from backend.mailboxes.contracts import MailboxSettings
from backend.people.contracts import Me, SignIn
from tests.bench.figures import say
from tests.bench.kept import kept_folder
from tests.bench.old_mail import FIRST_NAMES, LAST_NAMES, subject_line
from tests.bench.real_mail import MailWriter
from tests.servers.api import PASSWORD
from tests.servers.product import Product, Visitor

ANA = "ana@northwind.example"
FINISHED = "finished"
MESSAGES_EACH = 5
DIFFERENT_TEXTS = 1500
UNREAD = 5000
"""The newest conversations have something that nobody has read."""
TEXT_CHARACTERS = 600
STORED_AT_ONCE = 20_000
_PERIOD = timedelta(days=730)


def prepare_folder(conversations: int) -> Path:
    """Where it is kept, or is to be."""
    return kept_folder(f"mailbox-{conversations}", FINISHED)


def _finished(folder: Path) -> Path:
    return folder / FINISHED


async def enter(product: Product, conversations: int) -> Visitor:
    """Ana, signed in at the running product; its mailbox is filled if it was not."""
    if _finished(product.data_folder).exists():
        ana = product.visitor()
        ana.me = await ana.post("/sign-in", SignIn(email=ANA, password=PASSWORD), Me)
        return ana
    ana = await product.set_up()
    jonas = await product.invite(ana, "Jonas Weber", "jonas@northwind.example")
    mailbox = await product.group_mailbox(ana, "Support", "support@northwind.example", [ana, jonas])
    began = time.monotonic()
    await _fill(product.dsn, mailbox, conversations)
    _finished(product.data_folder).touch()
    say(f"{conversations} conversations made in {time.monotonic() - began:.0f} s, kept in {product.data_folder}")
    return ana


async def reopen(dsn: str) -> None:
    """Everything is as in the first run: open, and nobody's."""
    database = await asyncpg.connect(dsn)
    try:
        await database.execute(
            "UPDATE conversations SET status = 'open', assignee_id = NULL WHERE status <> 'open' OR assignee_id > 0"
        )
    finally:
        await database.close()


@dataclass(frozen=True, slots=True)
class _Letter:
    raw: bytes
    prepared: Prepared


async def _fill(dsn: str, mailbox: MailboxSettings, conversations: int) -> None:
    letters = [_Letter(raw, read_message(raw)) for raw in MailWriter().messages(DIFFERENT_TEXTS)]
    database = await asyncpg.connect(dsn)
    try:
        # What the product does with each message that comes is done here for all at once.
        await database.execute("ALTER TABLE messages DISABLE TRIGGER USER")
        indexes = await database.fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'message_words' AND indexdef LIKE '%gin%'"
        )
        for each in indexes:
            await database.execute(f'DROP INDEX "{each["indexname"]}"')
        await database.executemany(
            "INSERT INTO raw_messages (digest, size, content) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            [(each.prepared.digest, len(each.raw), each.raw) for each in letters],
        )
        chance = random.Random(11)
        for first in range(0, conversations, STORED_AT_ONCE):
            numbers = range(first + 1, min(first + STORED_AT_ONCE, conversations) + 1)
            rows = list(_conversations(chance, mailbox.id, numbers, conversations))
            await database.copy_records_to_table("conversations", records=rows, columns=_CONVERSATION)
            messages = list(_messages(chance, mailbox.id, rows, letters))
            await database.copy_records_to_table("messages", records=messages, columns=_MESSAGE)
            say(f"{numbers[-1]} conversations stored")
        await database.execute("UPDATE mailboxes SET last_arrival = $2 WHERE id = $1", mailbox.id, UNREAD)
        for table in ("conversations", "messages"):
            await database.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")
        say("taking down the words")
        await database.execute(
            "INSERT INTO message_words (message_id, search) "
            "SELECT id, message_words(subject, sender, body_text) FROM messages",
            timeout=3600,
        )
        await database.execute("SET maintenance_work_mem = '512MB'")
        for each in indexes:
            await database.execute(each["indexdef"], timeout=3600)
        await database.execute("ALTER TABLE messages ENABLE TRIGGER USER")
        await database.execute("VACUUM ANALYZE", timeout=3600)
    finally:
        await database.close()


_CONVERSATION = (
    *("id", "mailbox_id", "subject", "correspondents", "message_count", "snippet", "last_at", "last_arrival"),
    *("last_direction", "has_attachments", "addressed", "created_at"),
)
_MESSAGE = (
    *("id", "mailbox_id", "conversation_id", "raw_digest", "content_digest", "message_id", "email_id", "direction"),
    *("sender", "recipients", "date", "subject", "snippet", "body_text", "has_html", "attachments", "problems"),
    *("arrival", "author_id", "automatic", "stored_at", "hidden", "stood_in", "moved_from"),
)


def _conversations(chance: random.Random, mailbox_id: int, numbers: range, total: int) -> Iterator[tuple[object, ...]]:
    newest = datetime(2026, 11, 1, 12, tzinfo=UTC)
    for number in numbers:
        first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
        sender = {"name": f"{first} {last}", "address": f"{first}.{last}.{number % 40_000}@customers.example".lower()}
        at = newest - _PERIOD * ((total - number) / total)
        arrival = max(0, number - (total - UNREAD))
        yield (
            *(number, mailbox_id, subject_line(chance, f"NB-{number:06d}"), msgspec.json.encode([sender]).decode()),
            *(MESSAGES_EACH, "Where it is now I do not know.", at, arrival, "incoming", False),
            *(["support@northwind.example"], at - timedelta(hours=MESSAGES_EACH)),
        )


def _messages(
    chance: random.Random, mailbox_id: int, conversations: list[tuple[object, ...]], letters: list[_Letter]
) -> Iterator[tuple[object, ...]]:
    recipients = msgspec.json.encode(
        {"to": [{"name": "Support", "address": "support@northwind.example"}], "cc": [], "reply_to": []}
    ).decode()
    for row in conversations:
        number, subject, correspondents, at, arrival = row[0], row[2], row[3], row[6], row[7]
        assert isinstance(number, int) and isinstance(correspondents, str) and isinstance(at, datetime)
        for turn in range(MESSAGES_EACH):
            letter = chance.choice(letters).prepared
            date = at - timedelta(hours=MESSAGES_EACH - 1 - turn)
            newest = turn == MESSAGES_EACH - 1
            yield (
                *((number - 1) * MESSAGES_EACH + turn + 1, mailbox_id, number),
                *(letter.digest, f"{number}.{turn}", f"<{number}.{turn}@customers.example>", "", "incoming"),
                *(correspondents[1:-1], recipients, date, subject if turn == 0 else f"Re: {subject}"),
                *(letter.snippet, letter.text[:TEXT_CHARACTERS], letter.has_html, letter.attachments, letter.problems),
                *(arrival if newest else 0, None, False, date, False, "", None),
            )
