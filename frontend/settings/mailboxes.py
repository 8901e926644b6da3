"""Mailboxes: mine and the group mailboxes, who has access, and the account behind each."""

from __future__ import annotations

from typing import Any, TypedDict

import msgspec
import reflex as rx
from reflex.event import EventSpec

from backend.accounts.contracts import AccountState
from backend.mailboxes.contracts import (
    CreateMailbox,
    InTurn,
    Mailbox,
    MailboxKind,
    MailboxSettings,
    SendAs,
    SetMailboxMembers,
    UpdateMailbox,
)
from backend.people.contracts import Team
from frontend.api import ApiError, SignedOut
from frontend.session import Session
from frontend.settings.people import checked
from frontend.view import View


class MailboxLine(TypedDict):
    """A mailbox in the settings' list."""

    id: int
    kind: str
    name: str
    address: str
    dot: int
    status: str
    people: str


class ChosenView(TypedDict):
    """The mailbox whose settings stand open. `id` 0: none."""

    id: int
    kind: str
    name: str
    address: str
    default_from_name: str
    reply_bcc: str
    send_as: str
    seen_as: str
    private: bool
    in_turn: str
    in_turn_ids: list[int]
    reader_ids: list[int]
    member_ids: list[int]
    team_ids: list[int]
    connected: bool
    status: str
    status_words: str
    reason: str
    remedy: str
    server_words: str
    done: int
    total: int
    percent: int
    checked_at: str


NOT_CHOSEN = ChosenView(
    id=0, kind="", name="", address="", default_from_name="", reply_bcc="", send_as="mailbox", seen_as="",
    private=False, in_turn="off", in_turn_ids=[], reader_ids=[], member_ids=[], team_ids=[], connected=False, status="",
    status_words="", reason="", remedy="", server_words="", done=0, total=0, percent=0, checked_at="",
)  # fmt: skip
STATUS_WORDS = {
    "connecting": "Connecting",
    "syncing": "Fetching mail",
    "up_to_date": "Up to date",
    "retrying": "Trying again",
    "needs_you": "Needs you",
    "paused": "Paused",
}


