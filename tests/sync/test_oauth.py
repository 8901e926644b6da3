"""The authorisation code grant against a real authorisation server, and XOAUTH2 at Dovecot and SMTP."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from sync.errors import ServerProblem
from sync.imap.connection import open_connection
from sync.oauth import (
    ENDPOINTS,
    Grant,
    OAuthClient,
    OAuthEndpoints,
    authorisation_url,
    challenge_of,
    exchange_code,
    new_secret,
    refresh,
)
from sync.smtp import check_smtp
from sync.types import AccessTokens
from tests.servers.authorisation import CLIENT_ID, CLIENT_SECRET, AuthorisationServer, TokenDovecot
from tests.servers.signing_in import check_imap
from tests.servers.smtp import RecordingSmtp

BACK = "http://127.0.0.1:1/back"


@pytest.fixture
def provider() -> Iterator[AuthorisationServer]:
    with AuthorisationServer() as running:
        yield running


@pytest.fixture
def client(provider: AuthorisationServer) -> OAuthClient:
    endpoints = OAuthEndpoints(
        "The provider", f"{provider.url}/authorise", f"{provider.url}/token", "mail openid", {"prompt": "consent"}
    )
    return OAuthClient(endpoints, CLIENT_ID, CLIENT_SECRET)


async def granted(provider: AuthorisationServer, client: OAuthClient, user: str = "ana") -> Grant:
    verifier = new_secret()
    url = authorisation_url(client, redirect_uri=BACK, state="s", verifier=verifier, login_hint="ana@example.org")
    code, _ = provider.agree(url, user)
    return await exchange_code(client, code=code, verifier=verifier, redirect_uri=BACK)


@dataclass
class Held:
    """Tokens as an account holds them; `renewed` counts."""

    client: OAuthClient
    grant: Grant
    renewed: int = 0

    async def current(self) -> str:
        return self.grant.access_token

    async def renew(self, refused: str) -> str:
        assert refused == self.grant.access_token
        self.renewed += 1
        self.grant = await refresh(self.client, self.grant)
        return self.grant.access_token


def test_the_challenge_is_that_of_rfc_7636() -> None:
    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_address_asks_for_a_refresh_token_and_holds_no_secret() -> None:
    for endpoints in ENDPOINTS.values():
        verifier = new_secret()
        url = authorisation_url(
            OAuthClient(endpoints, "id", "hush-hush"),
            redirect_uri=BACK, state="the state", verifier=verifier, login_hint="ana@example.org",
        )  # fmt: skip
        asked = parse_qs(urlsplit(url).query)
        assert url.startswith("https://")
        assert asked["state"] == ["the state"]
        assert asked["code_challenge"] == [challenge_of(verifier)]
        assert "offline" in url
        assert "hush-hush" not in url and verifier not in url


async def test_a_code_becomes_tokens_once(provider: AuthorisationServer, client: OAuthClient) -> None:
    verifier = new_secret()
    url = authorisation_url(client, redirect_uri=BACK, state="s", verifier=verifier, login_hint="")
    code, state = provider.agree(url, "ana")
    assert state == "s"
    grant = await exchange_code(client, code=code, verifier=verifier, redirect_uri=BACK)
    assert timedelta(minutes=59) < grant.expires_at - datetime.now(UTC) <= timedelta(hours=1)
    assert grant.signed_in_as == "ana@provider.example"
    assert grant.access_token not in repr(grant) and grant.refresh_token not in repr(grant)
    with pytest.raises(ServerProblem) as again:
        await exchange_code(client, code=code, verifier=verifier, redirect_uri=BACK)
    assert again.value.code == "oauth_revoked"


async def test_a_stolen_code_is_worth_nothing_without_the_verifier(
    provider: AuthorisationServer, client: OAuthClient
) -> None:
    url = authorisation_url(client, redirect_uri=BACK, state="s", verifier=new_secret(), login_hint="")
    code, _ = provider.agree(url, "ana")
    with pytest.raises(ServerProblem):
        await exchange_code(client, code=code, verifier=new_secret(), redirect_uri=BACK)


@pytest.mark.parametrize("rotate", [True, False])
async def test_tokens_are_renewed_as_often_as_needed(
    provider: AuthorisationServer, client: OAuthClient, rotate: bool
) -> None:
    provider.rotate = rotate
    first = await granted(provider, client)
    second = await refresh(client, first)
    third = await refresh(client, second)
    assert len({first.access_token, second.access_token, third.access_token}) == 3
    assert (second.refresh_token == first.refresh_token) is not rotate
    assert third.signed_in_as == "ana@provider.example"


async def test_every_refusal_is_a_sentence(provider: AuthorisationServer, client: OAuthClient) -> None:
    grant = await granted(provider, client)

    async def fault(asked_by: OAuthClient) -> tuple[str, bool]:
        with pytest.raises(ServerProblem) as told:
            await refresh(asked_by, grant)
        assert told.value.sentence and told.value.remedy
        assert grant.refresh_token not in str(told.value)
        return told.value.code, told.value.permanent

    assert await fault(replace(client, client_secret="wrong")) == ("oauth_misconfigured", True)
    nobody = replace(client.endpoints, token_url="http://127.0.0.1:9/token")
    assert await fault(replace(client, endpoints=nobody)) == ("oauth_unavailable", False)
    provider.out_of_order = True
    assert await fault(client) == ("oauth_unavailable", False)
    provider.out_of_order = False
    provider.withdraw_permission()
    assert await fault(client) == ("oauth_revoked", True)


async def test_dovecot_lets_in_who_has_a_token(provider: AuthorisationServer, client: OAuthClient) -> None:
    tokens: AccessTokens = Held(client, await granted(provider, client))
    with TokenDovecot(provider) as dovecot:
        login = replace(dovecot.login("ana", password=""), tokens=tokens)
        connection = await open_connection(login)
        assert "INBOX" in {folder.name for folder in await connection.list_folders()}
        await connection.close()
        assert await check_imap(dovecot.login("ana")) is None, "passwords still work beside"
        somebody_else = await check_imap(replace(login, username="jonas"))
        assert somebody_else is not None and somebody_else.code == "oauth_refused"


async def test_a_refused_token_is_renewed_once(provider: AuthorisationServer, client: OAuthClient) -> None:
    held = Held(client, await granted(provider, client))
    with TokenDovecot(provider) as dovecot, RecordingSmtp(token_ok=provider.accepts) as smtp:
        imap = replace(dovecot.login("ana", password=""), tokens=held)
        sending = replace(smtp.login("ana", password=""), tokens=held)
        provider.withdraw_access_tokens()
        assert await check_imap(imap) is None
        assert held.renewed == 1
        provider.withdraw_access_tokens()
        assert await check_smtp(sending) is None
        assert held.renewed == 2
        assert await check_imap(imap) is None
        assert held.renewed == 2, "a good token is kept"
        provider.withdraw_permission()
        for problem in (await check_imap(imap), await check_smtp(sending)):
            assert problem is not None and problem.code == "oauth_revoked" and problem.permanent


async def test_a_server_without_xoauth2_is_not_sent_a_token(provider: AuthorisationServer, client: OAuthClient) -> None:
    held = Held(client, await granted(provider, client))
    with RecordingSmtp() as smtp:
        problem = await check_smtp(replace(smtp.login("ana", password=""), tokens=held))
    assert problem is not None and problem.code == "tls_needed"
