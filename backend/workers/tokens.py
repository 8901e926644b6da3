"""Access tokens of an account: given out while they last, renewed a little before they end.

Workers that hold the same account (its watcher, a sender, a job) meet at an advisory lock, so that one of them asks
the provider and the others take what it stored: where refresh tokens change with each use, two at once would end the
permission.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from backend.accounts.credentials import Passwords, StoredGrant, open_passwords, seal_passwords
from backend.accounts.oauth_clients import grant_of, oauth_client, stored_grant
from backend.database.connection import fetch_row, session
from backend.events.record import action
from backend.settings import settings
from sync.errors import server_problem
from sync.oauth import refresh

TOKENS_LOCK = 7_264_341
"""First key of the advisory lock; the second is the account's id."""
MARGIN = timedelta(minutes=5)
"""A token is renewed when it has less than this left: a connection takes a while to sign in."""


class AccountTokens:
    """The `sync.types.AccessTokens` of a stored account."""

    def __init__(self, account_id: int) -> None:
        self._account_id = account_id

    async def current(self) -> str:
        """A token that lasts some minutes yet. Raises ServerProblem."""
        _, _, grant = await self._stored()
        return grant.access_token if _lasts(grant) else await self._renewed(refused="")

    async def renew(self, refused: str) -> str:
        """Another token than the refused one. Raises ServerProblem."""
        return await self._renewed(refused=refused)

    async def _renewed(self, refused: str) -> str:
        async with self._alone():
            provider, sealed, grant = await self._stored()
            if grant.access_token != refused and _lasts(grant):
                return grant.access_token  # another worker was faster
            client = oauth_client(provider)
            if client is None:
                words = f"the settings name no client for {provider}"
                raise server_problem("oauth_misconfigured", host=provider.capitalize(), server_words=words)
            fresh = await refresh(client, grant_of(grant))
            await self._store(sealed, stored_grant(fresh))
            return fresh.access_token

    async def _store(self, before: bytes, grant: StoredGrant) -> None:
        """Unless the account was signed in anew meanwhile: then that sign-in counts."""
        async with action(None):
            held = await fetch_row(
                "SELECT id FROM mail_accounts WHERE id = $1 AND credentials = $2 FOR UPDATE", self._account_id, before
            )
            if held is not None:
                await fetch_row(
                    "UPDATE mail_accounts SET credentials = $2 WHERE id = $1 RETURNING id",
                    self._account_id,
                    seal_passwords(settings(), Passwords(imap="", grant=grant)),
                )

    async def _stored(self) -> tuple[str, bytes, StoredGrant]:
        row = await fetch_row("SELECT sign_in, credentials FROM mail_accounts WHERE id = $1", self._account_id)
        grant = open_passwords(settings(), row["credentials"]).grant if row is not None else None
        if row is None or grant is None:
            raise server_problem("oauth_revoked", host="The provider", server_words="no tokens are stored")
        return row["sign_in"].partition(":")[2], row["credentials"], grant

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        async with session() as held:
            await held.execute("SELECT pg_advisory_lock($1::int, $2::int)", TOKENS_LOCK, self._account_id)
            try:
                yield
            finally:
                await held.execute("SELECT pg_advisory_unlock($1::int, $2::int)", TOKENS_LOCK, self._account_id)


class OneToken:
    """The token of a sign-in that is being tried before anything is stored."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def current(self) -> str:
        return self._token

    async def renew(self, refused: str) -> str:
        """There is no other: the server's refusal stands."""
        return self._token


def _lasts(grant: StoredGrant) -> bool:
    return grant.expires_at - datetime.now(UTC) > MARGIN