class Mailboxes(Session):
    """The settings of mailboxes. What concerns their accounts stands in `Accounts`."""

    mine: list[MailboxLine] = []
    shared: list[MailboxLine] = []
    chosen: ChosenView = NOT_CHOSEN
    adding: str = ""
    """The form that stands open: "personal", "group", or none."""
    problem: str = ""
    removing: bool = False

    _settings: dict[int, MailboxSettings] = {}

    def repaint(self, before: View | None, view: View) -> None:
        """Follow mailboxes and the state of their accounts."""
        if before is not None and before.mailboxes is view.mailboxes:
            return
        for mailbox in view.mailboxes.values():
            if mailbox.id in self._settings or mailbox.kind == "personal":
                self._settings = {**self._settings, mailbox.id: _as_settings(mailbox)}
        self._paint()

    def _paint(self) -> None:
        lines = [_line(each) for each in sorted(self._settings.values(), key=lambda each: each.id)]
        self.mine = [each for each in lines if each["kind"] == "personal"]
        self.shared = [each for each in lines if each["kind"] == "group"]
        chosen = self._settings.get(self.chosen["id"])
        self.chosen = self._painted(chosen)

    def _painted(self, chosen: MailboxSettings | None) -> ChosenView:
        teams = self._view.teams if self._view else {}
        return _chosen(chosen, teams, self.me["name"]) if chosen else NOT_CHOSEN

    async def load(self) -> EventSpec | None:
        """My own, and for admins all group mailboxes; on a new page the one that its address names stands open."""
        view = self._view
        if view is None:
            return None
        try:
            settings = await self.api().get("/mailbox-settings", list[MailboxSettings]) if self.me["admin"] else []
        except ApiError as refused:
            return self.fault(refused)
        own = [_as_settings(each) for each in view.mailboxes.values() if each.kind == "personal"]
        self._settings = {each.id: each for each in [*own, *settings]}
        self._paint()
        if not self._anew:
            return None
        asked = self.router.url.query_parameters.get("mailbox") or ""
        if asked.isdigit() and int(asked) in self._settings:
            self.show(int(asked))
        return None

    def show(self, mailbox_id: int) -> None:
        """Open a mailbox's settings; 0: none."""
        self.chosen = self._painted(self._settings.get(mailbox_id))
        self.adding, self.problem, self.removing = "", "", False

    @rx.event
    def close(self) -> None:
        """Back to the list."""
        self.show(0)

    @rx.event
    def add(self, kind: str) -> None:
        """Open the form of a new mailbox."""
        self.show(0)
        self.adding = kind

    async def make(self, form: dict[str, Any]) -> MailboxSettings:
        """Add the mailbox of the form. Raises ApiError."""
        kind: MailboxKind = "personal" if self.adding == "personal" else "group"
        address = str(form.get("address", "")).strip()
        wanted = CreateMailbox(
            kind=kind,
            name=str(form.get("name", "")).strip() or address,
            address=address,
            member_ids=checked(form, "person"),
            team_ids=checked(form, "team"),
            default_from_name=str(form.get("default_from_name", "")).strip(),
            reply_bcc=str(form.get("reply_bcc", "")).strip(),
            private_by_default=bool(form.get("private")),
            send_as=_send_as(form),
        )
        made = await self.api().post("/mailboxes", wanted, MailboxSettings)
        self._settings = {**self._settings, made.id: made}
        self._paint()
        return made

    @rx.event
    async def save(self, form: dict[str, Any]) -> EventSpec | None:
        """The chosen mailbox's own settings."""
        wanted = UpdateMailbox(
            name=str(form.get("name", "")).strip(),
            address=str(form.get("address", "")).strip(),
            default_from_name=str(form.get("default_from_name", "")).strip(),
            reply_bcc=str(form.get("reply_bcc", "")).strip(),
            private_by_default=bool(form.get("private")),
            send_as=_send_as(form),
        )
        try:
            stored = await self.api().patch(f"/mailboxes/{self.chosen['id']}", wanted, MailboxSettings)
        except ApiError as refused:
            return self._refused(refused)
        return self._stored(stored)

    @rx.event
    async def save_members(self, form: dict[str, Any]) -> EventSpec | None:
        """Who has access."""
        wanted = SetMailboxMembers(member_ids=checked(form, "person"), team_ids=checked(form, "team"))
        try:
            stored = await self.api().put(f"/mailboxes/{self.chosen['id']}/members", wanted, MailboxSettings)
        except ApiError as refused:
            return self._refused(refused)
        return self._stored(stored)

    @rx.event
    async def save_in_turn(self, form: dict[str, Any]) -> EventSpec | None:
        """Who is given new conversations."""
        turn = InTurn(how=form.get("how", "off"), user_ids=checked(form, "turn"))
        try:
            stored = await self.api().patch(
                f"/mailboxes/{self.chosen['id']}", UpdateMailbox(in_turn=turn), MailboxSettings
            )
        except ApiError as refused:
            return self.fault(refused)
        return self._stored(stored)

    def _stored(self, stored: MailboxSettings) -> None:
        self._settings = {**self._settings, stored.id: stored}
        self.problem = ""
        self._paint()
        self.say("Saved")

    @rx.event
    def ask_remove(self) -> None:
        """Removing cannot be undone: ask first."""
        self.removing = not self.removing

    @rx.event
    async def remove(self, form: dict[str, Any]) -> EventSpec | None:
        """Remove the mailbox and its conversations for good; its name confirms."""
        mailbox_id = self.chosen["id"]
        try:
            await self.api().delete(f"/mailboxes/{mailbox_id}", name=str(form.get("name", "")))
        except ApiError as refused:
            return self._refused(refused)
        self._settings = {i: each for i, each in self._settings.items() if i != mailbox_id}
        self._paint()
        self.show(0)
        self.say("The mailbox was removed. Its mail on the server stays")
        return None

    def know(self, mailbox: MailboxSettings) -> None:
        """Another mailbox whose settings may stand open: the intake."""
        if self._settings.get(mailbox.id) != mailbox:
            self._settings = {**self._settings, mailbox.id: mailbox}
            self._paint()

    def set_account(self, mailbox_id: int, state: AccountState | None) -> None:
        """What is known now of a mailbox's account; None: it has none."""
        known = self._settings.get(mailbox_id)
        if known is not None:
            self._settings = {**self._settings, known.id: msgspec.structs.replace(known, account=state)}
            self._paint()

    def _refused(self, refused: ApiError) -> EventSpec | None:
        self.problem = refused.sentence
        return self.fault(refused) if isinstance(refused, SignedOut) else None


