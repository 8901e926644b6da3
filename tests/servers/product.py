"""The product as people run it: `tandem up` with a data folder and a port of its own, used over HTTP.

    async with Product() as product:
        ana = await product.set_up()
        jonas = await product.invite(ana, "Jonas Weber", "jonas@northwind.example")
        support = await product.group_mailbox(ana, "Support", "support@northwind.example", [jonas])
        await product.connect_account(ana, support, dovecot, smtp, user="support")
        await product.synced(ana, support)

Database, web process and worker are real processes with the settings that are shipped; mail servers at this machine
are allowed. What they print stands in `product.log`. The interface is compiled if its sources changed.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import asyncpg
import httpx
import psutil
import pytest

from backend.accounts.contracts import AccountSettings, ConnectAccount, ServerAddress
from backend.database.embedded import running_dsn
from backend.mailboxes.contracts import CreateMailbox, MailboxSettings
from backend.people.contracts import AcceptInvitation, CreateInvitation, InvitationCreated, Me, SetUp
from backend.people.sessions import COOKIE
from frontend.build import ensure_built
from tests.servers.api import PASSWORD, Caller, token_in
from tests.servers.dovecot import Dovecot
from tests.servers.ports import free_port
from tests.servers.smtp import RecordingSmtp
from tests.servers.tandem import PROJECT, command, environment

SIGN_IN = "/signin/"
START_SECONDS = 60.0
STOP_SECONDS = 30.0
SYNC_SECONDS = 180.0

Part = Literal["web", "worker"]


class Visitor(Caller):
    """One person's browser, as far as HTTP goes: keeps cookies, and repeats the token against foreign forms."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=30, trust_env=False)
        self.me: Me | None = None

    @property
    def user_id(self) -> int:
        assert self.me is not None, "nobody is signed in here yet"
        return self.me.person.id

    @property
    def cookie_header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.client.cookies.items())

    def browser_cookies(self) -> list[dict[str, str]]:
        """The session, as Playwright's `add_cookies` takes it: a page of this context is signed in."""
        return [{"name": COOKIE, "value": self.client.cookies[COOKIE], "url": self.url}]


