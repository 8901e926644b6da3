"""One connection: signing in, protection, what servers say when they refuse, and answers that are hard to read."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from sync.errors import PROBLEM_CODES, CannotReach, CommandRefused, ServerProblem, server_problem
from sync.imap.connection import Connection, open_connection
from sync.types import ImapLogin
from tests.servers.certificate import Certificate, make_certificate
from tests.servers.dovecot import Dovecot
from tests.servers.proxy import Proxy
from tests.servers.signing_in import check_imap
from tests.servers.smtp import RecordingSmtp
from tests.sync.imap.mails import mail
from tests.sync.imap.scripted import scripted_imap


@pytest.fixture
async def connection(dovecot: Dovecot, mail_user: str) -> AsyncIterator[Connection]:
    connection = await open_connection(dovecot.login(mail_user))
    yield connection
    await connection.close()


async def problem(login: ImapLogin) -> tuple[str, bool] | None:
    failure = await check_imap(login)
    if failure is not None:
        assert failure.code in PROBLEM_CODES
        assert failure.sentence
        assert failure.remedy
        assert login.password not in repr(failure.problem)
    return (failure.code, failure.permanent) if failure is not None else None


# -- signing in and protection ---------------------------------------------------------------------------------------


async def test_protected_connections(make_dovecot: Callable[..., Dovecot], certificate: Certificate) -> None:
    server = make_dovecot(certificate=certificate)
    plain = server.login("ana")
    trusted = replace(plain, host="localhost", authority_pem=certificate.certificate_pem)
    assert await problem(replace(trusted, security="starttls")) is None
    assert await problem(replace(trusted, security="tls", port=server.imaps_port)) is None
    for security, port in (("starttls", server.imap_port), ("tls", server.imaps_port)):
        untrusted = replace(plain, security=security, port=port)
        assert await problem(untrusted) == ("tls_not_trusted", True)
    assert await problem(replace(trusted, security="tls")) == ("tls_failed", True)


async def test_a_certificate_for_another_name_or_of_yesterday(make_dovecot: Callable[..., Dovecot]) -> None:
    for certificate, words in (
        (make_certificate("mail.example"), "Hostname mismatch"),
        (make_certificate(expired=True), "certificate has expired"),
    ):
        server = make_dovecot(certificate=certificate)
        login = replace(
            server.login("ana"),
            host="localhost",
            security="tls",
            port=server.imaps_port,
            authority_pem=certificate.certificate_pem,
        )
        failure = await check_imap(login)
        assert failure is not None
        assert failure.code == "tls_not_trusted"
        assert words in failure.server_words


async def test_starttls_that_is_not_offered(dovecot: Dovecot, mail_user: str) -> None:
    assert await problem(replace(dovecot.login(mail_user), security="starttls")) == ("tls_not_offered", True)


async def test_words_injected_before_tls_are_noticed() -> None:
    answers = {
        "CAPABILITY": "* CAPABILITY IMAP4rev1 STARTTLS\r\n{tag} OK done\r\n",
        "STARTTLS": "{tag} OK begin\r\n* injected",
    }
    async with scripted_imap(answers) as (login, _):
        assert await problem(replace(login, security="starttls")) == ("tls_failed", True)


@pytest.mark.parametrize("password", ["simple", 'qu"o\\te', "ümläut", "x{5}", "$^&*()", "日本語"])
async def test_any_password(make_dovecot: Callable[..., Dovecot], password: str) -> None:
    server = make_dovecot(password=password)
    assert await problem(server.login("ana")) is None
    assert await problem(server.login("ana", password=password + "x")) == ("wrong_password", True)


async def test_where_nothing_answers(dovecot: Dovecot, smtp: RecordingSmtp, mail_user: str) -> None:
    login = dovecot.login(mail_user)
    assert await problem(replace(login, private_network=False)) == ("address_not_allowed", True)
    assert await problem(replace(login, port=smtp.port)) == ("not_a_mail_server", True)
    smtp.stop()
    assert await problem(replace(login, port=smtp.port)) == ("refused", False)
    assert await problem(replace(login, host="mail.nowhere.invalid")) in (
        ("name_not_found", True),
        ("name_lookup_failed", False),  # where no name server can be reached
    )


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            "{tag} NO [ALERT] Application-specific password required: https://support.example/ (Failure)",
            ("app_password_needed", True),
        ),
        ("{tag} NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)", ("wrong_password", True)),
        ("{tag} NO [ALERT] Your account is not enabled for IMAP use. Please visit", ("imap_disabled", True)),
        ("{tag} NO [ALERT] Please log in via your web browser: https://support.example/", ("account_locked", True)),
        ("{tag} NO [UNAVAILABLE] Temporary authentication failure", ("server_unavailable", False)),
        ("{tag} NO [ALERT] Too many simultaneous connections. (Failure)", ("too_many_connections", False)),
        ("{tag} NO [PRIVACYREQUIRED] Plaintext authentication disallowed", ("tls_needed", True)),
        ("* BYE [ALERT] Account exceeded command or bandwidth limits.\r\n", ("throttled", False)),
        ("* BYE Too many connections\r\n", ("too_many_connections", False)),
        ("{tag} NO LOGIN failed.", ("wrong_password", True)),
        ("", ("connection_lost", False)),
    ],
)
async def test_what_providers_say_when_they_refuse(answer: str, expected: tuple[str, bool]) -> None:
    async with scripted_imap({"LOGIN": answer and answer.rstrip() + "\r\n"}) as (login, _):
        if answer.startswith("* BYE"):
            async with Proxy(login.port) as proxy:
                asyncio.get_running_loop().call_later(0.2, proxy.cut)
                assert await problem(replace(login, port=proxy.port)) == expected
        else:
            assert await problem(login) == expected


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ("LOGINDISABLED AUTH=XOAUTH2", ("oauth_needed", True)),
        ("LOGINDISABLED STARTTLS", ("tls_needed", True)),
    ],
)
async def test_servers_that_take_no_password(capabilities: str, expected: tuple[str, bool]) -> None:
    answer = f"* CAPABILITY IMAP4rev1 {capabilities}\r\n{{tag}} OK done\r\n"
    async with scripted_imap({"CAPABILITY": answer}) as (login, commands):
        assert await problem(login) == expected
        assert not [command for command in commands if "LOGIN" in command]


@pytest.mark.parametrize(
    ("greeting", "expected"),
    [
        ("* BYE Too many connections from your network\r\n", ("too_many_connections", False)),
        ("* BYE Going down\r\n", ("server_unavailable", False)),
        ("220 mail.example ESMTP\r\n", ("not_a_mail_server", True)),
        ("SSH-2.0-OpenSSH_9.2\r\n", ("not_a_mail_server", True)),
        ("HTTP/1.1 400 Bad Request\r\n", ("not_a_mail_server", True)),
    ],
)
async def test_greetings(greeting: str, expected: tuple[str, bool]) -> None:
    async with scripted_imap({}, greeting=greeting) as (login, _):
        assert await problem(login) == expected


async def test_a_server_that_never_greets(dovecot: Dovecot, mail_user: str) -> None:
    async with Proxy(dovecot.imap_port) as proxy:
        proxy.freeze()
        with pytest.raises(CannotReach) as failure:
            await open_connection(dovecot.login(mail_user, port=proxy.port), timeout=0.3)
        assert failure.value.code == "not_a_mail_server"


async def test_opening_that_is_cancelled_leaves_nothing(dovecot: Dovecot, mail_user: str) -> None:
    tasks = asyncio.all_tasks()
    async with Proxy(dovecot.imap_port) as proxy:
        for pause in (0, 0.001, 0.005, 0.01, 0.02):
            opening = asyncio.create_task(open_connection(dovecot.login(mail_user, port=proxy.port)))
            await asyncio.sleep(pause)
            opening.cancel()
            [end] = await asyncio.gather(opening, return_exceptions=True)
            if isinstance(end, Connection):
                await end.close()
        await asyncio.sleep(0.2)
        assert proxy.connections == 0
    assert asyncio.all_tasks() == tasks


# -- folders and messages --------------------------------------------------------------------------------------------


async def test_folders_of_strange_names(dovecot: Dovecot, mail_user: str, connection: Connection) -> None:
    names = ["Entw&APw-rfe", "a b", 'qu"ote', "per%cent*", "(brackets)", "{5}", "&ZeVnLIqe-", "back\\slash"]
    await dovecot.create(mail_user, *names)
    folders = {folder.name: folder for folder in await connection.list_folders()}
    assert set(names) <= set(folders)
    assert folders["Entw&APw-rfe"].title == "Entwürfe"
    assert {folder.role for folder in folders.values()} >= {"inbox", "sent", "drafts", "trash", "junk", "archive"}
    for name in names:
        await dovecot.append(mail_user, name, mail(name))
        assert (await connection.open_folder(name)).exists == 1
        await connection.close_folder()
        assert (await connection.folder_status(name)).messages == 1


async def test_roles_by_name_where_the_server_is_silent(make_dovecot: Callable[..., Dovecot]) -> None:
    server = make_dovecot(special_use=False, folders=("Gesendet", "Papierkorb", "Sent", "Gesendet.Alt"))
    connection = await open_connection(server.login("ana"))
    roles = {folder.title: folder.role for folder in await connection.list_folders()}
    await connection.close()
    assert roles == {"INBOX": "inbox", "Sent": "sent", "Papierkorb": "trash", "Gesendet": None, "Gesendet.Alt": None}


async def test_a_folder_that_is_not_there(connection: Connection) -> None:
    with pytest.raises(CommandRefused) as failure:
        await connection.open_folder("Nowhere")
    assert failure.value.code == "no_such_folder"
    assert (await connection.open_folder("INBOX")).exists == 0


async def test_messages_that_are_hard_to_read(dovecot: Dovecot, mail_user: str, connection: Connection) -> None:
    """What aioimaplib's own reader changes or loses."""
    subjects = [
        "5 * 3 stars",
        "* 7 EXISTS",
        "unbalanced ( bracket",
        'quote " and \\',
        "{12}",
        "A1 OK done",
        ") UID 99 (",
    ]
    raws = [mail(subject, body="\r\n".join([subject] * 3)) for subject in subjects]
    raws.append(mail("nothing but line ends", body="\r\n" * 5000))
    raws.append(b"\r\n")
    raws.append(mail("large", body="x" * 78 + "\r\n" * 1) + (b"y" * 76 + b"\r\n") * 130_000)
    await dovecot.append(mail_user, "INBOX", *raws)
    await connection.open_folder("INBOX")
    assert [message.raw for message in await connection.fetch_messages("1:*")] == raws
    assert (await connection.fetch_sizes(range(1, 11)))[10] == len(raws[-1])


