"""Every way in which servers cannot be used is a sentence with a remedy, above the server's own words."""

import socket
from collections.abc import Callable

import pytest

from backend.accounts import attempts
from backend.accounts.contracts import ConnectAccount, ServerCheck
from backend.database.connection import fetch_value
from tests.backend.accounts.conftest import server
from tests.servers.api import Api
from tests.servers.certificate import Certificate
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import RecordingSmtp

Typed = Callable[..., ConnectAccount]


async def check(api: Api, given: ConnectAccount) -> tuple[ServerCheck, ServerCheck]:
    """How trying it goes, at IMAP and at SMTP."""
    checks = await api.ana.post(f"/mailboxes/{api.support}/account/check", given, list[ServerCheck])
    assert [each.server for each in checks] == ["imap", "smtp"]
    for each in checks:
        assert each.ok or (each.reason and each.remedy)
    return checks[0], checks[1]


async def test_servers_that_work(api: Api, worker: None, private_servers: None, typed: Typed) -> None:
    imap, smtp = await check(api, typed())
    assert (imap.ok, smtp.ok) == (True, True)
    assert (await api.ana.refused("GET", f"/mailboxes/{api.support}/account")).status == 404


async def test_nothing_answers_on_the_port(api: Api, worker: None, private_servers: None, typed: Typed) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    imap, smtp = await check(api, typed(imap=server(port)))
    assert imap.reason == f"127.0.0.1 is there, but nothing answers on port {port}."
    assert "993" in imap.remedy
    assert smtp.ok


async def test_the_name_does_not_exist(api: Api, worker: None, private_servers: None, typed: Typed) -> None:
    imap, smtp = await check(api, typed(smtp=server(465, "tls", host=" SMTP.nowhere.invalid. ")))
    assert smtp.reason == "There is no server called smtp.nowhere.invalid."
    assert "typing mistake" in smtp.remedy
    assert imap.ok


async def test_the_password_is_wrong(api: Api, worker: None, private_servers: None, typed: Typed) -> None:
    imap, smtp = await check(api, typed(password="not-the-password"))
    for each in (imap, smtp):
        assert each.reason == "127.0.0.1 does not accept this user name and password."
        assert each.remedy.startswith("Type the password again.")
        assert each.server_words
        assert "not-the-password" not in each.server_words


async def test_sending_may_have_a_password_of_its_own(
    api: Api, worker: None, private_servers: None, typed: Typed, make_smtp: Callable[..., RecordingSmtp]
) -> None:
    other = make_smtp(password="another-password")
    imap, smtp = await check(api, typed(smtp=server(other.port)))
    assert (imap.ok, smtp.ok) == (True, False)
    given = typed(smtp=server(other.port), smtp_username="relay", smtp_password="another-password")
    imap, smtp = await check(api, given)
    assert (imap.ok, smtp.ok) == (True, True)


async def test_a_certificate_that_nobody_vouches_for(
    api: Api,
    worker: None,
    private_servers: None,
    typed: Typed,
    certificate: Certificate,
    make_dovecot: Callable[..., Dovecot],
    make_smtp: Callable[..., RecordingSmtp],
) -> None:
    reader = make_dovecot(certificate=certificate)
    sender = make_smtp(certificate=certificate)
    given = typed(imap=server(reader.imaps_port, "tls", "localhost"), smtp=server(sender.port, "starttls", "localhost"))
    for each in await check(api, given):
        assert each.reason == "localhost shows a certificate that cannot be trusted."
        assert "certificate" in each.remedy
        assert "self" in each.server_words


async def test_the_wrong_protection_for_the_port(
    api: Api, worker: None, private_servers: None, typed: Typed, dovecot: Dovecot, smtp: RecordingSmtp
) -> None:
    imap, sender = await check(api, typed(imap=server(dovecot.imap_port, "tls"), smtp=server(smtp.port, "starttls")))
    assert imap.reason == f"No protected connection could be agreed with 127.0.0.1 on port {dovecot.imap_port}."
    assert sender.reason == f"127.0.0.1 does not offer STARTTLS on port {smtp.port}."


async def test_a_private_address_is_refused_where_the_settings_do_not_allow_it(
    api: Api, worker: None, typed: Typed, dovecot: Dovecot, smtp: RecordingSmtp
) -> None:
    """Whoever types server names must not be able to knock at the doors of the installation's own network."""
    for host in ("127.0.0.1", "localhost", "::1", "0.0.0.0", "169.254.169.254"):
        given = typed(imap=server(dovecot.imap_port, "tls", host), smtp=server(smtp.port, "tls", host))
        for each in await check(api, given):
            assert each.reason == f"{host} lies inside a private network, which is not allowed here."
            assert "ask an admin to allow this server" in each.remedy
    assert smtp.commands == []


async def test_a_password_does_not_cross_the_network_in_clear(api: Api, typed: Typed) -> None:
    refusal = await api.ana.refused("POST", f"/mailboxes/{api.support}/account/check", typed())
    assert refusal.status == 422
    assert set(refusal.details["fields"]) == {"imap.security", "smtp.security"}


async def test_what_cannot_be_tried_is_refused_at_once(api: Api, private_servers: None, typed: Typed) -> None:
    for field, wrong in {
        "address": typed(address="nobody"),
        "username": typed(username=" "),
        "password": typed(password=""),
        "smtp_password": typed(smtp_password="a\r\nQUIT"),
        "imap.host": typed(imap=server(993, "tls", "")),
        "imap.port": typed(imap=server(0, "tls")),
        "smtp.host": typed(smtp=server(465, "tls", "https://mail.example.org/")),
        "smtp.port": typed(smtp=server(70_000, "tls")),
    }.items():
        for method, path in (("POST", "account/check"), ("PUT", "account")):
            refusal = await api.ana.refused(method, f"/mailboxes/{api.support}/{path}", wrong)
            assert (refusal.status, field in refusal.details["fields"]) == (422, True), field


async def test_without_a_worker_the_person_is_told(
    api: Api, private_servers: None, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "ANSWER_SECONDS", 0.3)
    refusal = await api.ana.refused("PUT", f"/mailboxes/{api.support}/account", typed())
    assert refusal.status == 503
    assert "worker" in refusal.remedy
    assert await fetch_value("SELECT count(*) FROM connection_attempts") == 0
    assert (await api.ana.refused("GET", f"/mailboxes/{api.support}/account")).status == 404
