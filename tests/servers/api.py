"""The application in process, on a fresh database with the cast, spoken to as any program would: over HTTP.

    async def test_something(api: Api) -> None:
        support = await api.ana.get(f"/mailboxes/{api.support}", Mailbox)
        refusal = await api.mallory.refused("GET", f"/mailboxes/{api.support}")
        assert refusal.status == 404

The cast: Ana owns the organisation and shares the mailbox Support with Jonas, a member. Tom is new and has only a
personal mailbox. Mallory is a member who must see nothing of Support. The test shares the application's database
connection, so that it can look with `backend.database.connection.fetch`.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Self, TypeVar, overload
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest
import uvicorn
from litestar import Litestar
from websockets.asyncio.client import ClientConnection, connect

from backend.app import CSRF_COOKIE, CSRF_HEADER, create_app
from backend.database import connection
from backend.events.contracts import Event, EventFrame, Frame, frame_decoder
from backend.mailboxes.contracts import CreateMailbox, MailboxSettings
from backend.people.contracts import (
    AcceptInvitation,
    CreateInvitation,
    InvitationCreated,
    Me,
    SetUp,
    SignIn,
)
from backend.people.sessions import COOKIE
from backend.settings import settings
from tests.servers.postgres import Databases

PASSWORD = "a long enough sentence"
ORIGIN = "http://tandem.example"
TEMPLATE = "cast_template"
OTHERS = ("jonas", "tom", "mallory")

Answer = TypeVar("Answer")


class Refusal(msgspec.Struct, frozen=True):
    """What the API says when it does not do something."""

    status: int
    error: str
    message: str
    remedy: str
    details: dict[str, Any]


class Caller:
    """A browser, signed in or not: keeps cookies, and repeats the token against foreign forms."""

    def __init__(self, application: Litestar, cookies: Mapping[str, str] | None = None) -> None:
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=application),  # pyright: ignore[reportArgumentType]
            base_url=f"{ORIGIN}/api/v1",
            timeout=30,
        )
        for name, value in (cookies or {}).items():
            self.client.cookies.set(name, value, domain=str(urlsplit(ORIGIN).hostname))

    async def request(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """One request, whatever the answer. `body` is a contract or anything that JSON can hold."""
        headers = dict(options.pop("headers", {}))
        by_token = "authorization" in headers or "authorization" in self.client.headers
        if method not in ("GET", "HEAD") and CSRF_HEADER not in headers and not by_token:
            headers[CSRF_HEADER] = await self._csrf()
        if body is not None:
            headers["content-type"] = "application/json"
            options["content"] = msgspec.json.encode(body)
        return await self.client.request(method, path, headers=headers, **options)

    async def _csrf(self) -> str:
        if CSRF_COOKIE not in self.client.cookies:
            await self.client.get("/health")
        return self.client.cookies[CSRF_COOKIE]

    async def _wanted(self, method: str, path: str, body: Any, answer: Any, **options: Any) -> Any:
        reply = await self.request(method, path, body, **options)
        assert reply.is_success, f"{method} {path} answered {reply.status_code}: {reply.text}"
        if answer is not None:
            return msgspec.json.decode(reply.content, type=answer)
        return msgspec.json.decode(reply.content) if reply.content else None

    @overload
    async def get(self, path: str, answer: type[Answer], **query: Any) -> Answer: ...
    @overload
    async def get(self, path: str, answer: None = None, **query: Any) -> Any: ...
    async def get(self, path: str, answer: Any = None, **query: Any) -> Any:
        return await self._wanted("GET", path, None, answer, params=query)

    @overload
    async def post(self, path: str, body: Any, answer: type[Answer]) -> Answer: ...
    @overload
    async def post(self, path: str, body: Any = None, answer: None = None) -> Any: ...
    async def post(self, path: str, body: Any = None, answer: Any = None) -> Any:
        return await self._wanted("POST", path, body, answer)

    @overload
    async def put(self, path: str, body: Any, answer: type[Answer]) -> Answer: ...
    @overload
    async def put(self, path: str, body: Any = None, answer: None = None) -> Any: ...
    async def put(self, path: str, body: Any = None, answer: Any = None) -> Any:
        return await self._wanted("PUT", path, body, answer)

    @overload
    async def patch(self, path: str, body: Any, answer: type[Answer]) -> Answer: ...
    @overload
    async def patch(self, path: str, body: Any = None, answer: None = None) -> Any: ...
    async def patch(self, path: str, body: Any = None, answer: Any = None) -> Any:
        return await self._wanted("PATCH", path, body, answer)

    async def delete(self, path: str, **query: Any) -> Any:
        return await self._wanted("DELETE", path, None, None, params=query)

    async def refused(self, method: str, path: str, body: Any = None, **options: Any) -> Refusal:
        """The request must fail; answers how."""
        reply = await self.request(method, path, body, **options)
        assert reply.is_error, f"{method} {path} was not refused, but answered {reply.status_code}: {reply.text}"
        return msgspec.convert({"status": reply.status_code} | msgspec.json.decode(reply.content), Refusal)

    async def sign_in(self, email: str, password: str = PASSWORD) -> Me:
        return await self.post("/sign-in", SignIn(email=email, password=password), Me)


class Member(Caller):
    """One of the cast, signed in."""

    def __init__(self, application: Litestar, user_id: int, email: str, cookies: Mapping[str, str]) -> None:
        super().__init__(application, cookies)
        self.user_id = user_id
        self.email = email

    @property
    def stream(self) -> str:
        return f"user:{self.user_id}"

    @property
    def cookie_header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.client.cookies.items())


@dataclass
class Live:
    """An open live socket. What was received stays in `frames`."""

    socket: ClientConnection
    frames: list[Frame] = field(default_factory=list)
    waiting: list[Event] = field(default_factory=list)

    async def next(self, seconds: float = 5.0) -> Frame:
        """The next frame; TimeoutError when none comes, ConnectionClosed when the server closed the socket."""
        frame = frame_decoder.decode(await asyncio.wait_for(self.socket.recv(), seconds))
        self.frames.append(frame)
        return frame

    async def event(self, kind: type[Answer], seconds: float = 5.0) -> Answer:
        """The first event of this kind that was not asked for yet; others wait, for streams keep no common order."""
        for event in self.waiting:
            if isinstance(event, kind):
                self.waiting.remove(event)
                return event
        async with asyncio.timeout(seconds):
            while True:
                frame = await self.next(seconds)
                if not isinstance(frame, EventFrame):
                    continue
                if isinstance(frame.event, kind):
                    return frame.event
                self.waiting.append(frame.event)


@dataclass
class Api:
    """The application and its cast. `support` is the id of the mailbox that Ana and Jonas share."""

    application: Litestar
    dsn: str
    ana: Member
    jonas: Member
    tom: Member
    mallory: Member
    support: int
    toms_mailbox: int
    _port: int | None = None

    @property
    def everybody(self) -> list[Member]:
        return [self.ana, self.jonas, self.tom, self.mallory]

    def stranger(self) -> Caller:
        """A browser in which nobody is signed in."""
        return Caller(self.application)

    @asynccontextmanager
    async def live(
        self,
        member: Member,
        *,
        headers: Mapping[str, str] | None = None,
        since: Mapping[str, int] | None = None,
    ) -> AsyncIterator[Live]:
        """The live socket as this person, from the positions of now and those of `since`.

        `headers` replaces the browser's.
        """
        if self._port is None:
            raise RuntimeError("Sockets need a port: take the fixture `served` instead of `api`.")
        snapshot = await member.get("/snapshot")
        positions = {at["stream"]: at["position"] for at in snapshot["positions"]} | dict(since or {})
        query = ",".join(f"{stream}={position}" for stream, position in positions.items())
        sent = {"cookie": member.cookie_header} if headers is None else headers
        url = f"ws://127.0.0.1:{self._port}/api/v1/live?since={query}"
        async with connect(url, additional_headers=dict(sent), proxy=None) as opened:
            yield Live(opened)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Self]:
        """Serve on a free port of this machine, in the same event loop."""
        listening = socket.create_server(("127.0.0.1", 0))
        server = _Server(uvicorn.Config(self.application, lifespan="off", log_level="warning", ws="websockets-sansio"))
        task = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            if task.done():
                await task
            await asyncio.sleep(0.005)
        self._port = listening.getsockname()[1]
        try:
            yield self
        finally:
            self._port = None
            server.should_exit = True
            await task

    @property
    def port(self) -> int:
        assert self._port is not None
        return self._port


class _Server(uvicorn.Server):
    """Leaves the signals to pytest."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.contextmanager
