"""Handing one message to a submission server, in two phases, so that nothing is ever sent twice.

    async with SmtpSession(login) as session:                 # raises ServerProblem: nothing was sent
        opened = await session.open_transaction(sender, recipients, raw)
        if isinstance(opened, Opened):                        # else Retry or Refused: nothing was sent
            ... commit `sending` ...
            result = await session.transmit(raw)              # Sent, Retry, Refused or Unknown

Until `transmit` nothing irrevocable happens. From the first byte of the text until the server's last reply it
cannot be known whether the server keeps the mail (RFC 5321 section 4.5.4.1): a connection lost in between is
`Unknown`, and only then. Results are values. The only module that knows aiosmtplib.
"""

import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import aiosmtplib
from aiosmtplib.protocol import normalize_message_line_endings

from sync.dial import connect_problem, dial, tls_context
from sync.errors import ServerProblem, server_problem
from sync.smtp_replies import explain, sign_in_refusal
from sync.types import AccessTokens, Problem, SmtpLogin

CONNECT_SECONDS = 30.0
REPLY_SECONDS = 120.0
"""For MAIL, RCPT and DATA; servers that greylist or look senders up are slow (RFC 5321 section 4.5.3.2)."""
FINAL_SECONDS = 600.0
"""For the reply after the text, as RFC 5321 section 4.5.3.2.6 asks: giving up early makes Unknowns."""

LONGEST_ENVELOPE_ID = 100

_CONTROL = re.compile(r"[\x00-\x20\x7f<>]")
_LINE_START_DOT = re.compile(rb"(?m)^\.")


@dataclass(frozen=True, slots=True)
class Opened:
    """The server takes the mail for `accepted`; it does not for `refused` (their `permanent` tells 5yz from
    4yz).
    """

    accepted: tuple[str, ...]
    refused: Mapping[str, Problem] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sent:
    """The server has taken responsibility for the mail to `accepted`. `server_words` often names its queue
    id.
    """

    accepted: tuple[str, ...]
    refused: Mapping[str, Problem]
    server_words: str


@dataclass(frozen=True, slots=True)
class Retry:
    """Nothing was sent, and trying again may help. `recipients` tells what was said about each, if anything."""

    problem: Problem
    recipients: Mapping[str, Problem] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GivenUp(Retry):
    """`still_wanted` said no before the text: nothing was sent, and the server has no part in it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was sent, and trying the same again cannot help."""

    problem: Problem
    recipients: Mapping[str, Problem] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unknown:
    """The text was on its way when the connection was lost: the mail may or may not have been sent."""

    problem: Problem


SendResult = Sent | Retry | Refused | Unknown


