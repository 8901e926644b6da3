"""Outgoing mail in the settings: servers, identities, whose addresses are, and as whom Tandem writes. For admins."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, TypedDict

import msgspec
import reflex as rx
from reflex.event import EventSpec

from backend.addresses.contracts import AddressBook, UsedAddress
from backend.identities.contracts import Identity, SaveIdentity
from backend.mailboxes.contracts import MailboxSettings
from backend.outgoing_servers.contracts import (
    MailboxSending,
    OutgoingServer,
    SaveOutgoingServer,
    ServerTest,
    SetMailboxSending,
    SetSystemMail,
    SystemMail,
    SystemSender,
)
from frontend.api import ApiError, SignedOut
from frontend.session import Session

SECURITY = {"tls": "TLS", "starttls": "STARTTLS", "none": "not protected"}
STEPS = {"connect": "Connected", "sign_in": "Signed in", "accept": "Mail taken"}
USES = {
    "group": "a mailbox",
    "intake": "the intake",
    "identity": "an identity",
    "reply_to": "Reply-to of an identity",
    "server": "a server’s user name",
    "account": "an account’s user name",
    "person": "a person’s own",
    "system": "Reply-to of Tandem’s own mail",
}


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


class IdentityView(TypedDict):
    """An identity. `mailbox` and `server` are what its form chooses, 0 the default."""

    id: int
    key: str
    name: str
    address: str
    mailbox: str
    server: str
    reply_to: str
    notes: str
    offered: bool
    verified: bool


class AddressView(TypedDict):
    id: int
    address: str
    uses: str
    verified: bool
    asked_at: str


class SendingView(TypedDict):
    """What a mailbox sends through; `server` is the choice, 0 the default."""

    id: int
    key: str
    name: str
    server: str
    way: str


class Choice(TypedDict):
    value: str
    label: str


class TestView(TypedDict):
    """A test mail's end. `server` 0: none."""

    server: int
    ok: bool
    steps: str
    sentence: str
    words: str


class SystemView(TypedDict):
    address: str
    users_name: str
    users_reply_to: str
    customers_name: str
    customers_reply_to: str


NO_TEST = TestView(server=0, ok=False, steps="", sentence="", words="")
NO_SYSTEM = SystemView(address="", users_name="", users_reply_to="", customers_name="", customers_reply_to="")


