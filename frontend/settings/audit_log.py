"""The audit log: who did what that concerns access, settings or credentials. For admins."""

from __future__ import annotations

from typing import Any, TypedDict

import reflex as rx
from reflex.event import EventSpec

from backend.people.contracts import AuditEntry, AuditKind, AuditPage
from frontend.api import ApiError
from frontend.components.forms import card, settings_page
from frontend.components.parts import avatar, empty
from frontend.components.widgets import ago
from frontend.faces import Face, person_face
from frontend.session import Session
from frontend.settings.people import for_admins
from frontend.view import View

DEEDS = {
    "set_up": "set up Tandem",
    "signed_in": "signed in",
    "signed_out": "signed out",
    "sign_in_refused": "was refused at signing in as {subject}",
    "joined": "joined by invitation",
    "password_changed": "changed their password",
    "password_reset": "set a new password for {subject}",
    "password_link_made": "made a link for a new password for {subject}",
    "password_link_mailed": "asked for a link for a new password for {subject}",
    "person_changed": "changed the account of {subject}",
    "token_created": "made the API token {subject}",
    "token_deleted": "deleted the API token {subject}",
    "invited": "invited {subject}",
    "invitation_withdrawn": "took back the invitation of {subject}",
    "organisation_renamed": "renamed the organisation",
    "house_style_set": "set how mail of the organisation looks",
    "team_created": "made the team {subject}",
    "team_changed": "changed the team {subject}",
    "team_deleted": "deleted the team {subject}",
    "mailbox_created": "added the mailbox {subject}",
    "mailbox_changed": "changed the mailbox {subject}",
    "mailbox_members_set": "changed who has access to {subject}",
    "mailbox_deleted": "removed the mailbox {subject}",
    "account_connected": "connected the account of {subject}",
    "account_reauthorised": "changed the servers or the password of {subject}",
    "account_disconnected": "disconnected the account of {subject}",
    "account_plan_set": "changed which folders are followed in {subject}",
    "outgoing_server_added": "added an outgoing server",
    "outgoing_server_changed": "changed an outgoing server",
    "outgoing_server_removed": "removed an outgoing server",
    "identity_added": "added an identity",
    "identity_changed": "changed an identity",
    "identity_removed": "removed an identity",
    "address_asked": "sent the link that asks whose an address is",
    "address_verified": "said that an address is theirs",
    "system_mail_set": "set as whom Tandem itself writes",
    "document_deleted": "deleted a document",
    "link_added": "added a saved link",
    "link_changed": "changed a saved link",
    "link_removed": "deleted a saved link",
    "mailbox_sending_set": "set what {subject} sends through",
    "account_paused": "paused the account of {subject}",
    "mailbox_addresses_set": "changed the further addresses of {subject}",
    "sender_blocked": "blocked a sender in {subject}",
    "sender_unblocked": "no longer blocks a sender in {subject}",
    "conversations_deleted": "deleted conversations of {subject} for good",
    "conversation_moved": "moved a conversation out of {subject}",
    "intake_sorted": "sorted new mail of {subject}",
    "account_resumed": "let the account of {subject} go on",
    "job_retried": "tried a failed job again",
    "backup_made": "made a backup",
    "backup_restored": "brought back a backup",
    "mail_imported": "imported mail into {subject}",
}
"""What was done, by its word in the log. One that is not here stands as it is."""
KINDS: dict[AuditKind, str] = {
    "entering": "Signing in and passwords",
    "people": "People",
    "access": "Who can open what",
    "mailboxes": "Mailboxes",
    "accounts": "Mail accounts",
    "tokens": "API tokens",
    "conversations": "Deleted conversations",
    "operation": "Backups, imports and jobs",
}
NOBODY = "Somebody not signed in"
"""Who acts where an entry names no person: the command line, or a page before signing in."""


class EntryView(TypedDict):
    """An entry: `who` in weight, then `deed`. `details` are its lines, folded."""

    id: int
    face: Face
    who: str
    deed: str
    at: str
    details: list[str]


class ChoiceView(TypedDict):
    value: str
    text: str


class AuditLog(Session):
    """The log, newest first, as far as it was fetched."""

    entries: list[EntryView] = []
    more: bool = False
    people: list[ChoiceView] = []
    filtered: bool = False

    _cursor: int | None = None
    _filters: dict[str, str] = {}

    @rx.event
    async def arrive(self) -> EventSpec | None:
        """On the page's load."""
        self._filters, self.filtered = {}, False
        if self._view is not None:
            everybody = sorted(self._view.people.values(), key=lambda each: each.name.casefold())
            self.people = [ChoiceView(value=str(each.id), text=each.name) for each in everybody]
        return await self._begin()

    @rx.event
    async def filter(self, form: dict[str, Any]) -> EventSpec | None:
        """By person, kind and days."""
        names = ("person_id", "kind", "since", "until")
        self._filters = {name: str(form[name]) for name in names if form.get(name)}
        self.filtered = bool(self._filters)
        return await self._begin()

    async def _begin(self) -> EventSpec | None:
        self.entries, self.more, self._cursor = [], False, None
        return await self._fetch()

    async def _fetch(self) -> EventSpec | None:
        view = self._view
        if view is None or not self.me["admin"]:
            return None
        try:
            page = await self.api().get("/audit", AuditPage, cursor=self._cursor, **self._filters)
        except ApiError as refused:
            return self.fault(refused)
        self.entries = [*self.entries, *(paint_entry(view, each) for each in page.items)]
        self._cursor, self.more = page.next_cursor, page.next_cursor is not None
        return None

    @rx.event
    async def show_more(self) -> EventSpec | None:
        """The next hundred."""
        return await self._fetch()


