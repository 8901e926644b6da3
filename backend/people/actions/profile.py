"""What people change about themselves: their profile, their password, their API tokens."""

import secrets
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import UNSET

from backend.access.asker import Asker
from backend.database.connection import execute, fetch, fetch_row
from backend.errors import NotFound
from backend.events.hub import close_sessions
from backend.events.record import ORGANISATION, action, user_stream
from backend.notifications.contracts import NotificationSettings
from backend.people.attempts import PER_ACCOUNT, count_attempt, forget_attempts
from backend.people.audit import audit
from backend.people.checks import check_locale, check_name, check_password, check_shortcuts, check_time_zone, refuse
from backend.people.contracts import (
    ChangePassword,
    CreateToken,
    Me,
    MeChanged,
    PersonChanged,
    SetShortcuts,
    TokenCreated,
    UpdateProfile,
)
from backend.people.passwords import hash_password, password_fits
from backend.people.queries import me_of, token_of
from backend.people.sessions import TOKEN_PREFIX, end_session, hash_of

MOST_TOKENS = 50
LONGEST_AWAY = timedelta(days=366)


async def update_profile(asker: Asker, given: UpdateProfile) -> Me:
    """Change what is given of the person's own profile."""
    changes: dict[str, str | datetime | None] = {}
    if given.name is not UNSET:
        changes["name"] = check_name(given.name)
    if given.time_zone is not UNSET:
        changes["time_zone"] = check_time_zone(given.time_zone)
    if given.locale is not UNSET:
        changes["locale"] = check_locale(given.locale)
    if given.theme is not UNSET:
        changes["theme"] = given.theme
    if given.away_until is not UNSET:
        changes["away_until"] = _check_away(given.away_until)
    async with action(asker.user_id) as act:
        record = await fetch_row("SELECT * FROM users WHERE id = $1 FOR UPDATE", asker.user_id)
        assert record is not None
        before = me_of(record)
        for column, value in changes.items():
            record = await fetch_row(f"UPDATE users SET {column} = $2 WHERE id = $1 RETURNING *", asker.user_id, value)
            assert record is not None
        me = me_of(record)
        if me != before:
            act.record(user_stream(asker.user_id), MeChanged(me=me))
        if me.person != before.person:
            act.record(ORGANISATION, PersonChanged(person=me.person))
    return me


async def set_notifications(asker: Asker, given: NotificationSettings) -> Me:
    """What the person is told of, where, and when not."""
    check_time_zone(given.quiet.time_zone)
    async with action(asker.user_id) as act:
        record = await fetch_row("SELECT * FROM users WHERE id = $1 FOR UPDATE", asker.user_id)
        assert record is not None
        before = me_of(record)
        record = await fetch_row(
            "UPDATE users SET notify = $2 WHERE id = $1 RETURNING *", asker.user_id, msgspec.json.encode(given).decode()
        )
        assert record is not None
        me = me_of(record)
        if me != before:
            act.record(user_stream(asker.user_id), MeChanged(me=me))
    return me


async def set_shortcuts(asker: Asker, given: SetShortcuts) -> Me:
    """The keys that the person gives to commands; all others keep their own."""
    shortcuts = check_shortcuts(given.shortcuts)
    async with action(asker.user_id) as act:
        record = await fetch_row("SELECT * FROM users WHERE id = $1 FOR UPDATE", asker.user_id)
        assert record is not None
        before = me_of(record)
        record = await fetch_row(
            "UPDATE users SET shortcuts = $2 WHERE id = $1 RETURNING *",
            asker.user_id,
            msgspec.json.encode(shortcuts).decode(),
        )
        assert record is not None
        me = me_of(record)
        if me != before:
            act.record(user_stream(asker.user_id), MeChanged(me=me))
    return me


def _check_away(until: datetime | None) -> datetime | None:
    if until is None:
        return None
    now = datetime.now(UTC)
    if until <= now:
        raise refuse("away_until", "That moment is past.", "Choose a later one.")
    if until > now + LONGEST_AWAY:
        raise refuse("away_until", "That is more than a year away.", "Choose an earlier day.")
    return until


async def change_password(asker: Asker, given: ChangePassword) -> None:
    """Set a new password and sign the person out everywhere but here. Raises Unacceptable for a wrong current one."""
    record = await fetch_row("SELECT email, password_hash FROM users WHERE id = $1", asker.user_id)
    assert record is not None
    check_password(given.new, record["email"], field="new")
    await count_attempt(f"account {record['email']}", PER_ACCOUNT)
    if not await password_fits(record["password_hash"], given.current):
        raise refuse("current", "The current password is wrong.", "Type it again, or ask for a link by mail.")
    new_hash = await hash_password(given.new)
    async with action(asker.user_id):
        await execute("UPDATE users SET password_hash = $2 WHERE id = $1", asker.user_id, new_hash)
        others = await fetch(
            "SELECT id FROM sessions WHERE user_id = $1 AND id IS DISTINCT FROM $2", asker.user_id, asker.session_id
        )
        for other in others:
            await end_session(other["id"])
        await execute("DELETE FROM password_resets WHERE user_id = $1", asker.user_id)
        await audit(asker.user_id, "password_changed", f"user:{asker.user_id}")
    await forget_attempts(f"account {record['email']}")


async def create_token(asker: Asker, given: CreateToken) -> TokenCreated:
    """An API token with the person's own rights. Its secret is answered once, and stored only as a hash."""
    name = check_name(given.name)
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    async with action(asker.user_id):
        count = await fetch("SELECT 1 FROM api_tokens WHERE user_id = $1", asker.user_id)
        if len(count) >= MOST_TOKENS:
            raise refuse("name", "There are 50 API tokens already.", "Delete those that are not used any more.")
        record = await fetch_row(
            "INSERT INTO api_tokens (user_id, name, prefix, token_hash, created_at) "
            "VALUES ($1, $2, $3, $4, now()) RETURNING *",
            asker.user_id,
            name,
            secret[: len(TOKEN_PREFIX) + 4],
            hash_of(secret),
        )
        assert record is not None
        await audit(asker.user_id, "token_created", f"token:{record['id']}", name=name)
    return TokenCreated(token=token_of(record), secret=secret)


async def delete_token(asker: Asker, token_id: int) -> None:
    """Delete one's own token, and close the sockets that it opened. Raises NotFound for anybody else's."""
    async with action(asker.user_id):
        gone = await fetch_row(
            "DELETE FROM api_tokens WHERE id = $1 AND user_id = $2 RETURNING name", token_id, asker.user_id
        )
        if gone is None:
            raise NotFound("There is no such token.", "It may have been deleted meanwhile.")
        await close_sessions("token", token_id)
        await audit(asker.user_id, "token_deleted", f"token:{token_id}", name=gone["name"])