def environment(folder: Path, **variables: str) -> Iterator[None]:
    """Tandem's settings for this process: a data folder, and the given ones."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("TANDEM_")]:
            patch.delenv(name)
        given = {"TANDEM_DATA": os.fspath(folder), "TANDEM_SECRET_KEY": "5a" * 32, "TANDEM_PUBLIC_URL": ORIGIN}
        for name, value in (given | variables).items():
            patch.setenv(name, value)
        settings.cache_clear()
        try:
            yield
        finally:
            settings.cache_clear()


@cache
def composed() -> Litestar:
    """The application, put together once: it takes longer than most tests. Its database is that of this process."""
    return create_app()


@asynccontextmanager
async def running(dsn: str) -> AsyncIterator[Litestar]:
    """The application with its lifespan, on this database and with the settings of now."""
    application = composed()
    application.state.settings = settings()
    await connection.connect(dsn)
    try:
        async with _lifespan(application):
            yield application
    finally:
        await connection.disconnect()


@asynccontextmanager
async def _lifespan(application: Litestar) -> AsyncIterator[None]:
    ready, over = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        # A lifespan must end in the task that began it, and a fixture's two halves are tasks of their own.
        async with application.lifespan():
            ready.set()
            await over.wait()

    lifespan = asyncio.create_task(live(), name="lifespan")
    began = asyncio.create_task(ready.wait())
    await asyncio.wait({lifespan, began}, return_when=asyncio.FIRST_COMPLETED)
    if lifespan.done():
        began.cancel()
        await lifespan
    try:
        yield
    finally:
        over.set()
        await lifespan


@dataclass(frozen=True)
class Template:
    """A database with the cast in it, to be copied; and how each of them is signed in there."""

    database: str
    people: dict[str, tuple[int, str, str]]
    support: int
    toms_mailbox: int


@pytest.fixture(scope="session")
async def cast(databases: Databases, migrated_template: str, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The cast, set up once through the API."""
    name = await databases.create(migrated_template)
    with environment(tmp_path_factory.mktemp("cast")):
        async with running(databases.dsn(name)) as application:
            made = await make_cast(application)
    assert connection.engine.pool is None
    await databases.execute(f"ALTER DATABASE {name} RENAME TO {TEMPLATE}")
    return made


