"""The keys by which later mail finds conversations, worked out again from their messages after a person divided them.

Call inside the action, which holds the mailbox's threads.
"""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime

from backend.database.connection import Row, execute, execute_many, fetch
from backend.mail.raw import load_raw
from sync.mime.headers import split_head
from sync.mime.parse import parse_message
from sync.mime.threading import ThreadHeaders, ThreadLinks, nearest_parents, thread_headers, thread_keys

LONGEST_HEAD = 262_144
"""Bytes of a message in which its header is looked for."""
AT_ONCE = 50
"""Messages whose bytes are in memory together."""


async def headers_of(message_ids: Collection[int]) -> dict[int, ThreadHeaders]:
    """What threading looks at, of each of these messages."""
    found: dict[int, ThreadHeaders] = {}
    ids = sorted(message_ids)
    for start in range(0, len(ids), AT_ONCE):
        records = await fetch(
            "SELECT m.id, m.raw_digest, substring(r.content FROM 1 FOR $2) AS head FROM messages m "
            "JOIN raw_messages r ON r.digest = m.raw_digest WHERE m.id = ANY($1)",
            ids[start : start + AT_ONCE],
            LONGEST_HEAD,
        )
        heads = [(record["id"], await _head(record)) for record in records]
        found |= await asyncio.to_thread(lambda heads=heads: {i: _read(head) for i, head in heads})
    return found


async def _head(record: Row) -> bytes:
    return record["head"] if record["head"] is not None else await load_raw(record["raw_digest"])


def _read(raw: bytes) -> ThreadHeaders:
    """Of the header alone: a body says nothing about where a message belongs, and takes long to read."""
    return thread_headers(parse_message(split_head(raw)[0] + b"\r\n\r\n"))


async def leave_keys_anew(mailbox_id: int, conversation_ids: Sequence[int]) -> None:
    """These conversations are found by what their own messages leave, and by nothing else."""
    messages = await fetch("SELECT id, conversation_id FROM messages WHERE conversation_id = ANY($1)", conversation_ids)
    headers = await headers_of([record["id"] for record in messages])
    rows: dict[tuple[str, int, datetime | None], None] = {}
    for record in messages:
        links: ThreadLinks = thread_keys(headers[record["id"]])
        where = record["conversation_id"]
        rows.update(((link, where, None), None) for link in sorted(links.leaves))
        rows.update(((link, where, links.date), None) for link in sorted(links.dated_leaves))
    await execute("DELETE FROM thread_links WHERE conversation_id = ANY($1)", conversation_ids)
    await execute_many(
        "INSERT INTO thread_links (mailbox_id, link, conversation_id, at) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT DO NOTHING",
        [(mailbox_id, *row) for row in rows],
    )


async def answering(message_ids: Collection[int], one: Collection[str], other: Collection[str]) -> list[int]:
    """Those of the messages that answer what stands in the one conversation rather than the other; each holds these
    Message-IDs. What answers an answer goes with it."""
    here = {key for name in one for key in own_key(name)}
    there = {key for name in other for key in own_key(name)}
    found: list[int] = []
    headers = await headers_of(message_ids)
    for message_id in sorted(headers):
        nearest = next((key for key in nearest_parents(headers[message_id]) if key in here or key in there), None)
        mine = nearest is not None and nearest in here
        if mine:
            found.append(message_id)
        (here if mine else there).update(own_key(headers[message_id].message_id or ""))
    return found


def own_key(message_id: str) -> list[str]:
    """The key by which answers to this message name it; none where it identifies nothing."""
    headers = ThreadHeaders(message_id=message_id, parents=(), subject="", date=None, correspondents=frozenset())
    return [key for key in thread_keys(headers).leaves if key.startswith("own:")]
