"""The first owner, signing in and signing out."""

import random

from backend.access.asker import Asker
from backend.database.connection import execute, fetch_row, fetch_value
from backend.errors import BadRequest, Conflict, NotSignedIn
from backend.events.record import ORGANISATION, Action, action
from backend.mailboxes.membership import lock_memberships
from backend.people.attempts import (
    PER_ACCOUNT,
    PER_ADDRESS,
    count_attempt,
    forget_attempt,
    forget_attempts,
    network_of,
)
from backend.people.audit import audit
from backend.people.checks import check_email, check_name, check_password
from backend.people.contracts import Me, Organisation, OrganisationChanged, PersonChanged, SetUp, SignIn
from backend.people.passwords import hash_password, is_outdated, password_fits
from backend.people.queries import me_of, person_of
from backend.people.sessions import end_session, start_session

COLOURS = 10
"""Of the interface; a colour is a number below this."""


async def set_up(given: SetUp, user_agent: str) -> tuple[Me, str]:
    """Name the organisation and make its first owner; answers them and their session cookie.

    Raises Conflict when there is anybody already: of several who try at once, one succeeds.
    """
    organisation_name = check_name(given.organisation_name, field="organisation_name")
    name, email = check_name(given.name), check_email(given.email)
    check_password(given.password, email)
    await _check_not_set_up()
    password_hash = await hash_password(given.password)
    async with action(None) as act:
        await lock_memberships()
        await _check_not_set_up()
        await execute(
            "INSERT INTO organisation (id, name, settings, created_at) VALUES (1, $1, '{}', now()) "
            "ON CONFLICT (id) DO UPDATE SET name = $1",
            organisation_name,
        )
        me = await add_user(act, name=name, email=email, password_hash=password_hash, role="owner")
        act.record(ORGANISATION, OrganisationChanged(organisation=Organisation(name=organisation_name)))
        await audit(me.person.id, "set_up", f"user:{me.person.id}")
        return me, await start_session(me.person.id, user_agent)


async def _check_not_set_up() -> None:
    if await fetch_value("SELECT EXISTS (SELECT 1 FROM users)"):
        raise Conflict("Tandem is set up already.", "Sign in, or ask the owner for an invitation.")


async def add_user(act: Action, *, name: str, email: str, password_hash: str, role: str) -> Me:
    """A new person, told to everybody. Call after `lock_memberships`; the e-mail must be free."""
    record = await fetch_row(
        "INSERT INTO users (name, email, password_hash, role, active, colour, time_zone, locale, theme, created_at) "
        "VALUES ($1, $2, $3, $4, true, (SELECT count(*) FROM users) % $5, 'UTC', 'en', 'system', now()) RETURNING *",
        name,
        email,
        password_hash,
        role,
        COLOURS,
    )
    assert record is not None
    act.record(ORGANISATION, PersonChanged(person=person_of(record)))
    return me_of(record)


async def sign_in(given: SignIn, host: str, user_agent: str, earlier_session: int | None = None) -> tuple[Me, str]:
    """Check the password and start a session; answers the person and their cookie.

    Raises NotSignedIn in the same words, and after the same work, for a wrong password, an unknown address and a
    closed account; TooManyAttempts beyond the limits of backend/people/attempts.py.
    """
    email = given.email.strip().lower()[:320]
    attempts = [
        await count_attempt(network_of(host), PER_ADDRESS),
        await count_attempt(f"account {email}", PER_ACCOUNT),
    ]
    record = await fetch_row("SELECT * FROM users WHERE email = $1 AND active", email)
    if not await password_fits(record["password_hash"] if record else None, given.password) or record is None:
        async with action(None):
            # What was typed is not written down: it may be a password in the wrong field.
            await audit(None, "sign_in_refused", f"user:{record['id'] if record else 0}")
        raise NotSignedIn("The e-mail address or the password is wrong.", "Check both and try again.")
    new_hash = await hash_password(given.password) if is_outdated(record["password_hash"]) else None
    async with action(record["id"]):
        # Looked at again: the account may have been closed, or the password changed, while this one was checked.
        still = await fetch_value(
            "SELECT 1 FROM users WHERE id = $1 AND active AND password_hash = $2 FOR UPDATE",
            record["id"],
            record["password_hash"],
        )
        if still is None:
            raise NotSignedIn("The e-mail address or the password is wrong.", "Check both and try again.")
        if new_hash is not None:
            await execute("UPDATE users SET password_hash = $2 WHERE id = $1", record["id"], new_hash)
        if earlier_session is not None:
            await end_session(earlier_session)
        if random.random() < 0.05:
            await execute("DELETE FROM sessions WHERE expires_at < now()")
        cookie = await start_session(record["id"], user_agent)
        await audit(record["id"], "signed_in", f"user:{record['id']}")
    await forget_attempt(attempts[0])
    await forget_attempts(f"account {email}")
    return me_of(record), cookie


async def sign_out(asker: Asker) -> None:
    """End this browser's session and close its sockets."""
    if asker.session_id is None:
        raise BadRequest("An API token cannot sign out.", "Delete the token instead.")
    async with action(asker.user_id):
        await end_session(asker.session_id)
        await audit(asker.user_id, "signed_out", f"user:{asker.user_id}")