async def test_internal_dates(dovecot: Dovecot, mail_user: str, connection: Connection) -> None:
    at = datetime(2021, 2, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))
    uid = await connection.append("INBOX", mail("Old"), date=at)
    await connection.open_folder("INBOX")
    [message] = await connection.fetch_messages(str(uid))
    assert message.internal_date == at


async def test_flags_are_spelled_one_way() -> None:
    answers = {
        "UID FETCH": "* 1 FETCH (UID 1 FLAGS (\\seen \\RECENT \\FLAGGED $Label1))\r\n{tag} OK done\r\n",
    }
    async with scripted_imap(answers) as (login, _):
        connection = await open_connection(login)
        await connection.open_folder("INBOX")
        [flags] = await connection.fetch_flags("1:*")
        await connection.close()
    assert flags.flags == {"\\Seen", "\\Flagged", "$Label1"}


async def test_answers_in_odd_shapes() -> None:
    """A quoted body, a NIL body, a line without UID, a missing date, items in another order and in small letters."""
    answers = {
        "UID FETCH": (
            '* 1 FETCH (body[] "Subject: UID 77\\" x" uid 5 flags () INTERNALDATE "not a date")\r\n'
            "* 2 FETCH (UID 6 BODY[] NIL FLAGS (\\Seen))\r\n"
            "* 3 FETCH (FLAGS (\\Seen))\r\n"
            "* 4 EXISTS\r\n"
            "* 1 EXPUNGE\r\n"
            "{tag} OK done\r\n"
        ),
    }
    async with scripted_imap(answers) as (login, _):
        connection = await open_connection(login)
        await connection.open_folder("INBOX")
        [message] = await connection.fetch_messages("1:*")
        changes = connection.take_changes()
        await connection.close()
    assert (message.uid, message.raw, message.size) == (5, b'Subject: UID 77" x', 18)
    assert abs(message.internal_date - datetime.now(UTC)) < timedelta(minutes=1)
    assert (changes.new, changes.gone, changes.flags) == (1, True, {2})


