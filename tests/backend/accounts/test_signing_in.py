"""Connecting by signing in at the provider, through a real authorisation server, Dovecot and SMTP with XOAUTH2."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from backend.accounts.contracts import AccountSettings, FoundServers, SignInStarted, StartSignIn
from backend.accounts.credentials import open_passwords
from backend.database.connection import execute, fetch, fetch_row, fetch_value
from backend.settings import settings
from backend.workers.logins import mail_login
from sync.errors import ServerProblem
from sync.smtp import check_smtp
from tests.backend.accounts.conftest import server
from tests.servers.api import Api, Caller
from tests.servers.authorisation import CLIENT_SECRET, AuthorisationServer, TokenDovecot
from tests.servers.signing_in import check_imap
from tests.servers.smtp import RecordingSmtp

pytestmark = pytest.mark.usefixtures("worker", "private_servers")


@dataclass
class Provider:
    """A provider, its mail servers, and an installation that is registered there."""

    authorisation: AuthorisationServer
    dovecot: TokenDovecot
    smtp: RecordingSmtp

    def wanted(self, **fields: Any) -> StartSignIn:
        right: dict[str, Any] = {
            "provider": "google",
            "address": "support@northwind.example",
            "username": "support",
            "imap": server(self.dovecot.imap_port),
            "smtp": server(self.smtp.port),
        }
        return StartSignIn(**(right | fields))


@pytest.fixture
def provider(api: Api, private_servers: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with AuthorisationServer() as authorisation, TokenDovecot(authorisation) as dovecot:
        for name, value in authorisation.settings().items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        with RecordingSmtp(token_ok=authorisation.accepts) as smtp:
            yield Provider(authorisation, dovecot, smtp)


async def leave(api: Api, provider: Provider, who: Caller | None = None, **fields: Any) -> str:
    """Begin; answers the provider's address for the browser."""
    path = f"/mailboxes/{api.support}/account/sign-in"
    return (await (who or api.ana).post(path, provider.wanted(**fields), SignInStarted)).url


async def come_back(who: Caller, **query: str) -> dict[str, str]:
    """The browser is sent back; answers what the page is told."""
    reply = await who.request("GET", "/oauth/callback", params=query)
    assert reply.status_code == 303
    assert "no-store" in reply.headers["cache-control"]
    target = urlsplit(reply.headers["location"])
    assert target.path == "/settings/mailboxes/" and not target.netloc
    return {name: values[0] for name, values in parse_qs(target.query).items()}


async def signed_in(api: Api, provider: Provider, user: str = "support", **fields: Any) -> dict[str, str]:
    code, state = provider.authorisation.agree(await leave(api, provider, **fields), user)
    return await come_back(api.ana, code=code, state=state)


async def the_account() -> Any:
    row = await fetch_row("SELECT * FROM mail_accounts")
    assert row is not None
    return row


async def test_an_account_is_connected_by_signing_in(api: Api, provider: Provider) -> None:
    url = await leave(api, provider)
    code, state = provider.authorisation.agree(url, "support")
    asked = provider.authorisation.consents[0]
    assert asked["login_hint"] == "support"
    assert asked["redirect_uri"] == f"{settings().public_url}/api/v1/oauth/callback"
    assert await come_back(api.ana, code=code, state=state) == {"signed_in": "connected", "mailbox": str(api.support)}
    shown = await api.ana.get(f"/mailboxes/{api.support}/account", AccountSettings)
    assert (shown.sign_in, shown.state.status, shown.begun) == ("oauth:google", "connecting", True)
    imap, smtp = await mail_login((await the_account())["id"])
    assert await check_imap(imap) is None
    assert await check_smtp(smtp) is None
    assert await fetch_value("SELECT count(*) FROM oauth_requests") == 0
    assert await come_back(api.ana, code=code, state=state) == {"signed_in": "expired"}, (
        "a state is worth something once"
    )


async def test_tokens_are_renewed_before_they_end_and_by_one_worker_alone(api: Api, provider: Provider) -> None:
    provider.authorisation.lasts = 200
    await signed_in(api, provider)
    account = await the_account()
    logins = [(await mail_login(account["id"]))[0] for _ in range(4)]
    provider.authorisation.lasts = 3600
    assert await asyncio.gather(*(check_imap(login) for login in logins)) == [None] * 4
    assert provider.authorisation.asked == ["authorization_code", "refresh_token"]
    later = open_passwords(settings(), (await the_account())["credentials"]).grant
    before = open_passwords(settings(), account["credentials"]).grant
    assert later is not None and before is not None
    assert later.refresh_token != before.refresh_token, "the provider changes them, and the new one is kept"


async def test_a_token_that_the_server_refuses_is_renewed_once(api: Api, provider: Provider) -> None:
    await signed_in(api, provider)
    imap, smtp = await mail_login((await the_account())["id"])
    provider.authorisation.withdraw_access_tokens()
    assert await check_imap(imap) is None
    assert await check_smtp(smtp) is None
    assert provider.authorisation.asked.count("refresh_token") == 1


