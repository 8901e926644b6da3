"""A real SMTP server that keeps what it accepts, and misbehaves on request at any stage.

    with RecordingSmtp() as server:
        server.misbehave("rcpt", reply="450 4.2.2 Mailbox full", recipient="bob@example.org")
        server.misbehave("message", hang_up=True, accept=True)   # takes the mail, dies before saying so
        ...
        server.messages[0].raw

It runs in a thread of its own (aiosmtpd on a private loop), so it serves blocking and asynchronous tests
alike, and other processes. Users are any name with the password `server.password`.
"""

import asyncio
import base64
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, AnyStr, Literal, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from sync.types import SmtpLogin
from tests.servers.certificate import Certificate

Stage = Literal["connect", "ehlo", "auth", "mail", "rcpt", "data", "body", "message", "rset", "quit"]
"""`data` is the DATA command, `body` while the text is sent (after 354), `message` after the final dot."""


@dataclass(frozen=True)
class Accepted:
    """One message that the server took: the envelope and the exact bytes, dots unstuffed."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    options: tuple[str, ...]
    at: float
    """time.monotonic() when it was accepted."""


@dataclass
class Fault:
    """What to do instead of behaving, at one stage."""

    stage: Stage
    reply: str = ""
    hang_up: bool = False
    delay: float = 0.0
    times: int | None = None
    recipient: str | None = None
    accept: bool = False
    used: int = field(default=0, init=False)

    def fits(self, stage: Stage, recipient: str | None) -> bool:
        left = self.times is None or self.used < self.times
        return self.stage == stage and left and self.recipient in (None, recipient)


class RecordingSmtp:
    """One SMTP server on a free loopback port, from `start()` to `stop()`."""

    def __init__(
        self,
        *,
        certificate: Certificate | None = None,
        implicit_tls: bool = False,
        require_starttls: bool = False,
        require_auth: bool = True,
        password: str = "correct-horse",
        smtputf8: bool = True,
        size_limit: int = 50_000_000,
        without_auth: bool = False,
        token_ok: Callable[[str], bool] | None = None,
        dsn: bool = False,
    ) -> None:
        """`token_ok` adds XOAUTH2 with the access tokens that it accepts. `dsn` offers reports (RFC 3461): what
        is asked for stands in `commands`, and none is sent."""
        self.dsn = dsn
        self.password = password
        self.token_ok = token_ok
        self.certificate = certificate
        self.messages: list[Accepted] = []
        self.commands: list[str] = []
        self.open_connections = 0
        self.port = 0
        self._faults: list[Fault] = []
        self._implicit_tls = implicit_tls
        context = _server_context(certificate) if certificate is not None else None
        self._context = context
        self._options: Mapping[str, Any] = {
            "hostname": "mail.test.example",
            "ident": "test server",
            "tls_context": None if implicit_tls else context,
            "require_starttls": require_starttls,
            "auth_require_tls": False,
            "authenticator": self._authenticate,
            "enable_SMTPUTF8": smtputf8,
            "data_size_limit": size_limit,
            "auth_exclude_mechanism": (
                *(("PLAIN", "LOGIN") if without_auth else ()),
                *(() if token_ok is not None else ("XOAUTH2",)),
            ),
        }
        self._auth_required = require_auth and not without_auth
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="recording-smtp", daemon=True)
        self._ready = threading.Event()

    def start(self) -> Self:
        """Start, and return once the port accepts connections."""
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the SMTP server did not start")
        return self

    def stop(self) -> None:
        """Close the port and every connection."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def login(self, user: str = "ana@example.org", *, password: str | None = None) -> SmtpLogin:
        """How `sync` signs in as `user`; with TLS when the server has a certificate."""
        security = "none" if self.certificate is None else ("tls" if self._implicit_tls else "starttls")
        return SmtpLogin(
            host="localhost" if self.certificate is not None else "127.0.0.1",
            port=self.port,
            security=security,
            username=user,
            password=self.password if password is None else password,
            private_network=True,
            authority_pem=self.certificate.certificate_pem if self.certificate is not None else None,
            helo_name="client.test.example",
        )

    def misbehave(
        self,
        stage: Stage,
        *,
        reply: str = "",
        hang_up: bool = False,
        delay: float = 0.0,
        times: int | None = None,
        recipient: str | None = None,
        accept: bool = False,
    ) -> None:
        """From now on do this at `stage`: wait, answer `reply`, or cut the connection; `times` or for ever.

        `accept` records the message although the answer says otherwise (only at stage `message`).
        """
        self._faults.append(Fault(stage, reply, hang_up, delay, times, recipient, accept))

    def behave(self) -> None:
        """Forget all faults."""
        self._faults.clear()

    async def wait_for(self, count: int, timeout: float = 10.0) -> list[Accepted]:
        """The accepted messages once there are `count`; TimeoutError otherwise."""
        deadline = time.monotonic() + timeout
        while len(self.messages) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(self.messages)} of {count} messages arrived")
            await asyncio.sleep(0.005)
        return list(self.messages)

    def _take_fault(self, stage: Stage, recipient: str | None = None) -> Fault | None:
        for fault in self._faults:
            if fault.fits(stage, recipient):
                fault.used += 1
                return fault
        return None

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        right = isinstance(data, LoginPassword) and data.password == self.password.encode()
        return AuthResult(success=right, handled=right)

    async def _serve(self) -> None:
        server = await self._loop.create_server(
            lambda: _Connection(self, self._take_fault, self._auth_required, loop=self._loop, **self._options),
            "127.0.0.1",
            0,
            ssl=self._context if self._implicit_tls else None,
        )
        self.port = int(server.sockets[0].getsockname()[1])
        self._ready.set()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.create_task(self._serve())
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()


