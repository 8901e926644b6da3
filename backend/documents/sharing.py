"""Files that a mail links to: whoever has the link can fetch one, until it ends, and each time is counted.

The key is 256 bits of chance and stands in the mail alone; we keep its hash. A link is made in a draft, and dies with
that. At Send it belongs to the outgoing message (`bind_links`); when that is taken back before it left, to the draft
that it becomes (`release_links`). A mail that was taken back opens nothing. Where a mail goes to each of several
people, each gets a link of their own, made from the draft's, which leads nowhere from then on.

What is counted is a request that fetches the file. Not counted: colleagues who are signed in, programs that say what
they are, what a browser fetches in advance, and the same again within ten seconds. Programs that follow the links of
mail and claim to be browsers are counted: nothing tells them apart. Nothing is kept of who it was.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from html import escape

from backend.access.asker import Asker
from backend.conversations.change import ConversationChange, changing, handling
from backend.conversations.contracts import SharedFileChanged, SharedFileGone
from backend.database.connection import Row, execute, fetch, fetch_value
from backend.documents.contracts import MadeLink, SharedFile
from backend.documents.queries import access_version, file_behind, hash_of, read_shared_file
from backend.errors import NotFound, Unacceptable
from backend.events.record import action
from backend.settings import settings
from backend.uploads.actions import LONGEST_DAYS, mark_used
from backend.uploads.queries import access_whole

MOST_VIEWS = 10_000
"""Counted of one link: whoever has it could go on for ever."""
SAME_VIEW = timedelta(seconds=10)
_KEY = re.compile(r"/api/v1/shared/([\w-]{43})(?![\w-])")
_PROGRAMS = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|preview|scan|proofpoint|mimecast|barracuda|safelinks|monitor|fetch|curl|wget|"
    r"python|java/|go-http|okhttp|libwww|headless|facebookexternalhit|whatsapp|telegram|slack|discord|skype",
    re.IGNORECASE,
)


async def link_document(asker: Asker, draft_id: int, document_id: int, days: int) -> MadeLink:
    """A link to the newest version for one draft. Raises NotFound, and Unacceptable for too long a time."""
    if not 1 <= days <= LONGEST_DAYS:
        raise Unacceptable(f"A link leads somewhere for 1 to {LONGEST_DAYS} days.", "Choose a shorter time.")
    version = await access_version(asker, document_id)
    async with action(asker.user_id):
        return await _make_link(asker, draft_id, version, days, document_id=document_id)


async def link_upload(asker: Asker, draft_id: int, upload_id: int) -> MadeLink:
    """A link to a file that came up for this draft. Raises NotFound, Conflict while it is not all there, Unacceptable
    for one that was to be attached."""
    upload = await access_whole(asker, draft_id, upload_id)
    if not upload["link_days"]:
        raise Unacceptable("This file came up to be attached.", "Attach it, or send it up for a link.")
    async with action(asker.user_id):
        await mark_used(upload_id)
        return await _make_link(asker, draft_id, upload, upload["link_days"], upload_id=upload_id)


async def _make_link(
    asker: Asker, draft_id: int, file: Row, days: int, *, document_id: int | None = None, upload_id: int | None = None
) -> MadeLink:
    key = secrets.token_urlsafe(32)
    ends_at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
    if not await fetch_value("SELECT 1 FROM drafts WHERE id = $1 FOR SHARE", draft_id):
        raise NotFound("There is no such draft.", "It may have been sent or thrown away meanwhile.")
    await execute(
        "INSERT INTO shared_files (key_hash, maker_id, document_id, upload_id, draft_id, filename, content_type, size, "
        "digest, ends_at, for_whom, closed, views, created_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'all', false, 0, now())",
        hash_of(key),
        asker.user_id,
        document_id,
        upload_id,
        draft_id,
        file["filename"],
        file["content_type"],
        file["size"],
        "" if upload_id else file["digest"],
        ends_at,
    )
    url, name = f"{settings().public_url}/api/v1/shared/{key}", file["filename"]
    html = f'<p><a href="{escape(url)}">{escape(name)}</a></p>'
    return MadeLink(url=url, ends_at=ends_at, text=f"{name}: {url}", html=html)


async def keys_in(draft_id: int, written: str) -> list[str]:
    """The keys of this draft's links that stand in its text."""
    keys = list(dict.fromkeys(_KEY.findall(written)))
    records = await fetch("SELECT key_hash FROM shared_files WHERE draft_id = $1", draft_id)
    known = {record["key_hash"] for record in records}
    return [key for key in keys if hash_of(key) in known]


def own_keys(keys: Sequence[str]) -> dict[str, str]:
    """What stands for each of these keys in the mail of one recipient."""
    return {key: secrets.token_urlsafe(32) for key in keys}


