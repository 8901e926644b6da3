"""Recognising messages without their bodies: after a change of UIDVALIDITY, and copies in other folders."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from backend.database.connection import Row, fetch
from backend.mail.blobs import get
from sync.mime.headers import decode_value, read_fields, split_head
from sync.mime.identifiers import read_message_id


class Listed(Protocol):
    """A message as a folder lists it: `size` in bytes; where `email_id` is empty, `header` is its exact header."""

    @property
    def uid(self) -> int: ...
    @property
    def flags(self) -> frozenset[str]: ...
    @property
    def internal_date(self) -> datetime: ...
    @property
    def size(self) -> int: ...
    @property
    def email_id(self) -> str: ...
    @property
    def header(self) -> bytes: ...


async def stored_twins(mailbox_id: int, listed: Sequence[Listed]) -> Mapping[int, Row]:
    """The messages of the mailbox that are the same as those listed, by UID: id, conversation_id, gone_at.

    The same is what the server calls the same. Failing that, what has the same Message-ID and size, and stored bytes
    that begin with exactly this header: a forged identifier alone hides nothing. When several match, the first stored.
    """
    found: dict[int, Row] = {}
    by_word = await _by_email_id(mailbox_id, {each.email_id for each in listed if each.email_id})
    for each in listed:
        if each.email_id in by_word:
            found[each.uid] = by_word[each.email_id]
    unsaid = [each for each in listed if not each.email_id and each.header]
    named = {each.uid: _message_id(each.header) for each in unsaid}
    candidates = await _by_name(mailbox_id, {name for name in named.values() if name})
    for each in unsaid:
        for record in candidates.get((named[each.uid] or "", each.size), ()):
            if await _begins_with(record, each.header):
                found[each.uid] = record
                break
    return found


async def _by_email_id(mailbox_id: int, email_ids: Collection[str]) -> dict[str, Row]:
    if not email_ids:
        return {}
    records = await fetch(
        "SELECT DISTINCT ON (email_id) id, conversation_id, gone_at, email_id FROM messages "
        "WHERE (mailbox_id = $1 OR moved_from = $1) AND email_id <> '' AND email_id = ANY($2) ORDER BY email_id, id",
        mailbox_id,
        list(email_ids),
    )
    return {record["email_id"]: record for record in records}


async def _by_name(mailbox_id: int, message_ids: Collection[str]) -> dict[tuple[str, int], list[Row]]:
    found: dict[tuple[str, int], list[Row]] = defaultdict(list)
    if message_ids:
        for record in await fetch(
            "SELECT m.id, m.conversation_id, m.gone_at, m.message_id, m.raw_digest, r.size FROM messages m "
            "JOIN raw_messages r ON r.digest = m.raw_digest "
            "WHERE (m.mailbox_id = $1 OR m.moved_from = $1) AND m.message_id = ANY($2) ORDER BY m.id",
            mailbox_id,
            list(message_ids),
        ):
            found[record["message_id"], record["size"]].append(record)
    return found


async def _begins_with(record: Row, header: bytes) -> bool:
    """Whether the stored bytes begin with the header; compared where they lie, in the database if they lie there."""
    [held] = await fetch(
        "SELECT content IS NULL AS elsewhere, sha256(substring(content FROM 1 FOR $2)) AS digest "
        "FROM raw_messages WHERE digest = $1",
        record["raw_digest"],
        len(header),
    )
    if held["elsewhere"]:
        return (await get(record["raw_digest"])).startswith(header)
    return held["digest"] == hashlib.sha256(header).digest()


def _message_id(header: bytes) -> str | None:
    fields = read_fields(split_head(header)[0])
    values = (decode_value(field.raw) for field in fields if field.name.lower() == "message-id")
    return read_message_id(next((value for value in values if value), ""))
