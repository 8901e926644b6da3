"""Connecting an account by signing in at its provider (OAuth 2, authorisation code with PKCE). Part of the actions.

The browser leaves with a `state` that names a row here, and comes back with it and a code. Three things guard the way
back: the state is worth something once and for an hour; it must come with the session of the very person who left, or
somebody could be led to connect their mail to a stranger's mailbox; and only this process knows the PKCE verifier.
"""

from typing import Literal, NamedTuple

import msgspec

from backend.access.asker import Asker
from backend.access.fetch import access_mailbox_settings
from backend.accounts.actions import store_account
from backend.accounts.attempts import Attempt, try_servers
from backend.accounts.checks import check_connect
from backend.accounts.contracts import ConnectAccount, OAuthProvider, SignIn, SignInStarted, StartSignIn
from backend.accounts.credentials import Passwords, decrypt, encrypt
from backend.accounts.oauth_clients import oauth_client, redirect_uri, stored_grant
from backend.database.connection import Row, execute, fetch_row
from backend.errors import TandemError, Unacceptable
from backend.events.record import action
from backend.people.sessions import hash_of
from backend.settings import settings
from sync.oauth import ServerProblem, authorisation_url, exchange_code, new_secret

KEPT = "1 hour"

Told = Literal[
    "connected",
    "declined",
    "expired",
    "another_person",
    "provider_refused",
    "provider_unavailable",
    "misconfigured",
    "receiving_refused",
    "sending_refused",
    "not_tried",
]
"""How it went, for the page that the person comes back to."""

_TOLD_OF_CODE: dict[str, Told] = {
    "oauth_revoked": "provider_refused",
    "oauth_misconfigured": "misconfigured",
    "oauth_unavailable": "provider_unavailable",
}


class Landing(NamedTuple):
    """Where the person comes back to. `mailbox_id` is 0 when it is not theirs to know."""

    told: Told
    mailbox_id: int = 0


class _Request(msgspec.Struct, frozen=True):
    provider: OAuthProvider
    wanted: ConnectAccount
    verifier: str


async def start_sign_in(asker: Asker, mailbox_id: int, given: StartSignIn) -> SignInStarted:
    """Remember what is to be connected; answers the provider's address for the person's browser.

    Raises Unacceptable for wrong servers, and where the settings name no client for the provider.
    """
    client = oauth_client(given.provider)
    if client is None:
        raise Unacceptable(
            "Signing in there is not set up in this installation.",
            f"Whoever runs Tandem can set TANDEM_OAUTH_{given.provider.upper()}_CLIENT_ID; docs/settings.md tells how.",
        )
    wanted = check_connect(
        ConnectAccount(
            address=given.address,
            username=given.username,
            password="",
            imap=given.imap,
            smtp=given.smtp,
            smtp_username=given.smtp_username,
            begin=given.begin,
        ),
        by_password=False,
    )
    state, verifier = new_secret(), new_secret()
    sealed = encrypt(settings(), msgspec.json.encode(_Request(given.provider, wanted, verifier)))
    async with action(asker.user_id):
        await execute("DELETE FROM oauth_requests WHERE created_at < now() - $1::text::interval", KEPT)
        await execute(
            "INSERT INTO oauth_requests (state_digest, user_id, mailbox_id, request, created_at) "
            "VALUES ($1, $2, $3, $4, now())",
            hash_of(state),
            asker.user_id,
            mailbox_id,
            sealed,
        )
    url = authorisation_url(
        client, redirect_uri=redirect_uri(), state=state, verifier=verifier, login_hint=wanted.username
    )
    return SignInStarted(url=url)


async def finish_sign_in(asker: Asker | None, state: str, code: str, error: str) -> Landing:
    """The person is back from the provider: exchange the code, try both servers, connect the account."""
    row = await fetch_row(
        "SELECT * FROM oauth_requests WHERE state_digest = $1 AND created_at > now() - $2::text::interval",
        hash_of(state),
        KEPT,
    )
    if row is None:
        return Landing("expired")
    if asker is None or row["user_id"] != asker.user_id:
        return Landing("another_person")
    if not await _take(row):
        return Landing("expired")
    if error or not code:
        return Landing("declined", row["mailbox_id"])
    return Landing(await _connect(asker, row, code), row["mailbox_id"])


async def _take(row: Row) -> bool:
    """Once: whoever comes second finds nothing."""
    async with action(row["user_id"]):
        return await fetch_row("DELETE FROM oauth_requests WHERE id = $1 RETURNING id", row["id"]) is not None


async def _connect(asker: Asker, row: Row, code: str) -> Told:
    asked = msgspec.json.decode(decrypt(settings(), row["request"]), type=_Request)
    await access_mailbox_settings(asker, row["mailbox_id"])
    client = oauth_client(asked.provider)
    if client is None:
        return "misconfigured"
    try:
        grant = await exchange_code(client, code=code, verifier=asked.verifier, redirect_uri=redirect_uri())
    except ServerProblem as problem:
        return _TOLD_OF_CODE.get(problem.code, "provider_unavailable")
    try:
        tried = await try_servers(asker, row["mailbox_id"], Attempt(asked.wanted, grant.access_token))
    except TandemError:  # nobody works on it, or too many at once: nothing was stored, and it can be begun again
        return "not_tried"
    if tried.failed is not None:
        return "receiving_refused" if tried.failed.server == "imap" else "sending_refused"
    sign_in: SignIn = "oauth:google" if asked.provider == "google" else "oauth:microsoft"
    passwords = Passwords(imap="", grant=stored_grant(grant))
    await store_account(asker, row["mailbox_id"], asked.wanted, tried, passwords, sign_in)
    return "connected"