class SmtpSession:
    """A signed-in connection to a submission server, for one or more transactions after each other."""

    def __init__(
        self, login: SmtpLogin, *, reply_seconds: float = REPLY_SECONDS, final_seconds: float = FINAL_SECONDS
    ) -> None:
        self.login = login
        self._reply_seconds = reply_seconds
        self._final_seconds = final_seconds
        self._client: aiosmtplib.SMTP | None = None
        self._opened: Opened | None = None

    async def __aenter__(self) -> Self:
        """Connect, protect and sign in. Raises ServerProblem; `permanent` tells whether to wait for a person."""
        self._client = await _connect(self.login, min(self._reply_seconds, CONNECT_SECONDS))
        try:
            await _sign_in(self._client, self.login)
        except BaseException:
            self._client.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Say goodbye if that goes quickly; a transaction that was not transmitted is thereby given up."""
        client = self._live
        try:
            if kind is None and client.is_connected:
                await client.quit(timeout=2)
        except (aiosmtplib.SMTPException, OSError, ValueError):
            self._opened = None  # the mail is long settled: how the goodbye went matters to nobody
        finally:
            client.close()

    @property
    def usable(self) -> bool:
        """Whether the connection stands and carries no mail, so that another one may follow."""
        return self._opened is None and self._client is not None and self._client.is_connected

    @property
    def size_limit(self) -> int | None:
        """Bytes of a mail that the server takes, as it says itself (RFC 1870)."""
        said = self._live.esmtp_extensions.get("size", "").strip()
        return int(said) if said.isdigit() and int(said) > 0 else None

    async def open_transaction(
        self, sender: str, recipients: Sequence[str], raw: bytes = b"", envelope_id: str = ""
    ) -> Opened | Retry | Refused:
        """MAIL and RCPT. `raw` lets size and eight-bit text be announced (RFC 1870, 6152, 6531).

        With an `envelope_id`, reports of failure and delay are asked for, which will name it (RFC 3461), where the
        server offers that. `Opened` when at least one recipient was accepted.
        """
        try:
            reports = bool(envelope_id) and self._live.supports_extension("dsn")
            refusal = await self._mail(sender, recipients, raw, envelope_id if reports else "")
            if refusal is not None:
                return refusal
            return await self._rcpt(recipients, reports=reports)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            return Retry(self._lost(error).problem)

    async def transmit(self, raw: bytes, still_wanted: Callable[[], bool] | None = None) -> SendResult:
        """DATA and the text. Call only after `Opened`, and after `sending` is on record.

        `still_wanted` is asked before DATA and again at the last moment before the text is written: a process that
        was stopped in between may find that others have given it up. False sends nothing (GivenUp) and hangs up.
        """
        opened, self._opened = self._opened, None
        if opened is None:
            raise RuntimeError("transmit() without an open transaction")
        if still_wanted is not None and not still_wanted():
            return self._given_up()
        try:
            start = await self._live.execute_command(b"DATA", timeout=self._reply_seconds)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            return Retry(self._lost(error).problem)  # no byte of the text has left
        if start.code != 354:
            return await self._give_up(_failure(explain(_refusal(start.code), start.message), opened.refused))
        protocol = self._live.protocol
        if protocol is None or not self._live.is_connected:
            return Retry(self._lost(ConnectionResetError("the server closed the connection")).problem)
        text = _LINE_START_DOT.sub(b"..", normalize_message_line_endings(raw)) + b".\r\n"
        if still_wanted is not None and not still_wanted():
            return self._given_up()
        try:
            protocol.write(text)
            final = await protocol.read_response(timeout=self._final_seconds)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            self._live.close()
            return Unknown(self._lost(error).problem)
        except BaseException:
            self._live.close()  # a dialogue left in the middle can carry no further mail
            raise
        if 200 <= final.code < 300:
            return Sent(opened.accepted, opened.refused, f"{final.code} {final.message}")
        return _failure(explain(_refusal(final.code), final.message), opened.refused)

    def _given_up(self) -> GivenUp:
        self._live.close()  # after 354 only hanging up takes DATA back (RFC 5321 section 4.1.1.4)
        return GivenUp(_problem("timeout", self.login, "not sent: too much time had passed").problem)

    async def cancel_transaction(self) -> None:
        """RSET: forget sender and recipients. Raises ServerProblem when the connection is gone."""
        self._opened = None
        try:
            await self._live.rset(timeout=self._reply_seconds)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise self._lost(error) from error

    @property
    def _live(self) -> aiosmtplib.SMTP:
        if self._client is None:
            raise RuntimeError("the session is not open")
        return self._client

    async def _mail(
        self, sender: str, recipients: Sequence[str], raw: bytes, envelope_id: str
    ) -> Retry | Refused | None:
        client = self._live
        options: list[bytes] = []
        header = raw.partition(b"\r\n\r\n")[0]
        foreign = [each for each in (sender, *recipients) if not _ascii_address(each).isascii()]
        if foreign or not header.isascii():
            if client.supports_extension("smtputf8"):
                options.append(b"SMTPUTF8")
            elif foreign:
                return Refused(explain(553, "5.6.7 the server does not offer SMTPUTF8", recipient=foreign[0]))
        if not raw.isascii() and client.supports_extension("8bitmime"):
            options.append(b"BODY=8BITMIME")
        if raw and client.supports_extension("size"):
            limit = self.size_limit
            if limit is not None and limit < len(raw):
                words = f"5.3.4 the mail has {len(raw)} bytes, the server takes {limit}"
                return Refused(explain(552, words))
            options.append(b"SIZE=%d" % len(raw))
        if envelope_id:
            options.append(b"RET=HDRS")
            if len(identifier := xtext(envelope_id)) <= LONGEST_ENVELOPE_ID:
                options.append(b"ENVID=" + identifier)
        address = b"FROM:<" + _wire_address(sender) + b">"
        reply = await client.execute_command(b"MAIL", address, *options, timeout=self._reply_seconds)
        if reply.code != 250:
            return await self._give_up(_failure(explain(_refusal(reply.code), reply.message), {}))
        return None

    async def _rcpt(self, recipients: Sequence[str], *, reports: bool) -> Opened | Retry | Refused:
        accepted: list[str] = []
        refused: dict[str, Problem] = {}
        for recipient in recipients:
            if _CONTROL.search(recipient) or not recipient:
                refused[recipient] = explain(553, "5.1.3 not sent to the server", recipient=recipient)
                continue
            address = b"TO:<" + _wire_address(recipient) + b">"
            wanted = [b"NOTIFY=FAILURE,DELAY"] if reports else []
            if reports and recipient.isascii():
                wanted.append(b"ORCPT=rfc822;" + xtext(recipient))
            reply = await self._live.execute_command(b"RCPT", address, *wanted, timeout=self._reply_seconds)
            if reply.code in (250, 251, 252):
                accepted.append(recipient)
            else:
                refused[recipient] = explain(_refusal(reply.code), reply.message, recipient=recipient)
                if reply.code == 421:  # the server closes: no other recipient can be asked
                    return Retry(refused[recipient], refused)
        if not accepted:
            passing = [problem for problem in refused.values() if not problem.permanent]
            worst = (passing or list(refused.values()) or [explain(554, "5.5.1 no recipients")])[0]
            return await self._give_up(_failure(worst, refused))
        self._opened = Opened(tuple(accepted), refused)
        return self._opened

    async def _give_up(self, failure: Retry | Refused) -> Retry | Refused:
        """Leave the session usable for the next mail."""
        if self._live.is_connected:
            try:
                await self._live.execute_command(b"RSET", timeout=self._reply_seconds)
            except (aiosmtplib.SMTPException, OSError, ValueError):
                self._live.close()  # the refusal stands; the next transaction reports the lost connection
        return failure

    def _lost(self, error: Exception) -> ServerProblem:
        return _problem_of(error, self.login)


async def check_smtp(login: SmtpLogin) -> ServerProblem | None:
    """Whether mail could be handed over: connects, protects and signs in. None when all is well."""
    try:
        async with SmtpSession(login, reply_seconds=20):
            return None
    except ServerProblem as problem:
        return problem


async def _connect(login: SmtpLogin, timeout: float) -> aiosmtplib.SMTP:
    """From nothing to EHLO on a connection that is protected as asked."""
    sock = await dial(login)
    ours = sock.getsockname()[0]
    client = aiosmtplib.SMTP(
        hostname=login.host,
        sock=sock,
        local_hostname=login.helo_name or (f"[IPv6:{ours}]" if ":" in ours else f"[{ours}]"),
        use_tls=login.security == "tls",
        start_tls=False,
        tls_context=tls_context(login.authority_pem) if login.security != "none" else None,
        timeout=timeout,
    )
    try:
        await client.connect()
        await client.ehlo()
        if login.security == "starttls":
            if not client.supports_extension("starttls"):
                raise server_problem("tls_not_offered", host=login.host, port=login.port)
            await client.starttls(server_hostname=login.host)
            await client.ehlo()
    except ServerProblem:
        client.close()
        raise
    except (aiosmtplib.SMTPException, OSError, ssl.SSLError, ValueError) as error:
        client.close()
        sock.close()
        raise _problem_of(error, login) from error
    except BaseException:
        client.close()
        sock.close()
        raise
    return client


async def _sign_in(client: aiosmtplib.SMTP, login: SmtpLogin) -> None:
    """One mechanism, tried once: servers count failures, and lock accounts."""
    if not login.username:
        return
    if login.tokens is not None:
        await _sign_in_with_token(client, login, login.tokens)
        return
    offered = {name.lower() for name in client.server_auth_methods}
    words = " ".join(sorted(offered)) or "no AUTH"
    user, password = login.username.encode(), login.password.encode()
    try:
        if "plain" in offered:
            await client.auth_plain(user, password)
        elif "login" in offered:
            await client.auth_login(user, password)
        elif "cram-md5" in offered:
            await client.auth_crammd5(user, password)
        else:
            code = "sign_in_not_offered"
            if offered & {"xoauth2", "oauthbearer"}:
                code = "oauth_needed"
            elif login.security == "none":
                code = "tls_needed"
            raise _problem(code, login, words)
    except aiosmtplib.SMTPAuthenticationError as error:
        raise _problem(sign_in_refusal(error.code, error.message), login, f"{error.code} {error.message}") from error
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        raise _problem_of(error, login) from error


async def _sign_in_with_token(client: aiosmtplib.SMTP, login: SmtpLogin, tokens: AccessTokens) -> None:
    """AUTH XOAUTH2. A token that is refused is renewed once: it may have been withdrawn before its time."""
    offered = {name.lower() for name in client.server_auth_methods}
    if "xoauth2" not in offered:
        code = "tls_needed" if login.security == "none" else "sign_in_not_offered"
        raise _problem(code, login, " ".join(sorted(offered)) or "no AUTH")
    token = await tokens.current()
    for last in (False, True):
        try:
            await client.auth_xoauth2(login.username.encode(), token.encode())
            return
        except aiosmtplib.SMTPAuthenticationError as error:
            words = f"{error.code} {error.message}"
            code = sign_in_refusal(error.code, error.message)
            if code not in ("wrong_password", "oauth_needed", "app_password_needed"):
                raise _problem(code, login, words) from error
            if last:
                raise _problem("oauth_refused", login, words) from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise _problem_of(error, login) from error
        token = await tokens.renew(token)


def _problem(code: str, login: SmtpLogin, words: str) -> ServerProblem:
    return server_problem(code, host=login.host, port=login.port, username=login.username, server_words=words)


def _problem_of(error: BaseException, login: SmtpLogin) -> ServerProblem:
    """What an exception of aiosmtplib or of the network means."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        words = f"{error.code} {error.message}"
        if error.code == -1 or not 200 <= error.code < 600:
            return _problem("not_a_mail_server", login, error.message)
        lowered = error.message.casefold()
        if "too many" in lowered and "connection" in lowered:
            return _problem("too_many_connections", login, words)
        if error.code < 500:
            return _problem("server_unavailable", login, words)
        return _problem("refused_by_server", login, words)
    cause = error.__cause__
    if isinstance(error, aiosmtplib.SMTPConnectError) and isinstance(cause, OSError):
        return connect_problem(cause, login)
    if isinstance(error, aiosmtplib.SMTPTimeoutError | TimeoutError):
        return _problem("timeout", login, str(error))
    if isinstance(error, aiosmtplib.SMTPServerDisconnected | aiosmtplib.SMTPConnectError):
        return _problem("connection_lost", login, str(error))
    if isinstance(error, OSError):
        return connect_problem(error, login)
    return _problem("answer_not_understood", login, str(error))


def _failure(problem: Problem, recipients: Mapping[str, Problem]) -> Retry | Refused:
    kind = Refused if problem.permanent else Retry
    return kind(problem, recipients)


def _refusal(code: int) -> int:
    """A reply that is neither success nor a proper refusal counts as passing trouble."""
    return code if 400 <= code < 600 else 451


def _ascii_address(address: str) -> str:
    """The address with its domain in ASCII (IDNA). It stays foreign when the part before the @ is."""
    local, at, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        return f"{local}{at}{domain.encode('idna').decode()}"
    except UnicodeError:
        return address


def xtext(text: str) -> bytes:
    """Text as a parameter of DSN carries it (RFC 3461 section 4)."""
    return b"".join(
        b"%c" % byte if 33 <= byte <= 126 and byte not in b"+=" else b"+%02X" % byte for byte in text.encode()
    )


def _wire_address(address: str) -> bytes:
    return _ascii_address(address).encode("utf-8")
