"""Every page of the interface and its address."""

from __future__ import annotations

import reflex as rx

from frontend.gate import pages as gate
from frontend.inbox.page import inbox
from frontend.inbox.state import Inbox
from frontend.session import Session


def add_all(app: rx.App) -> None:
    """Register all pages. Those of signed-in people begin with `enter`, then their own, then follow live."""
    app.add_page(inbox, route="/", title="Tandem", on_load=[Session.enter, Inbox.arrive, Session.follow])

    app.add_page(gate.sign_in, route="/signin", title="Sign in · Tandem")
    app.add_page(gate.set_up, route="/set-up", title="Set up Tandem")
    app.add_page(gate.forgotten, route="/forgotten", title="Forgotten password · Tandem")
    app.add_page(gate.reset, route="/reset-password", title="New password · Tandem")
    app.add_page(gate.invitation, route="/invitation", title="Join your team · Tandem")
