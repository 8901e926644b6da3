"""What is to be so on the mail server because of what was done here: recorded with the act, carried over by a job.

    async with action(asker.user_id) as act:
        ...
        await want(message_ids, "place", "done")

An intent is open until the job `carry_out` (backend/workers/pushback.py) has seen the server confirm it. While it is
open, what the server tells about that side of the message is older than the wish and must not overwrite it
(`open_kinds`); once it is confirmed, the server is right. A newer wish takes the place of an open one under a new id,
so that a job that was carrying the older one cannot confirm the newer.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import timedelta

from backend.database.connection import fetch, fetch_value
from backend.events.record import action
from backend.jobs import enqueue_or_hasten
from backend.mail.moved import HOLDER

GATHER = timedelta(seconds=1)
"""What is done in quick succession, an act and its undoing too, is carried in one visit; and the visit does not take
the processor from telling everybody here."""

FLAG_OF = {"seen": "\\Seen", "flagged": "\\Flagged", "answered": "\\Answered"}
"""The system flag of RFC 9051 section 2.3.2 that such a wish is about."""
KEYWORD = "keyword:"
"""A kind that begins so is about the keyword behind it."""


def flag_of(kind: str) -> str | None:
    """The flag or keyword that such a wish is about; None for one about a place."""
    return kind.removeprefix(KEYWORD) if kind.startswith(KEYWORD) else FLAG_OF.get(kind)


async def want(message_ids: Collection[int], kind: str, value: str) -> None:
    """Record that these messages are to be so on their server, inside the caller's action.

    `kind` is seen, flagged, answered, place, or a keyword's (`KEYWORD`). `value` is `yes` or `no`, of `place` a `Place`
    (backend/mail/places.py). What was moved into another mailbox is to be so where it lies. Messages of a mailbox
    without an account, and those deleted on the server, are passed over. The same wish twice is one.
    """
    if message_ids:
        await _record("m.id = ANY($1)", list(message_ids), kind, value)


async def want_of_conversation(conversation_id: int, kind: str, value: str) -> None:
    """The same for all that came in a conversation; what we sent stays as it is."""
    await _record("m.conversation_id = $1 AND m.direction = 'incoming'", conversation_id, kind, value)


async def _record(which: str, argument: object, kind: str, value: str) -> None:
    """Wish it of the messages `m` that SQL says, in one statement, and let the job look."""
    records = await fetch(
        "INSERT INTO server_intents (account_id, message_id, kind, value, created_at) "
        "SELECT a.id, m.id, $2, $3, clock_timestamp() FROM messages m "
        f"JOIN mail_accounts a ON a.mailbox_id = {HOLDER} "
        f"WHERE {which} AND m.gone_at IS NULL ORDER BY m.id "
        "ON CONFLICT (message_id, kind) WHERE confirmed_at IS NULL DO UPDATE SET id = excluded.id, "
        "account_id = excluded.account_id, value = excluded.value, created_at = excluded.created_at "
        "WHERE server_intents.value <> excluded.value RETURNING account_id",
        argument,
        kind,
        value,
    )
    for account_id in sorted({record["account_id"] for record in records}):
        await enqueue_or_hasten("carry_out", after=GATHER, account_id=account_id)


async def look_again(account_id: int) -> None:
    """Let what is open for an account be carried over soon: it was resumed, or its server is back."""
    if await fetch_value(
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM server_intents WHERE account_id = $1 AND confirmed_at IS NULL) "
        "OR EXISTS (SELECT 1 FROM placements p JOIN folders f ON f.id = p.folder_id "
        "WHERE f.account_id = $1 AND p.deleted_id IS NOT NULL AND NOT p.flags ? '\\Deleted')",
        account_id,
    ):
        async with action(None):
            await enqueue_or_hasten("carry_out", account_id=account_id)


async def look_after_forgotten() -> None:
    """Take up again what has been open for an hour and nobody carries any more: its job gave up, its server is back."""
    for record in await fetch(
        "SELECT DISTINCT i.account_id AS id FROM ("
        "SELECT account_id, created_at FROM server_intents WHERE confirmed_at IS NULL UNION ALL "
        "SELECT f.account_id, d.at FROM placements p JOIN folders f ON f.id = p.folder_id "
        "JOIN deleted_messages d ON d.id = p.deleted_id WHERE NOT p.flags ? '\\Deleted') i "
        "JOIN mail_accounts a ON a.id = i.account_id "
        "WHERE i.created_at < now() - interval '1 hour' AND a.paused_at IS NULL "
        "AND NOT EXISTS (SELECT 1 FROM pgqueuer j WHERE j.entrypoint = 'carry_out' "
        "AND j.status IN ('queued', 'picked') "
        "AND (convert_from(j.payload, 'UTF8')::jsonb ->> 'account_id')::bigint = i.account_id) ORDER BY 1"
    ):
        await look_again(record["id"])


async def open_kinds(message_ids: Collection[int]) -> dict[int, set[str]]:
    """The kinds of wishes that the server has not confirmed yet, by message; messages without any are missing."""
    found: dict[int, set[str]] = defaultdict(set)
    for record in await fetch(
        "SELECT message_id, kind FROM server_intents WHERE message_id = ANY($1) AND confirmed_at IS NULL",
        list(message_ids),
    ):
        found[record["message_id"]].add(record["kind"])
    return dict(found)