class Product:
    """`tandem up`, from `start()` to `stop()`; a second `start()` finds the data of the first.

    `settings` are further TANDEM_ variables. The data folder is removed at the end, unless it was given.
    """

    def __init__(self, data_folder: Path | None = None, **settings: str) -> None:
        self._own_folder = data_folder is None
        self.data_folder = data_folder or Path(tempfile.mkdtemp(prefix="tandem-"))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log_file = self.data_folder.parent / f"{self.data_folder.name}.log"
        self._settings = {"TANDEM_PORT": str(self.port), "TANDEM_ALLOW_PRIVATE_SERVERS": "yes"} | settings
        self._process: subprocess.Popen[bytes] | None = None
        self._visitors: list[Visitor] = []

    async def __aenter__(self) -> Self:
        try:
            await asyncio.to_thread(ensure_built, quiet=True)
            await self.start()
        except BaseException:
            await self._clean_up()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._clean_up()

    async def _clean_up(self) -> None:
        for visitor in self._visitors:
            await visitor.client.aclose()
        await self.stop()
        if self._own_folder:
            shutil.rmtree(self.data_folder, ignore_errors=True)
            self.log_file.unlink(missing_ok=True)

    # ---- the processes

    async def start(self) -> float:
        """Start all processes; answers the seconds until the sign-in page was served.

        RuntimeError with what they printed when that does not come to pass.
        """
        began = time.monotonic()
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                command("up"),
                env=environment(self.data_folder, **self._settings),
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        async with httpx.AsyncClient(base_url=self.url, timeout=5, trust_env=False) as client:
            while not await self._serves(client):
                if self._process.poll() is not None or time.monotonic() > began + START_SECONDS:
                    raise RuntimeError(f"Tandem did not start:\n{self.log}")
                await asyncio.sleep(0.01)
        return time.monotonic() - began

    async def _serves(self, client: httpx.AsyncClient) -> bool:
        try:
            return (await client.get(SIGN_IN)).status_code == 200
        except httpx.TransportError:
            return False

    async def stop(self) -> None:
        """End all processes as Ctrl-C does, keeping the data. Harmless when nothing runs."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(process.wait, STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise RuntimeError(f"Tandem did not stop within {STOP_SECONDS:.0f} s:\n{self.log}") from None

    @property
    def log(self) -> str:
        """What the processes have printed."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    @property
    def dsn(self) -> str:
        """The embedded database, while it runs."""
        dsn = running_dsn(self.data_folder)
        assert dsn is not None, "the product is not running"
        return dsn

    async def execute(self, statement: str) -> None:
        """Change the database past the product: to make a moment come that nobody can wait for."""
        database = await asyncpg.connect(self.dsn)
        try:
            await database.execute(statement)
        finally:
            await database.close()

    def part(self, name: Part) -> psutil.Process | None:
        """The web process or the worker, if it runs now."""
        assert self._process is not None, "the product is not running"
        for child in psutil.Process(self._process.pid).children():
            try:
                if child.cmdline()[-2:] == command(name)[-2:]:
                    return child
            except psutil.NoSuchProcess:
                continue
        return None

    def memory_mb(self, name: Part) -> float:
        """Memory of the web process or the worker with all it started, in MB (10^6 bytes); 0 when it does not run.

        Proportional set size: what is shared with other processes counts by its share.
        """
        process = self.part(name)
        if process is None:
            return 0.0
        family = [process, *process.children(recursive=True)]
        return sum(_proportional_kb(each.pid) for each in family) * 1024 / 1e6

    # ---- its people and mailboxes

    def visitor(self) -> Visitor:
        """A browser in which nobody is signed in."""
        visitor = Visitor(self.url)
        self._visitors.append(visitor)
        return visitor

    async def set_up(self, name: str = "Ana Ribeiro", email: str = "ana@northwind.example") -> Visitor:
        """First run: the organisation Northwind Bikes and its owner, signed in."""
        owner = self.visitor()
        wanted = SetUp(organisation_name="Northwind Bikes", name=name, email=email, password=PASSWORD)
        owner.me = await owner.post("/set-up", wanted, Me)
        return owner

    async def invite(self, admin: Visitor, name: str, email: str) -> Visitor:
        """A new colleague, signed in."""
        invited = await admin.post("/invitations", CreateInvitation(email=email), InvitationCreated)
        visitor = self.visitor()
        accept = AcceptInvitation(token=token_in(invited.link), name=name, password=PASSWORD)
        visitor.me = await visitor.post("/invitations/accept", accept, Me)
        return visitor

    async def group_mailbox(
        self, admin: Visitor, name: str, address: str, members: Sequence[Visitor]
    ) -> MailboxSettings:
        """A group mailbox for these people."""
        ids = [each.user_id for each in members]
        wanted = CreateMailbox(kind="group", name=name, address=address, member_ids=ids)
        return await admin.post("/mailboxes", wanted, MailboxSettings)

    async def connect_account(
        self, admin: Visitor, mailbox: MailboxSettings, dovecot: Dovecot, smtp: RecordingSmtp, *, user: str
    ) -> None:
        """Connect the mailbox to `user` at these servers; its mail comes meanwhile: see `synced`."""
        wanted = ConnectAccount(
            address=mailbox.address,
            username=user,
            password=dovecot.password,
            imap=ServerAddress(host="127.0.0.1", port=dovecot.imap_port, security="none"),
            smtp=ServerAddress(host="127.0.0.1", port=smtp.port, security="none"),
            smtp_password=smtp.password,
        )
        await admin.put(f"/mailboxes/{mailbox.id}/account", wanted, AccountSettings)

    async def synced(self, admin: Visitor, mailbox: MailboxSettings, seconds: float = SYNC_SECONDS) -> None:
        """Wait until the account is up to date; RuntimeError when it needs a person."""
        async with asyncio.timeout(seconds):
            while True:
                account = await admin.get(f"/mailboxes/{mailbox.id}/account", AccountSettings)
                if account.state.status == "up_to_date":
                    return
                if account.state.status == "needs_you":
                    raise RuntimeError(f"{account.state.reason} {account.state.server_words}")
                await asyncio.sleep(0.1)


def _proportional_kb(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return 0
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))


@pytest.fixture
async def product() -> AsyncIterator[Product]:
    """A fresh installation that runs, waiting for its owner."""
    async with Product() as running:
        yield running
