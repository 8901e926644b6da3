"""The few React components of our own (assets/widgets): leaves that must answer without a round trip."""

from __future__ import annotations

import reflex as rx


class Mounted(rx.Component):
    """Says that React has taken over the page."""

    library = "$/public/widgets/mounted.jsx"
    tag = "Mounted"


mounted = Mounted.create
