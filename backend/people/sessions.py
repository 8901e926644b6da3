"""Session cookies and API tokens: made here, checked here, stored only as hashes."""

import hashlib
import math
import secrets
from datetime import UTC, datetime, timedelta

from backend.access.asker import Asker
from backend.database.connection import execute, fetch_row, fetch_value
from backend.events.hub import close_sessions

COOKIE = "tandem_session"
SESSION_LIFETIME = timedelta(days=30)
TOKEN_PREFIX = "tdm_"


def hash_of(secret: str) -> str:
    """What is stored of a random secret of 256 bits: guessing it is hopeless, so a fast hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


async def start_session(user_id: int, user_agent: str) -> str:
    """Sign the person in; answers the cookie's value. Call inside an action."""
    secret = secrets.token_urlsafe(32)
    await execute(
        "INSERT INTO sessions (token_hash, user_id, created_at, expires_at, user_agent) VALUES ($1, $2, now(), $3, $4)",
        hash_of(secret),
        user_id,
        datetime.now(UTC) + SESSION_LIFETIME,
        user_agent[:200],
    )
    return secret


async def end_session(session_id: int) -> None:
    """Sign one browser out, and close its sockets at once. Call inside an action."""
    await execute("DELETE FROM sessions WHERE id = $1", session_id)
    await close_sessions("session", session_id)


async def end_all_sessions(user_id: int) -> None:
    """Sign the person out everywhere. Call inside an action."""
    await execute("DELETE FROM sessions WHERE user_id = $1", user_id)
    await close_sessions("user", user_id)


async def asker_of_cookie(value: str) -> Asker | None:
    """The person behind a session cookie, unless it ended or their account was closed."""
    row = await fetch_row(
        "SELECT s.id, s.user_id, u.role FROM sessions s JOIN users u ON u.id = s.user_id "
        "WHERE s.token_hash = $1 AND s.expires_at > now() AND u.active",
        hash_of(value),
    )
    return Asker(row["user_id"], row["role"], session_id=row["id"]) if row else None


async def asker_of_token(value: str) -> Asker | None:
    """The person behind an API token."""
    row = await fetch_row(
        "SELECT t.id, t.user_id, u.role, t.last_used_at FROM api_tokens t JOIN users u ON u.id = t.user_id "
        "WHERE t.token_hash = $1 AND u.active",
        hash_of(value),
    )
    if row is None:
        return None
    if row["last_used_at"] is None or datetime.now(UTC) - row["last_used_at"] > timedelta(minutes=1):
        await execute("UPDATE api_tokens SET last_used_at = now() WHERE id = $1", row["id"])
    return Asker(row["user_id"], row["role"], token_id=row["id"])


async def seconds_left(asker: Asker) -> float:
    """How long the session that opened a socket still stands, if nobody ends it: 0 when it is over. A token has no
    end of its own, so infinity."""
    if asker.session_id is not None:
        left = await fetch_value(
            "SELECT extract(epoch FROM s.expires_at - now())::float FROM sessions s JOIN users u ON u.id = s.user_id "
            "WHERE s.id = $1 AND u.active",
            asker.session_id,
        )
        return max(0.0, left or 0.0)
    stands = await fetch_value(
        "SELECT 1 FROM api_tokens t JOIN users u ON u.id = t.user_id WHERE t.id = $1 AND u.active", asker.token_id
    )
    return math.inf if stands else 0.0
