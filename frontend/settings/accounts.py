"""The mail account of the mailbox whose settings stand open: connecting it, what it fetches, stopping it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, cast

import msgspec
import reflex as rx
from reflex.event import EventSpec

from backend.accounts.contracts import (
    AccountPlan,
    AccountSettings,
    Discover,
    DoneTo,
    FoundServers,
    HistoryChoice,
    OAuthProvider,
    ServerCheck,
    SetPlan,
    SignInStarted,
    StartSignIn,
)
from frontend.api import ApiError, SignedOut
from frontend.session import Session
from frontend.settings import account_words as words
from frontend.settings.account_words import AsideView, CheckView, FolderView, ServersView
from frontend.settings.mailboxes import Mailboxes

log = logging.getLogger(__name__)

WATCH_SECONDS = 5.0
"""How old the folders' completeness may be that a person looks at."""


class Accounts(Session):
    """Of the mailbox chosen in `Mailboxes`."""

    step: str = ""
    """The wizard's step: "" (none), "servers" or "folders"."""
    by: str = "password"
    """How one signs in: "password", or the provider's name."""
    busy: bool = False
    problem: str = ""
    servers: ServersView = words.NO_SERVERS
    checks: list[CheckView] = []
    folders: list[FolderView] = []
    aside: list[AsideView] = []
    history_from: str = ""
    done_to: str = "archive"
    begun: bool = True
    provider: str = ""
    """The provider at which the connected account signed in, as people call it."""
    leaving: str = ""
    """While disconnecting is asked about: "keep" or "remove" the local copies."""

    _mailbox_id: int = 0
    _address: str = ""
    _account: AccountSettings | None = None
    _plan: AccountPlan | None = None

    @rx.event
    async def arrive(self) -> EventSpec | None:
        """On the page's load: the mailboxes, the one that the address names, and how signing in elsewhere went.

        After a lost line: what may have changed meanwhile, and nothing that is open is closed.
        """
        boxes = await self.get_state(Mailboxes)
        failed = await boxes.load()
        if failed is not None:
            return failed
        if not self._anew:
            busy = self.step or self.leaving or boxes.chosen["id"] <= 0
            return None if busy else await self._read()
        told = self.router.url.query_parameters.get("signed_in") or ""
        self._mailbox_id = -1
        opened = await self._open(boxes)
        self.problem = words.SIGNED_IN.get(told, "")
        if not self._mailbox_id and self.problem:
            self.say(self.problem, tone="red")
        return opened

    @rx.event(background=True)
    async def watch(self) -> None:
        """While the page stands: how complete the folders are, as counts come in. Ends with the page."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            async with self:
                mailbox_id, api = self._mailbox_id, self.api()
                looks = mailbox_id > 0 and self._account is not None and not self.step
            if not looks:
                continue
            try:
                plan = await api.get(f"/mailboxes/{mailbox_id}/account/plan", AccountPlan)
            except SignedOut:
                return
            except ApiError as refused:
                log.info("The plan of an account was not read: %s", refused)
                continue
            async with self:
                if self._mailbox_id == mailbox_id and not self.step and plan != self._plan:
                    self._paint(plan)

    @rx.event
    async def open(self, mailbox_id: int) -> EventSpec | None:
        """A mailbox's settings; 0: none."""
        boxes = await self.get_state(Mailboxes)
        boxes.show(mailbox_id)
        return await self._open(boxes)

    async def _open(self, boxes: Mailboxes) -> EventSpec | None:
        chosen = boxes.chosen
        self._mailbox_id, self._address = chosen["id"], chosen["address"]
        self.step, self.problem, self.checks, self.leaving, self.busy = "", "", [], "", False
        self._account, self.provider, self.begun = None, "", True
        self.folders, self.aside = [], []
        # What is painted may be older than what just happened elsewhere (a sign-in at the provider): ask in any case.
        return await self._read() if chosen["id"] else None

    async def _read(self) -> EventSpec | None:
        """The account's settings and plan; what has not begun stands at the choice of folders."""
        try:
            account = await self.api().get(f"/mailboxes/{self._mailbox_id}/account", AccountSettings)
            plan = await self.api().get(f"/mailboxes/{self._mailbox_id}/account/plan", AccountPlan)
        except ApiError as refused:
            if refused.status == 404:
                await self._take(None)
                return None
            return self._refused(refused)
        await self._take(account)
        self._paint(plan)
        if not account.begun:
            self.step = "folders"
        return None

    async def _take(self, account: AccountSettings | None) -> None:
        self._account = account
        self.begun = account is None or account.begun
        self.provider = words.PROVIDERS.get(account.sign_in.partition(":")[2], "") if account else ""
        boxes = await self.get_state(Mailboxes)
        boxes.set_account(self._mailbox_id, account.state if account else None)

    def _paint(self, plan: AccountPlan) -> None:
        self.folders = words.folder_views(plan)
        self.aside = [words.aside_view(each) for each in plan.set_aside]
        self.history_from = words.day(plan.history_from)
        self.done_to = plan.done_to
        self._plan = plan

    # ---- connecting

    @rx.event
    async def create(self, form: dict[str, Any]) -> EventSpec | None:
        """Add a mailbox; next comes its account."""
        boxes = await self.get_state(Mailboxes)
        try:
            made = await boxes.make(form)
        except ApiError as refused:
            boxes.problem = refused.sentence
            return self.fault(refused) if isinstance(refused, SignedOut) else None
        boxes.show(made.id)
        await self._open(boxes)
        return await self._discover()

    @rx.event
    async def begin(self) -> EventSpec | None:
        """Open the wizard: with the servers in use, else with those that the address probably has."""
        if self._account is None:
            return await self._discover()
        self.servers = words.servers_in_use(self._account)
        self.by = self.servers["oauth"] or "password"
        self.step, self.problem, self.checks = "servers", "", []
        return None

    async def _discover(self) -> EventSpec | None:
        self.step, self.problem, self.checks, self.by = "servers", "", [], "password"
        self.servers = words.no_servers(self._address)
        try:
            found = await self.api().post("/discover", Discover(address=self._address), list[FoundServers])
        except ApiError as refused:
            return self._refused(refused)
        if found:
            self.servers = words.servers_view(found[0])
            self.by = self.servers["oauth"] or "password"
        return None

    @rx.event
    def sign_in_by(self, how: str) -> None:
        """By password, or at the provider."""
        self.by, self.problem, self.checks = how, "", []

    @rx.event
    def leave(self) -> None:
        """Close the wizard."""
        self.step, self.checks, self.problem = "", [], ""

    @rx.event
    async def connect(self, form: dict[str, Any]):  # noqa: ANN201 - an event generator
        """Try both servers, then store the account; or go to the provider, and come back connected."""
        try:
            wanted = words.wanted_account(self._address, form)
        except (ValueError, msgspec.ValidationError):
            self.problem = "A port is a number from 1 to 65535."
            return
        path = f"/mailboxes/{self._mailbox_id}/account"
        self.busy, self.problem, self.checks = True, "", []
        yield
        try:
            if self.by != "password":
                request = StartSignIn(
                    provider=cast(OAuthProvider, self.by),
                    address=wanted.address,
                    username=wanted.username,
                    imap=wanted.imap,
                    smtp=wanted.smtp,
                    begin=False,
                )
                yield await self._go(request)
                return
            checks = await self.api().post(f"{path}/check", wanted, list[ServerCheck])
            self.checks = [words.check_view(each, wanted) for each in checks]
            if all(each.ok for each in checks):
                yield
                await self.api().put(path, wanted, AccountSettings)
                self.step = ""
                yield await self._read()
        except ApiError as refused:
            yield self._refused(refused)
        finally:
            self.busy = False

    async def _go(self, request: StartSignIn) -> EventSpec:
        started = await self.api().post(f"/mailboxes/{self._mailbox_id}/account/sign-in", request, SignInStarted)
        return rx.redirect(started.url)

    @rx.event
    async def sign_in_again(self) -> EventSpec | None:
        """At the provider of the connected account, with everything else as it is."""
        stored = self._account
        if stored is None or not stored.sign_in.startswith("oauth:"):
            return None
        request = StartSignIn(
            provider=cast(OAuthProvider, stored.sign_in.partition(":")[2]),
            address=stored.address,
            username=stored.username,
            imap=stored.imap,
            smtp=stored.smtp,
            smtp_username=stored.smtp_username,
        )
        try:
            return await self._go(request)
        except ApiError as refused:
            return self._refused(refused)

    # ---- what is fetched

    @rx.event
    def change_plan(self) -> None:
        """Open the choice of folders."""
        self.step, self.problem = "folders", ""

    @rx.event
    async def save_plan(self, form: dict[str, Any]) -> EventSpec | None:
        """Which folders, and from when. An account that waited for it begins."""
        known = self._plan.folders if self._plan else []
        chosen = {
            folder.name: view["field"] in form
            for view, folder in zip(self.folders, known, strict=True)
            if folder.chosen != (view["field"] in form) and not view["fixed"]
        }
        history = str(form.get("history", ""))
        wanted = SetPlan(
            history=cast(HistoryChoice, history) if history else msgspec.UNSET,
            folders=chosen,
            done_to=cast(DoneTo, str(form.get("done_to", "archive"))),
        )
        try:
            plan = await self.api().put(f"/mailboxes/{self._mailbox_id}/account/plan", wanted, AccountPlan)
        except ApiError as refused:
            return self._refused(refused)
        began = not self.begun
        self._paint(plan)
        self.step, self.problem = "", ""
        if not began:
            self.say("Saved. What is here follows in a moment")
        return await self._read()

    # ---- stopping

    @rx.event
    async def pause(self) -> EventSpec | None:
        """Fetch nothing for now."""
        return await self._ask("pause")

    @rx.event
    async def resume(self) -> EventSpec | None:
        """Go on."""
        return await self._ask("resume")

    async def _ask(self, what: str) -> EventSpec | None:
        try:
            account = await self.api().post(f"/mailboxes/{self._mailbox_id}/account/{what}", None, AccountSettings)
        except ApiError as refused:
            return self._refused(refused)
        await self._take(account)
        return None

    @rx.event
    def ask_disconnect(self, leaving: str) -> None:
        """Keep or remove the local copies? Empty: neither, stay connected."""
        self.leaving, self.problem = leaving, ""

    @rx.event
    async def disconnect(self, form: dict[str, Any]) -> EventSpec | None:
        """Forget the account; keep its mail here, or remove it in the background."""
        mail = "remove" if self.leaving == "remove" else "keep"
        try:
            await self.api().delete(
                f"/mailboxes/{self._mailbox_id}/account", mail=mail, name=str(form.get("confirmed_name", ""))
            )
        except ApiError as refused:
            return self._refused(refused)
        await self._take(None)
        self.leaving, self.problem, self.step = "", "", ""
        self.folders, self.aside = [], []
        self.say("Disconnected. Its mail is being removed from here" if mail == "remove" else "Disconnected")
        return None

    def _refused(self, refused: ApiError) -> EventSpec | None:
        self.problem = refused.sentence
        return self.fault(refused) if isinstance(refused, SignedOut) else None