async def test_a_permission_that_was_withdrawn_wants_a_new_sign_in(api: Api, provider: Provider) -> None:
    await signed_in(api, provider)
    account = await the_account()
    imap, _ = await mail_login(account["id"])
    provider.authorisation.withdraw_permission()
    problem = await check_imap(imap)
    assert isinstance(problem, ServerProblem)
    assert (problem.code, problem.permanent) == ("oauth_revoked", True)
    assert "Sign in again" in problem.remedy
    await execute("UPDATE mail_accounts SET paused_at = NULL, connected_at = connected_at - interval '1 day'")
    assert (await signed_in(api, provider))["signed_in"] == "connected"
    again = await the_account()
    assert again["id"] == account["id"] and again["fence"] > account["fence"]
    assert await check_imap((await mail_login(again["id"]))[0]) is None


async def test_nobody_is_led_to_connect_their_mail_to_a_strangers_mailbox(api: Api, provider: Provider) -> None:
    """Mallory begins at her own mailbox, and sends the provider's address to Ana, who agrees there."""
    mine = await api.mallory.post("/mailboxes", {"kind": "personal", "name": "Me", "address": "m@northwind.example"})
    path = f"/mailboxes/{mine['id']}/account/sign-in"
    url = (await api.mallory.post(path, provider.wanted(), SignInStarted)).url
    code, state = provider.authorisation.agree(url, "ana")
    assert await come_back(api.ana, code=code, state=state) == {"signed_in": "another_person"}
    assert await come_back(api.stranger(), code=code, state=state) == {"signed_in": "another_person"}
    assert await fetch("SELECT 1 FROM mail_accounts") == []
    assert provider.authorisation.asked == [], "the code was not even exchanged"


async def test_what_is_not_agreed_or_does_not_fit_connects_nothing(api: Api, provider: Provider) -> None:
    _, state = provider.authorisation.agree(await leave(api, provider), "support")
    assert (await come_back(api.ana, error="access_denied", state=state))["signed_in"] == "declined"
    assert await come_back(api.ana, code="x", state="never-given") == {"signed_in": "expired"}
    assert await come_back(api.ana) == {"signed_in": "expired"}
    _, state = provider.authorisation.agree(await leave(api, provider), "support")
    assert (await come_back(api.ana, code="made-up", state=state))["signed_in"] == "provider_refused"
    assert (await signed_in(api, provider, user="somebody-else"))["signed_in"] == "receiving_refused"
    provider.authorisation.out_of_order = True
    assert (await signed_in(api, provider))["signed_in"] == "provider_unavailable"
    code, state = provider.authorisation.agree(await leave(api, provider), "support")
    await execute("UPDATE oauth_requests SET created_at = now() - interval '61 minutes'")
    assert (await come_back(api.ana, code=code, state=state))["signed_in"] == "expired"
    assert await fetch("SELECT 1 FROM mail_accounts") == []


async def test_where_no_client_is_registered_it_says_who_can_mend_that(api: Api, provider: Provider) -> None:
    path = f"/mailboxes/{api.support}/account/sign-in"
    refusal = await api.ana.refused("POST", path, provider.wanted(provider="microsoft"))
    assert refusal.status == 422 and "TANDEM_OAUTH_MICROSOFT_CLIENT_ID" in refusal.remedy
    [gmail, *_] = await api.ana.post("/discover", {"address": "support@gmail.com"}, list[FoundServers])
    [outlook, *_] = await api.ana.post("/discover", {"address": "support@outlook.com"}, list[FoundServers])
    assert (gmail.oauth, outlook.oauth) == ("google", None)


async def test_only_those_who_may_change_the_mailbox_begin(api: Api, provider: Provider) -> None:
    path = f"/mailboxes/{api.support}/account/sign-in"
    for who, status in ((api.jonas, 403), (api.mallory, 404), (api.stranger(), 401)):
        assert (await who.refused("POST", path, provider.wanted())).status == status


async def test_no_secret_of_it_stands_anywhere_in_clear(
    api: Api, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, logger="mail.log")  # the test's own server
    url = await leave(api, provider)
    sealed = await fetch_value("SELECT request FROM oauth_requests")
    code, state = provider.authorisation.agree(url, "support")
    await come_back(api.ana, code=code, state=state)
    row = await the_account()
    provider.authorisation.withdraw_access_tokens()
    assert await check_imap((await mail_login(row["id"]))[0]) is None
    grant = open_passwords(settings(), row["credentials"]).grant
    assert grant is not None
    tables = [row["name"] for row in await fetch("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")]
    stored = [row["text"] for table in tables for row in await fetch(f'SELECT t::text AS text FROM "{table}" t')]
    own_log = "\n".join(each.getMessage() for each in caplog.records if not each.name.startswith(("httpx", "httpcore")))
    everything = "\n".join([*stored, own_log, sealed.hex()])
    for secret in (grant.access_token, grant.refresh_token, CLIENT_SECRET, state):
        assert secret not in everything
        assert secret.encode().hex() not in everything
