"""Hiding what an account's plan leaves out, and showing it again. Nothing is deleted by it.

A message is hidden when it is older than the plan reaches back, or when it stands on the server, but in no folder that
is chosen. What stands in no folder at all (sent from here, deleted there) is told by its age alone. A mail that came
while the account was connected is as old as its arrival, whatever its Date says.
"""

from collections.abc import Collection, Sequence

import msgspec

from backend.conversations.change import tell_guests
from backend.conversations.contracts import HistoryStored
from backend.conversations.threads import sum_up_all
from backend.database.connection import Row, execute, fetch, fetch_row
from backend.events.record import action, mailbox_stream
from backend.mail.store import hold_threading

BATCH = 500
"""Messages looked at in one transaction: others wait for the mailbox no longer than that takes."""

LEFT_OUT = """
    m.moved_from IS NULL AND ((a.history_from IS NOT NULL
        AND CASE WHEN m.arrival > 0 THEN greatest(m.date, m.stored_at) ELSE m.date END < a.history_from)
    OR (EXISTS (SELECT 1 FROM placements p WHERE p.message_id = m.id)
        AND NOT EXISTS (SELECT 1 FROM placements p JOIN folders f ON f.id = p.folder_id
                         WHERE p.message_id = m.id AND (f.chosen OR f.account_id <> a.id))))
"""
"""SQL: the plan of the account `a` leaves the message `m` out; never what was moved here from another mailbox."""


async def hide_and_show(account_id: int) -> None:
    """The job: let every message of the account's mailbox be hidden or shown as the plan says. Idempotent; a plan that
    changes meanwhile has a job of its own, and the last one to look is right."""
    last = 0
    while True:
        async with action(None) as act:
            account = await fetch_row("SELECT id, mailbox_id FROM mail_accounts WHERE id = $1 FOR SHARE", account_id)
            if account is None:
                return
            await hold_threading(account["mailbox_id"])
            looked = await _look(account, last)
            wrong = [row for row in looked if row["hidden"] != row["left_out"]]
            if wrong:
                await execute(
                    "UPDATE messages SET hidden = NOT hidden WHERE id = ANY($1)", [row["id"] for row in wrong]
                )
                await sum_up_all(sorted({row["conversation_id"] for row in wrong}))
                await tell_guests(act, {row["conversation_id"] for row in wrong})
                event = HistoryStored(mailbox_id=account["mailbox_id"], messages=len(wrong))
                act.record(mailbox_stream(account["mailbox_id"]), event)
        if len(looked) < BATCH:
            return
        last = looked[-1]["id"]


async def show_what_stands(message_ids: Collection[int]) -> None:
    """Hidden messages that have got a place in a chosen folder are shown again: somebody moved them there, and no mail
    may be lost by that. Call inside the action that placed them."""
    async with action(None) as act:
        shown = await fetch(
            f"UPDATE messages m SET hidden = false FROM mail_accounts a WHERE a.mailbox_id = m.mailbox_id "
            f"AND m.id = ANY($1) AND m.hidden AND NOT ({LEFT_OUT}) RETURNING m.mailbox_id, m.conversation_id",
            list(message_ids),
        )
        if not shown:
            return
        await sum_up_all(sorted({row["conversation_id"] for row in shown}))
        await tell_guests(act, {row["conversation_id"] for row in shown})
        for mailbox_id in sorted({row["mailbox_id"] for row in shown}):
            count = sum(row["mailbox_id"] == mailbox_id for row in shown)
            act.record(mailbox_stream(mailbox_id), HistoryStored(mailbox_id=mailbox_id, messages=count))


async def hide_strayed(
    mailbox_id: int, folder_id: int, places: Collection[tuple[int, int, frozenset[str], int]]
) -> None:
    """Messages that stood nowhere were found in a folder that is not chosen: message, UID, flags, size in bytes."""
    if not places:
        return
    async with action(None) as act:
        await hold_threading(mailbox_id)
        for message_id, uid, flags, size in places:
            await execute(
                "INSERT INTO placements (folder_id, uid, message_id, flags, seen, size) VALUES ($1, $2, $3, $4, $5, $6)"
                " ON CONFLICT (folder_id, uid) DO NOTHING",
                folder_id,
                uid,
                message_id,
                msgspec.json.encode(sorted(flags)).decode(),
                "\\Seen" in flags,
                size,
            )
        hidden = await fetch(
            "UPDATE messages m SET unplaced_at = NULL, stood_in = '', hidden = true FROM mail_accounts a "
            f"WHERE a.mailbox_id = m.mailbox_id AND m.id = ANY($1) AND ({LEFT_OUT}) RETURNING m.conversation_id",
            [message_id for message_id, *_ in places],
        )
        if hidden:
            await sum_up_all(sorted({row["conversation_id"] for row in hidden}))
            act.record(mailbox_stream(mailbox_id), HistoryStored(mailbox_id=mailbox_id, messages=len(hidden)))


async def _look(account: Row, after: int) -> Sequence[Row]:
    return await fetch(
        f"SELECT m.id, m.conversation_id, m.hidden, ({LEFT_OUT}) AS left_out FROM messages m "
        "JOIN mail_accounts a ON a.id = $1 WHERE m.mailbox_id = $2 AND m.id > $3 ORDER BY m.id LIMIT $4",
        account["id"],
        account["mailbox_id"],
        after,
        BATCH,
    )