def paint_entry(view: View, entry: AuditEntry) -> EntryView:
    """An entry of the log in words."""
    actor = view.people.get(entry.actor_id or 0)
    subject = _subject(view, entry)
    return EntryView(
        id=entry.id,
        face=person_face(actor),
        who=actor.name if actor else NOBODY,
        deed=_own_access(entry, subject) or _deed(entry).format(subject=subject),
        at=entry.at.isoformat(),
        details=[f"{name.replace('_', ' ')}: {_words(value)}" for name, value in entry.detail.items()],
    )


def _deed(entry: AuditEntry) -> str:
    return DEEDS.get(entry.action, f"{entry.action.replace('_', ' ')} {{subject}}")


def _own_access(entry: AuditEntry, subject: str) -> str:
    """Whoever lets themselves in shall not be overlooked among other changes; empty for all else."""
    if entry.action not in ("mailbox_members_set", "team_changed"):
        return ""
    before, after = (_members(entry.detail.get(when)) for when in ("before", "after"))
    return f"gave themselves access to {subject}" if entry.actor_id in after - before else ""


def _members(value: Any) -> set[Any]:
    return set(value.get("member_ids", [])) if isinstance(value, dict) else set()


def _subject(view: View, entry: AuditEntry) -> str:
    """What it was done to, by name where the name is known to us; what is gone left its name in the entry."""
    kind, _, number = entry.subject.partition(":")
    known = {"user": view.people, "team": view.teams, "mailbox": view.mailboxes}.get(kind, {})
    found = known.get(int(number)) if number.isdigit() else None
    if found is not None:
        return found.name
    left = next((entry.detail[key] for key in ("name", "email", "address") if entry.detail.get(key)), None)
    return str(left) if left else f"{kind} {number}".strip()


def _words(value: Any) -> str:
    match value:
        case dict():
            return ", ".join(f"{name.replace('_', ' ')} {_words(each)}" for name, each in value.items())
        case list():
            return ", ".join(_words(each) for each in value) or "none"
        case bool():
            return "yes" if value else "no"
        case None | "":
            return "none"
        case _:
            return str(value)


_state: Any = AuditLog


def audit_log() -> rx.Component:
    """Who did what, newest first."""
    return settings_page(
        "Audit log",
        for_admins(
            _filter_form(),
            rx.cond(
                _state.filtered & (_state.entries.length() == 0),
                empty("scroll-text", "Nothing fits", "Choose another person, kind or day."),
            ),
            rx.cond(
                _state.entries.length() > 0,
                card("Newest first", rx.el.ul(rx.foreach(_state.entries, _entry), class_name="lines")),
            ),
            rx.cond(
                _state.more,
                rx.el.button("Show more", type="button", class_name="link centred-block", on_click=_state.show_more),
            ),
        ),
        lead="What concerns access, settings and passwords. Nothing can be taken out of it.",
    )


def _filter_form() -> rx.Component:
    """By person, kind and days. What is chosen belongs to the browser until it is shown."""

    def choice(label: str, name: str, options: Any) -> rx.Component:
        return rx.el.label(
            rx.el.span(label, class_name="label"),
            rx.el.select(rx.el.option("All", value=""), options, name=name, class_name="select"),
            class_name="field",
        )

    def day(label: str, name: str) -> rx.Component:
        return rx.el.label(
            rx.el.span(label, class_name="label"),
            rx.el.input(type="date", name=name, class_name="input"),
            class_name="field",
        )

    return rx.el.form(
        choice(
            "Person",
            "person_id",
            rx.foreach(_state.people, lambda each: rx.el.option(each.text, value=each.value)),
        ),
        choice("About", "kind", rx.fragment(*(rx.el.option(text, value=kind) for kind, text in KINDS.items()))),
        day("From", "since"),
        day("Until", "until"),
        rx.el.button("Show", type="submit", class_name="btn"),
        on_submit=_state.filter,
        class_name="audit-filter",
        custom_attrs={"aria-label": "Filter"},
    )


def _entry(entry: Any) -> rx.Component:
    return rx.el.li(
        avatar(entry.face),
        rx.el.div(
            rx.el.span(rx.el.b(entry.who), " ", entry.deed),
            rx.cond(
                entry.details.length() > 0,
                rx.el.details(
                    rx.el.summary("Details"),
                    rx.foreach(entry.details, lambda line: rx.el.div(line)),
                    class_name="entry-details",
                ),
            ),
            class_name="line-text",
        ),
        ago(at=entry.at, long=True),
        key=entry.id,
    )