class Outgoing(Session):
    """The page, as fetched when it was opened and after each change."""

    fetched: bool = False
    servers: list[ServerView] = []
    server_choices: list[Choice] = []
    mailbox_choices: list[Choice] = []
    sendings: list[SendingView] = []
    identities: list[IdentityView] = []
    addresses: list[AddressView] = []
    never_asked: int = 0
    can_ask: bool = False
    system: SystemView = NO_SYSTEM
    changed: int = 0
    """So many changes were made: each fills the forms anew."""
    editing: int = -1
    """The server whose form stands open; 0: a new one."""
    editing_identity: int = 0
    """The identity whose form stands open; 0: none, and the form is that of a new one."""
    problem: str = ""
    identity_problem: str = ""
    system_problem: str = ""
    testing: int = 0
    test: TestView = NO_TEST

    async def page_loaded(self) -> None:
        """Nothing of an earlier visit is left."""
        self.fetched, self.editing, self.editing_identity, self.test, self.testing = False, -1, 0, NO_TEST, 0
        self.problem = self.identity_problem = self.system_problem = ""

    @rx.event
    async def arrive(self) -> EventSpec | None:
        """On the page's load."""
        if self._view is None or not self.me["admin"]:
            return None
        try:
            await self._fetch()
        except ApiError as refused:
            return self.fault(refused)
        return None

    async def _fetch(self) -> None:
        api = self.api()
        mailboxes = [m for m in await api.get("/mailbox-settings", list[MailboxSettings]) if m.kind == "group"]
        names = {each.id: each.name for each in mailboxes}
        servers = await api.get("/outgoing-servers", list[OutgoingServer])
        self.servers = [paint_server(each, names, self.changed) for each in servers]
        titles = {each.id: title(each, names) for each in servers}
        self.server_choices = [Choice(value=str(each.id), label=titles[each.id]) for each in servers]
        self.mailbox_choices = [Choice(value=str(key), label=name) for key, name in names.items()]
        sendings = [await api.get(f"/mailboxes/{key}/sending", MailboxSending) for key in names]
        self.sendings = [paint_sending(each, names, titles, self.changed) for each in sendings]
        identities = await api.get("/identities", list[Identity])
        self.identities = [paint_identity(each, names, titles, self.changed) for each in identities]
        book = await api.get("/used-addresses", AddressBook)
        self.addresses = [paint_address(each) for each in book.addresses]
        self.never_asked = sum(not each["verified"] and not each["asked_at"] for each in self.addresses)
        self.can_ask = book.can_ask
        self.system = paint_system(await api.get("/system-mail", SystemMail))
        self.fetched = True

    async def _changed(self, said: str) -> None:
        self.changed += 1
        await self._fetch()
        self.say(said)

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
            await self._fetch()
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

    @rx.event
    def edit_identity(self, identity_id: int) -> None:
        """Open the form of an identity, or close it (0)."""
        self.editing_identity, self.identity_problem = identity_id, ""

    @rx.event
    async def save_identity(self, form: dict[str, Any]) -> EventSpec | None:
        """A further From, or the one whose form stands open."""
        return await self._save_identity(
            SaveIdentity(
                name=str(form.get("name") or ""),
                address=str(form.get("address") or ""),
                mailbox_id=int(form.get("mailbox") or 0) or None,
                server_id=int(form.get("server") or 0) or None,
                reply_to=str(form.get("reply_to") or ""),
            )
        )

    @rx.event
    async def reset_identity(self, identity_id: int) -> EventSpec | None:
        """It leaves as its mailbox does, and answers go to its own address; name and address stay."""
        known = next((each for each in self.identities if each["id"] == identity_id), None)
        if known is None:
            return None
        self.editing_identity = identity_id
        mailbox_id = int(known["mailbox"]) or None
        return await self._save_identity(
            SaveIdentity(name=known["name"], address=known["address"], mailbox_id=mailbox_id), "Reset to default"
        )

    async def _save_identity(self, wanted: SaveIdentity, said: str = "") -> EventSpec | None:
        changes = self.editing_identity
        try:
            if changes:
                stored = await self.api().put(f"/identities/{changes}", wanted, Identity)
            else:
                stored = await self.api().post("/identities", wanted, Identity)
            done = said or ("Identity saved" if changes else "Identity added")
            await self._changed(done if stored.offered else "Saved. It can be used once its address is verified")
        except ApiError as refused:
            self.identity_problem = refused.sentence
            return self.fault(refused) if isinstance(refused, SignedOut) else None
        self.editing_identity, self.identity_problem = 0, ""
        return None

    @rx.event
    async def remove_identity(self, identity_id: int) -> EventSpec | None:
        """Nobody sends as it any more."""
        return await self._do("DELETE", f"/identities/{identity_id}", None, "Identity removed")

    @rx.event
    async def ask(self, address_id: int) -> EventSpec | None:
        """Send the link again."""
        return await self._do("POST", f"/used-addresses/{address_id}/ask", None, "The link is on its way")

    @rx.event
    async def ask_all(self) -> EventSpec | None:
        """Send the link to all that were never asked."""
        return await self._do("POST", "/used-addresses/ask", None, "The links are on their way")

    @rx.event
    async def save_system(self, form: dict[str, Any]) -> EventSpec | None:
        """As whom Tandem writes."""

        def sender(whom: str) -> SystemSender:
            return SystemSender(
                name=str(form.get(f"{whom}_name") or ""), reply_to=str(form.get(f"{whom}_reply_to") or "")
            )

        return await self._set_system(SetSystemMail(users=sender("users"), customers=sender("customers")), "Saved")

    @rx.event
    async def reset_system(self) -> EventSpec | None:
        """Back to the default."""
        return await self._set_system(SetSystemMail(), "Reset to default")

    async def _set_system(self, wanted: SetSystemMail, said: str) -> EventSpec | None:
        try:
            await self.api().put("/system-mail", wanted)
            await self._changed(said)
        except ApiError as refused:
            self.system_problem = refused.sentence
            return self.fault(refused) if isinstance(refused, SignedOut) else None
        self.system_problem = ""
        return None

    async def _do(self, method: str, path: str, body: msgspec.Struct | None, said: str) -> EventSpec | None:
        try:
            match method:
                case "DELETE":
                    await self.api().delete(path)
                case "PUT":
                    await self.api().put(path, body)
                case _:
                    await self.api().post(path, body)
            await self._changed(said)
        except ApiError as refused:
            return self.fault(refused)
        return None


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


def paint_identity(identity: Identity, names: dict[int, str], titles: dict[int, str], changed: int) -> IdentityView:
    notes = [names.get(identity.mailbox_id, "A mailbox") if identity.mailbox_id else "All group mailboxes"]
    if identity.server_id:
        notes.append(f"through {titles.get(identity.server_id, 'a server')}")
    if identity.reply_to:
        notes.append(f"answers to {identity.reply_to}")
    if identity.forced_from:
        notes.append(f"leaves as {identity.forced_from}")
    if not identity.offered:
        notes.append("not offered before its address is verified")
    return IdentityView(
        id=identity.id,
        key=f"{identity.id}.{changed}",
        name=identity.name,
        address=identity.address,
        mailbox=str(identity.mailbox_id or 0),
        server=str(identity.server_id or 0),
        reply_to=identity.reply_to,
        notes=" · ".join(notes),
        offered=identity.offered,
        verified=identity.verified,
    )


def paint_address(address: UsedAddress) -> AddressView:
    uses = list(dict.fromkeys(USES.get(each.use, each.use) for each in address.uses))
    return AddressView(
        id=address.id,
        address=address.address,
        uses=", ".join(uses).capitalize(),
        verified=address.verified_at is not None,
        asked_at=address.asked_at.isoformat() if address.asked_at else "",
    )


def paint_system(mail: SystemMail) -> SystemView:
    return SystemView(
        address=mail.address,
        users_name=mail.users.name,
        users_reply_to=mail.users.reply_to,
        customers_name=mail.customers.name,
        customers_reply_to=mail.customers.reply_to,
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
