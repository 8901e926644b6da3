"""Outgoing servers in the settings, the test of one, and what mailboxes send through."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, TypedDict

import reflex as rx
from reflex.event import EventSpec

from backend.outgoing_servers.contracts import (
    MailboxSending,
    OutgoingServer,
    SaveOutgoingServer,
    ServerTest,
    SetMailboxSending,
)
from frontend.api import ApiError, SignedOut
from frontend.settings.outgoing_page import Choice, OutgoingPage

SECURITY = {"tls": "TLS", "starttls": "STARTTLS", "none": "not protected"}
STEPS = {"connect": "Connected", "sign_in": "Signed in", "accept": "Mail taken"}


class ServerView(TypedDict):
    """A server. `own`: it is changed here, and not with the account of a mailbox. `note` says what it forces."""

    id: int
    key: str
    name: str
    place: str
    host: str
    port: str
    security: str
    username: str
    for_all: bool
    per_minute: str
    own: bool
    used: str
    note: str
    status: str
    at: str
    reason: str
    words: str


class SendingView(TypedDict):
    """What a mailbox sends through; `server` is the choice, 0 the default."""

    id: int
    key: str
    name: str
    server: str
    way: str


class TestView(TypedDict):
    """A test mail's end. `server` 0: none."""

    server: int
    ok: bool
    steps: str
    sentence: str
    words: str


NO_TEST = TestView(server=0, ok=False, steps="", sentence="", words="")


class Servers(OutgoingPage, mixin=True):
    """The servers, and what each mailbox sends through."""

    servers: list[ServerView] = []
    server_choices: list[Choice] = []
    sendings: list[SendingView] = []
    editing: int = -1
    """The server whose form stands open; 0: a new one."""
    problem: str = ""
    testing: int = 0
    test: TestView = NO_TEST

    async def fetch_servers(self, names: dict[int, str]) -> dict[int, str]:
        """Read the servers and what goes through them; answers what each is called. `names`: of the group mailboxes."""
        servers = await self.api().get("/outgoing-servers", list[OutgoingServer])
        self.servers = [paint_server(each, names, self.changed) for each in servers]
        titles = {each.id: title(each, names) for each in servers}
        self.server_choices = [Choice(value=str(each.id), label=titles[each.id]) for each in servers]
        sendings = [await self.api().get(f"/mailboxes/{key}/sending", MailboxSending) for key in names]
        self.sendings = [paint_sending(each, names, titles, self.changed) for each in sendings]
        return titles

    @rx.event
    def edit(self, server_id: int) -> None:
        """Open the form of a server (0: a new one), or close it (-1)."""
        self.editing, self.problem = server_id, ""

    @rx.event
    async def save_server(self, form: dict[str, Any]) -> EventSpec | None:
        """Add a server or change one."""
        try:
            wanted = SaveOutgoingServer(
                name=str(form.get("name") or ""),
                host=str(form.get("host") or ""),
                port=int(str(form.get("port") or "0").strip() or 0),
                security=_security(form),
                username=str(form.get("username") or ""),
                password=str(form.get("password") or ""),
                for_all=bool(form.get("for_all")),
                per_minute=int(str(form.get("per_minute") or "0").strip() or 0),
            )
        except ValueError:
            self.problem = "A port and mails a minute are numbers."
            return None
        try:
            if self.editing > 0:
                await self.api().put(f"/outgoing-servers/{self.editing}", wanted)
            else:
                await self.api().post("/outgoing-servers", wanted)
            await self._changed("Saved. Test it before you rely on it")
        except ApiError as refused:
            self.problem = refused.sentence
            return self.fault(refused) if isinstance(refused, SignedOut) else None
        self.editing, self.problem = -1, ""
        return None

    @rx.event
    async def remove_server(self, server_id: int) -> EventSpec | None:
        """Forget a server."""
        return await self._do("DELETE", f"/outgoing-servers/{server_id}", None, "Server removed")

    @rx.event
    async def try_server(self, server_id: int) -> AsyncIterator[Any]:
        """Send a test mail to me."""
        self.testing, self.test = server_id, NO_TEST
        yield
        try:
            outcome = await self.api().post(f"/outgoing-servers/{server_id}/test", None, ServerTest)
            await self.fetch()
            self.test = paint_test(server_id, outcome)
        except ApiError as refused:
            self.test = TestView(server=server_id, ok=False, steps="", sentence=refused.sentence, words="")
            yield self.fault(refused) if isinstance(refused, SignedOut) else None
        self.testing = 0

    @rx.event
    async def choose_server(self, mailbox_id: int, server: str) -> EventSpec | None:
        """What a mailbox sends through; 0: reset to default."""
        wanted = SetMailboxSending(server_id=int(server) or None)
        said = "Saved" if int(server) else "Reset to default"
        return await self._do("PUT", f"/mailboxes/{mailbox_id}/sending", wanted, said)


def _security(form: dict[str, Any]) -> Any:
    chosen = form.get("security")
    return chosen if chosen in SECURITY else "starttls"


def title(server: OutgoingServer, names: dict[int, str]) -> str:
    """What a server is called: its name, or whose account it is."""
    if server.mailbox_id is None:
        return server.name
    return f"Account of {names.get(server.mailbox_id, 'the intake')}"


def paint_server(server: OutgoingServer, names: dict[int, str], changed: int) -> ServerView:
    """A server in words."""
    used = [names[each] for each in server.used_by if each in names]
    signs = f" as {server.username}" if server.username else ""
    forced = f"{server.provider} puts {server.forced_from} into From, whatever the mailbox’s address is."
    return ServerView(
        id=server.id,
        key=f"{server.id}.{changed}",
        name=title(server, names),
        place=f"{server.host}:{server.port}, {SECURITY[server.security]}{signs}",
        host=server.host,
        port=str(server.port),
        security=server.security,
        username=server.username,
        for_all=server.for_all,
        per_minute=str(server.per_minute or ""),
        own=server.mailbox_id is None,
        used=f"Used by {', '.join(used)}" if used else "Not used by a group mailbox",
        note=forced if server.forced_from else "",
        status=server.health.status,
        at=server.health.at.isoformat() if server.health.at else "",
        reason=" ".join(part for part in (server.health.reason, server.health.remedy) if part),
        words=server.health.server_words,
    )


def paint_sending(sending: MailboxSending, names: dict[int, str], titles: dict[int, str], changed: int) -> SendingView:
    default = titles.get(sending.effective_id or 0, "nothing yet: it cannot send")
    return SendingView(
        id=sending.mailbox_id,
        key=f"{sending.mailbox_id}.{changed}",
        name=names[sending.mailbox_id],
        server=str(sending.server_id or 0),
        way=f"Sends through {default}" if sending.server_id is None else "Chosen here",
    )


def paint_test(server_id: int, test: ServerTest) -> TestView:
    """A test mail's end in words."""
    steps = [f"{STEPS[each.name]}" for each in test.steps if each.ok]
    well = f"It works. A mail from {test.sender} is on its way to {test.recipient}."
    return TestView(
        server=server_id,
        ok=test.ok,
        steps=" · ".join(steps),
        sentence=well if test.ok else f"{test.reason} {test.remedy}".strip(),
        words=test.server_words,
    )