def _send_as(form: dict[str, Any]) -> SendAs:
    """A form of a personal mailbox has no such field."""
    chosen: SendAs = form.get("send_as") or "mailbox"  # the API refuses any other word
    return chosen


def _as_settings(mailbox: Mailbox) -> MailboxSettings:
    names = MailboxSettings.__struct_fields__
    return MailboxSettings(**{name: getattr(mailbox, name) for name in names})


def _status_words(account: AccountState) -> str:
    """One that is paused with a reason has not begun: its folders are yet to be chosen."""
    return "Not started" if account.status == "paused" and account.reason else STATUS_WORDS[account.status]


def _line(mailbox: MailboxSettings) -> MailboxLine:
    readers = len(mailbox.member_ids)
    teams = len(mailbox.team_ids)
    people = ", ".join(
        part
        for part in (
            f"{readers} {'person' if readers == 1 else 'people'}" if readers else "",
            f"{teams} {'team' if teams == 1 else 'teams'}" if teams else "",
        )
        if part
    )
    return MailboxLine(
        id=mailbox.id,
        kind=mailbox.kind,
        name=mailbox.name,
        address=mailbox.address,
        dot=mailbox.colour % 10,
        status=_status_words(mailbox.account) if mailbox.account else "No account connected",
        people="Only you" if mailbox.kind == "personal" else people or "Nobody yet",
    )


def _seen_as(mailbox: MailboxSettings, me: str) -> str:
    """What a customer sees as the sender of a mail that `me` sends."""
    ours = mailbox.default_from_name or (me if mailbox.kind == "personal" else mailbox.name)
    name = {"mailbox": ours, "person": f"{me}, {ours}", "on_behalf": f"{me} on behalf of {ours}"}
    return f"Customers see: {name[mailbox.send_as]} <{mailbox.address}>"


def _chosen(mailbox: MailboxSettings, teams: dict[int, Team], me: str) -> ChosenView:
    account = mailbox.account
    return ChosenView(
        id=mailbox.id,
        kind=mailbox.kind,
        name=mailbox.name,
        address=mailbox.address,
        default_from_name=mailbox.default_from_name,
        reply_bcc=mailbox.reply_bcc,
        send_as=mailbox.send_as,
        seen_as=_seen_as(mailbox, me),
        private=mailbox.private_by_default,
        in_turn=mailbox.in_turn.how,
        in_turn_ids=list(mailbox.in_turn.user_ids),
        reader_ids=_readers(mailbox, teams),
        member_ids=list(mailbox.member_ids),
        team_ids=list(mailbox.team_ids),
        connected=account is not None,
        status=account.status if account else "",
        status_words=_status_words(account) if account else "",
        reason=account.reason if account else "",
        remedy=account.remedy if account else "",
        server_words=account.server_words if account else "",
        done=account.done if account else 0,
        total=account.total if account else 0,
        percent=round(100 * account.done / account.total) if account and account.total else 0,
        checked_at=account.checked_at.isoformat() if account and account.checked_at else "",
    )


def _readers(mailbox: MailboxSettings, teams: dict[int, Team]) -> list[int]:
    """Who can open a group mailbox, as far as its settings tell."""
    by_team = {user_id for i in mailbox.team_ids if i in teams for user_id in teams[i].member_ids}
    return sorted({*mailbox.member_ids, *by_team})


Session.painters.append(Mailboxes)
