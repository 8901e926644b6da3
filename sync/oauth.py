"""OAuth 2 for mail accounts: the authorisation code grant with PKCE, and tokens that are kept fresh.

    state, verifier = new_secret(), new_secret()
    url = authorisation_url(client, redirect_uri=..., state=state, verifier=verifier, login_hint="ana@example.org")
    ... the person agrees there, and comes back with `state` and `code` ...
    grant = await exchange_code(client, code=code, verifier=verifier, redirect_uri=...)
    grant = await refresh(client, grant)          # before `grant.expires_at`, or when the server refused it

RFC 6749 (the grant), RFC 7636 (PKCE, S256 only), XOAUTH2 as Google and Microsoft describe it. Only the addresses of
`OAuthClient` are asked, and no redirect is followed, so that a token goes nowhere else.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

import httpx
import msgspec

from sync.errors import ServerProblem, server_problem

OAuthProvider = Literal["google", "microsoft"]

ASK_SECONDS = 20.0
ASSUMED_LIFE = timedelta(hours=1)
"""Of an access token whose server does not say (RFC 6749 section 5.1 only recommends it)."""
LARGEST_ANSWER = 100_000
"""Bytes of a token endpoint's answer; they have a few thousand."""


@dataclass(frozen=True, slots=True)
class OAuthEndpoints:
    """Where a provider lets people agree, where it gives out tokens, and what is asked for."""

    title: str
    authorise_url: str
    token_url: str
    scope: str
    extra: Mapping[str, str] = field(default_factory=dict)
    """Further parameters of the authorisation request, such as those that make it give a refresh token."""


ENDPOINTS: Mapping[OAuthProvider, OAuthEndpoints] = {
    "google": OAuthEndpoints(
        title="Google",
        authorise_url="https://accounts.google.com/o/oauth2/v2/auth",
        token_url="https://oauth2.googleapis.com/token",
        scope="https://mail.google.com/ openid email",
        extra={"access_type": "offline", "prompt": "consent"},
    ),
    "microsoft": OAuthEndpoints(
        title="Microsoft",
        authorise_url="https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
        token_url="https://login.microsoftonline.com/common/oauth2/v2.0/token",
        scope="https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send "
        "offline_access openid email",
        extra={"prompt": "select_account"},
    ),
}


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """This installation, as a provider knows it."""

    endpoints: OAuthEndpoints
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person gave: an access token until `expires_at`, and a refresh token for the next ones.

    `signed_in_as` is the address with which they signed in, where the provider tells; it may be a colleague's.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime
    signed_in_as: str = ""


def new_secret() -> str:
    """A state or a PKCE verifier: 43 characters that nobody guesses (RFC 7636 section 4.1)."""
    return secrets.token_urlsafe(32)


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636 section 4.2)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def authorisation_url(client: OAuthClient, *, redirect_uri: str, state: str, verifier: str, login_hint: str) -> str:
    """Where the person's browser goes to agree."""
    parameters = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": redirect_uri,
        "scope": client.endpoints.scope,
        "state": state,
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
        "login_hint": login_hint,
        **client.endpoints.extra,
    }
    address = client.endpoints.authorise_url
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(parameters)}"


async def exchange_code(client: OAuthClient, *, code: str, verifier: str, redirect_uri: str) -> Grant:
    """The tokens for a code that came back. Raises ServerProblem, also when no refresh token is among them."""
    told = await _ask(
        client,
        {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": verifier},
    )
    grant = _grant(client, told, refresh_token="")
    if not grant.refresh_token:
        raise _problem("oauth_revoked", client, words="the provider gave no refresh token")
    return grant


async def refresh(client: OAuthClient, grant: Grant) -> Grant:
    """A new access token. Raises ServerProblem: `oauth_revoked` when only signing in again helps."""
    told = await _ask(client, {"grant_type": "refresh_token", "refresh_token": grant.refresh_token})
    fresh = _grant(client, told, refresh_token=grant.refresh_token)
    return fresh if fresh.signed_in_as else _named(fresh, grant.signed_in_as)


def _named(grant: Grant, signed_in_as: str) -> Grant:
    return Grant(grant.access_token, grant.refresh_token, grant.expires_at, signed_in_as)


async def _ask(client: OAuthClient, parameters: dict[str, str]) -> dict[str, Any]:
    """One request to the token endpoint (RFC 6749 section 3.2)."""
    form = {**parameters, "client_id": client.client_id}
    if client.client_secret:
        form["client_secret"] = client.client_secret
    try:
        async with httpx.AsyncClient(timeout=ASK_SECONDS, follow_redirects=False, trust_env=False) as http:
            reply = await http.post(client.endpoints.token_url, data=form, headers={"accept": "application/json"})
    except httpx.HTTPError as error:
        raise _problem("oauth_unavailable", client, words=type(error).__name__) from error
    try:
        told = msgspec.json.decode(reply.content[:LARGEST_ANSWER], type=dict[str, Any])
    except msgspec.DecodeError:
        told = {}
    if reply.status_code == 200 and isinstance(told.get("access_token"), str) and told["access_token"]:
        return told
    fault = str(told.get("error") or "")
    words = f"{reply.status_code} {fault} {told.get('error_description') or ''}".strip()[:500]
    raise _problem(_CODES.get(fault, "oauth_unavailable"), client, words=words)


_CODES = {
    # RFC 6749 section 5.2, and what Microsoft adds when a person has to be asked once more.
    "invalid_grant": "oauth_revoked",
    "interaction_required": "oauth_revoked",
    "consent_required": "oauth_revoked",
    "login_required": "oauth_revoked",
    "invalid_client": "oauth_misconfigured",
    "unauthorized_client": "oauth_misconfigured",
    "invalid_request": "oauth_misconfigured",
    "unsupported_grant_type": "oauth_misconfigured",
    "invalid_scope": "oauth_misconfigured",
}


def _grant(client: OAuthClient, told: dict[str, Any], *, refresh_token: str) -> Grant:
    if str(told.get("token_type", "Bearer")).casefold() != "bearer":
        raise _problem("oauth_misconfigured", client, words=f"a token of type {told.get('token_type')}")
    life = told.get("expires_in")
    try:
        lasts = timedelta(seconds=min(float(life), 86_400.0)) if life is not None else ASSUMED_LIFE
    except (TypeError, ValueError):
        lasts = ASSUMED_LIFE
    given = told.get("refresh_token")
    return Grant(
        access_token=told["access_token"],
        refresh_token=given if isinstance(given, str) and given else refresh_token,
        expires_at=datetime.now(UTC) + lasts,
        signed_in_as=_who(told.get("id_token")),
    )


def _who(id_token: object) -> str:
    """The address in an ID token. It came straight from the token endpoint over TLS, which stands in for checking its
    signature (OpenID Connect Core section 3.1.3.7), and nothing but a sentence is made of it."""
    if not isinstance(id_token, str) or id_token.count(".") != 2:
        return ""
    body = id_token.split(".")[1]
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=dict[str, Any])
    except (ValueError, msgspec.DecodeError):
        return ""
    found = claims.get("email") or claims.get("preferred_username") or ""
    return found if isinstance(found, str) and "@" in found else ""


def _problem(code: str, client: OAuthClient, *, words: str) -> ServerProblem:
    return server_problem(code, host=client.endpoints.title, server_words=words)
