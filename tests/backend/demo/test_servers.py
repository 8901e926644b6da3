"""The demo's IMAP and SMTP servers, asked by the standard library's clients and by ours."""

import asyncio
import email
import imaplib
import shutil
import smtplib
import socket
import time
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import aioimaplib
import pytest

from backend.demo.corpus import corpus
from backend.demo.people import OUTSIDE, PASSWORD
from tests.backend.demo.mail_servers import SUPPORT, MailServers, mail_servers

SALES = "sales@northwind.example"


@pytest.fixture(scope="module")
def servers(first_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServers]:
    data = shutil.copytree(first_data, tmp_path_factory.mktemp("demo") / "data")
    with mail_servers(data) as running:
        yield running


def letter(subject: str, *, sender: str = "kari@fjell.example", to: str = SUPPORT) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Message-ID"] = f"<{subject.replace(' ', '.')}@fjell.example>"
    message.set_content("Hallo på deg.\n")
    return message


def found(client: imaplib.IMAP4, folder: str, subject: str) -> list[bytes]:
    client.select(folder)
    answer = client.uid("SEARCH", "SUBJECT", f'"{subject}"')[1][0]
    return answer.split()


def raw_of(client: imaplib.IMAP4, uid: bytes) -> bytes:
    answer = client.uid("FETCH", uid.decode(), "(BODY.PEEK[])")[1]
    assert isinstance(answer[0], tuple)
    return answer[0][1]


def test_the_history_is_there_in_the_order_it_was_written(servers: MailServers) -> None:
    expected = [each for each in corpus() if each.mailbox == "support" and not each.live]
    ours = sum(message.team_member is not None for each in expected for message in each.messages)
    client = servers.imap()
    inbox, sent = (int(client.select(name)[1][0] or 0) for name in ("INBOX", "Sent"))
    assert (inbox, sent) == (sum(len(each.messages) for each in expected) - ours, ours)
    answer = client.fetch("1:*", "(INTERNALDATE)")[1]
    dates = [
        time.mktime(date) for line in answer if isinstance(line, bytes) and (date := imaplib.Internaldate2tuple(line))
    ]
    assert len(dates) == sent and dates == sorted(dates)
    client.logout()


def test_folders_say_what_they_are_for(servers: MailServers) -> None:
    client = servers.imap()
    assert "SPECIAL-USE" in client.capability()[1][0].decode()
    listed = [line.decode() for line in client.list()[1] if isinstance(line, bytes)]
    for name in ("Sent", "Drafts", "Trash", "Archive", "Junk"):
        assert any(f"\\{name}" in line and line.endswith(f'"/" {name}') for line in listed), name
    client.logout()


def test_a_wrong_password_opens_nothing(servers: MailServers) -> None:
    with pytest.raises(imaplib.IMAP4.error):
        servers.imap(password="wrong")
    with pytest.raises(imaplib.IMAP4.error):
        servers.imap(account="stranger@northwind.example")
    client = servers.smtp()
    with pytest.raises(smtplib.SMTPAuthenticationError):
        client.login(SUPPORT, "wrong")
    client.close()


def test_mail_from_outside_lands_in_the_inbox_and_nowhere_else(servers: MailServers) -> None:
    client = servers.smtp()
    client.send_message(letter("from outside"))
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        client.send_message(letter("relay please", to="someone@far.example"))
    assert refused.value.recipients["someone@far.example"][0] == 550
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        client.send_message(letter("to nobody", to="gardener@northwind.example"))
    with pytest.raises(smtplib.SMTPSenderRefused) as unsigned:
        client.send_message(letter("forged", sender=SALES))
    assert unsigned.value.smtp_code == 530
    client.quit()
    mailbox = servers.imap()
    (uid,) = found(mailbox, "INBOX", "from outside")
    raw = raw_of(mailbox, uid)
    assert raw.startswith(b"Return-Path: <kari@fjell.example>\r\nDelivered-To: support@northwind.example\r\n")
    assert raw.endswith(letter("from outside").as_bytes().split(b"\r\n\r\n", 1)[1])
    assert found(mailbox, "INBOX", "relay please") == found(mailbox, "INBOX", "forged") == []
    mailbox.logout()


def test_signed_in_one_writes_to_everybody(servers: MailServers) -> None:
    client = servers.smtp()
    client.login(SALES, PASSWORD)
    message = letter("to all", sender=SALES, to=f"{SUPPORT}, Far.One@far.example, two@far.example")
    assert client.send_message(message) == {}
    client.quit()
    ours, outside = servers.imap(), servers.imap(OUTSIDE)
    assert len(found(ours, "INBOX", "to all")) == 1
    copies = [email.message_from_bytes(raw_of(outside, uid)) for uid in found(outside, "INBOX", "to all")]
    assert sorted(copy["Delivered-To"] for copy in copies) == ["far.one@far.example", "two@far.example"]
    ours.logout()
    outside.logout()