@pytest.mark.parametrize(
    "answer",
    [
        "* 1 FETCH (UID 5 FLAGS (\r\n{tag} OK done\r\n",
        "* 1 FETCH (UID)\r\n{tag} OK done\r\n",
        "ZZ99 OK not your tag\r\n",
        "* 1 FETCH (BODY[] {999999999999}\r\n",
    ],
)
async def test_nonsense_ends_the_connection(answer: str) -> None:
    async with scripted_imap({"UID FETCH": answer}) as (login, _):
        connection = await open_connection(login, timeout=2)
        await connection.open_folder("INBOX")
        with pytest.raises(ServerProblem) as failure:
            await connection.fetch_flags("1:*")
        assert failure.value.code == "answer_not_understood"
        assert connection.lost
        with pytest.raises(ServerProblem):
            await connection.ask_for_changes()
        await connection.close()


async def test_a_cancelled_command_ends_the_connection(dovecot: Dovecot, mail_user: str) -> None:
    async with Proxy(dovecot.imap_port) as proxy:
        connection = await open_connection(dovecot.login(mail_user, port=proxy.port))
        proxy.freeze()
        asking = asyncio.create_task(connection.ask_for_changes())
        await asyncio.sleep(0.05)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert connection.lost
        with pytest.raises(ServerProblem):
            await connection.ask_for_changes()
        await connection.close()


async def test_the_last_words_of_the_server_are_kept() -> None:
    answers = {"NOOP": "* BYE [UNAVAILABLE] Shutting down for maintenance\r\n"}
    async with scripted_imap(answers) as (login, _), Proxy(login.port) as proxy:
        connection = await open_connection(replace(login, port=proxy.port))
        asyncio.get_running_loop().call_later(0.2, proxy.cut)
        with pytest.raises(ServerProblem) as failure:
            await connection.ask_for_changes()
        await connection.close()
    assert failure.value.code == "server_unavailable"
    assert "maintenance" in failure.value.server_words


def test_every_problem_has_words() -> None:
    for code in PROBLEM_CODES:
        failure = server_problem(code, host="mail.example", port=993, username="ana")
        assert failure.code == code
        assert failure.sentence.endswith(".")
        assert failure.remedy.endswith(".")
        assert "{" not in failure.sentence + failure.remedy
