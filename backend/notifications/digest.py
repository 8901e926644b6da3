"""The digest: what happened that a person has not seen, by mail, every hour or every day, for those who want it.

It goes on from where the last one ended (`users.digested_at`). Daily is at eight on the clock of the person's zone.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from backend.access.asker import Asker
from backend.access.fetch import SEES
from backend.database.connection import Row, execute, fetch, fetch_row
from backend.events.record import action, user_stream
from backend.jobs import enqueue
from backend.notifications.contracts import NotificationSettings, SetDigest
from backend.notifications.queries import NOTIFICATIONS
from backend.people.contracts import Me, MeChanged
from backend.people.queries import me_of

AT = time(8)
MOST = 30
"""Lines of one digest."""

_settings = msgspec.json.Decoder(NotificationSettings)


async def set_digest(asker: Asker, given: SetDigest) -> Me:
    """Whether the person gets one, and how often. It begins with what happens from now on."""
    async with action(asker.user_id) as act:
        record = await fetch_row("SELECT * FROM users WHERE id = $1 FOR UPDATE", asker.user_id)
        assert record is not None
        if record["digest"] != given.digest:
            record = await fetch_row(
                "UPDATE users SET digest = $2, digested_at = now() WHERE id = $1 RETURNING *",
                asker.user_id,
                given.digest,
            )
            assert record is not None
            act.record(user_stream(asker.user_id), MeChanged(me=me_of(record)))
    return me_of(record)


async def enqueue_due(now: datetime) -> int:
    """Let a worker write the digests whose time has come; answers how many."""
    records = await fetch(
        "SELECT * FROM users WHERE active AND digest <> 'off' AND digested_at IS NOT NULL ORDER BY id"
    )
    due = [record["id"] for record in records if is_due(record, now)]
    for user_id in due:
        async with action(None):
            await enqueue("system_mail", key=f"digest:{user_id}", kind="digest", id=user_id)
    return len(due)


def is_due(record: Row, now: datetime) -> bool:
    """Whether the digest of this user's record is to be written."""
    if record["digest"] == "hourly":
        return now - record["digested_at"] >= timedelta(hours=1)
    zone = record["time_zone"] if record["time_zone"] != "UTC" else _settings.decode(record["notify"]).quiet.time_zone
    clock = now.astimezone(ZoneInfo(zone))
    begins = datetime.combine(clock.date(), AT, tzinfo=clock.tzinfo)
    if begins > clock:
        begins = datetime.combine(clock.date() - timedelta(days=1), AT, tzinfo=clock.tzinfo)
    return record["digested_at"] < begins.astimezone(UTC)


async def unseen(user_id: int) -> list[Row]:
    """What the person has not seen since their last digest and still may see, oldest first; with `actor` and `mailbox`
    by name."""
    return list(
        await fetch(
            NOTIFICATIONS.replace("SELECT n.*,", "SELECT n.*, m.name AS mailbox, a.name AS actor,")
            + " JOIN mailboxes m ON m.id = c.mailbox_id JOIN users u ON u.id = n.user_id "
            "LEFT JOIN users a ON a.id = n.actor_id WHERE n.user_id = $1 AND n.read_at IS NULL "
            f"AND n.created_at > u.digested_at AND {SEES.format(user='$1')} ORDER BY n.id LIMIT $2",
            user_id,
            MOST,
        )
    )


async def digested(user_id: int, at: datetime) -> None:
    """The next one goes on from here."""
    await execute("UPDATE users SET digested_at = $2 WHERE id = $1", user_id, at)
