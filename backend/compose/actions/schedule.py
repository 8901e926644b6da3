"""Send later: the moment at which a frozen mail leaves. Its Date says that moment (RFC 5322 section 3.6.1)."""

from datetime import UTC, datetime, timedelta

from backend.database.connection import execute, fetch_value
from backend.errors import Unacceptable
from backend.mail.raw import load_raw, store_raw
from sync.mime.build import redated

FURTHEST = timedelta(days=366)


def check_moments(send_at: datetime | None, remind_at: datetime | None) -> None:
    """Raises Unacceptable for a moment that is past or more than a year away, or a reminder before the mail leaves."""
    now = datetime.now(UTC)
    if send_at is not None and send_at <= now:
        raise Unacceptable("The moment to send it is past.", "Choose a later one, or send it now.")
    if send_at is not None and send_at > now + FURTHEST:
        raise Unacceptable("That is more than a year away.", "Choose an earlier moment.")
    if remind_at is not None and remind_at <= (send_at or now):
        raise Unacceptable("You would be reminded before the mail has left.", "Choose a later moment to be reminded.")


async def redate(outgoing_id: int, at: datetime) -> None:
    """Let the frozen bytes say that they were written at this moment; all else of them stays."""
    raw = await load_raw(await fetch_value("SELECT raw_digest FROM outgoing WHERE id = $1", outgoing_id))
    digest = await store_raw(redated(raw, at.astimezone(UTC).replace(microsecond=0)))
    await execute("UPDATE outgoing SET raw_digest = $2 WHERE id = $1", outgoing_id, digest)
