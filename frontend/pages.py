"""Every page of the interface and its address."""

from __future__ import annotations

from typing import Any

import reflex as rx

from frontend.compose.drafts import Drafts, drafts
from frontend.contacts.page import contacts
from frontend.contacts.state import Contacts
from frontend.gate import pages as gate
from frontend.inbox.page import inbox
from frontend.inbox.state import Inbox
from frontend.outbox.page import outbox
from frontend.outbox.state import Outbox
from frontend.session import Session
from frontend.settings import (
    audit_log,
    blocked,
    failed_jobs,
    intake_view,
    mailboxes_view,
    notifications,
    outgoing_view,
    people,
    profile,
    tags,
)
from frontend.settings.accounts import Accounts
from frontend.settings.audit_log import AuditLog
from frontend.settings.blocked import BlockedSenders
from frontend.settings.documents import documents
from frontend.settings.domains import Domains
from frontend.settings.failed_jobs import FailedJobs
from frontend.settings.intake import IntakeDesk
from frontend.settings.links import Links, links
from frontend.settings.notifications import Notifications
from frontend.settings.outgoing import Outgoing
from frontend.settings.people import People
from frontend.settings.profile import Profile
from frontend.settings.shortcuts import shortcuts
from frontend.settings.signatures import SignaturePage, signatures
from frontend.settings.templates.page import templates
from frontend.settings.templates.state import Templates
from frontend.settings.unverified import Unverified
from frontend.settings.views import Views, views

PAGES: tuple[tuple[Any, str, str, Any], ...] = (
    (inbox, "/", "Inbox", Inbox.arrive),
    (drafts, "/drafts", "Drafts", Drafts.arrive),
    (outbox, "/outbox", "Outbox", Outbox.arrive),
    (contacts, "/contacts", "Contacts", Contacts.arrive),
    (profile.profile, "/settings", "Profile", None),
    (notifications.notifications, "/settings/notifications", "Notifications", Notifications.arrive),
    (shortcuts, "/settings/shortcuts", "Shortcuts", None),
    (profile.tokens, "/settings/tokens", "API tokens", Profile.list_tokens),
    (profile.organisation, "/settings/organisation", "Organisation", None),
    (people.people, "/settings/people", "People", (People.arrive, Unverified.arrive)),
    (people.teams, "/settings/teams", "Teams", People.arrive),
    (tags.tags, "/settings/tags", "Tags", None),
    (templates, "/settings/templates", "Templates", Templates.arrive),
    (documents, "/settings/documents", "Documents", None),
    (links, "/settings/links", "Links", Links.arrive),
    (signatures, "/settings/signatures", "Signatures", SignaturePage.arrive),
    (views, "/settings/views", "Views", Views.arrive),
    (blocked.blocked_senders, "/settings/blocked-senders", "Blocked senders", BlockedSenders.arrive),
    (failed_jobs.failed_jobs, "/settings/failed-jobs", "Failed jobs", FailedJobs.arrive),
    (audit_log.audit_log, "/settings/audit", "Audit log", AuditLog.arrive),
    (outgoing_view.outgoing, "/settings/outgoing", "Outgoing mail", (Outgoing.arrive, Domains.arrive)),
    (intake_view.intake, "/settings/intake", "Intake", IntakeDesk.arrive),
    (
        mailboxes_view.mailboxes,
        "/settings/mailboxes",
        "Mailboxes",
        (Accounts.arrive, Unverified.arrive, Accounts.watch),
    ),
)
"""Pages of signed-in people: what they show, where, under which title, and what they fetch on loading."""

GATES = (
    (gate.sign_in, "/signin", "Sign in · Tandem"),
    (gate.set_up, "/set-up", "Set up Tandem"),
    (gate.forgotten, "/forgotten", "Forgotten password · Tandem"),
    (gate.reset, "/reset-password", "New password · Tandem"),
    (gate.invitation, "/invitation", "Join your team · Tandem"),
    (gate.verify_address, "/verify-address", "Whose address · Tandem"),
)
"""Pages before signing in."""

SIGNED_IN = frozenset(route for _, route, _, _ in PAGES)


def add_all(app: rx.App) -> None:
    """Register all pages. Those of signed-in people begin with `enter`, then their own, then follow live."""
    for component, route, title, arrive in PAGES:
        own = arrive if isinstance(arrive, tuple) else (arrive,) if arrive is not None else ()
        steps = [Session.enter, *own, Session.follow]
        app.add_page(component, route=route, title=f"{title} · Tandem", on_load=steps)
    for component, route, title in GATES:
        app.add_page(component, route=route, title=title)