def test_addresses_that_refuse_and_that_put_off(servers: MailServers) -> None:
    client = servers.smtp()
    client.login(SUPPORT, PASSWORD)
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        client.send_message(letter("bounce", sender=SUPPORT, to="nobody@far.example"))
    assert refused.value.recipients["nobody@far.example"][0] == 550
    with pytest.raises(smtplib.SMTPRecipientsRefused) as put_off:
        client.send_message(letter("grey", sender=SUPPORT, to="later@far.example"))
    assert put_off.value.recipients["later@far.example"][0] == 451
    assert client.send_message(letter("grey", sender=SUPPORT, to="later@far.example")) == {}
    client.quit()


def test_append_flags_copy_move_and_expunge(servers: MailServers) -> None:
    client = servers.imap(SALES)
    raw = letter("draft of mine").as_bytes()
    answer = client.append("Drafts", "(\\Draft \\Seen)", imaplib.Time2Internaldate(1_600_000_000), raw)
    assert b"APPENDUID" in answer[1][0]
    (uid,) = found(client, "Drafts", "draft of mine")
    assert raw_of(client, uid) == raw
    client.uid("STORE", uid.decode(), "+FLAGS", "(\\Flagged)")
    flags = client.uid("FETCH", uid.decode(), "(FLAGS INTERNALDATE)")[1][0]
    assert isinstance(flags, bytes)
    assert {b"\\Draft", b"\\Seen", b"\\Flagged"} == set(imaplib.ParseFlags(flags)) - {b"\\Recent"}
    assert b"13-Sep-2020 12:26:40" in flags
    client.uid("COPY", uid.decode(), "Archive")
    assert client.uid("MOVE", uid.decode(), "Trash")[0] == "OK"
    assert found(client, "Drafts", "draft of mine") == []
    assert len(found(client, "Archive", "draft of mine")) == 1
    (trashed,) = found(client, "Trash", "draft of mine")
    client.uid("STORE", trashed.decode(), "+FLAGS", "(\\Deleted)")
    client.expunge()
    assert found(client, "Trash", "draft of mine") == []
    assert raw_of(client, found(client, "Archive", "draft of mine")[0]) == raw
    client.logout()


async def _idle_client(servers: MailServers, account: str) -> aioimaplib.IMAP4:
    client = aioimaplib.IMAP4("127.0.0.1", servers.imap_port, timeout=20)
    await client.wait_hello_from_server()
    assert (await client.login(account, PASSWORD)).result == "OK"
    await client.select("INBOX")
    return client


def _send(servers: MailServers, subject: str) -> None:
    client = servers.smtp()
    client.send_message(letter(subject))
    client.quit()


async def test_idle_tells_of_new_mail_at_once(servers: MailServers) -> None:
    client = await _idle_client(servers, SUPPORT)
    waiting = await client.idle_start(timeout=60)
    for number in range(5):
        sent = time.monotonic()
        await asyncio.to_thread(_send, servers, f"idle {number}")
        pushed = await asyncio.wait_for(client.wait_server_push(), 5)
        while not any(line.endswith(b"EXISTS") for line in pushed):
            pushed = await asyncio.wait_for(client.wait_server_push(), 5)
        assert time.monotonic() - sent < 1.0
    client.idle_done()
    await asyncio.wait_for(waiting, 5)
    await client.logout()


async def test_idle_tells_of_mail_that_came_just_before_it(servers: MailServers) -> None:
    client = await _idle_client(servers, SUPPORT)
    await asyncio.to_thread(_send, servers, "before idle")
    waiting = await client.idle_start(timeout=60)
    pushed = await asyncio.wait_for(client.wait_server_push(), 5)
    assert any(line.endswith(b"EXISTS") for line in pushed)
    client.idle_done()
    await asyncio.wait_for(waiting, 5)
    await client.logout()


def state(servers: MailServers) -> dict[str, tuple[object, ...]]:
    """What a client remembers of the support account: per folder UIDVALIDITY, UIDNEXT, UIDs and flags."""
    client = servers.imap()
    seen: dict[str, tuple[object, ...]] = {}
    for name in ("INBOX", "Sent", "Archive", "Projects"):
        validity = client.status(name, "(UIDVALIDITY UIDNEXT MAILBOXID)")[1][0]
        client.select(name, readonly=True)
        seen[name] = (validity, client.uid("FETCH", "1:*", "(UID FLAGS EMAILID THREADID INTERNALDATE)")[1])
    client.logout()
    return seen


def test_a_restart_after_a_kill_changes_nothing(data_with_history: Path) -> None:
    with mail_servers(data_with_history) as servers:
        client = servers.imap()
        client.create("Projects")
        client.append("Projects", "", imaplib.Time2Internaldate(time.time()), letter("plan").as_bytes())
        client.select("INBOX")
        client.uid("MOVE", "2", "Archive")
        client.uid("STORE", "3", "+FLAGS", "(\\Flagged)")
        client.uid("STORE", "4", "+FLAGS", "(\\Deleted)")
        client.expunge()
        client.logout()
        before = state(servers)
        servers.kill()
    started = time.monotonic()
    with mail_servers(data_with_history) as servers:
        assert time.monotonic() - started < 4
        assert state(servers) == before


def test_a_taken_port_is_replaced(data_with_history: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with mail_servers(data_with_history, imap_port=port) as servers:
            assert servers.imap_port != port
            servers.imap().logout()
