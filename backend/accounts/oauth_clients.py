"""The providers at which people can sign in, as the settings register this installation there."""

from dataclasses import replace
from typing import cast

from backend.accounts.contracts import OAuthProvider
from backend.accounts.credentials import StoredGrant
from backend.settings import settings
from sync.oauth import ENDPOINTS, Grant, OAuthClient

CALLBACK = "/api/v1/oauth/callback"


def oauth_client(provider: str) -> OAuthClient | None:
    """The client for a provider; None where the settings register none."""
    registration = settings().oauth.get(provider)
    if registration is None:
        return None
    endpoints = ENDPOINTS[cast(OAuthProvider, provider)]
    endpoints = replace(
        endpoints,
        authorise_url=registration.authorise_url or endpoints.authorise_url,
        token_url=registration.token_url or endpoints.token_url,
    )
    return OAuthClient(endpoints, registration.client_id, registration.client_secret)


def redirect_uri() -> str:
    """Where providers send people back to; it must be registered there exactly so."""
    return f"{settings().public_url}{CALLBACK}"


def grant_of(stored: StoredGrant) -> Grant:
    return Grant(stored.access_token, stored.refresh_token, stored.expires_at, stored.signed_in_as)


def stored_grant(grant: Grant) -> StoredGrant:
    return StoredGrant(
        access_token=grant.access_token,
        refresh_token=grant.refresh_token,
        expires_at=grant.expires_at,
        signed_in_as=grant.signed_in_as,
    )
