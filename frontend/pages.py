"""Every page of the interface and its address."""

from __future__ import annotations

import reflex as rx

from frontend.gate import pages as gate


def add_all(app: rx.App) -> None:
    """Register all pages."""
    app.add_page(gate.sign_in, route="/signin", title="Sign in · Tandem")
    app.add_page(gate.set_up, route="/set-up", title="Set up Tandem")
    app.add_page(gate.forgotten, route="/forgotten", title="Forgotten password · Tandem")
    app.add_page(gate.reset, route="/reset-password", title="New password · Tandem")
    app.add_page(gate.invitation, route="/invitation", title="Join your team · Tandem")