class _Connection(SMTP):
    """aiosmtpd's server, asking at each stage whether to misbehave."""

    def __init__(
        self,
        owner: RecordingSmtp,
        take_fault: Callable[[Stage, str | None], Fault | None],
        sign_in_needed: bool,
        **options: Any,
    ) -> None:
        self._owner = owner
        self._take_fault = take_fault
        self._sign_in_needed = sign_in_needed
        super().__init__(_Keeper(owner, take_fault), **options)

    @property
    def line_length_limit(self) -> int:  # type: ignore[override]
        """Real servers take longer lines than aiosmtpd's 1,001 bytes; a test may send them."""
        return 10_000_000

    async def _interfered(self, stage: Stage, recipient: str | None = None) -> bool:
        """Carry out a fault planned for this stage; True when the command is thereby answered."""
        fault = self._take_fault(stage, recipient)
        if fault is None:
            return False
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.hang_up:
            self._abort()
            return True
        if fault.reply:
            await super().push(fault.reply)
        return bool(fault.reply)

    def _abort(self) -> None:
        _abort(self)

    async def check_auth_needed(self, caller_method: str) -> bool:
        """aiosmtpd's own option warns at every connection without TLS; most tests have none."""
        if not self._sign_in_needed or (self.session is not None and self.session.authenticated):
            return False
        await self.push("530 5.7.0 Authentication required")
        return True

    async def _handle_client(self) -> None:
        self._owner.open_connections += 1
        try:
            if await self._interfered("connect"):
                if self.transport is not None:
                    self.transport.close()
                return
            await super()._handle_client()
        finally:
            self._owner.open_connections -= 1

    async def push(self, status: AnyStr) -> None:
        await super().push(status)
        if str(status).startswith("354"):
            await self._interfered("body")

    async def smtp_EHLO(self, hostname: str) -> None:
        self._owner.commands.append(f"EHLO {hostname}")
        if not await self._interfered("ehlo"):
            await super().smtp_EHLO(hostname)

    async def smtp_AUTH(self, arg: str) -> None:
        if not await self._interfered("auth"):
            await super().smtp_AUTH(arg)

    async def smtp_MAIL(self, arg: str | None) -> None:
        self._owner.commands.append(f"MAIL {arg}")
        if not await self._interfered("mail"):
            await super().smtp_MAIL(self._without_reports(arg))

    async def smtp_RCPT(self, arg: str | None) -> None:
        self._owner.commands.append(f"RCPT {arg}")
        address = (arg or "").partition("<")[2].partition(">")[0]
        if not await self._interfered("rcpt", address):
            await super().smtp_RCPT(self._without_reports(arg))

    def _without_reports(self, arg: str | None) -> str | None:
        """aiosmtpd knows nothing of them."""
        if arg is None or not self._owner.dsn:
            return arg
        kept = [word for word in arg.split(" ") if not word.startswith(("RET=", "ENVID=", "NOTIFY=", "ORCPT="))]
        return " ".join(kept)

    async def smtp_DATA(self, arg: str) -> None:
        if not await self._interfered("data"):
            await super().smtp_DATA(arg)

    async def smtp_RSET(self, arg: str) -> None:
        self._owner.commands.append("RSET")
        if not await self._interfered("rset"):
            await super().smtp_RSET(arg)

    async def smtp_QUIT(self, arg: str) -> None:
        self._owner.commands.append("QUIT")
        if not await self._interfered("quit"):
            await super().smtp_QUIT(arg)


class _Keeper:
    """aiosmtpd's handler: what happens after the final dot."""

    def __init__(self, owner: RecordingSmtp, take_fault: Callable[[Stage, str | None], Fault | None]) -> None:
        self._owner = owner
        self._take_fault = take_fault

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], "250-DSN", *responses[-1:]] if self._owner.dsn else responses

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:
        """As Google describes it: a refusal is a challenge, which the client answers with an empty line."""
        fields = base64.b64decode(args[1]).decode().split("\1")
        token = next((each.partition("Bearer ")[2] for each in fields if each.startswith("auth=")), "")
        assert self._owner.token_ok is not None
        if self._owner.token_ok(token):
            return AuthResult(success=True)
        await server.challenge_auth(b'{"status":"400","schemes":"Bearer"}')
        return AuthResult(success=False, handled=False)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        fault = self._take_fault("message", None)
        if fault is None or fault.accept:
            self._owner.messages.append(
                Accepted(
                    envelope.mail_from or "",
                    tuple(envelope.rcpt_tos),
                    bytes(envelope.original_content or b""),
                    tuple(envelope.mail_options),
                    time.monotonic(),
                )
            )
        if fault is None:
            return "250 2.0.0 OK: kept"
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.hang_up:
            _abort(server)
        return fault.reply or "250 2.0.0 OK: kept"


def _abort(server: SMTP) -> None:
    if isinstance(server.transport, asyncio.WriteTransport):
        server.transport.abort()


def _server_context(certificate: Certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "both.pem"
        path.write_text(certificate.certificate_pem + certificate.key_pem)
        context.load_cert_chain(path)
    return context
