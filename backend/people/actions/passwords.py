"""A forgotten password: asked for by mail, given as a link by an admin, or set on the command line."""

import secrets
from datetime import UTC, datetime, timedelta

from backend.access.asker import Asker
from backend.database.connection import execute, fetch_row, fetch_value
from backend.errors import Conflict, Forbidden, NotFound
from backend.events.record import action
from backend.jobs import enqueue
from backend.outgoing_servers.system import can_mail
from backend.people.attempts import PER_ADDRESS, count_attempt, forget_attempts, network_of
from backend.people.audit import audit
from backend.people.checks import check_password
from backend.people.contracts import PasswordLink
from backend.people.links import reset_link
from backend.people.passwords import hash_password
from backend.people.sessions import end_all_sessions, hash_of
from backend.settings import Settings

LINK_LIFETIME = timedelta(hours=1)
MAILS_PER_ACCOUNT = 3
"""In a quarter of an hour."""
ASKED = "reset "
"""Before the address in the count of attempts, which the worker reads."""


async def ask_for_reset(configured: Settings, email: str, host: str) -> None:
    """Let a worker mail a link, if the address belongs to somebody. Does the same, and answers the same, if not.

    Raises Conflict when the installation has no mail server of its own.
    """
    if not await can_mail(configured):
        raise Conflict("Tandem cannot send mail of its own here.", "Ask an admin of your organisation.")
    await count_attempt(f"reset by {network_of(host)}", PER_ADDRESS)
    request_id = await count_attempt(ASKED + email.strip().lower()[:320], MAILS_PER_ACCOUNT)
    async with action(None):
        await enqueue("system_mail", kind="password_reset", id=request_id)


async def start_reset(request_id: int) -> tuple[str, str, str] | None:
    """For the worker: a fresh secret for whoever asked, as (name, e-mail, secret); None when nobody is to be told."""
    async with action(None):
        record = await fetch_row(
            "SELECT u.id, u.name, u.email FROM sign_in_failures a JOIN users u ON a.subject = $2 || u.email "
            "WHERE a.id = $1 AND u.active",
            request_id,
            ASKED,
        )
        if record is None:
            return None
        token = await _store_link(record["id"])
        await audit(None, "password_link_mailed", f"user:{record['id']}")
        return record["name"], record["email"], token


async def withdraw_reset(token: str) -> None:
    """The mail with this secret did not leave."""
    async with action(None):
        await execute("DELETE FROM password_resets WHERE token_hash = $1", hash_of(token))


async def make_reset_link(asker: Asker, configured: Settings, user_id: int) -> PasswordLink:
    """A link that an admin gives to somebody by hand. Raises Forbidden for an owner's, unless an owner asks."""
    async with action(asker.user_id):
        record = await fetch_row("SELECT role FROM users WHERE id = $1 AND active", user_id)
        if record is None:
            raise NotFound("There is no such person.", "Choose among the people who can sign in.")
        if record["role"] == "owner" and asker.role != "owner":
            raise Forbidden("Only an owner can do this.", "Ask the owner of your organisation.")
        token = await _store_link(user_id)
        await audit(asker.user_id, "password_link_made", f"user:{user_id}")
    return PasswordLink(link=reset_link(configured, token), expires_at=datetime.now(UTC) + LINK_LIFETIME)


async def reset_by_link(token: str, password: str) -> None:
    """Set the password of whoever holds the link, once, and sign them out everywhere."""
    email = await fetch_value(
        "SELECT u.email FROM password_resets r JOIN users u ON u.id = r.user_id "
        "WHERE r.token_hash = $1 AND r.expires_at > now() AND u.active",
        hash_of(token),
    )
    if email is None:
        raise _link_is_gone()
    check_password(password, email)
    password_hash = await hash_password(password)
    async with action(None):
        user_id = await fetch_value(
            "DELETE FROM password_resets WHERE token_hash = $1 AND expires_at > now() RETURNING user_id", hash_of(token)
        )
        if user_id is None:
            raise _link_is_gone()
        await _set_password(user_id, password_hash)
        await audit(user_id, "password_reset", f"user:{user_id}", by="link")
    await forget_attempts(f"account {email}")


async def reset_password(email: str, new_password: str) -> None:
    """For `tandem reset-password`: set it, and sign the person out everywhere. Raises NotFound and Unacceptable."""
    address = email.strip().lower()
    check_password(new_password, address)
    password_hash = await hash_password(new_password)
    async with action(None):
        user_id = await fetch_value("SELECT id FROM users WHERE email = $1", address)
        if user_id is None:
            raise NotFound(f"Nobody here has the address {address}.", "Check it for typing errors.")
        await _set_password(user_id, password_hash)
        await audit(None, "password_reset", f"user:{user_id}", by="command line")
    await forget_attempts(f"account {address}")


async def _store_link(user_id: int) -> str:
    token = secrets.token_urlsafe(32)
    await execute("DELETE FROM password_resets WHERE expires_at < now()")
    await execute(
        "INSERT INTO password_resets (token_hash, user_id, expires_at) VALUES ($1, $2, now() + $3::interval)",
        hash_of(token),
        user_id,
        LINK_LIFETIME,
    )
    return token


async def _set_password(user_id: int, password_hash: str) -> None:
    await execute("UPDATE users SET password_hash = $2 WHERE id = $1", user_id, password_hash)
    await execute("DELETE FROM password_resets WHERE user_id = $1", user_id)
    await end_all_sessions(user_id)


def _link_is_gone() -> NotFound:
    return NotFound("This link is no longer valid.", "Ask for a new one: each works once, and for an hour.")
