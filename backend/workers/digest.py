"""Digests: written when their time has come, and only where there is something that its reader has not seen."""

import asyncio
import logging
from datetime import UTC, datetime

import asyncpg

from backend.database.connection import end_if_cancelled, fetch_row
from backend.jobs import TryAgain
from backend.notifications.digest import MOST, digested, enqueue_due, unseen
from backend.notifications.queries import notification_of
from backend.outgoing_servers.system import can_mail
from backend.settings import Settings
from backend.workers.push import text_of
from backend.workers.system_post import SystemMail, post

log = logging.getLogger(__name__)

EVERY_SECONDS = 60.0


async def mail_digest(configured: Settings, user_id: int) -> None:
    """A kind of system mail. Nothing unseen: no mail, and the next one begins now."""
    at = datetime.now(UTC)
    reader = await fetch_row("SELECT * FROM users WHERE id = $1 AND active AND digest <> 'off'", user_id)
    if reader is None:
        return
    told = [text_of(notification_of(row), row["actor"] or "", row["mailbox"], []) for row in await unseen(user_id)]
    if told:
        lines = "\n".join("- " + ": ".join(part for part in (each.title, each.body) if part) for each in told)
        more = "\nThere may be more.\n" if len(told) == MOST else ""
        often = "every day" if reader["digest"] == "daily" else "every hour"
        text = (
            f"Hello {reader['name']},\n\nthis waits for you:\n\n{lines}\n{more}\n{{button}}\n\n"
            f"You get this mail {often} when there is something that you have not seen. To change that, open "
            f"{configured.public_url}/settings/notifications/\n"
        )
        subject = told[0].title if len(told) == 1 else f"{len(told)} notifications that you have not seen"
        mail = SystemMail(reader["name"], reader["email"], subject, text, ("Open Tandem", f"{configured.public_url}/"))
        try:
            await post(configured, mail)
        except TryAgain:
            raise
        except Exception:
            # Refused for good: an admin sees that; what comes next is told in another mail, not this again.
            await digested(user_id, at)
            raise
    await digested(user_id, at)


async def keep_digesting(configured: Settings) -> None:
    """Look every minute until cancelled."""
    while True:
        try:
            if await can_mail(configured):
                await enqueue_due(datetime.now(UTC))
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as fault:
            end_if_cancelled()
            log.warning("Digests could not be looked for (%s); trying again.", type(fault).__name__)
        await asyncio.sleep(EVERY_SECONDS)