async def make_cast(application: Litestar) -> Template:
    people: dict[str, tuple[int, str, str]] = {}

    async def note(key: str, caller: Caller, me: Me) -> None:
        people[key] = (me.person.id, me.person.email, caller.client.cookies[COOKIE])

    ana = Caller(application)
    set_up = SetUp(
        organisation_name="Northwind Bikes", name="Ana Ribeiro", email="ana@northwind.example", password=PASSWORD
    )
    await note("ana", ana, await ana.post("/set-up", set_up, Me))
    callers = {"ana": ana}
    for key in OTHERS:
        email = f"{key}@northwind.example"
        invited = await ana.post("/invitations", CreateInvitation(email=email), InvitationCreated)
        callers[key] = Caller(application)
        accept = AcceptInvitation(token=token_in(invited.link), name=key.title(), password=PASSWORD)
        await note(key, callers[key], await callers[key].post("/invitations/accept", accept, Me))
    support = CreateMailbox(
        kind="group",
        name="Support",
        address="support@northwind.example",
        member_ids=[people["ana"][0], people["jonas"][0]],
    )
    toms = CreateMailbox(kind="personal", name="My Mailbox", address="tom@northwind.example")
    return Template(
        database=TEMPLATE,
        people=people,
        support=(await ana.post("/mailboxes", support, MailboxSettings)).id,
        toms_mailbox=(await callers["tom"].post("/mailboxes", toms, MailboxSettings)).id,
    )


def token_in(link: str) -> str:
    """The secret that a link carries."""
    return link.partition("token=")[2]


@asynccontextmanager
async def fresh_copy(cast: Template, databases: Databases, folder: Path) -> AsyncIterator[Api]:
    """The application on a copy of the cast's database, which is dropped at the end."""
    name = await databases.create(cast.database)
    dsn = databases.dsn(name)
    with environment(folder):
        async with running(dsn) as application:

            def member(key: str) -> Member:
                user_id, email, cookie = cast.people[key]
                return Member(application, user_id, email, {COOKIE: cookie})

            yield Api(
                application,
                dsn,
                ana=member("ana"),
                jonas=member("jonas"),
                tom=member("tom"),
                mallory=member("mallory"),
                support=cast.support,
                toms_mailbox=cast.toms_mailbox,
            )
    await databases.drop(name)


@pytest.fixture
async def api(cast: Template, databases: Databases, tmp_path: Path) -> AsyncIterator[Api]:
    """The application on a fresh copy of the cast's database."""
    async with fresh_copy(cast, databases, tmp_path) as made:
        yield made


@pytest.fixture
async def served(api: Api) -> AsyncIterator[Api]:
    """The same, listening on a port, for live sockets and browsers."""
    async with api.serving():
        yield api
