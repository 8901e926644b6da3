"""Every outcome at every stage of sending, against a real SMTP server that misbehaves on request."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from sync.errors import ServerProblem
from sync.smtp import Opened, Refused, Retry, SendResult, Sent, SmtpSession, Unknown, check_smtp
from sync.types import SmtpLogin
from tests.servers.certificate import Certificate, make_certificate
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import RecordingSmtp, Stage

RAW = b"From: ana@example.org\r\nTo: bob@example.org\r\nSubject: Hello\r\n\r\nDear Bob\r\n"


async def send(
    server: RecordingSmtp,
    *recipients: str,
    raw: bytes = RAW,
    sender: str = "ana@example.org",
    login: SmtpLogin | None = None,
) -> SendResult:
    """The whole way of one mail, with short time limits."""
    async with SmtpSession(login or server.login(), reply_seconds=0.5, final_seconds=0.5) as session:
        opened = await session.open_transaction(sender, recipients or ("bob@example.org",), raw)
        return await session.transmit(raw) if isinstance(opened, Opened) else opened


async def test_a_mail_is_sent_exactly(smtp: RecordingSmtp) -> None:
    raw = RAW + b".\r\n..two dots\r\n.\r\nlong " + b"x" * 5000 + b"\r\nend"
    result = await send(smtp, "bob@example.org", "carol@example.org", raw=raw)
    assert isinstance(result, Sent)
    assert result.accepted == ("bob@example.org", "carol@example.org")
    assert result.server_words.startswith("250 2.0.0 OK")
    [accepted] = smtp.messages
    assert accepted.raw == raw + b"\r\n"
    assert accepted.sender == "ana@example.org"
    assert accepted.recipients == ("bob@example.org", "carol@example.org")


async def test_several_mails_in_one_session(smtp: RecordingSmtp) -> None:
    async with SmtpSession(smtp.login()) as session:
        for number in range(3):
            assert isinstance(await session.open_transaction("ana@example.org", ["bob@example.org"], RAW), Opened)
            assert isinstance(await session.transmit(RAW + b"%d\r\n" % number), Sent)
        assert isinstance(await session.open_transaction("ana@example.org", ["bob@example.org"], RAW), Opened)
        await session.cancel_transaction()
        with pytest.raises(RuntimeError):
            await session.transmit(RAW)
    assert len(smtp.messages) == 3
    assert smtp.commands[-2:] == ["RSET", "QUIT"]


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "message"])
@pytest.mark.parametrize(("reply", "kind"), [("451 4.3.0 Not now", Retry), ("550 5.7.1 Never", Refused)])
async def test_refusals_keep_the_session_usable(
    smtp: RecordingSmtp, stage: Stage, reply: str, kind: type[Retry | Refused]
) -> None:
    smtp.misbehave(stage, reply=reply, times=1)
    async with SmtpSession(smtp.login()) as session:
        result = await session.open_transaction("ana@example.org", ["bob@example.org"], RAW)
        if isinstance(result, Opened):
            result = await session.transmit(RAW)
        assert isinstance(result, kind)
        assert result.problem.server_words == reply
        assert result.problem.permanent is (kind is Refused)
        assert not smtp.messages
        assert isinstance(await session.open_transaction("ana@example.org", ["bob@example.org"], RAW), Opened)
        assert isinstance(await session.transmit(RAW), Sent)
    assert len(smtp.messages) == 1


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("silent", [False, True])
async def test_a_connection_lost_before_the_text_is_safe_to_retry(
    smtp: RecordingSmtp, stage: Stage, silent: bool
) -> None:
    smtp.misbehave(stage, hang_up=not silent, delay=3 if silent else 0, times=1)
    result = await send(smtp)
    assert isinstance(result, Retry)
    assert result.problem.code == ("timeout" if silent else "connection_lost")
    assert not smtp.messages


@pytest.mark.parametrize("stage", ["body", "message"])
async def test_a_connection_lost_with_the_text_under_way_is_unknown(smtp: RecordingSmtp, stage: Stage) -> None:
    smtp.misbehave(stage, hang_up=True, delay=0.1, times=1)
    result = await send(smtp, raw=RAW + b"x" * 3_000_000 + b"\r\n")
    assert isinstance(result, Unknown)
    assert result.problem.code == "connection_lost"


async def test_an_acceptance_that_was_never_heard_is_unknown(smtp: RecordingSmtp) -> None:
    smtp.misbehave("message", hang_up=True, accept=True)
    assert isinstance(await send(smtp), Unknown)
    assert len(smtp.messages) == 1


async def test_a_final_reply_that_comes_too_late_is_unknown(smtp: RecordingSmtp) -> None:
    smtp.misbehave("message", delay=3, accept=True)
    result = await send(smtp)
    assert isinstance(result, Unknown)
    assert result.problem.code == "timeout"


async def test_a_final_reply_of_nonsense_is_unknown(smtp: RecordingSmtp) -> None:
    smtp.misbehave("message", reply="yes, why not", accept=True)
    assert isinstance(await send(smtp), Unknown)


async def test_a_cancelled_transmission_closes_the_connection(smtp: RecordingSmtp) -> None:
    smtp.misbehave("message", delay=1)
    async with SmtpSession(smtp.login()) as session:
        await session.open_transaction("ana@example.org", ["bob@example.org"], RAW)
        sending = asyncio.create_task(session.transmit(RAW))
        await asyncio.sleep(0.2)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        again = await session.open_transaction("ana@example.org", ["bob@example.org"], RAW)
        assert isinstance(again, Retry)


async def test_results_are_per_recipient(smtp: RecordingSmtp) -> None:
    smtp.misbehave("rcpt", reply="550 5.1.1 No such user", recipient="gone@example.org")
    smtp.misbehave("rcpt", reply="452 4.2.2 Mailbox full", recipient="full@example.org")
    result = await send(smtp, "bob@example.org", "gone@example.org", "full@example.org", "b ad@example.org")
    assert isinstance(result, Sent)
    assert result.accepted == ("bob@example.org",)
    assert {address: (each.code, each.permanent) for address, each in result.refused.items()} == {
        "gone@example.org": ("no_such_recipient", True),
        "full@example.org": ("mailbox_full", False),
        "b ad@example.org": ("bad_recipient", True),
    }
    assert "gone@example.org" in result.refused["gone@example.org"].sentence
    assert smtp.messages[0].recipients == ("bob@example.org",)


async def test_no_recipient_left(smtp: RecordingSmtp) -> None:
    smtp.misbehave("rcpt", reply="550 5.1.1 No such user", recipient="gone@example.org")
    assert isinstance(await send(smtp, "gone@example.org"), Refused)
    smtp.misbehave("rcpt", reply="450 4.7.1 Greylisted", recipient="later@example.org")
    result = await send(smtp, "gone@example.org", "later@example.org")
    assert isinstance(result, Retry)
    assert set(result.recipients) == {"gone@example.org", "later@example.org"}
    assert isinstance(await send(smtp, "evil@example.org>\r\nRCPT TO:<x@example.org"), Refused)


async def test_size_and_letters_are_announced(make_smtp: Callable[..., RecordingSmtp]) -> None:
    server = make_smtp(size_limit=2000)
    result = await send(server, raw=RAW + b"x" * 3000)
    assert isinstance(result, Refused)
    assert result.problem.code == "message_too_large"
    foreign = RAW.replace(b"Hello", "Grüße".encode())
    assert isinstance(await send(server, "jürgen@müller.example", raw=foreign), Sent)
    [accepted] = server.messages
    assert set(accepted.options) == {"SMTPUTF8", "BODY=8BITMIME", f"SIZE={len(foreign)}"}
    assert accepted.recipients == ("jürgen@xn--mller-kva.example",)


async def test_a_foreign_address_needs_a_server_that_knows_it(make_smtp: Callable[..., RecordingSmtp]) -> None:
    server = make_smtp(smtputf8=False)
    result = await send(server, "jürgen@example.org")
    assert isinstance(result, Refused)
    assert result.problem.code == "address_needs_smtputf8"
    assert isinstance(await send(server, "bob@müller.example"), Sent)


@pytest.mark.parametrize("implicit_tls", [False, True])
async def test_protected_connections(
    make_smtp: Callable[..., RecordingSmtp], certificate: Certificate, implicit_tls: bool
) -> None:
    server = make_smtp(certificate=certificate, implicit_tls=implicit_tls, require_starttls=not implicit_tls)
    assert isinstance(await send(server), Sent)
    untrusted = replace(server.login(), authority_pem=None)
    assert await problem(untrusted) == ("tls_not_trusted", True)
    other_name = make_smtp(certificate=make_certificate("mail.example"), implicit_tls=implicit_tls)
    assert await problem(other_name.login()) == ("tls_not_trusted", True)
    if not implicit_tls:
        assert await problem(replace(server.login(), security="none")) == ("tls_needed", True)


async def test_an_expired_certificate_is_not_trusted(make_smtp: Callable[..., RecordingSmtp]) -> None:
    server = make_smtp(certificate=make_certificate(expired=True), implicit_tls=True)
    failure = await check_smtp(server.login())
    assert failure is not None
    assert (failure.code, failure.server_words) == ("tls_not_trusted", "certificate has expired")


async def problem(login: SmtpLogin) -> tuple[str, bool] | None:
    failure = await check_smtp(login)
    if failure is not None:
        assert failure.sentence
        assert failure.remedy
        assert login.password not in repr(failure.problem)
    return (failure.code, failure.permanent) if failure is not None else None


async def test_checking_an_account(smtp: RecordingSmtp, make_smtp: Callable[..., RecordingSmtp]) -> None:
    assert await problem(smtp.login()) is None
    assert await problem(smtp.login(password="not this one")) == ("wrong_password", True)
    assert await problem(replace(smtp.login(), security="starttls")) == ("tls_not_offered", True)
    assert await problem(replace(smtp.login(), security="tls")) == ("tls_failed", True)
    assert await problem(replace(smtp.login(), private_network=False)) == ("address_not_allowed", True)
    assert await problem(replace(smtp.login(), host="mail.nowhere.invalid")) in (
        ("name_not_found", True),
        ("name_lookup_failed", False),  # where no name server can be reached
    )
    assert await problem(make_smtp(without_auth=True).login()) == ("tls_needed", True)
    closed = smtp.port
    smtp.stop()
    assert await problem(replace(smtp.login(), port=closed)) == ("refused", False)
    assert smtp.messages == []


async def test_an_imap_server_is_not_taken_for_smtp(dovecot: Dovecot, smtp: RecordingSmtp) -> None:
    assert await problem(replace(smtp.login(), port=dovecot.imap_port)) == ("not_a_mail_server", True)


@pytest.mark.parametrize(
    ("stage", "reply", "expected"),
    [
        ("connect", "421 4.7.0 Too many connections from your IP", ("too_many_connections", False)),
        ("connect", "421 4.3.2 Going down", ("server_unavailable", False)),
        ("connect", "554 5.7.1 Go away", ("refused_by_server", False)),
        ("auth", "534 5.7.9 Application-specific password required", ("app_password_needed", True)),
        ("auth", "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.", ("oauth_needed", True)),
        (
            "auth",
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
            ("smtp_disabled", True),
        ),
        ("auth", "534 5.7.14 Please log in via your web browser and then try again.", ("account_locked", True)),
        ("auth", "454 4.7.0 Temporary authentication failure", ("server_unavailable", False)),
        ("auth", "535 5.7.8 Username and Password not accepted", ("wrong_password", True)),
        ("auth", "454 4.7.0 Too many login attempts, please try again later.", ("throttled", False)),
        ("auth", "538 5.7.11 Encryption required for requested authentication mechanism", ("tls_needed", True)),
    ],
)
async def test_what_providers_say_when_they_refuse(
    smtp: RecordingSmtp, stage: Stage, reply: str, expected: tuple[str, bool]
) -> None:
    smtp.misbehave(stage, reply=reply)
    assert await problem(smtp.login()) == expected


@pytest.mark.parametrize("stage", ["connect", "ehlo", "auth"])
async def test_a_connection_lost_while_signing_in(smtp: RecordingSmtp, stage: Stage) -> None:
    smtp.misbehave(stage, hang_up=True)
    assert await problem(smtp.login()) == ("connection_lost", False)
    smtp.behave()
    smtp.misbehave(stage, delay=3, hang_up=True)
    with pytest.raises(ServerProblem) as failure:
        await send(smtp)
    assert failure.value.code == "timeout"


async def test_a_wrong_password_is_tried_once(smtp: RecordingSmtp) -> None:
    smtp.misbehave("auth", reply="535 5.7.8 No", times=1)
    assert await problem(smtp.login()) == ("wrong_password", True)


async def test_no_connection_is_left_behind(smtp: RecordingSmtp) -> None:
    tasks = asyncio.all_tasks()
    for stage in ("connect", "auth", "mail", "data", "body", "message"):
        smtp.behave()
        smtp.misbehave(stage, hang_up=True, times=1)
        try:
            await send(smtp)
        except ServerProblem as failure:
            assert stage in ("connect", "auth"), failure
    await asyncio.sleep(0.2)
    assert smtp.open_connections == 0
    assert asyncio.all_tasks() == tasks


async def test_reports_are_asked_for_where_the_server_offers_them() -> None:
    with RecordingSmtp(dsn=True) as server:
        async with SmtpSession(server.login()) as session:
            opened = await session.open_transaction("ana@example.org", ["bob+x@example.org"], RAW, "a=1@example.org")
            assert isinstance(opened, Opened)
    [mail] = [each for each in server.commands if each.startswith("MAIL")]
    [recipient] = [each for each in server.commands if each.startswith("RCPT")]
    assert mail.endswith(" RET=HDRS ENVID=a+3D1@example.org")
    assert recipient.endswith(" NOTIFY=FAILURE,DELAY ORCPT=rfc822;bob+2Bx@example.org")


async def test_no_reports_are_asked_of_a_server_that_does_not_offer_them(smtp: RecordingSmtp) -> None:
    async with SmtpSession(smtp.login()) as session:
        assert isinstance(await session.open_transaction("ana@example.org", ["bob@example.org"], RAW, "a@b"), Opened)
        assert session.size_limit == 50_000_000
    assert not any("ENVID" in each or "NOTIFY" in each for each in smtp.commands)