async def bind_links(
    change: ConversationChange,
    draft_id: int,
    written: str,
    outgoing_ids: Sequence[int],
    own: Sequence[Mapping[str, str]],
) -> None:
    """A draft is sent: the links that stand in it are the mail's now, and those that were taken out lead nowhere.
    `own` says, for each of several mails, which key stands in it for which of the draft's."""
    hashes = [hash_of(key) for key in _KEY.findall(written)]
    await execute("DELETE FROM shared_files WHERE draft_id = $1 AND NOT key_hash = ANY($2)", draft_id, hashes)
    bound = await fetch(
        "UPDATE shared_files SET outgoing_id = $2, draft_id = NULL, for_whom = $3 WHERE draft_id = $1 RETURNING id",
        draft_id,
        outgoing_ids[0],
        "each" if own else "all",
    )
    if own:
        places = [(number, *pair) for number, keys in zip(outgoing_ids, own, strict=True) for pair in keys.items()]
        bound = await fetch(
            "INSERT INTO shared_files (key_hash, maker_id, document_id, upload_id, outgoing_id, filename, "
            "content_type, size, digest, ends_at, for_whom, closed, views, created_at) "
            "SELECT t.own, s.maker_id, s.document_id, s.upload_id, t.outgoing_id, s.filename, "
            "s.content_type, s.size, s.digest, s.ends_at, 'one', false, 0, now() "
            "FROM unnest($2::bigint[], $3::bytea[], $4::bytea[]) AS t(outgoing_id, drafts, own) "
            "JOIN shared_files s ON s.key_hash = t.drafts AND s.outgoing_id = $1 RETURNING id",
            outgoing_ids[0],
            [number for number, _, _ in places],
            [hash_of(key) for _, key, _ in places],
            [hash_of(key) for _, _, key in places],
        )
    for file_id in sorted(record["id"] for record in bound):
        _tell(change, await read_shared_file(change.conversation_id, file_id))


async def release_links(outgoing_id: int, draft_id: int | None, change: ConversationChange | None) -> None:
    """A mail that had not left is a draft again, and its links are that one's; or it was given up (None), and they lead
    nowhere. Without `change` its conversation is gone, too."""
    freed = await fetch(
        "UPDATE shared_files SET outgoing_id = NULL, draft_id = $2, for_whom = 'all' WHERE outgoing_id = $1 "
        "AND for_whom <> 'each' RETURNING id",
        outgoing_id,
        draft_id,
    )
    await execute("DELETE FROM shared_files WHERE outgoing_id IS NULL AND draft_id IS NULL")
    _tell_gone(change, [record["id"] for record in freed])


async def release_links_of_each(first_id: int, draft_id: int, change: ConversationChange | None) -> None:
    """Mails that were written as one for each of several people are one draft again, as far as they had not left: the
    links that it was written with are its own, and those of who gets no mail now lead nowhere."""
    gone = await fetch(
        "DELETE FROM shared_files s USING outgoing o WHERE o.id = s.outgoing_id AND o.one_of = $1 "
        "AND s.for_whom = 'one' AND ($2 OR o.state = 'cancelled') RETURNING s.id",
        first_id,
        change is None,
    )
    await execute(
        "UPDATE shared_files SET outgoing_id = NULL, draft_id = $2, for_whom = 'all' WHERE outgoing_id = $1 "
        "AND for_whom = 'each'",
        first_id,
        draft_id,
    )
    _tell_gone(change, [record["id"] for record in gone])


def _tell_gone(change: ConversationChange | None, file_ids: Sequence[int]) -> None:
    if change is None:
        return
    for file_id in file_ids:
        gone = SharedFileGone(conversation_id=change.conversation_id, file_id=file_id)
        change.tell(lambda row, gone=gone: gone)


async def close_link(asker: Asker, conversation_id: int, file_id: int) -> SharedFile:
    """From now on it leads nowhere. Raises NotFound."""
    async with handling(asker, conversation_id) as change:
        await read_shared_file(conversation_id, file_id)
        await execute("UPDATE shared_files SET closed = true WHERE id = $1", file_id)
        file = await read_shared_file(conversation_id, file_id)
        _tell(change, file)
    return file


async def fetch_shared(key: str, *, agent: str, in_advance: bool, ours: bool) -> Row:
    """The file behind a key; that it was fetched is counted, where a reader did it. Raises NotFound."""
    record = await file_behind(key)
    if record is None:
        raise NotFound("This file is not here any more.", "Ask who sent you the link for a new one.")
    by_reader = agent.strip() and not _PROGRAMS.search(agent) and not in_advance and not ours
    if by_reader and record["conversation_id"] is not None:
        await _count(record["id"], record["conversation_id"])
    return record


async def _count(file_id: int, conversation_id: int) -> None:
    async with changing(None, conversation_id) as change:
        counted = await fetch_value(
            "UPDATE shared_files SET views = views + 1, viewed_at = now() WHERE id = $1 AND views < $2 "
            "AND (viewed_at IS NULL OR viewed_at < now() - $3::interval) RETURNING id",
            file_id,
            MOST_VIEWS,
            SAME_VIEW,
        )
        if counted:
            await execute("INSERT INTO shared_file_views (file_id, at) VALUES ($1, now())", file_id)
            _tell(change, await read_shared_file(conversation_id, file_id))


def _tell(change: ConversationChange, file: SharedFile) -> None:
    change.tell(lambda row: SharedFileChanged(row=row, file=file))
