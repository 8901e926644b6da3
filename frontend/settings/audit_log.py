"""The audit log: who did what that concerns access, settings or credentials. For admins."""

from __future__ import annotations

from typing import Any, TypedDict

import reflex as rx
from reflex.event import EventSpec

from backend.people.contracts import AuditEntry, AuditPage
from frontend.api import ApiError
from frontend.components.forms import card, settings_page
from frontend.components.parts import avatar
from frontend.components.widgets import ago
from frontend.faces import Face, person_face
from frontend.session import Session
from frontend.settings.people import for_admins
from frontend.view import View

DEEDS = {
    "set_up": "set up Tandem",
    "signed_in": "signed in",
    "signed_out": "signed out",
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
    "account_paused": "paused the account of {subject}",
    "mailbox_addresses_set": "changed the further addresses of {subject}",
    "sender_blocked": "blocked a sender in {subject}",
    "sender_unblocked": "no longer blocks a sender in {subject}",
    "intake_sorted": "sorted new mail of {subject}",
    "account_resumed": "let the account of {subject} go on",
    "job_retried": "tried a failed job again",
}
"""What was done, by its word in the log. One that is not here stands as it is."""
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


class AuditLog(Session):
    """The log, newest first, as far as it was fetched."""

    entries: list[EntryView] = []
    more: bool = False

    _cursor: int | None = None

    @rx.event
    async def arrive(self) -> EventSpec | None:
        """On the page's load."""
        self.entries, self.more, self._cursor = [], False, None
        return await self._fetch()

    async def _fetch(self) -> EventSpec | None:
        view = self._view
        if view is None or not self.me["admin"]:
            return None
        try:
            page = await self.api().get("/audit", AuditPage, cursor=self._cursor)
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
        deed=DEEDS.get(entry.action, f"{entry.action.replace('_', ' ')} {{subject}}").format(subject=subject),
        at=entry.at.isoformat(),
        details=[f"{name.replace('_', ' ')}: {_words(value)}" for name, value in entry.detail.items()],
    )


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
