"""The job that pushes one notification to one browser.

What is pushed is worked out when it leaves: a notification that was read meanwhile, that its person may no longer see,
or that falls into their quiet hours, is not pushed. A browser that is gone is forgotten; what may pass is tried again.
"""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx
import msgspec

from backend.access.fetch import SEES
from backend.database.connection import Row, execute, fetch, fetch_row
from backend.jobs import Handler, TryAgain
from backend.notifications.contracts import Notification, NotificationSettings, PushText, tag_of
from backend.notifications.queries import notification_of
from backend.notifications.webpush import MOST_BYTES, Receiver, decode, encrypt, headers_for
from backend.settings import Settings
from sync.dial import resolve
from sync.errors import ServerProblem

log = logging.getLogger(__name__)

SECONDS = 20.0
OLD = timedelta(hours=12)
LONGEST_LINE = 120
"""Characters of a subject or a name on a locked screen."""
PASSING = frozenset({408, 425, 429})
"""Refusals that ask for patience; any other means that this browser cannot be pushed to."""

_settings = msgspec.json.Decoder(NotificationSettings)


def send_push_for(configured: Settings) -> Handler:
    """The handler of the job `send_push` with its payload `device_id` and `notification_id`."""

    async def send_push(device_id: int, notification_id: int) -> None:
        record = await _find(device_id, notification_id)
        if record is None or not configured.network or not is_due(record, datetime.now(UTC)):
            return
        notice, read = notification_of(record), await _read_lately(record["user_id"])
        text = text_of(notice, record["actor"] or "", record["mailbox"], read)
        receiver = Receiver(record["endpoint"], decode(record["p256dh"]), decode(record["auth"]))
        status = await _post(configured, receiver, msgspec.json.encode(text), text.tag)
        if 200 <= status < 300:
            await execute("UPDATE push_devices SET pushed_at = now() WHERE id = $1", device_id)
        elif status in PASSING or status >= 500:
            raise TryAgain(f"The push service answered {status}.")
        else:
            log.info("Device %d is forgotten: its push service answered %d.", device_id, status)
            await execute("DELETE FROM push_devices WHERE id = $1", device_id)

    return send_push


async def _find(device_id: int, notification_id: int) -> Row | None:
    """The notification with the device, while its person is signed in there and sees what it is about."""
    return await fetch_row(
        "SELECT n.*, c.mailbox_id, c.subject, c.visibility, m.name AS mailbox, a.name AS actor, u.notify, u.time_zone, "
        "d.endpoint, d.p256dh, d.auth, d.pushed_at FROM notifications n "
        "JOIN conversations c ON c.id = n.conversation_id JOIN mailboxes m ON m.id = c.mailbox_id "
        "JOIN users u ON u.id = n.user_id JOIN push_devices d ON d.user_id = n.user_id "
        "LEFT JOIN sessions s ON s.id = d.session_id LEFT JOIN users a ON a.id = n.actor_id "
        "WHERE d.id = $1 AND n.id = $2 AND n.read_at IS NULL AND u.active "
        f"AND (d.session_id IS NULL OR s.expires_at > now()) AND {SEES.format(user='n.user_id')}",
        device_id,
        notification_id,
    )


def is_due(record: Row, now: datetime) -> bool:
    """Whether the person wants it pushed, now."""
    wanted = _settings.decode(record["notify"])
    if not wanted.of(record["kind"]).push or now - record["created_at"] > OLD:
        return False
    return not wanted.quiet.cover(now, record["time_zone"])


def text_of(notice: Notification, actor: str, mailbox: str, read: list[str]) -> PushText:
    """What stands on a screen that others may see, too: of what is private only that there is something."""
    if notice.private:
        title, body = "Something new in a private conversation", ""
    else:
        title, body = " ".join(part for part in notice.words(actor) if part), f"{_cut(notice.subject)} · {mailbox}"
    return PushText(tag=notice.tag, title=_cut(title), body=body, path=notice.path, again=notice.changes > 1, read=read)


def _cut(line: str) -> str:
    line = " ".join(line.split()) or "(no subject)"
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…"


async def _read_lately(user_id: int) -> list[str]:
    """Tags of what the person has read: a browser whose tabs are closed takes them off the screen with this one."""
    rows = await fetch(
        "SELECT conversation_id FROM notifications WHERE user_id = $1 AND created_at > now() - interval '1 day' "
        "GROUP BY conversation_id HAVING bool_and(read_at IS NOT NULL) ORDER BY max(read_at) DESC LIMIT 20",
        user_id,
    )
    return [tag_of(row["conversation_id"]) for row in rows]


async def _post(configured: Settings, receiver: Receiver, plain: bytes, topic: str) -> int:
    """The status that the push service answers. Raises TryAgain when it cannot be reached."""
    if len(plain) > MOST_BYTES:
        raise ValueError("a push message is short")
    body, headers = encrypt(receiver, plain), headers_for(configured, receiver, topic)
    parts = urlsplit(receiver.endpoint)
    try:
        async with asyncio.timeout(SECONDS):
            address = await _checked(configured, parts.hostname or "", parts.port or _default_port(parts.scheme))
            async with (
                httpx.AsyncClient(follow_redirects=False, timeout=SECONDS, trust_env=False) as client,
                client.stream(
                    "POST",
                    # The address that was checked is the one that is connected to.
                    parts._replace(netloc=address).geturl(),
                    content=body,
                    headers={**headers, "host": parts.netloc},
                    extensions={"sni_hostname": parts.hostname or ""},
                ) as answer,
            ):
                return answer.status_code  # what it says beside is not read
    except ServerProblem:
        return 403  # it leads inward
    except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as fault:
        raise TryAgain(f"The push service could not be reached ({type(fault).__name__}).") from fault


def _default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


async def _checked(configured: Settings, host: str, port: int) -> str:
    """Host and port to connect to. Raises ServerProblem unless the name leads to the public internet alone."""
    [first, *_] = await resolve(host, port, private_network=configured.allow_private_servers)
    address = str(first[1][0])
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
